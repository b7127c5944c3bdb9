/* Numbers: where the time goes, how many workers there should be, what is told about it. */
#include "broker.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DECAY 0.7                         /* of a figure in a tick */

void account(struct broker *b, double now)
{
	double dt = now - b->last;

	b->last = now;
	if (dt <= 0 || b->closed)
		return;
	if (b->holding)
		b->trainer_wait += dt;
	for (const struct worker *w = b->workers; w; w = w->next) {
		if (w->dead || !w->hello)
			continue;
		b->worker_time += dt;
		if (w->lease == UINT32_MAX || w->credit <= 0)
			b->worker_wait += dt;
	}
}

static double ratio(double x, double y)
{
	return y > 1e-9 ? x / y : 0;
}

static double work_left(const struct broker *b)
{
	uint64_t all = 0;

	for (uint32_t i = 0; i < b->nlease; i++)
		all += b->lease[i].bytes;
	if (!b->done_bytes)
		return 1e12;
	return b->all_worker * (double)(all - b->done_bytes) / (double)b->done_bytes;
}

static void write_text(const char *path, const char *s, size_t n)
{
	int fd = path ? open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666) : -1;

	if (fd < 0)
		return;                                                     /* only for show */
	(void)!write(fd, s, n);
	close(fd);
}

void status_write(struct broker *b)
{
	struct strbuf s = { 0 };
	double full = ratio((double)b->queued, (double)workers_alive(b) * (double)b->f->window);

	if (!b->o->status)
		return;
	sb_f(&s, "%.0f records/s", b->speed);
	if (b->mu_t > 0.05)
		sb_f(&s, " (the trainer alone %.0f", b->mu_n / b->mu_t);
	if (b->mu_t > 0.05 && b->om_t > 0.05)
		sb_f(&s, ", a worker %.0f", b->om_n / b->om_t);
	sb_f(&s, "%s, queue %.0f %%, %u workers, %u of %u parts\n", b->mu_t > 0.05 ? ")" : "", full * 100, workers_alive(b), b->done, b->nlease);
	write_text(b->o->status, s.s, s.n);
	sb_free(&s);
}

static void say_why(struct broker *b, enum control_why why, int from, int to, const struct control_in *in)
{
	switch (why) {
	case CONTROL_GROW:
		broker_say(b, "%d -> %d workers: the trainer waits %.0f %% of its time and the queue is %.0f %% full", from, to, in->trainer_waits * 100, in->queue * 100);
		break;
	case CONTROL_SHRINK:
		broker_say(b, "%d -> %d workers: the queue is %.0f %% full and the workers wait %.0f %% of their time", from, to, in->queue * 100, in->worker_waits * 100);
		break;
	case CONTROL_REVERT:
		broker_say(b, "%d -> %d workers: the last ones brought less than 7 %%", from, to);
		break;
	case CONTROL_BOUND:
		broker_say(b, "%d -> %d workers: other jobs of this machine need the room", from, to);
		break;
	case CONTROL_STAY:
		break;
	}
}

/* Starts what lacks, retires what is too much; nothing new once every split is done. */
static void adjust(struct broker *b)
{
	uint32_t alive = workers_alive(b), want = (uint32_t)b->target, open = b->nlease - b->done;

	for (const struct worker *w = b->workers; w; w = w->next)
		open -= !w->dead && w->lease != UINT32_MAX;
	if (b->f->ordered && open && alive && b->head < b->nlease && b->lease[b->head].state == LEASE_FREE) {
		bool idle = false;

		for (const struct worker *w = b->workers; w; w = w->next)
			idle |= !w->dead && !w->retire && w->lease == UINT32_MAX;
		if (!idle && alive >= want)
			want = alive + 1;                                   /* all others may be waiting for just this split */
	}
	if (elsewhere(b) || b->deaf || b->closed)
		return;
	for (; alive < want && open && !b->error; alive++, open--)
		worker_start(b);
	for (struct worker *w = b->workers; w && alive > want; w = w->next)
		if (!w->dead && !w->retire) {
			w->retire = true;
			alive--;
		}
}

static void scale_elsewhere(struct broker *b)
{
	char s[32];

	write_text(b->o->scale, s, (size_t)snprintf(s, sizeof s, "%d\n", b->target));
}

