/* Raw YAML merged into YAML of our own. */
#ifndef ARGO_MERGE_H
#define ARGO_MERGE_H

#include "argo.h"

/* text: one item of a list, or the entries of a mapping, whose entries stand at depth. */
void merge_raw(struct argo *g, struct strbuf *text, int depth, const struct str *raw, struct span sp);

#endif
