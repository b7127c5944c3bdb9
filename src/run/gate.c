/* max_parallel of `for`: at most so many instances of any one node in its body run together (docs/running.md, "Parallelism"). */
#include "rt.h"

struct gate { uint32_t busy; struct cell *first, *last; };

static struct gate *gate_of(struct rt *rt, struct region *r, const struct inst *owner, const struct node *n)
{
	if (!r->gates)
		r->gates = arena_array(rt->arena, struct gate, n->graph->workflow->nnodes - owner->node->id);
	return &r->gates[n->id - owner->node->id];
}

/* The next region around s that limits its instances. */
static struct scope *limited(struct scope *s)
{
	while (s && !(s->owner && s->owner->node->kind == N_FOR && s->owner->u.region->limit))
		s = s->up;
	return s;
}

static bool takes_part(const struct node *n)
{
	return n->kind == N_STEP || n->kind == N_CALL || n->kind == N_SWEEP || n->kind == N_WAIT || n->kind == N_APPROVE;
}

bool gate_enter(struct rt *rt, struct inst *i)
{
	uint8_t held = 0;

	if (!takes_part(i->node))
		return true;
	for (struct scope *s = limited(i->scope); s; s = limited(s->up)) {
		struct gate *g = gate_of(rt, s->owner->u.region, s->owner, i->node);

		if (held++ < i->gates)
			continue;
		if (g->busy >= s->owner->u.region->limit) {
			i->state = IS_GATED;
			i->start.next = NULL;
			if (g->first)
				g->last->next = &i->start;
			else
				g->first = &i->start;
			g->last = &i->start;
			return false;
		}
		g->busy++;
		i->gates++;
	}
	return true;
}

void gate_leave(struct rt *rt, struct inst *i)
{
	uint8_t held = 0;

	for (struct scope *s = i->gates ? limited(i->scope) : NULL; s && held < i->gates; s = limited(s->up), held++) {
		struct gate *g = gate_of(rt, s->owner->u.region, s->owner, i->node);
		struct cell *c = g->first;

		g->busy--;
		if (!c)
			continue;
		g->first = c->next;
		cell_hold(c);
		cell_release(rt, c);                                        /* tries again: the place is free now */
	}
	i->gates = 0;
}
