/* SHA-256, and a few words of XML. */
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "place.h"

struct sum { EVP_MD_CTX *md; };

static void start(struct sum *s)
{
	if (!EVP_DigestInit_ex(s->md, EVP_sha256(), NULL))
		abort();                  /* a libcrypto without SHA-256 */
}

struct sum *sum_new(void)
{
	struct sum *s = xmalloc(sizeof *s);

	s->md = EVP_MD_CTX_new();
	if (!s->md)
		abort();
	start(s);
	return s;
}

void sum_add(struct sum *s, const void *p, size_t n)
{
	EVP_DigestUpdate(s->md, p, n);
}

void sum_hex(struct sum *s, char out[65])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char md[EVP_MAX_MD_SIZE];

	EVP_DigestFinal_ex(s->md, md, NULL);
	for (int i = 0; i < 32; i++) {
		out[2 * i] = digits[md[i] >> 4];
		out[2 * i + 1] = digits[md[i] & 15];
	}
	out[64] = '\0';
	start(s);
}

void sum_free(struct sum *s)
{
	EVP_MD_CTX_free(s->md);
	free(s);
}

void sum_of(const void *p, size_t n, char out[65])
{
	struct sum *s = sum_new();

	sum_add(s, p, n);
	sum_hex(s, out);
	sum_free(s);
}

/* ---- XML as S3 writes it ---- */

static const char *find(const char *s, size_t n, const char *what)
{
	return n ? memmem(s, n, what, strlen(what)) : NULL;
}

static void decode(const char *s, size_t n, struct strbuf *b)
{
	static const struct { const char *name; char c; } entities[] = { { "&amp;", '&' }, { "&lt;", '<' }, { "&gt;", '>' }, { "&quot;", '"' }, { "&apos;", '\'' }, { "&#34;", '"' }, { "&#39;", '\'' } };

	for (size_t i = 0; i < n; ) {
		char c = s[i];
		size_t len = 1;

		for (size_t k = 0; s[i] == '&' && k < sizeof entities / sizeof *entities; k++) {
			size_t e = strlen(entities[k].name);

			if (e <= n - i && !memcmp(s + i, entities[k].name, e)) {
				c = entities[k].c;
				len = e;
			}
		}
		sb_ch(b, c);
		i += len;
	}
}

const char *xml_raw(const char *s, size_t n, const char *name, size_t *at, size_t *len)
{
	struct strbuf open = { 0 }, close = { 0 };
	const char *from, *to = NULL;

	sb_f(&open, "<%s>", name);
	sb_f(&close, "</%s>", name);
	from = *at < n ? find(s + *at, n - *at, sb_cstr(&open)) : NULL;
	if (from) {
		from += open.n;
		to = find(from, (size_t)(s + n - from), sb_cstr(&close));
	}
	if (to) {
		*at = (size_t)(to - s) + close.n;
		*len = (size_t)(to - from);
	}
	sb_free(&open);
	sb_free(&close);
	return to ? from : NULL;
}

char *xml_text(const char *s, size_t n, const char *name, size_t *at)
{
	struct strbuf b = { 0 };
	size_t len;
	const char *from = xml_raw(s, n, name, at, &len);

	if (!from)
		return NULL;
	decode(from, len, &b);
	sb_ch(&b, '\0');
	return b.s;
}
