/* The tables of the JSON form: a row a member. */
#include "ir_desc.h"

#define AT(type, member) (uint16_t)offsetof(type, member)
#define ROW(key, kind, flags, type, member) { key, kind, flags, AT(type, member), 0, { .words = NULL }, 0 }
#define STR(key, type, member) ROW(key, JF_STR, 0, type, member)
#define NAME(type) ROW("name", JF_STR, JF_NEEDED, type, name)
#define SPAN(type) ROW("span", JF_SPAN, 0, type, span)
#define EXPR(key, type, member) ROW(key, JF_EXPR, 0, type, member)
#define NUMBER(key, kind, type, member, dflt) { key, kind, 0, AT(type, member), 0, { .words = NULL }, dflt }
#define WORD(key, type, member, table) { key, JF_WORD, 0, AT(type, member), 0, { .words = table }, 0 }
#define COUNTED(key, kind, type, member, count, table) { key, kind, 0, AT(type, member), AT(type, count), { .desc = table }, 0 }
#define VECTOR(key, type, member, table) { key, JF_VEC, 0, AT(type, member.v), AT(type, member.n), { .desc = table }, 0 }
#define NESTED(key, kind, type, member, table) { key, kind, 0, AT(type, member), 0, { .desc = table }, 0 }
#define END { NULL, 0, 0, 0, 0, { .words = NULL }, 0 }

#define WORDS(name, ...) static const char *const name[] = { __VA_ARGS__, NULL }
WORDS(words_body, "run", "command", "args", "job", "dataflow", "argo");
WORDS(words_env, "value", "secret", "config");
WORDS(words_mount, "volume", "secret", "config");
WORDS(words_retry_on, "any", "error", "failure", "codes", "transient");
WORDS(words_cache, "auto", "on", "off");
WORDS(words_dist, "choice", "steps", "uniform", "log_uniform", "int_uniform");
WORDS(words_search, "grid", "random", "halving", "tpe", "llm");
WORDS(words_overlap, "forbid", "allow", "replace");
WORDS(words_link, "inline", "ref", "run");

const char *const words_ref_kind[] = {
	"param", "output", "status", "exit_code", "input", "outpath", "env", "item", "index", "state", "arg", "field", NULL
};
_Static_assert(sizeof words_ref_kind / sizeof *words_ref_kind == REF_COUNT + 1, "a word a reference");

const char *const words_prop[] = { "folded", "swept", "reduced", "inlined", "cut", NULL };
_Static_assert(IR_FOLDED == 1 && IR_SWEPT == 2 && IR_REDUCED == 4 && IR_INLINED == 8 && IR_CUT == 16, "bits in the order of their words");

const char *const words_node_kind[] = {
#define X(kind, word, region) word,
	NODE_KINDS(X)
#undef X
	NULL
};

const char *const words_field[] = {
#define X(field, kind, list, opt) #field,
	WORKFLOW_FIELDS(X)
#undef X
	NULL
};

/* ---- tasks ---- */

static const struct jfield decl_fields[] = {
	NAME(struct ir_decl), ROW("type", JF_TYPE, JF_NEEDED, struct ir_decl, type), STR("named", struct ir_decl, named),
	ROW("stdout", JF_BOOL, 0, struct ir_decl, from_stdout), STR("at", struct ir_decl, at), SPAN(struct ir_decl), END
};
static const struct jdesc desc_decl = { "an input or output", sizeof(struct ir_decl), false, decl_fields };

static const struct jfield code_fields[] = {
	ROW("path", JF_STR, JF_NEEDED, struct ir_code, path), STR("source", struct ir_code, source),
	{ "length", JF_UINT64, 0, AT(struct ir_code, len), 0, { .words = NULL }, 0 }, ROW("exec", JF_BOOL, 0, struct ir_code, exec),
	ROW("text", JF_BOOL, 0, struct ir_code, text), STR("sha256", struct ir_code, sha256),
	{ "data", JF_DATA, 0, AT(struct ir_code, data), AT(struct ir_code, len), { .words = NULL }, 0 }, END
};
static const struct jdesc desc_code = { "a file of code", sizeof(struct ir_code), false, code_fields };
_Static_assert(sizeof(size_t) == sizeof(uint64_t), "lengths of code are read as 64 bits");

