/* Diagnostics as text, JSON lines and SARIF 2.1.0. */
#include <string.h>

#include "couler/diag.h"

static const char *const sev_names[] = { "error", "warning", "remark", "note" };
static const char *const sev_colors[] = { "\033[1;31m", "\033[1;35m", "\033[1;36m", "\033[1;34m" };

enum { EXCERPT = 120 };                  /* code points of a source line that are shown at most */

/* A decoder step: code point at s, its length in *k; bad bytes are shown one by one. */
static uint32_t decode(const unsigned char *s, size_t n, size_t *k)
{
	*k = 1;
	if (s[0] < 0x80)
		return s[0];
	for (size_t len = 2; len <= 4 && len <= n; len++) {
		if (utf8_valid((const char *)s, len) == len) {
			static const unsigned char mask[5] = { 0, 0, 0x1f, 0x0f, 0x07 };
			uint32_t cp = s[0] & mask[len];

			for (size_t i = 1; i < len; i++)
				cp = cp << 6 | (s[i] & 0x3f);
			*k = len;
			return cp;
		}
	}
	return 0xfffd;
}

/* C0, DEL, C1 and the marks that reorder or hide text: none may reach a terminal. */
static bool unsafe(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || (cp >= 0x200b && cp <= 0x200f) || (cp >= 0x202a && cp <= 0x202e) ||
	       (cp >= 0x2060 && cp <= 0x2069) || cp == 0xfeff || cp == 0xfffd;
}

static void safe_cp(struct strbuf *b, const char *s, size_t k, uint32_t cp)
{
	if (cp == '\t')
		sb_ch(b, ' ');
	else if (cp == 0xfffd)
		sb_f(b, "\\x%02x", (unsigned char)s[0]);
	else if (unsafe(cp))
		sb_f(b, cp < 0x100 ? "\\x%02x" : "\\u{%x}", cp);
	else
		sb_add(b, s, k);
}

void sb_safe(struct strbuf *b, const char *s, size_t n)
{
	for (size_t i = 0, k; i < n; i += k) {
		uint32_t cp = decode((const unsigned char *)s + i, n - i, &k);

		if (cp == '\n')
			sb_ch(b, '\n');
		else
			safe_cp(b, s + i, k, cp);
	}
}

/* One line of a message; a very long one is cut in the middle. */
static void message(struct strbuf *b, const char *s)
{
	size_t n = strlen(s);

	if (n <= 1000) {
		sb_safe(b, s, n);
		return;
	}
	sb_safe(b, s, 600);
	sb_f(b, " ... (%zu bytes) ... ", n);
	sb_safe(b, s + n - 200, 200);
}

/* The source line with the caret under the span; long lines are shown around the span. */
static void excerpt(const struct diag *d, struct span sp, const char *label, bool color, const char *tint, struct strbuf *b)
{
	struct place p = diag_place(d, sp);
	const struct source *s = d->sources[sp.file];
	const char *line = s->text + s->lines[p.line - 1], *end = memchr(line, '\n', s->len - (size_t)(line - s->text));
	size_t len = end ? (size_t)(end - line) : s->len - (size_t)(line - s->text), at = sp.off - s->lines[p.line - 1];
	size_t from = 0, shown = 0, col, width, k;
	struct strbuf under = { 0 };

	if (at > len)
		at = len;
	if (at > 2 * EXCERPT / 3) {
		from = at - EXCERPT / 3;
		while (from < at && (line[from] & 0xc0) == 0x80)
			from++;
	}
	sb_f(b, "%5u | %s", p.line, from ? "..." : "");
	col = from ? 3 : 0;
	width = 0;
	for (size_t i = from; i < len && shown < EXCERPT; i += k, shown++) {
		uint32_t cp = decode((const unsigned char *)line + i, len - i, &k);
		size_t before = b->n, w;

		safe_cp(b, line + i, k, cp == '\r' ? ' ' : cp);
		w = unsafe(cp) && cp != '\t' && cp != '\r' ? b->n - before : 1;
		if (i < at)
			col += w;
		else if (i < at + sp.len)
			width += w;
	}
	if (from + shown < len && shown == EXCERPT)
		sb_z(b, "...");
	sb_z(b, "\n      | ");
	sb_fill(&under, ' ', col);
	if (color)
		sb_z(&under, tint);
	sb_fill(&under, '^', width ? width : 1);
	if (label) {
		sb_ch(&under, ' ');
		message(&under, label);
	}
	if (color)
		sb_z(&under, "\033[0m");
	sb_add(b, under.s, under.n);
	sb_ch(b, '\n');
	sb_free(&under);
}

static void text_item(const struct diag *d, const struct diag_item *it, bool color, struct strbuf *b)
{
	struct place p = diag_place(d, it->span);
	const char *on = color ? sev_colors[it->sev] : "", *off = color ? "\033[0m" : "";

	if (it->sev != SEV_NOTE && p.path) {
		message(b, p.path);
		sb_f(b, ":%u:%u: ", p.line, p.col);
	}
	sb_f(b, "%s%s", on, sev_names[it->sev]);
	if (it->code && it->sev != SEV_REMARK)
		sb_f(b, "[CW%04d]", it->code);
	sb_f(b, "%s: ", off);
	message(b, it->msg);
	sb_ch(b, '\n');
	if (p.path)
		excerpt(d, it->span, it->label, color, on, b);
	for (const struct diag_item *n = it->notes; n; n = n->next)
		text_item(d, n, color, b);
	if (it->mend) {
		sb_f(b, "%smend%s: ", color ? "\033[1;32m" : "", off);
		message(b, it->mend);
		sb_ch(b, '\n');
	}
}

