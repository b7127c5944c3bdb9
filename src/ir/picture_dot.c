/* Graphs for other programs to draw: Graphviz and Mermaid. All nodes, whatever their number. */
#include "picture.h"

#include <stdlib.h>

/* Boxes are numbered through the whole picture; a region's number is that of its box. */
struct writer { struct strbuf *b; uint32_t next; unsigned depth; };

static void indent(struct writer *w)
{
	for (unsigned i = 0; i < w->depth; i++)
		sb_z(w->b, "  ");
}

static void quoted(struct strbuf *b, const char *s)
{
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			sb_ch(b, '\\');
		sb_ch(b, *s);
	}
}

/* ---- Graphviz ---- */

static const char *dot_shape(const struct node *n)
{
	if (!n)
		return "box";
	switch ((enum node_kind)n->kind) {
	case N_CALL:
		return "folder";
	case N_SWEEP:
		return "box3d";
	case N_WAIT:
	case N_APPROVE:
		return "hexagon";
	case N_SERVICE:
		return "component";
	case N_FAIL:
		return "box, peripheries=2";
	default:
		return "box";
	}
}

struct ends { uint32_t id, leaf; bool cluster; };        /* leaf: a node in the cluster, which Graphviz needs to point at it */

static struct ends dot_graph(struct writer *w, const struct pic_graph *g);

static struct ends dot_cluster(struct writer *w, const struct pic_box *x, uint32_t id)
{
	struct ends e = { id, PIC_NONE, true };

	indent(w);
	sb_f(w->b, "subgraph cluster_%u { label=\"", id);
	quoted(w->b, x->title);
	for (uint32_t k = 0; k < x->nlines; k++) {
		sb_z(w->b, "\\n");
		quoted(w->b, x->line[k]);
	}
	sb_z(w->b, "\"; style=rounded; color=gray50\n");
	w->depth++;
	for (uint32_t k = 0; k < x->nchild; k++) {
		struct ends inner;

		if (x->child[k].title) {
			indent(w);
			sb_f(w->b, "subgraph cluster_%u { label=\"", w->next++);
			quoted(w->b, x->child[k].title);
			sb_z(w->b, "\"; style=dashed; color=gray60\n");
			w->depth++;
		}
		inner = dot_graph(w, &x->child[k]);
		if (e.leaf == PIC_NONE)
			e.leaf = inner.leaf;
		if (x->child[k].title) {
			w->depth--;
			indent(w);
			sb_z(w->b, "}\n");
		}
	}
	w->depth--;
	indent(w);
	sb_z(w->b, "}\n");
	return e;
}

static void dot_edge(struct writer *w, struct ends from, struct ends to, bool data)
{
	indent(w);
	sb_f(w->b, "n%u -> n%u", from.leaf, to.leaf);
	if (from.cluster || to.cluster || !data) {
		const char *sep = "";

		sb_z(w->b, " [");
		if (from.cluster)
			sb_f(w->b, "ltail=cluster_%u", from.id), sep = ", ";
		if (to.cluster)
			sb_f(w->b, "%slhead=cluster_%u", sep, to.id), sep = ", ";
		if (!data)
			sb_f(w->b, "%sstyle=dashed", sep);
		sb_z(w->b, "]");
	}
	sb_z(w->b, "\n");
}

/* The first node written, for edges that point at what holds it. Recursion is bounded by picture.c. */
static struct ends dot_graph(struct writer *w, const struct pic_graph *g)
{
	struct ends *e = xcalloc(g->n + 1, sizeof *e), first = { 0, PIC_NONE, false };

	for (uint32_t i = 0; i < g->n; i++) {
		const struct pic_box *x = &g->box[i];
		uint32_t id = w->next++;

		if (x->nchild) {
			e[i] = dot_cluster(w, x, id);
		} else {
			e[i] = (struct ends){ id, id, false };
			indent(w);
			sb_f(w->b, "n%u [label=\"", id);
			quoted(w->b, x->title);
			for (uint32_t k = 0; k < x->nlines; k++) {
				sb_z(w->b, "\\n");
				quoted(w->b, x->line[k]);
			}
			sb_f(w->b, "\", shape=%s]\n", dot_shape(x->node));
		}
		if (first.leaf == PIC_NONE)
			first = e[i];
	}
	if (first.leaf == PIC_NONE) {
		first.leaf = w->next++;
		indent(w);
		sb_f(w->b, "n%u [label=\"\", shape=point, style=invis]\n", first.leaf);
	}
	for (uint32_t i = 0; i < g->nedges; i++)
		dot_edge(w, e[g->edge[i].from], e[g->edge[i].to], g->edge[i].data);
	free(e);
	return first;
}

