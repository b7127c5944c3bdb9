/*
 * JSON values: reading, writing, comparing. Numbers are doubles; of equal keys of
 * an object the last one counts, at the place of the first. Recursion is bounded by
 * JSON_DEPTH, which every constructor keeps.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "couler/value.h"

/* ---- making ---- */

const struct json *jv_null(void)
{
	static const struct json null = { .kind = J_NULL };

	return &null;
}

static struct json *json_new(struct valctx *c, enum json_kind k)
{
	struct json *j = arena_new_of(c->arena, struct json);

	j->kind = k;
	return j;
}

const struct json *jv_bool(struct valctx *c, bool b)
{
	struct json *j = json_new(c, J_BOOL);

	j->u.b = b;
	return j;
}

const struct json *jv_num(struct valctx *c, double d)
{
	struct json *j = json_new(c, J_NUM);

	j->u.d = d == 0 ? 0 : d;
	return j;
}

const struct json *jv_str(struct valctx *c, const struct str *s)
{
	struct json *j = json_new(c, J_STR);

	j->u.s = s;
	return j;
}

const struct json *jv_list(struct valctx *c, const struct json *v, uint32_t n)
{
	struct json *j = json_new(c, J_LIST);

	j->n = n;
	j->u.list = v;
	j->depth = 1;
	for (uint32_t i = 0; i < n; i++)
		if (v[i].depth >= j->depth)
			j->depth = v[i].depth + 1;
	return j->depth > JSON_DEPTH ? NULL : j;
}

static bool key_eq(const struct str *a, const struct str *b)
{
	return a == b || (a->len == b->len && a->hash == b->hash && !memcmp(a->s, b->s, a->len));
}

/* Keeps the last value of each key at the place of the first; the new number of members. */
static uint32_t unique_keys(struct json_member *v, uint32_t n)
{
	uint32_t cap = 16, mask, out = 0, *slot;

	while (cap < 2 * n)
		cap *= 2;
	mask = cap - 1;
	slot = xcalloc(cap, sizeof *slot);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t h = v[i].key->hash & mask;

		while (slot[h] && !key_eq(v[slot[h] - 1].key, v[i].key))
			h = (h + 1) & mask;
		if (!slot[h]) {
			slot[h] = out + 1;
			v[out++] = v[i];
		} else {
			v[slot[h] - 1].val = v[i].val;
		}
	}
	free(slot);
	return out;
}

const struct json *jv_obj(struct valctx *c, struct json_member *v, uint32_t n)
{
	struct json *j = json_new(c, J_OBJ);

	j->n = n > 1 ? unique_keys(v, n) : n;
	j->u.obj = v;
	j->depth = 1;
	for (uint32_t i = 0; i < j->n; i++)
		if (v[i].val->depth >= j->depth)
			j->depth = v[i].val->depth + 1;
	return j->depth > JSON_DEPTH ? NULL : j;
}

const struct json *json_get(const struct json *obj, const struct str *key)
{
	if (obj->kind != J_OBJ)
		return NULL;
	for (uint32_t i = 0; i < obj->n; i++)
		if (key_eq(obj->u.obj[i].key, key))
			return obj->u.obj[i].val;
	return NULL;
}

/* ---- reading ---- */

struct reader {
	struct valctx *c;
	const char *p, *end, *err;
	const struct json **vals;         /* elements of the lists and objects that are open */
	const struct str **keys;          /* beside them */
	size_t n, cap;
};

static const struct json *read_value(struct reader *r, unsigned depth);

static const struct json *failed(struct reader *r, const char *at, const char *err)
{
	r->p = at;
	r->err = err;
	return NULL;
}

static void blanks(struct reader *r)
{
	while (r->p < r->end && (*r->p == ' ' || *r->p == '\t' || *r->p == '\n' || *r->p == '\r'))
		r->p++;
}

static bool at(struct reader *r, char c)
{
	return r->p < r->end && *r->p == c;
}

static void keep(struct reader *r, const struct str *key, const struct json *val)
{
	if (r->n == r->cap) {
		r->cap = r->cap ? 2 * r->cap : 32;
		r->vals = xrealloc(r->vals, r->cap * sizeof *r->vals);
		r->keys = xrealloc(r->keys, r->cap * sizeof *r->keys);
	}
	r->keys[r->n] = key;
	r->vals[r->n++] = val;
}

/* Four hex digits at p; -1 if they are none. */
static long hex4(const char *p, const char *end)
{
	long v = 0;

	if (end - p < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		char c = p[i];
		int d = c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;

		if (d < 0)
			return -1;
		v = v * 16 + d;
	}
	return v;
}

