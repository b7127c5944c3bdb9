/* What the user sees: plain lines on standard error. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rt.h"

struct view { struct strbuf b; };

struct view *view_new(struct rt *rt)
{
	(void)rt;
	return xcalloc(1, sizeof(struct view));
}

void view_flush(struct rt *rt)
{
	struct strbuf *b = &rt->view->b;

	for (size_t at = 0; at < b->n; ) {
		ssize_t n = write(STDERR_FILENO, b->s + at, b->n - at);

		if (n <= 0)
			break;
		at += (size_t)n;
	}
	b->n = 0;
}

void view_note(struct rt *rt, const char *fmt, ...)
{
	va_list ap;

	sb_z(&rt->view->b, "couler: ");
	va_start(ap, fmt);
	sb_vf(&rt->view->b, fmt, ap);
	va_end(ap);
	sb_ch(&rt->view->b, '\n');
}

void view_prompt(struct rt *rt, const char *text)
{
	sb_z(&rt->view->b, text);
}

void view_started(struct rt *rt, struct step *s)
{
	(void)rt;
	(void)s;
}

static void tail_of_log(struct rt *rt, const struct inst *i)
{
	char *p = log_path(rt, i, i->attempts);
	FILE *f = fopen(p, "r");
	char buf[4096];
	size_t n;

	if (f) {
		fseek(f, 0, SEEK_END);
		fseek(f, ftell(f) > (long)sizeof buf ? -(long)sizeof buf : -ftell(f), SEEK_END);
		n = fread(buf, 1, sizeof buf, f);
		sb_safe(&rt->view->b, buf, n);
		if (n && buf[n - 1] != '\n')
			sb_ch(&rt->view->b, '\n');
		fclose(f);
	}
	free(p);
}

void view_ended(struct rt *rt, struct inst *i)
{
	struct strbuf *b = &rt->view->b;

	if (rt->o->quiet && i->status != ST_FAILED)
		return;
	if (i->status == ST_SKIPPED && !rt->o->verbose)
		return;
	sb_f(b, "[%u/%u] ", rt->count.done, rt->count.steps);
	inst_name(i, b);
	if (i->status == ST_FAILED)
		sb_f(b, ": failed with exit code %d%s%s", i->exit_code, i->err ? ": " : "", i->err ? i->err : "");
	else
		sb_f(b, ": %s", i->cached ? "reused" : i->status == ST_SKIPPED ? "skipped" : "done");
	sb_ch(b, '\n');
	if (i->status == ST_FAILED && i->node->kind == N_STEP)
		tail_of_log(rt, i);
	if (i->status == ST_FAILED && i->again)
		sb_f(b, "  again by hand: sh %s\n", i->again);
}

void view_retry(struct rt *rt, struct step *s, int code, double delay, int64_t limit)
{
	struct strbuf b = { 0 };

	inst_name(s->inst, &b);
	view_note(rt, "%s: attempt %d failed with exit code %d; attempt %d of %lld in %.1f s", sb_cstr(&b), s->inst->attempts, code, s->inst->attempts + 1, (long long)limit + 1, delay);
	sb_free(&b);
}

void view_trial(struct rt *rt, struct inst *i, uint32_t trial, bool ok, double metric)
{
	struct strbuf b = { 0 };

	inst_name(i, &b);
	if (ok)
		sb_double(&b, (sb_f(&b, " trial %u: ", trial), metric));
	else
		sb_f(&b, " trial %u: failed", trial);
	view_note(rt, "%s", sb_cstr(&b));
	sb_free(&b);
}

void view_sweep(struct rt *rt, struct inst *i, uint32_t trial, double metric, uint32_t n)
{
	struct strbuf b = { 0 };

	inst_name(i, &b);
	sb_f(&b, ": best of %u is trial %u: ", n, trial);
	sb_double(&b, metric);
	view_note(rt, "%s", sb_cstr(&b));
	sb_free(&b);
}

void view_end(struct rt *rt)
{
	view_flush(rt);
	sb_free(&rt->view->b);
	free(rt->view);
}
