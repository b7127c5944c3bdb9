/* The store from the inside: store.c files, tree.c directories. */
#ifndef COULER_STORE_H
#define COULER_STORE_H

#include "rt.h"

struct store { char *dir; struct memo *memo; };

void store_mark(const struct store *st);
int store_put_file(struct store *st, struct hasher *h, const char *path, bool copy, struct artifact *a, char **err, bool *own_fault);
int store_put_tree(struct store *st, struct hasher *h, const char *path, bool copy, struct artifact *a, char **err, bool *own_fault);
int tree_check(struct store *st, struct hasher *h, const struct sha *s);

#endif
