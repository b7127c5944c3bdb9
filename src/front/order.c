/* Order: `after`, and cycles of data and order. */
#include "scope.h"

#include <string.h>

#include "couler/ptrmap.h"

/* ---- after ---- */

/* seen: 1 + the index of each node, once the list is long. */
struct after { struct elab *e; struct node *n; uint32_t cap; struct ptrmap seen; bool soft; };

enum { SHORT = 16 };

static void see(struct after *a, uint32_t i)
{
	ptrmap_put(&a->seen, a->n->after[i].node, (void *)(uintptr_t)(i + 1));
}

static struct order *find_order(struct after *a, const struct node *to)
{
	struct node *n = a->n;
	uintptr_t at;

	if (n->nafter < SHORT) {
		for (uint32_t i = 0; i < n->nafter; i++)
			if (n->after[i].node == to)
				return &n->after[i];
		return NULL;
	}
	for (uint32_t i = (uint32_t)a->seen.n; i < n->nafter; i++)
		see(a, i);
	at = (uintptr_t)ptrmap_get(&a->seen, to);
	return at ? &n->after[at - 1] : NULL;
}

static void add_order(struct node *to, void *data)
{
	struct after *a = data;
	struct node *n = a->n;

	struct order *old = find_order(a, to);

	if (old) {
		old->soft &= a->soft;
		return;
	}
	if (n->nafter == a->cap) {
		uint32_t cap = a->cap ? 2 * a->cap : 1;

		n->after = arena_grow(a->e->arena, n->after, a->cap * sizeof *n->after, cap * sizeof *n->after);
		a->cap = cap;
	}
	n->after[n->nafter++] = (struct order){ to, a->soft };
}

static void after_one(struct elab *e, struct scope *s, struct after *a, const struct ast_expr *x)
{
	struct diag_item *it;
	struct found f;

	a->soft = x->kind == AX_SOFT;
	if (a->soft)
		x = x->args[0];
	if (x->kind == AX_ERROR)
		return;
	if (x->kind != AX_NAME) {
		it = diag_at(e->diag, CW0517, x->span, "`after` takes names of steps, and '%s' is none", source_text(e, x->span));
		if (x->kind == AX_MEMBER && x->args[0]->kind == AX_NAME)
			diag_mend(e->diag, it, "write after = [%s]", x->args[0]->name->s);
		else
			diag_mend(e->diag, it, "write after = [a, b]");
		return;
	}
	if (!scope_lookup(e, s, x->name, &f)) {
		scope_unknown(e, s, x->name, x->span);
		return;
	}
	if (f.closed && !(f.sym->kind == SYM_NODE && scope_in_on(s))) {
		scope_closed(e, &f, x->name, x->span);
		return;
	}
	if (f.sym->kind != SYM_NODE) {
		it = diag_at(e->diag, CW0517, x->span, "`after` takes names of steps, and '%s' is a %s", x->name->s, sym_words(f.sym));
		diag_note(e->diag, it, f.sym->span, "'%s' is defined here", x->name->s);
		return;
	}
	if (f.sym->node == a->n) {
		it = diag_at(e->diag, CW0501, x->span, "'%s' cannot wait for itself: a cycle", x->name->s);
		diag_mend(e->diag, it, "leave it out");
		return;
	}
	if (found_around(e, s, &f, x->span) || (scope_in_on(s) && (f.closed || !scope_in_on(f.sym->scope))))
		return;                   /* an `on` block runs after all of these anyway */
	found_nodes(e, s, x->name, &f, add_order, a);
}

void after_elab(struct elab *e, struct scope *s, struct node *n, const struct ast_block *b)
{
	const struct ast_stmt *st = block_entry(b, "after");
	struct after a = { .e = e, .n = n };

	if (!st || !st->value || st->value->kind != AX_LIST)
		return;                   /* another form is reported with the key */
	for (uint32_t i = 0; i < st->value->n; i++)
		after_one(e, s, &a, st->value->args[i]);
	ptrmap_free(&a.seen);
}

/* ---- cycles ---- */

/* Why node a waits for node b of its graph: a reference in a or inside it, or an `after`. */
struct why { struct node *b; const struct graph *g; struct span span; struct node *from, *to; };

static void why_ref(struct expr *ref, void *data)
{
	struct why *w = data;

	if (!w->to && (ref->fn == REF_OUTPUT || ref->fn == REF_STATUS || ref->fn == REF_EXIT_CODE) && node_in(ref->u.node, w->g) == w->b) {
		w->to = ref->u.node;
		w->span = ref->span;
	}
}

static void why_expr(struct expr **x, struct node *n, void *data)
{
	struct why *w = data;

	if (w->to || !*x)
		return;
	expr_refs(*x, why_ref, w);
	if (w->to)
		w->from = n;
}

