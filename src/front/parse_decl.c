/* Declarations, names and types. */
#include "parse.h"

#include <string.h>

/* ---- names ---- */

/* NAME "-" NAME, without blanks: what a kebab-case name reads as. Takes all of it. */
static void kebab(struct parser *p, uint32_t from)
{
	struct strbuf b = { 0 };
	struct diag_item *it;

	while (p->t.kind == TOK_MINUS && p->t.off == p->last && lex_is_name((unsigned char)p->lx.s[p->t.off + 1])) {
		next(p);
		next(p);
	}
	sb_add(&b, p->lx.s + from, p->last - from);
	for (size_t i = 0; i < b.n; i++)
		if (b.s[i] == '-')
			b.s[i] = '_';
	it = MISTAKE(p, CW0103, span_at(p, from, p->last), "a name has no '-'");
	diag_mend(p->d, it, "write %s", sb_cstr(&b));
	sb_free(&b);
}

/*
 * NAME, on the line of what stands before it; what: "a step".
 */
bool parse_name(struct parser *p, const char *what, const struct str **name, struct span *sp)
{
	struct token t = p->t;
	struct diag_item *it;
	bool plain = t.kind == TOK_STRING && !t.escapes && !t.interp && t.len > 2;

	for (uint32_t i = 1; plain && i < t.len - 1; i++)
		plain = lex_is_name((unsigned char)p->lx.s[t.off + i]) && (i > 1 || !lex_is_digit((unsigned char)p->lx.s[t.off + i]));
	if (t.nl_before || (t.kind != TOK_NAME && !plain)) {
		if (t.kind == TOK_BAD && !t.nl_before) {
			parse_unexpected(p, "a name");
			return false;
		}
		it = MISTAKE(p, CW0103, t.nl_before ? span_at(p, p->last, p->last + 1) : span_tok(p, &t), "%s needs a name, found %s", what,
			t.nl_before ? "the end of the line" : tok_words(p, &t));
		diag_mend(p->d, it, "a name is made of letters a to z, A to Z, digits and '_'");
		return false;
	}
	if (plain) {
		it = MISTAKE(p, CW0103, span_tok(p, &t), "the name of %s stands without quotes", what);
		diag_mend(p->d, it, "write %.*s", (int)t.len - 2, p->lx.s + t.off + 1);
		t.off++;
		t.len -= 2;
	}
	next(p);
	*name = tok_str(p, &t);
	*sp = span_tok(p, &t);
	if (here(p, TOK_MINUS) && p->t.off == p->last && lex_is_name((unsigned char)p->lx.s[p->t.off + 1]))
		kebab(p, t.off);
	if (*name == p->word_true || *name == p->word_false || *name == p->word_null) {
		it = MISTAKE(p, CW0103, *sp, "'%s' is a value and cannot be a name", (*name)->s);
		diag_mend(p->d, it, "choose another name, such as %s_", (*name)->s);
	}
	return true;
}

/* ---- types ---- */

static enum type_kind type_word(const char *s, uint32_t n)
{
	static const struct { const char *word; uint32_t len; enum type_kind kind; } types[] = {
#define X(kind, word, scalar) { word, sizeof word - 1, T_##kind },
		TYPE_KINDS(X)
#undef X
	};

	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (types[i].len == n && types[i].word[0] == s[0] && !memcmp(types[i].word, s, n))
			return types[i].kind;
	return T_NONE;
}

static enum type_kind type_of_word(const char *s, uint32_t n)
{
	enum type_kind k = type_word(s, n);
	const char *right = k == T_NONE ? right_type(s, n) : NULL;

	return right ? type_word(right, (uint32_t)strlen(right)) : k;
}

static void no_such_type(struct parser *p, const struct token *t)
{
	static const char *const types[] = {
#define X(kind, word, scalar) word,
		TYPE_KINDS(X)
#undef X
		"list"
	};
	const char *s = p->lx.s + t->off, *right = right_type(s, t->len), *near = nearest(s, t->len, types, sizeof types / sizeof *types);
	struct diag_item *it = MISTAKE(p, CW0113, span_tok(p, t), "there is no type %s", tok_words(p, t));

	if (right || near)
		diag_mend(p->d, it, "write %s", right ? right : near);
	else
		diag_mend(p->d, it, "types are string int float bool json time duration size file dir list<T>, and T? for what may be absent");
}

