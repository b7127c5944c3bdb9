/* Single values of attributes: their forms, the usual slips, words, numbers, names. */
#include "attr.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- names ---- */

static bool is_alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
static bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_name(const char *s, size_t n)
{
	if (!n || !is_alpha(s[0]))
		return false;
	for (size_t i = 1; i < n; i++)
		if (!is_alpha(s[i]) && !is_digit(s[i]))
			return false;
	return true;
}

bool is_dns_label(const char *s, size_t n)
{
	if (!n || n > 63 || s[0] == '-' || s[n - 1] == '-')
		return false;
	for (size_t i = 0; i < n; i++)
		if (!(s[i] >= 'a' && s[i] <= 'z') && !is_digit(s[i]) && s[i] != '-')
			return false;
	return true;
}

bool is_dns_subdomain(const char *s, size_t n)
{
	size_t from = 0;

	if (!n || n > 253)
		return false;
	for (size_t i = 0; i <= n; i++)
		if (i == n || s[i] == '.') {
			if (!is_dns_label(s + from, i - from))
				return false;
			from = i + 1;
		}
	return true;
}

const char *reserved_name(const char *s, size_t n, bool env)
{
	static const struct { const char *name, *why; bool env_may; } names[] = {
		{ "PATH", "programs are found by it", true }, { "HOME", "programs find their settings by it", true }, { "LANG", "it sets the language of programs", true },
		{ "IFS", "the shell splits words by it", false }, { "PWD", "the shell sets it", false }, { "USER", "the system sets it", false },
		{ "SHELL", "the system sets it", false }, { "TMPDIR", "couler sets it", false }, { "UID", "the shell sets it", false },
		{ "EUID", "the shell sets it", false }, { "PPID", "the shell sets it", false }, { "ENV", "the shell reads it", false },
		{ "CDPATH", "the shell reads it", false }, { "RANDOM", "the shell sets it", false }, { "SECONDS", "the shell sets it", false },
		{ "LINENO", "the shell sets it", false }, { "OPTIND", "the shell sets it", false }, { "OPTARG", "the shell sets it", false },
		{ "SHLVL", "the shell sets it", false }, { "HOSTNAME", "the shell sets it", false }, { "_", "the shell sets it", false },
		{ "RANK", "distributed jobs are told by it", false }, { "WORLD_SIZE", "distributed jobs are told by it", false },
		{ "LOCAL_RANK", "distributed jobs are told by it", false }, { "MASTER_ADDR", "distributed jobs are told by it", false },
		{ "MASTER_PORT", "distributed jobs are told by it", false }, { "TF_CONFIG", "distributed jobs are told by it", false },
	};
	static const struct { const char *prefix, *why; bool env_may; } prefixes[] = {
		{ "LC_", "such names set the language of programs", true }, { "LD_", "the loader reads such names", true }, { "BASH", "bash reads such names", false },
		{ "CW_", "couler sets such names", false }, { "cw_", "couler sets such names", false }, { "COULER_", "couler sets such names", false },
		{ "ARGO_", "Argo sets such names", false }, { "AIRFLOW_", "Airflow reads such names", false }, { "KUBERNETES_", "Kubernetes sets such names", false },
	};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strlen(names[i].name) == n && !memcmp(names[i].name, s, n))
			return env && names[i].env_may ? NULL : names[i].why;
	for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
		if (n >= strlen(prefixes[i].prefix) && !memcmp(prefixes[i].prefix, s, strlen(prefixes[i].prefix)))
			return env && prefixes[i].env_may ? NULL : prefixes[i].why;
	return NULL;
}

/* ---- source text ---- */

