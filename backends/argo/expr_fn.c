/* Arithmetic and functions as expr-lang (xl.h); what they must give is src/ir/eval_op.c and eval_fn.c. */
#include "xl.h"

#include <math.h>
#include <string.h>

#define LIMIT "9007199254740992"          /* 2^53: an int is below it */

/* ---- arithmetic ---- */

/* The least and the greatest value of an int expression, as far as its shape tells. */
static void bounds(const struct expr *e, double *lo, double *hi)
{
	double a, b, c, d;

	*lo = -(double)INT_LIMIT;
	*hi = (double)INT_LIMIT;
	switch ((enum expr_op)e->op) {
	case EX_LIT:
		if (type_is(e->u.lit->type, T_INT))
			*lo = *hi = (double)e->u.lit->u.i;
		return;
	case EX_REF:
		if (e->fn == REF_INDEX) {
			*lo = 0;
			*hi = 1000;
		} else if (e->fn == REF_EXIT_CODE) {
			*lo = -1;
			*hi = 255;
		}
		return;
	case EX_CALL:
		if (e->fn == FN_len) {
			*lo = 0;
			*hi = 1e6;
		}
		return;
	case EX_ADD:
	case EX_SUB:
	case EX_MUL:
		bounds(e->u.args[0], &a, &b);
		bounds(e->u.args[1], &c, &d);
		if (e->op == EX_ADD) {
			*lo = a + c;
			*hi = b + d;
		} else if (e->op == EX_SUB) {
			*lo = a - d;
			*hi = b - c;
		} else {
			*lo = fmin(fmin(a * c, a * d), fmin(b * c, b * d));
			*hi = fmax(fmax(a * c, a * d), fmax(b * c, b * d));
		}
		break;
	case EX_NEG:
		bounds(e->u.args[0], &a, &b);
		*lo = -b;
		*hi = -a;
		return;
	default:
		return;
	}
	/* beyond the limits the operation itself fails */
	*lo = fmax(*lo, -(double)INT_LIMIT);
	*hi = fmin(*hi, (double)INT_LIMIT);
}

/* The same, of the operation itself before the check of its result. */
static bool within_int(const struct expr *e)
{
	double a, b, c, d;

	bounds(e->u.args[0], &a, &b);
	bounds(e->u.args[1], &c, &d);
	if (e->op == EX_ADD)
		return a + c >= -(double)INT_LIMIT && b + d <= (double)INT_LIMIT;
	if (e->op == EX_SUB)
		return a - d >= -(double)INT_LIMIT && b - c <= (double)INT_LIMIT;
	return fmax(fmax(fabs(a), fabs(b)) * fmax(fabs(c), fabs(d)), 0) <= (double)INT_LIMIT;
}

static bool is_int(const struct expr *e)
{
	return type_is(e->type, T_INT) || (e->op == EX_CONV && type_is(e->u.args[0]->type, T_INT) && type_is(e->type, T_INT));
}

static struct ex int_op(struct site *x, const struct expr *e)
{
	struct ex a = xl_native(x, e->u.args[0]), b = xl_native(x, e->u.args[1]);
	const char *op = e->op == EX_ADD ? "+" : e->op == EX_SUB ? "-" : "*";
	int prec = e->op == EX_MUL ? P_MUL : P_ADD;
	const char *v, *w;

	if (within_int(e))
		return ex_f(x, prec, "%s %s %s", ex_in(x, a, prec), op, ex_in(x, b, prec + 1));
	v = xl_let(x);
	if (e->op == EX_MUL) {
		w = xl_let(x);
		return ex_let(x, "let %s = %s; let %s = %s; abs(float(%s) * float(%s)) < " LIMIT " ? %s * %s : %s", v, a.s, w, b.s, v, w, v, w,
			xl_fail(x, CW0702, e->span, "the result is out of the range of int"));
	}
	return ex_let(x, "let %s = %s %s %s; abs(%s) < " LIMIT " ? %s : %s", v, ex_in(x, a, prec), op, ex_in(x, b, prec + 1), v, v,
		xl_fail(x, CW0702, e->span, "the result is out of the range of int"));
}

