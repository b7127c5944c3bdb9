/* The passes on programs from source text: what they change, what they keep, what they say. */
#include <stdlib.h>
#include <unistd.h>

#include "couler/front.h"
#include "couler/pass.h"
#include "graphs.h"

static struct arena *arena;
static struct strtab *strs;
static struct diag *diag;

static void setup(void)
{
	arena = arena_new();
	strs = strtab_new(arena);
	diag = diag_new(arena);
	diag->remarks = true;
}

static void teardown(void)
{
	arena_free(arena);
}

static struct ir *load(const char *text)
{
	char path[] = "/tmp/couler-test-XXXXXX.cw";
	int fd = mkstemps(path, 3), status = 0;
	struct front_opts o = { 0 };
	struct ir *m;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	m = front(arena, strs, diag, path, &o, &status);
	unlink(path);
	for (const struct diag_item *i = m ? NULL : diag->first; i; i = i->next)
		fprintf(stderr, "CW%04d %s\n", i->code, i->msg);
	ck_assert_ptr_nonnull(m);
	return m;
}

static int run_for(struct ir *m, const char *list, const struct backend *b)
{
	struct target t = { b, NULL };
	struct pass_run how = { .list = list, .level = 1, .verify = true };

	return passes_run(m, &t, NULL, &how, diag);
}

static int run(struct ir *m, const char *list)
{
	return run_for(m, list, NULL);
}

static struct node *find(struct graph *g, const char *name)
{
	for (uint32_t i = 0; i < g->nodes.n; i++)
		if (str_eq(g->nodes.v[i]->name, name))
			return g->nodes.v[i];
	return NULL;
}

/* Input i of a step as source. */
static const char *input(struct ir *m, const char *step, const char *name)
{
	static char out[512];
	struct node *n = find(m->entry->body, step);
	struct strbuf b = { 0 };

	ck_assert_ptr_nonnull(n);
	for (uint32_t i = 0; i < n->nins; i++) {
		if (!str_eq(n->u.task->ins[i].name, name))
			continue;
		expr_write_in(&b, n->ins[i], m->entry, n);
		snprintf(out, sizeof out, "%s", sb_cstr(&b));
		sb_free(&b);
		return out;
	}
	return "no such input";
}

/* Whether a remark holds all of text. */
static bool said(const char *text)
{
	for (const struct diag_item *i = diag->first; i; i = i->next)
		if (i->sev == SEV_REMARK && strstr(i->msg, text))
			return true;
	return false;
}

static int first_error(void)
{
	for (const struct diag_item *i = diag->first; i; i = i->next)
		if (i->sev == SEV_ERROR)
			return i->code;
	return 0;
}

static uint32_t nodes_of(struct ir *m)
{
	return m->entry->body->nodes.n;
}

#define RUN " run = \"\"\"true\"\"\" "

/* ---- fold ---- */

