/* Cache policies: values computed by hand, plans against enumeration, sets against the exact optimum, the simulator. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "couler/cachesim.h"

static struct arena *arena;

static void setup(void)
{
	arena = arena_new();
}

static void teardown(void)
{
	arena_free(arena);
}

/*
 * A diamond with a tail:  0 -> 1 -> 3 -> 4
 *                         0 -> 2 -> 3        seconds 10 20 30 40 50, GB 1 2 3 4 5, loading 1 s and 1 s a GB
 * Degrees: 2 2 2 3 1.
 */
static const uint32_t diamond[][2] = { { 0, 1 }, { 0, 2 }, { 1, 3 }, { 2, 3 }, { 3, 4 } };
static const double seconds[] = { 10, 20, 30, 40, 50 }, bytes[] = { 1e9, 2e9, 3e9, 4e9, 5e9 };

static struct keep *cache(const char *policy, double budget)
{
	struct keep_graph *g = keep_graph_new(arena, 5, diamond, 5, seconds, bytes, 1, 1e9);

	ck_assert_ptr_nonnull(g);
	return keep_new(arena, g, keep_policy_find(policy), budget);
}

/* As digits, in the order of the nodes. */
static const char *kept(const struct keep *k)
{
	static char out[64];
	uint32_t n = 0;

	for (uint32_t u = 0; u < k->g->n; u++)
		if (keep_has(k->have, u))
			out[n++] = (char)('0' + u);
	out[n] = '\0';
	return out;
}

static const char *after(struct keep *k, const char *made)
{
	for (; *made; made++)
		keep_made(k, (uint32_t)(*made - '0'));
	return kept(k);
}

/* ---- Couler, eq. 3 to 6, algorithm 2 ---- */

START_TEST(couler_terms)
{
	struct keep *k = cache("couler", 100e9);

	/* eq. 3 for node 3: edges 1-3 (20 + 2*3), 2-3 (30 + 2*3), 0-1 and 0-2 (10 + 2*2 each) */
	ck_assert_double_eq(keep_couler_cost(k, 3), 26 + 36 + 14 + 14);
	ck_assert_double_eq(keep_couler_cost(k, 4), 90 + 40 + 3 * 1);
	ck_assert_double_eq(keep_couler_cost(k, 0), 0);
	keep_made(k, 1);                                                    /* cut there: the edge into 1 is no part of it any more */
	ck_assert_double_eq(keep_couler_cost(k, 3), 26 + 36 + 14);
	/* eq. 4, 5 for node 0: 1 and 2 are direct (zeta -1), 3 at distance 2, 4 at distance 3 */
	ck_assert_double_eq_tol(keep_couler_reuse(k, 0), 1.0 / 2 + 1.0 / 3, 1e-15);
	ck_assert_double_eq(keep_couler_reuse(k, 1), 1.0 / 2);
	ck_assert_double_eq(keep_couler_reuse(k, 4), 0);
	/* eq. 6 with alpha 1.5, beta 1, V in GB */
	ck_assert_double_eq_tol(keep_couler_importance(k, 3), 1.5 * log(1 + 76.0) + 0 - exp(-4), 1e-12);
	ck_assert_double_eq_tol(keep_couler_importance(k, 0), 0 + 25.0 / 36 - exp(-1), 1e-12);
}
END_TEST

START_TEST(couler_algorithm_2)
{
	struct keep *k = cache("couler", 6e9);

	/*
	 * 0, 1, 2 fit (1 + 2 + 3). Then 3 (4 GB) comes: with 1 and 2 kept L(3) is 62, I = 6.20; I(0) = 0.33; I(1): 0 is kept, L = 14,
	 * I = 4.18; I(2) = 4.26. So 0 goes, scores are made again (L(1) stays 14), 1 goes, and 3 fits beside nothing but... 2 has
	 * 3 GB: 3 + 4 > 6, so it goes as well.
	 */
	ck_assert_str_eq(after(k, "012"), "012");
	ck_assert_double_eq_tol(keep_couler_importance(k, 0), 25.0 / 36 - exp(-1), 1e-12);
	ck_assert_double_eq_tol(keep_couler_importance(k, 1), 1.5 * log(15) + 0.25 - exp(-2), 1e-12);
	ck_assert_double_eq_tol(keep_couler_importance(k, 2), 1.5 * log(15) + 0.25 - exp(-3), 1e-12);
	ck_assert_double_eq_tol(keep_couler_importance(k, 3), 1.5 * log(63) - exp(-4), 1e-12);
	ck_assert_str_eq(after(k, "3"), "3");
	ck_assert_uint_eq(k->evictions, 3);
	/* 0 again: 1 GB fits; then 1: 4 + 1 + 2 > 6 and I(0) is the lowest */
	ck_assert_str_eq(after(k, "0"), "03");
	ck_assert_str_eq(after(k, "1"), "13");
	ck_assert_str_eq(after(k, "0"), "13");                              /* the newcomer is itself the lowest */
}
END_TEST

