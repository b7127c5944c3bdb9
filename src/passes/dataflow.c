/*
 * dataflow: an engine that does not know of dataflows gets a script that runs the broker with its workers beside the
 * trainer, where the step runs. The step asks for the CPUs of both. Where the engine starts workers elsewhere, the script runs
 * the broker alone, and the engine finds in the task's dataflow what they need.
 *
 * needs IR_CUT; gives nothing; keeps everything else. A dataflow with `runtime` is left: nobody but that service moves it.
 */
#include "passes.h"

#include "couler/elastic.h"

#include <string.h>

static bool carries(const struct backend *b, int feature)
{
	for (const struct cap *c = b->caps; c && c->feature >= 0; c++)
		if (c->feature == feature)
			return false;
	return true;
}

static bool any_on_workers(const struct ir_dataflow *f)
{
	for (uint32_t i = 0; f->on_worker && i < f->nops; i++)
		if (f->on_worker[i] && f->ops[i].run)
			return true;
	return false;
}

static void lower(struct ir *m, struct ir_task *t, bool apart)
{
	struct strbuf b = { 0 };

	if (apart)
		sb_z(&b, "PATH=$COULER_BIN:$PATH\n");
	sb_z(&b, "command -v couler > /dev/null || {\n"
		"  echo \"couler: this step runs an input pipeline and finds no couler in PATH: put it into the image, or onto the machine\" >&2\n"
		"  exit 127\n"
		"}\n"
		"cat > \"$CW_TMP/dataflow.json\" << 'COULER_DATAFLOW'\n");
	flow_write(t, false, &b);
	if (apart)
		sb_z(&b, "COULER_DATAFLOW\nexec couler dataflow run --job \"$COULER_DATAFLOW_JOB\" \"$CW_TMP/dataflow.json\"\n");
	else
		sb_f(&b, "COULER_DATAFLOW\nexec couler dataflow run --slots %lld \"$CW_TMP/dataflow.json\"\n", (long long)t->dataflow->workers_max);
	t->script = str_intern(m->strs, b.s, b.n);
	t->shell = str_internz(m->strs, "sh");
	t->body = BODY_RUN;
	sb_free(&b);
	if (!apart)
		t->dataflow = NULL;
}

static double number(const struct expr *e)
{
	const struct value *v = e && e->op == EX_LIT ? e->u.lit : NULL;

	if (!v || v->type.list)
		return -1;
	return v->type.kind == T_INT ? (double)v->u.i : v->type.kind == T_FLOAT ? v->u.d : -1;
}

struct lowered { struct ir_task *task; const struct ir_dataflow *flow; bool apart; };
struct lowering { struct ir *m; struct diag *d; struct ptrmap seen; VEC(struct lowered) flows; };

static const struct ir_dataflow *beside(const struct lowering *l, const struct ir_task *t)
{
	for (uint32_t i = 0; i < l->flows.n; i++)
		if (l->flows.v[i].task == t && !l->flows.v[i].apart)
			return l->flows.v[i].flow;
	return NULL;
}

/* The CPUs of the most workers come on top of the trainer's. */
static void more_cpus(struct node *n, void *data)
{
	struct lowering *l = data;
	const struct ir_dataflow *f = n->kind == N_STEP ? beside(l, n->u.task) : NULL;
	double mine, each;
	struct value v = { .type = type_of(T_FLOAT) };
	struct attrs *a;

	if (!f || !n->attrs || ptrmap_get(&l->seen, n->attrs))
		return;
	mine = number(n->attrs->cpu);
	each = f->workers && f->workers->cpu ? number(f->workers->cpu) : 1;
	if (mine <= 0 || each <= 0)
		return;
	a = arena_new_of(l->m->arena, struct attrs);
	*a = *n->attrs;
	v.u.d = mine + each * (double)f->workers_max;
	a->cpu = expr_lit(l->m->arena, &v, n->attrs->cpu->span);
	n->attrs = a;
	ptrmap_put(&l->seen, a, a);
	diag_remark(l->d, n->span, "dataflow: '%s' runs its workers beside the trainer: it asks for %g CPUs, %g of them for %lld workers", n->name->s, v.u.d, v.u.d - mine,
		(long long)f->workers_max);
}

static int run(struct ir *m, const struct target *t, const struct optset *o, struct diag *d)
{
	struct lowering l = { .m = m, .d = d };
	bool apart;

	if (!t->backend || carries(t->backend, FEAT_DATAFLOW))
		return 0;
	if (carries(t->backend, FEAT_SERVICE))
		dataflow_services(m, d);
	apart = t->backend->apart && t->backend->apart(o);
	for (uint32_t i = 0; i < m->tasks.n; i++) {
		const struct ir_dataflow *f = m->tasks.v[i]->dataflow;

		if (f && !f->runtime)
			vec_push(m->arena, &l.flows, ((struct lowered){ m->tasks.v[i], f, apart && any_on_workers(f) }));
	}
	for (uint32_t i = 0; i < l.flows.n; i++)
		lower(m, l.flows.v[i].task, l.flows.v[i].apart);
	for (uint32_t w = 0; l.flows.n && w < m->workflows.n; w++)
		workflow_nodes(m->workflows.v[w], more_cpus, &l);
	ptrmap_free(&l.seen);
	return 0;
}

const struct pass pass_dataflow = {
	.name = "dataflow", .help = "gives an engine without dataflows a script that runs the pipeline", .needs = IR_CUT, .always = true, .run = run,
};
