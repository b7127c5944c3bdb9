/* What Airflow cannot carry: by feature, and what no row of features can say. */
#include "airflow.h"

#include <string.h>

static bool runtime_is(const struct optset *o, const char *kind)
{
	return !strcmp(opt_string(o, "airflow", airflow_opts, "runtime"), kind);
}

static bool on_worker(const struct ir *m, const struct ir_workflow *w, const struct node *n, const struct optset *o)
{
	(void)m, (void)w, (void)n;
	return runtime_is(o, "local");
}

static bool no_pods(const struct ir *m, const struct ir_workflow *w, const struct node *n, const struct optset *o)
{
	(void)m, (void)w, (void)n;
	return !runtime_is(o, "kubernetes");
}

static bool makes_volume(const struct ir *m, const struct ir_workflow *w, const struct node *n, const struct optset *o)
{
	(void)m, (void)n, (void)o;
	for (uint32_t i = 0; i < w->nvolumes; i++)
		if (!w->volumes[i].claim)
			return true;
	return false;
}

static bool no_start(const struct ir *m, const struct ir_workflow *w, const struct node *n, const struct optset *o)
{
	(void)m, (void)w, (void)n;
	return !opt_string(o, "airflow", airflow_opts, "start_date");
}

const struct cap airflow_caps[] = {
	{ FEAT_ARGS, "steps run on the worker, where no image brings an entrypoint", "name the program: command = [\"prog\", ...]; or --set airflow.runtime=kubernetes", on_worker },
	{ FEAT_ARGO_BODY, "an Argo template means nothing to it", "write the step with run or command", NULL },
	{ FEAT_DATAFLOW, "it sets up no tf.data service and no Ray", "leave `runtime` out: the workers then run beside the trainer, where the step runs", NULL },
	{ FEAT_JOB_PYTORCH, "it starts no distributed jobs", "start the job from a step's script, or use -t argo or couler run", NULL },
	{ FEAT_JOB_TENSORFLOW, "it starts no distributed jobs", "start the job from a step's script, or use -t argo or couler run", NULL },
	{ FEAT_JOB_MPI, "it starts no distributed jobs", "start the job from a step's script, or use -t argo or couler run", NULL },
	{ FEAT_JOB_RAY, "it starts no distributed jobs", "submit to a Ray cluster from a step's script, or use -t argo or couler run", NULL },
	{ FEAT_JOB_KUBERNETES, "it manages no Kubernetes objects", "call kubectl from a step's script, or use -t argo", NULL },
	{ FEAT_SWEEP_TPE, "feeding results back into a search needs couler on the workers", "search = random(trials = N) or halving(...), or use couler run", NULL },
	{ FEAT_SWEEP_LLM, "feeding results back into a search needs couler on the workers", "search = random(trials = N) or halving(...), or use couler run", NULL },
	{ FEAT_SERVICE, "a task cannot live beside the tasks that use it", "run the service outside and pass its address: param address: string", NULL },
	{ FEAT_OVERLAP_REPLACE, "it cannot end a run because the next is due", "overlap = forbid or overlap = allow", NULL },
	{ FEAT_CATCHUP, "catching up needs a first day", "--set airflow.start_date=2026-01-01", no_start },
	{ FEAT_LOCATION_LOCAL, "a path beside the .cw file does not exist on its workers", "let artifacts = NAME name a store, store NAME { uri = \"s3://bucket/prefix\" }, and run `couler push`; or a location such as \"s3://bucket/words.txt\"", NULL },
	{ FEAT_PUBLISH_LOCAL, "a path beside the .cw file does not exist on its workers", "a location such as \"s3://bucket/table.parquet\", or an absolute path on the workers", NULL },
	{ FEAT_VOLUME, "it makes no volumes", "one that is there: volume scratch { claim = \"NAME\" }, with --set airflow.runtime=kubernetes", makes_volume },
	{ FEAT_MOUNTS, "steps run without a pod into which something could be mounted", "--set airflow.runtime=kubernetes; for a secret, env { NAME = secret(\"name\", \"key\") }", no_pods },
	{ FEAT_CODE_LARGE, "code travels inside the document, as text of up to 256 KiB in all", "let artifacts = NAME name a store, store NAME { uri = \"s3://bucket/prefix\" }, and run `couler push`; or put it into the image", NULL },
	{ -1, NULL, NULL, NULL }
};

