/* The cache simulator's result as a picture: a panel a workload and edit model, budgets by size, a line a policy. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "couler/cachesim.h"

#define PANEL_W 560
#define PANEL_H 270
#define LEFT 48                           /* of the plot in its panel */
#define RIGHT 16
#define TOP 34
#define BOTTOM 40
#define HEAD 62                           /* legend above the panels */

static const struct style { const char *policy, *color; double width; const char *dash; } styles[] = {
	{ "couler+", "#0b6e4f", 3.2, "" }, { "couler", "#c1121f", 2, "" }, { "lru", "#1d4ed8", 2, "" }, { "gdsf", "#d97706", 1.6, "" }, { "hyppo", "#7c3aed", 1.6, "" },
	{ "helix", "#0891b2", 1.6, "" }, { "lrc", "#64748b", 1.3, "" }, { "lfu", "#a16207", 1.3, "5 3" }, { "fifo", "#94a3b8", 1.3, "5 3" }, { "all", "#111827", 1.2, "2 3" },
	{ "none", "#111827", 1.2, "8 3" },
};

static struct style style_of(const char *policy)
{
	for (size_t i = 0; i < sizeof styles / sizeof *styles; i++)
		if (!strcmp(styles[i].policy, policy))
			return styles[i];
	return (struct style){ policy, "#475569", 1.3, "" };
}

static void text(struct strbuf *b, double x, double y, const char *anchor, int size, const char *color, const char *s)
{
	sb_f(b, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" font-size=\"%d\" fill=\"%s\">", x, y, anchor, size, color);
	for (; *s; s++)
		if (*s == '&' || *s == '<' || *s == '>')
			sb_z(b, *s == '&' ? "&amp;" : *s == '<' ? "&lt;" : "&gt;");
		else
			sb_ch(b, *s);
	sb_z(b, "</text>\n");
}

struct panel { const struct sim_result *r; const struct sim_cell *c; uint32_t n, *by_size; double x, y; struct strbuf *b; };

static double px(const struct panel *p, uint32_t i)
{
	double width = PANEL_W - LEFT - RIGHT - 24;

	return p->x + LEFT + 12 + (p->n > 1 ? width * i / (p->n - 1) : width / 2);
}

static double py(const struct panel *p, double share)
{
	return p->y + TOP + (PANEL_H - TOP - BOTTOM) * (1 - fmin(share, 1.04) / 1.04);
}

static void axes(const struct panel *p)
{
	struct strbuf s = { 0 };

	for (int t = 0; t <= 100; t += 25) {
		double y = py(p, t / 100.0);

		sb_f(p->b, "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\" stroke=\"#e2e8f0\"/>\n", p->x + LEFT, p->x + PANEL_W - RIGHT, y, y);
		s.n = 0;
		sb_f(&s, "%d %%", t);
		text(p->b, p->x + LEFT - 6, y + 4, "end", 11, "#475569", sb_cstr(&s));
	}
	for (uint32_t i = 0; i < p->n; i++)
		text(p->b, px(p, i), p->y + PANEL_H - BOTTOM + 18, "middle", 11, "#475569", p->c[p->by_size[i]].budget->label);
	s.n = 0;
	sb_f(&s, "%s, %s edits (%u steps)", p->c->w->name, sim_edit_names[p->c->edits], p->c->w->n);
	text(p->b, p->x + LEFT, p->y + 22, "start", 14, "#0f172a", sb_cstr(&s));
	sb_free(&s);
}

/* What nothing can reach, in grey. */
static void shade(const struct panel *p)
{
	if (!(p->c->bound > 0))
		return;
	sb_f(p->b, "<polygon fill=\"#e2e8f0\" points=\"%.1f,%.1f", px(p, 0), py(p, 0));
	for (uint32_t i = 0; i < p->n; i++)
		sb_f(p->b, " %.1f,%.1f", px(p, i), py(p, p->c[p->by_size[i]].bound / p->c[p->by_size[i]].none));
	sb_f(p->b, " %.1f,%.1f\"/>\n", px(p, p->n - 1), py(p, 0));
}

