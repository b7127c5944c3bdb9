/* How the value of a key is written: what shows without names and types. */
#include "attr.h"

#include <string.h>

static struct diag_item *misform(struct elab *e, const struct ast_stmt *s, const struct attr_row *r, const char *takes)
{
	return diag_at(e->diag, CW0414, s->value->span, "'%s' takes %s", r->key, takes);
}

/* x is a name, a call or an expression that elaboration may fold to what is wanted. */
static bool is_literal(const struct ast_expr *x)
{
	switch (x->kind) {
	case AX_INT: case AX_FLOAT: case AX_BOOL: case AX_NULL: case AX_DURATION: case AX_SIZE: case AX_STRING: case AX_INTERP: case AX_LIST: case AX_MAP:
		return true;
	default:
		return false;
	}
}

static bool script_form(struct elab *e, const struct ast_stmt *s, const struct attr_row *r)
{
	const struct ast_expr *x = s->value;
	struct diag_item *it;

	if (x->kind == AX_STRING && x->verbatim)
		return true;
	it = misform(e, s, r, "a verbatim block: the shell sees exactly what stands in it");
	if (x->kind == AX_INTERP)
		diag_mend(e->diag, it, "write %s = \"\"\"...\"\"\"; values come as variables: declare `in lr` and write \"$lr\"", r->key);
	else if (x->kind == AX_LIST)
		diag_mend(e->diag, it, "a list of words is `command = [...]`; a script is %s = \"\"\"...\"\"\"", r->key);
	else if (x->kind == AX_STRING && x->u.str->len < 60 && !strchr(x->u.str->s, '\n'))
		diag_mend(e->diag, it, "write %s = \"\"\"%s\"\"\"", r->key, x->u.str->s);
	else
		diag_mend(e->diag, it, "write %s = \"\"\"...\"\"\"; a script in a file: code = [\"train.sh\"] and %s = \"\"\"./train.sh\"\"\"", r->key, r->key);
	return false;
}

static bool raw_form(struct elab *e, const struct ast_stmt *s, const struct attr_row *r)
{
	const struct ast_expr *x = s->value;

	if (x->kind == AX_STRING && x->verbatim)
		return raw_check(e, x, r->what);
	diag_mend(e->diag, misform(e, s, r, "YAML or JSON in a verbatim block"), "write %s = '''...'''", r->key);
	return false;
}

/* "python train.py" as a list of words. */
static void list_of_words(struct strbuf *b, const char *s)
{
	sb_ch(b, '[');
	for (uint32_t n = 0; *s; n++) {
		size_t k = strcspn(s, " \t\n");

		if (k) {
			sb_z(b, b->n > 1 ? ", " : "");
			sb_json(b, s, k);
		}
		s += k + (s[k] != '\0');
	}
	sb_ch(b, ']');
}

static bool list_form(struct elab *e, const struct ast_stmt *s, const struct attr_row *r)
{
	const struct ast_expr *x = s->value;
	struct diag_item *it;
	struct strbuf b = { 0 };
	uint32_t n;
	const char *text = span_text(e->diag, x->span, &n);

	if (x->kind == AX_LIST)
		return true;
	it = diag_at(e->diag, CW0414, x->span, "'%s' takes a %s", r->key, attr_form_words[r->form]);
	if (r->form == FORM_COMMAND && x->kind == AX_STRING && x->u.str->len < 200 && !strpbrk(x->u.str->s, "\"'\\|&;<>$`*?()")) {
		list_of_words(&b, x->u.str->s);
		diag_mend(e->diag, it, "write %s = %s", r->key, sb_cstr(&b));
		sb_free(&b);
	} else if (r->form == FORM_COMMAND) {
		diag_mend(e->diag, it, "%s = [\"python\", \"train.py\"]; a line for the shell is run = \"\"\"...\"\"\"", r->key);
	} else if (x->kind == AX_STRING || x->kind == AX_NAME || x->kind == AX_CALL || x->kind == AX_SOFT) {
		diag_mend(e->diag, it, "write %s = [%.*s]", r->key, (int)n, text);
	} else {
		diag_mend(e->diag, it, "write %s = [...]", r->key);
	}
	return false;
}

