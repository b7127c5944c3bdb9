/* Attributes of a step as entries of a template and of its container: resources, retries, placement, locks. */
#include "shape.h"

#include <math.h>
#include <string.h>

/* A value as it is, not encoded: for fields that Argo hands on to Kubernetes. */
const char *plain_of(struct site *x, const struct expr *e)
{
	struct ex t;

	if (e->op == EX_LIT) {
		struct strbuf b = { 0 };

		value_text(&b, e->u.lit);
		return a_buf(x->g, &b);
	}
	x->lets = 0;
	t = xl_text(x, e, e->type.kind == T_STRING ? FORM_RAW : FORM_ANY);
	if (x->shape && may_fail(t.s))
		t = xl_decode(x, hoisted(x, e, false));
	return value_tag(x, t);
}

static bool is_const(const struct expr *e)
{
	return e->op == EX_LIT;
}

static double number_of(const struct expr *e)
{
	const struct value *v = e->u.lit;

	return type_is(v->type, T_INT) || type_is(v->type, T_SIZE) ? (double)v->u.i : v->u.d;
}

/* ---- resources ---- */

/* 17179869184 is 16Gi. */
static const char *bytes_text(struct argo *g, double n)
{
	static const char *const units[] = { "", "Ki", "Mi", "Gi", "Ti" };
	int i = 0;

	while (i < 4 && n >= 1024 && fmod(n, 1024) <= 0) {
		n /= 1024;
		i++;
	}
	return a_f(g, "%.0f%s", n, units[i]);
}

static const char *number_text(struct argo *g, double d)
{
	struct strbuf b = { 0 };

	sb_double(&b, d);
	return a_buf(g, &b);
}

struct quantity { const char *name; const struct expr *e; bool size; };

static const char *quantity_text(struct site *x, const struct quantity *q)
{
	if (!is_const(q->e))
		return plain_of(x, q->e);
	return q->size ? bytes_text(x->g, number_of(q->e)) : number_text(x->g, number_of(q->e));
}

static const char *gpu_resource(const struct attrs *a)
{
	if (a->gpu_type && is_const(a->gpu_type) && memchr(a->gpu_type->u.lit->u.s->s, '/', a->gpu_type->u.lit->u.s->len))
		return a->gpu_type->u.lit->u.s->s;
	return "nvidia.com/gpu";
}

static bool wants_gpu(const struct attrs *a)
{
	return a->gpu && !(is_const(a->gpu) && number_of(a->gpu) <= 0);
}

static uint32_t requests(const struct attrs *a, struct quantity q[4])
{
	uint32_t n = 0;

	if (a->cpu)
		q[n++] = (struct quantity){ "cpu", a->cpu, false };
	if (a->memory)
		q[n++] = (struct quantity){ "memory", a->memory, true };
	if (a->disk)
		q[n++] = (struct quantity){ "ephemeral-storage", a->disk, true };
	if (wants_gpu(a))
		q[n++] = (struct quantity){ gpu_resource(a), a->gpu, false };
	return n;
}

static uint32_t limits(const struct attrs *a, struct quantity q[4])
{
	uint32_t n = 0;

	if (a->limit_cpu)
		q[n++] = (struct quantity){ "cpu", a->limit_cpu, false };
	if (a->limit_memory)
		q[n++] = (struct quantity){ "memory", a->limit_memory, true };
	if (wants_gpu(a))                                                       /* devices cannot be overcommitted: both are needed */
		q[n++] = (struct quantity){ gpu_resource(a), a->gpu, false };
	return n;
}

static bool all_const(const struct quantity *q, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (!is_const(q[i].e))
			return false;
	return true;
}

static void quantities(struct yaml *y, struct site *x, const char *key, const struct quantity *q, uint32_t n)
{
	if (!n)
		return;
	y_open(y, key);
	for (uint32_t i = 0; i < n; i++) {
		const char *t = quantity_text(x, &q[i]);
		bool digits = strspn(t, "0123456789.") == strlen(t);

		if (digits && strchr(t, '.'))
			y_str(y, q[i].name, t, strlen(t));
		else if (digits)
			y_plain(y, q[i].name, "%s", t);
		else
			y_z(y, q[i].name, t);
	}
	y_end(y);
}

