/* The evaluator: every operator and function, lazy ones, limits, depth; expressions written back as source. */
#include <math.h>
#include <stdlib.h>

#include "build.h"

static struct made m;

static void setup(void)
{
	m = made_new();
}

static void teardown(void)
{
	arena_free(m.a);
}

/* References in these tests: REF_PARAM 0 is not known yet, others are absent. */
static int ref(struct evalctx *x, const struct expr *r, struct value *out, struct evalerr *err)
{
	(void)x;
	(void)err;
	*out = (struct value){ .type = type_of(T_NULL) };
	return r->n == 0;
}

static struct expr *unknown(enum type_kind k)
{
	return expr_ref(m.a, REF_PARAM, NULL, 0, type_of(k), made_span(&m));
}

static struct evalerr err;

/* Text of the value, "unknown", or "!CODE MESSAGE". */
static const char *ev(struct expr *e)
{
	static char out[512];
	struct evalctx x = { m.c, ref, NULL };
	struct strbuf b = { 0 };
	struct value v;
	int rc = eval(&x, e, &v, &err);

	if (rc == 1)
		return "unknown";
	if (rc)
		sb_f(&b, "!%04d %s", err.code, err.msg);
	else
		value_text(&b, &v);
	snprintf(out, sizeof out, "%s", sb_cstr(&b));
	sb_free(&b);
	return out;
}

#define IS(text, e) ck_assert_str_eq(ev(e), text)
#define i_(x) I(&m, x)
#define f_(x) F(&m, x)
#define b_(x) B(&m, x)
#define s_(x) S(&m, x)
#define j_(x) J(&m, x)
#define OP_(o, k, ...) OP(&m, o, k, __VA_ARGS__)
#define FN_(f, k, ...) call(&m, FN_##f, type_of(T_##k), ARGS(__VA_ARGS__))
#define INTS(...) LIST(&m, INT, __VA_ARGS__)
#define FLOATS(...) LIST(&m, FLOAT, __VA_ARGS__)
#define STRINGS(...) LIST(&m, STRING, __VA_ARGS__)
#define BIG INT64_C(9007199254740991)

START_TEST(arithmetic)
{
	IS("3.5", OP_(DIV, FLOAT, i_(7), i_(2)));
	IS("3", OP_(DIV, FLOAT, i_(6), i_(2)));
	IS("1", OP_(MOD, INT, i_(7), i_(2)));
	IS("-1", OP_(MOD, INT, i_(-7), i_(2)));
	IS("1", OP_(MOD, INT, i_(7), i_(-2)));
	IS("0", OP_(MOD, INT, i_(-BIG), i_(-1)));
	IS("0.30000000000000004", OP_(ADD, FLOAT, f_(0.1), f_(0.2)));
	IS("0.30000000000000004", OP_(MUL, FLOAT, f_(0.1), i_(3)));
	IS("1e+21", OP_(MUL, FLOAT, f_(1e20), i_(10)));
	IS("0", OP_(MUL, FLOAT, f_(0.0), i_(-7)));
	IS("0", OP_(NEG, FLOAT, f_(0.0)));
	IS("9007199254740991", OP_(ADD, INT, OP_(MUL, INT, i_(4503599627370495), i_(2)), i_(1)));
	IS("7.1", OP_(ADD, FLOAT, i_(7), f_(0.1)));
	IS("10", OP_(MUL, FLOAT, f_(5.0), i_(2)));
	IS("-5", OP_(NEG, INT, i_(5)));
	IS("!0702 the result is outside of \302\2619007199254740991, the range of int", OP_(ADD, INT, i_(BIG), i_(1)));
	IS("!0702 the result is outside of \302\2619007199254740991, the range of int", OP_(MUL, INT, i_(BIG), i_(BIG)));
	IS("!0702 the result is outside of \302\2619007199254740991, the range of int", OP_(SUB, INT, i_(-BIG), i_(1)));
	IS("!0701 division by zero", OP_(DIV, FLOAT, i_(1), i_(0)));
	IS("!0701 division by zero", OP_(MOD, INT, i_(1), i_(0)));
	IS("!0701 division by zero", OP_(DIV, FLOAT, f_(1), f_(0)));
	IS("!0703 the result is too large for a float", OP_(MUL, FLOAT, f_(1e308), i_(10)));
	IS("!0703 cannot compute with nan", OP_(ADD, FLOAT, Out(&m, type_of(T_FLOAT), "nan"), i_(1)));
	IS("!0703 cannot compute with an infinite number", OP_(NEG, FLOAT, Out(&m, type_of(T_FLOAT), "inf")));
	IS("!0713 '%' does not take float and int", OP_(MOD, INT, f_(1.5), i_(1)));
	IS("!0713 '+' does not take string and string", OP_(ADD, STRING, s_("a"), s_("b")));
}
END_TEST

