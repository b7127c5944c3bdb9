/* couler compile: a .cw file (or IR JSON) to what an engine takes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli.h"
#include "driver.h"
#include "pushed.h"

struct compile {
	struct job *job;
	const char *target, *out, *as, *check;
};

static int set(const char *name, const char *value, void *data)
{
	struct compile *c = data;

	if (!strcmp(name, "target"))
		c->target = value;
	else if (!strcmp(name, "output"))
		c->out = value;
	else if (!strcmp(name, "runner-image"))
		job_runner_image(c->job, value);
	else if (!strcmp(name, "as"))
		c->as = value;
	else if (!strcmp(name, "check-output"))
		c->check = value;
	else
		return job_set(c->job, name, value);
	return 0;
}

/* First line in which two texts differ, from 1. */
static size_t first_difference(const char *a, size_t n, const char *b, size_t m)
{
	size_t line = 1;

	for (size_t i = 0; i < n && i < m && a[i] == b[i]; i++)
		line += a[i] == '\n';
	return line;
}

static int check_output(struct compile *c, const struct strbuf *b)
{
	size_t n;
	char *old = read_file(c->job->arena, c->check, &n);

	if (!old)
		return cli_fail(errno == ENOENT ? 1 : 3, "%s: %s; write it with  couler compile %s -t %s -o %s", c->check, strerror(errno), c->job->path, c->target, c->check);
	if (n == b->n && (!n || !memcmp(old, b->s, n)))
		return 0;
	return cli_fail(1, "%s is stale: line %zu is not what %s gives now; mend with  couler compile %s -t %s -o %s", c->check,
		first_difference(old, n, b->s, b->n), c->job->path, c->job->path, c->target, c->check);
}

/* What is written names files by digest that may not be in the store yet. */
static void remind(struct compile *c, const struct ir *m)
{
	uint64_t bytes;
	uint32_t n = pushed_missing(c->job, m, &bytes);
	char words[32];

	if (n && c->job->format == DIAG_TEXT)
		fprintf(stderr, "couler: note: %u local file%s (%s) that this names %s not been pushed from here: couler push %s -t %s\n", n, n == 1 ? "" : "s", size_words((double)bytes, words),
			n == 1 ? "has" : "have", c->job->path, c->target);
}

/* Folders on the way to path that are not there yet. */
static int make_folders(char *path)
{
	for (char *p = strchr(path + 1, '/'); p; p = strchr(p + 1, '/')) {
		*p = '\0';
		if (mkdir(path, 0777) && errno != EEXIST)
			return cli_fail(3, "%s: %s", path, strerror(errno));
		*p = '/';
	}
	return 0;
}

static int write_one(const char *path, const char *s, size_t n, bool executable)
{
	int rc = cli_write(path, s, n);
	mode_t mask = umask(0);

	umask(mask);
	if (!rc && executable && path && strcmp(path, "-") && chmod(path, 0777 & ~mask))
		return cli_fail(3, "%s: %s", path, strerror(errno));
	return rc;
}

/* The files beside the document, then the document: it names what is there. */
static int write_all(struct compile *c, const struct strbuf *out)
{
	const struct outfiles *f = &c->job->more;
	const char *slash = c->out ? strrchr(c->out, '/') : NULL;
	int rc = 0;

	if (f->n > 1 && (!c->out || !strcmp(c->out, "-")))
		return cli_fail(2, "%s makes %zu files, and standard output is one: give -o FILE; the others go beside it", c->target, f->n);
	for (size_t i = 1; i < f->n && !rc; i++) {
		struct strbuf path = { 0 };

		sb_f(&path, "%.*s%s", slash ? (int)(slash - c->out) + 1 : 0, c->out, f->v[i].path);
		sb_cstr(&path);
		rc = make_folders(path.s);
		if (!rc)
			rc = write_one(path.s, f->v[i].text, f->v[i].len, f->v[i].executable);
		sb_free(&path);
	}
	return rc ? rc : write_one(c->out, out->s, out->n, f->n && f->v[0].executable);
}

static int compile(int argc, char **argv)
{
	struct compile c = { job_new(), "argo", NULL, NULL, NULL };
	const struct backend *b;
	struct strbuf out = { 0 };
	struct ir *m;
	int rc = job_args(c.job, "compile", argc, argv, set, &c);

	b = rc ? NULL : job_target(c.job, c.target, &rc);
	if (!b)
		return job_end(c.job, rc);
	if (c.as && optset_set(c.job->opts, b->name, b->opts, "as", c.as, c.job->diag))
		return job_end(c.job, 2);
	m = job_module(c.job, b, &rc);
	if (m)
		rc = job_emit(c.job, b, m, &out);
	if (m && !rc && !c.check)
		rc = job_spares_sources(c.job, c.out);
	if (m && !rc)
		remind(&c, m);
	if (m && !rc)
		rc = c.check ? check_output(&c, &out) : write_all(&c, &out);
	sb_free(&out);
	return job_end(c.job, rc);
}

static const struct cli_opt opts[] = {
	{ 't', "target", "ENGINE", "the engine: see `couler backends` (default argo)", "argo|airflow|shell|ir" },
	{ 'o', "output", "FILE", "where to write (default: standard output)", "file" },
	{ 0, "as", "KIND", "what to make, where an engine has several kinds: workflow, template or cron", "workflow|template|cron" },
	{ 0, "check-output", "FILE", "write nothing; exit 1 if FILE is not what would be written", "file" },
	JOB_RUNNER,
	JOB_OPTS,
	JOB_FORMAT,
	{ 0, NULL, NULL, NULL, NULL }
};

extern const struct command command_compile;
const struct command command_compile = {
	.name = "compile", .args = "FILE", .help = "write what an engine takes: Argo YAML, Airflow JSON, a shell plan", .opts = opts, .run = compile,
	.text = "Compiles a .cw file, or IR from a .json file. Nothing is written unless all went well;\nan existing output survives a failed command. -t NAME of an engine that is none of couler's own runs\n"
		"the program couler-backend-NAME of PATH (docs/backends.md).\n\n"
		"exit codes: 0 done, 1 errors in the source (or stale with --check-output), 2 wrong usage,\n3 file trouble, 4 the engine cannot express the workflow.\n",
	.examples = "couler compile churn.cw                      # Argo YAML on standard output\n"
		    "couler compile churn.cw -t airflow -o dags/churn.couler.json\n"
		    "couler compile churn.cw --check-output churn.yaml   # in CI: fails when churn.yaml is stale\n",
};
