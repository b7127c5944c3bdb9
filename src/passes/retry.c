/*
 * retry: steps that say nothing of retries try again after faults that pass by themselves (include/couler/transient.h).
 * It has to be asked for, with --set retry.limit=N. A step with an effect (cache = off, no output, or one that publishes)
 * is not among them unless --set retry.effects=on: done twice it may not be what it was once.
 *
 * needs nothing; gives nothing; keeps everything.
 */
#include "passes.h"

static const struct optdesc opts[] = {
	{ "limit", OPT_INT, "0", NULL, "further attempts of a step that gives no `retry`, after faults that pass by themselves; 0: none" },
	{ "backoff", OPT_DURATION, "10s", NULL, "delay before the second attempt, doubled before each further one" },
	{ "max_backoff", OPT_DURATION, "10m", NULL, "longest delay" },
	{ "effects", OPT_BOOL, "off", NULL, "also steps with effects: cache = off, no outputs, or what is published" },
	{ NULL, OPT_BOOL, NULL, NULL, NULL },
};

struct adding { struct ir *m; struct diag *d; struct ptrmap done; int64_t limit; double backoff, most; bool effects; uint32_t added, left; };

static struct expr *seconds(struct ir *m, double s, struct span sp)
{
	struct value v = { .type = type_of(T_DURATION), .u.d = s };

	return expr_lit(m->arena, &v, sp);
}

static const char *effect(const struct node *n)
{
	if (n->attrs->cache.mode == CACHE_OFF)
		return "it has cache = off";
	if (!n->nports)
		return "it has no output, so it is run for its effect";
	for (uint32_t i = 0; n->to && i < n->nports; i++)
		if (n->to[i])
			return "it publishes";
	return NULL;
}

/* Attributes are shared between steps: one copy for all of those that get the same. */
static struct attrs *with_retry(struct adding *p, struct attrs *old, struct span sp)
{
	struct attrs *a = ptrmap_get(&p->done, old);
	struct value limit = { .type = type_of(T_INT), .u.i = p->limit };

	if (a)
		return a;
	a = arena_new_of(p->m->arena, struct attrs);
	*a = *old;
	a->retry.limit = expr_lit(p->m->arena, &limit, sp);
	a->retry.backoff = seconds(p->m, p->backoff, sp);
	a->retry.max_backoff = seconds(p->m, p->most, sp);
	a->retry.on = RETRY_TRANSIENT;
	ptrmap_put(&p->done, old, a);
	return a;
}

static void visit(struct node *n, void *data)
{
	struct adding *p = data;
	const char *why;

	if (n->kind != N_STEP || n->attrs->retry.limit)
		return;
	why = effect(n);
	if (why && !p->effects) {
		diag_remark(p->d, n->span, "retry: '%s' is not tried again: %s", n->name->s, why);
		p->left++;
		return;
	}
	n->attrs = with_retry(p, n->attrs, n->span);
	p->added++;
}

static int run(struct ir *m, const struct target *t, const struct optset *o, struct diag *d)
{
	struct adding p = { .m = m, .d = d, .limit = opt_int(o, "retry", opts, "limit"), .backoff = (double)opt_int(o, "retry", opts, "backoff"),
		.most = (double)opt_int(o, "retry", opts, "max_backoff"), .effects = opt_bool(o, "retry", opts, "effects") };

	(void)t;
	if (p.limit < 0 || p.limit > 1000) {
		diag_mend(d, diag_at(d, CW1204, (struct span){ 0 }, "--set retry.limit=%lld: attempts are counted from 0 to 1000", (long long)p.limit), "--set retry.limit=3");
		return -1;
	}
	if (!p.limit)
		return 0;
	for (uint32_t i = 0; i < m->workflows.n; i++)
		workflow_nodes(m->workflows.v[i], visit, &p);
	ptrmap_free(&p.done);
	diag_remark(d, m->entry->span, "retry: %u steps are tried up to %lld times more after faults that pass by themselves, %u have effects and are not", p.added, (long long)p.limit, p.left);
	return 0;
}

const struct pass pass_retry = {
	.name = "retry", .help = "steps are tried again after faults that pass by themselves", .opts = opts, .run = run,
};
