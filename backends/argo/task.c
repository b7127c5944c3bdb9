/* One task of a DAG template: what it runs, when, and with which arguments. */
#include "dag.h"

#include <string.h>

struct task *task_begin(struct dag *d, const char *name, const char *template)
{
	const struct str *key = str_internz(d->g->strs, name);
	struct task *t = strmap_get(&d->by_name, key);

	if (!t) {
		t = arena_new_of(d->g->a, struct task);
		t->name = name;
		strmap_put(d->g->a, &d->by_name, key, t);
	}
	vec_push(d->g->a, &d->list, t);
	y_item(&d->tasks);
	y_z(&d->tasks, "name", name);
	template_ref(d->g, &d->tasks, template);
	return t;
}

void task_end(struct dag *d)
{
	y_item_end(&d->tasks);
}

void argument_value(struct yaml *y, const char *name, const char *value)
{
	y_item(y);
	y_z(y, "name", name);
	y_z(y, "value", value);
	y_item_end(y);
}

struct site dag_site(struct dag *d, const struct node *n)
{
	return (struct site){ .g = d->g, .c = d->c, .cond = n ? info(d->g, n)->cond : NULL };
}

/* The block an `on` graph runs for. */
static const char *event_of(struct argo *g, const struct node *n)
{
	const struct ir_workflow *w = n->graph->workflow;
	const struct graph *root = n->graph;

	(void)g;
	while (root->owner)
		root = root->owner->graph;
	if (root == w->on[ON_SUCCESS])
		return "workflow.status == 'Succeeded'";
	return root == w->on[ON_FAILURE] ? "workflow.status != 'Succeeded'" : NULL;
}

void when_write(struct dag *d, struct site *x, const struct cond *cond)
{
	struct ex e;
	const char *s = d->guard;

	x->lets = 0;
	e = xl_cond(x, cond);
	if (e.s)
		s = s ? a_f(d->g, "%s && %s", s, ex_in(x, e, P_AND)) : e.s;
	if (s)
		y_f(&d->tasks, "when", "{{=%s}}", xl_unlet(d->g, xl_bare(x, s)));
}

/* ---- arguments ---- */

static void artifact_argument(struct site *x, struct yaml *y, const char *name, const struct expr *e)
{
	struct art a;

	if (no_files(e))
		return;
	a = art_of(x, e);
	y_item(y);
	y_z(y, "name", name);
	art_write(x, y, &a);
	y_item_end(y);
}

static bool is_file(const struct shape_in *in)
{
	return in->how == IN_FILE || in->how == IN_FILES;
}

static const char *at_argument(struct dag *d, const struct node *n, bool item)
{
	if (d->c->kind == CTX_SWEEP)
		return a_f(d->g, "%s/%s", node_key(d->g, n), trial_at(d, n));
	return a_f(d->g, "%s/%s%s", node_key(d->g, n), at_of(d->g, d->c), item ? "/{{item}}" : "");
}

static void step_parameters(struct dag *d, struct site *x, const struct node *n, bool item)
{
	struct yaml *y = &d->tasks;
	const struct shape *s = info(d->g, n)->shape;
	size_t before = y->b->n, after;

	y_open(y, "parameters");
	after = y->b->n;
	for (uint32_t i = 0; i < n->nins; i++)
		if (s->ins[i].how == IN_PARAM)
			argument_value(y, s->ins[i].name, value_of(x, n->ins[i], s->ins[i].form));
	for (uint32_t i = 0; i < s->extra.n; i++) {
		x->lets = 0;
		argument_value(y, s->extra.v[i].name, s->extra.v[i].whole ? hoisted_value(x, n, &s->extra.v[i]) : value_tag(x, xl_text(x, s->extra.v[i].ref, FORM_ANY)));
	}
	if (s->at)
		argument_value(y, "at", at_argument(d, n, item));
	y_end(y);
	if (y->b->n == after)
		y->b->n = before;
}

