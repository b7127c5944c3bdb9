/*
 * The verifier: every promise of ir.h that a pass, a backend or the runner leans on. Run after
 * each pass in debug and test builds, and on every module that comes from JSON.
 */
#include "verify.h"

#include <stdarg.h>
#include <stdlib.h>

void verify_fail(struct verifier *v, struct span sp, const char *fmt, ...)
{
	struct strbuf b = { 0 };
	va_list ap;

	if (v->errors++ >= 20)
		return;
	if (v->w && v->w->name)
		sb_f(&b, "workflow '%s': ", v->w->name->s);
	if (v->node)
		sb_f(&b, "%s '%s' (node %u): ", node_kind_name((enum node_kind)v->node->kind), v->node->name ? v->node->name->s : "?", v->node->id);
	va_start(ap, fmt);
	sb_vf(&b, fmt, ap);
	va_end(ap);
	diag_at(v->d, CW1101, sp, "the IR is not well-formed: %s", sb_cstr(&b));
	sb_free(&b);
}

#define CHECK(v, cond, sp, ...) do { if (!(cond)) verify_fail(v, sp, __VA_ARGS__); } while (0)

static const struct type any = { T_NONE, false, false };

static struct type optional(enum type_kind k)
{
	return (struct type){ (uint8_t)k, false, true };
}

static bool is_type(struct type t)
{
	return t.kind > T_NONE && t.kind <= T_ANY;
}

static void expr_if(struct verifier *v, const struct expr *e, const struct graph *g, struct type want, unsigned reads, const char *what)
{
	if (e)
		verify_expr(v, e, g, want, reads, what);
}

/* ---- tasks ---- */

static void verify_decls(struct verifier *v, const struct ir_task *t, const struct ir_decl *d, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		CHECK(v, d[i].name, d[i].span, "an input or output of task '%s' has no name", t->name->s);
		CHECK(v, is_type(d[i].type), d[i].span, "an input or output of task '%s' has no type", t->name->s);
	}
}

/* Takes away what reads only what is taken away already, until nothing is left, or a cycle. */
static bool acyclic(const struct ir_dataflow *f)
{
	uint32_t *left = xcalloc(f->nops + 1, sizeof *left), *queue = xcalloc(f->nops + 1, sizeof *queue), n = 0, edges = 0;
	uint32_t *start = xcalloc((size_t)f->nops + 2, sizeof *start), *reader;

	for (uint32_t i = 0; i < f->nops; i++)
		for (uint32_t k = 0; k < f->ops[i].nfrom; k++)
			if (f->ops[i].from[k] < f->nops) {
				start[f->ops[i].from[k] + 1]++;
				left[i]++;
				edges++;
			}
	for (uint32_t i = 0; i < f->nops; i++)
		start[i + 1] += start[i];
	reader = xcalloc(edges + 1, sizeof *reader);
	for (uint32_t i = f->nops; i-- > 0; ) {
		for (uint32_t k = 0; k < f->ops[i].nfrom; k++)
			if (f->ops[i].from[k] < f->nops)
				reader[--start[f->ops[i].from[k] + 1]] = i;
		if (!left[i])
			queue[n++] = i;
	}
	for (uint32_t i = 0; i < n; i++)
		for (uint32_t k = start[queue[i] + 1], end = queue[i] + 2 <= f->nops ? start[queue[i] + 2] : edges; k < end; k++)
			if (!--left[reader[k]])
				queue[n++] = reader[k];
	free(left);
	free(queue);
	free(start);
	free(reader);
	return n == f->nops;
}

