/* YAML writer (yaml.h). */
#include "yaml.h"

#include "couler/diag.h"

#include <ctype.h>
#include <stdarg.h>
#include <string.h>

/* Words that some YAML reads as something else than a string. */
static bool is_word_of_yaml(const char *s, size_t n)
{
	static const char *const words[] = { "y", "n", "yes", "no", "on", "off", "true", "false", "null", "~", "nan", "inf" };

	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		size_t k = strlen(words[i]);

		if (k != n)
			continue;
		for (k = 0; k < n && tolower((unsigned char)s[k]) == words[i][k]; k++)
			;
		if (k == n)
			return true;
	}
	return false;
}

bool yaml_plain_ok(const char *s, size_t n, bool flow)
{
	unsigned char c;

	if (!n || n > 120 || is_word_of_yaml(s, n))
		return false;
	c = (unsigned char)s[0];
	/* What starts with a digit, a sign or a dot may be a number or a date; the rest are indicators. */
	if (!isalpha(c) && c != '/' && c != '_' && !(c == '-' && n > 1 && isalpha((unsigned char)s[n > 2 && s[1] == '-' ? 2 : 1])))
		return false;
	for (size_t i = 0; i < n; i++) {
		c = (unsigned char)s[i];
		if (isalnum(c) || c == '_' || c == '-' || c == '.' || c == '/' || c == '$' || c == '+' || c == '=' || c == '@' || c == '%' || c == '~')
			continue;
		if (c == ':' && i + 1 < n && s[i + 1] != ' ' && !flow)
			continue;
		if ((c == '(' || c == ')' || c == '\'' || c == ';' || c == '!' || c == '?' || c == '*' || c == '^' || c == '&' || c == '|' || c == '<' || c == '>') && i && !flow)
			continue;
		if (c == ',' && i && !flow)
			continue;
		if (c == ' ' && i + 1 < n && s[i + 1] != '#' && !flow)
			continue;
		return false;
	}
	return true;
}

static void indent(struct yaml *y)
{
	if (y->dash) {
		y->dash = false;
		return;
	}
	sb_fill(y->b, ' ', (size_t)y->depth * 2);
}

static void key_of(struct yaml *y, const char *key)
{
	size_t n = strlen(key);

	indent(y);
	if (yaml_plain_ok(key, n, true)) {
		sb_add(y->b, key, n);
	} else {
		sb_json(y->b, key, n);
	}
	sb_ch(y->b, ':');
}

static void single_quoted(struct strbuf *b, const char *s, size_t n)
{
	sb_ch(b, '\'');
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '\'')
			sb_ch(b, '\'');
		sb_ch(b, s[i]);
	}
	sb_ch(b, '\'');
}

/* YAML 1.1 takes U+0085, U+2028 and U+2029 for line ends, and refuses the other control characters outside of escapes. */
static size_t special(const unsigned char *s, size_t left)
{
	if (s[0] < 0x20 || s[0] == 0x7f)
		return 1;
	if (left > 1 && s[0] == 0xc2 && s[1] < 0xa0)
		return 2;
	if (left > 2 && s[0] == 0xe2 && s[1] == 0x80 && (s[2] == 0xa8 || s[2] == 0xa9))
		return 3;
	if (left > 2 && s[0] == 0xef && ((s[1] == 0xbb && s[2] == 0xbf) || (s[1] == 0xbf && s[2] >= 0xbe)))
		return 3;
	return 0;
}

