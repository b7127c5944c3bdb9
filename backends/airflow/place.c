/* The workflow flattened into tasks: calls inlined, loops unrolled, for and sweep as dimensions of mapped tasks. */
#include "airflow.h"

#include <string.h>

static void place_graph(struct af *af, struct frame *f);

static const struct str *unique_in(struct af *af, struct strmap *used, const char *fmt, va_list ap)
{
	struct strbuf b = { 0 };
	const struct str *s;
	size_t n;

	sb_vf(&b, fmt, ap);
	n = b.n;
	s = str_intern(af->strs, b.s, b.n);
	for (uint32_t i = 2; strmap_get(used, s); i++) {
		b.n = n;
		sb_f(&b, "-%u", i);
		s = str_intern(af->strs, b.s, b.n);
	}
	strmap_put(af->a, used, s, af);
	sb_free(&b);
	return s;
}

const struct str *af_unique(struct af *af, const char *fmt, ...)
{
	const struct str *s;
	va_list ap;

	va_start(ap, fmt);
	s = unique_in(af, &af->used, fmt, ap);
	va_end(ap);
	return s;
}

const struct str *af_unique_in(struct af *af, struct strmap *used, const char *fmt, ...)
{
	const struct str *s;
	va_list ap;

	va_start(ap, fmt);
	s = unique_in(af, used, fmt, ap);
	va_end(ap);
	return s;
}

/* "for@12" as a part of an id */
static const char *safe(struct af *af, const struct str *s)
{
	char *z = arena_dup(af->a, s->s, s->len);

	for (char *p = z; *p; p++)
		if (*p == '@' || *p == '.')
			*p = '-';
	return z;
}

static struct task *task_new(struct af *af, struct frame *f, enum task_kind kind, struct node *n, const struct str *id)
{
	struct task *t = arena_new_of(af->a, struct task);

	t->id = id;
	t->name = n ? n->name : id;
	t->node = n;
	t->frame = f;
	t->kind = (uint8_t)kind;
	t->act = f->act;
	t->loop = f->loop;
	t->group = f->group;
	t->in = f->in;
	t->handler = f->handler;
	t->allow_failure = n && n->allow_failure;
	t->trial = f->trial;
	t->leaf = true;
	t->index = af->tasks.n;
	vec_push(af->a, &af->tasks, t);
	return t;
}

static struct task *own_task(struct af *af, struct frame *f, enum task_kind kind, struct node *n, const char *suffix)
{
	return task_new(af, f, kind, n, af_unique(af, "%s%s%s", f->prefix->s, f->trial ? "trial" : safe(af, n->name), suffix));
}

static struct frame *frame_new(struct af *af, struct frame *up, struct activation *act, struct graph *g)
{
	struct frame *f = arena_new_of(af->a, struct frame);

	if (up)
		*f = *up;
	f->up = up;
	f->act = act;
	f->graph = g;
	f->own = NULL;
	f->round = NULL;
	f->trial = false;
	f->made = arena_array(af->a, struct made, g->nodes.n ? g->nodes.n : 1);
	for (uint32_t i = 0; i < g->nodes.n; i++)
		af->pos[g->workflow->id][g->nodes.v[i]->id] = i;
	return f;
}

static struct group *group_new(struct af *af, struct frame *f, const struct node *n, const char *suffix)
{
	struct group *g = arena_new_of(af->a, struct group);
	const char *z = safe(af, str_internf(af->strs, "%s%s", f->prefix->s, n->name->s));

	g->id = af_unique(af, "%s%s", z, suffix);
	g->in = f->group;
	g->doc = n->kind == N_CALL ? n->u.callee->doc : n->doc;
	vec_push(af->a, &af->groups, g);
	return g;
}

static struct loop *loop_new(struct af *af, struct frame *f, struct node *n, const char *suffix)
{
	struct loop *l = arena_new_of(af->a, struct loop);