static void step_files(struct dag *d, struct site *x, const struct node *n)
{
	struct yaml *y = &d->tasks;
	const struct shape *s = info(d->g, n)->shape;
	size_t before = y->b->n, after;

	y_open(y, "artifacts");
	after = y->b->n;
	for (uint32_t i = 0; i < n->nins; i++) {
		const struct expr *e = n->ins[i];

		if (!is_file(&s->ins[i]))
			continue;
		if (s->ins[i].how == IN_FILE) {
			artifact_argument(x, y, s->ins[i].name, e);
			continue;
		}
		for (uint32_t k = 0; k < e->n; k++)
			artifact_argument(x, y, a_f(d->g, "%s-%06u", s->ins[i].name, k), e->u.args[k]);
	}
	y_end(y);
	if (y->b->n == after)
		y->b->n = before;
}

void arguments_of(struct dag *d, struct site *x, const struct ctx *inner, const struct node *n)
{
	struct yaml *y = &d->tasks;
	bool loop = inner->kind == CTX_LOOP;

	for (int artifacts = 0; artifacts < 2; artifacts++) {
		size_t before = y->b->n, after;

		y_open(y, artifacts ? "artifacts" : "parameters");
		after = y->b->n;
		if (loop)
			loop_arguments(d, x, inner->owner, artifacts);
		for (uint32_t i = 0; i < inner->ins.n; i++) {
			const struct input *in = &inner->ins.v[i];

			if (in->artifact != (bool)artifacts || in->fixed)
				continue;
			x->lets = 0;
			if (in->artifact)
				artifact_argument(x, y, in->name, in->ref);
			else if (in->ref)
				argument_value(y, in->name, value_tag(x, xl_text(x, in->ref, FORM_ANY)));
			else
				argument_value(y, in->name, a_f(d->g, "%s%s%s", n && n->kind == N_CALL ? a_f(d->g, "%s/", dashed(d->g, n->name)) : "", at_of(d->g, d->c),
					inner->kind == CTX_BODY || (n && info(d->g, n)->for_) ? "/{{item}}" : ""));
		}
		y_end(y);
		if (y->b->n == after)
			y->b->n = before;
	}
}

/* e with the arguments of call n for the parameters that it reads. */
static struct expr *with_arguments(struct argo *g, const struct node *n, const struct expr *e)
{
	struct expr *c = arena_new_of(g->a, struct expr), **args;
	uint32_t k = expr_arity(e);

	if (e->op == EX_REF && e->fn == REF_PARAM) {
		const struct ir_param *p = &n->u.callee->params[e->n];

		return n->ins[e->n] ? n->ins[e->n] : p->dflt ? with_arguments(g, n, p->dflt) : c;
	}
	*c = *e;
	if (!k)
		return c;
	if (e->op == EX_MEMBER) {
		c->u.member.arg = with_arguments(g, n, e->u.member.arg);
		return c;
	}
	args = arena_array(g->a, struct expr *, k);
	for (uint32_t i = 0; i < k; i++)
		args[i] = with_arguments(g, n, e->u.args[i]);
	c->u.args = args;
	return c;
}

/* An argument of a call: as given, or a default that is no constant. NULL: the callee's own constant. */
const struct expr *call_argument(struct argo *g, const struct node *n, uint32_t i)
{
	const struct ir_param *p = &n->u.callee->params[i];

	if (n->ins[i])
		return n->ins[i];
	return p->dflt && p->dflt->op != EX_LIT ? with_arguments(g, n, p->dflt) : NULL;
}

/* A called workflow gets its parameters under their own names. */
static void call_arguments(struct dag *d, struct site *x, const struct node *n)
{
	struct yaml *y = &d->tasks;
	const struct ir_workflow *w = n->u.callee;
	const struct winfo *wi = &d->g->w[w->id];
	const struct ctx *root = wi->root;

	ctx_write(d->g, wi->root);
	for (int artifacts = 0; artifacts < 2; artifacts++) {
		size_t before = y->b->n, after;

		y_open(y, artifacts ? "artifacts" : "parameters");
		after = y->b->n;
		for (uint32_t i = 0; i < w->nparams; i++) {
			const struct expr *e = call_argument(d->g, n, i);

			if (!e || type_is_path(w->params[i].type) != (bool)artifacts)
				continue;
			if (artifacts)
				artifact_argument(x, y, wi->param_name[i], e);
			else
				argument_value(y, wi->param_name[i], value_of(x, e, w->params[i].type.kind == T_STRING || w->params[i].type.kind == T_JSON ? wi->param[i] : FORM_SAFE));
		}
		for (uint32_t i = 0; !artifacts && i < root->ins.n; i++)
			if (!root->ins.v[i].ref && !root->ins.v[i].artifact)
				argument_value(y, root->ins.v[i].name, a_f(d->g, "%s/%s%s", dashed(d->g, n->name), d->c->kind == CTX_SWEEP ? trial_at(d, n) : at_of(d->g, d->c), info(d->g, n)->for_ ? "/{{item}}" : ""));
		y_end(y);
		if (y->b->n == after)
			y->b->n = before;
	}
}