START_TEST(fold_branches)
{
	struct ir *m = load("workflow w {\n"
		"  let debug = false\n  let n = 3\n"
		"  step src { out v: int; run = \"\"\"echo 1 > \"$v\" \"\"\" }\n"
		"  if debug { step never { out v: int; run = \"\"\"echo 1 > \"$v\" \"\"\" } }\n"
		"  if n > 2 { step always { out v: int; run = \"\"\"echo 1 > \"$v\" \"\"\" }; step too { after = [always];" RUN "} } else { step other {" RUN "} }\n"
		"  if src.v > 1 { step a { out v: int = stdout; run = \"\"\"echo 1\"\"\" } } else if debug { step b { out v: int = stdout; run = \"\"\"echo 1\"\"\" } } else { step a { out v: int = stdout; run = \"\"\"echo 2\"\"\" } }\n"
		"  step use { after = [never, too]\n in x = never.v ?? 7; in s = never.status; in y = always.v ?? 0; in st = always.status; in z = a.v ?? 3; in os = other.status; in bs = b.status; in be = b.v ?? 9;" RUN "}\n"
		"}\n");
	struct node *n;

	ck_assert_int_eq(run(m, "fold"), 0);
	ck_assert_ptr_null(find(m->entry->body, "never"));
	ck_assert_ptr_nonnull(find(m->entry->body, "always"));
	ck_assert_ptr_null(find(m->entry->body, "other"));
	ck_assert_uint_eq(nodes_of(m), 5);
	ck_assert_str_eq(input(m, "use", "x"), "7");
	ck_assert_str_eq(input(m, "use", "s"), "\"skipped\"");
	ck_assert_str_eq(input(m, "use", "y"), "always.v ?? 0");
	ck_assert_str_eq(input(m, "use", "os"), "\"skipped\"");
	ck_assert_str_eq(input(m, "use", "bs"), "\"skipped\"");
	ck_assert_str_eq(input(m, "use", "be"), "9");
	ck_assert_str_eq(input(m, "use", "z"), "a.v ?? 3");
	n = find(m->entry->body, "use");
	ck_assert_uint_eq(n->nafter, 1);
	ck_assert_ptr_eq(n->after[0].node, find(m->entry->body, "too"));
	ck_assert_uint_eq(m->entry->body->skipped.n, 3);
	ck_assert(str_eq(m->entry->body->skipped.v[0]->name, "never") && str_eq(m->entry->body->skipped.v[1]->name, "other") && str_eq(m->entry->body->skipped.v[2]->name, "b"));
	ck_assert(said("is never taken, because its condition is false: 1 step removed"));
	ck_assert(m->props & IR_FOLDED);
}
END_TEST

START_TEST(fold_chain)
{
	/* what one branch makes constant decides the next, against the order of the text */
	struct ir *m = load("workflow w {\n"
		"  if b.status == \"skipped\" { step a { out v: int; run = \"\"\"echo 1 > \"$v\" \"\"\" } }\n"
		"  if c.status == \"succeeded\" { step b {" RUN "} }\n"
		"  if 1 > 2 { step c {" RUN "} }\n"
		"  step use { in x = a.v ?? 0;" RUN "}\n}\n");

	ck_assert_int_eq(run(m, "fold"), 0);
	ck_assert_uint_eq(nodes_of(m), 2);
	ck_assert_str_eq(input(m, "use", "x"), "a.v ?? 0");
}
END_TEST

START_TEST(fold_regions)
{
	struct ir *m = load("workflow w {\n"
		"  for i in range(3, 3) { step f { in i; out v: int; run = \"\"\"echo 1 > \"$v\" \"\"\" } }\n"
		"  loop l { max = 3; state n: int = 5; while false; step g { in n; out v: int; run = \"\"\"echo 1 > \"$v\" \"\"\" }; next { n = g.v } }\n"
		"  step use { after = [f]; in xs = f.v; in n = l.n; in k = l.iterations; in m = len(f.v);" RUN "}\n}\n");

	ck_assert_int_eq(run(m, "fold"), 0);
	ck_assert_uint_eq(nodes_of(m), 1);
	ck_assert_str_eq(input(m, "use", "xs"), "[]");
	ck_assert_str_eq(input(m, "use", "n"), "5");
	ck_assert_str_eq(input(m, "use", "k"), "0");
	ck_assert_str_eq(input(m, "use", "m"), "0");
	ck_assert_uint_eq(find(m->entry->body, "use")->nafter, 0);
}
END_TEST

