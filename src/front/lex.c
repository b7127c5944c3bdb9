/* The lexer: one token at a time from a text that is known to be UTF-8 without NUL bytes. */
#include "parse.h"

#include <string.h>

const char *token_words(enum token_kind k)
{
	static const char *const words[TOK_COUNT] = {
#define X(k, s) [TOK_##k] = s,
		TOKENS(X)
#undef X
	};

	return words[k];
}

enum { C_BAD, C_NAME, C_DIGIT, C_QUOTE, C_APOS, C_ONE, C_TWO };

/* What a byte starts. */
static const unsigned char class[256] = {
	['"'] = C_QUOTE, ['\''] = C_APOS, ['_'] = C_NAME,
	['a'] = C_NAME, ['b'] = C_NAME, ['c'] = C_NAME, ['d'] = C_NAME, ['e'] = C_NAME, ['f'] = C_NAME, ['g'] = C_NAME, ['h'] = C_NAME, ['i'] = C_NAME,
	['j'] = C_NAME, ['k'] = C_NAME, ['l'] = C_NAME, ['m'] = C_NAME, ['n'] = C_NAME, ['o'] = C_NAME, ['p'] = C_NAME, ['q'] = C_NAME, ['r'] = C_NAME,
	['s'] = C_NAME, ['t'] = C_NAME, ['u'] = C_NAME, ['v'] = C_NAME, ['w'] = C_NAME, ['x'] = C_NAME, ['y'] = C_NAME, ['z'] = C_NAME,
	['A'] = C_NAME, ['B'] = C_NAME, ['C'] = C_NAME, ['D'] = C_NAME, ['E'] = C_NAME, ['F'] = C_NAME, ['G'] = C_NAME, ['H'] = C_NAME, ['I'] = C_NAME,
	['J'] = C_NAME, ['K'] = C_NAME, ['L'] = C_NAME, ['M'] = C_NAME, ['N'] = C_NAME, ['O'] = C_NAME, ['P'] = C_NAME, ['Q'] = C_NAME, ['R'] = C_NAME,
	['S'] = C_NAME, ['T'] = C_NAME, ['U'] = C_NAME, ['V'] = C_NAME, ['W'] = C_NAME, ['X'] = C_NAME, ['Y'] = C_NAME, ['Z'] = C_NAME,
	['0'] = C_DIGIT, ['1'] = C_DIGIT, ['2'] = C_DIGIT, ['3'] = C_DIGIT, ['4'] = C_DIGIT,
	['5'] = C_DIGIT, ['6'] = C_DIGIT, ['7'] = C_DIGIT, ['8'] = C_DIGIT, ['9'] = C_DIGIT,
	['{'] = C_ONE, ['}'] = C_ONE, ['['] = C_ONE, [']'] = C_ONE, ['('] = C_ONE, [')'] = C_ONE, [';'] = C_ONE, [','] = C_ONE, [':'] = C_ONE,
	['.'] = C_ONE, ['+'] = C_ONE, ['-'] = C_ONE, ['*'] = C_ONE, ['/'] = C_ONE, ['%'] = C_ONE,
	['='] = C_TWO, ['?'] = C_TWO, ['|'] = C_TWO, ['&'] = C_TWO, ['!'] = C_TWO, ['<'] = C_TWO, ['>'] = C_TWO,
};

/* Tokens of one byte; also those that a second byte may follow. */
static const unsigned char one[128] = {
	['{'] = TOK_LBRACE, ['}'] = TOK_RBRACE, ['['] = TOK_LBRACK, [']'] = TOK_RBRACK, ['('] = TOK_LPAREN, [')'] = TOK_RPAREN,
	[';'] = TOK_SEMI, [','] = TOK_COMMA, [':'] = TOK_COLON, ['.'] = TOK_DOT, ['+'] = TOK_PLUS, ['-'] = TOK_MINUS, ['*'] = TOK_STAR,
	['/'] = TOK_SLASH, ['%'] = TOK_PERCENT, ['='] = TOK_ASSIGN, ['?'] = TOK_QUESTION, ['!'] = TOK_NOT, ['<'] = TOK_LT, ['>'] = TOK_GT,
	['|'] = TOK_BAD, ['&'] = TOK_BAD,
};

static void lex_two(struct token *t, const char *s)
{
	char c = s[0], d = s[1];
	enum token_kind k = d == '=' ? (c == '=' ? TOK_EQ : c == '!' ? TOK_NE : c == '<' ? TOK_LE : c == '>' ? TOK_GE : TOK_BAD)
		: d != c ? TOK_BAD : c == '?' ? TOK_COALESCE : c == '|' ? TOK_OR : c == '&' ? TOK_AND : TOK_BAD;

	t->kind = k == TOK_BAD ? one[(unsigned char)c] : (uint8_t)k;
	t->len = k == TOK_BAD ? 1 : 2;
}

