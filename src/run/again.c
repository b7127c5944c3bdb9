/*
 * The same again: a run that would be equal to one that was kept as a whole (same.c). Every file that was read is
 * hashed by the rules of any run, every object looked at as for any reuse; where one answer is different, or in
 * doubt, the run takes the long way.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "history.h"
#include "same.h"

#define STALE 3600.0                      /* s: now and then the long way notes in the store what is in use */

struct again { struct mapped file; size_t journal; struct same_end end; };     /* journal: bytes of its records, the first ones */

/* ---- reading ---- */

static bool get_end(struct reader *r, const struct strbuf *key, struct same_end *e)
{
	size_t n;
	const char *k = get_text(r, &n);
	const void *st;

	if (n != key->n || memcmp(k, key->s, n))
		return false;
	e->time = get_double(r);
	st = get_bytes(r, sizeof e->actions);
	if (st)
		memcpy(&e->actions, st, sizeof e->actions);
	e->steps = get_u32(r);
	e->done = get_u32(r);
	e->skipped = get_u32(r);
	e->cached = get_u32(r);
	e->file = get_text(r, &e->file_len);
	e->workflow = get_text(r, &e->workflow_len);
	e->outputs = get_text(r, &e->outputs_len);
	return !r->bad;
}

/* Whole, and of this key. */
static bool read_kept(struct again *a, const struct strbuf *key)
{
	size_t at = 0, n, bad = 0;
	const char *p;
	bool ended = false;

	while (!ended && (p = record_next(a->file.s, a->file.n, &at, &n, &bad)) && !bad) {
		struct reader r = { p, n, 0 };
		uint32_t kind = get_u32(&r);

		if (kind == JOURNAL_ENDED || kind == JOURNAL_MERGED)
			a->journal = at;
		else if (kind == SAME_END)
			ended = get_end(&r, key, &a->end);
	}
	return ended && !bad && at == a->file.n;
}

/* ---- is it as it was? ---- */

static bool said_again(struct rt *rt, enum seen_kind kind, const char *path, const char *said, size_t n)
{
	struct sha sha;
	struct stat st;
	char hex[65];

	if (kind != SEEN_TEXT && kind != SEEN_CODE && kind != SEEN_TREE)
		return seen_again(kind, path, said, n);
	if (kind == SEEN_TREE ? store_hash_tree(rt->store, rt->hasher, path, &sha) : store_hash(rt->store, rt->hasher, path, &sha))
		return false;
	sha_hex(&sha, hex);
	if (n < 64 || memcmp(hex, said, 64))
		return false;
	return kind != SEEN_CODE || (!stat(path, &st) && n == 66 && said[65] == (st.st_mode & S_IXUSR ? 'x' : '-'));
}

static bool holds(struct rt *rt, const struct again *a)
{
	size_t at = a->journal, n, bad = 0, len;
	struct strbuf path = { 0 };
	const char *p, *s;
	bool same = true;

	while (same && (p = record_next(a->file.s, a->file.n, &at, &n, &bad))) {
		struct reader r = { p, n, 0 };
		uint32_t what = get_u32(&r), kind = get_u32(&r);

		if (what == SAME_SEEN) {
			path.n = 0;
			s = get_text(&r, &len);
			sb_add(&path, s, len);
			s = get_text(&r, &len);
			same = !r.bad && said_again(rt, (enum seen_kind)kind, sb_cstr(&path), s, len);
		} else if (what == SAME_OBJECT) {
			struct sha sha;
			const void *b = get_bytes(&r, sizeof sha.b);

			if (b)
				memcpy(sha.b, b, sizeof sha.b);
			same = b && !store_check(rt->store, rt->hasher, &sha, kind);
		}
	}
	sb_free(&path);
	return same;
}

/* No step's result was replaced, dropped or used too long ago. */
static bool results_hold(const struct rt *rt, const struct same_end *e)
{
	char *actions = file_join(store_dir(rt->store), "actions");
	struct same_stat now;

	same_stat(actions, &now);
	free(actions);
	return !memcmp(&now, &e->actions, sizeof now) && rt->started >= e->time && rt->started - e->time < STALE;
}

/* ---- saying so ---- */

