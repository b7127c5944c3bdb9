/*
 * References: where a value stands in a DAG template. What belongs to a template around it is captured: it becomes
 * an input of this template, and the task that runs the template passes it in.
 */
#include "shape.h"

#include <string.h>

/* ---- forms ---- */

static bool needs_care(struct type t)
{
	return t.kind == T_STRING || t.kind == T_JSON;
}

/* Of what a step or a region makes. */
static enum form made_form(struct type t)
{
	return !needs_care(t) ? FORM_SAFE : t.list ? FORM_AGG : FORM_T;
}

static enum form joined(enum form a, enum form b)
{
	return a == FORM_SAFE ? b : b == FORM_SAFE || a == b ? a : a == FORM_AGG || b == FORM_AGG ? FORM_AGG : FORM_T;
}

bool param_encoded(const struct argo *g, uint32_t i)
{
	const struct ir_param *p = &g->m->entry->params[i];
	struct strbuf b = { 0 };
	bool kept = true;

	if (!needs_care(p->type))
		return false;
	if (!g->strict && p->dflt && p->dflt->op == EX_LIT) {
		value_text(&b, p->dflt->u.lit);
		kept = text_untouched(b.s ? b.s : "", b.n);
		sb_free(&b);
	}
	return g->strict || !kept;
}

static enum form param_form(struct argo *g, const struct ctx *c, const struct expr *e)
{
	if (!needs_care(e->type))
		return FORM_SAFE;
	if (c->w == g->m->entry)
		return param_encoded(g, e->n) ? made_form(e->type) : FORM_RAW;
	return g->w[c->w->id].param[e->n];
}

static enum form output_form(struct argo *g, const struct ctx *c, const struct expr *e)
{
	const struct node *n = e->u.node;
	const struct port *p = &n->ports[e->n & ~COUNT_OF];
	enum form f = FORM_SAFE;

	if (e->n & COUNT_OF)
		return FORM_SAFE;
	if (n->kind == N_IF || n->kind == N_GROUP) {
		struct site x = { .g = g, .c = (struct ctx *)c };

		for (uint32_t i = 0; i < (n->kind == N_IF ? n->u.if_.n : 1); i++)
			if (p->value[i])
				f = joined(f, xl_form(&x, p->value[i]));
		return f;
	}
	if (n->kind == N_FOR)
		return FORM_AGG;
	return made_form(p->type);
}

enum form ref_form(struct argo *g, const struct ctx *c, const struct expr *e)
{
	struct site x = { .g = g, .c = (struct ctx *)c };
	enum form f;

	switch ((enum ref_kind)e->fn) {
	case REF_PARAM:
		return param_form(g, c, e);
	case REF_OUTPUT:
		return output_form(g, c, e);
	case REF_ITEM:
		if (!needs_care(e->type))
			return FORM_SAFE;
		f = xl_form(&x, e->u.node->u.for_.list);
		return f == FORM_AGG ? FORM_T : f;
	case REF_STATE:
		return made_form(e->type);
	case REF_ARG: {
		const struct dist *d = &e->u.node->u.sweep->space[e->n];
		struct expr l = { .op = EX_LIT, .type = d->type };

		for (uint32_t i = 0, k = e->n < e->u.node->u.sweep->nspace ? d->nchoice : 0; i < k; i++) {
			l.u.lit = &d->choice[i];
			if (xl_form(&x, &l) != FORM_SAFE)
				return FORM_T;
		}
		return FORM_SAFE;
	}
	default:
		return FORM_SAFE;
	}
}

/* ---- captures ---- */

static bool same_ref(const struct expr *a, const struct expr *b)
{
	if (a->op != EX_REF || b->op != EX_REF)
		return expr_same(a, b);
	if (a->fn != b->fn || a->n != b->n)
		return false;
	return a->fn == REF_PARAM || a->fn == REF_FIELD || a->u.node == b->u.node;
}

static const char *port_name(struct argo *g, const struct expr *e)
{
	const struct node *n = e->u.node;
	const struct str *p = n->ports[e->n & ~COUNT_OF].name;

	if (n->kind == N_IF || n->kind == N_FOR || n->kind == N_GROUP)
		return dashed(g, p);
	return a_f(g, "%s-%s", n->name->s, p->s);
}

/* s.name is s-name */
static const char *record_name(struct argo *g, const struct expr *e)
{
	if (e->op == EX_REF)
		return e->u.node->u.for_.item->s;
	if (e->op == EX_MEMBER)
		return a_f(g, "%s-%s", record_name(g, e->u.member.arg), e->u.member.key->s);
	return expr_arity(e) ? record_name(g, expr_args((struct expr *)e)[0]) : "value";
}

