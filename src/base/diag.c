/* Diagnostics: collecting them and finding places. Writing them is diag_write.c. */
#include "couler/diag.h"

#include <string.h>

const struct diag_info diag_infos[] = {
#define DIAG(code, sev, title, help) { 1##code - 10000, sev, title, help },
#include "couler/diag_codes.h"
#undef DIAG
	{ 0, SEV_NOTE, NULL, NULL }
};

const struct diag_info *diag_info(int code)
{
	for (const struct diag_info *i = diag_infos; i->code; i++)
		if (i->code == code)
			return i;
	return NULL;
}

struct diag *diag_new(struct arena *a)
{
	struct diag *d = arena_new_of(a, struct diag);

	d->arena = a;
	d->max_errors = 20;
	d->nsources = 1;
	d->cap = 8;
	d->sources = arena_array(a, struct source *, d->cap);
	return d;
}

uint32_t diag_source(struct diag *d, const char *path, const char *text, size_t len)
{
	struct source *s = arena_new_of(d->arena, struct source);

	s->path = path;
	s->text = text;
	s->len = len;
	if (d->nsources == d->cap) {
		d->sources = arena_grow(d->arena, d->sources, d->cap * sizeof *d->sources, 2 * d->cap * sizeof *d->sources);
		d->cap *= 2;
	}
	d->sources[d->nsources] = s;
	return d->nsources++;
}

static const char *format(struct diag *d, const char *fmt, va_list ap)
{
	struct strbuf b = { 0 };
	const char *s;

	sb_vf(&b, fmt, ap);
	s = arena_dup(d->arena, b.s ? b.s : "", b.n);
	sb_free(&b);
	return s;
}

/* An error beside one that was kept is most often its echo. */
static bool already(const struct diag *d, struct span sp)
{
	for (const struct diag_item *i = d->first; i; i = i->next)
		if (i->sev == SEV_ERROR && sp.file && i->span.file == sp.file && i->span.off == sp.off)
			return true;
	return false;
}

static struct diag_item *add(struct diag *d, enum severity sev, int code, struct span sp, const char *fmt, va_list ap)
{
	struct diag_item *it = arena_new_of(d->arena, struct diag_item);
	bool keep = true;

	it->sev = sev;
	it->code = code;
	it->span = sp;
	if (sev == SEV_ERROR) {
		keep = d->errors < d->max_errors && !already(d, sp);
		d->errors++;
	} else if (sev == SEV_WARNING) {
		keep = d->warnings++ < d->max_errors;
	}
	if (!keep)
		return it;
	it->msg = format(d, fmt, ap);
	if (d->last)
		d->last->next = it;
	else
		d->first = it;
	d->last = it;
	return it;
}

struct diag_item *diag_at(struct diag *d, enum diag_code code, struct span sp, const char *fmt, ...)
{
	const struct diag_info *info = diag_info((int)code);
	struct diag_item *it;
	va_list ap;

	va_start(ap, fmt);
	it = add(d, info ? info->sev : SEV_ERROR, (int)code, sp, fmt, ap);
	va_end(ap);
	return it;
}

struct diag_item *diag_remark(struct diag *d, struct span sp, const char *fmt, ...)
{
	struct diag_item *it;
	va_list ap;

	if (!d->remarks)
		return arena_new_of(d->arena, struct diag_item);
	va_start(ap, fmt);
	it = add(d, SEV_REMARK, CW1201, sp, fmt, ap);
	va_end(ap);
	return it;
}

struct diag_mark diag_mark(const struct diag *d)
{
	return (struct diag_mark){ d->last, d->errors, d->warnings };
}

void diag_take_back(struct diag *d, struct diag_mark m)
{
	if (m.last)
		m.last->next = NULL;
	else
		d->first = NULL;
	d->last = m.last;
	d->errors = m.errors;
	d->warnings = m.warnings;
}

/* Labels, mends and notes of an item that is not kept are dropped with it. */
void diag_label(struct diag *d, struct diag_item *it, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (it->msg)
		it->label = format(d, fmt, ap);
	va_end(ap);
}

void diag_mend(struct diag *d, struct diag_item *it, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (it->msg)
		it->mend = format(d, fmt, ap);
	va_end(ap);
}

void diag_note(struct diag *d, struct diag_item *it, struct span sp, const char *fmt, ...)
{
	struct diag_item *n, **at = &it->notes;
	va_list ap;

	if (!it->msg)
		return;
	n = arena_new_of(d->arena, struct diag_item);
	n->sev = SEV_NOTE;
	n->span = sp;
	va_start(ap, fmt);
	n->msg = format(d, fmt, ap);
	va_end(ap);
	while (*at)
		at = &(*at)->next;
	*at = n;
}

static void find_lines(const struct diag *d, struct source *s)
{
	uint32_t n = 1, i = 0;

	for (const char *p = s->text, *end = p + s->len; p < end && (p = memchr(p, '\n', (size_t)(end - p))); p++)
		n++;
	s->lines = arena_array(d->arena, uint32_t, n);
	s->nlines = n;
	i = 1;
	for (const char *p = s->text, *end = p + s->len; p < end && (p = memchr(p, '\n', (size_t)(end - p))); p++)
		s->lines[i++] = (uint32_t)(p + 1 - s->text);
}

struct place diag_place(const struct diag *d, struct span sp)
{
	struct source *s;
	uint32_t lo = 0, hi;

	if (!sp.file || sp.file >= d->nsources)
		return (struct place){ NULL, 0, 0 };
	s = d->sources[sp.file];
	if (!s->lines)
		find_lines(d, s);
	if (sp.off > s->len)
		sp.off = (uint32_t)s->len;
	hi = s->nlines;
	while (hi - lo > 1) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (s->lines[mid] <= sp.off)
			lo = mid;
		else
			hi = mid;
	}
	return (struct place){ s->path, lo + 1, (uint32_t)utf8_count(s->text + s->lines[lo], sp.off - s->lines[lo]) + 1 };
}
