/* Shapes of steps, which calls of one task share; their code; attributes of a task. */
#include "airflow.h"

#include <math.h>
#include <string.h>

/* ---- shapes ---- */

static void code_text(struct strbuf *b, const struct ir_code *c)
{
	sb_z(b, "{\"path\": ");
	af_str(b, c->path);
	if (c->exec)
		sb_z(b, ", \"exec\": true");
	if (c->place) {
		sb_z(b, ", \"location\": ");
		af_str(b, c->place);
		sb_z(b, ", \"sha256\": ");
		af_str(b, c->sha256);
	} else {
		sb_z(b, ", \"text\": ");
		sb_json(b, c->data, c->len);
	}
	sb_ch(b, '}');
}

/* Equal files of several steps stand once. */
static const struct str *code_key(struct af *af, const struct ir_code *c)
{
	const struct str *same = str_internf(af->strs, "%s %d %s", c->sha256 ? c->sha256->s : "", c->exec, c->path->s);
	const struct str *key = strmap_get(&af->code_key, same);

	if (key)
		return key;
	key = af_unique_in(af, &af->used_code, "%s", c->path->s);
	strmap_put(af->a, &af->code_key, same, (void *)(uintptr_t)key);
	sb_z(&af->code, af->code.n ? ",\n    " : "\n    ");
	af_str(&af->code, key);
	sb_z(&af->code, ": ");
	code_text(&af->code, c);
	return key;
}

static void decl_in(struct strbuf *b, const struct ir_decl *d)
{
	sb_ch(b, '[');
	af_str(b, d->name);
	sb_z(b, ", ");
	af_type(b, d->type);
	if (d->named) {
		sb_z(b, ", ");
		af_str(b, d->named);
	}
	sb_ch(b, ']');
}

static void decl_out(struct strbuf *b, const struct ir_decl *d)
{
	struct type t = d->type;

	t.opt = false;                    /* allow_failure makes it optional outside, not for the step */
	sb_ch(b, '[');
	af_str(b, d->name);
	sb_z(b, ", ");
	af_type(b, t);
	if (d->from_stdout) {
		sb_z(b, ", {\"stdout\": true}");
	} else if (d->named) {
		sb_z(b, ", {\"named\": ");
		af_str(b, d->named);
		sb_ch(b, '}');
	}
	sb_ch(b, ']');
}

static void decls(struct strbuf *b, const char *name, const struct ir_decl *d, uint32_t n, void (*one)(struct strbuf *, const struct ir_decl *))
{
	if (!n)
		return;
	sb_f(b, ",\n      \"%s\": ", name);
	for (uint32_t i = 0; i < n; i++) {
		sb_z(b, i ? ", " : "[");
		one(b, &d[i]);
	}
	sb_ch(b, ']');
}

static void body(struct af *af, struct strbuf *b, struct ir_task *t)
{
	if (t->body == BODY_RUN) {
		sb_z(b, "\"shell\": ");
		af_str(b, t->shell);
		sb_z(b, ",\n      \"script\": ");
		af_str(b, t->script);
		return;
	}
	sb_f(b, "\"%s\": ", t->body == BODY_ARGS ? "args" : "command");
	for (uint32_t i = 0; i < t->nargv; i++) {
		sb_z(b, i ? ", " : "[");
		af_expr(af, b, af->at->frame, t->argv[i]);
	}
	sb_z(b, t->nargv ? "]" : "[]");
}

const struct str *af_step(struct af *af, struct ir_task *t)
{
	struct strbuf b = { 0 };
	const struct str *key = af->step_key[t->id];

	if (key)
		return key;
	key = af->step_key[t->id] = af_unique_in(af, &af->used_steps, "%s", t->name->s);
	sb_z(&b, af->steps.n ? ",\n    " : "\n    ");
	af_str(&b, key);
	sb_z(&b, ": {\n      ");
	body(af, &b, t);
	decls(&b, "in", t->ins, t->nins, decl_in);
	decls(&b, "out", t->outs, t->nouts, decl_out);
	for (uint32_t i = 0; i < t->ncode; i++) {
		sb_z(&b, i ? ", " : ",\n      \"code\": [");
		af_str(&b, code_key(af, &t->code[i]));
	}
	sb_z(&b, t->ncode ? "]\n    }" : "\n    }");
	sb_add(&af->steps, b.s, b.n);
	sb_free(&b);
	return key;
}

