/* Cron of five numeric fields, and names of time zones. */
#include "attr.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct cron_field { const char *name; int lo, hi; } fields[] = {
	{ "minute", 0, 59 }, { "hour", 0, 23 }, { "day of the month", 1, 31 }, { "month", 1, 12 }, { "day of the week", 0, 6 }
};

struct cron { struct elab *e; const struct str *s; struct span sp; };

/* n bytes at off of the string: inside its literal where that holds the same bytes. */
static struct span part(const struct cron *c, size_t off, size_t n)
{
	const struct source *src = c->sp.file && c->sp.file < c->e->diag->nsources ? c->e->diag->sources[c->sp.file] : NULL;

	for (uint32_t q = 0; src && q < 4; q++)
		if (c->sp.len >= c->s->len + q && (size_t)c->sp.off + q + c->s->len <= src->len && !memcmp(src->text + c->sp.off + q, c->s->s, c->s->len))
			return (struct span){ c->sp.file, c->sp.off + q + (uint32_t)off, (uint32_t)(n ? n : 1) };
	return c->sp;
}

static int word_number(const char *w, size_t n, const char *const *names, int count, int first)
{
	for (int i = 0; i < count; i++)
		if (n >= 3 && (w[0] | 32) == names[i][0] && (w[1] | 32) == names[i][1] && (w[2] | 32) == names[i][2])
			return i + first;
	return -1;
}

/* What stands where a number should. */
static void bad_number(const struct cron *c, const struct cron_field *f, const char *w, size_t n)
{
	static const char *const days[] = { "sun", "mon", "tue", "wed", "thu", "fri", "sat" };
	static const char *const months[] = { "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec" };
	struct span sp = part(c, (size_t)(w - c->s->s), n);
	struct diag_item *it;
	int k = f->hi == 6 ? word_number(w, n, days, 7, 0) : f->hi == 12 ? word_number(w, n, months, 12, 1) : -1;

	if (n > 40)
		n = 40;
	if (k >= 0) {
		it = diag_at(c->e->diag, CW0427, sp, "cron fields are numbers, not '%.*s'", (int)n, w);
		diag_mend(c->e->diag, it, "write %d for %.*s", k, (int)n, w);
	} else if (n == 1 && *w == '?') {
		it = diag_at(c->e->diag, CW0427, sp, "'?' is not cron of five fields");
		diag_mend(c->e->diag, it, "write *");
	} else if (n && strchr("LW#", w[n - 1])) {
		it = diag_at(c->e->diag, CW0427, sp, "'%.*s' is not cron of five fields", (int)n, w);
		diag_mend(c->e->diag, it, "run more often and test the date in `only_if`, or in the first step");
	} else if (n == 0) {
		diag_at(c->e->diag, CW0427, sp, "a number is missing in the %s", f->name);
	} else {
		it = diag_at(c->e->diag, CW0427, sp, "'%.*s' is no number in the %s", (int)n, w, f->name);
		diag_mend(c->e->diag, it, "numbers, lists 1,15, ranges 9-17 and steps */10 are what a field takes");
	}
}

/* A number at *p, before end; -1 after a diagnostic. */
static int number(const struct cron *c, const struct cron_field *f, const char **p, const char *end)
{
	const char *from = *p;
	struct diag_item *it;
	long v = 0;

	while (*p < end && **p >= '0' && **p <= '9' && v < 100000)
		v = v * 10 + (*(*p)++ - '0');
	if (*p == from || (*p < end && **p != '-' && **p != '/')) {
		while (*p < end && **p != '-' && **p != '/')
			++*p;
		bad_number(c, f, from, (size_t)(*p - from));
		return -1;
	}
	if (v < f->lo || v > f->hi) {
		it = diag_at(c->e->diag, CW0427, part(c, (size_t)(from - c->s->s), (size_t)(*p - from)), "the %s is %d to %d", f->name, f->lo, f->hi);
		if (f->hi == 6 && v == 7)
			diag_mend(c->e->diag, it, "Sunday is 0");
		return -1;
	}
	return (int)v;
}

