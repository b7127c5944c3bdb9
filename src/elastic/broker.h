/* The broker from the inside: broker.c its loop, lease.c splits and workers' messages, feed.c the trainer, tick.c numbers. */
#ifndef COULER_BROKER_H
#define COULER_BROKER_H

#include "elsewhere.h"
#include "flow.h"

struct chunk {                            /* records on their way to the trainer */
	struct chunk *next;
	uint32_t stream, count, worker;   /* worker: its id, for the credit */
	uint64_t cost;
	size_t n;
	char s[];
};
struct chunks { struct chunk *first, **last; };

enum lease_state { LEASE_FREE, LEASE_OUT, LEASE_DONE };
struct lease {
	uint32_t first, nfiles;
	uint64_t bytes;
	uint8_t state;
	uint32_t failures, deaths;        /* deaths: since it last got further */
	uint64_t *have;                   /* records that came, by producer, the source last */
	struct chunks queue;              /* ordered: of this lease alone */
};

struct worker {
	struct worker *next;
	uint32_t id;
	pid_t pid;                        /* 0: elsewhere */
	int fd;
	struct inbox in;
	bool hello, dead, retire;
	uint32_t lease;                   /* UINT32_MAX: none */
	int64_t credit;                   /* what it has left, by our count */
	double seen, moved;               /* when it was last heard of; when it last got further */
	uint64_t progress;
	struct strbuf out;                /* bytes for it that its socket did not take */
	size_t out_at;
	int file;                         /* that it reads from afar; -1 */
	uint32_t file_at;
};

struct broker {
	const struct flow_opts *o;
	struct flow *f;
	struct arena *arena;
	struct pipeline *p;               /* the trainer's side */
	uint32_t *cross, ncross;          /* producers that cross */
	const char **file;
	uint64_t *size;
	uint32_t nfiles;
	struct lease *lease;              /* of one epoch */
	uint32_t nlease, done, next_free, head, epoch;
	struct chunks queue;
	uint64_t queued;                  /* cost */
	struct worker *workers;
	uint32_t nworkers, ids, stillborn;/* stillborn: ended before they said hello, in a row */
	int listen_fd, sigfd;
	bool closed, deaf, over, holding; /* closed: the trainer's side has got everything */
	const char *error;
	int signal;
	double held_since;
	/* figures */
	double last, started;             /* of the loop */
	double tick_at, t_tick;
	double trainer_wait, worker_wait, worker_time;                      /* s, since the last tick */
	uint64_t delivered, received, cost_delivered;                       /* since the last tick */
	double mu_n, mu_t, om_n, om_t;    /* decayed sums */
	uint64_t all_records, all_bytes, source_records, source_bytes, done_bytes;
	double all_wait, all_worker, speed;
	struct op_figures *figures;       /* by operator */
	struct control control;
	int target;
	struct share *share;
	struct carry *carry;              /* listen: what workers are sent first; NULL */
	struct elsewhere *job;            /* workers as a Job; NULL */
	char *token;                      /* that workers elsewhere must know; malloc, NULL: none */
	bool met;                         /* a worker has said hello */
	double since;                     /* when workers were first asked of the cluster; 0: not yet */
	uint64_t dropped, deaths, peak;
};

bool elsewhere(const struct broker *b);                                /* workers come from elsewhere */
void broker_fail(struct broker *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void broker_say(struct broker *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* lease.c */
int leases_make(struct broker *b);                                     /* lists the files; 0, or -1 after broker_fail */
void worker_start(struct broker *b);
void worker_accept(struct broker *b);
void worker_read(struct broker *b, struct worker *w);
void worker_write(struct worker *w);
void worker_lost(struct broker *b, struct worker *w, const char *why);
void workers_lease(struct broker *b);                                  /* gives leases to those without */
void workers_watch(struct broker *b, double now);
void workers_stop(struct broker *b);                                   /* ends all of them */
uint32_t workers_alive(const struct broker *b);
void worker_send(struct broker *b, struct worker *w, struct msg m, const void *p, size_t n);

/* carry.c */
int carry_make(struct broker *b);                                      /* looks what there is; 0, or -1 after broker_fail */
void carry_send(struct broker *b, struct worker *w);

/* cluster.c */
int cluster_begin(struct broker *b);                                   /* --job: the token, and the Job; 0, or -1 after broker_fail */
void cluster_tick(struct broker *b, double now);
void cluster_end(struct broker *b);

/* feed.c */
void feed(struct broker *b);                                           /* hands on what the trainer's side has room for */
void feed_forget(struct broker *b);

/* tick.c */
void account(struct broker *b, double now);                            /* where the time since the last turn went */
void tick(struct broker *b, double now);
void status_write(struct broker *b);
void figures_write(struct broker *b);

#endif
