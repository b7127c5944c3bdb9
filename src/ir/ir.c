/* The IR: making a module and walking it. Every walk is iterative: regions nest as deep as they like. */
#include "couler/ir.h"

#include <stdlib.h>
#include <string.h>

const char *node_kind_name(enum node_kind k)
{
	static const char *const names[] = {
#define X(kind, s, r) [N_##kind] = s,
		NODE_KINDS(X)
#undef X
	};

	return k < N_COUNT ? names[k] : "?";
}

struct ir *ir_new(struct arena *a, struct strtab *strs, struct diag *d)
{
	struct ir *m = arena_new_of(a, struct ir);

	m->arena = a;
	m->strs = strs;
	m->diag = d;
	return m;
}

/* ---- regions ---- */

uint32_t node_nchildren(const struct node *n)
{
	switch ((enum node_kind)n->kind) {
	case N_IF:
		return n->u.if_.n;
	case N_FOR:
	case N_LOOP:
	case N_SWEEP:
	case N_GROUP:
		return 1;
	default:
		return 0;
	}
}

struct graph *node_child(const struct node *n, uint32_t i)
{
	switch ((enum node_kind)n->kind) {
	case N_IF:
		return n->u.if_.v[i].body;
	case N_FOR:
		return n->u.for_.body;
	case N_LOOP:
		return n->u.loop.body;
	case N_SWEEP:
		return n->u.sweep->body;
	case N_GROUP:
		return n->u.group;
	default:
		return NULL;
	}
}

struct node *node_in(struct node *n, const struct graph *g)
{
	while (n && n->graph != g)
		n = n->graph ? n->graph->owner : NULL;
	return n;
}

/* Graphs whose nodes are still to be met, the innermost on top. */
struct walk { struct { struct graph *g; uint32_t i; } *v; size_t n, cap; };

static void walk_push(struct walk *w, struct graph *g)
{
	if (!g)
		return;
	if (w->n == w->cap) {
		w->cap = w->cap ? 2 * w->cap : 16;
		w->v = xrealloc(w->v, w->cap * sizeof *w->v);
	}
	w->v[w->n].g = g;
	w->v[w->n++].i = 0;
}

static void walk_children(struct walk *w, const struct node *n)
{
	for (uint32_t i = node_nchildren(n); i-- > 0; )
		walk_push(w, node_child(n, i));
}

/* The next node, parents before what they hold; NULL at the end. Children of the node before are looked up now. */
static struct node *walk_next(struct walk *w, const struct node *before)
{
	if (before)
		walk_children(w, before);
	while (w->n && w->v[w->n - 1].i == w->v[w->n - 1].g->nodes.n)
		w->n--;
	return w->n ? w->v[w->n - 1].g->nodes.v[w->v[w->n - 1].i++] : NULL;
}

void workflow_nodes(struct ir_workflow *w, void (*f)(struct node *n, void *data), void *data)
{
	struct walk walk = { 0 };

	for (int i = ON_COUNT; i-- > 0; )
		walk_push(&walk, w->on[i]);
	walk_push(&walk, w->body);
	for (struct node *n = walk_next(&walk, NULL); n; n = walk_next(&walk, n))
		f(n, data);
	free(walk.v);
}

void node_within(struct node *region, void (*f)(struct node *n, void *data), void *data)
{
	struct walk walk = { 0 };

	for (struct node *n = walk_next(&walk, region); n; n = walk_next(&walk, n))
		f(n, data);
	free(walk.v);
}

/* ---- expression slots ---- */

struct slots { void (*f)(struct expr **e, struct node *n, void *data); struct node *n; void *data; };

static void slot(const struct slots *s, struct expr **e)
{
	if (*e)
		s->f(e, s->n, s->data);
}

static void slot_array(const struct slots *s, struct expr **e, uint32_t n)
{
	for (uint32_t i = 0; e && i < n; i++)
		slot(s, &e[i]);
}

