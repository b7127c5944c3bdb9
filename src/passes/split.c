/*
 * split: a workflow that is larger than its engine takes becomes several that are. The nodes of its graph are partitioned
 * (part.c; --split=dfs: part_dfs.c), each part becomes a workflow of its own and what was split calls them
 * (split_move.c). So every engine, the local one too, runs a split workflow as it runs calls.
 *
 * What must be seen together stays together: a step and who reads its status when it fails, or takes a file of it that
 * may be absent; and what is skipped together, because it is `after` a step that may fail or not be taken. A service, who mounts a volume and what an `on` block reads stay with the workflow itself. After a
 * failure fewer steps start than in one piece: a part that needs a failed part does not start, even if what it needs
 * was made.
 *
 * needs nothing; gives nothing; breaks IR_INLINED.
 */
#include "split.h"
#include "split_move.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NONE UINT32_MAX
#define ROUNDS 24                         /* of splitting until all fits: each divides by the tasks of a graph */
#define CALL_BYTES 260                    /* a call with its arguments, before anything was measured */

static const struct optdesc opts[] = {
	{ "method", OPT_ENUM, "acyclic", "acyclic|dfs|off", "how parts are made: acyclic keeps what is parallel; dfs as in Couler's algorithm 3; off: never" },
	{ "bytes", OPT_SIZE, NULL, NULL, "a document has at most this many bytes; the engine's own limit where not given" },
	{ "steps", OPT_INT, NULL, NULL, "a graph has at most this many steps; the engine's own limit where not given" },
	{ "pods", OPT_INT, NULL, NULL, "a run has at most this many pods; the engine's own limit where not given" },
	{ "overhead", OPT_DURATION, "10s", NULL, "what starting a part takes" },
	{ "step", OPT_DURATION, "60s", NULL, "what a step takes" },
	{ NULL, OPT_BOOL, NULL, NULL, NULL },
};

struct splitter {
	struct ir *m;
	const struct target *t;
	struct diag *d;
	struct part_opts o;
	double step;
	struct limits limit;
	double *factor;                   /* by workflow id: bytes really written over bytes expected; what was not measured: 1 */
	size_t *measured;                 /* by workflow id: of its document; 0: none */
	double (*wcost)[COST_DIMS];       /* by workflow id: what all of it takes */
	uint32_t splits;
	bool pods_given;                  /* --split-pods: what cannot be kept is an error */
	bool runs;                        /* parts are being made runs of their own; unasked for, what cannot be divided stays as it is */
	int rc;
};

/* ---- budgets ---- */

static int bad_budget(struct diag *d, const char *name, const char *value, const char *want)
{
	diag_mend(d, diag_at(d, CW1204, (struct span){ 0 }, "--split-%s %s: %s", name, value, want), "--split-%s %s, or leave it out", name, !strcmp(name, "bytes") ? "900Ki" : "200");
	return -1;
}

static int budget(const struct optset *o, const char *name, double least, double most, double *out, struct diag *d)
{
	const char *text = opt_string(o, "split", opts, name);
	int64_t v = opt_int(o, "split", opts, name);

	*out = 0;
	if (!text)
		return 0;
	if ((double)v < least)
		return bad_budget(d, name, text, v < 0 ? "a budget is not negative" : v == 0 ? "nothing fits into a budget of 0" : "too small for any part");
	if ((double)v > most)
		return bad_budget(d, name, text, "no engine takes that much");
	*out = (double)v;
	return 0;
}

static int limits_of(struct splitter *s, const struct optset *o)
{
	const struct backend *b = s->t->backend;
	double bytes, steps, pods;

	if (b && b->limits)
		b->limits(s->t->opts, &s->limit);
	if (budget(o, "bytes", 1024, 1e12, &bytes, s->d) | budget(o, "steps", 1, UINT32_MAX, &steps, s->d) | budget(o, "pods", 1, UINT32_MAX, &pods, s->d))
		return -1;
	if (bytes > 0)
		s->limit.bytes = (size_t)bytes;
	if (steps > 0)
		s->limit.tasks = (uint32_t)steps;
	if (pods > 0)
		s->limit.nodes = (uint32_t)pods;
	s->pods_given = pods > 0;
	return 0;
}

/* ---- what a node takes ---- */

