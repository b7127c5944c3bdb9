/* Values of literals: numbers with their units, strings with escapes and ${ }, verbatim blocks. */
#include <math.h>
#include <string.h>

#include "couler/value.h"
#include "parse.h"

/* ---- numbers ---- */

static struct ast_expr *out_of_range(struct parser *p, struct ast_expr *e, const char *what)
{
	uint32_t n = e->span.len > 40 ? 40 : e->span.len;
	struct diag_item *it = diag_at(p->d, CW0006, e->span, "%.*s%s is out of the range of %s", (int)n, p->lx.s + e->span.off, n < e->span.len ? "..." : "", what);

	if (e->kind == AX_INT)
		diag_mend(p->d, it, "an int is within 9007199254740991 (2^53 - 1) on either side; longer digits are text: put them in quotes");
	e->kind = AX_ERROR;
	return e;
}

static struct ast_expr *int_value(struct parser *p, struct ast_expr *e)
{
	const char *s = p->lx.s + e->span.off;

	for (uint32_t i = 0; i < e->span.len; i++) {
		e->u.i = e->u.i * 10 + (s[i] - '0');
		if (e->u.i > INT_LIMIT)
			return out_of_range(p, e, "an int");
	}
	return e;
}

static struct ast_expr *number(struct parser *p, const struct token *t, struct ast_expr *e)
{
	const char *s = p->lx.s + t->off;

	switch (t->kind) {
	case TOK_INT:
		e->kind = AX_INT;
		return int_value(p, e);
	case TOK_FLOAT:
		e->kind = AX_FLOAT;
		return double_parse(s, t->len, &e->u.d) ? out_of_range(p, e, "a float") : e;
	case TOK_DURATION:
		e->kind = AX_DURATION;
		return duration_parse(s, t->len, &e->u.d) || !isfinite(e->u.d) ? out_of_range(p, e, "a duration") : e;
	default:
		e->kind = AX_SIZE;
		return size_parse(s, t->len, &e->u.d) || !isfinite(e->u.d) ? out_of_range(p, e, "a size") : e;
	}
}

/* ---- strings ---- */

/* u{1F600}, at i, the position after the backslash. The position after it. */
static uint32_t unicode_escape(struct parser *p, uint32_t i)
{
	const char *s = p->lx.s;
	uint32_t from = i - 1, cp = 0, n = 0, j = i + 2;
	struct diag_item *it;
	char utf8[4];

	if (s[i + 1] == '{')
		for (; n < 7 && ((s[j] >= '0' && s[j] <= '9') || ((s[j] | 32) >= 'a' && (s[j] | 32) <= 'f')); j++, n++)
			cp = cp * 16 + (uint32_t)(lex_is_digit((unsigned char)s[j]) ? s[j] - '0' : (s[j] | 32) - 'a' + 10);
	if (s[i + 1] != '{' || !n || n > 6 || s[j] != '}') {
		it = diag_at(p->d, CW0011, span_at(p, from, s[i + 1] == '{' ? j : i + 1), "a character by number is written \\u{...} with one to six hexadecimal digits");
		diag_mend(p->d, it, "for example \\u{e9} or \\u{1F600}");
		return s[i + 1] == '{' && s[j] == '}' ? j + 1 : i + 1;
	}
	if (cp >= 0xd800 && cp <= 0xdfff) {
		it = diag_at(p->d, CW0011, span_at(p, from, j + 1), "\\u{%.*s} is half of a surrogate pair, not a character", (int)n, s + i + 2);
		diag_mend(p->d, it, "write the character's own number: \\u{1F600}, not \\u{D83D}\\u{DE00}");
	} else if (cp > 0x10ffff) {
		diag_at(p->d, CW0011, span_at(p, from, j + 1), "\\u{%.*s} is past the last character, \\u{10FFFF}", (int)n, s + i + 2);
	} else if (!cp) {
		diag_at(p->d, CW0011, span_at(p, from, j + 1), "a string cannot hold the character \\u{0}");
	} else {
		sb_add(&p->buf, utf8, utf8_encode(utf8, cp));
	}
	return j + 1;
}

