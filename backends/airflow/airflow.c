/* Airflow: a document from which couler_airflow.py builds the DAG (README.md, couler-airflow.schema.json). */
#include "airflow.h"

#include <math.h>
#include <string.h>

const struct optdesc airflow_opts[] = {
	{ "runtime", OPT_ENUM, "local", "local|kubernetes|docker", "where steps run: as processes of the worker, or in their images" },
	{ "claim", OPT_STRING, NULL, NULL, "persistent volume claim that workers and pods share, mounted at [couler] root in both" },
	{ "namespace", OPT_STRING, NULL, NULL, "Kubernetes namespace of the pods" },
	{ "owner", OPT_STRING, "couler", NULL, "owner of the tasks" },
	{ "tags", OPT_STRING, NULL, NULL, "tags of the DAG besides its labels, with commas between" },
	{ "start_date", OPT_STRING, NULL, NULL, "first day of the schedule, such as 2026-01-01" },
	{ "dag_id", OPT_STRING, NULL, NULL, "id of the DAG; default: the workflow's name" },
	{ "reuse", OPT_BOOL, "off", NULL, "take results of earlier runs of the same step, kept below [couler] root, as its cache says" },
	{ "pools", OPT_BOOL, "off", NULL, "a step's lock is an Airflow pool of that name, which must exist, instead of a file lock" },
	{ NULL, OPT_BOOL, NULL, NULL, NULL }
};

static const char *option(const struct af *af, const char *name)
{
	return opt_string(af->o, "airflow", airflow_opts, name);
}

static void key(struct strbuf *b, const char *name)
{
	sb_f(b, ",\n  \"%s\": ", name);
}

static void text(struct strbuf *b, const char *name, const char *s, size_t n)
{
	key(b, name);
	sb_json(b, s, n);
}

/* ---- parameters ---- */

/* A value as Airflow's form shows it: numbers as numbers, units as people write them. */
static void form_value(struct strbuf *b, const struct value *v)
{
	struct strbuf t = { 0 };

	if (v->type.list || type_is(v->type, T_JSON) || type_is(v->type, T_BOOL) || type_is(v->type, T_INT) ||
	    (type_is(v->type, T_FLOAT) && isfinite(v->u.d))) {
		value_json(b, v);
		return;
	}
	if (type_is(v->type, T_DURATION))
		duration_write(&t, v->u.d);
	else if (type_is(v->type, T_SIZE))
		size_write(&t, v->u.i);
	else
		value_text(&t, v);
	sb_json(b, t.s ? t.s : "", t.n);
	sb_free(&t);
}

static void allowed(struct af *af, struct strbuf *b, const struct ir_param *p, bool fixed)
{
	struct value in;

	sb_z(b, ", \"in\": ");
	af_root(af, b, af->top->body, p->in);
	if (!fixed || !af_const(af, p->in, &in) || !in.type.list)
		return;
	for (uint32_t i = 0; i < in.n; i++) {
		sb_z(b, i ? ", " : ", \"enum\": [");
		form_value(b, &in.u.list[i]);
	}
	if (in.n)
		sb_ch(b, ']');
}

static void param(struct af *af, struct strbuf *b, const struct ir_param *p)
{
	struct value v;
	bool fixed = !p->dflt || af_const(af, p->dflt, &v);

	af_str(b, p->name);
	sb_z(b, ": {\"type\": ");
	af_type(b, p->type);
	if (p->doc) {
		sb_z(b, ", \"doc\": ");
		af_str(b, p->doc);
	}
	if (p->dflt && fixed) {
		sb_z(b, ", \"default\": ");
		form_value(b, &v);
	}
	if (p->dflt) {
		sb_z(b, ", \"value\": ");
		af_root(af, b, af->top->body, p->dflt);
	}
	if (p->in)
		allowed(af, b, p, fixed);
	sb_ch(b, '}');
}

static void params(struct af *af, struct strbuf *b)
{
	const struct ir_workflow *w = af->m->entry;

	for (uint32_t i = 0; i < w->nparams; i++) {
		if (!i)
			key(b, "params");
		sb_z(b, i ? ",\n    " : "{\n    ");
		param(af, b, &w->params[i]);
	}
	if (w->nparams)
		sb_z(b, "\n  }");
}

/* ---- the DAG's own fields ---- */

static void docs(struct strbuf *b, const struct str *doc)
{
	const char *nl;

	if (!doc)
		return;
	nl = memchr(doc->s, '\n', doc->len);
	text(b, "description", doc->s, nl ? (size_t)(nl - doc->s) : doc->len);
	if (nl)
		text(b, "doc_md", doc->s, doc->len);
}

