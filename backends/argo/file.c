/* Files (file.h). */
#include "file.h"

#include <string.h>

static struct art fail_at(struct site *x, struct span sp, const char *why, const char *mend)
{
	diag_mend(x->g->d, diag_at(x->g->d, CW0801, sp, "argo cannot carry this file: %s", why), "%s", mend);
	x->g->err = -1;
	return (struct art){ .kind = ART_NONE };
}

/* ---- gathers ---- */

const char *node_key(struct argo *g, const struct node *n)
{
	const struct ir_workflow *w = n->graph->workflow;
	const struct graph *in = n->graph;
	const char *s = dashed(g, n->name);

	/* a loop's and a sweep's steps have names of their own */
	for (; in->owner; in = in->owner->graph)
		if (in->owner->kind == N_LOOP || in->owner->kind == N_SWEEP)
			s = a_f(g, "%s.%s", dashed(g, in->owner->name), s);
	return w == g->m->entry ? s : a_f(g, "%s.%s", dashed(g, w->name), s);
}

static const struct expr *callee_out(const struct expr *e)
{
	const struct ir_workflow *w = e->u.node->u.callee;

	for (uint32_t i = 0; i < w->nouts; i++)
		if (w->outs[i].name == e->u.node->ports[e->n].name)
			return w->outs[i].value;
	return NULL;
}

/* Calls f for each output of a step that the file of e may be. False where it may be something else. */
static bool producers(const struct expr *e, bool (*f)(void *data, const struct expr *ref), void *data)
{
	const struct node *n;
	bool ok = true;

	switch ((enum expr_op)e->op) {
	case EX_COALESCE:
		return producers(e->u.args[0], f, data) && producers(e->u.args[1], f, data);
	case EX_COND:
		return producers(e->u.args[1], f, data) && producers(e->u.args[2], f, data);
	case EX_CONV:
		return producers(e->u.args[0], f, data);
	case EX_REF:
		break;
	default:
		return false;
	}
	n = e->u.node;
	if (e->fn != REF_OUTPUT)
		return false;
	switch ((enum node_kind)n->kind) {
	case N_STEP:
		return f(data, e);
	case N_CALL:
		return callee_out(e) && producers(callee_out(e), f, data);
	case N_IF:
	case N_GROUP:
		for (uint32_t i = 0; i < (n->kind == N_IF ? n->u.if_.n : 1); i++)
			ok = ok && (!n->ports[e->n].value[i] || producers(n->ports[e->n].value[i], f, data));
		return ok;
	default:
		return false;
	}
}

static bool mark_keyed(void *data, const struct expr *ref)
{
	info(data, ref->u.node)->keyed = true;
	return true;
}

static void demand(struct argo *g, const struct expr *value, struct span sp)
{
	struct site x = { .g = g };

	if (!producers(value, mark_keyed, g))
		fail_at(&x, sp, "it is gathered, and not every element is a file that a step in there makes", "let a step in there copy it to an output of its own, and gather that");
}

static bool port_used(const struct ninfo *ni, uint32_t i)
{
	return used_port(ni, i, false) || used_port(ni, i, true);
}

bool gathers_files(struct argo *g, const struct node *f)
{
	for (uint32_t i = 0; i < f->nports; i++)
		if (type_is_path(f->ports[i].type) && port_used(info(g, f), i))
			return true;
	return false;
}

static void demand_node(struct node *n, void *data)
{
	struct argo *g = data;

	if (n->kind == N_FOR)
		for (uint32_t i = 0; i < n->nports; i++)
			if (type_is_path(n->ports[i].type) && port_used(info(g, n), i))
				demand(g, n->ports[i].value[0], n->ports[i].span);
	if (n->kind == N_SWEEP) {
		struct node *b = n->u.sweep->body->nodes.v[0];

		for (uint32_t i = 0; i < n->nports; i++) {
			struct expr ref = { .op = EX_REF, .fn = REF_OUTPUT, .type = n->ports[i].type, .u.node = b };

			if (!type_is_path(n->ports[i].type) || !port_used(info(g, n), i))
				continue;
			for (ref.n = 0; ref.n < b->nports && !str_eq(b->ports[ref.n].name, n->ports[i].name->s + strlen("best.")); ref.n++)
				;
			if (ref.n < b->nports)
				demand(g, &ref, n->span);
		}
	}
}

void argo_keys(struct argo *g)
{
	for (uint32_t i = g->m->workflows.n; i-- > 0;)
		if (g->w[g->m->workflows.v[i]->id].needed)
			workflow_nodes(g->m->workflows.v[i], demand_node, g);
}

struct prefix { struct argo *g; const char *s; };