/* ---- attributes ---- */

static void number(struct af *af, struct strbuf *b, const char *name, const struct expr *e)
{
	double d;

	if (!e || !af_number(af, e, &d))
		return;
	af_field(b, name);
	sb_double(b, d);
}

static bool is(const struct af *af, const char *option)
{
	return opt_bool(af->o, "airflow", airflow_opts, option);
}

bool af_containers(const struct af *af)
{
	return strcmp(opt_string(af->o, "airflow", airflow_opts, "runtime"), "local") != 0;
}

static void env_entry(struct af *af, struct strbuf *b, struct frame *f, const struct ir_env *e)
{
	af_str(b, e->name);
	sb_z(b, ": ");
	if (e->kind == ENV_EXPR) {
		af_root(af, b, f, e->value);
		return;
	}
	sb_f(b, "{\"%s\": [", e->kind == ENV_SECRET ? "secret" : "config");
	af_str(b, e->ref);
	sb_z(b, ", ");
	af_str(b, e->key);
	sb_z(b, "]}");
}

static void environment(struct af *af, struct strbuf *b, struct task *t)
{
	const struct attrs *a = t->node->attrs;

	for (uint32_t i = 0; i < a->env.n; i++) {
		if (!i)
			af_field(b, "env");
		sb_z(b, i ? ", " : "{");
		env_entry(af, b, t->frame, &a->env.v[i]);
	}
	if (a->env.n)
		sb_ch(b, '}');
	for (uint32_t i = 0; i < a->env_from.n; i++) {
		if (!i)
			af_field(b, "env_from");
		sb_f(b, "%s[\"%s\", ", i ? ", " : "[", a->env_from.v[i].kind == ENV_SECRET ? "secret" : "config");
		af_str(b, a->env_from.v[i].ref);
		sb_ch(b, ']');
	}
	if (a->env_from.n)
		sb_ch(b, ']');
}

static void retry(struct af *af, struct strbuf *b, const struct ir_retry *r)
{
	static const char *const on[] = { [RETRY_ERROR] = "\"error\"", [RETRY_FAILURE] = "\"failure\"" };
	double limit = 0, factor = 2;

	if (!r->limit || !af_number(af, r->limit, &limit) || limit < 1)
		return;
	number(af, b, "retries", r->limit);
	number(af, b, "retry_delay", r->backoff);
	if (r->factor)
		af_number(af, r->factor, &factor);
	if (r->backoff && factor > 1) {
		af_field(b, "retry_exponential_backoff");
		sb_double(b, factor);
		if (r->max_backoff)
			number(af, b, "max_retry_delay", r->max_backoff);
		else
			sb_z(b, ",\n      \"max_retry_delay\": 600");
	}
	number(af, b, "retry_within", r->within);
	if (r->on == RETRY_ANY)
		return;
	af_field(b, "retry_on");
	if (r->on == RETRY_CODES || r->on == RETRY_TRANSIENT)
		retry_exit_codes(r, "", b);
	else
		sb_z(b, on[r->on]);
}

static void timeout(struct af *af, struct strbuf *b, struct task *t)
{
	const struct expr *e = t->node->attrs->timeout;
	double d;

	if (!e)
		return;
	af_field(b, "execution_timeout");
	if (af_number(af, e, &d) && d == floor(d))
		sb_double(b, d);
	else
		af_root(af, b, t->frame, e);
}

