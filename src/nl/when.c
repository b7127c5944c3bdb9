/* Schedules: how often, on which days, at what time, in whose time. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "facts.h"

struct when {
	bool on;                          /* something says that it repeats */
	int minute, hour;                 /* -1: not said */
	const char *minutes, *hours, *dom, *month, *dow;                    /* as cron has them, NULL: not said */
	int default_hour;
	struct { int h, m; } times[8];
	int ntimes;
	bool weekly;
};

static const struct { const char *pattern, *zone; } zones[] = {
	{ "\\b(?:utc|gmt|zulu)\\b", "UTC" },
	{ "\\b(?:tokyo|tokio|toquio|japan(?:ese)?|jst|osaka)\\b", "Asia/Tokyo" }, { "\\b(?:sao paulo|brasilia|brt|brazil(?:ian)?)\\b", "America/Sao_Paulo" },
	{ "\\b(?:vienna|wien(?:er)?|vienne|viena)\\b", "Europe/Vienna" }, { "\\b(?:berlin(?:er)?|german(?:y)?|deutsche[rn]?|mez|munich|muenchen|muenchner|hamburg|frankfurt|cet|cest|central european)\\b", "Europe/Berlin" },
	{ "\\b(?:zurich|zuerich|swiss|switzerland|genf|geneva|zuercher)\\b", "Europe/Zurich" }, { "\\b(?:paris|french|france)\\b", "Europe/Paris" },
	{ "\\b(?:madrid|spain|spanish|barcelona)\\b", "Europe/Madrid" }, { "\\b(?:lisbon|lisboa|lissabon)\\b", "Europe/Lisbon" }, { "\\b(?:rome|roma|milan|milano|italy|italian)\\b", "Europe/Rome" },
	{ "\\b(?:london|londres|uk|british|bst)\\b", "Europe/London" }, { "\\b(?:dublin|ireland)\\b", "Europe/Dublin" }, { "\\b(?:amsterdam|dutch)\\b", "Europe/Amsterdam" },
	{ "\\b(?:brussels|bruessel|bruxelles)\\b", "Europe/Brussels" }, { "\\b(?:stockholm|swedish)\\b", "Europe/Stockholm" }, { "\\b(?:oslo|norway)\\b", "Europe/Oslo" },
	{ "\\b(?:copenhagen|kopenhagen)\\b", "Europe/Copenhagen" }, { "\\b(?:helsinki|finland)\\b", "Europe/Helsinki" }, { "\\b(?:warsaw|warschau)\\b", "Europe/Warsaw" },
	{ "\\b(?:prague|prag)\\b", "Europe/Prague" }, { "\\b(?:budapest)\\b", "Europe/Budapest" }, { "\\b(?:athens|athen)\\b", "Europe/Athens" }, { "\\b(?:istanbul)\\b", "Europe/Istanbul" },
	{ "\\b(?:moscow|moskau|msk)\\b", "Europe/Moscow" }, { "\\b(?:kyiv|kiev)\\b", "Europe/Kyiv" },
	{ "\\b(?:new york|nueva york|eastern|est|edt|et|nyc|boston|toronto)\\b(?= *(?:time|$|[.,;:)\\n]|standard|daylight|uhr|zeit))|\\bnew york\\b", "America/New_York" },
	{ "\\b(?:los angeles|san francisco|pacific|seattle|pst|pdt)\\b", "America/Los_Angeles" }, { "\\b(?:chicago|us central|cst|cdt|central time)\\b", "America/Chicago" },
	{ "\\b(?:denver|mountain time|mst|mdt)\\b", "America/Denver" }, { "\\b(?:mexico city|ciudad de mexico|cdmx|mexico)\\b", "America/Mexico_City" },
	{ "\\b(?:buenos aires|argentin\\w*)\\b", "America/Argentina/Buenos_Aires" }, { "\\b(?:bogota|colombia\\w*)\\b", "America/Bogota" }, { "\\b(?:santiago de chile|santiago|chile)\\b", "America/Santiago" }, { "\\b(?:lima|peru)\\b", "America/Lima" },
	{ "\\b(?:mumbai|delhi|india(?:n)?|ist|bangalore|kolkata)\\b", "Asia/Kolkata" }, { "\\b(?:singapore|singapur|sgt)\\b", "Asia/Singapore" },
	{ "\\b(?:shanghai|beijing|peking|china|chinese)\\b", "Asia/Shanghai" }, { "\\b(?:hong kong|hkt)\\b", "Asia/Hong_Kong" }, { "\\b(?:seoul|korea(?:n)?|kst)\\b", "Asia/Seoul" }, { "\\b(?:taipei|taiwan)\\b", "Asia/Taipei" },
	{ "\\b(?:dubai|gst)\\b", "Asia/Dubai" }, { "\\b(?:tel aviv|jerusalem|israel)\\b", "Asia/Jerusalem" }, { "\\b(?:jakarta)\\b", "Asia/Jakarta" }, { "\\b(?:bangkok)\\b", "Asia/Bangkok" }, { "\\b(?:manila)\\b", "Asia/Manila" },
	{ "\\b(?:sydney|aest|aedt)\\b", "Australia/Sydney" }, { "\\b(?:melbourne)\\b", "Australia/Melbourne" }, { "\\b(?:perth)\\b", "Australia/Perth" }, { "\\b(?:auckland|new zealand)\\b", "Pacific/Auckland" },
	{ "\\b(?:johannesburg|south africa\\w*|cape town)\\b", "Africa/Johannesburg" }, { "\\b(?:nairobi|kenya)\\b", "Africa/Nairobi" }, { "\\b(?:lagos)\\b", "Africa/Lagos" }, { "\\b(?:cairo|kairo)\\b", "Africa/Cairo" },
	{ "\xe6\x9d\xb1\xe4\xba\xac", "Asia/Tokyo" }, { "\xe5\x8c\x97\xe4\xba\xac|\xe4\xb8\x8a\xe6\xb5\xb7", "Asia/Shanghai" },
};

