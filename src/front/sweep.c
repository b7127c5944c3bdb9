/* Sweeps: the task, its search space, what is read of the result. The search itself is search.c. */
#include "scope.h"

#include <math.h>

static bool dist_call(const struct ast_expr *x, int *kind)
{
	if (x->kind != AX_CALL || x->args[0]->kind != AX_NAME)
		return false;
	*kind = dist_find(x->args[0]->name);
	return *kind >= 0;
}

/* The task or workflow of a sweep; NULL if it is not known or has errors, which is reported. */
static struct def *sweep_def(struct elab *e, struct sym *sym, bool *is_task, struct ir_workflow **w, struct wf_copy **copy)
{
	struct def *d = def_find(e, sym->scope, sym->ast->value->args[0], is_task);

	*copy = NULL;
	*w = NULL;
	if (!d || (*is_task ? !task_shape(e, d) : !(*w = callee_of(e, sym->scope, d, sym->ast->body, copy))))
		return NULL;
	return d;
}

bool sweep_shape(struct elab *e, struct sym *sym)
{
	struct node *n = sym->node, *body;
	struct layers l = { 0 };
	struct ir_workflow *w;
	struct wf_copy *copy;
	bool is_task;
	struct def *d = sweep_def(e, sym, &is_task, &w, &copy);
	struct sweep *sw;

	if (!d)
		return false;
	n->u.sweep = sw = arena_new_of(e->arena, struct sweep);
	sw->max_failed = -1;
	sw->batch = 1;
	sw->body = graph_new(e, n->graph->workflow, n);
	body = arena_new_of(e->arena, struct node);
	body->id = n->id + 1;
	body->kind = is_task ? N_STEP : N_CALL;
	body->name = n->name;
	body->span = n->span;
	body->graph = sw->body;
	vec_push(e->arena, &sw->body->nodes, body);
	if (is_task)
		body->u.task = d->task;
	else
		body->u.callee = w;
	for (uint32_t i = 0; i < (is_task ? d->task->nouts : w->nouts); i++) {
		if (is_task)
			port_add(e, body, d->task->outs[i].name, d->task->outs[i].type, d->task->outs[i].span);
		else
			port_add(e, body, w->outs[i].name, w->outs[i].type, w->outs[i].span);
	}
	layers_add(&l, sym->ast->body, sym->scope, OWN_SWEEP);
	if (is_task)
		layers_add(&l, d->ast->body, d->parts->scope, OWN_TASK);
	layers_around(&l, sym->scope);
	n->allow_failure = layers_allow_failure(e, &l);
	layers_free(&l);
	return true;
}

/* ---- results ---- */

static struct expr *result(struct elab *e, struct sym *sym, const struct str *field, struct type t, struct span sp)
{
	struct node *n = sym->node;
	uint32_t i = 0;

	while (i < n->nports && n->ports[i].name != field)
		i++;
	t.opt |= n->allow_failure;
	if (i == n->nports)
		port_add(e, n, field, t, sp);
	return expr_ref(e->arena, REF_OUTPUT, n, i, n->ports[i].type, sp);
}

/* The argument of a search that names the budget; NULL: none. */
static const struct str *budget_of(const struct sym *sym)
{
	const struct ast_stmt *s = block_entry(sym->ast->body, "search");

	for (uint32_t i = 0; s && s->value && s->value->kind == AX_CALL && i < s->value->u.call.n; i++) {
		const struct ast_arg *a = &s->value->u.call.v[i];

		if (a->name && str_eq(a->name, "budget") && a->value->kind == AX_NAME)
			return a->value->name;
	}
	return NULL;
}

static struct expr *argument(struct elab *e, struct sym *sym, struct def *d, bool is_task, uint32_t i, const struct str *field, struct span sp)
{
	const struct str *name = is_task ? d->task->ins[i].name : d->workflow->params[i].name;
	struct type t = is_task ? d->task->ins[i].type : d->workflow->params[i].type;
	const struct ast_expr *call = sym->ast->value;
	int kind;

	if (name == budget_of(sym))
		return result(e, sym, field, t, sp);
	for (uint32_t k = 0; k < call->u.call.n; k++) {
		if (call->u.call.v[k].name != name)
			continue;
		if (dist_call(call->u.call.v[k].value, &kind))
			return result(e, sym, field, t, sp);
		return arg_value(e, sym->scope, d, is_task, i, call->u.call.v[k].value);
	}
	return is_task ? arg_default(e, d, i) : NULL;
}

struct expr *sweep_field(struct elab *e, struct sym *sym, const struct str *field, struct span sp, bool *none)
{
	struct ir_workflow *w;
	struct wf_copy *copy;
	bool is_task;
	struct def *d = sweep_def(e, sym, &is_task, &w, &copy);
	const struct node *body = sym->node->u.sweep->body->nodes.v[0];
	uint32_t n;

