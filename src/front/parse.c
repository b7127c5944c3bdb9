/* Files and blocks, which statement stands where, and going on after an error. */
#include "parse.h"

#include <stdlib.h>
#include <string.h>

static const char *const bodies[IN_COUNT] = {
#define X(in, words) [IN_##in] = words,
	BODIES(X)
#undef X
};

#define IN(x) (1u << IN_##x)
#define SET_BODIES (IN(IF) | IN(FOR) | IN(LOOP))
#define SET_ON (IN(ON) | IN(ON_IF) | IN(ON_FOR))

/* Which statement stands where. */
static const uint32_t stands[AS_COUNT] = {
	[AS_IMPORT] = IN(FILE), [AS_STORE] = IN(FILE), [AS_TASK] = IN(FILE), [AS_WORKFLOW] = IN(FILE),
	[AS_PARAM] = IN(WORKFLOW), [AS_VOLUME] = IN(WORKFLOW), [AS_ON] = IN(WORKFLOW),
	[AS_STEP] = IN(WORKFLOW) | SET_BODIES | SET_ON, [AS_LET] = IN(WORKFLOW) | SET_BODIES | SET_ON, [AS_IF] = IN(WORKFLOW) | SET_BODIES | SET_ON,
	[AS_FOR] = IN(WORKFLOW) | SET_BODIES | SET_ON, [AS_FAIL] = IN(WORKFLOW) | SET_BODIES | SET_ON, [AS_WAIT] = IN(WORKFLOW) | SET_BODIES | SET_ON,
	[AS_DEFAULTS] = IN(WORKFLOW) | SET_BODIES | SET_ON,
	[AS_SWEEP] = IN(WORKFLOW) | SET_BODIES, [AS_LOOP] = IN(WORKFLOW) | SET_BODIES, [AS_APPROVE] = IN(WORKFLOW) | SET_BODIES,
	[AS_SERVICE] = IN(WORKFLOW) | SET_BODIES,
	[AS_STATE] = IN(LOOP), [AS_WHILE] = IN(LOOP), [AS_NEXT] = IN(LOOP),
	[AS_IN] = IN(TASK) | IN(STEP) | IN(WAIT) | IN(SERVICE), [AS_OUT] = IN(WORKFLOW) | IN(TASK) | IN(STEP),
	[AS_ASK] = IN(APPROVE), [AS_JOB] = IN(TASK) | IN(STEP),
	[AS_SOURCE] = IN(DATAFLOW), [AS_OP] = IN(DATAFLOW), [AS_TRAINER] = IN(DATAFLOW),
	[AS_ENTRY] = ~(IN(FILE) | IN(IF) | IN(ON) | IN(ON_IF)),
};

/* Bodies of entries alone: a word before a '{' is a key in them, whatever it is elsewhere. */
#define SET_ENTRIES (IN(CALL) | IN(SWEEP) | IN(DEFAULTS) | IN(FAIL) | IN(STORE) | IN(VOLUME) | IN(NEXT) | IN(JOB) | IN(OP) | IN(TRAINER) | IN(MAP))

static const char *const keywords[AS_COUNT] = {
#define X(kind, word) [AS_##kind] = word,
	AST_STMTS(X)
#undef X
};

/* ---- tokens ---- */

bool tok_is(const struct parser *p, const struct token *t, const char *word)
{
	const char *s = p->lx.s + t->off;

	if (t->kind != TOK_NAME)
		return false;
	for (uint32_t i = 0; i < t->len; i++)
		if (s[i] != word[i])      /* also where the word ends */
			return false;
	return !word[t->len];
}

const struct str *tok_str(struct parser *p, const struct token *t)
{
	return str_intern(p->strs, p->lx.s + t->off, t->len);
}

char after_token(const struct parser *p, const struct token *t, uint32_t *at)
{
	uint32_t i = t->off + t->len;

	while (p->lx.s[i] == ' ' || p->lx.s[i] == '\t')
		i++;
	*at = i;
	return p->lx.s[i];
}

