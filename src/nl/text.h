/*
 * Text of a description as the rules see it: lower case, accents folded to ASCII (ae for the umlaut), typographic marks
 * as their plain forms, and for each byte where it stands in what the user wrote. Rules are PCRE2 patterns over this
 * form; what a rule has understood it takes out, so that no later rule reads it again.
 */
#ifndef COULER_NL_TEXT_H
#define COULER_NL_TEXT_H

#include "couler/diag.h"
#include "couler/vec.h"

struct rx_cache;

struct ntext {
	struct arena *arena;
	struct rx_cache *rx;
	const char *orig;
	size_t norig;
	char *s;                          /* folded */
	char *w;                          /* the same with TAKEN where a rule has understood it */
	const char *lexicon;              /* the pattern of all words of work; made at first use */
	uint32_t n, *map;                 /* map[i]: offset in orig of byte i; map[n] is norig */
};
enum { TAKEN = 1 };

struct ntext *ntext_new(struct arena *a, const char *s, size_t n);
void ntext_free(struct ntext *t);                                       /* the compiled patterns; the rest is the arena's */

struct rx_group { uint32_t off, len; bool set; };
struct rx_match { struct rx_group g[14]; int mark; };                    /* mark: number of (*MARK:n), -1 */

/* First match of pattern (a literal: patterns are known by address) in s at or after from. */
bool rx_find(struct ntext *t, const char *pattern, const char *s, size_t n, size_t from, struct rx_match *m);
bool rx_work(struct ntext *t, const char *pattern, size_t from, struct rx_match *m);           /* in what is not yet taken */
bool rx_within(struct ntext *t, const char *pattern, uint32_t off, uint32_t len, struct rx_match *m);   /* of t->w */
bool rx_has(struct ntext *t, const char *pattern, const char *z);       /* in a string of its own */

void ntext_take(struct ntext *t, uint32_t off, uint32_t len);
/* What the user wrote there; copies in the arena. */
const char *ntext_orig(struct ntext *t, uint32_t off, uint32_t len);
const char *ntext_group(struct ntext *t, const struct rx_match *m, int g);   /* NULL where the group is not set */
const char *ntext_fold(struct ntext *t, const struct rx_match *m, int g);    /* the folded form */

const char *nl_fmt(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A name of .cw from words: ASCII, lower case, _ between, at most max words; "" if there are none. */
const char *nl_slug(struct arena *a, const char *s, size_t n, int max);
/* A number written in digits or as a word of the languages that the rules know; NaN if neither. */
double nl_number(const char *s, size_t n);
/* As .cw writes it: shortest form that reads back. */
const char *nl_num_text(struct arena *a, double v);
const char *nl_duration(struct arena *a, double seconds);               /* "90s", "1h30m" */
const char *nl_quote(struct arena *a, const char *s);                   /* a string literal of .cw */

#define NL_NUM "(\\d+(?:[.,]\\d+)?(?:e-?\\d+)?|one|two|three|four|five|six|seven|eight|nine|ten|twelve|fifteen|twenty|thirty|zwei|drei|vier|fuenf|sechs|acht|zehn|deux|trois|quatre|cinq|dix|dos|tres|cuatro|cinco|diez|dois|quatro|dez|due|tre|quattro)"
#define NL_UNIT "(ms|milliseconds?|seconds?|secs?|sekunden?|secondes?|segundos?|secondi|minutes?|mins?|minuten?|minutos?|minuti|hours?|hrs?|stunden?|heures?|horas?|ore|days?|tage?n?|jours?|dias?|giorni|weeks?|wochen?|semaines?|semanas?|[smhdw])\\b"
#define NL_DUR NL_NUM "\\s*-?" NL_UNIT
double nl_seconds(const char *num, size_t nnum, const char *unit, size_t nunit);
double nl_group_seconds(struct ntext *t, const struct rx_match *m, int g);   /* groups g and g + 1 */
double nl_group_number(struct ntext *t, const struct rx_match *m, int g);    /* NaN where not set */

#endif
