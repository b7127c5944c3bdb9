/*
 * GNU make's jobserver ("POSIX Jobserver Interaction" in its manual): a pipe with a byte for each process that may run
 * beside the first. Under a make with one, couler takes a byte for each step beside the first, and steps share what make
 * has. Else couler is the server: a make in a step shares the slots of -j.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rt.h"

#define MOST 4096u                        /* bytes that any pipe takes */
#define HIGH 100                          /* descriptors from here on are not the ones that scripts name themselves */

struct jobserver {
	int in, out;                      /* ours; in does not block, and is no description that others read from */
	int pass[2];                      /* those that steps inherit; -1: none */
	bool own, waits;                  /* waits: in is watched */
	uint32_t total;                   /* own: bytes in the pipe while nobody holds one */
	struct strbuf held;               /* go back as they came */
};

static bool is_pipe(int fd, int mode)
{
	struct stat st;
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && ((flags & O_ACCMODE) == mode || (flags & O_ACCMODE) == O_RDWR) && !fstat(fd, &st) && S_ISFIFO(st.st_mode);
}

/* The same pipe by a description of its own, so that not to block is a matter of this process alone. */
static int reopen(int fd)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	return open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
}

/* What stands last in MAKEFLAGS counts; NULL: nothing. */
static const char *auth_of(const char *flags)
{
	static const char *const names[] = { "--jobserver-auth=", "--jobserver-fds=" };
	const char *found = NULL;

	for (size_t k = 0; flags && !found && k < sizeof names / sizeof *names; k++)
		for (const char *p = flags; (p = strstr(p, names[k])); )
			found = p += strlen(names[k]);
	return found;
}

static bool join(struct arena *a, struct jobserver *j, const char *auth)
{
	char *end, *path;

	if (!strncmp(auth, "fifo:", 5)) {
		path = arena_dup(a, auth + 5, strcspn(auth + 5, " "));
		j->in = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		j->out = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
		return j->in >= 0 && j->out >= 0 && is_pipe(j->in, O_RDONLY);
	}
	j->pass[0] = (int)strtol(auth, &end, 10);
	j->pass[1] = *end == ',' ? (int)strtol(end + 1, &end, 10) : -1;
	if (j->pass[0] < 0 || j->pass[1] < 0 || !is_pipe(j->pass[0], O_RDONLY) || !is_pipe(j->pass[1], O_WRONLY)) {
		j->pass[0] = j->pass[1] = -1;
		return false;
	}
	j->in = reopen(j->pass[0]);
	j->out = fcntl(j->pass[1], F_DUPFD_CLOEXEC, 0);
	return j->in >= 0 && j->out >= 0;
}

static void shut(struct jobserver *j)
{
	if (j->in >= 0)
		close(j->in);
	if (j->out >= 0)
		close(j->out);
	for (int k = 0; k < 2 && j->own; k++)
		if (j->pass[k] >= 0)
			close(j->pass[k]);
	sb_free(&j->held);
	free(j);
}

static struct jobserver *none(void)
{
	struct jobserver *j = xcalloc(1, sizeof *j);

	j->in = j->out = j->pass[0] = j->pass[1] = -1;
	return j;
}

void jobserver_join(struct rt *rt)
{
	const char *auth = auth_of(getenv("MAKEFLAGS"));
	struct strbuf b = { 0 };
	struct jobserver *j;

	if (!auth)
		return;
	j = none();
	if (join(rt->arena, j, auth)) {
		rt->jobserver = j;
		sb_f(&b, " -j --jobserver-auth=%.*s", (int)strcspn(auth, " "), auth);   /* nothing else of it: that was not declared */
		rt->makeflags = arena_dup(rt->arena, b.s, b.n);
		sb_free(&b);
		return;
	}
	shut(j);
	view_note(rt, "make offers its jobs, but not to this recipe: begin its line with + to share them; %u steps at once until then", rt->sched.jobs);
}

