/*
 * What steps gave, by identity: a file of records in which the last of a key counts. Every process appends with one
 * write; only gc rewrites it, under the exclusive lock that appends share, and appends look whether the file is
 * still the one they have open.
 */
#include "actions.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define ACTION 1
#define TOUCH 2
#define TOUCH_EVERY 3600.0                /* s: the time of use is this coarse */

struct slot_of { uint64_t hash; size_t at; uint32_t len; bool gone; double used; };   /* at: of the payload + 1; 0: empty */
struct actions {
	char *path, *lock;
	bool loaded;
	struct mapped file;
	dev_t dev;                        /* of the file that was read; ino 0: there was none */
	ino_t ino;
	size_t wrote;                     /* bytes that this process has added */
	struct slot_of *slot;
	uint32_t n, cap;
	size_t bad;
	int fd;
	struct strbuf mine;               /* what this process added: payloads, one after the other */
	struct strbuf out;
};

struct actions *actions_open(const char *dir)
{
	struct actions *a = xcalloc(1, sizeof *a);

	a->path = file_join(dir, "actions");
	a->lock = file_join(dir, "actions.lock");
	a->fd = -1;
	return a;
}

static uint64_t hash_of(const struct sha *k)
{
	uint64_t h;

	memcpy(&h, k->b, sizeof h);
	return h;
}

static const char *payload(const struct actions *a, const struct slot_of *s)
{
	size_t at = s->at - 1;

	return at < a->file.n ? a->file.s + at : a->mine.s + (at - a->file.n);
}

static struct slot_of *find(const struct actions *a, const struct sha *key)
{
	uint64_t h = hash_of(key);
	uint32_t i = (uint32_t)(h ^ h >> 32) & (a->cap - 1);

	while (a->slot[i].at && (a->slot[i].hash != h || memcmp(payload(a, &a->slot[i]) + 4, key->b, 32)))
		i = (i + 1) & (a->cap - 1);
	return &a->slot[i];
}

static void grow(struct actions *a, uint32_t cap)
{
	struct slot_of *old = a->slot;
	uint32_t n = a->cap;

	a->cap = cap;
	a->slot = xcalloc(cap, sizeof *a->slot);
	for (uint32_t i = 0; i < n; i++)
		if (old[i].at) {
			uint32_t k = (uint32_t)(old[i].hash ^ old[i].hash >> 32) & (cap - 1);

			while (a->slot[k].at)
				k = (k + 1) & (cap - 1);
			a->slot[k] = old[i];
		}
	free(old);
}

/* at: offset of the payload in file and mine, joined. */
static void note(struct actions *a, const char *p, size_t n, size_t at)
{
	struct sha key;
	struct slot_of *s;
	uint32_t kind;

	if (n < 44)
		return;
	memcpy(&kind, p, 4);
	memcpy(key.b, p + 4, 32);
	if (2 * (a->n + 1) > a->cap)
		grow(a, a->cap ? 2 * a->cap : 1024);
	s = find(a, &key);
	if (kind == TOUCH) {
		if (s->at)
			memcpy(&s->used, p + 36, 8);
		return;
	}
	if (kind != ACTION)
		return;
	a->n += !s->at;
	s->hash = hash_of(&key);
	s->at = at + 1;
	s->len = (uint32_t)n;
	s->gone = false;
	memcpy(&s->used, p + 36, 8);
}

static void load(struct actions *a)
{
	struct stat st;
	size_t at = 0, n;
	const char *p;

	a->loaded = true;
	a->ino = 0;
	if (!stat(a->path, &st)) {
		a->dev = st.st_dev;
		a->ino = st.st_ino;
	}
	if (map_file(a->path, &a->file))
		a->file = (struct mapped){ NULL, 0 };
	grow(a, a->file.n > 65536 ? 65536 : 1024);
	while ((p = record_next(a->file.s, a->file.n, &at, &n, &a->bad)))
		note(a, p, n, (size_t)(p - a->file.s));
}

static void decode(const struct actions *a, const struct slot_of *s, struct action *x)
{
	struct reader r = { payload(a, s), s->len, 0 };

	get_u32(&r);
	memcpy(x->key.b, get_bytes(&r, 32), 32);
	x->time = get_double(&r);
	x->used = s->used;
	x->seconds = get_double(&r);
	x->bytes = get_u64(&r);
	x->run = get_text(&r, &x->run_len);
	x->step = get_text(&r, &x->step_len);
	x->outs = get_text(&r, &x->outs_len);
}

bool actions_get(struct actions *a, const struct sha *key, struct action *out)
{
	struct slot_of *s;

	if (!a->loaded)
		load(a);
	s = find(a, key);
	if (!s->at || s->gone)
		return false;
	decode(a, s, out);
	return true;
}

int actions_stat(struct actions *a, struct stat *st)
{
	if (!a->loaded)
		load(a);
	if (stat(a->path, st))
		return -1;
	return (a->ino && (st->st_ino != a->ino || st->st_dev != a->dev)) || (size_t)st->st_size != a->file.n + a->wrote ? -1 : 0;
}

