/* What steps gave, by their identity (actions.c). */
#ifndef COULER_ACTIONS_H
#define COULER_ACTIONS_H

#include <sys/stat.h>

#include "record.h"
#include "rt.h"

/* One entry; the texts point into the mapped file. */
struct action {
	struct sha key;
	double time, used;                /* wall, s; used: last reuse */
	double seconds;                   /* how long it ran */
	uint64_t bytes;                   /* of its artifacts */
	const char *run, *step;           /* not NUL-terminated */
	size_t run_len, step_len;
	const char *outs;                 /* as outs_put wrote them */
	size_t outs_len;
};

struct actions;
struct actions *actions_open(const char *dir);                         /* read at first use */
void actions_close(struct actions *a);                                 /* NULL is fine */
bool actions_get(struct actions *a, const struct sha *key, struct action *out);
int actions_put(struct actions *a, const struct action *x);            /* 0, or -1 with errno; written at once */
void actions_touch(struct actions *a, const struct sha *key, double now);
int actions_stat(struct actions *a, struct stat *st);                  /* of the file; -1 where it holds more or less than what was read and added here */
void actions_drop(struct actions *a, const struct sha *key);           /* forgets it in this run: what it names is damaged */
/* Calls f with every entry that is current. */
void actions_each(struct actions *a, void (*f)(const struct action *x, void *data), void *data);
/* Rewrites the file with those that keep is true for; 0 or -1 with errno. */
int actions_rewrite(struct actions *a, bool (*keep)(const struct action *x, void *data), void *data);
void actions_reload(struct actions *a);                                /* reads the file again */
size_t actions_bad(struct actions *a);                                 /* bytes of the file that are no record */

/* Outputs of a task as bytes, and back; artifacts by digest. get: 0, or -1 if they do not fit the task. */
void outs_put(struct strbuf *b, const struct ir_task *t, const struct value *outs, const struct artifact *sizes);
int outs_get(struct rt *rt, const struct ir_task *t, const char *s, size_t n, struct value **outs);
/* Calls f with each artifact in outs; stops at the first that is not 0, which it returns. */
int outs_artifacts(const char *s, size_t n, int (*f)(const struct sha *s, bool dir, uint64_t size, void *data), void *data);

#endif
