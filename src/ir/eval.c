/*
 * The evaluator: a stack machine over expression trees, so that depth costs heap
 * and not stack. && || ?: ?? evaluate an operand only when they need it.
 */
#include "eval.h"

#include <stdlib.h>
#include <string.h>

struct frame {
	const struct expr *e;
	uint32_t next;                    /* operand to evaluate next */
	size_t base;                      /* its first operand on the stack of values */
};

struct machine {
	struct evalctx *x;
	struct frame *f;
	size_t nf, capf;
	struct value *v;
	size_t nv, capv;
	uint32_t steps;
	struct evalerr *err;
};

static void push_frame(struct machine *m, const struct expr *e)
{
	if (m->nf == m->capf) {
		m->capf = m->capf ? 2 * m->capf : 16;
		m->f = xrealloc(m->f, m->capf * sizeof *m->f);
	}
	m->f[m->nf++] = (struct frame){ e, 0, m->nv };
}

static struct value *push_value(struct machine *m)
{
	if (m->nv == m->capv) {
		m->capv = m->capv ? 2 * m->capv : 32;
		m->v = xrealloc(m->v, m->capv * sizeof *m->v);
	}
	return &m->v[m->nv++];
}

static int condition(struct machine *m, const struct expr *e, const struct value *v, bool *b)
{
	if (type_is(v->type, T_BOOL)) {
		*b = v->u.b;
		return 0;
	}
	if (type_is(v->type, T_JSON) && v->u.j->kind == J_BOOL) {
		*b = v->u.j->u.b;
		return 0;
	}
	m->err->span = e->span;
	m->err->code = v->type.kind == T_NULL ? CW0712 : CW0713;
	m->err->msg = v->type.kind == T_NULL ? "the condition is absent: its step was skipped; give it a fallback with ??" : "a condition must be true or false";
	return -1;
}

/*
 * After operand f->next - 1 of a lazy operator: *pick is the operand that gives the result, -1 when the value on top is
 * the result already.
 */
static int choose(struct machine *m, struct frame *f, int *pick)
{
	const struct expr *e = f->e, *arg = e->u.args[0];
	const struct value *top = &m->v[m->nv - 1];
	bool b;

	if (e->op == EX_COALESCE) {
		*pick = top->type.kind == T_NULL && !top->type.list ? 1 : -1;
		return 0;
	}
	if (condition(m, arg, top, &b))
		return -1;
	*pick = e->op == EX_COND ? (b ? 1 : 2) : e->op == EX_AND ? (b ? 1 : -1) : (b ? -1 : 1);
	return 0;
}

static bool is_lazy(const struct expr *e)
{
	return e->op == EX_COND || e->op == EX_COALESCE || e->op == EX_AND || e->op == EX_OR;
}

/* The value on top is the result of frame f. */
static void finish(struct machine *m, struct frame *f)
{
	struct value *v = &m->v[m->nv - 1];

	if (type_is(v->type, T_INT) && f->e->type.kind == T_FLOAT && !f->e->type.list) {
		v->u.d = (double)v->u.i;
		v->type = type_of(T_FLOAT);
	}
	m->nf--;
}

static int step_lazy(struct machine *m, struct frame *f)
{
	const struct expr *e = f->e;
	int pick;

	if (f->next == 0) {
		f->next = 1;
		push_frame(m, e->u.args[0]);
		return 0;
	}
	if (f->next == 1) {
		if (choose(m, f, &pick))
			return -1;
		if (pick < 0) {
			finish(m, f);
			return 0;
		}
		m->nv--;
		f->next = (uint32_t)pick + 1;
		push_frame(m, e->u.args[pick]);
		return 0;
	}
	if (e->op == EX_AND || e->op == EX_OR) {
		bool b;

		if (condition(m, e->u.args[1], &m->v[m->nv - 1], &b))
			return -1;
		m->v[m->nv - 1] = (struct value){ .type = type_of(T_BOOL), .u.b = b };
	}
	finish(m, f);
	return 0;
}

static int step(struct machine *m)
{
	struct frame *f = &m->f[m->nf - 1];
	const struct expr *e = f->e;
	uint32_t n = expr_arity(e);
	struct value out = { 0 };
	int rc;

	if (++m->steps > EVAL_STEPS_MAX) {
		*m->err = (struct evalerr){ "the expression takes over 20,000,000 operations", e->span, CW0708 };
		return -1;
	}
	if (e->op == EX_LIT) {
		*push_value(m) = *e->u.lit;
		m->nf--;
		return 0;
	}
	if (e->op == EX_REF) {
		rc = m->x->ref ? m->x->ref(m->x, e, &out, m->err) : 1;
		if (rc < 0 && !m->err->code)
			m->err->code = CW0712;
		if (rc < 0 && !m->err->span.file)
			m->err->span = e->span;
		if (!rc) {
			*push_value(m) = out;
			m->nf--;
		}
		return rc;
	}
	if (is_lazy(e))
		return step_lazy(m, f);
	if (f->next < n) {
		const struct expr *arg = e->op == EX_MEMBER ? e->u.member.arg : e->u.args[f->next];

		f->next++;
		push_frame(m, arg);
		return 0;
	}
	rc = eval_op(&m->x->c, e, m->v ? m->v + f->base : NULL, &out, m->err);
	if (rc)
		return rc;
	m->nv = f->base;
	*push_value(m) = out;
	m->nf--;
	return 0;
}

int eval(struct evalctx *x, const struct expr *e, struct value *out, struct evalerr *err)
{
	struct machine m = { .x = x, .err = err };
	int rc = 0;

	*err = (struct evalerr){ 0 };
	push_frame(&m, e);
	while (!rc && m.nf)
		rc = step(&m);
	if (!rc)
		*out = m.v[0];
	free(m.f);
	free(m.v);
	return rc;
}
