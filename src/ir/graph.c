/*
 * Algorithms over one graph: edges, order, cycles, critical path, width, redundant
 * edges. All iterative; O(V + E) but for sorting the predecessors of a node, and
 * graph_redundant, which says its bound.
 */
#include <stdlib.h>
#include <string.h>

#include "couler/ir.h"

#define NONE UINT32_MAX

/* ---- edges ---- */

struct edge_set {
	struct graph *g;
	const struct node **key;          /* node -> position, open addressing by id */
	uint32_t *pos, mask;
	uint32_t at;                      /* position whose predecessors are collected */
	uint32_t *seen, *where;           /* by position: at + 1 when it is one already, and its index */
	struct { uint32_t pred; uint8_t flags; } *v;
	size_t n, cap;
};

static uint32_t id_hash(const struct node *n)
{
	return (uint32_t)(((uint64_t)n->id * UINT64_C(0x9e3779b97f4a7c15)) >> 32);
}

static void index_nodes(struct edge_set *s)
{
	uint32_t cap = 16;

	while (cap < 2 * s->g->nodes.n)
		cap *= 2;
	s->mask = cap - 1;
	s->key = xcalloc(cap, sizeof *s->key);
	s->pos = xcalloc(cap, sizeof *s->pos);
	for (uint32_t i = 0; i < s->g->nodes.n; i++) {
		uint32_t h = id_hash(s->g->nodes.v[i]) & s->mask;

		while (s->key[h])
			h = (h + 1) & s->mask;
		s->key[h] = s->g->nodes.v[i];
		s->pos[h] = i;
	}
}

static uint32_t position(const struct edge_set *s, const struct node *n)
{
	uint32_t h;

	if (!n)
		return NONE;
	for (h = id_hash(n) & s->mask; s->key[h]; h = (h + 1) & s->mask)
		if (s->key[h] == n)
			return s->pos[h];
	return NONE;
}

static void add_edge(struct edge_set *s, struct node *to, enum edge_flag flag)
{
	uint32_t p = position(s, node_in(to, s->g));

	if (p == NONE || p == s->at)
		return;
	if (s->seen[p] == s->at + 1) {
		s->v[s->where[p]].flags |= (uint8_t)flag;
		return;
	}
	if (s->n == s->cap) {
		s->cap = s->cap ? 2 * s->cap : 64;
		s->v = xrealloc(s->v, s->cap * sizeof *s->v);
	}
	s->seen[p] = s->at + 1;
	s->where[p] = (uint32_t)s->n;
	s->v[s->n].pred = p;
	s->v[s->n++].flags = (uint8_t)flag;
}

static void edge_of_ref(struct expr *ref, void *data)
{
	if (ref->fn == REF_OUTPUT)
		add_edge(data, ref->u.node, EDGE_DATA);
	else if (ref->fn == REF_STATUS || ref->fn == REF_EXIT_CODE)
		add_edge(data, ref->u.node, EDGE_STATUS);
}

static void edges_of_slot(struct expr **e, struct node *n, void *data)
{
	(void)n;
	expr_refs(*e, edge_of_ref, data);
}

static void edges_of_node(struct node *n, void *data)
{
	node_exprs(NULL, n, edges_of_slot, data);
	for (uint32_t i = 0; i < n->nafter; i++)
		add_edge(data, n->after[i].node, n->after[i].soft ? EDGE_SOFT : EDGE_ORDER);
}

