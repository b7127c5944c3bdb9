/* The cut of a dataflow against exhaustive search, its family, its speed, and the pass on programs from source text. */
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "couler/elastic.h"
#include "couler/front.h"
#include "couler/pass.h"
#include "graphs.h"

#define MOST 12

static uint64_t state;

static uint32_t pick(uint32_t n)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((state >> 33) % n);
}

static struct cut_graph random_graph(struct arena *a, uint32_t n, uint32_t fan)
{
	struct cut_op *v = arena_array(a, struct cut_op, n);

	for (uint32_t i = 0; i < n; i++) {
		uint32_t m = 1 + pick(fan), k = 0, *from = arena_array(a, uint32_t, m);

		for (uint32_t j = 0; j < m; j++) {
			uint32_t f = i && pick(8) ? (i > 6 && pick(2) ? i - 1 - pick(6) : pick(i)) : UINT32_MAX, at = 0;

			while (at < k && from[at] != f)
				at++;
			if (at == k)
				from[k++] = f;
		}
		v[i] = (struct cut_op){ .from = from, .nfrom = k, .cpu = pick(4) ? (int64_t)pick(50) : 0, .bytes = (int64_t)pick(40), .pinned = i + 1 == n || !pick(10) };
		for (uint32_t j = 0; j < k; j++)
			v[i].pinned |= from[j] != UINT32_MAX && v[from[j]].pinned;
	}
	return (struct cut_graph){ v, n, (int64_t)pick(60) };
}

/* Bytes and CPU of a set of operators, straight from the definition; false: not closed, or a pinned operator is in it. */
static bool by_definition(const struct cut_graph *g, uint32_t set, int64_t *bytes, int64_t *cpu)
{
	uint32_t read = 0;
	bool source = false;

	*bytes = *cpu = 0;
	for (uint32_t i = 0; i < g->n; i++) {
		bool in = set >> i & 1;

		if (in && g->op[i].pinned)
			return false;
		*cpu += in ? 0 : g->op[i].cpu;
		for (uint32_t k = 0; k < g->op[i].nfrom; k++) {
			uint32_t f = g->op[i].from[k];
			bool there = f == UINT32_MAX || set >> f & 1;

			if (in && !there)
				return false;
			if (!in && f == UINT32_MAX)
				source = true;
			else if (!in && there)
				read |= 1u << f;
		}
	}
	*bytes = source ? g->source_bytes : 0;
	for (uint32_t i = 0; i < g->n; i++)
		*bytes += read >> i & 1 ? g->op[i].bytes : 0;
	return true;
}

static int64_t least(const struct cut_graph *g, int64_t p, int64_t q, uint32_t *largest)
{
	int64_t best = INT64_MAX;

	*largest = 0;
	for (uint32_t s = 0; s < 1u << g->n; s++) {
		int64_t b, c, cost;

		if (!by_definition(g, s, &b, &c))
			continue;
		cost = q ? q * b + p * c : c * 100000 + b;
		if (cost < best)
			*largest = 0;
		if (cost <= best) {
			best = cost;
			*largest |= s;                              /* minimum cuts form a lattice: their union is one */
		}
	}
	return best;
}

static void equal_to_search(const struct cut_graph *g, struct arena *a, int64_t p, int64_t q)
{
	struct cut c = cut_min(a, g, p, q);
	uint32_t set = 0, largest;
	int64_t b, cpu;

	for (uint32_t i = 0; i < g->n; i++)
		set |= (uint32_t)c.on_worker[i] << i;
	ck_assert(by_definition(g, set, &b, &cpu));
	ck_assert_int_eq(b, c.bytes);
	ck_assert_int_eq(cpu, c.cpu);
	ck_assert_int_eq(q ? q * b + p * cpu : cpu * 100000 + b, least(g, p, q, &largest));
	ck_assert_uint_eq(set, largest);
}

START_TEST(exhaustive)
{
	state = 42;
	for (int round = 0; round < 4000; round++) {
		struct arena *a = arena_new();
		struct cut_graph g = random_graph(a, 1 + pick(round % 10 ? 9 : MOST), 3);

		equal_to_search(&g, a, 0, 1);
		equal_to_search(&g, a, 1, 0);
		equal_to_search(&g, a, 1 + (int64_t)pick(30), 1 + (int64_t)pick(30));
		arena_free(a);
	}
}
END_TEST