/* A unit at s and its length; 'd' for a duration, 's' for a size, 0 for none. */
static char lex_unit(const char *s, uint32_t *len)
{
	static const char units[][3] = { "ms", "s", "m", "h", "d", "KB", "MB", "GB", "TB", "Ki", "Mi", "Gi", "Ti", "B" };

	for (uint32_t i = 0; i < sizeof units / sizeof *units; i++) {
		uint32_t n = units[i][1] ? 2 : 1;

		if (s[0] == units[i][0] && (n == 1 || s[1] == units[i][1])) {
			*len = n;
			return i < 5 ? 'd' : 's';
		}
	}
	return 0;
}

/* Digits with a fraction, at i; the position after them. */
static uint32_t lex_digits(const char *s, uint32_t i, bool *fraction)
{
	while (lex_is_digit((unsigned char)s[i]))
		i++;
	*fraction = s[i] == '.' && lex_is_digit((unsigned char)s[i + 1]);
	if (*fraction)
		for (i++; lex_is_digit((unsigned char)s[i]); i++)
			;
	return i;
}

/* INT, FLOAT, DURATION (1h30m) or SIZE; anything that goes on like a number or a name is BAD, whole. */
static void lex_number(struct token *t, const char *s)
{
	uint32_t i = t->off, n = 0;
	bool fraction;
	char unit = 0;

	i = lex_digits(s, i, &fraction);
	t->kind = fraction ? TOK_FLOAT : TOK_INT;
	if ((s[i] == 'e' || s[i] == 'E') && (lex_is_digit((unsigned char)s[i + 1]) ||
			((s[i + 1] == '+' || s[i + 1] == '-') && lex_is_digit((unsigned char)s[i + 2])))) {
		for (i += 2; lex_is_digit((unsigned char)s[i]); i++)
			;
		t->kind = TOK_FLOAT;
	} else if ((unit = lex_unit(s + i, &n))) {
		t->kind = unit == 'd' ? TOK_DURATION : TOK_SIZE;
		for (i += n; unit == 'd' && lex_is_digit((unsigned char)s[i]); i += n) {
			i = lex_digits(s, i, &fraction);
			unit = lex_unit(s + i, &n);
			if (unit != 'd')
				break;
		}
		if (t->kind == TOK_DURATION && unit != 'd')
			t->kind = TOK_BAD;
	}
	if (lex_is_name((unsigned char)s[i]) || (s[i] == '.' && lex_is_name((unsigned char)s[i + 1])) ||
			(s[t->off] == '0' && lex_is_digit((unsigned char)s[t->off + 1])))
		t->kind = TOK_BAD;
	if (t->kind == TOK_BAD)
		while (lex_is_name((unsigned char)s[i]) || (s[i] == '.' && lex_is_name((unsigned char)s[i + 1])))
			i++;
	t->len = i - t->off;
}

uint32_t lex_string_end(const char *s, uint32_t i, unsigned depth, bool *interp, bool *escapes)
{
	for (;;) {
		switch (s[i]) {
		case '"':
			return i + 1;
		case '\\':
			*escapes = true;
			i += s[i + 1] == '\n' || s[i + 1] == '\0' ? 1 : 2;
			break;
		case '$':
			i++;
			if (s[i] != '{')
				break;
			*interp = true;
			i = lex_interp_end(s, i + 1, depth);
			if (!i)
				return 0;
			break;
		case '\n': case '\0':
			return 0;
		default:
			i++;
		}
	}
}

uint32_t lex_interp_end(const char *s, uint32_t i, unsigned depth)
{
	uint32_t braces = 0;
	bool flag;

	if (depth >= PARSE_DEPTH)
		return 0;
	for (;;) {
		switch (s[i]) {
		case '{':
			braces++;
			i++;
			break;
		case '}':
			i++;
			if (!braces--)
				return i;
			break;
		case '"':
			i = lex_string_end(s, i + 1, depth + 1, &flag, &flag);
			if (!i)
				return 0;
			break;
		case '\n': case '\0':
			return 0;
		default:
			i++;
		}
	}
}

/*
 * A string, BAD up to the end of the line where it is not closed on it. A quote right after the closing one
 * says that it closed nothing: in `doc = "x; run = """true"""` it is the first of the three that open a block.
 */
static void lex_string(struct token *t, const char *s)
{
	bool interp = false, escapes = false;
	uint32_t i = lex_string_end(s, t->off + 1, 0, &interp, &escapes);

	if (i && s[i] == '"')
		i = 0;
	t->kind = i ? TOK_STRING : TOK_BAD;
	t->interp = interp;
	t->escapes = escapes;
	if (!i)
		for (i = t->off; s[i] && s[i] != '\n'; i++)
			;
	t->len = i - t->off;
}

