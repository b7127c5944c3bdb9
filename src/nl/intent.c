/* Patterns, selectors, precedence and values of intent assertions. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "intent.h"

#include <ctype.h>
#include <math.h>
#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

/* ---- patterns ---- */

static const struct { const char *word, *pattern; } synonyms[] = {
	{ "load", "load|fetch|download|pull|extract|ingest|\\bread|get\\b|dump|export|query|import|collect|snapshot|sync|source|\\blist|\\bscan|crawl|acquir|laden|zieh|\\bles|abzug|descarg|\\bleer|carg|telecharg|recup|\\bsql" },
	{ "clean", "clean|dedup|de dup|normal|scrub|sanit|prep|transform|wash|filter|tidy|parse|distinct|bereinig|limpi|nettoy" },
	{ "features", "feat|transform|prep|build|aggregat|encod|sampl|merkmal" },
	{ "split", "split|partition|shard|holdout|fold" },
	{ "train", "train|\\bfit|learn|fine ?tun|\\btun|sweep|search|\\bhpo|model|entren|entrain|apprend|lern" },
	{ "evaluate", "eval|test|scor|assess|metric|measur|bench|valid|check|perform|judge|compar|report|recall|accura|\\bauc|\\bf1" },
	{ "validate", "valid|check|verif|quality|expect|assert|test|\\bqc|gate|lint|null|pruef|psi|drift" },
	{ "compare", "compar|select|pick|best|choos|rank|winner|evaluat|decid|champion|leaderboard|tournament|judge|summar" },
	{ "register", "regist|publish|push|upload|save|store|promot|\\blog|releas|ship|deploy|mlflow" },
	{ "deploy", "deploy|releas|ship|promot|publish|roll ?out|push|serv|go ?live|upload|launch|activ|switch|swap|online" },
	{ "notify", "notif|alert|slack|page|mail|message|msg|post|warn|ping|report|inform|tell|send|teams|ding|ticket|announce|webhook|\\bsay|melde|nachricht|avis" },
	{ "report", "report|render|summar|dashboard|table|plot|chart|html|pdf|card|overview|publish|\\bdoc|write|reporte|tableau|recap|synth" },
	{ "merge", "merge|concat|combin|join|gather|collect|aggregat|reduc|union|assembl|consolid|bundle|stitch|append|\\bcat\\b|verknuepf|verbind|fusion" },
	{ "upload", "upload|push|write|sav|stor|export|publish|cop|\\bput|load|persist|sink|archiv|sync|deliver|ship|append|insert|send|back" },
	{ "cleanup", "clean|scrub|wipe|drop|delet|remov|tear|purg|tidy|\\brm\\b|dispos|eras|shred" },
};

struct intent_rx { const char *pattern; pcre2_code *code; struct intent_rx *next; };

static const char *expanded(struct prog *p, const char *pattern)
{
	struct strbuf b = { 0 };
	const char *r;

	for (const char *s = pattern; *s; s++) {
		size_t n = 0;

		if (*s != '@' || (s > pattern && (isalnum((unsigned char)s[-1]) || s[-1] == '_')) || !islower((unsigned char)s[1])) {
			sb_ch(&b, *s);
			continue;
		}
		while (islower((unsigned char)s[1 + n]))
			n++;
		for (size_t i = 0; i < sizeof synonyms / sizeof *synonyms; i++)
			if (strlen(synonyms[i].word) == n && !memcmp(synonyms[i].word, s + 1, n)) {
				sb_f(&b, "(?:%s)", synonyms[i].pattern);
				n = 0;
				break;
			}
		if (n && !p->malformed)
			p->malformed = "an @word that stands for nothing";
		while (islower((unsigned char)s[1]))
			s++;
	}
	r = arena_dup(p->a, sb_cstr(&b), b.n);
	sb_free(&b);
	return r;
}

bool it_rx(struct prog *p, const char *pattern, const char *s)
{
	struct intent_rx *r = p->rx;
	pcre2_match_data *md;
	PCRE2_SIZE at;
	int err, k;

	while (r && strcmp(r->pattern, pattern) != 0)
		r = r->next;
	if (!r) {
		r = arena_new_of(p->a, struct intent_rx);
		r->pattern = arena_dup(p->a, pattern, strlen(pattern));
		r->code = pcre2_compile((PCRE2_SPTR)expanded(p, pattern), PCRE2_ZERO_TERMINATED, PCRE2_CASELESS | PCRE2_DOTALL | PCRE2_UTF | PCRE2_UCP, &err, &at, NULL);
		r->next = p->rx;
		p->rx = r;
		if (!r->code && !p->malformed)
			p->malformed = "a pattern that is no regular expression";
	}
	if (!r->code)
		return false;
	md = pcre2_match_data_create(1, NULL);
	k = pcre2_match(r->code, (PCRE2_SPTR)s, strlen(s), 0, 0, md, NULL);
	pcre2_match_data_free(md);
	return k >= 0;
}

