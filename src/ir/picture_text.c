/*
 * A graph as text: boxes and lines of box-drawing characters, top down. A graph that would be wider than WIDTH_MAX
 * columns is a list instead, each node with what it needs.
 */
#include "picture.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define WIDTH_MAX 118
#define BOXES_MAX 200
#define LIST_MAX 60

enum { UP = 1, DOWN = 2, LEFT = 4, RIGHT = 8 };

struct cell { uint32_t cp; uint8_t mask; bool solid, cross; };         /* cp: a character; else lines by mask */
struct canvas { struct cell *c; uint32_t w, h; };

static struct cell *at(struct canvas *k, double x, double y)
{
	return &k->c[(size_t)y * k->w + (size_t)x];
}

/* ---- lines ---- */

static void line(struct canvas *k, double x, double y, unsigned mask, bool solid)
{
	struct cell *c = at(k, x, y);

	/* two lines that only cross: the vertical one lies on top */
	if ((mask == (LEFT | RIGHT) && c->mask == (UP | DOWN)) || (mask == (UP | DOWN) && c->mask == (LEFT | RIGHT)))
		c->cross = true;
	else if (mask != (LEFT | RIGHT) && mask != (UP | DOWN))
		c->cross = false;
	c->mask |= (uint8_t)mask;
	c->solid |= solid;
}

static void vertical(struct canvas *k, double x, double y0, double y1, bool solid)
{
	for (long y = lround(y0); (double)y <= y1; y++)
		line(k, x, (double)y, UP | DOWN, solid);
}

static const char *glyph(const struct cell *c)
{
	static const char *const lines[16] = { " ", "│", "│", "│", "─", "┘", "┐", "┤", "─", "└", "┌", "├", "─", "┴", "┬", "┼" };

	if (c->cross && c->mask == (UP | DOWN | LEFT | RIGHT))
		return c->solid ? "│" : "┆";
	if (!c->solid && c->mask == (UP | DOWN))
		return "┆";
	if (!c->solid && c->mask == (LEFT | RIGHT))
		return "┄";
	return lines[c->mask];
}

/* ---- the way of edges between two layers ---- */

struct net { uint32_t from, first, n; double lo, hi; uint32_t row, wait; bool straight, placed; };
struct routes { struct net *net; uint32_t *link, n, rows; };

static int by_from(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* All links out of one item are one net: down from it, along a row, and down to each end. */
static void make_nets(const struct pic_part *p, uint32_t layer, struct routes *r)
{
	uint64_t *sort = xmalloc((p->nlinks + 1) * sizeof *sort);
	uint32_t n = 0;

	for (uint32_t i = 0; i < p->nlinks; i++)
		if (p->item[p->link[i].from].layer == layer)
			sort[n++] = (uint64_t)p->link[i].from << 32 | i;
	qsort(sort, n, sizeof *sort, by_from);
	r->link = xmalloc((n + 1) * sizeof *r->link);
	r->net = xcalloc(n + 1, sizeof *r->net);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t from = (uint32_t)(sort[i] >> 32);
		double to = p->item[p->link[(uint32_t)sort[i]].to].x;
		struct net *net;

		r->link[i] = (uint32_t)sort[i];
		if (!r->n || r->net[r->n - 1].from != from)
			r->net[r->n++] = (struct net){ .from = from, .first = i, .lo = p->item[from].x, .hi = p->item[from].x };
		net = &r->net[r->n - 1];
		net->n++;
		net->lo = to < net->lo ? to : net->lo;
		net->hi = to > net->hi ? to : net->hi;
	}
	for (uint32_t i = 0; i < r->n; i++)
		r->net[i].straight = r->net[i].n == 1 && r->net[i].lo == r->net[i].hi;
	free(sort);
}

/* Nets with the same ends share a row: one line from all of their starts to all of their ends. */
static bool same_ends(const struct pic_part *p, const struct routes *r, const struct net *a, const struct net *b)
{
	if (a->n != b->n || a->straight != b->straight)
		return false;
	for (uint32_t i = 0; i < a->n; i++)
		if (p->link[r->link[a->first + i]].to != p->link[r->link[b->first + i]].to)
			return false;
	return true;
}

