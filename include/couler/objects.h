/*
 * Places that hold objects by key: a folder, a bucket of S3 or of what speaks its protocol, a web server.
 *
 *	/mnt/share, ./share, file:///mnt/share       a folder
 *	s3://BUCKET/PREFIX, gs://BUCKET/PREFIX       AWS_ variables and files of the environment say who asks
 *	https://HOST/PATH                            GET, HEAD and PUT; a token by COULER_REMOTE_TOKEN
 *
 * An object that is there is whole: puts become visible at their end. A handle belongs to one thread at a time.
 */
#ifndef COULER_OBJECTS_H
#define COULER_OBJECTS_H

#include "couler/str.h"

struct objects_at { const char *uri, *endpoint, *region; };             /* endpoint, region: NULL asks the environment */

enum objects_rc {
	OBJECTS_OK,
	OBJECTS_ABSENT,                   /* no such object */
	OBJECTS_REFUSED,                  /* not allowed: no credentials, read-only */
	OBJECTS_UNREACHABLE,              /* no reply, or none but errors of the server */
	OBJECTS_STOPPED,                  /* tick said so */
	OBJECTS_BAD                       /* anything else: the text says it */
};

/* What to store. A body with a digest is sent only while it has that digest. */
struct object_body {
	const void *mem;                  /* size bytes; NULL: those of fd from 0 on */
	int fd;
	uint64_t size;
	const char *sha256;               /* hex; NULL: not known */
};

struct objects;
/* NULL with *err (malloc): not such a place, or no way to it. Nothing is sent yet. */
struct objects *objects_open(const struct objects_at *at, char **err);
void objects_close(struct objects *o);                                  /* NULL is fine */

/* Asked several times a second while something is under way; bytes of this object so far. Not 0 ends it. */
void objects_tick(struct objects *o, int (*tick)(uint64_t done, void *ctx), void *ctx);
/* How often a request is tried again, and s without a byte that end one; 0: as net.h has it. */
void objects_patience(struct objects *o, int tries, double stall);

/*
 * Each gives OBJECTS_OK, or another with *err (malloc; NULL for OBJECTS_ABSENT). A key is relative to the place: parts
 * without "." and ".." joined by '/'.
 */
enum objects_rc objects_head(struct objects *o, const char *key, uint64_t *size, char **err);
enum objects_rc objects_get(struct objects *o, const char *key, uint64_t max, struct strbuf *out, char **err);
/* Writes it from the start of fd on, whatever was there; with sha256 (hex) other bytes are OBJECTS_BAD. */
enum objects_rc objects_get_file(struct objects *o, const char *key, uint64_t max, int fd, const char *sha256, char **err);
/* Goes on with what an earlier, unfinished put of the same body has brought there, where the place can do that. */
enum objects_rc objects_put(struct objects *o, const char *key, const struct object_body *b, char **err);

/*
 * The bytes at one location, s3://BUCKET/KEY, gs://BUCKET/KEY or https://HOST/PATH?QUERY, into fd from its start on. Up to ten
 * redirects from https to https are followed: nothing secret goes with such a request.
 */
enum objects_rc objects_fetch(const struct objects_at *at, uint64_t max, int fd, int (*tick)(uint64_t done, void *ctx), void *ctx, char **err);

/* "s3://bucket/prefix/key", for people and for what is emitted. */
void objects_uri(const struct objects *o, const char *key, struct strbuf *out);

#endif
