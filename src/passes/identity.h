/*
 * Identity of steps at compile time: what the local engine's identity (docs/running.md, "When a step is the same") is
 * known to be made of before a run. Equal ones here are equal there.
 */
#ifndef COULER_PASSES_IDENTITY_H
#define COULER_PASSES_IDENTITY_H

#include "passes.h"

struct identities;

/* rep, by node id: the step that stands for another one, NULL for itself; read at each call. */
struct identities *identities_new(struct arena *scratch, struct ir *m, struct node *const *rep);
uint64_t identities_hash(struct identities *t, const struct node *n);  /* of what the step does and reads */
bool identities_equal(struct identities *t, const struct node *a, const struct node *b);
/* The rest: image, env, retry, timeout, resources, ... but labels and annotations. */
bool identities_same_attrs(struct identities *t, const struct node *a, const struct node *b);
uint64_t identities_attrs_hash(struct identities *t, const struct node *n);            /* of the rest */

#endif
