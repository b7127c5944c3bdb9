/* HTTP: what is retried and what is not, what is refused, how much is read, what is said. */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>

#include "couler/net.h"
#include "server.h"

#define OK "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Thing: a: b\r\nConnection: close\r\n\r\nhi"
#define BUSY(after) "HTTP/1.1 429 Too Many\r\nRetry-After: " after "\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbusy"
#define FAIL "HTTP/1.1 500 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

static struct net *open_net(void)
{
	char *err = NULL;
	struct net *n = net_open(&err);

	ck_assert_msg(n != NULL, "%s", err ? err : "");
	return n;
}

static int ask(const char *const *replies, struct server *s, struct net_request *q, struct net_reply *r)
{
	struct net *n = open_net();
	char url[64];
	int rc;

	server_start(s, replies);
	snprintf(url, sizeof url, "http://127.0.0.1:%d/a?secret=x", s->port);
	q->url = url;
	rc = net_request(n, q, r);
	net_close(n);
	return rc;
}

/* replies, tries that it takes, status in the end */
static const struct { const char *replies[5]; int tries, status; } statuses[] = {
	{ { OK }, 1, 200 },
	{ { FAIL, OK }, 2, 200 },
	{ { "HTTP/1.1 408 x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", OK }, 2, 200 },
	{ { "HTTP/1.1 409 x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", OK }, 2, 200 },
	{ { BUSY("1"), OK }, 2, 200 },
	{ { BUSY("Wed, 21 Oct 2015 07:28:00 GMT"), OK }, 2, 200 },          /* a date that is past */
	{ { BUSY("61"), OK }, 1, 429 },                                     /* longer than anybody waits */
	{ { FAIL, FAIL, FAIL, OK }, 3, 500 },
	{ { "HTTP/1.1 404 x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", OK }, 1, 404 },
	{ { "HTTP/1.1 302 x\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", OK }, 1, 302 },
	{ { "HTTP/1.1 200 x\r\nContent-Length: 9\r\nConnection: close\r\n\r\nbro", OK }, 2, 200 },    /* broke off */
	{ { "", OK }, 2, 200 },                                             /* closed without a word */
};

START_TEST(retries)
{
	struct server s = { 0 };
	struct net_request q = { .tries = 3, .max_wait = strstr(statuses[_i].replies[0], "429") ? 5 : 0.02 };
	struct net_reply r;

	ck_assert_int_eq(ask(statuses[_i].replies, &s, &q, &r), 0);
	ck_assert_int_eq(r.status, statuses[_i].status);
	ck_assert_int_eq(r.tries, statuses[_i].tries);
	ck_assert_ptr_eq(r.why, NULL);
	if (r.status == 200) {
		char *h = net_header(&r, "x-thing");

		ck_assert_str_eq(sb_cstr(&r.body), "hi");
		ck_assert_str_eq(h, "a: b");
		ck_assert_ptr_eq(net_header(&r, "retry-after"), NULL);
		free(h);
	}
	net_reply_free(&r);
	server_stop(&s);
}
END_TEST

START_TEST(retry_after_is_waited_for)
{
	static const char *const replies[] = { BUSY("1"), OK, NULL };
	struct server s = { 0 };
	struct net_request q = { 0 };
	struct net_reply r;

	ck_assert_int_eq(ask(replies, &s, &q, &r), 0);
	ck_assert(r.seconds >= 1.0 && r.seconds < 5.0);
	net_reply_free(&r);
	server_stop(&s);
}
END_TEST

/* The body goes again with a new try, from memory and from the middle of a file; headers and method arrive. */
START_TEST(bodies)
{
	static const char *const replies[] = { FAIL, OK, NULL };
	static const char *const headers[] = { "X-Key: k", "Content-Type: text/plain", NULL };
	static const char *const methods[] = { "POST", "PUT", "POST", "PUT" };
	struct server s = { 0 };
	struct net_request q = { .method = methods[_i], .headers = headers, .body = "0123456789", .body_len = 10, .max_wait = 0.02 };
	struct net_reply r;
	char path[] = "/tmp/couler-net-XXXXXX";

	if (_i >= 2) {
		q.body = NULL;
		q.from_fd = true;
		q.fd = mkstemp(path);
		ck_assert(q.fd >= 0 && write(q.fd, "ab0123456789cd", 14) == 14 && unlink(path) == 0);
		q.fd_off = 2;
		q.fd_len = 10;
	}
	ck_assert_int_eq(ask(replies, &s, &q, &r), 0);
	ck_assert_int_eq(r.status, 200);
	for (int i = 0; i < 2; i++) {
		const char *got = sb_cstr(&s.got[i]);

		ck_assert(!strncmp(got, methods[_i], strlen(methods[_i])));
		ck_assert(strstr(got, "\r\nX-Key: k\r\n") && strstr(got, "\r\nContent-Length: 10\r\n") && strstr(got, "\r\n\r\n0123456789"));
	}
	net_reply_free(&r);
	server_stop(&s);
	if (_i >= 2)
		close(q.fd);
}
END_TEST

