/* Interned strings, string maps, string buffers, UTF-8, nearest name. */
#include "couler/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Hashes apart from pointers: a probe of a new string, and a table that grows, touch little memory. */
struct strtab {
	struct arena *arena;
	uint32_t *hash;                   /* 0: a free slot */
	const struct str **slot;
	uint32_t n, cap;
};

/* Mixes eight bytes at a time by multiply and fold; only speed and spread matter, nothing is stored. */
static uint32_t hash_bytes(const char *s, size_t n)
{
	uint64_t h = 0x9e3779b97f4a7c15u ^ n, w;

	while (n >= 8) {
		memcpy(&w, s, 8);
		h = (h ^ w) * 0xff51afd7ed558ccdu;
		h ^= h >> 32;
		s += 8;
		n -= 8;
	}
	w = 0;
	if (n) {
		memcpy(&w, s, n);
		h = (h ^ w) * 0xff51afd7ed558ccdu;
	}
	h ^= h >> 29;
	h *= 0xc4ceb9fe1a85ec53u;
	h ^= h >> 32;
	return (uint32_t)h ? (uint32_t)h : 1;
}

struct strtab *strtab_new(struct arena *a)
{
	struct strtab *t = arena_new_of(a, struct strtab);

	t->arena = a;
	t->cap = 1024;
	t->hash = arena_array(a, uint32_t, t->cap);
	t->slot = arena_array(a, const struct str *, t->cap);
	return t;
}

static void strtab_double(struct strtab *t)
{
	uint32_t cap = t->cap * 2, *hash = arena_array(t->arena, uint32_t, cap);
	const struct str **slot = arena_array(t->arena, const struct str *, cap);

	for (uint32_t i = 0; i < t->cap; i++) {
		uint32_t h = t->hash[i] & (cap - 1);

		if (!t->hash[i])
			continue;
		while (hash[h])
			h = (h + 1) & (cap - 1);
		hash[h] = t->hash[i];
		slot[h] = t->slot[i];
	}
	t->hash = hash;
	t->slot = slot;
	t->cap = cap;
}

const struct str *str_intern(struct strtab *t, const char *s, size_t n)
{
	uint32_t hash = hash_bytes(s, n), h = hash & (t->cap - 1);
	struct str *x;

	for (; t->hash[h]; h = (h + 1) & (t->cap - 1))
		if (t->hash[h] == hash && t->slot[h]->len == n && !memcmp(t->slot[h]->s, s, n))
			return t->slot[h];
	if (n > UINT32_MAX - 1) {
		fputs("couler: a string over 4 GiB\n", stderr);
		_Exit(70);
	}
	x = arena_alloc(t->arena, sizeof *x + n + 1);
	x->len = (uint32_t)n;
	x->hash = hash;
	if (n)
		memcpy(x->s, s, n);
	t->hash[h] = hash;
	t->slot[h] = x;
	if (++t->n > t->cap / 2)
		strtab_double(t);
	return x;
}

const struct str *str_internz(struct strtab *t, const char *s)
{
	return str_intern(t, s, strlen(s));
}

const struct str *str_internf(struct strtab *t, const char *fmt, ...)
{
	struct strbuf b = { 0 };
	const struct str *s;
	va_list ap;

	va_start(ap, fmt);
	sb_vf(&b, fmt, ap);
	va_end(ap);
	s = str_intern(t, b.s ? b.s : "", b.n);
	sb_free(&b);
	return s;
}

int str_cmp(const struct str *a, const struct str *b)
{
	int c = memcmp(a->s, b->s, a->len < b->len ? a->len : b->len);

	return c ? c : (a->len > b->len) - (a->len < b->len);
}

bool str_eq(const struct str *a, const char *z)
{
	return a && strlen(z) == a->len && !memcmp(a->s, z, a->len);
}

static struct strmap_slot *strmap_find(const struct strmap *m, const struct str *key)
{
	uint32_t h = key->hash & (m->cap - 1);

	while (m->slot[h].key && m->slot[h].key != key)
		h = (h + 1) & (m->cap - 1);
	return &m->slot[h];
}