static double repeats(const struct node *n)
{
	if (n->kind == N_FOR)
		return n->u.for_.list->op == EX_LIT ? n->u.for_.list->u.lit->n : 10;      /* known at run time only: a guess */
	if (n->kind == N_LOOP)
		return (double)n->u.loop.max;
	if (n->kind == N_SWEEP)
		return n->u.sweep->table && n->u.sweep->search != SEARCH_LLM ? n->u.sweep->ntable : (double)n->u.sweep->trials;
	return 1;
}

static void cost_of(const struct splitter *s, const struct node *n, double *c);

static void cost_of_graph(const struct splitter *s, const struct graph *g, double *c)
{
	for (uint32_t i = 0; i < g->nodes.n; i++) {
		double in[COST_DIMS];

		cost_of(s, g->nodes.v[i], in);
		for (int k = 0; k < COST_DIMS; k++)
			c[k] += in[k];
	}
}

static double bytes_of(const struct splitter *s, const struct node *n)
{
	const struct backend *b = s->t->backend;
	const struct ir_task *t = n->kind == N_STEP ? n->u.task : NULL;
	double k = 64 + (double)n->name->len + 32.0 * n->nins;

	if (b && b->size)
		return (double)b->size(s->m, n, s->t->opts);
	k += t && t->script ? (double)t->script->len : 0;
	return k;
}

static void cost_of(const struct splitter *s, const struct node *n, double *c)
{
	bool flat = n->kind == N_IF || n->kind == N_GROUP;
	double times = repeats(n);

	memset(c, 0, COST_DIMS * sizeof *c);
	if (n->kind == N_CALL) {
		const struct ir_workflow *w = n->u.callee;

		c[COST_BYTES] = CALL_BYTES + 100.0 * n->nins;
		c[COST_TASKS] = 1;
		c[COST_NODES] = w->link == LINK_RUN ? 2 : s->wcost[w->id][COST_NODES] + 1;
		c[COST_BYTES] += w->link == LINK_INLINE ? s->wcost[w->id][COST_BYTES] : 0;
		c[COST_TEMPLATES] = w->link == LINK_INLINE ? s->wcost[w->id][COST_TEMPLATES] + 1 : w->link == LINK_RUN;
		return;
	}
	for (uint32_t i = 0; i < node_nchildren(n); i++)
		cost_of_graph(s, node_child(n, i), c);
	c[COST_BYTES] = bytes_of(s, n);
	if (flat)
		return;
	c[COST_TASKS] = 1;
	c[COST_NODES] = c[COST_NODES] * times + times + 1;
	if (!node_nchildren(n))
		c[COST_NODES] = 1 + (n->attrs && n->attrs->retry.limit ? 1 : 0) + (n->allow_failure ? 3 : 0);
	c[COST_TEMPLATES] += n->kind != N_STEP || n->u.task->inline_ || n->allow_failure;
	c[COST_TEMPLATES] += node_nchildren(n) > 0;
}

static void cost_of_workflow(struct splitter *s, struct ir_workflow *w)
{
	double *c = s->wcost[w->id];

	memset(c, 0, COST_DIMS * sizeof *c);
	cost_of_graph(s, w->body, c);
	for (int i = 0; i < ON_COUNT; i++)
		if (w->on[i])
			cost_of_graph(s, w->on[i], c);
	c[COST_BYTES] *= s->factor[w->id];
	if (s->measured[w->id])
		c[COST_BYTES] = (double)s->measured[w->id];
}

/* ---- what stays together ---- */

/* to does not run when from did not. */
struct hard { uint32_t from, to; };

struct unit_graph {
	struct splitter *s;
	struct ir_workflow *w;
	struct edges *e;
	uint32_t *top;                    /* by node id: position in the body; NONE: in an `on` block */
	uint32_t *root;                   /* union-find by position */
	bool *pinned;                     /* by position */
	bool *skips;                      /* by position: may be skipped because what it needs was, or failed and may */
	VEC(struct hard) hard;
	struct arena *a;
	uint32_t at;
	bool joined;
	uint32_t *unit, n;                /* by position; their number */
};

static uint32_t find(uint32_t *root, uint32_t v)
{
	while (root[v] != v)
		v = root[v] = root[root[v]];
	return v;
}

static void join(struct unit_graph *u, uint32_t a, uint32_t b)
{
	if (a == NONE || b == NONE || find(u->root, a) == find(u->root, b))
		return;
	u->root[find(u->root, a)] = find(u->root, b);
	u->joined = true;
}

