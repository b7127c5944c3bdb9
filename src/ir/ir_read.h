/*
 * Reader of the JSON form: what its files share.
 *
 * A function that reads returns false after a diagnostic that names the place in the JSON ("workflows[0].body[3].kind").
 * jansson's values are borrowed; everything made lives in the arena.
 */
#ifndef COULER_IR_READ_H
#define COULER_IR_READ_H

#include <jansson.h>

#include "ir_desc.h"

struct step { const char *key; size_t i; };                             /* of a path: .key, or [i] where key is NULL */
struct node_slot { struct node *node; bool defined; };

struct jreader {
	struct arena *a;
	struct strtab *strs;
	struct diag *d;
	struct ir *m;
	const char *file;
	struct { struct step *v; size_t n, cap; } path;                     /* to the value that is read */
	struct ir_workflow *w;            /* the one that is read, NULL outside */
	struct node *owner;               /* whose regions are read, NULL in a workflow's own graph */
	uint32_t port_values;             /* length of the values of a port of the node that is read */
	struct node_slot *slot;           /* nodes of w by id, made when first met */
	uint32_t nslots, cap;
	struct attrs **attrs;             /* of w */
	uint32_t nattrs;
	uint32_t first_source, nsources;  /* the module's files in diag.sources */
};

/* Reports; always false. */
bool read_fail(struct jreader *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* "a string", "an object", ... */
const char *json_words(const json_t *j);
/* Extends the path by .key or [i]; gives what to set path.n back to. The key is borrowed. */
size_t path_key(struct jreader *r, const char *key);
size_t path_index(struct jreader *r, size_t i);

bool read_str(struct jreader *r, const json_t *j, const struct str **out);
bool read_int(struct jreader *r, const json_t *j, double lo, double hi, int64_t *out);
bool read_double(struct jreader *r, const json_t *j, double *out);     /* also "nan", "inf", "-inf" */
bool read_word(struct jreader *r, const json_t *j, const char *const *words, unsigned *out);
bool read_type(struct jreader *r, const json_t *j, struct type *out);
bool read_span(struct jreader *r, const json_t *j, struct span *out);
bool read_node_id(struct jreader *r, const json_t *j, struct node **out);
bool read_array(struct jreader *r, const json_t *j, uint32_t *n);      /* is one, of a length that 32 bits hold */

/* ir_read_value.c, ir_read_expr.c */
bool read_value(struct jreader *r, const json_t *j, struct value *out);
bool read_expr(struct jreader *r, const json_t *j, struct expr **out);
bool read_exprs(struct jreader *r, const json_t *j, struct expr ***v, uint32_t *n);   /* null gives NULL */

/* No member of the object but those in keys, which a NULL ends. */
bool read_keys(struct jreader *r, const json_t *j, const char *const *keys);

#endif
