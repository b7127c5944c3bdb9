/* A web server as a place of objects: plain GET, HEAD and PUT below a URL. */
#include <stdlib.h>
#include <string.h>

#include "place.h"

struct web { struct strbuf url, auth; const char *headers[3]; struct net_request q; };

static void request(struct web *w, struct objects *o, const char *method, const char *key)
{
	const char *token = getenv("COULER_REMOTE_TOKEN");
	size_t k = 0;

	sb_f(&w->url, "%s/", o->uri);
	net_escape(&w->url, key, strlen(key), true);
	w->q.method = method;
	w->q.url = sb_cstr(&w->url);
	if (token && *token) {
		sb_f(&w->auth, "Authorization: Bearer %s", token);
		w->headers[k++] = sb_cstr(&w->auth);
	}
	if (!strcmp(method, "PUT"))
		w->headers[k++] = "Content-Type: application/octet-stream";
	w->q.headers = w->headers;
}

static void release(struct web *w, struct net_reply *r)
{
	net_reply_free(r);
	sb_free(&w->url);
	sb_free(&w->auth);
}

static enum objects_rc head(struct objects *o, const char *key, uint64_t *size, char **err)
{
	struct web w = { 0 };
	struct net_reply r;
	enum objects_rc rc = OBJECTS_OK;

	request(&w, o, "HEAD", key);
	place_request(o, &w.q);
	if (net_request(o->net, &w.q, &r) || r.status != 200)
		rc = place_failed(&w.q, &r, err);
	else {
		char *n = net_header(&r, "content-length");

		*size = n ? strtoull(n, NULL, 10) : UINT64_MAX;
		free(n);
	}
	release(&w, &r);
	return rc;
}

struct pipe { struct objects *o; int (*sink)(const char *, size_t, void *); void *ctx; uint64_t n; };

static int piece(const char *s, size_t n, void *ctx)
{
	struct pipe *p = ctx;

	p->n += n;
	return p->sink(s, n, p->ctx);
}

static int pipe_tick(uint64_t sent, uint64_t received, void *ctx)
{
	struct pipe *p = ctx;

	(void)sent;
	return p->o->tick ? p->o->tick(received, p->o->ctx) : 0;
}

static enum objects_rc get(struct objects *o, const char *key, uint64_t max, int (*sink)(const char *, size_t, void *), void *ctx, char **err)
{
	struct web w = { 0 };
	struct pipe p = { o, sink, ctx, 0 };
	struct net_reply r;
	enum objects_rc rc = OBJECTS_OK;

	request(&w, o, "GET", key);
	w.q.data = piece;
	w.q.ctx = &p;
	w.q.max_body = max;
	place_request(o, &w.q);
	w.q.tick = pipe_tick;
	if (net_request(o->net, &w.q, &r) || r.status != 200)
		rc = place_failed(&w.q, &r, err);
	release(&w, &r);
	return rc;
}

static enum objects_rc put(struct objects *o, const char *key, const struct object_body *b, char **err)
{
	struct web w = { 0 };
	struct net_reply r;
	enum objects_rc rc = OBJECTS_OK;

	request(&w, o, "PUT", key);
	w.q.body = b->mem;
	w.q.body_len = b->mem ? (size_t)b->size : 0;
	w.q.from_fd = !b->mem;
	w.q.fd = b->fd;
	w.q.fd_len = b->size;
	place_request(o, &w.q);
	if (net_request(o->net, &w.q, &r) || r.status / 100 != 2)
		rc = place_failed(&w.q, &r, err);
	release(&w, &r);
	return rc;
}

static const struct place_ops ops = { head, get, put, NULL };

enum objects_rc web_open(struct objects *o, char **err)
{
	if (strpbrk(o->uri, "?#"))
		return place_says(OBJECTS_BAD, err, "a place of objects is a URL without '?' and '#'");
	o->ops = &ops;
	return OBJECTS_OK;
}