static void line(const struct panel *p, uint32_t k)
{
	struct style s = style_of(p->r->o->policies.v[k]->name);

	sb_f(p->b, "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"%.1f\" stroke-linejoin=\"round\"", s.color, s.width);
	if (*s.dash)
		sb_f(p->b, " stroke-dasharray=\"%s\"", s.dash);
	sb_z(p->b, " points=\"");
	for (uint32_t i = 0; i < p->n; i++) {
		const struct sim_cell *c = &p->c[p->by_size[i]];

		sb_f(p->b, "%s%.1f,%.1f", i ? " " : "", px(p, i), py(p, c->none > 0 ? c->score[k].seconds / c->none : 1));
	}
	sb_z(p->b, "\"/>\n");
	for (uint32_t i = 0; s.width > 3 && i < p->n; i++) {
		const struct sim_cell *c = &p->c[p->by_size[i]];

		sb_f(p->b, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3.5\" fill=\"%s\"/>\n", px(p, i), py(p, c->none > 0 ? c->score[k].seconds / c->none : 1), s.color);
	}
}

static void panel(struct panel *p)
{
	for (uint32_t i = 0; i < p->n; i++) {
		uint32_t at = i;

		for (; at && p->c[p->by_size[at - 1]].bytes > p->c[i].bytes; at--)
			p->by_size[at] = p->by_size[at - 1];
		p->by_size[at] = i;
	}
	shade(p);
	axes(p);
	for (uint32_t k = p->r->o->policies.n; k-- > 0; )
		if (strcmp(p->r->o->policies.v[k]->name, "couler+") != 0)
			line(p, k);
	for (uint32_t k = 0; k < p->r->o->policies.n; k++)
		if (!strcmp(p->r->o->policies.v[k]->name, "couler+"))
			line(p, k);
}

static void legend(const struct sim_result *r, struct strbuf *b)
{
	double x = LEFT;

	for (uint32_t k = r->o->policies.n; k-- > 0; ) {
		struct style s = style_of(r->o->policies.v[k]->name);

		sb_f(b, "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"46\" y2=\"46\" stroke=\"%s\" stroke-width=\"%.1f\"", x, x + 24, s.color, s.width);
		if (*s.dash)
			sb_f(b, " stroke-dasharray=\"%s\"", s.dash);
		sb_z(b, "/>\n");
		text(b, x + 30, 50, "start", 12, "#0f172a", s.policy);
		x += 48 + 8 * (double)strlen(s.policy);
	}
	if (r->cells.n && r->cells.v[0].bound > 0) {
		sb_f(b, "<rect x=\"%.1f\" y=\"40\" width=\"24\" height=\"12\" fill=\"#e2e8f0\"/>\n", x);
		text(b, x + 30, 50, "start", 12, "#0f172a", "out of reach");
	}
}

void sim_cache_svg(const struct sim_result *r, struct strbuf *b)
{
	uint32_t per = r->o->budgets.n, panels = per ? r->cells.n / per : 0, models = (r->o->edits & 1) + (r->o->edits >> 1 & 1), columns = models > 1 ? 2 : 1;
	uint32_t rows = (panels + columns - 1) / columns;
	double width = columns * PANEL_W, height = HEAD + rows * PANEL_H + 8;
	struct panel p = { .r = r, .n = per, .b = b, .by_size = xcalloc(per, sizeof *p.by_size) };

	if (width < 900)
		width = 900;
	sb_f(b, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" viewBox=\"0 0 %.0f %.0f\" font-family=\"sans-serif\">\n", width, height, width, height);
	sb_f(b, "<rect width=\"%.0f\" height=\"%.0f\" fill=\"#ffffff\"/>\n", width, height);
	text(b, LEFT, 24, "start", 16, "#0f172a", "Time of the reruns, % of keeping nothing, by storage budget (less is better)");
	legend(r, b);
	for (uint32_t i = 0; i < panels; i++) {
		uint32_t row = i / columns;

		p.c = &r->cells.v[i * per];
		p.x = PANEL_W * (i % columns);
		p.y = HEAD + PANEL_H * row;
		panel(&p);
	}
	sb_z(b, "</svg>\n");
	free(p.by_size);
}
