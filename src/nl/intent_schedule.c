/* Intent assertions about schedules: equal if they fire at equal times. */
#include "intent.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define GET json_object_get

/* A set of (minute, hour, day, month, weekday); one value of each field stands for all of them. */

enum { MIN = 61, HOUR = 25, DAY = 32, MONTH = 13, WEEKDAY = 8, TICKS = MIN * HOUR * DAY * MONTH * WEEKDAY };
static const char *const month_names = "jan feb mar apr may jun jul aug sep oct nov dec", *const day_names = "sun mon tue wed thu fri sat";

static int cron_number(const char **s, const char *names, int base)
{
	const char *at;
	char word[4] = { 0 };
	int v;

	if (isdigit((unsigned char)**s)) {
		v = (int)strtol(*s, (char **)s, 10);
		return v;
	}
	for (int i = 0; i < 3 && (*s)[i]; i++)
		word[i] = (char)tolower((unsigned char)(*s)[i]);
	at = names && word[2] ? strstr(names, word) : NULL;
	if (!at)
		return -1;
	*s += 3;
	return (int)(at - names) / 4 + base;
}

/* Values lo..hi of one field into set; every: all of them. false: it is no cron field. */
static bool cron_field(const char **s, int lo, int hi, const char *names, bool *set, bool *every)
{
	int n = 0;

	while (**s == ' ')
		++*s;
	for (;; ++*s) {
		int from = lo, to = hi, by = 1;

		if (**s == '*') {
			++*s;
		} else {
			from = to = cron_number(s, names, names == month_names ? 1 : 0);
			if (**s == '-') {
				++*s;
				to = cron_number(s, names, names == month_names ? 1 : 0);
			} else if (**s == '/') {
				to = hi;
			}
		}
		if (**s == '/') {
			++*s;
			by = (int)strtol(*s, (char **)s, 10);
		}
		if (by < 1 || from < lo || to < from || to > hi + (names == day_names))
			return false;
		for (int v = from; v <= to; v += by)
			set[names == day_names ? v % 7 : v] = true;
		if (**s != ',')
			break;
	}
	for (int v = lo; v <= hi; v++)
		n += set[v];
	*every = n == hi - lo + 1;
	return **s == ' ' || !**s;
}

static bool cron_ticks(const char *s, unsigned char *ticks)
{
	static const int lo[5] = { 0, 0, 1, 1, 0 }, hi[5] = { 59, 23, 31, 12, 6 }, all[5] = { MIN - 1, HOUR - 1, 0, 0, WEEKDAY - 1 };
	static const int size[5] = { MIN, HOUR, DAY, MONTH, WEEKDAY };
	bool set[5][64] = { { false } }, every;

	for (int k = 0; k < 5; k++) {
		if (!cron_field(&s, lo[k], hi[k], k == 3 ? month_names : k == 4 ? day_names : NULL, set[k], &every))
			return false;
		if (every) {
			memset(set[k], 0, sizeof set[k]);
			set[k][all[k]] = true;
		}
	}
	for (int i = 0; i < TICKS; i++) {
		int rest = i;
		bool on = true;

		for (int k = 4; k >= 0; k--) {
			on = on && set[k][rest % size[k]];
			rest /= size[k];
		}
		if (on)
			ticks[i] = 1;
	}
	return !*s;
}

static unsigned char *ticks_of(json_t *crons)
{
	unsigned char *t = xcalloc(TICKS, 1);
	bool ok = true;
	json_t *c;
	size_t i;

	if (json_is_string(crons))
		ok = cron_ticks(json_string_value(crons), t);
	json_array_foreach(crons, i, c) {
		ok = ok && json_is_string(c) && cron_ticks(json_string_value(c), t);
	}
	if (ok)
		return t;
	free(t);
	return NULL;
}

