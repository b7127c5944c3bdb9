/* Intent assertions about regions: searches, fan-outs, conditions. */
#include "intent.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define GET json_object_get

/* The index of a node inside the region that a selector means by name or body, after `from`; -1. */
static int inside_next(struct prog *p, uint32_t region, json_t *sel, uint32_t from)
{
	bool *hit = it_marks(p);

	if (sel)
		it_choose(p, sel, true, hit);
	for (uint32_t i = from; i < p->n; i++)
		if ((!sel || hit[i]) && it_within(p, i, region))
			return (int)i;
	return -1;
}

static bool holds(struct prog *p, uint32_t region, json_t *sel)
{
	return inside_next(p, region, sel, 0) >= 0;
}

/* ---- searches and fan-outs ---- */

static bool dimension_fits(struct prog *p, json_t *d, json_t *want)
{
	json_t *values = GET(d, "values"), *w, *v;
	double lo, hi, n;
	size_t i, k;

	if (!it_need(p, want, "lo hi log int values"))
		return false;
	if (GET(want, "values")) {
		lo = json_number_value(GET(d, "lo"));
		hi = json_number_value(GET(d, "hi"));
		n = values ? (double)json_array_size(values) : !strcmp(it_str_at(d, "dist"), "int_uniform") ? hi - lo + 1 : -1;
		if (n != (double)json_array_size(GET(want, "values")))
			return false;
		json_array_foreach(GET(want, "values"), i, w) {
			bool there = !values && json_number_value(w) >= lo && json_number_value(w) <= hi;

			json_array_foreach(values, k, v) {
				there = there || it_same(v, "x", w);
			}
			if (!there)
				return false;
		}
		return true;
	}
	lo = json_number_value(GET(d, "lo"));
	hi = json_number_value(GET(d, "hi"));
	if (values && json_is_true(GET(want, "int")) && (double)json_array_size(values) == json_number_value(GET(want, "hi")) - json_number_value(GET(want, "lo")) + 1) {
		lo = json_number_value(GET(want, "lo"));
		hi = json_number_value(GET(want, "hi"));
		json_array_foreach(values, k, v) {
			if (!json_is_number(v) || json_number_value(v) < lo || json_number_value(v) > hi)
				return false;
		}
	} else if (values) {
		return false;
	}
	return it_near_to(lo, json_number_value(GET(want, "lo"))) && it_near_to(hi, json_number_value(GET(want, "hi"))) && (!json_is_true(GET(want, "log")) || !strcmp(it_str_at(d, "dist"), "log_uniform")) &&
		(!json_is_true(GET(want, "int")) || values || !strcmp(it_str_at(d, "dist"), "int_uniform"));
}

double it_grid_size(json_t *node)
{
	double n = 1;
	const char *key;
	json_t *d;

	json_object_foreach(GET(node, "space"), key, d) {
		double by = json_number_value(GET(d, "by")), range = json_number_value(GET(d, "hi")) - json_number_value(GET(d, "lo"));

		n *= GET(d, "values") ? (double)json_array_size(GET(d, "values")) : by > 0 ? floor(range / by + 1e-9) + 1 : 0;
	}
	return n;
}

static bool space_fits(struct prog *p, json_t *node, json_t *arg)
{
	json_t *space = GET(node, "space"), *want, *d;
	const char *pattern, *key;
	size_t i;

	json_array_foreach(GET(arg, "params"), i, want) {
		bool there = false;

		json_object_foreach(space, key, d) {
			there = there || it_like(p, want, it_plain(p, key));
		}
		if (!there)
			return false;
	}
	json_object_foreach(GET(arg, "space"), pattern, want) {
		bool there = false;

		json_object_foreach(space, key, d) {
			there = there || (it_rx(p, pattern, it_plain(p, key)) && dimension_fits(p, d, want));
		}
		if (!there)
			return false;
	}
	return true;
}

