/*
 * Growing arrays in an arena: VEC(T) declares one, empty when zeroed.
 * Elements move when it grows: keep indices, not pointers.
 */
#ifndef COULER_VEC_H
#define COULER_VEC_H

#include <stdint.h>

#include "couler/arena.h"

#define VEC(T) struct { T *v; uint32_t n, cap; }

#define vec_push(a, vec, x) \
	(((vec)->n == (vec)->cap ? vec_grow_((a), (void **)&(vec)->v, &(vec)->cap, sizeof *(vec)->v) : (void)0), \
	 (void)((vec)->v[(vec)->n++] = (x)))

/* A zeroed element at the end; evaluates to its address. */
#define vec_add(a, vec) \
	(((vec)->n == (vec)->cap ? vec_grow_((a), (void **)&(vec)->v, &(vec)->cap, sizeof *(vec)->v) : (void)0), \
	 &(vec)->v[(vec)->n++])

void vec_grow_(struct arena *a, void **v, uint32_t *cap, size_t size);

#endif
