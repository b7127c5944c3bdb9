/* The number of workers: the controller against simulated pipelines, slots among jobs, records in a stream. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "couler/elastic.h"
#include "elastic/flow.h"
#include "graphs.h"

static uint64_t state;

static double noise(double share)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return 1 + share * ((double)(state >> 11) * 0x1p-52 - 1);
}

/* A pipeline with a queue: workers fill it, the trainer drains it; a tick gives what the broker would measure. */
struct plant { double mu, omega, queue, size; int cpus; };

static struct control_in plant_tick(struct plant *p, int n, int max, double share)
{
	double omega = p->omega * noise(share), mu = p->mu * noise(share), room;
	double able = (p->cpus && n > p->cpus ? p->cpus : n) * omega, made, taken;
	struct control_in in = { .dt = 1, .min = 1, .max = max };

	p->size = 100.0 * n;
	if (p->queue > p->size)
		p->queue = p->size;
	taken = mu < p->queue + able ? mu : p->queue + able;
	room = p->size - p->queue + taken;
	made = able < room ? able : room;
	p->queue += made - taken;
	in.rate = taken;
	in.mu = mu;
	in.omega = p->cpus && n > p->cpus ? omega * p->cpus / n : omega;
	in.trainer_waits = 1 - taken / mu;
	in.worker_waits = 1 - made / able;
	in.queue = p->queue / p->size;
	in.drain = p->size / taken;
	return in;
}

static int best(const struct plant *p, int max)
{
	int n = (int)ceil(1.1 * p->mu / p->omega - 1e-9);

	n = n < 1 ? 1 : n > max ? max : n;
	return p->cpus && n > p->cpus ? p->cpus : n;
}

/* Within one of the best number after ten ticks, and no swinging over a hundred. */
static void settles(double mu, double omega, int cpus, int max, double share, int from)
{
	struct plant p = { .mu = mu, .omega = omega, .cpus = cpus };
	struct control c = { .n = from };
	int want = best(&p, max), changes = 0, turns = 0, last = 0;

	for (int t = 0; t < 110; t++) {
		struct control_in in = plant_tick(&p, c.n, max, share);
		int before = c.n;

		control_tick(&c, &in);
		if (t < 10)
			continue;
		if (!cpus)
			ck_assert_msg(abs(c.n - want) <= 1, "mu %g omega %g max %d: %d workers at tick %d, %d are best", mu, omega, max, c.n, t, want);
		if (c.n != before) {
			int way = c.n > before ? 1 : -1;

			changes++;
			turns += last && way != last;
			last = way;
		}
	}
	ck_assert_msg(turns <= (cpus ? 10 : 1), "mu %g omega %g cpus %d: it turned %d times", mu, omega, cpus, turns);
	if (cpus)
		ck_assert_msg(c.n <= 2 * cpus, "%d workers for %d CPUs", c.n, cpus);
}

START_TEST(controller)
{
	static const double ratios[] = { 0.2, 0.5, 0.9, 1, 1.5, 2, 2.7, 3.3, 5, 7.4, 10, 12, 14.5 };

	state = 11;
	for (size_t i = 0; i < sizeof ratios / sizeof *ratios; i++)
		for (int s = 0; s < 3; s++) {
			settles(100 * ratios[i], 100, 0, 64, 0.02 * s, 1);
			settles(3 * ratios[i], 3, 0, 8, 0.02 * s, 1);
		}
}
END_TEST

/* More workers than processors bring nothing: the steps up are taken back. */
START_TEST(controller_gives_up)
{
	state = 5;
	for (int s = 0; s < 3; s++) {
		settles(1000, 100, 2, 16, 0.02 * s, 1);
		settles(1000, 100, 4, 16, 0.02 * s, 1);
	}
}
END_TEST

START_TEST(controller_bounds)
{
	struct control c = { .n = 6 };
	struct control_in in = { .dt = 1, .min = 2, .max = 4, .mu = 100, .omega = 10, .queue = 0.5 };

	ck_assert_int_eq(control_tick(&c, &in), CONTROL_BOUND);
	ck_assert_int_eq(c.n, 4);
	c.n = 1;
	ck_assert_int_eq(control_tick(&c, &in), CONTROL_BOUND);
	ck_assert_int_eq(c.n, 2);
}
END_TEST

START_TEST(slots)
{
	struct fill_job v[] = { { 50, 1, 4, 0 }, { 10, 1, 3, 0 }, { 90, 1, 9, 0 } };
	struct fill_job w[] = { { 5, 1, 2, 0 }, { 4, 1, 2, 0 }, { 3, 1, 2, 0 } };

	fill_slots(v, 3, 6);              /* one each; then the least work first */
	ck_assert_int_eq(v[1].got, 3);
	ck_assert_int_eq(v[0].got, 2);
	ck_assert_int_eq(v[2].got, 1);
	fill_slots(v, 3, 100);
	ck_assert_int_eq(v[0].got + v[1].got + v[2].got, 16);
	fill_slots(w, 3, 2);              /* less than one each */
	ck_assert_int_eq(w[2].got, 1);
	ck_assert_int_eq(w[1].got, 1);
	ck_assert_int_eq(w[0].got, 0);
	fill_slots(w, 0, 2);
}
END_TEST

