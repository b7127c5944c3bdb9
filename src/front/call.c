/* Calls: which task or workflow, its arguments, copies of workflows with other defaults. */
#include "scope.h"
#include "attr.h"

#include <stdlib.h>
#include <string.h>

/* ---- the callee ---- */

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void near_defs(struct elab *e, struct diag_item *it, const struct module *m, const struct str *name)
{
	VEC(const char *) v = { 0 };

	for (uint32_t i = 0; i < m->tasks.cap; i++)
		if (m->tasks.slot[i].key)
			vec_push(e->arena, &v, m->tasks.slot[i].key->s);
	for (uint32_t i = 0; i < m->workflows.cap; i++)
		if (m->workflows.slot[i].key)
			vec_push(e->arena, &v, m->workflows.slot[i].key->s);
	if (!v.n)
		return;
	qsort(v.v, v.n, sizeof *v.v, by_bytes);
	did_you_mean(e, it, name, v.v, v.n);
}

static struct def *def_in(struct elab *e, const struct module *m, const struct ast_expr *x, const struct str *name, struct span sp, bool *is_task)
{
	struct def *d = strmap_get(&m->tasks, name);
	struct diag_item *it;

	*is_task = d != NULL;
	if (!d)
		d = strmap_get(&m->workflows, name);
	if (d || !m->ok)
		return d;
	for (int i = 0; i < FN_COUNT && x->kind == AX_NAME; i++) {
		if (!str_eq(name, expr_fns[i].name))
			continue;
		it = diag_at(e->diag, CW0219, sp, "'%s' is a function, not a task", name->s);
		diag_mend(e->diag, it, "use it in an expression: let x = %s(...), or in x = %s(...)", name->s, name->s);
		return NULL;
	}
	it = diag_at(e->diag, CW0202, sp, "there is no task or workflow '%s'%s%s", name->s, m == e->main ? "" : " in ", m == e->main ? "" : m->path);
	if (e->diag->errors <= e->diag->max_errors)
		near_defs(e, it, m, name);
	if (it->msg && !it->label && strmap_get(&m->imports, name))
		diag_mend(e->diag, it, "'%s' is an import: call what it holds, %s.NAME(...)", name->s, name->s);
	else if (it->msg && !it->label)
		diag_mend(e->diag, it, "define it, task %s { ... }, or write the step inline: step NAME { run = ... }", name->s);
	return NULL;
}

struct def *def_find(struct elab *e, struct scope *s, const struct ast_expr *callee, bool *is_task)
{
	struct module *m = s->module;
	const struct str *alias;
	struct diag_item *it;

	if (callee->kind == AX_NAME)
		return def_in(e, m, callee, callee->name, callee->span, is_task);
	if (callee->kind != AX_MEMBER || callee->args[0]->kind != AX_NAME)
		return NULL;
	alias = callee->args[0]->name;
	m = strmap_get(&m->imports, alias);
	if (m)
		return def_in(e, m, callee, callee->name, callee->name_span, is_task);
	if (!s->module->ok)
		return NULL;
	it = diag_at(e->diag, CW0212, callee->args[0]->span, "nothing is imported as '%s'", alias->s);
	did_you_mean(e, it, alias, s->module->import_names, s->module->nimports);
	if (it->msg && !it->label)
		diag_mend(e->diag, it, "add at the top: import \"FILE.cw\" as %s", alias->s);
	return NULL;
}

/* ---- arguments ---- */

static uint32_t arity(const struct def *d, bool is_task)
{
	return is_task ? d->task->nins : d->flow->nparams;
}

static const struct str *arg_name(const struct def *d, bool is_task, uint32_t i)
{
	return is_task ? d->task->ins[i].name : d->workflow->params[i].name;
}

