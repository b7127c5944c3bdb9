/* libcurl, loaded at first use: it takes 16 ms, more than checking a file does. */
#ifndef COULER_NET_LIB_H
#define COULER_NET_LIB_H

#include <curl/curl.h>

#define CURL_FUNCTIONS(X) \
	X(global_init) X(global_cleanup) X(easy_init) X(easy_cleanup) X(easy_reset) X(easy_setopt) X(easy_perform) X(easy_getinfo) \
	X(easy_strerror) X(slist_append) X(slist_free_all) X(url) X(url_set) X(url_get) X(url_cleanup) X(free)

struct curl_lib {
#define X(name) __typeof__(&curl_##name) name;
	CURL_FUNCTIONS(X)
#undef X
};

/* 0, or -1 with *err (malloc). */
int curl_lib_load(struct curl_lib *l, char **err);

#endif
