/*
 * From words to a workflow: a description becomes a draft of .cw, held against the compiler. Text in, text out:
 * nothing is run or submitted (docs/nl.md).
 */
#ifndef COULER_NL_H
#define COULER_NL_H

#include "couler/diag.h"

struct nl_options {
	const char *lake;                 /* a folder of the user's own snippets, NULL */
	const char *path;                 /* where the draft will stand: relative names are looked for beside it; NULL: here */
	double score;                     /* nl_loop: what a second opinion must reach, up to 1; 0: none is asked for */
};

struct nl_draft {
	struct strbuf text;               /* formatted .cw */
	struct strbuf plan;               /* one line a module */
	struct strbuf snippets;           /* lines "STEP: SNIPPET" of what the lake gave */
	int degraded;                     /* how much had to be left out for the draft to check; 0: nothing */
	const char *refused;              /* why there is no draft, malloc; NULL: there is one */
};

/* Without any endpoint, by rules and the lake. Deterministic. 0, or -1 after a diagnostic (a lake that cannot be read). */
int nl_offline(const char *description, size_t n, const struct nl_options *o, struct nl_draft *out, struct diag *d);
void nl_draft_free(struct nl_draft *x);

/* How far a text comes, gate by gate. */
enum nl_gate { NL_PARSES, NL_CHECKS, NL_COMPILES, NL_GATES };
struct nl_verdict { bool parses, checks, compiles; const char *refusing; unsigned errors; };   /* refusing: first engine that does not carry it, NULL */
/* d: gets the diagnostics of parsing and checking; NULL: nobody wants them. */
struct nl_verdict nl_judge(const char *text, size_t n, const char *path, struct diag *d);

/* What a description asks for, held against a draft that checks. */
struct nl_intent { unsigned held, of; struct strbuf failed; };           /* failed: lines "ASSERTION: why" */
/* assertions: a JSON list (docs/nl.md). 0, or -1 where one is none: *malformed says why, a constant. */
int nl_intent(const char *draft, size_t n, const char *assertions, size_t len, struct nl_intent *out, const char **malformed);

/* ---- endpoints ---- */

enum nl_dialect { NL_CHAT, NL_RESPONSES, NL_MESSAGES };                 /* OpenAI chat completions, OpenAI responses, Anthropic messages */

/* Which member of a request holds the grammar. auto: a tool for OpenAI's own place and dialect, none for messages, else grammar. */
#define NL_CONSTRAINTS(X) X(OFF, "off") X(AUTO, "auto") X(GRAMMAR, "grammar") X(STRUCTURED, "structured_outputs") X(GUIDED, "guided_grammar") X(TOOL, "tool")
enum nl_constraint {
#define X(name, word) NL_BY_##name,
	NL_CONSTRAINTS(X)
#undef X
	NL_BY_COUNT
};

struct nl_endpoint {
	const char *url;                  /* up to and with /v1; NULL: none is configured */
	const char *model, *key;          /* key NULL: none is sent */
	enum nl_dialect dialect;
	enum nl_constraint constrain;
	bool insecure_http, stream;
	double timeout;                   /* s for one reply; 0: 300 */
};

/*
 * Fills in what the flags in e leave open from COULER_LLM_URL, COULER_LLM_MODEL, COULER_LLM_API_KEY (or _KEY_FILE, which
 * nobody else may read) and COULER_LLM_TIMEOUT (s), then OPENAI_BASE_URL, OPENAI_MODEL, OPENAI_API_KEY. 0, or -1 with *why (malloc).
 */
int nl_configure(struct nl_endpoint *e, struct arena *a, char **why);

/* What an endpoint refused, and is not sent again. */
enum { NL_REFUSED_TEMPERATURE = 1, NL_REFUSED_MAX_TOKENS = 2, NL_REFUSED_MAX = 4, NL_REFUSED_GRAMMAR = 8 };

struct nl_usage { unsigned calls; uint64_t prompt, reply; bool estimated; unsigned refused; };   /* tokens; estimated: bytes / 4 where the endpoint did not say */
struct nl_message { const char *role, *text; };

/* One exchange. 0 with the text in *reply; -1 with *why (malloc), which holds no key. truncated: the reply was cut off. */
int nl_ask(const struct nl_endpoint *e, const struct nl_message *m, size_t n, unsigned max_tokens, struct strbuf *reply, bool *truncated, struct nl_usage *u, char **why);
/* The body that nl_ask sends, as JSON. */
void nl_request_body(const struct nl_endpoint *e, const struct nl_message *m, size_t n, unsigned max_tokens, struct strbuf *out);

/* The draft in a reply: 0, or -1 with *why, a constant. CRLF and a BOM are normalized. */
int nl_extract(const char *reply, size_t n, struct strbuf *draft, const char **why);

/*
 * What the model thinks of a draft, 0 to 1, with its words for it in *reason; NaN where it did not say (Couler, ICDE 2024:
 * the calibration, whose baseline is 0.8). It ranks nothing that the compiler can judge.
 */
double nl_score(const struct nl_endpoint *e, const char *description, size_t n, const struct strbuf *draft, struct nl_usage *u, struct strbuf *reason);

struct nl_round { bool extracted, checks; double score; unsigned errors, missing; uint64_t prompt, reply; };      /* score: NaN where there is none */
struct nl_result {
	struct strbuf text, review, missing;                                  /* review, missing: lines */
	struct nl_verdict verdict;
	double score;                     /* of the draft that is kept; NaN: there is none */
	struct nl_usage usage;
	struct nl_round rounds[8];
	unsigned nrounds;
	char *why;                        /* of the endpoint's fault, NULL */
};

/* The loop: ask, extract, check, ask to repair at most 3 times; the best draft is kept. old NULL, or the text to refine. -1: no draft, why is set. */
int nl_loop(const struct nl_endpoint *e, const char *description, size_t n, const char *old, const struct nl_options *o, struct nl_result *r);
/* The messages of the first round. */
void nl_prompt(struct arena *a, const char *description, size_t n, const char *old, const struct nl_options *o, struct nl_message m[2]);
void nl_result_free(struct nl_result *r);

/* ---- predicted trials: Couler (ICDE 2024), algorithm 4 ---- */

struct sweep;
/* What asks for the training logs of n configurations, rows of w->table. */
void nl_predict_prompt(struct arena *a, struct strtab *strs, const struct sweep *w, const uint32_t *row, uint32_t n, struct nl_message m[2]);
/*
 * Reads the reply: best[k] is the best metric of the log of row[k]; NaN where none came, or none that holds (its id, its
 * parameters, rising epochs, finite numbers). Returns how many hold; *why says what was wrong with one of the
 * others, a constant, NULL where all hold.
 */
uint32_t nl_predict_read(struct arena *a, struct strtab *strs, const struct sweep *w, const uint32_t *row, uint32_t n, const char *reply, size_t len, double *best, const char **why);

/* ---- constrained decoding ---- */

enum nl_grammar { NL_GBNF, NL_LARK };                                   /* llama.cpp, xgrammar; llguidance, OpenAI */

/* The grammar of .cw, generated from grammar/couler.ebnf; fenced: of a code block tagged cw that holds a file. 0, or -1 with *why, a constant. */
int nl_grammar_write(enum nl_grammar format, bool fenced, struct strbuf *out, const char **why);

/* What a careful person looks at before trusting a draft: one line each. */
void nl_review(const char *text, size_t n, struct strbuf *out);
/* Facts of the description that the draft does not hold: one line each; returns their number. */
unsigned nl_missing(const char *description, size_t n, const char *draft, size_t len, struct strbuf *out);

#endif
