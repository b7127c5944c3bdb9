/* couler nl: a description in words to a workflow that checks. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "cli.h"
#include "nl_eval.h"
#include "couler/front.h"
#include "couler/graph.h"
#include "couler/nl.h"

enum { MAX_DESCRIPTION = 32 << 10 };

struct nl_cmd {
	const char *out, *lake, *refine, *from, *eval, *drafts, *intents, *grammar;
	struct nl_endpoint end;
	int samples;
	double score;                     /* wanted of a second reading; 0: none */
	bool offline, explain, yes, dry, json, from_project;                    /* from_project: the address is couler.yaml's */
};

static int set(const char *name, const char *value, void *data)
{
	struct nl_cmd *c = data;
	static const char *const dialects[] = { "chat", "responses", "messages" };
	static const char *const constraints[NL_BY_COUNT] = {
#define X(k, word) word,
		NL_CONSTRAINTS(X)
#undef X
	};

	if (!strcmp(name, "output"))
		c->out = value;
	else if (!strcmp(name, "lake"))
		c->lake = value;
	else if (!strcmp(name, "refine"))
		c->refine = value;
	else if (!strcmp(name, "from"))
		c->from = value;
	else if (!strcmp(name, "eval"))
		c->eval = value;
	else if (!strcmp(name, "drafts"))
		c->drafts = value;
	else if (!strcmp(name, "intents"))
		c->intents = value;
	else if (!strcmp(name, "grammar"))
		c->grammar = value;
	else if (!strcmp(name, "llm-url"))
		c->end.url = value;
	else if (!strcmp(name, "llm-model"))
		c->end.model = value;
	else if (!strcmp(name, "insecure-http"))
		c->end.insecure_http = true;
	else if (!strcmp(name, "stream"))
		c->end.stream = true;
	else if (!strcmp(name, "offline"))
		c->offline = true;
	else if (!strcmp(name, "explain"))
		c->explain = true;
	else if (!strcmp(name, "dry-run"))
		c->dry = true;
	else if (!strcmp(name, "json"))
		c->json = true;
	else if (!strcmp(name, "yes"))
		c->yes = true;
	else if (!strcmp(name, "timeout") && !((c->end.timeout = strtod(value, NULL)) > 0))
		return cli_fail(2, "--timeout takes seconds above 0, not '%s'", value);
	else if (!strcmp(name, "score") && !((c->score = strtod(value, NULL)) > 0 && c->score <= 1))
		return cli_fail(2, "--score takes a number above 0, up to 1, not '%s'", value);
	else if (!strcmp(name, "samples") && ((c->samples = atoi(value)) < 1 || c->samples > 100))
		return cli_fail(2, "--samples takes 1 to 100, not '%s'", value);
	else if (!strcmp(name, "dialect")) {
		for (int i = 0; i < 3; i++)
			if (!strcmp(value, dialects[i])) {
				c->end.dialect = (enum nl_dialect)i;
				return 0;
			}
		return cli_fail(2, "--dialect takes chat, responses or messages, not '%s'", value);
	} else if (!strcmp(name, "constrain")) {
		for (int i = 0; i < NL_BY_COUNT; i++)
			if (!strcmp(value, constraints[i])) {
				c->end.constrain = (enum nl_constraint)i;
				return 0;
			}
		return cli_fail(2, "--constrain takes auto, off, or the member of a request that holds the grammar: grammar (llama.cpp), structured_outputs or guided_grammar (vLLM), tool (OpenAI); not '%s'", value);
	}
	return 0;
}

/* ---- showing ---- */

static void show(FILE *f, const char *title, const struct strbuf *lines)
{
	struct strbuf b = { 0 };

	if (!lines->n)
		return;
	fprintf(f, "%s\n", title);
	for (const char *s = lines->s, *end = s + lines->n; s < end;) {
		const char *e = memchr(s, '\n', (size_t)(end - s));

		if (!e)
			e = end;
		b.n = 0;
		sb_safe(&b, s, (size_t)(e - s));
		fprintf(f, "  %s\n", sb_cstr(&b));
		s = e + 1;
	}
	sb_free(&b);
}

