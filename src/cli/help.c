/* couler help: commands, diagnostic codes and constructs, all from their tables. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "couler/help.h"
#include "man.h"

extern const struct command command_help;

static void list(void)
{
	puts("couler: one workflow language for many engines\n\n"
	     "usage: couler COMMAND [OPTIONS] FILE\n");
	for (const struct command *const *c = commands; *c; c++)
		printf("  %-12s %s\n", (*c)->name, (*c)->help);
	puts("\ncouler COMMAND --help tells more; couler help CW0203 explains a diagnostic,\ncouler help sweep a construct. Files may be -, standard input or output.");
}

static void show(const struct command *c)
{
	printf("couler %s: %s\n\nusage: couler %s%s%s%s\n", c->name, c->help, c->name, c->opts ? " [OPTIONS]" : "", *c->args ? " " : "", c->args);
	if (c->text && *c->text)
		printf("\n%s", c->text);
	if (c->opts)
		puts("\noptions:");
	for (const struct cli_opt *o = c->opts; o && o->name; o++) {
		char left[80];
		const char *sep = !o->arg ? "" : o->arg[0] == '[' ? "" : " ";

		if (o->letter)
			snprintf(left, sizeof left, "-%c, --%s%s%s", o->letter, o->name, sep, o->arg ? o->arg : "");
		else
			snprintf(left, sizeof left, "    --%s%s%s", o->name, sep, o->arg ? o->arg : "");
		if (strlen(left) > 27)
			printf("  %s\n  %27s %s\n", left, "", o->help);
		else
			printf("  %-27s %s\n", left, o->help);
	}
	if (c->examples)
		printf("\nexamples:\n");
	for (const char *p = c->examples; p && *p;) {
		size_t n = strcspn(p, "\n");

		printf("  %.*s\n", (int)n, p);
		p += n + (p[n] == '\n');
	}
}

/* CW0203, cw203, 203 */
static int code_of(const char *w)
{
	char *end;
	long n;

	if ((w[0] == 'C' || w[0] == 'c') && (w[1] == 'W' || w[1] == 'w'))
		w += 2;
	if (*w < '0' || *w > '9')
		return 0;
	n = strtol(w, &end, 10);
	return *end || n > 9999 ? -1 : (int)n;
}

static int construct(const char *word, bool man)
{
	struct strbuf b = { 0 };
	const char *near;

	if (man && !strcmp(word, "cw"))
		construct_man(&b);
	else
		(void)construct_help(word, &b);
	if (b.n) {
		fwrite(b.s, 1, b.n, stdout);
		sb_free(&b);
		return 0;
	}
	near = construct_near(word);
	if (near)
		return cli_fail(2, "no command, code or construct '%s'; did you mean '%s'?", word, near);
	return cli_fail(2, "no command, code or construct '%s'; `couler help` lists the commands", word);
}

static int set(const char *name, const char *value, void *data)
{
	(void)name;
	(void)value;
	*(bool *)data = true;
	return 0;
}

static int help(int argc, char **argv)
{
	const struct command *c;
	const struct diag_info *i;
	bool man = false;
	char two[64];
	int code, n, rc = cli_parse(&command_help, argc, argv, &n, set, &man);

	if (rc)
		return rc;
	if (!n) {
		list();
		return 0;
	}
	snprintf(two, sizeof two, "%s %s", argv[0], n > 1 ? argv[1] : "");
	c = command_find(n > 1 ? two : argv[0]);
	if (n > 2 || (n > 1 && !c))
		return cli_fail(2, "help takes one word; `couler help` lists the commands");
	if (c) {
		if (man)
			man_page(c);
		else
			show(c);
		return 0;
	}
	code = code_of(argv[0]);
	if (code) {
		i = code > 0 ? diag_info(code) : NULL;
		if (!i)
			return cli_fail(2, "no diagnostic '%s'", argv[0]);
		printf("CW%04d: %s\n\n%s\n", i->code, i->title, i->help);
		return 0;
	}
	return construct(argv[0], man);
}

static const struct cli_opt opts[] = {
	{ 0, "man", NULL, "the man page of a command, or of the language (cw), as troff", NULL },
	{ 0, NULL, NULL, NULL, NULL }
};

const struct command command_help = { .name = "help", .args = "[COMMAND|CODE|CONSTRUCT]", .help = "explain a command, a diagnostic or a construct", .run = help, .opts = opts,
	.text = "Without a word: the list of commands.\n",
	.examples = "couler help compile  # options of a command\ncouler help CW0203   # a diagnostic with its mend\ncouler help sweep    # a construct of the language\n" };
