/* Functions: which there are, what they take, what they give. */
#include "scope.h"

#include <string.h>

const char *const dist_names[NDISTS] = {
	[DIST_CHOICE] = "choice", [DIST_STEPS] = "steps", [DIST_UNIFORM] = "uniform", [DIST_LOG_UNIFORM] = "log_uniform", [DIST_INT_UNIFORM] = "int_uniform"
};

int dist_find(const struct str *name)
{
	for (int i = 0; i < NDISTS; i++)
		if (str_eq(name, dist_names[i]))
			return i;
	return -1;
}

/* Argument of a function that may be given by name; its place, -1: the function has none of that name. */
static int named_arg(enum expr_fn fn, const struct str *name)
{
	static const struct { enum expr_fn fn; const char *name; int at; } names[] = {
		{ FN_pad, "fill", 2 }, { FN_pad, "width", 1 }, { FN_format_time, "zone", 2 }, { FN_file, "sha256", 1 }
	};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (names[i].fn == fn && str_eq(name, names[i].name))
			return names[i].at;
	return -1;
}

/* ---- errors ---- */

static struct expr *unknown_fn(struct elab *e, struct scope *s, const struct ast_expr *x)
{
	const struct str *name = x->args[0]->name;
	const char *names[FN_COUNT + NDISTS];
	struct diag_item *it;

	if (dist_find(name) >= 0) {
		it = diag_at(e->diag, CW0207, x->args[0]->span, "'%s' is a distribution, which stands only as an argument of a sweep", name->s);
		diag_mend(e->diag, it, "sweep NAME = TASK(ARG = %s(...)) { search = ...; maximize = ... }", name->s);
		return NULL;
	}
	if (str_eq(name, "secret") || str_eq(name, "config")) {
		it = diag_at(e->diag, CW0207, x->args[0]->span, "%s() stands only in env, env_from and mounts", name->s);
		diag_mend(e->diag, it, "env { NAME = %s(\"name\", \"key\") }", name->s);
		return NULL;
	}
	if (strmap_get(&s->module->tasks, name) || strmap_get(&s->module->workflows, name)) {
		it = diag_at(e->diag, CW0207, x->args[0]->span, "'%s' is called by a step, not in an expression", name->s);
		diag_mend(e->diag, it, "step x = %s(...), then read x.OUTPUT", name->s);
		return NULL;
	}
	for (int i = 0; i < FN_COUNT; i++)
		names[i] = expr_fns[i].name;
	if (alias_function(e->diag, name, x->args[0]->span))
		return NULL;
	it = diag_at(e->diag, CW0207, x->args[0]->span, "there is no function '%s'", name->s);
	did_you_mean(e, it, name, names, FN_COUNT);
	if (it->msg && !it->label)
		diag_mend(e->diag, it, "`couler help functions` lists them");
	return NULL;
}

static struct expr *wrong_arg(struct elab *e, enum expr_fn fn, const struct expr *a, const char *needs)
{
	struct diag_item *it = diag_at(e->diag, CW0305, a->span, "%s() takes %s, and this is %s", expr_fns[fn].name, needs, type_words(e, a->type));

	if (type_is_path(a->type))
		diag_mend(e->diag, it, "the content of a file is read by a step, which can put out the value");
	else
		diag_mend(e->diag, it, "%s gives %s", expr_fns[fn].sig, expr_fns[fn].result);
	return NULL;
}

static bool report_count(struct elab *e, enum expr_fn fn, const struct ast_expr *x)
{
	const struct expr_fn_info *f = &expr_fns[fn];
	struct diag_item *it;

	if (f->hi < 0)
		it = diag_at(e->diag, CW0304, x->span, "%s() takes at least %d argument%s, and this gives %u", f->name, f->lo, f->lo == 1 ? "" : "s", x->u.call.n);
	else if (f->lo != f->hi)
		it = diag_at(e->diag, CW0304, x->span, "%s() takes %d to %d arguments, and this gives %u", f->name, f->lo, f->hi, x->u.call.n);
	else
		it = diag_at(e->diag, CW0304, x->span, "%s() takes %d argument%s, and this gives %u", f->name, f->lo, f->lo == 1 ? "" : "s", x->u.call.n);
	diag_mend(e->diag, it, "%s", f->sig);
	return false;
}

