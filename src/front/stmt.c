/* Statements of a body: which nodes and names there are, then inline steps, if and for. */
#include "scope.h"

#include <stdlib.h>
#include <string.h>

/* ---- nodes ---- */

struct graph *graph_new(struct elab *e, struct ir_workflow *w, struct node *owner)
{
	struct graph *g = arena_new_of(e->arena, struct graph);

	g->workflow = w;
	g->owner = owner;
	return g;
}

struct port *port_add(struct elab *e, struct node *n, const struct str *name, struct type t, struct span sp)
{
	struct port *p;

	/* Room grows by powers of two: nothing but the count has to be kept. */
	if (!(n->nports & (n->nports - 1)))
		n->ports = arena_grow(e->arena, n->ports, n->nports * sizeof *p, (n->nports ? 2 * n->nports : 1) * sizeof *p);
	p = &n->ports[n->nports++];
	memset(p, 0, sizeof *p);
	p->name = name;
	p->type = t;
	p->span = sp;
	return p;
}

struct sym *declare_node(struct elab *e, struct scope *s, const struct ast_stmt *st, enum node_kind kind)
{
	struct node *n = arena_new_of(e->arena, struct node);
	const struct str *name = st->name;
	struct sym *y;

	if (kind == N_IF || kind == N_FOR || kind == N_FAIL)
		name = str_internf(e->strs, "%s@%u", node_kind_name(kind), diag_place(e->diag, st->span).line);
	n->id = s->flow->w->nnodes++;
	n->kind = (uint8_t)kind;
	n->name = name;
	n->graph = s->graph;
	n->span = st->head;
	y = sym_new(e, SYM_NODE, name, st->name ? st->name_span : st->head, s, st);
	y->node = n;
	vec_push(e->arena, &s->graph->nodes, n);
	vec_push(e->arena, &s->flow->work, y);
	return y;
}

/* Names that stand in a loop's body are private to it. */
static void define(struct elab *e, struct sym *y)
{
	const struct scope *s = y->scope;

	if (!scope_define(e, y))
		return;
	while (s->kind == SC_BRANCH || s->kind == SC_FOR)
		s = s->parent;
	if (s->kind != SC_LOOP)
		return;
	vec_push(e->arena, &s->flow->inner, y);
	if (!strmap_get(&s->flow->in_loops, y->name))
		strmap_put(e->arena, &s->flow->in_loops, y->name, y);
}

static struct scope *body_scope(struct elab *e, struct sym *owner, enum scope_kind k, uint32_t branch)
{
	struct scope *b = scope_new(e, k, owner->scope);

	b->owner = owner;
	b->branch = branch;
	b->graph = graph_new(e, b->flow->w, owner->node);
	return b;
}

static struct sym *region_new(struct elab *e, struct scope *s, const struct ast_stmt *st, enum node_kind kind, uint32_t n)
{
	struct sym *y = declare_node(e, s, st, kind);

	y->u.region = arena_new_of(e->arena, struct region);
	y->u.region->body = arena_array(e->arena, struct scope *, n);
	y->u.region->n = n;
	return y;
}

static void declare_if(struct elab *e, struct scope *s, const struct ast_stmt *st)
{
	uint32_t n = 0, i = 0;
	struct sym *y;

	for (const struct ast_stmt *b = st; b; b = b->else_)
		n++;
	y = region_new(e, s, st, N_IF, n);
	y->node->u.if_.v = arena_array(e->arena, struct branch, n);
	y->node->u.if_.n = n;
	for (const struct ast_stmt *b = st; b; b = b->else_, i++) {
		struct scope *in = body_scope(e, y, SC_BRANCH, i);

		y->u.region->body[i] = in;
		y->node->u.if_.v[i].body = in->graph;
		attrs_check_keys(e, b->body, OWN_IF);
		declare_block(e, in, b->body);
	}
}

static struct sym *loop_variable(struct elab *e, struct scope *in, enum sym_kind k, const struct str *name, struct span sp, const struct ast_stmt *st)
{
	struct sym *v = sym_new(e, k, name, sp, in, st);

	v->node = in->owner->node;
	v->type = type_of(T_INT);
	v->state = k == SYM_INDEX ? SYM_DONE : SYM_NEW;
	if (scope_define(e, v))
		vec_push(e->arena, &in->flow->inner, v);
	return v;
}

