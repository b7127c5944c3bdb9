/* Lexer, parser and formatter on arbitrary bytes: no crash, no hang; what parses is formatted once and for all. */
#include "fuzz.h"

#include "couler/ast.h"
#include "couler/token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena *a = arena_new();
	struct strtab *strs = strtab_new(a);
	struct diag *d = diag_new(a), *again = diag_new(a);
	struct ast_file *f = parse(a, strs, d, diag_source(d, "fuzz.cw", arena_dup(a, (const char *)data, n), n));
	struct strbuf once = { 0 }, twice = { 0 };

	shown(d);
	if (!d->errors) {
		format_ast(f, d, &once);
		sb_cstr(&once);
		f = parse(a, strs, again, diag_source(again, "formatted.cw", once.s, once.n));
		if (again->errors)
			fail("formatted text does not parse");
		format_ast(f, again, &twice);
		if (!same(&once, &twice))
			fail("the formatter is not idempotent");
	}
	sb_free(&once);
	sb_free(&twice);
	arena_free(a);
	return 0;
}
