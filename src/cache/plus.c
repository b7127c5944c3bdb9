/*
 * couler+: what one byte is worth: how often the result is expected to be asked for, by the graph and the history of edits,
 * times the seconds that loading saves over making it again. Where room is short the least dense go, and exchanges are made
 * while they shorten the expected time of the next run.
 */
#include <stdlib.h>
#include <string.h>

#include "cache.h"

#define SWAPS 64                          /* exchanges that are tried in a choice */

/*
 * After an edit of v all below v is made again. A result is asked for when it is not below v, and it is a sink, or a step
 * that reads it runs: one below v, or one that is itself asked for and not kept. For all v at once, a bit each.
 */
static void update_asked(struct keep *k)
{
	const struct keep_graph *g = k->g;

	if (k->asked_version == k->version)
		return;
	k->asked_version = k->version;
	k->nedited = 0;
	for (uint32_t u = 0; u < g->n; u++)
		if (g->edits[u])
			k->edited[k->nedited++] = u;
	for (uint32_t i = g->n; i-- > 0; ) {
		uint32_t u = g->topo[i];
		uint64_t *at = k->asked + (size_t)u * g->words;
		bool sink = g->sstart[u] == g->sstart[u + 1];

		memset(at, 0, g->words * sizeof *at);
		for (uint32_t v = 0; sink && v < g->n; v += 64)
			at[v / 64] = g->n - v >= 64 ? UINT64_MAX : (UINT64_C(1) << (g->n - v)) - 1;
		for (uint32_t e = g->sstart[u]; e < g->sstart[u + 1]; e++) {
			uint32_t s = g->succ[e];
			const uint64_t *above = g->above + (size_t)s * g->words, *asked = k->asked + (size_t)s * g->words;
			uint64_t mask = keep_has(k->have, s) || (keep_has(k->coming, s) && g->bytes[s] <= k->budget) ? 0 : UINT64_MAX;

			for (uint32_t w = 0; w < g->words; w++)
				at[w] |= above[w] | (asked[w] & mask);
		}
		for (uint32_t w = 0; w < g->words; w++)
			at[w] &= ~g->above[(size_t)u * g->words + w];
	}
}

/* Laplace's rule: each node as if it had been edited once more than it was. */
static double share(const struct keep *k, const uint64_t *edits)
{
	double hits = 0, all = k->g->n;

	for (uint32_t w = 0; w < k->g->words; w++)
		hits += __builtin_popcountll(edits[w]);
	for (uint32_t i = 0; i < k->nedited; i++) {
		hits += keep_has(edits, k->edited[i]) ? k->g->edits[k->edited[i]] : 0;
		all += k->g->edits[k->edited[i]];
	}
	return hits / all;
}

double keep_expected_reuse(struct keep *k, uint32_t u)
{
	update_asked(k);
	return share(k, k->asked + (size_t)u * k->g->words);
}

double keep_next_run(struct keep *k)
{
	const struct keep_graph *g = k->g;
	double sum = 0;

	update_asked(k);
	for (uint32_t u = 0; u < g->n; u++) {
		double asked = share(k, k->asked + (size_t)u * g->words);
		bool kept = keep_has(k->have, u);

		sum += asked * (kept ? g->load[u] : g->seconds[u]) + share(k, g->above + (size_t)u * g->words) * g->seconds[u];
	}
	return sum;
}

/* Expected seconds that keeping u saves. */
static double worth(struct keep *k, uint32_t u)
{
	double gain = keep_again(k, u) - k->g->load[u];

	return gain > 0 ? keep_expected_reuse(k, u) * gain : 0;
}

double keep_plus_density(struct keep *k, uint32_t u)
{
	return worth(k, u) / (k->g->bytes[u] > 1 ? k->g->bytes[u] : 1);
}

/* ---- the best of what is at hand ---- */

struct choice { struct keep *k; const uint64_t *from; double used, cost; uint64_t *was; };

static void put(struct choice *c, uint32_t u)
{
	keep_add(c->k->have, u);
	c->used += c->k->g->bytes[u];
	c->k->version++;
}

static void out(struct choice *c, uint32_t u)
{
	keep_remove(c->k->have, u);
	c->used -= c->k->g->bytes[u];
	c->k->version++;
}

/* The member of in, not of without, that is worth least, or most; UINT32_MAX: none. */
static uint32_t extreme(struct keep *k, const uint64_t *in, const uint64_t *without, bool most, double (*value)(struct keep *, uint32_t))
{
	uint32_t best = UINT32_MAX;
	double x = 0;

	for (uint32_t w = 0; w < k->g->words; w++) {
		for (uint64_t bits = in[w] & ~(without ? without[w] : 0); bits; bits &= bits - 1) {
			uint32_t v = 64 * w + (uint32_t)__builtin_ctzll(bits);
			double y = value(k, v);

			if (best == UINT32_MAX || (most ? y > x : y < x)) {
				best = v;
				x = y;
			}
		}
	}
	return best;
}

