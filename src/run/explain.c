/* --explain: why a step runs. -n: what would run. */
#include <string.h>

#include "keys.h"

void explain(struct rt *rt, struct step *s, struct keys *k)
{
	struct strbuf name = { 0 }, diff = { 0 };
	const char *old;
	size_t n;

	if (!rt->o->explain)
		return;
	inst_name(s->inst, &name);
	if (!keys_last(k, name.s, name.n, &old, &n))
		view_note(rt, "%s runs: it has not run before", sb_cstr(&name));
	else {
		keys_diff(old, n, s->key_text, s->key_len, &diff);
		if (diff.n)
			view_note(rt, "%s runs: its identity has changed\n%.*s", sb_cstr(&name), (int)diff.n - 1, diff.s);
		else
			view_note(rt, "%s runs: its result was not kept, or was dropped by gc", sb_cstr(&name));
	}
	sb_free(&name);
	sb_free(&diff);
}

void explain_never(struct rt *rt, struct step *s, const char *why)
{
	struct strbuf name = { 0 };

	if (!rt->o->explain)
		return;
	inst_name(s->inst, &name);
	view_note(rt, "%s runs: %s", sb_cstr(&name), why);
	sb_free(&name);
}

void dry_end(struct rt *rt, struct step *s)
{
	struct strbuf b = { 0 };

	inst_name(s->inst, &b);
	view_note(rt, "would run %s", sb_cstr(&b));
	sb_free(&b);
	rt->count.would++;
	step_end(rt, s, ST_SKIPPED, -1);
}
