/*
 * The rounds of the cache simulator. All policies see the same graphs and the same edits; each round is planned by the
 * same minimum cut. Results are stale once their identity changed and leave every cache at once: that helps most the
 * policies that know least.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "couler/cachesim.h"

#define SPREAD 0.5                        /* of the logarithm of a generated time or size */
#define BOUND_STEPS 14
#define OPTIMUM_MAX 12

const char *const sim_edit_names[EDITS_COUNT] = { "uniform", "late" };

/* ---- random numbers: SplitMix64 ---- */

static uint64_t next(uint64_t *s)
{
	uint64_t z = *s += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static double uniform(uint64_t *s)
{
	return (double)(next(s) >> 11) * 0x1p-53;
}

/* Standard normal, by the sum of twelve: no tails to speak of, and the same on every machine. */
static double normal(uint64_t *s)
{
	double x = -6;

	for (int i = 0; i < 12; i++)
		x += uniform(s);
	return x;
}

/* ---- one seed: a graph and its edits ---- */

struct round { uint64_t *valid, *ideal; uint32_t edit; double all; };   /* ideal: what is loaded when everything valid is kept */
struct world {
	struct arena *arena;
	struct keep_graph *g;
	struct planner *p;
	struct round *round;
	uint32_t *edits;
	double *weight;                   /* by node, sums to 1 */
	double cold, none;
	uint64_t *full, *empty, *compute, *load;
};

static double *jitter(struct arena *a, const double *v, uint32_t n, bool spread, uint64_t *seed)
{
	double *out = arena_array(a, double, n);

	for (uint32_t u = 0; u < n; u++)
		out[u] = spread ? v[u] * exp(SPREAD * normal(seed)) : v[u];
	return out;
}

static void weigh(struct world *x, enum sim_edits how)
{
	const struct keep_graph *g = x->g;
	uint32_t *depth = arena_array(x->arena, uint32_t, g->n);
	double sum = 0;

	for (uint32_t i = 0; i < g->n; i++)
		for (uint32_t u = g->topo[i], e = g->sstart[u]; e < g->sstart[u + 1]; e++)
			if (depth[g->succ[e]] < depth[u] + 1)
				depth[g->succ[e]] = depth[u] + 1;
	for (uint32_t u = 0; u < g->n; u++)
		sum += x->weight[u] = how == EDITS_LATE ? 1 + (double)depth[u] * depth[u] : 1;
	for (uint32_t u = 0; u < g->n; u++)
		x->weight[u] /= sum;
}

static uint32_t draw(const struct world *x, uint64_t *seed)
{
	double r = uniform(seed);
	uint32_t u = 0;

	for (; u + 1 < x->g->n && r >= x->weight[u]; u++)
		r -= x->weight[u];
	return u;
}

static uint64_t *set_of(const struct world *x)
{
	return arena_array(x->arena, uint64_t, x->g->words);
}

static struct world world_new(const struct sim_workload *w, const struct sim_opts *o, enum sim_edits how, uint64_t seed)
{
	struct world x = { .arena = arena_new() };
	uint64_t s = seed * UINT64_C(0x2545f4914f6cdd1d) + 1, draws = s ^ UINT64_C(0x6a09e667f3bcc909);
	double *seconds = jitter(x.arena, w->seconds, w->n, w->spread, &s), *bytes = jitter(x.arena, w->bytes, w->n, w->spread, &s);

	x.g = keep_graph_new(x.arena, w->n, w->edge, w->nedges, seconds, bytes, o->latency, o->rate);
	x.p = planner_new(x.arena, x.g);
	x.edits = arena_array(x.arena, uint32_t, w->n);
	x.g->edits = x.edits;
	x.weight = arena_array(x.arena, double, w->n);
	x.round = arena_array(x.arena, struct round, o->rounds);
	x.full = set_of(&x);
	x.empty = set_of(&x);
	x.compute = set_of(&x);
	x.load = set_of(&x);
	memset(x.full, 0xff, x.g->words * sizeof *x.full);
	weigh(&x, how);
	for (uint32_t u = 0; u < w->n; u++)
		x.cold += seconds[u];
	for (uint32_t r = 0; r < o->rounds; r++) {
		struct round *at = &x.round[r];

		at->edit = draw(&x, &draws);
		at->valid = set_of(&x);
		at->ideal = set_of(&x);
		for (uint32_t k = 0; k < x.g->words; k++)
			at->valid[k] = ~x.g->below[(size_t)at->edit * x.g->words + k];
		at->all = planner_run(x.p, at->valid, x.full, 0, NULL, at->ideal);
		x.none += planner_run(x.p, at->valid, x.empty, 0, NULL, NULL);
	}
	return x;
}

/* ---- a policy in a world ---- */

struct tally { double seconds, requests, hits; uint32_t evictions; };

static uint32_t bits(const uint64_t *a, const uint64_t *b, uint32_t words)
{
	uint32_t n = 0;

	for (uint32_t w = 0; w < words; w++)
		n += (uint32_t)__builtin_popcountll(a[w] & (b ? b[w] : UINT64_MAX));
	return n;
}

static struct tally play(struct world *x, const struct sim_opts *o, const struct keep_policy *policy, double budget)
{
	struct arena *a = arena_new();
	const struct keep_graph *g = x->g;
	struct keep *k = keep_new(a, g, policy, budget);
	struct tally t = { 0 };

	k->alpha = o->alpha;
	k->beta = o->beta;
	memset(x->edits, 0, g->n * sizeof *x->edits);
	keep_begin(k, x->full, false);
	for (uint32_t i = 0; i < g->n; i++)
		keep_made(k, g->topo[i]);
	for (uint32_t r = 0; r < o->rounds; r++) {
		const struct round *at = &x->round[r];

		x->edits[at->edit]++;
		k->version++;
		for (uint32_t u = 0; u < g->n; u++)
			if (!keep_has(at->valid, u))
				keep_drop(k, u);
		t.seconds += planner_run(x->p, at->valid, k->have, 0, x->compute, x->load);
		t.requests += bits(at->ideal, NULL, g->words);
		t.hits += bits(at->ideal, k->have, g->words);
		for (uint32_t i = 0; i < g->n; i++)
			if (keep_has(x->load, g->topo[i]))
				keep_read(k, g->topo[i]);
		keep_begin(k, x->compute, true);
		for (uint32_t i = 0; i < g->n; i++)
			if (keep_has(x->compute, g->topo[i]))
				keep_made(k, g->topo[i]);
	}
	t.evictions = k->evictions;
	arena_free(a);
	return t;
}

/* ---- bounds ---- */

/* What no policy can beat in a round: any results within the budget may be loaded. Lagrange's relaxation of the budget. */
static double round_bound(struct world *x, const struct round *at, double budget)
{
	const struct keep_graph *g = x->g;
	double lo = 0, hi = 0, best = at->all, bytes = 0;

	for (uint32_t u = 0; u < g->n; u++)
		bytes += keep_has(at->ideal, u) ? g->bytes[u] : 0;
	if (bytes <= budget)
		return best;
	for (uint32_t u = 0; u < g->n; u++)
		if (g->bytes[u] > 0 && x->cold / g->bytes[u] > hi)
			hi = x->cold / g->bytes[u];
	for (int i = 0; i < BOUND_STEPS; i++) {
		double price = i ? sqrt((lo > 0 ? lo : hi * 1e-9) * hi) : hi * 1e-6, cost = planner_run(x->p, at->valid, x->full, price, NULL, x->load);

		if (cost - price * budget > best)
			best = cost - price * budget;
		bytes = 0;
		for (uint32_t u = 0; u < g->n; u++)
			bytes += keep_has(x->load, u) ? g->bytes[u] : 0;
		if (bytes > budget)
			lo = price;
		else
			hi = price;
	}
	return best;
}

static double bound(struct world *x, const struct sim_opts *o, double budget)
{
	double sum = 0;

	for (uint32_t r = 0; r < o->rounds; r++)
		sum += round_bound(x, &x->round[r], budget);
	return sum;
}

/* The best set for the next edit, from what is at hand after each round. */
static double optimum(struct world *x, const struct sim_opts *o, double budget)
{
	uint64_t have = 0, may = (UINT64_C(1) << x->g->n) - 1, seen[64] = { 0 }, best[64] = { 0 };
	uint32_t known = 0;
	double sum = 0;

	for (uint32_t r = 0; r <= o->rounds; r++) {
		uint32_t i = 0;

		if (r) {
			const struct round *at = &x->round[r - 1];

			have &= *at->valid;
			sum += planner_run(x->p, at->valid, &have, 0, x->compute, x->load);
			may = have | *x->compute;
		}
		while (i < known && seen[i] != may)
			i++;
		if (i == known) {
			struct arena *a = arena_new();

			i = known < 64 ? known++ : 0;
			seen[i] = may;
			keep_optimum(a, x->g, x->weight, budget, may, &best[i]);
			arena_free(a);
		}
		have = best[i];
	}
	return sum;
}

/* ---- cells ---- */

struct sums { double seconds, squares, hits, requests, worst; uint32_t evictions; double *by_seed; };

static double budget_of(const struct sim_budget *b, const struct world *x)
{
	double all = 0;

	for (uint32_t u = 0; u < x->g->n; u++)
		all += x->g->bytes[u];
	return b->share ? b->value * all : b->value;
}

static void finish(struct sim_cell *c, const struct sums *s, const struct sim_opts *o)
{
	const double *lru = NULL;

	for (uint32_t i = 0; i < o->policies.n; i++)
		if (!strcmp(o->policies.v[i]->name, "lru"))
			lru = s[i].by_seed;
	for (uint32_t i = 0; i < o->policies.n; i++) {
		double mean = s[i].seconds / o->seeds, var = s[i].squares / o->seeds - mean * mean, gain = c->none - c->all;

		c->score[i] = (struct sim_score){ mean, var > 0 ? sqrt(var) : 0, s[i].requests > 0 ? s[i].hits / s[i].requests : 0, gain > 0 ? (c->none - mean) / gain : 0, 0,
			o->seeds ? s[i].evictions / o->seeds : 0 };
		for (uint32_t k = 0; lru && k < o->seeds; k++)
			if (s[i].by_seed[k] / lru[k] > c->score[i].worst)
				c->score[i].worst = s[i].by_seed[k] / lru[k];
	}
}

static void run_cell(struct arena *a, struct sim_cell *c, const struct sim_opts *o)
{
	struct sums *s = arena_array(a, struct sums, o->policies.n);

	c->score = arena_array(a, struct sim_score, o->policies.n);
	for (uint32_t i = 0; i < o->policies.n; i++)
		s[i].by_seed = arena_array(a, double, o->seeds);
	for (uint32_t k = 0; k < o->seeds; k++) {
		struct world x = world_new(c->w, o, c->edits, o->first + k);
		double budget = budget_of(c->budget, &x);

		c->bytes += budget / o->seeds;
		c->cold += x.cold / o->seeds;
		c->none += x.none / o->seeds;
		for (uint32_t r = 0; r < o->rounds; r++)
			c->all += x.round[r].all / o->seeds;
		if (o->bound)
			c->bound += bound(&x, o, budget) / o->seeds;
		if (o->bound && x.g->n <= OPTIMUM_MAX)
			c->optimum += optimum(&x, o, budget) / o->seeds;
		for (uint32_t i = 0; i < o->policies.n; i++) {
			struct tally t = play(&x, o, o->policies.v[i], budget);

			s[i].seconds += t.seconds;
			s[i].squares += t.seconds * t.seconds;
			s[i].hits += t.hits;
			s[i].requests += t.requests;
			s[i].evictions += t.evictions;
			s[i].by_seed[k] = t.seconds;
		}
		arena_free(x.arena);
	}
	finish(c, s, o);
}

void sim_cache_run(struct arena *a, const struct sim_workload *const *w, uint32_t n, const struct sim_opts *o, struct sim_result *r,
                   void (*progress)(uint32_t done, uint32_t of, void *data), void *data)
{
	uint32_t models = 0;

	*r = (struct sim_result){ .o = o };
	for (int e = 0; e < EDITS_COUNT; e++)
		models += o->edits >> e & 1;
	for (uint32_t i = 0; i < n; i++)
		for (int e = 0; e < EDITS_COUNT; e++)
			for (uint32_t b = 0; o->edits >> e & 1 && b < o->budgets.n; b++) {
				struct sim_cell c = { .w = w[i], .edits = (enum sim_edits)e, .budget = &o->budgets.v[b] };

				run_cell(a, &c, o);
				vec_push(a, &r->cells, c);
				if (progress)
					progress(r->cells.n, n * models * o->budgets.n, data);
			}
}

/* ---- who is ahead ---- */

#define TIE (1 + 1e-9)

struct sim_standing sim_standing(const struct sim_result *r, const char *policy)
{
	const struct sim_opts *o = r->o;
	struct sim_standing s = { .cells = r->cells.n };
	uint32_t me = 0;

	while (me < o->policies.n && strcmp(o->policies.v[me]->name, policy) != 0)
		me++;
	for (uint32_t i = 0; me < o->policies.n && i < r->cells.n; i++) {
		const struct sim_score *v = r->cells.v[i].score;
		bool first = true;

		for (uint32_t k = 0; k < o->policies.n; k++) {
			if (o->policies.v[k]->unlimited)
				continue;
			first = first && v[me].seconds <= v[k].seconds * TIE;
			s.beats_lru += !strcmp(o->policies.v[k]->name, "lru") && v[me].seconds <= v[k].seconds * TIE;
			s.beats_couler += !strcmp(o->policies.v[k]->name, "couler") && v[me].seconds <= v[k].seconds * TIE;
		}
		s.first += first;
	}
	return s;
}