/* A divisor that is not 0. */
static struct ex quotient(struct site *x, const struct expr *e)
{
	struct ex a = xl_native(x, e->u.args[0]), b = xl_native(x, e->u.args[1]);
	const struct expr *d = e->u.args[1];
	const char *v, *op = e->op == EX_DIV ? "/" : "%";

	if (e->op == EX_MOD) {
		/* elements of a list are floats there, and % takes ints */
		if (e->u.args[0]->op != EX_REF && e->u.args[0]->op != EX_LIT)
			a = ex_f(x, P_ATOM, "int(%s)", a.s);
		if (d->op != EX_REF && d->op != EX_LIT)
			b = ex_f(x, P_ATOM, "int(%s)", b.s);
	}
	if (d->op == EX_LIT && (type_is(d->u.lit->type, T_INT) ? d->u.lit->u.i != 0 : d->u.lit->u.d != 0))
		return ex_f(x, P_MUL, "%s %s %s", ex_in(x, a, P_MUL), op, ex_in(x, b, P_MUL + 1));
	v = xl_let(x);
	return ex_let(x, "let %s = %s; %s != 0 ? %s %s %s : %s", v, b.s, v, ex_in(x, a, P_MUL), op, v, xl_fail(x, CW0701, d->span, "division by zero"));
}

static bool is_float_op(const struct expr *e)
{
	return (e->op == EX_ADD || e->op == EX_SUB || e->op == EX_MUL || e->op == EX_DIV || e->op == EX_NEG) && !is_int(e) && e->type.kind != T_TIME;
}

static struct ex float_raw(struct site *x, const struct expr *e);

/* An operand of a float operation: NaN and infinities reach the root of the tree, where they are looked for. */
static struct ex float_operand(struct site *x, const struct expr *e, bool divisor)
{
	return is_float_op(e) && !divisor ? float_raw(x, e) : xl_native(x, e);
}

static struct ex float_raw(struct site *x, const struct expr *e)
{
	const char *op = e->op == EX_ADD ? "+" : e->op == EX_SUB ? "-" : "*";
	int prec = e->op == EX_MUL ? P_MUL : P_ADD;

	if (e->op == EX_NEG)
		return ex_f(x, P_UNARY, "-%s", ex_in(x, float_operand(x, e->u.args[0], false), P_ATOM));
	if (e->op == EX_DIV) {
		const struct expr *d = e->u.args[1];
		struct ex a = float_operand(x, e->u.args[0], false), b = float_operand(x, d, true);
		const char *v;

		if (d->op == EX_LIT)
			return quotient(x, e);
		v = xl_let(x);
		return ex_let(x, "let %s = %s; %s != 0 ? %s / %s : %s", v, b.s, v, ex_in(x, a, P_MUL), v, xl_fail(x, CW0701, d->span, "division by zero"));
	}
	return ex_f(x, prec, "%s %s %s", ex_in(x, float_operand(x, e->u.args[0], false), prec), op, ex_in(x, float_operand(x, e->u.args[1], false), prec + 1));
}

static bool finite_by_nature(const struct expr *e)
{
	/* a quotient of ints, the smaller of which is not 0, is finite, and never -0 but for 0 / -n */
	return e->op == EX_DIV && is_int(e->u.args[0]) && is_int(e->u.args[1]);
}

static struct ex float_op(struct site *x, const struct expr *e)
{
	struct ex r = float_raw(x, e);
	const char *v;

	if (finite_by_nature(e))
		return ex_f(x, P_ADD, "%s + 0", ex_in(x, r, P_ADD));
	v = xl_let(x);
	/* - 0 is 0; what is not finite is no number less itself */
	return ex_let(x, "let %s = %s; %s - %s == 0 ? %s + 0 : %s", v, r.s, v, v, v, xl_fail(x, CW0703, e->span, "the result is not a finite number"));
}

static struct ex seconds(struct site *x, const struct expr *e)
{
	struct strbuf b = { 0 };

	if (e->op == EX_LIT) {
		sb_z(&b, "duration('");
		sb_double(&b, e->u.lit->u.d);
		sb_z(&b, "s')");
		return (struct ex){ .s = a_buf(x->g, &b), .prec = P_ATOM };
	}
	return ex_f(x, P_ATOM, "duration(toJson(%s) + 's')", xl_native(x, e).s);
}