static int by_u64(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Sorts what was collected since from into e; sort holds room for it. */
static void take_sorted(const struct edge_set *s, size_t from, struct edges *e, uint64_t **sort, size_t *cap)
{
	size_t n = s->n - from;
	bool sorted = true;

	if (n > *cap) {
		*cap = 2 * n;
		*sort = xrealloc(*sort, *cap * sizeof **sort);
	}
	for (size_t i = 0; i < n; i++) {
		(*sort)[i] = (uint64_t)s->v[from + i].pred << 8 | s->v[from + i].flags;
		sorted = sorted && (!i || (*sort)[i - 1] < (*sort)[i]);
	}
	if (!sorted)
		qsort(*sort, n, sizeof **sort, by_u64);
	for (size_t i = 0; i < n; i++) {
		e->pred[from + i] = (uint32_t)((*sort)[i] >> 8);
		e->flags[from + i] = (uint8_t)(*sort)[i];
	}
}

struct edges *graph_edges(struct arena *a, struct graph *g)
{
	struct edge_set s = { .g = g };
	struct edges *e = arena_new_of(a, struct edges);
	uint64_t *sort = NULL;
	size_t cap = 0;

	e->n = g->nodes.n;
	e->start = arena_array(a, uint32_t, e->n + 1);
	index_nodes(&s);
	s.seen = xcalloc(e->n, sizeof *s.seen);
	s.where = xcalloc(e->n, sizeof *s.where);
	for (uint32_t i = 0; i < e->n; i++) {
		s.at = i;
		edges_of_node(g->nodes.v[i], &s);
		if (node_nchildren(g->nodes.v[i]))
			node_within(g->nodes.v[i], edges_of_node, &s);
		e->start[i + 1] = (uint32_t)s.n;
	}
	e->pred = arena_array(a, uint32_t, s.n);
	e->flags = arena_array(a, uint8_t, s.n);
	for (uint32_t i = 0; i < e->n; i++) {
		size_t n = s.n;

		s.n = e->start[i + 1];
		take_sorted(&s, e->start[i], e, &sort, &cap);
		s.n = n;
	}
	free(sort);
	free(s.key);
	free(s.pos);
	free(s.seen);
	free(s.where);
	free(s.v);
	return e;
}

/* ---- order and cycles ---- */

enum { WHITE, GREY, BLACK };

/*
 * Visits i after what it needs, appending to out (NULL: not kept). Returns its node that closes a cycle, NONE if there is
 * none; then the path from it stands on the stack.
 */
struct dfs { const struct edges *e; uint8_t *color; uint32_t *stack, *next, depth, *out, nout; };

static uint32_t visit(struct dfs *d, uint32_t i)
{
	const struct edges *e = d->e;

	d->depth = 0;
	if (d->color[i] != WHITE)
		return NONE;
	d->stack[d->depth] = i;
	d->next[d->depth++] = e->start[i];
	d->color[i] = GREY;
	while (d->depth) {
		uint32_t at = d->stack[d->depth - 1], *k = &d->next[d->depth - 1], p;

		if (*k == e->start[at + 1]) {
			d->color[at] = BLACK;
			if (d->out)
				d->out[d->nout++] = at;
			d->depth--;
			continue;
		}
		p = e->pred[(*k)++];
		if (d->color[p] == GREY)
			return p;
		if (d->color[p] == WHITE) {
			d->color[p] = GREY;
			d->stack[d->depth] = p;
			d->next[d->depth++] = e->start[p];
		}
	}
	return NONE;
}

static void dfs_open(struct dfs *d, const struct edges *e, uint32_t *out)
{
	*d = (struct dfs){ .e = e, .out = out };
	d->color = xcalloc(e->n, 1);
	d->stack = xmalloc(e->n * sizeof *d->stack);
	d->next = xmalloc(e->n * sizeof *d->next);
}

static void dfs_close(struct dfs *d)
{
	free(d->color);
	free(d->stack);
	free(d->next);
}

uint32_t *graph_topo(struct arena *a, const struct edges *e)
{
	uint32_t *out = arena_array(a, uint32_t, e->n);
	struct dfs d;
	bool cycle = false;

	dfs_open(&d, e, out);
	for (uint32_t i = 0; i < e->n && !cycle; i++)
		cycle = visit(&d, i) != NONE;
	dfs_close(&d);
	return cycle ? NULL : out;
}

uint32_t *graph_cycle(struct arena *a, const struct edges *e, uint32_t *n)
{
	uint32_t *out = NULL, hit = NONE, from, least = 0;
	struct dfs d;

	*n = 0;
	dfs_open(&d, e, NULL);
	for (uint32_t i = 0; i < e->n && hit == NONE; i++)
		hit = visit(&d, i);
	if (hit != NONE) {
		for (from = d.depth; d.stack[from - 1] != hit; )
			from--;
		*n = d.depth - (from - 1);
		out = arena_array(a, uint32_t, *n);
		/* the stack runs against the edges; from the first in the source on, each is needed by the next */
		for (uint32_t i = 1; i < *n; i++)
			if (d.stack[d.depth - 1 - i] < d.stack[d.depth - 1 - least])
				least = i;
		for (uint32_t i = 0; i < *n; i++)
			out[i] = d.stack[d.depth - 1 - (least + i) % *n];
	}
	dfs_close(&d);
	return out;
}

uint32_t *graph_critical_path(struct arena *a, const struct edges *e, const double *w, uint32_t *n, double *len)
{
	uint32_t *topo = graph_topo(a, e), *from, *out, end = NONE, k = 0;
	double *dist;

	*n = 0;
	*len = 0;
	if (!topo || !e->n)
		return NULL;
	dist = xmalloc(e->n * sizeof *dist);
	from = xmalloc(e->n * sizeof *from);
	for (uint32_t i = 0; i < e->n; i++) {
		uint32_t v = topo[i];

		dist[v] = 0;
		from[v] = NONE;
		for (uint32_t j = e->start[v]; j < e->start[v + 1]; j++) {
			if (from[v] == NONE || dist[e->pred[j]] > dist[v]) {
				dist[v] = dist[e->pred[j]];
				from[v] = e->pred[j];
			}
		}
		dist[v] += w ? w[v] : 1;
		if (end == NONE || dist[v] > dist[end] || (v < end && dist[v] == dist[end]))
			end = v;
	}
	*len = dist[end];
	for (uint32_t v = end; v != NONE; v = from[v])
		++*n;
	out = arena_array(a, uint32_t, *n);
	for (uint32_t v = end; v != NONE; v = from[v])
		out[*n - ++k] = v;
	free(dist);
	free(from);
	return out;
}

/* Edges on the longest path to each node; NULL for a cycle. */
static uint32_t *levels(struct arena *a, const struct edges *e)
{
	uint32_t *topo = graph_topo(a, e), *level;

	if (!topo)
		return NULL;
	level = arena_array(a, uint32_t, e->n);
	for (uint32_t i = 0; i < e->n; i++)
		for (uint32_t v = topo[i], j = e->start[v]; j < e->start[v + 1]; j++)
			if (level[e->pred[j]] >= level[v])
				level[v] = level[e->pred[j]] + 1;
	return level;
}

uint32_t graph_width(struct arena *a, const struct edges *e)
{
	uint32_t *level = levels(a, e), *count, most = 0;

	if (!level)
		return 0;
	count = xcalloc(e->n, sizeof *count);
	for (uint32_t i = 0; i < e->n; i++)
		if (++count[level[i]] > most)
			most = count[level[i]];
	free(count);
	return most;
}

/* ---- redundant edges ---- */

/*
 * An edge p -> v is redundant when p reaches another predecessor q of v. Two cheap tests decide most: p cannot reach
 * anything of its own level or below; and p does reach what stands under it in a spanning forest, which holds the last
 * edge of each node's longest path (so chains with shortcuts are decided there). What is left is searched backward from
 * the predecessors, down to the lowest level still in question, within SEARCH_FACTOR * (V + E) steps over the whole
 * graph; past them edges are kept, which is always right.
 */
#define SEARCH_FACTOR 64u

struct reduction {
	const struct edges *e;
	const uint32_t *level;
	uint32_t *in, *out;               /* spanning forest: preorder number, and the last one below */
	uint32_t *mark, *want, *stack;    /* mark: reached from v's predecessors; want: in question for v; both v + 1 */
	uint32_t *open, nopen;            /* edges of the node at hand that are not decided */
	uint8_t *redundant;
	uint64_t budget;
};

static void spanning_forest(struct reduction *r)
{
	const struct edges *e = r->e;
	uint32_t *parent = xmalloc(e->n * sizeof *parent), *child = xmalloc(e->n * sizeof *child), *sibling = xmalloc(e->n * sizeof *sibling), clock = 0;

	memset(child, 0xff, e->n * sizeof *child);
	for (uint32_t v = e->n; v-- > 0; ) {
		parent[v] = NONE;
		for (uint32_t j = e->start[v]; j < e->start[v + 1]; j++)
			if (parent[v] == NONE || r->level[e->pred[j]] > r->level[parent[v]])
				parent[v] = e->pred[j];
		if (parent[v] != NONE) {
			sibling[v] = child[parent[v]];
			child[parent[v]] = v;
		}
	}
	for (uint32_t root = 0; root < e->n; root++) {
		uint32_t v = root;

		if (parent[root] != NONE)
			continue;
		r->in[v] = clock++;
		while (v != NONE) {
			if (child[v] != NONE) {
				uint32_t c = child[v];

				child[v] = sibling[c];
				v = c;
				r->in[v] = clock++;
			} else {
				r->out[v] = clock - 1;
				v = parent[v];
			}
		}
	}
	free(parent);
	free(child);
	free(sibling);
}

/* Decides by the forest: sorted by preorder, a predecessor that reaches another one has the next one below it. */
static void decide_by_forest(struct reduction *r, uint32_t v, uint64_t *sort)
{
	const struct edges *e = r->e;
	uint32_t from = e->start[v], n = e->start[v + 1] - from, most = 0;

	for (uint32_t i = 0; i < n; i++) {
		sort[i] = (uint64_t)r->in[e->pred[from + i]] << 32 | (from + i);
		if (r->level[e->pred[from + i]] > most)
			most = r->level[e->pred[from + i]];
	}
	qsort(sort, n, sizeof *sort, by_u64);
	r->nopen = 0;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t edge = (uint32_t)sort[i], p = e->pred[edge];

		if (i + 1 < n && (uint32_t)(sort[i + 1] >> 32) <= r->out[p])
			r->redundant[edge] = 1;
		else if (r->level[p] < most)
			r->open[r->nopen++] = edge;
	}
}