static void schedule(struct af *af, struct strbuf *b, const struct ir_schedule *s)
{
	if (!s)
		return;
	key(b, "schedule");
	for (uint32_t i = 0; i < s->ncron; i++) {
		sb_z(b, i ? ", " : "{\"cron\": [");
		af_str(b, s->cron[i]);
	}
	sb_z(b, "], \"timezone\": ");
	sb_json(b, s->timezone ? s->timezone->s : "UTC", s->timezone ? s->timezone->len : 3);
	sb_ch(b, '}');
	key(b, "catchup");
	sb_z(b, s->catchup ? "true" : "false");
	if (option(af, "start_date"))
		text(b, "start_date", option(af, "start_date"), strlen(option(af, "start_date")));
	if (s->overlap == OVERLAP_FORBID) {
		key(b, "max_active_runs");
		sb_ch(b, '1');
	}
	if (s->only_if) {
		key(b, "only_if");
		af_root(af, b, af->top->body, s->only_if);
	}
	if (s->deadline >= 0) {
		key(b, "deadline");
		sb_double(b, s->deadline);
	}
	if (s->keep_runs >= 0) {
		key(b, "keep_runs");
		sb_f(b, "%lld", (long long)s->keep_runs);
	}
}

static void tags(struct af *af, struct strbuf *b, const struct ir_workflow *w)
{
	const char *more = option(af, "tags");

	key(b, "tags");
	sb_z(b, "[\"couler\"");
	for (uint32_t i = 0; i < w->labels.n; i++) {
		struct strbuf t = { 0 };
		struct value v;

		if (!af_const(af, w->labels.v[i].value, &v))
			continue;
		sb_str(&t, w->labels.v[i].key);
		sb_ch(&t, ':');
		value_text(&t, &v);
		sb_z(b, ", ");
		sb_json(b, t.s, t.n > 100 ? utf8_valid(t.s, 100) : t.n);      /* Airflow's limit */
		sb_free(&t);
	}
	for (const char *p = more; p && *p; p += strcspn(p, ","), p += *p == ',') {
		if (*p == ',')
			continue;
		sb_z(b, ", ");
		sb_json(b, p, strcspn(p, ","));
	}
	sb_ch(b, ']');
}

bool af_is_dag(const struct ir *m, const struct ir_workflow *w)
{
	return w == m->entry || w->link != LINK_INLINE;
}

static bool is_part(const struct ir *m, const struct ir_workflow *w)
{
	return w != m->entry && af_is_dag(m, w);
}

static bool has_parts(const struct ir *m)
{
	for (uint32_t i = 0; i < m->workflows.n; i++)
		if (is_part(m, m->workflows.v[i]))
			return true;
	return false;
}

static void limits(struct af *af, struct strbuf *b, const struct ir_workflow *w)
{
	double d;

	if (w->max_parallel && af_number(af, w->max_parallel, &d)) {
		key(b, "max_active_tasks");
		sb_double(b, d);
		if (has_parts(af->m)) {                                      /* of all its runs together */
			key(b, "max_parallel");
			sb_double(b, d);
		}
	}
	if (w->timeout) {
		key(b, "timeout");
		af_root(af, b, af->top->body, w->timeout);
	}
	if (w->keep >= 0) {
		key(b, "keep");
		sb_double(b, w->keep);
	}
	for (uint32_t i = 0; i < w->locks.n; i++) {
		if (!i)
			key(b, "locks");
		sb_z(b, i ? ", [" : "[[");
		af_root(af, b, af->top->body, w->locks.v[i].name);
		sb_f(b, ", %lld]", (long long)(w->locks.v[i].pool ? w->locks.v[i].size : 1));
	}
	if (w->locks.n)
		sb_ch(b, ']');
}

static void runtime(struct af *af, struct strbuf *b)
{
	static const char *const more[] = { "claim", "namespace" };

	if (!af_containers(af))
		return;
	key(b, "runtime");
	sb_f(b, "{\"kind\": \"%s\"", option(af, "runtime"));
	for (size_t i = 0; i < sizeof more / sizeof *more; i++) {
		const char *s = option(af, more[i]);

		if (!s)
			continue;
		sb_f(b, ", \"%s\": ", more[i]);
		sb_json(b, s, strlen(s));
	}
	sb_ch(b, '}');
}