const char *tok_words(struct parser *p, const struct token *t)
{
	const char *s = p->lx.s + t->off;

	if (t->kind == TOK_NAME || t->kind == TOK_INT || t->kind == TOK_FLOAT || t->kind == TOK_DURATION || t->kind == TOK_SIZE)
		return str_internf(p->strs, "'%.*s%s'", (int)(t->len > 60 ? 60 : t->len), s, t->len > 60 ? "..." : "")->s;
	return token_words((enum token_kind)t->kind);
}

/* A word or a number right after a closing quote: the quote opened a string, and the one before it was not closed. */
static bool unclosed_before(struct parser *p)
{
	struct token t = { .kind = TOK_BAD, .off = p->last };
	const char *s = p->lx.s;

	if (p->t.nl_before || p->last != p->t.off || p->last < 2 || s[p->last - 1] != '"' || s[p->last - 2] == '"' || !lex_is_name((unsigned char)s[p->last]))
		return false;
	for (t.off -= 2; t.off && s[t.off] != '"' && s[t.off] != '\n'; t.off--)
		;
	if (s[t.off] != '"')
		return false;
	while (s[p->lx.pos] && s[p->lx.pos] != '\n')
		p->lx.pos++;
	p->t.kind = TOK_STRING;
	p->t.len = p->lx.pos - p->t.off;
	t.len = p->lx.pos - t.off;
	lex_error(p, &t);
	return true;
}

struct diag_item *parse_unexpected(struct parser *p, const char *expected)
{
	if (unclosed_before(p))
		return arena_new_of(p->a, struct diag_item);
	if (p->t.kind == TOK_BAD && !p->t.nl_before && !p->dead) {
		lex_error(p, &p->t);
		return arena_new_of(p->a, struct diag_item);
	}
	if (p->t.nl_before && p->t.kind != TOK_EOF)
		return MISTAKE(p, CW0101, span_at(p, p->last, p->last + 1), "expected %s, found the end of the line", expected);
	return MISTAKE(p, CW0101, span_tok(p, &p->t), "expected %s, found %s", expected, tok_words(p, &p->t));
}

/* ---- gathering and depth ---- */

void scratch_push(struct parser *p, const void *x, size_t size)
{
	if (p->cap - p->nscratch < size) {
		p->cap = p->cap ? p->cap * 2 : 4096;
		p->scratch = xrealloc(p->scratch, p->cap);
	}
	memcpy(p->scratch + p->nscratch, x, size);
	p->nscratch += size;
}

void *scratch_take(struct parser *p, size_t mark, size_t size, uint32_t *n)
{
	size_t bytes = p->nscratch - mark;
	void *v = bytes ? arena_alloc(p->a, bytes) : NULL;

	if (bytes)
		memcpy(v, p->scratch + mark, bytes);
	p->nscratch = mark;
	*n = (uint32_t)(bytes / size);
	return v;
}

void parse_too_deep(struct parser *p, struct span sp)
{
	struct diag_item *it = MISTAKE(p, CW0116, sp, "more than %d blocks, brackets or operators are nested here", PARSE_DEPTH);

	diag_mend(p->d, it, "name parts of it with 'let', or compute it in a step");
	p->dead = true;
	p->lx.end = p->lx.pos;
	p->t = (struct token){ .kind = TOK_EOF, .off = p->lx.pos };
}

bool parse_enter(struct parser *p)
{
	if (p->depth < PARSE_DEPTH) {
		p->depth++;
		return true;
	}
	parse_too_deep(p, span_tok(p, &p->t));
	return false;
}

void parse_leave(struct parser *p)
{
	p->depth--;
}

/* ---- going on after an error ---- */

static unsigned word_hash(const char *s, uint32_t n)
{
	return ((unsigned char)s[0] + 7u * (unsigned char)s[1] + 13u * n) & (WORD_SLOTS - 1);
}

