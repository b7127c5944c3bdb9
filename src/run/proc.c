/* Processes, through the supervisor: requests are buffered and sent once a turn of the event loop. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rt.h"
#include "supervisor.h"

struct procs {
	int fd;
	pid_t pid;
	bool gone, want_out;
	struct strbuf out;
	size_t sent;
	char in[64 * sizeof(struct sup_reply)];
	size_t have;
	struct proc **by_id;
	uint32_t *free_ids, nfree, n, cap;
	uint32_t running;
};

static int ascending(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* The child's side: keeps standard streams, the socket, the lock of the run and what steps inherit; nothing else. */
static void child(struct rt *rt, int sock)
{
	const int *jobs = jobserver_fds(rt);
	int null = open("/dev/null", O_RDWR), keep[] = { sock, rt->lock_fd, jobs[0], jobs[1] };
	const int n = (int)(sizeof keep / sizeof *keep);
	char *name = rt->o->argv ? rt->o->argv[0] : NULL, *end = name;

	for (int i = 0; i < 3; i++)
		dup2(null, i);
	qsort(keep, (size_t)n, sizeof *keep, ascending);
	for (int at = 3, i = 0; i <= n; i++) {
		int to = i < n ? keep[i] : -1;

		if (i < n && to < at)
			continue;
		if (i == n)
			close_range((unsigned)at, ~0u, 0);
		else if (to > at)
			close_range((unsigned)at, (unsigned)to - 1, 0);
		at = to + 1;
	}
	for (int i = 0; name && rt->o->argv[i] && rt->o->argv[i] == end; i++)
		end += strlen(end) + 1;
	supervisor(sock, name, (unsigned long)(end - name));
}

static int open_supervisor(struct rt *rt)
{
	struct procs *ps = xcalloc(1, sizeof *ps);
	struct epoll_event ev = { .events = EPOLLIN, .data.fd = -1 };
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair)) {
		free(ps);
		return -1;
	}
	jobserver_offer(rt);
	prctl(PR_SET_CHILD_SUBREAPER, 1);                                  /* should the supervisor be killed, what it had comes here */
	fflush(NULL);
	ps->pid = fork();
	if (ps->pid == 0)
		child(rt, pair[1]);
	close(pair[1]);
	if (ps->pid < 0) {
		close(pair[0]);
		free(ps);
		return -1;
	}
	fcntl(pair[0], F_SETFL, O_NONBLOCK);
	ps->fd = pair[0];
	ev.data.fd = ps->fd;
	epoll_ctl(rt->epoll, EPOLL_CTL_ADD, ps->fd, &ev);
	rt->procs = ps;
	return 0;
}

int procs_fd(const struct rt *rt)
{
	return rt->procs ? rt->procs->fd : -1;
}

static uint32_t new_id(struct procs *ps)
{
	if (ps->nfree)
		return ps->free_ids[--ps->nfree];
	if (ps->n == ps->cap) {
		ps->cap = ps->cap ? 2 * ps->cap : 64;
		ps->by_id = xrealloc(ps->by_id, ps->cap * sizeof *ps->by_id);
		ps->free_ids = xrealloc(ps->free_ids, ps->cap * sizeof *ps->free_ids);
	}
	return ps->n++;
}

static void add_z(struct strbuf *b, const char *z)
{
	sb_add(b, z ? z : "", z ? strlen(z) + 1 : 1);
}

int proc_start(struct rt *rt, struct proc *p, const struct spawn *s, proc_ended *ended, void *data)
{
	struct sup_request q = { .op = SUP_START, .tag = UINT32_MAX, .extra = { -1, -1 } };
	struct strbuf *b;
	size_t at;

	if (!rt->procs && open_supervisor(rt))
		return -1;
	if (rt->procs->gone) {
		errno = ECHILD;
		return -1;
	}
	b = &rt->procs->out;
	at = b->n;
	memset(p, 0, sizeof *p);
	q.id = p->id = new_id(rt->procs);
	for (int i = 0; i < 2; i++)
		q.extra[i] = jobserver_fds(rt)[i];
	sb_add(b, (const char *)&q, sizeof q);
	add_z(b, s->path);
	add_z(b, s->cwd);
	add_z(b, s->log);
	add_z(b, s->out);
	add_z(b, s->in);
	add_z(b, s->container);
	for (; s->argv[q.argc]; q.argc++)
		add_z(b, s->argv[q.argc]);
	for (; s->envp[q.envc]; q.envc++) {
		if (!strncmp(s->envp[q.envc], "CW_TMP=", 7))
			q.tag = q.envc;
		add_z(b, s->envp[q.envc]);
	}
	q.len = (uint32_t)(b->n - at);
	memcpy(b->s + at, &q, sizeof q);
	p->ended = ended;
	p->data = data;
	p->t0 = now_mono();
	rt->procs->by_id[p->id] = p;
	rt->procs->running++;
	return 0;
}