/* ---- arguments ---- */

/* The arguments in their places; false after a diagnostic. */
static bool place_args(struct elab *e, enum expr_fn fn, const struct ast_expr *x, const struct ast_expr **at, uint32_t cap, uint32_t *n)
{
	for (uint32_t i = 0; i < x->u.call.n; i++) {
		const struct ast_arg *a = &x->u.call.v[i];
		int p = a->name ? named_arg(fn, a->name) : (int)i;
		struct diag_item *it;

		if (p < 0) {
			it = diag_at(e->diag, CW0208, a->name_span, "%s() has no argument '%s'", expr_fns[fn].name, a->name->s);
			diag_mend(e->diag, it, "%s", expr_fns[fn].sig);
			return false;
		}
		if ((uint32_t)p >= cap)
			return report_count(e, fn, x);
		if (at[p]) {
			diag_at(e->diag, CW0321, a->value->span, "this argument of %s() is given twice", expr_fns[fn].name);
			return false;
		}
		at[p] = a->value;
		if ((uint32_t)p >= *n)
			*n = (uint32_t)p + 1;
	}
	for (uint32_t i = 0; i < *n; i++)
		if (!at[i])
			return report_count(e, fn, x);
	if (*n < (uint32_t)expr_fns[fn].lo)
		return report_count(e, fn, x);
	return true;
}

static bool is_text(struct type t) { return type_is(t, T_STRING); }
static bool is_json(struct type t) { return type_is(t, T_JSON); }
static bool is_num_list(struct type t) { return t.list && (t.kind == T_INT || t.kind == T_FLOAT || t.kind == T_ANY); }

static bool all_of(struct elab *e, enum expr_fn fn, struct expr **v, uint32_t from, uint32_t to, enum type_kind k)
{
	for (uint32_t i = from; i < to; i++)
		if (!type_is(v[i]->type, k)) {
			wrong_arg(e, fn, v[i], type_words(e, type_of(k)));
			return false;
		}
	return true;
}

/* %Y and so on, where the format is known. */
static bool check_format(struct elab *e, const struct expr *f)
{
	const struct str *s;

	if (!expr_is_const(f) || !type_is(f->type, T_STRING))
		return true;
	s = f->u.lit->u.s;
	for (uint32_t i = 0; i < s->len; i++) {
		struct diag_item *it;

		if (s->s[i] != '%')
			continue;
		if (++i < s->len && strchr("YmdHMSju%", s->s[i]))
			continue;
		it = diag_at(e->diag, CW0311, f->span, "format_time() does not know '%%%.1s'", i < s->len ? &s->s[i] : "");
		diag_mend(e->diag, it, "use %%Y %%m %%d %%H %%M %%S %%j %%u, and %%%% for a percent sign");
		return false;
	}
	return true;
}

static bool check_digest(struct elab *e, const struct expr *d)
{
	struct diag_item *it;
	bool ok = expr_is_const(d) && type_is(d->type, T_STRING) && d->u.lit->u.s->len == 64;

	for (uint32_t i = 0; ok && i < 64; i++)
		ok = strchr("0123456789abcdef", d->u.lit->u.s->s[i]) != NULL;
	if (ok)
		return true;
	it = diag_at(e->diag, CW0305, d->span, "sha256 is a constant of 64 digits 0-9 a-f");
	diag_mend(e->diag, it, "`sha256sum FILE` prints it");
	return false;
}

/* ---- types of results: T_NONE after a diagnostic ---- */

static struct type none(struct expr *unused)
{
	(void)unused;
	return type_of(T_NONE);
}

static struct type numbers(struct elab *e, enum expr_fn fn, struct expr **v, uint32_t n)
{
	struct type t;

	if (n == 1) {
		if (!is_num_list(v[0]->type))
			return none(wrong_arg(e, fn, v[0], "a list of numbers, or two numbers and more"));
		return type_of(v[0]->type.kind == T_FLOAT ? T_FLOAT : T_INT);
	}
	t = type_of(T_INT);
	for (uint32_t i = 0; i < n; i++) {
		if (!type_is_num(v[i]->type))
			return none(wrong_arg(e, fn, v[i], "numbers"));
		if (v[i]->type.kind == T_FLOAT)
			t = type_of(T_FLOAT);
	}
	return t;
}

