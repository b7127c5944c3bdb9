/*
 * stage: files beside the .cw file become locations in the workflow's artifacts store, for engines that do not see them
 * (docs/push.md). The location follows from the content alone, so compiling needs no network and gives the same bytes
 * before and after `couler push`, which uploads what this pass lists. Code that is too much to travel inside what is
 * emitted goes the same way, file by file; small text stays inside, where a reader sees it.
 *
 * needs nothing (what fold leaves a literal is staged); gives nothing; keeps everything. Without a store nothing changes: the engine refuses then.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "passes.h"

struct stage {
	struct ir *m;
	struct diag *d;
	const char *base;                 /* URI of the store, without a '/' at the end */
	struct strmap known;              /* uri -> anything: staged already */
	struct strmap files, dirs;        /* path as written -> struct done */
	uint32_t changed;
	int rc;
};

/* One path that is staged; err: why it cannot be. */
struct done { const struct str *uri, *sha256; const char *err; };

/* ---- digests ---- */

static void hex_of(EVP_MD_CTX *md, char out[65])
{
	unsigned char b[EVP_MAX_MD_SIZE] = { 0 };

	EVP_DigestFinal_ex(md, b, NULL);
	for (int i = 0; i < 32; i++)
		snprintf(out + 2 * i, 3, "%02x", b[i]);
}

static EVP_MD_CTX *sha256_new(void)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();

	if (!md || !EVP_DigestInit_ex(md, EVP_sha256(), NULL))
		abort();                  /* a libcrypto without SHA-256 */
	return md;
}

/* SHA-256 and size of a regular file. 0 or -1 with errno; EISDIR. */
static int hash_file(const char *path, char hex[65], uint64_t *size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), e = 0;
	EVP_MD_CTX *md;
	struct stat st;
	char *buf;
	ssize_t n;

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		close(fd);
		errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
		return -1;
	}
	md = sha256_new();
	buf = xmalloc(1 << 18);
	*size = 0;
	while ((n = read(fd, buf, 1 << 18)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			e = errno;
			break;
		}
		*size += (uint64_t)n;
		EVP_DigestUpdate(md, buf, (size_t)n);
	}
	hex_of(md, hex);
	EVP_MD_CTX_free(md);
	free(buf);
	close(fd);
	errno = e;
	return e ? -1 : 0;
}

/* ---- staging ---- */

static const char *absolute(struct stage *s, const char *path)
{
	struct strbuf b = { 0 };
	const char *p;

	if (!strncmp(path, "file://", 7))
		path += 7;
	if (path[0] == '/' || !s->m->dir || str_eq(s->m->dir, "."))
		return arena_dup(s->m->arena, path, strlen(path));
	sb_f(&b, "%s/%s", s->m->dir->s, path);
	p = arena_dup(s->m->arena, b.s, b.n);
	sb_free(&b);
	return p;
}

static void add(struct stage *s, const struct str *key, const char *path, const char *hex, uint64_t size)
{
	const struct str *uri = str_internf(s->m->strs, "%s/%s", s->base, key->s);

	if (strmap_get(&s->known, uri))
		return;
	strmap_put(s->m->arena, &s->known, uri, s);
	vec_push(s->m->arena, &s->m->staged, ((struct ir_staged){ uri, key, str_internz(s->m->strs, path), str_intern(s->m->strs, hex, 64), size }));
}

static struct done *failed(struct stage *s, struct done *r, const char *path, int e)
{
	struct strbuf b = { 0 };

	sb_f(&b, "%s: %s", path, strerror(e));
	r->err = arena_dup(s->m->arena, b.s, b.n);
	sb_free(&b);
	return r;
}

static struct done *stage_file(struct stage *s, const struct str *path)
{
	struct done *r = strmap_get(&s->files, path);
	const char *full = absolute(s, path->s);
	const struct str *key;
	uint64_t size;
	char hex[65];