static bool paths_form(struct elab *e, const struct ast_stmt *s, const struct attr_row *r)
{
	bool ok = list_form(e, s, r);

	for (uint32_t i = 0; ok && i < s->value->n; i++)
		if (s->value->args[i]->kind != AX_STRING && s->value->args[i]->kind != AX_ERROR) {
			struct diag_item *it = diag_at(e->diag, CW0414, s->value->args[i]->span, "'%s' takes paths as plain strings", r->key);

			diag_mend(e->diag, it, "%s = [\"train.py\", \"lib/\"]; data that differs from run to run is an input: in table: file", r->key);
			ok = false;
		}
	return ok;
}

static bool after_form(struct elab *e, const struct ast_stmt *s, const struct attr_row *r)
{
	bool ok = list_form(e, s, r);

	for (uint32_t i = 0; ok && i < s->value->n; i++) {
		const struct ast_expr *x = s->value->args[i];

		if (x->kind == AX_STRING) {
			struct diag_item *it = diag_at(e->diag, CW0414, x->span, "'after' takes names of steps, without quotes");

			if (is_name(x->u.str->s, x->u.str->len))
				diag_mend(e->diag, it, "write after = [%s]", x->u.str->s);
			ok = false;
		}
	}
	return ok;
}

static bool map_form(struct elab *e, const struct ast_stmt *s, const struct attr_row *r)
{
	static const struct { const char *key, *example; } examples[] = {
		{ "env", "env { LEVEL = \"info\"; TOKEN = secret(\"mlflow\", \"token\") }" }, { "resources", "resources { cpu = 4; memory = 16Gi; gpu = 1 }" },
		{ "labels", "labels { team = \"growth\" }" }, { "annotations", "annotations { owner = \"growth\" }" },
		{ "nodes", "nodes { selector { disk = \"ssd\" }; tolerate = [\"nvidia.com/gpu\"] }" }, { "selector", "selector { disk = \"ssd\" }" },
		{ "mounts", "mounts { \"/data\" = scratch }" }, { "set", "set { \"metadata.name\" = name }" }, { "workers", "workers { min = 1; max = 16 }" },
		{ "dataflow", "dataflow { source records = split(shards); ... }" },
	};
	struct diag_item *it;

	if (s->value->kind == AX_MAP)
		return true;
	it = misform(e, s, r, "a block");
	for (size_t i = 0; i < sizeof examples / sizeof *examples; i++)
		if (!strcmp(examples[i].key, r->key))
			diag_mend(e->diag, it, "%s", examples[i].example);
	return false;
}

static bool shell_form(struct elab *e, const struct ast_stmt *s, const struct attr_row *r)
{
	const struct str *w = word_of(s->value);
	struct diag_item *it;

	if (w && w->len && !strpbrk(w->s, " \t\n"))
		return true;
	it = misform(e, s, r, "one program that takes a script file");
	if (w && w->len)
		diag_mend(e->diag, it, "write shell = %.*s; options are set inside the script: set -x", (int)strcspn(w->s, " \t\n"), w->s);
	else
		diag_mend(e->diag, it, "shell = bash, shell = python3, shell = \"Rscript\"");
	return false;
}

static bool name_form(struct elab *e, const struct ast_stmt *s, const struct attr_row *r)
{
	struct diag_item *it;

	if (s->value->kind == AX_NAME)
		return true;
	it = misform(e, s, r, r->form == FORM_OBJECTIVE ? "an output of the task, by its name alone" : "a name without quotes");
	if (s->value->kind == AX_STRING && is_name(s->value->u.str->s, s->value->u.str->len))
		diag_mend(e->diag, it, "write %s = %s", r->key, s->value->u.str->s);
	else if (s->value->kind == AX_MEMBER)
		diag_mend(e->diag, it, "write %s = %s", r->key, s->value->name->s);
	return false;
}

