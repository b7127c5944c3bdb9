/* When the next attempt comes: backoff, its bounds and jitter; timers in their order. */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "run/rt.h"

static double middle(const struct retry *r, uint32_t attempts)
{
	return backoff_delay(r, attempts, 0.5);
}

START_TEST(doubles_up_to_its_bound)
{
	struct retry r = { .limit = 9, .backoff = 2, .factor = 2, .max_backoff = 20, .within = -1 };
	const double want[] = { 2, 4, 8, 16, 20, 20 };

	for (uint32_t k = 0; k < 6; k++)
		ck_assert_double_eq_tol(middle(&r, k + 1), want[k], 1e-9);
	r.factor = 1;
	ck_assert_double_eq_tol(middle(&r, 50), 2, 1e-9);
	r.factor = 0.5;
	ck_assert_double_eq_tol(middle(&r, 3), 0.5, 1e-9);
	r.backoff = 30;
	ck_assert_double_eq_tol(middle(&r, 1), 20, 1e-9);
}
END_TEST

/* After 65,535 attempts, the most that are counted, and with no backoff at all: no infinity, no endless loop. */
START_TEST(stays_finite)
{
	struct retry r = { .backoff = 1e-3, .factor = 1e300, .max_backoff = 600 };

	ck_assert_double_eq_tol(middle(&r, 65535), 600, 1e-9);
	r.factor = 1;
	ck_assert_double_eq_tol(middle(&r, 65535), 1e-3, 1e-12);
	r.backoff = 0;
	r.factor = 2;
	ck_assert(middle(&r, 1) == 0 && middle(&r, 65535) == 0);
}
END_TEST

/* Within a tenth to either side, and spread over all of it. */
START_TEST(jitter)
{
	struct retry r = { .backoff = 10, .factor = 2, .max_backoff = 600 };

	ck_assert_double_eq_tol(backoff_delay(&r, 1, 0), 9, 1e-9);
	ck_assert_double_eq_tol(backoff_delay(&r, 1, 0.999999), 11, 1e-3);
	for (int k = 0; k < 100; k++)
		ck_assert(backoff_delay(&r, 2, k / 100.0) < backoff_delay(&r, 2, (k + 1) / 100.0));
}
END_TEST

/* ---- timers ---- */

struct fired { double last; uint32_t n; };
struct alarm { struct timer t; struct fired *f; double at; };

static void fire(struct rt *rt, void *data)
{
	struct alarm *a = data;

	(void)rt;
	ck_assert(a->at >= a->f->last);
	a->f->last = a->at;
	a->f->n++;
}

START_TEST(timers_in_order)
{
	enum { N = 2000 };
	struct rt rt = { .arena = arena_new() };
	struct alarm *a = calloc(N, sizeof *a);
	struct fired f = { -1, 0 };
	uint64_t seed = 1;

	for (uint32_t k = 0; k < 4 * N; k++) {                             /* each is set, moved, and a part of them cleared */
		struct alarm *x = &a[k % N];

		seed = seed * 6364136223846793005u + 1442695040888963407u;
		x->f = &f;
		x->at = (double)(seed >> 40);
		timer_set(&rt, &x->t, x->at, fire, x);
		if (k % 7 == 0)
			timer_clear(&rt, &a[(seed >> 33) % N].t);
	}
	for (uint32_t k = 0; k < N; k += 3)
		timer_clear(&rt, &a[k].t);
	ck_assert_double_eq(timer_next(&rt), rt.timers.v[0]->at);
	timers_fire(&rt, 8e6);
	ck_assert(f.n > 100 && f.last <= 8e6 && timer_next(&rt) > 8e6);
	timers_fire(&rt, INFINITY);
	ck_assert(timer_next(&rt) == -1 && f.n <= N);
	arena_free(rt.arena);
	free(a);
}
END_TEST

static void none(struct rt *rt, void *data)
{
	(void)rt;
	++*(int *)data;
}

struct chain { struct timer t; int left; };

static void next(struct rt *rt, void *data)
{
	struct chain *c = data;

	if (c->left--)
		timer_set(rt, &c->t, c->t.at + 1, next, c);
}

START_TEST(timers_set_by_timers)
{
	struct rt rt = { .arena = arena_new() };
	struct chain c = { .left = 9 };
	struct timer once = { 0 };
	int n = 0;

	timer_set(&rt, &c.t, 1, next, &c);
	timer_set(&rt, &once, 3, none, &n);
	timer_clear(&rt, &once);
	timer_clear(&rt, &once);
	timers_fire(&rt, 5);
	ck_assert(c.left == 4 && timer_next(&rt) == 6 && n == 0);
	timers_fire(&rt, 100);
	ck_assert(c.left == -1 && timer_next(&rt) == -1);
	arena_free(rt.arena);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("backoff");
	TCase *t = tcase_create("delays"), *u = tcase_create("timers");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_test(t, doubles_up_to_its_bound);
	tcase_add_test(t, stays_finite);
	tcase_add_test(t, jitter);
	tcase_add_test(u, timers_in_order);
	tcase_add_test(u, timers_set_by_timers);
	suite_add_tcase(s, t);
	suite_add_tcase(s, u);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
