/* The pipeline: text to AST to IR through the passes to an engine's bytes. */
#include "driver.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <jansson.h>
#include <yaml.h>

#include "cli.h"
#include "couler/run.h"

#ifdef __SANITIZE_ADDRESS__
#define CHECKED true
#else
#define CHECKED false
#endif

struct job *job_new(void)
{
	struct arena *a = arena_new();
	struct job *j = arena_new_of(a, struct job);

	j->arena = a;
	j->strs = strtab_new(a);
	j->diag = diag_new(a);
	j->opts = optset_new(a);
	j->level = 1;
	j->color = -1;
	return j;
}

int job_args(struct job *j, const char *command, int argc, char **argv, int (*set)(const char *name, const char *value, void *data), void *data)
{
	const struct command *c = command_find(command);
	int n, rc = cli_parse(c, argc, argv, &n, set, data);

	if (rc)
		return rc;
	if (n != 1)
		return cli_usage(c, n ? "one file at a time" : "no file given");
	j->path = argv[0];
	return 0;
}

const struct backend *job_target(struct job *j, const char *name, int *rc)
{
	const struct backend *b = backend_find(name);
	const char *names[64], *near;
	size_t n = 0;

	if (b)
		return b;
	b = external_find(j->arena, name, j->diag);
	*rc = b ? 0 : j->diag->errors ? 3 : 2;
	if (b || *rc == 3)
		return b;
	for (const struct backend *const *i = backends; *i && n < 32; i++)
		names[n++] = (*i)->name;
	for (const char **i = external_names(j->arena); *i && n < 64; i++)
		names[n++] = *i;
	near = nearest(name, strlen(name), names, n);
	cli_fail(2, "no backend '%s', and no program " EXTERNAL_PREFIX "%s on PATH; %s%s%s", name, name, near ? "did you mean '" : "`couler backends` lists them", near ? near : "", near ? "'?" : "");
	return NULL;
}

void job_free(struct job *j)
{
	arena_free(j->arena);
}

/* --split-steps 200 is --set split.steps=200 */
static void set_split(struct job *j, const char *option, const char *value)
{
	vec_push(j->arena, &j->sets, str_internf(j->strs, "split.%s=%s", option, value)->s);
}

void job_runner_image(struct job *j, const char *image)
{
	struct strbuf b = { 0 };

	sb_f(&b, "argo.runner-image=%s", image);
	vec_push(j->arena, &j->sets, arena_dup(j->arena, b.s, b.n));
	vec_push(j->arena, &j->sets, "argo.dataflow=job");
	sb_free(&b);
}

int job_set(struct job *j, const char *name, const char *value)
{
	if (!strcmp(name, "param"))
		vec_push(j->arena, &j->params, value);
	else if (!strcmp(name, "param-file"))
		vec_push(j->arena, &j->param_files, value);
	else if (!strcmp(name, "set"))
		vec_push(j->arena, &j->sets, value);
	else if (!strcmp(name, "workflow"))
		j->workflow = value;
	else if (!strncmp(name, "split", 5))
		set_split(j, name[5] ? name + 6 : "method", value);
	else if (!strcmp(name, "passes"))
		j->passes = value;
	else if (!strcmp(name, "dump"))
		j->dump = value;
	else if (!strcmp(name, "remarks"))
		j->remarks = j->diag->remarks = true;
	else if (!strcmp(name, "optimize") && (!strcmp(value, "0") || !strcmp(value, "1"))) {
		j->level = value[0] - '0';
		j->local = false;
	} else if (!strcmp(name, "optimize"))
		return cli_fail(2, "-O takes 0 or 1, not '%s'", value);
	else if (!strcmp(name, "format"))
		return cli_format(value, &j->format) ? cli_fail(2, "--format takes text, json or sarif, not '%s'", value) : 0;
	else if (!strcmp(name, "color") && !strcmp(value, "auto"))
		j->color = -1;
	else if (!strcmp(name, "color") && (!strcmp(value, "always") || !strcmp(value, "never")))
		j->color = value[0] == 'a';
	else if (!strcmp(name, "color"))
		return cli_fail(2, "--color takes auto, always or never, not '%s'", value);
	else
		return 1;
	return 0;
}

static bool listed(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = list; p; p = strchr(p, ',') ? strchr(p, ',') + 1 : NULL)
		if (strcspn(p, ",") == n && !memcmp(p, word, n))
			return true;
	return false;
}

static void dump_module(const char *stage, const struct ir *m, void *data)
{
	struct job *j = data;
	struct strbuf b = { 0 };

	if (!j->dump || !listed(j->dump, stage))
		return;
	ir_write_json(m, &b);
	fprintf(stderr, "--- %s\n", stage);
	fwrite(b.s, 1, b.n, stderr);
	sb_free(&b);
}

