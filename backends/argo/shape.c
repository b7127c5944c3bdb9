/* Steps of one shape share a template (shape.h). */
#include "shape.h"

#include <string.h>

uint32_t hash_bytes(uint32_t h, const void *p, size_t n)
{
	const unsigned char *s = p;

	/* FNV-1a */
	while (n--)
		h = (h ^ *s++) * 16777619u;
	return h;
}

static uint32_t hash_str(uint32_t h, const struct str *s)
{
	return s ? hash_bytes(h, &s->hash, sizeof s->hash) : h * 31;
}

const struct ir_task *task_of(const struct node *n)
{
	switch ((enum node_kind)n->kind) {
	case N_STEP:
		return n->u.task;
	case N_WAIT:
		return n->u.wait.poll;
	case N_SERVICE:
		return n->u.service.task;
	default:
		return NULL;
	}
}

bool has_pod(const struct node *n)
{
	return n->kind == N_STEP || n->kind == N_SERVICE || (n->kind == N_WAIT && n->u.wait.poll);
}

bool shape_checked(const struct shape *s)
{
	const struct ir_task *t = s->task;

	if (t && t->body == BODY_ARGO)
		return true;
	if (!t || (t->body != BODY_COMMAND && t->body != BODY_ARGS && !is_object(t)))
		return false;
	for (uint32_t i = 0; i < t->nouts; i++)
		if (!type_is_path(t->outs[i].type))
			return true;
	return false;
}

/* ---- equality ---- */

bool expr_same(const struct expr *a, const struct expr *b)
{
	if (a == b)
		return true;
	if (!a || !b || a->op != b->op || a->fn != b->fn || !type_eq(a->type, b->type))
		return false;
	switch ((enum expr_op)a->op) {
	case EX_LIT:
		return type_eq(a->u.lit->type, b->u.lit->type) && a->u.lit->text == b->u.lit->text && value_eq(a->u.lit, b->u.lit) && a->u.lit->sha256 == b->u.lit->sha256;
	case EX_REF:
		return a->n == b->n && (a->fn == REF_PARAM || a->fn == REF_FIELD || a->fn == REF_INPUT || a->fn == REF_OUTPATH || a->fn == REF_ENV || a->u.node == b->u.node);
	case EX_MEMBER:
		return a->u.member.key == b->u.member.key && expr_same(a->u.member.arg, b->u.member.arg);
	default:
		if (a->n != b->n)
			return false;
		for (uint32_t i = 0; i < a->n; i++)
			if (!expr_same(a->u.args[i], b->u.args[i]))
				return false;
		return true;
	}
}

static bool envs_same(const struct ir_env *a, const struct ir_env *b, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (a[i].name != b[i].name || a[i].kind != b[i].kind || a[i].ref != b[i].ref || a[i].key != b[i].key || !expr_same(a[i].value, b[i].value))
			return false;
	return true;
}

static bool pairs_same(const struct ir_pair *a, const struct ir_pair *b, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (a[i].key != b[i].key || !expr_same(a[i].value, b[i].value))
			return false;
	return true;
}

static bool retry_same(const struct ir_retry *a, const struct ir_retry *b)
{
	return expr_same(a->limit, b->limit) && expr_same(a->backoff, b->backoff) && expr_same(a->factor, b->factor) && expr_same(a->max_backoff, b->max_backoff) &&
	       expr_same(a->within, b->within) && a->on == b->on && a->codes.n == b->codes.n && (!a->codes.n || !memcmp(a->codes.v, b->codes.v, a->codes.n * sizeof *a->codes.v));
}

static bool cache_same(const struct ir_cache *a, const struct ir_cache *b)
{
	if (a->mode != b->mode || a->given != b->given || a->ttl < b->ttl || a->ttl > b->ttl || a->nkey != b->nkey || a->version != b->version)
		return false;
	for (uint32_t i = 0; i < a->nkey; i++)
		if (!expr_same(a->key[i], b->key[i]))
			return false;
	return true;
}

