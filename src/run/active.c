/* What is under way without a step of its own: waits, questions, services, pauses between attempts. */
#include "rt.h"

void active_add(struct rt *rt, struct active *a, void (*stop)(struct rt *, struct active *))
{
	a->stop = stop;
	a->next = rt->actives;
	a->prev = &rt->actives;
	if (a->next)
		a->next->prev = &a->next;
	rt->actives = a;
}

void active_remove(struct active *a)
{
	if (!a->prev)
		return;
	*a->prev = a->next;
	if (a->next)
		a->next->prev = a->prev;
	a->prev = NULL;
}

void actives_stop(struct rt *rt)
{
	for (struct active *a = rt->actives, *next; a; a = next) {
		next = a->next;
		a->stop(rt, a);
	}
}
