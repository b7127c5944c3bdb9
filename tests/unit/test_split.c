/* Partitions of graphs: no circles, every node once, every part within its limit, at every shape; and what algorithm 3 gives. */
#include <check.h>
#include <stdlib.h>

#include "couler/arena.h"
#include "passes/split.h"

struct dag { struct arena *a; uint32_t n, edges, cap, *start, *pred; double (*cost)[COST_DIMS]; bool *pinned; uint64_t seed; };

static uint32_t roll(struct dag *d, uint32_t n)
{
	d->seed = d->seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(d->seed >> 33) % n;
}

static struct dag dag_new(uint32_t n, uint64_t seed)
{
	struct dag d = { .a = arena_new(), .n = n, .seed = seed * 2 + 1 };

	d.start = arena_array(d.a, uint32_t, n + 1);
	d.cost = arena_alloc(d.a, n * sizeof *d.cost);
	d.pinned = arena_array(d.a, bool, n);
	for (uint32_t i = 0; i < n; i++)
		d.cost[i][COST_TASKS] = 1;
	return d;
}

/* Edges must come in the order of their ends. */
static void edge(struct dag *d, uint32_t from)
{
	if (d->edges == d->cap) {
		d->pred = arena_grow(d->a, d->pred, d->cap * sizeof *d->pred, (d->cap ? 2 * d->cap : 64) * sizeof *d->pred);
		d->cap = d->cap ? 2 * d->cap : 64;
	}
	d->pred[d->edges++] = from;
}

static struct part_graph graph_of(struct dag *d)
{
	if (!d->pred)
		d->pred = arena_array(d->a, uint32_t, 1);
	return (struct part_graph){ d->n, d->start, d->pred, (const double (*)[COST_DIMS])d->cost, NULL, d->pinned };
}

enum shape { CHAIN, FAN, LAYERS, RANDOM, FOREST, NSHAPES };

static struct dag shape(enum shape s, uint32_t n, uint64_t seed)
{
	struct dag d = dag_new(n, seed);

	for (uint32_t i = 0; i < n; i++) {
		switch (s) {
		case CHAIN:
			if (i)
				edge(&d, i - 1);
			break;
		case FAN:
			for (uint32_t k = 1; i == n - 1 && k < n - 1; k++)
				edge(&d, k);
			if (i && i < n - 1)
				edge(&d, 0);
			break;
		case LAYERS:
			for (uint32_t k = 0; i >= 20 && k < 2; k++)
				edge(&d, i / 20 * 20 - 20 + roll(&d, 20));
			break;
		case RANDOM:
			for (uint32_t k = 0; i && k < 3; k++)
				if (roll(&d, 3))
					edge(&d, roll(&d, i));
			break;
		default:
			if (i && i % 10)
				edge(&d, i - 1);
		}
		d.start[i + 1] = d.edges;
	}
	return d;
}

static void holds(struct dag *d, const struct part_opts *o, struct partition *p)
{
	struct part_graph g = graph_of(d);
	const char *bad;
	uint32_t at;

	ck_assert_int_eq(part_graph(&g, o, p, &at), 0);
	bad = partition_check(&g, o, p);
	ck_assert_msg(!bad, "%s", bad ? bad : "");
	ck_assert(p->makespan >= p->bound - 1e-9);
}

START_TEST(every_shape)
{
	for (int s = 0; s < NSHAPES; s++) {
		for (int m = 0; m < 2; m++) {
			struct dag d = shape((enum shape)s, 1000, 7 + (uint64_t)s);
			struct part_opts o = { m ? PART_DFS : PART_ACYCLIC, { 0, 50, 0, 0 }, 40, 0.1 };
			struct partition p;

			holds(&d, &o, &p);
			ck_assert_uint_ge(p.n, 20);
			partition_free(&p);
			arena_free(d.a);
		}
	}
}
END_TEST

