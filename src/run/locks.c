/*
 * Locks and pools across runs: files in locks/ of the cache folder, held by flock, so the kernel releases them however
 * a run ends. All locks of a step are taken together or not at all. A waiting step says who holds what it waits for.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "rt.h"

#define LONGEST 200                       /* bytes of a file name, without the number behind it */
#define POLL 0.1                          /* s between tries: flock has no event */

struct want { char *name; uint32_t size; };    /* name: as a file name */
struct locks {
	struct want *v;
	int *fd;
	uint32_t n;
	bool told;
	struct step *step;                /* of a step, or */
	void (*got)(struct rt *, void *); /* of a workflow */
	void *data;
	char *who;
	struct locks *next;               /* waiting */
};

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct want *)a)->name, ((const struct want *)b)->name);
}

/* What a name beyond LONGEST differs in stands behind it as a digest. */
static void shorten(const struct rt *rt, const struct strbuf *name, struct strbuf *b)
{
	struct sha sha;
	char hex[65];

	hasher_reset(rt->hasher);
	hasher_add(rt->hasher, name->s, name->n);
	hasher_end(rt->hasher, &sha);
	sha_hex(&sha, hex);
	b->n = LONGEST - 65;
	sb_ch(b, '-');
	sb_z(b, hex);
}

static char *file_name(const struct rt *rt, const struct strbuf *name)
{
	struct strbuf b = { 0 };
	char *p;

	for (size_t i = 0; i < name->n && b.n <= LONGEST; i++) {
		unsigned char c = (unsigned char)name->s[i];

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || (c == '.' && i))
			sb_ch(&b, (char)c);
		else
			sb_f(&b, "%%%02X", c);
	}
	if (b.n > LONGEST)
		shorten(rt, name, &b);
	p = xstrdup(sb_cstr(&b));
	sb_free(&b);
	return p;
}

static void locks_free(struct locks *l)
{
	for (uint32_t k = 0; k < l->n; k++) {
		free(l->v[k].name);
		if (l->fd[k] >= 0)
			close(l->fd[k]);
	}
	free(l->v);
	free(l->fd);
	free(l->who);
	free(l);
}

/* Who holds a lock, as its file says; malloc. */
static char *holder(const struct rt *rt, const struct want *w)
{
	struct strbuf b = { 0 };
	char text[256];
	ssize_t n = -1;
	int fd;

	sb_f(&b, "%s/locks/%s.0", store_dir(rt->store), w->name);
	fd = open(sb_cstr(&b), O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, text, sizeof text - 1);
		close(fd);
	}
	sb_free(&b);
	text[n > 0 ? n : 0] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return xstrdup(n > 0 ? text : "another run");
}