struct lines { const char **v; size_t *len, n; };

static struct lines split(const char *s, size_t n)
{
	struct lines l = { 0 };
	size_t cap = 0;

	for (const char *end = s + n; s < end;) {
		const char *e = memchr(s, '\n', (size_t)(end - s));

		if (!e)
			e = end;
		if (l.n == cap) {
			cap = cap ? 2 * cap : 64;
			l.v = xrealloc(l.v, cap * sizeof *l.v);
			l.len = xrealloc(l.len, cap * sizeof *l.len);
		}
		l.v[l.n] = s;
		l.len[l.n++] = (size_t)(e - s);
		s = e + 1;
	}
	return l;
}

static void diff_line(char sign, const char *s, size_t n)
{
	struct strbuf b = { 0 };

	sb_safe(&b, s, n);
	fprintf(stderr, "%c %s\n", sign, sb_cstr(&b));
	sb_free(&b);
}

/* Lines that go and lines that come, by the longest common subsequence between the common head and tail. */
static void show_diff(const char *a, size_t na, const char *b, size_t nb)
{
	struct lines x = split(a, na), y = split(b, nb);
	size_t head = 0, tail = 0, n, m, i, j;
	unsigned *t;

#define SAME(i, j) (x.len[i] == y.len[j] && !memcmp(x.v[i], y.v[j], x.len[i]))
	while (head < x.n && head < y.n && SAME(head, head))
		head++;
	while (tail < x.n - head && tail < y.n - head && SAME(x.n - 1 - tail, y.n - 1 - tail))
		tail++;
	n = x.n - head - tail;
	m = y.n - head - tail;
	if (n * m <= 4000000) {
		t = xcalloc((n + 1) * (m + 1), sizeof *t);
		for (i = n; i-- > 0;)
			for (j = m; j-- > 0;)
				t[i * (m + 1) + j] = SAME(head + i, head + j) ? t[(i + 1) * (m + 1) + j + 1] + 1 :
					t[(i + 1) * (m + 1) + j] > t[i * (m + 1) + j + 1] ? t[(i + 1) * (m + 1) + j] : t[i * (m + 1) + j + 1];
		for (i = j = 0; i < n || j < m;) {
			if (i < n && j < m && SAME(head + i, head + j)) {
				i++;
				j++;
			} else if (j == m || (i < n && t[(i + 1) * (m + 1) + j] >= t[i * (m + 1) + j + 1])) {
				diff_line('-', x.v[head + i], x.len[head + i]);
				i++;
			} else {
				diff_line('+', y.v[head + j], y.len[head + j]);
				j++;
			}
		}
		free(t);
	} else {
		fprintf(stderr, "(%zu lines go, %zu lines come)\n", n, m);
	}
#undef SAME
	free(x.v);
	free(x.len);
	free(y.v);
	free(y.len);
}

static void show_graph(const char *text, size_t n, const char *path)
{
	struct arena *a = arena_new();
	struct diag *d = diag_new(a);
	struct front_opts fo = { 0 };
	struct strbuf b = { 0 };
	int status;
	struct ir *m = front_text(a, strtab_new(a), d, path ? path : "draft.cw", arena_dup(a, text, n), n, &fo, &status);

	if (m && m->entry) {
		graph_render(m, GRAPH_text, &b);
		fwrite(b.s, 1, b.n, stderr);
	}
	sb_free(&b);
	arena_free(a);
}

static char ask(const char *question, struct strbuf *answer)
{
	int c;

	fputs(question, stderr);
	answer->n = 0;
	while ((c = getchar()) != EOF && c != '\n')
		sb_ch(answer, (char)c);
	if (c == EOF && !answer->n)
		return 'q';
	return answer->n ? answer->s[0] : 0;
}

/* ---- one description ---- */

struct answer { struct strbuf text, review, missing, plan, snippets; struct nl_result loop; bool offline; int degraded; };

