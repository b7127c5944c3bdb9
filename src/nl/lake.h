/*
 * The code lake: snippets of .cw with a doc comment and tags, and the search for those nearest to a text (BM25).
 * Shipped: grammar/lake/ and examples/; a user's own folder comes on top.
 */
#ifndef COULER_NL_LAKE_H
#define COULER_NL_LAKE_H

#include "couler/ast.h"

struct snippet {
	const char *name;                 /* of its file, without .cw */
	const char *doc, *tags, *kind;    /* of its head comment: first line, "tags:", "kind:"; "" */
	const char *text;
	size_t len;
	struct ast_stmt *task;            /* its first task; NULL */
	struct ast_file *ast;
	const struct diag *diag;
};

struct lake {
	struct arena *arena;
	struct strtab *strs;
	VEC(struct snippet) v;
	struct lake_index *index;
};

struct lake *lake_new(struct arena *a, struct strtab *strs);            /* what is shipped */
int lake_folder(struct lake *l, const char *dir, struct diag *d);       /* adds *.cw of a folder; -1 after a diagnostic */

struct lake_hit { const struct snippet *s; double score; };
/* The best of them first, at most max with a score above 0; kind: only of that kind, NULL for all. Returns their number. */
uint32_t lake_search(const struct lake *l, const char *text, size_t n, const char *kind, struct lake_hit *hits, uint32_t max);

#endif
