/*
 * Data workers in pods of a cluster. The broker itself makes the Job, patches its parallelism and deletes it: a Job belongs to
 * one attempt of one step, so an attempt never meets the workers of another. What the broker cannot delete, because it was
 * killed, ends by itself: the workers find no broker and end, and the Job is owned by the broker's pod.
 */
#include "elsewhere.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "flow.h"
#include "kube.h"

#define LOOK_EVERY 10                     /* s between looks at the Job when nothing changes */
#define AGAIN 2                           /* s until a request that got no answer is made again */
#define FAREWELL 4                        /* s for a request that is under way at the end, and for one try to delete the Job */
#define AWAY_MOST 300                     /* s without an answer of the cluster until the step fails: as long as a control plane may take to come back */

struct elsewhere {
	struct kube *kube;
	json_t *job;
	char *name;
	pthread_t thread;
	bool threaded;
	/* under the lock */
	pthread_mutex_t lock;
	pthread_cond_t more;
	int wanted;
	bool stop;
	struct elsewhere_state state;
	/* of the thread */
	int patched;                      /* parallelism that the cluster has; -1: unknown */
	bool unsure;                      /* the request that makes the Job got no answer: the cluster may still make it */
	double away_since;                /* 0: it answers */
};

/* Takes text, which is of xsprintf. The first word counts: what follows comes of it. */
static void tell(struct elsewhere *e, bool fatal, char *text)
{
	char **slot;

	pthread_mutex_lock(&e->lock);
	slot = fatal ? &e->state.error : &e->state.news;
	if (!*slot)
		*slot = text;
	else
		free(text);
	pthread_mutex_unlock(&e->lock);
}

/* ---- the manifest ---- */

static json_t *below(json_t *o, const char *key)
{
	json_t *v = json_object_get(o, key);

	if (!json_is_object(v)) {
		json_object_set_new(o, key, json_object());
		v = json_object_get(o, key);
	}
	return v;
}

static void variable(json_t *env, const char *name, const char *value)
{
	json_array_append_new(env, json_pack("{s:s, s:s}", "name", name, "value", value));
}

static void owner(json_t *meta)
{
	const char *name = getenv("COULER_POD_NAME"), *uid = getenv("COULER_POD_UID");

	if (name && *name && uid && *uid)
		json_object_set_new(meta, "ownerReferences", json_pack("[{s:s, s:s, s:s, s:s, s:b}]", "apiVersion", "v1", "kind", "Pod", "name", name, "uid", uid, "controller", 1));
}

/* The same pod gives the same name, so a request whose answer was lost can be made again. */
static char *job_name(void)
{
	const char *uid = getenv("COULER_POD_UID");
	struct strbuf b = { 0 };
	unsigned char r[8];
	char *s;

	sb_z(&b, "couler-workers-");
	if (uid && *uid && strlen(uid) <= 40) {
		sb_z(&b, uid);
	} else {
		if (getrandom(r, sizeof r, 0) != sizeof r)
			memset(r, 0, sizeof r);
		for (size_t i = 0; i < sizeof r; i++)
			sb_f(&b, "%02x", r[i]);
	}
	s = strdup(sb_cstr(&b));
	sb_free(&b);
	return s;
}

static bool fill_in(struct elsewhere *e, const char *address, const char *token)
{
	json_t *spec = json_object_get(e->job, "spec"), *pod = json_object_get(json_object_get(spec, "template"), "spec");
	json_t *list = json_object_get(pod, "containers"), *meta = below(e->job, "metadata"), *c;
	size_t i;

	if (!json_is_array(list) || !json_array_size(list))
		return false;
	json_object_del(meta, "generateName");
	json_object_set_new(meta, "name", json_string(e->name));
	owner(meta);
	json_object_set_new(spec, "parallelism", json_integer(0));
	json_array_foreach(list, i, c) {
		json_t *env = json_object_get(c, "env");

		if (!json_is_array(env)) {
			json_object_set_new(c, "env", json_array());
			env = json_object_get(c, "env");
		}
		variable(env, "COULER_DATAFLOW_ADDRESS", address);
		variable(env, "COULER_DATAFLOW_TOKEN", token);
	}
	return true;
}

