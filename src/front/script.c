/* What a script or a command reads that its step does not declare: names around it, files beside the .cw file. */
#include "script.h"

#include <string.h>

#include "attr.h"
#include "code.h"

struct check {
	struct elab *e;
	struct scope *s;
	const struct ir_task *task;
	const struct ast_expr *body;
	const struct attrs *attrs;
	struct module *module;
};

static struct span part_span(const struct check *c, uint32_t off, uint32_t len)
{
	return text_span(c->e->diag, c->body, off, len);
}

static const struct ir_decl *find_decl(const struct ir_decl *v, uint32_t n, const struct str *name)
{
	for (uint32_t i = 0; i < n; i++)
		if (v[i].name == name)
			return &v[i];
	return NULL;
}

static bool in_env(const struct attrs *a, const struct str *name)
{
	for (uint32_t i = 0; a && i < a->env.n; i++)
		if (a->env.v[i].name == name)
			return true;
	return false;
}

/* Set by the shell or by couler itself. */
static bool is_automatic(const struct str *name)
{
	static const char *const names[] = { "OLDPWD", "REPLY", "PIPESTATUS", "FUNCNAME", "DIRSTACK", "GROUPS", "MACHTYPE", "OSTYPE", "HOSTTYPE", "TERM", "TZ",
		"COLUMNS", "LINES", "EPOCHSECONDS", "EPOCHREALTIME", "MAPFILE", "SRANDOM", "OPTERR", "LOGNAME" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (str_eq(name, names[i]))
			return true;
	return reserved_name(name->s, name->len, false);
}

/* ---- names ---- */

static bool script_sets(const struct script *sc, const char *text, const struct str *name)
{
	for (uint32_t i = 0; i < sc->sets.n; i++)
		if (sc->sets.v[i].len == name->len && !memcmp(text + sc->sets.v[i].off, name->s, name->len))
			return true;
	return false;
}

/* The outputs of a step written inline, as the lines to add for reading them. */
static void step_mend(const struct check *c, struct diag_item *it, const struct sym *sym, const char *then)
{
	const struct ast_block *b = sym->ast && sym->ast->kind == AS_STEP && !sym->ast->value ? sym->ast->body : NULL;

	for (uint32_t i = 0; b && i < b->n; i++)
		if (b->v[i]->kind == AS_OUT) {
			diag_mend(c->e->diag, it, "add `in %s = %s.%s`, and write \"$%s\"%s", b->v[i]->name->s, sym->name->s, b->v[i]->name->s, b->v[i]->name->s, then);
			return;
		}
	diag_mend(c->e->diag, it, "add `in value = %s.OUTPUT` with the output's name, and write \"$value\"%s", sym->name->s, then);
}

/* ${extract.raw}, ${tune.best.lr}: what would be an interpolation elsewhere. */
static void dotted(const struct check *c, const struct script_use *u, const struct sym *sym)
{
	const char *text = c->body->u.str->s + u->name, *last;
	uint32_t n = u->len - (u->name - u->off);
	struct diag_item *it;

	n -= n > 0 && text[n - 1] == '}';
	it = diag_at(c->e->diag, CW0440, part_span(c, u->off, u->len), "a script is not interpolated: the shell sees ${%.*s} as it is", (int)n, text);
	last = memrchr(text, '.', n);
	if (is_name(last + 1, n - (uint32_t)(last + 1 - text)))
		diag_mend(c->e->diag, it, "add `in %.*s = %.*s`, and write \"$%.*s\"", (int)(n - (uint32_t)(last + 1 - text)), last + 1, (int)n, text,
			(int)(n - (uint32_t)(last + 1 - text)), last + 1);
	else
		diag_mend(c->e->diag, it, "add `in value = %.*s`, and write \"$value\"", (int)n, text);
	diag_note(c->e->diag, it, sym->span, "'%s' is defined here", sym->name->s);
}

static void undeclared(const struct check *c, const struct script *sc, const struct script_use *u, const struct sym *sym)
{
	struct span sp = part_span(c, u->off, u->len);
	bool sure = u->kind != USE_DEFAULT && !sc->dynamic;
	const char *name = sym->name->s;
	struct diag_item *it;

	if (sym->kind == SYM_NODE) {
		it = diag_at(c->e->diag, sure ? CW0440 : CW0442, sp, "the script reads $%s, but '%s' is a step: only what is declared reaches a script", name, name);
		step_mend(c, it, sym, "");
	} else {
		it = diag_at(c->e->diag, sure ? CW0440 : CW0442, sp, "the script reads $%s, but '%s' is no input of this step", name, name);
		diag_mend(c->e->diag, it, "add `in %s`", name);
	}
	diag_note(c->e->diag, it, sym->span, "'%s' is defined here", name);
}

/* A name that nothing around has: perhaps an input or output misspelled. */
static void misspelled(const struct check *c, const struct script_use *u, const struct str *name)
{
	const struct ir_task *t = c->task;
	const char **cand, *near;
	struct diag_item *it;

	if (u->kind != USE_PLAIN || name->len < 3 || !(t->nins + t->nouts))
		return;
	for (uint32_t i = 0; i < name->len; i++)
		if (name->s[i] >= 'A' && name->s[i] <= 'Z')
			return;                   /* what programs and images set is written so */
	cand = arena_array(c->e->arena, const char *, t->nins + t->nouts);
	for (uint32_t i = 0; i < t->nins; i++)
		cand[i] = t->ins[i].name->s;
	for (uint32_t i = 0; i < t->nouts; i++)
		cand[t->nins + i] = t->outs[i].name->s;
	near = nearest(name->s, name->len, cand, t->nins + t->nouts);
	if (!near)
		return;
	it = diag_at(c->e->diag, CW0442, part_span(c, u->off, u->len), "the script reads $%s, which nothing sets", name->s);
	diag_label(c->e->diag, it, "did you mean '$%s'?", near);
}

static void check_use(const struct check *c, const struct script *sc, const struct script_use *u, struct strmap *seen)
{
	const char *text = c->body->u.str->s;
	const struct str *name = str_intern(c->e->strs, text + u->name, u->nname);
	const struct ir_decl *out;
	const struct sym *sym;
	struct diag_item *it;

	if (strmap_get(seen, name))
		return;
	if (u->kind == USE_DOTTED) {
		sym = scope_find(c->s, name);
		if (!sym || sym->kind == SYM_VOLUME)
			return;
		strmap_put(c->e->arena, seen, name, (void *)(uintptr_t)sym);
		dotted(c, u, sym);
		return;
	}
	out = find_decl(c->task->outs, c->task->nouts, name);
	if (in_env(c->attrs, name) || find_decl(c->task->ins, c->task->nins, name) || (out && !out->from_stdout) || is_automatic(name) || script_sets(sc, text, name))
		return;
	strmap_put(c->e->arena, seen, name, (void *)(uintptr_t)name);
	if (out) {
		if (u->kind == USE_DEFAULT || sc->dynamic)
			return;
		it = diag_at(c->e->diag, CW0443, part_span(c, u->off, u->len), "'%s' is taken from standard output, so there is no $%s", name->s, name->s);
		diag_note(c->e->diag, it, out->span, "it is declared here");
		diag_mend(c->e->diag, it, "print the value, or declare `out %s: TYPE` without `= stdout`", name->s);
		return;
	}
	sym = scope_find(c->s, name);
	if (!sym)
		misspelled(c, u, name);
	else if (sym->kind == SYM_PARAM || sym->kind == SYM_LET || sym->kind == SYM_NODE || sym->kind == SYM_ITEM || sym->kind == SYM_INDEX || sym->kind == SYM_STATE)
		undeclared(c, sc, u, sym);
}

/* auc=0.9 where auc is an output: the path that was to be written to is gone. */
static void check_assigns(const struct check *c, const struct script *sc)
{
	for (uint32_t i = 0; i < sc->assigns.n; i++) {
		struct script_part p = sc->assigns.v[i];
		const char *text = c->body->u.str->s + p.off, *eq = memchr(text, '=', p.len);
		uint32_t n = (uint32_t)(eq - text), nval = p.len - n - 1;
		const struct ir_decl *out = find_decl(c->task->outs, c->task->nouts, str_intern(c->e->strs, text, n));
		struct diag_item *it;

		if (!out || out->from_stdout)
			continue;
		it = diag_at(c->e->diag, CW0441, part_span(c, p.off, p.len), "$%s holds the path of the output '%s', and this overwrites it", out->name->s, out->name->s);
		if (type_is_path(out->type))
			diag_mend(c->e->diag, it, "write the file at \"$%s\"; use another name for the variable", out->name->s);
		else if (nval && nval < 60)
			diag_mend(c->e->diag, it, "write the value into the file: echo %.*s > \"$%s\"", (int)nval, eq + 1, out->name->s);
		else
			diag_mend(c->e->diag, it, "write the value into the file: echo \"$value\" > \"$%s\"", out->name->s);
	}
}

/* ---- files ---- */

static bool in_code(const struct check *c, const struct str *path)
{
	for (uint32_t i = 0; i < c->task->ncode; i++)
		if (c->task->code[i].path == path)
			return true;
	return false;
}

static void not_in_code(const struct check *c, const struct str *path, struct span sp)
{
	struct diag_item *it = diag_at(c->e->diag, CW0612, sp, "'%s' is a file beside the .cw file, and does not travel with the step", path->s);

	if (c->task->ncode)
		diag_mend(c->e->diag, it, "add \"%s\" to `code`", path->s);
	else
		diag_mend(c->e->diag, it, "add `code = [\"%s\"]`", path->s);
}

static void check_words(const struct check *c, const struct script *sc)
{
	struct strmap seen = { 0 };

	for (uint32_t i = 0; i < sc->made.n; i++) {
		const struct str *path = file_beside(c->e, c->module, sc->made.v[i].text, sc->made.v[i].n);

		if (path)
			strmap_put(c->e->arena, &seen, path, (void *)(uintptr_t)path);
	}
	for (uint32_t i = 0; i < sc->words.n; i++) {
		const struct script_word *w = &sc->words.v[i];
		const struct str *path = file_beside(c->e, c->module, w->text, w->n);

		if (!path || strmap_get(&seen, path) || in_code(c, path))
			continue;
		strmap_put(c->e->arena, &seen, path, (void *)(uintptr_t)path);
		not_in_code(c, path, part_span(c, w->off, w->len));
	}
}

static void check_command(const struct check *c)
{
	static const char *const outputs[] = { "-o", "--output", "--out" };

	for (uint32_t i = 0; i < c->body->n; i++) {
		const struct ast_expr *x = c->body->args[i];
		const struct str *path;
		bool output = false;

		if (x->kind != AX_STRING || (!i && !memchr(x->u.str->s, '/', x->u.str->len)))
			continue;
		for (size_t k = 0; i && k < 3; k++)
			output |= c->body->args[i - 1]->kind == AX_STRING && str_eq(c->body->args[i - 1]->u.str, outputs[k]);
		path = output ? NULL : file_beside(c->e, c->module, x->u.str->s, x->u.str->len);
		if (path && !in_code(c, path))
			not_in_code(c, path, x->span);
	}
}

static bool keep(void *data, const char *s, size_t n)
{
	const struct check *c = data;

	return file_beside(c->e, c->module, s, n);
}

/* The scan of body where it is a script that the scanner reads; NULL otherwise. */
static struct script *scan_of(struct check *c)
{
	const struct str *shell = c->task->shell;
	const char *slash = shell ? strrchr(shell->s, '/') : NULL, *name = slash ? slash + 1 : shell ? shell->s : "sh";
	struct script *sc;

	if (c->body->kind != AX_STRING || (strcmp(name, "sh") && strcmp(name, "bash") && strcmp(name, "dash")))
		return NULL;
	if (!c->e->script)
		c->e->script = arena_new_of(c->e->arena, struct script);
	sc = c->e->script;
	sc->arena = c->e->arena;
	sc->keep = keep;
	sc->data = c;
	sc->bash = !strcmp(name, "bash");
	script_scan(sc, c->body->u.str->s, c->body->u.str->len);
	return sc->lost ? NULL : sc;
}

static void check(struct check *c, bool names, bool files)
{
	struct strmap seen = { 0 };
	struct script *sc;

	if (!c->body)
		return;
	if (files && c->body->kind == AX_LIST && c->task->body == BODY_COMMAND)
		check_command(c);
	sc = scan_of(c);
	if (!sc)
		return;
	for (uint32_t i = 0; names && i < sc->uses.n && !(c->attrs && c->attrs->env_from.n); i++)
		check_use(c, sc, &sc->uses.v[i], &seen);
	if (names)
		check_assigns(c, sc);
	if (files)
		check_words(c, sc);
}

void script_check(struct elab *e, struct scope *s, const struct ir_task *task, const struct ast_expr *body, const struct attrs *attrs)
{
	check(&(struct check){ e, s, task, body, attrs, scope_module(s) }, true, true);
}

void script_check_names(struct elab *e, struct scope *s, const struct ir_task *task, const struct ast_expr *body, const struct attrs *attrs)
{
	check(&(struct check){ e, s, task, body, attrs, scope_module(s) }, true, false);
}

void script_check_files(struct elab *e, struct module *m, const struct ir_task *task, const struct ast_expr *body)
{
	check(&(struct check){ e, NULL, task, body, NULL, m }, false, true);
}
