/* couler profile: what the operators of a dataflow take a record. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "couler/run.h"
#include "driver.h"

struct profile { struct job *job; struct run_opts o; const char *step; };

static int set(const char *name, const char *value, void *data)
{
	struct profile *p = data;
	char *end;

	if (!strcmp(name, "records")) {
		p->o.profile = strtoll(value, &end, 10);
		return *value && !*end && p->o.profile > 0 ? 0 : cli_fail(2, "--records takes a number from 1, not '%s'", value);
	}
	if (!strcmp(name, "step"))
		p->step = value;
	else if (!strcmp(name, "cache"))
		p->o.cache_dir = p->job->cache = value;
	else
		return job_set(p->job, name, value);
	return 0;
}

static void first_step(struct node *n, void *data)
{
	struct node **found = data;

	if (!*found && n->kind == N_STEP && n->u.task->dataflow)
		*found = n;
}

static void named_step(struct node *n, void *data)
{
	struct { const char *name; struct node *node; } *want = data;

	if (!want->node && n->kind == N_STEP && n->u.task->dataflow && str_eq(n->name, want->name))
		want->node = n;
}

/* The step to measure: the one named, or the first with a dataflow of the entry workflow. */
static struct node *find(struct profile *p, struct ir *m, int *rc)
{
	struct { const char *name; struct node *node; } want = { p->step, NULL };
	struct node *n = NULL;

	if (p->step) {
		workflow_nodes(m->entry, named_step, &want);
		n = want.node;
	} else {
		workflow_nodes(m->entry, first_step, &n);
	}
	if (!n)
		*rc = p->step ? cli_fail(2, "%s: no step '%s' with a dataflow; `couler graph` shows the steps", p->job->path, p->step) :
			cli_fail(2, "%s: no step of the workflow has a dataflow", p->job->path);
	return n;
}

static void print_time(double s)
{
	if (s < 0)
		printf("%12s", "-");
	else if (s >= 1e-3)
		printf("%9.3f ms", s * 1e3);
	else
		printf("%9.3f us", s * 1e6);
}

static void print_bytes(double n)
{
	if (n < 0)
		printf("%14s", "-");
	else
		printf("%14.0f", n);
}

static void print(const struct ir_task *t)
{
	const struct ir_dataflow *f = t->dataflow;

	printf("%-20s %12s %14s  %s\n", t->name->s, "CPU a record", "bytes a record", "as attributes");
	printf("%-20s %12s", f->source->s, "");
	print_bytes(f->source_bytes);
	putchar('\n');
	for (uint32_t i = 0; i + 1 < f->nops; i++) {
		const struct ir_operator *o = &f->ops[i];

		if (!o->run)
			continue;
		printf("%-20s ", o->name->s);
		print_time(o->cpu);
		print_bytes(o->bytes);
		if (o->cpu >= 0 && o->bytes >= 0)
			printf("  cpu = %.4gus; bytes = %.0fB", o->cpu * 1e6, o->bytes);
		putchar('\n');
	}
	printf("%-20s ", "trainer, by itself");
	print_time(f->ops[f->nops - 1].cpu);
	putchar('\n');
}

/* Figures of the source do not count here: what was measured is asked for. */
static void forget(struct ir_dataflow *f)
{
	f->source_bytes = -1;
	for (uint32_t i = 0; i < f->nops; i++)
		f->ops[i].cpu = f->ops[i].bytes = -1;
}

static int profile(int argc, char **argv)
{
	struct profile p = { job_new(), { .color = -1, .argv = argv, .quiet = true, .profile = 1000 }, NULL };
	struct node *n = NULL;
	struct ir *m;
	const char *force[2] = { NULL, NULL };
	int rc;

	p.job->level = 0;
	rc = job_args(p.job, "profile", argc, argv, set, &p);
	if (rc)
		return job_end(p.job, rc);
	p.o.color = p.job->color;
	p.o.project = project_root(p.job->arena, p.job->path);
	m = job_module(p.job, NULL, &rc);
	n = m ? find(&p, m, &rc) : NULL;
	if (n) {
		p.o.until = force[0] = n->name->s;
		p.o.force = force;
		rc = run_workflow(m, &p.o, p.job->diag);
	}
	if (n && !rc) {
		char *store = run_store(p.o.cache_dir, p.o.project);

		forget(n->u.task->dataflow);
		run_figures(m, store);
		free(store);
		print(n->u.task);
	}
	if (rc >= 0)
		return job_end(p.job, rc);
	job_end(p.job, 0);
	signal(-rc, SIG_DFL);
	raise(-rc);
	return 128 - rc;
}

static const struct cli_opt opts[] = {
	{ 0, "records", "N", "measure over the first N records that reach the trainer (default 1000)", NULL },
	{ 0, "step", "STEP", "the step to measure (default: the first with a dataflow)", NULL },
	{ 0, "cache", "DIR", "where results are kept (default: COULER_CACHE, else .couler)", "dir" },
	JOB_OPTS,
	{ 0, NULL, NULL, NULL, NULL }
};

extern const struct command command_profile;
const struct command command_profile = {
	.name = "profile", .args = "FILE", .help = "measure the operators of a dataflow", .opts = opts, .run = profile,
	.text = "Runs what the step needs, then the step itself over a sample, and keeps what every operator took a\nrecord: `couler run`, `graph` and `compile` cut the dataflow by these figures from then on, unless the\n"
		"source gives its own.\n",
	.examples = "couler profile train.cw                      # the first thousand records\n",
};
