/* Hashes of files by what `stat` says of them (memo.c). Safe from any thread. */
#ifndef COULER_MEMO_H
#define COULER_MEMO_H

#include <sys/stat.h>

#include "rt.h"

struct memo;
struct memo *memo_new(const char *path);                               /* read at first use */
void memo_free(struct memo *m);                                        /* writes what is new; NULL is fine */
bool memo_get(struct memo *m, const struct stat *st, struct sha *out);
void memo_put(struct memo *m, const struct stat *st, const struct sha *s);
bool memo_racy(const struct stat *st);                                 /* changed so lately that a hash of it must not be kept */
void memo_flush(struct memo *m);
void memo_compact(struct memo *m);

#endif
