/* couler run: here and now. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "couler/run.h"
#include "couler/value.h"
#include "driver.h"

struct run {
	struct job *job;
	struct run_opts o;
	VEC(const char *) force;
	double budget;
	struct strbuf asked;              /* options that a result depends on */
	struct seen seen;
	bool full, alone;                 /* full: each step is looked at; alone: compared with no other run */
};

/* What an option means for the question whether a run is the same as one before. */
enum { SAME_ANYWAY, SAME_IF_EQUAL, SAME_IN_FULL, SAME_NEVER };
static int sameness(const char *name)
{
	static const struct { const char *name; int what; } rows[] = {
		{ "jobs", SAME_ANYWAY }, { "load", SAME_ANYWAY }, { "keep-going", SAME_ANYWAY }, { "quiet", SAME_ANYWAY }, { "verbose", SAME_ANYWAY }, { "color", SAME_ANYWAY },
		{ "cache", SAME_ANYWAY },             /* the folder itself is compared */
		{ "param", SAME_IF_EQUAL }, { "param-file", SAME_IF_EQUAL }, { "workflow", SAME_IF_EQUAL },
		{ "full", SAME_IN_FULL }, { "outputs-json", SAME_IN_FULL }, { "events", SAME_IN_FULL }, { "trace", SAME_IN_FULL }, { "cache-budget", SAME_IN_FULL },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (!strcmp(rows[i].name, name))
			return rows[i].what;
	return SAME_NEVER;
}

static void note_option(struct run *r, const char *name, const char *value)
{
	switch (sameness(name)) {
	case SAME_IF_EQUAL: sb_f(&r->asked, "%s %zu:%s\n", name, strlen(value), value); break;
	case SAME_IN_FULL: r->full = true; break;
	case SAME_NEVER: r->alone = true; break;
	default: break;
	}
}

static int number(const char *name, const char *value, double least, double *out)
{
	char *end;

	*out = strtod(value, &end);
	if (*value && !*end && *out >= least)
		return 0;
	return cli_fail(2, "--%s takes a number from %g, not '%s'", name, least, value);
}

static int set(const char *name, const char *value, void *data)
{
	struct run *r = data;
	struct run_opts *o = &r->o;
	double n = 0;
	int rc = 0;

	note_option(r, name, value ? value : "");
	if (!strcmp(name, "full"))
		return 0;
	if (!strcmp(name, "jobs")) {
		rc = number(name, value, 1, &n);
		o->jobs = (int)n;
	} else if (!strcmp(name, "load"))
		rc = number(name, value, 0, &o->load);
	else if (!strcmp(name, "keep-going"))
		o->keep_going = true;
	else if (!strcmp(name, "dry-run"))
		o->dry_run = true;
	else if (!strcmp(name, "explain"))
		o->explain = true;
	else if (!strcmp(name, "no-cache"))
		o->no_cache = true;
	else if (!strcmp(name, "quiet"))
		o->quiet = true;
	else if (!strcmp(name, "verbose"))
		o->verbose = true;
	else if (!strcmp(name, "from"))
		o->from = value;
	else if (!strcmp(name, "until"))
		o->until = value;
	else if (!strcmp(name, "force"))
		vec_push(r->job->arena, &r->force, value);
	else if (!strcmp(name, "resume"))
		o->resume = value;
	else if (!strcmp(name, "cache"))
		o->cache_dir = r->job->cache = value;
	else if (!strcmp(name, "container"))
		o->container = value;
	else if (!strcmp(name, "network"))
		o->network = true;
	else if (!strcmp(name, "cache-remote"))
		o->cache_remote = value;
	else if (!strcmp(name, "cache-budget")) {
		if (!strcmp(value, "0"))
			r->budget = 0;
		else if (size_parse(value, strlen(value), &r->budget) || r->budget < 0)
			return cli_fail(2, "--cache-budget takes a size such as 20GB, not '%s'", value);
	} else if (!strcmp(name, "outputs-json"))
		o->outputs_json = value;
	else if (!strcmp(name, "events"))
		o->events = value;
	else if (!strcmp(name, "trace"))
		o->trace = value;
	else
		return job_set(r->job, name, value);
	return rc;
}

/* What is kept fits the budget again; a run that ended well is not undone by trouble with that. */
static int trim(const struct run *r, struct ir *m, int rc)
{
	struct cache_gc g = { 0 };
	char *store = run_store(r->o.cache_dir, r->o.project), *err = NULL;

	if (cache_trim(store, m, r->budget, &g, &err))
		rc = rc ? rc : cli_fail(3, "--cache-budget: %s", err ? err : "failed");
	else if (g.actions && !r->o.quiet)
		fprintf(stderr, "couler: %llu results dropped to fit --cache-budget, %llu bytes freed\n", (unsigned long long)g.actions, (unsigned long long)g.freed);
	free(err);
	free(store);
	return rc;
}

/* What this machine cannot carry is refused as an engine refuses it: before anything runs. */
static const struct backend here = { .name = "couler run", .caps = run_caps }, contained = { .name = "couler run --container", .caps = run_container_caps };

/* What would fail when all is done fails before anything runs. */
static int place_for(const char *option, const char *path)
{
	const char *slash = path ? strrchr(path, '/') : NULL;
	struct stat st;
	char *dir;
	int rc = 0;

	if (!path)
		return 0;
	if (!*path)
		return cli_fail(2, "--%s takes the name of a file", option);
	if (!stat(path, &st))
		return S_ISDIR(st.st_mode) ? cli_fail(2, "--%s: %s is a folder; name a file in it", option, path) : 0;
	dir = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
	if (dir && access(dir, W_OK | X_OK))
		rc = cli_fail(3, "--%s: %s cannot be written: %s: %s", option, path, dir, strerror(errno));
	free(dir);
	return rc;
}

/* The same run as one before, said without looking at each step; else what is read for this one is noted for the next. */
static bool known(struct run *r)
{
	const char *path = r->job->path;
	size_t n = strlen(path);
	bool same = false;

	if (!r->alone && !r->o.cache_remote && n > 3 && !strcmp(path + n - 3, ".cw")) {
		sb_f(&r->asked, "file %zu:%s\n", n, path);
		r->o.same = arena_dup(r->job->arena, r->asked.s, r->asked.n);
		r->seen.arena = r->job->arena;
		r->o.seen = r->job->seen = &r->seen;
		same = !r->full && run_again(&r->o, path);
	}
	sb_free(&r->asked);
	return same;
}

static int run(int argc, char **argv)
{
	struct run r = { .job = job_new(), .o = { .color = -1, .argv = argv }, .budget = -1 };
	struct ir *m;
	int rc;

	r.job->level = 0;
	r.job->local = true;
	rc = job_args(r.job, "run", argc, argv, set, &r);
	if (rc)
		return job_end(r.job, rc);
	vec_push(r.job->arena, &r.force, NULL);
	r.o.force = r.force.v;
	r.o.color = r.job->color;
	if (!r.o.cache_remote)
		r.o.cache_remote = getenv("COULER_CACHE_REMOTE");
	if (r.o.cache_remote && !*r.o.cache_remote)
		r.o.cache_remote = NULL;
	rc = place_for("outputs-json", r.o.outputs_json);
	rc = rc ? rc : place_for("events", r.o.events);
	rc = rc ? rc : place_for("trace", r.o.trace);
	if (rc)
		return job_end(r.job, rc);
	r.o.project = project_root(r.job->arena, r.job->path);
	if (known(&r))
		return job_end(r.job, 0);
	m = job_module(r.job, NULL, &rc);
	if (m && backend_check(r.o.container ? &contained : &here, m, r.job->opts, r.job->diag)) {
		rc = 4;
		m = NULL;
	}
	if (m && (job_spares_sources(r.job, r.o.outputs_json) || job_spares_sources(r.job, r.o.events) || job_spares_sources(r.job, r.o.trace))) {
		rc = 2;
		m = NULL;
	}
	if (m)
		rc = run_workflow(m, &r.o, r.job->diag);
	if (m && rc >= 0 && r.budget >= 0 && !r.o.dry_run)
		rc = trim(&r, m, rc);
	if (rc >= 0)
		return job_end(r.job, rc);
	job_end(r.job, 0);
	signal(-rc, SIG_DFL);
	raise(-rc);
	return 128 - rc;
}

static const struct cli_opt opts[] = {
	{ 'j', "jobs", "N", "how many steps run at once (default: the number of processors)", NULL },
	{ 0, "load", "N", "start no step while the load average is above N", NULL },
	{ 'k', "keep-going", NULL, "go on with what can run after a failure, whatever fail_fast says", NULL },
	{ 'n', "dry-run", NULL, "run nothing; say what would run", NULL },
	{ 0, "explain", NULL, "say why each step runs: which part of its identity has changed", NULL },
	{ 0, "full", NULL, "look at each step, also where nothing has changed since the last run", NULL },
	{ 0, "no-cache", NULL, "reuse nothing from earlier runs", NULL },
	{ 0, "from", "STEP", "run STEP and what follows it again", NULL },
	{ 0, "until", "STEP", "run only STEP and what it needs", NULL },
	{ 0, "force", "STEP", "run STEP again, whatever is kept of it", NULL },
	{ 0, "resume", "RUN", "take over what an earlier run finished", NULL },
	{ 0, "cache", "DIR", "where results are kept (default: COULER_CACHE, else .couler)", "dir" },
	{ 0, "cache-remote", "PLACE", "share results: a folder, s3://BUCKET/PREFIX, gs://BUCKET/PREFIX or https://HOST/PATH", "dir" },
	{ 0, "cache-budget", "SIZE", "after the run keep no more than this: what is worth its room least goes first", NULL },
	{ 0, "container", "ENGINE", "run steps that have an image in it, by podman, docker or apptainer", "podman|docker|apptainer" },
	{ 0, "network", NULL, "containers may use the network; without it only what declares it does", NULL },
	{ 0, "outputs-json", "FILE", "write outputs and the state of each step as JSON", "file" },
	{ 0, "events", "FILE", "write what happens as JSON lines", "file" },
	{ 0, "trace", "FILE", "write a trace for chrome://tracing or Perfetto", "file" },
	{ 'q', "quiet", NULL, "show failures only", NULL },
	{ 'v', "verbose", NULL, "show skipped steps, too", NULL },
	JOB_OPTS,
	{ 0, NULL, NULL, NULL, NULL }
};

extern const struct command command_run;
const struct command command_run = {
	.name = "run", .args = "FILE", .help = "run a workflow on this machine", .opts = opts, .run = run,
	.text = "Runs the workflow of FILE here and now, in parallel, and keeps the results of its steps so that\nthe next run does only what has changed.\n\n"
		"exit codes: 0 done, 1 errors in the source, 2 wrong usage, 3 file or lock trouble, 4 something\none machine cannot carry, 6 a step failed; an interrupted run dies by the signal.\n",
	.examples = "couler run churn.cw                          # all of it\n"
		    "couler run churn.cw -p region=us-east-1 -j 4 # with a parameter, four steps at once\n"
		    "couler run churn.cw --explain                # why does each step run?\n"
		    "couler run churn.cw --container=podman       # steps that have an image, in it\n",
};