void picture_dot(const struct ir *m, struct strbuf *out)
{
	struct arena *a = arena_new();
	struct writer w = { out, 0, 1 };
	uint32_t n;
	struct pic_panel *p = picture_panels(a, m, &n);

	sb_f(out, "digraph \"%s\" {\n  compound=true; node [fontname=\"sans-serif\", style=rounded]; fontname=\"sans-serif\"\n", m->entry->name->s);
	for (uint32_t i = 0; i < n; i++) {
		struct pic_graph *g = picture_of(a, m, p[i].g, PIC_ALL, UINT32_MAX);

		if (i) {
			indent(&w);
			sb_f(out, "subgraph cluster_%u { label=\"%s\"; color=gray50\n", w.next++, p[i].title);
			w.depth++;
		}
		dot_graph(&w, g);
		if (i) {
			w.depth--;
			indent(&w);
			sb_z(out, "}\n");
		}
	}
	sb_z(out, "}\n");
	arena_free(a);
}

/* ---- Mermaid ---- */

static void entities(struct strbuf *b, const char *s)
{
	for (; *s; s++) {
		switch (*s) {
		case '"':
			sb_z(b, "&quot;");
			break;
		case '<':
			sb_z(b, "&lt;");
			break;
		case '>':
			sb_z(b, "&gt;");
			break;
		case '&':
			sb_z(b, "&amp;");
			break;
		case '#':
			sb_z(b, "&num;");
			break;
		default:
			sb_ch(b, *s);
		}
	}
}

static void mermaid_label(struct writer *w, const struct pic_box *x)
{
	entities(w->b, x->title);
	for (uint32_t k = 0; k < x->nlines; k++) {
		sb_z(w->b, "<br/>");
		entities(w->b, x->line[k]);
	}
}

static void mermaid_open(struct writer *w, uint32_t id)
{
	indent(w);
	sb_f(w->b, "subgraph n%u[\"", id);
	w->depth++;
}

static void mermaid_close(struct writer *w)
{
	w->depth--;
	indent(w);
	sb_z(w->b, "end\n");
}

/* Opening and closing brackets of a node's shape. */
static const char *const *mermaid_shape(const struct node *n)
{
	static const char *const plain[] = { "[\"", "\"]" }, *const call[] = { "[[\"", "\"]]" }, *const gate[] = { "{{\"", "\"}}" }, *const round[] = { "([\"", "\"])" };

	if (n && (n->kind == N_CALL || n->kind == N_SWEEP))
		return call;
	if (n && (n->kind == N_WAIT || n->kind == N_APPROVE))
		return gate;
	return n && (n->kind == N_SERVICE || n->kind == N_FAIL) ? round : plain;
}

static void mermaid_graph(struct writer *w, const struct pic_graph *g)
{
	uint32_t *id = xcalloc(g->n + 1, sizeof *id);

	for (uint32_t i = 0; i < g->n; i++) {
		const struct pic_box *x = &g->box[i];
		const char *const *shape = mermaid_shape(x->node);

		id[i] = w->next++;
		if (!x->nchild) {
			indent(w);
			sb_f(w->b, "n%u%s", id[i], shape[0]);
			mermaid_label(w, x);
			sb_f(w->b, "%s\n", shape[1]);
			continue;
		}
		mermaid_open(w, id[i]);
		mermaid_label(w, x);
		sb_z(w->b, "\"]\n");
		for (uint32_t k = 0; k < x->nchild; k++) {
			if (x->child[k].title) {
				mermaid_open(w, w->next++);
				entities(w->b, x->child[k].title);
				sb_z(w->b, "\"]\n");
			}
			mermaid_graph(w, &x->child[k]);
			if (x->child[k].title)
				mermaid_close(w);
		}
		mermaid_close(w);
	}
	for (uint32_t i = 0; i < g->nedges; i++) {
		indent(w);
		sb_f(w->b, "n%u %s n%u\n", id[g->edge[i].from], g->edge[i].data ? "-->" : "-.->", id[g->edge[i].to]);
	}
	free(id);
}

void picture_mermaid(const struct ir *m, struct strbuf *out)
{
	struct arena *a = arena_new();
	struct writer w = { out, 0, 1 };
	uint32_t n;
	struct pic_panel *p = picture_panels(a, m, &n);

	sb_z(out, "flowchart TD\n");
	for (uint32_t i = 0; i < n; i++) {
		if (i) {
			mermaid_open(&w, w.next++);
			entities(out, p[i].title);
			sb_z(out, "\"]\n");
		}
		mermaid_graph(&w, picture_of(a, m, p[i].g, PIC_ALL, UINT32_MAX));
		if (i)
			mermaid_close(&w);
	}
	arena_free(a);
}
