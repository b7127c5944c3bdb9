/* Expressions: literals, lists, maps, interpolation, operators. */
#include "scope.h"

#include <math.h>

/* ---- literals ---- */

static struct expr *bad_literal(struct elab *e, const struct ast_expr *x, const char *what, struct type want, const char *mend)
{
	struct diag_item *it = diag_at(e->diag, CW0301, x->span, "%s needs %s, and this text is none", what_text(e, what), type_words(e, want));

	diag_mend(e->diag, it, "%s", mend);
	return NULL;
}

/* Text where a time, a duration or a size is wanted. */
static struct expr *text_literal(struct elab *e, const struct ast_expr *x, struct type want, struct value *v, const char *what)
{
	const struct str *s = x->u.str;
	const char *err;
	double d;

	v->type = type_of((enum type_kind)want.kind);
	switch (want.list ? T_STRING : want.kind) {
	case T_TIME:
		if (time_parse(s->s, s->len, &v->u.t.sec, &v->u.t.nsec) < 0)
			return bad_literal(e, x, what, want, "write it as RFC 3339: \"2026-01-31T12:00:00Z\"");
		break;
	case T_DURATION:
		if (duration_parse(s->s, s->len, &v->u.d) < 0)
			return bad_literal(e, x, what, want, "write it with its unit: 30s, 15m, 1h30m");
		break;
	case T_SIZE:
		if (size_parse(s->s, s->len, &d) < 0)
			return bad_literal(e, x, what, want, "write it with its unit: 512Mi, 10GB");
		v->u.i = (int64_t)llround(d);
		break;
	default:
		if (value_check_text(s->s, s->len, &err) < 0) {
			diag_at(e->diag, CW0311, x->span, "%s", err);
			return NULL;
		}
		v->type = type_of(T_STRING);
		v->u.s = s;
	}
	return expr_lit(e->arena, v, x->span);
}

struct expr *elab_literal(struct elab *e, const struct ast_expr *x, struct type want, const char *what)
{
	struct value *v = arena_new_of(e->arena, struct value);
	struct expr *l;

	e->ops++;
	switch (x->kind) {
	case AX_INT:
		v->type = type_of(want.kind == T_FLOAT && !want.list ? T_FLOAT : T_INT);
		if (v->type.kind == T_FLOAT)
			v->u.d = (double)x->u.i;
		else
			v->u.i = x->u.i;
		break;
	case AX_FLOAT: v->type = type_of(T_FLOAT); v->u.d = x->u.d; break;
	case AX_BOOL: v->type = type_of(T_BOOL); v->u.b = x->u.b; break;
	case AX_DURATION: v->type = type_of(T_DURATION); v->u.d = x->u.d; break;
	case AX_SIZE: v->type = type_of(T_SIZE); v->u.i = (int64_t)llround(x->u.d); break;
	case AX_STRING:
		l = text_literal(e, x, want, v, what);
		return l && type_is(want, T_JSON) ? to_json(e, l) : l;
	default: v->type = type_of(T_NULL); break;
	}
	l = expr_lit(e->arena, v, x->span);
	return type_is(want, T_JSON) && v->type.kind != T_NULL ? to_json(e, l) : l;
}

struct expr *to_json(struct elab *e, struct expr *x)
{
	struct expr *c;

	if (type_is(x->type, T_JSON))
		return x;
	c = expr_new(e->arena, EX_CALL, type_of(T_JSON), x->span, 1);
	c->fn = FN_json;
	c->u.args[0] = x;
	return fold(e, c);
}

/* ---- lists and maps ---- */

static bool report_nested(struct elab *e, const struct expr *x)
{
	struct diag_item *it = diag_at(e->diag, CW0307, x->span, "a list cannot hold %s", x->type.list ? "lists" : "this");

	diag_mend(e->diag, it, "use json for nested values: let xs: json = ..., in x: json = json(...)");
	return false;
}

