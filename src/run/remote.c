/*
 * The shared cache (docs/cache.md): a step that is not in the store is asked for, what a step gave is sent. Threads of
 * its own do both, questions first, so that no step waits for what is sent. Trouble is told once and ends the asking
 * or the sending; it never fails a step.
 */
#include "remote.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "couler/net.h"
#include "journal.h"

#define THREADS 4
#define SENDERS 2                         /* of them that may send at a time */
#define LINGER 600.0                      /* s at the end of a run for what is still to be sent */
#define STALL 30.0                        /* s without a byte */

struct errand {
	struct errand *next;
	struct step *step;                /* that asks; NULL: something to send */
	void (*asked)(struct rt *, struct step *);
	struct sha key;
	double oldest;
	struct strbuf record;
	struct action action;             /* points into record */
	struct exchange x;
};

struct list { struct errand *first, **last; uint32_t n; };

struct remote {
	struct rt *rt;
	struct objects_at at;
	char *shown;                      /* its name for people */
	int event;
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct list asks, gives;
	struct errand *finished, **finished_last;
	pthread_t thread[THREADS];
	unsigned nthreads, idle, sending;
	bool stop, closing, no_asks, no_gives;
	struct sha *damaged;              /* keys of actions */
	uint32_t ndamaged, asking;
	unsigned warned;
};

static void list_add(struct list *l, struct errand *e)
{
	if (!l->first)
		l->last = &l->first;
	e->next = NULL;
	*l->last = e;
	l->last = &e->next;
	l->n++;
}

static struct errand *list_take(struct list *l)
{
	struct errand *e = l->first;

	if (e) {
		l->first = e->next;
		l->n--;
	}
	return e;
}

static void errand_free(struct errand *e)
{
	sb_free(&e->record);
	free(e->x.why);
	free(e);
}

/* ---- in the threads ---- */

static int keep_on(uint64_t done, void *ctx)
{
	struct remote *r = ctx;
	bool stop;

	(void)done;
	pthread_mutex_lock(&r->lock);
	stop = r->stop;
	pthread_mutex_unlock(&r->lock);
	return stop;
}

/* What was there of this action was of no use: it is put anew, all of it. */
static bool is_damaged(struct remote *r, const struct sha *s)
{
	bool found = false;

	pthread_mutex_lock(&r->lock);
	for (uint32_t i = 0; i < r->ndamaged && !found; i++)
		found = !memcmp(&r->damaged[i], s, sizeof *s);
	pthread_mutex_unlock(&r->lock);
	return found;
}

static void do_errand(struct remote *r, struct errand *e, struct objects **o, struct hasher *h)
{
	char *err = NULL;

	if (!*o) {
		*o = objects_open(&r->at, &err);
		if (!*o) {
			e->x = (struct exchange){ .rc = OBJECTS_UNREACHABLE, .why = err };
			return;
		}
		objects_tick(*o, keep_on, r);
	}
	objects_patience(*o, e->step ? 2 : 4, STALL);
	if (e->step)
		remote_take(*o, r->rt->store, h, &e->key, e->oldest, &e->record, &e->action, &e->x);
	else
		remote_give(*o, r->rt->store, &e->record, is_damaged(r, &e->key), &e->x);
}

static struct errand *next_errand(struct remote *r)
{
	struct errand *e = list_take(&r->asks);

	return e ? e : r->sending < SENDERS ? list_take(&r->gives) : NULL;
}

static void *work(void *data)
{
	struct remote *r = data;
	struct hasher *h = hasher_new();
	struct objects *o = NULL;
	struct errand *e;

	pthread_mutex_lock(&r->lock);
	for (;;) {
		while (!(e = next_errand(r)) && !r->closing) {
			r->idle++;
			pthread_cond_wait(&r->more, &r->lock);
			r->idle--;
		}
		if (!e)
			break;
		r->sending += !e->step;
		if (r->stop || (e->step ? r->no_asks : r->no_gives))
			e->x = (struct exchange){ .rc = OBJECTS_STOPPED };
		else {
			pthread_mutex_unlock(&r->lock);
			do_errand(r, e, &o, h);
			pthread_mutex_lock(&r->lock);
		}
		r->sending -= !e->step;
		e->next = NULL;
		*r->finished_last = e;
		r->finished_last = &e->next;
		eventfd_write(r->event, 1);
		pthread_cond_signal(&r->more);
	}
	pthread_mutex_unlock(&r->lock);
	objects_close(o);
	hasher_free(h);
	return NULL;
}

/* ---- in the engine ---- */

static void start_thread(struct remote *r)
{
	sigset_t all, old;

	if (r->idle || r->nthreads == THREADS)
		return;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	if (!pthread_create(&r->thread[r->nthreads], NULL, work, r))
		r->nthreads++;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}

