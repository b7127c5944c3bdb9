/*
 * Past runs in SQLite. The journals are the truth: the database can be made from them again, so a run never
 * waits for it; it takes over finished and killed runs when a run ends and when somebody asks.
 */
#include "history.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

struct history { sqlite3 *db; char *store, *path, **note; int code; sqlite3_stmt *has, *run, *step; };   /* code: of the last failure */

static const char schema[] =
	"CREATE TABLE IF NOT EXISTS runs(id TEXT PRIMARY KEY, file TEXT, workflow TEXT, started REAL, ended REAL, status TEXT,"
	" steps INTEGER, done INTEGER, failed INTEGER, skipped INTEGER, cached INTEGER, resumed TEXT, args TEXT, cwd TEXT);"
	"CREATE TABLE IF NOT EXISTS steps(run TEXT, name TEXT, workflow TEXT, base TEXT, status TEXT, exit_code INTEGER, attempts INTEGER,"
	" started REAL, seconds REAL, cpu REAL, rss INTEGER, PRIMARY KEY(run, name)) WITHOUT ROWID;"
	"CREATE INDEX IF NOT EXISTS steps_of ON steps(workflow, base);"
	"CREATE TABLE IF NOT EXISTS operators(task TEXT, operator TEXT, script TEXT, cpu REAL, bytes REAL, taken REAL, PRIMARY KEY(task, operator, script)) WITHOUT ROWID;"
	"PRAGMA user_version = 1;";

static char *message(const char *path, const char *what)
{
	struct strbuf b = { 0 };
	char *p;

	sb_f(&b, "%s: %s", path, what);
	p = xstrdup(sb_cstr(&b));
	sb_free(&b);
	return p;
}