/* After the backslash; appends what the escape stands for. */
static bool read_escape(struct reader *r, struct strbuf *b)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *start = r->p - 1, *f = r->p < r->end && *r->p ? strchr(from, *r->p) : NULL;
	char out[4];
	long u, low;

	if (f) {
		sb_ch(b, to[f - from]);
		r->p++;
		return true;
	}
	u = at(r, 'u') ? hex4(r->p + 1, r->end) : -1;
	if (u < 0) {
		failed(r, start, "an escape that JSON does not have");
		return false;
	}
	r->p += 5;
	if (u >= 0xd800 && u < 0xdc00 && r->end - r->p >= 6 && r->p[0] == '\\' && r->p[1] == 'u') {
		low = hex4(r->p + 2, r->end);
		if (low >= 0xdc00 && low < 0xe000) {
			u = 0x10000 + ((u - 0xd800) << 10) + (low - 0xdc00);
			r->p += 6;
		}
	}
	if (u >= 0xd800 && u < 0xe000) {
		failed(r, start, "half of a surrogate pair");
		return false;
	}
	sb_add(b, out, utf8_encode(out, (uint32_t)u));
	return true;
}

static const struct str *read_string(struct reader *r)
{
	const char *open = r->p, *from = ++r->p;
	const struct str *s = NULL;
	struct strbuf b = { 0 };

	for (; r->p < r->end && *r->p != '"'; ) {
		if ((unsigned char)*r->p < 0x20) {
			failed(r, r->p, "a control character in a string");
			goto out;
		}
		if (*r->p != '\\') {
			r->p++;
			continue;
		}
		sb_add(&b, from, (size_t)(r->p - from));
		r->p++;
		if (!read_escape(r, &b))
			goto out;
		from = r->p;
	}
	if (r->p == r->end) {
		failed(r, open, "a string without its closing quote");
		goto out;
	}
	if (b.n) {
		sb_add(&b, from, (size_t)(r->p - from));
		s = str_intern(r->c->strs, b.s, b.n);
	} else {
		s = str_intern(r->c->strs, from, (size_t)(r->p - from));
	}
	r->p++;
out:
	sb_free(&b);
	return s;
}

static const struct json *read_number(struct reader *r)
{
	const char *from = r->p;
	double d;
	int rc;

	while (r->p < r->end && (strchr("+-.eE", *r->p) || (*r->p >= '0' && *r->p <= '9')) && *r->p)
		r->p++;
	rc = double_parse(from, (size_t)(r->p - from), &d);
	if (rc)
		return failed(r, from, rc > 0 ? "a number past the range of doubles" : "no JSON number");
	return jv_num(r->c, d);
}

/* The values kept since from, as a list or an object. */
static const struct json *gather(struct reader *r, size_t from, bool obj, const char *open)
{
	uint32_t n = (uint32_t)(r->n - from);
	const struct json *j;

	if (r->n - from >= UINT32_MAX)
		return failed(r, open, "too many elements");
	if (obj) {
		struct json_member *v = arena_array(r->c->arena, struct json_member, n);

		for (uint32_t i = 0; i < n; i++)
			v[i] = (struct json_member){ r->keys[from + i], r->vals[from + i] };
		j = jv_obj(r->c, v, n);
	} else {
		struct json *v = arena_array(r->c->arena, struct json, n);

		for (uint32_t i = 0; i < n; i++)
			v[i] = *r->vals[from + i];
		j = jv_list(r->c, v, n);
	}
	r->n = from;
	return j ? j : failed(r, open, "nested too deeply (200 levels at most)");
}

static const struct json *read_nested(struct reader *r, unsigned depth)
{
	const char *open = r->p;
	bool obj = *open == '{';
	char close = obj ? '}' : ']';
	size_t from = r->n;

	if (depth == JSON_DEPTH)
		return failed(r, open, "nested too deeply (200 levels at most)");
	r->p++;
	blanks(r);
	while (!(r->n == from && at(r, close))) {
		const struct str *key = NULL;
		const struct json *val;

		if (obj) {
			if (!at(r, '"'))
				return failed(r, r->p, "expected a key in quotes");
			key = read_string(r);
			if (!key)
				return NULL;
			blanks(r);
			if (!at(r, ':'))
				return failed(r, r->p, "expected ':'");
			r->p++;
		}
		val = read_value(r, depth + 1);
		if (!val)
			return NULL;
		keep(r, key, val);
		blanks(r);
		if (at(r, close))
			break;
		if (!at(r, ','))
			return failed(r, r->p, obj ? "expected ',' or '}'" : "expected ',' or ']'");
		r->p++;
		blanks(r);
	}
	r->p++;
	return gather(r, from, obj, open);
}

