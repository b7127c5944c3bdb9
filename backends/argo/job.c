/*
 * Distributed jobs: an object of the cluster, which an operator runs. It has no files of the engine, so what a job reads and
 * leaves passes over a volume that its workers share:
 *
 *   NAME-files    a pod that gets the input files and puts them there
 *   NAME-job      the object; waits for its end
 *   NAME-outputs  a pod that takes from there what rank 0 left
 *
 * A job that neither reads files nor leaves anything is the object alone.
 */
#include "dag.h"

#include <string.h>

#define ENV_MOST 120000               /* bytes of one variable; Linux takes 131072 */

bool is_object(const struct ir_task *t)
{
	return t && t->body == BODY_JOB && str_eq(t->job->kind, "kubernetes");
}

bool is_job(const struct ir_task *t)
{
	return t && t->body == BODY_JOB && !is_object(t);
}

static void refuse(struct argo *g, struct span sp, const char *why, const char *mend)
{
	diag_mend(g->d, diag_at(g->d, CW0801, sp, "argo cannot carry %s", why), "%s", mend);
	g->err = -1;
}

void job_check(struct argo *g, const struct node *n)
{
	const struct ninfo *ni = info(g, n);
	const char *name = n->name->s, *kind = n->u.task->job->kind->s;

	if (ni->read_code || ni->on_code)
		refuse(g, n->span, a_f(g, "%s.exit_code: job %s '%s' is an object of the cluster, and no exit code of its processes comes back", name, kind, name),
			a_f(g, "read %s.status, or let the script write what happened to an output", name));
	if (n->attrs && n->attrs->retry.limit && n->attrs->retry.on == RETRY_CODES)
		refuse(g, n->span, a_f(g, "retry on exit codes of '%s': job %s is an object of the cluster, and no exit code of its processes comes back", name, kind),
			"retry on failure, on error or on any, and let the script start over itself where the exit code matters");
}

/* ---- the volume ---- */

/* The first volume that many machines may write; NULL. */
static const struct ir_mount *shared_mount(const struct ir_workflow *w, const struct attrs *a)
{
	for (uint32_t i = 0; a && i < a->mounts.n; i++) {
		const struct ir_mount *m = &a->mounts.v[i];

		if (m->kind == MOUNT_VOLUME && str_eq(w->volumes[m->volume].mode, "rwx"))
			return m;
	}
	return NULL;
}

static bool code_shared(const struct ir_task *t)
{
	for (uint32_t i = 0; i < t->ncode; i++)
		if (t->code[i].place || t->code[i].len > ENV_MOST / 4)
			return true;
	return false;
}

bool job_code_shared(const struct shape *s)
{
	return code_shared(s->task);
}

static bool reads_files(const struct ir_task *t)
{
	for (uint32_t i = 0; i < t->nins; i++)
		if (type_is_path(t->ins[i].type))
			return true;
	return code_shared(t);
}

bool job_unshared(const struct ir *m, const struct ir_workflow *w, const struct node *n, const struct optset *o)
{
	const struct ir_task *t = n ? task_of(n) : NULL;

	(void)m;
	(void)o;
	return t && is_job(t) && (t->nouts || reads_files(t)) && !shared_mount(w, n->attrs);
}

/* The folder of this step on the volume. */
static void find_shared(struct argo *g, struct shape *s)
{
	const struct ir_mount *m = shared_mount(s->first->graph->workflow, s->attrs);

	if (!m || (!s->task->nouts && !reads_files(s->task)))
		return;
	s->at = true;
	s->shared = a_f(g, "%s/.couler/{{inputs.parameters.at}}", m->path->s);
}

const char *job_file(struct argo *g, const struct shape *s, uint32_t in)
{
	const struct ir_decl *d = &s->task->ins[in];
	const char *inside = s->ins[in].how == IN_FILE && s->first->ins[in] ? place_inside(s->first->ins[in]) : NULL;

	if (d->named)
		return d->type.list ? a_f(g, "%s/n/%s", s->shared, d->name->s) : a_f(g, "%s/n/%s/%s", s->shared, d->name->s, d->named->s);
	return a_f(g, "%s/in-%s%s%s", s->shared, d->name->s, inside ? "/" : "", inside ? inside : "");
}

struct ex job_path(struct site *x, const char *path)
{
	const char *tag = strstr(path, "{{inputs.parameters.at}}");
	struct strbuf b = { 0 };

	if (!tag) {
		xl_string(&b, path, strlen(path));
		return (struct ex){ .s = a_buf(x->g, &b), .prec = P_ATOM };
	}
	xl_string(&b, path, (size_t)(tag - path));
	sb_z(&b, " + inputs.parameters.at + ");
	xl_string(&b, tag + strlen("{{inputs.parameters.at}}"), strlen(tag + strlen("{{inputs.parameters.at}}")));
	return ex_f(x, P_ADD, "%s", a_buf(x->g, &b));
}

