/* Reads the notation of grammar/couler.ebnf (ISO 14977 with character classes), and finds out what may stand at each end. */
#include "ebnf.h"

#include <ctype.h>
#include <string.h>

enum { MAX_NESTED = 64 };

struct reader { struct ebnf *g; const char *s, *end, *why; int depth; };

static void blanks(struct reader *r)
{
	for (;;) {
		while (r->s < r->end && isspace((unsigned char)*r->s))
			r->s++;
		if (r->end - r->s < 2 || r->s[0] != '(' || r->s[1] != '*')
			return;
		r->s = memmem(r->s, (size_t)(r->end - r->s), "*)", 2);
		r->s = r->s ? r->s + 2 : r->end;
	}
}

static struct ebnf_node *node(struct reader *r, enum ebnf_kind kind, const char *text, size_t n)
{
	struct ebnf_node *x = arena_new_of(r->g->a, struct ebnf_node);

	x->kind = kind;
	x->text = text ? arena_dup(r->g->a, text, n) : NULL;
	return x;
}

static struct ebnf_node *failed(struct reader *r, const char *why)
{
	if (!r->why)
		r->why = why;
	return NULL;
}

static struct ebnf_node *alternatives(struct reader *r);

static struct ebnf_node *quoted(struct reader *r)
{
	const char *s = r->s + 1, *e = memchr(s, *r->s, (size_t)(r->end - s));

	if (!e || e == s)
		return failed(r, "a quote is not closed");
	r->s = e + 1;
	return node(r, s[-1] == '"' ? EN_TOKEN : EN_CHARS, s, (size_t)(e - s));
}

static struct ebnf_node *class(struct reader *r)
{
	const char *s = r->s, *e = s + 1;

	while (e < r->end && *e != ']')
		e += *e == '\\' && e + 1 < r->end ? 2 : 1;
	if (e >= r->end)
		return failed(r, "a class is not closed");
	r->s = e + 1;
	return node(r, EN_CLASS, s, (size_t)(e + 1 - s));
}

static struct ebnf_node *enclosed(struct reader *r, char close, enum ebnf_kind kind)
{
	struct ebnf_node *in, *x;

	r->s++;
	if (++r->depth > MAX_NESTED)
		return failed(r, "brackets are nested too deep");
	in = alternatives(r);
	r->depth--;
	if (!in || r->s == r->end || *r->s != close)
		return failed(r, "a bracket is not closed");
	r->s++;
	if (kind == EN_ALT)
		return in;
	x = node(r, kind, NULL, 0);
	vec_push(r->g->a, &x->kids, in);
	return x;
}

static struct ebnf_node *factor(struct reader *r)
{
	const char *s, *e;

	blanks(r);
	s = e = r->s;
	if (s == r->end)
		return failed(r, "a production has no end");
	switch (*s) {
	case '"': case '\'':
		return quoted(r);
	case '[':
		return s + 1 < r->end && isspace((unsigned char)s[1]) ? enclosed(r, ']', EN_OPT) : class(r);
	case '{':
		return enclosed(r, '}', EN_REP);
	case '(':
		return enclosed(r, ')', EN_ALT);
	default:
		while (e < r->end && (isalnum((unsigned char)*e) || *e == '_'))
			e++;
		r->s = e;
		return e == s ? failed(r, "a name, a quote or a bracket is expected") : node(r, EN_REF, s, (size_t)(e - s));
	}
}

static struct ebnf_node *list(struct reader *r, char sep, enum ebnf_kind kind, struct ebnf_node *(*element)(struct reader *))
{
	struct ebnf_node *x = node(r, kind, NULL, 0);

	for (;;) {
		struct ebnf_node *k = element(r);

		if (!k)
			return NULL;
		vec_push(r->g->a, &x->kids, k);
		blanks(r);
		if (r->s == r->end || *r->s != sep)
			return x->kids.n == 1 ? x->kids.v[0] : x;
		r->s++;
	}
}

static struct ebnf_node *sequence(struct reader *r)
{
	return list(r, ',', EN_SEQ, factor);
}

static struct ebnf_node *alternatives(struct reader *r)
{
	return list(r, '|', EN_ALT, sequence);
}

struct production *ebnf_find(const struct ebnf *g, const char *name)
{
	for (uint32_t i = 0; i < g->p.n; i++)
		if (!strcmp(g->p.v[i].name, name))
			return &g->p.v[i];
	return NULL;
}

/* ---- what it means ---- */

static bool resolve(struct ebnf *g, struct ebnf_node *x)
{
	for (uint32_t i = 0; i < x->kids.n; i++)
		if (!resolve(g, x->kids.v[i]))
			return false;
	return x->kind != EN_REF || (x->ref = ebnf_find(g, x->text));
}

static bool holds_characters(const struct ebnf_node *x)
{
	if (x->kind == EN_CHARS || x->kind == EN_CLASS)
		return true;
	for (uint32_t i = 0; i < x->kids.n; i++)
		if (holds_characters(x->kids.v[i]))
			return true;
	return false;
}

static bool holds_tokens(const struct ebnf_node *x)
{
	if (x->kind == EN_TOKEN)
		return true;
	for (uint32_t i = 0; i < x->kids.n; i++)
		if (holds_tokens(x->kids.v[i]))
			return true;
	return false;
}

