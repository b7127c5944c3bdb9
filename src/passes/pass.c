/* The one table of passes, and the runner. */
#include "passes.h"

#include <string.h>

const struct pass *const passes[] = { &pass_fold, &pass_inline, &pass_stage, &pass_sweep, &pass_cse, &pass_disaggregate, &pass_dataflow, &pass_cache, &pass_retry, &pass_rightsize, &pass_reduce, &pass_parallel, &pass_split, NULL };

const struct pass *pass_find(const char *name)
{
	for (const struct pass *const *p = passes; *p; p++)
		if (!strcmp((*p)->name, name))
			return *p;
	return NULL;
}

static const struct pass *find_n(const char *s, size_t n)
{
	for (const struct pass *const *p = passes; *p; p++)
		if (strlen((*p)->name) == n && !memcmp((*p)->name, s, n))
			return *p;
	return NULL;
}

static int unknown(const char *s, size_t n, struct diag *d)
{
	const char *names[64], *near;
	size_t k = 0;
	struct diag_item *it;
	struct strbuf b = { 0 };

	sb_safe(&b, s, n);
	it = diag_at(d, CW1202, (struct span){ 0 }, "--passes: there is no pass '%s'", sb_cstr(&b));
	b.n = 0;
	for (const struct pass *const *p = passes; *p && k < 64; p++) {
		names[k++] = (*p)->name;
		sb_f(&b, "%s%s", k > 1 ? ", " : "", (*p)->name);
	}
	near = nearest(s, n, names, k);
	if (near)
		diag_mend(d, it, "did you mean '%s'?", near);
	else
		diag_mend(d, it, "the passes are %s", sb_cstr(&b));
	sb_free(&b);
	return -1;
}

/* Which of a --passes list run: bit i for passes[i]. A pass whose options are set runs without being asked for. A list that only takes passes out starts from the default. */
static int selected(const struct pass_run *how, const struct target *t, const struct optset *o, struct diag *d, uint64_t *on)
{
	uint64_t only = 0, out = 0, dflt = 0;

	for (int i = 0; passes[i]; i++)
		if (passes[i]->always || how->level > 0 || (how->local && passes[i]->local) || optset_given(o, passes[i]->name))
			dflt |= UINT64_C(1) << i;
	for (const char *s = how->list; s && *s; ) {
		size_t n = strcspn(s, ",");
		bool minus = *s == '-';
		const struct pass *p = find_n(s + minus, n - minus);
		int i = 0;

		if (n && !p)
			return unknown(s + minus, n - minus, d);
		while (p && passes[i] != p)
			i++;
		if (p && minus && p->always && t->backend) {
			struct diag_item *it = diag_at(d, CW1202, (struct span){ 0 }, "--passes: '%s' cannot be left out: engines rely on it", p->name);

			diag_mend(d, it, "remove -%s from the list", p->name);
			return -1;
		}
		if (p)
			*(minus ? &out : &only) |= UINT64_C(1) << i;
		s += n + (s[n] == ',');
	}
	for (int i = 0; passes[i]; i++)
		if (passes[i]->always)
			only |= only ? UINT64_C(1) << i : 0;
	*on = (only ? only : dflt) & ~out;
	return 0;
}

static int missing(const struct pass *p, unsigned need, struct diag *d)
{
	const char *giver = "a pass";
	struct diag_item *it;

	for (const struct pass *const *q = passes; *q; q++)
		if ((*q)->gives & need)
			giver = (*q)->name;
	it = diag_at(d, CW1202, (struct span){ 0 }, "--passes: '%s' relies on '%s', which is not among them", p->name, giver);
	diag_mend(d, it, "add %s to the list", giver);
	return -1;
}

static int run_one(const struct pass *p, struct ir *m, const struct target *t, const struct optset *o, const struct pass_run *how, struct diag *d)
{
	unsigned errors = d->errors;

	if (p->needs & ~m->props)
		return missing(p, p->needs & ~m->props, d);
	if (p->run(m, t, o, d))
		return -1;
	m->props = (m->props & ~p->breaks) | p->gives;
	if (how->verify && ir_verify(m, d)) {
		diag_at(d, CW1101, (struct span){ 0 }, "pass '%s' left a graph that is not well-formed", p->name);
		return -1;
	}
	if (how->dump)
		how->dump(p->name, m, how->data);
	return d->errors > errors ? -1 : 0;
}

int passes_run(struct ir *m, const struct target *t, const struct optset *o, const struct pass_run *how, struct diag *d)
{
	uint64_t on = 0;

	if (selected(how, t, o, d, &on))
		return -1;
	for (int i = 0; passes[i]; i++)
		if (on >> i & 1 && run_one(passes[i], m, t, o, how, d))
			return -1;
	return 0;
}
