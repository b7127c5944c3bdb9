/*
 * `on` blocks are the exit handler's DAG. Outputs reach it as global ones of the workflow, which are absent where a
 * step did not get so far. The engine tries expressions before the end, too: a mention of workflow.status holds them.
 */
#include "dag.h"

#include <string.h>

static const char *global_called(struct argo *g, const struct expr *e)
{
	const struct node *n = e->u.node;

	if (e->fn == REF_STATUS)
		return a_f(g, "%s-status", dashed(g, n->name));
	if (e->fn == REF_EXIT_CODE)
		return a_f(g, "%s-exit-code", dashed(g, n->name));
	return n->kind == N_FOR ? dashed(g, n->ports[e->n].name) : a_f(g, "%s-%s", dashed(g, n->name), dashed(g, n->ports[e->n].name));
}

struct ex on_output(struct site *x, const struct expr *e)
{
	const char *m = xl_member(x->g, "", global_called(x->g, e));
	struct ex r = ex_f(x, P_ATOM, "(workflow.status != '' ? workflow.outputs?.parameters?%s%s : nil)", m[0] == '[' ? "." : "", m);

	r.form = (uint8_t)ref_form(x->g, x->c, e);
	r.nil = true;
	if (e->fn == REF_STATUS) {
		r = ex_f(x, P_ATOM, "(%s ?? 'skipped')", r.s);
		r.form = FORM_SAFE;
	}
	return r;
}

struct art on_file(struct site *x, const struct expr *e)
{
	return (struct art){ .kind = ART_FROM, .s = a_f(x->g, "{{workflow.outputs.artifacts.%s}}", global_called(x->g, e)), .optional = true };
}

/* ---- exports ---- */

/* A step of its own whose outputs no other task has gives them out itself. */
static bool exports_itself(struct argo *g, const struct node *n)
{
	const struct ninfo *ni = info(g, n);

	return n->kind == N_STEP && ni->shape && ni->shape->users == 1 && ni->ctx && ni->ctx->kind == CTX_ENTRY && !ni->wrapped && !ni->for_ && n->u.task->body != BODY_COMMAND && n->u.task->body != BODY_ARGS;
}

static void mark_one(struct node *n, void *data)
{
	struct argo *g = data;
	struct ninfo *ni = info(g, n);

	if (!ni->on_used || !exports_itself(g, n))
		return;
	ni->shape->on = arena_array(g->a, uint8_t, n->nports + 1);
	for (uint32_t i = 0; i < n->nports; i++)
		ni->shape->on[i] = used_port(ni, i, true);
}

void on_mark(struct argo *g)
{
	if (g->on)
		workflow_nodes(g->m->entry, mark_one, g);
}

static void export_template(struct dag *d, const char *name, const char *global, bool file)
{
	struct yaml y = template_yaml(d->g, template_slot(d->g, name)), c = yaml_at(y.b, y.depth - 1);
	const char *kind = file ? "artifacts" : "parameters";

	y_comment(&c, "Gives %s to the exit handler.", global);
	pure_begin(&y, name);
	y_open(&y, "inputs");
	y_open(&y, kind);
	y_item(&y);
	y_z(&y, "name", "value");
	y_item_end(&y);
	y_end(&y);
	y_end(&y);
	pure_steps(d->g, &y);
	y_open(&y, "outputs");
	y_open(&y, kind);
	y_item(&y);
	y_z(&y, "name", "value");
	y_z(&y, "globalName", global);
	if (file) {
		y_z(&y, "from", "{{inputs.artifacts.value}}");
	} else {
		y_open(&y, "valueFrom");
		y_z(&y, "expression", "inputs.parameters.value");
		y_end(&y);
	}
	y_item_end(&y);
	y_end(&y);
	y_end(&y);
}

static void export(struct dag *d, const struct expr *ref)
{
	const char *global = global_called(d->g, ref), *task = name_task(d->g, &d->c->names, a_f(d->g, "give-%s", global), strlen(global) + 5);
	const char *template = name_template(d->g, a_f(d->g, "give-%s", global), strlen(global) + 5);
	struct site x = { .g = d->g, .c = d->c, .cond = info(d->g, ref->u.node)->cond };
	struct deps v = { .g = d->g, .c = d->c };
	bool file = ref->fn == REF_OUTPUT && type_is_path(ref->type);
	struct yaml *y = &d->tasks;

	deps_expr(&v, ref);
	task_begin(d, task, template);
	deps_write(d, &v);
	if (ref->fn == REF_OUTPUT)
		when_write(d, &x, x.cond);
	else
		x.cond = NULL;
	y_open(y, "arguments");
	y_open(y, file ? "artifacts" : "parameters");
	if (file) {
		struct art a = art_of(&x, ref);

		y_item(y);
		y_z(y, "name", "value");
		art_write(&x, y, &a);
		y_item_end(y);
	} else {
		x.lets = 0;
		argument_value(y, "value", value_tag(&x, xl_ref(&x, ref)));
	}
	y_end(y);
	y_end(y);
	task_end(d);
	export_template(d, template, global, file);
}

