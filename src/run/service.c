/*
 * Services: a process that lives while the steps that read its address run. The instance has ended, for those who
 * wait for it, when the service is ready; the process goes on until its last reader has ended.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "rt.h"

#define LOOK_EVERY 0.2                    /* s between looks whether it is ready */
#define READY_WITHIN 300.0                /* s, where it gives no timeout */
#define GRACE 5.0

struct service {
	struct job job;                   /* of a look; first */
	struct active active;
	struct inst *inst;
	struct step *step;
	struct timer timer;
	struct callcell readers;
	double until;
	int port;
	const char *path;                 /* of the readiness request, NULL */
	bool ready, looking, ending, ended;
	bool answer;                      /* of the last look */
};

static struct service *of_active(struct active *a)
{
	return (struct service *)(void *)((char *)a - offsetof(struct service, active));
}

static int connect_to(int port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct timeval limit = { .tv_sec = 2 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
	if (!connect(fd, (struct sockaddr *)&to, sizeof to))
		return fd;
	close(fd);
	return -1;
}

/* In a thread: does it take connections, and answer its path with 2xx or 3xx? */
static void look_work(struct job *j, struct hasher *h)
{
	struct service *v = (struct service *)j;
	char buf[64];
	size_t n = 0;
	ssize_t r;
	int fd;

	(void)h;
	v->answer = v->port < 0;
	if (v->port < 0)
		return;
	fd = connect_to(v->port);
	if (fd < 0)
		return;
	v->answer = !v->path;
	if (v->path && dprintf(fd, "GET %s HTTP/1.0\r\nHost: 127.0.0.1:%d\r\n\r\n", v->path, v->port) > 0) {
		while (n < sizeof buf - 1 && (r = recv(fd, buf + n, sizeof buf - 1 - n, 0)) > 0)
			n += (size_t)r;
		buf[n] = '\0';
		v->answer = n > 12 && !strncmp(buf, "HTTP/", 5) && strchr(buf, ' ') && (strchr(buf, ' ')[1] == '2' || strchr(buf, ' ')[1] == '3');
	}
	close(fd);
}

/* Somebody else has the port already. */
static bool taken(int port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;
	bool is = false;

	if (fd >= 0) {
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
		is = bind(fd, (struct sockaddr *)&at, sizeof at) && errno == EADDRINUSE;
		close(fd);
	}
	return is;
}

static void finish(struct rt *rt, struct service *v)
{
	if (v->looking || !v->ended)
		return;
	timer_clear(rt, &v->timer);
	active_remove(&v->active);
	rt->services--;
}

static void end_process(struct rt *rt, struct service *v)
{
	v->ending = true;
	timer_clear(rt, &v->timer);
	if (!v->ended)
		step_stop(rt, v->step, 0, GRACE);
}

static void readers_ended(struct rt *rt, void *data)
{
	end_process(rt, data);
}

/* Everything in the graph of the service that reads it, itself or in a region. */
static void watch_readers(struct rt *rt, struct service *v)
{
	struct scope *s = v->inst->scope;
	struct cell *c = &v->readers.cell;

	c->kind = CELL_CALL;
	v->readers.fire = readers_ended;
	v->readers.data = v;
	cell_hold(c);
	for (uint32_t k = 0; k < s->graph->nodes.n; k++)
		if (&s->inst[k] != v->inst && node_reads(rt, s->graph->nodes.v[k], v->inst->node))
			cell_wait(rt, c, &s->inst[k].end);
	cell_release(rt, c);
}

static void now_ready(struct rt *rt, struct service *v)
{
	struct inst *i = v->inst;
	struct strbuf b = { 0 };

	v->ready = true;
	i->ports = arena_array(rt->arena, struct value, i->node->nports ? i->node->nports : 1);
	sb_f(&b, "127.0.0.1:%d", v->port);
	for (uint32_t p = 0; p < i->node->nports; p++)
		i->ports[p] = rt_string(rt, v->port < 0 ? "127.0.0.1" : sb_cstr(&b));
	sb_free(&b);
	watch_readers(rt, v);
	inst_end(rt, i, ST_SUCCEEDED, 0);
}

static void look(struct rt *rt, void *data);

static void looked(struct rt *rt, struct job *j)
{
	struct service *v = (struct service *)j;

	v->looking = false;
	if (v->ended || v->ending) {
		finish(rt, v);
		return;
	}
	if (v->answer)
		now_ready(rt, v);
	else if (now_mono() > v->until) {
		end_process(rt, v);
	} else
		timer_set(rt, &v->timer, now_mono() + LOOK_EVERY, look, v);
}

static void look(struct rt *rt, void *data)
{
	struct service *v = data;

	v->looking = true;
	pool_add(rt, &v->job, look_work, looked);
}

static void process_ended(struct rt *rt, struct step *s, enum status st, int code)
{
	struct service *v = s->data;
	char *what = s->what ? arena_dup(rt->arena, s->what, strlen(s->what)) : NULL;

	(void)st;
	v->ended = true;
	step_keep_log(rt, s);
	step_free(rt, s);
	v->step = NULL;
	if (!v->ready && v->ending)
		inst_fail(rt, v->inst, EXIT_TIMEOUT, "it was not ready in time");
	else if (!v->ready)
		inst_fail(rt, v->inst, code ? code : 1, "it ended with exit code %d before it was ready%s%s", code, what ? ": " : "", what ? what : "");
	else if (!v->ending)
		view_note(rt, "service %s ended with exit code %d while steps may still read it", v->inst->node->name->s, code);
	finish(rt, v);
}

static void stop(struct rt *rt, struct active *a)
{
	end_process(rt, of_active(a));
}

/* The image starts itself: a task without words, under the number behind those of the module. */
static struct ir_task *image_alone(struct rt *rt)
{
	struct ir_task *t = arena_new_of(rt->arena, struct ir_task);

	t->name = str_internz(rt->m->strs, "service");
	t->body = BODY_ARGS;
	t->id = rt->m->tasks.n;
	return t;
}

void service_start(struct rt *rt, struct inst *i)
{
	struct service *v = arena_new_of(rt->arena, struct service);
	const struct node *n = i->node;
	struct evalerr err = { 0 };
	struct value t;

	v->inst = i;
	v->port = n->u.service.port > 0 ? (int)n->u.service.port : -1;
	v->path = n->u.service.ready ? n->u.service.ready->s : NULL;
	v->until = now_mono() + READY_WITHIN;
	if (n->attrs && n->attrs->timeout && !rt_eval(rt, i->scope, n->attrs->timeout, &t, &err))
		v->until = now_mono() + rt_seconds(&t);
	if (v->port > 0 && taken(v->port)) {
		inst_fail(rt, i, 1, "port %d is taken by another process", v->port);
		return;
	}
	rt->services++;
	active_add(rt, &v->active, stop);
	v->step = step_new(rt, i, n->u.service.task ? n->u.service.task : image_alone(rt), n->attrs);
	v->step->done = process_ended;
	v->step->data = v;
	timer_set(rt, &v->timer, now_mono() + LOOK_EVERY / 4, look, v);
	if (step_eval(rt, v->step, n->ins)) {
		step_end(rt, v->step, ST_FAILED, EXIT_VALUE);
		return;
	}
	locate_start(rt, v->step);
}
