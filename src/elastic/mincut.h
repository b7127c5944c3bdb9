/* Minimum cut to one sink, where every node may hold excess (mincut.c). */
#ifndef COULER_MINCUT_H
#define COULER_MINCUT_H

#include "couler/arena.h"

#include <stdbool.h>
#include <stdint.h>

__extension__ typedef __int128 wide;      /* products of two 64-bit figures */

struct mincut;
struct mincut *mincut_new(struct arena *a, uint32_t nodes, uint32_t arcs);     /* node nodes - 1 is the sink */
void mincut_arc(struct mincut *m, uint32_t from, uint32_t to, wide cap, wide back);
void mincut_excess(struct mincut *m, uint32_t v, wide e);                      /* what the source gives to v */
const bool *mincut_run(struct mincut *m);                                      /* by node: on the sink's side */

#endif