	*none = false;
	if (!d)
		return NULL;
	if (field == e->words->trials)
		return result(e, sym, field, type_of(T_JSON), sp);
	if (field == e->words->best) {
		struct diag_item *it = diag_at(e->diag, CW0213, sp, "'%s.best' is the best trial, not a value", sym->name->s);

		diag_mend(e->diag, it, "read one of its outputs or arguments: %s.best.%s", sym->name->s, body->nports ? body->ports[0].name->s : "NAME");
		return NULL;
	}
	for (uint32_t i = 0; field->len > 5 && i < body->nports; i++)
		if (body->ports[i].name->len == field->len - 5 && str_eq(body->ports[i].name, field->s + 5))
			return result(e, sym, field, body->ports[i].type, sp);
	n = is_task ? d->task->nins : d->flow->nparams;
	for (uint32_t i = 0; field->len > 5 && i < n; i++)
		if (str_eq(is_task ? d->task->ins[i].name : d->workflow->params[i].name, field->s + 5))
			return argument(e, sym, d, is_task, i, field, sp);
	*none = true;
	return NULL;
}

const char **sweep_names(struct elab *e, struct sym *sym, uint32_t *n)
{
	struct ir_workflow *w;
	struct wf_copy *copy;
	bool is_task;
	struct def *d = sweep_def(e, sym, &is_task, &w, &copy);
	const struct node *body = sym->node->u.sweep->body->nodes.v[0];
	uint32_t ins = !d ? 0 : is_task ? d->task->nins : d->flow->nparams;
	const char **v = arena_array(e->arena, const char *, body->nports + ins + 1);

	*n = 0;
	for (uint32_t i = 0; i < body->nports; i++)
		v[(*n)++] = body->ports[i].name->s;
	for (uint32_t i = 0; i < ins; i++)
		v[(*n)++] = is_task ? d->task->ins[i].name->s : d->workflow->params[i].name->s;
	return v;
}

/* ---- the space ---- */

static bool dist_mistake(struct elab *e, struct span sp, const char *msg, const char *mend)
{
	diag_mend(e->diag, diag_at(e->diag, CW0511, sp, "%s", msg), "%s", mend);
	return false;
}

static bool dist_bounds(struct elab *e, struct scope *s, const struct ast_expr *x, struct dist *d, const char *what)
{
	enum type_kind k = d->kind == DIST_INT_UNIFORM || (d->kind == DIST_STEPS && d->type.kind == T_INT) ? T_INT : T_FLOAT;
	double *to[] = { &d->lo, &d->hi, &d->by };
	uint32_t n = d->kind == DIST_STEPS ? 3 : 2;

	if (x->u.call.n != n)
		return dist_mistake(e, x->span, n == 3 ? "steps takes three numbers, the last one included when it is hit" : "this takes two numbers",
			n == 3 ? "write steps(lo, hi, by)" : "write uniform(lo, hi), log_uniform(lo, hi) or int_uniform(lo, hi)");
	for (uint32_t i = 0; i < n; i++) {
		const struct value *v;

		if (x->u.call.v[i].name)
			return dist_mistake(e, x->u.call.v[i].name_span, "the numbers of a distribution are given by position", "write them in order: lo, hi");
		if (!(v = elab_const(e, s, x->u.call.v[i].value, type_of(k), what)))
			return false;
		*to[i] = k == T_INT ? (double)v->u.i : v->u.d;
		if (!isfinite(*to[i]))
			return dist_mistake(e, x->u.call.v[i].value->span, "a bound is a finite number", "write a number");
	}
	if (d->lo > d->hi)
		return dist_mistake(e, x->span, "the first bound is above the second", "write the lower bound first");
	if (d->kind == DIST_LOG_UNIFORM && d->lo <= 0)
		return dist_mistake(e, x->span, "log_uniform needs bounds above zero", "start above zero, 1e-4 for instance, or use uniform");
	if (n == 3 && d->by <= 0)
		return dist_mistake(e, x->u.call.v[2].value->span, "the step is above zero", "write steps(lo, hi, by) with by > 0");
	return true;
}

static bool dist_choice(struct elab *e, struct scope *s, const struct ast_expr *x, struct dist *d, const char *what)
{
	struct value *v = arena_array(e->arena, struct value, x->u.call.n + 1);

	if (!x->u.call.n)
		return dist_mistake(e, x->span, "choice needs something to choose from", "write choice(4, 6, 8)");
	d->choice = v;
	for (uint32_t i = 0; i < x->u.call.n; i++) {
		const struct ast_arg *a = &x->u.call.v[i];
		const struct value *c;

		if (a->name)
			return dist_mistake(e, a->name_span, "the values of choice are given by position", "write choice(4, 6, 8)");
		if (x->u.call.n == 1 && a->value->kind == AX_LIST && !d->type.list)
			return dist_mistake(e, a->value->span, "choice takes its values one by one, not as a list", "leave the [ ] out");
		if (!(c = elab_const(e, s, a->value, d->type, what)))
			return false;
		v[d->nchoice++] = *c;
	}
	return true;
}

