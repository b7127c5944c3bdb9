/* Copies of graphs: nodes, regions and expressions, with parameters replaced by what the call gives. Tasks are shared. */
#include "passes.h"

#include <stdlib.h>
#include <string.h>

/* ---- expressions ---- */

struct todo { struct expr *from, **to; };
struct todos { struct todo *v; size_t n, cap; };

static void push(struct todos *t, struct expr *from, struct expr **to)
{
	if (t->n == t->cap) {
		t->cap = t->cap ? 2 * t->cap : 16;
		t->v = xrealloc(t->v, t->cap * sizeof *t->v);
	}
	t->v[t->n++] = (struct todo){ from, to };
}

static struct expr *copy_ref(struct copier *c, struct expr *e)
{
	struct expr *x;

	if (c->ref)
		return c->ref(c, e);
	if (e->fn == REF_PARAM)
		return c->args[e->n];
	if (!e->u.node || !c->node || e->fn == REF_FIELD || e->fn == REF_INPUT || e->fn == REF_OUTPATH || e->fn == REF_ENV)
		return e;
	x = arena_new_of(c->m->arena, struct expr);
	*x = *e;
	x->u.node = c->node[e->u.node->id];
	return x;
}

struct expr *copy_expr(struct copier *c, struct expr *e)
{
	struct expr *result = NULL;
	struct todos t = { 0 };

	if (!e)
		return NULL;
	push(&t, e, &result);
	while (t.n) {
		struct todo at = t.v[--t.n];
		struct expr *x, **from, **to;

		if (at.from->op == EX_LIT || at.from->op == EX_REF) {
			*at.to = at.from->op == EX_LIT ? at.from : copy_ref(c, at.from);
			continue;
		}
		x = ptrmap_get(&c->exprs, at.from);
		if (x) {
			*at.to = x;
			continue;
		}
		x = arena_new_of(c->m->arena, struct expr);
		*x = *at.from;
		if (x->op != EX_MEMBER)
			x->u.args = arena_array(c->m->arena, struct expr *, x->n);
		ptrmap_put(&c->exprs, at.from, x);
		*at.to = x;
		from = expr_args(at.from);
		to = expr_args(x);
		for (uint32_t i = 0; i < expr_arity(x); i++)
			push(&t, from[i], &to[i]);
	}
	free(t.v);
	return result;
}

static struct expr **copy_exprs(struct copier *c, struct expr **v, uint32_t n)
{
	struct expr **out;

	if (!v)
		return NULL;
	out = arena_array(c->m->arena, struct expr *, n);
	for (uint32_t i = 0; i < n; i++)
		out[i] = copy_expr(c, v[i]);
	return out;
}

/* ---- attributes ---- */

static void copy_pairs(struct copier *c, struct ir_pair **v, uint32_t n)
{
	struct ir_pair *out = arena_array(c->m->arena, struct ir_pair, n);

	for (uint32_t i = 0; i < n; i++)
		out[i] = (struct ir_pair){ (*v)[i].key, copy_expr(c, (*v)[i].value) };
	*v = out;
}

/* Shared ones stay shared: within one copy the same parameters stand for the same things. */
static struct attrs *copy_attrs(struct copier *c, struct attrs *a)
{
	struct attrs *x = a ? ptrmap_get(&c->attrs, a) : NULL;

	if (!a || x)
		return x;
	x = arena_new_of(c->m->arena, struct attrs);
	*x = *a;
	struct expr **one[] = { &x->image, &x->cpu, &x->memory, &x->gpu, &x->gpu_type, &x->disk, &x->limit_cpu, &x->limit_memory, &x->retry.limit,
		&x->retry.backoff, &x->retry.factor, &x->retry.max_backoff, &x->retry.within, &x->timeout, &x->service_account, &x->priority };

	for (size_t i = 0; i < sizeof one / sizeof *one; i++)
		*one[i] = copy_expr(c, *one[i]);
	x->env.v = arena_array(c->m->arena, struct ir_env, a->env.n);
	x->env.cap = a->env.n;
	for (uint32_t i = 0; i < a->env.n; i++) {
		x->env.v[i] = a->env.v[i];
		x->env.v[i].value = copy_expr(c, a->env.v[i].value);
	}
	x->locks.v = arena_array(c->m->arena, struct ir_lock, a->locks.n);
	x->locks.cap = a->locks.n;
	for (uint32_t i = 0; i < a->locks.n; i++) {
		x->locks.v[i] = a->locks.v[i];
		x->locks.v[i].name = copy_expr(c, a->locks.v[i].name);
	}
	x->cache.key = copy_exprs(c, a->cache.key, a->cache.nkey);
	copy_pairs(c, &x->labels.v, x->labels.n);
	copy_pairs(c, &x->annotations.v, x->annotations.n);
	copy_pairs(c, &x->selector.v, x->selector.n);
	ptrmap_put(&c->attrs, a, x);
	return x;
}

/* ---- nodes: first the skeleton, then what refers to it ---- */

struct shell { const struct graph *from; struct graph **to; struct node *owner; };
struct clones { struct copier *c; VEC(struct shell) graphs; VEC(struct node *) nodes; };

static struct graph **child_slot(struct node *n, uint32_t i)
{
	switch ((enum node_kind)n->kind) {
	case N_IF:
		return &n->u.if_.v[i].body;
	case N_FOR:
		return &n->u.for_.body;
	case N_LOOP:
		return &n->u.loop.body;
	case N_SWEEP:
		return &n->u.sweep->body;
	default:
		return &n->u.group;
	}
}

static void *dup(struct arena *a, const void *v, size_t size)
{
	return size ? memcpy(arena_alloc(a, size), v, size) : NULL;
}

