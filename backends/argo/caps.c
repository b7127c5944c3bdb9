/* What Argo cannot carry, the options, and the row of the backend. */
#include "dag.h"

#include <string.h>

static bool in_called(const struct ir *m, const struct ir_workflow *w, const struct node *n, const struct optset *o)
{
	(void)n;
	(void)o;
	return w != m->entry;
}

static bool computed_pool(const struct ir *m, const struct ir_workflow *w, const struct node *n, const struct optset *o)
{
	const struct ir_lock *v = n ? n->attrs->locks.v : w->locks.v;
	uint32_t k = n ? n->attrs->locks.n : w->locks.n;

	(void)m;
	(void)o;
	for (uint32_t i = 0; i < k; i++)
		if (v[i].pool && v[i].name->op != EX_LIT)
			return true;
	return false;
}

/* Each round is nested in the one before, and the engine follows 100 templates. */
static bool too_deep(const struct ir *m, const struct ir_workflow *w, const struct node *n, const struct optset *o)
{
	int64_t rounds = 0;

	(void)m;
	(void)w;
	(void)o;
	if (!n)
		return false;
	for (const struct node *l = n; l; l = l->graph->owner)
		rounds += l->kind == N_LOOP ? l->u.loop.max : 1;
	return rounds > 88;
}

static bool numbered(const struct ir *m, const struct ir_workflow *w, const struct node *n, const struct optset *o)
{
	(void)m;
	(void)w;
	(void)o;
	return n && n->u.wait.poll && n->u.wait.poll->body != BODY_RUN;
}

static void names_failed_ref(struct expr *e, void *data)
{
	if (e->fn == REF_FIELD && e->n == WF_failed_steps)
		*(bool *)data = true;
}

static void names_failed_slot(struct expr **e, struct node *n, void *data)
{
	(void)n;
	expr_refs(*e, names_failed_ref, data);
}

struct naming { const struct ir *m; bool found; };

static void names_failed_node(struct node *n, void *data)
{
	struct naming *k = data;

	node_exprs((struct ir *)(uintptr_t)k->m, n, names_failed_slot, &k->found);
}

static bool names_failed(const struct ir *m, const struct ir_workflow *w, const struct node *n, const struct optset *o)
{
	struct naming k = { m, false };

	(void)w;
	(void)n;
	(void)o;
	for (int i = 0; i < ON_COUNT; i++)
		for (uint32_t j = 0; m->entry->on[i] && j < m->entry->on[i]->nodes.n; j++) {
			names_failed_node(m->entry->on[i]->nodes.v[j], &k);
			node_within(m->entry->on[i]->nodes.v[j], names_failed_node, &k);
		}
	return k.found;
}

/* ---- what no row says ---- */

static bool opens_tag(const struct expr *e)
{
	return e->op == EX_LIT && type_is(e->u.lit->type, T_STRING) && strstr(e->u.lit->u.s->s, "{{");
}

/*
 * A template is rewritten when it is validated, when it is run, and once more as a pod (substitutePodParams), and an annotation
 * has nothing to be decoded by. Those of the workflow stand in no template.
 */
static void annotations(struct node *n, void *data)
{
	struct diag *d = data;

	for (uint32_t i = 0; n->attrs && i < n->attrs->annotations.n; i++) {
		const struct ir_pair *p = &n->attrs->annotations.v[i];
		bool found = opens_tag(p->value);

		for (uint32_t k = 0; p->value->op == EX_CONCAT && k < p->value->n; k++)
			found |= opens_tag(p->value->u.args[k]);
		if (found)
			diag_mend(d, diag_at(d, CW0801, p->value->span, "argo cannot carry '{{' in the annotation '%s' of %s: the engine takes it for a template of its own", p->key->s, n->name->s),
				"write a value of the run as \"${workflow.run_id}\"; other text with '{{' goes into `annotations` of the workflow, which the engine leaves alone");
	}
}

/* Metadata of a Workflow is no template: a tag in it would be the text itself, which no label can be. */
static void fixed(struct diag *d, const struct ir_pair *v, uint32_t n, const char *what)
{
	for (uint32_t i = 0; i < n; i++) {
		const struct expr *e = v[i].value;

		while (e->op == EX_CONV)
			e = e->u.args[0];
		if (e->op != EX_LIT)
			diag_mend(d, diag_at(d, CW0801, v[i].value->span, "argo cannot carry the %s '%s' of the workflow: it is computed, and the engine takes it as it is written", what, v[i].key->s),
				"write its text, or give it to the steps: defaults { %ss { ... } }", what);
	}
}

static int validate(const struct ir *m, const struct optset *o, struct diag *d)
{
	unsigned before = d->errors;

	(void)o;
	for (uint32_t i = 0; i < m->workflows.n; i++)
		workflow_nodes(m->workflows.v[i], annotations, d);
	if (m->entry) {
		fixed(d, m->entry->labels.v, m->entry->labels.n, "label");
		fixed(d, m->entry->annotations.v, m->entry->annotations.n, "annotation");
	}
	return d->errors > before ? -1 : 0;
}

