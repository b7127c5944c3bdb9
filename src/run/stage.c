/* The folder of an attempt: what it reads is linked in, its code is copied, its outputs have their places. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rt.h"

/* ---- slots ---- */

static int new_slot(struct rt *rt, struct slot *sl)
{
	struct strbuf b = { 0 };
	int rc;

	sb_f(&b, "%s/w/%u", rt->dir, rt->nslots++);
	sl->dir = xstrdup(sb_cstr(&b));
	rc = mkdir(sl->dir, 0777);
	if (rc && errno == ENOENT)
		rc = make_dirs(sl->dir);
	sb_z(&b, "/t");
	rc = rc || mkdir(sb_cstr(&b), 0777);
	sl->tmp = rc ? -1 : open(sb_cstr(&b), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	sb_free(&b);
	return sl->tmp < 0 ? -1 : 0;
}

struct slot *slot_take(struct rt *rt)
{
	struct slot *sl = rt->free_slots;

	if (sl) {
		rt->free_slots = sl->next;
		return sl;
	}
	sl = xcalloc(1, sizeof *sl);
	if (!new_slot(rt, sl))
		return sl;
	free(sl->dir);
	free(sl);
	return NULL;
}

/* Nothing is in $CW_TMP, and it is as it was made. */
static bool untouched(const struct slot *sl)
{
	char buf[256];
	struct stat st;

	if (fstat(sl->tmp, &st) || !st.st_nlink || (st.st_mode & 0700) != 0700 || lseek(sl->tmp, 0, SEEK_SET) < 0)
		return false;
	if (getdents64(sl->tmp, buf, sizeof buf) != 48)                 /* "." and "..", 24 bytes each */
		return false;
	return getdents64(sl->tmp, buf, sizeof buf) == 0;
}

static void drop(struct slot *sl)
{
	if (sl->tmp >= 0)
		close(sl->tmp);
	remove_tree(AT_FDCWD, sl->dir);
	free(sl->dir);
	free(sl);
}

void slot_give(struct rt *rt, struct slot *sl, bool strays)
{
	static const char *const subs[] = { "o", "i", "c" };
	bool used[] = { sl->has_o, sl->has_i, sl->has_c }, any = sl->has_o || sl->has_i || sl->has_c;
	int dir = -1;

	if (strays || sl->has_ranks || !untouched(sl) || (any && (dir = open(sl->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)) {
		drop(sl);
		return;
	}
	for (int k = 0; k < 3; k++)
		if (used[k] && (unlinkat(dir, subs[k], AT_REMOVEDIR) && remove_tree(dir, subs[k]))) {
			close(dir);
			drop(sl);
			return;
		}
	if (any)
		close(dir);
	sl->has_o = sl->has_i = sl->has_c = false;
	sl->next = rt->free_slots;
	rt->free_slots = sl;
}

void slots_close(struct rt *rt)
{
	struct strbuf b = { 0 };

	for (struct slot *sl = rt->free_slots, *next; sl; sl = next) {
		next = sl->next;
		drop(sl);
	}
	rt->free_slots = NULL;
	if (rt->nslots) {
		sb_f(&b, "%s/w", rt->dir);
		remove_tree(AT_FDCWD, sb_cstr(&b));
		sb_free(&b);
	}
}

void step_entry(const struct str *name, uint32_t number, struct strbuf *b)
{
	if (name->len <= 200)
		sb_str(b, name);
	else
		sb_f(b, "%.60s-%u", name->s, number);
}

/* ---- inputs ---- */

static int make_sub(struct step *s, const char *sub, struct strbuf *b)
{
	b->n = 0;
	sb_f(b, "%s/%s", s->slot->dir, sub);
	if (!mkdir(sb_cstr(b), 0777) || errno == EEXIST)
		return 0;
	step_why(s, "%s: %s", sb_cstr(b), strerror(errno));
	return -1;
}

static int link_to(struct step *s, const char *target, struct strbuf *at)
{
	if (!symlink(target, sb_cstr(at)))
		return 0;
	step_why(s, "%s: %s", sb_cstr(at), strerror(errno));
	return -1;
}

/* Name of element k: six digits, in place of * where a name is given. */
static void element_name(struct strbuf *b, const struct str *named, uint32_t k)
{
	const char *star = named ? memchr(named->s, '*', named->len) : NULL;

	if (!star) {
		sb_f(b, "%06u", k);
		return;
	}
	sb_add(b, named->s, (size_t)(star - named->s));
	sb_f(b, "%06u", k);
	sb_z(b, star + 1);
}

/* A directory of links, or one link with the name that was asked for. */
static int link_input(struct step *s, uint32_t k, struct strbuf *b)
{
	const struct ir_decl *d = &s->task->ins[k];
	const struct value *v = &s->ins[k];
	size_t base;

	if (!s->slot->has_i && make_sub(s, "i", b))
		return -1;
	s->slot->has_i = true;
	b->n = 0;
	sb_f(b, "%s/i/", s->slot->dir);
	step_entry(d->name, k, b);
	if (mkdir(sb_cstr(b), 0777) && errno != EEXIST) {
		step_why(s, "%s: %s", sb_cstr(b), strerror(errno));
		return -1;
	}
	if (!v->type.list) {
		sb_f(b, "/%s", d->named->s);
		if (link_to(s, v->u.s->s, b))
			return -1;
		s->in_text[k] = arena_dup(s->arena, b->s, b->n);
		return 0;
	}
	s->in_text[k] = arena_dup(s->arena, b->s, b->n);
	sb_ch(b, '/');
	base = b->n;
	for (uint32_t e = 0; e < v->n; e++) {
		b->n = base;
		element_name(b, d->named, e);
		if (link_to(s, v->u.list[e].u.s->s, b))
			return -1;
	}
	return 0;
}

/* ---- code ---- */

static int put_code(struct rt *rt, struct step *s, const struct ir_code *c, struct strbuf *b)
{
	size_t base;
	char *slash;
	int fd, rc;

	b->n = 0;
	sb_f(b, "%s/c/", s->slot->dir);
	base = b->n;
	sb_str(b, c->path);
	slash = strrchr(sb_cstr(b) + base, '/');
	if (slash) {
		*slash = '\0';
		rc = make_dirs(b->s);
		*slash = '/';
		if (rc)
			return -1;
	}
	if (!c->data)
		return copy_file(module_path(rt, s->arena, c->source->s), sb_cstr(b), c->exec ? 0755 : 0644);
	fd = open(sb_cstr(b), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, c->exec ? 0777 : 0666);
	rc = fd < 0 || write(fd, c->data, c->len) != (ssize_t)c->len ? -1 : 0;
	if (fd >= 0 && close(fd))
		rc = -1;
	return rc;
}

static int step_code(struct rt *rt, struct step *s, struct strbuf *b)
{
	if (make_sub(s, "c", b))
		return -1;
	s->slot->has_c = true;
	for (uint32_t k = 0; k < s->task->ncode; k++)
		if (put_code(rt, s, &s->task->code[k], b)) {
			step_why(s, "code '%s' could not be laid out: %s", s->task->code[k].path->s, strerror(errno));
			return -1;
		}
	return 0;
}

/* ---- outputs ---- */

const char *step_out_path(struct rt *rt, struct step *s, uint32_t out)
{
	const struct ir_decl *d = &s->task->outs[out];
	struct strbuf b = { 0 };
	char *p;

	(void)rt;
	sb_f(&b, "%s/o/", s->slot->dir);
	step_entry(d->name, out, &b);
	if (d->named && !d->type.list)
		sb_f(&b, "/%s", d->named->s);
	p = arena_dup(s->arena, b.s, b.n);
	sb_free(&b);
	return p;
}

const char *step_stdout(struct step *s)
{
	for (uint32_t k = 0; k < s->task->nouts; k++)
		if (s->task->outs[k].from_stdout)
			return step_out_path(NULL, s, k);
	return NULL;
}

static int make_outs(struct step *s, struct strbuf *b)
{
	if (!s->task->nouts)
		return 0;
	if (!s->slot->has_o && make_sub(s, "o", b))
		return -1;
	s->slot->has_o = true;
	for (uint32_t k = 0; k < s->task->nouts; k++) {
		const struct ir_decl *d = &s->task->outs[k];

		if (!d->named || d->type.list)
			continue;
		b->n = 0;
		sb_f(b, "%s/o/", s->slot->dir);
		step_entry(d->name, k, b);
		if (mkdir(sb_cstr(b), 0777) && errno != EEXIST) {
			step_why(s, "%s: %s", sb_cstr(b), strerror(errno));
			return -1;
		}
	}
	return 0;
}

int step_inputs(struct rt *rt, struct step *s)
{
	const struct ir_task *t = s->task;
	struct strbuf b = { 0 };
	int rc;

	s->fault = FAULT_ERROR;
	s->in_text = arena_array(s->arena, const char *, t->nins ? t->nins : 1);
	rc = make_outs(s, &b);
	for (uint32_t k = 0; k < t->nins && !rc; k++) {
		if (!type_is_path(t->ins[k].type))
			continue;
		if (!s->ins[k].type.list && s->ins[k].type.kind == T_NULL)
			s->in_text[k] = "";
		else if (s->ins[k].type.list || t->ins[k].named)
			rc = link_input(s, k, &b);
		else
			s->in_text[k] = s->ins[k].u.s->s;
	}
	if (!rc && t->ncode)
		rc = step_code(rt, s, &b);
	sb_free(&b);
	return rc;
}
