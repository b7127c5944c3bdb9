/* couler fmt: the canonical text of .cw files. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "driver.h"

struct fmt { bool check, write; int color; };

static int set(const char *name, const char *value, void *data)
{
	struct fmt *f = data;

	if (!strcmp(name, "check"))
		f->check = true;
	else if (!strcmp(name, "write"))
		f->write = true;
	else
		f->color = !strcmp(value, "always") ? 1 : !strcmp(value, "never") ? 0 : -1;
	return 0;
}

static int fmt_file(const struct fmt *f, const char *path)
{
	struct job *j = job_new();
	struct strbuf out = { 0 };
	size_t n;
	char *text = read_file(j->arena, path, &n);
	struct ast_file *ast;
	int rc = 0;

	if (!text) {
		rc = cli_fail(3, "%s: %s", path, strerror(errno));
		return job_end(j, rc);
	}
	j->color = f->color;
	ast = parse(j->arena, j->strs, j->diag, diag_source(j->diag, !strcmp(path, "-") ? "<stdin>" : path, text, n));
	if (j->diag->errors)
		return job_end(j, 1);
	format_ast(ast, j->diag, &out);
	if (f->check) {
		if (out.n != n || (n && memcmp(out.s, text, n)))
			rc = cli_fail(1, "%s is not formatted; mend with  couler fmt -w %s", path, path);
	} else if (!f->write || !strcmp(path, "-")) {
		rc = cli_write(NULL, out.s, out.n);
	} else if (out.n != n || (n && memcmp(out.s, text, n))) {
		rc = cli_write(path, out.s, out.n);
	}
	sb_free(&out);
	return job_end(j, rc);
}

static int fmt(int argc, char **argv)
{
	struct fmt f = { false, false, -1 };
	int n, worst = 0, rc = cli_parse(command_find("fmt"), argc, argv, &n, set, &f);

	if (rc)
		return rc;
	if (!n)
		return cli_usage(command_find("fmt"), "no file given; - is standard input");
	if (n > 1 && !f.check && !f.write)
		return cli_usage(command_find("fmt"), "several files need -w or --check");
	for (int i = 0; i < n; i++) {
		rc = fmt_file(&f, argv[i]);
		if (rc > worst)
			worst = rc;
	}
	return worst;
}

static const struct cli_opt opts[] = {
	{ 'w', "write", NULL, "write the file in place", NULL },
	{ 0, "check", NULL, "write nothing; exit 1 if a file is not formatted", NULL },
	{ 0, "color", "auto|always|never", "color in messages", "auto|always|never" },
	{ 0, NULL, NULL, NULL, NULL }
};

extern const struct command command_fmt;
const struct command command_fmt = {
	.name = "fmt", .args = "FILE...", .help = "format .cw files", .opts = opts, .run = fmt,
	.text = "Writes the canonical text to standard output, or into the file with -w.\nComments and meaning are kept. A file with errors is left as it is.\n",
	.examples = "couler fmt -w *.cw\ncouler fmt --check *.cw   # in CI\ncouler fmt - < a.cw\n",
};
