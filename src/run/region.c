/* Regions and calls: what an instance of each kind does when it may start, and when what is in it has ended. */
#include <string.h>

#include "rt.h"

static struct region *region_of(struct rt *rt, struct inst *i)
{
	if (!i->u.region) {
		i->u.region = arena_new_of(rt->arena, struct region);
		i->u.region->taken = -1;
	}
	return i->u.region;
}

/* ---- ports ---- */

struct connect { struct rt *rt; struct scope *scope; struct cell *cell; };

static void wait_for_ref(struct expr *ref, void *data)
{
	struct connect *c = data;
	enum ref_kind k = ref->fn;

	if (k == REF_OUTPUT || k == REF_STATUS || k == REF_EXIT_CODE)
		cell_wait(c->rt, c->cell, ref_cell(c->rt, c->scope, k == REF_OUTPUT ? DEP_VALUE : DEP_STATUS, ref->u.node, ref->n));
}

/* The expression of a port in a child graph; NULL where the branch lacks it. */
static struct expr *port_expr(const struct inst *i, uint32_t port)
{
	const struct node *n = i->node;
	int32_t which = n->kind == N_IF ? i->u.region->taken : 0;

	return which < 0 || !n->ports[port].value ? NULL : n->ports[port].value[which];
}

static void connect(struct rt *rt, struct portcell *p)
{
	struct region *r = p->inst->u.region;

	cell_hold(&p->cell);
	for (uint32_t k = 0; k < r->nchild; k++) {
		struct connect c = { rt, r->child[k], &p->cell };
		struct expr *e;

		if (p->cell.kind == CELL_ORDER) {
			const struct node *n = p->target;
			struct inst *in;

			while (n->graph != r->child[k]->graph && n->graph->owner && n->graph->owner != p->inst->node)
				n = n->graph->owner;
			if (n->graph != r->child[k]->graph)                         /* in the branch that was not taken */
				continue;
			in = scope_inst(rt, r->child[k], n);
			cell_wait(rt, &p->cell, n == p->target ? &in->end : &order_cell(rt, in, p->target)->cell);
			continue;
		}
		e = port_expr(p->inst, p->port);
		if (e)
			expr_refs(e, wait_for_ref, &c);
	}
	cell_release(rt, &p->cell);
}

static struct portcell *cell_new(struct rt *rt, struct inst *i, enum cell_kind kind, uint32_t port, const struct node *target)
{
	struct region *r = region_of(rt, i);
	struct portcell *p;

	for (p = r->cells; p; p = p->next)
		if (p->cell.kind == kind && p->port == port && p->target == target)
			return p;
	p = arena_new_of(rt->arena, struct portcell);
	p->cell.kind = kind;
	p->inst = i;
	p->port = port;
	p->target = target;
	p->next = r->cells;
	r->cells = p;
	if (r->expanded)
		connect(rt, p);
	else if (i->state == IS_ENDED)
		region_fire(rt, p);                                         /* it was skipped, or failed */
	return p;
}

struct portcell *port_cell(struct rt *rt, struct inst *region, uint32_t port)
{
	return cell_new(rt, region, CELL_PORT, port, NULL);
}

struct portcell *order_cell(struct rt *rt, struct inst *region, const struct node *target)
{
	return cell_new(rt, region, CELL_ORDER, 0, target);
}

bool port_is_status(const struct node *n, uint32_t port)
{
	for (;;) {
		const struct expr *e = NULL;
		uint32_t count = n->kind == N_IF ? n->u.if_.n : n->kind == N_FOR || n->kind == N_GROUP ? 1 : 0;

		for (uint32_t k = 0; k < count && !e; k++)
			e = n->ports[port].value ? n->ports[port].value[k] : NULL;
		if (!e || e->op != EX_REF)
			return false;
		if (e->fn == REF_STATUS)
			return true;
		if (e->fn != REF_OUTPUT)
			return false;
		n = e->u.node;
		port = e->n;
	}
}

/* The worst of what the references of e give: a failed producer, then nothing. */
struct worst { struct rt *rt; struct scope *scope; enum result r; };

static void worst_ref(struct expr *ref, void *data)
{
	struct worst *w = data;
	enum ref_kind k = ref->fn;

	if ((k == REF_OUTPUT || k == REF_STATUS || k == REF_EXIT_CODE) && ref_result(w->rt, w->scope, k, ref->u.node, ref->n) == RES_BLOCKED)
		w->r = RES_BLOCKED;
}

