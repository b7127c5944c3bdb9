/* Engines outside of the tree (docs/backends.md): the description, the request and the answer, as JSON. */
#include "couler/backend.h"
#include "couler/program.h"

#include <dirent.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#define PROTOCOL 1
#define DESCRIBE_SECONDS 10
#define EMIT_SECONDS 120

static int limit(int seconds)
{
	const char *s = getenv("COULER_BACKEND_TIMEOUT");
	char *end;
	long n = s ? strtol(s, &end, 10) : 0;

	return s && *s && !*end && n > 0 && n < INT_MAX / 1000 ? (int)n : seconds;
}

/* One message about the program itself. */
static int wrong(struct diag *d, const char *path, const char *fmt, ...)
{
	struct strbuf b = { 0 };
	va_list ap;

	va_start(ap, fmt);
	sb_vf(&b, fmt, ap);
	va_end(ap);
	diag_at(d, CW0810, (struct span){ 0 }, "%s %s", path, sb_cstr(&b));
	sb_free(&b);
	return -1;
}

/* ---- the description ---- */

struct describe { struct arena *a; struct diag *d; const char *path; };

/* A text member; NULL when it is absent (after a message if it had to be there) or no text. */
static const char *text(struct describe *x, const json_t *o, const char *where, const char *key, bool required)
{
	json_t *v = json_object_get(o, key);

	if (json_is_string(v))
		return arena_dup(x->a, json_string_value(v), json_string_length(v));
	if (v || required)
		wrong(x->d, x->path, "--describe: %s%s%s: expected a text%s", where, *where ? "." : "", key, v ? "" : ", it is missing");
	return NULL;
}

static int option(struct describe *x, const json_t *o, size_t i, struct optdesc *t)
{
	static const struct { const char *word; enum opt_type type; } types[] = {
		{ "bool", OPT_BOOL }, { "int", OPT_INT }, { "string", OPT_STRING }, { "enum", OPT_ENUM }, { "size", OPT_SIZE }, { "duration", OPT_DURATION },
	};
	char where[40];
	const char *type;
	size_t k = 0;

	snprintf(where, sizeof where, "options[%zu]", i);
	t->name = text(x, o, where, "name", true);
	t->help = text(x, o, where, "help", true);
	type = text(x, o, where, "type", true);
	t->dflt = text(x, o, where, "default", false);
	t->values = text(x, o, where, "values", false);
	if (!t->name || !t->help || !type)
		return -1;
	while (k < sizeof types / sizeof *types && strcmp(types[k].word, type))
		k++;
	if (k == sizeof types / sizeof *types)
		return wrong(x->d, x->path, "--describe: %s.type: expected bool, int, string, enum, size or duration, got '%s'", where, type);
	t->type = types[k].type;
	if (t->type == OPT_ENUM && !t->values)
		return wrong(x->d, x->path, "--describe: %s.values: an enum needs its values, such as \"a|b\"", where);
	return 0;
}

static int options(struct describe *x, const json_t *root, struct backend *b)
{
	const json_t *v = json_object_get(root, "options");
	struct optdesc *t = arena_array(x->a, struct optdesc, json_array_size(v) + 1);
	json_t *o;
	size_t i;

	if (v && !json_is_array(v))
		return wrong(x->d, x->path, "--describe: options: expected a list");
	json_array_foreach(v, i, o)
		if (option(x, o, i, &t[i]))
			return -1;
	b->opts = t;
	return 0;
}

static int feature(struct describe *x, const char *list, size_t i, const char *name)
{
	for (int f = 0; name && f < FEAT_COUNT; f++)
		if (!strcmp(features[f].name, name))
			return f;
	return wrong(x->d, x->path, "--describe: %s[%zu]: no feature '%s'; docs/backends.md lists them", list, i, name ? name : "");
}

/* carries: names of features, all others are refused; refuses: {feature, why, instead}. */
static int capabilities(struct describe *x, const json_t *root, struct backend *b)
{
	const json_t *carries = json_object_get(root, "carries"), *refuses = json_object_get(root, "refuses");
	struct cap *caps = arena_array(x->a, struct cap, FEAT_COUNT + 1), *cap = caps;
	bool no[FEAT_COUNT], said[FEAT_COUNT] = { false };
	json_t *o;
	size_t i;
	int f;

	if ((carries && !json_is_array(carries)) || (refuses && !json_is_array(refuses)))
		return wrong(x->d, x->path, "--describe: %s: expected a list", carries && !json_is_array(carries) ? "carries" : "refuses");
	for (f = 0; f < FEAT_COUNT; f++)
		no[f] = carries != NULL;
	json_array_foreach(carries, i, o) {
		if ((f = feature(x, "carries", i, json_string_value(o))) < 0)
			return -1;
		no[f] = false;
	}
	json_array_foreach(refuses, i, o) {
		char where[40];
		const char *why, *instead;

		snprintf(where, sizeof where, "refuses[%zu]", i);
		if ((f = feature(x, "refuses", i, json_string_value(json_object_get(o, "feature")))) < 0)
			return -1;
		why = text(x, o, where, "why", true);
		instead = text(x, o, where, "instead", true);
		if (!why || !instead)
			return -1;
		if (!said[f])
			*cap++ = (struct cap){ f, why, instead, NULL };
		said[f] = true;
	}
	for (f = 0; f < FEAT_COUNT; f++)
		if (no[f] && !said[f])
			*cap++ = (struct cap){ f, "it has no counterpart there", "write it otherwise, or compile for another engine; `couler backends` lists them", NULL };
	cap->feature = -1;
	b->caps = caps;
	return 0;
}