static void gate_arguments(struct dag *d, struct site *x, const struct node *n)
{
	struct yaml *y = &d->tasks;
	const struct expr *m = n->kind == N_FAIL ? n->u.fail.message : n->u.approve.message;

	if (!m)
		return;
	y_open(y, "parameters");
	argument_value(y, "message", value_of(x, m, FORM_T));
	y_end(y);
}

/* The arguments of what a node runs. */
void node_arguments(struct dag *d, struct site *x, const struct node *n, bool item)
{
	struct yaml *y = &d->tasks;
	size_t before = y->b->n, after;

	y_open(y, "arguments");
	after = y->b->n;
	switch ((enum node_kind)n->kind) {
	case N_STEP:
	case N_WAIT:
	case N_SERVICE:
		if (info(d->g, n)->shape) {
			step_parameters(d, x, n, item);
			step_files(d, x, n);
		}
		break;
	case N_CALL:
		call_arguments(d, x, n);
		break;
	case N_LOOP:
	case N_SWEEP:
		arguments_of(d, x, info(d->g, n)->inner, n);
		break;
	case N_FAIL:
	case N_APPROVE:
		gate_arguments(d, x, n);
		break;
	default:
		break;
	}
	y_end(y);
	if (y->b->n == after)
		y->b->n = before;
}

const char *template_of(struct argo *g, const struct node *n)
{
	const struct ninfo *ni = info(g, n);

	if (ni->wrapped)
		return try_template(g, n);
	switch ((enum node_kind)n->kind) {
	case N_CALL:
		return n->u.callee->link == LINK_RUN ? child_template(g, n) : g->w[n->u.callee->id].root->name;
	case N_LOOP:
	case N_SWEEP:
		return ni->inner->name;
	case N_WAIT:
		return ni->shape ? ni->shape->name : wait_template(g, n);
	case N_APPROVE:
		return approve_template(g, n, NULL);
	case N_FAIL:
		g->uses_fail = true;
		return g->fail_name;
	default:
		return ni->shape->name;
	}
}

/* `exit` runs after `success` and `failure`, whatever came of them. */
static void after_event(struct dag *d, const struct node *n, struct deps *v)
{
	const struct ir_workflow *w = n->graph->workflow;

	if (d->c->kind != CTX_ON || event_of(d->g, n) || v->v.n)
		return;
	for (uint32_t i = 0; i < d->c->nodes.n; i++)
		if (event_of(d->g, d->c->nodes.v[i]))
			deps_add(v, info(d->g, d->c->nodes.v[i])->task, true);
	(void)w;
}

void task_write(struct dag *d, const struct node *n)
{
	struct ninfo *ni = info(d->g, n);
	struct site x = dag_site(d, n);
	struct deps v = { .g = d->g, .c = d->c };
	const char *guard = d->guard, *event;

	if (n->kind == N_FOR) {
		for_write(d, n);
		return;
	}
	if (ni->inner)
		ctx_write(d->g, ni->inner);
	deps_node(&v, n);
	after_event(d, n, &v);
	y_comment_item(&d->tasks, "%s", place_comment(d->g, n->span));
	task_begin(d, ni->task, template_of(d->g, n));
	deps_write(d, &v);
	event = d->c->kind == CTX_ON ? event_of(d->g, n) : NULL;
	if (event)
		d->guard = event;
	when_write(d, &x, ni->cond);
	d->guard = guard;
	node_arguments(d, &x, n, false);
	task_end(d);
}

void end_task(struct dag *d)
{
	struct deps v = { .g = d->g, .c = d->c };
	struct task **list = d->list.v;
	uint32_t n = d->list.n;

	for (uint32_t i = 0; i < n; i++)
		deps_add(&v, list[i]->name, true);
	d->g->uses_none = true;
	task_begin(d, "end", d->g->none_name);
	deps_write(d, &v);
	task_end(d);
}
