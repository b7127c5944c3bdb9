/* Descriptions folded to a plain form, and patterns over it. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "text.h"

#include <ctype.h>
#include <math.h>
#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

struct rx_slot { const char *pattern; pcre2_code *code; };
struct rx_cache { struct rx_slot *slot; uint32_t n, cap; pcre2_match_data *md; };

/* code point, what it reads as */
static const struct { uint32_t cp; const char *to; } folds[] = {
	{ 0xa0, " " }, { 0xab, "\"" }, { 0xb0, " " }, { 0xb2, "2" }, { 0xb3, "3" }, { 0xb7, "*" }, { 0xba, "o" }, { 0xaa, "a" }, { 0xbb, "\"" }, { 0xd7, "x" }, { 0xdf, "ss" },
	{ 0xe4, "ae" }, { 0xf6, "oe" }, { 0xfc, "ue" }, { 0xe6, "ae" }, { 0xf8, "o" }, { 0x153, "oe" }, { 0x142, "l" }, { 0x131, "i" },
	{ 0x2010, "-" }, { 0x2011, "-" }, { 0x2012, "-" }, { 0x2013, "-" }, { 0x2014, " - " }, { 0x2018, "'" }, { 0x2019, "'" }, { 0x201a, "'" },
	{ 0x201c, "\"" }, { 0x201d, "\"" }, { 0x201e, "\"" }, { 0x2022, "*" }, { 0x2023, "*" }, { 0x2026, "..." }, { 0x202f, " " },
	{ 0x2192, "->" }, { 0x21d2, "->" }, { 0x27a1, "->" }, { 0x2794, "->" }, { 0x2264, "<=" }, { 0x2265, ">=" }, { 0x2260, "!=" }, { 0x3000, " " }, { 0x3001, ", " },
	{ 0x3002, ". " }, { 0xff0c, ", " }, { 0xff1a, ": " }, { 0xff1b, "; " }, { 0xff08, " (" }, { 0xff09, ") " }, { 0x25cf, "*" }, { 0x25aa, "*" }, { 0x2212, "-" },
};

/* A base letter for U+00C0..U+024F by runs; the ones above come first. */
static char base_letter(uint32_t cp)
{
	static const struct { uint16_t lo, hi; char c; } runs[] = {
		{ 0xe0, 0xe5, 'a' }, { 0xe7, 0xe7, 'c' }, { 0xe8, 0xeb, 'e' }, { 0xec, 0xef, 'i' }, { 0xf1, 0xf1, 'n' }, { 0xf2, 0xf5, 'o' }, { 0xf9, 0xfb, 'u' }, { 0xfd, 0xff, 'y' },
		{ 0x100, 0x105, 'a' }, { 0x106, 0x10d, 'c' }, { 0x10e, 0x111, 'd' }, { 0x112, 0x11b, 'e' }, { 0x11c, 0x123, 'g' }, { 0x128, 0x130, 'i' }, { 0x139, 0x141, 'l' },
		{ 0x143, 0x148, 'n' }, { 0x14c, 0x151, 'o' }, { 0x154, 0x159, 'r' }, { 0x15a, 0x161, 's' }, { 0x162, 0x167, 't' }, { 0x168, 0x173, 'u' }, { 0x179, 0x17e, 'z' },
	};

	if (cp >= 0xc0 && cp <= 0xde && cp != 0xd7)
		cp += 32;
	for (size_t i = 0; i < sizeof runs / sizeof *runs; i++)
		if (cp >= runs[i].lo && cp <= runs[i].hi)
			return runs[i].c;
	return 0;
}

static size_t decode(const unsigned char *s, size_t n, uint32_t *cp)
{
	size_t k = s[0] < 0x80 ? 1 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;

	if (k > n)
		k = n;
	*cp = k == 1 ? s[0] : s[0] & (0xffU >> (k + 1));
	for (size_t i = 1; i < k; i++)
		*cp = *cp << 6 | (s[i] & 0x3f);
	return k;
}