static struct ex time_op(struct site *x, const struct expr *e)
{
	const struct expr *a = e->u.args[0], *b = e->u.args[1];

	if (type_is(a->type, T_TIME) && type_is(b->type, T_TIME))
		return ex_f(x, P_ATOM, "(%s - %s).Seconds()", ex_in(x, xl_native(x, a), P_ADD), ex_in(x, xl_native(x, b), P_ADD + 1));
	if (type_is(b->type, T_TIME)) {
		const struct expr *t = a;

		a = b;
		b = t;
	}
	return ex_f(x, P_ADD, "%s %s %s", ex_in(x, xl_native(x, a), P_ADD), e->op == EX_SUB ? "-" : "+", seconds(x, b).s);
}

struct ex xl_arith(struct site *x, const struct expr *e)
{
	const struct expr *a = e->u.args[0], *b = e->op == EX_NEG ? a : e->u.args[1];

	if (e->op == EX_MOD)
		return quotient(x, e);
	if (type_is(a->type, T_TIME) || type_is(b->type, T_TIME))
		return time_op(x, e);
	if (!is_int(e))
		return float_op(x, e);
	if (e->op == EX_NEG)
		return ex_f(x, P_UNARY, "-%s", ex_in(x, xl_native(x, a), P_ATOM));
	return int_op(x, e);
}

/* ---- functions ---- */

static struct ex arg(struct site *x, const struct expr *e, uint32_t i)
{
	return xl_native(x, e->u.args[i]);
}

/* Characters of a string or of a json string. */
static struct ex chars(struct site *x, const struct expr *e, uint32_t i)
{
	return arg(x, e, i);
}

/* What str() and "${}" give. */
static struct ex str_of(struct site *x, const struct expr *a)
{
	struct ex t;
	const char *v;

	if (!type_is(a->type, T_JSON))
		return xl_decode(x, xl_text(x, a, FORM_ANY));
	v = xl_let(x);
	t = ex_let(x, "let %s = %s; type(%s) == 'string' ? %s : toJson(%s)", v, xl_native(x, a).s, v, v, v);
	return t;
}

static struct ex fn_len(struct site *x, const struct expr *e)
{
	const struct expr *a = e->u.args[0];

	if (type_is_path(a->type))
		return files_count(x, a);
	if (a->type.list && a->op == EX_REF) {
		struct ex t = xl_text(x, a, FORM_ANY);

		return t.null ? ex_f(x, P_ATOM, "len(%s)", xl_native(x, a).s) : ex_f(x, P_ATOM, "len(fromJSON(%s))", t.s);
	}
	return ex_f(x, P_ATOM, "len(%s)", arg(x, e, 0).s);
}

static struct ex fn_range(struct site *x, const struct expr *e)
{
	struct ex lo = e->n > 1 ? arg(x, e, 0) : (struct ex){ .s = "0", .prec = P_ATOM }, hi = arg(x, e, e->n - 1);

	return ex_f(x, 25, "int(%s)..int(%s) - 1", lo.s, hi.s);
}

/* [a, b]: a, b */
static const char *inside_list(struct site *x, const char *s)
{
	return a_f(x->g, "%.*s", (int)strlen(s) - 2, s + 1);
}

/* The list of the operands of min, max, sum, mean. */
static struct ex operands(struct site *x, const struct expr *e)
{
	struct strbuf b = { 0 };

	if (e->n == 1 && e->u.args[0]->type.list)
		return arg(x, e, 0);
	sb_ch(&b, '[');
	for (uint32_t i = 0; i < e->n; i++)
		sb_f(&b, "%s%s", i ? ", " : "", arg(x, e, i).s);
	sb_ch(&b, ']');
	return (struct ex){ .s = a_buf(x->g, &b), .prec = P_ATOM };
}

/* Elements of it, as operands, all of which are numbers that are not NaN by their type. */
static bool plain_ints(const struct expr *e)
{
	for (uint32_t i = 0; i < e->n; i++)
		if (!type_is(e->u.args[i]->type, T_INT))
			return false;
	return e->type.kind == T_INT || e->fn == FN_argmin || e->fn == FN_argmax;
}

