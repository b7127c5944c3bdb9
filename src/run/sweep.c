/* Sweeps: trials from a table (grid, random, halving; llm: the rows that were chosen) or a sampler that learns (tpe), and the best of them. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "predict.h"
#include "tpe.h"

enum trial_state { TRIAL_NEW, TRIAL_RUNNING, TRIAL_OK, TRIAL_FAILED, TRIAL_IGNORED };

struct trial {
	uint32_t number;                  /* of its configuration */
	uint8_t state;
	double metric, budget, predicted; /* predicted: llm; NaN: none */
	struct value *args;               /* by space; halving: the budget behind them */
	struct scope *scope;
};

struct sweeping {
	struct inst *inst;
	const struct sweep *w;
	struct trial *v;                  /* all that were started or will be, in order */
	uint32_t n, cap;
	uint32_t first;                   /* of this rung, or batch */
	uint32_t next, running, failed;
	uint32_t limit;                   /* max_parallel; UINT32_MAX: none */
	uint32_t rung;
	uint32_t goal;                    /* index of the lowest trial that reached it; UINT32_MAX: none */
	bool over;                        /* no new trial starts */
	struct tpe *tpe;
};

static struct sweeping *of(const struct inst *i)
{
	return i->u.region->more;
}

static void add_trial(struct rt *rt, struct sweeping *s, uint32_t number, struct value *args, double budget)
{
	const struct sweep *w = s->w;
	uint32_t nargs = w->nspace + (w->budget ? 1 : 0);
	struct trial *t;

	if (s->n == s->cap) {
		uint32_t cap = s->cap ? 2 * s->cap : 16;

		s->v = arena_grow(rt->arena, s->v, s->cap * sizeof *s->v, cap * sizeof *s->v);
		s->cap = cap;
	}
	t = &s->v[s->n++];
	*t = (struct trial){ .number = number, .metric = NAN, .budget = budget, .predicted = NAN };
	t->args = arena_array(rt->arena, struct value, nargs ? nargs : 1);
	memcpy(t->args, args, w->nspace * sizeof *args);
	if (w->budget) {
		t->args[w->nspace] = (struct value){ .type = w->budget_type };
		if (w->budget_type.kind == T_INT)
			t->args[w->nspace].u.i = (int64_t)llround(budget);
		else
			t->args[w->nspace].u.d = budget;
	}
}

/* ---- the result ---- */

static bool better(const struct sweeping *s, double a, double b)
{
	return s->w->minimize ? a < b : a > b;
}

/* The best trial of the last rung: ties go to the lowest number. UINT32_MAX: none succeeded. */
static uint32_t best_of(const struct sweeping *s, uint32_t from, uint32_t to)
{
	uint32_t best = UINT32_MAX;

	for (uint32_t k = from; k < to; k++) {
		const struct trial *t = &s->v[k];

		if (t->state == TRIAL_OK && (best == UINT32_MAX || better(s, t->metric, s->v[best].metric) || (t->metric == s->v[best].metric && t->number < s->v[best].number)))
			best = k;
	}
	return best;
}

static const struct str *arg_name(const struct sweep *w, uint32_t k)
{
	return k < w->nspace ? w->space[k].name : w->budget;
}

static const struct json *object(struct rt *rt, struct json_member *m, uint32_t n)
{
	struct json *j = arena_new_of(rt->arena, struct json);

	*j = (struct json){ .kind = J_OBJ, .n = n, .u.obj = m };
	return j;
}

static struct json_member member(struct rt *rt, const char *key, const struct value *v)
{
	struct valctx c = { rt->arena, rt->m->strs };
	const struct json *j = value_to_json(&c, v);
	struct strbuf b = { 0 };
	const char *why;
	size_t at;

	if (!j) {                                                          /* nan and infinities are text in JSON */
		value_json(&b, v);
		j = json_parse(&c, b.s, b.n, &why, &at);
		sb_free(&b);
	}
	return (struct json_member){ str_internz(rt->m->strs, key), j };
}