START_TEST(fold_keeps_what_runs)
{
	struct ir *m = load("workflow w {\n  param p: bool = false\n"
		"  step unread { out v: int; run = \"\"\"echo 1 > \"$v\" \"\"\" }\n"
		"  step effect {" RUN "}\n"
		"  if p { step maybe { out v: int; run = \"\"\"echo 1 > \"$v\" \"\"\" } }\n"
		"  step use { in x = unread.v; in t = \"n=${unread.v + 0 * 2}, ${\"in ${unread.v}\"}\"; in s = \"${unread.v}\"; in c = p && true; in d = maybe.v ?? (1 + 2);" RUN "}\n}\n");

	ck_assert_int_eq(run(m, "fold"), 0);
	ck_assert_uint_eq(nodes_of(m), 4);
	ck_assert_str_eq(input(m, "use", "t"), "\"n=${unread.v + 0}, in ${unread.v}\"");
	ck_assert_str_eq(input(m, "use", "s"), "\"${unread.v}\"");
	ck_assert_str_eq(input(m, "use", "c"), "p");
	ck_assert_str_eq(input(m, "use", "d"), "maybe.v ?? 3");
}
END_TEST

/* Made by hand, because the checker folds and reports constants itself. */
START_TEST(fold_errors_and_laziness)
{
	struct made k = made_new();
	struct ir *m = module_new(&k);
	struct node *n = node_new(&k, m->entry->body, N_STEP, "s");
	struct expr *zero = I(&k, 0), *bad = OP(&k, EQ, BOOL, OP(&k, DIV, FLOAT, I(&k, 1), I(&k, 0)), I(&k, 1));
	struct pass_run how = { .list = "fold" };
	struct target t = { 0 };

	step_in(&k, n, "a", type_of(T_BOOL), OP(&k, AND, BOOL, B(&k, false), bad));
	step_in(&k, n, "b", type_of(T_BOOL), OP(&k, COND, BOOL, B(&k, true), B(&k, true), bad));
	step_in(&k, n, "c", type_of(T_FLOAT), OP(&k, COND, FLOAT, B(&k, true), I(&k, 2), F(&k, 0.5)));
	ck_assert_int_eq(passes_run(m, &t, NULL, &how, m->diag), 0);
	ck_assert(n->ins[0]->op == EX_LIT && !n->ins[0]->u.lit->u.b && n->ins[1]->u.lit->u.b);
	ck_assert(n->ins[2]->op == EX_LIT && n->ins[2]->u.lit->type.kind == T_FLOAT && n->ins[2]->u.lit->u.d == 2);
	step_in(&k, n, "d", type_of(T_FLOAT), OP(&k, DIV, FLOAT, I(&k, 1), zero));
	ck_assert_int_eq(passes_run(m, &t, NULL, &how, m->diag), -1);
	ck_assert_int_eq(m->diag->last->code, CW0701);
	ck_assert_uint_eq(m->diag->last->span.off, zero->span.off);
	arena_free(k.a);
}
END_TEST

START_TEST(fold_is_deep)
{
	struct made k = made_new();
	struct ir *m = module_new(&k);
	struct node *n = node_new(&k, m->entry->body, N_STEP, "s");
	struct expr *p = expr_ref(k.a, REF_PARAM, NULL, 0, type_of(T_INT), made_span(&k)), *sum = p, *or = OP(&k, EQ, BOOL, p, I(&k, 1)), *twice = p;
	struct pass_run how = { .list = "fold" };
	struct target t = { 0 };

	for (int i = 0; i < 200000; i++) {
		sum = OP(&k, ADD, INT, sum, OP(&k, ADD, INT, I(&k, 1), I(&k, 2)));
		or = OP(&k, OR, BOOL, or, B(&k, false));
	}
	for (int i = 0; i < 60; i++)
		twice = OP(&k, ADD, INT, twice, twice);          /* shared operands: folded once each */
	step_in(&k, n, "a", type_of(T_INT), sum);
	step_in(&k, n, "b", type_of(T_BOOL), or);
	step_in(&k, n, "c", type_of(T_INT), twice);
	ck_assert_int_eq(passes_run(m, &t, NULL, &how, m->diag), 0);
	ck_assert(n->ins[0]->u.args[1]->op == EX_LIT && n->ins[0]->u.args[1]->u.lit->u.i == 3);
	ck_assert_int_eq(n->ins[1]->op, EX_EQ);
	arena_free(k.a);
}
END_TEST

/* ---- inline ---- */

