/*
 * Pictures of graphs: what is drawn (picture.c), where (layout.c), and in which form
 * (picture_text.c, picture_svg.c, picture_dot.c).
 */
#ifndef COULER_PICTURE_H
#define COULER_PICTURE_H

#include "couler/graph.h"

#define PIC_NONE UINT32_MAX
#define PIC_LINES 3

/* A node of the graph, or several that stand in one box. A region holds graphs. */
struct pic_box {
	const struct node *node;          /* NULL: several */
	const char *title, *line[PIC_LINES];
	uint32_t nlines, count;           /* count: nodes it stands for */
	struct pic_graph *child;
	uint32_t nchild;
	double x, y, w, h;                /* in the graph; x, y: upper left corner */
};

struct pic_edge { uint32_t from, to; bool data; };                     /* boxes; data: a value passes, else order or status */

/* What stands in a layer: a box, or where an edge passes through (box PIC_NONE). */
struct pic_item { uint32_t box, layer, src; bool data; double x, w; }; /* x: middle; src: box from which the passing edge comes */
struct pic_link { uint32_t from, to; bool data; };                     /* items of neighbouring layers */
struct pic_layer { uint32_t *item, n; double y, h; };                  /* in order from left to right */

/* Boxes that hang together. */
struct pic_part {
	struct pic_item *item;
	struct pic_link *link;
	struct pic_layer *layer;
	uint32_t nitems, nlinks, nlayers;
	double x, y, w, h;
};

struct pic_graph {
	const char *title;                /* of the frame; NULL: none */
	struct pic_box *box;
	struct pic_edge *edge;
	struct pic_part *part;
	uint32_t n, nedges, nparts;
	double x, y, w, h;                /* in the box that holds it */
	double fx, fy, fw, fh;            /* its frame there: around a title, else as large as the graph */
};

/* How large things are: characters for text, pixels for SVG. */
struct pic_metric {
	double (*width)(const char *text);
	double line;                      /* height of a line of text */
	double pad_x, pad_y;              /* between border and text */
	double border;                    /* thickness that counts */
	double title;                     /* height of a frame's title, 0 when it stands in the border */
	double gap_x, gap_part;
	double room;                      /* wished width of a row of parts */
	bool grid;                        /* whole numbers only */
	/* Height between two layers, from the links that cross it. */
	double (*channel)(const struct pic_part *p, uint32_t layer);
};

/*
 * Which nodes share a box: none; those that are alike by name and place; those of one layer that are alike by name;
 * those of neighbouring layers. A graph of more than `most` boxes goes on to the next level.
 */
enum pic_level { PIC_ALL, PIC_ALIKE, PIC_STEMS, PIC_LAYERS };
struct pic_graph *picture_of(struct arena *a, const struct ir *m, struct graph *g, enum pic_level level, uint32_t most);
void picture_layout(struct arena *a, struct pic_graph *g, const struct pic_metric *m);

/* Everything to be drawn: the body of the entry, its on blocks, the workflows it calls. */
struct pic_panel { const char *title; const struct ir_workflow *w; struct graph *g; };
struct pic_panel *picture_panels(struct arena *a, const struct ir *m, uint32_t *n);

double pic_columns(const char *text);     /* of a terminal: wide East Asian characters count as two */
void pic_labels(struct arena *a, const struct ir *m, const struct node *n, struct pic_box *b);
const char *pic_branch(struct arena *a, const struct ir_workflow *w, const struct node *n, uint32_t i);      /* "else", "tune.auc > 0.9" */

void picture_text(const struct ir *m, struct strbuf *out);
void picture_svg(const struct ir *m, struct strbuf *out);
void picture_dot(const struct ir *m, struct strbuf *out);
void picture_mermaid(const struct ir *m, struct strbuf *out);

#endif
