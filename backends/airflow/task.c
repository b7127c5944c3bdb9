/* One task: what it waits for, and its fields. */
#include "airflow.h"

#include <string.h>

static const char *const kind_names[] = {
	[TK_BEGIN] = "begin", [TK_RUN] = "run", [TK_BRANCH] = "branch", [TK_EACH] = "each", [TK_ROUND] = "round", [TK_CALL_BEGIN] = "call_begin",
	[TK_CALL_END] = "call_end", [TK_TRIGGER] = "trigger", [TK_TRIGGERED] = "triggered",
	[TK_BEST] = "best", [TK_WAIT] = "wait", [TK_POLL] = "poll", [TK_APPROVE] = "approve", [TK_FAIL] = "fail",
	[TK_END] = "end", [TK_RESULT] = "result",
};
static const char *const event_names[] = { [ON_SUCCESS] = "success", [ON_FAILURE] = "failure", [ON_EXIT] = "exit" };

/* ---- dependencies ---- */

static const struct loop *outermost(const struct loop *l)
{
	while (l && l->in)
		l = l->in;
	return l;
}

/* Loops whose elements the task at work tells apart: an instance that fails concerns only its own. */
static const struct loop *apart(const struct task *t)
{
	return outermost(t->kind == TK_EACH ? t->makes->in : t->loop);
}

static bool holds(const struct container *in, const struct container *outer)
{
	while (in && in != outer)
		in = in->up;
	return in == outer;
}

void af_depend(struct af *af, struct task *t, bool soft)
{
	struct task *at = af->at;

	if (t == at || (at->handler >= 0 && t->handler < 0 && t->act == at->act && t != at->act->end))
		return;                                                     /* an on block comes after everything anyway */
	if (t == at->act->begin) {
		af->begin = t;
		return;
	}
	af->soft = af->soft || soft || t->allow_failure || t->trial || (t->loop && apart(at) == outermost(t->loop));
	if (holds(at->in, t->in))
		t->leaf = false;
	if (af->seen[t->index] == af->stamp)
		return;
	af->seen[t->index] = af->stamp;
	vec_push(af->a, &af->deps, t);
}

/* All tasks from first up to last after which nothing in their container comes. */
static void depend_on_leaves(struct af *af, uint32_t first, uint32_t last)
{
	for (uint32_t i = first; i < last; i++) {
		struct task *t = af->tasks.v[i];

		if (!t->leaf || t == af->at)
			continue;
		af_depend(af, t, true);
		t->leaf = false;
	}
}

struct order_to { struct af *af; struct strbuf *b; bool hard; uint32_t n; };

static void order_one(struct order_to *o, struct task *t)
{
	if (!t)
		return;
	af_depend(o->af, t, !o->hard);
	sb_z(o->b, o->n++ ? ", [" : "[");
	af_str(o->b, t->id);
	sb_z(o->b, o->hard ? ", true]" : ", false]");
}

/* n stands in f, or in regions below f: all that it became there. */
static void order_below(struct order_to *o, struct frame *f, struct node *n)
{
	struct node *top = node_in(n, f->graph);
	struct made *made = top ? af_made(o->af, f, top) : NULL;

	if (!made)
		return;
	if (top == n) {
		order_one(o, n->kind == N_LOOP ? made->rounds[made->nchild] : made->task);
		return;
	}
	for (uint32_t i = 0; i < made->nchild; i++)
		order_below(o, made->child[i], n);
}

static void order_edges(struct order_to *o, struct frame *f, const struct node *n)
{
	for (uint32_t i = 0; i < n->nafter; i++) {
		struct frame *at = f;

		while (at && !node_in(n->after[i].node, at->graph))
			at = at->up;
		o->hard = !n->after[i].soft;
		if (at)
			order_below(o, at, n->after[i].node);
	}
}