/*
 * A failure stands last in ? :, whose type would otherwise be a string to the checker of the engine.
 */
static struct ex fn_numbers(struct site *x, const struct expr *e)
{
	struct ex l = operands(x, e);
	const char *name = expr_fns[e->fn].name, *v = xl_let(x), *body;
	const char *empty = xl_fail(x, CW0707, e->span, a_f(x->g, "%s of an empty list", name));
	const char *bad = xl_fail(x, CW0703, e->span, "the result is not a finite number");
	bool some = e->n > 1 || !e->u.args[0]->type.list || (e->u.args[0]->op == EX_LIST && e->u.args[0]->n), finite = e->n > 1 && plain_ints(e);

	switch ((enum expr_fn)e->fn) {
	case FN_sum:
		if (e->type.kind == T_INT)
			return ex_let(x, "let %s = sum(%s); abs(%s) < " LIMIT " ? int(%s) : %s", v, l.s, v, v, xl_fail(x, CW0702, e->span, "the result is out of the range of int"));
		return ex_let(x, "let %s = sum(%s); %s - %s == 0 ? %s + 0.0 : %s", v, l.s, v, v, v, bad);
	case FN_mean: {
		const char *w = xl_let(x);

		body = a_f(x->g, "let %s = sum(%s) / len(%s); %s - %s == 0 ? %s + 0 : %s", w, v, v, w, w, w, bad);
		return some ? ex_let(x, "let %s = %s; %s", v, l.s, body) : ex_let(x, "let %s = %s; len(%s) > 0 ? (%s) : %s", v, l.s, v, body, empty);
	}
	case FN_argmin:
	case FN_argmax:
		body = a_f(x->g, "reduce(%s, #index == 0 || # %s #acc[0] ? [#, #index] : #acc, [])[1]", v, e->fn == FN_argmin ? "<" : ">");
		if (!finite)
			body = a_f(x->g, "all(%s, # - # == 0) ? %s : %s", v, body, bad);
		break;
	default:
		if (some && finite)
			return ex_f(x, P_ATOM, "%s(%s)", name, inside_list(x, l.s));
		body = a_f(x->g, "%s(%s)", name, v);
		if (!finite)
			body = a_f(x->g, "all(%s, # == #) ? %s : %s", v, body, bad);
	}
	return some ? ex_let(x, "let %s = %s; %s", v, l.s, body) : ex_let(x, "let %s = %s; len(%s) > 0 ? (%s) : %s", v, l.s, v, body, empty);
}

/* Numbers and durations apart, min and max also take times: the first least one. */
static struct ex fn_extreme(struct site *x, const struct expr *e)
{
	struct ex l;
	const char *v;

	if (e->type.kind != T_TIME)
		return fn_numbers(x, e);
	l = operands(x, e);
	v = xl_let(x);
	return ex_let(x, "let %s = %s; len(%s) > 0 ? %s : %s", v, l.s, v, a_f(x->g, e->fn == FN_min ? "sort(%s)[0]" : "sort(%s)[len(%s) - 1]", v, v),
		xl_fail(x, CW0707, e->span, a_f(x->g, "%s of an empty list", expr_fns[e->fn].name)));
}

static struct ex fn_index_of(struct site *x, const struct expr *e)
{
	const struct expr *l = e->u.args[0], *a = e->u.args[1];
	struct ex list = xl_native(x, l), v = xl_native(x, a);

	if (a->op == EX_LIT || a->op == EX_REF)
		return ex_f(x, P_OPEN, "findIndex(%s, # == %s) ?? -1", list.s, ex_in(x, v, P_CMP + 1));
	return ex_f(x, P_ATOM, "reduce(%s, #acc[1] < 0 && # == #acc[0] ? [#acc[0], #index] : #acc, [%s, -1])[1]", list.s, v.s);
}

static struct ex int_of_string(struct site *x, const struct expr *e, const char *v)
{
	const char *range = xl_fail(x, CW0702, e->span, "the result is out of the range of int");

