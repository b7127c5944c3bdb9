/* Activations of workflows: parameters, the body, on blocks, outputs; a workflow as a step. */
#include <stdlib.h>

#include "rt.h"

struct wfrun *wfrun_new(struct rt *rt, struct ir_workflow *w, struct inst *caller)
{
	struct wfrun *wf = arena_new_of(rt->arena, struct wfrun);
	struct strbuf b = { 0 };

	wf->w = w;
	wf->caller = caller;
	wf->up = caller ? caller->scope->wf : NULL;
	wf->phase = -1;
	wf->wait_last = &wf->wait_first;
	wf->all_next = rt->wfruns;
	rt->wfruns = wf;
	if (caller && caller->node->hidden) {
		sb_str(&b, wf->up->prefix);                                  /* steps that a pass moved keep their names */
	} else if (caller) {
		inst_name(caller, &b);
		sb_ch(&b, '.');
	}
	wf->prefix = str_intern(rt->m->strs, b.s ? b.s : "", b.n);
	sb_free(&b);
	wf->params = arena_array(rt->arena, struct value, w->nparams ? w->nparams : 1);
	wf->outs = arena_array(rt->arena, struct value, w->nouts ? w->nouts : 1);
	wf->out_err = arena_array(rt->arena, const char *, w->nouts ? w->nouts : 1);
	return wf;
}

/* The default of parameter p, which reads parameters before it; checks what is allowed. NULL, or what is wrong. */
static const char *param_value(struct rt *rt, struct wfrun *wf, uint32_t p, bool given)
{
	const struct ir_param *d = &wf->w->params[p];
	struct scope s = { .wf = wf };
	struct evalerr err = { 0 };
	struct value in;

	if (!given && !d->dflt)
		return "it has no value";
	if (!given && rt_eval(rt, &s, d->dflt, &wf->params[p], &err))
		return rt_evalerr(rt, &err);
	if (!d->in)
		return NULL;
	if (rt_eval(rt, &s, d->in, &in, &err))
		return rt_evalerr(rt, &err);
	for (uint32_t k = 0; k < in.n; k++)
		if (value_eq(&in.u.list[k], &wf->params[p]))
			return NULL;
	return "its value is not among the allowed ones";
}

int wfrun_params(struct rt *rt, struct wfrun *wf, const char **name, const char **err)
{
	for (uint32_t p = 0; p < wf->w->nparams; p++) {
		bool given = wf->caller && wf->caller->node->ins && p < wf->caller->node->nins && wf->caller->node->ins[p];

		*name = wf->w->params[p].name->s;
		*err = param_value(rt, wf, p, given);
		if (*err)
			return -1;
	}
	return 0;
}

static int64_t wf_limit(struct rt *rt, struct wfrun *wf)
{
	struct scope s = { .wf = wf };
	struct evalerr err = { 0 };
	struct value v;

	if (!wf->w->max_parallel || rt_eval(rt, &s, wf->w->max_parallel, &v, &err) || v.type.kind != T_INT || v.u.i < 1)
		return 0;
	return v.u.i;
}

static void body_start(struct rt *rt, void *data)
{
	struct wfrun *wf = data;

	wf->limit = (uint32_t)wf_limit(rt, wf);
	wf->body = scope_open(rt, wf->w->body, NULL, NULL, wf, 0);
	scope_start(rt, wf->body);
}

void wfrun_start(struct rt *rt, struct wfrun *wf)
{
	if (wf_locks(rt, wf, body_start))
		body_start(rt, wf);
}

/* What outputs read that failed, or is absent, gives no value; an error of evaluation is kept. */
static void find_outputs(struct rt *rt, struct wfrun *wf)
{
	for (uint32_t k = 0; k < wf->w->nouts; k++) {
		struct evalerr err = { 0 };

		wf->outs[k].type = type_of(T_NULL);
		if (expr_blocked(rt, wf->body, wf->w->outs[k].value))
			continue;
		if (rt_eval(rt, wf->body, wf->w->outs[k].value, &wf->outs[k], &err)) {
			wf->outs[k].type = type_of(T_NULL);
			wf->out_err[k] = rt_evalerr(rt, &err);
		}
	}
}