struct check { struct af af; struct diag *d; const struct ir_workflow *w; bool entry; int rc; };

static void refuse(struct check *c, struct span sp, const char *mend, const char *fmt, ...)
{
	struct strbuf b = { 0 };
	va_list ap;

	va_start(ap, fmt);
	sb_vf(&b, fmt, ap);
	va_end(ap);
	diag_mend(c->d, diag_at(c->d, CW0801, sp, "%s", sb_cstr(&b)), "%s", mend);
	sb_free(&b);
	c->rc = -1;
}

static void known(struct check *c, const struct node *n, const char *what, const struct expr *e)
{
	double d;

	if (e && !af_number(&c->af, e, &d))
		refuse(c, e->span, "a number, or a parameter set with -p when compiling", "%s '%s': Airflow needs %s when it reads the DAG, before any value is known",
			node_kind_name((enum node_kind)n->kind), n->name->s, what);
}

static void attrs(struct check *c, const struct node *n)
{
	const struct attrs *a = n->attrs;

	if (!a)
		return;
	known(c, n, "the number of retries", a->retry.limit);
	known(c, n, "the delay of a retry", a->retry.backoff);
	known(c, n, "the factor of a retry", a->retry.factor);
	known(c, n, "the longest delay of a retry", a->retry.max_backoff);
	known(c, n, "the limit of time for retries", a->retry.within);
	known(c, n, "the priority", a->priority);
	if (af_containers(&c->af) && (n->kind == N_STEP || (n->kind == N_WAIT && n->u.wait.poll)) && !a->image)
		refuse(c, n->span, "defaults { image = \"python:3.12-slim\" }", "%s '%s' has no image, and airflow.runtime=%s runs every step in one",
			node_kind_name((enum node_kind)n->kind), n->name->s, opt_string(c->af.o, "airflow", airflow_opts, "runtime"));
}

static void check_node(struct node *n, void *data)
{
	struct check *c = data;
	struct value v;

	attrs(c, n);
	if (n->kind == N_SWEEP) {
		known(c, n, "max_parallel", n->u.sweep->max_parallel);
	} else if (n->kind == N_FOR) {
		known(c, n, "max_parallel", n->u.for_.max_parallel);
		if (af_const(&c->af, n->u.for_.list, &v) && v.type.list && v.n > AF_FOR_MAX)
			refuse(c, n->u.for_.list->span, "split the list over two loops, or over two runs", "a for over %u elements: Airflow maps over at most %d", v.n, AF_FOR_MAX);
	}
}

static void check_workflow(struct check *c, struct ir_workflow *w)
{
	double d;

	c->w = w;
	if (w->max_parallel && !af_number(&c->af, w->max_parallel, &d))
		refuse(c, w->max_parallel->span, "a number, or a parameter set with -p when compiling", "workflow '%s': Airflow needs max_parallel when it reads the DAG, before any value is known", w->name->s);
	if (w == c->af.m->entry && w->schedule)
		for (uint32_t i = 0; i < w->nparams; i++)
			if (!w->params[i].dflt)
				refuse(c, w->params[i].span, "give it a default, or set it with -p when compiling", "workflow '%s' starts by its schedule, when nobody can give its parameter '%s'", w->name->s, w->params[i].name->s);
	if (af_is_dag(c->af.m, w) && af_dag_id(&c->af, w)->len > AF_ID_MAX)
		refuse(c, w->span, "a shorter name", "workflow '%s': a DAG's id has at most %d characters", w->name->s, AF_ID_MAX);
	workflow_nodes(w, check_node, c);
}

int airflow_validate(const struct ir *m, const struct optset *o, struct diag *d)
{
	struct check c = { .d = d };

	c.af.m = m;
	c.af.o = o;
	c.af.strs = m->strs;
	c.af.a = arena_new();
	for (uint32_t i = 0; i < m->workflows.n; i++)
		check_workflow(&c, m->workflows.v[i]);
	arena_free(c.af.a);
	return c.rc;
}