	l->id = af_unique_in(af, &af->used_loops, "%s%s%s", f->prefix->s, safe(af, n->name), suffix);
	l->in = f->loop;
	l->depth = f->loop ? f->loop->depth + 1 : 1;
	l->node = n;
	l->frame = f;
	l->limit = f->loop ? f->loop->limit : 0;
	vec_push(af->a, &af->loops, l);
	return l;
}

static void limit_loop(struct af *af, struct loop *l, const struct expr *max_parallel)
{
	double d;

	if (max_parallel && af_number(af, max_parallel, &d) && (!l->limit || d < (double)l->limit))
		l->limit = (int64_t)d;
}

/* ---- regions ---- */

static void place_if(struct af *af, struct frame *f, struct node *n, struct made *made)
{
	made->task = own_task(af, f, TK_BRANCH, n, "-test");
	made->nchild = n->u.if_.n;
	made->child = arena_array(af->a, struct frame *, n->u.if_.n);
	for (uint32_t i = 0; i < n->u.if_.n; i++) {
		struct frame *c = frame_new(af, f, f->act, n->u.if_.v[i].body);

		c->guard = (struct guard){ made->task, GUARD_BRANCH, i };
		made->child[i] = c;
		place_graph(af, c);
	}
}

static void place_for(struct af *af, struct frame *f, struct node *n, struct made *made)
{
	struct loop *l = loop_new(af, f, n, "");
	struct value *v = arena_new_of(af->a, struct value);
	struct frame *c;

	limit_loop(af, l, n->u.for_.max_parallel);
	if ((!f->loop || !f->loop->each) && af_const(af, n->u.for_.list, v) && v->type.list) {
		l->items = v;
		l->length = v->n;
	} else {
		l->each = own_task(af, f, TK_EACH, n, "-list");
		l->each->makes = l;
		l->each->loop = NULL;                                       /* one task for all elements of the loops around */
	}
	made->loop = l;
	c = frame_new(af, f, f->act, n->u.for_.body);
	c->loop = c->own = l;
	c->group = n->u.for_.body->nodes.n > 1 ? group_new(af, f, n, "") : f->group;
	made->nchild = 1;
	made->child = arena_array(af->a, struct frame *, 1);
	made->child[0] = c;
	place_graph(af, c);
}

static void place_loop(struct af *af, struct frame *f, struct node *n, struct made *made)
{
	uint32_t max = (uint32_t)n->u.loop.max, from = 0;
	struct group *group = group_new(af, f, n, "");

	made->nchild = max;
	made->child = arena_array(af->a, struct frame *, max);
	made->rounds = arena_array(af->a, struct task *, max + 1);
	for (uint32_t r = 0; r <= max; r++) {
		struct task *t = task_new(af, f, TK_ROUND, n, af_unique(af, "%s%s-%u", f->prefix->s, n->name->s, r));
		struct frame *c;

		t->group = group;
		t->round = r;
		t->allow_failure = false;
		t->first = from;
		t->last = af->tasks.n - 1;
		from = af->tasks.n;
		made->rounds[r] = t;
		if (r == max)
			break;
		c = frame_new(af, f, f->act, n->u.loop.body);
		c->round = t;
		c->guard = (struct guard){ t, GUARD_ROUND, 0 };
		c->group = group;
		c->prefix = str_internf(af->strs, "%s.", t->id->s);
		c->in = arena_new_of(af->a, struct container);
		c->in->up = f->in;
		made->child[r] = c;
		place_graph(af, c);
	}
}

/* Trials of a rung as a dimension, its body in a frame, and the task that picks the best. */
static struct task *place_rung(struct af *af, struct frame *f, struct node *n, struct made *made, uint32_t rung, struct task *from)
{
	const struct sweep *s = n->u.sweep;
	char suffix[32];
	struct loop *l;
	struct frame *c;
	struct task *best;

