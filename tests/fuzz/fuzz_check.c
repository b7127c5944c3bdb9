/* Parser and checker on arbitrary bytes: a module that verifies, or diagnostics; never neither. */
#include "fuzz.h"

#include "couler/front.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena *a = arena_new();
	struct diag *d = diag_new(a);
	struct front_opts fo = { .entry_optional = true };
	int status = 0;
	struct ir *m = front_text(a, strtab_new(a), d, "/nowhere/fuzz.cw", arena_dup(a, (const char *)data, n), n, &fo, &status);

	shown(d);
	if (!m && !d->errors)
		fail("no module and no error");
	if (m && !d->errors && ir_verify(m, d))
		fail("the checker let through what the verifier refuses");
	arena_free(a);
	return 0;
}
