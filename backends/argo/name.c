/* Names: the source's, with - for _, unique where the engine wants them so. */
#include "argo.h"

#include <ctype.h>
#include <string.h>

/* Operators and literals of expr-lang: a task of such a name breaks `depends`. */
static bool is_word_of_expr(const char *s, size_t n)
{
	static const char *const words[] = { "and", "or", "not", "in", "contains", "matches", "startsWith", "endsWith", "true", "false", "nil", "let", "if", "else" };

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strlen(words[i]) == n && !memcmp(words[i], s, n))
			return true;
	return false;
}

/* Letters, digits and -, beginning with a letter; "s@12" gives s-12. */
static char *cleaned(struct argo *g, const char *s, size_t n, bool lower)
{
	struct strbuf b = { 0 };

	for (size_t i = 0; i < n; i++) {
		char c = s[i];

		if (isalnum((unsigned char)c) && (unsigned char)c < 0x80)
			sb_ch(&b, lower ? (char)tolower((unsigned char)c) : c);
		else if (b.n && b.s[b.n - 1] != '-')
			sb_ch(&b, '-');
	}
	while (b.n && b.s[b.n - 1] == '-')
		b.n--;
	if (!b.n || isdigit((unsigned char)b.s[0]) || is_word_of_expr(b.s, b.n)) {
		struct strbuf t = { 0 };

		sb_z(&t, "x-");
		sb_add(&t, b.s ? b.s : "", b.n);
		if (!b.n)
			t.n--;
		sb_free(&b);
		b = t;
	}
	return a_buf(g, &b);
}

/* NAME, or NAME-2, NAME-3, ...; at most max bytes. */
static const char *unique(struct argo *g, struct strmap *taken, char *s, size_t max)
{
	size_t n = strlen(s);
	const char *name;

	if (n > max)
		n = max;
	name = a_f(g, "%.*s", (int)n, s);
	for (unsigned i = 2; strmap_get(taken, str_internz(g->strs, name)); i++) {
		char tail[16];
		int k = snprintf(tail, sizeof tail, "-%u", i);

		name = a_f(g, "%.*s%s", (int)(n + (size_t)k > max ? max - (size_t)k : n), s, tail);
	}
	strmap_put(g->a, taken, str_internz(g->strs, name), (void *)name);
	return name;
}

const char *name_task(struct argo *g, struct strmap *taken, const char *s, size_t n)
{
	return unique(g, taken, cleaned(g, s, n, false), 100);
}

const char *name_template(struct argo *g, const char *s, size_t n)
{
	return unique(g, &g->names, cleaned(g, s, n, false), 63);
}

const char *name_param(struct argo *g, struct strmap *taken, const char *s, size_t n)
{
	return unique(g, taken, cleaned(g, s, n, false), 100);
}

const char *name_object(struct argo *g, const struct str *s, size_t max)
{
	char *name = cleaned(g, s->s, s->len, true);
	size_t n = strlen(name);

	if (n > max)
		n = max;
	while (n && name[n - 1] == '-')
		n--;
	return a_f(g, "%.*s", (int)n, name);
}

const char *dashed(struct argo *g, const struct str *s)
{
	return cleaned(g, s->s, s->len, false);
}

const char *xl_member(struct argo *g, const char *base, const char *name)
{
	bool plain = isalpha((unsigned char)name[0]) || name[0] == '_';

	for (const char *p = name; *p && plain; p++)
		plain = isalnum((unsigned char)*p) || *p == '_';
	if (plain && !is_word_of_expr(name, strlen(name)))
		return a_f(g, "%s.%s", base, name);
	return a_f(g, "%s['%s']", base, name);
}
