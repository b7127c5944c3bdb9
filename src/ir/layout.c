/*
 * Layered drawing of graphs (Sugiyama, Tagawa, Toda, "Methods for Visual Understanding of Hierarchical System
 * Structures", 1981): layers by longest path, orders within layers by barycenters, then x by least squares under the
 * order (pool adjacent violators). Regions are laid out first and are boxes of the graph around them. Edges from one
 * box that pass through a layer share their way.
 */
#include "picture.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SWEEPS 12

struct layout {
	struct arena *a;
	struct pic_graph *g;
	const struct pic_metric *m;
	uint32_t *layer;                  /* by box */
	uint32_t *first;                  /* edges of g by from: first[b] .. first[b + 1) */
};

/* ---- layers ---- */

static void make_layers(struct layout *l)
{
	struct pic_graph *g = l->g;
	uint32_t *need = xcalloc(g->n, sizeof *need), *queue = xmalloc((g->n + 1) * sizeof *queue), head = 0, tail = 0;

	l->first = arena_array(l->a, uint32_t, g->n + 1);
	l->layer = arena_array(l->a, uint32_t, g->n);
	for (uint32_t i = 0; i < g->nedges; i++) {
		l->first[g->edge[i].from + 1]++;
		need[g->edge[i].to]++;
	}
	for (uint32_t i = 0; i < g->n; i++) {
		l->first[i + 1] += l->first[i];
		if (!need[i])
			queue[tail++] = i;
	}
	while (head < tail) {
		uint32_t b = queue[head++];

		for (uint32_t k = l->first[b]; k < l->first[b + 1]; k++) {
			uint32_t to = g->edge[k].to;

			if (l->layer[to] <= l->layer[b])
				l->layer[to] = l->layer[b] + 1;
			if (!--need[to])
				queue[tail++] = to;
		}
	}
	/* a source stands just above the first box that needs it */
	memset(need, 0, g->n * sizeof *need);
	for (uint32_t i = 0; i < g->nedges; i++)
		need[g->edge[i].to]++;
	for (uint32_t b = 0; b < g->n; b++) {
		uint32_t least = PIC_NONE;

		for (uint32_t k = l->first[b]; !need[b] && k < l->first[b + 1]; k++)
			if (l->layer[g->edge[k].to] < least)
				least = l->layer[g->edge[k].to];
		if (least != PIC_NONE)
			l->layer[b] = least - 1;
	}
	free(need);
	free(queue);
}

/* ---- parts: what hangs together ---- */

static uint32_t root(uint32_t *up, uint32_t i)
{
	while (up[i] != i) {
		up[i] = up[up[i]];
		i = up[i];
	}
	return i;
}

struct builder { struct layout *l; struct pic_part *p; uint32_t cap_item, cap_link, *at; };      /* at: item of a box */

static uint32_t add_item(struct builder *b, uint32_t box, uint32_t layer, uint32_t src, bool data)
{
	struct pic_part *p = b->p;

	if (p->nitems == b->cap_item) {
		uint32_t cap = b->cap_item ? 2 * b->cap_item : 16;

		p->item = arena_grow(b->l->a, p->item, b->cap_item * sizeof *p->item, cap * sizeof *p->item);
		b->cap_item = cap;
	}
	p->item[p->nitems] = (struct pic_item){ box, layer, src, data, 0, box == PIC_NONE ? 1 : b->l->g->box[box].w };
	if (layer >= p->nlayers)
		p->nlayers = layer + 1;
	return p->nitems++;
}

static void add_link(struct builder *b, uint32_t from, uint32_t to, bool data)
{
	struct pic_part *p = b->p;

	if (p->nlinks == b->cap_link) {
		uint32_t cap = b->cap_link ? 2 * b->cap_link : 16;

		p->link = arena_grow(b->l->a, p->link, b->cap_link * sizeof *p->link, cap * sizeof *p->link);
		b->cap_link = cap;
	}
	p->link[p->nlinks++] = (struct pic_link){ from, to, data };
}