/* The type of all elements; false after a diagnostic. */
static bool element_type(struct elab *e, struct expr **v, uint32_t n, struct type *t)
{
	*t = type_of(T_ANY);
	for (uint32_t i = 0; i < n; i++) {
		struct type joined;

		if (v[i]->type.opt || v[i]->type.kind == T_NULL) {
			report_optional(e, v[i], "an element of a list");
			return false;
		}
		if (v[i]->type.list)
			return report_nested(e, v[i]);
		if (t->kind == T_ANY) {
			*t = v[i]->type;
			continue;
		}
		if (!type_join(*t, v[i]->type, &joined)) {
			struct diag_item *it = diag_at(e->diag, CW0301, v[i]->span, "the elements of a list have one type: this is %s, those before it %s",
				type_words(e, v[i]->type), type_words(e, *t));

			diag_mend(e->diag, it, "convert one of them, or declare the whole as json");
			return false;
		}
		*t = joined;
	}
	return true;
}

struct expr *elab_list(struct elab *e, struct scope *s, const struct ast_expr *x, struct type want, const char *what, const struct record **rec)
{
	struct type hint = type_of(want.list ? (enum type_kind)want.kind : type_is(want, T_JSON) ? T_JSON : T_NONE), t;
	struct expr *l = expr_new(e->arena, EX_LIST, type_list(T_ANY), x->span, x->n);
	const struct record *all = NULL, *r;
	bool ok = true, json = type_is(want, T_JSON);

	if (want.list && want.kind == T_ANY)
		hint = type_of(T_NONE);
	for (uint32_t i = 0; i < x->n; i++) {
		r = NULL;
		l->u.args[i] = elab_value(e, s, x->args[i], hint.kind == T_JSON ? type_of(T_NONE) : hint, 0, what, &r);
		if (l->u.args[i] && l->u.args[i]->type.kind != T_NONE && hint.kind == T_JSON)
			l->u.args[i] = to_json(e, l->u.args[i]);
		if (!l->u.args[i] || l->u.args[i]->type.kind == T_NONE)
			ok = false;
		all = i ? record_join(e, all, r) : r;
		if (!ok)
			return NULL;      /* the others most likely have the same mistake */
	}
	if (!element_type(e, l->u.args, x->n, &t))
		return NULL;
	for (uint32_t i = 0; i < x->n; i++)
		if (!(l->u.args[i] = coerce(e, s, l->u.args[i], t, 0, what)))
			return NULL;
	l->type = x->n || !want.list ? type_list((enum type_kind)t.kind) : type_list((enum type_kind)want.kind);
	l = fold(e, l);
	if (l && t.kind == T_JSON)
		*rec = all;
	return l && json ? to_json(e, l) : l;
}

static bool map_value(struct elab *e, struct expr *v, const struct ast_stmt *entry)
{
	struct diag_item *it;

	if (!v || v->type.kind == T_NONE)
		return false;
	if (v->type.opt) {
		report_optional(e, v, "a value of a map");
		return false;
	}
	if (!type_is_path(v->type))
		return true;
	it = diag_at(e->diag, CW0301, v->span, "a map holds json values, and '%s' is %s", entry->name->s, type_words(e, v->type));
	diag_mend(e->diag, it, "pass the file by an input of its own");
	return false;
}

struct expr *elab_map(struct elab *e, struct scope *s, const struct ast_expr *x, const char *what, const struct record **rec)
{
	const struct ast_block *b = x->u.block;
	struct expr *m = expr_new(e->arena, EX_MAP, type_of(T_JSON), x->span, 2 * b->n);
	struct record *r = arena_alloc(e->arena, sizeof *r + b->n * sizeof r->v[0]);
	struct strmap seen = { 0 };
	bool ok = true;

