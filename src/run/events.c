/* --events: what happens, a JSON object a line, as it happens. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "record.h"
#include "rt.h"

struct events { int fd; struct strbuf b; bool failed; };

int events_open(struct rt *rt, const char *path)
{
	struct events *e = xcalloc(1, sizeof *e);

	e->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0666);
	if (e->fd < 0) {
		free(e);
		return -1;
	}
	rt->events = e;
	return 0;
}

static struct strbuf *begin(struct rt *rt, const char *event)
{
	struct strbuf *b = &rt->events->b;

	sb_f(b, "{\"time\":%.6f,\"event\":\"%s\"", now_wall(), event);
	return b;
}

static void name(struct strbuf *b, const struct inst *i)
{
	struct strbuf t = { 0 };

	inst_name(i, &t);
	sb_z(b, ",\"step\":");
	sb_json(b, t.s, t.n);
	sb_free(&t);
}

static void text(struct strbuf *b, const char *key, const char *s)
{
	sb_f(b, ",\"%s\":", key);
	sb_json(b, s, strlen(s));
}

void event_run(struct rt *rt, bool end)
{
	struct strbuf *b;

	if (!rt->events)
		return;
	b = begin(rt, end ? "run_ended" : "run_started");
	text(b, "run", rt->run_id);
	text(b, "workflow", rt->m->entry->name->s);
	if (end)
		sb_f(b, ",\"exit_code\":%d,\"done\":%u,\"failed\":%u,\"skipped\":%u,\"cached\":%u", rt->rc, rt->count.done, rt->count.failed, rt->count.skipped, rt->count.cached);
	sb_z(b, "}\n");
}

void event_started(struct rt *rt, const struct step *s)
{
	struct strbuf *b;

	if (!rt->events || s->done)
		return;
	b = begin(rt, "step_started");
	name(b, s->inst);
	sb_f(b, ",\"attempt\":%u}\n", s->inst->attempts);
}

void event_retry(struct rt *rt, const struct step *s, int code, double delay)
{
	struct strbuf *b;

	if (!rt->events)
		return;
	b = begin(rt, "attempt_failed");
	name(b, s->inst);
	sb_f(b, ",\"attempt\":%u,\"exit_code\":%d,\"delay\":%.3f", s->inst->attempts, code, delay);
	if (s->what)
		text(b, "message", s->what);
	sb_z(b, "}\n");
}

void event_ended(struct rt *rt, const struct inst *i, const struct step *s)
{
	struct strbuf *b;

	if (!rt->events)
		return;
	b = begin(rt, "step_ended");
	name(b, i);
	text(b, "status", status_name(i->status));
	if (i->exit_code >= 0)
		sb_f(b, ",\"exit_code\":%d", i->exit_code);
	sb_f(b, ",\"attempts\":%u,\"cached\":%s", i->attempts, i->cached ? "true" : "false");
	if (s && s->t_start > 0)
		sb_f(b, ",\"seconds\":%.6f,\"cpu\":%.6f,\"max_rss\":%llu", s->t_end - s->t_start, s->cpu_used, (unsigned long long)s->rss);
	if (i->err)
		text(b, "message", i->err);
	sb_z(b, "}\n");
}

void events_flush(struct rt *rt)
{
	struct events *e = rt->events;

	if (!e || !e->b.n)
		return;
	if (record_write(e->fd, &e->b) && !e->failed) {
		e->failed = true;
		view_note(rt, "%s: %s", rt->o->events, strerror(errno));
	}
	e->b.n = 0;
}

int events_close(struct rt *rt)
{
	struct events *e = rt->events;
	int rc = 0;

	if (!e)
		return 0;
	events_flush(rt);
	if (close(e->fd) || e->failed)
		rc = -1;
	sb_free(&e->b);
	free(e);
	rt->events = NULL;
	return rc;
}