static void no_argument(struct elab *e, const struct def *d, bool is_task, const struct ast_arg *a)
{
	uint32_t n = arity(d, is_task);
	const char **names = arena_array(e->arena, const char *, n + 1);
	struct diag_item *it = diag_at(e->diag, CW0208, a->name_span, "'%s' has no %s '%s'", d->ast->name->s, is_task ? "input" : "param", a->name->s);

	for (uint32_t i = 0; i < n; i++)
		names[i] = arg_name(d, is_task, i)->s;
	did_you_mean(e, it, a->name, names, n);
	for (uint32_t i = 0; is_task && i < d->task->nouts && it->msg && !it->label; i++)
		if (d->task->outs[i].name == a->name)
			diag_mend(e->diag, it, "it is an output: read it from the step, as STEP.%s", a->name->s);
	diag_note(e->diag, it, d->ast->name_span, "'%s' is defined here", d->ast->name->s);
}

static bool one_arg(struct elab *e, const struct def *d, bool is_task, const struct ast_arg *a, struct args *v)
{
	struct diag_item *it;

	if (!a->name) {
		if (a->value->kind == AX_ERROR)
			return false;
		it = diag_at(e->diag, CW0321, a->value->span, "arguments of a task are given by name");
		if (a->value->kind == AX_NAME)
			diag_mend(e->diag, it, "write %s = %s", a->value->name->s, a->value->name->s);
		else if (v->n)
			diag_mend(e->diag, it, "write %s = %s", arg_name(d, is_task, 0)->s, source_text(e, a->value->span));
		return false;
	}
	for (uint32_t i = 0; i < v->n; i++) {
		if (arg_name(d, is_task, i) != a->name)
			continue;
		if (v->v[i]) {
			it = diag_at(e->diag, CW0321, a->name_span, "'%s' is given twice", a->name->s);
			diag_note(e->diag, it, v->v[i]->name_span, "the first is here");
			return false;
		}
		v->v[i] = a;
		return true;
	}
	no_argument(e, d, is_task, a);
	return false;
}

bool args_match(struct elab *e, const struct ast_expr *call, const struct def *d, bool is_task, struct args *a)
{
	bool ok = true;

	a->n = arity(d, is_task);
	a->v = arena_array(e->arena, const struct ast_arg *, a->n + 1);
	for (uint32_t i = 0; i < call->u.call.n; i++)
		ok &= one_arg(e, d, is_task, &call->u.call.v[i], a);
	return ok;
}

static struct expr *typed_arg(struct elab *e, struct scope *s, const struct def *d, bool is_task, uint32_t i, const struct ast_expr *x)
{
	const char *what = of_subject;
	struct type t = is_task ? d->task->ins[i].type : d->workflow->params[i].type;
	const struct ast_stmt *st = is_task ? d->parts->in[i] : d->flow->param[i];
	struct expr *v;

	if (t.kind == T_NONE)
		return NULL;
	v = elab_value(e, s, x, t, CO_JSON, what, NULL);
	if (v && (v->type.opt || v->type.kind == T_NULL)) {
		report_optional(e, v, what);
		return NULL;
	}
	if (!v || !st->decl->in)
		return v;
	/* The allowed values of a workflow are checked by itself: only a constant is looked at here. */
	if (!is_task && (!expr_is_const(v) || !d->workflow->params[i].in || !expr_is_const(d->workflow->params[i].in)))
		return v;
	return allowed_value(e, is_task ? d->parts->file : d->flow->scope, v, st->decl, t, what);
}

struct expr *arg_value(struct elab *e, struct scope *s, const struct def *d, bool is_task, uint32_t i, const struct ast_expr *x)
{
	struct subject old = e->subject;
	struct expr *v;

	e->subject = (struct subject){ is_task ? "input" : "param", arg_name(d, is_task, i), d->ast->name };
	v = typed_arg(e, s, d, is_task, i, x);
	e->subject = old;
	return v;
}

struct expr *arg_default(struct elab *e, const struct def *d, uint32_t i)
{
	const struct ast_stmt *st = d->parts->in[i];
	struct type t = d->task->ins[i].type;
	struct expr *v;

	if (d->parts->dflt[i] || !st->decl->value)
		return d->parts->dflt[i];
	v = elab_value(e, d->parts->file, st->decl->value, t, 0, "a default", NULL);
	return allowed_value(e, d->parts->file, v, st->decl, t, "a default");
}

