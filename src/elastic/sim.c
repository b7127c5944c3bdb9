/*
 * A cluster whose training jobs wait for pre-processing, as a fluid model from event to event: a job with g GPUs and c CPUs
 * runs at min(1, c / (g * need)) of its full speed. What it knows of real clusters is in trace.h and in needs[].
 */
#include "couler/elastic.h"
#include "trace.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NEVER 1e300
#define BYTES_PER_CPU 25e6                /* pre-processed bytes a second that one CPU makes */

/* CPUs a GPU at which the throughput of a model stops growing: 12 models of the Synergy simulator (OSDI 2022). */
static const double needs[] = { 12, 1, 3, 1, 1, 6, 6, 9, 4, 12, 1, 1 };

enum phase { LATER, QUEUED, RUNS, DONE };
struct sim_job {
	double arrive, left, end;         /* left: s at full speed */
	double need, asked;               /* CPUs a GPU */
	int gpus;
	enum phase state;
	double given, works, ready;       /* CPUs it has, that work, from when the rest does */
	int *on;                          /* GPUs by node */
};
struct sim {
	const struct elastic_sim *o;
	enum elastic_policy policy;
	struct sim_job *job;
	int n;
	uint32_t *order;                  /* by arrival */
	int *free_gpus;
	double *free_cpus;                /* of nodes, for policies that stay on them */
	double now, used;
	uint64_t rng;
};

static double uniform(struct sim *s)
{
	uint64_t z = s->rng += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return (double)((z ^ z >> 31) >> 11) * 0x1p-53;
}

double elastic_one_job(double cpus, double need)
{
	return cpus >= need ? 1 : cpus / need;
}

/* ---- jobs ---- */

static void draw(struct sim *s, struct sim_job *j)
{
	static const int sizes[] = { 1, 1, 1, 1, 1, 1, 2, 2, 4, 8 };

	do
		j->need = needs[(size_t)(uniform(s) * sizeof needs / sizeof *needs)];
	while (s->o->heavy && j->need <= 3);
	j->gpus = sizes[(size_t)(uniform(s) * 10)];
	j->asked = 2 + floor(uniform(s) * 7);                              /* what people ask for has little to do with what they need */
	j->left = 600 * exp(1.2 * sqrt(-2 * log(1 - uniform(s))) * cos(6.283185307179586 * uniform(s)));
}

static void make_jobs(struct sim *s)
{
	const struct elastic_sim *o = s->o;
	size_t rows = sizeof trace / sizeof *trace;
	double work = 0, t = 0, gap;

	for (int i = 0; i < s->n; i++) {
		struct sim_job *j = &s->job[i];

		draw(s, j);
		if (o->trace) {
			j->gpus = trace[(size_t)i % rows].gpus;
			j->left = trace[(size_t)i % rows].seconds;
			j->asked = trace[(size_t)i % rows].milli_cpu / 1000.0;
		}
		if (j->gpus > o->nodes * o->gpus)
			j->gpus = o->nodes * o->gpus;
		if (j->asked > (double)o->cpus / (j->gpus < o->gpus ? j->gpus : o->gpus))
			j->asked = (double)o->cpus / (j->gpus < o->gpus ? j->gpus : o->gpus);
		j->on = xcalloc((size_t)o->nodes, sizeof *j->on);
		work += j->left * j->gpus;
	}
	gap = work / (s->n * o->load * o->nodes * o->gpus);
	for (int i = 0; i < s->n; i++) {
		t += o->trace ? gap * trace[(size_t)i % rows].gap / 1000.0 : -gap * log(1 - uniform(s));
		s->job[i].arrive = t;
	}
}

/* ---- GPUs ---- */

static bool on_nodes(const struct sim *s)
{
	return s->policy == EP_user || s->policy == EP_static8;
}

static double local_cpus(const struct sim *s, const struct sim_job *j)
{
	return s->policy == EP_user ? j->asked : s->policy == EP_static8 ? (double)s->o->cpus / s->o->gpus : 0;
}

/* GPUs of node k that j could have, with the CPUs it needs beside them. */
static int room(const struct sim *s, const struct sim_job *j, int k)
{
	int n = s->free_gpus[k];

	if (on_nodes(s) && n * local_cpus(s, j) > s->free_cpus[k] + 1e-9)
		n = (int)((s->free_cpus[k] + 1e-9) / local_cpus(s, j));
	return n;
}

