/*
 * Inputs at https://, s3:// and gs://: they come into the store, once a run, and are known by their content from then on.
 * One with a digest that is in the store already is not asked for.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "couler/net.h"
#include "remote.h"

#define LARGEST (UINT64_C(1) << 42)       /* bytes */

struct fetched { struct fetched *next; char *url; bool busy; struct sha sha; char *err; };
struct fetches { pthread_mutex_t lock; pthread_cond_t done; struct fetched *first; };

void fetch_soon(struct rt *rt)
{
	if (rt->fetches)
		return;
	rt->fetches = xcalloc(1, sizeof *rt->fetches);
	pthread_mutex_init(&rt->fetches->lock, NULL);
	pthread_cond_init(&rt->fetches->done, NULL);
	store_hold(rt);
	rt->holds++;                      /* until the run ends: no journal names these files */
}

void fetches_free(struct rt *rt)
{
	struct fetches *f = rt->fetches;
	struct fetched *e, *next;

	if (!f)
		return;
	for (e = f->first; e; e = next) {
		next = e->next;
		free(e->url);
		free(e->err);
		free(e);
	}
	pthread_mutex_destroy(&f->lock);
	pthread_cond_destroy(&f->done);
	free(f);
	rt->fetches = NULL;
}

static int keep_on(uint64_t done, void *ctx)
{
	struct rt *rt = ctx;

	(void)done;
	return __atomic_load_n(&rt->signal, __ATOMIC_RELAXED);
}

static int says(char **err, const char *url, const char *why)
{
	struct strbuf b = { 0 };

	sb_f(&b, "%s %s", url, why);
	*err = xstrdup(sb_cstr(&b));
	sb_free(&b);
	return -1;
}

static int download(struct rt *rt, struct hasher *h, const char *url, struct sha *out, char **err)
{
	const struct ir_store *s = store_holding(rt->m, url);
	struct objects_at at = { url, s && s->endpoint ? s->endpoint->s : NULL, s && s->region ? s->region->s : NULL };
	struct artifact a = { .dir = false };
	struct strbuf tmp = { 0 };
	bool own;
	int fd, rc;

	if (strncmp(url, "https://", 8) && strncmp(url, "http://", 7) && strncmp(url, "s3://", 5) && strncmp(url, "gs://", 5))
		return says(err, url, "cannot be reached from a local run: fetch it in a step, or name a local path");
	sb_f(&tmp, "%s/tmp/fetch-%d-%lx", store_dir(rt->store), (int)getpid(), (unsigned long)(uintptr_t)&tmp);
	fd = open(sb_cstr(&tmp), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	rc = fd < 0 ? says(err, tmp.s, strerror(errno)) : objects_fetch(&at, LARGEST, fd, keep_on, rt, err) ? -1 : 0;
	if (fd >= 0)
		close(fd);
	if (!rc)
		rc = store_put(rt->store, h, tmp.s, false, false, &a, err, &own);
	unlink(tmp.s);
	*out = a.sha;
	sb_free(&tmp);
	return rc;
}

static bool differs(const char *url, const struct sha *got, const struct str *pinned, char **err)
{
	struct strbuf shown = { 0 }, why = { 0 };
	char hex[65];

	sha_hex(got, hex);
	if (str_eq(pinned, hex))
		return false;
	net_shown(url, &shown);
	sb_f(&why, "has SHA-256 %s, but %s was asked for", hex, pinned->s);
	says(err, sb_cstr(&shown), sb_cstr(&why));
	sb_free(&shown);
	sb_free(&why);
	return true;
}

int fetch(struct rt *rt, struct hasher *h, const char *url, const struct str *pinned, bool dir, struct sha *out, char **err)
{
	struct fetches *f = rt->fetches;
	struct fetched *e;

	if (dir)
		return says(err, url, "is a folder, which a local run does not fetch: give a local folder, or files");
	if (pinned && sha_parse(pinned->s, pinned->len, out) && !store_check(rt->store, h, out, false))
		return 0;
	pthread_mutex_lock(&f->lock);
	for (e = f->first; e && strcmp(e->url, url) != 0; e = e->next)
		;
	if (!e) {
		e = xcalloc(1, sizeof *e);
		e->url = xstrdup(url);
		e->busy = true;
		e->next = f->first;
		f->first = e;
		pthread_mutex_unlock(&f->lock);
		download(rt, h, url, &e->sha, &e->err);
		pthread_mutex_lock(&f->lock);
		e->busy = false;
		pthread_cond_broadcast(&f->done);
	}
	while (e->busy)
		pthread_cond_wait(&f->done, &f->lock);
	*out = e->sha;
	*err = e->err ? xstrdup(e->err) : NULL;
	pthread_mutex_unlock(&f->lock);
	return *err || (pinned && differs(url, out, pinned, err)) ? -1 : 0;
}
