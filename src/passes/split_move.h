/* From a partition of a workflow's nodes to workflows with calls. */
#ifndef COULER_SPLIT_MOVE_H
#define COULER_SPLIT_MOVE_H

#include "passes.h"

#define STAYS UINT32_MAX

/*
 * part: by position in w->body, STAYS or below nparts; the parts of it wait for each other in no circle, and no value that
 * may be absent and has no zero passes between them. Each becomes a workflow with that link, in the order of the parts, in out; the
 * module's list is the caller's to mend.
 */
void split_move(struct ir *m, struct ir_workflow *w, const uint32_t *part, uint32_t nparts, enum link link, struct ir_workflow **out);

/* A value of this type that may be absent can pass between parts. */
bool split_has_zero(struct type t);

#endif