static void stores(struct af *af, struct strbuf *b)
{
	for (uint32_t i = 0; i < af->m->stores.n; i++) {
		const struct ir_store *s = &af->m->stores.v[i];

		if (!i)
			key(b, "stores");
		sb_z(b, i ? ", {\"uri\": " : "[{\"uri\": ");
		af_str(b, s->uri);
		if (s->secret) {
			sb_z(b, ", \"secret\": ");
			af_str(b, s->secret);
		}
		sb_ch(b, '}');
	}
	if (af->m->stores.n)
		sb_ch(b, ']');
}

static void outputs(struct af *af, struct strbuf *b)
{
	const struct ir_workflow *w = af->w;

	af->at = af->result;
	for (uint32_t i = 0; i < w->nouts; i++) {
		if (!i)
			key(b, "outputs");
		sb_z(b, i ? ",\n    " : "{\n    ");
		af_str(b, w->outs[i].name);
		sb_z(b, ": {\"value\": ");
		af_root(af, b, af->top->body, w->outs[i].value);
		if (w->outs[i].to && w == af->m->entry) {
			sb_z(b, ", \"to\": ");
			af_root(af, b, af->top->body, w->outs[i].to);
		}
		sb_ch(b, '}');
	}
	if (w->nouts)
		sb_z(b, "\n  }");
}

static void groups(struct af *af, struct strbuf *b)
{
	for (uint32_t i = 0; i < af->groups.n; i++) {
		const struct group *g = af->groups.v[i];

		if (!i)
			key(b, "groups");
		sb_z(b, i ? ",\n    " : "{\n    ");
		af_str(b, g->id);
		sb_z(b, ": {");
		if (g->in) {
			sb_z(b, "\"in\": ");
			af_str(b, g->in->id);
		}
		if (g->doc) {
			sb_z(b, g->in ? ", \"doc\": " : "\"doc\": ");
			af_str(b, g->doc);
		}
		sb_ch(b, '}');
	}
	if (af->groups.n)
		sb_z(b, "\n  }");
}

/* ---- tables of sweeps ---- */

static void rows(struct strbuf *b, const struct sweep *s)
{
	for (uint32_t r = 0; r < s->ntable; r++) {
		sb_z(b, r ? ",\n        [" : "\n        [");
		for (uint32_t i = 0; i < s->nspace; i++) {
			struct strbuf t = { 0 };

			value_text(&t, &s->table[(size_t)r * s->nspace + i]);
			sb_z(b, i ? ", " : "");
			sb_json(b, t.s ? t.s : "", t.n);
			sb_free(&t);
		}
		sb_ch(b, ']');
	}
}

static void table(struct strbuf *b, const struct sweep *s)
{
	const struct node *body = s->body->nodes.v[0];

	sb_z(b, "{\"args\": [");
	for (uint32_t i = 0; i < s->nspace; i++) {
		sb_z(b, i ? ", " : "");
		af_str(b, s->space[i].name);
	}
	sb_z(b, "], \"types\": [");
	for (uint32_t i = 0; i < s->nspace; i++) {
		sb_z(b, i ? ", " : "");
		af_type(b, s->space[i].type);
	}
	sb_z(b, "],\n      \"objective\": ");
	af_str(b, body->ports[s->objective].name);
	sb_z(b, s->minimize ? ", \"minimize\": true" : "");
	if (s->has_goal) {
		sb_z(b, ", \"goal\": ");
		sb_double(b, s->goal);
	}
	if (s->max_failed >= 0)
		sb_f(b, ", \"max_failed\": %lld", (long long)s->max_failed);
	if (s->nrungs && s->budget) {
		sb_z(b, ", \"budget\": ");
		af_str(b, s->budget);
		sb_z(b, ", \"budget_type\": ");
		af_type(b, s->budget_type);
	}
	sb_z(b, ",\n      \"rows\": [");
	rows(b, s);
	sb_z(b, "]}");
}

static void tables(struct af *af, struct strbuf *b)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < af->tasks.n; i++) {
		const struct task *t = af->tasks.v[i];

		if (t->kind != TK_BEST || t->rung + 1 != t->nrungs)
			continue;
		if (!n++)
			key(b, "tables");
		sb_z(b, n > 1 ? ",\n    " : "{\n    ");
		af_str(b, t->id);
		sb_z(b, ": ");
		table(b, t->node->u.sweep);
	}
	if (n)
		sb_z(b, "\n  }");
}

/* ---- the document ---- */

static void part(struct strbuf *b, const char *name, const struct strbuf *s)
{
	if (!s->n)
		return;
	key(b, name);
	sb_ch(b, '{');
	sb_add(b, s->s, s->n);
	sb_z(b, "\n  }");
}

const struct str *af_dag_id(struct af *af, const struct ir_workflow *w)
{
	const char *id = option(af, "dag_id");

	if (!id)
		id = af->m->entry->name->s;
	return w == af->m->entry ? str_internz(af->strs, id) : str_internf(af->strs, "%s.%s", id, w->name->s);
}

