/* Splits, the workers that have them, and what they send. */
#include "broker.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define FAILURES 3                        /* of one lease, until the step fails */
#define DEATHS 8                          /* workers that died over one lease and got no further with it */
#define GROUP_MOST (1 << 20)              /* bytes up to which small files share a lease */

/* ---- files ---- */

struct files { struct arena *a; VEC(const char *) path; VEC(uint64_t) size; };

static int by_path(const void *x, const void *y)
{
	return strcmp(*(const char *const *)x, *(const char *const *)y);
}

/* All regular files below dir, in byte order of their paths; names that begin with a dot are left out. */
static int list_files(struct files *f, const char *top)
{
	VEC(const char *) dirs = { 0 };
	size_t len = strlen(top);

	while (len > 1 && top[len - 1] == '/')
		len--;
	vec_push(f->a, &dirs, arena_dup(f->a, top, len));
	for (uint32_t i = 0; i < dirs.n; i++) {
		DIR *d = opendir(dirs.v[i]);
		struct dirent *e;

		if (!d)
			return -1;
		while ((e = readdir(d))) {
			size_t n = strlen(dirs.v[i]), k = strlen(e->d_name);
			char *p;
			struct stat st;

			if (e->d_name[0] == '.')
				continue;
			p = arena_alloc(f->a, n + k + 2);
			memcpy(p, dirs.v[i], n);
			p[n] = '/';
			memcpy(p + n + 1, e->d_name, k);
			if (stat(p, &st)) {
				closedir(d);
				return -1;
			}
			if (S_ISDIR(st.st_mode))
				vec_push(f->a, &dirs, p);
			else if (S_ISREG(st.st_mode))
				vec_push(f->a, &f->path, p);
		}
		closedir(d);
	}
	if (f->path.n)
		qsort(f->path.v, f->path.n, sizeof *f->path.v, by_path);
	for (uint32_t i = 0; i < f->path.n; i++) {
		struct stat st;

		vec_push(f->a, &f->size, stat(f->path.v[i], &st) ? 0 : (uint64_t)st.st_size);
	}
	return 0;
}

int leases_make(struct broker *b)
{
	struct files f = { .a = b->arena };
	const char *top = getenv(b->f->split);
	uint64_t all = 0, most;

	if (!top || !*top || list_files(&f, top)) {
		broker_fail(b, "the splits of '%s' could not be listed: %s: %s", b->f->split, top ? top : "the variable is not set", top ? strerror(errno) : "it holds the folder");
		return -1;
	}
	b->file = f.path.v;
	b->size = f.size.v;
	b->nfiles = f.path.n;
	for (uint32_t i = 0; i < b->nfiles; i++)
		all += b->size[i];
	most = all / (16 * (uint64_t)b->f->max + 1);
	most = most < GROUP_MOST ? most : GROUP_MOST;
	b->lease = arena_array(b->arena, struct lease, b->nfiles + 1);
	for (uint32_t i = 0; i < b->nfiles; i++) {
		struct lease *l = b->nlease ? &b->lease[b->nlease - 1] : NULL;

		if (!l || l->bytes + b->size[i] > most) {
			l = &b->lease[b->nlease++];
			l->first = i;
			l->have = arena_array(b->arena, uint64_t, b->f->n + 1);
			l->queue.last = &l->queue.first;
		}
		l->nfiles++;
		l->bytes += b->size[i];
	}
	return 0;
}

/* ---- sending ---- */