static void json_quantities(struct strbuf *b, struct site *x, const char *key, const struct quantity *q, uint32_t n)
{
	sb_f(b, "\"%s\":{", key);
	for (uint32_t i = 0; i < n; i++) {
		const char *t = quantity_text(x, &q[i]);

		sb_f(b, "%s\"%s\":\"%s\"", i ? "," : "", q[i].name, t);
	}
	sb_z(b, n ? " }" : "}");
}

/* Quantities known only at run time do not fit the typed field: they go in as a patch of the pod. */
static void patch(struct yaml *y, struct site *x, const struct quantity *r, uint32_t nr, const struct quantity *l, uint32_t nl)
{
	struct strbuf b = { 0 };

	sb_z(&b, "{\"containers\":[{\"name\":\"main\",\"resources\":{");
	json_quantities(&b, x, "requests", r, nr);
	sb_ch(&b, ',');
	json_quantities(&b, x, "limits", l, nl);
	sb_z(&b, " } }]}");
	y_str(y, "podSpecPatch", b.s, b.n);
	sb_free(&b);
}

/* ---- environment ---- */

void attr_container(struct argo *g, struct yaml *y, struct site *x, const struct attrs *a)
{
	struct quantity r[4], l[4];
	uint32_t nr = requests(a, r), nl = limits(a, l);

	(void)g;
	if ((nr || nl) && (x->manifest || (all_const(r, nr) && all_const(l, nl)))) {
		y_open(y, "resources");
		quantities(y, x, "requests", r, nr);
		quantities(y, x, "limits", l, nl);
		y_end(y);
	}
	if (a->env_from.n) {
		y_open(y, "envFrom");
		for (uint32_t i = 0; i < a->env_from.n; i++) {
			y_item(y);
			y_open(y, a->env_from.v[i].kind == ENV_SECRET ? "secretRef" : "configMapRef");
			y_str(y, "name", a->env_from.v[i].ref->s, a->env_from.v[i].ref->len);
			y_end(y);
			y_item_end(y);
		}
		y_end(y);
	}
}

/* ---- volumes ---- */

static const char *volume_name(struct argo *g, const struct attrs *a, uint32_t i, const struct ir_workflow *w)
{
	const struct ir_mount *m = &a->mounts.v[i];

	if (m->kind == MOUNT_VOLUME)
		return name_object(g, w->volumes[m->volume].name, 63);
	return a_f(g, "%s-%s", m->kind == MOUNT_SECRET ? "secret" : "config", name_object(g, m->name, 50));
}

bool attr_volumes(struct argo *g, struct yaml *y, struct site *x, const struct attrs *a)
{
	bool any = false;

	for (uint32_t i = 0; i < a->mounts.n; i++) {
		const struct ir_mount *m = &a->mounts.v[i];
		bool again = false;

		for (uint32_t k = 0; k < i; k++)
			again |= a->mounts.v[k].kind == m->kind && a->mounts.v[k].name == m->name;
		if (m->kind == MOUNT_VOLUME || again)
			continue;
		any = true;
		if (!y)
			continue;
		y_item(y);
		y_z(y, "name", volume_name(g, a, i, x->c->w));
		y_open(y, m->kind == MOUNT_SECRET ? "secret" : "configMap");
		y_str(y, m->kind == MOUNT_SECRET ? "secretName" : "name", m->name->s, m->name->len);
		y_end(y);
		y_item_end(y);
	}
	return any;
}

void attr_mounts(struct argo *g, struct yaml *y, struct site *x, const struct attrs *a)
{
	for (uint32_t i = 0; i < a->mounts.n; i++) {
		y_item(y);
		y_z(y, "name", volume_name(g, a, i, x->c->w));
		y_str(y, "mountPath", a->mounts.v[i].path->s, a->mounts.v[i].path->len);
		if (a->mounts.v[i].kind != MOUNT_VOLUME)
			y_plain(y, "readOnly", "true");
		y_item_end(y);
	}
}

/* ---- retries ---- */

/*
 * failure: the process ended non-zero, timed out, or wrote a bad value. The engine's message begins with the name of
 * the container then, or tells of the deadline; anything else is the infrastructure.
 */
/* of an object: its failure condition came true */
#define JOB_FAILURE "lastRetry.message contains 'failure condition' || lastRetry.message contains 'deadline'"
#define OWN_FAILURE "lastRetry.message startsWith 'main:' || lastRetry.message contains 'deadline'"

