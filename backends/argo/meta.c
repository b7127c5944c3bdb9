/* The documents: Workflow, WorkflowTemplate, CronWorkflow, and what stands around the templates. */
#include "dag.h"
#include "merge.h"

#include <math.h>
#include <string.h>

extern const unsigned char embed_backends_argo_wrapper_sh[];
extern const size_t embed_backends_argo_wrapper_sh_len;

enum kind { KIND_WORKFLOW, KIND_TEMPLATE, KIND_CRON, KIND_CRON_TEMPLATE };

static enum kind kind_of(const struct argo *g)
{
	const char *as = opt_string(g->o, "argo", argo_opts, "as");

	if (!strcmp(as, "workflow"))
		return KIND_WORKFLOW;
	if (!strcmp(as, "template"))
		return KIND_TEMPLATE;
	if (!strcmp(as, "cron"))
		return KIND_CRON;
	if (!strcmp(as, "cron-template"))
		return KIND_CRON_TEMPLATE;
	return g->m->entry->schedule ? KIND_CRON : KIND_WORKFLOW;
}

static int refuse(struct argo *g, struct span sp, const char *what, const char *mend)
{
	diag_mend(g->d, diag_at(g->d, CW0801, sp, "%s", what), "%s", mend);
	g->err = -1;
	return -1;
}

/* ---- the wrapper ---- */

/* The sections of wrapper.sh that the document needs; lines "#@ name" begin one. */
void wrapper_text(uint64_t parts, struct strbuf *b)
{
	static const char *const names[] = {
#define X(p, s) s,
		WRAPPER_PARTS(X)
#undef X
	};
	const char *s = (const char *)embed_backends_argo_wrapper_sh, *end = s + embed_backends_argo_wrapper_sh_len;
	bool on = true;

	while (s < end) {
		const char *nl = memchr(s, '\n', (size_t)(end - s));
		size_t n = nl ? (size_t)(nl - s) : (size_t)(end - s);

		if (n > 3 && !memcmp(s, "#@ ", 3)) {
			on = n == 7 && !memcmp(s + 3, "base", 4);
			for (unsigned i = 0; i < WRAP_COUNT; i++)
				if (strlen(names[i]) == n - 3 && !memcmp(names[i], s + 3, n - 3))
					on = parts >> i & 1;
		} else if (on) {
			sb_add(b, s, n);
			sb_ch(b, '\n');
		}
		s += n + 1;
	}
}

static void scratch_mount(struct yaml *y, bool tmp)
{
	y_open(y, "volumeMounts");
	y_item(y);
	y_z(y, "name", "cw");
	y_z(y, "mountPath", "/cw");
	y_item_end(y);
	if (tmp) {
		y_item(y);
		y_z(y, "name", "cw-tmp");
		y_z(y, "mountPath", "/cw/tmp");
		y_item_end(y);
	}
	y_end(y);
}

/* What every template of a kind gets. */
static void template_defaults(struct argo *g, struct yaml *y)
{
	const struct ir_store *s = store_called(g->m, g->m->entry->artifacts);
	struct strbuf b = { 0 };

	if (!g->uses_wrapper && !g->uses_command && !s)
		return;
	y_open(y, "templateDefaults");
	if (s) {
		y_open(y, "archiveLocation");
		store_write(g, y, s, "{{workflow.name}}/{{pod.name}}");
		y_end(y);
	}
	if (g->uses_wrapper) {
		y_open(y, "inputs");
		y_open(y, "artifacts");
		y_item(y);
		y_z(y, "name", "couler-step");
		y_z(y, "path", "/cw/step");
		y_open(y, "raw");
		wrapper_text(g->wrapper | UINT64_C(1) << WRAP_ABOUT, &b);
		y_text(y, "data", b.s, b.n);
		sb_free(&b);
		y_end(y);
		y_item_end(y);
		y_end(y);
		y_end(y);
		y_open(y, "script");
		scratch_mount(y, false);
		y_end(y);
	}
	if (g->uses_command || g->uses_wrapper) {
		y_open(y, "container");
		scratch_mount(y, g->uses_command);
		y_end(y);
	}
	y_end(y);
}

