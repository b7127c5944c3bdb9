/*
 * A workflow's graph as policies see it: the nodes of its body, a region or a call as one. Times and sizes are those of the
 * newest result of each step; "NAME[3]" and "CALL.STEP" count towards NAME and CALL.
 */
#include <string.h>

#include "couler/cachepolicy.h"
#include "couler/ir.h"

#define LATENCY 0.2                       /* s to load a result, and bytes a second: an object store's */
#define RATE 200e6

struct figure { double seconds, bytes, time; uint32_t at; };
struct keep_ir {
	struct arena *arena;
	struct ir *m;
	struct graph *g;
	struct strmap place, figures;     /* step's name -> position + 1; full name -> struct figure */
	VEC(struct figure *) all;
	bool *known, *kept;               /* by position */
	uint32_t at;
	double *seconds, *bytes;
};

static void name_of(struct node *n, void *data)
{
	struct keep_ir *k = data;

	if (!strmap_get(&k->place, n->name))
		strmap_put(k->arena, &k->place, n->name, (void *)(uintptr_t)(k->at + 1));
}

struct keep_ir *keep_ir_new(struct arena *a, struct ir *m)
{
	struct keep_ir *k = arena_new_of(a, struct keep_ir);

	*k = (struct keep_ir){ .arena = a, .m = m, .g = m->entry->body };
	k->known = arena_array(a, bool, k->g->nodes.n + 1);
	k->kept = arena_array(a, bool, k->g->nodes.n + 1);
	k->seconds = arena_array(a, double, k->g->nodes.n + 1);
	k->bytes = arena_array(a, double, k->g->nodes.n + 1);
	for (k->at = 0; k->at < k->g->nodes.n; k->at++) {
		name_of(k->g->nodes.v[k->at], k);
		node_within(k->g->nodes.v[k->at], name_of, k);
	}
	return k;
}

/* UINT32_MAX: not of this workflow. */
static uint32_t place_of(const struct keep_ir *k, const char *name, size_t n)
{
	size_t end = 0;

	while (end < n && name[end] != '[' && name[end] != '.')
		end++;
	return (uint32_t)(uintptr_t)strmap_get(&k->place, str_intern(k->m->strs, name, end)) - 1;
}

void keep_ir_add(struct keep_ir *k, const char *name, size_t n, double seconds, double bytes, double time)
{
	const struct str *full = str_intern(k->m->strs, name, n);
	struct figure *f = strmap_get(&k->figures, full);
	uint32_t at = place_of(k, name, n);

	if (at == UINT32_MAX || !(seconds >= 0) || !(bytes >= 0))
		return;
	if (!f) {
		f = arena_new_of(k->arena, struct figure);
		strmap_put(k->arena, &k->figures, full, f);
		vec_push(k->arena, &k->all, f);
		f->time = -1;
	}
	if (time >= f->time)
		*f = (struct figure){ seconds, bytes, time, at };
}

int keep_ir_decide(struct keep_ir *k, const struct keep_policy *policy, double budget)
{
	struct arena *scratch = arena_new();
	struct edges *e = graph_edges(scratch, k->g);
	uint32_t n = e->n, m = e->start[n];
	uint32_t (*edge)[2] = arena_alloc(scratch, (m + 1) * sizeof *edge);
	struct keep_graph *g;
	struct keep *c;
	uint64_t *all;

	for (uint32_t i = 0; i < k->all.n; i++) {
		k->known[k->all.v[i]->at] = true;
		k->seconds[k->all.v[i]->at] += k->all.v[i]->seconds;
		k->bytes[k->all.v[i]->at] += k->all.v[i]->bytes;
	}
	for (uint32_t u = 0; u < n; u++)
		for (uint32_t j = e->start[u]; j < e->start[u + 1]; j++) {
			edge[j][0] = e->pred[j];
			edge[j][1] = u;
		}
	g = n ? keep_graph_new(scratch, n, (const uint32_t (*)[2])edge, m, k->seconds, k->bytes, LATENCY, RATE) : NULL;
	if (!g) {
		arena_free(scratch);
		return n ? -1 : 0;
	}
	c = keep_new(scratch, g, policy, budget);
	all = arena_array(scratch, uint64_t, g->words);
	for (uint32_t u = 0; u < n; u++)
		if (k->known[u])
			keep_add(all, u);
	keep_begin(c, all, true);
	for (uint32_t i = 0; i < n; i++)
		if (k->known[g->topo[i]])
			keep_made(c, g->topo[i]);
	for (uint32_t u = 0; u < n; u++)
		k->kept[u] = keep_has(c->have, u);
	arena_free(scratch);
	return 0;
}

enum keep_fate keep_ir_fate(const struct keep_ir *k, const char *name, size_t n)
{
	uint32_t at = place_of(k, name, n);

	return at == UINT32_MAX ? KEEP_FOREIGN : !k->known[at] ? KEEP_UNKNOWN : k->kept[at] ? KEEP_YES : KEEP_NO;
}

double keep_ir_seconds(const struct keep_ir *k, const char *name, size_t n)
{
	uint32_t at = place_of(k, name, n);

	return at == UINT32_MAX ? 0 : k->seconds[at];
}

double keep_ir_time(const struct keep_ir *k, const char *name, size_t n)
{
	const struct figure *f = strmap_get(&k->figures, str_intern(k->m->strs, name, n));

	return f ? f->time : -1;
}

double keep_ir_bytes(const struct keep_ir *k, const char *name, size_t n)
{
	uint32_t at = place_of(k, name, n);

	return at == UINT32_MAX ? 0 : k->bytes[at];
}