/* own: what tells a failure of the step from one of the infrastructure */
static void retry_expression(struct yaml *y, const struct ir_retry *r, const char *own)
{
	struct strbuf b = { 0 };

	switch (r->on) {
	case RETRY_ANY:
		y_z(y, "retryPolicy", "Always");
		return;
	case RETRY_FAILURE:
		y_z(y, "expression", own);
		break;
	case RETRY_ERROR:
		y_f(y, "expression", "!(%s)", own);
		break;
	case RETRY_TRANSIENT:
		sb_f(&b, "!(%s) || lastRetry.exitCode in ", own);
		retry_exit_codes(r, "'", &b);
		y_str(y, "expression", b.s, b.n);
		sb_free(&b);
		break;
	case RETRY_CODES:
		sb_z(&b, "lastRetry.exitCode in ");
		retry_exit_codes(r, "'", &b);
		sb_z(&b, " && lastRetry.message startsWith 'main:'");
		y_str(y, "expression", b.s, b.n);
		sb_free(&b);
		break;
	}
}

static const char *seconds_text(struct site *x, const struct expr *e)
{
	if (is_const(e))
		return a_f(x->g, "%ss", number_text(x->g, e->u.lit->u.d));
	return a_f(x->g, "%ss", plain_of(x, e));
}

bool has_retries(const struct attrs *a)
{
	return a && a->retry.limit && !(is_const(a->retry.limit) && a->retry.limit->u.lit->u.i <= 0);
}

void attr_retry(struct argo *g, struct yaml *y, struct site *x, const struct attrs *a)
{
	const struct ir_retry *r = &a->retry;

	if (!has_retries(a))
		return;
	y_open(y, "retryStrategy");
	if (is_const(r->limit))
		y_plain(y, "limit", "%lld", (long long)r->limit->u.lit->u.i);
	else
		y_z(y, "limit", plain_of(x, r->limit));
	retry_expression(y, r, x->shape && is_job(x->shape->task) ? JOB_FAILURE : OWN_FAILURE);
	(void)g;
	if (r->backoff || r->within) {
		y_open(y, "backoff");
		y_z(y, "duration", r->backoff ? seconds_text(x, r->backoff) : "0s");
		if (r->backoff) {
			double f = r->factor && is_const(r->factor) ? number_of(r->factor) : 2;

			/* the engine has whole factors only */
			if (r->factor && !is_const(r->factor))
				y_z(y, "factor", plain_of(x, r->factor));
			else
				y_plain(y, "factor", "%.0f", fmax(1, f));
			y_z(y, "cap", r->max_backoff ? seconds_text(x, r->max_backoff) : "10m");
		}
		if (r->within)
			y_z(y, "maxDuration", seconds_text(x, r->within));
		y_end(y);
	}
	y_end(y);
}

/* ---- locks ---- */

static const char *pool_object(struct argo *g, const struct ir_lock *l)
{
	return a_f(g, "couler-pool-%s", name_object(g, l->name->u.lit->u.s, 50));
}

static void need_pool(struct argo *g, const struct ir_lock *l)
{
	for (uint32_t i = 0; i < g->pools.n; i++)
		if (expr_same(g->pools.v[i]->name, l->name))
			return;
	vec_push(g->a, &g->pools, l);
}

void attr_synchronization(struct argo *g, struct yaml *y, struct site *x, const struct ir_lock *v, uint32_t n)
{
	uint32_t pools = 0;

	if (!n)
		return;
	for (uint32_t i = 0; i < n; i++)
		pools += v[i].pool;
	y_open(y, "synchronization");
	if (pools < n) {
		y_open(y, "mutexes");
		for (uint32_t i = 0; i < n; i++) {
			if (v[i].pool)
				continue;
			y_item(y);
			y_z(y, "name", plain_of(x, v[i].name));
			y_item_end(y);
		}
		y_end(y);
	}
	if (pools) {
		y_open(y, "semaphores");
		for (uint32_t i = 0; i < n; i++) {
			if (!v[i].pool)
				continue;
			need_pool(g, &v[i]);
			y_item(y);
			y_open(y, "configMapKeyRef");
			y_z(y, "name", pool_object(g, &v[i]));
			y_z(y, "key", "size");
			y_end(y);
			y_item_end(y);
		}
		y_end(y);
	}
	y_end(y);
}

