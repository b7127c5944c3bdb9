/*
 * How text travels through Argo unchanged.
 *
 * Argo replaces {{...}} in every value each time it passes one on, Kubernetes replaces $(NAME) and $$ in env,
 * arguments and whatever travels in them, a list of values that look like JSON is joined as JSON. T writes the
 * bytes that can begin such a thing as \0ooo, which the printf %b of every shell reads.
 */
#include "argo.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static bool is_encoded(char c)
{
	return c == '\\' || c == '$' || c == '{' || c == '[' || c == '\n' || c == '\r' || c == '\t';
}

bool text_safe(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (is_encoded(s[i]) || (unsigned char)s[i] >= 0xf0)
			return false;
	return true;
}

void text_encode(struct strbuf *b, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (is_encoded(s[i]))
			sb_f(b, "\\0%03o", (unsigned char)s[i]);
		else
			sb_ch(b, s[i]);
	}
}

bool text_untouched(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '{' && i + 1 < n && s[i + 1] == '{')
			return false;
		if (s[i] == '$' && i + 1 < n && s[i + 1] == '$')
			return false;
		/* $(NAME) of a declared name; a command substitution holds more than a name, or names no variable */
		if (s[i] == '$' && i + 1 < n && s[i + 1] == '(') {
			size_t k = i + 2;

			while (k < n && (s[k] == '_' || s[k] == '-' || s[k] == '.' || (s[k] >= '0' && s[k] <= '9') || ((s[k] | 32) >= 'a' && (s[k] | 32) <= 'z')))
				k++;
			if (k > i + 2 && k < n && s[k] == ')')
				return false;
		}
	}
	return true;
}

void text_encode_script(struct strbuf *b, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char next = i + 1 < n ? s[i + 1] : 0;

		if (s[i] == '\\' || (s[i] == '{' && next == '{') || (s[i] == '$' && (next == '$' || next == '(')))
			sb_f(b, "\\0%03o", (unsigned char)s[i]);
		else
			sb_ch(b, s[i]);
	}
}

void xl_string(struct strbuf *b, const char *s, size_t n)
{
	sb_ch(b, '\'');
	for (size_t i = 0; i < n; i++) {
		switch (s[i]) {
		case '\\':
			sb_z(b, "\\\\");
			break;
		case '\'':
			sb_z(b, "\\'");
			break;
		case '\n':
			sb_z(b, "\\n");
			break;
		case '\r':
			sb_z(b, "\\r");
			break;
		case '\t':
			sb_z(b, "\\t");
			break;
		case '{':
		case '}':
			/* {{ opens a tag and }} ends one wherever they stand */
			if (i && s[i - 1] == s[i])
				sb_f(b, "\\x%02x", (unsigned char)s[i]);
			else
				sb_ch(b, s[i]);
			break;
		default:
			sb_ch(b, s[i]);
		}
	}
	/* '...}' before the end of a tag would end it one byte early */
	if (n && s[n - 1] == '}' && b->s[b->n - 1] == '}') {
		b->n--;
		sb_z(b, "\\x7d");
	}
	sb_ch(b, '\'');
}

char *a_f(struct argo *g, const char *fmt, ...)
{
	char small[512], *s;
	va_list ap, again;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(small, sizeof small, fmt, ap);
	va_end(ap);
	if (n < (int)sizeof small) {
		s = arena_dup(g->a, small, (size_t)(n < 0 ? 0 : n));
	} else {
		s = arena_alloc(g->a, (size_t)n + 1);
		vsnprintf(s, (size_t)n + 1, fmt, again);
	}
	va_end(again);
	return s;
}

char *a_buf(struct argo *g, struct strbuf *b)
{
	char *s = arena_dup(g->a, b->s ? b->s : "", b->n);

	sb_free(b);
	return s;
}

const char *source_place(struct argo *g, struct span sp)
{
	struct place p = diag_place(g->d, sp);

	return p.path ? a_f(g, "%s:%u:%u", p.path, p.line, p.col) : "";
}

uint32_t line_of(struct argo *g, struct span sp)
{
	return sp.file ? diag_place(g->d, sp).line : 0;
}