const char *span_text(const struct diag *d, struct span sp, uint32_t *n)
{
	const struct source *s = sp.file && sp.file < d->nsources ? d->sources[sp.file] : NULL;

	if (!s || (size_t)sp.off + sp.len > s->len) {
		*n = 0;
		return "";
	}
	*n = sp.len > 80 ? (uint32_t)utf8_valid(s->text + sp.off, 80) : sp.len;
	for (uint32_t i = 0; i < *n; i++)
		if ((unsigned char)s->text[sp.off + i] < ' ')
			*n = i;
	return s->text + sp.off;
}

static const char *key_what(struct elab *e, const struct ast_stmt *entry)
{
	return str_internf(e->strs, "'%s'", entry->name->s)->s;
}

const struct str *word_of(const struct ast_expr *x)
{
	return x->kind == AX_NAME ? x->name : x->kind == AX_STRING ? x->u.str : NULL;
}

/* ---- slips: what people write for numbers with units ---- */

/* "500m" as Kubernetes writes half a core. */
static bool millicores(const char *s, size_t n, double *cores)
{
	size_t i = 0;

	*cores = 0;
	for (; i < n && is_digit(s[i]); i++)
		*cores = *cores * 10 + (s[i] - '0');
	*cores /= 1000;
	return i > 0 && i + 1 == n && s[i] == 'm';
}

static bool all_digits(const struct str *s)
{
	uint32_t i = 0, dots = 0;

	for (; i < s->len && (is_digit(s->s[i]) || s->s[i] == '.'); i++)
		dots += s->s[i] == '.';
	return i == s->len && s->len && dots < 2 && is_digit(s->s[0]) && is_digit(s->s[s->len - 1]);
}

/* A number with a unit as others spell it, in ours: "2 hours" -> "2h", "16GiB" -> "16Gi", "512m" -> "512Mi". */
static bool unit_guess(const char *s, size_t n, enum type_kind want, struct strbuf *out)
{
	static const struct { const char *theirs, *ours; } sizes[] = {
		{ "gib", "Gi" }, { "gi", "Gi" }, { "g", "Gi" }, { "gb", "GB" }, { "mib", "Mi" }, { "mi", "Mi" }, { "m", "Mi" }, { "mb", "MB" }, { "kib", "Ki" },
		{ "ki", "Ki" }, { "k", "Ki" }, { "kb", "KB" }, { "tib", "Ti" }, { "ti", "Ti" }, { "t", "Ti" }, { "tb", "TB" }, { "b", "B" }, { "bytes", "B" },
	}, durations[] = {
		{ "s", "s" }, { "sec", "s" }, { "secs", "s" }, { "second", "s" }, { "seconds", "s" }, { "m", "m" }, { "min", "m" }, { "mins", "m" }, { "minute", "m" },
		{ "minutes", "m" }, { "h", "h" }, { "hr", "h" }, { "hrs", "h" }, { "hour", "h" }, { "hours", "h" }, { "d", "d" }, { "day", "d" }, { "days", "d" },
		{ "ms", "ms" }, { "milliseconds", "ms" },
	};
	size_t i = 0, k = 0, rows = want == T_SIZE ? sizeof sizes / sizeof *sizes : sizeof durations / sizeof *durations;
	char unit[16];

	while (i < n && (is_digit(s[i]) || s[i] == '.'))
		i++;
	sb_add(out, s, i);
	while (i < n && s[i] == ' ')
		i++;
	for (; i < n && k < sizeof unit - 1; i++)
		unit[k++] = (char)(is_alpha(s[i]) ? s[i] | 32 : s[i]);
	unit[k] = '\0';
	if (!out->n || !is_digit(out->s[0]) || i < n)
		return false;
	for (size_t j = 0; j < rows; j++) {
		const char *theirs = want == T_SIZE ? sizes[j].theirs : durations[j].theirs;

		if (!strcmp(theirs, unit)) {
			sb_z(out, want == T_SIZE ? sizes[j].ours : durations[j].ours);
			return true;
		}
	}
	return false;
}

