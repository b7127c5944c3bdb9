/*
 * Numbers as text and back: floats as RFC 8785 (ECMAScript's Number::toString),
 * durations and sizes with their units. Nothing here depends on the locale: the
 * C library only ever sees digits and an exponent, never a decimal point.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "couler/value.h"

#define MAX_DIGITS 17

/* The value of the digits s[0..n) times ten to the power exp, correctly rounded; infinite past the range. */
static double from_digits(const char *s, size_t n, long exp)
{
	char small[128], *buf = n + 24 <= sizeof small ? small : xmalloc(n + 24);
	double d;

	memcpy(buf, s, n);
	snprintf(buf + n, 24, "e%ld", exp);
	d = strtod(buf, NULL);
	if (buf != small)
		free(buf);
	return d;
}

/* The k digits of d > 0 nearest to it, in out; its value is 0.DIGITS times ten to the power of the result. */
static int nearest_digits(double d, int k, char out[MAX_DIGITS + 1])
{
	char buf[48];
	int n = 0;
	const char *p;

	snprintf(buf, sizeof buf, "%.*e", k - 1, d);
	for (p = buf; *p != 'e'; p++)
		if (*p >= '0' && *p <= '9')
			out[n++] = *p;
	out[n] = '\0';
	return atoi(p + 1) + 1;
}

static bool reads_back(double d, const char *digits, int k, int point)
{
	return from_digits(digits, (size_t)k, point - k) == d;
}

/* Adds one to the last digit; the exponent goes up when all were nines. */
static void next_up(char *digits, int k, int *point)
{
	int i = k - 1;

	while (i >= 0 && digits[i] == '9')
		digits[i--] = '0';
	if (i >= 0) {
		digits[i]++;
	} else {
		digits[0] = '1';
		++*point;
	}
}

/*
 * Fewest digits that read back as d > 0, nearest to it among these; their number. Up to 15 digits survive a double
 * (DBL_DIG), so where 15 read back, they are the shortest but for trailing zeros; subnormals have fewer, so all lengths
 * are tried. Below a power of two the gap is half as wide: there the neighbour above may fit where the nearest does not.
 */
static int shortest(double d, char digits[MAX_DIGITS + 1], int *point)
{
	int k = fpclassify(d) == FP_SUBNORMAL ? 1 : 15, exp;
	bool pow2 = frexp(d, &exp) == 0.5;

	for (; k < MAX_DIGITS; k++) {
		*point = nearest_digits(d, k, digits);
		if (reads_back(d, digits, k, *point))
			break;
		if (pow2) {
			next_up(digits, k, point);
			if (reads_back(d, digits, k, *point))
				break;
		}
	}
	if (k == MAX_DIGITS)
		*point = nearest_digits(d, k, digits);
	while (k > 1 && digits[k - 1] == '0')
		k--;
	return k;
}

/* ECMAScript 2023, 6.1.6.1.20: k digits, the decimal point after the first `point` of them. */
static void put_digits(struct strbuf *b, const char *digits, int k, int point, bool plain)
{
	if (plain ? point >= k : k <= point && point <= 21) {
		sb_add(b, digits, (size_t)k);
		sb_fill(b, '0', (size_t)(point - k));
	} else if (point > 0 && point < (plain ? k : 22)) {
		sb_add(b, digits, (size_t)point);
		sb_ch(b, '.');
		sb_add(b, digits + point, (size_t)(k - point));
	} else if (plain || (point > -6 && point <= 0)) {
		sb_z(b, "0.");
		sb_fill(b, '0', (size_t)-point);
		sb_add(b, digits, (size_t)k);
	} else {
		sb_ch(b, digits[0]);
		if (k > 1) {
			sb_ch(b, '.');
			sb_add(b, digits + 1, (size_t)k - 1);
		}
		sb_f(b, "e%+d", point - 1);
	}
}

static void put_double(struct strbuf *b, double d, bool plain)
{
	char digits[MAX_DIGITS + 1];
	int k, point;

	if (d < 0) {
		sb_ch(b, '-');
		d = -d;
	}
	if (d < 1e15 && d == floor(d)) {
		sb_f(b, "%lld", (long long)d);
		return;
	}
	k = shortest(d, digits, &point);
	put_digits(b, digits, k, point, plain);
}

void sb_double(struct strbuf *b, double d)
{
	if (isnan(d))
		sb_z(b, "nan");
	else if (isinf(d))
		sb_z(b, d < 0 ? "-inf" : "inf");
	else
		put_double(b, d, false);
}

/* Digits [. digits] at s: integer and fraction digits without the point in buf, their number; *frac digits of fraction. 0: none. */
static size_t read_decimal(const char *s, size_t n, char *buf, size_t *len, size_t *frac)
{
	size_t i = 0;

	*len = *frac = 0;
	while (i < n && s[i] >= '0' && s[i] <= '9')
		buf[(*len)++] = s[i++];
	if (!*len)
		return 0;
	if (i + 1 < n && s[i] == '.' && s[i + 1] >= '0' && s[i + 1] <= '9')
		for (i++; i < n && s[i] >= '0' && s[i] <= '9'; ++*frac)
			buf[(*len)++] = s[i++];
	return i;
}

/* [eE][+-]digits at s: its length, 0 if there is none. The exponent saturates. */
static size_t read_exponent(const char *s, size_t n, long *exp)
{
	size_t i = 0;
	bool neg;

	if (!n || (s[0] | 32) != 'e')
		return 0;
	i++;
	neg = i < n && s[i] == '-';
	if (i < n && (s[i] == '-' || s[i] == '+'))
		i++;
	if (i == n || s[i] < '0' || s[i] > '9')
		return 0;
	for (; i < n && s[i] >= '0' && s[i] <= '9'; i++)
		if (*exp < 100000000)
			*exp = *exp * 10 + (s[i] - '0');
	if (neg)
		*exp = -*exp;
	return i;
}