START_TEST(error_place)
{
	struct expr *zero = i_(0), *idx = i_(2);

	ev(OP_(DIV, FLOAT, i_(1), zero));
	ck_assert_uint_eq(err.span.off, zero->span.off);
	ev(OP_(INDEX, INT, INTS(i_(1), i_(2)), idx));
	ck_assert_uint_eq(err.span.off, idx->span.off);
}
END_TEST

START_TEST(outside_text)
{
	struct expr *e5 = Out(&m, type_of(T_FLOAT), "1e5");

	IS("1e5", e5);
	IS("<1e5>", OP_(CONCAT, STRING, s_("<"), e5, s_(">")));
	IS("1e5", FN_(str, STRING, e5));
	IS("100000", OP_(ADD, FLOAT, e5, i_(0)));
	IS("[100000]", FLOATS(e5));
	IS("100000", OP_(INDEX, FLOAT, FLOATS(e5), i_(0)));
	IS("1e5", OP_(COND, FLOAT, b_(true), e5, f_(0)));
	IS("1e5", OP_(COALESCE, FLOAT, e5, f_(0)));
	IS("100000", FN_(max, FLOAT, e5, f_(0)));
	IS("-0", OP_(CONV, FLOAT, Out(&m, type_of(T_INT), "-0")));
	IS("nan", Out(&m, type_of(T_FLOAT), "nan"));
	IS("v=nan", OP_(CONCAT, STRING, s_("v="), Out(&m, type_of(T_FLOAT), "nan")));
	IS("{ \"a\": 1 }", Out(&m, type_of(T_JSON), "{ \"a\": 1 }"));
	IS("abc", OP_(CONCAT, STRING, Out(&m, type_of(T_JSON), " \"abc\" ")));
	IS("[1, 2]", Out(&m, type_list(T_INT), "[1, 2]"));
}
END_TEST

START_TEST(comparison)
{
	IS("true", OP_(EQ, BOOL, i_(7), f_(7.0)));
	IS("false", OP_(NE, BOOL, i_(7), f_(7.0)));
	IS("true", OP_(LT, BOOL, i_(BIG - 1), f_((double)BIG)));
	IS("true", OP_(LT, BOOL, s_("Z"), s_("a")));
	IS("true", OP_(LT, BOOL, s_("\357\277\277"), s_("\360\220\200\200")));       /* U+FFFF before U+10000: by code point, not by UTF-16 unit */
	IS("true", OP_(LT, BOOL, s_("a"), s_("ab")));
	IS("true", OP_(GE, BOOL, s_("a"), s_("")));
	IS("true", OP_(LE, BOOL, T(&m, "2026-01-01T00:00:00Z"), T(&m, "2026-01-01T01:00:00+01:00")));
	IS("true", OP_(LT, BOOL, T(&m, "2026-01-01T00:00:00.1Z"), T(&m, "2026-01-01T00:00:00.11Z")));
	IS("true", OP_(GT, BOOL, D(&m, 60), D(&m, 59)));
	IS("false", OP_(LT, BOOL, Out(&m, type_of(T_FLOAT), "nan"), i_(1)));
	IS("false", OP_(GE, BOOL, Out(&m, type_of(T_FLOAT), "nan"), i_(1)));
	IS("false", OP_(EQ, BOOL, Out(&m, type_of(T_FLOAT), "nan"), Out(&m, type_of(T_FLOAT), "nan")));
	IS("true", OP_(LT, BOOL, member(&m, j_("{\"n\":2}"), "n", type_of(T_JSON)), i_(3)));
	IS("true", OP_(IN, BOOL, i_(7), INTS(i_(1), i_(7))));
	IS("true", OP_(IN, BOOL, f_(7), INTS(i_(1), i_(7))));
	IS("false", OP_(IN, BOOL, s_("x"), STRINGS(s_("y"))));
	IS("true", OP_(IN, BOOL, i_(2), j_("[1,2]")));
	IS("!0713 string and int have no order", OP_(LT, BOOL, s_("1"), i_(2)));
	IS("!0713 bool and bool have no order", OP_(LT, BOOL, b_(true), b_(false)));
}
END_TEST

