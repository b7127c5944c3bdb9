/* WfCommons instances (WfFormat 1.5): tasks, who follows whom, run times, and the sizes of what each task writes. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "couler/cachesim.h"

struct trace { struct arena *a; struct diag *d; const char *path; json_t *tasks; const char **name; double *seconds, *bytes; VEC(struct { uint32_t v[2]; }) edges; };

static const struct sim_workload *refuse(struct trace *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static const struct sim_workload *refuse(struct trace *t, const char *fmt, ...)
{
	struct strbuf b = { 0 };
	struct diag_item *it;
	va_list ap;

	va_start(ap, fmt);
	sb_vf(&b, fmt, ap);
	va_end(ap);
	it = diag_at(t->d, CW1220, (struct span){ 0 }, "%s: %s", t->path, sb_cstr(&b));
	diag_mend(t->d, it, "give a WfCommons instance (WfFormat 1.5), or the name of a scenario");
	sb_free(&b);
	return NULL;
}

static json_t *at(json_t *o, const char *a, const char *b, const char *c)
{
	o = json_object_get(o, a);
	o = b ? json_object_get(o, b) : o;
	return c ? json_object_get(o, c) : o;
}

/* By id: its place in list plus one, as an integer. */
static json_t *index_of(json_t *list)
{
	json_t *map = json_object(), *x;
	size_t i;

	json_array_foreach(list, i, x) {
		const char *id = json_string_value(json_object_get(x, "id"));

		if (map && id)
			json_object_set_new(map, id, json_integer((json_int_t)i + 1));
	}
	return map;
}

static void sizes(struct trace *t, uint32_t u, json_t *files, json_t *file_at)
{
	json_t *outs = json_object_get(json_array_get(t->tasks, u), "outputFiles"), *name;
	size_t i;

	json_array_foreach(outs, i, name) {
		json_int_t k = json_string_value(name) ? json_integer_value(json_object_get(file_at, json_string_value(name))) : 0;
		double size = k ? json_number_value(json_object_get(json_array_get(files, (size_t)k - 1), "sizeInBytes")) : 0;

		t->bytes[u] += size > 0 ? size : 0;
	}
}

static const char *links(struct trace *t, uint32_t u, json_t *task_at)
{
	json_t *children = json_object_get(json_array_get(t->tasks, u), "children"), *name;
	size_t i;

	json_array_foreach(children, i, name) {
		json_int_t k = json_string_value(name) ? json_integer_value(json_object_get(task_at, json_string_value(name))) : 0;

		if (!k)
			return json_string_value(name) ? json_string_value(name) : "?";
		vec_add(t->a, &t->edges);
		t->edges.v[t->edges.n - 1].v[0] = u;
		t->edges.v[t->edges.n - 1].v[1] = (uint32_t)k - 1;
	}
	return NULL;
}

static const char *base_name(struct arena *a, const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t n;

	path = slash ? slash + 1 : path;
	n = strlen(path);
	if (n > 5 && !strcmp(path + n - 5, ".json"))
		n -= 5;
	return arena_dup(a, path, n);
}

static const struct sim_workload *read_trace(struct trace *t, json_t *root)
{
	json_t *files = at(root, "workflow", "specification", "files"), *runs = at(root, "workflow", "execution", "tasks");
	json_t *task_at, *file_at = NULL, *run_at = NULL;
	struct sim_workload *w = arena_new_of(t->a, struct sim_workload);
	uint32_t n;

	t->tasks = at(root, "workflow", "specification", "tasks");
	n = (uint32_t)json_array_size(t->tasks);
	if (!n || !json_array_size(runs))
		return refuse(t, "no workflow.specification.tasks or no workflow.execution.tasks");
	if (n > 20000)
		return refuse(t, "%u tasks, at most 20,000 can be simulated", n);
	t->name = arena_array(t->a, const char *, n);
	t->seconds = arena_array(t->a, double, n);
	t->bytes = arena_array(t->a, double, n);
	task_at = index_of(t->tasks);
	file_at = index_of(files);
	run_at = index_of(runs);
	for (uint32_t u = 0; u < n; u++) {
		const char *id = json_string_value(json_object_get(json_array_get(t->tasks, u), "id")), *lost;
		json_int_t k = id ? json_integer_value(json_object_get(run_at, id)) : 0;

		if (!k) {
			w = NULL;
			refuse(t, "task '%s' was not executed", id ? id : "without an id");
			break;
		}
		t->name[u] = arena_dup(t->a, id, strlen(id));
		t->seconds[u] = json_number_value(json_object_get(json_array_get(runs, (size_t)k - 1), "runtimeInSeconds"));
		sizes(t, u, files, file_at);
		lost = links(t, u, task_at);
		if (lost || !(t->seconds[u] >= 0))
			w = NULL;
		if (lost)
			refuse(t, "task '%s' has a child '%s' that is no task", id, lost);
		else if (!w)
			refuse(t, "the run time of task '%s' is below zero", id);
		if (!w)
			break;
	}
	if (w)
		*w = (struct sim_workload){ base_name(t->a, t->path), n, t->edges.n, t->name, (const uint32_t (*)[2])(const void *)t->edges.v, t->seconds, t->bytes, false };
	json_decref(task_at);
	json_decref(file_at);
	json_decref(run_at);
	return w;
}

const struct sim_workload *sim_trace(struct arena *a, const char *path, struct diag *d)
{
	struct trace t = { .a = a, .d = d, .path = path };
	const struct sim_workload *w;
	json_error_t err;
	FILE *f = fopen(path, "r");
	json_t *root;

	if (!f)
		return refuse(&t, "%s", strerror(errno));
	root = json_loadf(f, 0, &err);
	fclose(f);
	if (!root)
		return refuse(&t, "line %d: %s", err.line, err.text);
	w = read_trace(&t, root);
	json_decref(root);
	return w;
}
