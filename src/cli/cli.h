/*
 * Subcommands: src/cli/main.c holds the one table; help, completions and man pages
 * derive from it. Only this layer prints and exits.
 */
#ifndef COULER_CLI_H
#define COULER_CLI_H

#include "couler/diag.h"

struct cli_opt {
	char letter;                      /* 0: none */
	const char *name;                 /* long name; NULL ends the table */
	const char *arg;                  /* name of its argument, NULL: a switch */
	const char *help;
	const char *words;                /* completion: "a|b|c", "file", "dir"; NULL */
};

struct command {
	const char *name;
	const char *args;                 /* "FILE...", for the usage line */
	const char *help;                 /* one line */
	const char *text;                 /* paragraphs for --help and the man page */
	const struct cli_opt *opts;
	const char *examples;             /* lines "COMMAND  # what it does" */
	int (*run)(int argc, char **argv);                                  /* argv[0] is the subcommand; returns the exit code */
};
extern const struct command *const commands[];                         /* ends at NULL */
const struct command *command_find(const char *name);

/*
 * Reads the options of a command: calls back for each in order (name is the long name, value NULL for a
 * switch) and gathers operands into argv[0..*n). `--` ends options, `-` is an operand, letters may be
 * joined, `--name=value` too. Callback: 0, or an exit code after its own message. --help prints and
 * gives -1 (done, exit 0). Returns 0, 2 for a usage error after a message, or what the callback gave.
 */
int cli_parse(const struct command *c, int argc, char **argv, int *n, int (*set)(const char *name, const char *value, void *data), void *data);

/*
 * Defaults for the options of a command that takes a FILE, from couler.yaml of the file's project; cli_parse
 * calls it, so that what is given on the command line comes later and wins. 0, or an exit code after a message.
 */
int cli_project(const struct command *c, int argc, char **argv, int (*set)(const char *name, const char *value, void *data), void *data);
/* The same for the project that a path is in. */
int cli_project_of(const struct command *c, const char *path, int (*set)(const char *name, const char *value, void *data), void *data);

int cli_usage(const struct command *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));   /* prints, gives 2 */
int cli_fail(int code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));                   /* "couler: ...", gives code */
/* Prints what d holds to standard error (text) or standard output (JSON lines, SARIF). */
void cli_diag(const struct diag *d, enum diag_format f, int color);
int cli_format(const char *word, enum diag_format *f);                 /* "text|json|sarif"; -1 if none of them */
bool cli_color(int color, int fd);                                     /* NO_COLOR, --color, a terminal */

/*
 * Writes n bytes to path: a temporary beside it, flushed, checked, renamed; what is not a regular file is
 * written into; "-" or NULL is standard output. 0, or 3 after a message; the old file survives a failure.
 */
int cli_write(const char *path, const char *s, size_t n);

#endif