static json_t *json(const char *path, const char *what, const struct strbuf *s, struct diag *d)
{
	json_error_t err;
	json_t *root = json_loadb(s->s ? s->s : "", s->n, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &err);

	if (!s->n)
		wrong(d, path, "%sanswered nothing", what);
	else if (!root)
		wrong(d, path, "%sanswered what is no JSON: line %d, column %d: %s", what, err.line, err.column, err.text);
	else if (!json_is_object(root))
		wrong(d, path, "%sanswered JSON that is no object", what);
	if (root && !json_is_object(root)) {
		json_decref(root);
		root = NULL;
	}
	return root;
}

static int describe(struct describe *x, const json_t *root, struct backend *b)
{
	const json_t *version = json_object_get(root, "couler_backend");

	if (!json_is_integer(version))
		return wrong(x->d, x->path, "--describe: couler_backend: expected the version of the protocol, %d", PROTOCOL);
	if (json_integer_value(version) != PROTOCOL)
		return wrong(x->d, x->path, "speaks version %lld of the protocol, this couler speaks %d", (long long)json_integer_value(version), PROTOCOL);
	b->help = text(x, root, "", "help", true);
	b->suffix = text(x, root, "", "suffix", true);
	b->container = json_is_true(json_object_get(root, "container"));
	return !b->help || !b->suffix || options(x, root, b) || capabilities(x, root, b) ? -1 : 0;
}

