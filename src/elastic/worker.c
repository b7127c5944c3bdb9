/*
 * A worker: takes a lease on a few splits, runs its side of the operators over their records, sends what comes out as
 * far as its credit goes, and says when it is through. It keeps nothing between leases.
 */
#include "flow.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_SIZE (256 * 1024)
#define BEAT_EVERY 1.0                    /* s */
#define CONNECT_FOR 300.0                 /* s: a broker elsewhere may start later */

struct work {
	int fd;
	struct inbox in;
	struct arena *arena;
	struct flow *f;
	void (*say)(const char *line, void *data);
	void *data;
	bool remote, stop, lost;          /* remote: the broker reads the files; lost: it went without a word */
	char *dir;                        /* of what the broker sent; malloc, NULL: nothing yet */
	int64_t credit;
	double beat;
	/* of the lease */
	bool leased, source_open;
	uint32_t epoch, split;
	struct arena *lease_arena;
	const char **file;
	uint32_t nfiles, at;
	int in_fd;
	uint64_t offset;
	bool asked;
	struct records src;
	struct pipeline *p;
	uint64_t *sent;                   /* by operator, the source last */
	const char *error;
};

static uint32_t slot_of(const struct work *w, uint32_t producer)
{
	return producer == SOURCE ? w->f->n : producer;
}

static void broker_gone(struct work *w)
{
	w->stop = w->lost = true;
}

static void send_msg(struct work *w, struct msg m, const void *p, size_t n)
{
	m.epoch = w->epoch;
	m.split = w->split;
	m.len = (uint32_t)n;
	if (!w->stop && msg_send(w->fd, &m, p))
		broker_gone(w);
}

/* ---- what the pipeline asks ---- */

static bool room(void *data)
{
	struct work *w = data;

	return w->credit > 0;
}

static void out(void *data, uint32_t producer, const char *p, size_t n, uint32_t records)
{
	struct work *w = data;
	uint64_t *seq = &w->sent[slot_of(w, producer)];

	send_msg(w, (struct msg){ .type = MSG_RECORDS, .stream = producer, .count = records, .seq = *seq }, p, n);
	*seq += records;
	w->credit -= (int64_t)msg_cost(n, records);
}

/* ---- the source ---- */

static void fail(struct work *w, const char *what, const char *path)
{
	struct strbuf b = { 0 };

	if (w->error)
		return;
	sb_f(&b, "%s%s%s", path ? path : "", path ? ": " : "", what);
	w->error = arena_dup(w->lease_arena, b.s, b.n);
	sb_free(&b);
}

static void next_file(struct work *w)
{
	if (w->in_fd >= 0)
		close(w->in_fd);
	w->in_fd = -1;
	w->offset = 0;
	w->at++;
}

/* Reads more of the file; 1: its end, 0: there is more, or it is on its way, -1 after an error. */
static int fill(struct work *w)
{
	struct strbuf *b = &w->src.b;
	ssize_t n;

	if (w->remote) {
		if (!w->asked)
			send_msg(w, (struct msg){ .type = MSG_READ, .stream = w->at, .seq = w->offset, .count = READ_SIZE }, NULL, 0);
		w->asked = true;
		return 0;
	}
	if (w->in_fd < 0)
		w->in_fd = open(w->file[w->at], O_RDONLY | O_CLOEXEC);
	sb_reserve(b, READ_SIZE);
	n = w->in_fd < 0 ? -1 : read(w->in_fd, b->s + b->n, READ_SIZE);
	if (n < 0) {
		fail(w, strerror(errno), w->file[w->at]);
		return -1;
	}
	b->n += (size_t)n;
	return n == 0;
}

static void compact(struct strbuf *b, size_t *at)
{
	memmove(b->s, b->s + *at, b->n - *at);
	b->n -= *at;
	*at = 0;
}

/* Hands whole records of the source to its readers; false: nothing moved. */
static bool hand_source(struct work *w, bool eof)
{
	bool crosses = flow_crosses(w->f, SOURCE), moved = false;
	const char *p, *err = NULL;
	uint32_t n;

	while (!w->error && (!crosses || w->credit > 0) && pipeline_wants(w->p, SOURCE)) {
		int64_t len = records_take(&w->src, eof, FRAME_RECORDS, &p, &n, &err);

		if (len < 0)
			fail(w, err, w->file[w->at]);
		if (len <= 0)
			break;
		moved = true;
		pipeline_feed(w->p, SOURCE, p, (size_t)len);
		if (crosses)
			out(w, SOURCE, p, (size_t)len, n);
	}
	if (w->src.at)
		compact(&w->src.b, &w->src.at);
	return moved;
}