/* AS_COUNT: none. A name is at least one byte, and one stands after it. */
static enum ast_stmt_kind keyword_of(const struct parser *p, const struct token *t)
{
	const char *s = p->lx.s + t->off;

	if (t->kind != TOK_NAME)
		return AS_COUNT;
	for (unsigned h = word_hash(s, t->len); p->words[h]; h = (h + 1) & (WORD_SLOTS - 1)) {
		enum ast_stmt_kind k = (enum ast_stmt_kind)(p->words[h] - 1);

		if (tok_is(p, t, keywords[k]))
			return k;
	}
	return AS_COUNT;
}

static void keywords_init(struct parser *p)
{
	for (unsigned k = 0; k < AS_COUNT; k++) {
		unsigned h;

		if (!keywords[k])
			continue;
		for (h = word_hash(keywords[k], (uint32_t)strlen(keywords[k])); p->words[h]; h = (h + 1) & (WORD_SLOTS - 1))
			;
		p->words[h] = (uint8_t)(k + 1);
	}
}

static bool is_keyword(enum ast_stmt_kind kind)
{
	return kind != AS_COUNT;
}

bool starts_keyword(const struct parser *p)
{
	uint32_t at;
	char c;

	if (!p->t.nl_before || p->t.kind != TOK_NAME)
		return false;
	c = after_token(p, &p->t, &at);
	return (lex_is_name((unsigned char)c) || c == '"' || c == '{') && is_keyword(keyword_of(p, &p->t));
}

bool starts_statement(const struct parser *p)
{
	uint32_t at;
	char c;

	if (!p->t.nl_before || p->t.kind != TOK_NAME)
		return false;
	c = after_token(p, &p->t, &at);
	return c == '{' || (c == '=' && p->lx.s[at + 1] != '=') || starts_keyword(p);
}

void skip_entry(struct parser *p, uint32_t from)
{
	unsigned round = 0, curly = 0;

	while (p->t.kind != TOK_EOF) {
		enum token_kind k = (enum token_kind)p->t.kind;

		if (!round && !curly && p->t.off != from && at_end_of_entry(p))
			return;
		if (!curly && (round || p->t.off != from) && starts_statement(p))
			return;
		if (k == TOK_RBRACE && !curly)
			return;
		if ((k == TOK_RPAREN || k == TOK_RBRACK) && !round && !curly)
			return;
		round += !curly && (k == TOK_LPAREN || k == TOK_LBRACK);
		round -= !curly && round && (k == TOK_RPAREN || k == TOK_RBRACK);
		curly += k == TOK_LBRACE;
		curly -= k == TOK_RBRACE;
		next(p);
	}
}

/* ---- where statements stand ---- */

bool stands_in(enum ast_stmt_kind kind, enum body in)
{
	return stands[kind] >> in & 1;
}

/* "a workflow, a task or a step" for a set of bodies. */
static void list_bodies(struct strbuf *b, uint32_t set)
{
	unsigned n = 0, i = 0;

	set &= ~(IN(ON_IF) | IN(ON_FOR));
	for (uint32_t s = set; s; s &= s - 1)
		n++;
	for (unsigned in = 0; in < IN_COUNT; in++) {
		if (!(set >> in & 1))
			continue;
		sb_f(b, "%s%s", !i ? "" : i + 1 == n ? " or " : ", ", bodies[in]);
		i++;
	}
}

static const char *misplaced_mend(enum ast_stmt_kind kind, enum body in)
{
	if (kind == AS_IN && in == IN_WORKFLOW)
		return "what a workflow is started with is a 'param'";
	if (kind == AS_IN && in == IN_CALL)
		return "the arguments of a call stand in its parentheses: NAME(x = ...)";
	if (kind == AS_PARAM && (in == IN_TASK || in == IN_STEP))
		return "what a task or a step is given is an 'in'";
	if (kind == AS_STEP && in == IN_STEP)
		return "put it beside the other step; what one needs of the other it takes with 'in', or 'after'";
	if (kind == AS_WHILE)
		return "a bounded repetition is: loop NAME { max = 10; state x = ...; while CONDITION; ...; next { x = ... } }";
	return NULL;
}

