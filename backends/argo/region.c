/* `for` and `loop`. */
#include "dag.h"

#include <string.h>

#define FOR_MAX 1000                      /* elements of a `for` (docs/values.md) */

/* ---- for ---- */

static void count(struct dag *d, struct site *x, const struct node *f)
{
	struct yaml *y = &d->tasks;
	const struct expr *l = f->u.for_.list;
	const char *v;
	struct ex n;

	y_open(y, "withSequence");
	if (l->op == EX_LIT || l->op == EX_LIST) {
		y_str(y, "count", a_f(d->g, "%u", l->op == EX_LIT ? l->u.lit->n : l->n), strlen(a_f(d->g, "%u", l->op == EX_LIT ? l->u.lit->n : l->n)));
	} else {
		x->lets = 0;
		if (type_is_path(l->type)) {
			n = files_count(x, l);
		} else {
			struct expr len = { .op = EX_CALL, .fn = FN_len, .type = type_of(T_INT), .n = 1, .span = l->span };
			struct expr *arg = (struct expr *)l;

			len.u.args = &arg;
			n = xl_native(x, &len);
		}
		v = xl_let(x);
		n = ex_f(x, P_OPEN, "let %s = %s; %s > %d ? %s : %s", v, n.s, v, FOR_MAX, xl_fail(x, CW0708, l->span, "a for takes at most 1000 elements"), v);
		y_f(y, "count", "{{=%s}}", xl_unlet(d->g, n.s));
	}
	if (gathers_files(d->g, f) || type_is_path(l->type))
		y_str(y, "format", "%06d", 4);
	y_end(y);
}

static void items(struct dag *d, const struct node *f)
{
	struct yaml *y = &d->tasks;
	const struct value *l = f->u.for_.list->u.lit;

	y_open(y, "withItems");
	for (uint32_t i = 0; i < l->n; i++) {
		struct strbuf b = { 0 };

		value_text(&b, &l->u.list[i]);
		if (l->type.kind == T_STRING) {
			y_item_str(y, b.s ? b.s : "", b.n);
		} else {
			y_item(y);
			y->dash = false;
			sb_f(y->b, "\"%s\"\n", sb_cstr(&b));
		}
		sb_free(&b);
	}
	y_end(y);
}

static const struct node *body_node(const struct node *f)
{
	return f->u.for_.body->nodes.v[0];
}

/* The task that is expanded; it stands in the context of the `for`, or in the one that limits it. */
static void expanded(struct dag *d, const struct node *f, struct deps *v)
{
	struct ninfo *fi = info(d->g, f);
	struct site x = { .g = d->g, .c = d->c, .cond = fi->cond };
	const struct node *n = fi->mode == FOR_DIRECT ? body_node(f) : NULL;

	y_comment_item(&d->tasks, "%s", place_comment(d->g, f->span));
	task_begin(d, fi->task, n ? template_of(d->g, n) : fi->inner->name);
	if (v) {
		deps_write(d, v);
		when_write(d, &x, fi->cond);
	}
	if (n) {
		node_arguments(d, &x, n, true);
	} else {
		struct yaml *y = &d->tasks;
		size_t before = y->b->n, after;

		y_open(y, "arguments");
		after = y->b->n;
		arguments_of(d, &x, fi->inner, NULL);
		y_end(y);
		if (y->b->n == after)
			y->b->n = before;
	}
	if (fi->items)
		items(d, f);
	else
		count(d, &x, f);
	task_end(d);
}

struct gates { struct dag *d; const struct node *f; const char *last; };

