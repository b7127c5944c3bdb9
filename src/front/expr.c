/* Expressions: names, literals, members, what a definition needs before it can be used. */
#include "scope.h"

#include <string.h>

enum { EXPR_DEPTH = 2000, LET_OPS = 4096 };

static struct expr *any(struct elab *e, struct scope *s, const struct ast_expr *x, struct type want, const char *what, const struct record **rec);

struct expr *elab_value(struct elab *e, struct scope *s, const struct ast_expr *x, struct type want, unsigned flags, const char *what,
	const struct record **rec)
{
	const struct record *r = NULL;
	struct expr *v = any(e, s, x, want, what, &r);

	v = coerce(e, s, v, want, flags, what);
	if (rec)
		*rec = v ? r : NULL;
	return v;
}

struct expr *elab_hint(struct elab *e, struct scope *s, const struct ast_expr *x, struct type hint, const char *what)
{
	const struct record *r = NULL;

	return any(e, s, x, hint, what, &r);
}

struct expr *elab_expr(struct elab *e, struct scope *s, const struct ast_expr *x, struct type want, const char *what)
{
	return elab_value(e, s, x, want, CO_JSON, what, NULL);
}

struct expr *elab_cond(struct elab *e, struct scope *s, const struct ast_expr *x, const char *what)
{
	return elab_value(e, s, x, type_of(T_BOOL), 0, what, NULL);
}

struct first_ref { const struct expr *x; unsigned kinds; };

static void see_ref(struct expr *ref, void *data)
{
	struct first_ref *f = data;

	if (!f->x && !(f->kinds & 1u << ref->fn))
		f->x = ref;
}

bool refs_allowed(struct elab *e, struct expr *x, unsigned kinds, enum diag_code code, const char *what, const char *mend)
{
	struct first_ref f = { NULL, kinds };
	struct diag_item *it;

	if (!x)
		return false;
	expr_refs(x, see_ref, &f);
	if (!f.x)
		return true;
	it = diag_at(e->diag, code, f.x->span, "%s cannot read '%s'", what_text(e, what), source_text(e, f.x->span));
	diag_mend(e->diag, it, "%s", mend);
	return false;
}

const struct value *elab_const(struct elab *e, struct scope *s, const struct ast_expr *x, struct type want, const char *what)
{
	struct expr *v = elab_value(e, s, x, want, 0, what, NULL);
	struct first_ref f = { 0 };
	struct diag_item *it;

	if (!v)
		return NULL;
	if (expr_is_const(v))
		return v->u.lit;
	expr_refs(v, see_ref, &f);
	it = diag_at(e->diag, CW0310, f.x ? f.x->span : v->span, "%s must be a constant, known before the run", what_text(e, what));
	if (f.x)
		diag_mend(e->diag, it, "'%s' is known only during the run: write the value itself, or a let of constants", source_text(e, f.x->span));
	return NULL;
}

/* ---- names ---- */

static struct expr *not_a_value(struct elab *e, const struct sym *y, struct span sp, const char *mend)
{
	struct diag_item *it = diag_at(e->diag, CW0213, sp, "'%s' is a %s, not a value", y->name->s, sym_words(y));

	diag_mend(e->diag, it, "%s", mend);
	if (y->span.file)
		diag_note(e->diag, it, y->span, "'%s' is defined here", y->name->s);
	return NULL;
}

static struct expr *node_as_value(struct elab *e, struct sym *y, struct span sp)
{
	const char *mend = "after = [...] waits for it; it has no outputs to read";
	const struct node *n = y->node;

	if (!node_shape(e, y))
		return NULL;
	if (n->kind == N_SWEEP)
		mend = str_internf(e->strs, "read %s.best.OUTPUT, or %s.trials", y->name->s, y->name->s)->s;
	else if (n->nports)
		mend = str_internf(e->strs, "read one of its outputs: %s.%s", y->name->s, n->ports[0].name->s)->s;
	return not_a_value(e, y, sp, mend);
}

