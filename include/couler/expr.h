/*
 * Expressions of the IR: typed trees. Every engine evaluates them with the same
 * result; eval() is the reference (docs/values.md).
 */
#ifndef COULER_EXPR_H
#define COULER_EXPR_H

#include "couler/value.h"

struct node;

/* op, spelling, precedence (0: not an infix operator), operands (-1: n) */
#define EXPR_OPS(X) \
	X(LIT, "", 0, 0) X(REF, "", 0, 0) \
	X(LIST, "[]", 0, -1) \
	X(MAP, "{}", 0, -1)           /* key, value, key, value: a json object; keys are string literals */ \
	X(CONCAT, "\"\"", 0, -1)      /* interpolation: each operand's text, joined */ \
	X(COND, "?:", 1, 3) X(COALESCE, "?" "?", 2, 2) X(OR, "||", 3, 2) X(AND, "&&", 4, 2) \
	X(EQ, "==", 5, 2) X(NE, "!=", 5, 2) X(LT, "<", 5, 2) X(LE, "<=", 5, 2) X(GT, ">", 5, 2) X(GE, ">=", 5, 2) X(IN, "in", 5, 2) \
	X(ADD, "+", 6, 2) X(SUB, "-", 6, 2) X(MUL, "*", 7, 2) X(DIV, "/", 7, 2) X(MOD, "%", 7, 2) \
	X(NEG, "-", 8, 1) X(NOT, "!", 8, 1) \
	X(MEMBER, ".", 9, 1)          /* json member: key in u.key */ \
	X(INDEX, "[]", 9, 2) \
	X(CALL, "()", 9, -1)          /* function in fn */ \
	X(CONV, "", 9, 1)             /* implicit: operand to .type (int to float, json to a checked type, string to a location) */

enum expr_op {
#define X(o, s, p, n) EX_##o,
	EXPR_OPS(X)
#undef X
	EX_COUNT
};

/* function, least and most arguments (-1: any), signature and result for docs; types are checked in sema */
#define EXPR_FNS(X) \
	X(len, 1, 1, "len(list | string | json)", "int; a string counts code points") \
	X(range, 1, 2, "range(a, b), range(b)", "list<int> from a up to and without b") \
	X(min, 1, -1, "min(list), min(a, b, ...)", "the least number") \
	X(max, 1, -1, "max(list), max(a, b, ...)", "the greatest number") \
	X(sum, 1, 1, "sum(list)", "number") \
	X(mean, 1, 1, "mean(list)", "float") \
	X(argmin, 1, 1, "argmin(list)", "int: index of the first least number") \
	X(argmax, 1, 1, "argmax(list)", "int: index of the first greatest number") \
	X(index_of, 2, 2, "index_of(list, x)", "int: index of the first x, -1 if absent") \
	X(present, 1, 1, "present(T?)", "bool: the value is not absent") \
	X(str, 1, 1, "str(x)", "string") \
	X(int, 1, 1, "int(x)", "int: of text like \"07\", truncates a float") \
	X(float, 1, 1, "float(x)", "float") \
	X(bool, 1, 1, "bool(x)", "bool: of \"true\" or \"false\"") \
	X(json, 1, 1, "json(x)", "json") \
	X(parse_json, 1, 1, "parse_json(string)", "json") \
	X(join, 2, 2, "join(list<string>, sep)", "string") \
	X(split, 2, 2, "split(string, sep)", "list<string>") \
	X(basename, 1, 1, "basename(string)", "string: last component of a path with /") \
	X(dirname, 1, 1, "dirname(string)", "string") \
	X(contains, 2, 2, "contains(string | list, x)", "bool") \
	X(starts_with, 2, 2, "starts_with(s, p)", "bool") \
	X(ends_with, 2, 2, "ends_with(s, p)", "bool") \
	X(lower, 1, 1, "lower(s)", "string; ASCII only") \
	X(upper, 1, 1, "upper(s)", "string; ASCII only") \
	X(replace, 3, 3, "replace(s, old, new)", "string: every old replaced") \
	X(pad, 2, 3, "pad(x, width, fill = \" \")", "string: filled on the left") \
	X(format_time, 2, 3, "format_time(t, format, zone = \"UTC\")", "string: %Y %m %d %H %M %S %j %u %%") \
	X(file, 1, 2, "file(location, sha256 = s)", "file: a location, its content pinned")

enum expr_fn {
#define X(f, lo, hi, sig, res) FN_##f,
	EXPR_FNS(X)
#undef X
	FN_COUNT
};
struct expr_fn_info { const char *name; int lo, hi; const char *sig, *result; };
extern const struct expr_fn_info expr_fns[FN_COUNT];
struct expr_op_info { const char *name, *spelling; int prec, n; };
extern const struct expr_op_info expr_ops[EX_COUNT];

