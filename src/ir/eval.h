/* One operation at work: shared by eval.c (the machine), eval_op.c (operators) and eval_fn*.c (functions). */
#ifndef COULER_EVAL_H
#define COULER_EVAL_H

#include "couler/expr.h"

struct op {
	struct valctx *c;
	const struct expr *e;
	const struct value *v;            /* operands */
	uint32_t n;
	struct value *out;
	struct evalerr *err;
};

/* Sets the error at operand arg (-1: the whole expression); returns -1. */
int op_error(struct op *o, int arg, enum diag_code code, const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Each sets the result: 0, or -1 where it breaks a rule of values. */
int op_int(struct op *o, int64_t i);                                   /* within ±(2^53 - 1) */
int op_float(struct op *o, enum type_kind k, double d);                /* float or duration: finite */
int op_bool(struct op *o, bool b);
int op_string(struct op *o, const char *s, size_t n);                  /* at most EVAL_STRING_MAX */
int op_buf(struct op *o, struct strbuf *b);                            /* the same, and frees b */
int op_list(struct op *o, enum type_kind k, const struct value *v, uint32_t n);

double op_num(const struct value *v);                                  /* of an int or a float */
bool op_is_num(const struct value *v);
/* What "${x}" and str(x) give: the text, of a json string its characters. */
void op_text(struct strbuf *b, const struct value *v);
const char *op_kind(struct op *o, const struct value *v);              /* "a string", for messages; in the arena */
/* -1, 0, 1; 2 where one of them is NaN; -2 after an error: they have no order. */
int op_compare(struct op *o, const struct value *a, const struct value *b);

int op_call(struct op *o);
int op_call_string(struct op *o);

#endif
