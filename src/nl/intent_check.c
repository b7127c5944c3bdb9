/* Intent assertions that look at one node, an attribute, or the text; the table of all. */
#include "intent.h"

#include <stdlib.h>
#include <string.h>

#include "couler/front.h"

#define GET json_object_get

static const char *shown(struct prog *p, json_t *x)
{
	char *s = json_dumps(x, JSON_COMPACT | JSON_ENCODE_ANY);
	const char *r = arena_dup(p->a, s ? s : "null", s ? strlen(s) : 4);

	free(s);
	return r;
}

static uint32_t steps_of(struct prog *p, json_t *arg, bool *hit)
{
	json_t *sel = GET(arg, "step_like"), *any;
	uint32_t k;

	if (sel)
		return it_choose(p, sel, false, hit);
	any = json_pack("{s:s}", "kind", "step sweep");
	k = it_choose(p, any, false, hit);
	json_decref(any);
	return k;
}

/* Whether one that was chosen, or with quantifier "all" each of them, passes. */
static bool quantified(struct prog *p, json_t *arg, const bool *hit, bool (*test)(struct prog *p, json_t *node, json_t *arg))
{
	bool all = !strcmp(it_str_at(arg, "quantifier"), "all"), some = false;

	for (uint32_t i = 0; i < p->n; i++)
		if (hit[i]) {
			bool ok = test(p, p->node[i], arg);

			some = some || ok;
			if (all && !ok)
				return false;
		}
	return some;
}

static bool like_fits(struct prog *p, json_t *got, json_t *spec)
{
	json_t *like = GET(spec, "like");

	return !like || (got && !json_is_null(got) && it_rx(p, it_pattern_of(p, like), json_is_string(got) ? json_string_value(got) : shown(p, got)));
}

/* ---- steps and their order ---- */

static bool rule_has_step(struct prog *p, json_t *arg, struct strbuf *why)
{
	bool *hit = it_marks(p);
	json_int_t min = 1, max = p->n;
	json_t *sel = arg;
	uint32_t k;

	if (json_is_object(arg)) {
		if (GET(arg, "min"))
			min = json_integer_value(GET(arg, "min"));
		if (GET(arg, "max"))
			max = json_integer_value(GET(arg, "max"));
		sel = json_copy(arg);
		json_object_del(sel, "min");
		json_object_del(sel, "max");
	}
	k = it_choose(p, sel, false, hit);
	if (sel != arg)
		json_decref(sel);
	return (k >= min && k <= max) || it_say(why, "%u steps match", k);
}

static bool rule_count_steps(struct prog *p, json_t *arg, struct strbuf *why)
{
	json_int_t k = 0;

	if (!it_need(p, arg, "min max"))
		return false;
	for (uint32_t i = 0; i < p->n; i++)
		k += it_is_kind(p->node[i], "step sweep");
	return (k >= json_integer_value(GET(arg, "min")) && (!GET(arg, "max") || k <= json_integer_value(GET(arg, "max")))) || it_say(why, "%d steps", (int)k);
}

static bool rule_edge(struct prog *p, json_t *arg, struct strbuf *why)
{
	json_t *from = json_is_array(arg) ? json_array_get(arg, 0) : GET(arg, "from"), *to = json_is_array(arg) ? json_array_get(arg, 1) : GET(arg, "to");
	bool *a = it_marks(p), *b = it_marks(p), *seen = it_marks(p);
	uint32_t na, nb;

	if (json_is_object(arg) && !it_need(p, arg, "from to merge_ok"))
		return false;
	if (json_is_true(GET(arg, "merge_ok"))) {
		it_choose(p, from, true, a);
		it_choose(p, to, true, b);
		for (uint32_t i = 0; i < p->n; i++)
			if (a[i] && b[i])
				return true;
	}
	na = it_choose(p, from, false, a);
	nb = it_choose(p, to, false, b);
	for (uint32_t i = 0; i < p->n; i++) {
		if (!a[i])
			continue;
		it_after_set(p, i, seen);
		for (uint32_t k = 0; k < p->n; k++)
			if (b[k] && seen[k])
				return true;
	}
	return it_say(why, "no %s (%u) ends before any %s (%u) starts", shown(p, from), na, shown(p, to), nb);
}

static bool in_for(const struct prog *p, uint32_t i)
{
	for (int k = p->parent[i]; k >= 0; k = p->parent[k])
		if (it_is_kind(p->node[k], "for"))
			return true;
	return false;
}

