/* What an attempt left: values read and checked, files and directories moved into the store. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rt.h"

#define ALL_VALUES (512 * 1024)
#define INLINE (32 * 1024)                /* bytes of files that are hashed at once; more goes to the pool */

/* An output that is an artifact, as the pool sees it. */
struct put { char *path; bool dir; struct artifact a; };
struct collect {
	struct job job;                   /* first */
	struct rt *rt;
	struct step *step;
	struct put *puts;
	uint32_t n, cap, *counts;         /* counts: artifacts by output */
	char *err;                        /* malloc */
	bool own_fault;
};

static void say(struct step *s, uint32_t k, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static void say(struct step *s, uint32_t k, const char *fmt, ...)
{
	struct strbuf b = { 0 }, t = { 0 };
	va_list ap;

	type_str(&t, s->task->outs[k].type);
	sb_f(&b, "output '%s' (%s) ", s->task->outs[k].name->s, sb_cstr(&t));
	va_start(ap, fmt);
	sb_vf(&b, fmt, ap);
	va_end(ap);
	s->fault = FAULT_VALUE;
	step_why(s, "%s", sb_cstr(&b));
	sb_free(&b);
	sb_free(&t);
}

/* ---- values ---- */

/* A file of a value, whole; at most limit + 1 bytes of it. NULL after a message. */
static char *read_value(struct step *s, uint32_t k, const char *path, size_t *n)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	char *p;
	ssize_t r;

	if (fd < 0 && errno == ENOENT && !s->task->outs[k].from_stdout) {
		say(s, k, "was not written; the step must write its value into the file $%s names", s->task->outs[k].name->s);
		return NULL;
	}
	if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		say(s, k, "cannot be read: %s", fd < 0 ? strerror(errno) : "it is not a regular file");
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	if (st.st_size > ALL_VALUES) {
		say(s, k, "is too large: %lld bytes; larger data must be a file", (long long)st.st_size);
		close(fd);
		return NULL;
	}
	p = xmalloc((size_t)st.st_size + 1);
	*n = 0;
	while ((r = read(fd, p + *n, (size_t)st.st_size + 1 - *n)) > 0 && *n <= (size_t)st.st_size)
		*n += (size_t)r;
	close(fd);
	return p;
}

static int take_value(struct rt *rt, struct step *s, uint32_t k, size_t *total)
{
	const struct ir_decl *d = &s->task->outs[k];
	struct valctx c = { rt->arena, rt->m->strs };
	const char *path = step_out_path(rt, s, k), *err = NULL;
	size_t n;
	char *p = read_value(s, k, path, &n);
	int rc = -1;

	if (!p)
		return -1;
	unlink(path);
	if (n && p[n - 1] == '\n')
		n--;
	*total += n;
	if ((d->type.kind == T_STRING || d->type.kind == T_JSON || d->type.list) && value_check_text(p, n, &err))
		say(s, k, "%s", err);
	else if (value_parse(&c, (struct type){ d->type.kind, d->type.list, false }, p, n, true, &s->outs[k], &err)) {
		struct strbuf b = { 0 };

		sb_safe(&b, p, n > 60 ? 60 : n);
		say(s, k, "holds \"%s%s\": %s", sb_cstr(&b), n > 60 ? "..." : "", err ? err : "it does not fit the type");
		sb_free(&b);
	} else if (*total > ALL_VALUES)
		say(s, k, "makes the step's values too large: more than %d bytes in all; larger data must be a file", ALL_VALUES);
	else
		rc = 0;
	free(p);
	return rc;
}

/* ---- artifacts ---- */

static void add_put(struct collect *c, char *path, bool dir)
{
	if (c->n == c->cap) {
		c->cap = c->cap ? 2 * c->cap : 4;
		c->puts = xrealloc(c->puts, c->cap * sizeof *c->puts);
	}
	c->puts[c->n++] = (struct put){ .path = path, .dir = dir };
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The entries of a list output, in byte order. */
static int list_puts(struct collect *c, uint32_t k, const char *path)
{
	struct step *s = c->step;
	DIR *d = opendir(path);
	struct dirent *de;
	char **names = NULL;
	size_t n = 0, cap = 0;

	if (!d) {
		if (errno == ENOENT)
			say(s, k, "was not made; the step must make a directory at $%s with one entry an element", s->task->outs[k].name->s);
		else
			say(s, k, "cannot be read: %s", strerror(errno));
		return -1;
	}
	while ((de = readdir(d))) {
		if (!strcmp(de->d_name, ".") || !strcmp(de->d_name, ".."))
			continue;
		if (n == cap)
			names = xrealloc(names, (cap = cap ? 2 * cap : 16) * sizeof *names);
		names[n++] = xstrdup(de->d_name);
	}
	closedir(d);
	if (n)
		qsort(names, n, sizeof *names, by_bytes);
	for (size_t i = 0; i < n; i++) {
		add_put(c, file_join(path, names[i]), s->task->outs[k].type.kind == T_DIR);
		free(names[i]);
	}
	free(names);
	return 0;
}

static int take_artifact(struct collect *c, struct rt *rt, uint32_t k)
{
	struct step *s = c->step;
	const struct ir_decl *d = &s->task->outs[k];
	const char *path = step_out_path(rt, s, k);
	struct stat st;

	if (d->type.list)
		return list_puts(c, k, path);
	if (stat(path, &st)) {
		say(s, k, "was not written; the step must make a %s at the path $%s", d->type.kind == T_DIR ? "directory" : "file", d->name->s);
		return -1;
	}
	if (S_ISDIR(st.st_mode) != (d->type.kind == T_DIR) || (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode))) {
		say(s, k, "is %s", S_ISDIR(st.st_mode) ? "a directory, not a file" : S_ISREG(st.st_mode) ? "a file, not a directory" : "not a regular file");
		return -1;
	}
	add_put(c, xstrdup(path), d->type.kind == T_DIR);
	return 0;
}

