/*
 * couler.yaml at the project root: defaults for command-line options, by their long names.
 *
 *	color: never
 *	jobs: 4
 *	remarks: true              # a switch
 *	set: [argo.limits=off]     # given several times
 *	param: { region: eu }      # NAME=VALUE each
 */
#ifndef COULER_PROJECT_H
#define COULER_PROJECT_H

#include "couler/diag.h"
#include "couler/vec.h"

struct project_value {
	const char *option;               /* long name */
	const char *value;                /* NULL: true, a switch that is on */
	struct span span, option_span;
};

struct project {
	const char *path;                 /* of couler.yaml, NULL: there is none */
	VEC(struct project_value) values; /* in the order of the file; lists and maps one by one */
};

/* Reads root/couler.yaml; without one, or with an empty one, there are no values. 0, or -1 after diagnostics. */
int project_read(struct arena *a, struct diag *d, const char *root, struct project *p);

/* Reports each value whose option is none of names. 0 or -1. */
int project_check(const struct project *p, struct diag *d, const char *const *names, size_t n);

#endif