/* What an input is called: the source's name of the value. */
const char *ref_name(struct argo *g, const struct ctx *c, const struct expr *e)
{
	const struct node *n = e->u.node;

	if (e->op != EX_REF)
		return record_name(g, e);
	switch ((enum ref_kind)e->fn) {
	case REF_PARAM:
		return c->w->params[e->n].name->s;
	case REF_OUTPUT:
		return e->n & COUNT_OF ? a_f(g, "%s-count", port_name(g, e)) : port_name(g, e);
	case REF_STATUS:
		return a_f(g, "%s-status", n->name->s);
	case REF_EXIT_CODE:
		return a_f(g, "%s-exit-code", n->name->s);
	case REF_ITEM:
		return n->u.for_.item->s;
	case REF_INDEX:
		return n->u.for_.index ? n->u.for_.index->s : "index";
	case REF_STATE:
		return n->u.loop.v[e->n].name->s;
	case REF_ARG:
		return e->n < n->u.sweep->nspace ? n->u.sweep->space[e->n].name->s : n->u.sweep->budget->s;
	case REF_FIELD:
		return a_f(g, "workflow-%s", workflow_fields[e->n].name);
	default:
		return "x";
	}
}

static struct site site_up(struct argo *g, struct ctx *c)
{
	return (struct site){ .g = g, .c = c->up, .cond = c->owner && c->kind != CTX_EACH ? info(g, c->owner)->cond : NULL };
}

const char *capture(struct site *x, const struct expr *ref)
{
	struct ctx *c = x->c;
	struct input *in;
	const char *name;

	for (uint32_t i = 0; i < c->ins.n; i++)
		if (c->ins.v[i].ref && !c->ins.v[i].artifact && same_ref(c->ins.v[i].ref, ref))
			return c->ins.v[i].name;
	name = ref_name(x->g, c, ref);
	name = name_param(x->g, &c->in_names, name, strlen(name));
	in = vec_add(x->g->a, &c->ins);
	in->ref = ref;
	in->name = name;
	in->type = ref->type;
	in->form = ref->op == EX_REF ? ref_form(x->g, c, ref) : record_form(x->g, ref, record_of(ref));
	if (c->up) {
		struct site up = site_up(x->g, c);
		struct ex e = ref->op == EX_REF ? xl_ref(&up, ref) : xl_text(&up, ref, FORM_ANY);

		in->nullable = e.nil || e.null;
	} else {
		struct site top = { .g = x->g, .c = c };

		in->value = value_tag(&top, xl_ref(&top, ref));
	}
	return name;
}

const char *capture_at(struct argo *g, struct ctx *c)
{
	struct input *in;

	for (uint32_t i = 0; i < c->ins.n; i++)
		if (!c->ins.v[i].ref && !c->ins.v[i].artifact)
			return c->ins.v[i].name;
	in = vec_add(g->a, &c->ins);
	in->name = name_param(g, &c->in_names, "at", 2);
	in->type = type_of(T_STRING);
	if (c->up)
		at_of(g, c->up);
	return in->name;
}

const char *at_of(struct argo *g, struct ctx *c)
{
	if (c->kind == CTX_ENTRY || c->kind == CTX_ON)
		return "{{workflow.uid}}";
	if (c->kind == CTX_LOOP)
		return a_f(g, "{{inputs.parameters.%s}}/{{inputs.parameters.round}}", capture_at(g, c));
	return a_f(g, "{{inputs.parameters.%s}}", capture_at(g, c));
}

/* ---- paths ---- */

static struct ex path(struct site *x, const char *base, const char *name, enum form f)
{
	(void)x;
	return (struct ex){ .s = xl_member(x->g, base, name), .prec = P_ATOM, .form = (uint8_t)f, .tag = true };
}

struct ex xl_captured(struct site *x, const struct expr *e)
{
	const char *name;
	struct ex r;

	if (x->shape)
		return shape_input(x, e);
	name = capture(x, e);
	r = path(x, "inputs.parameters", name, e->op == EX_REF ? ref_form(x->g, x->c, e) : record_form(x->g, e, record_of(e)));

	for (uint32_t i = 0; i < x->c->ins.n; i++)
		if (x->c->ins.v[i].name == name)
			r.null = x->c->ins.v[i].nullable;
	return r;
}

