/*
 * A part that is a run of its own, because one run would have too many nodes: a resource template creates a Workflow from
 * the part's WorkflowTemplate, waits for its end and reads what it left.
 *
 *   NAME-run     the steps around it; what the part's own template takes and leaves
 *   NAME-files   where the files lie that the part reads, as JSON
 *   NAME-create  the Workflow, its arguments, its outputs as one JSON object
 *   hand-on      a file of the part as a file of this run
 *   NAME-all     in the part's WorkflowTemplate: leaves its outputs in the Workflow's status, which a DAG of itself does not
 *
 * The Workflow's name is made of the run and the part, and it is applied, not created: a pod that is started again, or a
 * run that is retried, finds the one that is there.
 */
#include "dag.h"
#include "merge.h"

#include <math.h>
#include <string.h>

#define PLACE_DEPTH 100                  /* of calls and regions between a file and the step that makes it */

/* ---- where a file that leaves a part lies ---- */

struct origin { const struct expr *to; bool plain, other; };            /* to: published there; plain: where steps' files go */

/* call: of the workflow that e stands in; NULL: not known. */
static void origin_of(struct origin *o, const struct expr *e, const struct node *call, int depth);

static void origin_of_output(struct origin *o, const struct expr *e, const struct node *call, int depth)
{
	const struct node *n = e->u.node;
	uint32_t k = n->kind == N_IF ? n->u.if_.n : 1;

	switch ((enum node_kind)n->kind) {
	case N_STEP:
		if (!n->to || !n->to[e->n])
			o->plain = true;
		else if (o->to && !expr_same(o->to, n->to[e->n]))
			o->other = true;
		else
			o->to = n->to[e->n];
		return;
	case N_IF:
	case N_GROUP:
	case N_FOR:
		for (uint32_t i = 0; i < k; i++)
			if (n->ports[e->n].value[i])
				origin_of(o, n->ports[e->n].value[i], call, depth + 1);
		return;
	case N_LOOP:
		for (uint32_t i = 0; i < n->u.loop.n; i++) {
			origin_of(o, n->u.loop.v[i].init, call, depth + 1);
			if (n->u.loop.v[i].next)
				origin_of(o, n->u.loop.v[i].next, call, depth + 1);
		}
		return;
	case N_CALL:
		for (uint32_t i = 0; i < n->u.callee->nouts; i++)
			if (n->u.callee->outs[i].name == n->ports[e->n].name)
				origin_of(o, n->u.callee->outs[i].value, n, depth + 1);
		return;
	case N_SWEEP:
		o->plain = true;                                                 /* trials have keys of their own */
		return;
	default:
		o->other = true;
	}
}

static void origin_of(struct origin *o, const struct expr *e, const struct node *call, int depth)
{
	uint32_t first = e->op == EX_COND;

	if (!type_is_path(e->type) || (e->op == EX_REF && e->fn == REF_STATE) || (e->op == EX_LIT && e->u.lit->type.kind == T_NULL))
		return;
	if (depth > PLACE_DEPTH) {
		o->other = true;
	} else if (e->op == EX_COALESCE || e->op == EX_COND) {
		origin_of(o, e->u.args[first], call, depth + 1);
		origin_of(o, e->u.args[first + 1], call, depth + 1);
	} else if (e->op == EX_CONV || e->op == EX_INDEX) {
		origin_of(o, e->u.args[0], call, depth + 1);
	} else if (e->op != EX_REF) {
		o->other = true;
	} else if (e->fn == REF_OUTPUT) {
		origin_of_output(o, e, call, depth);
	} else if (e->fn == REF_ITEM) {
		origin_of(o, e->u.node->u.for_.list, call, depth + 1);
	} else if (e->fn == REF_PARAM && call && call->ins[e->n]) {
		origin_of(o, call->ins[e->n], NULL, depth + 1);
	} else {
		o->other = true;
	}
}

static void refuse(struct argo *g, struct span sp, const char *what, const char *mend)
{
	diag_mend(g->d, diag_at(g->d, CW0801, sp, "argo cannot carry %s", what), "%s", mend);
	g->err = -1;
}

