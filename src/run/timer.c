/* Timers: a binary heap by time. */
#include <time.h>

#include "rt.h"

static double clock_s(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

double now_mono(void)
{
	return clock_s(CLOCK_MONOTONIC);
}

double now_wall(void)
{
	return clock_s(CLOCK_REALTIME);
}

static void place(struct rt *rt, uint32_t at, struct timer *t)
{
	rt->timers.v[at] = t;
	t->pos = at + 1;
}

static void sift(struct rt *rt, uint32_t at, struct timer *t)
{
	while (at && rt->timers.v[(at - 1) / 2]->at > t->at) {
		place(rt, at, rt->timers.v[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	for (uint32_t child; (child = 2 * at + 1) < rt->timers.n; at = child) {
		if (child + 1 < rt->timers.n && rt->timers.v[child + 1]->at < rt->timers.v[child]->at)
			child++;
		if (rt->timers.v[child]->at >= t->at)
			break;
		place(rt, at, rt->timers.v[child]);
	}
	place(rt, at, t);
}

void timer_clear(struct rt *rt, struct timer *t)
{
	uint32_t at = t->pos;
	struct timer *last;

	if (!at--)
		return;
	t->pos = 0;
	last = rt->timers.v[--rt->timers.n];
	if (last != t)
		sift(rt, at, last);
}

void timer_set(struct rt *rt, struct timer *t, double at, void (*fire)(struct rt *, void *), void *data)
{
	timer_clear(rt, t);
	t->at = at;
	t->fire = fire;
	t->data = data;
	vec_push(rt->arena, &rt->timers, t);
	sift(rt, rt->timers.n - 1, t);
}

double timer_next(const struct rt *rt)
{
	return rt->timers.n ? rt->timers.v[0]->at : -1;
}

void timers_fire(struct rt *rt, double now)
{
	while (rt->timers.n && rt->timers.v[0]->at <= now) {
		struct timer *t = rt->timers.v[0];

		timer_clear(rt, t);
		t->fire(rt, t->data);
	}
}