static bool names_tokens(const struct ebnf_node *x)
{
	if (x->kind == EN_REF)
		return x->ref->kind != P_CHARS;
	for (uint32_t i = 0; i < x->kids.n; i++)
		if (names_tokens(x->kids.v[i]))
			return true;
	return false;
}

/* What leads to no token is of characters; what has characters of its own and leads to tokens is mixed. */
static void kinds(struct ebnf *g)
{
	bool changed;

	for (uint32_t i = 0; i < g->p.n; i++)
		g->p.v[i].kind = P_CHARS;
	do {
		changed = false;
		for (uint32_t i = 0; i < g->p.n; i++) {
			struct production *p = &g->p.v[i];
			bool own = holds_characters(p->body);

			if (p->kind == P_CHARS && ((holds_tokens(p->body) && !own) || names_tokens(p->body))) {
				p->kind = own ? P_MIXED : P_TOKENS;
				changed = true;
			}
		}
	} while (changed);
}

static unsigned end_of_char(char c)
{
	return isalnum((unsigned char)c) || c == '_' ? END_WORD : END_OTHER;
}

static void leaf_ends(const struct production *p, struct ebnf_node *x)
{
	size_t n = strlen(x->text);

	if (x->kind == EN_CLASS) {
		x->first = !strcmp(x->text, "[\\n]") ? END_NEWLINE : end_of_char(x->text[1]);
		x->last = x->first;
		return;
	}
	x->first = end_of_char(x->text[0]);
	x->last = end_of_char(x->text[n - 1]);
	if (p->kind != P_TOKENS)
		return;
	if (x->first == END_WORD) {
		x->first |= END_KEYWORD;
		x->last |= END_KEYWORD;
		if (!strcmp(x->text, "else"))
			x->first |= END_CLOSE;
	} else if (n == 1 && strchr("([{,", *x->text)) {
		x->last |= END_OPEN;
	} else if (n == 1 && strchr(")]", *x->text)) {
		x->first |= END_CLOSE;
	} else if (p->infix) {
		x->last |= END_OPEN;
	}
}

static void sequence_ends(struct ebnf_node *x)
{
	x->nullable = true;
	for (uint32_t i = 0; i < x->kids.n; i++) {
		if (x->nullable)
			x->first |= x->kids.v[i]->first;
		x->nullable = x->nullable && x->kids.v[i]->nullable;
	}
	for (uint32_t i = x->kids.n; i-- > 0;) {
		x->last |= x->kids.v[i]->last;
		if (!x->kids.v[i]->nullable)
			break;
	}
}

/* One step towards the least fixed point. */
static bool find_ends(const struct production *p, struct ebnf_node *x)
{
	unsigned first = x->first, last = x->last;
	bool nullable = x->nullable, changed = false;

	for (uint32_t i = 0; i < x->kids.n; i++)
		changed = find_ends(p, x->kids.v[i]) || changed;
	switch (x->kind) {
	case EN_TOKEN: case EN_CHARS: case EN_CLASS:
		leaf_ends(p, x);
		break;
	case EN_REF:
		x->first = x->ref->body->first;
		x->last = x->ref->body->last;
		x->nullable = x->ref->body->nullable;
		break;
	case EN_SEQ:
		sequence_ends(x);
		break;
	case EN_ALT: case EN_OPT: case EN_REP:
		x->nullable = x->kind != EN_ALT;
		for (uint32_t i = 0; i < x->kids.n; i++) {
			x->first |= x->kids.v[i]->first;
			x->last |= x->kids.v[i]->last;
			x->nullable = x->nullable || x->kids.v[i]->nullable;
		}
		break;
	}
	return changed || first != x->first || last != x->last || nullable != x->nullable;
}

static void all_ends(struct ebnf *g)
{
	bool changed;

	do {
		changed = false;
		for (uint32_t i = 0; i < g->p.n; i++)
			changed = find_ends(&g->p.v[i], g->p.v[i].body) || changed;
	} while (changed);
}

struct ebnf *ebnf_read(struct arena *a, const char *text, size_t n, const char **why)
{
	static const char *const infix[] = { "conditional", "coalesce", "or", "and", "comparison", "sum", "product" };
	struct ebnf *g = arena_new_of(a, struct ebnf);
	struct reader r = { .g = g, .s = text, .end = text + n };

	g->a = a;
	for (blanks(&r); r.s < r.end; blanks(&r)) {
		struct ebnf_node *name = factor(&r), *body = NULL;

		blanks(&r);
		if (name && name->kind == EN_REF && r.s < r.end && *r.s == '=') {
			r.s++;
			body = alternatives(&r);
		}
		if (!body || r.s == r.end || *r.s != ';') {
			*why = r.why ? r.why : "a production is NAME = ... ;";
			return NULL;
		}
		r.s++;
		*vec_add(a, &g->p) = (struct production){ .name = name->text, .body = body };
	}
	for (uint32_t i = 0; i < g->p.n; i++) {
		for (size_t k = 0; k < sizeof infix / sizeof *infix; k++)
			g->p.v[i].infix = g->p.v[i].infix || !strcmp(g->p.v[i].name, infix[k]);
		if (!resolve(g, g->p.v[i].body)) {
			*why = "a name is not defined";
			return NULL;
		}
	}
	kinds(g);
	all_ends(g);
	return g;
}
