/*
 * How many workers one job should have: a tick a second (docs/elastic.md, "How it scales"). The aim is
 * N* = ceil(1.1 mu / omega), enough that the queue fills while the trainer runs at its own pace. It goes up only where the
 * trainer waits, down only to N*, and a step up that brings nothing is taken back, so noise in the figures does not make it
 * swing.
 */
#include "couler/elastic.h"

#include <math.h>

#define EMPTY 0.1
#define FULL 0.9
#define TRAINER_WAITS 0.05
#define WORKERS_WAIT 0.2
#define GAIN 1.07
#define LID 20.0                          /* s for which a number that gave nothing is not tried again */
#define AHEAD 1.1

static int aim(const struct control *c, const struct control_in *in)
{
	double n = in->mu > 0 && in->omega > 0 ? ceil(AHEAD * in->mu / in->omega - 1e-9) : c->n + 1;

	return n < in->min ? in->min : n > in->max ? in->max : (int)n;
}

static enum control_why set(struct control *c, const struct control_in *in, int n, enum control_why why)
{
	c->n = n;
	c->cooldown = in->drain > in->dt ? in->drain : in->dt;
	if (c->cooldown > 5 * in->dt)                                      /* a queue that takes longer says nothing new */
		c->cooldown = 5 * in->dt;
	return why;
}

static bool starved(const struct control_in *in)
{
	return in->queue < EMPTY && in->trainer_waits > TRAINER_WAITS;
}

/* Was the step up worth it? */
static enum control_why judge(struct control *c, const struct control_in *in)
{
	int before = c->before;

	c->before = 0;
	if (in->rate >= GAIN * c->base || !starved(in))
		return CONTROL_STAY;
	c->lid = before;
	c->lid_left = LID * in->dt;
	return set(c, in, before < in->min ? in->min : before, CONTROL_REVERT);
}

enum control_why control_tick(struct control *c, const struct control_in *in)
{
	int want, n;

	c->lid_left -= in->dt;
	if (c->n > in->max || c->n < in->min) {
		c->before = 0;
		return set(c, in, c->n > in->max ? in->max : in->min, CONTROL_BOUND);
	}
	c->cooldown -= in->dt;
	if (c->cooldown > 1e-9)
		return CONTROL_STAY;
	if (c->before) {
		enum control_why why = judge(c, in);

		if (why != CONTROL_STAY)
			return why;
	}
	want = aim(c, in);
	if (starved(in) && want > c->n) {
		n = want < 2 * c->n ? want : 2 * c->n;
		if (n > c->n + 8 && n > c->n + c->n / 2)
			n = c->n + (c->n / 2 > 8 ? c->n / 2 : 8);
		if (c->lid_left > 0 && n > c->lid)
			n = c->lid;
		if (n <= c->n)
			return CONTROL_STAY;
		c->before = c->n;
		c->base = in->rate;
		return set(c, in, n, CONTROL_GROW);
	}
	if (in->queue > FULL && in->worker_waits > WORKERS_WAIT && c->n > want)
		return set(c, in, c->n - 1, CONTROL_SHRINK);
	return CONTROL_STAY;
}