static void show(struct rt *rt, const struct again *a)
{
	struct journal_reader r = { { a->file.s, a->journal }, 0, 0 };
	struct journal_entry e;

	rt->count.steps = a->end.steps;
	if (!rt->o->quiet)
		while (journal_next(&r, &e)) {
			if (e.kind != JOURNAL_ENDED || e.u.ended.kind == N_CALL)
				continue;
			rt->count.done++;
			view_again(rt, e.u.ended.name, e.u.ended.name_len, e.u.ended.status == ST_SKIPPED);
		}
	rt->count.done = a->end.done;
	rt->count.skipped = a->end.skipped;
	rt->count.cached = a->end.cached;
}

static char *text_of(const char *s, size_t n)
{
	char *p = xmalloc(n + 1);

	memcpy(p, s, n);
	p[n] = '\0';
	return p;
}

/* A run as any other: its folder, its journal, its row of the history. */
static bool note(struct rt *rt, const struct again *a)
{
	char *file = text_of(a->end.file, a->end.file_len), *workflow = text_of(a->end.workflow, a->end.workflow_len);
	bool ok = !rt_open_run(rt) && (rt->journal = journal_open(rt));

	if (ok) {
		rt->count.steps = a->end.steps;
		journal_run(rt, file, workflow);
		show(rt, a);
		journal_again(rt, a->file.s, a->journal);
		journal_finish(rt, 0);
		ok = !journal_flush(rt);
	}
	if (ok)
		rt_keep_history(rt);
	free(file);
	free(workflow);
	return ok;
}

static bool say_again(struct rt *rt, const struct again *a)
{
	if (rt_open_gc_lock(rt))
		return false;
	store_hold(rt);                                                    /* until the journal says that the objects are in use */
	return results_hold(rt, &a->end) && holds(rt, a) && note(rt, a);
}

static void close_all(struct rt *rt)
{
	view_free(rt);
	journal_close(rt);
	store_close(rt->store);
	hasher_free(rt->hasher);
	if (rt->lock_fd >= 0)
		close(rt->lock_fd);
	if (rt->gc_fd >= 0)
		close(rt->gc_fd);
	arena_free(rt->arena);
}

/* In a store that is there, with a file that may tell what this run would come to. */
static bool try_again(struct rt *rt, const char *dir, struct again *a)
{
	struct strbuf key = { 0 };
	char *err = NULL, *path;
	bool done = false;

	same_key(&key, rt->o, rt->root, rt->cwd, dir);
	path = same_path(dir, &key);
	if (!map_file(path, &a->file) && a->file.n && read_kept(a, &key)) {
		rt->store = store_open(dir, &err);
		done = rt->store && say_again(rt, a);
	}
	free(err);
	free(path);
	sb_free(&key);
	return done;
}

bool run_again(const struct run_opts *o, const char *path)
{
	struct rt rt = { .o = o, .lock_fd = -1, .gc_fd = -1, .started = now_wall(), .t0 = now_mono() };
	struct again a = { 0 };
	const char *slash = strrchr(path, '/');
	char *dir = run_store(o->cache_dir, o->project), *full = realpath(dir, NULL), *cwd = getcwd(NULL, 0);
	char *folder = slash ? text_of(path, slash == path ? 1 : (size_t)(slash - path)) : text_of(".", 1), *root = realpath(folder, NULL);
	struct sigaction ignore = { .sa_handler = SIG_IGN }, old;
	bool done = false;

	if (o->same && full && cwd && root) {
		sigaction(SIGPIPE, &ignore, &old);
		rt.arena = arena_new();
		rt.d = diag_new(rt.arena);
		rt.root = root;
		rt.cwd = cwd;
		rt.hasher = hasher_new();
		rt.view = view_new(&rt);
		done = try_again(&rt, full, &a);
		if (done)
			view_end(&rt);
		if (done && !o->quiet)
			fwrite(a.end.outputs, 1, a.end.outputs_len, stdout);
		close_all(&rt);
		unmap_file(&a.file);
		sigaction(SIGPIPE, &old, NULL);
	}
	free(dir);
	free(full);
	free(cwd);
	free(folder);
	free(root);
	return done;
}