/* One node that just holds it if there is one, else the emptiest. */
static bool place(struct sim *s, struct sim_job *j)
{
	int best = -1, left = j->gpus, total = 0;

	for (int k = 0; k < s->o->nodes; k++) {
		int n = room(s, j, k);

		total += n;
		if (n >= left && (best < 0 || s->free_gpus[k] < s->free_gpus[best]))
			best = k;
	}
	if (total < left || (best < 0 && left <= s->o->gpus))
		return false;
	memset(j->on, 0, (size_t)s->o->nodes * sizeof *j->on);
	while (left) {
		int n;

		for (int k = 0; best < 0 && k < s->o->nodes; k++)
			if (room(s, j, k) > 0 && (best < 0 || room(s, j, k) > room(s, j, best)))
				best = k;
		n = room(s, j, best) < left ? room(s, j, best) : left;
		j->on[best] += n;
		s->free_gpus[best] -= n;
		s->free_cpus[best] -= n * local_cpus(s, j);
		left -= n;
		best = -1;
	}
	j->state = RUNS;
	j->given = j->works = 0;
	j->ready = NEVER;
	return true;
}

static void release(struct sim *s, struct sim_job *j)
{
	for (int k = 0; k < s->o->nodes; k++) {
		s->free_gpus[k] += j->on[k];
		s->free_cpus[k] += j->on[k] * local_cpus(s, j);
	}
	j->state = DONE;
	j->end = s->now;
}

static int by_key(const void *x, const void *y)
{
	const double *a = x, *b = y;

	return a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : a[1] < b[1] ? -1 : a[1] > b[1];
}

/* Positions of jobs in a state, ordered by a key. */
static uint32_t sorted(struct sim *s, enum phase state, double (*key)(const struct sim *, const struct sim_job *), uint32_t *out)
{
	double (*v)[2] = xmalloc(((size_t)s->n + 1) * sizeof *v);
	uint32_t n = 0;

	for (int i = 0; i < s->n; i++)
		if (s->job[i].state == state) {
			v[n][0] = key(s, &s->job[i]);
			v[n++][1] = i;
		}
	qsort(v, n, sizeof *v, by_key);
	for (uint32_t i = 0; i < n; i++)
		out[i] = (uint32_t)v[i][1];
	free(v);
	return n;
}

static double by_arrival(const struct sim *s, const struct sim_job *j)
{
	(void)s;
	return j->arrive;
}

static double by_need(const struct sim *s, const struct sim_job *j)
{
	(void)s;
	return j->need;
}

static double by_work(const struct sim *s, const struct sim_job *j)
{
	(void)s;
	return j->left * j->gpus * j->need;
}

static double by_time(const struct sim *s, const struct sim_job *j)
{
	(void)s;
	return j->left;
}

static void admit(struct sim *s, uint32_t *v)
{
	uint32_t n = sorted(s, QUEUED, s->policy == EP_clairvoyant ? by_time : by_arrival, v);

	for (uint32_t i = 0; i < n; i++)
		if (!place(s, &s->job[v[i]]) && !s->o->backfill)
			return;
}

/* ---- CPUs ---- */

static void give(struct sim *s, struct sim_job *j, double cpus)
{
	double delay = s->o->delay > s->o->buffer ? s->o->delay - s->o->buffer : 0;

	if (fabs(cpus - j->given) < 1e-9)
		return;
	if (cpus > j->given)
		j->ready = s->now + delay;
	if (cpus < j->works)
		j->works = cpus;
	j->given = cpus;
	if (j->works >= j->given)
		j->ready = NEVER;
}

/* The CPUs of each node among its jobs: to each its share, then what others leave. A job of several nodes is as fast as its slowest part. */
static void synergy(struct sim *s, const uint32_t *v, uint32_t n)
{
	double *got = xmalloc(((size_t)n + 1) * sizeof *got);

	for (uint32_t i = 0; i < n; i++)
		got[i] = NEVER;
	for (int k = 0; k < s->o->nodes; k++) {
		double left = s->o->cpus, share = (double)s->o->cpus / s->o->gpus;

		for (uint32_t i = 0; i < n; i++) {
			const struct sim_job *j = &s->job[v[i]];

			left -= j->on[k] * (j->need < share ? j->need : share);
		}
		for (uint32_t i = 0; i < n; i++) {
			const struct sim_job *j = &s->job[v[i]];
			double base = j->need < share ? j->need : share, more;

			if (!j->on[k])
				continue;
			more = (j->need - base) * j->on[k];
			more = more < left ? more : left > 0 ? left : 0;
			left -= more;
			base += more / j->on[k];
			if (base * j->gpus < got[i])
				got[i] = base * j->gpus;
		}
	}
	for (uint32_t i = 0; i < n; i++)
		give(s, &s->job[v[i]], got[i]);
	free(got);
}

