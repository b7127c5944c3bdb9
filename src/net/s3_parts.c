/*
 * Objects in parts (multipart upload). Where the parts begin follows from the size alone, and a key names its content,
 * so an upload that somebody has begun and not finished is gone on with: its parts of the right size are not sent again.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "s3.h"

#define MOST_PARTS 9999
#define MAX_XML (UINT64_C(16) << 20)

struct upload {
	struct objects *o;
	const char *key;
	const struct object_body *body;
	char *id;
	uint64_t part;                    /* bytes of a part, the last aside */
	uint32_t n;
	char **etag;                      /* by part; NULL: not there */
	uint32_t there;                   /* parts that were there before */
};

static uint64_t part_len(const struct upload *u, uint32_t i)
{
	uint64_t at = (uint64_t)i * u->part;

	return u->body->size - at < u->part ? u->body->size - at : u->part;
}

/* ---- what is there ---- */

/* The upload of this key that was begun last; NULL: none, or none that may be seen. */
static char *find_upload(struct upload *u)
{
	struct strbuf full = { 0 }, query = { 0 };
	struct s3_call c = { .method = "GET", .max_body = MAX_XML };
	struct net_reply r;
	char *id = NULL, *err = NULL;
	const char *x;
	size_t at = 0, n;

	s3_full_key(u->o, u->key, &full);
	sb_z(&query, "prefix=");
	net_escape(&query, full.s, full.n, false);
	sb_z(&query, "&uploads=");
	c.query = sb_cstr(&query);
	if (s3_call(u->o, &c, &r, &err) == OBJECTS_OK)
		while ((x = xml_raw(r.body.s, r.body.n, "Upload", &at, &n))) {
			size_t k = 0, i = 0;
			char *key = xml_text(x, n, "Key", &k), *one = xml_text(x, n, "UploadId", &i);

			if (key && one && !strcmp(key, sb_cstr(&full))) {
				free(id);
				id = one;
				one = NULL;
			}
			free(key);
			free(one);
		}
	free(err);
	net_reply_free(&r);
	sb_free(&full);
	sb_free(&query);
	return id;
}

static void note_part(struct upload *u, const char *x, size_t n)
{
	size_t at = 0, i = 0, k = 0;
	char *number = xml_text(x, n, "PartNumber", &at), *size = xml_text(x, n, "Size", &i), *etag = xml_text(x, n, "ETag", &k);
	unsigned long no = number ? strtoul(number, NULL, 10) : 0;

	if (size && etag && *etag && no >= 1 && no <= u->n && strtoull(size, NULL, 10) == part_len(u, (uint32_t)no - 1) && !u->etag[no - 1]) {
		u->etag[no - 1] = etag;
		u->there++;
		etag = NULL;
	}
	free(number);
	free(size);
	free(etag);
}

/* Which parts are there. OBJECTS_OK, also where they cannot be listed. */
static enum objects_rc list_parts(struct upload *u, char **err)
{
	char *marker = NULL;
	enum objects_rc rc;
	bool more;

	do {
		struct strbuf query = { 0 };
		struct s3_call c = { .method = "GET", .key = u->key, .max_body = MAX_XML };
		struct net_reply r;
		size_t at = 0, n;
		const char *x;

		more = false;
		if (marker)
			sb_f(&query, "part-number-marker=%lu&", strtoul(marker, NULL, 10));
		sb_z(&query, "uploadId=");
		net_escape(&query, u->id, strlen(u->id), false);
		c.query = sb_cstr(&query);
		rc = s3_call(u->o, &c, &r, err);
		if (!rc) {
			char *truncated, *next;

			while ((x = xml_raw(r.body.s, r.body.n, "Part", &at, &n)))
				note_part(u, x, n);
			at = 0;
			truncated = xml_text(r.body.s, r.body.n, "IsTruncated", &at);
			at = 0;
			next = xml_text(r.body.s, r.body.n, "NextPartNumberMarker", &at);
			more = truncated && !strcmp(truncated, "true") && next && (!marker || strcmp(marker, next) != 0);
			free(truncated);
			free(marker);
			marker = next;
		}
		net_reply_free(&r);
		sb_free(&query);
	} while (more);
	free(marker);
	return rc;
}

static enum objects_rc begin(struct upload *u, char **err)
{
	struct s3_call c = { .method = "POST", .key = u->key, .query = "uploads=", .type = "application/octet-stream", .max_body = MAX_XML };
	struct net_reply r;
	enum objects_rc rc = s3_call(u->o, &c, &r, err);
	size_t at = 0;

	if (!rc) {
		u->id = xml_text(r.body.s, r.body.n, "UploadId", &at);
		if (!u->id)
			rc = place_says(OBJECTS_BAD, err, "%s: the server began an upload in parts without a name for it", u->key);
	}
	net_reply_free(&r);
	return rc;
}

/* ---- sending ---- */

