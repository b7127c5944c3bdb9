/*
 * The objects that the cluster's operators take: PyTorchJob and TFJob of the Kubeflow training operator (kubeflow.org/v1), MPIJob
 * of the MPI operator (v2beta1), RayJob of KubeRay (ray.io/v1). All workers are one pod that runs the script in the wrapper;
 * rank 0 leaves its outputs in the folder that the workers share.
 */
#include "shape.h"

#include <string.h>

#define WRAPPER_MOST 120000           /* bytes of one variable; Linux takes 131072 */

struct kind {
	const char *name, *api, *object, *container, *success, *failure;   /* success NULL: all its workers */
};

/* A failed worker fails the job at once (restartPolicy: Never); of several failure conditions one is enough, all success ones are needed. */
static const struct kind kinds[] = {
	{ "pytorch", "kubeflow.org/v1", "PyTorchJob", "pytorch", "status.replicaStatuses.Master.succeeded > 0",
		"status.replicaStatuses.Master.failed > 0,status.replicaStatuses.Worker.failed > 0" },
	{ "tensorflow", "kubeflow.org/v1", "TFJob", "tensorflow", NULL,
		"status.replicaStatuses.Worker.failed > 0,status.replicaStatuses.PS.failed > 0" },
	{ "mpi", "kubeflow.org/v2beta1", "MPIJob", "launcher", "status.replicaStatuses.Launcher.succeeded > 0",
		"status.replicaStatuses.Launcher.failed > 0,status.replicaStatuses.Worker.failed > 0" },
	{ "ray", "ray.io/v1", "RayJob", "ray-head", "status.jobStatus = SUCCEEDED",
		"status.jobStatus in (FAILED,STOPPED),status.jobDeploymentStatus = Failed" },
};

static const struct kind *kind_of(const struct ir_job *j)
{
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (str_eq(j->kind, kinds[i].name))
			return &kinds[i];
	return &kinds[0];
}

void job_conditions(struct yaml *y, struct site *x, const struct ir_job *j)
{
	const struct kind *k = kind_of(j);

	if (k->success)
		y_z(y, "successCondition", k->success);
	else
		y_f(y, "successCondition", "status.replicaStatuses.Worker.succeeded = %s", j->workers ? number_tag(x, j->workers, 0) : "1");
	y_z(y, "failureCondition", k->failure);
}

/* ---- environment ---- */

static void label_env(struct yaml *y, const char *name, const char *label)
{
	y_item(y);
	y_z(y, "name", name);
	y_open(y, "valueFrom");
	y_open(y, "fieldRef");
	y_f(y, "fieldPath", "metadata.labels['training.kubeflow.org/%s']", label);
	y_end(y);
	y_end(y);
	y_item_end(y);
}

static void text_env(struct argo *g, struct yaml *y, const char *name, const char *text, size_t n, struct span sp)
{
	if (n > WRAPPER_MOST) {
		diag_mend(g->d, diag_at(g->d, CW0801, sp, "argo cannot carry the script of this job: it has %zu bytes, and a variable of a pod takes %d", n, WRAPPER_MOST),
			"put it into a file of `code` and call it");
		g->err = -1;
	}
	y_item(y);
	y_z(y, "name", name);
	y_text(y, "value", text, n);
	y_item_end(y);
}

static void maybe_encoded(struct argo *g, struct yaml *y, const char *name, const char *s, size_t n, bool encoded, struct span sp)
{
	struct strbuf b = { 0 };

	if (encoded)
		text_encode_script(&b, s, n);
	else
		sb_add(&b, s, n);
	text_env(g, y, name, b.s ? b.s : "", b.n, sp);
	sb_free(&b);
}

/* Files of the task's code: NUMBER FORMAT MODE PATH, a line each, and their texts. */
static void code_env(struct argo *g, struct yaml *y, const struct shape *s)
{
	const struct ir_task *t = s->task;
	struct strbuf b = { 0 };

	if (!t->ncode || job_code_shared(s))
		return;
	g->wrapper |= UINT64_C(1) << WRAP_WORKER_CODE;
	for (uint32_t i = 0; i < t->ncode; i++) {
		bool encoded = !text_untouched(t->code[i].data, t->code[i].len);

		sb_f(&b, "%u %s %s %s\n", i + 1, encoded ? "%b" : "%s", t->code[i].exec ? "a+rwx" : "a+rw", t->code[i].path->s);
		maybe_encoded(g, y, a_f(g, "CW_FILE_%u", i + 1), t->code[i].data, t->code[i].len, encoded, t->span);
	}
	text_env(g, y, "CW_FILES", b.s, b.n, t->span);
	sb_free(&b);
}