static bool slip_unit(struct elab *e, const struct ast_expr *x, const char *what, enum type_kind want)
{
	const char *example = want == T_SIZE ? "16Gi" : "90s";
	struct strbuf b = { 0 };
	struct diag_item *it;
	uint32_t n;
	const char *text = span_text(e->diag, x->span, &n);

	if (x->kind == AX_INT || x->kind == AX_FLOAT) {
		it = diag_at(e->diag, CW0414, x->span, "%s is a %s and needs a unit", what, type_name(want));
		if (want == T_SIZE)
			diag_mend(e->diag, it, "write %.*s%s; units are B KB MB GB TB and Ki Mi Gi Ti", (int)n, text, x->kind == AX_INT && x->u.i >= 1 << 20 ? "B" : "Gi");
		else
			diag_mend(e->diag, it, "write %.*ss; units are ms s m h d", (int)n, text);
		return true;
	}
	if (x->kind == AX_STRING) {
		it = diag_at(e->diag, CW0414, x->span, "%s is a %s, and \"%s\" is none", what, type_name(want), x->u.str->len <= 60 ? x->u.str->s : "...");
		if (unit_guess(x->u.str->s, x->u.str->len, want, &b))
			diag_mend(e->diag, it, "write %s", sb_cstr(&b));
		else if (all_digits(x->u.str))
			diag_mend(e->diag, it, "write %s%s", x->u.str->s, want == T_SIZE ? "Gi" : "s");
		else
			diag_mend(e->diag, it, "write it like %s", example);
	} else if (x->kind == (want == T_SIZE ? AX_DURATION : AX_SIZE)) {
		it = diag_at(e->diag, CW0414, x->span, "%s is a %s, and %.*s is a %s", what, type_name(want), (int)n, text, type_name(want == T_SIZE ? T_DURATION : T_SIZE));
		if (unit_guess(text, n, want, &b))
			diag_mend(e->diag, it, "write %s", sb_cstr(&b));
		else
			diag_mend(e->diag, it, "write it like %s", example);
	} else {
		return false;
	}
	sb_free(&b);
	return true;
}

static bool slip_number(struct elab *e, const struct ast_expr *x, const struct attr_row *row, const char *what, enum type_kind want)
{
	bool cpu = row && strstr(row->key, "cpu");
	struct diag_item *it;
	double cores;
	uint32_t n;
	const char *text = span_text(e->diag, x->span, &n);

	if (x->kind == AX_DURATION || x->kind == AX_SIZE) {
		it = diag_at(e->diag, CW0414, x->span, cpu ? "%s is a number of cores, and %.*s is a %s" : "%s is a number, and %.*s is a %s", what, (int)n, text,
			x->kind == AX_SIZE ? "size" : "duration");
		if (cpu && millicores(text, n, &cores))
			diag_mend(e->diag, it, "write %s = %g", row->key, cores);
		else
			diag_mend(e->diag, it, "write a number without a unit");
		return true;
	}
	if (x->kind != AX_STRING && x->kind != AX_BOOL)
		return false;
	it = diag_at(e->diag, CW0414, x->span, "%s is %s", what, want == T_INT ? "an int" : "a number");
	if (x->kind == AX_STRING && cpu && millicores(x->u.str->s, x->u.str->len, &cores))
		diag_mend(e->diag, it, "write %s = %g", row->key, cores);
	else if (x->kind == AX_STRING && all_digits(x->u.str))
		diag_mend(e->diag, it, "write %s, without quotes", x->u.str->s);
	else
		diag_mend(e->diag, it, "write a number, for example 2");
	return true;
}