void worker_write(struct worker *w)
{
	while (w->out_at < w->out.n && !w->dead) {
		ssize_t n = send(w->fd, w->out.s + w->out_at, w->out.n - w->out_at, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return;                                             /* EAGAIN; or it is gone, which reading tells */
		w->out_at += (size_t)n;
	}
	w->out_at = w->out.n = 0;
}

void worker_send(struct broker *b, struct worker *w, struct msg m, const void *p, size_t n)
{
	(void)b;
	m.magic = MSG_MAGIC;
	m.len = (uint32_t)n;
	m.crc = 0;
	m.crc = crc32c(crc32c(0, &m, sizeof m), p, n);
	sb_add(&w->out, (const char *)&m, sizeof m);
	if (n)
		sb_add(&w->out, p, n);
	worker_write(w);
}

/* ---- coming and going ---- */

static struct worker *add(struct broker *b, int fd, pid_t pid)
{
	struct worker *w = xcalloc(1, sizeof *w);

	w->id = ++b->ids;
	w->fd = fd;
	w->pid = pid;
	w->lease = UINT32_MAX;
	w->file = -1;
	w->seen = w->moved = flow_now();
	w->next = b->workers;
	b->workers = w;
	b->nworkers++;
	return w;
}

static _Noreturn void become_worker(int fd)
{
	sigset_t none;
	char address[32];

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	snprintf(address, sizeof address, "fd:%d", fd);
	fcntl(fd, F_SETFD, 0);
	execl("/proc/self/exe", "couler", "dataflow", "work", address, (char *)NULL);
	_exit(127);
}

void worker_start(struct broker *b)
{
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair)) {
		broker_fail(b, "no socket for a worker: %s", strerror(errno));
		return;
	}
	pid = fork();
	if (!pid)
		become_worker(pair[1]);
	close(pair[1]);
	if (pid < 0) {
		close(pair[0]);
		broker_fail(b, "a worker could not be started: %s", strerror(errno));
		return;
	}
	setpgid(pid, pid);
	add(b, pair[0], pid);
}

void worker_accept(struct broker *b)
{
	int fd = accept4(b->listen_fd, NULL, NULL, SOCK_CLOEXEC);

	if (fd >= 0)
		add(b, fd, 0);
}

uint32_t workers_alive(const struct broker *b)
{
	uint32_t n = 0;

	for (const struct worker *w = b->workers; w; w = w->next)
		n += !w->dead && !w->retire;
	return n;
}

/* Its lease goes back; what came of it stays, and the next one's copies of that are dropped. */
void worker_lost(struct broker *b, struct worker *w, const char *why)
{
	if (w->dead)
		return;
	w->dead = true;
	if (w->pid)
		kill(-w->pid, SIGKILL);
	close(w->fd);
	if (w->file >= 0)
		close(w->file);
	if (!w->hello && !w->retire && w->pid && ++b->stillborn >= DEATHS)
		broker_fail(b, "%u workers ended before they could say a word (the last %s)", b->stillborn, why);
	if (w->lease == UINT32_MAX && !w->pid && !w->retire)
		broker_say(b, "worker %u %s", w->id, why);
	if (w->lease != UINT32_MAX) {
		struct lease *l = &b->lease[w->lease];

		l->state = LEASE_FREE;
		if (w->lease < b->next_free)
			b->next_free = w->lease;
		b->deaths++;
		broker_say(b, "worker %u %s; its splits from %s on go to another", w->id, why, b->file[l->first]);
		if (++l->deaths >= DEATHS)
			broker_fail(b, "%u workers were lost over %s without getting further (the last %s); it may need more memory than there is", l->deaths, b->file[l->first], why);
		w->lease = UINT32_MAX;
	}
}

static void lease_to(struct broker *b, struct worker *w, uint32_t at)
{
	struct lease *l = &b->lease[at];
	struct strbuf s = { 0 };

	for (uint32_t i = 0; i < l->nfiles; i++)
		sb_add(&s, b->file[l->first + i], strlen(b->file[l->first + i]) + 1);
	l->state = LEASE_OUT;
	w->lease = at;
	w->moved = flow_now();
	worker_send(b, w, (struct msg){ .type = MSG_LEASE, .epoch = b->epoch, .split = at, .count = l->nfiles }, s.s, s.n);
	sb_free(&s);
}

static uint32_t free_lease(struct broker *b)
{
	while (b->next_free < b->nlease && b->lease[b->next_free].state != LEASE_FREE)
		b->next_free++;
	return b->next_free < b->nlease ? b->next_free : UINT32_MAX;
}

void workers_lease(struct broker *b)
{
	for (struct worker *w = b->workers; w && !b->deaf; w = w->next) {
		uint32_t at;

		if (w->dead || !w->hello || w->lease != UINT32_MAX)
			continue;
		if (w->retire) {
			worker_send(b, w, (struct msg){ .type = MSG_STOP }, NULL, 0);
			w->hello = false;
			continue;
		}
		at = free_lease(b);
		if (at == UINT32_MAX)
			return;
		lease_to(b, w, at);
	}
}

