/* couler check: everything that can be known without an engine. */
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "driver.h"

struct check { enum diag_format format; int color; bool remarks; const char *target, *workflow; };

static int set(const char *name, const char *value, void *data)
{
	struct check *c = data;

	if (!strcmp(name, "target")) {
		c->target = value;
	} else if (!strcmp(name, "workflow")) {
		c->workflow = value;
	} else if (!strcmp(name, "remarks")) {
		c->remarks = true;
	} else if (!strcmp(name, "format")) {
		return cli_format(value, &c->format) ? cli_fail(2, "--format takes text, json or sarif, not '%s'", value) : 0;
	} else {
		c->color = !strcmp(value, "always") ? 1 : !strcmp(value, "never") ? 0 : -1;
	}
	return 0;
}

static int check_file(const struct check *c, const char *path)
{
	struct job *j = job_new();
	struct strbuf out = { 0 };
	const struct backend *b;
	struct ir *m;
	int rc = 0;

	b = c->target ? job_target(j, c->target, &rc) : NULL;
	if (rc)
		return job_end(j, rc);

	j->path = path;
	j->format = c->format;
	j->color = c->color;
	j->workflow = c->workflow;
	j->entry_optional = !b && !c->workflow;
	j->diag->remarks = c->remarks;
	j->level = b ? 1 : 0;
	m = job_module(j, b, &rc);
	if (m && b && m->entry)
		rc = job_emit(j, b, m, &out);
	sb_free(&out);
	return job_end(j, rc);
}

static int check(int argc, char **argv)
{
	struct check c = { DIAG_TEXT, -1, false, NULL, NULL };
	int n, rc = cli_parse(command_find("check"), argc, argv, &n, set, &c), worst = 0;

	if (rc)
		return rc;
	if (!n)
		return cli_usage(command_find("check"), "no file given");
	if (c.format == DIAG_SARIF && n > 1)
		return cli_usage(command_find("check"), "a SARIF log is of one file");
	for (int i = 0; i < n; i++) {
		rc = check_file(&c, argv[i]);
		if (rc > worst)
			worst = rc;
	}
	return worst;
}

static const struct cli_opt opts[] = {
	{ 't', "target", "ENGINE", "also whether this engine can carry it", "argo|airflow|shell" },
	{ 0, "workflow", "NAME", "the workflow to take as the entry", NULL },
	{ 0, "format", "text|json|sarif", "format of diagnostics", "text|json|sarif" },
	{ 0, "remarks", NULL, "say what each pass did and why", NULL },
	{ 0, "color", "auto|always|never", "color in messages", "auto|always|never" },
	{ 0, NULL, NULL, NULL, NULL }
};

extern const struct command command_check;
const struct command command_check = {
	.name = "check", .args = "FILE...", .help = "report errors in .cw files", .opts = opts, .run = check,
	.text = "Silent when all is well. Each error has a place, a code (couler help CW0203) and,\nwhere one is known, a mend.\n\nexit codes: 0 no errors, 1 errors, 2 wrong usage, 3 a file that cannot be read,\n4 with -t: the engine cannot carry the workflow.\n",
	.examples = "couler check *.cw\ncouler check -t argo churn.cw          # also what Argo cannot carry\ncouler check --format sarif churn.cw   # for code scanning\n",
};