static void after(struct af *af, struct strbuf *b, struct task *t)
{
	struct order_to o = { af, b, false, 0 };
	size_t from;

	if (!t->node || t->kind == TK_CALL_END || t->kind == TK_TRIGGERED || t->kind == TK_BEST || (t->kind == TK_ROUND && t->round))
		return;
	if (!t->node->nafter && !t->frame->trial)
		return;
	from = b->n;
	af_field(b, "after");
	sb_ch(b, '[');
	order_edges(&o, t->frame, t->node);
	if (t->frame->trial)
		order_edges(&o, t->frame->up, t->frame->graph->owner);
	sb_ch(b, ']');
	if (!o.n)
		b->n = from;
}

/* ---- fields ---- */

void af_field(struct strbuf *b, const char *name)
{
	sb_f(b, ",\n      \"%s\": ", name);
}

static void field_str(struct strbuf *b, const char *name, const struct str *s)
{
	af_field(b, name);
	af_str(b, s);
}

static void named(struct strbuf *b, const struct str *name, uint32_t *n)
{
	sb_z(b, (*n)++ ? ", " : "{");
	af_str(b, name);
	sb_z(b, ": ");
}

static void inputs(struct af *af, struct strbuf *b, struct task *t, const struct ir_task *shape)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < shape->nins && t->node->ins; i++) {
		if (!t->node->ins[i])
			continue;
		if (!n)
			af_field(b, "in");
		named(b, shape->ins[i].name, &n);
		af_root(af, b, t->frame, t->node->ins[i]);
	}
	if (n)
		sb_ch(b, '}');
}

static void publishes(struct af *af, struct strbuf *b, struct task *t)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < t->node->nports && t->node->to; i++) {
		if (!t->node->to[i])
			continue;
		if (!n)
			af_field(b, "to");
		named(b, t->node->ports[i].name, &n);
		af_root(af, b, t->frame, t->node->to[i]);
	}
	if (n)
		sb_ch(b, '}');
}

static void run(struct af *af, struct strbuf *b, struct task *t)
{
	field_str(b, "step", af_step(af, t->node->u.task));
	inputs(af, b, t, t->node->u.task);
	publishes(af, b, t);
	af_attrs(af, b, t);
	af_resources(af, b, t);
}

static void poll(struct af *af, struct strbuf *b, struct task *t)
{
	field_str(b, "step", af_step(af, t->node->u.wait.poll));
	af_field(b, "poke_interval");
	sb_double(b, t->node->u.wait.every);
	inputs(af, b, t, t->node->u.wait.poll);
	af_attrs(af, b, t);
}

static void branch(struct af *af, struct strbuf *b, struct task *t)
{
	af_field(b, "conditions");
	for (uint32_t i = 0; i < t->node->u.if_.n; i++) {
		sb_z(b, i ? ", " : "[");
		if (t->node->u.if_.v[i].cond)
			af_root(af, b, t->frame, t->node->u.if_.v[i].cond);
		else
			sb_z(b, "null");
	}
	sb_ch(b, ']');
}

static void each(struct af *af, struct strbuf *b, struct task *t)
{
	af_field(b, "list");
	if (t->node->kind == N_SWEEP)
		sb_f(b, "[\"call\", \"range\", %u]", t->makes->length);
	else
		af_root(af, b, t->frame, t->node->u.for_.list);
	if (t->makes->in && t->makes->in->each)
		af_depend(af, t->makes->in->each, true);
}

struct outer_refs { struct af *af; struct strbuf *b; struct task *t; uint32_t n; };

/* What a round needs of outside the loop, so that the loop does not start where that has failed. */
static void outer_ref(struct expr *e, void *data)
{
	struct outer_refs *o = data;

	if (e->fn != REF_OUTPUT || !af_frame_of(o->t->frame, e->u.node->graph))
		return;
	if (!o->n)
		af_field(o->b, "needs");
	sb_z(o->b, o->n++ ? ", " : "[");
	af_expr(o->af, o->b, o->t->frame, e);
}

static void first_round(struct af *af, struct strbuf *b, struct task *t)
{
	const struct node *n = t->node;
	struct outer_refs o = { af, b, t, 0 };

	for (uint32_t i = 0; i < n->u.loop.n; i++)
		if (n->u.loop.v[i].next)
			expr_refs(n->u.loop.v[i].next, outer_ref, &o);
	if (n->u.loop.cond)
		expr_refs(n->u.loop.cond, outer_ref, &o);
	if (o.n)
		sb_ch(b, ']');
}