static bool rule_parallel(struct prog *p, json_t *arg, struct strbuf *why)
{
	bool *a = it_marks(p), *b = it_marks(p), *x = it_marks(p), *y = it_marks(p);

	it_choose(p, json_array_get(arg, 0), false, a);
	it_choose(p, json_array_get(arg, 1), false, b);
	for (uint32_t i = 0; i < p->n; i++) {
		if (!a[i])
			continue;
		it_after_set(p, i, x);
		for (uint32_t k = 0; k < p->n; k++) {
			if (!b[k])
				continue;
			it_after_set(p, k, y);
			if (i == k ? in_for(p, i) : !x[k] && !y[i])
				return true;
		}
	}
	return it_say(why, "one waits for the other");
}

static bool placed(struct prog *p, json_t *arg, bool inside)
{
	bool *hit = it_marks(p);

	if (!it_need(p, arg, "step_like region"))
		return false;
	it_choose(p, GET(arg, "step_like"), false, hit);
	for (uint32_t i = 0; i < p->n; i++) {
		bool in = false;

		for (int k = p->parent[i]; k >= 0; k = p->parent[k])
			in = in || it_listed_string(GET(arg, "region"), it_str_at(p->node[k], "kind"));
		if (hit[i] && in == inside)
			return true;
	}
	return false;
}

static bool rule_inside(struct prog *p, json_t *arg, struct strbuf *why)
{
	return placed(p, arg, true) || it_say(why, "%s is not inside", shown(p, GET(arg, "step_like")));
}

static bool rule_outside(struct prog *p, json_t *arg, struct strbuf *why)
{
	return placed(p, arg, false) || it_say(why, "%s stands only inside, or is not there", shown(p, GET(arg, "step_like")));
}

/* ---- attributes ---- */

static bool attr_fits(struct prog *p, json_t *node, json_t *arg)
{
	const char *path = it_str_at(arg, "path");
	json_t *got = it_dig(node, path);

	return it_compare(got, path, arg) && like_fits(p, got, arg);
}

static bool rule_attr(struct prog *p, json_t *arg, struct strbuf *why)
{
	bool *hit = it_marks(p);

	if (!it_need(p, arg, "step_like path quantifier eq in ge le gt lt like exists"))
		return false;
	steps_of(p, arg, hit);
	return quantified(p, arg, hit, attr_fits) || it_say(why, "%s is another, or there is no such step", it_str_at(arg, "path"));
}

static bool retry_fits(struct prog *p, json_t *node, json_t *arg)
{
	static const char *const keys[] = { "limit", "backoff", "factor", "max_backoff" };
	json_t *r = GET(node, "retry"), *on = GET(arg, "on"), *got = GET(r, "on");
	char path[32];
	size_t i, k;

	(void)p;
	if (!it_is_kind(node, "step sweep"))
		return false;
	for (i = 0; i < 4; i++) {
		snprintf(path, sizeof path, "retry.%s", keys[i]);
		if (GET(arg, keys[i]) && !it_same(GET(r, keys[i]), path, GET(arg, keys[i])))
			return false;
	}
	if (json_is_string(on))
		return !strcmp(json_string_value(on), json_is_string(got) ? json_string_value(got) : got ? "" : "any");
	if (!on)
		return true;
	if (json_array_size(on) != json_array_size(got))
		return false;
	for (i = 0; i < json_array_size(on); i++) {
		for (k = 0; k < json_array_size(got) && !json_equal(json_array_get(on, i), json_array_get(got, k));)
			k++;
		if (k == json_array_size(got))
			return false;
	}
	return true;
}

static bool rule_retry(struct prog *p, json_t *arg, struct strbuf *why)
{
	bool *hit = it_marks(p);

	if (!it_need(p, arg, "step_like limit backoff factor max_backoff on quantifier"))
		return false;
	steps_of(p, arg, hit);
	return quantified(p, arg, hit, retry_fits) || it_say(why, "retry is another, or there is no such step");
}

static bool timeout_fits(struct prog *p, json_t *node, json_t *arg)
{
	(void)p;
	return it_compare(GET(node, "timeout"), "timeout", arg);
}

static bool rule_timeout(struct prog *p, json_t *arg, struct strbuf *why)
{
	bool *hit = it_marks(p);

	if (!it_need(p, arg, "step_like workflow eq in le ge quantifier"))
		return false;
	if (json_is_true(GET(arg, "workflow")))
		return it_compare(it_dig(GET(p->doc, "settings"), "timeout"), "timeout", arg) || it_say(why, "the timeout of the workflow is another");
	it_choose(p, GET(arg, "step_like"), false, hit);
	return quantified(p, arg, hit, timeout_fits) || it_say(why, "timeout is another, or there is no such step");
}

