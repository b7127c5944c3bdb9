/*
 * Constant folding of one expression, in place where it can be. Operands of lazy
 * operators that are never evaluated are not folded, so an error in them is none.
 */
#include "passes.h"

#include <stdlib.h>
#include <string.h>

struct frame { struct expr **slot, *e; uint32_t next; };               /* e: what stood in the slot when it was entered */
struct stack { struct frame *v; size_t n, cap; };

static void push(struct stack *s, struct expr **slot)
{
	if (s->n == s->cap) {
		s->cap = s->cap ? 2 * s->cap : 16;
		s->v = xrealloc(s->v, s->cap * sizeof *s->v);
	}
	s->v[s->n++] = (struct frame){ slot, *slot, 0 };
}

static bool is_lit(const struct expr *e)
{
	return e->op == EX_LIT;
}

static bool lit_is(const struct expr *e, bool b)
{
	return is_lit(e) && type_is(e->u.lit->type, T_BOOL) && e->u.lit->u.b == b;
}

static bool lit_null(const struct expr *e)
{
	return is_lit(e) && e->u.lit->type.kind == T_NULL && !e->u.lit->type.list;
}

/* x in the place of an operation of type t: an int where a float stood is made one. */
static struct expr *as_type(struct folder *f, struct expr *x, struct type t)
{
	struct valctx c = { f->m->arena, f->m->strs };
	struct value v;
	struct expr *e;
	const char *why;

	if (!type_is(x->type, T_INT) || t.kind != T_FLOAT || t.list)
		return x;
	if (is_lit(x) && !value_convert(&c, x->u.lit, type_of(T_FLOAT), &v, &why))
		return expr_lit(f->m->arena, &v, x->span);
	e = expr_new(f->m->arena, EX_CONV, t, x->span, 1);
	e->u.args[0] = x;
	return e;
}

/* ---- interpolation ---- */

struct pieces { struct expr **v; uint32_t n, cap; struct strbuf text; struct span span; };

static void add_piece(struct folder *f, struct pieces *p, struct expr *x)
{
	if (p->n == p->cap) {
		uint32_t cap = p->cap ? 2 * p->cap : 8;

		p->v = arena_grow(f->m->arena, p->v, p->cap * sizeof *p->v, cap * sizeof *p->v);
		p->cap = cap;
	}
	p->v[p->n++] = x;
}

static void flush_text(struct folder *f, struct pieces *p)
{
	struct value v = { .type = type_of(T_STRING) };

	if (!p->text.n)
		return;
	v.u.s = str_intern(f->m->strs, p->text.s, p->text.n);
	add_piece(f, p, expr_lit(f->m->arena, &v, p->span));
	p->text.n = 0;
}

static void take_piece(struct folder *f, struct pieces *p, struct expr *x)
{
	if (!is_lit(x)) {
		flush_text(f, p);
		add_piece(f, p, x);
		return;
	}
	if (!p->text.n)
		p->span = x->span;
	/* as "${}" does: of a json string its characters */
	if (type_is(x->u.lit->type, T_JSON) && x->u.lit->u.j->kind == J_STR)
		sb_str(&p->text, x->u.lit->u.j->u.s);
	else
		value_text(&p->text, x->u.lit);
}

/* Joins neighbouring literals and flattens interpolations in interpolations; "${x}" of a string is x. */
static struct expr *fold_concat(struct folder *f, struct expr *e)
{
	struct pieces p = { 0 };

	for (uint32_t i = 0; i < e->n; i++) {
		struct expr *x = e->u.args[i];

		for (uint32_t k = 0; x->op == EX_CONCAT && k < x->n; k++)
			take_piece(f, &p, x->u.args[k]);
		if (x->op != EX_CONCAT)
			take_piece(f, &p, x);
		if (p.text.n > EVAL_STRING_MAX) {
			diag_at(f->d, CW0708, e->span, "the text would have over 16 MiB");
			f->rc = -1;
			sb_free(&p.text);
			return e;
		}
	}
	flush_text(f, &p);
	sb_free(&p.text);
	if (p.n == 1 && type_is(p.v[0]->type, T_STRING))
		return p.v[0];
	e->u.args = p.v;
	e->n = p.n;
	return e;
}

/* ---- the rest ---- */

static struct expr *fold_strict(struct folder *f, struct expr *e)
{
	struct valctx c = { f->m->arena, f->m->strs };
	struct expr **args = expr_args(e);
	uint32_t n = expr_arity(e);
	struct value small[8], *v = n <= 8 ? small : NULL, out;
	struct evalerr err = { 0 };
	int rc;