/* place: the artifact that the file is in the part's run, as an expression. */
static void file_place(struct argo *g, struct yaml *y, const struct node *n, const struct ir_out *out, const char *place)
{
	struct origin o = { NULL, false, false };

	origin_of(&o, out->value, n, 0);
	if (o.other || (o.to && o.plain))
		refuse(g, out->span, a_f(g, "'%s' from one run into another: it may lie in more than one place", out->name->s),
			"let a step copy it to an output of its own, or give --split-pods a larger number");
	else if (!o.to)
		key_write(g, y, a_f(g, "{{=%s.%s.%s}}", place, g->repository, !strcmp(g->repository, "azure") ? "blob" : "key"));
	else if (!place_keyed(g, y, o.to, place))
		refuse(g, out->span, a_f(g, "'%s' from one run into another: its place is known only at run time", out->name->s), "begin its place with s3://BUCKET/ or gs://BUCKET/");
	if (out->type.kind == T_FILE || out->type.list) {
		y_open(y, "archive");                                            /* as it is, even if it is an archive */
		y_plain(y, "none", "{}");
		y_end(y);
	}
}

/* ---- the names that go in ---- */

struct passing { struct argo *g; const struct node *n; const struct ir_workflow *w; const struct winfo *wi; const char *all; };

typedef void each_name(struct argo *g, struct yaml *y, const char *name, enum form f, struct type t);

/* f for each value, or each file, that the part takes, below `key`. */
static void each_of(const struct passing *p, struct yaml *y, bool files, each_name *f)
{
	size_t before = y->b->n, after;

	y_open(y, files ? "artifacts" : "parameters");
	after = y->b->n;
	for (uint32_t i = 0; i < p->w->nparams; i++) {
		struct type t = p->w->params[i].type;

		if (type_is_path(t) == files)
			f(p->g, y, p->wi->param_name[i], t.kind == T_STRING || t.kind == T_JSON ? p->wi->param[i] : FORM_SAFE, t);
	}
	for (uint32_t i = 0; !files && i < p->wi->root->ins.n; i++)
		if (!p->wi->root->ins.v[i].ref && !p->wi->root->ins.v[i].artifact)
			f(p->g, y, p->wi->root->ins.v[i].name, FORM_SAFE, type_of(T_STRING));
	y_end(y);
	if (y->b->n == after)
		y->b->n = before;
}

static bool has_files(const struct passing *p, bool outs)
{
	uint32_t n = outs ? p->w->nouts : p->w->nparams;

	for (uint32_t i = 0; i < n; i++)
		if (type_is_path(outs ? p->w->outs[i].type : p->w->params[i].type))
			return true;
	return false;
}

static void name_only(struct argo *g, struct yaml *y, const char *name, enum form f, struct type t)
{
	(void)g;
	(void)f;
	y_item(y);
	y_z(y, "name", name);
	if (type_is_path(t) && (t.list || t.opt))
		y_plain(y, "optional", "true");
	y_item_end(y);
}

/* A file goes on as the JSON of its place. */
static void name_as_value(struct argo *g, struct yaml *y, const char *name, enum form f, struct type t)
{
	t.kind = T_STRING;
	t.list = false;
	name_only(g, y, name, f, t);
}

static void value_on(struct argo *g, struct yaml *y, const char *name, enum form f, struct type t)
{
	(void)t;
	y_item(y);
	y_z(y, "name", name);
	y_z(y, "value", f == FORM_SAFE || f == FORM_RAW ? a_f(g, "{{inputs.parameters.%s}}", name) : a_f(g, "{{=%s}}", xl_member(g, "inputs.parameters", name)));
	y_item_end(y);
}

static void file_on(struct argo *g, struct yaml *y, const char *name, enum form f, struct type t)
{
	(void)g;
	(void)f;
	y_item(y);
	y_z(y, "name", name);
	y_f(y, "from", "{{inputs.artifacts.%s}}", name);
	if (t.list || t.opt)
		y_plain(y, "optional", "true");
	y_item_end(y);
}

static void place_of(struct argo *g, struct yaml *y, const char *name, enum form f, struct type t)
{
	(void)f;
	(void)t;
	y_item(y);
	y_z(y, "name", name);
	y_open(y, "valueFrom");
	y_f(y, "expression", "toJson(%s)", xl_member(g, "inputs.artifacts", name));
	y_end(y);
	y_item_end(y);
}

static void place_on(struct argo *g, struct yaml *y, const char *name, enum form f, struct type t)
{
	(void)f;
	(void)t;
	y_item(y);
	y_z(y, "name", name);
	y_z(y, "value", a_f(g, "{{=%s}}", xl_member(g, "steps.files.outputs.parameters", name)));
	y_item_end(y);
}

/* In the manifest a file is the JSON itself, in which nothing is rewritten. */
static void place_argument(struct argo *g, struct yaml *y, const char *name, enum form f, struct type t)
{
	(void)f;
	(void)t;
	y_item(y);
	y->dash = false;
	sb_f(y->b, "{{=replace(replace(toJson(fromJSON(%s)), '{{', '{\\\\u007b'), '$', '\\\\u0024')}}\n", xl_member(g, "inputs.parameters", name));
}

