/*
 * Inside the scanner of scripts.
 *
 * script_scan.c  commands: which words set, read or make something
 * script_word.c  words: quotes, substitutions, arithmetic, here-documents
 */
#ifndef COULER_SCRIPT_SCAN_H
#define COULER_SCRIPT_SCAN_H

#include <string.h>

#include "script.h"

struct heredoc { const char *delim; size_t n; bool strip, quoted; };

struct scan {
	struct script *sc;
	const char *s;
	uint32_t n, i;
	unsigned depth, turned;
	bool moved;                       /* cd: words are no paths from the start any more */
	VEC(struct heredoc) docs;         /* whose bodies come at the next line */
	struct strbuf buf;                /* text of the word being read */
};

struct word { uint32_t off, len; bool literal, quoted; size_t n; };   /* text in scan.buf */

static inline bool is_start(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
static inline char char_at(const struct scan *c, uint32_t i) { return i < c->n ? c->s[i] : '\0'; }
static inline char cur(const struct scan *c) { return char_at(c, c->i); }

/* ---- script_word.c ---- */

/* The text is not what the scanner understands: it stops. */
void scan_lost(struct scan *c);
/* One level deeper; false, and lost, when that is too deep. */
bool scan_enter(struct scan *c);
/* End of the name that starts at i; i itself if there is none. */
uint32_t scan_name_end(const struct scan *c, uint32_t i);
void scan_set(struct scan *c, uint32_t off, uint32_t n);
/* A word at c->i, its text into buf; false if there is none. end: '`' inside of such. */
bool scan_word(struct scan *c, char end, struct word *w);
/* An arithmetic expression up to its "))"; false, with c->i where it was, when it turns out to be a subshell. */
bool scan_arithmetic(struct scan *c);
/* A name in an arithmetic expression at c->i; pre: ++ or -- stands before it. */
void scan_arith_name(struct scan *c, bool pre);
/* "<<" [ "-" ] WORD, at the first '<'. */
void scan_heredoc(struct scan *c);
/* A line end, and the here-documents that start after it. */
void scan_newline(struct scan *c);

/* ---- script_scan.c ---- */

/* Commands up to `end` (')' or '`', which is left to the caller), or all of the text. */
void scan_list(struct scan *c, char end);

#endif