const char *it_pattern_of(struct prog *p, json_t *x)
{
	struct strbuf b = { 0 };
	json_t *v;
	size_t i;
	const char *r;

	if (json_is_string(x))
		return json_string_value(x);
	if (!json_array_size(x) && !p->malformed)
		p->malformed = "a pattern is a string or a list of them";
	json_array_foreach(x, i, v) {
		sb_f(&b, "%s%s", i ? "|" : "", json_is_string(v) ? json_string_value(v) : "");
	}
	r = arena_dup(p->a, sb_cstr(&b), b.n);
	sb_free(&b);
	return r;
}

bool it_like(struct prog *p, json_t *pattern, const char *s)
{
	return !pattern || it_rx(p, it_pattern_of(p, pattern), s);
}

bool it_say(struct strbuf *why, const char *fmt, ...)
{
	va_list ap;

	why->n = 0;
	va_start(ap, fmt);
	sb_vf(why, fmt, ap);
	va_end(ap);
	return false;
}

/* ---- selectors ---- */

bool *it_marks(struct prog *p)
{
	return arena_alloc(p->a, p->n + 1);
}


const char *it_str_at(json_t *o, const char *key)
{
	json_t *v = json_object_get(o, key);

	return json_is_string(v) ? json_string_value(v) : "";
}

bool it_word_in(const char *words, const char *w)
{
	size_t n = strlen(w);

	for (const char *s = words; (s = strstr(s, w)); s += n)
		if (n && (s == words || s[-1] == ' ') && (!s[n] || s[n] == ' '))
			return true;
	return false;
}

bool it_is_kind(json_t *node, const char *kinds)
{
	return it_word_in(kinds, it_str_at(node, "kind"));
}

const char *it_plain(struct prog *p, const char *s)
{
	struct strbuf b = { 0 };
	const char *r;

	for (const char *q = s; *q; q++) {
		if (strchr("_-./", *q)) {
			if (!b.n || b.s[b.n - 1] != ' ')
				sb_ch(&b, ' ');
			continue;
		}
		if (q > s && isupper((unsigned char)*q) && (islower((unsigned char)q[-1]) || isdigit((unsigned char)q[-1])))
			sb_ch(&b, ' ');
		sb_ch(&b, *q);
	}
	r = arena_dup(p->a, sb_cstr(&b), b.n);
	sb_free(&b);
	return r;
}

const char *it_body_text(struct prog *p, json_t *node)
{
	struct strbuf b = { 0 };
	const char *key, *r;
	json_t *v, *op;
	size_t i;

	sb_f(&b, "%s\n%s\n%s", it_str_at(node, "doc"), it_str_at(node, "text"), it_str_at(node, "image"));
	json_object_foreach(json_object_get(node, "outputs"), key, v) {
		sb_f(&b, "\n%s", key);
	}
	json_array_foreach(json_object_get(json_object_get(node, "dataflow"), "ops"), i, op) {
		sb_f(&b, "\n%s\n%s", it_str_at(op, "name"), it_str_at(op, "text"));
	}
	r = arena_dup(p->a, sb_cstr(&b), b.n);
	sb_free(&b);
	return r;
}

static bool name_fits(struct prog *p, json_t *node, const char *like, const char *no)
{
	const char *names[2] = { it_str_at(node, "name"), it_str_at(node, "calls") };

	for (int i = 0; i < 2; i++) {
		const char *s = it_plain(p, names[i]);

		if (*s && it_rx(p, like, s) && !(no && it_rx(p, no, s)))
			return true;
	}
	return false;
}

static bool body_fits(struct prog *p, json_t *node, const char *like, const char *no)
{
	const char *a = it_plain(p, it_str_at(node, "name")), *b = it_plain(p, it_str_at(node, "calls"));

	return it_rx(p, like, it_body_text(p, node)) && !(no && ((*a && it_rx(p, no, a)) || (*b && it_rx(p, no, b))));
}

static const char *kinds_of(struct prog *p, json_t *kind)
{
	struct strbuf b = { 0 };
	const char *r;
	json_t *v;
	size_t i;

	if (!kind)
		return "step sweep wait service group";
	if (json_is_string(kind))
		return json_string_value(kind);
	json_array_foreach(kind, i, v) {
		sb_f(&b, "%s%s", i ? " " : "", json_is_string(v) ? json_string_value(v) : "");
	}
	r = arena_dup(p->a, sb_cstr(&b), b.n);
	sb_free(&b);
	return r;
}

