/* Expressions as JSON (couler-airflow.schema.json, "expression"), and the tasks that they read. */
#include "airflow.h"

#include <math.h>
#include <string.h>

void af_str(struct strbuf *b, const struct str *s)
{
	sb_json(b, s->s, s->len);
}

void af_type(struct strbuf *b, struct type t)
{
	sb_ch(b, '"');
	type_str(b, t);
	sb_ch(b, '"');
}

/* ---- constants ---- */

static void text_of(struct strbuf *b, const struct value *v)
{
	struct strbuf t = { 0 };

	value_text(&t, v);
	sb_json(b, t.s ? t.s : "", t.n);
	sb_free(&t);
}

void af_value(struct af *af, struct strbuf *b, const struct value *v)
{
	struct type t = v->type;

	(void)af;
	if (t.kind == T_NULL && !t.list) {
		sb_z(b, "null");
	} else if (type_is(t, T_STRING)) {
		af_str(b, v->u.s);
	} else if (type_is(t, T_BOOL)) {
		sb_z(b, v->u.b ? "true" : "false");
	} else if (type_is(t, T_INT) && !v->text) {
		sb_f(b, "%lld", (long long)v->u.i);
	} else if (t.list && (t.kind == T_ANY || t.kind == T_NONE)) {
		sb_z(b, "[\"list\", \"list<any>\"]");
	} else {
		sb_z(b, "[\"lit\", ");
		af_type(b, t);
		sb_z(b, ", ");
		text_of(b, v);
		if (v->sha256) {
			sb_z(b, ", ");
			af_str(b, v->sha256);
		}
		sb_ch(b, ']');
	}
}

bool af_const(struct af *af, const struct expr *e, struct value *v)
{
	struct evalctx x = { { af->a, af->strs }, NULL, NULL };
	struct evalerr err;

	return !eval(&x, e, v, &err);
}

bool af_number(struct af *af, const struct expr *e, double *d)
{
	struct value v;

	if (!af_const(af, e, &v) || v.type.list)
		return false;
	switch (v.type.kind) {
	case T_INT: case T_SIZE: *d = (double)v.u.i; return true;
	case T_FLOAT: case T_DURATION: *d = v.u.d; return isfinite(v.u.d);
	default: return false;
	}
}

/* ---- references ---- */

bool af_is_status(const struct node *n, uint32_t port)
{
	for (;;) {
		const struct expr *e = NULL;
		uint32_t count = n->kind == N_IF ? n->u.if_.n : n->kind == N_FOR || n->kind == N_GROUP ? 1 : 0;

		for (uint32_t k = 0; k < count && !e; k++)
			e = n->ports[port].value ? n->ports[port].value[k] : NULL;
		if (!e || e->op != EX_REF || (e->fn != REF_STATUS && e->fn != REF_OUTPUT))
			return false;
		if (e->fn == REF_STATUS)
			return true;
		n = e->u.node;
		port = e->n;
	}
}

static void quoted(struct strbuf *b, const char *op, const struct str *s)
{
	sb_f(b, "[\"%s\", ", op);
	af_str(b, s);
}

static void out_ref(struct af *af, struct strbuf *b, struct task *t, const char *name, size_t n, bool soft)
{
	af_depend(af, t, soft);
	quoted(b, "out", t->id);
	sb_z(b, ", ");
	sb_json(b, name, n);
	sb_ch(b, ']');
}

static void if_ref(struct af *af, struct strbuf *b, struct made *made, const struct node *n, uint32_t port)
{
	bool status = af_is_status(n, port);

	af_depend(af, made->task, status);
	quoted(b, "if", made->task->id);
	sb_z(b, ", [");
	for (uint32_t i = 0; i < made->nchild; i++) {
		const struct expr *e = n->ports[port].value ? n->ports[port].value[i] : NULL;

		if (i)
			sb_z(b, ", ");
		if (e)
			af_expr(af, b, made->child[i], e);
		else
			sb_z(b, "null");
	}
	sb_z(b, status ? "], true]" : "], false]");
}

static void for_ref(struct af *af, struct strbuf *b, struct made *made, const struct node *n, uint32_t port)
{
	if (made->loop->each)
		af_depend(af, made->loop->each, false);
	quoted(b, "for", made->loop->id);
	sb_z(b, ", ");
	af_type(b, type_of((enum type_kind)n->ports[port].type.kind));
	sb_z(b, ", ");
	af_expr(af, b, made->child[0], n->ports[port].value[0]);
	sb_ch(b, ']');
}

