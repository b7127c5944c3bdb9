/* A map of pointers by address: open addressing, at most half full. */
#include "couler/ptrmap.h"

#include <stdint.h>
#include <stdlib.h>

#include "couler/arena.h"

static size_t slot_of(const struct ptrmap *m, const void *key)
{
	size_t h = (size_t)(((uint64_t)(uintptr_t)key >> 4) * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (m->cap - 1);

	while (m->key[h] && m->key[h] != key)
		h = (h + 1) & (m->cap - 1);
	return h;
}

void *ptrmap_get(const struct ptrmap *m, const void *key)
{
	return m->n ? m->val[slot_of(m, key)] : NULL;
}

void ptrmap_put(struct ptrmap *m, const void *key, void *val)
{
	size_t h;

	if (2 * m->n >= m->cap) {
		struct ptrmap old = *m;

		m->cap = old.cap ? 2 * old.cap : 64;
		m->key = xcalloc(m->cap, sizeof *m->key);
		m->val = xcalloc(m->cap, sizeof *m->val);
		for (size_t i = 0; i < old.cap; i++) {
			if (!old.key[i])
				continue;
			h = slot_of(m, old.key[i]);
			m->key[h] = old.key[i];
			m->val[h] = old.val[i];
		}
		free(old.key);
		free(old.val);
	}
	h = slot_of(m, key);
	m->n += !m->key[h];
	m->key[h] = key;
	m->val[h] = val;
}

void ptrmap_free(struct ptrmap *m)
{
	free(m->key);
	free(m->val);
	*m = (struct ptrmap){ 0 };
}
