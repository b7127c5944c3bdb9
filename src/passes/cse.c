/*
 * cse: two steps with the same identity become one where the cache would reuse the one for the other within a run
 * (docs/optimizer.md, "The same step twice"): never effects, `cache = off`, or `auto` sources. What read the second
 * reads the first; the second is listed in graph.merged, so that its name still has a result.
 *
 * A step stands for another one in its own graph, or in a region further in. Besides equal identities that takes equal
 * `after` and attributes (labels aside), so that both start, fail and end alike, and no `to` of the second. In a region
 * everything beside it must need it: else what is independent of it would wait for the first, too.
 *
 * needs nothing; gives nothing; keeps everything.
 */
#include "passes.h"

#include <stdlib.h>
#include <string.h>

#include "identity.h"

#define MAX_TRIED 64                      /* steps equal in all that is hashed that one is held against before it stays */
#define MAX_ROUNDS 64                     /* each finds what the one before made equal; a chain written backwards takes its length */

struct entry { uint64_t hash; struct node *node; struct entry *next; };
struct table { struct entry **slot; uint32_t mask; };

struct cse {
	struct ir *m;
	struct diag *d;
	struct ir_workflow *w;
	struct node **rep;                /* by node id: what stands for it, NULL: itself */
	bool *escapes;                    /* by node id: read or waited for by something outside its graph */
	struct identities *ids;
	struct table full, some;          /* by identity, attributes and `after`; by identity alone */
	uint32_t merged;
	struct arena *scratch;
	bool names;                       /* some `on` block reads the names of failed steps */
};

/* ---- which steps ---- */

static bool has_artifact(const struct ir_task *t)
{
	for (uint32_t i = 0; i < t->nins; i++)
		if (type_is_path(t->ins[i].type))
			return true;
	return false;
}

/* As the local engine decides it (docs/running.md, "Caching"). */
static bool is_pure(const struct node *n)
{
	const struct ir_cache *c = &n->attrs->cache;
	const struct ir_task *t = n->u.task;

	if (n->kind != N_STEP || n->hidden || c->mode == CACHE_OFF || (n->attrs->mounts.n && !c->given))
		return false;
	if (t->job && str_eq(t->job->kind, "kubernetes"))
		return false;
	return c->mode == CACHE_ON || (has_artifact(t) && (t->nouts || c->given));
}

/* ---- may b go, with a in its place? ---- */

static struct node *rep_of(const struct cse *p, struct node *n)
{
	while (p->rep[n->id])
		n = p->rep[n->id];
	return n;
}

static bool waits_for(const struct cse *p, const struct node *n, struct order o)
{
	for (uint32_t i = 0; i < n->nafter; i++)
		if (rep_of(p, n->after[i].node) == rep_of(p, o.node) && n->after[i].soft == o.soft)
			return true;
	return false;
}

static bool same_after(const struct cse *p, const struct node *a, const struct node *b)
{
	for (uint32_t i = 0; i < a->nafter; i++)
		if (!waits_for(p, b, a->after[i]))
			return false;
	for (uint32_t i = 0; i < b->nafter; i++)
		if (!waits_for(p, a, b->after[i]))
			return false;
	return true;
}

static bool publishes(const struct node *n)
{
	for (uint32_t i = 0; n->to && i < n->nports; i++)
		if (n->to[i])
			return true;
	return false;
}

/* Whether all other nodes of n's graph need n, directly or not. */
static bool all_need(const struct node *n)
{
	struct arena *a = arena_new();
	struct edges *e = graph_edges(a, n->graph);
	uint32_t *topo = graph_topo(a, e), reached = 0;
	bool *need = arena_array(a, bool, e->n);

	for (uint32_t i = 0; topo && i < e->n; i++) {
		uint32_t v = topo[i];

		need[v] = n->graph->nodes.v[v] == n;
		for (uint32_t j = e->start[v]; j < e->start[v + 1]; j++)
			need[v] |= need[e->pred[j]] && !(e->flags[j] & EDGE_SOFT);
		reached += need[v];
	}
	arena_free(a);
	return reached == n->graph->nodes.n;
}

/* b stands in a region of a's graph, at any depth: nothing of the regions on the way may become later than it was. */
static bool may_reach_in(const struct cse *p, const struct node *a, const struct node *b)
{
	const struct node *at = b;

	if (p->escapes[b->id] || b->graph->nodes.n < 2)
		return false;
	for (; at && at->graph != a->graph; at = at->graph->owner)
		if (!all_need(at))
			return false;
	return at != NULL;
}

/* NULL, or why the two stay two though they do the same. */
static const char *obstacle(const struct cse *p, const struct node *a, const struct node *b)
{
	if (p->names)
		return "workflow.failed_steps is read, which would name only one of them";
	if (publishes(b))
		return "it publishes an output";
	if (a->allow_failure != b->allow_failure)
		return "only one of them has allow_failure";
	if (!same_after(p, a, b))
		return "they do not wait for the same steps";
	if (!identities_same_attrs(p->ids, a, b))
		return "their attributes (retry, timeout, resources, ...) differ";
	if (a->graph != b->graph && !may_reach_in(p, a, b))
		return "it stands in a region with steps that do not need it, or that gathers its outputs";
	return NULL;
}

