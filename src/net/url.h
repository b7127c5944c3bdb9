/* What a URL may be. */
#ifndef COULER_NET_URL_H
#define COULER_NET_URL_H

#include <stdbool.h>

#include "couler/str.h"
#include "lib.h"

/* 0 and whether it is of this machine, or -1 with why. */
int url_check(const struct curl_lib *l, const char *url, bool plain_http, bool *loopback, struct strbuf *why);

/* See net_resolve. */
char *url_resolve(const struct curl_lib *l, const char *base, const char *ref);

#endif