START_TEST(lazy)
{
	struct expr *bad = OP_(EQ, BOOL, OP_(DIV, FLOAT, i_(1), i_(0)), i_(1)), *u = unknown(T_BOOL), *absent = expr_ref(m.a, REF_PARAM, NULL, 1, type_of(T_INT), made_span(&m));

	IS("false", OP_(AND, BOOL, b_(false), bad));
	IS("true", OP_(OR, BOOL, b_(true), bad));
	IS("!0701 division by zero", OP_(AND, BOOL, b_(true), bad));
	IS("1", OP_(COND, INT, b_(true), i_(1), bad));
	IS("1", OP_(COALESCE, INT, i_(1), bad));
	IS("2", OP_(COALESCE, INT, absent, i_(2)));
	IS("!0701 division by zero", OP_(COALESCE, FLOAT, OP_(DIV, FLOAT, i_(1), i_(0)), f_(2)));      /* errors are not caught */
	IS("false", OP_(AND, BOOL, b_(false), u));
	IS("unknown", OP_(AND, BOOL, b_(true), u));
	IS("unknown", OP_(AND, BOOL, u, b_(false)));
	IS("true", OP_(OR, BOOL, b_(true), u));
	IS("unknown", OP_(COND, INT, u, i_(1), i_(2)));
	IS("2", OP_(COND, INT, b_(false), unknown(T_INT), i_(2)));
	IS("unknown", OP_(COALESCE, INT, unknown(T_INT), i_(2)));
	IS("unknown", OP_(ADD, INT, i_(1), unknown(T_INT)));
	IS("false", FN_(present, BOOL, absent));
	IS("true", FN_(present, BOOL, i_(1)));
	IS("!0712 the value is absent: its step was skipped or failed; give it a fallback with ??", OP_(ADD, INT, absent, i_(1)));
	IS("[1,3]", INTS(i_(1), absent, i_(3)));
	IS("true", OP_(EQ, BOOL, absent, Null(&m)));
}
END_TEST

START_TEST(lists_and_json)
{
	struct expr *cfg = j_("{\"name\":\"a b\",\"x/y\":[1,2,{\"deep\":null}],\"f\":1.5}");

	IS("a b", FN_(str, STRING, member(&m, cfg, "name", type_of(T_JSON))));
	IS("\"a b\"", member(&m, cfg, "name", type_of(T_JSON)));
	IS("a b", member(&m, cfg, "name", type_of(T_STRING)));
	IS("2", OP_(INDEX, JSON, OP_(INDEX, JSON, cfg, s_("x/y")), i_(1)));
	IS("{\"deep\":null}", OP_(INDEX, JSON, OP_(INDEX, JSON, cfg, s_("x/y")), i_(2)));
	IS("1.5", OP_(CONV, FLOAT, member(&m, cfg, "f", type_of(T_JSON))));
	IS("!0706 expected int, got 1.5", OP_(CONV, INT, member(&m, cfg, "f", type_of(T_JSON))));
	IS("!0705 the json object has no member 'nme'", member(&m, cfg, "nme", type_of(T_JSON)));
	IS("!0713 no member 'x': the value is a json number", member(&m, j_("1"), "x", type_of(T_JSON)));
	IS("{\"a\":1,\"b c\":[true,\"x\"]}", OP_(MAP, JSON, s_("a"), i_(1), s_("b c"), op(&m, EX_LIST, type_of(T_JSON), ARGS(b_(true), s_("x")))));
	IS("[1,2.5]", FLOATS(i_(1), f_(2.5)));
	IS("!0704 index 2 is out of range: the list has 2 elements, 0 to 1", OP_(INDEX, INT, INTS(i_(1), i_(2)), i_(2)));
	IS("!0704 index -1 is out of range: the list has 1 element, 0 to 0", OP_(INDEX, INT, INTS(i_(1)), i_(-1)));
	IS("!0704 index 0 is out of range: the list is empty", OP_(INDEX, INT, op(&m, EX_LIST, type_list(T_INT), 0, NULL), i_(0)));
	IS("[\"2026-01-01T00:00:00Z\"]", LIST(&m, TIME, T(&m, "2026-01-01T00:00:00Z")));
}
END_TEST

