/*
 * The whole compiler on arbitrary text: parse, format, elaborate, run the passes, emit for every engine. Nothing may crash or
 * hang; the formatter must be idempotent on what parses.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "couler/front.h"
#include "couler/pass.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void fail(const char *why)
{
	fprintf(stderr, "%s\n", why);
	abort();
}

static void formatted(struct arena *a, const char *text, size_t n)
{
	struct strtab *strs = strtab_new(a);
	struct diag *d = diag_new(a), *again = diag_new(a);
	struct ast_file *f = parse(a, strs, d, diag_source(d, "fuzz.cw", text, n));
	struct strbuf once = { 0 }, twice = { 0 }, shown = { 0 };

	diag_write(d, DIAG_TEXT, true, &shown);
	diag_write(d, DIAG_SARIF, false, &shown);
	if (!d->errors) {
		format_ast(f, d, &once);
		sb_cstr(&once);
		f = parse(a, strs, again, diag_source(again, "formatted.cw", once.s, once.n));
		if (again->errors)
			fail("formatted text does not parse");
		format_ast(f, again, &twice);
		if (once.n != twice.n || (once.n && memcmp(once.s, twice.s, once.n)))
			fail("the formatter is not idempotent");
	}
	sb_free(&once);
	sb_free(&twice);
	sb_free(&shown);
}

static void compiled(struct arena *a, const char *path, const struct backend *b)
{
	struct strtab *strs = strtab_new(a);
	struct diag *d = diag_new(a);
	struct optset *o = optset_new(a);
	struct target t = { b, o };
	struct pass_run how = { .level = 1, .verify = true };
	struct front_opts fo = { NULL, false };
	struct strbuf out = { 0 };
	int status = 0;
	struct ir *m = front(a, strs, d, path, &fo, &status);

	if (m && !passes_run(m, &t, o, &how, d) && !backend_check(b, m, o, d) && (!b->validate || !b->validate(m, o, d)))
		b->emit(m, o, &out, d);
	sb_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static char path[64];
	struct arena *a = arena_new();
	FILE *f;

	if (!path[0])
		snprintf(path, sizeof path, "/dev/shm/couler-fuzz-%d.cw", (int)getpid());
	formatted(a, arena_dup(a, (const char *)data, n), n);
	f = fopen(path, "wb");
	if (!f || fwrite(data, 1, n, f) != n || fclose(f))
		fail("no room in /dev/shm");
	for (const struct backend *const *b = backends; *b; b++)
		compiled(a, path, *b);
	unlink(path);
	arena_free(a);
	return 0;
}
