/*
 * inline: where the engine has no workflow calls (FEAT_CALL among what it refuses), or with --set inline.all=on, a call
 * becomes a group that holds a copy of the called workflow. What a group cannot keep stays a call, and says why.
 *
 * needs nothing; gives IR_INLINED where no call is left; keeps everything else.
 */
#include "passes.h"

#include <stdlib.h>
#include <string.h>

#define MAX_NODES 1000000u

static const struct optdesc opts[] = {
	{ "all", OPT_BOOL, "off", NULL, "inline calls even where the engine carries them" },
	{ NULL, OPT_BOOL, NULL, NULL, NULL },
};

struct inliner {
	struct ir *m;
	struct ir_workflow *w;
	const struct target *t;
	struct diag *d;
	bool all;
	double *size;                     /* nodes by workflow id, once inlined */
	VEC(struct node *) calls;
	uint32_t left, inlined;
	int rc;
};

static bool refused(const struct inliner *p, const struct node *n)
{
	const struct backend *b = p->t->backend;

	for (const struct cap *c = b ? b->caps : NULL; c && c->feature >= 0; c++)
		if (c->feature == FEAT_CALL && (!c->when || c->when(p->m, p->w, n, p->t->opts)))
			return true;
	return false;
}

/* Why a group cannot stand for a call of w; NULL: it can. */
static const char *obstacle(const struct node *call, const struct ir_workflow *w, const struct ir_workflow *caller)
{
	for (int i = 0; i < ON_COUNT; i++)
		if (w->on[i])
			return "it has an `on` block, which runs when the call ends";
	if (w->nvolumes)
		return "it has volumes of its own";
	if (w->locks.n)
		return "it takes a lock as a whole";
	if (w->max_parallel)
		return "it has a max_parallel of its own";
	if (w->fail_fast != caller->fail_fast && w->fail_fast)
		return "it has fail_fast";
	if (w->artifacts && w->artifacts != caller->artifacts)
		return "it keeps its artifacts in a store of its own";
	for (uint32_t i = 0; i < w->nparams; i++)
		if (w->params[i].in && call->ins[i] && call->ins[i]->op != EX_LIT)
			return "a parameter has a list of allowed values, which is checked when the call starts";
	for (uint32_t i = 0; i < w->nouts; i++) {
		const struct expr *v = w->outs[i].value;

		if (w->outs[i].to && !(v->op == EX_REF && v->fn == REF_OUTPUT && v->u.node->kind == N_STEP && v->u.node->graph == w->body))
			return "it publishes an output that is not that of one step";
	}
	return NULL;
}

/* The outputs of the callee become values of the group's ports; what it publishes is published by the step that makes it. */
static void set_ports(struct inliner *p, struct copier *c, struct node *call, const struct ir_workflow *w)
{
	for (uint32_t i = 0; i < call->nports && i < w->nouts; i++) {
		struct expr *v = copy_expr(c, w->outs[i].value);
		struct node *step;

		call->ports[i].value = arena_array(p->m->arena, struct expr *, 1);
		call->ports[i].value[0] = v;
		if (!w->outs[i].to)
			continue;
		step = v->u.node;
		if (!step->to)
			step->to = arena_array(p->m->arena, struct expr *, step->nports);
		step->to[v->n] = copy_expr(c, w->outs[i].to);
	}
}

static void inline_call(struct inliner *p, struct node *call)
{
	struct ir_workflow *w = call->u.callee;
	struct copier c = { .m = p->m, .from = w, .to = p->w };
	uint32_t before = p->w->nnodes;

	c.args = arena_array(p->m->arena, struct expr *, w->nparams);
	for (uint32_t i = 0; i < w->nparams; i++)
		c.args[i] = i < call->nins && call->ins[i] ? call->ins[i] : copy_expr(&c, w->params[i].dflt);
	call->u.group = copy_graph(&c, w->body, call);
	call->kind = N_GROUP;
	call->ins = NULL;
	call->nins = 0;
	set_ports(p, &c, call, w);
	copier_free(&c);
	p->inlined++;
	diag_remark(p->d, call->span, "inline: the call '%s' of workflow '%s' becomes %u node%s in its place", call->name->s, w->name->s, p->w->nnodes - before,
	            p->w->nnodes - before == 1 ? "" : "s");
}

static void collect(struct node *n, void *data)
{
	struct inliner *p = data;
	const char *why;

	if (n->kind != N_CALL)
		return;
	p->size[p->w->id] += p->size[n->u.callee->id];
	if (!p->all && !refused(p, n)) {
		p->left++;
		return;
	}
	why = obstacle(n, n->u.callee, p->w);
	if (why) {
		diag_remark(p->d, n->span, "inline: '%s' stays a call of workflow '%s': %s", n->name->s, n->u.callee->name->s, why);
		p->left++;
		return;
	}
	if (p->size[p->w->id] > MAX_NODES && !p->rc) {
		struct diag_item *it = diag_at(p->d, CW1203, n->span, "inlining '%s' would make about %.3g steps, at most 1,000,000 are allowed", n->name->s, p->size[p->w->id]);

		diag_mend(p->d, it, "call it from a `for`, or choose an engine that carries calls");
		p->rc = -1;
	}
	vec_push(p->m->arena, &p->calls, n);
}

static void mark_called(struct node *n, void *data)
{
	bool *called = data;

	if (n->kind == N_CALL)
		called[n->u.callee->id] = true;
}

/* Workflows that nothing calls any more are no part of the program. */
static void drop_unused(struct ir *m)
{
	uint32_t kept = 0;
	bool *called = xcalloc(m->workflows.n, sizeof *called);

	for (uint32_t i = m->workflows.n; i-- > 0; )
		if (m->workflows.v[i] == m->entry || called[m->workflows.v[i]->id])
			workflow_nodes(m->workflows.v[i], mark_called, called);
	for (uint32_t i = 0; i < m->workflows.n; i++)
		if (m->workflows.v[i] == m->entry || called[m->workflows.v[i]->id])
			m->workflows.v[kept++] = m->workflows.v[i];
	m->workflows.n = kept;
	for (uint32_t i = 0; i < kept; i++)
		m->workflows.v[i]->id = i;
	free(called);
}

static int run(struct ir *m, const struct target *t, const struct optset *o, struct diag *d)
{
	struct inliner p = { .m = m, .t = t, .d = d, .all = opt_bool(o, "inline", opts, "all") };

	p.size = xcalloc(m->workflows.n, sizeof *p.size);
	for (uint32_t i = 0; i < m->workflows.n; i++)
		m->workflows.v[i]->id = i;
	for (uint32_t i = 0; i < m->workflows.n && !p.rc; i++) {
		p.w = m->workflows.v[i];
		p.size[i] = count_nodes(p.w);
		p.calls.n = 0;
		workflow_nodes(p.w, collect, &p);
		for (uint32_t k = 0; k < p.calls.n && !p.rc; k++)
			inline_call(&p, p.calls.v[k]);
		if (p.calls.n)
			renumber(p.w);
	}
	free(p.size);
	if (p.inlined)
		drop_unused(m);
	if (!p.left && !p.rc)
		m->props |= IR_INLINED;
	return p.rc;
}

const struct pass pass_inline = {
	.name = "inline", .help = "workflow calls that the engine cannot carry become groups", .always = true, .opts = opts, .run = run,
};