bool expr_blocked(struct rt *rt, struct scope *s, struct expr *e)
{
	struct worst w = { rt, s, RES_OK };

	expr_refs(e, worst_ref, &w);
	return w.r == RES_BLOCKED;
}

static enum result port_of_child(struct portcell *p, struct rt *rt, struct scope *s, struct expr *e, struct value *v)
{
	if (expr_blocked(rt, s, e))
		return RES_BLOCKED;
	if (rt_eval(rt, s, e, v, &p->err))
		return RES_ERROR;
	return v->type.kind == T_NULL && !v->type.list ? RES_ABSENT : RES_OK;
}

static enum result gather(struct rt *rt, struct portcell *p)
{
	struct region *r = p->inst->u.region;
	struct expr *e = port_expr(p->inst, p->port);
	struct value *list = arena_array(rt->arena, struct value, r->nchild ? r->nchild : 1);
	uint32_t n = 0;

	for (uint32_t k = 0; k < r->nchild && e; k++) {
		enum result res = port_of_child(p, rt, r->child[k], e, &list[n]);

		if (res == RES_BLOCKED || res == RES_ERROR)
			return res;
		n += res == RES_OK;                                         /* a gathered T? drops what is absent */
	}
	p->value.type = (struct type){ p->inst->node->ports[p->port].type.kind, true, false };
	p->value.n = n;
	p->value.u.list = list;
	return RES_OK;
}

static enum result order_result(struct rt *rt, struct portcell *p)
{
	struct region *r = p->inst->u.region;

	for (uint32_t k = 0; k < r->nchild; k++) {
		const struct node *n = p->target;
		struct inst *in;

		while (n->graph != r->child[k]->graph && n->graph->owner && n->graph->owner != p->inst->node)
			n = n->graph->owner;
		if (n->graph != r->child[k]->graph)
			continue;
		in = scope_inst(rt, r->child[k], n);
		if (n != p->target ? order_cell(rt, in, p->target)->cell.result == RES_BLOCKED
				   : in->status == ST_FAILED || (in->status == ST_SKIPPED && in->why != WHY_CONDITION))
			return RES_BLOCKED;
	}
	return RES_OK;
}

static enum result not_expanded(struct rt *rt, struct portcell *p)
{
	const struct node *n = p->inst->node;

	if (p->cell.kind == CELL_PORT && n->kind != N_FOR && port_is_status(n, p->port)) {
		p->value = rt_string(rt, "skipped");
		return RES_OK;
	}
	return p->inst->status == ST_SKIPPED && p->inst->why == WHY_CONDITION ? RES_ABSENT : RES_BLOCKED;
}

void region_fire(struct rt *rt, struct portcell *p)
{
	struct region *r = p->inst->u.region;
	enum result res;

	if (!r->expanded)
		res = not_expanded(rt, p);
	else if (p->cell.kind == CELL_ORDER)
		res = order_result(rt, p);
	else if (p->inst->node->kind == N_FOR)
		res = gather(rt, p);
	else if (port_expr(p->inst, p->port))
		res = port_of_child(p, rt, r->child[0], port_expr(p->inst, p->port), &p->value);
	else if (port_is_status(p->inst->node, p->port)) {
		p->value = rt_string(rt, "skipped");
		res = RES_OK;
	} else
		res = RES_ABSENT;
	if (res == RES_ABSENT)
		p->value.type = type_of(T_NULL);
	cell_settle(rt, &p->cell, res);
}

void region_expanded(struct rt *rt, struct inst *i)
{
	i->u.region->expanded = true;
	for (struct portcell *p = i->u.region->cells; p; p = p->next)
		connect(rt, p);
}

/* ---- if, for, group ---- */

static void fail_eval(struct rt *rt, struct inst *i, const char *what, const struct evalerr *err)
{
	inst_fail(rt, i, EXIT_VALUE, "%s: %s", what, rt_evalerr(rt, err));
}

static void open_children(struct rt *rt, struct inst *i)
{
	struct region *r = i->u.region;

	r->open = r->nchild;
	region_expanded(rt, i);
	if (!r->nchild) {
		inst_end(rt, i, ST_SUCCEEDED, 0);
		return;
	}
	for (uint32_t k = 0; k < r->nchild; k++)
		scope_start(rt, r->child[k]);
}