/* "the monthly files" are what is worked on, not when. */
#define NOUNS " (?:files?|partitions?|tables?|folders?|chunks?|totals|sums|buckets?|csvs?|dumps|values|rows|columns|averages?|figures|candles|bars|returns|series)\\b"
#define DAY "(?:(?:sun|mon|tue|tues|wed|thu|thur|thurs|fri|sat)(?:day|sday|nesday|rsday|urday)?s?|sonntags?|montags?|dienstags?|mittwochs?|donnerstags?|freitags?|samstags?|sonnabends?|dimanches?|lundis?|mardis?|mercredis?|jeudis?|vendredis?|samedis?|domingos?|lunes|martes|miercoles|jueves|viernes|sabados?|(?:segunda|terca|quarta|quinta|sexta)s?(?:-feiras?)?|domenica|lunedi|martedi|mercoledi|giovedi|venerdi|sabato)\\b"

/* 0 sunday .. 6; -1 */
static int day_number(struct ntext *t, const char *s, size_t n)
{
	static const char *const whole[7] = {
		"^(?:sun(?:day)?s?|sonntags?|dimanches?|domingos?|domenica)$", "^(?:mon(?:day)?s?|montags?|lundis?|lunes|segundas?(?:-feiras?)?|lunedi)$",
		"^(?:tue(?:s(?:day)?)?s?|dienstags?|mardis?|martes|tercas?(?:-feiras?)?|martedi)$", "^(?:wed(?:nesday)?s?|mittwochs?|mercredis?|miercoles|quartas?(?:-feiras?)?|mercoledi)$",
		"^(?:thu(?:rs?(?:day)?)?s?|donnerstags?|jeudis?|jueves|quintas?(?:-feiras?)?|giovedi)$", "^(?:fri(?:day)?s?|freitags?|vendredis?|viernes|sextas?(?:-feiras?)?|venerdi)$",
		"^(?:sat(?:urday)?s?|samstags?|sonnabends?|samedis?|sabados?|sabato)$" };
	struct rx_match m;

	for (int i = 0; i < 7; i++)
		if (rx_find(t, whole[i], s, n, 0, &m))
			return i;
	return -1;
}

static void take(struct ntext *t, const struct rx_match *m)
{
	ntext_take(t, m->g[0].off, m->g[0].len);
}

