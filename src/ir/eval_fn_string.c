/* Functions on strings (docs/values.md, "Functions"). */
#include "eval.h"

#include <string.h>

static int wrong(struct op *o, int arg)
{
	return op_error(o, arg, CW0713, "%s does not take %s", expr_fns[o->e->fn].name, op_kind(o, &o->v[arg]));
}

/* The characters of operand i: a string, or a json string; NULL after an error. */
static const struct str *text(struct op *o, uint32_t i)
{
	const struct value *v = &o->v[i];

	if (type_is(v->type, T_STRING))
		return v->u.s;
	if (type_is(v->type, T_JSON) && v->u.j->kind == J_STR)
		return v->u.j->u.s;
	wrong(o, (int)i);
	return NULL;
}

static int fn_str(struct op *o)
{
	struct strbuf b = { 0 };

	op_text(&b, &o->v[0]);
	return op_buf(o, &b);
}

static int fn_join(struct op *o)
{
	const struct value *list = &o->v[0];
	const struct str *sep = text(o, 1);
	struct strbuf b = { 0 };

	if (!sep)
		return -1;
	if (!list->type.list)
		return wrong(o, 0);
	for (uint32_t i = 0; i < list->n && b.n <= EVAL_STRING_MAX; i++) {
		if (i)
			sb_str(&b, sep);
		op_text(&b, &list->u.list[i]);
	}
	return op_buf(o, &b);
}

static int fn_split(struct op *o)
{
	const struct str *s = text(o, 0), *sep = s ? text(o, 1) : NULL;
	const char *p, *end, *hit;
	struct value *v;
	uint32_t n = 1, i = 0;

	if (!sep)
		return -1;
	if (!sep->len)
		return op_error(o, 1, CW0711, "split needs a separator of one character or more");
	end = s->s + s->len;
	for (p = s->s; (hit = memmem(p, (size_t)(end - p), sep->s, sep->len)); p = hit + sep->len)
		if (++n > EVAL_LIST_MAX)
			return op_error(o, 0, CW0708, "the text splits into over 1,000,000 parts");
	v = arena_array(o->c->arena, struct value, n);
	for (p = s->s; i < n; i++) {
		hit = memmem(p, (size_t)(end - p), sep->s, sep->len);
		if (!hit)
			hit = end;
		v[i] = (struct value){ .type = type_of(T_STRING), .u.s = str_intern(o->c->strs, p, (size_t)(hit - p)) };
		p = hit + sep->len;
	}
	return op_list(o, T_STRING, v, n);
}

/* POSIX basename() and dirname(): trailing slashes do not count, "/" is its own both, of "" it is ".". */
static int fn_path(struct op *o, bool base)
{
	const struct str *s = text(o, 0);
	uint32_t end, from;

	if (!s)
		return -1;
	end = s->len;
	while (end && s->s[end - 1] == '/')
		end--;
	if (!end)
		return s->len ? op_string(o, "/", 1) : op_string(o, ".", 1);
	from = end;
	while (from && s->s[from - 1] != '/')
		from--;
	if (base)
		return op_string(o, s->s + from, end - from);
	if (!from)
		return op_string(o, ".", 1);
	while (from && s->s[from - 1] == '/')
		from--;
	return from ? op_string(o, s->s, from) : op_string(o, "/", 1);
}

static int fn_contains(struct op *o)
{
	const struct str *s, *x;

	if (o->v[0].type.list) {
		bool found = false;

		for (uint32_t i = 0; !found && i < o->v[0].n; i++)
			found = value_eq(&o->v[0].u.list[i], &o->v[1]);
		return op_bool(o, found);
	}
	s = text(o, 0);
	x = s ? text(o, 1) : NULL;
	return x ? op_bool(o, memmem(s->s, s->len, x->s, x->len) != NULL) : -1;
}

static int fn_affix(struct op *o, bool end)
{
	const struct str *s = text(o, 0), *p = s ? text(o, 1) : NULL;

	if (!p)
		return -1;
	return op_bool(o, p->len <= s->len && !memcmp(s->s + (end ? s->len - p->len : 0), p->s, p->len));
}

static int fn_case(struct op *o, bool up)
{
	const struct str *s = text(o, 0);
	struct strbuf b = { 0 };

	if (!s)
		return -1;
	for (uint32_t i = 0; i < s->len; i++) {
		char c = s->s[i];

		if (c & 0x80) {
			sb_free(&b);
			return op_error(o, 0, CW0710, "%s takes ASCII only, and character %zu is not", expr_fns[o->e->fn].name, utf8_count(s->s, i) + 1);
		}
		sb_ch(&b, up && c >= 'a' && c <= 'z' ? (char)(c - 32) : !up && c >= 'A' && c <= 'Z' ? (char)(c + 32) : c);
	}
	return op_buf(o, &b);
}

static int fn_replace(struct op *o)
{
	const struct str *s = text(o, 0), *old = s ? text(o, 1) : NULL, *new = old ? text(o, 2) : NULL;
	const char *p, *end, *hit;
	struct strbuf b = { 0 };

	if (!new)
		return -1;
	if (!old->len)
		return op_error(o, 1, CW0711, "replace needs something to look for, this is empty");
	end = s->s + s->len;
	for (p = s->s; b.n <= EVAL_STRING_MAX && (hit = memmem(p, (size_t)(end - p), old->s, old->len)); p = hit + old->len) {
		sb_add(&b, p, (size_t)(hit - p));
		sb_str(&b, new);
	}
	sb_add(&b, p, (size_t)(end - p));
	return op_buf(o, &b);
}

static int fn_pad(struct op *o)
{
	struct strbuf b = { 0 }, t = { 0 };
	const struct str *fill = o->n > 2 ? text(o, 2) : NULL;
	int64_t missing;

	if (o->n > 2 && !fill)
		return -1;
	if (fill && utf8_count(fill->s, fill->len) != 1)
		return op_error(o, 2, CW0711, "pad fills with one character");
	if (!type_is(o->v[1].type, T_INT))
		return wrong(o, 1);
	op_text(&t, &o->v[0]);
	missing = o->v[1].u.i - (int64_t)utf8_count(t.s ? t.s : "", t.n);
	if (missing > (int64_t)EVAL_STRING_MAX / (fill ? (int64_t)fill->len : 1)) {
		sb_free(&t);
		return op_error(o, 1, CW0708, "the text would have over 16 MiB");
	}
	for (; missing > 0; missing--)
		sb_add(&b, fill ? fill->s : " ", fill ? fill->len : 1);
	sb_add(&b, t.s, t.n);
	sb_free(&t);
	return op_buf(o, &b);
}

int op_call_string(struct op *o)
{
	switch ((enum expr_fn)o->e->fn) {
	case FN_str:
		return fn_str(o);
	case FN_join:
		return fn_join(o);
	case FN_split:
		return fn_split(o);
	case FN_basename:
		return fn_path(o, true);
	case FN_dirname:
		return fn_path(o, false);
	case FN_contains:
		return fn_contains(o);
	case FN_starts_with:
		return fn_affix(o, false);
	case FN_ends_with:
		return fn_affix(o, true);
	case FN_lower:
		return fn_case(o, false);
	case FN_upper:
		return fn_case(o, true);
	case FN_replace:
		return fn_replace(o);
	case FN_pad:
		return fn_pad(o);
	default:
		return op_error(o, -1, CW0713, "no such function");
	}
}
