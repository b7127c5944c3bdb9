/* Operators on evaluated operands (docs/values.md, "Operators"). */
#include "eval.h"

#include <math.h>
#include <string.h>

int op_error(struct op *o, int arg, enum diag_code code, const char *fmt, ...)
{
	struct expr **args = expr_args((struct expr *)o->e);
	struct strbuf b = { 0 };
	va_list ap;

	va_start(ap, fmt);
	sb_vf(&b, fmt, ap);
	va_end(ap);
	o->err->msg = arena_dup(o->c->arena, b.s ? b.s : "", b.n);
	o->err->code = (int)code;
	o->err->span = arg >= 0 && args && args[arg]->span.file ? args[arg]->span : o->e->span;
	sb_free(&b);
	return -1;
}

int op_int(struct op *o, int64_t i)
{
	if (i > INT_LIMIT || i < -INT_LIMIT)
		return op_error(o, -1, CW0702, "the result is outside of \302\2619007199254740991, the range of int");
	*o->out = (struct value){ .type = type_of(T_INT), .u.i = i };
	return 0;
}

int op_float(struct op *o, enum type_kind k, double d)
{
	if (!isfinite(d)) {
		for (uint32_t i = 0; i < o->n; i++)
			if ((o->v[i].type.kind == T_FLOAT && !o->v[i].type.list) && !isfinite(o->v[i].u.d))
				return op_error(o, (int)i, CW0703, "cannot compute with %s", isnan(o->v[i].u.d) ? "nan" : "an infinite number");
		return op_error(o, -1, CW0703, isnan(d) ? "the result is not a number" : "the result is too large for a float");
	}
	*o->out = (struct value){ .type = type_of(k), .u.d = d == 0 ? 0 : d };
	return 0;
}

int op_bool(struct op *o, bool b)
{
	*o->out = (struct value){ .type = type_of(T_BOOL), .u.b = b };
	return 0;
}

int op_string(struct op *o, const char *s, size_t n)
{
	if (n > EVAL_STRING_MAX)
		return op_error(o, -1, CW0708, "the text would have over 16 MiB");
	*o->out = (struct value){ .type = type_of(T_STRING), .u.s = str_intern(o->c->strs, s, n) };
	return 0;
}

int op_buf(struct op *o, struct strbuf *b)
{
	int rc = op_string(o, b->s ? b->s : "", b->n);

	sb_free(b);
	return rc;
}

int op_list(struct op *o, enum type_kind k, const struct value *v, uint32_t n)
{
	*o->out = (struct value){ .type = type_list(k), .n = n, .u.list = v };
	return 0;
}

bool op_is_num(const struct value *v)
{
	return type_is_num(v->type);
}

double op_num(const struct value *v)
{
	return v->type.kind == T_INT ? (double)v->u.i : v->u.d;
}

void op_text(struct strbuf *b, const struct value *v)
{
	if (type_is(v->type, T_JSON) && v->u.j->kind == J_STR)
		sb_str(b, v->u.j->u.s);
	else
		value_text(b, v);
}

const char *op_kind(struct op *o, const struct value *v)
{
	static const char *const json[] = { "json null", "a json bool", "a json number", "a json string", "a json list", "a json object" };
	struct strbuf b = { 0 };
	const char *s;

	if (type_is(v->type, T_JSON))
		return json[v->u.j->kind];
	if (v->type.kind == T_NULL)
		return "an absent value";
	type_str(&b, v->type);
	s = arena_dup(o->c->arena, b.s, b.n);
	sb_free(&b);
	return s;
}

/* ---- arithmetic ---- */

static int64_t to_ns(double frac)
{
	return (int64_t)llround(frac * 1e9);
}