/* "every monday and thursday", "on Fridays", "mon-fri" */
static void read_days(struct ntext *t, struct when *w)
{
	static const char range[] = "\\b(?:(?:every|each|on|from|von|de|du|jeden|only)\\s+)?(" DAY ")\\s*(?:-|to|through|until|bis|au|a|ate)\\s*(" DAY ")";
	static const char some[] = "\\b(?:(?:every|each|on|jeden|jede[sr]?|immer|am|chaque|tous les|le|cada|todos? (?:os|as|los|las)|todas? (?:as|las)?|toda|todo|los|el|ogni|every other)\\s+)(" DAY ")((?:\\s*(?:,|and|und|et|y|e|&|\\+|/|or)\\s*(?:on\\s+|am\\s+|los\\s+)?" DAY ")*)(\\s+(?:mornings?|evenings?|nights?|afternoons?|frueh|morgens?|abends?|matin|soir))?";
	static const char plural[] = "\\b((?:sun|mon|tues|wednes|thurs|fri|satur)days|sonntags|montags|dienstags|mittwochs|donnerstags|freitags|samstags|(?:sun|mon|tues|wednes|thurs|fri|satur)day(?=s? (?:at )?\\d)|(?:mon|tue|wed|thu|fri|sat|sun)(?=,? \\d{1,2}[:.h]\\d))((?:\\s*(?:,|and|und|&|\\+|/)\\s*" DAY ")*)(\\s+(?:mornings?|evenings?|nights?|frueh))?";
	static const char one[] = DAY;
	struct rx_match m, d;
	bool on[7] = { false }, any = false;
	struct strbuf b = { 0 };

	if (rx_work(t, "\\b(?:every|each|on|an|jeden|chaque|todos? (?:os|los)|todo|cada|a|en|les|only on|mo-fr)?\\s*(?:week ?days?|working ?days?|work ?days|business days?|werktags?|werktagen?|werktaeglich|arbeitstags?|arbeitstaeglich|arbeitstagen|jours? ouvres?|jours? ouvrables?|dias? uteis|dia util|dias? laborables?|dias? habiles?|giorni feriali|giorno feriale|mo-fr)\\b", 0, &m)) {
		w->dow = "1-5";
		w->on = true;
		take(t, &m);
		return;
	}
	if (rx_work(t, "\\b(?:every|each|on|at|am|le|los|nos|jedes)\\s+(?:the\\s+)?(?:weekends?|wochenenden?|week-ends?|fin(?:es)? de semana|fins de semana)\\b", 0, &m)) {
		w->dow = "0,6";
		w->on = true;
		take(t, &m);
		return;
	}
	if (rx_work(t, range, 0, &m)) {
		int a = day_number(t, t->s + m.g[1].off, m.g[1].len), z = day_number(t, t->s + m.g[2].off, m.g[2].len);

		if (a >= 0 && z >= 0) {
			w->dow = a < z ? nl_fmt(t->arena, "%d-%d", a, z) : z == 0 ? nl_fmt(t->arena, "%d-7", a) : nl_fmt(t->arena, "%d-6,0-%d", a, z);
			w->on = true;
			take(t, &m);
		}
		return;
	}
	if (!rx_work(t, some, 0, &m) && !rx_work(t, plural, 0, &m))
		return;
	for (uint32_t at = m.g[1].off; rx_find(t, one, t->s, m.g[0].off + m.g[0].len, at, &d); at = d.g[0].off + d.g[0].len) {
		int k = day_number(t, t->s + d.g[0].off, d.g[0].len);

		if (k >= 0)
			on[k] = any = true;
	}
	if (!any)
		return;
	if (m.g[3].set)
		w->default_hour = rx_find(t, "even|abend|soir|night", t->s, m.g[3].off + m.g[3].len, m.g[3].off, &d) ? 20 : rx_find(t, "after", t->s, m.g[3].off + m.g[3].len, m.g[3].off, &d) ? 14 : 6;
	for (int i = 0; i < 7; i++)
		if (on[i])
			sb_f(&b, "%s%d", b.n ? "," : "", i);
	w->dow = arena_dup(t->arena, b.s, b.n);
	w->on = true;
	sb_free(&b);
	take(t, &m);
}

/* How often one looks is not how often one runs. */
#define NO_POLL "(?<!check )(?<!checks )(?<!checked )(?<!checking )(?<!poll )(?<!polls )(?<!polled )(?<!polling )(?<!probe )(?<!probing )(?<!look )(?<!looks )(?<!looking )(?<!retry )(?<!again )(?<!ask )(?<!pruefe )(?<!geprueft )(?<!wait )"

