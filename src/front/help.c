/* What the language has, in words: made of the tables of statements, attributes, functions and types. */
#include "couler/help.h"

#include <string.h>

#include "attr.h"

static const struct help_item statements[] = {
#define STATEMENT(word, text, place, example) { word, CONSTRUCT_STATEMENT, text, example, EX_##place },
#include "help_table.h"
#undef STATEMENT
}, called[] = {
#define CALLED(word, text, place, example) { word, CONSTRUCT_FUNCTION, text, example, EX_##place },
#include "help_table.h"
#undef CALLED
}, topics[] = {
#define TOPIC(word, text, place, example) { word, CONSTRUCT_TOPIC, text, example, EX_##place },
#include "help_table.h"
#undef TOPIC
};

static const struct { const char *word, *example; } fn_examples[] = {
#define FN(word, example) { word, example },
#include "help_table.h"
#undef FN
};

static const struct help_item types[] = {
	{ "string", CONSTRUCT_TYPE, "Text, UTF-8.", "\"eu-${extract.rows}\"", EX_VALUE },
	{ "int", CONSTRUCT_TYPE, "A whole number within 2^53 - 1 on either side.", "extract.rows + 1", EX_VALUE },
	{ "float", CONSTRUCT_TYPE, "A number, IEEE 754 double. An int widens to it.", "extract.rows * 0.5", EX_VALUE },
	{ "bool", CONSTRUCT_TYPE, "true or false.", "extract.rows > 3", EX_VALUE },
	{ "json", CONSTRUCT_TYPE, "Any JSON value; members are read with .name and [i].", "{ a = 1, \"b/c\" = [1, 2] }", EX_VALUE },
	{ "time", CONSTRUCT_TYPE, "A point in time, written in RFC 3339; the script sees it in UTC.", "workflow.start_time - 1d", EX_VALUE },
	{ "duration", CONSTRUCT_TYPE, "A length of time: 30s, 1h30m. The script sees seconds.", "1h30m", EX_VALUE },
	{ "size", CONSTRUCT_TYPE, "A number of bytes: 16Gi, 12KB. The script sees bytes.", "1.5Gi", EX_VALUE },
	{ "file", CONSTRUCT_TYPE, "A file; the script sees its path.", "extract.raw", EX_VALUE },
	{ "dir", CONSTRUCT_TYPE, "A folder; the script sees its path.", "in tree: dir = \"s3://acme/tree\"; run = \"\"\"ls \"$tree\" \"\"\"", EX_STEP },
	{ "list", CONSTRUCT_TYPE, "list<T> of scalars, json, files or dirs. The script sees JSON text, of files a folder with 000000, 000001, ...", "[0.1, 0.2]", EX_VALUE },
};

#define COUNT(a) ((uint32_t)(sizeof (a) / sizeof *(a)))

static const struct { unsigned owner; enum example_place place; } places[] = {
	{ OWN_STEP, EX_STEP }, { OWN_WORKFLOW, EX_WORKFLOW }, { OWN_SWEEP, EX_IN_SWEEP }, { OWN_FOR, EX_IN_FOR }, { OWN_LOOP, EX_IN_LOOP }, { OWN_WAIT, EX_IN_WAIT },
	{ OWN_APPROVE, EX_IN_APPROVE }, { OWN_SERVICE, EX_IN_SERVICE }, { OWN_VOLUME, EX_IN_VOLUME }, { OWN_STORE, EX_IN_STORE }, { OWN_JOB_PYTORCH, EX_IN_JOB },
	{ OWN_JOB_TENSORFLOW, EX_IN_TENSORFLOW }, { OWN_JOB_MPI, EX_IN_MPI }, { OWN_JOB_KUBERNETES, EX_IN_KUBERNETES }, { OWN_DATAFLOW, EX_IN_DATAFLOW },
	{ OWN_WORKERS, EX_IN_WORKERS }, { OWN_OP, EX_IN_OP }, { OWN_TRAINER, EX_IN_OP },
};

static enum example_place place_of(const struct attr_row *r)
{
	if (r == &attr_rows[ATTR_run] || r == &attr_rows[ATTR_command] || r == &attr_rows[ATTR_args] || r == &attr_rows[ATTR_dataflow])
		return EX_BODY;
	for (uint32_t i = 0; i < COUNT(places); i++)
		if (places[i].owner & r->owners)
			return places[i].place;
	return EX_STEP;
}

static const char *fn_example(const char *name)
{
	for (uint32_t i = 0; i < COUNT(fn_examples); i++)
		if (!strcmp(fn_examples[i].word, name))
			return fn_examples[i].example;
	return NULL;
}

