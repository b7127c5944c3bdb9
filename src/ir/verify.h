/* Verifier: verify.c has modules, workflows and nodes, verify_expr.c expressions. */
#ifndef COULER_VERIFY_H
#define COULER_VERIFY_H

#include "couler/ir.h"

struct verifier {
	const struct ir *m;
	struct diag *d;
	unsigned errors;                  /* reported; the first 20 are */
	const struct ir_workflow *w;
	const struct node *node;          /* for messages and for what an expression may read; NULL in a workflow's own */
	const struct expr **stack;        /* of the walk over an expression */
	size_t cap;
};

/* What an expression may read besides values of the workflow. */
enum reads { READ_NODES = 1, READ_INPUTS = 2, READ_PATHS = 4, READ_ALL = 7 };

void verify_fail(struct verifier *v, struct span sp, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/*
 * The expression of a place called so, evaluated in graph g (NULL: before the run). want: kind T_NONE is any type; optional
 * where a plain type is wanted is an error, the other way round is not. NULL is an error.
 */
void verify_expr(struct verifier *v, const struct expr *e, const struct graph *g, struct type want, unsigned reads, const char *what);

/* The task whose inputs the node's attributes may read; NULL if it has none. */
const struct ir_task *node_task(const struct node *n);

#endif
