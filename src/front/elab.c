/* The front end in one call: files, then the workflows of the entry file, callees before callers, then the entry. */
#include "scope.h"

#include <string.h>

/* ---- which workflow calls which ---- */

/* The workflow that a call means, without a word about it; NULL for a task or an unknown name. */
static struct def *called_workflow(const struct module *m, const struct ast_expr *call)
{
	const struct ast_expr *c = call && call->kind == AX_CALL ? call->args[0] : NULL;

	if (!c)
		return NULL;
	if (c->kind == AX_MEMBER && c->args[0]->kind == AX_NAME)
		m = strmap_get(&m->imports, c->args[0]->name);
	else if (c->kind != AX_NAME)
		return NULL;
	if (!m || strmap_get(&m->tasks, c->name))
		return NULL;
	return strmap_get(&m->workflows, c->name);
}

static void collect_calls(struct elab *e, struct def *d, const struct ast_block *b)
{
	for (uint32_t i = 0; b && i < b->n; i++) {
		const struct ast_stmt *st = b->v[i];
		struct def *to;

		if ((st->kind == AS_STEP || st->kind == AS_SWEEP) && (to = called_workflow(d->module, st->value))) {
			vec_add(e->arena, &d->flow->calls);
			d->flow->calls.v[d->flow->calls.n - 1].def = to;
			d->flow->calls.v[d->flow->calls.n - 1].span = st->value->args[0]->span;
		}
		if (st->kind == AS_LOOP || st->kind == AS_FOR || st->kind == AS_ON)
			collect_calls(e, d, st->body);
		for (const struct ast_stmt *x = st->kind == AS_IF ? st : NULL; x; x = x->else_)
			collect_calls(e, d, x->body);
	}
}

static void report_recursion(struct elab *e, struct def **path, uint32_t n, const struct def *to, struct span sp)
{
	struct strbuf b = { 0 };
	struct diag_item *it;
	uint32_t from = n;

	while (from && path[from - 1] != to)
		from--;
	for (uint32_t i = from ? from - 1 : 0; i < n; i++)
		sb_f(&b, "%s -> ", path[i]->ast->name->s);
	sb_str(&b, to->ast->name);
	it = diag_at(e->diag, CW0503, sp, "the workflow '%s' calls itself, a cycle: %s", to->ast->name->s, sb_cstr(&b));
	sb_free(&b);
	diag_mend(e->diag, it, "repeat with a `loop`, or go through a list with `for`");
	for (uint32_t i = from ? from - 1 : 0; i < n && i < from + 7; i++)
		diag_note(e->diag, it, path[i]->ast->name_span, "'%s' is defined here", path[i]->ast->name->s);
}

static void enter(struct elab *e, struct def *d)
{
	d->flow = arena_new_of(e->arena, struct wf_def);
	d->flow->on_path = true;
	d->state = DEF_BUSY;
	collect_calls(e, d, d->ast->body);
}

/* Elaborates d after all that it calls: a walk with its own stack, for chains are as long as they like. */
static void elab_with_callees(struct elab *e, struct def *root)
{
	VEC(struct def *) path = { 0 };

	if (root->state != DEF_NEW)
		return;
	enter(e, root);
	vec_push(e->arena, &path, root);
	while (path.n) {
		struct def *d = path.v[path.n - 1], *to;
		struct span sp;

		if (d->flow->next == d->flow->calls.n) {
			d->workflow = workflow_elab(e, d, NULL);
			d->state = d->workflow ? DEF_DONE : DEF_BAD;
			d->flow->on_path = false;
			path.n--;
			continue;
		}
		to = d->flow->calls.v[d->flow->next].def;
		sp = d->flow->calls.v[d->flow->next++].span;
		if (to->state == DEF_NEW) {
			enter(e, to);
			vec_push(e->arena, &path, to);
		} else if (to->flow->on_path) {
			report_recursion(e, path.v, path.n, to, sp);
		}
		to->flow->called |= to != d;
	}
}

/* ---- the entry ---- */

