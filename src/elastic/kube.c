/*
 * A client of the Kubernetes API from within a pod: the token of its service account, the cluster's authority, Jobs of its
 * namespace. The token is read anew for each request, for the kubelet renews it every hour.
 */
#include "kube.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "flow.h"
#include "couler/diag.h"
#include "couler/net.h"

#define ACCOUNT "/var/run/secrets/kubernetes.io/serviceaccount"
#define TIMEOUT 10.0                      /* s; a broker that knows nothing of its Job for longer says so */
#define FILE_MOST (1 << 20)

struct kube {
	struct net *net;
	char *base, *account, *space;
	double timeout;                   /* s */
	_Atomic double until;             /* flow_now(); 0: none */
	bool ca;                          /* the folder of the account has one */
};

static char *text_of(struct strbuf *b)
{
	char *s = strdup(sb_cstr(b));

	sb_free(b);
	return s;
}

/* The text of a file of the account, without white space around; NULL with errno. */
static char *account_file(const struct kube *k, const char *name)
{
	struct strbuf path = { 0 }, b = { 0 };
	char buf[4096];
	ssize_t n = -1;
	int fd, err;

	sb_f(&path, "%s/%s", k->account, name);
	fd = open(sb_cstr(&path), O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && b.n < FILE_MOST && (n = read(fd, buf, sizeof buf)) > 0)
		sb_add(&b, buf, (size_t)n);
	err = errno;
	if (fd >= 0)
		close(fd);
	sb_free(&path);
	if (fd < 0 || n < 0) {
		sb_free(&b);
		errno = err;
		return NULL;
	}
	while (b.n && strchr(" \t\r\n", b.s[b.n - 1]))
		b.n--;
	return text_of(&b);
}

static bool find_server(struct kube *k, char **err)
{
	const char *given = getenv("COULER_KUBERNETES"), *host = getenv("KUBERNETES_SERVICE_HOST"), *port = getenv("KUBERNETES_SERVICE_PORT");
	struct strbuf b = { 0 };

	if (!given && (!host || !*host)) {
		*err = strdup("KUBERNETES_SERVICE_HOST is not set: workers as a Job need a broker that runs in a pod; without one, leave --job out, or set COULER_KUBERNETES to what `kubectl proxy` serves");
		return false;
	}
	if (given) {
		size_t n = strlen(given);

		while (n && given[n - 1] == '/')
			n--;
		sb_add(&b, given, n);
	} else {
		bool v6 = strchr(host, ':') != NULL;

		sb_f(&b, "https://%s%s%s:%s", v6 ? "[" : "", host, v6 ? "]" : "", port && *port ? port : "443");
	}
	k->base = text_of(&b);
	return true;
}

struct kube *kube_open(char **err)
{
	struct kube *k = xcalloc(1, sizeof *k);
	const char *account = getenv("COULER_KUBERNETES_ACCOUNT"), *space = getenv("COULER_KUBERNETES_NAMESPACE");
	struct strbuf b = { 0 };

	*err = NULL;
	k->timeout = TIMEOUT;
	k->account = strdup(account && *account ? account : ACCOUNT);
	if (find_server(k, err)) {
		char *ca = account_file(k, "ca.crt");

		k->ca = ca && *ca;
		free(ca);
		k->space = space && *space ? strdup(space) : account_file(k, "namespace");
		if (!k->space || !*k->space) {
			sb_f(&b, "%s/namespace: %s; the pod needs a service account (automountServiceAccountToken must not be false)", k->account, k->space ? "the file is empty" : strerror(errno));
			*err = text_of(&b);
		} else {
			k->net = net_open(err);
		}
	}
	if (k->net)
		return k;
	kube_close(k);
	return NULL;
}

void kube_close(struct kube *k)
{
	if (!k)
		return;
	net_close(k->net);
	free(k->base);
	free(k->account);
	free(k->space);
	free(k);
}

const char *kube_namespace(const struct kube *k)
{
	return k->space;
}

void kube_patience(struct kube *k, double seconds)
{
	k->timeout = seconds;
}

void kube_until(struct kube *k, double end)
{
	atomic_store(&k->until, end);
}

/* ---- answers ---- */

static enum kube_rc meaning(const char *method, int status)
{
	if (status / 100 == 2)
		return KUBE_OK;
	if (status == 404 || status == 410)
		return KUBE_GONE;
	if (status == 409 && !strcmp(method, "POST"))
		return KUBE_EXISTS;
	return status >= 500 || status == 429 || status == 409 || status == 408 ? KUBE_AWAY : KUBE_REFUSED;
}