static void verify_dataflow(struct verifier *v, const struct ir_task *t, const struct ir_dataflow *f)
{
	CHECK(v, f->source && f->framing, t->span, "the dataflow of task '%s' has no source or no framing", t->name->s);
	CHECK(v, f->split < t->nins, t->span, "the dataflow of task '%s' splits an input that the task does not have", t->name->s);
	CHECK(v, f->nops, t->span, "the dataflow of task '%s' has no trainer", t->name->s);
	for (uint32_t i = 0; i < f->nops; i++) {
		CHECK(v, f->ops[i].name, f->ops[i].span, "an operator of task '%s' has no name", t->name->s);
		for (uint32_t k = 0; k < f->ops[i].nfrom; k++)
			CHECK(v, f->ops[i].from[k] == UINT32_MAX || f->ops[i].from[k] < f->nops, f->ops[i].span, "an operator of task '%s' reads from none", t->name->s);
	}
	CHECK(v, acyclic(f), t->span, "the operators of task '%s' read each other's records in a circle", t->name->s);
}

static void verify_task(struct verifier *v, const struct ir_task *t, uint32_t i)
{
	if (!t || !t->name) {
		verify_fail(v, (struct span){ 0 }, "task %u has no name", i);
		return;
	}
	CHECK(v, t->id == i, t->span, "task '%s' stands at %u and says %u", t->name->s, i, t->id);
	CHECK(v, (unsigned)t->body <= BODY_ARGO, t->span, "task '%s' has a body of no kind", t->name->s);
	CHECK(v, t->body != BODY_RUN || (t->script && t->shell), t->body_span, "task '%s' has no script or no shell", t->name->s);
	CHECK(v, t->body != BODY_ARGO || t->script, t->body_span, "task '%s' has no template", t->name->s);
	CHECK(v, t->body != BODY_COMMAND || t->nargv, t->body_span, "task '%s' has an empty command", t->name->s);
	CHECK(v, t->body != BODY_JOB || (t->job && t->job->kind), t->body_span, "task '%s' has no job", t->name->s);
	CHECK(v, t->body != BODY_DATAFLOW || t->dataflow, t->body_span, "task '%s' has no dataflow", t->name->s);
	verify_decls(v, t, t->ins, t->nins);
	verify_decls(v, t, t->outs, t->nouts);
	if (t->dataflow)
		verify_dataflow(v, t, t->dataflow);
	for (uint32_t k = 0; k < t->ncode; k++)
		CHECK(v, t->code[k].path && t->code[k].sha256, t->span, "a file of code of task '%s' has no path or digest", t->name->s);
}

const struct ir_task *node_task(const struct node *n)
{
	const struct graph *body = n->kind == N_SWEEP ? n->u.sweep->body : NULL;

	if (body && body->nodes.n == 1)
		n = body->nodes.v[0];
	return n->kind == N_STEP ? n->u.task : n->kind == N_WAIT ? n->u.wait.poll : n->kind == N_SERVICE ? n->u.service.task : NULL;
}

/* ---- attributes ---- */

static void verify_pairs(struct verifier *v, const struct ir_pair *p, uint32_t n, const struct graph *g, const char *what)
{
	for (uint32_t i = 0; i < n; i++) {
		CHECK(v, p[i].key, (struct span){ 0 }, "a key of %s is missing", what);
		verify_expr(v, p[i].value, g, any, g ? READ_NODES | READ_INPUTS : 0, what);
	}
}

static void verify_env(struct verifier *v, const struct attrs *a, const struct graph *g, unsigned reads)
{
	for (uint32_t i = 0; i < a->env.n; i++) {
		const struct ir_env *e = &a->env.v[i];

		CHECK(v, e->name, (struct span){ 0 }, "an environment variable has no name");
		if (e->kind == ENV_EXPR)
			verify_expr(v, e->value, g, any, reads, "env");
		else
			CHECK(v, e->ref && e->key, (struct span){ 0 }, "an environment variable names no key of a secret or config");
	}
	for (uint32_t i = 0; i < a->env_from.n; i++)
		CHECK(v, a->env_from.v[i].ref && a->env_from.v[i].kind != ENV_EXPR, (struct span){ 0 }, "env_from names no secret or config");
}