static void if_start(struct rt *rt, struct inst *i)
{
	struct region *r = region_of(rt, i);
	struct evalerr err = { 0 };
	struct value v;

	for (uint32_t b = 0; b < i->node->u.if_.n && r->taken < 0; b++) {
		struct expr *c = i->node->u.if_.v[b].cond;

		if (c && rt_eval(rt, i->scope, c, &v, &err)) {
			fail_eval(rt, i, "its condition could not be evaluated", &err);
			return;
		}
		if (!c || (v.type.kind == T_BOOL && v.u.b))
			r->taken = (int32_t)b;
	}
	if (r->taken >= 0) {
		r->child = arena_array(rt->arena, struct scope *, 1);
		r->child[0] = scope_open(rt, i->node->u.if_.v[r->taken].body, i->scope, i, i->scope->wf, 0);
		r->nchild = 1;
	}
	open_children(rt, i);
}

/* max_parallel of a for or a sweep; 0 for none. -1 after ending i. */
static int64_t limit_of(struct rt *rt, struct inst *i, struct expr *e)
{
	struct evalerr err = { 0 };
	struct value v;

	if (!e)
		return 0;
	if (rt_eval(rt, i->scope, e, &v, &err)) {
		fail_eval(rt, i, "max_parallel could not be evaluated", &err);
		return -1;
	}
	if (v.type.kind != T_INT || v.u.i < 1) {
		inst_fail(rt, i, EXIT_VALUE, "max_parallel must be 1 or more");
		return -1;
	}
	return v.u.i;
}

static void for_start(struct rt *rt, struct inst *i)
{
	struct region *r = region_of(rt, i);
	struct evalerr err = { 0 };
	struct value v;
	int64_t limit = limit_of(rt, i, i->node->u.for_.max_parallel);

	if (limit < 0)
		return;
	if (rt_eval(rt, i->scope, i->node->u.for_.list, &v, &err)) {
		fail_eval(rt, i, "its list could not be evaluated", &err);
		return;
	}
	r->limit = limit > UINT32_MAX ? UINT32_MAX : (uint32_t)limit;
	r->nchild = v.type.list ? v.n : 0;
	r->child = arena_array(rt->arena, struct scope *, r->nchild ? r->nchild : 1);
	for (uint32_t k = 0; k < r->nchild; k++) {
		r->child[k] = scope_open(rt, i->node->u.for_.body, i->scope, i, i->scope->wf, k);
		r->child[k]->item = v.u.list[k];
	}
	open_children(rt, i);
}

static void group_start(struct rt *rt, struct inst *i)
{
	struct region *r = region_of(rt, i);

	r->child = arena_array(rt->arena, struct scope *, 1);
	r->child[0] = scope_open(rt, i->node->u.group, i->scope, i, i->scope->wf, 0);
	r->nchild = 1;
	open_children(rt, i);
}

/* ---- loop ---- */

struct loop { struct value *vals; uint32_t round; };

static void loop_end(struct rt *rt, struct inst *i, enum status st, enum why why)
{
	struct loop *l = i->u.region->more;
	const struct node *n = i->node;

	i->ports = arena_array(rt->arena, struct value, n->nports ? n->nports : 1);
	for (uint32_t p = 0; p < n->nports && st == ST_SUCCEEDED; p++) {
		i->ports[p] = rt_int(l->round);                             /* "iterations" */
		for (uint32_t k = 0; k < n->u.loop.n; k++)
			if (n->u.loop.v[k].name == n->ports[p].name)
				i->ports[p] = l->vals[k];
	}
	i->why = (uint8_t)why;
	inst_end(rt, i, st, st == ST_SUCCEEDED ? 0 : -1);
}

static void loop_round(struct rt *rt, struct inst *i)
{
	struct region *r = i->u.region;
	struct loop *l = r->more;
	struct scope *s;
	struct evalerr err = { 0 };
	struct value v;

	if (l->round >= (uint64_t)i->node->u.loop.max) {
		loop_end(rt, i, ST_SUCCEEDED, WHY_NONE);
		return;
	}
	s = scope_open(rt, i->node->u.loop.body, i->scope, i, i->scope->wf, l->round);
	s->vals = l->vals;
	if (i->node->u.loop.cond) {
		if (rt_eval(rt, s, i->node->u.loop.cond, &v, &err)) {
			fail_eval(rt, i, "its `while` could not be evaluated", &err);
			return;
		}
		if (v.type.kind != T_BOOL || !v.u.b) {
			loop_end(rt, i, ST_SUCCEEDED, WHY_NONE);
			return;
		}
	}
	r->child[r->nchild++] = s;
	scope_start(rt, s);
}