void workers_watch(struct broker *b, double now)
{
	for (struct worker *w = b->workers; w; w = w->next) {
		char why[64];

		if (w->dead)
			continue;
		if (now - w->seen > b->f->beat) {
			snprintf(why, sizeof why, "gave no sign of life for %g s", b->f->beat);
			worker_lost(b, w, why);
		} else if (w->lease != UINT32_MAX && w->credit > 0 && now - w->moved > b->f->stall) {
			snprintf(why, sizeof why, "got no further for %g s", b->f->stall);
			worker_lost(b, w, why);
		}
	}
}

void workers_stop(struct broker *b)
{
	for (struct worker *w = b->workers, *next; w; w = next) {
		next = w->next;
		if (!w->dead) {
			worker_send(b, w, (struct msg){ .type = MSG_STOP }, NULL, 0);
			if (w->pid)
				kill(-w->pid, SIGKILL);
			close(w->fd);
		}
		while (w->pid && waitpid(w->pid, NULL, 0) < 0 && errno == EINTR)
			;
		sb_free(&w->in.b);
		sb_free(&w->out);
		free(w);
	}
	b->workers = NULL;
}

/* ---- messages ---- */

static void hello(struct broker *b, struct worker *w, const struct msg *m, const char *p)
{
	const char *spec = b->o->spec, *token = b->token;
	size_t n = token ? strlen(token) : 0;
	struct strbuf s = { 0 };
	char buf[65536];
	ssize_t k;
	int fd;

	if (w->hello)
		return;
	if (!w->pid && (m->len != n || (n && memcmp(p, token, n) != 0))) {
		worker_lost(b, w, "came without the token of this job");
		return;
	}
	fd = open(spec, O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && (k = read(fd, buf, sizeof buf)) > 0)
		sb_add(&s, buf, (size_t)k);
	if (fd >= 0)
		close(fd);
	w->hello = b->met = true;
	b->stillborn = 0;
	if (!w->pid)
		carry_send(b, w);
	w->credit = (int64_t)b->f->window;
	worker_send(b, w, (struct msg){ .type = MSG_SPEC, .seq = !w->pid }, s.s, s.n);
	worker_send(b, w, (struct msg){ .type = MSG_CREDIT, .seq = b->f->window }, NULL, 0);
	sb_free(&s);
}

static bool is_current(const struct broker *b, const struct worker *w, const struct msg *m)
{
	return m->epoch == b->epoch && w->lease != UINT32_MAX && m->split == w->lease;
}

/* Queues records that have not come before; gives credit back for those that have. */
static void records(struct broker *b, struct worker *w, const struct msg *m, const char *p)
{
	struct lease *l = &b->lease[w->lease];
	uint32_t slot = m->stream == SOURCE ? b->f->n : m->stream, drop = 0;
	uint64_t cost = msg_cost(m->len, m->count);
	struct chunks *q = b->f->ordered ? &l->queue : &b->queue;
	struct chunk *c;
	size_t skip = 0;

	w->credit -= (int64_t)cost;
	if (m->seq > l->have[slot]) {
		worker_lost(b, w, "left out records");
		return;
	}
	if (m->seq + m->count <= l->have[slot])
		drop = m->count;
	else
		drop = (uint32_t)(l->have[slot] - m->seq);
	b->dropped += drop;
	if (drop < m->count) {
		skip = drop ? records_length(b->f->framing, p, m->len, drop) : 0;
		c = xmalloc(sizeof *c + m->len - skip);
		*c = (struct chunk){ .stream = m->stream, .count = m->count - drop, .worker = w->id, .n = m->len - skip };
		c->cost = cost;
		memcpy(c->s, p + skip, c->n);
		*q->last = c;
		q->last = &c->next;
		b->queued += c->cost;
		if (b->queued > b->peak)
			b->peak = b->queued;
		b->received += c->count;
		l->have[slot] += c->count;
		l->deaths = 0;
		return;
	}
	w->credit += (int64_t)cost;
	worker_send(b, w, (struct msg){ .type = MSG_CREDIT, .seq = cost }, NULL, 0);
}

