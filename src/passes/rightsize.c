/*
 * rightsize: what steps ask for follows what they took in earlier runs: memory is the 95th percentile of the peaks with
 * headroom, never less than a peak that was seen; CPU the mean use. It has to be asked for, with
 * --set rightsize.history=FILE, the history.db of a folder of results, so that equal sources give equal bytes otherwise.
 *
 * needs nothing; gives nothing; keeps everything.
 */
#include "passes.h"

#include <math.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#define MIB 1048576.0

static const struct optdesc opts[] = {
	{ "history", OPT_STRING, NULL, NULL, "history.db of earlier local runs, as .couler/history.db" },
	{ "headroom", OPT_INT, "20", NULL, "percent of memory on top of the 95th percentile" },
	{ "runs", OPT_INT, "3", NULL, "a step that ran less often keeps what it asks for" },
	{ NULL, OPT_BOOL, NULL, NULL, NULL },
};

struct sizing { struct ir *m; struct diag *d; sqlite3_stmt *find; struct ir_workflow *w; double headroom; int64_t least; uint32_t sized; double saved_memory, saved_cpu; };

struct figures { double memory, cpu, peak; int64_t n; };

/* Peaks come in ascending order. */
static int figures(struct sizing *p, const struct node *n, struct figures *f)
{
	double *peak = NULL, cpu = 0;
	int64_t cap = 0, k = 0;
	int rc;

	sqlite3_reset(p->find);
	sqlite3_bind_text(p->find, 1, p->w->name->s, (int)p->w->name->len, SQLITE_STATIC);
	sqlite3_bind_text(p->find, 2, n->name->s, (int)n->name->len, SQLITE_STATIC);
	while ((rc = sqlite3_step(p->find)) == SQLITE_ROW) {
		if (k == cap)
			peak = xrealloc(peak, (size_t)(cap = cap ? 2 * cap : 32) * sizeof *peak);
		peak[k++] = (double)sqlite3_column_int64(p->find, 0);
		cpu += sqlite3_column_double(p->find, 1);
	}
	f->n = k;
	if (k) {
		f->peak = peak[k - 1];
		f->memory = peak[(int64_t)ceil(0.95 * (double)k) - 1] * (1 + p->headroom / 100);
		f->memory = ceil((f->memory > f->peak ? f->memory : f->peak) / MIB) * MIB;
		f->cpu = ceil(cpu / (double)k * 100) / 100;
	}
	free(peak);
	return rc == SQLITE_DONE ? 0 : -1;
}

static double number_of(const struct expr *e)
{
	if (!e || e->op != EX_LIT)
		return -1;
	return type_is(e->u.lit->type, T_INT) || type_is(e->u.lit->type, T_SIZE) ? (double)e->u.lit->u.i : e->u.lit->u.d;
}

static struct expr *number(struct sizing *p, enum type_kind k, double x, struct span sp)
{
	struct value v = { .type = type_of(k) };

	if (k == T_SIZE)
		v.u.i = (int64_t)x;
	else
		v.u.d = x;
	return expr_lit(p->m->arena, &v, sp);
}

static void visit(struct node *n, void *data)
{
	struct sizing *p = data;
	struct figures f = { 0 };
	double memory, cpu;
	struct attrs *a;

	if (n->kind != N_STEP || figures(p, n, &f) || f.n < p->least)
		return;
	memory = number_of(n->attrs->memory);
	cpu = number_of(n->attrs->cpu);
	if ((n->attrs->memory && memory < 0) || (n->attrs->cpu && cpu < 0))
		return;                   /* computed at run time: somebody has thought about it */
	a = arena_new_of(p->m->arena, struct attrs);
	*a = *n->attrs;
	a->memory = number(p, T_SIZE, f.memory, n->span);
	a->cpu = number(p, T_FLOAT, f.cpu > 0.01 ? f.cpu : 0.01, n->span);
	if (a->limit_memory && number_of(a->limit_memory) < f.memory)
		a->limit_memory = a->memory;
	if (a->limit_cpu && number_of(a->limit_cpu) < a->cpu->u.lit->u.d)
		a->limit_cpu = a->cpu;
	n->attrs = a;
	p->sized++;
	p->saved_memory += memory > 0 ? memory - f.memory : 0;
	p->saved_cpu += cpu > 0 ? cpu - f.cpu : 0;
	diag_remark(p->d, n->span, "rightsize: '%s' gets %.0f MiB and %.2f CPU, by %lld runs whose peaks reached %.0f MiB", n->name->s, f.memory / MIB, a->cpu->u.lit->u.d, (long long)f.n, ceil(f.peak / MIB));
}

static int trouble(struct diag *d, const char *path, sqlite3 *db)
{
	struct diag_item *it = diag_at(d, CW0901, (struct span){ 0 }, "--set rightsize.history=%s: %s", path, db ? sqlite3_errmsg(db) : "out of memory");

	diag_mend(d, it, "name the history.db of a folder of results, such as .couler/history.db; `couler runs` makes it again where it is damaged");
	sqlite3_close(db);
	return -1;
}

static int run(struct ir *m, const struct target *t, const struct optset *o, struct diag *d)
{
	struct sizing p = { .m = m, .d = d, .headroom = (double)opt_int(o, "rightsize", opts, "headroom"), .least = opt_int(o, "rightsize", opts, "runs") };
	const char *path = opt_string(o, "rightsize", opts, "history");
	sqlite3 *db = NULL;

	(void)t;
	if (!path)
		return 0;
	if (p.headroom < 0 || p.headroom > 1000 || p.least < 1) {
		diag_mend(d, diag_at(d, CW1204, (struct span){ 0 }, "--set rightsize: headroom is 0 to 1000 percent, runs at least 1"), "--set rightsize.headroom=20");
		return -1;
	}
	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK ||
			sqlite3_prepare_v2(db, "SELECT rss, cpu / max(seconds, 0.001) FROM steps WHERE workflow = ? AND base = ? AND status = 'succeeded' AND rss > 0 ORDER BY rss", -1, &p.find, NULL) != SQLITE_OK)
		return trouble(d, path, db);
	for (uint32_t i = 0; i < m->workflows.n; i++) {
		p.w = m->workflows.v[i];
		workflow_nodes(p.w, visit, &p);
	}
	sqlite3_finalize(p.find);
	sqlite3_close(db);
	diag_remark(d, m->entry->span, "rightsize: %u steps ask for what they took; %.0f MiB and %.2f CPU less than before", p.sized, p.saved_memory / MIB, p.saved_cpu);
	return 0;
}

const struct pass pass_rightsize = {
	.name = "rightsize", .help = "steps ask for what they took in earlier runs", .opts = opts, .run = run,
};
