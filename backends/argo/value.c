/* Expressions as what stands behind `value:` in YAML: a constant, a tag, or {{=...}} (xl.h). */
#include "shape.h"

#include <string.h>

/* '2' without anything that needs care is 2. */
static const char *bare_text(struct site *x, const struct ex *t)
{
	size_t n = strlen(t->s);

	if (t->form != FORM_SAFE || n < 3 || t->s[0] != '\'' || strcspn(t->s + 1, "'\\{}") != n - 2)
		return NULL;
	return a_f(x->g, "%.*s", (int)n - 2, t->s + 1);
}

const char *value_tag(struct site *x, struct ex t)
{
	const char *bare;

	t = xl_sealed(x, t);
	bare = bare_text(x, &t);
	if (bare)
		return bare;
	if (t.tag && (t.form == FORM_SAFE || t.form == FORM_RAW) && !t.null) {
		struct strbuf b = { 0 };

		/* tasks['a-b'].outputs.parameters.c is {{tasks.a-b.outputs.parameters.c}} as a plain tag */
		sb_z(&b, "{{");
		for (const char *p = t.s; *p; p++) {
			if (p[0] == '[')
				sb_ch(&b, '.');
			else if (p[0] != ']' && p[0] != '\'')
				sb_ch(&b, *p);
		}
		sb_z(&b, "}}");
		return a_buf(x->g, &b);
	}
	return a_f(x->g, "{{=%s}}", xl_unlet(x->g, xl_bare(x, t.s)));
}

/* "a ${n} b" as text with tags, where nothing in it needs care; NULL. */
static const char *interpolated(struct site *x, const struct expr *e)
{
	struct strbuf b = { 0 };

	if (e->op != EX_CONCAT || e->n < 2)
		return NULL;
	for (uint32_t i = 0; i < e->n; i++) {
		const struct expr *a = e->u.args[i];
		struct ex t;

		if (a->op == EX_LIT && type_is(a->u.lit->type, T_STRING) && !strpbrk(a->u.lit->u.s->s, "{}$\\")) {
			sb_add(&b, a->u.lit->u.s->s, a->u.lit->u.s->len);
			continue;
		}
		t = a->op == EX_REF ? xl_text(x, a, FORM_ANY) : (struct ex){ .s = "" };
		if (!t.tag || t.form != FORM_SAFE || t.null || t.nil) {
			sb_free(&b);
			return NULL;
		}
		sb_z(&b, value_tag(x, t));
	}
	return a_buf(x->g, &b);
}

const char *value_of(struct site *x, const struct expr *e, enum form want)
{
	const char *plain;
	struct ex t;

	while (e->op == EX_CONV && e->u.args[0]->op == EX_LIT && e->u.args[0]->type.kind != T_JSON && e->type.kind != T_JSON)
		e = e->u.args[0];
	if (e->op == EX_LIT) {
		struct strbuf b = { 0 };

		xl_lit_param(&b, e->u.lit, want == FORM_ANY ? xl_form(x, e) : want);
		return a_buf(x->g, &b);
	}
	x->lets = 0;
	if (want == FORM_SAFE || want == FORM_ANY || want == FORM_T) {
		plain = interpolated(x, e);
		if (plain && (want != FORM_T || xl_form(x, e) == FORM_SAFE))
			return plain;
	}
	t = xl_text(x, e, want);
	if (x->shape && may_fail(t.s))
		return value_tag(x, hoisted(x, e, false));
	/* the engine writes numbers and bools as JSON by itself */
	if (!x->manifest && !e->type.list && (type_is_num(e->type) || e->type.kind == T_BOOL || e->type.kind == T_SIZE || e->type.kind == T_DURATION)) {
		const char *in = inside_call(x, t.s, e->type.kind == T_BOOL ? "string(" : "toJson(");

		t.s = in ? in : t.s;
	}
	return value_tag(x, t);
}