	for (uint32_t i = 0; i < n; i++)
		if (!is_lit(args[i]))
			return e->op == EX_CONCAT ? fold_concat(f, e) : e->op == EX_CONV && type_eq(args[0]->type, e->type) ? args[0] : e;
	if (!v)
		v = xmalloc(n * sizeof *v);
	for (uint32_t i = 0; i < n; i++)
		v[i] = *args[i]->u.lit;
	rc = eval_op(&c, e, v, &out, &err);
	if (v != small)
		free(v);
	if (rc) {
		diag_at(f->d, (enum diag_code)err.code, err.span, "%s", err.msg);
		f->rc = -1;
		return e;
	}
	return expr_lit(f->m->arena, &out, e->span);
}

/* Once operand 0 is folded: the operand that stands for the whole, -1 for operand 0 itself, -2 for "both are needed". */
static int decide(const struct expr *e)
{
	const struct expr *a = e->u.args[0];

	if (!is_lit(a))
		return -2;
	switch (e->op) {
	case EX_AND:
		return lit_is(a, true) ? 1 : lit_is(a, false) ? -1 : -2;
	case EX_OR:
		return lit_is(a, false) ? 1 : lit_is(a, true) ? -1 : -2;
	case EX_COND:
		return lit_is(a, true) ? 1 : lit_is(a, false) ? 2 : -2;
	default:
		return lit_null(a) ? 1 : -1;
	}
}

/* All operands are folded and operand 0 is not known. */
static struct expr *fold_lazy(const struct expr *e)
{
	struct expr *a = e->u.args[0], *b = e->u.args[1];

	if ((e->op == EX_AND && lit_is(b, true)) || (e->op == EX_OR && lit_is(b, false)) || (e->op == EX_COALESCE && lit_null(b)))
		return a;
	return NULL;
}

static bool is_lazy(const struct expr *e)
{
	return e->op == EX_COND || e->op == EX_COALESCE || e->op == EX_AND || e->op == EX_OR;
}

static void leave(struct folder *f, struct stack *s, struct expr *result)
{
	struct frame *fr = &s->v[s->n - 1];

	if (fr->e->op != EX_LIT && fr->e->op != EX_REF)
		ptrmap_put(&f->done, fr->e, result);
	f->folded += result != fr->e && is_lit(result);
	*fr->slot = result;
	s->n--;
}

/* The frame goes on with x in the place of its expression; x was folded where it stands. */
static void become(struct folder *f, struct stack *s, struct expr *x)
{
	struct frame *fr = &s->v[s->n - 1];

	leave(f, s, as_type(f, x, fr->e->type));
}

static void step_lazy(struct folder *f, struct stack *s)
{
	struct frame *fr = &s->v[s->n - 1];
	struct expr *e = fr->e, *same;
	int pick;

	if (fr->next == 0) {
		fr->next = 1;
		push(s, &e->u.args[0]);
		return;
	}
	pick = decide(e);
	if (pick == -1) {
		become(f, s, e->u.args[0]);
	} else if (pick > 0 && fr->next == 1) {
		fr->next = 2;
		push(s, &e->u.args[pick]);
	} else if (pick > 0) {
		become(f, s, e->u.args[pick]);
	} else if (fr->next < e->n) {
		push(s, &e->u.args[fr->next++]);
	} else {
		same = fold_lazy(e);
		become(f, s, same ? same : e);
	}
}

static void step(struct folder *f, struct stack *s)
{
	struct frame *fr = &s->v[s->n - 1];
	struct expr *e = fr->e, *r;

	if (e->op == EX_LIT) {
		s->n--;
		return;
	}
	if (e->op == EX_REF) {
		r = f->subst ? f->subst(f, e) : NULL;
		if (r) {
			*fr->slot = r;
			s->n--;
			push(s, fr->slot);
		} else {
			s->n--;
		}
		return;
	}
	if (fr->next == 0 && (r = ptrmap_get(&f->done, e))) {
		*fr->slot = r;
		s->n--;
		return;
	}
	if (is_lazy(e))
		step_lazy(f, s);
	else if (fr->next < expr_arity(e))
		push(s, &expr_args(e)[fr->next++]);
	else
		leave(f, s, fold_strict(f, e));
}

void fold_expr(struct folder *f, struct expr **slot)
{
	struct stack s = { 0 };

	if ((*slot)->op == EX_LIT)
		return;
	push(&s, slot);
	while (s.n)
		step(f, &s);
	free(s.v);
}