#define UNSHARED "what its workers read and leave passes over a volume that all of them write, and it mounts none"
#define SHARE "add  volume shared { size = 100Gi; mode = rwx }  to the workflow and  mounts { \"/shared\" = shared }  to the step; the volume must have mode = rwx"

static const struct cap caps[] = {
	{ FEAT_DATAFLOW, "with `runtime`, operators are what the training program hands to tf.data or Ray: there is no place for one with a script, nor for a trial of a sweep, nor for more than 64 workers", "leave the scripts to the program, or leave `runtime` out: the workers are couler's own then", NULL },
	{ FEAT_JOB_PYTORCH, UNSHARED, SHARE, job_unshared },
	{ FEAT_JOB_TENSORFLOW, UNSHARED, SHARE, job_unshared },
	{ FEAT_JOB_MPI, UNSHARED, SHARE, job_unshared },
	{ FEAT_JOB_RAY, UNSHARED, SHARE, job_unshared },
	{ FEAT_SWEEP_TPE, "a run cannot feed results back into the search", "search = random(...) or halving(...), or run it locally with `couler run`", NULL },
	{ FEAT_SWEEP_LLM, "a run cannot feed results back into the search", "search = random(...) or halving(...), or run it locally with `couler run`", NULL },
	{ FEAT_CATCHUP, "a CronWorkflow does not make up for missed times", "leave catchup out, and let a parameter say for which time a run is", NULL },
	{ FEAT_ONLY_IF, "a CronWorkflow has no condition over parameters", "put the steps into an `if` with this condition", NULL },
	{ FEAT_LOCATION_LOCAL, "a cluster does not see files beside the .cw file", "let artifacts = NAME name a store, store NAME { uri = \"s3://bucket/prefix\" }, and run `couler push`; or name a place that the cluster sees, such as \"s3://bucket/key\"", NULL },
	{ FEAT_PUBLISH_LOCAL, "a cluster does not see the folder of the .cw file", "publish to a place such as \"s3://bucket/key\"", NULL },
	{ FEAT_CODE_LARGE, "code travels in the manifest, as text of up to 256 KiB in all", "let artifacts = NAME name a store, store NAME { uri = \"s3://bucket/prefix\" }, and run `couler push`; or build it into the image", NULL },
	{ FEAT_ON, "a called workflow's `on` blocks have no exit handler of their own", "move them to the workflow that is started", in_called },
	{ FEAT_POOL, "a pool's size stands in a ConfigMap, and that needs a name known now", "write the pool's name as a literal", computed_pool },
	{ FEAT_LOOP, "each round is nested in the one before, and the engine follows 100 levels", "make max smaller, or put the rounds into one step", too_deep },
	{ FEAT_CALL_RUN, "an `on` block reads workflow.failed_steps, and a run does not know which steps of another one failed", "leave --split-pods out: parts are documents of one run then", names_failed },
	{ FEAT_WAIT_RUN, "a condition is polled by a script", "use `run` in place of `command`", numbered },
	{ -1, NULL, NULL, NULL },
};

const struct optdesc argo_opts[] = {
	{ "as", OPT_ENUM, "auto", "auto|workflow|template|cron|cron-template", "what is written: a Workflow, a WorkflowTemplate, a CronWorkflow, or a CronWorkflow that runs a WorkflowTemplate; auto: by the schedule" },
	{ "dataflow", OPT_ENUM, "local", "local|job", "where the data workers of a dataflow run: local, in the step's pod; job, in the pods of a Job that the step makes, scales and deletes" },
	{ "limits", OPT_BOOL, "on", NULL, "refuse what a cluster with the usual limits would: 200 templates, 200 tasks a template, 1 MiB" },
	{ "memoize", OPT_BOOL, "off", NULL, "keep the results of steps with cache = on (memoize); the controller must be allowed to create and update ConfigMaps" },
	{ "repository", OPT_ENUM, "s3", "s3|gcs|oss|azure", "kind of the cluster's artifact repository, for files that are gathered" },
	{ "runner-image", OPT_STRING, NULL, NULL, "image that holds couler, which pods take it from; dataflow=job needs it" },
	{ "strict", OPT_BOOL, "off", NULL, "expect string parameters encoded as steps' outputs are, so that any text can be given" },
	{ NULL, OPT_BOOL, NULL, NULL, NULL },
};

static bool apart(const struct optset *o)
{
	return !strcmp(opt_string(o, "argo", argo_opts, "dataflow"), "job");
}

static size_t size(const struct ir *m, const struct node *n, const struct optset *o)
{
	return argo_size(m, n, o);
}

extern const struct backend backend_argo;
const struct backend backend_argo = {
	.name = "argo",
	.help = "Argo Workflows v4: Workflow, WorkflowTemplate or CronWorkflow",
	.suffix = ".argo.yaml",
	.caps = caps,
	.opts = argo_opts,
	.validate = validate,
	.emit = argo_emit,
	.size = size,
	.staged = true,
	.submits = true,
	.limits = argo_limits,
	.measure = argo_measure,
	.container = true,
	.apart = apart,
};
