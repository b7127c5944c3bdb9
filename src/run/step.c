/* One step: prepared, reused or run in attempts, collected, ended. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/wait.h>

#include "journal.h"

#define DISK_LEAST 65536                  /* bytes: less is a full disk */
#define GRACE 10.0                        /* s between TERM and KILL */

void step_why(struct step *s, const char *fmt, ...)
{
	struct strbuf b = { 0 };
	va_list ap;

	va_start(ap, fmt);
	sb_vf(&b, fmt, ap);
	va_end(ap);
	free(s->what);
	s->what = xstrdup(sb_cstr(&b));
	sb_free(&b);
}

struct step *step_new(struct rt *rt, struct inst *i, struct ir_task *task, struct attrs *attrs)
{
	struct step *s = xcalloc(1, sizeof *s);

	s->inst = i;
	s->task = task;
	s->attrs = attrs;
	s->arena = arena_new_small();
	s->vc = (struct valctx){ s->arena, rt->m->strs };
	s->ins = arena_array(s->arena, struct value, task->nins ? task->nins : 1);
	s->t_ready = now_mono();
	return s;
}

void step_free(struct rt *rt, struct step *s)
{
	timer_clear(rt, &s->timer);
	if (s->slot)
		slot_give(rt, s->slot, s->strays);
	free(s->what);
	arena_free(s->arena);
	free(s);
}

/* Evaluates the inputs; 0, or -1 after s->what. */
int step_eval(struct rt *rt, struct step *s, struct expr **ins)
{
	size_t total = 0;

	for (uint32_t k = 0; k < s->task->nins; k++) {
		struct evalscope x;
		struct evalerr err = { 0 };
		const struct ir_decl *d = &s->task->ins[k];

		s->ins[k].type = type_of(T_NULL);
		if (!ins || !ins[k])
			continue;
		evalscope_init(&x, rt, s->inst->scope);
		x.x.c.arena = s->arena;
		if (eval(&x.x, ins[k], &s->ins[k], &err)) {
			step_why(s, "input '%s' could not be evaluated: %s", d->name->s, rt_evalerr(rt, &err));
			return -1;
		}
		if (!type_is_path(d->type) && step_size(s, k, &total))
			return -1;
	}
	return 0;
}

void step_start(struct rt *rt, struct inst *i)
{
	sched_add(rt, i);
}

void step_end(struct rt *rt, struct step *s, enum status st, int exit_code)
{
	struct inst *i = s->inst;

	if (s->done) {
		s->done(rt, s, st, exit_code);
		return;
	}
	i->seconds = s->t_start > 0 ? (float)(s->t_end - s->t_start) : 0;
	if (st == ST_SKIPPED)
		i->why = WHY_STOPPED;
	if (st != ST_SKIPPED)
		journal_step(rt, s, st, exit_code);
	if (st == ST_FAILED && s->what)
		i->err = arena_dup(rt->arena, s->what, strlen(s->what));
	if (st == ST_SUCCEEDED)
		i->ports = s->outs;
	i->u.step = s;                                                     /* for those who are told of its end */
	inst_end(rt, i, st, exit_code);
	i->u.step = NULL;
	step_free(rt, s);
}

static void published(struct rt *rt, void *data, char *err)
{
	struct step *s = data;

	if (err) {
		step_why(s, "%s", err);
		free(err);
		step_failed(rt, s, FAULT_ERROR, EXIT_VALUE);
		return;
	}
	if (!s->inst->cached && !s->done) {
		attempt_log(rt, s, true);
		remember(rt, s);
	}
	step_end(rt, s, ST_SUCCEEDED, 0);
}

