/* Expressions. */
#include <string.h>

#include "parse.h"

/* Precedences, from the one table of operators. */
enum {
#define X(op, spelling, prec, n) PREC_##op = prec,
	EXPR_OPS(X)
#undef X
};

static const struct { uint8_t op, prec; } infix[TOK_COUNT] = {
#define X(tok, op) [TOK_##tok] = { EX_##op, PREC_##op },
	X(COALESCE, COALESCE) X(OR, OR) X(AND, AND) X(EQ, EQ) X(NE, NE) X(LT, LT) X(LE, LE) X(GT, GT) X(GE, GE)
	X(PLUS, ADD) X(MINUS, SUB) X(STAR, MUL) X(SLASH, DIV) X(PERCENT, MOD)
#undef X
};

struct ast_expr *expr_make(struct parser *p, enum ast_expr_kind kind, uint32_t from)
{
	struct ast_expr *e = arena_new_of(p->a, struct ast_expr);

	e->kind = (uint8_t)kind;
	e->span = span_at(p, from, p->last > from ? p->last : from);
	return e;
}

bool expr_above(struct parser *p, struct ast_expr *e, const struct ast_expr *child)
{
	if (e->height > child->height)
		return true;
	if (child->height + 1 >= PARSE_DEPTH) {
		parse_too_deep(p, child->span);
		return false;
	}
	e->height = (uint8_t)(child->height + 1);
	return true;
}

/* An operation on n operands, from the byte where it starts to the token taken last; NULL where its tree gets too high. */
static struct ast_expr *operation(struct parser *p, enum ast_expr_kind kind, uint32_t from, struct ast_expr *const *args, uint32_t n)
{
	struct ast_expr *e = expr_make(p, kind, from);

	e->args = arena_array(p->a, struct ast_expr *, n);
	e->n = n;
	for (uint32_t i = 0; i < n; i++) {
		e->args[i] = args[i];
		if (!expr_above(p, e, args[i]))
			return NULL;
	}
	return e;
}

bool at_value(const struct parser *p)
{
	switch (p->t.kind) {
	case TOK_NAME: case TOK_INT: case TOK_FLOAT: case TOK_DURATION: case TOK_SIZE: case TOK_STRING: case TOK_VERBATIM:
	case TOK_LBRACE: case TOK_LBRACK: case TOK_LPAREN: case TOK_MINUS: case TOK_NOT: case TOK_BAD:
		return true;
	default:
		return false;
	}
}

/* The closing bracket of the one at off. */
static bool close_bracket(struct parser *p, enum token_kind close, uint32_t off)
{
	struct diag_item *it;

	if (p->t.kind == close) {
		next(p);
		return true;
	}
	if (p->torn > off && !memchr(p->lx.s + off, '\n', p->torn - off))
		return false;             /* the string took it with it */
	it = MISTAKE(p, CW0105, span_at(p, off, off + 1), "this '%c' is not closed", p->lx.s[off]);
	diag_mend(p->d, it, "add the %s that belongs to it", token_words(close));
	if (p->t.kind != TOK_EOF)
		diag_note(p->d, it, span_tok(p, &p->t), "%s stands where %s was expected", tok_words(p, &p->t), token_words(close));
	return false;
}

/*
 * argument = [ NAME "=" ] expression
 */
static bool parse_argument(struct parser *p, struct ast_arg *arg)
{
	struct token t = p->t;
	uint32_t at = 0;
	char c = t.kind == TOK_NAME ? after_token(p, &t, &at) : '\0';
	struct diag_item *it;

	*arg = (struct ast_arg){ 0 };
	if ((c == '=' && p->lx.s[at + 1] != '=') || c == ':') {
		arg->name = tok_str(p, &t);
		arg->name_span = span_tok(p, &t);
		next(p);
		if (c == ':') {
			it = MISTAKE(p, CW0111, span_tok(p, &p->t), "an argument takes '=', not ':'");
			diag_mend(p->d, it, "write %s = ...", arg->name->s);
		}
		next(p);
	}
	arg->value = parse_expression(p);
	return arg->value;
}

/*
 * arguments = "(" [ argument { separator argument } ] [ separator ] ")"
 */