static enum objects_rc send_part(struct upload *u, uint32_t i, const char *buf, char **err)
{
	struct strbuf query = { 0 };
	struct s3_call c = { .method = "PUT", .key = u->key, .body = buf, .body_len = (size_t)part_len(u, i) };
	struct net_reply r;
	enum objects_rc rc;

	sb_f(&query, "partNumber=%u&uploadId=", i + 1);
	net_escape(&query, u->id, strlen(u->id), false);
	c.query = sb_cstr(&query);
	rc = s3_call(u->o, &c, &r, err);
	if (!rc) {
		u->etag[i] = net_header(&r, "etag");
		if (!u->etag[i])
			rc = place_says(OBJECTS_BAD, err, "%s: the server took part %u without an ETag", u->key, i + 1);
	}
	net_reply_free(&r);
	sb_free(&query);
	return rc;
}

/* Every part is read, so that the whole is what its digest says, and sent where it is not there. */
static enum objects_rc send_parts(struct upload *u, char **err)
{
	struct sum *sum = sum_new();
	char *buf = xmalloc((size_t)u->part), hex[65];
	enum objects_rc rc = OBJECTS_OK;

	for (uint32_t i = 0; i < u->n && !rc; i++) {
		size_t n = (size_t)part_len(u, i);

		u->o->before = (uint64_t)i * u->part;
		if (body_read(u->body, u->o->before, buf, n)) {
			rc = place_says(OBJECTS_BAD, err, "%s: what should be stored could not be read: %s", u->key, strerror(errno));
			break;
		}
		sum_add(sum, buf, n);
		if (!u->etag[i])
			rc = send_part(u, i, buf, err);
	}
	sum_hex(sum, hex);
	if (!rc && u->body->sha256 && strcmp(hex, u->body->sha256))
		rc = place_says(OBJECTS_BAD, err, "%s: what should be stored has changed meanwhile", u->key);
	sum_free(sum);
	free(buf);
	return rc;
}

static void abort_upload(struct upload *u)
{
	struct strbuf query = { 0 };
	struct s3_call c = { .method = "DELETE", .key = u->key };
	struct net_reply r;
	char *err = NULL;

	sb_z(&query, "uploadId=");
	net_escape(&query, u->id, strlen(u->id), false);
	c.query = sb_cstr(&query);
	s3_call(u->o, &c, &r, &err);      /* what stays there costs room, nothing else */
	free(err);
	net_reply_free(&r);
	sb_free(&query);
}

static enum objects_rc finish(struct upload *u, char **err)
{
	struct strbuf query = { 0 }, xml = { 0 };
	struct s3_call c = { .method = "POST", .key = u->key, .type = "application/xml", .max_body = MAX_XML };
	struct net_reply r;
	enum objects_rc rc;
	size_t at = 0;
	char *code;

	sb_z(&query, "uploadId=");
	net_escape(&query, u->id, strlen(u->id), false);
	sb_z(&xml, "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
	for (uint32_t i = 0; i < u->n; i++) {
		sb_z(&xml, "<Part><ETag>");
		for (const char *p = u->etag[i]; *p; p++)
			if (*p == '"')
				sb_z(&xml, "&quot;");
			else if (*p == '<' || *p == '&')
				sb_f(&xml, "&#%d;", *p);
			else
				sb_ch(&xml, *p);
		sb_f(&xml, "</ETag><PartNumber>%u</PartNumber></Part>", i + 1);
	}
	sb_z(&xml, "</CompleteMultipartUpload>");
	c.query = sb_cstr(&query);
	c.body = xml.s;
	c.body_len = xml.n;
	rc = s3_call(u->o, &c, &r, err);
	code = rc ? NULL : xml_text(r.body.s, r.body.n, "Code", &at);
	if (code)                         /* an error that came after the 200 */
		rc = place_says(OBJECTS_UNREACHABLE, err, "%s: the parts could not be put together: %s", u->key, code);
	free(code);
	net_reply_free(&r);
	sb_free(&query);
	sb_free(&xml);
	return rc;
}

enum objects_rc s3_put_parts(struct objects *o, const char *key, const struct object_body *b, char **err)
{
	struct upload u = { .o = o, .key = key, .body = b, .part = S3_PART };
	enum objects_rc rc = OBJECTS_OK;
	bool old;

	while (b->size > u.part * MOST_PARTS)
		u.part *= 2;
	u.n = (uint32_t)((b->size + u.part - 1) / u.part);
	u.etag = xcalloc(u.n, sizeof *u.etag);
	u.id = b->sha256 ? find_upload(&u) : NULL;
	old = u.id && !list_parts(&u, err);
	if (!old) {
		free(*err);
		free(u.id);
		*err = u.id = NULL;
		rc = begin(&u, err);
	}
	if (!rc)
		rc = send_parts(&u, err);
	if (!rc)
		rc = finish(&u, err);
	if (rc == OBJECTS_BAD && u.id)
		abort_upload(&u);
	for (uint32_t i = 0; i < u.n; i++)
		free(u.etag[i]);
	free(u.etag);
	free(u.id);
	return rc;
}
