/* Files: reading them, their definitions, and what they import, which stays inside the project root. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "elab.h"
#include "path.h"

enum { MAX_DEPTH = 200 };                /* imports inside of imports */

/* ---- reading ---- */

/* Whole of fd, of known size or not. NULL with errno set. */
static char *read_all(struct arena *a, int fd, size_t size, size_t *len)
{
	size_t cap = size + 2, n = 0;
	char *s = arena_alloc(a, cap);

	for (;;) {
		ssize_t k = read(fd, s + n, cap - 1 - n);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return NULL;
		if (!k)
			break;
		n += (size_t)k;
		if (n > UINT32_MAX) {
			errno = EFBIG;
			return NULL;
		}
		if (n == cap - 1) {
			s = arena_grow(a, s, cap, 2 * cap + 4096);
			cap = 2 * cap + 4096;
		}
	}
	s[n] = '\0';
	*len = n;
	return s;
}

char *read_file(struct arena *a, const char *path, size_t *len)
{
	bool in = !strcmp(path, "-");
	int fd = in ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC), err = 0;
	struct stat st;
	char *s = NULL;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &st))
		err = errno;
	else if (S_ISDIR(st.st_mode))
		err = EISDIR;
	else if (S_ISREG(st.st_mode) && st.st_size > (off_t)UINT32_MAX)
		err = EFBIG;
	else if (!(s = read_all(a, fd, S_ISREG(st.st_mode) ? (size_t)st.st_size : 4096, len)))
		err = errno;
	if (!in)
		close(fd);
	errno = err;
	return s;
}

/* ---- definitions ---- */

static void define(struct elab *e, struct module *m, const struct ast_stmt *s)
{
	struct def *first = strmap_get(&m->tasks, s->name), *d;
	struct diag_item *it;

	if (!first)
		first = strmap_get(&m->workflows, s->name);
	if (first) {
		it = diag_at(e->diag, CW0606, s->name_span, "'%s' is defined twice", s->name->s);
		diag_note(e->diag, it, first->ast->name_span, "the %s '%s' is defined here", first->ast->kind == AS_TASK ? "task" : "workflow", s->name->s);
		diag_mend(e->diag, it, "rename one of them");
		return;
	}
	d = arena_new_of(e->arena, struct def);
	d->module = m;
	d->ast = s;
	strmap_put(e->arena, s->kind == AS_TASK ? &m->tasks : &m->workflows, s->name, d);
}

static void add_module(struct elab *e, struct module *m)
{
	if (!(e->nmodules & (e->nmodules - 1)))          /* a power of two, or none: full */
		e->modules = arena_grow(e->arena, e->modules, e->nmodules * sizeof(struct module *), (e->nmodules ? 2 * e->nmodules : 1) * sizeof(struct module *));
	e->modules[e->nmodules++] = m;
}

/* ---- imports ---- */

struct loading {                         /* files that are being read, the newest first */
	const char *real;                 /* absolute, symbolic links resolved; NULL: standard input */
	struct module *module;
	const struct loading *by;
	uint32_t depth;
};

struct loader { struct elab *e; struct strmap by_real; };

static struct module *load(struct loader *l, const struct loading *by, const char *path, const char *shown, const char *text, size_t len, const char *real);

/* Why a path cannot name a file of the project by its text alone; NULL if it can. */
static const char *bad_path(const struct str *p, const char **mend)
{
	static const struct { const char *suffix, *mend; } others[] = {
		{ ".py", "a script travels with a step: code = [\"train.py\"]" }, { ".sh", "a script travels with a step: code = [\"train.sh\"]" },
		{ ".ipynb", "a notebook travels with a step: code = [\"train.ipynb\"]" }, { ".yaml", "an import is a .cw file; values of params come with --param-file" },
		{ ".yml", "an import is a .cw file; values of params come with --param-file" }, { ".json", "an import is a .cw file; values of params come with --param-file" },
	};

	*mend = "an import is a path relative to this file: import \"lib/etl.cw\" as etl";
	if (!p->len)
		return "an import names a file";
	if (memchr(p->s, '\0', p->len))
		return "the path holds a NUL byte";
	if (strstr(p->s, "://") || !strncmp(p->s, "git@", 4))
		return "an import is a file of the project";
	if (p->s[0] == '/' || p->s[0] == '~')
		return "an import is a path relative to the importing file";
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		size_t n = strlen(others[i].suffix);

		if (p->len > n && !strcmp(p->s + p->len - n, others[i].suffix)) {
			*mend = others[i].mend;
			return "only .cw files are imported";
		}
	}
	return NULL;
}

