/*
 * The syntax tree: what the parser saw, in source order, names unresolved.
 * Produced by src/front/parse*.c, one function per production of grammar/couler.ebnf;
 * read by the formatter (src/front/format.c) and by elaboration (include/couler/front.h).
 */
#ifndef COULER_AST_H
#define COULER_AST_H

#include "couler/diag.h"
#include "couler/expr.h"
#include "couler/token.h"
#include "couler/type.h"
#include "couler/vec.h"

/* ---- expressions ---- */

enum ast_expr_kind {
	AX_INT, AX_FLOAT, AX_BOOL, AX_NULL, AX_DURATION, AX_SIZE,           /* u.i, u.d (seconds, bytes), u.b */
	AX_STRING,                        /* u.str: escapes resolved, no interpolation; verbatim set for a block, dedented */
	AX_INTERP,                        /* args: AX_STRING pieces, none of them empty, and expressions; one of these is of kind AX_STRING only if it was written as a string */
	AX_NAME,                          /* name */
	AX_LIST, AX_MAP,                  /* args; map: entries in u.block (kind AS_ENTRY) */
	AX_MEMBER,                        /* args[0], name */
	AX_INDEX,                         /* args[0], args[1] */
	AX_CALL,                          /* args[0] is the callee (a name or a member); the arguments in u.call */
	AX_OP,                            /* op: one of EX_COND .. EX_NOT; args */
	AX_SOFT,                          /* `b?` in a list: args[0] */
	AX_ERROR                          /* a place that did not parse; reported already */
};

struct ast_arg { const struct str *name; struct span name_span; struct ast_expr *value; };   /* name NULL: by position */

struct ast_expr {
	uint8_t kind;                     /* enum ast_expr_kind */
	uint8_t op;                       /* enum expr_op for AX_OP */
	uint8_t height;                   /* of the tree below it, 0 for a leaf: recursion over an expression is bounded by 256 */
	bool verbatim : 1;                /* AX_STRING from a verbatim block */
	bool paren : 1;                   /* stands in parentheses, which its span does not hold */
	uint32_t n;                       /* args */
	struct span span;
	struct span name_span;            /* AX_MEMBER: of the member */
	const struct str *name;
	struct ast_expr **args;
	union {
		int64_t i;
		double d;
		bool b;
		const struct str *str;
		struct ast_block *block;
		struct { struct ast_arg *v; uint32_t n; } call;
	} u;
};

/* ---- statements ---- */

/* kind, keyword (NULL: none) */
#define AST_STMTS(X) \
	X(IMPORT, "import") X(STORE, "store") X(TASK, "task") X(WORKFLOW, "workflow") X(PARAM, "param") X(LET, "let") X(VOLUME, "volume") \
	X(DEFAULTS, "defaults") X(STEP, "step") X(SWEEP, "sweep") X(LOOP, "loop") X(IF, "if") X(FOR, "for") X(WAIT, "wait") X(APPROVE, "approve") \
	X(SERVICE, "service") X(FAIL, "fail") X(ON, "on") X(IN, "in") X(OUT, "out") X(STATE, "state") X(WHILE, "while") X(NEXT, "next") \
	X(ASK, "ask") X(JOB, "job") X(SOURCE, "source") X(OP, "op") X(TRAINER, "trainer") \
	X(ENTRY, NULL)                    /* key = value, key { ... }: an attribute, a map entry */ \
	X(ERROR, NULL)

enum ast_stmt_kind {
#define X(k, s) AS_##k,
	AST_STMTS(X)
#undef X
	AS_COUNT
};

struct ast_block {
	struct span span;                 /* with its braces */
	struct ast_stmt **v;
	uint32_t n;
	bool one_line;                    /* as written: kept by the formatter where it fits */
};

/* `NAME [: TYPE] [named S] [to E] [at S] [= VALUE] [in LIST]` */
struct ast_decl {
	struct type type;                 /* kind T_NONE: left out */
	bool is_stdout;                   /* = stdout; value is NULL */
	struct span type_span;
	struct ast_expr *named, *to, *at, *value, *in;                      /* NULL: not given */
};

struct ast_stmt {
	uint8_t kind;                     /* enum ast_stmt_kind */
	bool quoted;                      /* ENTRY: the key was a string */
	bool assigned;                    /* ENTRY with a map: written `key = { }`, else `key { }` */
	struct span span;                 /* all of it */
	struct span head;                 /* keyword and name, for diagnostics */
	struct span name_span, name2_span;
	const struct str *name;           /* step, task, ...; import: its alias; entry: the key; for: the item; on: the event; job: the kind */
	const struct str *name2;          /* for i, x: the index is name, the item is name2; NULL without an index */
	struct ast_decl *decl;            /* param, in, out, state, ask */
	struct ast_expr *value;           /* let, entry; if, while: condition; for: list; step, sweep: the call; fail: message; import: path; source: split(x) */
	struct ast_block *body;           /* NULL: none; next: its entries */
	struct ast_stmt *else_;           /* if: AS_IF for `else if`; a final else is an AS_IF without value */
};

struct ast_file {
	uint32_t source;                  /* of diag */
	struct ast_block *top;            /* without braces */
	struct comment *comments;
	uint32_t ncomments;
};

/*
 * Parses a source, whose text has a NUL after it; never NULL, errors in d.
 * What was written wrong is an AX_ERROR, an AS_ERROR or left out; what is there is whole: names, bodies, calls
 * and conditions that a statement must have are never NULL, and blocks and expressions are nested at most 256 deep.
 */
struct ast_file *parse(struct arena *a, struct strtab *strs, struct diag *d, uint32_t source);

/* Canonical text of a file that parsed without errors: comments kept, idempotent. */
void format_ast(const struct ast_file *f, const struct diag *d, struct strbuf *out);

/* Indented text for --dump=tokens,ast. */
void dump_tokens(const struct diag *d, uint32_t source, struct strbuf *out);
void dump_ast(const struct ast_file *f, struct strbuf *out);

#endif