static void attr_slots(const struct slots *s, struct attrs *a)
{
	struct expr **one[] = { &a->image, &a->cpu, &a->memory, &a->gpu, &a->gpu_type, &a->disk, &a->limit_cpu, &a->limit_memory, &a->retry.limit,
		&a->retry.backoff, &a->retry.factor, &a->retry.max_backoff, &a->retry.within, &a->timeout, &a->service_account, &a->priority };

	for (size_t i = 0; i < sizeof one / sizeof *one; i++)
		slot(s, one[i]);
	for (uint32_t i = 0; i < a->env.n; i++)
		slot(s, &a->env.v[i].value);
	slot_array(s, a->cache.key, a->cache.nkey);
	for (uint32_t i = 0; i < a->locks.n; i++)
		slot(s, &a->locks.v[i].name);
	for (uint32_t i = 0; i < a->labels.n; i++)
		slot(s, &a->labels.v[i].value);
	for (uint32_t i = 0; i < a->annotations.n; i++)
		slot(s, &a->annotations.v[i].value);
	for (uint32_t i = 0; i < a->selector.n; i++)
		slot(s, &a->selector.v[i].value);
}

static void task_slots(const struct slots *s, struct ir_task *t)
{
	if (!t)
		return;
	slot_array(s, t->argv, t->nargv);
	if (t->job) {
		slot(s, &t->job->workers);
		slot(s, &t->job->ps);
		slot(s, &t->job->slots);
		for (uint32_t i = 0; i < t->job->set.n; i++)
			slot(s, &t->job->set.v[i].value);
	}
	if (t->dataflow && t->dataflow->workers)
		attr_slots(s, (struct attrs *)t->dataflow->workers);
}

static void loop_slots(const struct slots *s, struct node *n)
{
	for (uint32_t i = 0; i < n->u.loop.n; i++) {
		slot(s, &n->u.loop.v[i].init);
		slot(s, &n->u.loop.v[i].next);
	}
	slot(s, &n->u.loop.cond);
}

static void kind_slots(const struct slots *s, struct node *n)
{
	switch ((enum node_kind)n->kind) {
	case N_STEP:
		task_slots(s, n->u.task);
		break;
	case N_IF:
		for (uint32_t i = 0; i < n->u.if_.n; i++)
			slot(s, &n->u.if_.v[i].cond);
		break;
	case N_FOR:
		slot(s, &n->u.for_.list);
		slot(s, &n->u.for_.max_parallel);
		break;
	case N_LOOP:
		loop_slots(s, n);
		break;
	case N_SWEEP:
		slot(s, &n->u.sweep->max_parallel);
		break;
	case N_WAIT:
		task_slots(s, n->u.wait.poll);
		break;
	case N_APPROVE:
		slot(s, &n->u.approve.message);
		for (uint32_t i = 0; i < n->u.approve.n; i++) {
			slot(s, &n->u.approve.v[i].dflt);
			slot(s, &n->u.approve.v[i].in);
		}
		break;
	case N_SERVICE:
		task_slots(s, n->u.service.task);
		break;
	case N_FAIL:
		slot(s, &n->u.fail.message);
		break;
	case N_CALL:
	case N_GROUP:
	case N_COUNT:
		break;
	}
}

static uint32_t port_values(const struct node *n)
{
	return n->kind == N_CALL ? 1 : n->kind == N_IF || n->kind == N_FOR || n->kind == N_GROUP ? node_nchildren(n) : 0;
}

void node_exprs(struct ir *m, struct node *n, void (*f)(struct expr **e, struct node *n, void *data), void *data)
{
	struct slots s = { f, n, data };

	(void)m;
	slot_array(&s, n->ins, n->nins);
	kind_slots(&s, n);
	if (n->attrs)
		attr_slots(&s, n->attrs);
	slot_array(&s, n->to, n->nports);
	for (uint32_t i = 0; i < n->nports; i++)
		slot_array(&s, n->ports[i].value, port_values(n));
}