static bool period_fits(const unsigned char *t, const char *period)
{
	unsigned k = 0;
	bool ok = true;

	for (int i = 0; i < TICKS; i++) {
		int w = i % WEEKDAY, mo = i / WEEKDAY % MONTH, d = i / (WEEKDAY * MONTH) % DAY, h = i / (WEEKDAY * MONTH * DAY) % HOUR, mi = i / (WEEKDAY * MONTH * DAY * HOUR);
		bool at_hour = h != HOUR - 1 && mi != MIN - 1, no_week = w == WEEKDAY - 1, no_day = !d, no_month = !mo;

		if (!t[i])
			continue;
		k++;
		ok = ok && (!strcmp(period, "hourly") ? h == HOUR - 1 && mi != MIN - 1 && no_day && no_month && no_week : !strcmp(period, "daily") ? at_hour && no_day && no_month && no_week :
			!strcmp(period, "weekly") ? at_hour && no_day && no_month && !no_week : at_hour && !no_day && no_month && no_week);
	}
	return k && ok && (k == 1 || !strcmp(period, "hourly"));
}

static bool hours_fit(const unsigned char *t, json_t *hours)
{
	for (int i = 0; i < TICKS; i++)
		if (t[i] && !it_any_near(hours, i / (WEEKDAY * MONTH * DAY) % HOUR))
			return false;
	return true;
}

static bool zone_is(const char *got, const char *want)
{
	static const char *const same_zones[] = { "utc etc/utc gmt etc/gmt z zulu", "america/new_york us/eastern", "asia/shanghai prc asia/chongqing", "asia/kolkata asia/calcutta" };
	char g[64] = "", w[64] = "";

	for (size_t i = 0; i + 1 < sizeof g && got[i]; i++)
		g[i] = (char)tolower((unsigned char)got[i]);
	for (size_t i = 0; i + 1 < sizeof w && want[i]; i++)
		w[i] = (char)tolower((unsigned char)want[i]);
	for (size_t i = 0; i < 4; i++)
		if (it_word_in(same_zones[i], g) && it_word_in(same_zones[i], w))
			return true;
	return !strcmp(g, w);
}

static bool zone_fits(json_t *s, json_t *want)
{
	const char *got = *it_str_at(s, "timezone") ? it_str_at(s, "timezone") : "UTC";
	json_t *w;
	size_t i;

	if (json_is_string(want))
		return zone_is(got, json_string_value(want));
	json_array_foreach(want, i, w) {
		if (json_is_string(w) && zone_is(got, json_string_value(w)))
			return true;
	}
	return false;
}

bool rule_schedule(struct prog *p, json_t *arg, struct strbuf *why)
{
	json_t *s = GET(p->doc, "schedule"), *cron = json_is_object(arg) ? GET(arg, "cron") : arg;
	bool there = json_is_object(s), ok;
	unsigned char *got, *want = NULL;

	if (json_is_null(arg) || json_is_false(arg))
		return !there || it_say(why, "there is a schedule");
	if (json_is_object(arg) && !it_need(p, arg, "cron timezone overlap catchup period hour_in"))
		return false;
	got = there ? ticks_of(GET(s, "cron")) : NULL;
	if (!got)
		return it_say(why, "there is no schedule");
	if (cron && !(want = ticks_of(cron)) && !p->malformed)
		p->malformed = "a cron that is none";
	ok = !cron || (want && !memcmp(got, want, TICKS)) || it_say(why, "it fires at other times");
	ok = ok && (!GET(arg, "period") || period_fits(got, it_str_at(arg, "period")) || it_say(why, "it is not %s", it_str_at(arg, "period")));
	ok = ok && (!GET(arg, "hour_in") || hours_fit(got, GET(arg, "hour_in")) || it_say(why, "the hour is another"));
	ok = ok && (!GET(arg, "timezone") || zone_fits(s, GET(arg, "timezone")) || it_say(why, "the timezone is '%s'", it_str_at(s, "timezone")));
	ok = ok && (!GET(arg, "overlap") || it_listed_string(GET(arg, "overlap"), *it_str_at(s, "overlap") ? it_str_at(s, "overlap") : "forbid") || it_say(why, "overlap is another"));
	ok = ok && (!GET(arg, "catchup") || json_is_true(GET(s, "catchup")) == json_is_true(GET(arg, "catchup")) || it_say(why, "catchup is another"));
	free(got);
	free(want);
	return ok;
}
