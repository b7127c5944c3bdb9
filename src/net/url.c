/* URLs: which are asked, and how they are shown. */
#include "url.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "couler/diag.h"
#include "couler/net.h"

bool net_loopback(const char *host)
{
	struct in6_addr six;
	struct in_addr four;
	char text[INET6_ADDRSTRLEN];
	size_t n = strlen(host);

	if (n > 1 && host[0] == '[' && host[n - 1] == ']' && n - 2 < sizeof text) {
		memcpy(text, host + 1, n - 2);
		text[n - 2] = '\0';
		return inet_pton(AF_INET6, text, &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
	}
	if (inet_pton(AF_INET6, host, &six) == 1)
		return IN6_IS_ADDR_LOOPBACK(&six);
	if (inet_pton(AF_INET, host, &four) == 1)
		return ntohl(four.s_addr) >> 24 == 127;
	return !strcasecmp(host, "localhost") || (n > 10 && !strcasecmp(host + n - 10, ".localhost"));
}

int url_check(const struct curl_lib *l, const char *url, bool plain_http, bool *loopback, struct strbuf *why)
{
	const char *sep = strstr(url, "://");
	CURLU *u = l->url();
	char *scheme = NULL, *host = NULL;
	bool blank = false;
	int rc = -1;

	for (const char *p = url; *p; p++)
		blank |= (unsigned char)*p <= ' ' || *p == 0x7f;
	if (!u)
		sb_z(why, "out of memory");
	else if (blank)
		sb_z(why, "is not a URL: it holds a blank or a control byte, which a URL writes as %XX");
	else if (!sep || sep[3] == '/' || l->url_set(u, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) || l->url_get(u, CURLUPART_SCHEME, &scheme, 0) ||
			l->url_get(u, CURLUPART_HOST, &host, 0) || !*host)
		sb_z(why, "is not a URL such as https://host/path");
	else if (strcmp(scheme, "https") && strcmp(scheme, "http"))
		sb_z(why, "only http and https are spoken here");
	else {
		*loopback = net_loopback(host);
		if (!strcmp(scheme, "http") && !*loopback && !plain_http)
			sb_z(why, "plain http to another machine is refused: anybody on the way can read and change it; use https");
		else
			rc = 0;
	}
	if (scheme)
		l->free(scheme);
	if (host)
		l->free(host);
	if (u)
		l->url_cleanup(u);
	return rc;
}

char *url_resolve(const struct curl_lib *l, const char *base, const char *ref)
{
	CURLU *u = l->url();
	char *text = NULL, *out = NULL;

	if (u && !l->url_set(u, CURLUPART_URL, base, 0) && !l->url_set(u, CURLUPART_URL, ref, 0) && !l->url_get(u, CURLUPART_URL, &text, 0)) {
		out = xstrdup(text);
		l->free(text);
	}
	if (u)
		l->url_cleanup(u);
	return out;
}

void net_shown(const char *url, struct strbuf *out)
{
	const char *sep = strstr(url, "://"), *host = sep ? sep + 3 : url, *end = host + strcspn(host, "/?#");

	sb_safe(out, url, (size_t)(host - url));
	for (const char *p = host; p < end; p++)
		if (*p == '@')
			host = p + 1;
	sb_safe(out, host, strcspn(host, "?#"));
}

void net_escape(struct strbuf *out, const char *s, size_t n, bool slash)
{
	for (size_t i = 0; i < n; i++) {
		char c = s[i];

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~' || (slash && c == '/'))
			sb_ch(out, c);
		else
			sb_f(out, "%%%02X", (unsigned char)c);
	}
}
