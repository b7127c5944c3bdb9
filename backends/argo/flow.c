/*
 * A dataflow whose data workers are the pods of a Kubernetes Job (argo.dataflow=job). The step's pod runs the broker and the
 * trainer. The broker makes the Job of the manifest that lies beside the step's script, patches its parallelism and deletes
 * it at its end, so the step stays one pod with its exit code, its retries and its timeout. couler comes from the runner's
 * image: an init container copies it into the volume of the pod.
 */
#include "dag.h"

#include <string.h>

#define PLACE "/cw/couler"
#define MANIFEST "/cw/workers.json"
#define WAIT "120"                    /* s a worker looks for its broker: images and networks of a pod take their time */

bool flow_apart(const struct shape *s)
{
	return s->task && s->task->body == BODY_RUN && s->task->dataflow;
}

static void refuse(struct argo *g, struct span sp, const char *why, const char *mend)
{
	diag_mend(g->d, diag_at(g->d, CW0801, sp, "argo cannot run the workers of this dataflow as a Job: %s", why), "%s", mend);
	g->err = -1;
}

static const char *runner(struct argo *g, struct span sp)
{
	const char *image = opt_string(g->o, "argo", argo_opts, "runner-image");

	if (!image || !*image) {
		refuse(g, sp, "it needs an image that holds couler, which the pods take it from", "add --runner-image IMAGE, or --set argo.dataflow=local to run the workers in the step's pod");
		return "couler";
	}
	return image;
}

/* ---- the step's pod ---- */

static void field_env(struct yaml *y, const char *name, const char *path)
{
	y_item(y);
	y_z(y, "name", name);
	y_open(y, "valueFrom");
	y_open(y, "fieldRef");
	y_z(y, "fieldPath", path);
	y_end(y);
	y_end(y);
	y_item_end(y);
}

void flow_environment(struct argo *g, struct yaml *y, const struct shape *s)
{
	struct strbuf names = { 0 };

	for (uint32_t i = 0; i < s->attrs->env.n; i++)
		if (s->attrs->env.v[i].kind == ENV_EXPR)
			sb_f(&names, "%s%s", names.n ? " " : "", s->attrs->env.v[i].name->s);
	env_value(y, "COULER_BIN", PLACE);
	env_value(y, "COULER_DATAFLOW_JOB", MANIFEST);
	if (names.n)
		env_value(y, "COULER_DATAFLOW_ENV", a_buf(g, &names));
	else
		sb_free(&names);
	field_env(y, "COULER_POD_NAME", "metadata.name");
	field_env(y, "COULER_POD_UID", "metadata.uid");
	field_env(y, "COULER_POD_IP", "status.podIP");
}

void flow_containers(struct argo *g, struct yaml *y, const struct shape *s)
{
	static const char *const words[] = { "couler", "dataflow", "pack", PLACE };

	y_open(y, "initContainers");
	y_item(y);
	y_z(y, "name", "runner");
	y_z(y, "image", runner(g, s->task->span));
	y_words(y, "command", words, 4);
	y_open(y, "volumeMounts");
	y_item(y);
	y_z(y, "name", "cw");
	y_z(y, "mountPath", "/cw");
	y_item_end(y);
	y_end(y);
	y_item_end(y);
	y_end(y);
}

/* ---- the Job ---- */

static const char *constant(struct argo *g, const struct expr *e, const char *what)
{
	struct strbuf b = { 0 };

	if (e->op != EX_LIT) {
		refuse(g, e->span, a_f(g, "%s is known only at run time, and the Job's manifest is fixed", what), "write a constant in `workers { ... }`, or --set argo.dataflow=local");
		return "x";
	}
	value_text(&b, e->u.lit);
	return a_buf(g, &b);
}

static void member(struct strbuf *b, const char *key, const char *value)
{
	sb_json(b, key, strlen(key));
	sb_z(b, ": ");
	sb_json(b, value, strlen(value));
}

static void quantity(struct argo *g, struct strbuf *b, bool *any, const char *name, const struct expr *e)
{
	if (!e)
		return;
	sb_z(b, *any ? ", " : "");
	member(b, name, constant(g, e, name));
	*any = true;
}

