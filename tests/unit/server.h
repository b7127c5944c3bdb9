/* A server on loopback that answers the n-th request with the n-th reply and keeps what it was asked. */
#ifndef TEST_SERVER_H
#define TEST_SERVER_H

#include <arpa/inet.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "couler/str.h"

struct server {
	const char *const *replies;       /* whole replies as they go over the wire; NULL ends them */
	int fd, port, slow_ms;            /* slow_ms: between two bytes */
	int asked;
	struct strbuf got[16];
	pthread_t thread;
};

static size_t wanted(const char *s, const char *head_end)
{
	for (const char *p = s; p < head_end; p = strchr(p, '\n') + 1)
		if (!strncasecmp(p, "content-length:", 15))
			return (size_t)(head_end - s) + strtoul(p + 15, NULL, 10);
	return (size_t)(head_end - s);
}

static void take(int c, struct strbuf *b)
{
	char buf[65536];
	ssize_t n;

	while ((n = read(c, buf, sizeof buf)) > 0) {
		const char *end;

		sb_add(b, buf, (size_t)n);
		end = strstr(sb_cstr(b), "\r\n\r\n");
		if (end && b->n >= wanted(b->s, end + 4))
			return;
	}
}

static void *serve(void *data)
{
	struct server *s = data;
	int c;

	while (s->replies[s->asked] && (c = accept(s->fd, NULL, NULL)) >= 0) {
		const char *r = s->replies[s->asked];
		size_t n = strlen(r);

		take(c, &s->got[s->asked++]);
		for (size_t at = 0, step = s->slow_ms ? 1 : n; at < n; at += step) {
			if (send(c, r + at, step < n - at ? step : n - at, MSG_NOSIGNAL) < 0)
				break;
			if (s->slow_ms)
				usleep((useconds_t)s->slow_ms * 1000);
		}
		close(c);
	}
	return NULL;
}

static void server_start(struct server *s, const char *const *replies)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t n = sizeof a;

	s->replies = replies;
	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (s->fd < 0 || bind(s->fd, (struct sockaddr *)&a, sizeof a) || listen(s->fd, 16) || getsockname(s->fd, (struct sockaddr *)&a, &n))
		abort();
	s->port = ntohs(a.sin_port);
	if (pthread_create(&s->thread, NULL, serve, s))
		abort();
}

static void server_stop(struct server *s)
{
	shutdown(s->fd, SHUT_RDWR);
	pthread_join(s->thread, NULL);
	close(s->fd);
	for (int i = 0; i < 16; i++)
		sb_free(&s->got[i]);
}

#endif
