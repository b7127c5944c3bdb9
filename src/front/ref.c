/* What is read of nodes: outputs, status and exit code, directly or through the ports of the regions around them. */
#include "scope.h"

#include <string.h>

enum got { GOT_VALUE, GOT_NONE, GOT_BAD };        /* GOT_BAD: reported */

struct read { struct elab *e; const struct str *name, *field; struct span span; };     /* NAME.FIELD at span */

static enum got inside(const struct read *r, struct scope *s, struct expr **out);

const char *node_where(struct elab *e, const struct node *n)
{
	const char *kind = node_kind_name((enum node_kind)n->kind);

	return str_internf(e->strs, "the `%s` at line %u", kind, diag_place(e->diag, n->span).line)->s;
}

static enum got direct(const struct read *r, struct sym *y, struct expr **out)
{
	struct elab *e = r->e;
	struct node *n = y->node;

	if (!node_shape(e, y))
		return GOT_BAD;
	if (r->field == e->words->status) {
		*out = expr_ref(e->arena, REF_STATUS, n, 0, type_of(T_STRING), r->span);
		return GOT_VALUE;
	}
	if (r->field == e->words->exit_code && (n->kind == N_STEP || (n->kind == N_WAIT && n->u.wait.poll))) {
		*out = expr_ref(e->arena, REF_EXIT_CODE, n, 0, type_of(T_INT), r->span);
		return GOT_VALUE;
	}
	if (n->kind == N_SWEEP) {
		bool none;

		*out = sweep_field(e, y, r->field, r->span, &none);
		return *out ? GOT_VALUE : none ? GOT_NONE : GOT_BAD;
	}
	for (uint32_t i = 0; i < n->nports; i++) {
		if (n->ports[i].name == r->field) {
			*out = expr_ref(e->arena, REF_OUTPUT, n, i, n->ports[i].type, r->span);
			return (*out)->type.kind == T_NONE ? GOT_BAD : GOT_VALUE;
		}
	}
	return GOT_NONE;
}

static const struct str *port_name(const struct read *r)
{
	return str_internf(r->e->strs, "%s.%s", r->name->s, r->field->s);
}

static enum got gathered(const struct read *r, struct sym *region, struct expr **v, struct type *t)
{
	enum got g = inside(r, region->u.region->body[0], &v[0]);
	struct diag_item *it;

	if (g != GOT_VALUE)
		return g;
	*t = v[0]->type;
	if (!t->list) {
		*t = type_list((enum type_kind)t->kind);
		return GOT_VALUE;
	}
	it = diag_at(r->e->diag, CW0307, r->span, "'%s.%s' would be a list of lists here", r->name->s, r->field->s);
	diag_mend(r->e->diag, it, "reduce it in the inner body: add a step there that takes the list and puts out one value (or file), and read that");
	diag_note(r->e->diag, it, region->node->span, "%s gathers what is a list in its body already", node_where(r->e, region->node));
	return GOT_BAD;
}

/* Whether an `if` has a final `else`; its conditions may not be elaborated yet. */
static bool has_else(const struct ast_stmt *st)
{
	while (st->else_)
		st = st->else_;
	return !st->value;
}

static enum got merged(const struct read *r, struct sym *region, struct expr **v, struct type *t)
{
	struct elab *e = r->e;
	const struct region *g = region->u.region;
	const struct node *n = region->node;
	bool all = has_else(region->ast), some = false;

