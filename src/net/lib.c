/* Finds libcurl and its functions. */
#include <dlfcn.h>
#include <stdarg.h>
#include <string.h>

#include "couler/str.h"
#include "lib.h"

__attribute__((format(printf, 2, 3))) static int fault(char **err, const char *fmt, ...)
{
	struct strbuf b = { 0 };
	va_list ap;

	va_start(ap, fmt);
	sb_vf(&b, fmt, ap);
	va_end(ap);
	*err = xstrdup(sb_cstr(&b));
	sb_free(&b);
	return -1;
}

int curl_lib_load(struct curl_lib *l, char **err)
{
	static const char *const names[] = { "libcurl.so.4", "libcurl-gnutls.so.4", "libcurl.so" };
	void *so = NULL, *f;

	for (size_t i = 0; i < sizeof names / sizeof *names && !so; i++)
		so = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
	if (!so)
		return fault(err, "nothing can be reached over the network without libcurl, and it cannot be loaded (%s); install it (Debian: libcurl4)", dlerror());
#define X(name) \
	f = dlsym(so, "curl_" #name); \
	if (!f) \
		return fault(err, "this machine's libcurl is too old: it has no %s; version 7.75 or newer is needed", "curl_" #name); \
	memcpy(&l->name, &f, sizeof f);
	CURL_FUNCTIONS(X)
#undef X
	if (l->global_init(CURL_GLOBAL_DEFAULT))
		return fault(err, "libcurl could not start");
	return 0;                         /* it stays loaded: its TLS library has handlers for the end of the process */
}
