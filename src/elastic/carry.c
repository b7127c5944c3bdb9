/*
 * What operators elsewhere need beside records: the values of the task's inputs, its code, its other files. The broker reads
 * them where it runs and sends them before the description of the dataflow; the worker lays them out in a folder of its own.
 */
#include "broker.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CARRY_MOST (UINT64_C(64) << 20)   /* bytes of all files: each worker gets them, from memory */
#define PIECE (1u << 20)

/* ---- the broker's side ---- */

/* from: a file or a folder here; to: what it is below the worker's folder. Folders come before what is in them. */
struct item { const char *from, *to; mode_t mode; uint64_t size; };
struct carry {
	struct arena *a;
	VEC(struct item) items;
	uint64_t bytes;
};

static const char *join(struct arena *a, const char *x, const char *y)
{
	size_t n = strlen(x), k = strlen(y);
	char *s = arena_alloc(a, n + k + 2);

	memcpy(s, x, n);
	s[n] = '/';
	memcpy(s + n + 1, y, k + 1);
	return s;
}

static int add(struct carry *c, const char *from, const char *to)
{
	struct stat st;

	if (stat(from, &st))
		return -1;
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return 0;
	vec_push(c->a, &c->items, ((struct item){ from, to, st.st_mode, (uint64_t)st.st_size }));
	if (S_ISREG(st.st_mode))
		c->bytes += (uint64_t)st.st_size;
	return 0;
}

/* path and all below it; 0, or -1 with errno. */
static int add_tree(struct carry *c, const char *from, const char *to)
{
	uint32_t at = c->items.n;

	if (add(c, from, to))
		return -1;
	for (; at < c->items.n && c->bytes <= CARRY_MOST; at++) {
		struct item it = c->items.v[at];
		struct dirent *e;
		int rc = 0;
		DIR *d;

		if (!S_ISDIR(it.mode))
			continue;
		d = opendir(it.from);
		if (!d)
			return -1;
		while (!rc && (e = readdir(d)))
			if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
				rc = add(c, join(c->a, it.from, e->d_name), join(c->a, it.to, e->d_name));
		closedir(d);
		if (rc)
			return -1;
	}
	return 0;
}

static const char *base(const char *path)
{
	const char *s = strrchr(path, '/');

	return s && s[1] ? s + 1 : "file";
}

/* Where input `name` will lie: a folder as such, a file in a folder, so that it keeps its name. */
static const char *place_of(struct arena *a, const char *name, const char *path)
{
	const char *top = join(a, "in", name);
	struct stat st;

	return !stat(path, &st) && S_ISREG(st.st_mode) ? join(a, top, base(path)) : top;
}

int carry_make(struct broker *b)
{
	struct carry *c = arena_new_of(b->arena, struct carry);
	const char *code = getenv("CW_CODE");
	int rc = 0;

	c->a = b->arena;
	b->carry = c;
	if (code && *code)
		rc = add_tree(c, code, "code");
	for (uint32_t i = 0; !rc && i < b->f->nfiles; i++) {
		const char *path = getenv(b->f->files[i]);

		if (!path || !*path)
			continue;                                           /* an optional input that is absent */
		rc = add_tree(c, path, place_of(c->a, b->f->files[i], path));
	}
	if (rc)
		broker_fail(b, "the code and files that workers need could not be read: %s", strerror(errno));
	else if (c->bytes > CARRY_MOST)
		broker_fail(b, "the task's code and its inputs other than '%s' have more than %u MiB, and each worker would get them: put what operators need into the image of `workers`, or let it be part of the records",
			b->f->split, (unsigned)(CARRY_MOST >> 20));
	return b->error ? -1 : 0;
}

static void send_variable(struct broker *b, struct worker *w, const char *name, const char *value, bool path)
{
	struct strbuf s = { 0 };

	sb_f(&s, "%s=%s", name, value);
	worker_send(b, w, (struct msg){ .type = MSG_ENV, .count = path }, s.s, s.n);
	sb_free(&s);
}

static bool send_file(struct broker *b, struct worker *w, const struct item *it)
{
	size_t head = strlen(it->to) + 1;
	char *buf = xmalloc(head + PIECE);
	int fd = S_ISREG(it->mode) ? open(it->from, O_RDONLY | O_CLOEXEC) : -1;
	uint64_t at = 0;
	ssize_t n = 0;

	memcpy(buf, it->to, head);
	if (!S_ISREG(it->mode) || !it->size)
		worker_send(b, w, (struct msg){ .type = MSG_FILE, .count = it->mode }, buf, head);
	while (fd >= 0 && (n = read(fd, buf + head, PIECE)) > 0) {
		worker_send(b, w, (struct msg){ .type = MSG_FILE, .count = it->mode, .seq = at }, buf, head + (size_t)n);
		at += (uint64_t)n;
	}
	if (fd >= 0)
		close(fd);
	free(buf);
	return n >= 0 && (fd >= 0 || !S_ISREG(it->mode));
}