/* The outputs are there: copies go where the step says, then it has succeeded. */
static void publish(struct rt *rt, struct step *s)
{
	const struct node *n = s->inst->node;
	struct publish *p;

	if (s->done || !n->to) {
		published(rt, s, NULL);
		return;
	}
	p = publish_new(rt, s->arena);
	for (uint32_t k = 0; k < n->nports; k++) {
		struct evalerr err = { 0 };
		struct strbuf b = { 0 };
		struct value v;

		if (!n->to[k] || !type_is_path(n->ports[k].type))
			continue;
		if (step_eval_in(rt, s, n->to[k], false, &v, &err)) {
			step_why(s, "the place of output '%s' could not be evaluated: %s", n->ports[k].name->s, rt_evalerr(rt, &err));
			step_failed(rt, s, FAULT_VALUE, EXIT_VALUE);
			return;
		}
		value_text(&b, &v);
		publish_add(rt, s->arena, p, n->ports[k].name->s, &s->outs[k], sb_cstr(&b));
		sb_free(&b);
	}
	publish_start(rt, p, published, s);
}

static void prepared(struct rt *rt, struct step *s)
{
	struct evalerr err = { 0 };

	if (s->done) {
		step_launch(rt, s);
		return;
	}
	if (!s->inst->attempts && reuse(rt, s)) {
		s->inst->cached = true;
		publish(rt, s);
		return;
	}
	if (!s->inst->attempts && reuse_ask(rt, s, prepared))
		return;
	if (rt->o->dry_run) {
		dry_end(rt, s);
		return;
	}
	if (step_limits(rt, s, &err)) {
		if (!s->what)
			step_why(s, "%s", rt_evalerr(rt, &err));
		step_end(rt, s, ST_FAILED, EXIT_VALUE);
		return;
	}
	sched_ready(rt, s);
}

void step_located(struct rt *rt, struct step *s)
{
	struct evalerr err = { 0 };

	if (s->what) {
		step_end(rt, s, ST_FAILED, EXIT_VALUE);
		return;
	}
	if (step_key(rt, s, &err)) {
		if (!s->what)
			step_why(s, "its environment could not be evaluated: %s", rt_evalerr(rt, &err));
		step_end(rt, s, ST_FAILED, EXIT_VALUE);
		return;
	}
	prepared(rt, s);
}

static void no_more(struct rt *rt, struct active *a)
{
	struct retrying *r = (struct retrying *)a;

	timer_clear(rt, &r->timer);
	active_remove(a);
	r->inst->err = r->err;
	inst_end(rt, r->inst, ST_FAILED, r->exit_code);
}

void step_prepare(struct rt *rt, struct inst *i)
{
	struct step *s;
	struct retrying *r = i->attempts ? i->u.any : NULL;

	if (stopped(rt, i) && r) {
		no_more(rt, &r->active);
		return;
	}
	if (stopped(rt, i)) {
		inst_skip(rt, i, WHY_STOPPED);
		return;
	}
	s = step_new(rt, i, i->node->u.task, i->node->attrs);
	s->retrying = r;
	i->u.step = s;
	if (step_eval(rt, s, i->node->ins)) {
		step_end(rt, s, ST_FAILED, EXIT_VALUE);
		return;
	}
	locate_start(rt, s);                                               /* goes on in step_located */
}

/* ---- attempts ---- */

static void on_timeout(struct rt *rt, void *data)
{
	struct step *s = data;

	s->timed_out = true;
	step_stop(rt, s, 0, GRACE);
}

static void again(struct rt *rt, void *data)
{
	struct retrying *r = data;

	if (stopped(rt, r->inst)) {
		no_more(rt, &r->active);
		return;
	}
	active_remove(&r->active);
	sched_add(rt, r->inst);
}

static bool matches(struct rt *rt, const struct step *s, enum fault f, int code)
{
	const struct ir_retry *r = &s->attrs->retry;

	switch (r->on) {
	case RETRY_ANY: return true;
	case RETRY_ERROR: return f == FAULT_ERROR;
	case RETRY_FAILURE: return f != FAULT_ERROR;
	case RETRY_TRANSIENT: return f == FAULT_ERROR || (f == FAULT_EXIT && attempt_transient(rt, s->inst, code));
	case RETRY_CODES: break;
	}
	for (uint32_t k = 0; k < r->codes.n && f == FAULT_EXIT; k++)
		if (r->codes.v[k] == code)
			return true;
	return false;
}

