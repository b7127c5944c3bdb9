/* Functions on numbers, lists, json, times and files (docs/values.md, "Functions"). Those on strings are eval_fn_string.c. */
#include "eval.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

static int wrong(struct op *o, int arg)
{
	return op_error(o, arg, CW0713, "%s does not take %s", expr_fns[o->e->fn].name, op_kind(o, &o->v[arg]));
}

static int fn_len(struct op *o)
{
	const struct value *v = &o->v[0];

	if (v->type.list)
		return op_int(o, v->n);
	if (type_is(v->type, T_STRING))
		return op_int(o, (int64_t)utf8_count(v->u.s->s, v->u.s->len));
	if (type_is(v->type, T_JSON) && (v->u.j->kind == J_LIST || v->u.j->kind == J_OBJ))
		return op_int(o, v->u.j->n);
	if (type_is(v->type, T_JSON) && v->u.j->kind == J_STR)
		return op_int(o, (int64_t)utf8_count(v->u.j->u.s->s, v->u.j->u.s->len));
	return wrong(o, 0);
}

static int fn_range(struct op *o)
{
	int64_t a = 0, b;
	struct value *v;

	for (uint32_t i = 0; i < o->n; i++)
		if (!type_is(o->v[i].type, T_INT))
			return wrong(o, (int)i);
	b = o->v[o->n - 1].u.i;
	if (o->n == 2)
		a = o->v[0].u.i;
	if (b <= a)
		return op_list(o, T_INT, NULL, 0);
	if (b - a > (int64_t)EVAL_LIST_MAX)
		return op_error(o, -1, CW0708, "the range has %lld elements; a list has at most 1,000,000", (long long)(b - a));
	v = arena_array(o->c->arena, struct value, b - a);
	for (int64_t i = a; i < b; i++)
		v[i - a] = (struct value){ .type = type_of(T_INT), .u.i = i };
	return op_list(o, T_INT, v, (uint32_t)(b - a));
}

/* The operands of min(list) and min(a, b, ...) alike. */
static uint32_t operands(const struct op *o, const struct value **v)
{
	if (o->n == 1 && o->v[0].type.list) {
		*v = o->v[0].u.list;
		return o->v[0].n;
	}
	*v = o->v;
	return o->n;
}

/* Index of the first least (sign -1) or greatest (sign 1) operand, -1 after an error. */
static int64_t extreme(struct op *o, int sign)
{
	const struct value *v;
	uint32_t n = operands(o, &v), best = 0;

	if (!n)
		return op_error(o, 0, CW0707, "%s of an empty list", expr_fns[o->e->fn].name);
	for (uint32_t i = 0; i < n; i++) {
		int c = op_compare(o, &v[i], &v[best]);

		if (c == -2)
			return -1;
		if (c == 2)
			return op_error(o, v == o->v ? (int)i : 0, CW0703, "cannot compute with nan");
		if (c == sign)
			best = i;
	}
	return best;
}

static int fn_extreme(struct op *o, int sign)
{
	int64_t i = extreme(o, sign);
	const struct value *v;

	if (i < 0)
		return -1;
	operands(o, &v);
	*o->out = v[i];
	o->out->text = NULL;
	if (type_is(v[i].type, T_FLOAT) || type_is(v[i].type, T_DURATION))
		return op_float(o, (enum type_kind)v[i].type.kind, v[i].u.d);
	return 0;
}

static int fn_arg(struct op *o, int sign)
{
	int64_t i = extreme(o, sign);

	return i < 0 ? -1 : op_int(o, i);
}

/* Added from the first to the last, as every engine does; whole numbers stay exact. */
static int fn_sum(struct op *o)
{
	const struct value *v;
	uint32_t n = operands(o, &v);
	int64_t whole = 0;
	double sum = 0;
	bool ints = true;
	enum type_kind k = T_FLOAT;

	for (uint32_t i = 0; i < n; i++) {
		if (type_is(v[i].type, T_DURATION)) {
			k = T_DURATION;
			ints = false;
			sum += v[i].u.d;
			continue;
		}
		if (!op_is_num(&v[i]))
			return op_error(o, 0, CW0713, "%s does not take %s", expr_fns[o->e->fn].name, op_kind(o, &v[i]));
		sum += op_num(&v[i]);
		if (!type_is(v[i].type, T_INT))
			ints = false;
		else if (ints && op_int(o, whole += v[i].u.i))
			return -1;
	}
	if (o->e->fn == FN_mean) {
		if (!n)
			return op_error(o, 0, CW0707, "mean of an empty list");
		return op_float(o, k, sum / (double)n);
	}
	if (!n && o->v[0].type.kind == T_DURATION)
		return op_float(o, T_DURATION, 0);
	return ints ? op_int(o, whole) : op_float(o, k, sum);
}

static int fn_index_of(struct op *o)
{
	const struct value *list = &o->v[0];

	if (!list->type.list)
		return wrong(o, 0);
	for (uint32_t i = 0; i < list->n; i++)
		if (value_eq(&list->u.list[i], &o->v[1]))
			return op_int(o, i);
	return op_int(o, -1);
}

