/*
 * grammar/couler.ebnf as a grammar for constrained decoding: GBNF (llama.cpp, by characters) and Lark (llguidance, by
 * terminals of which the longest match wins). What the notation of that file leaves to its prose is put in here: blanks and
 * comments between tokens, where a newline may stand, and the blank between two words.
 */
#include <ctype.h>
#include <string.h>

#include "ebnf.h"

extern const unsigned char embed_grammar_couler_ebnf[];
extern const size_t embed_grammar_couler_ebnf_len;

struct writer { struct strbuf *out; enum nl_grammar format; };

/* ---- leaves ---- */

static void write_literal(struct strbuf *b, const char *s)
{
	sb_ch(b, '"');
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			sb_ch(b, '\\');
		if (*s == '\n')
			sb_z(b, "\\n");
		else
			sb_ch(b, *s);
	}
	sb_ch(b, '"');
}

static void write_name(struct writer *w, const char *s, bool terminal)
{
	for (; *s; s++)
		sb_ch(w->out, w->format == NL_GBNF ? (*s == '_' ? '-' : *s) : terminal ? (char)toupper((unsigned char)*s) : *s);
}

static void write_regex(struct writer *w, const struct ebnf_node *x);

static void write_regex_kids(struct writer *w, const struct ebnf_node *x, uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i < to; i++)
		write_regex(w, x->kids.v[i]);
}

static void write_regex(struct writer *w, const struct ebnf_node *x)
{
	switch (x->kind) {
	case EN_TOKEN: case EN_CHARS:
		for (const char *s = x->text; *s; s++) {
			if (strchr("\\.+*?()|[]{}^$#&-~/", *s))
				sb_ch(w->out, '\\');
			sb_ch(w->out, *s);
		}
		break;
	case EN_CLASS:
		sb_z(w->out, x->text);
		break;
	case EN_REF:
		sb_z(w->out, "(");
		write_regex(w, x->ref->body);
		sb_z(w->out, ")");
		break;
	case EN_SEQ:
		write_regex_kids(w, x, 0, x->kids.n);
		break;
	case EN_ALT: case EN_OPT: case EN_REP:
		sb_ch(w->out, '(');
		for (uint32_t i = 0; i < x->kids.n; i++) {
			if (i)
				sb_ch(w->out, '|');
			write_regex(w, x->kids.v[i]);
		}
		sb_z(w->out, x->kind == EN_OPT ? ")?" : x->kind == EN_REP ? ")*" : ")");
		break;
	}
}

/* ---- productions ---- */

static void gap(struct writer *w, unsigned prev, unsigned first)
{
	bool gbnf = w->format == NL_GBNF;

	if (!prev || prev == END_BLANK)
		return;
	if (!((prev | first) & END_NEWLINE) && ((prev & END_OPEN) || (first & END_CLOSE)))
		sb_z(w->out, "wsn ");
	else if ((prev & END_WORD) && (first & END_KEYWORD) && !(prev & END_NEWLINE))
		sb_z(w->out, gbnf ? "blank " : "BLANK ");
	else
		sb_z(w->out, gbnf ? "ws " : "BLANK? ");
}

/* Writes x after prev; trail: a word may follow in the sequence. Returns what is at its end. */
static unsigned write_node(struct writer *w, const struct production *p, const struct ebnf_node *x, unsigned prev, bool trail);

static unsigned write_sequence(struct writer *w, const struct production *p, const struct ebnf_node *x, unsigned prev)
{
	for (uint32_t i = 0; i < x->kids.n; i++) {
		const struct ebnf_node *k = x->kids.v[i];
		unsigned next = 0, last;

		for (uint32_t j = i + 1; j < x->kids.n; j++) {
			next |= x->kids.v[j]->first;
			if (!x->kids.v[j]->nullable)
				break;
		}
		last = write_node(w, p, k, prev, next & END_WORD);
		prev = k->nullable ? prev | last : last;
	}
	return prev;
}

static unsigned write_leaf(struct writer *w, const struct production *p, const struct ebnf_node *x, unsigned prev, bool trail)
{
	bool newline = x->kind == EN_REF && !strcmp(x->text, "newline"), gbnf = w->format == NL_GBNF;

	if (p->kind == P_TOKENS)
		gap(w, prev, x->first);
	else if (x->kind == EN_REF && x->ref->kind == P_TOKENS)
		sb_z(w->out, "ws ");
	if (x->kind == EN_CLASS)
		sb_z(w->out, x->text);
	else if (x->kind != EN_REF)
		write_literal(w->out, x->text);
	else if (newline && p->kind == P_TOKENS)
		sb_z(w->out, gbnf ? "line-end" : "LINE_END");
	else
		write_name(w, x->text, x->ref->kind == P_CHARS);
	sb_ch(w->out, ' ');
	if (p->kind != P_TOKENS && x->kind == EN_REF && x->ref->kind == P_TOKENS)
		sb_z(w->out, "ws ");
	if (p->kind == P_TOKENS && trail && (x->last & END_KEYWORD) && x->kind == EN_TOKEN) {
		sb_z(w->out, gbnf ? "blank " : "BLANK ");
		return END_BLANK;
	}
	return x->last;
}