/* One gate for each step that has readers outside: it fails where an instance did. */
static void gate(struct node *n, void *data)
{
	struct gates *gs = data;
	struct dag *d = gs->d;
	struct ninfo *fi = info(d->g, gs->f);
	struct site x = { .g = d->g, .c = d->c, .cond = fi->cond };

	for (const struct stand *s = info(d->g, n)->stands; s; s = s->next) {
		struct deps v = { .g = d->g, .c = d->c };
		const char *task = fi->task, *out;

		if (s->c != d->c || !strcmp(s->task, task) || (gs->last && !strcmp(gs->last, s->task)))
			continue;
		gs->last = s->task;
		deps_add(&v, task, false);
		if (n->allow_failure) {                                         /* nothing to judge: it stands for the order only */
			d->g->uses_none = true;
			task_begin(d, s->task, d->g->none_name);
			deps_write(d, &v);
			when_write(d, &x, fi->cond);
			task_end(d);
			continue;
		}
		out = fi->mode == FOR_DIRECT ? "status" : a_f(d->g, "%s--status", task_in(d->g, n, fi->inner));
		d->g->uses_gate = true;
		task_begin(d, s->task, d->g->gate_name);
		deps_write(d, &v);
		when_write(d, &x, fi->cond);
		y_open(&d->tasks, "arguments");
		y_open(&d->tasks, "parameters");
		argument_value(&d->tasks, "step", n->name->s);
		out = xl_member(d->g, "", out);
		argument_value(&d->tasks, "status", a_f(d->g, "{{=%s.outputs?.parameters?%s%s ?? '[]'}}", xl_member(d->g, "tasks", task), out[0] == '[' ? "." : "", out));
		y_end(&d->tasks);
		y_end(&d->tasks);
		task_end(d);
	}
}

/* What no one reads may fail, too. */
static void rest_gate(struct dag *d, const struct node *f)
{
	struct ninfo *fi = info(d->g, f);
	struct site x = { .g = d->g, .c = d->c, .cond = fi->cond };
	struct deps v = { .g = d->g, .c = d->c };
	const char *name = name_task(d->g, &d->c->names, a_f(d->g, "%s-rest", fi->task), strlen(fi->task) + 5);

	deps_add(&v, fi->task, false);
	task_begin(d, name, d->g->gate_name);
	deps_write(d, &v);
	when_write(d, &x, fi->cond);
	y_open(&d->tasks, "arguments");
	y_open(&d->tasks, "parameters");
	argument_value(&d->tasks, "step", "a step of the for");
	argument_value(&d->tasks, "status", a_f(d->g, "{{=%s.outputs?.parameters?.rest ?? '[]'}}", xl_member(d->g, "tasks", fi->task)));
	y_end(&d->tasks);
	y_end(&d->tasks);
	task_end(d);
}

/* Tasks of a robust body whose status no gate outside looks at. */
static bool unread(struct argo *g, const struct ctx *body, const struct node *n, const struct ctx *outer)
{
	for (const struct stand *s = info(g, n)->stands; s; s = s->next)
		if (s->c == outer)
			return false;
	return task_in(g, n, body) != NULL;
}

void for_write(struct dag *d, const struct node *f)
{
	struct ninfo *fi = info(d->g, f);
	struct deps v = { .g = d->g, .c = d->c, .for_ = f };
	struct gates gs = { d, f, NULL };
	const struct node *n = fi->mode == FOR_DIRECT ? body_node(f) : NULL;

	if (fi->inner)
		ctx_write(d->g, fi->inner);
	if (n && info(d->g, n)->inner)
		ctx_write(d->g, info(d->g, n)->inner);
	if (fi->each)
		ctx_write(d->g, fi->each);
	deps_node(&v, f);
	if (n)
		deps_node(&v, n);
	if (fi->each) {
		struct site x = dag_site(d, f);

		y_comment_item(&d->tasks, "%s", place_comment(d->g, f->span));
		task_begin(d, fi->task, fi->each->name);
		deps_write(d, &v);
		when_write(d, &x, fi->cond);
		if (fi->each->ins.n) {
			y_open(&d->tasks, "arguments");
			arguments_of(d, &x, fi->each, NULL);
			y_end(&d->tasks);
		}
		task_end(d);
	} else {
		expanded(d, f, &v);
	}
	if (fi->mode == FOR_ROBUST || (n && info(d->g, n)->judged))
		node_within((struct node *)f, gate, &gs);
	if (fi->mode == FOR_ROBUST)
		rest_gate(d, f);
}

void each_write(struct dag *d)
{
	expanded(d, d->c->owner, NULL);
}