void *strmap_get(const struct strmap *m, const struct str *key)
{
	return m->n ? strmap_find(m, key)->val : NULL;
}

void strmap_put(struct arena *a, struct strmap *m, const struct str *key, void *val)
{
	struct strmap_slot *s;

	if (m->n >= m->cap / 2) {
		struct strmap old = *m;

		m->cap = old.cap ? old.cap * 2 : 8;
		m->slot = arena_array(a, struct strmap_slot, m->cap);
		for (uint32_t i = 0; i < old.cap; i++)
			if (old.slot[i].key)
				*strmap_find(m, old.slot[i].key) = old.slot[i];
	}
	s = strmap_find(m, key);
	m->n += !s->key;
	s->key = key;
	s->val = val;
}

void sb_reserve(struct strbuf *b, size_t more)
{
	size_t cap = b->cap ? b->cap : 256;

	if (b->cap - b->n > more)
		return;
	while (cap - b->n <= more) {
		if (cap > SIZE_MAX / 2) {
			fputs("couler: out of memory\n", stderr);
			_Exit(70);
		}
		cap *= 2;
	}
	b->s = xrealloc(b->s, cap);
	b->cap = cap;
}

void sb_add(struct strbuf *b, const char *s, size_t n)
{
	if (!n)
		return;
	sb_reserve(b, n);
	memcpy(b->s + b->n, s, n);
	b->n += n;
}

void sb_str(struct strbuf *b, const struct str *s)
{
	sb_add(b, s->s, s->len);
}

void sb_z(struct strbuf *b, const char *z)
{
	sb_add(b, z, strlen(z));
}

void sb_ch(struct strbuf *b, char c)
{
	sb_reserve(b, 1);
	b->s[b->n++] = c;
}

void sb_fill(struct strbuf *b, char c, size_t n)
{
	if (!n)
		return;
	sb_reserve(b, n);
	memset(b->s + b->n, c, n);
	b->n += n;
}

void sb_int(struct strbuf *b, int64_t i)
{
	uint64_t u = i < 0 ? 0 - (uint64_t)i : (uint64_t)i;
	char digits[20], *d = digits + sizeof digits;

	do
		*--d = (char)('0' + u % 10);
	while (u /= 10);
	if (i < 0)
		sb_ch(b, '-');
	sb_add(b, d, (size_t)(digits + sizeof digits - d));
}

void sb_vf(struct strbuf *b, const char *fmt, va_list ap)
{
	va_list again;
	int n;

	va_copy(again, ap);
	sb_reserve(b, 64);
	n = vsnprintf(b->s + b->n, b->cap - b->n, fmt, ap);
	if (n > 0 && (size_t)n >= b->cap - b->n) {
		sb_reserve(b, (size_t)n + 1);
		n = vsnprintf(b->s + b->n, b->cap - b->n, fmt, again);
	}
	va_end(again);
	if (n > 0)
		b->n += (size_t)n;
}

void sb_f(struct strbuf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	sb_vf(b, fmt, ap);
	va_end(ap);
}

void sb_free(struct strbuf *b)
{
	free(b->s);
	*b = (struct strbuf){ 0 };
}

const char *sb_cstr(struct strbuf *b)
{
	sb_reserve(b, 1);
	b->s[b->n] = '\0';
	return b->s;
}

void sb_json(struct strbuf *b, const char *s, size_t n)
{
	size_t from = 0;

	sb_ch(b, '"');
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c >= 0x20 && c != '"' && c != '\\' && c != 0x7f)
			continue;
		sb_add(b, s + from, i - from);
		from = i + 1;
		if (c == '"' || c == '\\') {
			sb_ch(b, '\\');
			sb_ch(b, (char)c);
		} else if (c == '\n') {
			sb_add(b, "\\n", 2);
		} else if (c == '\t') {
			sb_add(b, "\\t", 2);
		} else if (c == '\r') {
			sb_add(b, "\\r", 2);
		} else {
			sb_f(b, "\\u%04x", c);
		}
	}
	sb_add(b, s + from, n - from);
	sb_ch(b, '"');
}

