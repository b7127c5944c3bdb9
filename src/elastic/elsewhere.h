/* Data workers as a Kubernetes Job that the broker makes, scales and deletes (elsewhere.c). */
#ifndef COULER_ELSEWHERE_H
#define COULER_ELSEWHERE_H

#include <stdbool.h>

struct elsewhere;

/* What the cluster said last. */
struct elsewhere_state {
	bool made;                        /* the Job exists */
	int active, ready, failed;        /* pods */
	char *error;                      /* malloc, the caller's from now on: there will be no workers; NULL */
	char *news;                       /* malloc, the caller's: a line to tell; NULL */
};

/*
 * manifest: file with the Job as JSON; its name, owner, parallelism and the address and token of the broker are filled in.
 * Requests are made in a thread of its own, for an answer may take seconds. NULL with *err (malloc).
 */
struct elsewhere *elsewhere_start(const char *manifest, const char *address, const char *token, char **err);
const char *elsewhere_name(const struct elsewhere *e);
void elsewhere_want(struct elsewhere *e, int workers);
struct elsewhere_state elsewhere_look(struct elsewhere *e);
/* Deletes the Job with its pods, which is tried for so many seconds. *err (malloc) where that failed, else NULL. */
void elsewhere_end(struct elsewhere *e, double patience, char **err);

#endif