/* ---- the others ---- */

START_TEST(by_use)
{
	struct keep *k = cache("fifo", 6e9);

	ck_assert_str_eq(after(k, "012"), "012");
	keep_read(k, 0);
	ck_assert_str_eq(after(k, "3"), "3");                               /* 0, then 1, then 2: only 4 + 2 GB would fit, but 2 came in last */
	k = cache("lru", 6e9);
	after(k, "012");
	keep_read(k, 0);
	ck_assert_str_eq(after(k, "3"), "03");                              /* 1 and 2 go, 0 was read */
	k = cache("lfu", 6e9);
	after(k, "012");
	keep_read(k, 2);
	keep_read(k, 0);
	keep_read(k, 0);
	ck_assert_str_eq(after(k, "1"), "012");
	ck_assert_str_eq(after(k, "3"), "012");                             /* once used like nothing else: it is the lowest itself */
	k = cache("none", 6e9);
	ck_assert_str_eq(after(k, "01234"), "");
	k = cache("all", 6e9);
	ck_assert_str_eq(after(k, "01234"), "01234");
}
END_TEST

START_TEST(by_worth)
{
	struct keep *k = cache("gdsf", 6e9);

	/* H in s/GB: 10, 10, 10, 10, 10; reads of 1 raise it to 20 */
	after(k, "012");
	keep_read(k, 1);
	ck_assert_double_eq(k->policy->score(k, 1), 2 * 20 / 2e9);
	ck_assert_double_eq(k->policy->score(k, 2), 10 / 1e9);
	k = cache("lrc", 6e9);
	after(k, "012");
	ck_assert_str_eq(after(k, "4"), "012");                             /* nothing reads 4 */
	k = cache("helix", 6e9);
	/* 0: 10 > 2 * 2; 1: 20 > 2 * 3; 2: 30 > 2 * 4; 3 and 4 have no room, and nothing makes any */
	ck_assert_str_eq(after(k, "01234"), "012");
	k = cache("hyppo", 6e9);
	after(k, "01");
	/* 1 with 0 kept: (20 + load 2 - load 3) / 2 GB */
	ck_assert_double_eq_tol(k->policy->score(k, 1), 19 / 2e9, 1e-18);
	keep_read(k, 1);
	ck_assert_double_eq_tol(k->policy->score(k, 1), 2 * 19 / 2e9, 1e-18);
}
END_TEST

START_TEST(expected_reuse)
{
	static uint32_t edits[5];
	struct keep *k = cache("couler+", 100e9);

	((struct keep_graph *)(uintptr_t)k->g)->edits = edits;
	/* nothing kept: 3 is asked for unless 0, 1, 2 or 3 changes: 1 of 5 edits. With 3 kept, 1 is asked for when 2 or 3 changes, and then only 1. */
	ck_assert_double_eq_tol(keep_expected_reuse(k, 3), 1.0 / 5, 1e-15);
	ck_assert_double_eq_tol(keep_expected_reuse(k, 1), 3.0 / 5, 1e-15);
	keep_made(k, 4);
	keep_made(k, 3);
	ck_assert_double_eq_tol(keep_expected_reuse(k, 1), 2.0 / 5, 1e-15);
	ck_assert_double_eq_tol(keep_expected_reuse(k, 4), 0, 1e-15);         /* a sink that every edit reaches */
	edits[2] = 5;
	k->version++;
	ck_assert_double_eq_tol(keep_expected_reuse(k, 1), (2 + 5) / 10.0, 1e-15);
	edits[2] = 0;
	k->version++;
	/* next run: after 0, 1 or 2: they and what follows; 3, 4 after 3; load 3 and 50 s after 4 */
	ck_assert_double_eq_tol(keep_next_run(k), (150 + (20 + 10 + 30 + 40 + 50) + (30 + 10 + 20 + 40 + 50) + (40 + 50 + 20 + 30 + 10) + (50 + 5)) / 5.0, 1e-9);
}
END_TEST

