/*
 * Lexer and parser: what their files share.
 *
 * lex.c         the next token of a text
 * lex_error.c   what is wrong with a TOK_BAD
 * literal.c     values of literals: numbers, strings, verbatim blocks
 * parse.c       files, blocks, which statement stands where, recovery
 * parse_stmt.c  statements
 * parse_decl.c  declarations and types
 * parse_expr.c  expressions
 * spelling.c    wrong spellings that the parser meets: words of other languages
 *
 * A function parse_X parses the production X of grammar/couler.ebnf, which stands above it.
 * It returns NULL after it has reported an error, and leaves the place to its caller, which
 * skips to where the next entry starts: one mistake gives one error. What could be read in
 * spite of a mistake is returned as if it had been written right.
 */
#ifndef COULER_PARSE_H
#define COULER_PARSE_H

#include "couler/ast.h"

enum { PARSE_DEPTH = 256 };               /* nested blocks and expressions, together; height of an expression tree */

/* ---- lexer ---- */

struct lexer {
	const char *s;                    /* the whole text; a NUL stands after it */
	uint32_t pos, end;                /* next byte; where the text, or the ${ } that is read, ends */
	bool inside;                      /* of ${ }: no comments, no verbatim blocks */
	struct arena *a;
	VEC(struct comment) comments;
};

/* The next token. Never fails: what is no token is TOK_BAD, for lex_error to explain. */
void lex(struct lexer *l, struct token *t);

/* Position after the closing quote of a string whose text starts at i, 0 if there is none on its line. */
uint32_t lex_string_end(const char *s, uint32_t i, unsigned depth, bool *interp, bool *escapes);
/* Position after the '}' of a ${ whose expression starts at i, 0 if there is none on its line. */
uint32_t lex_interp_end(const char *s, uint32_t i, unsigned depth);

static inline bool lex_is_name(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c >= '0' && c <= '9');
}

static inline bool lex_is_digit(unsigned char c)
{
	return c >= '0' && c <= '9';
}

/* ---- parser ---- */

/* Where a statement stands: name, what a message calls it */
#define BODIES(X) \
	X(FILE, "a file outside of any block") X(WORKFLOW, "a workflow") \
	X(IF, "the body of an 'if'") X(FOR, "the body of a 'for'") X(LOOP, "the body of a 'loop'") X(ON, "an 'on' block") \
	X(ON_IF, "an 'if' inside an 'on' block") X(ON_FOR, "a 'for' inside an 'on' block") \
	X(TASK, "a task") X(STEP, "a step") X(CALL, "the block of a call") X(SWEEP, "the block of a sweep") X(DEFAULTS, "'defaults'") \
	X(WAIT, "a wait") X(APPROVE, "an approve") X(SERVICE, "a service") X(FAIL, "the block of a fail") X(STORE, "a store") \
	X(VOLUME, "a volume") X(NEXT, "'next'") X(JOB, "a job") X(DATAFLOW, "a dataflow") X(OP, "an op") X(TRAINER, "a trainer") X(MAP, "a map")

enum body {
#define X(p, words) IN_##p,
	BODIES(X)
#undef X
	IN_COUNT
};

/* A block whose '}' has not been read. */
struct open_block {
	enum body in;
	uint32_t off;                     /* of its '{' */
	const struct open_block *up;      /* around it, NULL for the file */
};

enum { WORD_SLOTS = 128 };

struct parser {
	struct arena *a;
	struct strtab *strs;
	struct diag *d;
	struct lexer lx;
	struct token t;                   /* the current token: read, not yet taken */
	uint32_t file;
	uint32_t last;                    /* end of the token taken last */
	unsigned depth;
	unsigned lost;                    /* '}' that a string without end took with it: their lack is no further error */
	uint32_t torn;                    /* where the last such string starts */
	bool condition;                   /* in a condition: '=' means '==' */
	bool dead;                        /* the rest of the text is skipped: nested too deep, or a verbatim block without end; reported */
	bool adrift;                      /* a statement outside of its workflow was reported: one '}' too many before it */
	char *scratch;                    /* stack of what lists have gathered so far; on the heap */
	size_t nscratch, cap;
	struct strbuf buf;                /* for strings with escapes */
	const struct open_block *open;
	uint8_t words[WORD_SLOTS];        /* keywords by a hash: enum ast_stmt_kind plus 1, 0 for none */
	const struct str *word_true, *word_false, *word_null;
};

static inline struct span span_at(const struct parser *p, uint32_t from, uint32_t to)
{
	return (struct span){ p->file, from, to - from };
}

static inline struct span span_tok(const struct parser *p, const struct token *t)
{
	return (struct span){ p->file, t->off, t->len };
}

static inline void next(struct parser *p)
{
	p->last = p->t.off + p->t.len;
	lex(&p->lx, &p->t);
}

/* The current token is of this kind and on the line of the one before. */
static inline bool here(const struct parser *p, enum token_kind k)
{
	return p->t.kind == k && !p->t.nl_before;
}

