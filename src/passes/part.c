/*
 * An acyclic partition of a DAG, in O(V + E) but for sorting the pieces of one band.
 *
 * Nodes are laid out by level (edges on the longest path to them), levels are cut into bands. The connected components
 * of a band are packed into parts; a component that is too large is halved by its levels. So an edge from part to part
 * always leads to a later range of levels: parts cannot wait for each other in a circle, and a path that leaves a part
 * never comes back (parts are convex). How high the bands should be depends on the shape: low ones keep what is
 * parallel in parts of its own, high ones keep chains together and cut fewer edges. Several heights are tried; the one
 * of the least makespan is taken, of those the one that cuts the fewest edges.
 */
#include "split.h"

#include <stdlib.h>
#include <string.h>

#include "couler/arena.h"

#define NONE UINT32_MAX
#define TOLERANCE 1e-3                    /* makespans this close are equal */

/* ---- what is shared ---- */

void csr_of_succ(const struct part_graph *g, struct csr *s)
{
	uint32_t edges = g->start[g->n];

	s->n = g->n;
	s->start = xcalloc((size_t)g->n + 2, sizeof *s->start);
	s->to = xmalloc((edges ? edges : 1) * sizeof *s->to);
	for (uint32_t i = 0; i < edges; i++)
		s->start[g->pred[i] + 2]++;
	for (uint32_t v = 0; v < g->n; v++)
		s->start[v + 2] += s->start[v + 1];
	for (uint32_t v = 0; v < g->n; v++)
		for (uint32_t i = g->start[v]; i < g->start[v + 1]; i++)
			s->to[s->start[g->pred[i] + 1]++] = v;
}

void csr_free(struct csr *s)
{
	free(s->start);
	free(s->to);
}

bool cost_fits(const double *a, const double *b, const double *limit)
{
	for (int k = 0; k < COST_DIMS; k++)
		if (limit[k] > 0 && a[k] + (b ? b[k] : 0) > limit[k])
			return false;
	return true;
}

void partition_free(struct partition *p)
{
	free(p->part);
	p->part = NULL;
}

/* Levels by longest path; sources just before the first node that needs them. -1: a cycle. */
static int levels_of(const struct part_graph *g, const struct csr *succ, uint32_t *level, uint32_t *depth)
{
	uint32_t *left = xmalloc((g->n + 1) * sizeof *left), *queue = xmalloc((g->n + 1) * sizeof *queue), head = 0, tail = 0;

	*depth = 0;
	for (uint32_t v = 0; v < g->n; v++) {
		level[v] = 0;
		left[v] = g->start[v + 1] - g->start[v];
		if (!left[v])
			queue[tail++] = v;
	}
	while (head < tail) {
		uint32_t v = queue[head++];

		if (level[v] >= *depth)
			*depth = level[v] + 1;
		for (uint32_t i = succ->start[v]; i < succ->start[v + 1]; i++) {
			uint32_t w = succ->to[i];

			if (level[w] <= level[v])
				level[w] = level[v] + 1;
			if (!--left[w])
				queue[tail++] = w;
		}
	}
	for (uint32_t v = 0; v < g->n && tail == g->n; v++) {
		uint32_t least = NONE;

		if (g->start[v + 1] > g->start[v])
			continue;
		for (uint32_t i = succ->start[v]; i < succ->start[v + 1]; i++)
			if (level[succ->to[i]] < least)
				least = level[succ->to[i]];
		if (least != NONE)
			level[v] = least - 1;
	}
	free(left);
	free(queue);
	return tail == g->n ? 0 : -1;
}

/* ---- bands ---- */

/* A set of nodes of one range of levels, connected within it: order[from .. to). */
struct piece { uint32_t from, to, lo, hi, key; };
struct pieces { struct piece *v; size_t n, cap; };

struct bands {
	const struct part_graph *g;
	const struct part_opts *o;
	const uint32_t *level;
	uint32_t *order, *scratch;        /* nodes; within a piece by level */
	uint32_t *group;                  /* by node: the set that it was divided into last */
	uint32_t groups;
	uint32_t *root, *slot;            /* union-find by node; by root: its component */
	struct pieces todo, done;
	uint32_t *part, parts;
	uint32_t at;                      /* the node that is too large; NONE */
};

static void piece_push(struct pieces *v, struct piece p)
{
	if (v->n == v->cap) {
		v->cap = v->cap ? 2 * v->cap : 256;
		v->v = xrealloc(v->v, v->cap * sizeof *v->v);
	}
	v->v[v->n++] = p;
}

static uint32_t find(uint32_t *root, uint32_t v)
{
	while (root[v] != v)
		v = root[v] = root[root[v]];
	return v;
}

static bool set_fits(const struct bands *b, uint32_t from, uint32_t to)
{
	double sum[COST_DIMS] = { 0 };

	for (uint32_t i = from; i < to; i++) {
		if (!cost_fits(sum, b->g->cost[b->order[i]], b->o->limit))
			return false;
		for (int k = 0; k < COST_DIMS; k++)
			sum[k] += b->g->cost[b->order[i]][k];
	}
	return true;
}