static void value_argument(struct argo *g, struct yaml *y, const char *name, enum form f, struct type t)
{
	(void)f;
	(void)t;
	y_item(y);
	y_z(y, "name", name);
	y_z(y, "value", a_f(g, "{{=%s}}", xl_member(g, "inputs.parameters", name)));
	y_item_end(y);
}

/* ---- the Workflow ---- */

static void child_metadata(struct argo *g, struct yaml *y, const struct passing *p)
{
	const struct ir_workflow *e = g->m->entry;
	struct site x = { .g = g, .c = g->w[e->id].root };

	y_open(y, "metadata");
	y_z(y, "name", a_f(g, "%.48s-{{=sprig.trunc(12, sprig.sha256sum(workflow.uid + '/%s'))}}", p->wi->object, p->wi->object));
	y_open(y, "labels");
	for (uint32_t i = 0; i < e->labels.n; i++)
		y_z(y, e->labels.v[i].key->s, plain_of(&x, e->labels.v[i].value));
	y_z(y, "couler.io/run", "{{workflow.name}}");
	y_end(y);
	owner_reference(y);
	y_end(y);
}

static void child_manifest(struct argo *g, struct yaml *y, const struct passing *p)
{
	const struct expr *timeout = g->m->entry->timeout;
	size_t before, after;

	y_z(y, "apiVersion", "argoproj.io/v1alpha1");
	y_z(y, "kind", "Workflow");
	child_metadata(g, y, p);
	y_open(y, "spec");
	y_open(y, "workflowTemplateRef");
	y_z(y, "name", p->wi->object);
	y_end(y);
	y_z(y, "entrypoint", p->all);
	if (timeout && timeout->op == EX_LIT)
		y_plain(y, "activeDeadlineSeconds", "%.0f", ceil(timeout->u.lit->u.d));
	before = y->b->n;
	y_open(y, "arguments");
	after = y->b->n;
	each_of(p, y, false, value_argument);
	each_of(p, y, true, place_argument);
	y_end(y);
	if (y->b->n == after)
		y->b->n = before;
	y_end(y);
}

static void create_template(struct argo *g, const struct passing *p, const char *name)
{
	struct yaml y = template_yaml(g, template_slot(g, name)), m;
	struct strbuf text = { 0 };
	size_t before, after;

	template_head(g, &y, name, p->n->span, a_f(g, "%s, as a Workflow of its own", p->w->name->s), NULL);
	before = y.b->n;
	y_open(&y, "inputs");
	after = y.b->n;
	each_of(p, &y, false, name_only);
	if (has_files(p, false)) {
		if (y.b->n == after)
			y_open(&y, "parameters");
		else
			y.depth++;
		for (uint32_t i = 0; i < p->w->nparams; i++)
			if (type_is_path(p->w->params[i].type))
				name_as_value(g, &y, p->wi->param_name[i], FORM_SAFE, p->w->params[i].type);
		y.depth--;
	}
	y_end(&y);
	if (y.b->n == after)
		y.b->n = before;
	y_open(&y, "resource");
	y_z(&y, "action", "apply");
	y_z(&y, "successCondition", "status.phase == Succeeded");
	y_z(&y, "failureCondition", "status.phase in (Failed, Error)");
	m = manifest_yaml(g, &text);
	child_manifest(g, &m, p);
	y_text(&y, "manifest", text.s, text.n);
	y_end(&y);
	sb_free(&text);
	y_open(&y, "retryStrategy");                                         /* what failed is not started again: it is found as it is */
	y_plain(&y, "limit", "3");
	y_z(&y, "retryPolicy", "Always");
	y_z(&y, "expression", "!(lastRetry.message contains 'failure condition')");
	y_open(&y, "backoff");
	y_z(&y, "duration", "10s");
	y_plain(&y, "factor", "2");
	y_end(&y);
	y_end(&y);
	if (!p->w->nouts)
		return;
	y_open(&y, "outputs");
	y_open(&y, "parameters");
	y_item(&y);
	y_z(&y, "name", "made");
	y_open(&y, "valueFrom");
	y_z(&y, "jqFilter", "[.status.outputs.parameters[]? | { (.name): .value }] | add");
	y_end(&y);
	y_item_end(&y);
	y_end(&y);
	y_end(&y);
}

/* ---- around it ---- */