static void verify_attrs(struct verifier *v, const struct attrs *a, const struct graph *g)
{
	unsigned reads = READ_NODES | READ_INPUTS;
	const struct { const struct expr *e; struct type want; const char *what; } one[] = {
		{ a->image, type_of(T_STRING), "image" }, { a->cpu, type_of(T_FLOAT), "cpu" }, { a->memory, type_of(T_SIZE), "memory" }, { a->gpu, type_of(T_INT), "gpu" },
		{ a->gpu_type, type_of(T_STRING), "gpu_type" }, { a->disk, type_of(T_SIZE), "disk" }, { a->limit_cpu, type_of(T_FLOAT), "limit_cpu" },
		{ a->limit_memory, type_of(T_SIZE), "limit_memory" }, { a->retry.limit, type_of(T_INT), "limit" }, { a->retry.backoff, type_of(T_DURATION), "backoff" },
		{ a->retry.factor, type_of(T_FLOAT), "factor" }, { a->retry.max_backoff, type_of(T_DURATION), "max_backoff" },
		{ a->retry.within, type_of(T_DURATION), "within" }, { a->timeout, type_of(T_DURATION), "timeout" },
		{ a->service_account, type_of(T_STRING), "service_account" }, { a->priority, any, "priority" },
	};

	for (size_t i = 0; i < sizeof one / sizeof *one; i++)
		expr_if(v, one[i].e, g, one[i].want, reads, one[i].what);
	verify_env(v, a, g, reads);
	for (uint32_t i = 0; i < a->cache.nkey; i++)
		verify_expr(v, a->cache.key[i], g, any, reads, "key");
	for (uint32_t i = 0; i < a->locks.n; i++)
		verify_expr(v, a->locks.v[i].name, g, type_of(T_STRING), reads, "lock");
	verify_pairs(v, a->labels.v, a->labels.n, g, "labels");
	verify_pairs(v, a->annotations.v, a->annotations.n, g, "annotations");
	verify_pairs(v, a->selector.v, a->selector.n, g, "selector");
	for (uint32_t i = 0; i < a->mounts.n; i++) {
		CHECK(v, a->mounts.v[i].path && a->mounts.v[i].name, (struct span){ 0 }, "a mount has no path or no name");
		CHECK(v, a->mounts.v[i].kind != MOUNT_VOLUME || a->mounts.v[i].volume < v->w->nvolumes, (struct span){ 0 }, "a mount names a volume that the workflow does not have");
	}
}

/* ---- nodes ---- */

static void verify_argv(struct verifier *v, const struct node *n, const struct ir_task *t)
{
	const struct ir_job *j = t ? t->job : NULL;

	for (uint32_t i = 0; t && i < t->nargv; i++)
		verify_expr(v, t->argv[i], n->graph, type_of(T_STRING), READ_ALL, "command");
	if (!j)
		return;
	expr_if(v, j->workers, n->graph, type_of(T_INT), READ_ALL, "workers");
	expr_if(v, j->ps, n->graph, type_of(T_INT), READ_ALL, "ps");
	expr_if(v, j->slots, n->graph, type_of(T_INT), READ_ALL, "slots");
	for (uint32_t i = 0; i < j->set.n; i++)
		verify_expr(v, j->set.v[i].value, n->graph, any, READ_ALL, "set");
}

static void verify_ins(struct verifier *v, const struct node *n)
{
	const struct ir_task *t = n->kind == N_SWEEP ? NULL : node_task(n);
	const struct ir_workflow *c = n->kind == N_CALL ? n->u.callee : NULL;
	uint32_t want = t ? t->nins : c ? c->nparams : 0;

	if (n->nins != want) {
		verify_fail(v, n->span, "it has %u inputs, not %u", n->nins, want);
		return;
	}
	for (uint32_t i = 0; i < want; i++) {
		if (c && !n->ins[i])
			CHECK(v, c->params[i].dflt, n->span, "param '%s' is given no value and has no default", c->params[i].name->s);
		else
			verify_expr(v, n->ins[i], n->graph, t ? t->ins[i].type : c->params[i].type, READ_NODES, t ? t->ins[i].name->s : c->params[i].name->s);
	}
}