static const struct cap no_calls[] = { { FEAT_CALL, "it has no workflow calls", "call less", NULL }, { -1, NULL, NULL, NULL } };
static const struct backend engine = { .name = "engine", .caps = no_calls };

static void find_kind(struct node *n, void *data)
{
	uint32_t *count = data;

	count[n->kind]++;
}

#define CALLS \
	"task t { in x: int; in y: int = 4; out v: int;" RUN "}\n" \
	"workflow inner {\n  param a: int\n  param b: int = 2\n  param c: int = b + 1\n" \
	"  step one = t(x = a + c)\n  if one.v > b { step two = t(x = one.v, y = b) }\n  step last { in s = two.status; after = [one, two];" RUN "}\n" \
	"  out v = one.v\n  out w = two.v ?? b\n}\n" \
	"workflow middle { param a: int; step in1 = inner(a = a * 2); step in2 = inner(a = in1.w, b = 5); out v = in2.v }\n"

START_TEST(inline_calls)
{
	struct ir *m = load(CALLS "workflow w { step s = t(x = 1); step m = middle(a = s.v); step use { in v = m.v; in s = m.status; after = [m];" RUN "}; out o = m.v }\n");
	struct node *call = find(m->entry->body, "m"), *in2, *one, *use = find(m->entry->body, "use");
	uint32_t kinds[N_COUNT] = { 0 }, id = 0;
	struct strbuf b = { 0 };

	ck_assert_int_eq(call->kind, N_CALL);
	ck_assert_int_eq(run_for(m, "inline", &engine), 0);
	ck_assert(m->props & IR_INLINED);
	ck_assert_uint_eq(m->workflows.n, 1);
	workflow_nodes(m->entry, find_kind, kinds);
	ck_assert_uint_eq(kinds[N_CALL], 0);
	ck_assert_uint_eq(kinds[N_GROUP], 3);
	ck_assert_uint_eq(kinds[N_STEP], 2 + 2 * 3);
	ck_assert_uint_eq(kinds[N_IF], 2);
	ck_assert_int_eq(call->kind, N_GROUP);
	ck_assert_ptr_eq(use->after[0].node, call);
	in2 = find(call->u.group, "in2");
	one = find(in2->u.group, "one");
	expr_write_in(&b, one->ins[0], m->entry, one);
	ck_assert_str_eq(sb_cstr(&b), "in1.w + (5 + 1)");
	b.n = 0;
	expr_write_in(&b, find(find(call->u.group, "in1")->u.group, "one")->ins[0], m->entry, one);
	ck_assert_str_eq(sb_cstr(&b), "s.v * 2 + (2 + 1)");
	b.n = 0;
	expr_write(&b, in2->ports[1].value[0]);
	ck_assert_str_eq(sb_cstr(&b), "two.v ?? 5");
	ck_assert_ptr_eq(in2->ports[0].value[0]->u.node, one);
	ck_assert_ptr_eq(find(in2->u.group, "last")->after[0].node, one);
	ck_assert_ptr_eq(one->graph->owner, in2);
	ck_assert_ptr_eq(one->graph->workflow, m->entry);
	for (uint32_t i = 0; i < nodes_of(m); i++) {
		ck_assert(!i || m->entry->body->nodes.v[i]->id > id);
		id = m->entry->body->nodes.v[i]->id;
	}
	sb_free(&b);
}
END_TEST

START_TEST(inline_only_where_needed)
{
	struct ir *m = load(CALLS "workflow w { step m = middle(a = 1); out o = m.v }\n");
	uint32_t kinds[N_COUNT] = { 0 };

	ck_assert_int_eq(run(m, "inline"), 0);
	workflow_nodes(m->entry, find_kind, kinds);
	ck_assert_uint_eq(kinds[N_CALL], 1);
	ck_assert_uint_eq(m->workflows.n, 3);
	ck_assert(!(m->props & IR_INLINED));
}
END_TEST