/* --dump=tokens,ast: the entry file as the lexer and the parser see it. */
static void dump_text(struct job *j)
{
	struct strbuf b = { 0 };

	if (!j->dump || j->diag->nsources < 2)
		return;
	if (listed(j->dump, "tokens")) {
		sb_z(&b, "--- tokens\n");
		dump_tokens(j->diag, 1, &b);
	}
	if (listed(j->dump, "ast")) {
		struct diag *quiet = diag_new(j->arena);
		uint32_t source = diag_source(quiet, j->path, j->diag->sources[1]->text, j->diag->sources[1]->len);

		sb_z(&b, "--- ast\n");
		dump_ast(parse(j->arena, j->strs, quiet, source), &b);
	}
	if (b.n)
		fwrite(b.s, 1, b.n, stderr);
	sb_free(&b);
}

static bool is_json(const char *path)
{
	size_t n = strlen(path);

	return n > 5 && !strcmp(path + n - 5, ".json");
}

static struct ir *load(struct job *j, int *rc)
{
	struct front_opts fo = { j->workflow, j->entry_optional, j->seen };
	struct ir *m;
	char *text;
	size_t n;

	if (!is_json(j->path)) {
		m = front(j->arena, j->strs, j->diag, j->path, &fo, rc);
		dump_text(j);
		return m;
	}
	text = read_file(j->arena, j->path, &n);
	if (!text) {
		*rc = cli_fail(3, "%s: %s", j->path, strerror(errno));
		return NULL;
	}
	*rc = 1;
	return ir_read_json(j->arena, j->strs, j->path, text, n, j->diag);
}

static int set_option(struct job *j, const struct backend *b, const char *spec)
{
	const char *eq = strchr(spec, '='), *dot = memchr(spec, '.', eq ? (size_t)(eq - spec) : strlen(spec));
	const char *owner, *name;

	if (!eq || !dot || dot == spec || dot + 1 == eq)
		return cli_fail(2, "--set takes OWNER.OPTION=VALUE, such as argo.limits=off; not '%s'", spec);
	owner = arena_dup(j->arena, spec, (size_t)(dot - spec));
	name = arena_dup(j->arena, dot + 1, (size_t)(eq - dot - 1));
	if (backend_find(owner) || (b && b->program && !strcmp(b->name, owner))) {
		const struct backend *of = backend_find(owner) ? backend_find(owner) : b;

		return optset_set(j->opts, of->name, of->opts, name, eq + 1, j->diag) ? 2 : 0;
	}
	if (pass_find(owner)) {
		const struct pass *of = pass_find(owner);

		return optset_set(j->opts, of->name, of->opts, name, eq + 1, j->diag) ? 2 : 0;
	}
	return cli_fail(2, "--set %s: no backend or pass '%s'; `couler backends` and `couler passes` list them", spec, owner);
}

/* A member of a parameter file: text for scalars, JSON text for the rest. */
static int set_member(struct ir *m, const char *key, json_t *v, struct diag *d)
{
	char *text;
	int rc;

	if (json_is_string(v))
		return param_set(m, key, json_string_value(v), json_string_length(v), d);
	text = json_dumps(v, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(17));
	if (!text)
		return -1;
	rc = param_set(m, key, text, strlen(text), d);
	free(text);
	return rc;
}

static int json_params(struct job *j, struct ir *m, const char *path, const char *text, size_t n)
{
	json_error_t err;
	json_t *root = json_loadb(text, n, JSON_REJECT_DUPLICATES, &err), *v;
	const char *key;
	int rc = 0;

	if (!root)
		return cli_fail(2, "%s:%d:%d: %s", path, err.line, err.column, err.text);
	if (!json_is_object(root))
		rc = cli_fail(2, "%s: a parameter file holds one object, { \"name\": value }", path);
	json_object_foreach(root, key, v)
		if (!rc && set_member(m, key, v, j->diag))
			rc = 2;
	json_decref(root);
	return rc;
}