static void end_of_file(struct work *w)
{
	if (hand_source(w, true) || w->error)
		return;
	if (w->src.b.n && w->f->framing != FR_TAR)
		return;                                                     /* no room for the rest yet */
	w->src.b.n = 0;
	next_file(w);
}

static void read_source(struct work *w)
{
	bool crosses = flow_crosses(w->f, SOURCE);

	while (w->source_open && !w->error && !w->stop && (!crosses || w->credit > 0) && pipeline_wants(w->p, SOURCE)) {
		int end;

		if (w->at == w->nfiles) {
			w->source_open = false;
			pipeline_close(w->p, SOURCE);
			return;
		}
		if (hand_source(w, false))
			continue;
		end = fill(w);
		if (end > 0)
			end_of_file(w);
		if (end < 0 || (w->remote && w->asked))
			return;
	}
}

/* ---- leases ---- */

static void end_lease(struct work *w)
{
	pipeline_free(w->p);
	w->p = NULL;
	if (w->in_fd >= 0)
		close(w->in_fd);
	w->in_fd = -1;
	sb_free(&w->src.b);
	arena_free(w->lease_arena);
	w->lease_arena = NULL;
	w->leased = false;
}

static void start_lease(struct work *w, const struct msg *m, const char *p)
{
	struct pipeline_hooks h = { out, room, w };
	const char *err = NULL;

	w->lease_arena = arena_new();
	w->leased = w->source_open = true;
	w->epoch = m->epoch;
	w->split = m->split;
	w->nfiles = m->count;
	w->file = arena_array(w->lease_arena, const char *, m->count + 1);
	p = arena_dup(w->lease_arena, p, m->len);
	for (uint32_t i = 0; i < m->count; i++, p += strlen(p) + 1)
		w->file[i] = p;
	w->at = 0;
	w->in_fd = -1;
	w->offset = 0;
	w->asked = false;
	w->error = NULL;
	memset(&w->src, 0, sizeof w->src);
	w->src.framing = w->f->framing;
	w->src.limit = w->f->limit;
	w->sent = arena_array(w->lease_arena, uint64_t, w->f->n + 1);
	w->f->arena = w->lease_arena;                                      /* what the pipeline notes goes with the lease */
	w->p = pipeline_start(w->f, true, &h, &err);
	if (!w->p)
		fail(w, err, "an operator could not be started");
}

static void lease_done(struct work *w)
{
	struct op_done *d = arena_array(w->lease_arena, struct op_done, w->f->n + 1);

	for (uint32_t i = 0; i < w->f->n; i++)
		d[i] = (struct op_done){ w->sent[i], pipeline_figures(w->p, i) };
	d[w->f->n] = (struct op_done){ w->sent[w->f->n], { w->src.count, w->src.bytes, 0 } };
	send_msg(w, (struct msg){ .type = MSG_DONE }, d, (w->f->n + 1) * sizeof *d);
	end_lease(w);
}

static void look_at_lease(struct work *w)
{
	bool ended;

	if (!w->leased)
		return;
	if (w->p && !w->error) {
		read_source(w);
		ended = pipeline_reap(w->p);
		if (!w->error && pipeline_error(w->p))
			fail(w, pipeline_error(w->p), NULL);
		if (!w->error && ended && (!w->source_open || pipeline_deaf(w->p)) && (!w->source_open || !flow_crosses(w->f, SOURCE))) {
			lease_done(w);
			return;
		}
	}
	if (w->error) {
		send_msg(w, (struct msg){ .type = MSG_FAIL }, w->error, strlen(w->error));
		end_lease(w);
	}
}

/* ---- messages ---- */

static void take_data(struct work *w, const struct msg *m, const char *p)
{
	if (!w->leased || m->split != w->split || m->epoch != w->epoch || !w->asked)
		return;
	w->asked = false;
	if (m->count) {                                                    /* an error of the broker's, as text */
		fail(w, arena_dup(w->lease_arena, p, m->len), w->file[w->at]);
		return;
	}
	sb_add(&w->src.b, p, m->len);
	w->offset += m->len;
	if (!m->len)
		end_of_file(w);
}

