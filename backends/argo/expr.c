/* Expressions of the IR as expr-lang: operators, conversions, texts (xl.h). Functions are in expr_fn.c. */
#include "shape.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

/* A `let` stands first in an expression or in parentheses. */
struct ex ex_let(struct site *x, const char *fmt, ...)
{
	struct strbuf b = { 0 };
	va_list ap;

	sb_ch(&b, '(');
	va_start(ap, fmt);
	sb_vf(&b, fmt, ap);
	va_end(ap);
	sb_ch(&b, ')');
	return (struct ex){ .s = a_buf(x->g, &b), .prec = P_ATOM };
}

/* head(...) around all of e: what stands in it; NULL otherwise. */
const char *inside_call(struct site *x, const char *s, const char *head)
{
	size_t n = strlen(s), k = strlen(head);
	int depth = 0;
	bool quoted = false;

	if (strncmp(s, head, k))
		return NULL;
	for (size_t i = k - 1; i < n; i++) {
		if (quoted) {
			if (s[i] == '\\')
				i++;
			else if (s[i] == '\'')
				quoted = false;
			continue;
		}
		if (s[i] == '\'')
			quoted = true;
		depth += s[i] == '(' ? 1 : s[i] == ')' ? -1 : 0;
		if (!depth && i + 1 < n)
			return NULL;
	}
	return a_f(x->g, "%.*s", (int)(n - k - 1), s + k);
}

/* Without parentheses around all of it. */
const char *xl_bare(struct site *x, const char *s)
{
	const char *in = strncmp(s, "(let ", 5) ? NULL : inside_call(x, s, "(");

	return in ? in : s;
}

struct ex ex_f(struct site *x, int prec, const char *fmt, ...)
{
	struct strbuf b = { 0 };
	va_list ap;

	va_start(ap, fmt);
	sb_vf(&b, fmt, ap);
	va_end(ap);
	return (struct ex){ .s = a_buf(x->g, &b), .prec = (uint8_t)prec };
}

const char *ex_in(struct site *x, struct ex e, int prec)
{
	return e.prec < prec ? a_f(x->g, "(%s)", e.s) : e.s;
}

const char *xl_let(struct site *x)
{
	/* a, b, ..., then v26, ...: short names in the usual expression, none twice in one */
	uint32_t i = x->lets++;

	return i < 26 ? a_f(x->g, "%c", 'a' + (int)i) : a_f(x->g, "v%u", i);
}

const char *xl_fail(struct site *x, int code, struct span sp, const char *msg)
{
	struct strbuf t = { 0 }, b = { 0 };

	sb_f(&t, "CW%04d %s: %s", code, source_place(x->g, sp), msg);
	sb_z(&b, "sprig.fail(");
	xl_string(&b, t.s, t.n);
	sb_ch(&b, ')');
	sb_free(&t);
	return a_buf(x->g, &b);
}

struct ex xl_sealed(struct site *x, struct ex e)
{
	struct ex r;

	if (!e.nil)
		return e;
	r = ex_f(x, P_OPEN, "%s ?? '" ABSENT "'", ex_in(x, e, P_ATOM));
	r.form = e.form;
	r.null = true;
	return r;
}

struct ex xl_present(struct site *x, const struct expr *e)
{
	struct ex t = xl_text(x, e, FORM_ANY);

	if (!t.nil && !t.null)
		return (struct ex){ .s = "true", .prec = P_ATOM };
	if (!t.null)
		return ex_f(x, P_CMP, "%s != nil", ex_in(x, t, P_CMP + 1));
	return ex_f(x, P_CMP, "%s != '" ABSENT "'", ex_in(x, xl_sealed(x, t), P_CMP + 1));
}

/* a ?? b as texts. */
static struct ex coalesce(struct site *x, const struct expr *e, enum form want)
{
	struct ex a, b, r;
	const char *v;