START_TEST(functions_of_numbers)
{
	struct expr *none = op(&m, EX_LIST, type_list(T_INT), 0, NULL), *xs = INTS(i_(3), i_(1), i_(4), i_(1));

	IS("4", FN_(len, INT, xs));
	IS("2", FN_(len, INT, s_("\303\251\360\237\230\200")));
	IS("3", FN_(len, INT, j_("[1,2,3]")));
	IS("[2,3,4]", call(&m, FN_range, type_list(T_INT), ARGS(i_(2), i_(5))));
	IS("[]", call(&m, FN_range, type_list(T_INT), ARGS(i_(5), i_(2))));
	IS("[0,1,2]", call(&m, FN_range, type_list(T_INT), ARGS(i_(3))));
	IS("!0708 the range has 1000000000000 elements; a list has at most 1,000,000", call(&m, FN_range, type_list(T_INT), ARGS(i_(0), i_(1000000000000))));
	IS("1", FN_(min, INT, xs));
	IS("4", FN_(max, INT, xs));
	IS("2.5", FN_(max, FLOAT, i_(1), f_(2.5)));
	IS("1", FN_(argmin, INT, xs));
	IS("2", FN_(argmax, INT, xs));
	IS("9", FN_(sum, INT, xs));
	IS("0", FN_(sum, INT, none));
	IS("2.25", FN_(mean, FLOAT, xs));
	IS("0.6000000000000001", FN_(sum, FLOAT, FLOATS(f_(0.1), f_(0.2), f_(0.3))));
	IS("2", FN_(index_of, INT, xs, f_(4)));
	IS("-1", FN_(index_of, INT, xs, i_(9)));
	IS("!0707 max of an empty list", FN_(max, INT, none));
	IS("!0707 argmin of an empty list", FN_(argmin, INT, none));
	IS("!0707 mean of an empty list", FN_(mean, FLOAT, none));
	IS("!0703 cannot compute with nan", FN_(max, FLOAT, f_(1), Out(&m, type_of(T_FLOAT), "nan")));
	IS("!0702 the result is outside of \302\2619007199254740991, the range of int", FN_(sum, INT, INTS(i_(BIG), i_(1))));
}
END_TEST

START_TEST(conversions)
{
	IS("7", FN_(int, INT, s_("07")));
	IS("2", FN_(int, INT, f_(2.9)));
	IS("-2", FN_(int, INT, f_(-2.75)));
	IS("-7", FN_(int, INT, s_("-007")));
	IS("!0706 int cannot read '7 apples' (string): expected digits only", FN_(int, INT, s_("7 apples")));
	IS("!0706 int cannot read '' (string): expected digits", FN_(int, INT, s_("")));
	IS("!0706 int cannot read '2.9' (string): expected digits only", FN_(int, INT, s_("2.9")));
	IS("!0706 int cannot read 'true' (bool): expected a number or digits", FN_(int, INT, b_(true)));
	IS("!0702 the result is outside of \302\2619007199254740991, the range of int", FN_(int, INT, s_("99999999999999999999999999")));
	IS("!0702 the result is outside of \302\2619007199254740991, the range of int", FN_(int, INT, f_(1e16)));
	IS("5400", FN_(int, INT, D(&m, 5400)));
	IS("3", FN_(int, INT, j_("3.7")));
	IS("12", FN_(int, INT, j_("\"12\"")));
	IS("0.5", FN_(float, FLOAT, s_("0.50")));
	IS("7.5", FN_(float, FLOAT, s_("007.5")));
	IS("-100", FN_(float, FLOAT, s_("-1e2")));
	IS("!0706 float cannot read 'nan' (string): expected a number such as 0.5 or 1e-4", FN_(float, FLOAT, s_("nan")));
	IS("!0703 the result is too large for a float", FN_(float, FLOAT, s_("1e999")));
	IS("true", FN_(bool, BOOL, s_("true")));
	IS("false", FN_(bool, BOOL, j_("false")));
	IS("!0706 bool cannot read 'yes' (string): expected true or false", FN_(bool, BOOL, s_("yes")));
	IS("[1,2]", FN_(json, JSON, INTS(i_(1), i_(2))));
	IS("null", FN_(json, JSON, Null(&m)));
	IS("!0703 json has no NaN and no infinities", FN_(json, JSON, Out(&m, type_of(T_FLOAT), "nan")));
	IS("{\"a\":[1]}", FN_(parse_json, JSON, s_(" {\"a\": [1.0]}")));
	IS("!0706 the text is no JSON: expected a value at byte 1", FN_(parse_json, JSON, s_("[")));
	IS("s3://a", OP_(CONV, FILE, s_("s3://a")));
	IS("2026-01-01T00:00:00Z", OP_(CONV, TIME, s_("2026-01-01T01:00:00+01:00")));
	IS("!0712 expected time, got an absent value", OP_(CONV, TIME, Null(&m)));
}
END_TEST