/* A let's expression stands at each use of it on its own: passes change trees in place. */
static struct expr *copy_tree(struct elab *e, struct expr *x)
{
	struct expr *c, **from, **to;

	if (x->op == EX_LIT)
		return x;
	c = arena_new_of(e->arena, struct expr);
	*c = *x;
	e->ops++;
	if (x->op == EX_REF)
		return c;
	from = expr_args(x);
	if (x->op != EX_MEMBER)
		c->u.args = arena_array(e->arena, struct expr *, expr_arity(x));
	to = expr_args(c);
	for (uint32_t i = 0, n = expr_arity(x); i < n; i++)
		to[i] = copy_tree(e, from[i]);
	return c;
}

/* What an override of a workflow's defaults reads of the caller becomes a parameter of the copy. */
static struct expr *copy_read(struct elab *e, struct scope *s, const struct ast_expr *x, const char *what, const struct record **rec)
{
	struct wf_copy *c = s->copy;
	struct ir_workflow *w = c->w;
	struct expr *v = any(e, s->parent, x, type_of(T_NONE), what, rec);
	const char *text;
	struct ir_param *p;

	if (!v || v->type.kind == T_NONE || expr_is_const(v))
		return v;
	if (v->type.opt) {
		report_optional(e, v, what);
		return NULL;
	}
	text = source_text(e, x->span);
	for (uint32_t i = 0; i < c->reads.n; i++)
		if (!strcmp(c->reads.v[i].name->s, text))
			return expr_ref(e->arena, REF_PARAM, NULL, c->reads.v[i].param, v->type, x->span);
	w->params = arena_grow(e->arena, w->params, w->nparams * sizeof *p, (w->nparams + 1) * sizeof *p);
	p = &w->params[w->nparams];
	p->name = str_internf(e->strs, "caller_%u", c->reads.n + 1);
	p->type = v->type;
	p->span = x->span;
	vec_add(e->arena, &c->reads);
	c->reads.v[c->reads.n - 1].x = x;
	c->reads.v[c->reads.n - 1].name = str_internz(e->strs, text);
	c->reads.v[c->reads.n - 1].param = w->nparams;
	return expr_ref(e->arena, REF_PARAM, NULL, w->nparams++, v->type, x->span);
}

static struct expr *sym_value(struct elab *e, struct scope *s, struct sym *y, struct span sp, const struct record **rec)
{
	struct expr *v;

	switch (y->kind) {
	case SYM_NODE:
		return node_as_value(e, y, sp);
	case SYM_OUTPUT:
		if (s->command)
			return expr_ref(e->arena, REF_OUTPATH, NULL, y->port, type_of(T_STRING), sp);
		return not_a_value(e, y, sp, "it has a value only when the step has ended: read it from another step, as STEP.OUTPUT");
	case SYM_VOLUME:
		return not_a_value(e, y, sp, "a volume stands in mounts { \"/path\" = NAME }");
	case SYM_ENV:
		return expr_ref(e->arena, REF_ENV, NULL, y->port, type_of(T_STRING), sp);
	case SYM_INPUT:
		return y->type.kind == T_NONE ? NULL : expr_ref(e->arena, REF_INPUT, NULL, y->port, y->type, sp);
	default:
		break;
	}
	if (!sym_resolve(e, y))
		return NULL;
	e->ops++;
	*rec = y->record;
	switch (y->kind) {
	case SYM_PARAM: return expr_ref(e->arena, REF_PARAM, NULL, y->port, y->type, sp);
	case SYM_ITEM: return expr_ref(e->arena, REF_ITEM, y->node, 0, y->type, sp);
	case SYM_INDEX: return expr_ref(e->arena, REF_INDEX, y->node, 0, y->type, sp);
	case SYM_STATE: return expr_ref(e->arena, REF_STATE, y->node, y->port, y->type, sp);
	default: break;
	}
	v = y->u.value;
	if (!expr_is_const(v))
		return copy_tree(e, v);
	v = expr_lit(e->arena, v->u.lit, sp);
	v->type = y->type;
	return v;
}