/* workflow.FIELD */
#define WORKFLOW_FIELDS(X) \
	X(name, STRING, 0, 0) X(run_id, STRING, 0, 0) X(start_time, TIME, 0, 0) X(scheduled_time, TIME, 0, 1) X(url, STRING, 0, 1) \
	X(status, STRING, 0, 0) X(failed_steps, STRING, 1, 0)              /* the last two in `on` blocks only */
enum workflow_field {
#define X(f, k, list, opt) WF_##f,
	WORKFLOW_FIELDS(X)
#undef X
	WF_COUNT
};
extern const struct workflow_field_info { const char *name; struct type type; } workflow_fields[WF_COUNT];

/* What a reference reads. node: a node of this graph or of a graph around it. */
enum ref_kind {
	REF_PARAM,                        /* port: parameter of the workflow that holds the expression */
	REF_OUTPUT,                       /* node, port: output port of the node */
	REF_STATUS,                       /* node: "succeeded", "failed", "skipped" */
	REF_EXIT_CODE,                    /* node */
	REF_INPUT,                        /* port: input of the step that holds the expression */
	REF_OUTPATH,                      /* port: path of an output of this step (in `command`) */
	REF_ENV,                          /* port: env variable of this step, by index into attrs.env (in `command`) */
	REF_ITEM, REF_INDEX,              /* node: a `for` around; element and its index */
	REF_STATE,                        /* node: a `loop` around, port: its state */
	REF_ARG,                          /* node: a sweep around, port: an argument of its space */
	REF_FIELD,                        /* port: enum workflow_field */
	REF_COUNT
};

struct expr {
	uint8_t op;                       /* enum expr_op */
	uint8_t fn;                       /* EX_CALL: enum expr_fn; EX_REF: enum ref_kind */
	struct type type;
	uint32_t n;                       /* operands; EX_REF: the port */
	struct span span;
	union {
		const struct value *lit;
		struct expr **args;
		struct node *node;            /* EX_REF */
		struct { struct expr *arg; const struct str *key; } member;
	} u;
};

struct expr *expr_lit(struct arena *a, const struct value *v, struct span sp);
struct expr *expr_new(struct arena *a, enum expr_op op, struct type t, struct span sp, uint32_t n);   /* u.args made, empty */
struct expr *expr_ref(struct arena *a, enum ref_kind k, struct node *node, uint32_t port, struct type t, struct span sp);
bool expr_is_const(const struct expr *e);                              /* a literal */
uint32_t expr_arity(const struct expr *e);                             /* operands of any op, EX_MEMBER included */
struct expr **expr_args(struct expr *e);                               /* their place; NULL if none */
/* Calls f on every EX_REF below e; iterative. */
void expr_refs(struct expr *e, void (*f)(struct expr *ref, void *data), void *data);

/*
 * Evaluation. The callback gives the value of a reference: 0 and *out (T_NULL for
 * an absent one), 1 for "not known yet" (eval gives 1), -1 after setting *err.
 * Result 0, 1, or -1 with err: message in the arena, span of the operand at fault.
 */
struct evalerr { const char *msg; struct span span; int code; };       /* code: CW07xx */
struct evalctx {
	struct valctx c;
	int (*ref)(struct evalctx *x, const struct expr *ref, struct value *out, struct evalerr *err);
	void *data;
};
int eval(struct evalctx *x, const struct expr *e, struct value *out, struct evalerr *err);

/* What no result may exceed. */
#define EVAL_STRING_MAX (16u << 20)      /* bytes */
#define EVAL_LIST_MAX 1000000u           /* elements */
#define EVAL_STEPS_MAX 20000000u         /* operations of one eval */

/* One operation on evaluated operands: what eval and the folder share. */
int eval_op(struct valctx *c, const struct expr *e, const struct value *args, struct value *out, struct evalerr *err);

/* A value to a type, as EX_CONV does it: json to scalars with a check, int to float, string to file or dir. */
int value_convert(struct valctx *c, const struct value *v, struct type to, struct value *out, const char **err);

/*
 * Prints e as .cw source (for remarks, errors, graph labels) with the parentheses it needs. w and n: workflow and node
 * that hold it, NULL where unknown: parameters and inputs are then numbered.
 */
struct ir_workflow;
void expr_write(struct strbuf *b, const struct expr *e);
void expr_write_in(struct strbuf *b, const struct expr *e, const struct ir_workflow *w, const struct node *n);
void value_write(struct strbuf *b, const struct value *v);             /* a literal of the source */

#endif