	for (uint32_t i = 0; i < g->n; i++) {
		enum got got = inside(r, g->body[i], &v[i]);
		struct type joined;

		if (got == GOT_BAD)
			return GOT_BAD;
		if (got == GOT_NONE) {
			all = false;
			continue;
		}
		if (some && !type_join(*t, v[i]->type, &joined)) {
			struct diag_item *it = diag_at(e->diag, CW0316, r->span, "'%s.%s' is %s in one branch and %s in another", r->name->s, r->field->s,
				type_words(e, *t), type_words(e, v[i]->type));

			diag_mend(e->diag, it, "declare the output alike in each branch, or give the steps different names");
			diag_note(e->diag, it, n->span, "the branches of this `if`");
			return GOT_BAD;
		}
		*t = some ? joined : v[i]->type;
		some = true;
	}
	if (!some)
		return GOT_NONE;
	t->opt = true;
	for (uint32_t i = 0; i < g->n; i++)
		if (v[i] && !(v[i] = coerce(e, NULL, v[i], *t, 0, "the output of an `if`")))
			return GOT_BAD;
	t->opt = !all;
	for (uint32_t i = 0; i < g->n; i++)
		t->opt |= v[i] && v[i]->type.opt;
	return GOT_VALUE;
}

/* Through a port of the region, made when it is first read. */
static enum got through(const struct read *r, struct sym *region, struct expr **out)
{
	struct elab *e = r->e;
	struct region *g = region->u.region;
	const struct str *name = port_name(r);
	uintptr_t at = (uintptr_t)strmap_get(&g->ports, name);
	struct node *n = region->node;
	struct type t = type_of(T_NONE);
	struct expr *c;

	if (!at) {
		struct expr **v = arena_array(e->arena, struct expr *, g->n);
		enum got got = n->kind == N_FOR ? gathered(r, region, v, &t) : merged(r, region, v, &t);

		if (got != GOT_VALUE)
			return got;
		port_add(e, n, name, t, v[0] ? v[0]->span : r->span)->value = v;
		at = n->nports;
		strmap_put(e->arena, &g->ports, name, (void *)at);
	}
	t = n->ports[at - 1].type;
	*out = expr_ref(e->arena, REF_OUTPUT, n, (uint32_t)at - 1, t, r->span);
	if (r->field != e->words->status || !t.opt || t.list)
		return GOT_VALUE;
	/* A step whose branch is not taken has a status all the same. */
	c = expr_new(e->arena, EX_COALESCE, type_of(T_STRING), r->span, 2);
	c->u.args[0] = *out;
	c->u.args[1] = literal_str(e, e->words->skipped, r->span);
	*out = c;
	return GOT_VALUE;
}

/* As seen from scope s, where the name, if it is there, is defined in s or in a body below it. */
static enum got inside(const struct read *r, struct scope *s, struct expr **out)
{
	struct found f;

	*out = NULL;
	if (!strmap_get(&s->names, r->name) || !scope_lookup(r->e, s, r->name, &f) || f.sym->kind != SYM_NODE)
		return GOT_NONE;
	return f.region ? through(r, f.region, out) : direct(r, f.sym, out);
}

static bool has_name(const char *const *v, uint32_t n, const char *name)
{
	while (n && strcmp(v[n - 1], name))
		n--;
	return n;
}

static struct expr *no_result(struct elab *e, struct sym *y, const struct ast_expr *x)
{
	bool best = x->args[0]->kind == AX_MEMBER;
	struct diag_item *it;
	const char **names;
	uint32_t k;

	if (!scope_module(y->scope)->ok || alias_member(e->diag, x, best ? OF_BEST : OF_SWEEP))
		return NULL;
	it = diag_at(e->diag, CW0203, x->name_span, "the sweep '%s' has no result '%s%s'", y->name->s, best ? "best." : "", x->name->s);
	names = sweep_names(e, y, &k);
	if (best)
		did_you_mean(e, it, x->name, names, k);
	else if (has_name(names, k, x->name->s))
		diag_mend(e->diag, it, "read it of the best trial: %s.best.%s", y->name->s, x->name->s);
	else
		diag_mend(e->diag, it, "read %s.best.NAME, an output or an argument of the best trial, or %s.trials", y->name->s, y->name->s);
	diag_note(e->diag, it, y->span, "'%s' is defined here", y->name->s);
	return NULL;
}

static struct expr *no_output(struct elab *e, struct sym *y, const struct ast_expr *x)
{
	struct node *n = y->node;
	const char **names = arena_array(e->arena, const char *, n->nports + 2);
	struct diag_item *it;
	uint32_t k = 0;