static bool first_producer(void *data, const struct expr *ref)
{
	struct prefix *p = data;

	if (!p->s)
		p->s = a_f(p->g, "%s/%s", dashed(p->g, ref->u.node->ports[ref->n].name), node_key(p->g, ref->u.node));
	return true;
}

/* The calls between a gather and the step that makes the file, the innermost first: each adds its name before `at`. */
static const char *calls_between(struct argo *g, const struct expr *e)
{
	const char *s = "";

	while (e && e->op == EX_REF && e->fn == REF_OUTPUT && (e->u.node->kind == N_CALL || e->u.node->kind == N_IF || e->u.node->kind == N_GROUP)) {
		if (e->u.node->kind == N_CALL) {
			s = a_f(g, "%s/%s", dashed(g, e->u.node->name), s);
			e = callee_out(e);
		} else {
			const struct expr *v = NULL;

			for (uint32_t i = 0; !v && i < (e->u.node->kind == N_IF ? e->u.node->u.if_.n : 1); i++)
				v = e->u.node->ports[e->n].value[i];
			e = v;
		}
	}
	return s;
}

const char *gather_prefix(struct argo *g, const struct expr *value, const char *at)
{
	struct prefix p = { g, NULL };

	producers(value, first_producer, &p);
	return a_f(g, "%s/%s%s", p.s ? p.s : "x", calls_between(g, value), at);
}

/* ---- references ---- */

static const char *art_member(struct argo *g, const char *task, const char *out, bool maybe)
{
	const char *m = xl_member(g, "", out);

	if (!maybe)
		return xl_member(g, a_f(g, "%s.outputs.artifacts", xl_member(g, "tasks", task)), out);
	return a_f(g, "%s.outputs?.artifacts?%s%s", xl_member(g, "tasks", task), m[0] == '[' ? "." : "", m);
}

static bool under_cond(const struct cond *a, const struct cond *b)
{
	for (; b; b = b->up)
		if (a && a->if_ == b->if_ && a->branch == b->branch)
			return true;
	return !a;
}

static struct art from_task(struct site *x, const struct node *n, const char *out)
{
	const struct ninfo *ni = info(x->g, n);
	struct art a = { .kind = ART_FROM, .s = a_f(x->g, "{{tasks.%s.outputs.artifacts.%s}}", ni->task, out) };

	if (ni->wrapped) {
		a.kind = ART_EXPR;
		a.s = a_f(x->g, "%s.outputs?.parameters?.status == 'succeeded' ? %s : nil", xl_member(x->g, "tasks", ni->task), art_member(x->g, ni->task, out, false));
		a.optional = true;
	} else if (!under_cond(ni->cond, x->cond)) {
		a.kind = ART_EXPR;
		a.s = art_member(x->g, ni->task, out, true);
		a.optional = true;
	}
	return a;
}

/* A place, or a key, as an input artifact of the template, which has its location: its name. */
const char *art_input(struct site *x, const struct art *a, const char *name)
{
	struct input *in = vec_add(x->g->a, &x->c->ins);
	struct art *fixed = arena_new_of(x->g->a, struct art);

	in->name = name_param(x->g, &x->c->in_names, name, strlen(name));
	in->artifact = true;
	*fixed = *a;
	in->fixed = fixed;
	return in->name;
}

/* The same as an expression; an absent one is nil. */
static const char *art_expr(struct site *x, const struct art *a, const char *name)
{
	const char *p;

	switch (a->kind) {
	case ART_EXPR:
		return strchr(a->s, ' ') ? a_f(x->g, "(%s)", a->s) : a->s;
	case ART_FROM:
		/* {{tasks.a-b.outputs.artifacts.c}}, {{inputs.artifacts.c}} */
		p = a->s + 2;
		if (!strncmp(p, "inputs.artifacts.", 17)) {
			const char *in = xl_member(x->g, "inputs.artifacts", a_f(x->g, "%.*s", (int)strlen(p + 17) - 2, p + 17));

			return a->optional ? a_f(x->g, "(%s.HasLocationOrKey() ? %s : nil)", in, in) : in;
		} else {
			const char *dot = strstr(p, ".outputs.artifacts.");

			return art_member(x->g, a_f(x->g, "%.*s", (int)(dot - p - 6), p + 6), a_f(x->g, "%.*s", (int)strlen(dot + 19) - 2, dot + 19), false);
		}
	default:
		break;
	}
	return xl_member(x->g, "inputs.artifacts", art_input(x, a, name));
}