static bool search_form(struct elab *e, const struct ast_stmt *s, const struct attr_row *r)
{
	static const struct { const char *word, *call; } searches[] = {
		{ "grid", "grid()" }, { "random", "random(trials = 20, seed = 7)" }, { "halving", "halving(trials = 27, factor = 3, budget = epochs, min = 1, max = 27)" },
		{ "hyperband", "halving(trials = 27, factor = 3, budget = epochs, min = 1, max = 27)" }, { "asha", "halving(trials = 27, factor = 3, budget = epochs, min = 1, max = 27)" },
		{ "tpe", "tpe(trials = 50, seed = 7)" }, { "bayesian", "tpe(trials = 50, seed = 7)" }, { "bayes", "tpe(trials = 50, seed = 7)" },
		{ "bayesianoptimization", "tpe(trials = 50, seed = 7)" }, { "optuna", "tpe(trials = 50, seed = 7)" }, { "hyperopt", "tpe(trials = 50, seed = 7)" },
		{ "llm", "llm(trials = 10, data_card = \"...\", model_card = \"...\")" },
	};
	const struct ast_expr *x = s->value;
	const struct str *w = x->kind == AX_CALL && x->args[0]->kind == AX_NAME ? NULL : word_of(x);
	struct diag_item *it;

	if (x->kind == AX_CALL)
		return true;
	it = misform(e, s, r, "grid(), random(), halving(), tpe() or llm()");
	for (size_t i = 0; w && i < sizeof searches / sizeof *searches; i++)
		if (str_eq(w, searches[i].word))
			diag_mend(e->diag, it, "write search = %s", searches[i].call);
	if (!it->mend)
		diag_mend(e->diag, it, "search = grid(), search = random(trials = 20, seed = 7)");
	return false;
}

static bool schedule_form(struct elab *e, const struct ast_stmt *s, const struct attr_row *r)
{
	const struct ast_expr *x = s->value;
	struct diag_item *it;
	uint32_t n;
	const char *text = span_text(e->diag, x->span, &n);

	if (!is_literal(x) || x->kind == AX_STRING || x->kind == AX_INTERP || x->kind == AX_MAP)
		return true;
	it = misform(e, s, r, "a cron string or a block");
	if (x->kind == AX_LIST)
		diag_mend(e->diag, it, "write schedule { cron = %.*s }", (int)n, text);
	else if (x->kind == AX_DURATION)
		diag_mend(e->diag, it, "say the times: schedule = \"*/15 * * * *\" is every quarter of an hour, \"0 * * * *\" every hour");
	else
		diag_mend(e->diag, it, "schedule = \"0 2 * * *\" is every night at 2:00 UTC");
	return false;
}

bool form_check(struct elab *e, const struct ast_stmt *s, const struct attr_row *r)
{
	const struct ast_expr *x = s->value;

	switch ((enum attr_form)r->form) {
	case FORM_SCRIPT: return script_form(e, s, r);
	case FORM_RAW: return raw_form(e, s, r);
	case FORM_COMMAND: case FORM_SOURCES: case FORM_TOLERATE: case FORM_EXPRS: return list_form(e, s, r);
	case FORM_PATHS: return paths_form(e, s, r);
	case FORM_AFTER: return after_form(e, s, r);
	case FORM_BLOCK: case FORM_MAP: case FORM_ENV: case FORM_MOUNTS: case FORM_SET: return map_form(e, s, r);
	case FORM_SHELL: return shell_form(e, s, r);
	case FORM_NAME: case FORM_OBJECTIVE: return name_form(e, s, r);
	case FORM_SEARCH: return search_form(e, s, r);
	case FORM_SCHEDULE: return schedule_form(e, s, r);
	case FORM_RETRY:
		if (!is_literal(x) || x->kind == AX_INT || x->kind == AX_MAP)
			return true;
		diag_mend(e->diag, misform(e, s, r, "the number of further attempts, or a block"), "retry = 3, or retry { limit = 3; backoff = 10s }");
		return false;
	case FORM_CACHE:
		if (x->kind == AX_MAP || x->kind == AX_BOOL || word_of(x))
			return true;
		diag_mend(e->diag, misform(e, s, r, "auto, on, off or a block"), "cache = on, or cache { ttl = 7d }");
		return false;
	default:
		if (x->kind != AX_MAP)
			return true;
		diag_at(e->diag, CW0414, x->span, "'%s' takes no block", r->key);
		return false;
	}
}
