/*
 * Directories in the store. Only bytes and relative names count: links to files become files, empty folders go.
 * Beside the list (m) stands what stat said of each file when it was hashed (s), so a check costs one stat a file.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "memo.h"
#include "record.h"
#include "store.h"

struct as_seen { uint64_t ino, size; int64_t mtime, ctime; };
struct file { char *path; struct sha sha; struct as_seen seen; };
struct scan {
	struct file *v;
	char **dirs;                      /* as found, parents first */
	size_t n, cap, ndirs, dcap;
	bool empty;                       /* a folder without entries */
};

static void scan_free(struct scan *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->v[i].path);
	for (size_t i = 0; i < s->ndirs; i++)
		free(s->dirs[i]);
	free(s->v);
	free(s->dirs);
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct file *)a)->path, ((const struct file *)b)->path);
}

static void add_dir(struct scan *s, char *path)
{
	if (s->ndirs == s->dcap) {
		s->dcap = s->dcap ? 2 * s->dcap : 16;
		s->dirs = xrealloc(s->dirs, s->dcap * sizeof *s->dirs);
	}
	s->dirs[s->ndirs++] = path;
}

static void add_file(struct scan *s, char *path)
{
	if (s->n == s->cap) {
		s->cap = s->cap ? 2 * s->cap : 64;
		s->v = xrealloc(s->v, s->cap * sizeof *s->v);
	}
	s->v[s->n++] = (struct file){ .path = path };
}

