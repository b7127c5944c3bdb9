/* couler nl: a description in words to a workflow. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "couler/front.h"
#include "couler/nl.h"

struct nl_cmd { const char *out, *lake; bool offline, explain, yes; };

static int set(const char *name, const char *value, void *data)
{
	struct nl_cmd *c = data;

	if (!strcmp(name, "output"))
		c->out = value;
	else if (!strcmp(name, "lake"))
		c->lake = value;
	else if (!strcmp(name, "offline"))
		c->offline = true;
	else if (!strcmp(name, "explain"))
		c->explain = true;
	else if (!strcmp(name, "yes"))
		c->yes = true;
	return 0;
}

static int nl(int argc, char **argv)
{
	struct nl_cmd c = { 0 };
	struct arena *a = arena_new();
	struct diag *d = diag_new(a);
	struct nl_options o = { 0 };
	struct nl_draft x;
	int n, rc = cli_parse(command_find("nl"), argc, argv, &n, set, &c);
	const char *text;
	size_t len;

	if (rc)
		return rc;
	if (n != 1)
		return cli_usage(command_find("nl"), "one description, in quotes");
	text = argv[0];
	len = strlen(text);
	if (!strcmp(text, "-")) {
		text = read_file(a, "-", &len);
		if (!text)
			return cli_fail(3, "standard input: %s", strerror(errno));
	}
	o.lake = c.lake;
	o.path = c.out;
	rc = nl_offline(text, len, &o, &x, d) ? 3 : 0;
	if (!rc && x.refused)
		rc = cli_fail(2, "%s; say in a sentence or two what the pipeline does", x.refused);
	if (!rc && c.explain)
		fprintf(stderr, "plan:\n%ssnippets:\n%sdegraded: %d\n", sb_cstr(&x.plan), sb_cstr(&x.snippets), x.degraded);
	if (!rc)
		rc = cli_write(c.out, x.text.s, x.text.n);
	nl_draft_free(&x);
	cli_diag(d, DIAG_TEXT, -1);
	arena_free(a);
	return rc;
}

static const struct cli_opt opts[] = {
	{ 'o', "output", "FILE", "where to write (default: standard output)", "file" },
	{ 0, "offline", NULL, "without a language model: by rules and snippets alone", NULL },
	{ 0, "explain", NULL, "show the plan, snippets, rounds and tokens", NULL },
	{ 0, "lake", "FOLDER", "snippets of your own beside those that are shipped", "dir" },
	{ 0, "yes", NULL, "answer yes where it would ask", NULL },
	{ 0, NULL, NULL, NULL, NULL }
};

extern const struct command command_nl;
const struct command command_nl = {
	.name = "nl", .args = "DESCRIPTION", .help = "draft a workflow from a description in plain words", .opts = opts, .run = nl,
	.text = "Takes the description apart by rules, puts snippets of the code lake and the facts of the\ndescription (schedules, numbers, thresholds, images, secrets, names) together, and writes a\nworkflow that checks. What cannot be expressed, and what was assumed, stands in its comments.\nDESCRIPTION may be - for standard input. Nothing is run or submitted.\n\nexit codes: 0 done, 2 wrong usage or a description without words, 3 file trouble.\n",
	.examples = "couler nl --offline \"load sales.csv, train a model, deploy it if auc > 0.8\" -o sales.cw\ncouler nl --offline - -o sales.cw < description.txt\n",
};
