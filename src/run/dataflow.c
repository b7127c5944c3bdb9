/* A step with a dataflow: its process is the broker of src/elastic, started from this same program. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "couler/elastic.h"
#include "history.h"
#include "rt.h"

/* The description of the dataflow in a file of the run, written once for all steps of the task; NULL after s->what. */
static const char *spec_file(struct rt *rt, struct step *s)
{
	struct taskinfo *t = &rt->tasks[s->task->id];
	struct strbuf b = { 0 }, text = { 0 };

	if (t->script)
		return t->script;
	sb_f(&b, "%s/scripts", rt->dir);
	if (!mkdir(sb_cstr(&b), 0777) || errno == EEXIST) {
		sb_f(&b, "/%u-%s.json", s->task->id, s->task->name->s);
		flow_write(s->task, rt->o->profile > 0, &text);
		if (!write_file(sb_cstr(&b), &text))
			t->script = arena_dup(rt->arena, b.s, b.n);
	}
	if (!t->script)
		step_why(s, "%s: %s", sb_cstr(&b), strerror(errno));
	sb_free(&b);
	sb_free(&text);
	return t->script;
}

static char *joined(struct step *s, const char *dir, const char *name)
{
	struct strbuf b = { 0 };
	char *p;

	sb_f(&b, "%s/%s", dir, name);
	p = arena_dup(s->arena, b.s, b.n);
	sb_free(&b);
	return p;
}

/* Where this program lies, for who runs the step again by hand. */
static const char *program(struct step *s)
{
	char buf[4096];
	ssize_t n = readlink("/proc/self/exe", buf, sizeof buf);

	return n > 0 && n < (ssize_t)sizeof buf ? arena_dup(s->arena, buf, (size_t)n) : "couler";
}

/* couler dataflow run SPEC ...; *path is this program, whatever has become of its file since. */
char **dataflow_argv(struct rt *rt, struct step *s, const char **path)
{
	const char *spec = spec_file(rt, s), *words[] = { program(s), "dataflow", "run", spec, "--share", joined(s, store_dir(rt->store), "elastic"), "--slots", NULL,
		"--status", joined(s, s->slot->dir, "status"), "--figures", joined(s, s->slot->dir, "figures"), "--records", NULL };
	size_t n = sizeof words / sizeof *words;
	char **v = arena_array(s->arena, char *, n + 1), num[2][24], at = 0;

	if (!spec)
		return NULL;
	snprintf(num[0], sizeof num[0], "%u", rt->sched.jobs);
	snprintf(num[1], sizeof num[1], "%lld", (long long)rt->o->profile);
	for (size_t i = 0; i < n; i++) {
		const char *w = words[i] ? words[i] : num[(int)at++];

		v[i] = arena_dup(s->arena, w, strlen(w));
	}
	*path = "/proc/self/exe";
	return v;
}

/* ---- what was measured ---- */

/* FNV-1a of a script: figures of another one do not count. */
static void digest(const struct str *s, char out[17])
{
	uint64_t h = 14695981039346656037u;

	for (uint32_t i = 0; s && i < s->len; i++)
		h = (h ^ (unsigned char)s->s[i]) * 1099511628211u;
	snprintf(out, 17, "%016llx", (unsigned long long)h);
}

static double member(json_t *o, const char *key)
{
	json_t *v = json_object_get(o, key);

	return json_is_number(v) ? json_number_value(v) : -1;
}

static void keep(struct history *h, const struct ir_task *t, json_t *root)
{
	const struct ir_dataflow *f = t->dataflow;
	json_t *ops = json_object_get(root, "ops");
	char script[17];

	digest(NULL, script);
	history_operator(h, t->name->s, f->source->s, script, -1, member(root, "source_bytes"));
	for (uint32_t i = 0; i < f->nops; i++) {
		json_t *o = json_object_get(ops, f->ops[i].name->s);

		digest(f->ops[i].run, script);
		if (i + 1 == f->nops)
			history_operator(h, t->name->s, f->ops[i].name->s, script, member(root, "trainer"), -1);
		else if (o)
			history_operator(h, t->name->s, f->ops[i].name->s, script, member(o, "cpu"), member(o, "bytes"));
	}
}

void dataflow_measured(struct rt *rt, struct step *s)
{
	char *path = file_join(s->slot->dir, "figures"), *err = NULL, *note = NULL;
	json_t *root = json_load_file(path, 0, NULL);
	struct history *h = root ? history_open(store_dir(rt->store), &err, &note) : NULL;

	if (h)
		keep(h, s->task, root);
	history_close(h);
	json_decref(root);
	unlink(path);
	free(path);
	free(err);
	free(note);
}

static bool lacks(const struct ir_dataflow *f)
{
	for (uint32_t i = 0; i < f->nops; i++)
		if (f->ops[i].cpu < 0 || (f->ops[i].bytes < 0 && i + 1 < f->nops))
			return true;
	return f->source_bytes < 0;
}

static void fill_in(struct history *h, const struct ir_task *t)
{
	struct ir_dataflow *f = t->dataflow;
	double cpu, bytes;
	char script[17];

	digest(NULL, script);
	if (!history_operator_figures(h, t->name->s, f->source->s, script, &cpu, &bytes) && f->source_bytes < 0)
		f->source_bytes = bytes;
	for (uint32_t i = 0; i < f->nops; i++) {
		struct ir_operator *o = &f->ops[i];

		digest(o->run, script);
		if (history_operator_figures(h, t->name->s, o->name->s, script, &cpu, &bytes))
			continue;
		if (o->cpu < 0)
			o->cpu = cpu;
		if (o->bytes < 0)
			o->bytes = bytes;
	}
}

void run_figures(struct ir *m, const char *store)
{
	struct history *h = NULL;
	char *path = file_join(store, "history.db"), *err = NULL, *note = NULL;

	for (uint32_t i = 0; i < m->tasks.n && !err; i++) {
		if (!m->tasks.v[i]->dataflow || !lacks(m->tasks.v[i]->dataflow) || (!h && access(path, R_OK)))
			continue;
		if (!h)
			h = history_open(store, &err, &note);
		if (h)
			fill_in(h, m->tasks.v[i]);
	}
	history_close(h);
	free(path);
	free(err);
	free(note);
}