static int try_one(const struct rt *rt, const struct locks *l, const struct want *w)
{
	struct strbuf b = { 0 };
	int fd = -1;

	for (uint32_t k = 0; k < w->size; k++) {
		b.n = 0;
		sb_f(&b, "%s/locks/%s.%u", store_dir(rt->store), w->name, k);
		fd = open(sb_cstr(&b), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
		if (fd >= 0 && !flock(fd, LOCK_EX | LOCK_NB))
			break;
		if (fd >= 0)
			close(fd);
		fd = -1;
	}
	if (fd >= 0) {
		b.n = 0;
		sb_f(&b, "run %s, %s, process %d\n", rt->run_id, l->who, (int)getpid());
		if (!ftruncate(fd, 0) && pwrite(fd, b.s, b.n, 0) < 0)
			errno = 0;                                          /* only the message about the holder is poorer */
	}
	sb_free(&b);
	return fd;
}

static bool try_all(struct rt *rt, struct locks *l)
{
	for (uint32_t k = 0; k < l->n; k++) {
		l->fd[k] = try_one(rt, l, &l->v[k]);
		if (l->fd[k] >= 0)
			continue;
		if (!l->told) {
			char *by = holder(rt, &l->v[k]);

			view_note(rt, "%s waits for lock '%s', held by %s", l->who, l->v[k].name, by);
			free(by);
			l->told = true;
		}
		while (k--) {
			close(l->fd[k]);
			l->fd[k] = -1;
		}
		return false;
	}
	return true;
}

static void poll_locks(struct rt *rt, void *data)
{
	struct locks *all = rt->lock_waits, **tail = &rt->lock_waits, *next;

	(void)data;
	rt->lock_waits = NULL;
	for (struct locks *l = all; l; l = next) {
		next = l->next;
		l->next = NULL;
		if (!try_all(rt, l)) {
			*tail = l;
			tail = &l->next;
		} else if (l->step)
			sched_locked(rt, l->step);
		else
			l->got(rt, l->data);
	}
	if (rt->lock_waits)
		timer_set(rt, &rt->lock_timer, now_mono() + POLL, poll_locks, NULL);
}

static bool take(struct rt *rt, struct locks *l)
{
	struct locks **tail = &rt->lock_waits;

	if (try_all(rt, l))
		return true;
	while (*tail)
		tail = &(*tail)->next;
	*tail = l;
	l->next = NULL;
	if (!rt->lock_timer.pos)
		timer_set(rt, &rt->lock_timer, now_mono() + POLL, poll_locks, NULL);
	return false;
}

static struct locks *locks_new(const struct inst *i, const char *who, uint32_t n)
{
	struct locks *l = xcalloc(1, sizeof *l);
	struct strbuf b = { 0 };

	l->v = xcalloc(n, sizeof *l->v);
	l->fd = xcalloc(n, sizeof *l->fd);
	if (i)
		inst_name(i, &b);
	else
		sb_z(&b, who);
	l->who = xstrdup(sb_cstr(&b));
	sb_free(&b);
	return l;
}

/* A name that stands there twice is one lock: nobody waits for himself. */
static void add(const struct rt *rt, struct locks *l, const struct value *name, int64_t size)
{
	struct strbuf b = { 0 };
	uint32_t k = 0;

	value_text(&b, name);
	l->fd[l->n] = -1;
	l->v[l->n].name = file_name(rt, &b);
	l->v[l->n].size = size < 1 ? 1 : (uint32_t)size;
	sb_free(&b);
	while (strcmp(l->v[k].name, l->v[l->n].name))
		k++;
	if (k == l->n)
		l->n++;
	else
		free(l->v[l->n].name);
}

bool locks_take(struct rt *rt, struct step *s)
{
	const struct attrs *a = s->attrs;
	struct evalerr err = { 0 };
	struct value v;

	if (!a->locks.n || s->locks)
		return true;
	s->locks = locks_new(s->inst, NULL, a->locks.n);
	s->locks->step = s;
	for (uint32_t k = 0; k < a->locks.n; k++) {
		if (step_eval_in(rt, s, a->locks.v[k].name, false, &v, &err))
			continue;                                           /* names are strings of what is known: checked at compile time */
		add(rt, s->locks, &v, a->locks.v[k].size);
	}
	qsort(s->locks->v, s->locks->n, sizeof *s->locks->v, by_name);
	return take(rt, s->locks);
}

static void soon(struct rt *rt)
{
	if (rt->lock_waits)
		timer_set(rt, &rt->lock_timer, now_mono(), poll_locks, NULL);
}

void locks_give(struct rt *rt, struct step *s)
{
	if (!s->locks)
		return;
	for (struct locks **at = &rt->lock_waits; *at; at = &(*at)->next)
		if (*at == s->locks) {
			*at = s->locks->next;
			break;
		}
	locks_free(s->locks);
	s->locks = NULL;
	soon(rt);
}

bool wf_locks(struct rt *rt, struct wfrun *wf, void (*got)(struct rt *, void *))
{
	struct scope sc = { .wf = wf };
	struct evalerr err = { 0 };
	struct value v;

	if (!wf->w->locks.n)
		return true;
	wf->locks = locks_new(wf->caller, wf->w->name->s, wf->w->locks.n);
	wf->locks->got = got;
	wf->locks->data = wf;
	for (uint32_t k = 0; k < wf->w->locks.n; k++)
		if (!rt_eval(rt, &sc, wf->w->locks.v[k].name, &v, &err))
			add(rt, wf->locks, &v, wf->w->locks.v[k].size);
	qsort(wf->locks->v, wf->locks->n, sizeof *wf->locks->v, by_name);
	return take(rt, wf->locks);
}

void wf_unlock(struct rt *rt, struct wfrun *wf)
{
	if (!wf->locks)
		return;
	locks_free(wf->locks);
	wf->locks = NULL;
	soon(rt);
}

/* Nothing new starts: what waits is skipped; a workflow goes on, with nothing in it. */
void locks_stop(struct rt *rt)
{
	struct locks **at = &rt->lock_waits, *l;

	while ((l = *at)) {
		if (l->step && !stopped(rt, l->step->inst)) {
			at = &l->next;
			continue;
		}
		if (!l->step && !rt->stopping) {
			at = &l->next;
			continue;
		}
		*at = l->next;
		if (l->step)
			sched_locked(rt, l->step);                          /* launching finds that it may not start */
		else
			l->got(rt, l->data);
	}
}
