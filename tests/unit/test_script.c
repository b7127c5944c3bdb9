/* The scanner of sh and bash scripts: what a script reads that it does not set itself. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "front/script.h"

/*
 * want: names read and never set, in order of first use. x: $x; x#: in arithmetic; x?: with a default; x.: ${x.y}.
 * Besides: LOST, DYN, and after '|' the words kept (those that end in .py), after '>' those the script makes.
 */
static const struct { bool bash; const char *script, *want; } cases[] = {
	/* plain reads */
	{ 0, "echo $a", "a" },
	{ 0, "echo \"$a\" \"${b}\"", "a b" },
	{ 0, "echo '$a'", "" },
	{ 0, "echo \\$a", "" },
	{ 0, "echo \"\\$a\"", "" },
	{ 0, "echo \\\\$a", "a" },
	{ 0, "echo '$a'$b'$c'", "b" },
	{ 0, "echo \"it's $a\"", "a" },
	{ 0, "echo \"'$a'\"", "a" },
	{ 0, "echo a$b-$c.txt", "b c" },
	{ 0, "echo $a_b ${a}_b", "a_b a" },
	{ 0, "echo $1 $@ $* $# $? $- $$ $! $0 ${10} ${#}", "" },
	{ 0, "echo $ \"$\" 5$ '$'", "" },
	{ 0, "echo $a # $b", "a" },
	{ 0, "# $a\necho $b", "b" },
	{ 0, "echo a#$b", "b" },
	{ 0, "echo $#a", "" },
	{ 0, "echo \"# $a\"", "a" },
	{ 0, "true;# $a\ntrue", "" },
	{ 0, "cat \\\n  \"$a\" \\\n  $b", "a b" },
	{ 0, "", "" },
	{ 0, "\n\n  \n", "" },
	{ 0, "echo \"unclosed $a", "LOST" },
	{ 0, "echo 'unclosed", "LOST" },
	{ 0, "echo $(unclosed", "LOST" },
	{ 0, "echo ${unclosed", "LOST" },
	{ 0, "echo )", "LOST" },
	{ 0, "case $x in a) b", "LOST" },
	/* assignments */
	{ 0, "a=1; echo $a", "" },
	{ 0, "a=1 b=2\necho $a $b", "" },
	{ 0, "a=$b; echo $a", "b" },
	{ 0, "a=1 env | grep $a", "" },
	{ 0, "echo a=1; echo $a", "a" },
	{ 0, "make a=1 $a", "a" },
	{ 0, "dd if=$a of=$b", "a b" },
	{ 0, "python train.py lr=$lr", "lr|train.py" },
	{ 0, "echo $a; a=1", "" },
	{ 0, "if true; then a=1; fi; echo $a", "" },
	{ 0, "while true; do a=1; break; done; echo $a", "" },
	{ 0, "{ a=1; }; echo $a", "" },
	{ 0, "(a=1); echo $a", "" },
	{ 0, "a=1 && b=2 || c=3; echo $a$b$c", "" },
	{ 1, "a+=x; echo $a", "" },
	{ 1, "a=(x \"$b\" # $c\n y); echo ${a[0]}", "b" },
	{ 1, "a[3]=x; echo ${a[3]} ${a[$i]}", "i" },
	{ 1, "declare -A m=([k]=1 [l]=$v); echo ${m[key]}", "v" },
	{ 0, "a=\"$(cat <<E\n$b\nE\n)\"; echo $a", "b" },
	/* commands that set */
	{ 0, "read a b; echo $a $b", "" },
	{ 0, "while read -r line; do echo $line; done < f", "" },
	{ 0, "while IFS= read -r line || [ -n \"$line\" ]; do echo \"$line\"; done", "" },
	{ 1, "read -p \"$prompt\" -t 5 x; echo $x", "prompt" },
	{ 1, "IFS=, read -ra parts <<< \"$csv\"; echo ${parts[0]}", "csv" },
	{ 1, "read -d '' -r x; echo $x", "" },
	{ 1, "read -rp 'name? ' x y; echo $x $y", "" },
	{ 0, "for f in *.txt; do echo $f; done", "" },
	{ 0, "for f; do echo $f; done", "" },
	{ 0, "for f in $list \"$more\"; do echo $f; done", "list more" },
	{ 1, "for ((i=0; i<n; i++)); do echo $i; done", "n#" },
	{ 1, "select x in a b; do echo $x; done", "" },
	{ 0, "export a=1; echo $a", "" },
	{ 0, "export a; echo $a", "a" },
	{ 0, "export \"a=$b\"; echo $a", "b" },
	{ 0, "readonly a=1 b=2; echo $a $b", "" },
	{ 0, "f() { local x=$1 y; y=2; echo $x $y; }; f", "" },
	{ 1, "f() { declare x; typeset y=1; echo $x $y; }", "" },
	{ 0, "while getopts ab: opt; do echo $opt $OPTARG; done", "OPTARG" },
	{ 1, "printf -v x '%s' \"$y\"; echo $x", "y" },
	{ 0, "printf '%s' \"$x\"", "x" },
	{ 1, "mapfile -t lines < f; echo ${lines[@]}", "" },
	{ 1, "readarray -d '' -t xs < <(find . -print0); echo \"${xs[@]}\"", "" },
	{ 1, "let x=1 'y = 2'; echo $x $y", "" },
	{ 1, "exec {fd}>log; echo hi >&$fd", "" },
	{ 0, "command read x; echo $x", "" },
	{ 0, "eval \"$cmd\"; echo $x", "cmd x DYN" },
	{ 0, ". ./env.sh; echo $x", "x DYN" },
	{ 1, "source venv/bin/activate && python x.py", "DYN|x.py" },
	{ 1, "export \"$k=$v\"; echo $x", "k v x DYN" },
	{ 0, "unset x; echo ${y-}", "y?" },
	/* ${ } */
	{ 0, "echo ${a:-b} ${c-d} ${e:+f} ${g+h}", "a? c? e? g?" },
	{ 0, "echo ${a:-$b} ${c:-\"${d}\"}", "a? b c? d" },
	{ 0, ": ${a:=1} \"${b=2}\"; echo $a $b", "" },
	{ 0, "echo ${a:?missing} ${b?}", "a b" },
	{ 0, "echo ${#a} ${a%.gz} ${a##*/} ${b#$c}", "a b c" },
	{ 1, "echo ${a/x/$b} ${a^^} ${a,,} ${a:2:3} ${a@Q}", "a b" },
	{ 1, "echo ${!a} ${!pre*} ${!arr[@]}", "a arr" },
	{ 0, "echo \"${a:-it's}\" \"$b\"", "a? b" },
	{ 0, "echo ${a:-'$x'} $b", "a? b" },
	{ 0, "echo \"${a:-${b:-${c}}}\"", "a? b? c" },
	{ 0, "echo \"${a%\"$b\"}\" $c", "a b c" },
	{ 0, "echo ${extract.raw}", "extract." },
	{ 0, "echo ${a-} ${a:-}", "a?" },
	{ 1, "echo $'it\\'s $a' $b", "b" },
	{ 1, "echo $\"hi $a\"", "a" },
	/* arithmetic */
	{ 0, "echo $((a + 1))", "a#" },
	{ 0, "echo $((a * $b + ${c}))", "a# b c" },
	{ 0, "echo $((0x1F + 010 + 3))", "" },
	{ 1, "echo $((16#ff + 2#101))", "" },
	{ 0, "n=$((n = 5)); echo $n", "" },
	{ 1, "((i++)); ((j += 2)); echo $i $j", "" },
	{ 1, "((i == 2 && j <= 3)) && echo", "i# j#" },
	{ 1, "x=$((++i)); echo $((a[i] ? 1 : 2))", "a#" },
	{ 0, "echo $(( (a + 2) * (3) ))", "a#" },
	{ 0, "echo $((echo a; echo $b) | cat)", "b" },
	{ 0, "echo \"$((a))\" '$((b))'", "a#" },
	{ 1, "if (( a > 1 )); then :; fi", "a#" },
	{ 1, "((x <<= 1)); echo $x", "" },
	/* substitutions */
	{ 0, "echo $(cat $a) `cat $b`", "a b" },
	{ 0, "x=$(echo \"$(dirname \"$a\")\"); echo $x", "a" },
	{ 0, "echo \"$(echo ')' \"$a\" ')')\" $b", "a b" },
	{ 0, "x=$(case $a in b) echo c;; (d) echo e;; esac); echo $x", "a" },
	{ 0, "x=`echo '$a'`; echo $x", "" },
	{ 0, "echo `echo \\`echo 1\\``", "" },
	{ 1, "diff <(sort \"$a\") <(sort $b) > >(tee $c)", "a b c" },
	{ 0, "echo \"$(awk '{print $x}' f)\" $y", "y" },
	{ 0, "awk -v lr=\"$lr\" 'BEGIN { print $lr }'", "lr" },
	{ 0, "sh -c 'echo $inner'; bash -c \"echo $outer \\$inner\"", "outer" },
	/* here-documents */
	{ 0, "cat <<EOF\n$a ${b} \\$c $(cat $d)\nEOF\necho $e", "a b d e" },
	{ 0, "cat <<'EOF'\n$a\nEOF\necho $b", "b" },
	{ 0, "cat <<\"EOF\"\n$a\nEOF\necho $b", "b" },
	{ 0, "cat <<\\EOF\n$a\nEOF\necho $b", "b" },
	{ 0, "cat <<-EOF\n\t$a\n\tEOF\necho $b", "a b" },
	{ 0, "cat <<A <<'B'\n$a\nA\n$b\nB\necho $c", "a c" },
	{ 0, "cat <<EOF | sort\nit's \"$a\nEOF\necho $b", "a b" },
	{ 0, "x=$(cat <<EOF\n$a )\nEOF\n)\necho $x", "a" },
	{ 0, "cat > f.py <<'PY'\nimport os # $a's\nprint(\"${b}\")\nPY\npython f.py $c", "c|f.py>f.py" },
	{ 0, "cat <<EOF\n$a\n", "a" },
	{ 1, "cat <<< \"$a\"; cat <<<$b", "a b" },
	{ 0, "python3 - <<'E' \"$a\"\nx = '$no'\nE\n", "a" },
	/* structure */
	{ 0, "case $a in x|y) echo $b;; \"$c\") echo $d; esac; echo $e", "a b c d e" },
	{ 0, "case \"$a\" in\n  *.gz) x=1 ;;\n  # it's $no\n  *) x=2\nesac\necho $x", "a" },
	{ 0, "case $a in (x) case $b in y) z=1;; esac;; *) z=2;; esac; echo $z", "a b" },
	{ 0, "f() { echo $1; }\nf $a", "a" },
	{ 1, "function f { x=1; }; f; echo $x", "" },
	{ 1, "[[ $a == b* && ( -n $c || $d =~ ^(x|y)$ ) ]] && echo $e", "a c d e" },
	{ 1, "[[ -v x ]] || x=1; echo $x", "" },
	{ 0, "[ \"$a\" -lt \"$b\" ] || exit 1", "a b" },
	{ 0, "a=1 | b=2 & c=3\nwait\necho $a$b$c$d", "d" },
	{ 0, "trap 'rm -f \"$tmp\"' EXIT; tmp=$(mktemp); echo $tmp", "" },
	{ 0, "if ! grep -q x \"$a\"; then exit 1; elif [ $b ]; then :; else :; fi", "a b" },
	{ 0, "until [ $x ]; do read x; done", "" },
	{ 1, "ls !(a|$b).txt @(x|y) $c", "b c" },
	{ 0, "cmd > \"$a\" 2>&1 < $b 2>>$c", "a b c" },
	{ 1, "cmd &> $a; cmd &>> $b; cmd >| $c; cmd >&2", "a b c" },
	{ 0, "echo a\\\n$b", "b" },
	{ 1, "coproc P { cat; }; echo ${P[0]}", "" },
	{ 0, "a=1\r\necho $a\r\n", "" },
	/* files */
	{ 0, "python train.py", "|train.py" },
	{ 0, "python ./train.py 'a b.py' \"c.py\" d\\ e.py", "|./train.py a b.py c.py d e.py" },
	{ 0, "train.py x", "" },
	{ 0, "./train.py x; lib/b.py", "|./train.py lib/b.py" },
	{ 0, "python $x.py \"$y\"/b.py *.py", "x y|*.py" },
	{ 0, "cd /tmp && python a.py", "" },
	{ 0, "cd \"$CW_CODE\" && python a.py", "CW_CODE|a.py" },
	{ 0, "(cd x; python a.py); python b.py", "|b.py" },
	{ 0, "x=$(cd y && pwd); python b.py", "|b.py" },
	{ 0, "echo x > out.py; cat out.py", "|out.py>out.py" },
	{ 0, "curl -o a.py url && python a.py", "|a.py>a.py" },
	{ 0, "cp b.py a.py; touch c.py", "|b.py a.py>a.py c.py" },
	{ 0, "python <in.py", "|in.py" },
	{ 0, "echo \"train.py is text\" 'python x.py y'", "" },
	{ 0, "PYTHONPATH=. exec python train.py", "|train.py" },
	{ 0, "for f in a.py b.py; do python $f; done", "|a.py b.py" },
	{ 0, "python --config=x.py -m y", "" },
};