static void done(struct broker *b, struct worker *w, const char *p)
{
	struct lease *l = &b->lease[w->lease];
	struct op_done d;

	for (uint32_t i = 0; i <= b->f->n; i++) {
		memcpy(&d, p + i * sizeof d, sizeof d);
		if (d.sent < l->have[i]) {
			broker_fail(b, "the operators gave %llu records for the splits from %s on, and %llu when they ran over them again; they must give the same records every time",
				(unsigned long long)l->have[i], b->file[l->first], (unsigned long long)d.sent);
			return;
		}
		b->figures[i].records += d.figures.records;
		b->figures[i].bytes += d.figures.bytes;
		b->figures[i].cpu += d.figures.cpu;
	}
	l->state = LEASE_DONE;
	b->done++;
	b->done_bytes += l->bytes;
	w->lease = UINT32_MAX;
}

static void failed(struct broker *b, struct worker *w, const struct msg *m, const char *p)
{
	struct lease *l = &b->lease[w->lease];

	l->state = LEASE_FREE;
	if (w->lease < b->next_free)
		b->next_free = w->lease;
	w->lease = UINT32_MAX;
	if (++l->failures >= FAILURES)
		broker_fail(b, "%.*s, over the records of %s%s, %u times", (int)m->len, p, b->file[l->first], l->nfiles > 1 ? " and the files after it" : "", l->failures);
	else
		broker_say(b, "%.*s, over the records of %s; once more", (int)m->len, p, b->file[l->first]);
}

/* A worker elsewhere reads a file through us. */
static void read_for(struct broker *b, struct worker *w, const struct msg *m)
{
	struct lease *l = &b->lease[w->lease];
	struct msg r = { .type = MSG_DATA, .epoch = b->epoch, .split = w->lease };
	char *buf = xmalloc(m->count ? m->count : 1);
	ssize_t n = -1;

	errno = ENOENT;
	if (m->stream < l->nfiles && m->count <= 1 << 20) {
		if (w->file >= 0 && w->file_at != l->first + m->stream) {
			close(w->file);
			w->file = -1;
		}
		w->file_at = l->first + m->stream;
		if (w->file < 0)
			w->file = open(b->file[w->file_at], O_RDONLY | O_CLOEXEC);
		n = w->file < 0 ? -1 : pread(w->file, buf, m->count, (off_t)m->seq);
	}
	if (n < 0) {
		const char *err = strerror(errno);

		r.count = 1;
		worker_send(b, w, r, err, strlen(err));
	} else {
		worker_send(b, w, r, buf, (size_t)n);
	}
	free(buf);
}

static void take(struct broker *b, struct worker *w, const struct msg *m, const char *p)
{
	bool current = is_current(b, w, m);

	if (m->type == MSG_HELLO)
		hello(b, w, m, p);
	else if (m->type == MSG_BEAT && m->seq != w->progress) {
		w->progress = m->seq;
		w->moved = w->seen;
	} else if (m->type == MSG_RECORDS && current && (m->stream == SOURCE || m->stream < b->f->n)) {
		w->moved = w->seen;
		records(b, w, m, p);
	} else if (m->type == MSG_DONE && current && m->len == (b->f->n + 1) * sizeof(struct op_done))
		done(b, w, p);
	else if (m->type == MSG_FAIL && current)
		failed(b, w, m, p);
	else if (m->type == MSG_READ && current && !w->pid)
		read_for(b, w, m);
	else if (m->type != MSG_BEAT && !current)
		worker_lost(b, w, "sent something for a split that it does not have");
}

void worker_read(struct broker *b, struct worker *w)
{
	ssize_t n = inbox_read(&w->in, w->fd);
	const char *p, *err = NULL;
	struct msg m;
	int k = 0;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	w->seen = flow_now();
	while (!w->dead && !b->error && (k = inbox_next(&w->in, &m, &p, &err)) > 0)
		take(b, w, &m, p);
	if (!w->dead && k < 0)
		worker_lost(b, w, err);
	if (!w->dead && n <= 0)
		worker_lost(b, w, w->retire ? "went" : w->in.b.n > w->in.at ? "ended in the middle of a message" : "died");
}