/* ---- arguments ---- */

static void enum_values(struct yaml *y, const struct expr *in)
{
	if (!in || in->op != EX_LIT || !in->u.lit->type.list)
		return;
	y_open(y, "enum");
	for (uint32_t i = 0; i < in->u.lit->n; i++) {
		struct strbuf b = { 0 };

		value_text(&b, &in->u.lit->u.list[i]);
		y_item_str(y, b.s ? b.s : "", b.n);
		sb_free(&b);
	}
	y_end(y);
}

static bool chained(const struct ir_workflow *w, const struct expr *e)
{
	if (e->op == EX_REF && e->fn == REF_PARAM)
		return w->params[e->n].dflt && w->params[e->n].dflt->op != EX_LIT;
	for (uint32_t i = 0, k = expr_arity(e); i < k; i++)
		if (chained(w, expr_args((struct expr *)e)[i]))
			return true;
	return false;
}

static const char *default_value(struct argo *g, struct ctx *c, const struct ir_param *p)
{
	struct site x = { .g = g, .c = c };

	if (p->dflt->op == EX_LIT) {
		struct strbuf b = { 0 };

		if (param_encoded(g, (uint32_t)(p - c->w->params)))
			return value_of(&x, p->dflt, p->type.list ? FORM_AGG : FORM_T);
		value_text(&b, p->dflt->u.lit);
		return a_buf(g, &b);
	}
	if (chained(c->w, p->dflt))
		refuse(g, p->dflt->span, "argo cannot carry a default that is computed from a parameter whose own default is computed", "compute it in a `let`, or in a step");
	return value_of(&x, p->dflt, FORM_RAW);
}

static void parameters(struct argo *g, struct yaml *y, bool cron)
{
	const struct ir_workflow *w = g->m->entry;
	struct ctx *c = g->w[w->id].root;

	y_open(y, "parameters");
	for (uint32_t i = 0; i < w->nparams; i++) {
		const struct ir_param *p = &w->params[i];

		if (type_is_path(p->type))
			continue;
		y_item(y);
		y_z(y, "name", g->w[w->id].param_name[i]);
		if (p->doc)
			y_str(y, "description", p->doc->s, p->doc->len);
		if (p->dflt) {
			const char *v = default_value(g, c, p);

			y_z(y, "value", v);
		} else if (cron) {
			refuse(g, p->span, a_f(g, "parameter '%s' has no default, and a schedule starts runs without arguments", p->name->s), "give it a default, or compile with --as template");
		}
		enum_values(y, p->in);
		y_item_end(y);
	}
	y_end(y);
}

static void files(struct argo *g, struct yaml *y)
{
	const struct ir_workflow *w = g->m->entry;
	struct site x = { .g = g, .c = g->w[w->id].root };

	y_open(y, "artifacts");
	for (uint32_t i = 0; i < w->nparams; i++) {
		const struct ir_param *p = &w->params[i];
		struct art a;

		if (!type_is_path(p->type))
			continue;
		if (p->type.list) {
			list_param(g, p);
			continue;
		}
		if (!p->dflt) {
			refuse(g, p->span, a_f(g, "argo cannot carry parameter '%s': a file or folder of a run needs a location", p->name->s),
				"give it a default location that a submission may replace, or take the location as a string");
			continue;
		}
		a = art_of(&x, p->dflt);
		y_item(y);
		y_z(y, "name", g->w[w->id].param_name[i]);
		art_write(&x, y, &a);
		y_item_end(y);
	}
	y_end(y);
}