static void resources(struct argo *g, struct strbuf *b, const struct attrs *a)
{
	bool any = false;

	if (!a || (!a->cpu && !a->memory && !a->disk && !a->limit_cpu && !a->limit_memory))
		return;
	sb_z(b, ",\n          \"resources\": { \"requests\": { ");
	quantity(g, b, &any, "cpu", a->cpu);
	quantity(g, b, &any, "memory", a->memory);
	quantity(g, b, &any, "ephemeral-storage", a->disk);
	sb_z(b, " }");
	if (a->limit_cpu || a->limit_memory) {
		any = false;
		sb_z(b, ", \"limits\": { ");
		quantity(g, b, &any, "cpu", a->limit_cpu);
		quantity(g, b, &any, "memory", a->limit_memory);
		sb_z(b, " }");
	}
	sb_z(b, " }");
}

/* Secrets and config maps: the rest of the environment comes from the broker. */
static void variables(struct strbuf *b, const struct attrs *a)
{
	sb_z(b, "          \"env\": [{ \"name\": \"TMPDIR\", \"value\": \"/cw\" }, { \"name\": \"CW_TMP\", \"value\": \"/cw\" }");
	for (uint32_t i = 0; i < a->env.n; i++) {
		const struct ir_env *e = &a->env.v[i];

		if (e->kind == ENV_EXPR)
			continue;
		sb_z(b, ",\n            { ");
		member(b, "name", e->name->s);
		sb_f(b, ", \"valueFrom\": { \"%s\": { ", e->kind == ENV_SECRET ? "secretKeyRef" : "configMapKeyRef");
		member(b, "name", e->ref->s);
		sb_z(b, ", ");
		member(b, "key", e->key->s);
		sb_z(b, " } } }");
	}
	sb_z(b, "]");
	for (uint32_t i = 0; i < a->env_from.n; i++) {
		sb_f(b, "%s{ \"%s\": { ", i ? ", " : ",\n          \"envFrom\": [", a->env_from.v[i].kind == ENV_SECRET ? "secretRef" : "configMapRef");
		member(b, "name", a->env_from.v[i].ref->s);
		sb_z(b, " } }");
	}
	sb_z(b, a->env_from.n ? "]" : "");
}

/*
 * A pod that fails is replaced, however often: the broker counts what brings nothing. A worker that was sent home, or finds no
 * broker, succeeds, and then no pod follows it.
 */
static void job(struct argo *g, const struct shape *s, struct strbuf *b)
{
	const struct ir_dataflow *f = s->task->dataflow;
	const struct attrs *w = f->workers;
	const struct expr *image = w && w->image ? w->image : s->attrs->image;

	sb_z(b, "{\n  \"apiVersion\": \"batch/v1\",\n  \"kind\": \"Job\",\n  \"metadata\": { \"name\": \"couler-workers\", \"labels\": { ");
	member(b, "couler/task", name_object(g, s->task->name, 63));
	sb_z(b, ", \"workflows.argoproj.io/workflow\": \"{{workflow.name}}\" } },\n  \"spec\": {\n    \"parallelism\": 0,\n    \"backoffLimit\": 100000,\n    \"ttlSecondsAfterFinished\": 600,\n");
	sb_z(b, "    \"template\": {\n      \"metadata\": { \"labels\": { ");
	member(b, "couler/task", name_object(g, s->task->name, 63));
	sb_z(b, " } },\n      \"spec\": {\n        \"restartPolicy\": \"Never\",\n        \"automountServiceAccountToken\": false,\n        \"initContainers\": [{ \"name\": \"runner\", ");
	member(b, "image", runner(g, s->task->span));
	sb_z(b, ",\n          \"command\": [\"couler\", \"dataflow\", \"pack\", \"" PLACE "\"],\n          \"volumeMounts\": [{ \"name\": \"cw\", \"mountPath\": \"/cw\" }] }],\n");
	sb_z(b, "        \"containers\": [{ \"name\": \"worker\", ");
	member(b, "image", constant(g, image, "the image"));
	sb_z(b, ",\n          \"command\": [\"" PLACE "/couler\", \"dataflow\", \"work\", \"--wait\", \"" WAIT "\"],\n");
	variables(b, s->attrs);
	resources(g, b, w);
	sb_z(b, ",\n          \"volumeMounts\": [{ \"name\": \"cw\", \"mountPath\": \"/cw\" }] }],\n        \"volumes\": [{ \"name\": \"cw\", \"emptyDir\": {} }]\n      }\n    }\n  }\n}\n");
}

void flow_artifact(struct argo *g, struct yaml *y, struct shape *s)
{
	struct strbuf b = { 0 };

	job(g, s, &b);
	y_item(y);
	y_z(y, "name", name_param(g, &s->names, "workers.json", strlen("workers.json")));
	y_z(y, "path", MANIFEST);
	y_open(y, "raw");
	y_text(y, "data", b.s, b.n);
	y_end(y);
	y_item_end(y);
	sb_free(&b);
}