/* ---- inputs that pass from the steps' template to those inside ---- */

enum take { TAKE_VALUES = 1, TAKE_FILES = 2, TAKE_AT = 4 };

static void value_passed(struct argo *g, struct yaml *y, const char *name, enum form f, bool arguments)
{
	y_item(y);
	y_z(y, "name", name);
	if (arguments)
		y_z(y, "value", f == FORM_SAFE || f == FORM_RAW ? a_f(g, "{{inputs.parameters.%s}}", name) : a_f(g, "{{=%s}}", xl_member(g, "inputs.parameters", name)));
	y_item_end(y);
}

static void values_passed(struct argo *g, struct yaml *y, const struct shape *s, unsigned take, bool arguments)
{
	size_t before = y->b->n, after;

	y_open(y, "parameters");
	after = y->b->n;
	for (uint32_t i = 0; take & TAKE_VALUES && i < s->task->nins; i++)
		if (s->ins[i].how == IN_PARAM)
			value_passed(g, y, s->ins[i].name, s->ins[i].form, arguments);
	for (uint32_t i = 0; take & TAKE_VALUES && i < s->extra.n; i++)
		value_passed(g, y, s->extra.v[i].name, FORM_T, arguments);
	if (take & TAKE_AT && s->at)
		value_passed(g, y, "at", FORM_SAFE, arguments);
	y_end(y);
	if (y->b->n == after)
		y->b->n = before;
}

static void file_passed(struct yaml *y, const char *name, bool optional, bool arguments)
{
	y_item(y);
	y_z(y, "name", name);
	if (arguments)
		y_f(y, "from", "{{inputs.artifacts.%s}}", name);
	if (optional)
		y_plain(y, "optional", "true");
	y_item_end(y);
}

static void files_passed(struct argo *g, struct yaml *y, const struct shape *s, bool arguments)
{
	size_t before = y->b->n, after;

	y_open(y, "artifacts");
	after = y->b->n;
	for (uint32_t i = 0; i < s->task->nins; i++) {
		const struct shape_in *in = &s->ins[i];

		if (in->how == IN_FILE)
			file_passed(y, in->name, s->task->ins[i].type.list || s->task->ins[i].type.opt, arguments);
		for (uint32_t k = 0; in->how == IN_FILES && k < in->n; k++)
			file_passed(y, a_f(g, "%s-%06u", in->name, k), false, arguments);
	}
	y_end(y);
	if (y->b->n == after)
		y->b->n = before;
}

static void passed(struct argo *g, struct yaml *y, const struct shape *s, unsigned take, bool arguments)
{
	size_t before = y->b->n, after;

	y_open(y, arguments ? "arguments" : "inputs");
	after = y->b->n;
	values_passed(g, y, s, take, arguments);
	if (take & TAKE_FILES)
		files_passed(g, y, s, arguments);
	y_end(y);
	if (y->b->n == after)
		y->b->n = before;
}

static void step_inside(struct argo *g, struct yaml *y, const struct shape *s, const char *name, const char *template, unsigned take)
{
	y_item(y);
	y->depth++;
	y_item(y);
	y_z(y, "name", name);
	y_z(y, "template", template);
	passed(g, y, s, take, true);
	y_item_end(y);
	y->depth--;
}

/* Attributes of the pods beside the job may read the step's inputs. */
static unsigned beside(const struct shape *s)
{
	const struct attrs *a = s->attrs;
	bool reads = s->first->to || (a->image && a->image->op != EX_LIT) || (a->service_account && a->service_account->op != EX_LIT);

	return TAKE_AT | (reads ? TAKE_VALUES : 0);
}

/* ---- the pods before and behind the job ---- */

static void pod_beside(struct yaml *y, struct site *x, const struct shape *s)
{
	if (s->attrs->service_account)
		y_z(y, "serviceAccountName", plain_of(x, s->attrs->service_account));
}

static void place_script(const struct shape *s, struct strbuf *b)
{
	sb_z(b, "rm -rf \"$CW_SHARED\"\nmkdir -p \"$CW_SHARED/n\"\n");
	for (uint32_t i = 0; i < s->task->nins; i++) {
		const struct ir_decl *d = &s->task->ins[i];

		if (is_artifact(&s->ins[i]))
			sb_f(b, d->named ? "[ ! -e \"/cw/n/%s\" ] || cp -R \"/cw/n/%s\" \"$CW_SHARED/n/%s\"\n" : "[ ! -e \"/cw/in-%s\" ] || cp -R \"/cw/in-%s\" \"$CW_SHARED/in-%s\"\n",
				d->name->s, d->name->s, d->name->s);
	}
	if (job_code_shared(s))
		sb_z(b, "cp -R /cw/code \"$CW_SHARED/code\"\n");
	sb_z(b, "chmod -R a+rwX \"$CW_SHARED\"\n");
}

