/* Defaults of options from couler.yaml of the project that a command's file is in. */
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "couler/front.h"
#include "couler/project.h"

static struct arena *kept;               /* values are used until the end */

static void release(void)
{
	arena_free(kept);
}

static const struct cli_opt *option_of(const struct command *c, const char *name)
{
	for (const struct cli_opt *o = c->opts; o && o->name; o++)
		if (!strcmp(o->name, name))
			return o;
	return NULL;
}

static const struct cli_opt *with_letter(const struct command *c, char letter)
{
	for (const struct cli_opt *o = c->opts; o && o->name; o++)
		if (o->letter == letter)
			return o;
	return NULL;
}

/* Whether the word is an option whose value is the next word. */
static bool takes_next(const struct command *c, const char *a)
{
	const struct cli_opt *o;

	if (a[1] == '-') {
		o = strchr(a, '=') ? NULL : option_of(c, a + 2);
		return o && o->arg && o->arg[0] != '[';
	}
	for (a++; *a; a++) {
		o = with_letter(c, *a);
		if (!o || o->arg)
			return o && !a[1];
	}
	return false;
}

/* The first operand; NULL where there is none, or help is asked for. */
static const char *operand(const struct command *c, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (argv[i][0] != '-' || !argv[i][1])
			return argv[i];
		if (!strcmp(argv[i], "--"))
			return i + 1 < argc ? argv[i + 1] : NULL;
		if (!strcmp(argv[i], "--help"))
			return NULL;
		i += takes_next(c, argv[i]);
	}
	return NULL;
}

static int apply(const struct command *c, const struct project *p, struct diag *d, int (*set)(const char *name, const char *value, void *data), void *data)
{
	for (uint32_t i = 0; i < p->values.n; i++) {
		const struct project_value *v = &p->values.v[i];
		const struct cli_opt *o = option_of(c, v->option);
		struct place at = diag_place(d, v->span);
		int rc;

		if (!o)
			continue;                 /* of another command */
		if (o->arg && o->arg[0] != '[' && !v->value)
			return cli_fail(2, "%s:%u: '%s' needs %s, not true", p->path, (unsigned)at.line, o->name, o->arg);
		if (!o->arg && v->value)
			return cli_fail(2, "%s:%u: '%s' is true or false", p->path, (unsigned)at.line, o->name);
		rc = set(o->name, v->value, data);
		if (rc)
			return cli_fail(rc, "the value of '%s' is from %s:%u", o->name, p->path, (unsigned)at.line);
	}
	return 0;
}

int cli_project_of(const struct command *c, const char *path, int (*set)(const char *name, const char *value, void *data), void *data)
{
	const char *names[1024];
	struct project p;
	struct diag *d;
	size_t n = 0;

	if (!kept) {
		kept = arena_new();
		atexit(release);
	}
	d = diag_new(kept);
	for (const struct command *const *k = commands; *k; k++)
		for (const struct cli_opt *o = (*k)->opts; o && o->name && n < 1024; o++)
			names[n++] = o->name;
	if (project_read(kept, d, project_root(kept, path), &p) || project_check(&p, d, names, n)) {
		cli_diag(d, DIAG_TEXT, -1);
		return 2;
	}
	return apply(c, &p, d, set, data);
}

int cli_project(const struct command *c, int argc, char **argv, int (*set)(const char *name, const char *value, void *data), void *data)
{
	const char *path = c->opts && strstr(c->args, "FILE") ? operand(c, argc, argv) : NULL;

	return path ? cli_project_of(c, path, set, data) : 0;
}
