/*
 * Options of passes and backends: tables of descriptions, and what a user set.
 */
#ifndef COULER_OPT_H
#define COULER_OPT_H

#include <stdbool.h>
#include <stdint.h>

#include "couler/diag.h"

enum opt_type { OPT_BOOL, OPT_INT, OPT_STRING, OPT_ENUM, OPT_SIZE, OPT_DURATION };

struct optdesc {
	const char *name;                 /* without the owner's prefix: "limits" of --set argo.limits=off */
	enum opt_type type;
	const char *dflt;                 /* as text, NULL: none */
	const char *values;               /* OPT_ENUM: "a|b|c" */
	const char *help;
};

/* Values by full name ("argo.limits"), as text, checked against the table when set. */
struct optset;

struct optset *optset_new(struct arena *a);
/* 0, or -1 after a diagnostic: unknown name (with the nearest one), bad value. */
int optset_set(struct optset *o, const char *owner, const struct optdesc *table, const char *name, const char *value, struct diag *d);
bool optset_given(const struct optset *o, const char *owner);         /* an option of owner was set */
const char *opt_string(const struct optset *o, const char *owner, const struct optdesc *table, const char *name);   /* set, else default */
bool opt_bool(const struct optset *o, const char *owner, const struct optdesc *table, const char *name);
int64_t opt_int(const struct optset *o, const char *owner, const struct optdesc *table, const char *name);          /* also sizes (bytes) and durations (s) */

#endif