static void export_node(struct node *n, void *data)
{
	struct dag *d = data;
	struct ninfo *ni = info(d->g, n);
	struct expr ref = { .op = EX_REF, .u.node = n, .span = n->span };

	if (ni->ctx != d->c || n->kind == N_IF || n->kind == N_GROUP)
		return;
	for (uint32_t i = 0; i < n->nports && ni->on_used && !exports_itself(d->g, n); i++) {
		struct expr *e;

		if (!used_port(ni, i, true))
			continue;
		e = arena_new_of(d->g->a, struct expr);
		*e = ref;
		e->fn = REF_OUTPUT;
		e->n = i;
		e->type = n->ports[i].type;
		export(d, e);
	}
	for (int k = 0; k < 2; k++) {
		struct expr *e;

		if (!(k ? ni->on_code : ni->on_status))
			continue;
		e = arena_new_of(d->g->a, struct expr);
		*e = ref;
		e->fn = k ? REF_EXIT_CODE : REF_STATUS;
		e->type = type_of(k ? T_INT : T_STRING);
		export(d, e);
	}
}

void on_exports(struct dag *d)
{
	if (d->g->on)
		workflow_nodes((struct ir_workflow *)d->c->w, export_node, d);
}

/* ---- workflow.failed_steps ---- */

struct table { struct argo *g; struct strbuf b; struct strmap seen; };

static void add_step(struct node *n, void *data)
{
	struct table *t = data;
	const struct ninfo *ni = info(t->g, n);
	const char *task = ni->task;

	if (!task || n->kind == N_IF || n->kind == N_GROUP || n->kind == N_FOR || n->allow_failure || strmap_get(&t->seen, str_internz(t->g->strs, task)))
		return;
	/* a loop's and a sweep's own steps are not the workflow's */
	for (const struct graph *in = n->graph; in->owner; in = in->owner->graph)
		if (in->owner->kind == N_LOOP || in->owner->kind == N_SWEEP)
			return;
	strmap_put(t->g->a, &t->seen, str_internz(t->g->strs, task), (void *)task);
	sb_f(&t->b, "%s\"%s\": ", t->b.n ? ", " : "", task);
	xl_string(&t->b, n->name->s, n->name->len);
}

/* A retried attempt has its number in brackets, an instance of a `for` its number and element. */
const char *failed_steps(struct site *x)
{
	struct table t = { .g = x->g };
	const char *s;

	workflow_nodes(x->g->m->entry, add_step, &t);
	s = a_f(x->g,
		"toJson(sort(uniq(filter(map(filter(fromJSON(fromJSON(workflow.failures)) ?? [], .displayName matches '^[^(]+([(][0-9]+:[^()]*[)])?$' && "
		"!(.message contains ' did not run in ')), ({%s })[split(.displayName, '(')[0]] ?? ''), # != ''))))", t.b.n ? sb_cstr(&t.b) : "");
	sb_free(&t.b);
	return s;
}

/* ---- parameters from outside ---- */

/* Their types, and the values that are allowed, are checked before anything starts. */
void check_params(struct dag *d)
{
	const struct ir_workflow *w = d->c->w;
	struct site x = { .g = d->g, .c = d->c };
	struct strbuf b = { 0 };
	struct yaml y, c;
	const char *name;
	uint32_t n = 0;

	for (uint32_t i = 0; i < w->nparams; i++) {
		const struct ir_param *p = &w->params[i];
		const char *v = xl_member(d->g, "inputs.parameters", d->g->w[w->id].param_name[i]), *ok;
		struct strbuf t = { 0 };

		if (type_is_path(p->type))
			continue;
		ok = type_check(d->g, p->type, v);
		if (!ok)
			continue;
		type_str(&t, p->type);
		sb_f(&b, "!(%s) ? %s : ", ok, xl_fail(&x, CW0402, p->span, a_f(d->g, "parameter '%s' is not of type %s", p->name->s, sb_cstr(&t))));
		sb_free(&t);
		n++;
	}
	if (!n)
		return;
	name = name_template(d->g, "check-parameters", 16);
	d->first = name_task(d->g, &d->c->names, "check-parameters", 16);
	y = template_yaml(d->g, template_slot(d->g, name));
	c = yaml_at(y.b, y.depth - 1);
	y_comment(&c, "Parameters given at submission are checked against their types before anything starts.");
	pure_begin(&y, name);
	y_open(&y, "inputs");
	y_open(&y, "parameters");
	for (uint32_t i = 0; i < w->nparams; i++) {
		if (type_is_path(w->params[i].type) || !type_check(d->g, w->params[i].type, ""))
			continue;
		y_item(&y);
		y_z(&y, "name", d->g->w[w->id].param_name[i]);
		y_f(&y, "value", "{{workflow.parameters.%s}}", d->g->w[w->id].param_name[i]);
		y_item_end(&y);
	}
	y_end(&y);
	y_end(&y);
	pure_steps(d->g, &y);
	y_open(&y, "outputs");
	y_open(&y, "parameters");
	y_item(&y);
	y_z(&y, "name", "ok");
	y_open(&y, "valueFrom");
	y_f(&y, "expression", "%s'true'", sb_cstr(&b));
	y_end(&y);
	y_item_end(&y);
	y_end(&y);
	y_end(&y);
	sb_free(&b);
	task_begin(d, d->first, name);
	task_end(d);
	{
		struct task *t = d->list.v[d->list.n - 1];

		t->depended = false;
	}
}
