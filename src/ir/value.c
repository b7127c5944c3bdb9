/* Values: text and JSON of them, equality, conversions. Reading them from text is value_parse.c. */
#include <math.h>
#include <string.h>

#include "couler/expr.h"

/* ---- text ---- */

void value_canon(struct strbuf *b, const struct value *v)
{
	if (v->type.list) {
		value_json(b, v);
		return;
	}
	switch (v->type.kind) {
	case T_STRING:
	case T_FILE:
	case T_DIR:
		sb_str(b, v->u.s);
		break;
	case T_INT:
	case T_SIZE:
		sb_int(b, v->u.i);
		break;
	case T_FLOAT:
	case T_DURATION:
		sb_double(b, v->u.d);
		break;
	case T_BOOL:
		sb_z(b, v->u.b ? "true" : "false");
		break;
	case T_TIME:
		time_write(b, v->u.t.sec, v->u.t.nsec);
		break;
	case T_JSON:
		json_write(b, v->u.j);
		break;
	default:
		sb_z(b, "null");
	}
}

void value_text(struct strbuf *b, const struct value *v)
{
	if (v->text)
		sb_str(b, v->text);
	else
		value_canon(b, v);
}

void value_json(struct strbuf *b, const struct value *v)
{
	struct strbuf t = { 0 };
	bool quoted = !v->type.list && (v->type.kind == T_STRING || v->type.kind == T_TIME || type_is_path(v->type) ||
	                                (v->type.kind == T_FLOAT && !isfinite(v->u.d)));

	if (v->type.list) {
		sb_ch(b, '[');
		for (uint32_t i = 0; i < v->n; i++) {
			if (i)
				sb_ch(b, ',');
			value_json(b, &v->u.list[i]);
		}
		sb_ch(b, ']');
	} else if (quoted) {
		value_canon(&t, v);
		sb_json(b, t.s ? t.s : "", t.n);
		sb_free(&t);
	} else {
		value_canon(b, v);
	}
}

const struct json *value_to_json(struct valctx *c, const struct value *v)
{
	struct strbuf b = { 0 };
	const struct json *j;

	if (v->type.list) {
		struct json *list = arena_array(c->arena, struct json, v->n);

		for (uint32_t i = 0; i < v->n; i++) {
			const struct json *x = value_to_json(c, &v->u.list[i]);

			if (!x)
				return NULL;
			list[i] = *x;
		}
		return jv_list(c, list, v->n);
	}
	switch (v->type.kind) {
	case T_BOOL:
		return jv_bool(c, v->u.b);
	case T_INT:
	case T_SIZE:
		return jv_num(c, (double)v->u.i);
	case T_FLOAT:
	case T_DURATION:
		return isfinite(v->u.d) ? jv_num(c, v->u.d) : NULL;
	case T_STRING:
	case T_FILE:
	case T_DIR:
		return jv_str(c, v->u.s);
	case T_TIME:
		value_canon(&b, v);
		j = jv_str(c, str_intern(c->strs, b.s, b.n));
		sb_free(&b);
		return j;
	case T_JSON:
		return v->u.j;
	default:
		return jv_null();
	}
}

/* ---- equality ---- */

static bool str_same(const struct str *a, const struct str *b)
{
	return a == b || (a->len == b->len && !memcmp(a->s, b->s, a->len));
}

static bool is_num(const struct value *v)
{
	return type_is_num(v->type);
}

static double num(const struct value *v)
{
	return v->type.kind == T_FLOAT ? v->u.d : (double)v->u.i;
}