	return ex_f(x, P_OPEN, "%s matches '^-?[0-9]+$' ? abs(float(%s)) < " LIMIT " ? int(%s) : %s : %s", v, v, v, range,
		xl_fail(x, CW0706, e->span, "int cannot read the text: expected digits only"));
}

static struct ex int_of_number(struct site *x, const struct expr *e, const char *v)
{
	return ex_f(x, P_OPEN, "abs(%s) < " LIMIT " ? int(%s) : %s", v, v, xl_fail(x, CW0702, e->span, "the result is out of the range of int"));
}

static struct ex fn_int(struct site *x, const struct expr *e)
{
	const struct expr *a = e->u.args[0];
	struct ex n = arg(x, e, 0);
	const char *v;

	if (a->type.kind == T_INT || a->type.kind == T_SIZE)
		return n;
	v = xl_let(x);
	if (a->type.kind == T_STRING)
		return ex_let(x, "let %s = %s; %s", v, n.s, int_of_string(x, e, v).s);
	if (a->type.kind == T_JSON)
		return ex_let(x, "let %s = %s; type(%s) == 'string' ? (%s) : type(%s) in ['int', 'float'] ? (%s) : %s", v, n.s, v, int_of_string(x, e, v).s, v,
			int_of_number(x, e, v).s, xl_fail(x, CW0706, e->span, "int cannot read the json value"));
	return ex_let(x, "let %s = %s; %s", v, n.s, int_of_number(x, e, v).s);
}

static struct ex fn_float(struct site *x, const struct expr *e)
{
	const struct expr *a = e->u.args[0];
	struct ex n = arg(x, e, 0);
	static const char form[] = "'^-?[0-9]+([.][0-9]+)?([eE][-+]?[0-9]+)?$'";
	const char *v;

	if (a->type.kind == T_FLOAT || a->type.kind == T_DURATION)
		return n;
	if (a->type.kind == T_INT || a->type.kind == T_SIZE)
		return ex_f(x, P_ATOM, "float(%s)", n.s);
	v = xl_let(x);
	return ex_let(x, "let %s = %s; type(%s) in ['int', 'float'] || %s matches %s ? float(%s) + 0 : %s", v, n.s, v, v, form, v,
		xl_fail(x, CW0706, e->span, "float cannot read the text: expected a number such as 0.5 or 1e-4"));
}

static struct ex fn_bool(struct site *x, const struct expr *e)
{
	struct ex n = arg(x, e, 0);
	const char *v;

	if (e->u.args[0]->type.kind == T_BOOL)
		return n;
	v = xl_let(x);
	return ex_let(x, "let %s = %s; %s in ['true', 'false', true, false] ? %s in ['true', true] : %s", v, n.s, v, v,
		xl_fail(x, CW0706, e->span, "bool reads true or false only"));
}

static struct ex fn_json(struct site *x, const struct expr *e)
{
	const struct expr *a = e->u.args[0];

	if (type_is(a->type, T_TIME))
		return xl_text(x, a, FORM_ANY);
	return arg(x, e, 0);
}

static struct ex fn_join(struct site *x, const struct expr *e)
{
	struct type t = type_of((enum type_kind)e->u.args[0]->type.kind);
	struct ex el = { .s = "#", .prec = P_ATOM }, l = arg(x, e, 0), r;

	if (t.kind != T_STRING)
		l = ex_f(x, P_ATOM, "map(%s, %s)", l.s, xl_to_text(x, t, el, FORM_RAW).s);
	r = ex_f(x, P_ATOM, "join(%s, %s)", l.s, chars(x, e, 1).s);
	return r;
}

/* An argument that must not be empty. */
static struct ex filled(struct site *x, const struct expr *e, uint32_t i, const char *msg)
{
	const struct expr *a = e->u.args[i];
	struct ex n = chars(x, e, i);
	const char *v;

	if (a->op == EX_LIT)
		return n;
	v = xl_let(x);
	n = ex_let(x, "let %s = %s; %s != '' ? %s : %s", v, n.s, v, v, xl_fail(x, CW0711, a->span, msg));
	return n;
}

static struct ex fn_path(struct site *x, const struct expr *e)
{
	const char *v = xl_let(x), *w = xl_let(x);
	struct ex s = chars(x, e, 0);

