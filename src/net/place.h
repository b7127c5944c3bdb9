/* The kinds of places behind objects.h: folder.c, s3.c, web.c; one row each in objects.c. */
#ifndef COULER_NET_PLACE_H
#define COULER_NET_PLACE_H

#include "couler/net.h"
#include "couler/objects.h"

struct place_ops {
	enum objects_rc (*head)(struct objects *o, const char *key, uint64_t *size, char **err);
	/* sink: pieces as they come; not 0 ends it with OBJECTS_STOPPED */
	enum objects_rc (*get)(struct objects *o, const char *key, uint64_t max, int (*sink)(const char *s, size_t n, void *ctx), void *ctx, char **err);
	enum objects_rc (*put)(struct objects *o, const char *key, const struct object_body *b, char **err);
	void (*close)(struct objects *o);
};

struct s3;
struct objects {
	const struct place_ops *ops;
	char *uri;                        /* without a '/' at the end */
	struct net *net;                  /* NULL: a folder */
	struct s3 *s3;                    /* NULL: not a bucket */
	char *dir;                        /* of a folder */
	int tries;
	double stall;
	int (*tick)(uint64_t done, void *ctx);
	void *ctx;
	uint64_t before;                  /* bytes of the object that earlier requests brought */
};

enum objects_rc folder_open(struct objects *o, const char *path, char **err);
enum objects_rc web_open(struct objects *o, char **err);
enum objects_rc s3_open(struct objects *o, const struct objects_at *at, char **err);

/* Fills in what every request of o has: patience and tick. */
void place_request(struct objects *o, struct net_request *q);
/* The answer to a request that did not go well, with its text; XML error texts of S3 are shown. */
enum objects_rc place_failed(const struct net_request *q, const struct net_reply *r, char **err);
enum objects_rc place_says(enum objects_rc rc, char **err, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* n bytes of b from off on into p; 0, or -1 with errno (EIO: it became shorter). */
int body_read(const struct object_body *b, uint64_t off, void *p, size_t n);

/* SHA-256. */
struct sum;
struct sum *sum_new(void);
void sum_add(struct sum *s, const void *p, size_t n);
void sum_hex(struct sum *s, char out[65]);                              /* and starts anew */
void sum_free(struct sum *s);
void sum_of(const void *p, size_t n, char out[65]);

/* What stands in the first element of this name from *at on, as it is; *at behind it. NULL: there is none. */
const char *xml_raw(const char *s, size_t n, const char *name, size_t *at, size_t *len);
/* Text of the first element of this name from *at on, entities decoded; *at behind it. malloc, NULL: there is none. */
char *xml_text(const char *s, size_t n, const char *name, size_t *at);

/* Writes the pieces of a body to a file; err: errno of what failed. */
struct to_file { int fd, err; struct sum *sum; uint64_t n; };
int to_file(const char *s, size_t n, void *ctx);

/* Credentials and region of the environment (aws.c); each malloc or NULL. */
struct aws { char *key_id, *secret, *session, *region; };
void aws_read(struct aws *a);
void aws_free(struct aws *a);

#endif
