/*
 * Passes: IR to IR. src/passes/pass.c holds the one table; a pass is one row.
 */
#ifndef COULER_PASS_H
#define COULER_PASS_H

#include "couler/backend.h"

struct target { const struct backend *backend; const struct optset *opts; };   /* backend NULL: no engine (IR out, graph) */

struct pass {
	const char *name, *help;
	unsigned needs, gives, breaks;    /* enum ir_prop: facts it relies on, adds, destroys */
	bool always;                      /* runs under -O0, too: backends cannot live without it */
	bool local;                       /* runs for `couler run`, too */
	const struct optdesc *opts;       /* ends at a NULL name; NULL: none */
	int (*run)(struct ir *m, const struct target *t, const struct optset *o, struct diag *d);   /* 0, or -1 after a diagnostic */
};

extern const struct pass *const passes[];                              /* in the order in which they run; ends at NULL */
const struct pass *pass_find(const char *name);

/*
 * Runs passes over m. list: NULL for the default, else names with commas ("fold,sweep"; "-cse" takes one
 * out of the default). level 0: only those that are always run, with `local` those of a local run, too. dump(pass name) is called after each
 * when not NULL; verify: ir_verify after each.
 */
struct pass_run { const char *list; int level; bool verify, local; void (*dump)(const char *pass, const struct ir *m, void *data); void *data; };
int passes_run(struct ir *m, const struct target *t, const struct optset *o, const struct pass_run *how, struct diag *d);

#endif