void proc_signal(struct rt *rt, struct proc *p, int sig)
{
	struct sup_request q = { .len = sizeof q, .op = SUP_SIGNAL, .id = p->id, .sig = sig, .extra = { -1, -1 } };

	if (!rt->procs || rt->procs->gone || p->id >= rt->procs->n || rt->procs->by_id[p->id] != p)
		return;
	p->sig = sig;
	sb_add(&rt->procs->out, (const char *)&q, sizeof q);
}

static void kill_now(struct rt *rt, void *data)
{
	proc_signal(rt, data, SIGKILL);
}

void proc_end_group(struct rt *rt, struct proc *p, double grace)
{
	p->killed = true;
	if (grace <= 0) {
		proc_signal(rt, p, SIGKILL);
		return;
	}
	proc_signal(rt, p, SIGTERM);
	proc_signal(rt, p, SIGCONT);
	if (!p->escalate.pos)
		timer_set(rt, &p->escalate, now_mono() + grace, kill_now, p);
}

int procs_flush(struct rt *rt)
{
	struct procs *ps = rt->procs;
	struct epoll_event ev = { .events = EPOLLIN };

	while (ps && !ps->gone && ps->sent < ps->out.n) {
		ssize_t n = send(ps->fd, ps->out.s + ps->sent, ps->out.n - ps->sent, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		ps->sent += (size_t)n;
	}
	if (!ps || ps->gone)
		return 0;
	if (ps->sent == ps->out.n)
		ps->sent = ps->out.n = 0;
	if (ps->want_out != (ps->out.n > 0)) {
		ps->want_out = ps->out.n > 0;
		ev.events = EPOLLIN | (ps->want_out ? EPOLLOUT : 0);
		ev.data.fd = ps->fd;
		epoll_ctl(rt->epoll, EPOLL_CTL_MOD, ps->fd, &ev);
	}
	return 0;
}

static void deliver(struct rt *rt, uint32_t id, const struct proc_end *e)
{
	struct procs *ps = rt->procs;
	struct proc *p = ps->by_id[id];

	if (!p)
		return;
	ps->by_id[id] = NULL;
	ps->free_ids[ps->nfree++] = id;
	ps->running--;
	timer_clear(rt, &p->escalate);
	p->ended(rt, p, e);
}

/* The supervisor was killed: its steps came to us as orphans. */
static void lost(struct rt *rt)
{
	struct procs *ps = rt->procs;
	struct proc_end e = { .status = -1, .err = ECHILD, .what = "supervisor" };

	ps->gone = true;
	epoll_ctl(rt->epoll, EPOLL_CTL_DEL, ps->fd, NULL);
	kill_children();
	for (uint32_t i = 0; i < ps->n; i++)
		deliver(rt, i, &e);
}

void procs_poll(struct rt *rt)
{
	static const char *const stages[] = { "", "fork", "chdir", "in", "log", "out", "exec" };
	struct procs *ps = rt->procs;

	while (ps && !ps->gone) {
		ssize_t n = recv(ps->fd, ps->in + ps->have, sizeof ps->in - ps->have, MSG_DONTWAIT);
		size_t at = 0;

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			lost(rt);
			return;
		}
		ps->have += (size_t)n;
		for (struct sup_reply r; ps->have - at >= sizeof r; at += sizeof r) {
			struct proc_end e;

			memcpy(&r, ps->in + at, sizeof r);
			e = (struct proc_end){ r.status, r.err, stages[r.stage], r.cpu_user, r.cpu_sys, r.max_rss, r.strays != 0 };
			deliver(rt, r.id, &e);
		}
		memmove(ps->in, ps->in + at, ps->have - at);
		ps->have -= at;
		if ((size_t)n < sizeof ps->in / 2)
			return;
	}
}

/* Ends the children of this process, and what comes to it when they are gone. */
void kill_children(void)
{
	char path[64], buf[8192], *end;
	int status;

	snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
	for (int i = 0; i < 500; i++) {
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		ssize_t n = fd < 0 ? -1 : read(fd, buf, sizeof buf - 1);
		pid_t pid;

		if (fd >= 0)
			close(fd);
		buf[n > 0 ? n : 0] = '\0';
		for (char *p = buf; *p; p = end + (*end == ' ')) {
			pid = (pid_t)strtol(p, &end, 10);
			if (end == p)
				break;
			kill(pid, SIGKILL);
		}
		while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
			;
		if (pid < 0)
			return;
		usleep(2000);
	}
}

void procs_close(struct rt *rt)
{
	struct procs *ps = rt->procs;
	int status;

	if (!ps)
		return;
	rt->procs = NULL;
	close(ps->fd);
	while (waitpid(ps->pid, &status, 0) < 0 && errno == EINTR)
		;
	sb_free(&ps->out);
	free(ps->by_id);
	free(ps->free_ids);
	free(ps);
}