/* Of the step's mounts only the volume that the workers share. */
static struct attrs *shared_alone(struct argo *g, const struct shape *s)
{
	struct attrs *a = arena_new_of(g->a, struct attrs);

	*a = *s->attrs;
	a->mounts.v = (struct ir_mount *)(uintptr_t)shared_mount(s->first->graph->workflow, s->attrs);
	a->mounts.n = 1;
	return a;
}

static void place_template(struct argo *g, struct shape *s, const char *name)
{
	static const char *const words[] = { "sh", "/cw/step", "sh", "-eu" };
	struct yaml y = template_yaml(g, template_slot(g, name));
	struct site x = { .g = g, .c = info(g, s->first)->ctx, .self = s->first, .shape = s };
	const struct attrs *all = s->attrs;
	struct strbuf b = { 0 };

	g->uses_wrapper = true;
	s->attrs = shared_alone(g, s);
	s->part = job_code_shared(s) ? PART_STEP : PART_FILES;
	template_head(g, &y, name, s->task->span, a_f(g, "puts the files of %s where its workers see them", s->first->name->s), NULL);
	y_open(&y, "inputs");
	values_passed(g, &y, s, beside(s), false);
	step_artifacts(g, &y, s, job_code_shared(s));
	y_end(&y);
	step_volumes(g, &y, s, &x);
	s->part = PART_FILES;
	y_open(&y, "script");
	y_z(&y, "image", plain_of(&x, s->attrs->image));
	y_words(&y, "command", words, 4);
	step_environment(g, &y, s, &x, true, false);
	s->part = job_code_shared(s) ? PART_STEP : PART_FILES;
	step_mounts(g, &y, s, &x);
	place_script(s, &b);
	y_text(&y, "source", b.s, b.n);
	y_end(&y);
	pod_beside(&y, &x, s);
	s->part = PART_STEP;
	s->attrs = all;
	sb_free(&b);
}

static void collect_script(const struct shape *s, struct strbuf *b)
{
	for (uint32_t i = 0; i < s->task->nouts; i++) {
		const struct ir_decl *d = &s->task->outs[i];

		if (d->named && !d->type.list)
			sb_f(b, "mkdir -p \"/cw/n/%s\"\nmv \"$CW_SHARED/out/out-%s\" \"/cw/n/%s/%s\"\n", d->name->s, d->name->s, d->name->s, d->named->s);
		else
			sb_f(b, "mv \"$CW_SHARED/out/out-%s\" \"/cw/out-%s\"\n", d->name->s, d->name->s);
		if (type_is_path(d->type) && d->type.list)
			sb_f(b, "mv \"$CW_SHARED/out/out-%s--count\" \"/cw/out-%s--count\"\n", d->name->s, d->name->s);
	}
	sb_z(b, "rm -rf \"$CW_SHARED\"\n");
}

static void collect_template(struct argo *g, struct shape *s, const char *name)
{
	static const char *const words[] = { "sh", "-eu" };
	struct yaml y = template_yaml(g, template_slot(g, name));
	struct site x = { .g = g, .c = info(g, s->first)->ctx, .self = s->first, .shape = s };
	const struct attrs *all = s->attrs;
	struct strbuf b = { 0 };

	g->uses_wrapper = true;                                             /* /cw is mounted */
	s->attrs = shared_alone(g, s);
	template_head(g, &y, name, s->task->span, a_f(g, "takes what rank 0 of %s left", s->first->name->s), NULL);
	passed(g, &y, s, beside(s), false);
	s->inner = name;                                                    /* outputs are known outside by those of the steps */
	step_outputs(g, &y, s, &x);
	s->inner = NULL;
	s->part = PART_FILES;
	step_volumes(g, &y, s, &x);
	y_open(&y, "script");
	y_z(&y, "image", plain_of(&x, s->attrs->image));
	y_words(&y, "command", words, 2);
	y_open(&y, "env");
	env_value(&y, "CW_SHARED", s->shared);
	y_end(&y);
	step_mounts(g, &y, s, &x);
	collect_script(s, &b);
	y_text(&y, "source", b.s, b.n);
	y_end(&y);
	pod_beside(&y, &x, s);
	s->part = PART_STEP;
	s->attrs = all;
	sb_free(&b);
}

/* ---- the job ---- */

static void resource(struct argo *g, struct yaml *y, struct shape *s, struct site *x)
{
	struct strbuf text = { 0 };
	struct yaml m = manifest_yaml(g, &text);

	y_open(y, "resource");
	y_z(y, "action", "create");
	job_conditions(y, x, s->task->job);
	job_manifest(g, &m, s, x);
	y_text(y, "manifest", text.s, text.n);
	y_end(y);
	sb_free(&text);
}

