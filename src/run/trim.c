/* --cache-budget: after a run what is kept fits a budget. What the policy keeps of this workflow goes last. */
#include <string.h>

#include "couler/cachepolicy.h"
#include "couler/run.h"

static void add(const struct cache_item *i, void *data)
{
	keep_ir_add(data, i->step, strlen(i->step), i->seconds, (double)i->bytes, i->time);
}

/* The newest result of a step that the policy keeps; results of other workflows go by their age, as ever. */
static int rank(const char *step, size_t n, double time, void *data)
{
	enum keep_fate fate = keep_ir_fate(data, step, n);

	if (fate == KEEP_FOREIGN || fate == KEEP_UNKNOWN)
		return 1;
	return fate == KEEP_YES && time >= keep_ir_time(data, step, n) ? 2 : 0;
}

int cache_trim(const char *store, struct ir *m, double budget, struct cache_gc *g, char **err)
{
	struct arena *a = arena_new();
	struct keep_ir *k = keep_ir_new(a, m);
	int rc = cache_each(store, add, k, err);

	if (!rc && !keep_ir_decide(k, keep_policy_find("couler+"), budget)) {
		g->rank = rank;
		g->data = k;
	}
	g->max_bytes = budget;
	g->max_age = -1;
	rc = rc ? rc : cache_gc(store, g, err);
	arena_free(a);
	return rc;
}
