/* couler submit: a workflow into a cluster that runs Argo Workflows, and what becomes of it. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli.h"
#include "couler/cluster.h"
#include "couler/net.h"
#include "couler/program.h"
#include "pushed.h"

#define POLL 2                            /* s between two looks at a run that is waited for */

struct submit {
	struct job *job;
	const char *target, *as;
	struct cluster cluster;
	bool dry, quiet, wait;
};

static int set(const char *name, const char *value, void *data)
{
	struct submit *s = data;

	if (!strcmp(name, "target"))
		s->target = value;
	else if (!strcmp(name, "runner-image"))
		job_runner_image(s->job, value);
	else if (!strcmp(name, "as"))
		s->as = value;
	else if (!strcmp(name, "namespace"))
		s->cluster.namespace = value;
	else if (!strcmp(name, "server"))
		s->cluster.server = value;
	else if (!strcmp(name, "context"))
		s->cluster.context = value;
	else if (!strcmp(name, "insecure-skip-tls-verify"))
		s->cluster.any_certificate = true;
	else if (!strcmp(name, "dry-run"))
		s->dry = true;
	else if (!strcmp(name, "wait"))
		s->wait = true;
	else if (!strcmp(name, "quiet"))
		s->quiet = true;
	else
		return job_set(s->job, name, value);
	return 0;
}

/* ---- where to ---- */

static const char *env(const char *name)
{
	const char *s = getenv(name);

	return s && *s ? s : NULL;
}

/* ARGO_SERVER is host:port; ARGO_SECURE=false means plain HTTP; ARGO_BASE_HREF is a path in front of the API. */
static const char *server_url(struct submit *s, const char *at)
{
	const char *secure = env("ARGO_SECURE"), *base = env("ARGO_BASE_HREF");
	struct strbuf b = { 0 };
	const char *url;

	if (!strncmp(at, "http://", 7) || !strncmp(at, "https://", 8)) {
		s->cluster.plain_http = at[4] == ':';
		return at;
	}
	s->cluster.plain_http = secure && (!strcmp(secure, "false") || !strcmp(secure, "0"));
	sb_f(&b, "%s://%s", s->cluster.plain_http ? "http" : "https", at);
	if (base && strcmp(base, "/"))
		sb_f(&b, "%s%s", *base == '/' ? "" : "/", base);
	url = arena_dup(s->job->arena, b.s, b.n);
	sb_free(&b);
	return url;
}

/* Who reads the token then is not known. */
static void warn_unchecked(const struct cluster *c)
{
	struct strbuf b = { 0 };

	if (!c->any_certificate || (c->server && c->plain_http))
		return;
	if (c->server)
		net_shown(c->server, &b);
	fprintf(stderr, "couler: warning: the certificate of %s is not checked: whoever answers gets what is sent, %s\n", c->server ? sb_cstr(&b) : "the cluster",
		c->server ? "ARGO_TOKEN as well" : "kubectl's credentials as well");
	sb_free(&b);
}

static int find_cluster(struct submit *s)
{
	struct cluster *c = &s->cluster;

	if (!c->namespace)
		c->namespace = env("ARGO_NAMESPACE");
	if (!c->server && !c->context)
		c->server = env("ARGO_SERVER");
	if (c->server && c->context)
		return cli_usage(command_find("submit"), "--context is for kubectl, and --server goes around it");
	if (c->server) {
		c->server = server_url(s, c->server);
		c->token = env("ARGO_TOKEN");
		if (c->token && strpbrk(c->token, "\r\n"))
			return cli_fail(2, "ARGO_TOKEN holds a line break");
		if (!c->namespace)
			c->namespace = "default";
		if (env("ARGO_INSECURE_SKIP_VERIFY") && !strcmp(env("ARGO_INSECURE_SKIP_VERIFY"), "true"))
			c->any_certificate = true;
		warn_unchecked(c);
		return 0;
	}
	c->kubectl = program_path(s->job->arena, "kubectl");
	if (c->kubectl)
		warn_unchecked(c);
	return c->kubectl ? 0 : cli_fail(5, "no way to a cluster: set ARGO_SERVER (host:port of an Argo Server) and ARGO_TOKEN, or put kubectl on PATH");
}

/* ---- what became of it ---- */

static const char *at(const json_t *o, const char *a, const char *b)
{
	const char *s = json_string_value(json_object_get(json_object_get(o, a), b));

	return s ? s : "";
}

/* Bytes that the engine would rewrite travel as \0ooo (docs/engines.md). */
static void decoded(struct strbuf *b, const char *s)
{
	for (; *s; s++) {
		if (s[0] == '\\' && s[1] == '0' && strspn(s + 2, "01234567") >= 3) {
			sb_ch(b, (char)((s[2] - '0') * 64 + (s[3] - '0') * 8 + s[4] - '0'));
			s += 4;
		} else {
			sb_ch(b, *s);
		}
	}
}