/* Values, code and files from a broker elsewhere. */
static void take_carried(struct work *w, const struct msg *m, const char *p)
{
	struct strbuf b = { 0 };

	if (!w->dir)
		w->dir = carry_folder();
	if (w->dir && !(m->type == MSG_ENV ? carry_variable(w->dir, m, p) : carry_take(w->dir, m, p)))
		return;
	sb_f(&b, "what the broker sent could not be kept in %s: %s", w->dir ? w->dir : "a new folder of TMPDIR", strerror(errno));
	w->say(sb_cstr(&b), w->data);
	sb_free(&b);
	broker_gone(w);
}

static void take(struct work *w, const struct msg *m, const char *p)
{
	const char *err = NULL;

	switch (m->type) {
	case MSG_SPEC:
		if (!w->f)
			w->f = flow_read(w->arena, p, m->len, &err);
		w->remote = m->seq != 0;
		if (!w->f) {
			w->say(err, w->data);
			w->stop = true;
		}
		break;
	case MSG_LEASE:
		if (w->f && !w->leased)
			start_lease(w, m, p);
		break;
	case MSG_CREDIT:
		w->credit += (int64_t)m->seq;
		break;
	case MSG_DATA:
		take_data(w, m, p);
		break;
	case MSG_ENV:
	case MSG_FILE:
		take_carried(w, m, p);
		break;
	case MSG_STOP:
		w->stop = true;
		break;
	default:
		break;
	}
}

static void read_messages(struct work *w)
{
	ssize_t n = inbox_read(&w->in, w->fd);
	const char *p, *err = NULL;
	struct msg m;
	int k;

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
		broker_gone(w);
		return;
	}
	while (!w->stop && (k = inbox_next(&w->in, &m, &p, &err)) != 0) {
		if (k < 0) {
			w->say(err, w->data);
			w->stop = true;
			return;
		}
		take(w, &m, p);
	}
}

static void turn(struct work *w)
{
	uint32_t nops = w->f ? w->f->n : 0, n = 0;
	struct pollfd *v = xcalloc(2 * (size_t)nops + 2, sizeof *v);
	double now = flow_now();
	int wait = (int)((w->beat + BEAT_EVERY - now) * 1000) + 1;

	v[0] = (struct pollfd){ .fd = w->fd, .events = POLLIN };
	if (w->leased && w->p)
		n = pipeline_polls(w->p, v + 1);
	if (w->leased && !n && (w->credit > 0 || !w->source_open))
		wait = 2;                                                   /* operators that are about to end */
	poll(v, n + 1, wait < 0 ? 0 : wait);
	if (v[0].revents)
		read_messages(w);
	if (w->leased && w->p)
		pipeline_turn(w->p, v + 1, n);
	look_at_lease(w);
	now = flow_now();
	if (now - w->beat >= BEAT_EVERY) {
		w->beat = now;
		send_msg(w, (struct msg){ .type = MSG_BEAT, .seq = w->leased && w->p ? pipeline_progress(w->p) : 0 }, NULL, 0);
	}
	free(v);
}

static int connect_for(const char *address, double wait)
{
	double until = flow_now() + (wait > 0 ? wait : CONNECT_FOR);

	for (;;) {
		int fd = wire_connect(address);

		if (fd >= 0 || strncmp(address, "tcp:", 4) || flow_now() > until)
			return fd;
		usleep(500000);
	}
}

int flow_work(const char *address, double wait, void (*say)(const char *line, void *data), void *data)
{
	struct work w = { .arena = arena_new(), .say = say, .data = data, .in_fd = -1 };
	const char *token = getenv("COULER_DATAFLOW_TOKEN");

	signal(SIGPIPE, SIG_IGN);
	w.fd = connect_for(address, wait);
	if (w.fd < 0) {
		struct strbuf b = { 0 };

		sb_f(&b, "%s: %s", address, strerror(errno));
		say(sb_cstr(&b), data);
		sb_free(&b);
		arena_free(w.arena);
		return wait > 0 ? 0 : 3;
	}
	fcntl(w.fd, F_SETFD, FD_CLOEXEC);
	send_msg(&w, (struct msg){ .type = MSG_HELLO, .seq = (uint64_t)getpid() }, token, token ? strlen(token) : 0);
	w.beat = flow_now();
	while (!w.stop)
		turn(&w);
	if (w.leased)
		end_lease(&w);
	close(w.fd);
	sb_free(&w.in.b);
	if (w.dir && !chdir("/"))
		carry_remove(w.dir);
	arena_free(w.arena);
	return w.lost && w.remote ? 1 : 0;
}