/* '>' of a list, also as the first half of '>='. */
static bool take_gt(struct parser *p)
{
	if (p->t.kind == TOK_GE) {
		p->t.kind = TOK_ASSIGN;
		p->t.off++;
		p->t.len = 1;
		p->last = p->t.off;
		return true;
	}
	if (p->t.kind != TOK_GT)
		return false;
	next(p);
	return true;
}

/* To the end of a type that was not understood. args: inside of it there may be several, as in map<string, int>. */
static void skip_type(struct parser *p, bool args)
{
	args |= here(p, TOK_LT) || here(p, TOK_LBRACK) || here(p, TOK_LPAREN);
	while (!p->t.nl_before && (p->t.kind == TOK_NAME || (args && p->t.kind == TOK_COMMA) || p->t.kind == TOK_LT || p->t.kind == TOK_GT || p->t.kind == TOK_LBRACK || p->t.kind == TOK_RBRACK ||
			(args && (p->t.kind == TOK_LPAREN || p->t.kind == TOK_RPAREN)) || p->t.kind == TOK_QUESTION || p->t.kind == TOK_OR))
		next(p);
	if (p->t.kind == TOK_GE)
		take_gt(p);
}

static void list_of_lists(struct parser *p, struct span sp)
{
	struct diag_item *it = MISTAKE(p, CW0114, sp, "a list holds scalars, json, files or dirs, not lists");

	diag_mend(p->d, it, "write json for nested data, or reduce the inner list first");
}

/* "<" T ">" after list; T in *kind. */
static bool parse_element_type(struct parser *p, const struct token *list, enum type_kind *kind)
{
	struct token t;
	struct diag_item *it;

	next(p);
	t = p->t;
	if (t.kind != TOK_NAME) {
		parse_unexpected(p, "the type of the elements");
		return false;
	}
	*kind = type_word(p->lx.s + t.off, t.len);
	next(p);
	if (*kind == T_NONE && tok_is(p, &t, "list")) {
		list_of_lists(p, span_at(p, list->off, p->last));
		skip_type(p, true);
		return false;
	}
	if (*kind == T_NONE)
		no_such_type(p, &t);
	if (here(p, TOK_QUESTION)) {
		it = MISTAKE(p, CW0114, span_tok(p, &p->t), "the elements of a list are never absent");
		diag_mend(p->d, it, "a list that may be absent is list<T>?");
		next(p);
	}
	if (!take_gt(p)) {
		parse_unexpected(p, "'>'");
		skip_type(p, true);
		return false;
	}
	return *kind != T_NONE;
}

/* ---- types of other languages: T[], List[T], array<T>, Optional[T] ---- */

#define MEANT_DEPTH 3                 /* of types in types that are read; what lies deeper is no type of ours */

struct meant { const char *word; bool list, opt, nested; };             /* nested: a list of lists */

static bool takes(struct parser *p, enum token_kind kind)
{
	if (!here(p, kind))
		return false;
	next(p);
	return true;
}

static bool take_open(struct parser *p)
{
	return takes(p, TOK_LT) || takes(p, TOK_LBRACK) || takes(p, TOK_LPAREN);
}

static bool take_close(struct parser *p)
{
	return take_gt(p) || takes(p, TOK_RBRACK) || takes(p, TOK_RPAREN);
}

/* What is meant by the type whose first word is t, which was taken; its further tokens are taken as far as they are understood. False: not all. */
static bool meant_type(struct parser *p, const struct token *t, struct meant *m, int depth)
{
	const char *s = p->lx.s + t->off, *right = right_type(s, t->len);
	bool list = tok_is(p, t, "list") || (right && !strncmp(right, "list<", 5)), opt = right && right[0] == 'T';
	struct token inner;
	bool all = true;

	if ((list || opt) && take_open(p)) {
		inner = p->t;
		if (depth >= MEANT_DEPTH || !takes(p, TOK_NAME))
			return false;
		all = meant_type(p, &inner, m, depth + 1);
		if (all && !take_close(p))
			return false;                 /* tuple[int, str] */
		m->nested |= list && m->list;
		m->list |= list && m->word;
		m->opt = opt || (m->opt && !list);
	} else if (type_word(s, t->len) != T_NONE) {
		m->word = arena_dup(p->a, s, t->len);
	} else if (right && type_word(right, (uint32_t)strlen(right)) != T_NONE) {
		m->word = right;
	} else {
		return false;
	}
	while (all && takes(p, TOK_LBRACK)) {
		all = takes(p, TOK_RBRACK);
		m->nested |= all && m->list;
		m->list |= all;
	}
	return all;
}