	if (want == FORM_ANY)
		want = xl_form(x, e);
	a = xl_text(x, e->u.args[0], want);
	if (!a.nil && !a.null)
		return a;
	b = xl_text(x, e->u.args[1], want);
	if (!a.null) {
		r = ex_f(x, P_OPEN, "%s ?? %s", ex_in(x, a, P_ATOM), ex_in(x, b, P_ATOM));
	} else {
		v = xl_let(x);
		r = ex_let(x, "let %s = %s; %s != '" ABSENT "' ? %s : %s", v, xl_sealed(x, a).s, v, v, b.s);
	}
	r.form = (uint8_t)want;
	r.nil = b.nil;
	r.null = b.null;
	return r;
}

/* ---- forms ---- */

static enum form joined(enum form a, enum form b)
{
	if (a == FORM_SAFE || a == b)
		return b;
	if (b == FORM_SAFE)
		return a;
	return a == FORM_AGG || b == FORM_AGG ? FORM_AGG : FORM_T;
}

static enum form lit_form(const struct value *v)
{
	struct strbuf b = { 0 };
	bool safe = true;

	if (v->type.kind == T_NULL && !v->type.list)
		return FORM_SAFE;
	if (v->type.list) {
		if (v->type.kind != T_STRING && v->type.kind != T_JSON)
			return FORM_SAFE;
		for (uint32_t i = 0; i < v->n && safe; i++) {
			b.n = 0;
			value_text(&b, &v->u.list[i]);
			safe = v->type.kind == T_STRING && text_safe(b.s ? b.s : "", b.n);
		}
		sb_free(&b);
		return safe ? FORM_SAFE : FORM_AGG;
	}
	value_text(&b, v);
	safe = text_safe(b.s ? b.s : "", b.n);
	sb_free(&b);
	return safe ? FORM_SAFE : FORM_T;
}

enum form xl_form(struct site *x, const struct expr *e)
{
	enum form f = FORM_SAFE;
	const struct node *of = record_of(e);

	if (of && record_values(x->g, e, of))
		return record_form(x->g, e, of);

	/* only strings and json can hold what Argo would rewrite */
	if (e->type.kind != T_STRING && e->type.kind != T_JSON && e->type.kind != T_NULL && !(e->op == EX_REF && e->type.list))
		return e->type.list && e->op == EX_COALESCE ? joined(xl_form(x, e->u.args[0]), xl_form(x, e->u.args[1])) : FORM_SAFE;
	switch ((enum expr_op)e->op) {
	case EX_LIT:
		return lit_form(e->u.lit);
	case EX_REF:
		return x->shape && (e->fn == REF_INPUT || e->fn == REF_ENV) ? (enum form)shape_input(x, e).form : ref_form(x->g, x->c, e);
	case EX_CONCAT:
		for (uint32_t i = 0; i < e->n; i++)
			f = joined(f, e->u.args[i]->type.kind == T_JSON ? FORM_T : xl_form(x, e->u.args[i]));
		return f;
	case EX_COND:
		return joined(xl_form(x, e->u.args[1]), xl_form(x, e->u.args[2]));
	case EX_COALESCE:
		return joined(xl_form(x, e->u.args[0]), xl_form(x, e->u.args[1]));
	case EX_CALL:
		return xl_call_form(x, e);
	case EX_INDEX:
		f = xl_form(x, e->u.args[0]);
		return e->u.args[0]->type.list && f != FORM_AGG ? f : FORM_T;
	case EX_LIST:
		return e->type.list ? FORM_AGG : FORM_T;
	case EX_CONV:
		return e->u.args[0]->type.kind == e->type.kind ? xl_form(x, e->u.args[0]) : FORM_T;
	default:
		return FORM_T;
	}
}

/* ---- operators, natively ---- */

static struct ex infix(struct site *x, const char *op, int prec, struct ex a, struct ex b)
{
	return ex_f(x, prec, "%s %s %s", ex_in(x, a, prec), op, ex_in(x, b, prec + 1));
}

struct ex xl_bool(struct site *x, const struct expr *e)
{
	return xl_native(x, e);
}

static bool is_null(const struct expr *e)
{
	return e->op == EX_LIT && e->u.lit->type.kind == T_NULL && !e->u.lit->type.list;
}

