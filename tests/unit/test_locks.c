/* Locks and pools of two runs that share a cache folder: by number, all or none, in turn, released by the kernel. */
#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "build.h"
#include "run/rt.h"

static char dir[] = "/tmp/couler-locks-XXXXXX";

static void setup(void)
{
	memcpy(dir + strlen(dir) - 6, "XXXXXX", 6);
	ck_assert_ptr_nonnull(mkdtemp(dir));
}

static void teardown(void)
{
	remove_tree(AT_FDCWD, dir);
}

/* A run as far as locks see it, and steps in it. */
struct run { struct rt rt; struct made m; struct run_opts o; struct ir ir; struct wfrun wf; struct scope scope; };
struct locked { struct step s; struct inst inst; struct node node; struct attrs attrs; struct ir_task task; };

static void open_run(struct run *r, const char *id)
{
	char *err = NULL;

	memset(r, 0, sizeof *r);
	r->m = made_new();
	r->ir.strs = r->m.strs;
	r->rt = (struct rt){ .m = &r->ir, .o = &r->o, .arena = r->m.a, .run_id = id };
	r->rt.store = store_open(dir, &err);
	ck_assert_ptr_nonnull(r->rt.store);
	r->rt.hasher = hasher_new();
	r->rt.sched.ready.last = &r->rt.sched.ready.first;
	r->rt.view = view_new(&r->rt);
	r->wf.prefix = str_internz(r->m.strs, "");
	r->scope.wf = &r->wf;
}

static void close_run(struct run *r)
{
	view_free(&r->rt);
	hasher_free(r->rt.hasher);
	store_close(r->rt.store);
	arena_free(r->m.a);
}

static struct locked *step(struct run *r, const char *name)
{
	struct locked *l = arena_new_of(r->m.a, struct locked);

	l->node.name = str_internz(r->m.strs, name);
	l->inst.node = &l->node;
	l->inst.scope = &r->scope;
	l->s = (struct step){ .inst = &l->inst, .attrs = &l->attrs, .task = &l->task, .arena = r->m.a };
	return l;
}

static void wants(struct run *r, struct locked *l, const char *name, int64_t size)
{
	struct ir_lock lock = { .name = S(&r->m, name), .size = size, .pool = size > 1 };

	vec_push(r->m.a, &l->attrs.locks, lock);
}

/* The next look at what waits; the step that got its locks, NULL. */
static struct step *look(struct run *r)
{
	struct step *s;

	timers_fire(&r->rt, now_mono() + 1);
	s = r->rt.sched.ready.first;
	if (s) {
		r->rt.sched.ready.first = s->next;
		if (!s->next)
			r->rt.sched.ready.last = &r->rt.sched.ready.first;
	}
	return s;
}

START_TEST(one_at_a_time)
{
	struct run a, b;
	struct locked *x, *y;

	open_run(&a, "run-a");
	open_run(&b, "run-b");
	x = step(&a, "x");
	y = step(&b, "y");
	wants(&a, x, "data base/1", 1);
	wants(&b, y, "data base/1", 1);
	ck_assert(locks_take(&a.rt, &x->s));
	ck_assert(!locks_take(&b.rt, &y->s));
	ck_assert_ptr_null(look(&b));
	ck_assert_ptr_null(look(&b));
	locks_give(&a.rt, &x->s);
	ck_assert_ptr_eq(look(&b), &y->s);
	ck_assert(!locks_take(&a.rt, &x->s));
	locks_give(&b.rt, &y->s);
	ck_assert_ptr_eq(look(&a), &x->s);
	locks_give(&a.rt, &x->s);
	close_run(&a);
	close_run(&b);
}
END_TEST

START_TEST(pool)
{
	struct run a, b;
	struct locked *l[5];

	open_run(&a, "run-a");
	open_run(&b, "run-b");
	for (int k = 0; k < 5; k++) {
		struct run *r = k % 2 ? &b : &a;

		l[k] = step(r, "s");
		wants(r, l[k], "gpus", 3);
		ck_assert(locks_take(&r->rt, &l[k]->s) == (k < 3));
	}
	locks_give(&b.rt, &l[1]->s);
	ck_assert_ptr_eq(look(&a), &l[4]->s);
	ck_assert_ptr_null(look(&b));
	locks_give(&a.rt, &l[4]->s);
	ck_assert_ptr_eq(look(&b), &l[3]->s);
	locks_give(&a.rt, &l[0]->s);
	locks_give(&a.rt, &l[2]->s);
	locks_give(&b.rt, &l[3]->s);
	close_run(&a);
	close_run(&b);
}
END_TEST