/* Edges of a box: one chain of passing items for its data edges, one for the others, as far down as they reach. */
static void add_edges(struct builder *b, uint32_t box)
{
	struct layout *l = b->l;

	for (int data = 1; data >= 0; data--) {
		uint32_t deepest = 0, at = b->at[box];

		for (uint32_t k = l->first[box]; k < l->first[box + 1]; k++)
			if (l->g->edge[k].data == data && l->layer[l->g->edge[k].to] > deepest)
				deepest = l->layer[l->g->edge[k].to];
		for (uint32_t layer = l->layer[box] + 1; layer <= deepest; layer++) {
			for (uint32_t k = l->first[box]; k < l->first[box + 1]; k++)
				if (l->g->edge[k].data == data && l->layer[l->g->edge[k].to] == layer)
					add_link(b, at, b->at[l->g->edge[k].to], data);
			if (layer < deepest) {
				uint32_t pass = add_item(b, PIC_NONE, layer, box, data);

				add_link(b, at, pass, data);
				at = pass;
			}
		}
	}
}

static void make_parts(struct layout *l)
{
	struct pic_graph *g = l->g;
	uint32_t *up = xmalloc((g->n + 1) * sizeof *up), *part = xmalloc((g->n + 1) * sizeof *part), *lowest, *at = xmalloc((g->n + 1) * sizeof *at);
	struct builder *b;

	for (uint32_t i = 0; i < g->n; i++)
		up[i] = i;
	for (uint32_t i = 0; i < g->nedges; i++)
		up[root(up, g->edge[i].to)] = root(up, g->edge[i].from);
	memset(part, 0xff, g->n * sizeof *part);
	for (uint32_t i = 0; i < g->n; i++)
		if (part[root(up, i)] == PIC_NONE)
			part[root(up, i)] = g->nparts++;
	g->part = arena_array(l->a, struct pic_part, g->nparts);
	b = xcalloc(g->nparts, sizeof *b);
	lowest = xmalloc((g->nparts + 1) * sizeof *lowest);
	memset(lowest, 0xff, g->nparts * sizeof *lowest);
	for (uint32_t i = 0; i < g->n; i++) {
		uint32_t p = part[root(up, i)];

		if (l->layer[i] < lowest[p])
			lowest[p] = l->layer[i];
	}
	for (uint32_t i = 0; i < g->n; i++) {
		uint32_t p = part[root(up, i)];

		b[p] = (struct builder){ l, &g->part[p], b[p].cap_item, b[p].cap_link, at };
		l->layer[i] -= lowest[p];
		at[i] = add_item(&b[p], i, l->layer[i], i, true);
	}
	for (uint32_t i = 0; i < g->n; i++)
		add_edges(&b[part[root(up, i)]], i);
	free(up);
	free(part);
	free(lowest);
	free(at);
	free(b);
}

/* ---- order within layers ---- */

/* Links by item on one side. */
struct adjacency { uint32_t *first, *other; };

struct ordering {
	struct pic_part *p;
	struct adjacency above, below;    /* neighbours in the layer before, after */
	double *key;
	uint32_t *rank, *best;
};

static void adjacency(struct arena *a, const struct pic_part *p, bool above, struct adjacency *out)
{
	uint32_t *fill;

	out->first = arena_array(a, uint32_t, p->nitems + 1);
	out->other = arena_array(a, uint32_t, p->nlinks);
	for (uint32_t i = 0; i < p->nlinks; i++)
		out->first[(above ? p->link[i].to : p->link[i].from) + 1]++;
	for (uint32_t i = 0; i < p->nitems; i++)
		out->first[i + 1] += out->first[i];
	fill = xmalloc((p->nitems + 1) * sizeof *fill);
	memcpy(fill, out->first, p->nitems * sizeof *fill);
	for (uint32_t i = 0; i < p->nlinks; i++)
		out->other[fill[above ? p->link[i].to : p->link[i].from]++] = above ? p->link[i].from : p->link[i].to;
	free(fill);
}

static void fill_layers(struct arena *a, struct pic_part *p)
{
	p->layer = arena_array(a, struct pic_layer, p->nlayers);
	for (uint32_t i = 0; i < p->nitems; i++)
		p->layer[p->item[i].layer].n++;
	for (uint32_t i = 0; i < p->nlayers; i++) {
		p->layer[i].item = arena_array(a, uint32_t, p->layer[i].n);
		p->layer[i].n = 0;
	}
	for (uint32_t i = 0; i < p->nitems; i++) {
		struct pic_layer *l = &p->layer[p->item[i].layer];

		l->item[l->n++] = i;
	}
}