START_TEST(functions_of_strings)
{
	IS("a-b", FN_(join, STRING, STRINGS(s_("a"), s_("b")), s_("-")));
	IS("", FN_(join, STRING, op(&m, EX_LIST, type_list(T_STRING), 0, NULL), s_("-")));
	IS("[\"\"]", call(&m, FN_split, type_list(T_STRING), ARGS(s_(""), s_(","))));
	IS("[\"a\",\"\",\"b\",\"\"]", call(&m, FN_split, type_list(T_STRING), ARGS(s_("a,,b,"), s_(","))));
	IS("!0711 split needs a separator of one character or more", call(&m, FN_split, type_list(T_STRING), ARGS(s_("a"), s_(""))));
	static const struct { const char *s, *base, *dir; } path[] = { { "/usr/lib", "lib", "/usr" }, { "/usr/", "usr", "/" }, { "usr", "usr", "." }, { "/", "/", "/" },
		{ "//", "/", "/" }, { "", ".", "." }, { "a/b//", "b", "a" }, { "/a//b", "b", "/a" }, { "s3://x/y.txt", "y.txt", "s3://x" }, { ".", ".", "." }, { "..", "..", "." } };

	for (size_t i = 0; i < sizeof path / sizeof *path; i++) {
		IS(path[i].base, FN_(basename, STRING, s_(path[i].s)));
		IS(path[i].dir, FN_(dirname, STRING, s_(path[i].s)));
	}
	IS("true", FN_(contains, BOOL, s_("abc"), s_("bc")));
	IS("true", FN_(contains, BOOL, s_("abc"), s_("")));
	IS("true", FN_(contains, BOOL, INTS(i_(1)), f_(1)));
	IS("true", FN_(starts_with, BOOL, s_("abc"), s_("ab")));
	IS("false", FN_(starts_with, BOOL, s_("a"), s_("ab")));
	IS("true", FN_(ends_with, BOOL, s_("abc"), s_("bc")));
	IS("abc", FN_(lower, STRING, s_("AbC")));
	IS("ABC", FN_(upper, STRING, s_("AbC")));
	IS("!0710 upper takes ASCII only, and character 2 is not", FN_(upper, STRING, s_("s\303\266")));
	IS("xbxb", FN_(replace, STRING, s_("abab"), s_("a"), s_("x")));
	IS("b", FN_(replace, STRING, s_("aab"), s_("a"), s_("")));
	IS("!0711 replace needs something to look for, this is empty", FN_(replace, STRING, s_("a"), s_(""), s_("x")));
	IS("007", FN_(pad, STRING, i_(7), i_(3), s_("0")));
	IS("  x", FN_(pad, STRING, s_("x"), i_(3)));
	IS("xyz", FN_(pad, STRING, s_("xyz"), i_(2)));
	IS("\303\251\303\251\303\251x", FN_(pad, STRING, s_("x"), i_(4), s_("\303\251")));
	IS("!0711 pad fills with one character", FN_(pad, STRING, s_("x"), i_(4), s_("ab")));
	IS("!0708 the text would have over 16 MiB", FN_(pad, STRING, s_("x"), i_(1000000000000)));
	IS("0.5 true", OP_(CONCAT, STRING, f_(0.5), s_(" "), b_(true)));
}
END_TEST