/* Who cannot have both has none, so two that want the same two in another order never stop each other. */
START_TEST(all_or_none)
{
	struct run a, b;
	struct locked *x, *y, *z;

	open_run(&a, "run-a");
	open_run(&b, "run-b");
	x = step(&a, "x");
	wants(&a, x, "two", 1);
	ck_assert(locks_take(&a.rt, &x->s));
	y = step(&b, "y");
	wants(&b, y, "two", 1);
	wants(&b, y, "one", 1);
	ck_assert(!locks_take(&b.rt, &y->s));
	z = step(&a, "z");
	wants(&a, z, "one", 1);
	ck_assert(locks_take(&a.rt, &z->s));
	locks_give(&a.rt, &x->s);
	ck_assert_ptr_null(look(&b));
	locks_give(&a.rt, &z->s);
	ck_assert_ptr_eq(look(&b), &y->s);
	locks_give(&b.rt, &y->s);
	close_run(&a);
	close_run(&b);
}
END_TEST

#define LONG "0123456789012345678901234567890123456789012345678901234567890123456789"

/* Names are any text; two that differ are two locks, and none leaves the folder. */
START_TEST(names)
{
	static const char *const all[] = { "a/b", "a%2Fb", "../../etc", ".", "a b", "A b", "ü", "", LONG LONG LONG "x", LONG LONG LONG "y", LONG LONG LONG };
	enum { N = sizeof all / sizeof *all };
	struct run a;
	struct locked *l[N];

	open_run(&a, "run-a");
	for (int k = 0; k < N; k++) {
		l[k] = step(&a, "s");
		wants(&a, l[k], all[k], 1);
		ck_assert_msg(locks_take(&a.rt, &l[k]->s), "'%s'", all[k]);
	}
	for (int k = 0; k < N; k++) {
		struct locked *again = step(&a, "again");

		wants(&a, again, all[k], 1);
		ck_assert_msg(!locks_take(&a.rt, &again->s), "'%s'", all[k]);
		locks_give(&a.rt, &again->s);
		locks_give(&a.rt, &l[k]->s);
	}
	close_run(&a);
}
END_TEST

/* The same name twice is one lock, that its step gets. */
START_TEST(twice)
{
	struct run a;
	struct locked *x;

	open_run(&a, "run-a");
	x = step(&a, "x");
	wants(&a, x, "db", 1);
	wants(&a, x, "other", 1);
	wants(&a, x, "db", 1);
	ck_assert(locks_take(&a.rt, &x->s));
	locks_give(&a.rt, &x->s);
	close_run(&a);
}
END_TEST

/* A run that is killed holds nothing any more. */
START_TEST(killed)
{
	struct run b;
	struct locked *y;
	int fd[2], status;
	pid_t pid;
	char c;

	ck_assert_int_eq(pipe(fd), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (!pid) {
		struct run a;
		struct locked *x;

		open_run(&a, "run-a");
		x = step(&a, "x");
		wants(&a, x, "db", 1);
		if (!locks_take(&a.rt, &x->s) || write(fd[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	ck_assert_int_eq(read(fd[0], &c, 1), 1);
	open_run(&b, "run-b");
	y = step(&b, "y");
	wants(&b, y, "db", 1);
	ck_assert(!locks_take(&b.rt, &y->s));
	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_ptr_eq(look(&b), &y->s);
	locks_give(&b.rt, &y->s);
	close_run(&b);
	close(fd[0]);
	close(fd[1]);
}
END_TEST

/* What waits when the run stops comes back, to be skipped. */
START_TEST(stopping)
{
	struct run a;
	struct locked *x, *y;

	open_run(&a, "run-a");
	x = step(&a, "x");
	y = step(&a, "y");
	wants(&a, x, "db", 1);
	wants(&a, y, "db", 1);
	ck_assert(locks_take(&a.rt, &x->s) && !locks_take(&a.rt, &y->s));
	a.rt.stopping = true;
	locks_stop(&a.rt);
	ck_assert_ptr_eq(a.rt.sched.ready.first, &y->s);
	ck_assert_ptr_null(a.rt.lock_waits);
	locks_give(&a.rt, &y->s);
	locks_give(&a.rt, &x->s);
	close_run(&a);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("locks");
	TCase *t = tcase_create("locks");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, one_at_a_time);
	tcase_add_test(t, pool);
	tcase_add_test(t, all_or_none);
	tcase_add_test(t, names);
	tcase_add_test(t, twice);
	tcase_add_test(t, killed);
	tcase_add_test(t, stopping);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