/* every N minutes, hourly, every 6 hours */
static bool read_short(struct ntext *t, struct facts *f, struct when *w)
{
	struct rx_match m, k;
	double v;

	if (rx_work(t, NO_POLL "\\b(?:exactly |genau |exactement )?(?:every|each|alle|toutes les|tous les|cada|a cada|ogni|jede)\\s+(?:" NL_NUM "\\s*-?)?(seconds?|secs?|sekunden?|secondes?|segundos?|secondi|s|ms|milliseconds?)\\b", 0, &m) ||
	    rx_work(t, "\\b(?:every|each|alle|cada)\\s+(half) (second)\\b", 0, &m)) {
		v = m.g[1].set ? nl_group_number(t, &m, 1) : 1;
		if (fmod(v, 60) != 0 || v < 60) {
			facts_note(t, f, "A schedule finer than one minute cannot be expressed: cron has no seconds, so \"%s\" is not done as said. Instead each run, started every minute, would have to loop over the %s seconds itself, or a long-running service outside the workflow does it.", ntext_group(t, &m, 0), nl_num_text(t->arena, v));
			w->minutes = "*";
			w->hours = "*";
			w->on = true;
			take(t, &m);
			return true;
		}
	}
	if (rx_work(t, NO_POLL "\\b(?:every|each|alle|toutes les|tous les|cada|a cada|ogni)\\s+(?:" NL_NUM "\\s*-?)?(minutes?|mins?\\.?|minuten|minutos?|minuti|m)(?![\\w])", 0, &m) || rx_work(t, "\\b(jede|chaque) (minute)\\b", 0, &m)) {
		v = m.g[1].set ? nl_group_number(t, &m, 1) : 1;
		if (isnan(v))
			v = 1;
		w->minutes = v <= 1 ? "*" : v < 60 ? nl_fmt(t->arena, "*/%d", (int)v) : "0";
		w->hours = v > 60 ? nl_fmt(t->arena, "*/%d", (int)(v / 60)) : "*";
		if (v < 60 && 60 % (int)v)
			facts_note(t, f, "Cron cannot express an interval of %d minutes across the hour; the closest is */%d, which starts anew at each full hour.", (int)v, (int)v);
		w->on = true;
		take(t, &m);
		return true;
	}
	if (rx_work(t, "\\b(?:every |each )?(?:(half)|(quarter)(?: of an)?)[ -]?(?:an )?hour(?:ly)?\\b|\\bhalbstuendlich\\b|\\b(viertelstuendlich|alle viertelstunde)\\b|\\btoutes les demi-heures\\b|\\bcada media hora\\b", 0, &m)) {
		w->minutes = m.g[2].set || m.g[3].set ? "*/15" : "*/30";
		w->hours = "*";
		w->on = true;
		take(t, &m);
		return true;
	}
	if (rx_work(t, NO_POLL "\\b(?:every|each|alle|toutes les|cada|a cada|ogni|de)\\s+(other|second|" NL_NUM ")\\s*-?(?:hours?|hrs?|stunden?|heures?|horas|ore|h)\\b(?: em \\w+ horas)?", 0, &m)) {
		v = m.g[2].set ? nl_group_number(t, &m, 2) : 2;
		w->minutes = "0";
		w->hours = v <= 1 ? "*" : v >= 24 ? "0" : nl_fmt(t->arena, "*/%d", (int)v);
		w->on = true;
		take(t, &m);
	} else if (rx_work(t, "\\b(?:hourly|(?:once )?(?:every|each|per|an) hour|stuendlich|jede (?:volle )?stunde|(?:toutes les|chaque) heures?|cada hora|a cada hora|toda hora|de hora em hora|ogni ora)\\b", 0, &m)) {
		w->minutes = "0";
		w->hours = "*";
		w->on = true;
		take(t, &m);
	}
	if (!w->hours)
		return false;
	if (rx_work(t, "(?:\\bat |\\bum |\\ba |@ ?)?:(\\d\\d)\\b", m.g[0].off, &k) || rx_work(t, "\\b(?:at|on|zur)\\s+(?:minute\\s+(\\d{1,2})|(\\d{1,2})(?: minutes?)? (?:past|after)(?: (?:the|each|every|full))?(?: hour)?)", 0, &k) ||
	    rx_work(t, "\\b(\\d{1,2})(?: minutes?)? (?:past|after) (?:the|each|every) (?:full )?hour\\b|\\bminute (\\d{1,2})\\b|\\b(?:quarter|half) past\\b", 0, &k)) {
		int g = k.g[1].set ? 1 : k.g[2].set ? 2 : 0;

		w->minutes = g ? nl_fmt(t->arena, "%d", atoi(t->s + k.g[g].off)) : rx_find(t, "half", t->s, k.g[0].off + k.g[0].len, k.g[0].off, &m) ? "30" : "15";
		take(t, &k);
	}
	return true;
}

static void office_hours(struct ntext *t, struct when *w)
{
	struct rx_match m;

	if (!w->hours || strchr(w->hours, '0'))
		return;
	if (rx_work(t, "\\b(?:between|from|zwischen|von|entre|de)\\s+(\\d{1,2})(?::00|h|h00)?\\s*(am|pm|uhr)?\\s*(?:and|to|-|und|bis|et|y|e|a|until|till)\\s*(?:las )?(\\d{1,2})(?::00|h00|h)?\\s*(am|pm|uhr)?", 0, &m) ||
	    rx_work(t, "\\b(?:between )?(\\d{1,2})(?::00)?\\s*(am|pm)?\\s*-\\s*(\\d{1,2})(?::00)?\\s*(am|pm|h|uhr)\\b", 0, &m)) {
		int a = atoi(t->s + m.g[1].off), z = atoi(t->s + m.g[3].off);

		if (m.g[4].set && t->s[m.g[4].off] == 'p' && z < 12)
			z += 12;
		if (m.g[2].set && t->s[m.g[2].off] == 'p' && a < 12)
			a += 12;
		if (a < z && z < 25) {
			const char *step = strstr(w->hours, "/");

			w->hours = nl_fmt(t->arena, "%d-%d%s", a, z > 23 ? 23 : z, step ? step : "");
			take(t, &m);
		}
	}
}

static bool add_time(struct when *w, int h, int mi)
{
	if (h < 0 || h > 24 || mi < 0 || mi > 59 || w->ntimes == 8)
		return false;
	w->times[w->ntimes].h = h == 24 ? 0 : h;
	w->times[w->ntimes++].m = mi;
	return true;
}

/* Words after an hour that put it past noon. */
static bool evening(const char *word)
{
	static const char *const words[] = { "evening", "afternoon", "abends", "nachmittags", "soir", "tarde", "noche", "noite" };

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (!strncmp(word, words[i], strlen(words[i])))
			return true;
	return false;
}