/* Of a step that may fail its status tells something to who must be there to read it; a file that may be absent has no zero. */
static bool binds(const struct expr *e)
{
	if (e->fn != REF_OUTPUT)
		return !e->u.node->allow_failure;
	return (e->type.opt || e->u.node->ports[e->n].type.opt || e->u.node->allow_failure) && !split_has_zero(e->u.node->ports[e->n].type);
}

static bool reads_node(const struct expr *e)
{
	return e->fn == REF_OUTPUT || e->fn == REF_STATUS || e->fn == REF_EXIT_CODE;
}

static void join_ref(struct expr *e, void *data)
{
	struct unit_graph *u = data;

	if (!reads_node(e))
		return;
	if (u->at == NONE && u->top[e->u.node->id] != NONE)
		u->pinned[u->top[e->u.node->id]] = true;                     /* read by an `on` block */
	else if (binds(e))
		join(u, u->top[e->u.node->id], u->at);
	else if (u->at != NONE && e->fn == REF_OUTPUT && !e->type.opt)
		vec_push(u->a, &u->hard, ((struct hard){ u->top[e->u.node->id], u->at }));
}

static void join_slot(struct expr **e, struct node *n, void *data)
{
	(void)n;
	expr_refs(*e, join_ref, data);
}

/* The node at u->at is `after` n: where n may fail or lie in a branch that is not taken, it may be skipped. */
static void needs(struct unit_graph *u, const struct node *n, uint32_t to)
{
	bool branch = false;

	for (const struct node *r = n->graph->owner; r; r = r->graph->owner)
		branch |= r->kind == N_IF;
	if (n->allow_failure || branch) {
		u->skips[u->at] = true;
		join(u, to, u->at);
	}
	vec_push(u->a, &u->hard, ((struct hard){ to, u->at }));
}

/* Who may be skipped takes those along that need it: no workflow gives a value that was never made. */
static void spread_skips(struct unit_graph *u)
{
	uint32_t n = u->e->n, *first = arena_array(u->a, uint32_t, n + 2), *to = arena_array(u->a, uint32_t, u->hard.n + 1), *stack = arena_array(u->a, uint32_t, n + 1), k = 0;

	for (uint32_t i = 0; i < u->hard.n; i++)
		first[u->hard.v[i].from + 2]++;
	for (uint32_t i = 0; i < n; i++)
		first[i + 2] += first[i + 1];
	for (uint32_t i = 0; i < u->hard.n; i++)
		to[first[u->hard.v[i].from + 1]++] = u->hard.v[i].to;
	for (uint32_t i = 0; i < n; i++)
		if (u->skips[i])
			stack[k++] = i;
	while (k) {
		uint32_t v = stack[--k];

		for (uint32_t i = first[v]; i < first[v + 1]; i++) {
			join(u, v, to[i]);
			if (!u->skips[to[i]])
				stack[k++] = to[i];
			u->skips[to[i]] = true;
		}
	}
}

/* A step of a region that pass cse took out, and the one outside that does its work: the region looks it up around itself. */
static void join_merged(struct unit_graph *u, struct node *n)
{
	for (uint32_t i = 0; i < node_nchildren(n); i++) {
		const struct graph *g = node_child(n, i);

		for (uint32_t k = 0; k < g->merged.n; k++) {
			uint32_t to = u->top[g->merged.v[k].into->id];

			if (to != NONE && u->at == NONE)
				u->pinned[to] = true;
			else if (to != NONE && to != u->at)
				join(u, u->at, to);
		}
	}
}

static void join_node(struct node *n, void *data)
{
	struct unit_graph *u = data;

	u->at = u->top[n->id];
	join_merged(u, n);
	node_exprs(u->s->m, n, join_slot, u);
	for (uint32_t i = 0; i < n->nafter; i++) {
		uint32_t to = u->top[n->after[i].node->id];

		if (u->at == NONE && to != NONE)
			u->pinned[to] = true;
		else if (u->at != NONE && !n->after[i].soft && to != u->at)
			needs(u, n->after[i].node, to);
	}
	for (uint32_t i = 0; n->attrs && i < n->attrs->mounts.n; i++)
		if (u->at != NONE && n->attrs->mounts.v[i].kind == MOUNT_VOLUME)
			u->pinned[u->at] = true;
	if (u->at != NONE && (n->kind == N_SERVICE || (u->s->runs && n->kind == N_APPROVE)))
		u->pinned[u->at] = true;                                     /* who answers looks at the run that was started */
}

