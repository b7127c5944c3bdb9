/* Records and artifacts of the shared cache over the wire: every byte that comes is checked before it is used. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "remote.h"
#include "store.h"

#define MAGIC "CWA1"
#define LARGEST (UINT64_C(1) << 40)       /* bytes of an artifact */

/* ---- records ---- */

void remote_record(struct strbuf *b, const struct action *a)
{
	struct hasher *h = hasher_new();
	struct sha sum;

	sb_z(b, MAGIC);
	sb_add(b, (const char *)a->key.b, sizeof a->key.b);
	put_double(b, a->time);
	put_double(b, a->seconds);
	put_u64(b, a->bytes);
	put_text(b, a->run, a->run_len);
	put_text(b, a->step, a->step_len);
	put_text(b, a->outs, a->outs_len);
	hasher_reset(h);
	hasher_add(h, b->s, b->n);
	hasher_end(h, &sum);
	hasher_free(h);
	sb_add(b, (const char *)sum.b, sizeof sum.b);
}

int remote_record_read(const char *s, size_t n, const struct sha *key, struct action *a)
{
	struct reader r;
	struct hasher *h;
	struct sha sum;
	const void *p;

	if (n < 4 + 64 || memcmp(s, MAGIC, 4) != 0)
		return -1;
	n -= sizeof sum.b;
	h = hasher_new();
	hasher_reset(h);
	hasher_add(h, s, n);
	hasher_end(h, &sum);
	hasher_free(h);
	if (memcmp(sum.b, s + n, sizeof sum.b) != 0)
		return -1;
	r = (struct reader){ s + 4, n - 4, 0 };
	*a = (struct action){ 0 };
	p = get_bytes(&r, sizeof a->key.b);
	if (!p || (key && memcmp(p, key->b, sizeof key->b) != 0))
		return -1;
	memcpy(a->key.b, p, sizeof a->key.b);
	a->time = a->used = get_double(&r);
	a->seconds = get_double(&r);
	a->bytes = get_u64(&r);
	a->run = get_text(&r, &a->run_len);
	a->step = get_text(&r, &a->step_len);
	a->outs = get_text(&r, &a->outs_len);
	return r.bad || r.n ? -1 : 0;
}

static void key_of(const char *kind, const struct sha *s, char out[96])
{
	char hex[65];

	sha_hex(s, hex);
	snprintf(out, 96, "v1/%s/%.2s/%s", kind, hex, hex + 2);
}

/* ---- directories as one file ---- */

static int fault(char **err, const char *path, const char *why)
{
	struct strbuf b = { 0 };

	sb_f(&b, "%s: %s", path, why);
	*err = xstrdup(sb_cstr(&b));
	sb_free(&b);
	return -1;
}

struct names { char **v; size_t n, cap; };

static void add_name(struct names *l, char *s)
{
	if (l->n == l->cap) {
		l->cap = l->cap ? 2 * l->cap : 64;
		l->v = xrealloc(l->v, l->cap * sizeof *l->v);
	}
	l->v[l->n++] = s;
}

static void free_names(struct names *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i]);
	free(l->v);
}

/* Paths of the files below dir, unsorted; iterative. */
static int list_files(const char *dir, struct names *files, char **err)
{
	struct names dirs = { 0 };
	int rc = 0;

	add_name(&dirs, xstrdup(""));
	for (size_t i = 0; i < dirs.n && !rc; i++) {
		char *full = *dirs.v[i] ? file_join(dir, dirs.v[i]) : xstrdup(dir);
		DIR *d = opendir(full);
		struct dirent *e;

		if (!d)
			rc = fault(err, full, strerror(errno));
		while (d && (e = readdir(d))) {
			struct stat st;
			char *path;

			if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
				continue;
			path = *dirs.v[i] ? file_join(dirs.v[i], e->d_name) : xstrdup(e->d_name);
			if (fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW))
				rc = fault(err, path, strerror(errno));
			add_name(S_ISDIR(st.st_mode) ? &dirs : files, path);
		}
		if (d)
			closedir(d);
		free(full);
	}
	free_names(&dirs);
	return rc;
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int write_fully(int fd, const char *s, size_t n)
{
	struct strbuf b = { (char *)(uintptr_t)s, n, n };

	return record_write(fd, &b);
}

static int copy_bytes(int from, int to, uint64_t n, char *buf, size_t size)
{
	while (n) {
		ssize_t k = read(from, buf, n < size ? (size_t)n : size);

		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0) {
			errno = k ? errno : EIO;
			return -1;
		}
		if (write_fully(to, buf, (size_t)k))
			return -1;
		n -= (uint64_t)k;
	}
	return 0;
}

#define BUF (256u << 10)

