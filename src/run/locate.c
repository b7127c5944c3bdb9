/* Where the files are that a step reads: what steps made lies in the store; what the source or -p names is found and hashed. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "rt.h"
#include "same.h"

#define INLINE (256 * 1024)               /* bytes of a file that are hashed at once */

const char *module_path(struct rt *rt, struct arena *a, const char *path)
{
	size_t n = strlen(rt->root), len = strlen(path);
	char *p;

	if (path[0] == '/')
		return arena_dup(a, path, len);
	p = arena_alloc(a, n + len + 2);
	memcpy(p, rt->root, n);
	p[n] = '/';
	memcpy(p + n + 1, path, len);
	return p;
}

/* One value that is not in the store yet. */
struct place_of { struct value *v; const char *path; struct sha sha; const struct str *pinned; int err; uint32_t in; bool remote; char *why; };   /* why: malloc */
struct locate {
	struct job job;                   /* first */
	struct rt *rt;
	struct step *step;
	struct place_of *v;
	uint32_t n;
	bool large;
};

static bool in_store(const struct rt *rt, const struct value *v)
{
	const char *dir = store_dir(rt->store);
	size_t n = strlen(dir);

	return v->sha256 && !strncmp(v->u.s->s, dir, n) && v->u.s->s[n] == '/';
}

static void hash_all(struct job *j, struct hasher *h)
{
	struct locate *l = (struct locate *)j;

	for (uint32_t i = 0; i < l->n; i++) {
		struct place_of *p = &l->v[i];
		int rc = p->remote ? fetch(l->rt, h, p->path, p->pinned, p->v->type.kind == T_DIR, &p->sha, &p->why) : p->v->type.kind == T_DIR ? store_hash_tree(l->rt->store, h, p->path, &p->sha) : store_hash(l->rt->store, h, p->path, &p->sha);

		p->err = rc ? errno : 0;
	}
}

static void hashed(struct rt *rt, struct job *j)
{
	struct locate *l = (struct locate *)j;
	struct step *s = l->step;

	for (uint32_t i = 0; i < l->n && !s->what; i++) {
		struct place_of *p = &l->v[i];
		char hex[65];

		sha_hex(&p->sha, hex);
		same_input(rt, p->path, p->v->type.kind == T_DIR, p->remote || p->why || p->err ? NULL : hex);
		if (p->why)
			step_why(s, "input '%s': %s", s->task->ins[p->in].name->s, p->why);
		else if (p->err)
			step_why(s, "input '%s': %s: %s", s->task->ins[p->in].name->s, p->path, p->err == EISDIR ? "is a directory, not a file" : strerror(p->err));
		else if (!p->remote && p->pinned && !str_eq(p->pinned, hex))
			step_why(s, "input '%s': %s has SHA-256 %s, but %s was asked for", s->task->ins[p->in].name->s, p->path, hex, p->pinned->s);
		if (p->remote && !s->what) {
			char *path = store_path(rt->store, &p->sha, false);

			p->path = arena_dup(s->arena, path, strlen(path));
			free(path);
		}
		p->v->u.s = str_internz(rt->m->strs, p->path);
		p->v->sha256 = str_intern(rt->m->strs, hex, 64);
	}
	for (uint32_t i = 0; i < l->n; i++)
		free(l->v[i].why);
	if (l->large)
		rt->sched.nprep--;
	step_located(rt, s);
}

static bool is_remote(const char *s)
{
	const char *p = strstr(s, "://");

	return p && p > s && strncmp(s, "file://", 7);
}

static const char *location_path(struct rt *rt, struct step *s, const struct str *loc)
{
	return module_path(rt, s->arena, strncmp(loc->s, "file://", 7) ? loc->s : loc->s + 7);
}

static void add(struct locate *l, struct value *v, uint32_t in)
{
	struct step *s = l->step;
	struct place_of *p;
	struct stat st;

	if (v->type.kind == T_NULL || in_store(l->rt, v) || s->what)
		return;
	l->v = arena_grow(s->arena, l->v, l->n * sizeof *l->v, (l->n + 1) * sizeof *l->v);
	p = &l->v[l->n++];
	*p = (struct place_of){ .v = v, .pinned = v->sha256, .in = in };
	p->remote = is_remote(v->u.s->s);
	p->path = p->remote ? v->u.s->s : location_path(l->rt, s, v->u.s);
	if (p->remote) {
		fetch_soon(l->rt);
		l->large = true;
	} else
		l->large |= !stat(p->path, &st) && (S_ISDIR(st.st_mode) || st.st_size > INLINE);
}

void locate_start(struct rt *rt, struct step *s)
{
	struct locate *l = arena_new_of(s->arena, struct locate);

	l->rt = rt;
	l->step = s;
	for (uint32_t k = 0; k < s->task->nins; k++) {
		struct value *v = &s->ins[k], *list;

		if (!type_is_path(s->task->ins[k].type))
			continue;
		if (!v->type.list) {
			add(l, v, k);
			continue;
		}
		list = arena_array(s->arena, struct value, v->n ? v->n : 1);
		if (v->n)
			memcpy(list, v->u.list, v->n * sizeof *list);
		for (uint32_t e = 0; e < v->n; e++)
			add(l, &list[e], k);
		v->u.list = list;
	}
	if (!l->n || s->what) {
		step_located(rt, s);
		return;
	}
	if (!l->large) {
		hash_all(&l->job, rt->hasher);
		hashed(rt, &l->job);
		return;
	}
	rt->sched.nprep++;
	pool_add(rt, &l->job, hash_all, hashed);
}

