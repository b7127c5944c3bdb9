/* A set of digests. */
#include "shaset.h"

#include <stdlib.h>
#include <string.h>

static bool is_zero(const struct sha *s)
{
	static const struct sha none;

	return !memcmp(s, &none, sizeof none);
}

/* Where s is, or would be. */
static struct sha *place(const struct shaset *t, const struct sha *s)
{
	uint32_t h;

	memcpy(&h, s->b, sizeof h);
	for (h &= t->cap - 1; !is_zero(&t->v[h]) && memcmp(&t->v[h], s, sizeof *s); h = (h + 1) & (t->cap - 1))
		;
	return &t->v[h];
}

bool shaset_has(const struct shaset *t, const struct sha *s)
{
	return t->n && !is_zero(place(t, s));
}

bool shaset_add(struct shaset *t, const struct sha *s)
{
	struct sha *at;

	if (2 * (t->n + 1) > t->cap) {
		struct shaset old = *t;

		t->cap = old.cap ? 2 * old.cap : 1024;
		t->v = xcalloc(t->cap, sizeof *t->v);
		for (uint32_t k = 0; k < old.cap; k++)
			if (!is_zero(&old.v[k]))
				*place(t, &old.v[k]) = old.v[k];
		free(old.v);
	}
	at = place(t, s);
	if (!is_zero(at))
		return false;
	*at = *s;
	t->n++;
	return true;
}

void shaset_free(struct shaset *t)
{
	free(t->v);
	*t = (struct shaset){ 0 };
}