/* Halves what is too large by its levels; from each half its components are found anew. */
static void halve(struct bands *b, struct piece p)
{
	uint32_t mid = p.lo + (p.hi - p.lo) / 2, at = p.from;

	while (at < p.to && b->level[b->order[at]] < mid)
		at++;
	if (at > p.from)
		piece_push(&b->todo, (struct piece){ p.from, at, p.lo, mid, 0 });
	if (at < p.to)
		piece_push(&b->todo, (struct piece){ at, p.to, mid, p.hi, 0 });
}

/* Orders p by component, each by level; their ends in the order of their first nodes. */
static void divide(struct bands *b, struct piece p)
{
	uint32_t id = ++b->groups, ncomp = 0, *count;

	for (uint32_t i = p.from; i < p.to; i++) {
		b->group[b->order[i]] = id;
		b->root[b->order[i]] = b->order[i];
		b->slot[b->order[i]] = NONE;
	}
	for (uint32_t i = p.from; i < p.to; i++) {
		uint32_t v = b->order[i];

		for (uint32_t j = b->g->start[v]; j < b->g->start[v + 1]; j++) {
			uint32_t u = b->g->pred[j];

			if (b->group[u] == id && !(b->g->pinned && (b->g->pinned[u] || b->g->pinned[v])))
				b->root[find(b->root, u)] = find(b->root, v);
		}
	}
	for (uint32_t i = p.from; i < p.to; i++) {
		uint32_t r = find(b->root, b->order[i]);

		if (b->slot[r] == NONE)
			b->slot[r] = ncomp++;
	}
	count = xcalloc((size_t)ncomp + 1, sizeof *count);
	for (uint32_t i = p.from; i < p.to; i++)
		count[b->slot[find(b->root, b->order[i])] + 1]++;
	for (uint32_t c = 0; c < ncomp; c++)
		count[c + 1] += count[c];
	for (uint32_t i = p.from; i < p.to; i++)
		b->scratch[p.from + count[b->slot[find(b->root, b->order[i])]]++] = b->order[i];
	memcpy(b->order + p.from, b->scratch + p.from, (p.to - p.from) * sizeof *b->order);
	for (uint32_t c = 0; c < ncomp; c++) {
		struct piece q = { p.from + (c ? count[c - 1] : 0), p.from + count[c], p.lo, p.hi, 0 };

		if (set_fits(b, q.from, q.to) || q.to - q.from == 1)
			piece_push(&b->done, q);
		else
			halve(b, q);
	}
	free(count);
}

static int by_range(const void *x, const void *y)
{
	const struct piece *a = x, *b = y;

	if (a->lo != b->lo)
		return a->lo < b->lo ? -1 : 1;
	if (a->hi != b->hi)
		return a->hi > b->hi ? -1 : 1;
	return a->from < b->from ? -1 : 1;
}

static int by_key(const void *x, const void *y)
{
	const struct piece *a = x, *b = y;

	if (a->key != b->key)
		return a->key < b->key ? -1 : 1;
	return a->from < b->from ? -1 : 1;
}

/* Pieces of one range into parts, those that need the same parts side by side. */
static void pack(struct bands *b, struct piece *v, size_t n)
{
	double sum[COST_DIMS] = { 0 };
	bool open = false;

	for (size_t i = 0; i < n; i++) {
		v[i].key = 0;
		for (uint32_t k = v[i].from; k < v[i].to; k++)
			for (uint32_t at = b->order[k], j = b->g->start[at]; j < b->g->start[at + 1]; j++)
				if (b->part[b->g->pred[j]] != NONE && b->part[b->g->pred[j]] > v[i].key)
					v[i].key = b->part[b->g->pred[j]];
	}
	if (n > 1)
		qsort(v, n, sizeof *v, by_key);
	for (size_t i = 0; i < n; i++) {
		double cost[COST_DIMS] = { 0 };
		bool pin = b->g->pinned && b->g->pinned[b->order[v[i].from]];

		for (uint32_t k = v[i].from; k < v[i].to; k++)
			for (int d = 0; d < COST_DIMS; d++)
				cost[d] += b->g->cost[b->order[k]][d];
		if (!pin && !cost_fits(cost, NULL, b->o->limit)) {
			b->at = b->order[v[i].from];
			return;
		}
		if (!open || pin || !cost_fits(sum, cost, b->o->limit)) {
			b->parts++;
			memset(sum, 0, sizeof sum);
		}
		open = !pin;
		for (int d = 0; d < COST_DIMS; d++)
			sum[d] += cost[d];
		for (uint32_t k = v[i].from; k < v[i].to; k++)
			b->part[b->order[k]] = b->parts - 1;
	}
}