void actions_drop(struct actions *a, const struct sha *key)
{
	struct slot_of *s = a->loaded ? find(a, key) : NULL;

	if (s && s->at)
		s->gone = true;
}

/* Opens the file, or opens it again where gc has put another in its place. Called with the lock shared. */
static int reopen(struct actions *a)
{
	struct stat mine, now;

	if (a->fd >= 0 && !fstat(a->fd, &mine) && !stat(a->path, &now) && mine.st_ino == now.st_ino && mine.st_dev == now.st_dev)
		return 0;
	if (a->fd >= 0)
		close(a->fd);
	a->fd = open(a->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
	return a->fd < 0 ? -1 : 0;
}

static int append(struct actions *a)
{
	int lock = open(a->lock, O_RDWR | O_CREAT | O_CLOEXEC, 0666), rc, e;

	if (lock < 0)
		return -1;
	while ((rc = flock(lock, LOCK_SH)) && errno == EINTR)
		;
	rc = rc || reopen(a) ? -1 : record_write(a->fd, &a->out);
	e = errno;
	close(lock);
	a->wrote += a->out.n;
	a->out.n = 0;
	errno = e;
	return rc;
}

int actions_put(struct actions *a, const struct action *x)
{
	size_t at = a->mine.n;
	struct strbuf *b = &a->mine;

	if (!a->loaded)
		load(a);
	put_u32(b, ACTION);
	sb_add(b, (const char *)x->key.b, 32);
	put_double(b, x->time);
	put_double(b, x->seconds);
	put_u64(b, x->bytes);
	put_text(b, x->run, x->run_len);
	put_text(b, x->step, x->step_len);
	put_text(b, x->outs, x->outs_len);
	record_add(&a->out, b->s + at, b->n - at);
	note(a, b->s + at, b->n - at, a->file.n + at);
	return append(a);
}

void actions_touch(struct actions *a, const struct sha *key, double now)
{
	struct slot_of *s = find(a, key);
	struct strbuf b = { 0 };

	if (!s->at || now - s->used < TOUCH_EVERY)
		return;
	put_u32(&b, TOUCH);
	sb_add(&b, (const char *)key->b, 32);
	put_double(&b, now);
	record_add(&a->out, b.s, b.n);
	sb_free(&b);
	s->used = now;
	append(a);                                                         /* lost, it only looks older to gc */
}

void actions_each(struct actions *a, void (*f)(const struct action *, void *), void *data)
{
	if (!a->loaded)
		load(a);
	for (uint32_t i = 0; i < a->cap; i++) {
		struct action x;

		if (!a->slot[i].at || a->slot[i].gone)
			continue;
		decode(a, &a->slot[i], &x);
		f(&x, data);
	}
}

static int by_place(const void *x, const void *y)
{
	const struct slot_of *a = *(struct slot_of *const *)x, *b = *(struct slot_of *const *)y;

	return a->at < b->at ? -1 : a->at > b->at;
}

int actions_rewrite(struct actions *a, bool (*keep)(const struct action *, void *), void *data)
{
	int lock = open(a->lock, O_RDWR | O_CREAT | O_CLOEXEC, 0666), rc = -1, e;
	struct slot_of **order;
	struct strbuf b = { 0 };
	uint32_t n = 0;

	if (lock < 0)
		return -1;
	while (flock(lock, LOCK_EX) && errno == EINTR)
		;
	actions_reload(a);                                                 /* what others have added since */
	order = xcalloc(a->n + 1, sizeof *order);
	for (uint32_t i = 0; i < a->cap; i++)
		if (a->slot[i].at)
			order[n++] = &a->slot[i];
	if (n)
		qsort(order, n, sizeof *order, by_place);
	for (uint32_t i = 0; i < n; i++) {
		struct action x;
		double time;

		decode(a, order[i], &x);
		if (!keep(&x, data))
			continue;
		record_add(&b, payload(a, order[i]), order[i]->len);
		memcpy(&time, payload(a, order[i]) + 36, 8);
		if (order[i]->used > time) {
			struct strbuf t = { 0 };

			put_u32(&t, TOUCH);
			sb_add(&t, (const char *)x.key.b, 32);
			put_double(&t, order[i]->used);
			record_add(&b, t.s, t.n);
			sb_free(&t);
		}
	}
	rc = write_file(a->path, &b);
	e = errno;
	close(lock);
	free(order);
	sb_free(&b);
	actions_reload(a);
	errno = e;
	return rc;
}

void actions_reload(struct actions *a)
{
	unmap_file(&a->file);
	a->mine.n = 0;
	a->wrote = 0;
	free(a->slot);
	a->slot = NULL;
	a->n = a->cap = 0;
	a->bad = 0;
	load(a);
}

size_t actions_bad(struct actions *a)
{
	if (!a->loaded)
		load(a);
	return a->bad;
}

void actions_close(struct actions *a)
{
	if (!a)
		return;
	unmap_file(&a->file);
	if (a->fd >= 0)
		close(a->fd);
	sb_free(&a->mine);
	sb_free(&a->out);
	free(a->slot);
	free(a->path);
	free(a->lock);
	free(a);
}