START_TEST(inline_keeps_what_a_group_cannot)
{
	struct ir *m = load("workflow inner { step a {" RUN "}; on exit { step e {" RUN "} } }\nworkflow w { step m = inner(); }\n");

	ck_assert_int_eq(run_for(m, NULL, &engine), 0);
	ck_assert_int_eq(find(m->entry->body, "m")->kind, N_CALL);
	ck_assert(said("stays a call of workflow 'inner': it has an `on` block"));
}
END_TEST

START_TEST(inline_bomb)
{
	struct strbuf b = { 0 };
	struct ir *m;

	sb_z(&b, "workflow w0 { step a {" RUN "} }\n");
	for (int i = 1; i <= 40; i++)
		sb_f(&b, "workflow w%d { step a = w%d(); step b = w%d() }\n", i, i - 1, i - 1);
	m = load(sb_cstr(&b));
	sb_free(&b);
	ck_assert_int_eq(run_for(m, NULL, &engine), -1);
	ck_assert_int_eq(first_error(), CW1203);
}
END_TEST

/* ---- sweep ---- */

static const char *row(const struct sweep *s, uint32_t t)
{
	static char out[256];
	struct strbuf b = { 0 };

	for (uint32_t i = 0; i < s->nspace; i++) {
		if (i)
			sb_ch(&b, ',');
		value_text(&b, &s->table[t * s->nspace + i]);
	}
	snprintf(out, sizeof out, "%s", sb_cstr(&b));
	sb_free(&b);
	return out;
}

#define TASK "task t { in lr: float = 0.0; in drop: float = 0.0; in depth: int = 0; in kind: string = \"\"; in width: int = 0; in ep: int = 1; out v: float; run = \"\"\"echo 1 > \"$v\" \"\"\" }\n"

static struct sweep *sweep_of(struct ir *m)
{
	return m->entry->body->nodes.v[0]->u.sweep;
}

START_TEST(sweep_random)
{
	static const char *const want[] = {
		"0.06127216832963629,0.5748521682342278,7,dart,32", "0.018244231140654852,0.6256315033012909,11,goss,32", "0.03269772974219335,0.7302079329196471,5,dart,48",
		"0.049122723640233214,0.3657470452833728,6,goss,32", "0.06343286255734384,0.6974592390393861,4,gbdt,32", "0.011719354796202182,0.27040951134669744,4,goss,32",
		"0.2782996609365449,0.6916472331545162,6,gbdt,16", "0.07408997467145152,0.7330838412219967,11,gbdt,64",
	};
	struct ir *m = load(TASK "workflow w { sweep s = t(lr = log_uniform(1e-3, 3e-1), drop = uniform(0.25, 0.75), depth = int_uniform(3, 11), kind = choice(\"gbdt\", \"dart\", \"goss\"),"
		" width = steps(16, 70, 16)) { search = random(trials = 8, seed = 7); maximize = v } }\n");

	ck_assert_int_eq(run(m, NULL), 0);
	ck_assert_uint_eq(sweep_of(m)->ntable, 8);
	for (uint32_t i = 0; i < 8; i++)
		ck_assert_str_eq(row(sweep_of(m), i), want[i]);
	ck_assert(m->props & IR_SWEPT);
	ck_assert(said("'s' has 8 trials drawn with seed 7"));
}
END_TEST

START_TEST(sweep_grid)
{
	static const char *const want[] = { "x,1,10", "x,1,14", "x,1,18", "x,2,10", "x,2,14", "x,2,18", "y,1,10", "y,1,14", "y,1,18", "y,2,10", "y,2,14", "y,2,18" };
	struct ir *m = load(TASK "workflow w { sweep s = t(kind = choice(\"x\", \"y\"), depth = choice(1, 2), width = steps(10, 20, 4)) { search = grid(); maximize = v } }\n");

	ck_assert_int_eq(run(m, "sweep"), 0);
	ck_assert_uint_eq(sweep_of(m)->ntable, 12);
	for (uint32_t i = 0; i < 12; i++)
		ck_assert_str_eq(row(sweep_of(m), i), want[i]);
	ck_assert(said("12 trials, 2 of kind x 2 of depth x 3 of width"));
}
END_TEST