struct set_entry { const struct str *path; struct expr *value; };      /* as in struct ir_job */
static const struct jfield set_fields[] = {
	ROW("path", JF_STR, JF_NEEDED, struct set_entry, path), ROW("value", JF_EXPR, JF_NEEDED, struct set_entry, value), END
};
static const struct jdesc desc_set = { "a value of a job's set", sizeof(struct set_entry), false, set_fields };

static const struct jfield job_fields[] = {
	ROW("kind", JF_STR, JF_NEEDED, struct ir_job, kind), EXPR("workers", struct ir_job, workers), EXPR("ps", struct ir_job, ps),
	EXPR("slots", struct ir_job, slots), STR("run", struct ir_job, run), STR("action", struct ir_job, action), STR("manifest", struct ir_job, manifest),
	STR("success", struct ir_job, success), STR("failure", struct ir_job, failure), VECTOR("set", struct ir_job, set, &desc_set), END
};
static const struct jdesc desc_job = { "a job", sizeof(struct ir_job), true, job_fields };

static const struct jfield operator_fields[] = {
	NAME(struct ir_operator), COUNTED("from", JF_FROM, struct ir_operator, from, nfrom, NULL), STR("run", struct ir_operator, run),
	ROW("uses_model", JF_BOOL, 0, struct ir_operator, uses_model), ROW("ordered", JF_BOOL, 0, struct ir_operator, ordered),
	ROW("singleton", JF_BOOL, 0, struct ir_operator, singleton), NUMBER("cpu", JF_DOUBLE, struct ir_operator, cpu, -1),
	NUMBER("bytes", JF_DOUBLE, struct ir_operator, bytes, -1), SPAN(struct ir_operator), END
};
static const struct jdesc desc_operator = { "an operator", sizeof(struct ir_operator), false, operator_fields };

static const struct jfield dataflow_fields[] = {
	ROW("source", JF_STR, JF_NEEDED, struct ir_dataflow, source), NUMBER("split", JF_UINT32, struct ir_dataflow, split, 0),
	COUNTED("ops", JF_LIST, struct ir_dataflow, ops, nops, &desc_operator), NUMBER("workers_min", JF_INT64, struct ir_dataflow, workers_min, 0),
	NUMBER("workers_max", JF_INT64, struct ir_dataflow, workers_max, 0), NESTED("workers", JF_PTR, struct ir_dataflow, workers, &desc_attrs),
	NUMBER("source_bytes", JF_DOUBLE, struct ir_dataflow, source_bytes, -1), STR("framing", struct ir_dataflow, framing), STR("runtime", struct ir_dataflow, runtime),
	COUNTED("on_worker", JF_BOOLS_OF, struct ir_dataflow, on_worker, nops, NULL), END
};
static const struct jdesc desc_dataflow = { "a dataflow", sizeof(struct ir_dataflow), true, dataflow_fields };

static const struct jfield task_fields[] = {
	NAME(struct ir_task), STR("doc", struct ir_task, doc), ROW("inline", JF_BOOL, 0, struct ir_task, inline_),
	COUNTED("ins", JF_LIST, struct ir_task, ins, nins, &desc_decl), COUNTED("outs", JF_LIST, struct ir_task, outs, nouts, &desc_decl),
	{ "body", JF_WORD, JF_NEEDED, AT(struct ir_task, body), 0, { .words = words_body }, 0 }, STR("shell", struct ir_task, shell),
	STR("script", struct ir_task, script), COUNTED("argv", JF_EXPRS, struct ir_task, argv, nargv, NULL),
	NESTED("job", JF_PTR, struct ir_task, job, &desc_job), NESTED("dataflow", JF_PTR, struct ir_task, dataflow, &desc_dataflow),
	COUNTED("code", JF_LIST, struct ir_task, code, ncode, &desc_code), SPAN(struct ir_task), ROW("body_span", JF_SPAN, 0, struct ir_task, body_span), END
};
const struct jdesc desc_task = { "a task", sizeof(struct ir_task), true, task_fields };

/* ---- attributes ---- */

static const struct jfield env_fields[] = {
	STR("name", struct ir_env, name), WORD("kind", struct ir_env, kind, words_env), EXPR("value", struct ir_env, value), STR("ref", struct ir_env, ref),
	STR("key", struct ir_env, key), END
};
static const struct jdesc desc_env = { "an environment variable", sizeof(struct ir_env), false, env_fields };

static const struct jfield pair_fields[] = {
	ROW("key", JF_STR, JF_NEEDED, struct ir_pair, key), ROW("value", JF_EXPR, JF_NEEDED, struct ir_pair, value), END
};
static const struct jdesc desc_pair = { "a key with its value", sizeof(struct ir_pair), false, pair_fields };

