/*
 * Pictures of a module: the entry workflow, regions nested, called workflows as boxes of their own.
 */
#ifndef COULER_GRAPH_H
#define COULER_GRAPH_H

#include "couler/ir.h"

#define GRAPH_FORMATS(X) X(text) X(dot) X(mermaid) X(svg)
enum graph_format {
#define X(f) GRAPH_##f,
	GRAPH_FORMATS(X)
#undef X
	GRAPH_COUNT
};

int graph_format(const char *word);                                    /* enum graph_format, -1 if none */
void graph_render(const struct ir *m, enum graph_format f, struct strbuf *out);

#endif
