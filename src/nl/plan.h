/*
 * The plan of a description: modules (what is done) in order, each with where it stands (branch, fan-out, loop, on block)
 * and the facts that belong to it. Produced by plan.c, read by draft.c and by the prompt.
 */
#ifndef COULER_NL_PLAN_H
#define COULER_NL_PLAN_H

#include "facts.h"

/* kind, word in a plan */
#define KINDS(X) \
	X(LOAD, "load") X(LIST, "list") X(VALIDATE, "validate") X(CLEAN, "clean") X(FEATURES, "features") X(TRANSFORM, "transform") X(SPLIT, "split") \
	X(TRAIN, "train") X(TUNE, "tune") X(EVALUATE, "evaluate") X(PREDICT, "predict") X(COMPARE, "compare") X(REGISTER, "register") X(DEPLOY, "deploy") \
	X(UPLOAD, "upload") X(NOTIFY, "notify") X(REPORT, "report") X(MERGE, "merge") X(CLEANUP, "clean up") X(EXPORT, "export") X(RUN, "run") \
	X(APPROVE, "approve") X(WAIT, "wait") X(FAIL, "fail")
enum kind {
#define X(k, w) K_##k,
	KINDS(X)
#undef X
	K_COUNT
};
extern const char *const kind_words[K_COUNT];

enum on_kind { ON_NONE, ON_GOOD, ON_BAD, ON_ALWAYS };

struct snippet;
struct module {
	enum kind kind;
	const char *verb, *name, *doc;
	uint32_t off, len;                /* the part of the text that it came from */
	uint32_t verb_off, verb_len;
	uint32_t sentence;
	int cond, branch;                 /* index of plan.conds, -1; 0 then, 1 otherwise */
	int fan, loop, par;               /* indices, -1; par: modules of one number run beside each other */
	enum on_kind on;
	VEC(uint32_t) facts;              /* of facts.v */
	VEC(const char *) metrics;        /* outputs that conditions read */
	VEC(const char *) params;
	bool sweep, job, dataflow;
};

struct cond { const char *metric; const char *op; const char *number, *below; bool flag; uint32_t off, len; const char *text; };   /* flag: a bool output, no number; below: and less than that, NULL; op is the one under which branch 0 runs */
struct fan { const char *item, *list, *uri; bool literal; double max_parallel; uint32_t off, len; const char *words; };   /* list: "[...]" or "range(1, 23)"; NULL: known at run time */
struct loop_plan { int max; const char *metric, *op, *number; uint32_t off, len; };    /* op: under which it goes on */
struct dim { const char *name, *expr, *type; };
struct sweep_plan { bool on; const char *search, *metric; bool minimize; int trials, seed, parallel, max_failed, factor; double goal; bool has_goal, has_seed; const char *budget, *lo, *hi; VEC(struct dim) dims; uint32_t off; };
struct job_plan { const char *kind; int workers, gpus, ps, slots; };
struct op_plan { const char *name, *cpu; bool stateful; };
struct dataflow_plan { bool on; int min, max; const char *image, *cpu; VEC(struct op_plan) ops; };
struct service_plan { const char *name, *image; int port; };

struct plan {
	struct ntext *text;
	struct facts facts;
	const char *name, *title;
	VEC(struct module) modules;
	VEC(struct cond) conds;
	VEC(struct fan) fans;
	VEC(struct loop_plan) loops;
	struct sweep_plan sweep;
	struct job_plan job;
	struct dataflow_plan dataflow;
	VEC(struct service_plan) services;
	uint32_t nsentences;
};

/* Never fails: a description without anything to do gives a plan without modules. */
struct plan *plan_make(struct arena *a, const char *description, size_t n);
void plan_free(struct plan *p);           /* the text's patterns */
void plan_write(const struct plan *p, struct strbuf *out);              /* one line a module, for --explain and the prompt */

/* plan_special.c: searches, jobs, pipelines of operators, services */
void plan_special(struct plan *p);
bool lex_verb(struct ntext *t, const char *word);                       /* whether a word is one of work and nothing else */
/* The row of lexicon.h that fits at off of s (t->s or t->w): length of the words, 0 if none. noun: it may stand anywhere. */
uint32_t lex_at(struct ntext *t, const char *s, uint32_t off, enum kind *kind, const char **verb, bool *noun);

#endif
