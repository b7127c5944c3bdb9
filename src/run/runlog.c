/* The steps of a run as its journal tells them. */
#include "runlog.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int by_start(const void *a, const void *b)
{
	const struct entry_ended *x = a, *y = b;

	return x->t_start != y->t_start ? (x->t_start < y->t_start ? -1 : 1) : x->t_end != y->t_end ? (x->t_end < y->t_end ? -1 : 1) : 0;
}

/* The first lane that is free again. */
static void lanes(struct runlog *l)
{
	double *until = NULL;
	uint32_t cap = 0;

	l->lane = xcalloc(l->n + 1, sizeof *l->lane);
	for (uint32_t k = 0; k < l->n; k++) {
		const struct entry_ended *e = &l->v[k];
		uint32_t at = 0;

		l->lane[k] = UINT32_MAX;
		if (e->cached || e->t_end <= e->t_start)
			continue;
		while (at < l->nlanes && until[at] > e->t_start)
			at++;
		if (at == l->nlanes) {
			if (l->nlanes == cap)
				until = xrealloc(until, (cap = cap ? 2 * cap : 16) * sizeof *until);
			l->nlanes++;
		}
		until[at] = e->t_end;
		l->lane[k] = at;
	}
	free(until);
}

int runlog_read(struct runlog *l, const char *store, const char *id, char **err)
{
	struct strbuf path = { 0 };
	struct journal_entry e;
	uint32_t cap = 0;

	memset(l, 0, sizeof *l);
	sb_f(&path, "%s/runs/%s/journal", store, id);
	if (journal_read(&l->r, sb_cstr(&path)) || !l->r.file.n) {
		sb_f(&path, ": %s", l->r.file.n ? strerror(errno) : "there is no journal of the run");
		*err = xstrdup(sb_cstr(&path));
		sb_free(&path);
		return -1;
	}
	sb_free(&path);
	while (journal_next(&l->r, &e)) {
		if (e.kind == JOURNAL_RUN)
			l->run = e.u.run;
		else if (e.kind == JOURNAL_FINISH) {
			l->end = e.u.end;
			l->ended = true;
		} else if (e.kind == JOURNAL_ENDED) {
			if (l->n == cap)
				l->v = xrealloc(l->v, (cap = cap ? 2 * cap : 256) * sizeof *l->v);
			l->v[l->n++] = e.u.ended;
			if (e.u.ended.t_end > l->last)
				l->last = e.u.ended.t_end;
		}
	}
	if (l->n)
		qsort(l->v, l->n, sizeof *l->v, by_start);
	lanes(l);
	return 0;
}

void runlog_free(struct runlog *l)
{
	journal_read_end(&l->r);
	free(l->v);
	free(l->lane);
}

void runlog_trace(const struct runlog *l, struct strbuf *b)
{
	bool first = true;

	sb_z(b, "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[");
	for (uint32_t k = 0; k < l->n; k++) {
		const struct entry_ended *e = &l->v[k];

		if (l->lane[k] == UINT32_MAX)
			continue;
		sb_z(b, first ? "\n{\"name\":" : ",\n{\"name\":");
		first = false;
		sb_json(b, e->name, e->name_len);
		sb_f(b, ",\"cat\":\"step\",\"ph\":\"X\",\"ts\":%.0f,\"dur\":%.0f,\"pid\":1,\"tid\":%u,\"args\":{\"status\":\"%s\",\"attempts\":%u,\"cpu\":%.3f,\"max_rss\":%llu}}",
			e->t_start * 1e6, (e->t_end - e->t_start) * 1e6, l->lane[k] + 1, status_name(e->status), e->attempts, e->cpu, (unsigned long long)e->rss);
	}
	sb_z(b, "\n]}\n");
}
