/* The lexer and the parser: what texts mean, what is an error, where, and once. */
#include <stdio.h>

#include "front.h"

/* ---- values of expressions ---- */

static void expr_is(const char *expr, const char *dump)
{
	struct strbuf b = { 0 };
	struct parsed p;
	char *got, *msgs;

	sb_f(&b, "workflow w { let x = %s }", expr);
	p = parse_text(sb_cstr(&b));
	msgs = diags(p.d);
	ck_assert_msg(!p.d->errors, "%s: %s", expr, msgs);
	got = dumped(&p);
	b.n = 0;
	sb_f(&b, "workflow w\n  let x\n    = %s\n", dump);
	ck_assert_str_eq(got, sb_cstr(&b));
	free(got);
	free(msgs);
	sb_free(&b);
	parsed_free(&p);
}

START_TEST(numbers)
{
	expr_is("0", "0");
	expr_is("9007199254740991", "9007199254740991");
	expr_is("-3", "(- 3)");
	expr_is("0.5", "0.5");
	expr_is("1e-4", "0.0001");
	expr_is("1E+2", "100");
	expr_is("2.5e3", "2500");
	expr_is("1.7976931348623157e308", "1.7976931348623157e+308");
	expr_is("30s", "30s");
	expr_is("0.5ms", "0.00050000000000000001s");
	expr_is("1h30m", "5400s");
	expr_is("1d2h3m4s", "93784s");
	expr_is("1.5h", "5400s");
	expr_is("500m", "30000s");
	expr_is("12KB", "12000B");
	expr_is("1.5Gi", "1610612736B");
	expr_is("7B", "7B");
	expr_is("2Ti", "2199023255552B");
}
END_TEST

START_TEST(strings)
{
	expr_is("\"\"", "\"\"");
	expr_is("\"a\\n\\t\\r\\\"\\\\\\$\\u{41}\\u{1F600}b\"", "\"a\\n\\t\\r\\\"\\\\$A\xf0\x9f\x98\x80" "b\"");
	expr_is("\"$ $$ $a {b} # c\"", "\"$ $$ $a {b} # c\"");
	expr_is("\"\\${n}\"", "\"${n}\"");
	expr_is("\"${a}\"", "(text a)");
	expr_is("\"a${b}c${d + 1}\"", "(text \"a\" b \"c\" (+ d 1))");
	expr_is("\"${ f(\"x}${y}\\\"\") }z\"", "(text (call f (text \"x}\" y \"\\\"\")) \"z\")");
	expr_is("\"${ { a = \"}\" }.a }\"", "(text (. (map\n      \"a\"\n        = \"}\") a))");
	expr_is("\"${\"\"}\"", "(text \"\")");
}
END_TEST

START_TEST(verbatim)
{
	expr_is("\"\"\"say \"hi\"   \"\"\"", "verbatim\"say \\\"hi\\\"\"");
	expr_is("\"\"\"say \"hi\"\"\"\"", "verbatim\"say \\\"hi\\\"\"");
	expr_is("\"\"\"x\"\"\"\"\"", "verbatim\"x\\\"\\\"\"");
	expr_is("\"\"\"\"a\" b\"\"\"", "verbatim\"\\\"a\\\" b\"");
	expr_is("'''it's '' \"\"\" '''", "verbatim\"it's '' \\\"\\\"\\\"\"");
	expr_is("\"\"\"\"\"\"", "verbatim\"\"");
	expr_is("\"\"\"  \t\"\"\"", "verbatim\"\"");
	expr_is("\"\"\"\n    a\n      b\n\n    c ${x} \\n\n  \"\"\"", "verbatim\"a\\n  b\\n\\nc ${x} \\\\n\\n\"");
	expr_is("\"\"\"\r\n    a\r\n      b\r\n  \"\"\"", "verbatim\"a\\n  b\\n\"");
	expr_is("\"\"\"one\n      two\n    three\"\"\"", "verbatim\"one\\n  two\\nthree\"");
	expr_is("\"\"\"  one\n      two\"\"\"", "verbatim\"  one\\ntwo\"");
	expr_is("\"\"\"\n\ta\n\t\tb\n \tc\n\"\"\"", "verbatim\"\\ta\\n\\t\\tb\\n \\tc\\n\"");
	expr_is("\"\"\"\n    a\n       \n  \n    b\n\"\"\"", "verbatim\"a\\n   \\n\\nb\\n\"");
	expr_is("\"\"\"\n\n  a\"\"\"", "verbatim\"\\na\"");
	expr_is("\"\"\"   \n  a\n  \"\"\"", "verbatim\"   \\na\\n\"");
	expr_is("\"\"\"\n  \n\"\"\"", "verbatim\"  \\n\"");
}
END_TEST