static bool report_missing(struct elab *e, const struct ast_expr *call, const struct def *d, const struct str *name, bool is_task)
{
	struct diag_item *it;

	it = diag_at(e->diag, CW0320, call->span, "'%s' needs the %s '%s', which this call does not give", d->ast->name->s, is_task ? "input" : "param", name->s);
	diag_mend(e->diag, it, "add %s = ... to the arguments", name->s);
	diag_note(e->diag, it, is_task ? decl_span(d->task->ins, d->task->nins, name) : d->ast->name_span, "'%s' has no default", name->s);
	return false;
}

struct span decl_span(const struct ir_decl *v, uint32_t n, const struct str *name)
{
	for (uint32_t i = 0; i < n; i++)
		if (v[i].name == name)
			return v[i].span;
	return (struct span){ 0 };
}

bool call_inputs(struct elab *e, struct scope *s, struct node *n, const struct ast_expr *call, struct def *d, bool is_task, struct wf_copy *copy, struct expr **given)
{
	struct args a = { 0 };
	bool ok = args_match(e, call, d, is_task, &a), missing = false;

	n->nins = copy ? copy->w->nparams : a.n;
	n->ins = n->nins ? arena_array(e->arena, struct expr *, n->nins) : NULL;
	for (uint32_t i = 0; i < a.n; i++) {
		bool needed;

		if (given && given[i]) {
			n->ins[i] = given[i];
			continue;
		}
		if (a.v[i]) {
			ok &= (n->ins[i] = arg_value(e, s, d, is_task, i, a.v[i]->value)) != NULL;
			continue;
		}
		needed = is_task ? !d->parts->in[i]->decl->value : !d->workflow->params[i].dflt;
		if (needed && ok && !missing)
			missing = !report_missing(e, call, d, arg_name(d, is_task, i), is_task);
		if (!needed && is_task)
			n->ins[i] = arg_default(e, d, i);
	}
	for (uint32_t i = 0; copy && i < copy->reads.n; i++) {
		struct expr *v = elab_value(e, s, copy->reads.v[i].x, copy->w->params[copy->reads.v[i].param].type, 0, "an override of defaults", NULL);

		n->ins[copy->reads.v[i].param] = v;
		ok &= v != NULL;
	}
	return ok && !missing;
}

/* ---- workflows ---- */

/* Some key of the block is one of the callee's `defaults`. */
static bool overrides(struct elab *e, const struct ast_block *b)
{
	for (uint32_t i = 0; b && i < b->n; i++)
		if (b->v[i]->kind == AS_ENTRY && b->v[i]->name != e->words->allow_failure && attr_find(e, GROUP_TOP, b->v[i]->name, OWN_DEFAULTS_OF_CALL))
			return true;
	return false;
}

struct ir_workflow *callee_of(struct elab *e, struct scope *s, struct def *d, const struct ast_block *block, struct wf_copy **copy)
{
	struct wf_copy *c;

	*copy = NULL;
	if (d->state != DEF_DONE || !overrides(e, block))
		return d->state == DEF_DONE ? d->workflow : NULL;
	for (c = d->flow->copies; c && c->block != block; c = c->next)
		;
	if (!c) {
		unsigned before = e->diag->errors;

		c = arena_new_of(e->arena, struct wf_copy);
		c->block = block;
		c->next = d->flow->copies;
		d->flow->copies = c;
		c->scope = scope_new(e, SC_COPY, s);
		c->scope->copy = c;
		if (!workflow_elab(e, d, c) || e->diag->errors != before)
			c->w = NULL;
	}
	*copy = c;
	return c->w;
}

/* ---- steps that are calls ---- */

