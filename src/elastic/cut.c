/*
 * Where to cut a dataflow: project selection by minimum cut. An operator left with the trainer's side costs p * cpu;
 * a producer on the workers' side that anybody on the other side reads costs q * bytes once, by a node of its own
 * between it and its readers; nothing flows back. For growing p/q the sets grow (parametric minimum cut, Gallo,
 * Grigoriadis, Tarjan 1989), so the cuts form a nested family, the lower hull of (bytes, cpu).
 */
#include "couler/elastic.h"
#include "mincut.h"

#include <string.h>

#define STEPS 128                         /* of the search along the family */
#define NEAR 1e-9

static void measure(const struct cut_graph *g, struct cut *c, bool *crosses)
{
	bool source = false;

	memset(crosses, 0, g->n);
	c->bytes = c->cpu = 0;
	c->nworker = 0;
	for (uint32_t i = 0; i < g->n; i++) {
		if (c->on_worker[i]) {
			c->nworker++;
			continue;
		}
		c->cpu += g->op[i].cpu;
		for (uint32_t k = 0; k < g->op[i].nfrom; k++) {
			uint32_t p = g->op[i].from[k];

			if (p == UINT32_MAX)
				source = true;
			else if (c->on_worker[p])
				crosses[p] = true;
		}
	}
	for (uint32_t i = 0; i < g->n; i++)
		if (crosses[i])
			c->bytes += g->op[i].bytes;
	if (source)
		c->bytes += g->source_bytes;
}

/* Nodes: operators, then what hands on the records of each, then that of the source, then the trainer's side. */
static struct mincut *network(struct arena *a, const struct cut_graph *g, wide p, wide q)
{
	uint32_t n = g->n, arcs = n;
	struct mincut *m;
	wide inf = 1;

	for (uint32_t i = 0; i < n; i++) {
		arcs += 2 * g->op[i].nfrom;
		inf += q * g->op[i].bytes + p * g->op[i].cpu;
	}
	inf += q * g->source_bytes;
	m = mincut_new(a, 2 * n + 2, arcs);
	mincut_excess(m, 2 * n, q * g->source_bytes);
	for (uint32_t i = 0; i < n; i++) {
		const struct cut_op *o = &g->op[i];
		uint32_t me = o->pinned ? 2 * n + 1 : i;

		if (!o->pinned) {
			mincut_excess(m, i, p * o->cpu);
			mincut_arc(m, i, n + i, q * o->bytes, 0);
		}
		for (uint32_t k = 0; k < o->nfrom; k++) {
			uint32_t f = o->from[k];

			if (f != UINT32_MAX && g->op[f].pinned)
				continue;
			mincut_arc(m, f == UINT32_MAX ? 2 * n : n + f, me, inf, 0);
			if (f != UINT32_MAX && !o->pinned)
				mincut_arc(m, i, f, inf, 0);
		}
	}
	return m;
}

struct cut cut_min(struct arena *a, const struct cut_graph *g, int64_t p, int64_t q)
{
	struct cut c = { .on_worker = arena_array(a, bool, g->n + 1) };
	struct arena *scratch = arena_new();
	wide wp = p, wq = q;
	const bool *sink;

	if (!q) {                                                          /* one ns weighs more than all bytes */
		wq = 1;
		wp = 1 + (wide)g->source_bytes;
		for (uint32_t i = 0; i < g->n; i++)
			wp += g->op[i].bytes;
	}
	sink = mincut_run(network(scratch, g, wp, wq));
	for (uint32_t i = 0; i < g->n; i++)
		c.on_worker[i] = !g->op[i].pinned && !sink[i];
	measure(g, &c, arena_array(scratch, bool, g->n + 1));
	arena_free(scratch);
	return c;
}

static wide cost(const struct cut *c, int64_t p, int64_t q)
{
	return (wide)q * c->bytes + (wide)p * c->cpu;
}

