/*
 * The cache from outside a run: what is in it, whether it is sound, and making it smaller. gc drops whole actions,
 * the longest unused first, then every object that nothing refers to: no action that is left, and no run that is
 * alive or kept. A run holds gc.lock shared between finding an object and having noted it in its journal.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "actions.h"
#include "history.h"
#include "keys.h"
#include "same.h"
#include "shaset.h"
#include "store.h"

#define KEEP_RUNS 100                     /* newest runs whose folders gc leaves, if not older than RUN_AGE */
#define RUN_AGE (30 * 86400.0)

static char *path_error(const char *path)
{
	struct strbuf b = { 0 };
	char *p;

	sb_f(&b, "%s: %s", path, strerror(errno));
	p = xstrdup(sb_cstr(&b));
	sb_free(&b);
	return p;
}

/* ---- ls, why ---- */

struct each { void (*f)(const struct cache_item *, void *); void *data; };

static int add_size(const struct sha *s, bool dir, uint64_t size, void *data)
{
	(void)s;
	(void)dir;
	*(uint64_t *)data += size;
	return 0;
}

static void one_action(const struct action *a, void *data)
{
	struct each *e = data;
	struct cache_item i = { .time = a->time, .used = a->used, .seconds = a->seconds, .bytes = a->bytes };
	char *step = strndup(a->step, a->step_len), *run = strndup(a->run, a->run_len);

	sha_hex(&a->key, i.key);
	i.step = step ? step : "";
	i.run = run ? run : "";
	if (!i.bytes)
		outs_artifacts(a->outs, a->outs_len, add_size, &i.bytes);
	e->f(&i, e->data);
	free(step);
	free(run);
}

int cache_each(const char *store, void (*f)(const struct cache_item *, void *), void *data, char **err)
{
	struct actions *a = actions_open(store);
	struct each e = { f, data };

	*err = NULL;
	actions_each(a, one_action, &e);
	actions_close(a);
	return 0;
}

/* The newest identity of a step, or of the one that runs in its place: *into (malloc). */
static bool identity_of(const char *store, struct keys *k, const char *step, char **into, const char **text, size_t *n)
{
	*into = NULL;
	if (keys_last(k, step, strlen(step), text, n))
		return true;
	*into = run_merged(store, NULL, step);
	return *into && keys_last(k, *into, strlen(*into), text, n);
}

int cache_why(const char *store, const char *step, struct strbuf *out, char **err)
{
	struct keys *k = keys_open(store);
	const char *now, *old;
	char *into;
	size_t n, m;

	*err = NULL;
	if (!identity_of(store, k, step, &into, &now, &n)) {
		struct strbuf b = { 0 };

		sb_f(&b, "%s: nothing was kept of a step '%s'; `couler cache ls` lists what is", store, step);
		*err = xstrdup(sb_cstr(&b));
		sb_free(&b);
		free(into);
		keys_close(k);
		return -1;
	}
	if (into)
		sb_f(out, "%s is the same as %s, which runs in its place\n", step, into);
	step = into ? into : step;
	sb_f(out, "identity of %s:\n", step);
	for (size_t at = 0; at < n; ) {
		const char *end = memchr(now + at, '\n', n - at);
		size_t len = end ? (size_t)(end - now) - at : n - at;

		sb_z(out, "  ");
		sb_safe(out, now + at, len);
		sb_ch(out, '\n');
		at += len + 1;
	}
	if (keys_before(k, step, strlen(step), &old, &m)) {
		sb_z(out, "changed since the one before:\n");
		keys_diff(old, m, now, n, out);
	}
	free(into);
	keys_close(k);
	return 0;
}

/* ---- objects ---- */

/* Calls f with each object of blobs/ or trees/: its folder and name. */
static int each_object(const char *store, bool dir, int (*f)(const char *path, const struct sha *s, bool dir, void *data), void *data)
{
	char *top = file_join(store, dir ? "trees" : "blobs");
	DIR *d = opendir(top), *sub;
	struct dirent *a, *b;
	int rc = 0;

	while (d && !rc && (a = readdir(d))) {
		char *mid = file_join(top, a->d_name);

		sub = a->d_name[0] == '.' ? NULL : opendir(mid);
		while (sub && !rc && (b = readdir(sub))) {
			char hex[80], *path;
			struct sha s;

			snprintf(hex, sizeof hex, "%.2s%.70s", a->d_name, b->d_name);
			if (!sha_parse(hex, strlen(hex), &s))
				continue;
			path = file_join(mid, b->d_name);
			rc = f(path, &s, dir, data);
			free(path);
		}
		if (sub)
			closedir(sub);
		free(mid);
	}
	if (d)
		closedir(d);
	free(top);
	return rc;
}

/* ---- verify ---- */

struct verify { struct store *st; struct hasher *h; struct cache_check *c; bool mend; };

