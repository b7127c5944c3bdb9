/*
 * The supervisor: one small process a run that starts the steps, is the reaper of all that they leave
 * behind, and ends everything when the runner goes away, however it goes. It stands in a session of its
 * own, so neither Ctrl-C nor `kill -9 -GROUP` of the runner reaches it.
 *
 * A step is the leader of a process group. When the leader ends, the rest of the group is killed while
 * the leader is still a zombie, so its number cannot have passed to another process.
 */
#include "supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "couler/arena.h"

#define REMOVE_MS 15000
#define GRACE_MS 200                      /* for steps of a runner that was killed */

struct child { pid_t pid; uint32_t id; char *tag, *container; };     /* container: "PROGRAM\0NAME"; NULL */
struct sup {
	int sock, sigfd, children;        /* children: /proc/.../children, -1 where the kernel lacks it */
	struct child *run;
	uint32_t n, cap;
	char *in;
	size_t have, size;
	char **strs;
	size_t nstrs;
};

/* ---- starting ---- */

struct start { const char *path, *cwd, *log, *out, *in, *container; char **argv, **envp; int32_t extra[2]; };

static int put_fd(const char *path, int flags, int to)
{
	int fd = open(path, flags | O_CLOEXEC, 0666);

	if (fd < 0)
		return -1;
	return dup2(fd, to);
}

/* In the child, which shares memory with its parent until exec: sets *stage and returns only on failure. */
static void become(const struct start *s, volatile int *stage)
{
	sigset_t none;

	sigemptyset(&none);
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigprocmask(SIG_SETMASK, &none, NULL);
	*stage = SUP_LOG;
	if (put_fd(s->log, O_WRONLY | O_APPEND | O_CREAT, 2) < 0)
		return;
	*stage = SUP_OUT;
	if ((*s->out ? put_fd(s->out, O_WRONLY | O_CREAT | O_TRUNC, 1) : dup2(2, 1)) < 0)
		return;
	*stage = SUP_IN;
	if (*s->in && put_fd(s->in, O_RDONLY, 0) < 0)
		return;
	*stage = SUP_CHDIR;
	if (*s->cwd && chdir(s->cwd))
		return;
	for (int i = 0; i < 2; i++)
		if (s->extra[i] >= 0)
			fcntl(s->extra[i], F_SETFD, 0);
	*stage = SUP_EXEC;
	execve(s->path, s->argv, s->envp);
}

static void reply(struct sup *s, const struct sup_reply *r)
{
	const char *p = (const char *)r;
	size_t n = sizeof *r;

	while (n) {
		ssize_t w = send(s->sock, p, n, MSG_NOSIGNAL);

		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			return;                                             /* the runner is gone: the main loop sees it */
		p += w;
		n -= (size_t)w;
	}
}

static char *container_of(const struct start *st)
{
	size_t a = strlen(st->path) + 1, b = strlen(st->container) + 1;
	char *p = b > 1 ? xmalloc(a + b) : NULL;

	if (p) {
		memcpy(p, st->path, a);
		memcpy(p + a, st->container, b);
	}
	return p;
}

static void start(struct sup *s, const struct sup_request *q, const struct start *st)
{
	volatile int stage = SUP_FORK;
	volatile int err = 0;
	pid_t pid = vfork();   /* NOLINT(clang-analyzer-security.insecureAPI.vfork) */
	int status;

	if (pid == 0) {
		become(st, &stage);   /* NOLINT(clang-analyzer-unix.Vfork): calls nothing but system calls */
		err = errno;
		_exit(127);
	}
	if (pid < 0)
		err = errno;
	if (err) {
		struct sup_reply r = { .id = q->id, .status = -1, .err = err, .stage = stage };

		if (pid > 0)
			waitpid(pid, &status, 0);
		reply(s, &r);
		return;
	}
	if (s->n == s->cap) {
		s->cap = s->cap ? 2 * s->cap : 16;
		s->run = xrealloc(s->run, s->cap * sizeof *s->run);
	}
	s->run[s->n++] = (struct child){ pid, q->id, q->tag < q->envc ? xstrdup(st->envp[q->tag]) : NULL, container_of(st) };
}