struct marking { struct unit_graph *u; uint32_t at; };

static void mark_top(struct node *n, void *data)
{
	struct marking *k = data;

	k->u->top[n->id] = k->at;
}

/* Numbers the units; those that wait for each other through what joins others become one. */
static void number_units(struct unit_graph *u, struct arena *a)
{
	struct edges *e = u->e;
	uint32_t *start, *pred, *comp, n = 0;

	u->unit = arena_array(a, uint32_t, e->n + 1);
	for (uint32_t i = 0; i < e->n; i++)
		u->unit[i] = NONE;
	for (uint32_t i = 0; i < e->n; i++) {
		uint32_t r = find(u->root, i);

		if (u->unit[r] == NONE)
			u->unit[r] = n++;
		u->unit[i] = u->unit[r];
	}
	u->n = n;
	if (!u->joined)
		return;
	start = xcalloc((size_t)n + 2, sizeof *start);
	pred = xmalloc(((size_t)e->start[e->n] + 1) * sizeof *pred);
	comp = xmalloc(((size_t)n + 1) * sizeof *comp);
	for (uint32_t i = 0; i < e->n; i++)
		start[u->unit[i] + 2] += e->start[i + 1] - e->start[i];
	for (uint32_t k = 0; k < n; k++)
		start[k + 2] += start[k + 1];
	for (uint32_t i = 0; i < e->n; i++)
		for (uint32_t j = e->start[i]; j < e->start[i + 1]; j++)
			pred[start[u->unit[i] + 1]++] = u->unit[e->pred[j]];
	u->n = components(n, start, pred, comp);
	for (uint32_t i = 0; i < e->n; i++)
		u->unit[i] = comp[u->unit[i]];
	free(start);
	free(pred);
	free(comp);
}

static void units_of(struct unit_graph *u, struct arena *a)
{
	struct graph *g = u->w->body;

	u->e = graph_edges(a, g);
	u->top = arena_array(a, uint32_t, u->w->nnodes + 1);
	u->root = arena_array(a, uint32_t, g->nodes.n + 1);
	u->pinned = arena_array(a, bool, g->nodes.n + 1);
	u->skips = arena_array(a, bool, g->nodes.n + 1);
	u->a = a;
	memset(u->top, 0xff, ((size_t)u->w->nnodes + 1) * sizeof *u->top);
	for (uint32_t i = 0; i < g->nodes.n; i++) {
		struct marking k = { u, i };

		u->root[i] = i;
		mark_top(g->nodes.v[i], &k);
		if (node_nchildren(g->nodes.v[i]))
			node_within(g->nodes.v[i], mark_top, &k);
	}
	workflow_nodes(u->w, join_node, u);
	spread_skips(u);
	number_units(u, a);
}

/* ---- one workflow ---- */

struct units { struct part_graph g; uint32_t *start, *pred; double (*cost)[COST_DIMS], *time; bool *pinned; };

/* The graph of units: what part.c partitions. */
static void unit_graph(const struct splitter *s, const struct unit_graph *u, struct arena *a, struct units *x)
{
	struct graph *g = u->w->body;
	uint32_t *at;

	x->start = arena_array(a, uint32_t, u->n + 2);
	x->pred = arena_array(a, uint32_t, u->e->start[u->e->n] + 1);
	x->cost = arena_alloc(a, ((size_t)u->n + 1) * sizeof *x->cost);
	x->time = arena_array(a, double, u->n + 1);
	x->pinned = arena_array(a, bool, u->n + 1);
	for (uint32_t i = 0; i < u->e->n; i++) {
		double c[COST_DIMS];

		cost_of(s, g->nodes.v[i], c);
		c[COST_BYTES] *= s->factor[u->w->id];
		for (int k = 0; k < COST_DIMS; k++)
			x->cost[u->unit[i]][k] += c[k];
		if (!s->pods_given && s->limit.nodes && x->cost[u->unit[i]][COST_NODES] > s->limit.nodes)
			x->cost[u->unit[i]][COST_NODES] = s->limit.nodes;   /* it goes alone, and nobody asked for less */
		x->time[u->unit[i]] += s->step * repeats(g->nodes.v[i]);
		x->pinned[u->unit[i]] |= u->pinned[i];
		for (uint32_t j = u->e->start[i]; j < u->e->start[i + 1]; j++)
			x->start[u->unit[i] + 1] += u->unit[u->e->pred[j]] != u->unit[i];
	}
	for (uint32_t k = 0; k < u->n; k++)
		x->start[k + 1] += x->start[k];
	at = arena_array(a, uint32_t, u->n + 1);
	memcpy(at, x->start, u->n * sizeof *at);
	for (uint32_t i = 0; i < u->e->n; i++)
		for (uint32_t j = u->e->start[i]; j < u->e->start[i + 1]; j++)
			if (u->unit[u->e->pred[j]] != u->unit[i])
				x->pred[at[u->unit[i]]++] = u->unit[u->e->pred[j]];
	x->g = (struct part_graph){ u->n, x->start, x->pred, (const double (*)[COST_DIMS])x->cost, x->time, x->pinned };
}