static bool sweep_fits(struct prog *p, uint32_t at, json_t *arg, struct strbuf *why)
{
	static const char *const keys[] = { "trials", "seed", "max_failed", "goal", "factor", "min", "max" };
	json_t *n = p->node[at], *limit = GET(n, "max_parallel");
	bool *hit = it_marks(p);

	if (GET(arg, "of") && !(it_choose(p, GET(arg, "of"), true, hit) && hit[at]))
		return it_say(why, "it is a search over another task");
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (GET(arg, keys[i]) && (!GET(n, keys[i]) || !it_same(GET(n, keys[i]), "x", GET(arg, keys[i]))))
			return it_say(why, "%s is another", keys[i]);
	if (GET(arg, "search") && !it_listed_string(GET(arg, "search"), it_str_at(n, "search")))
		return it_say(why, "search is %s", it_str_at(n, "search"));
	if (!limit || json_is_null(limit))
		limit = it_dig(GET(p->doc, "settings"), "max_parallel");
	if (GET(arg, "max_parallel") && (!limit || json_is_null(limit) || !it_same(limit, "x", GET(arg, "max_parallel"))))
		return it_say(why, "max_parallel is another");
	if (GET(arg, "objective") && strcmp(it_str_at(n, "objective"), it_str_at(arg, "objective")) != 0)
		return it_say(why, "the objective is %s", it_str_at(n, "objective"));
	if (!it_like(p, GET(arg, "metric_like"), it_plain(p, it_str_at(n, "metric"))))
		return it_say(why, "the metric is '%s'", it_str_at(n, "metric"));
	if (GET(arg, "grid_size") && (strcmp(it_str_at(n, "search"), "grid") != 0 || it_grid_size(n) != json_number_value(GET(arg, "grid_size"))))
		return it_say(why, "the grid has another size");
	return space_fits(p, n, arg) || it_say(why, "the space is another");
}

bool rule_sweep(struct prog *p, json_t *arg, struct strbuf *why)
{
	if (!it_need(p, arg, "params space trials search seed objective metric_like max_parallel max_failed goal factor min max grid_size of"))
		return false;
	it_say(why, "there is no sweep");
	for (uint32_t i = 0; i < p->n; i++)
		if (it_is_kind(p->node[i], "sweep") && sweep_fits(p, i, arg, why))
			return true;
	return false;
}

/* How often a node runs; -1 if only the run can tell. */
static double multiplicity(const struct prog *p, uint32_t i)
{
	double n = 1;

	if (it_is_kind(p->node[i], "sweep"))
		n = json_number_value(GET(p->node[i], "trials")) > 0 ? json_number_value(GET(p->node[i], "trials")) : it_grid_size(p->node[i]);
	for (int k = p->parent[i]; k >= 0; k = p->parent[k])
		if (it_is_kind(p->node[k], "for")) {
			json_t *c = GET(GET(p->node[k], "over"), "count");

			if (!json_is_number(c))
				return -1;
			n *= json_number_value(c);
		}
	return n;
}

static bool limit_is(json_t *got, json_t *want)
{
	return got && !json_is_null(got) && it_same(got, "x", want);
}

bool rule_limit_parallel(struct prog *p, json_t *arg, struct strbuf *why)
{
	bool *hit = it_marks(p);
	json_t *want = GET(arg, "eq"), *lock;
	size_t k;

	if (!it_need(p, arg, "of eq"))
		return false;
	it_choose(p, GET(arg, "of"), true, hit);
	for (uint32_t i = 0; i < p->n; i++) {
		if (!hit[i])
			continue;
		if (limit_is(GET(p->node[i], "max_parallel"), want) || limit_is(it_dig(GET(p->doc, "settings"), "max_parallel"), want))
			return true;
		for (int r = p->parent[i]; r >= 0; r = p->parent[r])
			if (it_is_kind(p->node[r], "for sweep loop") && limit_is(GET(p->node[r], "max_parallel"), want))
				return true;
		json_array_foreach(GET(p->node[i], "locks"), k, lock) {
			if (limit_is(GET(lock, "size"), want))
				return true;
		}
	}
	return it_say(why, "nothing bounds it");
}

