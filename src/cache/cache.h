/* What the policies share. */
#ifndef COULER_CACHE_CACHE_H
#define COULER_CACHE_CACHE_H

#include "couler/cachepolicy.h"

double keep_again(struct keep *k, uint32_t u);                         /* seconds to make u again with what is kept */
bool keep_twice(struct keep *k, uint32_t u);                           /* making u again costs more than twice loading it */
void keep_take(struct keep *k, uint32_t u);                            /* there is room */

/* couler+ (plus.c) */
double keep_plus_density(struct keep *k, uint32_t u);
void keep_plus_plan(struct keep *k);
bool keep_plus_room(struct keep *k, uint32_t u);

#endif