START_TEST(precedence)
{
	expr_is("a ? b : c ? d : e", "(?: a b (?: c d e))");
	expr_is("a ?? b || c && d == e + f * -g.h", "(?? a (|| b (&& c (== d (+ e (* f (- (. g h))))))))");
	expr_is("a - b - c", "(- (- a b) c)");
	expr_is("a - (b - c)", "(- a (- b c))");
	expr_is("12 / 3 / 2 % 5", "(% (/ (/ 12 3) 2) 5)");
	expr_is("!a == b", "(== (! a) b)");
	expr_is("!!a", "(! (! a))");
	expr_is("a in [1, 2] && b", "(&& (in a (list 1 2)) b)");
	expr_is("-1 + 2", "(+ (- 1) 2)");
	expr_is("a.b[1].c(d, e = f)[g]", "([] (call (. ([] (. a b) 1) c) d e=f) g)");
	expr_is("true && false || null == x", "(|| (&& true false) (== null x))");
	expr_is("a <= b", "(<= a b)");
	expr_is("in_ + not_ + and_", "(+ (+ in_ not_) and_)");
}
END_TEST

START_TEST(collections)
{
	expr_is("[]", "(list)");
	expr_is("[1, [2], 3,]", "(list 1 (list 2) 3)");
	expr_is("[\n 1,\n 2\n]", "(list 1 2)");
	expr_is("[a, b?, c.d?]", "(list a (soft b) (soft (. c d)))");
	expr_is("[a ? b : c]", "(list (?: a b c))");
	expr_is("{}", "(map)");
	expr_is("{ a = 1, \"b/c\" = 2; in = 3\n d { e = 4 } }",
		"(map\n      \"a\"\n        = 1\n      \"b/c\"\n        = 2\n      \"in\"\n        = 3\n      \"d\"\n        = (map\n          \"e\"\n            = 4))");
	expr_is("f(\n  a = 1\n  b = 2; c\n)", "(call f a=1 b=2 c)");
	expr_is("a +\n b", "(+ a b)");
	expr_is("a ?\n b :\n c", "(?: a b c)");
}
END_TEST

/* ---- statements ---- */

static void text_is(const char *text, const char *dump)
{
	struct parsed p = parse_text(text);
	char *msgs = diags(p.d), *got = dumped(&p);

	ck_assert_msg(!p.d->errors, "%s: %s", text, msgs);
	ck_assert_str_eq(got, dump);
	free(msgs);
	free(got);
	parsed_free(&p);
}

START_TEST(statements)
{
	text_is("\xef\xbb\xbf" "import \"lib/etl.cw\" as etl\r\n\r\nstore s { uri = \"s3://x\" }", "import etl\n  = \"lib/etl.cw\"\nstore s\n  \"uri\"\n    = \"s3://x\"\n");
	text_is("task t { in a: file named \"x\" = b in [1]; out c: list<int>? = stdout; out d: string at \"{.x}\" }",
		"task t\n  in a: file\n    named \"x\"\n    = b\n    in (list 1)\n  out c: list<int>?\n    = stdout\n  out d: string\n    at \"{.x}\"\n");
	text_is("workflow w { step a { in x = b in [1] }; out f: file to \"p/${d}\" = a.f }",
		"workflow w\n  step a\n    in x\n      = (in b (list 1))\n  out f: file\n    to (text \"p/\" d)\n    = (. a f)\n");
	text_is("workflow w { step a = m.t(x = 1) { retry = 3 }\n for i, v in xs { max_parallel = 2 }\n fail \"no\" { after = [a] } }",
		"workflow w\n  step a\n    = (call (. m t) x=1)\n    \"retry\"\n      = 3\n  for i, v\n    = xs\n    \"max_parallel\"\n      = 2\n  fail\n    = \"no\"\n    \"after\"\n      = (list a)\n");
	text_is("workflow w { if a { let x = 1 }\n\n else if b { let x = 2 } else { let x = 3 } }",
		"workflow w\n  if\n    = a\n    let x\n      = 1\n  else\n    if b\n    let x\n      = 2\n  else\n    let x\n      = 3\n");
	text_is("workflow w { wait s { for = 20s }; step r { retry { on = [75] } }; on failure { } }",
		"workflow w\n  wait s\n    \"for\"\n      = 20s\n  step r\n    \"retry\"\n      = (map\n        \"on\"\n          = (list 75))\n  on failure\n");
}
END_TEST

