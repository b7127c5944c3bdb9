/* A few threads for hashing and copying; started at first use. */
#include <pthread.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "rt.h"

#define MOST 8

struct pool {
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct job *first, **last, *finished;
	pthread_t thread[MOST];
	unsigned nthreads, running;       /* running: added and not yet polled */
	int event;
	bool closing;
};

static void *work(void *data)
{
	struct pool *p = data;
	struct hasher *h = hasher_new();
	struct job *j;

	pthread_mutex_lock(&p->lock);
	for (;;) {
		while (!p->first && !p->closing)
			pthread_cond_wait(&p->more, &p->lock);
		j = p->first;
		if (!j)
			break;
		p->first = j->next;
		if (!p->first)
			p->last = &p->first;
		pthread_mutex_unlock(&p->lock);
		j->work(j, h);
		pthread_mutex_lock(&p->lock);
		j->next = p->finished;
		p->finished = j;
		eventfd_write(p->event, 1);
	}
	pthread_mutex_unlock(&p->lock);
	hasher_free(h);
	return NULL;
}

static struct pool *pool_new(struct rt *rt)
{
	struct pool *p = xcalloc(1, sizeof *p);
	struct epoll_event ev = { .events = EPOLLIN };

	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->more, NULL);
	p->last = &p->first;
	p->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ev.data.fd = p->event;
	epoll_ctl(rt->epoll, EPOLL_CTL_ADD, p->event, &ev);
	return p;
}

void pool_add(struct rt *rt, struct job *j, void (*w)(struct job *, struct hasher *), void (*done)(struct rt *, struct job *))
{
	struct pool *p = rt->pool ? rt->pool : (rt->pool = pool_new(rt));
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned most = cpus < 1 ? 1 : cpus > MOST ? MOST : (unsigned)cpus;

	j->work = w;
	j->done = done;
	j->next = NULL;
	pthread_mutex_lock(&p->lock);
	*p->last = j;
	p->last = &j->next;
	p->running++;
	if (p->nthreads < most && p->nthreads < p->running && !pthread_create(&p->thread[p->nthreads], NULL, work, p))
		p->nthreads++;
	pthread_cond_signal(&p->more);
	pthread_mutex_unlock(&p->lock);
	if (!p->nthreads) {                                                /* no thread to be had: here, then */
		p->first = NULL;
		p->last = &p->first;
		w(j, rt->hasher);
		j->next = p->finished;
		p->finished = j;
		eventfd_write(p->event, 1);
	}
}

void pool_poll(struct rt *rt)
{
	struct pool *p = rt->pool;
	struct job *j, *in_order = NULL, *next;
	eventfd_t n;

	if (!p)
		return;
	eventfd_read(p->event, &n);
	pthread_mutex_lock(&p->lock);
	j = p->finished;
	p->finished = NULL;
	pthread_mutex_unlock(&p->lock);
	for (; j; j = next) {
		next = j->next;
		j->next = in_order;
		in_order = j;
	}
	for (j = in_order; j; j = next) {
		next = j->next;
		p->running--;
		j->done(rt, j);
	}
}

void pool_close(struct rt *rt)
{
	struct pool *p = rt->pool;

	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	p->closing = true;
	pthread_cond_broadcast(&p->more);
	pthread_mutex_unlock(&p->lock);
	for (unsigned i = 0; i < p->nthreads; i++)
		pthread_join(p->thread[i], NULL);
	close(p->event);
	pthread_mutex_destroy(&p->lock);
	pthread_cond_destroy(&p->more);
	free(p);
	rt->pool = NULL;
}

int pool_fd(const struct rt *rt)
{
	return rt->pool ? rt->pool->event : -1;
}

bool pool_busy(const struct rt *rt)
{
	return rt->pool && rt->pool->running;
}
