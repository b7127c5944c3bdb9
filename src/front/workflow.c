/* Workflows: params, on blocks, outputs, what holds for the whole run. */
#include "scope.h"

#include <string.h>

/* ---- params ---- */

static bool param_default(struct elab *e, struct sym *y, struct ir_param *p, const char *what)
{
	const struct ast_decl *d = y->ast->decl;
	struct type lt;

	if (d->value) {
		p->dflt = elab_value(e, y->scope, d->value, d->type, 0, what, NULL);
		if (!p->dflt || p->dflt->type.kind == T_NONE)
			return false;
		if (!refs_allowed(e, p->dflt, REFS_PARAMS, CW0519, "the default of a param", "a param is known when the run starts, so its default is a constant or another param; what steps give is a let"))
			return false;
		if (p->dflt->type.opt || p->dflt->type.kind == T_NULL) {
			report_optional(e, p->dflt, what);
			return false;
		}
	}
	p->type = d->type.kind != T_NONE ? d->type : p->dflt ? p->dflt->type : d->type;
	if (d->type.kind == T_NONE && d->type_span.len)
		return false;                                  /* reported */
	if (p->type.kind == T_NONE || p->type.kind == T_ANY) {
		struct diag_item *it = diag_at(e->diag, CW0308, y->span, "nothing tells the type of the param '%s'", y->name->s);

		diag_mend(e->diag, it, "write it: param %s: %s", y->name->s, p->type.kind == T_ANY ? "list<string> = []" : "string, or int, float, bool, file, list<string> ...");
		return false;
	}
	if (!d->in)
		return true;
	if (!(p->dflt = allowed_value(e, y->scope, p->dflt, d, p->type, what)) && d->value)
		return false;
	if (d->value && !expr_is_const(p->dflt))
		p->dflt = p->dflt->u.args[1]->u.args[1];    /* checked with the value itself when the run starts */
	lt = p->type;
	lt.list = true;
	p->in = elab_value(e, y->scope, d->in, lt, 0, "the list of allowed values", NULL);
	return p->in && refs_allowed(e, p->in, 0, CW0310, "the list of allowed values", "write constants");
}

bool param_elab(struct elab *e, struct sym *y)
{
	struct ir_workflow *w = y->scope->flow->w;
	const struct ast_decl *d = y->ast->decl;
	struct ir_param p = { .name = y->name, .span = y->span };
	struct diag_item *it;
	const struct value *v;

	if (d->type.opt) {
		it = diag_at(e->diag, CW0315, d->type_span, "a param cannot be optional");
		diag_mend(e->diag, it, "leave the ? out and give a default: param %s: TYPE = VALUE", y->name->s);
		return false;
	}
	if (d->to || d->at || d->is_stdout) {
		it = diag_at(e->diag, CW0323, y->span, "a param takes a type, a default and allowed values");
		diag_mend(e->diag, it, "write param %s: TYPE = VALUE in [...]", y->name->s);
		return false;
	}
	if (!param_default(e, y, &p, str_internf(e->strs, "param '%s'", y->name->s)->s))
		return false;
	if (d->named && !type_is_path(p.type)) {
		it = diag_at(e->diag, CW0322, d->named->span, "`named` is for files and folders, and '%s' is %s", y->name->s, type_words(e, p.type));
		diag_mend(e->diag, it, "leave it out");
	} else if (d->named && (v = elab_const(e, y->scope, d->named, type_of(T_STRING), "`named`"))) {
		p.named = v->u.s;
	}
	y->type = p.type;
	y->port = w->nparams;
	if (!y->scope->flow->copy) {
		struct wf_def *f = y->scope->flow->def->flow;

		f->param[f->nparams++] = y->ast;
	}
	w->params[w->nparams++] = p;
	return true;
}

/* ---- statements of a workflow alone ---- */

static const struct { const char *name; enum on_event event; } events[] = { { "success", ON_SUCCESS }, { "failure", ON_FAILURE }, { "exit", ON_EXIT } };

static void declare_on(struct elab *e, struct flow *f, const struct ast_stmt *st)
{
	struct scope *s = scope_new(e, SC_ON, f->scope);
	struct diag_item *it;
	size_t i = 0;

	while (i < 2 && !str_eq(st->name, events[i].name))
		i++;
	if (f->on[events[i].event]) {
		it = diag_at(e->diag, CW0518, st->head, "`on %s` stands twice in this workflow", st->name->s);
		diag_mend(e->diag, it, "put all of its steps into one block");
		diag_note(e->diag, it, f->on[events[i].event]->head, "the first is here");
		return;
	}
	f->on[events[i].event] = st;
	s->graph = f->w->on[events[i].event] = graph_new(e, f->w, NULL);
	attrs_check_keys(e, st->body, OWN_ON);
	declare_block(e, s, st->body);
}