static bool allows(struct prog *p, json_t *node, json_t *arg)
{
	(void)p;
	(void)arg;
	return json_is_true(GET(node, "allow_failure"));
}

static bool rule_allow_failure(struct prog *p, json_t *arg, struct strbuf *why)
{
	bool *hit = it_marks(p);

	if (!it_need(p, arg, "step_like"))
		return false;
	it_choose(p, GET(arg, "step_like"), false, hit);
	return quantified(p, arg, hit, allows) || it_say(why, "its failure fails the run");
}

static bool rule_workflow(struct prog *p, json_t *arg, struct strbuf *why)
{
	const char *path = it_str_at(arg, "path");
	json_t *got = it_dig(GET(p->doc, "settings"), path);

	if (!it_need(p, arg, "path eq in ge le like exists"))
		return false;
	return (it_compare(got, path, arg) && like_fits(p, got, arg)) || it_say(why, "%s is %s", path, got ? shown(p, got) : "not given");
}

/* ---- parameters, outputs, text ---- */

/* 28, 28d and "28" name the same default. */
static bool loose(json_t *got, json_t *want)
{
	json_t *w;
	size_t i;

	if (json_is_array(want)) {
		json_array_foreach(want, i, w) {
			if (loose(got, w))
				return true;
		}
		return false;
	}
	return it_same(got, "x", want) || (json_is_string(want) && it_same(got, "timeout", want));
}

static bool same_choices(json_t *got, json_t *want)
{
	json_t *w, *g;
	size_t i, k;

	if (json_array_size(got) != json_array_size(want))
		return false;
	json_array_foreach(want, i, w) {
		bool there = false;

		json_array_foreach(got, k, g) {
			there = there || it_same(g, "x", w);
		}
		if (!there)
			return false;
	}
	return true;
}

static bool reaches(struct prog *p, const char *name, json_t *sel)
{
	bool *hit = it_marks(p);

	it_choose(p, sel, true, hit);
	for (uint32_t i = 0; i < p->n; i++)
		if (hit[i] && it_listed_string(GET(p->node[i], "params"), name))
			return true;
	return false;
}

static bool rule_param(struct prog *p, json_t *arg, struct strbuf *why)
{
	json_t *q;
	size_t i;
	bool some = false;

	if (!it_need(p, arg, "name_like type default required choices reaches"))
		return false;
	json_array_foreach(GET(p->doc, "params"), i, q) {
		if (!it_rx(p, it_pattern_of(p, GET(arg, "name_like")), it_plain(p, it_str_at(q, "name"))))
			continue;
		some = true;
		if ((!GET(arg, "type") || it_listed_string(GET(arg, "type"), it_str_at(q, "type"))) && (!GET(arg, "required") || json_is_true(GET(q, "required")) == json_is_true(GET(arg, "required"))) &&
		    (!GET(arg, "default") || loose(GET(q, "default"), GET(arg, "default"))) && (!GET(arg, "choices") || same_choices(GET(q, "choices"), GET(arg, "choices"))) &&
		    (!GET(arg, "reaches") || reaches(p, it_str_at(q, "name"), GET(arg, "reaches"))))
			return true;
	}
	return it_say(why, some ? "the parameter is another" : "there is no such parameter");
}

static bool rule_output(struct prog *p, json_t *arg, struct strbuf *why)
{
	json_t *o;
	size_t i;

	if (!it_need(p, arg, "name_like"))
		return false;
	json_array_foreach(GET(p->doc, "outputs"), i, o) {
		if (it_rx(p, it_pattern_of(p, GET(arg, "name_like")), it_plain(p, json_string_value(o))))
			return true;
	}
	return it_say(why, "there is no such output");
}

static bool rule_mentions(struct prog *p, json_t *arg, struct strbuf *why)
{
	return it_rx(p, it_pattern_of(p, arg), p->text) || it_say(why, "nothing mentions it");
}

static bool rule_number(struct prog *p, json_t *arg, struct strbuf *why)
{
	return it_number_in_text(p, arg) || it_say(why, "the number appears nowhere");
}

/* ---- all of them ---- */

static bool rule_any_of(struct prog *p, json_t *arg, struct strbuf *why)
{
	struct strbuf all = { 0 };
	json_t *x;
	size_t i;

	json_array_foreach(arg, i, x) {
		if (it_check_one(p, x, why)) {
			sb_free(&all);
			return true;
		}
		sb_f(&all, "%s%.*s", i ? "; " : "", (int)why->n, why->s ? why->s : "");
	}
	it_say(why, "none of: %s", sb_cstr(&all));
	sb_free(&all);
	return false;
}

