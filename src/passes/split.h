/*
 * Splitting a graph into parts: what pass split, its simulator and its tests share.
 *
 * A part is a set of nodes that becomes a workflow of its own. It starts when all that it needs from other parts has
 * ended, and what it makes is there when all of it has ended, so parts must not wait for each other in a circle.
 */
#ifndef COULER_SPLIT_H
#define COULER_SPLIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a part may hold at most; 0: as much as there is. */
enum cost_dim { COST_BYTES, COST_TASKS, COST_TEMPLATES, COST_NODES, COST_DIMS };

struct part_graph {
	uint32_t n;
	const uint32_t *start, *pred;     /* predecessors of v: pred[start[v] .. start[v + 1]) */
	const double (*cost)[COST_DIMS];
	const double *time;               /* s; NULL: 1 each */
	const bool *pinned;               /* stays where it is, alone; NULL: none */
};

enum part_method { PART_ACYCLIC, PART_DFS };
struct part_opts {
	enum part_method method;
	double limit[COST_DIMS];
	uint32_t target;                  /* so few parts are enough; 0: as few as there can be */
	double overhead;                  /* s that a part of more than one node takes besides its nodes */
};

struct partition {
	uint32_t *part;                   /* by node; parts are numbered in a topological order; malloc */
	uint32_t n;                       /* parts, single nodes included */
	uint32_t cut;                     /* edges from part to part */
	double makespan, bound;           /* with as many workers as there are nodes; bound: unsplit */
	uint32_t repaired;                /* PART_DFS: nodes of parts that waited for each other, laid out anew */
	uint32_t band;                    /* PART_ACYCLIC: levels of a band that was best */
};

/* 0; -1: a cycle; -2: node *at alone is over the limit. */
int part_graph(const struct part_graph *g, const struct part_opts *o, struct partition *out, uint32_t *at);
void partition_free(struct partition *p);
/* NULL, or what is wrong with p: a circle, a part over its limit, a pinned node that is not alone, a wrong count. */
const char *partition_check(const struct part_graph *g, const struct part_opts *o, const struct partition *p);

/* ---- for part_*.c ---- */

struct csr { uint32_t n, *start, *to; };
void csr_of_succ(const struct part_graph *g, struct csr *s);
void csr_free(struct csr *s);
/* Strongly connected components: comp by node, numbered in topological order of what they need; their number. */
uint32_t components(uint32_t n, const uint32_t *start, const uint32_t *pred, uint32_t *comp);
bool cost_fits(const double *a, const double *b, const double *limit);
/* Makespan, bound and cut of p->part; -1: parts wait for each other. With number, parts are numbered topologically. */
int part_measure(const struct part_graph *g, const struct part_opts *o, struct partition *p, bool number);
int part_dfs(const struct part_graph *g, const struct part_opts *o, struct partition *p, uint32_t *at);

#endif