static const struct jfield mount_fields[] = {
	ROW("path", JF_STR, JF_NEEDED, struct ir_mount, path), ROW("name", JF_STR, JF_NEEDED, struct ir_mount, name),
	WORD("kind", struct ir_mount, kind, words_mount), NUMBER("volume", JF_UINT32, struct ir_mount, volume, 0), END
};
static const struct jdesc desc_mount = { "a mount", sizeof(struct ir_mount), false, mount_fields };

static const struct jfield lock_fields[] = {
	ROW("name", JF_EXPR, JF_NEEDED, struct ir_lock, name), NUMBER("size", JF_INT64, struct ir_lock, size, 1), ROW("pool", JF_BOOL, 0, struct ir_lock, pool), END
};
static const struct jdesc desc_lock = { "a lock", sizeof(struct ir_lock), false, lock_fields };

static const struct jfield toleration_fields[] = {
	ROW("key", JF_STR, JF_NEEDED, struct ir_toleration, key), STR("value", struct ir_toleration, value), STR("effect", struct ir_toleration, effect), END
};
static const struct jdesc desc_toleration = { "a toleration", sizeof(struct ir_toleration), false, toleration_fields };

static const struct jfield retry_fields[] = {
	EXPR("limit", struct ir_retry, limit), EXPR("backoff", struct ir_retry, backoff), EXPR("factor", struct ir_retry, factor),
	EXPR("max_backoff", struct ir_retry, max_backoff), EXPR("within", struct ir_retry, within), WORD("on", struct ir_retry, on, words_retry_on),
	{ "codes", JF_INTS, 0, AT(struct ir_retry, codes.v), AT(struct ir_retry, codes.n), { .words = NULL }, 0 }, END
};
static const struct jdesc desc_retry = { "a retry", sizeof(struct ir_retry), false, retry_fields };

static const struct jfield cache_fields[] = {
	WORD("mode", struct ir_cache, mode, words_cache), ROW("given", JF_BOOL, 0, struct ir_cache, given), NUMBER("ttl", JF_DOUBLE, struct ir_cache, ttl, -1),
	COUNTED("key", JF_EXPRS, struct ir_cache, key, nkey, NULL), STR("version", struct ir_cache, version), END
};
static const struct jdesc desc_cache = { "a cache", sizeof(struct ir_cache), false, cache_fields };

static const struct jfield attrs_fields[] = {
	EXPR("image", struct attrs, image), VECTOR("env", struct attrs, env, &desc_env), VECTOR("env_from", struct attrs, env_from, &desc_env),
	EXPR("cpu", struct attrs, cpu), EXPR("memory", struct attrs, memory), EXPR("gpu", struct attrs, gpu), EXPR("gpu_type", struct attrs, gpu_type),
	EXPR("disk", struct attrs, disk), EXPR("limit_cpu", struct attrs, limit_cpu), EXPR("limit_memory", struct attrs, limit_memory),
	NESTED("retry", JF_SUB, struct attrs, retry, &desc_retry), EXPR("timeout", struct attrs, timeout), NESTED("cache", JF_SUB, struct attrs, cache, &desc_cache),
	VECTOR("locks", struct attrs, locks, &desc_lock), VECTOR("labels", struct attrs, labels, &desc_pair),
	VECTOR("annotations", struct attrs, annotations, &desc_pair), VECTOR("selector", struct attrs, selector, &desc_pair),
	VECTOR("tolerate", struct attrs, tolerate, &desc_toleration), EXPR("service_account", struct attrs, service_account),
	EXPR("priority", struct attrs, priority), VECTOR("mounts", struct attrs, mounts, &desc_mount), STR("argo", struct attrs, argo),
	STR("airflow", struct attrs, airflow), ROW("argo_span", JF_SPAN, 0, struct attrs, argo_span),
	ROW("airflow_span", JF_SPAN, 0, struct attrs, airflow_span), END
};
const struct jdesc desc_attrs = { "attributes", sizeof(struct attrs), true, attrs_fields };

/* ---- nodes ---- */

static const struct jfield order_fields[] = {
	ROW("node", JF_NODE, JF_NEEDED, struct order, node), ROW("soft", JF_BOOL, 0, struct order, soft), END
};
static const struct jdesc desc_order = { "an order", sizeof(struct order), false, order_fields };