	snprintf(suffix, sizeof suffix, s->nrungs > 1 ? "-rung-%u" : "-trials", rung);
	l = loop_new(af, f, n, suffix);
	l->rung = rung;
	l->from = from;
	l->length = s->nrungs ? s->rungs[rung].n : s->ntable;
	limit_loop(af, l, s->max_parallel);
	if (f->loop && f->loop->each) {
		l->each = own_task(af, f, TK_EACH, n, s->nrungs > 1 ? "-rungs" : "-list");
		l->each->makes = l;
		l->each->loop = NULL;
	}
	c = frame_new(af, f, f->act, s->body);
	c->loop = c->own = l;
	c->trial = true;
	c->prefix = str_internf(af->strs, "%s%s%s.", f->prefix->s, n->name->s, s->nrungs > 1 ? suffix : "");
	made->child[rung] = c;
	place_graph(af, c);
	best = s->nrungs < 2 || rung + 1 == s->nrungs ? own_task(af, f, TK_BEST, n, "") :
		task_new(af, f, TK_BEST, n, af_unique(af, "%s%s%s-best", f->prefix->s, n->name->s, suffix));
	best->rung = rung;
	best->nrungs = s->nrungs ? s->nrungs : 1;
	return best;
}

static void place_sweep(struct af *af, struct frame *f, struct node *n, struct made *made)
{
	uint32_t rungs = n->u.sweep->nrungs ? n->u.sweep->nrungs : 1;
	struct task *from = NULL;

	made->nchild = rungs;
	made->child = arena_array(af->a, struct frame *, rungs);
	for (uint32_t r = 0; r < rungs; r++)
		from = place_rung(af, f, n, made, r, from);
	made->task = from;
}

static void place_on(struct af *af, struct activation *act, struct frame *like)
{
	for (int e = 0; e < ON_COUNT; e++) {
		struct frame *c;

		if (!act->w->on[e])
			continue;
		c = frame_new(af, like, act, act->w->on[e]);
		c->up = act->body;
		c->guard = (struct guard){ act->end, GUARD_ON, (uint32_t)e };
		c->handler = (int8_t)e;
		act->on[e] = c;
		place_graph(af, c);
	}
}

static bool has_on(const struct ir_workflow *w)
{
	for (int e = 0; e < ON_COUNT; e++)
		if (w->on[e])
			return true;
	return false;
}

static struct activation *call_new(struct af *af, struct frame *f, struct node *n)
{
	struct activation *act = arena_new_of(af->a, struct activation);

	act->w = n->u.callee;
	act->up = f->act;
	act->caller = f;
	act->node = n;
	act->loop = f->loop;
	return act;
}

/* A call of a workflow that is a DAG of its own: the task that starts its run, and the one that waits for its end. */
static void place_trigger(struct af *af, struct frame *f, struct node *n, struct made *made)
{
	struct activation *act = call_new(af, f, n);

	act->begin = own_task(af, f, TK_TRIGGER, n, "-run");
	act->begin->call = act;
	act->body = frame_new(af, f, act, act->w->body);                     /* in which defaults of parameters are read */
	act->body->up = NULL;
	made->task = own_task(af, f, TK_TRIGGERED, n, "");
	made->task->call = act;
}

static void place_call(struct af *af, struct frame *f, struct node *n, struct made *made)
{
	struct activation *act = call_new(af, f, n);
	struct frame *body;
	double d;

	act->in_handler = f->handler >= 0;
	if (act->w->max_parallel && af_number(af, act->w->max_parallel, &d))
		act->limit = (uint32_t)d;
	vec_push(af->a, &af->acts, act);
	act->begin = own_task(af, f, TK_CALL_BEGIN, n, "-begin");
	act->begin->call = act;
	act->scope = af_unique(af, "%s%s", f->prefix->s, f->trial ? "trial" : n->name->s);
	body = frame_new(af, f, act, act->w->body);
	body->up = NULL;
	body->guard = (struct guard){ act->begin, GUARD_OK, 0 };
	body->group = group_new(af, f, n, "-steps");
	body->handler = -1;
	body->prefix = str_internf(af->strs, "%s.", act->scope->s);
	body->in = arena_new_of(af->a, struct container);
	body->in->up = f->in;
	act->begin->group = body->group;
	act->body = body;
	place_graph(af, body);
	if (has_on(act->w)) {
		act->end = task_new(af, body, TK_END, NULL, af_unique(af, "%s-over", act->scope->s));
		act->end->call = act;
		place_on(af, act, body);
	}
	made->task = task_new(af, f, TK_CALL_END, n, act->scope);
	made->task->call = act;
	made->task->group = body->group;
}