static struct type conversion(struct elab *e, enum expr_fn fn, struct type t, struct expr *a)
{
	static const struct { enum expr_fn fn; unsigned from; enum type_kind to; const char *needs; } rows[] = {
		{ FN_str, ~0u, T_STRING, "a scalar or json" },
		{ FN_int, 1u << T_STRING | 1u << T_INT | 1u << T_FLOAT | 1u << T_JSON, T_INT, "a number, text or json" },
		{ FN_float, 1u << T_STRING | 1u << T_INT | 1u << T_FLOAT | 1u << T_JSON | 1u << T_DURATION | 1u << T_SIZE, T_FLOAT, "a number, text or json" },
		{ FN_bool, 1u << T_STRING | 1u << T_BOOL | 1u << T_JSON, T_BOOL, "a bool, text or json" }
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (rows[i].fn == fn)
			return (type_is_scalar(t) || is_json(t)) && rows[i].from & 1u << t.kind ? type_of(rows[i].to) : none(wrong_arg(e, fn, a, rows[i].needs));
	return type_of(T_NONE);
}

static struct type search_type(struct elab *e, enum expr_fn fn, struct expr **v)
{
	struct type l = v[0]->type, x = v[1]->type, j;
	bool text = fn == FN_contains && is_text(l);

	if (text && !is_text(x))
		return none(wrong_arg(e, fn, v[1], "text to look for in text"));
	if (!text && (!l.list || type_is_path(l)))
		return none(wrong_arg(e, fn, v[0], fn == FN_contains ? "text or a list" : "a list"));
	if (!text && (x.list || !(l.kind == T_ANY || type_join(type_of((enum type_kind)l.kind), x, &j))))
		return none(wrong_arg(e, fn, v[1], type_words(e, type_of((enum type_kind)l.kind))));
	return type_of(fn == FN_contains ? T_BOOL : T_INT);
}

static struct type text_type(struct elab *e, enum expr_fn fn, struct expr **v, uint32_t n, struct type t)
{
	return all_of(e, fn, v, 0, n, T_STRING) ? t : type_of(T_NONE);
}

static struct type list_type(struct elab *e, enum expr_fn fn, struct expr **v, uint32_t n)
{
	struct type t = v[0]->type;

	switch (fn) {
	case FN_len:
		return t.list || is_text(t) || is_json(t) ? type_of(T_INT) : none(wrong_arg(e, fn, v[0], "a list, text or json"));
	case FN_range:
		return all_of(e, fn, v, 0, n, T_INT) ? type_list(T_INT) : type_of(T_NONE);
	case FN_min: case FN_max:
		return numbers(e, fn, v, n);
	case FN_sum: case FN_mean: case FN_argmin: case FN_argmax:
		if (!is_num_list(t))
			return none(wrong_arg(e, fn, v[0], "a list of numbers"));
		return type_of(fn == FN_mean || (fn == FN_sum && t.kind == T_FLOAT) ? T_FLOAT : T_INT);
	case FN_join:
		if (!t.list || (t.kind != T_STRING && t.kind != T_ANY))
			return none(wrong_arg(e, fn, v[0], "a list<string>"));
		return all_of(e, fn, v, 1, n, T_STRING) ? type_of(T_STRING) : type_of(T_NONE);
	default:
		return search_type(e, fn, v);
	}
}

static struct type result_type(struct elab *e, enum expr_fn fn, struct expr **v, uint32_t n)
{
	struct type t = v[0]->type;