/* What holds for the run as a whole; its parts have it from there. */
static void of_the_run(struct af *af, struct strbuf *b)
{
	const struct ir_workflow *w = af->m->entry;

	schedule(af, b, w->schedule);
	tags(af, b, w);
	text(b, "owner", option(af, "owner"), strlen(option(af, "owner")));
	limits(af, b, w);
	runtime(af, b);
	params(af, b);
	stores(af, b);
	if (w->airflow) {
		key(b, "airflow");
		af_raw(af, b, w->airflow);
	}
}

static void of_a_part(struct af *af, struct strbuf *b)
{
	double d;

	if (!af->w->max_parallel || !af_number(af, af->w->max_parallel, &d))
		return;
	key(b, "max_parallel");
	sb_double(b, d);
}

static void document(struct af *af, struct strbuf *b, const struct strbuf *tasks)
{
	bool whole = af->w == af->m->entry;
	struct strbuf s = { 0 };

	sb_z(b, "{\n  \"couler\": 1,\n  \"dag_id\": ");
	af_str(b, af_dag_id(af, af->w));
	if (whole && af->m->file)
		text(b, "source", af->m->file->s, af->m->file->len);
	docs(b, af->w->doc);
	(whole ? of_the_run : of_a_part)(af, b);
	af_scopes(af, &s);
	part(b, "scopes", &s);
	s.n = 0;
	af_loops(af, &s);
	part(b, "loops", &s);
	tables(af, b);
	part(b, "code", &af->code);
	part(b, "steps", &af->steps);
	groups(af, b);
	key(b, "tasks");
	sb_ch(b, '[');
	sb_add(b, tasks->s, tasks->n);
	sb_z(b, "\n  ]");
	outputs(af, b);
	sb_free(&s);
}

/* All of the document of w but its end. */
static void write(const struct ir *m, const struct ir_workflow *w, const struct optset *o, struct strbuf *out, struct diag *d)
{
	struct strbuf tasks = { 0 };
	struct af af = { .m = m, .w = w, .o = o, .d = d, .strs = m->strs };

	af.a = arena_new();
	af.step_key = arena_array(af.a, const struct str *, m->tasks.n + 1);
	af_place(&af);
	af_tasks(&af, &tasks);
	af.at = af.top->begin ? af.top->begin : af.result;
	document(&af, out, &tasks);
	sb_free(&tasks);
	sb_free(&af.steps);
	sb_free(&af.code);
	arena_free(af.a);
}

static int emit(const struct ir *m, const struct optset *o, struct strbuf *out, struct diag *d)
{
	uint32_t n = 0;

	write(m, m->entry, o, out, d);
	for (uint32_t i = 0; i < m->workflows.n; i++) {
		if (!is_part(m, m->workflows.v[i]))
			continue;
		if (!n)
			key(out, "parts");
		sb_z(out, n++ ? ",\n" : "[\n");
		write(m, m->workflows.v[i], o, out, d);
		sb_z(out, "\n}");
	}
	sb_z(out, n ? "]\n}\n" : "\n}\n");
	return 0;
}

static int measure(const struct ir *m, const struct optset *o, size_t *bytes)
{
	for (uint32_t i = 0; i < m->workflows.n; i++) {
		const struct ir_workflow *w = m->workflows.v[i];
		struct strbuf b = { 0 };

		if (!af_is_dag(m, w))
			continue;
		write(m, w, o, &b, m->diag);
		bytes[w->id] = b.n;
		sb_free(&b);
	}
	return 0;
}

/* A task takes some 400 bytes, with its inputs and what it waits for. */
static size_t size(const struct ir *m, const struct node *n, const struct optset *o)
{
	const struct ir_task *t = n->kind == N_STEP ? n->u.task : NULL;

	(void)m, (void)o;
	return 400 + 3 * (size_t)n->name->len + 100 * (size_t)n->nins + (t && t->script ? t->script->len : 0);
}

extern const struct backend backend_airflow;
const struct backend backend_airflow = {
	.name = "airflow", .help = "a document for the loader couler_airflow.py (Airflow 2.10, 2.11 and 3)", .suffix = ".couler.json",
	.enters = "Airflow takes documents from its DAGs folder: compile with -t airflow -o DAGS/NAME.couler.json, then start it with  airflow dags trigger NAME --conf JSON",
	.staged = true, .caps = airflow_caps, .opts = airflow_opts, .validate = airflow_validate, .emit = emit, .measure = measure, .size = size,
};