/* A task of the same branches runs only where this one does; one further out has another `when`. */
static bool under(const struct cond *a, const struct cond *b)
{
	return !a || (b && a->if_ == b->if_ && a->branch == b->branch);
}

/* tasks.NAME.outputs.parameters.OUT, nil where the task may have been skipped. */
static struct ex task_output(struct site *x, const char *task, const char *out, enum form f, bool maybe)
{
	const char *base = xl_member(x->g, "tasks", task), *member;
	struct ex e;

	if (!maybe)
		return path(x, a_f(x->g, "%s.outputs.parameters", base), out, f);
	/* no ?. after the task: the engine tries expressions too early, too, and must fail then */
	member = xl_member(x->g, "", out);
	e = ex_f(x, P_ATOM, "%s.outputs?.parameters?%s%s", base, member[0] == '[' ? "." : "", member);
	e.form = (uint8_t)f;
	e.nil = true;
	return e;
}

/* How many files a list of files has, as the text of an int. */
static struct ex count_text(struct site *x, const struct expr *e)
{
	const struct node *n = e->u.node;
	uint32_t port = e->n & ~COUNT_OF;

	if (n->kind == N_FOR) {
		struct expr *list = (struct expr *)n->u.for_.list, len = { .op = EX_CALL, .fn = FN_len, .type = type_of(T_INT), .n = 1, .span = e->span };

		len.u.args = &list;
		return ex_f(x, P_ATOM, "toJson(%s)", xl_native(x, &len).s);
	}
	return task_output(x, info(x->g, n)->task, a_f(x->g, "%s--count", dashed(x->g, n->ports[port].name)), FORM_SAFE, false);
}

struct ex files_count(struct site *x, const struct expr *l)
{
	struct expr *c;

	while (l->op == EX_CONV)
		l = l->u.args[0];
	if (l->op == EX_LIT || l->op == EX_LIST)
		return ex_f(x, P_ATOM, "%u", l->op == EX_LIT ? l->u.lit->n : l->n);
	if (l->op != EX_REF || l->fn != REF_OUTPUT || (l->u.node->kind != N_STEP && l->u.node->kind != N_FOR) || info(x->g, l->u.node)->wrapped) {
		diag_mend(x->g->d, diag_at(x->g->d, CW0801, l->span, "argo cannot count the files of this list"), "let the step that makes the list write its length to an output, too");
		x->g->err = -1;
		return ex_f(x, P_ATOM, "0");
	}
	c = arena_new_of(x->g->a, struct expr);
	*c = *l;
	c->n |= COUNT_OF;
	c->type = type_of(T_INT);
	return ex_f(x, P_ATOM, "int(%s)", xl_ref(x, c).s);
}

static struct ex step_output(struct site *x, const struct expr *e)
{
	const struct node *n = e->u.node;
	const struct ninfo *ni = info(x->g, n);
	struct ex r;

	if (n->kind == N_SERVICE)
		return ex_f(x, P_ADD, n->u.service.port > 0 ? "%s.ip + ':%lld'" : "%s.ip", xl_member(x->g, "tasks", ni->task), (long long)n->u.service.port);
	r = task_output(x, ni->task, dashed(x->g, n->ports[e->n].name), output_form(x->g, x->c, e), !under(ni->cond, x->cond) || (x->outputs && x->c->robust));

	r.null = ni->wrapped || n->ports[e->n].type.opt;
	if (n->kind == N_STEP || n->kind == N_CALL)
		r.null = ni->wrapped;
	return r;
}

/* A gathered list, "[]" of no elements. */
static struct ex for_output(struct site *x, const struct expr *e)
{
	const struct node *n = e->u.node;
	const struct ninfo *ni = info(x->g, n);
	const struct port *p = &n->ports[e->n];
	const struct expr *v = p->value[0], *list = n->u.for_.list;
	bool never_empty = list->op == EX_LIT && list->u.lit->n, maybe = !under(ni->cond, x->cond);
	const char *out = dashed(x->g, p->name);
	struct ex r;

