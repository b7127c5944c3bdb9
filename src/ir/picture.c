/* What is drawn of a graph: boxes with their labels, edges, and several nodes in one box where there are too many. */
#include "picture.h"

#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 48                      /* of regions drawn inside each other */
#define BANDS_MAX 24                      /* boxes where layers share them */
#define LABEL_MAX 40                      /* columns */

int graph_format(const char *word)
{
	static const char *const names[] = {
#define X(f) #f,
		GRAPH_FORMATS(X)
#undef X
	};

	for (int i = 0; i < GRAPH_COUNT; i++)
		if (!strcmp(word, names[i]))
			return i;
	return -1;
}

void graph_render(const struct ir *m, enum graph_format f, struct strbuf *out)
{
	switch (f) {
	case GRAPH_text:
		picture_text(m, out);
		break;
	case GRAPH_dot:
		picture_dot(m, out);
		break;
	case GRAPH_mermaid:
		picture_mermaid(m, out);
		break;
	case GRAPH_svg:
		picture_svg(m, out);
		break;
	case GRAPH_COUNT:
		break;
	}
}

/* ---- labels ---- */

static uint32_t code_point(const unsigned char *s, size_t *len)
{
	*len = s[0] < 0x80 ? 1 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	return *len == 1 ? s[0] : *len == 2 ? (s[0] & 0x1fu) << 6 | (s[1] & 0x3fu) : *len == 3 ? (s[0] & 0xfu) << 12 | (s[1] & 0x3fu) << 6 | (s[2] & 0x3fu)
	                        : (s[0] & 7u) << 18 | (s[1] & 0x3fu) << 12 | (s[2] & 0x3fu) << 6 | (s[3] & 0x3fu);
}

/* Unicode's East Asian Width, roughly: W and F. */
static unsigned columns_of(uint32_t c)
{
	return (c >= 0x1100 && c <= 0x115f) || (c >= 0x2e80 && c <= 0xa4cf) || (c >= 0xac00 && c <= 0xd7a3) || (c >= 0xf900 && c <= 0xfaff) ||
	       (c >= 0xfe30 && c <= 0xfe6f) || (c >= 0xff00 && c <= 0xff60) || (c >= 0x1f300 && c <= 0x1faff) || (c >= 0x20000 && c <= 0x3fffd) ? 2 : 1;
}

double pic_columns(const char *text)
{
	unsigned n = 0;
	size_t len;

	for (const char *s = text; *s; s += len)
		n += columns_of(code_point((const unsigned char *)s, &len));
	return n;
}

/* One line of at most LABEL_MAX columns, without control characters. */
static const char *shortened(struct arena *a, const char *s, size_t n)
{
	struct strbuf b = { 0 };
	unsigned cols = 0;
	size_t i = 0, len;
	const char *out;

	while (i < n) {
		uint32_t c = code_point((const unsigned char *)s + i, &len);

		if (cols + columns_of(c) > LABEL_MAX) {
			sb_z(&b, "\342\200\246");
			break;
		}
		if (c < 0x20 || c == 0x7f || (c >= 0x80 && c < 0xa0))
			sb_ch(&b, ' ');
		else
			sb_add(&b, s + i, len);
		cols += columns_of(c);
		i += len;
	}
	out = arena_dup(a, b.s ? b.s : "", b.n);
	sb_free(&b);
	return out;
}