START_TEST(budgets_hold)
{
	for (const struct keep_policy *p = keep_policies; p->name; p++) {
		for (double budget = 0; budget < 16e9; budget += 0.5e9) {
			struct keep *k = cache(p->name, budget);
			double sum = 0;

			after(k, "0123401234");
			for (uint32_t u = 0; u < 5; u++)
				sum += keep_has(k->have, u) ? bytes[u] : 0;
			ck_assert_double_eq_tol(sum, k->used, 1);
			ck_assert(p->unlimited || k->used <= budget);
		}
	}
	ck_assert_ptr_null(keep_policy_find("lruu"));
	ck_assert_ptr_null(keep_graph_new(arena, 2, (const uint32_t[][2]){ { 0, 1 }, { 1, 0 } }, 2, seconds, bytes, 0, 1));
}
END_TEST

/* ---- random graphs ---- */

static uint64_t state;

static double uniform(void)
{
	uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return (double)((z ^ z >> 31) >> 11) * 0x1p-53;
}

static struct keep_graph *random_graph(uint32_t n)
{
	uint32_t edge[64][2], m = 0;
	double s[16], b[16];

	for (uint32_t u = 0; u < n; u++) {
		s[u] = 1 + 99 * uniform() * uniform();
		b[u] = (0.1 + 5 * uniform() * uniform()) * 1e9;
		for (uint32_t v = 0; v < u; v++)
			if (uniform() < 2.2 / n && m < 64) {
				edge[m][0] = v;
				edge[m++][1] = u;
			}
	}
	return keep_graph_new(arena, n, (const uint32_t (*)[2])edge, m, s, b, 0.5, 1e9);
}

/* The least cost over all sets of computed nodes: what they and the sinks need is loaded, or it is no plan. */
static double brute(const struct keep_graph *g, uint64_t valid, uint64_t have)
{
	double least = INFINITY;

	for (uint64_t set = 0; set < UINT64_C(1) << g->n; set++) {
		uint64_t need = 0;
		double cost = 0;

		for (uint32_t u = 0; u < g->n; u++) {
			if (g->sstart[u] == g->sstart[u + 1])
				need |= UINT64_C(1) << u;
			for (uint32_t e = g->pstart[u]; set >> u & 1 && e < g->pstart[u + 1]; e++)
				need |= UINT64_C(1) << g->pred[e];
			cost += set >> u & 1 ? g->seconds[u] : 0;
		}
		need &= ~set;
		if (need & ~(valid & have))
			continue;
		for (uint32_t u = 0; u < g->n; u++)
			cost += need >> u & 1 ? g->load[u] : 0;
		least = cost < least ? cost : least;
	}
	return least;
}

START_TEST(plans_are_optimal)
{
	state = 7;
	for (int i = 0; i < 300; i++) {
		struct keep_graph *g = random_graph(2 + (uint32_t)(uniform() * 8));
		struct planner *p = planner_new(arena, g);
		uint64_t valid = ~g->below[(uint32_t)(uniform() * g->n)], have = (uint64_t)(uniform() * (1 << g->n)), compute, load;
		double cost = planner_run(p, &valid, &have, 0, &compute, &load), sum = 0;

		ck_assert_double_eq_tol(cost, brute(g, valid, have), 1e-6);
		for (uint32_t u = 0; u < g->n; u++)
			sum += (compute >> u & 1 ? g->seconds[u] : 0) + (load >> u & 1 ? g->load[u] : 0);
		ck_assert_double_eq_tol(sum, cost, 1e-6);
		ck_assert_uint_eq(load & ~(valid & have), 0);
	}
}
END_TEST