static void outside(struct elab *e, struct span sp, const char *path, bool link)
{
	struct diag_item *it = diag_at(e->diag, CW0603, sp, link ? "'%s' is a symbolic link out of the project root" : "'%s' lies outside of the project root", path);

	diag_note(e->diag, it, (struct span){ 0 }, "the project root is %s", e->root);
	diag_mend(e->diag, it, "copy the file into the project, or put a couler.yaml into the folder that holds both");
}

static void unreadable(struct elab *e, struct span sp, const char *path, const char *full, int err)
{
	struct diag_item *it = diag_at(e->diag, CW0602, sp, "cannot read '%s': %s", path, strerror(err));
	struct stat st;
	const char *near;

	if (!it->msg || err != ENOENT)
		return;
	if (!stat(str_internf(e->strs, "%s.cw", full)->s, &st)) {
		diag_label(e->diag, it, "did you mean '%s.cw'?", path);
		return;
	}
	near = path_near(e->arena, path_folder(e->arena, full), strrchr(full, '/') ? strrchr(full, '/') + 1 : full);
	if (near)
		diag_label(e->diag, it, "did you mean '%s'?", path_join(e->arena, path_folder(e->arena, path), near));
	else
		diag_mend(e->diag, it, "the path is relative to the file that imports it");
}

static void cycle(struct elab *e, struct span sp, const struct loading *from, const struct loading *top)
{
	struct strbuf b = { 0 };
	const struct loading **v = arena_array(e->arena, const struct loading *, top->depth + 2);
	uint32_t n = 0;
	struct diag_item *it;

	for (const struct loading *l = top; l; l = l->by) {
		v[n++] = l;
		if (l == from)
			break;
	}
	for (uint32_t i = n; i-- > 0;)
		sb_f(&b, "%s -> ", v[i]->module->path);
	sb_z(&b, from->module->path);
	it = diag_at(e->diag, CW0604, sp, n == 1 ? "the file imports itself: %s" : "import cycle: %s", sb_cstr(&b));
	diag_mend(e->diag, it, n == 1 ? "its own tasks are called by their names alone" : "move what both need into a third file");
	sb_free(&b);
}

const char *seen_real(struct elab *e, const char *path)
{
	const char *real = path_real(e->arena, path);
	int err = errno;

	seen_add(e->seen, SEEN_REAL, path, real ? real : "", real ? strlen(real) : 0);
	errno = err;
	return real;
}

/* The module that an import of m names; NULL after a diagnostic. */
static struct module *import(struct loader *l, const struct loading *at, const struct ast_expr *x)
{
	struct elab *e = l->e;
	const char *mend, *why = bad_path(x->u.str, &mend), *dir, *full, *real, *shown;
	struct module *m;
	struct stat st;
	size_t len;
	char *text;
	int err;

	if (why) {
		diag_mend(e->diag, diag_at(e->diag, CW0601, x->span, "%s", why), "%s", mend);
		return NULL;
	}
	dir = seen_real(e, at->module->dir);
	full = path_join(e->arena, dir ? dir : at->module->dir, x->u.str->s);
	if (!path_inside(e->root, full)) {
		outside(e, x->span, x->u.str->s, false);
		return NULL;
	}
	real = seen_real(e, full);
	err = real ? 0 : errno;
	if (real && !path_inside(e->root, real)) {
		outside(e, x->span, x->u.str->s, true);
		return NULL;
	}
	if (real && (stat(real, &st) || !S_ISREG(st.st_mode)))
		err = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
	if (err) {
		unreadable(e, x->span, x->u.str->s, full, err);
		return NULL;
	}
	for (const struct loading *p = at; p; p = p->by)
		if (p->real && !strcmp(p->real, real)) {
			cycle(e, x->span, p, at);
			return NULL;
		}
	m = strmap_get(&l->by_real, str_internz(e->strs, real));
	if (m)
		return m;
	if (at->depth >= MAX_DEPTH) {
		diag_at(e->diag, CW0601, x->span, "imports are nested more than %d files deep", MAX_DEPTH);
		return NULL;
	}
	text = read_file(e->arena, real, &len);
	if (!text) {
		unreadable(e, x->span, x->u.str->s, full, errno);
		return NULL;
	}
	seen_add(e->seen, SEEN_TEXT, real, text, len);
	shown = path_join(e->arena, at->module->dir, x->u.str->s);
	return load(l, at, shown, shown, text, len, real);
}