/* ---- what a for leaves ---- */

static void status_output(struct site *x, struct yaml *y, const char *name, const struct node *n)
{
	x->lets = 0;
	y_item(y);
	y_z(y, "name", name);
	y_open(y, "valueFrom");
	y_z(y, "expression", xl_bare(x, xl_status(x, n, true).s));
	y_end(y);
	y_item_end(y);
}

struct statuses { struct argo *g; struct ctx *c; struct yaml *y; struct strbuf rest; };

static void status_of(struct node *n, void *data)
{
	struct statuses *s = data;
	struct site x = { .g = s->g, .c = s->c, .outputs = true };
	const char *task = task_in(s->g, n, s->c);

	if (!task || n->kind == N_IF || n->kind == N_GROUP || n->kind == N_FOR)
		return;
	if (unread(s->g, s->c, n, s->c->up->kind == CTX_EACH ? s->c->up->up : s->c->up)) {
		if (!info(s->g, n)->wrapped)
			sb_f(&s->rest, "%s%s.status", s->rest.n ? ", " : "", xl_member(s->g, "tasks", task));
		return;
	}
	if (info(s->g, n)->ctx != s->c) {
		/* a gate of a for in there stands for it */
		y_item(s->y);
		y_f(s->y, "name", "%s--status", task);
		y_open(s->y, "valueFrom");
		y_f(s->y, "expression", "let s = %s.status; s == 'Succeeded' ? 'succeeded' : s in ['Failed', 'Error'] ? 'failed' : s == 'Omitted' ? 'omitted' : 'skipped'",
			xl_member(s->g, "tasks", task));
		y_end(s->y);
		y_item_end(s->y);
		return;
	}
	status_output(&x, s->y, a_f(s->g, "%s--status", task), n);
}

static void body_outputs(struct argo *g, struct ctx *c, struct yaml *y)
{
	const struct node *f = c->owner;

	for (uint32_t i = 0; i < f->nports; i++) {
		const struct port *p = &f->ports[i];
		struct site x = { .g = g, .c = c };
		struct type t = p->type;

		t.list = t.opt = false;
		if (type_is_path(p->type) || (!used_port(info(g, f), i, false) && !used_port(info(g, f), i, true)))
			continue;
		output_value(&x, y, dashed(g, p->name), p->value[0], t.kind == T_STRING || t.kind == T_JSON ? FORM_T : FORM_SAFE);
	}
	if (c->robust) {
		struct statuses s = { g, c, y, { 0 } };

		node_within((struct node *)f, status_of, &s);
		y_item(y);
		y_z(y, "name", "rest");
		y_open(y, "valueFrom");
		if (s.rest.n)
			y_f(y, "expression", "any(['Failed', 'Error'], # in [%s]) ? 'failed' : 'succeeded'", sb_cstr(&s.rest));
		else
			y_z(y, "expression", "'succeeded'");
		y_end(y);
		y_item_end(y);
		sb_free(&s.rest);
	}
}

/* Handed on by the template that limits how many run. */
static void each_output(struct argo *g, struct yaml *y, const char *task, const char *name)
{
	const char *m = xl_member(g, "", name);

	y_item(y);
	y_z(y, "name", name);
	y_open(y, "valueFrom");
	y_f(y, "expression", "%s.outputs?.parameters?%s%s ?? '[]'", xl_member(g, "tasks", task), m[0] == '[' ? "." : "", m);
	y_end(y);
	y_item_end(y);
}

struct each { struct argo *g; struct ctx *c; struct yaml *y; const char *task; };

static void each_status(struct node *n, void *data)
{
	struct each *e = data;
	const struct ctx *body = info(e->g, e->c->owner)->inner;
	const char *task = task_in(e->g, n, body);

	if (task && n->kind != N_IF && n->kind != N_GROUP && n->kind != N_FOR && !unread(e->g, body, n, e->c->up))
		each_output(e->g, e->y, e->task, a_f(e->g, "%s--status", task));
}