static void answer_free(struct answer *x)
{
	sb_free(&x->text);
	sb_free(&x->review);
	sb_free(&x->missing);
	sb_free(&x->plan);
	sb_free(&x->snippets);
	nl_result_free(&x->loop);
}

static int offline(const struct nl_cmd *c, const char *text, size_t n, struct answer *x, struct diag *d)
{
	struct nl_options o = { c->lake, c->out, 0 };
	struct nl_draft draft;
	int rc = nl_offline(text, n, &o, &draft, d) ? 3 : 0;

	if (!rc && draft.refused)
		rc = cli_fail(2, "%s; say in a sentence or two what the pipeline does", draft.refused);
	x->offline = true;
	x->degraded = draft.degraded;
	sb_add(&x->text, draft.text.s ? draft.text.s : "", draft.text.n);
	sb_add(&x->plan, draft.plan.s ? draft.plan.s : "", draft.plan.n);
	sb_add(&x->snippets, draft.snippets.s ? draft.snippets.s : "", draft.snippets.n);
	if (!rc)
		nl_review(x->text.s, x->text.n, &x->review);
	nl_draft_free(&draft);
	return rc;
}

static int online(const struct nl_cmd *c, const char *text, size_t n, const char *old, struct answer *x)
{
	struct nl_options o = { c->lake, c->out ? c->out : c->refine, c->score };

	if (nl_loop(&c->end, text, n, old, &o, &x->loop))
		return cli_fail(5, "%s; --offline drafts without a model", x->loop.why ? x->loop.why : "no draft");
	if (x->loop.why)
		cli_fail(5, "%s; the best draft so far is shown", x->loop.why);
	x->text.n = x->review.n = x->missing.n = 0;
	sb_add(&x->text, x->loop.text.s, x->loop.text.n);
	sb_add(&x->review, x->loop.review.s ? x->loop.review.s : "", x->loop.review.n);
	sb_add(&x->missing, x->loop.missing.s ? x->loop.missing.s : "", x->loop.missing.n);
	return 0;
}

static void explain(const struct answer *x)
{
	show(stderr, "plan:", &x->plan);
	show(stderr, "snippets of the lake:", &x->snippets);
	for (unsigned i = 0; i < x->loop.nrounds; i++) {
		const struct nl_round *q = &x->loop.rounds[i];

		fprintf(stderr, "round %u: %s, %u errors, %u facts missing, %llu + %llu tokens\n", i + 1, !q->extracted ? "no draft in the reply" : q->checks ? "checks" : "does not check", q->errors, q->missing,
			(unsigned long long)q->prompt, (unsigned long long)q->reply);
		if (!isnan(q->score))
			fprintf(stderr, "  a second reading gave it %.2g of 1\n", q->score);
	}
	if (x->loop.usage.calls)
		fprintf(stderr, "%u calls, %" PRIu64 " tokens%s\n", x->loop.usage.calls, x->loop.usage.prompt + x->loop.usage.reply, x->loop.usage.estimated ? " (estimated as bytes / 4)" : "");
	if (x->loop.usage.refused & NL_REFUSED_GRAMMAR)
		fprintf(stderr, "the endpoint takes no grammar: it was asked without (--constrain)\n");
	if (x->offline && x->degraded)
		fprintf(stderr, "parts of the description were left out for the draft to check (level %d)\n", x->degraded);
}

static json_t *lines_json(const struct strbuf *b)
{
	json_t *list = json_array();
	struct lines l = split(b->s ? b->s : "", b->n);

	for (size_t i = 0; i < l.n; i++)
		json_array_append_new(list, json_stringn(l.v[i], l.len[i]));
	free(l.v);
	free(l.len);
	return list;
}