/* Strings compare encoded where one of them is: T is one to one. */
static struct ex equal(struct site *x, const struct expr *a, const struct expr *b, const char *op)
{
	if (is_null(a) || is_null(b)) {
		struct ex p = xl_present(x, is_null(a) ? b : a);

		return op[0] == '!' ? p : ex_f(x, P_UNARY, "!%s", ex_in(x, p, P_ATOM));
	}
	if (type_is(a->type, T_STRING) && type_is(b->type, T_STRING)) {
		enum form f = joined(xl_form(x, a), xl_form(x, b));
		struct ex s = xl_text(x, a, f), t = xl_text(x, b, f);

		return infix(x, op, P_CMP, s, t);
	}
	if (type_is(a->type, T_BOOL) && b->op == EX_LIT && type_is(b->type, T_BOOL)) {
		struct ex v = xl_native(x, a);

		return b->u.lit->u.b == (op[0] == '=') ? v : ex_f(x, P_UNARY, "!%s", ex_in(x, v, P_ATOM));
	}
	if (a->type.list || b->type.list)
		return infix(x, op, P_CMP, ex_f(x, P_ATOM, "toJson(%s)", xl_native(x, a).s), ex_f(x, P_ATOM, "toJson(%s)", xl_native(x, b).s));
	return infix(x, op, P_CMP, xl_native(x, a), xl_native(x, b));
}

/* x in list: of strings encoded, where they are. */
static struct ex is_in(struct site *x, const struct expr *a, const struct expr *list)
{
	if (type_is(a->type, T_STRING) && list->type.list && list->type.kind == T_STRING) {
		enum form f = xl_form(x, a), g = xl_form(x, list);

		if (list->op == EX_LIT && f == FORM_T) {
			struct strbuf b = { 0 };
			struct ex r;

			sb_ch(&b, '[');
			for (uint32_t i = 0; i < list->u.lit->n; i++)
				sb_f(&b, "%s%s", i ? ", " : "", xl_lit_text(x, &list->u.lit->u.list[i], FORM_T).s);
			sb_ch(&b, ']');
			r = infix(x, "in", P_CMP, xl_text(x, a, FORM_T), (struct ex){ .s = sb_cstr(&b), .prec = P_ATOM });
			sb_free(&b);
			return r;
		}
		if (list->op != EX_LIT && g == FORM_AGG)
			return infix(x, "in", P_CMP, xl_text(x, a, FORM_T), ex_f(x, P_ATOM, "fromJSON(%s)", xl_text(x, list, FORM_AGG).s));
	}
	return infix(x, "in", P_CMP, xl_native(x, a), xl_native(x, list));
}

/* An element of a list: natively, or (text) as the parameter has it. */
static struct ex element(struct site *x, const struct expr *e, bool text)
{
	const struct expr *list = e->u.args[0], *i = e->u.args[1];
	struct ex l = text ? ex_f(x, P_ATOM, "fromJSON(%s)", xl_text(x, list, FORM_ANY).s) : xl_native(x, list), at;
	const char *v, *k;

	if (list->type.kind == T_JSON && !list->type.list && i->type.kind == T_STRING) {
		v = xl_let(x);
		k = xl_let(x);
		return ex_let(x, "let %s = %s; let %s = %s; %s in %s ? %s[%s] : %s", v, l.s, k, xl_native(x, i).s, k, v, v, k,
			xl_fail(x, CW0705, e->span, "the json object has no such member"));
	}
	if (i->op == EX_LIT && i->u.lit->u.i >= 0) {
		v = xl_let(x);
		return ex_let(x, "let %s = %s; len(%s) > %lld ? %s[%lld] : %s", v, l.s, v, (long long)i->u.lit->u.i, v, (long long)i->u.lit->u.i,
			xl_fail(x, CW0704, i->span, "an index is out of range"));
	}
	at = xl_native(x, i);
	v = xl_let(x);
	k = xl_let(x);
	return ex_let(x, "let %s = %s; let %s = int(%s); %s >= 0 && %s < len(%s) ? %s[%s] : %s", v, l.s, k, at.s, k, k, v, v, k,
		xl_fail(x, CW0704, i->span, "an index is out of range"));
}

