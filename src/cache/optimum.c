/* The best set to keep, by enumeration: the yardstick for small graphs. */
#include <math.h>

#include "couler/cachepolicy.h"

double keep_expected(struct planner *p, const struct keep_graph *g, const double *weight, const uint64_t *have, uint64_t *valid)
{
	double sum = 0;

	for (uint32_t v = 0; v < g->n; v++) {
		for (uint32_t w = 0; w < g->words; w++)
			valid[w] = ~g->below[(size_t)v * g->words + w];
		sum += weight[v] * planner_run(p, valid, have, 0, NULL, NULL);
	}
	return sum;
}

/* Only sets to which nothing can be added are looked at: more never costs. */
double keep_optimum(struct arena *a, const struct keep_graph *g, const double *weight, double budget, uint64_t may, uint64_t *best)
{
	struct planner *p = planner_new(a, g);
	double least = INFINITY;
	uint64_t valid = 0;

	for (uint64_t set = 0; set < UINT64_C(1) << g->n; set++) {
		double bytes = 0, cost;
		bool maximal = true;

		if (set & ~may)
			continue;
		for (uint32_t u = 0; u < g->n; u++)
			bytes += set >> u & 1 ? g->bytes[u] : 0;
		if (bytes > budget)
			continue;
		for (uint32_t u = 0; u < g->n && maximal; u++)
			maximal = !(may >> u & 1) || set >> u & 1 || bytes + g->bytes[u] > budget;
		if (!maximal)
			continue;
		cost = keep_expected(p, g, weight, &set, &valid);
		if (cost < least) {
			least = cost;
			*best = set;
		}
	}
	return least;
}