static const char *fold_one(uint32_t cp, char out[2])
{
	uint32_t low = cp >= 0xc0 && cp <= 0xde && cp != 0xd7 ? cp + 32 : cp;

	for (size_t i = 0; i < sizeof folds / sizeof *folds; i++)
		if (folds[i].cp == low)
			return folds[i].to;
	out[0] = base_letter(cp);
	out[1] = 0;
	if (cp >= 0xff10 && cp <= 0xff19)
		out[0] = (char)('0' + cp - 0xff10);
	return out[0] ? out : NULL;
}

struct ntext *ntext_new(struct arena *a, const char *s, size_t n)
{
	struct ntext *t = arena_new_of(a, struct ntext);
	size_t cap = 3 * n + 2;

	t->arena = a;
	t->rx = xcalloc(1, sizeof *t->rx);
	t->rx->md = pcre2_match_data_create(16, NULL);
	t->orig = s;
	t->norig = n;
	t->s = arena_alloc(a, cap);
	t->map = arena_array(a, uint32_t, cap);
	for (size_t i = 0; i < n;) {
		uint32_t cp;
		size_t k = decode((const unsigned char *)s + i, n - i, &cp);
		char one[2];
		const char *to = cp < 0x80 ? NULL : fold_one(cp, one);

		if (to) {
			for (; *to; to++) {
				t->map[t->n] = (uint32_t)i;
				t->s[t->n++] = *to;
			}
		} else {
			for (size_t j = 0; j < k; j++) {
				char c = s[i + j];

				if ((unsigned char)c < ' ' && c != '\n')
					c = ' ';
				t->map[t->n] = (uint32_t)(i + j);
				t->s[t->n++] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
			}
		}
		i += k;
	}
	t->map[t->n] = (uint32_t)n;
	t->w = arena_dup(a, t->s, t->n);
	return t;
}

void ntext_free(struct ntext *t)
{
	for (uint32_t i = 0; i < t->rx->n; i++)
		pcre2_code_free(t->rx->slot[i].code);
	pcre2_match_data_free(t->rx->md);
	free(t->rx->slot);
	free(t->rx);
}

static pcre2_code *compiled(struct ntext *t, const char *pattern)
{
	struct rx_cache *c = t->rx;
	PCRE2_SIZE at;
	pcre2_code *code;
	int err;

	for (uint32_t i = 0; i < c->n; i++)
		if (c->slot[i].pattern == pattern)
			return c->slot[i].code;
	code = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, PCRE2_DOLLAR_ENDONLY, &err, &at, NULL);
	if (c->n == c->cap)
		c->slot = xrealloc(c->slot, sizeof *c->slot * (c->cap = c->cap ? 2 * c->cap : 128));
	c->slot[c->n++] = (struct rx_slot){ pattern, code };
	return code;
}

bool rx_find(struct ntext *t, const char *pattern, const char *s, size_t n, size_t from, struct rx_match *m)
{
	pcre2_code *code = compiled(t, pattern);
	const PCRE2_SIZE *v;
	PCRE2_SPTR mark;
	int k;

	memset(m, 0, sizeof *m);
	m->mark = -1;
	if (!code || from > n)
		return false;
	k = pcre2_match(code, (PCRE2_SPTR)s, n, from, 0, t->rx->md, NULL);
	if (k <= 0)
		return false;
	v = pcre2_get_ovector_pointer(t->rx->md);
	for (int i = 0; i < k && i < 14; i++)
		if (v[2 * i] != PCRE2_UNSET)
			m->g[i] = (struct rx_group){ (uint32_t)v[2 * i], (uint32_t)(v[2 * i + 1] - v[2 * i]), true };
	mark = pcre2_get_mark(t->rx->md);
	if (mark)
		m->mark = atoi((const char *)mark);
	return true;
}

