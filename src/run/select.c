/* --until, --from: which nodes of the entry workflow take part, and which run whatever is kept of them. */
#include <string.h>

#include "rt.h"

struct find { const char *name; struct node **v; uint32_t n; const char **names; uint32_t nnames; struct arena *a; bool count; };

static void find_one(struct node *n, void *data)
{
	struct find *f = data;

	if (!f->count && str_eq(n->name, f->name))
		f->v[f->n] = n;
	f->n += str_eq(n->name, f->name);
	if (!f->count)
		f->names[f->nnames++] = n->name->s;
}

struct alias { const char *name; struct node *into; };

static void alias_in(struct graph *g, struct alias *a)
{
	for (uint32_t k = 0; k < g->merged.n && !a->into; k++)
		if (str_eq(g->merged.v[k].node->name, a->name))
			a->into = g->merged.v[k].into;
}

static void alias_of_node(struct node *n, void *data)
{
	for (uint32_t i = 0; i < node_nchildren(n); i++)
		alias_in(node_child(n, i), data);
}

/* What stands for a step of that name that pass cse took out; NULL: none. */
static struct node *merged_into(struct ir_workflow *w, const char *name)
{
	struct alias a = { name, NULL };

	alias_in(w->body, &a);
	for (int i = 0; i < ON_COUNT; i++)
		if (w->on[i])
			alias_in(w->on[i], &a);
	workflow_nodes(w, alias_of_node, &a);
	return a.into;
}

/* Nodes of a name, wherever they stand; branches of an `if` may hold several. NULL after a diagnostic. */
static struct node **named(struct rt *rt, const char *option, const char *name, uint32_t *n)
{
	struct ir_workflow *w = rt->m->entry;
	struct find f = { .name = name, .a = rt->arena };
	struct diag_item *it;
	const char *near;

	f.v = arena_array(rt->arena, struct node *, w->nnodes + 1);
	f.names = arena_array(rt->arena, const char *, w->nnodes + 1);
	workflow_nodes(w, find_one, &f);
	f.v[f.n] = f.n ? NULL : merged_into(w, name);
	*n = f.n + (f.v[f.n] != NULL);
	if (*n)
		return f.v;
	it = diag_at(rt->d, CW0903, (struct span){ 0 }, "--%s %s: workflow '%s' has no such step", option, name, w->name->s);
	near = nearest(name, strlen(name), f.names, f.nnames);
	if (near)
		diag_mend(rt->d, it, "did you mean '%s'?", near);
	return NULL;
}

struct first { const char *name; struct node *found; };

static void first_one(struct node *n, void *data)
{
	struct first *f = data;

	if (!f->found && str_eq(n->name, f->name))
		f->found = n;
}

struct node *node_named(struct rt *rt, struct ir_workflow *w, const char *name)
{
	struct first f = { name, NULL };

	(void)rt;
	workflow_nodes(w, first_one, &f);
	return f.found;
}

/* ---- until: what a step needs ---- */

struct list { struct node **v; uint32_t n; };

static void want(struct rt *rt, struct list *todo, struct node *n)
{
	struct nodeinfo *info = node_info(rt, n);

	if (info->wanted)
		return;
	info->wanted = true;
	todo->v[todo->n++] = n;
}

struct inner { struct rt *rt; struct list *todo; };

static void want_inner(struct node *n, void *data)
{
	struct inner *i = data;

	want(i->rt, i->todo, n);
}

