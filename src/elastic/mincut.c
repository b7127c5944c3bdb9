/*
 * Maximum preflow, highest label first, with the gap rule and global relabelling (Goldberg, Tarjan 1988; Cherkassky,
 * Goldberg 1997). Only its first phase: excess that cannot reach the sink stays where it is, which is all that a
 * minimum cut needs. The nodes that reach the sink in the residual graph are the smallest sink side there is.
 */
#include "mincut.h"

#define NONE UINT32_MAX

struct mincut {
	uint32_t n, sink, narcs;
	uint32_t *to, *next, *head, *current;
	wide *cap, *excess;
	uint32_t *label, *count;          /* count: nodes by label */
	uint32_t *bucket, *below;         /* active nodes by label, linked */
	bool *active, *sink_side;
	uint32_t *queue;
	uint32_t top, relabels;
};

struct mincut *mincut_new(struct arena *a, uint32_t nodes, uint32_t arcs)
{
	struct mincut *m = arena_new_of(a, struct mincut);

	m->n = nodes;
	m->sink = nodes - 1;
	m->to = arena_array(a, uint32_t, 2 * (size_t)arcs + 1);
	m->next = arena_array(a, uint32_t, 2 * (size_t)arcs + 1);
	m->cap = arena_array(a, wide, 2 * (size_t)arcs + 1);
	m->head = arena_array(a, uint32_t, nodes);
	m->current = arena_array(a, uint32_t, nodes);
	m->excess = arena_array(a, wide, nodes);
	m->label = arena_array(a, uint32_t, nodes);
	m->count = arena_array(a, uint32_t, (size_t)nodes + 1);
	m->bucket = arena_array(a, uint32_t, (size_t)nodes + 1);
	m->below = arena_array(a, uint32_t, nodes);
	m->active = arena_array(a, bool, nodes);
	m->sink_side = arena_array(a, bool, nodes);
	m->queue = arena_array(a, uint32_t, nodes);
	for (uint32_t v = 0; v < nodes; v++)
		m->head[v] = NONE;
	return m;
}

static void half(struct mincut *m, uint32_t from, uint32_t to, wide cap)
{
	uint32_t e = m->narcs++;

	m->to[e] = to;
	m->cap[e] = cap;
	m->next[e] = m->head[from];
	m->head[from] = e;
}

void mincut_arc(struct mincut *m, uint32_t from, uint32_t to, wide cap, wide back)
{
	half(m, from, to, cap);
	half(m, to, from, back);
}

void mincut_excess(struct mincut *m, uint32_t v, wide e)
{
	m->excess[v] += e;
}

static void activate(struct mincut *m, uint32_t v)
{
	if (m->active[v] || v == m->sink || m->excess[v] <= 0 || m->label[v] >= m->n)
		return;
	m->active[v] = true;
	m->below[v] = m->bucket[m->label[v]];
	m->bucket[m->label[v]] = v;
	if (m->label[v] > m->top)
		m->top = m->label[v];
}

/* Labels as exact distances to the sink; what cannot reach it is out of the game. */
static void relabel_all(struct mincut *m)
{
	uint32_t n = 0;

	for (uint32_t v = 0; v < m->n; v++) {
		m->label[v] = m->n;
		m->active[v] = false;
		m->current[v] = m->head[v];
		m->count[v] = 0;
		m->bucket[v] = NONE;
	}
	m->bucket[m->n] = NONE;
	m->label[m->sink] = 0;
	m->queue[n++] = m->sink;
	for (uint32_t i = 0; i < n; i++)
		for (uint32_t v = m->queue[i], e = m->head[v]; e != NONE; e = m->next[e])
			if (m->cap[e ^ 1] > 0 && m->label[m->to[e]] == m->n) {
				m->label[m->to[e]] = m->label[v] + 1;
				m->queue[n++] = m->to[e];
			}
	m->top = 0;
	m->relabels = 0;
	for (uint32_t i = 0; i < n; i++) {
		m->count[m->label[m->queue[i]]]++;
		activate(m, m->queue[i]);
	}
}

/* No node has label d any more: what stands above it cannot reach the sink. */
static void gap(struct mincut *m, uint32_t d)
{
	for (uint32_t v = 0; v < m->n; v++)
		if (m->label[v] > d && m->label[v] < m->n) {
			m->count[m->label[v]]--;
			m->label[v] = m->n;
		}
}

static void relabel(struct mincut *m, uint32_t v)
{
	uint32_t least = m->n, old = m->label[v];

	for (uint32_t e = m->head[v]; e != NONE; e = m->next[e])
		if (m->cap[e] > 0 && m->label[m->to[e]] + 1 < least)
			least = m->label[m->to[e]] + 1;
	m->count[old]--;
	m->label[v] = least;
	m->current[v] = m->head[v];
	m->relabels++;
	if (least < m->n)
		m->count[least]++;
	if (!m->count[old])
		gap(m, old);
}

static void discharge(struct mincut *m, uint32_t v)
{
	while (m->excess[v] > 0 && m->label[v] < m->n) {
		uint32_t e = m->current[v], w;
		wide x;

		if (e == NONE) {
			relabel(m, v);
			continue;
		}
		w = m->to[e];
		if (m->cap[e] <= 0 || m->label[v] != m->label[w] + 1) {
			m->current[v] = m->next[e];
			continue;
		}
		x = m->excess[v] < m->cap[e] ? m->excess[v] : m->cap[e];
		m->cap[e] -= x;
		m->cap[e ^ 1] += x;
		m->excess[v] -= x;
		m->excess[w] += x;
		activate(m, w);
	}
}

const bool *mincut_run(struct mincut *m)
{
	relabel_all(m);
	for (;;) {
		uint32_t v;

		while (m->top && m->bucket[m->top] == NONE)
			m->top--;
		v = m->bucket[m->top];
		if (v == NONE)
			break;
		m->bucket[m->top] = m->below[v];
		m->active[v] = false;
		if (m->label[v] != m->top) {                              /* lifted by the gap rule */
			activate(m, v);
			continue;
		}
		discharge(m, v);
		if (m->relabels > m->n)
			relabel_all(m);
	}
	relabel_all(m);
	for (uint32_t v = 0; v < m->n; v++)
		m->sink_side[v] = m->label[v] < m->n;
	return m->sink_side;
}