static void misplaced(struct parser *p, enum ast_stmt_kind kind, enum body in, const struct token *head)
{
	struct strbuf b = { 0 };
	struct diag_item *it;
	const char *mend = misplaced_mend(kind, in);

	if (in == IN_FILE && p->adrift)
		return;
	list_bodies(&b, stands[kind]);
	it = MISTAKE(p, CW0106, span_tok(p, head), "'%s' cannot stand in %s; it stands in %s", keywords[kind], bodies[in], sb_cstr(&b));
	if (mend)
		diag_mend(p->d, it, "%s", mend);
	if (in == IN_FILE) {
		p->adrift = true;
		diag_note(p->d, it, (struct span){ 0 }, "if it seems to stand in one, a '}' before it is one too many");
	}
	sb_free(&b);
}

static void misplaced_entry(struct parser *p, enum body in, const struct token *key)
{
	struct diag_item *it;

	if (in == IN_FILE && p->adrift)
		return;
	it = MISTAKE(p, CW0108, span_tok(p, key), "%s has no attributes: '%.*s' cannot stand here", bodies[in], (int)(key->len > 60 ? 60 : key->len), p->lx.s + key->off);
	if (in == IN_FILE) {
		diag_mend(p->d, it, "put it into the task, step or workflow that it is for; what all steps share stands in a workflow's 'defaults { }'");
		p->adrift = true;
	} else {
		diag_mend(p->d, it, "put it into the step that it is for, or into 'defaults { }' for all steps of the block");
	}
}

/* Column of the first byte on the line of off that is no blank. */
static uint32_t indent_of(const struct parser *p, uint32_t off)
{
	uint32_t line = off, n = 0;

	while (line && p->lx.s[line - 1] != '\n')
		line--;
	while (p->lx.s[line + n] == ' ' || p->lx.s[line + n] == '\t')
		n++;
	return n;
}

/*
 * A statement that cannot stand in this block but can in one around it, and is indented no further than the
 * block's head: the block's '}' was forgotten.
 */
static bool belongs_outside(const struct parser *p, const struct open_block *b, enum ast_stmt_kind kind)
{
	uint32_t at;
	char c;

	if (!p->t.nl_before || !is_keyword(kind) || !b->up || stands_in(kind, b->in))
		return false;
	c = after_token(p, &p->t, &at);
	if (c == '=' || (c == '{' && SET_ENTRIES >> b->in & 1) || indent_of(p, p->t.off) > indent_of(p, b->off))
		return false;
	for (const struct open_block *up = b->up; up; up = up->up)
		if (stands_in(kind, up->in))
			return true;
	return false;
}

/* ---- entries ---- */

struct ast_stmt *stmt_new(struct parser *p, enum ast_stmt_kind kind, const struct token *head)
{
	struct ast_stmt *st = arena_new_of(p->a, struct ast_stmt);

	st->kind = (uint8_t)kind;
	st->head = span_tok(p, head);
	st->span = st->head;
	return st;
}

struct ast_expr *parse_value(struct parser *p, const char *of)
{
	struct diag_item *it;

	if (at_end_of_entry(p)) {
		if (p->t.nl_before && at_value(p) && p->t.kind != TOK_RBRACE && !starts_statement(p)) {
			it = MISTAKE(p, CW0118, span_tok(p, &p->t), "the value of '%s' stands on another line than its '='", of);
			diag_mend(p->d, it, "write both on one line; a long value may go on after an operator, a ',' or an opening bracket");
		} else {
			it = MISTAKE(p, CW0120, span_at(p, p->last ? p->last - 1 : 0, p->last), "'%s' is given no value", of);
			diag_mend(p->d, it, "write %s = VALUE", of);
			return NULL;
		}
	}
	return parse_expression(p);
}

