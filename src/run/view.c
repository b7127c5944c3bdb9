/* What the user sees: a line for each step that has ended, the log of one that failed, a summary. */
#include "view.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "journal.h"

#define LOG_SHOWN 6000                    /* bytes of the log of a failed step that are shown */
#define SHORT 0.5                         /* s: on a terminal, steps that took less are only counted */

int write_err(const char *s, size_t n)
{
	while (n) {
		ssize_t w = write(STDERR_FILENO, s, n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			return -1;                                          /* nobody looks: the run goes on */
		s += w;
		n -= (size_t)w;
	}
	return 0;
}

void sb_color(struct rt *rt, struct strbuf *b, const char *code, const char *text)
{
	if (rt->view->color)
		sb_f(b, "\x1b[%sm%s\x1b[0m", code, text);
	else
		sb_z(b, text);
}

void sb_elapsed(struct strbuf *b, double s)
{
	unsigned long t = s < 0 ? 0 : (unsigned long)s;

	if (t >= 3600)
		sb_f(b, "%lu:%02lu:%02lu", t / 3600, t / 60 % 60, t % 60);
	else
		sb_f(b, "%lu:%02lu", t / 60, t % 60);
}

static void duration(struct strbuf *b, double s)
{
	if (s < 60)
		sb_f(b, "%.1f s", s);
	else
		sb_elapsed(b, s);
}

struct view *view_new(struct rt *rt)
{
	struct view *v = arena_new_of(rt->arena, struct view);
	const char *term = getenv("TERM"), *none = getenv("NO_COLOR");
	bool tty = isatty(STDERR_FILENO);

	v->color = rt->o->color >= 0 ? rt->o->color : tty && !(none && *none);
	v->live = tty && !rt->o->quiet && !rt->o->dry_run && term && strcmp(term, "dumb") != 0;
	return v;
}

/* ---- lines ---- */

/* Ends a chunk: it is shown once what it reports is durable. */
static void commit(struct rt *rt, uint64_t epoch)
{
	struct view *v = rt->view;
	struct chunk *last = v->chunks.n > v->shown ? &v->chunks.v[v->chunks.n - 1] : NULL;

	if (last && last->epoch >= epoch)
		last->end = v->text.n;
	else
		vec_push(rt->arena, &v->chunks, ((struct chunk){ epoch, v->text.n }));
}

void view_flush(struct rt *rt)
{
	struct view *v = rt->view;
	uint64_t synced = journal_synced(rt);
	size_t to = v->at;

	while (v->shown < v->chunks.n && v->chunks.v[v->shown].epoch <= synced)
		to = v->chunks.v[v->shown++].end;
	if (to == v->at || v->asking)
		return;
	live_erase(rt);
	write_err(v->text.s + v->at, to - v->at);
	v->at = to;
	if (v->shown == v->chunks.n) {
		v->chunks.n = v->shown = 0;
		v->text.n = v->at = 0;
	}
	live_draw(rt);
}

void view_note(struct rt *rt, const char *fmt, ...)
{
	va_list ap;

	sb_z(&rt->view->text, "couler: ");
	va_start(ap, fmt);
	sb_vf(&rt->view->text, fmt, ap);
	va_end(ap);
	sb_ch(&rt->view->text, '\n');
	commit(rt, 0);
}

void view_prompt(struct rt *rt, const char *text)
{
	struct view *v = rt->view;

	live_erase(rt);
	v->asking = false;
	write_err(v->text.s ? v->text.s + v->at : "", v->text.n - v->at);
	v->at = v->text.n;
	v->shown = v->chunks.n;
	write_err(text, strlen(text));
	v->asking = true;
}

void view_answered(struct rt *rt)
{
	rt->view->asking = false;
}

/* ---- steps ---- */

static void tail_of_log(struct rt *rt, struct strbuf *b, const struct inst *i)
{
	char *p = log_path(rt, i, i->attempts), buf[LOG_SHOWN];
	int fd = open(p, O_RDONLY | O_CLOEXEC);
	struct stat st;
	ssize_t n = 0;

	if (fd >= 0 && !fstat(fd, &st)) {
		off_t from = st.st_size > LOG_SHOWN ? st.st_size - LOG_SHOWN : 0;

		n = pread(fd, buf, sizeof buf, from);
		if (from)
			sb_f(b, "  | ... %lld bytes before; all of it: %s\n", (long long)from, p);
	}
	for (ssize_t at = 0; at < n; ) {
		char *end = memchr(buf + at, '\n', (size_t)(n - at));
		size_t len = end ? (size_t)(end - buf - at) : (size_t)(n - at);

		sb_z(b, "  | ");
		sb_safe(b, buf + at, len);
		sb_ch(b, '\n');
		at += (ssize_t)len + 1;
	}
	if (fd >= 0)
		close(fd);
	free(p);
}

static void failed(struct rt *rt, struct strbuf *b, struct inst *i)
{
	sb_color(rt, b, "31", "failed");
	if (i->exit_code > 0)
		sb_f(b, " (exit code %d)", i->exit_code);
	if (i->node->allow_failure)
		sb_z(b, ", which is allowed");
	if (i->err) {
		sb_z(b, ": ");
		sb_safe(b, i->err, strlen(i->err));
	}
	sb_ch(b, '\n');
	if (i->node->kind == N_STEP && i->attempts)
		tail_of_log(rt, b, i);
	if (i->again)
		sb_f(b, "  again by hand: sh '%s'\n", i->again);
}

void view_ended(struct rt *rt, struct inst *i)
{
	struct strbuf *b = &rt->view->text;

	if (i->status != ST_FAILED && (rt->o->quiet || (i->status == ST_SKIPPED && !rt->o->verbose)))
		return;
	if (rt->view->live && i->status == ST_SUCCEEDED && !rt->o->verbose && i->seconds < SHORT)
		return;
	sb_f(b, "[%u/%u] ", rt->count.done, rt->count.steps);
	inst_name(i, b);
	sb_ch(b, ' ');
	if (i->status == ST_FAILED)
		failed(rt, b, i);
	else if (i->status == ST_SKIPPED)
		sb_f(b, "skipped%s\n", i->why == WHY_UPSTREAM ? ": something it needs failed" : i->why == WHY_STOPPED ? ": nothing new starts" : "");
	else if (i->cached) {
		sb_color(rt, b, "36", "reused");
		sb_ch(b, '\n');
	} else {
		sb_color(rt, b, "32", "done");
		if (i->node->kind == N_STEP) {
			sb_ch(b, ' ');
			duration(b, i->seconds);
		}
		sb_ch(b, '\n');
	}
	commit(rt, journal_epoch(rt));
}

void view_retry(struct rt *rt, struct step *s, int code, double delay, int64_t limit)
{
	struct strbuf b = { 0 };

	inst_name(s->inst, &b);
	view_note(rt, "%s: attempt %d of %lld failed (exit code %d)%s%s; the next in %.1f s", sb_cstr(&b), s->inst->attempts, (long long)limit + 1, code, s->what ? ": " : "",
		s->what ? s->what : "", delay);
	sb_free(&b);
}

void view_trial(struct rt *rt, struct inst *i, uint32_t trial, bool ok, double metric)
{
	struct strbuf b = { 0 };

	if (rt->o->quiet)
		return;
	inst_name(i, &b);
	sb_f(&b, " trial %u: ", trial);
	if (ok)
		sb_double(&b, metric);
	else
		sb_z(&b, "failed");
	view_note(rt, "%s", sb_cstr(&b));
	sb_free(&b);
}

void view_sweep(struct rt *rt, struct inst *i, uint32_t trial, double metric, uint32_t n)
{
	struct strbuf b = { 0 };

	if (rt->o->quiet)
		return;
	inst_name(i, &b);
	sb_f(&b, ": the best of %u trials is %u: ", n, trial);
	sb_double(&b, metric);
	view_note(rt, "%s", sb_cstr(&b));
	sb_free(&b);
}

void view_started(struct rt *rt, struct step *s)
{
	(void)s;
	if (rt->view->live && !rt->view->tick.pos)
		live_start(rt);
}

/* ---- the end ---- */

static void outputs(struct rt *rt)
{
	const struct wfrun *wf = rt->top;
	struct strbuf b = { 0 };

	for (uint32_t k = 0; k < wf->w->nouts; k++) {
		const struct value *v = &wf->outs[k];
		struct strbuf t = { 0 };

		if (v->type.kind == T_NULL && !v->type.list)
			continue;
		if (type_is_path(v->type) && v->type.list)
			sb_f(&t, "%u %s", v->n, v->type.kind == T_DIR ? "directories" : "files");
		else if (type_is_path(v->type))
			sb_str(&t, v->u.s);
		else if (v->type.list || v->type.kind == T_JSON)
			value_json(&t, v);
		else
			value_text(&t, v);
		sb_f(&b, "%s = ", wf->w->outs[k].name->s);
		sb_safe(&b, t.s ? t.s : "", t.n);
		sb_ch(&b, '\n');
		sb_free(&t);
	}
	if (b.n)
		fwrite(b.s, 1, b.n, stdout);
	sb_free(&b);
}

static void summary(struct rt *rt)
{
	struct strbuf *b = &rt->view->text;

	sb_f(b, "couler: %u of %u steps in ", rt->count.done - rt->count.skipped, rt->count.steps);
	duration(b, now_mono() - rt->t0);
	if (rt->count.cached)
		sb_f(b, ", %u reused", rt->count.cached);
	if (rt->count.failed) {
		sb_z(b, ", ");
		sb_f(b, rt->view->color ? "\x1b[31m%u failed\x1b[0m" : "%u failed", rt->count.failed);
	}
	if (rt->count.skipped)
		sb_f(b, ", %u skipped", rt->count.skipped);
	sb_ch(b, '\n');
	if (rt->rc)
		sb_f(b, "couler: go on with  couler resume %s\n", rt->run_id);
	commit(rt, 0);
}

void view_end(struct rt *rt)
{
	struct view *v = rt->view;

	timer_clear(rt, &v->tick);
	v->asking = false;
	if (rt->journal && !rt->o->dry_run && (!rt->o->quiet || rt->rc))
		summary(rt);
	live_erase(rt);
	v->live = false;
	write_err(v->text.s ? v->text.s + v->at : "", v->text.n - v->at);
	v->text.n = v->at = 0;
	v->chunks.n = v->shown = 0;
	if (rt->top && rt->finished && !rt->o->quiet && !rt->o->dry_run)
		outputs(rt);
}

void view_free(struct rt *rt)
{
	sb_free(&rt->view->text);
}