static const char *label(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static const char *label(struct arena *a, const char *fmt, ...)
{
	struct strbuf b = { 0 };
	const char *s;
	va_list ap;

	va_start(ap, fmt);
	sb_vf(&b, fmt, ap);
	va_end(ap);
	s = shortened(a, b.s ? b.s : "", b.n);
	sb_free(&b);
	return s;
}

static const char *source_of(struct arena *a, const char *before, const struct expr *e, const struct ir_workflow *w, const struct node *n)
{
	struct strbuf b = { 0 };
	const char *s;

	sb_z(&b, before);
	expr_write_in(&b, e, w, n);
	s = shortened(a, b.s ? b.s : "", b.n);
	sb_free(&b);
	return s;
}

static const char *duration(struct arena *a, const char *before, double sec)
{
	struct strbuf b = { 0 };
	const char *s;

	sb_z(&b, before);
	duration_write(&b, sec);
	s = arena_dup(a, b.s, b.n);
	sb_free(&b);
	return s;
}

static const char *task_label(struct arena *a, const struct ir_task *t)
{
	if (t->body == BODY_JOB && t->job)
		return label(a, "job %s", t->job->kind->s);
	if (t->body == BODY_DATAFLOW)
		return "dataflow";
	return t->inline_ ? NULL : label(a, "task %s", t->name->s);
}

/* What pass disaggregate has put on one side. */
static const char *side_of_cut(struct arena *a, const struct ir_dataflow *f, bool workers)
{
	struct strbuf b = { 0 };
	const char *s = NULL;
	uint32_t n = 0;

	sb_z(&b, workers ? "on workers: " : "with the trainer: ");
	for (uint32_t i = 0; i + 1 < f->nops; i++)
		if (f->on_worker[i] == workers)
			sb_f(&b, "%s%s", n++ ? ", " : "", f->ops[i].name->s);
	if (n)
		s = shortened(a, b.s, b.n);
	sb_free(&b);
	return s;
}

static void add_line(struct pic_box *b, const char *line)
{
	if (line && b->nlines < PIC_LINES)
		b->line[b->nlines++] = line;
}

static void sweep_labels(struct arena *a, const struct node *n, struct pic_box *b)
{
	static const char *const searches[] = { "grid", "random", "halving", "tpe", "llm" };
	const struct sweep *s = n->u.sweep;
	const struct node *body = s->body->nodes.n ? s->body->nodes.v[0] : NULL;
	long long trials = s->table && s->search != SEARCH_LLM ? (long long)s->ntable : s->search == SEARCH_GRID ? 0 : (long long)s->trials;

	b->title = label(a, "sweep %s", n->name->s);
	if (body)
		add_line(b, label(a, "%s %s", body->kind == N_CALL ? "workflow" : "task", body->kind == N_CALL ? body->u.callee->name->s : body->kind == N_STEP ? body->u.task->name->s : body->name->s));
	add_line(b, trials ? label(a, "%s, %lld trials", searches[s->search], trials) : searches[s->search]);
	if (body && s->objective < body->nports)
		add_line(b, label(a, "%s %s", s->minimize ? "minimize" : "maximize", body->ports[s->objective].name->s));
}

void pic_labels(struct arena *a, const struct ir *m, const struct node *n, struct pic_box *b)
{
	const struct ir_workflow *w = n->graph->workflow;

	(void)m;
	switch ((enum node_kind)n->kind) {
	case N_STEP:
		b->title = label(a, "%s", n->name->s);
		add_line(b, task_label(a, n->u.task));
		if (n->u.task->dataflow && n->u.task->dataflow->on_worker) {
			add_line(b, side_of_cut(a, n->u.task->dataflow, true));
			add_line(b, side_of_cut(a, n->u.task->dataflow, false));
		}
		break;
	case N_CALL:
		b->title = label(a, "%s", n->name->s);
		add_line(b, label(a, "workflow %s", n->u.callee->name->s));
		break;
	case N_IF:
		b->title = n->u.if_.n == 1 && n->u.if_.v[0].cond ? source_of(a, "if ", n->u.if_.v[0].cond, w, n) : "if";
		break;
	case N_FOR:
		b->title = source_of(a, label(a, "for %s in ", n->u.for_.item ? n->u.for_.item->s : "_"), n->u.for_.list, w, n);
		break;
	case N_LOOP:
		b->title = label(a, "loop %s, at most %lld", n->name->s, (long long)n->u.loop.max);
		if (n->u.loop.cond)
			add_line(b, source_of(a, "while ", n->u.loop.cond, w, n));
		break;
	case N_SWEEP:
		sweep_labels(a, n, b);
		break;
	case N_GROUP:
		b->title = label(a, "%s", n->name->s);
		break;
	case N_WAIT:
		b->title = label(a, "wait %s", n->name->s);
		add_line(b, n->u.wait.poll ? duration(a, "every ", n->u.wait.every) : duration(a, "for ", n->u.wait.seconds));
		break;
	case N_APPROVE:
		b->title = label(a, "approve %s", n->name->s);
		break;
	case N_SERVICE:
		b->title = label(a, "service %s", n->name->s);
		break;
	case N_FAIL:
		b->title = "fail";
		add_line(b, source_of(a, "", n->u.fail.message, w, n));
		break;
	case N_COUNT:
		break;
	}
}

const char *pic_branch(struct arena *a, const struct ir_workflow *w, const struct node *n, uint32_t i)
{
	return n->u.if_.v[i].cond ? source_of(a, "", n->u.if_.v[i].cond, w, n) : "else";
}

/* ---- boxes and edges ---- */

/* How a picture is built: see picture_of. */
struct plan { struct arena *a; const struct ir *m; enum pic_level level; uint32_t most; };

static void build(const struct plan *p, struct graph *g, unsigned depth, struct pic_graph *out);

static void make_box(const struct plan *p, struct node *n, unsigned depth, struct pic_box *b)
{
	uint32_t k = n->kind == N_SWEEP ? 0 : node_nchildren(n);

	b->node = n;
	b->count = 1;
	pic_labels(p->a, p->m, n, b);
	if (!k || depth == DEPTH_MAX)
		return;
	b->child = arena_array(p->a, struct pic_graph, k);
	b->nchild = k;
	for (uint32_t i = 0; i < k; i++) {
		build(p, node_child(n, i), depth + 1, &b->child[i]);
		if (n->kind == N_IF && k > 1)
			b->child[i].title = pic_branch(p->a, n->graph->workflow, n, i);
	}
}

/* Edges of the longest path to each node. */
static uint32_t *layers(struct arena *a, const struct edges *e, uint32_t *deepest)
{
	uint32_t *topo = graph_topo(a, e), *layer = arena_array(a, uint32_t, e->n);

	*deepest = 0;
	for (uint32_t i = 0; topo && i < e->n; i++) {
		uint32_t v = topo[i];

		for (uint32_t j = e->start[v]; j < e->start[v + 1]; j++)
			if (layer[e->pred[j]] >= layer[v])
				layer[v] = layer[e->pred[j]] + 1;
		if (layer[v] > *deepest)
			*deepest = layer[v];
	}
	return layer;
}

/* ---- several nodes in one box ---- */

/* The name up to its first digit: what numbered steps have in common. */
static const struct str *stem(struct strtab *t, const struct str *name)
{
	uint32_t n = 0;

	while (n < name->len && !(name->s[n] >= '0' && name->s[n] <= '9'))
		n++;
	while (n && n < name->len && (name->s[n - 1] == '_' || name->s[n - 1] == '@'))
		n--;
	return str_intern(t, name->s, n);
}

static uint64_t mix(uint64_t h, uint64_t x)
{
	h = (h ^ x) * UINT64_C(0xff51afd7ed558ccd);
	return h ^ h >> 32;
}

static int by_u64(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Hash of the set of colors in v. */
static uint64_t set_of(uint64_t *v, uint32_t n)
{
	uint64_t h = 0;

	qsort(v, n, sizeof *v, by_u64);
	for (uint32_t i = 0; i < n; i++)
		if (!i || v[i] != v[i - 1])
			h = mix(h, v[i]);
	return h;
}

/* Edges turned round. */
static struct edges *turned(struct arena *a, const struct edges *e)
{
	struct edges *t = arena_new_of(a, struct edges);
	uint32_t *fill;

	t->n = e->n;
	t->start = arena_array(a, uint32_t, e->n + 1);
	t->pred = arena_array(a, uint32_t, e->start[e->n]);
	for (uint32_t j = 0; j < e->start[e->n]; j++)
		t->start[e->pred[j] + 1]++;
	for (uint32_t i = 0; i < e->n; i++)
		t->start[i + 1] += t->start[i];
	fill = arena_array(a, uint32_t, e->n + 1);
	memcpy(fill, t->start, e->n * sizeof *fill);
	for (uint32_t v = 0; v < e->n; v++)
		for (uint32_t j = e->start[v]; j < e->start[v + 1]; j++)
			t->pred[fill[e->pred[j]]++] = v;
	return t;
}

#define REFINEMENTS 4

/*
 * Colors by layer, kind and stem, refined (PIC_ALIKE) by the colors of what a node needs and what needs it, so that
 * nodes of one color have the same place in the graph. Equal colors never reach each other: their layer is the same.
 */
static void colors(const struct plan *p, const struct graph *g, const struct edges *e, uint64_t *color)
{
	struct strtab *t = strtab_new(p->a);
	struct edges *down = turned(p->a, e);
	uint32_t deepest, *layer = layers(p->a, e, &deepest);
	uint64_t *next = arena_array(p->a, uint64_t, e->n), *buf = arena_array(p->a, uint64_t, e->start[e->n] + 1);

	for (uint32_t i = 0; i < e->n; i++) {
		const struct node *n = g->nodes.v[i];

		color[i] = mix(mix(mix(1, layer[i]), n->kind), stem(t, n->name)->hash);
		if (p->level == PIC_ALIKE && node_nchildren(n))
			color[i] = mix(color[i], n->id + 1);
	}
	for (int round = 0; round < REFINEMENTS && p->level == PIC_ALIKE; round++) {
		for (uint32_t i = 0; i < e->n; i++) {
			uint32_t n = e->start[i + 1] - e->start[i], m = down->start[i + 1] - down->start[i];

			for (uint32_t k = 0; k < n; k++)
				buf[k] = color[e->pred[e->start[i] + k]];
			next[i] = mix(mix(color[i], 2), set_of(buf, n));
			for (uint32_t k = 0; k < m; k++)
				buf[k] = color[down->pred[down->start[i] + k]];
			next[i] = mix(next[i], set_of(buf, m));
		}
		memcpy(color, next, e->n * sizeof *color);
	}
}

/* Boxes by color, numbered by their first node. */
static uint32_t by_color(const struct plan *p, const uint64_t *color, uint32_t n, uint32_t *of)
{
	uint32_t cap = 16, boxes = 0, *slot;

	while (cap < 2 * n)
		cap *= 2;
	slot = arena_array(p->a, uint32_t, cap);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t h = (uint32_t)(color[i] >> 20) & (cap - 1);

		while (slot[h] && color[slot[h] - 1] != color[i])
			h = (h + 1) & (cap - 1);
		if (!slot[h]) {
			slot[h] = i + 1;
			of[i] = boxes++;
		} else {
			of[i] = of[slot[h] - 1];
		}
	}
	return boxes;
}

/* A few neighbouring layers share a box. */
static uint32_t by_layer(const struct plan *p, const struct edges *e, uint32_t *of)
{
	uint32_t deepest, *layer = layers(p->a, e, &deepest);
	uint32_t bands = deepest < BANDS_MAX ? deepest + 1 : BANDS_MAX;

	for (uint32_t i = 0; i < e->n; i++)
		of[i] = (uint32_t)((uint64_t)layer[i] * bands / (deepest + 1));
	return bands;
}

/* of: box by node; the number of boxes. */
static uint32_t share_boxes(const struct plan *p, const struct graph *g, const struct edges *e, uint32_t *of)
{
	uint64_t *color;

	if (p->level == PIC_ALL) {
		for (uint32_t i = 0; i < e->n; i++)
			of[i] = i;
		return e->n;
	}
	if (p->level == PIC_LAYERS)
		return by_layer(p, e, of);
	color = arena_array(p->a, uint64_t, e->n);
	colors(p, g, e, color);
	return by_color(p, color, e->n, of);
}

/* Of a long name its end, where long names differ. */
static const char *name_end(struct arena *a, const struct str *name)
{
	return name->len <= 18 ? name->s : arena_dup(a, name->s + name->len - 16, 16);
}

static void shared_label(const struct plan *p, const struct graph *g, struct pic_box *b, uint32_t first, uint32_t last, bool one_stem)
{
	struct strtab *t = strtab_new(p->a);
	const struct str *s = stem(t, g->nodes.v[first]->name);

	if (one_stem && s->len)
		b->title = label(p->a, "%u \303\227 %s", b->count, s->s);
	else
		b->title = label(p->a, "%u steps", b->count);
	if (!one_stem || !s->len)
		add_line(b, label(p->a, "%s \342\200\246 %s", name_end(p->a, g->nodes.v[first]->name), name_end(p->a, g->nodes.v[last]->name)));
}

static void make_boxes(const struct plan *p, struct graph *g, const uint32_t *of, unsigned depth, struct pic_graph *out)
{
	uint32_t *first = arena_array(p->a, uint32_t, out->n), *last = arena_array(p->a, uint32_t, out->n);

	out->box = arena_array(p->a, struct pic_box, out->n);
	for (uint32_t i = g->nodes.n; i-- > 0; )
		first[of[i]] = i;
	for (uint32_t i = 0; i < g->nodes.n; i++) {
		last[of[i]] = i;
		out->box[of[i]].count++;
	}
	for (uint32_t i = 0; i < out->n; i++) {
		if (out->box[i].count == 1)
			make_box(p, g->nodes.v[first[i]], depth, &out->box[i]);
		else if (out->box[i].count)
			shared_label(p, g, &out->box[i], first[i], last[i], p->level != PIC_LAYERS);
		else
			out->box[i].title = "";
	}
}

static int by_ends(const void *a, const void *b)
{
	const struct pic_edge *x = a, *y = b;

	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	if (x->to != y->to)
		return x->to < y->to ? -1 : 1;
	return y->data - x->data;
}

/* Order edges that others imply are not drawn, data edges always. */
static void make_edges(struct arena *a, const struct edges *e, const uint32_t *of, struct pic_graph *out)
{
	uint8_t *redundant = graph_redundant(a, e);
	uint32_t n = 0;

	out->edge = arena_array(a, struct pic_edge, e->start[e->n]);
	for (uint32_t v = 0; v < e->n; v++) {
		for (uint32_t j = e->start[v]; j < e->start[v + 1]; j++) {
			bool data = e->flags[j] & EDGE_DATA;

			if ((data || !redundant[j]) && of[e->pred[j]] != of[v])
				out->edge[n++] = (struct pic_edge){ of[e->pred[j]], of[v], data };
		}
	}
	if (n)
		qsort(out->edge, n, sizeof *out->edge, by_ends);
	for (uint32_t i = 0; i < n; i++)
		if (!i || out->edge[i].from != out->edge[i - 1].from || out->edge[i].to != out->edge[i - 1].to)
			out->edge[out->nedges++] = out->edge[i];
}

/* Of boxes that hold layers only the nearest edges tell something. */
static void thin_edges(struct arena *a, struct pic_graph *g)
{
	struct edges e = { .n = g->n, .start = arena_array(a, uint32_t, g->n + 1), .pred = arena_array(a, uint32_t, g->nedges) };
	uint32_t *fill = arena_array(a, uint32_t, g->n + 1), *at = arena_array(a, uint32_t, g->nedges), kept = 0;
	uint8_t *redundant;

	for (uint32_t i = 0; i < g->nedges; i++)
		e.start[g->edge[i].to + 1]++;
	for (uint32_t i = 0; i < g->n; i++)
		e.start[i + 1] += e.start[i];
	memcpy(fill, e.start, g->n * sizeof *fill);
	for (uint32_t i = 0; i < g->nedges; i++) {
		at[i] = fill[g->edge[i].to]++;
		e.pred[at[i]] = g->edge[i].from;
	}
	redundant = graph_redundant(a, &e);
	for (uint32_t i = 0; i < g->nedges; i++)
		if (!redundant[at[i]])
			g->edge[kept++] = g->edge[i];
	g->nedges = kept;
}

static void build(const struct plan *p, struct graph *g, unsigned depth, struct pic_graph *out)
{
	struct edges *e = graph_edges(p->a, g);
	uint32_t *of = arena_array(p->a, uint32_t, e->n);
	struct plan own = *p;

	/* the level asked for, or the first after it that makes the graph small enough */
	while ((out->n = share_boxes(&own, g, e, of)) > p->most && own.level < PIC_LAYERS)
		own.level++;
	make_boxes(&own, g, of, depth, out);
	if (graph_topo(p->a, e))
		make_edges(p->a, e, of, out);
	if (own.level == PIC_LAYERS)
		thin_edges(p->a, out);
}

struct pic_graph *picture_of(struct arena *a, const struct ir *m, struct graph *g, enum pic_level level, uint32_t most)
{
	struct plan p = { a, m, level, most };
	struct pic_graph *out = arena_new_of(a, struct pic_graph);

	build(&p, g, 0, out);
	return out;
}

/* ---- panels ---- */

struct callees { struct arena *a; VEC(struct ir_workflow *) v; struct strmap seen; };

static void add_callee(struct node *n, void *data)
{
	struct callees *c = data;

	if (n->kind != N_CALL || strmap_get(&c->seen, n->u.callee->name))
		return;
	strmap_put(c->a, &c->seen, n->u.callee->name, n->u.callee);
	vec_push(c->a, &c->v, n->u.callee);
}

struct pic_panel *picture_panels(struct arena *a, const struct ir *m, uint32_t *n)
{
	static const char *const on[] = { "on success", "on failure", "on exit" };
	struct callees c = { .a = a };
	VEC(struct pic_panel) v = { 0 };

	strmap_put(a, &c.seen, m->entry->name, m->entry);
	vec_push(a, &c.v, m->entry);
	for (uint32_t i = 0; i < c.v.n; i++) {
		struct ir_workflow *w = c.v.v[i];

		workflow_nodes(w, add_callee, &c);
		vec_push(a, &v, ((struct pic_panel){ label(a, "workflow %s", w->name->s), w, w->body }));
		for (int k = 0; k < ON_COUNT; k++)
			if (w->on[k])
				vec_push(a, &v, ((struct pic_panel){ on[k], w, w->on[k] }));
	}
	*n = v.n;
	return v.v;
}
