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
#include "same.h"

#define LOG_SHOWN 6000                    /* bytes of the log of a failed step that are shown */
#define LINES_SHOWN 30
#define MOST_NAMES 10                     /* of failed steps, in the summary */
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

	same_not(rt);                                                      /* what it says may be different another time */
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

/* Where the last lines of a text start, whole ones unless there is no other. */
static size_t last_lines(const char *buf, size_t n, size_t size)
{
	size_t at = n, lines = 0;

	if (at && buf[at - 1] == '\n')
		at--;
	while (at && (buf[at - 1] != '\n' || ++lines < LINES_SHOWN))
		at--;
	if (!at && n == size) {                                            /* cut somewhere in a line */
		const char *end = memchr(buf, '\n', n - 1);

		return end ? (size_t)(end - buf) + 1 : 0;
	}
	return at;
}

/* What the end of a log says to who knows where the step's programs come from. */
static void advice(struct rt *rt, struct strbuf *b, const char *text, size_t n)
{
	static const struct { const char *words, *program, *mend; } table[] = {
		{ "ModuleNotFoundError: No module named", "python3", "lacks that package: install it there, or put the bin/ of the environment that has it first in PATH" },
		{ "there is no package called", "Rscript", "lacks that package: install it there, or put the folder of the R that has it first in PATH" },
	};

	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		const char *found = rt->containers || !memmem(text, n, table[i].words, strlen(table[i].words)) ? NULL : program_on(rt->arena, rt->path_env, table[i].program);

		if (found)
			sb_f(b, "  steps see the PATH of this shell; its %s is %s, which %s\n", table[i].program, found, table[i].mend);
	}
}

static void tail_of_log(struct rt *rt, struct strbuf *b, const char *path)
{
	char buf[LOG_SHOWN];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	size_t at = 0, n = 0;

	if (fd >= 0 && !fstat(fd, &st)) {
		off_t from = st.st_size > LOG_SHOWN ? st.st_size - LOG_SHOWN : 0;
		ssize_t r = pread(fd, buf, sizeof buf, from);

		n = r > 0 ? (size_t)r : 0;
		at = last_lines(buf, n, sizeof buf);
		if (from + (off_t)at)
			sb_f(b, "  | ... the end of %s:\n", path);
	}
	while (at < n) {
		char *end = memchr(buf + at, '\n', n - at);
		size_t len = end ? (size_t)(end - buf) - at : n - at;

		sb_z(b, "  | ");
		sb_safe(b, buf + at, len);
		sb_ch(b, '\n');
		at += len + 1;
	}
	advice(rt, b, buf, n);
	if (fd >= 0)
		close(fd);
}

static void what_it_left(struct rt *rt, struct strbuf *b, const struct inst *i)
{
	if (i->node->kind == N_STEP && i->attempts) {
		char *path = log_path(rt, i, i->attempts);

		tail_of_log(rt, b, path);
		free(path);
	}
	if (i->again)
		sb_f(b, "  to run it again by hand: sh '%s'\n", i->again);
}

