/*
 * Which DAG template holds which node.
 *
 * What is in an `if` or a group stands in the DAG template around it, with `when`: so each step is seen by its own
 * name, and a failure in a branch stops only what needs it. A `for` over one step expands the step's own task. A `for`
 * over several, a loop, a sweep and a called workflow are DAG templates of their own.
 */
#include "argo.h"

#include <string.h>

static void place_graph(struct argo *g, struct ctx *c, struct graph *graph, const struct cond *cond);

static struct ctx *new_ctx(struct argo *g, enum ctx_kind kind, struct ctx *up, const struct ir_workflow *w, const struct node *owner, const char *name)
{
	struct ctx *c = arena_new_of(g->a, struct ctx);
	struct template *t;

	c->kind = kind;
	c->up = up;
	c->w = w;
	c->owner = owner;
	c->name = name_template(g, name, strlen(name));
	t = vec_add(g->a, &g->templates);
	t->name = c->name;
	t->doc = g->w[w->id].doc;
	c->slot = g->templates.n - 1;
	return c;
}

static const char *task_name(struct argo *g, struct ctx *c, const struct node *n)
{
	return name_task(g, &c->names, n->name->s, n->name->len);
}

/* ---- for ---- */

/* The nodes of a body that become tasks, those in branches included. */
struct leaves { const struct node *first; uint32_t n; bool plain; };

static void count_leaves(const struct graph *b, struct leaves *l)
{
	for (uint32_t i = 0; i < b->nodes.n; i++) {
		const struct node *n = b->nodes.v[i];

		if (n->kind == N_IF || n->kind == N_GROUP) {
			l->plain = false;
			for (uint32_t k = 0; k < node_nchildren(n); k++)
				count_leaves(node_child(n, k), l);
			continue;
		}
		if (!l->n++)
			l->first = n;
	}
}

/* Whether every other node of the body must have succeeded for node at to run. */
static bool needs_all(struct argo *g, struct graph *b, uint32_t at)
{
	struct edges *e = graph_edges(g->a, b);
	bool *seen = arena_array(g->a, bool, e->n);
	uint32_t *stack = arena_array(g->a, uint32_t, e->n), n = 0, count = 1;

	stack[n++] = at;
	seen[at] = true;
	while (n) {
		uint32_t v = stack[--n];

		for (uint32_t i = e->start[v]; i < e->start[v + 1]; i++) {
			uint32_t p = e->pred[i];

			if (!(e->flags[i] & (EDGE_DATA | EDGE_ORDER)) || seen[p])
				continue;
			seen[p] = true;
			stack[n++] = p;
			count++;
		}
	}
	return count == e->n;
}

/* A node under graph b, in branches and inner `for`s, too, is read from outside; nested: b holds branches or `for`s. */
static bool any_outside(struct argo *g, const struct graph *b, uint8_t level, bool *nested)
{
	bool any = false;

	for (uint32_t i = 0; i < b->nodes.n; i++) {
		const struct node *n = b->nodes.v[i];
		uint8_t in = n->kind == N_FOR ? (uint8_t)(level + 1) : level;

		if (n->kind == N_IF || n->kind == N_GROUP || n->kind == N_FOR) {
			*nested = true;
			for (uint32_t k = 0; k < node_nchildren(n); k++)
				any |= any_outside(g, node_child(n, k), in, nested);
		}
		any |= info(g, n)->outside >= level;
	}
	return any;
}

static enum for_mode mode_of(struct argo *g, const struct node *f)
{
	struct graph *b = f->u.for_.body;
	struct leaves l = { NULL, 0, true };
	bool nested = false;

	count_leaves(b, &l);
	if (l.n == 1 && l.plain && l.first->kind != N_FOR)
		return FOR_DIRECT;
	if (!any_outside(g, b, 1, &nested))
		return FOR_BODY;
	if (nested)
		return FOR_ROBUST;
	for (uint32_t i = 0; i < b->nodes.n; i++) {
		struct ninfo *ni = info(g, b->nodes.v[i]);

		if (ni->outside && (ni->read_status || ni->read_code || ni->awaited || !needs_all(g, b, i)))
			return FOR_ROBUST;
	}
	return FOR_BODY;
}