static const struct node *first_of(const struct unit_graph *u, uint32_t unit)
{
	for (uint32_t i = 0; i < u->e->n; i++)
		if (u->unit[i] == unit)
			return u->w->body->nodes.v[i];
	return u->w->body->nodes.v[0];
}

static int too_large(struct splitter *s, const struct unit_graph *u, const struct units *x, const struct part_opts *o, uint32_t unit)
{
	const struct node *n = first_of(u, unit);
	const double *c = x->cost[unit];
	uint32_t with = 0;
	struct diag_item *it;
	struct strbuf b = { 0 };

	if (s->runs && !s->pods_given)
		return -1;
	for (uint32_t i = 0; i < u->e->n; i++)
		with += u->unit[i] == unit;
	if (with > 1)
		sb_f(&b, "%s '%s' and %u that must stay with it have", node_kind_name((enum node_kind)n->kind), n->name->s, with - 1);
	else
		sb_f(&b, "%s '%s' alone has", node_kind_name((enum node_kind)n->kind), n->name->s);
	if (o->limit[COST_BYTES] > 0 && c[COST_BYTES] > o->limit[COST_BYTES])
		it = diag_at(s->d, CW1205, n->span, "%s %.0f bytes, and a part takes %.0f", sb_cstr(&b), c[COST_BYTES], o->limit[COST_BYTES]);
	else if (o->limit[COST_NODES] > 0 && c[COST_NODES] > o->limit[COST_NODES])
		it = diag_at(s->d, CW1205, n->span, "%s about %.0f pods, and a run takes %.0f", sb_cstr(&b), c[COST_NODES], o->limit[COST_NODES]);
	else
		it = diag_at(s->d, CW1205, n->span, "%s %.0f steps of %.0f kinds, and a part takes %.0f of %.0f", sb_cstr(&b), c[COST_TASKS], c[COST_TEMPLATES], o->limit[COST_TASKS], o->limit[COST_TEMPLATES]);
	diag_mend(s->d, it, "%s", with > 1 ? "read no status and no absent value between them, or take a larger budget" : "make it smaller (a script into the image, steps of one kind into one task, the body of a region into a workflow), or take a larger budget");
	sb_free(&b);
	return -1;
}

static int no_parts(struct splitter *s, const struct ir_workflow *w, const char *why)
{
	if (s->runs && !s->pods_given)
		return -1;
	diag_mend(s->d, diag_at(s->d, CW1205, w->span, "workflow '%s' cannot be split further: %s", w->name->s, why), "take a larger budget");
	return -1;
}

static void insert(struct splitter *s, struct ir_workflow *before, struct ir_workflow **v, uint32_t n)
{
	struct ir *m = s->m;
	uint32_t at = before->id, old = m->workflows.n;
	size_t all = (size_t)old + n + 1;

	for (uint32_t i = 0; i < n; i++)
		vec_push(m->arena, &m->workflows, v[i]);
	memmove(m->workflows.v + at + n, m->workflows.v + at, (old - at) * sizeof *v);
	memcpy(m->workflows.v + at, v, n * sizeof *v);
	s->factor = xrealloc(s->factor, all * sizeof *s->factor);
	s->measured = xrealloc(s->measured, all * sizeof *s->measured);
	s->wcost = xrealloc(s->wcost, all * sizeof *s->wcost);
	memmove(s->factor + at + n, s->factor + at, (old - at) * sizeof *s->factor);
	memmove(s->measured + at + n, s->measured + at, (old - at) * sizeof *s->measured);
	memmove(s->wcost + at + n, s->wcost + at, (old - at) * sizeof *s->wcost);
	for (uint32_t i = 0; i < n; i++) {
		s->factor[at + i] = s->factor[at + n];
		s->measured[at + i] = 0;
	}
	for (uint32_t i = 0; i < m->workflows.n; i++)
		m->workflows.v[i]->id = i;
	s->measured[at + n] = 0;
	for (uint32_t i = at; i <= at + n; i++)
		cost_of_workflow(s, m->workflows.v[i]);
}