int double_parse(const char *s, size_t n, double *d)
{
	char small[64], *buf;
	size_t i = 0, len, frac, k;
	bool neg = n && s[0] == '-';
	long exp = 0;

	if (neg)
		s++, n--;
	if (!n || (n > 1 && s[0] == '0' && s[1] >= '0' && s[1] <= '9'))
		return -1;
	buf = n <= sizeof small ? small : xmalloc(n);
	i = read_decimal(s, n, buf, &len, &frac);
	if (i) {
		k = i < n ? read_exponent(s + i, n - i, &exp) : 0;
		i = i + k == n ? n : 0;
	}
	if (i) {
		*d = from_digits(buf, len, exp - (long)frac);
		*d = *d == 0 ? 0 : neg ? -*d : *d;
	}
	if (buf != small)
		free(buf);
	return !i ? -1 : isinf(*d) ? 1 : 0;
}

/* A decimal at s times mul times ten to the power shift, exact until it is rounded once; bytes read, 0 if there is none. */
static size_t read_scaled(const char *s, size_t n, uint64_t mul, int shift, double *out)
{
	size_t len, frac, used;
	char *buf = xmalloc(n + 32), *p;
	uint64_t carry = 0;

	used = read_decimal(s, n, buf + 24, &len, &frac);
	p = buf + 24;
	if (used && mul > 1) {
		for (size_t i = len; i-- > 0; carry /= 10) {
			carry += (uint64_t)(p[i] - '0') * mul;
			p[i] = (char)('0' + carry % 10);
		}
		for (; carry; carry /= 10, len++)
			*--p = (char)('0' + carry % 10);
	}
	if (used)
		*out = from_digits(p, len, (long)shift - (long)frac);
	free(buf);
	return used;
}

/* Units by falling size; a duration names them in this order, each at most once. */
static const struct { const char *name; uint32_t mul; int shift; } time_units[] = {
	{ "d", 86400, 0 }, { "h", 3600, 0 }, { "m", 60, 0 }, { "s", 1, 0 }, { "ms", 1, -3 },
};
#define N_TIME_UNITS (sizeof time_units / sizeof *time_units)

int duration_parse(const char *s, size_t n, double *sec)
{
	size_t unit = 0, i = 0;
	double sum = 0, part;

	if (!n)
		return -1;
	while (i < n) {
		size_t num = i, len;

		while (i < n && ((s[i] >= '0' && s[i] <= '9') || s[i] == '.'))
			i++;
		for (len = 0; i + len < n && s[i + len] >= 'a' && s[i + len] <= 'z'; )
			len++;
		while (unit < N_TIME_UNITS && !(strlen(time_units[unit].name) == len && !memcmp(time_units[unit].name, s + i, len)))
			unit++;
		if (unit == N_TIME_UNITS || i == num ||
		    read_scaled(s + num, i - num, time_units[unit].mul, time_units[unit].shift, &part) != i - num)
			return -1;
		sum += part;
		unit++;
		i += len;
	}
	if (isinf(sum))
		return -1;
	*sec = sum;
	return 0;
}

/* Binary units first: size_write takes the first that divides. */
static const struct { const char *name; uint64_t mul; } size_units[] = {
	{ "Ti", UINT64_C(1) << 40 }, { "Gi", 1 << 30 }, { "Mi", 1 << 20 }, { "Ki", 1 << 10 },
	{ "TB", UINT64_C(1000000000000) }, { "GB", 1000000000 }, { "MB", 1000000 }, { "KB", 1000 }, { "B", 1 },
};
#define N_SIZE_UNITS (sizeof size_units / sizeof *size_units)

int size_parse(const char *s, size_t n, double *bytes)
{
	double d = 0;

	for (size_t u = 0; u < N_SIZE_UNITS; u++) {
		size_t len = strlen(size_units[u].name);

		if (n <= len || memcmp(s + n - len, size_units[u].name, len))
			continue;
		if (read_scaled(s, n - len, size_units[u].mul, 0, &d) != n - len)
			continue;
		d = nearbyint(d);
		if (d > (double)INT_LIMIT)
			return -1;
		*bytes = d;
		return 0;
	}
	return -1;
}

void duration_write(struct strbuf *b, double sec)
{
	size_t from = b->n;

	if (sec < 0) {
		sb_ch(b, '-');
		sec = -sec;
		from++;
	}
	if (sec >= 60 && sec < 1e12 && sec == floor(sec)) {
		uint64_t left = (uint64_t)sec;

		for (size_t u = 0; u < 4; u++) {
			if (left / time_units[u].mul)
				sb_f(b, "%llu%s", (unsigned long long)(left / time_units[u].mul), time_units[u].name);
			left %= time_units[u].mul;
		}
		return;
	}
	put_double(b, sec, true);
	sb_ch(b, 's');
	if (sec > 0 && sec < 1) {
		struct strbuf ms = { 0 };
		double back;

		put_double(&ms, sec * 1000, true);
		sb_z(&ms, "ms");
		if (ms.n < b->n - from && !duration_parse(ms.s, ms.n, &back) && back == sec) {
			b->n = from;
			sb_add(b, ms.s, ms.n);
		}
		sb_free(&ms);
	}
}

void size_write(struct strbuf *b, int64_t bytes)
{
	size_t u = 0;

	while (u < N_SIZE_UNITS - 1 && (!bytes || bytes % (int64_t)size_units[u].mul))
		u++;
	sb_f(b, "%lld%s", (long long)(bytes / (int64_t)size_units[u].mul), size_units[u].name);
}
