/* SHA-256 by libcrypto. */
#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rt.h"

struct hasher { EVP_MD_CTX *ctx, *fresh; };

struct hasher *hasher_new(void)
{
	struct hasher *h = xcalloc(1, sizeof *h);

	h->ctx = EVP_MD_CTX_new();
	h->fresh = EVP_MD_CTX_new();
	if (!h->ctx || !h->fresh || !EVP_DigestInit_ex(h->fresh, EVP_sha256(), NULL) || !EVP_MD_CTX_copy_ex(h->ctx, h->fresh)) {
		hasher_free(h);
		return NULL;
	}
	return h;
}

void hasher_free(struct hasher *h)
{
	if (!h)
		return;
	EVP_MD_CTX_free(h->ctx);
	EVP_MD_CTX_free(h->fresh);
	free(h);
}

void hasher_reset(struct hasher *h)
{
	EVP_MD_CTX_copy_ex(h->ctx, h->fresh);                              /* cheaper than a new initialization */
}

void hasher_add(struct hasher *h, const void *p, size_t n)
{
	EVP_DigestUpdate(h->ctx, p, n);
}

void hasher_end(struct hasher *h, struct sha *out)
{
	unsigned n = sizeof out->b;

	EVP_DigestFinal_ex(h->ctx, out->b, &n);
}

int sha_fd(struct hasher *h, int fd, struct sha *out)
{
	size_t size = 256 * 1024;
	char small[16384], *buf = small;
	ssize_t n = pread(fd, buf, sizeof small, 0);
	off_t at = n;

	hasher_reset(h);
	if (n > 0)
		hasher_add(h, buf, (size_t)n);
	if (n == (ssize_t)sizeof small)
		buf = xmalloc(size);
	while (n > 0 && buf != small) {
		n = pread(fd, buf, size, at);
		if (n < 0 && errno == EINTR)
			n = 1;
		else if (n > 0) {
			hasher_add(h, buf, (size_t)n);
			at += n;
		}
	}
	if (buf != small)
		free(buf);
	hasher_end(h, out);
	return n < 0 ? -1 : 0;
}

void sha_hex(const struct sha *s, char out[65])
{
	static const char digits[] = "0123456789abcdef";

	for (int i = 0; i < 32; i++) {
		out[2 * i] = digits[s->b[i] >> 4];
		out[2 * i + 1] = digits[s->b[i] & 15];
	}
	out[64] = '\0';
}

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool sha_parse(const char *hex, size_t n, struct sha *out)
{
	if (n != 64)
		return false;
	for (int i = 0; i < 32; i++) {
		int hi = digit(hex[2 * i]), lo = digit(hex[2 * i + 1]);

		if (hi < 0 || lo < 0)
			return false;
		out->b[i] = (unsigned char)(hi << 4 | lo);
	}
	return true;
}