bool slip_report(struct elab *e, const struct ast_expr *x, const struct attr_row *row, enum type_kind want)
{
	const char *what = row->what;
	struct diag_item *it;
	double d;

	if (x->kind == AX_NULL) {
		it = diag_at(e->diag, CW0414, x->span, "%s takes no null", what);
		diag_mend(e->diag, it, "leave the key out");
		return true;
	}
	if (want == T_SIZE || want == T_DURATION) {
		if (x->kind == AX_STRING && !(want == T_SIZE ? size_parse(x->u.str->s, x->u.str->len, &d) : duration_parse(x->u.str->s, x->u.str->len, &d)))
			return false;
		return slip_unit(e, x, what, want);
	}
	if (want == T_INT || want == T_FLOAT)
		return slip_number(e, x, row, what, want);
	return false;
}

struct expr *quoted_unit(struct elab *e, const struct ast_expr *x, enum type_kind want)
{
	struct value *v;
	double d;

	if (x->kind != AX_STRING || (want != T_SIZE && want != T_DURATION))
		return NULL;
	if (want == T_SIZE ? size_parse(x->u.str->s, x->u.str->len, &d) : duration_parse(x->u.str->s, x->u.str->len, &d))
		return NULL;
	v = arena_new_of(e->arena, struct value);
	v->type = type_of(want);
	if (want == T_SIZE)
		v->u.i = (int64_t)d;
	else
		v->u.d = d;
	return expr_lit(e->arena, v, x->span);
}

/* ---- entries of one form ---- */

/* A row for messages about an entry that may be of any statement. */
static struct attr_row entry_row(struct elab *e, const struct ast_stmt *entry)
{
	struct attr_row r = { .key = entry->name->s, .what = key_what(e, entry) };

	return r;
}

static const struct value *entry_const(struct elab *e, struct scope *s, const struct ast_stmt *entry, enum type_kind want)
{
	struct attr_row row = entry_row(e, entry);
	const struct ast_expr *x = entry->value;
	struct expr *lit;

	if (!x || x->kind == AX_ERROR || slip_report(e, x, &row, want))
		return NULL;
	lit = quoted_unit(e, x, want);
	return lit ? lit->u.lit : elab_const(e, s, x, type_of(want), row.what);
}

int entry_bool(struct elab *e, struct scope *s, const struct ast_stmt *entry, bool *out)
{
	static const struct { const char *word; bool value; } words[] = {
		{ "true", true }, { "True", true }, { "TRUE", true }, { "yes", true }, { "on", true }, { "false", false }, { "False", false }, { "FALSE", false },
		{ "no", false }, { "off", false },
	};
	const struct ast_expr *x = entry->value;
	const struct str *w = x ? word_of(x) : NULL;
	const struct value *v;
	struct diag_item *it;

	for (size_t i = 0; w && i < sizeof words / sizeof *words; i++)
		if (str_eq(w, words[i].word) && !(x->kind == AX_NAME && scope_find(s, w))) {
			it = diag_at(e->diag, CW0414, x->span, "'%s' is true or false", entry->name->s);
			diag_mend(e->diag, it, "write %s = %s", entry->name->s, words[i].value ? "true" : "false");
			return -1;
		}
	if (x && x->kind == AX_INT && (x->u.i == 0 || x->u.i == 1)) {
		it = diag_at(e->diag, CW0414, x->span, "'%s' is true or false", entry->name->s);
		diag_mend(e->diag, it, "write %s = %s", entry->name->s, x->u.i ? "true" : "false");
		return -1;
	}
	v = entry_const(e, s, entry, T_BOOL);
	if (!v)
		return -1;
	*out = v->u.b;
	return 0;
}

int entry_int(struct elab *e, struct scope *s, const struct ast_stmt *entry, int64_t lo, int64_t hi, int64_t *out)
{
	const struct value *v = entry_const(e, s, entry, T_INT);

	if (!v)
		return -1;
	if (v->u.i < lo || v->u.i > hi) {
		if (hi >= INT_LIMIT)
			diag_at(e->diag, CW0415, entry->value->span, "'%s' is at least %lld", entry->name->s, (long long)lo);
		else
			diag_at(e->diag, CW0415, entry->value->span, "'%s' is %lld to %lld", entry->name->s, (long long)lo, (long long)hi);
		return -1;
	}
	*out = v->u.i;
	return 0;
}

