/* DAG templates: tasks, what they leave, and the inputs that they took from around them. */
#include "dag.h"

#include <string.h>

struct yaml template_yaml(struct argo *g, struct strbuf *b)
{
	return yaml_at(b, g->depth);
}

struct strbuf *template_slot(struct argo *g, const char *name)
{
	struct template *t = vec_add(g->a, &g->templates);

	t->name = name;
	t->doc = g->doc;
	t->text = arena_new_of(g->a, struct strbuf);
	return t->text;
}

const char *place_comment(struct argo *g, struct span sp)
{
	struct place p = diag_place(g->d, sp);

	return p.path ? a_f(g, "%s:%u", p.path, p.line) : "made by the compiler";
}

void template_head(struct argo *g, struct yaml *y, const char *name, struct span sp, const char *what, const struct str *doc)
{
	struct yaml at = yaml_at(y->b, y->depth - 1);

	if (doc)
		y_comment_text(&at, doc->s, doc->len);
	y_comment(&at, "%s: %s", place_comment(g, sp), what);
	y_item(y);
	y_z(y, "name", name);
}

/* ---- inputs ---- */

static void own_parameters(struct argo *g, struct ctx *c, struct yaml *y)
{
	const struct winfo *wi = &g->w[c->w->id];

	for (uint32_t i = 0; c->kind == CTX_CALL && i < c->w->nparams; i++) {
		const struct ir_param *p = &c->w->params[i];
		struct site x = { .g = g, .c = c };

		if (type_is_path(p->type))
			continue;
		y_item(y);
		y_z(y, "name", wi->param_name[i]);
		if (p->dflt && p->dflt->op == EX_LIT) {
			const char *v = value_of(&x, p->dflt, p->type.kind == T_STRING || p->type.kind == T_JSON ? wi->param[i] : FORM_SAFE);

			y_z(y, "default", v);
		}
		y_item_end(y);
	}
	if (c->kind == CTX_LOOP)
		loop_inputs(g, c, y, false);
}

static void captured(struct argo *g, struct ctx *c, struct yaml *y, bool artifacts)
{
	struct site x = { .g = g, .c = c };

	for (uint32_t i = 0; i < c->ins.n; i++) {
		const struct input *in = &c->ins.v[i];

		if (in->artifact != artifacts)
			continue;
		y_item(y);
		y_z(y, "name", in->name);
		if (in->fixed)
			art_write(&x, y, in->fixed);
		else if (artifacts && (in->nullable || in->type.list || in->type.opt))
			y_plain(y, "optional", "true");
		if (in->value)
			y_z(y, "value", in->value);
		y_item_end(y);
	}
}

static void own_artifacts(struct argo *g, struct ctx *c, struct yaml *y)
{
	for (uint32_t i = 0; c->kind == CTX_CALL && i < c->w->nparams; i++) {
		const struct ir_param *p = &c->w->params[i];
		struct site x = { .g = g, .c = c };

		if (!type_is_path(p->type))
			continue;
		y_item(y);
		y_z(y, "name", g->w[c->w->id].param_name[i]);
		if (p->dflt && p->type.list && !no_files(p->dflt)) {
			list_param(g, p);
		} else if (p->dflt && p->dflt->op == EX_LIT && !p->type.list) {
			struct art a = art_of(&x, p->dflt);

			art_write(&x, y, &a);
		} else if (p->type.opt || p->type.list) {
			y_plain(y, "optional", "true");
		}
		y_item_end(y);
	}
	if (c->kind == CTX_LOOP)
		loop_inputs(g, c, y, true);
}

