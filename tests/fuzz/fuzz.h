/* What the fuzzers share. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "couler/diag.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static inline void fail(const char *why)
{
	fprintf(stderr, "%s\n", why);
	abort();
}

static inline bool same(const struct strbuf *a, const struct strbuf *b)
{
	return a->n == b->n && (!a->n || !memcmp(a->s, b->s, a->n));
}

/* Diagnostics are written in each form. */
static inline void shown(const struct diag *d)
{
	struct strbuf b = { 0 };

	diag_write(d, DIAG_TEXT, true, &b);
	diag_write(d, DIAG_JSON, false, &b);
	diag_write(d, DIAG_SARIF, false, &b);
	sb_free(&b);
}

#endif
