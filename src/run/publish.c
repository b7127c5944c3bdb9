/* `out x: file to "place"`: a copy at a place of the user's, after the step succeeded; whole or not at all. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rt.h"

struct place_to { const char *name, *from, *to; const struct str *sha; bool dir; int err; };
struct publish {
	struct job job;                   /* first */
	struct rt *rt;
	struct place_to *v;
	uint32_t n;
	void (*done)(struct rt *, void *, char *err);
	void *data;
};

static bool has_already(struct rt *rt, struct hasher *h, const struct place_to *p)
{
	struct sha now, want;
	struct stat st;

	if (!p->sha || stat(p->to, &st) || S_ISDIR(st.st_mode) != p->dir || !sha_parse(p->sha->s, p->sha->len, &want))
		return false;
	if (p->dir ? store_hash_tree(rt->store, h, p->to, &now) : store_hash(rt->store, h, p->to, &now))
		return false;
	return !memcmp(&now, &want, sizeof now);
}

static int make_parent(const char *path)
{
	char *p = xstrdup(path), *slash = strrchr(p, '/');
	int rc = 0;

	if (slash && slash != p) {
		*slash = '\0';
		rc = make_dirs(p);
	}
	free(p);
	return rc;
}

/* A directory is built beside its place and swapped with what is there. */
static int put_dir(const struct place_to *p)
{
	struct strbuf tmp = { 0 }, old = { 0 };
	int rc;

	sb_f(&tmp, "%s.tmp-%d-%lx", p->to, (int)getpid(), (unsigned long)(uintptr_t)&tmp);
	sb_f(&old, "%s.old-%d-%lx", p->to, (int)getpid(), (unsigned long)(uintptr_t)&tmp);
	rc = copy_tree(p->from, sb_cstr(&tmp));
	if (!rc && rename(tmp.s, p->to)) {
		rc = rename(p->to, sb_cstr(&old)) || rename(tmp.s, p->to) ? -1 : 0;
		if (!rc)
			remove_tree(AT_FDCWD, old.s);
	}
	if (rc) {
		int e = errno;

		remove_tree(AT_FDCWD, tmp.s);
		errno = e;
	}
	sb_free(&tmp);
	sb_free(&old);
	return rc;
}

static void work(struct job *j, struct hasher *h)
{
	struct publish *p = (struct publish *)j;

	for (uint32_t k = 0; k < p->n; k++) {
		struct place_to *at = &p->v[k];

		if (has_already(p->rt, h, at))
			continue;
		if (make_parent(at->to) || (at->dir ? put_dir(at) : copy_file(at->from, at->to, 0644)))
			at->err = errno;
	}
}

static void worked(struct rt *rt, struct job *j)
{
	struct publish *p = (struct publish *)j;
	struct strbuf b = { 0 };

	for (uint32_t k = 0; k < p->n; k++)
		if (p->v[k].err)
			sb_f(&b, "%soutput '%s' could not be published to %s: %s", b.n ? "; " : "", p->v[k].name, p->v[k].to, strerror(p->v[k].err));
	p->done(rt, p->data, b.n ? xstrdup(sb_cstr(&b)) : NULL);
	sb_free(&b);
}

struct publish *publish_new(struct rt *rt, struct arena *a)
{
	struct publish *p = arena_new_of(a, struct publish);

	p->rt = rt;
	return p;
}

static void add_one(struct rt *rt, struct arena *a, struct publish *p, const char *name, const struct value *v, const char *to)
{
	p->v = arena_grow(a, p->v, p->n * sizeof *p->v, (p->n + 1) * sizeof *p->v);
	p->v[p->n++] = (struct place_to){ .name = name, .from = module_path(rt, a, v->u.s->s), .to = module_path(rt, a, to), .sha = v->sha256, .dir = v->type.kind == T_DIR };
}

void publish_add(struct rt *rt, struct arena *a, struct publish *p, const char *name, const struct value *v, const char *to)
{
	size_t n = strlen(to);

	if (v->type.kind == T_NULL)
		return;
	if (!v->type.list) {
		add_one(rt, a, p, name, v, to);
		return;
	}
	while (n && to[n - 1] == '/')
		n--;
	for (uint32_t k = 0; k < v->n; k++) {
		struct strbuf b = { 0 };

		sb_add(&b, to, n);
		sb_f(&b, "/%06u", k);
		add_one(rt, a, p, name, &v->u.list[k], sb_cstr(&b));
		sb_free(&b);
	}
}

void publish_start(struct rt *rt, struct publish *p, void (*done)(struct rt *, void *, char *), void *data)
{
	p->done = done;
	p->data = data;
	if (!p->n)
		done(rt, data, NULL);
	else
		pool_add(rt, &p->job, work, worked);
}
