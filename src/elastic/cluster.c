/* The broker whose workers are a Job of the cluster: what it asks of it, and what it makes of the answers. */
#include "broker.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#define LONG 60.0                         /* s without any worker after which we say so */
#define GOODBYE 60.0                      /* s for the Job to be deleted: a control plane that starts again takes about that */
#define HASTY 12.0                        /* the same after TERM: the pod has 30, of which the trainer had up to 10 and a last request 4 */
#define STILLBORN 8                       /* pods that ended before any worker came */

static void make_token(struct broker *b)
{
	unsigned char r[16];
	struct strbuf s = { 0 };

	if (getrandom(r, sizeof r, 0) != sizeof r) {
		broker_fail(b, "no random bytes for the workers' token: %s", strerror(errno));
		return;
	}
	for (size_t i = 0; i < sizeof r; i++)
		sb_f(&s, "%02x", r[i]);
	b->token = strdup(sb_cstr(&s));
	sb_free(&s);
}

/* tcp:HOST:PORT under which the pods of the Job find us: our pod's address, the port that we listen at. */
static void address(const struct broker *b, struct strbuf *s)
{
	const char *ip = getenv("COULER_POD_IP");
	struct sockaddr_storage a;
	socklen_t n = sizeof a;
	unsigned port = 0;

	if (!getsockname(b->listen_fd, (struct sockaddr *)&a, &n))
		port = ntohs(a.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&a)->sin6_port : ((struct sockaddr_in *)&a)->sin_port);
	sb_f(s, "tcp:%s:%u", ip && *ip ? ip : "127.0.0.1", port);
}

int cluster_begin(struct broker *b)
{
	struct strbuf s = { 0 };
	char *err = NULL;

	make_token(b);
	if (b->error)
		return -1;
	address(b, &s);
	b->job = elsewhere_start(b->o->job, sb_cstr(&s), b->token, &err);
	if (b->job)
		broker_say(b, "workers are the pods of Job %s; they find this pod at %s", elsewhere_name(b->job), sb_cstr(&s));
	else
		broker_fail(b, "%s", err);
	free(err);
	sb_free(&s);
	return b->job ? 0 : -1;
}

void cluster_tick(struct broker *b, double now)
{
	struct elsewhere_state s;
	bool work = b->nlease && (b->done < b->nlease || b->epoch + 1 < b->f->epochs) && !b->closed && !b->deaf;

	if (!b->job)
		return;
	elsewhere_want(b->job, work ? b->target : 0);                      /* idle pods would keep their CPUs while the trainer goes on */
	s = elsewhere_look(b->job);
	if (s.news)
		broker_say(b, "%s", s.news);
	if (s.error && work)
		broker_fail(b, "%s", s.error);
	if (work && !b->met && s.failed >= STILLBORN)
		broker_fail(b, "%d pods of Job %s ended before a worker came; kubectl logs job/%s says why", s.failed, elsewhere_name(b->job), elsewhere_name(b->job));
	if (b->since <= 0)
		b->since = now;
	if (work && now - b->since > LONG) {
		b->since = now;
		if (!workers_alive(b))
			broker_say(b, "no worker is there: Job %s has %d pods, %d of them ready; kubectl describe job %s says what they wait for", elsewhere_name(b->job), s.active, s.ready,
				elsewhere_name(b->job));
	}
	free(s.error);
	free(s.news);
}

void cluster_end(struct broker *b)
{
	char *err = NULL, *name = b->job ? xstrdup(elsewhere_name(b->job)) : NULL;

	elsewhere_end(b->job, b->signal ? HASTY : GOODBYE, &err);
	if (err)
		broker_say(b, "the Job of the workers could not be deleted: %s; its workers end by themselves, and it goes with this pod; kubectl delete job %s removes it now", err, name);
	free(name);
	free(err);
	free(b->token);
	b->job = NULL;
	b->token = NULL;
}