static void job_body(struct argo *g, struct yaml *y, struct shape *s)
{
	struct site x = { .g = g, .c = info(g, s->first)->ctx, .self = s->first, .shape = s };

	s->part = PART_WORKER;
	resource(g, y, s, &x);
	s->part = PART_STEP;
	attr_retry(g, y, &x, s->attrs);
	attr_deadline(y, &x, s->attrs);
	if (!s->shared)
		attr_synchronization(g, y, &x, s->attrs->locks.v, s->attrs->locks.n);
	pod_beside(y, &x, s);
}

static void outputs_behind(struct argo *g, struct yaml *y, const struct shape *s, bool files)
{
	size_t before = y->b->n, after;

	y_open(y, files ? "artifacts" : "parameters");
	after = y->b->n;
	for (uint32_t i = 0; i < s->task->nouts; i++) {
		const struct ir_decl *d = &s->task->outs[i];
		bool count = !files && type_is_path(d->type) && d->type.list;
		const char *name = a_f(g, "%s%s", dashed(g, d->name), count ? "--count" : "");

		if (type_is_path(d->type) != files && !count)
			continue;
		y_item(y);
		y_z(y, "name", name);
		if (s->on && s->on[i] && !count)
			y_f(y, "globalName", "%s-%s", dashed(g, s->first->name), dashed(g, d->name));
		if (files) {
			y_f(y, "from", "{{steps.outputs.outputs.artifacts.%s}}", name);
		} else {
			y_open(y, "valueFrom");
			y_f(y, "parameter", "{{steps.outputs.outputs.parameters.%s}}", name);
			y_end(y);
		}
		y_item_end(y);
	}
	y_end(y);
	if (y->b->n == after)
		y->b->n = before;
}

static void steps_template(struct argo *g, struct yaml *y, struct shape *s, const char *job)
{
	const char *files = reads_files(s->task) ? name_template(g, a_f(g, "%s-files", s->name), strlen(s->name) + 6) : NULL;
	const char *outs = s->task->nouts ? name_template(g, a_f(g, "%s-outputs", s->name), strlen(s->name) + 8) : NULL;
	struct site x = { .g = g, .c = info(g, s->first)->ctx, .self = s->first, .shape = s };

	if (files)
		place_template(g, s, files);
	if (outs)
		collect_template(g, s, outs);
	passed(g, y, s, TAKE_VALUES | TAKE_FILES | TAKE_AT, false);
	y_open(y, "steps");
	if (files)
		step_inside(g, y, s, "files", files, beside(s) | TAKE_FILES);
	step_inside(g, y, s, "job", job, TAKE_VALUES | TAKE_AT);
	if (outs)
		step_inside(g, y, s, "outputs", outs, beside(s));
	y_end(y);
	if (outs) {
		y_open(y, "outputs");
		outputs_behind(g, y, s, false);
		outputs_behind(g, y, s, true);
		y_end(y);
	}
	attr_synchronization(g, y, &x, s->attrs->locks.v, s->attrs->locks.n);
}

void job_template(struct argo *g, struct yaml *y, struct shape *s, const struct str *doc, const char *what)
{
	struct strbuf body = { 0 };
	struct yaml in = yaml_at(&body, y->depth), j;
	const char *name;

	if (s->attrs->argo)
		refuse(g, s->attrs->argo_span, a_f(g, "an `argo` block of '%s': a job is several templates", s->first->name->s), "use `job kubernetes` with a manifest of your own");
	if (job_unshared(g->m, s->first->graph->workflow, s->first, g->o)) {
		g->err = -1;                                                    /* refused before, with its reason */
		return;
	}
	if (g->memoize && !g->measured && s->attrs->cache.mode == CACHE_ON)
		diag_remark(g->d, s->first->span, "argo: '%s' runs every time: a job is several templates, and the engine keeps what one pod left", s->first->name->s);
	find_shared(g, s);
	job_body(g, &in, s);
	if (s->shared) {
		name = name_template(g, a_f(g, "%s-job", s->name), strlen(s->name) + 4);
		j = template_yaml(g, template_slot(g, name));
		template_head(g, &j, name, s->task->span, a_f(g, "the job of %s", s->first->name->s), NULL);
		passed(g, &j, s, TAKE_VALUES | TAKE_AT, false);
		sb_add(j.b, body.s, body.n);
		template_head(g, y, s->name, s->task->span, what, doc);
		steps_template(g, y, s, name);
	} else {
		template_head(g, y, s->name, s->task->span, what, doc);
		passed(g, y, s, TAKE_VALUES | TAKE_AT, false);
		sb_add(y->b, body.s, body.n);
	}
	sb_free(&body);
}