static unsigned write_node(struct writer *w, const struct production *p, const struct ebnf_node *x, unsigned prev, bool trail)
{
	unsigned last = 0;

	switch (x->kind) {
	case EN_SEQ:
		return write_sequence(w, p, x, prev);
	case EN_ALT: case EN_OPT: case EN_REP:
		sb_z(w->out, "( ");
		if (x->kind == EN_REP)
			prev |= x->last;
		for (uint32_t i = 0; i < x->kids.n; i++) {
			if (i)
				sb_z(w->out, "| ");
			last |= write_node(w, p, x->kids.v[i], prev, trail && x->kind == EN_ALT);
		}
		sb_z(w->out, x->kind == EN_OPT ? ")? " : x->kind == EN_REP ? ")* " : ") ");
		return last;
	default:
		return write_leaf(w, p, x, prev, trail);
	}
}

static void mark(struct production *p);

static void mark_node(struct ebnf_node *x)
{
	if (x->kind == EN_REF)
		mark(x->ref);
	for (uint32_t i = 0; i < x->kids.n; i++)
		mark_node(x->kids.v[i]);
}

static void mark(struct production *p)
{
	if (p->used)
		return;
	p->used = true;
	mark_node(p->body);
}

/* Alternatives at the top of a production need no brackets. */
static void write_body(struct writer *w, const struct production *p)
{
	const struct ebnf_node *x = p->body;

	if (x->kind == EN_ALT) {
		for (uint32_t i = 0; i < x->kids.n; i++) {
			if (i)
				sb_z(w->out, "| ");
			write_node(w, p, x->kids.v[i], 0, false);
		}
	} else {
		write_node(w, p, x, 0, false);
	}
	w->out->s[w->out->n - 1] = '\n';
}

/* ---- GBNF ---- */

static void write_gbnf(struct writer *w, const struct ebnf *g, bool fenced)
{
	sb_z(w->out, "# The grammar of .cw for constrained decoding (GBNF), generated from grammar/couler.ebnf.\n");
	sb_z(w->out, fenced ? "root ::= \"```cw\\n\" file ws \"\\n```\"\n" : "root ::= file ws comment?\n");
	for (uint32_t i = 0; i < g->p.n; i++) {
		const struct production *p = &g->p.v[i];

		if (!p->used)
			continue;
		write_name(w, p->name, false);
		sb_z(w->out, " ::= ");
		write_body(w, p);
	}
	sb_z(w->out, "line-end ::= comment? newline\nws ::= [ \\t]*\nblank ::= [ \\t]+\nwsn ::= ( [ \\t] | line-end )*\n");
}

/* ---- Lark ---- */

struct holed { const struct ebnf_node *all, *body, *hole; uint32_t at, in; };   /* all: pre, { body | hole }, post; at: of the braces; in: of the expression in hole */

static bool find_hole(const struct production *p, struct holed *h)
{
	const struct ebnf_node *x = p->body, *k;

	*h = (struct holed){ .all = x };
	for (uint32_t i = 0; x->kind == EN_SEQ && i < x->kids.n; i++) {
		k = x->kids.v[i];
		if (k->kind != EN_REP || k->kids.v[0]->kind != EN_ALT)
			continue;
		h->body = k->kids.v[0];
		h->at = i;
		for (uint32_t j = 0; j < h->body->kids.n; j++)
			if (h->body->kids.v[j]->kind == EN_REF && h->body->kids.v[j]->ref->kind == P_MIXED)
				h->hole = h->body->kids.v[j]->ref->body;
	}
	if (!h->hole || h->hole->kind != EN_SEQ)
		return false;
	while (h->in < h->hole->kids.n && !(h->hole->kids.v[h->in]->kind == EN_REF && h->hole->kids.v[h->in]->ref->kind == P_TOKENS))
		h->in++;
	return h->in < h->hole->kids.n;
}

static void write_part(struct writer *w, const struct production *p, const struct holed *h, const char *part, bool starts, bool ends)
{
	bool first = true;

	write_name(w, p->name, true);
	sb_f(w->out, "%s: /", part);
	if (starts)
		write_regex_kids(w, h->all, 0, h->at);
	else
		write_regex_kids(w, h->hole, h->in + 1, h->hole->kids.n);
	sb_ch(w->out, '(');
	for (uint32_t i = 0; i < h->body->kids.n; i++) {
		const struct ebnf_node *k = h->body->kids.v[i];

		if (k->kind == EN_REF && k->ref->kind == P_MIXED)
			continue;
		sb_z(w->out, first ? "" : "|");
		write_regex(w, k);
		first = false;
	}
	sb_z(w->out, ")*");
	if (ends)
		write_regex_kids(w, h->all, h->at + 1, h->all->kids.n);
	else
		write_regex_kids(w, h->hole, 0, h->in);
	sb_z(w->out, "/\n");
}