	for (uint32_t i = 0; i < b->n; i++) {
		const struct ast_stmt *st = b->v[i];
		struct type t;

		if (st->kind != AS_ENTRY || !st->value) {
			if (st->kind != AS_ERROR)
				diag_at(e->diag, CW0215, st->head, "a map holds NAME = VALUE only");
			return NULL;
		}
		if (strmap_get(&seen, st->name)) {
			struct diag_item *it = diag_at(e->diag, CW0218, st->name_span, "'%s' stands twice in this map", st->name->s);

			diag_note(e->diag, it, ((const struct ast_stmt *)strmap_get(&seen, st->name))->name_span, "the first is here");
			ok = false;
		}
		strmap_put(e->arena, &seen, st->name, b->v[i]);
		m->u.args[2 * i] = literal_str(e, st->name, st->name_span);
		m->u.args[2 * i + 1] = elab_value(e, s, st->value, type_of(st->value->kind == AX_LIST ? T_JSON : T_NONE), 0, what, NULL);
		if (!map_value(e, m->u.args[2 * i + 1], st)) {
			ok = false;
			continue;
		}
		t = m->u.args[2 * i + 1]->type;
		r->v[r->n].name = st->name;
		r->v[r->n].type = type_is_scalar(t) ? t : type_of(T_JSON);
		r->v[r->n++].everywhere = true;
	}
	if (!ok)
		return NULL;
	*rec = r;
	return fold(e, m);
}

struct expr *elab_interp(struct elab *e, struct scope *s, const struct ast_expr *x, const char *what)
{
	struct expr *c = expr_new(e->arena, EX_CONCAT, type_of(T_STRING), x->span, x->n);
	bool ok = true;

	for (uint32_t i = 0; i < x->n; i++) {
		struct expr *v = elab_value(e, s, x->args[i], type_of(T_NONE), 0, what, NULL);
		struct diag_item *it;

		c->u.args[i] = v;
		if (!v || v->type.kind == T_NONE) {
			ok = false;
		} else if (v->type.opt || v->type.kind == T_NULL) {
			report_optional(e, v, "\"${...}\"");
			ok = false;
		} else if (type_is_path(v->type) && !s->command) {
			it = diag_at(e->diag, CW0312, v->span, "'%s' is a %s, which has no text to put into a string", source_text(e, v->span), type_words(e, v->type));
			diag_mend(e->diag, it, "pass it as an input of its own: the step's script uses its path");
			ok = false;
		} else if (v->type.list && !type_is_path(v->type) && !s->command) {
			it = diag_at(e->diag, CW0312, v->span, "a list has no text of its own");
			diag_mend(e->diag, it, "join it, \"${join(xs, \",\")}\", or pass it as an input: the step sees it as JSON");
			ok = false;
		}
	}
	return ok ? fold(e, c) : NULL;
}

/* ---- operators ---- */

static struct expr *wrong_types(struct elab *e, const struct ast_expr *x, struct type a, struct type b, const char *mend)
{
	struct diag_item *it = diag_at(e->diag, CW0303, x->span, "'%s' does not take %s and %s", expr_ops[x->op].spelling, type_words(e, a), type_words(e, b));

	if (mend)
		diag_mend(e->diag, it, "%s", mend);
	return NULL;
}

/* Result of + - * / %; T_NONE where the operator does not take these. */
static struct type arith_type(uint8_t op, struct type a, struct type b)
{
	bool da = type_is(a, T_DURATION), db = type_is(b, T_DURATION), ta = type_is(a, T_TIME), tb = type_is(b, T_TIME);

	if (type_is_num(a) && type_is_num(b)) {
		if (op == EX_MOD)
			return type_of(a.kind == T_INT && b.kind == T_INT ? T_INT : T_NONE);
		return type_of(op != EX_DIV && a.kind == T_INT && b.kind == T_INT ? T_INT : T_FLOAT);
	}
	if (op == EX_ADD && ((ta && db) || (da && tb)))
		return type_of(T_TIME);
	if (op == EX_SUB && ta && db)
		return type_of(T_TIME);
	if (op == EX_SUB && ta && tb)
		return type_of(T_DURATION);
	if ((op == EX_ADD || op == EX_SUB) && da && db)
		return type_of(T_DURATION);
	if (op == EX_MUL && ((da && type_is_num(b)) || (type_is_num(a) && db)))
		return type_of(T_DURATION);
	return type_of(T_NONE);
}