bool help_next(uint32_t *i, struct help_item *out)
{
	static const struct { const struct help_item *v; uint32_t n; } lists[] = {
		{ statements, COUNT(statements) }, { called, COUNT(called) }, { types, COUNT(types) }, { topics, COUNT(topics) },
	};
	uint32_t k = (*i)++;

	for (uint32_t l = 0; l < COUNT(lists); k -= lists[l++].n)
		if (k < lists[l].n) {
			*out = lists[l].v[k];
			return true;
		}
	if (k < FN_COUNT) {
		*out = (struct help_item){ expr_fns[k].name, CONSTRUCT_FUNCTION, expr_fns[k].result, fn_example(expr_fns[k].name), EX_VALUE };
		return true;
	}
	k -= FN_COUNT;
	if (k < ATTR_COUNT) {
		*out = (struct help_item){ attr_rows[k].key, CONSTRUCT_ATTRIBUTE, attr_rows[k].doc, attr_rows[k].example, place_of(&attr_rows[k]) };
		return true;
	}
	return false;
}

/* ---- one word ---- */

static void sentence(struct strbuf *b, const char *s)
{
	sb_ch(b, *s >= 'a' && *s <= 'z' ? (char)(*s - 32) : *s);
	if (*s)
		sb_z(b, s + 1);
	if (*s && s[strlen(s) - 1] != '.')
		sb_ch(b, '.');
}

/* Words of a text from column `indent` on, at most 78 wide. */
static void wrapped(struct strbuf *b, const char *s, size_t indent)
{
	size_t col = 0;

	while (*s) {
		size_t n = strcspn(s, " ");

		if (!col || col + 1 + n > 78) {
			if (col)
				sb_ch(b, '\n');
			sb_fill(b, ' ', indent);
			col = indent;
		} else {
			sb_ch(b, ' ');
			col++;
		}
		sb_add(b, s, n);
		col += n;
		s += n + (s[n] == ' ');
	}
	sb_ch(b, '\n');
}

static void example(struct strbuf *b, const struct help_item *h)
{
	const char *p = h->example;

	if (!p)
		return;
	sb_z(b, "\nExample:\n\n");
	if (h->place == EX_VALUE)
		sb_f(b, "    in x = %s\n", p);
	else
		for (size_t n; *p; p += n + (p[n] == '\n')) {
			n = strcspn(p, "\n");
			sb_f(b, "    %.*s\n", (int)n, p);
		}
}

static void owners(struct strbuf *b, unsigned own)
{
	static const struct { unsigned owner; const char *words; } names[] = {
		{ OWN_TASK, "task" }, { OWN_STEP, "step" }, { OWN_CALL, "call of a task" }, { OWN_WFCALL, "call of a workflow" }, { OWN_DEFAULTS, "defaults" },
		{ OWN_SWEEP, "sweep" }, { OWN_WAIT, "wait" }, { OWN_APPROVE, "approve" }, { OWN_SERVICE, "service" }, { OWN_FAIL, "fail" }, { OWN_WORKFLOW, "workflow" },
		{ OWN_FOR, "for" }, { OWN_LOOP, "loop" }, { OWN_VOLUME, "volume" }, { OWN_STORE, "store" }, { OWN_JOB_PYTORCH, "job pytorch" },
		{ OWN_JOB_TENSORFLOW, "job tensorflow" }, { OWN_JOB_MPI, "job mpi" }, { OWN_JOB_RAY, "job ray" }, { OWN_JOB_KUBERNETES, "job kubernetes" },
		{ OWN_DATAFLOW, "dataflow" }, { OWN_WORKERS, "workers of a dataflow" }, { OWN_OP, "op" }, { OWN_TRAINER, "trainer" },
	};
	uint32_t n = 0;

	for (uint32_t i = 0; i < COUNT(names); i++)
		if (names[i].owner & own)
			sb_f(b, "%s%s", n++ ? ", " : "", names[i].words);
}

static void value_words(struct strbuf *b, const struct attr_row *r)
{
	sb_z(b, attr_form_words[r->form]);
	if (r->words) {
		sb_z(b, ": ");
		for (const char *p = r->words; *p; p++)
			if (*p == '|')
				sb_z(b, ", ");
			else
				sb_ch(b, *p);
	}
}

static enum attr_group group_named(const char *s, size_t n)
{
	for (uint32_t g = 1; g < GROUP_COUNT; g++)
		if (strlen(attr_group_words[g]) == n && !memcmp(attr_group_words[g], s, n))
			return (enum attr_group)g;
	return GROUP_TOP;
}

