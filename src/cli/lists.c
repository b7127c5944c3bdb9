/* couler passes, couler backends: the two tables as a user reads them. */
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "couler/pass.h"

static int none(const char *name, const char *value, void *data)
{
	(void)name;
	(void)value;
	(void)data;
	return 0;
}

static void options(const char *owner, const struct optdesc *o)
{
	for (; o && o->name; o++) {
		printf("      --set %s.%s=%s", owner, o->name, o->values ? o->values : o->type == OPT_BOOL ? "on|off" : o->type == OPT_INT ? "N" : o->type == OPT_SIZE ? "SIZE" : o->type == OPT_DURATION ? "DURATION" : "TEXT");
		printf("  %s%s%s%s\n", o->help, o->dflt ? " (default " : "", o->dflt ? o->dflt : "", o->dflt ? ")" : "");
	}
}

static int list_passes(int argc, char **argv)
{
	int n, rc = cli_parse(command_find("passes"), argc, argv, &n, none, NULL);

	if (rc)
		return rc;
	if (n)
		return cli_usage(command_find("passes"), "takes no file");
	for (const struct pass *const *p = passes; *p; p++) {
		printf("  %-12s %s%s\n", (*p)->name, (*p)->help, (*p)->always ? " (also under -O0)" : "");
		options((*p)->name, (*p)->opts);
	}
	return 0;
}

extern const struct command command_passes;
const struct command command_passes = {
	.name = "passes", .args = "", .help = "list the passes in the order in which they run", .run = list_passes, .text = "",
	.examples = "couler passes\ncouler compile churn.cw --passes=-reduce --remarks\n",
};

static int list_backends(int argc, char **argv)
{
	int n, rc = cli_parse(command_find("backends"), argc, argv, &n, none, NULL);

	if (rc)
		return rc;
	if (n)
		return cli_usage(command_find("backends"), "takes no file");
	for (const struct backend *const *b = backends; *b; b++) {
		printf("  %-10s %s\n", (*b)->name, (*b)->help);
		options((*b)->name, (*b)->opts);
		for (const struct cap *c = (*b)->caps; c && c->feature >= 0; c++)
			printf("      refuses %s%s: %s; %s\n", features[c->feature].words, c->when ? " in some forms" : "", c->why, c->instead);
	}
	return 0;
}

extern const struct command command_backends;
const struct command command_backends = {
	.name = "backends", .args = "", .help = "list the engines, their options and what each refuses", .run = list_backends, .text = "",
	.examples = "couler backends\ncouler compile churn.cw -t shell\n",
};