static int print_json(const struct answer *x)
{
	struct nl_verdict v = nl_judge(x->text.s, x->text.n, NULL, NULL);
	json_t *o = json_pack("{s:o, s:b, s:b, s:b, s:i, s:I, s:I, s:b, s:o, s:o, s:o}", "draft", json_stringn(x->text.s, x->text.n), "offline", x->offline, "checks", v.checks, "compiles_everywhere", v.compiles,
		"calls", (int)x->loop.usage.calls, "prompt_tokens", (json_int_t)x->loop.usage.prompt, "reply_tokens", (json_int_t)x->loop.usage.reply, "tokens_estimated", x->loop.usage.estimated,
		"review", lines_json(&x->review), "missing", lines_json(&x->missing), "plan", lines_json(&x->plan));
	char *s;

	if (x->loop.nrounds && !isnan(x->loop.score))
		json_object_set_new(o, "score", json_real(x->loop.score));
	s = json_dumps(o, JSON_INDENT(1));
	puts(s);
	free(s);
	json_decref(o);
	return 0;
}

/* The file as it is now; NULL: there is none, or it is the same. */
static char *existing(struct arena *a, const char *path, const struct strbuf *text, size_t *n)
{
	struct stat st;
	char *old;

	if (!path || !strcmp(path, "-") || stat(path, &st) || !S_ISREG(st.st_mode))
		return NULL;
	old = read_file(a, path, n);
	return old && *n == text->n && !memcmp(old, text->s, *n) ? NULL : old;
}

static int deliver(struct nl_cmd *c, struct answer *x, struct arena *a)
{
	const char *path = c->out ? c->out : c->refine;
	bool terminal = isatty(STDIN_FILENO) && isatty(STDERR_FILENO) && !c->yes;
	struct strbuf line = { 0 };
	size_t n = 0;
	int rc = 0;

	for (;;) {
		char *old = existing(a, path, &x->text, &n);
		char k;

		if (old) {
			fprintf(stderr, "%s would change:\n", path);
			show_diff(old, n, x->text.s, x->text.n);
		}
		if (!terminal && old && !c->yes) {
			rc = cli_fail(3, "%s exists and differs; nothing was written: give --yes to replace it", path);
			break;
		}
		if (!terminal || !path) {
			rc = cli_write(path, x->text.s, x->text.n);
			break;
		}
		show_graph(x->text.s, x->text.n, path);
		k = ask(c->offline ? "[a]ccept or [q]uit? " : "[a]ccept, [c]hange or [q]uit? ", &line);
		if (k == 'a') {
			rc = cli_write(path, x->text.s, x->text.n);
			break;
		}
		if (k == 'q') {
			fprintf(stderr, "nothing was written\n");
			break;
		}
		if (k == 'c' && !c->offline) {
			char *before = arena_dup(a, x->text.s, x->text.n);

			ask("what should change? ", &line);
			nl_result_free(&x->loop);
			memset(&x->loop, 0, sizeof x->loop);
			if (line.n && !online(c, line.s, line.n, before, x)) {
				show(stderr, "look at these before you trust it:", &x->review);
			}
		}
	}
	sb_free(&line);
	return rc;
}

static int one(struct nl_cmd *c, const char *text, size_t n, struct arena *a, struct diag *d)
{
	struct answer x = { 0 };
	char *old = NULL;
	size_t len;
	int rc;

	if (c->refine && !(old = read_file(a, c->refine, &len)))
		return cli_fail(3, "%s: %s", c->refine, strerror(errno));
	if (c->dry) {
		struct nl_options o = { c->lake, c->out, 0 };
		struct nl_message m[2];
		struct strbuf b = { 0 };

		nl_prompt(a, text, n, old, &o, m);
		nl_request_body(&c->end, m, 2, 2048, &b);
		puts(sb_cstr(&b));
		sb_free(&b);
		return 0;
	}
	if (c->offline && old)
		return cli_fail(2, "--refine needs a language model: set COULER_LLM_URL and COULER_LLM_MODEL");
	rc = c->offline ? offline(c, text, n, &x, d) : online(c, text, n, old, &x);
	if (!rc && c->explain)
		explain(&x);
	if (!rc) {
		if (!c->json) {
			show(stderr, "look at these before you trust it:", &x.review);
			show(stderr, "of the description, the draft does not hold:", &x.missing);
		}
		rc = c->json ? print_json(&x) : deliver(c, &x, a);
		if (!rc && !c->offline && !x.loop.verdict.checks)
			rc = cli_fail(1, "the best draft does not check: couler check %s", c->out ? c->out : "FILE");
	}
	answer_free(&x);
	return rc;
}