int tree_pack(const char *dir, int fd, char **err)
{
	struct names files = { 0 };
	char *buf = xmalloc(BUF);
	int rc = list_files(dir, &files, err);

	if (files.n)
		qsort(files.v, files.n, sizeof *files.v, by_bytes);
	if (!rc && write_fully(fd, "couler-tree 1\n", 14))
		rc = fault(err, dir, strerror(errno));
	for (size_t i = 0; i < files.n && !rc; i++) {
		char *full = file_join(dir, files.v[i]);
		int in = open(full, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
		struct strbuf b = { 0 };
		struct stat st;

		if (in < 0 || fstat(in, &st))
			rc = fault(err, full, strerror(errno));
		else {
			sb_f(&b, "%llu %s\n", (unsigned long long)st.st_size, files.v[i]);
			if (write_fully(fd, b.s, b.n) || copy_bytes(in, fd, (uint64_t)st.st_size, buf, BUF))
				rc = fault(err, full, strerror(errno));
		}
		if (in >= 0)
			close(in);
		sb_free(&b);
		free(full);
	}
	free_names(&files);
	free(buf);
	return rc;
}

/* A relative path without empty parts, "." and "..". */
static bool path_ok(const char *p)
{
	for (;;) {
		size_t n = strcspn(p, "/");

		if (!n || (p[0] == '.' && (n == 1 || (n == 2 && p[1] == '.'))))
			return false;
		if (!p[n])
			return true;
		p += n + 1;
	}
}

static int unpack_file(FILE *f, const char *dir, char *line, char *buf, char **err)
{
	char *end, *full, *slash;
	unsigned long long size = strtoull(line, &end, 10);
	int fd, rc = 0;

	if (end == line || *end != ' ' || !path_ok(end + 1))
		return fault(err, "a directory of the shared cache", "has a damaged list");
	full = file_join(dir, end + 1);
	slash = strrchr(full, '/');
	*slash = '\0';
	if (make_dirs(full))
		rc = fault(err, full, strerror(errno));
	*slash = '/';
	fd = rc ? -1 : open(full, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
	if (!rc && fd < 0)
		rc = fault(err, full, strerror(errno));
	while (size && !rc) {
		size_t n = fread(buf, 1, size < BUF ? (size_t)size : BUF, f);

		if (!n)
			rc = fault(err, "a directory of the shared cache", "breaks off");
		else if (write_fully(fd, buf, n))
			rc = fault(err, full, strerror(errno));
		size -= n;
	}
	if (fd >= 0 && close(fd) && !rc)
		rc = fault(err, full, strerror(errno));
	free(full);
	return rc;
}

int tree_unpack(int fd, const char *dir, char **err)
{
	int own = fcntl(fd, F_DUPFD_CLOEXEC, 0), rc = 0;
	FILE *f = own < 0 ? NULL : fdopen(own, "r");
	char *line = NULL, *buf;
	size_t cap = 0;
	ssize_t n;

	if (!f || fseek(f, 0, SEEK_SET) || make_dirs(dir)) {
		rc = fault(err, dir, strerror(errno));
		if (f)
			fclose(f);
		else if (own >= 0)
			close(own);
		return rc;
	}
	buf = xmalloc(BUF);
	n = getline(&line, &cap, f);
	if (n < 0 || strcmp(line, "couler-tree 1\n") != 0)
		rc = fault(err, "a directory of the shared cache", "is none");
	while (!rc && (n = getline(&line, &cap, f)) > 0) {
		if (line[n - 1] != '\n' || strlen(line) != (size_t)n) {
			rc = fault(err, "a directory of the shared cache", "has a damaged list");
			break;
		}
		line[n - 1] = '\0';
		rc = unpack_file(f, dir, line, buf, err);
	}
	free(line);
	free(buf);
	fclose(f);
	return rc;
}

/* ---- taking ---- */

struct io {
	struct objects *o;
	struct store *st;
	struct hasher *h;
	struct exchange *x;
	bool all;                         /* puts what is there, too */
};

static void says(struct exchange *x, enum objects_rc rc, char *why)
{
	free(x->why);
	x->rc = rc;
	x->why = why;
}

static void temporary(const struct io *io, const char *what, struct strbuf *b)
{
	sb_f(b, "%s/tmp/%s-%d-%lx", store_dir(io->st), what, (int)getpid(), (unsigned long)(uintptr_t)io);
}

/* path: the file or folder that came; moved into the store if it is what was asked for. */
static int take_in(struct io *io, const struct sha *want, bool dir, const char *path)
{
	struct artifact a = { .dir = dir };
	char *err = NULL;
	bool own;

	if (store_put(io->st, io->h, path, dir, false, &a, &err, &own)) {
		says(io->x, OBJECTS_BAD, err);
		return -1;
	}
	if (!memcmp(&a.sha, want, sizeof *want))
		return 0;
	io->x->damaged = true;
	says(io->x, OBJECTS_BAD, xstrdup("a directory of the shared cache is damaged"));
	return -1;
}

static int take_one(const struct sha *want, bool dir, uint64_t size, void *data)
{
	struct io *io = data;
	struct strbuf file = { 0 }, tree = { 0 };
	char key[96], hex[65], *err = NULL;
	enum objects_rc rc;
	int fd, bad = -1;

	(void)size;
	if (!store_check(io->st, io->h, want, dir))
		return 0;
	key_of(dir ? "trees" : "blobs", want, key);
	sha_hex(want, hex);
	temporary(io, "get", &file);
	temporary(io, "unpack", &tree);
	fd = open(sb_cstr(&file), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd < 0)
		fault(&err, sb_cstr(&file), strerror(errno));
	rc = fd < 0 ? OBJECTS_BAD : objects_get_file(io->o, key, LARGEST, fd, dir ? NULL : hex, &err);
	if (rc == OBJECTS_ABSENT)
		says(io->x, OBJECTS_ABSENT, NULL);
	else if (rc || (dir && tree_unpack(fd, sb_cstr(&tree), &err))) {
		io->x->damaged = rc == OBJECTS_OK || rc == OBJECTS_BAD;
		says(io->x, rc ? rc : OBJECTS_BAD, err);
	} else
		bad = take_in(io, want, dir, dir ? sb_cstr(&tree) : sb_cstr(&file));
	if (fd >= 0)
		close(fd);
	unlink(sb_cstr(&file));
	if (dir)
		remove_tree(AT_FDCWD, sb_cstr(&tree));
	sb_free(&file);
	sb_free(&tree);
	return bad;
}

void remote_take(struct objects *o, struct store *st, struct hasher *h, const struct sha *key, double oldest, struct strbuf *record, struct action *a, struct exchange *x)
{
	struct io io = { .o = o, .st = st, .h = h, .x = x };
	char name[96];

	*x = (struct exchange){ 0 };
	key_of("actions", key, name);
	x->rc = objects_get(o, name, REMOTE_OUTS, record, &x->why);
	if (x->rc)
		return;
	if (remote_record_read(record->s, record->n, key, a)) {
		says(x, OBJECTS_BAD, xstrdup("a record of the shared cache is damaged"));
		x->damaged = true;
		return;
	}
	if (a->time < oldest) {
		x->rc = OBJECTS_ABSENT;
		return;
	}
	if (outs_artifacts(a->outs, a->outs_len, take_one, &io) && !x->rc)
		says(x, OBJECTS_BAD, xstrdup("a record of the shared cache cannot be read"));
}

/* ---- giving ---- */

static int give_one(const struct sha *s, bool dir, uint64_t size, void *data)
{
	struct io *io = data;
	char key[96], hex[65], *path = store_path(io->st, s, dir), *err = NULL;
	struct object_body b = { .fd = -1 };
	struct strbuf tmp = { 0 };
	uint64_t there = UINT64_MAX;
	struct stat st = { 0 };
	enum objects_rc rc = OBJECTS_OK;

	(void)size;
	key_of(dir ? "trees" : "blobs", s, key);
	sha_hex(s, hex);
	temporary(io, "put", &tmp);
	if (stat(path, &st)) {
		fault(&err, path, strerror(errno));
		rc = OBJECTS_BAD;
	} else if (!io->all)
		rc = objects_head(io->o, key, &there, &err);
	else
		rc = OBJECTS_ABSENT;
	if (rc == OBJECTS_ABSENT || (!rc && !dir && there != UINT64_MAX && there != (uint64_t)st.st_size)) {
		b.fd = open(dir ? sb_cstr(&tmp) : path, (dir ? O_RDWR | O_CREAT | O_TRUNC : O_RDONLY) | O_CLOEXEC, 0666);
		rc = OBJECTS_BAD;
		if (b.fd < 0 || fstat(b.fd, &st))
			fault(&err, dir ? sb_cstr(&tmp) : path, strerror(errno));
		else if (!dir || (!tree_pack(path, b.fd, &err) && !fstat(b.fd, &st))) {
			b.size = (uint64_t)st.st_size;
			b.sha256 = dir ? NULL : hex;
			rc = objects_put(io->o, key, &b, &err);
		}
		if (b.fd >= 0)
			close(b.fd);
		if (dir)
			unlink(sb_cstr(&tmp));
	}
	if (rc)
		says(io->x, rc, err);
	else
		free(err);
	free(path);
	sb_free(&tmp);
	return rc ? -1 : 0;
}

void remote_give(struct objects *o, struct store *st, const struct strbuf *record, bool over, struct exchange *x)
{
	struct io io = { .o = o, .st = st, .x = x, .all = over };
	struct object_body b = { .mem = record->s, .size = record->n };
	struct action a;
	char key[96];

	*x = (struct exchange){ 0 };
	if (remote_record_read(record->s, record->n, NULL, &a) || outs_artifacts(a.outs, a.outs_len, give_one, &io))
		return;
	key_of("actions", &a.key, key);
	x->rc = objects_put(o, key, &b, &x->why);
}
