/*
 * A distributed job on this machine: one process a worker, each with its rank. The step ends well when all workers do;
 * the first that fails ends the others. Every worker has output paths of its own, those of rank 0 count.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rt.h"

#define GRACE 10.0                        /* s that the others have after one has failed */
#define MOST 512

struct rank { struct proc proc; struct step *step; uint32_t index; };
struct ranks {
	uint32_t n, workers;              /* those behind the workers are parameter servers */
	uint32_t left, workers_left;      /* started and not ended */
	bool ending;
	struct proc_end end;              /* of the first that failed, with the sums of all */
	struct rank v[];
};

static int count_of(struct rt *rt, struct step *s, const struct expr *e, int64_t dflt, const char *what, uint32_t *n)
{
	struct evalerr err = { 0 };
	struct value v;

	*n = (uint32_t)dflt;
	if (!e)
		return 0;
	if (step_eval_in(rt, s, e, false, &v, &err)) {
		step_why(s, "the number of %s could not be evaluated: %s", what, rt_evalerr(rt, &err));
		return -1;
	}
	if (v.type.kind != T_INT || v.u.i < dflt || v.u.i > MOST) {
		step_why(s, "the number of %s must be %lld to %d here", what, (long long)dflt, MOST);
		return -1;
	}
	*n = (uint32_t)v.u.i;
	return 0;
}

uint32_t ranks_of(struct rt *rt, struct step *s)
{
	uint32_t workers, ps;

	if (s->task->body != BODY_JOB)
		return 1;
	if (count_of(rt, s, s->task->job->workers, 1, "workers", &workers) || count_of(rt, s, s->task->job->ps, 0, "parameter servers", &ps))
		return 0;
	return workers + ps;
}

/* ---- addresses ---- */

/* Ports of this host that nobody uses now; 0, or -1 with errno. */
static int free_ports(uint16_t *port, uint32_t n)
{
	int *fd = xcalloc(n, sizeof *fd), rc = 0;

	for (uint32_t k = 0; k < n; k++) {
		struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
		socklen_t len = sizeof a;

		fd[k] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fd[k] < 0 || bind(fd[k], (struct sockaddr *)&a, sizeof a) || getsockname(fd[k], (struct sockaddr *)&a, &len))
			rc = -1;
		port[k] = ntohs(a.sin_port);
	}
	for (uint32_t k = 0; k < n; k++)                                   /* held until all are known, so all differ */
		if (fd[k] >= 0)
			close(fd[k]);
	free(fd);
	return rc;
}

static void tf_hosts(struct strbuf *b, const char *kind, const uint16_t *port, uint32_t n)
{
	sb_f(b, "\"%s\":[", kind);
	for (uint32_t k = 0; k < n; k++)
		sb_f(b, "%s\"127.0.0.1:%u\"", k ? "," : "", port[k]);
	sb_ch(b, ']');
}

static void tf_config(struct strbuf *b, const struct ranks *r, const uint16_t *port, uint32_t index)
{
	bool ps = index >= r->workers;

	sb_z(b, "TF_CONFIG={\"cluster\":{");
	tf_hosts(b, "worker", port, r->workers);
	if (r->n > r->workers) {
		sb_ch(b, ',');
		tf_hosts(b, "ps", port + r->workers, r->n - r->workers);
	}
	sb_f(b, "},\"task\":{\"type\":\"%s\",\"index\":%u}}", ps ? "ps" : "worker", ps ? index - r->workers : index);
}

/* ---- what a worker gets ---- */

struct more { char **v; uint32_t n; struct arena *a; };

