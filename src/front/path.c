/* Paths of a project, and the project root. */
#include "path.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "couler/front.h"

const char *path_join(struct arena *a, const char *dir, const char *rel)
{
	struct strbuf b = { 0 };
	const char *parts[2] = { rel[0] == '/' ? "" : dir, rel };
	const char *out;
	size_t up = 0;                    /* bytes of leading ".." that nothing takes back */

	if (rel[0] == '/' || dir[0] == '/')
		sb_ch(&b, '/');
	up = b.n;
	for (int k = 0; k < 2; k++)
		for (const char *p = parts[k]; *p;) {
			size_t n = strcspn(p, "/");

			if (n == 2 && p[0] == '.' && p[1] == '.') {
				if (b.n > up) {
					while (b.n > up && b.s[b.n - 1] != '/')
						b.n--;
					if (b.n > up)
						b.n--;
				} else if (!b.n || b.s[0] != '/') {
					sb_z(&b, b.n ? "/.." : "..");
					up = b.n;
				}
			} else if (n && !(n == 1 && p[0] == '.')) {
				if (b.n && b.s[b.n - 1] != '/')
					sb_ch(&b, '/');
				sb_add(&b, p, n);
			}
			p += n + (p[n] == '/');
		}
	out = b.n ? arena_dup(a, b.s, b.n) : ".";
	sb_free(&b);
	return out;
}

const char *path_folder(struct arena *a, const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return ".";
	return slash == path ? "/" : arena_dup(a, path, (size_t)(slash - path));
}

const char *path_real(struct arena *a, const char *path)
{
	char *r = realpath(path, NULL);
	const char *out = r ? arena_dup(a, r, strlen(r)) : NULL;

	free(r);
	return out;
}

bool path_inside(const char *root, const char *path)
{
	size_t n = strlen(root);

	if (n == 1 && root[0] == '/')
		return path[0] == '/';
	return !strncmp(root, path, n) && (path[n] == '\0' || path[n] == '/');
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

const char **path_list(struct arena *a, const char *dir, size_t *n)
{
	VEC(const char *) v = { 0 };
	DIR *d = opendir(dir);
	struct dirent *e;
	int err;

	*n = 0;
	if (!d)
		return NULL;
	for (errno = 0; (e = readdir(d)); errno = 0)
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			vec_push(a, &v, arena_dup(a, e->d_name, strlen(e->d_name)));
	err = errno;
	closedir(d);
	if (err) {
		errno = err;
		return NULL;
	}
	if (v.n)
		qsort(v.v, v.n, sizeof *v.v, by_bytes);
	*n = v.n;
	return v.n ? v.v : arena_array(a, const char *, 1);
}

const char *path_near(struct arena *a, const char *dir, const char *name)
{
	size_t n;
	const char **v = path_list(a, dir, &n);

	return v && n <= 100000 ? nearest(name, strlen(name), v, n) : NULL;
}

static bool holds(struct arena *a, const char *dir, const char *name)
{
	struct stat st;

	return !stat(path_join(a, dir, name), &st);
}

const char *project_root(struct arena *a, const char *path)
{
	const char *start = path_real(a, strcmp(path, "-") ? path_folder(a, path) : ".");

	if (!start)
		return path_folder(a, path);
	for (const char *dir = start;; dir = path_folder(a, dir)) {
		if (holds(a, dir, "couler.yaml") || holds(a, dir, ".git"))
			return dir;
		if (!strcmp(dir, "/"))
			return start;
	}
}