static bool rule_all_of(struct prog *p, json_t *arg, struct strbuf *why)
{
	json_t *x;
	size_t i;

	json_array_foreach(arg, i, x) {
		if (!it_check_one(p, x, why))
			return false;
	}
	return true;
}

static bool rule_not(struct prog *p, json_t *arg, struct strbuf *why)
{
	return !it_check_one(p, arg, why) || it_say(why, "holds, and should not");
}

static const struct { const char *key; rule_fn *rule; } rules[] = {
	{ "has_step", rule_has_step }, { "count_steps", rule_count_steps }, { "edge", rule_edge }, { "parallel", rule_parallel }, { "inside", rule_inside }, { "outside", rule_outside },
	{ "schedule", rule_schedule }, { "param", rule_param }, { "attr", rule_attr }, { "retry", rule_retry }, { "timeout", rule_timeout }, { "image", rule_image }, { "sweep", rule_sweep },
	{ "fanout", rule_fanout }, { "foreach", rule_foreach }, { "limit_parallel", rule_limit_parallel }, { "loop", rule_loop }, { "if", rule_if }, { "on", rule_on }, { "fail", rule_fail },
	{ "allow_failure", rule_allow_failure }, { "secret", rule_secret }, { "approve", rule_approve }, { "wait", rule_wait }, { "service", rule_service }, { "job", rule_job }, { "dataflow", rule_dataflow },
	{ "cache", rule_cache }, { "lock", rule_lock }, { "volume", rule_volume }, { "workflow", rule_workflow }, { "output", rule_output }, { "task_reused", rule_task_reused }, { "mentions", rule_mentions },
	{ "number", rule_number }, { "honest", rule_honest }, { "any_of", rule_any_of }, { "all_of", rule_all_of }, { "not", rule_not },
};

/* { "schedule": CRON, "timezone": .. } is the object form, too. */
static json_t *with_companions(json_t *assertion)
{
	json_t *arg = json_object();
	const char *key;
	json_t *v;

	json_object_foreach(assertion, key, v) {
		if (!strcmp(key, "schedule") && json_is_object(v))
			json_object_update(arg, v);
		else if (strcmp(key, "why") != 0)
			json_object_set(arg, strcmp(key, "schedule") != 0 ? key : "cron", v);
	}
	return arg;
}

bool it_check_one(struct prog *p, json_t *assertion, struct strbuf *why)
{
	size_t keys = json_object_size(assertion) - (GET(assertion, "why") != NULL);

	why->n = 0;
	for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
		json_t *arg = GET(assertion, rules[i].key);
		bool ok;

		if (!arg || (rules[i].rule != rule_schedule && GET(assertion, "schedule")))
			continue;
		if (keys == 1)
			return rules[i].rule(p, arg, why);
		if (rules[i].rule != rule_schedule)
			break;
		arg = with_companions(assertion);
		ok = rule_schedule(p, arg, why);
		json_decref(arg);
		return ok;
	}
	if (!p->malformed)
		p->malformed = "an assertion has one key, and it is one of docs/nl.md";
	return false;
}

int nl_intent(const char *text, size_t n, const char *assertions, size_t len, struct nl_intent *out, const char **malformed)
{
	struct arena *a = arena_new();
	struct diag *d = diag_new(a);
	struct front_opts fo = { 0 };
	struct prog p;
	struct strbuf why = { 0 };
	json_t *list = json_loadb(assertions, len, 0, NULL), *facts, *x;
	size_t i;
	int status;
	struct ir *m = front_text(a, strtab_new(a), d, "draft.cw", arena_dup(a, text, n), n, &fo, &status);

	memset(out, 0, sizeof *out);
	*malformed = json_is_array(list) ? NULL : "the assertions of a description are a list";
	out->of = (unsigned)json_array_size(list);
	if (!*malformed && m && m->entry) {
		facts = intent_facts(m, text, n);
		it_prog_open(&p, facts, a);
		json_array_foreach(list, i, x) {
			if (it_check_one(&p, x, &why))
				out->held++;
			else
				sb_f(&out->failed, "%s: %.*s\n", shown(&p, x), (int)why.n, why.s ? why.s : "");
		}
		*malformed = p.malformed;
		it_prog_close(&p);
		json_decref(facts);
	}
	sb_free(&why);
	json_decref(list);
	arena_free(a);
	return *malformed ? -1 : 0;
}