	if (r)
		return r;
	r = arena_new_of(s->m->arena, struct done);
	strmap_put(s->m->arena, &s->files, path, r);
	if (hash_file(full, hex, &size))
		return failed(s, r, full, errno);
	key = str_internf(s->m->strs, "couler/files/%.2s/%s", hex, hex + 2);
	add(s, key, full, hex, size);
	r->uri = str_internf(s->m->strs, "%s/%s", s->base, key->s);
	r->sha256 = str_intern(s->m->strs, hex, 64);
	return r;
}

struct found { const char *rel; char hex[65]; uint64_t size; };
struct tree { VEC(struct found) files; VEC(const char *) dirs; };

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct found *)a)->rel, ((const struct found *)b)->rel);
}

static const char *joined(struct stage *s, const char *a, const char *b)
{
	return *a ? str_internf(s->m->strs, "%s/%s", a, b)->s : b;
}

/* Files below root, their digests; links to files count as files. NULL, or the path of what is wrong with errno. */
static const char *scan(struct stage *s, const char *root, struct tree *t)
{
	struct arena *a = s->m->arena;

	vec_push(a, &t->dirs, "");
	for (uint32_t i = 0; i < t->dirs.n; i++) {
		const char *rel = t->dirs.v[i], *full = joined(s, root, rel), *bad = NULL;
		DIR *d = opendir(*rel ? full : root);
		struct dirent *e;

		if (!d)
			return full;
		while (!bad && (e = readdir(d))) {
			struct stat st;
			const char *path;

			if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
				continue;
			path = joined(s, rel, arena_dup(a, e->d_name, strlen(e->d_name)));
			if (!fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) && S_ISDIR(st.st_mode)) {
				vec_push(a, &t->dirs, path);
				continue;
			}
			struct found f = { .rel = path };

			if (strchr(path, '\n') || hash_file(joined(s, root, path), f.hex, &f.size))
				bad = joined(s, root, path);
			vec_push(a, &t->files, f);
		}
		int err = errno;

		closedir(d);
		errno = err;
		if (bad)
			return bad;
	}
	if (t->files.n)
		qsort(t->files.v, t->files.n, sizeof *t->files.v, by_path);
	return NULL;
}

static struct done *stage_dir(struct stage *s, const struct str *path)
{
	struct done *r = strmap_get(&s->dirs, path);
	struct tree t = { 0 };
	const char *root = absolute(s, path->s), *bad;
	EVP_MD_CTX *md;
	char hex[65];

	if (r)
		return r;
	r = arena_new_of(s->m->arena, struct done);
	strmap_put(s->m->arena, &s->dirs, path, r);
	bad = scan(s, root, &t);
	if (bad)
		return failed(s, r, bad, strchr(bad, '\n') ? EINVAL : errno);
	if (!t.files.n) {
		r->err = str_internf(s->m->strs, "%s: the folder holds no file, and a store has no empty folders", root)->s;
		return r;
	}
	md = sha256_new();
	for (uint32_t i = 0; i < t.files.n; i++) {
		EVP_DigestUpdate(md, t.files.v[i].hex, 64);
		EVP_DigestUpdate(md, "  ", 2);
		EVP_DigestUpdate(md, t.files.v[i].rel, strlen(t.files.v[i].rel));
		EVP_DigestUpdate(md, "\n", 1);
	}
	hex_of(md, hex);
	EVP_MD_CTX_free(md);
	for (uint32_t i = 0; i < t.files.n; i++)
		add(s, str_internf(s->m->strs, "couler/dirs/%.2s/%s/%s", hex, hex + 2, t.files.v[i].rel), joined(s, root, t.files.v[i].rel), t.files.v[i].hex, t.files.v[i].size);
	r->uri = str_internf(s->m->strs, "%s/couler/dirs/%.2s/%s", s->base, hex, hex + 2);
	return r;
}

static bool is_remote(const struct str *p)
{
	return strstr(p->s, "://") && strncmp(p->s, "file://", 7);
}