static void add(struct more *m, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void add(struct more *m, const char *fmt, ...)
{
	struct strbuf b = { 0 };
	va_list ap;

	va_start(ap, fmt);
	sb_vf(&b, fmt, ap);
	va_end(ap);
	m->v[m->n++] = arena_dup(m->a, b.s, b.n);
	sb_free(&b);
}

/* Folders of a worker other than rank 0: its $CW_TMP and the places of outputs that do not count. */
static int folders(struct step *s, struct more *m, uint32_t index)
{
	struct strbuf b = { 0 };
	int rc;

	s->slot->has_ranks = true;
	sb_f(&b, "%s/rank-%u", s->slot->dir, index);
	rc = mkdir(sb_cstr(&b), 0777);
	add(m, "CW_TMP=%s/t", b.s);
	add(m, "TMPDIR=%s/t", b.s);
	rc = rc || mkdir(strchr(m->v[m->n - 1], '=') + 1, 0777);
	for (uint32_t k = 0; k < s->task->nouts && !rc; k++) {
		const struct ir_decl *d = &s->task->outs[k];

		if (d->named && !d->type.list) {
			add(m, "%s=%s/o-%s", d->name->s, b.s, d->name->s);
			rc = mkdir(strchr(m->v[--m->n], '=') + 1, 0777);
			add(m, "%s=%s/o-%s/%s", d->name->s, b.s, d->name->s, d->named->s);
		} else
			add(m, "%s=%s/o-%s", d->name->s, b.s, d->name->s);
	}
	sb_free(&b);
	return rc;
}

static char **rank_env(struct rt *rt, struct step *s, const struct ranks *r, const uint16_t *port, uint32_t index)
{
	struct more m = { arena_array(s->arena, char *, s->task->nouts + 13), 0, s->arena };
	struct strbuf b = { 0 };

	if (str_eq(s->task->job->kind, "tensorflow")) {
		tf_config(&b, r, port, index);
		add(&m, "%s", sb_cstr(&b));
		sb_free(&b);
	}
	if (index < r->workers) {
		add(&m, "RANK=%u", index);
		add(&m, "LOCAL_RANK=%u", index);
		add(&m, "WORLD_SIZE=%u", r->workers);
		add(&m, "MASTER_ADDR=127.0.0.1");
		add(&m, "MASTER_PORT=%u", port[0]);
	}
	if (gpus_of_rank(rt, s, index, r->n))
		add(&m, "CUDA_VISIBLE_DEVICES=%s", gpus_of_rank(rt, s, index, r->n));
	if (index && folders(s, &m, index)) {
		step_why(s, "no folder for worker %u could be made: %s", index, strerror(errno));
		return NULL;
	}
	return step_env(rt, s, m.v, m.n);
}

/* ---- the end ---- */

static char *rank_log(const struct step *s, uint32_t index)
{
	struct strbuf b = { 0 };
	char *p;

	sb_f(&b, "%s/rank-%u/log", s->slot->dir, index);
	p = arena_dup(s->arena, b.s, b.n);
	sb_free(&b);
	return p;
}

/* The workers' logs behind that of rank 0. */
static void join_logs(struct step *s, const struct ranks *r)
{
	struct strbuf b = { 0 };
	char buf[65536], head[64];
	ssize_t n, w = 0;
	int out;

	sb_f(&b, "%s/log", s->slot->dir);
	out = open(sb_cstr(&b), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
	sb_free(&b);
	for (uint32_t k = 1; k < r->n && out >= 0; k++) {
		int in = open(rank_log(s, k), O_RDONLY | O_CLOEXEC), len = snprintf(head, sizeof head, "==> %s %u <==\n", k < r->workers ? "rank" : "ps", k < r->workers ? k : k - r->workers);

		while (in >= 0 && w >= 0 && (n = read(in, buf, sizeof buf)) > 0) {
			if (len && write(out, head, (size_t)len) < 0)
				break;
			len = 0;
			w = write(out, buf, (size_t)n);
		}
		if (in >= 0)
			close(in);
	}
	if (out >= 0)
		close(out);
}

void ranks_end(struct rt *rt, struct step *s, int sig, double grace)
{
	for (uint32_t k = 0; k < s->ranks->n; k++) {
		struct rank *k_th = &s->ranks->v[k];

		if (!k_th->step)
			continue;
		if (sig)
			proc_signal(rt, &k_th->proc, sig);
		else
			proc_end_group(rt, &k_th->proc, grace);
	}
}

static void blame(struct step *s, const struct rank *at, const struct proc_end *e)
{
	const struct ranks *r = s->ranks;
	const char *kind = at->index < r->workers ? "worker" : "parameter server";
	uint32_t number = at->index < r->workers ? at->index : at->index - r->workers;

	if (e->status < 0 || s->timed_out || s->stopping)
		return;
	if (WIFSIGNALED(e->status))
		step_why(s, "%s %u was killed by signal %d (%s)", kind, number, WTERMSIG(e->status), strsignal(WTERMSIG(e->status)));
	else
		step_why(s, "%s %u of %u ended with exit code %d", kind, number, at->index < r->workers ? r->workers : r->n - r->workers, WEXITSTATUS(e->status));
}

static void rank_ended(struct rt *rt, struct proc *p, const struct proc_end *e)
{
	struct rank *at = p->data;
	struct step *s = at->step;
	struct ranks *r = s->ranks;

	at->step = NULL;
	r->left--;
	r->workers_left -= at->index < r->workers;
	r->end.cpu_user += e->cpu_user;
	r->end.cpu_sys += e->cpu_sys;
	r->end.strays |= e->strays;
	if (e->max_rss > r->end.max_rss)
		r->end.max_rss = e->max_rss;
	if (e->status && !r->ending) {
		r->end.status = e->status;
		r->end.err = e->err;
		r->end.what = e->what;
		s->proc.killed = p->killed;
		s->proc.sig = p->sig;
		blame(s, at, e);
		r->ending = true;
		ranks_end(rt, s, 0, GRACE);
	} else if (!r->workers_left && !r->ending) {                      /* parameter servers do not end by themselves */
		r->ending = true;
		ranks_end(rt, s, 0, GRACE);
	}
	if (r->left)
		return;
	join_logs(s, r);
	step_attempt_ended(rt, &s->proc, &r->end);
}

/* ---- the start ---- */

static int start_one(struct rt *rt, struct step *s, const struct spawn *sp, const uint16_t *port, uint32_t index)
{
	struct ranks *r = s->ranks;
	struct rank *at = &r->v[index];
	struct spawn mine = *sp;

	mine.envp = rank_env(rt, s, r, port, index);
	if (!mine.envp)
		return -1;
	if (index) {
		mine.log = rank_log(s, index);
		mine.out = NULL;
		for (char *const *e = mine.envp; !s->task->ncode && *e; e++)
			if (!strncmp(*e, "CW_TMP=", 7))
				mine.cwd = *e + 7;
	}
	if (in_container(rt, s) && container_wrap(rt, s, &mine))
		return -1;
	*at = (struct rank){ .step = s, .index = index };
	if (proc_start(rt, &at->proc, &mine, rank_ended, at)) {
		step_why(s, "worker %u could not be started: %s", index, strerror(errno));
		at->step = NULL;
		return -1;
	}
	r->left++;
	r->workers_left += index < r->workers;
	return 0;
}

int ranks_start(struct rt *rt, struct step *s, const struct spawn *sp)
{
	uint32_t n = ranks_of(rt, s), k = 0;
	char **env = s->env;
	uint16_t *port;

	if (!n)
		return -1;
	s->ranks = arena_alloc(s->arena, sizeof *s->ranks + n * sizeof *s->ranks->v);
	s->ranks->n = n;
	if (count_of(rt, s, s->task->job->workers, 1, "workers", &s->ranks->workers))
		return -1;
	port = arena_array(s->arena, uint16_t, n);
	if (free_ports(port, n)) {
		step_why(s, "no port of this host could be had for its workers: %s", strerror(errno));
		return -1;
	}
	s->proc = (struct proc){ .data = s, .id = UINT32_MAX };
	while (k < n && !start_one(rt, s, sp, port, k))
		k++;
	s->env = env;
	if (k == n || !k)
		return k ? 0 : -1;
	s->ranks->ending = true;                                           /* those that were started end, then the step has failed */
	s->ranks->end.status = -1;
	s->ranks->end.err = errno;
	s->ranks->end.what = "worker";
	ranks_end(rt, s, 0, 0);
	return 0;
}
