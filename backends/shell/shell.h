/*
 * The shell plan: what the files of this folder share. The plan's own words (begin, needs, give, val ...) are
 * defined in runtime.sh and values.awk, which travel inside it.
 */
#ifndef COULER_SHELL_H
#define COULER_SHELL_H

#include "couler/backend.h"

struct plan {
	const struct ir *m;
	const struct optset *opts;
	struct diag *diag;
	struct arena *arena;
	struct strbuf *out;
	struct strbuf lists;              /* awk functions that gather the ports of `for` regions */
	struct strmap names;              /* functions of sh that are taken */
	const struct ir_workflow *w;      /* at hand */
	const struct node *step;          /* at hand, for references to its inputs */
	uint32_t temps;
};

/* expr.c */
void sh_expr(struct plan *p, struct strbuf *b, const struct expr *e);  /* as awk over values.awk; fit for single quotes of sh */
void sh_awk_string(struct strbuf *b, const char *s, size_t n);
void sh_quoted(struct strbuf *b, const char *s, size_t n);             /* a word of sh in single quotes */
const char *sh_tag(struct type t);                                     /* "i", "Ls" ... */
unsigned sh_depth(const struct node *n);                               /* regions with instances around n */
void sh_key(struct strbuf *b, const struct node *n);                   /* name of its files, without suffix */

/* needs.c: `needs`, `after` lines from the references of a node */
void sh_needs(struct plan *p, const struct node *n);
void sh_needs_of(struct plan *p, struct expr *const *e, uint32_t n);   /* of expressions alone, as `needs` */

/* shell.c: the name of a workflow as a part of the name of a function; copies of one are called NAME-2 */
void sh_workflow(struct strbuf *b, const struct ir_workflow *w);

/* step.c */
const char *sh_function(struct plan *p, const struct node *n, const char *kind);   /* a name that is not taken */
void sh_node(struct plan *p, const struct node *n, const char *function);
void sh_heredoc(struct plan *p, const char *command, const char *s, size_t n);

/* region.c */
void sh_region(struct plan *p, const struct node *n, const char *function);
void sh_graph(struct plan *p, struct graph *g, struct strbuf *order);  /* functions of its nodes; the waves into order */

#endif