static void cannot(struct stage *s, struct span sp, const char *why)
{
	struct diag_item *it = diag_at(s->d, CW0630, sp, "cannot be staged: %s", why);

	diag_mend(s->d, it, "mend the path, which is relative to the .cw file; `couler help CW0630` says more");
	s->rc = -1;
}

/* What stands for v, a local file or dir; v itself where it is remote. */
static struct value staged(struct stage *s, struct value v, const struct str *pinned, struct span sp)
{
	struct done *r;

	if (v.type.kind == T_NULL || !v.u.s || is_remote(v.u.s))
		return v;
	r = v.type.kind == T_DIR ? stage_dir(s, v.u.s) : stage_file(s, v.u.s);
	if (!pinned)
		pinned = v.sha256;
	if (!r->err && pinned && r->sha256 && pinned != r->sha256)
		r->err = str_internf(s->m->strs, "%s has SHA-256 %s, but %s was asked for", v.u.s->s, r->sha256->s, pinned->s)->s;
	if (r->err) {
		cannot(s, sp, r->err);
		return v;
	}
	s->changed++;
	v.u.s = r->uri;                   /* names the digest: no pin, which would keep equal steps from sharing a template */
	v.text = NULL;
	return v;
}

static void literal(struct stage *s, struct expr **slot, struct value v)
{
	struct expr *e = arena_new_of(s->m->arena, struct expr);
	struct value *p = arena_new_of(s->m->arena, struct value);

	*p = v;
	*e = **slot;
	e->op = EX_LIT;
	e->fn = 0;
	e->n = 0;
	e->u.lit = p;
	*slot = e;
}

static void list(struct stage *s, struct expr **slot)
{
	struct value v = *(*slot)->u.lit, *el;
	bool any = false;

	for (uint32_t i = 0; i < v.n; i++)
		any |= v.u.list[i].type.kind != T_NULL && v.u.list[i].u.s && !is_remote(v.u.list[i].u.s);
	if (!any)
		return;
	el = arena_array(s->m->arena, struct value, v.n);
	for (uint32_t i = 0; i < v.n; i++)
		el[i] = staged(s, v.u.list[i], NULL, (*slot)->span);
	v.u.list = el;
	literal(s, slot, v);
}

/* A text that stands for a path: "data.csv", file("data.csv", sha256 = "..."). */
static void converted(struct stage *s, struct expr **slot)
{
	const struct expr *e = *slot, *a = e->u.args[0];
	struct value v;

	if (a->op != EX_LIT || a->type.list || a->u.lit->type.kind == T_NULL || !a->u.lit->u.s || e->type.list || is_remote(a->u.lit->u.s))
		return;
	v = (struct value){ .type = { e->type.kind, false, false }, .u.s = a->u.lit->u.s };
	literal(s, slot, staged(s, v, e->op == EX_CALL && e->n > 1 && e->u.args[1]->op == EX_LIT ? e->u.args[1]->u.lit->u.s : NULL, e->span));
}

static void visit(struct expr **slot, struct node *n, void *data)
{
	struct stage *s = data;
	struct expr *e = *slot;

	if (type_is_path(e->type) && e->op == EX_LIT && e->u.lit->type.kind != T_NULL) {
		if (e->type.list)
			list(s, slot);
		else if (e->u.lit->u.s && !is_remote(e->u.lit->u.s))
			literal(s, slot, staged(s, *e->u.lit, NULL, e->span));
	} else if (type_is_path(e->type) && (e->op == EX_CONV || (e->op == EX_CALL && e->fn == FN_file)))
		converted(s, slot);
	for (uint32_t i = 0, k = expr_arity(*slot); i < k; i++)
		visit(&expr_args(*slot)[i], n, data);                       /* no deeper than the parser lets them be */
}

/* ---- code ---- */