/* The family is the lower hull of all closed sets, from the fewest bytes on, and nested. */
START_TEST(family)
{
	state = 7;
	for (int round = 0; round < 1500; round++) {
		struct arena *a = arena_new();
		struct cut_graph g = random_graph(a, 2 + pick(9), 3);
		struct cut f[MOST + 2];
		uint32_t n = cut_family(a, &g, f, MOST + 2), largest;

		ck_assert_uint_ge(n, 1);
		ck_assert_uint_le(n, g.n + 1);
		ck_assert_int_eq(f[0].bytes, least(&g, 0, 1, &largest));
		for (uint32_t k = 1; k < n; k++) {
			int64_t p = f[k].bytes - f[k - 1].bytes, q = f[k - 1].cpu - f[k].cpu;

			ck_assert_int_gt(p, 0);
			ck_assert_int_gt(q, 0);
			ck_assert_int_eq(q * f[k].bytes + p * f[k].cpu, least(&g, p, q, &largest));
			for (uint32_t i = 0; i < g.n; i++)
				ck_assert(!f[k - 1].on_worker[i] || f[k].on_worker[i]);
		}
		arena_free(a);
	}
}
END_TEST

/* What is chosen has the best rate of the family, and no cut of the family with that rate sends fewer bytes. */
START_TEST(choice)
{
	state = 99;
	for (int round = 0; round < 3000; round++) {
		struct arena *a = arena_new();
		struct cut_graph g = random_graph(a, 2 + pick(10), 3);
		struct cut f[MOST + 2], c;
		struct cut_room r = { 1 + pick(4), 1 + pick(16), pick(3) ? (double)pick(60) * 1e-9 : 0, pick(2), pick(2) ? (1 + (double)pick(100)) * 1e8 : 0 };
		uint32_t n = cut_family(a, &g, f, MOST + 2);
		double best = 0, rate;

		c = cut_choose(a, &g, &r);
		rate = cut_rate(&g, &c, &r);
		for (uint32_t k = 0; k < n; k++)
			if (cut_rate(&g, &f[k], &r) > best)
				best = cut_rate(&g, &f[k], &r);
		ck_assert(rate >= best * (1 - 1e-6));
		for (uint32_t k = 0; k < n; k++)
			ck_assert(f[k].bytes >= c.bytes || cut_rate(&g, &f[k], &r) < best * (1 - 1e-9));
		arena_free(a);
	}
}
END_TEST

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define SLOWER 20                         /* an instrumented build is not what the bound is about */
#endif
#endif
#ifndef SLOWER
#define SLOWER 1
#endif

START_TEST(ten_thousand)
{
	struct cut_room r = { 4, 32, 20e-9, true, 1e9 };

	state = 3;
	for (int shape = 0; shape < 4; shape++) {
		struct arena *a = arena_new();
		struct cut_graph g = random_graph(a, 10000, shape == 0 ? 1 : (uint32_t)shape * 2);
		struct cut c;
		double t;

		for (uint32_t i = 0; i + 1 < g.n; i++) {
			((struct cut_op *)(uintptr_t)g.op)[i].pinned = i >= 9990;
			if (!shape)
				((uint32_t *)(uintptr_t)g.op[i].from)[0] = i ? i - 1 : UINT32_MAX;      /* a chain */
		}
		t = seconds();
		c = cut_choose(a, &g, &r);
		t = seconds() - t;
		ck_assert_msg(t < SLOWER, "shape %d: %.2f s", shape, t);
		ck_assert_uint_le(c.nworker, 9990);
		arena_free(a);
	}
}
END_TEST

/* ---- the pass ---- */

static struct arena *arena;
static struct diag *diag;

static struct ir *load(const char *text)
{
	char path[] = "/tmp/couler-test-XXXXXX.cw";
	int fd = mkstemps(path, 3), status = 0;
	struct front_opts o = { 0 };
	struct strtab *strs;
	struct ir *m;

	arena = arena_new();
	strs = strtab_new(arena);
	diag = diag_new(arena);
	diag->remarks = true;
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	m = front(arena, strs, diag, path, &o, &status);
	unlink(path);
	return m;
}

static const struct ir_dataflow *pass(struct ir *m, const char *cut)
{
	struct optset *o = optset_new(arena);
	struct target t = { NULL, o };
	struct pass_run how = { .list = "disaggregate", .level = 1, .verify = true };

	if (cut)
		ck_assert_int_eq(optset_set(o, "disaggregate", pass_find("disaggregate")->opts, "cut", cut, diag), 0);
	ck_assert_int_eq(passes_run(m, &t, o, &how, diag), 0);
	return m->tasks.v[0]->dataflow;
}

static bool remarked(const char *words)
{
	for (const struct diag_item *i = diag->first; i; i = i->next)
		if (strstr(i->msg, words))
			return true;
	return false;
}