static void each_outputs(struct argo *g, struct ctx *c, struct yaml *y)
{
	const struct node *f = c->owner;
	struct ninfo *fi = info(g, f);
	struct each e = { g, c, y, fi->task };

	for (uint32_t i = 0; i < f->nports; i++) {
		const struct expr *v = f->ports[i].value[0];
		const char *name = dashed(g, f->ports[i].name);

		if (type_is_path(f->ports[i].type) || (!used_port(fi, i, false) && !used_port(fi, i, true)))
			continue;
		if (fi->mode == FOR_DIRECT && v->op == EX_REF)
			name = v->fn == REF_STATUS ? "status" : v->fn == REF_EXIT_CODE ? "exit-code" : dashed(g, v->u.node->ports[v->n].name);
		if (fi->mode == FOR_DIRECT && v->op == EX_REF && v->fn == REF_STATUS && info(g, v->u.node)->judged)
			continue;
		each_output(g, y, fi->task, name);
	}
	if (fi->mode == FOR_DIRECT && info(g, body_node(f))->judged)
		each_output(g, y, fi->task, "status");
	if (fi->mode == FOR_ROBUST) {
		node_within((struct node *)f, each_status, &e);
		each_output(g, y, fi->task, "rest");
	}
}

void for_outputs(struct argo *g, struct ctx *c, struct yaml *y)
{
	if (c->kind == CTX_EACH)
		each_outputs(g, c, y);
	else if (c->kind == CTX_BODY)
		body_outputs(g, c, y);
}

/* ---- loop ---- */

static bool state_used(struct argo *g, const struct node *l, uint32_t i)
{
	(void)g;
	(void)l;
	(void)i;
	return true;
}

void loop_inputs(struct argo *g, struct ctx *c, struct yaml *y, bool artifacts)
{
	const struct node *l = c->owner;

	for (uint32_t i = 0; i < l->u.loop.n; i++) {
		const struct state *s = &l->u.loop.v[i];

		if (type_is_path(s->type) != artifacts || !state_used(g, l, i))
			continue;
		y_item(y);
		y_z(y, "name", dashed(g, s->name));
		if (artifacts && (s->type.opt || s->type.list))
			y_plain(y, "optional", "true");
		y_item_end(y);
	}
	if (!artifacts) {
		y_item(y);
		y_z(y, "name", "round");
		y_item_end(y);
	}
}

static void state_argument(struct site *x, struct yaml *y, const struct state *s, const char *name, const struct expr *e)
{
	if (type_is_path(s->type)) {
		struct art a = art_of(x, e);

		a.optional |= s->type.opt;
		y_item(y);
		y_z(y, "name", name);
		art_write(x, y, &a);
		y_item_end(y);
	} else {
		argument_value(y, name, value_of(x, e, leaving(s->type)));
	}
}

/* The first round gets the initial states. */
void loop_arguments(struct dag *d, struct site *x, const struct node *l, bool artifacts)
{
	for (uint32_t i = 0; i < l->u.loop.n; i++) {
		const struct state *s = &l->u.loop.v[i];

		if (type_is_path(s->type) == artifacts)
			state_argument(x, &d->tasks, s, dashed(d->g, s->name), s->init);
	}
	if (!artifacts)
		argument_value(&d->tasks, "round", "0");
}

void loop_tasks(struct dag *d)
{
	const struct node *l = d->c->owner;
	struct site x = { .g = d->g, .c = d->c };

	d->guard = a_f(d->g, "int(inputs.parameters.round) < %lld", (long long)l->u.loop.max);
	if (l->u.loop.cond)
		d->guard = a_f(d->g, "%s && %s", d->guard, ex_in(&x, xl_bool(&x, l->u.loop.cond), P_AND + 1));
}

/* The states of the round that follows. */
static void next_states(struct dag *d, struct site *x, bool artifacts)
{
	const struct node *l = d->c->owner;

	for (uint32_t i = 0; i < l->u.loop.n; i++) {
		const struct state *s = &l->u.loop.v[i];
		struct expr same = { .op = EX_REF, .fn = REF_STATE, .type = s->type, .n = i, .u.node = (struct node *)l };

		if (type_is_path(s->type) == artifacts)
			state_argument(x, &d->tasks, s, dashed(d->g, s->name), s->next ? s->next : &same);
	}
}

