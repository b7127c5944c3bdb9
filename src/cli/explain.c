/* couler explain: one page for a person: what each pass did, the longest path, what is kept and what will run again. */
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "couler/backend.h"
#include "couler/run.h"
#include "driver.h"

struct explain { struct job *job; const char *target; struct run_opts o; };

static int set(const char *name, const char *value, void *data)
{
	struct explain *x = data;

	if (!strcmp(name, "target"))
		x->target = value;
	else if (!strcmp(name, "cache"))
		x->o.cache_dir = value;
	else
		return job_set(x->job, name, value);
	return 0;
}

static const struct diag_item *next_of(const struct diag_item *it, const char *word)
{
	size_t n = strlen(word);

	while (it && (it->sev != SEV_REMARK || strncmp(it->msg, word, n) || it->msg[n] != ':'))
		it = it->next;
	return it;
}

/* What a pass said: each remark a line, with its place. */
static void say(const struct diag *d, const struct pass *p)
{
	const struct diag_item *it = next_of(d->first, p->name);
	size_t n = strlen(p->name);

	printf("%s: %s\n", p->name, p->help);
	if (!it)
		puts("  nothing to do");
	for (; it; it = next_of(it->next, p->name)) {
		struct place at = diag_place(d, it->span);

		if (at.path)
			printf("  %s:%u: %s\n", at.path, at.line, it->msg + n + 2);
		else
			printf("  %s\n", it->msg + n + 2);
	}
}

static void drop_remarks(struct diag *d)
{
	struct diag_item **at = &d->first, *last = NULL;

	while (*at) {
		if ((*at)->sev == SEV_REMARK) {
			*at = (*at)->next;
			continue;
		}
		last = *at;
		at = &(*at)->next;
	}
	d->last = last;
	d->remarks = false;
}

static void count(struct node *n, void *data)
{
	*(uint32_t *)data += n->kind == N_STEP;
}

static void page(const struct job *j, const struct ir *m, const struct backend *b)
{
	uint32_t steps = 0;

	for (uint32_t i = 0; i < m->workflows.n; i++)
		workflow_nodes(m->workflows.v[i], count, &steps);
	printf("%s: workflow %s, %u steps in %u workflow%s, %s%s\n\n", j->path, m->entry->name->s, steps, m->workflows.n, m->workflows.n == 1 ? "" : "s",
		b ? "for " : "for a local run", b ? b->name : "");
	for (const struct pass *const *p = passes; *p; p++)
		say(j->diag, *p);
}

static int explain(int argc, char **argv)
{
	struct explain x = { .job = job_new() };
	const struct backend *b = NULL;
	static const char *const none[] = { NULL };
	struct ir *m;
	int rc = job_args(x.job, "explain", argc, argv, set, &x);

	if (!rc && x.target)
		b = job_target(x.job, x.target, &rc);
	if (rc)
		return job_end(x.job, rc);
	x.job->diag->remarks = true;
	m = job_module(x.job, b, &rc);
	if (!m || !m->entry)
		return job_end(x.job, rc);
	page(x.job, m, b);
	drop_remarks(x.job->diag);
	if (!b) {
		puts("\nwhat a run would do now, and why:");
		if (fflush(stdout))
			return job_end(x.job, cli_fail(3, "standard output cannot be written"));
		x.o.dry_run = x.o.explain = true;
		x.o.force = none;
		x.o.color = x.job->color;
		x.o.project = project_root(x.job->arena, x.job->path);
		rc = run_workflow(m, &x.o, x.job->diag);
	}
	return job_end(x.job, rc < 0 ? 128 - rc : rc);
}

static const struct cli_opt opts[] = {
	{ 't', "target", "ENGINE", "explain what is compiled for an engine; without one: what a local run would do", "argo|airflow|shell|ir" },
	{ 0, "cache", "DIR", "the folder of results (default: COULER_CACHE, else .couler)", "dir" },
	JOB_OPTS,
	JOB_FORMAT,
	{ 0, NULL, NULL, NULL, NULL }
};

extern const struct command command_explain;
const struct command command_explain = {
	.name = "explain", .args = "FILE", .help = "one page: what the passes did, the longest path, what will run again", .opts = opts, .run = explain,
	.text = "Shows what each pass did and why, the longest path and what makes it long, and, without -t, which\nsteps a run would take from earlier runs and which would run again, each with the reason.\nNothing is run and nothing is written.\n",
	.examples = "couler explain churn.cw\n"
		    "couler explain churn.cw -t argo --split-steps 50\n",
};
