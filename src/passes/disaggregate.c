/*
 * disaggregate: which operators of a dataflow leave the trainer for the workers (GoldMiner, SIGMOD 2023; docs/elastic.md).
 *
 * T is the forward reach of the model: the trainer, what uses the model, what happens inside the trainer, what is
 * `ordered` or `singleton`, and all that reads from these. The rest depends on no parameter of the model and is closed
 * under ancestors; the cut goes through it where the fewest bytes cross without the trainer's side becoming what everybody
 * waits for (src/elastic/cut.c). Without figures all of the rest goes.
 *
 * needs nothing; gives IR_CUT; keeps everything else.
 */
#include "passes.h"

#include "couler/elastic.h"

#include <string.h>

#define GAIN 1.1                          /* a smaller one does not pay for processes and copies */
#define NO_CPU 1000000                    /* ns a record, where nothing is known: any positive number moves the operator */

enum { CUT_AUTO, CUT_ALL, CUT_NONE };

static const struct optdesc opts[] = {
	{ "cut", OPT_ENUM, "auto", "auto|all|none", "auto: where it pays; all: everything that does not depend on the model; none: nothing goes to the workers" },
	{ "network", OPT_SIZE, NULL, NULL, "bytes a second from the workers to a trainer (default: 1.25GB on an engine, no limit in a local run)" },
	{ NULL, OPT_BOOL, NULL, NULL, NULL }
};

struct dis {
	struct ir *m;
	struct diag *d;
	struct arena *a;                  /* of one dataflow */
	const struct ir_task *t;
	struct ir_dataflow *f;
	const struct attrs *attrs;        /* of a step of the task; NULL: there is none */
	int mode;
	double network;
	struct cut_graph g;
	uint32_t *why;                    /* by operator: the one that it reads and that holds it; itself: the root; UINT32_MAX: free */
	bool known;                       /* all figures that count are there */
};

/* ---- the graph ---- */

static bool is_root(const struct dis *s, uint32_t i)
{
	const struct ir_operator *o = &s->f->ops[i];

	return i + 1 == s->f->nops || o->uses_model || o->ordered || o->singleton || !o->run;
}

/* Operators behind what they read; the verifier has seen that there is no cycle. */
static uint32_t *topo(struct dis *s)
{
	uint32_t n = s->f->nops, *order = arena_array(s->a, uint32_t, n + 1), *left = arena_array(s->a, uint32_t, n + 1), at = 0, edges = 0;
	uint32_t *start = arena_array(s->a, uint32_t, n + 2), *reader;

	for (uint32_t i = 0; i < n; i++)
		for (uint32_t k = 0; k < s->f->ops[i].nfrom; k++)
			if (s->f->ops[i].from[k] != UINT32_MAX) {
				start[s->f->ops[i].from[k] + 2]++;
				left[i]++;
				edges++;
			}
	for (uint32_t i = 2; i <= n + 1; i++)
		start[i] += start[i - 1];
	reader = arena_array(s->a, uint32_t, edges + 1);
	for (uint32_t i = 0; i < n; i++) {
		for (uint32_t k = 0; k < s->f->ops[i].nfrom; k++)
			if (s->f->ops[i].from[k] != UINT32_MAX)
				reader[start[s->f->ops[i].from[k] + 1]++] = i;
		if (!left[i])
			order[at++] = i;
	}
	for (uint32_t i = 0; i < at; i++)
		for (uint32_t k = start[order[i]]; k < start[order[i] + 1]; k++)
			if (!--left[reader[k]])
				order[at++] = reader[k];
	return order;
}

static void reach(struct dis *s, const uint32_t *order)
{
	s->why = arena_array(s->a, uint32_t, s->f->nops);
	for (uint32_t j = 0; j < s->f->nops; j++) {
		uint32_t i = order[j];
		const struct ir_operator *o = &s->f->ops[i];

		s->why[i] = UINT32_MAX;
		for (uint32_t k = 0; k < o->nfrom && s->why[i] == UINT32_MAX; k++)
			if (o->from[k] != UINT32_MAX && s->why[o->from[k]] != UINT32_MAX)
				s->why[i] = o->from[k];
		if (is_root(s, i))
			s->why[i] = i;
	}
}