static void attribute(struct strbuf *b, const struct attr_row *r)
{
	struct help_item h = { r->key, CONSTRUCT_ATTRIBUTE, r->doc, r->example, place_of(r) };
	struct strbuf t = { 0 };
	enum attr_group g = r->group == GROUP_TOP ? group_named(r->key, strlen(r->key)) : GROUP_TOP;

	if (b->n)
		sb_ch(b, '\n');
	sb_f(b, "%s%s%s: attribute of ", attr_group_words[r->group], r->group == GROUP_TOP ? "" : ".", r->key);
	owners(&t, r->owners);
	sb_f(b, "%s\n\n", sb_cstr(&t));
	t.n = 0;
	sentence(&t, r->doc);
	wrapped(b, sb_cstr(&t), 2);
	sb_z(b, "\n  value    ");
	value_words(b, r);
	sb_z(b, "\n");
	if (r->expr)
		sb_z(b, "           may be an expression over params, loop variables and inputs\n");
	if (*r->dflt)
		sb_f(b, "  default  %s\n", r->dflt);
	if (g != GROUP_TOP) {
		sb_z(b, "  keys\n");
		for (uint32_t i = 0; i < ATTR_COUNT; i++)
			if (attr_rows[i].group == g)
				sb_f(b, "    %-14s %s\n", attr_rows[i].key, attr_rows[i].doc);
	}
	example(b, &h);
	sb_free(&t);
}

/* The attributes that a statement takes. */
static void attributes_of(struct strbuf *b, const char *word)
{
	static const struct { const char *word; unsigned owner; } owns[] = {
		{ "task", OWN_TASK }, { "step", OWN_STEP }, { "defaults", OWN_DEFAULTS }, { "sweep", OWN_SWEEP }, { "wait", OWN_WAIT }, { "approve", OWN_APPROVE },
		{ "service", OWN_SERVICE }, { "fail", OWN_FAIL }, { "workflow", OWN_WORKFLOW }, { "for", OWN_FOR }, { "loop", OWN_LOOP }, { "volume", OWN_VOLUME },
		{ "store", OWN_STORE }, { "job", OWN_JOB_PYTORCH | OWN_JOB_TENSORFLOW | OWN_JOB_MPI | OWN_JOB_RAY | OWN_JOB_KUBERNETES }, { "op", OWN_OP }, { "trainer", OWN_TRAINER },
	};
	struct strbuf t = { 0 };

	for (uint32_t i = 0; i < COUNT(owns); i++) {
		if (strcmp(owns[i].word, word))
			continue;
		for (uint32_t k = 0; k < ATTR_COUNT; k++)
			if (attr_rows[k].group == GROUP_TOP && attr_rows[k].owners & owns[i].owner)
				sb_f(&t, "%s%s", t.n ? " " : "", attr_rows[k].key);
		sb_z(b, "\nAttributes:\n\n");
		wrapped(b, sb_cstr(&t), 2);
	}
	sb_free(&t);
}

static void item(struct strbuf *b, const struct help_item *h)
{
	static const char *const kinds[CONSTRUCT_COUNT] = { "statement", "attribute", "function", "type", "" };

	if (b->n)
		sb_ch(b, '\n');
	sb_f(b, "%s%s%s\n\n", h->word, *kinds[h->kind] ? ": " : "", kinds[h->kind]);
	if (h->kind == CONSTRUCT_FUNCTION)
		for (uint32_t i = 0; i < FN_COUNT; i++)
			if (!strcmp(expr_fns[i].name, h->word))
				sb_f(b, "  %s\n  gives ", expr_fns[i].sig);
	if (b->s[b->n - 1] == ' ')
		sb_f(b, "%s\n", h->text);
	else
		wrapped(b, h->text, 2);
	example(b, h);
	if (h->kind == CONSTRUCT_STATEMENT)
		attributes_of(b, h->word);
	if (h->kind == CONSTRUCT_TOPIC && !strcmp(h->word, "functions")) {
		sb_ch(b, '\n');
		for (uint32_t i = 0; i < FN_COUNT; i++)
			sb_f(b, "  %-40s %s\n", expr_fns[i].sig, expr_fns[i].result);
	}
}

