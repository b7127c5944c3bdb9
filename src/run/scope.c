/* Activations of graphs, the instances in them, and what each instance waits for. */
#include <string.h>

#include "journal.h"

const char *status_name(enum status s)
{
	static const char *const names[] = { "", "succeeded", "failed", "skipped" };

	return names[s];
}

/* ---- what a node waits for: found once for all its instances ---- */

struct collect { struct rt *rt; const struct node *node; VEC(struct dep) deps; };

static bool inside(const struct node *n, const struct node *region)
{
	while (n->graph->owner) {
		n = n->graph->owner;
		if (n == region)
			return true;
	}
	return false;
}

static void add_dep(struct collect *c, enum dep_kind kind, struct node *n, uint32_t port)
{
	uint32_t i = c->deps.n > 16 ? c->deps.n - 16 : 0;

	for (; i < c->deps.n; i++)
		if (c->deps.v[i].kind == kind && c->deps.v[i].node == n && c->deps.v[i].port == port)
			return;
	vec_push(c->rt->arena, &c->deps, ((struct dep){ (uint8_t)kind, n, port }));
}

static void dep_of_ref(struct expr *ref, void *data)
{
	struct collect *c = data;
	enum ref_kind k = ref->fn;

	if ((k != REF_OUTPUT && k != REF_STATUS && k != REF_EXIT_CODE) || inside(ref->u.node, c->node))
		return;
	add_dep(c, k == REF_OUTPUT ? DEP_VALUE : DEP_STATUS, ref->u.node, k == REF_OUTPUT ? ref->n : 0);
}

static void deps_of(struct collect *c, struct expr *e)
{
	if (e)
		expr_refs(e, dep_of_ref, c);
}

static void deps_of_region(struct collect *c, const struct node *n)
{
	switch (n->kind) {
	case N_IF:
		for (uint32_t i = 0; i < n->u.if_.n; i++)
			deps_of(c, n->u.if_.v[i].cond);
		break;
	case N_FOR:
		deps_of(c, n->u.for_.list);
		deps_of(c, n->u.for_.max_parallel);
		break;
	case N_LOOP:
		for (uint32_t i = 0; i < n->u.loop.n; i++) {
			deps_of(c, n->u.loop.v[i].init);
			deps_of(c, n->u.loop.v[i].next);
		}
		deps_of(c, n->u.loop.cond);
		break;
	case N_SWEEP:
		for (uint32_t i = 0; i < n->u.sweep->body->nodes.n; i++) {
			const struct node *b = n->u.sweep->body->nodes.v[i];

			for (uint32_t k = 0; k < b->nins; k++)
				deps_of(c, b->ins ? b->ins[k] : NULL);
		}
		deps_of(c, n->u.sweep->max_parallel);
		break;
	default:
		break;
	}
}

static void find_deps(struct rt *rt, const struct node *n, struct nodeinfo *info)
{
	struct collect c = { rt, n, { 0 } };

	for (uint32_t i = 0; i < n->nins; i++)
		deps_of(&c, n->ins ? n->ins[i] : NULL);
	for (uint32_t i = 0; n->to && i < n->nports; i++)
		deps_of(&c, n->to[i]);
	deps_of_region(&c, n);
	if (n->kind == N_FAIL)
		deps_of(&c, n->u.fail.message);
	if (n->kind == N_APPROVE) {
		deps_of(&c, n->u.approve.message);
		for (uint32_t i = 0; i < n->u.approve.n; i++) {
			deps_of(&c, n->u.approve.v[i].dflt);
			deps_of(&c, n->u.approve.v[i].in);
		}
	}
	for (uint32_t i = 0; i < n->nafter; i++)
		add_dep(&c, n->after[i].soft ? DEP_SOFT : DEP_HARD, n->after[i].node, 0);
	info->deps = c.deps.v;
	info->ndeps = c.deps.n;
	info->has_deps = true;
}

