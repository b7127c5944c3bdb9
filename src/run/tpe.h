/*
 * Tree-structured Parzen Estimator: Bergstra, Bardenet, Bengio, Kégl, "Algorithms for Hyper-Parameter
 * Optimization", NIPS 2011, section 4, with densities over all dimensions at once.
 */
#ifndef COULER_TPE_H
#define COULER_TPE_H

#include "couler/ir.h"

struct tpe;
struct tpe *tpe_new(struct arena *a, struct strtab *strs, const struct sweep *w);
/* Arguments of trial t by space; the same results told before give the same arguments. */
void tpe_ask(struct tpe *t, uint32_t trial, struct value *args);
/* Result of a trial; loss is to be small, NaN for one that failed. */
void tpe_tell(struct tpe *t, const struct value *args, double loss);

#endif
