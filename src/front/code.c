/* Files that travel with a step: code = [...]. They lie below the folder of the .cw file, and in the project root. */
#include "code.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "path.h"

enum { MAX_DEPTH = 100, MAX_FILES = 100000 };

/* Names in the folder of a .cw file, in byte order. */
struct folder { const char **names; size_t n; };

struct code_state {
	struct strmap files;              /* absolute path -> struct ir_code, path as first asked for */
	struct strmap folders;            /* module.dir -> struct folder */
	struct strmap beside;             /* paths that file_beside has looked at, where that is noted */
	struct strmap lists;              /* module.dir and the items of a list -> struct code_list */
	const char *entry;                /* folder of the entry file, absolute; NULL: not asked for yet */
};
struct code_list { struct ir_code *v; uint32_t n; };

static struct code_state *state(struct elab *e)
{
	if (!e->code)
		e->code = arena_new_of(e->arena, struct code_state);
	return e->code;
}

/* ---- files beside ---- */

static struct folder *folder_of(struct elab *e, struct module *m)
{
	const struct str *key = str_internz(e->strs, m->dir);
	struct folder *f = strmap_get(&state(e)->folders, key);

	if (f)
		return f;
	f = arena_new_of(e->arena, struct folder);
	strmap_put(e->arena, &e->code->folders, key, f);
	f->names = path_list(e->arena, m->dir, &f->n);
	seen_folder(e->seen, m->dir, f->names, f->n);
	return f;
}

static bool in_folder(const struct folder *f, const char *s, size_t n)
{
	size_t lo = 0, hi = f->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = strncmp(f->names[mid], s, n);

		if (!c && !f->names[mid][n])
			return true;
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return false;
}

static bool is_file(struct elab *e, const char *path)
{
	const struct str *key = e->seen ? str_internz(e->strs, path) : NULL;
	struct stat st;
	bool yes = !stat(path, &st) && S_ISREG(st.st_mode);

	if (key && !strmap_get(&e->code->beside, key)) {
		seen_add(e->seen, SEEN_FILE, path, "file", yes ? 4 : 0);
		strmap_put(e->arena, &e->code->beside, key, e);
	}
	return yes;
}

const struct str *file_beside(struct elab *e, struct module *m, const char *s, size_t n)
{
	struct folder *f;
	const char *path, *slash;
	size_t first;

	while (n > 2 && s[0] == '.' && s[1] == '/') {
		s += 2;
		n -= 2;
	}
	slash = memchr(s, '/', n);
	first = slash ? (size_t)(slash - s) : n;
	if (!first || first > 255 || n > 4096 || memchr(s, '\0', n) || s[n - 1] == '/' || s[0] == '-' || left_behind(s, first) || (first == 2 && s[0] == '.' && s[1] == '.'))
		return NULL;
	f = folder_of(e, m);
	if (!in_folder(f, s, first))
		return NULL;
	path = path_join(e->arena, ".", arena_dup(e->arena, s, n));
	if (path[0] == '.' && path[1] == '.')
		return NULL;
	return is_file(e, path_join(e->arena, m->dir, path)) ? str_internz(e->strs, path) : NULL;
}

/* ---- one file ---- */

struct reader { int fd; EVP_MD_CTX *md; unsigned char buf[65536]; };

/* Hashes r->fd from its start and tells whether it is text. 0 or -1 with errno set. */
static int read_through(struct reader *r, struct ir_code *c, char *keep)
{
	size_t carry = 0;                 /* bytes of an unfinished character at the start of buf */

	c->text = true;
	c->len = 0;
	for (;;) {
		ssize_t k = read(r->fd, r->buf + carry, sizeof r->buf - carry);
		size_t have, good;

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return -1;
		if (!k) {
			c->text &= carry == 0;
			return 0;
		}
		if (!EVP_DigestUpdate(r->md, r->buf + carry, (size_t)k)) {
			errno = EIO;
			return -1;
		}
		if (keep && c->len + (size_t)k <= IR_CODE_INLINE)
			memcpy(keep + c->len, r->buf + carry, (size_t)k);
		c->len += (size_t)k;
		have = carry + (size_t)k;
		carry = 0;
		if (!c->text)
			continue;
		good = utf8_valid((char *)r->buf, have);
		if (memchr(r->buf, '\0', have) || have - good > 3) {
			c->text = false;
		} else {
			carry = have - good;
			memmove(r->buf, r->buf + good, carry);
		}
	}
}