START_TEST(a_file_that_shrank)
{
	static const char *const replies[] = { OK, NULL };
	char path[] = "/tmp/couler-net-XXXXXX";
	struct server s = { 0 };
	struct net_request q = { .method = "PUT", .from_fd = true, .fd = mkstemp(path), .fd_len = 10, .tries = 1 };
	struct net_reply r;

	ck_assert(q.fd >= 0 && write(q.fd, "abc", 3) == 3 && unlink(path) == 0);
	ck_assert_int_eq(ask(replies, &s, &q, &r), -1);
	ck_assert_int_eq(r.error, NET_LOCAL);
	net_reply_free(&r);
	server_stop(&s);
	close(q.fd);
}
END_TEST

static const char chunked[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n5\r\nhello\r\n5\r\nworld\r\n0\r\n\r\n";

/* The declared length is enough to refuse; without one the bytes are counted. */
START_TEST(too_large)
{
	static const char *const replies[][2] = { { "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", NULL }, { chunked, NULL } };
	struct server s = { 0 };
	struct net_request q = { .max_body = 9 };
	struct net_reply r;

	ck_assert_int_eq(ask(replies[_i], &s, &q, &r), -1);
	ck_assert_int_eq(r.error, NET_TOO_LARGE);
	ck_assert_int_eq(r.tries, 1);
	ck_assert_ptr_ne(strstr(r.why, "larger than 9 bytes"), NULL);
	ck_assert_ptr_eq(strstr(r.why, "secret"), NULL);
	net_reply_free(&r);
	server_stop(&s);
}
END_TEST

static int gather(const char *s, size_t n, void *ctx)
{
	sb_add(ctx, s, n);
	return 0;
}

static int refuse(const char *s, size_t n, void *ctx)
{
	(void)s;
	(void)n;
	(void)ctx;
	return 1;
}

/* Pieces as they come; the text of an error does not pass for data; what was seen is not asked for again. */
START_TEST(streams)
{
	static const char *const ok[] = { FAIL, chunked, NULL };
	static const char *const broken[] = { "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\nbro", OK, NULL };
	static const char *const refused[] = { BUSY("99"), NULL };
	struct strbuf b = { 0 };
	struct server s = { 0 };
	struct net_request q = { .data = gather, .ctx = &b, .max_wait = 0.02 };
	struct net_reply r;

	ck_assert_int_eq(ask(ok, &s, &q, &r), 0);
	ck_assert_str_eq(sb_cstr(&b), "helloworld");
	ck_assert_uint_eq(r.body.n, 0);
	net_reply_free(&r);
	server_stop(&s);
	b.n = 0;
	s = (struct server){ 0 };
	ck_assert_int_eq(ask(broken, &s, &q, &r), -1);
	ck_assert_int_eq(r.error, NET_BROKEN);
	ck_assert_int_eq(r.tries, 1);
	ck_assert_str_eq(sb_cstr(&b), "bro");
	net_reply_free(&r);
	server_stop(&s);
	b.n = 0;
	s = (struct server){ 0 };
	ck_assert_int_eq(ask(refused, &s, &q, &r), 0);
	ck_assert_uint_eq(b.n, 0);
	ck_assert_str_eq(sb_cstr(&r.body), "busy");
	net_reply_free(&r);
	server_stop(&s);
	s = (struct server){ 0 };
	q.data = refuse;
	ck_assert_int_eq(ask(ok, &s, &q, &r), -1);
	ck_assert_int_eq(r.error, NET_STOPPED);
	net_reply_free(&r);
	server_stop(&s);
	sb_free(&b);
}
END_TEST

static int stop_at_third(uint64_t sent, uint64_t received, void *ctx)
{
	(void)sent;
	(void)received;
	return ++*(int *)ctx >= 3;
}

/* A wait between tries can be stopped, and so can a reply that drips. */
START_TEST(stops)
{
	static const char *const busy[] = { BUSY("30"), OK, NULL };
	struct server s = { .slow_ms = _i ? 30 : 0 };
	int ticks = 0;
	struct net_request q = { .tick = stop_at_third, .ctx = &ticks };
	struct net_reply r;

	ck_assert_int_eq(ask(busy, &s, &q, &r), -1);
	ck_assert_int_eq(r.error, NET_STOPPED);
	ck_assert(r.seconds < 10);
	net_reply_free(&r);
	server_stop(&s);
}
END_TEST

START_TEST(times_out)
{
	static const char *const replies[] = { OK, NULL };
	struct server s = { .slow_ms = 100 };
	struct net_request q = { .timeout = 0.5, .tries = 1 };
	struct net_reply r;

	ck_assert_int_eq(ask(replies, &s, &q, &r), -1);
	ck_assert_int_eq(r.error, NET_TIMEOUT);
	ck_assert(r.seconds < 5);
	net_reply_free(&r);
	server_stop(&s);
}
END_TEST

/* url, what the message must hold */
static const struct { const char *url, *want; } bad_urls[] = {
	{ "http://example.com/x", "plain http" },
	{ "http://127.0.0.1.example.com/x", "plain http" },
	{ "http://user:pw@10.0.0.1/x?token=t", "GET http://10.0.0.1/x: plain http" },
	{ "http://128.0.0.1/", "plain http" },
	{ "ftp://localhost/x", "only http and https" },
	{ "file:///etc/passwd", "not a URL" },
	{ "localhost/x", "not a URL" },
	{ "https:///x", "not a URL" },
	{ "https://h/a b", "a blank" },
	{ "https://h/a\r\nX: y", "a control byte" },
	{ "", "not a URL" },
};

START_TEST(refused_urls)
{
	struct net *n = open_net();
	struct net_request q = { .url = bad_urls[_i].url };
	struct net_reply r;

	ck_assert_int_eq(net_request(n, &q, &r), -1);
	ck_assert_int_eq(r.error, NET_URL);
	ck_assert_int_eq(r.tries, 0);
	ck_assert_msg(strstr(r.why, bad_urls[_i].want) != NULL, "%s", r.why);
	ck_assert(!strstr(r.why, "pw") && !strstr(r.why, "token"));
	net_reply_free(&r);
	net_close(n);
}
END_TEST

START_TEST(no_header_is_smuggled)
{
	static const char *const headers[] = { "X: a\r\nY: b", NULL };
	struct net *n = open_net();
	struct net_request q = { .url = "https://localhost/", .headers = headers };
	struct net_reply r;

	ck_assert_int_eq(net_request(n, &q, &r), -1);
	ck_assert_int_eq(r.tries, 0);
	net_reply_free(&r);
	net_close(n);
}
END_TEST

START_TEST(nobody_listens)
{
	struct net *n = open_net();
	struct net_request q = { .url = "http://127.0.0.1:1/x", .tries = 2, .max_wait = 0.01 };
	struct net_reply r;

	ck_assert_int_eq(net_request(n, &q, &r), -1);
	ck_assert_int_eq(r.error, NET_CONNECT);
	ck_assert_int_eq(r.tries, 2);
	ck_assert_int_eq(r.status, 0);
	ck_assert_ptr_ne(strstr(r.why, "GET http://127.0.0.1:1/x: "), NULL);
	net_reply_free(&r);
	net_close(n);
}
END_TEST

START_TEST(texts)
{
	struct strbuf b = { 0 };
	struct net_request q = { .method = "PUT", .url = "https://u:p@h:8/x?y#z" };
	struct net_reply r = { .status = 503, .tries = 3 };

	net_escape(&b, "a b/\xc3\xa4~+", 8, true);
	ck_assert_str_eq(sb_cstr(&b), "a%20b/%C3%A4~%2B");
	b.n = 0;
	net_escape(&b, "a/b", 3, false);
	ck_assert_str_eq(sb_cstr(&b), "a%2Fb");
	b.n = 0;
	net_status(&q, &r, &b);
	ck_assert_str_eq(sb_cstr(&b), "PUT https://h:8/x: 503, the service is not available (3 tries)");
	sb_free(&b);
	ck_assert(net_loopback("localhost") && net_loopback("127.3.2.1") && net_loopback("[::1]") && net_loopback("a.localhost") && net_loopback("::1"));
	ck_assert(!net_loopback("127.0.0.1.x") && !net_loopback("localhost.x") && !net_loopback("[::2]") && !net_loopback("0.0.0.0") && !net_loopback(""));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("net");
	TCase *c = tcase_create("net");
	SRunner *r = srunner_create(s);
	int bad;

	tcase_set_timeout(c, 60);
	tcase_add_loop_test(c, retries, 0, (int)(sizeof statuses / sizeof *statuses));
	tcase_add_test(c, retry_after_is_waited_for);
	tcase_add_loop_test(c, bodies, 0, 4);
	tcase_add_test(c, a_file_that_shrank);
	tcase_add_loop_test(c, too_large, 0, 2);
	tcase_add_test(c, streams);
	tcase_add_loop_test(c, stops, 0, 2);
	tcase_add_test(c, times_out);
	tcase_add_loop_test(c, refused_urls, 0, (int)(sizeof bad_urls / sizeof *bad_urls));
	tcase_add_test(c, no_header_is_smuggled);
	tcase_add_test(c, nobody_listens);
	tcase_add_test(c, texts);
	suite_add_tcase(s, c);
	srunner_run_all(r, CK_ENV);
	bad = srunner_ntests_failed(r);
	srunner_free(r);
	return bad != 0;
}