static void request(struct sup *s, const struct sup_request *q, char *text)
{
	size_t need = (size_t)q->argc + q->envc + 2, k = 0;
	struct start st;
	const char *fixed[6];

	if (q->op == SUP_SIGNAL) {
		for (uint32_t i = 0; i < s->n; i++)
			if (s->run[i].id == q->id)
				kill(-s->run[i].pid, q->sig);
		return;
	}
	if (need > s->nstrs) {
		s->nstrs = 2 * need;
		s->strs = xrealloc(s->strs, s->nstrs * sizeof *s->strs);
	}
	for (int i = 0; i < 6; i++, text += strlen(text) + 1)
		fixed[i] = text;
	for (uint32_t i = 0; i < q->argc; i++, text += strlen(text) + 1)
		s->strs[k++] = text;
	s->strs[k++] = NULL;
	for (uint32_t i = 0; i < q->envc; i++, text += strlen(text) + 1)
		s->strs[k++] = text;
	s->strs[k] = NULL;
	st = (struct start){ fixed[0], fixed[1], fixed[2], fixed[3], fixed[4], fixed[5], s->strs, s->strs + q->argc + 1, { q->extra[0], q->extra[1] } };
	start(s, q, &st);
}

/* Reads and serves whole frames; false at the end of the stream. */
static int serve(struct sup *s)
{
	size_t at = 0;
	ssize_t n;

	if (s->size - s->have < 65536) {
		s->size = 2 * s->size + 131072;
		s->in = xrealloc(s->in, s->size);
	}
	n = recv(s->sock, s->in + s->have, s->size - s->have, MSG_DONTWAIT);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n == 0)
		return 0;
	s->have += (size_t)n;
	while (s->have - at >= sizeof(struct sup_request)) {
		struct sup_request q;

		memcpy(&q, s->in + at, sizeof q);
		if (q.len > s->size) {
			s->size = q.len + 131072;
			s->in = xrealloc(s->in, s->size);
		}
		if (s->have - at < q.len)
			break;
		request(s, &q, s->in + at + sizeof q);
		at += q.len;
	}
	memmove(s->in, s->in + at, s->have - at);
	s->have -= at;
	return 1;
}

/* ---- ending ---- */

static void nap(long ms)
{
	nanosleep(&(struct timespec){ .tv_nsec = ms * 1000000 }, NULL);
}

/* Children that are no step of ours: left behind by steps. Calls f with each; their number, or -1 where it cannot be known. */
static int strays(struct sup *s, int (*f)(struct sup *, pid_t, const char *), const char *tag)
{
	char buf[8192], *end;
	ssize_t n = s->children < 0 ? -1 : pread(s->children, buf, sizeof buf - 1, 0);
	int found = 0;

	if (n < 0)
		return -1;
	buf[n] = '\0';
	for (char *p = buf; *p && *p != '\n'; p = end + (*end == ' ')) {
		pid_t pid = (pid_t)strtol(p, &end, 10);
		uint32_t i = 0;

		if (end == p)
			break;
		while (i < s->n && s->run[i].pid != pid)
			i++;
		if (i == s->n)
			found += f ? f(s, pid, tag) : 1;
	}
	return found;
}

/* Does the environment of pid hold this variable? */
static int has_tag(pid_t pid, const char *tag)
{
	char path[64], *env = NULL;
	size_t n = 0, size = 0, len = strlen(tag) + 1;
	ssize_t r;
	int fd, found = 0;

	snprintf(path, sizeof path, "/proc/%d/environ", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	do {
		if (size - n < 65536)
			env = xrealloc(env, size += 131072);
		r = read(fd, env + n, size - n);
		n += r > 0 ? (size_t)r : 0;
	} while (r > 0);
	close(fd);
	for (size_t at = 0; at + len <= n && !found; at += strnlen(env + at, n - at) + 1)
		found = !memcmp(env + at, tag, len);
	free(env);
	return found;
}

static int kill_tagged(struct sup *s, pid_t pid, const char *tag)
{
	(void)s;
	if (!has_tag(pid, tag))
		return 0;
	kill(pid, SIGKILL);
	return 1;
}

static int kill_any(struct sup *s, pid_t pid, const char *tag)
{
	(void)s;
	(void)tag;
	kill(pid, SIGKILL);
	return 1;
}

/* Ends what a step left outside of its group; 1 if something is still there. */
static int end_strays(struct sup *s, const char *tag)
{
	int left = strays(s, NULL, NULL);

	if (left <= 0 || !tag)
		return left != 0;
	for (int i = 0; i < 50 && (left = strays(s, kill_tagged, tag)) > 0; i++)
		nap(1);                                                     /* what it had started comes to us when it is gone */
	return left != 0;
}

/* A container outlives the program that started it where that was killed; it gets REMOVE_MS to go. */
static void remove_container(char *container)
{
	char *argv[] = { container, (char *)(uintptr_t)"rm", (char *)(uintptr_t)"-f", container + strlen(container) + 1, NULL };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), status;
	pid_t pid = fork();

	if (pid == 0) {
		sigset_t none;

		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		for (int fd = 0; fd < 3; fd++)
			dup2(null, fd);
		execv(argv[0], argv);
		_exit(127);
	}
	for (int ms = 0; pid > 0 && ms < REMOVE_MS && waitpid(pid, &status, WNOHANG) == 0; ms += 5)
		nap(5);
	if (null >= 0)
		close(null);
}