static bool is_own(const struct elab *e, const struct ast_stmt *st, struct def **d)
{
	*d = st->kind == AS_WORKFLOW ? strmap_get(&e->main->workflows, st->name) : NULL;
	return *d && (*d)->ast == st;
}

static struct def *named_entry(struct elab *e, const char *name, int *status)
{
	const struct ast_block *top = e->main->ast->top;
	const char **names = arena_array(e->arena, const char *, top->n + 1);
	struct strbuf b = { 0 };
	struct diag_item *it;
	struct def *d;
	uint32_t n = 0;

	for (uint32_t i = 0; i < top->n; i++) {
		if (!is_own(e, top->v[i], &d))
			continue;
		if (str_eq(d->ast->name, name)) {
			sb_free(&b);
			return d;
		}
		sb_f(&b, "%s%s", n ? ", " : "", d->ast->name->s);
		names[n++] = d->ast->name->s;
	}
	*status = 2;
	it = diag_at(e->diag, CW0221, (struct span){ 0 }, "%s has no workflow '%s'", e->main->path, name);
	did_you_mean(e, it, str_internz(e->strs, name), names, n);
	diag_mend(e->diag, it, n ? "it has: %s" : "it has none%s", n ? sb_cstr(&b) : "");
	sb_free(&b);
	return NULL;
}

/* The only workflow that no other one calls; NULL where there is none or several, which is said unless optional. */
static struct def *only_entry(struct elab *e, bool optional, int *status)
{
	const struct ast_block *top = e->main->ast->top;
	struct strbuf b = { 0 };
	struct def *d, *entry = NULL;
	struct diag_item *it = NULL;
	uint32_t n = 0;

	for (uint32_t i = 0; i < top->n; i++) {
		if (!is_own(e, top->v[i], &d) || d->flow->called)
			continue;
		entry = d;
		sb_f(&b, "%s%s", n++ ? ", " : "", d->ast->name->s);
	}
	if (n != 1 && !optional && (n > 1 || !e->diag->errors)) {
		*status = n > 1 ? 2 : 1;
		it = n > 1 ? diag_at(e->diag, CW0222, (struct span){ 0 }, "%s has %u workflows that no other one calls: %s", e->main->path, n, sb_cstr(&b)) :
			diag_at(e->diag, CW0223, (struct span){ 0 }, "%s has no workflow to start", e->main->path);
		diag_mend(e->diag, it, n > 1 ? "choose one with --workflow NAME" : "add one: workflow NAME { ... }");
	}
	sb_free(&b);
	return n == 1 ? entry : NULL;
}

/* ---- what is left of the module ---- */

struct keep { struct elab *e; bool *needed; };

static void need_callee(struct node *n, void *data)
{
	struct keep *k = data;

	if (n->kind == N_CALL)
		k->needed[n->u.callee->id] = true;
}

static void add_task(struct elab *e, struct ir_task *t)
{
	struct ir *m = e->ir;

	if (!t || (t->id < m->tasks.n && m->tasks.v[t->id] == t))
		return;
	t->id = m->tasks.n;
	vec_push(e->arena, &m->tasks, t);
}

static void task_of(struct node *n, void *data)
{
	struct elab *e = data;

	if (n->kind == N_STEP)
		add_task(e, n->u.task);
	else if (n->kind == N_WAIT)
		add_task(e, n->u.wait.poll);
	else if (n->kind == N_SERVICE)
		add_task(e, n->u.service.task);
}

/* Workflows that the entry does not reach go; the rest gets its ids. */
static void finish(struct elab *e, struct ir_workflow *entry)
{
	struct ir *m = e->ir;
	struct keep k = { e, arena_array(e->arena, bool, m->workflows.n + 1) };
	uint32_t n = 0;

	for (uint32_t i = 0; i < m->workflows.n; i++) {
		m->workflows.v[i]->id = i;
		k.needed[i] = !entry || m->workflows.v[i] == entry;
	}
	for (uint32_t i = m->workflows.n; i--;)
		if (k.needed[i])
			workflow_nodes(m->workflows.v[i], need_callee, &k);
	for (uint32_t i = 0; i < m->workflows.n; i++) {
		if (!k.needed[i])
			continue;
		m->workflows.v[n] = m->workflows.v[i];
		m->workflows.v[n]->id = n;
		workflow_nodes(m->workflows.v[n++], task_of, e);
	}
	m->workflows.n = n;
	m->entry = entry;
}