static void inputs(struct argo *g, struct ctx *c, struct yaml *y)
{
	struct strbuf *b = y->b;
	size_t start = b->n, open, before;

	y_open(y, "inputs");
	open = b->n;
	for (int artifacts = 0; artifacts < 2; artifacts++) {
		before = b->n;
		y_open(y, artifacts ? "artifacts" : "parameters");
		{
			size_t after = b->n;

			if (artifacts)
				own_artifacts(g, c, y);
			else
				own_parameters(g, c, y);
			captured(g, c, y, artifacts);
			if (b->n == after)
				b->n = before;
		}
		y_end(y);
	}
	y_end(y);
	if (b->n == open)
		b->n = start;
}

/* ---- outputs ---- */

/* A value as a DAG template's output. */
void output_value(struct site *x, struct yaml *y, const char *name, const struct expr *e, enum form want)
{
	struct ex t;

	x->lets = 0;
	x->outputs = true;
	t = xl_sealed(x, xl_text(x, e, want));
	y_item(y);
	y_z(y, "name", name);
	y_open(y, "valueFrom");
	if (t.tag && !strncmp(t.s, "tasks", 5))
		y_z(y, "parameter", value_tag(x, (struct ex){ .s = t.s, .prec = P_ATOM, .form = FORM_SAFE, .tag = true }));
	else
		y_z(y, "expression", xl_bare(x, t.s));
	y_end(y);
	y_item_end(y);
}

void output_file_write(struct site *x, struct yaml *y, const char *name, const struct expr *e)
{
	struct art a;

	x->outputs = true;
	a = art_of(x, e);
	y_item(y);
	y_z(y, "name", name);
	if (a.kind == ART_KEY || a.kind == ART_PLACE) {
		const char *in = art_input(x, &a, name);

		y_f(y, "from", "{{inputs.artifacts.%s}}", in);
		if (a.optional)
			y_plain(y, "optional", "true");
	} else {
		art_write(x, y, &a);
	}
	y_item_end(y);
}

/* How a value leaves a template for whoever reads it. */
enum form leaving(struct type t)
{
	if (t.kind != T_STRING && t.kind != T_JSON)
		return FORM_SAFE;
	return t.list ? FORM_AGG : FORM_T;
}

static void workflow_outputs(struct argo *g, struct ctx *c, struct yaml *y, bool artifacts)
{
	const struct ir_workflow *w = c->w;

	for (uint32_t i = 0; i < w->nouts; i++) {
		struct site x = { .g = g, .c = c };
		const struct ir_out *o = &w->outs[i];

		if (type_is_path(o->type) != artifacts)
			continue;
		if (artifacts)
			output_file_write(&x, y, dashed(g, o->name), o->value);
		else
			output_value(&x, y, dashed(g, o->name), o->value, leaving(o->type));
	}
}

static void outputs(struct dag *d, struct yaml *y)
{
	struct strbuf *b = y->b;
	size_t start = b->n, open;

	y_open(y, "outputs");
	open = b->n;
	if (d->c->kind == CTX_LOOP) {
		loop_outputs(d, y);
	} else if (d->c->kind == CTX_SWEEP) {
		sweep_outputs(d, y);
	} else {
		for (int artifacts = 0; artifacts < 2; artifacts++) {
			size_t before = b->n, after;

			y_open(y, artifacts ? "artifacts" : "parameters");
			after = b->n;
			if (d->c->kind == CTX_ENTRY || d->c->kind == CTX_CALL)
				workflow_outputs(d->g, d->c, y, artifacts);
			else if (!artifacts)
				for_outputs(d->g, d->c, y);
			y_end(y);
			if (b->n == after)
				b->n = before;
		}
	}
	y_end(y);
	if (b->n == open)
		b->n = start;
}

/* ---- the template ---- */

/*
 * The engine judges a DAG by its leaves. A task whose failure stops nothing because all that is behind it runs anyway
 * has to be named, or the run would succeed.
 */
