/*
 * BM25 (Robertson and Walker 1994; k1 = 1.2, b = 0.75) over names, tags and head comments: few fields of few words, so
 * the whole index is built at each start, in well under a millisecond.
 */
#include "lake.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "couler/front.h"

extern const unsigned char embed_lake[];
extern const size_t embed_lake_len;

struct term { const struct str *word; uint32_t snippet; double tf; };
struct lake_index { struct strmap df; VEC(struct term) terms; double *len, mean; };

static const char *line_after(struct arena *a, const char *text, const char *label)
{
	const char *s = strstr(text, label), *end;

	if (!s)
		return "";
	s += strlen(label);
	end = s + strcspn(s, "\n");
	while (*s == ' ')
		s++;
	return arena_dup(a, s, (size_t)(end - s));
}

static void add(struct lake *l, const char *name, const char *text, size_t len)
{
	struct snippet *s = vec_add(l->arena, &l->v);
	struct diag *d = diag_new(l->arena);
	char *copy = arena_dup(l->arena, text, len);
	size_t head = 0;
	char *comment;

	s->name = name;
	s->text = copy;
	s->len = len;
	s->diag = d;
	while (copy[head] == '#')
		head += strcspn(copy + head, "\n") + (copy[head + strcspn(copy + head, "\n")] == '\n');
	comment = arena_dup(l->arena, copy, head);
	s->doc = line_after(l->arena, comment, "# ");
	s->kind = line_after(l->arena, comment, "# kind:");
	s->tags = line_after(l->arena, comment, "# tags:");
	s->ast = parse(l->arena, l->strs, d, diag_source(d, name, copy, len));
	for (uint32_t i = 0; i < s->ast->top->n && !s->task; i++)
		if (s->ast->top->v[i]->kind == AS_TASK && s->ast->top->v[i]->body)
			s->task = s->ast->top->v[i];
}

struct lake *lake_new(struct arena *a, struct strtab *strs)
{
	struct lake *l = arena_new_of(a, struct lake);
	const char *p = (const char *)embed_lake, *end = p + embed_lake_len;

	l->arena = a;
	l->strs = strs;
	while (p < end) {                     /* \001name\n text */
		const char *name = ++p, *text = memchr(p, '\n', (size_t)(end - p)), *next;

		if (!text)
			break;
		next = memchr(text, 1, (size_t)(end - text));
		if (!next)
			next = end;
		add(l, arena_dup(a, name, (size_t)(text - name)), text + 1, (size_t)(next - text - 1));
		p = next;
	}
	return l;
}

int lake_folder(struct lake *l, const char *dir, struct diag *d)
{
	DIR *f = opendir(dir);
	struct dirent *e;

	if (!f) {
		diag_at(d, CW0602, (struct span){ 0 }, "cannot read the folder '%s' of snippets: %s", dir, strerror(errno));
		return -1;
	}
	while ((e = readdir(f))) {
		size_t n = strlen(e->d_name), len;
		struct strbuf path = { 0 };
		char *text;

		if (n < 4 || strcmp(e->d_name + n - 3, ".cw") != 0)
			continue;
		sb_f(&path, "%s/%s", dir, e->d_name);
		text = read_file(l->arena, sb_cstr(&path), &len);
		sb_free(&path);
		if (text && utf8_valid(text, len) == len && !memchr(text, 0, len))
			add(l, arena_dup(l->arena, e->d_name, n - 3), text, len);
	}
	closedir(f);
	l->index = NULL;
	return 0;
}

/* Lower case, without plural and the endings of verbs: enough for English tags. */
static const struct str *stem(struct lake *l, const char *s, size_t n)
{
	char b[32] = "";
	size_t k = 0;

	for (; k < n && k < sizeof b - 1; k++)
		b[k] = (char)tolower((unsigned char)s[k]);
	if (k > 5 && !memcmp(b + k - 3, "ing", 3))
		k -= 3;
	else if (k > 4 && !memcmp(b + k - 2, "ed", 2))
		k -= 2;
	else if (k > 3 && b[k - 1] == 's' && b[k - 2] != 's')
		k--;
	if (k > 4 && b[k - 1] == 'e')
		k--;
	return str_intern(l->strs, b, k);
}