static void declare_for(struct elab *e, struct scope *s, const struct ast_stmt *st)
{
	struct sym *y = region_new(e, s, st, N_FOR, 1);
	struct scope *in = body_scope(e, y, SC_FOR, 0);
	struct node *n = y->node;

	y->u.region->body[0] = in;
	n->u.for_.body = in->graph;
	n->u.for_.item = st->name2 ? st->name2 : st->name;
	n->u.for_.index = st->name2 ? st->name : NULL;
	if (st->name2)
		loop_variable(e, in, SYM_INDEX, st->name, st->name_span, st);
	y->u.region->item = loop_variable(e, in, SYM_ITEM, n->u.for_.item, st->name2 ? st->name2_span : st->name_span, st);
	attrs_check_keys(e, st->body, OWN_FOR);
	declare_block(e, in, st->body);
}

static void declare_defaults(struct elab *e, struct scope *s, const struct ast_stmt *st)
{
	if (s->defaults) {
		struct diag_item *it = diag_at(e->diag, CW0218, st->head, "`defaults` stands twice in this body");

		diag_mend(e->diag, it, "put all of them into one block");
		return;
	}
	s->defaults = st->body;
	attrs_check_keys(e, st->body, OWN_DEFAULTS);
}

void declare_stmt(struct elab *e, struct scope *s, const struct ast_stmt *st)
{
	static const uint8_t kinds[AS_COUNT] = {
		[AS_STEP] = N_STEP, [AS_SWEEP] = N_SWEEP, [AS_WAIT] = N_WAIT, [AS_APPROVE] = N_APPROVE, [AS_SERVICE] = N_SERVICE, [AS_LOOP] = N_LOOP
	};
	struct sym *y;

	switch (st->kind) {
	case AS_LET:
		y = sym_new(e, SYM_LET, st->name, st->name_span, s, st);
		define(e, y);
		vec_push(e->arena, &s->flow->work, y);
		break;
	case AS_STEP: case AS_SWEEP: case AS_WAIT: case AS_APPROVE: case AS_SERVICE:
		define(e, declare_node(e, s, st, (enum node_kind)kinds[st->kind]));
		if (st->kind == AS_SWEEP)
			s->flow->w->nnodes++;     /* the node in its body */
		break;
	case AS_LOOP:
		y = region_new(e, s, st, N_LOOP, 1);
		define(e, y);
		y->u.region->body[0] = body_scope(e, y, SC_LOOP, 0);
		loop_declare(e, y->u.region->body[0], y);
		break;
	case AS_FAIL:
		declare_node(e, s, st, N_FAIL);
		break;
	case AS_IF:
		declare_if(e, s, st);
		break;
	case AS_FOR:
		declare_for(e, s, st);
		break;
	case AS_DEFAULTS:
		declare_defaults(e, s, st);
		break;
	default:
		break;
	}
}

void declare_block(struct elab *e, struct scope *s, const struct ast_block *b)
{
	for (uint32_t i = 0; i < b->n; i++)
		declare_stmt(e, s, b->v[i]);
}

/* ---- layers ---- */

void layers_add(struct layers *l, const struct ast_block *b, struct scope *s, enum attr_owner owner)
{
	if (l->n == l->cap) {
		l->cap = l->cap ? 2 * l->cap : 4;
		l->v = xrealloc(l->v, l->cap * sizeof *l->v);
	}
	l->v[l->n++] = (struct attr_layer){ b, s, owner };
}

void layers_around(struct layers *l, struct scope *s)
{
	for (; s; s = s->parent) {
		if (s->kind == SC_WORKFLOW && s->flow->copy)
			layers_add(l, s->flow->copy->block, s->flow->copy->scope, OWN_DEFAULTS_OF_CALL);
		if (s->defaults)
			layers_add(l, s->defaults, s, OWN_DEFAULTS);
	}
}

void layers_free(struct layers *l)
{
	free(l->v);
	*l = (struct layers){ 0 };
}

/* allow_failure of a call of a workflow is the call's, not its steps'. */
bool layers_allow_failure(struct elab *e, const struct layers *l)
{
	for (uint32_t i = 0; i < l->n; i++) {
		const struct ast_stmt *st = l->v[i].owner == OWN_DEFAULTS_OF_CALL ? NULL : block_entry(l->v[i].block, "allow_failure");
		bool v = false;

		if (st)
			return entry_bool(e, l->v[i].scope, st, &v) == 0 && v;
	}
	return false;
}