START_TEST(separators)
{
	text_is(";,\nworkflow w {;;; let a = 1,, let b = 2\n\n;\n}\n,", "workflow w\n  let a\n    = 1\n  let b\n    = 2\n");
	text_is("workflow w { defaults = { image = \"x\" }\nloop l { max = 2; next = { a = 1 } } } # end", 
		"workflow w\n  defaults\n    \"image\"\n      = \"x\"\n  loop l\n    \"max\"\n      = 2\n    next\n      \"a\"\n        = 1\n");
	text_is("", "\n");
	text_is("# only a comment", "\n");
}
END_TEST

/* ---- errors: one each, with its code, line and column ---- */

static const struct { const char *text; int code; unsigned line, col; const char *says; } wrong[] = {
	{ "workflow w { let a = 12abc }", 5, 1, 22, "12abc" },
	{ "workflow w { let a = 0x1F }", 5, 1, 22, "write 31" },
	{ "workflow w { let a = 1_000 }", 5, 1, 22, "write 1000" },
	{ "workflow w { let a = 007 }", 5, 1, 22, "write 7" },
	{ "workflow w { let a = 1.4.2 }", 5, 1, 22, "\"1.4.2\"" },
	{ "workflow w { let a = 16gb }", 5, 1, 22, "write 16GB" },
	{ "workflow w { let a = 5min }", 5, 1, 22, "write 5m" },
	{ "workflow w { let a = .5 }", 5, 1, 22, "write 0.5" },
	{ "workflow w { let a = 9007199254740992 }", 6, 1, 22, "2^53" },
	{ "workflow w { let a = 1e999 }", 6, 1, 22, "range" },
	{ "workflow w { let a = \"x\n let b = 1 }", 7, 1, 22, "not closed" },
	{ "workflow w { let a = \"\"\"x\n }\n", 8, 1, 22, "not closed" },
	{ "workflow w { let a = 'x' }", 9, 1, 22, "write \"x\"" },
	{ "workflow w { let a = \"${b\" }", 10, 1, 23, "'}'" },
	{ "workflow w { let a = \"${}\" }", 10, 1, 23, "no expression" },
	{ "workflow w { let a = \"\\d\" }", 11, 1, 23, "\\d" },
	{ "workflow w { let a = \"\\u{D83D}\" }", 11, 1, 23, "surrogate" },
	{ "workflow w { let a = \"\\u{110000}\" }", 11, 1, 23, "past the last" },
	{ "workflow w { let a = \"\\u{0}\" }", 11, 1, 23, "\\u{0}" },
	{ "workflow w { let a = $(date) }", 4, 1, 22, "'$'" },
	{ "workflow w { let a = ${b} }", 4, 1, 22, "bare: b" },
	{ "workflow w { let a = \xe2\x80\x9cx\xe2\x80\x9d }", 4, 1, 22, "curly" },
	{ "workflow w { let gr\xc3\xb6\xc3\x9f" "e = 1 }", 4, 1, 20, "letters" },
	{ "workflow w { let a }", 101, 1, 20, "'='" },
	{ "workflow w { let a = }", 120, 1, 20, "no value" },
	{ "workflow w { step a { run = \"\"\"x\"\"\" } step b { } }", 102, 1, 39, "before 'step'" },
	{ "workflow w { let a = [1 2] }", 101, 1, 25, "','" },
	{ "workflow w { let a = [1\n 2] }", 102, 1, 24, "','" },
	{ "workflow { step a { } }", 103, 1, 10, "name" },
	{ "workflow w { step my-step { } }", 103, 1, 19, "my_step" },
	{ "workflow w { step \"a\" { } }", 103, 1, 19, "write a" },
	{ "workflow w { let true = 1 }", 103, 1, 18, "value" },
	{ "workflow w\n{ let a = 1 }", 104, 2, 1, "line of its head" },
	{ "workflow w {\n step a\n let b = 1 }", 104, 2, 8, "missing" },
	{ "workflow w { let a = f(1 }", 105, 1, 23, "not closed" },
	{ "workflow w {\n  step a {\n    retry = 1\n  step b { }\n}\n", 105, 2, 10, "not closed" },
	{ "workflow w {\n  step a {\n    env { A = 1\n  }\n  step b { }\n}\n", 105, 2, 10, "not closed" },
	{ "workflow w { let a = 1 } }\n", 105, 1, 26, "closes nothing" },
	{ "workflow w {\n step a { } }\n step b { }\n step c { }\n}\n", 106, 3, 2, "one too many" },
	{ "workflow w { step a { step b { } } }", 106, 1, 23, "a step" },
	{ "workflow w { in x: int }", 106, 1, 14, "param" },
	{ "workflow w { on exit { if a { service s { } } } }", 106, 1, 31, "service" },
	{ "workflow w { if a { state x = 1 } }", 106, 1, 21, "loop" },
	{ "workflow w { while a { step b { } } }", 106, 1, 14, "loop NAME" },
	{ "task t { param x: int }", 106, 1, 10, "'in'" },
	{ "workflow w { stp a { run = @@ } }", 107, 1, 14, "'step'" },
	{ "workflow w { train(x = 1) }", 107, 1, 14, "step NAME = train" },
	{ "workflow w { if a { retry = 2 } }", 108, 1, 21, "defaults" },
	{ "image = \"x\"\nworkflow w { }", 108, 1, 1, "defaults" },
	{ "workflow w { if a and b { } }", 109, 1, 19, "&&" },
	{ "workflow w { if a or b { } }", 109, 1, 19, "||" },
	{ "workflow w { if not a { } }", 109, 1, 17, "!a" },
	{ "workflow w { if a === b { } }", 109, 1, 19, "==" },
	{ "workflow w { if a !== b { } }", 109, 1, 19, "!=" },
	{ "workflow w { if a <> b { } }", 109, 1, 19, "!=" },
	{ "workflow w { if a = b { } }", 109, 1, 19, "==" },
	{ "workflow w { if a is not b { } }", 109, 1, 19, "!=" },
	{ "workflow w { if a not in b { } }", 109, 1, 19, "!(" },
	{ "workflow w { let c = a & b }", 109, 1, 24, "&&" },
	{ "workflow w { let c = 1 if a else 2 }", 109, 1, 24, "? VALUE" },
	{ "workflow w { let c = 2 ** 3 }", 109, 1, 24, "**" },
	{ "workflow w { let c = f\"x\" }", 109, 1, 22, "prefix" },
	{ "workflow w { if a then { } }", 109, 1, 19, "then" },
	{ "workflow w { if a { } elif b { } }", 109, 1, 23, "else if" },
	{ "workflow w { for s of xs { } }", 109, 1, 20, "'in'" },
	{ "workflow w { for (s in xs) { } }", 109, 1, 18, "parentheses" },
	{ "workflow w { loop l { next { i += 1 } } }", 109, 1, 32, "i = i +" },
	{ "workflow w { on error { } }", 109, 1, 17, "on failure" },
	{ "workflow w { // note\n let a = 1 }", 109, 1, 14, "#" },
	{ "workflow w { if 1 < n < 3 { } }", 110, 1, 23, "n < ..." },
	{ "workflow w { step a { cpu: 4 } }", 111, 1, 26, "cpu = " },
	{ "workflow w { step a { run \"\"\"x\"\"\" } }", 111, 1, 23, "run = " },
	{ "workflow w { step a = t(x: 1) }", 111, 1, 26, "x = " },
	{ "task t { in lr float }", 112, 1, 15, "lr: float" },
	{ "workflow w { param n: integer }", 113, 1, 23, "write int" },
	{ "workflow w { param n: flaot }", 113, 1, 23, "write float" },
	{ "task t { out p: file[] }", 114, 1, 17, "list<file>" },
	{ "task t { out p: list<list<int>> }", 114, 1, 17, "lists" },
	{ "task t { out p: list }", 114, 1, 17, "elements" },
	{ "task t { in p?: int }", 114, 1, 14, "TYPE?" },
	{ "task t { in p: file = x named \"y\" }", 115, 1, 25, "order" },
	{ "task t { in p: int = 1 == 2 }", 101, 1, 24, "parentheses" },
	{ "workflow w { step a = t }", 117, 1, 23, "t(...)" },
	{ "workflow w { step a = { } }", 117, 1, 23, "no '='" },
	{ "workflow w {\n let a = 1\n  + 2\n}", 118, 3, 3, "end of the line before" },
	{ "workflow w {\n step a { run =\n \"\"\"x\"\"\" } }", 118, 3, 2, "one line" },
	{ "workflow w { step a { }; cancel a }", 119, 1, 26, "cancel" },
	{ "workflow w { on event \"push\" { step b { run = \"\"\"true\"\"\" } } }", 119, 1, 17, "submit" },
	{ "task t { inputs { a: int, b: int } }", 119, 1, 10, "in NAME: TYPE" },
	{ "workflow w { else { } }", 119, 1, 14, "'if'" },
	{ "import \"a.cw\"\nworkflow w { }", 120, 1, 8, "as NAME" },
	{ "workflow w { if { } }", 120, 1, 14, "condition" },
	{ "workflow w { for x in { } }", 120, 1, 14, "list" },
	{ "workflow w { fail }", 120, 1, 14, "message" },
	{ "workflow w {\n step a { doc = \"x }\n step b { }\n}", 7, 2, 17, "not closed" },
	{ "@ @ @ @", 4, 1, 1, "decorators" },
};

