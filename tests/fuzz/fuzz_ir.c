/* The IR reader on arbitrary bytes: what it takes verifies, and is written and read back to the same bytes. */
#include "fuzz.h"

#include "couler/ir.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena *a = arena_new();
	struct strtab *strs = strtab_new(a);
	struct diag *d = diag_new(a), *again = diag_new(a);
	struct ir *m = ir_read_json(a, strs, "fuzz.json", arena_dup(a, (const char *)data, n), n, d);
	struct strbuf once = { 0 }, twice = { 0 };

	shown(d);
	if (!m && !d->errors)
		fail("no module and no error");
	if (m) {
		ir_write_json(m, &once);
		sb_cstr(&once);
		m = ir_read_json(a, strs, "written.json", once.s, once.n, again);
		if (!m)
			fail("what was written does not read back");
		ir_write_json(m, &twice);
		if (!same(&once, &twice))
			fail("what was read back is written differently");
	}
	sb_free(&once);
	sb_free(&twice);
	arena_free(a);
	return 0;
}
