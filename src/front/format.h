/*
 * Formatter: what its files share.
 *
 * format.c       files, blocks, statements, alignment, comments
 * format_expr.c  expressions, declarations' parts, verbatim blocks
 * format_bare.c  sizes, durations and words of fixed sets that were written in quotes
 *
 * Everything is written flat first, into a buffer, up to the width; what does not fit, was written
 * over several lines or holds a comment is laid out over lines. What decides is in the tree and in the
 * lines of the source in a way that the output has again, so formatting twice changes nothing.
 */
#ifndef COULER_FORMAT_H
#define COULER_FORMAT_H

#include "couler/ast.h"

enum { FORMAT_WIDTH = 100, FORMAT_INDENT = 2 };

/* A comment behind code: where it stands in the output and how wide the line is without it. */
struct tail { size_t at; unsigned line, width; };

struct fmt {
	struct arena *a;
	const char *s;                    /* the source */
	const struct comment *c;          /* comments; from next on they are to be written */
	uint32_t nc, next;
	struct strbuf *out;
	size_t line_at;                   /* where the current line starts in out */
	unsigned line;                    /* its number */
	unsigned indent;
	VEC(struct tail) tails;
};

/* The alignment of a statement: widths that its parts are filled up to, 0 for none. */
struct align { unsigned keyword, name, type; };

void format_bare(struct ast_block *top);                               /* changes the tree */
void format_newline(struct fmt *f);                                    /* and the indentation */
unsigned format_column(const struct fmt *f);
bool format_has_comment(const struct fmt *f, struct span sp);
void format_comments(struct fmt *f, uint32_t upto, bool fresh);         /* those before a place, on lines of their own */
void format_tail(struct fmt *f, uint32_t from, uint32_t upto);          /* one that stands behind code on the same line */
bool format_source_breaks(const struct fmt *f, uint32_t from, uint32_t to);   /* a line ends between the two */

/* Flat: appended to b; false where it cannot be or b gets longer than stop. b then holds a part of it. */
bool flat_expr(const struct fmt *f, struct strbuf *b, const struct ast_expr *e, size_t stop);
bool flat_decl(const struct fmt *f, struct strbuf *b, const struct ast_stmt *st, struct align al, size_t stop);
bool flat_block(const struct fmt *f, struct strbuf *b, const struct ast_block *block, bool map, size_t stop);
bool flat_stmt(const struct fmt *f, struct strbuf *b, const struct ast_stmt *st, bool map, struct align al, size_t stop);

/* From the current column; tail: bytes that must stand on the last line after it. */
void format_expr(struct fmt *f, const struct ast_expr *e, unsigned tail);
void format_decl(struct fmt *f, const struct ast_stmt *st, struct align al);
void format_block(struct fmt *f, const struct ast_block *b, bool map);  /* with its braces, over lines */

#endif