static const struct jfield port_fields[] = {
	NAME(struct port), ROW("type", JF_TYPE, JF_NEEDED, struct port, type), ROW("value", JF_PORT_VALUES, 0, struct port, value), SPAN(struct port), END
};
static const struct jdesc desc_port = { "a port", sizeof(struct port), false, port_fields };

static const struct jfield node_fields[] = {
	{ "id", JF_UINT32, JF_NEEDED, AT(struct node, id), 0, { .words = NULL }, 0 },
	{ "kind", JF_WORD8, JF_NEEDED, AT(struct node, kind), 0, { .words = words_node_kind }, 0 },
	NAME(struct node), STR("doc", struct node, doc), SPAN(struct node), ROW("allow_failure", JF_BOOL, 0, struct node, allow_failure),
	ROW("hidden", JF_BOOL, 0, struct node, hidden), ROW("attrs", JF_ATTRS, 0, struct node, attrs), COUNTED("after", JF_LIST, struct node, after, nafter, &desc_order),
	COUNTED("ins", JF_EXPRS, struct node, ins, nins, NULL), COUNTED("ports", JF_LIST, struct node, ports, nports, &desc_port),
	COUNTED("to", JF_EXPRS_OF, struct node, to, nports, NULL), END
};
const struct jdesc desc_node = { "a node", sizeof(struct node), true, node_fields };

static const struct jfield branch_fields[] = {
	EXPR("cond", struct branch, cond), ROW("body", JF_GRAPH, JF_NEEDED, struct branch, body), END
};
static const struct jdesc desc_branch = { "a branch", sizeof(struct branch), true, branch_fields };

static const struct jfield state_fields[] = {
	NAME(struct state), ROW("type", JF_TYPE, JF_NEEDED, struct state, type), EXPR("init", struct state, init), EXPR("next", struct state, next),
	SPAN(struct state), END
};
static const struct jdesc desc_state = { "a state", sizeof(struct state), false, state_fields };

static const struct jfield dist_fields[] = {
	NAME(struct dist), { "kind", JF_WORD, JF_NEEDED, AT(struct dist, kind), 0, { .words = words_dist }, 0 },
	ROW("type", JF_TYPE, JF_NEEDED, struct dist, type), COUNTED("choice", JF_VALUES, struct dist, choice, nchoice, NULL),
	NUMBER("lo", JF_DOUBLE, struct dist, lo, 0), NUMBER("hi", JF_DOUBLE, struct dist, hi, 0), NUMBER("by", JF_DOUBLE, struct dist, by, 0),
	SPAN(struct dist), END
};
static const struct jdesc desc_dist = { "a distribution", sizeof(struct dist), false, dist_fields };

struct rung { uint32_t n; double budget; };                             /* as in struct sweep */
static const struct jfield rung_fields[] = { NUMBER("n", JF_UINT32, struct rung, n, 0), NUMBER("budget", JF_DOUBLE, struct rung, budget, 0), END };
static const struct jdesc desc_rung = { "a rung", sizeof(struct rung), false, rung_fields };

static const struct jfield sweep_fields[] = {
	ROW("body", JF_GRAPH, JF_NEEDED, struct sweep, body), COUNTED("space", JF_LIST, struct sweep, space, nspace, &desc_dist),
	{ "search", JF_WORD, JF_NEEDED, AT(struct sweep, search), 0, { .words = words_search }, 0 }, ROW("minimize", JF_BOOL, 0, struct sweep, minimize),
	NUMBER("objective", JF_UINT32, struct sweep, objective, 0), NUMBER("trials", JF_INT64, struct sweep, trials, 0),
	NUMBER("batch", JF_INT64, struct sweep, batch, 0), NUMBER("factor", JF_INT64, struct sweep, factor, 0), NUMBER("seed", JF_UINT64, struct sweep, seed, 0),
	STR("budget", struct sweep, budget), ROW("budget_type", JF_TYPE, 0, struct sweep, budget_type), NUMBER("min", JF_DOUBLE, struct sweep, min, 0),
	NUMBER("max", JF_DOUBLE, struct sweep, max, 0), NUMBER("max_failed", JF_INT64, struct sweep, max_failed, -1),
	EXPR("max_parallel", struct sweep, max_parallel), ROW("has_goal", JF_BOOL, 0, struct sweep, has_goal), NUMBER("goal", JF_DOUBLE, struct sweep, goal, 0),
	STR("data_card", struct sweep, data_card), STR("model_card", struct sweep, model_card), ROW("table", JF_TABLE, 0, struct sweep, table),
	COUNTED("rungs", JF_LIST, struct sweep, rungs, nrungs, &desc_rung), END
};
static const struct jdesc desc_sweep = { "a sweep", sizeof(struct sweep), true, sweep_fields };