	if (!scope_module(y->scope)->ok || alias_member(e->diag, x, n->kind == N_LOOP ? OF_LOOP : OF_NODE))
		return NULL;
	it = diag_at(e->diag, CW0203, x->name_span, "%s '%s' has no output '%s'", sym_words(y), y->name->s, x->name->s);
	for (uint32_t i = 0; i < n->nports; i++)
		names[k++] = n->ports[i].name->s;
	names[k++] = "status";
	if (n->kind == N_STEP)
		names[k++] = "exit_code";
	did_you_mean(e, it, x->name, names, k);
	if (it->msg && !it->label && n->nports == 0)
		diag_mend(e->diag, it, "it declares none: add  out %s: TYPE", x->name->s);
	else if (it->msg && !it->label) {
		struct strbuf b = { 0 };

		for (uint32_t i = 0; i < n->nports && i < 8; i++)
			sb_f(&b, "%s%s.%s", i ? ", " : "", y->name->s, names[i]);
		diag_mend(e->diag, it, "read one it has: %s%s", sb_cstr(&b), n->nports > 8 ? ", ..." : "");
		sb_free(&b);
	}
	diag_note(e->diag, it, y->span, "'%s' is defined here", y->name->s);
	return NULL;
}

bool found_around(struct elab *e, struct scope *s, const struct found *f, struct span sp)
{
	const struct sym *n = f->region ? f->region : f->sym;
	struct diag_item *it;

	for (; s && s->owner != n; s = s->parent)
		;
	if (!s)
		return false;
	if (f->region) {
		it = diag_at(e->diag, CW0501, sp, "'%s' is in another branch of the `if` that this is in, so it never runs together with it", f->sym->name->s);
		diag_mend(e->diag, it, "move what needs it into the same branch, or behind the `if`");
	} else {
		it = diag_at(e->diag, CW0501, sp, "this is in the body of '%s', which cannot wait for itself: a cycle", f->sym->name->s);
		diag_mend(e->diag, it, "inside of a loop, read its states by their names");
	}
	diag_note(e->diag, it, f->sym->span, "'%s' is defined here", f->sym->name->s);
	return true;
}

struct expr *elab_member(struct elab *e, struct scope *s, const struct found *f, const struct ast_expr *x)
{
	bool best = x->args[0]->kind == AX_MEMBER;
	struct read r = { e, f->sym->name, best ? str_internf(e->strs, "best.%s", x->name->s) : x->name, x->span };
	struct expr *v = NULL;
	enum got g;

	if (found_around(e, s, f, x->span))
		return NULL;
	g = f->region ? through(&r, f->region, &v) : direct(&r, f->sym, &v);
	if (g == GOT_BAD)
		return NULL;
	if (g == GOT_NONE)
		return f->sym->node->kind == N_SWEEP ? no_result(e, f->sym, x) : no_output(e, f->sym, x);
	e->ops++;
	if (r.field != e->words->status && scope_in_on(s) && !scope_in_on(f->sym->scope))
		v->type.opt = true;
	return v;
}

static void nodes_inside(struct elab *e, struct scope *s, const struct str *name, void (*each)(struct node *n, void *data), void *data)
{
	struct found f;

	if (!strmap_get(&s->names, name) || !scope_lookup(e, s, name, &f) || f.sym->kind != SYM_NODE)
		return;
	if (!f.region) {
		each(f.sym->node, data);
		return;
	}
	for (uint32_t i = 0; i < f.region->u.region->n; i++)
		nodes_inside(e, f.region->u.region->body[i], name, each, data);
}

void found_nodes(struct elab *e, struct scope *s, const struct str *name, const struct found *f, void (*each)(struct node *n, void *data), void *data)
{
	(void)s;
	if (!f->region) {
		each(f->sym->node, data);
		return;
	}
	for (uint32_t i = 0; i < f->region->u.region->n; i++)
		nodes_inside(e, f->region->u.region->body[i], name, each, data);
}
