/* What references give at run time. */
#include <stdlib.h>
#include <string.h>

#include "rt.h"
#include "same.h"

static struct scope *scope_of(struct scope *s, const struct node *region)
{
	while (s && !(s->owner && s->owner->node == region))
		s = s->up;
	return s;
}

static bool has_cells(const struct node *n)
{
	return n->kind == N_IF || n->kind == N_FOR || n->kind == N_GROUP;
}

static enum result leaf_result(const struct inst *i, uint32_t port)
{
	if (i->state != IS_ENDED)
		return RES_BLOCKED;
	if (i->status == ST_SUCCEEDED)
		return i->ports && (i->ports[port].type.kind != T_NULL || i->ports[port].type.list) ? RES_OK : RES_ABSENT;
	if (i->status == ST_FAILED)
		return i->node->allow_failure ? RES_ABSENT : RES_BLOCKED;
	return i->why == WHY_CONDITION ? RES_ABSENT : RES_BLOCKED;
}

enum result ref_result(struct rt *rt, struct scope *s, enum ref_kind k, struct node *n, uint32_t port)
{
	struct inst *i = scope_inst(rt, s, n);
	enum result r;

	if (k == REF_STATUS)
		return RES_OK;
	if (k == REF_EXIT_CODE)
		return i->exit_code < 0 ? RES_ABSENT : RES_OK;
	if (has_cells(n)) {
		struct portcell *p = port_cell(rt, i, port);

		if (!p->cell.done && i->state == IS_ENDED)
			region_fire(rt, p);                                 /* nobody asked before, or it is on the agenda */
		r = p->cell.done ? (enum result)p->cell.result : RES_BLOCKED;
	} else
		r = leaf_result(i, port);
	if (r == RES_BLOCKED && s->on_block && !i->scope->on_block)         /* in on blocks outputs are optional */
		r = RES_ABSENT;
	return r;
}

static int by_name(const void *a, const void *b)
{
	return str_cmp(*(const struct str *const *)a, *(const struct str *const *)b);
}

/* Sorted, without duplicates. */
static void fail_list(struct rt *rt, struct wfrun *wf, struct value *out)
{
	struct value *v = arena_array(rt->arena, struct value, wf->failures.n ? wf->failures.n : 1);
	uint32_t n = 0;

	if (wf->failures.n)
		qsort(wf->failures.v, wf->failures.n, sizeof *wf->failures.v, by_name);
	for (uint32_t k = 0; k < wf->failures.n; k++)
		if (!k || wf->failures.v[k] != wf->failures.v[k - 1])
			v[n++] = (struct value){ .type = type_of(T_STRING), .u.s = wf->failures.v[k] };
	*out = (struct value){ .type = type_list(T_STRING), .n = n, .u.list = v };
}

static void field(struct rt *rt, struct wfrun *wf, uint32_t f, struct value *out)
{
	if (f == WF_run_id || f == WF_start_time)
		same_not(rt);
	switch ((enum workflow_field)f) {
	case WF_name: *out = (struct value){ .type = type_of(T_STRING), .u.s = wf->w->name }; break;
	case WF_run_id: *out = rt_string(rt, rt->run_id); break;
	case WF_start_time:
		*out = (struct value){ .type = type_of(T_TIME) };
		out->u.t.sec = (int64_t)rt->started;
		break;
	case WF_status: *out = rt_string(rt, wf->failed ? "failed" : "succeeded"); break;
	case WF_failed_steps: fail_list(rt, wf, out); break;
	default: *out = (struct value){ .type = type_of(T_NULL) }; break;  /* no schedule, no page of its own */
	}
}

static int node_ref(struct evalscope *e, const struct expr *ref, struct value *out, struct evalerr *err)
{
	struct inst *i = scope_inst(e->rt, e->scope, ref->u.node);
	enum result r = ref_result(e->rt, e->scope, ref->fn, ref->u.node, ref->n);

	*out = (struct value){ .type = type_of(T_NULL) };
	if (r == RES_ERROR) {
		*err = port_cell(e->rt, i, ref->n)->err;
		return -1;
	}
	if (ref->fn == REF_STATUS)
		*out = rt_string(e->rt, status_name(i->status));
	else if (r != RES_OK && ref->fn == REF_EXIT_CODE && !ref->type.opt) {
		*err = (struct evalerr){ "the step was skipped and has no exit code; give it a fallback with ??", ref->span, CW0712 };
		return -1;
	} else if (r != RES_OK)
		return 0;
	else if (ref->fn == REF_EXIT_CODE)
		*out = rt_int(i->exit_code);
	else if (has_cells(ref->u.node))
		*out = port_cell(e->rt, i, ref->n)->value;
	else
		*out = i->ports[ref->n];
	return 0;
}

static int on_ref(struct evalctx *x, const struct expr *ref, struct value *out, struct evalerr *err)
{
	struct evalscope *e = (struct evalscope *)x;
	struct scope *s = e->scope;

	switch ((enum ref_kind)ref->fn) {
	case REF_PARAM: *out = s->wf->params[ref->n]; return 0;
	case REF_OUTPUT: case REF_STATUS: case REF_EXIT_CODE: return node_ref(e, ref, out, err);
	case REF_INPUT: case REF_OUTPATH: case REF_ENV: return step_ref(e, ref, out, err);
	case REF_ITEM: *out = scope_of(s, ref->u.node)->item; return 0;
	case REF_INDEX: *out = rt_int(scope_of(s, ref->u.node)->index); return 0;
	case REF_STATE: case REF_ARG: *out = scope_of(s, ref->u.node)->vals[ref->n]; return 0;
	case REF_FIELD: field(e->rt, s->wf, ref->n, out); return 0;
	case REF_COUNT: break;
	}
	return 1;
}

void evalscope_init(struct evalscope *e, struct rt *rt, struct scope *s)
{
	*e = (struct evalscope){ { { rt->arena, rt->m->strs }, on_ref, NULL }, rt, s, NULL, false };
}

int rt_eval(struct rt *rt, struct scope *s, const struct expr *e, struct value *out, struct evalerr *err)
{
	struct evalscope x;

	evalscope_init(&x, rt, s);
	return eval(&x.x, e, out, err) ? -1 : 0;
}

struct value rt_string(struct rt *rt, const char *z)
{
	return (struct value){ .type = type_of(T_STRING), .u.s = str_internz(rt->m->strs, z) };
}

struct value rt_int(int64_t i)
{
	return (struct value){ .type = type_of(T_INT), .u.i = i };
}

double rt_seconds(const struct value *v)
{
	return v->type.kind == T_INT || v->type.kind == T_SIZE ? (double)v->u.i : v->u.d;
}

const char *rt_evalerr(struct rt *rt, const struct evalerr *err)
{
	struct place p = diag_place(rt->d, err->span);
	struct strbuf b = { 0 };
	char *s;

	if (p.path)
		sb_f(&b, "%s:%u:%u: ", p.path, p.line, p.col);
	sb_z(&b, err->msg ? err->msg : "a value is not known");
	s = arena_dup(rt->arena, b.s, b.n);
	sb_free(&b);
	return s;
}
