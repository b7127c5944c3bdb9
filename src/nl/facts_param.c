/* Parameters of the run: names with defaults and allowed values, however they are listed. */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "facts.h"

static const char *value_text(struct ntext *t, const char *s, const char **type)
{
	char *end;
	struct rx_match m;
	size_t n = strlen(s);

	while (n && strchr(" .,;:\"'`)", s[n - 1]))
		n--;
	while (n && strchr("\"'`( ", *s)) {
		s++;
		n--;
	}
	s = arena_dup(t->arena, s, n);
	if (!strcmp(s, "true") || !strcmp(s, "false") || !strcmp(s, "True") || !strcmp(s, "False")) {
		*type = "bool";
		return strchr("tT", *s) ? "true" : "false";
	}
	if (n && strspn(s, "0123456789") == n && n < 15 && (n == 1 || *s != '0')) {
		*type = "int";
		return s;
	}
	if (n && rx_find(t, "^-?\\d+[.,]\\d+(?:e-?\\d+)?$|^\\d+e-?\\d+$", s, n, 0, &m)) {
		double v = nl_number(s, n);
		const char *r = nl_num_text(t->arena, v);

		*type = "float";
		return strpbrk(r, ".e") ? r : nl_fmt(t->arena, "%s.0", r);
	}
	(void)end;
	*type = "string";
	return nl_quote(t->arena, s);
}

/* "DE, AT or CH" as a list of literals; the type of its first */
static const char *choices_text(struct ntext *t, const char *s, const char **type)
{
	struct strbuf b = { 0 };
	const char *r;
	struct rx_match m;
	size_t n = strlen(s), at = 0;
	int k = 0;

	sb_ch(&b, '[');
	while (rx_find(t, "[^\\s,;/|\"'`()]+(?: (?!or\\b|and\\b|oder\\b|und\\b|o\\b|ou\\b|y\\b|e\\b|et\\b)[^\\s,;/|\"'`()]+)*", s, n, at, &m)) {
		const char *w = arena_dup(t->arena, s + m.g[0].off, m.g[0].len), *ty, *v;

		at = m.g[0].off + m.g[0].len;
		if (!strncmp(w, "or ", 3) || !strncmp(w, "and ", 4) || !strncmp(w, "und ", 4))
			w = strchr(w, ' ') + 1;
		if (!strncmp(w, "oder ", 5))
			w += 5;
		if (rx_has(t, "^(?:or|and|oder|und|o|ou|y|e|et|one|of|in)$", w))
			continue;
		v = value_text(t, w, &ty);
		if (!k++)
			*type = ty;
		sb_f(&b, "%s%s", k > 1 ? ", " : "", v);
	}
	sb_ch(&b, ']');
	r = k ? arena_dup(t->arena, b.s, b.n) : NULL;
	sb_free(&b);
	return r;
}

static struct nl_param *param_find(struct facts *f, const char *name)
{
	for (uint32_t i = 0; i < f->params.n; i++)
		if (!strcmp(f->params.v[i].name, name))
			return &f->params.v[i];
	return NULL;
}

static void add_param(struct ntext *t, struct facts *f, uint32_t off, const char *name, const char *dflt, const char *choices)
{
	struct nl_param *p;
	const char *type = "string", *slug = nl_slug(t->arena, name, strlen(name), 4);

	if (!*slug || param_find(f, slug) || rx_has(t, "^(?:the|a|an|and|with|in|out|step|task|default|params?|parameters?|for|if|it|which|that|is|as|to|of)$", slug))
		return;
	p = vec_add(t->arena, &f->params);
	p->name = slug;
	p->off = off;
	if (choices)
		p->choices = choices_text(t, choices, &type);
	if (dflt) {
		const char *ty;

		p->dflt = value_text(t, dflt, &ty);
		if (!p->choices)
			type = ty;
		else if (strcmp(ty, type) != 0 && !strcmp(type, "string"))
			p->dflt = nl_quote(t->arena, dflt);
	}
	if (!p->dflt) {
		if (p->choices && strlen(p->choices) > 2) {
			size_t n = strcspn(p->choices + 1, ",]");

			p->dflt = arena_dup(t->arena, p->choices + 1, n);
		} else {
			p->required = true;
		}
	}
	if (!strcmp(type, "string") && rx_has(t, "^(?:n|num|count|max|min|top|batch|epochs?|days?|seed|limit|size)(?:_|$)|_(?:days?|count|size|limit|epochs|n|k)$", slug) && !p->dflt)
		type = "int";
	p->type = type;
}