static int until(struct rt *rt, const char *name)
{
	uint32_t n, asked;
	struct node **first = named(rt, "until", name, &n);
	struct list todo = { arena_array(rt->arena, struct node *, rt->m->entry->nnodes + 1), 0 };
	struct inner in = { rt, &todo };

	if (!first)
		return 2;
	rt->until = true;
	for (asked = 0; asked < n; asked++)
		want(rt, &todo, first[asked]);
	for (uint32_t k = 0; k < todo.n; k++) {
		struct node *at = todo.v[k];
		struct nodeinfo *info = node_deps(rt, at);

		for (uint32_t d = 0; d < info->ndeps; d++) {
			want(rt, &todo, info->deps[d].node);
			if (node_nchildren(info->deps[d].node))
				node_within(info->deps[d].node, want_inner, &in);
		}
		if (at->graph->owner)
			want(rt, &todo, at->graph->owner);
		if (k < n && node_nchildren(at))
			node_within(at, want_inner, &in);
	}
	return 0;
}

/* ---- from: what follows a step ---- */

struct follow {
	struct rt *rt;
	uint32_t *start, *dep;            /* dependents by node id */
	struct node **by_id;
	struct list todo;
};

static void count_deps(struct node *n, void *data)
{
	struct follow *f = data;
	struct nodeinfo *info = node_deps(f->rt, n);

	f->by_id[n->id] = n;
	for (uint32_t d = 0; d < info->ndeps; d++)
		f->start[info->deps[d].node->id + 1]++;
}

static void fill_deps(struct node *n, void *data)
{
	struct follow *f = data;
	struct nodeinfo *info = node_info(f->rt, n);

	for (uint32_t d = 0; d < info->ndeps; d++)
		f->dep[f->start[info->deps[d].node->id]++] = n->id;
}

static void force(struct follow *f, struct node *n)
{
	struct nodeinfo *info = node_info(f->rt, n);

	if (info->forced)
		return;
	info->forced = true;
	if (!info->tainted)
		f->todo.v[f->todo.n++] = n;
	info->tainted = true;
}

static void force_inner(struct node *n, void *data)
{
	force(data, n);
}

static void taint(struct follow *f, struct node *n)
{
	struct nodeinfo *info = node_info(f->rt, n);

	if (!info->tainted)
		f->todo.v[f->todo.n++] = n;
	info->tainted = true;
}

static int from(struct rt *rt, const char *name)
{
	uint32_t n, nnodes = rt->m->entry->nnodes;
	struct node **first = named(rt, "from", name, &n);
	struct follow f = { .rt = rt };

	if (!first)
		return 2;
	f.start = arena_array(rt->arena, uint32_t, nnodes + 2);
	f.by_id = arena_array(rt->arena, struct node *, nnodes + 1);
	f.todo.v = arena_array(rt->arena, struct node *, nnodes + 1);
	workflow_nodes(rt->m->entry, count_deps, &f);
	for (uint32_t k = 0; k <= nnodes; k++)
		f.start[k + 1] += f.start[k];
	f.dep = arena_array(rt->arena, uint32_t, f.start[nnodes + 1] + 1);
	workflow_nodes(rt->m->entry, fill_deps, &f);                        /* start[k] is now the end of k, the start of k + 1 */
	for (uint32_t k = 0; k < n; k++)
		force(&f, first[k]);
	for (uint32_t k = 0; k < f.todo.n; k++) {
		struct node *at = f.todo.v[k];

		for (uint32_t d = at->id ? f.start[at->id - 1] : 0; d < f.start[at->id]; d++)
			force(&f, f.by_id[f.dep[d]]);
		if (at->graph->owner)
			taint(&f, at->graph->owner);
		if (node_info(rt, at)->forced && node_nchildren(at))
			node_within(at, force_inner, &f);
	}
	return 0;
}

int select_nodes(struct rt *rt)
{
	uint32_t n;

	for (const char *const *f = rt->o->force; f && *f; f++) {
		struct node **v = strcmp(*f, "*") ? named(rt, "force", *f, &n) : NULL;

		if (!v && strcmp(*f, "*"))
			return 2;
		for (uint32_t k = 0; v && k < n; k++)
			node_info(rt, v[k])->forced = true;
	}
	if (rt->o->until && until(rt, rt->o->until))
		return 2;
	return rt->o->from ? from(rt, rt->o->from) : 0;
}