static void round_body(struct af *af, struct strbuf *b, struct task *t)
{
	uint32_t n = 0;

	af_field(b, "body");
	for (uint32_t i = t->first; i < t->last; i++) {
		const struct task *in = af->tasks.v[i];

		if (in->act != t->act || in->trial)
			continue;
		sb_z(b, n++ ? ", " : "[");
		af_str(b, in->id);
	}
	sb_z(b, n ? "]" : "[]");
	depend_on_leaves(af, t->first, t->last);
}

static void loop_round(struct af *af, struct strbuf *b, struct task *t)
{
	const struct node *node = t->node;
	struct made *made = af_made(af, t->frame, node);
	struct frame *before = t->round ? made->child[t->round - 1] : t->frame;
	uint32_t n = 0;

	af_field(b, "round");
	sb_f(b, "%u", t->round);
	for (uint32_t i = 0; i < node->u.loop.n; i++) {
		const struct expr *e = t->round ? node->u.loop.v[i].next : node->u.loop.v[i].init;

		if (!e)
			continue;
		if (!n)
			af_field(b, "states");
		named(b, node->u.loop.v[i].name, &n);
		af_root(af, b, before, e);
	}
	if (n)
		sb_ch(b, '}');
	if (t->round == made->nchild) {
		af_field(b, "last");
		sb_z(b, "true");
	} else if (node->u.loop.cond) {
		af_field(b, "while");
		af_root(af, b, made->child[t->round], node->u.loop.cond);
	}
	if (t->round)
		round_body(af, b, t);
	else
		first_round(af, b, t);
}

static void call_begin(struct af *af, struct strbuf *b, struct task *t)
{
	const struct ir_workflow *w = t->call->w;
	uint32_t n = 0;

	if (!w->nparams)
		return;
	af_field(b, "params");
	for (uint32_t i = 0; i < w->nparams; i++) {
		const struct expr *given = t->node->ins && i < t->node->nins ? t->node->ins[i] : NULL;

		named(b, w->params[i].name, &n);
		sb_z(b, "{\"value\": ");
		if (given || w->params[i].dflt)
			af_root(af, b, given ? t->frame : t->call->body, given ? given : w->params[i].dflt);
		else
			sb_z(b, "null");
		if (w->params[i].in) {
			sb_z(b, ", \"in\": ");
			af_root(af, b, t->call->body, w->params[i].in);
		}
		sb_ch(b, '}');
	}
	sb_ch(b, '}');
}

static void scope_of(struct strbuf *b, const struct activation *act)
{
	af_field(b, "of");
	af_str(b, act->scope);
}

static void call_end(struct af *af, struct strbuf *b, struct task *t)
{
	const struct activation *act = t->call;
	uint32_t n = 0;

	scope_of(b, act);
	af_field(b, "begin");
	af_str(b, act->begin->id);
	for (uint32_t i = 0; i < act->w->nouts; i++) {
		if (!n)
			af_field(b, "outputs");
		named(b, act->w->outs[i].name, &n);
		sb_z(b, "{\"value\": ");
		af_root(af, b, act->body, act->w->outs[i].value);
		sb_ch(b, '}');
	}
	if (n)
		sb_ch(b, '}');
	depend_on_leaves(af, act->begin->index, t->index);
}

static void trigger(struct af *af, struct strbuf *b, struct task *t)
{
	af_field(b, "dag");
	af_str(b, af_dag_id(af, t->call->w));
	if (t->node->hidden) {
		af_field(b, "part");
		sb_z(b, "true");
	}
	call_begin(af, b, t);
}

static void triggered(struct af *af, struct strbuf *b, struct task *t)
{
	field_str(b, "trigger", t->call->begin->id);
	af_depend(af, t->call->begin, true);
}