void job_environment(struct argo *g, struct yaml *y, const struct shape *s, struct site *x)
{
	const struct ir_job *j = s->task->job;
	bool encoded = !text_untouched(j->run->s, j->run->len);

	g->wrapper |= UINT64_C(1) << WRAP_WORKER;
	env_value(y, "CW_JOB", j->kind->s);
	env_value(y, "CW_WORKERS", j->workers ? plain_of(x, j->workers) : "1");
	if (str_eq(j->kind, "tensorflow")) {
		label_env(y, "CW_ROLE", "replica-type");
		label_env(y, "CW_INDEX", "replica-index");
	}
	if (s->shared) {
		env_value(y, "CW_SHARED", s->shared);
		g->wrapper |= UINT64_C(1) << WRAP_SHARED;
	}
	code_env(g, y, s);
	env_value(y, "CW_FORMAT", encoded ? "%b" : "%s");
	maybe_encoded(g, y, "CW_RUN", j->run->s, j->run->len, encoded, s->task->body_span);
}

/* The wrapper with the parts that this job needs, which are known once the rest of its environment is. */
static void environment(struct argo *g, struct yaml *y, struct shape *s, struct site *x)
{
	uint64_t document = g->wrapper;
	struct strbuf b = { 0 };

	g->wrapper = str_eq(s->task->job->kind, "mpi") ? UINT64_C(1) << WRAP_MPI : 0;
	step_environment(g, y, s, x, true, false);
	wrapper_text(g->wrapper, &b);
	y->depth++;
	text_env(g, y, "CW_STEP", b.s, b.n, s->task->span);
	y->depth--;
	g->wrapper = document;
	sb_free(&b);
}

/* ---- pods ---- */

static const char *volume_of(struct argo *g, const struct ir_volume *v)
{
	return v->claim ? v->claim->s : a_f(g, "{{workflow.name}}-%s", name_object(g, v->name, 63));
}

static void volumes(struct argo *g, struct yaml *y, const struct shape *s, struct site *x)
{
	const struct attrs *a = s->attrs;

	y_open(y, "volumes");
	y_item(y);
	y_z(y, "name", "cw");
	y_empty(y, "emptyDir");
	y_item_end(y);
	for (uint32_t i = 0; i < a->mounts.n; i++) {
		const struct ir_mount *m = &a->mounts.v[i];
		bool again = m->kind != MOUNT_VOLUME;

		for (uint32_t k = 0; k < i; k++)
			again |= a->mounts.v[k].kind == MOUNT_VOLUME && a->mounts.v[k].volume == m->volume;
		if (again)
			continue;
		y_item(y);
		y_z(y, "name", name_object(g, x->c->w->volumes[m->volume].name, 63));
		y_open(y, "persistentVolumeClaim");
		y_z(y, "claimName", volume_of(g, &x->c->w->volumes[m->volume]));
		y_end(y);
		y_item_end(y);
	}
	attr_volumes(g, y, x, a);
	y_end(y);
}

static void mounts(struct argo *g, struct yaml *y, const struct shape *s, struct site *x)
{
	y_open(y, "volumeMounts");
	y_item(y);
	y_z(y, "name", "cw");
	y_z(y, "mountPath", "/cw");
	y_item_end(y);
	attr_mounts(g, y, x, s->attrs);
	y_end(y);
}

/* ENV_SELF writes the environment, and names it; ENV_SAME repeats the one that was named. */
enum env { ENV_NONE, ENV_SELF, ENV_NAMED, ENV_SAME };
struct pod { const char *container; bool runs, devices, init; enum env env; };

static void named_environment(struct argo *g, struct yaml *y, struct shape *s, struct site *x)
{
	size_t at = y->b->n, n = strlen("env:");
	char *rest;

	environment(g, y, s, x);
	while (strncmp(y->b->s + at, "env:", n) != 0)
		at++;
	rest = a_f(g, "%.*s", (int)(y->b->n - at - n), y->b->s + at + n);
	y->b->n = at + n;
	sb_f(y->b, " &variables%s", rest);
}

