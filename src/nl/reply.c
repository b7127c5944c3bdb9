/* The draft in a reply of a language model: a fence tagged cw, else the only fence, else all of it. */
#include <ctype.h>
#include <string.h>

#include "couler/ast.h"
#include "couler/nl.h"

struct fence { const char *tag, *text; size_t ntag, len; bool closed; };

static const char *line_end(const char *s, const char *end)
{
	const char *nl = memchr(s, '\n', (size_t)(end - s));

	return nl ? nl : end;
}

/* Fences of at least three backticks at the start of a line; returns their number, the first `max` in f. */
static size_t fences(const char *s, const char *end, struct fence *f, size_t max)
{
	size_t n = 0;

	while (s < end) {
		const char *e = line_end(s, end), *p = s;
		size_t ticks = 0;

		while (p < e && *p == ' ')
			p++;
		while (p + ticks < e && p[ticks] == '`')
			ticks++;
		if (ticks >= 3) {
			struct fence x = { .tag = p + ticks, .text = e < end ? e + 1 : end };
			const char *t = x.text;

			x.ntag = (size_t)(e - x.tag);
			while (x.ntag && isspace((unsigned char)x.tag[x.ntag - 1]))
				x.ntag--;
			for (; t < end; t = e < end ? e + 1 : end) {
				size_t k = 0;
				const char *q = t;

				e = line_end(t, end);
				while (q < e && *q == ' ')
					q++;
				while (q + k < e && q[k] == '`')
					k++;
				if (k >= ticks) {
					x.closed = true;
					break;
				}
			}
			x.len = (size_t)(t - x.text);
			if (n < max)
				f[n] = x;
			n++;
		}
		s = e < end ? e + 1 : end;
	}
	return n;
}

static bool parses(const char *s, size_t n)
{
	struct arena *a = arena_new();
	struct diag *d = diag_new(a);
	struct ast_file *f = parse(a, strtab_new(a), d, diag_source(d, "reply", arena_dup(a, s, n), n));
	bool ok = !d->errors && f->top->n;

	arena_free(a);
	return ok;
}

static void take(struct strbuf *b, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!(s[i] == '\r' && i + 1 < n && s[i + 1] == '\n'))
			sb_ch(b, s[i]);
}

int nl_extract(const char *s, size_t n, struct strbuf *draft, const char **why)
{
	const char *end = s + n, *p;
	struct fence f[16];
	size_t k, tagged = 0, plain = 0, ti = 0, pi = 0;

	draft->n = 0;
	if (memchr(s, 0, n) || utf8_valid(s, n) < n) {
		*why = "the reply holds bytes that are not UTF-8 text";
		return -1;
	}
	if (n >= 3 && !memcmp(s, "\xef\xbb\xbf", 3))
		s += 3;
	while (s < end && isspace((unsigned char)*s))
		s++;
	if (end - s > 7 && !memcmp(s, "<think>", 7)) {
		p = memmem(s, (size_t)(end - s), "</think>", 8);
		if (!p) {
			*why = "the reply ends while it is still thinking";
			return -1;
		}
		s = p + 8;
	}
	k = fences(s, end, f, 16);
	for (size_t i = 0; i < k && i < 16; i++) {
		if (!f[i].closed) {
			*why = "the reply breaks off inside its code block";
			return -1;
		}
		if (f[i].ntag == 2 && !memcmp(f[i].tag, "cw", 2)) {
			tagged++;
			ti = i;
		} else if (!f[i].ntag) {
			plain++;
			pi = i;
		}
	}
	if (tagged == 1 || (!tagged && plain == 1)) {
		const struct fence *x = &f[tagged ? ti : pi];

		take(draft, x->text, x->len);
		return 0;
	}
	if (tagged > 1 || plain > 1) {
		*why = "the reply holds several code blocks; exactly one tagged cw is wanted";
		return -1;
	}
	take(draft, s, (size_t)(end - s));
	if (draft->n && parses(draft->s, draft->n))
		return 0;
	draft->n = 0;
	*why = s == end ? "the reply is empty" : "the reply holds no code block tagged cw";
	return -1;
}