static void target(struct dag *d, struct yaml *y)
{
	struct strbuf b = { 0 };
	bool needed = false;

	if (d->c->robust) {
		y_z(y, "target", "end");
		return;
	}
	for (uint32_t i = 0; i < d->list.n; i++) {
		struct task *t = d->list.v[i];

		if (t->depended && !t->soft)
			continue;
		needed |= t->soft && t->depended;
		sb_f(&b, "%s%s", b.n ? " " : "", t->name);
	}
	if (needed)
		y_str(y, "target", b.s, b.n);
	sb_free(&b);
}

static const char *what_of(struct argo *g, const struct ctx *c)
{
	switch (c->kind) {
	case CTX_ENTRY:
	case CTX_CALL:
		return a_f(g, "workflow %s", c->w->name->s);
	case CTX_BODY:
		return "body of the for";
	case CTX_EACH:
		return "as many of the for at once as max_parallel says";
	case CTX_LOOP:
		return a_f(g, "loop %s: one round, which runs the next", c->owner->name->s);
	case CTX_SWEEP:
		return a_f(g, "sweep %s", c->owner->name->s);
	case CTX_ON:
		return "on success, failure, exit";
	}
	return "";
}

static void tasks(struct dag *d)
{
	struct ctx *c = d->c;

	switch (c->kind) {
	case CTX_EACH:
		each_write(d);
		return;
	case CTX_SWEEP:
		sweep_tasks(d);
		return;
	case CTX_ENTRY:
		check_params(d);
		break;
	default:
		break;
	}
	if (c->kind == CTX_LOOP)
		loop_tasks(d);
	for (uint32_t i = 0; i < c->nodes.n; i++)
		task_write(d, c->nodes.v[i]);
	if (c->kind == CTX_LOOP)
		loop_next(d);
	if (c->kind == CTX_ENTRY)
		on_exports(d);
	if (c->robust || !d->list.n)
		end_task(d);
}

static int64_t parallel_of(const struct ctx *c)
{
	const struct expr *e = c->kind == CTX_EACH ? c->owner->u.for_.max_parallel : c->kind == CTX_SWEEP ? c->owner->u.sweep->max_parallel : NULL;

	return e && e->op == EX_LIT ? e->u.lit->u.i : 0;
}

void ctx_write(struct argo *g, struct ctx *c)
{
	struct dag d = { .g = g, .c = c };
	struct strbuf outs = { 0 };
	struct template *t;
	struct yaml y, oy;
	struct span sp = c->owner ? c->owner->span : c->w->span;
	uint32_t doc;

	if (c->written)
		return;
	c->written = true;
	doc = docs_enter(g, g->w[c->w->id].doc);
	d.tasks = yaml_at(&d.text, g->depth + 2);
	tasks(&d);
	oy = template_yaml(g, &outs);
	outputs(&d, &oy);
	t = &g->templates.v[c->slot];
	t->text = arena_new_of(g->a, struct strbuf);
	y = template_yaml(g, t->text);
	template_head(g, &y, c->name, sp, what_of(g, c), c->kind == CTX_CALL ? c->w->doc : c->owner ? c->owner->doc : NULL);
	inputs(g, c, &y);
	sb_add(t->text, outs.s ? outs.s : "", outs.n);
	if (parallel_of(c) > 0)
		y_plain(&y, "parallelism", "%lld", (long long)parallel_of(c));
	y_open(&y, "dag");
	y_plain(&y, "failFast", c->w->fail_fast && !c->robust ? "true" : "false");
	target(&d, &y);
	y_open(&y, "tasks");
	sb_add(t->text, d.text.s ? d.text.s : "", d.text.n);
	sb_free(&d.text);
	sb_free(&outs);
	docs_enter(g, doc);
	if (d.list.n > 200 && g->limits) {
		diag_mend(g->d, diag_at(g->d, CW0801, sp, "argo cannot carry %s: %u tasks in one DAG template, and it takes 200", what_of(g, c), d.list.n),
			"move parts into workflows of their own and call them, or  --set argo.limits=off  where the cluster allows more");
		g->err = -1;
	}
}
