/* Walking the IR and graph algorithms, against brute force on random graphs and on a million nodes. */
#include <stdlib.h>
#include <time.h>

#include "graphs.h"

static uint64_t rnd(uint64_t *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 7;
	*s ^= *s << 17;
	return *s;
}

/* Edges from a list of pairs (pred, succ) that ends at -1. */
static struct edges *make(struct arena *a, uint32_t n, const int *pairs)
{
	struct edges *e = arena_new_of(a, struct edges);
	uint32_t k = 0;

	for (const int *p = pairs; *p >= 0; p += 2)
		k++;
	e->n = n;
	e->start = arena_array(a, uint32_t, n + 1);
	e->pred = arena_array(a, uint32_t, k);
	e->flags = arena_array(a, uint8_t, k);
	k = 0;
	for (uint32_t v = 0; v < n; v++) {
		for (uint32_t u = 0; u < n; u++)
			for (const int *p = pairs; *p >= 0; p += 2)
				if (p[0] == (int)u && p[1] == (int)v) {
					e->pred[k++] = u;
					break;
				}
		e->start[v + 1] = k;
	}
	return e;
}

START_TEST(order)
{
	struct arena *a = arena_new();
	struct edges *e = make(a, 5, (int[]){ 3, 0, 3, 1, 0, 2, 1, 2, -1 });
	uint32_t *t = graph_topo(a, e), n;
	static const uint32_t want[] = { 3, 0, 1, 2, 4 };
	double len, w[] = { 1, 5, 1, 2, 1 };
	uint32_t *path;

	ck_assert_ptr_nonnull(t);
	for (int i = 0; i < 5; i++)
		ck_assert_uint_eq(t[i], want[i]);
	ck_assert_ptr_null(graph_cycle(a, e, &n));
	ck_assert_uint_eq(graph_width(a, e), 2);
	path = graph_critical_path(a, e, w, &n, &len);
	ck_assert_uint_eq(n, 3);
	ck_assert(len == 8 && path[0] == 3 && path[1] == 1 && path[2] == 2);
	e = make(a, 0, (int[]){ -1 });
	ck_assert_ptr_nonnull(graph_topo(a, e));
	ck_assert_uint_eq(graph_width(a, e), 0);
	arena_free(a);
}
END_TEST

START_TEST(cycles)
{
	struct arena *a = arena_new();
	struct edges *e = make(a, 6, (int[]){ 0, 1, 1, 4, 4, 2, 2, 1, 3, 2, 4, 5, -1 });
	uint32_t n, *c = graph_cycle(a, e, &n);

	ck_assert_ptr_null(graph_topo(a, e));
	ck_assert_uint_eq(n, 3);
	ck_assert(c[0] == 1 && c[1] == 4 && c[2] == 2);
	ck_assert_uint_eq(graph_width(a, e), 0);
	arena_free(a);
}
END_TEST

/* Edges of a random DAG of n nodes, numbered along the order when forward is set. */
static struct edges *random_dag(struct arena *a, uint32_t n, unsigned percent, uint64_t *seed, bool shuffled)
{
	uint32_t *at = arena_array(a, uint32_t, n);
	bool *adj = arena_array(a, bool, n * n);
	struct edges *e = arena_new_of(a, struct edges);
	uint32_t k = 0;

	for (uint32_t i = 0; i < n; i++)
		at[i] = i;
	for (uint32_t i = n; shuffled && i > 1; i--) {
		uint32_t j = (uint32_t)(rnd(seed) % i), t = at[j];

		at[j] = at[i - 1];
		at[i - 1] = t;
	}
	for (uint32_t u = 0; u < n; u++)
		for (uint32_t v = u + 1; v < n; v++)
			if (rnd(seed) % 100 < percent)
				adj[at[u] * n + at[v]] = true, k++;
	e->n = n;
	e->start = arena_array(a, uint32_t, n + 1);
	e->pred = arena_array(a, uint32_t, k);
	e->flags = arena_array(a, uint8_t, k);
	k = 0;
	for (uint32_t v = 0; v < n; v++) {
		for (uint32_t u = 0; u < n; u++)
			if (adj[u * n + v])
				e->pred[k++] = u;
		e->start[v + 1] = k;
	}
	return e;
}

