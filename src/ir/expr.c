/* Expression trees: the tables behind them, making them, walking them. */
#include "couler/ir.h"

#include <stdlib.h>
#include <string.h>

const struct expr_fn_info expr_fns[FN_COUNT] = {
#define X(f, lo, hi, sig, res) { #f, lo, hi, sig, res },
	EXPR_FNS(X)
#undef X
};

const struct expr_op_info expr_ops[EX_COUNT] = {
#define X(o, s, p, n) { #o, s, p, n },
	EXPR_OPS(X)
#undef X
};

const struct workflow_field_info workflow_fields[WF_COUNT] = {
#define X(f, k, list, opt) { #f, { T_##k, list, opt } },
	WORKFLOW_FIELDS(X)
#undef X
};

struct expr *expr_lit(struct arena *a, const struct value *v, struct span sp)
{
	struct expr *e = arena_new_of(a, struct expr);
	struct value *copy = arena_new_of(a, struct value);

	*copy = *v;
	e->op = EX_LIT;
	e->type = v->type;
	e->span = sp;
	e->u.lit = copy;
	return e;
}

struct expr *expr_new(struct arena *a, enum expr_op op, struct type t, struct span sp, uint32_t n)
{
	struct expr *e = arena_new_of(a, struct expr);

	e->op = (uint8_t)op;
	e->type = t;
	e->span = sp;
	e->n = n;
	if (op != EX_MEMBER)
		e->u.args = arena_array(a, struct expr *, n);
	return e;
}

struct expr *expr_ref(struct arena *a, enum ref_kind k, struct node *node, uint32_t port, struct type t, struct span sp)
{
	struct expr *e = arena_new_of(a, struct expr);

	e->op = EX_REF;
	e->fn = (uint8_t)k;
	e->type = t;
	e->span = sp;
	e->n = port;
	e->u.node = node;
	return e;
}

bool expr_is_const(const struct expr *e)
{
	return e->op == EX_LIT;
}

uint32_t expr_arity(const struct expr *e)
{
	return e->op == EX_LIT || e->op == EX_REF ? 0 : e->op == EX_MEMBER ? 1 : e->n;
}

struct expr **expr_args(struct expr *e)
{
	return e->op == EX_LIT || e->op == EX_REF ? NULL : e->op == EX_MEMBER ? &e->u.member.arg : e->u.args;
}

void expr_refs(struct expr *e, void (*f)(struct expr *ref, void *data), void *data)
{
	struct expr *small[32], **stack = small;
	size_t n = 0, cap = 32;

	if (e)
		stack[n++] = e;
	while (n) {
		struct expr *x = stack[--n], **args;
		uint32_t k = expr_arity(x);

		if (x->op == EX_REF)
			f(x, data);
		if (n + k > cap) {
			struct expr **more;

			while (n + k > cap)
				cap *= 2;
			more = xmalloc(cap * sizeof *more);
			memcpy(more, stack, n * sizeof *more);
			if (stack != small)
				free(stack);
			stack = more;
		}
		args = expr_args(x);
		for (uint32_t i = k; i-- > 0; )
			if (args[i])
				stack[n++] = args[i];
	}
	if (stack != small)
		free(stack);
}
