/* Types: what fits where, conversions, constants, locations. */
#include "scope.h"

#include <stdlib.h>
#include <string.h>

enum { FOLD_RANGE = 10000, FOLD_TEXT = 120000 };      /* elements; bytes of a string (docs/values.md, rule 1) */

const char of_subject[] = "a value";

const char *what_text(struct elab *e, const char *what)
{
	const struct subject *s = &e->subject;

	return what == of_subject && s->name ? str_internf(e->strs, "%s '%s' of '%s'", s->kind, s->name->s, s->of->s)->s : what;
}

const char *type_words(struct elab *e, struct type t)
{
	struct strbuf b = { 0 };
	const char *s;

	if (t.kind == T_NULL)
		return "null";
	if (t.kind == T_ANY)
		return t.list ? "an empty list" : "any";
	type_str(&b, t);
	s = arena_dup(e->arena, b.s ? b.s : "", b.n);
	sb_free(&b);
	return s;
}

bool type_join(struct type a, struct type b, struct type *out)
{
	bool opt = a.opt || b.opt || a.kind == T_NULL || b.kind == T_NULL;

	if (a.kind == T_NULL)
		*out = b;
	else if (b.kind == T_NULL)
		*out = a;
	else if (a.list != b.list)
		return false;
	else if (a.kind == b.kind)
		*out = a;
	else if (a.list && a.kind == T_ANY)
		*out = b;
	else if (a.list && b.kind == T_ANY)
		*out = a;
	else if ((a.kind == T_INT && b.kind == T_FLOAT) || (a.kind == T_FLOAT && b.kind == T_INT))
		*out = (struct type){ T_FLOAT, a.list, false };
	else
		return false;
	out->opt = opt && out->kind != T_NULL;
	return true;
}

const struct record *record_join(struct elab *e, const struct record *a, const struct record *b)
{
	VEC(uint32_t) more = { 0 };
	struct record *r;

	if (!a || !b)
		return NULL;
	r = arena_alloc(e->arena, sizeof *r + (a->n + b->n) * sizeof r->v[0]);
	for (uint32_t i = 0; i < a->n; i++) {
		r->v[r->n] = a->v[i];
		r->v[r->n].everywhere = false;
		for (uint32_t j = 0; j < b->n; j++) {
			if (b->v[j].name != a->v[i].name)
				continue;
			r->v[r->n].everywhere = a->v[i].everywhere && b->v[j].everywhere;
			if (!type_join(a->v[i].type, b->v[j].type, &r->v[r->n].type) || r->v[r->n].type.opt)
				r->v[r->n].type = type_of(T_JSON);
		}
		r->n++;
	}
	for (uint32_t j = 0; j < b->n; j++) {
		uint32_t i = 0;

		while (i < a->n && a->v[i].name != b->v[j].name)
			i++;
		if (i == a->n)
			vec_push(e->arena, &more, j);
	}
	for (uint32_t k = 0; k < more.n; k++) {
		r->v[r->n] = b->v[more.v[k]];
		r->v[r->n++].everywhere = false;
	}
	return r;
}

/* ---- constants ---- */

static bool foldable(const struct expr *x, struct expr **args, uint32_t n)
{
	size_t text = 0;

	for (uint32_t i = 0; i < n; i++) {
		if (!args[i] || !expr_is_const(args[i]))
			return false;
		if (type_is(args[i]->u.lit->type, T_STRING))
			text += args[i]->u.lit->u.s->len;
	}
	if (x->op == EX_CALL && x->fn == FN_range) {
		const struct value *lo = args[0]->u.lit, *hi = args[n - 1]->u.lit;

		return (n == 1 ? hi->u.i : hi->u.i - lo->u.i) <= FOLD_RANGE;
	}
	return text <= 2 * FOLD_TEXT;     /* beyond that it is left to whoever needs it, which refuses it */
}

struct expr *fold(struct elab *e, struct expr *x)
{
	struct valctx c = { e->arena, e->strs };
	struct expr **args = expr_args(x);
	uint32_t n = expr_arity(x);
	struct value stack[8], *v = stack, *out;
	struct evalerr err = { 0 };
	struct expr *lit;

