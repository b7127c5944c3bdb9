/*
 * Splitting as in Couler (ICDE 2024), algorithm 3: a depth-first walk fills one part after the other. Such parts may wait
 * for each other in a circle; the nodes of those are laid out anew in topological order, which is always possible. And
 * what any partition is measured and checked by.
 */
#include "split.h"

#include <stdlib.h>
#include <string.h>

#include "couler/arena.h"

#define NONE UINT32_MAX

/* ---- strongly connected components (Tarjan 1972), iterative ---- */

struct tarjan { const uint32_t *start, *pred; uint32_t *index, *low, *stack, *path, *next, n, depth, count, ncomp, *comp; };

static void open_node(struct tarjan *t, uint32_t v)
{
	t->index[v] = t->low[v] = ++t->count;
	t->stack[t->n++] = v;
	t->path[t->depth] = v;
	t->next[t->depth++] = t->start[v];
}

static void close_node(struct tarjan *t, uint32_t v)
{
	uint32_t w;

	t->depth--;
	if (t->depth && t->low[t->path[t->depth - 1]] > t->low[v])
		t->low[t->path[t->depth - 1]] = t->low[v];
	if (t->low[v] != t->index[v])
		return;
	do {
		w = t->stack[--t->n];
		t->comp[w] = t->ncomp;
	} while (w != v);
	t->ncomp++;
}

uint32_t components(uint32_t n, const uint32_t *start, const uint32_t *pred, uint32_t *comp)
{
	struct tarjan t = { .start = start, .pred = pred, .comp = comp };
	size_t size = ((size_t)n + 1) * sizeof *comp;

	t.index = xcalloc((size_t)n + 1, sizeof *comp);
	t.low = xmalloc(size);
	t.stack = xmalloc(size);
	t.path = xmalloc(size);
	t.next = xmalloc(size);
	for (uint32_t v = 0; v < n; v++)
		comp[v] = NONE;
	for (uint32_t v = 0; v < n; v++) {
		if (t.index[v])
			continue;
		open_node(&t, v);
		while (t.depth) {
			uint32_t at = t.path[t.depth - 1], w;

			if (t.next[t.depth - 1] == start[at + 1]) {
				close_node(&t, at);
				continue;
			}
			w = pred[t.next[t.depth - 1]++];
			if (!t.index[w])
				open_node(&t, w);
			else if (comp[w] == NONE && t.index[w] < t.low[at])
				t.low[at] = t.index[w];
		}
	}
	free(t.index);
	free(t.low);
	free(t.stack);
	free(t.path);
	free(t.next);
	return t.ncomp;
}

/* ---- measuring ---- */

/* Edges from part to part as predecessors by part; several between two parts stay several. */
static void quotient(const struct part_graph *g, const struct partition *p, struct csr *q)
{
	uint32_t *at;

	q->n = p->n;
	q->start = xcalloc((size_t)p->n + 2, sizeof *q->start);
	for (uint32_t v = 0; v < g->n; v++)
		for (uint32_t i = g->start[v]; i < g->start[v + 1]; i++)
			if (p->part[g->pred[i]] != p->part[v])
				q->start[p->part[v] + 1]++;
	for (uint32_t k = 0; k < p->n; k++)
		q->start[k + 1] += q->start[k];
	q->to = xmalloc(((size_t)q->start[p->n] + 1) * sizeof *q->to);
	at = xmalloc(((size_t)p->n + 1) * sizeof *at);
	memcpy(at, q->start, (size_t)p->n * sizeof *at);
	for (uint32_t v = 0; v < g->n; v++)
		for (uint32_t i = g->start[v]; i < g->start[v + 1]; i++)
			if (p->part[g->pred[i]] != p->part[v])
				q->to[at[p->part[v]]++] = p->part[g->pred[i]];
	free(at);
}

/* Nodes in a topological order; false: a cycle. */
static bool topo_nodes(const struct part_graph *g, uint32_t *order)
{
	uint32_t *comp = xmalloc(((size_t)g->n + 1) * sizeof *comp), n = components(g->n, g->start, g->pred, comp);

	for (uint32_t v = 0; n == g->n && v < g->n; v++)
		order[comp[v]] = v;
	free(comp);
	return n == g->n;
}

struct timing { double *end, *begin, *finish; uint32_t *size; };