static void points(const char *steps, uint32_t n, const char *last)
{
	struct strbuf b = { 0 };
	struct ir *m;

	sb_f(&b, TASK "workflow w { sweep s = t(lr = steps(%s)) { search = grid(); maximize = v } }\n", steps);
	m = load(sb_cstr(&b));
	ck_assert_int_eq(run(m, NULL), 0);
	ck_assert_uint_eq(sweep_of(m)->ntable, n);
	ck_assert_str_eq(row(sweep_of(m), n - 1), last);
	sb_free(&b);
}

START_TEST(sweep_steps)
{
	points("0.0, 1.0, 0.1", 11, "1");
	points("0.1, 0.3, 0.1", 3, "0.30000000000000004");
	points("0.1, 0.29, 0.1", 2, "0.2");
	points("0.5, 0.5, 1.0", 1, "0.5");
	points("0.0, 0.7, 0.1", 8, "0.7000000000000001");
	points("1e-3, 1e-2, 1e-3", 10, "0.010000000000000002");
	points("1000000.1, 1000000.3, 0.1", 3, "1000000.2999999999");
}
END_TEST

START_TEST(sweep_halving)
{
	struct ir *m = load(TASK "workflow w { sweep s = t(lr = uniform(0.0, 1.0)) { search = halving(trials = 20, factor = 3, budget = ep, min = 1, max = 10); maximize = v } }\n");
	const struct sweep *s = sweep_of(m);

	ck_assert_int_eq(run(m, NULL), 0);
	ck_assert_uint_eq(s->ntable, 20);
	ck_assert_uint_eq(s->nrungs, 4);
	ck_assert(s->rungs[0].n == 20 && s->rungs[0].budget == 1 && s->rungs[1].n == 7 && s->rungs[1].budget == 3);
	ck_assert(s->rungs[2].n == 3 && s->rungs[2].budget == 9 && s->rungs[3].n == 1 && s->rungs[3].budget == 10);
	ck_assert_str_eq(row(s, 0), "0.6524484863740322");
	ck_assert(said("in rungs: 20 at ep 1, 7 at ep 3, 3 at ep 9, 1 at ep 10"));
}
END_TEST

START_TEST(sweep_counted_first)
{
	struct ir *m = load(TASK "workflow w { sweep s = t(lr = choice(0.1, 0.2)) { search = random(trials = 10); maximize = v } }\n");
	struct sweep *s = sweep_of(m);

	s->trials = INT64_C(1000000000000);
	ck_assert_int_eq(run(m, NULL), -1);
	ck_assert_int_eq(first_error(), CW0514);
	ck_assert_ptr_null(s->table);
	s->search = SEARCH_GRID;
	s->space[0] = (struct dist){ .name = s->space[0].name, .kind = DIST_STEPS, .type = type_of(T_FLOAT), .lo = 0, .hi = 1e12, .by = 1 };
	ck_assert_int_eq(run(m, NULL), -1);
	s->space[0].by = 0;
	ck_assert_int_eq(run(m, NULL), -1);
	s->space[0].by = 1e-320;
	ck_assert_int_eq(run(m, NULL), -1);
	ck_assert_ptr_null(s->table);
	ck_assert_uint_lt(arena_size(arena), 4u << 20);
}
END_TEST

/* ---- reduce ---- */

static uint32_t after_of(struct ir *m, const char *name)
{
	return find(m->entry->body, name)->nafter;
}

#define STEP_V(name, more) "  step " name " { out v: int = stdout; " more " run = \"\"\"echo 1\"\"\" }\n"

