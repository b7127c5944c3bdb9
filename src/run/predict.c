/*
 * search = llm: which trials run. A language model is asked to predict the training logs of configurations that were drawn
 * at random; those that do best in its logs run first, the rest does not (Couler, ICDE 2024, algorithm 4). Nothing that is
 * predicted is a result. Without a reply that holds, the sweep runs what a random search of the same seed runs.
 *
 * Threads of their own, not of the pool: a reply takes minutes, and an interrupted run does not wait for it. What a thread
 * touches is in the arena of its question; the thread frees a question that nobody waits for any more.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "couler/nl.h"
#include "predict.h"

#define BATCH 16                          /* configurations in one request: the reply fits its tokens */
#define MOST 64                           /* that are asked for, as many as pass sweep draws */
#define TOKENS 4096                       /* of a reply; twice as many for its repair */
#define TIMEOUT 120.0                     /* s for a reply, where COULER_LLM_TIMEOUT says nothing */
#define REPLY_MOST (1 << 20)              /* bytes of a reply that is kept */

struct exchange {
	struct nl_message m[4];           /* two, and two more to repair a reply */
	uint32_t nm;
	struct strbuf reply;
	char *why;                        /* fault of the endpoint; malloc */
	char *kept;                       /* where the reply is kept, in the arena */
	uint32_t row[BATCH], n;
	double best[BATCH];
	bool asked, truncated;            /* asked: what is there needs no (further) reply */
};

struct question {
	struct active active;             /* first */
	struct question *next;
	struct predictions *home;
	struct arena *arena;
	struct nl_endpoint end;
	struct nl_usage usage;
	struct exchange x[MOST / BATCH];
	uint32_t nx;
	bool repairing, left;             /* left: nobody waits for it; under the lock of home */
	struct inst *inst;
	void (*done)(struct rt *, struct inst *, const struct choice *);
};

struct predictions {
	pthread_mutex_t lock;
	struct question *finished;
	int event;
	uint32_t users;                   /* the run and threads, under the lock */
};

/* ---- threads ---- */

static void question_free(struct question *q)
{
	for (uint32_t k = 0; k < q->nx; k++) {
		sb_free(&q->x[k].reply);
		free(q->x[k].why);
	}
	arena_free(q->arena);
	free(q);
}