static const struct json *trial_json(struct rt *rt, const struct sweeping *s, const struct trial *t)
{
	const struct sweep *w = s->w;
	const struct node *b = w->body->nodes.v[0];
	uint32_t nargs = w->nspace + (w->budget ? 1 : 0), nouts = 0;
	struct json_member *top = arena_array(rt->arena, struct json_member, 5);
	struct json_member *args = arena_array(rt->arena, struct json_member, nargs ? nargs : 1);
	struct json_member *outs = arena_array(rt->arena, struct json_member, b->nports ? b->nports : 1);
	struct value predicted, number = rt_int(t->number), status = rt_string(rt, t->state == TRIAL_OK ? "succeeded" : "failed");

	for (uint32_t k = 0; k < nargs; k++)
		args[k] = member(rt, arg_name(w, k)->s, &t->args[k]);
	for (uint32_t p = 0; t->state == TRIAL_OK && p < b->nports; p++)
		if (!type_is_path(b->ports[p].type))                        /* files are reached through best */
			outs[nouts++] = member(rt, b->ports[p].name->s, &t->scope->inst[0].ports[p]);
	top[0] = member(rt, "trial", &number);
	top[1] = member(rt, "status", &status);
	top[2] = (struct json_member){ str_internz(rt->m->strs, "args"), object(rt, args, nargs) };
	top[3] = (struct json_member){ str_internz(rt->m->strs, "outputs"), object(rt, outs, nouts) };
	if (isnan(t->predicted))
		return object(rt, top, 4);
	predicted = (struct value){ .type = type_of(T_FLOAT), .u.d = t->predicted };
	top[4] = member(rt, "predicted", &predicted);
	return object(rt, top, 5);
}

static struct value trials_value(struct rt *rt, const struct sweeping *s)
{
	struct json *all = arena_array(rt->arena, struct json, s->n ? s->n : 1), *j = arena_new_of(rt->arena, struct json);
	uint32_t n = 0;

	for (uint32_t k = 0; k < s->n; k++)
		if (s->v[k].state == TRIAL_OK || s->v[k].state == TRIAL_FAILED)
			all[n++] = *trial_json(rt, s, &s->v[k]);
	*j = (struct json){ .kind = J_LIST, .n = n, .u.list = all };
	return (struct value){ .type = type_of(T_JSON), .u.j = j };
}

static int best_port(struct rt *rt, const struct sweeping *s, const struct trial *t, const char *name, struct value *out)
{
	const struct sweep *w = s->w;
	const struct node *b = w->body->nodes.v[0];
	struct evalerr err;

	for (uint32_t p = 0; p < b->nports; p++)
		if (str_eq(b->ports[p].name, name)) {
			*out = t->scope->inst[0].ports[p];
			return 0;
		}
	for (uint32_t k = 0; k < w->nspace + (w->budget ? 1u : 0u); k++)
		if (str_eq(arg_name(w, k), name)) {
			*out = t->args[k];
			return 0;
		}
	for (uint32_t k = 0; k < b->nins; k++) {
		const struct str *in = b->kind == N_STEP ? b->u.task->ins[k].name : b->u.callee->params[k].name;

		if (str_eq(in, name))
			return b->ins[k] ? rt_eval(rt, t->scope, b->ins[k], out, &err) : -1;
	}
	return -1;
}

static uint32_t trials_planned(const struct sweeping *s)
{
	uint32_t n = s->tpe || s->w->search == SEARCH_LLM ? (uint32_t)s->w->trials : s->w->ntable;

	for (uint32_t k = 1; k < s->w->nrungs; k++)
		n += s->w->rungs[k].n;
	return n;
}

