/* Types, numbers, times, json, text to values and back. With --floats: formats the doubles given as hex on standard input. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "build.h"

static const char *dbl(double d)
{
	static char out[64];
	struct strbuf b = { 0 };

	sb_double(&b, d);
	snprintf(out, sizeof out, "%s", sb_cstr(&b));
	sb_free(&b);
	return out;
}

static double bits(uint64_t u)
{
	double d;

	memcpy(&d, &u, 8);
	return d;
}

/* RFC 8785, appendix B, and edges of the format. */
START_TEST(float_text)
{
	static const struct { uint64_t u; const char *text; } rfc[] = {
		{ 0x0000000000000000, "0" }, { 0x8000000000000000, "0" }, { 0x0000000000000001, "5e-324" }, { 0x8000000000000001, "-5e-324" },
		{ 0x7fefffffffffffff, "1.7976931348623157e+308" }, { 0xffefffffffffffff, "-1.7976931348623157e+308" },
		{ 0x4340000000000000, "9007199254740992" }, { 0xc340000000000000, "-9007199254740992" }, { 0x4430000000000000, "295147905179352830000" },
		{ 0x44b52d02c7e14af5, "9.999999999999997e+22" }, { 0x44b52d02c7e14af6, "1e+23" }, { 0x44b52d02c7e14af7, "1.0000000000000001e+23" },
		{ 0x444b1ae4d6e2ef4e, "999999999999999700000" }, { 0x444b1ae4d6e2ef4f, "999999999999999900000" }, { 0x444b1ae4d6e2ef50, "1e+21" },
		{ 0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7" }, { 0x3eb0c6f7a0b5ed8d, "0.000001" }, { 0x41b3de4355555553, "333333333.3333332" },
		{ 0x41b3de4355555554, "333333333.33333325" }, { 0x41b3de4355555555, "333333333.3333333" }, { 0x41b3de4355555556, "333333333.3333334" },
		{ 0x41b3de4355555557, "333333333.33333343" }, { 0xbecbf647612f3696, "-0.0000033333333333333333" }, { 0x43143ff3c1cb0959, "1424953923781206.2" },
	};

	for (size_t i = 0; i < sizeof rfc / sizeof *rfc; i++)
		ck_assert_str_eq(dbl(bits(rfc[i].u)), rfc[i].text);
	ck_assert_str_eq(dbl(0x1p-44), "5.684341886080802e-14");      /* shorter only above: a power of two */
	ck_assert_str_eq(dbl(0.1 + 0.2), "0.30000000000000004");
	ck_assert_str_eq(dbl((double)NAN), "nan");
	ck_assert_str_eq(dbl(-(double)INFINITY), "-inf");
}
END_TEST

static uint64_t next(uint64_t *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 7;
	*s ^= *s << 17;
	return *s;
}

/* Whatever the bits: the text reads back to the same double, and no text with one digit less does. */
START_TEST(float_round_trip)
{
	uint64_t seed = 88172645463325252u;

	for (int i = 0; i < 200000; i++) {
		double d = bits(next(&seed)), back;
		const char *t;

		if (!isfinite(d))
			continue;
		t = dbl(d);
		ck_assert_int_eq(double_parse(t, strlen(t), &back), 0);
		ck_assert_msg(back == d, "%a is written %s", d, t);
		ck_assert(strtod(t, NULL) == d);
	}
}
END_TEST

START_TEST(float_parse)
{
	static const char *const good[] = { "0", "-0", "1", "1.5", "-1.25e3", "1E+2", "1e-400", "0.1", "123456789012345678901234567890" };
	static const char *const bad[] = { "", "-", "+1", "01", "1.", ".5", "1e", "1e+", "0x10", "1 ", " 1", "1,5", "nan", "inf", "1_000", "--1" };
	double d;

	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		ck_assert_int_eq(double_parse(good[i], strlen(good[i]), &d), 0);
		ck_assert(d == strtod(good[i], NULL));
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		ck_assert_msg(double_parse(bad[i], strlen(bad[i]), &d) == -1, "%s", bad[i]);
	ck_assert_int_eq(double_parse("1e999", 5, &d), 1);
	ck_assert_int_eq(double_parse("-0.0", 4, &d), 0);
	ck_assert(!signbit(d));
	ck_assert_int_eq(double_parse("1e99999999999999999999", 22, &d), 1);
}
END_TEST

START_TEST(types)
{
	static const char *const names[] = { "string", "int", "float", "bool", "json", "time", "duration", "size", "file", "dir", "list<file>", "list<int>?", "file?" };
	struct type t;

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct strbuf b = { 0 };

		ck_assert(type_parse(names[i], strlen(names[i]), &t));
		type_str(&b, t);
		ck_assert_str_eq(sb_cstr(&b), names[i]);
		sb_free(&b);
	}
	ck_assert(!type_parse("list<list<int>>", 15, &t));
	ck_assert(!type_parse("integer", 7, &t));
	ck_assert(!type_parse("", 0, &t));
	ck_assert(!type_parse("list<>", 6, &t));
	ck_assert(type_is_scalar(type_of(T_TIME)) && type_is_scalar(type_of(T_SIZE)));
	ck_assert(!type_is_scalar(type_of(T_JSON)) && !type_is_scalar(type_of(T_FILE)) && !type_is_scalar(type_list(T_INT)));
}
END_TEST