static const struct str *hex(struct elab *e, const unsigned char *md, unsigned n)
{
	static const char digits[] = "0123456789abcdef";
	char s[2 * EVP_MAX_MD_SIZE];

	for (unsigned i = 0; i < n; i++) {
		s[2 * i] = digits[md[i] >> 4];
		s[2 * i + 1] = digits[md[i] & 15];
	}
	return str_intern(e->strs, s, 2 * (size_t)n);
}

/* Content and digest of the file at full into c. 0 or -1 with errno set. */
static int file_read(struct elab *e, const char *full, const struct stat *st, struct ir_code *c)
{
	struct reader *r = xmalloc(sizeof *r);
	unsigned char md[EVP_MAX_MD_SIZE];
	char *keep = st->st_size <= IR_CODE_INLINE ? xmalloc(IR_CODE_INLINE) : NULL;
	unsigned n = 0;
	int rc = -1;

	r->fd = open(full, O_RDONLY | O_CLOEXEC);
	r->md = EVP_MD_CTX_new();
	errno = r->fd < 0 ? errno : ENOMEM;
	if (r->fd >= 0 && r->md && EVP_DigestInit_ex(r->md, EVP_sha256(), NULL) && !read_through(r, c, keep) && EVP_DigestFinal_ex(r->md, md, &n)) {
		rc = 0;
		c->sha256 = hex(e, md, n);
		c->exec = st->st_mode & S_IXUSR;
		c->data = keep && c->text && c->len <= IR_CODE_INLINE ? arena_dup(e->arena, keep, c->len) : NULL;
	}
	EVP_MD_CTX_free(r->md);
	if (r->fd >= 0)
		close(r->fd);
	free(keep);
	free(r);
	return rc;
}

/* ---- a list ---- */

struct collector {
	struct elab *e;
	struct module *m;
	const char *real;                 /* folder of the .cw file, absolute */
	const struct ast_expr *item;      /* for messages */
	VEC(struct ir_code) v;
	bool bad;
};

struct above { dev_t dev; ino_t ino; const struct above *up; uint32_t depth; };   /* folders that one is in */

static struct diag_item *complain(struct collector *c, enum diag_code code, const char *fmt, const char *path)
{
	c->bad = true;
	return diag_at(c->e->diag, code, c->item->span, fmt, path);
}

/* Where it is read: relative to the folder of the entry file, or absolute. */
static const struct str *source_of(struct elab *e, const char *full)
{
	struct code_state *st = state(e);
	size_t n;

	if (!st->entry)
		st->entry = path_real(e->arena, e->main ? e->main->dir : ".");
	n = st->entry ? strlen(st->entry) : 0;
	if (n && path_inside(st->entry, full) && full[n] == '/')
		return str_internz(e->strs, full + n + 1);
	return str_internz(e->strs, full);
}

static void note_code(struct elab *e, const char *full, const struct ir_code *f)
{
	struct strbuf b = { 0 };

	seen_real(e, full);                                                /* a link that takes the place of a file may lead elsewhere */
	sb_f(&b, "%s %c", f->sha256->s, f->exec ? 'x' : '-');
	seen_add(e->seen, SEEN_CODE, full, b.s, b.n);
	sb_free(&b);
}