/* 6:30, 2am, 18h30, 15 Uhr, noon; only where something repeats, so that other numbers stay what they are */
static void read_times(struct ntext *t, struct when *w)
{
	static const char clock[] = "(?:\\b(?:at|um|gegen|a las|a la|as|at about|around|alle|@|at exactly)\\s+|\\ba )?\\b(\\d{1,2})(?:[:.](\\d\\d)|h(\\d\\d)|h\\b)(?::00)?\\s*(am|pm|a\\.m\\.|p\\.m\\.)?(?:\\s*(?:uhr|hours|hrs|h)\\b)?(?:\\s*(?:in the |du |de la |da )?(morning|evening|afternoon|morgens|abends|frueh|nachts|nachmittags|matin|soir|manana|tarde|noche|manha|noite))?";
	static const char hour[] = "\\b(?:at\\s+|um\\s+|a las\\s+|as\\s+|a\\s+)?(\\d{1,2})\\s*(am|pm|a\\.m\\.?|p\\.m\\.?|uhr|o'clock|h\\b|heures|horas?|in the morning|in the evening|in the afternoon|morgens|abends|frueh|nachts|du matin|du soir|de la manana|de la tarde|da manha|da tarde|da noite)(?:\\s*(\\d\\d)\\b)?(\\s*(?:morgens|abends|frueh|nachts|nachmittags|du matin|du soir|de la manana|da manha|da tarde|da noite|in the morning))?";
	static const char plain[] = "\\b(?:at|um|gegen|a las|as|alle|@)\\s+(\\d{1,2})\\b(?!\\s*(?:%|x\\b|times|gpus?|cpus?|minutes?|runs?|:\\d|\\.\\d|parallel|most|least|once|a time|workers?))";
	struct rx_match m;
	bool any;

	if (rx_work(t, "\\b(?:at |um |a |al |ao )?(?:midnight|mitternacht|minuit|medianoche|meia-noite|mezzanotte)\\b", 0, &m) && add_time(w, 0, 0))
		take(t, &m);
	if (rx_work(t, "\\b(?:at |a |al |ao )?(?:noon|mittags?|midi|mediodia|meio-dia|mezzogiorno)\\b", 0, &m) && add_time(w, 12, 0))
		take(t, &m);
	do {
		any = false;
		if (rx_work(t, clock, 0, &m)) {
			int h = atoi(t->s + m.g[1].off), mi = m.g[2].set ? atoi(t->s + m.g[2].off) : m.g[3].set ? atoi(t->s + m.g[3].off) : 0;
			bool pm = (m.g[4].set && t->s[m.g[4].off] == 'p') || (m.g[5].set && evening(t->s + m.g[5].off));

			if (m.g[4].set && t->s[m.g[4].off] == 'a' && h == 12)
				h = 0;
			any = add_time(w, pm && h < 12 ? h + 12 : h, mi);
		} else if (rx_work(t, hour, 0, &m)) {
			int h = atoi(t->s + m.g[1].off), mi = m.g[3].set ? atoi(t->s + m.g[3].off) : 0;
			struct rx_match k;
			bool pm = rx_find(t, "p\\.?m|evening|afternoon|abends|nachmittags|soir|tarde|noite|noche", t->s, m.g[0].off + m.g[0].len, m.g[0].off, &k);

			if (h == 12 && rx_find(t, "\\ba\\.?m", t->s, m.g[0].off + m.g[0].len, m.g[1].off + m.g[1].len, &k))
				h = 0;
			any = add_time(w, pm && h < 12 ? h + 12 : h, mi);
		} else if (rx_work(t, plain, 0, &m)) {
			any = add_time(w, atoi(t->s + m.g[1].off), 0);
		}
		if (any)
			take(t, &m);
	} while (any);
}

static int ordinal(struct ntext *t, const struct rx_match *m, int g)
{
	static const struct { const char *w; int v; } words[] = { { "first", 1 }, { "second", 2 }, { "third", 3 }, { "fifth", 5 }, { "tenth", 10 }, { "ersten", 1 }, { "premier", 1 }, { "primer", 1 }, { "primeiro", 1 }, { "fifteenth", 15 }, { "primo", 1 }, { "zweiten", 2 }, { "dritten", 3 }, { "fuenften", 5 } };
	const char *s = t->s + m->g[g].off;

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strlen(words[i].w) <= m->g[g].len && !memcmp(words[i].w, s, strlen(words[i].w)))
			return words[i].v;
	return atoi(s);
}

#define OF_MONTH "(?:\\s+(?:day )?(?:of |in )?(?:the |each |every |a )?month| of (?:each|every|the) month| jedes monats| jeden monats| im monat| des monats| du mois| de chaque mois| (?:de|del) (?:cada )?mes| de (?:cada|todo) mes| do mes| di ogni mese| del mese)"
#define ORD "(\\d{1,2})(?:st|nd|rd|th|er|o|\\.)?"

