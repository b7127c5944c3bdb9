/* The shared cache: records and folders that come over the wire are what they say, or nothing. */
#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "run/remote.h"

static char dir[] = "/tmp/couler-remote-XXXXXX";

static void setup(void)
{
	memcpy(dir + strlen(dir) - 6, "XXXXXX", 6);
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(chdir(dir), 0);
}

static void teardown(void)
{
	ck_assert_int_eq(chdir("/"), 0);
	remove_tree(AT_FDCWD, dir);
}

static void example(struct action *a, struct strbuf *b)
{
	*a = (struct action){ .time = 1.5, .used = 1.5, .seconds = 2, .bytes = 3, .run = "r1", .run_len = 2, .step = "a[3]", .step_len = 4, .outs = "\0\0\0", .outs_len = 3 };
	memset(a->key.b, 7, sizeof a->key.b);
	remote_record(b, a);
}

START_TEST(record_comes_back)
{
	struct action a, got;
	struct strbuf b = { 0 };

	example(&a, &b);
	ck_assert_int_eq(remote_record_read(b.s, b.n, &a.key, &got), 0);
	ck_assert(got.time == 1.5 && got.seconds == 2 && got.bytes == 3 && got.step_len == 4 && !memcmp(got.step, "a[3]", 4) && got.outs_len == 3);
	a.key.b[31] ^= 1;
	ck_assert_int_eq(remote_record_read(b.s, b.n, &a.key, &got), -1);
	ck_assert_int_eq(remote_record_read(b.s, b.n, NULL, &got), 0);
	sb_free(&b);
}
END_TEST

/* No bit can change, no byte can be missing. */
START_TEST(record_is_whole)
{
	struct action a, got;
	struct strbuf b = { 0 };

	example(&a, &b);
	for (size_t i = 0; i < b.n; i++) {
		b.s[i] ^= 0x10;
		ck_assert_int_eq(remote_record_read(b.s, b.n, &a.key, &got), -1);
		b.s[i] ^= 0x10;
		ck_assert_int_eq(remote_record_read(b.s, i, &a.key, &got), -1);
	}
	sb_free(&b);
}
END_TEST

static void put(const char *path, const char *text, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, n), (ssize_t)n);
	close(fd);
}

START_TEST(tree_comes_back)
{
	int fd = open("packed", O_RDWR | O_CREAT, 0666);
	char *err = NULL, got[8] = { 0 };
	struct stat st;

	ck_assert_int_eq(mkdir("t", 0777) | mkdir("t/a b", 0777) | mkdir("t/a b/c", 0777) | mkdir("t/z", 0777), 0);
	put("t/a b/c/f", "x\0\ny", 4);
	put("t/a b.d", "", 0);
	put("t/z/1 2", "12", 2);
	ck_assert_int_eq(tree_pack("t", fd, &err), 0);
	ck_assert_int_eq(tree_unpack(fd, "u", &err), 0);
	close(fd);
	ck_assert_int_eq(stat("u/a b.d", &st) | stat("u/z/1 2", &st), 0);
	fd = open("u/a b/c/f", O_RDONLY);
	ck_assert_int_eq(read(fd, got, sizeof got), 4);
	ck_assert_int_eq(memcmp(got, "x\0\ny", 4), 0);
	close(fd);
}
END_TEST

#define HEAD "couler-tree 1\n"
static const struct { const char *text; size_t n; } bad_trees[] = {
#define T(s) { s, sizeof s - 1 }
	T(""), T("couler-tree 2\n"), T(HEAD "1 ../x\na"), T(HEAD "1 /x\na"), T(HEAD "1 a/../../x\na"), T(HEAD "1 a//b\na"), T(HEAD "1 .\na"), T(HEAD "1 \na"),
	T(HEAD "x f\na"), T(HEAD "1f\na"), T(HEAD "5 f\nab"), T(HEAD "1 f\na1 f\nb"), T(HEAD "1 f"), T(HEAD "1 f\0g\na"), T(HEAD "18446744073709551615 f\na"),
	T(HEAD "1 f\na1 f/g\nb"), T(HEAD "-1 f\na"), T(HEAD "99999999999999999999999 f\na"),
};

START_TEST(bad_tree_is_none)
{
	int fd = open("packed", O_RDWR | O_CREAT, 0666);
	char *err = NULL;

	ck_assert_int_eq(write(fd, bad_trees[_i].text, bad_trees[_i].n), (ssize_t)bad_trees[_i].n);
	ck_assert_int_eq(tree_unpack(fd, "sub/u", &err), -1);
	ck_assert_ptr_nonnull(err);
	ck_assert_int_ne(access("x", F_OK), 0);
	ck_assert_int_ne(access("sub/x", F_OK), 0);
	ck_assert_int_ne(access("/x", F_OK), 0);
	free(err);
	close(fd);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("remote");
	TCase *t = tcase_create("remote");
	SRunner *r;
	int bad;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, record_comes_back);
	tcase_add_test(t, record_is_whole);
	tcase_add_test(t, tree_comes_back);
	tcase_add_loop_test(t, bad_tree_is_none, 0, (int)(sizeof bad_trees / sizeof *bad_trees));
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	bad = srunner_ntests_failed(r);
	srunner_free(r);
	return bad != 0;
}