static struct expr *name_value(struct elab *e, struct scope *s, const struct ast_expr *x, const struct record **rec)
{
	struct found f;

	if (x->name == e->words->workflow) {
		struct diag_item *it = diag_at(e->diag, CW0213, x->span, "'workflow' is not a value");

		diag_mend(e->diag, it, "read a field of it: workflow.name, workflow.run_id, workflow.start_time, ...");
		return NULL;
	}
	if (!scope_lookup(e, s, x->name, &f)) {
		scope_unknown(e, s, x->name, x->span);
		return NULL;
	}
	if (f.closed) {
		scope_closed(e, &f, x->name, x->span);
		return NULL;
	}
	return sym_value(e, s, f.sym, x->span, rec);
}

/* ---- members ---- */

static struct expr *field_value(struct elab *e, struct scope *s, const struct ast_expr *x)
{
	const char *names[WF_COUNT];
	struct diag_item *it;
	uint32_t n = scope_in_on(s) ? WF_COUNT : WF_status;

	for (uint32_t i = 0; i < WF_COUNT; i++) {
		names[i] = workflow_fields[i].name;
		if (!str_eq(x->name, workflow_fields[i].name))
			continue;
		if (i < n)
			return expr_ref(e->arena, REF_FIELD, NULL, i, workflow_fields[i].type, x->span);
		it = diag_at(e->diag, CW0216, x->span, "workflow.%s is known only in an `on` block, when everything else has ended", x->name->s);
		diag_mend(e->diag, it, "read it in a step of `on exit { }`, or read STEP.status of a step");
		return NULL;
	}
	if (alias_member(e->diag, x, OF_WORKFLOW))
		return NULL;
	it = diag_at(e->diag, CW0209, x->name_span, "workflow has no field '%s'", x->name->s);
	did_you_mean(e, it, x->name, names, n);
	if (it->msg && !it->label)
		diag_mend(e->diag, it, "it has name, run_id, start_time, scheduled_time and url");
	return NULL;
}

/* A member of a literal map, whose type is known: x is MAP.NAME or MAP["NAME"], the name stands at sp. */
static struct expr *record_member(struct elab *e, struct expr *m, const struct record *r, const struct ast_expr *x, const struct str *name, struct span sp)
{
	const char **names = arena_array(e->arena, const char *, r->n + 1);
	struct diag_item *it;
	struct expr *c;

	for (uint32_t i = 0; i < r->n; i++) {
		names[i] = r->v[i].name->s;
		if (r->v[i].name != name)
			continue;
		if (!r->v[i].everywhere) {
			it = diag_at(e->diag, CW0217, sp, "not every element of the list has a member '%s'", name->s);
			diag_mend(e->diag, it, "write it in each of the maps");
			return NULL;
		}
		if (r->v[i].type.kind == T_JSON)
			return fold(e, m);
		m = fold(e, m);
		if (!m)
			return NULL;
		c = expr_new(e->arena, EX_CONV, r->v[i].type, x->span, 1);
		c->u.args[0] = m;
		return fold(e, c);
	}
	it = diag_at(e->diag, CW0217, sp, "'%s' has no member '%s'", source_text(e, x->args[0]->span), name->s);
	did_you_mean(e, it, name, names, r->n);
	return NULL;
}

static struct expr *member_value(struct elab *e, struct scope *s, const struct ast_expr *x, const char *what)
{
	const struct record *r = NULL;
	struct expr *b = any(e, s, x->args[0], type_of(T_NONE), what, &r), *m;
	struct diag_item *it;