START_TEST(units)
{
	static const struct { const char *s; double v; } durations[] = {
		{ "30s", 30 }, { "15m", 900 }, { "2h", 7200 }, { "7d", 604800 }, { "1h30m", 5400 }, { "0.4ms", 0.0004 }, { "1.5h", 5400 },
		{ "1.1h", 3960 }, { "0.1s", 0.1 }, { "250ms", 0.25 }, { "1d2h3m4s5ms", 93784.005 }, { "0.07m", 4.2 }, { "99999999999999999999d", 8.64e24 },
	};
	static const struct { const char *s; double v; } sizes[] = {
		{ "16Gi", 17179869184.0 }, { "1.5Gi", 1610612736 }, { "12KB", 12000 }, { "0B", 0 }, { "512Mi", 536870912 }, { "1Ti", 1099511627776.0 },
		{ "2TB", 2e12 }, { "0.1GB", 1e8 }, { "1.1Gi", 1181116006 }, { "7B", 7 },
	};
	static const char *const bad_duration[] = { "", "5", "m", "1.5", "30m1h", "1h1h", "1x", "1 h", "1us", "-1s", "1.h", "1..5h", "5min" };
	static const char *const bad_size[] = { "", "16", "Gi", "16G", "16gi", "1.Gi", "16GiB", "-1Gi", "16 Gi", "9000000TB", "1e3KB" };
	double v;

	for (size_t i = 0; i < sizeof durations / sizeof *durations; i++) {
		ck_assert_int_eq(duration_parse(durations[i].s, strlen(durations[i].s), &v), 0);
		ck_assert_msg(v == durations[i].v, "%s is %.17g", durations[i].s, v);
	}
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		ck_assert_int_eq(size_parse(sizes[i].s, strlen(sizes[i].s), &v), 0);
		ck_assert_msg(v == sizes[i].v, "%s is %.17g", sizes[i].s, v);
	}
	for (size_t i = 0; i < sizeof bad_duration / sizeof *bad_duration; i++)
		ck_assert_msg(duration_parse(bad_duration[i], strlen(bad_duration[i]), &v) == -1, "%s", bad_duration[i]);
	for (size_t i = 0; i < sizeof bad_size / sizeof *bad_size; i++)
		ck_assert_msg(size_parse(bad_size[i], strlen(bad_size[i]), &v) == -1, "%s", bad_size[i]);
}
END_TEST

START_TEST(units_written)
{
	static const struct { double v; const char *s; } d[] = { { 5400, "1h30m" }, { 90, "1m30s" }, { 59, "59s" }, { 0, "0s" }, { 0.25, "0.25s" },
		{ 86400, "1d" }, { -7200, "-2h" }, { 0.0004, "0.4ms" }, { 1.5, "1.5s" }, { 1e-9, "0.000000001s" }, { 8.64e24, "8640000000000000000000000s" } };
	static const struct { int64_t v; const char *s; } z[] = { { 17179869184, "16Gi" }, { 0, "0B" }, { 12000, "12KB" }, { 1000, "1KB" }, { 1024, "1Ki" }, { 1001, "1001B" } };
	struct strbuf b = { 0 };
	double back;

	for (size_t i = 0; i < sizeof d / sizeof *d; i++) {
		b.n = 0;
		duration_write(&b, d[i].v);
		ck_assert_str_eq(sb_cstr(&b), d[i].s);
	}
	for (size_t i = 0; i < sizeof z / sizeof *z; i++) {
		b.n = 0;
		size_write(&b, z[i].v);
		ck_assert_str_eq(sb_cstr(&b), z[i].s);
		ck_assert(!size_parse(b.s, b.n, &back) && (int64_t)back == z[i].v);
	}
	sb_free(&b);
}
END_TEST

