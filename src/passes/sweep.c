/*
 * sweep: the trials of grid, random and halving, drawn once and for all at compile time (docs/language.md, "Sampling"),
 * so that every engine runs the same ones. The points of steps() are laid out for every search.
 *
 * SplitMix64: Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014, figure 17.
 * Halving: Jamieson, Talwalkar, "Non-stochastic Best Arm Identification and Hyperparameter Optimization", AISTATS 2016.
 *
 * needs nothing; gives IR_SWEPT; keeps everything else.
 */
#include "passes.h"

#include <float.h>
#include <math.h>
#include <mpfr.h>
#include <string.h>

#define MAX_TRIALS 1000000
#define POOL 4                            /* llm: configurations that are predicted for one that runs, */
#define ASKED 64                          /* up to so many */

struct sweeper { struct ir *m; struct diag *d; int rc; };

/* ---- numbers ---- */

#define GAMMA UINT64_C(0x9e3779b97f4a7c15)

static uint64_t mix(uint64_t z)
{
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static uint64_t next(uint64_t *state)
{
	*state += GAMMA;
	return mix(*state);
}

/* In [0, 1), in steps of 2^-53. */
static double draw(uint64_t *state)
{
	return (double)(next(state) >> 11) * 0x1p-53;
}

/* f(x) correctly rounded. Results below the normal doubles are rounded once, from 300 bits. */
static double exact(int (*f)(mpfr_t, mpfr_srcptr, mpfr_rnd_t), double x)
{
	mpfr_prec_t bits[] = { 53, 300 };
	double r = 0;

	for (int i = 0; i < 2; i++) {
		mpfr_t in, out;

		mpfr_init2(in, 53);
		mpfr_init2(out, bits[i]);
		mpfr_set_d(in, x, MPFR_RNDN);
		f(out, in, MPFR_RNDN);
		r = mpfr_get_d(out, MPFR_RNDN);
		mpfr_clear(in);
		mpfr_clear(out);
		if (fabs(r) >= DBL_MIN || r == 0)
			break;
	}
	return r;
}

/* One rounding an operation, whatever the compiler would like to fuse. */
static double between(double lo, double hi, double u)
{
	volatile double width = hi - lo, part = u * width;

	return lo + part;
}

static struct value number(struct type t, double d)
{
	struct value v = { .type = type_of(t.kind) };

	if (t.kind == T_INT || t.kind == T_SIZE)
		v.u.i = (int64_t)d;
	else
		v.u.d = d == 0 ? 0 : d;
	return v;
}

/* ---- the space ---- */

static int mistake(struct sweeper *p, enum diag_code code, struct span sp, const char *mend, const char *fmt, ...) __attribute__((format(printf, 5, 6)));
static int mistake(struct sweeper *p, enum diag_code code, struct span sp, const char *mend, const char *fmt, ...)
{
	struct strbuf b = { 0 };
	va_list ap;

	va_start(ap, fmt);
	sb_vf(&b, fmt, ap);
	va_end(ap);
	diag_mend(p->d, diag_at(p->d, code, sp, "%s", sb_cstr(&b)), "%s", mend);
	sb_free(&b);
	p->rc = -1;
	return -1;
}

/*
 * Points of steps(lo, hi, by): lo + i * by up to hi; hi is one of them when it is hit to rounding, that is within a few
 * units in the last place of the larger bound.
 */
static double steps_count(const struct dist *d)
{
	double k = floor((d->hi - d->lo) / d->by), slack = 8 * DBL_EPSILON * fmax(fabs(d->lo), fabs(d->hi));
	volatile double part = (k + 1) * d->by;

	if (d->lo + part - d->hi <= slack)
		k++;
	return k + 1;
}

static int check_dist(struct sweeper *p, const struct dist *d)
{
	bool bounds = d->kind != DIST_CHOICE;

	if (d->kind == DIST_CHOICE && !d->nchoice)
		return mistake(p, CW0511, d->span, "give it a value: choice(a, b)", "argument '%s' has nothing to choose from", d->name->s);
	if (bounds && (!isfinite(d->lo) || !isfinite(d->hi) || d->lo > d->hi))
		return mistake(p, CW0511, d->span, "write the lower bound first", "the bounds of argument '%s' are not in order", d->name->s);
	if (d->kind == DIST_LOG_UNIFORM && d->lo <= 0)
		return mistake(p, CW0511, d->span, "start above zero, at 1e-4 for instance", "log_uniform of argument '%s' needs bounds above zero", d->name->s);
	if (d->kind == DIST_STEPS && !(d->by > 0))
		return mistake(p, CW0511, d->span, "write steps(lo, hi, by) with by > 0", "the step of argument '%s' is not above zero", d->name->s);
	if (d->kind == DIST_UNIFORM && !isfinite(d->hi - d->lo))
		return mistake(p, CW0511, d->span, "take narrower bounds", "the range of argument '%s' is wider than a float holds", d->name->s);
	return 0;
}

static int lay_out_steps(struct sweeper *p, struct dist *d)
{
	double n = steps_count(d);

	if (d->nchoice)
		return 0;
	if (n > MAX_TRIALS)
		return mistake(p, CW0514, d->span, "take a larger step", "steps of argument '%s' has %.6g values, at most 1,000,000 are allowed", d->name->s, n);
	d->nchoice = (uint32_t)n;
	d->choice = arena_array(p->m->arena, struct value, d->nchoice);
	for (uint32_t i = 0; i < d->nchoice; i++) {
		volatile double part = (double)i * d->by;

		d->choice[i] = number(d->type, d->lo + part);
	}
	return 0;
}

/* ---- trials ---- */

static struct value sample(const struct dist *d, double u)
{
	double x;

	switch (d->kind) {
	case DIST_CHOICE:
	case DIST_STEPS:
		return d->choice[(uint32_t)(u * d->nchoice)];
	case DIST_UNIFORM:
		return number(d->type, between(d->lo, d->hi, u));
	case DIST_LOG_UNIFORM:
		x = between(exact(mpfr_log, d->lo), exact(mpfr_log, d->hi), u);
		return number(d->type, exact(mpfr_exp, x));
	case DIST_INT_UNIFORM:
	default:
		return number(d->type, d->lo + floor(u * (d->hi - d->lo + 1)));
	}
}

static void draw_table(struct sweep *s)
{
	for (uint32_t t = 0; t < s->ntable; t++) {
		uint64_t state = mix(s->seed + (t + UINT64_C(1)) * GAMMA);      /* output t of the generator seeded with the seed */

		for (uint32_t i = 0; i < s->nspace; i++)
			s->table[(size_t)t * s->nspace + i] = sample(&s->space[i], draw(&state));
	}
}

/* Like an odometer, the last argument fastest. */
static void count_table(struct sweep *s)
{
	for (uint32_t t = 0; t < s->ntable; t++) {
		uint32_t rest = t;

		for (uint32_t i = s->nspace; i-- > 0; ) {
			s->table[(size_t)t * s->nspace + i] = s->space[i].choice[rest % s->space[i].nchoice];
			rest /= s->space[i].nchoice;
		}
	}
}

/* From min on, times factor, the last at max; of n configurations ceil(n / factor) go on. */
static int make_rungs(struct sweeper *p, const struct node *n, struct sweep *s)
{
	VEC(struct { uint32_t n; double budget; }) v = { 0 };
	double budget = s->min;
	uint32_t left = s->ntable;

	if (!(s->min > 0) || !(s->max >= s->min) || !isfinite(s->max) || s->factor < 2)
		return mistake(p, CW0515, n->span, "write halving(trials = 27, factor = 3, budget = epochs, min = 1, max = 27)",
		               "the sweep '%s' needs 0 < min <= max and a factor of 2 or more", n->name->s);
	for (;;) {
		vec_add(p->m->arena, &v);
		v.v[v.n - 1].n = left;
		v.v[v.n - 1].budget = budget;
		if (budget >= s->max)
			break;
		left = (uint32_t)((left + s->factor - 1) / s->factor);
		budget = budget * (double)s->factor < s->max ? budget * (double)s->factor : s->max;
	}
	s->nrungs = v.n;
	s->rungs = arena_alloc(p->m->arena, v.n * sizeof *s->rungs);
	for (uint32_t i = 0; i < v.n; i++) {
		s->rungs[i].n = v.v[i].n;
		s->rungs[i].budget = v.v[i].budget;
	}
	return 0;
}

static int grid_size(struct sweeper *p, const struct node *n, const struct sweep *s, double *points)
{
	*points = 1;
	for (uint32_t i = 0; i < s->nspace; i++) {
		const struct dist *d = &s->space[i];

		if (d->kind != DIST_CHOICE && d->kind != DIST_STEPS)
			return mistake(p, CW0510, d->span, "use choice(...) or steps(lo, hi, by), or search = random(trials = 20)",
			               "grid() of sweep '%s' cannot count through the range of '%s'", n->name->s, d->name->s);
		*points *= d->kind == DIST_STEPS ? steps_count(d) : d->nchoice;
	}
	return 0;
}

static void remark(struct sweeper *p, const struct node *n, const struct sweep *s)
{
	struct strbuf b = { 0 };

	if (!p->d->remarks)
		return;
	for (uint32_t i = 0; s->search == SEARCH_GRID && i < s->nspace; i++)
		sb_f(&b, "%s%u of %s", i ? " x " : ", ", s->space[i].nchoice, s->space[i].name->s);
	for (uint32_t i = 0; i < s->nrungs; i++) {
		sb_f(&b, "%s%u at %s ", i ? ", " : " in rungs: ", s->rungs[i].n, s->budget ? s->budget->s : "budget");
		sb_double(&b, s->rungs[i].budget);
	}
	if (s->search == SEARCH_RANDOM)
		sb_f(&b, " drawn with seed %llu", (unsigned long long)s->seed);
	if (s->search == SEARCH_LLM) {
		diag_remark(p->d, n->span, "sweep: '%s' has %lld trials, chosen from %u configurations by what a language model predicts of them; real runs decide", n->name->s, (long long)s->trials, s->ntable);
		sb_free(&b);
		return;
	}
	diag_remark(p->d, n->span, "sweep: '%s' has %u trial%s%s", n->name->s, s->ntable, s->ntable == 1 ? "" : "s", sb_cstr(&b));
	sb_free(&b);
}

static void expand(struct sweeper *p, const struct node *n, struct sweep *s)
{
	double points = (double)s->trials;

	for (uint32_t i = 0; i < s->nspace; i++)
		if (check_dist(p, &s->space[i]))
			return;
	if (s->search == SEARCH_GRID && grid_size(p, n, s, &points))
		return;
	if (points > MAX_TRIALS || points < 1) {
		mistake(p, CW0514, n->span, "take fewer values, or search = random(trials = 200)", "the sweep '%s' has %.6g trials, 1 to 1,000,000 are allowed", n->name->s, points);
		return;
	}
	for (uint32_t i = 0; i < s->nspace; i++)
		if (s->space[i].kind == DIST_STEPS && lay_out_steps(p, &s->space[i]))
			return;
	if (s->table || s->search == SEARCH_TPE)
		return;
	s->ntable = (uint32_t)points;
	if (s->search == SEARCH_LLM && s->trials < ASKED)
		s->ntable = s->trials * POOL < ASKED ? (uint32_t)s->trials * POOL : ASKED;
	s->table = arena_array(p->m->arena, struct value, (size_t)s->ntable * s->nspace);
	if (s->search == SEARCH_GRID)
		count_table(s);
	else
		draw_table(s);
	if (s->search == SEARCH_HALVING && make_rungs(p, n, s))
		return;
	remark(p, n, s);
}

static void visit(struct node *n, void *data)
{
	if (n->kind == N_SWEEP)
		expand(data, n, n->u.sweep);
}

static int run(struct ir *m, const struct target *t, const struct optset *o, struct diag *d)
{
	struct sweeper p = { m, d, 0 };

	(void)t;
	(void)o;
	for (uint32_t i = 0; i < m->workflows.n; i++)
		workflow_nodes(m->workflows.v[i], visit, &p);
	mpfr_free_cache();
	return p.rc;
}

const struct pass pass_sweep = {
	.name = "sweep", .help = "lays out the trials of grid, random and halving, and what llm chooses from", .gives = IR_SWEPT, .always = true, .run = run,
};
