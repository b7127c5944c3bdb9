/* Man pages of subcommands, made from their table: couler help --man COMMAND. */
#include "man.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* Text with troff's special bytes made plain. */
static void text(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '\\')
			fputs("\\e", stdout);
		else if (s[i] == '-')
			fputs("\\-", stdout);
		else if ((s[i] == '.' || s[i] == '\'') && (!i || s[i - 1] == '\n'))
			printf("\\&%c", s[i]);
		else
			putchar(s[i]);
	}
}

static void z(const char *s)
{
	text(s, strlen(s));
}

void man_page(const struct command *c)
{
	printf(".TH COULER\\-");
	for (const char *p = c->name; *p; p++)
		putchar(toupper((unsigned char)*p));
	printf(" 1 \"\" \"couler %s\" \"couler\"\n.SH NAME\ncouler\\-%s \\- ", COULER_VERSION, c->name);
	z(c->help);
	printf("\n.SH SYNOPSIS\n.B couler %s\n", c->name);
	if (c->opts)
		printf("[\\fIOPTIONS\\fR]\n");
	if (*c->args) {
		z(c->args);
		putchar('\n');
	}
	if (c->text && *c->text) {
		puts(".SH DESCRIPTION");
		for (const char *p = c->text; *p;) {
			size_t n = strcspn(p, "\n");

			if (!n)
				puts(".PP");
			else {
				text(p, n);
				putchar('\n');
			}
			p += n + (p[n] == '\n');
		}
	}
	if (c->opts)
		puts(".SH OPTIONS");
	for (const struct cli_opt *o = c->opts; o && o->name; o++) {
		printf(".TP\n");
		if (o->letter)
			printf("\\fB\\-%c\\fR, ", o->letter);
		printf("\\fB\\-\\-");
		z(o->name);
		printf("\\fR");
		if (o->arg) {
			printf("%s\\fI", o->arg[0] == '[' ? "" : " ");
			z(o->arg);
			printf("\\fR");
		}
		putchar('\n');
		z(o->help);
		putchar('\n');
	}
	if (c->examples) {
		puts(".SH EXAMPLES\n.nf");
		z(c->examples);
		puts(".fi");
	}
	puts(".SH SEE ALSO\n.BR couler (1),\n.BR couler\\-cw (5)");
}
