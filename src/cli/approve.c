/* couler approve: answers a gate of a run. */
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "couler/run.h"
#include "store.h"

struct approve { const char *cache; bool reject; VEC(const char *) answers; struct arena *arena; };

static int set(const char *name, const char *value, void *data)
{
	struct approve *a = data;

	if (!strcmp(name, "cache"))
		a->cache = value;
	else if (!strcmp(name, "reject"))
		a->reject = true;
	else
		vec_push(a->arena, &a->answers, value);
	return 0;
}

static int approve(int argc, char **argv)
{
	struct approve a = { .arena = arena_new() };
	int n, rc = cli_parse(command_find("approve"), argc, argv, &n, set, &a);
	char *store, *id, *err = NULL;

	if (!rc && n != 2)
		rc = cli_usage(command_find("approve"), "a run and a gate");
	if (rc) {
		arena_free(a.arena);
		return rc;
	}
	vec_push(a.arena, &a.answers, NULL);
	store = cli_store(a.cache);
	id = run_find(store, argv[0], &err);
	rc = id ? run_answer(store, id, argv[1], !a.reject, a.answers.v, &err) : 2;
	if (rc)
		rc = cli_error(rc, err);
	else if (!run_is_alive(store, id))
		printf("%s of run %s is %s; go on with  couler resume %s\n", argv[1], id, a.reject ? "rejected" : "approved", id);
	free(id);
	free(store);
	arena_free(a.arena);
	return rc;
}

static const struct cli_opt opts[] = {
	{ 0, "answer", "VALUE", "the answer; NAME=VALUE where the gate asks several questions", NULL },
	{ 0, "reject", NULL, "reject instead", NULL },
	{ 0, "cache", "DIR", "the folder of results (default: COULER_CACHE, else .couler)", "dir" },
	{ 0, NULL, NULL, NULL, NULL }
};

extern const struct command command_approve;
const struct command command_approve = {
	.name = "approve", .args = "RUN GATE", .help = "answer a gate of a run", .opts = opts, .run = approve,
	.text = "A run that waits for the gate goes on within a second. One that ended at the gate, because there\nwas no terminal to ask on, takes the answer over when it is resumed.\n",
	.examples = "couler approve last gate --answer yes && couler resume last\n",
};
