/*
 * What a whole run came to (same.c), so that the next one, where it would be equal, says so without a look at each
 * step (again.c). Kept in same/ of the store, a file of records for each file and its options: the journal as a run
 * writes it that takes everything from before; what was asked of the file system with its answers; the objects; the end.
 */
#ifndef COULER_SAME_H
#define COULER_SAME_H

#include "journal.h"
#include "record.h"

struct same;

/* Kept are runs in which every step was, or from now on can be, taken from before, and that depend on nothing but files. */
void same_open(struct rt *rt);
void same_made(struct rt *rt, const struct inst *i);
void same_input(struct rt *rt, const char *path, bool dir, const char *hex);   /* hex NULL: it was not a local file */
void same_ended(struct rt *rt, const struct inst *i, const struct step *s, const struct entry_ended *e, const struct strbuf *payload);
void same_also(struct rt *rt, const struct strbuf *payload);            /* another record of the journal */
void same_not(struct rt *rt);                                          /* another run may come to something else: nothing is kept */
void same_keep(struct rt *rt, int rc);                                 /* rc: exit code of the run */
void same_drop(const char *store);                                     /* all of them */

/* Records after those of the journal. */
enum { SAME_SEEN = 101, SAME_OBJECT, SAME_END };
struct same_stat { uint64_t dev, ino, size; int64_t mtime, ctime; };   /* ns since 1970 */
struct same_end {
	double time;                      /* wall, s */
	struct same_stat actions;         /* the file of what steps gave: not one of them was replaced or dropped */
	uint32_t steps, done, skipped, cached;
	const char *file, *workflow, *outputs;                          /* outputs: as view_outputs gives them */
	size_t file_len, workflow_len, outputs_len;
};
bool same_stat(const char *path, struct same_stat *to);                /* all zero where there is nothing */
/* What must be equal beside files: the program, the options, the folders. Its file in the store: malloc. */
void same_key(struct strbuf *key, const struct run_opts *o, const char *root, const char *cwd, const char *store);
char *same_path(const char *store, const struct strbuf *key);

#endif
