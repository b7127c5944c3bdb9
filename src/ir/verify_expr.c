/* Expressions: operations with their operands, references that reach what they name. Iterative. */
#include <stdlib.h>

#include "verify.h"

static bool type_ok(struct type t)
{
	return t.kind > T_NONE && t.kind <= T_ANY && !(t.kind == T_ANY && !t.list) && !(t.kind == T_NULL && t.list);
}

/* A value of type from can stand where to is wanted: an absent one only where that is said. */
static bool fits(struct type from, struct type to)
{
	if (from.kind == T_NULL)
		return to.opt;
	if (from.opt && !to.opt)
		return false;
	return from.list == to.list && (from.kind == to.kind || (from.list && from.kind == T_ANY));
}

static void wrong_type(struct verifier *v, const struct expr *e, struct type want, const char *what)
{
	struct strbuf a = { 0 }, b = { 0 };

	type_str(&a, e->type);
	type_str(&b, want);
	verify_fail(v, e->span, "%s is %s, not %s", what, sb_cstr(&a), sb_cstr(&b));
	sb_free(&a);
	sb_free(&b);
}

/* g or a graph around it holds the node; what an on block reads of the workflow's own graph, too. */
static bool reaches(const struct verifier *v, const struct graph *g, const struct node *n)
{
	for (; g; g = g->owner ? g->owner->graph : NULL) {
		if (n->graph == g)
			return true;
		if (!g->owner && g != v->w->body && n->graph == v->w->body)
			return true;
	}
	return false;
}

/* The node owns g or a graph around it. */
static bool is_around(const struct graph *g, const struct node *n)
{
	for (; g && g->owner; g = g->owner->graph)
		if (g->owner == n)
			return true;
	return false;
}

static bool same_but_optional(struct type a, struct type b)
{
	return a.kind == b.kind && a.list == b.list;
}

static const char *check_node_ref(const struct verifier *v, const struct expr *e, const struct graph *g)
{
	const struct node *n = e->u.node;

	if (!n || !n->graph || n->graph->workflow != v->w)
		return "a reference reaches no node of the workflow";
	if (e->fn == REF_OUTPUT || e->fn == REF_STATUS || e->fn == REF_EXIT_CODE) {
		if (!reaches(v, g, n))
			return "a reference reaches into a region that it is not in";
		if (e->fn == REF_OUTPUT && e->n >= n->nports)
			return "a reference names a port that its node does not have";
		return e->fn != REF_OUTPUT || same_but_optional(e->type, n->ports[e->n].type) ? NULL : "a reference has another type than its port";
	}
	if (!is_around(g, n))
		return "a reference names the element, state or argument of a region that is not around it";
	if (e->fn == REF_STATE)
		return n->kind == N_LOOP && e->n < n->u.loop.n ? NULL : "a reference names a state that its loop does not have";
	if (e->fn == REF_ARG)
		return n->kind == N_SWEEP && e->n <= n->u.sweep->nspace ? NULL : "a reference names an argument that its sweep does not have";
	return n->kind == N_FOR ? NULL : "a reference names the element of what is no for";
}

static const char *check_ref(const struct verifier *v, const struct expr *e, const struct graph *g, unsigned reads)
{
	const struct ir_task *t = v->node ? node_task(v->node) : NULL;

	switch ((enum ref_kind)e->fn) {
	case REF_PARAM:
		return e->n >= v->w->nparams ? "a reference names a param that the workflow does not have" :
			same_but_optional(e->type, v->w->params[e->n].type) ? NULL : "a reference has another type than its param";
	case REF_FIELD:
		return e->n < WF_COUNT ? NULL : "a reference names a field that workflows do not have";
	case REF_INPUT:
		return !(reads & READ_INPUTS) ? "a reference to an input stands where there are none" : !t || e->n >= t->nins ?
			"a reference names an input that the step does not have" : NULL;
	case REF_OUTPATH:
		return !(reads & READ_PATHS) ? "a reference to the path of an output stands outside of a command" : !t || e->n >= t->nouts ?
			"a reference names an output that the step does not have" : NULL;
	case REF_ENV:
		return !(reads & READ_PATHS) ? "a reference to env stands outside of a command" : !v->node->attrs || e->n >= v->node->attrs->env.n ?
			"a reference names an environment variable that the step does not have" : NULL;
	case REF_COUNT:
		return "a reference of no kind";
	default:
		return !(reads & READ_NODES) ? "an expression that is evaluated before the run reads a node" : check_node_ref(v, e, g);
	}
}

