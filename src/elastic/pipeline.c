/*
 * The operators of one side of the cut: a process each, and the pipes between them. Where the only reader of an operator
 * reads nothing else, a pipe of the kernel joins the two; elsewhere the records pass through here, are told apart, and go
 * to everyone who reads them. No operator is written to faster than it reads, and none is read faster than what comes
 * behind it takes.
 */
#include "flow.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ROOM (128 * 1024)                 /* bytes that wait for one operator */
#define CHUNK (64 * 1024)

struct sink { int fd; struct strbuf b; size_t at; uint32_t open; bool dead; };  /* open: producers that may still write; fd -1: closed, or joined by a pipe */
struct tap { int fd; struct records r; bool whole; };                         /* fd -1: none, or at its end; whole: all of it was handed on */
struct stage {
	bool here, joined;                /* on this side; its input is a pipe from another operator */
	pid_t pid;
	bool ended;
	int status;
	double cpu;
	struct sink sink;
	struct tap tap;
	uint32_t *reader, nreader;        /* operators here that read it, not joined */
	bool crosses;
};
struct pipeline {
	const struct flow *f;
	struct pipeline_hooks h;
	struct stage *v;
	uint32_t *source, nsource;        /* operators here that read the source */
	uint64_t moved;
	const char *error;
	bool workers;
};

double flow_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int nonblocking(int fd)
{
	return fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

static void fail(struct pipeline *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void fail(struct pipeline *p, const char *fmt, ...)
{
	struct strbuf b = { 0 };
	va_list ap;

	if (p->error)
		return;
	va_start(ap, fmt);
	sb_vf(&b, fmt, ap);
	va_end(ap);
	p->error = arena_dup(p->f->arena, b.s, b.n);
	sb_free(&b);
}

/* ---- starting ---- */

static uint32_t readers_here(const struct pipeline *p, uint32_t producer, uint32_t *out)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < p->f->n; i++)
		for (uint32_t k = 0; p->v[i].here && k < p->f->op[i].nfrom; k++)
			if (p->f->op[i].from[k] == producer)
				out[n++] = i;
	return n;
}

static void wire(struct pipeline *p)
{
	const struct flow *f = p->f;
	uint32_t *all = arena_array(f->arena, uint32_t, f->n + 1);

	for (uint32_t i = 0; i < f->n; i++) {
		struct stage *s = &p->v[i];
		uint32_t n;

		if (!s->here)
			continue;
		s->crosses = p->workers && flow_crosses(f, i);
		n = readers_here(p, i, all);
		if (n == 1 && !s->crosses && f->op[all[0]].nfrom == 1 && !f->measure) {
			p->v[all[0]].joined = true;
			continue;
		}
		s->reader = arena_array(f->arena, uint32_t, n + 1);
		s->nreader = n;
		memcpy(s->reader, all, n * sizeof *all);
	}
	p->nsource = readers_here(p, SOURCE, all);
	p->source = arena_array(f->arena, uint32_t, p->nsource + 1);
	memcpy(p->source, all, p->nsource * sizeof *all);
}

static _Noreturn void become(const struct flow *f, uint32_t i, int in, int out)
{
	bool bash = !strcmp(f->shell, "bash");
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setenv("CW_FRAMING", f->framing == FR_LENGTH ? "length_prefixed" : f->framing == FR_TAR ? "tar" : "lines", 1);
	if (in >= 0)
		dup2(in, 0);
	if (out >= 0)
		dup2(out, 1);
	if (bash)
		execlp("bash", "bash", "-euo", "pipefail", "-c", f->op[i].run, (char *)NULL);
	else
		execlp("sh", "sh", "-eu", "-c", f->op[i].run, (char *)NULL);
	dprintf(2, "couler: %s: %s\n", bash ? "bash" : "sh", strerror(errno));
	_exit(127);
}

/* in: what it reads; *out: what it writes, to be read here or by the next. */
static int start(struct pipeline *p, uint32_t i, int in, int *out)
{
	struct stage *s = &p->v[i];
	int pipe_out[2] = { -1, -1 };

	if (i + 1 < p->f->n && pipe2(pipe_out, O_CLOEXEC))
		return -1;
	s->pid = fork();
	if (!s->pid)
		become(p->f, i, in, pipe_out[1]);
	if (pipe_out[1] >= 0)
		close(pipe_out[1]);
	*out = pipe_out[0];
	return s->pid < 0 ? -1 : 0;
}