static int add_time(struct op *o, const struct value *t, double d)
{
	double whole = floor(d);
	int64_t sec, ns;

	if (fabs(d) > 1e12)
		return op_error(o, -1, CW0702, "the time is outside of the years 0000 to 9999");
	ns = (int64_t)t->u.t.nsec + to_ns(d - whole);
	sec = t->u.t.sec + (int64_t)whole + ns / 1000000000;
	if (!time_in_range(sec))
		return op_error(o, -1, CW0702, "the time is outside of the years 0000 to 9999");
	*o->out = (struct value){ .type = type_of(T_TIME) };
	o->out->u.t.sec = sec;
	o->out->u.t.nsec = (uint32_t)(ns % 1000000000);
	return 0;
}

static int no_such(struct op *o)
{
	return op_error(o, -1, CW0713, "'%s' does not take %s and %s", expr_ops[o->e->op].spelling, op_kind(o, &o->v[0]), op_kind(o, &o->v[1]));
}

static int arith_int(struct op *o, int64_t a, int64_t b)
{
	int64_t r;

	switch (o->e->op) {
	case EX_ADD:
		return op_int(o, a + b);
	case EX_SUB:
		return op_int(o, a - b);
	case EX_MUL:
		return op_int(o, __builtin_mul_overflow(a, b, &r) ? INT64_MAX : r);
	case EX_MOD:
		return b ? op_int(o, a % b) : op_error(o, 1, CW0701, "division by zero");
	default:
		return b ? op_float(o, T_FLOAT, (double)a / (double)b) : op_error(o, 1, CW0701, "division by zero");
	}
}

static int arith_float(struct op *o, enum type_kind k, double a, double b)
{
	switch (o->e->op) {
	case EX_ADD:
		return op_float(o, k, a + b);
	case EX_SUB:
		return op_float(o, k, a - b);
	case EX_MUL:
		return op_float(o, k, a * b);
	case EX_DIV:
		return b != 0 ? op_float(o, k, a / b) : op_error(o, 1, CW0701, "division by zero");
	default:
		return no_such(o);
	}
}

static int arith(struct op *o)
{
	const struct value *a = &o->v[0], *b = &o->v[1];
	int op = o->e->op, x = a->type.list ? T_NONE : a->type.kind, y = b->type.list ? T_NONE : b->type.kind;

	if (x == T_INT && y == T_INT)
		return arith_int(o, a->u.i, b->u.i);
	if (op_is_num(a) && op_is_num(b))
		return arith_float(o, T_FLOAT, op_num(a), op_num(b));
	if (x == T_TIME && y == T_DURATION && (op == EX_ADD || op == EX_SUB))
		return add_time(o, a, op == EX_ADD ? b->u.d : -b->u.d);
	if (x == T_DURATION && y == T_TIME && op == EX_ADD)
		return add_time(o, b, a->u.d);
	if (x == T_TIME && y == T_TIME && op == EX_SUB)
		return op_float(o, T_DURATION, (double)(a->u.t.sec - b->u.t.sec) + ((double)a->u.t.nsec - (double)b->u.t.nsec) / 1e9);
	if (x == T_DURATION && y == T_DURATION && (op == EX_ADD || op == EX_SUB))
		return arith_float(o, T_DURATION, a->u.d, b->u.d);
	if (op == EX_MUL && x == T_DURATION && op_is_num(b))
		return arith_float(o, T_DURATION, a->u.d, op_num(b));
	if (op == EX_MUL && y == T_DURATION && op_is_num(a))
		return arith_float(o, T_DURATION, op_num(a), b->u.d);
	return no_such(o);
}

static int negate(struct op *o)
{
	const struct value *v = &o->v[0];

	if (type_is(v->type, T_INT))
		return op_int(o, -v->u.i);
	if (type_is(v->type, T_FLOAT) || type_is(v->type, T_DURATION))
		return op_float(o, (enum type_kind)v->type.kind, -v->u.d);
	return op_error(o, 0, CW0713, "'-' does not take %s", op_kind(o, v));
}

/* ---- comparison ---- */

static int order(double a, double b)
{
	return isnan(a) || isnan(b) ? 2 : (a > b) - (a < b);
}