/* name: value lines of scalars; lists and maps go into JSON files. */
static int yaml_params(struct job *j, struct ir *m, const char *path, const char *text, size_t n)
{
	yaml_parser_t p;
	yaml_document_t doc;
	yaml_node_t *root;
	int rc = 0;

	if (!yaml_parser_initialize(&p))
		return cli_fail(70, "out of memory");
	yaml_parser_set_input_string(&p, (const unsigned char *)text, n);
	if (!yaml_parser_load(&p, &doc)) {
		rc = cli_fail(2, "%s:%zu:%zu: %s", path, p.problem_mark.line + 1, p.problem_mark.column + 1, p.problem ? p.problem : "is not YAML");
		yaml_parser_delete(&p);
		return rc;
	}
	root = yaml_document_get_root_node(&doc);
	if (root && root->type != YAML_MAPPING_NODE)
		rc = cli_fail(2, "%s: a parameter file holds lines  name: value", path);
	for (yaml_node_pair_t *it = !rc && root ? root->data.mapping.pairs.start : NULL; it && it < root->data.mapping.pairs.top && !rc; it++) {
		yaml_node_t *k = yaml_document_get_node(&doc, it->key), *v = yaml_document_get_node(&doc, it->value);

		if (k->type != YAML_SCALAR_NODE || v->type != YAML_SCALAR_NODE)
			rc = cli_fail(2, "%s:%zu: only scalars stand in a YAML parameter file; give lists and maps in a .json file", path, v->start_mark.line + 1);
		else if (param_set(m, (const char *)k->data.scalar.value, (const char *)v->data.scalar.value, v->data.scalar.length, j->diag))
			rc = 2;
	}
	yaml_document_delete(&doc);
	yaml_parser_delete(&p);
	return rc;
}

static int set_params(struct job *j, struct ir *m)
{
	int rc = 0;

	for (uint32_t i = 0; i < j->param_files.n && !rc; i++) {
		const char *path = j->param_files.v[i];
		size_t n;
		char *text = read_file(j->arena, path, &n);

		if (!text)
			return cli_fail(3, "%s: %s", path, strerror(errno));
		seen_add(j->seen, SEEN_TEXT, path, text, n);
		rc = is_json(path) ? json_params(j, m, path, text, n) : yaml_params(j, m, path, text, n);
	}
	for (uint32_t i = 0; i < j->params.n; i++) {
		const char *spec = j->params.v[i], *eq = strchr(spec, '=');

		if (!eq || eq == spec)
			return cli_fail(2, "-p takes NAME=VALUE, not '%s'", spec);
		if (param_set(m, arena_dup(j->arena, spec, (size_t)(eq - spec)), eq + 1, strlen(eq + 1), j->diag))
			rc = 2;
	}
	return rc;
}

/* What earlier runs measured of the operators of dataflows. */
static void figures(struct job *j, struct ir *m)
{
	bool any = false;
	char *store;

	for (uint32_t i = 0; i < m->tasks.n; i++)
		any |= m->tasks.v[i]->dataflow != NULL;
	if (!any)
		return;
	store = run_store(j->cache, project_root(j->arena, j->path));
	run_figures(m, store);
	free(store);
}

struct ir *job_module(struct job *j, const struct backend *b, int *rc)
{
	struct target target = { b, j->opts };
	/* What the front end built and no pass was asked to change is not verified once more but where faults are looked for: an eighth of a run with nothing to do. */
	struct pass_run how = { j->passes, j->level, CHECKED || j->level > 0 || j->passes || j->sets.n, j->local, dump_module, j };
	struct ir *m;

	*rc = 0;
	for (uint32_t i = 0; i < j->sets.n && !*rc; i++)
		*rc = set_option(j, b, j->sets.v[i]);
	if (*rc)
		return NULL;
	m = load(j, rc);
	if (!m || !m->entry)
		return m;
	dump_module("ir", m, j);
	*rc = set_params(j, m);
	if (*rc)
		return NULL;
	figures(j, m);
	if (passes_run(m, &target, j->opts, &how, j->diag)) {
		*rc = 1;
		return NULL;
	}
	return m;
}

static int emit_outside(struct job *j, const struct backend *b, const struct ir *m, struct strbuf *out)
{
	bool refused;

	if (external_emit(b, m, j->opts, j->arena, &j->more, &refused, j->diag))
		return refused ? 4 : 3;
	sb_add(out, j->more.v[0].text, j->more.v[0].len);
	return 0;
}

int job_emit(struct job *j, const struct backend *b, const struct ir *m, struct strbuf *out)
{
	if (backend_check(b, m, j->opts, j->diag))
		return 4;
	if (b->validate && b->validate(m, j->opts, j->diag))
		return 4;
	return b->program ? emit_outside(j, b, m, out) : b->emit(m, j->opts, out, j->diag) ? 4 : 0;
}

int job_spares_sources(const struct job *j, const char *path)
{
	struct stat out, in;

	if (!path || !strcmp(path, "-") || stat(path, &out) || !S_ISREG(out.st_mode))
		return 0;
	for (uint32_t k = 0; k < j->diag->nsources; k++) {
		const char *source = k ? j->diag->sources[k]->path : j->path;      /* the path as given: IR JSON is no source */

		if (source && !stat(source, &in) && in.st_dev == out.st_dev && in.st_ino == out.st_ino)
			return cli_fail(2, "%s: is the source itself, which would be lost; give another file to write to", path);
	}
	return 0;
}

int job_end(struct job *j, int rc)
{
	cli_diag(j->diag, j->format, j->color);
	job_free(j);
	return rc;
}
