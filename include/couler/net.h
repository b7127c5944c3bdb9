/*
 * HTTP: one request at a time over a handle that keeps its connections, by libcurl, which is loaded at first use.
 *
 * What holds for every request: connecting takes at most 10 s; certificates are checked, but where the request says otherwise; redirects are not followed
 * (a 3xx is a reply like any other); https, but for loopback and where the request says otherwise; proxies by curl's
 * variables (https_proxy, no_proxy; none for loopback), certificates of one's own by SSL_CERT_FILE, SSL_CERT_DIR or
 * CURL_CA_BUNDLE; the bytes of a reply are counted as they come, and one that is too large ends there.
 *
 * Error texts name the method, the URL without user, password and query, and why; they never hold headers or bodies.
 * A handle belongs to one thread at a time; several handles may be used by several threads.
 */
#ifndef COULER_NET_H
#define COULER_NET_H

#include "couler/str.h"

struct net;

/* NULL with *err (malloc): libcurl is not on this machine. */
struct net *net_open(char **err);
void net_close(struct net *n);                                          /* NULL is fine */

enum net_error {
	NET_OK,                           /* a whole reply came, whatever its status */
	NET_URL,                          /* not a URL, or plain http to another machine; nothing was sent */
	NET_CONNECT,                      /* no such host, refused, unreachable, the proxy said no */
	NET_TLS,                          /* certificate or handshake */
	NET_TIMEOUT,
	NET_BROKEN,                       /* the connection or the reply broke off */
	NET_TOO_LARGE,                    /* more than max_body */
	NET_STOPPED,                      /* data or tick said so */
	NET_LOCAL                         /* the file to send could not be read */
};

/* AWS Signature Version 4. payload: SHA-256 of the body in hex, or "UNSIGNED-PAYLOAD"; session NULL: none. */
struct net_sign { const char *key_id, *secret, *session, *region, *service, *payload; };

/* Zeroed fields have the defaults that stand beside them. */
struct net_request {
	const char *method;               /* NULL: GET */
	const char *url;
	const char *const *headers;       /* "Name: value", ends at NULL; NULL: none. Secrets may stand here */
	const void *body;                 /* NULL: none */
	size_t body_len;
	int fd;                           /* where from_fd: the body is fd_len bytes of this file from fd_off on; its position is left alone */
	bool from_fd;
	uint64_t fd_off, fd_len;
	const struct net_sign *sign;      /* NULL: unsigned */
	const char *ca;                   /* file of the only authorities that count for this request; NULL: those named above */

	bool any_certificate;             /* https:// whoever answers: neither its certificate nor its name is checked */
	bool plain_http;                  /* http:// to other machines, too */
	uint64_t max_body;                /* bytes of a reply; 0: 8 MiB */
	double timeout;                   /* s for one try; 0: 300, negative: none */
	double stall;                     /* s without a byte that end a try; 0: 60, negative: none */
	int tries;                        /* 0: 5. 408, 409, 429, 5xx and lost connections are tried again */
	double max_wait;                  /* s before one further try, jitter aside; 0: 60. A longer Retry-After ends it: the reply is handed over */

	/*
	 * data: each piece of the body of a 2xx reply as it comes, instead of gathering it; a reply of which it has seen
	 * something is not asked for again. tick: several times a second while something is under way or waited for;
	 * bytes of this try so far. Either ends the request by anything but 0.
	 */
	int (*data)(const char *s, size_t n, void *ctx);
	int (*tick)(uint64_t sent, uint64_t received, void *ctx);
	void *ctx;
};

struct net_reply {
	int status;                       /* 0: none came */
	struct strbuf body;               /* of a reply that is not 2xx: at most its first 64 KiB */
	struct strbuf headers;            /* lines "name: value\n", names in lower case */
	uint64_t received;                /* bytes of the body */
	int tries;
	double seconds;                   /* all tries and waits */
	enum net_error error;
	char *why;                        /* malloc; NULL exactly when error is NET_OK */
};

/* 0 when a whole reply came (look at status), else -1 with r->error and r->why. r needs no initial value. */
int net_request(struct net *n, const struct net_request *q, struct net_reply *r);
void net_reply_free(struct net_reply *r);

/* Value of a header, name in lower case; malloc, NULL if there is none. */
char *net_header(const struct net_reply *r, const char *name);

/* "GET https://host/path: 503 Service Unavailable", for a reply that the caller cannot use. */
void net_status(const struct net_request *q, const struct net_reply *r, struct strbuf *out);

/* url without user, password, query and fragment, control bytes visible. */
void net_shown(const char *url, struct strbuf *out);

/* Bytes as a URL's path, a key or a query value holds them: all but A-Z a-z 0-9 - . _ ~ as %XX; slash: '/' stays. */
void net_escape(struct strbuf *out, const char *s, size_t n, bool slash);

/* ref as a link on the page at base means it; malloc, NULL: no URL. */
char *net_resolve(struct net *n, const char *base, const char *ref);

/* A host of this machine: localhost, 127.0.0.0/8, ::1. */
bool net_loopback(const char *host);

#endif
