/* Literals, and texts to native values and back (xl.h). */
#include "xl.h"

#include <math.h>
#include <string.h>

/* ---- literals ---- */

static void number(struct strbuf *b, double d, bool is_float)
{
	size_t from = b->n;

	if (isnan(d) || isinf(d)) {
		sb_f(b, "float('%s')", isnan(d) ? "nan" : d > 0 ? "inf" : "-inf");
		return;
	}
	sb_double(b, d);
	if (is_float && !memchr(b->s + from, '.', b->n - from) && !memchr(b->s + from, 'e', b->n - from))
		sb_z(b, ".0");
}

void xl_json(struct strbuf *b, const struct json *j)
{
	switch (j->kind) {
	case J_NULL:
		sb_z(b, "nil");
		break;
	case J_BOOL:
		sb_z(b, j->u.b ? "true" : "false");
		break;
	case J_NUM:
		number(b, j->u.d, false);
		break;
	case J_STR:
		xl_string(b, j->u.s->s, j->u.s->len);
		break;
	case J_LIST:
		sb_ch(b, '[');
		for (uint32_t i = 0; i < j->n; i++) {
			if (i)
				sb_z(b, ", ");
			xl_json(b, &j->u.list[i]);
		}
		sb_ch(b, ']');
		break;
	case J_OBJ:
		/* a blank before }: two of them would end the tag */
		sb_z(b, "({");
		for (uint32_t i = 0; i < j->n; i++) {
			if (i)
				sb_z(b, ", ");
			xl_string(b, j->u.obj[i].key->s, j->u.obj[i].key->len);
			sb_z(b, ": ");
			xl_json(b, j->u.obj[i].val);
		}
		sb_z(b, " })");
		break;
	}
}

static void lit(struct strbuf *b, const struct value *v)
{
	if (v->type.list) {
		sb_ch(b, '[');
		for (uint32_t i = 0; i < v->n; i++) {
			if (i)
				sb_z(b, ", ");
			lit(b, &v->u.list[i]);
		}
		sb_ch(b, ']');
		return;
	}
	switch (v->type.kind) {
	case T_INT:
	case T_SIZE:
		sb_f(b, "%lld", (long long)v->u.i);
		break;
	case T_FLOAT:
	case T_DURATION:
		number(b, v->u.d, true);
		break;
	case T_BOOL:
		sb_z(b, v->u.b ? "true" : "false");
		break;
	case T_TIME:
		sb_z(b, "date('");
		time_write(b, v->u.t.sec, v->u.t.nsec);
		sb_z(b, "')");
		break;
	case T_JSON:
		xl_json(b, v->u.j);
		break;
	case T_STRING:
	case T_FILE:
	case T_DIR:
		xl_string(b, v->u.s->s, v->u.s->len);
		break;
	default:
		sb_z(b, "nil");
	}
}

struct ex xl_lit(struct site *x, const struct value *v)
{
	struct strbuf b = { 0 };
	struct ex e;

	lit(&b, v);
	e = (struct ex){ .prec = b.n && b.s[0] == '-' ? P_UNARY : P_ATOM };
	e.s = a_buf(x->g, &b);
	return e;
}

/* The text of a constant as a parameter holds it. */
void xl_lit_param(struct strbuf *b, const struct value *v, enum form want)
{
	struct strbuf t = { 0 };

	if (v->type.kind == T_NULL && !v->type.list) {
		sb_z(b, ABSENT);
		return;
	}
	if (v->type.list && want == FORM_AGG) {
		sb_ch(b, '[');
		for (uint32_t i = 0; i < v->n; i++) {
			struct strbuf e = { 0 };

			t.n = 0;
			value_text(&t, &v->u.list[i]);
			text_encode(&e, t.s ? t.s : "", t.n);
			if (i)
				sb_ch(b, ',');
			sb_json(b, e.s ? e.s : "", e.n);
			sb_free(&e);
		}
		sb_ch(b, ']');
		sb_free(&t);
		return;
	}
	value_text(&t, v);
	if (want == FORM_T)
		text_encode(b, t.s ? t.s : "", t.n);
	else
		sb_add(b, t.s ? t.s : "", t.n);
	sb_free(&t);
}

struct ex xl_lit_text(struct site *x, const struct value *v, enum form want)
{
	struct strbuf b = { 0 }, q = { 0 };
	struct ex e;

	xl_lit_param(&b, v, want);
	xl_string(&q, b.s ? b.s : "", b.n);
	sb_free(&b);
	e = (struct ex){ .prec = P_ATOM, .form = (uint8_t)want };
	e.null = v->type.kind == T_NULL && !v->type.list;
	e.s = a_buf(x->g, &q);
	return e;
}

/* ---- text and native values ---- */

static const struct { const char *raw, *code; } codes[] = {
	{ "\\n", "\\\\0012" }, { "\\r", "\\\\0015" }, { "\\t", "\\\\0011" }, { "[", "\\\\0133" }, { "{", "\\\\0173" }, { "$", "\\\\0044" }, { "\\\\", "\\\\0134" },
};
#define NCODES (sizeof codes / sizeof *codes)