/* Puts the instance aside for its next attempt; false: there is none. */
static bool retry(struct rt *rt, struct step *s, enum fault f, int code)
{
	struct inst *i = s->inst;
	struct retrying *r = s->retrying;
	struct retry how;
	struct evalerr err = { 0 };
	double delay, now = now_mono();

	if (s->done || stopped(rt, i) || rt->signal || !matches(rt, s, f, code))
		return false;
	if (step_retry(rt, s, &how, &err) || i->attempts > how.limit)
		return false;
	if (!r) {
		r = arena_new_of(rt->arena, struct retrying);
		r->first = s->t_start;
	}
	delay = backoff_delay(&how, i->attempts, rt_random(rt));
	if (how.within >= 0 && now + delay - r->first > how.within)
		return false;
	r->err = s->what ? arena_dup(rt->arena, s->what, strlen(s->what)) : NULL;
	r->exit_code = code;
	view_retry(rt, s, code, delay, how.limit);
	event_retry(rt, s, code, delay);
	step_free(rt, s);
	i->u.any = r;
	r->inst = i;
	active_add(rt, &r->active, no_more);
	timer_set(rt, &r->timer, now + delay, again, r);
	return true;
}

void step_failed(struct rt *rt, struct step *s, enum fault f, int code)
{
	attempt_log(rt, s, false);
	if (!retry(rt, s, f, code)) {
		keep_failed(rt, s);
		step_end(rt, s, ST_FAILED, code);
	}
}

static void launch_failed(struct rt *rt, struct step *s, const struct proc_end *e)
{
	const char *path = s->argv0 ? s->argv0 : "the program";

	if (!strcmp(e->what, "exec")) {
		step_why(s, "%s: %s%s", path, strerror(e->err), e->err == ENOEXEC ? " (a script needs a first line such as #!/bin/sh)" :
			e->err == E2BIG ? "; its values are too large for the system, pass them as files" : "");
		step_failed(rt, s, FAULT_EXIT, e->err == ENOENT ? EXIT_NOTFOUND : 126);
		return;
	}
	if (!s->ranks || !s->what)
		step_why(s, "could not be started (%s): %s", e->what, strerror(e->err));
	step_failed(rt, s, FAULT_ERROR, EXIT_VALUE);
}

/* A step on a full disk often cannot even say so. */
static bool disk_full(const char *dir)
{
	struct statvfs v;

	return !statvfs(dir, &v) && v.f_blocks && (unsigned long long)v.f_bavail * v.f_frsize < DISK_LEAST;
}

void step_attempt_ended(struct rt *rt, struct proc *p, const struct proc_end *e)
{
	struct step *s = p->data;
	int code;

	timer_clear(rt, &s->timer);
	s->strays |= e->strays;
	s->cpu_used += e->cpu_user + e->cpu_sys;
	if (e->max_rss > s->rss)
		s->rss = e->max_rss;
	s->t_end = now_mono();
	if (s->run_prev)
		sched_done(rt, s);
	s->phase = SP_COLLECT;
	if (e->status < 0) {
		launch_failed(rt, s, e);
		return;
	}
	code = WIFSIGNALED(e->status) ? 128 + WTERMSIG(e->status) : WEXITSTATUS(e->status);
	if (s->timed_out) {
		step_why(s, "timed out after %g s", s->timeout);
		step_failed(rt, s, FAULT_TIMEOUT, EXIT_TIMEOUT);
		return;
	}
	if (s->stopping && !code)
		code = 128 + SIGTERM;
	if (!code && s->task->dataflow)
		dataflow_measured(rt, s);
	if (!code) {
		collect_start(rt, s);
		return;
	}
	if (!WIFSIGNALED(e->status) && disk_full(s->slot->dir))
		step_why(s, "the disk of %s is full", rt->dir);
	if (WIFSIGNALED(e->status) && !s->ranks)
		step_why(s, "%s by signal %d (%s)%s", p->killed || p->sig ? "ended" : "killed", WTERMSIG(e->status), strsignal(WTERMSIG(e->status)),
			WTERMSIG(e->status) == SIGKILL && !p->killed ? "; the system does so when memory runs out" : "");
	container_remark(rt, s, code);
	if (container_broken(rt, s, code)) {
		step_why(s, "its container could not be started; its log says why");
		step_failed(rt, s, FAULT_ERROR, code);
		return;
	}
	step_failed(rt, s, FAULT_EXIT, code);
}

