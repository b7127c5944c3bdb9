/* search = llm: the trials that run, chosen by what a language model predicts of them. */
#ifndef COULER_PREDICT_H
#define COULER_PREDICT_H

#include "rt.h"

struct choice { uint32_t *row, n; double *predicted; };                 /* rows of the sweep's table; predicted: by row, NaN for none */

/* Calls done once, now or later, with what the sweep i runs; never after it ended i because the run was interrupted. */
void predict_start(struct rt *rt, struct inst *i, void (*done)(struct rt *, struct inst *, const struct choice *));
int predict_fd(const struct rt *rt);                                   /* -1: nobody was asked */
void predict_poll(struct rt *rt);
void predict_close(struct rt *rt);                                     /* leaves what is still asked to itself */

#endif
