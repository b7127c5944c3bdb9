/* The live part of the view: what runs, for how long, its last line; how much is done and how long it may take. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "history.h"
#include "view.h"

#define EVERY 0.1                         /* s between pictures */
#define MOST 12                           /* running steps that are shown */

static void size_of_screen(struct view *v)
{
	struct winsize w;

	v->width = 80;
	v->height = 24;
	if (!ioctl(STDERR_FILENO, TIOCGWINSZ, &w) && w.ws_col) {
		v->width = w.ws_col;
		v->height = w.ws_row ? w.ws_row : 24;
	}
}

/* Columns that a code point takes: East Asian wide forms and emoji take two, combining marks none. */
static int columns(uint32_t c)
{
	if ((c >= 0x300 && c <= 0x36f) || (c >= 0x200b && c <= 0x200f) || (c >= 0xfe00 && c <= 0xfe0f))
		return 0;
	return (c >= 0x1100 && c <= 0x115f) || (c >= 0x2e80 && c <= 0xa4cf) || (c >= 0xac00 && c <= 0xd7a3) || (c >= 0xf900 && c <= 0xfaff) ||
		(c >= 0xfe30 && c <= 0xfe6f) || (c >= 0xff00 && c <= 0xff60) || (c >= 0xffe0 && c <= 0xffe6) || (c >= 0x1f300 && c <= 0x1faff) || (c >= 0x20000 && c <= 0x3fffd) ? 2 : 1;
}

/* Adds as much of s as fits into n columns; gives the columns used. */
static int fit(struct strbuf *b, const char *s, size_t len, int n)
{
	int used = 0;

	for (size_t i = 0; i < len; ) {
		unsigned char c = (unsigned char)s[i];
		size_t k = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
		uint32_t cp = c < 0x80 ? c : c < 0xe0 ? c & 31u : c < 0xf0 ? c & 15u : c & 7u;

		if (k > len - i)
			k = len - i;
		for (size_t j = 1; j < k; j++)
			cp = cp << 6 | ((unsigned char)s[i + j] & 63u);
		if (used + columns(cp) > n)
			break;
		used += columns(cp);
		sb_add(b, s + i, k);
		i += k;
	}
	return used;
}

void live_erase(struct rt *rt)
{
	struct view *v = rt->view;
	struct strbuf b = { 0 };

	if (!v->drawn)
		return;
	sb_f(&b, "\x1b[%dA\r\x1b[J", v->drawn);
	write_err(b.s, b.n);
	sb_free(&b);
	v->drawn = 0;
}

/* The last line of a log that holds something; what a progress bar wrote over is left out. */
static void last_line(struct strbuf *b, const char *path)
{
	char buf[512], *line = buf, *end;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	ssize_t n = 0;

	if (fd < 0)
		return;
	if (!fstat(fd, &st))
		n = pread(fd, buf, sizeof buf - 1, st.st_size > (off_t)sizeof buf - 1 ? st.st_size - (off_t)sizeof buf + 1 : 0);
	close(fd);
	while (n > 0 && (buf[n - 1] == '\n' || buf[n - 1] == '\r' || buf[n - 1] == ' '))
		n--;
	end = buf + (n > 0 ? n : 0);
	for (char *p = buf; p < end; p++)
		if (*p == '\n' || *p == '\r')
			line = p + 1;
	sb_safe(b, line, (size_t)(end - line));
}

/* ---- how long it may take: from what the same steps took in past runs ---- */

static void one_mean(const char *step, double seconds, void *data)
{
	struct rt *rt = data;
	const char *dot = strrchr(step, '.'), *name = dot ? dot + 1 : step;

	for (uint32_t w = 0; w < rt->m->workflows.n; w++) {
		struct ir_workflow *wf = rt->m->workflows.v[w];
		struct node *n = (wf == rt->m->entry) == !dot ? node_named(rt, wf, name) : NULL;

		if (n)
			rt->view->mean[rt->view->base[wf->id] + n->id] = seconds;
	}
}

static void learn(struct rt *rt)
{
	struct view *v = rt->view;
	struct history *h;
	char *err, *note;
	uint32_t n = 0;

	v->knows = true;
	v->base = arena_array(rt->arena, uint32_t, rt->m->workflows.n + 1);
	for (uint32_t w = 0; w < rt->m->workflows.n; w++) {
		v->base[rt->m->workflows.v[w]->id] = n;
		n += rt->m->workflows.v[w]->nnodes + 1;
	}
	v->mean = arena_array(rt->arena, double, n + 1);
	for (uint32_t k = 0; k < n; k++)
		v->mean[k] = -1;
	h = history_open(store_dir(rt->store), &err, &note);
	if (h)
		history_means(h, rt->m->entry->name->s, one_mean, rt);
	history_close(h);
	free(err);
	free(note);
}

