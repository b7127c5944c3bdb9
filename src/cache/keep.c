/*
 * A cache under a budget: Couler, ICDE 2024, algorithm 2, with the score as the policy's part. What is made is kept while
 * there is room; else what has the lowest score goes, until the newcomer fits or is itself the lowest. Scores are computed
 * again after each eviction.
 */
#include <string.h>

#include "cache.h"

#define EQ6_ALPHA 1.5                     /* of the paper's experiments */
#define EQ6_BETA 1.0

struct keep *keep_new(struct arena *a, const struct keep_graph *g, const struct keep_policy *p, double budget)
{
	struct keep *k = arena_new_of(a, struct keep);

	*k = (struct keep){ .policy = p, .g = g, .budget = budget, .alpha = EQ6_ALPHA, .beta = EQ6_BETA, .version = 1 };
	k->have = arena_array(a, uint64_t, g->words);
	k->coming = arena_array(a, uint64_t, g->words);
	k->target = arena_array(a, uint64_t, g->words);
	k->seen = arena_array(a, uint64_t, g->words);
	k->since = arena_array(a, uint64_t, g->n);
	k->used_at = arena_array(a, uint64_t, g->n);
	k->uses = arena_array(a, uint32_t, g->n);
	k->base = arena_array(a, double, g->n);
	k->asked = arena_array(a, uint64_t, (size_t)g->n * g->words);
	k->edited = arena_array(a, uint32_t, g->n);
	k->scratch = arena_array(a, uint32_t, g->n);
	return k;
}

void keep_take(struct keep *k, uint32_t u)
{
	keep_add(k->have, u);
	k->used += k->g->bytes[u];
	k->since[u] = k->clock;
	k->version++;
}

void keep_drop(struct keep *k, uint32_t u)
{
	if (!keep_has(k->have, u))
		return;
	keep_remove(k->have, u);
	k->used -= k->g->bytes[u];
	k->version++;
}

/* The one of lowest score among what is kept and u; the newcomer loses ties, then the lower number goes. */
static uint32_t lowest(struct keep *k, uint32_t u, double *score)
{
	uint32_t least = u;

	*score = k->policy->score(k, u);
	for (uint32_t w = 0; w < k->g->words; w++) {
		for (uint64_t bits = k->have[w]; bits; bits &= bits - 1) {
			uint32_t v = 64 * w + (uint32_t)__builtin_ctzll(bits);
			double s = k->policy->score(k, v);

			if (s < *score) {
				*score = s;
				least = v;
			}
		}
	}
	return least;
}

void keep_begin(struct keep *k, const uint64_t *compute, bool known)
{
	memcpy(k->coming, compute, k->g->words * sizeof *k->coming);
	k->version++;
	k->planned = false;
	if (known && k->policy->plan)
		k->policy->plan(k);
}

void keep_made(struct keep *k, uint32_t u)
{
	k->clock++;
	k->uses[u]++;
	k->used_at[u] = k->clock;
	keep_remove(k->coming, u);
	k->version++;
	k->base[u] = k->floor;
	if (keep_has(k->have, u) || (k->policy->admit && !k->policy->admit(k, u)))
		return;
	if (!k->policy->unlimited && k->g->bytes[u] > k->budget)
		return;
	if (k->policy->room && k->used + k->g->bytes[u] > k->budget && !k->policy->room(k, u))
		return;
	while (!k->policy->unlimited && k->used + k->g->bytes[u] > k->budget) {
		double score;
		uint32_t v;

		if (!k->policy->evicts)
			return;
		v = lowest(k, u, &score);
		if (v == u)
			return;
		k->floor = score;
		keep_drop(k, v);
		k->evictions++;
	}
	keep_take(k, u);
}

void keep_read(struct keep *k, uint32_t u)
{
	k->used_at[u] = ++k->clock;
	k->uses[u]++;
	k->base[u] = k->floor;
}
