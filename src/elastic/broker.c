/* The broker of a dataflow: its loop from the first split to the trainer's end. */
#include "broker.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define GRACE 10.0                        /* s that the trainer has after TERM */
#define LOOK 0.005                        /* s between looks at whether the trainer has taken the last bytes */

void broker_say(struct broker *b, const char *fmt, ...)
{
	struct strbuf s = { 0 };
	va_list ap;

	va_start(ap, fmt);
	sb_vf(&s, fmt, ap);
	va_end(ap);
	b->o->say(sb_cstr(&s), b->o->data);
	sb_free(&s);
}

void broker_fail(struct broker *b, const char *fmt, ...)
{
	struct strbuf s = { 0 };
	va_list ap;

	if (b->error)
		return;
	va_start(ap, fmt);
	sb_vf(&s, fmt, ap);
	va_end(ap);
	b->error = arena_dup(b->arena, s.s, s.n);
	b->o->say(b->error, b->o->data);
	sb_free(&s);
}

bool elsewhere(const struct broker *b)
{
	return b->o->listen || b->o->job;
}

/* ---- beginning ---- */

static int read_spec(struct broker *b)
{
	struct strbuf s = { 0 };
	const char *err = NULL;
	char buf[65536];
	ssize_t n = -1;
	int fd = open(b->o->spec, O_RDONLY | O_CLOEXEC);

	while (fd >= 0 && (n = read(fd, buf, sizeof buf)) > 0)
		sb_add(&s, buf, (size_t)n);
	if (n < 0)
		broker_fail(b, "%s: %s", b->o->spec, strerror(errno));
	if (fd >= 0)
		close(fd);
	if (!n)
		b->f = flow_read(b->arena, s.s ? s.s : "", s.n, &err);
	if (!n && !b->f)
		broker_fail(b, "%s: %s", b->o->spec, err);
	sb_free(&s);
	return b->f ? 0 : -1;
}

static void crossing(struct broker *b)
{
	const struct flow *f = b->f;

	b->cross = arena_array(b->arena, uint32_t, f->n + 1);
	if (flow_crosses(f, SOURCE))
		b->cross[b->ncross++] = SOURCE;
	for (uint32_t i = 0; i < f->n; i++)
		if (flow_crosses(f, i))
			b->cross[b->ncross++] = i;
}

static bool no_room(void *data)
{
	(void)data;
	return false;
}

static void no_out(void *data, uint32_t producer, const char *p, size_t n, uint32_t records)
{
	(void)data;
	(void)producer;
	(void)p;
	(void)n;
	(void)records;
}

/* Where workers elsewhere come to, and what they are sent. */
static int begin_elsewhere(struct broker *b)
{
	const char *at = b->o->listen, *ip = getenv("COULER_POD_IP"), *token = getenv("COULER_DATAFLOW_TOKEN");
	struct strbuf any = { 0 };

	sb_f(&any, "tcp:%s:0", ip ? ip : "");
	at = at ? at : sb_cstr(&any);
	b->listen_fd = wire_listen(at);
	if (b->listen_fd < 0)
		broker_fail(b, "%s: %s", at, strerror(errno));
	sb_free(&any);
	if (b->error || carry_make(b))
		return -1;
	if (b->o->job)
		return cluster_begin(b);
	b->token = token ? strdup(token) : NULL;
	return 0;
}

static int begin(struct broker *b)
{
	struct pipeline_hooks h = { no_out, no_room, b };
	const char *err = NULL;
	sigset_t set;

	b->started = b->last = flow_now();
	b->queue.last = &b->queue.first;
	b->listen_fd = b->sigfd = -1;
	if (read_spec(b))
		return -1;
	b->figures = arena_array(b->arena, struct op_figures, b->f->n + 1);
	if (leases_make(b))
		return -1;
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	b->sigfd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (elsewhere(b) && begin_elsewhere(b))
		return -1;
	if (b->o->share)
		b->share = share_open(b->o->share);
	crossing(b);
	b->p = pipeline_start(b->f, false, &h, &err);
	if (!b->p) {
		broker_fail(b, "the trainer could not be started: %s", err);
		return -1;
	}
	if (!b->nfiles)
		broker_say(b, "%s holds no files: the trainer gets no records", getenv(b->f->split));
	return 0;
}

/* ---- the loop ---- */

static void read_signals(struct broker *b)
{
	struct signalfd_siginfo si;

	while (read(b->sigfd, &si, sizeof si) == sizeof si) {
		if (si.ssi_signo == SIGCHLD)
			continue;
		b->signal = (int)si.ssi_signo;
		pipeline_stop(b->p, SIGTERM);
	}
}

/* Dead workers and what they left; live ones are found by their sockets. */
static void reap_workers(struct broker *b)
{
	for (struct worker **at = &b->workers, *w; (w = *at); ) {
		if (!w->dead || (w->pid && waitpid(w->pid, NULL, WNOHANG) != w->pid)) {
			at = &w->next;
			continue;
		}
		*at = w->next;
		b->nworkers--;
		sb_free(&w->in.b);
		sb_free(&w->out);
		free(w);
	}
}

static int how_long(const struct broker *b, double now)
{
	double next = b->t_tick + b->f->tick - now;

	if (!b->closed && !b->queued && !b->holding && next > LOOK)
		next = LOOK;
	if (b->holding && b->queued && next > 0.02)
		next = 0.02;
	if (b->closed && next > 0.05)
		next = 0.05;
	return next <= 0 ? 0 : (int)(next * 1000) + 1;
}