	if (ni->mode == FOR_DIRECT && v->op == EX_REF)
		out = v->fn == REF_STATUS ? "status" : v->fn == REF_EXIT_CODE ? "exit-code" : dashed(x->g, v->u.node->ports[v->n].name);
	r = task_output(x, ni->task, out, FORM_AGG, maybe || (!never_empty && !ni->each));
	if (r.nil) {
		r = ex_f(x, P_OPEN, "%s ?? '[]'", r.s);
		r.form = FORM_AGG;
	}
	if (v->type.opt || (v->op == EX_REF && v->fn == REF_OUTPUT && info(x->g, v->u.node)->wrapped && !info(x->g, v->u.node)->judged)) {
		r = ex_f(x, P_ATOM, "toJson(filter(fromJSON(%s), # != '" ABSENT "'))", r.s);
		r.form = FORM_AGG;
	}
	if (maybe && ni->cond) {
		/* no element and no list are two things */
		r = ex_f(x, P_OPEN, "%s ? %s : '" ABSENT "'", ex_in(x, xl_cond(x, ni->cond), P_OR), ex_in(x, r, P_OR));
		r.form = FORM_AGG;
		r.null = true;
	}
	return r;
}

/* ---- statuses ---- */

struct ex xl_status(struct site *x, const struct node *n, bool held)
{
	const struct ninfo *ni = info(x->g, n);
	const char *base = xl_member(x->g, "tasks", ni->task), *v;

	if (ni->wrapped)
		return ex_f(x, P_OPEN, held ? "%s.status == 'Omitted' ? 'omitted' : %s.outputs?.parameters?.status ?? 'skipped'"
			: "%s.outputs?.parameters?.status ?? 'skipped'", base, base);
	v = xl_let(x);
	return ex_let(x, "let %s = %s.status; %s == 'Succeeded' ? 'succeeded' : %s in ['Failed', 'Error'] ? 'failed' : %s'skipped'", v, base, v, v,
		held ? a_f(x->g, "%s == 'Omitted' ? 'omitted' : ", v) : "");
}

/* 124 after a timeout: the container was ended by a signal when its time was over. */
static struct ex exit_code(struct site *x, const struct expr *e)
{
	const struct node *n = e->u.node;
	const struct ninfo *ni = info(x->g, n);
	const char *base = xl_member(x->g, "tasks", ni->task);
	const struct expr *t = n->attrs ? n->attrs->timeout : NULL;
	const char *code;
	struct ex r;

	if (ni->wrapped) {
		r = task_output(x, ni->task, "exit-code", FORM_SAFE, true);
		r.null = true;
		if (!e->type.opt) {
			r = ex_f(x, P_OPEN, "%s ?? '-1'", r.s);
			r.form = FORM_SAFE;
		}
		return r;
	}
	code = a_f(x->g, "%s?.exitCode ?? '121'", base);
	if (t && t->op == EX_LIT)
		code = a_f(x->g, "(date(%s.finishedAt) - date(%s.startedAt)).Seconds() >= %.0f && (%s) in ['137', '143'] ? '124' : %s", base, base, t->u.lit->u.d, code, code);
	r = ex_f(x, P_OPEN, "%s.status == 'Succeeded' ? '0' : %s.status in ['Failed', 'Error'] ? (%s) : '%s'", base, base, code, e->type.opt ? ABSENT : "-1");
	r.null = e->type.opt;
	return r;
}

/* ---- elements, states, arguments ---- */

/* The element of a directly expanded for: its index is `item`. */
static struct ex item_text(struct site *x, const struct expr *e)
{
	const struct expr *list = e->u.node->u.for_.list;
	struct type el = type_of((enum type_kind)e->type.kind);
	enum form f = xl_form(x, list);
	struct ex l, r;

	if (list->op == EX_LIT) {
		struct strbuf b = { 0 };

		f = ref_form(x->g, x->c, e);
		sb_ch(&b, '[');
		for (uint32_t i = 0; i < list->u.lit->n; i++)
			sb_f(&b, "%s%s", i ? ", " : "", xl_lit_text(x, &list->u.lit->u.list[i], f).s);
		sb_ch(&b, ']');
		r = ex_f(x, P_ATOM, "%s[int(item)]", sb_cstr(&b));
		sb_free(&b);
		r.form = (uint8_t)f;
		return r;
	}
	if (f == FORM_AGG && list->op == EX_REF) {
		l = xl_text(x, list, FORM_AGG);
		r = ex_f(x, P_ATOM, "fromJSON(%s)[int(item)]", l.s);
		r.form = needs_care(el) ? FORM_T : FORM_SAFE;
		return r;
	}
	l = xl_native(x, list);
	r = ex_f(x, P_ATOM, "%s[int(item)]", ex_in(x, l, P_ATOM));
	if (el.kind == T_TIME && list->op == EX_REF) {
		r = ex_f(x, P_ATOM, "fromJSON(%s)[int(item)]", xl_text(x, list, FORM_SAFE).s);
		r.form = FORM_SAFE;
		return r;
	}
	return xl_to_text(x, el, r, ref_form(x->g, x->c, e));
}

