/* What a run opens: the store, a folder of its own, the lock that keeps gc away; and the history at its end. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "history.h"
#include "rt.h"

int rt_file_trouble(struct rt *rt, const char *path)
{
	struct diag_item *it = diag_at(rt->d, CW0901, (struct span){ 0 }, "%s: %s", path, strerror(errno));

	diag_mend(rt->d, it, "choose another folder with --cache DIR or COULER_CACHE");
	return 3;
}

int rt_output_trouble(struct rt *rt, const char *path)
{
	diag_mend(rt->d, diag_at(rt->d, CW0901, (struct span){ 0 }, "%s: %s", path, strerror(errno)), "let it be written to another place");
	return 3;
}

int rt_open_store(struct rt *rt)
{
	char *dir = run_store(rt->o->cache_dir, rt->o->project ? rt->o->project : rt->root), *full, *err = NULL;
	int rc = 0;

	if (make_dirs(dir) || !(full = realpath(dir, NULL)))
		rc = rt_file_trouble(rt, dir);
	free(dir);
	if (rc)
		return rc;
	rt->store = store_open(full, &err);
	free(full);
	if (rt->store)
		return 0;
	diag_at(rt->d, CW0901, (struct span){ 0 }, "%s", err);
	free(err);
	return 3;
}

#define ID_TICKS 65536                    /* of a second: the last part of an id */

/* When a run of this id started, in ticks since 1970; 0 where it is no id. */
static int64_t id_ticks(const char *id)
{
	struct tm tm = { 0 };
	unsigned frac;

	if (sscanf(id, "%4d%2d%2d-%2d%2d%2d-%4x", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &frac) != 7)
		return 0;
	tm.tm_year -= 1900;
	tm.tm_mon--;
	return (int64_t)timegm(&tm) * ID_TICKS + (int64_t)frac;
}

/* A time after that of all runs that are there, also where the clock has gone back: the newest run is the last one by name. */
static int64_t next_ticks(struct rt *rt)
{
	int64_t now = (int64_t)(rt->started * ID_TICKS), last;
	char *err, *newest = run_find(store_dir(rt->store), "last", &err);

	last = newest ? id_ticks(newest) : 0;
	free(newest);
	free(err);
	return now > last ? now : last + 1;
}

/* runs/ID, whose name sorts by time; held by a lock as long as anything of the run lives. */
int rt_open_run(struct rt *rt)
{
	struct strbuf b = { 0 };
	size_t at;
	int rc;

	sb_f(&b, "%s/runs/", store_dir(rt->store));
	at = b.n;
	for (int64_t ticks = next_ticks(rt); ; ticks++) {
		time_t t = (time_t)(ticks / ID_TICKS);
		struct tm tm;

		gmtime_r(&t, &tm);
		b.n = at;
		sb_f(&b, "%04d%02d%02d-%02d%02d%02d-%04x", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, (unsigned)(ticks % ID_TICKS));
		rc = mkdir(sb_cstr(&b), 0777);
		if (!rc || errno != EEXIST)
			break;
	}
	if (rc) {
		rc = rt_file_trouble(rt, sb_cstr(&b));
		sb_free(&b);
		return rc;
	}
	rt->dir = arena_dup(rt->arena, b.s, b.n);
	rt->run_id = rt->dir + at;
	sb_z(&b, "/lock");
	rt->lock_fd = open(sb_cstr(&b), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	if (rt->lock_fd < 0 || flock(rt->lock_fd, LOCK_EX | LOCK_NB)) {
		rc = rt_file_trouble(rt, sb_cstr(&b));
		sb_free(&b);
		return rc;
	}
	sb_free(&b);
	return 0;
}

/* Keeps gc away from what was found or made, until the journal has noted it. */
void store_hold(struct rt *rt)
{
	if (rt->held || rt->gc_fd < 0)
		return;
	while (flock(rt->gc_fd, LOCK_SH) && errno == EINTR)
		;
	rt->held = true;
}

void store_release(struct rt *rt)
{
	if (!rt->held || rt->holds)
		return;
	flock(rt->gc_fd, LOCK_UN);
	rt->held = false;
}

int rt_open_gc_lock(struct rt *rt)
{
	char *p = file_join(store_dir(rt->store), "gc.lock");

	rt->gc_fd = open(p, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	free(p);
	return rt->gc_fd < 0 ? -1 : 0;
}

void rt_keep_history(struct rt *rt)
{
	char *err = NULL, *note = NULL;
	struct history *h = history_open(store_dir(rt->store), &err, &note);

	if (!h || history_take(h, rt->run_id) || history_sync(h))
		view_note(rt, "the history of runs was not updated%s%s", err ? ": " : "", err ? err : "");
	if (note)
		view_note(rt, "%s", note);
	history_close(h);
	free(err);
	free(note);
}