/* Further variables, whose names are words of a text. */
static void send_named(struct broker *b, struct worker *w, const char *names)
{
	for (size_t n; names && *names; names += n + (names[n] == ' ')) {
		const char *name, *v;

		n = strcspn(names, " ");
		name = arena_dup(b->arena, names, n);
		v = n ? getenv(name) : NULL;
		if (v)
			send_variable(b, w, name, v, false);
	}
}

void carry_send(struct broker *b, struct worker *w)
{
	struct carry *c = b->carry;

	for (uint32_t i = 0; i < b->f->nvalues; i++) {
		const char *v = getenv(b->f->values[i]);

		if (v)
			send_variable(b, w, b->f->values[i], v, false);
	}
	send_named(b, w, getenv("COULER_DATAFLOW_ENV"));
	for (uint32_t i = 0; i < c->items.n; i++)
		if (!send_file(b, w, &c->items.v[i])) {
			broker_fail(b, "%s: %s", c->items.v[i].from, strerror(errno));
			return;
		}
	for (uint32_t i = 0; i < b->f->nfiles; i++) {
		const char *path = getenv(b->f->files[i]);

		if (path && *path)
			send_variable(b, w, b->f->files[i], place_of(b->arena, b->f->files[i], path), true);
	}
	if (getenv("CW_CODE"))
		send_variable(b, w, "CW_CODE", "code", true);
}

/* ---- the worker's side ---- */

char *carry_folder(void)
{
	const char *tmp = getenv("TMPDIR");
	struct strbuf b = { 0 };
	char *s;

	sb_f(&b, "%s/couler-worker-XXXXXX", tmp && *tmp ? tmp : "/tmp");
	s = strdup(sb_cstr(&b));
	sb_free(&b);
	if (s && !mkdtemp(s)) {
		free(s);
		s = NULL;
	}
	return s;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *f)
{
	(void)st;
	(void)flag;
	(void)f;
	return remove(path);
}

void carry_remove(char *dir)
{
	if (dir)
		nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(dir);
}

/* A relative path without "..". */
static bool inside(const char *p, size_t n)
{
	if (!n || p[n - 1] || *p == '/' || strlen(p) != n - 1)
		return false;
	for (const char *s = p; s; s = strchr(s, '/')) {
		s += *s == '/';
		if (!strncmp(s, "..", 2) && (!s[2] || s[2] == '/'))
			return false;
	}
	return true;
}

static int make_parents(const char *dir, char *path)
{
	for (char *s = path + strlen(dir) + 1; (s = strchr(s, '/')); s++) {
		int rc;

		*s = '\0';
		rc = mkdir(path, 0777);
		*s = '/';
		if (rc && errno != EEXIST)
			return -1;
	}
	return 0;
}

static int write_piece(const char *path, const struct msg *m, const char *p, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | (m->seq ? O_APPEND : O_TRUNC), 0666);
	size_t at = 0;

	while (fd >= 0 && at < n) {
		ssize_t k = write(fd, p + at, n - at);

		if (k < 0 && errno != EINTR)
			break;
		at += k > 0 ? (size_t)k : 0;
	}
	if (fd >= 0 && m->count & 0111)
		fchmod(fd, 0777);
	return fd < 0 || close(fd) || at < n ? -1 : 0;
}

int carry_take(const char *dir, const struct msg *m, const char *p)
{
	const char *end = memchr(p, '\0', m->len);
	size_t head = end ? (size_t)(end - p) + 1 : 0;
	char *path;
	int rc;

	errno = EINVAL;
	if (!inside(p, head))
		return -1;
	path = xmalloc(strlen(dir) + head + 1);
	sprintf(path, "%s/%s", dir, p);
	rc = make_parents(dir, path);
	if (!rc && S_ISDIR(m->count))
		rc = mkdir(path, 0777) && errno != EEXIST ? -1 : 0;
	else if (!rc)
		rc = write_piece(path, m, p + head, m->len - head);
	free(path);
	return rc;
}

int carry_variable(const char *dir, const struct msg *m, const char *p)
{
	struct strbuf name = { 0 }, value = { 0 };
	const char *eq = memchr(p, '=', m->len);
	int rc;

	errno = EINVAL;
	if (!eq || eq == p)
		return -1;
	sb_add(&name, p, (size_t)(eq - p));
	if (m->count)
		sb_f(&value, "%s/", dir);
	sb_add(&value, eq + 1, (size_t)(p + m->len - eq - 1));
	rc = setenv(sb_cstr(&name), sb_cstr(&value), 1);
	if (!rc && m->count && !strcmp(sb_cstr(&name), "CW_CODE"))
		rc = chdir(sb_cstr(&value));
	sb_free(&name);
	sb_free(&value);
	return rc;
}