/* ---- the thread ---- */

static int count_of(json_t *status, const char *key)
{
	return (int)json_integer_value(json_object_get(status, key));
}

/* What the cluster says of the Job: numbers, and whether it has given up. */
static void read_status(struct elsewhere *e, json_t *job)
{
	json_t *status = json_object_get(job, "status"), *c;
	size_t i;

	pthread_mutex_lock(&e->lock);
	e->state.made = true;
	e->state.active = count_of(status, "active");
	e->state.ready = count_of(status, "ready");
	e->state.failed = count_of(status, "failed");
	pthread_mutex_unlock(&e->lock);
	json_array_foreach(json_object_get(status, "conditions"), i, c) {
		const char *type = json_string_value(json_object_get(c, "type")), *is = json_string_value(json_object_get(c, "status")), *why = json_string_value(json_object_get(c, "message"));

		if (!type || !is || strcmp(is, "True") != 0)
			continue;
		if (!strcmp(type, "Failed"))
			tell(e, true, xsprintf("Job %s of the workers failed: %s; kubectl describe job %s", e->name, why ? why : "the cluster does not say why", e->name));
		else if (!strcmp(type, "Complete"))
			tell(e, true, xsprintf("Job %s ended although there is work left: its workers did not find the broker", e->name));
	}
}

/* No answer: again later, but not for ever. */
static void no_answer(struct elsewhere *e, const char *err)
{
	double t = flow_now();

	if (e->away_since <= 0) {
		e->away_since = t;
		tell(e, false, xsprintf("%s; asked again until it answers", err));
	} else if (t - e->away_since > AWAY_MOST) {
		tell(e, true, xsprintf("%s; there has been no answer for %d s", err, AWAY_MOST));
	}
}

static bool settle(struct elsewhere *e, enum kube_rc rc, const char *err)
{
	if (rc == KUBE_AWAY) {
		no_answer(e, err);
		return false;
	}
	e->away_since = 0;
	if (rc == KUBE_GONE)
		tell(e, true, xsprintf("Job %s of the workers is gone: something else deleted it (%s)", e->name, err));
	else if (rc != KUBE_OK)
		tell(e, true, xsprintf("Job %s of the workers: %s", e->name, err));
	return rc == KUBE_OK;
}

/* Makes the Job if need be; one of this name is ours, of a request whose answer was lost. */
static bool make(struct elsewhere *e)
{
	json_t *out = NULL;
	char *err = NULL;
	enum kube_rc rc = kube_jobs(e->kube, "POST", NULL, e->job, &out, &err);
	bool ok;

	if (rc == KUBE_GONE)
		rc = KUBE_REFUSED;                                          /* the collection: no such namespace, or not this API */
	e->unsure = rc == KUBE_AWAY;
	ok = settle(e, rc == KUBE_EXISTS ? KUBE_OK : rc, err);
	if (out)
		read_status(e, out);
	json_decref(out);
	free(err);
	return ok;
}

static bool patch(struct elsewhere *e, int wanted)
{
	json_t *body = json_pack("{s:{s:i}}", "spec", "parallelism", wanted), *out = NULL;
	char *err = NULL;
	bool ok = settle(e, kube_jobs(e->kube, "PATCH", e->name, body, &out, &err), err);

	if (ok) {
		e->patched = wanted;
		read_status(e, out);
	}
	json_decref(body);
	json_decref(out);
	free(err);
	return ok;
}

static bool over(struct elsewhere *e)
{
	return e->stop || e->state.error;
}

static void *keep(void *data)
{
	struct elsewhere *e = data;
	bool made = false, ok;
	int wanted;

	pthread_mutex_lock(&e->lock);
	while (!over(e)) {
		struct timespec until;

		wanted = e->wanted;
		pthread_mutex_unlock(&e->lock);
		ok = made = made || make(e);
		if (made && wanted >= 0)
			ok = patch(e, wanted);
		pthread_mutex_lock(&e->lock);
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec += ok ? LOOK_EVERY : AGAIN;
		while (!over(e) && (!ok || e->wanted == wanted) && !pthread_cond_timedwait(&e->more, &e->lock, &until))
			;
	}
	pthread_mutex_unlock(&e->lock);
	return NULL;
}

