/* couler passes, couler backends: the two tables as a user reads them. */
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "couler/pass.h"
#include "couler/run.h"

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
		printf("  %-12s %s%s\n", (*p)->name, (*p)->help, (*p)->always ? " (also under -O0)" : (*p)->local ? " (also by couler run)" : "");
		options((*p)->name, (*p)->opts);
	}
	return 0;
}

extern const struct command command_passes;
const struct command command_passes = {
	.name = "passes", .args = "", .help = "list the passes in the order in which they run", .run = list_passes, .text = "",
	.examples = "couler passes\ncouler compile churn.cw --passes=-reduce --remarks\n",
};

static void list_backend(const struct backend *b)
{
	printf("  %-10s %s\n", b->name, b->help);
	if (b->program)
		printf("      is %s\n", b->program);
	options(b->name, b->opts);
	for (const struct cap *c = b->caps; c && c->feature >= 0; c++)
		printf("      refuses %s%s: %s; %s\n", features[c->feature].words, c->when ? " in some forms" : "", c->why, c->instead);
}

/* Programs of PATH; what is wrong with one is said and hides no other. */
static int list_outside(void)
{
	struct arena *a = arena_new();

	for (const char **name = external_names(a); *name; name++) {
		struct diag *d = diag_new(a);
		const struct backend *b = backend_find(*name) ? NULL : external_find(a, *name, d);

		if (b)
			list_backend(b);
		else if (backend_find(*name))
			printf("  " EXTERNAL_PREFIX "%s on PATH is not used: couler has an engine of that name\n", *name);
		else
			cli_diag(d, DIAG_TEXT, -1);
	}
	arena_free(a);
	return 0;
}

/* ---- --table: construct by engine, as docs/engines.md has it ---- */

static const struct cap *cap_of(const struct cap *caps, int feature)
{
	for (const struct cap *c = caps; c && c->feature >= 0; c++)
		if (c->feature == feature)
			return c;
	return NULL;
}

static void notes(const char *engine, const struct cap *caps)
{
	if (!caps || caps->feature < 0)
		return;
	printf("\n%s\n\n", engine);
	for (const struct cap *c = caps; c->feature >= 0; c++)
		printf("- %s%s: %s. Instead: %s.\n", features[c->feature].words, c->when ? ", in some forms" : "", c->why, c->instead);
}

/* Engines that only show the IR (no capabilities at all) have no column. */
static int table(void)
{
	fputs("| construct | `couler run`", stdout);
	for (const struct backend *const *b = backends; *b; b++)
		if ((*b)->caps)
			printf(" | %s", (*b)->name);
	fputs(" |\n|---|---", stdout);
	for (const struct backend *const *b = backends; *b; b++)
		if ((*b)->caps)
			fputs("|---", stdout);
	puts("|");
	for (int f = 0; f < FEAT_COUNT; f++) {
		const struct cap *c = cap_of(run_caps, f);

		if (f == FEAT_CALL_REF || f == FEAT_CALL_RUN)
			continue;               /* what the split pass makes, nothing that a user writes */
		printf("| %s | %s", features[f].words, !c ? "yes" : c->when ? "partly" : "no");
		for (const struct backend *const *b = backends; *b; b++)
			if ((*b)->caps)
				printf(" | %s", !(c = cap_of((*b)->caps, f)) ? "yes" : c->when ? "partly" : "no");
		puts(" |");
	}
	notes("`couler run` refuses:", run_caps);
	for (const struct backend *const *b = backends; *b; b++) {
		char head[64];

		snprintf(head, sizeof head, "%s refuses:", (*b)->name);
		notes(head, (*b)->caps);
	}
	return 0;
}

static int table_set(const char *name, const char *value, void *data)
{
	(void)name;
	(void)value;
	*(bool *)data = true;
	return 0;
}

static int list_backends(int argc, char **argv)
{
	bool as_table = false;
	int n, rc = cli_parse(command_find("backends"), argc, argv, &n, table_set, &as_table);

	if (rc)
		return rc;
	if (n)
		return cli_usage(command_find("backends"), "takes no file");
	if (as_table)
		return table();
	for (const struct backend *const *b = backends; *b; b++)
		list_backend(*b);
	return list_outside();
}

static const struct cli_opt backend_opts[] = {
	{ 0, "table", NULL, "a table in Markdown: each construct by engine (docs/engines.md)", NULL },
	{ 0, NULL, NULL, NULL, NULL }
};

extern const struct command command_backends;
const struct command command_backends = {
	.name = "backends", .args = "", .help = "list the engines, their options and what each refuses", .opts = backend_opts, .run = list_backends,
	.text = "The engines in couler, and the programs couler-backend-NAME on PATH (docs/backends.md).\n",
	.examples = "couler backends\ncouler backends --table\ncouler compile churn.cw -t shell\n",
};