uint32_t it_choose(struct prog *p, json_t *sel, bool tiers, bool *hit)
{
	bool object = json_is_object(sel), by_name;
	json_t *names = object ? json_object_get(sel, "name_like") : sel;
	const char *kinds, *like, *no = NULL;
	uint32_t k = 0;

	memset(hit, 0, p->n);
	if (!sel && !p->malformed)
		p->malformed = "an assertion about steps does not say which";
	if (!sel || (object && !it_need(p, sel, "name_like not_like kind where")))
		return 0;
	kinds = kinds_of(p, object ? json_object_get(sel, "kind") : NULL);
	like = names ? it_pattern_of(p, names) : NULL;
	if (object && json_object_get(sel, "not_like"))
		no = it_pattern_of(p, json_object_get(sel, "not_like"));
	by_name = !strcmp(it_str_at(sel, "where"), "name");
	for (uint32_t i = 0; i < p->n; i++)
		if (it_is_kind(p->node[i], kinds) && (!like || name_fits(p, p->node[i], like, no) || (tiers && !by_name && body_fits(p, p->node[i], like, no)))) {
			hit[i] = true;
			k++;
		}
	if (k || !like || by_name || tiers)
		return k;
	for (uint32_t i = 0; i < p->n; i++)
		if (it_is_kind(p->node[i], kinds) && body_fits(p, p->node[i], like, no)) {
			hit[i] = true;
			k++;
		}
	return k;
}

/* ---- precedence: what follows a region follows all in it; an `on` block follows everything else ---- */

bool it_within(const struct prog *p, uint32_t node, uint32_t region)
{
	for (int i = p->parent[node]; i >= 0; i = p->parent[i])
		if (i == (int)region)
			return true;
	return false;
}

static void follow(struct prog *p, uint32_t from, const bool *own, bool *seen, bool *todo)
{
	for (int at = (int)from; at >= 0; at = p->parent[at]) {
		for (uint32_t e = 0; e < p->nedges; e++) {
			uint32_t t = p->edge[e].b;

			if ((int)p->edge[e].a != at || own[t] || seen[t])
				continue;
			for (uint32_t i = 0; i < p->n; i++)
				if ((i == t || it_within(p, i, t)) && !seen[i])
					seen[i] = todo[i] = true;
		}
	}
}

void it_after_set(struct prog *p, uint32_t start, bool *seen)
{
	bool *own = xcalloc(p->n, 1), *todo = xcalloc(p->n, 1), more = true;

	memset(seen, 0, p->n);
	for (int i = (int)start; i >= 0; i = p->parent[i])
		own[i] = true;
	follow(p, start, own, seen, todo);
	while (more) {
		more = false;
		for (uint32_t i = 0; i < p->n; i++)
			if (todo[i]) {
				todo[i] = false;
				more = true;
				follow(p, i, own, seen, todo);
			}
	}
	free(own);
	free(todo);
}

/* ---- values ---- */

json_t *it_dig(json_t *o, const char *path)
{
	for (;;) {
		const char *dot = strchr(path, '.');
		json_t *v = json_object_get(o, path);            /* a dotted key is found when it is the last part */
		char key[128];

		if (v || !dot || (size_t)(dot - path) >= sizeof key)
			return v;
		memcpy(key, path, (size_t)(dot - path));
		key[dot - path] = 0;
		o = json_object_get(o, key);
		path = dot + 1;
	}
}

bool it_number_of(json_t *v, double *out)
{
	char *end;

	if (json_is_number(v)) {
		*out = json_number_value(v);
		return true;
	}
	if (!json_is_string(v) || !*json_string_value(v))
		return false;
	*out = strtod(json_string_value(v), &end);
	return !*end && isfinite(*out);
}

bool it_near_to(double a, double b)
{
	return fabs(a - b) <= 1e-6 * fmax(fmax(fabs(a), fabs(b)), 1e-12);
}