static struct ex member(struct site *x, const struct expr *e)
{
	struct ex j = xl_native(x, e->u.member.arg);
	const char *v = xl_let(x);
	struct strbuf k = { 0 };
	struct ex r;

	xl_string(&k, e->u.member.key->s, e->u.member.key->len);
	r = ex_let(x, "let %s = %s; %s in %s ? %s[%s] : %s", v, j.s, sb_cstr(&k), v, v, sb_cstr(&k),
		xl_fail(x, CW0705, e->span, a_f(x->g, "the json object has no member '%s'", e->u.member.key->s)));
	sb_free(&k);
	return r;
}

static struct ex list_of(struct site *x, const struct expr *e)
{
	struct strbuf b = { 0 };
	bool opt = false;
	struct ex r;

	sb_ch(&b, '[');
	for (uint32_t i = 0; i < e->n; i++) {
		const struct expr *a = e->u.args[i];

		sb_z(&b, i ? ", " : "");
		if (a->type.opt && e->type.kind != T_JSON) {
			opt = true;
			sb_f(&b, "%s ? %s : nil", ex_in(x, xl_present(x, a), P_CMP), ex_in(x, xl_native(x, a), P_OR));
		} else {
			sb_z(&b, xl_native(x, a).s);
		}
	}
	sb_ch(&b, ']');
	r = ex_f(x, P_ATOM, opt ? "filter(%s, # != nil)" : "%s", sb_cstr(&b));
	sb_free(&b);
	return r;
}

static struct ex map_of(struct site *x, const struct expr *e)
{
	struct strbuf b = { 0 };
	struct ex r;

	sb_z(&b, "({");
	for (uint32_t i = 0; i + 1 < e->n; i += 2) {
		const struct expr *v = e->u.args[i + 1];
		struct ex n = type_is(v->type, T_TIME) ? xl_text(x, v, FORM_ANY) : xl_native(x, v);

		sb_f(&b, "%s%s: %s", i ? ", " : "", xl_native(x, e->u.args[i]).s, ex_in(x, n, P_OR));
	}
	sb_z(&b, " })");
	r = (struct ex){ .s = a_buf(x->g, &b), .prec = P_ATOM };
	return r;
}

/* pattern with v for each @ */
static const char *filled(struct site *x, const char *pattern, const char *v)
{
	struct strbuf b = { 0 };

	for (; *pattern; pattern++) {
		if (*pattern == '@')
			sb_z(&b, v);
		else
			sb_ch(&b, *pattern);
	}
	return a_buf(x->g, &b);
}

/* json to a checked type. */
static struct ex from_json(struct site *x, const struct expr *e, struct ex j)
{
	const char *v = xl_let(x), *want = "type(@) == 'string'", *get = "@";
	struct strbuf t = { 0 };
	struct type to = e->type;

	to.opt = false;
	type_str(&t, to);
	if (to.list) {
		want = "type(@) == 'array'";
	} else if (to.kind == T_INT || to.kind == T_SIZE) {
		want = "type(@) in ['int', 'float'] && floor(@) == @";
		get = "int(@)";
	} else if (to.kind == T_FLOAT || to.kind == T_DURATION) {
		want = "type(@) in ['int', 'float'] || @ in ['nan', 'inf', '-inf']";
		get = "float(@)";
	} else if (to.kind == T_BOOL) {
		want = "type(@) == 'bool'";
	} else if (to.kind == T_TIME) {
		get = "date(@)";
	}
	j = ex_let(x, "let %s = %s; %s ? %s : %s", v, j.s, filled(x, want, v), filled(x, get, v),
		xl_fail(x, CW0706, e->span, a_f(x->g, "the json value is not of type %s", sb_cstr(&t))));
	sb_free(&t);
	return j;
}

static struct ex conv(struct site *x, const struct expr *e)
{
	const struct expr *a = e->u.args[0];

