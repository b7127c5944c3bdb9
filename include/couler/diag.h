/*
 * Diagnostics: how every library function reports. A diagnostic has a severity,
 * a stable code (one row of diag_codes.h), a span, a message, and notes and
 * mends beside it. Only src/cli/ prints them.
 */
#ifndef COULER_DIAG_H
#define COULER_DIAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "couler/arena.h"
#include "couler/str.h"

/* A source text. Files are numbered from 1 in the order in which they are read; 0 is no place. */
struct source {
	const char *path;                 /* as the user wrote it, "<stdin>" for standard input */
	const char *text;
	size_t len;
	uint32_t *lines;                  /* offsets of line starts, made at first use */
	uint32_t nlines;
};

struct span {
	uint32_t file;                    /* index into diag.sources, 0: none */
	uint32_t off, len;                /* bytes */
};

enum severity { SEV_ERROR, SEV_WARNING, SEV_REMARK, SEV_NOTE };

enum diag_code {
#define DIAG(code, sev, title, help) CW##code = 1##code - 10000,
#include "couler/diag_codes.h"
#undef DIAG
};

struct diag_item {
	enum severity sev;
	int code;                         /* 0 in notes */
	struct span span;
	const char *msg;
	const char *label;                /* under the caret, NULL for none */
	const char *mend;                 /* what to do, one line, NULL for none */
	struct diag_item *notes, *next;
};

struct diag {
	struct arena *arena;
	struct source **sources;          /* [0] is unused */
	uint32_t nsources, cap;
	struct diag_item *first, *last;
	unsigned errors, warnings;        /* counted past max_errors, too */
	unsigned max_errors;              /* kept and printed, default 20 */
	bool remarks;                     /* keep remarks; otherwise they cost nothing */
};

struct diag *diag_new(struct arena *a);
uint32_t diag_source(struct diag *d, const char *path, const char *text, size_t len);

/*
 * Each adds a diagnostic and returns it so that notes can follow; never NULL.
 * An error at a place where one was already reported is counted but not kept.
 */
struct diag_item *diag_at(struct diag *d, enum diag_code code, struct span sp, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));          /* severity by the code's row */
struct diag_item *diag_remark(struct diag *d, struct span sp, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void diag_label(struct diag *d, struct diag_item *it, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void diag_mend(struct diag *d, struct diag_item *it, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void diag_note(struct diag *d, struct diag_item *it, struct span sp, const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Takes back what was reported since the mark was made: one cause explains it all. */
struct diag_mark { struct diag_item *last; unsigned errors, warnings; };
struct diag_mark diag_mark(const struct diag *d);
void diag_take_back(struct diag *d, struct diag_mark m);

struct place { const char *path; uint32_t line, col; };               /* from 1; columns count code points */
struct place diag_place(const struct diag *d, struct span sp);

struct diag_info { int code; enum severity sev; const char *title, *help; };
const struct diag_info *diag_info(int code);                          /* NULL: no such code */
extern const struct diag_info diag_infos[];                           /* ends at code 0 */

enum diag_format { DIAG_TEXT, DIAG_JSON, DIAG_SARIF };
void diag_write(const struct diag *d, enum diag_format f, bool color, struct strbuf *out);

/* text with control bytes (terminal escapes) made visible */
void sb_safe(struct strbuf *b, const char *s, size_t n);

#endif