START_TEST(errors)
{
	struct parsed p = parse_text(wrong[_i].text);
	char *msgs = diags(p.d);
	struct place at;

	ck_assert_msg(p.d->errors == 1, "%s\n%s", wrong[_i].text, msgs);
	at = diag_place(p.d, p.d->first->span);
	ck_assert_msg(p.d->first->code == wrong[_i].code, "%s\n%s", wrong[_i].text, msgs);
	ck_assert_msg(at.line == wrong[_i].line && at.col == wrong[_i].col, "%s\n%s", wrong[_i].text, msgs);
	ck_assert_msg(strstr(msgs, wrong[_i].says) != NULL, "%s\n%s", wrong[_i].text, msgs);
	free(msgs);
	parsed_free(&p);
}
END_TEST

START_TEST(bytes)
{
	static const struct { const char *text; size_t n; int code; unsigned off; } bad[] = {
		{ "workflow w {\0 }", 15, 1, 12 }, { "\xe9", 1, 2, 0 }, { "# \xe2\x82\n", 5, 2, 2 }, { "\xed\xa0\x80", 3, 2, 0 }, { "a\xf5", 2, 2, 1 }, { "\xc0\x80", 2, 2, 0 },
		{ "ab\0\xff", 4, 1, 2 }, { "a\xff\0", 3, 2, 1 },
	};

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct parsed p = parse_bytes(bad[i].text, bad[i].n);

		ck_assert_uint_eq(p.d->errors, 1);
		ck_assert_int_eq(p.d->first->code, bad[i].code);
		ck_assert_uint_eq(p.d->first->span.off, bad[i].off);
		parsed_free(&p);
	}
}
END_TEST