/* The scalar in a json value, so that `j.n < 3` compares numbers. */
static struct value unwrapped(const struct value *v)
{
	struct value r = *v;

	if (!type_is(v->type, T_JSON))
		return r;
	if (v->u.j->kind == J_NUM)
		return (struct value){ .type = type_of(T_FLOAT), .u.d = v->u.j->u.d };
	if (v->u.j->kind == J_STR)
		return (struct value){ .type = type_of(T_STRING), .u.s = v->u.j->u.s };
	return r;
}

int op_compare(struct op *o, const struct value *pa, const struct value *pb)
{
	struct value a = unwrapped(pa), b = unwrapped(pb);

	if (type_is(a.type, T_INT) && type_is(b.type, T_INT))
		return (a.u.i > b.u.i) - (a.u.i < b.u.i);
	if (op_is_num(&a) && op_is_num(&b))
		return order(op_num(&a), op_num(&b));
	if (type_eq(a.type, b.type) && !a.type.list) {
		int c;

		switch (a.type.kind) {
		case T_STRING:
			c = str_cmp(a.u.s, b.u.s);
			return (c > 0) - (c < 0);
		case T_TIME:
			c = (a.u.t.sec > b.u.t.sec) - (a.u.t.sec < b.u.t.sec);
			return c ? c : (a.u.t.nsec > b.u.t.nsec) - (a.u.t.nsec < b.u.t.nsec);
		case T_DURATION:
			return order(a.u.d, b.u.d);
		case T_SIZE:
			return (a.u.i > b.u.i) - (a.u.i < b.u.i);
		default:
			break;
		}
	}
	op_error(o, -1, CW0713, "%s and %s have no order", op_kind(o, pa), op_kind(o, pb));
	return -2;
}

static int compare(struct op *o)
{
	int c = op_compare(o, &o->v[0], &o->v[1]);

	if (c == -2)
		return -1;
	switch (o->e->op) {
	case EX_LT:
		return op_bool(o, c == -1);
	case EX_LE:
		return op_bool(o, c == -1 || c == 0);
	case EX_GT:
		return op_bool(o, c == 1);
	default:
		return op_bool(o, c == 1 || c == 0);
	}
}

static int is_in(struct op *o)
{
	const struct value *x = &o->v[0], *list = &o->v[1];
	bool found = false;

	if (list->type.list) {
		for (uint32_t i = 0; !found && i < list->n; i++)
			found = value_eq(x, &list->u.list[i]);
	} else if (type_is(list->type, T_JSON) && list->u.j->kind == J_LIST) {
		for (uint32_t i = 0; !found && i < list->u.j->n; i++) {
			struct value e = { .type = type_of(T_JSON), .u.j = &list->u.j->u.list[i] };

			found = value_eq(x, &e);
		}
	} else {
		return op_error(o, 1, CW0713, "'in' needs a list, got %s", op_kind(o, list));
	}
	return op_bool(o, found);
}

/* ---- lists, maps, members ---- */

static int json_of(struct op *o, int arg, const struct value *v, const struct json **j)
{
	*j = value_to_json(o->c, v);
	if (*j)
		return 0;
	return type_is(v->type, T_FLOAT) ? op_error(o, arg, CW0703, "json has no NaN and no infinities")
	                                 : op_error(o, arg, CW0708, "a json value is nested over 200 levels deep, or holds NaN");
}

static int json_result(struct op *o, const struct json *j)
{
	if (!j)
		return op_error(o, -1, CW0708, "a json value is nested over 200 levels deep");
	*o->out = (struct value){ .type = type_of(T_JSON), .u.j = j };
	return 0;
}

static int make_json_list(struct op *o)
{
	struct json *v = arena_array(o->c->arena, struct json, o->n);
	const struct json *j;

	for (uint32_t i = 0; i < o->n; i++) {
		if (json_of(o, (int)i, &o->v[i], &j))
			return -1;
		v[i] = *j;
	}
	return json_result(o, jv_list(o->c, v, o->n));
}