/* ---- all of it ---- */

static bool stands_before(const struct diag_item *a, const struct diag_item *b)
{
	if (a->span.file != b->span.file)
		return a->span.file && (!b->span.file || a->span.file < b->span.file);
	return a->span.off < b->span.off;
}

/* Names are found before types, but a reader goes from top to bottom: what was reported, few as it is, in the order of its places. */
static void sort_by_place(struct diag *d)
{
	struct diag_item *sorted = NULL, *next;

	for (struct diag_item *it = d->first; it; it = next) {
		struct diag_item **at = &sorted;

		next = it->next;
		while (*at && !stands_before(it, *at))
			at = &(*at)->next;
		it->next = *at;
		*at = it;
	}
	d->first = d->last = sorted;
	while (d->last && d->last->next)
		d->last = d->last->next;
}

static void reserve_names(struct elab *e)
{
	const struct ast_block *top = e->main->ast->top;

	for (uint32_t i = 0; i < top->n; i++)
		if (top->v[i]->kind == AS_WORKFLOW)
			strmap_put(e->arena, &e->workflow_names, top->v[i]->name, (void *)(uintptr_t)1);
}

static void elab_main(struct elab *e)
{
	const struct ast_block *top = e->main->ast->top;
	struct def *d;

	stores_elab(e);
	reserve_names(e);
	for (uint32_t i = 0; i < top->n; i++) {
		const struct ast_stmt *st = top->v[i];

		if (st->kind == AS_TASK && (d = strmap_get(&e->main->tasks, st->name)) && d->ast == st)
			task_check(e, d);
		if (is_own(e, st, &d))
			elab_with_callees(e, d);
	}
	for (uint32_t i = 0; i < top->n; i++)
		if (top->v[i]->kind == AS_TASK && (d = strmap_get(&e->main->tasks, top->v[i]->name)) && d->ast == top->v[i])
			task_check_uncalled(e, d);
}

static struct ir *build(struct elab *e, const struct front_opts *o, int *status)
{
	struct diag *d = e->diag;
	struct def *entry;

	e->ir->file = str_internz(e->strs, e->main->path);
	e->ir->dir = str_internz(e->strs, e->main->dir);
	elab_main(e);
	entry = o && o->workflow ? named_entry(e, o->workflow, status) : only_entry(e, o && o->entry_optional, status);
	sort_by_place(d);
	if (d->errors) {
		if (!*status)
			*status = 1;
		return NULL;
	}
	finish(e, entry ? entry->workflow : NULL);
	return e->ir;
}

static void begin(struct elab *e)
{
	e->trees = arena_new();
	e->ir = ir_new(e->arena, e->strs, e->diag);
	words_init(e);
}

static struct ir *end(struct elab *e, const struct front_opts *o, int *status)
{
	struct ir *m = e->main ? build(e, o, status) : NULL;

	arena_free(e->trees);
	return m;
}

struct ir *front(struct arena *a, struct strtab *strs, struct diag *d, const char *path, const struct front_opts *o, int *status)
{
	struct elab e = { .arena = a, .strs = strs, .diag = d, .seen = o ? o->seen : NULL };

	*status = 0;
	begin(&e);
	e.main = module_load(&e, path, status);
	return end(&e, o, status);
}

struct ir *front_text(struct arena *a, struct strtab *strs, struct diag *d, const char *path, const char *text, size_t len, const struct front_opts *o, int *status)
{
	struct elab e = { .arena = a, .strs = strs, .diag = d, .seen = o ? o->seen : NULL };

	*status = 0;
	begin(&e);
	e.main = module_load_text(&e, path, text, len, status);
	return end(&e, o, status);
}