/* A place in a pool: one of Airflow's own where asked for; else the loader keeps them in the shared folder. */
static bool airflow_pool(struct af *af, struct strbuf *b, const struct attrs *a)
{
	struct value name;

	if (!is(af, "pools") || a->locks.n != 1 || !af_const(af, a->locks.v[0].name, &name))
		return false;
	af_field(b, "pool");
	af_str(b, name.u.s);
	return true;
}

static void locks(struct af *af, struct strbuf *b, struct task *t)
{
	const struct attrs *a = t->node->attrs;
	uint32_t n = 0;

	for (uint32_t i = 0; i < (airflow_pool(af, b, a) ? 0 : a->locks.n); i++) {
		if (!n++)
			af_field(b, "locks");
		sb_z(b, n > 1 ? ", [" : "[[");
		af_root(af, b, t->frame, a->locks.v[i].name);
		sb_f(b, ", %lld]", (long long)(a->locks.v[i].pool ? a->locks.v[i].size : 1));
	}
	for (const struct activation *act = t->act; act; act = act->up) {    /* max_parallel of a called workflow */
		if (!act->limit || t->handler >= 0)
			continue;
		if (!n++)
			af_field(b, "locks");
		sb_z(b, n > 1 ? ", [" : "[[");
		sb_z(b, "[\"text\", \"couler/\", [\"field\", \"run_id\"], ");
		af_str(b, act->scope);
		sb_f(b, "], %u]", act->limit);
	}
	if (n)
		sb_ch(b, ']');
}

/* The rules of a local run (src/run/reuse.c, may_reuse), for the loader to follow. */
static bool may_reuse(const struct task *t)
{
	const struct ir_cache *c = &t->node->attrs->cache;
	const struct ir_task *task = t->node->u.task;

	if (t->node->kind != N_STEP || c->mode == CACHE_OFF || (t->node->attrs->mounts.n && !c->given))
		return false;
	for (uint32_t i = 0; c->mode != CACHE_ON && i < task->nins; i++)
		if (type_is_path(task->ins[i].type))
			return task->nouts || c->given;
	return c->mode == CACHE_ON;
}

static void cache(struct af *af, struct strbuf *b, struct task *t)
{
	const struct ir_cache *c = &t->node->attrs->cache;
	const char *sep = "";

	if (!is(af, "reuse") || !may_reuse(t))
		return;
	af_field(b, "cache");
	sb_ch(b, '{');
	if (c->ttl > 0) {
		sb_z(b, "\"ttl\": ");
		sb_double(b, c->ttl);
		sep = ", ";
	}
	if (c->version) {
		sb_f(b, "%s\"version\": ", sep);
		af_str(b, c->version);
		sep = ", ";
	}
	for (uint32_t i = 0; i < c->nkey; i++) {
		if (i)
			sb_z(b, ", ");
		else
			sb_f(b, "%s\"key\": [", sep);
		af_root(af, b, t->frame, c->key[i]);
	}
	sb_z(b, c->nkey ? "]}" : "}");
}

void af_attrs(struct af *af, struct strbuf *b, struct task *t)
{
	const struct attrs *a = t->node->attrs;

	if (!a)
		return;
	environment(af, b, t);
	if (t->kind == TK_RUN) {
		cache(af, b, t);
		retry(af, b, &a->retry);
	}
	timeout(af, b, t);
	locks(af, b, t);
	if (t->loop && t->loop->limit) {
		af_field(b, "max_active_tis_per_dagrun");
		sb_f(b, "%lld", (long long)t->loop->limit);
	}
	number(af, b, "priority_weight", a->priority);
	if (a->airflow) {
		af_field(b, "airflow");
		af_raw(af, b, a->airflow);
	}
}

/* ---- what containers take besides ---- */

struct object { struct strbuf *b; const char *name; uint32_t n; };

static void member(struct object *o, const char *key)
{
	if (!o->n)
		af_field(o->b, o->name);
	sb_f(o->b, "%s\"%s\": ", o->n++ ? ", " : "{", key);
}

