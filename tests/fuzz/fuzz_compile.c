/* The whole compiler on arbitrary text: elaborate, run the passes, emit for every engine. Nothing may crash or hang. */
#include "fuzz.h"

#include "couler/front.h"
#include "couler/pass.h"

static void compiled(const char *text, size_t n, const struct backend *b)
{
	struct arena *a = arena_new();
	struct diag *d = diag_new(a);
	struct optset *o = optset_new(a);
	struct target t = { b, o };
	struct pass_run how = { .level = 1, .verify = true };
	struct front_opts fo = { 0 };
	struct strbuf out = { 0 };
	int status = 0;
	struct ir *m = front_text(a, strtab_new(a), d, "/nowhere/fuzz.cw", arena_dup(a, text, n), n, &fo, &status);

	if (m && !passes_run(m, &t, o, &how, d) && !backend_check(b, m, o, d) && (!b->validate || !b->validate(m, o, d)))
		b->emit(m, o, &out, d);
	shown(d);
	sb_free(&out);
	arena_free(a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	for (const struct backend *const *b = backends; *b; b++)
		compiled((const char *)data, n, *b);
	return 0;
}