static bool parse_arguments(struct parser *p, struct ast_expr *call)
{
	uint32_t open = p->t.off, from;
	size_t mark = p->nscratch;
	struct ast_arg arg;

	next(p);
	for (;;) {
		while (p->t.kind == TOK_COMMA || p->t.kind == TOK_SEMI)
			next(p);
		if (p->t.kind == TOK_RPAREN || p->t.kind == TOK_RBRACE || p->t.kind == TOK_RBRACK || p->t.kind == TOK_EOF || starts_keyword(p))
			break;
		from = p->t.off;
		if (!parse_argument(p, &arg)) {
			skip_entry(p, from);
			continue;
		}
		scratch_push(p, &arg, sizeof arg);
		if (!expr_above(p, call, arg.value))
			break;
		if (at_end_of_entry(p))
			continue;
		parse_unexpected(p, "',' or ')'");
		skip_entry(p, from);
	}
	call->u.call.v = scratch_take(p, mark, sizeof arg, &call->u.call.n);
	return close_bracket(p, TOK_RPAREN, open);
}

/* After an element: takes the ','; false where the list ends or cannot go on. */
static bool more_elements(struct parser *p)
{
	struct diag_item *it;

	for (;;) {
		if (p->t.kind == TOK_COMMA) {
			next(p);
			return true;
		}
		if (p->t.kind == TOK_RBRACK || p->t.kind == TOK_RBRACE || p->t.kind == TOK_RPAREN || p->t.kind == TOK_EOF || starts_statement(p))
			return false;
		if ((p->t.nl_before && at_value(p)) || p->t.kind == TOK_SEMI) {
			it = MISTAKE(p, CW0102, span_at(p, p->last, p->last + 1), "a ',' is missing between the elements of a list");
			diag_mend(p->d, it, "inside [ ] only ',' separates, also at the end of a line");
			if (p->t.kind == TOK_SEMI)
				next(p);
			return true;
		}
		parse_unexpected(p, "',' or ']'");
		skip_entry(p, p->t.off);
	}
}

/*
 * list = "[" [ element { "," element } [ "," ] ] "]"
 * element = expression [ "?" ]
 */
static struct ast_expr *parse_list(struct parser *p)
{
	uint32_t open = p->t.off;
	struct ast_expr *e = expr_make(p, AX_LIST, open), *x;
	size_t mark = p->nscratch;
	bool fits = true;

	next(p);
	while (fits && p->t.kind != TOK_RBRACK && p->t.kind != TOK_EOF) {
		uint32_t from = p->t.off;

		x = parse_expression(p);
		if (x && here(p, TOK_QUESTION)) {
			next(p);
			x = operation(p, AX_SOFT, from, &x, 1);
		}
		if (x) {
			scratch_push(p, &x, sizeof x);
			fits = expr_above(p, e, x);
		} else {
			skip_entry(p, from);
		}
		if (!more_elements(p))
			break;
	}
	e->args = scratch_take(p, mark, sizeof x, &e->n);
	if (!close_bracket(p, TOK_RBRACK, open))
		return NULL;
	e->span.len = p->last - open;
	return e;
}

/*
 * map = "{" [ entry { separator entry } ] [ separator ] "}"
 */
struct ast_expr *parse_map(struct parser *p, enum body in)
{
	struct ast_expr *e = expr_make(p, AX_MAP, p->t.off);

	e->u.block = parse_block(p, in);
	e->span.len = e->u.block->span.len;
	for (uint32_t i = 0; i < e->u.block->n; i++)
		if (e->u.block->v[i]->value && !expr_above(p, e, e->u.block->v[i]->value))
			return NULL;
	return e;
}

/* "(" expression ")" */
static struct ast_expr *parse_parens(struct parser *p)
{
	uint32_t open = p->t.off;
	struct ast_expr *e;

	next(p);
	e = parse_expression(p);
	if (!e)
		return NULL;
	if (p->t.kind == TOK_COMMA) {
		struct diag_item *it = MISTAKE(p, CW0101, span_tok(p, &p->t), "parentheses hold one expression");

		diag_mend(p->d, it, "a list is written [a, b]");
		return NULL;
	}
	e->paren = true;
	return close_bracket(p, TOK_RPAREN, open) ? e : NULL;
}

static struct ast_expr *parse_word(struct parser *p)
{
	struct token t = p->t;
	const struct str *name = tok_str(p, &t);
	struct ast_expr *e;

	if (wrong_prefix(p))
		return parse_unary(p);
	next(p);
	e = expr_make(p, name == p->word_null ? AX_NULL : name == p->word_true || name == p->word_false ? AX_BOOL : AX_NAME, t.off);
	if (e->kind == AX_NAME)
		e->name = name;
	else
		e->u.b = name == p->word_true;
	return e;
}

/*
 * primary = literal | "true" | "false" | "null" | NAME | list | map | "(" expression ")"
 */
static struct ast_expr *parse_primary(struct parser *p)
{
	struct token t = p->t;
	struct diag_item *it;

