/* One run, from its parameters to its exit code. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "history.h"
#include "predict.h"
#include "remote.h"
#include "runlog.h"
#include "same.h"
#include "rt.h"

extern char **environ;

#define GRACE 10.0                        /* s that steps have after a first SIGINT, and again after TERM */

/* ---- counting and telling ---- */

double rt_random(struct rt *rt)
{
	uint64_t z = rt->random += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return (double)((z ^ z >> 31) >> 11) * 0x1p-53;
}

void rt_count(struct rt *rt, struct inst *i)
{
	same_made(rt, i);
	if (i->node->kind == N_CALL || !inst_is_step(i))
		return;
	rt->count.steps++;
	node_info(rt, i->node)->made++;
}

void rt_ended(struct rt *rt, struct inst *i)
{
	if (!inst_is_step(i)) {
		if (i->status == ST_FAILED && i->err && !(i->scope->owner && i->scope->owner->node->kind == N_SWEEP))
			view_ended(rt, i);                                  /* a region that could not be evaluated; a trial has a line of its own */
		return;
	}
	if (i->node->kind != N_CALL) {
		node_info(rt, i->node)->ended++;
		rt->count.done++;
		rt->count.failed += i->status == ST_FAILED;
		rt->count.skipped += i->status == ST_SKIPPED;
		rt->count.cached += i->cached;
	}
	if (i->node->kind != N_STEP || i->status == ST_SKIPPED)
		journal_inst(rt, i);
	event_ended(rt, i, i->node->kind == N_STEP && i->attempts ? i->u.step : NULL);
	if (i->node->kind != N_CALL || i->err)
		view_ended(rt, i);
}

/* ---- the environment that every step gets ---- */

static void base_env(struct rt *rt)
{
	static const char *const names[] = { "PATH", "HOME", "USER", "LANG", "TZ" };
	uint32_t n = 0;

	rt->base_env = arena_array(rt->arena, char *, sizeof names / sizeof *names + 1);
	rt->path_env = "/usr/local/bin:/usr/bin:/bin";
	for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
		const char *v = getenv(names[k]);
		struct strbuf b = { 0 };

		if (!k && (!v || !*v))
			v = rt->path_env;
		if (!v)
			continue;
		sb_f(&b, "%s=%s", names[k], v);
		rt->base_env[n++] = arena_dup(rt->arena, b.s, b.n);
		if (!k)
			rt->path_env = rt->base_env[0] + 5;
		sb_free(&b);
	}
}

/* ---- signals ---- */

static void kill_all(struct rt *rt, void *data)
{
	(void)data;
	for (struct step *s = rt->running; s; s = s->run_next)
		step_stop(rt, s, 0, rt->hurry ? 0 : GRACE);
}

static void on_signal(struct rt *rt, int sig)
{
	if (rt->signal) {
		rt->hurry = true;
		kill_all(rt, NULL);
		return;
	}
	rt->signal = sig;
	rt->stopping = true;
	view_note(rt, "%s: nothing new starts, %u running steps get the signal; once more ends them at once", sig == SIGINT ? "interrupted" : strsignal(sig), rt->sched.nrunning);
	for (struct step *s = rt->running; s; s = s->run_next)
		step_stop(rt, s, sig, 0);
	timer_set(rt, &rt->signal_timer, now_mono() + GRACE, kill_all, NULL);
	sched_stop(rt);
	actives_stop(rt);
	remote_stop(rt);
}

static void read_signals(struct rt *rt)
{
	struct signalfd_siginfo si;

	while (read(rt->sigfd, &si, sizeof si) == sizeof si)
		on_signal(rt, (int)si.ssi_signo);
}

static int open_loop(struct rt *rt, sigset_t *old)
{
	struct epoll_event ev = { .events = EPOLLIN };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGQUIT);
	sigprocmask(SIG_BLOCK, &set, old);
	rt->epoll = epoll_create1(EPOLL_CLOEXEC);
	rt->sigfd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	ev.data.fd = rt->sigfd;
	return rt->epoll < 0 || rt->sigfd < 0 || epoll_ctl(rt->epoll, EPOLL_CTL_ADD, rt->sigfd, &ev) ? -1 : 0;
}

/* ---- the loop ---- */

