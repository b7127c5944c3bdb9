/*
 * Expressions of the IR as expr-lang, the language of {{=...}} and valueFrom.expression.
 *
 * Every parameter of Argo is a string. A value of the IR is written either as its text, in the form of a parameter
 * (argo.h), or natively: an int or a float as a number, a string decoded, a time as a time, json as lists and maps.
 */
#ifndef ARGO_XL_H
#define ARGO_XL_H

#include "argo.h"

enum prec { P_OPEN, P_OR = 10, P_AND = 15, P_CMP = 20, P_ADD = 30, P_MUL = 60, P_UNARY = 90, P_ATOM = 100 };

struct ex {
	const char *s;
	uint8_t prec;
	uint8_t form;                     /* of a text */
	bool nil;                         /* may be nil: the output of a task that was skipped */
	bool null;                        /* may be ABSENT */
	bool tag;                         /* a path that {{...}} can name as it stands */
};

/* Where an expression stands. */
struct site {
	struct argo *g;
	struct ctx *c;                    /* the DAG template around it */
	const struct node *self;          /* in the template of this step: references to its inputs; NULL */
	const struct shape *shape;
	const struct cond *cond;          /* of the task that holds it: outputs of the same branches are there */
	bool manifest;                    /* in the text of a manifest, where a value must be a string */
	bool outputs;                     /* valueFrom.expression, fromExpression: workflow.* does not exist there */
	uint32_t lets;                    /* names given out */
	uint32_t rung;                    /* in the arguments of a trial: of a sweep by halving */
};

/* ---- expr.c ---- */
struct ex xl_native(struct site *x, const struct expr *e);
/* The text of e in form want (FORM_ANY: in its own, which is in the result). An optional may be nil or ABSENT. */
struct ex xl_text(struct site *x, const struct expr *e, enum form want);
enum form xl_form(struct site *x, const struct expr *e);               /* what xl_text gives best */
struct ex xl_bool(struct site *x, const struct expr *e);
/* A value that a parameter holds, natively. */
struct ex xl_of_text(struct site *x, struct type t, struct ex text);
/* Its presence, as a bool. */
struct ex xl_present(struct site *x, const struct expr *e);
/* The condition of all branches around a node of this context; s NULL: none. */
struct ex xl_cond(struct site *x, const struct cond *c);
/* An optional as a parameter: nil becomes ABSENT. */
struct ex xl_sealed(struct site *x, struct ex e);

struct ex ex_f(struct site *x, int prec, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
struct ex ex_let(struct site *x, const char *fmt, ...) __attribute__((format(printf, 2, 3)));  /* in its parentheses */
const char *xl_bare(struct site *x, const char *s);                    /* without them, for a place of its own */
/* head(...) around all of s: what stands in it; NULL otherwise. */
const char *inside_call(struct site *x, const char *s, const char *head);
const char *xl_unlet(struct argo *g, const char *s);                   /* unlet.c: for {{=...}}, where `let` must not stand */
const char *ex_in(struct site *x, struct ex e, int prec);              /* in parentheses if it binds weaker than prec */
const char *xl_fail(struct site *x, int code, struct span sp, const char *msg);
const char *xl_let(struct site *x);                                    /* a fresh name */
struct ex xl_decode(struct site *x, struct ex text);                   /* T: the string */
struct ex xl_encode(struct site *x, struct ex native);                 /* a string: T */
struct ex xl_lit_text(struct site *x, const struct value *v, enum form want);
struct ex xl_lit(struct site *x, const struct value *v);               /* natively */
/* The text of a constant as a parameter holds it. */
void xl_lit_param(struct strbuf *b, const struct value *v, enum form want);
void xl_json(struct strbuf *b, const struct json *j);                  /* as an expr-lang literal */
/* Text of a natively computed value. */
struct ex xl_to_text(struct site *x, struct type t, struct ex native, enum form want);

/* ---- expr_fn.c ---- */
struct ex xl_call(struct site *x, const struct expr *e);
enum form xl_call_form(struct site *x, const struct expr *e);
struct ex xl_arith(struct site *x, const struct expr *e);

/* ---- record.c ---- */
/* The `for` on whose element e depends, over a literal list and on nothing else; NULL. */
const struct node *record_of(const struct expr *e);
const struct value *record_values(struct argo *g, const struct expr *e, const struct node *f); /* by element; NULL: not for all */
enum form record_form(struct argo *g, const struct expr *e, const struct node *f);
struct ex record_text(struct site *x, const struct expr *e, const struct node *f, enum form want);

/* ---- ref.c ---- */
struct ex xl_captured(struct site *x, const struct expr *e);           /* as an input of this template */
#define COUNT_OF UINT32_C(0x80000000)     /* in the port of a reference to a list of files: its length */
struct ex files_count(struct site *x, const struct expr *list);
/* The text of what a reference reads. */
struct ex xl_ref(struct site *x, const struct expr *e);
enum form ref_form(struct argo *g, const struct ctx *c, const struct expr *e);
/* A value of a context around x->c as an input of it: its name. */
const char *capture(struct site *x, const struct expr *ref);
const char *ref_name(struct argo *g, const struct ctx *c, const struct expr *ref);      /* what an input for it is called */
const char *capture_at(struct argo *g, struct ctx *c);
/* Where the instances of this context keep their files: "" or "{{inputs.parameters.at}}/". */
const char *at_of(struct argo *g, struct ctx *c);
/* "succeeded", "failed", "skipped" of a node with a task in the context; held: "omitted" where a failure held it back */
struct ex xl_status(struct site *x, const struct node *n, bool held);

/* ---- on.c, shape.c, sweep.c ---- */
struct ex sweep_argument(struct site *x, const struct expr *ref);
const char *failed_steps(struct site *x);
struct ex on_output(struct site *x, const struct expr *ref);
struct ex shape_input(struct site *x, const struct expr *ref);

/* ---- values in YAML ---- */
/* What stands behind `value:` for expression e in form want: a constant, a tag, or {{=...}}. */
const char *value_of(struct site *x, const struct expr *e, enum form want);
const char *value_tag(struct site *x, struct ex text);                 /* of a text */

#endif
