/* A graph as SVG: self-contained, follows the light or dark scheme of what shows it. */
#include "picture.h"

#include <math.h>

#define BOXES_MAX 400
#define WIDTH_MAX 2600.0
#define COLUMN 7.8                        /* pixels of a column at 13 px, monospaced: 0.6 em */
#define LINE 18.0
#define MARGIN 24.0
#define HEAD 40.0                         /* title of a panel */

static const char style[] =
	"text{font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,\"DejaVu Sans Mono\",monospace;fill:#1f2933}\n"
	".h{font-size:15px;font-weight:600}.l{fill:#5f6f80}.t{font-weight:600}\n"
	"rect{stroke:#8a9bb0;stroke-width:1.2}.step{fill:#ffffff}.call,.group{fill:#eaf2fd;stroke:#5b8fd0}.sweep{fill:#f3ecfb;stroke:#9a74c9}\n"
	".wait,.approve{fill:#fff6df;stroke:#cf9f2e}.service{fill:#e8f7ee;stroke:#4fa574}.fail{fill:#fdebea;stroke:#d0605a}\n"
	".region{fill:#8a9bb0;fill-opacity:.10;stroke:#8a9bb0}.branch{fill:none;stroke-dasharray:3 3}\n"
	"path{fill:none;stroke:#5f6f80;stroke-width:1.4}.o{stroke-dasharray:5 4}marker path{fill:#5f6f80;stroke:none}\n"
	"@media (prefers-color-scheme:dark){svg{background:#14181d}text{fill:#e3e8ee}.l{fill:#9fb0c0}rect{stroke:#6b7c90}.step{fill:#1f262e}\n"
	".call,.group{fill:#1b2a3d}.sweep{fill:#2a2138}.wait,.approve{fill:#332a14}.service{fill:#173024}.fail{fill:#3a1f1e}\n"
	"path{stroke:#9fb0c0}marker path{fill:#9fb0c0}}\n";

static double width(const char *text)
{
	return ceil(pic_columns(text) * COLUMN);
}

static double channel(const struct pic_part *p, uint32_t layer)
{
	uint32_t slanted = 0;

	for (uint32_t i = 0; i < p->nlinks; i++)
		slanted += p->item[p->link[i].from].layer == layer && fabs(p->item[p->link[i].from].x - p->item[p->link[i].to].x) > 1;
	return 34 + fmin(6.0 * slanted, 60);
}

static void escape(struct strbuf *b, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c == '&')
			sb_z(b, "&amp;");
		else if (c == '<')
			sb_z(b, "&lt;");
		else if (c == '>')
			sb_z(b, "&gt;");
		else if (c == '"')
			sb_z(b, "&quot;");
		else
			sb_ch(b, c < 0x20 && c != '\n' ? ' ' : (char)c);
	}
}

static void escape_z(struct strbuf *b, const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	escape(b, s, n);
}

/* A length with one decimal at most: fixed, whatever the locale. */
static void num(struct strbuf *b, double d)
{
	sb_double(b, nearbyint(d * 10) / 10);
}

static void xy(struct strbuf *b, double x, double y)
{
	num(b, x);
	sb_ch(b, ' ');
	num(b, y);
}

static void put_rect(struct strbuf *b, const char *class, double x, double y, double w, double h)
{
	sb_f(b, "<rect class=\"%s\" rx=\"5\" x=\"", class);
	num(b, x);
	sb_z(b, "\" y=\"");
	num(b, y);
	sb_z(b, "\" width=\"");
	num(b, w);
	sb_z(b, "\" height=\"");
	num(b, h);
	sb_z(b, "\"/>");
}

static void put_text(struct strbuf *b, const char *class, double x, double y, const char *s)
{
	sb_f(b, "<text class=\"%s\" x=\"", class);
	num(b, x);
	sb_z(b, "\" y=\"");
	num(b, y);
	sb_z(b, "\">");
	escape_z(b, s);
	sb_z(b, "</text>");
}

/* What a pointer over a box shows. */
static void put_hint(struct strbuf *b, const struct node *n)
{
	const struct ir_task *t = n->kind == N_STEP ? n->u.task : NULL;

	sb_f(b, "<title>%s ", node_kind_name((enum node_kind)n->kind));
	escape(b, n->name->s, n->name->len);
	if (n->doc) {
		sb_z(b, "\n");
		escape(b, n->doc->s, n->doc->len);
	}
	for (uint32_t i = 0; t && i < t->nins; i++) {
		sb_f(b, "\nin %s: ", t->ins[i].name->s);
		struct strbuf ty = { 0 };

		type_str(&ty, t->ins[i].type);
		escape(b, ty.s, ty.n);
		sb_free(&ty);
	}
	for (uint32_t i = 0; t && i < t->nouts; i++) {
		sb_f(b, "\nout %s: ", t->outs[i].name->s);
		struct strbuf ty = { 0 };

		type_str(&ty, t->outs[i].type);
		escape(b, ty.s, ty.n);
		sb_free(&ty);
	}
	sb_z(b, "</title>");
}