static void failed(struct rt *rt, struct strbuf *b, struct inst *i)
{
	sb_color(rt, b, "31", "failed");
	if (i->node->kind == N_STEP && i->attempts && i->seconds >= 0.1f) {
		sb_z(b, " after ");
		duration(b, (double)i->seconds);
	}
	if (i->exit_code > 0)
		sb_f(b, " (exit code %d)", i->exit_code);
	if (i->node->allow_failure)
		sb_z(b, ", which is allowed");
	if (i->err) {
		sb_z(b, ": ");
		sb_safe(b, i->err, strlen(i->err));
	}
	sb_ch(b, '\n');
	what_it_left(rt, b, i);
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

void view_again(struct rt *rt, const char *name, size_t n, bool skipped)
{
	struct strbuf *b = &rt->view->text;

	if (rt->o->quiet || (!rt->o->verbose && (skipped || rt->view->live)))
		return;
	sb_f(b, "[%u/%u] ", rt->count.done, rt->count.steps);
	sb_add(b, name, n);
	sb_ch(b, ' ');
	if (skipped)
		sb_z(b, "skipped");
	else
		sb_color(rt, b, "36", "reused");
	sb_ch(b, '\n');
}

void view_retry(struct rt *rt, struct step *s, int code, double delay, int64_t limit)
{
	struct strbuf b = { 0 };

	inst_name(s->inst, &b);
	view_note(rt, "%s: attempt %d of %lld failed (exit code %d)%s%s; the next in %.1f s", sb_cstr(&b), s->inst->attempts, (long long)limit + 1, code, s->what ? ": " : "",
		s->what ? s->what : "", delay);
	sb_free(&b);
}

void view_line(struct rt *rt, const struct strbuf *b, const struct inst *left)
{
	struct strbuf *t = &rt->view->text;

	if (rt->o->quiet && !left)
		return;
	sb_f(t, "[%u/%u] ", rt->count.done, rt->count.steps);
	sb_add(t, b->s, b->n);
	sb_ch(t, '\n');
	if (left)
		what_it_left(rt, t, left);
	commit(rt, journal_epoch(rt));
}

void view_started(struct rt *rt, struct step *s)
{
	(void)s;
	if (rt->view->live && !rt->view->tick.pos)
		live_start(rt);
}

/* ---- the end ---- */

void view_outputs(struct rt *rt, struct strbuf *b)
{
	const struct wfrun *wf = rt->top;

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
		sb_f(b, "%s = ", wf->w->outs[k].name->s);
		sb_safe(b, t.s ? t.s : "", t.n);
		sb_ch(b, '\n');
		sb_free(&t);
	}
}

static void count(struct strbuf *b, uint32_t n, const char *what)
{
	if (n)
		sb_f(b, "%s%u %s", b->s[b->n - 1] == ' ' ? "" : ", ", n, what);
}

/* The first names of what failed, each once. */
static void failed_names(struct rt *rt, struct strbuf *b)
{
	const struct wfrun *wf = rt->top;
	uint32_t shown = 0;

	for (uint32_t k = 0; k < wf->failures.n && shown <= MOST_NAMES; k++) {
		uint32_t j = 0;

		while (j < k && wf->failures.v[j] != wf->failures.v[k])
			j++;
		if (j < k)
			continue;
		if (++shown <= MOST_NAMES)
			sb_f(b, "%s%s", shown > 1 ? ", " : "couler: failed: ", wf->failures.v[k]->s);
	}
	if (shown)
		sb_z(b, shown > MOST_NAMES ? ", ...\n" : "\n");
}

static void summary(struct rt *rt)
{
	struct strbuf *b = &rt->view->text;
	uint32_t ran = rt->count.done - rt->count.skipped - rt->count.cached - rt->count.failed;

	sb_f(b, "couler: run %s ", rt->run_id);
	if (!rt->rc)
		sb_color(rt, b, "32", "succeeded");
	else
		sb_color(rt, b, "31", rt->rc < 0 ? "was interrupted" : rt->rc == 6 ? "failed" : "broke off");
	sb_z(b, rt->rc ? " after " : " in ");
	duration(b, now_mono() - rt->t0);
	sb_z(b, ": ");
	count(b, ran, "done");
	count(b, rt->count.cached, "reused");
	count(b, rt->count.failed, "failed");
	count(b, rt->count.skipped, "skipped");
	count(b, rt->count.steps - rt->count.done, "not reached");
	if (b->s[b->n - 1] == ' ')
		sb_z(b, "nothing to do");
	sb_ch(b, '\n');
	if (rt->rc == 6)
		failed_names(rt, b);
	if (rt->rc)
		sb_f(b, "couler: go on with: couler resume %s\n", rt->run_id);
	commit(rt, 0);
}

void view_end(struct rt *rt)
{
	struct view *v = rt->view;
	struct strbuf out = { 0 };

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
		view_outputs(rt, &out);
	if (out.n)
		fwrite(out.s, 1, out.n, stdout);
	sb_free(&out);
}

void view_free(struct rt *rt)
{
	sb_free(&rt->view->text);
}
