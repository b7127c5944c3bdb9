/*
 * IANA time zones from the machine's compiled database (RFC 8536, TZif), read
 * directly: the C library's zones hang on one process-wide TZ variable.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "couler/value.h"

#define TZIF_MAX (1u << 20)               /* bytes; the largest of the database has under 4 KiB */

static const char *const tz_dirs[] = { "/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/usr/share/lib/zoneinfo", "/etc/zoneinfo" };

/* Europe/Berlin, Etc/GMT+1, America/Port-au-Prince: no way out of the database's folder. */
static bool is_zone_name(const char *s, size_t n)
{
	bool first = true;

	if (!n || n > 255)
		return false;
	for (size_t i = 0; i < n; i++) {
		char c = s[i];
		bool word = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '+' || c == '-';

		if (!word && (c != '/' || first))
			return false;
		first = c == '/';
	}
	return !first;
}

static unsigned char *read_all(int fd, size_t *len)
{
	struct stat st;
	unsigned char *buf;
	size_t n = 0;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size <= 0 || st.st_size > (off_t)TZIF_MAX)
		return NULL;
	buf = xmalloc((size_t)st.st_size);
	while (n < (size_t)st.st_size) {
		ssize_t k = read(fd, buf + n, (size_t)st.st_size - n);

		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			break;
		n += (size_t)k;
	}
	*len = n;
	return buf;
}

/* The file of a zone, to be freed; NULL if there is none, *any tells whether there is a database at all. */
static unsigned char *zone_file(const char *name, size_t n, size_t *len, bool *any)
{
	const char *dirs[1 + sizeof tz_dirs / sizeof *tz_dirs] = { getenv("TZDIR") };
	unsigned char *buf = NULL;

	memcpy(dirs + 1, tz_dirs, sizeof tz_dirs);
	*any = false;
	for (size_t i = 0; !buf && i < sizeof dirs / sizeof *dirs; i++) {
		struct strbuf path = { 0 };
		struct stat st;
		int fd = -1;

		if (!dirs[i] || !*dirs[i])
			continue;
		sb_f(&path, "%s/%.*s", dirs[i], (int)n, name);
		if (!stat(dirs[i], &st)) {
			*any = true;
			fd = open(sb_cstr(&path), O_RDONLY | O_CLOEXEC);
		}
		if (fd >= 0) {
			buf = read_all(fd, len);
			close(fd);
		}
		sb_free(&path);
	}
	return buf;
}

static int64_t be(const unsigned char *p, int bytes)
{
	uint64_t v = p[0] & 0x80 && bytes == 8 ? UINT64_MAX : 0;

	for (int i = 0; i < bytes; i++)
		v = v << 8 | p[i];
	return bytes == 4 ? (int32_t)(uint32_t)v : (int64_t)v;
}

/* ---- the rule in the footer: a POSIX TZ string such as CET-1CEST,M3.5.0,M10.5.0/3 ---- */

struct rule_day { char kind; int m, w, d; int64_t time; };            /* 'M': month, week, weekday; 'J': 1..365; '0': 0..365 */

static bool tz_name(const char **p)
{
	const char *s = *p;

	if (**p == '<') {
		while (**p && **p != '>')
			++*p;
		if (!**p)
			return false;
		++*p;
		return true;
	}
	while ((**p >= 'A' && **p <= 'Z') || (**p >= 'a' && **p <= 'z'))
		++*p;
	return *p - s >= 3;
}

static bool tz_num(const char **p, int max, int *v)
{
	const char *s = *p;

	for (*v = 0; **p >= '0' && **p <= '9' && *v <= max; ++*p)
		*v = *v * 10 + (**p - '0');
	return *p > s && *v <= max;
}

/* [+-]hh[:mm[:ss]] in seconds */
static bool tz_time(const char **p, int64_t *sec)
{
	int sign = **p == '-' ? -1 : 1, h, m = 0, s = 0;

	if (**p == '-' || **p == '+')
		++*p;
	if (!tz_num(p, 167, &h))
		return false;
	if (**p == ':' && (++*p, !tz_num(p, 59, &m)))
		return false;
	if (**p == ':' && (++*p, !tz_num(p, 59, &s)))
		return false;
	*sec = sign * (h * 3600 + m * 60 + s);
	return true;
}

static bool tz_day(const char **p, struct rule_day *r)
{
	r->kind = **p == 'M' || **p == 'J' ? *(*p)++ : '0';
	r->time = 7200;
	if (r->kind != 'M') {
		if (!tz_num(p, 365, &r->d))
			return false;
	} else if (!tz_num(p, 12, &r->m) || r->m < 1 || *(*p)++ != '.' || !tz_num(p, 5, &r->w) || r->w < 1 || *(*p)++ != '.' || !tz_num(p, 6, &r->d)) {
		return false;
	}
	return **p != '/' || (++*p, tz_time(p, &r->time));
}