/* A list: absent elements are dropped, the others written afresh. */
static int make_list(struct op *o)
{
	struct value *v;
	uint32_t n = 0;
	enum type_kind k = (enum type_kind)o->e->type.kind;
	const char *why;

	if (o->n > EVAL_LIST_MAX)
		return op_error(o, -1, CW0708, "the list has over 1,000,000 elements");
	if (!o->e->type.list)
		return make_json_list(o);
	v = arena_array(o->c->arena, struct value, o->n);
	for (uint32_t i = 0; i < o->n; i++) {
		if (o->v[i].type.kind == T_NULL && k != T_JSON)
			continue;
		v[n] = o->v[i];
		if (k != T_ANY && k != T_NONE && value_convert(o->c, &o->v[i], type_of(k), &v[n], &why))
			return op_error(o, (int)i, CW0706, "element %u: %s", i, why);
		v[n++].text = NULL;
	}
	if ((k == T_ANY || k == T_NONE) && n)
		k = (enum type_kind)v[0].type.kind;
	return op_list(o, k, v, n);
}

static int make_map(struct op *o)
{
	struct json_member *v = arena_array(o->c->arena, struct json_member, o->n / 2);

	for (uint32_t i = 0; i + 1 < o->n; i += 2) {
		v[i / 2].key = o->v[i].u.s;
		if (json_of(o, (int)i + 1, &o->v[i + 1], &v[i / 2].val))
			return -1;
	}
	return json_result(o, jv_obj(o->c, v, o->n / 2));
}

static int member(struct op *o, const struct json *j, const struct str *key, int at)
{
	const struct json *m = json_get(j, key);
	struct strbuf b = { 0 };
	int rc;

	if (m)
		return json_result(o, m);
	sb_safe(&b, key->s, key->len);
	rc = op_error(o, at, j->kind == J_OBJ ? CW0705 : CW0713, j->kind == J_OBJ ? "the json object has no member '%s'" : "no member '%s': the value is %s",
	              sb_cstr(&b), op_kind(o, &o->v[0]));
	sb_free(&b);
	return rc;
}

static int out_of_range(struct op *o, int64_t i, uint32_t n)
{
	if (!n)
		return op_error(o, 1, CW0704, "index %lld is out of range: the list is empty", (long long)i);
	return op_error(o, 1, CW0704, "index %lld is out of range: the list has %u element%s, 0 to %u", (long long)i, n, n == 1 ? "" : "s", n - 1);
}

static int index_into(struct op *o)
{
	const struct value *x = &o->v[0], *i = &o->v[1];
	bool json = type_is(x->type, T_JSON);
	uint32_t n = x->type.list ? x->n : json ? x->u.j->n : 0;

	if (json && type_is(i->type, T_STRING))
		return member(o, x->u.j, i->u.s, 1);
	if (!type_is(i->type, T_INT))
		return op_error(o, 1, CW0713, "an index must be an int, got %s", op_kind(o, i));
	if (!x->type.list && !(json && x->u.j->kind == J_LIST))
		return op_error(o, 0, CW0713, "only a list has elements, this is %s", op_kind(o, x));
	if (i->u.i < 0 || i->u.i >= (int64_t)n)
		return out_of_range(o, i->u.i, n);
	if (json)
		return json_result(o, &x->u.j->u.list[i->u.i]);
	*o->out = x->u.list[i->u.i];
	o->out->text = NULL;
	return 0;
}

static int concat(struct op *o)
{
	struct strbuf b = { 0 };

	for (uint32_t i = 0; i < o->n; i++) {
		op_text(&b, &o->v[i]);
		if (b.n > EVAL_STRING_MAX)
			break;
	}
	return op_buf(o, &b);
}

static int convert(struct op *o)
{
	const char *why;

	if (!value_convert(o->c, &o->v[0], o->e->type, o->out, &why))
		return 0;
	return op_error(o, 0, o->v[0].type.kind == T_NULL ? CW0712 : CW0706, "%s", why);
}

