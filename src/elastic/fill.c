/*
 * Slots of one machine among its jobs: everyone its least number, then in ascending order of remaining CPU work, each up to
 * what it wants. Serving the aggregate rate instead would starve the short jobs whenever CPU is scarce. A heap by work:
 * O(slots log jobs).
 */
#include "couler/elastic.h"

#include <stdlib.h>

struct heap { uint32_t *v, n; const struct fill_job *job; };

static bool before(const struct heap *h, uint32_t x, uint32_t y)
{
	double a = h->job[x].work, b = h->job[y].work;

	return a < b || (a <= b && x < y);
}

static void sift(struct heap *h, uint32_t i)
{
	for (;;) {
		uint32_t k = 2 * i + 1, t;

		if (k >= h->n)
			return;
		if (k + 1 < h->n && before(h, h->v[k + 1], h->v[k]))
			k++;
		if (!before(h, h->v[k], h->v[i]))
			return;
		t = h->v[k];
		h->v[k] = h->v[i];
		h->v[i] = t;
		i = k;
	}
}

static void pop(struct heap *h)
{
	h->v[0] = h->v[--h->n];
	sift(h, 0);
}

/* Gives slots to the job on top until it has `most(job)`. */
static int round_of(struct heap *h, struct fill_job *v, uint32_t n, int slots, bool least)
{
	h->n = n;
	for (uint32_t i = 0; i < n; i++)
		h->v[i] = i;
	for (uint32_t i = n / 2; i-- > 0; )
		sift(h, i);
	while (h->n && slots > 0) {
		struct fill_job *j = &v[h->v[0]];
		int most = least && j->min < j->want ? j->min : j->want;

		if (j->got >= most) {
			pop(h);
			continue;
		}
		j->got++;
		slots--;
	}
	return slots;
}

void fill_slots(struct fill_job *v, uint32_t n, int slots)
{
	struct heap h = { .v = xmalloc((n + 1) * sizeof *h.v), .job = v };

	for (uint32_t i = 0; i < n; i++)
		v[i].got = 0;
	slots = round_of(&h, v, n, slots, true);
	round_of(&h, v, n, slots, false);
	free(h.v);
}