/* A type that begins with the word t, which was taken, and that .cw writes otherwise or does not have. */
static void wrong_type(struct parser *p, const struct token *t)
{
	struct meant m = { 0 };
	bool known = meant_type(p, t, &m, 0), list = tok_is(p, t, "list"), ours = list || type_word(p->lx.s + t->off, t->len) != T_NONE;
	struct diag_item *it;

	if (!known || (!m.list && !m.opt))
		skip_type(p, p->last > t->off + t->len);
	if (m.nested) {
		list_of_lists(p, span_at(p, t->off, p->last));
	} else if (ours && m.word) {
		it = MISTAKE(p, CW0114, span_at(p, t->off, p->last), "a list type is written with list< >");
		diag_mend(p->d, it, "write list<%s>%s", m.word, here(p, TOK_QUESTION) ? "?" : "");
	} else if (m.list || m.opt) {
		it = MISTAKE(p, CW0113, span_at(p, t->off, p->last), "there is no type '%.*s'", (int)(p->last - t->off), p->lx.s + t->off);
		diag_mend(p->d, it, m.list ? "write list<%s>%s" : "write %s%s", m.word, m.opt || here(p, TOK_QUESTION) ? "?" : "");
	} else if (list) {
		it = MISTAKE(p, CW0114, span_tok(p, t), "a list needs the type of its elements");
		diag_mend(p->d, it, "for example list<string> or list<file>");
	} else {
		no_such_type(p, t);
	}
}

/*
 * type = ( scalar | "json" | "file" | "dir" | "list" "<" ( scalar | "json" | "file" | "dir" ) ">" ) [ "?" ]
 * scalar = "string" | "int" | "float" | "bool" | "time" | "duration" | "size"
 * False after an error, with kind T_NONE; the tokens of the type were taken where that could be told.
 */
bool parse_type(struct parser *p, struct type *type, struct span *sp)
{
	enum type_kind kind = T_NONE;
	struct token t = p->t;
	bool list, ok = true;

	*type = type_of(T_NONE);
	*sp = span_at(p, p->last, p->last);
	if (t.kind != TOK_NAME || t.nl_before) {
		parse_unexpected(p, "a type");
		return false;
	}
	next(p);
	list = tok_is(p, &t, "list") && here(p, TOK_LT);
	if (list) {
		ok = parse_element_type(p, &t, &kind);
	} else {
		kind = type_word(p->lx.s + t.off, t.len);
		ok = kind != T_NONE && !here(p, TOK_LBRACK);
		if (!ok)
			wrong_type(p, &t);
	}
	*sp = span_at(p, t.off, p->last);
	if (here(p, TOK_QUESTION)) {
		next(p);
		sp->len = p->last - t.off;
		type->opt = true;
	}
	type->list = list;
	type->kind = (uint8_t)kind;
	if (!ok)
		*type = type_of(T_NONE);
	return ok;
}

/* ---- declarations ---- */

enum part { PART_NONE, PART_TYPE, PART_NAMED, PART_TO, PART_AT, PART_VALUE, PART_IN };

static enum part part_at(const struct parser *p)
{
	if (p->t.nl_before)
		return PART_NONE;
	if (p->t.kind == TOK_COLON)
		return PART_TYPE;
	if (p->t.kind == TOK_ASSIGN)
		return PART_VALUE;
	if (p->t.kind != TOK_NAME)
		return PART_NONE;
	return tok_is(p, &p->t, "named") ? PART_NAMED : tok_is(p, &p->t, "to") ? PART_TO : tok_is(p, &p->t, "at") ? PART_AT :
		tok_is(p, &p->t, "in") ? PART_IN : PART_NONE;
}

/* The value is a default: `in` after it starts the list of allowed values. */
static bool has_default(enum ast_stmt_kind kind, enum body in)
{
	return kind == AS_PARAM || kind == AS_ASK || (kind == AS_IN && in == IN_TASK);
}