/* The cut between two of the family that is best where they are equal; false: there is none below their line. */
static bool between(struct arena *a, const struct cut_graph *g, const struct cut *lo, const struct cut *hi, struct cut *mid)
{
	int64_t p = hi->bytes - lo->bytes, q = lo->cpu - hi->cpu;

	if (p <= 0 || q <= 0)
		return false;
	*mid = cut_min(a, g, p, q);
	return cost(mid, p, q) < cost(lo, p, q);
}

static bool same(const struct cut *x, const struct cut *y)
{
	return x->bytes == y->bytes && x->cpu == y->cpu;
}

uint32_t cut_family(struct arena *a, const struct cut_graph *g, struct cut *out, uint32_t max)
{
	struct arena *scratch = arena_new();
	VEC(struct cut) todo = { 0 };     /* right ends of the intervals that are left, the nearest last */
	struct cut lo = cut_min(a, g, 0, 1), hi = cut_min(a, g, 1, 0), mid;
	uint32_t n = 0;

	vec_push(scratch, &todo, hi);
	if (max)
		out[n++] = lo;
	while (todo.n && n < max) {
		hi = todo.v[todo.n - 1];
		if (between(a, g, &lo, &hi, &mid)) {
			vec_push(scratch, &todo, mid);
			continue;
		}
		todo.n--;
		if (same(&lo, &hi))
			out[n - 1] = hi;
		else
			out[n++] = hi;
		lo = hi;
	}
	arena_free(scratch);
	return n;
}

/* ---- the choice ---- */

static double trainer_rate(const struct cut *c, const struct cut_room *r)
{
	double cpu = (double)c->cpu / 1e9 + (r->gpu ? 0 : r->trainer_seconds), rate = cpu > 0 ? r->trainer_cpus / cpu : 1e18;

	if (r->trainer_seconds > 0 && rate > 1 / r->trainer_seconds)
		rate = 1 / r->trainer_seconds;
	return rate;
}

static double network_rate(const struct cut *c, const struct cut_room *r)
{
	return r->network > 0 && c->nworker && c->bytes > 0 ? r->network / (double)c->bytes : 1e18;
}

static double worker_rate(const struct cut_graph *g, const struct cut *c, const struct cut_room *r)
{
	double cpu = 0, net = network_rate(c, r), rate;

	for (uint32_t i = 0; i < g->n; i++)
		cpu += (double)g->op[i].cpu / 1e9;
	cpu -= (double)c->cpu / 1e9;
	rate = cpu > 0 ? r->worker_cpus / cpu : 1e18;
	return rate < net ? rate : net;
}

double cut_rate(const struct cut_graph *g, const struct cut *c, const struct cut_room *r)
{
	double trainer = trainer_rate(c, r), rest = worker_rate(g, c, r);

	return trainer < rest ? trainer : rest;
}

/*
 * Is the trainer's side not what everybody waits for? Along the family it gets quicker, the workers and the network
 * slower, so this holds from some cut on.
 */
static bool enough(const struct cut_graph *g, const struct cut *c, const struct cut_room *r)
{
	double rest = worker_rate(g, c, r), most = r->trainer_seconds > 0 ? 1 / r->trainer_seconds : 1e18;

	return trainer_rate(c, r) >= (rest < most ? rest : most) * (1 - NEAR);
}

struct cut cut_choose(struct arena *a, const struct cut_graph *g, const struct cut_room *r)
{
	struct cut lo = cut_min(a, g, 0, 1), hi = cut_min(a, g, 1, 0), mid;

	if (enough(g, &lo, r))
		return lo;
	for (int k = 0; k < STEPS && between(a, g, &lo, &hi, &mid); k++) {
		if (enough(g, &mid, r))
			hi = mid;
		else
			lo = mid;
	}
	return cut_rate(g, &lo, r) >= cut_rate(g, &hi, r) * (1 - NEAR) ? lo : hi;
}