bool call_shape(struct elab *e, struct sym *sym)
{
	const struct ast_stmt *st = sym->ast;
	struct node *n = sym->node;
	struct wf_copy *copy;
	struct layers l = { 0 };
	bool is_task;
	struct def *d = def_find(e, sym->scope, st->value->args[0], &is_task);
	struct ir_workflow *w = NULL;

	if (!d || (is_task ? !task_shape(e, d) : !(w = callee_of(e, sym->scope, d, st->body, &copy))))
		return false;
	if (st->body)
		layers_add(&l, st->body, sym->scope, is_task ? OWN_CALL : OWN_WFCALL);
	if (is_task)
		layers_add(&l, d->ast->body, d->parts->scope, OWN_TASK);
	layers_around(&l, sym->scope);
	n->allow_failure = layers_allow_failure(e, &l);
	layers_free(&l);
	n->kind = is_task ? N_STEP : N_CALL;
	n->u.callee = w;
	if (is_task)
		n->u.task = d->task;
	n->nports = is_task ? d->task->nouts : w->nouts;
	n->ports = n->nports ? arena_array(e->arena, struct port, n->nports) : NULL;
	for (uint32_t i = 0; i < n->nports; i++) {
		n->ports[i].name = is_task ? d->task->outs[i].name : w->outs[i].name;
		n->ports[i].type = is_task ? d->task->outs[i].type : w->outs[i].type;
		n->ports[i].type.opt = n->allow_failure;
		n->ports[i].span = is_task ? d->task->outs[i].span : w->outs[i].span;
	}
	return true;
}

struct attrs *call_attrs(struct elab *e, struct scope *s, struct def *d, const struct ast_block *block, enum attr_owner owner, struct ir_task **task)
{
	struct layers l = { 0 };
	struct attrs *a;

	if (block && block->n)
		layers_add(&l, block, block_has_attrs(e, block) ? step_scope(e, s, d->task) : s, owner);
	layers_add(&l, d->ast->body, d->parts->scope, OWN_TASK);
	layers_around(&l, s);
	a = layers_attrs(e, &l);
	*task = task_for_call(e, d, &l, a);
	if ((*task)->body == BODY_ARGO)
		a = without_argo(e, a);
	layers_free(&l);
	return a;
}

/* The template is the step's body: nothing is merged into it. */
struct attrs *without_argo(struct elab *e, struct attrs *a)
{
	struct attrs *c = arena_new_of(e->arena, struct attrs);

	*c = *a;
	c->argo = NULL;
	return c;
}

/* Variables of a step that two declarations give. */
void env_clash(struct elab *e, const struct ir_task *t, const struct attrs *a, struct span sp)
{
	for (uint32_t i = 0; i < a->env.n; i++) {
		const struct ir_decl *d = NULL;
		struct diag_item *it;

		for (uint32_t k = 0; k < t->nins + t->nouts && !d; k++) {
			const struct ir_decl *c = k < t->nins ? &t->ins[k] : &t->outs[k - t->nins];

			if (c->name == a->env.v[i].name)
				d = c;
		}
		if (!d)
			continue;
		it = diag_at(e->diag, CW0211, a->env.v[i].value ? a->env.v[i].value->span : sp, "env sets '%s', which is an input or output of the step", d->name->s);
		diag_mend(e->diag, it, "rename one of them: both are variables of the step's environment");
		diag_note(e->diag, it, d->span, "it is declared here");
	}
}

void call_elab(struct elab *e, struct sym *sym)
{
	const struct ast_stmt *st = sym->ast;
	struct scope *s = sym->scope;
	struct node *n = sym->node;
	bool is_task;
	struct def *d;
	struct wf_copy *copy = NULL;

	if (sym->state != SYM_DONE || !(d = def_find(e, s, st->value->args[0], &is_task)))
		return;
	if (st->body)
		attrs_check_keys(e, st->body, is_task ? OWN_CALL : OWN_WFCALL);
	if (is_task)
		task_check(e, d);
	else
		callee_of(e, s, d, st->body, &copy);
	call_inputs(e, s, n, st->value, d, is_task, copy, NULL);
	if (is_task) {
		n->attrs = call_attrs(e, s, d, st->body, OWN_CALL, &n->u.task);
		env_clash(e, n->u.task, n->attrs, st->head);
		if (d->parts->to) {
			n->to = arena_array(e->arena, struct expr *, n->nports);
			memcpy(n->to, d->parts->to, n->nports * sizeof *n->to);
		}
	}
	if (st->body) {
		n->doc = block_doc(e, s, st->body);
		after_elab(e, s, n, st->body);
	}
}