START_TEST(reduce_firm)
{
	struct ir *m = load("workflow w {\n"
		STEP_V("a", "") STEP_V("b", "after = [a];") STEP_V("c", "after = [a, b];") STEP_V("d", "in x = c.v; after = [a, c];")
		STEP_V("soft", "after = [a?, c];") STEP_V("only_soft", "after = [a?, soft?];") STEP_V("lazy", "in x = a.v > 0 ? b.v : 1; after = [b];")
		STEP_V("loose", "allow_failure = true; in x = a.v;") STEP_V("past_loose", "in x = loose.v ?? 1; after = [a];")
		"}\n");

	ck_assert_int_eq(run(m, "reduce"), 0);
	ck_assert_uint_eq(after_of(m, "b"), 1);
	ck_assert_uint_eq(after_of(m, "c"), 1);                    /* a through b */
	ck_assert_uint_eq(after_of(m, "d"), 0);                    /* c is read, a is before c */
	ck_assert_uint_eq(after_of(m, "soft"), 1);
	ck_assert(str_eq(find(m->entry->body, "soft")->after[0].node->name, "c"));
	ck_assert_uint_eq(after_of(m, "only_soft"), 2);            /* soft waits may be cut short: no path through them */
	ck_assert_uint_eq(after_of(m, "lazy"), 1);                 /* b may not be read */
	ck_assert_uint_eq(after_of(m, "past_loose"), 1);           /* a may fail without holding it back */
	ck_assert(said("'c' follows 'a' through what it needs besides"));
	ck_assert(said("'d' reads a value of 'c'"));
	ck_assert(said("order edges are implied by others"));
}
END_TEST

START_TEST(reduce_regions)
{
	struct ir *m = load("workflow w {\n  param p: bool = true\n"
		STEP_V("a", "") STEP_V("z", "")
		"  if p { step in1 { in x = a.v; out v: int = stdout; run = \"\"\"echo 1\"\"\" } }\n"
		STEP_V("after_if", "after = [in1, a];")
		"  for i in range(0, a.v) { step each { in i; out v: int = stdout; run = \"\"\"echo 1\"\"\" }; step more { after = [each, z];" RUN "} }\n"
		STEP_V("gathers", "in xs = each.v; after = [a];")
		"}\n");

	ck_assert_int_eq(run(m, "reduce"), 0);
	ck_assert_uint_eq(after_of(m, "after_if"), 2);             /* the branch may not be taken */
	ck_assert_uint_eq(after_of(m, "gathers"), 1);              /* a `for`: what one of its steps gathers is no end */
}
END_TEST

static uint64_t rnd(uint64_t *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 7;
	*s ^= *s << 17;
	return *s;
}

static void closure(struct graph *g, bool *reach)
{
	uint32_t n = g->nodes.n;

	memset(reach, 0, n * n);
	for (uint32_t v = 0; v < n; v++)
		for (uint32_t j = 0; j < g->nodes.v[v]->nafter; j++) {
			uint32_t p = g->nodes.v[v]->after[j].node->id;

			reach[p * n + v] = true;
			for (uint32_t u = 0; u < n; u++)
				reach[u * n + v] |= reach[u * n + p];
		}
}

/* Random hard edges: what waits for what stays, and no edge left is implied. */
START_TEST(reduce_keeps_the_order)
{
	uint64_t seed = 99;

	for (int round = 0; round < 200; round++) {
		struct made k = made_new();
		struct ir *m = module_new(&k);
		uint32_t n = 2 + (uint32_t)(rnd(&seed) % 20);
		bool *before = arena_array(k.a, bool, n * n), *now = arena_array(k.a, bool, n * n);
		struct pass_run how = { .list = "reduce" };
		struct target t = { 0 };

		for (uint32_t i = 0; i < n; i++) {
			struct node *x = node_new(&k, m->entry->body, N_STEP, "s");

			for (uint32_t j = 0; j < i; j++)
				if (rnd(&seed) % 3 == 0)
					node_after(&k, x, m->entry->body->nodes.v[j], false);
		}
		closure(m->entry->body, before);
		ck_assert_int_eq(passes_run(m, &t, NULL, &how, m->diag), 0);
		closure(m->entry->body, now);
		ck_assert_mem_eq(before, now, n * n);
		for (uint32_t v = 0; v < n; v++)
			for (uint32_t i = 0; i < m->entry->body->nodes.v[v]->nafter; i++)
				for (uint32_t j = 0; j < m->entry->body->nodes.v[v]->nafter; j++)
					ck_assert(!now[m->entry->body->nodes.v[v]->after[i].node->id * n + m->entry->body->nodes.v[v]->after[j].node->id]);
		arena_free(k.a);
	}
}
END_TEST

