/* Objects of S3 and of what speaks its protocol (Signature Version 4; with an endpoint the bucket stands in the path). */
#include "s3.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define EMPTY_SHA256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

void s3_full_key(const struct objects *o, const char *key, struct strbuf *out)
{
	sb_f(out, "%s%s", o->s3->prefix, key);
}

static int on_tick(uint64_t sent, uint64_t received, void *ctx)
{
	const struct objects *o = ctx;

	return o->tick ? o->tick(o->before + (sent > received ? sent : received), o->ctx) : 0;
}

enum objects_rc s3_call(struct objects *o, const struct s3_call *c, struct net_reply *r, char **err)
{
	const struct s3 *s = o->s3;
	struct strbuf url = { 0 }, key = { 0 }, type = { 0 };
	char payload[65] = EMPTY_SHA256;
	const char *headers[2] = { 0 };
	struct net_sign sign = { s->aws.key_id, s->aws.secret, s->aws.session, s->region, "s3", payload };
	struct net_request q = { .method = c->method, .body = c->body, .body_len = c->body_len, .headers = headers, .plain_http = s->plain_http };
	enum objects_rc rc = OBJECTS_OK;

	sb_f(&url, "%s/", s->base);
	if (c->key) {
		s3_full_key(o, c->key, &key);
		net_escape(&url, key.s, key.n, true);
	}
	if (c->query)
		sb_f(&url, "?%s", c->query);
	q.url = sb_cstr(&url);
	if (c->body_len)
		sum_of(c->body, c->body_len, payload);
	if (c->type) {
		sb_f(&type, "Content-Type: %s", c->type);
		headers[0] = sb_cstr(&type);
	}
	q.sign = s->aws.key_id ? &sign : NULL;
	place_request(o, &q);
	q.data = c->data;
	q.max_body = c->max_body;
	q.tick = c->tick ? c->tick : on_tick;
	q.ctx = c->ctx ? c->ctx : o;
	if (net_request(o->net, &q, r) || r->status / 100 != 2)
		rc = place_failed(&q, r, err);
	if (rc == OBJECTS_REFUSED && !s->aws.key_id) {
		char *said = *err;

		rc = place_says(rc, err, "%s; no credentials were found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE", said);
		free(said);
	}
	sb_free(&url);
	sb_free(&key);
	sb_free(&type);
	return rc;
}

static enum objects_rc head(struct objects *o, const char *key, uint64_t *size, char **err)
{
	struct s3_call c = { .method = "HEAD", .key = key };
	struct net_reply r;
	enum objects_rc rc = s3_call(o, &c, &r, err);

	if (!rc) {
		char *n = net_header(&r, "content-length");

		*size = n ? strtoull(n, NULL, 10) : UINT64_MAX;
		free(n);
	}
	net_reply_free(&r);
	return rc;
}

struct pipe { struct objects *o; int (*sink)(const char *, size_t, void *); void *ctx; };

static int piece(const char *s, size_t n, void *ctx)
{
	const struct pipe *p = ctx;

	return p->sink(s, n, p->ctx);
}

static int pipe_tick(uint64_t sent, uint64_t received, void *ctx)
{
	const struct pipe *p = ctx;

	return on_tick(sent, received, p->o);
}

static enum objects_rc get(struct objects *o, const char *key, uint64_t max, int (*sink)(const char *, size_t, void *), void *ctx, char **err)
{
	struct pipe p = { o, sink, ctx };
	struct s3_call c = { .method = "GET", .key = key, .data = piece, .tick = pipe_tick, .ctx = &p, .max_body = max };
	struct net_reply r;
	enum objects_rc rc = s3_call(o, &c, &r, err);

	net_reply_free(&r);
	return rc;
}

static enum objects_rc put(struct objects *o, const char *key, const struct object_body *b, char **err)
{
	struct s3_call c = { .method = "PUT", .key = key, .type = "application/octet-stream", .body_len = (size_t)b->size };
	struct net_reply r = { 0 };
	enum objects_rc rc = OBJECTS_OK;
	char *buf, hex[65];