static bool dist_type(struct elab *e, const struct ast_expr *x, struct dist *d)
{
	bool is_int = type_is(d->type, T_INT), is_float = type_is(d->type, T_FLOAT);

	if (d->kind == DIST_CHOICE)
		return true;
	if (!is_int && !is_float)
		return dist_mistake(e, x->span, str_internf(e->strs, "'%s' is %s, and this draws numbers", d->name->s, type_words(e, d->type))->s, "use choice(a, b, ...)");
	if (is_int && (d->kind == DIST_UNIFORM || d->kind == DIST_LOG_UNIFORM))
		return dist_mistake(e, x->span, str_internf(e->strs, "'%s' is an int, and this draws floats", d->name->s)->s, "use int_uniform(lo, hi), steps(lo, hi, by) or choice(a, b, ...)");
	return true;
}

static void dist_elab(struct elab *e, struct scope *s, const struct ast_arg *a, struct dist *d)
{
	const char *what = str_internf(e->strs, "the distribution of '%s'", d->name->s)->s;

	d->span = a->value->span;
	if (d->type.kind == T_NONE || !dist_type(e, a->value, d))
		return;
	if (d->kind == DIST_CHOICE)
		dist_choice(e, s, a->value, d, what);
	else
		dist_bounds(e, s, a->value, d, what);
}

/* A call that is neither a distribution nor a function: the first is what was meant. */
static bool unknown_dist(struct elab *e, const struct ast_expr *x)
{
	const char *names[NDISTS + FN_COUNT];
	struct diag_item *it;

	if (x->kind != AX_CALL || x->args[0]->kind != AX_NAME)
		return false;
	for (int i = 0; i < FN_COUNT; i++) {
		names[NDISTS + i] = expr_fns[i].name;
		if (str_eq(x->args[0]->name, expr_fns[i].name))
			return false;
	}
	for (int i = 0; i < NDISTS; i++)
		names[i] = dist_names[i];
	it = diag_at(e->diag, CW0207, x->args[0]->span, "there is no distribution or function '%s'", x->args[0]->name->s);
	did_you_mean(e, it, x->args[0]->name, names, NDISTS + FN_COUNT);
	if (it->msg && !it->label)
		diag_mend(e->diag, it, "distributions are choice, steps, uniform, log_uniform and int_uniform");
	return true;
}

/* The distributions among the arguments; given: what the body reads for them. */
static void space_elab(struct elab *e, struct sym *sym, const struct def *d, bool is_task, struct expr **given)
{
	const struct ast_expr *call = sym->ast->value;
	struct node *n = sym->node;
	struct sweep *sw = n->u.sweep;
	uint32_t nin = is_task ? d->task->nins : d->flow->nparams;

	sw->space = arena_array(e->arena, struct dist, call->u.call.n + 1);
	for (uint32_t k = 0; k < call->u.call.n; k++) {
		const struct ast_arg *a = &call->u.call.v[k];
		struct type t = type_of(T_NONE);
		uint32_t i = 0;
		int kind;

		while (i < nin && (is_task ? d->task->ins[i].name : d->workflow->params[i].name) != a->name)
			i++;
		if (!dist_call(a->value, &kind)) {
			if (unknown_dist(e, a->value) && i < nin)
				given[i] = expr_ref(e->arena, REF_ARG, n, 0, t, a->value->span);
			continue;
		}
		if (i == nin || given[i])
			continue;         /* reported with the arguments */
		t = is_task ? d->task->ins[i].type : d->workflow->params[i].type;
		sw->space[sw->nspace].name = a->name;
		sw->space[sw->nspace].kind = (enum dist_kind)kind;
		sw->space[sw->nspace].type = t;
		dist_elab(e, sym->scope, a, &sw->space[sw->nspace]);
		given[i] = expr_ref(e->arena, REF_ARG, n, sw->nspace++, t, a->value->span);
	}
}

/* ---- all of it ---- */

void sweep_elab(struct elab *e, struct sym *sym)
{
	const struct ast_block *b = sym->ast->body;
	struct node *n = sym->node, *body = n->u.sweep->body->nodes.v[0];
	struct ir_workflow *w;
	struct wf_copy *copy;
	bool is_task;
	struct def *d = sweep_def(e, sym, &is_task, &w, &copy);
	unsigned before = e->diag->errors, mid;
	struct expr **given;
	struct layers l = { 0 };

	if (!d)
		return;
	attrs_check_keys(e, b, OWN_SWEEP);
	mid = e->diag->errors;
	given = arena_array(e->arena, struct expr *, (is_task ? d->task->nins : d->flow->nparams) + 1);
	space_elab(e, sym, d, is_task, given);
	search_elab(e, sym, d, is_task, given, e->diag->errors == before);
	if (is_task)
		task_check(e, d);
	if (e->diag->errors == mid)
		call_inputs(e, sym->scope, body, sym->ast->value, d, is_task, copy, given);
	n->attrs = is_task ? call_attrs(e, sym->scope, d, b, OWN_SWEEP, &body->u.task) : layers_attrs(e, &l);
	body->attrs = n->attrs;
	if (is_task)
		env_clash(e, body->u.task, n->attrs, sym->ast->head);
	n->doc = block_doc(e, sym->scope, b);
	after_elab(e, sym->scope, n, b);
}