/* Bands of height levels; a level that holds a pinned node is a band of its own. */
static int lay_out(struct bands *b, const uint32_t *by_level, uint32_t depth, const bool *alone, uint32_t height)
{
	uint32_t lo = 0;

	b->parts = b->groups = 0;
	b->todo.n = b->done.n = 0;
	b->at = NONE;
	memset(b->group, 0, b->g->n * sizeof *b->group);
	for (uint32_t v = 0; v < b->g->n; v++)
		b->part[v] = NONE;
	for (uint32_t hi = 1; hi <= depth; hi++) {
		if (hi < depth && hi - lo < height && !alone[hi] && !alone[hi - 1])
			continue;
		if (by_level[hi] > by_level[lo])
			piece_push(&b->todo, (struct piece){ by_level[lo], by_level[hi], lo, hi, 0 });
		lo = hi;
	}
	while (b->todo.n)
		divide(b, b->todo.v[--b->todo.n]);
	qsort(b->done.v, b->done.n, sizeof *b->done.v, by_range);
	for (size_t i = 0, k; i < b->done.n && b->at == NONE; i = k) {
		for (k = i + 1; k < b->done.n && b->done.v[k].lo == b->done.v[i].lo && b->done.v[k].hi == b->done.v[i].hi; )
			k++;
		pack(b, b->done.v + i, k - i);
	}
	return b->at == NONE ? 0 : -2;
}

/* by_level[l]: first index in order of level l; order: nodes by level, in their own order within. */
static uint32_t *sort_levels(const struct part_graph *g, const uint32_t *level, uint32_t depth, uint32_t *order)
{
	uint32_t *at = xcalloc((size_t)depth + 2, sizeof *at), *first = xcalloc((size_t)depth + 1, sizeof *first);

	for (uint32_t v = 0; v < g->n; v++)
		at[level[v] + 1]++;
	for (uint32_t l = 0; l < depth; l++)
		at[l + 1] += at[l];
	memcpy(first, at, ((size_t)depth + 1) * sizeof *first);
	for (uint32_t v = 0; v < g->n; v++)
		order[at[level[v]]++] = v;
	free(at);
	return first;
}

static bool better(const struct partition *a, const struct partition *b, uint32_t target)
{
	if ((a->n <= target) != (b->n <= target) || (a->n > target && a->n != b->n))
		return a->n < b->n;
	if (a->makespan < b->makespan * (1 - TOLERANCE))
		return true;
	if (a->makespan > b->makespan * (1 + TOLERANCE))
		return false;
	return a->cut != b->cut ? a->cut < b->cut : a->n < b->n;
}

static void bands_open(struct bands *b, const struct part_graph *g, const struct part_opts *o, const uint32_t *level)
{
	size_t size = ((size_t)g->n + 1) * sizeof(uint32_t);

	*b = (struct bands){ .g = g, .o = o, .level = level, .at = NONE };
	b->order = xmalloc(size);
	b->scratch = xmalloc(size);
	b->group = xmalloc(size);
	b->root = xmalloc(size);
	b->slot = xmalloc(size);
	b->part = xmalloc(size);
}

static void bands_close(struct bands *b)
{
	free(b->order);
	free(b->scratch);
	free(b->group);
	free(b->root);
	free(b->slot);
	free(b->part);
	free(b->todo.v);
	free(b->done.v);
}

/* Heights that are tried: no part is higher than it has nodes, so a few cover all shapes. */
static const uint32_t heights[] = { 1, 2, 4, 16, 64, 256, 4096 };

static int part_bands(const struct part_graph *g, const struct part_opts *o, struct partition *out, uint32_t *at)
{
	uint32_t *level = xmalloc(((size_t)g->n + 1) * sizeof *level), depth, *by_level;
	struct csr succ;
	struct bands b;
	bool *alone;
	int rc;

	csr_of_succ(g, &succ);
	rc = levels_of(g, &succ, level, &depth);
	csr_free(&succ);
	if (rc) {
		free(level);
		return rc;
	}
	alone = xcalloc((size_t)depth + 1, sizeof *alone);
	for (uint32_t v = 0; v < g->n; v++)
		alone[level[v]] |= g->pinned && g->pinned[v];
	bands_open(&b, g, o, level);
	for (size_t i = 0; i < sizeof heights / sizeof *heights && !rc; i++) {
		struct partition p = { .band = heights[i] };

		by_level = sort_levels(g, level, depth, b.order);
		rc = lay_out(&b, by_level, depth, alone, heights[i]);
		free(by_level);
		p.part = b.part;
		p.n = b.parts;
		if (!rc)
			rc = part_measure(g, o, &p, false);
		if (!rc && (!out->part || better(&p, out, o->target))) {
			b.part = out->part ? out->part : xmalloc(((size_t)g->n + 1) * sizeof *b.part);
			*out = p;
		}
		if (heights[i] >= depth)
			break;
	}
	*at = b.at;
	bands_close(&b);
	free(alone);
	free(level);
	return rc;
}

int part_graph(const struct part_graph *g, const struct part_opts *o, struct partition *out, uint32_t *at)
{
	int rc;

	*out = (struct partition){ 0 };
	*at = NONE;
	if (!g->n) {
		out->part = xmalloc(sizeof *out->part);
		return 0;
	}
	rc = o->method == PART_DFS ? part_dfs(g, o, out, at) : part_bands(g, o, out, at);
	if (!rc)
		rc = part_measure(g, o, out, true);
	if (rc)
		partition_free(out);
	return rc;
}