static const struct jfield ask_fields[] = {
	NAME(struct approve_ask), ROW("type", JF_TYPE, JF_NEEDED, struct approve_ask, type), EXPR("default", struct approve_ask, dflt),
	EXPR("in", struct approve_ask, in), END
};
static const struct jdesc desc_ask = { "a question", sizeof(struct approve_ask), false, ask_fields };

#define NODE(key, kind, flags, member) ROW(key, kind, flags, struct node, member)
static const struct jfield step_fields[] = { NODE("task", JF_TASK, JF_NEEDED, u.task), END };
static const struct jfield call_fields[] = { NODE("callee", JF_CALLEE, JF_NEEDED, u.callee), END };
static const struct jfield if_fields[] = { COUNTED("branches", JF_LIST, struct node, u.if_.v, u.if_.n, &desc_branch), END };
static const struct jfield for_fields[] = {
	NODE("list", JF_EXPR, JF_NEEDED, u.for_.list), NODE("item", JF_STR, JF_NEEDED, u.for_.item), NODE("index", JF_STR, 0, u.for_.index),
	NODE("item_type", JF_TYPE, JF_NEEDED, u.for_.item_type), NODE("max_parallel", JF_EXPR, 0, u.for_.max_parallel),
	NODE("body", JF_GRAPH, JF_NEEDED, u.for_.body), END
};
static const struct jfield loop_fields[] = {
	{ "max", JF_INT64, JF_NEEDED, AT(struct node, u.loop.max), 0, { .words = NULL }, 0 },
	COUNTED("states", JF_LIST, struct node, u.loop.v, u.loop.n, &desc_state), NODE("while", JF_EXPR, 0, u.loop.cond),
	NODE("body", JF_GRAPH, JF_NEEDED, u.loop.body), END
};
static const struct jfield sweep_node_fields[] = { { "sweep", JF_PTR, JF_NEEDED, AT(struct node, u.sweep), 0, { .desc = &desc_sweep }, 0 }, END };
static const struct jfield group_fields[] = { NODE("body", JF_GRAPH, JF_NEEDED, u.group), END };
static const struct jfield wait_fields[] = {
	NUMBER("seconds", JF_DOUBLE, struct node, u.wait.seconds, 0), NODE("poll", JF_TASK, 0, u.wait.poll),
	NUMBER("every", JF_DOUBLE, struct node, u.wait.every, 0), END
};
static const struct jfield approve_fields[] = {
	NODE("message", JF_EXPR, 0, u.approve.message), COUNTED("asks", JF_LIST, struct node, u.approve.v, u.approve.n, &desc_ask), END
};
static const struct jfield service_fields[] = {
	NODE("task", JF_TASK, 0, u.service.task), NUMBER("port", JF_INT64, struct node, u.service.port, 0), NODE("ready", JF_STR, 0, u.service.ready), END
};
static const struct jfield fail_fields[] = { NODE("message", JF_EXPR, JF_NEEDED, u.fail.message), END };

#define KIND(name, words) static const struct jdesc desc_##name = { words, 0, true, name##_fields }
KIND(step, "a step");
KIND(call, "a call");
KIND(if, "an if");
KIND(for, "a for");
KIND(loop, "a loop");
KIND(sweep_node, "a sweep");
KIND(group, "a group");
KIND(wait, "a wait");
KIND(approve, "an approve");
KIND(service, "a service");
KIND(fail, "a fail");

const struct jdesc *const desc_node_kinds[N_COUNT] = {
	[N_STEP] = &desc_step, [N_CALL] = &desc_call, [N_IF] = &desc_if, [N_FOR] = &desc_for, [N_LOOP] = &desc_loop, [N_SWEEP] = &desc_sweep_node,
	[N_GROUP] = &desc_group, [N_WAIT] = &desc_wait, [N_APPROVE] = &desc_approve, [N_SERVICE] = &desc_service, [N_FAIL] = &desc_fail,
};

/* ---- workflows and stores ---- */

static const struct jfield param_fields[] = {
	NAME(struct ir_param), ROW("type", JF_TYPE, JF_NEEDED, struct ir_param, type), EXPR("default", struct ir_param, dflt), EXPR("in", struct ir_param, in),
	STR("named", struct ir_param, named), STR("doc", struct ir_param, doc), SPAN(struct ir_param), END
};
static const struct jdesc desc_param = { "a param", sizeof(struct ir_param), false, param_fields };

