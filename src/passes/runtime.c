/*
 * A dataflow with `runtime`: tf.data's service or a Ray cluster, as services of the workflow beside the step, which live as long
 * as it reads their addresses. The first one is what the training program talks to; the workers join it. What is moved and
 * where the operators run is between the program and that service, so an operator with a script has no place here.
 */
#include "passes.h"

#include <string.h>

#define WORKERS_MOST 64                   /* services of one step: each is a task of its graph */

/* port: of the first service; of a worker, 0: it has none that can be looked at. */
struct runtime {
	const char *name, *scheme, *first, *worker, *variable;              /* variable: a further name of the address; NULL */
	int64_t port, worker_port;
};

static const struct runtime runtimes[] = {
	{ "tfdata", "grpc://",
	  "exec python3 -c '\n"
	  "from tensorflow.data.experimental import service\n"
	  "service.DispatchServer(service.DispatcherConfig(port=5050)).join()\n"
	  "'\n",
	  "exec python3 -c '\n"
	  "import os, socket\n"
	  "from tensorflow.data.experimental import service\n"
	  "first = os.environ[\"service\"]\n"
	  "way = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
	  "way.connect((first.rsplit(\":\", 1)[0], 9))  # sends nothing, but tells which address of this pod leads there\n"
	  "here = way.getsockname()[0] + \":5051\"\n"
	  "service.WorkerServer(service.WorkerConfig(dispatcher_address=first, worker_address=here, port=5051)).join()\n"
	  "'\n",
	  NULL, 5050, 5051 },
	{ "ray", "ray://",
	  "exec ray start --head --port=6379 --ray-client-server-port=10001 --dashboard-host=0.0.0.0 --block\n",
	  "exec ray start --address=\"${service%:*}:6379\" --block\n",
	  "RAY_ADDRESS", 10001, 0 },
};

struct adder { struct ir *m; struct diag *d; VEC(struct node *) steps; struct ptrmap done; };

static const struct runtime *runtime_of(const struct ir_dataflow *f)
{
	for (size_t i = 0; f->runtime && i < sizeof runtimes / sizeof *runtimes; i++)
		if (str_eq(f->runtime, runtimes[i].name))
			return &runtimes[i];
	return NULL;
}

static bool scripted(const struct ir_dataflow *f)
{
	for (uint32_t i = 0; i + 1 < f->nops; i++)
		if (f->ops[i].run)
			return true;
	return false;
}

/* ---- services ---- */

static struct expr *text(struct adder *p, const char *s, struct span sp)
{
	struct value v = { .type = type_of(T_STRING), .u.s = str_internz(p->m->strs, s) };

	return expr_lit(p->m->arena, &v, sp);
}

/* Image and resources are the workers', variables that need no input and volumes the step's. */
static struct attrs *attributes(struct adder *p, const struct node *step, const struct ir_dataflow *f)
{
	struct attrs *a = arena_new_of(p->m->arena, struct attrs);
	const struct attrs *s = step->attrs;

	*a = *f->workers;
	if (!a->image)
		a->image = s->image;
	if (!a->service_account && s->service_account && s->service_account->op == EX_LIT)
		a->service_account = s->service_account;
	a->env_from = s->env_from;
	a->mounts = s->mounts;
	a->env.v = NULL;
	a->env.n = 0;
	a->env.cap = 0;
	for (uint32_t i = 0; i < s->env.n; i++)
		if (s->env.v[i].kind != ENV_EXPR || s->env.v[i].value->op == EX_LIT)
			vec_push(p->m->arena, &a->env, s->env.v[i]);
	return a;
}

/* What a service runs; workers read the address of the first one. */
static struct ir_task *task(struct adder *p, const struct node *step, const char *what, const char *script, bool reads)
{
	struct arena *a = p->m->arena;
	struct ir_task *t = arena_new_of(a, struct ir_task);
	struct strbuf b = { 0 };

	sb_f(&b, "%s_%s", step->name->s, what);
	t->name = str_intern(p->m->strs, b.s, b.n);
	sb_free(&b);
	t->span = t->body_span = step->span;
	t->inline_ = true;
	t->body = BODY_RUN;
	t->shell = str_internz(p->m->strs, "sh");
	t->script = str_internz(p->m->strs, script);
	t->nins = reads;
	t->ins = arena_array(a, struct ir_decl, 1);
	t->ins[0] = (struct ir_decl){ .name = str_internz(p->m->strs, "service"), .type = type_of(T_STRING), .span = step->span };
	t->id = p->m->tasks.n;
	vec_push(a, &p->m->tasks, t);
	return t;
}

static struct node *service(struct adder *p, struct node *step, struct attrs *attrs, const char *name, struct ir_task *t, int64_t port, struct expr *in)
{
	struct arena *a = p->m->arena;
	struct node *n = arena_new_of(a, struct node);

	n->kind = N_SERVICE;
	n->hidden = true;
	n->name = str_internz(p->m->strs, name);
	n->graph = step->graph;
	n->span = step->span;
	n->attrs = attrs;
	n->u.service.task = t;
	n->u.service.port = port;
	n->ports = arena_new_of(a, struct port);
	n->ports->name = str_internz(p->m->strs, "address");
	n->ports->type = type_of(T_STRING);
	n->ports->span = step->span;
	n->nports = 1;
	if (in) {
		n->nins = 1;
		n->ins = arena_array(a, struct expr *, 1);
		n->ins[0] = in;
	}
	return n;
}