	if (type_is(a->type, T_JSON) && !type_is(e->type, T_JSON) && e->type.kind != T_JSON)
		return from_json(x, e, xl_native(x, a));
	if (type_is(a->type, T_STRING) && e->type.kind == T_TIME)
		return ex_f(x, P_ATOM, "date(%s)", xl_native(x, a).s);
	if (type_is(e->type, T_JSON) && type_is(a->type, T_TIME))
		return xl_text(x, a, FORM_ANY);
	return xl_native(x, a);
}

/* The outputs of an if or a group are those of the branch that ran. */
static const struct port *region_port(const struct expr *e)
{
	const struct node *n = e->u.node;

	if (e->fn != REF_OUTPUT || (n->kind != N_IF && n->kind != N_GROUP))
		return NULL;
	return &n->ports[e->n];
}

struct ex xl_native(struct site *x, const struct expr *e)
{
	static const char *const ops[EX_COUNT] = {
		[EX_OR] = "||", [EX_AND] = "&&", [EX_LT] = "<", [EX_LE] = "<=", [EX_GT] = ">", [EX_GE] = ">=",
	};
	struct ex a, b, c;
	const struct node *f = record_of(e);

	if (f && record_values(x->g, e, f))
		return xl_of_text(x, e->type, xl_text(x, e, FORM_ANY));
	switch ((enum expr_op)e->op) {
	case EX_LIT:
		return xl_lit(x, e->u.lit);
	case EX_REF:
	case EX_COALESCE:
		return xl_of_text(x, e->type, xl_text(x, e, FORM_ANY));
	case EX_LIST:
		return list_of(x, e);
	case EX_MAP:
		return map_of(x, e);
	case EX_CONCAT:
		return xl_decode(x, xl_text(x, e, FORM_ANY));
	case EX_COND:
		a = xl_native(x, e->u.args[0]);
		b = xl_native(x, e->u.args[1]);
		c = xl_native(x, e->u.args[2]);
		return ex_f(x, P_OPEN, "%s ? %s : %s", ex_in(x, a, P_OR), ex_in(x, b, P_OR), c.s);
	case EX_OR:
	case EX_AND:
		return infix(x, ops[e->op], e->op == EX_OR ? P_OR : P_AND, xl_native(x, e->u.args[0]), xl_native(x, e->u.args[1]));
	case EX_EQ:
		return equal(x, e->u.args[0], e->u.args[1], "==");
	case EX_NE:
		return equal(x, e->u.args[0], e->u.args[1], "!=");
	case EX_LT:
	case EX_LE:
	case EX_GT:
	case EX_GE:
		return infix(x, ops[e->op], P_CMP, xl_native(x, e->u.args[0]), xl_native(x, e->u.args[1]));
	case EX_IN:
		return is_in(x, e->u.args[0], e->u.args[1]);
	case EX_ADD:
	case EX_SUB:
	case EX_MUL:
	case EX_DIV:
	case EX_MOD:
	case EX_NEG:
		return xl_arith(x, e);
	case EX_NOT:
		return ex_f(x, P_UNARY, "!%s", ex_in(x, xl_native(x, e->u.args[0]), P_ATOM));
	case EX_MEMBER:
		return member(x, e);
	case EX_INDEX:
		if (e->u.args[0]->type.list && xl_form(x, e->u.args[0]) == FORM_AGG && e->u.args[0]->op == EX_REF) {
			a = element(x, e, true);
			a.form = e->type.kind == T_STRING || e->type.kind == T_JSON ? FORM_T : FORM_SAFE;
			return xl_of_text(x, e->type, a);
		}
		return element(x, e, false);
	case EX_CALL:
		return xl_call(x, e);
	case EX_CONV:
		return conv(x, e);
	default:
		return (struct ex){ .s = "nil", .prec = P_ATOM };
	}
}

/* ---- texts ---- */

/* Operands of an interpolation, joined; literals beside each other in one. */
static struct ex concat(struct site *x, const struct expr *e, enum form want)
{
	struct strbuf b = { 0 };
	struct ex r;