/* A node with arrays of its own; what they hold is still the original's. */
static struct node *clone_node(struct clones *k, struct node *n, struct graph *g)
{
	struct arena *a = k->c->m->arena;
	struct node *x = dup(a, n, sizeof *n);

	x->id = k->c->to->nnodes++;
	x->graph = g;
	x->after = dup(a, n->after, n->nafter * sizeof *n->after);
	x->ports = dup(a, n->ports, n->nports * sizeof *n->ports);
	if (n->kind == N_IF)
		x->u.if_.v = dup(a, n->u.if_.v, n->u.if_.n * sizeof *n->u.if_.v);
	else if (n->kind == N_LOOP)
		x->u.loop.v = dup(a, n->u.loop.v, n->u.loop.n * sizeof *n->u.loop.v);
	else if (n->kind == N_SWEEP)
		x->u.sweep = dup(a, n->u.sweep, sizeof *n->u.sweep);
	else if (n->kind == N_APPROVE)
		x->u.approve.v = dup(a, n->u.approve.v, n->u.approve.n * sizeof *n->u.approve.v);
	for (uint32_t i = 0; i < node_nchildren(x); i++)
		vec_push(a, &k->graphs, ((struct shell){ node_child(n, i), child_slot(x, i), x }));
	vec_push(a, &k->nodes, x);
	k->c->node[n->id] = x;
	return x;
}

static void clone_graph(struct clones *k, struct shell s)
{
	struct graph *g = arena_new_of(k->c->m->arena, struct graph);

	*s.to = g;
	g->workflow = k->c->to;
	g->owner = s.owner;
	for (uint32_t i = 0; i < s.from->skipped.n; i++)
		vec_push(k->c->m->arena, &g->skipped, s.from->skipped.v[i]);
	for (uint32_t i = 0; i < s.from->nodes.n; i++)
		vec_push(k->c->m->arena, &g->nodes, clone_node(k, s.from->nodes.v[i], g));
}

static void copy_kind(struct copier *c, struct node *x)
{
	switch ((enum node_kind)x->kind) {
	case N_IF:
		for (uint32_t i = 0; i < x->u.if_.n; i++)
			x->u.if_.v[i].cond = copy_expr(c, x->u.if_.v[i].cond);
		break;
	case N_FOR:
		x->u.for_.list = copy_expr(c, x->u.for_.list);
		x->u.for_.max_parallel = copy_expr(c, x->u.for_.max_parallel);
		break;
	case N_LOOP:
		for (uint32_t i = 0; i < x->u.loop.n; i++) {
			x->u.loop.v[i].init = copy_expr(c, x->u.loop.v[i].init);
			x->u.loop.v[i].next = copy_expr(c, x->u.loop.v[i].next);
		}
		x->u.loop.cond = copy_expr(c, x->u.loop.cond);
		break;
	case N_SWEEP:
		x->u.sweep->max_parallel = copy_expr(c, x->u.sweep->max_parallel);
		break;
	case N_APPROVE:
		x->u.approve.message = copy_expr(c, x->u.approve.message);
		for (uint32_t i = 0; i < x->u.approve.n; i++) {
			x->u.approve.v[i].dflt = copy_expr(c, x->u.approve.v[i].dflt);
			x->u.approve.v[i].in = copy_expr(c, x->u.approve.v[i].in);
		}
		break;
	case N_FAIL:
		x->u.fail.message = copy_expr(c, x->u.fail.message);
		break;
	default:
		break;
	}
}

void copy_node_exprs(struct copier *c, struct node *x)
{
	uint32_t values = x->kind == N_CALL ? 1 : node_nchildren(x);

	x->ins = copy_exprs(c, x->ins, x->nins);
	x->to = copy_exprs(c, x->to, x->nports);
	x->attrs = copy_attrs(c, x->attrs);
	for (uint32_t i = 0; i < x->nports; i++)
		x->ports[i].value = copy_exprs(c, x->ports[i].value, values);
	copy_kind(c, x);
}

static void copy_parts(struct copier *c, struct node *x)
{
	copy_node_exprs(c, x);
	for (uint32_t i = 0; i < x->nafter; i++)
		x->after[i].node = c->node[x->after[i].node->id];
}

struct graph *copy_graph(struct copier *c, const struct graph *g, struct node *owner)
{
	struct clones k = { .c = c };
	struct graph *out = NULL;

	c->node = xcalloc(c->from->nnodes, sizeof *c->node);
	vec_push(c->m->arena, &k.graphs, ((struct shell){ g, &out, owner }));
	for (uint32_t i = 0; i < k.graphs.n; i++)
		clone_graph(&k, k.graphs.v[i]);
	for (uint32_t i = 0; i < k.nodes.n; i++)
		copy_parts(c, k.nodes.v[i]);
	for (uint32_t i = 0; i < k.graphs.n; i++)
		for (uint32_t j = 0; j < k.graphs.v[i].from->merged.n; j++) {
			const struct same_step *s = &k.graphs.v[i].from->merged.v[j];

			vec_push(c->m->arena, &(*k.graphs.v[i].to)->merged, ((struct same_step){ s->node, c->node[s->into->id] }));
		}
	return out;
}

void copier_free(struct copier *c)
{
	free(c->node);
	ptrmap_free(&c->exprs);
	ptrmap_free(&c->attrs);
}

/* ---- counting and numbering ---- */

static void count(struct node *n, void *data)
{
	(void)n;
	++*(uint32_t *)data;
}

uint32_t count_nodes(struct ir_workflow *w)
{
	uint32_t n = 0;

	workflow_nodes(w, count, &n);
	return n;
}

static void number(struct node *n, void *data)
{
	n->id = (*(uint32_t *)data)++;
}

void renumber(struct ir_workflow *w)
{
	w->nnodes = 0;
	workflow_nodes(w, number, &w->nnodes);
}