static void best(struct af *af, struct strbuf *b, struct task *t)
{
	struct made *made = af_made(af, t->frame, t->node);
	const struct sweep *s = t->node->u.sweep;

	af_field(b, "table");
	af_str(b, af_made(af, t->frame, t->node)->task->id);
	af_field(b, "trials");
	for (uint32_t r = 0; r <= t->rung; r++) {
		struct task *trial = made->child[r]->made[0].task;

		sb_z(b, r ? ", " : "[");
		af_str(b, trial->id);
		af_depend(af, trial, true);
	}
	sb_ch(b, ']');
	if (t->rung + 1 < t->nrungs) {
		af_field(b, "keep_best");
		sb_f(b, "%u", s->rungs[t->rung + 1].n);
	}
}

static void approve(struct af *af, struct strbuf *b, struct task *t)
{
	const struct node *n = t->node;

	af_field(b, "message");
	if (n->u.approve.message)
		af_root(af, b, t->frame, n->u.approve.message);
	else
		sb_z(b, "\"\"");
	for (uint32_t i = 0; i < n->u.approve.n; i++) {
		const struct approve_ask *ask = &n->u.approve.v[i];

		if (!i)
			af_field(b, "asks");
		sb_z(b, i ? ", {\"name\": " : "[{\"name\": ");
		af_str(b, ask->name);
		sb_z(b, ", \"type\": ");
		af_type(b, ask->type);
		if (ask->dflt) {
			sb_z(b, ", \"default\": ");
			af_root(af, b, t->frame, ask->dflt);
		}
		if (ask->in) {
			sb_z(b, ", \"in\": ");
			af_root(af, b, t->frame, ask->in);
		}
		sb_ch(b, '}');
	}
	if (n->u.approve.n)
		sb_ch(b, ']');
	af_attrs(af, b, t);
}

static void by_kind(struct af *af, struct strbuf *b, struct task *t)
{
	switch ((enum task_kind)t->kind) {
	case TK_RUN: run(af, b, t); break;
	case TK_POLL: poll(af, b, t); break;
	case TK_BRANCH: branch(af, b, t); break;
	case TK_EACH: each(af, b, t); break;
	case TK_ROUND: loop_round(af, b, t); break;
	case TK_CALL_BEGIN: call_begin(af, b, t); break;
	case TK_CALL_END: call_end(af, b, t); break;
	case TK_TRIGGER: trigger(af, b, t); break;
	case TK_TRIGGERED: triggered(af, b, t); break;
	case TK_BEST: best(af, b, t); break;
	case TK_APPROVE: approve(af, b, t); break;
	case TK_WAIT:
		af_field(b, "seconds");
		sb_double(b, t->node->u.wait.seconds);
		break;
	case TK_FAIL:
		af_field(b, "message");
		af_root(af, b, t->frame, t->node->u.fail.message);
		break;
	case TK_END:
		scope_of(b, t->call);
		depend_on_leaves(af, t->call->begin ? t->call->begin->index + 1 : 0, t->index);
		break;
	case TK_RESULT: depend_on_leaves(af, 0, t->index); break;
	case TK_BEGIN: break;
	}
}

/* ---- around it ---- */

static void within(struct af *af, struct strbuf *b, struct task *t)
{
	struct guard g = t->frame->guard;

	if (t->kind == TK_BEGIN || t->kind == TK_RESULT || (t->kind == TK_END && !t->call->node))
		return;
	if (t->kind == TK_ROUND && t->round)
		g = (struct guard){ af_made(af, t->frame, t->node)->rounds[t->round - 1], GUARD_ROUND, 0 };
	if (!g.task)
		return;
	af_depend(af, g.task, t->kind == TK_ROUND && t->round);
	af_field(b, "within");
	sb_z(b, "{\"task\": ");
	af_str(b, g.task->id);
	if (g.what == GUARD_BRANCH)
		sb_f(b, ", \"branch\": %u", g.value);
	else if (g.what == GUARD_ROUND)
		sb_z(b, ", \"round\": true");
	else if (g.what == GUARD_ON)
		sb_f(b, ", \"on\": \"%s\"", event_names[g.value]);
	sb_ch(b, '}');
}

