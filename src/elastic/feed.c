/*
 * From the queue to the trainer. When the queue runs dry, what comes in is held back for a moment and then handed on at
 * once: a trainer that waits loses nothing by it, and the time in which it takes such a burst shows how fast it is alone.
 */
#include "broker.h"

#include <stdlib.h>

#define HOLD 0.1                          /* s at most */

static struct chunks *next_queue(struct broker *b)
{
	if (!b->f->ordered)
		return &b->queue;
	while (b->head < b->nlease && b->lease[b->head].state == LEASE_DONE && !b->lease[b->head].queue.first)
		b->head++;
	return b->head < b->nlease ? &b->lease[b->head].queue : &b->queue;
}

static void credit(struct broker *b, uint32_t id, uint64_t cost)
{
	for (struct worker *w = b->workers; w; w = w->next)
		if (w->id == id && !w->dead) {
			w->credit += (int64_t)cost;
			worker_send(b, w, (struct msg){ .type = MSG_CREDIT, .seq = cost }, NULL, 0);
			return;
		}
}

/* Would waiting for more give more? */
static bool more_to_come(const struct broker *b)
{
	if (b->done == b->nlease)
		return false;
	for (const struct worker *w = b->workers; w; w = w->next)
		if (!w->dead && w->lease != UINT32_MAX && w->credit <= 0)
			return false;
	return true;
}

static bool hold(struct broker *b, double now)
{
	if (!b->queued && !b->holding && !pipeline_held(b->p)) {
		b->holding = true;
		b->held_since = 0;
	}
	if (!b->holding)
		return false;
	if (b->queued && b->held_since <= 0)
		b->held_since = now;
	if (b->queued && (now - b->held_since > HOLD || b->queued > b->f->window / 2 || !more_to_come(b)))
		b->holding = false;
	return b->holding;
}

static void deliver(struct broker *b, struct chunks *q)
{
	struct chunk *c = q->first;

	q->first = c->next;
	if (!q->first)
		q->last = &q->first;
	pipeline_feed(b->p, c->stream, c->s, c->n);
	b->queued -= c->cost;
	b->delivered += c->count;
	b->cost_delivered += c->cost;
	b->all_records += c->count;
	b->all_bytes += c->n;
	credit(b, c->worker, c->cost);
	free(c);
}

void feed_forget(struct broker *b)
{
	for (uint32_t i = 0; i <= b->nlease; i++) {
		struct chunks *q = i < b->nlease ? &b->lease[i].queue : &b->queue;

		while (q->first) {
			struct chunk *c = q->first;

			q->first = c->next;
			free(c);
		}
		q->last = &q->first;
	}
	b->queued = 0;
}

/* The next pass over the splits. */
static void next_epoch(struct broker *b)
{
	b->epoch++;
	b->done = b->next_free = b->head = 0;
	b->done_bytes = 0;
	for (uint32_t i = 0; i < b->nlease; i++) {
		struct lease *l = &b->lease[i];

		l->state = LEASE_FREE;
		l->failures = l->deaths = 0;
		for (uint32_t k = 0; k <= b->f->n; k++)
			l->have[k] = 0;
	}
}

void feed(struct broker *b)
{
	struct chunks *q;

	if (b->deaf || b->closed || b->error)
		return;
	if (pipeline_deaf(b->p) || (b->o->most && b->all_records >= b->o->most)) {
		b->deaf = true;
		feed_forget(b);
	}
	if (!b->deaf && hold(b, flow_now()) && (b->queued || b->done < b->nlease))
		return;
	while (!b->deaf && (q = next_queue(b))->first && pipeline_wants(b->p, q->first->stream))
		deliver(b, q);
	if (!b->deaf && (b->done < b->nlease || b->queued))
		return;
	if (!b->deaf && b->epoch + 1 < b->f->epochs && b->nlease) {
		next_epoch(b);
		return;
	}
	b->closed = true;
	for (uint32_t k = 0; k < b->ncross; k++)
		pipeline_close(b->p, b->cross[k]);
}
