/* Modules made by hand, for tests of graph algorithms and passes. */
#ifndef TEST_GRAPHS_H
#define TEST_GRAPHS_H

#include "build.h"

static inline struct ir *module_new(struct made *m)
{
	struct diag *d = diag_new(m->a);
	struct ir *ir = ir_new(m->a, m->strs, d);
	struct ir_workflow *w = arena_new_of(m->a, struct ir_workflow);

	d->remarks = true;
	w->name = str_internz(m->strs, "w");
	w->body = arena_new_of(m->a, struct graph);
	w->body->workflow = w;
	w->keep = -1;
	vec_push(m->a, &ir->workflows, w);
	ir->entry = w;
	return ir;
}

static inline struct graph *graph_new(struct made *m, struct ir_workflow *w, struct node *owner)
{
	struct graph *g = arena_new_of(m->a, struct graph);

	g->workflow = w;
	g->owner = owner;
	return g;
}

static inline struct node *node_new(struct made *m, struct graph *g, enum node_kind k, const char *name)
{
	struct node *n = arena_new_of(m->a, struct node);

	n->id = g->workflow->nnodes++;
	n->kind = (uint8_t)k;
	n->name = str_internz(m->strs, name);
	n->graph = g;
	n->span = made_span(m);
	n->attrs = arena_new_of(m->a, struct attrs);
	n->attrs->cache.ttl = -1;
	if (k == N_STEP) {
		n->u.task = arena_new_of(m->a, struct ir_task);
		n->u.task->name = n->name;
		n->u.task->inline_ = true;
		n->u.task->shell = str_internz(m->strs, "sh");
		n->u.task->script = str_internz(m->strs, "true");
	}
	vec_push(m->a, &g->nodes, n);
	return n;
}

static inline void node_after(struct made *m, struct node *n, struct node *dep, bool soft)
{
	n->after = arena_grow(m->a, n->after, n->nafter * sizeof *n->after, (n->nafter + 1) * sizeof *n->after);
	n->after[n->nafter++] = (struct order){ dep, soft };
}

/* An input of a step: declared and given. */
static inline void step_in(struct made *m, struct node *n, const char *name, struct type t, struct expr *e)
{
	struct ir_task *task = n->u.task;

	task->ins = arena_grow(m->a, task->ins, task->nins * sizeof *task->ins, (task->nins + 1) * sizeof *task->ins);
	task->ins[task->nins++] = (struct ir_decl){ .name = str_internz(m->strs, name), .type = t };
	n->ins = arena_grow(m->a, n->ins, n->nins * sizeof *n->ins, (n->nins + 1) * sizeof *n->ins);
	n->ins[n->nins++] = e;
}

static inline uint32_t step_out(struct made *m, struct node *n, const char *name, struct type t)
{
	struct ir_task *task = n->u.task;

	task->outs = arena_grow(m->a, task->outs, task->nouts * sizeof *task->outs, (task->nouts + 1) * sizeof *task->outs);
	task->outs[task->nouts++] = (struct ir_decl){ .name = str_internz(m->strs, name), .type = t };
	n->ports = arena_grow(m->a, n->ports, n->nports * sizeof *n->ports, (n->nports + 1) * sizeof *n->ports);
	n->ports[n->nports] = (struct port){ .name = str_internz(m->strs, name), .type = t };
	return n->nports++;
}

static inline struct expr *read_out(struct made *m, struct node *n, uint32_t port)
{
	return expr_ref(m->a, REF_OUTPUT, n, port, n->ports[port].type, made_span(m));
}

#endif
