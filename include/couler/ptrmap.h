/* A map of pointers by address, for "seen already": it is looked up and never walked, so that addresses do not reach the output. */
#ifndef COULER_PTRMAP_H
#define COULER_PTRMAP_H

#include <stddef.h>

struct ptrmap { const void **key; void **val; size_t n, cap; };         /* zeroed is empty; owns its memory */

void *ptrmap_get(const struct ptrmap *m, const void *key);             /* NULL if absent */
void ptrmap_put(struct ptrmap *m, const void *key, void *val);
void ptrmap_free(struct ptrmap *m);

#endif