bool rx_work(struct ntext *t, const char *pattern, size_t from, struct rx_match *m)
{
	return rx_find(t, pattern, t->w, t->n, from, m);
}

bool rx_within(struct ntext *t, const char *pattern, uint32_t off, uint32_t len, struct rx_match *m)
{
	return rx_find(t, pattern, t->w, off + len, off, m);
}

bool rx_has(struct ntext *t, const char *pattern, const char *z)
{
	struct rx_match m;

	return z && rx_find(t, pattern, z, strlen(z), 0, &m);
}

void ntext_take(struct ntext *t, uint32_t off, uint32_t len)
{
	for (uint32_t i = off; i < off + len && i < t->n; i++)
		if (t->w[i] != '\n')
			t->w[i] = TAKEN;
}

const char *ntext_orig(struct ntext *t, uint32_t off, uint32_t len)
{
	uint32_t a = t->map[off], b = t->map[off + len];

	return arena_dup(t->arena, t->orig + a, b - a);
}

const char *ntext_group(struct ntext *t, const struct rx_match *m, int g)
{
	return m->g[g].set ? ntext_orig(t, m->g[g].off, m->g[g].len) : NULL;
}

const char *ntext_fold(struct ntext *t, const struct rx_match *m, int g)
{
	return m->g[g].set ? arena_dup(t->arena, t->s + m->g[g].off, m->g[g].len) : NULL;
}

const char *nl_fmt(struct arena *a, const char *fmt, ...)
{
	struct strbuf b = { 0 };
	const char *s;
	va_list ap;

	va_start(ap, fmt);
	sb_vf(&b, fmt, ap);
	va_end(ap);
	s = arena_dup(a, b.s ? b.s : "", b.n);
	sb_free(&b);
	return s;
}

const char *nl_slug(struct arena *a, const char *s, size_t n, int max)
{
	struct strbuf b = { 0 };
	const char *r;
	int words = 0;
	bool in = false;

	for (size_t i = 0; i < n && words <= max; i++) {
		unsigned char c = (unsigned char)s[i];

		if (isalnum(c)) {
			if (!in && ++words > max)
				break;
			if (!in && b.n)
				sb_ch(&b, '_');
			if (!b.n && isdigit(c))
				sb_ch(&b, 'n');
			sb_ch(&b, (char)tolower(c));
			in = true;
		} else if (c < 0x80) {
			in = false;
		}
	}
	r = arena_dup(a, b.s ? b.s : "", b.n);
	sb_free(&b);
	return r;
}

double nl_number(const char *s, size_t n)
{
	static const struct { const char *w; double v; } words[] = {
		{ "one", 1 }, { "two", 2 }, { "three", 3 }, { "four", 4 }, { "five", 5 }, { "six", 6 }, { "seven", 7 }, { "eight", 8 }, { "nine", 9 }, { "ten", 10 },
		{ "twelve", 12 }, { "fifteen", 15 }, { "twenty", 20 }, { "thirty", 30 }, { "once", 1 }, { "twice", 2 }, { "a", 1 }, { "an", 1 }, { "single", 1 },
		{ "ein", 1 }, { "eine", 1 }, { "einen", 1 }, { "zwei", 2 }, { "drei", 3 }, { "vier", 4 }, { "fuenf", 5 }, { "sechs", 6 }, { "acht", 8 }, { "zehn", 10 },
		{ "un", 1 }, { "une", 1 }, { "deux", 2 }, { "trois", 3 }, { "quatre", 4 }, { "cinq", 5 }, { "dix", 10 }, { "una", 1 }, { "uno", 1 }, { "dos", 2 }, { "tres", 3 },
		{ "cuatro", 4 }, { "cinco", 5 }, { "diez", 10 }, { "um", 1 }, { "uma", 1 }, { "dois", 2 }, { "duas", 2 }, { "quatro", 4 }, { "dez", 10 }, { "due", 2 }, { "tre", 3 }, { "quattro", 4 },
		{ "zweimal", 2 }, { "dreimal", 3 }, { "viermal", 4 }, { "fuenfmal", 5 },
	};
	char b[64], *end;
	double v;

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strlen(words[i].w) == n && !memcmp(words[i].w, s, n))
			return words[i].v;
	if (!n || n >= sizeof b)
		return NAN;
	memcpy(b, s, n);
	b[n] = 0;
	end = strchr(b, ',');
	if (end && strlen(end) == 4 && strspn(end + 1, "0123456789") == 3)
		memmove(end, end + 1, 4);         /* 1,000 */
	else if (end)
		*end = '.';                       /* 0,9 */
	v = strtod(b, &end);
	return end == b || *end || !isfinite(v) ? NAN : v;
}