/* One pool; everyone a CPU a GPU, then in the order of v up to what it can use, as far as the network into its nodes goes. */
static void pooled(struct sim *s, const uint32_t *v, uint32_t n)
{
	double left = (double)s->o->nodes * s->o->cpus + s->o->extra;

	for (uint32_t i = 0; i < n; i++)
		left -= s->job[v[i]].gpus;
	for (uint32_t i = 0; i < n; i++) {
		struct sim_job *j = &s->job[v[i]];
		double more = (j->need - 1) * j->gpus, nodes = 0, most;

		for (int k = 0; k < s->o->nodes; k++)
			nodes += j->on[k] > 0 ? (double)j->on[k] / s->o->gpus : 0;
		most = s->o->network > 0 ? nodes * (s->o->cpus + s->o->network / BYTES_PER_CPU) : NEVER;
		more = more < most ? more : most;
		more = more < left ? more : left > 0 ? left : 0;
		left -= more;
		give(s, j, j->gpus + more);
	}
}

static void allocate(struct sim *s, uint32_t *v)
{
	double (*key)(const struct sim *, const struct sim_job *) = s->policy == EP_rate ? by_need : s->policy == EP_work ? by_work : s->policy == EP_clairvoyant ? by_time : by_arrival;
	uint32_t n = sorted(s, RUNS, key, v);

	if (s->policy == EP_synergy) {
		synergy(s, v, n);
	} else if (on_nodes(s)) {
		for (uint32_t i = 0; i < n; i++)
			give(s, &s->job[v[i]], s->job[v[i]].gpus * local_cpus(s, &s->job[v[i]]));
	} else {
		pooled(s, v, n);
	}
}

/* ---- time ---- */

static double speed(const struct sim_job *j)
{
	return elastic_one_job(j->works / j->gpus, j->need);
}

/* When something happens next. */
static double next_event(const struct sim *s)
{
	double t = NEVER;

	for (int i = 0; i < s->n; i++) {
		const struct sim_job *j = &s->job[i];
		double at = NEVER;

		if (j->state == LATER)
			at = j->arrive;
		else if (j->state == RUNS) {
			at = speed(j) > 0 ? s->now + j->left / speed(j) : NEVER;
			if (j->ready < at)
				at = j->ready;
		}
		if (at < t)
			t = at;
	}
	return t;
}

static void advance(struct sim *s, double to)
{
	double dt = to - s->now;

	s->now = to;
	for (int i = 0; i < s->n; i++) {
		struct sim_job *j = &s->job[i];

		if (j->state == LATER && j->arrive <= to)
			j->state = QUEUED;
		if (j->state != RUNS)
			continue;
		s->used += dt * speed(j) * j->gpus;
		j->left -= dt * speed(j);
		if (j->ready <= to) {
			j->works = j->given;
			j->ready = NEVER;
		}
		if (j->left <= 1e-6)
			release(s, j);
	}
}

static int by_double(const void *x, const void *y)
{
	double a = *(const double *)x, b = *(const double *)y;

	return a < b ? -1 : a > b;
}

void elastic_simulate(const struct elastic_sim *o, enum elastic_policy p, struct elastic_result *r)
{
	struct sim s = { .o = o, .policy = p, .n = o->jobs, .rng = o->seed };
	uint32_t *v = xmalloc(((size_t)o->jobs + 1) * sizeof *v);
	double *jct = xmalloc(((size_t)o->jobs + 1) * sizeof *jct), t;

	s.job = xcalloc((size_t)o->jobs, sizeof *s.job);
	s.free_gpus = xcalloc((size_t)o->nodes, sizeof *s.free_gpus);
	s.free_cpus = xcalloc((size_t)o->nodes, sizeof *s.free_cpus);
	for (int k = 0; k < o->nodes; k++) {
		s.free_gpus[k] = o->gpus;
		s.free_cpus[k] = o->cpus;
	}
	make_jobs(&s);
	while ((t = next_event(&s)) < NEVER) {
		advance(&s, t);
		admit(&s, v);
		allocate(&s, v);
	}
	*r = (struct elastic_result){ .makespan = s.now, .use = s.now > 0 ? s.used / (s.now * o->nodes * o->gpus) : 0 };
	for (int i = 0; i < s.n; i++) {
		jct[i] = s.job[i].end - s.job[i].arrive;
		r->mean += jct[i] / s.n;
		free(s.job[i].on);
	}
	qsort(jct, (size_t)s.n, sizeof *jct, by_double);
	r->p95 = jct[(s.n * 95 - 1) / 100];
	free(s.job);
	free(s.free_gpus);
	free(s.free_cpus);
	free(jct);
	free(v);
}