/* ---- conversions ---- */

static int cannot(struct op *o, const char *want)
{
	struct strbuf t = { 0 }, shown = { 0 };
	int rc;

	op_text(&t, &o->v[0]);
	if (t.n > 40) {
		t.n = utf8_valid(t.s, 40);
		sb_z(&t, "...");
	}
	sb_safe(&shown, t.s ? t.s : "", t.n);
	rc = op_error(o, 0, CW0706, "%s cannot read '%s' (%s): %s", expr_fns[o->e->fn].name, sb_cstr(&shown), op_kind(o, &o->v[0]), want);
	sb_free(&t);
	sb_free(&shown);
	return rc;
}

static int int_of_double(struct op *o, double d)
{
	if (isnan(d) || isinf(d))
		return op_error(o, 0, CW0703, "cannot compute with %s", isnan(d) ? "nan" : "an infinite number");
	d = trunc(d);
	if (fabs(d) > (double)INT_LIMIT)
		return op_error(o, 0, CW0702, "the result is outside of \302\2619007199254740991, the range of int");
	return op_int(o, (int64_t)d);
}

static int int_of_text(struct op *o, const struct str *s)
{
	int64_t v = 0;
	uint32_t i = 0;
	bool neg = s->len && s->s[0] == '-';

	i = neg;
	if (i == s->len)
		return cannot(o, "expected digits");
	for (; i < s->len; i++) {
		if (s->s[i] < '0' || s->s[i] > '9')
			return cannot(o, "expected digits only");
		if (v <= INT_LIMIT)
			v = v * 10 + (s->s[i] - '0');
	}
	return op_int(o, neg ? -v : v);
}

static int fn_int(struct op *o)
{
	const struct value *v = &o->v[0];

	if (v->type.list)
		return wrong(o, 0);
	switch (v->type.kind) {
	case T_INT:
		*o->out = *v;
		return 0;
	case T_SIZE:
		return op_int(o, v->u.i);
	case T_FLOAT:
	case T_DURATION:
		return int_of_double(o, v->u.d);
	case T_STRING:
		return int_of_text(o, v->u.s);
	case T_JSON:
		if (v->u.j->kind == J_NUM)
			return int_of_double(o, v->u.j->u.d);
		if (v->u.j->kind == J_STR)
			return int_of_text(o, v->u.j->u.s);
		/* fallthrough */
	default:
		return cannot(o, "expected a number or digits");
	}
}

static int float_of_text(struct op *o, const struct str *s)
{
	const char *p = s->s;
	size_t n = s->len, neg = n && p[0] == '-';
	double d;
	int rc;

	while (n > neg + 1 && p[neg] == '0' && isdigit((unsigned char)p[neg + 1]))      /* as int("07") */
		p++, n--;
	rc = double_parse(p + neg, n - neg, &d);
	if (rc < 0)
		return cannot(o, "expected a number such as 0.5 or 1e-4");
	return op_float(o, T_FLOAT, neg ? -d : d);
}

static int fn_float(struct op *o)
{
	const struct value *v = &o->v[0];

	if (v->type.list)
		return wrong(o, 0);
	switch (v->type.kind) {
	case T_FLOAT:
		*o->out = *v;
		return 0;
	case T_DURATION:
		return op_float(o, T_FLOAT, v->u.d);
	case T_INT:
	case T_SIZE:
		return op_float(o, T_FLOAT, (double)v->u.i);
	case T_STRING:
		return float_of_text(o, v->u.s);
	case T_JSON:
		if (v->u.j->kind == J_NUM)
			return op_float(o, T_FLOAT, v->u.j->u.d);
		if (v->u.j->kind == J_STR)
			return float_of_text(o, v->u.j->u.s);
		/* fallthrough */
	default:
		return cannot(o, "expected a number");
	}
}

static int fn_bool(struct op *o)
{
	const struct value *v = &o->v[0];
	const struct str *s = NULL;

	if (type_is(v->type, T_BOOL)) {
		*o->out = *v;
		return 0;
	}
	if (type_is(v->type, T_JSON) && v->u.j->kind == J_BOOL)
		return op_bool(o, v->u.j->u.b);
	if (type_is(v->type, T_STRING))
		s = v->u.s;
	else if (type_is(v->type, T_JSON) && v->u.j->kind == J_STR)
		s = v->u.j->u.s;
	if (str_eq(s, "true") || str_eq(s, "false"))
		return op_bool(o, s->len == 4);
	return v->type.list ? wrong(o, 0) : cannot(o, "expected true or false");
}

static int fn_json(struct op *o)
{
	const struct json *j = value_to_json(o->c, &o->v[0]);

	if (!j)
		return op_error(o, 0, CW0703, "json has no NaN and no infinities");
	*o->out = (struct value){ .type = type_of(T_JSON), .u.j = j };
	return 0;
}