#define NAME "([a-z_][\\w]*(?:[ -](?!default|with|is|as|in|of|and|or|required|optional|the|int|float|string|mit|standard|par|por)[a-z_][\\w]*){0,2})"
#define DFLT "(?:\\s*[,:;=(]*\\s*(?:with (?:a |the )?|mit |the )?(?:defaults?|standard(?:wert)?|par defaut|por defecto|predeterminad\\w+|padrao|voreinstellung|valeur par defaut|valor por defecto|valor padrao|defaulting to)(?: value)?(?: is| to| of|=|:|:=)?\\s*[\"'`]?([^\\s,;()\"'`\\x01]+(?<![.]))[\"'`]?)"

static void read_param_list(struct ntext *t, struct facts *f, uint32_t off, uint32_t len)
{
	static const char item[] = "^[\\s,;*-]*(?:and |und |y |e |et )?" NAME "\\s*(?:\\(([^()]*)\\)|" DFLT "|\\s*(?:=|:|in|is|one of)\\s*([\\w.-]+(?:\\s*[|/]\\s*[\\w.-]+)+)(?:" DFLT ")?|\\s*=\\s*[\"'`]?([^\\s,;()\"'`]+)[\"'`]?|\\s+(-?\\d[\\w.:%-]*)|(?=\\s*(?:[,;.\\n]|$|and |und )))";
	uint32_t at = off, end = off + len;

	while (at < end) {
		struct rx_match m, k;
		const char *name, *dflt = NULL, *choices = NULL;

		if (!rx_find(t, item, t->w + at, end - at, 0, &m))
			break;
		name = ntext_orig(t, at + m.g[1].off, m.g[1].len);
		if (m.g[2].set) {
			uint32_t o = at + m.g[2].off, n = m.g[2].len;

			if (rx_find(t, "\\b(?:defaults?|standard(?:wert)?|par defaut|por defecto|padrao)(?: is| to| of|=|:)?\\s*[\"'`]?([^\\s,;()\"'`]+)", t->w + o, n, 0, &k)) {
				dflt = ntext_orig(t, o + k.g[1].off, k.g[1].len);
				n = k.g[0].off;
			}
			while (n && strchr(" ,;", t->w[o + n - 1]))
				n--;
			if (n && rx_find(t, ",| or | oder |\\|| o | ou |/", t->w + o, n, 0, &k))
				choices = ntext_orig(t, o, n);
			else if (n && !dflt && !rx_find(t, "\\b(?:required|int|float|string|pflicht|obligatoi?r\\w*|needed)\\b", t->w + o, n, 0, &k))
				dflt = ntext_orig(t, o, n);
		} else {
			int g = m.g[3].set ? 3 : m.g[5].set ? 5 : m.g[6].set ? 6 : 7;

			if (m.g[4].set)
				choices = ntext_orig(t, at + m.g[4].off, m.g[4].len);
			if (m.g[g].set)
				dflt = ntext_orig(t, at + m.g[g].off, m.g[g].len);
		}
		add_param(t, f, at, name, dflt, choices);
		ntext_take(t, at, m.g[0].len);
		at += m.g[0].len;
		if (rx_find(t, "^[^,;\\n]{0,30}", t->w + at, end - at, 0, &k) && at + k.g[0].len < end && t->w[at + k.g[0].len] != '\n' && k.g[0].len < 30)
			at += k.g[0].len;
		if (at < end && t->w[at] == '.')
			break;
	}
}