	if (!b || b->type.kind == T_NONE)
		return NULL;
	if (type_is(b->type, T_JSON)) {
		m = expr_new(e->arena, EX_MEMBER, type_of(T_JSON), x->span, 1);
		m->u.member.arg = b;
		m->u.member.key = x->name;
		return r ? record_member(e, m, r, x, x->name, x->name_span) : fold(e, m);
	}
	if (b->type.opt) {
		report_optional(e, b, str_internf(e->strs, "'.%s'", x->name->s)->s);
		return NULL;
	}
	it = diag_at(e->diag, CW0301, x->name_span, "'%s' is %s, which has no members", source_text(e, x->args[0]->span), type_words(e, b->type));
	if (b->type.list)
		diag_mend(e->diag, it, "take an element, x[0].%s, or go through the list: for x in %s { ... }", x->name->s, source_text(e, x->args[0]->span));
	else if (type_is_path(b->type))
		diag_mend(e->diag, it, "pass the file on as it is; the step that takes it sees its path");
	else
		diag_mend(e->diag, it, "only json values, steps and `workflow` have members");
	return NULL;
}

/* The node that a chain of members starts with; false if it is something else. */
static bool node_chain(struct elab *e, struct scope *s, const struct ast_expr *x, struct found *f, bool *bad)
{
	const struct ast_expr *b = x->args[0];

	*bad = false;
	if (b->kind == AX_MEMBER && b->name == e->words->best)
		b = b->args[0];
	if (b->kind != AX_NAME || b->name == e->words->workflow || !scope_lookup(e, s, b->name, f) || f->sym->kind != SYM_NODE)
		return false;
	if (b != x->args[0] && f->sym->node->kind != N_SWEEP)
		return false;
	if (f->closed) {
		scope_closed(e, f, b->name, b->span);
		*bad = true;
	}
	return true;
}

static struct expr *member(struct elab *e, struct scope *s, const struct ast_expr *x, const char *what)
{
	struct found f;
	bool bad;

	if (x->args[0]->kind == AX_NAME && x->args[0]->name == e->words->workflow)
		return field_value(e, s, x);
	if (node_chain(e, s, x, &f, &bad))
		return bad ? NULL : elab_member(e, s, &f, x);
	return member_value(e, s, x, what);
}

static struct expr *index_value(struct elab *e, struct scope *s, const struct ast_expr *x, const char *what, const struct record **rec)
{
	struct expr *b = any(e, s, x->args[0], type_of(T_NONE), what, rec), *i, *r;
	const struct record *record;
	struct diag_item *it;
	bool text;

	i = elab_value(e, s, x->args[1], type_of(T_NONE), 0, what, NULL);
	if (!b || !i || b->type.kind == T_NONE || i->type.kind == T_NONE)
		return NULL;
	if (b->type.opt) {
		report_optional(e, b, "'[...]'");
		return NULL;
	}
	if (!b->type.list && b->type.kind != T_JSON) {
		it = diag_at(e->diag, CW0301, x->args[0]->span, "'[...]' needs a list or json, and this is %s", type_words(e, b->type));
		if (type_is(b->type, T_STRING))
			diag_mend(e->diag, it, "take text apart with split(s, sep), or in the step");
		return NULL;
	}
	text = !b->type.list && type_is(i->type, T_STRING);
	if (text && expr_is_const(i)) {
		r = expr_new(e->arena, EX_MEMBER, type_of(T_JSON), x->span, 1);
		r->u.member.arg = b;
		r->u.member.key = str_intern(e->strs, i->u.lit->u.s->s, i->u.lit->u.s->len);
		record = *rec;
		*rec = NULL;
		return record ? record_member(e, r, record, x, r->u.member.key, x->args[1]->span) : fold(e, r);
	}
	if (!text && !(i = coerce(e, s, i, type_of(T_INT), CO_JSON, "an index")))
		return NULL;
	r = expr_new(e->arena, EX_INDEX, type_of((enum type_kind)b->type.kind), x->span, 2);
	r->u.args[0] = b;
	r->u.args[1] = i;
	if (!b->type.list)
		*rec = NULL;
	return fold(e, r);
}