static int by_u64(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Crossings between two neighbouring layers: inversions, counted in a binary indexed tree. */
static uint64_t crossings_below(const struct ordering *o, const struct pic_layer *up, uint32_t below, uint32_t *tree, uint64_t *buf)
{
	uint64_t crossings = 0;
	uint32_t seen = 0;

	memset(tree, 0, (below + 1) * sizeof *tree);
	for (uint32_t i = 0; i < up->n; i++) {
		uint32_t from = o->below.first[up->item[i]], to = o->below.first[up->item[i] + 1];

		for (uint32_t k = from; k < to; k++)
			buf[k - from] = o->rank[o->below.other[k]];
		qsort(buf, to - from, sizeof *buf, by_u64);
		for (uint32_t k = 0; k < to - from; k++) {
			uint32_t upto = 0;

			for (uint32_t x = (uint32_t)buf[k] + 1; x; x &= x - 1)
				upto += tree[x];
			crossings += seen - upto;
		}
		for (uint32_t k = 0; k < to - from; k++, seen++)
			for (uint32_t x = (uint32_t)buf[k] + 1; x <= below; x += x & -x)
				tree[x]++;
	}
	return crossings;
}

static uint64_t crossings(const struct ordering *o)
{
	uint32_t *tree = xmalloc((o->p->nitems + 2) * sizeof *tree);
	uint64_t sum = 0, *buf = xmalloc((o->p->nlinks + 1) * sizeof *buf);

	for (uint32_t i = 0; i + 1 < o->p->nlayers; i++)
		sum += crossings_below(o, &o->p->layer[i], o->p->layer[i + 1].n, tree, buf);
	free(tree);
	free(buf);
	return sum;
}

struct keyed { double key; uint32_t item, rank; };

static int by_key(const void *a, const void *b)
{
	const struct keyed *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return (x->rank > y->rank) - (x->rank < y->rank);
}

static void sort_layer(struct ordering *o, struct pic_layer *l, const struct adjacency *adj)
{
	struct keyed *v = xmalloc(l->n * sizeof *v);

	for (uint32_t i = 0; i < l->n; i++) {
		uint32_t x = l->item[i], n = adj->first[x + 1] - adj->first[x];
		double sum = 0;

		for (uint32_t k = adj->first[x]; k < adj->first[x + 1]; k++)
			sum += o->rank[adj->other[k]];
		v[i] = (struct keyed){ n ? sum / n : i, x, i };
	}
	qsort(v, l->n, sizeof *v, by_key);
	for (uint32_t i = 0; i < l->n; i++) {
		l->item[i] = v[i].item;
		o->rank[v[i].item] = i;
	}
	free(v);
}

static void order_layers(struct arena *a, struct pic_part *p, struct ordering *o)
{
	uint64_t least;

	*o = (struct ordering){ .p = p };
	adjacency(a, p, true, &o->above);
	adjacency(a, p, false, &o->below);
	o->rank = arena_array(a, uint32_t, p->nitems);
	o->best = arena_array(a, uint32_t, p->nitems);
	for (uint32_t i = 0; i < p->nlayers; i++)
		for (uint32_t k = 0; k < p->layer[i].n; k++)
			o->rank[p->layer[i].item[k]] = k;
	memcpy(o->best, o->rank, p->nitems * sizeof *o->best);
	least = crossings(o);
	for (int s = 0; s < SWEEPS && least; s++) {
		uint64_t now;

		for (uint32_t i = 1; i < p->nlayers; i++)
			sort_layer(o, &p->layer[i], &o->above);
		for (uint32_t i = p->nlayers - 1; i-- > 0 && s + 1 < SWEEPS; )
			sort_layer(o, &p->layer[i], &o->below);
		now = crossings(o);
		if (now < least) {
			least = now;
			memcpy(o->best, o->rank, p->nitems * sizeof *o->best);
		}
	}
	for (uint32_t i = 0; i < p->nitems; i++)
		p->layer[p->item[i].layer].item[o->best[i]] = i;
}

/* ---- x ---- */

static double apart(const struct layout *l, const struct pic_item *a, const struct pic_item *b)
{
	double gap = l->m->gap_x;

	if (a->box == PIC_NONE && b->box == PIC_NONE && a->src == b->src)
		gap = gap / 2;
	return (a->w + b->w) / 2 + (l->m->grid ? ceil(gap) : gap);
}

/*
 * Places a layer as near to its wishes as its order and distances allow: with the distances taken off it is isotonic
 * regression, solved by pooling neighbours that violate the order.
 */
static void place_layer(const struct layout *l, struct pic_part *p, struct pic_layer *y, const double *wish, const double *weight)
{
	struct { double sum, w; uint32_t n; } *pool = xmalloc((y->n + 1) * sizeof *pool);
	double *off = xmalloc((y->n + 1) * sizeof *off);
	uint32_t n = 0, k = 0;

	for (uint32_t i = 0; i < y->n; i++) {
		off[i] = i ? off[i - 1] + apart(l, &p->item[y->item[i - 1]], &p->item[y->item[i]]) : 0;
		pool[n].w = weight[y->item[i]];
		pool[n].sum = pool[n].w * (wish[y->item[i]] - off[i]);
		pool[n++].n = 1;
		while (n > 1 && pool[n - 2].sum / pool[n - 2].w >= pool[n - 1].sum / pool[n - 1].w) {
			pool[n - 2].sum += pool[n - 1].sum;
			pool[n - 2].w += pool[n - 1].w;
			pool[n - 2].n += pool[n - 1].n;
			n--;
		}
	}
	for (uint32_t i = 0; i < n; i++)
		for (uint32_t j = 0; j < pool[i].n; j++, k++)
			p->item[y->item[k]].x = pool[i].sum / pool[i].w + off[k];
	free(pool);
	free(off);
}

static void wishes(const struct pic_part *p, const struct pic_layer *y, const struct adjacency *one, const struct adjacency *two, double *wish, double *weight)
{
	const struct adjacency *adj[] = { one, two };

	for (uint32_t i = 0; i < y->n; i++) {
		uint32_t x = y->item[i];
		double sum = 0, n = 0;

		for (int s = 0; s < 2 && adj[s]; s++) {
			for (uint32_t k = adj[s]->first[x]; k < adj[s]->first[x + 1]; k++) {
				/* long edges are kept straight before others */
				double w = p->item[x].box == PIC_NONE && p->item[adj[s]->other[k]].box == PIC_NONE ? 8 : 1;

				sum += w * p->item[adj[s]->other[k]].x;
				n += w;
			}
		}
		wish[x] = n ? sum / n : p->item[x].x;
		weight[x] = n ? n : 0.01;
	}
}

/* Whole columns: the middle of a box of even width stands half a column left of it. */
static void to_grid(const struct layout *l, struct pic_part *p)
{
	for (uint32_t i = 0; i < p->nlayers; i++) {
		double left = 0;
		bool any = false;

		for (uint32_t k = 0; k < p->layer[i].n; k++) {
			struct pic_item *it = &p->item[p->layer[i].item[k]];
			double at = floor(it->x + 0.5) - floor((it->w - 1) / 2), gap = any ? apart(l, it, it) - it->w : 0;

			if (any && at < left + gap)
				at = left + gap;
			it->x = at + floor((it->w - 1) / 2);
			left = at + it->w;
			any = true;
		}
	}
}

static void place_x(const struct layout *l, struct pic_part *p, const struct ordering *o)
{
	double *wish = xcalloc(p->nitems, sizeof *wish), *weight = xcalloc(p->nitems, sizeof *weight), left = INFINITY, right = -INFINITY;

	for (uint32_t i = 0; i < p->nlayers; i++) {
		wishes(p, &p->layer[i], i ? &o->above : NULL, NULL, wish, weight);
		place_layer(l, p, &p->layer[i], wish, weight);
	}
	for (int s = 0; s < 2 * SWEEPS; s++) {
		bool last = s >= 2 * SWEEPS - 4;

		for (uint32_t k = 0; k < p->nlayers; k++) {
			uint32_t i = s % 2 ? k : p->nlayers - 1 - k;

			wishes(p, &p->layer[i], s % 2 ? &o->above : &o->below, last ? (s % 2 ? &o->below : &o->above) : NULL, wish, weight);
			place_layer(l, p, &p->layer[i], wish, weight);
		}
	}
	if (l->m->grid)
		to_grid(l, p);
	for (uint32_t i = 0; i < p->nitems; i++) {
		double half = l->m->grid ? floor((p->item[i].w - 1) / 2) : p->item[i].w / 2;

		if (p->item[i].x - half < left)
			left = p->item[i].x - half;
		if (p->item[i].x - half + p->item[i].w > right)
			right = p->item[i].x - half + p->item[i].w;
	}
	for (uint32_t i = 0; i < p->nitems; i++)
		p->item[i].x -= left;
	p->w = right - left;
	free(wish);
	free(weight);
}

static void place_y(const struct layout *l, struct pic_part *p)
{
	double y = 0;

	for (uint32_t i = 0; i < p->nlayers; i++) {
		struct pic_layer *layer = &p->layer[i];

		for (uint32_t k = 0; k < layer->n; k++) {
			uint32_t box = p->item[layer->item[k]].box;

			if (box != PIC_NONE && l->g->box[box].h > layer->h)
				layer->h = l->g->box[box].h;
		}
		layer->y = y;
		y += layer->h;
		if (i + 1 < p->nlayers)
			y += l->m->channel(p, i);
	}
	p->h = y;
	for (uint32_t i = 0; i < p->nitems; i++) {
		struct pic_item *it = &p->item[i];
		struct pic_box *b = it->box == PIC_NONE ? NULL : &l->g->box[it->box];

		if (!b)
			continue;
		b->x = it->x - (l->m->grid ? floor((b->w - 1) / 2) : b->w / 2);
		b->y = p->layer[it->layer].y;
	}
}

/* ---- parts side by side, rows of them below each other ---- */

static void place_parts(const struct layout *l, struct pic_graph *g)
{
	double x = 0, y = 0, row = 0;

	for (uint32_t i = 0; i < g->nparts; i++) {
		struct pic_part *p = &g->part[i];

		if (x > 0 && x + p->w > l->m->room) {
			y += row + l->m->gap_part;
			x = row = 0;
		}
		p->x = x;
		p->y = y;
		x += p->w + l->m->gap_part;
		if (p->h > row)
			row = p->h;
		if (p->x + p->w > g->w)
			g->w = p->x + p->w;
		for (uint32_t k = 0; k < p->nitems; k++) {
			if (p->item[k].box == PIC_NONE)
				continue;
			g->box[p->item[k].box].x += p->x;
			g->box[p->item[k].box].y += p->y;
		}
	}
	g->h = y + row;
}

/* ---- boxes and what they hold ---- */

/* A graph in a region, at x, y of the box: a titled one (a branch) gets a frame of its own. */
static void frame_child(struct pic_graph *c, const struct pic_metric *m, double x, double y)
{
	double side = c->title ? m->border + m->pad_x : 0, top = c->title ? (m->title > 0 ? m->title : m->border) + m->pad_y : 0;
	double title = c->title ? m->width(c->title) + 2 * side : 0, w = c->w + 2 * side, shift = title > w ? floor((title - w) / 2) : 0;

	c->fx = x;
	c->fy = y;
	c->fw = title > w ? title : w;
	c->fh = top + c->h + (c->title ? m->pad_y + m->border : 0);
	c->x = x + side + shift;
	c->y = y + top;
}

static void size_box(struct pic_box *b, const struct pic_metric *m)
{
	double w = m->width(b->title), below = 0, x = m->border + m->pad_x;
	double head = b->nchild ? b->nlines * m->line + (m->title > 0 ? m->title : m->border) : 0;

	for (uint32_t i = 0; i < b->nlines; i++)
		if (m->width(b->line[i]) > w)
			w = m->width(b->line[i]);
	if (!b->nchild) {
		b->w = w + 2 * (m->pad_x + m->border);
		b->h = (1 + b->nlines) * m->line + 2 * (m->pad_y + m->border);
		return;
	}
	for (uint32_t i = 0; i < b->nchild; i++) {
		frame_child(&b->child[i], m, x, head + m->pad_y);
		x += b->child[i].fw + m->gap_x;
		if (b->child[i].fh > below)
			below = b->child[i].fh;
	}
	x += m->border + m->pad_x - m->gap_x;
	w += 2 * (m->border + m->pad_x);
	for (uint32_t i = 0; i < b->nchild; i++) {
		b->child[i].fh = below;
		if (w <= x)
			continue;
		b->child[i].x += floor((w - x) / 2);
		b->child[i].fx += floor((w - x) / 2);
	}
	b->w = w > x ? w : x;
	b->h = head + m->pad_y + below + m->pad_y + m->border;
}

/* Recursion is bounded by the depth to which picture.c goes. */
void picture_layout(struct arena *a, struct pic_graph *g, const struct pic_metric *m)
{
	struct layout l = { .a = a, .g = g, .m = m };

	for (uint32_t i = 0; i < g->n; i++) {
		for (uint32_t k = 0; k < g->box[i].nchild; k++)
			picture_layout(a, &g->box[i].child[k], m);
		size_box(&g->box[i], m);
	}
	make_layers(&l);
	make_parts(&l);
	for (uint32_t i = 0; i < g->nparts; i++) {
		struct ordering o;

		fill_layers(a, &g->part[i]);
		order_layers(a, &g->part[i], &o);
		place_x(&l, &g->part[i], &o);
		place_y(&l, &g->part[i]);
	}
	place_parts(&l, g);
}