/* What stands after a key that is neither '=' nor '{': an error; true where a value can be read from here. */
static bool mend_key(struct parser *p, enum body in, const struct token *key)
{
	int n = (int)(key->len > 60 ? 60 : key->len);
	const char *s = p->lx.s + key->off;
	struct diag_item *it;

	if (compound_assignment(p)) {
		char op = p->lx.s[p->t.off];

		it = MISTAKE(p, CW0109, span_at(p, p->t.off, p->t.off + 2), "there is no '%c='", op);
		diag_mend(p->d, it, "write %.*s = %.*s %c ...", n, s, n, s, op);
		next(p);
		next(p);
		return true;
	}
	if (here(p, TOK_COLON)) {
		it = MISTAKE(p, CW0111, span_tok(p, &p->t), "a key takes '=', not ':'");
		diag_mend(p->d, it, "write %.*s = ...", n, s);
		next(p);
		if (p->t.kind == TOK_ASSIGN)
			next(p);
		return true;
	}
	if (here(p, TOK_EQ)) {
		it = MISTAKE(p, CW0111, span_tok(p, &p->t), "'==' compares; a key takes '='");
		diag_mend(p->d, it, "write %.*s = ...", n, s);
		next(p);
		return true;
	}
	if (here(p, TOK_DOT)) {
		struct token dot = p->t;

		next(p);
		if (here(p, TOK_NAME))
			next(p);
		it = MISTAKE(p, here(p, TOK_LPAREN) ? CW0107 : CW0101, span_tok(p, &dot), here(p, TOK_LPAREN) ? "a call does not stand alone" : "a key is one name");
		if (here(p, TOK_LPAREN))
			diag_mend(p->d, it, "write step NAME = %.*s(...)", (int)(p->last - key->off), s);
		else
			diag_mend(p->d, it, "write %.*s { NAME = VALUE }", n, s);
		return false;
	}
	if (!p->t.nl_before && key->kind == TOK_NAME && (p->t.kind == TOK_STRING || p->t.kind == TOK_VERBATIM || p->t.kind == TOK_INT ||
			p->t.kind == TOK_FLOAT || p->t.kind == TOK_DURATION || p->t.kind == TOK_SIZE || p->t.kind == TOK_LBRACK) && !wrong_word(p, key)) {
		it = MISTAKE(p, CW0111, span_tok(p, key), "'%.*s' lacks its '='", n, s);
		diag_mend(p->d, it, "write %.*s = ...", n, s);
		return true;
	}
	wrong_statement(p, in, key);
	return false;
}

/*
 * entry = key ( "=" expression | map )
 * key = NAME | string
 * The key was taken.
 */
static struct ast_stmt *entry_after_key(struct parser *p, enum body in, const struct token *key, const struct str *word)
{
	struct ast_stmt *st = stmt_new(p, AS_ENTRY, key);
	bool dataflow = tok_is(p, key, "dataflow") && (in == IN_TASK || in == IN_STEP), ok = true;

	st->quoted = key->kind == TOK_STRING;
	st->name = word;
	st->name_span = st->head;
	if (here(p, TOK_ASSIGN)) {
		next(p);
		if (here(p, TOK_GT) && p->last == p->t.off) {
			diag_mend(p->d, MISTAKE(p, CW0111, span_at(p, p->last - 1, p->t.off + 1), "a key takes '=', not '=>'"), "write %s = ...", st->name->s);
			next(p);
		}
		st->assigned = true;
	} else if (!here(p, TOK_LBRACE) || (!(SET_ENTRIES >> in & 1) && wrong_word(p, key))) {
		ok = mend_key(p, in, key);
		st->assigned = true;
	}
	if (!stands_in(AS_ENTRY, in) && ok)
		misplaced_entry(p, in, key);
	if (!ok) {
		if (p->t.off != key->off)
			skip_entry(p, UINT32_MAX);
		st->kind = AS_ERROR;
		return st;
	}
	st->value = here(p, TOK_LBRACE) ? parse_map(p, dataflow ? IN_DATAFLOW : IN_MAP) : parse_value(p, st->name->s);
	st->span.len = p->last - st->span.off;
	if (!st->value)
		return NULL;
	if (!stands_in(AS_ENTRY, in))
		st->kind = AS_ERROR;
	return st;
}