/* n, port: what is read; n NULL: how the loop ended. */
static void loop_ref(struct af *af, struct strbuf *b, struct made *made, const struct node *n, uint32_t port)
{
	sb_z(b, "[\"loop\", [");
	for (uint32_t r = 0; r <= made->nchild; r++) {
		if (r)
			sb_z(b, ", ");
		af_str(b, made->rounds[r]->id);
	}
	af_depend(af, made->rounds[made->nchild], !n);
	sb_z(b, "], ");
	if (n)
		af_str(b, n->ports[port].name);
	else
		sb_z(b, "\"-status\"");
	sb_ch(b, ']');
}

static void output_ref(struct af *af, struct strbuf *b, struct frame *f, const struct node *n, uint32_t port)
{
	struct made *made = af_made(af, f, n);
	const struct str *name = n->ports[port].name;

	switch ((enum node_kind)n->kind) {
	case N_IF: if_ref(af, b, made, n, port); break;
	case N_FOR: for_ref(af, b, made, n, port); break;
	case N_LOOP: loop_ref(af, b, made, n, port); break;
	case N_GROUP: af_expr(af, b, made->child[0], n->ports[port].value[0]); break;
	default: out_ref(af, b, made->task, name->s, name->len, false);
	}
}

/* The frame of which `owner` is the region. */
static struct frame *inside(struct frame *f, const struct node *owner)
{
	while (f && f->graph->owner != owner)
		f = f->up;
	return f;
}

static void field_ref(struct af *af, struct strbuf *b, struct frame *f, uint32_t field)
{
	if (field == WF_name) {
		af_str(b, f->act->w->name);
	} else if (field == WF_status || field == WF_failed_steps) {
		out_ref(af, b, f->act->end, workflow_fields[field].name, strlen(workflow_fields[field].name), false);
	} else {
		sb_f(b, "[\"field\", \"%s\"]", workflow_fields[field].name);
	}
}

static void step_ref(struct strbuf *b, struct frame *f, const struct node *n, const struct expr *e)
{
	const struct ir_task *t = n->kind == N_WAIT ? n->u.wait.poll : n->u.task;
	const struct str *name = e->fn == REF_INPUT ? t->ins[e->n].name : e->fn == REF_OUTPATH ? t->outs[e->n].name : n->attrs->env.v[e->n].name;

	(void)f;
	quoted(b, e->fn == REF_INPUT ? "input" : e->fn == REF_OUTPATH ? "path" : "env", name);
	sb_ch(b, ']');
}

static void loop_item(struct strbuf *b, struct frame *f, const struct expr *e)
{
	quoted(b, e->fn == REF_ITEM ? "item" : "index", inside(f, e->u.node)->own->id);
	sb_ch(b, ']');
}

static void arg_ref(struct strbuf *b, struct frame *f, const struct expr *e)
{
	const struct sweep *s = e->u.node->u.sweep;
	const struct str *name = e->n < s->nspace ? s->space[e->n].name : s->budget;

	quoted(b, "arg", inside(f, e->u.node)->own->id);
	sb_z(b, ", ");
	af_str(b, name);
	sb_ch(b, ']');
}

static void ref(struct af *af, struct strbuf *b, struct frame *f, const struct expr *e)
{
	const struct ir_param *p;
	struct made *made;

	switch ((enum ref_kind)e->fn) {
	case REF_PARAM:
		p = &f->act->w->params[e->n];
		out_ref(af, b, f->act->begin, p->name->s, p->name->len, false);
		break;
	case REF_OUTPUT: output_ref(af, b, f, e->u.node, e->n); break;
	case REF_STATUS: case REF_EXIT_CODE:
		made = af_made(af, f, e->u.node);
		if (e->u.node->kind == N_LOOP) {
			loop_ref(af, b, made, NULL, 0);
			break;
		}
		af_depend(af, made->task, true);
		quoted(b, e->fn == REF_STATUS ? "status" : "exit_code", made->task->id);
		sb_ch(b, ']');
		break;
	case REF_INPUT: case REF_OUTPATH: case REF_ENV: step_ref(b, f, af->at->node, e); break;
	case REF_ITEM: case REF_INDEX: loop_item(b, f, e); break;
	case REF_STATE:
		f = inside(f, e->u.node);
		out_ref(af, b, f->round, e->u.node->u.loop.v[e->n].name->s, e->u.node->u.loop.v[e->n].name->len, false);
		break;
	case REF_ARG: arg_ref(b, f, e); break;
	case REF_FIELD: field_ref(af, b, f, e->n); break;
	case REF_COUNT: break;
	}
}