/* ---- moving into the store: here, or in a thread of the pool ---- */

static void put_all(struct job *j, struct hasher *h)
{
	struct collect *c = (struct collect *)j;

	for (uint32_t i = 0; i < c->n && !c->err; i++)
		store_put(c->rt->store, h, c->puts[i].path, c->puts[i].dir, c->step->strays, &c->puts[i].a, &c->err, &c->own_fault);
}

static bool small(const struct collect *c)
{
	struct stat st;
	off_t all = 0;

	for (uint32_t i = 0; i < c->n; i++) {
		if (c->puts[i].dir || c->n > 16 || stat(c->puts[i].path, &st))
			return false;
		all += st.st_size;
	}
	return all <= INLINE;
}

struct value artifact_value(struct rt *rt, const struct artifact *a)
{
	struct value v = { .type = type_of(a->dir ? T_DIR : T_FILE) };
	char *path = store_path(rt->store, &a->sha, a->dir), hex[65];

	v.u.s = str_internz(rt->m->strs, path);
	sha_hex(&a->sha, hex);
	v.sha256 = str_intern(rt->m->strs, hex, 64);
	free(path);
	return v;
}

static void put_done(struct rt *rt, struct job *j)
{
	struct collect *c = (struct collect *)j;
	struct step *s = c->step;
	uint32_t at = 0;

	for (uint32_t k = 0; k < c->n; k++)
		s->bytes += c->puts[k].a.size;
	if (c->err) {
		s->fault = c->own_fault ? FAULT_VALUE : FAULT_ERROR;
		step_why(s, "%s: %s", c->own_fault ? "an output cannot be taken" : "an output could not be stored", c->err);
	}
	for (uint32_t k = 0; k < s->task->nouts && !s->what; k++) {
		const struct ir_decl *d = &s->task->outs[k];
		struct value *list;
		uint32_t n = 0;

		if (!type_is_path(d->type))
			continue;
		if (!d->type.list) {
			s->outs[k] = artifact_value(rt, &c->puts[at++].a);
			continue;
		}
		n = c->counts[k];
		list = arena_array(rt->arena, struct value, n ? n : 1);
		for (uint32_t e = 0; e < n; e++)
			list[e] = artifact_value(rt, &c->puts[at++].a);
		s->outs[k] = (struct value){ .type = { d->type.kind, true, false }, .n = n, .u.list = list };
	}
	for (uint32_t i = 0; i < c->n; i++)
		free(c->puts[i].path);
	free(c->puts);
	free(c->counts);
	free(c->err);
	free(c);
	rt->holds--;
	step_collected(rt, s);
}

void collect_start(struct rt *rt, struct step *s)
{
	struct collect *c;
	size_t total = 0;
	int rc = 0;

	s->outs = arena_array(rt->arena, struct value, s->task->nouts ? s->task->nouts : 1);
	if (!s->task->nouts) {
		step_collected(rt, s);
		return;
	}
	store_hold(rt);
	rt->holds++;
	c = xcalloc(1, sizeof *c);
	c->rt = rt;
	c->step = s;
	c->counts = xcalloc(s->task->nouts, sizeof *c->counts);
	for (uint32_t k = 0; k < s->task->nouts && !rc; k++) {
		uint32_t had = c->n;

		rc = type_is_path(s->task->outs[k].type) ? take_artifact(c, rt, k) : take_value(rt, s, k, &total);
		c->counts[k] = c->n - had;
	}
	if (rc || !c->n || small(c)) {
		if (!rc)
			put_all(&c->job, rt->hasher);
		put_done(rt, &c->job);
		return;
	}
	pool_add(rt, &c->job, put_all, put_done);
}