/* `exit` comes after what `success` or `failure` did. */
static void exit_after(struct af *af, struct task *t)
{
	if (t->handler != ON_EXIT)
		return;
	for (uint32_t i = 0; i < af->deps.n; i++)
		if (af->deps.v[i]->handler == ON_EXIT)
			return;
	for (uint32_t i = t->act->end->index + 1; i < t->index; i++) {
		struct task *o = af->tasks.v[i];

		if (o->act == t->act && (o->handler == ON_SUCCESS || o->handler == ON_FAILURE))
			af_depend(af, o, true);
	}
}

static bool waits_for_all(const struct task *t)
{
	switch ((enum task_kind)t->kind) {
	case TK_ROUND: return t->round > 0;
	case TK_CALL_END: case TK_TRIGGERED: case TK_BEST: case TK_END: case TK_RESULT: return true;
	default: return t->handler == ON_EXIT;
	}
}

static void place_in_source(struct af *af, struct strbuf *b, const struct task *t)
{
	struct place p;

	if (!t->node || !af->m->diag || !t->node->span.file)
		return;
	p = diag_place(af->m->diag, t->node->span);
	if (!p.path)
		return;
	af_field(b, "at");
	sb_ch(b, '"');
	for (const char *s = p.path; *s; s++)
		if (*s != '"' && *s != '\\' && (unsigned char)*s >= 0x20)
			sb_ch(b, *s);
	sb_f(b, ":%u\"", p.line);
}

/* "l[*].append[2]": calls and rounds around it, a star for each loop whose elements are instances; as a run reports it. */
static void label(struct af *af, struct strbuf *b, const struct frame *f, const struct str *name)
{
	const struct frame *in[256];
	uint32_t n = 0;

	if (f->act->node) {
		label(af, b, f->act->caller, f->act->node->name);
		sb_ch(b, '.');
	}
	sb_str(b, name);
	for (; f && n < 256; f = f->up)
		if (f->own || f->round)
			in[n++] = f;
	while (n--)
		if (in[n]->round)
			sb_f(b, "[%u]", in[n]->round->round);
		else
			sb_z(b, "[*]");
}

static void label_of(struct af *af, struct strbuf *b, const struct task *t)
{
	struct strbuf s = { 0 };

	if (!t->node)
		return;
	label(af, &s, t->frame, t->name);
	if (s.n != t->name->len) {
		af_field(b, "label");
		sb_json(b, s.s, s.n);
	}
	sb_free(&s);
}

static void head(struct af *af, struct strbuf *b, const struct task *t)
{
	sb_z(b, "    {\n      \"task_id\": ");
	af_str(b, t->id);
	af_field(b, "kind");
	sb_f(b, "\"%s\"", kind_names[t->kind]);
	if (t->name != t->id)
		field_str(b, "name", t->name);
	label_of(af, b, t);
	if (t->node && t->node->doc)
		field_str(b, "doc", t->node->doc);
	place_in_source(af, b, t);
	if (t->group)
		field_str(b, "group", t->group->id);
	for (uint32_t i = 0; i < af->deps.n; i++) {
		if (!i)
			af_field(b, "dependencies");
		sb_z(b, i ? ", " : "[");
		af_str(b, af->deps.v[i]->id);
	}
	if (af->deps.n)
		sb_ch(b, ']');
	if (af->deps.n && !af->soft && !waits_for_all(t)) {
		af_field(b, "trigger_rule");
		sb_z(b, "\"none_failed\"");
	}
	if (t->act->scope->len)
		field_str(b, "scope", t->act->scope);
	if (t->loop)
		field_str(b, "loop", t->loop->id);
	if (t->handler >= 0) {
		af_field(b, "handler");
		sb_f(b, "\"%s\"", event_names[t->handler]);
	}
	if (t->trial) {
		af_field(b, "trial");
		sb_z(b, "true");
	}
	if (t->allow_failure) {
		af_field(b, "allow_failure");
		sb_z(b, "true");
	}
}

/* An edge from the begin of its workflow, unless something of that workflow is between them anyway. */
static void after_begin(struct af *af, const struct task *t)
{
	for (uint32_t i = 0; i < af->deps.n; i++)
		if (af->deps.v[i]->act == t->act)
			return;
	if (!af->begin)
		return;
	vec_push(af->a, &af->deps, af->begin);
	af->begin->leaf = false;
}

