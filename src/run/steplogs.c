/* What a step wrote: in this run, in the one that it was reused from, or under the name of the step that ran in its place. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "actions.h"
#include "history.h"

#define NEWEST 20                         /* runs that are asked about a step that has no identity of its own */

typedef void each_log(const char *name, const char *path, void *data);

/* Is rest what may stand behind the name of a step as a user writes it: indices? */
static const char *behind_indices(const char *rest)
{
	while (*rest == '[')
		rest += strcspn(rest, "]") + (strchr(rest, ']') != NULL);
	return rest;
}

/* Does a log's name belong to a step as a user names it: "fit", "fit[3]", "call.fit"? */
static bool is_log_of(const char *file, const char *step)
{
	size_t n = strlen(step);
	const char *rest = file + n;

	if (!*step)
		return true;
	if (strncmp(file, step, n))
		return false;
	rest = behind_indices(rest);
	if (*rest == '.' && rest[1] >= '0' && rest[1] <= '9')              /* a later attempt */
		rest += 1 + strspn(rest + 1, "0123456789");
	return !*rest;
}

static bool is_instance_of(const char *name, const char *step)
{
	size_t n = strlen(step);

	return !strncmp(name, step, n) && !*behind_indices(name + n);
}

static int by_version(const void *a, const void *b)
{
	return strverscmp(*(char *const *)a, *(char *const *)b);
}

char **folder_names(const char *dir, size_t most, size_t *n)
{
	char **v = NULL;
	struct dirent *de;
	size_t cap = 0;
	DIR *d = opendir(dir);

	*n = 0;
	while (d && (de = readdir(d)) && *n < most) {
		if (de->d_name[0] == '.')
			continue;
		if (*n == cap)
			v = xrealloc(v, (cap = cap ? 2 * cap : 32) * sizeof *v);
		v[(*n)++] = xstrdup(de->d_name);
	}
	if (d)
		closedir(d);
	return v;
}

/* The logs of a step in one run: how many. */
static size_t logs_in(const char *store, const char *id, const char *step, each_log *f, void *data)
{
	char *dir = xsprintf("%s/runs/%s/log", store, id), **v;
	size_t n, found = 0;

	v = folder_names(dir, SIZE_MAX, &n);
	if (n)
		qsort(v, n, sizeof *v, by_version);
	for (size_t k = 0; k < n; k++) {
		char *path;

		if (!is_log_of(v[k], step))
			continue;
		path = file_join(dir, v[k]);
		f(v[k], path, data);
		free(path);
		found++;
	}
	run_ids_free(v, n);
	free(dir);
	return found;
}

/* ---- in another's place ---- */

/* "a[3]" for "b[3]", "a" for "b": as far as the user gave indices. */
static char *as_named(const struct entry_merged *m, const char *step)
{
	size_t n = strlen(step) == m->name_len ? m->into_len : 0;

	while (!n && n < m->into_len && m->into[n] != '[')
		n++;
	if (!n)
		n = m->into_len;
	return xsprintf("%.*s", (int)n, m->into);
}

static char *merged_in(const char *store, const char *id, const char *step)
{
	char *path = xsprintf("%s/runs/%s/journal", store, id), *into = NULL;
	struct journal_reader r;
	struct journal_entry e;

	if (journal_read(&r, path)) {
		free(path);
		return NULL;
	}
	while (!into && journal_next(&r, &e))
		if (e.kind == JOURNAL_MERGED) {
			char *name = xsprintf("%.*s", (int)e.u.merged.name_len, e.u.merged.name);

			if (is_instance_of(name, step))
				into = as_named(&e.u.merged, step);
			free(name);
		}
	journal_read_end(&r);
	free(path);
	return into;
}

char *run_merged(const char *store, const char *id, const char *step)
{
	size_t n;
	char **v, *into = NULL;

	if (id)
		return merged_in(store, id, step);
	v = run_ids(store, &n);
	for (size_t k = n; k && k + NEWEST > n && !into; k--)
		into = merged_in(store, v[k - 1], step);
	run_ids_free(v, n);
	return into;
}

/* ---- from another run ---- */

struct reused { size_t steps, logs; char *from; };                    /* from: the run of the last one; malloc */

static void reused_one(const char *store, struct actions *acts, const struct entry_ended *e, struct reused *r, each_log *f, void *data)
{
	struct action a;
	char *step;

	if (!actions_get(acts, &e->key, &a))
		return;
	free(r->from);
	r->from = xsprintf("%.*s", (int)a.run_len, a.run);
	step = xsprintf("%.*s", (int)a.step_len, a.step);
	r->steps++;
	r->logs += logs_in(store, r->from, step, f, data);
	free(step);
}

static struct reused reused_logs(const char *store, const char *id, const char *step, each_log *f, void *data)
{
	char *path = xsprintf("%s/runs/%s/journal", store, id);
	struct reused found = { 0, 0, NULL };
	struct journal_reader r;
	struct journal_entry e;
	struct actions *acts;

	if (journal_read(&r, path)) {
		free(path);
		return found;
	}
	acts = actions_open(store);
	while (journal_next(&r, &e)) {
		char *name;

		if (e.kind != JOURNAL_ENDED || !e.u.ended.cached || !e.u.ended.has_key)
			continue;
		name = xsprintf("%.*s", (int)e.u.ended.name_len, e.u.ended.name);
		if (is_instance_of(name, step))
			reused_one(store, acts, &e.u.ended, &found, f, data);
		free(name);
	}
	actions_close(acts);
	journal_read_end(&r);
	free(path);
	return found;
}

/* ---- all of it ---- */

/* The step with a log whose name is nearest to what was asked for; malloc, NULL. */
static char *near_log(const char *store, const char *id, const char *step)
{
	char *dir = xsprintf("%s/runs/%s/log", store, id), **v, *copy;
	const char *found;
	size_t n;

	v = folder_names(dir, 10000, &n);
	found = nearest(step, strlen(step), (const char *const *)v, n);
	copy = found ? xstrdup(found) : NULL;
	run_ids_free(v, n);
	free(dir);
	return copy;
}

static char *no_log(const char *store, const char *id, const char *step, const struct reused *r)
{
	char *near = NULL, *text;

	if (!*step)
		return xsprintf("no step of run %s wrote anything", id);
	if (r->steps)
		return xsprintf("run %s reused '%s' from run %s, where it wrote nothing or whose logs are gone", id, step, r->from);
	near = near_log(store, id, step);
	if (near)
		text = xsprintf("run %s has no log of '%s'; did you mean '%s'?", id, step, near);
	else
		text = xsprintf("run %s has no log of '%s': it wrote nothing, or did not run", id, step);
	free(near);
	return text;
}

int run_logs(const char *store, const char *id, const char *step, each_log *f, void *data, char **err)
{
	size_t found = logs_in(store, id, step, f, data);
	char *into = found || !*step ? NULL : run_merged(store, id, step);
	struct reused r = { 0, 0, NULL };

	*err = into ? xsprintf("'%s' is the same as '%s', which ran in its place", step, into) : NULL;
	if (into)
		found = logs_in(store, id, into, f, data);
	if (!found && *step) {
		r = reused_logs(store, id, into ? into : step, f, data);
		found = r.logs;
		if (found && r.steps == 1 && !into)
			*err = xsprintf("'%s' was reused from run %s; this is what it wrote there", step, r.from);
	}
	if (!found) {
		free(*err);
		*err = no_log(store, id, into ? into : step, &r);
	}
	free(r.from);
	free(into);
	return found ? 0 : -1;
}