static void shrink(struct choice *c, const uint64_t *hold)
{
	while (c->used > c->k->budget) {
		uint32_t v = extreme(c->k, c->k->have, hold, false, keep_plus_density);

		if (v == UINT32_MAX)
			return;
		out(c, v);
	}
}

/* What still has room, the densest first. */
static void fill(struct choice *c)
{
	struct keep *k = c->k;
	uint64_t *skip = xcalloc(k->g->words, sizeof *skip);

	for (;;) {
		uint32_t v;

		for (uint32_t u = 0; u < k->g->n; u++)
			if (keep_has(k->have, u) || c->used + k->g->bytes[u] > k->budget)
				keep_add(skip, u);
		v = extreme(k, c->from, skip, true, keep_plus_density);
		if (v == UINT32_MAX)
			break;
		keep_add(skip, v);
		put(c, v);
	}
	free(skip);
}

static size_t bytes_of(const struct choice *c)
{
	return c->k->g->words * sizeof *c->was;
}

/* Takes v in, and out what is least dense in its place; undone unless the next run gets shorter. */
static bool swap_in(struct choice *c, uint32_t v)
{
	struct keep *k = c->k;
	uint64_t *hold = xcalloc(k->g->words, sizeof *hold);
	double used = c->used, cost;

	memcpy(c->was, k->have, bytes_of(c));
	keep_add(hold, v);
	put(c, v);
	shrink(c, hold);
	fill(c);
	cost = c->used <= k->budget ? keep_next_run(k) : c->cost;
	free(hold);
	if (cost < c->cost * (1 - 1e-12)) {
		c->cost = cost;
		return true;
	}
	memcpy(k->have, c->was, bytes_of(c));
	c->used = used;
	k->version++;
	return false;
}

/*
 * The set within the budget, of those in from, that makes the next run short: all of them, the least dense taken out, then
 * exchanges while one helps. The result is left in to; the cache is as before.
 */
static void choose(struct keep *k, const uint64_t *from, uint64_t *to)
{
	struct choice c = { .k = k, .from = from };
	uint64_t *have = k->have, *tried = xcalloc(k->g->words, sizeof *tried);
	uint32_t left = SWAPS;

	c.was = xcalloc(k->g->words, sizeof *c.was);
	k->have = to;
	memcpy(to, from, bytes_of(&c));
	for (uint32_t u = 0; u < k->g->n; u++)
		c.used += keep_has(to, u) ? k->g->bytes[u] : 0;
	k->version++;
	shrink(&c, NULL);
	fill(&c);
	c.cost = keep_next_run(k);
	while (left--) {
		uint32_t v;

		for (uint32_t u = 0; u < k->g->n; u++)
			if (keep_has(to, u) || k->g->bytes[u] > k->budget)
				keep_add(tried, u);
		v = extreme(k, from, tried, true, worth);
		if (v == UINT32_MAX)
			break;
		if (swap_in(&c, v))
			memset(tried, 0, bytes_of(&c));
		else
			keep_add(tried, v);
	}
	k->have = have;
	k->version++;
	free(c.was);
	free(tried);
}

/* ---- the policy ---- */

/* In a first run what comes is known by the graph alone; later its size and time are, too, and the end of the run is planned for. */
void keep_plus_plan(struct keep *k)
{
	uint64_t *from = xcalloc(k->g->words, sizeof *from), *coming = k->coming;

	for (uint32_t w = 0; w < k->g->words; w++)
		from[w] = k->have[w] | k->coming[w];
	k->coming = xcalloc(k->g->words, sizeof *from);
	choose(k, from, k->target);
	free(k->coming);
	k->coming = coming;
	k->planned = true;
	free(from);
}

bool keep_plus_room(struct keep *k, uint32_t u)
{
	uint64_t *spare;

	if (!k->planned) {
		uint64_t *from = xcalloc(k->g->words, sizeof *from);

		memcpy(from, k->have, k->g->words * sizeof *from);
		keep_add(from, u);
		choose(k, from, k->target);
		free(from);
	}
	if (!keep_has(k->target, u) || !keep_twice(k, u))
		return false;
	spare = xcalloc(k->g->words, sizeof *spare);
	memcpy(spare, k->target, k->g->words * sizeof *spare);
	while (k->used + k->g->bytes[u] > k->budget) {
		uint32_t v = extreme(k, k->have, spare, false, keep_plus_density);

		if (v == UINT32_MAX)
			break;
		keep_drop(k, v);
		k->evictions++;
	}
	free(spare);
	return k->used + k->g->bytes[u] <= k->budget;
}