bool rule_fanout(struct prog *p, json_t *arg, struct strbuf *why)
{
	bool *hit = it_marks(p), ok = false;
	double want = json_number_value(GET(arg, "count")), sum = 0, ones = 0;

	if (!it_need(p, arg, "of count max_parallel"))
		return false;
	it_choose(p, GET(arg, "of"), true, hit);
	for (uint32_t i = 0; i < p->n; i++) {
		bool inner = false;
		double m;

		for (int r = p->parent[i]; r >= 0; r = p->parent[r])
			inner = inner || (hit[r] && it_is_kind(p->node[r], "group"));
		if (!hit[i] || inner || !it_is_kind(p->node[i], "step sweep group"))
			continue;
		m = multiplicity(p, i);
		ok = ok || m < 0 || m == want;
		sum += m > 0 ? m : 0;
		ones += m == 1;
	}
	if (!ok && sum != want && ones < want)
		return it_say(why, "it runs %g times", sum);
	if (GET(arg, "max_parallel")) {
		json_t *q = json_pack("{s:O, s:O}", "of", GET(arg, "of"), "eq", GET(arg, "max_parallel"));

		ok = rule_limit_parallel(p, q, why);
		json_decref(q);
		return ok;
	}
	return true;
}

bool rule_foreach(struct prog *p, json_t *arg, struct strbuf *why)
{
	if (!it_need(p, arg, "contains runtime over count max_parallel nested"))
		return false;
	it_say(why, "there is no for");
	for (uint32_t i = 0; i < p->n; i++) {
		json_t *over = GET(p->node[i], "over"), *count = GET(over, "count");
		bool nested = false;

		if (!it_is_kind(p->node[i], "for"))
			continue;
		for (int r = p->parent[i]; r >= 0; r = p->parent[r])
			nested = nested || it_is_kind(p->node[r], "for");
		if (json_is_true(GET(arg, "runtime")) && strcmp(it_str_at(over, "kind"), "runtime") != 0)
			it_say(why, "it runs over a %s list", it_str_at(over, "kind"));
		else if (!it_like(p, GET(arg, "over"), it_plain(p, it_str_at(over, "text"))))
			it_say(why, "it runs over another list");
		else if (GET(arg, "count") && json_is_number(count) && json_number_value(count) != json_number_value(GET(arg, "count")))
			it_say(why, "it runs over %g elements", json_number_value(count));
		else if (GET(arg, "contains") && !holds(p, i, GET(arg, "contains")))
			it_say(why, "it holds no such step");
		else if (json_is_true(GET(arg, "nested")) && !nested)
			it_say(why, "it is not nested");
		else if (GET(arg, "max_parallel") && !limit_is(GET(p->node[i], "max_parallel"), GET(arg, "max_parallel")) && !limit_is(it_dig(GET(p->doc, "settings"), "max_parallel"), GET(arg, "max_parallel")))
			it_say(why, "max_parallel is another");
		else
			return true;
	}
	return false;
}

bool rule_task_reused(struct prog *p, json_t *arg, struct strbuf *why)
{
	double want = GET(arg, "min") ? json_number_value(GET(arg, "min")) : 2;

	if (!it_need(p, arg, "task_like min"))
		return false;
	for (uint32_t i = 0; i < p->n; i++) {
		const char *task = it_str_at(p->node[i], "calls");
		double total = 0;
		bool named = *task && it_like(p, GET(arg, "task_like"), it_plain(p, task));

		for (uint32_t k = 0; *task && k < p->n; k++)
			if (!strcmp(it_str_at(p->node[k], "calls"), task)) {
				double m = multiplicity(p, k);

				total += m < 0 ? 1e6 : m;
				named = named || it_like(p, GET(arg, "task_like"), it_plain(p, it_str_at(p->node[k], "name")));
			}
		if (named && total >= want)
			return true;
	}
	return it_say(why, "no such task is used that often");
}

/* ---- conditions ---- */

