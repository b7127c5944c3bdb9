/* The one table of engines, and what all of them are asked: features of a node against an engine's capabilities. */
#include "couler/backend.h"

#include <string.h>

#define BACKENDS(X) X(airflow) X(argo) X(shell) X(ir)

#define X(name) extern const struct backend backend_##name;
BACKENDS(X)
#undef X

const struct backend *const backends[] = {
#define X(name) &backend_##name,
	BACKENDS(X)
#undef X
	NULL
};

const struct feature_info features[FEAT_COUNT] = {
#define X(f, words) { #f, words },
	FEATURES(X)
#undef X
};

const struct backend *backend_find(const char *name)
{
	for (const struct backend *const *b = backends; *b; b++)
		if (!strcmp((*b)->name, name))
			return *b;
	return NULL;
}

#define BIT(f) (UINT64_C(1) << FEAT_##f)

static uint64_t job_features(const struct ir_job *job)
{
	static const struct { const char *kind; uint64_t bit; } kinds[] = {
		{ "pytorch", BIT(JOB_PYTORCH) }, { "tensorflow", BIT(JOB_TENSORFLOW) }, { "mpi", BIT(JOB_MPI) }, { "ray", BIT(JOB_RAY) }, { "kubernetes", BIT(JOB_KUBERNETES) },
	};

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (str_eq(job->kind, kinds[i].kind))
			return kinds[i].bit;
	return 0;
}

static uint64_t task_features(const struct ir_task *t)
{
	uint64_t f = 0;
	size_t text = 0;

	switch (t->body) {
	case BODY_RUN: f = BIT(RUN); break;
	case BODY_COMMAND: f = BIT(COMMAND); break;
	case BODY_ARGS: f = BIT(ARGS); break;
	case BODY_ARGO: f = BIT(ARGO_BODY); break;
	case BODY_DATAFLOW: f = BIT(DATAFLOW); break;
	case BODY_JOB: f = job_features(t->job); break;
	}
	for (uint32_t i = 0; i < t->ncode; i++) {
		if (t->code[i].place)
			continue;
		text += t->code[i].len;
		if (!t->code[i].data || !t->code[i].text)
			f |= BIT(CODE_LARGE);
	}
	if (text > IR_CODE_INLINE)
		f |= BIT(CODE_LARGE);
	return f;
}

/* "s3://...", "git+https://...": a scheme, so not a path beside the .cw file */
static bool is_remote(const struct str *s)
{
	const char *p = memchr(s->s, ':', s->len);

	return p && (size_t)(p - s->s) + 2 < s->len && p[1] == '/' && p[2] == '/';
}

static uint64_t place_features(const struct expr *e, uint64_t remote, uint64_t local, uint64_t runtime)
{
	if (e->op == EX_LIT)
		return e->u.lit->type.kind == T_NULL ? 0 : e->u.lit->u.s && is_remote(e->u.lit->u.s) ? remote : local;
	if (e->op == EX_CONCAT && e->u.args[0]->op == EX_LIT && e->u.args[0]->type.kind == T_STRING)
		return is_remote(e->u.args[0]->u.lit->u.s) ? remote : local;
	return runtime;
}

struct scan { uint64_t f; };

/* A file or dir that is written as text: a literal of that type, or text converted to it. */
static void location_features(const struct expr *e, uint64_t *f)
{
	if (!type_is_path(e->type))
		return;
	if (e->op == EX_LIT && !e->type.list)
		*f |= place_features(e, BIT(LOCATION_REMOTE), BIT(LOCATION_LOCAL), 0);
	else if (e->op == EX_LIT && e->u.lit->n)
		*f |= is_remote(e->u.lit->u.list[0].u.s) ? BIT(LOCATION_REMOTE) : BIT(LOCATION_LOCAL);
	else if (e->op == EX_CONV)
		*f |= place_features(e->u.args[0], BIT(LOCATION_REMOTE), BIT(LOCATION_LOCAL), BIT(LOCATION_RUNTIME));
	else if (e->op == EX_CALL && e->fn == FN_file)
		*f |= place_features(e->u.args[0], BIT(LOCATION_REMOTE), BIT(LOCATION_LOCAL), BIT(LOCATION_RUNTIME));
}

