/* Raw blocks (argo, airflow, manifest): YAML or JSON with a mapping at the top, errors at their place inside the block. */
#include "attr.h"

#include <string.h>
#include <yaml.h>

static void report(struct elab *e, const struct ast_expr *x, const char *what, size_t at, const char *problem)
{
	size_t n = x->u.str->len, len = 1;

	if (at >= n && n)
		at = n - 1;
	while (at > 0 && (x->u.str->s[at] == '\n'))
		at--;
	while (at + len < n && (x->u.str->s[at + len] & 0xc0) == 0x80)
		len++;
	diag_mend(e->diag, diag_at(e->diag, CW0424, text_span(e->diag, x, at, len), "%s is no YAML: %s", what, problem),
		"the block is YAML or JSON, as the engine's documentation writes it");
}

size_t utf8_offset(const char *s, size_t n, size_t chars)
{
	size_t i = 0;

	for (; i < n && chars; chars--)
		for (i++; i < n && (s[i] & 0xc0) == 0x80;)
			i++;
	return i;
}

bool raw_check(struct elab *e, const struct ast_expr *x, const char *what)
{
	const struct str *text = x->u.str;
	yaml_parser_t p;
	yaml_event_t ev;
	yaml_event_type_t type = YAML_NO_EVENT;
	uint32_t n = 0;
	bool ok = true;

	if (!yaml_parser_initialize(&p)) {
		diag_at(e->diag, CW0424, x->span, "%s cannot be read: out of memory", what);
		return false;
	}
	yaml_parser_set_input_string(&p, (const unsigned char *)text->s, text->len);
	/* events 1 and 2 are the starts of the stream and the document, 3 the top of it */
	while (ok && type != YAML_STREAM_END_EVENT) {
		if (!yaml_parser_parse(&p, &ev)) {
			report(e, x, what, p.problem_mark.index ? utf8_offset(text->s, text->len, p.problem_mark.index) : p.problem_offset, p.problem ? p.problem : "it cannot be read");
			ok = false;
			break;
		}
		type = ev.type;
		if (++n == 3 && type != YAML_MAPPING_START_EVENT) {
			diag_mend(e->diag, diag_at(e->diag, CW0424, text_span(e->diag, x, utf8_offset(text->s, text->len, ev.start_mark.index), 1),
				"%s has no mapping at its top", what), "write KEY: VALUE lines, as they stand in the engine's own manifest");
			ok = false;
		} else if (n > 3 && type == YAML_DOCUMENT_START_EVENT) {
			diag_at(e->diag, CW0424, text_span(e->diag, x, utf8_offset(text->s, text->len, ev.start_mark.index), 1), "%s holds more than one document", what);
			ok = false;
		}
		yaml_event_delete(&ev);
	}
	yaml_parser_delete(&p);
	if (ok && n < 3) {
		diag_at(e->diag, CW0424, x->span, "%s is empty", what);
		ok = false;
	}
	return ok;
}