/* Files and folders below root, paths relative to it; iterative. 0 or -1 with errno and *at (malloc) the path. */
static int scan_tree(int root, struct scan *s, char **at)
{
	add_dir(s, xstrdup(""));
	for (size_t i = 0; i < s->ndirs; i++) {
		const char *rel = s->dirs[i];
		int fd = openat(root, *rel ? rel : ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		DIR *d = fd < 0 ? NULL : fdopendir(fd);
		struct dirent *de;
		size_t had = s->n + s->ndirs;

		if (!d) {
			*at = xstrdup(rel);
			return -1;
		}
		while ((de = readdir(d))) {
			char *path;
			struct stat st = { 0 };

			if (!strcmp(de->d_name, ".") || !strcmp(de->d_name, ".."))
				continue;
			path = *rel ? file_join(rel, de->d_name) : xstrdup(de->d_name);
			if (de->d_type == DT_DIR || (de->d_type == DT_UNKNOWN && !fstatat(root, path, &st, AT_SYMLINK_NOFOLLOW) && S_ISDIR(st.st_mode)))
				add_dir(s, path);
			else
				add_file(s, path);
			rel = s->dirs[i];
		}
		closedir(d);
		s->empty |= had == s->n + s->ndirs;
	}
	if (s->n)
		qsort(s->v, s->n, sizeof *s->v, by_path);
	return 0;
}

static struct as_seen seen_of(const struct stat *st)
{
	return (struct as_seen){ st->st_ino, (uint64_t)st->st_size, (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec,
		(int64_t)st->st_ctim.tv_sec * 1000000000 + st->st_ctim.tv_nsec };
}

static int says(char **err, const char *dir, const char *path, const char *why)
{
	struct strbuf b = { 0 };

	sb_f(&b, "%s/%s: %s", dir, path, why);
	*err = xstrdup(sb_cstr(&b));
	sb_free(&b);
	return -1;
}

/* Replaces a link, or a file that has other names, by a file of its own. */
static int own_copy(int root, const char *dir, const char *path)
{
	int fd = openat(root, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC), rc;
	char *full = file_join(dir, path);

	rc = fd < 0 ? -1 : copy_fd(fd, full, 0444);
	if (fd >= 0)
		close(fd);
	free(full);
	return rc;
}

static int take_file(int root, struct hasher *h, const char *dir, struct file *f, uint64_t *size, char **err, bool *own)
{
	struct stat l, st;
	int fd, rc;

	*own = true;
	if (strchr(f->path, '\n'))
		return says(err, dir, f->path, "has a newline in its name, which the list of a directory cannot hold");
	if (fstatat(root, f->path, &l, AT_SYMLINK_NOFOLLOW))
		return says(err, dir, f->path, strerror(errno));
	if (S_ISLNK(l.st_mode) && (fstatat(root, f->path, &st, 0) || !S_ISREG(st.st_mode)))
		return says(err, dir, f->path, "is a link to a directory, or to what is not there; write the files themselves");
	if (!S_ISLNK(l.st_mode) && !S_ISREG(l.st_mode))
		return says(err, dir, f->path, "is not a regular file");
	*own = false;
	if ((S_ISLNK(l.st_mode) || l.st_nlink > 1) && own_copy(root, dir, f->path))
		return says(err, dir, f->path, strerror(errno));
	fd = openat(root, f->path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == EACCES && !fchmodat(root, f->path, 0444, 0))
		fd = openat(root, f->path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return says(err, dir, f->path, strerror(errno));
	rc = sha_fd(h, fd, &f->sha) || fchmod(fd, 0444) || fstat(fd, &st);
	if (rc)
		says(err, dir, f->path, strerror(errno));
	f->seen = seen_of(&st);
	*size += (uint64_t)st.st_size;
	close(fd);
	return rc ? -1 : 0;
}

static void list_of(const struct scan *s, struct strbuf *list, struct strbuf *seen)
{
	char hex[65];

	for (size_t i = 0; i < s->n; i++) {
		sha_hex(&s->v[i].sha, hex);
		sb_add(list, hex, 64);
		sb_add(list, "  ", 2);
		sb_z(list, s->v[i].path);
		sb_ch(list, '\n');
		if (seen)
			sb_add(seen, (const char *)&s->v[i].seen, sizeof s->v[i].seen);
	}
}

static int write_whole(const char *dir, const char *name, const struct strbuf *b)
{
	char *p = file_join(dir, name);
	int fd = open(p, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666), rc;

	rc = fd < 0 ? -1 : record_write(fd, b);
	if (fd >= 0 && close(fd))
		rc = -1;
	free(p);
	return rc;
}

static char *tree_dir(const struct store *st, const struct sha *s)
{
	char *p = store_path(st, s, true);

	p[strlen(p) - 2] = '\0';                                           /* without "/d" */
	return p;
}

/* Moves the folder and its lists into place: built whole in tmp/, then one rename. */
static int place(struct store *st, const char *path, const struct sha *sha, const struct strbuf *list, const struct strbuf *seen, char **err)
{
	struct strbuf b = { 0 };
	char *to = tree_dir(st, sha), *slash = strrchr(to, '/'), *d;
	const char *tmp;
	int rc;

	sb_f(&b, "%s/tmp/tree-%d-%lx", st->dir, (int)getpid(), (unsigned long)(uintptr_t)&b);
	tmp = sb_cstr(&b);
	d = file_join(tmp, "d");
	rc = mkdir(tmp, 0777) || rename(path, d) || write_whole(tmp, "m", list) || write_whole(tmp, "s", seen);
	*slash = '\0';
	rc = rc || make_dirs(to);
	*slash = '/';
	if (!rc && rename(tmp, to))
		rc = errno == EEXIST || errno == ENOTEMPTY ? 0 : -1;         /* another run was first: the same content */
	if (rc)
		says(err, tmp, "d", strerror(errno));
	remove_tree(AT_FDCWD, tmp);
	free(d);
	free(to);
	sb_free(&b);
	return rc ? -1 : 0;
}

static int hash_tree(struct hasher *h, int root, const char *path, struct scan *s, struct artifact *a, char **err, bool *own)
{
	struct strbuf list = { 0 };
	char *at = NULL;
	int rc = scan_tree(root, s, &at);

	*own = false;
	if (rc) {
		says(err, path, at, strerror(errno));
		free(at);
		return rc;
	}
	for (size_t i = 0; i < s->n && !rc; i++)
		rc = take_file(root, h, path, &s->v[i], &a->size, err, own);
	a->nfiles = s->n;
	list_of(s, &list, NULL);
	hasher_reset(h);
	hasher_add(h, list.s ? list.s : "", list.n);
	hasher_end(h, &a->sha);
	sb_free(&list);
	return rc;
}

int store_put_tree(struct store *st, struct hasher *h, const char *path, bool copy, struct artifact *a, char **err, bool *own_fault)
{
	struct scan s = { 0 };
	struct strbuf list = { 0 }, seen = { 0 }, tmp = { 0 };
	int root, rc = 0;

	*own_fault = false;
	a->size = 0;
	sb_f(&tmp, "%s/tmp/copy-%d-%lx", st->dir, (int)getpid(), (unsigned long)(uintptr_t)&s);
	if (copy && copy_tree(path, sb_cstr(&tmp)))
		rc = says(err, path, "", strerror(errno));
	else if (copy)
		path = sb_cstr(&tmp);
	root = rc ? -1 : open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (!rc && root < 0)
		rc = says(err, path, "", strerror(errno));
	if (!rc)
		rc = hash_tree(h, root, path, &s, a, err, own_fault);
	for (size_t i = s.ndirs; !rc && s.empty && i-- > 1; )
		unlinkat(root, s.dirs[i], AT_REMOVEDIR);
	if (root >= 0)
		close(root);
	if (!rc && tree_check(st, h, &a->sha)) {
		list_of(&s, &list, &seen);
		rc = place(st, path, &a->sha, &list, &seen, err);
	}
	if (copy)
		remove_tree(AT_FDCWD, sb_cstr(&tmp));
	sb_free(&list);
	sb_free(&seen);
	sb_free(&tmp);
	scan_free(&s);
	return rc;
}

int store_put(struct store *st, struct hasher *h, const char *path, bool dir, bool copy, struct artifact *out, char **err, bool *own_fault)
{
	out->dir = dir;
	return dir ? store_put_tree(st, h, path, copy, out, err, own_fault) : store_put_file(st, h, path, copy, out, err, own_fault);
}

int store_hash_tree(struct store *st, struct hasher *h, const char *path, struct sha *out)
{
	struct scan s = { 0 };
	struct strbuf list = { 0 };
	int root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc;
	char *at = NULL;

	if (root < 0)
		return -1;
	rc = scan_tree(root, &s, &at);
	free(at);
	for (size_t i = 0; i < s.n && !rc; i++) {
		char *p = file_join(path, s.v[i].path);

		rc = store_hash(st, h, p, &s.v[i].sha);
		free(p);
	}
	close(root);
	list_of(&s, &list, NULL);
	hasher_reset(h);
	hasher_add(h, list.s ? list.s : "", list.n);
	hasher_end(h, out);
	sb_free(&list);
	scan_free(&s);
	return rc;
}

int tree_hash(struct hasher *h, const char *path, struct sha *out, uint64_t *size)
{
	struct scan s = { 0 };
	struct strbuf list = { 0 };
	int root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc;
	char *at = NULL;

	*size = 0;
	if (root < 0)
		return -1;
	rc = scan_tree(root, &s, &at);
	free(at);
	for (size_t i = 0; i < s.n && !rc; i++) {
		struct stat st;
		int fd = openat(root, s.v[i].path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

		rc = fd < 0 || fstat(fd, &st) || (h && sha_fd(h, fd, &s.v[i].sha)) ? -1 : 0;
		*size += rc ? 0 : (uint64_t)st.st_size;
		if (fd >= 0)
			close(fd);
	}
	close(root);
	if (h) {
		list_of(&s, &list, NULL);
		hasher_reset(h);
		hasher_add(h, list.s ? list.s : "", list.n);
		hasher_end(h, out);
	}
	sb_free(&list);
	scan_free(&s);
	return rc;
}

/* One file of a tree that is in the store: as it was, or hashed again. */
static int check_file(int root, struct hasher *h, const char *path, const char *hex, const struct as_seen *was)
{
	struct stat st;
	struct as_seen now;
	struct sha got, want;
	int fd, rc;

	if (fstatat(root, path, &st, AT_SYMLINK_NOFOLLOW) || !S_ISREG(st.st_mode))
		return -1;
	now = seen_of(&st);
	if (!memcmp(&now, was, sizeof now))
		return 0;
	fd = openat(root, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	rc = fd < 0 ? -1 : sha_fd(h, fd, &got);
	if (fd >= 0)
		close(fd);
	return rc || !sha_parse(hex, 64, &want) || memcmp(&got, &want, sizeof got) ? -1 : 0;
}

static int check_listed(int root, struct hasher *h, const struct mapped *m, const struct mapped *s)
{
	size_t at = 0, i = 0;
	char *path = NULL;
	int rc = 0;

	while (at < m->n && !rc) {
		const char *line = m->s + at, *end = memchr(line, '\n', m->n - at);
		struct as_seen was = { 0 };
		size_t len = end ? (size_t)(end - line) : 0;

		if (len < 67)
			return -1;
		if ((i + 1) * sizeof was <= s->n)
			memcpy(&was, s->s + i * sizeof was, sizeof was);
		path = xrealloc(path, len - 65);
		memcpy(path, line + 66, len - 66);
		path[len - 66] = '\0';
		rc = check_file(root, h, path, line, &was);
		at += len + 1;
		i++;
	}
	free(path);
	return rc ? -1 : (int)(i > INT32_MAX ? INT32_MAX : i);
}

int tree_check(struct store *st, struct hasher *h, const struct sha *want)
{
	char *dir = tree_dir(st, want), *mp = file_join(dir, "m"), *sp = file_join(dir, "s"), *dp = file_join(dir, "d"), *at = NULL;
	struct mapped m, s = { 0 };
	struct scan now = { 0 };
	struct sha got;
	int root = open(dp, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = -1, n = -1;

	if (root >= 0 && !map_file(mp, &m)) {
		hasher_reset(h);
		hasher_add(h, m.s ? m.s : "", m.n);
		hasher_end(h, &got);
		if (!memcmp(&got, want, sizeof got) && !map_file(sp, &s)) {
			n = check_listed(root, h, &m, &s);
			rc = n < 0 || scan_tree(root, &now, &at) || now.n != (size_t)n ? -1 : 0;
			unmap_file(&s);
		}
		unmap_file(&m);
	}
	if (root >= 0)
		close(root);
	if (rc && (root >= 0 || errno != ENOENT))
		remove_tree(AT_FDCWD, dir);                                 /* damaged: better gone than trusted */
	scan_free(&now);
	free(at);
	free(dir);
	free(mp);
	free(sp);
	free(dp);
	return rc;
}