static int print_grammar(const struct nl_cmd *c)
{
	bool lark = !strcmp(c->grammar, "lark");
	struct strbuf b = { 0 };
	const char *why = NULL;
	int rc;

	if (!lark && strcmp(c->grammar, "gbnf") != 0)
		return cli_fail(2, "--grammar takes gbnf or lark, not '%s'", c->grammar);
	rc = nl_grammar_write(lark ? NL_LARK : NL_GBNF, false, &b, &why) ? cli_fail(1, "grammar/couler.ebnf: %s", why) : cli_write(c->out, b.s, b.n);
	sb_free(&b);
	return rc;
}

/* couler.yaml says where the flags and the environment do not. */
static int set_default(const char *name, const char *value, void *data)
{
	struct nl_cmd *c = data;

	if (!strcmp(name, "llm-url") && !c->end.url && !getenv("COULER_LLM_URL") && !getenv("OPENAI_BASE_URL") && !getenv("OPENAI_API_KEY")) {
		c->from_project = true;
		return set(name, value, data);
	}
	if ((!strcmp(name, "llm-model") && !c->end.model && !getenv("COULER_LLM_MODEL") && !getenv("OPENAI_MODEL")) || (!strcmp(name, "lake") && !c->lake) || (!strcmp(name, "timeout") && !(c->end.timeout > 0)) ||
	    (!strcmp(name, "dialect") && c->end.dialect == NL_CHAT) || (!strcmp(name, "constrain") && c->end.constrain == NL_BY_AUTO))
		return set(name, value, data);
	return 0;
}

static int run(struct nl_cmd *c, int n, char **argv, struct arena *a, struct diag *d)
{
	struct strbuf text = { 0 };
	char *why = NULL;
	int rc;

	if (c->grammar)
		return n ? cli_usage(command_find("nl"), "--grammar takes no description") : print_grammar(c);
	if (c->eval ? n : n < 1 && !c->from)
		return cli_usage(command_find("nl"), c->eval ? "--eval takes its descriptions from the file" : "no description given");
	if (!c->offline) {
		rc = cli_project_of(command_find("nl"), ".", set_default, c);
		if (rc)
			return rc;
		if (nl_configure(&c->end, a, &why)) {
			rc = cli_fail(2, "%s", why);
			free(why);
			return rc;
		}
		if (c->from_project)
			c->end.key = NULL;        /* a folder that somebody else made shall not name the place that a key is sent to */
		if (!c->end.url && !c->dry) {
			fprintf(stderr, "couler: no language model is configured (COULER_LLM_URL, OPENAI_BASE_URL): drafting by rules, as with --offline\n");
			c->offline = true;
		}
	}
	if (c->eval) {
		struct nl_eval e = { c->eval, c->intents, c->drafts, c->lake, c->samples, c->offline, c->explain, &c->end };

		return nl_evaluate(&e, a, d);
	}
	if (c->from || !strcmp(argv[0], "-")) {
		size_t len;
		char *s = read_file(a, c->from ? c->from : "-", &len);

		if (!s)
			return cli_fail(3, "%s: %s", c->from ? c->from : "standard input", strerror(errno));
		sb_add(&text, s, len);
	}
	for (int i = 0; i < n && strcmp(argv[i], "-") != 0; i++)
		sb_f(&text, "%s%s", text.n ? " " : "", argv[i]);
	if (text.n > MAX_DESCRIPTION)
		rc = cli_fail(2, "the description has %zu bytes; at most %d are read: say what the pipeline does, not all it is about", text.n, MAX_DESCRIPTION);
	else if (memchr(sb_cstr(&text), 0, text.n) || utf8_valid(text.s ? text.s : "", text.n) < text.n)
		rc = cli_fail(2, "the description is not valid UTF-8 text");
	else
		rc = one(c, sb_cstr(&text), text.n, a, d);
	sb_free(&text);
	return rc;
}