static const struct json *read_value(struct reader *r, unsigned depth)
{
	size_t left;
	const struct str *s;

	blanks(r);
	left = (size_t)(r->end - r->p);
	if (!left)
		return failed(r, r->p, "expected a value");
	switch (*r->p) {
	case '{':
	case '[':
		return read_nested(r, depth);
	case '"':
		s = read_string(r);
		return s ? jv_str(r->c, s) : NULL;
	case 't':
		if (left >= 4 && !memcmp(r->p, "true", 4))
			return r->p += 4, jv_bool(r->c, true);
		break;
	case 'f':
		if (left >= 5 && !memcmp(r->p, "false", 5))
			return r->p += 5, jv_bool(r->c, false);
		break;
	case 'n':
		if (left >= 4 && !memcmp(r->p, "null", 4))
			return r->p += 4, jv_null();
		break;
	default:
		if (*r->p == '-' || (*r->p >= '0' && *r->p <= '9'))
			return read_number(r);
	}
	return failed(r, r->p, "expected a value");
}

const struct json *json_parse(struct valctx *c, const char *s, size_t n, const char **err, size_t *at_)
{
	struct reader r = { .c = c, .p = s, .end = s + n };
	size_t valid = utf8_valid(s, n);
	const struct json *j;

	if (valid < n) {
		*err = "not valid UTF-8";
		*at_ = valid;
		return NULL;
	}
	j = read_value(&r, 0);
	if (j) {
		blanks(&r);
		if (r.p < r.end)
			j = failed(&r, r.p, "something follows the value");
	}
	free(r.vals);
	free(r.keys);
	if (!j) {
		*err = r.err;
		*at_ = (size_t)(r.p - s);
	}
	return j;
}

/* ---- writing and comparing ---- */

static int by_key(const void *a, const void *b)
{
	return str_cmp(((const struct json_member *)a)->key, ((const struct json_member *)b)->key);
}

static struct json_member *sorted(const struct json *obj)
{
	struct json_member *v = xmalloc(obj->n * sizeof *v);

	memcpy(v, obj->u.obj, obj->n * sizeof *v);
	qsort(v, obj->n, sizeof *v, by_key);
	return v;
}

/* Members by name, as RFC 8785 has it: every engine can do it, and some can do nothing else. */
static void object_write(struct strbuf *b, const struct json *j)
{
	struct json_member *v = j->n ? sorted(j) : NULL;

	sb_ch(b, '{');
	for (uint32_t i = 0; i < j->n; i++) {
		if (i)
			sb_ch(b, ',');
		sb_json(b, v[i].key->s, v[i].key->len);
		sb_ch(b, ':');
		json_write(b, v[i].val);
	}
	sb_ch(b, '}');
	free(v);
}

void json_write(struct strbuf *b, const struct json *j)
{
	switch (j->kind) {
	case J_NULL:
		sb_z(b, "null");
		break;
	case J_BOOL:
		sb_z(b, j->u.b ? "true" : "false");
		break;
	case J_NUM:
		sb_double(b, j->u.d);
		break;
	case J_STR:
		sb_json(b, j->u.s->s, j->u.s->len);
		break;
	case J_LIST:
		sb_ch(b, '[');
		for (uint32_t i = 0; i < j->n; i++) {
			if (i)
				sb_ch(b, ',');
			json_write(b, &j->u.list[i]);
		}
		sb_ch(b, ']');
		break;
	case J_OBJ:
		object_write(b, j);
		break;
	}
}

static bool obj_eq(const struct json *a, const struct json *b)
{
	struct json_member *x, *y;
	bool same = true;

	if (!a->n)
		return true;
	x = sorted(a);
	y = sorted(b);
	for (uint32_t i = 0; same && i < a->n; i++)
		same = key_eq(x[i].key, y[i].key) && json_eq(x[i].val, y[i].val);
	free(x);
	free(y);
	return same;
}

bool json_eq(const struct json *a, const struct json *b)
{
	if (a == b)
		return true;
	if (a->kind != b->kind || a->n != b->n)
		return false;
	switch (a->kind) {
	case J_NULL:
		return true;
	case J_BOOL:
		return a->u.b == b->u.b;
	case J_NUM:
		return a->u.d == b->u.d;
	case J_STR:
		return key_eq(a->u.s, b->u.s);
	case J_LIST:
		for (uint32_t i = 0; i < a->n; i++)
			if (!json_eq(&a->u.list[i], &b->u.list[i]))
				return false;
		return true;
	case J_OBJ:
		return obj_eq(a, b);
	}
	return false;
}