/* A json value beside one that is none. */
static bool json_same(const struct json *j, const struct value *v)
{
	if (v->type.kind == T_TIME && !v->type.list) {
		int64_t sec;
		uint32_t nsec;

		return j->kind == J_STR && !time_parse(j->u.s->s, j->u.s->len, &sec, &nsec) && sec == v->u.t.sec && nsec == v->u.t.nsec;
	}
	if (v->type.list) {
		if (j->kind != J_LIST || j->n != v->n)
			return false;
		for (uint32_t i = 0; i < v->n; i++)
			if (!(type_is(v->u.list[i].type, T_JSON) ? json_eq(&j->u.list[i], v->u.list[i].u.j) : json_same(&j->u.list[i], &v->u.list[i])))
				return false;
		return true;
	}
	switch (v->type.kind) {
	case T_BOOL:
		return j->kind == J_BOOL && j->u.b == v->u.b;
	case T_INT:
	case T_SIZE:
		return j->kind == J_NUM && j->u.d == (double)v->u.i;
	case T_FLOAT:
	case T_DURATION:
		return j->kind == J_NUM && j->u.d == v->u.d;
	case T_STRING:
	case T_FILE:
	case T_DIR:
		return j->kind == J_STR && str_same(j->u.s, v->u.s);
	default:
		return false;
	}
}

bool value_eq(const struct value *a, const struct value *b)
{
	if (type_is(a->type, T_JSON) != type_is(b->type, T_JSON))
		return type_is(a->type, T_JSON) ? json_same(a->u.j, b) : json_same(b->u.j, a);
	if (a->type.list || b->type.list) {
		if (a->type.list != b->type.list || a->n != b->n)
			return false;
		for (uint32_t i = 0; i < a->n; i++)
			if (!value_eq(&a->u.list[i], &b->u.list[i]))
				return false;
		return true;
	}
	if (is_num(a) && is_num(b))
		return a->type.kind == T_INT && b->type.kind == T_INT ? a->u.i == b->u.i : num(a) == num(b);
	if (type_is_path(a->type) && type_is_path(b->type))
		return str_same(a->u.s, b->u.s);
	if (a->type.kind != b->type.kind)
		return false;
	switch (a->type.kind) {
	case T_STRING:
		return str_same(a->u.s, b->u.s);
	case T_BOOL:
		return a->u.b == b->u.b;
	case T_TIME:
		return a->u.t.sec == b->u.t.sec && a->u.t.nsec == b->u.t.nsec;
	case T_DURATION:
		return a->u.d == b->u.d;
	case T_SIZE:
		return a->u.i == b->u.i;
	case T_JSON:
		return json_eq(a->u.j, b->u.j);
	default:
		return a->type.kind == T_NULL;
	}
}

/* ---- conversion ---- */

static const char *const json_words[] = { "null", "a bool", "a number", "a string", "a list", "an object" };

static int misfit(struct valctx *c, const char **err, struct type to, const char *got)
{
	struct strbuf b = { 0 };

	sb_z(&b, "expected ");
	type_str(&b, to);
	sb_f(&b, ", got %s", got);
	*err = arena_dup(c->arena, b.s, b.n);
	sb_free(&b);
	return -1;
}

static int json_to(struct valctx *c, const struct json *j, struct type to, struct value *out, const char **err);

static int json_to_list(struct valctx *c, const struct json *j, struct type to, struct value *out, const char **err)
{
	struct value *v;

	if (j->kind != J_LIST)
		return misfit(c, err, to, json_words[j->kind]);
	if (j->n > EVAL_LIST_MAX) {
		*err = "a list has at most 1000000 elements";
		return -1;
	}
	v = arena_array(c->arena, struct value, j->n);
	for (uint32_t i = 0; i < j->n; i++) {
		const char *why;

		if (json_to(c, &j->u.list[i], type_of(to.kind), &v[i], &why)) {
			struct strbuf b = { 0 };

			sb_f(&b, "element %u: %s", i, why);
			*err = arena_dup(c->arena, b.s, b.n);
			sb_free(&b);
			return -1;
		}
	}
	*out = (struct value){ .type = type_list(to.kind), .n = j->n, .u.list = v };
	return 0;
}