void yaml_double_quoted(struct strbuf *b, const char *s, size_t n)
{
	size_t k;

	sb_ch(b, '"');
	for (size_t i = 0; i < n; i++) {
		const unsigned char *u = (const unsigned char *)s + i;

		k = special(u, n - i);
		if (k == 3)
			sb_f(b, "\\u%04X", (unsigned)((u[0] & 15) << 12 | (u[1] & 63) << 6 | (u[2] & 63)));
		else if (k == 2)
			sb_f(b, "\\x%02X", (unsigned)((u[0] & 31) << 6 | (u[1] & 63)));
		else if (*u == '\n')
			sb_z(b, "\\n");
		else if (*u == '\t')
			sb_z(b, "\\t");
		else if (*u == '\r')
			sb_z(b, "\\r");
		else if (k)
			sb_f(b, "\\x%02X", *u);
		else if (*u == '"' || *u == '\\')
			sb_f(b, "\\%c", *u);
		else
			sb_ch(b, (char)*u);
		i += k ? k - 1 : 0;
	}
	sb_ch(b, '"');
}

static bool printable(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (special((const unsigned char *)s + i, n - i))
			return false;
	return true;
}

enum look { LOOK_PLAIN, LOOK_SINGLE, LOOK_DOUBLE, LOOK_BLOCK };

static enum look look_of(const char *s, size_t n, bool flow)
{
	bool lines = false, strange = false, slash = false;

	if (yaml_plain_ok(s, n, flow))
		return LOOK_PLAIN;
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '\n')
			lines = true;
		else if (special((const unsigned char *)s + i, n - i) && s[i] != '\t')
			strange = true;
		else if (s[i] == '"' || s[i] == '\\')
			slash = true;
		if (s[i] == '\t')
			slash = true;
	}
	if (strange || (lines && flow))
		return LOOK_DOUBLE;
	if (lines)
		return LOOK_BLOCK;
	return slash ? LOOK_SINGLE : LOOK_DOUBLE;
}

/* |, |- or |+ with an indentation indicator where the first line starts with a blank. */
static void block(struct yaml *y, const char *s, size_t n)
{
	size_t end = n, first = 0;

	while (end && s[end - 1] == '\n')
		end--;
	if (!end) {
		yaml_double_quoted(y->b, s, n);
		sb_ch(y->b, '\n');
		return;
	}
	while (first < n && s[first] == '\n')
		first++;
	sb_ch(y->b, '|');
	if (s[first] == ' ' || s[first] == '\t')
		sb_ch(y->b, '2');
	if (end == n)
		sb_ch(y->b, '-');
	else if (n - end > 1)
		sb_ch(y->b, '+');
	sb_ch(y->b, '\n');
	for (size_t i = 0; i < n;) {
		const char *nl = memchr(s + i, '\n', n - i);
		size_t len = nl ? (size_t)(nl - s) - i : n - i;

		if (len) {
			sb_fill(y->b, ' ', (size_t)(y->depth + 1) * 2);
			sb_add(y->b, s + i, len);
		}
		sb_ch(y->b, '\n');
		i += len + 1;
	}
}

static void scalar(struct yaml *y, const char *s, size_t n)
{
	const char *t = y->tags ? y->tags(y->data, s, n) : NULL;

	if (t) {
		sb_z(y->b, t);
		sb_ch(y->b, '\n');
		return;
	}
	switch (look_of(s, n, false)) {
	case LOOK_PLAIN:
		sb_add(y->b, s, n);
		break;
	case LOOK_SINGLE:
		single_quoted(y->b, s, n);
		break;
	case LOOK_DOUBLE:
		yaml_double_quoted(y->b, s, n);
		break;
	case LOOK_BLOCK:
		block(y, s, n);
		return;
	}
	sb_ch(y->b, '\n');
}

void y_str(struct yaml *y, const char *key, const char *s, size_t n)
{
	key_of(y, key);
	sb_ch(y->b, ' ');
	scalar(y, s, n);
}

void y_z(struct yaml *y, const char *key, const char *z)
{
	y_str(y, key, z, strlen(z));
}

void y_f(struct yaml *y, const char *key, const char *fmt, ...)
{
	struct strbuf t = { 0 };
	va_list ap;

	va_start(ap, fmt);
	sb_vf(&t, fmt, ap);
	va_end(ap);
	y_str(y, key, t.s ? t.s : "", t.n);
	sb_free(&t);
}

