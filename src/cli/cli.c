/* What all subcommands share: options, messages, output files. */
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct cli_opt *by_name(const struct command *c, const char *name, size_t n)
{
	for (const struct cli_opt *o = c->opts; o && o->name; o++)
		if (strlen(o->name) == n && !memcmp(o->name, name, n))
			return o;
	return NULL;
}

static const struct cli_opt *by_letter(const struct command *c, char letter)
{
	for (const struct cli_opt *o = c->opts; o && o->name; o++)
		if (o->letter == letter)
			return o;
	return NULL;
}

static void safe(FILE *f, const char *s)
{
	struct strbuf b = { 0 };

	sb_safe(&b, s, strlen(s));
	fputs(sb_cstr(&b), f);
	sb_free(&b);
}

int cli_fail(int code, const char *fmt, ...)
{
	struct strbuf b = { 0 };
	va_list ap;

	va_start(ap, fmt);
	sb_vf(&b, fmt, ap);
	va_end(ap);
	fputs("couler: ", stderr);
	safe(stderr, sb_cstr(&b));
	fputc('\n', stderr);
	sb_free(&b);
	return code;
}

int cli_usage(const struct command *c, const char *fmt, ...)
{
	struct strbuf b = { 0 };
	va_list ap;

	va_start(ap, fmt);
	sb_vf(&b, fmt, ap);
	va_end(ap);
	fprintf(stderr, "couler %s: ", c->name);
	safe(stderr, sb_cstr(&b));
	fprintf(stderr, "\nusage: couler %s%s %s\n       couler help %s\n", c->name, c->opts ? " [OPTIONS]" : "", c->args, c->name);
	sb_free(&b);
	return 2;
}

static int unknown(const struct command *c, const char *arg, size_t n)
{
	const char *names[128], *near;
	size_t k = 0;

	for (const struct cli_opt *o = c->opts; o && o->name && k < 128; o++)
		names[k++] = o->name;
	near = nearest(arg, n, names, k);
	if (near)
		return cli_usage(c, "no option --%.*s; did you mean --%s?", (int)n, arg, near);
	return cli_usage(c, "no option --%.*s", (int)n, arg);
}

typedef int (*set_fn)(const char *name, const char *value, void *data);

static int long_option(const struct command *c, int argc, char **argv, int *i, set_fn set, void *data)
{
	const char *arg = argv[*i] + 2, *eq = strchr(arg, '=');
	size_t n = eq ? (size_t)(eq - arg) : strlen(arg);
	const struct cli_opt *o = by_name(c, arg, n);

	if (!o)
		return unknown(c, arg, n);
	if (!o->arg)
		return eq ? cli_usage(c, "--%s takes no value", o->name) : set(o->name, NULL, data);
	if (eq)
		return set(o->name, eq + 1, data);
	if (o->arg[0] == '[')             /* an optional value is given with = */
		return set(o->name, NULL, data);
	if (*i + 1 >= argc)
		return cli_usage(c, "--%s needs %s", o->name, o->arg);
	return set(o->name, argv[++*i], data);
}

static int letters(const struct command *c, int argc, char **argv, int *i, set_fn set, void *data)
{
	for (const char *p = argv[*i] + 1; *p; p++) {
		const struct cli_opt *o = by_letter(c, *p);
		int rc;

		if (!o)
			return cli_usage(c, "no option -%c", *p);
		if (!o->arg) {
			rc = set(o->name, NULL, data);
			if (rc)
				return rc;
			continue;
		}
		if (p[1])
			return set(o->name, p + 1, data);
		if (*i + 1 >= argc)
			return cli_usage(c, "-%c needs %s", *p, o->arg);
		return set(o->name, argv[++*i], data);
	}
	return 0;
}