/* Whether a comes down in the column in which b starts: then b must turn off above a. */
static bool ends_under(const struct pic_part *p, const struct routes *r, const struct net *a, const struct net *b)
{
	if (a == b || a->straight || b->straight || same_ends(p, r, a, b))
		return false;
	for (uint32_t i = 0; i < a->n; i++)
		if (p->item[p->link[r->link[a->first + i]].to].x == p->item[b->from].x)
			return true;
	return false;
}

static uint32_t free_row(const struct pic_part *p, const struct routes *r, const struct net *net, uint32_t least)
{
	for (;; least++) {
		uint32_t i = 0;

		for (; i < r->n; i++)
			if (r->net[i].placed && !r->net[i].straight && r->net[i].row == least && r->net[i].lo <= net->hi && net->lo <= r->net[i].hi && !same_ends(p, r, &r->net[i], net))
				break;
		if (i == r->n)
			return least;
	}
}

/* The next net to place: one that waits for none, else (a circle) the first left. */
static struct net *next_net(struct routes *r)
{
	struct net *any = NULL;

	for (uint32_t i = 0; i < r->n; i++) {
		if (r->net[i].placed)
			continue;
		if (!r->net[i].wait)
			return &r->net[i];
		if (!any)
			any = &r->net[i];
	}
	return any;
}

static void route(const struct pic_part *p, uint32_t layer, struct routes *r)
{
	struct net *net;

	*r = (struct routes){ 0 };
	make_nets(p, layer, r);
	for (uint32_t i = 0; i < r->n; i++)
		for (uint32_t k = 0; k < r->n; k++)
			r->net[i].wait += ends_under(p, r, &r->net[i], &r->net[k]);
	while ((net = next_net(r))) {
		uint32_t least = 0;

		for (uint32_t i = 0; i < r->n; i++)
			if (r->net[i].placed && ends_under(p, r, net, &r->net[i]) && r->net[i].row >= least)
				least = r->net[i].row + 1;
		net->row = net->straight ? 0 : free_row(p, r, net, least);
		net->placed = true;
		if (!net->straight && net->row >= r->rows)
			r->rows = net->row + 1;
		for (uint32_t i = 0; i < r->n; i++)
			if (!r->net[i].placed && ends_under(p, r, &r->net[i], net) && r->net[i].wait)
				r->net[i].wait--;
	}
}

static void routes_free(struct routes *r)
{
	free(r->net);
	free(r->link);
}

static double channel(const struct pic_part *p, uint32_t layer)
{
	struct routes r;
	double h;

	route(p, layer, &r);
	h = r.rows + 1;
	routes_free(&r);
	return h;
}

/* ---- drawing ---- */

static void put_text(struct canvas *k, double x, double y, const char *s)
{
	size_t i = 0;

	while (s[i] && x < k->w) {
		unsigned char c = (unsigned char)s[i];
		size_t len = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
		char one[5] = { 0 };
		uint32_t cp = 0;

		memcpy(one, s + i, len);
		for (size_t b = 0; b < len; b++)
			cp = cp << 8 | (unsigned char)one[b];
		at(k, x, y)->cp = cp;
		if (pic_columns(one) > 1 && x + 1 < k->w)
			at(k, x + 1, y)->cp = UINT32_MAX;         /* covered by the character before */
		x += pic_columns(one);
		i += len;
	}
}

static void put_box(struct canvas *k, double x, double y, double w, double h, const char *title)
{
	for (int i = 1; i < w - 1; i++) {
		line(k, x + i, y, LEFT | RIGHT, true);
		line(k, x + i, y + h - 1, LEFT | RIGHT, true);
	}
	for (int i = 1; i < h - 1; i++) {
		line(k, x, y + i, UP | DOWN, true);
		line(k, x + w - 1, y + i, UP | DOWN, true);
	}
	line(k, x, y, DOWN | RIGHT, true);
	line(k, x + w - 1, y, DOWN | LEFT, true);
	line(k, x, y + h - 1, UP | RIGHT, true);
	line(k, x + w - 1, y + h - 1, UP | LEFT, true);
	if (title) {
		put_text(k, x + 2, y, title);
		at(k, x + 1, y)->cp = ' ';
		if (pic_columns(title) + 2 < w - 1)
			at(k, x + 2 + pic_columns(title), y)->cp = ' ';
	}
}

