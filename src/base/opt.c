/* Options of passes and backends: checked when set, read with their defaults. */
#include "couler/opt.h"

#include <stdlib.h>
#include <string.h>

#include "couler/value.h"

struct opt_entry { const char *owner, *name, *value; struct opt_entry *next; };
struct optset { struct arena *arena; struct opt_entry *first; };

struct optset *optset_new(struct arena *a)
{
	struct optset *o = arena_new_of(a, struct optset);

	o->arena = a;
	return o;
}

static const struct optdesc *find(const struct optdesc *table, const char *name)
{
	for (; table && table->name; table++)
		if (!strcmp(table->name, name))
			return table;
	return NULL;
}

static bool in_values(const char *values, const char *v)
{
	size_t n = strlen(v);

	for (const char *p = values; p; p = strchr(p, '|') ? strchr(p, '|') + 1 : NULL) {
		size_t m = strcspn(p, "|");

		if (m == n && !memcmp(p, v, n))
			return true;
	}
	return false;
}

static int to_bool(const char *v)
{
	if (!strcmp(v, "on") || !strcmp(v, "true") || !strcmp(v, "yes") || !strcmp(v, "1"))
		return 1;
	if (!strcmp(v, "off") || !strcmp(v, "false") || !strcmp(v, "no") || !strcmp(v, "0"))
		return 0;
	return -1;
}

/* NULL when v fits, else what was expected. */
static const char *misfit(const struct optdesc *t, const char *v)
{
	char *end;
	double x;

	switch (t->type) {
	case OPT_BOOL:
		return to_bool(v) < 0 ? "on or off" : NULL;
	case OPT_INT:
		(void)strtoll(v, &end, 10);
		return !*v || *end ? "a whole number" : NULL;
	case OPT_ENUM:
		return in_values(t->values, v) ? NULL : t->values;
	case OPT_SIZE:
		(void)strtoll(v, &end, 10);
		return (*v && !*end) || !size_parse(v, strlen(v), &x) ? NULL : "a size such as 1Mi";
	case OPT_DURATION:
		return duration_parse(v, strlen(v), &x) ? "a duration such as 30s" : NULL;
	case OPT_STRING:
		break;
	}
	return NULL;
}

int optset_set(struct optset *o, const char *owner, const struct optdesc *table, const char *name, const char *value, struct diag *d)
{
	const struct optdesc *t = find(table, name);
	const char *want;
	struct opt_entry *e;

	if (!t) {
		const char *names[64];
		size_t n = 0;
		struct diag_item *it = diag_at(d, CW0401, (struct span){ 0 }, "%s has no option '%s'", owner, name);

		for (t = table; t && t->name && n < 64; t++)
			names[n++] = t->name;
		if (nearest(name, strlen(name), names, n))
			diag_mend(d, it, "did you mean --set %s.%s?", owner, nearest(name, strlen(name), names, n));
		else
			diag_mend(d, it, "`couler help %s` lists its options", owner);
		return -1;
	}
	want = misfit(t, value);
	if (want) {
		diag_at(d, CW0401, (struct span){ 0 }, "--set %s.%s=%s: expected %s", owner, name, value, want);
		return -1;
	}
	e = arena_new_of(o->arena, struct opt_entry);
	*e = (struct opt_entry){ owner, t->name, arena_dup(o->arena, value, strlen(value)), o->first };
	o->first = e;
	return 0;
}

bool optset_given(const struct optset *o, const char *owner)
{
	for (const struct opt_entry *e = o ? o->first : NULL; e; e = e->next)
		if (!strcmp(e->owner, owner))
			return true;
	return false;
}

const char *opt_string(const struct optset *o, const char *owner, const struct optdesc *table, const char *name)
{
	const struct optdesc *t;

	for (const struct opt_entry *e = o ? o->first : NULL; e; e = e->next)
		if (!strcmp(e->owner, owner) && !strcmp(e->name, name))
			return e->value;
	t = find(table, name);
	return t ? t->dflt : NULL;
}

bool opt_bool(const struct optset *o, const char *owner, const struct optdesc *table, const char *name)
{
	const char *v = opt_string(o, owner, table, name);

	return v && to_bool(v) == 1;
}

int64_t opt_int(const struct optset *o, const char *owner, const struct optdesc *table, const char *name)
{
	const char *v = opt_string(o, owner, table, name);
	char *end;
	long long n;
	double x;

	if (!v)
		return 0;
	n = strtoll(v, &end, 10);
	if (!*end)
		return n;
	if (!size_parse(v, strlen(v), &x) || !duration_parse(v, strlen(v), &x))
		return (int64_t)x;
	return 0;
}
