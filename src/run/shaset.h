/* A set of digests: open addressing, at most half full. Zeroed is empty. */
#ifndef COULER_SHASET_H
#define COULER_SHASET_H

#include "rt.h"

struct shaset { struct sha *v; uint32_t n, cap; };      /* all zero: an empty place */
bool shaset_has(const struct shaset *t, const struct sha *s);
bool shaset_add(struct shaset *t, const struct sha *s); /* false: it is in it already */
void shaset_free(struct shaset *t);

#endif