/* A line about a trial that has ended, or about the best of all. */
static void tell(struct rt *rt, const struct sweeping *s, const struct trial *t, bool last)
{
	const struct sweep *w = s->w;
	const char *objective = w->body->nodes.v[0]->ports[w->objective].name->s;
	struct strbuf b = { 0 };
	uint32_t ended = 0;

	for (uint32_t k = 0; k < s->n; k++)
		ended += s->v[k].state == TRIAL_OK || s->v[k].state == TRIAL_FAILED;
	inst_name(s->inst, &b);
	if (last)
		sb_f(&b, ": the best of %u is trial %u: ", ended, t->number);
	else
		sb_f(&b, " trial %u (%u of %u) ", t->number, ended, trials_planned(s));
	if (t->state == TRIAL_FAILED)
		sb_f(&b, "%s%s", t->scope->inst[0].status == ST_SUCCEEDED ? "failed: no number as " : "failed", t->scope->inst[0].status == ST_SUCCEEDED ? objective : "");
	else
		sb_f(&b, "%s = %.6g", objective, t->metric);
	for (uint32_t k = 0; k < w->nspace + (w->budget ? 1u : 0u); k++) {
		struct strbuf v = { 0 };

		if (t->args[k].type.kind == T_FLOAT && !t->args[k].type.list)
			sb_f(&v, "%.6g", t->args[k].u.d);                   /* for eyes; the values stand in best and trials */
		else
			value_text(&v, &t->args[k]);
		sb_f(&b, "%s%s = ", k ? ", " : " (", arg_name(w, k)->s);
		sb_safe(&b, v.s ? v.s : "", v.n);
		sb_free(&v);
	}
	sb_z(&b, w->nspace + (w->budget ? 1u : 0u) ? ")" : "");
	if (!isnan(t->predicted))
		sb_f(&b, ", predicted %.6g", t->predicted);
	if (!last && best_of(s, s->first, s->n) == (uint32_t)(t - s->v))
		sb_z(&b, ", the best so far");
	if (t->state == TRIAL_FAILED && t->scope->inst[0].err) {
		sb_z(&b, ": ");
		sb_safe(&b, t->scope->inst[0].err, strlen(t->scope->inst[0].err));
	}
	view_line(rt, &b, t->state == TRIAL_FAILED && s->failed == 1 ? &t->scope->inst[0] : NULL);
	sb_free(&b);
}

/* Why nothing is the best: what the first trial that failed says stands for them all. */
static void none_succeeded(struct rt *rt, struct sweeping *s)
{
	const struct trial *t = s->v;
	const struct inst *i;

	while (t < s->v + s->n && t->state != TRIAL_FAILED)
		t++;
	if (rt->stopping || t == s->v + s->n || !t->scope) {
		inst_fail(rt, s->inst, 1, rt->stopping ? "stopped" : "no trial succeeded (%u failed)", s->failed);
		return;
	}
	i = &t->scope->inst[0];
	if (i->status == ST_SUCCEEDED)
		inst_fail(rt, s->inst, 1, "no trial succeeded (%u failed); trial %u gave no number to compare", s->failed, t->number);
	else if (i->err)
		inst_fail(rt, s->inst, 1, "no trial succeeded (%u failed); trial %u: %s", s->failed, t->number, i->err);
	else
		inst_fail(rt, s->inst, 1, "no trial succeeded (%u failed); trial %u ended with exit code %d, its log is above", s->failed, t->number, i->exit_code);
}

static void finish(struct rt *rt, struct sweeping *s)
{
	struct inst *i = s->inst;
	const struct node *n = i->node;
	uint32_t best = best_of(s, s->first, s->goal == UINT32_MAX ? s->n : s->goal + 1);

	if (best == UINT32_MAX && rt->o->dry_run && !s->failed) {
		inst_skip(rt, i, WHY_NONE);
		return;
	}
	if (best == UINT32_MAX) {
		none_succeeded(rt, s);
		return;
	}
	i->ports = arena_array(rt->arena, struct value, n->nports ? n->nports : 1);
	for (uint32_t p = 0; p < n->nports; p++) {
		i->ports[p].type = type_of(T_NULL);
		if (str_eq(n->ports[p].name, "trials"))
			i->ports[p] = trials_value(rt, s);
		else if (!strncmp(n->ports[p].name->s, "best.", 5) && best_port(rt, s, &s->v[best], n->ports[p].name->s + 5, &i->ports[p])) {
			inst_fail(rt, i, EXIT_VALUE, "'%s' of the best trial is not known", n->ports[p].name->s);
			return;
		}
	}
	tell(rt, s, &s->v[best], true);
	inst_end(rt, i, ST_SUCCEEDED, 0);
}