static bool bytes_of(json_t *v, double *out)
{
	static const struct { const char *unit; double n; } units[] = { { "", 1 }, { "B", 1 }, { "K", 1e3 }, { "KB", 1e3 }, { "M", 1e6 }, { "MB", 1e6 }, { "G", 1e9 }, { "GB", 1e9 }, { "T", 1e12 }, { "TB", 1e12 },
		{ "Ki", 0x1p10 }, { "Mi", 0x1p20 }, { "Gi", 0x1p30 }, { "Ti", 0x1p40 }, { "KiB", 0x1p10 }, { "MiB", 0x1p20 }, { "GiB", 0x1p30 }, { "TiB", 0x1p40 } };
	char *end;

	if (json_is_number(v))
		return *out = json_number_value(v), true;
	if (!json_is_string(v))
		return false;
	*out = strtod(json_string_value(v), &end);
	while (*end == ' ')
		end++;
	for (size_t i = 0; end != json_string_value(v) && i < sizeof units / sizeof *units; i++)
		if (!strcmp(end, units[i].unit))
			return *out *= units[i].n, true;
	return false;
}

static bool seconds_of(json_t *v, double *out)
{
	static const struct { const char *unit; double s; } units[] = { { "ms", 1e-3 }, { "s", 1 }, { "m", 60 }, { "h", 3600 }, { "d", 86400 } };
	const char *s = json_is_string(v) ? json_string_value(v) : "";
	char *end;

	if (json_is_number(v))
		return *out = json_number_value(v), true;
	*out = 0;
	if (!*s)
		return false;
	while (*s) {
		double x = strtod(s, &end);
		size_t i = 0;

		while (i < 5 && strncmp(end, units[i].unit, strlen(units[i].unit)) != 0)
			i++;
		if (end == s || i == 5)
			return false;
		*out += x * units[i].s;
		s = end + strlen(units[i].unit);
	}
	return true;
}

static bool ends_in(const char *path, const char *words)
{
	const char *last = strrchr(path, '.');

	last = last ? last + 1 : path;
	for (const char *s = words; *s;) {
		size_t n = strcspn(s, " "), k = strlen(last);

		if (k >= n && !memcmp(last + k - n, s, n))
			return true;
		s += n + (s[n] == ' ');
	}
	return false;
}

static bool is_size(const char *path)
{
	return ends_in(path, "memory disk size");
}

static bool is_time(const char *path)
{
	return ends_in(path, "timeout backoff within ttl every for deadline keep");
}

static bool order_of(json_t *v, const char *path, double *out)
{
	return is_size(path) ? bytes_of(v, out) : is_time(path) ? seconds_of(v, out) : it_number_of(v, out);
}

static const char *as_text(json_t *v, char *buf, size_t n)
{
	if (json_is_string(v))
		return json_string_value(v);
	snprintf(buf, n, "%g", json_is_number(v) ? json_number_value(v) : (double)json_is_true(v));
	return buf;
}

static bool truth(json_t *v)
{
	return json_is_true(v) || (json_is_number(v) && json_number_value(v) != 0) || (json_is_string(v) && json_string_length(v)) || json_array_size(v) || json_object_size(v);
}

bool it_same(json_t *got, const char *path, json_t *want)
{
	double a, b;
	char x[64], y[64];
	json_t *w;
	size_t i;

	if (json_is_array(want) && !json_is_array(got)) {
		json_array_foreach(want, i, w) {
			if (it_same(got, path, w))
				return true;
		}
		return false;
	}
	if (json_is_boolean(want))
		return truth(got) == json_is_true(want);
	if (!got || json_is_null(got))
		return (!want || json_is_null(want) || (json_is_number(want) && json_number_value(want) == 0)) && ends_in(path, "gpu limit");
	if (is_size(path))
		return bytes_of(got, &a) && bytes_of(want, &b) && fabs(a - b) <= 0.10 * fmax(fabs(a), fabs(b));
	if (is_time(path))
		return seconds_of(got, &a) && seconds_of(want, &b) && it_near_to(a, b);
	if (it_number_of(got, &a) && it_number_of(want, &b))
		return it_near_to(a, b);
	if (json_is_array(got) || json_is_object(got) || json_is_array(want) || json_is_object(want))
		return json_equal(got, want);
	return !strcasecmp(as_text(got, x, sizeof x), as_text(want, y, sizeof y));
}

