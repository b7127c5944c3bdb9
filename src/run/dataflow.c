/* A step with a dataflow: its process is the broker of src/elastic, started from this same program. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "couler/elastic.h"
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
		flow_write(s->task, &text);
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

/* couler dataflow run SPEC ...; *path is this program, whatever has become of its file since. */
char **dataflow_argv(struct rt *rt, struct step *s, const char **path)
{
	const char *spec = spec_file(rt, s), *words[] = { "couler", "dataflow", "run", spec, "--share", joined(s, store_dir(rt->store), "elastic"), "--slots", NULL,
		"--status", joined(s, s->slot->dir, "status"), "--figures", joined(s, s->slot->dir, "figures") };
	size_t n = sizeof words / sizeof *words;
	char **v = arena_array(s->arena, char *, n + 1), slots[16];

	if (!spec)
		return NULL;
	snprintf(slots, sizeof slots, "%u", rt->sched.jobs);
	for (size_t i = 0; i < n; i++)
		v[i] = words[i] ? arena_dup(s->arena, words[i], strlen(words[i])) : arena_dup(s->arena, slots, strlen(slots));
	*path = "/proc/self/exe";
	return v;
}