/* ---- rungs and batches ---- */

static int by_rank(const void *a, const void *b)
{
	const struct trial *x = *(const struct trial *const *)a, *y = *(const struct trial *const *)b;

	if (x->metric != y->metric)
		return x->metric < y->metric ? -1 : 1;
	return x->number < y->number ? -1 : x->number > y->number;
}

/* Trials of the next rung: the best of this one, by number. False: there is none. */
static bool next_rung(struct rt *rt, struct sweeping *s)
{
	const struct sweep *w = s->w;
	uint32_t n = 0, keep, from = s->first, to = s->n;
	const struct trial **ok;
	uint32_t *numbers;

	if (!w->nrungs || s->rung + 1 >= w->nrungs || s->goal != UINT32_MAX)
		return false;
	ok = arena_array(rt->arena, const struct trial *, to - from + 1);
	for (uint32_t k = from; k < to; k++)
		if (s->v[k].state == TRIAL_OK)
			ok[n++] = &s->v[k];
	if (!n)
		return false;
	for (uint32_t k = 0; k < n && !w->minimize; k++)
		((struct trial *)(uintptr_t)ok[k])->metric *= -1;             /* ranks are of the least */
	qsort(ok, n, sizeof *ok, by_rank);
	for (uint32_t k = 0; k < n && !w->minimize; k++)
		((struct trial *)(uintptr_t)ok[k])->metric *= -1;
	s->rung++;
	keep = w->rungs[s->rung].n < n ? w->rungs[s->rung].n : n;
	numbers = arena_array(rt->arena, uint32_t, keep);
	for (uint32_t k = 0; k < keep; k++)
		numbers[k] = ok[k]->number;
	s->first = to;
	for (uint32_t t = 0; t < w->ntable; t++)
		for (uint32_t k = 0; k < keep; k++)
			if (numbers[k] == t)
				add_trial(rt, s, t, &w->table[(size_t)t * w->nspace], w->rungs[s->rung].budget);
	return true;
}

/* tpe: the next batch, from what is known so far. */
static bool next_batch(struct rt *rt, struct sweeping *s)
{
	const struct sweep *w = s->w;
	int64_t batch = w->batch > 1 ? w->batch : 1;
	struct value *args;

	if (!s->tpe || s->goal != UINT32_MAX || s->n >= (uint64_t)w->trials)
		return false;
	for (; batch > 0 && s->n < (uint64_t)w->trials; batch--) {
		args = arena_array(rt->arena, struct value, w->nspace ? w->nspace : 1);
		tpe_ask(s->tpe, s->n, args);
		add_trial(rt, s, s->n, args, 0);
	}
	return true;
}

static void start_trials(struct rt *rt, struct sweeping *s)
{
	while (s->next < s->n && s->running < s->limit && !s->over && !stopped(rt, s->inst)) {
		struct trial *t = &s->v[s->next++];

		t->state = TRIAL_RUNNING;
		t->scope = scope_open(rt, s->w->body, s->inst->scope, s->inst, s->inst->scope->wf, s->next - 1);
		t->scope->vals = t->args;
		s->running++;
		scope_start(rt, t->scope);
	}
}

static void go_on(struct rt *rt, struct sweeping *s)
{
	start_trials(rt, s);
	if (s->running || (s->next < s->n && !s->over && !stopped(rt, s->inst)))
		return;
	if (s->w->max_failed >= 0 && s->failed >= (uint64_t)s->w->max_failed && s->goal == UINT32_MAX) {
		inst_fail(rt, s->inst, 1, "%u trials failed, and max_failed is %lld", s->failed, (long long)s->w->max_failed);
		return;
	}
	if (!s->over && !stopped(rt, s->inst) && (next_rung(rt, s) || next_batch(rt, s))) {
		go_on(rt, s);
		return;
	}
	finish(rt, s);
}

/* ---- trials ---- */

static double metric_of(const struct sweeping *s, const struct inst *i)
{
	const struct value *v;

	if (i->status != ST_SUCCEEDED || !i->ports)
		return NAN;
	v = &i->ports[s->w->objective];
	return v->type.kind == T_FLOAT || v->type.kind == T_DURATION ? v->u.d : v->type.kind == T_INT || v->type.kind == T_SIZE ? (double)v->u.i : NAN;
}

