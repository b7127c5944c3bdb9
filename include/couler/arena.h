/*
 * Arena: memory with one lifetime. A compilation owns one; everything that the
 * front end and the IR hold lives in it and is freed at once.
 *
 * Allocation never returns NULL: when the system has no memory left, the
 * process writes one line to standard error and exits with code 70.
 */
#ifndef COULER_ARENA_H
#define COULER_ARENA_H

#include <stddef.h>

struct arena;

struct arena *arena_new(void);
struct arena *arena_new_small(void);                                   /* for a few KiB: zeroing a large first block would cost more than its use */
void arena_free(struct arena *a);                 /* NULL is fine */

/* size bytes, zeroed, aligned for any type. */
void *arena_alloc(struct arena *a, size_t size);

/* Grows the block p of old bytes to size bytes, in place where p is the newest; p may be NULL. The rest is zeroed. */
void *arena_grow(struct arena *a, void *p, size_t old, size_t size);

/* A NUL-terminated copy of n bytes. */
char *arena_dup(struct arena *a, const char *s, size_t n);

/* Bytes taken from the system so far. */
size_t arena_size(const struct arena *a);

#define arena_new_of(a, type) ((type *)arena_alloc((a), sizeof(type)))
#define arena_array(a, type, n) ((type *)arena_alloc((a), sizeof(type) * (size_t)(n)))

/* malloc, calloc, realloc that share the promise above; released with free(). */
void *xmalloc(size_t size);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t size);
char *xstrdup(const char *s);

#endif
