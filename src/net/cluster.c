/*
 * Argo's objects into a cluster: by the Argo Server's API (api/v1 of Argo Workflows 4: CreateWorkflow and the like), or by
 * kubectl, which knows how to reach and to sign in to every cluster.
 */
#include "couler/cluster.h"

#include <stdlib.h>
#include <string.h>

#include "couler/diag.h"
#include "couler/net.h"
#include "couler/program.h"

static const struct kind { const char *name, *path, *member, *resource; } kinds[] = {
	{ "Workflow", "workflows", "workflow", "workflows.argoproj.io" },
	{ "WorkflowTemplate", "workflow-templates", "template", "workflowtemplates.argoproj.io" },
	{ "CronWorkflow", "cron-workflows", "cronWorkflow", "cronworkflows.argoproj.io" },
};

static const struct kind *kind_of(const char *name)
{
	for (size_t i = 0; name && i < sizeof kinds / sizeof *kinds; i++)
		if (!strcmp(kinds[i].name, name))
			return &kinds[i];
	return NULL;
}

static const char *text_at(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

static json_t *read_json(const struct strbuf *b, char **why)
{
	json_error_t err;
	json_t *j = json_loadb(b->n ? b->s : "", b->n, 0, &err);

	if (!j)
		*why = xsprintf("the answer is no JSON: %s", err.text);
	return j;
}

/* ---- the Argo Server ---- */

static char *refused(const struct net_request *q, const struct net_reply *r)
{
	json_error_t err;
	json_t *j = json_loadb(r->body.n ? r->body.s : "", r->body.n, 0, &err);
	struct strbuf b = { 0 };
	char *s;

	net_status(q, r, &b);
	if (text_at(j, "message")) {
		sb_z(&b, ": ");
		sb_safe(&b, text_at(j, "message"), strlen(text_at(j, "message")) > 2000 ? 2000 : strlen(text_at(j, "message")));
	}
	if (r->status == 401 || r->status == 403)
		sb_z(&b, "; ARGO_TOKEN is sent as it is: `argo auth token` prints one, and it needs the right to create workflows in the namespace");
	else if (r->status == 404 && !j)
		sb_z(&b, "; is this the address of an Argo Server, with its base path?");
	s = xstrdup(sb_cstr(&b));
	sb_free(&b);
	json_decref(j);
	return s;
}

/* One call; path stands behind the namespace. body is taken. */
static enum cluster_rc call(const struct cluster *c, const struct kind *k, const char *method, const char *path, json_t *body, json_t **out, char **why)
{
	struct strbuf url = { 0 }, auth = { 0 };
	struct net *net = net_open(why);
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	const char *headers[3] = { "Content-Type: application/json" };
	struct net_request q = { .method = method, .headers = headers, .body = text, .body_len = text ? strlen(text) : 0, .any_certificate = c->any_certificate, .plain_http = c->plain_http, .tries = strcmp(method, "POST") ? 0 : 1, .max_body = 64 << 20 };
	struct net_reply r;
	enum cluster_rc rc = CLUSTER_FAULT;

	json_decref(body);
	*out = NULL;
	sb_add(&url, c->server, strlen(c->server) - (c->server[strlen(c->server) - 1] == '/'));
	sb_f(&url, "/api/v1/%s/", k->path);
	net_escape(&url, c->namespace, strlen(c->namespace), false);
	if (*path) {
		sb_ch(&url, '/');
		net_escape(&url, path, strlen(path), false);
	}
	q.url = sb_cstr(&url);
	if (c->token) {
		sb_f(&auth, "Authorization: %s", c->token);
		headers[1] = sb_cstr(&auth);
	}
	if (net) {
		if (net_request(net, &q, &r))
			*why = xsprintf("%s%s", r.why, r.error == NET_TLS && !c->any_certificate ? ", and --insecure-skip-tls-verify takes any" : "");
		else if (r.status >= 200 && r.status < 300)
			rc = (*out = read_json(&r.body, why)) ? CLUSTER_OK : CLUSTER_FAULT;
		else if (r.status == 404 && !strcmp(method, "GET") && memmem(r.body.n ? r.body.s : "", r.body.n, "\"code\"", 6))
			rc = CLUSTER_ABSENT;              /* said by the server itself, not by something in between */
		else
			*why = refused(&q, &r);
		net_reply_free(&r);
	}
	net_close(net);
	free(text);
	sb_free(&url);
	sb_free(&auth);
	return rc;
}

/* A template or a cron workflow in the place of its namesake. */
static enum cluster_rc replace(const struct cluster *c, const struct kind *k, const char *name, json_t *object, json_t **made, char **why)
{
	json_t *old = NULL, *body;
	enum cluster_rc rc = call(c, k, "GET", name, NULL, &old, why);
	const char *version = text_at(json_object_get(old, "metadata"), "resourceVersion");

	if (rc == CLUSTER_FAULT)
		return rc;
	if (version)
		json_object_set_new(json_object_get(object, "metadata"), "resourceVersion", json_string(version));
	body = json_pack("{s:s, s:O}", "namespace", c->namespace, k->member, object);
	if (rc == CLUSTER_OK)
		json_object_set_new(body, "name", json_string(name));
	rc = call(c, k, rc == CLUSTER_OK ? "PUT" : "POST", rc == CLUSTER_OK ? name : "", body, made, why);
	json_decref(old);
	return rc;
}

static enum cluster_rc server_put(const struct cluster *c, const struct kind *k, const char *name, const json_t *object, bool dry, json_t **made, char **why)
{
	json_t *o = json_deep_copy(object), *body;
	enum cluster_rc rc;

	json_object_set_new(json_object_get(o, "metadata"), "namespace", json_string(c->namespace));
	if (!dry && k != kinds) {
		rc = replace(c, k, name, o, made, why);
	} else {
		body = json_pack("{s:s, s:O}", "namespace", c->namespace, k->member, o);
		rc = call(c, k, "POST", dry ? "lint" : "", body, made, why);
	}
	json_decref(o);
	return rc;
}

/* ---- kubectl ---- */

static enum cluster_rc kubectl(const struct cluster *c, const char *const *args, const json_t *in, json_t **out, char **why)
{
	const char *argv[24] = { c->kubectl };
	struct strbuf answer = { 0 }, bad = { 0 };
	char *text = in ? json_dumps(in, JSON_COMPACT) : NULL;
	enum cluster_rc rc = CLUSTER_FAULT;
	size_t n = 1;

	if (c->context) {
		argv[n++] = "--context";
		argv[n++] = c->context;
	}
	if (c->namespace) {
		argv[n++] = "--namespace";
		argv[n++] = c->namespace;
	}
	if (c->any_certificate)
		argv[n++] = "--insecure-skip-tls-verify";
	while (*args && n < 23)
		argv[n++] = *args++;
	*out = NULL;
	if (program_run(argv, text ? text : "", text ? strlen(text) : 0, 300, &answer, &bad))
		*why = xsprintf("kubectl %s", sb_cstr(&bad));
	else if (!answer.n)
		rc = CLUSTER_ABSENT;
	else if ((*out = read_json(&answer, why)))
		rc = CLUSTER_OK;
	free(text);
	sb_free(&answer);
	sb_free(&bad);
	return rc;
}

/* ---- both ---- */

enum cluster_rc cluster_put(const struct cluster *c, const json_t *object, bool dry, json_t **made, char **why)
{
	const struct kind *k = kind_of(text_at(object, "kind"));
	const char *name = text_at(json_object_get(object, "metadata"), "name");
	const char *create[] = { "create", "-f", "-", "-o", "json", dry ? "--dry-run=server" : NULL, NULL };
	const char *apply[] = { "apply", "--server-side", "--force-conflicts", "--field-manager=couler", "-f", "-", "-o", "json", dry ? "--dry-run=server" : NULL, NULL };

	*made = NULL;
	*why = NULL;
	if (!k || (k != kinds && !name)) {
		*why = xsprintf("an object of kind %s is nothing that can be submitted", text_at(object, "kind") ? text_at(object, "kind") : "(none)");
		return CLUSTER_FAULT;
	}
	if (c->server)
		return server_put(c, k, name, object, dry, made, why);
	return kubectl(c, k == kinds ? create : apply, object, made, why);
}

enum cluster_rc cluster_get(const struct cluster *c, const char *kind, const char *name, json_t **object, char **why)
{
	const struct kind *k = kind_of(kind);
	const char *get[] = { "get", k->resource, name, "-o", "json", "--ignore-not-found", NULL };

	*why = NULL;
	return c->server ? call(c, k, "GET", name, NULL, object, why) : kubectl(c, get, NULL, object, why);
}
