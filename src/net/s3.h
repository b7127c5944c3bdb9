/* A bucket: s3.c one request, s3_parts.c objects that are sent in parts. */
#ifndef COULER_NET_S3_H
#define COULER_NET_S3_H

#include "place.h"

#define S3_PART (UINT64_C(16) << 20)      /* bytes of a part, and of what is sent at once; S3 wants 5 MiB to 5 GiB, at most 10,000 parts */

struct s3 {
	char *base;                       /* scheme://host[:port][/bucket] */
	char *prefix;                     /* "" or "a/b/" */
	bool plain_http;
	const char *region;
	struct aws aws;
};

struct s3_call {
	const char *method, *key;
	const char *query;                /* as it is signed: sorted, NAME=VALUE, escaped; NULL */
	const void *body;                 /* NULL: none */
	size_t body_len;
	const char *type;                 /* of the body; NULL */
	int (*data)(const char *s, size_t n, void *ctx);
	int (*tick)(uint64_t sent, uint64_t received, void *ctx);
	void *ctx;
	uint64_t max_body;
};
/* OBJECTS_OK for 2xx; r is to be freed in any case. */
enum objects_rc s3_call(struct objects *o, const struct s3_call *c, struct net_reply *r, char **err);
void s3_full_key(const struct objects *o, const char *key, struct strbuf *out);

enum objects_rc s3_put_parts(struct objects *o, const char *key, const struct object_body *b, char **err);

#endif