/*
 * Characters with an expression in them, "pre, { body | open, expression, close }, post", are four terminals, as a lexer
 * cannot stop in the middle of one: X without an expression, X_HEAD up to the first, X_MID between two, X_TAIL after the last.
 */
static void write_holed(struct writer *w, const struct production *p, const struct holed *h)
{
	const char *name = h->hole->kids.v[h->in]->text;
	struct strbuf upper = { 0 };

	for (const char *s = p->name; *s; s++)
		sb_ch(&upper, (char)toupper((unsigned char)*s));
	sb_f(w->out, "%s: %s | %s_HEAD BLANK? %s BLANK? ( %s_MID BLANK? %s BLANK? )* %s_TAIL\n", p->name, sb_cstr(&upper), sb_cstr(&upper), name, sb_cstr(&upper), name, sb_cstr(&upper));
	sb_free(&upper);
	write_part(w, p, h, "", true, true);
	write_part(w, p, h, "_HEAD", true, false);
	write_part(w, p, h, "_MID", false, false);
	write_part(w, p, h, "_TAIL", false, true);
}

static bool named_by(const struct ebnf_node *x, const struct production *p)
{
	if (x->kind == EN_REF)
		return x->ref == p;
	for (uint32_t i = 0; i < x->kids.n; i++)
		if (named_by(x->kids.v[i], p))
			return true;
	return false;
}

/* A production of characters is a terminal where one of tokens names it. */
static bool is_terminal(const struct ebnf *g, const struct production *p)
{
	for (uint32_t i = 0; i < g->p.n; i++)
		if (g->p.v[i].used && g->p.v[i].kind == P_TOKENS && named_by(g->p.v[i].body, p))
			return true;
	return false;
}

static void write_terminal(struct writer *w, const struct production *p)
{
	write_name(w, p->name, true);
	sb_z(w->out, ": /");
	write_regex(w, p->body);
	sb_z(w->out, "/\n");
}

static int write_lark(struct writer *w, const struct ebnf *g, bool fenced)
{
	const struct production *newline = ebnf_find(g, "newline"), *comment = ebnf_find(g, "comment");
	struct holed h;

	sb_z(w->out, "// The grammar of .cw for constrained decoding (Lark), generated from grammar/couler.ebnf.\n");
	sb_z(w->out, fenced ? "start: \"```cw\\n\" file BLANK? \"\\n```\"\n" : "start: file BLANK? COMMENT?\n");
	for (uint32_t i = 0; i < g->p.n; i++) {
		const struct production *p = &g->p.v[i];

		if (!p->used || p == newline || p == comment)
			continue;
		if (p->kind == P_TOKENS) {
			sb_f(w->out, "%s: ", p->name);
			write_body(w, p);
		} else if (p->kind == P_CHARS && is_terminal(g, p)) {
			write_terminal(w, p);
		} else if (p->kind == P_MIXED && find_hole(p, &h)) {
			write_holed(w, p, &h);
		} else if (p->kind == P_MIXED && is_terminal(g, p)) {
			return -1;
		}
	}
	sb_z(w->out, "LINE_END: /(");
	write_regex(w, comment->body);
	sb_z(w->out, ")?");
	write_regex(w, newline->body);
	sb_z(w->out, "/\nBLANK: /[ \\t]+/\nwsn: ( BLANK | LINE_END )*\n");
	if (!fenced)
		write_terminal(w, comment);
	return 0;
}

int nl_grammar_write(enum nl_grammar format, bool fenced, struct strbuf *out, const char **why)
{
	struct arena *a = arena_new();
	struct ebnf *g = ebnf_read(a, (const char *)embed_grammar_couler_ebnf, embed_grammar_couler_ebnf_len, why);
	static const char *const roots[] = { "file", "newline", "comment" };
	struct writer w = { .out = out, .format = format };
	int rc = g ? 0 : -1;

	for (size_t i = 0; i < sizeof roots / sizeof *roots && !rc; i++) {
		struct production *p = ebnf_find(g, roots[i]);

		if (p)
			mark(p);
		else
			rc = -1;
	}
	if (!rc && format == NL_GBNF)
		write_gbnf(&w, g, fenced);
	else if (!rc)
		rc = write_lark(&w, g, fenced);
	if (rc && !*why)
		*why = "the grammar has a form that cannot be carried over";
	arena_free(a);
	return rc;
}