static void home_leave(struct predictions *p)
{
	bool last;

	pthread_mutex_lock(&p->lock);
	last = --p->users == 0;
	pthread_mutex_unlock(&p->lock);
	if (!last)
		return;
	close(p->event);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

static void *ask(void *data)
{
	struct question *q = data;
	struct predictions *home = q->home;
	bool fault = false, left = false;

	for (uint32_t k = 0; k < q->nx && !fault && !left; k++) {
		struct exchange *x = &q->x[k];

		if (x->asked)
			continue;
		fault = nl_ask(&q->end, x->m, x->nm, q->repairing ? 2 * TOKENS : TOKENS, &x->reply, &x->truncated, &q->usage, &x->why) != 0;
		pthread_mutex_lock(&home->lock);
		left = q->left;
		pthread_mutex_unlock(&home->lock);
	}
	pthread_mutex_lock(&home->lock);
	left = q->left;
	if (!left) {
		q->next = home->finished;
		home->finished = q;
		eventfd_write(home->event, 1);
	}
	pthread_mutex_unlock(&home->lock);
	if (left)
		question_free(q);
	home_leave(home);
	return NULL;
}

static int start_thread(struct question *q)
{
	pthread_attr_t attr;
	pthread_t t;
	int rc;

	pthread_mutex_lock(&q->home->lock);
	q->home->users++;
	pthread_mutex_unlock(&q->home->lock);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	rc = pthread_create(&t, &attr, ask, q);
	pthread_attr_destroy(&attr);
	if (rc)
		home_leave(q->home);
	return rc;
}

static struct predictions *home_of(struct rt *rt)
{
	struct predictions *p = rt->predictions;
	struct epoll_event ev = { .events = EPOLLIN };

	if (p)
		return p;
	p = rt->predictions = xcalloc(1, sizeof *p);
	pthread_mutex_init(&p->lock, NULL);
	p->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	p->users = 1;
	ev.data.fd = p->event;
	epoll_ctl(rt->epoll, EPOLL_CTL_ADD, p->event, &ev);
	return p;
}

int predict_fd(const struct rt *rt)
{
	return rt->predictions ? rt->predictions->event : -1;
}

void predict_close(struct rt *rt)
{
	struct predictions *p = rt->predictions;

	if (!p)
		return;
	rt->predictions = NULL;
	home_leave(p);
}

/* ---- replies that are kept, so that the next run tries the same ---- */

static char *place_of(struct rt *rt, const struct question *q, const struct exchange *x)
{
	struct strbuf b = { 0 };
	struct sha sha;
	char hex[65], *p;

	sb_f(&b, "%s\n", q->end.url);
	nl_request_body(&q->end, x->m, 2, TOKENS, &b);
	hasher_reset(rt->hasher);
	hasher_add(rt->hasher, b.s, b.n);
	hasher_end(rt->hasher, &sha);
	sha_hex(&sha, hex);
	b.n = 0;
	sb_f(&b, "%s/predicted/%s", store_dir(rt->store), hex);
	p = arena_dup(q->arena, b.s, b.n);
	sb_free(&b);
	return p;
}

static void take_kept(struct exchange *x)
{
	int fd = open(x->kept, O_RDONLY | O_CLOEXEC);
	char buf[8192];
	ssize_t n = 0;

	while (fd >= 0 && x->reply.n < REPLY_MOST && (n = read(fd, buf, sizeof buf)) > 0)
		sb_add(&x->reply, buf, (size_t)n);
	if (fd >= 0)
		close(fd);
	x->asked = fd >= 0 && !n && x->reply.n;
	if (x->asked)
		utimensat(AT_FDCWD, x->kept, NULL, 0);                           /* gc drops what was not read for long */
}

static void keep(struct rt *rt, const struct exchange *x)
{
	char *dir = file_join(store_dir(rt->store), "predicted");

	if (make_dirs(dir) || write_file(x->kept, &x->reply))
		view_note(rt, "what the language model predicted could not be kept in %s: %s", dir, strerror(errno));
	free(dir);
}

/* ---- from replies to trials ---- */

static bool same_row(const struct sweep *w, uint32_t a, uint32_t b)
{
	for (uint32_t k = 0; k < w->nspace; k++)
		if (!value_eq(&w->table[(size_t)a * w->nspace + k], &w->table[(size_t)b * w->nspace + k]))
			return false;
	return true;
}

/* Rows that were asked for, the best predicted first; without a prediction, or with the same, as they were drawn. */
static void rank(const struct sweep *w, const double *best, uint32_t n, uint32_t *row)
{
	for (uint32_t k = 0; k < n; k++) {
		uint32_t at = k;

		for (; at && !isnan(best[k]) && (isnan(best[row[at - 1]]) || (w->minimize ? best[k] < best[row[at - 1]] : best[k] > best[row[at - 1]])); at--)
			row[at] = row[at - 1];
		row[at] = k;
	}
}

/*
 * The trials: as ranked, each configuration once while there are others. The first draw always takes part, so that
 * predictions never leave a run with nothing but their own choice.
 */
static void choose(struct rt *rt, const struct sweep *w, const double *best, uint32_t asked, struct choice *c)
{
	uint32_t want = (uint32_t)w->trials, ranked[MOST];
	bool again[MOST] = { false }, first = false;

	rank(w, best, asked, ranked);
	for (uint32_t k = 0; k < asked; k++)
		for (uint32_t j = 0; j < k && !again[k]; j++)
			again[k] = same_row(w, ranked[j], ranked[k]);
	c->row = arena_array(rt->arena, uint32_t, want);
	c->predicted = arena_array(rt->arena, double, want);
	for (int twice = 0; twice < 2; twice++)
		for (uint32_t k = 0; k < asked && c->n < want; k++)
			if (again[k] == twice)
				c->row[c->n++] = ranked[k];
	for (uint32_t r = asked; r < w->ntable && c->n < want; r++)
		c->row[c->n++] = r;
	for (uint32_t k = 0; k < c->n; k++)
		first |= same_row(w, c->row[k], 0);
	if (!first)
		c->row[c->n - 1] = 0;
	for (uint32_t k = 0; k < c->n; k++)
		c->predicted[k] = c->row[k] < asked ? best[c->row[k]] : NAN;
}

static void as_drawn(struct rt *rt, const struct sweep *w, struct choice *c)
{
	c->n = (uint32_t)w->trials;
	c->row = arena_array(rt->arena, uint32_t, c->n);
	c->predicted = arena_array(rt->arena, double, c->n);
	for (uint32_t k = 0; k < c->n; k++) {
		c->row[k] = k;
		c->predicted[k] = NAN;
	}
}

static void fall_back(struct rt *rt, struct inst *i, void (*done)(struct rt *, struct inst *, const struct choice *), const char *why)
{
	const struct sweep *w = i->node->u.sweep;
	struct choice c = { 0 };

	view_note(rt, "sweep '%s': nothing was predicted (%s); it runs what random(trials = %lld, seed = %llu) runs", i->node->name->s, why, (long long)w->trials, (unsigned long long)w->seed);
	as_drawn(rt, w, &c);
	done(rt, i, &c);
}

/* All that is asked has its reply, or none will come. */
static void conclude(struct rt *rt, struct question *q)
{
	const struct sweep *w = q->inst->node->u.sweep;
	double best[MOST], low = INFINITY, high = -INFINITY;
	const char *why = NULL;
	uint32_t asked = 0, good = 0;
	struct choice c = { 0 };

	for (uint32_t k = 0; k < q->nx; k++) {
		struct exchange *x = &q->x[k];
		const char *bad = NULL;
		uint32_t n = x->why || !x->reply.n ? 0 : nl_predict_read(q->arena, rt->m->strs, w, x->row, x->n, x->reply.s, x->reply.n, x->best, &bad);

		for (uint32_t r = 0; r < x->n; r++, asked++) {
			best[asked] = n ? x->best[r] : NAN;
			if (n && !isnan(x->best[r])) {
				low = fmin(low, x->best[r]);
				high = fmax(high, x->best[r]);
			}
		}
		good += n;
		if (!why && (x->why || bad))
			why = x->why ? x->why : bad;
		if (n && !x->asked)
			keep(rt, x);
	}
	if (!good || low == high) {
		fall_back(rt, q->inst, q->done, good ? "the same for every configuration" : why ? why : "the reply holds none");
		return;
	}
	choose(rt, w, best, asked, &c);
	view_note(rt, "sweep '%s': %s predicted %u of %u configurations%s%s%s; %u run, the best predicted first: real runs decide", q->inst->node->name->s, q->end.model, good, asked,
	          why ? " (of the others: " : "", why ? why : "", why ? ")" : "", c.n);
	q->done(rt, q->inst, &c);
}

/* Replies of which nothing holds are asked for once more, with what was wrong. */
static bool repair(struct rt *rt, struct question *q)
{
	bool any = false;

	if (q->repairing)
		return false;
	q->repairing = true;
	for (uint32_t k = 0; k < q->nx; k++) {
		struct exchange *x = &q->x[k];
		const char *bad;
		struct strbuf b = { 0 };

		if (x->asked || x->why || !x->reply.n)
			continue;
		if (nl_predict_read(q->arena, rt->m->strs, q->inst->node->u.sweep, x->row, x->n, x->reply.s, x->reply.n, x->best, &bad)) {
			x->asked = true;
			keep(rt, x);
			continue;
		}
		sb_f(&b, "That cannot be used: %s. Answer again, with the JSON object alone.", x->truncated ? "it breaks off" : bad);
		x->m[2] = (struct nl_message){ "assistant", arena_dup(q->arena, x->reply.s, x->reply.n) };
		x->m[3] = (struct nl_message){ "user", arena_dup(q->arena, b.s, b.n) };
		x->nm = 4;
		any = true;
		sb_free(&b);
	}
	return any;
}

void predict_poll(struct rt *rt)
{
	struct predictions *p = rt->predictions;
	struct question *q, *next;
	eventfd_t n;

	eventfd_read(p->event, &n);
	pthread_mutex_lock(&p->lock);
	q = p->finished;
	p->finished = NULL;
	pthread_mutex_unlock(&p->lock);
	for (; q; q = next) {
		next = q->next;
		if (repair(rt, q) && !start_thread(q))
			continue;
		active_remove(&q->active);
		conclude(rt, q);
		question_free(q);
	}
}

static void stop(struct rt *rt, struct active *a)
{
	struct question *q = (struct question *)a;
	struct inst *i = q->inst;

	active_remove(a);
	pthread_mutex_lock(&q->home->lock);
	q->left = true;
	for (struct question **at = &q->home->finished; *at; at = &(*at)->next)
		if (*at == q) {                                                /* it came while the run was interrupted */
			*at = q->next;
			pthread_mutex_unlock(&q->home->lock);
			question_free(q);
			inst_fail(rt, i, 130, "stopped while it chose its trials");
			return;
		}
	pthread_mutex_unlock(&q->home->lock);
	inst_fail(rt, i, 130, "stopped while a language model was asked");
}

static void set_up(struct rt *rt, struct question *q, const struct sweep *w)
{
	uint32_t asked = w->ntable < MOST ? w->ntable : MOST;

	for (uint32_t at = 0; at < asked; q->nx++) {
		struct exchange *x = &q->x[q->nx];

		for (; at < asked && x->n < BATCH; at++)
			x->row[x->n++] = at;
		nl_predict_prompt(q->arena, rt->m->strs, w, x->row, x->n, x->m);
		x->nm = 2;
		x->kept = place_of(rt, q, x);
		if (!rt->o->no_cache)
			take_kept(x);
	}
}

void predict_start(struct rt *rt, struct inst *i, void (*done)(struct rt *, struct inst *, const struct choice *))
{
	struct question *q;
	char *why = NULL;
	bool all = true;

	if (rt->o->dry_run) {
		fall_back(rt, i, done, "a dry run asks nobody");
		return;
	}
	q = xcalloc(1, sizeof *q);
	q->arena = arena_new();
	q->home = home_of(rt);
	q->inst = i;
	q->done = done;
	if (nl_configure(&q->end, q->arena, &why) || !q->end.url) {
		fall_back(rt, i, done, why ? why : "no language model is configured: set COULER_LLM_URL and COULER_LLM_MODEL");
		free(why);
		question_free(q);
		return;
	}
	q->end.timeout = q->end.timeout > 0 ? q->end.timeout : TIMEOUT;
	set_up(rt, q, i->node->u.sweep);
	for (uint32_t k = 0; k < q->nx; k++)
		all &= q->x[k].asked;
	if (all) {
		conclude(rt, q);
		question_free(q);
	} else if (start_thread(q)) {
		fall_back(rt, i, done, "no thread could be started");
		question_free(q);
	} else {
		active_add(rt, &q->active, stop);
	}
}
