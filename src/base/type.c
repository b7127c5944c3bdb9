/* Types: their names, as text and back. */
#include "couler/type.h"

#include <string.h>

static const struct { const char *name; bool scalar; } kinds[] = {
	[T_NONE] = { "?", false },
#define X(k, s, sc) [T_##k] = { s, sc },
	TYPE_KINDS(X)
#undef X
	[T_NULL] = { "null", false },
	[T_ANY] = { "any", false },
};

bool type_is_scalar(struct type t)
{
	return !t.list && !t.opt && kinds[t.kind].scalar;
}

const char *type_name(enum type_kind k)
{
	return kinds[k].name;
}

void type_str(struct strbuf *b, struct type t)
{
	if (t.list)
		sb_z(b, "list<");
	sb_z(b, kinds[t.kind].name);
	if (t.list)
		sb_ch(b, '>');
	if (t.opt)
		sb_ch(b, '?');
}

bool type_parse(const char *s, size_t n, struct type *t)
{
	struct type r = { 0 };

	if (n && s[n - 1] == '?') {
		r.opt = true;
		n--;
	}
	if (n > 6 && !memcmp(s, "list<", 5) && s[n - 1] == '>') {
		r.list = true;
		s += 5;
		n -= 6;
	}
	for (int k = T_STRING; k <= T_ANY; k++) {
		if (strlen(kinds[k].name) == n && !memcmp(kinds[k].name, s, n)) {
			r.kind = (uint8_t)k;
			*t = r;
			return true;
		}
	}
	return false;
}