static void container(struct argo *g, struct yaml *y, struct shape *s, struct site *x, const struct pod *p)
{
	const char *words[5];
	uint32_t n = shell_words(s->task->shell, words);
	struct attrs a = *s->attrs;

	y_item(y);
	y_z(y, "name", p->container);
	y_z(y, "image", plain_of(x, s->attrs->image));
	if (p->runs) {
		y_open(y, "command");
		y_item_str(y, "sh", 2);
		y_item_str(y, "-c", 2);
		y_item_str(y, "eval \"$CW_STEP\"", strlen("eval \"$CW_STEP\""));
		y_item_str(y, "couler", 6);
		for (uint32_t i = 2; i < n; i++)                                /* without `sh /cw/step` */
			y_item_str(y, words[i], strlen(words[i]));
		y_end(y);
	}
	if (p->env == ENV_SELF)
		environment(g, y, s, x);
	else if (p->env == ENV_NAMED)
		named_environment(g, y, s, x);
	else if (p->env == ENV_SAME)
		y_alias(y, "env", "variables");
	if (!p->devices)
		a.gpu = NULL;
	if (p->env == ENV_NONE)
		a.env_from.n = 0;
	if (p->devices || !str_eq(s->task->job->kind, "mpi"))
		attr_container(g, y, x, &a);
	mounts(g, y, s, x);
	y_item_end(y);
}

/* Writes the wrapper to a file, for what is started by name. */
static void wrapper_file(struct argo *g, struct yaml *y, struct shape *s, struct site *x)
{
	static const char script[] = "printf '%s' \"$CW_STEP\" >/cw/step && chmod a+rx /cw/step";

	y_open(y, "initContainers");
	y_item(y);
	y_z(y, "name", "step");
	y_z(y, "image", plain_of(x, s->attrs->image));
	y_open(y, "command");
	y_item_str(y, "sh", 2);
	y_item_str(y, "-c", 2);
	y_item_str(y, script, sizeof script - 1);
	y_end(y);
	named_environment(g, y, s, x);
	mounts(g, y, s, x);
	y_item_end(y);
	y_end(y);
}

static void pod(struct argo *g, struct yaml *y, struct shape *s, struct site *x, const struct pod *p)
{
	attr_metadata(y, x, s->attrs);
	y_open(y, "spec");
	attr_pod(y, x, s->attrs);
	if (p->init)
		wrapper_file(g, y, s, x);
	y_open(y, "containers");
	container(g, y, s, x, p);
	y_end(y);
	volumes(g, y, s, x);
	y_end(y);
}

/* ---- objects ---- */

static void replicas(struct yaml *y, struct site *x, const struct expr *n, int64_t less)
{
	y_plain(y, "replicas", "%s", n ? number_tag(x, n, -less) : less ? "0" : "1");
}

/* template: of a set of pods, under a name, by which others repeat it. */
static void replica(struct argo *g, struct yaml *y, struct shape *s, struct site *x, const char *role, const struct pod *p)
{
	y_z(y, "restartPolicy", "Never");
	if (!p) {
		y_alias(y, "template", "worker");
		return;
	}
	y_open_anchor(y, "template", role);
	pod(g, y, s, x, p);
	y_end(y);
}

static void run_policy(struct yaml *y, struct site *x, const struct shape *s)
{
	y_open(y, "runPolicy");
	y_z(y, "cleanPodPolicy", "Running");
	y_plain(y, "backoffLimit", "0");
	attr_deadline(y, x, s->attrs);
	y_end(y);
}

static bool one_worker(const struct ir_job *j)
{
	return !j->workers || (j->workers->op == EX_LIT && j->workers->u.lit->u.i == 1);
}

static void pytorch(struct argo *g, struct yaml *y, struct shape *s, struct site *x)
{
	static const struct pod p = { "pytorch", true, true, false, ENV_SELF };

	run_policy(y, x, s);
	y_open(y, "pytorchReplicaSpecs");
	y_open(y, "Master");
	y_plain(y, "replicas", "1");
	replica(g, y, s, x, "worker", &p);
	y_end(y);
	if (!one_worker(s->task->job)) {
		y_open(y, "Worker");
		replicas(y, x, s->task->job->workers, 1);
		replica(g, y, s, x, NULL, NULL);
		y_end(y);
	}
	y_end(y);
}