/* Figures in whole ns and bytes; a size that nobody knows is that of what comes in. */
static void figures(struct dis *s, const uint32_t *order)
{
	struct cut_op *v = arena_array(s->a, struct cut_op, s->f->nops);
	double most = s->f->source_bytes;

	s->known = true;
	for (uint32_t i = 0; i < s->f->nops; i++)
		if (s->f->ops[i].bytes > most)
			most = s->f->ops[i].bytes;
	s->g.source_bytes = s->f->source_bytes >= 0 ? (int64_t)s->f->source_bytes : most > 0 ? (int64_t)most : 1;
	for (uint32_t j = 0; j < s->f->nops; j++) {
		uint32_t i = order[j];
		const struct ir_operator *o = &s->f->ops[i];

		v[i] = (struct cut_op){ .from = o->from, .nfrom = o->nfrom, .pinned = s->why[i] != UINT32_MAX, .bytes = (int64_t)o->bytes };
		if (i + 1 < s->f->nops && o->run)
			v[i].cpu = o->cpu >= 0 ? (int64_t)(o->cpu * 1e9 + 0.5) : NO_CPU;
		if (!v[i].pinned && o->cpu < 0)
			s->known = false;
		for (uint32_t k = 0; o->bytes < 0 && k < o->nfrom; k++) {
			int64_t in = o->from[k] == UINT32_MAX ? s->g.source_bytes : v[o->from[k]].bytes;

			if (in > v[i].bytes || !k)
				v[i].bytes = in;
		}
	}
	s->g.op = v;
	s->g.n = s->f->nops;
}

static double cores(const struct expr *e)
{
	const struct value *v = e && e->op == EX_LIT ? e->u.lit : NULL;
	double n = !v || v->type.list ? 0 : v->type.kind == T_INT ? (double)v->u.i : v->type.kind == T_FLOAT ? v->u.d : 0;

	return n > 0 ? n : 1;
}

static struct cut_room room_of(const struct dis *s)
{
	const struct attrs *a = s->attrs;
	double trainer = s->f->ops[s->f->nops - 1].cpu;

	return (struct cut_room){
		.trainer_cpus = cores(a ? a->cpu : NULL), .worker_cpus = cores(s->f->workers ? s->f->workers->cpu : NULL) * (double)s->f->workers_max,
		.trainer_seconds = trainer > 0 ? trainer : 0, .gpu = a && a->gpu, .network = s->network,
	};
}

/* ---- remarks ---- */

static void per_record(struct strbuf *b, const struct cut *c)
{
	if (c->cpu >= 1000000)
		sb_f(b, "%.3g ms", (double)c->cpu / 1e6);
	else
		sb_f(b, "%.3g us", (double)c->cpu / 1e3);
	sb_f(b, " of CPU and %lld bytes a record", (long long)c->bytes);
}

static const char *root_words(const struct dis *s, uint32_t i)
{
	const struct ir_operator *o = &s->f->ops[i];

	return o->uses_model ? "uses the model" : o->ordered ? "needs the records in order" : o->singleton ? "may be there only once" : "happens inside the trainer";
}

/* "'rank' stays with the trainer: rank <- embed, which uses the model" */
static void held_remark(const struct dis *s, uint32_t i)
{
	struct strbuf b = { 0 };
	uint32_t r = i;

	sb_f(&b, "disaggregate: '%s' stays with the trainer: ", s->f->ops[i].name->s);
	if (s->why[i] == i) {
		sb_f(&b, "it %s", root_words(s, i));
	} else {
		sb_z(&b, s->f->ops[i].name->s);
		while (s->why[r] != r) {
			r = s->why[r];
			sb_f(&b, " <- %s", s->f->ops[r].name->s);
		}
		sb_f(&b, ", which %s", root_words(s, r));
	}
	diag_remark(s->d, s->f->ops[i].span, "%s", sb_cstr(&b));
	sb_free(&b);
}

