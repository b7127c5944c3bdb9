/*
 * Records in a byte stream. lines: up to a newline. length_prefixed: 32-bit big-endian length, then the bytes. tar:
 * a sample as WebDataset has it, consecutive members whose names agree up to the first dot of their last component,
 * with the extended headers before each.
 */
#include "flow.h"

#include <string.h>

#define BLOCK 512

static uint32_t big32(const char *p)
{
	const unsigned char *u = (const unsigned char *)p;

	return (uint32_t)u[0] << 24 | (uint32_t)u[1] << 16 | (uint32_t)u[2] << 8 | u[3];
}

/* ---- tar ---- */

static bool empty_block(const char *p)
{
	for (int i = 0; i < BLOCK; i++)
		if (p[i])
			return false;
	return true;
}

/* Size of a member from its header, octal or base 256; -1: the header is none (its sum is wrong). */
static int64_t member_size(const char *h)
{
	const unsigned char *u = (const unsigned char *)h;
	uint64_t size = 0, want = 0, sum = 0;

	for (int i = 0; i < BLOCK; i++)
		sum += i >= 148 && i < 156 ? ' ' : u[i];
	for (int i = 148; i < 156 && (h[i] == ' ' || (h[i] >= '0' && h[i] <= '7')); i++)
		want = h[i] == ' ' ? want : want << 3 | (uint64_t)(h[i] - '0');
	if (sum != want)
		return -1;
	if (u[124] & 0x80) {
		for (int i = 125; i < 136; i++)
			size = size << 8 | u[i];
		return size > INT64_MAX / 2 ? -1 : (int64_t)size;
	}
	for (int i = 124; i < 136 && (h[i] == ' ' || (h[i] >= '0' && h[i] <= '7')); i++)
		size = h[i] == ' ' ? size : size << 3 | (uint64_t)(h[i] - '0');
	return (int64_t)size;
}

/* The part of a name that the members of one sample share. */
static size_t key_of(const char *name, size_t n)
{
	size_t dot;

	for (dot = n; dot && name[dot - 1] != '/'; dot--)
		;
	while (dot < n && name[dot] != '.')
		dot++;
	return dot;
}

struct member { size_t len; const char *name; size_t key; };

/* One member with what stands before it; 1, 0 if it is not whole, -1 if it is none. */
static int member(const char *p, size_t n, struct member *m)
{
	size_t at = 0;

	m->name = NULL;
	for (;;) {
		const char *h = p + at;
		int64_t size;
		size_t body;

		if (n - at < BLOCK)
			return 0;
		size = member_size(h);
		if (size < 0)
			return -1;
		body = ((size_t)size + BLOCK - 1) / BLOCK * BLOCK;
		if (h[156] == 'L' && n - at >= BLOCK + body) {
			m->name = h + BLOCK;
			m->key = key_of(m->name, strnlen(m->name, (size_t)size));
		} else if (h[156] != 'x' && h[156] != 'g' && h[156] != 'K' && h[156] != 'L' && !m->name) {
			m->name = h;
			m->key = key_of(h, strnlen(h, 100));
		}
		if (n - at < BLOCK + body) {
			m->len = at + BLOCK + body;
			return 0;
		}
		at += BLOCK + body;
		m->len = at;
		if (h[156] != 'x' && h[156] != 'g' && h[156] != 'K' && h[156] != 'L')
			return 1;
	}
}

/* A sample; *skip: bytes before it that mean nothing. */
static int64_t sample(const char *p, size_t n, bool eof, size_t *skip, const char **err)
{
	struct member first, next;
	size_t at;
	int k;

	while (n - *skip >= BLOCK && empty_block(p + *skip))
		*skip += BLOCK;
	p += *skip;
	n -= *skip;
	if (!n)
		return 0;
	k = member(p, n, &first);
	if (k < 0)
		*err = "is no tar archive";
	if (k <= 0)
		return k;
	for (at = first.len;; at += next.len) {
		if (n - at >= BLOCK && empty_block(p + at))
			return (int64_t)at;
		k = member(p + at, n - at, &next);
		if (k < 0) {
			*err = "is no tar archive";
			return -1;
		}
		if (n - at >= BLOCK && next.name && (next.key != first.key || memcmp(next.name, first.name, first.key)))
			return (int64_t)at;
		if (!k)
			return eof && at == n ? (int64_t)at : 0;
	}
}

/* ---- all of them ---- */

/* Length of the record at p, 0 if it is not whole, -1 with *err. */
static int64_t one(struct records *r, const char *p, size_t n, bool eof, size_t *skip, const char **err)
{
	const char *end;
	uint64_t len;

	*skip = 0;
	switch (r->framing) {
	case FR_LINES:
		end = n > r->seen ? memchr(p + r->seen, '\n', n - r->seen) : NULL;
		r->seen = n;
		return end ? end - p + 1 : 0;
	case FR_LENGTH:
		if (n < 4)
			return 0;
		len = big32(p);
		if (len > r->limit) {
			*err = "has a record over the limit";
			return -1;
		}
		return n >= 4 + len ? (int64_t)(4 + len) : 0;
	case FR_TAR:
		return sample(p, n, eof, skip, err);
	}
	return 0;
}

int64_t records_take(struct records *r, bool eof, uint32_t most, const char **p, uint32_t *n, const char **err)
{
	size_t start, end;

	if (eof && r->framing == FR_LINES && r->b.n > r->at && r->b.s[r->b.n - 1] != '\n')
		sb_ch(&r->b, '\n');
	start = end = r->at;
	*n = 0;
	while (*n < most) {
		size_t skip = 0;
		int64_t len = one(r, r->b.s + end, r->b.n - end, eof, &skip, err);

		if (len < 0)
			return -1;
		if (skip && *n)                                             /* what means nothing is not handed on */
			break;
		if (skip) {
			start += skip;
			end += skip;
			r->at += skip;
		}
		if (!len)
			break;
		r->seen = 0;
		end += (size_t)len;
		++*n;
	}
	if (!*n && (uint64_t)(r->b.n - end) > r->limit + 4) {
		*err = "has a record over the limit";
		return -1;
	}
	if (!*n && eof && r->b.n > end) {
		*err = "ends in the middle of a record";
		return -1;
	}
	*p = r->b.s ? r->b.s + start : "";
	r->at = end;
	r->count += *n;
	r->bytes += end - start;
	return (int64_t)(end - start);
}

size_t records_length(enum framing f, const char *p, size_t len, uint32_t n)
{
	struct records r = { .framing = f, .limit = UINT32_MAX };
	size_t at = 0;

	for (; n && at < len; n--) {
		const char *err;
		size_t skip;
		int64_t k = one(&r, p + at, len - at, true, &skip, &err);

		if (k <= 0)
			break;
		r.seen = 0;
		at += skip + (size_t)k;
	}
	return at;
}

const char *records_end(enum framing f, size_t *n)
{
	static const char blocks[2 * BLOCK];

	*n = f == FR_TAR ? sizeof blocks : 0;
	return blocks;
}