static void declare_workflow(struct elab *e, struct flow *f, const struct ast_block *b)
{
	uint32_t volumes = 0;

	for (uint32_t i = 0; i < b->n; i++) {
		const struct ast_stmt *st = b->v[i];
		struct sym *y;

		switch (st->kind) {
		case AS_PARAM:
			y = sym_new(e, SYM_PARAM, st->name, st->name_span, f->scope, st);
			if (scope_define(e, y))
				vec_push(e->arena, &f->work, y);
			break;
		case AS_VOLUME:
			y = sym_new(e, SYM_VOLUME, st->name, st->name_span, f->scope, st);
			y->port = volumes++;
			y->state = SYM_DONE;
			scope_define(e, y);
			break;
		case AS_ON:
			declare_on(e, f, st);
			break;
		default:
			declare_stmt(e, f->scope, st);
		}
	}
}

/* ---- outputs ---- */

static bool out_name(struct elab *e, const struct ir_workflow *w, const struct ast_stmt *st)
{
	struct diag_item *it;

	if (st->name == e->words->status || st->name == e->words->exit_code) {
		it = diag_at(e->diag, CW0206, st->name_span, "an output cannot be called '%s': STEP.%s is how a step ended", st->name->s, st->name->s);
		diag_mend(e->diag, it, "give it another name");
		return false;
	}
	for (uint32_t i = 0; i < w->nouts; i++) {
		if (w->outs[i].name != st->name)
			continue;
		it = diag_at(e->diag, CW0204, st->name_span, "the output '%s' is already declared", st->name->s);
		diag_mend(e->diag, it, "remove one of them");
		diag_note(e->diag, it, w->outs[i].span, "the first is here");
		return false;
	}
	return true;
}

static void out_elab(struct elab *e, struct scope *s, struct ir_workflow *w, const struct ast_stmt *st)
{
	const struct ast_decl *d = st->decl;
	const char *what = str_internf(e->strs, "output '%s'", st->name->s)->s;
	struct ir_out *o = &w->outs[w->nouts];
	struct diag_item *it;

	if (!out_name(e, w, st))
		return;
	if (!d->value) {
		it = diag_at(e->diag, CW0323, st->name_span, "the output '%s' of a workflow has no value", st->name->s);
		diag_mend(e->diag, it, "say where it comes from: out %s = STEP.OUTPUT", st->name->s);
		return;
	}
	if (d->named || d->at || d->in) {
		it = diag_at(e->diag, CW0323, st->name_span, "an output of a workflow takes a value, a type and `to`");
		diag_mend(e->diag, it, "write out %s = STEP.OUTPUT", st->name->s);
	}
	o->name = st->name;
	o->span = st->name_span;
	w->nouts++;
	o->value = elab_value(e, s, d->value, d->type, 0, what, NULL);
	if (!o->value)
		return;
	if (o->value->type.opt || o->value->type.kind == T_NULL) {
		report_optional(e, o->value, what);
		return;
	}
	o->type = o->value->type;
	if (o->type.kind == T_ANY) {
		it = diag_at(e->diag, CW0308, st->name_span, "nothing tells the type of the elements of '%s'", st->name->s);
		diag_mend(e->diag, it, "write it: out %s: list<string> = []", st->name->s);
	}
	if (!d->to)
		return;
	if (type_is_path(o->type)) {
		o->to = publish_to(e, s, d->to);
		return;
	}
	it = diag_at(e->diag, CW0323, d->to->span, "`to` publishes files and folders, and '%s' is %s", st->name->s, type_words(e, o->type));
	diag_mend(e->diag, it, "leave it out, or let a step write the value to a file");
}

/* ---- keys ---- */

static const struct str *raw_text(const struct ast_stmt *st, struct span *sp)
{
	if (!st || !st->value || st->value->kind != AX_STRING)
		return NULL;
	*sp = st->value->span;
	return st->value->u.str;
}