START_TEST(redundant_as_brute_force)
{
	uint64_t seed = 4711;

	for (int round = 0; round < 400; round++) {
		struct arena *a = arena_new();
		uint32_t n = 2 + (uint32_t)(rnd(&seed) % 24);
		struct edges *e = random_dag(a, n, 5 + (unsigned)(rnd(&seed) % 60), &seed, round % 2);
		uint8_t *got = graph_redundant(a, e);
		bool *reach = arena_array(a, bool, n * n);
		uint32_t *topo = graph_topo(a, e);

		for (uint32_t i = 0; i < n; i++)
			for (uint32_t v = topo[i], j = e->start[v]; j < e->start[v + 1]; j++) {
				reach[e->pred[j] * n + v] = true;
				for (uint32_t u = 0; u < n; u++)
					reach[u * n + v] |= reach[u * n + e->pred[j]];
			}
		for (uint32_t v = 0; v < n; v++)
			for (uint32_t j = e->start[v]; j < e->start[v + 1]; j++) {
				bool want = false;

				for (uint32_t k = e->start[v]; k < e->start[v + 1]; k++)
					want |= k != j && reach[e->pred[j] * n + e->pred[k]];
				ck_assert_msg(got[j] == want, "round %d, %u -> %u", round, e->pred[j], v);
			}
		arena_free(a);
	}
}
END_TEST

START_TEST(edges_of_a_module)
{
	struct made m = made_new();
	struct ir *ir = module_new(&m);
	struct graph *g = ir->entry->body, *body;
	struct node *a = node_new(&m, g, N_STEP, "a"), *b = node_new(&m, g, N_STEP, "b"), *r = node_new(&m, g, N_FOR, "for@3"), *inner, *last;
	struct edges *e;
	struct capture *cap;

	step_out(&m, a, "v", type_of(T_INT));
	step_in(&m, b, "x", type_of(T_INT), OP(&m, ADD, INT, read_out(&m, a, 0), read_out(&m, a, 0)));
	node_after(&m, b, a, true);
	body = graph_new(&m, ir->entry, r);
	r->u.for_.body = body;
	r->u.for_.list = LIST(&m, INT, I(&m, 1));
	inner = node_new(&m, body, N_STEP, "inner");
	step_out(&m, inner, "y", type_of(T_INT));
	step_in(&m, inner, "i", type_of(T_INT), expr_ref(m.a, REF_ITEM, r, 0, type_of(T_INT), made_span(&m)));
	step_in(&m, inner, "x", type_of(T_INT), read_out(&m, a, 0));
	step_in(&m, inner, "p", type_of(T_INT), expr_ref(m.a, REF_PARAM, NULL, 2, type_of(T_INT), made_span(&m)));
	node_after(&m, inner, b, false);
	r->ports = arena_new_of(m.a, struct port);
	r->ports[0] = (struct port){ .name = str_internz(m.strs, "inner.y"), .type = type_list(T_INT), .value = arena_array(m.a, struct expr *, 1) };
	r->ports[0].value[0] = read_out(&m, inner, 0);
	r->nports = 1;
	last = node_new(&m, g, N_STEP, "last");
	step_in(&m, last, "s", type_of(T_STRING), expr_ref(m.a, REF_STATUS, b, 0, type_of(T_STRING), made_span(&m)));
	node_after(&m, last, inner, false);

	e = graph_edges(m.a, g);
	ck_assert_uint_eq(e->n, 4);
	ck_assert_uint_eq(e->start[1], 0);
	ck_assert_uint_eq(e->start[2], 1);
	ck_assert(e->pred[0] == 0 && e->flags[0] == (EDGE_DATA | EDGE_SOFT));
	ck_assert_uint_eq(e->start[3], 3);
	ck_assert(e->pred[1] == 0 && e->flags[1] == EDGE_DATA);
	ck_assert(e->pred[2] == 1 && e->flags[2] == EDGE_ORDER);
	ck_assert_uint_eq(e->start[4], 5);
	ck_assert(e->pred[3] == 1 && e->flags[3] == EDGE_STATUS);
	ck_assert(e->pred[4] == 2 && e->flags[4] == EDGE_ORDER);

	ck_assert_uint_eq(node_captures(ir, r, &cap), 2);
	ck_assert(cap[0].kind == REF_OUTPUT && cap[0].node == a && cap[1].kind == REF_PARAM && cap[1].port == 2);
	ck_assert_ptr_eq(node_in(inner, g), r);
	ck_assert_ptr_eq(node_in(inner, body), inner);
	ck_assert_ptr_null(node_in(a, body));
	arena_free(m.a);
}
END_TEST

