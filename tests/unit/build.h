/* Expressions made by hand, for tests of evaluation and passes. */
#ifndef TEST_BUILD_H
#define TEST_BUILD_H

#include <check.h>
#include <string.h>

#include "couler/ir.h"

struct made { struct arena *a; struct strtab *strs; struct valctx c; uint32_t at; };

static inline struct made made_new(void)
{
	struct made m = { .a = arena_new(), .at = 1 };

	m.strs = strtab_new(m.a);
	m.c = (struct valctx){ m.a, m.strs };
	return m;
}

static inline struct span made_span(struct made *m)
{
	return (struct span){ 1, m->at++, 1 };
}

static inline struct expr *lit(struct made *m, struct value v)
{
	return expr_lit(m->a, &v, made_span(m));
}

static inline struct expr *I(struct made *m, int64_t i)
{
	return lit(m, (struct value){ .type = type_of(T_INT), .u.i = i });
}

static inline struct expr *F(struct made *m, double d)
{
	return lit(m, (struct value){ .type = type_of(T_FLOAT), .u.d = d });
}

static inline struct expr *B(struct made *m, bool b)
{
	return lit(m, (struct value){ .type = type_of(T_BOOL), .u.b = b });
}

static inline struct expr *S(struct made *m, const char *s)
{
	return lit(m, (struct value){ .type = type_of(T_STRING), .u.s = str_internz(m->strs, s) });
}

static inline struct expr *D(struct made *m, double sec)
{
	return lit(m, (struct value){ .type = type_of(T_DURATION), .u.d = sec });
}

static inline struct expr *T(struct made *m, const char *s)
{
	struct value v = { .type = type_of(T_TIME) };

	ck_assert_int_eq(time_parse(s, strlen(s), &v.u.t.sec, &v.u.t.nsec), 0);
	return lit(m, v);
}

static inline struct expr *J(struct made *m, const char *s)
{
	struct value v = { .type = type_of(T_JSON) };
	const char *err;
	size_t at;

	v.u.j = json_parse(&m->c, s, strlen(s), &err, &at);
	ck_assert_ptr_nonnull(v.u.j);
	return lit(m, v);
}

static inline struct expr *Null(struct made *m)
{
	return lit(m, (struct value){ .type = type_of(T_NULL) });
}

/* A value as it came from outside: with its text. */
static inline struct expr *Out(struct made *m, struct type t, const char *s)
{
	struct value v;
	const char *err;

	ck_assert_msg(!value_parse(&m->c, t, s, strlen(s), true, &v, &err), "%s", s);
	return lit(m, v);
}

static inline struct expr *op(struct made *m, enum expr_op o, struct type t, uint32_t n, struct expr **args)
{
	struct expr *e = expr_new(m->a, o, t, made_span(m), n);

	if (n)
		memcpy(e->u.args, args, n * sizeof *args);
	return e;
}

#define ARGS(...) (uint32_t)(sizeof((struct expr *[]){ __VA_ARGS__ }) / sizeof(struct expr *)), (struct expr *[]){ __VA_ARGS__ }
#define OP(m, o, kind, ...) op((m), EX_##o, type_of(T_##kind), ARGS(__VA_ARGS__))
#define LIST(m, kind, ...) op((m), EX_LIST, type_list(T_##kind), ARGS(__VA_ARGS__))

static inline struct expr *call(struct made *m, enum expr_fn fn, struct type t, uint32_t n, struct expr **args)
{
	struct expr *e = op(m, EX_CALL, t, n, args);

	e->fn = (uint8_t)fn;
	return e;
}

#define CALL(m, f, kind, ...) call((m), FN_##f, type_of(T_##kind), ARGS(__VA_ARGS__))

static inline struct expr *member(struct made *m, struct expr *x, const char *key, struct type t)
{
	struct expr *e = expr_new(m->a, EX_MEMBER, t, made_span(m), 1);

	e->u.member.arg = x;
	e->u.member.key = str_internz(m->strs, key);
	return e;
}

#endif
