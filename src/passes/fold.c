/*
 * fold: constant expressions become literals; branches that are never taken, `for`s over nothing and loops without a
 * round go, and what is read of them becomes what it would have been; a branch that is always taken stands in the place
 * of its `if`. Steps are never removed for being unread: they run.
 *
 * needs nothing; gives IR_FOLDED; keeps everything else.
 */
#include "passes.h"

#include <stdlib.h>
#include <string.h>

#define MAX_ROUNDS 8                      /* each takes out what the one before made constant; more is possible only by design */

enum fate { LIVE, GONE, SPLICED, INSIDE };      /* INSIDE: in something that went */

struct dead { enum fate fate; uint32_t branch; };                      /* SPLICED: the branch that took its place */

struct fold {
	struct folder f;
	struct dead *dead;                /* by node id */
	bool changed;
};

/* ---- what a reference to something that went has become ---- */

static struct expr *null_lit(struct folder *f, struct span sp)
{
	struct value v = { .type = type_of(T_NULL) };

	return expr_lit(f->m->arena, &v, sp);
}

static struct expr *text_lit(struct folder *f, const char *s, struct span sp)
{
	struct value v = { .type = type_of(T_STRING), .u.s = str_internz(f->m->strs, s) };

	return expr_lit(f->m->arena, &v, sp);
}

static struct expr *of_loop(struct folder *f, const struct node *n, uint32_t port, struct span sp)
{
	struct value zero = { .type = type_of(T_INT) };

	for (uint32_t i = 0; i < n->u.loop.n; i++)
		if (n->u.loop.v[i].name == n->ports[port].name)
			return n->u.loop.v[i].init;
	return expr_lit(f->m->arena, &zero, sp);                        /* iterations */
}

static struct expr *of_for(struct folder *f, const struct node *n, uint32_t port, struct span sp)
{
	struct value v = { .type = n->ports[port].type };

	v.type.opt = false;
	return expr_lit(f->m->arena, &v, sp);
}

/* A port of an `if` whose branches that set it have all gone. */
static bool never_set(const struct node *n, uint32_t port)
{
	if (n->kind != N_IF)
		return false;
	for (uint32_t i = 0; i < n->u.if_.n; i++)
		if (n->ports[port].value[i])
			return false;
	return true;
}

static struct expr *subst(struct folder *f, struct expr *ref)
{
	const struct fold *p = f->data;
	const struct node *n = ref->u.node;
	const struct dead *d;

	if (ref->fn != REF_OUTPUT && ref->fn != REF_STATUS && ref->fn != REF_EXIT_CODE)
		return NULL;
	d = &p->dead[n->id];
	if (d->fate == LIVE)
		return ref->fn == REF_OUTPUT && never_set(n, ref->n) ? null_lit(f, ref->span) : NULL;
	if (ref->fn == REF_STATUS)
		return text_lit(f, "skipped", ref->span);
	if (ref->fn == REF_EXIT_CODE || d->fate == INSIDE)
		return null_lit(f, ref->span);
	if (d->fate == GONE && n->kind == N_FOR)
		return of_for(f, n, ref->n, ref->span);
	if (d->fate == GONE && n->kind == N_LOOP)
		return of_loop(f, n, ref->n, ref->span);
	if (d->fate == GONE || !n->ports[ref->n].value[d->branch])
		return null_lit(f, ref->span);
	return n->ports[ref->n].value[d->branch];
}

/* ---- taking out ---- */

static bool cond_is(const struct expr *c, bool b)
{
	return c->op == EX_LIT && type_is(c->u.lit->type, T_BOOL) && c->u.lit->u.b == b;
}

struct burial { struct fold *p; struct graph *grave, *home; uint32_t steps; };

/* Steps in loops and sweeps are rounds and trials: no steps of the run. */
static bool counts(const struct node *n, const struct graph *grave)
{
	for (const struct graph *g = n->graph; g != grave; g = g->owner->graph)
		if (g->owner->kind == N_LOOP || g->owner->kind == N_SWEEP)
			return false;
	return !n->hidden && n->kind != N_IF && n->kind != N_FOR && n->kind != N_LOOP && n->kind != N_GROUP;
}

static void bury(struct node *n, void *data)
{
	struct burial *b = data;

	b->p->dead[n->id].fate = INSIDE;
	if (!counts(n, b->grave))
		return;
	b->steps++;
	if (b->home)
		vec_push(b->p->f.m->arena, &b->home->skipped, n);
}