static void put_net(struct canvas *k, const struct pic_part *p, const struct routes *r, const struct net *net, double x0, double top, double end)
{
	double x = x0 + p->item[net->from].x, row = top + net->row;

	for (uint32_t i = 0; i < net->n; i++) {
		const struct pic_link *link = &p->link[r->link[net->first + i]];
		double to = x0 + p->item[link->to].x, lo = x < to ? x : to, hi = x < to ? to : x;

		if (net->straight) {
			vertical(k, x, top, end, link->data);
		} else {
			vertical(k, x, top, row - 1, link->data);
			if (lo == hi)
				line(k, x, row, UP | DOWN, link->data);
			for (long c = lround(lo) + 1; (double)c < hi; c++)
				line(k, (double)c, row, LEFT | RIGHT, link->data);
			if (lo != hi) {
				line(k, x, row, UP | (x < to ? RIGHT : LEFT), link->data);
				line(k, to, row, DOWN | (x < to ? LEFT : RIGHT), link->data);
			}
			vertical(k, to, row + 1, end, link->data);
		}
		if (p->item[link->to].box != PIC_NONE)
			put_text(k, to, end, "▼");
	}
}

static void put_edges(struct canvas *k, const struct pic_graph *g, const struct pic_part *p, double x0, double y0)
{
	for (uint32_t i = 0; i < p->nlayers; i++) {
		const struct pic_layer *l = &p->layer[i];
		struct routes r;

		for (uint32_t j = 0; j < l->n; j++) {
			const struct pic_item *it = &p->item[l->item[j]];
			double bottom = y0 + l->y + (it->box == PIC_NONE ? 0 : g->box[it->box].h);
			bool used = it->box == PIC_NONE;

			for (uint32_t x = 0; !used && x < p->nlinks; x++)
				used = p->link[x].from == l->item[j];
			if (!used)
				continue;
			if (it->box != PIC_NONE)
				line(k, x0 + it->x, bottom - 1, DOWN, true);
			vertical(k, x0 + it->x, bottom, y0 + l->y + l->h - 1, it->box != PIC_NONE || it->data);
		}
		if (i + 1 == p->nlayers)
			break;
		route(p, i, &r);
		for (uint32_t j = 0; j < r.n; j++)
			put_net(k, p, &r, &r.net[j], x0, y0 + l->y + l->h, y0 + p->layer[i + 1].y - 1);
		routes_free(&r);
	}
}

static void put_graph(struct canvas *k, const struct pic_graph *g, double x0, double y0)
{
	for (uint32_t i = 0; i < g->n; i++) {
		const struct pic_box *b = &g->box[i];
		double x = x0 + b->x, y = y0 + b->y;

		put_box(k, x, y, b->w, b->h, b->nchild ? b->title : NULL);
		if (!b->nchild)
			put_text(k, x + 2, y + 1, b->title);
		for (uint32_t j = 0; j < b->nlines; j++)
			put_text(k, x + 2, y + (b->nchild ? 1 : 2) + j, b->line[j]);
		for (uint32_t j = 0; j < b->nchild; j++) {
			const struct pic_graph *c = &b->child[j];

			if (c->title)
				put_box(k, x + c->fx, y + c->fy, c->fw, c->fh, c->title);
			put_graph(k, c, x + c->x, y + c->y);
		}
	}
	for (uint32_t i = 0; i < g->nparts; i++)
		put_edges(k, g, &g->part[i], x0 + g->part[i].x, y0 + g->part[i].y);
}

static void write_canvas(const struct canvas *k, struct strbuf *out)
{
	for (uint32_t y = 0; y < k->h; y++) {
		size_t from = out->n;

		for (uint32_t x = 0; x < k->w; x++) {
			const struct cell *c = &k->c[(size_t)y * k->w + x];

			if (!c->cp)
				sb_z(out, glyph(c));
			for (int shift = 24; c->cp && c->cp != UINT32_MAX && shift >= 0; shift -= 8)
				if (c->cp >> shift)
					sb_ch(out, (char)(c->cp >> shift & 0xff));
		}
		while (out->n > from && out->s[out->n - 1] == ' ')
			out->n--;
		sb_ch(out, '\n');
	}
}