static void remark(struct splitter *s, const struct ir_workflow *w, const struct partition *p, uint32_t steps, uint32_t parts, enum link link)
{
	diag_remark(s->d, w->span, "split: %u steps of workflow '%s' become %u %s of their own and %u that stay: %.0f s on the longest path in place of %.0f s, %u edges cross%s",
		steps, w->name->s, parts, link == LINK_RUN ? "runs" : "documents", w->body->nodes.n - parts, p->makespan, p->bound, p->cut,
		p->repaired ? "; parts that waited for each other in a circle were laid out anew" : "");
}

/* Whether what is left after the parts of several nodes are gone is over the limit. */
static bool too_much_stays(const struct splitter *s, const struct unit_graph *u, const struct partition *p, const uint32_t *size, const double *limit)
{
	double sum[COST_DIMS] = { CALL_BYTES * (double)p->n, p->n, 0, 2 * (double)p->n };

	for (uint32_t i = 0; i < u->e->n; i++) {
		double c[COST_DIMS];

		if (size[p->part[u->unit[i]]] > 1)
			continue;
		cost_of(s, u->w->body->nodes.v[i], c);
		c[COST_BYTES] *= s->factor[u->w->id];
		for (int k = 0; k < COST_DIMS; k++)
			sum[k] += c[k];
	}
	return !cost_fits(sum, NULL, limit);
}

/* A call of a part that holds only n takes less than n. */
static bool outweighs(const struct splitter *s, const struct node *n, const double *limit)
{
	double c[COST_DIMS];

	if (n->kind == N_CALL && n->u.callee->link != LINK_INLINE)
		return false;
	cost_of(s, n, c);
	return (limit[COST_BYTES] > 0 && c[COST_BYTES] > 4 * CALL_BYTES) || (limit[COST_TASKS] > 0 && c[COST_TASKS] > 1) ||
	       (limit[COST_TEMPLATES] > 0 && c[COST_TEMPLATES] > 0) || (limit[COST_NODES] > 0 && c[COST_NODES] > 2);
}

/* Parts of more than one node become workflows; single ones stay while there is room. */
static int apply(struct splitter *s, struct unit_graph *u, const struct partition *p, const double *limit, enum link link)
{
	bool all;
	uint32_t *size = xcalloc((size_t)p->n + 1, sizeof *size), *name = xmalloc(((size_t)p->n + 1) * sizeof *name), *part, nparts = 0, steps = u->e->n;
	struct ir_workflow **made;

	part = xmalloc(((size_t)u->e->n + 1) * sizeof *part);
	for (uint32_t i = 0; i < u->e->n; i++)
		size[p->part[u->unit[i]]]++;
	memset(name, 0xff, ((size_t)p->n + 1) * sizeof *name);
	for (uint32_t i = 0; i < u->e->n; i++)
		if (u->pinned[i])
			size[p->part[u->unit[i]]] = 0;
	all = too_much_stays(s, u, p, size, limit);
	for (uint32_t i = 0; i < u->e->n; i++) {
		uint32_t k = p->part[u->unit[i]];

		if (name[k] == STAYS && (size[k] > 1 || (size[k] == 1 && all && outweighs(s, u->w->body->nodes.v[i], limit))))
			name[k] = nparts++;
		part[i] = name[k];
	}
	made = xcalloc((size_t)nparts + 1, sizeof(struct ir_workflow *));
	if (nparts) {
		split_move(s->m, u->w, part, nparts, link, made);
		remark(s, u->w, p, steps, nparts, link);
		insert(s, u->w, made, nparts);
		s->splits++;
	}
	free(size);
	free(name);
	free(part);
	free(made);
	return (int)nparts;
}

