/* Append-only files of checked records. */
#include "record.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC 0x31525743u                 /* "CWR1" */
#define LONGEST (16u << 20)

/* FNV-1a over eight bytes at a time, folded: against torn and mangled records, not against an adversary. */
static uint32_t checksum(const char *s, size_t n)
{
	uint64_t h = 0xcbf29ce484222325u ^ n, w;

	for (; n >= 8; s += 8, n -= 8) {
		memcpy(&w, s, 8);
		h = (h ^ w) * 0x100000001b3u;
		h ^= h >> 29;
	}
	w = 0;
	memcpy(&w, s, n);
	h = (h ^ w) * 0x100000001b3u;
	return (uint32_t)(h ^ h >> 32);
}

void record_add(struct strbuf *b, const void *payload, size_t n)
{
	uint32_t head[3] = { MAGIC, (uint32_t)n, checksum(payload, n) };

	sb_add(b, (const char *)head, sizeof head);
	sb_add(b, payload, n);
}

const char *record_next(const char *s, size_t size, size_t *at, size_t *n, size_t *bad)
{
	for (; size - *at >= RECORD_HEAD; ++*at, ++*bad) {
		uint32_t head[3];

		memcpy(head, s + *at, sizeof head);
		if (head[0] != MAGIC || head[1] > LONGEST || head[1] > size - *at - RECORD_HEAD)
			continue;
		if (checksum(s + *at + RECORD_HEAD, head[1]) != head[2])
			continue;
		*n = head[1];
		*at += RECORD_HEAD + head[1];
		return s + *at - head[1];
	}
	return NULL;
}

int record_write(int fd, const struct strbuf *b)
{
	size_t done = 0;

	while (done < b->n) {
		ssize_t n = write(fd, b->s + done, b->n - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		done += (size_t)n;
	}
	return 0;
}

int map_file(const char *path, struct mapped *m)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), e;
	struct stat st;
	void *p;

	*m = (struct mapped){ NULL, 0 };
	if (fd < 0)
		return errno == ENOENT ? 0 : -1;
	if (fstat(fd, &st)) {
		e = errno;
		close(fd);
		errno = e;
		return -1;
	}
	p = st.st_size ? mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0) : MAP_FAILED;
	e = errno;
	close(fd);
	if (st.st_size && p == MAP_FAILED) {
		errno = e;
		return -1;
	}
	if (st.st_size)
		*m = (struct mapped){ p, (size_t)st.st_size };
	return 0;
}

void unmap_file(struct mapped *m)
{
	if (m->n)
		munmap((void *)(uintptr_t)m->s, m->n);
	*m = (struct mapped){ NULL, 0 };
}

void put_u32(struct strbuf *b, uint32_t v)
{
	sb_add(b, (const char *)&v, sizeof v);
}

void put_u64(struct strbuf *b, uint64_t v)
{
	sb_add(b, (const char *)&v, sizeof v);
}

void put_double(struct strbuf *b, double v)
{
	sb_add(b, (const char *)&v, sizeof v);
}

void put_text(struct strbuf *b, const char *s, size_t n)
{
	put_u32(b, (uint32_t)n);
	sb_add(b, s, n);
}

const void *get_bytes(struct reader *r, size_t n)
{
	const char *p = r->s;

	if (r->bad || n > r->n) {
		r->bad = 1;
		return NULL;
	}
	r->s += n;
	r->n -= n;
	return p;
}

static void get(struct reader *r, void *to, size_t n)
{
	const void *p = get_bytes(r, n);

	if (p)
		memcpy(to, p, n);
	else
		memset(to, 0, n);
}

uint32_t get_u32(struct reader *r)
{
	uint32_t v;

	get(r, &v, sizeof v);
	return v;
}

uint64_t get_u64(struct reader *r)
{
	uint64_t v;

	get(r, &v, sizeof v);
	return v;
}

double get_double(struct reader *r)
{
	double v;

	get(r, &v, sizeof v);
	return v;
}

const char *get_text(struct reader *r, size_t *n)
{
	const char *p;

	*n = get_u32(r);
	p = get_bytes(r, *n);
	if (!p)
		*n = 0;
	return p ? p : "";
}
