/* A draft without an endpoint: plan, lake, assembly, and less and less of it until the compiler is content. */
#include "couler/nl.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "couler/front.h"
#include "couler/pass.h"
#include "draft.h"

struct nl_verdict nl_judge(const char *text, size_t n, const char *path, struct diag *out)
{
	struct arena *a = arena_new();
	struct strtab *strs = strtab_new(a);
	struct diag *d = out ? out : diag_new(a);
	struct front_opts fo = { 0 };
	struct nl_verdict v = { 0 };
	struct diag *quiet = diag_new(a);
	char *copy = arena_dup(a, text, n);
	int status;

	parse(a, strs, quiet, diag_source(quiet, "draft.cw", copy, n));
	v.parses = !quiet->errors;
	v.checks = front_text(a, strs, d, path ? path : "draft.cw", copy, n, &fo, &status) != NULL;
	v.errors = d->errors;
	v.compiles = v.checks;
	for (const struct backend *const *b = backends; v.checks && *b; b++) {
		struct arena *a2 = arena_new();
		struct diag *d2 = diag_new(a2);
		struct optset *opts = optset_new(a2);
		struct target target = { *b, opts };
		struct pass_run how = { .level = 1 };
		struct strbuf emitted = { 0 };
		struct ir *m = front_text(a2, strtab_new(a2), d2, path ? path : "draft.cw", arena_dup(a2, text, n), n, &fo, &status);
		bool ok = m && m->entry && !passes_run(m, &target, opts, &how, d2) && !backend_check(*b, m, opts, d2) &&
			(!(*b)->validate || !(*b)->validate(m, opts, d2)) && !(*b)->emit(m, opts, &emitted, d2);

		if (!ok && v.compiles) {
			v.compiles = false;
			v.refusing = (*b)->name;
		}
		sb_free(&emitted);
		arena_free(a2);
	}
	if (!out)
		v.errors = d->errors;
	arena_free(a);
	return v;
}

/* Canonical text, or -1 if it does not parse. */
static int formatted(const char *text, size_t n, struct strbuf *out)
{
	struct arena *a = arena_new();
	struct diag *d = diag_new(a);
	struct ast_file *f = parse(a, strtab_new(a), d, diag_source(d, "draft.cw", arena_dup(a, text, n), n));
	int rc = d->errors ? -1 : 0;

	if (!rc)
		format_ast(f, d, out);
	arena_free(a);
	return rc;
}

static bool checks(const char *text, size_t n, const char *path)
{
	struct arena *a = arena_new();
	struct diag *d = diag_new(a);
	struct front_opts fo = { 0 };
	int status;
	bool ok = front_text(a, strtab_new(a), d, path ? path : "draft.cw", arena_dup(a, text, n), n, &fo, &status) != NULL;

	arena_free(a);
	return ok;
}

/* The draft without comments and without what it quotes of the description. */
static void code_of(const struct strbuf *text, struct strbuf *out)
{
	for (const char *s = text->s, *end = text->s + text->n, *e; s < end; s = e) {
		const char *c = s;

		e = memchr(s, '\n', (size_t)(end - s));
		e = e ? e + 1 : end;
		while (c < e && (*c == ' ' || *c == '\t'))
			c++;
		if (*c == '#' || !strncmp(c, "doc ", 4) || !strncmp(c, "message ", 8) || !strncmp(c, "in message", 10))
			continue;
		sb_add(out, s, (size_t)(e - s));
	}
}