/* So many parts are enough: twice what would be if all were full. */
static uint32_t wanted(const struct units *x, const struct part_opts *o)
{
	double most = 1;

	for (int k = 0; k < COST_DIMS; k++) {
		double sum = 0;

		for (uint32_t i = 0; i < x->g.n; i++)
			sum += x->cost[i][k];
		if (o->limit[k] > 0 && sum / o->limit[k] > most)
			most = sum / o->limit[k];
	}
	return (uint32_t)ceil(2 * most);
}

static int split_workflow(struct splitter *s, struct ir_workflow *w, const double *limit, enum link link)
{
	struct arena *a = arena_new();
	struct unit_graph u = { .s = s, .w = w };
	struct part_opts o = s->o;
	struct partition p = { 0 };
	struct units x;
	uint32_t at;
	int rc, made;

	memcpy(o.limit, limit, sizeof o.limit);
	units_of(&u, a);
	unit_graph(s, &u, a, &x);
	for (uint32_t i = 0; i < u.e->n; i++)
		u.pinned[i] = x.pinned[u.unit[i]];                           /* who is pinned pins who must be seen with it */
	for (o.target = wanted(&x, &o); ; o.target /= 2) {                   /* many small parts may be parts of one step */
		partition_free(&p);
		rc = part_graph(&x.g, &o, &p, &at);
		made = rc ? 0 : apply(s, &u, &p, limit, link);
		if (rc || made || o.target < 2)
			break;
	}
	if (rc == -2)
		rc = too_large(s, &u, &x, &o, at);
	else if (rc || !made)
		rc = no_parts(s, w, rc ? "its nodes wait for each other" : "no two of its steps fit into one part");
	partition_free(&p);
	arena_free(a);
	return rc;
}

/* ---- all of them ---- */

static int measure(struct splitter *s)
{
	const struct backend *b = s->t->backend;
	size_t *bytes;
	int rc = 0;

	if (!b || !b->measure || !s->limit.bytes)
		return 0;
	bytes = xcalloc((size_t)s->m->workflows.n + 1, sizeof *bytes);
	rc = b->measure(s->m, s->t->opts, bytes);
	for (uint32_t i = 0; i < s->m->workflows.n && !rc; i++) {
		double expected;

		s->measured[i] = 0;
		s->factor[i] = 1;
		cost_of_workflow(s, s->m->workflows.v[i]);
		expected = s->wcost[i][COST_BYTES];
		if (bytes[i] && expected > 0)
			s->factor[i] = (double)bytes[i] / expected;
		s->measured[i] = bytes[i];
		cost_of_workflow(s, s->m->workflows.v[i]);
	}
	free(bytes);
	return 0;                         /* what cannot be written is said when it is written */
}

static double tasks_of(const struct splitter *s, const struct ir_workflow *w)
{
	double c[COST_DIMS] = { 0 };

	cost_of_graph(s, w->body, c);
	return c[COST_TASKS];
}

static bool over_document(const struct splitter *s, const struct ir_workflow *w)
{
	const double *c = s->wcost[w->id];

	return (s->limit.tasks && tasks_of(s, w) > s->limit.tasks) || (s->limit.templates && c[COST_TEMPLATES] > s->limit.templates) ||
	       (s->limit.bytes && c[COST_BYTES] > (double)s->limit.bytes);
}

/* Whether the engine takes parts of this program as runs of their own. */
static bool carries_runs(const struct splitter *s)
{
	const struct backend *b = s->t->backend;
	struct node call = { .kind = N_CALL };

	for (const struct cap *c = b ? b->caps : NULL; c && c->feature >= 0; c++)
		if (c->feature == FEAT_CALL_RUN && (!c->when || c->when(s->m, s->m->entry, &call, s->t->opts)))
			return false;
	return true;
}