	/* as POSIX: trailing slashes do not count, of "" it is ".", of "/" it is "/" */
	if (e->fn == FN_basename)
		return ex_let(x, "let %s = %s; let %s = sprig.regexReplaceAll('/+$', %s, ''); %s == '' ? '.' : %s == '' ? '/' : %s[lastIndexOf(%s, '/') + 1:]",
			v, s.s, w, v, v, w, w, w);
	return ex_let(x, "let %s = sprig.regexReplaceAll('/+$', %s, ''); let %s = lastIndexOf(%s, '/'); "
		"%s < 0 ? (%s == '' && %s != '' ? '/' : '.') : %s",
		v, s.s, w, v, w, v, ex_in(x, s, P_ATOM), a_f(x->g, "(sprig.regexReplaceAll('/+$', %s[:%s], '') == '' ? '/' : sprig.regexReplaceAll('/+$', %s[:%s], ''))", v, w, v, w));
}

static struct ex fn_contains(struct site *x, const struct expr *e)
{
	const struct expr *l = e->u.args[0];

	if (l->type.list)
		return ex_f(x, P_CMP, "%s in %s", ex_in(x, arg(x, e, 1), P_CMP + 1), ex_in(x, arg(x, e, 0), P_CMP + 1));
	return ex_f(x, P_CMP, "%s contains %s", ex_in(x, chars(x, e, 0), P_CMP + 1), ex_in(x, chars(x, e, 1), P_CMP + 1));
}

static struct ex fn_case(struct site *x, const struct expr *e)
{
	const char *v = xl_let(x);

	return ex_let(x, "let %s = %s; %s matches '^[\\\\x00-\\\\x7f]*$' ? %s(%s) : %s", v, chars(x, e, 0).s, v, expr_fns[e->fn].name, v,
		xl_fail(x, CW0710, e->span, a_f(x->g, "%s takes ASCII only", expr_fns[e->fn].name)));
}

static struct ex fn_pad(struct site *x, const struct expr *e)
{
	struct ex s = str_of(x, e->u.args[0]), w = arg(x, e, 1), f = e->n > 2 ? chars(x, e, 2) : (struct ex){ .s = "' '", .prec = P_ATOM };
	const char *v = xl_let(x);

	if (e->n > 2 && e->u.args[2]->op != EX_LIT) {
		const char *u = xl_let(x);

		f = ex_let(x, "let %s = %s; len(%s) == 1 ? %s : %s", u, f.s, u, u, xl_fail(x, CW0711, e->u.args[2]->span, "pad fills with one character"));
	}
	return ex_let(x, "let %s = %s; repeat(%s, max(0, %s - len(%s))) + %s", v, s.s, f.s, e->u.args[1]->op == EX_LIT ? w.s : a_f(x->g, "int(%s)", w.s), v, v);
}

/* Go's layout of a format of ours; %u has none. */
static struct ex fn_format_time(struct site *x, const struct expr *e)
{
	const struct expr *f = e->u.args[1];
	struct ex t = arg(x, e, 0);
	struct strbuf b = { 0 }, text = { 0 };
	const char *v = xl_let(x), *zone = ".UTC()";
	static const struct { char c; const char *layout; } codes[] = { { 'Y', "2006" }, { 'm', "01" }, { 'd', "02" }, { 'H', "15" }, { 'M', "04" }, { 'S', "05" }, { 'j', "002" } };
	const struct str *s;