static void task(struct af *af, struct strbuf *b, struct strbuf *rest, struct task *t)
{
	rest->n = 0;
	af->at = t;
	af->stamp++;
	af->deps.n = 0;
	af->begin = NULL;
	af->soft = false;
	within(af, rest, t);
	after(af, rest, t);
	by_kind(af, rest, t);
	if (t->loop && t->loop->each)
		af_depend(af, t->loop->each, false);
	if (t->trial && t->kind != TK_CALL_END && t->kind != TK_TRIGGERED && t->loop->from)
		af_depend(af, t->loop->from, false);
	exit_after(af, t);
	after_begin(af, t);
	head(af, b, t);
	sb_add(b, rest->s, rest->n);
	sb_z(b, "\n    }");
}

void af_tasks(struct af *af, struct strbuf *b)
{
	struct strbuf rest = { 0 };

	af->seen = arena_array(af->a, uint32_t, af->tasks.n);
	for (uint32_t i = 0; i < af->tasks.n; i++) {
		sb_z(b, i ? ",\n" : "\n");
		task(af, b, &rest, af->tasks.v[i]);
	}
	sb_free(&rest);
}

/* ---- loops, workflows called ---- */

static void table_of(struct af *af, struct strbuf *b, const struct loop *l)
{
	const struct sweep *s = l->node->u.sweep;

	sb_f(b, ", \"length\": %u, \"table\": ", l->length);
	af_str(b, af_made(af, l->frame, l->node)->task->id);
	if (l->from) {
		sb_z(b, ", \"from\": ");
		af_str(b, l->from->id);
	}
	if (s->nrungs && s->budget) {
		sb_z(b, ", \"budget\": \"");
		sb_double(b, s->rungs[l->rung].budget);
		sb_ch(b, '"');
	}
}

void af_loops(struct af *af, struct strbuf *b)
{
	for (uint32_t i = 0; i < af->loops.n; i++) {
		const struct loop *l = af->loops.v[i];
		size_t from;

		sb_z(b, i ? ",\n    " : "\n    ");
		af_str(b, l->id);
		sb_z(b, ": {");
		from = b->n;
		if (l->in) {
			sb_z(b, ", \"in\": ");
			af_str(b, l->in->id);
		}
		if (l->each) {
			sb_z(b, ", \"task\": ");
			af_str(b, l->each->id);
		}
		if (l->node->kind == N_SWEEP) {
			table_of(af, b, l);
		} else if (!l->each) {
			sb_f(b, ", \"length\": %u, \"items\": ", l->length);
			af_value(af, b, l->items);
		}
		memmove(b->s + from, b->s + from + 2, b->n - from - 2);      /* the first ", " */
		b->n -= 2;
		sb_ch(b, '}');
	}
}

static void scope_fields(struct strbuf *b, const struct activation *act)
{
	const char *sep = "";

	if (act->up) {
		sb_z(b, "\"in\": ");
		af_str(b, act->up->scope);
		sep = ", ";
	}
	if (act->loop) {
		sb_f(b, "%s\"loop\": ", sep);
		af_str(b, act->loop->id);
		sep = ", ";
	}
	if (act->w->fail_fast) {
		sb_f(b, "%s\"fail_fast\": true", sep);
		sep = ", ";
	}
	if (act->in_handler)
		sb_f(b, "%s\"handler\": true", sep);
}

void af_scopes(struct af *af, struct strbuf *b)
{
	uint32_t n = 0;

	if (af->w->fail_fast)
		sb_z(b, n++ ? "" : "\n    \"\": {\"fail_fast\": true}");
	for (uint32_t i = 0; i < af->acts.n; i++) {
		sb_z(b, n++ ? ",\n    " : "\n    ");
		af_str(b, af->acts.v[i]->scope);
		sb_z(b, ": {");
		scope_fields(b, af->acts.v[i]);
		sb_ch(b, '}');
	}
}