/* ---- the list ---- */

static void indent(struct strbuf *out, unsigned depth)
{
	for (unsigned i = 0; i < depth; i++)
		sb_z(out, "│  ");
}

static void write_needs(const struct pic_graph *g, uint32_t box, struct strbuf *out)
{
	double cols = 0;
	uint32_t shown = 0, all = 0;

	for (uint32_t i = 0; i < g->nedges; i++)
		all += g->edge[i].to == box;
	for (uint32_t i = 0; i < g->nedges; i++) {
		const char *name = g->box[g->edge[i].from].title;

		if (g->edge[i].to != box)
			continue;
		if (shown && cols + pic_columns(name) > 64) {
			sb_f(out, " and %u more", all - shown);
			return;
		}
		sb_f(out, "%s%s", shown++ ? ", " : "  ← ", name);
		cols += pic_columns(name) + 2;
	}
}

static void write_list(const struct pic_graph *g, unsigned depth, struct strbuf *out)
{
	for (uint32_t i = 0; i < g->n; i++) {
		const struct pic_box *b = &g->box[i];

		indent(out, depth);
		sb_f(out, "%s%s", b->nchild ? "┌ " : "• ", b->title);
		for (uint32_t j = 0; j < b->nlines; j++)
			sb_f(out, "%s%s", j ? ", " : " — ", b->line[j]);
		write_needs(g, i, out);
		sb_ch(out, '\n');
		for (uint32_t j = 0; j < b->nchild; j++) {
			if (b->child[j].title) {
				indent(out, depth);
				sb_f(out, "%s%s\n", "├ ", b->child[j].title);
			}
			write_list(&b->child[j], depth + 1, out);
		}
	}
}

/* ---- all of it ---- */

/*
 * The most detailed form that fits: all boxes; then nodes that are alike in one box; a list of up to LIST_MAX nodes, which
 * loses nothing; then coarser boxes. What fits in no way is a list.
 */
static struct pic_graph *fitting(struct arena *a, const struct ir *m, struct graph *g)
{
	static const struct pic_metric metric = { .width = pic_columns, .line = 1, .pad_x = 1, .border = 1, .gap_x = 2, .gap_part = 2, .room = 100, .grid = true, .channel = channel };

	for (int level = PIC_ALL; level <= PIC_LAYERS; level++) {
		struct pic_graph *p = picture_of(a, m, g, (enum pic_level)level, BOXES_MAX);

		picture_layout(a, p, &metric);
		if (p->w <= WIDTH_MAX)
			return p;
		if (level == PIC_ALIKE && g->nodes.n <= LIST_MAX)
			break;
	}
	return NULL;
}

static void write_panel(struct arena *a, const struct ir *m, const struct pic_panel *p, struct strbuf *out)
{
	struct pic_graph *g;
	struct canvas k = { 0 };

	sb_f(out, "%s", p->title);
	if (p->g == p->w->body && p->w->doc) {
		sb_z(out, ": ");
		sb_safe(out, p->w->doc->s, p->w->doc->len);
	}
	sb_z(out, "\n\n");
	if (!p->g->nodes.n) {
		sb_z(out, "(no steps)\n");
		return;
	}
	g = fitting(a, m, p->g);
	if (!g) {
		write_list(picture_of(a, m, p->g, PIC_ALL, UINT32_MAX), 0, out);
		return;
	}
	k.w = (uint32_t)g->w + 1;
	k.h = (uint32_t)g->h;
	k.c = xcalloc((size_t)k.w * k.h, sizeof *k.c);
	put_graph(&k, g, 0, 0);
	write_canvas(&k, out);
	free(k.c);
}

void picture_text(const struct ir *m, struct strbuf *out)
{
	struct arena *a = arena_new();
	uint32_t n;
	struct pic_panel *p = picture_panels(a, m, &n);

	for (uint32_t i = 0; i < n; i++) {
		if (i)
			sb_ch(out, '\n');
		write_panel(a, m, &p[i], out);
	}
	arena_free(a);
}
