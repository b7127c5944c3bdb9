/* A folder as a place of objects: a file each, put by rename. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "place.h"

#define PIECE (256u << 10)

static char *path_of(const struct objects *o, const char *key)
{
	struct strbuf b = { 0 };

	sb_f(&b, "%s/%s", o->dir, key);
	sb_ch(&b, '\0');
	return b.s;
}

static enum objects_rc fault(const char *path, int e, char **err)
{
	if (e == ENOENT || e == ENOTDIR)
		return OBJECTS_ABSENT;
	return place_says(e == EACCES || e == EROFS || e == EPERM ? OBJECTS_REFUSED : e == EIO || e == ESTALE || e == ENOTCONN || e == ETIMEDOUT ? OBJECTS_UNREACHABLE : OBJECTS_BAD,
		err, "%s: %s", path, strerror(e));
}

static enum objects_rc head(struct objects *o, const char *key, uint64_t *size, char **err)
{
	char *p = path_of(o, key);
	enum objects_rc rc = OBJECTS_OK;
	struct stat st;

	if (stat(p, &st))
		rc = fault(p, errno, err);
	else if (!S_ISREG(st.st_mode))
		rc = OBJECTS_ABSENT;
	else
		*size = (uint64_t)st.st_size;
	free(p);
	return rc;
}

static enum objects_rc get(struct objects *o, const char *key, uint64_t max, int (*sink)(const char *, size_t, void *), void *ctx, char **err)
{
	char *p = path_of(o, key), *buf;
	int fd = open(p, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	enum objects_rc rc = OBJECTS_OK;
	uint64_t total = 0;
	ssize_t n;

	if (fd < 0) {
		rc = fault(p, errno, err);
		free(p);
		return rc;
	}
	buf = xmalloc(PIECE);
	while (!rc && (n = read(fd, buf, PIECE)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		total += n > 0 ? (uint64_t)n : 0;
		if (n < 0)
			rc = fault(p, errno, err);
		else if (total > max)
			rc = place_says(OBJECTS_BAD, err, "%s: is larger than %llu bytes", p, (unsigned long long)max);
		else if (sink(buf, (size_t)n, ctx) || (o->tick && o->tick(total, o->ctx)))
			rc = place_says(OBJECTS_STOPPED, err, "%s: was stopped", p);
	}
	free(buf);
	close(fd);
	free(p);
	return rc;
}

static int make_parents(char *path)
{
	for (char *s = strchr(path + 1, '/'); s; s = strchr(s + 1, '/')) {
		*s = '\0';
		if (mkdir(path, 0777) && errno != EEXIST) {
			int e = errno;

			*s = '/';
			errno = e;
			return -1;
		}
		*s = '/';
	}
	return 0;
}

static enum objects_rc write_all(struct objects *o, int fd, const struct object_body *b, const char *path, char **err)
{
	struct sum *sum = sum_new();
	char *buf = xmalloc(PIECE), hex[65];
	enum objects_rc rc = OBJECTS_OK;

	for (uint64_t at = 0; at < b->size && !rc; ) {
		size_t n = b->size - at < PIECE ? (size_t)(b->size - at) : PIECE, done = 0;

		if (body_read(b, at, buf, n)) {
			rc = place_says(OBJECTS_BAD, err, "%s: what should be stored could not be read: %s", path, strerror(errno));
			break;
		}
		sum_add(sum, buf, n);
		while (done < n && !rc) {
			ssize_t k = write(fd, buf + done, n - done);

			if (k >= 0)
				done += (size_t)k;
			else if (errno != EINTR)
				rc = fault(path, errno, err);
		}
		at += n;
		if (!rc && o->tick && o->tick(at, o->ctx))
			rc = place_says(OBJECTS_STOPPED, err, "%s: was stopped", path);
	}
	sum_hex(sum, hex);
	if (!rc && b->sha256 && strcmp(hex, b->sha256))
		rc = place_says(OBJECTS_BAD, err, "%s: what should be stored has changed meanwhile", path);
	sum_free(sum);
	free(buf);
	return rc;
}

static enum objects_rc put(struct objects *o, const char *key, const struct object_body *b, char **err)
{
	char *p = path_of(o, key);
	struct strbuf tmp = { 0 };
	enum objects_rc rc;
	uint64_t random = 0;
	int fd = -1;

	if (getrandom(&random, sizeof random, 0) < 0)
		random = (uint64_t)(uintptr_t)&tmp;
	sb_f(&tmp, "%s.tmp-%d-%016llx", p, (int)getpid(), (unsigned long long)random);
	if (make_parents(p) || (fd = open(sb_cstr(&tmp), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666)) < 0) {
		rc = fault(p, errno, err);
		rc = rc == OBJECTS_ABSENT ? place_says(OBJECTS_BAD, err, "%s: %s", p, strerror(errno)) : rc;
	} else {
		rc = write_all(o, fd, b, p, err);
		if ((fsync(fd) | close(fd)) && !rc)
			rc = fault(p, errno, err);
		if (!rc && rename(sb_cstr(&tmp), p))
			rc = fault(p, errno, err);
		if (rc)
			unlink(sb_cstr(&tmp));
	}
	sb_free(&tmp);
	free(p);
	return rc;
}

static const struct place_ops ops = { head, get, put, NULL };

enum objects_rc folder_open(struct objects *o, const char *path, char **err)
{
	size_t n = strlen(path);

	if (!n)
		return place_says(OBJECTS_BAD, err, "an empty path of a folder");
	o->dir = xstrdup(path);
	for (; n > 1 && o->dir[n - 1] == '/'; n--)
		o->dir[n - 1] = '\0';
	o->ops = &ops;
	return OBJECTS_OK;
}