static bool read_months(struct ntext *t, struct facts *f, struct when *w)
{
	struct rx_match m, k;
	bool monthly = false;
	uint32_t near = 0, near_end = t->n;

	if (rx_work(t, "\\b(?:on )?(?:the )?(last|letzten?|dernier|ultimo)\\s+(?:(?:business|working|week) ?)?(?:day|tag|jour|dia|werktag|giorno)" OF_MONTH "?\\b", 0, &m)) {
		facts_note(t, f, "Cron cannot express \"%s\": the schedule fires on the days 28 to 31, and the run itself must stop unless tomorrow is the first.", ntext_group(t, &m, 0));
		w->dom = "28-31";
		w->on = monthly = true;
		take(t, &m);
	} else if (rx_work(t, "\\b(?:on |am |every |jeden )?(?:the )?(first|second|third|fourth|last|1st|2nd|3rd|4th|ersten?|zweiten?|dritten?|letzten?|premier|dernier|primer|ultimo|primeira|ultima)\\s+(" DAY ")" OF_MONTH "?", 0, &m)) {
		int d = day_number(t, t->s + m.g[2].off, m.g[2].len), n = ordinal(t, &m, 1);

		if (n < 1 || n > 4)
			n = 1;
		facts_note(t, f, "Cron cannot express \"%s\": the schedule fires every week on that day, and the run itself must stop unless the day of the month lies within %d and %d.", ntext_group(t, &m, 0), 7 * n - 6, 7 * n);
		w->dow = nl_fmt(t->arena, "%d", d);
		w->on = true;
		take(t, &m);
		return true;
	}
	if (rx_work(t, "\\b(?:(?<!\\d )monthly(?!" NOUNS ")|(?:once )?(?:every|each|a|per) month|monatlich|jeden monat|tous les mois|chaque mois|mensuel\\w*|cada mes|mensual\\w*|todo mes|todos os meses|mensal\\w*|ogni mese|mensile)\\b", 0, &m)) {
		monthly = w->on = true;
		near = m.g[0].off > 30 ? m.g[0].off - 30 : 0;
		near_end = m.g[0].off + m.g[0].len + 40 < t->n ? m.g[0].off + m.g[0].len + 40 : t->n;
		take(t, &m);
	} else if (rx_work(t, "\\b(?:quarterly|every quarter|each quarter|vierteljaehrlich|quartalsweise|jedes quartal|trimestr\\w+|chaque trimestre|cada trimestre)\\b", 0, &m)) {
		w->month = "1,4,7,10";
		monthly = w->on = true;
		take(t, &m);
	} else if (rx_work(t, "\\b(?:yearly|annually|every year|once a year|jaehrlich|annuel\\w*|cada ano|anual\\w*)\\b", 0, &m)) {
		w->month = "1";
		monthly = w->on = true;
		take(t, &m);
	}
	if (!w->dom && (rx_work(t, "\\b(?:on )?(?:the |am |le |el |el dia |no dia |dia |todo dia |il |jeden |every |each )?(first|ersten|premier|primer|primeiro|" ORD ")(?: (?:day|tag|jour|dia|werktag))?" OF_MONTH "\\b", 0, &m) ||
	    (monthly && (rx_find(t, "\\b(?:on )?(?:the |day |am |tag |le |el |dia )(?:day |tag |dia )?(first|ersten|premier|" ORD ")()()(?: (?:and|und) (?:the )?(\\d{1,2})(?:st|nd|rd|th|\\.)?)?(?=[ ,.;)\\n]|$)(?!\\s*(?:h|uhr|am|pm|:)\\b)", t->w, near_end, near, &m) ||
		rx_find(t, "\\b(first|(\\d{1,2})(?:st|nd|rd|th|er))()()(?: (?:and|und) (?:the )?(\\d{1,2})(?:st|nd|rd|th)?)?\\b", t->w, near_end, near, &m))))) {
		int d = ordinal(t, &m, 1);

		if (d >= 1 && d <= 31) {
			w->dom = m.g[5].set ? nl_fmt(t->arena, "%d,%d", d, atoi(t->s + m.g[5].off)) : nl_fmt(t->arena, "%d", d);
			w->on = monthly = true;
			take(t, &m);
			if (rx_work(t, "^\\s*(?:and|und|y|e|et) (?:the )?(\\d{1,2})(?:st|nd|rd|th|\\.)", 0, &k))
				take(t, &k);
		}
	}
	if (monthly && !w->dom)
		w->dom = "1";
	return monthly;
}

