/* Words of sh and bash scripts: quotes, substitutions, arithmetic, here-documents. */
#include "script_scan.h"

enum {
	MAX_DEPTH = 100,                 /* substitutions inside of substitutions */
	MAX_TURNED = 20                  /* arithmetic that turned out to be a subshell and is read again: each may double the work */
};

static void dollar(struct scan *c, bool quoted);

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_part(char c) { return is_start(c) || is_digit(c); }

void scan_lost(struct scan *c)
{
	c->sc->lost = true;
	c->i = c->n;
}

uint32_t scan_name_end(const struct scan *c, uint32_t i)
{
	if (!is_start(char_at(c, i)))
		return i;
	while (is_part(char_at(c, i)))
		i++;
	return i;
}

static void add_use(struct scan *c, enum script_use_kind k, uint32_t off, uint32_t end, uint32_t name, uint32_t nname)
{
	vec_push(c->sc->arena, &c->sc->uses, ((struct script_use){ k, off, end - off, name, nname }));
}

void scan_set(struct scan *c, uint32_t off, uint32_t n)
{
	vec_push(c->sc->arena, &c->sc->sets, ((struct script_part){ off, n }));
}

bool scan_enter(struct scan *c)
{
	if (++c->depth <= MAX_DEPTH)
		return true;
	scan_lost(c);
	return false;
}

/* ---- quotes ---- */

static void single_quotes(struct scan *c)
{
	const char *e = memchr(c->s + c->i + 1, '\'', c->n - c->i - 1);

	if (!e) {
		scan_lost(c);
		return;
	}
	sb_add(&c->buf, c->s + c->i + 1, (size_t)(e - (c->s + c->i + 1)));
	c->i = (uint32_t)(e + 1 - c->s);
}

/* $'...' of bash */
static void ansi_quotes(struct scan *c)
{
	c->i += 2;
	while (c->i < c->n && c->s[c->i] != '\'')
		c->i += c->s[c->i] == '\\' ? 2 : 1;
	if (c->i >= c->n)
		scan_lost(c);
	else
		c->i++;
}

static void backticks(struct scan *c)
{
	bool moved = c->moved;

	c->i++;
	scan_list(c, '`');
	if (cur(c) != '`')
		scan_lost(c);
	else
		c->i++;
	c->moved = moved;
}

/* Text up to `end` as double quotes hold it; the position after end. literal: cleared by a substitution. */
static void double_quoted(struct scan *c, uint32_t limit, char end, bool *literal)
{
	while (c->i < limit && c->s[c->i] != end) {
		char ch = c->s[c->i];

		if (ch == '\\' && c->i + 1 < limit) {
			if (c->s[c->i + 1] != '\n')
				sb_ch(&c->buf, c->s[c->i + 1]);
			c->i += 2;
		} else if (ch == '$') {
			uint32_t from = c->i;

			dollar(c, true);
			if (c->i == from + 1)
				sb_ch(&c->buf, '$');
			else
				*literal = false;
		} else if (ch == '`') {
			*literal = false;
			backticks(c);
		} else {
			sb_ch(&c->buf, ch);
			c->i++;
		}
	}
}

static void double_quotes(struct scan *c, bool *literal)
{
	c->i++;
	double_quoted(c, c->n, '"', literal);
	if (cur(c) != '"')
		scan_lost(c);
	else
		c->i++;
}

/* ---- arithmetic ---- */

/* A name in an arithmetic expression at c->i. */
void scan_arith_name(struct scan *c, bool pre)
{
	uint32_t from = c->i, end = scan_name_end(c, from), p = end;
	char a, b;

	if (char_at(c, p) == '[') {
		uint32_t deep = 0;

		do {
			deep += char_at(c, p) == '[';
			deep -= char_at(c, p) == ']';
			p++;
		} while (deep && p < c->n);
	}
	while (char_at(c, p) == ' ' || char_at(c, p) == '\t')
		p++;
	a = char_at(c, p);
	b = char_at(c, p + 1);
	c->i = end;
	if (pre || (a == '=' && b != '=') || (a == b && (a == '+' || a == '-')))
		scan_set(c, from, end - from);
	else if ((strchr("+-*/%&^|", a) && a && b == '=') || ((a == '<' || a == '>') && b == a && char_at(c, p + 2) == '='))
		scan_set(c, from, end - from);
	else
		add_use(c, USE_ARITH, from, end, from, end - from);
}

/*
 * An arithmetic expression up to its "))"; false, with c->i where it was, when it turns out to be
 * a command substitution that starts with a subshell: $((a; b) | c).
 */