static int fn_parse_json(struct op *o)
{
	const struct value *v = &o->v[0];
	const struct str *s = type_is(v->type, T_JSON) && v->u.j->kind == J_STR ? v->u.j->u.s : type_is(v->type, T_STRING) ? v->u.s : NULL;
	const char *why;
	size_t at;

	if (!s)
		return wrong(o, 0);
	*o->out = (struct value){ .type = type_of(T_JSON), .u.j = json_parse(o->c, s->s, s->len, &why, &at) };
	return o->out->u.j ? 0 : op_error(o, 0, CW0706, "the text is no JSON: %s at byte %zu", why, at);
}

/* ---- times, files ---- */

/* What stands at offset at of a format is no conversion. */
static int bad_format(struct op *o, const struct str *f, size_t at)
{
	struct strbuf shown = { 0 };
	size_t n = at + 1 < f->len ? 2 : 1;
	int rc;

	while (n > 1 && at + n < f->len && (f->s[at + n] & 0xc0) == 0x80)
		n++;
	sb_safe(&shown, f->s + at, n);
	rc = op_error(o, 1, CW0709, "format_time has no '%s'; it has %%Y %%m %%d %%H %%M %%S %%j %%u %%%%", sb_cstr(&shown));
	sb_free(&shown);
	return rc;
}

static int fn_format_time(struct op *o)
{
	const struct value *t = &o->v[0];
	const struct str *zone = o->n > 2 ? o->v[2].u.s : NULL;
	struct strbuf b = { 0 };
	int32_t east = 0;
	size_t at;

	if (!type_is(t->type, T_TIME))
		return wrong(o, 0);
	for (uint32_t i = 1; i < o->n; i++)
		if (!type_is(o->v[i].type, T_STRING))
			return wrong(o, (int)i);
	if (zone) {
		switch (zone_offset(zone->s, zone->len, t->u.t.sec, &east)) {
		case -1:
			sb_safe(&b, zone->s, zone->len);
			op_error(o, 2, CW0709, "no time zone '%s': expected an IANA name such as Europe/Berlin", sb_cstr(&b));
			sb_free(&b);
			return -1;
		case -2:
			return op_error(o, 2, CW0709, "this machine has no time zone database: install the package tzdata");
		default:
			break;
		}
	}
	if (!time_in_range(t->u.t.sec + east))
		return op_error(o, 0, CW0702, "the time is outside of the years 0000 to 9999");
	if (time_format(&b, t->u.t.sec, east, o->v[1].u.s->s, o->v[1].u.s->len, &at)) {
		sb_free(&b);
		return bad_format(o, o->v[1].u.s, at);
	}
	return op_buf(o, &b);
}

static int fn_file(struct op *o)
{
	const struct str *sha = o->n > 1 ? o->v[1].u.s : NULL;
	char hex[64];

	if (o->v[0].type.list || (o->v[0].type.kind != T_STRING && o->v[0].type.kind != T_FILE))
		return wrong(o, 0);
	if (o->n > 1 && !type_is(o->v[1].type, T_STRING))
		return wrong(o, 1);
	*o->out = (struct value){ .type = type_of(T_FILE), .u.s = o->v[0].u.s };
	if (!o->v[0].u.s->len)
		return op_error(o, 0, CW0711, "file needs a path or a location, got nothing");
	if (!sha)
		return 0;
	for (uint32_t i = 0; i < 64 && sha->len == 64; i++) {
		char c = sha->s[i];

		if (!isxdigit((unsigned char)c))
			return op_error(o, 1, CW0711, "sha256 is 64 hexadecimal digits");
		hex[i] = c >= 'A' && c <= 'F' ? (char)(c | 32) : c;
	}
	if (sha->len != 64)
		return op_error(o, 1, CW0711, "sha256 is 64 hexadecimal digits, these are %u characters", sha->len);
	o->out->sha256 = str_intern(o->c->strs, hex, 64);
	return 0;
}

int op_call(struct op *o)
{
	switch ((enum expr_fn)o->e->fn) {
	case FN_len:
		return fn_len(o);
	case FN_range:
		return fn_range(o);
	case FN_min:
		return fn_extreme(o, -1);
	case FN_max:
		return fn_extreme(o, 1);
	case FN_sum:
	case FN_mean:
		return fn_sum(o);
	case FN_argmin:
		return fn_arg(o, -1);
	case FN_argmax:
		return fn_arg(o, 1);
	case FN_index_of:
		return fn_index_of(o);
	case FN_present:
		return op_bool(o, o->v[0].type.kind != T_NULL || o->v[0].type.list);
	case FN_int:
		return fn_int(o);
	case FN_float:
		return fn_float(o);
	case FN_bool:
		return fn_bool(o);
	case FN_json:
		return fn_json(o);
	case FN_parse_json:
		return fn_parse_json(o);
	case FN_format_time:
		return fn_format_time(o);
	case FN_file:
		return fn_file(o);
	default:
		return op_call_string(o);
	}
}
