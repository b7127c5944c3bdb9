/* One request: its tries, what ends a try, and what its reply is. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "couler/diag.h"
#include "couler/net.h"
#include "lib.h"
#include "url.h"

#define MAX_BODY (UINT64_C(8) << 20)
#define MAX_HEADERS (256u << 10)
#define ERROR_BODY (64u << 10)
#define SLICE 0.1                         /* s between ticks while waiting */

struct net {
	struct curl_lib lib;
	CURL *easy;
};

/* One request under way. */
struct flight {
	struct net *net;
	const struct net_request *q;
	struct net_reply *r;
	uint64_t cap, sent;
	bool seen;                        /* data has seen bytes of the reply */
	enum net_error own;               /* why a callback ended the try; NET_OK: none did */
	int own_errno;
	char detail[CURL_ERROR_SIZE];
};

struct net *net_open(char **err)
{
	struct net *n = xcalloc(1, sizeof *n);

	if (curl_lib_load(&n->lib, err)) {
		free(n);
		return NULL;
	}
	n->easy = n->lib.easy_init();
	if (!n->easy) {
		*err = xstrdup("libcurl could not start");
		n->lib.global_cleanup();
		free(n);
		return NULL;
	}
	return n;
}

void net_close(struct net *n)
{
	if (!n)
		return;
	n->lib.easy_cleanup(n->easy);
	n->lib.global_cleanup();
	free(n);
}