/* Seconds that are left, or -1 where too little is known. */
static double eta(struct rt *rt)
{
	struct view *v = rt->view;
	double left = 0, known = 0, unknown = 0, now = now_mono();

	for (uint32_t w = 0; w < rt->m->workflows.n; w++) {
		struct ir_workflow *wf = rt->m->workflows.v[w];

		for (uint32_t k = 0; k <= wf->nnodes; k++) {
			double n = rt->info[wf->id][k].made - rt->info[wf->id][k].ended, mean = v->mean[v->base[wf->id] + k];

			if (mean < 0)
				unknown += n;
			else {
				known += n;
				left += n * mean;
			}
		}
	}
	if (known <= 0 || unknown > known)
		return -1;
	for (const struct step *s = rt->running; s; s = s->run_next) {
		double mean = v->mean[v->base[s->inst->node->graph->workflow->id] + s->inst->node->id], done = now - s->t_start;

		if (mean > 0)
			left -= done < mean ? done : mean;
	}
	left *= (known + unknown) / known;
	return left < 0 ? 0 : left / rt->sched.jobs;
}

/* ---- the picture ---- */

static void head_line(struct rt *rt, struct strbuf *b)
{
	struct strbuf t = { 0 };
	double left = rt->view->knows ? eta(rt) : -1;

	sb_f(&t, "[%u/%u] ", rt->count.done, rt->count.steps);
	sb_elapsed(&t, now_mono() - rt->t0);
	sb_f(&t, ", %u running", rt->sched.nrunning);
	if (rt->count.cached)
		sb_f(&t, ", %u reused", rt->count.cached);
	if (rt->count.failed)
		sb_f(&t, ", %u failed", rt->count.failed);
	if (left >= 0) {
		sb_z(&t, ", about ");
		sb_elapsed(&t, left);
		sb_z(&t, " left");
	}
	if (rt->view->color)
		sb_z(b, "\x1b[1m");
	fit(b, t.s, t.n, rt->view->width - 1);
	if (rt->view->color)
		sb_z(b, "\x1b[0m");
	sb_ch(b, '\n');
	sb_free(&t);
}

static void step_line(struct rt *rt, struct strbuf *b, const struct step *s)
{
	struct strbuf name = { 0 }, t = { 0 }, path = { 0 };
	int width = rt->view->width - 1, used;

	inst_name(s->inst, &name);
	sb_z(&t, "  ");
	sb_elapsed(&t, now_mono() - s->t_start);
	sb_z(&t, "  ");
	used = fit(b, t.s, t.n, width);
	used += fit(b, name.s, name.n, width - used > 40 ? 40 : width - used);
	if (s->slot && width - used > 10) {
		sb_f(&path, s->task->dataflow ? "%s/status" : "%s/log", s->slot->dir);
		t.n = 0;
		last_line(&t, sb_cstr(&path));
		if (t.n) {
			sb_z(b, rt->view->color ? "  \x1b[2m" : "  ");
			fit(b, t.s, t.n, width - used - 2);
			sb_z(b, rt->view->color ? "\x1b[0m" : "");
		}
	}
	sb_ch(b, '\n');
	sb_free(&name);
	sb_free(&t);
	sb_free(&path);
}

/* The oldest of those that run first: they are what one waits for. */
static uint32_t oldest(struct rt *rt, const struct step **v, uint32_t most)
{
	uint32_t n = 0;

	for (const struct step *s = rt->running; s; s = s->run_next) {
		uint32_t at = n < most ? n++ : n;

		if (at == most && v[at - 1]->t_start <= s->t_start)
			continue;
		if (at == most)
			at--;
		for (; at && v[at - 1]->t_start > s->t_start; at--)
			v[at] = v[at - 1];
		v[at] = s;
	}
	return n;
}

void live_draw(struct rt *rt)
{
	struct view *v = rt->view;
	const struct step *run[MOST];
	struct strbuf b = { 0 };
	uint32_t n, most;

	if (!v->live || v->asking || !v->tick.pos)
		return;
	live_erase(rt);
	size_of_screen(v);
	most = v->height > 4 ? (uint32_t)v->height - 3 : 1;
	n = oldest(rt, run, most < MOST ? most : MOST);
	head_line(rt, &b);
	for (uint32_t k = 0; k < n; k++)
		step_line(rt, &b, run[k]);
	v->drawn = (int)n + 1;
	if (rt->sched.nrunning > n) {
		sb_f(&b, "  and %u more\n", rt->sched.nrunning - n);
		v->drawn++;
	}
	write_err(b.s, b.n);
	sb_free(&b);
}

static void tick(struct rt *rt, void *data)
{
	struct view *v = rt->view;

	(void)data;
	if (!v->knows && now_mono() - rt->t0 > 1)
		learn(rt);
	timer_set(rt, &v->tick, now_mono() + EVERY, tick, NULL);
	live_draw(rt);
}

void live_start(struct rt *rt)
{
	timer_set(rt, &rt->view->tick, now_mono() + EVERY, tick, NULL);
}
