/* couler nl --eval: how far the drafts of a set of descriptions come, gate by gate. */
#include "nl_eval.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "cli.h"
#include "couler/front.h"
#include "couler/vec.h"

enum gate { EXTRACTED, PARSES, CHECKS, COMPILES, INTENT, GATES };
static const char *const gate_names[GATES] = { "extracted", "parses", "checks", "compiles", "intent" };

struct cause { const char *what; unsigned n; };

struct tally {
	struct arena *a;
	json_t *intents;
	double sums[GATES][3];            /* of pass@1, @3, @5 */
	VEC(struct cause) causes;
	struct nl_usage usage;
	unsigned faults, items, with_intents;
};

/* 1 - C(n - c, k) / C(n, k): the unbiased estimate of Chen et al. 2021, section 2.1. */
static double pass_at(int n, int c, int k)
{
	double miss = 1;

	if (n - c < k)
		return 1;
	for (int i = n - c + 1; i <= n; i++)
		miss *= 1 - (double)k / i;
	return 1 - miss;
}

static void count(struct tally *t, const char *what, size_t n)
{
	for (uint32_t i = 0; i < t->causes.n; i++)
		if (strlen(t->causes.v[i].what) == n && !memcmp(t->causes.v[i].what, what, n)) {
			t->causes.v[i].n++;
			return;
		}
	vec_push(t->a, &t->causes, ((struct cause){ arena_dup(t->a, what, n), 1 }));
}

static void countf(struct tally *t, const char *fmt, const char *what)
{
	struct strbuf b = { 0 };

	sb_z(&b, fmt);
	sb_z(&b, what);
	count(t, b.s, b.n);
	sb_free(&b);
}

/* The codes of the errors, each once a draft. */
static void count_codes(struct tally *t, const struct diag *d)
{
	struct strbuf b = { 0 };
	struct strbuf seen = { 0 };

	diag_write(d, DIAG_JSON, false, &b);
	for (const char *s = sb_cstr(&b), *e; *s; s = e + (*e == '\n')) {
		json_t *o;
		const char *code, *severity;

		e = s + strcspn(s, "\n");
		o = json_loadb(s, (size_t)(e - s), 0, NULL);
		code = json_string_value(json_object_get(o, "code"));
		severity = json_string_value(json_object_get(o, "severity"));
		if (code && severity && !strcmp(severity, "error") && !strstr(sb_cstr(&seen), code)) {
			sb_f(&seen, "%s ", code);
			countf(t, "does not check: ", code);
		}
		json_decref(o);
	}
	sb_free(&b);
	sb_free(&seen);
}

/* Lines {"KEY": ...}: why. */
static void count_assertions(struct tally *t, struct strbuf *failed)
{
	for (const char *s = sb_cstr(failed), *e; *s; s = e + (*e == '\n')) {
		size_t n = strcspn(s + 2, "\"");
		struct strbuf key = { 0 };

		e = s + strcspn(s, "\n");
		sb_add(&key, s + 2, n);
		countf(t, "intent: ", sb_cstr(&key));
		sb_free(&key);
	}
}

/* Writes the draft of a description into text: 0, or -1 where there is none. */
static int draft(const struct nl_eval *e, struct tally *t, const char *id, const char *about, struct strbuf *text, struct diag *d)
{
	struct nl_options o = { e->lake, NULL, 0 };
	int rc;

	if (e->offline) {
		struct nl_draft x;

		rc = nl_offline(about, strlen(about), &o, &x, d) || x.refused ? -1 : 0;
		sb_add(text, x.text.s ? x.text.s : "", x.text.n);
		nl_draft_free(&x);
	} else {
		struct nl_result r;

		rc = nl_loop(e->end, about, strlen(about), NULL, &o, &r);
		sb_add(text, r.text.s ? r.text.s : "", r.text.n);
		if (rc) {
			fprintf(stderr, "%s: %s\n", id, r.why);
			t->faults++;
		}
		t->usage.calls += r.usage.calls;
		t->usage.prompt += r.usage.prompt;
		t->usage.reply += r.usage.reply;
		t->usage.estimated = t->usage.estimated || r.usage.estimated;
		nl_result_free(&r);
	}
	return rc;
}

static int judge_intent(const struct nl_eval *e, struct tally *t, const char *id, const struct strbuf *text, json_t *wanted, bool *met)
{
	struct nl_intent x;
	const char *why = NULL;
	char *s = json_dumps(wanted, 0);
	int rc = nl_intent(text->s, text->n, s, strlen(s), &x, &why) ? cli_fail(2, "the intents of %s: %s", id, why) : 0;

	free(s);
	if (!rc) {
		*met = x.held == x.of;
		printf(", intent %u of %u", x.held, x.of);
		count_assertions(t, &x.failed);
		if (e->explain && x.failed.n)
			printf("\n%.*s", (int)(x.failed.n - (x.failed.s[x.failed.n - 1] == '\n')), x.failed.s);
	}
	sb_free(&x.failed);
	return rc;
}

static int keep(const struct nl_eval *e, const char *id, int sample, const struct strbuf *text)
{
	struct strbuf path = { 0 };
	int rc;

	sb_f(&path, "%s/%s", e->drafts, id);
	if (sample)
		sb_f(&path, "-%d", sample);
	sb_z(&path, ".cw");
	rc = cli_write(sb_cstr(&path), text->s, text->n);
	sb_free(&path);
	return rc;
}