	switch (t.kind) {
	case TOK_NAME:
		return parse_word(p);
	case TOK_INT: case TOK_FLOAT: case TOK_DURATION: case TOK_SIZE: case TOK_STRING: case TOK_VERBATIM:
		return parse_literal(p);
	case TOK_LBRACK:
		return parse_list(p);
	case TOK_LBRACE:
		return parse_map(p, IN_MAP);
	case TOK_LPAREN:
		return parse_parens(p);
	case TOK_BAD:
		if (!p->dead)
			lex_error(p, &t);
		next(p);
		return expr_make(p, AX_ERROR, t.off);
	case TOK_DOT:
		if (lex_is_digit((unsigned char)p->lx.s[t.off + 1])) {
			next(p);
			it = MISTAKE(p, CW0005, span_at(p, t.off, p->t.off + p->t.len), "a number starts with a digit");
			diag_mend(p->d, it, "write 0.%.*s", (int)p->t.len, p->lx.s + p->t.off);
			next(p);
			return expr_make(p, AX_ERROR, t.off);
		}
		/* fall through */
	default:
		parse_unexpected(p, "a value");
		return NULL;
	}
}

/* "." NAME */
static struct ast_expr *parse_member(struct parser *p, struct ast_expr *left, uint32_t from)
{
	struct diag_item *it;
	struct ast_expr *e;
	struct token t;

	next(p);
	t = p->t;
	if (t.kind != TOK_NAME || t.nl_before) {
		it = parse_unexpected(p, "a name after '.'");
		if (t.kind == TOK_INT)
			diag_mend(p->d, it, "an element of a list is written [%.*s]", (int)t.len, p->lx.s + t.off);
		else if (t.kind == TOK_DOT && left->kind == AX_INT)
			diag_mend(p->d, it, "numbers are counted by range(FROM, BEFORE): range(1, 4) is [1, 2, 3]");
		return NULL;
	}
	next(p);
	e = operation(p, AX_MEMBER, from, &left, 1);
	if (!e)
		return NULL;
	e->name = tok_str(p, &t);
	e->name_span = span_tok(p, &t);
	return e;
}

/* "[" expression "]" */
static struct ast_expr *parse_index(struct parser *p, struct ast_expr *left, uint32_t from)
{
	uint32_t open = p->t.off;
	struct ast_expr *args[2] = { left };

	next(p);
	args[1] = parse_expression(p);
	if (!args[1])
		return NULL;
	if (p->t.kind == TOK_COLON) {
		struct diag_item *it = MISTAKE(p, CW0109, span_tok(p, &p->t), "lists have no slices");

		diag_mend(p->d, it, "take the part of the list in a step, or an element with [i]");
		return NULL;
	}
	return close_bracket(p, TOK_RBRACK, open) ? operation(p, AX_INDEX, from, args, 2) : NULL;
}

/*
 * postfix = primary { "." NAME | "[" expression "]" | arguments }
 */
static struct ast_expr *parse_postfix(struct parser *p)
{
	uint32_t from = p->t.off;
	struct ast_expr *e = parse_primary(p), *call;

	while (e && !p->t.nl_before) {
		if (p->t.kind == TOK_DOT) {
			e = parse_member(p, e, from);
		} else if (p->t.kind == TOK_LBRACK) {
			e = parse_index(p, e, from);
		} else if (p->t.kind == TOK_LPAREN) {
			call = operation(p, AX_CALL, from, &e, 1);
			if (!call || !parse_arguments(p, call))
				return NULL;
			call->span.len = p->last - from;
			e = call;
		} else {
			break;
		}
	}
	return e;
}

/*
 * unary = ( "!" | "-" ) unary | postfix
 */
struct ast_expr *parse_unary(struct parser *p)
{
	uint32_t from = p->t.off;
	enum expr_op op = p->t.kind == TOK_MINUS ? EX_NEG : EX_NOT;
	struct ast_expr *e, *x;

	if (p->t.kind == TOK_PLUS) {
		struct diag_item *it = MISTAKE(p, CW0109, span_tok(p, &p->t), "'+' stands between two values");

		diag_mend(p->d, it, "write the number without a sign");
		next(p);
	}
	if (p->t.kind != TOK_MINUS && p->t.kind != TOK_NOT)
		return parse_postfix(p);
	if (!parse_enter(p))
		return NULL;
	next(p);
	x = parse_unary(p);
	parse_leave(p);
	e = x ? operation(p, AX_OP, from, &x, 1) : NULL;
	if (e)
		e->op = (uint8_t)op;
	return e;
}

/* The operator at the current token, on the line of its left operand, taken if it binds at least as tightly as prec. */
static enum expr_op take_operator(struct parser *p, unsigned prec)
{
	struct token t = p->t;
	enum expr_op op;