static void keys_elab(struct elab *e, struct flow *f, const struct ast_block *b)
{
	struct ir_workflow *w = f->w;
	struct scope *s = f->scope;
	const struct ast_stmt *x;

	w->doc = block_doc(e, s, b);
	if ((x = block_entry(b, "schedule")))
		schedule_elab(e, s, w, x);
	if ((x = block_entry(b, "artifacts")) && x->value)
		w->artifacts = store_find(e, f->def->module, x->value);
	w->max_parallel = block_count(e, s, b, "max_parallel");
	if ((x = block_entry(b, "timeout")) && x->value) {
		w->timeout = elab_expr(e, s, x->value, type_of(T_DURATION), "'timeout'");
		if (w->timeout)
			refs_allowed(e, w->timeout, REFS_PARAMS, CW0519, "'timeout'", "it is needed when the run starts: write a duration, or a param");
	}
	if ((x = block_entry(b, "fail_fast")))
		entry_bool(e, s, x, &w->fail_fast);
	w->keep = -1;
	if ((x = block_entry(b, "keep")))
		entry_duration(e, s, x, &w->keep);
	if ((x = block_entry(b, "lock")) && x->value)
		attr_locks(e, s, x->value, &w->locks.v, &w->locks.n);
	if ((x = block_entry(b, "labels")) && x->value)
		attr_pairs(e, s, x->value, true, &w->labels.v, &w->labels.n);
	if ((x = block_entry(b, "annotations")) && x->value)
		attr_pairs(e, s, x->value, false, &w->annotations.v, &w->annotations.n);
	w->locks.cap = w->locks.n;
	w->labels.cap = w->labels.n;
	w->annotations.cap = w->annotations.n;
	w->argo = raw_text(block_entry(b, "argo"), &w->argo_span);
	w->airflow = raw_text(block_entry(b, "airflow"), &w->airflow_span);
}

/* ---- all of it ---- */

/* A name that no other workflow of the module has; those of the entry file were taken first. */
static const struct str *unique_name(struct elab *e, const struct def *d, const struct wf_copy *copy)
{
	const struct str *name = d->ast->name;

	if (!copy && d->module == e->main)
		return name;
	for (unsigned k = 2; strmap_get(&e->workflow_names, name); k++)
		name = str_internf(e->strs, "%s-%u", d->ast->name->s, k);
	strmap_put(e->arena, &e->workflow_names, name, (void *)(uintptr_t)1);
	return name;
}

static void flow_init(struct elab *e, struct flow *f, struct def *d, struct wf_copy *copy)
{
	const struct ast_block *b = d->ast->body;
	uint32_t n = 0;

	f->w = arena_new_of(e->arena, struct ir_workflow);
	f->def = d;
	f->copy = copy;
	f->w->name = unique_name(e, d, copy);
	f->w->span = d->ast->head;
	f->w->body = graph_new(e, f->w, NULL);
	f->scope = scope_new(e, SC_WORKFLOW, NULL);
	f->scope->module = d->module;
	f->scope->flow = f;
	f->scope->graph = f->w->body;
	for (uint32_t i = 0; i < b->n; i++)
		n += b->v[i]->kind == AS_PARAM;
	f->w->params = arena_array(e->arena, struct ir_param, n + 1);
	n = 0;
	for (uint32_t i = 0; i < b->n; i++)
		n += b->v[i]->kind == AS_OUT;
	f->w->outs = arena_array(e->arena, struct ir_out, n + 1);
	if (copy) {
		copy->w = f->w;
		return;
	}
	d->flow->scope = f->scope;
	d->flow->param = arena_array(e->arena, const struct ast_stmt *, b->n + 1);
}

struct ir_workflow *workflow_elab(struct elab *e, struct def *d, struct wf_copy *copy)
{
	const struct ast_block *b = d->ast->body;
	struct flow *f = arena_new_of(e->arena, struct flow);
	unsigned before = e->diag->errors;

	flow_init(e, f, d, copy);
	attrs_check_keys(e, b, OWN_WORKFLOW);
	declare_workflow(e, f, b);
	scope_check_hiding(e, f);
	for (uint32_t i = 0; i < f->work.n; i++)
		if (f->work.v[i]->kind == SYM_PARAM)
			sym_resolve(e, f->work.v[i]);
	volumes_elab(e, f, b);
	for (uint32_t i = 0; i < f->work.n; i++)
		sym_elab(e, f->work.v[i]);
	for (uint32_t i = 0; i < b->n; i++)
		if (b->v[i]->kind == AS_OUT)
			out_elab(e, f->scope, f->w, b->v[i]);
	keys_elab(e, f, b);
	f->bad |= !d->module->ok;
	if (e->diag->errors == before && !f->bad)
		order_check(e, f->w);
	if (e->diag->errors != before || f->bad)
		return NULL;
	vec_push(e->arena, &e->ir->workflows, f->w);
	return f->w;
}