/* Operators that are joined are started from the first of the row on, so that each finds its pipe. */
static int start_row(struct pipeline *p, uint32_t i)
{
	const struct flow *f = p->f;
	struct stage *s = &p->v[i];
	int in[2], out = -1, rc;

	if (pipe2(in, O_CLOEXEC))
		return -1;
	s->sink.fd = in[1];
	s->sink.open = f->op[i].nfrom;
	nonblocking(in[1]);
	rc = start(p, i, in[0], &out);
	close(in[0]);
	while (!rc && out >= 0 && !p->v[i].crosses && !p->v[i].nreader) {
		uint32_t next = 0;
		int before = out;

		while (next < f->n && !(p->v[next].joined && f->op[next].from[0] == i))
			next++;
		if (next == f->n)
			break;
		rc = start(p, next, before, &out);
		close(before);
		i = next;
	}
	p->v[i].tap.fd = out;
	if (out >= 0)
		nonblocking(out);
	return rc;
}

struct pipeline *pipeline_start(const struct flow *f, bool workers, const struct pipeline_hooks *h, const char **err)
{
	struct pipeline *p = xcalloc(1, sizeof *p);

	p->f = f;
	p->h = *h;
	p->workers = workers;
	p->v = xcalloc(f->n, sizeof *p->v);
	for (uint32_t i = 0; i < f->n; i++) {
		struct stage *s = &p->v[i];

		s->here = f->op[i].on_worker == workers && f->op[i].run;
		s->sink.fd = s->tap.fd = -1;
		s->status = -1;
		s->ended = !s->here;
		s->tap.r.framing = f->framing;
		s->tap.r.limit = f->limit;
	}
	wire(p);
	for (uint32_t i = 0; i < f->n; i++)
		if (p->v[i].here && !p->v[i].joined && start_row(p, i)) {
			*err = strerror(errno);
			pipeline_free(p);
			return NULL;
		}
	return p;
}

/* ---- writing ---- */

static void close_sink(struct sink *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
	sb_free(&s->b);
	s->at = 0;
}

static void flush_sink(struct pipeline *p, struct sink *s)
{
	while (s->fd >= 0 && s->at < s->b.n) {
		ssize_t n = write(s->fd, s->b.s + s->at, s->b.n - s->at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0) {                                                /* it reads no further: what its exit code means is told later */
			s->dead = true;
			close_sink(s);
			return;
		}
		s->at += (size_t)n;
		p->moved += (uint64_t)n;
	}
	if (s->at == s->b.n)
		s->at = s->b.n = 0;
	if (!s->open)
		close_sink(s);
}

static bool has_room(const struct sink *s)
{
	return s->dead || s->b.n - s->at < ROOM;
}

static void put(struct pipeline *p, struct sink *s, const char *bytes, size_t n)
{
	if (s->dead || s->fd < 0)
		return;
	if (s->at > ROOM) {
		memmove(s->b.s, s->b.s + s->at, s->b.n - s->at);
		s->b.n -= s->at;
		s->at = 0;
	}
	sb_add(&s->b, bytes, n);
	flush_sink(p, s);
}

static void one_less(struct pipeline *p, struct sink *s)
{
	size_t n;
	const char *end = records_end(p->f->framing, &n);

	if (--s->open)
		return;
	if (n)
		put(p, s, end, n);
	flush_sink(p, s);
}

static const uint32_t *readers(const struct pipeline *p, uint32_t producer, uint32_t *n)
{
	static const uint32_t none;

	if (producer == SOURCE) {
		*n = p->nsource;
		return p->source;
	}
	if (p->v[producer].here) {
		*n = p->v[producer].nreader;
		return p->v[producer].reader;
	}
	*n = 0;
	return &none;
}