/* ---- nodes ---- */

static void place(struct af *af, struct frame *f, struct node *n, struct made *made)
{
	switch ((enum node_kind)n->kind) {
	case N_STEP: made->task = own_task(af, f, TK_RUN, n, ""); break;
	case N_WAIT: made->task = own_task(af, f, n->u.wait.poll ? TK_POLL : TK_WAIT, n, ""); break;
	case N_APPROVE: made->task = own_task(af, f, TK_APPROVE, n, ""); break;
	case N_FAIL: made->task = own_task(af, f, TK_FAIL, n, ""); break;
	case N_IF: place_if(af, f, n, made); break;
	case N_FOR: place_for(af, f, n, made); break;
	case N_LOOP: place_loop(af, f, n, made); break;
	case N_SWEEP: place_sweep(af, f, n, made); break;
	case N_CALL: (n->u.callee->link == LINK_INLINE ? place_call : place_trigger)(af, f, n, made); break;
	case N_GROUP:
		made->nchild = 1;
		made->child = arena_array(af->a, struct frame *, 1);
		made->child[0] = frame_new(af, f, f->act, n->u.group);
		place_graph(af, made->child[0]);
		break;
	case N_SERVICE: case N_COUNT: break;
	}
}

static void place_graph(struct af *af, struct frame *f)
{
	for (uint32_t i = 0; i < f->graph->nodes.n; i++)
		place(af, f, f->graph->nodes.v[i], &f->made[i]);
}

/* Whether the run needs a task before all others: parameters to check, a decision whether it takes place. */
static bool needs_begin(const struct af *af, const struct ir_workflow *w)
{
	return w != af->m->entry || w->nparams || w->locks.n || (w->schedule && (w->schedule->only_if || w->schedule->deadline >= 0));
}

void af_place(struct af *af)
{
	const struct ir_workflow *w = af->w;
	struct activation *act = arena_new_of(af->a, struct activation);
	struct frame *body;

	af->pos = arena_array(af->a, uint32_t *, af->m->workflows.n);
	for (uint32_t i = 0; i < af->m->workflows.n; i++)
		af->pos[i] = arena_array(af->a, uint32_t, af->m->workflows.v[i]->nnodes + 1);
	act->w = w;
	act->scope = str_internz(af->strs, "");
	af->top = act;
	body = frame_new(af, NULL, act, w->body);
	body->handler = -1;
	body->prefix = act->scope;
	act->body = body;
	if (needs_begin(af, w)) {
		act->begin = task_new(af, body, TK_BEGIN, NULL, af_unique(af, "couler-begin"));
		body->guard = (struct guard){ act->begin, GUARD_OK, 0 };
	}
	place_graph(af, body);
	if (has_on(w)) {
		af->end = act->end = task_new(af, body, TK_END, NULL, af_unique(af, "couler-end"));
		act->end->call = act;
		place_on(af, act, body);
	}
	af->result = task_new(af, body, TK_RESULT, NULL, af_unique(af, "couler-result"));
	af->result->call = act;
}

/* ---- looking things up ---- */

struct frame *af_frame_of(struct frame *f, const struct graph *g)
{
	while (f && f->graph != g)
		f = f->up;
	return f;
}

struct made *af_made(struct af *af, struct frame *f, const struct node *n)
{
	struct frame *at = af_frame_of(f, n->graph);

	return at ? &at->made[af->pos[n->graph->workflow->id][n->id]] : NULL;
}