static void ended(struct sup *s, uint32_t i, int status, const struct rusage *ru)
{
	struct child c = s->run[i];
	struct sup_reply r = { .id = c.id, .status = status };

	s->run[i] = s->run[--s->n];
	if (c.container && WIFSIGNALED(status))
		remove_container(c.container);
	free(c.container);
	r.strays = (uint32_t)end_strays(s, c.tag);
	free(c.tag);
	r.cpu_user = (double)ru->ru_utime.tv_sec + (double)ru->ru_utime.tv_usec / 1e6;
	r.cpu_sys = (double)ru->ru_stime.tv_sec + (double)ru->ru_stime.tv_usec / 1e6;
	r.max_rss = (uint64_t)ru->ru_maxrss * 1024;
	reply(s, &r);
}

static void reap(struct sup *s)
{
	siginfo_t si;
	struct rusage ru;
	int status;

	for (;;) {
		uint32_t i = 0;

		si.si_pid = 0;
		if (waitid(P_ALL, 0, &si, WEXITED | WNOHANG | WNOWAIT) || !si.si_pid)
			return;
		while (i < s->n && s->run[i].pid != si.si_pid)
			i++;
		if (i < s->n)
			kill(-si.si_pid, SIGKILL);
		if (wait4(si.si_pid, &status, 0, &ru) == si.si_pid && i < s->n)
			ended(s, i, status, &ru);
	}
}

static void swap(struct child *a, struct child *b)
{
	struct child c = *a;

	*a = *b;
	*b = c;
}

/* The runner is gone: everything ends. */
static _Noreturn void end_all(struct sup *s)
{
	uint32_t n = s->n;
	int status;
	pid_t pid;

	for (uint32_t i = 0; i < s->n; i++) {
		kill(-s->run[i].pid, SIGTERM);
		kill(-s->run[i].pid, SIGCONT);
	}
	for (int ms = 0; s->n && ms < GRACE_MS; ms += 5) {
		while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
			for (uint32_t i = 0; i < s->n; i++)
				if (s->run[i].pid == pid) {
					kill(-pid, SIGKILL);
					swap(&s->run[i--], &s->run[--s->n]);
				}
		if (s->n)
			nap(5);
	}
	for (uint32_t i = 0; i < s->n; i++)
		kill(-s->run[i].pid, SIGKILL);
	s->n = 0;
	for (uint32_t i = 0; i < n; i++)
		if (s->run[i].container)
			remove_container(s->run[i].container);
	for (;;) {
		strays(s, kill_any, NULL);
		while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
			;
		if (pid < 0 && errno == ECHILD)
			_exit(0);
		nap(2);
	}
}

void supervisor(int sock, char *name, unsigned long name_size)
{
	struct sup s = { .sock = sock };
	struct pollfd p[2];
	struct signalfd_siginfo si[16];
	sigset_t all, chld;
	char path[64];

	setsid();
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	prctl(PR_SET_NAME, "couler-super");
	prctl(PR_SET_PDEATHSIG, 0);
	if (name_size > sizeof "couler-supervisor") {
		memset(name, 0, name_size);
		memcpy(name, "couler-supervisor", sizeof "couler-supervisor");
	}
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	for (int sig = 1; sig < 32; sig++)
		signal(sig, SIG_DFL);                                       /* what is ignored stays ignored over exec */
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	s.sigfd = signalfd(-1, &chld, SFD_CLOEXEC | SFD_NONBLOCK);
	snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
	s.children = open(path, O_RDONLY | O_CLOEXEC);
	p[0] = (struct pollfd){ .fd = sock, .events = POLLIN };
	p[1] = (struct pollfd){ .fd = s.sigfd, .events = POLLIN };
	for (;;) {
		if (poll(p, 2, -1) < 0 && errno != EINTR)
			end_all(&s);
		if (p[1].revents) {
			while (read(s.sigfd, si, sizeof si) == sizeof si)
				;
			reap(&s);
		}
		if (p[0].revents && !serve(&s))
			end_all(&s);
	}
}