static const char *utc(const char *s)
{
	static char out[64];
	struct strbuf b = { 0 };
	int64_t sec;
	uint32_t nsec;

	if (time_parse(s, strlen(s), &sec, &nsec))
		return "no time";
	time_write(&b, sec, nsec);
	snprintf(out, sizeof out, "%s", sb_cstr(&b));
	sb_free(&b);
	return out;
}

START_TEST(times)
{
	ck_assert_str_eq(utc("2026-03-01T10:20:30Z"), "2026-03-01T10:20:30Z");
	ck_assert_str_eq(utc("2026-03-01T01:30:00+02:00"), "2026-02-28T23:30:00Z");
	ck_assert_str_eq(utc("2024-02-29t12:00:00.500z"), "2024-02-29T12:00:00.5Z");
	ck_assert_str_eq(utc("2000-01-01T00:00:00.123456789123-05:30"), "2000-01-01T05:30:00.123456789Z");
	ck_assert_str_eq(utc("2016-12-31T23:59:60Z"), "2017-01-01T00:00:00Z");
	ck_assert_str_eq(utc("2017-01-01T05:29:60+05:30"), "2017-01-01T00:00:00Z");
	ck_assert_str_eq(utc("0000-01-01T00:00:00Z"), "0000-01-01T00:00:00Z");
	ck_assert_str_eq(utc("9999-12-31T23:59:59Z"), "9999-12-31T23:59:59Z");
	static const char *const bad[] = { "", "2026-03-01", "2026-03-01T10:20:30", "2026-03-01 10:20:30Z", "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z",
		"2026-00-01T00:00:00Z", "2026-01-32T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2026-01-01T00:00:60Z", "2026-01-01T00:00:00.Z",
		"2026-01-01T00:00:00+0200", "2026-01-01T00:00:00+24:00", "2026-01-01T00:00:00Zx", "26-01-01T00:00:00Z", "0000-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00" };

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		ck_assert_str_eq(utc(bad[i]), "no time");
}
END_TEST

static int32_t east(const char *zone, const char *t)
{
	int64_t sec;
	uint32_t nsec;
	int32_t off = 0;

	ck_assert_int_eq(time_parse(t, strlen(t), &sec, &nsec), 0);
	return zone_offset(zone, strlen(zone), sec, &off) ? 99999 : off;
}

START_TEST(zones)
{
	ck_assert_int_eq(east("UTC", "2026-07-01T00:00:00Z"), 0);
	ck_assert_int_eq(east("Europe/Berlin", "2026-01-01T00:00:00Z"), 3600);
	ck_assert_int_eq(east("Europe/Berlin", "2026-03-29T00:59:59Z"), 3600);
	ck_assert_int_eq(east("Europe/Berlin", "2026-03-29T01:00:00Z"), 7200);
	ck_assert_int_eq(east("Europe/Berlin", "2026-10-25T00:59:59Z"), 7200);
	ck_assert_int_eq(east("Europe/Berlin", "2026-10-25T01:00:00Z"), 3600);
	ck_assert_int_eq(east("Europe/Berlin", "2099-07-01T00:00:00Z"), 7200);      /* past the table: by rule */
	ck_assert_int_eq(east("America/New_York", "2099-12-01T00:00:00Z"), -18000);
	ck_assert_int_eq(east("Australia/Sydney", "2099-01-01T00:00:00Z"), 39600); /* summer over the turn of the year */
	ck_assert_int_eq(east("Australia/Sydney", "2099-07-01T00:00:00Z"), 36000);
	ck_assert_int_eq(east("Asia/Kolkata", "2026-01-01T00:00:00Z"), 19800);
	ck_assert_int_eq(east("Etc/GMT+5", "2026-01-01T00:00:00Z"), -18000);
	ck_assert_int_eq(east("Europe/Berlin", "1880-01-01T00:00:00Z"), 3208);      /* local mean time */
	ck_assert_int_eq(east("Europe/Dublin", "2099-01-01T00:00:00Z"), 0);         /* negative summer time */
	ck_assert_int_eq(east("Africa/Casablanca", "2026-01-15T00:00:00Z"), 3600);
	ck_assert_int_eq(east("Europe/Berlim", "2026-01-01T00:00:00Z"), 99999);
	ck_assert_int_eq(east("../../../etc/passwd", "2026-01-01T00:00:00Z"), 99999);
	ck_assert_int_eq(east("/etc/localtime", "2026-01-01T00:00:00Z"), 99999);
	ck_assert_int_eq(east("Europe", "2026-01-01T00:00:00Z"), 99999);
	ck_assert_int_eq(east("zone.tab", "2026-01-01T00:00:00Z"), 99999);
	ck_assert_int_eq(east("", "2026-01-01T00:00:00Z"), 99999);
}
END_TEST