static bool add(struct remote *r, struct list *l, struct errand *e)
{
	bool ok;

	pthread_mutex_lock(&r->lock);
	list_add(l, e);
	start_thread(r);
	ok = r->nthreads > 0;
	if (!ok)
		list_take(l);
	pthread_cond_signal(&r->more);
	pthread_mutex_unlock(&r->lock);
	return ok;
}

const struct ir_store *store_holding(const struct ir *m, const char *uri)
{
	const struct ir_store *best = NULL;

	for (uint32_t i = 0; i < m->stores.n; i++) {
		const struct ir_store *s = &m->stores.v[i];
		size_t n = s->uri ? s->uri->len : 0;

		if (n && !strncmp(uri, s->uri->s, n) && (!uri[n] || uri[n] == '/' || s->uri->s[n - 1] == '/') && (!best || n > best->uri->len))
			best = s;
	}
	return best;
}

static int cannot(struct rt *rt, const char *why)
{
	diag_at(rt->d, CW0910, (struct span){ 0 }, "--cache-remote: %s", why);
	return 2;
}

/* A folder that is not there is made, but not the one above it: a share that is not mounted must not become a folder of this machine. */
static bool folder_there(struct rt *rt, const char *uri)
{
	const char *dir = strncmp(uri, "file://", 7) ? uri : uri + 7;
	struct stat st;

	if (strstr(dir, "://") || !mkdir(dir, 0777) || (!stat(dir, &st) && S_ISDIR(st.st_mode)))
		return true;
	view_note(rt, "warning: the shared cache cannot be reached, the run goes on without it: %s: %s", dir, strerror(errno == EEXIST ? ENOTDIR : errno));
	return false;
}

/* The host of a URL, from behind "://" on, is this machine. */
static bool is_here(const char *s)
{
	size_t n = strcspn(s, "/?#");
	const char *at = memrchr(s, '@', n);
	struct strbuf host = { 0 };
	bool here;

	if (at) {
		n -= (size_t)(at + 1 - s);
		s = at + 1;
	}
	sb_add(&host, s, *s == '[' && memchr(s, ']', n) ? (size_t)((const char *)memchr(s, ']', n) + 1 - s) : strcspn(s, ":") < n ? strcspn(s, ":") : n);
	here = net_loopback(sb_cstr(&host));
	sb_free(&host);
	return here;
}

int remote_open(struct rt *rt)
{
	const char *uri = rt->o->cache_remote;
	const struct ir_store *s;
	struct objects *probe;
	struct strbuf b = { 0 };
	struct remote *r;
	char *err = NULL;

	if (!uri || rt->o->dry_run)
		return 0;
	if (!strncmp(uri, "http://", 7) && !is_here(uri + 7))
		return cannot(rt, "over plain http anybody on the way could change results; use https");
	s = store_holding(rt->m, uri);
	r = xcalloc(1, sizeof *r);
	r->at = (struct objects_at){ uri, s && s->endpoint ? s->endpoint->s : NULL, s && s->region ? s->region->s : NULL };
	probe = objects_open(&r->at, &err);
	if (!probe) {
		int rc = cannot(rt, err);

		free(err);
		free(r);
		return rc;
	}
	objects_uri(probe, "", &b);
	objects_close(probe);
	if (!folder_there(rt, uri)) {
		sb_free(&b);
		free(r);
		return 0;
	}
	b.n -= b.n > 1;                   /* the '/' at the end */
	r->shown = xstrdup(sb_cstr(&b));
	sb_free(&b);
	r->rt = rt;
	r->finished_last = &r->finished;
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->more, NULL);
	r->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	rt->remote = r;
	return 0;
}

int remote_fd(const struct rt *rt)
{
	return rt->remote ? rt->remote->event : -1;
}

void remote_watch(struct rt *rt)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.fd = remote_fd(rt) };

	if (rt->remote)
		epoll_ctl(rt->epoll, EPOLL_CTL_ADD, ev.data.fd, &ev);
}

bool remote_open_to(const struct rt *rt, const struct step *s)
{
	return rt->remote && !rt->remote->no_asks && !rt->remote->stop && !s->asked;
}

bool remote_ask(struct rt *rt, struct step *s, double oldest, void (*asked)(struct rt *, struct step *))
{
	struct remote *r = rt->remote;
	struct errand *e;

	if (!remote_open_to(rt, s))
		return false;
	s->asked = true;
	e = xcalloc(1, sizeof *e);
	e->step = s;
	e->asked = asked;
	e->key = s->key;
	e->oldest = oldest;
	if (!add(r, &r->asks, e)) {
		errand_free(e);
		return false;
	}
	store_hold(rt);
	rt->holds++;
	rt->sched.nprep++;
	r->asking++;
	return true;
}

void remote_keep(struct rt *rt, const struct action *a)
{
	struct remote *r = rt->remote;
	struct errand *e;

	if (!r || r->no_gives || r->stop)
		return;
	e = xcalloc(1, sizeof *e);
	e->key = a->key;
	remote_record(&e->record, a);
	if (!add(r, &r->gives, e))
		errand_free(e);
}