	for (uint32_t i = 0; i < e->n; i++) {
		const struct expr *a = e->u.args[i];
		struct ex t;

		if (type_is(a->type, T_JSON)) {
			const char *v = xl_let(x);

			/* the characters of a json string, the JSON of anything else */
			t = ex_let(x, "let %s = %s; type(%s) == 'string' ? %s : toJson(%s)", v, xl_native(x, a).s, v, v, v);
			if (want == FORM_T)
				t = xl_encode(x, t);
		} else {
			t = xl_text(x, a, want);
		}
		sb_f(&b, "%s%s", i ? " + " : "", ex_in(x, t, P_ADD));
	}
	if (!e->n)
		sb_z(&b, "''");
	r = (struct ex){ .prec = e->n > 1 ? P_ADD : P_ATOM, .form = (uint8_t)want };
	r.s = a_buf(x->g, &b);
	if (e->n == 1)
		r.prec = P_ADD;
	return r;
}

/* An if's or a group's output: the first branch that has it; the others' tasks were skipped, so theirs is nil. */
static struct ex region_text(struct site *x, const struct expr *e, const struct port *p, enum form want)
{
	const struct node *n = e->u.node;
	uint32_t k = n->kind == N_IF ? n->u.if_.n : 1;
	struct ex r = { 0 };

	for (uint32_t i = k; i-- > 0;) {
		struct ex t;

		if (!p->value[i])
			continue;
		t = xl_text(x, p->value[i], want);
		if (n->kind == N_IF && !t.nil && p->value[i]->op != EX_REF) {
			/* a value that no task gives: only the condition tells whether it holds */
			struct cond c = { n, i, info(x->g, n)->cond };
			struct ex f = t;

			t = ex_f(x, P_OPEN, "%s ? %s : nil", ex_in(x, xl_cond(x, &c), P_OR), ex_in(x, f, P_OR));
			t.nil = true;
			t.form = f.form;
		}
		if (!r.s) {
			r = t;
			r.nil |= n->kind == N_IF && p->type.opt;
		} else {
			struct ex next = ex_f(x, P_OPEN, "%s ?? %s", ex_in(x, t, P_ATOM), ex_in(x, r, P_ATOM));

			next.form = r.form == t.form ? r.form : (uint8_t)want;
			next.nil = r.nil;
			next.null = r.null || t.null;
			r = next;
		}
	}
	if (!r.s)
		r = (struct ex){ .s = "nil", .prec = P_ATOM, .nil = true };
	if (!p->type.opt)
		r.nil = false;
	return r;
}

/* A status of an if's step is "skipped" where its branch was not taken. */
static struct ex region_status(struct site *x, const struct expr *e, const struct port *p)
{
	const struct node *n = e->u.node;
	struct ex r = { 0 };

	for (uint32_t i = n->kind == N_IF ? n->u.if_.n : 1; i-- > 0;) {
		struct ex t;

		if (!p->value[i])
			continue;
		t = xl_text(x, p->value[i], FORM_ANY);
		if (!r.s) {
			r = t;
		} else {
			const char *v = xl_let(x);

			r = ex_let(x, "let %s = %s; %s != 'skipped' ? %s : %s", v, t.s, v, v, ex_in(x, r, P_OR));
		}
	}
	r.form = FORM_SAFE;
	return r;
}

static struct ex ref_text(struct site *x, const struct expr *e, enum form want)
{
	const struct port *p = region_port(e);
	struct ex t;

	if (p) {
		uint32_t i = 0;

		while (i + 1 < (e->u.node->kind == N_IF ? e->u.node->u.if_.n : 1) && !p->value[i])
			i++;
		if (p->value[i] && p->value[i]->op == EX_REF && p->value[i]->fn == REF_STATUS)
			return region_status(x, e, p);
		return region_text(x, e, p, want);
	}
	t = xl_ref(x, e);
	if (e->type.kind == T_TIME && !e->type.list && !t.nil && !t.null) {
		t = xl_to_text(x, type_of(T_TIME), xl_of_text(x, type_of(T_TIME), t), FORM_SAFE);
		t.tag = false;
	}
	return t;
}

/* text in its own form to the form wanted */
static struct ex reform(struct site *x, const struct expr *e, struct ex t, enum form want)
{
	struct ex r, in = t;
	const char *v;

