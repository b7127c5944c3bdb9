/* What the passes share: one row each in pass.c, and helpers. */
#ifndef COULER_PASSES_H
#define COULER_PASSES_H

#include "couler/pass.h"
#include "couler/ptrmap.h"

extern const struct pass pass_fold, pass_inline, pass_stage, pass_sweep, pass_cse, pass_cache, pass_disaggregate, pass_dataflow, pass_retry, pass_rightsize, pass_reduce, pass_parallel, pass_split;

/* ---- folding of one expression (fold_expr.c) ---- */

struct folder {
	struct ir *m;
	struct diag *d;
	struct ptrmap done;               /* expression -> its folded form */
	/* What a reference has become; NULL: it stays. */
	struct expr *(*subst)(struct folder *f, struct expr *ref);
	void *data;
	uint32_t folded;                  /* operations that became literals or went */
	int rc;                           /* -1 after a diagnostic */
};
void fold_expr(struct folder *f, struct expr **slot);

/* ---- copying a graph into another workflow (copy.c) ---- */

struct copier {
	struct ir *m;
	struct ir_workflow *from, *to;
	struct expr **args;               /* by parameter of from: what stands for it */
	struct node **node;               /* by id in from: its copy */
	struct ptrmap exprs, attrs;
	struct expr *(*ref)(struct copier *c, struct expr *ref);               /* what stands for a reference, in place of args and node; NULL */
	void *data;
};
struct expr *copy_expr(struct copier *c, struct expr *e);              /* before any node was copied: parameters only */
struct graph *copy_graph(struct copier *c, const struct graph *g, struct node *owner);
void copy_node_exprs(struct copier *c, struct node *n);                /* gives n attributes and expressions of its own, through c */
void copier_free(struct copier *c);

void dataflow_services(struct ir *m, struct diag *d);                  /* runtime.c: dataflows with `runtime`, for engines that carry services */
uint32_t count_nodes(struct ir_workflow *w);
void renumber(struct ir_workflow *w);                                  /* ids in source order again */

#endif