const char *capture_file(struct site *x, const struct expr *ref)
{
	struct ctx *c = x->c;
	struct input *in;

	for (uint32_t i = 0; i < c->ins.n; i++)
		if (c->ins.v[i].artifact && c->ins.v[i].ref && c->ins.v[i].ref->fn == ref->fn && c->ins.v[i].ref->n == ref->n && c->ins.v[i].ref->type.list == ref->type.list &&
		    (ref->fn == REF_PARAM || c->ins.v[i].ref->u.node == ref->u.node))
			return c->ins.v[i].name;
	in = vec_add(x->g->a, &c->ins);
	in->ref = ref;
	in->artifact = true;
	in->type = ref->type;
	in->name = name_param(x->g, &c->in_names, ref_name(x->g, c, ref), strlen(ref_name(x->g, c, ref)));
	if (c->up) {
		struct site up = { .g = x->g, .c = c->up, .cond = c->owner && c->kind != CTX_EACH ? info(x->g, c->owner)->cond : NULL };
		const char *name = in->name;
		struct art a = art_of(&up, ref);

		/* the list of inputs may have moved */
		for (uint32_t i = 0; i < c->ins.n; i++)
			if (c->ins.v[i].name == name)
				c->ins.v[i].nullable = a.optional;
		return name;
	}
	return in->name;
}

static struct art captured_file(struct site *x, const struct expr *e)
{
	const char *name = capture_file(x, e);
	struct art a = { .kind = ART_FROM, .s = a_f(x->g, "{{inputs.artifacts.%s}}", name) };

	for (uint32_t i = 0; i < x->c->ins.n; i++)
		if (x->c->ins.v[i].name == name)
			a.optional = x->c->ins.v[i].nullable;
	return a;
}

/* ---- expressions ---- */

static struct art either(struct site *x, struct art a, struct art b)
{
	struct art r = { .kind = ART_EXPR, .optional = b.optional };

	if (a.kind == ART_NONE || b.kind == ART_NONE)
		return (struct art){ .kind = ART_NONE };
	r.s = a_f(x->g, "%s ?? %s", art_expr(x, &a, "place"), art_expr(x, &b, "place"));
	return r;
}

static struct art branch_file(struct site *x, const struct expr *e)
{
	const struct node *n = e->u.node;
	const struct port *p = &n->ports[e->n];
	struct art r = { .kind = ART_NONE };

	for (uint32_t i = n->kind == N_IF ? n->u.if_.n : 1; i-- > 0;) {
		struct art a;

		if (!p->value[i])
			continue;
		a = art_of(x, p->value[i]);
		r = r.kind == ART_NONE ? a : either(x, a, r);
	}
	r.optional = p->type.opt;
	return r;
}

/* Six digits of an index, as a tag. */
static const char *digits(struct site *x, const struct expr *i)
{
	const char *v;
	struct ex e;

	if (i->op == EX_LIT)
		return a_f(x->g, "%06lld", (long long)i->u.lit->u.i);
	x->lets = 0;
	v = xl_let(x);
	e = ex_f(x, P_OPEN, "let %s = toJson(%s); repeat('0', 6 - len(%s)) + %s", v, xl_native(x, i).s, v, v);
	return a_f(x->g, "{{=%s}}", xl_unlet(x->g, e.s));
}

/* An element of a list of files; at: its six digits. */
static struct art element_file(struct site *x, const struct expr *list, const char *at, struct span sp)
{
	struct art a;

	if (list->op == EX_LIST || (list->op == EX_LIT && list->u.lit->n == 0))
		return fail_at(x, sp, "an element of a list that is written out is taken by an index known only at run time", "name the file itself");
	a = art_of(x, list);
	if (a.kind == ART_KEY) {
		a.s = a_f(x->g, "%s/%s", a.s, at);
		return a;
	}
	if (a.kind == ART_FROM) {
		a.sub = at;
		return a;
	}
	return a.kind == ART_NONE ? a : fail_at(x, sp, "it is an element of a list that is chosen at run time", "choose the list in a step, which writes it as its output");
}

static struct art output_file(struct site *x, const struct expr *e)
{
	const struct node *n = e->u.node;
	const struct ninfo *ni = info(x->g, n);

	if (n->kind == N_IF || n->kind == N_GROUP)
		return branch_file(x, e);
	if (x->c->kind == CTX_ON && ni->ctx != x->c)
		return on_file(x, e);
	if (ni->ctx != x->c && !(n->kind == N_FOR && type_is_path(n->ports[e->n].type) && ni->ctx->kind == CTX_ENTRY))
		return captured_file(x, e);
	if (n->kind == N_FOR)
		return (struct art){ .kind = ART_KEY, .s = gather_prefix(x->g, n->ports[e->n].value[0], at_of(x->g, ni->ctx)), .optional = true };
	return from_task(x, n, dashed(x->g, n->ports[e->n].name));
}

