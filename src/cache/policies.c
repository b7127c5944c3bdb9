/*
 * The policies: what is kept, and what goes first.
 *
 * couler   Couler, ICDE 2024, section IV.A, eq. 3 to 6
 * lrc      Yu et al., "LRC: Dependency-aware cache management for data analytics clusters", INFOCOM 2017
 * gdsf     Cherkasova, "Improving WWW proxies performance with Greedy-Dual-Size-Frequency caching policy", HPL-98-69, 1998
 * helix    Xin et al., "Helix: Holistic optimization for accelerating iterative machine learning", VLDB 2018, section 5.3
 * hyppo    Kontaxakis et al., "HYPPO: Using equivalences to optimize pipelines in exploratory machine learning", ICDE 2024
 */
#include <math.h>
#include <string.h>

#include "cache.h"

/* ---- by use ---- */

static bool never(struct keep *k, uint32_t u)
{
	(void)k;
	(void)u;
	return false;
}

static double fifo(struct keep *k, uint32_t u)
{
	return keep_has(k->have, u) ? (double)k->since[u] : (double)k->clock;
}

static double lru(struct keep *k, uint32_t u)
{
	return (double)k->used_at[u];
}

/* Ties go to the longest unused: uses are whole, recency is below one. */
static double lfu(struct keep *k, uint32_t u)
{
	return k->uses[u] + (double)k->used_at[u] / (double)(k->clock + 1);
}

static double size_of(const struct keep *k, uint32_t u)
{
	return k->g->bytes[u] > 1 ? k->g->bytes[u] : 1;
}

/* H = L + frequency x cost / size, L that of the last use. */
static double gdsf(struct keep *k, uint32_t u)
{
	return k->base[u] + k->uses[u] * k->g->seconds[u] / size_of(k, u);
}

/* ---- by the graph ---- */

/* References: steps that read it. */
static double lrc(struct keep *k, uint32_t u)
{
	return k->g->sstart[u + 1] - k->g->sstart[u] + (double)k->used_at[u] / (double)(k->clock + 1);
}

double keep_again(struct keep *k, uint32_t u)
{
	return keep_recompute(k->g, k->have, u, k->scratch, k->seen);
}

/* Kept online, if there is room, when making it again costs more than twice its loading. */
bool keep_twice(struct keep *k, uint32_t u)
{
	return keep_again(k, u) > 2 * k->g->load[u];
}

/* What one use saves under the cheapest plan, by its size, as often as it was used. */
static double hyppo(struct keep *k, uint32_t u)
{
	return k->uses[u] * (keep_again(k, u) - k->g->load[u]) / size_of(k, u);
}

/* ---- couler ---- */

static uint32_t degree(const struct keep_graph *g, uint32_t u)
{
	return g->pstart[u + 1] - g->pstart[u] + g->sstart[u + 1] - g->sstart[u];
}

/* L(u) = sum over i, j of A_ij (w_i + d_i d_j), eq. 3: the edges among the predecessors of u, cut at what is kept. */
double keep_couler_cost(struct keep *k, uint32_t u)
{
	const struct keep_graph *g = k->g;
	double sum = 0;
	uint32_t n = 0;

	memset(k->seen, 0, g->words * sizeof *k->seen);
	keep_add(k->seen, u);
	k->scratch[n++] = u;
	while (n) {
		uint32_t j = k->scratch[--n];

		for (uint32_t e = g->pstart[j]; e < g->pstart[j + 1]; e++) {
			uint32_t i = g->pred[e];

			sum += g->seconds[i] + (double)degree(g, i) * degree(g, j);
			if (keep_has(k->seen, i) || keep_has(k->have, i))
				continue;
			keep_add(k->seen, i);
			k->scratch[n++] = i;
		}
	}
	return sum;
}

/*
 * F(u) = sum over i of r_ui (zeta_ui + 1) / kappa_ui, eq. 4, with zeta = diag(d) - A, eq. 5: over the successors i of u at
 * the distance kappa. An entry of zeta is -1 for a direct successor and 0 further on, so that by the letter direct
 * successors count nothing and the others 1 / kappa.
 */
double keep_couler_reuse(struct keep *k, uint32_t u)
{
	const struct keep_graph *g = k->g;
	double sum = 0, kappa = 0;
	uint32_t head = 0, n = 0, last;

	memset(k->seen, 0, g->words * sizeof *k->seen);
	keep_add(k->seen, u);
	k->scratch[n++] = u;
	while (head < n) {
		last = n;
		kappa++;
		for (; head < last; head++) {
			uint32_t at = k->scratch[head];

			for (uint32_t e = g->sstart[at]; e < g->sstart[at + 1]; e++) {
				uint32_t i = g->succ[e];

				if (keep_has(k->seen, i))
					continue;
				keep_add(k->seen, i);
				k->scratch[n++] = i;
				sum += ((kappa > 1 ? 0.0 : -1.0) + 1.0) / kappa;
			}
		}
	}
	return sum;
}

/* I(u) = alpha log(1 + L(u)) + beta F(u)^2 - e^(-V(u)), eq. 6; V in GB, the unit of the paper's budgets. */
double keep_couler_importance(struct keep *k, uint32_t u)
{
	double f = keep_couler_reuse(k, u);

	return k->alpha * log1p(keep_couler_cost(k, u)) + k->beta * f * f - exp(-k->g->bytes[u] / 1e9);
}

/* ---- the table ---- */

const struct keep_policy keep_policies[] = {
	{ "none", "nothing is kept", false, false, never, NULL, NULL, NULL },
	{ "all", "everything is kept, whatever the budget", true, false, NULL, NULL, NULL, NULL },
	{ "fifo", "what was kept first goes first", false, true, NULL, fifo, NULL, NULL },
	{ "lru", "what was used longest ago goes first", false, true, NULL, lru, NULL, NULL },
	{ "lfu", "what was used least often goes first", false, true, NULL, lfu, NULL, NULL },
	{ "lrc", "what the fewest steps read goes first", false, true, NULL, lrc, NULL, NULL },
	{ "gdsf", "uses x seconds / bytes, aging", false, true, NULL, gdsf, NULL, NULL },
	{ "helix", "what costs more than twice its loading, while there is room", false, false, keep_twice, NULL, NULL, NULL },
	{ "hyppo", "uses x (seconds to make again - to load) / bytes", false, true, NULL, hyppo, NULL, NULL },
	{ "couler", "importance of the Couler paper", false, true, NULL, keep_couler_importance, NULL, NULL },
	{ "couler+", "expected reuse x (seconds to make again - to load) / bytes, held against what the next run would take", false, true, NULL, keep_plus_density, keep_plus_room, keep_plus_plan },
	{ NULL, NULL, false, false, NULL, NULL, NULL, NULL },
};

const struct keep_policy *keep_policy_find(const char *name)
{
	for (const struct keep_policy *p = keep_policies; p->name; p++)
		if (!strcmp(p->name, name))
			return p;
	return NULL;
}