static void expr_features(struct expr **slot, struct node *n, void *data)
{
	struct scan *s = data;
	struct expr *e = *slot;

	(void)n;
	if (e->op == EX_CALL && e->fn == FN_format_time && e->n > 2 && !(e->u.args[2]->op == EX_LIT && str_eq(e->u.args[2]->u.lit->u.s, "UTC")))
		s->f |= BIT(TIME_ZONE);
	location_features(e, &s->f);
	for (uint32_t i = 0, k = expr_arity(e); i < k; i++)
		expr_features(&expr_args(e)[i], n, data);
}

static uint64_t attr_features(const struct node *n)
{
	const struct attrs *a = n->attrs;
	uint64_t f = 0;

	if (!a)
		return 0;
	for (uint32_t i = 0; i < a->env.n; i++)
		f |= a->env.v[i].kind == ENV_SECRET ? BIT(SECRET) : a->env.v[i].kind == ENV_CONFIG ? BIT(CONFIG) : 0;
	for (uint32_t i = 0; i < a->env_from.n; i++)
		f |= a->env_from.v[i].kind == ENV_SECRET ? BIT(SECRET) : BIT(CONFIG);
	for (uint32_t i = 0; i < a->locks.n; i++)
		f |= a->locks.v[i].pool ? BIT(POOL) : BIT(LOCK);
	if (a->mounts.n)
		f |= BIT(MOUNTS);
	if (a->cache.mode == CACHE_ON)
		f |= BIT(CACHE_ON);
	return f;
}

static uint64_t sweep_features(const struct sweep *s)
{
	static const uint64_t bits[] = {
		[SEARCH_GRID] = BIT(SWEEP_GRID), [SEARCH_RANDOM] = BIT(SWEEP_RANDOM), [SEARCH_HALVING] = BIT(SWEEP_HALVING), [SEARCH_TPE] = BIT(SWEEP_TPE), [SEARCH_LLM] = BIT(SWEEP_LLM),
	};

	return bits[s->search];
}

static uint64_t workflow_features(const struct ir_workflow *w)
{
	const struct ir_schedule *s = w->schedule;
	uint64_t f = 0;

	if (s) {
		f |= BIT(SCHEDULE);
		f |= s->ncron > 1 ? BIT(SCHEDULE_MANY) : 0;
		f |= s->catchup ? BIT(CATCHUP) : 0;
		f |= s->overlap == OVERLAP_REPLACE ? BIT(OVERLAP_REPLACE) : 0;
		f |= s->only_if ? BIT(ONLY_IF) : 0;
	}
	for (int i = 0; i < ON_COUNT; i++)
		f |= w->on[i] ? BIT(ON) : 0;
	for (uint32_t i = 0; i < w->locks.n; i++)
		f |= w->locks.v[i].pool ? BIT(POOL) : BIT(LOCK);
	for (uint32_t i = 0; i < w->nouts; i++)
		if (w->outs[i].to)
			f |= place_features(w->outs[i].to, BIT(PUBLISH_REMOTE), BIT(PUBLISH_LOCAL), BIT(PUBLISH_LOCAL));
	for (uint32_t i = 0; i < w->nparams; i++)
		if (type_is_path(w->params[i].type) && w->params[i].dflt)
			location_features(w->params[i].dflt, &f);
	f |= w->nvolumes ? BIT(VOLUME) : 0;
	f |= w->fail_fast ? BIT(FAIL_FAST) : 0;
	f |= w->keep >= 0 ? BIT(KEEP) : 0;
	f |= w->timeout ? BIT(WORKFLOW_TIMEOUT) : 0;
	return f;
}