/* ---- dispatch ---- */

static bool takes_absent(const struct expr *e)
{
	return e->op == EX_LIST || e->op == EX_MAP || e->op == EX_CONV || e->op == EX_EQ || e->op == EX_NE || e->op == EX_COALESCE ||
	       e->op == EX_COND || (e->op == EX_CALL && (e->fn == FN_present || e->fn == FN_json));
}

static int lazy_op(struct op *o)
{
	const struct value *v = o->v;

	if (o->e->op == EX_COALESCE) {
		*o->out = v[0].type.kind == T_NULL && !v[0].type.list ? v[1] : v[0];
		return 0;
	}
	if (!type_is(v[0].type, T_BOOL))
		return op_error(o, 0, CW0713, "a condition must be true or false, got %s", op_kind(o, &v[0]));
	if (o->e->op == EX_COND)
		*o->out = v[0].u.b ? v[1] : v[2];
	else
		*o->out = v[0].u.b == (o->e->op == EX_OR) ? v[0] : v[1];
	return 0;
}

static int dispatch(struct op *o)
{
	switch ((enum expr_op)o->e->op) {
	case EX_LIT:
		*o->out = *o->e->u.lit;
		return 0;
	case EX_LIST:
		return make_list(o);
	case EX_MAP:
		return make_map(o);
	case EX_CONCAT:
		return concat(o);
	case EX_COND:
	case EX_COALESCE:
	case EX_OR:
	case EX_AND:
		return lazy_op(o);
	case EX_EQ:
		return op_bool(o, value_eq(&o->v[0], &o->v[1]));
	case EX_NE:
		return op_bool(o, !value_eq(&o->v[0], &o->v[1]));
	case EX_LT:
	case EX_LE:
	case EX_GT:
	case EX_GE:
		return compare(o);
	case EX_IN:
		return is_in(o);
	case EX_ADD:
	case EX_SUB:
	case EX_MUL:
	case EX_DIV:
	case EX_MOD:
		return arith(o);
	case EX_NEG:
		return negate(o);
	case EX_NOT:
		return type_is(o->v[0].type, T_BOOL) ? op_bool(o, !o->v[0].u.b) : op_error(o, 0, CW0713, "'!' needs true or false, got %s", op_kind(o, &o->v[0]));
	case EX_MEMBER:
		return type_is(o->v[0].type, T_JSON) ? member(o, o->v[0].u.j, o->e->u.member.key, -1)
		                                     : op_error(o, 0, CW0713, "%s has no members", op_kind(o, &o->v[0]));
	case EX_INDEX:
		return index_into(o);
	case EX_CALL:
		return op_call(o);
	case EX_CONV:
		return convert(o);
	default:
		return op_error(o, -1, CW0713, "this expression has no value yet");
	}
}

int eval_op(struct valctx *c, const struct expr *e, const struct value *args, struct value *out, struct evalerr *err)
{
	struct op o = { c, e, args, expr_arity(e), out, err };
	struct type want = e->type;
	const char *why;

	if (!takes_absent(e))
		for (uint32_t i = 0; i < o.n; i++)
			if (args[i].type.kind == T_NULL && !args[i].type.list)
				return op_error(&o, (int)i, CW0712, "the value is absent: its step was skipped or failed; give it a fallback with ??");
	if (dispatch(&o))
		return -1;
	want.opt = false;
	if (type_is(out->type, T_INT) && type_is(want, T_FLOAT)) {
		*out = (struct value){ .type = want, .u.d = (double)out->u.i, .text = out->text };
	} else if (type_is(out->type, T_JSON) && !type_is(want, T_JSON) && want.kind != T_NONE && want.kind != T_ANY && want.kind != T_NULL) {
		/* a record's member has the type of the literal */
		if (value_convert(c, out, want, out, &why))
			return op_error(&o, -1, CW0706, "%s", why);
	}
	return 0;
}
