/*
 * Tokens of a .cw text (src/front/lex.c; docs/language.md, "Lexical rules").
 *
 * The lexer is pulled by the parser, one token at a time, and never allocates for plain
 * tokens: a token is a span with its kind. Strings with interpolation come as one
 * TOK_STRING whose parts the parser reads by lexing again inside the span.
 */
#ifndef COULER_TOKEN_H
#define COULER_TOKEN_H

#include "couler/diag.h"

/* kind, what a message calls it */
#define TOKENS(X) \
	X(EOF, "the end of the file") X(NEWLINE, "a new line") X(NAME, "a name") X(INT, "a number") X(FLOAT, "a number") \
	X(DURATION, "a duration") X(SIZE, "a size") X(STRING, "a string") X(VERBATIM, "a verbatim block") \
	X(LBRACE, "'{'") X(RBRACE, "'}'") X(LBRACK, "'['") X(RBRACK, "']'") X(LPAREN, "'('") X(RPAREN, "')'") \
	X(SEMI, "';'") X(COMMA, "','") X(COLON, "':'") X(DOT, "'.'") X(ASSIGN, "'='") \
	X(QUESTION, "'?'") X(COALESCE, "'\?\?'") X(OR, "'||'") X(AND, "'&&'") \
	X(EQ, "'=='") X(NE, "'!='") X(LT, "'<'") X(LE, "'<='") X(GT, "'>'") X(GE, "'>='") \
	X(PLUS, "'+'") X(MINUS, "'-'") X(STAR, "'*'") X(SLASH, "'/'") X(PERCENT, "'%'") X(NOT, "'!'") \
	X(BAD, "a character that .cw does not have")

enum token_kind {
#define X(k, s) TOK_##k,
	TOKENS(X)
#undef X
	TOK_COUNT
};

struct token {
	uint8_t kind;
	bool nl_before;                   /* a newline stands between the token before and this one */
	bool interp;                      /* TOK_STRING: holds a ${ */
	bool escapes;                     /* TOK_STRING: holds a backslash */
	uint32_t off, len;
};

struct comment { uint32_t off, len; bool own_line; };   /* with '#', without the line end */

const char *token_words(enum token_kind k);

#endif