void y_plain(struct yaml *y, const char *key, const char *fmt, ...)
{
	va_list ap;

	key_of(y, key);
	sb_ch(y->b, ' ');
	va_start(ap, fmt);
	sb_vf(y->b, fmt, ap);
	va_end(ap);
	sb_ch(y->b, '\n');
}

void y_text(struct yaml *y, const char *key, const char *s, size_t n)
{
	enum look l = look_of(s, n, false);

	key_of(y, key);
	sb_ch(y->b, ' ');
	if (n && (l == LOOK_PLAIN || l == LOOK_SINGLE || (l == LOOK_DOUBLE && printable(s, n)))) {
		block(y, s, n);
		return;
	}
	scalar(y, s, n);
}

void y_open(struct yaml *y, const char *key)
{
	key_of(y, key);
	sb_ch(y->b, '\n');
	y->depth++;
}

void y_open_anchor(struct yaml *y, const char *key, const char *name)
{
	key_of(y, key);
	sb_f(y->b, " &%s\n", name);
	y->depth++;
}

void y_alias(struct yaml *y, const char *key, const char *name)
{
	key_of(y, key);
	sb_f(y->b, " *%s\n", name);
}

void y_end(struct yaml *y)
{
	y->depth--;
}

/* The dash of an item stands one step left of its entries: lists are not indented under their key. */
void y_item(struct yaml *y)
{
	if (y->dash)
		y->dash = false;
	else
		sb_fill(y->b, ' ', (size_t)(y->depth - 1) * 2);
	sb_z(y->b, "- ");
	y->dash = true;
}

void y_item_end(struct yaml *y)
{
	if (y->dash) {
		sb_z(y->b, "{}\n");
		y->dash = false;
	}
}

void y_item_str(struct yaml *y, const char *s, size_t n)
{
	y_item(y);
	y->dash = false;
	y->depth--;
	scalar(y, s, n);
	y->depth++;
}

void y_words(struct yaml *y, const char *key, const char *const *v, size_t n)
{
	key_of(y, key);
	sb_z(y->b, " [");
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(v[i]);

		if (i)
			sb_z(y->b, ", ");
		switch (look_of(v[i], len, true)) {
		case LOOK_PLAIN:
			sb_add(y->b, v[i], len);
			break;
		case LOOK_SINGLE:
			single_quoted(y->b, v[i], len);
			break;
		default:
			yaml_double_quoted(y->b, v[i], len);
			break;
		}
	}
	sb_z(y->b, "]\n");
}

void y_empty(struct yaml *y, const char *key)
{
	key_of(y, key);
	sb_z(y->b, " {}\n");
}

void y_comment(struct yaml *y, const char *fmt, ...)
{
	va_list ap;

	sb_fill(y->b, ' ', (size_t)y->depth * 2);
	sb_z(y->b, "# ");
	va_start(ap, fmt);
	sb_vf(y->b, fmt, ap);
	va_end(ap);
	sb_ch(y->b, '\n');
}

void y_comment_item(struct yaml *y, const char *fmt, ...)
{
	va_list ap;

	sb_fill(y->b, ' ', (size_t)(y->depth - 1) * 2);
	sb_z(y->b, "# ");
	va_start(ap, fmt);
	sb_vf(y->b, fmt, ap);
	va_end(ap);
	sb_ch(y->b, '\n');
}

void y_comment_text(struct yaml *y, const char *s, size_t n)
{
	for (size_t i = 0; i < n;) {
		const char *nl = memchr(s + i, '\n', n - i);
		size_t len = nl ? (size_t)(nl - s) - i : n - i;
		struct strbuf safe = { 0 };

		sb_safe(&safe, s + i, len);
		sb_fill(y->b, ' ', (size_t)y->depth * 2);
		sb_z(y->b, safe.n ? "# " : "#");
		sb_add(y->b, safe.s ? safe.s : "", safe.n);
		sb_ch(y->b, '\n');
		sb_free(&safe);
		i += len + 1;
	}
}
