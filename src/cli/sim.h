/*
 * Simulators: `couler sim NAME`. One row here and one `const struct command sim_NAME` (its name is "sim NAME") in
 * src/cli/sim_NAME.c; help and dispatch derive from the row.
 */
#ifndef COULER_CLI_SIM_H
#define COULER_CLI_SIM_H

#include "cli.h"

/* name, what it answers */
#define SIMULATORS(X) \
	X(cache, "which results to keep under a storage budget: every policy on workflow traces") \
	X(elastic, "what sharing data workers brings to a cluster of training jobs")

#define X(name, words) extern const struct command sim_##name;
SIMULATORS(X)
#undef X

const struct command *simulator_find(const char *name);                /* "sim NAME"; NULL */

#endif