static void print_outputs(const json_t *w)
{
	const json_t *p;
	size_t i;

	json_array_foreach(json_object_get(json_object_get(json_object_get(w, "status"), "outputs"), "parameters"), i, p) {
		struct strbuf b = { 0 }, safe = { 0 };

		decoded(&b, json_string_value(json_object_get(p, "value")) ? json_string_value(json_object_get(p, "value")) : "");
		sb_safe(&safe, b.s ? b.s : "", b.n);
		printf("%s = %s\n", json_string_value(json_object_get(p, "name")), sb_cstr(&safe));
		sb_free(&b);
		sb_free(&safe);
	}
}

static void print_failures(const json_t *w)
{
	json_t *nodes = json_object_get(json_object_get(w, "status"), "nodes"), *n;
	const char *key;

	json_object_foreach(nodes, key, n) {
		const char *phase = json_string_value(json_object_get(n, "phase")), *type = json_string_value(json_object_get(n, "type")), *why = json_string_value(json_object_get(n, "message"));
		struct strbuf safe = { 0 };

		if (!phase || !type || strcmp(type, "Pod") || (strcmp(phase, "Failed") && strcmp(phase, "Error")))
			continue;
		sb_safe(&safe, why ? why : phase, strlen(why ? why : phase));
		fprintf(stderr, "couler: %s: %s\n", json_string_value(json_object_get(n, "displayName")), sb_cstr(&safe));
		sb_free(&safe);
	}
}

static int watch(const struct submit *s, const char *name)
{
	char shown[128] = "";

	for (;;) {
		json_t *w;
		char *why;
		enum cluster_rc rc = cluster_get(&s->cluster, "Workflow", name, &w, &why);
		const char *phase = at(w, "status", "phase"), *progress = at(w, "status", "progress");
		char now[128];
		int code = -1;

		if (rc == CLUSTER_FAULT) {
			code = cli_fail(5, "%s; %s goes on without this command", why, name);
			free(why);
			return code;
		}
		if (rc == CLUSTER_ABSENT)
			return cli_fail(6, "%s is not there any more", name);
		snprintf(now, sizeof now, "%s %s", *phase ? phase : "Pending", progress);
		if (!s->quiet && strcmp(now, shown))
			fprintf(stderr, "couler: %s: %s\n", name, now);
		memcpy(shown, now, sizeof shown);
		if (!strcmp(phase, "Succeeded")) {
			print_outputs(w);
			code = 0;
		} else if (!strcmp(phase, "Failed") || !strcmp(phase, "Error")) {
			print_failures(w);
			code = cli_fail(6, "%s %s: %s", name, phase[0] == 'F' ? "failed" : "ended in an error", at(w, "status", "message"));
		}
		json_decref(w);
		if (code >= 0)
			return code;
		nanosleep(&(struct timespec){ POLL, 0 }, NULL);
	}
}

/* ---- submitting ---- */

static void said(const struct submit *s, const char *kind, const char *name, const char *namespace)
{
	if (s->quiet) {
		puts(name);
		return;
	}
	printf("%s %s %s%s%s\n", s->dry ? "accepted" : !strcmp(kind, "Workflow") ? "submitted" : "stored", !strcmp(kind, "Workflow") ? "workflow" : !strcmp(kind, "CronWorkflow") ? "cron workflow" : "template", name,
		*namespace ? " in namespace " : "", namespace);
	if (s->cluster.server && !s->dry && !strcmp(kind, "Workflow"))
		printf("%s/workflows/%s/%s\n", s->cluster.server, namespace, name);
	fflush(stdout);
}

/* Templates come before what uses them, as the documents have it. */
static int submit_all(struct submit *s, const json_t *docs)
{
	char *run = NULL;
	const json_t *o;
	int rc = 0;
	size_t i;

	json_array_foreach(docs, i, o) {
		const char *kind = json_string_value(json_object_get(o, "kind")), *name;
		json_t *made;
		char *why;

		if (cluster_put(&s->cluster, o, s->dry, &made, &why) != CLUSTER_OK) {
			rc = cli_fail(5, "%s", why ? why : "the cluster gave no answer");
			free(why);
			break;
		}
		name = *at(made, "metadata", "name") ? at(made, "metadata", "name") : at(made, "metadata", "generateName");
		said(s, kind, name, *at(made, "metadata", "namespace") ? at(made, "metadata", "namespace") : s->cluster.namespace ? s->cluster.namespace : "");
		if (kind && !strcmp(kind, "Workflow")) {
			free(run);
			run = xstrdup(name);
		}
		json_decref(made);
	}
	if (!rc && run && s->wait && !s->dry)
		rc = watch(s, run);
	free(run);
	return rc;
}