static bool idle(const struct rt *rt)
{
	return !rt->running && !rt->sched.nprep && !pool_busy(rt) && !rt->timers.n && !rt->actives;
}

static void turn(struct rt *rt)
{
	struct epoll_event ev[16];
	double next = timer_next(rt), now;
	int n, wait = -1;

	if (next >= 0) {
		double ms = (next - now_mono()) * 1000;

		wait = ms <= 0 ? 0 : ms > 60000 ? 60000 : (int)ms + 1;
	}
	n = epoll_wait(rt->epoll, ev, 16, wait);
	for (int k = 0; k < n; k++) {
		if (ev[k].data.fd == procs_fd(rt))
			procs_poll(rt);
		else if (ev[k].data.fd == rt->sigfd)
			read_signals(rt);
		else if (ev[k].data.fd == pool_fd(rt))
			pool_poll(rt);
		else if (ev[k].data.fd == remote_fd(rt))
			remote_poll(rt);
		else if (ev[k].data.fd == predict_fd(rt))
			predict_poll(rt);
		else if (ev[k].data.fd == jobserver_fd(rt))
			jobserver_poll(rt);
		else if (ev[k].data.fd == STDIN_FILENO)
			approve_input(rt);
	}
	now = now_mono();
	timers_fire(rt, now);
}

static int loop(struct rt *rt)
{
	for (;;) {
		agenda_run(rt);
		sched_run(rt);
		procs_flush(rt);
		if (journal_flush(rt))
			return rt_file_trouble(rt, rt->dir);
		events_flush(rt);
		journal_sync_soon(rt);
		view_flush(rt);
		if (rt->finished && rt->actives && !rt->ending) {
			rt->ending = true;
			actives_stop(rt);
		}
		if (rt->finished && !rt->services)
			return 0;
		if (idle(rt)) {
			diag_at(rt->d, CW0902, (struct span){ 0 }, "the run stands still: %u of %u steps have ended and none can start", rt->count.done, rt->count.steps);
			return 70;
		}
		turn(rt);
	}
}

/* The run to take over, once nothing of it lives any more. */
static int find_resumed(struct rt *rt)
{
	const char *dir = store_dir(rt->store);
	char *err = NULL, *id = rt->o->resume ? run_find(dir, rt->o->resume, &err) : rt->o->from ? run_newest(dir, rt->m->file ? rt->m->file->s : "", rt->cwd) : NULL;
	bool told = false;

	if (err) {
		diag_at(rt->d, CW0903, (struct span){ 0 }, "%s", err);
		free(err);
		return 2;
	}
	for (; id && run_is_alive(dir, id); usleep(50000)) {
		if (!told)
			fprintf(stderr, "couler: run %s is not over yet; waiting for it\n", id);
		told = true;
	}
	rt->resumed = id ? arena_dup(rt->arena, id, strlen(id)) : NULL;
	free(id);
	return 0;
}

static int params(struct rt *rt)
{
	const char *name, *err;

	rt->top = wfrun_new(rt, rt->m->entry, NULL);
	if (!wfrun_params(rt, rt->top, &name, &err))
		return 0;
	diag_at(rt->d, CW0402, (struct span){ 0 }, "parameter '%s': %s", name, err);
	return 2;
}

static void init(struct rt *rt)
{
	struct ir *m = rt->m;
	uint64_t seed = 0;

	if (getrandom(&seed, sizeof seed, 0) < 0)
		seed = (uint64_t)getpid();
	rt->random = seed;
	rt->started = now_wall();
	rt->t0 = now_mono();
	rt->agenda_last = &rt->agenda;
	rt->lock_fd = rt->epoll = rt->sigfd = rt->gc_fd = -1;
	rt->info = arena_array(rt->arena, struct nodeinfo *, m->workflows.n);
	for (uint32_t w = 0; w < m->workflows.n; w++)
		rt->info[m->workflows.v[w]->id] = arena_array(rt->arena, struct nodeinfo, m->workflows.v[w]->nnodes + 1);
	rt->tasks = arena_array(rt->arena, struct taskinfo, m->tasks.n + 1);
	rt->hasher = hasher_new();
	rt->view = view_new(rt);
	base_env(rt);
	sched_init(rt);
	jobserver_join(rt);
}