/* ---- limits ---- */

static void repeat(struct strbuf *b, const char *s, size_t n)
{
	while (n--)
		sb_z(b, s);
}

static void deep(const char *before, const char *open, const char *mid, const char *close, const char *after, size_t n, unsigned expect)
{
	struct strbuf b = { 0 };
	struct parsed p;

	sb_z(&b, before);
	repeat(&b, open, n);
	sb_z(&b, mid);
	repeat(&b, close, n);
	sb_z(&b, after);
	p = parse_bytes(b.s, b.n);
	ck_assert_msg(p.d->errors == expect, "%s... %s: %u errors", before, open, p.d->errors);
	if (expect)
		ck_assert_int_eq(p.d->first->code, 116);
	parsed_free(&p);
	sb_free(&b);
}

START_TEST(depth)
{
	static const struct { const char *before, *open, *mid, *close, *after; } nests[] = {
		{ "workflow w { let x = ", "(", "1", ")", " }" }, { "workflow w { let x = ", "[", "", "]", " }" }, { "workflow w { let x = ", "f(", "1", ")", " }" },
		{ "workflow w { let x = ", "{ a = ", "1", " }", " }" }, { "workflow w { let x = ", "!", "a", "", " }" }, { "workflow w { let x = ", "- ", "a", "", " }" },
		{ "workflow w { let x = ", "a || ", "a", "", " }" }, { "workflow w { let x = ", "a ?? ", "a", "", " }" }, { "workflow w { let x = a", "", "", ".b", " }" },
		{ "workflow w { let x = a", "", "", "[0]", " }" }, { "workflow w { let x = ", "a ? b : ", "a", "", " }" }, { "workflow w { ", "if a { ", "", " }", " }" },
		{ "workflow w { if a { }", " else if b { }", "", "", " }" }, { "workflow w { let x = a", "", "", "(1)", " }" }, { "workflow w { let x = ", "\"${", "a", "}\"", " }" },
	};

	for (size_t i = 0; i < sizeof nests / sizeof *nests; i++) {
		bool text = strchr(nests[i].open, '$');

		deep(nests[i].before, nests[i].open, nests[i].mid, nests[i].close, nests[i].after, text ? 40 : 200, 0);
		if (!text) {
			deep(nests[i].before, nests[i].open, nests[i].mid, nests[i].close, nests[i].after, 300, 1);
			deep(nests[i].before, nests[i].open, nests[i].mid, nests[i].close, nests[i].after, 100000, 1);
		}
	}
}
END_TEST