/* The escape whose backslash is at i, into p->buf. The position after it. */
static uint32_t escape(struct parser *p, uint32_t i)
{
	static const char from[] = "ntr\"\\$", to[] = "\n\t\r\"\\$";
	char c = p->lx.s[i + 1];
	const char *known = c ? strchr(from, c) : NULL;
	struct diag_item *it;
	uint32_t len = 2;

	if (known) {
		sb_ch(&p->buf, to[known - from]);
		return i + 2;
	}
	if (c == 'u')
		return unicode_escape(p, i + 1);
	while ((p->lx.s[i + len] & 0xc0) == 0x80)
		len++;
	it = diag_at(p->d, CW0011, span_at(p, i, i + len), "'%.*s' is not an escape", (int)len, p->lx.s + i);
	diag_mend(p->d, it, "escapes are \\n \\t \\r \\\" \\\\ \\$ \\u{...}; a backslash is written \\\\, and \"\"\"...\"\"\" takes text as it is");
	return i + len;
}

/*
 * interpolation = "${" expression "}"
 * from: the '$'; end: after the '}'. Reads inside the string by a lexer of its own.
 */
static struct ast_expr *parse_interpolation(struct parser *p, uint32_t from, uint32_t end)
{
	struct lexer outer = p->lx;
	struct token t = p->t;
	uint32_t last = p->last;
	struct ast_expr *e = NULL;
	struct diag_item *it;

	p->lx.pos = from + 2;
	p->lx.end = end - 1;
	p->lx.inside = true;
	next(p);
	if (p->t.kind == TOK_EOF) {
		it = diag_at(p->d, CW0010, span_at(p, from, end), "'${}' holds no expression");
		diag_mend(p->d, it, "write ${name}; a '${' that is text is written \\${");
	} else {
		e = parse_expression(p);
		if (e && p->t.kind != TOK_EOF) {
			parse_unexpected(p, "an operator or '}'");
			e = NULL;
		}
	}
	p->lx = outer;
	p->t = t;
	p->last = last;
	if (p->dead) {
		p->lx.end = p->lx.pos;
		p->t = (struct token){ .kind = TOK_EOF, .off = p->lx.pos };
	}
	return e ? e : expr_make(p, AX_ERROR, from);
}

static struct ast_expr *piece(struct parser *p, uint32_t from, uint32_t to)
{
	struct ast_expr *e = expr_make(p, AX_STRING, from);

	e->span.len = to - from;
	e->u.str = str_intern(p->strs, p->buf.s ? p->buf.s : "", p->buf.n);
	return e;
}

/*
 * string = '"' { character | escape | interpolation } '"'
 * The buffer holds the piece that is read; interpolations nest, so each piece is interned before the next expression.
 */
static struct ast_expr *string(struct parser *p, const struct token *t, struct ast_expr *e)
{
	const char *s = p->lx.s;
	uint32_t i = t->off + 1, end = t->off + t->len - 1, from = i;
	size_t mark = p->nscratch;
	struct ast_expr *x;

	if (!t->interp && !t->escapes) {
		e->u.str = str_intern(p->strs, s + i, end - i);
		return e;
	}
	p->buf.n = 0;
	while (i < end) {
		if (s[i] == '\\') {
			i = escape(p, i);
		} else if (s[i] == '$' && s[i + 1] == '{') {
			uint32_t close = lex_interp_end(s, i + 2, 0);

			if (p->buf.n) {
				x = piece(p, from, i);
				scratch_push(p, &x, sizeof x);
			}
			x = parse_interpolation(p, i, close);
			if (!expr_above(p, e, x))
				break;
			scratch_push(p, &x, sizeof x);
			p->buf.n = 0;
			i = from = close;
		} else {
			const char *stop = s + i + 1;

			while (stop < s + end && *stop != '\\' && *stop != '$')
				stop++;
			sb_add(&p->buf, s + i, (size_t)(stop - (s + i)));
			i = (uint32_t)(stop - s);
		}
	}
	if (!t->interp) {
		e->u.str = str_intern(p->strs, p->buf.s ? p->buf.s : "", p->buf.n);
		return e;
	}
	if (p->buf.n) {
		x = piece(p, from, end);
		scratch_push(p, &x, sizeof x);
	}
	e->kind = AX_INTERP;
	e->args = scratch_take(p, mark, sizeof x, &e->n);
	return e;
}