static void json_z(struct strbuf *b, const char *s)
{
	size_t n = strlen(s), ok = utf8_valid(s, n);
	struct strbuf t = { 0 };

	if (ok == n) {
		sb_json(b, s, n);
		return;
	}
	sb_safe(&t, s, n);
	sb_json(b, t.s, t.n);
	sb_free(&t);
}

static void json_span(const struct diag *d, struct span sp, struct strbuf *b)
{
	struct place p = diag_place(d, sp), q;

	if (!p.path) {
		sb_z(b, "\"file\":null");
		return;
	}
	q = diag_place(d, (struct span){ sp.file, sp.off + sp.len, 0 });
	sb_z(b, "\"file\":");
	json_z(b, p.path);
	sb_f(b, ",\"line\":%u,\"column\":%u,\"end_line\":%u,\"end_column\":%u,\"offset\":%u,\"length\":%u", p.line, p.col, q.line, q.col, sp.off, sp.len);
}

static void json_item(const struct diag *d, const struct diag_item *it, struct strbuf *b)
{
	sb_f(b, "{\"severity\":\"%s\",", sev_names[it->sev]);
	if (it->code)
		sb_f(b, "\"code\":\"CW%04d\",", it->code);
	json_span(d, it->span, b);
	sb_z(b, ",\"message\":");
	json_z(b, it->msg);
	if (it->label) {
		sb_z(b, ",\"label\":");
		json_z(b, it->label);
	}
	if (it->mend) {
		sb_z(b, ",\"mend\":");
		json_z(b, it->mend);
	}
	if (it->notes) {
		sb_z(b, ",\"notes\":[");
		for (const struct diag_item *n = it->notes; n; n = n->next) {
			json_item(d, n, b);
			if (n->next)
				sb_ch(b, ',');
		}
		sb_ch(b, ']');
	}
	sb_ch(b, '}');
}

static void sarif_location(const struct diag *d, struct span sp, const char *msg, struct strbuf *b)
{
	struct place p = diag_place(d, sp), q = diag_place(d, (struct span){ sp.file, sp.off + sp.len, 0 });

	sb_z(b, "{\"physicalLocation\":{\"artifactLocation\":{\"uri\":");
	json_z(b, p.path);
	sb_f(b, "},\"region\":{\"startLine\":%u,\"startColumn\":%u,\"endLine\":%u,\"endColumn\":%u}}", p.line, p.col, q.line, q.col);
	if (msg) {
		sb_z(b, ",\"message\":{\"text\":");
		json_z(b, msg);
		sb_ch(b, '}');
	}
	sb_ch(b, '}');
}

static void sarif_result(const struct diag *d, const struct diag_item *it, struct strbuf *b)
{
	struct strbuf text = { 0 };
	bool first = true;

	sb_f(b, "{\"ruleId\":\"CW%04d\",\"level\":\"%s\",\"message\":{\"text\":", it->code, it->sev == SEV_REMARK ? "note" : sev_names[it->sev]);
	sb_z(&text, it->msg);
	if (it->label)
		sb_f(&text, " (%s)", it->label);
	if (it->mend)
		sb_f(&text, ". Mend: %s", it->mend);
	json_z(b, sb_cstr(&text));
	sb_free(&text);
	sb_ch(b, '}');
	if (it->span.file) {
		sb_z(b, ",\"locations\":[");
		sarif_location(d, it->span, NULL, b);
		sb_ch(b, ']');
	}
	for (const struct diag_item *n = it->notes; n; n = n->next) {
		if (!n->span.file)
			continue;
		sb_z(b, first ? ",\"relatedLocations\":[" : ",");
		sarif_location(d, n->span, n->msg, b);
		first = false;
	}
	if (!first)
		sb_ch(b, ']');
	sb_ch(b, '}');
}

static void sarif(const struct diag *d, struct strbuf *b)
{
	bool first = true;

	sb_z(b, "{\"version\":\"2.1.0\",\"$schema\":\"https://json.schemastore.org/sarif-2.1.0.json\",\"runs\":[{\"columnKind\":\"unicodeCodePoints\",\"tool\":{\"driver\":{\"name\":\"couler\",\"rules\":[");
	for (const struct diag_info *i = diag_infos; i->code; i++) {
		sb_f(b, "%s{\"id\":\"CW%04d\",\"shortDescription\":{\"text\":", i == diag_infos ? "" : ",", i->code);
		json_z(b, i->title);
		sb_z(b, "},\"help\":{\"text\":");
		json_z(b, i->help);
		sb_z(b, "}}");
	}
	sb_z(b, "]}},\"results\":[");
	for (const struct diag_item *it = d->first; it; it = it->next) {
		if (!first)
			sb_z(b, ",\n");
		sarif_result(d, it, b);
		first = false;
	}
	sb_z(b, "]}]}\n");
}

void diag_write(const struct diag *d, enum diag_format f, bool color, struct strbuf *out)
{
	if (f == DIAG_SARIF) {
		sarif(d, out);
		return;
	}
	for (const struct diag_item *it = d->first; it; it = it->next) {
		if (f == DIAG_JSON) {
			json_item(d, it, out);
			sb_ch(out, '\n');
		} else {
			text_item(d, it, color, out);
		}
	}
	if (f == DIAG_TEXT && d->errors > d->max_errors)
		sb_f(out, "... %u errors in all, the first %u are shown\n", d->errors, d->max_errors);
}