struct attrs *layers_attrs(struct elab *e, const struct layers *l)
{
	return attrs_resolve(e, l->v, l->n);
}

const struct str *block_doc(struct elab *e, struct scope *s, const struct ast_block *b)
{
	const struct ast_stmt *st = block_entry(b, "doc");
	const struct str *doc = NULL;

	if (st && entry_string(e, s, st, &doc) < 0)
		return NULL;
	return doc;
}

struct expr *block_count(struct elab *e, struct scope *s, const struct ast_block *b, const char *key)
{
	const struct ast_stmt *st = block_entry(b, key);
	const char *what = str_internf(e->strs, "'%s'", key)->s;
	struct diag_item *it;
	struct expr *v;

	if (!st || !st->value)
		return NULL;
	v = elab_value(e, s, st->value, type_of(T_INT), CO_JSON, what, NULL);
	if (!v || !refs_allowed(e, v, REFS_PLAIN, CW0519, what, "write a number, or a param: it is needed before the steps start"))
		return NULL;
	if (!expr_is_const(v) || v->u.lit->u.i >= 1)
		return v;
	it = diag_at(e->diag, CW0301, v->span, "%s is at least 1", what);
	diag_mend(e->diag, it, "leave it out for no limit");
	return NULL;
}

/* ---- inline steps ---- */

static bool inline_shape(struct elab *e, struct sym *sym)
{
	const struct ast_stmt *st = sym->ast;
	struct node *n = sym->node;
	struct ir_task *t = arena_new_of(e->arena, struct ir_task);
	struct layers l = { 0 };

	t->name = st->name;
	t->inline_ = true;
	t->span = st->head;
	t->body_span = st->span;
	n->u.task = t;
	task_decls(e, sym->scope->module, st->body, t, "a step");
	layers_add(&l, st->body, sym->scope, OWN_STEP);
	layers_around(&l, sym->scope);
	n->allow_failure = layers_allow_failure(e, &l);
	layers_free(&l);
	n->nports = t->nouts;
	n->ports = t->nouts ? arena_array(e->arena, struct port, t->nouts) : NULL;
	for (uint32_t i = 0; i < t->nouts; i++) {
		n->ports[i].name = t->outs[i].name;
		n->ports[i].type = t->outs[i].type;
		n->ports[i].type.opt = n->allow_failure;
		n->ports[i].span = t->outs[i].span;
	}
	return true;
}

static bool needs_scope(struct elab *e, const struct ast_block *b)
{
	if (block_has_attrs(e, b))
		return true;
	for (uint32_t i = 0; i < b->n; i++)
		if (b->v[i]->kind == AS_JOB || (b->v[i]->kind == AS_OUT && b->v[i]->decl->to) ||
				(b->v[i]->kind == AS_ENTRY && b->v[i]->name != e->words->run && b->v[i]->name != e->words->doc && b->v[i]->name != e->words->shell))
			return true;
	return false;
}

static void inline_elab(struct elab *e, struct sym *sym)
{
	const struct ast_block *b = sym->ast->body;
	struct node *n = sym->node;
	struct ir_task *t = n->u.task;
	struct scope *s = sym->scope, plain = { .kind = SC_STEP, .parent = s, .module = s->module, .flow = s->flow, .task = t }, *inner = &plain;
	struct layers l = { 0 };
	unsigned before;

	attrs_check_keys(e, b, OWN_STEP);
	inputs_elab(e, s, b, t, n);
	if (needs_scope(e, b)) {
		inner = step_scope(e, s, t);
		layers_add(&l, b, inner, OWN_STEP);
	}
	layers_around(&l, s);
	n->attrs = layers_attrs(e, &l);
	n->doc = block_doc(e, s, b);
	task_code(e, &l, t);
	layers_free(&l);
	n->to = task_to(e, inner, b, t);
	before = e->diag->errors;
	if (task_body(e, inner, b, t, n->attrs, "a step does something") && e->diag->errors == before)
		for (uint32_t i = 0; i < b->n; i++)
			if (b->v[i]->kind == AS_ENTRY && b->v[i]->value && (b->v[i]->name == e->words->run || b->v[i]->name == e->words->command))
				script_check(e, s, t, b->v[i]->value, n->attrs);
	if (t->body == BODY_ARGO && n->attrs->argo)
		n->attrs = without_argo(e, n->attrs);
	env_clash(e, t, n->attrs, sym->ast->head);
	after_elab(e, s, n, b);
}