/* A literal list of short plain scalars can stand in the manifest as it is. */
static bool can_use_items(struct argo *g, const struct node *f, bool keyed)
{
	const struct expr *l = f->u.for_.list;
	struct strbuf b = { 0 };
	bool ok = l->op == EX_LIT && l->type.list && l->type.kind != T_JSON && !type_is_path(l->type) && !info(g, f)->index_read && !keyed;

	for (uint32_t i = 0; ok && i < l->u.lit->n; i++) {
		b.n = 0;
		value_text(&b, &l->u.lit->u.list[i]);
		ok = b.n && b.n <= 40 && text_safe(b.s, b.n) && (l->type.kind != T_STRING || yaml_plain_ok(b.s, b.n, false));
	}
	sb_free(&b);
	return ok;
}

static void add_stand(struct argo *g, const struct node *n, const struct ctx *c, const char *task)
{
	struct stand *s = arena_new_of(g->a, struct stand);

	*s = (struct stand){ c, task, info(g, n)->stands };
	info(g, n)->stands = s;
}

/* What stands in c for the nodes of a body that are read from outside of f; level: `for`s between them and c. */
static void place_stands(struct argo *g, struct ctx *c, const struct node *f, struct graph *b, uint8_t level)
{
	struct ninfo *fi = info(g, f);

	for (uint32_t i = 0; i < b->nodes.n; i++) {
		const struct node *n = b->nodes.v[i];
		uint8_t in = n->kind == N_FOR ? (uint8_t)(level + 1) : level;

		if (n->kind == N_IF || n->kind == N_GROUP || n->kind == N_FOR) {
			for (uint32_t k = 0; k < node_nchildren(n); k++)
				place_stands(g, c, f, node_child(n, k), in);
			continue;
		}
		if (info(g, n)->outside >= level)
			add_stand(g, n, c, fi->mode == FOR_ROBUST ? task_name(g, c, n) : fi->task);
	}
}

static void place_for(struct argo *g, struct ctx *c, struct node *f, const struct cond *cond)
{
	struct ninfo *fi = info(g, f);
	struct leaves l = { NULL, 0, true };
	struct ctx *at = c;

	fi->mode = (uint8_t)mode_of(g, f);
	fi->items = can_use_items(g, f, gathers_files(g, f));
	count_leaves(f->u.for_.body, &l);
	fi->task = fi->mode == FOR_DIRECT ? task_name(g, c, l.first) : task_name(g, c, f);
	if (f->u.for_.max_parallel) {
		at = new_ctx(g, CTX_EACH, c, c->w, f, fi->mode == FOR_DIRECT ? a_f(g, "%s-each", l.first->name->s) : a_f(g, "%s-each", f->name->s));
		fi->each = at;
	}
	if (fi->mode == FOR_DIRECT) {
		struct ninfo *ni = info(g, l.first);

		ni->for_ = f;
		ni->cond = cond;
		ni->wrapped = l.first->allow_failure || ni->read_status || ni->read_code;
		ni->judged = ni->wrapped && !l.first->allow_failure;
		ni->ctx = at;
		ni->task = fi->task;
		add_stand(g, l.first, c, ni->judged ? name_task(g, &c->names, a_f(g, "%s-end", fi->task), strlen(fi->task) + 4) : fi->task);
		place_inner(g, at, (struct node *)l.first);
		return;
	}
	fi->inner = new_ctx(g, CTX_BODY, at, c->w, f, f->name->s);
	fi->inner->graph = f->u.for_.body;
	fi->inner->robust = fi->mode == FOR_ROBUST;
	place_graph(g, fi->inner, f->u.for_.body, NULL);
	place_stands(g, c, f, f->u.for_.body, 1);
}

/* ---- the rest ---- */

