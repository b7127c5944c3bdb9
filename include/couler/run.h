/*
 * The local engine: runs a module here and now, and knows what it ran (docs/running.md).
 */
#ifndef COULER_RUN_H
#define COULER_RUN_H

#include "couler/backend.h"
#include "couler/seen.h"

struct run_opts {
	int jobs;                         /* 0: the number of processors */
	double load;                      /* no new step above this load average; 0: no limit */
	bool keep_going, dry_run, explain, no_cache, quiet, verbose;
	const char *from, *until, *const *force;                            /* step names; force ends at NULL, "*" is all */
	const char *resume;               /* run id, "" for the newest; NULL: none */
	const char *cache_dir;            /* NULL: COULER_CACHE, else .couler under project */
	const char *project;              /* project root; NULL: the entry file's folder */
	int64_t profile;                  /* a dataflow ends after so many records and every operator is measured; 0: no */
	const char *cache_remote;
	const char *container;            /* "podman", "docker", "apptainer": steps with an image run in it; NULL: all run on the host */
	bool network;                     /* containers have the host's network, whether they declare it or not */
	const char *events, *outputs_json, *trace;                          /* files; NULL: none */
	const char *same;                 /* what was asked for, beside files, as text: runs of equal text and files are equal; NULL: this run is compared with no other */
	const struct seen *seen;          /* what was asked of the file system to make the module; NULL: not known */
	int color;                        /* -1: as the terminal says */
	char *const *argv;                /* of the command: shown to rerun, kept for resume */
};

/*
 * Exit code of architecture: 0, 2 usage, 3 file or lock trouble, 4 a construct that one machine cannot carry, 6 a step
 * failed, 70 a fault of couler; -N: ended by signal N (the caller dies by it).
 */
int run_workflow(struct ir *m, const struct run_opts *o, struct diag *d);

/* Before there is a module of the file at path: true if it was run before and everything would be as it was then, which is then said, and noted as a run. */
bool run_again(const struct run_opts *o, const char *path);

extern const struct cap run_container_caps[];                           /* the same with opts.container */
extern const struct cap run_caps[];                                     /* what a local run cannot carry, as a backend's rows */

/* Fills in what the operators of m's dataflows took in earlier runs, where the source gives no figures. store as below. */
void run_figures(struct ir *m, const char *store);

/* ---- what is known about runs; store is the folder of results ---- */

/* The folder that run_workflow would use; malloc. */
char *run_store(const char *cache_dir, const char *project);

struct run_info {
	const char *id, *file, *workflow, *status;                      /* "succeeded", "failed", "interrupted", "killed" */
	double started, ended;            /* s since 1970 */
	uint32_t steps, done, failed, skipped, cached;
};
/* Calls f with each run, oldest first; those that still run are not among them. 0, or -1 with *err (malloc); *err may also hold a note. */
int runs_each(const char *store, void (*f)(const struct run_info *r, void *data), void *data, char **err);
/* Ids of runs that are under way, f as above with status "running". */
int runs_alive(const char *store, void (*f)(const struct run_info *r, void *data), void *data);

bool run_is_alive(const char *store, const char *id);                  /* it, or a process of it */

/* The run that a user means: an id, the start of one, "" or "last" for the newest. malloc; NULL with *err (malloc). */
char *run_find(const char *store, const char *word, char **err);
/* How it was started; each string malloc, args ends at NULL. 0, or -1 with *err. */
struct run_start { char **args; char *cwd; };
int run_started(const char *store, const char *id, struct run_start *s, char **err);
void run_start_free(struct run_start *s);

/*
 * Instances of a run that a user means by a step's name: all attempts' logs, oldest first. Calls f with name and path.
 * Of a step that was reused, those of the run that it is from; *err may then hold a note (malloc).
 */
int run_logs(const char *store, const char *id, const char *step, void (*f)(const char *name, const char *path, void *data), void *data, char **err);
/* Records the answer to a gate: answers are "value" (a gate with one question) or "name=value"; NULL ends them. 0, 2 usage, 3 files. */
int run_answer(const char *store, const char *id, const char *gate, bool approve, const char *const *answers, char **err);

/* One self-contained page about a run. 0, or -1 with *err. */
int run_report(const char *store, const char *id, struct strbuf *html, char **err);

/* ---- the cache ---- */

struct cache_item { const char *step, *run; char key[65]; double time, used, seconds; uint64_t bytes; };
int cache_each(const char *store, void (*f)(const struct cache_item *i, void *data), void *data, char **err);
/* What the newest identity of a step is made of, and what the one before had. */
int cache_why(const char *store, const char *step, struct strbuf *out, char **err);
/* Hashes everything; damaged objects are dropped when mend is set. bad: their number. 0, or -1 with *err. */
struct cache_check { uint64_t files, trees, actions, bytes, bad, missing; };
int cache_verify(const char *store, bool mend, struct cache_check *c, char **err);
/* Drops whole actions, longest unused first, until what is left fits; then what nothing refers to. Negative: no limit. */
struct cache_gc {
	double max_bytes, max_age;
	bool dry_run;
	uint64_t actions, objects, runs, freed, kept;
	int (*rank)(const char *step, size_t n, double time, void *data);   /* results of a lower rank go first; NULL: all alike */
	void *data;
};
int cache_gc(const char *store, struct cache_gc *g, char **err);
/* After a run of m: drops results until the budget holds, those first that are not worth their room (couler+). */
int cache_trim(const char *store, struct ir *m, double budget, struct cache_gc *g, char **err);

#endif