/* item = ( "*" | number [ "-" number ] ) [ "/" number ]; the values into *set. */
static bool item(const struct cron *c, const struct cron_field *f, const char *p, const char *end, uint64_t *set)
{
	const struct cron_field steps = { f->name, 1, f->hi };
	const char *from = p;
	int lo = f->lo, hi = f->hi, step = 1;
	bool range = true;
	struct diag_item *it;

	if (p < end && *p == '*') {
		p++;
		if (p < end && *p != '/') {
			bad_number(c, f, from, (size_t)(end - from));
			return false;
		}
	} else {
		lo = hi = number(c, f, &p, end);
		range = p < end && *p == '-';
		if (lo < 0)
			return false;
		if (range) {
			p++;
			hi = number(c, f, &p, end);
			if (hi < 0)
				return false;
		}
	}
	if (hi < lo) {
		it = diag_at(c->e->diag, CW0427, part(c, (size_t)(from - c->s->s), (size_t)(end - from)), "the range %d-%d runs backwards", lo, hi);
		diag_mend(c->e->diag, it, "write two ranges: %d-%d,%d-%d", lo, f->hi, f->lo, hi);
		return false;
	}
	if (p < end && *p == '/') {
		p++;
		step = number(c, &steps, &p, end);
		if (step < 0)
			return false;
		if (!range) {
			it = diag_at(c->e->diag, CW0427, part(c, (size_t)(from - c->s->s), (size_t)(end - from)), "a step needs a range");
			diag_mend(c->e->diag, it, "write %d-%d/%d", lo, f->hi, step);
			return false;
		}
	}
	if (p < end) {
		bad_number(c, f, from, (size_t)(end - from));
		return false;
	}
	for (int i = lo; i <= hi; i += step)
		*set |= UINT64_C(1) << i;
	return true;
}

static bool field(const struct cron *c, const struct cron_field *f, const char *p, size_t n, uint64_t *set)
{
	const char *end = p + n;

	for (;;) {
		const char *comma = memchr(p, ',', (size_t)(end - p));

		if (!item(c, f, p, comma ? comma : end, set))
			return false;
		if (!comma)
			return true;
		p = comma + 1;
	}
}

static void macro(const struct cron *c)
{
	static const struct { const char *word, *cron; } macros[] = {
		{ "@yearly", "0 0 1 1 *" }, { "@annually", "0 0 1 1 *" }, { "@monthly", "0 0 1 * *" }, { "@weekly", "0 0 * * 0" }, { "@daily", "0 0 * * *" },
		{ "@midnight", "0 0 * * *" }, { "@hourly", "0 * * * *" },
	};
	struct diag_item *it = diag_at(c->e->diag, CW0427, c->sp, "cron has five numeric fields: minute hour day month weekday");

	for (size_t i = 0; i < sizeof macros / sizeof *macros; i++)
		if (str_eq(c->s, macros[i].word))
			diag_mend(c->e->diag, it, "write \"%s\"", macros[i].cron);
	if (it->msg && !it->mend)
		diag_mend(c->e->diag, it, "\"*/15 * * * *\" is every quarter of an hour, \"0 2 * * *\" every night at 2:00");
}

static void wrong_count(const struct cron *c, const size_t *off, uint32_t n)
{
	struct diag_item *it = diag_at(c->e->diag, CW0427, c->sp, "cron has five fields, minute hour day month weekday, and here are %u", (unsigned)n);
	static const char zone[] = "CRON_TZ=";

	if (n && (!strncmp(c->s->s, zone, 8) || !strncmp(c->s->s, zone + 5, 3)))
		diag_mend(c->e->diag, it, "the zone is a key: schedule { cron = \"...\"; timezone = \"Europe/Berlin\" }");
	else if (n == 6)
		diag_mend(c->e->diag, it, "without seconds: \"%s\"; a schedule is no finer than a minute", c->s->s + off[1]);
	else if (n == 7)
		diag_mend(c->e->diag, it, "without seconds and years: \"%.*s\"", (int)(off[6] - off[1] - 1), c->s->s + off[1]);
	else
		diag_mend(c->e->diag, it, "\"0 2 * * *\" is every night at 2:00");
}

/* A day of the month that none of the months has. */
static bool never(const uint64_t *set)
{
	static const int days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	if (set[4] != 0x7f)
		return false;
	for (int m = 1; m <= 12; m++)
		for (int d = 1; set[3] >> m & 1 && d <= days[m - 1]; d++)
			if (set[2] >> d & 1)
				return false;
	return true;
}