static void put_boxes(struct strbuf *b, const struct pic_graph *g, double x0, double y0)
{
	for (uint32_t i = 0; i < g->n; i++) {
		const struct pic_box *x = &g->box[i];
		double left = x0 + x->x, top = y0 + x->y;

		sb_z(b, "<g>");
		if (x->node)
			put_hint(b, x->node);
		put_rect(b, x->nchild ? "region" : x->node ? node_kind_name((enum node_kind)x->node->kind) : "group", left, top, x->w, x->h);
		put_text(b, "t", left + 12, top + (x->nchild ? 17 : 8 + 14), x->title);
		for (uint32_t k = 0; k < x->nlines; k++)
			put_text(b, "l", left + 12, top + (x->nchild ? 17 : 8 + 14) + LINE * (k + 1), x->line[k]);
		sb_z(b, "</g>\n");
		for (uint32_t k = 0; k < x->nchild; k++) {
			const struct pic_graph *c = &x->child[k];

			if (c->title) {
				put_rect(b, "branch", left + c->fx, top + c->fy, c->fw, c->fh);
				put_text(b, "l", left + c->fx + 12, top + c->fy + 17, c->title);
			}
			put_boxes(b, c, left + c->x, top + c->y);
		}
	}
}

static void put_link(struct strbuf *b, const struct pic_graph *g, const struct pic_part *p, const struct pic_link *l, double x0, double y0)
{
	const struct pic_item *from = &p->item[l->from], *to = &p->item[l->to];
	const struct pic_layer *up = &p->layer[from->layer], *down = &p->layer[to->layer];
	double xa = x0 + from->x, xb = x0 + to->x, ya = y0 + up->y + up->h, yb = y0 + down->y, bend = (yb - ya) * 0.55;
	bool arrow = to->box != PIC_NONE;

	sb_f(b, "<path%s%s d=\"M", l->data ? "" : " class=\"o\"", arrow ? " marker-end=\"url(#a)\"" : "");
	xy(b, xa, from->box == PIC_NONE ? y0 + up->y : y0 + up->y + g->box[from->box].h);
	sb_z(b, "L");
	xy(b, xa, ya);
	sb_z(b, "C");
	xy(b, xa, ya + bend);
	sb_ch(b, ' ');
	xy(b, xb, yb - bend - (arrow ? 6 : 0));
	sb_ch(b, ' ');
	xy(b, xb, yb - (arrow ? 6 : 0));
	sb_z(b, "\"/>\n");
}

static void put_edges(struct strbuf *b, const struct pic_graph *g, double x0, double y0)
{
	for (uint32_t i = 0; i < g->nparts; i++)
		for (uint32_t k = 0; k < g->part[i].nlinks; k++)
			put_link(b, g, &g->part[i], &g->part[i].link[k], x0 + g->part[i].x, y0 + g->part[i].y);
	for (uint32_t i = 0; i < g->n; i++)
		for (uint32_t k = 0; k < g->box[i].nchild; k++)
			put_edges(b, &g->box[i].child[k], x0 + g->box[i].x + g->box[i].child[k].x, y0 + g->box[i].y + g->box[i].child[k].y);
}

/* The most detailed form that a reader can take in without panning far; if there is none, all of it. */
static struct pic_graph *fitting(struct arena *a, const struct ir *m, struct graph *g)
{
	static const struct pic_metric metric = { .width = width, .line = LINE, .pad_x = 12, .pad_y = 8, .border = 0, .title = 24, .gap_x = 26, .gap_part = 34,
		.room = 1100, .channel = channel };
	struct pic_graph *all = NULL;

	for (int level = PIC_ALL; level <= PIC_LAYERS; level++) {
		struct pic_graph *p = picture_of(a, m, g, (enum pic_level)level, BOXES_MAX);

		picture_layout(a, p, &metric);
		if (p->w <= WIDTH_MAX)
			return p;
		if (!all)
			all = p;
	}
	return all;
}

void picture_svg(const struct ir *m, struct strbuf *out)
{
	struct arena *a = arena_new();
	uint32_t n;
	struct pic_panel *p = picture_panels(a, m, &n);
	struct pic_graph **g = arena_array(a, struct pic_graph *, n);
	double w = 0, h = MARGIN;

	for (uint32_t i = 0; i < n; i++) {
		g[i] = fitting(a, m, p[i].g);
		w = fmax(w, fmax(g[i]->w, width(p[i].title) * 1.2));
		h += HEAD + g[i]->h + MARGIN;
	}
	sb_z(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"");
	num(out, w + 2 * MARGIN);
	sb_z(out, "\" height=\"");
	num(out, h);
	sb_z(out, "\" viewBox=\"0 0 ");
	xy(out, w + 2 * MARGIN, h);
	sb_f(out, "\">\n<title>%s</title>\n<style>\n%s</style>\n", m->entry->name->s, style);
	sb_z(out, "<defs><marker id=\"a\" viewBox=\"0 0 8 8\" refX=\"1\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" markerUnits=\"userSpaceOnUse\" orient=\"auto\">"
	          "<path d=\"M0 0L8 4L0 8Z\"/></marker></defs>\n");
	h = MARGIN;
	for (uint32_t i = 0; i < n; i++) {
		put_text(out, "h", MARGIN, h + 16, p[i].title);
		sb_ch(out, '\n');
		h += HEAD;
		put_boxes(out, g[i], MARGIN, h);
		put_edges(out, g[i], MARGIN, h);
		h += g[i]->h + MARGIN;
	}
	sb_z(out, "</svg>\n");
	arena_free(a);
}