/* ---- if, for ---- */

static void if_elab(struct elab *e, struct sym *sym)
{
	uint32_t i = 0;

	for (const struct ast_stmt *b = sym->ast; b; b = b->else_, i++)
		if (b->value)
			sym->node->u.if_.v[i].cond = elab_cond(e, sym->scope, b->value, "the condition of an `if`");
}

bool item_elab(struct elab *e, struct sym *item)
{
	struct scope *out = item->scope->parent;
	struct node *n = item->node;
	const char *what = "the list of a `for`";
	struct expr *v = elab_value(e, out, item->ast->value, type_of(T_NONE), 0, what, &item->record);
	struct diag_item *it;

	if (!v || v->type.kind == T_NONE)
		return false;
	if (v->type.opt || v->type.kind == T_NULL) {
		report_optional(e, v, "a `for`");
		return false;
	}
	if (!v->type.list) {
		it = diag_at(e->diag, CW0301, v->span, "a `for` goes through a list, and this is %s", type_words(e, v->type));
		if (v->type.kind == T_INT)
			diag_mend(e->diag, it, "count with range(%s)", source_text(e, v->span));
		else if (v->type.kind == T_JSON)
			diag_mend(e->diag, it, "declare where it comes from as list<json>, or list<string>");
		else if (v->type.kind == T_DIR)
			diag_mend(e->diag, it, "let the step that makes the folder put out list<file>");
		else
			diag_mend(e->diag, it, "put it into a list: [%s]", source_text(e, v->span));
		return false;
	}
	if (v->type.kind == T_ANY) {
		it = diag_at(e->diag, CW0308, v->span, "the list is empty: nothing would ever run, and nothing tells the type of its elements");
		diag_mend(e->diag, it, "give it elements, or take it from a param of type list<string>");
		return false;
	}
	item->type = n->u.for_.item_type = type_of((enum type_kind)v->type.kind);
	n->u.for_.list = v;
	return true;
}

/* ---- all of them ---- */

bool node_shape(struct elab *e, struct sym *sym)
{
	bool ok = true;

	if (sym->state == SYM_NEW) {
		sym->state = SYM_BUSY;
		switch (sym->ast->kind) {
		case AS_STEP: ok = sym->ast->value ? call_shape(e, sym) : inline_shape(e, sym); break;
		case AS_LOOP: ok = loop_shape(e, sym); break;
		case AS_SWEEP: ok = sweep_shape(e, sym); break;
		case AS_WAIT: case AS_APPROVE: case AS_SERVICE: ok = gate_shape(e, sym); break;
		default: break;
		}
		sym->state = ok ? SYM_DONE : SYM_BAD;
	}
	if (sym->state == SYM_BUSY) {
		struct diag_item *it = diag_at(e->diag, CW0502, sym->span, "'%s' is defined by itself, a cycle", sym->name->s);

		diag_mend(e->diag, it, "define what it needs without it");
		sym->state = SYM_BAD;
	}
	return sym->state == SYM_DONE;
}

void sym_elab(struct elab *e, struct sym *sym)
{
	if (sym->kind != SYM_NODE) {
		sym_resolve(e, sym);
		return;
	}
	if (!node_shape(e, sym)) {
		sym->scope->flow->bad = true;
		return;
	}
	switch (sym->ast->kind) {
	case AS_STEP:
		if (sym->ast->value)
			call_elab(e, sym);
		else
			inline_elab(e, sym);
		break;
	case AS_IF:
		if_elab(e, sym);
		break;
	case AS_FOR:
		sym_resolve(e, sym->u.region->item);
		sym->node->u.for_.max_parallel = block_count(e, sym->scope, sym->ast->body, "max_parallel");
		break;
	case AS_LOOP:
		loop_elab(e, sym);
		break;
	case AS_SWEEP:
		sweep_elab(e, sym);
		break;
	default:
		gate_elab(e, sym);
	}
}
