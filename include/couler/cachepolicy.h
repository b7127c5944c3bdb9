/*
 * Which results to keep under a storage budget: one graph, one cache, many policies. Used by the simulator, by pass cache
 * and by the local engine (docs/optimizer.md, "What to keep").
 */
#ifndef COULER_CACHEPOLICY_H
#define COULER_CACHEPOLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "couler/arena.h"

/* A workflow as a cache sees it: each node computes one result from those of its predecessors. */
struct keep_graph {
	uint32_t n, words;                /* words: 64-bit words of a set of nodes */
	const uint32_t *pstart, *pred, *sstart, *succ;                      /* of node u: pred[pstart[u] .. pstart[u + 1]) */
	const uint32_t *topo;             /* nodes, predecessors first */
	const double *seconds, *bytes;    /* to compute a result from its inputs; its size */
	const double *load;               /* s to load it instead */
	const uint64_t *below, *above;    /* n sets each: a node and all that depend on it; and all it depends on */
	const uint32_t *edits;            /* by node: how often it was changed so far; the owner may put its own here */
};

/* edges: pairs from, to; NULL where they close a circle. Copies everything but edits. load: latency + bytes / rate. */
struct keep_graph *keep_graph_new(struct arena *a, uint32_t n, const uint32_t (*edge)[2], uint32_t nedges, const double *seconds, const double *bytes,
                                  double latency, double rate);
static inline bool keep_has(const uint64_t *set, uint32_t u) { return set[u / 64] >> (u % 64) & 1; }
static inline void keep_add(uint64_t *set, uint32_t u) { set[u / 64] |= UINT64_C(1) << (u % 64); }
static inline void keep_remove(uint64_t *set, uint32_t u) { set[u / 64] &= ~(UINT64_C(1) << (u % 64)); }

/* Seconds to make u again when only the results in have can be loaded: uncached ancestors computed once, the rest loaded. */
double keep_recompute(const struct keep_graph *g, const uint64_t *have, uint32_t u, uint32_t *scratch, uint64_t *seen);

/* ---- a cache ---- */

struct keep;

struct keep_policy {
	const char *name, *help;
	bool unlimited;                   /* ignores the budget: what it shows is a bound */
	bool evicts;                      /* makes room; otherwise only what fits is kept */
	bool (*admit)(struct keep *k, uint32_t u);                          /* NULL: everything that fits */
	double (*score)(struct keep *k, uint32_t u);                        /* the lowest goes first; NULL with evicts false */
	bool (*room)(struct keep *k, uint32_t u);                           /* makes room for u in its own way, false: u is not kept; NULL: by score */
	void (*plan)(struct keep *k);                                       /* when a run begins of which all is known; NULL */
};
extern const struct keep_policy keep_policies[];                       /* ends at a NULL name; the default is the last */
const struct keep_policy *keep_policy_find(const char *name);

struct keep {
	const struct keep_policy *policy;
	const struct keep_graph *g;
	double budget, used;              /* bytes */
	double alpha, beta;               /* of eq. 6 */
	uint64_t *have;                   /* what is kept */
	uint64_t *coming, *target;        /* what this run will still make; couler+: what is to be kept at its end */
	bool planned;
	uint64_t clock;
	double floor, *base;              /* gdsf: value of what went last; by node: that when it was last made or read */
	uint64_t *since, *used_at;        /* by node: when it was kept, last read or kept */
	uint32_t *uses;                   /* by node: times made or read since the first time */
	/* couler+: by node, under each edit at once (a set of edits): is it asked for? Made anew when have changed. */
	uint64_t *asked, version, asked_version;
	uint32_t *edited, nedited;        /* nodes with edits */
	uint32_t *scratch;
	uint64_t *seen;
	uint32_t evictions;
};
struct keep *keep_new(struct arena *a, const struct keep_graph *g, const struct keep_policy *p, double budget);
/* A run begins that will make the results in compute; known: their times and sizes are known from before. */
void keep_begin(struct keep *k, const uint64_t *compute, bool known);
void keep_made(struct keep *k, uint32_t u);                            /* u was computed: kept or not, others may go */
void keep_read(struct keep *k, uint32_t u);                            /* u was loaded */
void keep_drop(struct keep *k, uint32_t u);                            /* what is kept of u is of no use any more */

/* The terms of eq. 3, 4 and 6, for tests and remarks. */
double keep_couler_cost(struct keep *k, uint32_t u);                   /* L(u) */
double keep_couler_reuse(struct keep *k, uint32_t u);                  /* F(u) */
double keep_couler_importance(struct keep *k, uint32_t u);             /* I(u) */
double keep_expected_reuse(struct keep *k, uint32_t u);                /* couler+: share of edits after which u is asked for */
double keep_next_run(struct keep *k);                                  /* couler+: expected seconds of the run after the next edit, when all that is kept is loaded */

/* ---- plans ---- */

/*
 * The cheapest way to the results of all sinks: which results to compute, to load, or neither. valid: those whose identity
 * has not changed. Minimum cut (Helix, VLDB 2018, section 5.2). Gives the seconds; compute, load: sets, NULL if not wanted.
 * price: seconds a byte that loading costs besides, for bounds; else 0.
 */
struct planner;
struct planner *planner_new(struct arena *a, const struct keep_graph *g);
double planner_run(struct planner *p, const uint64_t *valid, const uint64_t *have, double price, uint64_t *compute, uint64_t *load);

/*
 * The set within the budget with the least expected seconds of the next run, when node v changes with probability
 * weight[v]. may: results that can be chosen. By enumeration: n at most KEEP_OPTIMUM_MAX.
 */
#define KEEP_OPTIMUM_MAX 20
double keep_optimum(struct arena *a, const struct keep_graph *g, const double *weight, double budget, uint64_t may, uint64_t *best);
double keep_expected(struct planner *p, const struct keep_graph *g, const double *weight, const uint64_t *have, uint64_t *valid);

/* ---- a workflow of the IR (src/cache/ir.c) ---- */

struct ir;
struct keep_ir;
enum keep_fate { KEEP_YES, KEEP_NO, KEEP_UNKNOWN, KEEP_FOREIGN };      /* nothing is known of it; it is no step of the workflow */

struct keep_ir *keep_ir_new(struct arena *a, struct ir *m);            /* of the entry */
/* What is known of a result, by the step's name as in `couler cache ls`; of several of one name the newest counts. */
void keep_ir_add(struct keep_ir *k, const char *name, size_t n, double seconds, double bytes, double time);
int keep_ir_decide(struct keep_ir *k, const struct keep_policy *policy, double budget);             /* 0; -1: a circle */
enum keep_fate keep_ir_fate(const struct keep_ir *k, const char *name, size_t n);
double keep_ir_seconds(const struct keep_ir *k, const char *name, size_t n);
double keep_ir_time(const struct keep_ir *k, const char *name, size_t n);                          /* of the newest result of that name */
double keep_ir_bytes(const struct keep_ir *k, const char *name, size_t n);

#endif