static void tensorflow(struct argo *g, struct yaml *y, struct shape *s, struct site *x)
{
	static const struct pod p = { "tensorflow", true, true, false, ENV_SELF };
	const struct expr *ps = s->task->job->ps;

	run_policy(y, x, s);
	y_z(y, "successPolicy", "AllWorkers");
	y_open(y, "tfReplicaSpecs");
	y_open(y, "Worker");
	replicas(y, x, s->task->job->workers, 0);
	replica(g, y, s, x, "worker", &p);
	y_end(y);
	if (ps && !(ps->op == EX_LIT && ps->u.lit->u.i == 0)) {
		y_open(y, "PS");
		replicas(y, x, ps, 0);
		replica(g, y, s, x, NULL, NULL);
		y_end(y);
	}
	y_end(y);
}

/* The launcher has the variables and hands them on; the workers wait for it with the image's sshd. */
static void mpi(struct argo *g, struct yaml *y, struct shape *s, struct site *x)
{
	static const struct pod launcher = { "launcher", true, false, false, ENV_SELF }, worker = { "worker", false, true, false, ENV_NONE };
	const struct expr *slots = s->task->job->slots;

	y_plain(y, "slotsPerWorker", "%s", slots ? number_tag(x, slots, 0) : "1");
	y_z(y, "launcherCreationPolicy", "WaitForWorkersReady");
	run_policy(y, x, s);
	y_open(y, "mpiReplicaSpecs");
	y_open(y, "Launcher");
	y_plain(y, "replicas", "1");
	replica(g, y, s, x, "launcher", &launcher);
	y_end(y);
	y_open(y, "Worker");
	replicas(y, x, s->task->job->workers, 0);
	replica(g, y, s, x, "worker", &worker);
	y_end(y);
	y_end(y);
}

/* The script is the driver, on the head of a cluster of its own; it is called by name, for its command line goes through two shells. */
static void ray(struct argo *g, struct yaml *y, struct shape *s, struct site *x)
{
	static const struct pod head = { "ray-head", false, false, true, ENV_SAME }, worker = { "ray-worker", false, true, false, ENV_SAME };
	const char *words[5], *line = "sh /cw/step";
	uint32_t n = shell_words(s->task->shell, words);

	for (uint32_t i = 2; i < n; i++)
		line = a_f(g, "%s %s", line, words[i]);
	y_z(y, "entrypoint", line);
	y_plain(y, "shutdownAfterJobFinishes", "true");
	attr_deadline(y, x, s->attrs);
	y_open(y, "rayClusterSpec");
	y_open(y, "headGroupSpec");
	y_open(y, "rayStartParams");
	y_str(y, "dashboard-host", "0.0.0.0", 7);
	y_end(y);
	y_open(y, "template");
	pod(g, y, s, x, &head);
	y_end(y);
	y_end(y);
	y_open(y, "workerGroupSpecs");
	y_item(y);
	y_z(y, "groupName", "workers");
	replicas(y, x, s->task->job->workers, 0);
	y_plain(y, "minReplicas", "%s", s->task->job->workers ? number_tag(x, s->task->job->workers, 0) : "1");
	y_plain(y, "maxReplicas", "%s", s->task->job->workers ? number_tag(x, s->task->job->workers, 0) : "1");
	y_empty(y, "rayStartParams");
	y_open(y, "template");
	pod(g, y, s, x, &worker);
	y_end(y);
	y_item_end(y);
	y_end(y);
	y_end(y);
}

void job_manifest(struct argo *g, struct yaml *y, struct shape *s, struct site *x)
{
	const struct kind *k = kind_of(s->task->job);

	x->manifest = true;
	y_z(y, "apiVersion", k->api);
	y_z(y, "kind", k->object);
	y_open(y, "metadata");
	y_f(y, "generateName", "%s-", name_object(g, s->first->name, 30));
	y_open(y, "labels");
	y_z(y, "workflows.argoproj.io/workflow", "{{workflow.name}}");
	y_end(y);
	owner_reference(y);
	y_end(y);
	y_open(y, "spec");
	if (k == &kinds[0])
		pytorch(g, y, s, x);
	else if (k == &kinds[1])
		tensorflow(g, y, s, x);
	else if (k == &kinds[2])
		mpi(g, y, s, x);
	else
		ray(g, y, s, x);
	y_end(y);
	x->manifest = false;
}
