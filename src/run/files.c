/* Files and trees: copies by reflink where the file system can, removal, folders. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rt.h"

int make_dirs(const char *path)
{
	char *p = xstrdup(path);

	for (char *at = p + (*p == '/'); ; at++) {
		char c = *at;

		if (c && c != '/')
			continue;
		*at = '\0';
		if (*p && mkdir(p, 0777) && errno != EEXIST) {
			int e = errno;

			free(p);
			errno = e;
			return -1;
		}
		*at = c;
		if (!c)
			break;
	}
	free(p);
	return 0;
}

static int copy_bytes(int in, int out)
{
	size_t size = 256 * 1024;
	char *buf;
	ssize_t n, w = 0;

	if (!ioctl(out, FICLONE, in))
		return 0;
	while ((n = copy_file_range(in, NULL, out, NULL, (size_t)1 << 30, 0)) > 0)
		w = 1;
	if (n == 0 && w)
		return 0;
	if (w)
		return -1;                                                  /* failed in the middle */
	if (lseek(in, 0, SEEK_SET) < 0 || lseek(out, 0, SEEK_SET) < 0)
		return -1;
	buf = xmalloc(size);                                               /* files whose size is not known, other file systems */
	while ((n = read(in, buf, size)) > 0 || (n < 0 && errno == EINTR))
		for (ssize_t at = 0; at < n; at += w) {
			w = write(out, buf + at, (size_t)(n - at));
			if (w < 0 && errno != EINTR) {
				free(buf);
				return -1;
			}
			if (w < 0)
				w = 0;
		}
	free(buf);
	return n < 0 ? -1 : 0;
}

int copy_fd(int in, const char *to, mode_t mode)
{
	size_t len = strlen(to) + 32;
	char *tmp = xmalloc(len);
	int out, rc, e;

	snprintf(tmp, len, "%s.tmp-%d-%lx", to, (int)getpid(), (unsigned long)(uintptr_t)&tmp);
	out = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	rc = out < 0 ? -1 : copy_bytes(in, out);
	if (!rc && fchmod(out, mode))
		rc = -1;
	e = errno;
	if (out >= 0 && close(out) && !rc) {
		e = errno;
		rc = -1;
	}
	if (!rc && rename(tmp, to)) {
		e = errno;
		rc = -1;
	}
	if (rc && out >= 0)
		unlink(tmp);
	free(tmp);
	errno = e;
	return rc;
}

int copy_file(const char *from, const char *to, mode_t mode)
{
	int in = open(from, O_RDONLY | O_CLOEXEC), rc, e;

	if (in < 0)
		return -1;
	rc = copy_fd(in, to, mode);
	e = errno;
	close(in);
	errno = e;
	return rc;
}

char *file_join(const char *dir, const char *name)
{
	size_t a = strlen(dir), b = strlen(name);
	char *p = xmalloc(a + b + 2);

	memcpy(p, dir, a);
	p[a] = '/';
	memcpy(p + a + 1, name, b + 1);
	return p;
}

/* Folders still to be copied are kept in a list, so depth costs no stack. */
int copy_tree(const char *from, const char *to)
{
	struct pair { char *from, *to; } *todo = xmalloc(sizeof *todo);
	size_t n = 1, cap = 1;
	int rc = 0, e = 0;

	todo[0] = (struct pair){ xstrdup(from), xstrdup(to) };
	while (n) {
		struct pair p = todo[--n];
		DIR *d = rc ? NULL : opendir(p.from);
		struct dirent *de;

		if (!rc && (!d || (mkdir(p.to, 0777) && errno != EEXIST))) {
			rc = -1;
			e = errno;
		}
		while (!rc && (de = readdir(d))) {
			struct pair q;
			struct stat st;

			if (!strcmp(de->d_name, ".") || !strcmp(de->d_name, ".."))
				continue;
			q = (struct pair){ file_join(p.from, de->d_name), file_join(p.to, de->d_name) };
			if (!stat(q.from, &st) && S_ISDIR(st.st_mode)) {
				if (n == cap)
					todo = xrealloc(todo, (cap *= 2) * sizeof *todo);
				todo[n++] = q;
				continue;
			}
			if (copy_file(q.from, q.to, 0644)) {
				rc = -1;
				e = errno;
			}
			free(q.from);
			free(q.to);
		}
		if (d)
			closedir(d);
		free(p.from);
		free(p.to);
	}
	free(todo);
	errno = e;
	return rc;
}

static int open_dir(int at, const char *path)
{
	int fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 && errno == EACCES && !fchmodat(at, path, 0700, 0))
		fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd;
}

/*
 * Depth of the tree is the step's to choose: below LEVELS a folder is moved up beside the root of the removal
 * and removed from there, so neither stack nor descriptors grow with it.
 */
#define LEVELS 64

static int remove_level(int top, int at, const char *name, int level, unsigned *moved)
{
	int fd = open_dir(at, name), rc = 0;
	struct dirent *de;
	DIR *d;

	if (fd < 0)
		return errno == ENOTDIR || errno == ELOOP ? unlinkat(at, name, 0) : errno == ENOENT ? 0 : -1;
	fchmod(fd, 0700);
	d = fdopendir(fd);
	if (!d) {
		close(fd);
		return -1;
	}
	while ((de = readdir(d))) {
		char up[48];

		if (!strcmp(de->d_name, ".") || !strcmp(de->d_name, ".."))
			continue;
		if (de->d_type != DT_DIR && !unlinkat(fd, de->d_name, 0))
			continue;
		if (level < LEVELS) {
			rc |= remove_level(top, fd, de->d_name, level + 1, moved);
			continue;
		}
		snprintf(up, sizeof up, ".rm-%d-%u", (int)getpid(), (*moved)++);
		rc |= renameat(fd, de->d_name, top, up);
	}
	closedir(d);
	return unlinkat(at, name, AT_REMOVEDIR) ? -1 : rc;
}

int remove_tree(int at, const char *path)
{
	int top, rc;
	unsigned moved = 0, gone = 0;

	if (!unlinkat(at, path, 0) || errno == ENOENT)
		return 0;
	top = open_dir(at, path);
	if (top < 0)
		return -1;
	fchmod(top, 0700);
	rc = 0;
	for (;;) {                                                         /* entries of the root, then what was moved up to it */
		DIR *d = fdopendir(dup(top));
		struct dirent *de;
		bool any = false;

		if (!d) {
			rc = -1;
			break;
		}
		rewinddir(d);
		while ((de = readdir(d))) {
			if (!strcmp(de->d_name, ".") || !strcmp(de->d_name, ".."))
				continue;
			any = true;
			if (de->d_type == DT_DIR || unlinkat(top, de->d_name, 0))
				rc |= remove_level(top, top, de->d_name, 1, &moved);
		}
		closedir(d);
		if (!any || rc || gone++ > 100000)
			break;
	}
	close(top);
	return unlinkat(at, path, AT_REMOVEDIR) ? -1 : rc;
}
