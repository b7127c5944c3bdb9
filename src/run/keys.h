/* What identities were made of, by step: for --explain and `couler cache why` (keys.c). */
#ifndef COULER_KEYS_H
#define COULER_KEYS_H

#include "rt.h"

struct keys;
struct keys *keys_open(const char *dir);                               /* read at first question */
void keys_close(struct keys *k);                                       /* writes what is new; NULL is fine */
void keys_put(struct keys *k, const struct sha *key, const char *step, size_t n, const char *text, size_t len);
/* The newest text of a step; false if there is none. Texts point into memory of k. */
bool keys_last(struct keys *k, const char *step, size_t n, const char **text, size_t *len);
bool keys_before(struct keys *k, const char *step, size_t n, const char **text, size_t *len);   /* the one before that, of another identity */
/* Lines that differ: "  component: old -> new". */
void keys_diff(const char *old, size_t n, const char *now, size_t m, struct strbuf *out);

#endif