static void end_object(struct object *o)
{
	if (o->n)
		sb_ch(o->b, '}');
}

static void quantity(struct af *af, struct object *o, struct frame *f, const char *key, const struct expr *e)
{
	if (!e)
		return;
	member(o, key);
	af_root(af, o->b, f, e);
}

static void pairs(struct af *af, struct object *o, struct frame *f, const char *key, const struct ir_pair *v, uint32_t n)
{
	if (!n)
		return;
	member(o, key);
	for (uint32_t i = 0; i < n; i++) {
		sb_z(o->b, i ? ", " : "{");
		af_str(o->b, v[i].key);
		sb_z(o->b, ": ");
		af_root(af, o->b, f, v[i].value);
	}
	sb_ch(o->b, '}');
}

static void toleration(struct strbuf *b, const struct ir_toleration *t)
{
	sb_z(b, "{\"key\": ");
	af_str(b, t->key);
	sb_z(b, t->value ? ", \"operator\": \"Equal\"" : ", \"operator\": \"Exists\"");
	if (t->value) {
		sb_z(b, ", \"value\": ");
		af_str(b, t->value);
	}
	if (t->effect) {
		sb_z(b, ", \"effect\": ");
		af_str(b, t->effect);
	}
	sb_ch(b, '}');
}

static void placement(struct af *af, struct strbuf *b, struct frame *f, const struct attrs *a)
{
	struct object o = { b, "placement", 0 };

	pairs(af, &o, f, "labels", a->labels.v, a->labels.n);
	pairs(af, &o, f, "annotations", a->annotations.v, a->annotations.n);
	pairs(af, &o, f, "node_selector", a->selector.v, a->selector.n);
	quantity(af, &o, f, "service_account_name", a->service_account);
	for (uint32_t i = 0; i < a->tolerate.n; i++) {
		if (!i)
			member(&o, "tolerations");
		sb_z(b, i ? ", " : "[");
		toleration(b, &a->tolerate.v[i]);
	}
	if (a->tolerate.n)
		sb_ch(b, ']');
	end_object(&o);
}

static void mounts(struct af *af, struct strbuf *b, const struct task *t)
{
	const struct attrs *a = t->node->attrs;
	struct object o = { b, "mounts", 0 };

	(void)af;
	for (uint32_t i = 0; i < a->mounts.n; i++) {
		const struct ir_mount *m = &a->mounts.v[i];

		if (!o.n++)
			af_field(b, "mounts");
		sb_z(b, o.n > 1 ? ", " : "{");
		af_str(b, m->path);
		sb_f(b, ": [\"%s\", ", m->kind == MOUNT_SECRET ? "secret" : m->kind == MOUNT_CONFIG ? "config" : "claim");
		af_str(b, m->kind == MOUNT_VOLUME && t->act->w->volumes[m->volume].claim ? t->act->w->volumes[m->volume].claim : m->name);
		sb_ch(b, ']');
	}
	end_object(&o);
}

void af_resources(struct af *af, struct strbuf *b, struct task *t)
{
	const struct attrs *a = t->node->attrs;
	struct object o = { b, "resources", 0 };
	struct frame *f = t->frame;

	if (!a || !af_containers(af))
		return;
	if (a->image) {
		af_field(b, "image");
		af_root(af, b, f, a->image);
	}
	quantity(af, &o, f, "cpu", a->cpu);
	quantity(af, &o, f, "memory", a->memory);
	quantity(af, &o, f, "gpu", a->gpu);
	quantity(af, &o, f, "gpu_type", a->gpu_type);
	quantity(af, &o, f, "disk", a->disk);
	quantity(af, &o, f, "limit_cpu", a->limit_cpu);
	quantity(af, &o, f, "limit_memory", a->limit_memory);
	end_object(&o);
	placement(af, b, f, a);
	mounts(af, b, t);
}
