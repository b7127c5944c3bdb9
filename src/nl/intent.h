/*
 * What a description asks for, as assertions in JSON, held against the graph of a draft. Private to intent*.c.
 *
 * Facts are the draft in a form without spellings: sizes in bytes, times in seconds, attributes as they end up, values
 * folded with the defaults of the parameters.
 */
#ifndef COULER_NL_INTENT_H
#define COULER_NL_INTENT_H

#include <jansson.h>

#include "couler/ir.h"
#include "couler/nl.h"

struct intent_rx;

struct prog {
	struct arena *a;
	json_t *doc;                      /* facts */
	uint32_t n;                       /* nodes, in source order */
	json_t **node;
	int *parent;                      /* index of the region around, -1 */
	struct { uint32_t a, b; } *edge;  /* a ends before b starts; regions not lifted */
	uint32_t nedges;
	char *text;                       /* program without comments, and every string after folding */
	struct intent_rx *rx;
	const char *malformed;            /* an assertion that is none: what is wrong with it; NULL */
};

/* Facts of a module; text: the program. A new reference. */
json_t *intent_facts(const struct ir *m, const char *text, size_t n);

/* ---- intent.c: patterns, selectors, precedence, values ---- */

bool it_prog_open(struct prog *p, json_t *facts, struct arena *a);
void it_prog_close(struct prog *p);
bool it_like(struct prog *p, json_t *pattern, const char *s);              /* pattern NULL: true */
bool it_say(struct strbuf *why, const char *fmt, ...) __attribute__((format(printf, 2, 3)));   /* false */
bool *it_marks(struct prog *p);                                            /* one for each node, none set */
bool it_rx(struct prog *p, const char *pattern, const char *s);            /* case ignored; @word stands for its synonyms */
const char *it_pattern_of(struct prog *p, json_t *x);                      /* a string, or a list of which any: joined */
const char *it_plain(struct prog *p, const char *name);                    /* extract_raw, extractRaw: "extract raw" */
const char *it_body_text(struct prog *p, json_t *node);
/* Marks the nodes that a selector means; by name, and only if none fits by body; tiers: by either. Returns their number. */
uint32_t it_choose(struct prog *p, json_t *sel, bool tiers, bool *hit);
bool it_is_kind(json_t *node, const char *kinds);                          /* words */
bool it_within(const struct prog *p, uint32_t node, uint32_t region);
void it_after_set(struct prog *p, uint32_t start, bool *seen);

json_t *it_dig(json_t *o, const char *path);
const char *it_str_at(json_t *o, const char *key);                         /* "" if it is none */
bool it_number_of(json_t *v, double *out);
bool it_near_to(double a, double b);
bool it_same(json_t *got, const char *path, json_t *want);
bool it_compare(json_t *got, const char *path, json_t *spec);
bool it_any_near(json_t *want, double v);                                  /* want: a number or a list */
bool it_number_in_text(struct prog *p, json_t *want);
/* Whether the keys of an assertion are among those allowed; else it is malformed. */
bool it_need(struct prog *p, json_t *arg, const char *allowed);
bool it_word_in(const char *words, const char *w);
bool it_listed_string(json_t *want, const char *s);                        /* s is want or one of its list */

double it_grid_size(json_t *node);                                      /* of a sweep; 0: no grid */

/* ---- the assertions ---- */

bool it_check_one(struct prog *p, json_t *assertion, struct strbuf *why);
typedef bool rule_fn(struct prog *p, json_t *arg, struct strbuf *why);
rule_fn rule_schedule, rule_sweep, rule_fanout, rule_foreach, rule_limit_parallel, rule_if, rule_loop, rule_on, rule_secret, rule_approve, rule_wait, rule_service, rule_job, rule_dataflow, rule_cache,
	rule_lock, rule_volume, rule_fail, rule_image, rule_task_reused, rule_honest;

#endif