void net_reply_free(struct net_reply *r)
{
	sb_free(&r->body);
	sb_free(&r->headers);
	free(r->why);
	*r = (struct net_reply){ 0 };
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- what comes ---- */

static long status_now(struct flight *f)
{
	long code = 0;

	f->net->lib.easy_getinfo(f->net->easy, CURLINFO_RESPONSE_CODE, &code);
	return code;
}

static size_t on_body(char *s, size_t size, size_t n, void *data)
{
	struct flight *f = data;
	long code;

	n *= size;
	f->r->received += n;
	if (f->r->received > f->cap) {
		f->own = NET_TOO_LARGE;
		return 0;
	}
	code = status_now(f);
	if (code / 100 != 2) {
		size_t room = f->r->body.n < ERROR_BODY ? ERROR_BODY - f->r->body.n : 0;

		sb_add(&f->r->body, s, n < room ? n : room);
		return n;
	}
	if (!f->q->data) {
		sb_add(&f->r->body, s, n);
		return n;
	}
	f->seen = true;
	if (n && f->q->data(s, n, f->q->ctx)) {
		f->own = NET_STOPPED;
		return 0;
	}
	return n;
}

/* Lines of this reply alone: what a proxy or a 100 said before it is forgotten. */
static size_t on_header(char *s, size_t size, size_t n, void *data)
{
	struct flight *f = data;
	struct strbuf *b = &f->r->headers;
	const char *colon;
	size_t len = n * size;

	n = len;
	if (n >= 5 && !memcmp(s, "HTTP/", 5)) {
		b->n = 0;
		return len;
	}
	while (n && (s[n - 1] == '\r' || s[n - 1] == '\n'))
		n--;
	colon = memchr(s, ':', n);
	if (!colon || colon == s)
		return len;
	if (b->n + n > MAX_HEADERS) {
		f->own = NET_TOO_LARGE;
		return 0;
	}
	for (const char *p = s; p < colon; p++)
		sb_ch(b, *p >= 'A' && *p <= 'Z' ? (char)(*p + 32) : *p);
	sb_z(b, ": ");
	for (colon++; colon < s + n && (*colon == ' ' || *colon == '\t'); colon++)
		;
	sb_add(b, colon, (size_t)(s + n - colon));
	sb_ch(b, '\n');
	return len;
}

static int on_progress(void *data, curl_off_t dtotal, curl_off_t dnow, curl_off_t utotal, curl_off_t unow)
{
	struct flight *f = data;

	(void)dnow;
	(void)utotal;
	if (dtotal > 0 && (uint64_t)dtotal > f->cap && status_now(f) / 100 == 2 && (!f->q->method || strcmp(f->q->method, "HEAD") != 0)) {
		f->own = NET_TOO_LARGE;
		return 1;
	}
	if (f->q->tick && f->q->tick((uint64_t)(unow > 0 ? unow : 0), f->r->received, f->q->ctx)) {
		f->own = NET_STOPPED;
		return 1;
	}
	return 0;
}

/* ---- what goes ---- */

static size_t on_read(char *s, size_t size, size_t n, void *data)
{
	struct flight *f = data;
	const struct net_request *q = f->q;
	uint64_t total = q->from_fd ? q->fd_len : q->body_len, left = total - f->sent;
	ssize_t got;

	n *= size;
	if (n > left)
		n = (size_t)left;
	if (!n)
		return 0;
	if (!q->from_fd) {
		memcpy(s, (const char *)q->body + f->sent, n);
		f->sent += n;
		return n;
	}
	do
		got = pread(q->fd, s, n, (off_t)(q->fd_off + f->sent));
	while (got < 0 && errno == EINTR);
	if (got <= 0) {
		f->own = NET_LOCAL;
		f->own_errno = got ? errno : 0;
		return CURL_READFUNC_ABORT;
	}
	f->sent += (uint64_t)got;
	return (size_t)got;
}

static int on_seek(void *data, curl_off_t off, int origin)
{
	struct flight *f = data;

	if (origin != SEEK_SET || off < 0)
		return CURL_SEEKFUNC_CANTSEEK;
	f->sent = (uint64_t)off;
	return CURL_SEEKFUNC_OK;
}

/* ---- one try ---- */

#define SET(option, value) f->net->lib.easy_setopt(f->net->easy, CURLOPT_##option, value)

static void set_policy(struct flight *f, bool loopback)
{
	const struct net_request *q = f->q;
	const char *ca = getenv("SSL_CERT_FILE"), *dir = getenv("SSL_CERT_DIR");
	double stall = q->stall == 0 ? 60 : q->stall, timeout = q->timeout == 0 ? 300 : q->timeout;

	if (!ca || !*ca)
		ca = getenv("CURL_CA_BUNDLE");
	if (q->ca)
		ca = q->ca;
	if (ca && *ca)
		SET(CAINFO, ca);
	if (q->ca)
		SET(CAPATH, NULL);
	else if (dir && *dir)
		SET(CAPATH, dir);
	SET(SSL_VERIFYPEER, q->any_certificate ? 0L : 1L);
	SET(SSL_VERIFYHOST, q->any_certificate ? 0L : 2L);
	SET(SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(FOLLOWLOCATION, 0L);
	SET(NOSIGNAL, 1L);
	SET(CONNECTTIMEOUT_MS, 10000L);
	if (loopback)
		SET(PROXY, "");
	if (timeout > 0)
		SET(TIMEOUT_MS, (long)(timeout * 1000));
	if (stall > 0) {
		SET(LOW_SPEED_LIMIT, 1L);
		SET(LOW_SPEED_TIME, (long)(stall < 1 ? 1 : stall));
	}
	SET(USERAGENT, "couler/" COULER_VERSION);
	SET(PATH_AS_IS, 1L);
	SET(ERRORBUFFER, f->detail);
	SET(WRITEFUNCTION, on_body);
	SET(WRITEDATA, f);
	SET(HEADERFUNCTION, on_header);
	SET(HEADERDATA, f);
	SET(XFERINFOFUNCTION, on_progress);
	SET(XFERINFODATA, f);
	SET(NOPROGRESS, 0L);
}

static void set_method(struct flight *f)
{
	const struct net_request *q = f->q;
	const char *method = q->method ? q->method : "GET";
	bool body = q->from_fd || q->body;
	uint64_t n = q->from_fd ? q->fd_len : q->body_len;

	if (!strcmp(method, "HEAD")) {
		SET(NOBODY, 1L);
		return;
	}
	if (!strcmp(method, "POST")) {
		SET(POST, 1L);
		SET(POSTFIELDSIZE_LARGE, (curl_off_t)n);
		if (!q->from_fd)
			SET(POSTFIELDS, body ? q->body : "");
	} else if (body || !strcmp(method, "PUT")) {
		SET(UPLOAD, 1L);
		SET(INFILESIZE_LARGE, (curl_off_t)n);
		SET(CUSTOMREQUEST, method);
	} else
		SET(CUSTOMREQUEST, method);
	SET(READFUNCTION, on_read);
	SET(READDATA, f);
	SET(SEEKFUNCTION, on_seek);
	SET(SEEKDATA, f);
	SET(EXPECT_100_TIMEOUT_MS, 300L);
}

static struct curl_slist *add_header(struct flight *f, struct curl_slist *l, const char *s)
{
	struct curl_slist *more = f->net->lib.slist_append(l, s);

	if (!more) {
		f->net->lib.slist_free_all(l);
		f->own = NET_LOCAL;
		f->own_errno = ENOMEM;
	}
	return more;
}

static struct curl_slist *set_sign(struct flight *f, struct curl_slist *l)
{
	const struct net_sign *s = f->q->sign;
	struct strbuf b = { 0 };

	sb_f(&b, "aws:amz:%s:%s", s->region, s->service);
	SET(AWS_SIGV4, sb_cstr(&b));
	SET(USERNAME, s->key_id);
	SET(PASSWORD, s->secret);
	b.n = 0;
	sb_f(&b, "x-amz-content-sha256: %s", s->payload);
	l = add_header(f, l, sb_cstr(&b));
	if (l && s->session) {
		b.n = 0;
		sb_f(&b, "x-amz-security-token: %s", s->session);
		l = add_header(f, l, sb_cstr(&b));
	}
	sb_free(&b);
	return l;
}

/* A write to a connection that the other side closed must not end the process. */
static CURLcode perform(struct flight *f)
{
	sigset_t pipe, old, pending;
	const struct timespec none = { 0, 0 };
	bool had;
	CURLcode rc;

	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	sigpending(&pending);
	had = sigismember(&pending, SIGPIPE) == 1;
	pthread_sigmask(SIG_BLOCK, &pipe, &old);
	rc = f->net->lib.easy_perform(f->net->easy);
	if (!had)
		while (sigtimedwait(&pipe, NULL, &none) < 0 && errno == EINTR)
			;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return rc;
}

static CURLcode try_once(struct flight *f, bool loopback)
{
	struct curl_slist *l = NULL;
	CURLcode rc;
	bool lost = false;

	f->net->lib.easy_reset(f->net->easy);
	f->sent = 0;
	f->own = NET_OK;
	f->detail[0] = '\0';
	f->r->status = 0;
	f->r->received = 0;
	f->r->body.n = f->r->headers.n = 0;
	f->r->tries++;
	SET(URL, f->q->url);
	set_policy(f, loopback);
	set_method(f);
	for (const char *const *h = f->q->headers; h && *h && !lost; h++)
		lost = !(l = add_header(f, l, *h));
	if (f->q->sign && !lost)
		lost = !(l = set_sign(f, l));
	if (lost)
		return CURLE_OUT_OF_MEMORY;
	SET(HTTPHEADER, l);
	rc = perform(f);
	f->r->status = (int)status_now(f);
	f->net->lib.slist_free_all(l);
	return rc;
}

/* ---- between tries ---- */

static enum net_error error_of(const struct flight *f, CURLcode rc)
{
	if (f->own != NET_OK)
		return f->own;
	switch (rc) {
	case CURLE_OK:
		return NET_OK;
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_URL_MALFORMAT:
		return NET_URL;
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_CONNECT:
	case CURLE_PROXY:
		return NET_CONNECT;
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_INVALIDCERTSTATUS:
	case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
		return NET_TLS;
	case CURLE_OPERATION_TIMEDOUT:
		return NET_TIMEOUT;
	case CURLE_OUT_OF_MEMORY:
		return NET_LOCAL;
	default:
		return NET_BROKEN;
	}
}

static bool again_status(int s)
{
	return s == 408 || s == 409 || s == 429 || s >= 500;
}

/* s before the next try; negative: there is none. */
static double next_wait(struct flight *f, enum net_error e)
{
	double max = f->q->max_wait == 0 ? 60 : f->q->max_wait, wait;
	curl_off_t asked = 0;
	uint32_t random = 0;
	int tries = f->q->tries ? f->q->tries : 5;

	if (f->r->tries >= tries || f->seen)
		return -1;
	if (e == NET_OK ? !again_status(f->r->status) : e != NET_CONNECT && e != NET_TIMEOUT && e != NET_BROKEN)
		return -1;
	if (e == NET_OK)
		f->net->lib.easy_getinfo(f->net->easy, CURLINFO_RETRY_AFTER, &asked);
	if ((double)asked > max)
		return -1;
	wait = 0.5 * (double)(1u << (f->r->tries < 10 ? f->r->tries - 1 : 9));
	if (wait > max)
		wait = max;
	if (getrandom(&random, sizeof random, 0) != sizeof random)
		random = 0x80000000u;
	wait *= 0.5 + (double)random / 4294967296.0 / 2;
	return asked > 0 && (double)asked > wait ? (double)asked : wait;
}

/* 0, or -1 when tick wants no more. */
static int wait_for(struct flight *f, double s)
{
	double end = now() + s, left;

	while ((left = end - now()) > 0) {
		struct timespec t = { 0 };

		if (f->q->tick && f->q->tick(0, 0, f->q->ctx)) {
			f->own = NET_STOPPED;
			return -1;
		}
		left = left < SLICE ? left : SLICE;
		t.tv_nsec = (long)(left * 1e9);
		nanosleep(&t, NULL);
	}
	return 0;
}

/* ---- what is said ---- */

static void explain(const struct flight *f, enum net_error e, CURLcode rc, struct strbuf *b)
{
	const char *detail = f->detail[0] ? f->detail : f->net->lib.easy_strerror(rc);

	switch (e) {
	case NET_TOO_LARGE:
		sb_f(b, "the reply is larger than %llu bytes", (unsigned long long)f->cap);
		break;
	case NET_STOPPED:
		sb_z(b, "was stopped");
		break;
	case NET_LOCAL:
		sb_f(b, "the data to send could not be read: %s", f->own_errno ? strerror(f->own_errno) : "the file became shorter");
		break;
	case NET_TLS:
		sb_z(b, "no trusted connection: ");
		sb_safe(b, detail, strlen(detail));
		sb_z(b, "; an authority of your own is named with SSL_CERT_FILE=FILE.pem");
		break;
	default:
		sb_safe(b, detail, strlen(detail));
	}
	if (f->r->tries > 1)
		sb_f(b, " (%d tries)", f->r->tries);
}

static int failed(const struct net_request *q, struct net_reply *r, enum net_error e, struct strbuf *why)
{
	struct strbuf b = { 0 };

	sb_f(&b, "%s ", q->method ? q->method : "GET");
	net_shown(q->url, &b);
	sb_z(&b, ": ");
	sb_add(&b, why->s, why->n);
	r->error = e;
	r->why = xstrdup(sb_cstr(&b));
	sb_free(&b);
	sb_free(why);
	return -1;
}

static int headers_ok(const struct net_request *q, struct strbuf *why)
{
	for (const char *const *h = q->headers; h && *h; h++)
		if (strpbrk(*h, "\r\n") || !strchr(*h, ':')) {
			sb_z(why, "a header of the request has a line break, or no ':'");
			return -1;
		}
	return 0;
}

int net_request(struct net *n, const struct net_request *q, struct net_reply *r)
{
	struct flight f = { .net = n, .q = q, .r = r, .cap = q->max_body ? q->max_body : MAX_BODY };
	struct strbuf why = { 0 };
	double start = now(), wait;
	enum net_error e;
	bool loopback;
	CURLcode rc;

	*r = (struct net_reply){ 0 };
	if (url_check(&n->lib, q->url, q->plain_http, &loopback, &why) || headers_ok(q, &why))
		return failed(q, r, NET_URL, &why);
	for (;;) {
		rc = try_once(&f, loopback);
		e = error_of(&f, rc);
		wait = next_wait(&f, e);
		if (wait < 0)
			break;
		if (wait_for(&f, wait)) {
			e = NET_STOPPED;
			break;
		}
	}
	n->lib.easy_reset(n->easy);       /* forgets f, and secrets */
	r->seconds = now() - start;
	if (e == NET_OK)
		return 0;
	explain(&f, e, rc, &why);
	return failed(q, r, e, &why);
}

char *net_resolve(struct net *n, const char *base, const char *ref)
{
	return url_resolve(&n->lib, base, ref);
}

char *net_header(const struct net_reply *r, const char *name)
{
	size_t n = strlen(name), at = 0;

	while (at < r->headers.n) {
		const char *line = r->headers.s + at, *end = memchr(line, '\n', r->headers.n - at);

		if ((size_t)(end - line) > n + 1 && line[n] == ':' && !memcmp(line, name, n)) {
			struct strbuf b = { 0 };

			sb_add(&b, line + n + 2, (size_t)(end - line) - n - 2);
			sb_ch(&b, '\0');
			return b.s;
		}
		at += (size_t)(end - line) + 1;
	}
	return NULL;
}

static const char *phrase(int status)
{
	static const struct { int status; const char *words; } known[] = {
		{ 301, "moved to another URL" }, { 302, "moved to another URL" }, { 303, "moved to another URL" }, { 307, "moved to another URL" }, { 308, "moved to another URL" },
		{ 400, "the request is not understood" }, { 401, "no valid credentials" }, { 402, "payment is needed" }, { 403, "not allowed" },
		{ 404, "not found" }, { 405, "the method is not allowed" }, { 408, "the server waited too long" }, { 409, "a conflict with another request" },
		{ 411, "the server wants a length" }, { 412, "a condition does not hold" }, { 413, "too large for the server" }, { 429, "too many requests" },
		{ 500, "an error of the server" }, { 501, "the server cannot do this" }, { 502, "bad gateway" }, { 503, "the service is not available" }, { 504, "the gateway waited too long" }, { 507, "no room left" },
	};

	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (known[i].status == status)
			return known[i].words;
	return status >= 500 ? "an error of the server" : "an unexpected reply";
}

void net_status(const struct net_request *q, const struct net_reply *r, struct strbuf *out)
{
	sb_f(out, "%s ", q->method ? q->method : "GET");
	net_shown(q->url, out);
	sb_f(out, ": %d, %s", r->status, phrase(r->status));
	if (r->tries > 1)
		sb_f(out, " (%d tries)", r->tries);
}
