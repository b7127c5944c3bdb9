/* How a sweep searches: its search, objective and limits. */
#include "scope.h"

#include <math.h>
#include <string.h>

enum { MOST_TRIALS = 1000000 };

#define SEARCH_ARGS(X) X(trials) X(seed) X(factor) X(budget) X(min) X(max) X(batch) X(data_card) X(model_card)
enum search_arg {
#define X(a) ARG_##a,
	SEARCH_ARGS(X)
#undef X
	NARGS
};
static const char *const arg_names[NARGS] = {
#define X(a) #a,
	SEARCH_ARGS(X)
#undef X
};
#define BIT(a) (1u << ARG_##a)

/* search, what it takes, what it needs, how it is written */
static const struct { const char *name; unsigned takes, needs; const char *write; } searches[] = {
	[SEARCH_GRID] = { "grid", 0, 0, "grid()" },
	[SEARCH_RANDOM] = { "random", BIT(trials) | BIT(seed), BIT(trials), "random(trials = 20, seed = 7)" },
	[SEARCH_HALVING] = { "halving", BIT(trials) | BIT(seed) | BIT(factor) | BIT(budget) | BIT(min) | BIT(max),
		BIT(trials) | BIT(factor) | BIT(budget) | BIT(min) | BIT(max), "halving(trials = 27, factor = 3, budget = epochs, min = 1, max = 27)" },
	[SEARCH_TPE] = { "tpe", BIT(trials) | BIT(seed) | BIT(batch), BIT(trials), "tpe(trials = 50, seed = 7)" },
	[SEARCH_LLM] = { "llm", BIT(trials) | BIT(data_card) | BIT(model_card), BIT(trials), "llm(trials = 10, data_card = \"...\", model_card = \"...\")" }
};
enum { NSEARCHES = SEARCH_LLM + 1 };

struct search { struct elab *e; struct sym *sym; const struct def *d; bool is_task; struct expr **given; const struct ast_expr *arg[NARGS]; };

static bool search_mistake(struct elab *e, enum diag_code code, struct span sp, const char *msg, const char *mend)
{
	diag_mend(e->diag, diag_at(e->diag, code, sp, "%s", msg), "%s", mend);
	return false;
}

static bool int_arg(struct search *s, enum search_arg a, int64_t lo, int64_t hi, int64_t *out)
{
	const char *what = str_internf(s->e->strs, "'%s'", arg_names[a])->s;
	const struct value *v;

	if (!s->arg[a])
		return true;
	v = elab_const(s->e, s->sym->scope, s->arg[a], type_of(T_INT), what);
	if (!v)
		return false;
	if (a == ARG_trials && v->u.i > hi)
		return search_mistake(s->e, CW0514, s->arg[a]->span, "a sweep has at most 1,000,000 trials", "fewer trials: random(trials = 200) searches well");
	if (v->u.i < lo || v->u.i > hi)
		return search_mistake(s->e, CW0513, s->arg[a]->span, str_internf(s->e->strs, "%s is at least %lld", what, (long long)lo)->s, "write such a number");
	*out = v->u.i;
	return true;
}

static bool card_arg(struct search *s, enum search_arg a, const struct str **out)
{
	const struct value *v;

	if (!s->arg[a])
		return true;
	v = elab_const(s->e, s->sym->scope, s->arg[a], type_of(T_STRING), str_internf(s->e->strs, "'%s'", arg_names[a])->s);
	if (v)
		*out = v->u.s;
	return v != NULL;
}

static bool budget_bound(struct search *s, enum search_arg a, enum type_kind k, double *out)
{
	const struct value *v = elab_const(s->e, s->sym->scope, s->arg[a], type_of(k), str_internf(s->e->strs, "'%s'", arg_names[a])->s);

	if (!v)
		return false;
	*out = k == T_INT ? (double)v->u.i : v->u.d;
	if (*out > 0 && isfinite(*out))
		return true;
	return search_mistake(s->e, CW0515, s->arg[a]->span, "a budget is above zero", "write such a number");
}

static bool budget_arg(struct search *s)
{
	const struct ast_expr *x = s->arg[ARG_budget];
	struct elab *e = s->e;
	struct sweep *sw = s->sym->node->u.sweep;
	uint32_t n = s->is_task ? s->d->task->nins : s->d->flow->nparams, i = 0;
	const char **names = arena_array(e->arena, const char *, n + 1);
	struct diag_item *it;
	struct type t;

	if (x->kind != AX_NAME)
		return search_mistake(e, CW0515, x->span, "budget is the name of an input", "write budget = epochs");
	for (; i < n; i++) {
		const struct str *name = s->is_task ? s->d->task->ins[i].name : s->d->workflow->params[i].name;

		names[i] = name->s;
		if (name == x->name)
			break;
	}
	if (i == n) {
		it = diag_at(e->diag, CW0515, x->span, "'%s' has no input '%s'", s->d->ast->name->s, x->name->s);
		did_you_mean(e, it, x->name, names, n);
		return false;
	}
	for (uint32_t k = 0; k < s->sym->ast->value->u.call.n; k++)
		if (s->sym->ast->value->u.call.v[k].name == x->name)
			return search_mistake(e, CW0515, s->sym->ast->value->u.call.v[k].name_span, "halving gives this argument: it is its budget", "leave it out of the call");
	t = s->is_task ? s->d->task->ins[i].type : s->d->workflow->params[i].type;
	if (!type_is_num(t) || t.opt)
		return search_mistake(e, CW0515, x->span, str_internf(e->strs, "the budget is a number, and '%s' is %s", x->name->s, type_words(e, t))->s, "name an int or float input");
	s->given[i] = expr_ref(e->arena, REF_ARG, s->sym->node, sw->nspace, t, x->span);
	sw->budget = x->name;
	sw->budget_type = t;
	if (!budget_bound(s, ARG_min, (enum type_kind)t.kind, &sw->min) || !budget_bound(s, ARG_max, (enum type_kind)t.kind, &sw->max))
		return false;
	if (sw->min > sw->max)
		return search_mistake(e, CW0515, s->arg[ARG_min]->span, "min is above max", "write the smaller budget as min");
	return true;
}

