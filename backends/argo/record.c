/*
 * Values that depend on nothing but the element of a literal list: they are computed for each element and looked up
 * by its index, so that no expression takes records apart at run time.
 */
#include "xl.h"

#include <string.h>

struct chosen { const struct node *of; uint32_t index; };

static int chosen(struct evalctx *x, const struct expr *ref, struct value *out, struct evalerr *err)
{
	const struct chosen *c = x->data;

	(void)err;
	if ((ref->fn != REF_ITEM && ref->fn != REF_INDEX) || ref->u.node != c->of)
		return 1;
	if (ref->fn == REF_INDEX)
		*out = (struct value){ .type = type_of(T_INT), .u.i = c->index };
	else
		*out = c->of->u.for_.list->u.lit->u.list[c->index];
	return 0;
}

struct of { const struct node *n; bool item, other; };

static void look(struct expr *ref, void *data)
{
	struct of *o = data;

	if ((ref->fn != REF_ITEM && ref->fn != REF_INDEX) || (o->n && o->n != ref->u.node))
		o->other = true;
	else
		o->n = ref->u.node;
	o->item |= ref->fn == REF_ITEM;
}

const struct node *record_of(const struct expr *e)
{
	struct of o = { NULL, false, false };
	const struct expr *l;

	if (e->op == EX_LIT || (e->op == EX_REF && e->type.kind != T_JSON))
		return NULL;
	expr_refs((struct expr *)e, look, &o);
	if (!o.item || o.other)
		return NULL;
	l = o.n->u.for_.list;
	return l->op == EX_LIT && l->type.list && l->u.lit->n && l->u.lit->n <= 1000 ? o.n : NULL;
}

const struct value *record_values(struct argo *g, const struct expr *e, const struct node *f)
{
	struct evalctx x = { .c = { g->a, g->strs }, .ref = chosen };
	uint32_t n = f->u.for_.list->u.lit->n;
	struct value *v = arena_array(g->a, struct value, n);
	struct evalerr err;

	if (info(g, f)->items)                                                  /* the element is there, its index is not */
		return NULL;
	for (uint32_t i = 0; i < n; i++) {
		struct chosen c = { f, i };

		x.data = &c;
		if (eval(&x, e, &v[i], &err) || (v[i].type.kind == T_NULL && !v[i].type.list))
			return NULL;
	}
	return v;
}

enum form record_form(struct argo *g, const struct expr *e, const struct node *f)
{
	const struct value *v = record_values(g, e, f);
	enum form form = FORM_SAFE;

	for (uint32_t i = 0; v && i < f->u.for_.list->u.lit->n; i++) {
		struct site x = { .g = g };
		struct expr l = { .op = EX_LIT, .type = v[i].type, .u.lit = &v[i] };

		if (xl_form(&x, &l) != FORM_SAFE)
			form = xl_form(&x, &l);
	}
	return form;
}

/* The value as a parameter, in a context where the `for` is expanded. */
struct ex record_text(struct site *x, const struct expr *e, const struct node *f, enum form want)
{
	const struct value *v = record_values(x->g, e, f);
	const struct ninfo *ni = info(x->g, f);
	enum form form = record_form(x->g, e, f);
	struct strbuf b = { 0 };
	struct ex r;

	(void)want;
	if (x->shape || (x->c != ni->ctx && x->c != ni->each)) {
		r = xl_captured(x, e);
		r.form = (uint8_t)form;
		return r;
	}
	sb_ch(&b, '[');
	for (uint32_t i = 0; i < f->u.for_.list->u.lit->n; i++)
		sb_f(&b, "%s%s", i ? ", " : "", xl_lit_text(x, &v[i], form).s);
	sb_ch(&b, ']');
	r = ex_f(x, P_ATOM, "%s[int(item)]", sb_cstr(&b));
	sb_free(&b);
	r.form = (uint8_t)form;
	return r;
}
