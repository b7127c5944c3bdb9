/* What is wrong with a TOK_BAD, and what to write instead. */
#include <stdlib.h>
#include <string.h>

#include "parse.h"

/* Units of other languages: what .cw calls them. */
static const struct { const char *theirs, *ours; } units[] = {
	{ "K", "Ki" }, { "k", "KB" }, { "kb", "KB" }, { "KiB", "Ki" }, { "M", "Mi" }, { "mb", "MB" }, { "MiB", "Mi" }, { "mi", "Mi" }, { "G", "Gi" }, { "g", "Gi" },
	{ "gb", "GB" }, { "Gb", "GB" }, { "gi", "Gi" }, { "GiB", "Gi" }, { "gib", "Gi" }, { "gig", "Gi" }, { "gigs", "Gi" }, { "T", "Ti" }, { "tb", "TB" }, { "TiB", "Ti" },
	{ "b", "B" }, { "bytes", "B" }, { "sec", "s" }, { "secs", "s" }, { "second", "s" }, { "seconds", "s" }, { "S", "s" }, { "min", "m" }, { "mins", "m" }, { "minute", "m" },
	{ "minutes", "m" }, { "hr", "h" }, { "hrs", "h" }, { "hour", "h" }, { "hours", "h" }, { "H", "h" }, { "day", "d" }, { "days", "d" }, { "D", "d" }, { "msec", "ms" },
	{ "millis", "ms" },
};

static void mend_unit(struct parser *p, struct diag_item *it, const char *s, uint32_t n)
{
	uint32_t i = 0;

	while (i < n && (lex_is_digit((unsigned char)s[i]) || s[i] == '.'))
		i++;
	for (size_t k = 0; k < sizeof units / sizeof *units; k++) {
		if (strlen(units[k].theirs) != n - i || memcmp(units[k].theirs, s + i, n - i) != 0)
			continue;
		diag_mend(p->d, it, "write %.*s%s", (int)i, s, units[k].ours);
		return;
	}
	diag_mend(p->d, it, "units are ms s m h d for durations (1h30m) and B KB MB GB TB Ki Mi Gi Ti for sizes (1.5Gi); text takes quotes");
}

/* The digits without underscores and leading zeros, for "write 1000". */
static void mend_digits(struct parser *p, struct diag_item *it, const char *s, uint32_t n)
{
	struct strbuf b = { 0 };
	uint32_t i = 0;

	while (i + 1 < n && (s[i] == '0' || s[i] == '_') && s[i + 1] != '.')
		i++;
	for (; i < n; i++)
		if (s[i] != '_')
			sb_ch(&b, s[i]);
	diag_mend(p->d, it, "write %s, or in quotes if it is text", sb_cstr(&b));
	sb_free(&b);
}

static void bad_number(struct parser *p, struct span sp, const char *s, uint32_t n)
{
	uint32_t shown = n > 60 ? 60 : n, dots = 0, plain = 0;
	struct diag_item *it = diag_at(p->d, CW0005, sp, "'%.*s%s' is not a number, a duration or a size", (int)shown, s, n > shown ? "..." : "");

	for (uint32_t i = 0; i < n; i++) {
		dots += s[i] == '.';
		plain += lex_is_digit((unsigned char)s[i]) || s[i] == '_' || s[i] == '.';
	}
	if (n > 2 && s[0] == '0' && (s[1] | 32) == 'x' && strspn(s + 2, "0123456789abcdefABCDEF") >= n - 2)
		diag_mend(p->d, it, "numbers are decimal: write %llu", strtoull(s + 2, NULL, 16));
	else if (dots > 1)
		diag_mend(p->d, it, "a version or an address is text: write \"%.*s\"", (int)shown, s);
	else if (plain == n)
		mend_digits(p, it, s, shown);
	else
		mend_unit(p, it, s, shown);
}

/* Where on its line the ${ that has no '}' starts; 0 if there is none. */
static uint32_t open_interp(const struct parser *p, const struct token *t)
{
	const char *s = p->lx.s;

	for (uint32_t i = t->off + 1; i < t->off + t->len; i++) {
		if (s[i] == '\\')
			i++;
		else if (s[i] == '"')
			return 0;
		else if (s[i] == '$' && s[i + 1] == '{') {
			uint32_t end = lex_interp_end(s, i + 2, 0);

			if (!end)
				return i;
			i = end - 1;
		}
	}
	return 0;
}

