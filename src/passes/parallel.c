/*
 * parallel: says how parallel the program is: data dependence alone decides, whatever the order of the text. Only remarks:
 * the critical path, the width, and the `after` that costs the most, which is the one whose absence shortens the path most.
 *
 * needs nothing; gives nothing; keeps everything.
 */
#include "passes.h"

#include <string.h>

#define TRIED 64                          /* edges of the critical path that are left out in turn: each takes O(V + E) */

static double times(const struct node *n)
{
	return n->kind == N_LOOP ? (double)n->u.loop.max : 1;
}

/* The longest path without the edge from p to v. */
static double without(struct arena *a, const struct edges *e, uint32_t p, uint32_t v, const double *w)
{
	struct edges f = { .n = e->n };
	uint32_t n, k = 0;
	double len;

	f.start = arena_array(a, uint32_t, e->n + 1);
	f.pred = arena_array(a, uint32_t, e->start[e->n] + 1);
	for (uint32_t i = 0; i < e->n; i++) {
		for (uint32_t j = e->start[i]; j < e->start[i + 1]; j++)
			if (i != v || e->pred[j] != p)
				f.pred[k++] = e->pred[j];
		f.start[i + 1] = k;
	}
	graph_critical_path(a, &f, w, &n, &len);
	return len;
}

/* Order alone holds v back until p has ended: no value passes. */
static bool is_order(const struct edges *e, uint32_t p, uint32_t v)
{
	for (uint32_t j = e->start[v]; j < e->start[v + 1]; j++)
		if (e->pred[j] == p)
			return !(e->flags[j] & (EDGE_DATA | EDGE_STATUS));
	return false;
}

static void dearest(struct graph *g, struct arena *a, const struct edges *e, const double *w, const uint32_t *path, uint32_t n, double len, struct diag *d)
{
	uint32_t at = 0, tried = 0;
	double least = len;

	for (uint32_t i = 1; i < n && tried < TRIED; i++) {
		double l;

		if (!is_order(e, path[i - 1], path[i]))
			continue;
		tried++;
		l = without(a, e, path[i - 1], path[i], w);
		if (l < least) {
			least = l;
			at = i;
		}
	}
	if (at)
		diag_remark(d, g->nodes.v[path[at]]->span, "parallel: '%s' is `after` '%s' and takes no value of it: without that the longest path has %g steps, not %g",
			g->nodes.v[path[at]]->name->s, g->nodes.v[path[at - 1]]->name->s, least, len);
}

static int run(struct ir *m, const struct target *t, const struct optset *o, struct diag *d)
{
	struct graph *g = m->entry->body;
	struct strbuf b = { 0 };
	struct arena *a;
	struct edges *e;
	uint32_t n, *path;
	double *w, len;

	(void)t;
	(void)o;
	if (!d->remarks || !g->nodes.n)
		return 0;
	a = arena_new();
	e = graph_edges(a, g);
	w = arena_array(a, double, g->nodes.n);
	for (uint32_t i = 0; i < g->nodes.n; i++)
		w[i] = times(g->nodes.v[i]);
	path = graph_critical_path(a, e, w, &n, &len);
	for (uint32_t i = 0; path && i < n; i++) {
		if (i > 7 && i + 2 < n) {
			sb_f(&b, " → ...");
			i = n - 2;
		}
		sb_f(&b, "%s%s", i ? " → " : "", g->nodes.v[path[i]]->name->s);
	}
	if (path) {
		diag_remark(d, m->entry->span, "parallel: %u steps, the longest path has %g (%s), at most %u run at once", g->nodes.n, len, sb_cstr(&b), graph_width(a, e));
		dearest(g, a, e, w, path, n, len, d);
	}
	sb_free(&b);
	arena_free(a);
	return 0;
}

const struct pass pass_parallel = {
	.name = "parallel", .help = "says how parallel the program is (remarks only)", .run = run,
};
