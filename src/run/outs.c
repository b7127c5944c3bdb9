/* Outputs as bytes: scalars as their text, artifacts as their digest. */
#include <string.h>

#include "actions.h"

enum out_tag { OUT_ABSENT, OUT_TEXT, OUT_FILE, OUT_DIR, OUT_FILES, OUT_DIRS };

static void put_artifact(struct strbuf *b, const struct value *v)
{
	struct sha s = { { 0 } };

	sha_parse(v->sha256->s, v->sha256->len, &s);
	sb_add(b, (const char *)s.b, sizeof s.b);
	put_u64(b, 0);
}

void outs_put(struct strbuf *b, const struct ir_task *t, const struct value *outs, const struct artifact *sizes)
{
	(void)sizes;
	put_u32(b, t->nouts);
	for (uint32_t k = 0; k < t->nouts; k++) {
		const struct value *v = &outs[k];
		struct strbuf text = { 0 };

		put_text(b, t->outs[k].name->s, t->outs[k].name->len);
		if (v->type.kind == T_NULL && !v->type.list)
			put_u32(b, OUT_ABSENT);
		else if (type_is_path(v->type) && v->type.list) {
			put_u32(b, v->type.kind == T_DIR ? OUT_DIRS : OUT_FILES);
			put_u32(b, v->n);
			for (uint32_t e = 0; e < v->n; e++)
				put_artifact(b, &v->u.list[e]);
		} else if (type_is_path(v->type)) {
			put_u32(b, v->type.kind == T_DIR ? OUT_DIR : OUT_FILE);
			put_artifact(b, v);
		} else {
			value_text(&text, v);
			put_u32(b, OUT_TEXT);
			put_text(b, text.s ? text.s : "", text.n);
			sb_free(&text);
		}
	}
}

static int get_artifact(struct rt *rt, struct reader *r, bool dir, struct value *v)
{
	struct artifact a = { .dir = dir };
	const void *p = get_bytes(r, sizeof a.sha.b);

	if (!p)
		return -1;
	memcpy(a.sha.b, p, sizeof a.sha.b);
	get_u64(r);
	*v = artifact_value(rt, &a);
	return 0;
}

static int get_list(struct rt *rt, struct reader *r, bool dir, struct value *v)
{
	uint32_t n = get_u32(r);
	struct value *list;

	if (n > r->n / 40)
		return -1;
	list = arena_array(rt->arena, struct value, n ? n : 1);
	for (uint32_t e = 0; e < n; e++)
		if (get_artifact(rt, r, dir, &list[e]))
			return -1;
	*v = (struct value){ .type = { dir ? T_DIR : T_FILE, true, false }, .n = n, .u.list = list };
	return 0;
}

static int get_out(struct rt *rt, struct reader *r, struct type t, struct value *v)
{
	struct valctx c = { rt->arena, rt->m->strs };
	const char *s, *err;
	size_t n;

	t.opt = false;
	switch ((enum out_tag)get_u32(r)) {
	case OUT_ABSENT: v->type = type_of(T_NULL); return 0;
	case OUT_TEXT: s = get_text(r, &n); return type_is_path(t) ? -1 : value_parse(&c, t, s, n, true, v, &err);
	case OUT_FILE: return get_artifact(rt, r, false, v);
	case OUT_DIR: return get_artifact(rt, r, true, v);
	case OUT_FILES: return get_list(rt, r, false, v);
	case OUT_DIRS: return get_list(rt, r, true, v);
	}
	return -1;
}

int outs_get(struct rt *rt, const struct ir_task *t, const char *s, size_t n, struct value **outs)
{
	struct reader r = { s, n, 0 };

	if (get_u32(&r) != t->nouts)
		return -1;
	*outs = arena_array(rt->arena, struct value, t->nouts ? t->nouts : 1);
	for (uint32_t k = 0; k < t->nouts; k++) {
		size_t len;
		const char *name = get_text(&r, &len);

		if (len != t->outs[k].name->len || memcmp(name, t->outs[k].name->s, len) || get_out(rt, &r, t->outs[k].type, &(*outs)[k]) || r.bad)
			return -1;
	}
	return 0;
}

int outs_artifacts(const char *s, size_t n, int (*f)(const struct sha *, bool, uint64_t, void *), void *data)
{
	struct reader r = { s, n, 0 };
	uint32_t nouts = get_u32(&r);
	int rc = 0;

	for (uint32_t k = 0; k < nouts && !r.bad && !rc; k++) {
		size_t len;
		uint32_t tag, count;

		get_text(&r, &len);
		tag = get_u32(&r);
		count = tag == OUT_FILES || tag == OUT_DIRS ? get_u32(&r) : tag == OUT_FILE || tag == OUT_DIR;
		if (tag == OUT_TEXT)
			get_text(&r, &len);
		for (uint32_t e = 0; e < count && !rc; e++) {
			const void *p = get_bytes(&r, 32);
			struct sha sha;
			uint64_t size = get_u64(&r);

			if (!p || r.bad)
				break;
			memcpy(sha.b, p, 32);
			rc = f(&sha, tag == OUT_DIR || tag == OUT_DIRS, size, data);
		}
	}
	return rc ? rc : r.bad ? -1 : 0;
}