static void bad_string(struct parser *p, const struct token *t)
{
	uint32_t at = open_interp(p, t), shown = t->len > 30 ? 30 : t->len, open = 0;
	struct diag_item *it;

	p->torn = t->off;
	for (uint32_t i = t->off; i < t->off + t->len; i++) {
		open += p->lx.s[i] == '{' && i != at + 1;
		if (p->lx.s[i] == '}' && open)
			open--;
		else if (p->lx.s[i] == '}')
			p->lost++;
	}

	if (at) {
		it = diag_at(p->d, CW0010, span_at(p, at, at + 2), "this '${' is not closed by a '}' on its line");
		diag_mend(p->d, it, "write ${expr}; quotes inside of it come in pairs; a '${' that is text is written \\${");
		return;
	}
	it = diag_at(p->d, CW0007, span_at(p, t->off, t->off + shown), "this string is not closed on its line");
	diag_mend(p->d, it, "end it with '\"'; text of several lines stands between \"\"\" and \"\"\"");
}

/* Characters that an editor or a chat puts in the place of others. */
static const struct { const char *utf8, *name, *mend; } lookalikes[] = {
	{ "\xe2\x80\x9c", "a curly quote", "write a plain \"" }, { "\xe2\x80\x9d", "a curly quote", "write a plain \"" },
	{ "\xe2\x80\x98", "a curly quote", "write a plain \"" }, { "\xe2\x80\x99", "a curly quote", "write a plain \"" },
	{ "\xc2\xab", "an angle quote", "write a plain \"" }, { "\xc2\xbb", "an angle quote", "write a plain \"" },
	{ "\xc2\xa0", "a no-break space", "write a plain space" }, { "\xe2\x80\x8b", "a zero-width space", "remove it" },
	{ "\xef\xbb\xbf", "a byte order mark", "remove it; it may only start a file" }, { "\xe2\x80\x93", "a dash", "write a plain -" },
	{ "\xe2\x80\x94", "a dash", "write a plain -" }, { "\xe2\x88\x92", "a minus sign", "write a plain -" }, { "\xe2\x89\xa4", "a sign", "write <=" },
	{ "\xe2\x89\xa5", "a sign", "write >=" }, { "\xe2\x89\xa0", "a sign", "write !=" }, { "\xe2\x86\x92", "an arrow", "write what comes after what with 'after = [name]'" },
	{ "\xc3\x97", "a sign", "write *" }, { "\xe2\x80\xa6", "an ellipsis", "write the entries out" },
};

static void bad_char(struct parser *p, struct span sp, const char *s, uint32_t n)
{
	static const struct { char c; const char *mend; } ascii[] = {
		{ '&', "'and' is written &&" }, { '|', "'or' is written ||" }, { '`', "strings take double quotes" }, { '\\', "an entry goes on after an operator, a ',' or an opening bracket" },
		{ '@', "there are no decorators; attributes are written NAME = VALUE" }, { '~', "'not' is written !" }, { '\r', "lines end with LF or CRLF" },
		{ '^', "there is no such operator; powers are computed in a step" },
	};
	struct strbuf b = { 0 };
	struct diag_item *it;

	for (size_t i = 0; i < sizeof lookalikes / sizeof *lookalikes; i++) {
		if (strncmp(s, lookalikes[i].utf8, strlen(lookalikes[i].utf8)) != 0)
			continue;
		it = diag_at(p->d, CW0004, sp, "%s ('%.*s') stands outside of a string", lookalikes[i].name, (int)strlen(lookalikes[i].utf8), s);
		diag_mend(p->d, it, "%s", lookalikes[i].mend);
		return;
	}
	sb_safe(&b, s, n > 30 ? 30 : n);
	it = diag_at(p->d, CW0004, sp, "'%s' is nothing that .cw has outside of strings", sb_cstr(&b));
	sb_free(&b);
	if (s[0] & 0x80)
		diag_mend(p->d, it, "names are made of letters a to z, A to Z, digits and '_'; other text takes quotes");
	for (size_t i = 0; i < sizeof ascii / sizeof *ascii; i++)
		if (s[0] == ascii[i].c)
			diag_mend(p->d, it, "%s", ascii[i].mend);
}