bool it_compare(json_t *got, const char *path, json_t *spec)
{
	static const char *const ops[] = { "ge", "le", "gt", "lt" };
	json_t *w, *v;
	size_t i;
	double a, b;

	if (json_is_array(got) && !json_is_array(json_object_get(spec, "eq"))) {
		bool asks = json_object_get(spec, "eq") || json_object_get(spec, "in");

		for (i = 0; i < 4; i++)
			asks = asks || json_object_get(spec, ops[i]);
		json_array_foreach(got, i, v) {
			if (asks && it_compare(v, path, spec))
				return true;
		}
		if (asks)
			return false;
	}
	if ((w = json_object_get(spec, "exists")) && truth(got) != json_is_true(w))
		return false;
	if ((w = json_object_get(spec, "eq")) && !it_same(got, path, w))
		return false;
	if ((w = json_object_get(spec, "in")) && !it_same(got, path, w))
		return false;
	for (i = 0; i < 4; i++) {
		w = json_object_get(spec, ops[i]);
		if (w && !(order_of(got, path, &a) && order_of(w, path, &b) && (i == 0 ? a >= b : i == 1 ? a <= b : i == 2 ? a > b : a < b)))
			return false;
	}
	return true;
}

bool it_any_near(json_t *want, double v)
{
	json_t *w;
	size_t i;

	if (json_is_number(want))
		return it_near_to(json_number_value(want), v);
	json_array_foreach(want, i, w) {
		if (json_is_number(w) && it_near_to(json_number_value(w), v))
			return true;
	}
	return false;
}

bool it_number_in_text(struct prog *p, json_t *want)
{
	const char *s = p->text;
	char *end;

	while (*s) {
		bool starts = s == p->text || !(isalnum((unsigned char)s[-1]) || s[-1] == '_' || s[-1] == '.');

		if (!starts || !(isdigit((unsigned char)*s) || (*s == '-' && isdigit((unsigned char)s[1])))) {
			s++;
			continue;
		}
		if (it_any_near(want, strtod(s, &end)))
			return true;
		s = end;
	}
	return false;
}

bool it_need(struct prog *p, json_t *arg, const char *allowed)
{
	const char *key;
	json_t *v;

	if (!json_is_object(arg)) {
		if (!p->malformed)
			p->malformed = "an assertion takes an object there";
		return false;
	}
	json_object_foreach(arg, key, v) {
		if (!it_word_in(allowed, key)) {
			if (!p->malformed)
				p->malformed = "a key that the assertion does not know";
			return false;
		}
	}
	return true;
}

bool it_listed_string(json_t *want, const char *s)
{
	json_t *w;
	size_t i;

	if (json_is_string(want))
		return !strcmp(json_string_value(want), s);
	json_array_foreach(want, i, w) {
		if (json_is_string(w) && !strcmp(json_string_value(w), s))
			return true;
	}
	return false;
}

/* ---- the program ---- */

static int index_of(json_t *at, const char *id)
{
	json_t *v = json_object_get(at, id);

	return v ? (int)json_integer_value(v) : -1;
}

bool it_prog_open(struct prog *p, json_t *facts, struct arena *a)
{
	json_t *nodes = json_object_get(facts, "nodes"), *at = json_object(), *v, *edges = json_object_get(facts, "edges");
	struct strbuf b = { 0 };
	size_t i;

	*p = (struct prog){ .a = a, .doc = facts, .n = (uint32_t)json_array_size(nodes) };
	p->node = arena_array(a, json_t *, p->n + 1);
	p->parent = arena_array(a, int, p->n + 1);
	json_array_foreach(nodes, i, v) {
		p->node[i] = v;
		json_object_set_new(at, it_str_at(v, "id"), json_integer((json_int_t)i));
		p->parent[i] = index_of(at, it_str_at(v, "parent"));
	}
	p->edge = arena_alloc(a, sizeof *p->edge * (json_array_size(edges) + (size_t)p->n * p->n + 1));
	json_array_foreach(edges, i, v) {
		int x = index_of(at, json_string_value(json_array_get(v, 0))), y = index_of(at, json_string_value(json_array_get(v, 1)));

		if (x >= 0 && y >= 0) {
			p->edge[p->nedges].a = (uint32_t)x;
			p->edge[p->nedges++].b = (uint32_t)y;
		}
	}
	for (uint32_t on = 0; on < p->n; on++)
		for (uint32_t k = 0; it_is_kind(p->node[on], "on") && k < p->n; k++)
			if (p->parent[k] == p->parent[on] && !it_is_kind(p->node[k], "on")) {
				p->edge[p->nedges].a = k;
				p->edge[p->nedges++].b = on;
			}
	sb_z(&b, it_str_at(facts, "source"));
	json_array_foreach(json_object_get(facts, "literals"), i, v) {
		sb_f(&b, "\n%s", json_string_value(v));
	}
	p->text = arena_dup(a, sb_cstr(&b), b.n);
	sb_free(&b);
	json_decref(at);
	return true;
}

void it_prog_close(struct prog *p)
{
	for (struct intent_rx *r = p->rx; r; r = r->next)
		pcre2_code_free(r->code);
	p->rx = NULL;
}
