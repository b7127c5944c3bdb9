/* Intent assertions about secrets, approvals, waits, services, jobs, locks, images and notes. */
#include "intent.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define GET json_object_get

static bool whole(struct prog *p, json_t *pattern, const char *s)
{
	struct strbuf b = { 0 };
	bool ok;

	if (!pattern)
		return true;
	sb_f(&b, "^(?:%s)$", it_pattern_of(p, pattern));
	ok = it_rx(p, sb_cstr(&b), s);
	sb_free(&b);
	return ok;
}

bool rule_secret(struct prog *p, json_t *arg, struct strbuf *why)
{
	json_t *name = json_is_string(arg) ? arg : GET(arg, "name"), *s;
	bool *hit = it_marks(p);
	size_t k;

	if (json_is_object(arg) && !it_need(p, arg, "name key step_like as"))
		return false;
	memset(hit, 1, p->n);
	if (GET(arg, "step_like"))
		it_choose(p, GET(arg, "step_like"), true, hit);
	for (uint32_t i = 0; i < p->n; i++)
		json_array_foreach(GET(p->node[i], "secrets"), k, s) {
			if (hit[i] && whole(p, name, it_str_at(s, "name")) && whole(p, GET(arg, "key"), it_str_at(s, "key")) && (!GET(arg, "as") || !strcmp(it_str_at(arg, "as"), it_str_at(s, "as"))))
				return true;
		}
	return it_say(why, "there is no such secret");
}

/* Whether some node that sel means ends before i (or, turned, starts after it). */
static bool ordered(struct prog *p, uint32_t i, json_t *sel, bool turned)
{
	bool *hit = it_marks(p), *seen = it_marks(p);

	it_choose(p, sel, false, hit);
	for (uint32_t k = 0; k < p->n; k++) {
		if (!hit[k])
			continue;
		it_after_set(p, turned ? i : k, seen);
		if (seen[turned ? k : i])
			return true;
	}
	return false;
}

static bool stands(struct prog *p, uint32_t i, json_t *arg)
{
	return (!GET(arg, "after") || ordered(p, i, GET(arg, "after"), false)) && (!GET(arg, "before") || ordered(p, i, GET(arg, "before"), true));
}

static bool in_if(const struct prog *p, uint32_t i)
{
	for (int r = p->parent[i]; r >= 0; r = p->parent[r])
		if (it_is_kind(p->node[r], "if"))
			return true;
	return false;
}

bool rule_approve(struct prog *p, json_t *arg, struct strbuf *why)
{
	if (!json_is_true(arg) && !it_need(p, arg, "after before timeout conditional"))
		return false;
	for (uint32_t i = 0; i < p->n; i++)
		if (it_is_kind(p->node[i], "approve") && (!GET(arg, "timeout") || it_same(GET(p->node[i], "timeout"), "timeout", GET(arg, "timeout"))) && stands(p, i, arg) && (!json_is_true(GET(arg, "conditional")) || in_if(p, i)))
			return true;
	return it_say(why, "there is no such approval");
}

bool rule_wait(struct prog *p, json_t *arg, struct strbuf *why)
{
	static const char *const keys[] = { "for", "every", "timeout" };

	if (!json_is_true(arg) && !it_need(p, arg, "for every timeout after before"))
		return false;
	for (uint32_t i = 0; i < p->n; i++) {
		bool ok = it_is_kind(p->node[i], "wait");

		for (int k = 0; ok && k < 3; k++)
			ok = !GET(arg, keys[k]) || it_same(GET(p->node[i], keys[k]), keys[k], GET(arg, keys[k]));
		if (ok && stands(p, i, arg))
			return true;
	}
	return it_say(why, "there is no such wait");
}

bool rule_service(struct prog *p, json_t *arg, struct strbuf *why)
{
	if (!json_is_true(arg) && !it_need(p, arg, "image_like port before"))
		return false;
	for (uint32_t i = 0; i < p->n; i++)
		if (it_is_kind(p->node[i], "service") && it_like(p, GET(arg, "image_like"), it_str_at(p->node[i], "image")) && (!GET(arg, "port") || it_same(GET(p->node[i], "port"), "port", GET(arg, "port"))) && stands(p, i, arg))
			return true;
	return it_say(why, "there is no such service");
}

bool rule_job(struct prog *p, json_t *arg, struct strbuf *why)
{
	static const char *const keys[] = { "kind", "workers", "slots", "ps" };
	bool *hit = it_marks(p);

	if (!it_need(p, arg, "kind workers slots ps step_like success_like failure_like"))
		return false;
	memset(hit, 1, p->n);
	if (GET(arg, "step_like"))
		it_choose(p, GET(arg, "step_like"), true, hit);
	for (uint32_t i = 0; i < p->n; i++) {
		json_t *j = GET(p->node[i], "job");
		bool ok = json_is_object(j) && hit[i];

		for (int k = 0; ok && k < 4; k++)
			ok = !GET(arg, keys[k]) || it_same(GET(j, keys[k]), "x", GET(arg, keys[k]));
		if (ok && it_like(p, GET(arg, "success_like"), it_str_at(j, "success")) && it_like(p, GET(arg, "failure_like"), it_str_at(j, "failure")))
			return true;
	}
	return it_say(why, "there is no such job");
}