static const char *check_value(const struct value *x)
{
	if (!x || !type_ok(x->type) || x->type.opt)
		return "a literal has no value";
	if (x->type.list) {
		for (uint32_t i = 0; i < x->n; i++)
			if (x->u.list[i].type.list || x->u.list[i].type.opt || (x->u.list[i].type.kind != x->type.kind && x->type.kind != T_ANY))
				return "an element of a literal list is of another type than the list";
		return NULL;
	}
	if ((x->type.kind == T_STRING || x->type.kind == T_FILE || x->type.kind == T_DIR) && !x->u.s)
		return "a literal has no text";
	return x->type.kind == T_JSON && !x->u.j ? "a literal has no value" : NULL;
}

static const char *check_operands(const struct expr *e)
{
	struct expr **args = expr_args((struct expr *)(uintptr_t)e);
	uint32_t n = expr_arity(e);
	int arity = expr_ops[e->op].n;

	if (arity >= 0 && n != (uint32_t)arity)
		return "an operation has not its number of operands";
	for (uint32_t i = 0; i < n; i++)
		if (!args[i])
			return "an operation lacks an operand";
	if (e->op == EX_MEMBER && !e->u.member.key)
		return "a member has no key";
	if (e->op == EX_CALL && (e->fn >= FN_COUNT || (int)n < expr_fns[e->fn].lo || (expr_fns[e->fn].hi >= 0 && (int)n > expr_fns[e->fn].hi)))
		return "a function has not its number of arguments";
	if (e->op == EX_COND && !type_is(args[0]->type, T_BOOL))
		return "a condition is no bool";
	for (uint32_t i = 0; e->op == EX_MAP && i < n; i += 2)
		if (i + 1 == n || args[i]->op != EX_LIT || !args[i]->u.lit || !type_is(args[i]->u.lit->type, T_STRING))
			return "a map is not of keys and values in turn";
	return NULL;
}

static const char *check_one(const struct verifier *v, const struct expr *e, const struct graph *g, unsigned reads)
{
	const char *err;

	if (e->op >= EX_COUNT)
		return "an operation of no kind";
	if (!type_ok(e->type))
		return "an expression has no type";
	if (e->op == EX_REF)
		return check_ref(v, e, g, reads);
	if (e->op != EX_LIT)
		return check_operands(e);
	err = check_value(e->u.lit);
	return err || e->u.lit->type.kind == T_NULL || same_but_optional(e->u.lit->type, e->type) ? err : "a literal is of another type than its value";
}

static void push(struct verifier *v, size_t *n, const struct expr *e)
{
	if (*n == v->cap) {
		v->cap = v->cap ? 2 * v->cap : 256;
		v->stack = xrealloc(v->stack, v->cap * sizeof *v->stack);
	}
	v->stack[(*n)++] = e;
}

void verify_expr(struct verifier *v, const struct expr *e, const struct graph *g, struct type want, unsigned reads, const char *what)
{
	const struct expr *top = e;
	const char *err;
	size_t n = 0;

	if (!e) {
		verify_fail(v, (struct span){ 0 }, "%s is missing", what);
		return;
	}
	push(v, &n, e);
	while (n) {
		e = v->stack[--n];
		err = check_one(v, e, g, reads);
		if (err) {
			verify_fail(v, e->span, "%s: %s", what, err);
			return;
		}
		for (uint32_t i = expr_arity(e); i-- > 0; )
			push(v, &n, expr_args((struct expr *)(uintptr_t)e)[i]);
	}
	if (want.kind != T_NONE && !fits(top->type, want))
		wrong_type(v, top, want, what);
}
