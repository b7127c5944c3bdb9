/* Which exit codes a step is tried again on, for engines that are told them as a list. */
#include "couler/ir.h"
#include "couler/transient.h"

static const int transient_codes[] = {
#define X(class, words, code, wait, source) code,
	TRANSIENTS(X)
#undef X
};

static void add(struct strbuf *b, int code, const char *quote, bool first)
{
	sb_f(b, "%s%s%d%s", first ? "" : ", ", quote, code, quote);
}

void retry_exit_codes(const struct ir_retry *r, const char *quote, struct strbuf *b)
{
	bool first = true;

	sb_ch(b, '[');
	for (size_t i = 0; r->on == RETRY_TRANSIENT && i < sizeof transient_codes / sizeof *transient_codes; i++)
		if (transient_codes[i]) {
			add(b, transient_codes[i], quote, first);
			first = false;
		}
	for (uint32_t i = 0; r->on == RETRY_CODES && i < r->codes.n; i++)
		add(b, r->codes.v[i], quote, !i);
	sb_ch(b, ']');
}
