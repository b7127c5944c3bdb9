/* Raw YAML merged into YAML of our own. */
#ifndef ARGO_MERGE_H
#define ARGO_MERGE_H

#include "argo.h"

enum tree_kind { SCALAR, MAPPING, SEQUENCE };
struct tree;
struct entry { const char *key; struct tree *v; };                      /* key NULL: of a sequence */
struct tree {
	enum tree_kind kind;
	bool plain;                       /* a scalar without quotes */
	bool written;                     /* as it stands in YAML already */
	const char *s;
	size_t n;
	VEC(struct entry) v;
};

struct tree *tree_parse(struct argo *g, const char *s, size_t n);       /* YAML; NULL: it is none, or nested too deep */
struct entry *tree_find(struct tree *t, const char *key);              /* of a mapping; NULL */
void tree_write(struct yaml *y, const char *key, const struct tree *t);

/* text: one item of a list, or the entries of a mapping, whose entries stand at depth. */
void merge_raw(struct argo *g, struct strbuf *text, int depth, const struct str *raw, struct span sp);

#endif
