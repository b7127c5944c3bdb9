/*
 * Backends: IR to the bytes of an engine. backends/backend.c holds the one table;
 * an engine is one folder and one row.
 */
#ifndef COULER_BACKEND_H
#define COULER_BACKEND_H

#include "couler/ir.h"
#include "couler/opt.h"

/* feature, words for a user */
#define FEATURES(X) \
	X(RUN, "run") X(COMMAND, "command") X(ARGS, "args") X(ARGO_BODY, "an argo body") X(DATAFLOW, "dataflow") \
	X(JOB_PYTORCH, "job pytorch") X(JOB_TENSORFLOW, "job tensorflow") X(JOB_MPI, "job mpi") X(JOB_RAY, "job ray") X(JOB_KUBERNETES, "job kubernetes") \
	X(IF, "if") X(FOR, "for") X(FOR_RUNTIME, "for over a list known at run time") X(LOOP, "loop") X(CALL, "a workflow as a step") \
	X(CALL_REF, "a workflow as a document of its own") X(CALL_RUN, "a workflow as a run of its own") \
	X(SWEEP_GRID, "search = grid") X(SWEEP_RANDOM, "search = random") X(SWEEP_HALVING, "search = halving") X(SWEEP_TPE, "search = tpe") X(SWEEP_LLM, "search = llm") \
	X(WAIT_FOR, "wait for a time") X(WAIT_RUN, "wait for a condition") X(APPROVE, "approve") X(SERVICE, "service") X(FAIL, "fail") \
	X(ON, "on blocks") X(SCHEDULE, "schedule") X(SCHEDULE_MANY, "several crons") X(CATCHUP, "catchup") X(OVERLAP_REPLACE, "overlap = replace") X(ONLY_IF, "only_if") \
	X(LOCATION_REMOTE, "a remote location") X(LOCATION_LOCAL, "a relative path") X(LOCATION_RUNTIME, "a location known only at run time") \
	X(PUBLISH_REMOTE, "out to a remote place") X(PUBLISH_LOCAL, "out to a relative path") X(VOLUME, "volume") X(MOUNTS, "mounts") \
	X(SECRET, "secret") X(CONFIG, "config") X(LOCK, "lock") X(POOL, "pool") X(FAIL_FAST, "fail_fast") X(KEEP, "keep") X(WORKFLOW_TIMEOUT, "a workflow's timeout") \
	X(CODE_LARGE, "code that is large or binary") X(TIME_ZONE, "format_time with a zone") X(CACHE_ON, "cache = on")

enum feature {
#define X(f, words) FEAT_##f,
	FEATURES(X)
#undef X
	FEAT_COUNT
};
extern const struct feature_info { const char *name, *words; } features[FEAT_COUNT];

/*
 * What an engine does with a feature. A feature without a row is carried. `instead` says what to do.
 * when: NULL, or refuses only where it returns true (n NULL: a feature of the workflow itself).
 */
struct cap {
	int feature;                      /* enum feature; -1 ends the table */
	const char *why;                  /* "Argo has no ...", one clause */
	const char *instead;              /* "mend: ..." */
	bool (*when)(const struct ir *m, const struct ir_workflow *w, const struct node *n, const struct optset *o);
};

/*
 * What one document and one run of an engine hold; 0: as much as there is. tasks: nodes of one graph, what is in its
 * branches and groups included. templates: kinds of steps and graphs in a document. nodes: entries in the record of a run.
 */
struct limits { size_t bytes; uint32_t tasks, templates, nodes; };

struct backend {
	const char *name, *help, *suffix;
	const struct cap *caps;
	const struct optdesc *opts;       /* ends at a NULL name */
	int (*validate)(const struct ir *m, const struct optset *o, struct diag *d);    /* what no row of caps can say; may be NULL */
	int (*emit)(const struct ir *m, const struct optset *o, struct strbuf *out, struct diag *d);
	/* Bytes emitted for a node and what is in it; for the split pass. NULL: the engine has no limit. */
	size_t (*size)(const struct ir *m, const struct node *n, const struct optset *o);
	/* NULL: the engine has none. */
	void (*limits)(const struct optset *o, struct limits *l);
	/*
	 * Bytes really written for each document, by id of the workflow that it is for (0: none of its own): what split
	 * goes by. 0, or -1 where emission fails, which then says why. NULL: the sum of size.
	 */
	int (*measure)(const struct ir *m, const struct optset *o, size_t *bytes);
	bool staged;                      /* local files reach it through the artifacts store (pass stage, `couler push`) */
	const char *enters;               /* how its documents get there where `couler submit` does not bring them; NULL: it does, or nobody knows */
	bool submits;                     /* its documents are objects of a cluster (couler/cluster.h) */
	bool container;                   /* steps run in images: an image is required */
	bool (*apart)(const struct optset *o);   /* data workers of a dataflow are pods or the like of their own; NULL: they run where the step does */
	const char *program;              /* outside of the tree: its path, and emit is NULL; else NULL */
};

extern const struct backend *const backends[];                         /* ends at NULL */
const struct backend *backend_find(const char *name);

/*
 * Engines outside of the tree: a program couler-backend-NAME on PATH (docs/backends.md). external_find asks it to
 * describe itself. NULL without a diagnostic: there is none; NULL with one: it does not do as it should.
 */
#define EXTERNAL_PREFIX "couler-backend-"
const struct backend *external_find(struct arena *a, const char *name, struct diag *d);
/* Names of those on PATH, sorted, each once, in the arena; ends at NULL. */
const char **external_names(struct arena *a);

struct outfile { const char *path, *text; size_t len; bool executable; };   /* relative to the folder of the first */
struct outfiles { struct outfile *v; size_t n; };
/* What the program makes of m: out[0] is the document. 0; -1 after a diagnostic, with *refused when the program itself reported errors. */
int external_emit(const struct backend *b, const struct ir *m, const struct optset *o, struct arena *a, struct outfiles *out, bool *refused, struct diag *d);

/* One CW0801 for each node with a feature that b does not carry (features of a node: one place, caps.c). 0 or -1. */
int backend_check(const struct backend *b, const struct ir *m, const struct optset *o, struct diag *d);
/* Features that n needs, as bits; n NULL: those of the workflow itself. */
uint64_t node_features(const struct ir *m, const struct ir_workflow *w, const struct node *n);

#endif
