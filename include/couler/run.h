/*
 * The local engine: runs a module here and now (docs/running.md).
 */
#ifndef COULER_RUN_H
#define COULER_RUN_H

#include "couler/backend.h"

struct run_opts {
	int jobs;                         /* 0: the number of processors */
	double load;                      /* no new step above this load average; 0: no limit */
	bool keep_going, dry_run, explain, no_cache, quiet, verbose;
	const char *from, *until, *const *force;                            /* step names; force ends at NULL */
	const char *resume;               /* run id, "" for the newest; NULL: none */
	const char *cache_dir;            /* NULL: COULER_CACHE, else .couler under project */
	const char *project;              /* project root; NULL: the entry file's folder */
	const char *cache_remote;
	const char *container;            /* "podman", "docker", "apptainer"; NULL */
	const char *events, *outputs_json, *trace;                          /* files; NULL: none */
	int color;                        /* -1: as the terminal says */
	char *const *argv;                /* of the command, to show how to rerun */
};

/*
 * Exit code of architecture: 0, 1 bad parameters' source, 2 usage, 3 file or lock trouble, 4 a construct that one machine
 * cannot carry, 6 a step failed; -N: ended by signal N (the caller dies by it).
 */
int run_workflow(struct ir *m, const struct run_opts *o, struct diag *d);

extern const struct cap run_caps[];                                     /* what a local run cannot carry, as a backend's rows */

#endif