/* ---- verbatim blocks ---- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Start of the line after the one at i; end if there is none. */
static uint32_t next_line(const char *s, uint32_t i, uint32_t end)
{
	const char *nl = memchr(s + i, '\n', end - i);

	return nl ? (uint32_t)(nl + 1 - s) : end;
}

/* The blanks that all lines with text share, from line start i on: their length, and where they stand first in *at. */
static uint32_t indentation(const char *s, uint32_t i, uint32_t end, uint32_t *at)
{
	uint32_t common = UINT32_MAX;

	for (uint32_t line = i, after; line < end; line = after) {
		uint32_t n = 0;

		after = next_line(s, line, end);
		while (line + n < after && is_blank(s[line + n]))
			n++;
		if (line + n == after || s[line + n] == '\n' || (s[line + n] == '\r' && line + n + 1 < after && s[line + n + 1] == '\n'))
			continue;
		if (common == UINT32_MAX) {
			*at = line;
			common = n;
		}
		for (uint32_t k = 0; k < common && k <= n; k++)
			if (k == n || s[line + k] != s[*at + k]) {
				common = k;
				break;
			}
	}
	return common == UINT32_MAX ? 0 : common;
}

/*
 * verbatim = '"""' text '"""' | "'''" text "'''"
 * A leading newline goes, then the common indentation of the lines that hold text, but for text right after the
 * opening quotes, and the blanks before the closing ones. Line ends become LF.
 */
static struct ast_expr *verbatim(struct parser *p, const struct token *t, struct ast_expr *e)
{
	const char *s = p->lx.s;
	uint32_t i = t->off + 3, end = t->off + t->len - 3, at = 0, common, line;

	e->verbatim = true;
	while (end > i && is_blank(s[end - 1]))
		end--;
	if (!memchr(s + i, '\n', end - i)) {
		e->u.str = str_intern(p->strs, s + i, end - i);
		return e;
	}
	p->buf.n = 0;
	if (s[i] == '\n' || (s[i] == '\r' && s[i + 1] == '\n'))
		i = line = next_line(s, i, end);
	else
		line = next_line(s, i, end);
	common = indentation(s, line, end, &at);
	while (i < end) {
		uint32_t after = next_line(s, i, end), from = i, to = after;

		for (uint32_t k = 0; i >= line && k < common && from < after && s[from] == s[at + k]; k++)
			from++;
		if (to > from && s[to - 1] == '\n') {
			to--;
			to -= to > from && s[to - 1] == '\r';
			sb_add(&p->buf, s + from, to - from);
			sb_ch(&p->buf, '\n');
		} else {
			sb_add(&p->buf, s + from, to - from);
		}
		i = after;
	}
	e->u.str = str_intern(p->strs, p->buf.s ? p->buf.s : "", p->buf.n);
	return e;
}

/*
 * literal = int | float | duration | size | string | verbatim
 */
struct ast_expr *parse_literal(struct parser *p)
{
	struct token t = p->t;
	struct ast_expr *e = expr_make(p, AX_STRING, t.off);

	next(p);
	e->span.len = t.len;
	if (t.kind == TOK_STRING)
		return string(p, &t, e);
	if (t.kind == TOK_VERBATIM)
		return verbatim(p, &t, e);
	return number(p, &t, e);
}