static void verify_ports(struct verifier *v, const struct node *n)
{
	bool values = n->kind == N_IF || n->kind == N_FOR || n->kind == N_GROUP;

	for (uint32_t i = 0; i < n->nports; i++) {
		const struct port *p = &n->ports[i];

		if (!p->name || !is_type(p->type)) {
			verify_fail(v, p->span, "port %u has no name or no type", i);
			continue;
		}
		CHECK(v, values == (p->value != NULL), p->span, "port '%s' %s", p->name->s, values ? "has no value" : "has a value that its node makes");
		for (uint32_t k = 0; p->value && k < node_nchildren(n); k++)
			if (p->value[k] || n->kind != N_IF)
				verify_expr(v, p->value[k], node_child(n, k), any, READ_NODES, p->name->s);
	}
	for (uint32_t i = 0; n->to && i < n->nports; i++)
		expr_if(v, n->to[i], n->graph, type_of(T_STRING), READ_NODES | READ_INPUTS, "to");
}

static void verify_after(struct verifier *v, const struct node *n)
{
	for (uint32_t i = 0; i < n->nafter; i++) {
		const struct node *a = n->after[i].node;

		if (!a || !a->graph || a->graph->workflow != v->w)
			verify_fail(v, n->span, "it is after a node that is not in the workflow");
		else
			CHECK(v, a != n, n->span, "it is after itself");
	}
}

static void verify_step(struct verifier *v, const struct node *n)
{
	const struct ir_task *t = n->u.task;

	if (!t || t->id >= v->m->tasks.n || v->m->tasks.v[t->id] != t) {
		verify_fail(v, n->span, "it has no task of the module");
		return;
	}
	if (n->nports != t->nouts) {
		verify_fail(v, n->span, "it has %u ports, and its task %u outputs", n->nports, t->nouts);
		return;
	}
	for (uint32_t i = 0; i < t->nouts; i++)
		CHECK(v, n->ports[i].name == t->outs[i].name && n->ports[i].type.kind == t->outs[i].type.kind && n->ports[i].type.list == t->outs[i].type.list,
			n->ports[i].span, "port %u is not output '%s' of its task", i, t->outs[i].name->s);
	verify_argv(v, n, t);
}

static void verify_call(struct verifier *v, const struct node *n)
{
	const struct ir_workflow *c = n->u.callee;

	if (!c || c->id >= v->m->workflows.n || v->m->workflows.v[c->id] != c) {
		verify_fail(v, n->span, "it calls no workflow of the module");
		return;
	}
	CHECK(v, c->id < v->w->id, n->span, "workflow '%s', which it calls, does not stand before its own", c->name->s);
	CHECK(v, n->nports == c->nouts, n->span, "it has %u ports, and workflow '%s' %u outputs", n->nports, c->name->s, c->nouts);
	for (uint32_t i = 0; i < n->nports && i < c->nouts; i++)
		CHECK(v, n->ports[i].name == c->outs[i].name, n->ports[i].span, "port %u is not output '%s' of workflow '%s'", i, c->outs[i].name->s, c->name->s);
}

static void verify_if(struct verifier *v, const struct node *n)
{
	CHECK(v, n->u.if_.n, n->span, "it has no branch");
	for (uint32_t i = 0; i < n->u.if_.n; i++) {
		CHECK(v, n->u.if_.v[i].cond || i + 1 == n->u.if_.n, n->span, "an else stands before another branch");
		expr_if(v, n->u.if_.v[i].cond, n->graph, type_of(T_BOOL), READ_NODES, "the condition");
	}
}