static bool placement_same(const struct attrs *a, const struct attrs *b)
{
	if (a->locks.n != b->locks.n || a->tolerate.n != b->tolerate.n || a->mounts.n != b->mounts.n)
		return false;
	for (uint32_t i = 0; i < a->locks.n; i++)
		if (!expr_same(a->locks.v[i].name, b->locks.v[i].name) || a->locks.v[i].size != b->locks.v[i].size || a->locks.v[i].pool != b->locks.v[i].pool)
			return false;
	for (uint32_t i = 0; i < a->tolerate.n; i++)
		if (a->tolerate.v[i].key != b->tolerate.v[i].key || a->tolerate.v[i].value != b->tolerate.v[i].value || a->tolerate.v[i].effect != b->tolerate.v[i].effect)
			return false;
	for (uint32_t i = 0; i < a->mounts.n; i++)
		if (a->mounts.v[i].path != b->mounts.v[i].path || a->mounts.v[i].name != b->mounts.v[i].name || a->mounts.v[i].kind != b->mounts.v[i].kind || a->mounts.v[i].volume != b->mounts.v[i].volume)
			return false;
	return true;
}

bool attrs_same(const struct attrs *a, const struct attrs *b)
{
	if (a == b)
		return true;
	if (!a || !b)
		return false;
	if (a->env.n != b->env.n || a->env_from.n != b->env_from.n || a->labels.n != b->labels.n || a->annotations.n != b->annotations.n || a->selector.n != b->selector.n)
		return false;
	return expr_same(a->image, b->image) && envs_same(a->env.v, b->env.v, a->env.n) && envs_same(a->env_from.v, b->env_from.v, a->env_from.n) &&
	       expr_same(a->cpu, b->cpu) && expr_same(a->memory, b->memory) && expr_same(a->gpu, b->gpu) && expr_same(a->gpu_type, b->gpu_type) &&
	       expr_same(a->disk, b->disk) && expr_same(a->limit_cpu, b->limit_cpu) && expr_same(a->limit_memory, b->limit_memory) &&
	       retry_same(&a->retry, &b->retry) && expr_same(a->timeout, b->timeout) && cache_same(&a->cache, &b->cache) &&
	       pairs_same(a->labels.v, b->labels.v, a->labels.n) && pairs_same(a->annotations.v, b->annotations.v, a->annotations.n) &&
	       pairs_same(a->selector.v, b->selector.v, a->selector.n) && expr_same(a->service_account, b->service_account) && expr_same(a->priority, b->priority) &&
	       placement_same(a, b) && a->argo == b->argo;
}

static bool decls_same(const struct ir_decl *a, const struct ir_decl *b, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (a[i].name != b[i].name || !type_eq(a[i].type, b[i].type) || a[i].named != b[i].named || a[i].from_stdout != b[i].from_stdout || a[i].at != b[i].at)
			return false;
	return true;
}

static bool task_same(const struct ir_task *a, const struct ir_task *b)
{
	if (a == b)
		return true;
	if (!a || !b || a->nins != b->nins || a->nouts != b->nouts || a->body != b->body || a->shell != b->shell || a->script != b->script || a->nargv != b->nargv ||
	    a->ncode != b->ncode || a->job || b->job || a->dataflow || b->dataflow)
		return false;
	for (uint32_t i = 0; i < a->nargv; i++)
		if (!expr_same(a->argv[i], b->argv[i]))
			return false;
	for (uint32_t i = 0; i < a->ncode; i++)
		if (a->code[i].path != b->code[i].path || a->code[i].sha256 != b->code[i].sha256 || a->code[i].exec != b->code[i].exec)
			return false;
	return decls_same(a->ins, b->ins, a->nins) && decls_same(a->outs, b->outs, a->nouts);
}