/* Operators here that read a producer of the other side. */
static uint32_t outside(const struct pipeline *p, uint32_t producer, uint32_t from)
{
	for (uint32_t i = from; i < p->f->n; i++)
		for (uint32_t k = 0; p->v[i].here && k < p->f->op[i].nfrom; k++)
			if (p->f->op[i].from[k] == producer)
				return i;
	return UINT32_MAX;
}

bool pipeline_wants(const struct pipeline *p, uint32_t producer)
{
	for (uint32_t i = outside(p, producer, 0); i != UINT32_MAX; i = outside(p, producer, i + 1))
		if (!has_room(&p->v[i].sink))
			return false;
	return true;
}

bool pipeline_deaf(const struct pipeline *p)
{
	for (uint32_t i = 0; i < p->f->n; i++)
		if (p->v[i].here && !p->v[i].joined && !p->v[i].sink.dead)
			return false;
	return true;
}

void pipeline_feed(struct pipeline *p, uint32_t producer, const char *s, size_t n)
{
	for (uint32_t i = outside(p, producer, 0); i != UINT32_MAX; i = outside(p, producer, i + 1))
		put(p, &p->v[i].sink, s, n);
}

void pipeline_close(struct pipeline *p, uint32_t producer)
{
	for (uint32_t i = outside(p, producer, 0); i != UINT32_MAX; i = outside(p, producer, i + 1))
		one_less(p, &p->v[i].sink);
}

size_t pipeline_held(const struct pipeline *p)
{
	size_t n = 0;

	for (uint32_t i = 0; i < p->f->n; i++) {
		const struct sink *s = &p->v[i].sink;
		int in_pipe = 0;

		if (s->fd < 0)
			continue;
		n += s->b.n - s->at;
		if (!ioctl(s->fd, FIONREAD, &in_pipe) && in_pipe > 0)
			n += (size_t)in_pipe;
	}
	return n;
}

/* ---- reading ---- */

static bool may_read(const struct pipeline *p, const struct stage *s)
{
	uint32_t n;
	const uint32_t *v = readers(p, (uint32_t)(s - p->v), &n);

	for (uint32_t k = 0; k < n; k++)
		if (!has_room(&p->v[v[k]].sink))
			return false;
	return !s->crosses || p->h.room(p->h.data);
}

/* Hands on whole records that were read, as long as there is room. */
static void hand_on(struct pipeline *p, struct stage *s)
{
	uint32_t i = (uint32_t)(s - p->v), nread, n;
	const uint32_t *v = readers(p, i, &nread);
	const char *bytes, *err = NULL;

	if (s->tap.whole)
		return;
	while (may_read(p, s)) {
		int64_t len = records_take(&s->tap.r, s->tap.fd < 0, s->crosses ? FRAME_RECORDS : UINT32_MAX, &bytes, &n, &err);

		if (len < 0)
			fail(p, "operator '%s' wrote output that %s (framing %s)", p->f->op[i].name, err,
				p->f->framing == FR_LENGTH ? "length_prefixed" : p->f->framing == FR_TAR ? "tar" : "lines");
		if (len <= 0) {
			s->tap.whole = s->tap.fd < 0;
			break;
		}
		for (uint32_t k = 0; k < nread; k++)
			put(p, &p->v[v[k]].sink, bytes, (size_t)len);
		if (s->crosses)
			p->h.out(p->h.data, i, bytes, (size_t)len, n);
	}
	if (s->tap.r.at == s->tap.r.b.n)
		s->tap.r.at = s->tap.r.b.n = 0;
	else if (s->tap.r.at > CHUNK) {
		memmove(s->tap.r.b.s, s->tap.r.b.s + s->tap.r.at, s->tap.r.b.n - s->tap.r.at);
		s->tap.r.b.n -= s->tap.r.at;
		s->tap.r.at = 0;
	}
	if (s->tap.whole)
		for (uint32_t k = 0; k < nread; k++)
			one_less(p, &p->v[v[k]].sink);
}

static void read_tap(struct pipeline *p, struct stage *s)
{
	ssize_t n;

	sb_reserve(&s->tap.r.b, CHUNK);
	n = read(s->tap.fd, s->tap.r.b.s + s->tap.r.b.n, s->tap.r.b.cap - s->tap.r.b.n);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0) {
		s->tap.r.b.n += (size_t)n;
		p->moved += (uint64_t)n;
	} else {
		close(s->tap.fd);
		s->tap.fd = -1;
	}
	hand_on(p, s);
}