static void verify_for(struct verifier *v, const struct node *n)
{
	verify_expr(v, n->u.for_.list, n->graph, any, READ_NODES, "the list");
	CHECK(v, !n->u.for_.list || n->u.for_.list->type.list, n->span, "what it runs over is no list");
	CHECK(v, n->u.for_.item && is_type(n->u.for_.item_type), n->span, "its element has no name or no type");
	expr_if(v, n->u.for_.max_parallel, n->graph, type_of(T_INT), READ_NODES, "max_parallel");
}

static void verify_loop(struct verifier *v, const struct node *n)
{
	CHECK(v, n->u.loop.max >= 1 && n->u.loop.max <= 64, n->span, "its max is not within 1 and 64");
	for (uint32_t i = 0; i < n->u.loop.n; i++) {
		const struct state *s = &n->u.loop.v[i];

		if (!s->name || !is_type(s->type)) {
			verify_fail(v, s->span, "state %u has no name or no type", i);
			continue;
		}
		verify_expr(v, s->init, n->graph, s->type, READ_NODES, s->name->s);
		expr_if(v, s->next, n->u.loop.body, s->type, READ_NODES, s->name->s);
	}
	expr_if(v, n->u.loop.cond, n->u.loop.body, type_of(T_BOOL), READ_NODES, "while");
}

static void verify_space(struct verifier *v, const struct sweep *s)
{
	for (uint32_t i = 0; i < s->nspace; i++) {
		const struct dist *d = &s->space[i];

		CHECK(v, d->name && is_type(d->type), d->span, "argument %u of the space has no name or no type", i);
		CHECK(v, d->kind != DIST_CHOICE || d->nchoice, d->span, "argument %u of the space has nothing to choose from", i);
		CHECK(v, d->kind == DIST_CHOICE || d->lo <= d->hi, d->span, "argument %u of the space has no range", i);
	}
}

static void verify_sweep(struct verifier *v, const struct node *n)
{
	const struct sweep *s = n->u.sweep;
	const struct node *body = s->body->nodes.n == 1 ? s->body->nodes.v[0] : NULL;

	CHECK(v, body && (body->kind == N_STEP || body->kind == N_CALL || body->kind == N_GROUP), n->span, "its body is not one step or call");
	CHECK(v, !body || s->objective < body->nports, n->span, "its objective is no output of its body");
	CHECK(v, s->search != SEARCH_HALVING || (s->budget && s->factor >= 2), n->span, "its halving has no budget or no factor");
	verify_space(v, s);
	expr_if(v, s->max_parallel, n->graph, type_of(T_INT), READ_NODES, "max_parallel");
	for (uint32_t i = 0; s->table && i + 1 < s->nrungs; i++)
		CHECK(v, s->rungs[i].n >= s->rungs[i + 1].n, n->span, "its rungs grow");
}

static void verify_approve(struct verifier *v, const struct node *n)
{
	expr_if(v, n->u.approve.message, n->graph, type_of(T_STRING), READ_NODES, "message");
	CHECK(v, n->nports == n->u.approve.n, n->span, "it has %u ports, and asks %u questions", n->nports, n->u.approve.n);
	for (uint32_t i = 0; i < n->u.approve.n; i++) {
		const struct approve_ask *a = &n->u.approve.v[i];

		if (!a->name || !is_type(a->type)) {
			verify_fail(v, n->span, "question %u has no name or no type", i);
			continue;
		}
		expr_if(v, a->dflt, n->graph, a->type, READ_NODES, a->name->s);
		expr_if(v, a->in, n->graph, any, READ_NODES, a->name->s);
	}
}