struct reads { struct rt *rt; const struct node *what; bool found; };

struct nodeinfo *node_deps(struct rt *rt, const struct node *n)
{
	struct nodeinfo *info = node_info(rt, n);

	if (!info->has_deps)
		find_deps(rt, n, info);
	return info;
}

static void reads_one(struct node *n, void *data)
{
	struct reads *r = data;
	struct nodeinfo *info = node_deps(r->rt, n);

	for (uint32_t k = 0; k < info->ndeps && !r->found; k++)
		r->found = info->deps[k].kind == DEP_VALUE && info->deps[k].node == r->what;
}

bool node_reads(struct rt *rt, struct node *n, const struct node *what)
{
	struct reads r = { rt, what, false };

	reads_one(n, &r);
	if (!r.found && node_nchildren(n))
		node_within(n, reads_one, &r);
	return r.found;
}

struct nodeinfo *node_info(struct rt *rt, const struct node *n)
{
	return &rt->info[n->graph->workflow->id][n->id];
}

/* ---- activations ---- */

struct scope *scope_open(struct rt *rt, struct graph *g, struct scope *up, struct inst *owner, struct wfrun *wf, uint32_t index)
{
	struct scope *s = arena_new_of(rt->arena, struct scope);

	s->graph = g;
	s->up = up;
	s->owner = owner;
	s->wf = wf;
	s->index = index;
	s->on_block = up && up->on_block;
	s->open = g->nodes.n;
	s->inst = arena_array(rt->arena, struct inst, g->nodes.n);
	for (uint32_t k = 0; k < g->nodes.n; k++) {
		struct inst *i = &s->inst[k];

		i->node = g->nodes.v[k];
		i->scope = s;
		i->exit_code = -1;
		i->start.kind = CELL_START;
		i->end.kind = CELL_END;
		node_info(rt, i->node)->pos = k;
	}
	return s;
}

static struct inst *inst_of(struct rt *rt, struct scope *s, const struct node *n)
{
	for (; s; s = s->up)
		if (s->graph == n->graph)
			return &s->inst[node_info(rt, n)->pos];
	return NULL;
}

struct inst *scope_inst(struct rt *rt, struct scope *s, const struct node *n)
{
	return inst_of(rt, s, n);
}

static bool has_cells(const struct node *n)
{
	return n->kind == N_IF || n->kind == N_FOR || n->kind == N_GROUP;
}

struct cell *ref_cell(struct rt *rt, struct scope *s, enum dep_kind k, struct node *n, uint32_t port)
{
	struct node *top = n;
	struct inst *i;

	while (!(i = inst_of(rt, s, top)))
		top = top->graph->owner;                                    /* n stands in a region that s is not in */
	if (top != n)
		return &order_cell(rt, i, n)->cell;
	if (k == DEP_VALUE && has_cells(n))
		return &port_cell(rt, i, port)->cell;
	return &i->end;
}

/* Steps that pass cse took out: which one of this activation runs in their place. */
static void note_merged(struct rt *rt, struct scope *s)
{
	for (uint32_t k = 0; k < s->graph->merged.n; k++) {
		const struct same_step *m = &s->graph->merged.v[k];
		struct inst gone = { .node = m->node, .scope = s };
		struct strbuf name = { 0 }, into = { 0 };

		inst_name(&gone, &name);
		inst_name(scope_inst(rt, s, m->into), &into);
		journal_merged(rt, name.s, name.n, into.s, into.n);
		sb_free(&name);
		sb_free(&into);
	}
}

void scope_start(struct rt *rt, struct scope *s)
{
	uint32_t n = s->graph->nodes.n;

	note_merged(rt, s);
	for (uint32_t k = 0; k < n; k++) {
		struct inst *i = &s->inst[k];
		struct nodeinfo *info = node_deps(rt, i->node);

		cell_hold(&i->start);
		for (uint32_t d = 0; d < info->ndeps; d++)
			cell_wait(rt, &i->start, ref_cell(rt, s, info->deps[d].kind, info->deps[d].node, info->deps[d].port));
		rt_count(rt, i);
		cell_release(rt, &i->start);
	}
	if (!n)
		scope_ended(rt, s);
}