static void arguments(struct argo *g, struct yaml *y, bool cron)
{
	const struct ir_workflow *w = g->m->entry;
	uint32_t values = 0;

	for (uint32_t i = 0; i < w->nparams; i++)
		values += !type_is_path(w->params[i].type);
	if (!w->nparams)
		return;
	y_open(y, "arguments");
	if (values)
		parameters(g, y, cron);
	if (values < w->nparams)
		files(g, y);
	y_end(y);
}

/* ---- volumes ---- */

static const char *access_mode(const struct ir_volume *v)
{
	if (!v->mode || str_eq(v->mode, "rwo"))
		return "ReadWriteOnce";
	return str_eq(v->mode, "rwx") ? "ReadWriteMany" : "ReadOnlyMany";
}

static void claims(struct argo *g, struct yaml *y)
{
	const struct ir_workflow *w = g->m->entry;
	bool any = false;

	for (uint32_t i = 0; i < w->nvolumes; i++)
		any |= !w->volumes[i].claim;
	if (!any)
		return;
	y_open(y, "volumeClaimTemplates");
	for (uint32_t i = 0; i < w->nvolumes; i++) {
		const struct ir_volume *v = &w->volumes[i];
		double gi = v->size / (1024.0 * 1024 * 1024);
		const char *mode = access_mode(v);

		if (v->claim)
			continue;
		y_item(y);
		y_open(y, "metadata");
		y_z(y, "name", name_object(g, v->name, 63));
		y_end(y);
		y_open(y, "spec");
		y_words(y, "accessModes", &mode, 1);
		if (v->class_)
			y_str(y, "storageClassName", v->class_->s, v->class_->len);
		y_open(y, "resources");
		y_open(y, "requests");
		if (gi > 0 && fabs(gi - floor(gi)) <= 0)
			y_f(y, "storage", "%.0fGi", gi);
		else
			y_str(y, "storage", a_f(g, "%.0f", v->size), strlen(a_f(g, "%.0f", v->size)));
		y_end(y);
		y_end(y);
		y_end(y);
		y_item_end(y);
	}
	y_end(y);
}

static void empty_dir(struct yaml *y, const char *name)
{
	y_item(y);
	y_z(y, "name", name);
	y_empty(y, "emptyDir");
	y_item_end(y);
}

static void volumes(struct argo *g, struct yaml *y)
{
	const struct ir_workflow *w = g->m->entry;
	struct strbuf *b = y->b;
	size_t before = b->n, after;

	y_open(y, "volumes");
	after = b->n;
	if (g->uses_wrapper || g->uses_command)
		empty_dir(y, "cw");
	if (g->uses_command)
		empty_dir(y, "cw-tmp");
	for (uint32_t i = 0; i < w->nvolumes; i++) {
		if (!w->volumes[i].claim)
			continue;
		y_item(y);
		y_z(y, "name", name_object(g, w->volumes[i].name, 63));
		y_open(y, "persistentVolumeClaim");
		y_str(y, "claimName", w->volumes[i].claim->s, w->volumes[i].claim->len);
		y_end(y);
		y_item_end(y);
	}
	y_end(y);
	if (b->n == after)
		b->n = before;
}

/* ---- spec ---- */

static const char *whole_number(struct argo *g, const struct expr *e, const char *what)
{
	if (e->op != EX_LIT) {
		refuse(g, e->span, a_f(g, "argo cannot carry %s that is known only at run time", what), "write it as a literal");
		return "1";
	}
	return a_f(g, "%.0f", type_is(e->u.lit->type, T_INT) ? (double)e->u.lit->u.i : ceil(e->u.lit->u.d));
}

static void templates(struct argo *g, struct yaml *y)
{
	y_open(y, "templates");
	for (uint32_t i = 0; i < g->templates.n; i++)
		if (g->templates.v[i].text && g->templates.v[i].doc == g->doc)
			sb_add(y->b, g->templates.v[i].text->s ? g->templates.v[i].text->s : "", g->templates.v[i].text->n);
	y_end(y);
}