static struct expr *address(struct adder *p, struct node *service, struct span sp)
{
	return expr_ref(p->m->arena, REF_OUTPUT, service, 0, type_of(T_STRING), sp);
}

/* ---- the step ---- */

/* Its script is the trainer's, with the addresses as further inputs; once for all steps of the task. */
static void lower_task(struct adder *p, struct ir_task *t, const struct runtime *r)
{
	const char *names[] = { "CW_SERVICE", "CW_WORKERS", r->variable };
	struct ir_decl *ins = arena_array(p->m->arena, struct ir_decl, t->nins + 3);

	for (uint32_t i = 0; i < t->nins; i++)
		ins[i] = t->ins[i];
	t->ins = ins;
	for (size_t i = 0; i < 3 && names[i]; i++)
		ins[t->nins++] = (struct ir_decl){ .name = str_internz(p->m->strs, names[i]), .type = type_of(T_STRING), .span = t->span };
	t->script = t->dataflow->ops[t->dataflow->nops - 1].run;
	t->body = BODY_RUN;
	if (!t->shell || !str_eq(t->shell, "bash"))
		t->shell = str_internz(p->m->strs, "sh");
	t->dataflow = NULL;
}

static void insert_before(struct adder *p, struct graph *g, const struct node *step, struct node **v, uint32_t n)
{
	VEC(struct node *) all = { 0 };

	for (uint32_t i = 0; i < g->nodes.n; i++) {
		for (uint32_t k = 0; g->nodes.v[i] == step && k < n; k++)
			vec_push(p->m->arena, &all, v[k]);
		vec_push(p->m->arena, &all, g->nodes.v[i]);
	}
	g->nodes.v = all.v;
	g->nodes.n = all.n;
	g->nodes.cap = all.cap;
}

static void add(struct adder *p, struct node *step, const struct ir_dataflow *f, const struct runtime *r)
{
	struct arena *a = p->m->arena;
	uint32_t n = (uint32_t)f->workers_max, base = step->nins;
	struct node **v = arena_array(a, struct node *, n + 1);
	struct attrs *attrs = attributes(p, step, f);
	struct ir_task *worker = task(p, step, "worker", r->worker, true);
	struct expr *list = expr_new(a, EX_CONCAT, type_of(T_STRING), step->span, 2 * n - 1), *all = expr_new(a, EX_CONCAT, type_of(T_STRING), step->span, 2);
	struct expr **ins = arena_array(a, struct expr *, base + 3);
	struct strbuf b = { 0 };

	sb_f(&b, "%s_service", step->name->s);
	v[0] = service(p, step, attrs, sb_cstr(&b), task(p, step, "service", r->first, false), r->port, NULL);
	for (uint32_t i = 1; i <= n; i++) {
		b.n = 0;
		sb_f(&b, "%s_worker_%u", step->name->s, i);
		v[i] = service(p, step, attrs, sb_cstr(&b), worker, r->worker_port, address(p, v[0], step->span));
		if (i > 1)
			list->u.args[2 * i - 3] = text(p, " ", step->span);
		list->u.args[2 * i - 2] = address(p, v[i], step->span);
	}
	sb_free(&b);
	all->u.args[0] = text(p, r->scheme, step->span);
	all->u.args[1] = address(p, v[0], step->span);
	for (uint32_t i = 0; i < base; i++)
		ins[i] = step->ins[i];
	ins[base] = ins[base + 2] = all;
	ins[base + 1] = list;
	step->ins = ins;
	step->nins = base + (r->variable ? 3 : 2);
	insert_before(p, step->graph, step, v, n + 1);
	diag_remark(p->d, step->span, "dataflow: '%s' gets the %s service and its %u workers beside it; CW_SERVICE is its address", step->name->s, r->name, n);
}

static void note(struct node *n, void *data)
{
	struct adder *p = data;
	const struct ir_dataflow *f = n->kind == N_STEP && n->u.task->body == BODY_DATAFLOW ? n->u.task->dataflow : NULL;

	if (!f || !runtime_of(f) || scripted(f) || f->workers_max > WORKERS_MOST)
		return;
	if (n->graph->owner && n->graph->owner->kind == N_SWEEP)
		ptrmap_put(&p->done, n->u.task, n);                         /* a trial is one step: its task stays as it is, and is refused */
	else
		vec_push(p->m->arena, &p->steps, n);
}

void dataflow_services(struct ir *m, struct diag *d)
{
	struct adder p = { .m = m, .d = d };

	for (uint32_t w = 0; w < m->workflows.n; w++)
		workflow_nodes(m->workflows.v[w], note, &p);
	for (uint32_t i = 0; i < p.steps.n; i++) {
		struct ir_task *t = p.steps.v[i]->u.task;
		const struct ir_dataflow *f = t->dataflow;

		if (ptrmap_get(&p.done, t))
			continue;
		for (uint32_t k = i; k < p.steps.n; k++)
			if (p.steps.v[k]->u.task == t)
				add(&p, p.steps.v[k], f, runtime_of(f));
		lower_task(&p, t, runtime_of(f));
		ptrmap_put(&p.done, t, t);
	}
	for (uint32_t w = 0; p.steps.n && w < m->workflows.n; w++)
		renumber(m->workflows.v[w]);
	ptrmap_free(&p.done);
}
