/*
 * The store: blobs/AB/REST are files by the SHA-256 of their bytes; trees/AB/REST/d are directories by the SHA-256 of
 * their list, which lies beside as m. What is in it is read-only and never changes; it comes in by rename, so it is
 * there whole or not at all.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "memo.h"
#include "store.h"

static struct store *not_opened(struct store *st, struct strbuf *why, char **err)
{
	*err = xstrdup(sb_cstr(why));
	sb_free(why);
	free(st->dir);
	free(st);
	return NULL;
}

struct store *store_open(const char *dir, char **err)
{
	struct store *st = xcalloc(1, sizeof *st);
	static const char *const subs[] = { "blobs", "trees", "tmp", "runs", "locks" };
	struct strbuf b = { 0 };

	st->dir = xstrdup(dir);
	st->fd = -1;
	for (size_t i = 0; i < sizeof subs / sizeof *subs; i++) {
		char *p = file_join(dir, subs[i]);
		int rc = make_dirs(p);

		if (rc)
			sb_f(&b, "%s: %s", p, strerror(errno));
		free(p);
		if (rc)
			return not_opened(st, &b, err);
	}
	st->fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (st->fd < 0) {
		sb_f(&b, "%s: %s", dir, strerror(errno));
		return not_opened(st, &b, err);
	}
	store_mark(st);
	sb_f(&b, "%s/memo", dir);
	st->memo = memo_new(sb_cstr(&b));
	sb_free(&b);
	return st;
}

/* Keeps backups and version control out of the folder (the CACHEDIR.TAG convention). */
void store_mark(const struct store *st)
{
	static const struct { const char *name, *text; } files[] = {
		{ "CACHEDIR.TAG", "Signature: 8a477f597d28d172789f06886806bc55\n# couler: results of steps; may be deleted, costs running them again\n" },
		{ ".gitignore", "*\n" },
	};

	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		char *p = file_join(st->dir, files[i].name);
		int fd = open(p, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);

		if (fd >= 0) {
			if (write(fd, files[i].text, strlen(files[i].text)) < 0)
				unlink(p);
			close(fd);
		}
		free(p);
	}
}

void store_close(struct store *st)
{
	if (!st)
		return;
	memo_free(st->memo);
	close(st->fd);
	free(st->dir);
	free(st);
}

const char *store_dir(const struct store *st)
{
	return st->dir;
}

#define OBJECT_NAME 71                    /* bytes of "blobs/AB/REST" */

/* Within the store; to holds OBJECT_NAME bytes and a NUL. */
static void object_name(const struct sha *s, bool dir, char *to)
{
	char hex[65];

	sha_hex(s, hex);
	memcpy(to, dir ? "trees/" : "blobs/", 6);
	memcpy(to + 6, hex, 2);
	to[8] = '/';
	memcpy(to + 9, hex + 2, 63);
}

static char *object(const struct store *st, const struct sha *s, bool dir, const char *tail)
{
	size_t n = strlen(st->dir), more = strlen(tail);
	char *p = xmalloc(n + OBJECT_NAME + more + 2);

	memcpy(p, st->dir, n);
	p[n] = '/';
	object_name(s, dir, p + n + 1);
	memcpy(p + n + 1 + OBJECT_NAME, tail, more + 1);
	return p;
}

char *store_path(const struct store *st, const struct sha *s, bool dir)
{
	return object(st, s, dir, dir ? "/d" : "");
}

static int fault(char **err, const char *path, const char *why)
{
	struct strbuf b = { 0 };

	sb_f(&b, "%s: %s", path, why);
	*err = xstrdup(sb_cstr(&b));
	sb_free(&b);
	return -1;
}

/* rename, making the folder AB at first use. */
static int move_in(const char *from, const char *to)
{
	char *slash;
	int rc;

	if (!rename(from, to))
		return 0;
	if (errno != ENOENT)
		return -1;
	slash = strrchr(to, '/');
	*slash = '\0';
	rc = make_dirs(to);
	*slash = '/';
	return rc ? rc : rename(from, to);
}