	if (t.form == want || (t.form == FORM_SAFE && (!e->type.list || e->type.kind == T_STRING || e->type.kind == T_JSON)) || (!e->type.list && want == FORM_SAFE))
		return t;
	if (!t.nil && !t.null) {
		r = e->type.list ? xl_to_text(x, e->type, xl_of_text(x, e->type, t), want) : want == FORM_T ? xl_encode(x, t) : xl_decode(x, t);
	} else {
		v = xl_let(x);
		in.s = v;
		in.prec = P_ATOM;
		in.nil = in.null = false;
		r = e->type.list ? xl_to_text(x, e->type, xl_of_text(x, e->type, in), want) : want == FORM_T ? xl_encode(x, in) : xl_decode(x, in);
		r = ex_let(x, "let %s = %s; %s == '" ABSENT "' ? %s : %s", v, xl_sealed(x, t).s, v, v, r.s);
		r.null = true;
	}
	r.form = (uint8_t)want;
	return r;
}

static struct ex cond_text(struct site *x, const struct expr *e, enum form want)
{
	struct ex a = xl_text(x, e->u.args[1], want), b = xl_text(x, e->u.args[2], want), r;

	r = ex_f(x, P_OPEN, "%s ? %s : %s", ex_in(x, xl_bool(x, e->u.args[0]), P_OR), ex_in(x, a, P_OR), b.s);
	r.form = (uint8_t)want;
	r.nil = a.nil || b.nil;
	r.null = a.null || b.null;
	return r;
}

struct ex xl_text(struct site *x, const struct expr *e, enum form want)
{
	const struct node *f = record_of(e);
	struct ex t;

	if (f && record_values(x->g, e, f))
		return reform(x, e, record_text(x, e, f, want), want == FORM_ANY ? record_form(x->g, e, f) : want);
	if (want == FORM_ANY)
		want = xl_form(x, e);
	switch ((enum expr_op)e->op) {
	case EX_LIT:
		return xl_lit_text(x, e->u.lit, want);
	case EX_REF:
		return reform(x, e, ref_text(x, e, want), want);
	case EX_CONCAT:
		return concat(x, e, want);
	case EX_COND:
		return cond_text(x, e, want);
	case EX_COALESCE:
		return reform(x, e, coalesce(x, e, want), want);
	case EX_INDEX:
		if (e->u.args[0]->type.list && e->u.args[0]->op == EX_REF && xl_form(x, e->u.args[0]) == FORM_AGG) {
			t = element(x, e, true);
			t.form = e->type.kind == T_STRING || e->type.kind == T_JSON ? FORM_T : FORM_SAFE;
			return reform(x, e, t, want);
		}
		break;
	case EX_CONV:
		/* a bare reference passes its text on: an int as a float, a value as an optional one */
		if (e->u.args[0]->type.kind == e->type.kind || (e->u.args[0]->type.kind == T_INT && e->type.kind == T_FLOAT))
			if (e->u.args[0]->type.list == e->type.list)
				return xl_text(x, e->u.args[0], want);
		if (is_null(e->u.args[0]))
			return xl_text(x, e->u.args[0], want);
		break;
	default:
		break;
	}
	return xl_to_text(x, e->type, xl_native(x, e), want);
}

/* ---- conditions ---- */

struct ex xl_cond(struct site *x, const struct cond *c)
{
	struct ex r = { 0 };
	const struct cond *at = x->cond;

	/* before the outer condition is known to hold, what is in its branch may not be there */
	x->cond = NULL;
	for (; c; c = c->up) {
		const struct branch *v = c->if_->u.if_.v;

		for (uint32_t i = c->branch + 1; i-- > 0;) {
			struct ex e;

			if (!v[i].cond)
				continue;
			e = xl_bool(x, v[i].cond);
			if (i < c->branch)
				e = ex_f(x, P_UNARY, "!%s", ex_in(x, e, P_ATOM));
			r = r.s ? ex_f(x, P_AND, "%s && %s", ex_in(x, e, P_AND), ex_in(x, r, P_AND)) : e;
		}
	}
	x->cond = at;
	return r;
}
