/* The graph that policies look at. */
#include <stdlib.h>
#include <string.h>

#include "couler/cachepolicy.h"

static void adjacency(struct arena *a, uint32_t n, const uint32_t (*edge)[2], uint32_t m, int by, const uint32_t **start, const uint32_t **list)
{
	uint32_t *s = arena_array(a, uint32_t, n + 2), *l = arena_array(a, uint32_t, m ? m : 1);

	for (uint32_t i = 0; i < m; i++)
		s[edge[i][by] + 2]++;
	for (uint32_t u = 0; u < n; u++)
		s[u + 2] += s[u + 1];
	for (uint32_t i = 0; i < m; i++)
		l[s[edge[i][by] + 1]++] = edge[i][!by];
	*start = s;
	*list = l;
}

/* Kahn's algorithm, nodes in the order of their numbers where it is free. */
static const uint32_t *order(struct arena *a, const struct keep_graph *g)
{
	uint32_t *out = arena_array(a, uint32_t, g->n), *left = arena_array(a, uint32_t, g->n), n = 0;

	for (uint32_t u = 0; u < g->n; u++) {
		left[u] = g->pstart[u + 1] - g->pstart[u];
		if (!left[u])
			out[n++] = u;
	}
	for (uint32_t i = 0; i < n; i++)
		for (uint32_t j = g->sstart[out[i]]; j < g->sstart[out[i] + 1]; j++)
			if (!--left[g->succ[j]])
				out[n++] = g->succ[j];
	return n == g->n ? out : NULL;
}

static const uint64_t *closure(struct arena *a, const struct keep_graph *g, bool down)
{
	const uint32_t *start = down ? g->sstart : g->pstart, *next = down ? g->succ : g->pred;
	uint64_t *sets = arena_array(a, uint64_t, (size_t)g->n * g->words);

	for (uint32_t i = 0; i < g->n; i++) {
		uint32_t u = g->topo[down ? g->n - 1 - i : i];
		uint64_t *at = sets + (size_t)u * g->words;

		keep_add(at, u);
		for (uint32_t j = start[u]; j < start[u + 1]; j++)
			for (uint32_t w = 0; w < g->words; w++)
				at[w] |= sets[(size_t)next[j] * g->words + w];
	}
	return sets;
}

struct keep_graph *keep_graph_new(struct arena *a, uint32_t n, const uint32_t (*edge)[2], uint32_t nedges, const double *seconds, const double *bytes,
                                  double latency, double rate)
{
	struct keep_graph *g = arena_new_of(a, struct keep_graph);
	double *load = arena_array(a, double, n), *s = arena_array(a, double, n), *b = arena_array(a, double, n);

	g->n = n;
	g->words = (n + 63) / 64;
	adjacency(a, n, edge, nedges, 1, &g->pstart, &g->pred);
	adjacency(a, n, edge, nedges, 0, &g->sstart, &g->succ);
	g->topo = order(a, g);
	if (!g->topo)
		return NULL;
	for (uint32_t u = 0; u < n; u++) {
		s[u] = seconds[u];
		b[u] = bytes[u];
		load[u] = latency + bytes[u] / rate;
	}
	g->seconds = s;
	g->bytes = b;
	g->load = load;
	g->below = closure(a, g, true);
	g->above = closure(a, g, false);
	g->edits = arena_array(a, uint32_t, n);
	return g;
}

double keep_recompute(const struct keep_graph *g, const uint64_t *have, uint32_t u, uint32_t *scratch, uint64_t *seen)
{
	double sum = 0;
	uint32_t n = 0;

	memset(seen, 0, g->words * sizeof *seen);
	keep_add(seen, u);
	scratch[n++] = u;
	while (n) {
		uint32_t at = scratch[--n];

		sum += g->seconds[at];
		for (uint32_t j = g->pstart[at]; j < g->pstart[at + 1]; j++) {
			uint32_t p = g->pred[j];

			if (keep_has(seen, p))
				continue;
			keep_add(seen, p);
			if (keep_has(have, p))
				sum += g->load[p];
			else
				scratch[n++] = p;
		}
	}
	return sum;
}