void pools_write(struct argo *g, struct strbuf *out)
{
	for (uint32_t i = 0; i < g->pools.n; i++) {
		struct yaml y = yaml_at(out, 0);

		sb_z(out, "---\n");
		y_comment(&y, "How many steps may hold the pool at once, over all workflows that use it.");
		y_z(&y, "apiVersion", "v1");
		y_z(&y, "kind", "ConfigMap");
		y_open(&y, "metadata");
		y_z(&y, "name", pool_object(g, g->pools.v[i]));
		y_end(&y);
		y_open(&y, "data");
		y_str(&y, "size", a_f(g, "%lld", (long long)g->pools.v[i]->size), strlen(a_f(g, "%lld", (long long)g->pools.v[i]->size)));
		y_end(&y);
	}
}

/* ---- placement ---- */

static void pairs(struct yaml *y, struct site *x, const char *key, const struct ir_pair *v, uint32_t n)
{
	if (!n)
		return;
	y_open(y, key);
	for (uint32_t i = 0; i < n; i++) {
		const char *t = plain_of(x, v[i].value);

		y_str(y, v[i].key->s, t, strlen(t));
	}
	y_end(y);
}

void attr_metadata(struct yaml *y, struct site *x, const struct attrs *a)
{
	if (!a->labels.n && !a->annotations.n)
		return;
	y_open(y, "metadata");
	pairs(y, x, "labels", a->labels.v, a->labels.n);
	pairs(y, x, "annotations", a->annotations.v, a->annotations.n);
	y_end(y);
}

static void tolerations(struct yaml *y, const struct attrs *a)
{
	if (!a->tolerate.n)
		return;
	y_open(y, "tolerations");
	for (uint32_t i = 0; i < a->tolerate.n; i++) {
		const struct ir_toleration *t = &a->tolerate.v[i];

		y_item(y);
		y_str(y, "key", t->key->s, t->key->len);
		y_z(y, "operator", t->value ? "Equal" : "Exists");
		if (t->value)
			y_str(y, "value", t->value->s, t->value->len);
		if (t->effect)
			y_str(y, "effect", t->effect->s, t->effect->len);
		y_item_end(y);
	}
	y_end(y);
}

static void selector(struct yaml *y, struct site *x, const struct attrs *a)
{
	bool kind = wants_gpu(a) && a->gpu_type && !strcmp(gpu_resource(a), "nvidia.com/gpu");

	if (!a->selector.n && !kind)
		return;
	y_open(y, "nodeSelector");
	for (uint32_t i = 0; i < a->selector.n; i++)
		y_z(y, a->selector.v[i].key->s, plain_of(x, a->selector.v[i].value));
	if (kind)                                                               /* the label of NVIDIA's feature discovery */
		y_z(y, "nvidia.com/gpu.product", plain_of(x, a->gpu_type));
	y_end(y);
}

void attr_deadline(struct yaml *y, struct site *x, const struct attrs *a)
{
	if (!a->timeout)
		return;
	if (is_const(a->timeout))
		y_plain(y, "activeDeadlineSeconds", "%.0f", ceil(a->timeout->u.lit->u.d));
	else if (x->manifest)
		y_plain(y, "activeDeadlineSeconds", "%s", number_tag(x, a->timeout, 0));
	else
		y_z(y, "activeDeadlineSeconds", plain_of(x, a->timeout));
}

void attr_pod(struct yaml *y, struct site *x, const struct attrs *a)
{
	selector(y, x, a);
	tolerations(y, a);
	if (a->service_account)
		y_z(y, "serviceAccountName", plain_of(x, a->service_account));
	if (a->priority && a->priority->type.kind == T_STRING)
		y_z(y, "priorityClassName", plain_of(x, a->priority));
}

void attr_template(struct argo *g, struct yaml *y, struct site *x, const struct attrs *a)
{
	struct quantity r[4], l[4];
	uint32_t nr = requests(a, r), nl = limits(a, l);

	attr_retry(g, y, x, a);
	attr_deadline(y, x, a);
	attr_synchronization(g, y, x, a->locks.v, a->locks.n);
	attr_pod(y, x, a);
	if (!all_const(r, nr) || !all_const(l, nl))
		patch(y, x, r, nr, l, nl);
}