static void files_template(struct argo *g, const struct passing *p, const char *name)
{
	struct yaml y = template_yaml(g, template_slot(g, name)), c = yaml_at(y.b, y.depth - 1);

	y_comment(&c, "Where the files lie that %s reads.", p->w->name->s);
	pure_begin(&y, name);
	y_open(&y, "inputs");
	each_of(p, &y, true, name_only);
	y_end(&y);
	pure_steps(g, &y);
	y_open(&y, "outputs");
	y_open(&y, "parameters");
	for (uint32_t i = 0; i < p->w->nparams; i++)
		if (type_is_path(p->w->params[i].type))
			place_of(g, &y, p->wi->param_name[i], FORM_SAFE, p->w->params[i].type);
	y_end(&y);
	y_end(&y);
}

static void begin_step(struct yaml *y, const char *name, const char *template)
{
	y_item(y);
	y_z(y, "name", name);
	y_z(y, "template", template);
}

static void run_step(struct argo *g, struct yaml *y, const struct passing *p, const char *create)
{
	size_t before, after;

	begin_step(y, "run", create);
	before = y->b->n;
	y_open(y, "arguments");
	after = y->b->n;
	each_of(p, y, false, value_on);
	if (has_files(p, false)) {
		if (y->b->n == after)
			y_open(y, "parameters");
		else
			y->depth++;
		for (uint32_t i = 0; i < p->w->nparams; i++)
			if (type_is_path(p->w->params[i].type))
				place_on(g, y, p->wi->param_name[i], FORM_SAFE, p->w->params[i].type);
		y->depth--;
	}
	y_end(y);
	if (y->b->n == after)
		y->b->n = before;
	y_item_end(y);
}

/* What the part's run left of o: a value as it is, a file as the JSON of its place. */
static const char *made(struct argo *g, const struct ir_out *o)
{
	return xl_member(g, "fromJSON(steps.run.outputs.parameters.made)", dashed(g, o->name));
}

/* The part's files, each by the key that the part's run says. */
static void hand_steps(struct argo *g, struct yaml *y, const struct passing *p)
{
	g->uses_hand = true;
	for (uint32_t i = 0; i < p->w->nouts; i++) {
		const struct ir_out *o = &p->w->outs[i];

		if (!type_is_path(o->type))
			continue;
		begin_step(y, a_f(g, "file-%u", i), g->hand_name);
		y_open(y, "arguments");
		y_open(y, "artifacts");
		y_item(y);
		y_z(y, "name", "value");
		file_place(g, y, p->n, o, a_f(g, "fromJSON(%s)", made(g, o)));
		if (o->type.list)
			y_plain(y, "optional", "true");
		y_item_end(y);
		y_end(y);
		y_end(y);
		y_item_end(y);
	}
}

static void steps_outputs(struct argo *g, struct yaml *y, const struct passing *p, bool files)
{
	size_t before = y->b->n, after;

	y_open(y, files ? "artifacts" : "parameters");
	after = y->b->n;
	for (uint32_t i = 0; i < p->w->nouts; i++) {
		const struct ir_out *o = &p->w->outs[i];

		if (type_is_path(o->type) != files)
			continue;
		y_item(y);
		y_z(y, "name", dashed(g, o->name));
		if (files) {
			y_f(y, "from", "{{steps.file-%u.outputs.artifacts.value}}", i);
		} else {
			y_open(y, "valueFrom");
			y_z(y, "expression", made(g, o));
			y_end(y);
		}
		if (files && o->type.list)
			y_plain(y, "optional", "true");
		y_item_end(y);
	}
	y_end(y);
	if (y->b->n == after)
		y->b->n = before;
}

static void inputs_of(const struct passing *p, struct yaml *y)
{
	size_t before = y->b->n, after;

	y_open(y, "inputs");
	after = y->b->n;
	each_of(p, y, false, name_only);
	each_of(p, y, true, name_only);
	y_end(y);
	if (y->b->n == after)
		y->b->n = before;
}

static void arguments_on(const struct passing *p, struct yaml *y)
{
	size_t before = y->b->n, after;

	y_open(y, "arguments");
	after = y->b->n;
	each_of(p, y, false, value_on);
	each_of(p, y, true, file_on);
	y_end(y);
	if (y->b->n == after)
		y->b->n = before;
}