static void verify_kind(struct verifier *v, const struct node *n)
{
	switch ((enum node_kind)n->kind) {
	case N_STEP:
		verify_step(v, n);
		break;
	case N_CALL:
		verify_call(v, n);
		break;
	case N_IF:
		verify_if(v, n);
		break;
	case N_FOR:
		verify_for(v, n);
		break;
	case N_LOOP:
		verify_loop(v, n);
		break;
	case N_SWEEP:
		verify_sweep(v, n);
		break;
	case N_WAIT:
		CHECK(v, n->u.wait.seconds >= 0 && n->u.wait.every >= 0, n->span, "it waits for less than nothing");
		verify_argv(v, n, n->u.wait.poll);
		break;
	case N_APPROVE:
		verify_approve(v, n);
		break;
	case N_SERVICE:
		CHECK(v, n->u.service.port >= 0 && n->u.service.port <= 65535, n->span, "its port is none");
		verify_argv(v, n, n->u.service.task);
		break;
	case N_FAIL:
		verify_expr(v, n->u.fail.message, n->graph, type_of(T_STRING), READ_NODES, "message");
		break;
	case N_GROUP: case N_COUNT:
		break;
	}
}

/* What the walk itself leans on: false where it cannot go on below the node. */
static bool verify_shape(struct verifier *v, const struct node *n)
{
	if (n->kind >= N_COUNT) {
		verify_fail(v, n->span, "a node of no kind");
		return false;
	}
	CHECK(v, n->name, n->span, "it has no name");
	CHECK(v, n->id < v->w->nnodes, n->span, "its id is not below %u", v->w->nnodes);
	CHECK(v, n->attrs || !(n->kind == N_STEP || n->kind == N_WAIT || n->kind == N_SERVICE || n->kind == N_APPROVE || n->kind == N_SWEEP), n->span, "it has no attributes");
	if (n->kind == N_SWEEP && !n->u.sweep) {
		verify_fail(v, n->span, "it has no search space");
		return false;
	}
	for (uint32_t i = 0; i < node_nchildren(n); i++) {
		const struct graph *g = node_child(n, i);

		if (!g || g->owner != n || g->workflow != v->w) {
			verify_fail(v, n->span, "region %u is missing or not its own", i);
			return false;
		}
	}
	return true;
}

static void verify_node(struct verifier *v, const struct node *n)
{
	if (n->attrs)
		verify_attrs(v, n->attrs, n->graph);
	verify_ins(v, n);
	verify_ports(v, n);
	verify_after(v, n);
	verify_kind(v, n);
}

/* ---- graphs ---- */

struct work { const struct graph **v; size_t n, cap; };

static void work_push(struct work *w, const struct graph *g)
{
	if (w->n == w->cap) {
		w->cap = w->cap ? 2 * w->cap : 64;
		w->v = xrealloc(w->v, w->cap * sizeof *w->v);
	}
	w->v[w->n++] = g;
}

/* All graphs of a workflow into w, outer ones first; ids and owners are right where no error was reported. */
static void collect(struct verifier *v, struct work *w)
{
	uint64_t *seen = xcalloc((v->w->nnodes + UINT64_C(63)) / 64, sizeof *seen);

	if (v->w->body)
		work_push(w, v->w->body);
	for (unsigned i = 0; i < ON_COUNT; i++)
		if (v->w->on[i])
			work_push(w, v->w->on[i]);
	for (size_t i = 0; i < w->n; i++) {
		const struct graph *g = w->v[i];

		for (uint32_t k = 0; k < g->nodes.n; k++) {
			const struct node *n = g->nodes.v[k];

			v->node = n;
			if (!n || n->graph != g || !verify_shape(v, n)) {
				if (!n || n->graph != g)
					verify_fail(v, (struct span){ 0 }, "a node is missing, or in another graph than it says");
				continue;
			}
			if (n->id < v->w->nnodes) {
				CHECK(v, !(seen[n->id / 64] >> n->id % 64 & 1), n->span, "a second node with the same id");
				seen[n->id / 64] |= UINT64_C(1) << n->id % 64;
			}
			for (uint32_t c = 0; c < node_nchildren(n); c++)
				work_push(w, node_child(n, c));
		}
	}
	v->node = NULL;
	free(seen);
}

