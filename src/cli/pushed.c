/* Which staged files have been pushed from here: `compile` says when some have not. */
#include "pushed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli.h"
#include "couler/run.h"

static char *list_path(struct job *j, bool make)
{
	char *dir = run_store(NULL, project_root(j->arena, j->path));
	struct strbuf b = { 0 };

	if (make)
		mkdir(dir, 0777);
	sb_f(&b, "%s/pushed", dir);
	sb_ch(&b, '\0');
	free(dir);
	return b.s;
}

/* The URIs of the list, interned. */
static void read_list(struct job *j, struct strmap *known)
{
	char *path = list_path(j, false);
	size_t n = 0;
	char *text = read_file(j->arena, path, &n);

	for (char *s = text, *end; s && s < text + n; s = end + 1) {
		end = memchr(s, '\n', (size_t)(text + n - s));
		if (!end)
			break;
		strmap_put(j->arena, known, str_intern(j->strs, s, (size_t)(end - s)), known);
	}
	free(path);
}

uint32_t pushed_missing(struct job *j, const struct ir *m, uint64_t *bytes)
{
	struct strmap known = { 0 };
	uint32_t n = 0;

	*bytes = 0;
	if (!m->staged.n)
		return 0;
	read_list(j, &known);
	for (uint32_t i = 0; i < m->staged.n; i++)
		if (!strmap_get(&known, m->staged.v[i].uri)) {
			n++;
			*bytes += m->staged.v[i].size;
		}
	return n;
}

void pushed_note(struct job *j, const struct ir *m)
{
	struct strmap known = { 0 };
	char *path = list_path(j, true);
	FILE *f;

	read_list(j, &known);
	f = fopen(path, "ae");
	for (uint32_t i = 0; f && i < m->staged.n; i++)
		if (!strmap_get(&known, m->staged.v[i].uri))
			fprintf(f, "%s\n", m->staged.v[i].uri->s);
	if (f)
		fclose(f);                /* not kept, compile says once more what push would find out */
	free(path);
}

const char *size_words(double bytes, char out[32])
{
	static const char *const units[] = { "B", "KB", "MB", "GB", "TB" };
	int u = 0;

	for (; bytes >= 1000 && u < 4; u++)
		bytes /= 1000;
	snprintf(out, 32, u ? "%.1f %s" : "%.0f %s", bytes, units[u]);
	return out;
}
