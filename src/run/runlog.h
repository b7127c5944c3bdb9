/* The steps of a run as its journal tells them, in memory: for traces and reports (runlog.c). */
#ifndef COULER_RUNLOG_H
#define COULER_RUNLOG_H

#include "journal.h"

struct runlog {
	struct journal_reader r;
	struct entry_run run;
	struct entry_end end;
	bool ended;                       /* the run noted its end */
	struct entry_ended *v;            /* by start */
	uint32_t *lane;                   /* beside v: steps of one lane do not overlap; UINT32_MAX: took no time */
	uint32_t n, nlanes;
	double last;                      /* s since the start */
};
int runlog_read(struct runlog *l, const char *store, const char *id, char **err);   /* 0, or -1 with a message (malloc) */
void runlog_free(struct runlog *l);
void runlog_trace(const struct runlog *l, struct strbuf *b);           /* for chrome://tracing and Perfetto */

#endif