static struct ast_stmt *parse_string_key(struct parser *p, enum body in)
{
	struct token key = p->t;

	if (key.interp || key.escapes) {
		struct ast_expr *e = parse_literal(p);

		if (e->kind == AX_INTERP) {
			diag_mend(p->d, MISTAKE(p, CW0101, e->span, "a key is plain text, without ${ }"), "write the name itself");
			e->u.str = str_internz(p->strs, "");
		}
		return entry_after_key(p, in, &key, e->u.str);
	}
	next(p);
	return entry_after_key(p, in, &key, str_intern(p->strs, p->lx.s + key.off + 1, key.len - 2));
}

/* ---- statements ---- */

/* The current token, first of a statement, is no name and no string. */
static struct ast_stmt *no_statement(struct parser *p, enum body in)
{
	struct diag_item *it;
	struct token t = p->t;

	switch (t.kind) {
	case TOK_BAD:
		if (!p->dead)
			lex_error(p, &t);
		break;
	case TOK_LBRACE:
		it = MISTAKE(p, CW0104, span_tok(p, &t), "this '{' stands without a head");
		diag_mend(p->d, it, "the '{' of a block stands on the line of its head: step NAME { ... }");
		break;
	case TOK_SLASH:
		it = MISTAKE(p, CW0109, span_tok(p, &t), "comments start with '#'");
		diag_mend(p->d, it, "write # ...");
		break;
	case TOK_QUESTION: case TOK_COALESCE: case TOK_OR: case TOK_AND: case TOK_EQ: case TOK_NE: case TOK_LT: case TOK_LE: case TOK_GT: case TOK_GE:
	case TOK_PLUS: case TOK_MINUS: case TOK_STAR: case TOK_PERCENT: case TOK_DOT: case TOK_COLON:
		it = MISTAKE(p, CW0118, span_tok(p, &t), "a line cannot start with %s", token_words((enum token_kind)t.kind));
		diag_mend(p->d, it, "an expression goes on after an operator: put it at the end of the line before");
		break;
	default:
		it = MISTAKE(p, CW0101, span_tok(p, &t), "expected %s, found %s", in == IN_FILE ? "'import', 'store', 'task' or 'workflow'" :
			stands[AS_STEP] >> in & 1 ? "a statement" : "NAME = VALUE", tok_words(p, &t));
		diag_mend(p->d, it, "a line starts with a statement's word, or with NAME = VALUE");
	}
	return NULL;
}

/*
 * statement: the productions of parse_stmt.c | entry
 */
static struct ast_stmt *parse_statement(struct parser *p, enum body in, enum ast_stmt_kind kind)
{
	struct token head = p->t;
	struct ast_stmt *st;
	uint32_t at;
	char c;

	if (head.kind == TOK_STRING)
		return parse_string_key(p, in);
	if (head.kind != TOK_NAME)
		return no_statement(p, in);
	c = after_token(p, &head, &at);
	next(p);
	if (is_keyword(kind) && c == '=' && (kind == AS_DEFAULTS || kind == AS_NEXT) && stands_in(kind, in) && here(p, TOK_ASSIGN))
		next(p);
	else if (!is_keyword(kind) || c == '=' || ((c == '{' || c == ':') && SET_ENTRIES >> in & 1))
		return entry_after_key(p, in, &head, tok_str(p, &head));
	if (stands_in(kind, in))
		return parse_statement_of(p, kind, in, &head);
	misplaced(p, kind, in, &head);
	st = parse_statement_of(p, kind, in, &head);
	if (st)
		st->kind = AS_ERROR;
	return st;
}

