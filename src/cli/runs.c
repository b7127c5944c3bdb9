/* couler runs, logs, resume: what was run, what it wrote, and going on with it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"
#include "couler/front.h"
#include "couler/run.h"
#include "store.h"

struct where { const char *cache; bool json, follow; int limit; };

static int set(const char *name, const char *value, void *data)
{
	struct where *w = data;

	if (!strcmp(name, "cache"))
		w->cache = value;
	else if (!strcmp(name, "json"))
		w->json = true;
	else if (!strcmp(name, "follow"))
		w->follow = true;
	else if (!strcmp(name, "limit"))
		w->limit = atoi(value);
	return 0;
}

char *cli_store(const char *cache)
{
	struct arena *a = arena_new();
	char *s = run_store(cache, project_root(a, "./."));

	arena_free(a);
	return s;
}

int cli_error(int code, char *err)
{
	int rc = cli_fail(code, "%s", err ? err : "failed");

	free(err);
	return rc;
}

/* ---- runs ---- */

struct rows { struct row { char *line; } *v; size_t n, cap; bool json; };

static void add_row(const struct run_info *r, void *data)
{
	struct rows *rows = data;
	struct strbuf b = { 0 };
	time_t t = (time_t)r->started;
	struct tm tm;
	char when[32];

	localtime_r(&t, &tm);
	strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S", &tm);
	if (rows->json) {
		sb_z(&b, "{\"id\":");
		sb_json(&b, r->id, strlen(r->id));
		sb_z(&b, ",\"workflow\":");
		sb_json(&b, r->workflow, strlen(r->workflow));
		sb_z(&b, ",\"file\":");
		sb_json(&b, r->file, strlen(r->file));
		sb_f(&b, ",\"status\":\"%s\",\"started\":%.3f,\"seconds\":%.3f,\"steps\":%u,\"done\":%u,\"failed\":%u,\"skipped\":%u,\"cached\":%u}", r->status, r->started,
			r->ended > 0 ? r->ended - r->started : 0, r->steps, r->done, r->failed, r->skipped, r->cached);
	} else {
		uint32_t rest = r->cached + r->failed + r->skipped;

		sb_f(&b, "%-21s %-11s %s %8.1f s  %5u done %4u reused %3u failed %3u skipped  %s", r->id, r->status, when, r->ended > 0 ? r->ended - r->started : 0,
			r->done > rest ? r->done - rest : 0, r->cached, r->failed, r->skipped, r->workflow);
	}
	if (rows->n == rows->cap)
		rows->v = xrealloc(rows->v, (rows->cap = rows->cap ? 2 * rows->cap : 64) * sizeof *rows->v);
	rows->v[rows->n++].line = xstrdup(sb_cstr(&b));
	sb_free(&b);
}

static int runs(int argc, char **argv)
{
	struct where w = { NULL, false, false, 20 };
	int n, rc = cli_parse(command_find("runs"), argc, argv, &n, set, &w);
	struct rows rows = { 0 };
	char *store, *err = NULL;

	if (rc)
		return rc;
	if (n)
		return cli_usage(command_find("runs"), "it takes no operand");
	store = cli_store(w.cache);
	rows.json = w.json;
	if (access(store, F_OK))
		err = NULL;
	else if (runs_each(store, add_row, &rows, &err))
		rc = 3;
	else
		runs_alive(store, add_row, &rows);
	if (err)
		cli_fail(3, "%s", err);
	free(err);
	for (size_t k = 0; k < rows.n; k++) {
		if (w.limit <= 0 || rows.n - k <= (size_t)w.limit)
			puts(rows.v[k].line);
		free(rows.v[k].line);
	}
	if (!rows.n && !rc && !w.json)
		fprintf(stderr, "couler: %s holds no runs yet\n", store);
	free(rows.v);
	free(store);
	return rc;
}

static const struct cli_opt runs_opts[] = {
	{ 0, "cache", "DIR", "the folder of results (default: COULER_CACHE, else .couler)", "dir" },
	{ 'n', "limit", "N", "only the newest N (default 20; 0 for all)", NULL },
	{ 0, "json", NULL, "one JSON object a line", NULL },
	{ 0, NULL, NULL, NULL, NULL }
};

extern const struct command command_runs;
const struct command command_runs = {
	.name = "runs", .args = "", .help = "list the runs of this project", .opts = runs_opts, .run = runs,
	.text = "Lists what was run here, newest last: when, for how long, how it ended. A run that was killed\nis listed as such and can be resumed.\n",
	.examples = "couler runs          # the newest twenty\n",
};

/* ---- logs ---- */

struct show { size_t n; char *last; int rc; bool heads; };

static void count_log(const char *name, const char *path, void *data)
{
	struct show *s = data;

	(void)name;
	s->n++;
	free(s->last);
	s->last = xstrdup(path);
}

static void show_log(const char *name, const char *path, void *data)
{
	struct show *s = data;
	FILE *f = fopen(path, "r");
	char buf[16384];
	size_t n, last = 1;

	if (!f) {
		s->rc = cli_fail(3, "%s: %s", path, strerror(errno));
		return;
	}
	if (s->heads)
		printf("==> %s <==\n", name);
	while ((n = fread(buf, 1, sizeof buf, f)) > 0) {
		fwrite(buf, 1, n, stdout);
		last = buf[n - 1] == '\n';
	}
	if (!last)
		putchar('\n');
	fclose(f);
}

