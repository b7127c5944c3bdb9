/* Messages between broker and workers over a stream socket. */
#include "flow.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

/* ---- CRC-32C (Castagnoli), eight bytes at a time ---- */

static uint32_t table[8][256];
static pthread_once_t made = PTHREAD_ONCE_INIT;

static void make_table(void)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t c = i;

		for (int k = 0; k < 8; k++)
			c = c & 1 ? c >> 1 ^ 0x82f63b78u : c >> 1;
		table[0][i] = c;
	}
	for (uint32_t i = 0; i < 256; i++)
		for (int k = 1; k < 8; k++)
			table[k][i] = table[k - 1][i] >> 8 ^ table[0][table[k - 1][i] & 255];
}

uint32_t crc32c(uint32_t crc, const void *p, size_t n)
{
	const unsigned char *u = p;

	pthread_once(&made, make_table);
	crc = ~crc;
	for (; n >= 8; n -= 8, u += 8) {
		uint32_t a, b;

		memcpy(&a, u, 4);
		memcpy(&b, u + 4, 4);
		a ^= crc;
		crc = table[7][a & 255] ^ table[6][a >> 8 & 255] ^ table[5][a >> 16 & 255] ^ table[4][a >> 24] ^
			table[3][b & 255] ^ table[2][b >> 8 & 255] ^ table[1][b >> 16 & 255] ^ table[0][b >> 24];
	}
	while (n--)
		crc = crc >> 8 ^ table[0][(crc ^ *u++) & 255];
	return ~crc;
}

uint64_t msg_cost(uint64_t bytes, uint32_t records)
{
	uint64_t least = (uint64_t)records * COST_MIN;

	return bytes > least ? bytes : least;
}

/* ---- sending and reading ---- */

static uint32_t checksum(const struct msg *m, const void *p)
{
	struct msg h = *m;

	h.crc = 0;
	return crc32c(crc32c(0, &h, sizeof h), p, m->len);
}

int msg_send(int fd, struct msg *m, const void *p)
{
	struct iovec v[2] = { { m, sizeof *m }, { (void *)(uintptr_t)p, m->len } };
	struct msghdr h = { .msg_iov = v, .msg_iovlen = 2 };

	m->magic = MSG_MAGIC;
	m->unused = 0;
	m->crc = checksum(m, p);
	for (size_t left = sizeof *m + m->len; left; ) {
		ssize_t n = sendmsg(fd, &h, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			struct pollfd w = { .fd = fd, .events = POLLOUT };

			poll(&w, 1, 1000);
			continue;
		}
		if (n < 0)
			return -1;
		left -= (size_t)n;
		for (int i = 0; i < 2 && n; i++) {
			size_t k = (size_t)n < v[i].iov_len ? (size_t)n : v[i].iov_len;

			v[i].iov_base = (char *)v[i].iov_base + k;
			v[i].iov_len -= k;
			n -= (ssize_t)k;
		}
	}
	return 0;
}

int inbox_next(struct inbox *in, struct msg *m, const char **p, const char **err)
{
	size_t have = in->b.n - in->at;

	if (have < sizeof *m) {
		if (in->at) {
			memmove(in->b.s, in->b.s + in->at, have);
			in->b.n = have;
			in->at = 0;
		}
		return 0;
	}
	memcpy(m, in->b.s + in->at, sizeof *m);
	if (m->magic != MSG_MAGIC || m->len > MSG_MOST) {
		*err = "sent bytes that are no message";
		return -1;
	}
	if (have < sizeof *m + m->len) {
		if (in->at > 1 << 20) {
			memmove(in->b.s, in->b.s + in->at, have);
			in->b.n = have;
			in->at = 0;
		}
		sb_reserve(&in->b, sizeof *m + m->len - have);
		return 0;
	}
	*p = in->b.s + in->at + sizeof *m;
	if (checksum(m, *p) != m->crc) {
		*err = "sent a message whose checksum is wrong";
		return -1;
	}
	in->at += sizeof *m + m->len;
	return 1;
}

ssize_t inbox_read(struct inbox *in, int fd)
{
	ssize_t n;

	sb_reserve(&in->b, 131072);
	n = recv(fd, in->b.s + in->b.n, in->b.cap - in->b.n, MSG_DONTWAIT);
	if (n > 0)
		in->b.n += (size_t)n;
	return n;
}

/* ---- addresses ---- */

static int unix_address(const char *path, struct sockaddr_un *a)
{
	memset(a, 0, sizeof *a);
	a->sun_family = AF_UNIX;
	if (strlen(path) >= sizeof a->sun_path) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(a->sun_path, path, strlen(path));
	return 0;
}

static struct addrinfo *tcp_address(const char *s, bool passive)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = passive ? AI_PASSIVE : 0 }, *list = NULL;
	const char *colon = strrchr(s, ':');
	char *host;

	if (!colon) {
		errno = EINVAL;
		return NULL;
	}
	host = xmalloc((size_t)(colon - s) + 1);
	memcpy(host, s, (size_t)(colon - s));
	host[colon - s] = '\0';
	if (getaddrinfo(*host ? host : NULL, colon + 1, &hints, &list)) {
		errno = EADDRNOTAVAIL;
		list = NULL;
	}
	free(host);
	return list;
}

static int tcp_open(const char *address, bool passive)
{
	struct addrinfo *list = tcp_address(address, passive);
	int fd = -1, on = 1;

	for (struct addrinfo *a = list; a && fd < 0; a = a->ai_next) {
		fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fd < 0)
			continue;
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
		if (passive ? bind(fd, a->ai_addr, a->ai_addrlen) || listen(fd, 128) : connect(fd, a->ai_addr, a->ai_addrlen)) {
			int err = errno;

			close(fd);
			fd = -1;
			errno = err;
		}
	}
	if (list)
		freeaddrinfo(list);
	return fd;
}

static int unix_open(const char *path, bool passive)
{
	struct sockaddr_un a;
	mode_t old;
	int fd, rc;

	if (unix_address(path, &a))
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	old = umask(077);
	rc = passive ? bind(fd, (struct sockaddr *)&a, sizeof a) || listen(fd, 128) : connect(fd, (struct sockaddr *)&a, sizeof a);
	umask(old);
	if (rc) {
		int err = errno;

		close(fd);
		errno = err;
		return -1;
	}
	return fd;
}

static int wire_open(const char *address, bool passive)
{
	if (!strncmp(address, "fd:", 3) && !passive)
		return atoi(address + 3);
	if (!strncmp(address, "unix:", 5))
		return unix_open(address + 5, passive);
	if (!strncmp(address, "tcp:", 4))
		return tcp_open(address + 4, passive);
	errno = EINVAL;
	return -1;
}

int wire_listen(const char *address)
{
	return wire_open(address, true);
}

int wire_connect(const char *address)
{
	return wire_open(address, false);
}
