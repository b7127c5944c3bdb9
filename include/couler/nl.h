/*
 * From words to a workflow: a description becomes a draft of .cw, held against the compiler. Text in, text out:
 * nothing is run or submitted (docs/nl.md).
 */
#ifndef COULER_NL_H
#define COULER_NL_H

#include "couler/diag.h"

struct nl_options {
	const char *lake;                 /* a folder of the user's own snippets, NULL */
	const char *path;                 /* where the draft will stand: relative names are looked for beside it; NULL: here */
};

struct nl_draft {
	struct strbuf text;               /* formatted .cw */
	struct strbuf plan;               /* one line a module */
	struct strbuf snippets;           /* lines "STEP: SNIPPET" of what the lake gave */
	int degraded;                     /* how much had to be left out for the draft to check; 0: nothing */
	const char *refused;              /* why there is no draft, malloc; NULL: there is one */
};

/* Without any endpoint, by rules and the lake. Deterministic. 0, or -1 after a diagnostic (a lake that cannot be read). */
int nl_offline(const char *description, size_t n, const struct nl_options *o, struct nl_draft *out, struct diag *d);
void nl_draft_free(struct nl_draft *x);

/* How far a text comes, gate by gate. */
enum nl_gate { NL_PARSES, NL_CHECKS, NL_COMPILES, NL_GATES };
struct nl_verdict { bool parses, checks, compiles; const char *refusing; unsigned errors; };   /* refusing: first engine that does not carry it, NULL */
/* d: gets the diagnostics of parsing and checking; NULL: nobody wants them. */
struct nl_verdict nl_judge(const char *text, size_t n, const char *path, struct diag *d);

#endif