/* ---- all of them ---- */

static struct expr *by_kind(struct elab *e, struct scope *s, const struct ast_expr *x, struct type want, const char *what, const struct record **rec)
{
	struct diag_item *it;

	if (s->kind == SC_COPY && (x->kind == AX_NAME || x->kind == AX_MEMBER || x->kind == AX_INDEX))
		return copy_read(e, s, x, what, rec);
	switch (x->kind) {
	case AX_ERROR: return NULL;
	case AX_NAME: return name_value(e, s, x, rec);
	case AX_MEMBER: return member(e, s, x, what);
	case AX_INDEX: return index_value(e, s, x, what, rec);
	case AX_INTERP: return elab_interp(e, s, x, what);
	case AX_LIST: return elab_list(e, s, x, want, what, rec);
	case AX_MAP: return elab_map(e, s, x, what, rec);
	case AX_OP: return elab_op(e, s, x, want, what, rec);
	case AX_CALL: return elab_fn(e, s, x);
	case AX_SOFT:
		it = diag_at(e->diag, CW0517, x->span, "'?' after a name stands only in after = [a, b?]");
		diag_mend(e->diag, it, "leave it out");
		return NULL;
	default: return elab_literal(e, x, want, what);
	}
}

static struct expr *any(struct elab *e, struct scope *s, const struct ast_expr *x, struct type want, const char *what, const struct record **rec)
{
	struct expr *r = NULL;

	if (e->depth++ > EXPR_DEPTH)
		diag_at(e->diag, CW0319, x->span, "this needs itself, or too many definitions in a row");
	else
		r = by_kind(e, s, x, want, what, rec);
	e->depth--;
	return r;
}

/* ---- definitions that need each other ---- */

struct need { struct sym *sym; VEC(struct sym *) dep; uint32_t i; };
struct needs { struct elab *e; struct scope *s; struct need *into; };

static bool is_lazy(const struct sym *y)
{
	return y->kind == SYM_LET || y->kind == SYM_PARAM || y->kind == SYM_STATE || y->kind == SYM_ITEM;
}

static void need_name(struct needs *n, const struct str *name)
{
	struct found f;
	struct elab *e = n->e;

	if (!scope_lookup(e, n->s, name, &f))
		return;
	if (is_lazy(f.sym) && f.sym->state != SYM_DONE && f.sym->state != SYM_BAD)
		vec_push(e->arena, &n->into->dep, f.sym);
	if (f.sym->kind != SYM_NODE || f.sym->ast->kind != AS_LOOP || f.sym->state == SYM_DONE || !f.sym->u.region)
		return;
	for (uint32_t i = 0; i < f.sym->ast->body->n; i++) {
		const struct ast_stmt *st = f.sym->ast->body->v[i];
		struct sym *y = st->kind == AS_STATE ? strmap_get(&f.sym->u.region->body[0]->names, st->name) : NULL;

		if (y && y->state != SYM_DONE && y->state != SYM_BAD)
			vec_push(e->arena, &n->into->dep, y);
	}
}

static void need_expr(struct needs *n, const struct ast_expr *x)
{
	if (!x)
		return;
	if (x->kind == AX_NAME)
		need_name(n, x->name);
	for (uint32_t i = x->kind == AX_CALL ? 1 : 0; i < x->n; i++)
		need_expr(n, x->args[i]);
	for (uint32_t i = 0; x->kind == AX_CALL && i < x->u.call.n; i++)
		need_expr(n, x->u.call.v[i].value);
	for (uint32_t i = 0; x->kind == AX_MAP && x->u.block && i < x->u.block->n; i++)
		need_expr(n, x->u.block->v[i]->value);
}

