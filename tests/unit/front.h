/* Parsing of short texts, for tests of the front end. */
#ifndef TEST_FRONT_H
#define TEST_FRONT_H

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "couler/ast.h"

struct parsed {
	struct arena *a;
	struct strtab *strs;
	struct diag *d;
	struct ast_file *f;
	char *text;
};

/* The text is copied to a block of its own size, so that reading past it shows. */
static inline struct parsed parse_bytes(const char *text, size_t n)
{
	struct parsed p = { .a = arena_new() };

	p.strs = strtab_new(p.a);
	p.d = diag_new(p.a);
	p.text = xmalloc(n + 1);
	if (n)
		memcpy(p.text, text, n);
	p.text[n] = '\0';
	p.f = parse(p.a, p.strs, p.d, diag_source(p.d, "t.cw", p.text, n));
	return p;
}

static inline struct parsed parse_text(const char *text)
{
	return parse_bytes(text, strlen(text));
}

static inline void parsed_free(struct parsed *p)
{
	free(p->text);
	arena_free(p->a);
}

/* Heap copies; the caller frees. */
static inline char *dumped(const struct parsed *p)
{
	struct strbuf b = { 0 };
	char *s;

	dump_ast(p->f, &b);
	s = xstrdup(sb_cstr(&b));
	sb_free(&b);
	return s;
}

static inline char *formatted(const struct parsed *p)
{
	struct strbuf b = { 0 };
	char *s;

	format_ast(p->f, p->d, &b);
	s = xstrdup(sb_cstr(&b));
	sb_free(&b);
	return s;
}

static inline char *diags(const struct diag *d)
{
	struct strbuf b = { 0 };
	char *s;

	diag_write(d, DIAG_TEXT, false, &b);
	s = xstrdup(sb_cstr(&b));
	sb_free(&b);
	return s;
}

#endif