/* The current entry can end here: a separator, a closing bracket or the end stands next. */
static inline bool at_end_of_entry(const struct parser *p)
{
	enum token_kind k = (enum token_kind)p->t.kind;

	return p->t.nl_before || k == TOK_SEMI || k == TOK_COMMA || k == TOK_RBRACE || k == TOK_RPAREN || k == TOK_RBRACK || k == TOK_EOF;
}

bool tok_is(const struct parser *p, const struct token *t, const char *word);   /* a name with this text */
const struct str *tok_str(struct parser *p, const struct token *t);             /* its text, interned */
/* The first byte after the token t and blanks, without taking anything. */
char after_token(const struct parser *p, const struct token *t, uint32_t *at);

/* Gathering: push onto the scratch stack, then take what lies above a mark into the arena. */
void scratch_push(struct parser *p, const void *x, size_t size);
void *scratch_take(struct parser *p, size_t mark, size_t size, uint32_t *n);

/* One level deeper; false after an error once PARSE_DEPTH is reached, and then everything up to the end is skipped. */
bool parse_enter(struct parser *p);
void parse_leave(struct parser *p);
/* After errors: true if all of them may come of a verbatim block that was left open, which is then the one error since mark. */
bool lex_blame_verbatim(struct parser *p, const char *text, uint32_t end, struct diag_mark mark);
void parse_too_deep(struct parser *p, struct span sp);

/* An error; after PARSE_DEPTH was reached the rest of the text is not read, and nothing more is reported. */
#define MISTAKE(p, code, sp, ...) ((p)->dead ? arena_new_of((p)->a, struct diag_item) : diag_at((p)->d, code, sp, __VA_ARGS__))

/* Reports what stands at the current token in the place of what was expected. */
struct diag_item *parse_unexpected(struct parser *p, const char *expected);
/* "'name'", "a string", ..., for messages: in p's arena. */
const char *tok_words(struct parser *p, const struct token *t);

/* A statement or an entry starts at the current token, first on its line: what a bracket that was left open must not swallow. */
bool starts_statement(const struct parser *p);
bool starts_keyword(const struct parser *p);                          /* no mere NAME = VALUE, which an argument is, too */

/* To where the entry that started at from ends: a separator, a new line or a closing bracket. Takes at least what stands at from. */
void skip_entry(struct parser *p, uint32_t from);

/* lex_error.c: reports what is wrong with the current token, a TOK_BAD. */
void lex_error(struct parser *p, const struct token *t);

/* literal.c */
struct ast_expr *parse_literal(struct parser *p);                     /* the current INT, FLOAT, DURATION, SIZE, STRING, VERBATIM */

/* parse.c */
struct ast_block *parse_block(struct parser *p, enum body in);    /* the current '{' */
/* A '{' on this line and its block; reports its lack and looks for it. NULL without one. */
struct ast_block *parse_body(struct parser *p, enum body in, const char *head);
/* The value after the '=' of what is called so. */
struct ast_expr *parse_value(struct parser *p, const char *of);
struct ast_stmt *stmt_new(struct parser *p, enum ast_stmt_kind kind, const struct token *head);
bool stands_in(enum ast_stmt_kind kind, enum body in);

/* parse_stmt.c: the statement whose keyword, head, was taken */
struct ast_stmt *parse_statement_of(struct parser *p, enum ast_stmt_kind kind, enum body in, const struct token *head);

/* parse_decl.c */
struct ast_decl *parse_declaration(struct parser *p, enum ast_stmt_kind kind, enum body in, const struct str *name);
bool parse_type(struct parser *p, struct type *t, struct span *sp);
bool parse_name(struct parser *p, const char *what, const struct str **name, struct span *sp);

/* parse_expr.c */
struct ast_expr *parse_expression(struct parser *p);
struct ast_expr *parse_default(struct parser *p);                     /* above the level of comparison */
struct ast_expr *parse_unary(struct parser *p);
struct ast_expr *expr_make(struct parser *p, enum ast_expr_kind kind, uint32_t from);
struct ast_expr *parse_map(struct parser *p, enum body in);
bool at_value(const struct parser *p);                                /* a value may start at the current token */
bool expr_above(struct parser *p, struct ast_expr *e, const struct ast_expr *child);   /* e's height over child; false where it is too high */

/* spelling.c */
/*
 * An operator of another language at the current token, in operator place (and, or, =, &, is, not in ...).
 * Reports it, takes it and gives the operator that it means; EX_COUNT: none, or none that binds as tightly as prec.
 */
enum expr_op wrong_operator(struct parser *p, unsigned prec);
void wrong_operator_tail(struct parser *p, const struct token *op);   /* the third character of ===, !==, the second * of ** */
bool wrong_prefix(struct parser *p);                                  /* 'not' before a value: reported, taken */
bool compound_assignment(const struct parser *p);                     /* the current token and the '=' after it: += */
bool wrong_before_block(struct parser *p);                            /* then, do, ':' before a '{': reported, taken */
bool wrong_word(const struct parser *p, const struct token *head);    /* wrong_statement has a message of its own for it */
/* A statement that starts with the word head, which was taken, and that .cw does not have; reports and skips it. */
void wrong_statement(struct parser *p, enum body in, const struct token *head);
/* How .cw spells a type of another language, NULL: not known. */
const char *right_type(const char *s, uint32_t n);

#endif