static void spec_entries(struct argo *g, struct yaml *y, bool cron)
{
	const struct ir_workflow *w = g->m->entry;
	struct site x = { .g = g, .c = g->w[w->id].root };

	y_z(y, "entrypoint", g->w[w->id].root->name);
	if (g->on)
		y_z(y, "onExit", g->on->name);
	arguments(g, y, cron);
	if (w->timeout)
		y_plain(y, "activeDeadlineSeconds", "%s", whole_number(g, w->timeout, "a timeout of the workflow"));
	if (w->max_parallel)                                                 /* a run of its own is waited for by one pod */
		y_plain(y, "parallelism", "%s", has_children(g) ? "1" : whole_number(g, w->max_parallel, "max_parallel"));
	if (w->keep >= 0) {
		y_open(y, "ttlStrategy");
		y_plain(y, "secondsAfterCompletion", "%.0f", ceil(w->keep));
		y_end(y);
	}
	attr_synchronization(g, y, &x, w->locks.v, w->locks.n);
	volumes(g, y);
	claims(g, y);
	template_defaults(g, y);
}

/* The raw YAML of the workflow is merged into all but the templates, which keep their comments. */
static void spec(struct argo *g, struct yaml *y, bool cron)
{
	const struct ir_workflow *w = g->m->entry;
	struct strbuf b = { 0 };
	struct yaml own = yaml_at(&b, y->depth);

	spec_entries(g, &own, cron);
	if (w->argo)
		merge_raw(g, &b, y->depth, w->argo, w->argo_span);
	sb_add(y->b, b.s ? b.s : "", b.n);
	sb_free(&b);
	templates(g, y);
}

static void pairs(struct argo *g, struct yaml *y, const char *key, const struct ir_pair *v, uint32_t n, const struct str *doc)
{
	struct site x = { .g = g, .c = g->w[g->m->entry->id].root };

	if (!n && !doc)
		return;
	y_open(y, key);
	if (doc)
		y_str(y, "workflows.argoproj.io/description", doc->s, doc->len);
	for (uint32_t i = 0; i < n; i++) {
		const char *t = plain_of(&x, v[i].value);

		y_z(y, v[i].key->s, t);
	}
	y_end(y);
}

static void metadata(struct argo *g, struct yaml *y, enum kind k, bool ref)
{
	const struct ir_workflow *w = g->m->entry;
	bool cron = k == KIND_CRON || (k == KIND_CRON_TEMPLATE && !ref);

	y_open(y, "metadata");
	if (k == KIND_WORKFLOW)
		y_f(y, "generateName", "%s-", name_object(g, w->name, 56));
	else
		y_z(y, "name", name_object(g, w->name, cron ? 52 : 63));
	pairs(g, y, "labels", w->labels.v, w->labels.n, NULL);
	pairs(g, y, "annotations", w->annotations.v, w->annotations.n, w->doc);
	y_end(y);
}

static void cron_spec(struct argo *g, struct yaml *y)
{
	const struct ir_schedule *s = g->m->entry->schedule;
	static const char *const policy[] = { [OVERLAP_FORBID] = "Forbid", [OVERLAP_ALLOW] = "Allow", [OVERLAP_REPLACE] = "Replace" };

	y_open(y, "schedules");
	for (uint32_t i = 0; i < s->ncron; i++)
		y_item_str(y, s->cron[i]->s, s->cron[i]->len);
	y_end(y);
	y_z(y, "timezone", s->timezone ? s->timezone->s : "UTC");
	y_z(y, "concurrencyPolicy", policy[s->overlap]);
	/* a missed tick is started once, when it is not too late */
	y_plain(y, "startingDeadlineSeconds", "%.0f", s->deadline >= 0 ? ceil(s->deadline) : 0);
	if (s->keep_runs >= 0) {
		y_plain(y, "successfulJobsHistoryLimit", "%lld", (long long)s->keep_runs);
		y_plain(y, "failedJobsHistoryLimit", "%lld", (long long)s->keep_runs);
	}
}