bool scan_arithmetic(struct scan *c)
{
	uint32_t start = c->i, deep = 0, nuses = c->sc->uses.n, nsets = c->sc->sets.n;
	bool literal = true, pre = false;

	for (; c->i < c->n;) {
		char ch = cur(c);

		if (ch == ')' && !deep) {
			if (char_at(c, c->i + 1) != ')')
				break;
			c->i += 2;
			return true;
		}
		if (is_start(ch)) {
			scan_arith_name(c, pre);
			pre = false;
			continue;
		}
		pre = (ch == '+' || ch == '-') && char_at(c, c->i + 1) == ch && !is_part(c->i ? c->s[c->i - 1] : ' ');
		if (is_digit(ch)) {
			while (is_part(cur(c)) || cur(c) == '#' || cur(c) == '.')
				c->i++;
		} else if (ch == '$') {
			dollar(c, true);
		} else if (ch == '`') {
			backticks(c);
		} else if (ch == '"') {
			double_quotes(c, &literal);
		} else {
			deep += ch == '(';
			deep -= ch == ')';
			c->i += pre || ch == '\\' ? 2 : 1;
		}
	}
	if (c->i >= c->n || c->turned++ > MAX_TURNED)
		scan_lost(c);
	if (c->sc->lost)
		return true;
	c->sc->uses.n = nuses;
	c->sc->sets.n = nsets;
	c->i = start;
	return false;
}

/* ---- ${...} ---- */

/* The rest of ${x...} up to its '}'. literal_quotes: single quotes are text, as in "${x:-it's}". */
static void brace_rest(struct scan *c, bool literal_quotes)
{
	bool literal = true;

	while (c->i < c->n && c->s[c->i] != '}') {
		char ch = c->s[c->i];

		if (ch == '\\')
			c->i += 2;
		else if (ch == '\'' && !literal_quotes)
			single_quotes(c);
		else if (ch == '"')
			double_quotes(c, &literal);
		else if (ch == '$')
			dollar(c, literal_quotes);
		else if (ch == '`')
			backticks(c);
		else
			c->i++;
	}
	if (cur(c) != '}')
		scan_lost(c);
	else
		c->i++;
}

/* What stands between [ and ], whose names may be keys of an associative array: only substitutions count. */
static void subscript(struct scan *c)
{
	uint32_t deep = 0;
	bool literal = true;

	do {
		char ch = cur(c);

		if (ch == '$') {
			dollar(c, true);
		} else if (ch == '"') {
			double_quotes(c, &literal);
		} else if (ch == '\'') {
			single_quotes(c);
		} else {
			deep += ch == '[';
			deep -= ch == ']';
			c->i++;
		}
	} while (deep && c->i < c->n);
}

static void brace(struct scan *c, bool quoted)
{
	uint32_t from = c->i, name, end, uses;
	enum script_use_kind kind = USE_PLAIN;
	bool prefix = false, literal_quotes = false;

	c->i += 2;
	if ((cur(c) == '#' || cur(c) == '!') && char_at(c, c->i + 1) != '}')
		prefix = c->s[c->i++] == '!';
	name = c->i;
	end = scan_name_end(c, name);
	if (end == name) {
		while (is_digit(char_at(c, end)))
			end++;
		c->i = end == name ? end + 1 : end;
		end = name;
	} else {
		c->i = end;
	}
	if (cur(c) == '[')
		subscript(c);
	uses = c->sc->uses.n;
	if (end > name)
		add_use(c, kind, from, from, name, end - name);
	switch (cur(c)) {
	case '.':
		kind = USE_DOTTED;
		break;
	case '*': case '@':
		if (prefix && char_at(c, c->i + 1) == '}' && end > name)
			c->sc->uses.n = uses;     /* ${!pre*}: names, no value */
		break;
	case ':':
		if (strchr("-+=?", char_at(c, c->i + 1)) && char_at(c, c->i + 1))
			c->i++;
		break;
	default:
		break;
	}
	switch (cur(c)) {
	case '-': case '+':
		kind = c->s[c->i - 1] == ':' || c->i == end ? USE_DEFAULT : kind;
		literal_quotes = quoted;
		break;
	case '=':
		scan_set(c, name, end - name);
		literal_quotes = quoted;
		break;
	case '?':
		literal_quotes = quoted;
		break;
	default:
		break;
	}
	brace_rest(c, literal_quotes);
	if (uses < c->sc->uses.n && c->sc->uses.v[uses].name == name) {
		c->sc->uses.v[uses].kind = kind;
		c->sc->uses.v[uses].len = c->i - from;
	}
}

/* '$' and what follows; a '$' that means itself is stepped over. */
static void dollar(struct scan *c, bool quoted)
{
	uint32_t from = c->i, end;
	char next = char_at(c, from + 1);
	bool moved = c->moved;

	if (next == '(') {
		if (!scan_enter(c))
			return;
		c->i += 3;
		if (char_at(c, from + 2) != '(' || !scan_arithmetic(c)) {
			c->i = from + 2;
			scan_list(c, ')');
			if (cur(c) != ')')
				scan_lost(c);
			else
				c->i++;
		}
		c->moved = moved;
		c->depth--;
	} else if (next == '{') {
		if (!scan_enter(c))
			return;
		brace(c, quoted);
		c->depth--;
	} else if (next == '\'' && !quoted && c->sc->bash) {
		ansi_quotes(c);
	} else if (is_start(next)) {
		end = scan_name_end(c, from + 1);
		add_use(c, USE_PLAIN, from, end, from + 1, end - from - 1);
		c->i = end;
	} else if (is_digit(next) || (next && strchr("@*#?-$!", next))) {
		c->i += 2;
	} else {
		c->i++;
	}
}