	if (f->op != EX_LIT) {
		diag_mend(x->g->d, diag_at(x->g->d, CW0801, f->span, "argo cannot carry a format of format_time that is known only at run time"), "write the format as a literal, or format in the step");
		x->g->err = -1;
		return t;
	}
	if (e->n > 2)
		zone = a_f(x->g, ".In(timezone(%s))", chars(x, e, 2).s);
	s = f->u.lit->u.s;
	for (uint32_t i = 0; i < s->len; i++) {
		const char *layout = NULL;

		if (s->s[i] != '%') {
			sb_ch(&text, s->s[i]);
			continue;
		}
		i++;
		for (size_t k = 0; k < sizeof codes / sizeof *codes; k++)
			if (codes[k].c == s->s[i])
				layout = codes[k].layout;
		if (s->s[i] == '%') {
			sb_ch(&text, '%');
			continue;
		}
		if (text.n) {
			sb_z(&b, b.n ? " + " : "");
			xl_string(&b, text.s, text.n);
			text.n = 0;
		}
		sb_z(&b, b.n ? " + " : "");
		if (layout)
			sb_f(&b, "%s.Format('%s')", v, layout);
		else                                                            /* %u: Sunday is 7 */
			sb_f(&b, "string((int(%s.Weekday()) + 6) %% 7 + 1)", v);
	}
	if (text.n || !b.n) {
		sb_z(&b, b.n ? " + " : "");
		xl_string(&b, text.s ? text.s : "", text.n);
	}
	t = ex_let(x, "let %s = %s%s; %s", v, ex_in(x, t, P_ATOM), zone, sb_cstr(&b));
	sb_free(&b);
	sb_free(&text);
	return t;
}

struct ex xl_call(struct site *x, const struct expr *e)
{
	switch ((enum expr_fn)e->fn) {
	case FN_len:
		return fn_len(x, e);
	case FN_range:
		return fn_range(x, e);
	case FN_min:
	case FN_max:
		return fn_extreme(x, e);
	case FN_sum:
	case FN_mean:
	case FN_argmin:
	case FN_argmax:
		return fn_numbers(x, e);
	case FN_index_of:
		return fn_index_of(x, e);
	case FN_present:
		return xl_present(x, e->u.args[0]);
	case FN_str:
		return str_of(x, e->u.args[0]);
	case FN_int:
		return fn_int(x, e);
	case FN_float:
		return fn_float(x, e);
	case FN_bool:
		return fn_bool(x, e);
	case FN_json:
		return fn_json(x, e);
	case FN_parse_json:
		return ex_f(x, P_ATOM, "fromJSON(%s)", chars(x, e, 0).s);
	case FN_join:
		return fn_join(x, e);
	case FN_split:
		return ex_f(x, P_ATOM, "split(%s, %s)", chars(x, e, 0).s, filled(x, e, 1, "split needs a separator").s);
	case FN_basename:
	case FN_dirname:
		return fn_path(x, e);
	case FN_contains:
		return fn_contains(x, e);
	case FN_starts_with:
		return ex_f(x, P_CMP, "%s startsWith %s", ex_in(x, chars(x, e, 0), P_CMP + 1), ex_in(x, chars(x, e, 1), P_CMP + 1));
	case FN_ends_with:
		return ex_f(x, P_CMP, "%s endsWith %s", ex_in(x, chars(x, e, 0), P_CMP + 1), ex_in(x, chars(x, e, 1), P_CMP + 1));
	case FN_lower:
	case FN_upper:
		return fn_case(x, e);
	case FN_replace:
		return ex_f(x, P_ATOM, "replace(%s, %s, %s)", chars(x, e, 0).s, ex_in(x, filled(x, e, 1, "replace needs something to look for"), P_OR), chars(x, e, 2).s);
	case FN_pad:
		return fn_pad(x, e);
	case FN_format_time:
		return fn_format_time(x, e);
	default:
		return arg(x, e, 0);
	}
}

/* What is cut from, or put together of, safe text is safe. */
enum form xl_call_form(struct site *x, const struct expr *e)
{
	enum form f = FORM_SAFE;

	switch ((enum expr_fn)e->fn) {
	case FN_str:
	case FN_lower:
	case FN_upper:
	case FN_basename:
	case FN_dirname:
	case FN_replace:
	case FN_pad:
	case FN_join:
	case FN_format_time:
		for (uint32_t i = 0; i < e->n; i++) {
			const struct expr *a = e->u.args[i];
			enum form k = type_is(a->type, T_JSON) || a->type.list ? FORM_T : xl_form(x, a);

			if (k == FORM_T || k == FORM_AGG)
				return FORM_T;
			f = k == FORM_RAW ? FORM_RAW : f;
		}
		return f;
	case FN_split:
		return FORM_AGG;
	default:
		return e->type.list ? FORM_AGG : FORM_T;
	}
}
