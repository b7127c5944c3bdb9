/* couler completions: scripts for bash, zsh and fish, made from the table of subcommands. */
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "couler/backend.h"

static int none(const char *name, const char *value, void *data)
{
	(void)name;
	(void)value;
	(void)data;
	return 0;
}

static void words(const char *list, char sep)
{
	for (; *list; list++)
		putchar(*list == '|' ? sep : *list);
}

static bool is_path(const struct cli_opt *o)
{
	return o->words && (!strcmp(o->words, "file") || !strcmp(o->words, "dir"));
}

static void bash(void)
{
	puts("# bash completion for couler: source it, or put it into bash-completion's folder\n"
	     "_couler() {\n"
	     "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} cmd=${COMP_WORDS[1]}\n"
	     "\tCOMPREPLY=()");
	printf("\tif [ \"$COMP_CWORD\" -eq 1 ]; then\n\t\tCOMPREPLY=($(compgen -W '");
	for (const struct command *const *c = commands; *c; c++)
		printf("%s%s", c == commands ? "" : " ", (*c)->name);
	puts("' -- \"$cur\"))\n\t\treturn\n\tfi\n\tcase $cmd in");
	for (const struct command *const *c = commands; *c; c++) {
		printf("\t%s)\n", (*c)->name);
		puts("\t\tcase $prev in");
		for (const struct cli_opt *o = (*c)->opts; o && o->name; o++) {
			if (!o->words || is_path(o))
				continue;
			if (o->letter)
				printf("\t\t-%c|--%s) COMPREPLY=($(compgen -W '", o->letter, o->name);
			else
				printf("\t\t--%s) COMPREPLY=($(compgen -W '", o->name);
			words(o->words, ' ');
			puts("' -- \"$cur\")); return ;;");
		}
		printf("\t\tesac\n\t\tcase $cur in -*) COMPREPLY=($(compgen -W '--help");
		for (const struct cli_opt *o = (*c)->opts; o && o->name; o++)
			printf(" --%s", o->name);
		puts("' -- \"$cur\")); return ;; esac\n\t\t;;");
	}
	puts("\tesac\n\tCOMPREPLY=($(compgen -f -- \"$cur\"))\n}\ncomplete -o filenames -F _couler couler");
}

/* Single quotes and brackets are special inside zsh's specs. */
static void zsh_text(const char *s)
{
	for (; *s; s++) {
		if (*s == '\'')
			fputs("'\\''", stdout);
		else if (*s == '[' || *s == ']' || *s == ':')
			printf("\\%c", *s);
		else
			putchar(*s);
	}
}

static void zsh(void)
{
	puts("#compdef couler\n# zsh completion for couler: put it as _couler into a folder of $fpath\n_couler() {\n\tlocal -a commands\n\tcommands=(");
	for (const struct command *const *c = commands; *c; c++) {
		printf("\t\t'%s:", (*c)->name);
		zsh_text((*c)->help);
		puts("'");
	}
	puts("\t)\n\tif (( CURRENT == 2 )); then\n\t\t_describe command commands\n\t\treturn\n\tfi\n\tlocal cmd=${words[2]}\n\t(( CURRENT-- ))\n\tshift words\n\tcase $cmd in");
	for (const struct command *const *c = commands; *c; c++) {
		printf("\t%s) _arguments -s", (*c)->name);
		for (const struct cli_opt *o = (*c)->opts; o && o->name; o++) {
			printf(" \\\n\t\t'--%s%s[", o->name, o->arg && o->arg[0] != '[' ? "=" : "");
			zsh_text(o->help);
			printf("]");
			if (o->arg && o->arg[0] != '[') {
				printf(":value:");
				if (is_path(o)) {
					printf("_files");
				} else if (o->words) {
					putchar('(');
					words(o->words, ' ');
					putchar(')');
				}
			}
			putchar('\'');
		}
		puts(" \\\n\t\t'*:file:_files' ;;");
	}
	puts("\tesac\n}\n_couler \"$@\"");
}

static void fish_text(const char *s)
{
	for (; *s; s++) {
		if (*s == '\'' || *s == '\\')
			putchar('\\');
		putchar(*s);
	}
}

static void fish(void)
{
	puts("# fish completion for couler: put it as couler.fish into fish's completions folder\ncomplete -c couler -f");
	for (const struct command *const *c = commands; *c; c++) {
		printf("complete -c couler -n __fish_use_subcommand -a %s -d '", (*c)->name);
		fish_text((*c)->help);
		puts("'");
	}
	for (const struct command *const *c = commands; *c; c++) {
		if (*(*c)->args)
			printf("complete -c couler -n '__fish_seen_subcommand_from %s' -F\n", (*c)->name);
		for (const struct cli_opt *o = (*c)->opts; o && o->name; o++) {
			printf("complete -c couler -n '__fish_seen_subcommand_from %s' -l %s", (*c)->name, o->name);
			if (o->letter)
				printf(" -s %c", o->letter);
			if (o->arg && o->arg[0] != '[')
				printf(" -r");
			if (o->words && !is_path(o)) {
				printf(" -a '");
				words(o->words, ' ');
				printf("'");
			}
			printf(" -d '");
			fish_text(o->help);
			puts("'");
		}
	}
}

static int completions(int argc, char **argv)
{
	static const struct { const char *name; void (*write)(void); } shells[] = { { "bash", bash }, { "zsh", zsh }, { "fish", fish } };
	int n, rc = cli_parse(command_find("completions"), argc, argv, &n, none, NULL);

	if (rc)
		return rc;
	for (size_t i = 0; n == 1 && i < sizeof shells / sizeof *shells; i++) {
		if (!strcmp(argv[0], shells[i].name)) {
			shells[i].write();
			return 0;
		}
	}
	return cli_usage(command_find("completions"), "takes one of bash, zsh, fish");
}

extern const struct command command_completions;
const struct command command_completions = {
	.name = "completions", .args = "bash|zsh|fish", .help = "print a completion script for a shell", .run = completions, .text = "",
	.examples = "couler completions bash > ~/.local/share/bash-completion/completions/couler\n",
};
