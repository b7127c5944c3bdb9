/*
 * The cache simulator: `couler sim cache`. A workflow is run once, then edited and run again, round after round: one node
 * changes, what depends on it is of no use any more, and the cheapest plan with what is kept gives the results of all sinks.
 */
#ifndef COULER_CACHESIM_H
#define COULER_CACHESIM_H

#include "couler/cachepolicy.h"
#include "couler/diag.h"
#include "couler/vec.h"

struct sim_workload {
	const char *name;
	uint32_t n, nedges;
	const char *const *node;          /* names */
	const uint32_t (*edge)[2];
	const double *seconds, *bytes;
	bool spread;                      /* times and sizes differ from seed to seed: a generated workflow */
};
/* One of the generated scenarios, NULL if there is none of that name. */
const struct sim_workload *sim_scenario(struct arena *a, const char *name);
extern const char *const sim_scenarios[];                              /* ends at NULL */
/* A WfCommons instance (WfFormat 1.5). NULL after a diagnostic. */
const struct sim_workload *sim_trace(struct arena *a, const char *path, struct diag *d);

enum sim_edits { EDITS_UNIFORM, EDITS_LATE, EDITS_COUNT };             /* every node alike; by 1 + the square of its depth */
extern const char *const sim_edit_names[EDITS_COUNT];

struct sim_budget { const char *label; double value; bool share; };    /* bytes, or a share of all bytes of the workload */

struct sim_opts {
	uint32_t seeds, rounds;
	uint64_t first;                   /* seed */
	double latency, rate, alpha, beta;
	unsigned edits;                   /* bit by enum sim_edits */
	VEC(struct sim_budget) budgets;
	VEC(const struct keep_policy *) policies;
	bool bound;
};

struct sim_score {
	double seconds, sd;               /* of all reruns: mean and standard deviation over the seeds */
	double hits;                      /* of the results that a run with everything kept would load, those that were there */
	double saved;                     /* of the seconds that keeping everything saves, those that were saved */
	double worst;                     /* most seconds of a seed over those of lru in it; 0: lru is not among the policies */
	uint32_t evictions;
};
struct sim_cell {
	const struct sim_workload *w;
	enum sim_edits edits;
	const struct sim_budget *budget;
	double bytes;                     /* of the budget, mean */
	double cold, none, all;           /* seconds: the first run; all reruns with nothing, with everything kept */
	double bound;                     /* no policy takes fewer seconds; 0: not asked for */
	double optimum;                   /* the best set for the next edit, chosen anew each round; 0: the graph is too large */
	struct sim_score *score;          /* by policy */
};
struct sim_result { const struct sim_opts *o; VEC(struct sim_cell) cells; };

/* progress: called after each cell, NULL. */
void sim_cache_run(struct arena *a, const struct sim_workload *const *w, uint32_t n, const struct sim_opts *o, struct sim_result *r,
                   void (*progress)(uint32_t done, uint32_t of, void *data), void *data);

struct sim_standing { uint32_t cells, first, beats_lru, beats_couler; };
struct sim_standing sim_standing(const struct sim_result *r, const char *policy);   /* of a policy that keeps the budget */

void sim_cache_text(const struct sim_result *r, struct strbuf *out);
void sim_cache_json(const struct sim_result *r, struct strbuf *out);
void sim_cache_svg(const struct sim_result *r, struct strbuf *out);

#endif
