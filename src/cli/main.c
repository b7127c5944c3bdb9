/* couler: the table of subcommands and the way to them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "sim.h"

#define COMMANDS(X) X(init) X(check) X(compile) X(push) X(submit) X(run) X(runs) X(logs) X(resume) X(approve) X(cache) X(report) X(airflow) X(fmt) X(graph) X(explain) X(profile) X(dataflow) X(sim) X(nl) X(passes) X(backends) X(completions) X(help) X(version)

#define X(name) extern const struct command command_##name;
COMMANDS(X)
#undef X

const struct command *const commands[] = {
#define X(name) &command_##name,
	COMMANDS(X)
#undef X
	NULL
};

const struct command *command_find(const char *name)
{
	for (const struct command *const *c = commands; *c; c++)
		if (!strcmp((*c)->name, name))
			return *c;
	return simulator_find(name);
}

static int version(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	puts("couler " COULER_VERSION);
	return 0;
}

extern const struct command command_version;
const struct command command_version = {
	.name = "version", .args = "", .help = "print the version", .text = "", .run = version,
	.examples = "couler version  # couler " COULER_VERSION "\n",
};

static int unknown(const char *word)
{
	const char *names[64], *near;
	size_t n = 0;

	for (const struct command *const *c = commands; *c && n < 64; c++)
		names[n++] = (*c)->name;
	near = nearest(word, strlen(word), names, n);
	if (near)
		return cli_fail(2, "no command '%s'; did you mean '%s'?", word, near);
	return cli_fail(2, "no command '%s'; `couler help` lists them", word);
}

int main(int argc, char **argv)
{
	const struct command *c;
	const char *word = argc > 1 ? argv[1] : NULL;
	int rc;

	if (!word)
		return command_find("help")->run(1, (char *[]){ (char *)"help", NULL });
	if (!strcmp(word, "--version") || !strcmp(word, "-V"))
		word = "version";
	if (!strcmp(word, "--help") || !strcmp(word, "-h"))
		word = "help";
	c = command_find(word);
	if (!c)
		return unknown(word);
	rc = c->run(argc - 1, argv + 1);
	if (fflush(stdout) || ferror(stdout))
		return rc ? rc : cli_fail(3, "standard output could not be written");
	return rc < 0 ? 0 : rc;
}