/* Everything in g goes; its steps are listed as skipped in home (NULL: they have no instances). The number of steps. */
static uint32_t bury_graph(struct fold *p, struct graph *g, struct graph *home)
{
	struct burial b = { p, g, home, 0 };

	for (uint32_t i = 0; i < g->nodes.n; i++) {
		bury(g->nodes.v[i], &b);
		node_within(g->nodes.v[i], bury, &b);
	}
	for (uint32_t i = 0; home && i < g->skipped.n; i++)
		vec_push(p->f.m->arena, &home->skipped, g->skipped.v[i]);
	g->nodes.n = 0;
	p->changed = true;
	return b.steps;
}

static void remark_branch(struct fold *p, const struct node *n, uint32_t i, uint32_t steps, const char *why)
{
	diag_remark(p->f.d, n->u.if_.v[i].cond ? n->u.if_.v[i].cond->span : n->span, "fold: branch %u of '%s' is never taken, because %s: %u step%s removed", i + 1,
	            n->name->s, why, steps, steps == 1 ? "" : "s");
}

/* Drops the branches that are never taken; those kept move up, with the values of the ports. */
static void prune_if(struct fold *p, struct node *n)
{
	uint32_t kept = 0, *from = arena_array(p->f.m->arena, uint32_t, n->u.if_.n), all = n->u.if_.n;
	bool closed = false;

	for (uint32_t i = 0; i < all; i++) {
		struct branch *b = &n->u.if_.v[i];

		if (closed || (b->cond && cond_is(b->cond, false))) {
			remark_branch(p, n, i, bury_graph(p, b->body, n->graph), closed ? "one before it always is" : "its condition is false");
			continue;
		}
		closed = !b->cond || cond_is(b->cond, true);
		if (closed && b->cond) {
			b->cond = NULL;
			p->changed = true;
		}
		from[kept] = i;
		n->u.if_.v[kept++] = *b;
	}
	if (kept == all)
		return;
	n->u.if_.n = kept;
	for (uint32_t j = 0; j < n->nports; j++)
		for (uint32_t k = 0; n->ports[j].value && k < kept; k++)
			n->ports[j].value[k] = n->ports[j].value[from[k]];
}

static void append_after(struct arena *a, struct node *n, const struct order *v, uint32_t k)
{
	if (!k)
		return;
	n->after = arena_grow(a, n->after, n->nafter * sizeof *n->after, (n->nafter + k) * sizeof *n->after);
	memcpy(n->after + n->nafter, v, k * sizeof *v);
	n->nafter += k;
}

static void splice(struct fold *p, struct node *n, struct graph *g, struct graph *out)
{
	struct graph *body = n->u.if_.v[0].body;

	p->dead[n->id] = (struct dead){ SPLICED, 0 };
	p->changed = true;
	diag_remark(p->f.d, n->span, "fold: '%s' always takes the same branch: its %u node%s stand%s in its place", n->name->s, body->nodes.n, body->nodes.n == 1 ? "" : "s",
	            body->nodes.n == 1 ? "s" : "");
	for (uint32_t i = 0; i < body->nodes.n; i++) {
		struct node *x = body->nodes.v[i];

		x->graph = g;
		append_after(p->f.m->arena, x, n->after, n->nafter);
		vec_push(p->f.m->arena, &out->nodes, x);
	}
	for (uint32_t i = 0; i < body->skipped.n; i++)
		vec_push(p->f.m->arena, &g->skipped, body->skipped.v[i]);
}

static bool is_gone(struct fold *p, struct node *n)
{
	uint32_t steps;

	if (n->kind == N_IF && !n->u.if_.n)
		return true;
	if (n->kind == N_FOR && n->u.for_.list->op == EX_LIT && n->u.for_.list->u.lit->type.list && !n->u.for_.list->u.lit->n) {
		steps = bury_graph(p, n->u.for_.body, NULL);
		diag_remark(p->f.d, n->span, "fold: '%s' runs over an empty list: %u step%s removed", n->name->s, steps, steps == 1 ? "" : "s");
		return true;
	}
	if (n->kind == N_LOOP && n->u.loop.cond && cond_is(n->u.loop.cond, false)) {
		steps = bury_graph(p, n->u.loop.body, NULL);
		diag_remark(p->f.d, n->span, "fold: loop '%s' has no round, because its condition is false: %u step%s removed", n->name->s, steps, steps == 1 ? "" : "s");
		return true;
	}
	return false;
}

