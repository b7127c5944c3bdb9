/* What a task waits for: the producers of what it reads, the conditions around it, `after`. */
#include "dag.h"

#include <string.h>

void deps_add(struct deps *d, const char *task, bool soft)
{
	const struct str *key = str_internz(d->g->strs, task);
	uintptr_t at = (uintptr_t)strmap_get(&d->seen, key);

	if (at) {
		d->v.v[at - 1].soft &= soft;
		return;
	}
	vec_push(d->g->a, &d->v, ((struct dep){ task, soft }));
	strmap_put(d->g->a, &d->seen, key, (void *)(uintptr_t)d->v.n);
}

static void dep_on(struct deps *d, const struct node *n, bool soft)
{
	const char *task = task_in(d->g, n, d->c);

	if (task && !(d->for_ && info(d->g, d->for_)->task == task))
		deps_add(d, task, soft);
}

static void dep_ref(struct expr *e, void *data);

static void dep_port(struct deps *d, const struct expr *e)
{
	const struct node *n = e->u.node;
	const struct port *p = &n->ports[e->n & ~COUNT_OF];

	for (uint32_t i = 0; i < (n->kind == N_IF ? n->u.if_.n : 1); i++)
		if (p->value[i])
			expr_refs(p->value[i], dep_ref, d);
	/* values that no task gives are chosen by the conditions */
	if (n->kind == N_IF)
		for (uint32_t i = 0; i < n->u.if_.n; i++)
			if (p->value[i] && p->value[i]->op != EX_REF)
				for (uint32_t k = 0; k <= i; k++)
					if (n->u.if_.v[k].cond)
						expr_refs(n->u.if_.v[k].cond, dep_ref, d);
}

/* A gather waits for what stands for the steps of the `for`; its values are outputs of the for's own task. */
static void dep_for(struct deps *d, const struct expr *e)
{
	const struct node *n = e->u.node;
	const struct expr *v = n->ports[e->n & ~COUNT_OF].value[0];

	if (info(d->g, n)->ctx != d->c)
		return;
	if (v->op == EX_REF && (v->fn == REF_OUTPUT || v->fn == REF_STATUS || v->fn == REF_EXIT_CODE) && v->u.node->kind != N_IF && v->u.node->kind != N_GROUP) {
		if (v->fn == REF_OUTPUT)
			dep_on(d, v->u.node, false);
		else
			deps_add(d, info(d->g, n)->task, true);
	} else {
		deps_expr(d, v);
	}
	if (info(d->g, n)->task && (!d->for_ || d->for_ != n))
		deps_add(d, info(d->g, n)->task, v->op == EX_REF && v->fn != REF_OUTPUT);
	/* the condition tells no list from an empty one */
	for (const struct cond *c = info(d->g, n)->cond; c; c = c->up)
		for (uint32_t k = 0; k <= c->branch; k++)
			if (c->if_->u.if_.v[k].cond)
				expr_refs(c->if_->u.if_.v[k].cond, dep_ref, d);
}

static void dep_ref(struct expr *e, void *data)
{
	struct deps *d = data;
	const struct node *n = e->u.node;

	switch ((enum ref_kind)e->fn) {
	case REF_OUTPUT:
		if (n->kind == N_IF || n->kind == N_GROUP)
			dep_port(d, e);
		else if (n->kind == N_FOR)
			dep_for(d, e);
		else
			dep_on(d, n, false);
		break;
	case REF_STATUS:
	case REF_EXIT_CODE:
		dep_on(d, n, true);
		break;
	case REF_ITEM:
		/* the element is taken from the list where the `for` is expanded */
		if (info(d->g, n)->ctx == d->c && d->for_ != n)
			deps_expr(d, n->u.for_.list);
		break;
	default:
		break;
	}
}

void deps_expr(struct deps *d, const struct expr *e)
{
	if (e && e->op != EX_LIT)
		expr_refs((struct expr *)e, dep_ref, d);
}

void deps_inputs(struct deps *d, const struct ctx *inner)
{
	for (uint32_t i = 0; i < inner->ins.n; i++)
		deps_expr(d, inner->ins.v[i].ref);
}

static void dep_after(struct deps *d, const struct node *n)
{
	for (uint32_t i = 0; i < n->nafter; i++) {
		const struct node *t = n->after[i].node;

		if (t->kind == N_IF || t->kind == N_GROUP) {
			struct graph *g;

			for (uint32_t k = 0; k < node_nchildren(t); k++) {
				g = node_child(t, k);
				for (uint32_t m = 0; m < g->nodes.n; m++)
					dep_on(d, g->nodes.v[m], n->after[i].soft);
			}
		} else {
			dep_on(d, t, n->after[i].soft);
		}
	}
}

static void dep_inner(struct node *n, void *data)
{
	dep_after(data, n);
}

void deps_node(struct deps *d, const struct node *n)
{
	const struct ninfo *ni = info(d->g, n);

	for (uint32_t i = 0; i < n->nins; i++)
		deps_expr(d, n->ins[i]);
	if (ni->shape)
		for (uint32_t i = 0; i < ni->shape->extra.n; i++)
			deps_expr(d, ni->shape->extra.v[i].ref);
	switch ((enum node_kind)n->kind) {
	case N_LOOP:
		for (uint32_t i = 0; i < n->u.loop.n; i++)
			deps_expr(d, n->u.loop.v[i].init);
		break;
	case N_FOR:
		deps_expr(d, n->u.for_.list);
		break;
	case N_FAIL:
		deps_expr(d, n->u.fail.message);
		break;
	case N_APPROVE:
		deps_expr(d, n->u.approve.message);
		for (uint32_t i = 0; i < n->u.approve.n; i++) {
			deps_expr(d, n->u.approve.v[i].dflt);
			deps_expr(d, n->u.approve.v[i].in);
		}
		break;
	default:
		break;
	}
	if (ni->inner)
		deps_inputs(d, ni->inner);
	if (ni->each)
		deps_inputs(d, ni->each);
	for (const struct cond *c = ni->cond; c; c = c->up)
		for (uint32_t k = 0; k <= c->branch; k++)
			deps_expr(d, c->if_->u.if_.v[k].cond);
	dep_after(d, n);
	/* a branch's own `after` and that of what it stands in */
	for (const struct cond *c = ni->cond; c; c = c->up)
		dep_after(d, c->if_);
	if (n->kind == N_FOR || n->kind == N_LOOP || n->kind == N_SWEEP)
		node_within((struct node *)n, dep_inner, d);
}

void deps_write(struct dag *dag, struct deps *v)
{
	struct strbuf b = { 0 };

	if (!v->v.n && dag->first)
		deps_add(v, dag->first, false);
	for (uint32_t i = 0; i < v->v.n; i++) {
		const char *t = v->v.v[i].task;
		struct task *task = strmap_get(&dag->by_name, str_internz(dag->g->strs, t));

		if (i)
			sb_z(&b, " && ");
		if (v->v.v[i].soft)
			sb_f(&b, "(%s.Succeeded || %s.Failed || %s.Errored || %s.Skipped || %s.Omitted)", t, t, t, t, t);
		else
			sb_z(&b, t);
		if (!task) {
			/* it stands further down */
			task = arena_new_of(dag->g->a, struct task);
			task->name = t;
			strmap_put(dag->g->a, &dag->by_name, str_internz(dag->g->strs, t), task);
		}
		task->depended = true;
		task->soft |= v->v.v[i].soft;
	}
	if (b.n)
		y_str(&dag->tasks, "depends", b.s, b.n);
	sb_free(&b);
}
