/* Which outputs, statuses and indices are read, and from where: what no one reads is not carried. */
#include "argo.h"

#include <string.h>

struct scan {
	struct argo *g;
	const struct node *reader;        /* NULL: the workflow itself */
	const struct graph *root;         /* the graph or on block that the reader is in */
	bool through;                     /* reached as the value of a gather: read from outside of the `for` */
};

static void scan_expr(struct scan *s, const struct expr *e);

static const struct graph *root_of(const struct node *n)
{
	const struct graph *g = n->graph;

	while (g->owner)
		g = g->owner->graph;
	return g;
}

static uint64_t bit(uint32_t port)
{
	return UINT64_C(1) << (port < 63 ? port : 63);
}

bool used_port(const struct ninfo *ni, uint32_t port, bool on)
{
	return ((on ? ni->on_used : ni->used) >> (port < 63 ? port : 63)) & 1;
}

/* n is read, or waited for, from where reader is: it must be seen outside of the `for`s between. */
static void seen_outside(struct argo *g, const struct node *n, const struct node *reader)
{
	uint8_t level = 0;

	for (const struct graph *in = n->graph; in->owner; in = in->owner->graph) {
		if (reader && node_in((struct node *)reader, in))
			break;
		if (in->owner->kind == N_FOR)
			level++;
	}
	if (info(g, n)->outside < level)
		info(g, n)->outside = level;
}

/* The value of a region's output is read by whoever reads the output. */
static void scan_port(struct scan *s, const struct node *n, uint32_t port)
{
	uint32_t k = n->kind == N_IF ? n->u.if_.n : 1;
	struct scan in = *s;

	in.through |= n->kind == N_FOR;
	if (n->kind == N_FOR) {
		/* an element for element value: what `on` blocks read is the gathered list */
		in.root = root_of(n);
	}
	for (uint32_t i = 0; i < k; i++)
		if (n->ports[port].value && n->ports[port].value[i])
			scan_expr(&in, n->ports[port].value[i]);
}

static void scan_ref(struct expr *e, void *data)
{
	struct scan *s = data;
	struct node *n = e->u.node;
	struct ninfo *ni;
	bool on;

	if (e->fn == REF_INDEX)
		info(s->g, n)->index_read = true;
	if (e->fn != REF_OUTPUT && e->fn != REF_STATUS && e->fn != REF_EXIT_CODE)
		return;
	ni = info(s->g, n);
	on = root_of(n) != s->root;
	if (e->fn == REF_STATUS || e->fn == REF_EXIT_CODE) {
		ni->awaited = true;
		if (e->fn == REF_STATUS)
			*(on ? &ni->on_status : &ni->read_status) = true;
		else
			*(on ? &ni->on_code : &ni->read_code) = true;
	} else {
		bool fresh = !((on ? ni->on_used : ni->used) & bit(e->n)) || e->n >= 63;

		*(on ? &ni->on_used : &ni->used) |= bit(e->n);
		if (fresh && (n->kind == N_IF || n->kind == N_GROUP || n->kind == N_FOR))
			scan_port(s, n, e->n);
	}
	seen_outside(s->g, n, s->through ? NULL : s->reader);
}

static void scan_expr(struct scan *s, const struct expr *e)
{
	expr_refs((struct expr *)e, scan_ref, s);
}

/* Values of a region's outputs count where the outputs are read. */
static bool is_port_value(const struct node *n, struct expr **e)
{
	uint32_t k = n->kind == N_IF ? n->u.if_.n : 1;

	for (uint32_t i = 0; i < n->nports; i++)
		if (n->ports[i].value && e >= n->ports[i].value && e < n->ports[i].value + k)
			return true;
	return false;
}

static void needs_index(struct expr *e, void *data)
{
	if (e->fn == REF_ITEM && !type_is_path(e->type))
		info(data, e->u.node)->index_read = true;
}

static void scan_slot(struct expr **e, struct node *n, void *data)
{
	struct scan *s = data;

	if (n && n->nports && (n->kind == N_IF || n->kind == N_FOR || n->kind == N_GROUP) && is_port_value(n, e))
		return;
	if ((*e)->op != EX_LIT)
		scan_expr(s, *e);
	/* a location that depends on an element is looked up by its index */
	if (type_is_path((*e)->type))
		expr_refs(*e, needs_index, s->g);
}

static void scan_node(struct node *n, void *data)
{
	struct argo *g = data;
	struct scan s = { g, n, root_of(n), false };

	node_exprs((struct ir *)g->m, n, scan_slot, &s);
	for (uint32_t i = 0; i < n->nafter; i++) {
		struct ninfo *ni = info(g, n->after[i].node);

		ni->awaited |= n->after[i].soft;
		seen_outside(g, n->after[i].node, n);
	}
}

static void need_callee(struct node *n, void *data)
{
	struct argo *g = data;

	if (n->kind == N_CALL)
		g->w[n->u.callee->id].needed = g->w[n->u.callee->id].called = true;
}

void argo_usage(struct argo *g)
{
	/* callers stand behind callees */
	for (uint32_t i = g->m->workflows.n; i-- > 0;) {
		struct ir_workflow *w = g->m->workflows.v[i];
		struct winfo *wi = &g->w[w->id];
		struct scan s = { g, NULL, w->body, false };

		if (w == g->m->entry)
			wi->needed = true;
		if (!wi->needed)
			continue;
		wi->n = arena_array(g->a, struct ninfo, w->nnodes);
		workflow_exprs(w, scan_slot, &s);
		workflow_nodes(w, scan_node, g);
		workflow_nodes(w, need_callee, g);
	}
}