void step_collected(struct rt *rt, struct step *s)
{
	if (s->what) {
		step_failed(rt, s, s->fault, EXIT_VALUE);
		return;
	}
	publish(rt, s);
}

/* In its container; -1 after the step has failed. */
static int wrapped(struct rt *rt, struct step *s, struct spawn *sp)
{
	if (!container_wrap(rt, s, sp)) {
		s->env = (char **)(uintptr_t)sp->envp;
		s->argv = (char **)(uintptr_t)sp->argv;
		return 0;
	}
	if (s->run_prev)
		sched_done(rt, s);
	step_failed(rt, s, FAULT_VALUE, EXIT_VALUE);
	return -1;
}

void step_launch(struct rt *rt, struct step *s)
{
	struct spawn sp = { 0 };
	struct strbuf b = { 0 };

	if (!s->done && stopped(rt, s->inst)) {
		sched_done(rt, s);
		step_end(rt, s, ST_SKIPPED, -1);
		return;
	}
	s->t_start = now_mono();
	s->phase = SP_RUNNING;
	if (s->inst->attempts < UINT16_MAX && !s->done)
		s->inst->attempts++;
	s->slot = slot_take(rt);
	if (!s->slot || step_inputs(rt, s) || !(sp.envp = step_env(rt, s, NULL, 0)) || !(sp.argv = step_argv(rt, s, &sp.path))) {
		if (!s->what)
			step_why(s, "no folder for it could be made: %s", strerror(errno));
		if (s->run_prev)
			sched_done(rt, s);
		step_failed(rt, s, s->fault, s->fault == FAULT_EXIT ? EXIT_NOTFOUND : EXIT_VALUE);
		return;
	}
	s->argv0 = sp.path;
	s->argv = (char **)(uintptr_t)sp.argv;
	sb_f(&b, "%s/%s", s->slot->dir, s->task->ncode ? "c" : "t");
	sp.cwd = arena_dup(s->arena, b.s, b.n);
	b.n = 0;
	sb_f(&b, "%s/log", s->slot->dir);
	sp.log = arena_dup(s->arena, b.s, b.n);
	sp.out = step_stdout(s);
	sb_free(&b);
	container_host(rt, s);
	if (in_container(rt, s) && s->task->body != BODY_JOB && wrapped(rt, s, &sp))
		return;
	view_started(rt, s);
	event_started(rt, s);
	if (s->task->body == BODY_JOB ? ranks_start(rt, s, &sp) : proc_start(rt, &s->proc, &sp, step_attempt_ended, s)) {
		struct proc_end e = { .status = -1, .err = errno, .what = "supervisor" };

		s->proc.data = s;
		step_attempt_ended(rt, &s->proc, &e);
		return;
	}
	if (s->timeout > 0)
		timer_set(rt, &s->timer, s->t_start + s->timeout, on_timeout, s);
}

void step_stop(struct rt *rt, struct step *s, int sig, double grace)
{
	s->stopping = true;
	if (s->ranks)
		ranks_end(rt, s, sig, grace);
	else if (sig)
		proc_signal(rt, &s->proc, sig);
	else
		proc_end_group(rt, &s->proc, grace);
}