static void read_daily(struct ntext *t, struct facts *f, struct when *w)
{
	static const struct { const char *pattern; int hour; } parts[] = {
		{ "\\b(?:nightly|(?:every|each|all|per) nights?|jede nacht|naechtlich|nachts|chaque nuit|toutes les nuits|cada noche|todas las noches|toda noite|todas as noites|ogni notte|overnight)\\b", 2 },
		{ "\\b(?:(?:every|each) mornings?|jeden morgen|chaque matin|tous les matins|cada manana|todas las mananas|toda manha|todas as manhas|ogni mattina)\\b", 6 },
		{ "\\b(?:(?:every|each) evenings?|jeden abend|chaque soir|tous les soirs|cada tarde|ogni sera)\\b", 18 },
		{ "\\b(?:(?<!\\d )daily(?!" NOUNS ")|(?:once )?(?:every|each|a|per) day|taeglich|jeden tag|einmal am tag|pro tag|tous les jours|chaque jour|quotidien\\w*|par jour|todos los dias|cada dia|diariamente|diari[oa]|todos os dias|todo (?:santo )?dia|por dia|ogni giorno|al dia)\\b(?! (?:of|since|between|in the (?:range|last)))", 0 },
	};
	struct rx_match m;

	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		if (rx_work(t, parts[i].pattern, 0, &m)) {
			struct rx_match k;
			uint32_t a = m.g[0].off > 24 ? m.g[0].off - 24 : 0;

			/* "the count differs every day" says nothing about the run */
			if (rx_find(t, "\\b(?:differ\\w*|var(?:y|ies)|chang\\w*|grow\\w*|arriv\\w*|unterschiedlich|anders|wechsel\\w*|cambia\\w*|muda\\w*|varia\\w*|change)\\s*$", t->s + a, m.g[0].off - a, 0, &k))
				continue;
			w->on = true;
			if (w->default_hour < 0)
				w->default_hour = parts[i].hour;
			take(t, &m);
		}
	if (rx_work(t, "\\b(?:every (?:other|second|two|2) weeks?|bi-?weekly|fortnightly|alle (?:zwei|2) wochen|toutes les deux semaines|cada dos semanas|a cada duas semanas|every (?:other|second) (" DAY "))\\b", 0, &m)) {
		facts_note(t, f, "Cron cannot express \"%s\": the schedule fires every week, and the run itself must stop in every second one.", ntext_group(t, &m, 0));
		if (m.g[1].set)
			w->dow = nl_fmt(t->arena, "%d", day_number(t, t->s + m.g[1].off, m.g[1].len));
		w->on = w->weekly = true;
		take(t, &m);
	} else if (rx_work(t, "\\b(?:(?<!\\d )weekly(?!" NOUNS ")|(?:once )?(?:every|each|a|per) week|woechentlich|jede woche|einmal pro woche|toutes les semaines|chaque semaine|hebdomadaire\\w*|cada semana|semanalmente|semanal|todas? (?:as|las) semanas?|toda semana|ogni settimana)\\b", 0, &m)) {
		w->on = w->weekly = true;
		take(t, &m);
	}
	if (rx_work(t, "\\bevery (" NL_NUM "|other) days?\\b", 0, &m)) {
		w->dom = nl_fmt(t->arena, "*/%d", m.g[2].set ? (int)nl_group_number(t, &m, 2) : 2);
		w->on = true;
		take(t, &m);
	}
}

static void read_zone(struct ntext *t, struct facts *f)
{
	struct rx_match m, k;

	if (rx_work(t, "\\b((?:africa|america|antarctica|asia|atlantic|australia|europe|indian|pacific|etc)/[a-z_]+(?:/[a-z_]+)?)\\b(?: ?time)?", 0, &m)) {
		f->schedule.timezone = ntext_group(t, &m, 1);
		take(t, &m);
		return;
	}
	for (size_t i = 0; i < sizeof zones / sizeof *zones; i++)
		for (size_t at = 0; rx_work(t, zones[i].pattern, at, &m); at = m.g[0].off + m.g[0].len) {
			uint32_t from = m.g[0].off > 34 ? m.g[0].off - 34 : 0, to = m.g[0].off + m.g[0].len;
			bool before, after;

			/* a town is one of a clock: "Tokyo time", "Berliner Zeit", "hora de Madrid", or right after the time */
			before = rx_find(t, "(?:time zone|timezone|tz|zeitzone|heure|horario|hora|fuseau|fuso|ora)(?: horario)?[ :=(]*(?:d[eoa]s? |di |del |d'|in |is )?$|[\\x01][ ,(]*(?:in |de |do |da |of )?$", t->w + from, m.g[0].off - from, 0, &k);
			after = rx_find(t, "^[ ]?(?:standard |daylight |local |european )?(?:time|zeit|timezone|time zone|tz|ortszeit)\\b", t->w + to, t->n - to, 0, &k);
			if (!before && !after && m.g[0].len > 3)
				continue;
			if (!before && !after && strcmp(zones[i].zone, "UTC") != 0)
				continue;
			f->schedule.timezone = zones[i].zone;
			take(t, &m);
			if (after)
				ntext_take(t, to + k.g[0].off, k.g[0].len);
			if (before && rx_find(t, "(?:time zone|timezone|tz|zeitzone|heure|horario|hora|fuseau|fuso|ora)(?: horario)?[ :=(]*(?:d[eoa]s? |di |del |d'|in |is )?$", t->w + from, m.g[0].off - from, 0, &k))
				ntext_take(t, from + k.g[0].off, k.g[0].len);
			return;
		}
}