static void head(struct yaml *y, const char *kind)
{
	y_z(y, "apiVersion", "argoproj.io/v1alpha1");
	y_z(y, "kind", kind);
}

/* What a workflow that is called by reference becomes. */
static void ref_document(struct argo *g, const struct ir_workflow *w, struct strbuf *out)
{
	struct yaml y = yaml_at(out, 0), own;
	struct strbuf b = { 0 };
	bool run = w->link == LINK_RUN;

	y_comment(&y, "Part of workflow %s, which %s.", g->m->entry->name->s, run ? "runs it as a Workflow of its own" : "calls it");
	head(&y, "WorkflowTemplate");
	y_open(&y, "metadata");
	y_z(&y, "name", g->w[w->id].object);
	y_end(&y);
	y_open(&y, "spec");
	own = yaml_at(&b, y.depth);
	if (run && g->m->entry->max_parallel)
		y_plain(&own, "parallelism", "%s", whole_number(g, g->m->entry->max_parallel, "max_parallel"));
	volumes(g, &own);
	if (!run)
		claims(g, &own);
	template_defaults(g, &own);
	if (run)
		child_raw(g, &b, y.depth);
	sb_add(out, b.s ? b.s : "", b.n);
	sb_free(&b);
	templates(g, &y);
	y_end(&y);
	sb_z(out, "---\n");
}

static void document(struct argo *g, enum kind k, struct strbuf *out)
{
	static const char *const names[] = { "Workflow", "WorkflowTemplate", "CronWorkflow", "WorkflowTemplate" };
	struct yaml y = yaml_at(out, 0);
	const struct str *file = g->m->file;

	y_comment(&y, "Made by couler from %s: change that file, not this one.", file ? file->s : "IR");
	head(&y, names[k]);
	metadata(g, &y, k, true);
	y_open(&y, "spec");
	if (k == KIND_CRON) {
		cron_spec(g, &y);
		y_open(&y, "workflowSpec");
		spec(g, &y, true);
		y_end(&y);
	} else {
		spec(g, &y, k == KIND_CRON_TEMPLATE);
	}
	y_end(&y);
	if (k != KIND_CRON_TEMPLATE)
		return;
	sb_z(out, "---\n");
	head(&y, "CronWorkflow");
	metadata(g, &y, k, false);
	y_open(&y, "spec");
	cron_spec(g, &y);
	y_open(&y, "workflowSpec");
	y_open(&y, "workflowTemplateRef");
	y_z(&y, "name", name_object(g, g->m->entry->name, 63));
	y_end(&y);
	y_end(&y);
	y_end(&y);
}

/* ---- emission ---- */

static void name_shapes(struct argo *g)
{
	for (uint32_t i = 0; i < g->shapes.n; i++) {
		struct shape *s = g->shapes.v[i];
		const struct str *n = s->task && !s->task->inline_ ? s->task->name : s->first->name;

		s->name = name_template(g, n->s, n->len);
	}
}

static void write_shapes(struct argo *g)
{
	for (uint32_t i = 0; i < g->shapes.n; i++) {
		struct shape *s = g->shapes.v[i];
		uint32_t doc = docs_enter(g, g->w[s->first->graph->workflow->id].doc);
		struct yaml y = template_yaml(g, template_slot(g, s->name));

		step_template(g, &y, s, s->task ? s->task->doc : s->first->doc,
			s->task && !s->task->inline_ ? a_f(g, "task %s", s->task->name->s) : a_f(g, "%s %s", node_kind_name((enum node_kind)s->first->kind), s->first->name->s));
		docs_enter(g, doc);
	}
}