static const char *json(struct made *m, const char *s)
{
	static char out[256];
	struct strbuf b = { 0 };
	const char *err = NULL;
	size_t at = 0;
	const struct json *j = json_parse(&m->c, s, strlen(s), &err, &at);

	if (!j) {
		snprintf(out, sizeof out, "%zu: %s", at, err);
		return out;
	}
	json_write(&b, j);
	snprintf(out, sizeof out, "%s", sb_cstr(&b));
	sb_free(&b);
	return out;
}

START_TEST(json_text)
{
	struct made m = made_new();

	ck_assert_str_eq(json(&m, " { \"b\" : [1, 2.50, 1e3, -0.0], \"a\":null, \"c\": { } }\n"), "{\"a\":null,\"b\":[1,2.5,1000,0],\"c\":{}}");
	ck_assert_str_eq(json(&m, "\"\\u00e9\\ud83d\\ude00\\n\\/\\\"\""), "\"\303\251\360\237\230\200\\n/\\\"\"");
	ck_assert_str_eq(json(&m, "{\"a\":1,\"b\":2,\"a\":3}"), "{\"a\":3,\"b\":2}");
	ck_assert_str_eq(json(&m, "[]"), "[]");
	ck_assert_str_eq(json(&m, "\"a\\u0000b\""), "\"a\\u0000b\"");
	ck_assert_str_eq(json(&m, ""), "0: expected a value");
	ck_assert_str_eq(json(&m, "[1,]"), "3: expected a value");
	ck_assert_str_eq(json(&m, "[1 2]"), "3: expected ',' or ']'");
	ck_assert_str_eq(json(&m, "{a:1}"), "1: expected a key in quotes");
	ck_assert_str_eq(json(&m, "{\"a\":1,}"), "7: expected a key in quotes");
	ck_assert_str_eq(json(&m, "01"), "0: no JSON number");
	ck_assert_str_eq(json(&m, "1e999"), "0: a number past the range of doubles");
	ck_assert_str_eq(json(&m, "1 2"), "2: something follows the value");
	ck_assert_str_eq(json(&m, "\"\\ud800\""), "1: half of a surrogate pair");
	ck_assert_str_eq(json(&m, "\"\\x\""), "1: an escape that JSON does not have");
	ck_assert_str_eq(json(&m, "\"a\tb\""), "2: a control character in a string");
	ck_assert_str_eq(json(&m, "\"abc"), "0: a string without its closing quote");
	ck_assert_str_eq(json(&m, "nul"), "0: expected a value");
	ck_assert_str_eq(json(&m, "NaN"), "0: expected a value");
	ck_assert_str_eq(json(&m, "\xff"), "0: not valid UTF-8");
	ck_assert_str_eq(json(&m, "[["), "2: expected a value");
	arena_free(m.a);
}
END_TEST

START_TEST(json_depth)
{
	struct made m = made_new();
	char deep[500] = { 0 };
	const char *err;
	size_t at;

	memset(deep, '[', 200);
	memset(deep + 200, ']', 200);
	ck_assert_ptr_nonnull(json_parse(&m.c, deep, 400, &err, &at));
	memset(deep, '[', 201);
	memset(deep + 201, ']', 201);
	ck_assert_ptr_null(json_parse(&m.c, deep, 402, &err, &at));
	ck_assert_uint_eq(at, 200);
	arena_free(m.a);
}
END_TEST

static bool same_json(struct made *m, const char *a, const char *b)
{
	return value_eq(J(m, a)->u.lit, J(m, b)->u.lit);
}

