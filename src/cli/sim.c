/* couler sim: simulators of what the optimizer decides. */
#include <stdio.h>
#include <string.h>

#include "sim.h"

static const struct command *const simulators[] = {
#define X(name, words) &sim_##name,
	SIMULATORS(X)
#undef X
	NULL
};

const struct command *simulator_find(const char *name)
{
	for (const struct command *const *c = simulators; *c; c++)
		if (!strcmp((*c)->name, name))
			return *c;
	return NULL;
}

extern const struct command command_sim;

static int unknown(const char *word)
{
	static const char *const names[] = {
#define X(name, words) #name,
		SIMULATORS(X)
#undef X
		NULL
	};
	const char *near = nearest(word, strlen(word), names, sizeof names / sizeof *names - 1);

	if (near)
		return cli_usage(&command_sim, "no simulator '%s'; did you mean '%s'?", word, near);
	return cli_usage(&command_sim, "no simulator '%s'", word);
}

static int none(const char *name, const char *value, void *data)
{
	(void)name;
	(void)value;
	(void)data;
	return 0;
}

static int sim(int argc, char **argv)
{
	const struct command *c = NULL;
	int n, rc;

	for (size_t i = 0; argc > 1 && simulators[i] && !c; i++)
		if (!strcmp(simulators[i]->name + strlen("sim "), argv[1]))
			c = simulators[i];
	if (c)
		return c->run(argc - 1, argv + 1);
	if (argc > 1 && argv[1][0] != '-')
		return unknown(argv[1]);
	rc = cli_parse(&command_sim, argc, argv, &n, none, NULL);
	return rc ? rc : cli_usage(&command_sim, "which simulator?");
}

const struct command command_sim = {
	.name = "sim", .args = "NAME [OPTIONS]", .help = "simulate what the optimizer decides", .run = sim,
	.text = "The simulators:\n\n"
#define X(name, words) "  " #name "\n      " words "\n"
		SIMULATORS(X)
#undef X
		"\n`couler sim NAME --help` lists the options of one. Equal options and seeds give equal output.\n",
	.examples = "couler sim cache --help\n",
};