static bool ends_in_py(void *data, const char *s, size_t n)
{
	(void)data;
	return n > 3 && !memcmp(s + n - 3, ".py", 3);
}

static bool same(const char *s, struct script_use u, const char *name, uint32_t n)
{
	return u.nname == n && !memcmp(s + u.name, name, n);
}

static void scanned(struct strbuf *b, const struct script *sc, const char *s)
{
	static const char marks[] = { '\0', '#', '?', '.' };

	if (sc->lost) {
		sb_z(b, "LOST");
		return;
	}
	for (uint32_t i = 0; i < sc->uses.n; i++) {
		struct script_use u = sc->uses.v[i];
		bool known = false;

		for (uint32_t k = 0; k < sc->sets.n; k++)
			known |= same(s, u, s + sc->sets.v[k].off, sc->sets.v[k].len);
		for (uint32_t k = 0; k < i; k++)
			known |= same(s, sc->uses.v[k], s + u.name, u.nname);
		if (known)
			continue;
		sb_f(b, "%s%.*s", b->n ? " " : "", (int)u.nname, s + u.name);
		if (marks[u.kind])
			sb_ch(b, marks[u.kind]);
		ck_assert_msg(s[u.off] == '$' || u.kind == USE_ARITH, "place of a use");
	}
	if (sc->dynamic)
		sb_z(b, b->n ? " DYN" : "DYN");
	for (uint32_t i = 0; i < sc->words.n; i++)
		sb_f(b, "%s%s", i ? " " : "|", sc->words.v[i].text);
	for (uint32_t i = 0; i < sc->made.n; i++)
		sb_f(b, "%s%s", i ? " " : ">", sc->made.v[i].text);
}

