/* What a node waits for: lines `needs KEY...` (values) and `after KEY...` (order), from its references. */
#include <string.h>

#include "shell.h"

struct needs {
	struct strbuf keys;               /* words so far */
	unsigned common;                  /* depth up to which instances are the reader's own */
	const struct node *reader;
};

/* "tag$S1": one instance, or "tag$S0"':*' all those below it */
static void add_key(struct needs *s, const struct node *n)
{
	struct strbuf w = { 0 };
	unsigned d = sh_depth(n), common = d < s->common ? d : s->common;

	sb_ch(&w, ' ');
	sh_key(&w, n);
	if (common)
		sb_f(&w, "\"$S%u\"", common);
	for (unsigned i = common; i < d; i++)
		sb_z(&w, "':*'");
	if (!s->keys.n || !strstr(sb_cstr(&s->keys), sb_cstr(&w)) ||
	    !strchr(" ", *(strstr(sb_cstr(&s->keys), sb_cstr(&w)) + w.n)))
		sb_add(&s->keys, w.s, w.n);
	sb_free(&w);
}

/* In an on block what the rest of the workflow gives is optional: it holds nothing back. */
static const struct graph *root(const struct node *n)
{
	const struct graph *g = n->graph;

	while (g->owner)
		g = g->owner->graph;
	return g;
}

static void reference(struct expr *e, void *data)
{
	struct needs *s = data;
	struct node *n = e->u.node;
	unsigned common = s->common;

	if (e->fn != REF_OUTPUT || (s->reader && root(n) != root(s->reader)))
		return;
	if (n->kind != N_IF && n->kind != N_FOR && n->kind != N_GROUP) {
		add_key(s, n);
		return;
	}
	if (sh_depth(n) < s->common)
		s->common = sh_depth(n);
	if (n->kind == N_FOR)
		add_key(s, n);
	for (uint32_t i = 0, k = n->kind == N_IF ? n->u.if_.n : 1; i < k; i++)
		if (n->ports[e->n].value[i])
			expr_refs(n->ports[e->n].value[i], reference, s);
	s->common = common;
}

static void slot(struct expr **e, struct node *n, void *data)
{
	(void)n;
	expr_refs(*e, reference, data);
}

/* The ancestor of n that the reader can see: one in a graph around it. */
static const struct node *visible(const struct node *n, const struct node *reader)
{
	for (const struct node *a = n; a; a = a->graph->owner)
		for (const struct node *r = reader; r; r = r->graph->owner)
			if (r->graph == a->graph)
				return a;
	return n;
}

static void print(struct plan *p, const char *word, struct needs *s)
{
	if (s->keys.n)
		sb_f(p->out, "\t%s%s\n", word, sb_cstr(&s->keys));
	sb_free(&s->keys);
}

void sh_needs(struct plan *p, const struct node *n)
{
	struct needs s = { .common = sh_depth(n), .reader = n };

	if (n->kind == N_IF) {
		for (uint32_t i = 0; i < n->u.if_.n; i++)
			if (n->u.if_.v[i].cond)
				expr_refs(n->u.if_.v[i].cond, reference, &s);
	} else if (n->kind == N_FOR) {
		expr_refs(n->u.for_.list, reference, &s);
	} else if (n->kind == N_LOOP) {
		for (uint32_t i = 0; i < n->u.loop.n; i++)
			expr_refs(n->u.loop.v[i].init, reference, &s);
	} else {
		node_exprs((struct ir *)p->m, (struct node *)n, slot, &s);
	}
	print(p, "needs", &s);
	for (uint32_t i = 0; i < n->nafter; i++) {
		if (n->after[i].soft)
			continue;
		s.common = sh_depth(visible(n->after[i].node, n));
		add_key(&s, n->after[i].node);
	}
	print(p, "after", &s);
}

void sh_needs_of(struct plan *p, struct expr *const *e, uint32_t n)
{
	struct needs s = { 0 };

	for (uint32_t i = 0; i < n; i++)
		expr_refs(e[i], reference, &s);
	print(p, "needs", &s);
}