static bool in_scope(const struct inst *i, const struct scope *s)
{
	while (i) {
		for (const struct scope *at = i->scope; at; at = at->up)
			if (at == s)
				return true;
		i = i->scope->wf->caller;
	}
	return false;
}

/* The goal is reached: what is running behind it does not count. */
static void stop_behind(struct rt *rt, struct sweeping *s)
{
	for (uint32_t k = s->goal + 1; k < s->next; k++) {
		if (s->v[k].state != TRIAL_RUNNING)
			continue;
		for (struct step *r = rt->running; r; r = r->run_next)
			if (in_scope(r->inst, s->v[k].scope))
				step_stop(rt, r, 0, 5);
	}
}

void sweep_trial_ended(struct rt *rt, struct inst *i, struct scope *scope)
{
	struct sweeping *s = of(i);
	struct trial *t = &s->v[scope->index];
	double goal = s->w->goal;

	s->running--;
	if (scope->index > s->goal || (rt->o->dry_run && scope->inst[0].status == ST_SKIPPED)) {
		t->state = TRIAL_IGNORED;
		go_on(rt, s);
		return;
	}
	t->metric = metric_of(s, &scope->inst[0]);
	t->state = isnan(t->metric) ? TRIAL_FAILED : TRIAL_OK;
	s->failed += t->state == TRIAL_FAILED;
	if (s->tpe)
		tpe_tell(s->tpe, t->args, s->w->minimize ? t->metric : -t->metric);
	tell(rt, s, t, false);
	if (t->state == TRIAL_OK && s->w->has_goal && (s->w->minimize ? t->metric <= goal : t->metric >= goal)) {
		for (uint32_t k = scope->index + 1; k < s->n; k++) {
			s->failed -= s->v[k].state == TRIAL_FAILED;
			if (s->v[k].state != TRIAL_RUNNING)
				s->v[k].state = TRIAL_IGNORED;
		}
		s->goal = scope->index;
		s->over = true;
		stop_behind(rt, s);
	}
	if (s->w->max_failed >= 0 && s->failed >= (uint64_t)s->w->max_failed)
		s->over = true;
	go_on(rt, s);
}

/* llm: the trials are known. */
static void chosen(struct rt *rt, struct inst *i, const struct choice *c)
{
	struct sweeping *s = of(i);

	for (uint32_t k = 0; k < c->n; k++) {
		add_trial(rt, s, k, &s->w->table[(size_t)c->row[k] * s->w->nspace], 0);
		s->v[k].predicted = c->predicted[k];
	}
	go_on(rt, s);
}

void sweep_start(struct rt *rt, struct inst *i)
{
	const struct sweep *w = i->node->u.sweep;
	struct sweeping *s = arena_new_of(rt->arena, struct sweeping);
	struct evalerr err = { 0 };
	struct value v;

	s->inst = i;
	s->w = w;
	s->limit = s->goal = UINT32_MAX;
	if (w->max_parallel) {
		if (rt_eval(rt, i->scope, w->max_parallel, &v, &err)) {
			inst_fail(rt, i, EXIT_VALUE, "max_parallel could not be evaluated: %s", rt_evalerr(rt, &err));
			return;
		}
		s->limit = v.type.kind == T_INT && v.u.i >= 1 && v.u.i < UINT32_MAX ? (uint32_t)v.u.i : 1;
	}
	i->u.region = arena_new_of(rt->arena, struct region);
	i->u.region->more = s;
	if (w->search == SEARCH_LLM) {
		predict_start(rt, i, chosen);
		return;
	}
	if (w->search == SEARCH_TPE)
		s->tpe = tpe_new(rt->arena, rt->m->strs, w);
	for (uint32_t t = 0; t < w->ntable; t++)
		add_trial(rt, s, t, &w->table[(size_t)t * w->nspace], w->nrungs ? w->rungs[0].budget : 0);
	if (s->tpe)
		next_batch(rt, s);
	go_on(rt, s);
}