/* Whether a comparison with the stated number points the stated way; negate: of a branch before. */
static void direction(json_t *cmps, json_t *arg, bool negate, bool *known, bool *right)
{
	const char *when = it_str_at(arg, "when");
	bool up = *when == '>';
	json_t *c, *n;
	size_t i;

	json_array_foreach(cmps, i, c) {
		const char *op = it_str_at(c, "op");

		n = GET(c, "number");
		if (!json_is_number(n) || *op == '=' || *op == '!' || (GET(arg, "number") && !it_any_near(GET(arg, "number"), json_number_value(n))))
			continue;
		*known = true;
		*right = *right || ((*op == '>') != negate) == up;
	}
}

static int branch_of(const struct prog *p, uint32_t region, uint32_t i)
{
	for (int k = (int)i; k >= 0; k = p->parent[k])
		if (p->parent[k] == (int)region)
			return (int)json_integer_value(GET(p->node[k], "branch"));
	return -1;
}

static bool branch_right(struct prog *p, uint32_t region, int branch, json_t *arg)
{
	bool known = false, right = false;
	json_t *b;
	size_t i;

	json_array_foreach(GET(p->node[region], "branches"), i, b) {
		if ((int)i <= branch)
			direction(GET(GET(b, "cond"), "cmps"), arg, (int)i < branch, &known, &right);
	}
	return right || !known;
}

static bool reads(struct prog *p, uint32_t region, json_t *sel)
{
	bool *hit = it_marks(p), *seen = it_marks(p);
	json_t *b;
	size_t i;

	it_choose(p, sel, true, hit);
	for (uint32_t k = 0; k < p->n; k++) {
		if (!hit[k])
			continue;
		it_after_set(p, k, seen);
		json_array_foreach(GET(p->node[region], "branches"), i, b) {
			json_t *refs = GET(GET(b, "cond"), "refs");

			for (uint32_t j = 0; j < p->n; j++)
				if ((j == k || seen[j]) && it_listed_string(refs, it_str_at(p->node[j], "id")))
					return true;
		}
	}
	return false;
}

static bool if_number(struct prog *p, uint32_t region, json_t *want)
{
	json_t *b, *v;
	size_t i, k;
	bool some = false;

	json_array_foreach(GET(p->node[region], "branches"), i, b) {
		json_array_foreach(GET(GET(b, "cond"), "numbers"), k, v) {
			some = true;
			if (it_any_near(want, json_number_value(v)))
				return true;
		}
	}
	return !some && it_number_in_text(p, want);
}

static bool exits(struct prog *p, json_t *node)
{
	return it_rx(p, "\\bexit\\s+[1-9]|sys\\.exit", it_str_at(node, "text"));
}

/* Whether some a in `held` (all inside if there is none) stands in another branch than some b. */
static bool in_other_branch(struct prog *p, uint32_t region, json_t *contains, json_t *other, bool fails)
{
	for (int a = inside_next(p, region, contains, 0); a >= 0; a = inside_next(p, region, contains, (uint32_t)a + 1))
		for (int b = inside_next(p, region, other, 0); b >= 0; b = inside_next(p, region, other, (uint32_t)b + 1))
			if (branch_of(p, region, (uint32_t)a) != branch_of(p, region, (uint32_t)b) && (!fails || it_is_kind(p->node[b], "fail") || exits(p, p->node[b])))
				return true;
	return false;
}

static bool if_fits(struct prog *p, uint32_t r, json_t *arg, struct strbuf *why)
{
	json_t *contains = GET(arg, "contains"), *b;
	bool ok = !GET(arg, "text_like");
	size_t i;

	json_array_foreach(GET(p->node[r], "branches"), i, b) {
		ok = ok || it_like(p, GET(arg, "text_like"), it_str_at(GET(b, "cond"), "text"));
	}
	if (!ok)
		return it_say(why, "the condition is another");
	if (GET(arg, "reads") && !reads(p, r, GET(arg, "reads")))
		return it_say(why, "it does not depend on %s", json_is_string(GET(arg, "reads")) ? it_str_at(arg, "reads") : "that");
	if (GET(arg, "number") && !if_number(p, r, GET(arg, "number")))
		return it_say(why, "it compares with another number");
	if (contains && !holds(p, r, contains))
		return it_say(why, "it holds no such step");
	if (GET(arg, "when") && contains) {
		ok = false;
		for (int k = inside_next(p, r, contains, 0); k >= 0; k = inside_next(p, r, contains, (uint32_t)k + 1))
			ok = ok || branch_right(p, r, branch_of(p, r, (uint32_t)k), arg);
		if (!ok)
			return it_say(why, "it stands in the wrong branch");
	}
	if (GET(arg, "otherwise") && !in_other_branch(p, r, contains, GET(arg, "otherwise"), false))
		return it_say(why, "the other branch holds no such step");
	return !json_is_true(GET(arg, "fail_otherwise")) || (contains && in_other_branch(p, r, contains, NULL, true)) || it_say(why, "it does not fail otherwise");
}