static bool side_holds(struct prog *p, json_t *ops, json_t *wanted, bool stateful)
{
	json_t *w, *o;
	size_t i, k;

	json_array_foreach(wanted, i, w) {
		bool there = false;

		json_array_foreach(ops, k, o) {
			struct strbuf b = { 0 };

			sb_f(&b, "%s %s", it_plain(p, it_str_at(o, "name")), it_str_at(o, "text"));
			there = there || (json_is_true(GET(o, "stateful")) == stateful && it_like(p, w, sb_cstr(&b)));
			sb_free(&b);
		}
		if (!there)
			return false;
	}
	return true;
}

bool rule_dataflow(struct prog *p, json_t *arg, struct strbuf *why)
{
	if (!json_is_true(arg) && !it_need(p, arg, "min max image_like stateless stateful"))
		return false;
	it_say(why, "there is no dataflow");
	for (uint32_t i = 0; i < p->n; i++) {
		json_t *d = GET(p->node[i], "dataflow"), *w = GET(d, "workers");

		if (!json_is_object(d))
			continue;
		if ((GET(arg, "min") && !it_same(GET(w, "min"), "x", GET(arg, "min"))) || (GET(arg, "max") && !it_same(GET(w, "max"), "x", GET(arg, "max"))) || !it_like(p, GET(arg, "image_like"), it_str_at(w, "image")))
			it_say(why, "the workers are others");
		else if (side_holds(p, GET(d, "ops"), GET(arg, "stateless"), false) && side_holds(p, GET(d, "ops"), GET(arg, "stateful"), true))
			return true;
		else
			it_say(why, "an operator is not there, or on the other side of the cut");
	}
	return false;
}

static bool artifact_input(json_t *node)
{
	const char *key;
	json_t *in;

	json_object_foreach(GET(node, "inputs"), key, in) {
		if (it_word_in("file dir list<file> file? dir? list<file>?", it_str_at(in, "type")))
			return true;
	}
	return false;
}

bool rule_cache(struct prog *p, json_t *arg, struct strbuf *why)
{
	bool *hit = it_marks(p);

	if (!it_need(p, arg, "step_like mode fresh reusable version_like ttl"))
		return false;
	it_choose(p, GET(arg, "step_like"), false, hit);
	for (uint32_t i = 0; i < p->n; i++) {
		json_t *c = GET(p->node[i], "cache"), *seen = json_pack("[O?, O?, O?, O?, O?]", GET(c, "version"), GET(c, "key"), GET(p->node[i], "inputs"), GET(p->node[i], "image"), GET(p->node[i], "text"));
		const char *mode = *it_str_at(c, "mode") ? it_str_at(c, "mode") : "auto";
		bool takes = artifact_input(p->node[i]), ok;
		char *s = json_dumps(seen, 0);

		ok = hit[i] && (!GET(arg, "mode") || it_listed_string(GET(arg, "mode"), mode)) && (!json_is_true(GET(arg, "fresh")) || !strcmp(mode, "off") || (!strcmp(mode, "auto") && !takes)) &&
			(!json_is_true(GET(arg, "reusable")) || !strcmp(mode, "on") || (!strcmp(mode, "auto") && takes)) && it_like(p, GET(arg, "version_like"), s ? s : "") && (!GET(arg, "ttl") || it_same(GET(c, "ttl"), "ttl", GET(arg, "ttl")));
		free(s);
		json_decref(seen);
		if (ok)
			return true;
	}
	return it_say(why, "cache is another");
}

static bool lock_fits(struct prog *p, json_t *lock, json_t *arg)
{
	json_t *size = GET(lock, "size");

	return it_like(p, GET(arg, "like"), it_str_at(lock, "name")) && (!GET(arg, "pool") || (json_is_number(size) ? json_number_value(size) : 1) == json_number_value(GET(arg, "pool")));
}

bool rule_lock(struct prog *p, json_t *arg, struct strbuf *why)
{
	json_t *all = it_dig(GET(p->doc, "settings"), "lock"), *k, *run;
	bool *hit = it_marks(p), ok;
	size_t j;

	if (!json_is_true(arg) && !it_need(p, arg, "like pool step_like"))
		return false;
	memset(hit, 1, p->n);
	if (GET(arg, "step_like"))
		it_choose(p, GET(arg, "step_like"), false, hit);
	for (uint32_t i = 0; i < p->n; i++)
		json_array_foreach(GET(p->node[i], "locks"), j, k) {
			if (hit[i] && lock_fits(p, k, arg))
				return true;
		}
	run = json_is_string(all) ? json_pack("{s:O}", "name", all) : NULL;
	ok = run && lock_fits(p, run, arg);
	json_decref(run);
	return ok || it_say(why, "there is no such lock");
}