/* A verbatim block: the last three of the first run of at least three quotes close it. */
static void lex_verbatim(struct token *t, const char *s, uint32_t end)
{
	char q = s[t->off];
	uint32_t i = t->off + 3;

	t->kind = TOK_VERBATIM;
	for (;;) {
		const char *p = memchr(s + i, q, end - i);
		uint32_t run = 0;

		if (!p) {
			t->kind = TOK_BAD;
			t->len = end - t->off;
			return;
		}
		i = (uint32_t)(p - s);
		while (i < end && s[i] == q) {
			i++;
			run++;
		}
		if (run >= 3)
			break;
	}
	t->len = i - t->off;
}

/* The end of text in the curly quotes that editors make, which start at off; i if there is none on the line. */
static uint32_t curly_end(const char *s, uint32_t off, uint32_t i)
{
	uint32_t end = i;

	if (strncmp(s + off, "\xe2\x80\x9c", 3) != 0 && strncmp(s + off, "\xe2\x80\x98", 3) != 0)
		return i;
	while (s[end] && s[end] != '\n') {
		if (!strncmp(s + end, "\xe2\x80\x9d", 3) || !strncmp(s + end, "\xe2\x80\x99", 3))
			return end + 3;
		end++;
	}
	return i;
}

/* What no token starts with: taken whole where that keeps a mistake to one error ('...', $x, $(...), ${...}). */
static void lex_bad(struct token *t, const char *s)
{
	uint32_t i = t->off + 1;
	char open = s[i], close = open == '(' ? ')' : '}';
	unsigned depth = 0;

	t->kind = TOK_BAD;
	if (s[t->off] == '\'') {
		while (s[i] && s[i] != '\n' && s[i] != '\'')
			i++;
		i += s[i] == '\'';
	} else if (s[t->off] == '$' && (open == '(' || open == '{')) {
		for (; s[i] && s[i] != '\n'; i++) {
			depth += s[i] == open;
			if (s[i] == close && !--depth) {
				i++;
				break;
			}
		}
	} else if (s[t->off] == '$' || s[t->off] == '@') {
		while (lex_is_name((unsigned char)s[i]))
			i++;
	} else {
		while ((s[i] & 0xc0) == 0x80)
			i++;
		i = curly_end(s, t->off, i);
	}
	t->len = i - t->off;
}

static void lex_comment(struct lexer *l, uint32_t i)
{
	const char *nl = memchr(l->s + i, '\n', l->end - i);
	uint32_t end = nl ? (uint32_t)(nl - l->s) : l->end, from = i;

	if (end > i && l->s[end - 1] == '\r')
		end--;
	while (from && (l->s[from - 1] == ' ' || l->s[from - 1] == '\t'))
		from--;
	vec_push(l->a, &l->comments, ((struct comment){ i, end - i, !from || l->s[from - 1] == '\n' }));
	l->pos = end;
}

/* Past blanks, line ends and comments; true where a line ended. */
static bool lex_space(struct lexer *l, uint32_t *at)
{
	const char *s = l->s;
	uint32_t i = l->pos;
	bool nl = false;

	for (;; i++) {
		while (s[i] == ' ')
			i++;
		if (s[i] == '\n') {
			nl = true;
		} else if (s[i] == '#' && !l->inside) {
			lex_comment(l, i);
			i = l->pos - 1;
		} else if (s[i] != '\t' && (s[i] != '\r' || s[i + 1] != '\n')) {
			break;
		}
	}
	*at = i;
	return nl;
}

void lex(struct lexer *l, struct token *t)
{
	const char *s = l->s;
	uint32_t i;

	*t = (struct token){ .kind = TOK_EOF };
	t->nl_before = lex_space(l, &i);
	t->off = i < l->end ? i : l->end;
	l->pos = t->off;
	if (i >= l->end)
		return;
	switch (class[(unsigned char)s[i]]) {
	case C_NAME:
		t->kind = TOK_NAME;
		do
			i++;
		while ((unsigned)class[(unsigned char)s[i]] - C_NAME <= C_DIGIT - C_NAME);
		t->len = i - t->off;
		break;
	case C_ONE:
		t->kind = one[(unsigned char)s[i]];
		t->len = 1;
		break;
	case C_TWO:
		lex_two(t, s + i);
		break;
	case C_DIGIT:
		lex_number(t, s);
		break;
	case C_QUOTE: case C_APOS:
		if (!l->inside && s[i + 1] == s[i] && s[i + 2] == s[i])
			lex_verbatim(t, s, l->end);
		else if (s[i] == '"')
			lex_string(t, s);
		else
			lex_bad(t, s);
		break;
	default:
		lex_bad(t, s);
	}
	l->pos = t->off + t->len;
}