/* An operator after a default that binds too loosely for it. */
static bool loose_default(struct parser *p)
{
	struct diag_item *it;
	enum token_kind k = (enum token_kind)p->t.kind;

	if (p->t.nl_before || !(k == TOK_QUESTION || k == TOK_COALESCE || k == TOK_OR || k == TOK_AND || (k >= TOK_EQ && k <= TOK_GE)))
		return false;
	it = MISTAKE(p, CW0101, span_tok(p, &p->t), "a default that compares or chooses stands in parentheses");
	diag_mend(p->d, it, "write = (... %.*s ...); an 'in [...]' after a default is the list of allowed values", (int)p->t.len, p->lx.s + p->t.off);
	return true;
}

static bool parse_part(struct parser *p, enum part part, enum ast_stmt_kind kind, enum body in, const struct str *name, struct ast_decl *decl)
{
	struct ast_expr **at = part == PART_NAMED ? &decl->named : part == PART_TO ? &decl->to : part == PART_AT ? &decl->at : &decl->in;

	next(p);
	if (part == PART_TYPE) {
		parse_type(p, &decl->type, &decl->type_span);
		return true;
	}
	if (part != PART_VALUE) {
		*at = part == PART_NAMED || part == PART_AT ? parse_unary(p) : parse_default(p);
		return *at;
	}
	if (kind == AS_OUT && in != IN_WORKFLOW && !p->t.nl_before && tok_is(p, &p->t, "stdout")) {
		next(p);
		decl->is_stdout = true;
		return true;
	}
	if (!has_default(kind, in) || at_end_of_entry(p)) {
		decl->value = parse_value(p, name->s);
		return decl->value;
	}
	decl->value = parse_default(p);
	return decl->value && !loose_default(p);
}

/* A type or a value right after the name: its ':' or '=' was left out. */
static bool missing_colon(struct parser *p, const struct str *name, struct ast_decl *decl)
{
	struct token t = p->t;
	struct diag_item *it;
	uint32_t at;

	if (t.kind == TOK_QUESTION && !t.nl_before && after_token(p, &t, &at) == ':') {
		it = MISTAKE(p, CW0114, span_tok(p, &t), "the '?' of what may be absent stands after the type");
		diag_mend(p->d, it, "write %s: TYPE?", name->s);
		next(p);
		return true;
	}
	if (t.kind != TOK_NAME || t.nl_before || part_at(p) != PART_NONE)
		return false;
	if (type_of_word(p->lx.s + t.off, t.len) == T_NONE && !tok_is(p, &t, "list"))
		return false;
	it = MISTAKE(p, CW0112, span_at(p, p->last, p->last + 1), "a ':' is missing between '%s' and its type", name->s);
	diag_mend(p->d, it, "write %s: %.*s", name->s, (int)t.len, p->lx.s + t.off);
	parse_type(p, &decl->type, &decl->type_span);
	return true;
}

/*
 * declaration = NAME [ ":" type ] [ "named" unary ] [ "to" sum ] [ "at" unary ] [ "=" ( "stdout" | sum | expression ) ] [ "in" sum ]
 * The NAME was taken. The value is a sum in param, ask and the in of a task, "stdout" only in the out of a task or step.
 */
struct ast_decl *parse_declaration(struct parser *p, enum ast_stmt_kind kind, enum body in, const struct str *name)
{
	struct ast_decl *decl = arena_new_of(p->a, struct ast_decl);
	enum part part, highest = PART_NONE;
	struct diag_item *it;
	bool told = false;

	if (missing_colon(p, name, decl))
		highest = here(p, TOK_COLON) ? PART_NONE : PART_TYPE;
	while ((part = part_at(p)) != PART_NONE) {
		if (part <= highest && !told) {
			it = MISTAKE(p, CW0115, span_tok(p, &p->t), part == highest ? "%s is given twice" : "%s comes too late in the declaration of '%s'",
				part == PART_TYPE ? "the type" : part == PART_VALUE ? "the value" : tok_words(p, &p->t), name->s);
			diag_mend(p->d, it, "the order is NAME: TYPE named S to E at S = VALUE in LIST");
			told = true;
		}
		if (!parse_part(p, part, kind, in, name, decl))
			return NULL;
		if (part > highest)
			highest = part;
	}
	if (at_end_of_entry(p))
		return decl;
	if (highest != PART_NONE) {
		uint32_t from = p->t.off;

		parse_unexpected(p, "a new line or ';'");
		skip_entry(p, from);
		return decl;              /* what was read stands: its uses are no further errors */
	}
	it = parse_unexpected(p, "':' and a type, or '=' and a value");
	diag_mend(p->d, it, "write %s: TYPE or %s = VALUE", name->s, name->s);
	return NULL;
}