static void add_file(struct collector *c, const char *path, const char *full, const struct stat *st)
{
	const struct str *key = str_internz(c->e->strs, full);
	struct ir_code *f = strmap_get(&state(c->e)->files, key), one;

	if (c->v.n >= MAX_FILES) {
		if (!c->bad)
			diag_mend(c->e->diag, complain(c, CW0611, "'%s' holds more than 100000 files", c->item->u.str->s), "data of that size is an input: in images: dir = \"data/images\"");
		return;
	}
	if (!f) {
		f = arena_new_of(c->e->arena, struct ir_code);
		if (file_read(c->e, full, st, f)) {
			int err = errno;

			c->bad = true;
			diag_at(c->e->diag, CW0610, c->item->span, "cannot read '%s': %s", path, strerror(err));
			return;
		}
		if (c->e->seen)
			note_code(c->e, full, f);
		f->source = source_of(c->e, full);
		strmap_put(c->e->arena, &c->e->code->files, key, f);
	}
	one = *f;
	one.path = str_internz(c->e->strs, path);
	vec_push(c->e->arena, &c->v, one);
}

static void add_path(struct collector *c, const char *path, const char *full, const struct above *up, bool named);

static void add_folder(struct collector *c, const char *path, const char *full, const struct stat *st, const struct above *up)
{
	struct above here = { st->st_dev, st->st_ino, up, up ? up->depth + 1 : 0 };
	uint32_t before = c->v.n;
	const char **names;
	size_t n;

	for (const struct above *a = up; a; a = a->up)
		if (a->dev == st->st_dev && a->ino == st->st_ino) {
			complain(c, CW0611, "'%s' is a symbolic link to a folder that it is in", path);
			return;
		}
	if (here.depth > MAX_DEPTH) {
		complain(c, CW0611, "'%s' is nested more than 100 folders deep", path);
		return;
	}
	names = path_list(c->e->arena, full, &n);
	if (!names) {
		complain(c, CW0610, "cannot read the folder '%s'", path);
		return;
	}
	seen_folder(c->e->seen, full, names, n);
	for (size_t i = 0; i < n && !c->bad; i++)
		if (!left_behind(names[i], strlen(names[i])))
			add_path(c, path_join(c->e->arena, path, names[i]), path_join(c->e->arena, full, names[i]), &here, false);
	if (!up && c->v.n == before && !c->bad)
		diag_mend(c->e->diag, complain(c, CW0610, "the folder '%s' holds no file", path), "take it out of the list");
}

static void missing(struct collector *c, const char *path, const char *full)
{
	int err = errno;
	struct diag_item *it;
	const char *near;

	if (err != ENOENT && err != ENOTDIR) {
		c->bad = true;
		diag_at(c->e->diag, CW0610, c->item->span, "cannot read '%s': %s", path, strerror(err));
		return;
	}
	it = complain(c, CW0610, "no file or folder '%s' beside the .cw file", path);
	near = it->msg ? path_near(c->e->arena, path_folder(c->e->arena, full), strrchr(full, '/') + 1) : NULL;
	if (near)
		diag_label(c->e->diag, it, "did you mean '%s'?", path_join(c->e->arena, path_folder(c->e->arena, path), near));
	else if (strpbrk(path, "*?["))
		diag_mend(c->e->diag, it, "'code' takes files and folders, no patterns: name the folder");
	else
		diag_mend(c->e->diag, it, "paths are relative to the folder of the .cw file, %s", c->m->dir);
}

static void add_path(struct collector *c, const char *path, const char *full, const struct above *up, bool named)
{
	const char *real;
	struct stat st;

	if (lstat(full, &st)) {
		missing(c, path, full);
		return;
	}
	if (named || S_ISLNK(st.st_mode)) {
		real = seen_real(c->e, full);
		if (!real) {
			missing(c, path, full);
			return;
		}
		if (!path_inside(c->e->root, real)) {
			struct diag_item *it = complain(c, CW0603, "'%s' is a symbolic link out of the project root", path);

			diag_note(c->e->diag, it, (struct span){ 0 }, "the project root is %s", c->e->root);
			diag_mend(c->e->diag, it, "copy it into the project; large data is an input: in data: dir = \"s3://...\"");
			return;
		}
		if (stat(full, &st)) {
			missing(c, path, full);
			return;
		}
	}
	if (S_ISDIR(st.st_mode))
		add_folder(c, path, full, &st, up);
	else if (S_ISREG(st.st_mode))
		add_file(c, path, full, &st);
	else
		complain(c, CW0611, "'%s' is neither a file nor a folder", path);
}