/* ---- here-documents ---- */

/* "<<" [ "-" ] WORD, at the first '<'. */
void scan_heredoc(struct scan *c)
{
	struct heredoc h = { 0 };
	uint32_t nuses = c->sc->uses.n;   /* the delimiter is not expanded: what looks like a use in it is none */
	struct word w;

	c->i += 2;
	if (cur(c) == '-') {
		h.strip = true;
		c->i++;
	}
	while (cur(c) == ' ' || cur(c) == '\t')
		c->i++;
	if (!scan_word(c, '\0', &w)) {
		scan_lost(c);
		return;
	}
	c->sc->uses.n = nuses;
	h.quoted = w.quoted;
	h.delim = w.literal ? arena_dup(c->sc->arena, c->buf.s ? c->buf.s : "", w.n) : arena_dup(c->sc->arena, c->s + w.off, w.len);
	h.n = w.literal ? w.n : w.len;
	vec_push(c->sc->arena, &c->docs, h);
}

static void heredoc_body(struct scan *c, const struct heredoc *h)
{
	uint32_t from = c->i, line = c->i, end;
	bool literal = true;

	for (;; line = end + 1) {
		const char *nl = line < c->n ? memchr(c->s + line, '\n', c->n - line) : NULL;
		uint32_t text = line;

		end = nl ? (uint32_t)(nl - c->s) : c->n;
		while (h->strip && text < end && c->s[text] == '\t')
			text++;
		if (line >= c->n || (end - text == h->n && !memcmp(c->s + text, h->delim, h->n)) || !nl)
			break;
	}
	if (!h->quoted) {
		uint32_t n = c->n;

		c->n = line < n ? line : n;
		c->i = from;
		double_quoted(c, c->n, '\0', &literal);
		c->n = n;
	}
	c->i = end < c->n ? end + 1 : c->n;
}

void scan_newline(struct scan *c)
{
	c->i++;
	for (uint32_t k = 0; k < c->docs.n; k++) {
		struct heredoc h = c->docs.v[k];

		heredoc_body(c, &h);
	}
	c->docs.n = 0;
}

/* ---- words ---- */

static bool ends_word(const struct scan *c, char end, char ch)
{
	(void)c;
	return !ch || strchr(" \t\n;&|()<>", ch) || (end == '`' && ch == '`');
}

/* Balanced parentheses inside a word: @(a|b). */
static void pattern(struct scan *c)
{
	uint32_t deep = 0;
	bool literal = true;

	do {
		char ch = cur(c);

		if (ch == '$')
			dollar(c, false);
		else if (ch == '\'')
			single_quotes(c);
		else if (ch == '"')
			double_quotes(c, &literal);
		else {
			deep += ch == '(';
			deep -= ch == ')';
			c->i += ch == '\\' ? 2 : 1;
		}
	} while (deep && c->i < c->n);
}

/* A word at c->i, its text into buf; false if there is none. */
bool scan_word(struct scan *c, char end, struct word *w)
{
	*w = (struct word){ .off = c->i, .literal = true };
	c->buf.n = 0;
	while (c->i < c->n) {
		char ch = c->s[c->i];

		if (ch == '(' && c->sc->bash && c->i > w->off && strchr("@?*+!", c->s[c->i - 1])) {
			pattern(c);
			w->literal = false;
			continue;
		}
		if (ends_word(c, end, ch))
			break;
		if (ch == '\\') {
			w->quoted = true;
			if (char_at(c, c->i + 1) != '\n' && c->i + 1 < c->n)
				sb_ch(&c->buf, c->s[c->i + 1]);
			c->i += 2;
		} else if (ch == '\'') {
			w->quoted = true;
			single_quotes(c);
		} else if (ch == '"') {
			struct strbuf keep = c->buf;
			bool literal = true;

			/* a substitution inside reads words of its own into buf */
			c->buf = (struct strbuf){ 0 };
			double_quotes(c, &literal);
			w->quoted = true;
			w->literal &= literal;
			if (literal)
				sb_add(&keep, c->buf.s ? c->buf.s : "", c->buf.n);
			sb_free(&c->buf);
			c->buf = keep;
		} else if (ch == '$' || ch == '`') {
			struct strbuf keep = c->buf;
			uint32_t from = c->i;

			c->buf = (struct strbuf){ 0 };
			if (ch == '`')
				backticks(c);
			else
				dollar(c, false);
			sb_free(&c->buf);
			c->buf = keep;
			if (ch == '$' && c->i == from + 1)
				sb_ch(&c->buf, '$');
			else
				w->literal = false;
		} else {
			sb_ch(&c->buf, ch);
			c->i++;
		}
	}
	if (c->i > c->n)
		c->i = c->n;
	w->len = c->i - w->off;
	w->n = c->buf.n;
	return w->len > 0;
}