START_TEST(script)
{
	struct arena *a = arena_new();
	struct script sc = { .arena = a, .bash = cases[_i].bash, .keep = ends_in_py };
	struct strbuf b = { 0 };

	script_scan(&sc, cases[_i].script, strlen(cases[_i].script));
	scanned(&b, &sc, cases[_i].script);
	ck_assert_msg(!strcmp(sb_cstr(&b), cases[_i].want), "%s\n  gives  %s\n  wanted %s", cases[_i].script, sb_cstr(&b), cases[_i].want);
	sb_free(&b);
	arena_free(a);
}
END_TEST

/* Assignment statements that do not read what they set. */
static const struct { const char *script, *want; } assigns[] = {
	{ "auc=0.9", "auc=0.9" },
	{ "auc=0.9\necho $auc", "auc=0.9" },
	{ "auc=0.9 python x", "" },
	{ "auc=$(realpath \"$auc\")", "" },
	{ "auc=\"${auc}.tmp\"; other=1", "other=1" },
	{ "if true; then auc=1; fi", "auc=1" },
	{ "echo auc=1", "" },
	{ "auc+=1", "" },
	{ "a=1 b=2", "a=1 b=2" },
	{ "a=1 b=2 cmd; c=3", "c=3" },
};

START_TEST(assign)
{
	struct arena *a = arena_new();
	struct script sc = { .arena = a, .bash = true };
	struct strbuf b = { 0 };

	script_scan(&sc, assigns[_i].script, strlen(assigns[_i].script));
	for (uint32_t k = 0; k < sc.assigns.n; k++)
		sb_f(&b, "%s%.*s", k ? " " : "", (int)sc.assigns.v[k].len, assigns[_i].script + sc.assigns.v[k].off);
	ck_assert_str_eq(sb_cstr(&b), assigns[_i].want);
	sb_free(&b);
	arena_free(a);
}
END_TEST