static void loop_start(struct rt *rt, struct inst *i)
{
	struct region *r = region_of(rt, i);
	const struct node *n = i->node;
	struct loop *l = arena_new_of(rt->arena, struct loop);
	struct evalerr err = { 0 };

	r->more = l;
	r->child = arena_array(rt->arena, struct scope *, (size_t)n->u.loop.max);
	l->vals = arena_array(rt->arena, struct value, n->u.loop.n ? n->u.loop.n : 1);
	for (uint32_t k = 0; k < n->u.loop.n; k++)
		if (rt_eval(rt, i->scope, n->u.loop.v[k].init, &l->vals[k], &err)) {
			fail_eval(rt, i, "the first value of a state could not be evaluated", &err);
			return;
		}
	loop_round(rt, i);
}

static void loop_next(struct rt *rt, struct inst *i, struct scope *s)
{
	struct loop *l = i->u.region->more;
	const struct node *n = i->node;
	struct value *vals;
	struct evalerr err = { 0 };

	if (s->failed) {
		loop_end(rt, i, ST_FAILED, WHY_NONE);
		return;
	}
	vals = arena_array(rt->arena, struct value, n->u.loop.n ? n->u.loop.n : 1);
	for (uint32_t k = 0; k < n->u.loop.n; k++) {
		struct expr *e = n->u.loop.v[k].next;

		vals[k] = l->vals[k];
		if (!e)
			continue;
		if (expr_blocked(rt, s, e)) {
			loop_end(rt, i, ST_SKIPPED, WHY_UPSTREAM);
			return;
		}
		if (rt_eval(rt, s, e, &vals[k], &err)) {
			fail_eval(rt, i, "the next value of a state could not be evaluated", &err);
			return;
		}
	}
	l->vals = vals;
	l->round++;
	loop_round(rt, i);
}

/* ---- dispatch ---- */

static bool blocked_by(struct rt *rt, struct inst *i, const struct dep *d)
{
	const struct inst *on;

	switch (d->kind) {
	case DEP_VALUE:
		return ref_result(rt, i->scope, REF_OUTPUT, d->node, d->port) == RES_BLOCKED;
	case DEP_HARD:
		on = scope_inst(rt, i->scope, d->node);
		if (!on)
			return ref_cell(rt, i->scope, DEP_HARD, d->node, 0)->result == RES_BLOCKED;
		return on->status == ST_FAILED || (on->status == ST_SKIPPED && on->why != WHY_CONDITION);
	default:
		return false;
	}
}

void inst_start(struct rt *rt, struct inst *i)
{
	struct nodeinfo *info = node_info(rt, i->node);

	for (uint32_t k = 0; k < info->ndeps && i->state == IS_WAITING; k++)
		if (blocked_by(rt, i, &info->deps[k])) {
			inst_skip(rt, i, WHY_UPSTREAM);
			return;
		}
	if (rt->until && !info->wanted && i->scope->wf == rt->top && !i->scope->on_block) {
		inst_skip(rt, i, WHY_CONDITION);
		return;
	}
	if (stopped(rt, i)) {
		inst_skip(rt, i, WHY_STOPPED);
		return;
	}
	if (!gate_enter(rt, i))
		return;
	i->state = IS_STARTED;
	switch ((enum node_kind)i->node->kind) {
	case N_STEP: step_start(rt, i); break;
	case N_CALL: call_start(rt, i); break;
	case N_IF: if_start(rt, i); break;
	case N_FOR: for_start(rt, i); break;
	case N_LOOP: loop_start(rt, i); break;
	case N_SWEEP: sweep_start(rt, i); break;
	case N_GROUP: group_start(rt, i); break;
	case N_WAIT: wait_start(rt, i); break;
	case N_APPROVE: approve_start(rt, i); break;
	case N_SERVICE: service_start(rt, i); break;
	case N_FAIL: fail_start(rt, i); break;
	case N_COUNT: break;
	}
}

void scope_ended(struct rt *rt, struct scope *s)
{
	struct inst *i = s->owner;

	if (!i) {
		wfrun_scope_ended(rt, s->wf, s);
		return;
	}
	if (i->node->kind == N_LOOP) {
		loop_next(rt, i, s);
		return;
	}
	if (i->node->kind == N_SWEEP) {
		sweep_trial_ended(rt, i, s);
		return;
	}
	i->scope->failed |= s->failed;
	if (--i->u.region->open == 0)
		inst_end(rt, i, ST_SUCCEEDED, 0);
}
