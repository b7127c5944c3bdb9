/*
 * Elastic input pipelines (GoldMiner, SIGMOD 2023; docs/elastic.md): where to cut a dataflow, how many workers it
 * gets, how its processes talk, and a simulator of a cluster that shares workers.
 */
#ifndef COULER_ELASTIC_H
#define COULER_ELASTIC_H

#include "couler/ir.h"

/* ---- the cut (cut.c, mincut.c) ---- */

struct cut_op {
	const uint32_t *from;             /* operators it reads; UINT32_MAX: the source */
	uint32_t nfrom;
	int64_t cpu, bytes;               /* ns and bytes a record, >= 0 */
	bool pinned;                      /* stays with the trainer; who reads a pinned operator is pinned, too */
};
struct cut_graph { const struct cut_op *op; uint32_t n; int64_t source_bytes; };

/* Operators on the workers' side; closed under ancestors. */
struct cut {
	bool *on_worker;                  /* by operator */
	uint32_t nworker;
	int64_t bytes;                    /* a record that crosses: each producer once */
	int64_t cpu;                      /* ns a record that is left with the trainer's side */
};

/*
 * The cut with the least q * bytes + p * cpu over all closed sets, the largest of them where several are equal.
 * p = 0, q = 1: the fewest bytes; q = 0: the least CPU, and of those the fewest bytes.
 */
struct cut cut_min(struct arena *a, const struct cut_graph *g, int64_t p, int64_t q);
/* All cuts that are the least for some ratio p/q, from the fewest bytes on; each holds the one before. At most max. */
uint32_t cut_family(struct arena *a, const struct cut_graph *g, struct cut *out, uint32_t max);

/* What the two sides have; rates in records a second. */
struct cut_room {
	double trainer_cpus, worker_cpus; /* cores of the trainer's side, of all workers together */
	double trainer_seconds;           /* of the trainer itself a record; 0: unknown */
	bool gpu;                         /* the trainer's own time takes none of its cores */
	double network;                   /* bytes a second; 0: no limit */
};
double cut_rate(const struct cut_graph *g, const struct cut *c, const struct cut_room *room);
/* The fewest bytes that reach the best rate of the family. */
struct cut cut_choose(struct arena *a, const struct cut_graph *g, const struct cut_room *room);

#endif