struct art art_of(struct site *x, const struct expr *e)
{
	struct art a, b;
	struct site in = *x;

	switch ((enum expr_op)e->op) {
	case EX_LIT:
		if (e->u.lit->type.kind == T_NULL)
			return (struct art){ .kind = ART_EXPR, .s = "nil", .optional = true };
		return (struct art){ .kind = ART_PLACE, .place = e };
	case EX_CONV:
		return type_is_path(e->u.args[0]->type) || e->u.args[0]->type.kind == T_NULL ? art_of(x, e->u.args[0]) : (struct art){ .kind = ART_PLACE, .place = e->u.args[0] };
	case EX_CALL:
		return (struct art){ .kind = ART_PLACE, .place = e->u.args[0] };
	case EX_COALESCE:
		a = art_of(x, e->u.args[0]);
		if (!a.optional)
			return a;
		b = art_of(x, e->u.args[1]);
		return either(x, a, b);
	case EX_COND:
		in.outputs = true;
		a = art_of(x, e->u.args[1]);
		b = art_of(x, e->u.args[2]);
		if (a.kind == ART_NONE || b.kind == ART_NONE)
			return a.kind == ART_NONE ? a : b;
		return (struct art){ .kind = ART_EXPR, .optional = a.optional || b.optional,
			.s = a_f(x->g, "%s ? %s : %s", ex_in(x, xl_bool(&in, e->u.args[0]), P_OR), art_expr(x, &a, "place"), art_expr(x, &b, "place")) };
	case EX_INDEX:
		return element_file(x, e->u.args[0], digits(x, e->u.args[1]), e->span);
	case EX_REF:
		break;
	default:
		return fail_at(x, e->span, "it is the result of an expression that has no counterpart", "choose the file in a step");
	}
	switch ((enum ref_kind)e->fn) {
	case REF_OUTPUT:
		return output_file(x, e);
	case REF_PARAM:
		if (x->c->kind == CTX_CALL)
			return (struct art){ .kind = ART_FROM, .s = a_f(x->g, "{{inputs.artifacts.%s}}", x->g->w[x->c->w->id].param_name[e->n]), .optional = e->type.opt };
		return captured_file(x, e);
	case REF_ITEM: {
		const struct ninfo *ni = info(x->g, e->u.node);

		if (x->c != ni->ctx && x->c != ni->each)
			return captured_file(x, e);
		return element_file(x, e->u.node->u.for_.list, "{{item}}", e->span);
	}
	case REF_STATE:
		if (x->c != info(x->g, e->u.node)->inner)
			return captured_file(x, e);
		return (struct art){ .kind = ART_FROM, .s = a_f(x->g, "{{inputs.artifacts.%s}}", dashed(x->g, e->u.node->u.loop.v[e->n].name)), .optional = e->type.opt };
	default:
		return fail_at(x, e->span, "it comes from a place that hands on no files", "pass it through a step");
	}
}

bool no_files(const struct expr *e)
{
	while (e->op == EX_CONV)
		e = e->u.args[0];
	return e->type.list && ((e->op == EX_LIST && !e->n) || (e->op == EX_LIT && !e->u.lit->n));
}

void list_param(struct argo *g, const struct ir_param *p)
{
	diag_mend(g->d, diag_at(g->d, CW0801, p->span, "argo cannot carry parameter '%s': a list of files is made by steps, or written where a step takes it", p->name->s),
		"move the list to the step, or take a list<string> of locations and fetch them there");
	g->err = -1;
}

void art_write(struct site *x, struct yaml *y, const struct art *a)
{
	switch (a->kind) {
	case ART_FROM:
		y_z(y, "from", a->s);
		if (a->sub)
			y_z(y, "subPath", a->sub);
		break;
	case ART_EXPR:
		y_z(y, "fromExpression", a->s);
		if (!x->outputs) {        /* the engine's validation of arguments asks for a place, which the expression's takes at run time */
			y_open(y, "raw");
			y_z(y, "data", "");
			y_end(y);
		}
		break;
	case ART_KEY:
		key_write(x->g, y, a->s);
		break;
	case ART_PLACE:
		if (place_write(x, y, a->place, a->place->span) && type_is(a->place->type, T_FILE)) {
			y_open(y, "archive");                                /* as it is, even if it is an archive */
			y_plain(y, "none", "{}");
			y_end(y);
		}
		break;
	case ART_NONE:
		break;
	}
	if (a->optional)
		y_plain(y, "optional", "true");
}
