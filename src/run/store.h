/* The store from the inside: store.c files, tree.c directories. */
#ifndef COULER_STORE_H
#define COULER_STORE_H

#include "rt.h"

struct store { char *dir; int fd; struct memo *memo; };               /* fd: of dir */

void store_mark(const struct store *st);
int store_put_file(struct store *st, struct hasher *h, const char *path, bool copy, struct artifact *a, char **err, bool *own_fault);
int store_put_tree(struct store *st, struct hasher *h, const char *path, bool copy, struct artifact *a, char **err, bool *own_fault);
/* Hash and size of a directory as it lies there, without the memo; h NULL: the size alone. 0 or -1. */
int tree_hash(struct hasher *h, const char *path, struct sha *out, uint64_t *size);
int tree_check(struct store *st, struct hasher *h, const struct sha *s);

#endif
