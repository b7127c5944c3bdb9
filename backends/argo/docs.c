/*
 * Documents: the entry workflow is one, and so is each workflow that is called by reference, a WorkflowTemplate. A workflow
 * that is part of its caller stands in its caller's document.
 */
#include "argo.h"

#include <string.h>

struct placing { struct argo *g; uint32_t doc; };

static void place_callee(struct node *n, void *data)
{
	struct placing *p = data;

	if (n->kind == N_CALL && n->u.callee->link == LINK_INLINE)
		p->g->w[n->u.callee->id].doc = p->doc;
}

/* The name of a document: of the entry and its own; the end is kept where it is too long, for there parts differ. */
static const char *object_name(struct argo *g, const struct ir_workflow *w)
{
	size_t own = strlen(g->m->entry->name->s);
	const char *name = w->name->s, *full;
	struct strbuf b = { 0 };

	if (strncmp(name, g->m->entry->name->s, own))
		sb_f(&b, "%s-", g->m->entry->name->s);
	sb_z(&b, name);
	full = name_object(g, str_intern(g->strs, b.s, b.n), b.n);
	sb_free(&b);
	own = strlen(full);
	if (own > 60)
		full = a_f(g, "p%s", name_object(g, str_internz(g->strs, full + own - 59), 59));
	for (unsigned k = 2; strmap_get(&g->objects, str_internz(g->strs, full)); k++)
		full = a_f(g, "%.58s-%u", full, k);
	strmap_put(g->a, &g->objects, str_internz(g->strs, full), g);
	return full;
}

void docs_plan(struct argo *g)
{
	/* callers stand behind callees */
	for (uint32_t i = g->m->workflows.n; i-- > 0; ) {
		const struct ir_workflow *w = g->m->workflows.v[i];
		struct placing p = { g, w->id };

		if (!g->w[w->id].needed)
			continue;
		if (w == g->m->entry || w->link != LINK_INLINE)
			g->w[w->id].doc = w->id;
		if (w != g->m->entry && w->link != LINK_INLINE)
			g->w[w->id].object = object_name(g, w);
		p.doc = g->w[w->id].doc;
		workflow_nodes((struct ir_workflow *)w, place_callee, &p);
	}
	g->doc = g->m->entry->id;
}

uint32_t docs_enter(struct argo *g, uint32_t doc)
{
	uint32_t before = g->doc;

	g->doc = doc;
	g->depth = doc == g->m->entry->id ? g->entry_depth : 2;
	return before;
}

void template_ref(struct argo *g, struct yaml *y, const char *name)
{
	const struct winfo *w = strmap_get(&g->elsewhere, str_internz(g->strs, name));

	if (!w || w->doc == g->doc) {
		y_z(y, "template", name);
		return;
	}
	y_open(y, "templateRef");
	y_z(y, "name", w->object);
	y_z(y, "template", name);
	y_end(y);
}

/*
 * A little below what the engine refuses: checks of parameters and what stands in every document come on top. Ids of nodes
 * are hashes of 32 bits: among 5,000 two are the same in one of 350 runs.
 */
void argo_limits(const struct optset *o, struct limits *l)
{
	if (opt_bool(o, "argo", argo_opts, "limits"))
		*l = (struct limits){ .bytes = 1048576, .tasks = 190, .templates = 180, .nodes = 4500 };
}