static void why_node(struct ir *m, struct node *n, struct why *w)
{
	node_exprs(m, n, why_expr, w);
	for (uint32_t i = 0; !w->to && i < n->nafter; i++) {
		if (node_in(n->after[i].node, w->g) != w->b)
			continue;
		w->to = n->after[i].node;
		w->from = n;
		w->span = n->span;
	}
	for (uint32_t k = 0, nc = node_nchildren(n); k < nc && !w->to; k++) {
		struct graph *g = node_child(n, k);

		for (uint32_t i = 0; i < g->nodes.n && !w->to; i++)
			why_node(m, g->nodes.v[i], w);
	}
}

static const char *label(struct elab *e, const struct node *n)
{
	return n->kind == N_IF || n->kind == N_FOR ? node_where(e, n) : str_internf(e->strs, "'%s'", n->name->s)->s;
}

static void report_cycle(struct elab *e, struct graph *g, const uint32_t *v, uint32_t n)
{
	struct diag_item *it = NULL;
	struct strbuf chain = { 0 };
	uint32_t first = 0;

	/* v[i] comes before v[i + 1], which waits for it; the chain starts at the one that stands first in the text. */
	for (uint32_t i = 1; i < n; i++)
		if (v[i] < v[first])
			first = i;
	for (uint32_t i = 0; i < n; i++)
		sb_f(&chain, "%s -> ", label(e, g->nodes.v[v[(first + n - i) % n]]));
	sb_z(&chain, label(e, g->nodes.v[v[first]]));
	for (uint32_t i = 0; i < n; i++) {
		struct node *a = g->nodes.v[v[(first + n - i) % n]], *b = g->nodes.v[v[(first + n - i - 1) % n]];
		struct why w = { b, g, a->span, NULL, NULL };

		why_node(e->ir, a, &w);
		if (!it) {
			it = diag_at(e->diag, CW0501, w.span, "these wait for each other, a cycle: %s", sb_cstr(&chain));
			diag_mend(e->diag, it, "break it at one of these places%s", n > 1 && (a->kind == N_IF || b->kind == N_IF || a->kind == N_FOR || b->kind == N_FOR) ?
				"; or put steps that do not depend on each other into an `if` or `for` of their own" : "; what repeats is a `loop`");
		}
		if (i < 8 && w.from && w.to)
			diag_note(e->diag, it, w.span, "%s waits for %s here", label(e, w.from), label(e, w.to));
	}
	sb_free(&chain);
}

static void check_graph(struct elab *e, struct arena *scratch, struct graph *g)
{
	uint32_t n = 0, *v;

	if (!g || g->nodes.n < 2)
		return;
	v = graph_cycle(scratch, graph_edges(scratch, g), &n);
	if (v)
		report_cycle(e, g, v, n);
}

struct self { const struct node *n; struct span span; bool found; };

static void self_ref(struct expr *ref, void *data)
{
	struct self *s = data;

	if (s->found || (ref->fn != REF_OUTPUT && ref->fn != REF_STATUS && ref->fn != REF_EXIT_CODE) || ref->u.node != s->n)
		return;
	s->found = true;
	s->span = ref->span;
}

static void self_expr(struct expr **x, struct node *n, void *data)
{
	(void)n;
	expr_refs(*x, self_ref, data);
}

/* A node that reads itself: its own output, a sweep its best, an `if` whose condition reads a step of its body. */
static void check_self(struct elab *e, struct node *n)
{
	const struct node *sweep = n->graph->owner && n->graph->owner->kind == N_SWEEP ? n->graph->owner : NULL;
	struct self s = { sweep ? sweep : n, n->span, false };
	struct diag_item *it;

	node_exprs(e->ir, n, self_expr, &s);
	if (!s.found)
		return;
	it = diag_at(e->diag, CW0501, s.span, "%s waits for itself here, a cycle", label(e, n));
	diag_mend(e->diag, it, n->kind == N_IF || n->kind == N_FOR ? "what decides whether or over what a body runs comes from outside of it" :
		"read what another step puts out; what repeats is a `loop`");
}

struct checks { struct elab *e; struct arena *scratch; };

static void check_node(struct node *n, void *data)
{
	struct checks *c = data;

	check_self(c->e, n);
	for (uint32_t i = 0, k = node_nchildren(n); i < k; i++)
		check_graph(c->e, c->scratch, node_child(n, i));
}

void order_check(struct elab *e, struct ir_workflow *w)
{
	struct checks c = { e, arena_new() };

	check_graph(e, c.scratch, w->body);
	for (int i = 0; i < ON_COUNT; i++)
		check_graph(e, c.scratch, w->on[i]);
	workflow_nodes(w, check_node, &c);
	arena_free(c.scratch);
}