static const char *arith_mend(uint8_t op, struct type a, struct type b)
{
	if (type_is(a, T_STRING) || type_is(b, T_STRING))
		return op == EX_ADD ? "join text by interpolation: \"${a}${b}\"" : "convert text first: int(x), float(x)";
	if (a.kind == T_JSON || b.kind == T_JSON)
		return "convert json first: int(x), float(x)";
	if (a.list || b.list)
		return "lists are reduced by functions: sum(xs), len(xs), max(xs)";
	if (op == EX_MOD)
		return "'%' takes ints: int(x)";
	return "these are for numbers, times and durations";
}

/* Text beside a time is read as a time, and so on. */
static bool operands(struct elab *e, struct scope *s, const struct ast_expr *x, const char *what, struct expr **a, struct expr **b)
{
	struct type none = type_of(T_NONE), h = none;
	bool swap = x->args[0]->kind == AX_STRING;
	struct expr *v[2];

	v[swap] = elab_value(e, s, x->args[swap], none, 0, what, NULL);
	if (v[swap] && (v[swap]->type.kind == T_TIME || v[swap]->type.kind == T_DURATION || v[swap]->type.kind == T_SIZE))
		h = type_of((enum type_kind)v[swap]->type.kind);
	v[!swap] = elab_value(e, s, x->args[!swap], x->args[!swap]->kind == AX_STRING ? h : none, 0, what, NULL);
	*a = v[0];
	*b = v[1];
	return v[0] && v[1] && v[0]->type.kind != T_NONE && v[1]->type.kind != T_NONE;
}

static bool plain(struct elab *e, const struct ast_expr *x, const struct expr *v)
{
	if (!v->type.opt)
		return true;
	report_optional(e, v, str_internf(e->strs, "'%s'", expr_ops[x->op].spelling)->s);
	return false;
}

static struct expr *binary(struct elab *e, const struct ast_expr *x, struct type t, struct expr *a, struct expr *b)
{
	struct expr *r = expr_new(e->arena, (enum expr_op)x->op, t, x->span, 2);

	r->u.args[0] = a;
	r->u.args[1] = b;
	return fold(e, r);
}

static struct expr *arith(struct elab *e, struct scope *s, const struct ast_expr *x, const char *what)
{
	struct expr *a, *b;
	struct type t;

	if (!operands(e, s, x, what, &a, &b) || !plain(e, x, a) || !plain(e, x, b))
		return NULL;
	t = arith_type(x->op, a->type, b->type);
	if (t.kind == T_NONE)
		return wrong_types(e, x, a->type, b->type, arith_mend(x->op, a->type, b->type));
	return binary(e, x, t, a, b);
}

static bool comparable(const struct ast_expr *x, struct type a, struct type b)
{
	struct type j;
	bool order = x->op != EX_EQ && x->op != EX_NE;

	if (!type_join(a, b, &j) || type_is_path(j))
		return false;
	if (j.list)
		return !order;
	return !order || type_is_num(j) || j.kind == T_STRING || j.kind == T_TIME || j.kind == T_DURATION || j.kind == T_SIZE;
}

/* a < b < c, which the parser has reported. */
static bool chained(const struct ast_expr *x)
{
	return x->kind == AX_OP && !x->paren && expr_ops[x->op].prec == expr_ops[EX_EQ].prec;
}

static struct expr *compare(struct elab *e, struct scope *s, const struct ast_expr *x, const char *what)
{
	struct expr *a, *b;
	struct diag_item *it;
	const char *mend = NULL;