/* ---- one round ---- */

static bool is_around(const struct graph *g, const struct node *n)
{
	for (const struct graph *h = n->graph; h; h = h->owner ? h->owner->graph : NULL)
		if (h == g)
			return true;
	return false;
}

static void merge(struct cse *p, struct node *a, struct node *b)
{
	struct diag_item *it;

	p->rep[b->id] = a;
	p->merged++;
	it = diag_remark(p->d, b->span, "cse: step '%s' does what '%s' does: it runs once for both", b->name->s, a->name->s);
	diag_note(p->d, it, a->span, "'%s' is here", a->name->s);
}

struct pending { struct cse *p; VEC(struct node *) v; uint64_t round; };

static void collect(struct node *n, void *data)
{
	struct pending *q = data;

	if (n->kind == N_STEP && is_pure(n) && !q->p->rep[n->id])
		vec_push(q->p->scratch, &q->v, n);
}

static uint64_t mixed(uint64_t x)
{
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

/* Equal for steps that may be one: `after` counts as a set. */
static uint64_t full_hash(struct cse *p, const struct node *n, uint64_t hash)
{
	uint64_t least = UINT64_MAX, most = 0;

	for (uint32_t i = 0; i < n->nafter; i++) {
		uint64_t h = mixed((uint64_t)rep_of(p, n->after[i].node)->id << 1 | n->after[i].soft);

		least = h < least ? h : least;
		most = h > most ? h : most;
	}
	return mixed(hash ^ mixed(identities_attrs_hash(p->ids, n)) ^ mixed(least + 3 * most + n->allow_failure));
}

/* The next step from e on that does what n does and is around it. */
static struct entry *next_equal(struct cse *p, struct entry *e, const struct node *n, uint64_t hash)
{
	for (; e; e = e->next)
		if (e->hash == hash && !p->rep[e->node->id] && is_around(e->node->graph, n) && identities_equal(p->ids, e->node, n))
			return e;
	return NULL;
}

/* An equal step before n that may stand for it. */
static struct node *find(struct cse *p, struct node *n, uint64_t full)
{
	uint32_t tried = 0;

	for (struct entry *e = next_equal(p, p->full.slot[full & p->full.mask], n, full); e && tried < MAX_TRIED; e = next_equal(p, e->next, n, full), tried++)
		if (!obstacle(p, e->node, n))
			return e->node;
	return NULL;
}

/* At most MAX_TRIED of one hash. */
static void add(struct cse *p, struct table *t, struct node *n, uint64_t hash)
{
	struct entry *e = arena_new_of(p->scratch, struct entry), **at = &t->slot[hash & t->mask];
	uint32_t same = 0;

	for (; *at; at = &(*at)->next)
		same += (*at)->hash == hash;
	if (same >= MAX_TRIED)
		return;
	*e = (struct entry){ hash, n, NULL };
	*at = e;
}

static void say_why(struct cse *p, struct node *n, uint64_t hash)
{
	struct entry *e = next_equal(p, p->some.slot[hash & p->some.mask], n, hash);
	const char *why = e ? obstacle(p, e->node, n) : NULL;

	if (why)
		diag_remark(p->d, n->span, "cse: step '%s' does what '%s' does, but both run: %s", n->name->s, e->node->name->s, why);
}

static void table_for(struct cse *p, struct table *t, uint32_t n)
{
	for (t->mask = 15; t->mask < 2 * n; )
		t->mask = 2 * t->mask + 1;
	t->slot = arena_array(p->scratch, struct entry *, t->mask + 1);
}

static uint32_t depth(const struct node *n)
{
	uint32_t k = 0;

	for (const struct graph *g = n->graph; g->owner; g = g->owner->graph)
		k++;
	return k;
}

/* Outer graphs first, so that what stands further in finds what is around it. */
static uint32_t round_of(struct cse *p, bool last)
{
	struct pending q = { .p = p };
	uint32_t before = p->merged, deepest = 0;

	workflow_nodes(p->w, collect, &q);
	for (uint32_t i = 0; i < q.v.n; i++)
		deepest = depth(q.v.v[i]) > deepest ? depth(q.v.v[i]) : deepest;
	table_for(p, &p->full, q.v.n);
	table_for(p, &p->some, last ? q.v.n : 0);
	for (uint32_t level = 0; level <= deepest; level++) {
		for (uint32_t i = 0; i < q.v.n; i++) {
			struct node *n = q.v.v[i], *a;
			uint64_t hash, full;

			if (depth(n) != level)
				continue;
			hash = identities_hash(p->ids, n);
			full = full_hash(p, n, hash);
			a = find(p, n, full);
			if (a) {
				merge(p, a, n);
				continue;
			}
			if (last)
				say_why(p, n, hash);
			add(p, &p->full, n, full);
			if (last)
				add(p, &p->some, n, hash);
		}
	}
	return p->merged - before;
}

/* ---- putting it into effect ---- */

static void escape_ref(struct expr *ref, void *data)
{
	struct pending *q = data;
	struct node *reader = q->v.v[0];

	if ((ref->fn == REF_OUTPUT || ref->fn == REF_STATUS || ref->fn == REF_EXIT_CODE) && reader && !is_around(ref->u.node->graph, reader))
		q->p->escapes[ref->u.node->id] = true;
}

static void escape_slot(struct expr **e, struct node *n, void *data)
{
	struct pending *q = data;

	q->v.v[0] = n;
	expr_refs(*e, escape_ref, q);
}

static void note_escapes(struct node *n, void *data)
{
	struct pending *q = data;

	node_exprs(q->p->m, n, escape_slot, q);
	for (uint32_t i = 0; i < n->nafter; i++)
		if (n->after[i].node->graph != n->graph)
			q->p->escapes[n->after[i].node->id] = true;
}

static void redirect(struct expr *ref, void *data)
{
	const struct cse *p = data;

	if (ref->fn == REF_OUTPUT || ref->fn == REF_STATUS || ref->fn == REF_EXIT_CODE)
		ref->u.node = rep_of(p, ref->u.node);
}

static void redirect_slot(struct expr **e, struct node *n, void *data)
{
	(void)n;
	expr_refs(*e, redirect, data);
}

static void redirect_node(struct node *n, void *data)
{
	const struct cse *p = data;
	uint32_t kept = 0;

	node_exprs(p->m, n, redirect_slot, data);
	for (uint32_t i = 0; i < n->nafter; i++) {
		struct order o = { rep_of(p, n->after[i].node), n->after[i].soft };
		bool again = false;

		for (uint32_t k = 0; k < kept; k++)
			again |= n->after[k].node == o.node && n->after[k].soft == o.soft;
		if (!again)
			n->after[kept++] = o;
	}
	n->nafter = kept;
}

static void drop(struct node *n, void *data)
{
	struct pending *q = data;

	if (q->p->rep[n->id])
		vec_push(q->p->scratch, &q->v, n);
}

static void take_out(struct cse *p)
{
	struct pending q = { .p = p };

	workflow_nodes(p->w, drop, &q);
	for (uint32_t i = 0; i < q.v.n; i++)
		vec_push(p->m->arena, &q.v.v[i]->graph->merged, ((struct same_step){ q.v.v[i], rep_of(p, q.v.v[i]) }));
	for (uint32_t i = 0; i < q.v.n; i++) {
		struct graph *g = q.v.v[i]->graph;
		uint32_t kept = 0;

		for (uint32_t k = 0; k < g->nodes.n; k++)
			if (!p->rep[g->nodes.v[k]->id])
				g->nodes.v[kept++] = g->nodes.v[k];
		g->nodes.n = kept;
		while (i + 1 < q.v.n && q.v.v[i + 1]->graph == g)
			i++;
	}
	workflow_exprs(p->w, redirect_slot, p);
	workflow_nodes(p->w, redirect_node, p);
}

static void whole(struct cse *p, struct ir_workflow *w)
{
	struct pending q = { .p = p };

	p->w = w;
	p->scratch = arena_new();
	p->rep = arena_array(p->scratch, struct node *, w->nnodes + 1);
	p->escapes = arena_array(p->scratch, bool, w->nnodes + 1);
	p->ids = identities_new(p->scratch, p->m, p->rep);
	vec_push(p->scratch, &q.v, NULL);
	workflow_nodes(w, note_escapes, &q);
	p->merged = 0;
	for (int i = 0; i < MAX_ROUNDS && round_of(p, false); i++)
		;
	if (p->d->remarks)
		round_of(p, true);
	if (p->merged)
		take_out(p);
	arena_free(p->scratch);
}

static void reads_names(struct expr *ref, void *data)
{
	if (ref->fn == REF_FIELD && ref->n == WF_failed_steps)
		((struct cse *)data)->names = true;
}

static void names_slot(struct expr **e, struct node *n, void *data)
{
	(void)n;
	expr_refs(*e, reads_names, data);
}

static void names_node(struct node *n, void *data)
{
	node_exprs(((struct cse *)data)->m, n, names_slot, data);
}

static int run(struct ir *m, const struct target *t, const struct optset *o, struct diag *d)
{
	struct cse p = { .m = m, .d = d };
	uint32_t all = 0;

	(void)t;
	(void)o;
	for (uint32_t i = 0; i < m->workflows.n; i++)
		workflow_nodes(m->workflows.v[i], names_node, &p);
	for (uint32_t i = 0; i < m->workflows.n; i++) {
		whole(&p, m->workflows.v[i]);
		all += p.merged;
	}
	if (all)
		diag_remark(d, m->entry->span, "cse: %u step%s fewer to run", all, all == 1 ? "" : "s");
	return 0;
}

const struct pass pass_cse = {
	.name = "cse", .help = "steps that do the same become one, where the cache would reuse the one for the other", .local = true, .run = run,
};