void facts_params(struct ntext *t, struct facts *f)
{
	static const char head[] = "\\b(?:(?:with )?(?:run )?(?:params?|parameters?|inputs?|parametros?|parametres?|parameter|parametri))\\s*(?::|=|are|sind)\\s*";
	static const char as[] = "(?:\\b(?:the |a |an |mit |with )?)" NAME "\\s+(?:as|is|als|como|comme|should be|must be|sei|ist)\\s+(?:an? |einen? |un |une |um )?(?:\\w+ )?(?:run )?(?:param(?:eter)?|parametro|parametre|configurable|konfigurierbar|configurable|workflow (?:input|param(?:eter)?))s?\\b\\s*(?:\\(([^()]*)\\)|" DFLT ")?";
	static const char noun[] = "\\b(?:an? |the |einem |ein |un |une |um |required |optional |int |string |float |with |mit )*(?:run )?(?:param(?:eter)?|parametro|parametre)s?\\s+(?:named |called |namens |for (?:the )?|fuer (?:den |die |das )?)?[\"'`]?" NAME "[\"'`]?\\s*(?:\\(([^()]*)\\)|" DFLT "|\\s*=\\s*[\"'`]?([^\\s,;()\"'`]+))?";
	static const char rev[] = "\\b(?:the |a |an )?([a-z_]\\w+(?: (?:name|id|date|path|size|rate|count|version|type|limit|code|key))?) (?:param(?:eter)?)\\b\\s*(?:\\(([^()]*)\\)|" DFLT ")?";
	static const char dflt[] = "\\b(?:for |the |a |by |nach |per )*" NAME "\\s*\\(\\s*(?:defaults?|standard|par defaut|por defecto|padrao)(?: is| to| of|=|:)?\\s*[\"'`]?([^\\s,;()\"'`]+)[\"'`]?\\s*\\)";
	static const char take[] = "\\b(?:takes?|accepts?|nimmt|recibe|prend|recebe)\\s+(?:an? |the |einen? |un |une |um )" NAME "\\s*(?:\\(([^()]*)\\)|" DFLT ")";
	static const char *const forms[] = { as, noun, take, rev };
	struct rx_match m, k, c;

	while (rx_work(t, head, 0, &m)) {
		uint32_t off = m.g[0].off + m.g[0].len, n = (uint32_t)strcspn(t->w + off, "\n");

		if (n > 1 && rx_find(t, "\\.(?:\\s|$)", t->w + off, n, 0, &k))
			n = k.g[0].off;
		ntext_take(t, m.g[0].off, m.g[0].len);
		read_param_list(t, f, off, n);
		if (!n)                           /* bullets under the heading */
			for (uint32_t at = off + 1; at < t->n && rx_find(t, "^[ \\t]+[-*]|^[ \\t]*[-*]", t->w + at, t->n - at, 0, &k);) {
				uint32_t len = (uint32_t)strcspn(t->w + at, "\n");
				uint32_t before = f->params.n;

				read_param_list(t, f, at + k.g[0].len, len - k.g[0].len);
				if (f->params.n == before)
					break;
				at += len + 1;
			}
	}
	for (int i = 0; i < 4; i++)
		for (size_t at = 0; rx_work(t, forms[i], at, &m);) {
			const char *name = ntext_group(t, &m, 1), *d = m.g[3].set ? ntext_group(t, &m, 3) : i == 1 && m.g[4].set ? ntext_group(t, &m, 4) : NULL, *choices = NULL;
			uint32_t before = f->params.n;

			at = m.g[0].off + m.g[0].len;
			if (i == 3 && rx_has(t, "^(?:hyper|model|the|a|an|search|one|two|run|workflow|best|free|no|of|each)$", ntext_fold(t, &m, 1)))
				continue;
			if (m.g[2].set) {
				uint32_t o = m.g[2].off, n = m.g[2].len;

				if (rx_find(t, "\\b(?:defaults?|standard(?:wert)?|par defaut|por defecto|padrao)(?: is| to| of|=|:)?\\s*[\"'`]?([^\\s,;()\"'`]+)", t->w + o, n, 0, &k)) {
					d = ntext_orig(t, o + k.g[1].off, k.g[1].len);
					n = k.g[0].off;
				}
				while (n && strchr(" ,;", t->w[o + n - 1]))
					n--;
				if (n && rx_find(t, ",| or | oder | o | ou |\\|", t->w + o, n, 0, &k))
					choices = ntext_orig(t, o, n);
			} else if (rx_find(t, "^[ ,:(]*(?:one of|either|aus|in|from|of|among|entre|von|erlaubt|allowed)[ :]*[\\[{(]?([^.;()\\]}\\n]+?)[\\])}]?(?=[.;\\n)]|$|,? (?:default|standard))" "(?:" DFLT ")?", t->w + at, t->n - at, 0, &k) && rx_find(t, ",| or | oder ", t->w + at + k.g[1].off, k.g[1].len, 0, &c)) {
				choices = ntext_orig(t, (uint32_t)at + k.g[1].off, k.g[1].len);
				if (k.g[2].set)
					d = ntext_orig(t, (uint32_t)at + k.g[2].off, k.g[2].len);
				ntext_take(t, (uint32_t)at, k.g[0].len);
			}
			add_param(t, f, m.g[0].off, name, d, choices);
			if (f->params.n > before && i != 3) {
				/* the words of the parameter itself may name what a step works on */
				ntext_take(t, m.g[1].off + m.g[1].len, (uint32_t)at - m.g[1].off - m.g[1].len);
			}
		}
	for (size_t at = 0; rx_work(t, dflt, at, &m); at = m.g[0].off + m.g[0].len) {
		const char *n = ntext_group(t, &m, 1), *d = ntext_group(t, &m, 2), *last = strrchr(n, ' ');

		add_param(t, f, m.g[0].off, last && strlen(n) > 24 ? last + 1 : n, d, NULL);
		ntext_take(t, m.g[1].off + m.g[1].len, m.g[0].off + m.g[0].len - m.g[1].off - m.g[1].len);
	}
}