static struct control_in measured(struct broker *b, double dt)
{
	double busy = dt - b->trainer_wait, window = (double)b->f->window * (b->nworkers ? (double)workers_alive(b) : 1);
	struct control_in in = { .dt = dt, .min = b->f->min > 1 ? b->f->min : 1, .max = b->f->max };

	b->mu_n = DECAY * b->mu_n;
	b->mu_t = DECAY * b->mu_t;
	if (busy > 0.02 * dt && b->delivered) {
		b->mu_n += (double)b->delivered;
		b->mu_t += busy;
	}
	b->om_n = DECAY * b->om_n + (double)b->received;
	b->om_t = DECAY * b->om_t + b->worker_time - b->worker_wait;
	in.rate = ratio((double)b->delivered, dt);
	in.mu = ratio(b->mu_n, b->mu_t);
	in.omega = ratio(b->om_n, b->om_t);
	in.trainer_waits = ratio(b->trainer_wait, dt);
	in.worker_waits = ratio(b->worker_wait, b->worker_time);
	in.queue = ratio((double)b->queued, window);
	in.drain = b->cost_delivered ? window / ratio((double)b->cost_delivered, dt) : 0;
	return in;
}

void tick(struct broker *b, double now)
{
	double dt = now - b->t_tick;
	bool first = b->t_tick <= 0;
	int before = b->target;

	if (!first && dt < b->f->tick) {
		adjust(b);
		return;
	}
	b->t_tick = now;
	if (first) {
		b->target = b->control.n = b->f->min > 1 ? b->f->min : 1;
	} else if (!b->closed) {
		struct control_in in = measured(b, dt);
		int slots = b->o->slots > 0 ? b->o->slots : (int)sysconf(_SC_NPROCESSORS_ONLN), mine = slots, want;
		enum control_why why;

		b->speed = in.rate;
		b->all_worker += b->worker_time - b->worker_wait;
		b->all_wait += b->trainer_wait;
		want = in.mu > 0 && in.omega > 0 && 1.1 * in.mu / in.omega < 1e6 ? (int)(1.1 * in.mu / in.omega) + 1 : b->target + 1;
		if (b->share)
			mine = share_tick(b->share, work_left(b), in.min, want > b->target ? want : b->target, slots);
		if (!elsewhere(b) && in.max > mine)
			in.max = mine > in.min ? mine : in.min;
		why = control_tick(&b->control, &in);
		b->target = b->control.n;
		say_why(b, why, before, b->target, &in);
		b->trainer_wait = b->worker_wait = b->worker_time = 0;
		b->delivered = b->received = b->cost_delivered = 0;
	}
	adjust(b);
	scale_elsewhere(b);
	status_write(b);
}

void figures_write(struct broker *b)
{
	const struct flow *f = b->f;
	struct strbuf s = { 0 };
	const struct op_figures *src = &b->figures[f->n];

	if (!b->o->figures)
		return;
	sb_f(&s, "{\"records\":%llu,\"seconds\":%.6f,\"trainer_waits\":%.6f,\"workers\":%d,\"dropped\":%llu,\"deaths\":%llu,\"peak\":%llu", (unsigned long long)b->all_records,
		flow_now() - b->started, b->all_wait + b->trainer_wait, b->target, (unsigned long long)b->dropped, (unsigned long long)b->deaths, (unsigned long long)b->peak);
	if (src->records)
		sb_f(&s, ",\"source_records\":%llu,\"source_bytes\":%.3f", (unsigned long long)src->records, ratio((double)src->bytes, (double)src->records));
	if (b->mu_n > 0)
		sb_f(&s, ",\"trainer\":%.9g", ratio(b->mu_t, b->mu_n));
	sb_z(&s, ",\"ops\":{");
	for (uint32_t i = 0; i + 1 < f->n; i++) {
		const struct op_figures *o = &b->figures[i];

		sb_z(&s, i ? "," : "");
		sb_json(&s, f->op[i].name, strlen(f->op[i].name));
		sb_f(&s, ":{\"cpu\":%.9g,\"records\":%llu", src->records ? o->cpu / (double)src->records : -1, (unsigned long long)o->records);
		if (o->records && src->records)                             /* of a record of the source, like its CPU: filters and copies count */
			sb_f(&s, ",\"bytes\":%.3f", (double)o->bytes / (double)src->records);
		sb_ch(&s, '}');
	}
	sb_z(&s, "}}\n");
	write_text(b->o->figures, s.s, s.n);
	sb_free(&s);
}