static uint32_t hash_task(const struct ir_task *t)
{
	uint32_t h = 2166136261u;

	if (!t)
		return h;
	h = hash_str(hash_str(h, t->script), t->shell);
	h = hash_bytes(h, &t->nins, sizeof t->nins);
	for (uint32_t i = 0; i < t->nins; i++)
		h = hash_str(h, t->ins[i].name);
	for (uint32_t i = 0; i < t->nouts; i++)
		h = hash_str(h, t->outs[i].name);
	h = hash_bytes(h, &t->nargv, sizeof t->nargv);
	return h;
}

/* A list of files that is written out, or gathered, or one folder. */
static uint32_t written_out(const struct expr *e)
{
	return e && type_is_path(e->type) && e->type.list && e->op == EX_LIST ? e->n : 0;
}

/* The digest that file(...) pins a location to; NULL. */
const struct str *pinned(const struct expr *e)
{
	while (e && e->op == EX_CONV)
		e = e->u.args[0];
	if (e && e->op == EX_LIT && type_is(e->u.lit->type, T_FILE))
		return e->u.lit->sha256;
	if (e && e->op == EX_CALL && e->fn == FN_file && e->n > 1 && e->u.args[1]->op == EX_LIT)
		return e->u.args[1]->u.lit->u.s;
	return NULL;
}

static bool same_shape(struct argo *g, const struct shape *s, const struct node *n, const struct ir_task *t)
{
	const struct node *f = s->first;
	const struct ninfo *a = info(g, f), *b = info(g, n);

	if (f->kind != n->kind || g->w[f->graph->workflow->id].doc != g->w[n->graph->workflow->id].doc || !task_same(s->task, t) || !attrs_same(s->attrs, n->attrs) || a->keyed != b->keyed || a->on_used || b->on_used)
		return false;
	if (n->kind == N_WAIT && (f->u.wait.every < n->u.wait.every || f->u.wait.every > n->u.wait.every))
		return false;
	if (n->kind == N_SERVICE && (!s->task || f->u.service.port != n->u.service.port || f->u.service.ready != n->u.service.ready))
		return false;
	for (uint32_t i = 0; i < n->nins; i++)
		if (written_out(f->ins[i]) != written_out(n->ins[i]) || pinned(f->ins[i]) != pinned(n->ins[i]))
			return false;
	for (uint32_t i = 0; i < n->nports; i++)
		if (n->to || f->to)
			if (!expr_same(f->to ? f->to[i] : NULL, n->to ? n->to[i] : NULL))
				return false;
	return true;
}

/* ---- grouping ---- */

static void grow(struct argo *g)
{
	uint32_t cap = g->shape_cap ? 2 * g->shape_cap : 256;
	struct shape **t = arena_array(g->a, struct shape *, cap);

	for (uint32_t i = 0; i < g->shapes.n; i++) {
		uint32_t k = g->shapes.v[i]->hash & (cap - 1);

		while (t[k])
			k = (k + 1) & (cap - 1);
		t[k] = g->shapes.v[i];
	}
	g->shape_table = t;
	g->shape_cap = cap;
}

static struct shape *new_shape(struct argo *g, const struct node *n, const struct ir_task *t, uint32_t h)
{
	struct shape *s = arena_new_of(g->a, struct shape);

	s->task = t;
	s->attrs = n->attrs;
	s->first = n;
	s->hash = h;
	s->keyed = info(g, n)->keyed;
	s->ins = arena_array(g->a, struct shape_in, n->nins);
	for (uint32_t i = 0; i < n->nins; i++)
		s->ins[i].name = name_param(g, &s->names, t->ins[i].name->s, t->ins[i].name->len);
	vec_push(g->a, &g->shapes, s);
	return s;
}

static struct shape *find(struct argo *g, const struct node *n)
{
	const struct ir_task *t = task_of(n);
	uint32_t h = hash_task(t), k;