static void turn(struct broker *b)
{
	uint32_t n = 2, k, polled = 0;
	struct pollfd *v = xcalloc(2 * (size_t)b->f->n + b->nworkers + 4, sizeof *v);
	struct worker **who = xcalloc((size_t)b->nworkers + 1, sizeof *who);
	double now;

	v[0] = (struct pollfd){ .fd = b->sigfd, .events = POLLIN };
	v[1] = (struct pollfd){ .fd = b->listen_fd, .events = POLLIN };
	for (struct worker *w = b->workers; w; w = w->next)
		if (!w->dead) {
			who[polled++] = w;
			v[n++] = (struct pollfd){ .fd = w->fd, .events = (short)(POLLIN | (w->out.n > w->out_at ? POLLOUT : 0)) };
		}
	k = n;
	n += pipeline_polls(b->p, v + k);
	poll(v, n, how_long(b, flow_now()));
	account(b, flow_now());
	if (v[0].revents)
		read_signals(b);
	if (v[1].revents)
		worker_accept(b);
	for (uint32_t i = 0; i < polled; i++) {
		if (v[2 + i].revents & POLLOUT)
			worker_write(who[i]);
		if (v[2 + i].revents & ~POLLOUT)
			worker_read(b, who[i]);
	}
	pipeline_turn(b->p, v + k, n - k);
	free(v);
	free(who);
	reap_workers(b);
	feed(b);
	workers_lease(b);
	now = flow_now();
	workers_watch(b, now);
	tick(b, now);
	cluster_tick(b, now);
}

static bool trainer_ended(struct broker *b)
{
	bool all = pipeline_reap(b->p);

	if (pipeline_error(b->p) && pipeline_status(b->p, b->f->n - 1) < 0)
		broker_fail(b, "%s", pipeline_error(b->p));
	return all || pipeline_status(b->p, b->f->n - 1) >= 0;
}

/* The trainer after its signal: TERM has been sent, KILL follows. */
static void wait_grace(struct broker *b)
{
	for (double until = flow_now() + GRACE; flow_now() < until && !trainer_ended(b); usleep(20000))
		;
}

static int end(struct broker *b)
{
	int status = pipeline_status(b->p, b->f->n - 1), code;
	const char *wrong = pipeline_error(b->p);

	if (b->signal)
		return 128 + b->signal;
	if (b->error)
		return 1;
	code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	if (code) {
		broker_say(b, "the trainer %s %d after %llu records", WIFSIGNALED(status) ? "was killed by signal" : "ended with exit code",
			WIFSIGNALED(status) ? WTERMSIG(status) : code, (unsigned long long)b->all_records);
		return code;
	}
	if (wrong) {
		broker_fail(b, "%s", wrong);
		return 1;
	}
	if (!b->closed || b->deaf)
		broker_say(b, "the trainer ended after %llu records, before the last", (unsigned long long)b->all_records);
	return 0;
}

static void last_words(struct broker *b, int rc)
{
	double t = flow_now() - b->started;
	struct op_figures *v = b->figures;

	for (uint32_t i = 0; i + 1 < b->f->n; i++)
		if (!b->f->op[i].on_worker) {
			struct op_figures here = pipeline_figures(b->p, i);

			v[i].records += here.records;
			v[i].bytes += here.bytes;
			v[i].cpu += here.cpu;
		}
	figures_write(b);
	if (!rc)
		broker_say(b, "%llu records in %.1f s, %.0f/s; the trainer waited %.0f %% of the time%s", (unsigned long long)b->all_records, t, (double)b->all_records / (t > 0 ? t : 1),
			t > 0 ? 100 * (b->all_wait + b->trainer_wait) / t : 0, b->deaths ? "; splits of lost workers were done again" : "");
}

/* What the trainer or an operator left behind came to us: it ends, too. */
static void kill_rest(void)
{
	char path[64], buf[8192], *endp;

	snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
	for (int i = 0; i < 500; i++) {
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		ssize_t n = fd < 0 ? 0 : read(fd, buf, sizeof buf - 1);

		if (fd >= 0)
			close(fd);
		buf[n > 0 ? n : 0] = '\0';
		for (char *s = buf; *s; s = endp + (*endp == ' ')) {
			long pid = strtol(s, &endp, 10);

			if (endp == s)
				break;
			kill((pid_t)pid, SIGKILL);
		}
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		if (n <= 0)
			return;
		usleep(2000);
	}
}

int flow_run(const struct flow_opts *o)
{
	struct broker b = { .o = o, .arena = arena_new() };
	int rc = 1;

	if (!begin(&b)) {
		tick(&b, flow_now());
		while (!b.signal && !b.error && !trainer_ended(&b))
			turn(&b);
		if (b.signal)
			wait_grace(&b);
		rc = end(&b);
		last_words(&b, rc);
	}
	workers_stop(&b);
	cluster_end(&b);
	pipeline_free(b.p);
	kill_rest();
	if (b.nlease || b.queue.last)
		feed_forget(&b);
	share_close(b.share);
	if (b.sigfd >= 0)
		close(b.sigfd);
	if (b.listen_fd >= 0)
		close(b.listen_fd);
	arena_free(b.arena);
	return rc;
}