/* Named arguments of the search into their places. */
static bool place_args(struct search *s, int kind, const struct ast_expr *x)
{
	struct elab *e = s->e;
	struct diag_item *it;
	bool ok = true;

	for (uint32_t i = 0; i < x->u.call.n; i++) {
		const struct ast_arg *a = &x->u.call.v[i];
		int k = 0;

		if (!a->name) {
			it = diag_at(e->diag, CW0513, a->value->span, "the arguments of a search are given by name");
			diag_mend(e->diag, it, "write search = %s", searches[kind].write);
			return false;
		}
		while (k < NARGS && !str_eq(a->name, arg_names[k]))
			k++;
		if (k == NARGS || !(searches[kind].takes & 1u << k)) {
			it = diag_at(e->diag, CW0513, a->name_span, "%s() has no argument '%s'", searches[kind].name, a->name->s);
			did_you_mean(e, it, a->name, arg_names, NARGS);
			diag_mend(e->diag, it, "write search = %s", searches[kind].write);
			ok = false;
		} else if (s->arg[k]) {
			it = diag_at(e->diag, CW0513, a->name_span, "'%s' is given twice", a->name->s);
			diag_mend(e->diag, it, "remove one of them");
			ok = false;
		} else {
			s->arg[k] = a->value;
		}
	}
	for (int k = 0; ok && k < NARGS; k++) {
		if (!(searches[kind].needs & 1u << k) || s->arg[k])
			continue;
		it = diag_at(e->diag, CW0513, x->span, "%s() needs %s", searches[kind].name, arg_names[k]);
		diag_mend(e->diag, it, "write search = %s", searches[kind].write);
		ok = false;
	}
	return ok;
}

static int search_kind(struct elab *e, const struct ast_stmt *st)
{
	const struct ast_expr *x = st->value, *name = x && x->kind == AX_CALL ? x->args[0] : x;
	const char *names[NSEARCHES];
	struct diag_item *it;
	int k = 0;

	if (!x || x->kind == AX_ERROR)
		return -1;
	for (int i = 0; i < NSEARCHES; i++)
		names[i] = searches[i].name;
	while (k < NSEARCHES && !(name->kind == AX_NAME && str_eq(name->name, searches[k].name)))
		k++;
	if (k < NSEARCHES && x->kind == AX_CALL)
		return k;
	it = diag_at(e->diag, CW0509, name->span, k < NSEARCHES ? "a search is written with its arguments in parentheses" : "there is no such search");
	if (k == NSEARCHES && name->kind == AX_NAME)
		did_you_mean(e, it, name->name, names, NSEARCHES);
	diag_mend(e->diag, it, "write search = %s", k < NSEARCHES ? searches[k].write : "grid(), random(trials = 20, seed = 7), halving(...), tpe(trials = 50) or llm(trials = 10)");
	return -1;
}

/* Points of one argument in a grid. */
static double dist_points(const struct dist *d)
{
	if (d->kind == DIST_CHOICE)
		return d->nchoice;
	return d->by > 0 ? floor((d->hi - d->lo) / d->by * (1 + 1e-12) + 1e-9) + 1 : 0;
}

static bool grid_check(struct elab *e, const struct sym *sym)
{
	const struct sweep *sw = sym->node->u.sweep;
	double points = 1;
	struct diag_item *it;

	for (uint32_t i = 0; i < sw->nspace; i++) {
		const struct dist *d = &sw->space[i];

		if (d->kind != DIST_CHOICE && d->kind != DIST_STEPS) {
			it = diag_at(e->diag, CW0510, d->span, "grid() cannot count through %s, which is a range without steps", dist_names[d->kind]);
			diag_mend(e->diag, it, "use choice(...) or steps(lo, hi, by), or search = random(trials = 20)");
			return false;
		}
		points *= dist_points(d);
	}
	if (points <= MOST_TRIALS)
		return true;
	it = diag_at(e->diag, CW0514, sym->span, "this grid has %.6g points, and a sweep has at most 1,000,000 trials", points);
	diag_mend(e->diag, it, "take fewer values, or search = random(trials = 200)");
	return false;
}

