/* -t ir: the IR itself as JSON, after the passes. */
#include "couler/backend.h"

static int emit(const struct ir *m, const struct optset *o, struct strbuf *out, struct diag *d)
{
	(void)o;
	(void)d;
	ir_write_json(m, out);
	return 0;
}

extern const struct backend backend_ir;
const struct backend backend_ir = { .name = "ir", .help = "the IR as JSON (grammar/ir.schema.json)", .suffix = ".ir.json", .emit = emit };