static int high(int fd)
{
	int up = fcntl(fd, F_DUPFD_CLOEXEC, HIGH);

	if (up < 0)
		return fd;
	close(fd);
	return up;
}

/* A byte that is not written is one process less at a time. */
static void fill(struct jobserver *j, uint32_t n)
{
	static const char plus[64] = "++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++";

	while (n) {
		ssize_t w = write(j->out, plus, n < sizeof plus ? n : sizeof plus);

		if (w < 0 && errno != EINTR)
			return;
		n -= w > 0 ? (uint32_t)w : 0;
	}
}

void jobserver_offer(struct rt *rt)
{
	struct jobserver *j;
	struct strbuf b = { 0 };
	int fd[2];

	if (rt->makeflags || rt->sched.jobs < 2 || pipe2(fd, O_CLOEXEC))
		return;
	j = none();
	j->own = true;
	j->pass[0] = high(fd[0]);
	j->pass[1] = high(fd[1]);
	j->in = reopen(j->pass[0]);
	j->out = fcntl(j->pass[1], F_DUPFD_CLOEXEC, 0);
	if (j->in < 0 || j->out < 0) {
		shut(j);
		return;
	}
	j->total = rt->sched.jobs - 1 < MOST ? rt->sched.jobs - 1 : MOST;
	fill(j, j->total);
	sb_f(&b, " -j%u --jobserver-auth=%d,%d", rt->sched.jobs, j->pass[0], j->pass[1]);
	rt->makeflags = arena_dup(rt->arena, b.s, b.n);
	sb_free(&b);
	rt->jobserver = j;
}

const int *jobserver_fds(const struct rt *rt)
{
	static const int nothing[2] = { -1, -1 };

	return rt->jobserver ? rt->jobserver->pass : nothing;
}

int jobserver_fd(const struct rt *rt)
{
	return rt->jobserver && rt->jobserver->waits ? rt->jobserver->in : -1;
}

void jobserver_poll(struct rt *rt)
{
	rt->jobserver->waits = false;
	epoll_ctl(rt->epoll, EPOLL_CTL_DEL, rt->jobserver->in, NULL);
}

bool jobserver_take(struct rt *rt)
{
	struct jobserver *j = rt->jobserver;
	struct epoll_event ev = { .events = EPOLLIN };
	ssize_t n;
	char c;

	if (!j || j->held.n >= rt->sched.nrunning)                         /* the first needs none */
		return true;
	do
		n = read(j->in, &c, 1);
	while (n < 0 && errno == EINTR);
	if (n == 1) {
		sb_ch(&j->held, c);
		return true;
	}
	if (n == 0 || errno != EAGAIN) {                                   /* the server is gone: nobody to share with */
		rt->jobserver = NULL;
		shut(j);
		return true;
	}
	ev.data.fd = j->in;
	if (!j->waits && !epoll_ctl(rt->epoll, EPOLL_CTL_ADD, j->in, &ev))
		j->waits = true;
	return false;
}

/* Bytes that a killed make took with it are put back while nobody else can hold one. */
static void mend(struct jobserver *j)
{
	int left = 0;

	if (j->own && !ioctl(j->in, FIONREAD, &left) && (uint32_t)left < j->total)
		fill(j, j->total - (uint32_t)left);
}

void jobserver_give(struct rt *rt)
{
	struct jobserver *j = rt->jobserver;
	uint32_t need = rt->sched.nrunning ? rt->sched.nrunning - 1 : 0;

	while (j && j->held.n > need) {
		ssize_t n = write(j->out, j->held.s + j->held.n - 1, 1);

		if (n < 0 && errno == EINTR)
			continue;
		j->held.n--;
	}
	if (j && !rt->sched.nrunning)
		mend(j);
}

void jobserver_close(struct rt *rt)
{
	if (!rt->jobserver)
		return;
	rt->sched.nrunning = 0;
	jobserver_give(rt);
	shut(rt->jobserver);
	rt->jobserver = NULL;
}