/* ---- the frame ---- */

static char ran[256];

static void note(const char *pass, const struct ir *m, void *data)
{
	(void)m;
	(void)data;
	strcat(ran, pass);
	strcat(ran, " ");
}

static const char *order_of(const char *list, int level, const struct backend *b)
{
	struct ir *m;
	struct target t = { b, NULL };
	struct pass_run how = { .list = list, .level = level, .verify = true, .dump = note };

	diag = diag_new(arena);
	m = load("workflow w { step a {" RUN "} }\n");
	ran[0] = '\0';
	return passes_run(m, &t, NULL, &how, diag) ? "error" : ran;
}

/* The names in the table's order, without some: "fold reduce" for -fold,-reduce. only: those that are always run. */
static const char *table(bool only, const char *with, const char *without)
{
	static char out[512];

	out[0] = '\0';
	for (const struct pass *const *p = passes; *p; p++) {
		bool named = with && strstr(with, (*p)->name), gone = without && strstr(without, (*p)->name);

		if (!gone && (!only || (*p)->always || named))
			snprintf(out + strlen(out), sizeof out - strlen(out), "%s ", (*p)->name);
	}
	return out;
}

START_TEST(lists_of_passes)
{
	ck_assert_str_eq(order_of(NULL, 1, NULL), table(false, NULL, NULL));
	ck_assert_str_eq(order_of(NULL, 0, NULL), table(true, NULL, NULL));
	ck_assert_str_eq(order_of("reduce,fold", 1, NULL), table(true, "fold reduce", NULL));
	ck_assert_str_eq(order_of("fold", 1, &engine), table(true, "fold", NULL));
	ck_assert_str_eq(order_of("-reduce", 1, NULL), table(false, NULL, "reduce"));
	ck_assert_str_eq(order_of("-reduce,-fold", 1, &engine), table(false, NULL, "fold reduce"));
	ck_assert_str_eq(order_of("-sweep", 1, NULL), table(false, NULL, "sweep"));
	ck_assert_str_eq(order_of("-sweep", 1, &engine), "error");
	ck_assert_str_eq(order_of("fodl", 1, NULL), "error");
	ck_assert_str_eq(diag->last->mend, "did you mean 'fold'?");
	ck_assert_int_eq(diag->last->code, CW1202);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("passes");
	TCase *tc = tcase_create("passes");
	SRunner *r;
	int bad;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, fold_branches);
	tcase_add_test(tc, fold_chain);
	tcase_add_test(tc, fold_regions);
	tcase_add_test(tc, fold_keeps_what_runs);
	tcase_add_test(tc, fold_errors_and_laziness);
	tcase_add_test(tc, fold_is_deep);
	tcase_add_test(tc, inline_calls);
	tcase_add_test(tc, inline_only_where_needed);
	tcase_add_test(tc, inline_keeps_what_a_group_cannot);
	tcase_add_test(tc, inline_bomb);
	tcase_add_test(tc, sweep_random);
	tcase_add_test(tc, sweep_grid);
	tcase_add_test(tc, sweep_steps);
	tcase_add_test(tc, sweep_halving);
	tcase_add_test(tc, sweep_counted_first);
	tcase_add_test(tc, reduce_firm);
	tcase_add_test(tc, reduce_regions);
	tcase_add_test(tc, reduce_keeps_the_order);
	tcase_add_test(tc, lists_of_passes);
	suite_add_tcase(s, tc);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	bad = srunner_ntests_failed(r);
	srunner_free(r);
	return bad != 0;
}