static int verify_object(const char *path, const struct sha *s, bool dir, void *data)
{
	struct verify *v = data;
	struct artifact a = { 0 };
	char *p = dir ? file_join(path, "d") : xstrdup(path);
	struct stat st;
	struct sha got;
	int fd = dir ? -1 : open(p, O_RDONLY | O_CLOEXEC);
	int rc = dir ? tree_hash(v->h, p, &got, &a.size) : fd < 0 ? -1 : sha_fd(v->h, fd, &got);

	if (fd >= 0) {
		if (!fstat(fd, &st))
			a.size = (uint64_t)st.st_size;
		close(fd);
	}
	v->c->files += !dir;
	v->c->trees += dir;
	v->c->bytes += a.size;
	if (rc || memcmp(&got, s, sizeof got)) {
		v->c->bad++;
		if (v->mend)
			remove_tree(AT_FDCWD, path);
	}
	free(p);
	return 0;
}

static int count_missing(const struct sha *s, bool dir, uint64_t size, void *data)
{
	struct verify *v = data;
	char *p = store_path(v->st, s, dir);

	(void)size;
	v->c->missing += access(p, F_OK) != 0;
	free(p);
	return 0;
}

static void verify_action(const struct action *a, void *data)
{
	struct verify *v = data;

	v->c->actions++;
	outs_artifacts(a->outs, a->outs_len, count_missing, v);
}

int cache_verify(const char *store, bool mend, struct cache_check *c, char **err)
{
	struct verify v = { store_open(store, err), hasher_new(), c, mend };
	struct actions *a;

	*c = (struct cache_check){ 0 };
	if (!v.st) {
		hasher_free(v.h);
		return -1;
	}
	each_object(store, false, verify_object, &v);
	each_object(store, true, verify_object, &v);
	a = actions_open(store);
	actions_each(a, verify_action, &v);
	c->bad += actions_bad(a) > 0;
	actions_close(a);
	store_close(v.st);
	hasher_free(v.h);
	return 0;
}

/* ---- gc ---- */

struct gc {
	const char *store;
	struct cache_gc *g;
	struct shaset held, dropped;         /* objects in use; keys of actions to drop */
	struct victim { struct sha key; double used; uint64_t bytes; int rank; } *v;
	uint32_t n, cap;
	double now;
	bool alive;                       /* a run is under way: young objects are left */
};

static int hold(const struct sha *s, bool dir, uint64_t size, void *data)
{
	(void)dir;
	(void)size;
	shaset_add(&((struct gc *)data)->held, s);
	return 0;
}

/* What a run that is kept has noted stays; its folder goes when it is old. */
static void look_at_run(struct gc *c, const char *id, bool keep)
{
	struct journal_reader r;
	struct journal_entry e;
	struct strbuf p = { 0 };

	sb_f(&p, "%s/runs/%s", c->store, id);
	if (!keep) {
		c->g->runs++;
		if (!c->g->dry_run)
			remove_tree(AT_FDCWD, sb_cstr(&p));
		sb_free(&p);
		return;
	}
	sb_z(&p, "/journal");
	if (run_is_alive(c->store, id) && !journal_read(&r, sb_cstr(&p))) {
		c->alive = true;
		while (journal_next(&r, &e))
			if (e.kind == JOURNAL_ENDED)
				outs_artifacts(e.u.ended.outs, e.u.ended.outs_len, hold, c);
		journal_read_end(&r);
	}
	sb_free(&p);
}

static int newest_first(const void *a, const void *b)
{
	return -strcmp(*(char *const *)a, *(char *const *)b);
}

static void look_at_runs(struct gc *c)
{
	char *path = file_join(c->store, "runs"), **v = NULL;
	DIR *d = opendir(path);
	struct dirent *de;
	size_t n = 0, cap = 0;

	while (d && (de = readdir(d)))
		if (de->d_name[0] != '.') {
			if (n == cap)
				v = xrealloc(v, (cap = cap ? 2 * cap : 64) * sizeof *v);
			v[n++] = xstrdup(de->d_name);
		}
	if (d)
		closedir(d);
	if (n)
		qsort(v, n, sizeof *v, newest_first);
	for (size_t k = 0; k < n; k++) {
		char *p = file_join(path, v[k]);
		struct stat st;
		bool young = !stat(p, &st) && c->now - (double)st.st_mtim.tv_sec < RUN_AGE;

		look_at_run(c, v[k], run_is_alive(c->store, v[k]) || (young && k < KEEP_RUNS));
		free(p);
		free(v[k]);
	}
	free(v);
	free(path);
}

static void weigh(const struct action *a, void *data)
{
	struct gc *c = data;
	struct victim *v;

	if (c->n == c->cap)
		c->v = xrealloc(c->v, (c->cap = c->cap ? 2 * c->cap : 256) * sizeof *c->v);
	v = &c->v[c->n++];
	*v = (struct victim){ a->key, a->used > a->time ? a->used : a->time, a->bytes, c->g->rank ? c->g->rank(a->step, a->step_len, a->time, c->g->data) : 0 };
	if (!v->bytes)
		outs_artifacts(a->outs, a->outs_len, add_size, &v->bytes);
}