struct ex xl_decode(struct site *x, struct ex text)
{
	struct strbuf b = { 0 };

	if (text.form != FORM_T)
		return text;
	for (size_t i = 0; i < NCODES; i++)
		sb_z(&b, "replace(");
	sb_z(&b, text.s);
	for (size_t i = 0; i < NCODES; i++)
		sb_f(&b, ", '%s', '%s')", codes[i].code, codes[i].raw);
	return (struct ex){ .s = a_buf(x->g, &b), .prec = P_ATOM, .form = FORM_RAW };
}

struct ex xl_encode(struct site *x, struct ex native)
{
	struct strbuf b = { 0 };

	for (size_t i = 0; i < NCODES; i++)
		sb_z(&b, "replace(");
	sb_z(&b, native.s);
	for (size_t i = NCODES; i-- > 0;)
		sb_f(&b, ", '%s', '%s')", codes[i].raw, codes[i].code);
	return (struct ex){ .s = a_buf(x->g, &b), .prec = P_ATOM, .form = FORM_T };
}

/* The elements of a list whose text is given, natively. */
static struct ex list_of_text(struct site *x, struct type t, struct ex text)
{
	struct ex list = ex_f(x, P_ATOM, "fromJSON(%s)", text.s), elem = { .s = "#", .prec = P_ATOM };

	if (text.form != FORM_AGG) {
		/* JSON as it is: only times are not yet what they should be */
		return t.kind == T_TIME ? ex_f(x, P_ATOM, "map(%s, date(#))", list.s) : list;
	}
	elem.form = t.kind == T_STRING || t.kind == T_JSON ? FORM_T : FORM_SAFE;
	return ex_f(x, P_ATOM, "map(%s, %s)", list.s, xl_of_text(x, type_of((enum type_kind)t.kind), elem).s);
}

struct ex xl_of_text(struct site *x, struct type t, struct ex text)
{
	if (t.list)
		return list_of_text(x, t, text);
	switch (t.kind) {
	case T_INT:
	case T_SIZE:
		return ex_f(x, P_ATOM, "int(%s)", text.s);
	case T_FLOAT:
	case T_DURATION:
		return ex_f(x, P_ATOM, "float(%s)", text.s);
	case T_BOOL:
		return ex_f(x, P_CMP, "%s == 'true'", ex_in(x, text, P_CMP + 1));
	case T_TIME:
		return ex_f(x, P_ATOM, "date(%s)", text.s);
	case T_JSON:
		return ex_f(x, P_ATOM, "fromJSON(%s)", xl_decode(x, text).s);
	default:
		return xl_decode(x, text);
	}
}

static struct ex list_to_text(struct site *x, struct type t, struct ex native, enum form want)
{
	struct ex e = { .s = "#", .prec = P_ATOM }, r;
	struct type el = type_of((enum type_kind)t.kind);

	if (want == FORM_AGG) {
		e = xl_to_text(x, el, e, t.kind == T_STRING || t.kind == T_JSON ? FORM_T : FORM_SAFE);
		r = ex_f(x, P_ATOM, "toJson(map(%s, %s))", native.s, e.s);
		r.form = FORM_AGG;
		return r;
	}
	if (t.kind == T_TIME)
		native = ex_f(x, P_ATOM, "map(%s, %s)", native.s, xl_to_text(x, el, e, FORM_SAFE).s);
	else if (t.kind == T_FLOAT)
		native = ex_f(x, P_ATOM, "map(%s, # - # == 0 ? # : string(#))", native.s);
	r = ex_f(x, P_ATOM, "toJson(%s)", native.s);
	if (want == FORM_T)
		r = xl_encode(x, r);
	r.form = (uint8_t)want;
	return r;
}

struct ex xl_to_text(struct site *x, struct type t, struct ex native, enum form want)
{
	struct ex r;

	if (t.list)
		return list_to_text(x, t, native, want);
	switch (t.kind) {
	case T_INT:
	case T_SIZE:
	case T_FLOAT:
	case T_DURATION:
		r = ex_f(x, P_ATOM, "toJson(%s)", native.s);
		break;
	case T_BOOL:
		r = ex_f(x, P_ATOM, "string(%s)", native.s);
		break;
	case T_TIME:
		r = ex_f(x, P_ATOM, "%s.UTC().Format('2006-01-02T15:04:05.999999999Z')", ex_in(x, native, P_ATOM));
		break;
	case T_JSON:
		native = ex_f(x, P_ATOM, "toJson(%s)", native.s);
		/* fallthrough */
	default:
		r = want == FORM_T ? xl_encode(x, native) : native;
		r.form = want == FORM_T ? FORM_T : FORM_RAW;
		return r;
	}
	r.form = FORM_SAFE;
	return r;
}