static bool is_settled(struct node *n)
{
	return n->kind != N_IF && n->kind != N_FOR && n->kind != N_LOOP;
}

static void prune_graph(struct fold *p, struct graph *g)
{
	struct graph out = { 0 };
	uint32_t i = 0;

	while (i < g->nodes.n && is_settled(g->nodes.v[i]))
		i++;
	if (i == g->nodes.n)
		return;
	for (i = 0; i < g->nodes.n; i++) {
		struct node *n = g->nodes.v[i];

		if (n->kind == N_IF)
			prune_if(p, n);
		if (is_gone(p, n)) {
			p->dead[n->id].fate = GONE;
			p->changed = true;
		} else if (n->kind == N_IF && n->u.if_.n == 1 && !n->u.if_.v[0].cond) {
			splice(p, n, g, &out);
		} else {
			vec_push(p->f.m->arena, &out.nodes, n);
		}
	}
	g->nodes.v = out.nodes.v;
	g->nodes.n = out.nodes.n;
	g->nodes.cap = out.nodes.cap;
}

/* ---- order edges to what went ---- */

static void mend_after(struct node *n, void *data)
{
	const struct fold *p = data;
	VEC(struct order) out = { 0 };
	uint32_t i = 0;

	while (i < n->nafter && p->dead[n->after[i].node->id].fate == LIVE)
		i++;
	if (i == n->nafter)
		return;
	for (i = 0; i < n->nafter; i++) {
		struct order o = n->after[i];
		const struct dead *d = &p->dead[o.node->id];

		if (d->fate == LIVE)
			vec_push(p->f.m->arena, &out, o);
		for (uint32_t k = 0; d->fate == SPLICED && k < o.node->u.if_.v[0].body->nodes.n; k++)
			vec_push(p->f.m->arena, &out, ((struct order){ o.node->u.if_.v[0].body->nodes.v[k], o.soft }));
	}
	n->after = out.v;
	n->nafter = out.n;
}

/* ---- the pass ---- */

static void fold_slot(struct expr **e, struct node *n, void *data)
{
	(void)n;
	fold_expr(data, e);
}

static void fold_node(struct node *n, void *data)
{
	struct fold *p = data;

	node_exprs(p->f.m, n, fold_slot, &p->f);
}

struct graphs { struct fold *p; VEC(struct graph *) v; };

static void collect_children(struct node *n, void *data)
{
	struct graphs *g = data;

	for (uint32_t i = 0; i < node_nchildren(n); i++)
		vec_push(g->p->f.m->arena, &g->v, node_child(n, i));
}

/* Inner graphs first, so that what is spliced is pruned already. */
static void prune_workflow(struct fold *p, struct ir_workflow *w)
{
	struct graphs g = { .p = p };

	vec_push(p->f.m->arena, &g.v, w->body);
	for (int i = 0; i < ON_COUNT; i++)
		if (w->on[i])
			vec_push(p->f.m->arena, &g.v, w->on[i]);
	workflow_nodes(w, collect_children, &g);
	for (uint32_t i = g.v.n; i-- > 0; )
		prune_graph(p, g.v.v[i]);
}

static void fold_workflow(struct fold *p, struct ir_workflow *w)
{
	p->dead = xcalloc(w->nnodes, sizeof *p->dead);
	for (int round = 0; ; round++) {
		workflow_exprs(w, fold_slot, &p->f);
		workflow_nodes(w, fold_node, p);
		ptrmap_free(&p->f.done);
		p->changed = false;
		if (p->f.rc || round == MAX_ROUNDS)
			break;
		prune_workflow(p, w);
		if (!p->changed)
			break;
		workflow_nodes(w, mend_after, p);
	}
	free(p->dead);
	p->dead = NULL;
}

static int run(struct ir *m, const struct target *t, const struct optset *o, struct diag *d)
{
	struct fold p = { .f = { .m = m, .d = d, .subst = subst } };

	(void)t;
	(void)o;
	p.f.data = &p;
	for (uint32_t i = 0; i < m->workflows.n; i++)
		fold_workflow(&p, m->workflows.v[i]);
	if (p.f.folded && !p.f.rc)
		diag_remark(d, m->entry->span, "fold: %u operation%s known at compile time", p.f.folded, p.f.folded == 1 ? "" : "s");
	return p.f.rc;
}

const struct pass pass_fold = {
	.name = "fold", .help = "computes constants; removes branches that are never taken", .gives = IR_FOLDED, .run = run,
};