	if (t.nl_before)
		return EX_COUNT;
	if (infix[t.kind].op) {
		if (infix[t.kind].prec < prec || compound_assignment(p))
			return EX_COUNT;
		next(p);
		wrong_operator_tail(p, &t);
		return (enum expr_op)infix[t.kind].op;
	}
	if (t.kind == TOK_NAME && t.len == 2 && tok_is(p, &t, "in")) {
		if (prec > PREC_IN)
			return EX_COUNT;
		next(p);
		return EX_IN;
	}
	if (t.kind != TOK_NAME && t.kind != TOK_BAD && t.kind != TOK_ASSIGN)
		return EX_COUNT;
	op = wrong_operator(p, prec);
	return op;
}

static void chained(struct parser *p, const struct ast_expr *left)
{
	struct diag_item *it = MISTAKE(p, CW0110, span_tok(p, &p->t), "comparisons do not chain");
	const struct ast_expr *b = left->args[1];
	int n = (int)(b->span.len > 60 ? 60 : b->span.len);

	diag_mend(p->d, it, "join two with &&: ... %.*s && %.*s %.*s ...", n, p->lx.s + b->span.off, n, p->lx.s + b->span.off, (int)p->t.len, p->lx.s + p->t.off);
}

static bool is_comparison(enum expr_op op)
{
	return op >= EX_EQ && op <= EX_IN;
}

/*
 * coalesce = or { "??" or }
 * or = and { "||" and }
 * and = comparison { "&&" comparison }
 * comparison = sum [ ( "==" | "!=" | "<" | "<=" | ">" | ">=" | "in" ) sum ]
 * sum = product { ( "+" | "-" ) product }
 * product = unary { ( "*" | "/" | "%" ) unary }
 * One function climbs all of them: prec is the level to start from.
 */
static struct ast_expr *parse_binary(struct parser *p, unsigned prec)
{
	uint32_t from = p->t.off;
	struct ast_expr *args[2] = { parse_unary(p) }, *e;
	enum expr_op op;
	struct token t;

	while (args[0] && (t = p->t, op = take_operator(p, prec)) != EX_COUNT) {
		static const uint8_t precs[EX_COUNT] = {
#define X(o, spelling, pr, n) [EX_##o] = pr,
			EXPR_OPS(X)
#undef X
		};

		if (is_comparison(op) && args[0]->kind == AX_OP && !args[0]->paren && is_comparison((enum expr_op)args[0]->op)) {
			struct token now = p->t;

			p->t = t;
			chained(p, args[0]);
			p->t = now;
		}
		args[1] = parse_binary(p, precs[op] + 1u);
		if (!args[1])
			return NULL;
		e = operation(p, AX_OP, from, args, 2);
		if (!e)
			return NULL;
		e->op = (uint8_t)op;
		args[0] = e;
	}
	return args[0];
}

struct ast_expr *parse_default(struct parser *p)
{
	return parse_binary(p, PREC_ADD);
}

/* A '?' that makes an element of a list soft: nothing that could be a value follows. */
static bool soft_follows(const struct parser *p)
{
	const char *s = p->lx.s;
	uint32_t i = p->t.off + 1;

	for (; i < p->lx.end; i++) {
		if (s[i] == '#' && !p->lx.inside)
			for (; i + 1 < p->lx.end && s[i + 1] != '\n'; i++)
				;
		else if (s[i] != ' ' && s[i] != '\t' && s[i] != '\r' && s[i] != '\n')
			break;
	}
	return i >= p->lx.end || strchr(",])};", s[i]);
}

/*
 * conditional = coalesce [ "?" conditional ":" conditional ]
 */
static struct ast_expr *parse_conditional(struct parser *p)
{
	uint32_t from = p->t.off;
	struct ast_expr *args[3] = { parse_binary(p, PREC_COALESCE) }, *e;
	struct diag_item *it;

	if (!args[0] || !here(p, TOK_QUESTION) || soft_follows(p))
		return args[0];
	next(p);
	args[1] = parse_expression(p);
	if (!args[1])
		return NULL;
	if (!here(p, TOK_COLON)) {
		it = parse_unexpected(p, "':'");
		diag_mend(p->d, it, "a choice is written CONDITION ? VALUE : OTHER; what is absent is tested with present(x) or x ?? y");
		return NULL;
	}
	next(p);
	args[2] = parse_expression(p);
	if (!args[2])
		return NULL;
	e = operation(p, AX_OP, from, args, 3);
	if (e)
		e->op = EX_COND;
	return e;
}

/*
 * expression = conditional
 */
struct ast_expr *parse_expression(struct parser *p)
{
	struct ast_expr *e;

	if (!parse_enter(p))
		return NULL;
	e = parse_conditional(p);
	parse_leave(p);
	return e;
}