	e->ops++;
	if (x->op == EX_LIT || x->op == EX_REF || !foldable(x, args, n))
		return x;
	if (n > 8)
		v = xmalloc(n * sizeof *v);
	for (uint32_t i = 0; i < n; i++)
		v[i] = *args[i]->u.lit;
	out = arena_new_of(e->arena, struct value);
	if (eval_op(&c, x, v, out, &err) != 0) {
		struct diag_item *it = diag_at(e->diag, CW0311, err.span.file ? err.span : x->span, "%s", err.msg ? err.msg : "this cannot be evaluated");

		if (err.span.file && diag_place(e->diag, err.span).line != diag_place(e->diag, x->span).line)
			diag_note(e->diag, it, x->span, "in this expression");
		lit = NULL;
	} else {
		lit = expr_lit(e->arena, out, x->span);
		if (out->type.kind != T_NULL || !x->type.opt)
			lit->type = out->type;
		else
			lit->type = x->type;
	}
	if (v != stack)
		free(v);
	return lit;
}

struct expr *literal_str(struct elab *e, const struct str *s, struct span sp)
{
	struct value *v = arena_new_of(e->arena, struct value);

	v->type = type_of(T_STRING);
	v->u.s = s;
	e->ops++;
	return expr_lit(e->arena, v, sp);
}

struct expr *literal_int(struct elab *e, int64_t i, struct span sp)
{
	struct value *v = arena_new_of(e->arena, struct value);

	v->type = type_of(T_INT);
	v->u.i = i;
	e->ops++;
	return expr_lit(e->arena, v, sp);
}

/* ---- locations ---- */

static bool has_scheme(const struct str *s, uint32_t *len)
{
	uint32_t i = 0;

	while (i < s->len && ((s->s[i] >= 'a' && s->s[i] <= 'z') || (s->s[i] >= 'A' && s->s[i] <= 'Z') || (i && strchr("0123456789+.-", s->s[i]))))
		i++;
	*len = i;
	return i && i + 3 <= s->len && !memcmp(s->s + i, "://", 3);
}

/* The next component of a path, without "." and empty ones; false at the end. */
static bool component(const char **p, const char **c, size_t *n)
{
	do {
		while (**p == '/')
			(*p)++;
		if (!**p)
			return false;
		*c = *p;
		*n = strcspn(*p, "/");
		*p += *n;
	} while (*n == 1 && **c == '.');
	return true;
}

/* The folder of module m as seen from the entry file's: "" for the same one, else with a '/' at its end. */
static void folder_from_main(struct elab *e, const struct module *m, struct strbuf *b)
{
	const char *from = e->main->dir, *to = m->dir, *a, *c, *f0, *t0;
	size_t na, nc;
	bool more;

	if ((*from == '/') != (*to == '/')) {
		sb_f(b, "%s/", to);
		return;
	}
	for (;;) {
		f0 = from;
		t0 = to;
		more = component(&from, &a, &na);
		if (!more || !component(&to, &c, &nc) || na != nc || memcmp(a, c, na))
			break;
	}
	for (from = f0; component(&from, &a, &na);)
		sb_z(b, "../");
	for (to = t0; component(&to, &c, &nc);) {
		sb_add(b, c, nc);
		sb_ch(b, '/');
	}
}

const struct str *location(struct elab *e, struct scope *s, const struct str *text, struct span sp)
{
	static const char *const schemes[] = { "s3", "gs", "https", "http", "git+https" };
	struct strbuf b = { 0 };
	struct diag_item *it;
	uint32_t n;

	if (!text->len) {
		it = diag_at(e->diag, CW0318, sp, "an empty string is no location");
		diag_mend(e->diag, it, "write a path beside the .cw file, or s3://BUCKET/KEY, gs://, https://, git+https://HOST/REPO@REF#PATH");
		return NULL;
	}
	if (has_scheme(text, &n)) {
		for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
			if (strlen(schemes[i]) == n && !memcmp(schemes[i], text->s, n))
				return text;
		it = diag_at(e->diag, CW0318, sp, "no engine knows locations with '%.*s://'", (int)n, text->s);
		diag_mend(e->diag, it, "use s3://, gs://, https://, git+https:// or a path beside the .cw file; or take a string input and fetch it in the step");
		return NULL;
	}
	if (!s || s->module == e->main || text->s[0] == '/')
		return text;
	folder_from_main(e, s->module, &b);
	sb_str(&b, text);
	text = str_intern(e->strs, b.s, b.n);
	sb_free(&b);
	return text;
}