static void code(struct stage *s, struct ir_task *t)
{
	size_t room = IR_CODE_INLINE;

	for (uint32_t i = 0; i < t->ncode; i++) {
		struct ir_code *c = &t->code[i];
		struct done *r;

		if (c->data && c->text && c->len <= room) {
			room -= c->len;
			continue;
		}
		r = stage_file(s, c->source ? c->source : c->path);
		if (!r->err && c->sha256 && r->sha256 != c->sha256)
			r->err = str_internf(s->m->strs, "%s changes while it is read", c->path->s)->s;
		if (r->err) {
			cannot(s, t->span, r->err);
			continue;
		}
		c->place = r->uri;
		s->changed++;
	}
}

/* A constant list of places as an input becomes one expression an element: each is fetched by itself. */
static void write_out(struct stage *s, struct expr **slot)
{
	struct expr *e = *slot, *l;

	if (!e || e->op != EX_LIT || !type_is_path(e->type) || !e->type.list || !e->u.lit->n)
		return;
	l = arena_new_of(s->m->arena, struct expr);
	*l = (struct expr){ .op = EX_LIST, .type = e->type, .span = e->span, .n = e->u.lit->n };
	l->u.args = arena_array(s->m->arena, struct expr *, l->n);
	for (uint32_t i = 0; i < l->n; i++) {
		l->u.args[i] = arena_new_of(s->m->arena, struct expr);
		*l->u.args[i] = (struct expr){ .op = EX_LIT, .type = { e->type.kind, false, false }, .span = e->span, .u.lit = &e->u.lit->u.list[i] };
	}
	*slot = l;
}

static void visit_node(struct node *n, void *data)
{
	struct stage *s = data;

	if (s->base)
		node_exprs(s->m, n, visit, s);
	for (uint32_t i = 0; i < n->nins; i++)
		write_out(s, &n->ins[i]);
}

/* The store's place; a folder as a file:// URI, which an engine may see, too. NULL: none. */
static const char *base_of(struct stage *s)
{
	const struct ir_store *st = NULL;
	struct strbuf b = { 0 };
	const char *p;

	for (uint32_t i = 0; s->m->entry->artifacts && i < s->m->stores.n; i++)
		if (s->m->stores.v[i].name == s->m->entry->artifacts)
			st = &s->m->stores.v[i];
	if (!st || !st->uri || !st->uri->len)
		return NULL;
	if (!strstr(st->uri->s, "://") && st->uri->s[0] != '/') {
		char *dir = realpath(s->m->dir ? s->m->dir->s : ".", NULL);

		sb_f(&b, "file://%s/%s", dir ? dir : "", st->uri->s);
		free(dir);
	} else if (st->uri->s[0] == '/')
		sb_f(&b, "file://%s", st->uri->s);
	else
		sb_str(&b, st->uri);
	while (b.n && b.s[b.n - 1] == '/')
		b.n--;
	p = arena_dup(s->m->arena, b.s, b.n);
	sb_free(&b);
	return p;
}

static int run(struct ir *m, const struct target *t, const struct optset *o, struct diag *d)
{
	struct stage s = { .m = m, .d = d };
	uint64_t bytes = 0;

	(void)o;
	if (!t->backend || !t->backend->staged)
		return 0;
	s.base = base_of(&s);
	for (uint32_t i = 0; i < m->workflows.n; i++) {
		if (s.base)
			workflow_exprs(m->workflows.v[i], visit, &s);
		workflow_nodes(m->workflows.v[i], visit_node, &s);
	}
	for (uint32_t i = 0; s.base && i < m->tasks.n; i++)
		code(&s, m->tasks.v[i]);
	for (uint32_t i = 0; i < m->staged.n; i++)
		bytes += m->staged.v[i].size;
	if (s.changed)
		diag_remark(d, m->entry->span, "stage: %u place%s name%s %u file%s of %llu bytes below %s", s.changed, s.changed == 1 ? "" : "s", s.changed == 1 ? "s" : "",
			m->staged.n, m->staged.n == 1 ? "" : "s", (unsigned long long)bytes, s.base);
	return s.rc;
}

extern const struct pass pass_stage;
const struct pass pass_stage = {
	.name = "stage", .help = "name local files by their place in the artifacts store, where `couler push` puts them",
	.always = true, .run = run,
};
