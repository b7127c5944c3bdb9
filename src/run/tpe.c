/* Tree-structured Parzen Estimator (see tpe.h). Pending trials of a batch count among the bad ones, which spreads the batch. */
#include "tpe.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define STARTUP 10                        /* trials drawn at random first */
#define CANDIDATES 24
#define WIDTH 0.08                        /* of a component, in ranges, times n^(-1 / (dimensions + 4)) as in Scott's rule */
#define LEAST_WIDTH 0.01
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

/*
 * A density over all dimensions at once: one component for each observation and a wide one for what is known beforehand. A
 * component is a product: in a dimension a normal cut off at the bounds, or for a choice its element and a little of all.
 * Jointly, so that what matters together is seen together (Falkner, Klein, Hutter, BOHB, ICML 2018, section 3.2).
 */
struct mixture { const struct told **v; uint32_t n; double *sigma, *part; };            /* v[i]->x: centres; sigma: by dimension; part: room for one number a component */

static double normal_cdf(double z)
{
	return 0.5 * erfc(-z * M_SQRT1_2);
}

static struct mixture mixture(struct tpe *t, const struct told **v, uint32_t n)
{
	uint32_t d = t->w->nspace;
	struct mixture p = { v, n, arena_array(t->arena, double, d + 1), arena_array(t->arena, double, n + 1) };

	for (uint32_t k = 0; k < d; k++) {
		const struct dim *m = &t->dims[k];
		double range = m->hi - m->lo, least = range * LEAST_WIDTH;

		p.sigma[k] = fmax(least, WIDTH * range * pow(n ? n : 1, -1.0 / (d + 4)));
	}
	return p;
}

/* ln of what component i gives x in dimension k; i = n: what is known beforehand. */
static double component_log(const struct tpe *t, const struct mixture *p, uint32_t i, uint32_t k, double x)
{
	const struct dim *m = &t->dims[k];
	double mu, s, z, inside;

	if (m->kind == DIST_CHOICE) {
		double all = 1.0 / m->n, own = 1 - 1 / (1.0 + p->n);

		return log(i == p->n ? all : own * ((uint32_t)p->v[i]->x[k] == (uint32_t)x) + (1 - own) * all);
	}
	mu = i == p->n ? (m->lo + m->hi) / 2 : p->v[i]->x[k];
	s = i == p->n ? m->hi - m->lo : p->sigma[k];
	z = (x - mu) / s;
	inside = normal_cdf((m->hi - mu) / s) - normal_cdf((m->lo - mu) / s);
	return -0.5 * z * z - log(s * 2.5066282746310002 * (inside > 1e-12 ? inside : 1e-12));
}

static double mixture_log(const struct tpe *t, const struct mixture *p, const double *x)
{
	double sum = 0, top = -INFINITY, *part = p->part;

	for (uint32_t i = 0; i <= p->n; i++) {
		part[i] = 0;
		for (uint32_t k = 0; k < t->w->nspace; k++)
			part[i] += component_log(t, p, i, k, x[k]);
		top = part[i] > top ? part[i] : top;
	}
	for (uint32_t i = 0; i <= p->n; i++)
		sum += exp(part[i] - top);
	return top + log(sum / (p->n + 1));
}

static double normal_draw(const struct dim *m, double mu, double s, uint64_t *rng)
{
	for (int tries = 0; tries < 100; tries++) {
		double u = unit(rng), v = unit(rng);
		double x = mu + s * sqrt(-2 * log(1 - u)) * cos(6.283185307179586 * v);    /* Box and Muller, 1958 */

		if (x >= m->lo && x < m->hi)
			return x;
	}
	return m->lo + unit(rng) * (m->hi - m->lo);
}

static void mixture_draw(const struct tpe *t, const struct mixture *p, uint64_t *rng, double *x)
{
	uint32_t i = (uint32_t)(unit(rng) * (p->n + 1));

	for (uint32_t k = 0; k < t->w->nspace; k++) {
		const struct dim *m = &t->dims[k];

		if (m->kind == DIST_CHOICE)
			x[k] = i < p->n && unit(rng) > 1 / (1.0 + p->n) ? p->v[i]->x[k] : at_random(m, rng);
		else
			x[k] = normal_draw(m, i == p->n ? (m->lo + m->hi) / 2 : p->v[i]->x[k], i == p->n ? m->hi - m->lo : p->sigma[k], rng);
		if (m->kind == DIST_INT_UNIFORM || m->kind == DIST_STEPS)
			x[k] = floor(x[k] + 0.5);
	}
}

/* Of what the good ones would give, the candidate that is likelier there than among the others. */
static void promising(struct tpe *t, const struct told **order, uint32_t ngood, uint64_t *rng, double *best)
{
	struct mixture l = mixture(t, order, ngood), g = mixture(t, order + ngood, t->n - ngood);
	double *x = arena_array(t->arena, double, t->w->nspace + 1), most = -INFINITY;

	for (int c = 0; c < CANDIDATES; c++) {
		double score;

		mixture_draw(t, &l, rng, x);
		score = mixture_log(t, &l, x) - mixture_log(t, &g, x);
		if (score > most) {
			most = score;
			memcpy(best, x, t->w->nspace * sizeof *x);
		}
	}
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
	double *x = arena_array(t->arena, double, nspace + 1);
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
	if (ended >= STARTUP)
		promising(t, order, ngood, &rng, x);
	for (uint32_t k = 0; k < nspace; k++) {
		if (ended < STARTUP)
			x[k] = at_random(&t->dims[k], &rng);
		args[k] = value_of(&t->dims[k], x[k]);
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