static void passed_on(struct dag *d, struct site *x, bool artifacts)
{
	struct yaml *y = &d->tasks;

	for (uint32_t i = 0; i < d->c->ins.n; i++) {
		const struct input *in = &d->c->ins.v[i];

		if (in->artifact != artifacts || in->fixed)
			continue;
		if (artifacts) {
			struct art a = { .kind = ART_FROM, .s = a_f(d->g, "{{inputs.artifacts.%s}}", in->name), .optional = in->nullable };

			y_item(y);
			y_z(y, "name", in->name);
			art_write(x, y, &a);
			y_item_end(y);
		} else {
			struct ex e = { .s = xl_member(d->g, "inputs.parameters", in->name), .prec = P_ATOM, .form = (uint8_t)in->form, .tag = true };

			argument_value(y, in->name, value_tag(x, e));
		}
	}
}

/* The next round, when all of this one went well. */
void loop_next(struct dag *d)
{
	const struct node *l = d->c->owner;
	struct site x = { .g = d->g, .c = d->c };
	struct deps v = { .g = d->g, .c = d->c };
	struct yaml *y = &d->tasks;
	struct task **list = d->list.v;
	uint32_t n = d->list.n;

	for (uint32_t i = 0; i < n; i++)
		deps_add(&v, list[i]->name, false);
	for (uint32_t i = 0; i < l->u.loop.n; i++)
		deps_expr(&v, l->u.loop.v[i].next);
	task_begin(d, "next", d->c->name);
	deps_write(d, &v);
	when_write(d, &x, NULL);
	y_open(y, "arguments");
	y_open(y, "parameters");
	next_states(d, &x, false);
	argument_value(y, "round", "{{=int(inputs.parameters.round) + 1}}");
	passed_on(d, &x, false);
	y_end(y);
	{
		size_t before = y->b->n, after;

		y_open(y, "artifacts");
		after = y->b->n;
		next_states(d, &x, true);
		passed_on(d, &x, true);
		y_end(y);
		if (y->b->n == after)
			y->b->n = before;
	}
	y_end(y);
	task_end(d);
}

/* The states of the last round; the initial ones where no round ran. */
void loop_outputs(struct dag *d, struct yaml *y)
{
	const struct node *l = d->c->owner;
	const char *ran = "tasks.next.status == 'Succeeded'";
	bool files = false;

	y_open(y, "parameters");
	for (uint32_t i = 0; i < l->u.loop.n; i++) {
		const char *name = dashed(d->g, l->u.loop.v[i].name);

		files |= type_is_path(l->u.loop.v[i].type);
		if (type_is_path(l->u.loop.v[i].type))
			continue;
		y_item(y);
		y_z(y, "name", name);
		y_open(y, "valueFrom");
		y_f(y, "expression", "%s ? %s : %s", ran, xl_member(d->g, "tasks.next.outputs.parameters", name), xl_member(d->g, "inputs.parameters", name));
		y_end(y);
		y_item_end(y);
	}
	y_item(y);
	y_z(y, "name", "iterations");
	y_open(y, "valueFrom");
	y_f(y, "expression", "%s ? tasks.next.outputs.parameters.iterations : inputs.parameters.round", ran);
	y_end(y);
	y_item_end(y);
	y_end(y);
	if (!files)
		return;
	y_open(y, "artifacts");
	for (uint32_t i = 0; i < l->u.loop.n; i++) {
		const char *name = dashed(d->g, l->u.loop.v[i].name);

		if (!type_is_path(l->u.loop.v[i].type))
			continue;
		y_item(y);
		y_z(y, "name", name);
		y_f(y, "fromExpression", "%s ? %s : %s", ran, xl_member(d->g, "tasks.next.outputs.artifacts", name), xl_member(d->g, "inputs.artifacts", name));
		if (l->u.loop.v[i].type.opt)
			y_plain(y, "optional", "true");
		y_item_end(y);
	}
	y_end(y);
}