static int trace_write(struct rt *rt)
{
	struct runlog l;
	struct strbuf b = { 0 };
	char *err = NULL;
	int rc = runlog_read(&l, store_dir(rt->store), rt->run_id, &err);

	if (rc)
		diag_at(rt->d, CW0901, (struct span){ 0 }, "%s", err);
	else {
		runlog_trace(&l, &b);
		rc = write_file(rt->o->trace, &b) ? rt_output_trouble(rt, rt->o->trace) : 0;
		runlog_free(&l);
	}
	free(err);
	sb_free(&b);
	return rc;
}

static int go(struct rt *rt)
{
	sigset_t old;
	int rc = params(rt);

	if (!rc)
		rc = select_nodes(rt);
	if (!rc)
		rc = containers_open(rt);
	if (!rc)
		rc = remote_open(rt);
	if (!rc)
		rc = rt_open_store(rt);
	if (!rc)
		rc = find_resumed(rt);
	if (!rc)
		rc = rt_open_run(rt);
	if (rc)
		return rc;
	rt->journal = journal_open(rt);
	if (!rt->journal || rt_open_gc_lock(rt))
		return rt_file_trouble(rt, rt->dir);
	if (rt->resumed && approvals_copy(rt, rt->resumed))
		return rt_file_trouble(rt, rt->resumed);
	if (reuse_open(rt, rt->resumed))
		return rt_file_trouble(rt, rt->resumed);
	if (rt->o->events && events_open(rt, rt->o->events))
		return rt_output_trouble(rt, rt->o->events);
	if (open_loop(rt, &old))
		return rt_file_trouble(rt, "epoll");
	remote_watch(rt);
	same_open(rt);
	wfrun_start(rt, rt->top);
	journal_run(rt, rt->m->file ? rt->m->file->s : "", rt->m->entry->name->s);
	event_run(rt, false);
	rc = loop(rt);
	procs_close(rt);
	jobserver_close(rt);
	containers_close(rt);
	pool_close(rt);
	predict_close(rt);
	slots_close(rt);
	if (!rc)
		rc = rt->signal ? -rt->signal : rt->top->failed ? 6 : 0;
	rt->rc = rc;
	journal_finish(rt, rc);
	if (journal_flush(rt))
		rc = rt_file_trouble(rt, rt->dir);
	else
		journal_sync(rt);
	event_run(rt, true);
	if (events_close(rt)) {
		errno = EIO;
		rc = rc ? rc : rt_output_trouble(rt, rt->o->events);
	}
	if (rt->o->trace && trace_write(rt))
		rc = rc ? rc : 3;
	rt_keep_history(rt);
	same_keep(rt, rc);
	if (rt->o->outputs_json && outputs_write(rt, rt->o->outputs_json)) {
		rt_output_trouble(rt, rt->o->outputs_json);
		rc = rc ? rc : 3;
	}
	remote_close(rt);
	sigprocmask(SIG_SETMASK, &old, NULL);
	return rc;
}

int run_workflow(struct ir *m, const struct run_opts *o, struct diag *d)
{
	struct rt rt = { .m = m, .o = o, .d = d };
	char *root = realpath(m->dir ? m->dir->s : ".", NULL), *cwd = getcwd(NULL, 0);
	struct sigaction ignore = { .sa_handler = SIG_IGN }, old;
	int rc;

	sigaction(SIGPIPE, &ignore, &old);                                 /* who looks may go away: the run goes on */
	rt.arena = arena_new();
	rt.root = root ? root : ".";
	rt.cwd = cwd ? cwd : ".";
	init(&rt);
	rc = go(&rt);
	jobserver_close(&rt);
	remote_close(&rt);
	view_end(&rt);
	view_free(&rt);
	same_not(&rt);
	reuse_close(&rt);
	fetches_free(&rt);
	journal_close(&rt);
	store_close(rt.store);
	hasher_free(rt.hasher);
	sb_free(&rt.key_buf);
	if (rt.epoll >= 0)
		close(rt.epoll);
	if (rt.sigfd >= 0)
		close(rt.sigfd);
	if (rt.lock_fd >= 0)
		close(rt.lock_fd);
	if (rt.gc_fd >= 0)
		close(rt.gc_fd);
	sigaction(SIGPIPE, &old, NULL);
	arena_free(rt.arena);
	free(root);
	free(cwd);
	return rc;
}