	if (b->size > S3_PART)
		return s3_put_parts(o, key, b, err);
	buf = xmalloc((size_t)b->size + 1);
	c.body = buf;
	if (body_read(b, 0, buf, (size_t)b->size))
		rc = place_says(OBJECTS_BAD, err, "%s: what should be stored could not be read: %s", key, strerror(errno));
	sum_of(buf, rc ? 0 : (size_t)b->size, hex);
	if (!rc && b->sha256 && strcmp(hex, b->sha256))
		rc = place_says(OBJECTS_BAD, err, "%s: what should be stored has changed meanwhile", key);
	if (!rc)
		rc = s3_call(o, &c, &r, err);
	net_reply_free(&r);
	free(buf);
	return rc;
}

static void close_s3(struct objects *o)
{
	if (!o->s3)
		return;
	aws_free(&o->s3->aws);
	free(o->s3->base);
	free(o->s3->prefix);
	free(o->s3);
}

static const struct place_ops ops = { head, get, put, close_s3 };

static const char *env(const char *name)
{
	const char *s = getenv(name);

	return s && *s ? s : NULL;
}

/* Where requests go: an endpoint with the bucket in the path, or AWS with the bucket in the host where its name allows it. */
static void set_base(struct s3 *s, const char *endpoint, const char *bucket, size_t n)
{
	struct strbuf b = { 0 };

	if (endpoint) {
		size_t len = strlen(endpoint);

		while (len && endpoint[len - 1] == '/')
			len--;
		if (!strstr(endpoint, "://"))
			sb_z(&b, "https://");
		sb_add(&b, endpoint, len);
		sb_f(&b, "/%.*s", (int)n, bucket);
		s->plain_http = !strncmp(endpoint, "http://", 7);
	} else if (memchr(bucket, '.', n))                                  /* the wildcard of the certificate ends at a dot */
		sb_f(&b, "https://s3.%s.amazonaws.com/%.*s", s->region, (int)n, bucket);
	else
		sb_f(&b, "https://%.*s.s3.%s.amazonaws.com", (int)n, bucket, s->region);
	sb_ch(&b, '\0');
	s->base = b.s;
}

enum objects_rc s3_open(struct objects *o, const struct objects_at *at, char **err)
{
	bool gcs = o->uri[0] == 'g';
	const char *bucket = o->uri + 5, *endpoint = at->endpoint && *at->endpoint ? at->endpoint : NULL;
	size_t n = strcspn(bucket, "/");
	struct strbuf b = { 0 };
	struct s3 *s;

	if (n < 3 || strspn(bucket, "abcdefghijklmnopqrstuvwxyz0123456789.-_ABCDEFGHIJKLMNOPQRSTUVWXYZ") != n)
		return place_says(OBJECTS_BAD, err, "%s: a bucket's name has 3 to 63 letters, digits, '.' and '-'; write %.5sBUCKET/PREFIX", o->uri, o->uri);
	s = o->s3 = xcalloc(1, sizeof *s);
	o->ops = &ops;
	aws_read(&s->aws);
	s->region = at->region && *at->region ? at->region : gcs ? "auto" : s->aws.region ? s->aws.region : "us-east-1";
	if (s->region != s->aws.region) {
		free(s->aws.region);
		s->region = s->aws.region = xstrdup(s->region);
	}
	if (!endpoint && gcs)
		endpoint = "https://storage.googleapis.com";
	if (!endpoint)
		endpoint = env("AWS_ENDPOINT_URL_S3");
	if (!endpoint)
		endpoint = env("AWS_ENDPOINT_URL");
	set_base(s, endpoint, bucket, n);
	if (bucket[n])
		sb_f(&b, "%s/", bucket + n + 1);
	sb_ch(&b, '\0');
	s->prefix = b.s;
	return OBJECTS_OK;
}
