/*
 * reduce: takes out `after` edges that other edges imply, so that engines carry none twice.
 *
 * v after p is implied by a path p -> ... -> v only if every edge on it both makes its end wait for the end of its start
 * and holds it back when that fails: then p's failure reaches v, and v starts no earlier. Such a firm edge is an `after`
 * that is not soft, or a value that is read in any case (not only in one arm of ?: ?? && ||), is never absent, and comes
 * from a node that has ended when the value is there (a step, a sweep, a loop; of a region or a call one output may be
 * ready early, a service is ready before it ends). What is read inside a region does not count: its branch may not be
 * taken. A soft edge goes by the same test, but is never part of a path: what it waits for may be skipped early.
 *
 * needs nothing; gives IR_REDUCED; keeps everything else.
 */
#include "passes.h"

#include <stdlib.h>
#include <string.h>

#define MAX_EDGES 50000000u               /* past this many, soft edges are not asked about */

struct reducer {
	struct ir *m;
	struct diag *d;
	struct graph *g;
	uint32_t *pos;                    /* position of the nodes of g, by id */
	uint32_t *seen;                   /* by position: at + 1 when it is a firm predecessor already */
	uint32_t *implied;                /* by position: the asking node + 1 for which a path implies the edge */
	uint32_t at;
	VEC(struct expr *) stack;
	VEC(uint32_t) pred;               /* firm predecessors of the nodes, one after the other */
	struct arena *scratch;
	uint32_t removed, kept;
};

/* ---- firm edges ---- */

static void add_firm(struct reducer *r, const struct node *to)
{
	uint32_t p;

	if (to->graph != r->g)
		return;
	p = r->pos[to->id];
	if (p == r->at || r->seen[p] == r->at + 1)
		return;
	r->seen[p] = r->at + 1;
	vec_push(r->scratch, &r->pred, p);
}

static bool ends_with_value(const struct node *n)
{
	return (n->kind == N_STEP || n->kind == N_WAIT || n->kind == N_APPROVE || n->kind == N_SWEEP || n->kind == N_LOOP) && !n->allow_failure;
}

/* References that are evaluated whatever the others give: of a lazy operator only the first operand. */
static void firm_refs(struct reducer *r, struct expr *e)
{
	if (!e)
		return;
	r->stack.n = 0;
	vec_push(r->scratch, &r->stack, e);
	while (r->stack.n) {
		struct expr *x = r->stack.v[--r->stack.n], **args = expr_args(x);
		bool lazy = x->op == EX_COND || x->op == EX_COALESCE || x->op == EX_AND || x->op == EX_OR;

		if (x->op == EX_REF && x->fn == REF_OUTPUT && ends_with_value(x->u.node) && !x->type.opt && !x->u.node->ports[x->n].type.opt)
			add_firm(r, x->u.node);
		for (uint32_t i = 0; i < (lazy ? 1 : expr_arity(x)); i++)
			vec_push(r->scratch, &r->stack, args[i]);
	}
}

/* What a node reads before it starts; of regions and calls only what decides whether they start at all. */
static void firm_inputs(struct reducer *r, struct node *n)
{
	switch ((enum node_kind)n->kind) {
	case N_STEP:
	case N_WAIT:
	case N_SERVICE:
		for (uint32_t i = 0; i < n->nins; i++)
			firm_refs(r, n->ins[i]);
		return;
	case N_APPROVE:
		firm_refs(r, n->u.approve.message);
		return;
	case N_FAIL:
		firm_refs(r, n->u.fail.message);
		return;
	case N_IF:                        /* a later condition is not evaluated when an earlier one holds */
		firm_refs(r, n->u.if_.v[0].cond);
		return;
	case N_FOR:
		firm_refs(r, n->u.for_.list);
		return;
	case N_LOOP:
		for (uint32_t i = 0; i < n->u.loop.n; i++)
			firm_refs(r, n->u.loop.v[i].init);
		return;
	default:
		return;
	}
}

/*
 * Adjacency of firm edges: the nodes first; then, for each soft edge p -> v, a node of its own with the firm
 * predecessors of v and p, to ask whether p reaches one of them.
 */
static void firm_edges(struct reducer *r, struct edges *e)
{
	struct graph *g = r->g;
	uint32_t n = g->nodes.n, soft = 0, k = n;

	for (uint32_t i = 0; i < n; i++)
		for (uint32_t j = 0; j < g->nodes.v[i]->nafter; j++)
			soft += g->nodes.v[i]->after[j].soft;
	e->n = n + soft;
	e->start = arena_array(r->scratch, uint32_t, e->n + 1);
	for (r->at = 0; r->at < n; r->at++) {
		struct node *x = g->nodes.v[r->at];

		firm_inputs(r, x);
		for (uint32_t j = 0; j < x->nafter; j++)
			if (!x->after[j].soft)
				add_firm(r, x->after[j].node);
		e->start[r->at + 1] = r->pred.n;
	}
	for (uint32_t i = 0; i < n; i++) {
		for (uint32_t j = 0; j < g->nodes.v[i]->nafter; j++) {
			const struct order *o = &g->nodes.v[i]->after[j];

			if (!o->soft)
				continue;
			r->at = k++;
			add_firm(r, o->node);
			for (uint32_t f = e->start[i]; f < e->start[i + 1] && r->pred.n < MAX_EDGES; f++)
				add_firm(r, g->nodes.v[r->pred.v[f]]);
			e->start[k] = r->pred.n;
		}
	}
	e->pred = r->pred.v;
}