	if (chained(x->args[0]) || !operands(e, s, x, what, &a, &b))
		return NULL;
	if (a->type.kind == T_NULL || b->type.kind == T_NULL) {
		it = diag_at(e->diag, CW0313, x->span, "nothing is compared with null");
		diag_mend(e->diag, it, "ask whether it is there: %spresent(%s)", x->op == EX_EQ ? "!" : "",
			source_text(e, x->args[a->type.kind == T_NULL]->span));
		return NULL;
	}
	if (!plain(e, x, a) || !plain(e, x, b))
		return NULL;
	if ((x->op == EX_EQ || x->op == EX_NE) && (type_is(a->type, T_JSON) != type_is(b->type, T_JSON)) && !type_is_path(a->type) && !type_is_path(b->type)) {
		a = to_json(e, a);
		b = to_json(e, b);
		return a && b ? binary(e, x, type_of(T_BOOL), a, b) : NULL;
	}
	if (!comparable(x, a->type, b->type)) {
		if (type_is_path(a->type) || type_is_path(b->type))
			mend = "files are not compared; let a step compare them and put out a bool";
		else if (a->type.kind == T_JSON || b->type.kind == T_JSON)
			mend = "convert json first: int(x), float(x), str(x)";
		else if (a->type.list != b->type.list)
			mend = "a list is searched with `in` or contains(list, x), counted with len(list)";
		else if (a->type.kind == T_BOOL && b->type.kind == T_BOOL)
			mend = "bools are equal or not; they have no order";
		else
			mend = "compare values of one type; convert one of them: int(x), float(x), str(x)";
		return wrong_types(e, x, a->type, b->type, mend);
	}
	return binary(e, x, type_of(T_BOOL), a, b);
}

static struct expr *in_list(struct elab *e, struct scope *s, const struct ast_expr *x, const char *what)
{
	struct expr *a = elab_value(e, s, x->args[0], type_of(T_NONE), 0, what, NULL), *b;
	struct type h = type_of(T_NONE), j;
	struct diag_item *it;

	if (a && (a->type.kind == T_TIME || a->type.kind == T_DURATION || a->type.kind == T_SIZE))
		h = type_list((enum type_kind)a->type.kind);
	b = elab_value(e, s, x->args[1], h, 0, what, NULL);
	if (!a || !b || a->type.kind == T_NONE || b->type.kind == T_NONE || !plain(e, x, a) || !plain(e, x, b))
		return NULL;
	if (!b->type.list) {
		it = diag_at(e->diag, CW0303, b->span, "'in' needs a list on its right, and this is %s", type_words(e, b->type));
		if (type_is(b->type, T_STRING))
			diag_mend(e->diag, it, "text in text: contains(%s, %s)", source_text(e, b->span), source_text(e, a->span));
		return NULL;
	}
	if (a->type.list || type_is_path(a->type) || (b->type.kind != T_ANY && !type_join(a->type, type_of((enum type_kind)b->type.kind), &j)))
		return wrong_types(e, x, a->type, b->type, "the element and the list have one type");
	return binary(e, x, type_of(T_BOOL), a, b);
}

static struct expr *logic(struct elab *e, struct scope *s, const struct ast_expr *x)
{
	const char *what = x->op == EX_AND ? "'&&'" : "'||'";
	struct expr *a = elab_cond(e, s, x->args[0], what), *b = elab_cond(e, s, x->args[1], what);

	return a && b ? binary(e, x, type_of(T_BOOL), a, b) : NULL;
}

static struct expr *unary(struct elab *e, struct scope *s, const struct ast_expr *x, struct type want, const char *what)
{
	struct expr *a, *r;

	if (x->op == EX_NOT) {
		a = elab_cond(e, s, x->args[0], "'!'");
	} else {
		a = elab_value(e, s, x->args[0], type_is_num(want) ? type_of(x->args[0]->kind == AX_INT ? (enum type_kind)want.kind : T_NONE) : type_of(T_NONE), 0, what, NULL);
		if (a && a->type.opt) {
			report_optional(e, a, "'-'");
			return NULL;
		}
		if (a && a->type.kind != T_NONE && !type_is_num(a->type) && !type_is(a->type, T_DURATION)) {
			diag_at(e->diag, CW0303, x->span, "'-' does not take %s", type_words(e, a->type));
			return NULL;
		}
	}
	if (!a || a->type.kind == T_NONE)
		return NULL;
	r = expr_new(e->arena, (enum expr_op)x->op, a->type, x->span, 1);
	r->u.args[0] = a;
	return fold(e, r);
}