static struct ex item(struct site *x, const struct expr *e)
{
	struct ninfo *ni = info(x->g, e->u.node);
	struct ex r;

	if (x->c != ni->ctx && x->c != ni->each)
		return xl_captured(x, e);
	if (e->fn == REF_INDEX) {
		/* six digits where they name files */
		bool digits = gathers_files(x->g, e->u.node) || type_is_path(e->u.node->u.for_.list->type);

		r = ex_f(x, P_ATOM, digits ? "toJson(int(item))" : "item");
		r.tag = !digits;
		r.form = FORM_SAFE;
		return r;
	}
	if (ni->items) {
		r = ex_f(x, P_ATOM, "item");
		r.tag = true;
		r.form = (uint8_t)ref_form(x->g, x->c, e);
		return r;
	}
	return item_text(x, e);
}

static struct ex sweep_arg(struct site *x, const struct expr *e)
{
	const struct node *n = e->u.node;

	if (x->c != info(x->g, n)->inner)
		return xl_captured(x, e);
	return sweep_argument(x, e);
}

/* ---- workflow.FIELD ---- */

static struct ex field(struct site *x, const struct expr *e)
{
	struct ex r = { .prec = P_ATOM, .form = FORM_SAFE };

	if (x->outputs)
		return xl_captured(x, e);
	switch ((enum workflow_field)e->n) {
	case WF_name:
		r = path(x, "workflow", "name", FORM_SAFE);
		break;
	case WF_run_id:
		r = path(x, "workflow", "uid", FORM_SAFE);
		break;
	case WF_start_time:
		r = ex_f(x, P_OPEN, "workflow.scheduledTime ?? workflow.creationTimestamp.RFC3339");
		break;
	case WF_scheduled_time:
		r = ex_f(x, P_ATOM, "workflow.scheduledTime");
		r.nil = true;
		break;
	case WF_status:
		r = ex_f(x, P_OPEN, "workflow.status == 'Succeeded' ? 'succeeded' : 'failed'");
		break;
	case WF_failed_steps:
		r.s = failed_steps(x);
		break;
	default:
		r.s = "'" ABSENT "'";
		r.null = true;
	}
	r.form = FORM_SAFE;
	return r;
}

static struct ex param(struct site *x, const struct expr *e)
{
	enum form f = param_form(x->g, x->c, e);
	const char *name = x->g->w[x->c->w->id].param_name[e->n];

	if (x->c->w == x->g->m->entry && !x->outputs)
		return path(x, "workflow.parameters", name, f);
	if (x->c->kind == CTX_CALL)
		return path(x, "inputs.parameters", name, f);
	return xl_captured(x, e);
}

struct ex xl_ref(struct site *x, const struct expr *e)
{
	const struct node *n = e->u.node;

	if (x->shape)
		return shape_input(x, e);
	switch ((enum ref_kind)e->fn) {
	case REF_PARAM:
		return param(x, e);
	case REF_FIELD:
		return field(x, e);
	case REF_OUTPUT:
		if (x->c->kind == CTX_ON && info(x->g, n)->ctx != x->c)
			return on_output(x, e);
		if (info(x->g, n)->ctx != x->c)
			return xl_captured(x, e);
		if (e->n & COUNT_OF)
			return count_text(x, e);
		return n->kind == N_FOR ? for_output(x, e) : step_output(x, e);
	case REF_STATUS:
	case REF_EXIT_CODE:
		if (x->c->kind == CTX_ON && info(x->g, n)->ctx != x->c)
			return on_output(x, e);
		if (info(x->g, n)->ctx != x->c)
			return xl_captured(x, e);
		return e->fn == REF_STATUS ? xl_status(x, n, false) : exit_code(x, e);
	case REF_ITEM:
	case REF_INDEX:
		return item(x, e);
	case REF_STATE:
		if (x->c != info(x->g, n)->inner)
			return xl_captured(x, e);
		{
			struct ex r = path(x, "inputs.parameters", dashed(x->g, n->u.loop.v[e->n].name), ref_form(x->g, x->c, e));

			r.null = e->type.opt;
			return r;
		}
	case REF_ARG:
		return sweep_arg(x, e);
	default:
		return (struct ex){ .s = "''", .prec = P_ATOM };
	}
}