static void number(struct node *n, void *data)
{
	ck_assert_uint_eq(n->id, (*(uint32_t *)data)++);
}

START_TEST(walk_is_deep)
{
	struct made m = made_new();
	struct ir *ir = module_new(&m);
	struct graph *g = ir->entry->body;
	uint32_t n = 0;

	for (int i = 0; i < 200000; i++) {
		struct node *r = node_new(&m, g, N_GROUP, "g");

		g = graph_new(&m, ir->entry, r);
		r->u.group = g;
	}
	node_new(&m, g, N_STEP, "s");
	workflow_nodes(ir->entry, number, &n);
	ck_assert_uint_eq(n, 200001);
	arena_free(m.a);
}
END_TEST

static double cpu(void)
{
	return (double)clock() / CLOCKS_PER_SEC;
}

/* Layers of 1,000 steps that read three of the layer before and wait for the first step of all: a million nodes. */
START_TEST(million)
{
	struct made m = made_new();
	struct ir *ir = module_new(&m);
	struct graph *g = ir->entry->body;
	struct ir_task *task = NULL;
	struct edges *e;
	uint8_t *red;
	uint32_t n, found = 0, *topo;
	double start, len;

	for (uint32_t i = 0; i < 1000000; i++) {
		struct node *x = arena_new_of(m.a, struct node);

		if (!i) {
			x = node_new(&m, g, N_STEP, "s");
			step_out(&m, x, "v", type_of(T_INT));
			task = x->u.task;
			continue;
		}
		*x = *g->nodes.v[0];
		x->id = ir->entry->nnodes++;
		x->u.task = task;
		vec_push(m.a, &g->nodes, x);
		if (i < 1000)
			continue;
		x->nins = 3;
		x->ins = arena_array(m.a, struct expr *, 3);
		for (uint32_t k = 0; k < 3; k++)
			x->ins[k] = read_out(&m, g->nodes.v[(i / 1000 - 1) * 1000 + (i * 7 + k * 13) % 1000], 0);
		node_after(&m, x, g->nodes.v[0], false);
	}
	start = cpu();
	e = graph_edges(m.a, g);
	topo = graph_topo(m.a, e);
	ck_assert_ptr_nonnull(topo);
	ck_assert_uint_eq(graph_width(m.a, e), 1000);
	graph_critical_path(m.a, e, NULL, &n, &len);
	ck_assert_uint_eq(n, 1000);
	red = graph_redundant(m.a, e);
	for (uint32_t j = 0; j < e->start[e->n]; j++)
		found += red[j];
	ck_assert_uint_gt(found, 950000);
	ck_assert_msg(cpu() - start < 60, "%.1f s", cpu() - start);
	arena_free(m.a);
}
END_TEST

/* Each node of a chain waits for the one before and for the first: all but one of these are redundant, without a search. */
START_TEST(chain_with_shortcuts)
{
	struct arena *a = arena_new();
	uint32_t n = 1000000, k = 0, found = 0;
	struct edges e = { .n = n, .start = arena_array(a, uint32_t, n + 1), .pred = arena_array(a, uint32_t, 2 * n), .flags = arena_array(a, uint8_t, 2 * n) };
	uint8_t *red;

	for (uint32_t v = 0; v < n; v++) {
		if (v > 1)
			e.pred[k++] = 0;
		if (v)
			e.pred[k++] = v - 1;
		e.start[v + 1] = k;
	}
	red = graph_redundant(a, &e);
	for (uint32_t j = 0; j < k; j++)
		found += red[j];
	ck_assert_uint_eq(found, n - 2);
	arena_free(a);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("graph");
	TCase *tc = tcase_create("graph");
	SRunner *r;
	int bad;

	tcase_set_timeout(tc, 300);
	tcase_add_test(tc, order);
	tcase_add_test(tc, cycles);
	tcase_add_test(tc, redundant_as_brute_force);
	tcase_add_test(tc, edges_of_a_module);
	tcase_add_test(tc, walk_is_deep);
	tcase_add_test(tc, million);
	tcase_add_test(tc, chain_with_shortcuts);
	suite_add_tcase(s, tc);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	bad = srunner_ntests_failed(r);
	srunner_free(r);
	return bad != 0;
}