/* When parts begin and end: a part begins when all that it needs of others has ended. rank: parts in topological order. */
static double makespan(const struct part_graph *g, const struct part_opts *o, const struct partition *p, const uint32_t *order, const uint32_t *rank)
{
	struct timing t = { xcalloc((size_t)p->n + 1, sizeof(double)), xcalloc((size_t)p->n + 1, sizeof(double)), xcalloc((size_t)g->n + 1, sizeof(double)),
		xcalloc((size_t)p->n + 1, sizeof(uint32_t)) };
	uint32_t *first = xcalloc((size_t)p->n + 2, sizeof *first), *by_part = xmalloc(((size_t)g->n + 1) * sizeof *by_part), *at = xcalloc((size_t)p->n + 1, sizeof *at);
	double last = 0;

	for (uint32_t v = 0; v < g->n; v++)
		t.size[p->part[v]]++;
	for (uint32_t k = 0; k < p->n; k++)
		at[rank[k]] = t.size[k];
	for (uint32_t r = 0; r < p->n; r++)
		first[r + 1] = first[r] + at[r];
	memcpy(at, first, (size_t)p->n * sizeof *at);
	for (uint32_t i = 0; i < g->n; i++)
		by_part[at[rank[p->part[order[i]]]]++] = order[i];
	for (uint32_t i = 0, end; i < g->n; i = end) {
		uint32_t part = p->part[by_part[i]];
		double begin = 0, done = 0;

		end = first[rank[part] + 1];
		for (uint32_t k = i; k < end; k++)
			for (uint32_t v = by_part[k], j = g->start[v]; j < g->start[v + 1]; j++)
				if (p->part[g->pred[j]] != part && t.end[p->part[g->pred[j]]] > begin)
					begin = t.end[p->part[g->pred[j]]];
		begin += t.size[part] > 1 ? o->overhead : 0;
		for (uint32_t k = i; k < end; k++) {
			uint32_t v = by_part[k];
			double ready = begin;

			for (uint32_t j = g->start[v]; j < g->start[v + 1]; j++)
				if (p->part[g->pred[j]] == part && t.finish[g->pred[j]] > ready)
					ready = t.finish[g->pred[j]];
			t.finish[v] = ready + (g->time ? g->time[v] : 1);
			done = t.finish[v] > done ? t.finish[v] : done;
		}
		t.end[part] = done;
		last = done > last ? done : last;
	}
	free(t.end);
	free(t.begin);
	free(t.finish);
	free(t.size);
	free(first);
	free(by_part);
	free(at);
	return last;
}

static double critical(const struct part_graph *g, const uint32_t *order)
{
	double *finish = xcalloc((size_t)g->n + 1, sizeof *finish), last = 0;

	for (uint32_t i = 0; i < g->n; i++) {
		uint32_t v = order[i];

		for (uint32_t j = g->start[v]; j < g->start[v + 1]; j++)
			if (finish[g->pred[j]] > finish[v])
				finish[v] = finish[g->pred[j]];
		finish[v] += g->time ? g->time[v] : 1;
		last = finish[v] > last ? finish[v] : last;
	}
	free(finish);
	return last;
}

int part_measure(const struct part_graph *g, const struct part_opts *o, struct partition *p, bool number)
{
	uint32_t *rank = xmalloc(((size_t)p->n + 1) * sizeof *rank), *order = xmalloc(((size_t)g->n + 1) * sizeof *order);
	struct csr q;
	int rc = -1;

	quotient(g, p, &q);
	if (components(q.n, q.start, q.to, rank) == p->n && topo_nodes(g, order)) {
		p->cut = q.start[p->n];
		p->bound = critical(g, order);
		p->makespan = makespan(g, o, p, order, rank);
		for (uint32_t v = 0; number && v < g->n; v++)
			p->part[v] = rank[p->part[v]];
		rc = 0;
	}
	csr_free(&q);
	free(rank);
	free(order);
	return rc;
}

const char *partition_check(const struct part_graph *g, const struct part_opts *o, const struct partition *p)
{
	double (*sum)[COST_DIMS] = xcalloc((size_t)p->n + 1, sizeof *sum);
	uint32_t *size = xcalloc((size_t)p->n + 1, sizeof *size);
	struct partition copy = *p;
	const char *bad = NULL;

	for (uint32_t v = 0; v < g->n && !bad; v++) {
		if (p->part[v] >= p->n) {
			bad = "a node is in no part";
			break;
		}
		size[p->part[v]]++;
		for (int k = 0; k < COST_DIMS; k++)
			sum[p->part[v]][k] += g->cost[v][k];
		for (uint32_t i = g->start[v]; i < g->start[v + 1]; i++)
			if (p->part[g->pred[i]] > p->part[v])
				bad = "parts are not in a topological order";
	}
	for (uint32_t v = 0; v < g->n && !bad; v++)
		if (g->pinned && g->pinned[v] && size[p->part[v]] > 1)
			bad = "a pinned node is not alone";
	for (uint32_t k = 0; k < p->n && !bad; k++)
		if (!size[k])
			bad = "a part is empty";
		else if (size[k] > 1 && !cost_fits(sum[k], NULL, o->limit))
			bad = "a part is over its limit";
	if (!bad && (part_measure(g, o, &copy, false) || copy.cut != p->cut || copy.makespan > p->makespan + 1e-9 || copy.makespan < p->makespan - 1e-9))
		bad = "its figures are not its own";
	free(sum);
	free(size);
	return bad;
}