/* A string to a file or dir. */
static struct expr *to_location(struct elab *e, struct scope *s, struct expr *x, struct type want)
{
	struct expr *c;

	if (expr_is_const(x)) {
		struct value *v;
		const struct str *l = location(e, s, x->u.lit->u.s, x->span);

		if (!l)
			return NULL;
		v = arena_new_of(e->arena, struct value);
		v->type = type_of((enum type_kind)want.kind);
		v->u.s = l;
		return expr_lit(e->arena, v, x->span);
	}
	/* A path that starts with text is relative to its own file, too. */
	if (x->op == EX_CONCAT && s && s->module != e->main && expr_is_const(x->u.args[0])) {
		struct expr *head = x->u.args[0];
		const struct str *l = location(e, s, head->u.lit->u.s, head->span);

		if (!l)
			return NULL;
		x->u.args[0] = literal_str(e, l, head->span);
	}
	c = expr_new(e->arena, EX_CONV, type_of((enum type_kind)want.kind), x->span, 1);
	c->u.args[0] = x;
	e->ops++;
	return c;
}

/* ---- conversions ---- */

/* A port of an `if` that every branch has, and that is optional all the same. */
static bool may_fail(const struct port *p, uint32_t n)
{
	bool opt = false;

	for (uint32_t i = 0; i < n; i++) {
		if (!p->value[i])
			return false;
		opt |= p->value[i]->type.opt;
	}
	return opt;
}

void report_optional(struct elab *e, const struct expr *x, const char *what)
{
	struct diag_item *it = diag_at(e->diag, CW0302, x->span, "'%s' may be absent, and %s needs a value", source_text(e, x->span), what_text(e, what));
	const struct node *n = x->op == EX_REF && x->fn == REF_OUTPUT ? x->u.node : NULL;

	diag_mend(e->diag, it, "give it a fallback: %s ?? VALUE", source_text(e, x->span));
	if (!n)
		return;
	if (n->kind == N_IF && may_fail(&n->ports[x->n], n->u.if_.n))
		diag_note(e->diag, it, n->span, "in a branch of this `if`, its step may fail (allow_failure)");
	else if (n->kind == N_IF)
		diag_note(e->diag, it, n->span, "its step is not in every branch of this `if`, so it may be skipped");
	else if (n->allow_failure)
		diag_note(e->diag, it, n->span, "'%s' may fail (allow_failure)", n->name->s);
	else if (n->kind == N_STEP || n->kind == N_CALL)
		diag_note(e->diag, it, n->span, "in an `on` block, outputs are optional: '%s' may not have ended well", n->name->s);
}