const struct backend *external_find(struct arena *a, const char *name, struct diag *d)
{
	struct strbuf file = { 0 }, out = { 0 }, why = { 0 };
	struct backend *b = arena_new_of(a, struct backend);
	struct describe x = { a, d, NULL };
	json_t *root = NULL;
	int rc = -1;

	sb_f(&file, EXTERNAL_PREFIX "%s", name);
	b->name = arena_dup(a, name, strlen(name));
	b->program = x.path = strchr(name, '/') ? NULL : program_path(a, sb_cstr(&file));
	if (b->program) {
		if (program_run((const char *const[]){ b->program, "--describe", NULL }, "", 0, limit(DESCRIBE_SECONDS), &out, &why))
			wrong(d, b->program, "--describe %s", sb_cstr(&why));
		else if ((root = json(b->program, "--describe ", &out, d)))
			rc = describe(&x, root, b);
	}
	json_decref(root);
	sb_free(&file);
	sb_free(&out);
	sb_free(&why);
	return rc ? NULL : b;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

const char **external_names(struct arena *a)
{
	size_t n = 0, cap = 16, plen = strlen(EXTERNAL_PREFIX);
	const char **v = xcalloc(cap, sizeof *v), **out;

	for (const char *p = getenv("PATH"); p && *p; p += strcspn(p, ":"), p += *p == ':') {
		char *folder = arena_dup(a, p, strcspn(p, ":"));
		DIR *dir = opendir(folder);

		for (struct dirent *e = dir ? readdir(dir) : NULL; e; e = readdir(dir)) {
			if (strncmp(e->d_name, EXTERNAL_PREFIX, plen) || !e->d_name[plen] || !program_path(a, e->d_name))
				continue;
			if (n == cap)
				v = xrealloc(v, (cap *= 2) * sizeof *v);
			v[n++] = arena_dup(a, e->d_name + plen, strlen(e->d_name + plen));
		}
		if (dir)
			closedir(dir);
	}
	qsort(v, n, sizeof *v, by_name);
	out = arena_array(a, const char *, n + 1);
	for (size_t i = 0, k = 0; i < n; i++)
		if (!k || strcmp(out[k - 1], v[i]))
			out[k++] = v[i];
	free(v);
	return out;
}

/* ---- the request ---- */

static void request(const struct backend *b, const struct ir *m, const struct optset *o, struct strbuf *out)
{
	sb_f(out, "{\"couler_backend\": %d, \"couler\": \"%s\", \"target\": ", PROTOCOL, COULER_VERSION);
	sb_json(out, b->name, strlen(b->name));
	sb_z(out, ", \"options\": {");
	for (const struct optdesc *t = b->opts; t->name; t++) {
		const char *v = opt_string(o, b->name, b->opts, t->name);

		sb_z(out, t == b->opts ? "" : ", ");
		sb_json(out, t->name, strlen(t->name));
		sb_z(out, ": ");
		if (!v)
			sb_z(out, "null");
		else if (t->type == OPT_BOOL)
			sb_z(out, opt_bool(o, b->name, b->opts, t->name) ? "true" : "false");
		else if (t->type == OPT_STRING || t->type == OPT_ENUM)
			sb_json(out, v, strlen(v));
		else
			sb_f(out, "%lld", (long long)opt_int(o, b->name, b->opts, t->name));
	}
	sb_z(out, "},\n\"ir\": ");
	ir_write_json(m, out);
	sb_z(out, "}\n");
}

/* ---- the answer ---- */

/* [file, offset, length] as in the IR; no place when it is none. */
static struct span span_of(const json_t *v, const struct diag *d)
{
	json_int_t file = json_integer_value(json_array_get(v, 0)), off = json_integer_value(json_array_get(v, 1)), len = json_integer_value(json_array_get(v, 2));

	if (json_array_size(v) != 3 || file < 1 || file >= (json_int_t)d->nsources || off < 0 || len < 0 || (size_t)off > d->sources[file]->len || (size_t)len > d->sources[file]->len - (size_t)off)
		return (struct span){ 0 };
	return (struct span){ (uint32_t)file, (uint32_t)off, (uint32_t)len };
}

static int report(const struct backend *b, const json_t *list, bool *refused, struct diag *d)
{
	json_t *o;
	size_t i;

	if (list && !json_is_array(list))
		return wrong(d, b->program, "answered: diagnostics: expected a list");
	json_array_foreach(list, i, o) {
		const char *severity = json_string_value(json_object_get(o, "severity")), *message = json_string_value(json_object_get(o, "message"));
		const char *mend = json_string_value(json_object_get(o, "mend"));
		bool error = severity && !strcmp(severity, "error");
		struct diag_item *it;

		if (!message || !severity || (!error && strcmp(severity, "warning")))
			return wrong(d, b->program, "answered: diagnostics[%zu]: expected a severity (error, warning) and a message", i);
		it = diag_at(d, error ? CW0811 : CW0812, span_of(json_object_get(o, "span"), d), "%s: %s", b->name, message);
		if (mend)
			diag_mend(d, it, "%s", mend);
		*refused |= error;
	}
	return 0;
}

/* A relative path that stays in its folder. */
static bool inside(const char *path, size_t n)
{
	if (!n || *path == '/' || memchr(path, '\0', n))
		return false;
	for (const char *p = path; *p; p += strcspn(p, "/"), p += *p == '/') {
		size_t k = strcspn(p, "/");

		if (!k || (k == 1 && p[0] == '.') || (k == 2 && p[0] == '.' && p[1] == '.'))
			return false;
	}
	return path[n - 1] != '/';
}

static int answer_file(const struct backend *b, const json_t *o, size_t i, struct arena *a, struct outfile *f, struct diag *d)
{
	const json_t *path = json_object_get(o, "path"), *s = json_object_get(o, "text");

	if (!json_is_string(s))
		return wrong(d, b->program, "answered: files[%zu].text: expected a text", i);
	if (i && (!json_is_string(path) || !inside(json_string_value(path), json_string_length(path))))
		return wrong(d, b->program, "answered: files[%zu].path: expected a relative path that stays in the folder of the first file", i);
	f->path = i ? arena_dup(a, json_string_value(path), json_string_length(path)) : NULL;
	f->text = arena_dup(a, json_string_value(s), json_string_length(s));
	f->len = json_string_length(s);
	f->executable = json_is_true(json_object_get(o, "executable"));
	return 0;
}

static int answer(const struct backend *b, const json_t *root, struct arena *a, struct outfiles *out, bool *refused, struct diag *d)
{
	const json_t *files = json_object_get(root, "files");
	json_t *o;
	size_t i;

	if (report(b, json_object_get(root, "diagnostics"), refused, d))
		return -1;
	if (*refused)
		return -1;
	if (!json_is_array(files) || !json_array_size(files))
		return wrong(d, b->program, "answered: files: expected a list of one file or more");
	out->n = json_array_size(files);
	out->v = arena_array(a, struct outfile, out->n);
	json_array_foreach(files, i, o)
		if (answer_file(b, o, i, a, &out->v[i], d))
			return -1;
	return 0;
}

int external_emit(const struct backend *b, const struct ir *m, const struct optset *o, struct arena *a, struct outfiles *out, bool *refused, struct diag *d)
{
	struct strbuf in = { 0 }, got = { 0 }, why = { 0 };
	json_t *root = NULL;
	int rc = -1;

	*refused = false;
	request(b, m, o, &in);
	if (program_run((const char *const[]){ b->program, NULL }, in.s, in.n, limit(EMIT_SECONDS), &got, &why))
		wrong(d, b->program, "%s", sb_cstr(&why));
	else if ((root = json(b->program, "", &got, d)))
		rc = answer(b, root, a, out, refused, d);
	json_decref(root);
	sb_free(&in);
	sb_free(&got);
	sb_free(&why);
	return rc;
}