/* ---- the walk ---- */

struct filling { const struct part_graph *g; const struct part_opts *o; uint32_t *part, parts, at; double sum[COST_DIMS]; bool open; };

static int put(struct filling *f, uint32_t v)
{
	const double *c = f->g->cost[v];
	bool pin = f->g->pinned && f->g->pinned[v];

	if (!pin && !cost_fits(c, NULL, f->o->limit)) {
		f->at = v;
		return -2;
	}
	if (!f->open || pin || !cost_fits(f->sum, c, f->o->limit)) {
		f->parts++;
		memset(f->sum, 0, sizeof f->sum);
	}
	f->open = !pin;
	for (int k = 0; k < COST_DIMS; k++)
		f->sum[k] += c[k];
	f->part[v] = f->parts - 1;
	return 0;
}

static int walk(struct filling *f, const struct csr *succ)
{
	uint32_t *stack = xmalloc(((size_t)f->g->start[f->g->n] + f->g->n + 1) * sizeof *stack), n;
	int rc = 0;

	for (uint32_t s = 0; s < f->g->n && !rc; s++) {
		if (f->g->start[s + 1] > f->g->start[s] || f->part[s] != NONE)
			continue;
		n = 0;
		stack[n++] = s;
		while (n && !rc) {
			uint32_t v = stack[--n];

			if (f->part[v] != NONE)
				continue;
			rc = put(f, v);
			for (uint32_t i = succ->start[v + 1]; i-- > succ->start[v]; )
				if (f->part[succ->to[i]] == NONE)
					stack[n++] = succ->to[i];
		}
	}
	free(stack);
	return rc;
}

/* Parts that wait for each other: their nodes are packed again in topological order. */
static int repair(struct filling *f, struct partition *p)
{
	uint32_t *comp = xmalloc(((size_t)p->n + 1) * sizeof *comp), *order = xmalloc(((size_t)f->g->n + 1) * sizeof *order), *members, *first, ncomp;
	struct csr q;
	int rc = 0;

	quotient(f->g, p, &q);
	ncomp = components(q.n, q.start, q.to, comp);
	csr_free(&q);
	if (!topo_nodes(f->g, order)) {
		free(comp);
		free(order);
		return -1;
	}
	first = xcalloc((size_t)ncomp + 2, sizeof *first);
	members = xcalloc((size_t)ncomp + 1, sizeof *members);
	for (uint32_t k = 0; k < p->n; k++)
		members[comp[k]]++;
	for (uint32_t v = 0; v < f->g->n; v++)
		first[comp[p->part[v]] + 1]++;
	for (uint32_t c = 0; c < ncomp; c++)
		first[c + 1] += first[c];
	{
		uint32_t *at = xmalloc(((size_t)ncomp + 1) * sizeof *at), *nodes = xmalloc(((size_t)f->g->n + 1) * sizeof *nodes);

		memcpy(at, first, (size_t)ncomp * sizeof *at);
		for (uint32_t i = 0; i < f->g->n; i++)
			nodes[at[comp[p->part[order[i]]]]++] = order[i];
		f->parts = 0;
		for (uint32_t c = 0; c < ncomp && !rc; c++) {
			f->open = false;
			for (uint32_t i = first[c]; i < first[c + 1] && !rc; i++) {
				p->repaired += members[c] > 1;
				rc = put(f, nodes[i]);
			}
		}
		free(at);
		free(nodes);
	}
	p->n = f->parts;
	free(first);
	free(members);
	free(comp);
	free(order);
	return rc;
}

int part_dfs(const struct part_graph *g, const struct part_opts *o, struct partition *p, uint32_t *at)
{
	struct filling f = { .g = g, .o = o, .at = NONE };
	struct csr succ;
	int rc;

	f.part = xmalloc(((size_t)g->n + 1) * sizeof *f.part);
	for (uint32_t v = 0; v < g->n; v++)
		f.part[v] = NONE;
	csr_of_succ(g, &succ);
	rc = walk(&f, &succ);
	csr_free(&succ);
	*at = f.at;
	for (uint32_t v = 0; v < g->n && !rc; v++)
		if (f.part[v] == NONE)
			rc = -1;                  /* no source leads there: a cycle */
	p->part = f.part;
	p->n = f.parts;
	return rc ? rc : repair(&f, p);
}