bool rule_if(struct prog *p, json_t *arg, struct strbuf *why)
{
	if (!it_need(p, arg, "reads number when contains otherwise text_like fail_otherwise"))
		return false;
	it_say(why, "there is no if");
	for (uint32_t i = 0; i < p->n; i++)
		if (it_is_kind(p->node[i], "if") && if_fits(p, i, arg, why))
			return true;
	return false;
}

bool rule_loop(struct prog *p, json_t *arg, struct strbuf *why)
{
	if (!it_need(p, arg, "max number when contains"))
		return false;
	it_say(why, "there is no loop");
	for (uint32_t i = 0; i < p->n; i++) {
		json_t *c = GET(p->node[i], "cond"), *numbers = GET(c, "numbers"), *want = GET(arg, "number"), *v;
		bool known = false, right = false, fits = false;
		size_t k;

		if (!it_is_kind(p->node[i], "loop"))
			continue;
		json_array_foreach(numbers, k, v) {
			fits = fits || it_any_near(want, json_number_value(v));
		}
		direction(GET(c, "cmps"), arg, false, &known, &right);
		if (GET(arg, "max") && !it_same(GET(p->node[i], "max"), "x", GET(arg, "max")))
			it_say(why, "max is another");
		else if (GET(arg, "contains") && !holds(p, i, GET(arg, "contains")))
			it_say(why, "it holds no such step");
		else if (want && (json_array_size(numbers) ? !fits : !it_number_in_text(p, want)))
			it_say(why, "it compares with another number");
		else if (GET(arg, "when") && known && !right)
			it_say(why, "while points the wrong way");
		else
			return true;
	}
	return false;
}

static bool looks_at_status(struct prog *p, uint32_t r)
{
	for (uint32_t i = 0; i < p->n; i++) {
		bool found = false;
		char *s[2];

		if (i != r && !it_within(p, i, r))
			continue;
		s[0] = json_dumps(GET(p->node[i], "inputs"), JSON_ENCODE_ANY);
		s[1] = json_dumps(GET(p->node[i], "branches"), JSON_ENCODE_ANY);
		for (int k = 0; k < 2; k++) {
			found = found || (s[k] && it_rx(p, "workflow\\.(status|failed_steps)", s[k]));
			free(s[k]);
		}
		if (found || it_rx(p, "workflow\\.(status|failed_steps)", it_str_at(p->node[i], "text")))
			return true;
	}
	return false;
}

static bool on_holds(struct prog *p, const char *event, json_t *contains, bool status)
{
	for (uint32_t i = 0; i < p->n; i++)
		if (it_is_kind(p->node[i], "on") && !strcmp(it_str_at(p->node[i], "event"), event) && holds(p, i, contains) && (!status || looks_at_status(p, i)))
			return true;
	return false;
}

bool rule_on(struct prog *p, json_t *arg, struct strbuf *why)
{
	const char *event = json_is_string(arg) ? json_string_value(arg) : it_str_at(arg, "event");
	json_t *contains = GET(arg, "contains");

	if (json_is_object(arg) && !it_need(p, arg, "event contains"))
		return false;
	return on_holds(p, event, contains, false) || (!strcmp(event, "failure") && on_holds(p, "exit", contains, true)) ||
		(!strcmp(event, "exit") && on_holds(p, "success", contains, false) && on_holds(p, "failure", contains, false)) || it_say(why, "there is no on %s that holds it", event);
}