/* Numbers that no rule took, with the words around them, and facts that did not fit in: as comments under the first line. */
static void say_missing(struct plan *p, const char *description, size_t n, struct strbuf *text)
{
	struct strbuf code = { 0 }, lines = { 0 }, b = { 0 };
	struct ntext *t = p->text;
	struct rx_match m;
	const char *first = memchr(text->s ? text->s : "", '\n', text->n);
	unsigned k = 0;

	code_of(text, &code);
	nl_missing(description, n, code.s ? code.s : "", code.n, &lines);
	for (size_t at = 0; k < 8 && rx_find(t, "(?<![\\w.])(?:[a-z][a-z-]* )?(\\d+(?:\\.\\d+)?)(?: ?%| [a-z][a-z-]*)?", t->w, t->n, at, &m); at = m.g[0].off + m.g[0].len) {
		const char *num = ntext_fold(t, &m, 1);

		if (code.n && memmem(code.s, code.n, num, strlen(num)))
			continue;
		sb_f(&b, "%s\"%s\"", k++ ? ", " : "", ntext_orig(t, m.g[0].off, m.g[0].len));
	}
	if (k)
		sb_f(&lines, "%s\n", sb_cstr(&b));
	if (lines.n && first) {
		struct strbuf all = { 0 };

		sb_add(&all, text->s, (size_t)(first - text->s) + 1);
		for (const char *s = lines.s, *e; *s; s = e + (*e == '\n')) {
			e = s + strcspn(s, "\n");
			sb_z(&all, "# Of the description, no line below holds this: ");
			sb_safe(&all, s, (size_t)(e - s));
			sb_ch(&all, '\n');
		}
		sb_add(&all, first + 1, text->n - (size_t)(first - text->s) - 1);
		text->n = 0;
		sb_add(text, all.s, all.n);
		sb_free(&all);
	}
	sb_free(&code);
	sb_free(&lines);
	sb_free(&b);
}

/* A last resort that always checks: the words as one step. */
static void single_step(struct plan *p, struct strbuf *out)
{
	struct arena *a = p->text->arena;

	sb_f(out, "# Drafted by rules, without a language model: the description could not be taken apart into steps.\n"
		"workflow %s {\n doc = %s\n defaults { image = \"python:3.12-slim\" }\n step work {\n run = \"\"\"\npython work.py\n\"\"\"\n }\n}\n",
		p->name, nl_quote(a, ntext_orig(p->text, 0, p->text->n > 400 ? 400 : p->text->n)));
}

static char *refusal(const char *s)
{
	return xstrdup(s);
}

int nl_offline(const char *description, size_t n, const struct nl_options *o, struct nl_draft *x, struct diag *d)
{
	struct arena *a = arena_new();
	struct lake *lake = lake_new(a, strtab_new(a));
	struct plan *p;
	size_t letters = 0;
	int rc = 0;

	memset(x, 0, sizeof *x);
	for (size_t i = 0; i < n; i++)
		letters += isalpha((unsigned char)description[i]) || (unsigned char)description[i] >= 0x80;
	if (letters < 3 || utf8_valid(description, n) < n || memchr(description, 0, n)) {
		x->refused = refusal(letters < 3 ? "the description holds no words" : "the description is not valid UTF-8 text");
		arena_free(a);
		return 0;
	}
	if (o && o->lake && lake_folder(lake, o->lake, d))
		rc = -1;
	p = rc ? NULL : plan_make(a, description, n);
	if (p) {
		draft_tidy(p);
		draft_metrics(p);
		plan_write(p, &x->plan);
		for (int level = DEGRADE_NONE;; level++) {
			struct strbuf raw = { 0 };

			x->text.n = x->snippets.n = 0;
			x->degraded = level;
			if (level == DEGRADE_COUNT || !p->modules.n)
				single_step(p, &raw);
			else
				draft_make(p, lake, level, &raw, &x->snippets);
			if (level == DEGRADE_COUNT || (!formatted(raw.s, raw.n, &x->text) && checks(x->text.s, x->text.n, o ? o->path : NULL))) {
				if (!x->text.n)
					(void)formatted(raw.s, raw.n, &x->text);
				sb_free(&raw);
				break;
			}
			sb_free(&raw);
		}
		say_missing(p, description, n, &x->text);
		plan_free(p);
	}
	arena_free(a);
	return rc;
}

void nl_draft_free(struct nl_draft *x)
{
	sb_free(&x->text);
	sb_free(&x->plan);
	sb_free(&x->snippets);
	free((char *)x->refused);
	x->refused = NULL;
}
