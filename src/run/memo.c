/*
 * Hashes of files that were taken before, by what `stat` says of a file: device, inode, size, mtime, ctime. A hash
 * that was taken within a clock tick of a change is used once and not kept: the file may have changed again within
 * the same tick (the "racy" rule of Git's index).
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "memo.h"
#include "record.h"

#define TICK_NS 20000000                  /* coarsest tick of file times here: 100 Hz, and as much again */

struct entry { uint64_t dev, ino, size; int64_t mtime, ctime; struct sha sha; };
struct memo {
	pthread_mutex_t lock;
	char *path;
	struct entry *slot;               /* open addressing; ino 0: empty */
	uint32_t n, cap, stale;
	bool loaded;
	struct strbuf fresh;              /* not yet written */
};

struct memo *memo_new(const char *path)
{
	struct memo *m = xcalloc(1, sizeof *m);

	m->path = xstrdup(path);
	pthread_mutex_init(&m->lock, NULL);
	return m;
}

static uint64_t mix(uint64_t dev, uint64_t ino)
{
	uint64_t h = (dev * 0x9e3779b97f4a7c15u) ^ ino;

	h *= 0xff51afd7ed558ccdu;
	return h ^ h >> 32;
}

static struct entry *find(struct memo *m, uint64_t dev, uint64_t ino)
{
	uint32_t h = (uint32_t)mix(dev, ino) & (m->cap - 1);

	while (m->slot[h].ino && (m->slot[h].ino != ino || m->slot[h].dev != dev))
		h = (h + 1) & (m->cap - 1);
	return &m->slot[h];
}

static void grow(struct memo *m)
{
	struct entry *old = m->slot;
	uint32_t cap = m->cap;

	m->cap = cap ? 2 * cap : 1024;
	m->slot = xcalloc(m->cap, sizeof *m->slot);
	for (uint32_t i = 0; i < cap; i++)
		if (old[i].ino)
			*find(m, old[i].dev, old[i].ino) = old[i];
	free(old);
}

static void insert(struct memo *m, const struct entry *e)
{
	struct entry *at;

	if (!e->ino)
		return;
	if (4 * (m->n + 1) > 3 * m->cap)
		grow(m);
	at = find(m, e->dev, e->ino);
	if (at->ino)
		m->stale++;
	else
		m->n++;
	*at = *e;
}

static void load(struct memo *m)
{
	struct mapped f;
	size_t at = 0, n, bad = 0;
	const char *p;

	m->loaded = true;
	grow(m);
	if (map_file(m->path, &f))
		return;
	while ((p = record_next(f.s, f.n, &at, &n, &bad))) {
		struct entry e;

		if (n != sizeof e)
			continue;
		memcpy(&e, p, sizeof e);
		insert(m, &e);
	}
	unmap_file(&f);
	if (m->stale > 4096 && m->stale > 4 * m->n)
		memo_compact(m);
}

static struct entry entry_of(const struct stat *st)
{
	return (struct entry){ .dev = st->st_dev, .ino = st->st_ino, .size = (uint64_t)st->st_size,
		.mtime = (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec, .ctime = (int64_t)st->st_ctim.tv_sec * 1000000000 + st->st_ctim.tv_nsec };
}

bool memo_get(struct memo *m, const struct stat *st, struct sha *out)
{
	struct entry want = entry_of(st), *e;
	bool hit;

	pthread_mutex_lock(&m->lock);
	if (!m->loaded)
		load(m);
	e = find(m, want.dev, want.ino);
	hit = e->ino && e->size == want.size && e->mtime == want.mtime && e->ctime == want.ctime;
	if (hit)
		*out = e->sha;
	pthread_mutex_unlock(&m->lock);
	return hit;
}

bool memo_racy(const struct stat *st)
{
	struct timespec now;
	int64_t t, last = (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec, c = (int64_t)st->st_ctim.tv_sec * 1000000000 + st->st_ctim.tv_nsec;

	clock_gettime(CLOCK_REALTIME, &now);
	t = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
	if (c > last)
		last = c;
	return t - last < TICK_NS;                                         /* also where the clock went back */
}

void memo_put(struct memo *m, const struct stat *st, const struct sha *s)
{
	struct entry e = entry_of(st);

	e.sha = *s;
	pthread_mutex_lock(&m->lock);
	if (!m->loaded)
		load(m);
	insert(m, &e);
	record_add(&m->fresh, &e, sizeof e);
	pthread_mutex_unlock(&m->lock);
}

void memo_flush(struct memo *m)
{
	int fd;

	pthread_mutex_lock(&m->lock);
	if (m->fresh.n) {
		fd = open(m->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
		if (fd >= 0) {
			record_write(fd, &m->fresh);                        /* what is lost is hashed again */
			close(fd);
		}
		m->fresh.n = 0;
	}
	pthread_mutex_unlock(&m->lock);
}

/* Writes only what is current; another process's newer entries may be lost, and are hashed again. Called with the lock held or alone. */
void memo_compact(struct memo *m)
{
	size_t len = strlen(m->path) + 32;
	char *tmp = xmalloc(len);
	struct strbuf b = { 0 };
	int fd;

	snprintf(tmp, len, "%s.tmp-%d", m->path, (int)getpid());
	for (uint32_t i = 0; i < m->cap; i++)
		if (m->slot[i].ino)
			record_add(&b, &m->slot[i], sizeof m->slot[i]);
	fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd >= 0 && !record_write(fd, &b) && !close(fd))
		rename(tmp, m->path);
	else if (fd >= 0)
		unlink(tmp);
	m->stale = 0;
	sb_free(&b);
	free(tmp);
}

void memo_free(struct memo *m)
{
	if (!m)
		return;
	memo_flush(m);
	pthread_mutex_destroy(&m->lock);
	sb_free(&m->fresh);
	free(m->slot);
	free(m->path);
	free(m);
}