/* Prints what is added to a log until its run has ended. */
static int follow(const char *store, const char *id, const char *path)
{
	FILE *f = fopen(path, "r");
	char buf[16384];
	size_t n;

	if (!f)
		return cli_fail(3, "%s: %s", path, strerror(errno));
	for (bool alive = true;;) {
		while ((n = fread(buf, 1, sizeof buf, f)) > 0)
			fwrite(buf, 1, n, stdout);
		fflush(stdout);
		if (!alive)
			break;
		clearerr(f);
		usleep(200000);
		alive = run_is_alive(store, id);
	}
	fclose(f);
	return 0;
}

static int logs(int argc, char **argv)
{
	struct where w = { 0 };
	int n, rc = cli_parse(command_find("logs"), argc, argv, &n, set, &w);
	struct show s = { 0 };
	char *store, *id, *err = NULL;

	if (rc)
		return rc;
	if (n < 1 || n > 2)
		return cli_usage(command_find("logs"), n ? "a run and a step" : "which run? `couler runs` lists them; `last` is the newest");
	store = cli_store(w.cache);
	id = run_find(store, argv[0], &err);
	if (!id)
		rc = cli_error(2, err);
	else if (run_logs(store, id, n > 1 ? argv[1] : "", count_log, &s, &err))
		rc = cli_error(1, err);
	else if (w.follow && s.n == 1)
		rc = follow(store, id, s.last);
	else {
		s.heads = s.n > 1;
		if (err)
			fprintf(stderr, "couler: %s\n", err);
		free(err);
		run_logs(store, id, n > 1 ? argv[1] : "", show_log, &s, &err);
		free(err);
		rc = s.rc;
	}
	free(s.last);
	free(id);
	free(store);
	return rc;
}

static const struct cli_opt logs_opts[] = {
	{ 'f', "follow", NULL, "go on printing what is added until the run has ended", NULL },
	{ 0, "cache", "DIR", "the folder of results (default: COULER_CACHE, else .couler)", "dir" },
	{ 0, NULL, NULL, NULL, NULL }
};

extern const struct command command_logs;
const struct command command_logs = {
	.name = "logs", .args = "RUN [STEP]", .help = "print what the steps of a run wrote", .opts = logs_opts, .run = logs,
	.text = "RUN is an id, the start of one, or `last`. STEP may name one instance (fit[3]) or all of them (fit).\n",
	.examples = "couler logs last train       # of the newest run\ncouler logs last train -f    # while it runs\n",
};

/* ---- resume ---- */

static bool is_dropped(const char *arg, const char *next, bool *two)
{
	static const char *const names[] = { "--resume", "--from", "--until", "--force" };

	for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
		size_t n = strlen(names[k]);

		*two = !strcmp(arg, names[k]) && next;
		if (*two || (!strncmp(arg, names[k], n) && arg[n] == '='))
			return true;
	}
	return false;
}

static int resume(int argc, char **argv)
{
	const struct command *c = command_find("run");
	struct run_start s = { NULL, NULL };
	char **v, **all, *store, *id, *err = NULL, here[] = ".";
	const char *cache = NULL;
	int n = 0, nall, rc;

	for (int k = 1; k < argc; k++)
		if (!strcmp(argv[k], "--help")) {
			struct where w = { 0 };

			return cli_parse(command_find("resume"), argc, argv, &n, set, &w);
		}
	for (int k = 2; k + 1 < argc; k++)
		if (!strcmp(argv[k], "--cache"))
			cache = argv[k + 1];
	store = cli_store(cache);
	id = run_find(store, argc > 1 && argv[1][0] != '-' ? argv[1] : "last", &err);
	if (!id || run_started(store, id, &s, &err)) {
		free(id);
		free(store);
		return cli_error(2, err);
	}
	v = xcalloc((size_t)argc + 64, sizeof *v);
	for (n = 0; s.args[n]; n++)
		;
	v = xrealloc(v, ((size_t)n + (size_t)argc + 4) * sizeof *v);
	n = 0;
	v[n++] = xstrdup("run");
	for (char **a = s.args; *a; a++) {
		bool two = false;

		if (a == s.args)                                            /* run */
			continue;
		if (is_dropped(*a, a[1], &two)) {
			a += two;
			continue;
		}
		v[n++] = xstrdup(*a);
	}
	for (int k = argc > 1 && argv[1][0] != '-' ? 2 : 1; k < argc; k++)
		v[n++] = xstrdup(argv[k]);
	v[n++] = xstrdup("--resume");
	v[n++] = xstrdup(id);
	v[n] = NULL;
	all = xcalloc((size_t)n, sizeof *all);                             /* parsing moves the pointers of v about */
	memcpy(all, v, (size_t)n * sizeof *all);
	nall = n;
	if (chdir(s.cwd && *s.cwd ? s.cwd : here))
		rc = cli_fail(3, "%s: %s", s.cwd, strerror(errno));
	else
		rc = c->run(n, v);
	while (nall)
		free(all[--nall]);
	free(all);
	free(v);
	run_start_free(&s);
	free(id);
	free(store);
	return rc;
}

static const struct cli_opt resume_opts[] = {
	{ 0, "cache", "DIR", "the folder of results (default: COULER_CACHE, else .couler)", "dir" },
	{ 0, NULL, NULL, NULL, NULL }
};

extern const struct command command_resume;
const struct command command_resume = {
	.name = "resume", .args = "[RUN] [OPTION...]", .help = "go on with a run that failed, was interrupted or killed", .opts = resume_opts, .run = resume,
	.text = "Starts the same command again and takes over what RUN (default: the newest) finished and whose\nidentity has not changed. Options are those of `couler run` and come on top of the run's own:\n"
		"parameters may change, and only what reads them runs again.\n",
	.examples = "couler resume                      # the newest run\ncouler resume last -p lr=0.1       # with another parameter\n",
};