static void run_template(struct argo *g, const struct passing *p, const char *name, const char *create)
{
	const char *files = has_files(p, false) ? name_template(g, a_f(g, "%s-files", p->wi->root->name), strlen(p->wi->root->name) + 6) : NULL;
	struct yaml y;

	if (files)
		files_template(g, p, files);
	y = template_yaml(g, template_slot(g, name));
	template_head(g, &y, name, p->n->span, a_f(g, "runs %s and takes over what it left", p->w->name->s), NULL);
	inputs_of(p, &y);
	y_open(&y, "steps");
	if (files) {
		y_item(&y);
		y.depth++;
		begin_step(&y, "files", files);
		y_open(&y, "arguments");
		each_of(p, &y, true, file_on);
		y_end(&y);
		y_item_end(&y);
		y.depth--;
	}
	y_item(&y);
	y.depth++;
	run_step(g, &y, p, create);
	y.depth--;
	if (has_files(p, true)) {
		y_item(&y);
		y.depth++;
		hand_steps(g, &y, p);
		y.depth--;
	}
	y_end(&y);
	if (!p->w->nouts)
		return;
	y_open(&y, "outputs");
	steps_outputs(g, &y, p, false);
	steps_outputs(g, &y, p, true);
	y_end(&y);
}

/* The part's own template; what it leaves goes to the status of its Workflow. */
static void all_template(struct argo *g, const struct passing *p)
{
	uint32_t doc = docs_enter(g, p->wi->doc);
	struct yaml y = template_yaml(g, template_slot(g, p->all));

	template_head(g, &y, p->all, p->w->span, a_f(g, "what is run of %s", p->w->name->s), NULL);
	inputs_of(p, &y);
	y_open(&y, "steps");
	y_item(&y);
	y.depth++;
	begin_step(&y, "all", p->wi->root->name);
	arguments_on(p, &y);
	y_item_end(&y);
	y.depth--;
	y_end(&y);
	if (p->w->nouts) {
		y_open(&y, "outputs");
		y_open(&y, "parameters");
		for (uint32_t i = 0; i < p->w->nouts; i++) {
			const char *name = dashed(g, p->w->outs[i].name);
			bool file = type_is_path(p->w->outs[i].type);

			y_item(&y);
			y_z(&y, "name", name);
			y_z(&y, "globalName", name);
			y_open(&y, "valueFrom");
			if (file)                                        /* a file's globalName would be lost */
				y_f(&y, "expression", "toJson(%s)", xl_member(g, "steps.all.outputs.artifacts", name));
			else
				y_f(&y, "parameter", "{{steps.all.outputs.parameters.%s}}", name);
			y_end(&y);
			y_item_end(&y);
		}
		y_end(&y);
		y_end(&y);
	}
	docs_enter(g, doc);
}

const char *child_template(struct argo *g, const struct node *n)
{
	struct winfo *wi = &g->w[n->u.callee->id];
	struct passing p = { g, n, n->u.callee, wi, NULL };
	const char *create;

	if (wi->run)
		return wi->run;
	ctx_write(g, wi->root);                                              /* its inputs are known then */
	p.all = name_template(g, a_f(g, "%s-all", wi->root->name), strlen(wi->root->name) + 4);
	all_template(g, &p);
	create = name_template(g, a_f(g, "%s-create", wi->root->name), strlen(wi->root->name) + 7);
	wi->run = create;
	if (p.w->nouts || has_files(&p, false))
		wi->run = name_template(g, a_f(g, "%s-run", wi->root->name), strlen(wi->root->name) + 4);
	create_template(g, &p, create);
	if (wi->run != create)
		run_template(g, &p, wi->run, create);
	return wi->run;
}

bool has_children(const struct argo *g)
{
	for (uint32_t i = 0; i < g->m->workflows.n; i++)
		if (g->w[g->m->workflows.v[i]->id].needed && g->m->workflows.v[i]->link == LINK_RUN)
			return true;
	return false;
}

/* What an `argo` block of the workflow says of a run as such is for the first one alone. */
void child_raw(struct argo *g, struct strbuf *text, int depth)
{
	static const char *const once[] = { "onExit", "hooks", "synchronization", "entrypoint", "arguments", "templates", "ttlStrategy", "parallelism", "activeDeadlineSeconds", "volumeClaimTemplates", "metrics", "suspend", "shutdown", "workflowTemplateRef" };
	const struct ir_workflow *w = g->m->entry;
	struct tree *raw = w->argo ? tree_parse(g, w->argo->s, w->argo->len) : NULL;
	struct strbuf b = { 0 };
	struct yaml y = yaml_at(&b, 0);
	uint32_t kept = 0;

	if (!raw || raw->kind != MAPPING)
		return;
	for (uint32_t i = 0; i < raw->v.n; i++) {
		bool skip = false;

		for (size_t k = 0; k < sizeof once / sizeof *once; k++)
			skip |= !strcmp(raw->v.v[i].key, once[k]);
		if (skip)
			continue;
		tree_write(&y, raw->v.v[i].key, raw->v.v[i].v);
		kept++;
	}
	if (kept)
		merge_raw(g, text, depth, str_intern(g->strs, b.s, b.n), w->argo_span);
	sb_free(&b);
}