static void need_push(struct elab *e, struct need *n, struct sym *y)
{
	struct needs w = { e, y->scope, n };

	memset(n, 0, sizeof *n);
	n->sym = y;
	y->state = SYM_BUSY;
	if (y->kind == SYM_STATE || y->kind == SYM_ITEM)
		w.s = y->scope->parent;
	if (y->ast->decl) {
		need_expr(&w, y->ast->decl->value);
		need_expr(&w, y->ast->decl->in);
	} else {
		need_expr(&w, y->ast->value);
	}
}

static void report_circle(struct elab *e, struct need *v, uint32_t n)
{
	struct strbuf b = { 0 };
	struct diag_item *it;

	for (uint32_t i = 0; i < n; i++)
		sb_f(&b, "%s -> ", v[i].sym->name->s);
	sb_str(&b, v[0].sym->name);
	it = diag_at(e->diag, CW0502, v[0].sym->span, "'%s' is defined by itself, a cycle: %s", v[0].sym->name->s, sb_cstr(&b));
	sb_free(&b);
	diag_mend(e->diag, it, "define one of them without the others; what goes on from round to round is a state of a `loop`");
	for (uint32_t i = 1; i < n && i < 8; i++)
		diag_note(e->diag, it, v[i].sym->span, "'%s' is defined here", v[i].sym->name->s);
	for (uint32_t i = 0; i < n; i++)
		v[i].sym->state = SYM_BAD;
}

static bool let_elab(struct elab *e, struct sym *y)
{
	uint32_t before = e->ops;
	struct expr *v = elab_value(e, y->scope, y->ast->value, type_of(T_NONE), 0, str_internf(e->strs, "let '%s'", y->name->s)->s, &y->record);
	struct diag_item *it;

	y->u.value = v;
	if (!v || v->type.kind == T_NONE)
		return false;
	y->type = v->type;
	if (expr_is_const(v) || e->ops - before <= LET_OPS)
		return true;
	it = diag_at(e->diag, CW0319, y->span, "the let '%s' grows to more than %d operations through the lets that it uses", y->name->s, LET_OPS);
	diag_mend(e->diag, it, "let a step compute it, and read the step's output");
	return false;
}

static void sym_finish(struct elab *e, struct sym *y)
{
	bool ok;

	if (y->state == SYM_BAD)
		return;
	ok = y->kind == SYM_LET ? let_elab(e, y) : y->kind == SYM_PARAM ? param_elab(e, y) : y->kind == SYM_STATE ? state_elab(e, y) : item_elab(e, y);
	y->state = ok ? SYM_DONE : SYM_BAD;
}

bool sym_resolve(struct elab *e, struct sym *sym)
{
	VEC(struct need) stack = { 0 };

	if (sym->state == SYM_DONE || !is_lazy(sym))
		return sym->state != SYM_BAD;
	if (sym->state == SYM_BUSY) {
		struct diag_item *it = diag_at(e->diag, CW0502, sym->span, "'%s' is defined by itself, a cycle", sym->name->s);

		diag_mend(e->diag, it, "define it without what reads it");
		sym->state = SYM_BAD;
	}
	if (sym->state == SYM_BAD)
		return false;
	need_push(e, vec_add(e->arena, &stack), sym);
	while (stack.n) {
		struct need *top = &stack.v[stack.n - 1];
		struct sym *dep;
		uint32_t k;

		if (top->i == top->dep.n) {
			sym_finish(e, top->sym);
			stack.n--;
			continue;
		}
		dep = top->dep.v[top->i++];
		if (dep->state == SYM_NEW) {
			need_push(e, vec_add(e->arena, &stack), dep);
		} else if (dep->state == SYM_BUSY) {
			for (k = stack.n; k-- && stack.v[k].sym != dep;)
				;
			if (k < stack.n)
				report_circle(e, &stack.v[k], stack.n - k);
		}
	}
	return sym->state == SYM_DONE;
}
