/* Wrong spellings that people bring from elsewhere: the rows of alias_table.h, and places inside text. */
#include "attr.h"

#include <string.h>

static const struct key_alias { unsigned owners; const char *word, *message, *mend; } keys[] = {
#define KEY(owners, word, message, mend) { owners, word, message, mend },
#include "alias_table.h"
#undef KEY
};

static const struct word_alias { const char *word, *message, *mend; } functions[] = {
#define FUNCTION(word, message, mend) { word, message, mend },
#include "alias_table.h"
#undef FUNCTION
};

static const struct member_alias { unsigned of; const char *word, *message, *mend; } members[] = {
#define MEMBER(of, word, message, mend) { of, word, message, mend },
#include "alias_table.h"
#undef MEMBER
};

#define COUNT(a) (sizeof (a) / sizeof *(a))

/* kind: "attribute", ... A message that starts with the word itself says all. */
static void report(struct diag *d, struct span sp, const char *kind, const struct str *word, const char *message, const char *mend)
{
	struct diag_item *it;

	if (!strncmp(message, word->s, word->len))
		it = diag_at(d, CW0413, sp, "%s", message);
	else
		it = diag_at(d, CW0413, sp, "there is no %s '%s': %s", kind, word->s, message);
	diag_mend(d, it, "%s", mend);
}

/* The row of this owner, else one for all. */
static const struct key_alias *find_key(const struct str *word, unsigned owner)
{
	const struct key_alias *any = NULL;

	for (size_t i = 0; i < COUNT(keys); i++) {
		if (!str_eq(word, keys[i].word))
			continue;
		if (keys[i].owners & owner)
			return &keys[i];
		if (!any && (!keys[i].owners || !owner))
			any = &keys[i];
	}
	return any;
}

bool alias_report(struct diag *d, const struct str *word, struct span sp, enum attr_owner owner)
{
	const struct key_alias *k = find_key(word, (unsigned)owner);

	if (k)
		report(d, sp, "attribute", word, k->message, k->mend);
	return k;
}

/* The name after x in the source: `raw` in extract.outputs.raw. */
static size_t name_after(const struct diag *d, struct span sp, const char **name)
{
	const struct source *s = sp.file && sp.file < d->nsources ? d->sources[sp.file] : NULL;
	size_t i = (size_t)sp.off + sp.len, n = 0;

	if (!s || i + 1 >= s->len || s->text[i] != '.')
		return 0;
	*name = s->text + i + 1;
	while (i + 1 + n < s->len && is_name(*name, n + 1))
		n++;
	return n;
}

bool alias_member(struct diag *d, const struct ast_expr *x, enum alias_of of)
{
	const char *rest, *base;
	struct diag_item *it;
	uint32_t nbase;
	size_t n;

	if (x->kind != AX_MEMBER)
		return false;
	for (size_t i = 0; i < COUNT(members); i++) {
		const struct member_alias *m = &members[i];

		if (!(m->of >> of & 1) || !str_eq(x->name, m->word))
			continue;
		it = diag_at(d, CW0413, x->name_span, "there is no '.%s': %s", x->name->s, m->message);
		if (m->mend) {
			diag_mend(d, it, "%s", m->mend);
			return true;
		}
		base = span_text(d, x->args[0]->span, &nbase);
		n = name_after(d, x->span, &rest);
		if (n)
			diag_mend(d, it, "write %.*s.%.*s", (int)nbase, base, (int)n, rest);
		else
			diag_mend(d, it, "write %.*s.NAME with its name", (int)nbase, base);
		return true;
	}
	return false;
}

bool alias_function(struct diag *d, const struct str *name, struct span sp)
{
	for (size_t i = 0; i < COUNT(functions); i++)
		if (str_eq(name, functions[i].word)) {
			report(d, sp, "function", name, functions[i].message, functions[i].mend);
			return true;
		}
	return false;
}

/* ---- places inside text ---- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

struct span text_span(const struct diag *d, const struct ast_expr *x, size_t off, size_t n)
{
	const struct source *src = x->span.file && x->span.file < d->nsources ? d->sources[x->span.file] : NULL;
	const char *p, *end, *text = x->u.str->s, *stop = text + x->u.str->len;

	if (!src || x->span.len < 6 || (size_t)x->span.off + x->span.len > src->len || !x->verbatim || off > x->u.str->len)
		return x->span;
	p = src->text + x->span.off + 3;
	end = p + x->span.len - 6;
	if (p < end && (*p == '\n' || (*p == '\r' && p[1] == '\n')))
		p += *p == '\r' ? 2 : 1;
	/* line by line: what was cut is the blanks before the text's line */
	for (const char *line = text; p <= end;) {
		const char *nl = memchr(p, '\n', (size_t)(end - p)), *tnl = memchr(line, '\n', (size_t)(stop - line));
		size_t len = (size_t)((tnl ? tnl : stop) - line), cut = 0;

		if (off > (size_t)(line - text) + len && tnl && nl) {
			line = tnl + 1;
			p = nl + 1;
			continue;
		}
		while (p + cut < end && is_blank(p[cut]) && (size_t)(end - p) - cut >= len && memcmp(p + cut, line, len))
			cut++;
		p += cut + (off - (size_t)(line - text));
		if (p > end)
			return x->span;
		return (struct span){ x->span.file, (uint32_t)(p - src->text), (uint32_t)((size_t)(end - p) < n ? (size_t)(end - p) : n) };
	}
	return x->span;
}
