/*
 * Who runs next. An instance whose inputs exist first waits here unprepared; when there is room
 * it is prepared (inputs evaluated, identity, reuse), so only a few steps ahead cost memory. A
 * prepared step passes max_parallel of its workflows, its locks, then takes its resources, in
 * this order for all, so nobody waits in a circle.
 */
#include <stdlib.h>
#include <unistd.h>

#include "rt.h"

#define LOOK_PAST 64                      /* steps behind one that does not fit that may go first */
#define PATIENCE 10.0                     /* s: after these it is waited for */

void sched_init(struct rt *rt)
{
	struct sched *q = &rt->sched;
	long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGE_SIZE);

	q->fresh_last = &q->fresh;
	q->ready.last = &q->ready.first;
	q->cpus = (uint32_t)sysconf(_SC_NPROCESSORS_ONLN);
	q->jobs = rt->o->jobs > 0 ? (uint32_t)rt->o->jobs : q->cpus;
	q->cpu = q->cpu_total = q->jobs;
	q->memory = q->memory_total = pages > 0 && size > 0 ? (double)pages * (double)size : 1e18;
	q->gpu = q->gpu_total = gpus_open(rt);
}

void sched_add(struct rt *rt, struct inst *i)
{
	i->start.next = NULL;
	*rt->sched.fresh_last = &i->start;
	rt->sched.fresh_last = &i->start.next;
}

static void push(struct queue *q, struct step *s)
{
	s->next = NULL;
	*q->last = s;
	q->last = &s->next;
}

/* ---- max_parallel of workflows ---- */

static struct wfrun *nth(struct step *s, uint32_t n)
{
	struct wfrun *wf = s->inst->scope->wf;

	while (wf && n--)
		wf = wf->up;
	return wf;
}

/* Counts s in the limits of its workflows, inner ones first; false: it waits for one of them. */
static bool pass_workflows(struct step *s)
{
	struct wfrun *wf;

	while ((wf = nth(s, s->wf_held))) {
		if (wf->limit && wf->running >= wf->limit) {
			s->next = NULL;
			*wf->wait_last = s;
			wf->wait_last = &s->next;
			return false;
		}
		wf->running++;
		s->wf_held++;
	}
	return true;
}

static void leave_workflows(struct rt *rt, struct step *s)
{
	struct wfrun *wf = s->inst->scope->wf;

	for (; s->wf_held; s->wf_held--, wf = wf->up) {
		struct step *first = wf->wait_first;

		wf->running--;
		if (!first)
			continue;
		wf->wait_first = first->next;
		if (!wf->wait_first)
			wf->wait_last = &wf->wait_first;
		sched_ready(rt, first);
	}
}

void sched_ready(struct rt *rt, struct step *s)
{
	s->phase = SP_QUEUED;
	if (!pass_workflows(s))
		return;
	if (locks_take(rt, s))
		sched_locked(rt, s);
}

void sched_locked(struct rt *rt, struct step *s)
{
	push(&rt->sched.ready, s);
	rt->sched.nready++;
}

/* ---- resources ---- */

static bool fits(const struct sched *q, const struct step *s)
{
	if (!q->nrunning)
		return true;                                                /* asks for more than there is: runs alone */
	return s->cpu <= q->cpu && s->memory <= q->memory && s->gpu <= q->gpu;
}

static void take(struct rt *rt, struct step *s)
{
	struct sched *q = &rt->sched;

	q->cpu -= s->cpu;
	q->memory -= s->memory;
	q->gpu -= s->gpu;
	gpus_take(rt, s);
	q->nrunning++;
	s->run_next = rt->running;
	s->run_prev = &rt->running;
	if (rt->running)
		rt->running->run_prev = &s->run_next;
	rt->running = s;
}

void sched_done(struct rt *rt, struct step *s)
{
	struct sched *q = &rt->sched;

	q->cpu += s->cpu;
	q->memory += s->memory;
	q->gpu += s->gpu;
	gpus_give(rt, s);
	q->nrunning--;
	*s->run_prev = s->run_next;
	if (s->run_next)
		s->run_next->run_prev = s->run_prev;
	s->run_prev = NULL;
	jobserver_give(rt);
	locks_give(rt, s);
	leave_workflows(rt, s);
}

static bool overloaded(struct rt *rt)
{
	double load;

	if (rt->o->load <= 0 || !rt->sched.nrunning)
		return false;
	return getloadavg(&load, 1) == 1 && load >= rt->o->load;
}

static bool launch_one(struct rt *rt)
{
	struct sched *q = &rt->sched;
	struct step **at = &q->ready.first, *s;
	uint32_t seen = 0;

	if (!*at || overloaded(rt))
		return false;
	if ((*at)->t_waits > 0 && now_mono() - (*at)->t_waits > PATIENCE && !fits(q, *at))
		return false;
	while ((s = *at) && !fits(q, s) && ++seen < LOOK_PAST) {
		if (s->t_waits <= 0)
			s->t_waits = now_mono();
		at = &s->next;
	}
	if (!s || !fits(q, s))
		return false;
	jobserver_offer(rt);
	if (!jobserver_take(rt))
		return false;
	*at = s->next;
	if (!*at)
		q->ready.last = at;
	q->nready--;
	take(rt, s);
	step_launch(rt, s);
	return true;
}

void sched_run(struct rt *rt)
{
	struct sched *q = &rt->sched;

	for (;;) {
		struct cell *c = q->fresh;

		if (launch_one(rt)) {
			agenda_run(rt);
			continue;
		}
		if (!c || q->nready + q->nprep >= 2 * q->jobs + 8)
			break;
		q->fresh = c->next;
		if (!q->fresh)
			q->fresh_last = &q->fresh;
		step_prepare(rt, (struct inst *)(void *)((char *)c - offsetof(struct inst, start)));
		agenda_run(rt);
	}
}

/* ---- when nothing new may start ---- */

static void stop_queue(struct rt *rt, struct step **first, struct step ***last, uint32_t *n)
{
	struct step *keep = NULL, **tail = &keep, *drop = NULL, *next;

	for (struct step *s = *first; s; s = next) {
		next = s->next;
		if (stopped(rt, s->inst)) {
			s->next = drop;
			drop = s;
			if (n)
				--*n;
		} else {
			*tail = s;
			tail = &s->next;
		}
	}
	*tail = NULL;
	*first = keep;
	*last = keep ? tail : first;
	for (struct step *s = drop; s; s = next) {
		next = s->next;
		locks_give(rt, s);
		leave_workflows(rt, s);
		step_end(rt, s, ST_SKIPPED, -1);
	}
}

static void stop_workflow(struct rt *rt, struct wfrun *wf)
{
	stop_queue(rt, &wf->wait_first, &wf->wait_last, NULL);
}

void sched_stop(struct rt *rt)
{
	struct sched *q = &rt->sched;
	struct cell *fresh = q->fresh, *next;

	q->fresh = NULL;
	q->fresh_last = &q->fresh;
	for (; fresh; fresh = next) {
		struct inst *i = (struct inst *)(void *)((char *)fresh - offsetof(struct inst, start));

		next = fresh->next;
		if (stopped(rt, i))
			step_prepare(rt, i);                                /* ends it */
		else
			sched_add(rt, i);
	}
	stop_queue(rt, &q->ready.first, &q->ready.last, &q->nready);
	for (struct wfrun *wf = rt->wfruns; wf; wf = wf->all_next)
		if (wf->wait_first)
			stop_workflow(rt, wf);
	locks_stop(rt);
}
