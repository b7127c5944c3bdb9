/*
 * Types of values (docs/language.md, "Types"). Passed by value.
 */
#ifndef COULER_TYPE_H
#define COULER_TYPE_H

#include <stdbool.h>
#include <stdint.h>

#include "couler/str.h"

/* kind, spelling, is a scalar */
#define TYPE_KINDS(X) \
	X(STRING, "string", 1) X(INT, "int", 1) X(FLOAT, "float", 1) X(BOOL, "bool", 1) X(JSON, "json", 0) \
	X(TIME, "time", 1) X(DURATION, "duration", 1) X(SIZE, "size", 1) X(FILE, "file", 0) X(DIR, "dir", 0)

enum type_kind {
	T_NONE,                           /* no type: after an error, which is reported once */
#define X(k, s, sc) T_##k,
	TYPE_KINDS(X)
#undef X
	T_NULL,                           /* of the literal null; of an absent value */
	T_ANY                             /* element type of [] */
};

struct type {
	uint8_t kind;                     /* enum type_kind: of the element where list is set */
	bool list;
	bool opt;                         /* T? */
};

static inline struct type type_of(enum type_kind k) { return (struct type){ (uint8_t)k, false, false }; }
static inline struct type type_list(enum type_kind k) { return (struct type){ (uint8_t)k, true, false }; }
static inline bool type_eq(struct type a, struct type b) { return a.kind == b.kind && a.list == b.list && a.opt == b.opt; }
static inline bool type_is(struct type t, enum type_kind k) { return t.kind == k && !t.list && !t.opt; }
static inline bool type_is_path(struct type t) { return t.kind == T_FILE || t.kind == T_DIR; }      /* also lists of them: artifacts */
static inline bool type_is_num(struct type t) { return !t.list && (t.kind == T_INT || t.kind == T_FLOAT); }
bool type_is_scalar(struct type t);                                    /* a scalar, not optional */
const char *type_name(enum type_kind k);                               /* "int" */
void type_str(struct strbuf *b, struct type t);                        /* "list<file>?" */
bool type_parse(const char *s, size_t n, struct type *t);              /* the inverse */

#endif
