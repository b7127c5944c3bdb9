/* Times: RFC 3339 as text and back, and format_time. Zones are zone.c; the calendar is the proleptic Gregorian one. */
#include <string.h>

#include "couler/value.h"

/* Years 0000 to 9999. */
#define TIME_MIN INT64_C(-62167219200)
#define TIME_MAX INT64_C(253402300799)

/* Days since 1970-01-01. The year is taken to begin in March, so that the leap day is its last. */
static int64_t days_of(int64_t y, unsigned m, unsigned d)
{
	int64_t yy = y - (m <= 2), era = (yy >= 0 ? yy : yy - 399) / 400;
	int64_t yoe = yy - era * 400, doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;

	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static void date_of(int64_t days, int64_t *y, unsigned *m, unsigned *d)
{
	int64_t z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t doe = z - era * 146097, yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;

	*d = (unsigned)(doy - (153 * mp + 2) / 5 + 1);
	*m = (unsigned)(mp < 10 ? mp + 3 : mp - 9);
	*y = yoe + era * 400 + (*m <= 2);
}

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

static unsigned days_in(int64_t y, unsigned m)
{
	static const unsigned char days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;

	return days[m - 1] + (m == 2 && leap);
}

/* n digits at *p; -1 if they are none. */
static int digits(const char **p, const char *end, int n)
{
	int v = 0;

	for (; n > 0; n--, ++*p) {
		if (*p == end || **p < '0' || **p > '9')
			return -1;
		v = v * 10 + (**p - '0');
	}
	return v;
}

static bool skip(const char **p, const char *end, const char *any)
{
	if (*p == end || !**p || !strchr(any, **p))
		return false;
	++*p;
	return true;
}

/* `.` digits: nanoseconds, what is finer is dropped. -1: a point without digits. */
static int64_t fraction(const char **p, const char *end)
{
	int64_t ns = 0, unit = 100000000;

	if (!skip(p, end, "."))
		return 0;
	if (*p == end || **p < '0' || **p > '9')
		return -1;
	for (; *p < end && **p >= '0' && **p <= '9'; ++*p, unit /= 10)
		ns += (**p - '0') * unit;
	return ns;
}

/* `Z` or `+hh:mm`: seconds east of UTC. 0 or -1. */
static int offset(const char **p, const char *end, int *east)
{
	int sign, h, m;

	*east = 0;
	if (skip(p, end, "Zz"))
		return 0;
	sign = skip(p, end, "+") ? 1 : skip(p, end, "-") ? -1 : 0;
	h = digits(p, end, 2);
	if (!sign || h < 0 || h > 23 || !skip(p, end, ":"))
		return -1;
	m = digits(p, end, 2);
	if (m < 0 || m > 59)
		return -1;
	*east = sign * (h * 3600 + m * 60);
	return 0;
}

int time_parse(const char *s, size_t n, int64_t *sec, uint32_t *nsec)
{
	const char *p = s, *end = s + n;
	int y, mo, d, h, mi, se, east;
	int64_t ns, t;

	y = digits(&p, end, 4);
	if (y < 0 || !skip(&p, end, "-"))
		return -1;
	mo = digits(&p, end, 2);
	if (mo < 1 || mo > 12 || !skip(&p, end, "-"))
		return -1;
	d = digits(&p, end, 2);
	if (d < 1 || d > (int)days_in(y, (unsigned)mo) || !skip(&p, end, "Tt"))
		return -1;
	h = digits(&p, end, 2);
	if (h < 0 || h > 23 || !skip(&p, end, ":"))
		return -1;
	mi = digits(&p, end, 2);
	if (mi < 0 || mi > 59 || !skip(&p, end, ":"))
		return -1;
	se = digits(&p, end, 2);
	if (se < 0 || se > 60)
		return -1;
	ns = fraction(&p, end);
	if (ns < 0 || offset(&p, end, &east) || p != end)
		return -1;
	t = days_of(y, (unsigned)mo, (unsigned)d) * 86400 + h * 3600 + mi * 60 + se - east;
	/* a leap second stands at the end of a UTC day only; POSIX time counts it as the second that follows */
	if ((se == 60 && t % 86400 != 0) || t < TIME_MIN || t > TIME_MAX)
		return -1;
	*sec = t;
	*nsec = se == 60 ? 0 : (uint32_t)ns;
	return 0;
}

bool time_in_range(int64_t sec)
{
	return sec >= TIME_MIN && sec <= TIME_MAX;
}

void time_write(struct strbuf *b, int64_t sec, uint32_t nsec)
{
	int64_t days = floor_div(sec, 86400), y;
	unsigned m, d, s = (unsigned)(sec - days * 86400);

	date_of(days, &y, &m, &d);
	sb_f(b, "%04lld-%02u-%02uT%02u:%02u:%02u", (long long)y, m, d, s / 3600, s / 60 % 60, s % 60);
	if (nsec) {
		sb_f(b, ".%09u", nsec);
		while (b->s[b->n - 1] == '0')
			b->n--;
	}
	sb_ch(b, 'Z');
}

int time_format(struct strbuf *b, int64_t sec, int32_t east, const char *fmt, size_t n, size_t *at)
{
	int64_t local = sec + east, days = floor_div(local, 86400), y;
	unsigned m, d, s = (unsigned)(local - days * 86400);

	date_of(days, &y, &m, &d);
	for (size_t i = 0; i < n; i++) {
		if (fmt[i] != '%') {
			sb_ch(b, fmt[i]);
			continue;
		}
		*at = i++;
		switch (i < n ? fmt[i] : '\0') {
		case 'Y':
			sb_f(b, "%04lld", (long long)y);
			break;
		case 'm':
			sb_f(b, "%02u", m);
			break;
		case 'd':
			sb_f(b, "%02u", d);
			break;
		case 'H':
			sb_f(b, "%02u", s / 3600);
			break;
		case 'M':
			sb_f(b, "%02u", s / 60 % 60);
			break;
		case 'S':
			sb_f(b, "%02u", s % 60);
			break;
		case 'j':
			sb_f(b, "%03d", (int)(days - days_of(y, 1, 1)) + 1);
			break;
		case 'u':                 /* 1970-01-01 was a Thursday; Monday is 1 */
			sb_f(b, "%d", (int)(((days + 3) % 7 + 7) % 7) + 1);
			break;
		case '%':
			sb_ch(b, '%');
			break;
		default:
			return -1;
		}
	}
	return 0;
}

int64_t time_days(int64_t year, unsigned month, unsigned day)
{
	return days_of(year, month, day);
}

int64_t time_year(int64_t sec)
{
	int64_t y;
	unsigned m, d;

	date_of(floor_div(sec, 86400), &y, &m, &d);
	return y;
}