static const char *mend_of(struct type from, struct type want)
{
	if (want.list && !from.list)
		return from.kind == T_JSON ? "declare the producer's output as a list" : "put it into a list: [...]";
	if (from.list && !want.list)
		return type_is_path(from) ? "take one of them, x[0], or make the input a list<file>" :
			"take one of them, x[0], or reduce them: sum(x), mean(x), max(x), join(x, \",\"), len(x)";
	if (type_is_path(from) && want.kind == T_STRING)
		return "a file is not text: declare the input as file or dir, and the step sees its path";
	if (type_is_path(from) && type_is_path(want))
		return "declare both ends alike: a file is one file, a dir is a folder";
	if (type_is_path(from))
		return "let the step that makes the file also write the value to an output of this type";
	switch (want.kind) {
	case T_STRING: return "convert it: str(...), or \"${...}\"";
	case T_INT: return from.kind == T_STRING || from.kind == T_FLOAT || from.kind == T_JSON ? "convert it: int(...)" : NULL;
	case T_FLOAT: return from.kind == T_STRING || from.kind == T_JSON ? "convert it: float(...)" : NULL;
	case T_BOOL: return type_is_num(from) ? "compare it: x > 0" : from.kind == T_STRING ? "compare it, x == \"yes\", or convert it: bool(...)" :
		from.kind == T_JSON ? "convert it: bool(...)" : NULL;
	case T_JSON: return "convert it: json(...)";
	case T_DURATION: return type_is_num(from) ? "write its unit, 90s, or multiply: n * 1s" : "write it with its unit: 30s, 15m, 2h";
	case T_SIZE: return "write it with its unit: 512Mi, 10GB";
	case T_TIME: return "write it as RFC 3339: \"2026-01-31T12:00:00Z\"";
	case T_FILE: case T_DIR: return "a file comes from a step's output, or is given as a location in quotes";
	default: return NULL;
	}
}

static struct expr *mismatch(struct elab *e, const struct expr *x, struct type want, const char *what)
{
	struct diag_item *it;
	const char *mend = mend_of(x->type, want);

	want.opt = false;
	it = diag_at(e->diag, CW0301, x->span, "%s needs %s, and this is %s", what_text(e, what), type_words(e, want), type_words(e, x->type));
	if (expr_is_const(x) && type_is(x->type, T_STRING) && !want.list && (want.kind == T_INT || want.kind == T_FLOAT || want.kind == T_BOOL))
		mend = "write it without quotes";
	if (mend)
		diag_mend(e->diag, it, "%s", mend);
	if (x->op == EX_REF && x->fn == REF_OUTPUT && x->u.node->kind == N_FOR && x->type.list && !want.list)
		diag_note(e->diag, it, x->u.node->span, "outside of this `for`, an output of its steps is the list of all of them");
	return NULL;
}

static struct expr *convert(struct elab *e, struct expr *x, struct type want)
{
	struct expr *c = expr_new(e->arena, EX_CONV, want, x->span, 1);

	c->u.args[0] = x;
	return fold(e, c);
}

static struct expr *null_to(struct elab *e, struct expr *x, struct type want, const char *what)
{
	struct diag_item *it;
	struct expr *n;

	if (want.opt) {
		n = expr_lit(e->arena, x->u.lit, x->span);
		n->type = want;
		return n;
	}
	it = diag_at(e->diag, CW0309, x->span, "%s is a %s, which null is not", what_text(e, what), type_words(e, want));
	diag_mend(e->diag, it, "make its type optional, %s?, where that is a state of a loop; else leave the null out", type_words(e, want));
	return NULL;
}

struct expr *coerce(struct elab *e, struct scope *s, struct expr *x, struct type want, unsigned flags, const char *what)
{
	struct type t, w = want;

	if (!x || x->type.kind == T_NONE)
		return NULL;
	if (want.kind == T_NONE)
		return x;
	t = x->type;
	if (t.kind == T_NULL && !t.list)
		return expr_is_const(x) ? null_to(e, x, want, what) : mismatch(e, x, want, what);
	if (t.opt && !want.opt) {
		report_optional(e, x, what);
		return NULL;
	}
	w.opt = t.opt;
	if (t.kind == want.kind && t.list == want.list)
		return x;
	if (t.list && t.kind == T_ANY && want.list) {
		struct value *v = arena_new_of(e->arena, struct value);

		v->type = type_list((enum type_kind)want.kind);
		return expr_is_const(x) ? expr_lit(e->arena, v, x->span) : x;
	}
	if (t.list == want.list && t.kind == T_INT && want.kind == T_FLOAT)
		return convert(e, x, w);
	if (type_is(t, T_STRING) && !want.list && type_is_path(want))
		return to_location(e, s, x, want);
	if (type_is(t, T_JSON) && !want.list && (flags & CO_JSON) && type_is_scalar(type_of((enum type_kind)want.kind)))
		return convert(e, x, w);
	return mismatch(e, x, want, what);
}