/* No separator after a statement. */
static void missing_separator(struct parser *p, uint32_t from)
{
	struct diag_item *it;

	if (unclosed_before(p)) {
		skip_entry(p, from);
		return;
	}
	if (p->t.kind == TOK_NAME || p->t.kind == TOK_STRING) {
		it = MISTAKE(p, CW0102, span_tok(p, &p->t), "a new line or ';' is missing before %s", tok_words(p, &p->t));
		diag_mend(p->d, it, "separate the entries of a block by new lines or ';'");
		return;
	}
	parse_unexpected(p, "a new line or ';'");
	skip_entry(p, from);
}

/* A closing bracket that closes nothing. */
static void stray(struct parser *p)
{
	struct diag_item *it;

	if (!p->adrift || p->t.kind != TOK_RBRACE) {
		it = MISTAKE(p, CW0105, span_tok(p, &p->t), "this %s closes nothing", token_words((enum token_kind)p->t.kind));
		diag_mend(p->d, it, "remove it, or look for the block that ends too early before it");
	}
	p->adrift = true;
	next(p);
}

/* Statements up to the '}' or the end, gathered in v; true where a new line stands between two of them. */
static bool parse_statements(struct parser *p, const struct open_block *b, struct ast_stmt ***v, uint32_t *n)
{
	size_t mark = p->nscratch;
	struct ast_stmt *st;
	bool lines = false;

	for (;;) {
		enum ast_stmt_kind kind = keyword_of(p, &p->t);
		uint32_t from = p->t.off;

		lines |= p->t.nl_before;
		if (p->t.kind == TOK_EOF || (p->t.kind == TOK_RBRACE && b->up) || belongs_outside(p, b, kind))
			break;
		if (p->t.kind == TOK_SEMI || p->t.kind == TOK_COMMA) {
			next(p);
			continue;
		}
		if (p->t.kind == TOK_RPAREN || p->t.kind == TOK_RBRACK || p->t.kind == TOK_RBRACE) {
			stray(p);
			continue;
		}
		st = parse_statement(p, b->in, kind);
		if (!st)
			skip_entry(p, from);
		else if (st->kind != AS_ERROR)
			scratch_push(p, &st, sizeof st);
		if (st && !at_end_of_entry(p))
			missing_separator(p, from);
	}
	*v = scratch_take(p, mark, sizeof st, n);
	return lines;
}

/*
 * block = "{" { separator } [ statement { separator { separator } statement } { separator } ] "}"
 * separator = newline | ";" | ","
 */
struct ast_block *parse_block(struct parser *p, enum body in)
{
	struct ast_block *b = arena_new_of(p->a, struct ast_block);
	struct open_block open = { in, p->t.off, p->open };
	struct diag_item *it;

	b->span = span_tok(p, &p->t);
	if (!parse_enter(p))
		return b;
	p->open = &open;
	next(p);
	b->one_line = !parse_statements(p, &open, &b->v, &b->n);
	p->open = open.up;
	parse_leave(p);
	if (p->t.kind == TOK_RBRACE) {
		next(p);
	} else if (p->lost) {
		p->lost--;
	} else {
		it = MISTAKE(p, CW0105, b->span, "the '{' of %s is not closed", bodies[in]);
		diag_mend(p->d, it, "add its '}'");
		if (p->t.kind != TOK_EOF)
			diag_note(p->d, it, span_tok(p, &p->t), "%s cannot stand in %s", tok_words(p, &p->t), bodies[in]);
	}
	b->span.len = p->last - b->span.off;
	return b;
}

struct ast_block *parse_body(struct parser *p, enum body in, const char *head)
{
	struct diag_item *it;

