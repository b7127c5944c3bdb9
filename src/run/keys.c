/* What identities were made of, by step. */
#include "keys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "record.h"

#define WRITE_AT (256 * 1024)             /* bytes that are kept back: only explanations depend on them */

struct last { const char *text; size_t len; struct last *before; };
struct keys {
	char *path;
	struct arena *arena;
	struct strtab *strs;
	struct strmap last;               /* step -> struct last */
	struct mapped file;
	struct strbuf out;
};

struct keys *keys_open(const char *dir)
{
	struct keys *k = xcalloc(1, sizeof *k);

	k->path = file_join(dir, "keys");
	return k;
}

static void load(struct keys *k)
{
	size_t at = 0, n, bad = 0;
	const char *p;

	k->arena = arena_new();
	k->strs = strtab_new(k->arena);
	if (map_file(k->path, &k->file))
		return;
	while ((p = record_next(k->file.s, k->file.n, &at, &n, &bad))) {
		struct reader r = { p, n, 0 };
		struct last *l = arena_new_of(k->arena, struct last);
		const char *step;
		size_t len;

		get_bytes(&r, 32);
		step = get_text(&r, &len);
		l->text = get_text(&r, &l->len);
		if (r.bad)
			continue;
		l->before = strmap_get(&k->last, str_intern(k->strs, step, len));
		if (l->before && l->before->len == l->len && !memcmp(l->before->text, l->text, l->len))
			l->before = l->before->before;
		strmap_put(k->arena, &k->last, str_intern(k->strs, step, len), l);
	}
}

bool keys_last(struct keys *k, const char *step, size_t n, const char **text, size_t *len)
{
	struct last *l;

	if (!k->arena)
		load(k);
	l = strmap_get(&k->last, str_intern(k->strs, step, n));
	if (!l)
		return false;
	*text = l->text;
	*len = l->len;
	return true;
}

bool keys_before(struct keys *k, const char *step, size_t n, const char **text, size_t *len)
{
	struct last *l = k->arena ? strmap_get(&k->last, str_intern(k->strs, step, n)) : NULL;

	if (!l || !l->before)
		return false;
	*text = l->before->text;
	*len = l->before->len;
	return true;
}

static void flush(struct keys *k)
{
	int fd;

	if (!k->out.n)
		return;
	fd = open(k->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
	if (fd >= 0) {
		record_write(fd, &k->out);                                  /* lost, only an explanation is poorer */
		close(fd);
	}
	k->out.n = 0;
}

void keys_put(struct keys *k, const struct sha *key, const char *step, size_t n, const char *text, size_t len)
{
	struct strbuf b = { 0 };

	sb_add(&b, (const char *)key->b, 32);
	put_text(&b, step, n);
	put_text(&b, text, len);
	record_add(&k->out, b.s, b.n);
	sb_free(&b);
	if (k->out.n > WRITE_AT)
		flush(k);
}

void keys_close(struct keys *k)
{
	if (!k)
		return;
	flush(k);
	unmap_file(&k->file);
	arena_free(k->arena);
	sb_free(&k->out);
	free(k->path);
	free(k);
}

/* ---- differences ---- */

struct text_line { const char *s; size_t n, head; };   /* head: of the component */

static bool next_line(const char **s, size_t *n, struct text_line *l)
{
	const char *end;
	size_t i = 0;

	if (!*n)
		return false;
	end = memchr(*s, '\n', *n);
	l->s = *s;
	l->n = end ? (size_t)(end - *s) : *n;
	while (i < l->n && l->s[i] != ' ')
		i++;
	l->head = i;
	if (i < l->n && (!strncmp(l->s, "in ", 3) || !strncmp(l->s, "out ", 4) || !strncmp(l->s, "env ", 4) || !strncmp(l->s, "code ", 5) ||
			!strncmp(l->s, "command ", 8) || !strncmp(l->s, "args ", 5) || !strncmp(l->s, "key ", 4)))
		for (i++; i < l->n && l->s[i] != ' '; i++)
			l->head = i + 1;
	*s += l->n + (end ? 1 : 0);
	*n -= l->n + (end ? 1 : 0);
	return true;
}

static bool find_line(const char *s, size_t n, const struct text_line *want, struct text_line *got)
{
	while (next_line(&s, &n, got))
		if (got->head == want->head && !memcmp(got->s, want->s, want->head))
			return true;
	return false;
}

static void rest(struct strbuf *b, const struct text_line *l)
{
	size_t at = l->head + (l->head < l->n);

	sb_safe(b, l->s + at, l->n - at);
}

void keys_diff(const char *old, size_t n, const char *now, size_t m, struct strbuf *out)
{
	struct text_line a, b;
	const char *s = now;
	size_t left = m;

	while (next_line(&s, &left, &b)) {
		bool was = find_line(old, n, &b, &a);

		if (was && a.n == b.n && !memcmp(a.s, b.s, a.n))
			continue;
		sb_f(out, "  %.*s: ", (int)b.head, b.s);
		if (was)
			rest(out, &a);
		else
			sb_z(out, "(not there)");
		sb_z(out, " -> ");
		rest(out, &b);
		sb_ch(out, '\n');
	}
	for (s = old, left = n; next_line(&s, &left, &a); )
		if (!find_line(now, m, &a, &b)) {
			sb_f(out, "  %.*s: ", (int)a.head, a.s);
			rest(out, &a);
			sb_z(out, " -> (not there)\n");
		}
}