static char *repeat(const char *s, size_t times, const char *tail)
{
	size_t n = strlen(s);
	char *out = xmalloc(n * times + strlen(tail) + 1);

	for (size_t i = 0; i < times; i++)
		memcpy(out + i * n, s, n);
	strcpy(out + n * times, tail);
	return out;
}

/* Deep and long texts end, without a result or with one. */
START_TEST(pathological)
{
	static const char *const units[] = { "$(", "`", "${a:-", "((", "$((", "\"$(", "(", "{ ", "case a in b) ", "a=(", "<<E ", "[[ ", "${a[", "@(", "$a", "\\", "'", "\"", "<(", "x=1 ", "; " };

	for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
		struct arena *a = arena_new();
		struct script sc = { .arena = a, .bash = true };
		char *s = repeat(units[i], 20000, "\nx");

		script_scan(&sc, s, strlen(s));
		ck_assert_uint_le(sc.uses.n, 20001);
		free(s);
		arena_free(a);
	}
}
END_TEST

/* Every prefix of every script is read without leaving it. */
START_TEST(prefixes)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		for (size_t n = 0; n <= strlen(cases[i].script); n++) {
			struct arena *a = arena_new();
			struct script sc = { .arena = a, .bash = cases[i].bash, .keep = ends_in_py };
			char *s = xmalloc(n + 1);

			memcpy(s, cases[i].script, n);
			s[n] = '\0';
			script_scan(&sc, s, n);
			for (uint32_t k = 0; k < sc.uses.n; k++)
				ck_assert_uint_le(sc.uses.v[k].name + sc.uses.v[k].nname, n);
			free(s);
			arena_free(a);
		}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("script");
	TCase *t = tcase_create("scan");
	SRunner *r;
	int bad;

	tcase_add_loop_test(t, script, 0, sizeof cases / sizeof *cases);
	tcase_add_loop_test(t, assign, 0, sizeof assigns / sizeof *assigns);
	tcase_add_test(t, pathological);
	tcase_add_test(t, prefixes);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	bad = srunner_ntests_failed(r);
	srunner_free(r);
	return bad != 0;
}