/* Says what went wrong, once for each way of it, and ends the asking or the sending where it will go wrong again. */
static void trouble(struct remote *r, const struct errand *e)
{
	const char *why = e->x.why ? e->x.why : "";
	bool ask = e->step;

	switch (e->x.rc) {
	case OBJECTS_UNREACHABLE:
		if (!r->no_asks || !r->no_gives)
			view_note(r->rt, "warning: the shared cache cannot be reached, the run goes on without it: %s", why);
		r->no_asks = r->no_gives = true;
		break;
	case OBJECTS_REFUSED:
		if (ask ? !r->no_asks : !r->no_gives)
			view_note(r->rt, ask ? "warning: the shared cache may not be read, the run goes on without it: %s" : "the shared cache takes no results from here: %s", why);
		r->no_gives = true;
		r->no_asks |= ask;
		break;
	case OBJECTS_BAD:
		if (r->warned++ < 5)
			view_note(r->rt, ask ? "warning: the shared cache is of no use here, the step runs: %s" : "warning: a result was not shared: %s", why);
		break;
	case OBJECTS_OK:
	case OBJECTS_ABSENT:
	case OBJECTS_STOPPED:
		break;
	}
}

static void settle(struct remote *r, struct errand *e)
{
	struct rt *rt = r->rt;

	pthread_mutex_lock(&r->lock);
	trouble(r, e);
	if (e->x.damaged) {
		r->damaged = xrealloc(r->damaged, (r->ndamaged + 1) * sizeof *r->damaged);
		r->damaged[r->ndamaged++] = e->key;
	}
	pthread_mutex_unlock(&r->lock);
	if (e->step) {
		r->asking--;
		rt->sched.nprep--;
		rt->holds--;
		if (e->x.rc == OBJECTS_OK)
			remember_from(rt, &e->action);
		e->asked(rt, e->step);
	}
	errand_free(e);
}

void remote_poll(struct rt *rt)
{
	struct remote *r = rt->remote;
	struct errand *e, *next;
	eventfd_t n;

	eventfd_read(r->event, &n);
	pthread_mutex_lock(&r->lock);
	e = r->finished;
	r->finished = NULL;
	r->finished_last = &r->finished;
	pthread_mutex_unlock(&r->lock);
	for (; e; e = next) {
		next = e->next;
		settle(r, e);
	}
}

void remote_stop(struct rt *rt)
{
	if (!rt->remote)
		return;
	pthread_mutex_lock(&rt->remote->lock);
	rt->remote->stop = true;
	pthread_mutex_unlock(&rt->remote->lock);
}

static uint32_t unsent(struct remote *r)
{
	uint32_t n;

	pthread_mutex_lock(&r->lock);
	n = r->no_gives || r->stop ? 0 : r->gives.n + r->sending;
	pthread_mutex_unlock(&r->lock);
	return n;
}

/* The signal is for what is sent: the run is over. */
static bool interrupted(struct rt *rt)
{
	struct signalfd_siginfo si;

	return read(rt->sigfd, &si, sizeof si) == sizeof si;
}

/* Until all is sent, a signal comes, or it takes too long. */
static void linger(struct remote *r)
{
	double start = now_mono();
	bool told = false;
	uint32_t n;

	while ((n = unsent(r))) {
		struct pollfd p[2] = { { .fd = r->event, .events = POLLIN }, { .fd = r->rt->sigfd, .events = POLLIN } };

		if (!told && now_mono() - start > 1) {
			told = true;
			view_note(r->rt, "sharing %u result%s with %s; an interrupt ends this, not the run", n, n == 1 ? "" : "s", r->shown);
			view_flush(r->rt);
		}
		if (now_mono() - start > LINGER || r->rt->signal || (poll(p, 2, 200) > 0 && p[1].revents && interrupted(r->rt))) {
			view_note(r->rt, "%u result%s not shared", n, n == 1 ? " was" : "s were");
			break;
		}
		remote_poll(r->rt);
	}
	remote_stop(r->rt);
}

void remote_close(struct rt *rt)
{
	struct remote *r = rt->remote;
	struct errand *e;

	if (!r)
		return;
	linger(r);
	pthread_mutex_lock(&r->lock);
	r->closing = true;
	pthread_cond_broadcast(&r->more);
	pthread_mutex_unlock(&r->lock);
	for (unsigned i = 0; i < r->nthreads; i++)
		pthread_join(r->thread[i], NULL);
	for (e = r->finished; e; e = r->finished) {
		r->finished = e->next;
		trouble(r, e);
		errand_free(e);
	}
	while ((e = list_take(&r->asks)) || (e = list_take(&r->gives)))
		errand_free(e);
	close(r->event);
	pthread_mutex_destroy(&r->lock);
	pthread_cond_destroy(&r->more);
	free(r->damaged);
	free(r->shown);
	free(r);
	rt->remote = NULL;
}