static int open_db(struct history *h, const char *path)
{
	if (sqlite3_open_v2(path, &h->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) != SQLITE_OK)
		return -1;
	sqlite3_busy_timeout(h->db, 10000);
	if (sqlite3_exec(h->db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;", NULL, NULL, NULL) != SQLITE_OK ||
			sqlite3_exec(h->db, schema, NULL, NULL, NULL) != SQLITE_OK)
		return -1;
	return sqlite3_prepare_v2(h->db, "SELECT 1 FROM runs WHERE id = ?", -1, &h->has, NULL) != SQLITE_OK ||
		sqlite3_prepare_v2(h->db, "INSERT OR REPLACE INTO runs VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?)", -1, &h->run, NULL) != SQLITE_OK ||
		sqlite3_prepare_v2(h->db, "INSERT OR REPLACE INTO steps VALUES(?,?,?,?,?,?,?,?,?,?,?)", -1, &h->step, NULL) != SQLITE_OK ? -1 : 0;
}

static void close_db(struct history *h)
{
	sqlite3_finalize(h->has);
	sqlite3_finalize(h->run);
	sqlite3_finalize(h->step);
	sqlite3_close(h->db);
	h->has = h->run = h->step = NULL;
	h->db = NULL;
}

/* Puts a damaged database aside, with what SQLite keeps beside it. */
static void put_aside(const char *path, char **note)
{
	struct strbuf to = { 0 }, side = { 0 };

	sb_f(&to, "%s.damaged-%lld", path, (long long)time(NULL));
	if (!rename(path, sb_cstr(&to))) {
		sb_f(&side, "%s: it was damaged, is kept as %s, and is made again from the runs that are still there", path, to.s);
		*note = xstrdup(sb_cstr(&side));
	}
	for (int k = 0; k < 2; k++) {
		side.n = 0;
		sb_f(&side, "%s-%s", path, k ? "shm" : "wal");
		unlink(sb_cstr(&side));
	}
	sb_free(&to);
	sb_free(&side);
}

/* After a call that failed: 0 where the database was damaged and a new one has taken its place. */
static int mend(struct history *h)
{
	if (((h->code & 0xff) != SQLITE_NOTADB && (h->code & 0xff) != SQLITE_CORRUPT) || *h->note)
		return -1;
	close_db(h);
	put_aside(h->path, h->note);
	return open_db(h, h->path);
}

struct history *history_open(const char *store, char **err, char **note)
{
	struct history *h = xcalloc(1, sizeof *h);

	h->store = xstrdup(store);
	h->path = file_join(store, "history.db");
	h->note = note;
	*note = *err = NULL;
	if (!open_db(h, h->path))
		return h;
	h->code = sqlite3_errcode(h->db);
	if (!mend(h))
		return h;
	*err = message(h->path, h->db ? sqlite3_errmsg(h->db) : "out of memory");
	history_close(h);
	return NULL;
}

void history_close(struct history *h)
{
	if (!h)
		return;
	close_db(h);
	free(h->store);
	free(h->path);
	free(h);
}

bool run_is_alive(const char *store, const char *id)
{
	struct strbuf b = { 0 };
	bool alive = false;
	int fd;

	sb_f(&b, "%s/runs/%s/lock", store, id);
	fd = open(sb_cstr(&b), O_RDWR | O_CLOEXEC);
	if (fd >= 0) {
		alive = flock(fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK;
		close(fd);
	}
	sb_free(&b);
	return alive;
}

static void text(sqlite3_stmt *s, int at, const char *p, size_t n)
{
	sqlite3_bind_text(s, at, p, (int)n, SQLITE_TRANSIENT);
}

static int step_row(struct history *h, const char *id, const struct entry_run *run, const struct entry_ended *e)
{
	static const char *const names[] = { "", "succeeded", "failed", "skipped" };
	const char *bracket = memchr(e->name, '[', e->name_len);

	if (e->cached || e->status > ST_SKIPPED || e->status == ST_SKIPPED || e->kind != N_STEP)
		return 0;                                                   /* reuse says nothing about time or memory */
	text(h->step, 1, id, strlen(id));
	text(h->step, 2, e->name, e->name_len);
	text(h->step, 3, run->workflow, run->workflow_len);
	text(h->step, 4, e->name, bracket ? (size_t)(bracket - e->name) : e->name_len);
	text(h->step, 5, names[e->status], strlen(names[e->status]));
	sqlite3_bind_int(h->step, 6, (int)e->exit_code);
	sqlite3_bind_int(h->step, 7, (int)e->attempts);
	sqlite3_bind_double(h->step, 8, run->started + e->t_start);
	sqlite3_bind_double(h->step, 9, e->t_end - e->t_start);
	sqlite3_bind_double(h->step, 10, e->cpu);
	sqlite3_bind_int64(h->step, 11, (sqlite3_int64)e->rss);
	return sqlite3_step(h->step) == SQLITE_DONE && sqlite3_reset(h->step) == SQLITE_OK ? 0 : -1;
}

static int run_row(struct history *h, const char *id, const struct entry_run *run, const struct entry_end *end, bool ended, double last)
{
	struct strbuf args = { 0 };
	const char *status = !ended ? "killed" : end->code == 0 ? "succeeded" : end->code < 0 ? "interrupted" : "failed";
	int rc;

	for (size_t at = 0; at < run->args_len; at += strlen(run->args + at) + 1) {
		if (at)
			sb_ch(&args, ' ');
		sb_z(&args, run->args + at);
	}
	text(h->run, 1, id, strlen(id));
	text(h->run, 2, run->file, run->file_len);
	text(h->run, 3, run->workflow, run->workflow_len);
	sqlite3_bind_double(h->run, 4, run->started);
	sqlite3_bind_double(h->run, 5, ended ? end->ended : run->started + last);
	text(h->run, 6, status, strlen(status));
	sqlite3_bind_int64(h->run, 7, end->steps);
	sqlite3_bind_int64(h->run, 8, end->done);
	sqlite3_bind_int64(h->run, 9, end->failed);
	sqlite3_bind_int64(h->run, 10, end->skipped);
	sqlite3_bind_int64(h->run, 11, end->cached);
	text(h->run, 12, run->resumed, run->resumed_len);
	text(h->run, 13, args.s ? args.s : "", args.n);
	text(h->run, 14, run->cwd, run->cwd_len);
	rc = sqlite3_step(h->run) == SQLITE_DONE && sqlite3_reset(h->run) == SQLITE_OK ? 0 : -1;
	sb_free(&args);
	return rc;
}

static int take_over(struct history *h, const char *id)
{
	struct journal_reader r;
	struct journal_entry e;
	struct entry_run run = { 0 };
	struct entry_end end = { 0 };
	struct strbuf path = { 0 };
	bool ended = false, seen = false;
	double last = 0;
	int rc;

	sb_f(&path, "%s/runs/%s/journal", h->store, id);
	rc = journal_read(&r, sb_cstr(&path));
	sb_free(&path);
	if (rc)
		return 0;
	while (!rc && journal_next(&r, &e)) {
		if (e.kind == JOURNAL_RUN) {
			run = e.u.run;
			seen = true;
		} else if (e.kind == JOURNAL_FINISH) {
			end = e.u.end;
			ended = true;
		} else if (seen && e.kind == JOURNAL_ENDED) {
			last = e.u.ended.t_end;
			if (!ended) {
				end.done++;
				end.failed += e.u.ended.status == ST_FAILED;
				end.cached += e.u.ended.cached;
				end.steps = run.steps;
			}
			rc = step_row(h, id, &run, &e.u.ended);
		}
	}
	if (!rc && seen)
		rc = run_row(h, id, &run, &end, ended, last);
	journal_read_end(&r);
	return rc;
}

static bool known(struct history *h, const char *id)
{
	bool yes;

	text(h->has, 1, id, strlen(id));
	yes = sqlite3_step(h->has) == SQLITE_ROW;
	sqlite3_reset(h->has);
	return yes;
}

static int begin(struct history *h)
{
	return sqlite3_exec(h->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK ? 0 : -1;
}

/* Ends what begin began: rc, or -1. */
static int end(struct history *h, int rc)
{
	if (!rc && sqlite3_exec(h->db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK)
		return 0;
	h->code = sqlite3_errcode(h->db);
	if (!sqlite3_get_autocommit(h->db))
		sqlite3_exec(h->db, "ROLLBACK", NULL, NULL, NULL);
	return -1;
}

static int take_one(struct history *h, const char *id)
{
	return end(h, begin(h) || take_over(h, id) ? -1 : 0);
}

int history_take(struct history *h, const char *id)
{
	int rc = take_one(h, id);

	return rc && !mend(h) ? take_one(h, id) : rc;
}

static int take_all(struct history *h)
{
	char *path = file_join(h->store, "runs");
	DIR *d = opendir(path);
	struct dirent *de;
	int rc = d ? begin(h) : -1;

	free(path);
	while (!rc && (de = readdir(d)))
		if (de->d_name[0] != '.' && !known(h, de->d_name) && !run_is_alive(h->store, de->d_name))
			rc = take_over(h, de->d_name);
	if (d)
		closedir(d);
	return end(h, rc);
}

int history_sync(struct history *h)
{
	int rc = take_all(h);

	return rc && !mend(h) ? take_all(h) : rc;
}

int history_means(struct history *h, const char *workflow, void (*f)(const char *, double, void *), void *data)
{
	sqlite3_stmt *s;
	int rc;

	if (sqlite3_prepare_v2(h->db, "SELECT base, avg(seconds) FROM steps WHERE workflow = ? AND status = 'succeeded' GROUP BY base", -1, &s, NULL) != SQLITE_OK)
		return -1;
	text(s, 1, workflow, strlen(workflow));
	while ((rc = sqlite3_step(s)) == SQLITE_ROW)
		f((const char *)sqlite3_column_text(s, 0), sqlite3_column_double(s, 1), data);
	sqlite3_finalize(s);
	return rc == SQLITE_DONE ? 0 : -1;
}

int history_operator(struct history *h, const char *task, const char *op, const char *script, double cpu, double bytes)
{
	sqlite3_stmt *s;
	int rc;

	if (sqlite3_prepare_v2(h->db, "INSERT INTO operators VALUES(?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO UPDATE SET cpu = CASE WHEN ?4 < 0 THEN cpu ELSE ?4 END,"
			" bytes = CASE WHEN ?5 < 0 THEN bytes ELSE ?5 END, taken = ?6", -1, &s, NULL) != SQLITE_OK)
		return -1;
	text(s, 1, task, strlen(task));
	text(s, 2, op, strlen(op));
	text(s, 3, script, strlen(script));
	sqlite3_bind_double(s, 4, cpu);
	sqlite3_bind_double(s, 5, bytes);
	sqlite3_bind_double(s, 6, (double)time(NULL));
	rc = sqlite3_step(s);
	sqlite3_finalize(s);
	return rc == SQLITE_DONE ? 0 : -1;
}

int history_operator_figures(struct history *h, const char *task, const char *op, const char *script, double *cpu, double *bytes)
{
	sqlite3_stmt *s;
	int rc;

	*cpu = *bytes = -1;
	if (sqlite3_prepare_v2(h->db, "SELECT cpu, bytes FROM operators WHERE task = ? AND operator = ? AND script = ?", -1, &s, NULL) != SQLITE_OK)
		return -1;
	text(s, 1, task, strlen(task));
	text(s, 2, op, strlen(op));
	text(s, 3, script, strlen(script));
	rc = sqlite3_step(s);
	if (rc == SQLITE_ROW) {
		*cpu = sqlite3_column_double(s, 0);
		*bytes = sqlite3_column_double(s, 1);
	}
	sqlite3_finalize(s);
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : -1;
}

int runs_each(const char *store, void (*f)(const struct run_info *r, void *data), void *data, char **err)
{
	char *note = NULL;
	struct history *h = history_open(store, err, &note);
	sqlite3_stmt *s = NULL;
	int rc = h ? history_sync(h) : -1;

	if (note && !*err)
		*err = note;
	if (h && (sqlite3_prepare_v2(h->db, "SELECT id, file, workflow, started, ended, status, steps, done, failed, skipped, cached FROM runs ORDER BY id", -1, &s, NULL) != SQLITE_OK))
		rc = -1;
	while (!rc && sqlite3_step(s) == SQLITE_ROW) {
		struct run_info r = { (const char *)sqlite3_column_text(s, 0), (const char *)sqlite3_column_text(s, 1), (const char *)sqlite3_column_text(s, 2),
			(const char *)sqlite3_column_text(s, 5), sqlite3_column_double(s, 3), sqlite3_column_double(s, 4), (uint32_t)sqlite3_column_int(s, 6),
			(uint32_t)sqlite3_column_int(s, 7), (uint32_t)sqlite3_column_int(s, 8), (uint32_t)sqlite3_column_int(s, 9), (uint32_t)sqlite3_column_int(s, 10) };

		f(&r, data);
	}
	sqlite3_finalize(s);
	if (rc && h && !*err)
		*err = message(store, sqlite3_errmsg(h->db));
	history_close(h);
	return rc;
}