/* Bytes of the well-formed sequence at s (RFC 3629), 0 if there is none. */
static size_t utf8_len(const unsigned char *s, size_t n)
{
	unsigned char c = s[0];
	size_t k = c < 0x80 ? 1 : c >= 0xc2 && c <= 0xdf ? 2 : (c & 0xf0) == 0xe0 ? 3 : c >= 0xf0 && c <= 0xf4 ? 4 : 0;

	if (!k || k > n)
		return 0;
	for (size_t i = 1; i < k; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((c == 0xe0 && s[1] < 0xa0) || (c == 0xed && s[1] > 0x9f) || (c == 0xf0 && s[1] < 0x90) || (c == 0xf4 && s[1] > 0x8f))
		return 0;
	return k;
}

size_t utf8_valid(const char *s, size_t n)
{
	size_t i = 0, k;

	while (i < n) {
		uint64_t w;

		if (n - i >= 8 && (memcpy(&w, s + i, 8), !(w & 0x8080808080808080u))) {
			i += 8;
			continue;
		}
		k = utf8_len((const unsigned char *)s + i, n - i);
		if (!k)
			return i;
		i += k;
	}
	return n;
}

size_t utf8_count(const char *s, size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += (s[i] & 0xc0) != 0x80;
	return count;
}

size_t utf8_encode(char out[4], uint32_t cp)
{
	if (cp < 0x80) {
		out[0] = (char)cp;
		return 1;
	}
	if (cp < 0x800) {
		out[0] = (char)(0xc0 | cp >> 6);
		out[1] = (char)(0x80 | (cp & 0x3f));
		return 2;
	}
	if (cp < 0x10000) {
		out[0] = (char)(0xe0 | cp >> 12);
		out[1] = (char)(0x80 | (cp >> 6 & 0x3f));
		out[2] = (char)(0x80 | (cp & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | cp >> 18);
	out[1] = (char)(0x80 | (cp >> 12 & 0x3f));
	out[2] = (char)(0x80 | (cp >> 6 & 0x3f));
	out[3] = (char)(0x80 | (cp & 0x3f));
	return 4;
}

static size_t least3(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;

	return m < c ? m : c;
}

/* Edit distance with transpositions (optimal string alignment), at most limit + 1. Names are short: n, m <= 64. */
static size_t distance(const char *a, size_t n, const char *b, size_t m, size_t limit)
{
	size_t row[3][65];

	for (size_t j = 0; j <= m; j++)
		row[0][j] = j;
	for (size_t i = 1; i <= n; i++) {
		size_t *cur = row[i % 3], *prev = row[(i + 2) % 3], *prev2 = row[(i + 1) % 3], best = i;

		cur[0] = i;
		for (size_t j = 1; j <= m; j++) {
			size_t same = (a[i - 1] | 32) == (b[j - 1] | 32) ? 0 : 1;

			cur[j] = least3(prev[j] + 1, cur[j - 1] + 1, prev[j - 1] + same);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && prev2[j - 2] + 1 < cur[j])
				cur[j] = prev2[j - 2] + 1;
			best = cur[j] < best ? cur[j] : best;
		}
		if (best > limit)
			return limit + 1;
	}
	return row[n % 3][m];
}

const char *nearest(const char *name, size_t n, const char *const *cand, size_t ncand)
{
	size_t limit = n < 3 ? 1 : n < 6 ? 2 : 3, best = limit + 1;
	const char *found = NULL;

	if (!n || n > 64)
		return NULL;
	for (size_t i = 0; i < ncand; i++) {
		size_t m = strlen(cand[i]), d;

		if (m > 64 || m > n + limit || n > m + limit)
			continue;
		d = distance(name, n, cand[i], m, limit);
		if (d < best && d < (m > n ? m : n)) {
			best = d;
			found = cand[i];
		}
	}
	return found;
}

char *xsprintf(const char *fmt, ...)
{
	struct strbuf b = { 0 };
	va_list ap;
	char *p;

	va_start(ap, fmt);
	sb_vf(&b, fmt, ap);
	va_end(ap);
	p = xstrdup(sb_cstr(&b));
	sb_free(&b);
	return p;
}
