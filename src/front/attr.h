/*
 * Attributes inside the front end: rows of attr_table.h, and what attr*.c share.
 *
 * attr.c        rows by name, keys of a block, layers and their merging
 * attr_value.c  the entries of one block as values
 * attr_list.c   env, mounts, locks, labels, tolerations
 * attr_check.c  single values: words, numbers, cron, time zones, names
 * attr_raw.c    raw YAML and JSON
 */
#ifndef COULER_ATTR_H
#define COULER_ATTR_H

#include "elab.h"
#include "attr_table.h"

enum attr_id {
#define ATTR(id, group, key, form, expr, words, owners, dflt, doc, example) ATTR_##id,
#include "attr_table.h"
#undef ATTR
	ATTR_COUNT
};

struct attr_row {
	const char *key, *what;           /* what: the key in quotes, for messages */
	uint8_t group, form;              /* enum attr_group, enum attr_form */
	bool expr;
	const char *words;                /* "a|b", NULL */
	unsigned owners;                  /* enum attr_owner */
	const char *dflt, *doc, *example;
};
extern const struct attr_row attr_rows[ATTR_COUNT];
extern const char *const attr_form_words[FORM_COUNT];
extern const char *const attr_group_words[GROUP_COUNT];

/* The row of a key for an owner; NULL if that owner does not take it. */
const struct attr_row *attr_find(struct elab *e, enum attr_group g, const struct str *key, unsigned owner);
/* "a task", "`defaults`" ...: one owner; and all owners of a row, as a list for messages, in the arena. */
const char *attr_owner_words(unsigned owner);
const char *attr_owners_list(struct elab *e, unsigned owners);

/* What one block says. Merged from the outermost to the nearest. */
struct layer {
	struct attrs a;
	const struct ast_block *block;
	struct scope *scope;
	bool retry_on, cache_mode;        /* given */
	bool reads_input;
	bool any;                         /* an attribute at all */
	struct span retry, cache;         /* of the block forms of a node's own; file 0: none */
	struct layer *next;
};

struct layer_ctx { struct elab *e; struct scope *s; unsigned owner; struct layer *l; };

/* attr_value.c: the entries of b as values, into l. */
void layer_read(struct elab *e, struct scope *s, const struct ast_block *b, unsigned owner, struct layer *l);
/* An attribute's expression of that type, which reads nothing that steps produce; NULL after a diagnostic. */
struct expr *attr_expr(struct layer_ctx *c, const struct ast_expr *x, const struct attr_row *row, struct type want);

/* attr_list.c */
void env_read(struct layer_ctx *c, const struct ast_stmt *entry);
void env_from_read(struct layer_ctx *c, const struct ast_stmt *entry);
void mounts_read(struct layer_ctx *c, const struct ast_stmt *entry);
void pairs_read(struct layer_ctx *c, const struct ast_expr *x, const struct attr_row *row, bool values, struct ir_pair **v, uint32_t *n);
void tolerate_read(struct layer_ctx *c, const struct ast_stmt *entry);

/* attr_check.c */
bool is_dns_label(const char *s, size_t n);                            /* RFC 1123: a-z, 0-9, '-', at most 63 */
bool is_dns_subdomain(const char *s, size_t n);                        /* labels with dots, at most 253 */
bool is_name(const char *s, size_t n);                                 /* [A-Za-z_][A-Za-z0-9_]* */
/* Rule 2 of docs/values.md; env: the names that `env` may set are free. NULL, or why the name is reserved. */
const char *reserved_name(const char *s, size_t n, bool env);
/* The word a bare name or a string is; NULL if x is neither. */
const struct str *word_of(const struct ast_expr *x);
/* The mistake in how x is written for a row's form, reported; true if there is none that shows without names and types. */
bool form_check(struct elab *e, const struct ast_stmt *entry, const struct attr_row *row);
/* Text of the source at sp. */
const char *span_text(const struct diag *d, struct span sp, uint32_t *n);
/* A literal that a type's own syntax or a usual slip makes wrong (cpu = 500m, memory = 16, timeout = "90"): reported, true. */
bool slip_report(struct elab *e, const struct ast_expr *x, const struct attr_row *row, enum type_kind want);
/* "16Gi", "2h" in quotes as a literal of that type; NULL if x is no such string. */
struct expr *quoted_unit(struct elab *e, const struct ast_expr *x, enum type_kind want);
const struct attr_row *row_of(const struct ast_stmt *entry);           /* some row with that key, NULL */

/* attr_raw.c: reports text that is not YAML with a mapping at its top. */
bool raw_check(struct elab *e, const struct ast_expr *x, const char *what);
/* Bytes of the first characters of s: libyaml counts characters. */
size_t utf8_offset(const char *s, size_t n, size_t chars);

#endif
