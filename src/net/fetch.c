/* One location, whatever kind of place it is in. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "place.h"

#define HOPS 10
#define TRIES 3                           /* a download that broke off starts again */

struct fetch { struct to_file to; int (*tick)(uint64_t, void *); void *ctx; };

static int piece(const char *s, size_t n, void *ctx)
{
	struct fetch *f = ctx;

	return to_file(s, n, &f->to);
}

static int on_tick(uint64_t sent, uint64_t received, void *ctx)
{
	const struct fetch *f = ctx;

	(void)sent;
	return f->tick ? f->tick(received, f->ctx) : 0;
}

/* One request; *next (malloc): where it was sent on to. */
static enum objects_rc ask(struct net *n, const char *url, uint64_t max, struct fetch *f, char **next, char **err)
{
	struct net_request q = { .url = url, .max_body = max, .timeout = -1, .data = piece, .tick = on_tick, .ctx = f };
	enum objects_rc rc = OBJECTS_OK;
	struct net_reply r;
	char *to;

	*next = NULL;
	f->to.n = 0;
	if (ftruncate(f->to.fd, 0))
		return place_says(OBJECTS_BAD, err, "a download could not be written: %s", strerror(errno));
	if (net_request(n, &q, &r) || r.status != 200)
		rc = place_failed(&q, &r, err);
	if (f->to.err) {
		free(*err);
		rc = place_says(OBJECTS_BAD, err, "a download could not be written: %s", strerror(f->to.err));
	}
	to = r.error == NET_OK && r.status / 100 == 3 ? net_header(&r, "location") : NULL;
	if (to)
		*next = net_resolve(n, url, to);
	free(to);
	net_reply_free(&r);
	return rc;
}

static enum objects_rc from_web(const char *url, uint64_t max, struct fetch *f, char **err)
{
	struct net *n = net_open(err);
	enum objects_rc rc = OBJECTS_BAD;
	char *at = xstrdup(url), *next;
	int tries = 1, hops = 0;

	if (!n) {
		free(at);
		return OBJECTS_UNREACHABLE;
	}
	for (;;) {
		rc = ask(n, at, max, f, &next, err);
		if (next && hops++ < HOPS && (!strncmp(next, "https://", 8) || !strncmp(at, "http://", 7))) {
			free(at);
			at = next;
		} else if (rc == OBJECTS_UNREACHABLE && f->to.n && tries++ < TRIES)
			free(next);
		else
			break;
		free(*err);
		*err = NULL;
	}
	free(next);
	free(at);
	net_close(n);
	return rc;
}

static enum objects_rc from_bucket(const struct objects_at *at, uint64_t max, struct fetch *f, char **err)
{
	const char *bucket = at->uri + 5, *slash = strchr(bucket, '/');
	struct objects_at place = *at;
	enum objects_rc rc = OBJECTS_BAD;
	struct objects *o;
	char *uri;

	if (!slash || !slash[1])
		return place_says(OBJECTS_BAD, err, "%s names a bucket and no object in it", at->uri);
	uri = xstrdup(at->uri);
	uri[slash - at->uri] = '\0';
	place.uri = uri;
	o = objects_open(&place, err);
	if (o) {
		objects_tick(o, f->tick, f->ctx);
		rc = objects_get_file(o, slash + 1, max, f->to.fd, NULL, err);
	}
	objects_close(o);
	free(uri);
	return rc;
}

enum objects_rc objects_fetch(const struct objects_at *at, uint64_t max, int fd, int (*tick)(uint64_t, void *), void *ctx, char **err)
{
	struct fetch f = { { .fd = fd }, tick, ctx };
	struct strbuf b = { 0 };
	enum objects_rc rc;

	*err = NULL;
	rc = !strncmp(at->uri, "s3://", 5) || !strncmp(at->uri, "gs://", 5) ? from_bucket(at, max, &f, err) : from_web(at->uri, max, &f, err);
	if (rc == OBJECTS_ABSENT) {
		net_shown(at->uri, &b);
		place_says(rc, err, "%s: there is no such object", sb_cstr(&b));
		sb_free(&b);
	}
	return rc;
}
