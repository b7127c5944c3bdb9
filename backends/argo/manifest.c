/*
 * Text of a resource template. The engine puts values into it as they are, so a quote or a line end in one would make
 * another object of it. Every scalar with a tag is therefore one expression that gives a quoted scalar: Go's %q is YAML.
 */
#include "shape.h"

#include <string.h>

/* inputs.parameters.a-b as an expression */
static const char *member_of(struct argo *g, const char *s, size_t n)
{
	const char *e = NULL, *end = s + n;

	while (s < end) {
		const char *dot = memchr(s, '.', (size_t)(end - s));
		size_t k = dot ? (size_t)(dot - s) : (size_t)(end - s);
		const char *word = a_f(g, "%.*s", (int)k, s);

		e = e ? xl_member(g, e, word) : word;
		s += k + 1;
	}
	return e ? e : "''";
}

static const char *find_braces(const char *s, size_t n, char c)
{
	for (size_t i = 0; i + 1 < n; i++)
		if (s[i] == c && s[i + 1] == c)
			return s + i;
	return NULL;
}

static const char *scalar_tags(void *data, const char *s, size_t n)
{
	struct argo *g = data;
	const char *open = find_braces(s, n, '{'), *end = s + n;
	bool whole = open == s;
	struct strbuf b = { 0 };

	if (!open)
		return NULL;
	while (s < end) {
		const char *close;

		open = find_braces(s, (size_t)(end - s), '{');
		close = open ? find_braces(open, (size_t)(end - open), '}') : NULL;
		if (open != s || !close) {
			sb_z(&b, b.n ? " + " : "");
			xl_string(&b, s, (size_t)((open && close ? open : end) - s));
			s = open && close ? open : end;
			continue;
		}
		whole = whole && close + 2 == end;
		sb_z(&b, b.n ? " + " : "");
		if (open[2] == '=')
			sb_f(&b, whole ? "%.*s" : "(%.*s)", (int)(close - open - 3), open + 3);
		else
			sb_z(&b, member_of(g, open + 2, (size_t)(close - open - 2)));
		s = close + 2;
	}
	return a_f(g, "{{=sprig.quote(%s)}}", a_buf(g, &b));
}

/* The run, whose end takes the object with it. The engine's own setOwnerReference would write the manifest anew, and lose U+0085 in it. */
const struct owner_entry owner_entries[] = {
	{ "apiVersion", "argoproj.io/v1alpha1", false }, { "kind", "Workflow", false }, { "name", "{{workflow.name}}", false }, { "uid", "{{workflow.uid}}", false },
	{ "controller", "true", true }, { "blockOwnerDeletion", "true", true }, { NULL, NULL, false }
};

void owner_reference(struct yaml *y)
{
	y_open(y, "ownerReferences");
	y_item(y);
	for (const struct owner_entry *o = owner_entries; o->key; o++)
		if (o->plain)
			y_plain(y, o->key, "%s", o->value);
		else
			y_z(y, o->key, o->value);
	y_item_end(y);
	y_end(y);
}

struct yaml manifest_yaml(struct argo *g, struct strbuf *b)
{
	struct yaml y = yaml_at(b, 0);

	y.tags = scalar_tags;
	y.data = g;
	return y;
}

const char *number_tag(struct site *x, const struct expr *e, int64_t add)
{
	struct ex t;

	if (e->op == EX_LIT) {
		double v = type_is(e->u.lit->type, T_INT) ? (double)e->u.lit->u.i : e->u.lit->u.d;

		v += (double)add;
		return a_f(x->g, "%.0f", v > 0 ? v : 0);
	}
	x->lets = 0;
	t = xl_native(x, e);
	if (may_fail(t.s))
		t = xl_of_text(x, e->type, hoisted(x, e, false));
	return a_f(x->g, type_is(e->type, T_INT) ? "{{=max(0, %s%s)}}" : "{{=max(0, int(ceil(%s))%s)}}", xl_unlet(x->g, ex_in(x, t, P_ADD)), add ? a_f(x->g, " - %lld", (long long)-add) : "");
}