/* After a first run, the expected next one by the set of each policy against the best set: nothing is better, couler+ is near. */
START_TEST(against_the_optimum)
{
	enum { GRAPHS = 60 };
	double regret[16] = { 0 };
	int plus = 0, lru = 0, couler = 0;

	state = 11;
	for (int i = 0; i < GRAPHS; i++) {
		struct keep_graph *g = random_graph(6 + (uint32_t)(uniform() * 5));
		struct planner *p = planner_new(arena, g);
		double weight[16], all = 0, budget, best;
		uint64_t valid, set, full = UINT64_MAX;

		for (uint32_t u = 0; u < g->n; u++) {
			weight[u] = 1.0 / g->n;
			all += g->bytes[u];
		}
		budget = all * (0.1 + 0.5 * uniform());
		best = keep_optimum(arena, g, weight, budget, (UINT64_C(1) << g->n) - 1, &set);
		for (int q = 0; keep_policies[q].name; q++) {
			struct keep *k = keep_new(arena, g, &keep_policies[q], budget);
			double cost;

			keep_begin(k, &full, false);
			for (uint32_t u = 0; u < g->n; u++)
				keep_made(k, g->topo[u]);
			cost = keep_expected(p, g, weight, k->have, &valid);
			if (!keep_policies[q].unlimited)
				ck_assert_double_ge(cost, best * (1 - 1e-9));
			regret[q] += (cost / best - 1) / GRAPHS;
		}
	}
	for (int q = 0; keep_policies[q].name; q++) {
		plus = strcmp(keep_policies[q].name, "couler+") ? plus : q;
		lru = strcmp(keep_policies[q].name, "lru") ? lru : q;
		couler = strcmp(keep_policies[q].name, "couler") ? couler : q;
	}
	ck_assert_double_lt(regret[plus], 0.03);
	ck_assert_double_lt(regret[plus], regret[lru] / 4);
	ck_assert_double_lt(regret[plus], regret[couler] / 4);
}
END_TEST

/* ---- the simulator ---- */

static struct sim_opts options(void)
{
	struct sim_opts o = { .seeds = 6, .rounds = 10, .first = 1, .latency = 0.2, .rate = 200e6, .alpha = 1.5, .beta = 1, .edits = 3, .bound = true };

	vec_push(arena, &o.budgets, ((struct sim_budget){ "5%", 0.05, true }));
	vec_push(arena, &o.budgets, ((struct sim_budget){ "20GB", 20e9, false }));
	for (const struct keep_policy *p = keep_policies; p->name; p++)
		vec_push(arena, &o.policies, p);
	return o;
}

START_TEST(simulator)
{
	struct sim_opts o = options();
	struct sim_result r, again;
	struct strbuf a = { 0 }, b = { 0 };
	const struct sim_workload *w[3];
	static const uint32_t steps[] = { 37, 15, 21 };

	for (int i = 0; i < 3; i++) {
		w[i] = sim_scenario(arena, sim_scenarios[i]);
		ck_assert_uint_eq(w[i]->n, steps[i]);
	}
	sim_cache_run(arena, w, 3, &o, &r, NULL, NULL);
	sim_cache_run(arena, w, 3, &o, &again, NULL, NULL);
	sim_cache_json(&r, &a);
	sim_cache_json(&again, &b);
	ck_assert_str_eq(sb_cstr(&a), sb_cstr(&b));                         /* equal seeds, equal bytes */
	ck_assert_uint_eq(r.cells.n, 12);
	for (uint32_t i = 0; i < r.cells.n; i++) {
		const struct sim_cell *c = &r.cells.v[i];

		ck_assert_double_le(c->bound, c->none);
		ck_assert_double_ge(c->bound, c->all * (1 - 1e-9));
		for (uint32_t k = 0; k < o.policies.n; k++) {
			if (!o.policies.v[k]->unlimited)
				ck_assert_double_ge(c->score[k].seconds, c->bound * (1 - 1e-9));
			ck_assert(c->score[k].hits >= 0 && c->score[k].hits <= 1 && c->score[k].saved <= 1 + 1e-9);
			if (!strcmp(o.policies.v[k]->name, "none"))
				ck_assert_double_eq_tol(c->score[k].seconds, c->none, 1e-6 * c->none);
			if (!strcmp(o.policies.v[k]->name, "all"))
				ck_assert_double_eq_tol(c->score[k].seconds, c->all, 1e-6 * c->all);
		}
	}
	ck_assert_uint_eq(sim_standing(&r, "couler+").beats_lru, 12);
	ck_assert_uint_eq(sim_standing(&r, "couler+").beats_couler, 12);
	sb_free(&a);
	sb_free(&b);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("cache");
	TCase *tc = tcase_create("cache");
	SRunner *r;
	int bad;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, couler_terms);
	tcase_add_test(tc, couler_algorithm_2);
	tcase_add_test(tc, by_use);
	tcase_add_test(tc, by_worth);
	tcase_add_test(tc, expected_reuse);
	tcase_add_test(tc, budgets_hold);
	tcase_add_test(tc, plans_are_optimal);
	tcase_add_test(tc, against_the_optimum);
	tcase_add_test(tc, simulator);
	suite_add_tcase(s, tc);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	bad = srunner_ntests_failed(r);
	srunner_free(r);
	return bad != 0;
}