/* ---- taking out ---- */

static void remark(struct reducer *r, const struct node *n, const struct node *dep, bool reads)
{
	r->removed++;
	if (reads)
		diag_remark(r->d, n->span, "reduce: '%s' reads a value of '%s', so it need not be `after` it", n->name->s, dep->name->s);
	else
		diag_remark(r->d, n->span, "reduce: '%s' follows '%s' through what it needs besides, so it need not be `after` it", n->name->s, dep->name->s);
}

/* *ask: the next node of a soft edge. */
static void reduce_node(struct reducer *r, const struct edges *e, const uint8_t *redundant, uint32_t v, uint32_t *ask)
{
	struct node *n = r->g->nodes.v[v];
	uint32_t kept = 0, before = r->pred.n;

	if (!n->nafter)
		return;
	for (uint32_t j = e->start[v]; j < e->start[v + 1]; j++)
		r->implied[e->pred[j]] = redundant[j] ? v + 1 : 0;
	r->at++;
	firm_inputs(r, n);
	r->pred.n = before;
	for (uint32_t i = 0; i < n->nafter; i++) {
		struct order o = n->after[i];
		bool here = o.node->graph == r->g, reads = here && r->seen[r->pos[o.node->id]] == r->at + 1, implied;

		if (o.soft) {
			implied = here && redundant[e->start[*ask]];          /* the asked one stands first */
			++*ask;
		} else {
			implied = here && r->implied[r->pos[o.node->id]] == v + 1;
		}
		if (reads || implied)
			remark(r, n, o.node, reads);
		else
			n->after[kept++] = o;
	}
	r->kept += kept;
	n->nafter = kept;
}

static void reduce_graph(struct reducer *r, struct graph *g)
{
	struct edges e = { 0 };
	uint8_t *redundant;
	uint32_t orders = 0, ask = g->nodes.n;

	for (uint32_t i = 0; i < g->nodes.n; i++) {
		r->pos[g->nodes.v[i]->id] = i;
		orders += g->nodes.v[i]->nafter;
	}
	if (!orders)
		return;
	r->scratch = arena_new();
	r->g = g;
	memset(&r->pred, 0, sizeof r->pred);
	memset(&r->stack, 0, sizeof r->stack);
	r->seen = arena_array(r->scratch, uint32_t, g->nodes.n);
	r->implied = arena_array(r->scratch, uint32_t, g->nodes.n);
	firm_edges(r, &e);
	redundant = graph_redundant(r->scratch, &e);
	for (uint32_t v = 0; v < g->nodes.n; v++)
		reduce_node(r, &e, redundant, v, &ask);
	arena_free(r->scratch);
}

struct graphs { struct arena *a; VEC(struct graph *) v; };

static void collect(struct node *n, void *data)
{
	struct graphs *g = data;

	for (uint32_t i = 0; i < node_nchildren(n); i++)
		vec_push(g->a, &g->v, node_child(n, i));
}

static void reduce_workflow(struct reducer *r, struct ir_workflow *w)
{
	struct graphs g = { .a = arena_new() };

	r->pos = xcalloc(w->nnodes, sizeof *r->pos);
	vec_push(g.a, &g.v, w->body);
	for (int i = 0; i < ON_COUNT; i++)
		if (w->on[i])
			vec_push(g.a, &g.v, w->on[i]);
	workflow_nodes(w, collect, &g);
	for (uint32_t i = 0; i < g.v.n; i++)
		reduce_graph(r, g.v.v[i]);
	free(r->pos);
	arena_free(g.a);
}

static int run(struct ir *m, const struct target *t, const struct optset *o, struct diag *d)
{
	struct reducer r = { .m = m, .d = d };

	(void)t;
	(void)o;
	for (uint32_t i = 0; i < m->workflows.n; i++)
		reduce_workflow(&r, m->workflows.v[i]);
	if (r.removed)
		diag_remark(d, m->entry->span, "reduce: %u of %u order edges are implied by others", r.removed, r.removed + r.kept);
	return 0;
}

const struct pass pass_reduce = {
	.name = "reduce", .help = "takes out order edges that others imply", .gives = IR_REDUCED, .run = run,
};