/* A JSON value to a type, as an element of a list or a scalar input takes it. */
static int json_to(struct valctx *c, const struct json *j, struct type to, struct value *out, const char **err)
{
	struct value v = { .type = type_of(to.kind) };
	enum json_kind want = J_STR;

	if (to.list)
		return json_to_list(c, j, to, out, err);
	switch (to.kind) {
	case T_JSON:
		*out = (struct value){ .type = v.type, .u.j = j };
		return 0;
	case T_BOOL:
		want = J_BOOL;
		v.u.b = j->u.b;
		break;
	case T_FLOAT:
		if (j->kind == J_STR && (str_eq(j->u.s, "nan") || str_eq(j->u.s, "inf") || str_eq(j->u.s, "-inf")))
			return value_parse(c, v.type, j->u.s->s, j->u.s->len, true, out, err);
		/* fallthrough */
	case T_DURATION:
		want = J_NUM;
		v.u.d = j->u.d;
		break;
	case T_INT:
	case T_SIZE:
		want = J_NUM;
		if (j->kind != J_NUM)
			break;
		if (j->u.d != trunc(j->u.d) || fabs(j->u.d) > (double)INT_LIMIT || (to.kind == T_SIZE && j->u.d < 0)) {
			struct strbuf b = { 0 };

			sb_double(&b, j->u.d);
			misfit(c, err, to, sb_cstr(&b));
			sb_free(&b);
			return -1;
		}
		v.u.i = (int64_t)j->u.d;
		break;
	case T_TIME:
	case T_STRING:
	case T_FILE:
	case T_DIR:
		if (j->kind == J_STR)
			return value_parse(c, v.type, j->u.s->s, j->u.s->len, true, out, err);
		break;
	default:
		return misfit(c, err, to, json_words[j->kind]);
	}
	if (j->kind != want)
		return misfit(c, err, to, json_words[j->kind]);
	*out = v;
	return 0;
}

static int list_convert(struct valctx *c, const struct value *v, struct type to, struct value *out, const char **err)
{
	struct value *e = arena_array(c->arena, struct value, v->n);

	for (uint32_t i = 0; i < v->n; i++)
		if (value_convert(c, &v->u.list[i], type_of(to.kind), &e[i], err))
			return -1;
	*out = (struct value){ .type = type_list(to.kind), .n = v->n, .u.list = e };
	return 0;
}

int value_convert(struct valctx *c, const struct value *v, struct type to, struct value *out, const char **err)
{
	struct type from = v->type;

	if (from.kind == T_NULL && !from.list) {
		*out = *v;
		if (to.opt || to.kind == T_NULL)
			return 0;
		if (type_is(to, T_JSON)) {
			*out = (struct value){ .type = type_of(T_JSON), .u.j = jv_null() };
			return 0;
		}
		return misfit(c, err, to, "an absent value");
	}
	to.opt = false;
	if (type_eq(from, to)) {
		*out = *v;
		return 0;
	}
	if (type_is(from, T_JSON))
		return json_to(c, v->u.j, to, out, err);
	if (type_is(to, T_JSON)) {
		const struct json *j = value_to_json(c, v);

		if (!j)
			return misfit(c, err, to, type_is(from, T_FLOAT) ? "NaN or an infinity, which JSON has not" : "a list nested too deeply, or NaN in it");
		*out = (struct value){ .type = to, .u.j = j };
		return 0;
	}
	if (from.list && to.list)
		return list_convert(c, v, to, out, err);
	if (from.kind == T_INT && type_is(to, T_FLOAT)) {
		/* a bare reference stays what it was: only "-0" would be written otherwise */
		*out = (struct value){ .type = to, .u.d = (double)v->u.i, .text = v->text };
		return 0;
	}
	if (type_is(from, T_STRING) && (type_is(to, T_TIME) || (type_is_path(to) && !to.list)))
		return value_parse(c, to, v->u.s->s, v->u.s->len, true, out, err);
	if (type_is_path(from) && type_is_path(to) && !from.list && !to.list) {
		*out = *v;
		out->type = to;
		return 0;
	}
	{
		struct strbuf b = { 0 };

		type_str(&b, from);
		misfit(c, err, to, sb_cstr(&b));
		sb_free(&b);
	}
	return -1;
}