/* ---- the end of an instance ---- */

bool inst_is_step(const struct inst *i)
{
	switch (i->node->kind) {
	case N_STEP: case N_CALL: case N_SWEEP: case N_WAIT: case N_APPROVE: case N_SERVICE: case N_FAIL:
		return !i->node->hidden && !(i->scope->owner && i->scope->owner->node->kind == N_SWEEP);
	default:
		return false;
	}
}

static bool is_trial(const struct inst *i)
{
	return i->scope->owner && i->scope->owner->node->kind == N_SWEEP;
}

static void record_failure(struct rt *rt, struct inst *i)
{
	struct wfrun *wf = i->scope->wf;

	if (i->node->kind == N_CALL && i->node->hidden && i->u.region && i->u.region->wf) {
		const struct wfrun *in = i->u.region->wf;

		for (uint32_t k = 0; k < in->failures.n; k++)
			vec_push(rt->arena, &wf->failures, in->failures.v[k]);
	} else if (i->node->kind != N_LOOP || i->err)                       /* a loop fails because of a step that is recorded */
		vec_push(rt->arena, &wf->failures, i->node->name);
	wf->failed = true;
	i->scope->failed = true;
	if (!i->scope->on_block && wf->w->fail_fast && !rt->o->keep_going && !wf->stopped) {
		wf->stopped = true;
		sched_stop(rt);
	}
}

void inst_end(struct rt *rt, struct inst *i, enum status st, int exit_code)
{
	struct scope *s = i->scope;

	i->state = IS_ENDED;
	i->status = (uint8_t)st;
	i->exit_code = exit_code;
	if (st == ST_FAILED && !i->node->allow_failure && !is_trial(i))
		record_failure(rt, i);
	if (st == ST_SKIPPED && i->why != WHY_CONDITION)
		s->failed = true;
	rt_ended(rt, i);
	gate_leave(rt, i);
	cell_settle(rt, &i->end, RES_OK);
	if (i->u.region && has_cells(i->node) && !i->u.region->expanded)
		for (struct portcell *p = i->u.region->cells; p; p = p->next)
			if (!p->cell.done && !p->cell.pending)
				region_fire(rt, p);
	if (--s->open == 0)
		scope_ended(rt, s);
}

void inst_skip(struct rt *rt, struct inst *i, enum why why)
{
	i->why = (uint8_t)why;
	inst_end(rt, i, ST_SKIPPED, -1);
}

void inst_fail(struct rt *rt, struct inst *i, int exit_code, const char *fmt, ...)
{
	struct strbuf b = { 0 };
	va_list ap;

	va_start(ap, fmt);
	sb_vf(&b, fmt, ap);
	va_end(ap);
	i->err = arena_dup(rt->arena, b.s, b.n);
	sb_free(&b);
	inst_end(rt, i, ST_FAILED, exit_code);
}

bool stopped(const struct rt *rt, const struct inst *i)
{
	if (rt->stopping)
		return true;
	for (const struct wfrun *wf = i->scope->wf; wf; wf = wf->up)
		if (wf->stopped && wf->phase < 0)
			return true;
	return false;
}

void inst_name(const struct inst *i, struct strbuf *b)
{
	uint32_t index[256], n = 0;

	sb_str(b, i->scope->wf->prefix);
	sb_str(b, i->node->name);
	for (const struct scope *s = i->scope; s && n < 256; s = s->up)
		if (s->owner && (s->owner->node->kind == N_FOR || s->owner->node->kind == N_LOOP || s->owner->node->kind == N_SWEEP))
			index[n++] = s->index;
	while (n) {
		sb_ch(b, '[');
		sb_int(b, index[--n]);
		sb_ch(b, ']');
	}
}