static struct expr *conditional(struct elab *e, struct scope *s, const struct ast_expr *x, struct type want, const char *what, const struct record **rec)
{
	const struct record *ra = NULL, *rb = NULL;
	struct expr *c = elab_cond(e, s, x->args[0], "a condition"), *a, *b, *r;
	struct type w = want, t;
	struct diag_item *it;

	w.opt = true;
	a = elab_value(e, s, x->args[1], w, 0, what, &ra);
	b = elab_value(e, s, x->args[2], w, 0, what, &rb);
	if (!a || !b || !c || a->type.kind == T_NONE || b->type.kind == T_NONE)
		return NULL;
	if (!type_join(a->type, b->type, &t)) {
		it = diag_at(e->diag, CW0301, b->span, "both values of '? :' have one type: this is %s, the other %s", type_words(e, b->type), type_words(e, a->type));
		diag_mend(e->diag, it, "convert one of them: str(x), int(x), float(x)");
		return NULL;
	}
	a = coerce(e, s, a, t, 0, what);
	b = coerce(e, s, b, t, 0, what);
	if (!a || !b)
		return NULL;
	*rec = record_join(e, ra, rb);
	r = expr_new(e->arena, EX_COND, t, x->span, 3);
	r->u.args[0] = c;
	r->u.args[1] = a;
	r->u.args[2] = b;
	return fold(e, r);
}

static struct expr *coalesce(struct elab *e, struct scope *s, const struct ast_expr *x, struct type want, const char *what)
{
	struct expr *a, *b;
	struct type w = want, t, bare;
	struct diag_item *it;

	w.opt = true;
	a = elab_value(e, s, x->args[0], w, 0, what, NULL);
	if (a && type_is_path(a->type))
		w = (struct type){ a->type.kind, a->type.list, true };
	if (w.kind != T_NONE || !a || a->type.kind == T_NULL)
		b = elab_value(e, s, x->args[1], w, 0, what, NULL);
	else
		b = elab_hint(e, s, x->args[1], a->type, what);
	if (!a || !b || a->type.kind == T_NONE || b->type.kind == T_NONE)
		return NULL;
	if (a->type.kind == T_NULL)
		return b;
	if (a->op == EX_REF && a->fn == REF_EXIT_CODE)
		a->type.opt = true;       /* skipped where what the step needs has failed */
	if (!a->type.opt) {
		it = diag_at(e->diag, CW0314, x->span, "'%s' is never absent: the fallback is never used", source_text(e, x->args[0]->span));
		diag_mend(e->diag, it, "leave the fallback out");
		return a;
	}
	bare = a->type;
	bare.opt = false;
	if (!type_join(bare, b->type, &t)) {
		it = diag_at(e->diag, CW0301, b->span, "the fallback is %s, and the value it stands in for %s", type_words(e, b->type), type_words(e, bare));
		diag_mend(e->diag, it, "give a fallback of the same type");
		return NULL;
	}
	bare = t;
	bare.opt = true;
	a = coerce(e, s, a, bare, 0, what);
	b = coerce(e, s, b, t, 0, what);
	return a && b ? binary(e, x, t, a, b) : NULL;
}

struct expr *elab_op(struct elab *e, struct scope *s, const struct ast_expr *x, struct type want, const char *what, const struct record **rec)
{
	switch (x->op) {
	case EX_COND: return conditional(e, s, x, want, what, rec);
	case EX_COALESCE: return coalesce(e, s, x, want, what);
	case EX_OR: case EX_AND: return logic(e, s, x);
	case EX_EQ: case EX_NE: case EX_LT: case EX_LE: case EX_GT: case EX_GE: return compare(e, s, x, what);
	case EX_IN: return in_list(e, s, x, what);
	case EX_NEG: case EX_NOT: return unary(e, s, x, want, what);
	default: return arith(e, s, x, what);
	}
}