/* ---- for the broker ---- */

struct elsewhere *elsewhere_start(const char *manifest, const char *address, const char *token, char **err)
{
	struct elsewhere *e = xcalloc(1, sizeof *e);
	struct strbuf b = { 0 };
	json_error_t where;
	sigset_t all, old;

	*err = NULL;
	pthread_mutex_init(&e->lock, NULL);
	pthread_cond_init(&e->more, NULL);
	e->wanted = e->patched = -1;
	e->name = job_name();
	e->job = json_load_file(manifest, 0, &where);
	if (!e->job)
		sb_f(&b, "%s: %s", manifest, where.text);
	else if (!fill_in(e, address, token))
		sb_f(&b, "%s: it is no Job with a container", manifest);
	else
		e->kube = kube_open(err);
	if (e->kube) {
		sigfillset(&all);
		pthread_sigmask(SIG_BLOCK, &all, &old);
		e->threaded = !pthread_create(&e->thread, NULL, keep, e);
		pthread_sigmask(SIG_SETMASK, &old, NULL);
		if (!e->threaded)
			sb_z(&b, "no thread could be started for the workers' Job");
	}
	if (b.n)
		*err = strdup(sb_cstr(&b));
	sb_free(&b);
	if (e->threaded)
		return e;
	elsewhere_end(e, 0, NULL);
	return NULL;
}

const char *elsewhere_name(const struct elsewhere *e)
{
	return e->name;
}

void elsewhere_want(struct elsewhere *e, int workers)
{
	pthread_mutex_lock(&e->lock);
	if (e->wanted != workers) {
		e->wanted = workers;
		pthread_cond_signal(&e->more);
	}
	pthread_mutex_unlock(&e->lock);
}

struct elsewhere_state elsewhere_look(struct elsewhere *e)
{
	struct elsewhere_state s;

	pthread_mutex_lock(&e->lock);
	s = e->state;
	e->state.news = NULL;
	if (s.error)
		e->state.error = strdup(s.error);                           /* it stays true */
	pthread_mutex_unlock(&e->lock);
	return s;
}

static void delete_job(struct elsewhere *e, double until, char **err)
{
	json_t *how = json_pack("{s:s, s:s, s:s}", "apiVersion", "v1", "kind", "DeleteOptions", "propagationPolicy", "Background");
	enum kube_rc rc;
	char *why;

	kube_patience(e->kube, FAREWELL);
	kube_until(e->kube, until);
	for (;;) {
		rc = kube_jobs(e->kube, "DELETE", e->name, how, NULL, &why);
		if (rc == KUBE_OK || rc == KUBE_REFUSED || (rc == KUBE_GONE && !e->unsure) || flow_now() + AGAIN > until)
			break;
		if (rc == KUBE_GONE)
			e->unsure = false;                                  /* what has not come when we look once more never came */
		free(why);
		nanosleep(&(struct timespec){ .tv_sec = AGAIN }, NULL);
	}
	json_decref(how);
	if (err && rc != KUBE_OK && rc != KUBE_GONE)
		*err = why;
	else
		free(why);
}

void elsewhere_end(struct elsewhere *e, double patience, char **err)
{
	if (err)
		*err = NULL;
	if (!e)
		return;
	if (e->threaded) {
		pthread_mutex_lock(&e->lock);
		e->stop = true;
		pthread_cond_signal(&e->more);
		pthread_mutex_unlock(&e->lock);
		kube_until(e->kube, flow_now() + FAREWELL);
		pthread_join(e->thread, NULL);
		delete_job(e, flow_now() + patience, err);
	}
	kube_close(e->kube);
	json_decref(e->job);
	free(e->state.error);
	free(e->state.news);
	free(e->name);
	pthread_mutex_destroy(&e->lock);
	pthread_cond_destroy(&e->more);
	free(e);
}