static bool next_word(const char *s, size_t n, size_t *at, size_t *len)
{
	while (*at < n && !isalnum((unsigned char)s[*at]))
		++*at;
	*len = 0;
	while (*at + *len < n && isalnum((unsigned char)s[*at + *len]))
		++*len;
	return *len > 0;
}

static void index_field(struct lake *l, struct lake_index *x, uint32_t i, const char *s, double weight)
{
	size_t n = strlen(s), at = 0, len;

	for (; next_word(s, n, &at, &len); at += len) {
		const struct str *w = stem(l, s + at, len);
		uint32_t k = x->terms.n;

		if (len < 2)
			continue;
		while (k > 0 && x->terms.v[k - 1].snippet == i && x->terms.v[k - 1].word != w)
			k--;
		if (k > 0 && x->terms.v[k - 1].snippet == i) {
			x->terms.v[k - 1].tf += weight;
		} else {
			vec_push(l->arena, &x->terms, ((struct term){ w, i, weight }));
			strmap_put(l->arena, &x->df, w, (void *)((uintptr_t)strmap_get(&x->df, w) + 1));
		}
		x->len[i] += weight;
	}
}

static struct lake_index *indexed(const struct lake *cl)
{
	struct lake *l = (struct lake *)cl;   /* a cache: made at first use */
	struct lake_index *x = l->index;

	if (x)
		return x;
	x = l->index = arena_new_of(l->arena, struct lake_index);
	x->len = arena_array(l->arena, double, l->v.n + 1);
	for (uint32_t i = 0; i < l->v.n; i++) {
		index_field(l, x, i, l->v.v[i].name, 2);
		index_field(l, x, i, l->v.v[i].tags, 2);
		index_field(l, x, i, l->v.v[i].doc, 1);
		x->mean += x->len[i] / (l->v.n ? l->v.n : 1);
	}
	return x;
}

uint32_t lake_search(const struct lake *l, const char *text, size_t n, const char *kind, struct lake_hit *hits, uint32_t max)
{
	struct lake_index *x = indexed(l);
	double *score = xcalloc(l->v.n + 1, sizeof *score);
	struct strmap seen = { 0 };
	struct arena *scratch = arena_new();
	uint32_t count = 0;
	size_t at = 0, len;

	for (; next_word(text, n, &at, &len); at += len) {
		const struct str *w = stem((struct lake *)l, text + at, len);
		double df = (double)(uintptr_t)strmap_get(&x->df, w), idf = log(1 + (l->v.n - df + 0.5) / (df + 0.5));

		if (len < 2 || df == 0 || strmap_get(&seen, w))
			continue;
		strmap_put(scratch, &seen, w, (void *)1);
		for (uint32_t k = 0; k < x->terms.n; k++)
			if (x->terms.v[k].word == w) {
				uint32_t i = x->terms.v[k].snippet;
				double tf = x->terms.v[k].tf;

				score[i] += idf * tf * 2.2 / (tf + 1.2 * (0.25 + 0.75 * x->len[i] / x->mean));
			}
	}
	for (uint32_t i = 0; i < l->v.n; i++) {
		uint32_t k;

		if (score[i] <= 0 || (kind && strcmp(l->v.v[i].kind, kind) != 0))
			continue;
		for (k = count; k > 0 && hits[k - 1].score < score[i]; k--)
			if (k < max)
				hits[k] = hits[k - 1];
		if (k < max) {
			hits[k] = (struct lake_hit){ &l->v.v[i], score[i] };
			if (count < max)
				count++;
		}
	}
	arena_free(scratch);
	free(score);
	return count;
}