#define TASK(ops, workers) "task fit { in shards: dir; out model: file; resources { cpu = 1; gpu = 1 }\n dataflow {\n source records = split(shards)\n" ops \
	"\n" workers " } }\nworkflow w { step fit = fit(shards = \"data\") }\n"

START_TEST(pass_moves)
{
	const struct ir_dataflow *f = pass(load(TASK(
		"op parse { from = records; run = \"\"\"cat\"\"\"; cpu = 1ms; bytes = 12KB }\n op cross { from = parse; run = \"\"\"cat\"\"\"; cpu = 2ms; bytes = 9KB }\n"
		"op embed { from = cross; uses_model = true; run = \"\"\"cat\"\"\" }\n op rank { from = embed; run = \"\"\"cat\"\"\" }\n trainer { from = rank; run = \"\"\"cat > \"$model\" \"\"\" }",
		"workers { min = 1; max = 8 }")), NULL);

	ck_assert(f->on_worker[0] && f->on_worker[1] && !f->on_worker[2] && !f->on_worker[3] && !f->on_worker[4]);
	ck_assert(remarked("'embed' stays with the trainer: it uses the model"));
	ck_assert(remarked("'rank' stays with the trainer: rank <- embed, which uses the model"));
	ck_assert(remarked("'fit' runs parse, cross on the workers"));
	arena_free(arena);
}
END_TEST

/* One worker with one core gives nothing that the trainer's own core does not. */
START_TEST(pass_keeps)
{
	const char *ops = TASK("op parse { from = records; run = \"\"\"cat\"\"\"; cpu = 1ms; bytes = 12KB }\n trainer { from = parse; run = \"\"\"cat > \"$model\" \"\"\" }", "");
	const struct ir_dataflow *f = pass(load(ops), NULL);

	ck_assert(!f->on_worker[0] && !f->on_worker[1]);
	ck_assert(remarked("a gain below 10 %"));
	arena_free(arena);
	f = pass(load(ops), "all");
	ck_assert(f->on_worker[0] && !f->on_worker[1]);
	arena_free(arena);
	f = pass(load(TASK("op parse { from = records; run = \"\"\"cat\"\"\"; cpu = 1ms }\n trainer { from = parse; run = \"\"\"cat > \"$model\" \"\"\" }", "workers { max = 8 }")), "none");
	ck_assert(!f->on_worker[0]);
	arena_free(arena);
}
END_TEST

START_TEST(pass_roots)
{
	const struct ir_dataflow *f = pass(load(TASK(
		"op a { from = records; run = \"\"\"cat\"\"\" }\n op b { from = records; run = \"\"\"cat\"\"\"; ordered = true }\n op c { from = [a, b]; run = \"\"\"cat\"\"\" }\n"
		"op d { from = a; run = \"\"\"cat\"\"\"; singleton = true }\n trainer { from = [c, d]; run = \"\"\"cat > \"$model\" \"\"\" }", "workers { max = 8 }")), NULL);

	ck_assert(f->on_worker[0] && !f->on_worker[1] && !f->on_worker[2] && !f->on_worker[3]);
	ck_assert(remarked("'b' stays with the trainer: it needs the records in order"));
	ck_assert(remarked("'c' stays with the trainer: c <- b, which needs the records in order"));
	ck_assert(remarked("'d' stays with the trainer: it may be there only once"));
	ck_assert(remarked("no figures were given"));
	arena_free(arena);
	f = pass(load(TASK("op a { from = records; uses_model = true }\n trainer { from = a; run = \"\"\"cat > \"$model\" \"\"\" }", "workers { max = 8 }")), NULL);
	ck_assert(!f->on_worker[0]);
	ck_assert(remarked("every operator depends on the model"));
	arena_free(arena);
	ck_assert_ptr_null(load(TASK("op a { from = records; uses_model = true }\n op b { from = a; run = \"\"\"cat\"\"\" }\n trainer { from = b; run = \"\"\"cat\"\"\" }", "")));
	ck_assert(remarked("'b' has a script, but reads 'a', which happens inside the trainer"));
	arena_free(arena);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("cut");
	TCase *t = tcase_create("cut");
	SRunner *r;
	int bad;

	tcase_set_timeout(t, 120);
	tcase_add_test(t, exhaustive);
	tcase_add_test(t, family);
	tcase_add_test(t, choice);
	tcase_add_test(t, ten_thousand);
	tcase_add_test(t, pass_moves);
	tcase_add_test(t, pass_keeps);
	tcase_add_test(t, pass_roots);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	bad = srunner_ntests_failed(r);
	srunner_free(r);
	return bad ? 1 : 0;
}