/* The message of a Status object, or nothing. */
static void server_says(const struct net_reply *r, struct strbuf *b)
{
	json_t *root = json_loadb(r->body.s ? r->body.s : "", r->body.n, 0, NULL);
	const char *m = json_string_value(json_object_get(root, "message"));

	if (m) {
		sb_z(b, ": ");
		sb_safe(b, m, strlen(m));
	}
	json_decref(root);
}

static void mend(const struct kube *k, const char *method, int status, struct strbuf *b)
{
	const char *verb = !strcmp(method, "POST") ? "create" : !strcmp(method, "PATCH") ? "patch" : !strcmp(method, "DELETE") ? "delete" : "get";

	if (status == 401)
		sb_f(b, "; the API server does not take the token in %s/token: look whether the service account still exists", k->account);
	else if (status == 403)
		sb_f(b, "; let the step's service account %s jobs.batch in namespace %s (the Role in docs/elastic.md), or name one that may with service_account", verb, k->space);
	else if (status == 422)
		sb_z(b, "; the image or the resources of `workers` are not what the cluster takes");
}

static void complain(const struct kube *k, const struct net_request *q, const struct net_reply *r, char **err)
{
	struct strbuf b = { 0 };

	if (!err)
		return;
	sb_z(&b, "the cluster's API: ");
	if (r->error != NET_OK) {
		sb_z(&b, r->why);
	} else {
		net_status(q, r, &b);
		server_says(r, &b);
		mend(k, q->method, r->status, &b);
	}
	*err = text_of(&b);
}

/* ---- requests ---- */

static int too_late(uint64_t sent, uint64_t received, void *ctx)
{
	struct kube *k = ctx;
	double until = atomic_load(&k->until);

	(void)sent;
	(void)received;
	return until > 0 && flow_now() > until;
}

static enum kube_rc send_it(struct kube *k, struct net_request *q, json_t **out, char **err)
{
	struct net_reply r;
	enum kube_rc rc = KUBE_AWAY;
	json_error_t where;

	if (net_request(k->net, q, &r))
		rc = r.error == NET_URL || r.error == NET_TLS ? KUBE_REFUSED : KUBE_AWAY;
	else
		rc = meaning(q->method, r.status);
	if (rc == KUBE_OK && out) {
		*out = json_loadb(r.body.s ? r.body.s : "", r.body.n, 0, &where);
		if (!*out) {
			struct strbuf b = { 0 };

			sb_f(&b, "the cluster's API: the answer to %s is no JSON: %s", q->method, where.text);
			if (err)
				*err = text_of(&b);
			sb_free(&b);
			rc = KUBE_AWAY;
		}
	} else if (rc != KUBE_OK) {
		complain(k, q, &r, err);
	}
	net_reply_free(&r);
	return rc;
}

enum kube_rc kube_jobs(struct kube *k, const char *method, const char *name, json_t *body, json_t **out, char **err)
{
	const char *headers[4] = { "Accept: application/json", NULL, NULL, NULL };
	struct strbuf url = { 0 }, auth = { 0 }, ca = { 0 };
	struct net_request q = { .method = method, .timeout = k->timeout, .stall = k->timeout, .tries = 2, .max_wait = 2, .headers = headers, .tick = too_late, .ctx = k };
	char *token = account_file(k, "token"), *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	enum kube_rc rc;
	int n = 1;

	if (out)
		*out = NULL;
	if (err)
		*err = NULL;
	sb_f(&url, "%s/apis/batch/v1/namespaces/", k->base);
	net_escape(&url, k->space, strlen(k->space), false);
	sb_z(&url, "/jobs");
	if (name) {
		sb_ch(&url, '/');
		net_escape(&url, name, strlen(name), false);
	}
	if (text)
		headers[n++] = !strcmp(method, "PATCH") ? "Content-Type: application/merge-patch+json" : "Content-Type: application/json";
	if (token) {
		sb_f(&auth, "Authorization: Bearer %s", token);
		headers[n] = sb_cstr(&auth);
	}
	if (k->ca) {
		sb_f(&ca, "%s/ca.crt", k->account);
		q.ca = sb_cstr(&ca);
	}
	q.url = sb_cstr(&url);
	q.body = text;
	q.body_len = text ? strlen(text) : 0;
	if (!strcmp(method, "POST"))
		q.tries = 1;                                                /* a second one would make a second Job */
	rc = send_it(k, &q, out, err);
	free(text);
	free(token);
	sb_free(&url);
	sb_free(&auth);
	sb_free(&ca);
	return rc;
}