START_TEST(random_graphs)
{
	for (uint64_t seed = 1; seed <= 400; seed++) {
		struct dag d = shape((enum shape)(seed % NSHAPES), 2 + (uint32_t)(seed * 7 % 120), seed);
		struct part_opts o = { seed % 3 ? PART_ACYCLIC : PART_DFS, { 0, 1 + (double)(seed % 9), 0, 0 }, (uint32_t)(seed % 50), 0.5 };
		struct partition p;

		for (uint32_t i = 0; i < d.n; i++) {
			d.pinned[i] = !roll(&d, 15);
			d.cost[i][COST_BYTES] = roll(&d, 100);
		}
		if (seed % 2)
			o.limit[COST_BYTES] = 150;
		holds(&d, &o, &p);
		partition_free(&p);
		arena_free(d.a);
	}
}
END_TEST

/* 20 chains of 10: depth first walks put one chain into each part, and so do bands; nothing crosses and nothing waits. */
START_TEST(keeps_what_is_parallel)
{
	struct dag d = shape(FOREST, 200, 1), l = shape(LAYERS, 400, 3);
	struct part_opts o = { PART_ACYCLIC, { 0, 20, 0, 0 }, 40, 0.1 }, dfs = { PART_DFS, { 0, 20, 0, 0 }, 40, 0.1 };
	struct partition p, q;

	holds(&d, &o, &p);
	ck_assert_uint_eq(p.cut, 0);
	ck_assert_double_eq_tol(p.bound, 10, 1e-9);
	ck_assert_double_eq_tol(p.makespan, 10.1, 1e-9);
	partition_free(&p);
	holds(&l, &o, &p);
	holds(&l, &dfs, &q);
	ck_assert_double_eq_tol(p.bound, 20, 1e-9);
	ck_assert(p.makespan <= 22 + 1e-9);
	ck_assert(q.makespan >= p.makespan);
	ck_assert_uint_gt(q.repaired, 0);
	partition_free(&p);
	partition_free(&q);
	arena_free(d.a);
	arena_free(l.a);
}
END_TEST

START_TEST(too_large_and_circles)
{
	struct dag d = shape(CHAIN, 10, 1), c = dag_new(3, 1);
	struct part_opts o = { PART_ACYCLIC, { 100, 0, 0, 0 }, 2, 0 };
	struct part_graph g = graph_of(&d);
	struct partition p;
	uint32_t at;

	d.cost[6][COST_BYTES] = 101;
	ck_assert_int_eq(part_graph(&g, &o, &p, &at), -2);
	ck_assert_uint_eq(at, 6);
	o.method = PART_DFS;
	ck_assert_int_eq(part_graph(&g, &o, &p, &at), -2);
	ck_assert_uint_eq(at, 6);
	for (uint32_t i = 0; i < 3; i++) {
		edge(&c, (i + 2) % 3);
		c.start[i + 1] = c.edges;
	}
	g = graph_of(&c);
	ck_assert_int_eq(part_graph(&g, &o, &p, &at), -1);
	o.method = PART_ACYCLIC;
	ck_assert_int_eq(part_graph(&g, &o, &p, &at), -1);
	arena_free(d.a);
	arena_free(c.a);
}
END_TEST

START_TEST(of_nothing)
{
	struct dag d = dag_new(0, 1);
	struct part_opts o = { PART_ACYCLIC, { 0, 5, 0, 0 }, 1, 0 };
	struct part_graph g = graph_of(&d);
	struct partition p;
	uint32_t at;

	ck_assert_int_eq(part_graph(&g, &o, &p, &at), 0);
	ck_assert_uint_eq(p.n, 0);
	partition_free(&p);
	arena_free(d.a);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("split");
	TCase *t = tcase_create("partitions");
	SRunner *r;
	int failed;

	tcase_set_timeout(t, 60);
	tcase_add_test(t, every_shape);
	tcase_add_test(t, random_graphs);
	tcase_add_test(t, keeps_what_is_parallel);
	tcase_add_test(t, too_large_and_circles);
	tcase_add_test(t, of_nothing);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