static void search(struct reduction *r, uint32_t v)
{
	const struct edges *e = r->e;
	uint32_t depth = 0, lowest = NONE, left = r->nopen;

	for (uint32_t i = 0; i < r->nopen; i++) {
		uint32_t p = e->pred[r->open[i]];

		r->want[p] = v + 1;
		if (r->level[p] < lowest)
			lowest = r->level[p];
	}
	for (uint32_t j = e->start[v]; j < e->start[v + 1]; j++)
		r->stack[depth++] = e->pred[j];
	while (depth && left && r->budget) {
		uint32_t at = r->stack[--depth];

		for (uint32_t j = e->start[at]; j < e->start[at + 1] && r->budget; j++, r->budget--) {
			uint32_t p = e->pred[j];

			if (r->mark[p] == v + 1 || r->level[p] < lowest)
				continue;
			r->mark[p] = v + 1;
			r->stack[depth++] = p;
			left -= r->want[p] == v + 1;
		}
	}
	for (uint32_t i = 0; i < r->nopen; i++)
		if (r->mark[e->pred[r->open[i]]] == v + 1)
			r->redundant[r->open[i]] = 1;
}

uint8_t *graph_redundant(struct arena *a, const struct edges *e)
{
	struct reduction r = { .e = e, .level = levels(a, e) };
	uint32_t edges = e->start[e->n], most = 0;
	uint64_t *sort;

	r.redundant = arena_array(a, uint8_t, edges);
	if (!r.level)
		return r.redundant;
	r.budget = SEARCH_FACTOR * ((uint64_t)e->n + edges) + 100000;
	for (uint32_t v = 0; v < e->n; v++)
		if (e->start[v + 1] - e->start[v] > most)
			most = e->start[v + 1] - e->start[v];
	r.in = xcalloc(e->n, sizeof *r.in);
	r.out = xcalloc(e->n, sizeof *r.out);
	r.mark = xcalloc(e->n, sizeof *r.mark);
	r.want = xcalloc(e->n, sizeof *r.want);
	r.stack = xmalloc(((size_t)e->n + most) * sizeof *r.stack);
	r.open = xmalloc(most * sizeof *r.open);
	sort = xmalloc(most * sizeof *sort);
	spanning_forest(&r);
	for (uint32_t v = 0; v < e->n; v++) {
		if (e->start[v + 1] - e->start[v] < 2)
			continue;
		decide_by_forest(&r, v, sort);
		if (r.nopen)
			search(&r, v);
	}
	free(r.in);
	free(r.out);
	free(r.mark);
	free(r.want);
	free(r.stack);
	free(r.open);
	free(sort);
	return r.redundant;
}
