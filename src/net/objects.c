/* Objects of a place: which kind of place it is, and what all kinds share. */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "couler/diag.h"
#include "place.h"

#define WHOLE_TRIES 3                     /* a download that broke off starts again */

enum objects_rc place_says(enum objects_rc rc, char **err, const char *fmt, ...)
{
	struct strbuf b = { 0 };
	va_list ap;

	va_start(ap, fmt);
	sb_vf(&b, fmt, ap);
	va_end(ap);
	*err = xstrdup(sb_cstr(&b));
	sb_free(&b);
	return rc;
}

static enum objects_rc open_kind(struct objects *o, const struct objects_at *at, char **err)
{
	const char *uri = at->uri, *sep = strstr(uri, "://");

	if (!*uri)
		return place_says(OBJECTS_BAD, err, "an empty place: give a folder, s3://BUCKET/PREFIX or https://HOST/PATH");
	if (!sep || sep == uri)
		return folder_open(o, uri, err);
	if (!strncmp(uri, "file://", 7))
		return folder_open(o, uri + 7, err);
	o->net = net_open(err);
	if (!o->net)
		return OBJECTS_UNREACHABLE;
	if (!strncmp(uri, "s3://", 5) || !strncmp(uri, "gs://", 5))
		return s3_open(o, at, err);
	if (!strncmp(uri, "https://", 8) || !strncmp(uri, "http://", 7))
		return web_open(o, err);
	return place_says(OBJECTS_BAD, err, "%.*s: no such kind of place; give a folder, s3://BUCKET/PREFIX, gs://BUCKET/PREFIX or https://HOST/PATH", (int)(sep - uri) + 3, uri);
}

struct objects *objects_open(const struct objects_at *at, char **err)
{
	struct objects *o = xcalloc(1, sizeof *o);
	size_t n;

	o->uri = xstrdup(at->uri);
	for (n = strlen(o->uri); n > 1 && o->uri[n - 1] == '/'; n--)
		o->uri[n - 1] = '\0';
	if (!open_kind(o, at, err))
		return o;
	objects_close(o);
	return NULL;
}

void objects_close(struct objects *o)
{
	if (!o)
		return;
	if (o->ops && o->ops->close)
		o->ops->close(o);
	net_close(o->net);
	free(o->dir);
	free(o->uri);
	free(o);
}

void objects_tick(struct objects *o, int (*tick)(uint64_t, void *), void *ctx)
{
	o->tick = tick;
	o->ctx = ctx;
}

void objects_patience(struct objects *o, int tries, double stall)
{
	o->tries = tries;
	o->stall = stall;
}

void objects_uri(const struct objects *o, const char *key, struct strbuf *out)
{
	if (strstr(o->uri, "://"))
		net_shown(o->uri, out);
	else
		sb_z(out, o->uri);
	sb_f(out, "/%s", key);
}

static int on_tick(uint64_t sent, uint64_t received, void *ctx)
{
	struct objects *o = ctx;

	return o->tick ? o->tick(o->before + (sent > received ? sent : received), o->ctx) : 0;
}

void place_request(struct objects *o, struct net_request *q)
{
	q->tries = o->tries;
	q->stall = o->stall;
	q->timeout = -1;                  /* as long as bytes come and go */
	q->tick = on_tick;
	if (!q->data)
		q->ctx = o;
}

enum objects_rc place_failed(const struct net_request *q, const struct net_reply *r, char **err)
{
	struct strbuf b = { 0 };
	enum objects_rc rc = OBJECTS_BAD;
	char *code, *message, *region;
	size_t at = 0;

	if (r->error != NET_OK) {
		*err = xstrdup(r->why);
		return r->error == NET_STOPPED ? OBJECTS_STOPPED : r->error == NET_CONNECT || r->error == NET_TIMEOUT || r->error == NET_BROKEN || r->error == NET_TLS ?
			OBJECTS_UNREACHABLE : OBJECTS_BAD;
	}
	if (r->status == 404 && (!q->method || !strcmp(q->method, "HEAD") || !strcmp(q->method, "GET")))
		return OBJECTS_ABSENT;
	if (r->status == 401 || r->status == 403 || r->status == 405 || r->status == 501)
		rc = OBJECTS_REFUSED;
	else if (r->status == 408 || r->status == 429 || r->status >= 500)
		rc = OBJECTS_UNREACHABLE;
	net_status(q, r, &b);
	code = xml_text(r->body.s, r->body.n, "Code", &at);
	at = 0;
	message = xml_text(r->body.s, r->body.n, "Message", &at);
	if (code) {
		sb_z(&b, ": ");
		sb_safe(&b, code, strlen(code));
	}
	if (message) {
		sb_z(&b, ": ");
		sb_safe(&b, message, strnlen(message, 500));
	}
	region = net_header(r, "x-amz-bucket-region");
	if (region && rc != OBJECTS_UNREACHABLE && (r->status == 301 || r->status == 400)) {
		sb_z(&b, "; the bucket is in region ");
		sb_safe(&b, region, strlen(region));
	}
	*err = xstrdup(sb_cstr(&b));
	free(code);
	free(message);
	free(region);
	sb_free(&b);
	return rc;
}