/* Whether some row with this key is in whole seconds. */
static bool whole_seconds(const struct ast_stmt *entry)
{
	for (uint32_t i = 0; i < ATTR_COUNT; i++)
		if (attr_rows[i].form == FORM_SECONDS && str_eq(entry->name, attr_rows[i].key))
			return true;
	return false;
}

int entry_duration(struct elab *e, struct scope *s, const struct ast_stmt *entry, double *sec)
{
	const struct value *v = entry_const(e, s, entry, T_DURATION);
	struct diag_item *it;

	if (!v)
		return -1;
	if (v->u.d < 0) {
		diag_at(e->diag, CW0415, entry->value->span, "'%s' cannot be negative", entry->name->s);
		return -1;
	}
	if (whole_seconds(entry) && (v->u.d != floor(v->u.d) || v->u.d < 1)) {
		it = diag_at(e->diag, CW0415, entry->value->span, "'%s' is in whole seconds, at least 1s", entry->name->s);
		diag_mend(e->diag, it, "write %.0fs", ceil(v->u.d) < 1 ? 1 : ceil(v->u.d));
		return -1;
	}
	*sec = v->u.d;
	return 0;
}

int entry_size(struct elab *e, struct scope *s, const struct ast_stmt *entry, double *bytes)
{
	const struct value *v = entry_const(e, s, entry, T_SIZE);

	if (!v)
		return -1;
	if (v->u.i < 0) {
		diag_at(e->diag, CW0415, entry->value->span, "'%s' cannot be negative", entry->name->s);
		return -1;
	}
	*bytes = (double)v->u.i;
	return 0;
}

int entry_string(struct elab *e, struct scope *s, const struct ast_stmt *entry, const struct str **out)
{
	const struct ast_expr *x = entry->value;
	const struct value *v;
	struct diag_item *it;
	uint32_t n;
	const char *text;

	if (x && (x->kind == AX_INT || x->kind == AX_FLOAT)) {
		text = span_text(e->diag, x->span, &n);
		it = diag_at(e->diag, CW0414, x->span, "'%s' is a string", entry->name->s);
		diag_mend(e->diag, it, "write %s = \"%.*s\"", entry->name->s, (int)n, text);
		return -1;
	}
	v = entry_const(e, s, entry, T_STRING);
	if (!v)
		return -1;
	*out = v->u.s;
	return 0;
}

static bool same_word(const char *a, const char *b)
{
	for (; *a && *b; a++, b++)
		if ((*a | 32) != (*b | 32))
			return false;
	return *a == *b;
}

int entry_word(struct elab *e, struct scope *s, const struct ast_stmt *entry, const char *const *words, uint32_t n, uint32_t *out)
{
	const struct ast_expr *x = entry->value;
	const struct str *w = x ? word_of(x) : NULL;
	struct strbuf b = { 0 };
	const char *near = NULL;
	struct diag_item *it;

	(void)s;
	if (!x || x->kind == AX_ERROR)
		return -1;
	for (uint32_t i = 0; w && i < n; i++) {
		if (str_eq(w, words[i])) {
			*out = i;
			return 0;
		}
		if (same_word(w->s, words[i]))
			near = words[i];
	}
	for (uint32_t i = 0; i < n; i++)
		sb_f(&b, "%s%s", i == 0 ? "" : i + 1 == n ? " or " : ", ", words[i]);
	if (w && !near && w->len < 60)
		near = nearest(w->s, w->len, words, n);
	it = diag_at(e->diag, CW0416, x->span, "'%s' is %s", entry->name->s, sb_cstr(&b));
	if (near)
		diag_label(e->diag, it, "did you mean '%s'?", near);
	diag_mend(e->diag, it, "write %s = %s", entry->name->s, near ? near : words[0]);
	sb_free(&b);
	return -1;
}