	if (2 * g->shapes.n >= g->shape_cap)
		grow(g);
	for (k = h & (g->shape_cap - 1); g->shape_table[k]; k = (k + 1) & (g->shape_cap - 1))
		if (g->shape_table[k]->hash == h && same_shape(g, g->shape_table[k], n, t))
			return g->shape_table[k];
	return g->shape_table[k] = new_shape(g, n, t, h);
}

static enum form joined(enum form a, enum form b, bool list)
{
	if (a == FORM_SAFE || a == b)
		return b;
	if (b == FORM_SAFE)
		return a;
	return list ? FORM_AGG : FORM_T;
}

/* e can stand in a template: it reads nothing of the place that runs it. */
static bool is_global(struct argo *g, const struct node *n, const struct expr *e)
{
	while (e->op == EX_CONV && e->u.args[0]->type.kind != T_JSON)
		e = e->u.args[0];
	if (e->op == EX_LIT)
		return e->u.lit->type.kind != T_NULL;
	return e->op == EX_REF && e->fn == REF_PARAM && n->graph->workflow == g->m->entry && info(g, n)->ctx->kind != CTX_ON;
}

static void join_input(struct argo *g, struct shape *s, const struct node *n, uint32_t i)
{
	struct shape_in *in = &s->ins[i];
	const struct expr *e = n->ins[i];
	struct site x = { .g = g, .c = info(g, n)->ctx, .cond = info(g, n)->cond };
	struct type t = s->task->ins[i].type;
	enum form f;

	if (type_is_path(t)) {
		in->how = written_out(e) ? IN_FILES : IN_FILE;
		in->n = written_out(e);
		return;
	}
	f = xl_form(&x, e);
	/* lists of numbers travel as JSON */
	if (t.list && t.kind != T_STRING && t.kind != T_JSON)
		f = FORM_SAFE;
	if (!s->users) {
		in->how = is_global(g, n, e) ? IN_HERE : IN_PARAM;
		in->e = e;
		in->form = f;
		return;
	}
	if (in->how == IN_HERE && !expr_same(in->e, e))
		in->how = IN_PARAM;
	in->form = joined(in->form, f, t.list);
}

static void add_node(struct argo *g, const struct node *n)
{
	struct shape *s = find(g, n);

	info(g, n)->shape = s;
	if (is_job(s->task) || is_object(s->task))
		job_check(g, n);
	for (uint32_t i = 0; i < n->nins && s->task; i++)
		join_input(g, s, n, i);
	s->users++;
	s->many |= graph_repeated(n->graph) || g->w[n->graph->workflow->id].many;
}

static void group_node(struct node *n, void *data)
{
	if (has_pod(n))
		add_node(data, n);
}

static void call_node(struct node *n, void *data)
{
	struct argo *g = data;
	struct winfo *wi;
	struct site x = { .g = g, .c = info(g, n)->ctx, .cond = info(g, n)->cond };

	if (n->kind != N_CALL)
		return;
	wi = &g->w[n->u.callee->id];
	wi->many |= graph_repeated(n->graph) || g->w[n->graph->workflow->id].many;
	for (uint32_t i = 0; i < n->nins; i++) {
		const struct ir_param *p = &n->u.callee->params[i];
		const struct expr *e = n->ins[i] ? n->ins[i] : p->dflt;

		if (e && !type_is_path(p->type) && (p->type.kind == T_STRING || p->type.kind == T_JSON))
			wi->param[i] = joined(wi->param[i], xl_form(&x, e), p->type.list);
	}
}

void argo_shapes(struct argo *g)
{
	/* callers first: they say in which form a called workflow gets its parameters */
	for (uint32_t i = g->m->workflows.n; i-- > 0;)
		if (g->w[g->m->workflows.v[i]->id].needed)
			workflow_nodes(g->m->workflows.v[i], call_node, g);
	for (uint32_t i = g->m->workflows.n; i-- > 0;)
		if (g->w[g->m->workflows.v[i]->id].needed)
			workflow_nodes(g->m->workflows.v[i], group_node, g);
}