START_TEST(json_equality)
{
	struct made m = made_new();

	ck_assert(same_json(&m, "{\"b\":[10,20.0],\"a\":{\"k\":1}}", " { \"a\" : {\"k\":1.0}, \"b\":[1e1,20] }"));
	ck_assert(same_json(&m, "\"\\u00e9\"", "\"\303\251\""));
	ck_assert(!same_json(&m, "{\"a\":1}", "{\"a\":2}"));
	ck_assert(!same_json(&m, "{\"a\":1}", "{\"b\":1}"));
	ck_assert(!same_json(&m, "{\"a\":1}", "{\"a\":1,\"b\":1}"));
	ck_assert(!same_json(&m, "[1,2]", "[2,1]"));
	ck_assert(!same_json(&m, "1", "\"1\""));
	ck_assert(!same_json(&m, "null", "false"));
	ck_assert(value_eq(J(&m, "1")->u.lit, I(&m, 1)->u.lit));
	ck_assert(value_eq(F(&m, 1.5)->u.lit, J(&m, "1.5")->u.lit));
	ck_assert(value_eq(J(&m, "\"x\"")->u.lit, S(&m, "x")->u.lit));
	ck_assert(!value_eq(J(&m, "\"1\"")->u.lit, I(&m, 1)->u.lit));
	ck_assert(value_eq(J(&m, "[1,2]")->u.lit, Out(&m, type_list(T_INT), "[1, 2]")->u.lit));
	ck_assert(!value_eq(J(&m, "null")->u.lit, Null(&m)->u.lit));
	ck_assert(value_eq(I(&m, 7)->u.lit, F(&m, 7)->u.lit));
	ck_assert(value_eq(T(&m, "2026-01-01T00:00:00Z")->u.lit, T(&m, "2026-01-01T02:00:00+02:00")->u.lit));
	ck_assert(!value_eq(F(&m, (double)NAN)->u.lit, F(&m, (double)NAN)->u.lit));
	arena_free(m.a);
}
END_TEST

/* "TEXT|CANON" of what was read, or the message. */
static const char *parsed(struct made *m, const char *type, const char *s, bool strict)
{
	static char out[512];
	struct strbuf b = { 0 };
	struct type t;
	struct value v;
	const char *err = NULL;

	ck_assert(type_parse(type, strlen(type), &t));
	if (value_parse(&m->c, t, s, strlen(s), strict, &v, &err)) {
		snprintf(out, sizeof out, "!%s", err);
		return out;
	}
	value_text(&b, &v);
	sb_ch(&b, '|');
	value_canon(&b, &v);
	snprintf(out, sizeof out, "%s", sb_cstr(&b));
	sb_free(&b);
	return out;
}