static const struct jfield out_fields[] = {
	NAME(struct ir_out), ROW("type", JF_TYPE, JF_NEEDED, struct ir_out, type), ROW("value", JF_EXPR, JF_NEEDED, struct ir_out, value),
	EXPR("to", struct ir_out, to), SPAN(struct ir_out), END
};
static const struct jdesc desc_out = { "an output of a workflow", sizeof(struct ir_out), false, out_fields };

static const struct jfield volume_fields[] = {
	NAME(struct ir_volume), STR("claim", struct ir_volume, claim), STR("class", struct ir_volume, class_), STR("mode", struct ir_volume, mode),
	NUMBER("size", JF_DOUBLE, struct ir_volume, size, -1), SPAN(struct ir_volume), END
};
static const struct jdesc desc_volume = { "a volume", sizeof(struct ir_volume), false, volume_fields };

static const struct jfield schedule_fields[] = {
	COUNTED("cron", JF_STRS, struct ir_schedule, cron, ncron, NULL), STR("timezone", struct ir_schedule, timezone),
	WORD("overlap", struct ir_schedule, overlap, words_overlap), ROW("catchup", JF_BOOL, 0, struct ir_schedule, catchup),
	EXPR("only_if", struct ir_schedule, only_if), NUMBER("deadline", JF_DOUBLE, struct ir_schedule, deadline, -1),
	NUMBER("keep_runs", JF_INT64, struct ir_schedule, keep_runs, -1), SPAN(struct ir_schedule), END
};
static const struct jdesc desc_schedule = { "a schedule", sizeof(struct ir_schedule), false, schedule_fields };

#define WORKFLOW struct ir_workflow
static const struct jfield workflow_fields_[] = {
	NAME(WORKFLOW), STR("doc", WORKFLOW, doc), SPAN(WORKFLOW), COUNTED("params", JF_LIST, WORKFLOW, params, nparams, &desc_param),
	NESTED("schedule", JF_PTR, WORKFLOW, schedule, &desc_schedule), COUNTED("volumes", JF_LIST, WORKFLOW, volumes, nvolumes, &desc_volume),
	STR("artifacts", WORKFLOW, artifacts), EXPR("max_parallel", WORKFLOW, max_parallel), EXPR("timeout", WORKFLOW, timeout),
	ROW("fail_fast", JF_BOOL, 0, WORKFLOW, fail_fast), NUMBER("keep", JF_DOUBLE, WORKFLOW, keep, -1), VECTOR("locks", WORKFLOW, locks, &desc_lock),
	VECTOR("labels", WORKFLOW, labels, &desc_pair), VECTOR("annotations", WORKFLOW, annotations, &desc_pair), STR("argo", WORKFLOW, argo), WORD("link", WORKFLOW, link, words_link),
	STR("airflow", WORKFLOW, airflow), ROW("argo_span", JF_SPAN, 0, WORKFLOW, argo_span), ROW("airflow_span", JF_SPAN, 0, WORKFLOW, airflow_span),
	{ "nnodes", JF_UINT32, JF_NEEDED, AT(WORKFLOW, nnodes), 0, { .words = NULL }, 0 },
	{ "attrs", JF_ATTRS_LIST, 0, 0, 0, { .desc = &desc_attrs }, 0 }, ROW("body", JF_GRAPH, JF_NEEDED, WORKFLOW, body),
	ROW("on_success", JF_GRAPH, 0, WORKFLOW, on[ON_SUCCESS]), ROW("on_failure", JF_GRAPH, 0, WORKFLOW, on[ON_FAILURE]),
	ROW("on_exit", JF_GRAPH, 0, WORKFLOW, on[ON_EXIT]), COUNTED("outs", JF_LIST, WORKFLOW, outs, nouts, &desc_out), END
};
const struct jdesc desc_workflow = { "a workflow", sizeof(WORKFLOW), true, workflow_fields_ };

static const struct jfield store_fields[] = {
	NAME(struct ir_store), STR("uri", struct ir_store, uri), STR("endpoint", struct ir_store, endpoint), STR("region", struct ir_store, region),
	STR("secret", struct ir_store, secret), SPAN(struct ir_store), END
};
const struct jdesc desc_store = { "a store", sizeof(struct ir_store), false, store_fields };
