/* Text to values: what -p, the output of a step or an engine hands over (docs/values.md, "Text"). */
#include <math.h>
#include <string.h>

#include "couler/expr.h"

#define TEXT_MAX 120000                   /* bytes as counted below; one environment entry holds 131,071 */

int value_check_text(const char *s, size_t n, const char **err)
{
	size_t count = n;

	if (utf8_valid(s, n) < n) {
		*err = "not valid UTF-8";
		return -1;
	}
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c == '\\' || c == '$' || c == '{' || c == '[' || c == '\t' || c == '\n' || c == '\r') {
			count += 4;
		} else if (c < 0x20 || c == 0x7f) {
			*err = "control characters other than tab and line ends cannot be passed on";
			return -1;
		}
	}
	if (count > TEXT_MAX) {
		*err = "over 120,000 bytes (each of \\ $ { [ tab and line ends counts as five): use a file";
		return -1;
	}
	return 0;
}

/* -?(0|[1-9][0-9]*) within the limits of int. 0; 1: out of range; -1: no such text. */
static int int_text(const char *s, size_t n, int64_t *out)
{
	bool neg = n && s[0] == '-';
	int64_t v = 0;

	if (neg)
		s++, n--;
	if (!n || (n > 1 && s[0] == '0'))
		return -1;
	for (size_t i = 0; i < n; i++)
		if (s[i] < '0' || s[i] > '9')
			return -1;
	for (size_t i = 0; i < n; i++) {
		v = v * 10 + (s[i] - '0');
		if (v > INT_LIMIT)
			return 1;
	}
	*out = neg ? -v : v;
	return 0;
}

static int no(const char **err, const char *msg)
{
	*err = msg;
	return -1;
}

static int parse_int(const char *s, size_t n, struct value *out, const char **err)
{
	switch (int_text(s, n, &out->u.i)) {
	case 0:
		return 0;
	case 1:
		return no(err, "expected an int within \302\2619007199254740991");
	default:
		return no(err, "expected an int such as 42 or -3");
	}
}

static int parse_float(const char *s, size_t n, bool strict, struct value *out, const char **err)
{
	static const struct { const char *word; double d; } words[] = { { "nan", (double)NAN }, { "inf", (double)INFINITY }, { "-inf", (double)-INFINITY } };
	int rc;

	for (int i = 0; i < 3; i++) {
		if (strlen(words[i].word) == n && !memcmp(words[i].word, s, n)) {
			out->u.d = words[i].d;
			return 0;
		}
	}
	rc = double_parse(s, n, &out->u.d);
	if (rc < 0)
		return no(err, "expected a number such as 0.5, 3 or 1e-4");
	if (rc > 0 && !strict)
		return no(err, "expected a number within \302\2611.7976931348623157e308");
	return 0;
}

static int parse_bool(const char *s, size_t n, struct value *out, const char **err)
{
	out->u.b = n == 4;
	if ((n == 4 && !memcmp(s, "true", 4)) || (n == 5 && !memcmp(s, "false", 5)))
		return 0;
	return no(err, "expected true or false");
}

static int parse_duration(const char *s, size_t n, bool strict, struct value *out, const char **err, bool *spelled)
{
	bool neg = n && s[0] == '-';

	if (!double_parse(s, n, &out->u.d))
		return 0;
	if (!strict && !duration_parse(s + neg, n - neg, &out->u.d)) {
		out->u.d = neg ? -out->u.d : out->u.d;
		*spelled = true;
		return 0;
	}
	return no(err, strict ? "expected a duration in seconds such as 5400 or 0.25" : "expected a duration such as 1h30m, 30s, or a number of seconds");
}

static int parse_size(const char *s, size_t n, bool strict, struct value *out, const char **err, bool *spelled)
{
	double d;

	if (!int_text(s, n, &out->u.i) && out->u.i >= 0)
		return 0;
	if (!strict && !size_parse(s, n, &d)) {
		out->u.i = (int64_t)d;
		*spelled = true;
		return 0;
	}
	return no(err, strict ? "expected a size in bytes such as 1048576" : "expected a size such as 16Gi, 500MB, or a number of bytes");
}

