/* What was asked of the file system, and whether it would say the same. */
#include "couler/seen.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

void seen_add(struct seen *s, enum seen_kind kind, const char *path, const char *said, size_t n)
{
	if (!s)
		return;
	vec_push(s->arena, &s->v, ((struct seen_one){ kind, arena_dup(s->arena, path, strlen(path)), kind == SEEN_TEXT ? said : arena_dup(s->arena, said, n), n }));
}

bool left_behind(const char *name, size_t n)
{
	static const char *const names[] = { ".git", ".hg", ".svn", ".couler", "__pycache__", ".ipynb_checkpoints", ".DS_Store", ".pytest_cache", ".mypy_cache", ".ruff_cache" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strlen(names[i]) == n && !memcmp(name, names[i], n))
			return true;
	return false;
}

static void add_name(struct strbuf *b, const char *name)
{
	size_t n = strlen(name);

	if (left_behind(name, n))
		return;
	sb_add(b, name, n);
	sb_ch(b, '/');
}

void seen_folder(struct seen *s, const char *path, const char *const *names, size_t n)
{
	struct strbuf b = { 0 };

	for (size_t i = 0; s && i < n; i++)
		add_name(&b, names[i]);
	seen_add(s, SEEN_FOLDER, path, b.s ? b.s : "", b.n);
	sb_free(&b);
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int no_dots(const struct dirent *e)
{
	return strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
}

static bool folder_again(const char *path, const char *said, size_t n)
{
	struct dirent **v = NULL;
	struct strbuf b = { 0 };
	int k = scandir(path, &v, no_dots, by_bytes);
	bool same;

	for (int i = 0; i < k; i++) {
		add_name(&b, v[i]->d_name);
		free(v[i]);
	}
	free(v);
	same = k >= 0 && b.n == n && (!n || !memcmp(b.s, said, n));
	sb_free(&b);
	return same;
}

static bool real_again(const char *path, const char *said, size_t n)
{
	char *now = realpath(path, NULL);
	bool same = now ? strlen(now) == n && !memcmp(now, said, n) : !n;

	free(now);
	return same;
}

bool seen_again(enum seen_kind kind, const char *path, const char *said, size_t n)
{
	struct stat st;

	switch (kind) {
	case SEEN_FOLDER: return folder_again(path, said, n);
	case SEEN_REAL: return real_again(path, said, n);
	case SEEN_FILE: return (!stat(path, &st) && S_ISREG(st.st_mode)) == (n > 0);
	case SEEN_TEXT: case SEEN_CODE: case SEEN_TREE: break;
	}
	return false;
}