int check_cron(struct elab *e, const struct str *cron, struct span sp)
{
	struct cron c = { e, cron, sp };
	size_t off[8], len[8];
	uint64_t set[5] = { 0 };
	uint32_t n = 0;
	struct diag_item *it;

	if (cron->len && cron->s[0] == '@') {
		macro(&c);
		return -1;
	}
	for (const char *p = cron->s; n < 8;) {
		p += strspn(p, " \t");
		if (!*p)
			break;
		off[n] = (size_t)(p - cron->s);
		len[n] = strcspn(p, " \t");
		p += len[n++];
	}
	if (n != 5) {
		wrong_count(&c, off, n);
		return -1;
	}
	for (uint32_t i = 0; i < 5; i++)
		if (!field(&c, &fields[i], cron->s + off[i], len[i], &set[i]))
			return -1;
	if (never(set)) {
		it = diag_at(e->diag, CW0427, sp, "this day never comes: none of the months has it");
		diag_mend(e->diag, it, "the last day of each month is tested in the first step, or say 28");
		return -1;
	}
	return 0;
}

/* ---- time zones ---- */

/* Names of zones from the machine's table, tab-separated in its third column; NULL without it. */
static const char **zone_names(struct elab *e, uint32_t *n)
{
	static const char *const tables[] = { "/usr/share/zoneinfo/tzdata.zi", "/usr/share/zoneinfo/zone.tab" };
	VEC(const char *) names = { 0 };
	size_t len;

	for (size_t i = 0; i < 2 && !names.n; i++) {
		char *text = read_file(e->arena, tables[i], &len), *save = NULL;

		for (char *line = text ? strtok_r(text, "\n", &save) : NULL; line; line = strtok_r(NULL, "\n", &save)) {
			char *name = NULL;

			if (i == 0 && (line[0] == 'Z' || line[0] == 'L') && line[1] == ' ')
				name = line[0] == 'Z' ? line + 2 : strchr(line + 2, ' ');
			else if (i == 1 && line[0] != '#' && (name = strchr(line, '\t')))
				name = strchr(name + 1, '\t');
			if (!name)
				continue;
			name += *name == ' ' || *name == '\t';
			name[strcspn(name, " \t")] = '\0';
			vec_push(e->arena, &names, name);
		}
	}
	*n = names.n;
	return names.v;
}

static const char *zone_like(const struct str *zone, const char *const *names, uint32_t n)
{
	static const struct { const char *word, *zone; } usual[] = {
		{ "PST", "America/Los_Angeles" }, { "PDT", "America/Los_Angeles" }, { "EDT", "America/New_York" }, { "CST", "America/Chicago" },
		{ "CDT", "America/Chicago" }, { "BST", "Europe/London" }, { "CEST", "Europe/Berlin" }, { "JST", "Asia/Tokyo" }, { "IST", "Asia/Kolkata" },
		{ "AEST", "Australia/Sydney" }, { "utc", "UTC" }, { "Z", "UTC" }, { "local", "Europe/Berlin" },
	};

	for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
		if (str_eq(zone, usual[i].word))
			return usual[i].zone;
	for (uint32_t i = 0; i < n; i++) {
		const char *city = strrchr(names[i], '/');
		const char *cand[] = { city ? city + 1 : names[i] };

		if (nearest(zone->s, zone->len, cand, 1) && strlen(cand[0]) == zone->len)
			return names[i];
	}
	return nearest(zone->s, zone->len, names, n);
}

int check_timezone(struct elab *e, const struct str *zone, struct span sp)
{
	struct diag_item *it;
	const char **names, *like;
	int32_t east;
	uint32_t n;

	if (zone_offset(zone->s, zone->len, 0, &east) != -1)
		return 0;
	it = diag_at(e->diag, CW0428, sp, zone->len && zone->len < 60 ? "no time zone '%s'" : "no such time zone", zone->s);
	if (!it->msg)
		return -1;
	names = zone_names(e, &n);
	like = zone->len < 60 ? zone_like(zone, names, n) : NULL;
	if (like)
		diag_label(e->diag, it, "did you mean '%s'?", like);
	diag_mend(e->diag, it, "zones have IANA names: \"Europe/Berlin\", \"America/New_York\", \"UTC\"");
	return -1;
}