/* Mean completion time of jobs on 4 slots, by fill_slots or in equal shares. */
static double mean_completion(const double *work, uint32_t n, bool shares)
{
	struct fill_job v[8];
	double left[8], t = 0, sum = 0;
	uint32_t open = n;

	memcpy(left, work, n * sizeof *left);
	while (open) {
		double dt = 1e18, rate[8];

		for (uint32_t i = 0; i < n; i++)
			v[i] = (struct fill_job){ left[i] > 0 ? left[i] : 1e18, 0, left[i] > 0 ? 4 : 0, 0 };
		fill_slots(v, n, 4);
		for (uint32_t i = 0; i < n; i++) {
			rate[i] = left[i] <= 0 ? 0 : shares ? 4.0 / open : v[i].got;
			if (rate[i] > 0 && left[i] / rate[i] < dt)
				dt = left[i] / rate[i];
		}
		t += dt;
		for (uint32_t i = 0; i < n; i++) {
			if (left[i] <= 0)
				continue;
			left[i] -= dt * rate[i];
			if (left[i] <= 1e-9) {
				left[i] = 0;
				sum += t;
				open--;
			}
		}
	}
	return sum / n;
}

START_TEST(slots_and_completion)
{
	double gain = 0;

	state = 77;
	for (int round = 0; round < 300; round++) {
		uint32_t n = 2 + (uint32_t)round % 6;
		double work[8], mine, equal;

		for (uint32_t i = 0; i < n; i++)
			work[i] = 1 + 50 * noise(0.98);
		mine = mean_completion(work, n, false);
		equal = mean_completion(work, n, true);
		ck_assert_double_le(mine, equal + 1e-6);
		gain += equal / mine / 300;
	}
	ck_assert_double_gt(gain, 1.15);
}
END_TEST

/* ---- records ---- */

static uint32_t all_records(enum framing f, const char *s, size_t n, size_t piece, const char **err)
{
	struct records r = { .framing = f, .limit = 1000 };
	uint32_t total = 0, k;
	const char *p;

	*err = NULL;
	for (size_t at = 0; at <= n && !*err; at += piece) {
		size_t m = n - at < piece ? n - at : piece;

		sb_add(&r.b, s + at, m);
		while (records_take(&r, at + piece > n, 3, &p, &k, err) > 0)
			total += k;
	}
	sb_free(&r.b);
	return total;
}

START_TEST(framings)
{
	static const char lines[] = "a\nbb\n\nccc", lengths[] = "\0\0\0\2ab\0\0\0\0\0\0\0\1c", cut[] = "\0\0\0\2ab\0\0\0\7c", big[] = "\0\1\0\0xx";
	const char *err;

	for (size_t piece = 1; piece < 9; piece++) {
		ck_assert_uint_eq(all_records(FR_LINES, lines, sizeof lines - 1, piece, &err), 4);
		ck_assert_ptr_null(err);
		ck_assert_uint_eq(all_records(FR_LENGTH, lengths, sizeof lengths - 1, piece, &err), 3);
		ck_assert_ptr_null(err);
		ck_assert_uint_eq(all_records(FR_LENGTH, cut, sizeof cut - 1, piece, &err), 1);
		ck_assert_str_eq(err, "ends in the middle of a record");
		ck_assert_uint_eq(all_records(FR_LENGTH, big, sizeof big - 1, piece, &err), 0);
		ck_assert_str_eq(err, "has a record over the limit");
		ck_assert_uint_eq(all_records(FR_TAR, lines, sizeof lines - 1, piece, &err), 0);
		ck_assert_str_eq(err, "ends in the middle of a record");
	}
	ck_assert_uint_eq(records_length(FR_LINES, lines, sizeof lines - 1, 2), 5);
	ck_assert_uint_eq(records_length(FR_LENGTH, lengths, sizeof lengths - 1, 2), 10);
	ck_assert_uint_eq(crc32c(0, "123456789", 9), 0xe3069283u);
	ck_assert_uint_eq(crc32c(crc32c(0, "1234", 4), "56789", 5), 0xe3069283u);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("elastic");
	TCase *t = tcase_create("elastic");
	SRunner *r;
	int bad;

	tcase_set_timeout(t, 60);
	tcase_add_test(t, controller);
	tcase_add_test(t, controller_gives_up);
	tcase_add_test(t, controller_bounds);
	tcase_add_test(t, slots);
	tcase_add_test(t, slots_and_completion);
	tcase_add_test(t, framings);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	bad = srunner_ntests_failed(r);
	srunner_free(r);
	return bad ? 1 : 0;
}