/* What stands for an import that failed: nothing is looked for in it. */
static struct module *no_module(struct elab *e, const struct ast_expr *x)
{
	struct module *m = arena_new_of(e->arena, struct module);

	m->path = x && x->kind == AX_STRING ? x->u.str->s : "";
	m->dir = ".";
	m->ast = arena_new_of(e->arena, struct ast_file);
	m->ast->top = arena_new_of(e->arena, struct ast_block);
	return m;
}

static void do_import(struct loader *l, const struct loading *at, const struct ast_stmt *s)
{
	struct elab *e = l->e;
	struct module *m = at->module, *got = NULL;
	struct diag_item *it;

	if (s->value && s->value->kind == AX_STRING)
		got = import(l, at, s->value);
	else if (s->value && s->value->kind != AX_ERROR)
		diag_mend(e->diag, diag_at(e->diag, CW0601, s->value->span, "an import names its file by a plain string"), "import \"lib/etl.cw\" as etl");
	if (!s->name)
		return;
	if (strmap_get(&m->imports, s->name)) {
		it = diag_at(e->diag, CW0605, s->name_span, "'%s' is imported already", s->name->s);
		for (uint32_t i = 0; i < m->ast->top->n; i++)
			if (m->ast->top->v[i]->kind == AS_IMPORT && m->ast->top->v[i]->name == s->name) {
				diag_note(e->diag, it, m->ast->top->v[i]->name_span, "the name stands here for the first time");
				break;
			}
		diag_mend(e->diag, it, "choose another name: as %s2", s->name->s);
		return;
	}
	strmap_put(e->arena, &m->imports, s->name, got ? got : no_module(e, s->value));
	m->import_names[m->nimports++] = s->name->s;
}

static struct module *load(struct loader *l, const struct loading *by, const char *path, const char *shown, const char *text, size_t len, const char *real)
{
	struct elab *e = l->e;
	struct module *m = arena_new_of(e->arena, struct module);
	struct loading at = { real, m, by, by ? by->depth + 1 : 0 };
	unsigned errors = e->diag->errors;

	m->path = shown;
	m->dir = strcmp(path, "-") ? path_folder(e->arena, path) : ".";
	if (real)
		strmap_put(e->arena, &l->by_real, str_internz(e->strs, real), m);
	add_module(e, m);
	m->ast = parse(e->trees, e->strs, e->diag, diag_source(e->diag, shown, text, len));
	m->ok = e->diag->errors == errors;
	m->import_names = arena_array(e->arena, const char *, m->ast->top->n + 1);
	for (uint32_t i = 0; i < m->ast->top->n; i++) {
		const struct ast_stmt *s = m->ast->top->v[i];

		if ((s->kind == AS_TASK || s->kind == AS_WORKFLOW) && s->name)
			define(e, m, s);
	}
	for (uint32_t i = 0; i < m->ast->top->n; i++)
		if (m->ast->top->v[i]->kind == AS_IMPORT)
			do_import(l, &at, m->ast->top->v[i]);
	return m;
}

struct module *module_load_text(struct elab *e, const char *path, const char *text, size_t len, int *status)
{
	struct loader l = { .e = e };
	bool in = !strcmp(path, "-");
	unsigned errors = e->diag->errors;
	struct module *m;

	if (!e->root)
		e->root = project_root(e->arena, path);
	m = load(&l, NULL, path, in ? "<stdin>" : path, text, len, in ? NULL : path_real(e->arena, path));
	*status = e->diag->errors > errors ? 1 : 0;
	return m;
}

struct module *module_load(struct elab *e, const char *path, int *status)
{
	size_t len;
	char *text = read_file(e->arena, path, &len);

	if (!text) {
		diag_at(e->diag, CW0602, (struct span){ 0 }, "cannot read '%s': %s", path, strerror(errno));
		*status = 3;
		return NULL;
	}
	seen_add(e->seen, SEEN_TEXT, path, text, len);
	return module_load_text(e, path, text, len, status);
}