static int parse_json_text(struct valctx *c, const char *s, size_t n, const struct json **j, const char **err)
{
	const char *why;
	size_t at;

	if (value_check_text(s, n, err))
		return -1;
	*j = json_parse(c, s, n, &why, &at);
	if (!*j) {
		struct strbuf b = { 0 };

		sb_f(&b, "expected JSON: %s at byte %zu", why, at);
		*err = arena_dup(c->arena, b.s, b.n);
		sb_free(&b);
		return -1;
	}
	return 0;
}

/* An element of a list from outside the source: units may stand in strings there. */
static int parse_element(struct valctx *c, struct type t, const struct json *j, bool strict, struct value *out, const char **err)
{
	struct value v = { .type = type_of(T_JSON), .u.j = j };

	if (!strict && j->kind == J_STR && (t.kind == T_DURATION || t.kind == T_SIZE))
		return value_parse(c, t, j->u.s->s, j->u.s->len, false, out, err);
	return value_convert(c, &v, t, out, err);
}

static int parse_list(struct valctx *c, struct type t, const char *s, size_t n, bool strict, struct value *out, const char **err)
{
	const struct json *j;
	struct value *v;

	if (parse_json_text(c, s, n, &j, err))
		return -1;
	if (j->kind != J_LIST)
		return no(err, "expected a JSON list such as [1, 2]");
	v = arena_array(c->arena, struct value, j->n);
	for (uint32_t i = 0; i < j->n; i++) {
		const char *why;

		if (parse_element(c, type_of(t.kind), &j->u.list[i], strict, &v[i], &why)) {
			struct strbuf b = { 0 };

			sb_f(&b, "element %u: %s", i, why);
			*err = arena_dup(c->arena, b.s, b.n);
			sb_free(&b);
			return -1;
		}
	}
	out->n = j->n;
	out->u.list = v;
	return 0;
}

int value_parse(struct valctx *c, struct type t, const char *s, size_t n, bool strict, struct value *out, const char **err)
{
	struct value v = { .type = t };
	bool spelled = false;             /* in units: the value's text is the canonical one */
	int rc;

	v.type.opt = false;
	if (t.list) {
		rc = parse_list(c, t, s, n, strict, &v, err);
	} else {
		switch (t.kind) {
		case T_INT:
			rc = parse_int(s, n, &v, err);
			break;
		case T_FLOAT:
			rc = parse_float(s, n, strict, &v, err);
			break;
		case T_BOOL:
			rc = parse_bool(s, n, &v, err);
			break;
		case T_DURATION:
			rc = parse_duration(s, n, strict, &v, err, &spelled);
			break;
		case T_SIZE:
			rc = parse_size(s, n, strict, &v, err, &spelled);
			break;
		case T_TIME:
			rc = time_parse(s, n, &v.u.t.sec, &v.u.t.nsec) ? no(err, "expected a time such as 2026-03-01T10:20:30Z (RFC 3339)") : 0;
			spelled = true;
			break;
		case T_JSON:
			rc = parse_json_text(c, s, n, &v.u.j, err);
			break;
		case T_STRING:
		case T_FILE:
		case T_DIR:
			rc = value_check_text(s, n, err);
			if (!rc && t.kind != T_STRING && !n)
				rc = no(err, "expected a path or a location, got nothing");
			if (!rc)
				v.u.s = str_intern(c->strs, s, n);
			break;
		default:
			rc = no(err, "a value of this type cannot be given as text");
		}
	}
	if (rc)
		return -1;
	if (!spelled && (t.list || (t.kind != T_STRING && !type_is_path(t))))
		v.text = str_intern(c->strs, s, n);
	*out = v;
	return 0;
}