int body_read(const struct object_body *b, uint64_t off, void *p, size_t n)
{
	size_t done = 0;

	if (b->mem) {
		memcpy(p, (const char *)b->mem + off, n);
		return 0;
	}
	while (done < n) {
		ssize_t got = pread(b->fd, (char *)p + done, n - done, (off_t)(off + done));

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			errno = got ? errno : EIO;
			return -1;
		}
		done += (size_t)got;
	}
	return 0;
}

/* ---- what objects.h promises ---- */

static enum objects_rc check_key(const char *key, char **err)
{
	for (const char *p = key; ; p = strchr(p, '/') + 1) {
		size_t n = strcspn(p, "/");

		if (!n || (p[0] == '.' && (n == 1 || (n == 2 && p[1] == '.'))))
			return place_says(OBJECTS_BAD, err, "'%s' is no key of an object", key);
		if (!p[n])
			return OBJECTS_OK;
	}
}

enum objects_rc objects_head(struct objects *o, const char *key, uint64_t *size, char **err)
{
	*err = NULL;
	o->before = 0;
	return check_key(key, err) ? OBJECTS_BAD : o->ops->head(o, key, size, err);
}

static int to_buffer(const char *s, size_t n, void *ctx)
{
	sb_add(ctx, s, n);
	return 0;
}

enum objects_rc objects_get(struct objects *o, const char *key, uint64_t max, struct strbuf *out, char **err)
{
	enum objects_rc rc = OBJECTS_BAD;
	size_t start = out->n;

	*err = NULL;
	o->before = 0;
	if (check_key(key, err))
		return rc;
	for (int k = 0; k < WHOLE_TRIES; k++) {
		free(*err);
		*err = NULL;
		out->n = start;
		rc = o->ops->get(o, key, max, to_buffer, out, err);
		if (rc != OBJECTS_UNREACHABLE || out->n == start)
			break;
	}
	return rc;
}

int to_file(const char *s, size_t n, void *ctx)
{
	struct to_file *t = ctx;
	size_t done = 0;

	if (t->sum)
		sum_add(t->sum, s, n);
	while (done < n) {
		ssize_t k = pwrite(t->fd, s + done, n - done, (off_t)(t->n + done));

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0) {
			t->err = errno;
			return -1;
		}
		done += (size_t)k;
	}
	t->n += n;
	return 0;
}

enum objects_rc objects_get_file(struct objects *o, const char *key, uint64_t max, int fd, const char *sha256, char **err)
{
	struct to_file t = { .fd = fd, .sum = sum_new() };
	enum objects_rc rc = OBJECTS_BAD;
	char hex[65];

	*err = NULL;
	o->before = 0;
	for (int k = 0; k < WHOLE_TRIES && !check_key(key, err); k++) {
		free(*err);
		*err = NULL;
		t.n = 0;
		sum_hex(t.sum, hex);
		if (ftruncate(fd, 0)) {
			t.err = errno;
			break;
		}
		rc = o->ops->get(o, key, max, to_file, &t, err);
		if (rc != OBJECTS_UNREACHABLE || !t.n)
			break;
	}
	sum_hex(t.sum, hex);
	sum_free(t.sum);
	if (t.err) {
		free(*err);
		return place_says(OBJECTS_BAD, err, "a download could not be written: %s", strerror(t.err));
	}
	if (!rc && sha256 && strcmp(hex, sha256)) {
		struct strbuf b = { 0 };

		objects_uri(o, key, &b);
		rc = place_says(OBJECTS_BAD, err, "%s is damaged: its SHA-256 is %s", sb_cstr(&b), hex);
		sb_free(&b);
	}
	return rc;
}

enum objects_rc objects_put(struct objects *o, const char *key, const struct object_body *b, char **err)
{
	*err = NULL;
	o->before = 0;
	return check_key(key, err) ? OBJECTS_BAD : o->ops->put(o, key, b, err);
}