const char *nl_num_text(struct arena *a, double v)
{
	char b[40];

	if (v == floor(v) && fabs(v) < 1e15)
		return nl_fmt(a, "%.0f", v);
	for (int p = 1; p <= 17; p++) {
		snprintf(b, sizeof b, "%.*g", p, v);
		if (strtod(b, NULL) == v)
			break;
	}
	return arena_dup(a, b, strlen(b));
}

const char *nl_duration(struct arena *a, double s)
{
	static const struct { double s; const char *u; } units[] = { { 86400, "d" }, { 3600, "h" }, { 60, "m" }, { 1, "s" } };
	struct strbuf b = { 0 };
	const char *r;

	if (s > 0 && s < 1)
		return nl_fmt(a, "%sms", nl_num_text(a, s * 1000));
	for (int i = 0; i < 4; i++)           /* one unit where it divides */
		if (s >= units[i].s && fmod(s, units[i].s) == 0)
			return nl_fmt(a, "%.0f%s", s / units[i].s, units[i].u);
	for (int i = 0; i < 4; i++)
		if (s >= units[i].s) {
			sb_f(&b, "%.0f%s", floor(s / units[i].s), units[i].u);
			s = fmod(s, units[i].s);
		}
	r = b.n ? arena_dup(a, b.s, b.n) : "1s";
	sb_free(&b);
	return r;
}

const char *nl_quote(struct arena *a, const char *s)
{
	struct strbuf b = { 0 };
	const char *r;

	sb_ch(&b, '"');
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			sb_ch(&b, '\\');
		if (*s == '$' && s[1] == '{')
			sb_ch(&b, '\\');
		if (*s == '\n' || *s == '\r' || *s == '\t')
			sb_ch(&b, ' ');
		else if ((unsigned char)*s >= ' ' && *s != 127)
			sb_ch(&b, *s);
	}
	sb_ch(&b, '"');
	r = arena_dup(a, b.s, b.n);
	sb_free(&b);
	return r;
}

double nl_seconds(const char *num, size_t nnum, const char *unit, size_t nunit)
{
	double v = nl_number(num, nnum);

	if (!nunit)
		return NAN;
	if (nunit >= 2 && unit[0] == 'm' && (unit[1] == 's' || unit[2] == 'l'))
		return v / 1000;
	switch (unit[0]) {
	case 's': return nunit > 4 && (!memcmp(unit, "sema", 4)) ? v * 604800 : nunit > 3 && !memcmp(unit, "stu", 3) ? v * 3600 : v;
	case 'm': return v * 60;
	case 'h': case 'o': return v * 3600;
	case 'd': case 't': case 'j': case 'g': return v * 86400;
	case 'w': return v * 604800;
	default: return NAN;
	}
}

double nl_group_seconds(struct ntext *t, const struct rx_match *m, int g)
{
	if (!m->g[g].set || !m->g[g + 1].set)
		return NAN;
	return nl_seconds(t->s + m->g[g].off, m->g[g].len, t->s + m->g[g + 1].off, m->g[g + 1].len);
}

double nl_group_number(struct ntext *t, const struct rx_match *m, int g)
{
	return m->g[g].set ? nl_number(t->s + m->g[g].off, m->g[g].len) : NAN;
}
