/* Runs as a user sees them: which there are, how they were started, their logs, answers to their gates. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "history.h"

char *run_store(const char *cache_dir, const char *project)
{
	const char *env = getenv("COULER_CACHE");

	if (cache_dir && *cache_dir)
		return xstrdup(cache_dir);
	if (env && *env)
		return xstrdup(env);
	return xsprintf("%s/.couler", project && *project ? project : ".");
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

char **run_ids(const char *store, size_t *n)
{
	char *path = file_join(store, "runs"), **v = folder_names(path, SIZE_MAX, n);

	if (*n)
		qsort(v, *n, sizeof *v, by_name);
	free(path);
	return v;
}

void run_ids_free(char **v, size_t n)
{
	while (n)
		free(v[--n]);
	free(v);
}

/* A run that was killed before it could write anything is none. */
static bool has_begun(const char *store, const char *id)
{
	char *path = xsprintf("%s/runs/%s/journal", store, id);
	struct stat st;
	bool yes = !stat(path, &st) && st.st_size;

	free(path);
	return yes;
}

char *run_find(const char *store, const char *word, char **err)
{
	size_t n, hits = 0;
	char **v = run_ids(store, &n), *found = NULL;

	*err = NULL;
	if (!*word || !strcmp(word, "last")) {
		size_t k = n;

		while (k && !has_begun(store, v[k - 1]))
			k--;
		if (k)
			found = xstrdup(v[k - 1]);
		else
			*err = xsprintf("%s: no run is known", store);
	} else
		for (size_t k = 0; k < n; k++)
			if (!strncmp(v[k], word, strlen(word))) {
				hits++;
				free(found);
				found = xstrdup(v[k]);
				if (v[k][strlen(word)] == '\0') {
					hits = 1;
					break;
				}
			}
	if (hits > 1) {
		*err = xsprintf("'%s' begins the names of %zu runs; give more of it", word, hits);
		free(found);
		found = NULL;
	} else if (!found && !*err)
		*err = xsprintf("%s holds no run '%s'; `couler runs` lists them", store, word);
	run_ids_free(v, n);
	return found;
}

static int head(const char *store, const char *id, struct journal_reader *r, struct entry_run *run, char **err)
{
	char *path = xsprintf("%s/runs/%s/journal", store, id);
	struct journal_entry e;
	int rc = journal_read(r, path);

	if (rc)
		*err = xsprintf("%s: %s", path, strerror(errno));
	else {
		while (journal_next(r, &e) && e.kind != JOURNAL_RUN)
			;
		*run = e.u.run;
		if (e.kind != JOURNAL_RUN) {
			*err = xsprintf("%s: it does not say how the run was started", path);
			journal_read_end(r);
			rc = -1;
		}
	}
	free(path);
	return rc;
}

char *run_newest(const char *store, const char *file, const char *cwd)
{
	size_t n;
	char **v = run_ids(store, &n), *found = NULL, *err = NULL;

	for (size_t k = n; k-- && !found; ) {
		struct journal_reader r;
		struct entry_run e = { 0 };

		if (head(store, v[k], &r, &e, &err)) {
			free(err);
			err = NULL;
			continue;
		}
		if (e.file_len == strlen(file) && !memcmp(e.file, file, e.file_len) && e.cwd_len == strlen(cwd) && !memcmp(e.cwd, cwd, e.cwd_len))
			found = xstrdup(v[k]);
		journal_read_end(&r);
	}
	run_ids_free(v, n);
	return found;
}

int run_started(const char *store, const char *id, struct run_start *s, char **err)
{
	struct journal_reader r;
	struct entry_run e = { 0 };
	size_t n = 0;

	*s = (struct run_start){ NULL, NULL };
	if (head(store, id, &r, &e, err))
		return -1;
	for (size_t at = 0; at < e.args_len; at += strlen(e.args + at) + 1)
		n++;
	s->args = xcalloc(n + 1, sizeof *s->args);
	n = 0;
	for (size_t at = 0; at < e.args_len; at += strlen(e.args + at) + 1)
		s->args[n++] = xstrdup(e.args + at);
	s->cwd = xsprintf("%.*s", (int)e.cwd_len, e.cwd);
	journal_read_end(&r);
	return 0;
}

void run_start_free(struct run_start *s)
{
	for (char **a = s->args; a && *a; a++)
		free(*a);
	free(s->args);
	free(s->cwd);
}

int runs_alive(const char *store, void (*f)(const struct run_info *, void *), void *data)
{
	size_t n;
	char **v = run_ids(store, &n), *err = NULL;

	for (size_t k = 0; k < n; k++) {
		struct journal_reader r;
		struct journal_entry e;
		struct entry_run run = { 0 };
		struct run_info info = { .id = v[k], .status = "running" };
		char *file, *workflow;

		if (!run_is_alive(store, v[k]) || head(store, v[k], &r, &run, &err)) {
			free(err);
			err = NULL;
			continue;
		}
		info.file = file = xsprintf("%.*s", (int)run.file_len, run.file);
		info.workflow = workflow = xsprintf("%.*s", (int)run.workflow_len, run.workflow);
		info.started = run.started;
		info.steps = run.steps;
		while (journal_next(&r, &e)) {
			info.done += e.kind == JOURNAL_ENDED;
			info.failed += e.kind == JOURNAL_ENDED && e.u.ended.status == ST_FAILED;
			info.skipped += e.kind == JOURNAL_ENDED && e.u.ended.status == ST_SKIPPED;
			info.cached += e.kind == JOURNAL_ENDED && e.u.ended.cached;
		}
		f(&info, data);
		free(file);
		free(workflow);
		journal_read_end(&r);
	}
	run_ids_free(v, n);
	return 0;
}

/* ---- gates ---- */

int run_answer(const char *store, const char *id, const char *gate, bool approve, const char *const *answers, char **err)
{
	char *dir = xsprintf("%s/runs/%s/answers", store, id), *path = file_join(dir, gate);
	json_t *root = json_object(), *given = json_object();
	struct strbuf b = { 0 };
	char *text;
	int rc = 0;

	*err = NULL;
	json_object_set_new(root, "approved", json_boolean(approve));
	for (const char *const *a = answers; a && *a && !rc; a++) {
		const char *eq = strchr(*a, '=');
		struct strbuf name = { 0 };

		sb_add(&name, *a, eq ? (size_t)(eq - *a) : 0);
		if (json_object_set_new(given, sb_cstr(&name), json_string(eq ? eq + 1 : *a))) {
			*err = xsprintf("the answer '%s' is not UTF-8", *a);
			rc = 2;
		}
		sb_free(&name);
	}
	json_object_set_new(root, "answers", given);
	if (strchr(gate, '/') || !*gate) {
		*err = xsprintf("'%s' is no name of a gate", gate);
		rc = 2;
	}
	text = rc ? NULL : json_dumps(root, JSON_COMPACT);
	if (text) {
		sb_z(&b, text);
		if ((mkdir(dir, 0777) && errno != EEXIST) || write_file(path, &b)) {
			*err = xsprintf("%s: %s", path, strerror(errno));
			rc = 3;
		}
		sb_free(&b);
	}
	free(text);
	json_decref(root);
	free(path);
	free(dir);
	return rc;
}