static int oldest_first(const void *a, const void *b)
{
	double x = ((const struct victim *)a)->used, y = ((const struct victim *)b)->used;
	int k = ((const struct victim *)a)->rank, l = ((const struct victim *)b)->rank;

	if (k != l)
		return k < l ? -1 : 1;
	return x < y ? -1 : x > y;
}

static void choose(struct gc *c)
{
	double total = 0;

	for (uint32_t k = 0; k < c->n; k++)
		total += (double)c->v[k].bytes;
	if (c->n)
		qsort(c->v, c->n, sizeof *c->v, oldest_first);
	for (uint32_t k = 0; k < c->n; k++) {
		bool old = c->g->max_age >= 0 && c->now - c->v[k].used > c->g->max_age;

		if (!old && (c->g->max_bytes < 0 || total <= c->g->max_bytes))
			continue;
		shaset_add(&c->dropped, &c->v[k].key);
		total -= (double)c->v[k].bytes;
		c->g->actions++;
	}
}

static bool stays(const struct action *a, void *data)
{
	struct gc *c = data;

	return !shaset_has(&c->dropped, &a->key);
}

static void hold_action(const struct action *a, void *data)
{
	if (stays(a, data))
		outs_artifacts(a->outs, a->outs_len, hold, data);
}

static uint64_t size_of(const char *path)
{
	struct hasher *h = NULL;
	struct stat st;
	uint64_t size = 0;

	if (!lstat(path, &st) && !S_ISDIR(st.st_mode))
		return (uint64_t)st.st_size;
	tree_hash(h, path, NULL, &size);
	return size;
}

static int sweep(const char *path, const struct sha *s, bool dir, void *data)
{
	struct gc *c = data;
	struct stat st;
	uint64_t size = size_of(path);

	(void)dir;
	if (shaset_has(&c->held, s)) {
		c->g->kept += size;
		return 0;
	}
	if (c->alive && !lstat(path, &st) && c->now - (double)st.st_ctim.tv_sec < 3600) {
		c->g->kept += size;
		return 0;
	}
	c->g->objects++;
	c->g->freed += size;
	if (!c->g->dry_run && remove_tree(AT_FDCWD, path))
		c->g->freed -= size;
	return 0;
}

/* Temporaries of processes that are gone. */
static void sweep_tmp(struct gc *c)
{
	char *path = file_join(c->store, "tmp");
	DIR *d = opendir(path);
	struct dirent *de;

	while (d && (de = readdir(d))) {
		const char *pid = strchr(de->d_name, '-');

		if (de->d_name[0] == '.' || !pid || c->g->dry_run || !kill((pid_t)atoi(pid + 1), 0) || errno != ESRCH)
			continue;
		remove_tree(dirfd(d), de->d_name);
	}
	if (d)
		closedir(d);
	free(path);
}

/* Replies of a language model that no run read for long (predict.c); a run that wants one asks again. */
static void sweep_predicted(struct gc *c)
{
	double age = c->g->max_age >= 0 && c->g->max_age < RUN_AGE ? c->g->max_age : RUN_AGE;
	char *path = file_join(c->store, "predicted");
	DIR *d = opendir(path);
	struct dirent *de;

	while (d && (de = readdir(d))) {
		struct stat st;

		if (de->d_name[0] == '.' || fstatat(dirfd(d), de->d_name, &st, AT_SYMLINK_NOFOLLOW) || !S_ISREG(st.st_mode))
			continue;
		if (c->now - (double)st.st_mtim.tv_sec <= age) {
			c->g->kept += (uint64_t)st.st_size;
			continue;
		}
		if (!c->g->dry_run && unlinkat(dirfd(d), de->d_name, 0))
			continue;
		c->g->objects++;
		c->g->freed += (uint64_t)st.st_size;
	}
	if (d)
		closedir(d);
	free(path);
}

int cache_gc(const char *store, struct cache_gc *g, char **err)
{
	struct gc c = { .store = store, .g = g, .now = now_wall() };
	char *lock = file_join(store, "gc.lock");
	int fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0666), rc = 0;
	struct actions *a;

	*err = NULL;
	g->actions = g->objects = g->runs = g->freed = g->kept = 0;
	while (fd >= 0 && (rc = flock(fd, LOCK_EX)) && errno == EINTR)
		;
	if (fd < 0 || rc) {
		*err = path_error(lock);
		free(lock);
		return -1;
	}
	look_at_runs(&c);
	a = actions_open(store);
	actions_each(a, weigh, &c);
	choose(&c);
	if (!g->dry_run && (c.dropped.n || actions_bad(a)) && actions_rewrite(a, stays, &c)) {
		*err = path_error(store);
		rc = -1;
	}
	actions_each(a, hold_action, &c);
	for (int dir = 0; dir < 2 && !rc; dir++)
		each_object(store, dir, sweep, &c);
	sweep_tmp(&c);
	sweep_predicted(&c);
	if (!g->dry_run)
		same_drop(store);
	actions_close(a);
	close(fd);
	free(lock);
	free(c.v);
	shaset_free(&c.held);
	shaset_free(&c.dropped);
	return rc;
}