static void read_policy(struct ntext *t, struct facts *f)
{
	struct nl_schedule *s = &f->schedule;
	struct rx_match m;

	if (rx_work(t, "\\b(?:(?:if|when) (?:the )?(?:previous|last|old) (?:run|one) is still (?:running|going)[^.;\\n]{0,20}(?:skip|wait|don't start|do not start|not start)[^.;,\\n]*|(?:no|without|must not|never|don't|do not|should not|runs? may not|not) overlap\\w*(?: runs?)?|no overlapping runs|skip (?:the run |it )?(?:if|when) (?:the )?(?:previous|last|old)[^.;,\\n]*|(?:runs )?(?:nicht|nie) ueberlappen\\w*|keine ueberlapp\\w+|sans chevauchement|sin solap\\w+|sem sobrepos\\w+)", 0, &m)) {
		s->overlap = "forbid";
		take(t, &m);
	} else if (rx_work(t, "\\b(?:overlap\\w* (?:is |are |runs? (?:is |are )?)?(?:allowed|fine|ok(?:ay)?)|may overlap|allow overlap\\w*|overlap = allow|runs can overlap|duerfen sich ueberlappen)", 0, &m)) {
		s->overlap = "allow";
		take(t, &m);
	} else if (rx_work(t, "\\b(?:(?:replace|kill|cancel|stop|abort)s? (?:the )?(?:previous|old|running|last|earlier) (?:run|one)[^.;,\\n]*|(?:a )?new run replaces[^.;,\\n]*|overlap = replace|(?:if|when) (?:the )?(?:previous|last|old) (?:run|one) is still[^.;\\n]{0,20}(?:replace|kill|cancel|stop)[^.;,\\n]*)", 0, &m)) {
		s->overlap = "replace";
		take(t, &m);
	}
	if (rx_work(t, "\\b(?:no catch-?up|without catch-?up|don't catch up|do not catch up|missed runs are (?:skipped|lost)|no backfill)", 0, &m)) {
		take(t, &m);
	} else if (rx_work(t, "\\b(?:catch(?:es)? up|catch-?up|make up for|backfill)\\b[^.;,\\n]{0,30}(?:missed|runs|$)?[^.;,\\n]*", 0, &m)) {
		s->catchup = true;
		take(t, &m);
	}
	if (rx_work(t, "\\bkeep (?:the )?(?:last )?(\\d+) (?:(?:successful|finished|old) )?runs\\b", 0, &m)) {
		s->keep_runs = nl_group_number(t, &m, 1);
		take(t, &m);
	}
}

/* Fills in cron lines from what was said. */
static void make_cron(struct ntext *t, struct facts *f, struct when *w)
{
	struct nl_schedule *s = &f->schedule;
	const char *dom = w->dom ? w->dom : "*", *month = w->month ? w->month : "*", *dow = w->dow ? w->dow : "*";

	if (w->hours) {
		s->cron[s->n++] = nl_fmt(t->arena, "%s %s %s %s %s", w->minutes, w->hours, dom, month, dow);
		return;
	}
	if (w->weekly && !w->dow && !w->dom)
		dow = "1";
	if (!w->ntimes) {
		int h = w->default_hour >= 0 ? w->default_hour : 0;

		add_time(w, h, 0);
		facts_note(t, f, "The description names no time of day: %02d:00 is assumed.", h);
	}
	for (int i = 0; i < w->ntimes && s->n < 4; i++) {
		bool first = true;
		struct strbuf hours = { 0 };

		for (int k = 0; k < i; k++)
			first = first && w->times[k].m != w->times[i].m;
		if (!first)
			continue;
		for (int k = i; k < w->ntimes; k++)
			if (w->times[k].m == w->times[i].m)
				sb_f(&hours, "%s%d", hours.n ? "," : "", w->times[k].h);
		s->cron[s->n++] = nl_fmt(t->arena, "%d %s %s %s %s", w->times[i].m, sb_cstr(&hours), dom, month, dow);
		sb_free(&hours);
	}
}

void facts_schedule(struct ntext *t, struct facts *f)
{
	struct when w = { .minute = -1, .hour = -1, .default_hour = -1 };
	struct rx_match m;

	if (rx_work(t, "\\bcron(?:tab)?(?: expression| schedule)?\\s*[:=]?\\s*[\"'`(]*\\s*((?:[\\d*/,-]+\\s+){4}[\\d*/,a-z-]+)[\"'`)]*", 0, &m) || rx_work(t, "[\"'`]((?:[\\d*/,-]+\\s+){4}[\\d*/,a-z-]+)[\"'`]", 0, &m) || rx_work(t, "(?<![\\w.])((?:\\d{1,2}|\\*)(?:/\\d+)?\\s+[\\d*/,-]+\\s+[\\d*/,-]+\\s+\\*\\s+[\\d*/,-]+)(?![\\w.])", 0, &m)) {
		f->schedule.cron[f->schedule.n++] = ntext_group(t, &m, 1);
		take(t, &m);
		w.on = true;
	} else {
		read_months(t, f, &w);
		if (!w.dow)
			read_days(t, &w);
		if (!read_short(t, f, &w))
			read_daily(t, f, &w);
		if (!w.on && rx_work(t, "\\b(?:schedule[d]? (?:it )?(?:at|for)|runs? at|start(?:s|ing)? at|laeuft um|um) (?=\\d)", 0, &m))
			w.on = true;
		if (w.on) {
			office_hours(t, &w);
			if (!w.hours)
				read_times(t, &w);
			make_cron(t, f, &w);
		}
	}
	if (!w.on)
		return;
	f->schedule.given = true;
	read_zone(t, f);
	read_policy(t, f);
	if (rx_work(t, "\\b(?:twice|two times) (?:a|per) day\\b|\\bzweimal (?:am tag|taeglich)\\b", 0, &m))
		take(t, &m);
}
