/* Parameters given from outside: checked against their type and allowed values (rule 23), then the default. */
#include <string.h>

#include "couler/ir.h"

static int unknown(const struct ir_workflow *w, const char *name, struct diag *d)
{
	struct diag_item *it = diag_at(d, CW0402, (struct span){ 0 }, "workflow '%s' has no parameter '%s'", w->name->s, name);
	const char **names = arena_array(d->arena, const char *, w->nparams + 1), *near;
	struct strbuf b = { 0 };

	for (uint32_t i = 0; i < w->nparams; i++) {
		names[i] = w->params[i].name->s;
		sb_f(&b, "%s%s", i ? ", " : "", names[i]);
	}
	near = nearest(name, strlen(name), names, w->nparams);
	if (near)
		diag_mend(d, it, "did you mean '%s'?", near);
	else if (w->nparams)
		diag_mend(d, it, "its parameters are %s", sb_cstr(&b));
	else
		diag_mend(d, it, "it takes none");
	sb_free(&b);
	return -1;
}

static int allowed(const struct ir_param *p, const struct value *v, struct diag *d)
{
	const struct value *in;
	struct strbuf b = { 0 };

	if (!p->in || p->in->op != EX_LIT)
		return 0;
	in = p->in->u.lit;
	for (uint32_t i = 0; i < in->n; i++)
		if (value_eq(&in->u.list[i], v))
			return 0;
	value_json(&b, in);
	diag_at(d, CW0402, (struct span){ 0 }, "parameter '%s' must be one of %s", p->name->s, sb_cstr(&b));
	sb_free(&b);
	return -1;
}

int param_set(struct ir *m, const char *name, const char *value, size_t n, struct diag *d)
{
	struct ir_workflow *w = m->entry;
	struct valctx c = { m->arena, m->strs };
	struct ir_param *p = NULL;
	struct value *v;
	const char *err = NULL;

	for (uint32_t i = 0; i < w->nparams && !p; i++)
		if (str_eq(w->params[i].name, name))
			p = &w->params[i];
	if (!p)
		return unknown(w, name, d);
	v = arena_new_of(m->arena, struct value);
	if (value_parse(&c, p->type, value, n, false, v, &err)) {
		struct strbuf t = { 0 };

		type_str(&t, p->type);
		diag_at(d, CW0402, (struct span){ 0 }, "parameter '%s' is of type %s: %s", name, sb_cstr(&t), err ? err : "the value does not fit");
		sb_free(&t);
		return -1;
	}
	if (allowed(p, v, d))
		return -1;
	p->dflt = expr_lit(m->arena, v, p->span);
	return 0;
}