static void verify_acyclic(struct verifier *v, const struct graph *g)
{
	struct arena *a = arena_new();
	struct graph *graph = (struct graph *)(uintptr_t)g;
	struct edges *e = graph_edges(a, graph);
	uint32_t n, *cycle = graph_topo(a, e) ? NULL : graph_cycle(a, e, &n);

	if (cycle) {
		v->node = g->nodes.v[cycle[0]];
		verify_fail(v, v->node->span, "it waits for itself");
		v->node = NULL;
	}
	arena_free(a);
}

static void verify_workflow_exprs(struct verifier *v, const struct ir_workflow *w)
{
	for (uint32_t i = 0; i < w->nparams; i++) {
		const struct ir_param *p = &w->params[i];

		if (!p->name || !is_type(p->type)) {
			verify_fail(v, p->span, "param %u has no name or no type", i);
			continue;
		}
		expr_if(v, p->dflt, NULL, p->type, 0, p->name->s);
		expr_if(v, p->in, NULL, any, 0, p->name->s);
	}
	for (uint32_t i = 0; i < w->nouts; i++) {
		const struct ir_out *o = &w->outs[i];

		CHECK(v, o->name && is_type(o->type), o->span, "output %u has no name or no type", i);
		verify_expr(v, o->value, w->body, o->type, READ_NODES, "an output");
		expr_if(v, o->to, w->body, type_of(T_STRING), READ_NODES, "to");
	}
	expr_if(v, w->max_parallel, NULL, type_of(T_INT), 0, "max_parallel");
	expr_if(v, w->timeout, NULL, type_of(T_DURATION), 0, "timeout");
	if (w->schedule)
		expr_if(v, w->schedule->only_if, NULL, optional(T_BOOL), 0, "only_if");
	for (uint32_t i = 0; i < w->locks.n; i++)
		verify_expr(v, w->locks.v[i].name, NULL, type_of(T_STRING), 0, "lock");
	verify_pairs(v, w->labels.v, w->labels.n, NULL, "labels");
	verify_pairs(v, w->annotations.v, w->annotations.n, NULL, "annotations");
}

static void verify_workflow(struct verifier *v, const struct ir_workflow *w, uint32_t i)
{
	struct work graphs = { 0 };
	unsigned errors = v->errors;

	if (!w || !w->name || !w->body) {
		verify_fail(v, (struct span){ 0 }, "workflow %u has no name or no graph", i);
		return;
	}
	v->w = w;
	CHECK(v, w->id == i, w->span, "it stands at %u and says %u", i, w->id);
	CHECK(v, w->body->workflow == w && !w->body->owner, w->span, "its graph is not its own");
	collect(v, &graphs);
	if (v->errors == errors) {
		verify_workflow_exprs(v, w);
		for (size_t g = 0; g < graphs.n; g++)
			for (uint32_t k = 0; k < graphs.v[g]->nodes.n; k++) {
				v->node = graphs.v[g]->nodes.v[k];
				verify_node(v, v->node);
			}
		v->node = NULL;
	}
	for (size_t g = 0; v->errors == errors && g < graphs.n; g++)
		verify_acyclic(v, graphs.v[g]);
	free(graphs.v);
	v->w = NULL;
}

int ir_verify(const struct ir *m, struct diag *d)
{
	struct verifier v = { .m = m, .d = d };
	bool entry = !m->entry;

	for (uint32_t i = 0; i < m->tasks.n; i++)
		verify_task(&v, m->tasks.v[i], i);
	if (!v.errors)
		for (uint32_t i = 0; i < m->workflows.n; i++) {
			verify_workflow(&v, m->workflows.v[i], i);
			entry |= m->workflows.v[i] == m->entry;
		}
	for (uint32_t i = 0; i < m->stores.n; i++)
		CHECK(&v, m->stores.v[i].name && m->stores.v[i].uri, m->stores.v[i].span, "store %u has no name or no uri", i);
	CHECK(&v, entry, (struct span){ 0 }, "the entry is no workflow of the module");
	free(v.stack);
	return v.errors ? -1 : 0;
}
