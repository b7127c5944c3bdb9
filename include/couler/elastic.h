/*
 * Elastic input pipelines (GoldMiner, SIGMOD 2023; docs/elastic.md): where to cut a dataflow, how many workers it
 * gets, how its processes talk, and a simulator of a cluster that shares workers.
 */
#ifndef COULER_ELASTIC_H
#define COULER_ELASTIC_H

#include "couler/ir.h"

/* ---- the cut (cut.c, mincut.c) ---- */

struct cut_op {
	const uint32_t *from;             /* operators it reads; UINT32_MAX: the source */
	uint32_t nfrom;
	int64_t cpu, bytes;               /* ns and bytes a record, >= 0 */
	bool pinned;                      /* stays with the trainer; who reads a pinned operator is pinned, too */
};
struct cut_graph { const struct cut_op *op; uint32_t n; int64_t source_bytes; };

/* Operators on the workers' side; closed under ancestors. */
struct cut {
	bool *on_worker;                  /* by operator */
	uint32_t nworker;
	int64_t bytes;                    /* a record that crosses: each producer once */
	int64_t cpu;                      /* ns a record that is left with the trainer's side */
};

/*
 * The cut with the least q * bytes + p * cpu over all closed sets, the largest of them where several are equal.
 * p = 0, q = 1: the fewest bytes; q = 0: the least CPU, and of those the fewest bytes.
 */
struct cut cut_min(struct arena *a, const struct cut_graph *g, int64_t p, int64_t q);
/* All cuts that are the least for some ratio p/q, from the fewest bytes on; each holds the one before. At most max. */
uint32_t cut_family(struct arena *a, const struct cut_graph *g, struct cut *out, uint32_t max);

/* What the two sides have; rates in records a second. */
struct cut_room {
	double trainer_cpus, worker_cpus; /* cores of the trainer's side, of all workers together */
	double trainer_seconds;           /* of the trainer itself a record; 0: unknown */
	bool gpu;                         /* the trainer's own time takes none of its cores */
	double network;                   /* bytes a second; 0: no limit */
};
double cut_rate(const struct cut_graph *g, const struct cut *c, const struct cut_room *room);
/* The fewest bytes that reach the best rate of the family. */
struct cut cut_choose(struct arena *a, const struct cut_graph *g, const struct cut_room *room);

/* ---- the local runtime (flow.c, broker.c, worker.c) ---- */

/* What a broker needs to know of a dataflow, as JSON: static, so that engines carry it as text. */
void flow_write(const struct ir_task *t, bool measure, struct strbuf *out);      /* measure: every operator's records are counted */

struct flow_opts {
	const char *spec;                 /* file of flow_write */
	const char *share;                /* file by which jobs of this machine share its slots; NULL: alone */
	const char *status, *figures;     /* files: one line on how it goes; what was measured; NULL */
	const char *listen;               /* "tcp:HOST:PORT" for workers elsewhere; NULL: workers are started here */
	const char *job;                  /* file with a Kubernetes Job as JSON, whose pods are the workers elsewhere; NULL */
	const char *scale;                /* file that gets the wanted number of workers elsewhere; NULL */
	int slots;                        /* of this machine; 0: its processors */
	uint64_t most;                    /* stop after so many records; 0: none */
	void (*say)(const char *line, void *data);
	void *data;
};
/*
 * The broker: starts trainer and workers, hands out splits, hands each record to the trainer once. Exit code of the
 * trainer, or 1 after a line that says what went wrong; 128 + N when ended by a signal.
 */
int flow_run(const struct flow_opts *o);
/*
 * A worker; "unix:PATH" or "tcp:HOST:PORT". 0 when it was sent home, 1 when a broker elsewhere went without a word, 3 when
 * there is none. wait > 0: it is looked for so many seconds instead of 300, and not to find it is no failure (0): so a Job
 * whose broker is no more comes to its end.
 */
int flow_work(const char *address, double wait, void (*say)(const char *line, void *data), void *data);

/* Puts this program with its libraries into dir, an absolute path, where any image can run it. 0, or -1 with *err (malloc). */
int flow_pack(const char *dir, char **err);

/* One job's number of workers, a tick a second (control.c). */
struct control_in {
	double dt;                        /* s since the last tick */
	double rate, mu, omega;           /* records a second: delivered; of the trainer, of a worker, without their waits; 0: unknown */
	double trainer_waits, worker_waits, queue;                           /* shares of the tick; how full the queue is, 0 to 1 */
	double drain;                     /* s that the trainer needs for a full queue */
	int min, max;                     /* max: also what this job may have of the machine */
};
struct control {
	int n, before, lid;               /* before, of a trial that is not judged; lid: a larger number gave nothing */
	double cooldown, base, lid_left;  /* s; rate before the trial */
};
enum control_why { CONTROL_STAY, CONTROL_GROW, CONTROL_SHRINK, CONTROL_REVERT, CONTROL_BOUND };
enum control_why control_tick(struct control *c, const struct control_in *in);

/* Slots of one machine among its jobs: least remaining CPU work first (fill.c). */
struct fill_job { double work; int min, want, got; };                   /* work: CPU seconds left */
void fill_slots(struct fill_job *v, uint32_t n, int slots);

/* ---- the simulator of a cluster (sim.c) ---- */

/* policy, words */
#define ELASTIC_POLICIES(X) \
	X(user, "the CPUs that its owner asked for, on the node of its GPUs") \
	X(static8, "8 CPUs a GPU, on the node of its GPUs") \
	X(synergy, "what each job of a node can use of that node's CPUs, as Synergy divides them") \
	X(perjob, "workers anywhere, each job what it can use, first come, first served") \
	X(rate, "workers anywhere, where a CPU brings most records a second") \
	X(work, "workers anywhere, least remaining CPU work first: what couler does") \
	X(clairvoyant, "workers anywhere, shortest remaining time first, in the queue, too: knows the future")
enum elastic_policy {
#define X(p, words) EP_##p,
	ELASTIC_POLICIES(X)
#undef X
	EP_COUNT
};

struct elastic_sim {
	int nodes, gpus, cpus;            /* a node has */
	int extra;                        /* CPUs beyond the GPU nodes */
	int jobs;
	double load;                      /* GPU time that arrives, of what there is */
	double delay, network, buffer;    /* s until a new worker works; bytes a second into a node; s that a queue lasts */
	bool trace, heavy;                /* jobs of the trace; only models that need more than 3 CPUs a GPU */
	bool backfill;
	uint64_t seed;
};
struct elastic_result { double mean, p95, use, makespan; };            /* s; use: GPU time well spent, of all until the last end */
void elastic_simulate(const struct elastic_sim *s, enum elastic_policy p, struct elastic_result *r);
double elastic_one_job(double cpus_per_gpu, double need);              /* speed of a trainer with so many of the CPUs it needs, 0 to 1 */

#endif
