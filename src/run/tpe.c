/* Tree-structured Parzen Estimator (see tpe.h). Pending trials of a batch count among the bad ones, which spreads the batch. */
#include "tpe.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define STARTUP 10                        /* trials drawn at random first */
#define CANDIDATES 24
#define GAMMA 0.15                        /* of the trials are good, as in the paper's experiments, at most MOST_GOOD */
#define MOST_GOOD 25

struct told { double *x; double loss; bool pending; };                 /* x: by dimension, in its own scale; choice: the index */
struct dim {
	enum dist_kind kind;
	const struct dist *d;
	double lo, hi;                    /* of the scale: ln for log_uniform, ±1/2 for whole numbers */
	uint32_t n;                       /* choice, steps: elements */
};
struct tpe {
	struct arena *arena;
	struct strtab *strs;
	const struct sweep *w;
	struct dim *dims;
	struct told *v;
	uint32_t n, cap;
};

/* SplitMix64: Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014. */
static uint64_t splitmix(uint64_t *s)
{
	uint64_t z = *s += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static double unit(uint64_t *s)
{
	return (double)(splitmix(s) >> 11) * 0x1p-53;
}

/* Its own generator for trial t: output t of the one seeded with seed. */
static uint64_t stream(uint64_t seed, uint32_t t)
{
	uint64_t s = seed + (uint64_t)t * 0x9e3779b97f4a7c15u;

	return splitmix(&s);
}

struct tpe *tpe_new(struct arena *a, struct strtab *strs, const struct sweep *w)
{
	struct tpe *t = arena_new_of(a, struct tpe);

	t->arena = a;
	t->strs = strs;
	t->w = w;
	t->dims = arena_array(a, struct dim, w->nspace ? w->nspace : 1);
	for (uint32_t k = 0; k < w->nspace; k++) {
		const struct dist *d = &w->space[k];
		struct dim *m = &t->dims[k];

		*m = (struct dim){ .kind = d->kind, .d = d, .lo = d->lo, .hi = d->hi, .n = d->nchoice };
		if (d->kind == DIST_LOG_UNIFORM) {
			m->lo = log(d->lo);
			m->hi = log(d->hi);
		} else if (d->kind == DIST_INT_UNIFORM) {
			m->lo -= 0.5;
			m->hi += 0.5;
		} else if (d->kind == DIST_STEPS) {
			if (!m->n)
				m->n = (uint32_t)floor((d->hi - d->lo) / d->by * (1 + 1e-12)) + 1;
			m->lo = -0.5;
			m->hi = m->n - 0.5;
		}
	}
	return t;
}

/* ---- one dimension ---- */

static struct value value_of(const struct dim *m, double x)
{
	const struct dist *d = m->d;
	struct value v = { .type = { d->type.kind, false, false } };
	double y = x;

	if (m->kind == DIST_CHOICE || (m->kind == DIST_STEPS && d->nchoice)) {
		uint32_t k = x <= 0 ? 0 : (uint32_t)(x + 0.5);

		return d->choice[k < m->n ? k : m->n - 1];
	}
	if (m->kind == DIST_LOG_UNIFORM)
		y = exp(x);
	else if (m->kind == DIST_STEPS)
		y = d->lo + floor(x + 0.5) * d->by;
	else if (m->kind == DIST_INT_UNIFORM)
		y = floor(x + 0.5);
	if (y < d->lo)
		y = d->lo;
	if (y > d->hi)
		y = d->hi;
	if (v.type.kind == T_INT)
		v.u.i = (int64_t)llround(y);
	else
		v.u.d = y;
	return v;
}

static double at_random(const struct dim *m, uint64_t *rng)
{
	double u = unit(rng);

	if (m->kind == DIST_CHOICE || m->kind == DIST_STEPS)
		return floor(u * m->n);
	if (m->kind == DIST_INT_UNIFORM)
		return m->d->lo + floor(u * (m->d->hi - m->d->lo + 1));
	return m->lo + u * (m->hi - m->lo);
}

/* A mixture of normals cut off at the bounds: one for each observation, and a wide one for what is known beforehand. */
struct parzen { double *mu, *sigma; uint32_t n; };

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static struct parzen parzen(struct arena *a, const struct dim *m, const double *x, uint32_t n)
{
	struct parzen p = { arena_array(a, double, n + 1), arena_array(a, double, n + 1), n + 1 };
	double range = m->hi - m->lo, least = range / (1.0 + (n < 99 ? n : 99));
	double prior = (m->lo + m->hi) / 2;
	bool done = false;

	if (n)
		memcpy(p.mu, x, n * sizeof *x);
	p.mu[n] = prior;
	qsort(p.mu, n + 1, sizeof *p.mu, ascending);
	for (uint32_t k = 0; k <= n; k++) {
		double left = k ? p.mu[k] - p.mu[k - 1] : p.mu[k] - m->lo, right = k < n ? p.mu[k + 1] - p.mu[k] : m->hi - p.mu[k];
		double s = left > right ? left : right;

		p.sigma[k] = s < least ? least : s > range ? range : s;
		if (!done && p.mu[k] == prior) {
			p.sigma[k] = range;
			done = true;
		}
	}
	return p;
}

static double normal_cdf(double z)
{
	return 0.5 * erfc(-z * M_SQRT1_2);
}

static double parzen_log(const struct dim *m, const struct parzen *p, double x)
{
	double sum = 0;

	for (uint32_t k = 0; k < p->n; k++) {
		double z = (x - p->mu[k]) / p->sigma[k];
		double inside = normal_cdf((m->hi - p->mu[k]) / p->sigma[k]) - normal_cdf((m->lo - p->mu[k]) / p->sigma[k]);

		sum += exp(-0.5 * z * z) / (p->sigma[k] * 2.5066282746310002 * (inside > 1e-12 ? inside : 1e-12));
	}
	return log(sum / p->n + 1e-300);
}

static double parzen_draw(const struct dim *m, const struct parzen *p, uint64_t *rng)
{
	for (int tries = 0; tries < 100; tries++) {
		uint32_t k = (uint32_t)(unit(rng) * p->n);
		double u = unit(rng), v = unit(rng);
		double x = p->mu[k] + p->sigma[k] * sqrt(-2 * log(1 - u)) * cos(6.283185307179586 * v);   /* Box and Muller, 1958 */

		if (x >= m->lo && x < m->hi)
			return x;
	}
	return m->lo + unit(rng) * (m->hi - m->lo);
}

static double numeric(struct tpe *t, const struct dim *m, const double *good, uint32_t ng, const double *bad, uint32_t nb, uint64_t *rng)
{
	struct parzen l = parzen(t->arena, m, good, ng), g = parzen(t->arena, m, bad, nb);
	double best = 0, most = -INFINITY;

	for (int c = 0; c < CANDIDATES; c++) {
		double x = parzen_draw(m, &l, rng), score;

		if (m->kind == DIST_INT_UNIFORM || m->kind == DIST_STEPS)
			x = floor(x + 0.5);
		score = parzen_log(m, &l, x) - parzen_log(m, &g, x);
		if (score > most) {
			most = score;
			best = x;
		}
	}
	return best;
}

/* Counts with one added everywhere: the categorical case of section 4.1. */
static double categorical(struct tpe *t, const struct dim *m, const double *good, uint32_t ng, const double *bad, uint32_t nb, uint64_t *rng)
{
	double *l = arena_array(t->arena, double, m->n), *g = arena_array(t->arena, double, m->n), best = 0, most = -INFINITY;

	for (uint32_t k = 0; k < m->n; k++)
		l[k] = g[k] = 1;
	for (uint32_t k = 0; k < ng; k++)
		l[(uint32_t)good[k]] += 1;
	for (uint32_t k = 0; k < nb; k++)
		g[(uint32_t)bad[k]] += 1;
	for (int c = 0; c < CANDIDATES; c++) {
		double u = unit(rng) * (ng + m->n), score;
		uint32_t k = 0;

		while (k + 1 < m->n && u >= l[k])
			u -= l[k++];
		score = log(l[k] / (ng + m->n)) - log(g[k] / (nb + m->n));
		if (score > most) {
			most = score;
			best = k;
		}
	}
	return best;
}

/* ---- asking and telling ---- */

static int by_loss(const void *a, const void *b)
{
	const struct told *x = *(const struct told *const *)a, *y = *(const struct told *const *)b;

	return x->loss < y->loss ? -1 : x->loss > y->loss ? 1 : x < y ? -1 : x > y;
}

void tpe_ask(struct tpe *t, uint32_t trial, struct value *args)
{
	uint32_t nspace = t->w->nspace, ended = 0, ngood;
	const struct told **order = arena_array(t->arena, const struct told *, t->n + 1);
	double *x = arena_array(t->arena, double, nspace + 1), *col = arena_array(t->arena, double, t->n + 1);
	uint64_t rng = stream(t->w->seed, trial);

	for (uint32_t k = 0; k < t->n; k++) {
		order[k] = &t->v[k];
		ended += !t->v[k].pending;
	}
	if (t->n)
		qsort(order, t->n, sizeof *order, by_loss);
	ngood = (uint32_t)ceil(GAMMA * ended);
	if (ngood > MOST_GOOD)
		ngood = MOST_GOOD;
	for (uint32_t k = 0; k < nspace; k++) {
		const struct dim *m = &t->dims[k];

		for (uint32_t i = 0; i < t->n; i++)
			col[i] = order[i]->x[k];
		if (ended < STARTUP)
			x[k] = at_random(m, &rng);
		else if (m->kind == DIST_CHOICE)
			x[k] = categorical(t, m, col, ngood, col + ngood, t->n - ngood, &rng);
		else
			x[k] = numeric(t, m, col, ngood, col + ngood, t->n - ngood, &rng);
		args[k] = value_of(m, x[k]);
	}
	if (t->n == t->cap) {
		uint32_t cap = t->cap ? 2 * t->cap : 32;

		t->v = arena_grow(t->arena, t->v, t->cap * sizeof *t->v, cap * sizeof *t->v);
		t->cap = cap;
	}
	t->v[t->n++] = (struct told){ x, INFINITY, true };
}

void tpe_tell(struct tpe *t, const struct value *args, double loss)
{
	for (uint32_t i = 0; i < t->n; i++) {
		bool same = t->v[i].pending;

		for (uint32_t k = 0; k < t->w->nspace && same; k++) {
			struct value v = value_of(&t->dims[k], t->v[i].x[k]);

			same = value_eq(&v, &args[k]);
		}
		if (!same)
			continue;
		t->v[i].pending = false;
		t->v[i].loss = isnan(loss) ? INFINITY : loss;
		return;
	}
}