uint32_t pipeline_polls(struct pipeline *p, struct pollfd *v)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < p->f->n; i++) {
		struct stage *s = &p->v[i];

		if (!s->here)
			continue;
		if ((s->crosses || s->nreader) && (s->tap.fd < 0 || s->tap.r.b.n > s->tap.r.at) && may_read(p, s))
			hand_on(p, s);
		if (s->sink.fd >= 0 && s->sink.at < s->sink.b.n)
			v[n++] = (struct pollfd){ .fd = s->sink.fd, .events = POLLOUT };
		if (s->tap.fd >= 0 && may_read(p, s))
			v[n++] = (struct pollfd){ .fd = s->tap.fd, .events = POLLIN };
	}
	return n;
}

void pipeline_turn(struct pipeline *p, const struct pollfd *v, uint32_t n)
{
	for (uint32_t k = 0; k < n; k++) {
		if (!v[k].revents)
			continue;
		for (uint32_t i = 0; i < p->f->n; i++) {
			if (p->v[i].sink.fd == v[k].fd && v[k].events == POLLOUT)
				flush_sink(p, &p->v[i].sink);
			else if (p->v[i].tap.fd == v[k].fd && v[k].events == POLLIN)
				read_tap(p, &p->v[i]);
		}
	}
}

/* ---- ends ---- */

static void ended(struct pipeline *p, uint32_t i)
{
	const struct stage *s = &p->v[i];
	const char *name = p->f->op[i].name;

	if (i + 1 == p->f->n)
		return;                                                     /* the trainer's end is the broker's matter */
	if (WIFSIGNALED(s->status) && WTERMSIG(s->status) != SIGPIPE)
		fail(p, "operator '%s' was killed by signal %d (%s)", name, WTERMSIG(s->status), strsignal(WTERMSIG(s->status)));
	else if (WIFEXITED(s->status) && WEXITSTATUS(s->status))
		fail(p, "operator '%s' ended with exit code %d", name, WEXITSTATUS(s->status));
}

bool pipeline_reap(struct pipeline *p)
{
	bool all = true;

	for (uint32_t i = 0; i < p->f->n; i++) {
		struct stage *s = &p->v[i];
		struct rusage ru;

		if (!s->ended && s->pid > 0 && wait4(s->pid, &s->status, WNOHANG, &ru) == s->pid) {
			s->ended = true;
			s->cpu = (double)ru.ru_utime.tv_sec + (double)ru.ru_stime.tv_sec + (double)(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) / 1e6;
			ended(p, i);
		}
		all = all && s->ended && (s->tap.fd < 0) && (s->tap.whole || !s->here || (!s->crosses && !s->nreader));
	}
	return all;
}

const char *pipeline_error(const struct pipeline *p)
{
	return p->error;
}

int pipeline_status(const struct pipeline *p, uint32_t op)
{
	return p->v[op].ended ? p->v[op].status : -1;
}

struct op_figures pipeline_figures(const struct pipeline *p, uint32_t op)
{
	return (struct op_figures){ p->v[op].tap.r.count, p->v[op].tap.r.bytes, p->v[op].cpu };
}

uint64_t pipeline_progress(const struct pipeline *p)
{
	return p->moved;
}

void pipeline_stop(struct pipeline *p, int sig)
{
	for (uint32_t i = 0; i < p->f->n; i++)
		if (p->v[i].pid > 0 && !p->v[i].ended)
			kill(p->v[i].pid, sig);
}

void pipeline_free(struct pipeline *p)
{
	if (!p)
		return;
	pipeline_stop(p, SIGKILL);
	for (uint32_t i = 0; i < p->f->n; i++) {
		struct stage *s = &p->v[i];

		close_sink(&s->sink);
		if (s->tap.fd >= 0)
			close(s->tap.fd);
		sb_free(&s->tap.r.b);
		while (s->pid > 0 && !s->ended && waitpid(s->pid, &s->status, 0) < 0 && errno == EINTR)
			;
	}
	free(p->v);
	free(p);
}
