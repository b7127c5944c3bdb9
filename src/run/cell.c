/* Cells: things that settle once, and the agenda of those that may fire. Nothing here recurses. */
#include "rt.h"

static struct waiter *waiter_new(struct rt *rt)
{
	struct waiter *w = rt->free_waiters;

	if (w)
		rt->free_waiters = w->next;
	else
		w = arena_new_of(rt->arena, struct waiter);
	return w;
}

void cell_hold(struct cell *c)
{
	c->pending++;
}

void cell_release(struct rt *rt, struct cell *c)
{
	if (--c->pending)
		return;
	c->next = NULL;
	*rt->agenda_last = c;
	rt->agenda_last = &c->next;
}

void cell_wait(struct rt *rt, struct cell *who, struct cell *what)
{
	struct waiter *w;

	if (what->done)
		return;
	w = waiter_new(rt);
	w->cell = who;
	w->next = what->waiters;
	what->waiters = w;
	who->pending++;
}

void cell_settle(struct rt *rt, struct cell *c, enum result r)
{
	struct waiter *in_order = NULL, *w;

	c->done = true;
	c->result = (uint8_t)r;
	for (struct waiter *next = NULL; (w = c->waiters); c->waiters = next) {     /* first come, first served */
		next = w->next;
		w->next = in_order;
		in_order = w;
	}
	while ((w = in_order)) {
		in_order = w->next;
		cell_release(rt, w->cell);
		w->next = rt->free_waiters;
		rt->free_waiters = w;
	}
}

void agenda_run(struct rt *rt)
{
	struct cell *c;

	while ((c = rt->agenda)) {
		rt->agenda = c->next;
		if (!rt->agenda)
			rt->agenda_last = &rt->agenda;
		if (c->kind == CELL_START)
			inst_start(rt, (struct inst *)(void *)((char *)c - offsetof(struct inst, start)));
		else if (c->kind == CELL_CALL) {
			struct callcell *call = (struct callcell *)(void *)c;

			call->fire(rt, call->data);
		} else if (!c->done)
			region_fire(rt, (struct portcell *)(void *)((char *)c - offsetof(struct portcell, cell)));
	}
}