static void remarks(const struct dis *s, const struct cut *c, const char *why_none)
{
	struct strbuf b = { 0 };
	uint32_t n = 0;

	for (uint32_t i = 0; i + 1 < s->f->nops; i++) {
		const char *name = s->f->ops[i].name->s;

		if (c->on_worker[i])
			sb_f(&b, "%s%s", n++ ? ", " : "", name);
		else if (s->why[i] != UINT32_MAX)
			held_remark(s, i);
		else if (!why_none)
			diag_remark(s->d, s->f->ops[i].span, "disaggregate: '%s' stays with the trainer: the trainer has the %.3g ms of CPU for it, and more bytes would cross behind it than before it",
				name, (double)s->g.op[i].cpu / 1e6);
	}
	if (why_none) {
		diag_remark(s->d, s->t->span, "disaggregate: nothing of '%s' goes to workers: %s", s->t->name->s, why_none);
	} else {
		struct strbuf left = { 0 };

		per_record(&left, c);
		diag_remark(s->d, s->t->span, "disaggregate: '%s' runs %s on the workers; %s%s", s->t->name->s, sb_cstr(&b),
			s->known ? "left for the trainer's side and the way to it: " : "no figures were given, `couler profile` measures them", s->known ? sb_cstr(&left) : "");
		sb_free(&left);
	}
	sb_free(&b);
}

/* ---- one dataflow ---- */

static void cut_dataflow(struct dis *s)
{
	const uint32_t *order = topo(s);
	struct cut_room room;
	struct cut none, c;
	const char *why = NULL;
	struct strbuf b = { 0 };
	double before, after;

	reach(s, order);
	figures(s, order);
	room = room_of(s);
	none = (struct cut){ .on_worker = arena_array(s->a, bool, s->f->nops) };
	for (uint32_t i = 0; i < s->g.n; i++)
		none.cpu += s->g.op[i].cpu;
	c = s->known && s->mode == CUT_AUTO ? cut_choose(s->a, &s->g, &room) : cut_min(s->a, &s->g, 1, 0);
	before = cut_rate(&s->g, &none, &room);
	after = cut_rate(&s->g, &c, &room);
	if (s->mode == CUT_NONE)
		why = "disaggregate.cut is none";
	else if (!c.nworker && s->mode == CUT_AUTO && s->known && cut_min(s->a, &s->g, 1, 0).nworker)
		why = "the trainer's side has the CPU for all of it, and fewer bytes come from the source than from any operator";
	else if (!c.nworker)
		why = "every operator depends on the model";
	else if (s->mode == CUT_AUTO && s->known && after < before * GAIN) {
		sb_f(&b, "%.4g records a second with them, %.4g without, a gain below 10 %%", after, before);
		why = sb_cstr(&b);
	}
	if (why)
		c = none;
	s->f->on_worker = arena_array(s->m->arena, bool, s->f->nops);
	memcpy(s->f->on_worker, c.on_worker, s->f->nops * sizeof *c.on_worker);
	if (s->d->remarks)
		remarks(s, &c, why);
	if (!why && s->known && s->d->remarks)
		diag_remark(s->d, s->t->span, "disaggregate: %.4g records a second expected, %.4g without workers", after, before);
	sb_free(&b);
}

struct users { const struct attrs **v; };

static void user(struct node *n, void *data)
{
	struct users *u = data;
	const struct ir_task *t = n->kind == N_STEP ? n->u.task : NULL;

	if (t && !u->v[t->id])
		u->v[t->id] = n->attrs;
}

static int run(struct ir *m, const struct target *t, const struct optset *o, struct diag *d)
{
	const char *cut = opt_string(o, "disaggregate", opts, "cut"), *network = opt_string(o, "disaggregate", opts, "network");
	struct users u = { NULL };
	struct arena *a = NULL;

	for (uint32_t i = 0; i < m->tasks.n; i++) {
		struct dis s = { .m = m, .d = d, .t = m->tasks.v[i], .f = m->tasks.v[i]->dataflow };

		if (!s.f)
			continue;
		if (!a) {
			a = arena_new();
			u.v = arena_array(a, const struct attrs *, m->tasks.n);
			for (uint32_t w = 0; w < m->workflows.n; w++)
				workflow_nodes(m->workflows.v[w], user, &u);
		}
		s.a = arena_new();
		s.attrs = u.v[i];
		s.mode = !strcmp(cut, "all") ? CUT_ALL : !strcmp(cut, "none") ? CUT_NONE : CUT_AUTO;
		s.network = network ? (double)opt_int(o, "disaggregate", opts, "network") : t->backend ? 1.25e9 : 0;
		cut_dataflow(&s);
		arena_free(s.a);
	}
	arena_free(a);
	return 0;
}

const struct pass pass_disaggregate = {
	.name = "disaggregate", .help = "moves what does not depend on the model from the trainer to workers", .gives = IR_CUT, .always = true, .opts = opts, .run = run,
};