/* Runs of their own where one run would have too many nodes. Of its own accord the pass does what can be done. */
static int split_runs(struct splitter *s)
{
	double limit[COST_DIMS] = { 0 };

	limit[COST_NODES] = s->limit.nodes;
	if (!s->pods_given && !carries_runs(s))
		return 0;
	s->runs = true;
	for (uint32_t k = 0; k < ROUNDS && s->limit.nodes && s->wcost[s->m->entry->id][COST_NODES] > s->limit.nodes; k++) {
		if (!split_workflow(s, s->m->entry, limit, LINK_RUN))
			continue;
		if (s->pods_given)
			return -1;
		diag_remark(s->d, s->m->entry->span, "split: a run of workflow '%s' has about %.0f pods, more than the %u that the engine is sure of, and cannot be divided into several",
			s->m->entry->name->s, s->wcost[s->m->entry->id][COST_NODES], s->limit.nodes);
		break;
	}
	s->runs = false;
	return 0;
}

static int split_documents(struct splitter *s)
{
	double limit[COST_DIMS] = { 0.9 * (double)s->limit.bytes, s->limit.tasks, s->limit.templates, 0 };

	/* callees stand before callers; what a split makes stands before what it split */
	for (uint32_t i = 0; i < s->m->workflows.n; i++) {
		struct ir_workflow *w = s->m->workflows.v[i];

		cost_of_workflow(s, w);
		if (!over_document(s, w))
			continue;
		if (split_workflow(s, w, limit, LINK_REF))
			return -1;
		if (w != s->m->entry && w->link == LINK_INLINE)
			w->link = LINK_REF;
		i = w->id - 1;            /* once more: it may have too many parts now */
	}
	return 0;
}

static void count_caller(struct node *n, void *data)
{
	uint32_t **doc = data;

	if (n->kind == N_CALL) {
		uint32_t *of = &(*doc)[n->u.callee->id], from = (*doc)[n->graph->workflow->id];

		*of = *of == NONE || *of == from ? from : NONE - 1;
	}
}

/* A workflow that several documents call has a document of its own. */
static void share(struct splitter *s)
{
	uint32_t n = s->m->workflows.n, *doc = xmalloc(((size_t)n + 1) * sizeof *doc);

	memset(doc, 0xff, ((size_t)n + 1) * sizeof *doc);
	for (uint32_t i = n; i-- > 0; ) {
		struct ir_workflow *w = s->m->workflows.v[i];

		if (doc[i] == NONE - 1 && w->link == LINK_INLINE)
			w->link = LINK_REF;
		if (w == s->m->entry || w->link != LINK_INLINE)
			doc[i] = i;
		workflow_nodes(w, count_caller, &doc);
	}
	free(doc);
}

static int split_all(struct splitter *s)
{
	for (uint32_t i = 0; i < s->m->workflows.n; i++)
		cost_of_workflow(s, s->m->workflows.v[i]);
	if (s->limit.bytes && s->wcost[s->m->entry->id][COST_BYTES] > 0.3 * (double)s->limit.bytes && measure(s))
		return -1;
	if (split_runs(s))
		return -1;
	for (uint32_t k = 0; k < ROUNDS; k++) {
		uint32_t before = s->splits;

		if (split_documents(s))
			return -1;
		if (before == s->splits || measure(s))
			break;
		share(s);
	}
	if (s->splits)
		share(s);
	return 0;
}

static int run(struct ir *m, const struct target *t, const struct optset *o, struct diag *d)
{
	struct splitter s = { .m = m, .t = t, .d = d };
	const char *method = opt_string(o, "split", opts, "method");
	int rc;

	s.o.method = !strcmp(method, "dfs") ? PART_DFS : PART_ACYCLIC;
	s.o.overhead = (double)opt_int(o, "split", opts, "overhead");
	s.step = (double)opt_int(o, "split", opts, "step");
	if (limits_of(&s, o))
		return -1;
	if (!strcmp(method, "off") || (!s.limit.bytes && !s.limit.tasks && !s.limit.templates && !s.limit.nodes))
		return 0;
	s.factor = xcalloc((size_t)m->workflows.n + 1, sizeof *s.factor);
	s.measured = xcalloc((size_t)m->workflows.n + 1, sizeof *s.measured);
	s.wcost = xcalloc((size_t)m->workflows.n + 1, sizeof *s.wcost);
	for (uint32_t i = 0; i < m->workflows.n; i++) {
		m->workflows.v[i]->id = i;
		s.factor[i] = 1;
	}
	rc = split_all(&s);
	free(s.factor);
	free(s.measured);
	free(s.wcost);
	return rc;
}

const struct pass pass_split = {
	.name = "split", .help = "workflows that are too large for the engine become several", .breaks = IR_INLINED, .opts = opts, .run = run,
};
