/*
 * `let` out of an expression of {{=...}}: map([VALUE], ... # ...)[0] instead.
 *
 * The engine takes a variable for a name that is missing, and an expression with such a name that ends in an error is passed
 * on as text instead of failing (missingVarsInEnv in util/template/expression_template.go). So a value that is used
 * once, or is short, stands where it is used; any other becomes the element of a list of one.
 */
#include "xl.h"

#include <ctype.h>
#include <string.h>

#define SHORT 48                          /* bytes of a value that may be written twice */
#define DEPTH 200

struct var { const char *name; size_t len; const char *text; bool element; };   /* element: text reads # of the closure it stands in */
struct scope { VEC(struct var) v; };
struct unlet { struct argo *g; int depth; };

static const char *rewritten(struct unlet *u, const char *s, size_t n, const struct scope *in);

static bool word_char(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* The end of the literal that begins at i. */
static size_t past_quotes(const char *s, size_t n, size_t i)
{
	char q = s[i++];

	while (i < n && s[i] != q)
		i += s[i] == '\\' ? 2 : 1;
	return i < n ? i + 1 : n;
}

/* The first of the characters `ends` outside of brackets and quotes; n if there is none. */
static size_t find_end(const char *s, size_t n, size_t i, const char *ends)
{
	int depth = 0;

	while (i < n) {
		char c = s[i];

		if (c == '\'' || c == '"') {
			i = past_quotes(s, n, i);
			continue;
		}
		if (!depth && strchr(ends, c))
			return i;
		depth += c == '(' || c == '[' || c == '{' ? 1 : c == ')' || c == ']' || c == '}' ? -1 : 0;
		i++;
	}
	return n;
}

/* Calls f for each name that is a variable's; f's result ends the walk. */
static uint32_t uses(const char *s, size_t n, const char *name, size_t len)
{
	uint32_t k = 0;

	for (size_t i = 0; i < n;) {
		size_t from = i;

		if (s[i] == '\'' || s[i] == '"') {
			i = past_quotes(s, n, i);
			continue;
		}
		if (!word_char(s[i])) {
			i++;
			continue;
		}
		while (i < n && word_char(s[i]))
			i++;
		k += i - from == len && !memcmp(s + from, name, len) && (!from || s[from - 1] != '.');
	}
	return k;
}

static bool has_element(const char *s)
{
	size_t n = strlen(s);

	for (size_t i = 0; i < n;) {
		if (s[i] == '#')
			return true;
		i = s[i] == '\'' || s[i] == '"' ? past_quotes(s, n, i) : i + 1;
	}
	return false;
}

/* Binds as tightly as a name does. */
static bool is_atom(const char *s)
{
	size_t n = strlen(s);

	return n && s[0] != '-' && s[0] != '!' && find_end(s, n, 0, " +-*/%<>=&|?:,") == n;
}

static bool is_short(const char *s)
{
	return strlen(s) <= SHORT && is_atom(s) && !strchr(s, ' ');
}

static const char *wrapped(struct argo *g, const char *s)
{
	return is_atom(s) ? s : a_f(g, "(%s)", s);
}

/*
 * What a binding hands on to `rest`: the variables around it that rest reads and that read #, which means another
 * element in there, then the new ones.
 */
static const char *bound(struct unlet *u, const struct scope *around, const struct scope *fresh, const char *rest, size_t n)
{
	struct argo *g = u->g;
	struct scope in = { 0 };
	struct strbuf b = { 0 };
	uint32_t k = 0, count = fresh->v.n;
	const char *body;

	for (uint32_t i = 0; i < around->v.n; i++)
		count += around->v.v[i].element && uses(rest, n, around->v.v[i].name, around->v.v[i].len);
	sb_z(&b, count > 1 ? "map([[" : "map([");
	for (uint32_t i = 0; i < around->v.n; i++) {
		struct var v = around->v.v[i];

		if (v.element) {
			if (!uses(rest, n, v.name, v.len))
				continue;
			sb_f(&b, "%s%s", k ? ", " : "", v.text);
			v.text = count > 1 ? a_f(g, "#[%u]", k) : "#";
			k++;
		}
		vec_push(g->a, &in.v, v);
	}
	for (uint32_t i = 0; i < fresh->v.n; i++) {
		struct var v = fresh->v.v[i];

		sb_f(&b, "%s%s", k ? ", " : "", v.text);
		v.text = count > 1 ? a_f(g, "#[%u]", k) : "#";
		v.element = true;
		k++;
		vec_push(g->a, &in.v, v);
	}
	body = rewritten(u, rest, n, &in);
	sb_f(&b, "%s, %s)[0]", count > 1 ? "]]" : "]", body);
	return a_buf(g, &b);
}

static bool reads_any(const char *s, size_t n, const struct scope *fresh)
{
	for (uint32_t i = 0; i < fresh->v.n; i++)
		if (uses(s, n, fresh->v.v[i].name, fresh->v.v[i].len))
			return true;
	return false;
}

/* let a = A; let b = B; ... BODY */
static const char *bindings(struct unlet *u, const char *s, size_t n, const struct scope *around)
{
	struct scope in = { 0 }, fresh = { 0 };
	struct argo *g = u->g;

	for (uint32_t i = 0; i < around->v.n; i++)
		vec_push(g->a, &in.v, around->v.v[i]);
	while (n > 4 && !memcmp(s, "let ", 4)) {
		size_t eq = find_end(s, n, 4, "="), end = find_end(s, n, eq, ";"), next = end + 1;
		struct var v = { .name = s + 4, .len = eq - 5 };
		uint32_t k;

		while (next < n && s[next] == ' ')
			next++;
		if (next > n)
			break;
		if (reads_any(s + eq + 1, end - eq - 1, &fresh))
			break;
		v.text = rewritten(u, s + eq + 2, end - eq - 2, &in);
		k = uses(s + next, n - next, v.name, v.len);
		if (k < 2 || is_short(v.text)) {
			v.text = wrapped(g, v.text);
			v.element = has_element(v.text);
			vec_push(g->a, &in.v, v);
		} else {
			vec_push(g->a, &fresh.v, v);
		}
		s += next;
		n -= next;
	}
	return fresh.v.n ? bound(u, &in, &fresh, s, n) : rewritten(u, s, n, &in);
}

static const char *rewritten(struct unlet *u, const char *s, size_t n, const struct scope *in)
{
	struct argo *g = u->g;
	struct strbuf b = { 0 };

	if (n > 4 && !memcmp(s, "let ", 4))
		return bindings(u, s, n, in);
	if (++u->depth > DEPTH) {
		u->g->err = -1;
		return "";
	}
	for (size_t i = 0; i < n;) {
		size_t from = i;

		if (s[i] == '\'' || s[i] == '"') {
			i = past_quotes(s, n, i);
		} else if (s[i] == '(' && n - i > 5 && !memcmp(s + i, "(let ", 5)) {
			size_t end = find_end(s, n, i + 1, ")");
			const char *t = bindings(u, s + i + 1, end - i - 1, in);

			sb_z(&b, i && word_char(s[i - 1]) ? a_f(g, "(%s)", t) : wrapped(g, t));
			i = end + 1;
			continue;
		} else if (word_char(s[i])) {
			const char *t = NULL;

			while (i < n && word_char(s[i]))
				i++;
			for (uint32_t k = in->v.n; k-- > 0 && !t && (!from || s[from - 1] != '.');)
				if (in->v.v[k].len == i - from && !memcmp(in->v.v[k].name, s + from, i - from))
					t = in->v.v[k].text;
			if (t) {
				sb_z(&b, t);
				continue;
			}
		} else {
			i++;
		}
		sb_add(&b, s + from, i - from);
	}
	u->depth--;
	return a_buf(g, &b);
}

const char *xl_unlet(struct argo *g, const char *s)
{
	struct unlet u = { .g = g };
	struct scope none = { 0 };

	return strstr(s, "let ") ? rewritten(&u, s, strlen(s), &none) : s;
}