bool rule_volume(struct prog *p, json_t *arg, struct strbuf *why)
{
	static const char *const keys[] = { "size", "class", "mode", "claim" };
	json_t *v;
	size_t i;

	if (!it_need(p, arg, "size class mode claim mounted_at"))
		return false;
	json_array_foreach(GET(p->doc, "volumes"), i, v) {
		bool ok = true, mounted = !GET(arg, "mounted_at");

		for (int k = 0; ok && k < 4; k++)
			ok = !GET(arg, keys[k]) || it_same(GET(v, keys[k]), keys[k], GET(arg, keys[k]));
		for (uint32_t n = 0; n < p->n; n++)
			mounted = mounted || !strcmp(it_str_at(GET(p->node[n], "mounts"), it_str_at(arg, "mounted_at")), it_str_at(v, "name"));
		if (ok && mounted)
			return true;
	}
	return it_say(why, "there is no such volume");
}

bool rule_fail(struct prog *p, json_t *arg, struct strbuf *why)
{
	if (!json_is_true(arg) && !it_need(p, arg, "like conditional"))
		return false;
	for (uint32_t i = 0; i < p->n; i++) {
		const char *text = it_str_at(p->node[i], "text");
		bool fail = it_is_kind(p->node[i], "fail"), ok;
		struct strbuf b = { 0 };
		char *s;

		if (!fail && !(it_is_kind(p->node[i], "step") && it_rx(p, "\\bexit\\s+[1-9]|sys\\.exit|raise ", text)))
			continue;
		s = json_dumps(GET(p->node[i], "inputs"), 0);
		sb_f(&b, "%s%s", text, s ? s : "null");
		ok = (!json_is_true(GET(arg, "conditional")) || !fail || in_if(p, i)) && it_like(p, GET(arg, "like"), sb_cstr(&b));
		free(s);
		sb_free(&b);
		if (ok)
			return true;
	}
	return it_say(why, "nothing fails the run on purpose");
}

static bool image_fits(struct prog *p, json_t *node, json_t *pattern)
{
	char *workers = json_dumps(GET(GET(node, "dataflow"), "workers"), 0);
	struct strbuf b = { 0 };
	bool ok;

	sb_f(&b, "%s %s %s", it_str_at(node, "image"), workers ? workers : "", it_str_at(GET(node, "job"), "manifest"));
	ok = it_like(p, pattern, sb_cstr(&b));
	free(workers);
	sb_free(&b);
	return ok;
}

bool rule_image(struct prog *p, json_t *arg, struct strbuf *why)
{
	json_t *pattern = json_is_object(arg) ? GET(arg, "like") : arg;
	bool *hit = it_marks(p), all = !strcmp(it_str_at(arg, "quantifier"), "all"), some = false;

	if (json_is_object(arg) && !it_need(p, arg, "like step_like quantifier"))
		return false;
	memset(hit, 1, p->n);
	if (GET(arg, "step_like"))
		it_choose(p, GET(arg, "step_like"), true, hit);
	for (uint32_t i = 0; i < p->n; i++) {
		bool ok;

		if (!hit[i] || !it_is_kind(p->node[i], "step sweep service wait"))
			continue;
		ok = image_fits(p, p->node[i], pattern);
		some = some || ok;
		if (all && !ok)
			return it_say(why, "not all have the image");
	}
	return some || it_say(why, "none has the image");
}

/* One sentence that names the topic and says what is not, or not quite, done. */
bool rule_honest(struct prog *p, json_t *arg, struct strbuf *why)
{
	static const char words[] = "can ?not|can't|could not|not (?:be |directly )?(?:possible|supported|express|available)|unsupported|no (?:way|construct|support|equivalent|such)|instead|approximat|assum|limit|does not|doesn't|won't|"
		"outside|out of scope|impossible|unable|closest|nearest|at least one minute|beyond|refus|left out|not part";
	size_t i, k = json_array_size(GET(p->doc, "notes"));

	if (!it_need(p, arg, "topic"))
		return false;
	for (i = 0; i <= k; i++) {
		const char *s = i < k ? json_string_value(json_array_get(GET(p->doc, "notes"), i)) : it_str_at(p->doc, "doc");

		while (*s) {
			size_t n = 0;
			const char *one;

			while (s[n] && s[n] != '\n' && !(strchr(".!?", s[n]) && isspace((unsigned char)s[n + 1])))
				n++;
			one = arena_dup(p->a, s, n);
			if (it_like(p, GET(arg, "topic"), one) && it_rx(p, words, one))
				return true;
			s += n + (s[n] != 0);
		}
	}
	return it_say(why, "no sentence says that it is not done");
}