uint64_t node_features(const struct ir *m, const struct ir_workflow *w, const struct node *n)
{
	struct scan s = { 0 };

	if (!n)
		return workflow_features(w);
	switch ((enum node_kind)n->kind) {
	case N_STEP:
		s.f = task_features(n->u.task);
		break;
	case N_CALL:
		s.f = BIT(CALL) | (n->u.callee->link == LINK_REF ? BIT(CALL_REF) : n->u.callee->link == LINK_RUN ? BIT(CALL_RUN) : 0);
		break;
	case N_IF: s.f = BIT(IF); break;
	case N_FOR: s.f = BIT(FOR) | (n->u.for_.list->op == EX_LIT ? 0 : BIT(FOR_RUNTIME)); break;
	case N_LOOP: s.f = BIT(LOOP); break;
	case N_SWEEP: s.f = sweep_features(n->u.sweep); break;
	case N_WAIT: s.f = n->u.wait.poll ? BIT(WAIT_RUN) | task_features(n->u.wait.poll) : BIT(WAIT_FOR); break;
	case N_APPROVE: s.f = BIT(APPROVE); break;
	case N_SERVICE: s.f = BIT(SERVICE) | (n->u.service.task ? task_features(n->u.service.task) : 0); break;
	case N_FAIL: s.f = BIT(FAIL); break;
	case N_GROUP: case N_COUNT: break;
	}
	s.f |= attr_features(n);
	for (uint32_t i = 0; n->to && i < n->nports; i++)
		if (n->to[i])
			s.f |= place_features(n->to[i], BIT(PUBLISH_REMOTE), BIT(PUBLISH_LOCAL), BIT(PUBLISH_LOCAL));
	node_exprs((struct ir *)m, (struct node *)n, expr_features, &s);
	return s.f;
}

struct check {
	const struct backend *b;
	const struct ir *m;
	const struct ir_workflow *w;
	const struct optset *o;
	struct diag *d;
	int rc;
};

static void check_one(struct check *c, const struct node *n)
{
	uint64_t f = node_features(c->m, c->w, n);

	for (const struct cap *cap = c->b->caps; cap && cap->feature >= 0; cap++) {
		struct diag_item *it;

		if (!(f >> cap->feature & 1) || (cap->when && !cap->when(c->m, c->w, n, c->o)))
			continue;
		if (n)
			it = diag_at(c->d, CW0801, n->span, "%s '%s': %s cannot carry %s: %s", node_kind_name((enum node_kind)n->kind), n->name->s, c->b->name, features[cap->feature].words, cap->why);
		else
			it = diag_at(c->d, CW0801, c->w->span, "workflow '%s': %s cannot carry %s: %s", c->w->name->s, c->b->name, features[cap->feature].words, cap->why);
		diag_mend(c->d, it, "%s", cap->instead);
		c->rc = -1;
		return;
	}
}

static bool runs_in_image(const struct node *n)
{
	switch ((enum node_kind)n->kind) {
	case N_STEP: return n->u.task->body != BODY_ARGO && !(n->u.task->body == BODY_JOB && str_eq(n->u.task->job->kind, "kubernetes"));
	case N_WAIT: return n->u.wait.poll != NULL;
	case N_SERVICE: return true;
	default: return false;
	}
}

static void check_node(struct node *n, void *data)
{
	struct check *c = data;

	check_one(c, n);
	if (c->b->container && runs_in_image(n) && !(n->attrs && n->attrs->image)) {
		struct diag_item *it = diag_at(c->d, CW0801, n->span, "%s '%s' has no image, and %s runs every step in one", node_kind_name((enum node_kind)n->kind), n->name->s, c->b->name);

		diag_mend(c->d, it, "add  defaults { image = \"python:3.12-slim\" }  to the workflow, or  image = \"...\"  to the step or its task");
		c->rc = -1;
	}
}

int backend_check(const struct backend *b, const struct ir *m, const struct optset *o, struct diag *d)
{
	struct check c = { b, m, NULL, o, d, 0 };

	for (uint32_t i = 0; i < m->workflows.n; i++) {
		c.w = m->workflows.v[i];
		check_one(&c, NULL);
		workflow_nodes(m->workflows.v[i], check_node, &c);
	}
	return c.rc;
}