static void search_of(struct search *s, const struct ast_stmt *st)
{
	struct sweep *sw = s->sym->node->u.sweep;
	int k = search_kind(s->e, st);
	int64_t seed = 0;

	if (k < 0 || !place_args(s, k, st->value))
		return;
	sw->search = (enum search_kind)k;
	sw->trials = 1;
	sw->factor = 2;
	if (!int_arg(s, ARG_trials, 1, MOST_TRIALS, &sw->trials) || !int_arg(s, ARG_seed, 0, INT_LIMIT, &seed) ||
			!int_arg(s, ARG_factor, 2, MOST_TRIALS, &sw->factor) || !int_arg(s, ARG_batch, 1, MOST_TRIALS, &sw->batch))
		return;
	sw->seed = (uint64_t)seed;
	if (!card_arg(s, ARG_data_card, &sw->data_card) || !card_arg(s, ARG_model_card, &sw->model_card))
		return;
	if (k == SEARCH_HALVING)
		budget_arg(s);
	if (k == SEARCH_GRID)
		grid_check(s->e, s->sym);
}

static bool objective_is(struct search *s, const struct ast_stmt *st)
{
	struct elab *e = s->e;
	const struct node *body = s->sym->node->u.sweep->body->nodes.v[0];
	const char **names = arena_array(e->arena, const char *, body->nports + 1);
	const struct ast_expr *x = st->value;
	struct diag_item *it;

	if (!x || x->kind == AX_ERROR)
		return false;
	if (x->kind != AX_NAME)
		return search_mistake(e, CW0508, x->span, "the objective is the name of an output", "write maximize = auc");
	for (uint32_t i = 0; i < body->nports; i++) {
		names[i] = body->ports[i].name->s;
		if (body->ports[i].name != x->name)
			continue;
		if (!type_is_num(body->ports[i].type)) {
			it = diag_at(e->diag, CW0508, x->span, "the objective is a number, and '%s' is %s", x->name->s, type_words(e, body->ports[i].type));
			diag_note(e->diag, it, body->ports[i].span, "it is declared here");
			return false;
		}
		s->sym->node->u.sweep->objective = i;
		return true;
	}
	it = diag_at(e->diag, CW0508, x->span, "'%s' has no output '%s'", s->d->ast->name->s, x->name->s);
	did_you_mean(e, it, x->name, names, body->nports);
	diag_note(e->diag, it, s->d->ast->name_span, "'%s' is defined here", s->d->ast->name->s);
	return false;
}

static void objective(struct search *s, bool clean)
{
	const struct ast_block *b = s->sym->ast->body;
	const struct ast_stmt *max = block_entry(b, "maximize"), *min = block_entry(b, "minimize");
	struct diag_item *it;

	if (max && min) {
		it = diag_at(s->e->diag, CW0508, min->head, "a sweep has one objective");
		diag_mend(s->e->diag, it, "keep maximize or minimize; let the task put out one number that weighs both");
		diag_note(s->e->diag, it, max->head, "the other is here");
	} else if (max || min) {
		objective_is(s, max ? max : min);
		s->sym->node->u.sweep->minimize = min != NULL;
	} else if (clean) {
		it = diag_at(s->e->diag, CW0508, s->sym->span, "the sweep '%s' says neither maximize nor minimize", s->sym->name->s);
		diag_mend(s->e->diag, it, "add maximize = OUTPUT, a number that '%s' puts out", s->d->ast->name->s);
	}
}

void search_elab(struct elab *e, struct sym *sym, const struct def *d, bool is_task, struct expr **given, bool clean)
{
	struct search s = { e, sym, d, is_task, given, { NULL } };
	const struct ast_block *b = sym->ast->body;
	const struct ast_stmt *st = block_entry(b, "search"), *failed = block_entry(b, "max_failed"), *goal = block_entry(b, "goal");
	struct sweep *sw = sym->node->u.sweep;
	const struct value *v;

	clean &= sym->scope->module->ok;
	if (st)
		search_of(&s, st);
	else if (clean)
		search_mistake(e, CW0509, sym->span, str_internf(e->strs, "the sweep '%s' does not say how it searches", sym->name->s)->s,
			"add search = grid(), or search = random(trials = 20, seed = 7)");
	objective(&s, clean);
	if (clean && !sw->nspace) {
		struct diag_item *it = diag_at(e->diag, CW0512, sym->ast->value->span, "the sweep '%s' has no search space: none of its arguments is a distribution", sym->name->s);

		diag_mend(e->diag, it, "give one: lr = choice(0.1, 0.01), or log_uniform(1e-3, 1e-1)");
	}
	if (failed)
		entry_int(e, sym->scope, failed, 1, INT_LIMIT, &sw->max_failed);
	if (goal && goal->value && (v = elab_const(e, sym->scope, goal->value, type_of(T_FLOAT), "'goal'"))) {
		sw->has_goal = true;
		sw->goal = v->u.d;
	}
	sw->max_parallel = block_count(e, sym->scope, b, "max_parallel");
}
