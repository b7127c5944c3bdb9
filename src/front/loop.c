/* Loops: states, while, next. */
#include "scope.h"

void loop_declare(struct elab *e, struct scope *in, struct sym *sym)
{
	const struct ast_block *b = sym->ast->body;
	struct region *r = sym->u.region;
	struct node *n = sym->node;

	n->u.loop.body = in->graph;
	attrs_check_keys(e, b, OWN_LOOP);
	for (uint32_t i = 0; i < b->n; i++)
		n->u.loop.n += b->v[i]->kind == AS_STATE;
	n->u.loop.v = arena_array(e->arena, struct state, n->u.loop.n + 1);
	r->states = arena_array(e->arena, struct sym *, n->u.loop.n + 1);
	for (uint32_t i = 0; i < b->n; i++) {
		const struct ast_stmt *st = b->v[i];
		struct sym *y;

		if (st->kind != AS_STATE)
			continue;
		if (st->name == e->words->status || st->name == e->words->iterations) {
			struct diag_item *it = diag_at(e->diag, CW0206, st->name_span, "a state cannot be called '%s': %s.%s is the loop's own", st->name->s, sym->name->s, st->name->s);

			diag_mend(e->diag, it, "give it another name");
		}
		y = sym_new(e, SYM_STATE, st->name, st->name_span, in, st);
		y->node = n;
		y->port = r->nstates;
		n->u.loop.v[r->nstates].name = st->name;
		n->u.loop.v[r->nstates].span = st->name_span;
		if (!scope_define(e, y))
			y->state = SYM_BAD;
		else
			vec_push(e->arena, &in->flow->inner, y);
		r->states[r->nstates++] = y;
	}
	declare_block(e, in, b);
}

bool state_elab(struct elab *e, struct sym *y)
{
	struct state *st = &y->node->u.loop.v[y->port];
	const struct ast_decl *d = y->ast->decl;
	const char *what = str_internf(e->strs, "state '%s'", y->name->s)->s;
	struct diag_item *it;
	struct expr *v;

	if (!d->value) {
		it = diag_at(e->diag, CW0308, y->span, "the state '%s' has no first value", y->name->s);
		diag_mend(e->diag, it, "write state %s = VALUE", y->name->s);
		return false;
	}
	if (d->named || d->to || d->at || d->in || d->is_stdout) {
		it = diag_at(e->diag, CW0323, y->span, "a state takes a type and a value, nothing else");
		diag_mend(e->diag, it, "write state %s: TYPE = VALUE", y->name->s);
		return false;
	}
	v = elab_value(e, y->scope->parent, d->value, d->type, 0, what, NULL);
	if (!v || v->type.kind == T_NONE)
		return false;
	if (d->type.kind == T_NONE && v->type.opt) {
		report_optional(e, v, what);
		return false;
	}
	if (v->type.kind == T_NULL || v->type.kind == T_ANY) {
		it = diag_at(e->diag, CW0308, y->span, "nothing tells the type of the state '%s'", y->name->s);
		diag_mend(e->diag, it, "write it: state %s: %s", y->name->s, v->type.kind == T_NULL ? "file? = null" : "list<string> = []");
		return false;
	}
	st->init = v;
	st->type = y->type = d->type.kind != T_NONE ? d->type : v->type;
	return true;
}

bool loop_shape(struct elab *e, struct sym *sym)
{
	struct region *r = sym->u.region;
	struct node *n = sym->node;
	bool ok = true;

	for (uint32_t i = 0; i < r->nstates; i++) {
		ok &= sym_resolve(e, r->states[i]);
		port_add(e, n, r->states[i]->name, r->states[i]->type, r->states[i]->span);
	}
	port_add(e, n, e->words->iterations, type_of(T_INT), n->span);
	return ok;
}

struct own_body { const struct graph *g; const struct expr *x; };

static void see_body(struct expr *ref, void *data)
{
	struct own_body *b = data;

	if (!b->x && (ref->fn == REF_OUTPUT || ref->fn == REF_STATUS || ref->fn == REF_EXIT_CODE) && ref->u.node->graph == b->g)
		b->x = ref;
}

static void loop_while(struct elab *e, struct sym *sym, const struct ast_stmt *st)
{
	struct own_body b = { sym->node->u.loop.body, NULL };
	struct expr *c;
	struct diag_item *it;

	if (sym->node->u.loop.cond) {
		it = diag_at(e->diag, CW0218, st->head, "a loop has one `while`");
		diag_mend(e->diag, it, "join them: while a && b");
		return;
	}
	sym->node->u.loop.cond = c = elab_cond(e, sym->u.region->body[0], st->value, "`while`");
	if (!c)
		return;
	expr_refs(c, see_body, &b);
	if (!b.x)
		return;
	it = diag_at(e->diag, CW0507, b.x->span, "`while` cannot read '%s': it is tested before the steps of a round run", source_text(e, b.x->span));
	diag_mend(e->diag, it, "carry it in a state: state ok: bool = true; while ok; next { ok = %s }", source_text(e, b.x->span));
}

static void next_state(struct elab *e, struct sym *sym, const struct ast_stmt *st)
{
	struct region *r = sym->u.region;
	struct node *n = sym->node;
	const char **names = arena_array(e->arena, const char *, r->nstates + 1);
	struct diag_item *it;

	for (uint32_t i = 0; i < r->nstates; i++) {
		struct state *s = &n->u.loop.v[i];

		names[i] = s->name->s;
		if (s->name != st->name)
			continue;
		if (s->next) {
			it = diag_at(e->diag, CW0506, st->name_span, "'%s' has its next value already", st->name->s);
			diag_mend(e->diag, it, "remove one of them");
			return;
		}
		if (r->states[i]->state == SYM_DONE && st->value)
			s->next = elab_value(e, r->body[0], st->value, s->type, 0, str_internf(e->strs, "state '%s'", st->name->s)->s, NULL);
		return;
	}
	it = diag_at(e->diag, CW0506, st->name_span, "'%s' is no state of the loop '%s'", st->name->s, sym->name->s);
	did_you_mean(e, it, st->name, names, r->nstates);
	if (it->msg && !it->label)
		diag_mend(e->diag, it, "add it: state %s = VALUE", st->name->s);
}

void loop_elab(struct elab *e, struct sym *sym)
{
	const struct ast_block *b = sym->ast->body;
	const struct ast_stmt *max = block_entry(b, "max");
	struct node *n = sym->node;
	struct diag_item *it;
	bool broken = !sym->scope->module->ok;

	if (max) {
		if (max->value && max->value->kind == AX_INT && (max->value->u.i < 1 || max->value->u.i > 64)) {
			it = diag_at(e->diag, CW0505, max->value->span, "max is a number from 1 to 64");
			diag_mend(e->diag, it, "a loop that needs more rounds does more in each of them, inside its step");
		} else if (max->value && max->value->kind != AX_ERROR) {
			entry_int(e, sym->scope, max, 1, 64, &n->u.loop.max);
		}
	} else if (!broken) {
		it = diag_at(e->diag, CW0505, sym->span, "the loop '%s' has no bound", sym->name->s);
		diag_mend(e->diag, it, "add max = N, from 1 to 64, to its block");
	}
	for (uint32_t i = 0; i < b->n; i++) {
		const struct ast_stmt *st = b->v[i];

		if (st->kind == AS_WHILE)
			loop_while(e, sym, st);
		for (uint32_t k = 0; st->kind == AS_NEXT && k < st->body->n; k++)
			if (st->body->v[k]->kind == AS_ENTRY)
				next_state(e, sym, st->body->v[k]);
	}
}
