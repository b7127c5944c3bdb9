/* The database of past runs, made from their journals (history.c). */
#ifndef COULER_HISTORY_H
#define COULER_HISTORY_H

#include "couler/run.h"
#include "journal.h"

struct history;
/* NULL with a message (malloc). A damaged database is put aside and made again from the journals: *note says so (malloc, NULL). */
struct history *history_open(const char *store, char **err, char **note);
void history_close(struct history *h);
/* Takes over what journals hold that is not in it yet; runs that still run are left. 0 or -1. */
int history_sync(struct history *h);
int history_take(struct history *h, const char *id);                   /* one run, though it is alive */
/* Ids in runs/, oldest first (their names sort by time); the array and the names are malloc. */
char **run_ids(const char *store, size_t *n);
void run_ids_free(char **v, size_t n);
/* The step that ran in place of one that pass cse took out, in run id or, where it is NULL, in one of the newest; malloc, NULL. */
char *run_merged(const char *store, const char *id, const char *step);
char *run_newest(const char *store, const char *file, const char *cwd);/* newest run of a workflow file; malloc, NULL if there is none */
/* Mean seconds of the steps of a workflow, by name without indices; f is called with each. */
int history_means(struct history *h, const char *workflow, void (*f)(const char *step, double seconds, void *data), void *data);

/* What an operator of a dataflow took a record, by the digest of its script; -1: not measured. The source has no script. */
int history_operator(struct history *h, const char *task, const char *op, const char *script, double cpu, double bytes);
int history_operator_figures(struct history *h, const char *task, const char *op, const char *script, double *cpu, double *bytes);

/* At most so many names in a folder that do not begin with a dot, in no order (steplogs.c); the array and the names are malloc. */
char **folder_names(const char *dir, size_t most, size_t *n);

#endif