bool construct_help(const char *word, struct strbuf *out)
{
	const char *dot = strchr(word, '.');
	enum attr_group g = dot ? group_named(word, (size_t)(dot - word)) : GROUP_TOP;
	struct help_item h;
	uint32_t i = 0;

	while (!dot && help_next(&i, &h))
		if (h.kind != CONSTRUCT_ATTRIBUTE && !strcmp(h.word, word))
			item(out, &h);
	for (i = 0; i < ATTR_COUNT; i++)
		if (!strcmp(attr_rows[i].key, dot ? dot + 1 : word) && (!dot || (g != GROUP_TOP && attr_rows[i].group == g)))
			attribute(out, &attr_rows[i]);
	return out->n;
}

const char *construct_near(const char *word)
{
	const char *cand[512];
	struct help_item h;
	uint32_t i = 0, n = 0;

	while (n < 512 && help_next(&i, &h))
		cand[n++] = h.word;
	return strlen(word) > 64 ? NULL : nearest(word, strlen(word), cand, n);
}

void construct_list(enum construct kind, struct strbuf *out)
{
	struct help_item h;
	uint32_t i = 0;

	while (help_next(&i, &h))
		if (h.kind == kind)
			sb_f(out, "%s\t%s\n", h.word, h.text);
}

/* ---- couler-cw(5) ---- */

static void troff(struct strbuf *b, const char *s)
{
	for (size_t i = 0; s[i]; i++) {
		if (s[i] == '\\')
			sb_z(b, "\\e");
		else if (s[i] == '-')
			sb_z(b, "\\-");
		else if ((s[i] == '.' || s[i] == '\'') && (!i || s[i - 1] == '\n'))
			sb_f(b, "\\&%c", s[i]);
		else
			sb_ch(b, s[i]);
	}
}

static void man_items(struct strbuf *b, enum construct kind, const char *title)
{
	struct help_item h;
	uint32_t i = 0;

	sb_f(b, ".SH %s\n", title);
	while (help_next(&i, &h)) {
		if (h.kind != kind)
			continue;
		sb_z(b, ".TP\n.B ");
		troff(b, h.word);
		sb_ch(b, '\n');
		troff(b, h.text);
		sb_ch(b, '\n');
		if (h.example && (kind == CONSTRUCT_STATEMENT || kind == CONSTRUCT_TOPIC)) {
			sb_z(b, ".IP\n.nf\n");
			if (h.place == EX_VALUE)
				sb_z(b, "in x = ");
			troff(b, h.example);
			sb_z(b, "\n.fi\n");
		}
	}
}

static void man_attributes(struct strbuf *b)
{
	struct strbuf t = { 0 };

	sb_z(b, ".SH ATTRIBUTES\nNearest wins: the block of the call, then the task, then \\fBdefaults\\fR from the inside out; blocks merge key by key.\n");
	for (uint32_t i = 0; i < ATTR_COUNT; i++) {
		const struct attr_row *r = &attr_rows[i];

		sb_z(b, ".TP\n.B ");
		if (r->group != GROUP_TOP)
			sb_f(b, "%s.", attr_group_words[r->group]);
		troff(b, r->key);
		sb_ch(b, '\n');
		t.n = 0;
		sentence(&t, r->doc);
		troff(b, sb_cstr(&t));
		t.n = 0;
		value_words(&t, r);
		sb_z(b, "\nValue: ");
		troff(b, sb_cstr(&t));
		sb_z(b, r->expr ? " (or an expression)" : "");
		if (*r->dflt) {
			sb_z(b, "; default: ");
			troff(b, r->dflt);
		}
		t.n = 0;
		owners(&t, r->owners);
		sb_z(b, ".\nIn: ");
		troff(b, sb_cstr(&t));
		sb_z(b, ".\n");
	}
	sb_free(&t);
}

void construct_man(struct strbuf *out)
{
	sb_z(out, ".TH COULER\\-CW 5 \"\" \"couler " COULER_VERSION "\" \"couler\"\n.SH NAME\ncouler\\-cw \\- the workflow language of couler\n"
		".SH DESCRIPTION\nA .cw file holds tasks and workflows. This page lists what the language has; docs/language.md tells how it hangs together,\n"
		"and \\fBcouler help\\fR \\fIWORD\\fR shows each word with an example.\n");
	man_items(out, CONSTRUCT_STATEMENT, "STATEMENTS");
	man_attributes(out);
	man_items(out, CONSTRUCT_TYPE, "TYPES");
	man_items(out, CONSTRUCT_FUNCTION, "FUNCTIONS");
	man_items(out, CONSTRUCT_TOPIC, "FURTHER");
	sb_z(out, ".SH SEE ALSO\n\\fBcouler\\fR(1)\n");
}