	switch (fn) {
	case FN_present:
		return type_of(T_BOOL);
	case FN_str: case FN_int: case FN_float: case FN_bool:
		return conversion(e, fn, t, v[0]);
	case FN_json:
		return type_is_path(t) ? none(wrong_arg(e, fn, v[0], "a scalar, a list or json")) : type_of(T_JSON);
	case FN_parse_json:
		return text_type(e, fn, v, n, type_of(T_JSON));
	case FN_split:
		return text_type(e, fn, v, n, type_list(T_STRING));
	case FN_basename: case FN_dirname: case FN_lower: case FN_upper: case FN_replace:
		return text_type(e, fn, v, n, type_of(T_STRING));
	case FN_starts_with: case FN_ends_with:
		return text_type(e, fn, v, n, type_of(T_BOOL));
	case FN_pad:
		if (!type_is_scalar(t))
			return none(wrong_arg(e, fn, v[0], "a scalar"));
		return all_of(e, fn, v, 1, 2, T_INT) && all_of(e, fn, v, 2, n, T_STRING) ? type_of(T_STRING) : type_of(T_NONE);
	case FN_format_time:
		return all_of(e, fn, v, 0, 1, T_TIME) && all_of(e, fn, v, 1, n, T_STRING) && check_format(e, v[1]) &&
			!(n == 3 && expr_is_const(v[2]) && check_timezone(e, v[2]->u.lit->u.s, v[2]->span) < 0) ? type_of(T_STRING) : type_of(T_NONE);
	case FN_file:
		return n < 2 || check_digest(e, v[1]) ? type_of(T_FILE) : type_of(T_NONE);
	default:
		return list_type(e, fn, v, n);
	}
}

static struct type hint_of(enum expr_fn fn, uint32_t i)
{
	if (fn == FN_format_time && i == 0)
		return type_of(T_TIME);
	return type_of(T_NONE);
}

static struct expr *argument(struct elab *e, struct scope *s, enum expr_fn fn, const struct ast_expr *x, uint32_t i)
{
	const char *what = str_internf(e->strs, "%s()", expr_fns[fn].name)->s;
	struct expr *a;
	const struct str *l;

	if (fn == FN_json)
		return elab_value(e, s, x, type_of(x->kind == AX_LIST || x->kind == AX_MAP ? T_JSON : T_NONE), 0, what, NULL);
	a = elab_value(e, s, x, x->kind == AX_STRING ? hint_of(fn, i) : type_of(T_NONE), 0, what, NULL);
	if (!a || a->type.kind == T_NONE)
		return NULL;
	if (fn != FN_present && (a->type.opt || a->type.kind == T_NULL)) {
		report_optional(e, a, what);
		return NULL;
	}
	if (fn == FN_file && i == 0 && !is_text(a->type) && !type_is(a->type, T_FILE))
		return wrong_arg(e, fn, a, "a location");
	if (fn == FN_file && i == 0 && expr_is_const(a) && is_text(a->type))
		return (l = location(e, s, a->u.lit->u.s, a->span)) ? literal_str(e, l, a->span) : NULL;
	return a;
}

struct expr *elab_fn(struct elab *e, struct scope *s, const struct ast_expr *x)
{
	const struct ast_expr *callee = x->args[0], *some[4] = { NULL }, **at = some;
	uint32_t n = 0, cap;
	struct diag_item *it;
	struct expr *c;
	int fn = 0;
	bool ok = true;

	if (callee->kind == AX_ERROR)
		return NULL;
	if (callee->kind != AX_NAME) {
		it = diag_at(e->diag, CW0207, callee->span, "'%s' is not a function", source_text(e, callee->span));
		diag_mend(e->diag, it, "tasks are called by a step: step x = %s(...); then read x.OUTPUT", source_text(e, callee->span));
		return NULL;
	}
	while (fn < FN_COUNT && !str_eq(callee->name, expr_fns[fn].name))
		fn++;
	if (fn == FN_COUNT)
		return unknown_fn(e, s, x);
	cap = expr_fns[fn].hi < 0 ? x->u.call.n : (uint32_t)expr_fns[fn].hi;
	if (cap > 4)
		at = arena_array(e->arena, const struct ast_expr *, cap);
	if (!place_args(e, (enum expr_fn)fn, x, at, cap, &n))
		return NULL;
	c = expr_new(e->arena, EX_CALL, type_of(T_NONE), x->span, n);
	c->fn = (uint8_t)fn;
	for (uint32_t i = 0; i < n; i++)
		if (!(c->u.args[i] = argument(e, s, (enum expr_fn)fn, at[i], i)))
			ok = false;
	if (!ok)
		return NULL;
	c->type = result_type(e, (enum expr_fn)fn, c->u.args, n);
	return c->type.kind == T_NONE ? NULL : fold(e, c);
}