/* The hash of an open file: from the memo where it has not changed since. */
static int hash_known(struct store *st, struct hasher *h, int fd, const struct stat *s, struct sha *out)
{
	struct stat after;

	if (memo_get(st->memo, s, out))
		return 0;
	if (sha_fd(h, fd, out) || fstat(fd, &after))
		return -1;
	if (after.st_size == s->st_size && after.st_mtim.tv_nsec == s->st_mtim.tv_nsec && after.st_ctim.tv_nsec == s->st_ctim.tv_nsec &&
			after.st_mtim.tv_sec == s->st_mtim.tv_sec && !memo_racy(s))
		memo_put(st->memo, s, out);
	return 0;
}

int store_hash(struct store *st, struct hasher *h, const char *path, struct sha *out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc, e;
	struct stat s;

	if (fd < 0)
		return -1;
	rc = fstat(fd, &s);
	if (!rc && !S_ISREG(s.st_mode)) {
		errno = S_ISDIR(s.st_mode) ? EISDIR : EINVAL;
		rc = -1;
	}
	if (!rc)
		rc = hash_known(st, h, fd, &s, out);
	e = errno;
	close(fd);
	errno = e;
	return rc;
}

/* After the move: nobody writes there any more, so the hash holds for what stat says now. */
static void note_hash(struct store *st, const char *path, const struct sha *sha)
{
	struct stat s;

	if (!stat(path, &s))
		memo_put(st->memo, &s, sha);
}

static int blob_check(struct store *st, struct hasher *h, const struct sha *want)
{
	char name[OBJECT_NAME + 1], *p;
	struct stat s;
	struct sha got;
	int rc;

	object_name(want, false, name);
	if (fstatat(st->fd, name, &s, 0))                                  /* from the store's folder: a short walk, thousands of times */
		return -1;
	if (memo_get(st->memo, &s, &got) && !memcmp(&got, want, sizeof got))
		return 0;
	p = object(st, want, false, "");
	rc = store_hash(st, h, p, &got);
	if (!rc && memcmp(&got, want, sizeof got)) {
		unlink(p);                                                  /* damaged: better gone than trusted */
		rc = -1;
	} else if (!rc)
		note_hash(st, p, &got);
	free(p);
	return rc;
}

static int blob_put(struct store *st, struct hasher *h, int fd, const struct stat *s, const char *path, bool copy, struct artifact *a, char **err)
{
	char *to;
	int rc = 0;

	if (sha_fd(h, fd, &a->sha))
		return fault(err, path, strerror(errno));
	a->size = (uint64_t)s->st_size;
	a->nfiles = 1;
	if (!blob_check(st, h, &a->sha))
		return 0;
	to = object(st, &a->sha, false, "");
	if (copy) {
		rc = lseek(fd, 0, SEEK_SET) < 0 ? -1 : copy_fd(fd, to, 0444);
		if (rc && errno == ENOENT) {
			char *slash = strrchr(to, '/');

			*slash = '\0';
			rc = make_dirs(to);
			*slash = '/';
			rc = rc || lseek(fd, 0, SEEK_SET) < 0 ? -1 : copy_fd(fd, to, 0444);
		}
	} else
		rc = fchmod(fd, 0444) ? -1 : move_in(path, to);
	if (rc)
		fault(err, to, strerror(errno));
	else
		note_hash(st, to, &a->sha);
	free(to);
	return rc;
}

int store_put_file(struct store *st, struct hasher *h, const char *path, bool copy, struct artifact *a, char **err, bool *own_fault)
{
	struct stat l, s;
	int fd, rc;

	*own_fault = true;
	if (lstat(path, &l))
		return fault(err, path, strerror(errno));
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &s)) {
		rc = errno;
		if (fd >= 0)
			close(fd);
		return fault(err, path, S_ISLNK(l.st_mode) ? "is a link to what is not there" : strerror(rc));
	}
	if (!S_ISREG(s.st_mode)) {
		close(fd);
		return fault(err, path, S_ISDIR(s.st_mode) ? "is a directory, not a file" : "is not a regular file");
	}
	*own_fault = false;
	/* A link, or a file with another name, may be changed by others afterwards. */
	rc = blob_put(st, h, fd, &s, path, copy || S_ISLNK(l.st_mode) || s.st_nlink > 1, a, err);
	close(fd);
	return rc;
}

int store_check(struct store *st, struct hasher *h, const struct sha *s, bool dir)
{
	return dir ? tree_check(st, h, s) : blob_check(st, h, s);
}