static void call_end(struct rt *rt, struct wfrun *wf)
{
	struct inst *i = wf->caller;

	for (uint32_t k = 0; k < wf->w->nouts; k++)
		if (wf->out_err[k] && !wf->failures.n) {
			inst_fail(rt, i, EXIT_VALUE, "output '%s' could not be evaluated: %s", wf->w->outs[k].name->s, wf->out_err[k]);
			return;
		}
	if (wf->failed) {
		inst_end(rt, i, ST_FAILED, 1);
		return;
	}
	i->ports = arena_array(rt->arena, struct value, i->node->nports ? i->node->nports : 1);
	for (uint32_t p = 0; p < i->node->nports; p++)
		for (uint32_t k = 0; k < wf->w->nouts; k++)
			if (wf->w->outs[k].name == i->node->ports[p].name)
				i->ports[p] = wf->outs[k];
	inst_end(rt, i, ST_SUCCEEDED, 0);
}

static void wfrun_end(struct rt *rt, struct wfrun *wf)
{
	wf_unlock(rt, wf);
	if (wf->caller)
		call_end(rt, wf);
	else
		rt->finished = true;
}

/* Starts the next on block that applies, or ends the workflow. */
static void next_phase(struct rt *rt, struct wfrun *wf)
{
	while (++wf->phase < ON_COUNT) {
		bool applies = wf->phase == ON_EXIT || (wf->phase == ON_SUCCESS) == (wf->status == ST_SUCCEEDED);

		if (!wf->w->on[wf->phase] || !applies || rt->stopping)
			continue;
		wf->on[wf->phase] = scope_open(rt, wf->w->on[wf->phase], wf->body, NULL, wf, 0);
		wf->on[wf->phase]->on_block = true;
		scope_start(rt, wf->on[wf->phase]);
		return;
	}
	wfrun_end(rt, wf);
}

static void published(struct rt *rt, void *data, char *err)
{
	struct wfrun *wf = data;

	if (err) {
		view_note(rt, "%s", err);
		free(err);
		wf->failed = true;
		wf->status = ST_FAILED;
		vec_push(rt->arena, &wf->failures, wf->w->name);
	}
	next_phase(rt, wf);
}

/* Copies of the workflow's outputs go where it says. */
static void publish(struct rt *rt, struct wfrun *wf)
{
	struct publish *p = publish_new(rt, rt->arena);

	for (uint32_t k = 0; k < wf->w->nouts && wf->status == ST_SUCCEEDED; k++) {
		struct evalerr err = { 0 };
		struct strbuf b = { 0 };
		struct value v;

		if (!wf->w->outs[k].to || !type_is_path(wf->outs[k].type))
			continue;
		if (rt_eval(rt, wf->body, wf->w->outs[k].to, &v, &err)) {
			sb_f(&b, "the place of output '%s' could not be evaluated: %s", wf->w->outs[k].name->s, rt_evalerr(rt, &err));
			published(rt, wf, xstrdup(sb_cstr(&b)));
			sb_free(&b);
			return;
		}
		value_text(&b, &v);
		publish_add(rt, rt->arena, p, wf->w->outs[k].name->s, &wf->outs[k], sb_cstr(&b));
		sb_free(&b);
	}
	publish_start(rt, p, published, wf);
}

void wfrun_scope_ended(struct rt *rt, struct wfrun *wf, struct scope *s)
{
	if (s == wf->body) {
		wf->status = wf->failed ? ST_FAILED : ST_SUCCEEDED;
		find_outputs(rt, wf);
		for (uint32_t k = 0; k < wf->w->nouts; k++)
			if (wf->out_err[k]) {
				wf->failed = true;
				view_note(rt, "output '%s' could not be evaluated: %s", wf->w->outs[k].name->s, wf->out_err[k]);
			}
		publish(rt, wf);
		return;
	}
	next_phase(rt, wf);
}

void call_start(struct rt *rt, struct inst *i)
{
	struct wfrun *wf = wfrun_new(rt, i->node->u.callee, i);
	struct evalerr err = { 0 };
	const char *name, *why;

	for (uint32_t p = 0; p < wf->w->nparams; p++)
		if (i->node->ins && p < i->node->nins && i->node->ins[p] && rt_eval(rt, i->scope, i->node->ins[p], &wf->params[p], &err)) {
			inst_fail(rt, i, EXIT_VALUE, "parameter '%s' could not be evaluated: %s", wf->w->params[p].name->s, rt_evalerr(rt, &err));
			return;
		}
	if (wfrun_params(rt, wf, &name, &why)) {
		inst_fail(rt, i, EXIT_VALUE, "parameter '%s': %s", name, why);
		return;
	}
	i->u.region = arena_new_of(rt->arena, struct region);
	i->u.region->wf = wf;
	wfrun_start(rt, wf);
}