/* ---- operators ---- */

static const char *const ops[EX_COUNT] = {
	[EX_LIST] = "list", [EX_MAP] = "map", [EX_CONCAT] = "text", [EX_COND] = "?:", [EX_COALESCE] = "??", [EX_OR] = "||", [EX_AND] = "&&",
	[EX_EQ] = "==", [EX_NE] = "!=", [EX_LT] = "<", [EX_LE] = "<=", [EX_GT] = ">", [EX_GE] = ">=", [EX_IN] = "in",
	[EX_ADD] = "+", [EX_SUB] = "-", [EX_MUL] = "*", [EX_DIV] = "/", [EX_MOD] = "%", [EX_NEG] = "neg", [EX_NOT] = "!",
	[EX_MEMBER] = ".", [EX_INDEX] = "[]", [EX_CALL] = "call", [EX_CONV] = "conv",
};

/* Operators whose operands may be of another type than the result says: an int where a float is due, a json of a record. */
static bool converts(const struct expr *e)
{
	bool any = e->type.kind == T_NONE || e->type.kind == T_ANY || e->type.kind == T_NULL || type_is(e->type, T_JSON);

	switch ((enum expr_op)e->op) {
	case EX_MEMBER: case EX_INDEX: return !any;
	case EX_COND: case EX_COALESCE: case EX_CALL: return e->type.kind == T_FLOAT && !e->type.list;
	default: return false;
	}
}

static void operands(struct af *af, struct strbuf *b, struct frame *f, const struct expr *e)
{
	struct expr **args = expr_args((struct expr *)e);

	for (uint32_t i = 0, n = expr_arity(e); i < n; i++) {
		sb_z(b, ", ");
		if (e->op == EX_MAP && i % 2 == 0 && args[i]->op == EX_LIT)
			af_str(b, args[i]->u.lit->u.s);
		else
			af_expr(af, b, f, args[i]);
	}
}

void af_expr(struct af *af, struct strbuf *b, struct frame *f, const struct expr *e)
{
	bool conv = converts(e);

	if (e->op == EX_LIT) {
		af_value(af, b, e->u.lit);
		return;
	}
	if (e->op == EX_REF) {
		ref(af, b, f, e);
		return;
	}
	if (conv) {
		sb_z(b, "[\"conv\", ");
		af_type(b, e->type);
		sb_z(b, ", ");
	}
	sb_f(b, "[\"%s\"", ops[e->op]);
	if (e->op == EX_LIST || e->op == EX_CONV) {
		sb_z(b, ", ");
		if (e->type.list && (e->type.kind == T_NONE || e->type.kind == T_ANY))
			sb_z(b, "\"list<any>\"");
		else
			af_type(b, e->type);
	} else if (e->op == EX_MEMBER) {
		sb_z(b, ", ");
		af_str(b, e->u.member.key);
	} else if (e->op == EX_CALL) {
		sb_f(b, ", \"%s\"", expr_fns[e->fn].name);
	}
	operands(af, b, f, e);
	sb_z(b, conv ? "]]" : "]");
}

/* Whether the evaluation of e itself, not of what it reads, can go wrong. */
static bool fallible(const struct expr *e)
{
	if (e->op == EX_LIT || e->op == EX_REF)
		return false;
	if (e->op != EX_LIST && e->op != EX_CONCAT && e->op != EX_COALESCE && e->op != EX_EQ && e->op != EX_NE &&
	    !(e->op == EX_CONV && type_is(e->type, T_FLOAT) && type_is(e->u.args[0]->type, T_INT)))
		return true;
	for (uint32_t i = 0, n = expr_arity(e); i < n; i++)
		if (fallible(expr_args((struct expr *)e)[i]))
			return true;
	return false;
}

void af_root(struct af *af, struct strbuf *b, struct frame *f, const struct expr *e)
{
	struct place p = { 0 };
	struct strbuf t = { 0 };

	if (fallible(e) && af->m->diag)
		p = diag_place(af->m->diag, e->span);
	if (!p.path) {
		af_expr(af, b, f, e);
		return;
	}
	sb_f(&t, "%s:%u:%u", p.path, p.line, p.col);
	sb_z(b, "[\"at\", ");
	sb_json(b, t.s, t.n);
	sb_z(b, ", ");
	af_expr(af, b, f, e);
	sb_ch(b, ']');
	sb_free(&t);
}