void workflow_exprs(struct ir_workflow *w, void (*f)(struct expr **e, struct node *n, void *data), void *data)
{
	struct slots s = { f, NULL, data };

	for (uint32_t i = 0; i < w->nparams; i++) {
		slot(&s, &w->params[i].dflt);
		slot(&s, &w->params[i].in);
	}
	slot(&s, &w->max_parallel);
	slot(&s, &w->timeout);
	if (w->schedule)
		slot(&s, &w->schedule->only_if);
	for (uint32_t i = 0; i < w->locks.n; i++)
		slot(&s, &w->locks.v[i].name);
	for (uint32_t i = 0; i < w->labels.n; i++)
		slot(&s, &w->labels.v[i].value);
	for (uint32_t i = 0; i < w->annotations.n; i++)
		slot(&s, &w->annotations.v[i].value);
	for (uint32_t i = 0; i < w->nouts; i++) {
		slot(&s, &w->outs[i].value);
		slot(&s, &w->outs[i].to);
	}
}

/* ---- captures ---- */

struct captures {
	struct ir *m;
	struct node *region;
	VEC(struct capture) v;
	uint32_t *slot, cap;              /* index into v plus one */
};

static bool is_inside(const struct node *n, const struct node *region)
{
	while (n && n != region)
		n = n->graph ? n->graph->owner : NULL;
	return n != NULL;
}

static uint32_t capture_hash(enum ref_kind k, const struct node *n, uint32_t port)
{
	uint64_t h = ((uint64_t)(n ? n->id + 1 : 0) * UINT64_C(0x9e3779b97f4a7c15)) ^ ((uint64_t)port << 8 | k);

	h *= UINT64_C(0xff51afd7ed558ccd);
	return (uint32_t)(h >> 32);
}

static uint32_t *capture_slot(const struct captures *c, enum ref_kind k, const struct node *n, uint32_t port)
{
	uint32_t h = capture_hash(k, n, port) & (c->cap - 1);

	for (; c->slot[h]; h = (h + 1) & (c->cap - 1)) {
		const struct capture *x = &c->v.v[c->slot[h] - 1];

		if (x->kind == k && x->node == n && x->port == port)
			break;
	}
	return &c->slot[h];
}

static void capture_grow(struct captures *c)
{
	c->cap = c->cap ? 2 * c->cap : 32;
	free(c->slot);
	c->slot = xcalloc(c->cap, sizeof *c->slot);
	for (uint32_t i = 0; i < c->v.n; i++)
		*capture_slot(c, c->v.v[i].kind, c->v.v[i].node, c->v.v[i].port) = i + 1;
}

static void capture_ref(struct expr *ref, void *data)
{
	struct captures *c = data;
	enum ref_kind k = (enum ref_kind)ref->fn;
	bool global = k == REF_PARAM || k == REF_FIELD;
	struct node *n = global ? NULL : ref->u.node;
	uint32_t port = k == REF_STATUS || k == REF_EXIT_CODE || k == REF_ITEM || k == REF_INDEX ? 0 : ref->n, *at;

	if (k == REF_INPUT || k == REF_OUTPATH || k == REF_ENV || (!global && is_inside(n, c->region)))
		return;
	if (2 * (c->v.n + 1) > c->cap)
		capture_grow(c);
	at = capture_slot(c, k, n, port);
	if (*at)
		return;
	vec_push(c->m->arena, &c->v, ((struct capture){ k, n, port, ref->type, ref->span }));
	*at = c->v.n;
}

static void capture_slot_of(struct expr **e, struct node *n, void *data)
{
	(void)n;
	expr_refs(*e, capture_ref, data);
}

static void capture_node(struct node *n, void *data)
{
	struct captures *c = data;

	node_exprs(c->m, n, capture_slot_of, c);
}

uint32_t node_captures(struct ir *m, struct node *region, struct capture **out)
{
	struct captures c = { .m = m, .region = region };

	node_within(region, capture_node, &c);
	if (region->kind == N_LOOP) {
		for (uint32_t i = 0; i < region->u.loop.n; i++)
			expr_refs(region->u.loop.v[i].next, capture_ref, &c);
		expr_refs(region->u.loop.cond, capture_ref, &c);
	}
	for (uint32_t i = 0; i < region->nports; i++)
		for (uint32_t j = 0; region->ports[i].value && j < port_values(region); j++)
			expr_refs(region->ports[i].value[j], capture_ref, &c);
	free(c.slot);
	*out = c.v.v;
	return c.v.n;
}