/* w: whose document has so many bytes. */
static void check_limits(struct argo *g, const struct ir_workflow *w, size_t bytes)
{
	uint32_t n = 0;

	if (g->measured)
		g->measured[w->id] = bytes;
	if (!g->limits || g->err)
		return;
	for (uint32_t i = 0; i < g->templates.n; i++)
		n += g->templates.v[i].text != NULL && g->templates.v[i].doc == w->id;
	if (n > 200)
		refuse(g, w->span, a_f(g, "argo cannot carry workflow '%s': it needs %u templates, and a document takes 200", w->name->s, n),
			"let steps of one kind call one task, which is one template, or  --set argo.limits=off  where the cluster allows more");
	else if (bytes > 1048576)
		refuse(g, w->span, a_f(g, "argo cannot carry workflow '%s': the document has %zu bytes, and the engine stores 1048576", w->name->s, bytes),
			"move parts into workflows of their own, or data into files");
}

static void prepare(struct argo *g, enum kind k)
{
	g->depth = g->entry_depth = k == KIND_CRON ? 3 : 2;
	g->strict = opt_bool(g->o, "argo", argo_opts, "strict");
	g->memoize = opt_bool(g->o, "argo", argo_opts, "memoize");
	g->limits = !g->measured && opt_bool(g->o, "argo", argo_opts, "limits");
	g->repository = opt_string(g->o, "argo", argo_opts, "repository");
	if (store_called(g->m, g->m->entry->artifacts))
		g->repository = store_kind(store_called(g->m, g->m->entry->artifacts));
	g->w = arena_array(g->a, struct winfo, g->m->workflows.n);
	argo_usage(g);
	docs_plan(g);
	argo_plan(g);
	g->none_name = name_template(g, "none", 4);
	g->gate_name = name_template(g, "all-instances", 13);
	g->fail_name = name_template(g, "fail", 4);
	g->hand_name = name_template(g, "hand-on", 7);
	argo_keys(g);
	argo_shapes(g);
	on_mark(g);
	name_shapes(g);
}

static void write_all(struct argo *g, enum kind k, struct strbuf *out)
{
	const struct ir *m = g->m;
	size_t at = out->n;

	write_shapes(g);
	ctx_write(g, g->w[m->entry->id].root);
	for (uint32_t i = m->workflows.n; i-- > 0;)
		if (g->w[m->workflows.v[i]->id].needed)
			ctx_write(g, g->w[m->workflows.v[i]->id].root);
	if (g->on)
		ctx_write(g, g->on);
	for (uint32_t i = 0; i < m->workflows.n; i++) {
		const struct ir_workflow *w = m->workflows.v[i];

		if (w != m->entry && !g->w[w->id].object)
			continue;
		docs_enter(g, w->id);
		gate_templates(g);
		if (w == m->entry)
			document(g, k, out);
		else
			ref_document(g, w, out);
		check_limits(g, w, out->n - at);
		at = out->n;
	}
	pools_write(g, out);
}

static int emit(const struct ir *m, const struct optset *o, size_t *measured, struct strbuf *out, struct diag *d)
{
	struct argo g = { .m = m, .o = o, .d = d, .a = arena_new(), .measured = measured };
	enum kind k;

	g.strs = strtab_new(g.a);
	k = kind_of(&g);
	if (k >= KIND_CRON && !m->entry->schedule) {
		refuse(&g, m->entry->span, a_f(&g, "workflow '%s' has no schedule", m->entry->name->s), "add  schedule = \"0 2 * * *\"  to it, or compile with --as workflow");
	} else {
		prepare(&g, k);
		if (!g.err)
			write_all(&g, k, out);
	}
	for (uint32_t i = 0; i < g.templates.n; i++)
		if (g.templates.v[i].text)
			sb_free(g.templates.v[i].text);
	arena_free(g.a);
	return g.err;
}

int argo_emit(const struct ir *m, const struct optset *o, struct strbuf *out, struct diag *d)
{
	return emit(m, o, NULL, out, d);
}

int argo_measure(const struct ir *m, const struct optset *o, size_t *bytes)
{
	struct arena *a = arena_new();
	struct strbuf out = { 0 };
	int rc = emit(m, o, bytes, &out, diag_new(a));

	sb_free(&out);
	arena_free(a);
	return rc;
}