static int nl(int argc, char **argv)
{
	struct nl_cmd c = { .samples = 1, .end.constrain = NL_BY_AUTO };
	struct arena *a = arena_new();
	struct diag *d = diag_new(a);
	int n, rc = cli_parse(command_find("nl"), argc, argv, &n, set, &c);

	if (!rc)
		rc = run(&c, n, argv, a, d);
	cli_diag(d, DIAG_TEXT, -1);
	arena_free(a);
	return rc;
}

static const struct cli_opt opts[] = {
	{ 'o', "output", "FILE", "where to write (default: standard output)", "file" },
	{ 0, "offline", NULL, "without a language model: by rules and snippets alone", NULL },
	{ 0, "refine", "FILE", "change this workflow as the description says", "file" },
	{ 0, "from", "FILE", "read the description from a file", "file" },
	{ 0, "dry-run", NULL, "print the request and send nothing", NULL },
	{ 0, "explain", NULL, "show the plan, snippets, rounds and tokens; with --eval what does not hold, and why", NULL },
	{ 0, "json", NULL, "print draft, figures and review as JSON", NULL },
	{ 0, "yes", NULL, "replace a file without asking", NULL },
	{ 0, "lake", "FOLDER", "snippets of your own beside those that are shipped", "dir" },
	{ 0, "llm-url", "URL", "the endpoint, up to and with /v1", NULL },
	{ 0, "llm-model", "NAME", "the model to ask", NULL },
	{ 0, "dialect", "chat|responses|messages", "what the endpoint speaks (default: chat)", "chat|responses|messages" },
	{ 0, "constrain", "auto|off|grammar|structured_outputs|guided_grammar|tool", "how the endpoint is given the grammar of .cw (default: auto)", "auto|off|grammar|structured_outputs|guided_grammar|tool" },
	{ 0, "score", "0.8", "ask the model what it thinks of a draft that checks, and for a better one below this", NULL },
	{ 0, "stream", NULL, "ask for the reply as a stream", NULL },
	{ 0, "timeout", "SECONDS", "for one reply (default: 300)", NULL },
	{ 0, "insecure-http", NULL, "allow http:// to other machines", NULL },
	{ 0, "grammar", "gbnf|lark", "print the grammar of .cw for constrained decoding", "gbnf|lark" },
	{ 0, "eval", "FILE.jsonl", "run a set of descriptions and print how far they come", "file" },
	{ 0, "samples", "N", "with --eval: drafts for each description (default: 1)", NULL },
	{ 0, "intents", "FILE.json", "with --eval: what the drafts are to hold (default: FILE_intents.json beside it)", "file" },
	{ 0, "drafts", "FOLDER", "with --eval: keep the drafts there", "dir" },
	{ 0, NULL, NULL, NULL, NULL }
};

extern const struct command command_nl;
const struct command command_nl = {
	.name = "nl", .args = "DESCRIPTION", .help = "draft a workflow from a description in plain words", .opts = opts, .run = nl,
	.text = "Asks a language model for a draft, holds it against the compiler, has it mended, and shows what\nto look at before you trust it. Without an endpoint, or with --offline, rules and snippets do it.\nDESCRIPTION may be - for standard input. Nothing is run or submitted.\n\n"
		"endpoint: --llm-url, COULER_LLM_URL or OPENAI_BASE_URL; the model and the key likewise\n(COULER_LLM_MODEL, COULER_LLM_API_KEY, COULER_LLM_KEY_FILE; OPENAI_MODEL, OPENAI_API_KEY).\n\n"
		"exit codes: 0 done, 1 the best draft does not check, 2 wrong usage, 3 file trouble, 5 the endpoint.\n",
	.examples = "couler nl --offline \"load sales.csv, train a model, deploy it if auc > 0.8\" -o sales.cw\ncouler nl --refine sales.cw \"use two GPUs\"\ncouler nl --dry-run \"run dbt every night at 2\"\n",
};