/* Local seconds since 1970 at which the rule strikes in a year. */
static int64_t rule_at(const struct rule_day *r, int64_t year)
{
	int64_t first = time_days(year, 1, 1), day;
	bool leap = time_days(year + 1, 1, 1) - first == 366;

	if (r->kind == 'M') {
		int64_t month = time_days(year, (unsigned)r->m, 1);
		int64_t next = r->m == 12 ? time_days(year + 1, 1, 1) : time_days(year, (unsigned)r->m + 1, 1);
		int wday = (int)(((month + 4) % 7 + 7) % 7);

		day = month + (r->d - wday + 7) % 7 + (r->w - 1) * 7;
		while (day >= next)
			day -= 7;
	} else {
		day = first + r->d - (r->kind == 'J' ? 1 - (leap && r->d >= 60) : 0);
	}
	return day * 86400 + r->time;
}

static bool footer_offset(const char *tz, int64_t sec, int32_t *east)
{
	int64_t std, dst, start, end;
	struct rule_day from, to;
	bool summer;

	if (!tz_name(&tz) || !tz_time(&tz, &std))
		return false;
	*east = (int32_t)-std;
	if (!*tz)
		return true;
	if (!tz_name(&tz))
		return false;
	dst = std - 3600;
	if (*tz != ',' && !tz_time(&tz, &dst))
		return false;
	if (*tz++ != ',' || !tz_day(&tz, &from) || *tz++ != ',' || !tz_day(&tz, &to) || *tz)
		return false;
	start = rule_at(&from, time_year(sec - std)) + std;
	end = rule_at(&to, time_year(sec - std)) + dst;
	summer = start < end ? sec >= start && sec < end : sec >= start || sec < end;
	if (summer)
		*east = (int32_t)-dst;
	return true;
}

/* ---- the table of transitions ---- */

struct tzif { size_t isut, isstd, leap, time, type, chars; };

static bool tzif_head(const unsigned char *p, size_t n, struct tzif *h)
{
	size_t *count[] = { &h->isut, &h->isstd, &h->leap, &h->time, &h->type, &h->chars };

	if (n < 44 || memcmp(p, "TZif", 4))
		return false;
	for (int i = 0; i < 6; i++) {
		int64_t v = be(p + 20 + 4 * i, 4);

		if (v < 0 || v > (int64_t)TZIF_MAX)
			return false;
		*count[i] = (size_t)v;
	}
	return h->type > 0;
}

static size_t tzif_size(const struct tzif *h, size_t word)
{
	return h->time * word + h->time + h->type * 6 + h->chars + h->leap * (word + 4) + h->isstd + h->isut;
}

static char *copy_z(const unsigned char *s, size_t n)
{
	char *z = xmalloc(n + 1);

	memcpy(z, s, n);
	z[n] = '\0';
	return z;
}

/* Seconds east of UTC at sec. 0, or -1 for a file that is no TZif. */
static int lookup(const unsigned char *p, size_t n, int64_t sec, int32_t *east)
{
	struct tzif h;
	size_t word = 4, lo = 0, hi, body, type = 0;
	const unsigned char *types;

	if (!tzif_head(p, n, &h))
		return -1;
	if (p[4] >= '2') {                /* the same again with 64-bit times, and a rule after it */
		size_t skip = 44 + tzif_size(&h, 4);

		if (skip > n || !tzif_head(p + skip, n - skip, &h))
			return -1;
		p += skip;
		n -= skip;
		word = 8;
	}
	p += 44;
	n -= 44;
	body = tzif_size(&h, word);
	if (body > n)
		return -1;
	hi = h.time;
	while (lo < hi) {                 /* transitions at or before sec */
		size_t mid = lo + (hi - lo) / 2;

		if (be(p + mid * word, (int)word) <= sec)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == h.time && word == 8 && n > body + 2 && p[body] == '\n') {
		const unsigned char *nl = memchr(p + body + 1, '\n', n - body - 1);
		char *tz = nl ? copy_z(p + body + 1, (size_t)(nl - p) - body - 1) : NULL;
		bool ok = tz && *tz && footer_offset(tz, sec, east);

		free(tz);
		if (ok)
			return 0;
	}
	if (lo)
		type = p[h.time * word + lo - 1];
	types = p + h.time * (word + 1);
	if (type >= h.type)
		return -1;
	*east = (int32_t)be(types + type * 6, 4);
	return 0;
}

int zone_offset(const char *zone, size_t n, int64_t sec, int32_t *east)
{
	unsigned char *file;
	size_t len = 0;
	bool any;
	int rc;

	if (n == 3 && !memcmp(zone, "UTC", 3)) {
		*east = 0;
		return 0;
	}
	if (!is_zone_name(zone, n))
		return -1;
	file = zone_file(zone, n, &len, &any);
	if (!file)
		return any ? -1 : -2;
	rc = lookup(file, len, sec, east);
	free(file);
	return rc;
}