/* Opening brackets without their ends, words without sense: many, and never a crash. */
START_TEST(endless)
{
	static const char *const bits[] = { "(", "[", "{", "}", ")", "]", "\"${", "f(", "[[", "a = {", "if a {", "else ", "not ", "step a {", "- ", "?", "a ? ", "a.b", "list<", "in x: list<",
		"\n(", "\n[", "[\n:", "\"", "'", "$(", "@", "=", "==", "a b ", "\n a b", "a\n", ":", "\n:", "= =\n", "step a = f(", "x = [\n", "\"\"\"", "0x", "on x ", "import ", "elif a {" };

	for (size_t i = 0; i < sizeof bits / sizeof *bits; i++) {
		struct strbuf b = { 0 };
		struct parsed p;

		sb_z(&b, "workflow w { let x = ");
		repeat(&b, bits[i], 50000);
		p = parse_bytes(b.s, b.n);
		ck_assert_uint_gt(p.d->errors, 0);
		parsed_free(&p);
		b.n = 0;
		repeat(&b, bits[i], 50000);
		p = parse_bytes(b.s, b.n);
		parsed_free(&p);
		sb_free(&b);
	}
}
END_TEST

START_TEST(tokens)
{
	struct parsed p = parse_text("a = 1.5 # c\n\"x${y}\" ?? '''z'''");
	struct strbuf b = { 0 };

	dump_tokens(p.d, 1, &b);
	ck_assert_str_eq(sb_cstr(&b), "1:1\tNAME\t\"a\"\n1:3\tASSIGN\t\"=\"\n1:5\tFLOAT\t\"1.5\"\n2:1\tNEWLINE\n2:1\tSTRING\t\"\\\"x${y}\\\"\"\n"
		"2:9\tCOALESCE\t\"??\"\n2:12\tVERBATIM\t\"'''z'''\"\n2:19\tEOF\n");
	ck_assert_uint_eq(p.f->ncomments, 1);
	sb_free(&b);
	parsed_free(&p);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("parse");
	TCase *t = tcase_create("parse");
	SRunner *r;
	int failed;

	tcase_set_timeout(t, 60);
	tcase_add_test(t, numbers);
	tcase_add_test(t, strings);
	tcase_add_test(t, verbatim);
	tcase_add_test(t, precedence);
	tcase_add_test(t, collections);
	tcase_add_test(t, statements);
	tcase_add_test(t, separators);
	tcase_add_loop_test(t, errors, 0, (int)(sizeof wrong / sizeof *wrong));
	tcase_add_test(t, bytes);
	tcase_add_test(t, depth);
	tcase_add_test(t, endless);
	tcase_add_test(t, tokens);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
