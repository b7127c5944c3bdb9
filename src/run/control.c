/* wait, approve, fail. */
#include <string.h>

#include "rt.h"

/* ---- fail ---- */

void fail_start(struct rt *rt, struct inst *i)
{
	struct evalerr err = { 0 };
	struct strbuf b = { 0 };
	struct value v;

	if (rt_eval(rt, i->scope, i->node->u.fail.message, &v, &err)) {
		inst_fail(rt, i, EXIT_VALUE, "its message could not be evaluated: %s", rt_evalerr(rt, &err));
		return;
	}
	value_text(&b, &v);
	inst_fail(rt, i, 1, "%s", sb_cstr(&b));
	sb_free(&b);
}

/* ---- wait ---- */

struct waiting {
	struct active active;             /* first */
	struct inst *inst;
	struct timer timer, limit;
	struct step *poll;                /* while one runs */
	double until;                     /* s; 0: for ever */
	bool over;                        /* the time is up while a poll runs */
};

static void wait_over(struct rt *rt, struct waiting *w)
{
	timer_clear(rt, &w->timer);
	timer_clear(rt, &w->limit);
	active_remove(&w->active);
}

static void wait_done(struct rt *rt, void *data)
{
	struct waiting *w = data;

	wait_over(rt, w);
	inst_end(rt, w->inst, ST_SUCCEEDED, 0);
}

static void wait_stop(struct rt *rt, struct active *a)
{
	struct waiting *w = (struct waiting *)a;

	if (w->poll) {
		w->over = true;
		step_stop(rt, w->poll, 0, 1);
		return;
	}
	wait_over(rt, w);
	inst_fail(rt, w->inst, 130, "stopped while it waited");
}

static void wait_expired(struct rt *rt, void *data)
{
	struct waiting *w = data;

	if (w->poll) {
		w->over = true;
		step_stop(rt, w->poll, 0, 1);
		return;
	}
	wait_over(rt, w);
	inst_fail(rt, w->inst, EXIT_TIMEOUT, "what it waits for did not come within its timeout");
}

static void poll_again(struct rt *rt, void *data);

static void polled(struct rt *rt, struct step *s, enum status st, int code)
{
	struct waiting *w = s->data;
	char *what = s->what ? arena_dup(rt->arena, s->what, strlen(s->what)) : NULL;
	bool broken = st == ST_FAILED && s->fault == FAULT_ERROR && code == EXIT_VALUE;

	step_free(rt, s);
	w->poll = NULL;
	if (st == ST_SUCCEEDED)
		wait_done(rt, w);
	else if (w->over && rt->stopping)
		wait_stop(rt, &w->active);
	else if (w->over)
		wait_expired(rt, w);
	else if (broken) {
		wait_over(rt, w);
		inst_fail(rt, w->inst, code, "%s", what);
	} else
		timer_set(rt, &w->timer, now_mono() + w->inst->node->u.wait.every, poll_again, w);
}

static void poll_again(struct rt *rt, void *data)
{
	struct waiting *w = data;
	struct inst *i = w->inst;
	struct step *s = step_new(rt, i, i->node->u.wait.poll, i->node->attrs);

	w->poll = s;
	s->done = polled;
	s->data = w;
	if (step_eval(rt, s, i->node->ins)) {
		s->fault = FAULT_ERROR;
		step_end(rt, s, ST_FAILED, EXIT_VALUE);
		return;
	}
	locate_start(rt, s);
}

void wait_start(struct rt *rt, struct inst *i)
{
	struct waiting *w = arena_new_of(rt->arena, struct waiting);
	struct evalerr err = { 0 };
	struct value v;

	w->inst = i;
	active_add(rt, &w->active, wait_stop);
	if (!i->node->u.wait.poll) {
		timer_set(rt, &w->timer, now_mono() + i->node->u.wait.seconds, wait_done, w);
		return;
	}
	if (i->node->attrs && i->node->attrs->timeout) {
		if (rt_eval(rt, i->scope, i->node->attrs->timeout, &v, &err)) {
			wait_over(rt, w);
			inst_fail(rt, i, EXIT_VALUE, "its timeout could not be evaluated: %s", rt_evalerr(rt, &err));
			return;
		}
		timer_set(rt, &w->limit, now_mono() + rt_seconds(&v), wait_expired, w);
	}
	poll_again(rt, w);
}
