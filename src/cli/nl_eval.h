/* couler nl --eval: private to nl.c and nl_eval.c. */
#ifndef COULER_CLI_NL_EVAL_H
#define COULER_CLI_NL_EVAL_H

#include "couler/nl.h"

struct nl_eval {
	const char *file;                 /* lines {"id", "text"} */
	const char *intents;              /* {id: [assertion]}; NULL: beside the file, if it is there */
	const char *drafts, *lake;        /* folders, NULL */
	int samples;
	bool offline, explain;            /* explain: print each assertion that does not hold, and why */
	const struct nl_endpoint *end;
};

int nl_evaluate(const struct nl_eval *e, struct arena *a, struct diag *d);

#endif