START_TEST(text_to_values)
{
	static const struct { const char *type, *text, *strict, *loose; } t[] = {
		{ "int", "42", "42|42", "42|42" }, { "int", "-0", "-0|0", "-0|0" }, { "int", "9007199254740991", "9007199254740991|9007199254740991", NULL },
		{ "int", "9007199254740992", "!expected an int within \302\2619007199254740991", NULL }, { "int", "07", "!expected an int such as 42 or -3", NULL },
		{ "int", "1.0", "!expected an int such as 42 or -3", NULL }, { "int", "", "!expected an int such as 42 or -3", NULL },
		{ "int", " 1", "!expected an int such as 42 or -3", NULL }, { "int", "99999999999999999999999", "!expected an int within \302\2619007199254740991", NULL },
		{ "float", "1e5", "1e5|100000", NULL }, { "float", "0.50", "0.50|0.5", NULL }, { "float", "1E+2", "1E+2|100", NULL }, { "float", "nan", "nan|nan", NULL },
		{ "float", "-inf", "-inf|-inf", NULL }, { "float", "NaN", "!expected a number such as 0.5, 3 or 1e-4", NULL },
		{ "float", "1e999", "1e999|inf", "!expected a number within \302\2611.7976931348623157e308" }, { "float", "-0.0", "-0.0|0", NULL },
		{ "bool", "true", "true|true", NULL }, { "bool", "True", "!expected true or false", NULL }, { "bool", "1", "!expected true or false", NULL },
		{ "string", "", "|", NULL }, { "string", "a\n", "a\n|a\n", NULL }, { "string", "a\x01", "!control characters other than tab and line ends cannot be passed on", NULL },
		{ "string", "\xc3", "!not valid UTF-8", NULL }, { "string", "\x7f", "!control characters other than tab and line ends cannot be passed on", NULL },
		{ "duration", "5400", "5400|5400", NULL }, { "duration", "0.50", "0.50|0.5", NULL },
		{ "duration", "1h30m", "!expected a duration in seconds such as 5400 or 0.25", "5400|5400" },
		{ "duration", "-30s", "!expected a duration in seconds such as 5400 or 0.25", "-30|-30" },
		{ "duration", "nan", "!expected a duration in seconds such as 5400 or 0.25", "!expected a duration such as 1h30m, 30s, or a number of seconds" },
		{ "size", "1024", "1024|1024", NULL }, { "size", "2Gi", "!expected a size in bytes such as 1048576", "2147483648|2147483648" },
		{ "size", "-1", "!expected a size in bytes such as 1048576", "!expected a size such as 16Gi, 500MB, or a number of bytes" },
		{ "time", "2026-03-01T01:30:00+02:00", "2026-02-28T23:30:00Z|2026-02-28T23:30:00Z", NULL },
		{ "time", "yesterday", "!expected a time such as 2026-03-01T10:20:30Z (RFC 3339)", NULL },
		{ "json", "{ \"a\" : 1.0 }", "{ \"a\" : 1.0 }|{\"a\":1}", NULL }, { "json", "{'a':1}", "!expected JSON: expected a key in quotes at byte 1", NULL },
		{ "list<int>", "[1, 2.0]", "[1, 2.0]|[1,2]", NULL }, { "list<int>", "[1,2.5]", "!element 1: expected int, got 2.5", NULL },
		{ "list<int>", "1", "!expected a JSON list such as [1, 2]", NULL }, { "list<string>", "[\"a\",1]", "!element 1: expected string, got a number", NULL },
		{ "list<string>", "[]", "[]|[]", NULL }, { "list<float>", "[1,0.50,\"nan\"]", "[1,0.50,\"nan\"]|[1,0.5,\"nan\"]", NULL },
		{ "list<json>", "[{\"k\": 1}, null]", "[{\"k\": 1}, null]|[{\"k\":1},null]", NULL }, { "list<bool>", "[true,null]", "!element 1: expected bool, got null", NULL },
		{ "list<duration>", "[\"1h\",5]", "!element 0: expected duration, got a string", "[\"1h\",5]|[3600,5]" },
		{ "list<time>", "[\"2026-01-01T00:00:00Z\"]", "[\"2026-01-01T00:00:00Z\"]|[\"2026-01-01T00:00:00Z\"]", NULL },
		{ "file", "", "!expected a path or a location, got nothing", NULL }, { "file", "s3://a/b", "s3://a/b|s3://a/b", NULL },
	};
	struct made m = made_new();

	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		ck_assert_str_eq(parsed(&m, t[i].type, t[i].text, true), t[i].strict);
		ck_assert_str_eq(parsed(&m, t[i].type, t[i].text, false), t[i].loose ? t[i].loose : t[i].strict);
	}
	arena_free(m.a);
}
END_TEST

START_TEST(text_limits)
{
	char *s = malloc(120001);
	const char *err = NULL;

	memset(s, 'x', 120001);
	ck_assert_int_eq(value_check_text(s, 120000, &err), 0);
	ck_assert_int_eq(value_check_text(s, 120001, &err), -1);
	memset(s, '$', 24001);
	ck_assert_int_eq(value_check_text(s, 24000, &err), 0);
	ck_assert_int_eq(value_check_text(s, 24001, &err), -1);
	ck_assert_int_eq(value_check_text("a\0b", 3, &err), -1);
	ck_assert_int_eq(value_check_text("\t\r\n\302\200", 5, &err), 0);
	free(s);
}
END_TEST

static int floats(void)
{
	char line[64];

	while (fgets(line, sizeof line, stdin)) {
		double d = bits(strtoull(line, NULL, 16)), back;
		const char *t = dbl(d);
		int rc = double_parse(t, strlen(t), &back);

		printf("%s%s\n", t, rc || back != d ? " does not read back" : "");
	}
	return ferror(stdin) || fflush(stdout) ? 1 : 0;
}

int main(int argc, char **argv)
{
	Suite *s = suite_create("values");
	TCase *tc = tcase_create("values");
	SRunner *r;
	int bad;

	if (argc > 1 && !strcmp(argv[1], "--floats"))
		return floats();
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, float_text);
	tcase_add_test(tc, float_round_trip);
	tcase_add_test(tc, float_parse);
	tcase_add_test(tc, types);
	tcase_add_test(tc, units);
	tcase_add_test(tc, units_written);
	tcase_add_test(tc, times);
	tcase_add_test(tc, zones);
	tcase_add_test(tc, json_text);
	tcase_add_test(tc, json_depth);
	tcase_add_test(tc, json_equality);
	tcase_add_test(tc, text_to_values);
	tcase_add_test(tc, text_limits);
	suite_add_tcase(s, tc);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	bad = srunner_ntests_failed(r);
	srunner_free(r);
	return bad != 0;
}