/* The DAG templates that a node brings with it. */
void place_inner(struct argo *g, struct ctx *c, struct node *n)
{
	struct ninfo *ni = info(g, n);

	if (n->kind == N_LOOP) {
		ni->inner = new_ctx(g, CTX_LOOP, c, c->w, n, n->name->s);
		ni->inner->graph = n->u.loop.body;
		for (uint32_t i = 0; i < n->u.loop.n; i++)
			name_param(g, &ni->inner->in_names, n->u.loop.v[i].name->s, n->u.loop.v[i].name->len);
		name_param(g, &ni->inner->in_names, "round", 5);
		name_task(g, &ni->inner->names, "next", 4);
		place_graph(g, ni->inner, n->u.loop.body, NULL);
	} else if (n->kind == N_SWEEP) {
		struct node *body = n->u.sweep->body->nodes.v[0];

		ni->inner = new_ctx(g, CTX_SWEEP, c, c->w, n, n->name->s);
		ni->inner->graph = n->u.sweep->body;
		info(g, body)->ctx = ni->inner;
		info(g, body)->wrapped = true;
		info(g, body)->task = name_task(g, &ni->inner->names, "trial", 5);
		place_inner(g, ni->inner, body);
	}
}

static void place_node(struct argo *g, struct ctx *c, struct node *n, const struct cond *cond)
{
	struct ninfo *ni = info(g, n);

	ni->ctx = c;
	ni->cond = cond;
	switch ((enum node_kind)n->kind) {
	case N_IF:
		for (uint32_t i = 0; i < n->u.if_.n; i++) {
			struct cond *in = arena_new_of(g->a, struct cond);

			*in = (struct cond){ n, i, cond };
			place_graph(g, c, n->u.if_.v[i].body, in);
		}
		return;
	case N_GROUP:
		place_graph(g, c, n->u.group, cond);
		return;
	case N_FOR:
		vec_push(g->a, &c->nodes, n);
		place_for(g, c, n, cond);
		return;
	default:
		vec_push(g->a, &c->nodes, n);
		ni->wrapped = n->allow_failure;
		ni->task = task_name(g, c, n);
		place_inner(g, c, n);
	}
}

static void place_graph(struct argo *g, struct ctx *c, struct graph *graph, const struct cond *cond)
{
	for (uint32_t i = 0; i < graph->nodes.n; i++)
		place_node(g, c, graph->nodes.v[i], cond);
}

const char *task_in(struct argo *g, const struct node *n, const struct ctx *c)
{
	const struct ninfo *ni = info(g, n);

	for (const struct stand *s = ni->stands; s; s = s->next)
		if (s->c == c)
			return s->task;
	return ni->ctx == c ? ni->task : NULL;
}

static void place_on(struct argo *g, const struct ir_workflow *w)
{
	struct ctx *c = NULL;

	for (int i = 0; i < ON_COUNT; i++) {
		if (!w->on[i])
			continue;
		if (!c)
			c = new_ctx(g, CTX_ON, NULL, w, NULL, "on-exit");
		place_graph(g, c, w->on[i], NULL);
	}
	g->on = c;
}

void argo_plan(struct argo *g)
{
	for (uint32_t i = g->m->workflows.n; i-- > 0;) {
		struct ir_workflow *w = g->m->workflows.v[i];
		struct winfo *wi = &g->w[w->id];
		struct strmap taken = { 0 };
		bool entry = w == g->m->entry;

		if (!wi->needed)
			continue;
		wi->root = new_ctx(g, entry ? CTX_ENTRY : CTX_CALL, NULL, w, NULL, w->name->s);
		wi->root->graph = w->body;
		wi->param = arena_array(g->a, enum form, w->nparams);
		wi->param_name = arena_array(g->a, const char *, w->nparams);
		for (uint32_t k = 0; k < w->nparams; k++) {
			struct strmap *names = entry ? &taken : &wi->root->in_names;

			wi->param_name[k] = name_param(g, names, w->params[k].name->s, w->params[k].name->len);
		}
		if (wi->object)
			strmap_put(g->a, &g->elsewhere, str_internz(g->strs, wi->root->name), wi);
		place_graph(g, wi->root, w->body, NULL);
		if (entry)
			place_on(g, w);
	}
}