/* Whether the text of a path can be one of code; reported otherwise. */
static bool path_ok(struct collector *c, const struct str *p, const char **norm)
{
	const char *why = NULL, *mend = "code = [\"train.py\", \"lib/\"]: paths relative to the .cw file";

	if (!p->len)
		why = "a path in 'code' is empty";
	else if (memchr(p->s, '\0', p->len))
		why = "a path holds a NUL byte";
	else if (strstr(p->s, "://"))
		why = "'code' takes files of the project", mend = "what lies elsewhere is an input: in data: file = \"s3://...\"";
	else if (p->s[0] == '/' || p->s[0] == '~')
		why = "'code' takes paths relative to the .cw file";
	if (!why) {
		*norm = path_join(c->e->arena, ".", p->s);
		if ((*norm)[0] == '.' && (*norm)[1] == '.' && ((*norm)[2] == '/' || !(*norm)[2])) {
			why = "a path in 'code' lies below the folder of the .cw file, so that it has a name in the step's folder";
			mend = "put the task into a .cw file beside its code, and import that: import \"../lib/util.cw\" as util";
		}
	}
	if (why) {
		c->bad = true;
		diag_mend(c->e->diag, diag_at(c->e->diag, CW0611, c->item->span, "%s", why), "%s", mend);
	}
	return !why;
}

static int by_path(const void *a, const void *b)
{
	return str_cmp(((const struct ir_code *)a)->path, ((const struct ir_code *)b)->path);
}

/* Sorted, each path once. */
static uint32_t unique(struct ir_code *v, uint32_t n)
{
	uint32_t k = 0;

	if (n)
		qsort(v, n, sizeof *v, by_path);
	for (uint32_t i = 0; i < n; i++)
		if (!k || v[k - 1].path != v[i].path)
			v[k++] = v[i];
	return k;
}

static const struct str *list_key(struct elab *e, struct module *m, const struct ast_expr *list)
{
	struct strbuf b = { 0 };
	const struct str *key;

	sb_z(&b, m->dir);
	for (uint32_t i = 0; i < list->n; i++) {
		sb_ch(&b, '\0');
		if (list->args[i]->kind == AX_STRING)
			sb_str(&b, list->args[i]->u.str);
	}
	key = str_intern(e->strs, b.s, b.n);
	sb_free(&b);
	return key;
}

int code_collect(struct elab *e, struct module *m, const struct ast_expr *list, struct ir_code **v, uint32_t *n)
{
	struct collector c = { .e = e, .m = m };
	struct code_list *done;
	const struct str *key;

	*v = NULL;
	*n = 0;
	if (!list || list->kind != AX_LIST)
		return list ? -1 : 0;
	if (!list->n)
		return 0;
	key = list_key(e, m, list);
	done = strmap_get(&state(e)->lists, key);
	if (done) {
		*v = done->v;
		*n = done->n;
		return 0;
	}
	c.real = seen_real(e, m->dir);
	for (uint32_t i = 0; i < list->n; i++) {
		const char *norm;

		c.item = list->args[i];
		if (c.item->kind != AX_STRING)
			c.bad = true;
		else if (path_ok(&c, c.item->u.str, &norm))
			add_path(&c, norm, path_join(e->arena, c.real ? c.real : m->dir, norm), NULL, true);
	}
	if (c.bad)
		return -1;
	done = arena_new_of(e->arena, struct code_list);
	done->v = c.v.v;
	done->n = unique(c.v.v, c.v.n);
	strmap_put(e->arena, &e->code->lists, key, done);
	*v = done->v;
	*n = done->n;
	return 0;
}