int cli_parse(const struct command *c, int argc, char **argv, int *n, set_fn set, void *data)
{
	bool options = true;
	int rc = cli_project(c, argc, argv, set, data);

	*n = 0;
	for (int i = 1; i < argc && !rc; i++) {
		char *a = argv[i];

		if (!options || a[0] != '-' || !a[1]) {
			argv[(*n)++] = a;
		} else if (!strcmp(a, "--")) {
			options = false;
		} else if (!strcmp(a, "--help") || (!strcmp(a, "-h") && !by_letter(c, 'h'))) {
			char *help[] = { (char *)"help", (char *)c->name, NULL };

			command_find("help")->run(2, help);
			return -1;
		} else if (a[1] == '-') {
			rc = long_option(c, argc, argv, &i, set, data);
		} else {
			rc = letters(c, argc, argv, &i, set, data);
		}
	}
	return rc;
}

bool cli_color(int color, int fd)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	if (color >= 0)
		return color;
	return !(no && *no) && isatty(fd) && term && strcmp(term, "dumb") != 0;
}

int cli_format(const char *word, enum diag_format *f)
{
	static const char *const words[] = { "text", "json", "sarif" };

	for (int i = 0; i < 3; i++)
		if (!strcmp(word, words[i])) {
			*f = (enum diag_format)i;
			return 0;
		}
	return -1;
}

void cli_diag(const struct diag *d, enum diag_format f, int color)
{
	FILE *out = f == DIAG_TEXT ? stderr : stdout;
	struct strbuf b = { 0 };

	diag_write(d, f, cli_color(color, fileno(out)), &b);
	if (b.n)
		fwrite(b.s, 1, b.n, out);
	fflush(out);
	sb_free(&b);
}

static int write_all(int fd, const char *s, size_t n)
{
	while (n) {
		ssize_t k = write(fd, s, n);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return -1;
		s += k;
		n -= (size_t)k;
	}
	return 0;
}

/* Beside the target so that rename stays on one file system; the target's mode is kept. */
static int replace_file(const char *path, const char *s, size_t n, mode_t mode)
{
	size_t len = strlen(path);
	char *tmp = xmalloc(len + 16);
	int fd, rc = -1, err;

	memcpy(tmp, path, len);
	memcpy(tmp + len, ".XXXXXX", 8);
	fd = mkostemp(tmp, O_CLOEXEC);
	if (fd < 0)
		goto out;
	rc = fchmod(fd, mode) || write_all(fd, s, n) || fsync(fd) ? -1 : 0;
	err = errno;
	if (close(fd) && !rc) {
		rc = -1;
		err = errno;
	}
	if (!rc && rename(tmp, path)) {
		rc = -1;
		err = errno;
	}
	if (rc)
		unlink(tmp);
	errno = err;
out:
	free(tmp);
	return rc;
}

int cli_write(const char *path, const char *s, size_t n)
{
	struct stat st;
	int fd, rc;

	if (!path || !strcmp(path, "-")) {
		if (fflush(stdout) || write_all(STDOUT_FILENO, s, n))
			return cli_fail(3, "standard output: %s", strerror(errno));
		return 0;
	}
	if (!stat(path, &st)) {
		if (S_ISDIR(st.st_mode))
			return cli_fail(3, "%s: is a folder; give a file name with -o", path);
		if (!S_ISREG(st.st_mode)) {
			fd = open(path, O_WRONLY | O_CLOEXEC);
			rc = fd < 0 || write_all(fd, s, n) ? -1 : 0;
			if (fd >= 0 && close(fd))
				rc = -1;
			return rc ? cli_fail(3, "%s: %s", path, strerror(errno)) : 0;
		}
		char *real = realpath(path, NULL);   /* a symbolic link stays one */

		rc = replace_file(real ? real : path, s, n, st.st_mode & 07777);
		free(real);
	} else {
		mode_t mask = umask(0);

		umask(mask);
		rc = replace_file(path, s, n, 0666 & ~mask);
	}
	return rc ? cli_fail(3, "%s: %s; nothing was written there", path, strerror(errno)) : 0;
}
