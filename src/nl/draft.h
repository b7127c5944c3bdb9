/* A plan written as .cw: private to draft*.c. */
#ifndef COULER_NL_DRAFT_H
#define COULER_NL_DRAFT_H

#include "lake.h"
#include "plan.h"

enum role { R_DATA, R_TRAIN, R_TEST, R_MODEL, R_RESULT, R_REPORT, R_ITEMS, R_COUNT };
struct artifact { enum role role; const char *ref; int module; bool list; };

enum { DEGRADE_NONE, DEGRADE_BODIES, DEGRADE_WIRING, DEGRADE_REGIONS, DEGRADE_COUNT };

struct draft {
	struct plan *p;
	struct arena *arena;
	const struct lake *lake;
	struct strbuf out, tasks;
	VEC(struct artifact) arts;
	VEC(const char *) last;           /* steps after which the next one comes */
	VEC(const char *) programs;       /* that the user has to bring along */
	VEC(const char *) used;           /* snippets of the lake */
	int in_fan, in_loop;
	bool in_on;
	int degrade;
	bool fresh;                       /* no step of this region yet */
	const char *item_ref;
};

/* draft_body.c, draft_attrs.c */
void draft_step(struct draft *d, uint32_t i);                           /* a step, an approval, a wait or a fail */
const struct artifact *draft_wired(const struct draft *d, enum role role);   /* what a step reads for a role; NULL */
bool draft_reads_last(const struct draft *d, const char *ref);          /* ref is an output of a step that the next one comes after */
const char *draft_fact(const struct draft *d, const struct module *m, enum fact_type type);   /* what the description says of a module; NULL */
void draft_after(struct draft *d, struct strbuf *b);                    /* after = [...] */
void draft_attrs(struct draft *d, const struct module *m, struct strbuf *b);
const char *draft_secret_key(struct draft *d, const struct fact *f);
const char *draft_env_name(struct draft *d, const char *name, const char *key);
void draft_defaults(struct draft *d, struct strbuf *b);
const char *metric_ref(struct draft *d, const char *metric, uint32_t before);
void art_add(struct draft *d, enum role role, const char *ref, int module, bool list);
const struct artifact *art_find(const struct draft *d, enum role role);

/* draft_snippet.c */
const struct snippet *draft_snippet(struct draft *d, const struct module *m);                          /* the one that is meant; NULL */
bool draft_from_snippet(struct draft *d, uint32_t i, const struct snippet *sn, struct strbuf *b);      /* false: it asks for what nobody gives */

/* draft_special.c */
void draft_sweep(struct draft *d, uint32_t i);
void draft_dataflow(struct draft *d, uint32_t i);
void draft_metrics(struct plan *p);                                     /* which module puts out what conditions read */
void draft_tidy(struct plan *p);                                        /* modules that say the same; the module of a sweep, a job, a dataflow */

/* draft.c: malloc'd text */
void draft_make(struct plan *p, const struct lake *lake, int degrade, struct strbuf *out, struct strbuf *explain);

#endif