	if (here(p, TOK_LBRACE))
		return parse_block(p, in);
	if (p->t.kind == TOK_LBRACE) {
		it = MISTAKE(p, CW0104, span_tok(p, &p->t), "the '{' of a block stands on the line of its head");
		diag_mend(p->d, it, "write %s ... {", head);
		return parse_block(p, in);
	}
	if (!wrong_before_block(p)) {
		if (at_end_of_entry(p) && p->t.kind != TOK_EOF) {
			it = MISTAKE(p, CW0104, span_at(p, p->last, p->last + 1), "the block of '%s' is missing", head);
			diag_mend(p->d, it, "write %s ... { ... }", head);
		} else {
			parse_unexpected(p, "'{'");
		}
	}
	while (!p->t.nl_before && p->t.kind != TOK_LBRACE && p->t.kind != TOK_RBRACE && p->t.kind != TOK_SEMI && p->t.kind != TOK_EOF)
		next(p);
	return here(p, TOK_LBRACE) ? parse_block(p, in) : NULL;
}

/* ---- files ---- */

/* True where the text is text: UTF-8, no NUL, of a size that offsets can name. */
static bool check_text(struct parser *p, const struct source *src)
{
	const char *nul = memchr(src->text, 0, src->len);
	size_t bad = utf8_valid(src->text, src->len);
	struct diag_item *it;

	if (src->len >= UINT32_MAX - 8) {
		diag_at(p->d, CW0003, span_at(p, 0, 0), "the text of %zu bytes is too large", src->len);
		return false;
	}
	if (nul && (size_t)(nul - src->text) < bad) {
		bad = (size_t)(nul - src->text);
		it = diag_at(p->d, CW0001, span_at(p, (uint32_t)bad, (uint32_t)bad + 1), "a NUL byte stands at byte offset %zu", bad);
		diag_mend(p->d, it, "remove it; a .cw file is UTF-8 text, not binary and not UTF-16");
		return false;
	}
	if (bad < src->len) {
		it = diag_at(p->d, CW0002, span_at(p, (uint32_t)bad, (uint32_t)bad + 1), "byte 0x%02x at byte offset %zu is not valid UTF-8", (unsigned char)src->text[bad], bad);
		diag_mend(p->d, it, "save the file as UTF-8: iconv -f latin1 -t utf-8");
		return false;
	}
	return true;
}

/*
 * file = { separator } [ statement { separator { separator } statement } { separator } ] end
 */
static struct ast_block *parse_file(struct parser *p)
{
	struct ast_block *b = arena_new_of(p->a, struct ast_block);
	struct open_block open = { IN_FILE, 0, NULL };

	p->open = &open;
	next(p);
	parse_statements(p, &open, &b->v, &b->n);
	b->span = span_at(p, 0, p->lx.end);
	p->open = NULL;
	return b;
}

struct ast_file *parse(struct arena *a, struct strtab *strs, struct diag *d, uint32_t source)
{
	struct ast_file *f = arena_new_of(a, struct ast_file);
	const struct source *src = d->sources[source];
	struct parser p = { .a = a, .strs = strs, .d = d, .file = source };
	struct diag_mark mark = diag_mark(d);

	f->source = source;
	p.lx = (struct lexer){ .s = src->text, .end = (uint32_t)src->len, .a = a };
	keywords_init(&p);
	p.word_true = str_internz(strs, "true");
	p.word_false = str_internz(strs, "false");
	p.word_null = str_internz(strs, "null");
	if (!check_text(&p, src)) {
		f->top = arena_new_of(a, struct ast_block);
		return f;
	}
	if (src->len >= 3 && !memcmp(src->text, "\xef\xbb\xbf", 3))
		p.lx.pos = 3;
	f->top = parse_file(&p);
	if (d->errors > mark.errors && lex_blame_verbatim(&p, src->text, (uint32_t)src->len, mark))
		f->top = arena_new_of(a, struct ast_block);
	f->comments = p.lx.comments.v;
	f->ncomments = p.lx.comments.n;
	free(p.scratch);
	sb_free(&p.buf);
	return f;
}