START_TEST(time_and_files)
{
	struct expr *t = T(&m, "2026-03-01T10:20:30Z");

	IS("2026-03-01 10:20:30 060 7 %", FN_(format_time, STRING, t, s_("%Y-%m-%d %H:%M:%S %j %u %%")));
	IS("366", FN_(format_time, STRING, T(&m, "2024-12-31T00:00:00Z"), s_("%j")));
	IS("4", FN_(format_time, STRING, T(&m, "1969-12-25T00:00:00Z"), s_("%u")));
	IS("20260302", FN_(format_time, STRING, OP_(ADD, TIME, t, D(&m, 129600)), s_("%Y%m%d")));
	IS("11:20", FN_(format_time, STRING, t, s_("%H:%M"), s_("Europe/Berlin")));
	IS("15:50", FN_(format_time, STRING, t, s_("%H:%M"), s_("Asia/Kolkata")));
	IS("!0709 no time zone 'Berlin': expected an IANA name such as Europe/Berlin", FN_(format_time, STRING, t, s_("%H"), s_("Berlin")));
	IS("!0709 format_time has no '%B'; it has %Y %m %d %H %M %S %j %u %%", FN_(format_time, STRING, t, s_("%B")));
	IS("!0709 format_time has no '%'; it has %Y %m %d %H %M %S %j %u %%", FN_(format_time, STRING, t, s_("100%")));
	IS("39030", OP_(SUB, DURATION, t, T(&m, "2026-02-28T23:30:00Z")));
	IS("2026-03-01T08:50:30Z", OP_(SUB, TIME, t, D(&m, 5400)));
	IS("2026-03-01T10:20:30.25Z", OP_(ADD, TIME, D(&m, 0.25), t));
	IS("2026-03-01T10:20:29.9Z", OP_(SUB, TIME, t, D(&m, 0.1)));
	IS("5400", OP_(MUL, DURATION, i_(2), D(&m, 2700)));
	IS("2700", OP_(MUL, DURATION, D(&m, 5400), f_(0.5)));
	IS("!0702 the time is outside of the years 0000 to 9999", OP_(ADD, TIME, t, D(&m, 1e15)));
	IS("!0713 '*' does not take duration and duration", OP_(MUL, DURATION, D(&m, 1), D(&m, 1)));
	IS("https://x/y", FN_(file, FILE, s_("https://x/y"), s_("E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855")));
	IS("!0711 sha256 is 64 hexadecimal digits, these are 3 characters", FN_(file, FILE, s_("https://x/y"), s_("abc")));
}
END_TEST

START_TEST(depth)
{
	struct expr *or = b_(false), *not = b_(true), *nest = i_(0), *co = expr_ref(m.a, REF_PARAM, NULL, 1, type_of(T_INT), made_span(&m)), *right = b_(true);

	for (int i = 0; i < 200000; i++) {
		or = OP_(OR, BOOL, or, b_(false));
		not = OP_(NOT, BOOL, not);
		nest = OP_(ADD, INT, nest, i_(1));
		co = OP_(COALESCE, INT, expr_ref(m.a, REF_PARAM, NULL, 1, type_of(T_INT), made_span(&m)), co);
		right = OP_(AND, BOOL, b_(true), right);
	}
	IS("false", or);
	IS("true", not);
	IS("200000", nest);
	IS("null", co);
	IS("true", right);
}
END_TEST

START_TEST(bombs)
{
	struct expr *e = s_("xxxxxxxx");

	for (int i = 0; i < 40; i++)
		e = OP_(CONCAT, STRING, e, e);           /* a shared operand: 2^40 leaves */
	ck_assert_ptr_nonnull(strstr(ev(e), "!0708"));
	e = s_("");
	for (int i = 0; i < 40; i++)
		e = OP_(CONCAT, STRING, e, e);
	IS("!0708 the expression takes over 20,000,000 operations", e);
}
END_TEST

static const char *src(struct expr *e)
{
	static char out[512];
	struct strbuf b = { 0 };

	expr_write(&b, e);
	snprintf(out, sizeof out, "%s", sb_cstr(&b));
	sb_free(&b);
	return out;
}

#define WRITES(text, e) ck_assert_str_eq(src(e), text)