/* The engine would ask for them; nobody is there to answer. */
static int all_given(const struct submit *s, const struct ir *m)
{
	int rc = 0;

	for (uint32_t i = 0; i < m->entry->nparams; i++)
		if (!m->entry->params[i].dflt)
			rc = cli_fail(2, "parameter '%s' has no value: give -p %s=VALUE", m->entry->params[i].name->s, m->entry->params[i].name->s);
	return strcmp(s->as, "workflow") ? 0 : rc;
}

static int emit(struct submit *s, const struct backend *b, struct ir *m)
{
	struct strbuf out = { 0 };
	json_t *docs = NULL;
	char *why = NULL;
	int rc = all_given(s, m);

	if (!rc)
		rc = job_emit(s->job, b, m, &out);
	if (!rc)
		rc = find_cluster(s);
	if (!rc && m->staged.n)
		rc = push_files(s->job, m, s->dry, true);
	if (!rc && !(docs = yaml_documents(out.s, out.n, &why)))
		rc = cli_fail(70, "what was emitted is no YAML: %s", why);
	if (!rc)
		rc = submit_all(s, docs);
	free(why);
	json_decref(docs);
	sb_free(&out);
	return rc;
}

static int submit(int argc, char **argv)
{
	struct submit s = { .job = job_new(), .target = "argo", .as = "workflow" };
	const struct backend *b;
	struct ir *m;
	int rc = job_args(s.job, "submit", argc, argv, set, &s);

	b = rc ? NULL : job_target(s.job, s.target, &rc);
	if (!b)
		return job_end(s.job, rc);
	if (!b->submits)
		return job_end(s.job, cli_fail(2, "-t %s: %s", b->name, b->enters ? b->enters : "there is no cluster behind it that takes workflows; `couler run` runs them here"));
	if (optset_set(s.job->opts, b->name, b->opts, "as", s.as, s.job->diag))
		return job_end(s.job, 2);
	m = job_module(s.job, b, &rc);
	return job_end(s.job, m ? emit(&s, b, m) : rc);
}

static const struct cli_opt opts[] = {
	{ 't', "target", "ENGINE", "the engine (default argo)", "argo" },
	{ 0, "as", "KIND", "workflow: run it now (default); template, cron, cron-template: store it", "workflow|template|cron|cron-template" },
	{ 'n', "namespace", "NAME", "where to (default: ARGO_NAMESPACE, else that of kubectl's context, or `default`)", NULL },
	{ 0, "server", "URL", "an Argo Server (default: ARGO_SERVER; without one, kubectl)", NULL },
	{ 0, "context", "NAME", "of kubectl's configuration", NULL },
	{ 0, "insecure-skip-tls-verify", NULL, "take any certificate, of the Argo Server (also: ARGO_INSECURE_SKIP_VERIFY=true) or, by kubectl, of the cluster", NULL },
	{ 'w', "wait", NULL, "wait for the end of the run; print its outputs", NULL },
	{ 0, "dry-run", NULL, "let the cluster look at it, and keep nothing", NULL },
	{ 'q', "quiet", NULL, "print names alone", NULL },
	JOB_RUNNER,
	JOB_OPTS,
	JOB_FORMAT,
	{ 0, NULL, NULL, NULL, NULL }
};

extern const struct command command_submit;
const struct command command_submit = {
	.name = "submit", .args = "FILE", .help = "start a workflow on a cluster that runs Argo Workflows", .opts = opts, .run = submit,
	.text = "Compiles a .cw file, brings its local files into the artifacts store as `couler push` does, and gives the result\nto the cluster. Parameters (-p) are checked against their types first, and arrive byte for byte, also where the\nengine would rewrite them. Templates and cron workflows take the place of those of the same name.\n\n"
		"The way to the cluster: the Argo Server that --server or ARGO_SERVER names, with what argo's own command\nreads: ARGO_TOKEN, ARGO_NAMESPACE, ARGO_SECURE=false for plain HTTP, ARGO_BASE_HREF; a certificate of one's own by\nSSL_CERT_FILE, any certificate by --insecure-skip-tls-verify or ARGO_INSECURE_SKIP_VERIFY=true.\nWithout a server: kubectl, with its context and its rights.\n\n"
		"exit codes: 0 done, 1 errors in the source, 2 wrong usage or parameters, 3 file trouble, 4 Argo cannot express\nthe workflow, 5 the cluster cannot be reached or refuses, 6 the run failed (--wait).\n",
	.examples = "couler submit churn.cw -p region=eu --wait    # run it now, wait, print its outputs\n"
		    "couler submit churn.cw --as cron              # store its schedule\n"
		    "couler submit churn.cw --dry-run              # would the cluster take it?\n",
};
