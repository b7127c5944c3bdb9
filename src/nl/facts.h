/* Facts of a description: what the rules read besides the steps. Produced by when.c and facts.c, read by plan.c and draft.c. */
#ifndef COULER_NL_FACTS_H
#define COULER_NL_FACTS_H

#include "text.h"

/* name, what a message calls it */
#define FACTS(X) \
	X(SCHEDULE, "schedule") X(RETRY, "retry") X(TIMEOUT, "timeout") X(GPU, "GPUs") X(CPU, "CPUs") X(MEMORY, "memory") X(DISK, "disk") \
	X(IMAGE, "image") X(SECRET, "secret") X(URI, "address") X(FILE, "file") X(EMAIL, "mail address") X(PARALLEL, "parallel limit") \
	X(LABEL, "label") X(ACCOUNT, "service account") X(SELECTOR, "node pool") X(TOLERATE, "toleration") X(PRIORITY, "priority") \
	X(CACHE, "cache") X(OPTIONAL, "allowed failure") X(LOCK, "lock") X(THRESHOLD, "threshold") X(COMMAND, "command") X(CODE, "script")

enum fact_type {
#define X(f, words) F_##f,
	FACTS(X)
#undef X
	F_COUNT
};

/*
 * RETRY: num limit, num2 backoff (s, 0: none), num3 factor, num4 longest backoff (s); str what it is for, NULL.
 * TIMEOUT: num seconds. GPU: num, str its type. CPU: num. MEMORY, DISK: str as .cw writes it. SECRET: str name, str2 key
 * (NULL: none said), num 1 for a file. PARALLEL: num. LABEL, SELECTOR: str key, str2 value. CACHE: str mode, num ttl (s),
 * str2 version. LOCK: str name, num pool size (1: a lock). OPTIONAL: none. FILE, URI, IMAGE, EMAIL, COMMAND: str.
 */
struct fact {
	enum fact_type type;
	uint32_t off, len;                /* in the folded text */
	double num, num2, num3, num4;
	const char *str, *str2;
	bool whole;                       /* of the whole run: "the whole run must not take longer than" */
	bool used;
};

struct nl_param { const char *name, *type, *dflt, *choices; uint32_t off; bool required; };      /* dflt: as .cw writes it; choices "[...]"; NULL */
struct nl_volume { const char *name, *size, *mode, *class_, *claim, *path; };

struct nl_schedule { const char *cron[4]; uint32_t n; const char *timezone, *overlap; bool catchup; double deadline, keep_runs; bool given; };

struct facts {
	VEC(struct fact) v;
	VEC(struct nl_param) params;
	VEC(struct nl_volume) volumes;
	VEC(const char *) notes;          /* what could not be said in .cw, what was assumed: sentences */
	struct nl_schedule schedule;
	double run_timeout;               /* s, 0: none */
	double max_parallel;              /* of the whole run, 0: none */
	double keep;                      /* s, 0: none */
	bool fail_fast;
	const char *run_lock;
};

void facts_schedule(struct ntext *t, struct facts *f);
void facts_params(struct ntext *t, struct facts *f);
void facts_read(struct ntext *t, struct facts *f);
void facts_note(struct ntext *t, struct facts *f, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
struct fact *facts_add(struct ntext *t, struct facts *f, enum fact_type type, const struct rx_match *m);

#endif