START_TEST(written)
{
	WRITES("1 + 2 * 3", OP_(ADD, INT, i_(1), OP_(MUL, INT, i_(2), i_(3))));
	WRITES("(1 + 2) * 3", OP_(MUL, INT, OP_(ADD, INT, i_(1), i_(2)), i_(3)));
	WRITES("1 - (2 - 3) - 4", OP_(SUB, INT, OP_(SUB, INT, i_(1), OP_(SUB, INT, i_(2), i_(3))), i_(4)));
	WRITES("(1 < 2) == true", OP_(EQ, BOOL, OP_(LT, BOOL, i_(1), i_(2)), b_(true)));
	WRITES("!(true && false) || false", OP_(OR, BOOL, OP_(NOT, BOOL, OP_(AND, BOOL, b_(true), b_(false))), b_(false)));
	WRITES("true ? 1 : false ? 2 : 3", OP_(COND, INT, b_(true), i_(1), OP_(COND, INT, b_(false), i_(2), i_(3))));
	WRITES("(true ? 1 : 2) + 3", OP_(ADD, INT, OP_(COND, INT, b_(true), i_(1), i_(2)), i_(3)));
	WRITES("-(-3)", OP_(NEG, INT, i_(-3)));
	WRITES("-(1 + 2)", OP_(NEG, INT, OP_(ADD, INT, i_(1), i_(2))));
	WRITES("[1, 2][0]", OP_(INDEX, INT, INTS(i_(1), i_(2)), i_(0)));
	WRITES("\"a ${1 + 2} \\${b} \\\"q\\\"\\n\"", OP_(CONCAT, STRING, s_("a "), OP_(ADD, INT, i_(1), i_(2)), s_(" ${b} \"q\"\n")));
	WRITES("{ a = 1, \"b/c\" = [true] }.a", member(&m, OP_(MAP, JSON, s_("a"), i_(1), s_("b/c"), LIST(&m, BOOL, b_(true))), "a", type_of(T_JSON)));
	WRITES("param3[\"b/c\"]", member(&m, expr_ref(m.a, REF_PARAM, NULL, 3, type_of(T_JSON), made_span(&m)), "b/c", type_of(T_JSON)));
	WRITES("max(1, 2.0) ?? 1e21", OP_(COALESCE, FLOAT, FN_(max, FLOAT, i_(1), OP_(CONV, FLOAT, f_(2))), f_(1e21)));
	WRITES("format_time(\"2026-01-01T00:00:00Z\", \"%Y\")", FN_(format_time, STRING, T(&m, "2026-01-01T00:00:00Z"), s_("%Y")));
	WRITES("2 * 1h30m", OP_(MUL, DURATION, i_(2), D(&m, 5400)));
	WRITES("file(\"a\", sha256 = \"b\")", FN_(file, FILE, s_("a"), s_("b")));
	WRITES("workflow.run_id", expr_ref(m.a, REF_FIELD, NULL, WF_run_id, type_of(T_STRING), made_span(&m)));
	WRITES("{ a = [1, null] }", j_("{\"a\":[1,null]}"));
}
END_TEST

static void count(struct expr *r, void *data)
{
	ck_assert_uint_eq(r->n, (*(uint32_t *)data)++);
}

START_TEST(references)
{
	uint32_t n = 0;
	struct expr *r[5];

	for (uint32_t i = 0; i < 5; i++)
		r[i] = expr_ref(m.a, REF_PARAM, NULL, i, type_of(T_INT), made_span(&m));
	expr_refs(OP_(ADD, INT, OP_(ADD, INT, r[0], member(&m, r[1], "k", type_of(T_INT))), FN_(max, INT, r[2], OP_(NEG, INT, r[3]), r[4])), count, &n);
	ck_assert_uint_eq(n, 5);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("eval");
	TCase *tc = tcase_create("eval");
	SRunner *r;
	int bad;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, arithmetic);
	tcase_add_test(tc, error_place);
	tcase_add_test(tc, outside_text);
	tcase_add_test(tc, comparison);
	tcase_add_test(tc, lazy);
	tcase_add_test(tc, lists_and_json);
	tcase_add_test(tc, functions_of_numbers);
	tcase_add_test(tc, conversions);
	tcase_add_test(tc, functions_of_strings);
	tcase_add_test(tc, time_and_files);
	tcase_add_test(tc, depth);
	tcase_add_test(tc, bombs);
	tcase_add_test(tc, written);
	tcase_add_test(tc, references);
	suite_add_tcase(s, tc);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	bad = srunner_ntests_failed(r);
	srunner_free(r);
	return bad != 0;
}
