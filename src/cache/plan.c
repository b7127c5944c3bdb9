/*
 * The optimal reuse plan as a minimum cut. Two nodes of the network a result: "available" a and "computed" x; the source's
 * side is yes. a yes and x no is loading, x yes computing, x yes and the a of an input no is impossible, the a of a sink is
 * yes. Dinic's algorithm, one network for all runs.
 */
#include <math.h>
#include <string.h>

#include "couler/cachepolicy.h"

#define FOREVER 1e300

struct planner {
	const struct keep_graph *g;
	uint32_t n, m, source, sink;      /* of the network */
	uint32_t *head, *next, *to;       /* arcs in pairs: i and i ^ 1 */
	double *cap;
	uint32_t *level, *at, *queue, *path;
	uint32_t *load_arc, *compute_arc;
};

static uint32_t arc(struct planner *p, uint32_t from, uint32_t to)
{
	uint32_t ends[] = { to, from };

	for (int i = 0; i < 2; i++) {
		p->to[p->m] = ends[i];
		p->next[p->m] = p->head[ends[!i]];
		p->head[ends[!i]] = p->m++;
	}
	return p->m - 2;
}

struct planner *planner_new(struct arena *a, const struct keep_graph *g)
{
	struct planner *p = arena_new_of(a, struct planner);
	uint32_t edges = g->pstart[g->n], arcs = 2 * (edges + 3 * g->n);

	p->g = g;
	p->n = 2 * g->n + 2;
	p->source = 2 * g->n;
	p->sink = p->source + 1;
	p->head = arena_array(a, uint32_t, p->n);
	memset(p->head, 0xff, p->n * sizeof *p->head);
	p->next = arena_array(a, uint32_t, arcs);
	p->to = arena_array(a, uint32_t, arcs);
	p->cap = arena_array(a, double, arcs);
	p->level = arena_array(a, uint32_t, p->n);
	p->at = arena_array(a, uint32_t, p->n);
	p->queue = arena_array(a, uint32_t, p->n);
	p->path = arena_array(a, uint32_t, p->n);
	p->load_arc = arena_array(a, uint32_t, g->n);
	p->compute_arc = arena_array(a, uint32_t, g->n);
	for (uint32_t u = 0; u < g->n; u++) {
		p->load_arc[u] = arc(p, 2 * u, 2 * u + 1);
		p->compute_arc[u] = arc(p, 2 * u + 1, p->sink);
	}
	for (uint32_t u = 0; u < g->n; u++)
		for (uint32_t j = g->pstart[u]; j < g->pstart[u + 1]; j++)
			arc(p, 2 * u + 1, 2 * g->pred[j]);
	for (uint32_t u = 0; u < g->n; u++)
		if (g->sstart[u] == g->sstart[u + 1])
			arc(p, p->source, 2 * u);
	return p;
}

static bool levels(struct planner *p)
{
	uint32_t n = 0;

	memset(p->level, 0xff, p->n * sizeof *p->level);
	p->level[p->source] = 0;
	p->queue[n++] = p->source;
	for (uint32_t i = 0; i < n; i++)
		for (uint32_t e = p->head[p->queue[i]]; e != UINT32_MAX; e = p->next[e])
			if (p->cap[e] > 0 && p->level[p->to[e]] == UINT32_MAX) {
				p->level[p->to[e]] = p->level[p->queue[i]] + 1;
				p->queue[n++] = p->to[e];
			}
	return p->level[p->sink] != UINT32_MAX;
}

/* One augmenting path along the levels, without recursion; 0 when there is none. */
static double augment(struct planner *p)
{
	uint32_t depth = 0, u = p->source;
	double flow = FOREVER;

	while (u != p->sink) {
		uint32_t e = p->at[u];

		while (e != UINT32_MAX && !(p->cap[e] > 0 && p->level[p->to[e]] == p->level[u] + 1))
			e = p->next[e];
		p->at[u] = e;
		if (e != UINT32_MAX) {
			p->path[depth++] = e;
			u = p->to[e];
		} else if (depth) {
			u = p->to[p->path[--depth] ^ 1];
			p->at[u] = p->next[p->at[u]];
		} else {
			return 0;
		}
	}
	for (uint32_t i = 0; i < depth; i++)
		flow = p->cap[p->path[i]] < flow ? p->cap[p->path[i]] : flow;
	for (uint32_t i = 0; i < depth; i++) {
		p->cap[p->path[i]] -= flow;
		p->cap[p->path[i] ^ 1] += flow;
	}
	return flow;
}

double planner_run(struct planner *p, const uint64_t *valid, const uint64_t *have, double price, uint64_t *compute, uint64_t *load)
{
	const struct keep_graph *g = p->g;
	double total = 0, flow;

	for (uint32_t e = 0; e < p->m; e++)
		p->cap[e] = e & 1 ? 0 : FOREVER;
	for (uint32_t u = 0; u < g->n; u++) {
		p->cap[p->compute_arc[u]] = g->seconds[u];
		if (keep_has(valid, u) && keep_has(have, u))
			p->cap[p->load_arc[u]] = g->load[u] + price * g->bytes[u];
	}
	while (levels(p)) {
		memcpy(p->at, p->head, p->n * sizeof *p->at);
		while ((flow = augment(p)) > 0)
			total += flow;
	}
	for (uint32_t w = 0; w < g->words; w++) {
		if (compute)
			compute[w] = 0;
		if (load)
			load[w] = 0;
	}
	for (uint32_t u = 0; u < g->n; u++) {
		bool a = p->level[2 * u] != UINT32_MAX, x = p->level[2 * u + 1] != UINT32_MAX;

		if (x && compute)
			keep_add(compute, u);
		if (a && !x && load)
			keep_add(load, u);
	}
	return total;
}