static int sample(const struct nl_eval *e, struct tally *t, json_t *it, int number, int passed[GATES], struct diag *d)
{
	const char *about = json_string_value(json_object_get(it, "text")), *id = json_string_value(json_object_get(it, "id"));
	json_t *wanted = json_object_get(t->intents, id);
	struct arena *a = arena_new();
	struct diag *said = diag_new(a);
	struct strbuf text = { 0 };
	struct nl_verdict v = { 0 };
	bool got = !draft(e, t, id, about, &text, d), met = false;
	int rc = 0;

	if (got)
		v = nl_judge(text.s ? text.s : "", text.n, NULL, said);
	printf("%s %s%s", id, !got ? "no draft" : !v.parses ? "does not parse" : !v.checks ? "does not check" : v.compiles ? "compiles everywhere" : "not carried by ", v.checks && !v.compiles ? v.refusing : "");
	if (!got)
		count(t, "no draft", 8);
	else if (!v.parses)
		count(t, "does not parse", 14);
	else if (!v.checks)
		count_codes(t, said);
	else if (!v.compiles)
		countf(t, "not carried by ", v.refusing);
	if (v.checks && wanted)
		rc = judge_intent(e, t, id, &text, wanted, &met);
	putchar('\n');
	passed[EXTRACTED] += got;
	passed[PARSES] += v.parses;
	passed[CHECKS] += v.checks;
	passed[COMPILES] += v.compiles;
	passed[INTENT] += met;
	if (!rc && got && e->drafts)
		rc = keep(e, id, number, &text);
	sb_free(&text);
	arena_free(a);
	return rc;
}

static int item(const struct nl_eval *e, struct tally *t, json_t *it, struct diag *d)
{
	bool wanted = json_object_get(t->intents, json_string_value(json_object_get(it, "id"))) != NULL;
	int passed[GATES] = { 0 }, rc = 0;

	for (int s = 0; s < e->samples && !rc; s++)
		rc = sample(e, t, it, s, passed, d);
	t->items++;
	t->with_intents += wanted;
	for (int g = 0; g < GATES; g++)
		for (int k = 0; k < 3 && (g != INTENT || wanted); k++)
			if (2 * k + 1 <= e->samples)
				t->sums[g][k] += pass_at(e->samples, passed[g], 2 * k + 1);
	return rc;
}

static int by_number(const void *x, const void *y)
{
	const struct cause *a = x, *b = y;

	return a->n != b->n ? (a->n < b->n) - (a->n > b->n) : strcmp(a->what, b->what);
}

static void report(const struct nl_eval *e, struct tally *t)
{
	printf("%u descriptions, %d samples each, %s\n%-10s %7s", t->items, e->samples, e->offline ? "offline" : e->end->model, "gate", "pass@1");
	for (int k = 1; k < 3 && 2 * k + 1 <= e->samples; k++)
		printf(" %6s%d", "pass@", 2 * k + 1);
	for (int g = 0; g < GATES && t->items; g++) {
		unsigned of = g == INTENT ? t->with_intents : t->items;

		if (!of)
			continue;
		printf("\n%-10s", gate_names[g]);
		for (int k = 0; k < 3 && 2 * k + 1 <= e->samples; k++)
			printf(" %6.1f%%", 100 * t->sums[g][k] / of);
	}
	printf("\n%u calls, %" PRIu64 " tokens%s, %u faults of the endpoint\n", t->usage.calls, t->usage.prompt + t->usage.reply, t->usage.estimated ? " (estimated as bytes / 4)" : "", t->faults);
	if (t->causes.n)
		qsort(t->causes.v, t->causes.n, sizeof *t->causes.v, by_number);
	for (uint32_t i = 0; i < t->causes.n; i++)
		printf("%5u  %s\n", t->causes.v[i].n, t->causes.v[i].what);
}

/* The intents that were named, or those that stand beside the descriptions. */
static int open_intents(const struct nl_eval *e, struct tally *t)
{
	struct strbuf path = { 0 };
	const char *dot = strrchr(e->file, '.');
	json_error_t err;
	int rc = 0;

	if (e->intents)
		sb_z(&path, e->intents);
	else
		sb_f(&path, "%.*s_intents.json", (int)(dot && !strchr(dot, '/') ? (size_t)(dot - e->file) : strlen(e->file)), e->file);
	if (!e->intents && access(sb_cstr(&path), F_OK) != 0) {
		sb_free(&path);
		return 0;
	}
	t->intents = json_load_file(sb_cstr(&path), JSON_REJECT_DUPLICATES, &err);
	if (!t->intents)
		rc = cli_fail(3, "%s: %s, line %d", sb_cstr(&path), err.text, err.line);
	else if (!json_is_object(t->intents))
		rc = cli_fail(2, "%s: the intents are an object {ID: [ASSERTION, ...]}", sb_cstr(&path));
	sb_free(&path);
	return rc;
}

int nl_evaluate(const struct nl_eval *e, struct arena *a, struct diag *d)
{
	struct tally t = { .a = a };
	size_t n, line = 0;
	char *text = read_file(a, e->file, &n);
	int rc;

	if (!text)
		return cli_fail(3, "%s: %s", e->file, strerror(errno));
	rc = open_intents(e, &t);
	for (const char *s = text, *end = text + n, *q; s < end && !rc; s = q + 1) {
		json_error_t err;
		json_t *it;

		q = memchr(s, '\n', (size_t)(end - s));
		q = q ? q : end;
		line++;
		if (q == s)
			continue;
		it = json_loadb(s, (size_t)(q - s), 0, &err);
		if (!it || !json_is_string(json_object_get(it, "text")) || !json_is_string(json_object_get(it, "id")))
			rc = cli_fail(2, "%s:%zu: a line is an object {\"id\": ..., \"text\": ...}", e->file, line);
		else
			rc = item(e, &t, it, d);
		json_decref(it);
	}
	if (!rc)
		report(e, &t);
	json_decref(t.intents);
	return rc ? rc : t.faults ? 5 : 0;
}