static void bad_dollar(struct parser *p, struct span sp, const char *s, uint32_t n)
{
	struct diag_item *it = diag_at(p->d, CW0004, sp, "'$' stands only in strings, as \"${expr}\", and in scripts");
	uint32_t shown = n > 40 ? 40 : n;

	if (n > 1 && s[1] == '(')
		diag_mend(p->d, it, "what a command prints is the output of a step: out x: string = stdout");
	else if (n > 3 && s[1] == '{')
		diag_mend(p->d, it, "outside of a string a name is written bare: %.*s", (int)(shown == n ? n - 3 : shown - 2), s + 2);
	else if (n > 1)
		diag_mend(p->d, it, "outside of a string a name is written bare: %.*s", (int)(shown - 1), s + 1);
}

void lex_error(struct parser *p, const struct token *t)
{
	const char *s = p->lx.s + t->off;
	struct span sp = span_tok(p, t);
	struct diag_item *it;

	if (lex_is_digit((unsigned char)s[0])) {
		bad_number(p, sp, s, t->len);
	} else if (t->len >= 3 && (s[0] == '"' || s[0] == '\'') && s[1] == s[0] && s[2] == s[0]) {
		it = diag_at(p->d, CW0008, span_at(p, t->off, t->off + 3), "this verbatim block is not closed");
		diag_mend(p->d, it, "end it with %c%c%c", s[0], s[0], s[0]);
		p->dead = true;           /* it holds the rest of the text */
	} else if (s[0] == '"') {
		bad_string(p, t);
	} else if (s[0] == '\'') {
		it = diag_at(p->d, CW0009, sp, "strings take double quotes");
		if (t->len > 2 && t->len < 60 && s[t->len - 1] == '\'' && !memchr(s, '"', t->len) && !memchr(s, '\\', t->len) && !memchr(s, '$', t->len))
			diag_mend(p->d, it, "write \"%.*s\"", (int)t->len - 2, s + 1);
		else
			diag_mend(p->d, it, "write \"...\", or '''...''' for text that is taken as it is");
	} else if (s[0] == '$') {
		bad_dollar(p, sp, s, t->len);
	} else {
		bad_char(p, sp, s, t->len);
	}
}

/* ---- a verbatim block that ends where the next one was to begin ---- */

/* The last line of a verbatim block of several lines is "NAME =", or ends so: where that line starts; 0 if not. */
static uint32_t next_begins(const char *s, const struct token *t)
{
	uint32_t from = t->off + 3, i = t->off + t->len - 3, line;
	bool equals;

	while (i > from && (s[i - 1] == ' ' || s[i - 1] == '\t'))
		i--;
	equals = i > from && s[i - 1] == '=';
	for (i -= equals; i > from && (s[i - 1] == ' ' || s[i - 1] == '\t'); i--)
		;
	if (!equals || i == from || !lex_is_name((unsigned char)s[i - 1]))
		return 0;
	for (line = i; line > from && s[line - 1] != '\n'; line--)
		;
	return line > from ? line : 0;
}

bool lex_blame_verbatim(struct parser *p, const char *text, uint32_t end, struct diag_mark mark)
{
	struct lexer l = { .s = text, .end = end, .a = p->a };
	struct token t;
	struct diag_item *it;
	uint32_t line;

	do {
		lex(&l, &t);
		line = t.kind == TOK_VERBATIM ? next_begins(text, &t) : 0;
	} while (t.kind != TOK_EOF && !line);
	if (!line)
		return false;
	diag_take_back(p->d, mark);
	it = diag_at(p->d, CW0008, span_at(p, t.off, t.off + 3), "this verbatim block is not closed before the next one");
	diag_mend(p->d, it, "end it with %.3s", text + t.off);
	diag_note(p->d, it, span_at(p, t.off + t.len - 3, t.off + t.len), "these quotes, which were to open a block, close it");
	return true;
}
