/* What a whole run came to, written. */
#include "same.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "actions.h"
#include "shaset.h"

#define WRITE_AT 65536                    /* bytes that are kept back */

struct same {
	int fd;
	char *tmp;
	struct strbuf out, asked, key;    /* asked: records about inputs */
	struct shaset files, trees;
	struct strmap inputs;             /* paths that were noted */
	uint32_t done, skipped, cached;
};

/* ---- the key ---- */

bool same_stat(const char *path, struct same_stat *to)
{
	struct stat st;

	memset(to, 0, sizeof *to);
	if (stat(path, &st))
		return false;
	*to = (struct same_stat){ st.st_dev, st.st_ino, (uint64_t)st.st_size, (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec,
		(int64_t)st.st_ctim.tv_sec * 1000000000 + st.st_ctim.tv_nsec };
	return true;
}

static void add_stat(struct strbuf *b, const char *path)
{
	struct same_stat s;

	same_stat(path, &s);
	sb_f(b, "%llu %llu %llu %lld %lld\n", (unsigned long long)s.dev, (unsigned long long)s.ino, (unsigned long long)s.size, (long long)s.mtime, (long long)s.ctime);
}

static void add_text(struct strbuf *b, const char *s)
{
	sb_f(b, "%zu:%s\n", strlen(s), s);
}

void same_key(struct strbuf *key, const struct run_opts *o, const char *root, const char *cwd, const char *store)
{
	const char *zones = getenv("TZDIR");
	struct strbuf table = { 0 };

	sb_z(key, "couler " COULER_VERSION "\n");
	add_stat(key, "/proc/self/exe");
	sb_f(&table, "%s/tzdata.zi", zones && *zones ? zones : "/usr/share/zoneinfo");
	add_text(key, sb_cstr(&table));
	add_stat(key, sb_cstr(&table));           /* what a time is in a zone */
	add_text(key, root);
	add_text(key, cwd);
	add_text(key, o->project ? o->project : "");
	add_text(key, store);
	sb_z(key, o->same);
	sb_free(&table);
}

char *same_path(const char *store, const struct strbuf *key)
{
	struct hasher *h = hasher_new();
	struct strbuf b = { 0 };
	struct sha sha;
	char hex[65], *p;

	hasher_add(h, key->s, key->n);
	hasher_end(h, &sha);
	hasher_free(h);
	sha_hex(&sha, hex);
	sb_f(&b, "%s/same/%.32s", store, hex);
	p = xstrdup(sb_cstr(&b));
	sb_free(&b);
	return p;
}

void same_drop(const char *store)
{
	char *dir = file_join(store, "same");

	remove_tree(AT_FDCWD, dir);
	free(dir);
}

/* ---- during the run ---- */

static bool suits(const struct rt *rt)
{
	const struct run_opts *o = rt->o;

	if (!o->same || !o->seen || rt->d->first || rt->resumed || o->dry_run || o->no_cache || o->from || o->until || o->resume || o->container || o->cache_remote || (o->force && *o->force))
		return false;
	for (uint32_t k = 0; k < rt->m->workflows.n; k++)
		if (rt->m->workflows.v[k]->locks.n)
			return false;
	return true;
}

void same_open(struct rt *rt)
{
	const char *store = store_dir(rt->store);
	struct same *s;
	struct strbuf b = { 0 };

	if (!suits(rt))
		return;
	s = rt->same = xcalloc(1, sizeof *s);
	same_key(&s->key, rt->o, rt->root, rt->cwd, store);
	sb_f(&b, "%s/tmp/same-%d", store, (int)getpid());
	s->tmp = xstrdup(sb_cstr(&b));
	s->fd = open(s->tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	sb_free(&b);
	if (s->fd < 0)
		same_not(rt);
}

void same_not(struct rt *rt)
{
	struct same *s = rt->same;

	if (!s)
		return;
	rt->same = NULL;
	if (s->fd >= 0) {
		close(s->fd);
		unlink(s->tmp);
	}
	shaset_free(&s->files);
	shaset_free(&s->trees);
	sb_free(&s->out);
	sb_free(&s->asked);
	sb_free(&s->key);
	free(s->tmp);
	free(s);
}

static int flush(struct same *s, size_t least)
{
	int rc = 0;

	if (s->out.n > least) {
		rc = record_write(s->fd, &s->out);
		s->out.n = 0;
	}
	return rc;
}

void same_made(struct rt *rt, const struct inst *i)
{
	const struct node *n = i->node;

	if (!rt->same)
		return;
	switch ((enum node_kind)n->kind) {
	case N_IF: case N_FOR: case N_GROUP: case N_CALL: case N_LOOP:
		return;
	case N_STEP:
		if (!n->hidden && !n->to)         /* what `to` names is written again each time */
			return;
		break;
	default:
		break;
	}
	same_not(rt);
}

static void put_seen(struct strbuf *out, struct strbuf *b, enum seen_kind kind, const char *path, const char *said, size_t n)
{
	b->n = 0;
	put_u32(b, SAME_SEEN);
	put_u32(b, kind);
	put_text(b, path, strlen(path));
	put_text(b, said, n);
	record_add(out, b->s, b->n);
}

void same_input(struct rt *rt, const char *path, bool dir, const char *hex)
{
	const struct str *key;
	struct strbuf b = { 0 };

	if (!rt->same)
		return;
	if (!hex) {
		same_not(rt);
		return;
	}
	key = str_internf(rt->m->strs, "%c%s", dir ? 'd' : 'f', path);
	if (strmap_get(&rt->same->inputs, key))
		return;
	strmap_put(rt->arena, &rt->same->inputs, key, rt);
	put_seen(&rt->same->asked, &b, dir ? SEEN_TREE : SEEN_TEXT, path, hex, 64);
	sb_free(&b);
}

static int note_object(const struct sha *s, bool dir, uint64_t size, void *data)
{
	struct same *same = data;

	(void)size;
	shaset_add(dir ? &same->trees : &same->files, s);
	return 0;
}

void same_ended(struct rt *rt, const struct inst *i, const struct step *s, const struct entry_ended *e, const struct strbuf *payload)
{
	struct same *same = rt->same;

	if (e->status == ST_FAILED || (i->node->kind == N_STEP && e->status == ST_SUCCEEDED && (!s || !s->has_key || !may_reuse(s) || s->attrs->cache.ttl > 0))) {
		same_not(rt);
		return;
	}
	if (i->node->kind != N_CALL && inst_is_step(i)) {
		same->done++;
		same->skipped += e->status == ST_SKIPPED;
		same->cached += e->cached;
	}
	record_add(&same->out, payload->s, payload->n);
	if (outs_artifacts(e->outs, e->outs_len, note_object, same) && e->outs_len)
		same_not(rt);
	else if (flush(same, WRITE_AT))
		same_not(rt);
}

void same_also(struct rt *rt, const struct strbuf *payload)
{
	if (rt->same)
		record_add(&rt->same->out, payload->s, payload->n);
}

/* ---- at its end ---- */

static void put_objects(struct same *s, struct strbuf *b, const struct shaset *set, bool dir)
{
	for (uint32_t k = 0; k < set->cap; k++) {
		static const struct sha none;

		if (!memcmp(&set->v[k], &none, sizeof none))
			continue;
		b->n = 0;
		put_u32(b, SAME_OBJECT);
		put_u32(b, dir);
		sb_add(b, (const char *)set->v[k].b, sizeof none.b);
		record_add(&s->out, b->s, b->n);
	}
}

/* The front end's questions; texts by their digest. */
static void put_asked(struct rt *rt, struct strbuf *b)
{
	const struct seen *seen = rt->o->seen;
	struct sha sha;
	char hex[65];

	for (uint32_t k = 0; k < seen->v.n; k++) {
		const struct seen_one *o = &seen->v.v[k];

		if (o->kind != SEEN_TEXT) {
			put_seen(&rt->same->out, b, o->kind, o->path, o->said, o->n);
			continue;
		}
		hasher_reset(rt->hasher);
		hasher_add(rt->hasher, o->said, o->n);
		hasher_end(rt->hasher, &sha);
		sha_hex(&sha, hex);
		put_seen(&rt->same->out, b, SEEN_TEXT, o->path, hex, 64);
	}
}

static int put_end(struct rt *rt, struct strbuf *b)
{
	struct same *s = rt->same;
	struct strbuf outputs = { 0 };
	const char *file = rt->m->file ? rt->m->file->s : "";
	char *actions = file_join(store_dir(rt->store), "actions");
	struct same_stat st;
	int rc = same_stat(actions, &st) || !s->cached ? 0 : -1;

	free(actions);
	view_outputs(rt, &outputs);
	b->n = 0;
	put_u32(b, SAME_END);
	put_text(b, s->key.s, s->key.n);
	put_double(b, rt->started);
	sb_add(b, (const char *)&st, sizeof st);
	put_u32(b, rt->count.steps);
	put_u32(b, s->done);
	put_u32(b, s->skipped);
	put_u32(b, s->cached);
	put_text(b, file, strlen(file));
	put_text(b, rt->m->entry->name->s, rt->m->entry->name->len);
	put_text(b, outputs.s ? outputs.s : "", outputs.n);
	record_add(&s->out, b->s, b->n);
	sb_free(&outputs);
	return rc;
}

static int finish(struct same *s, const char *store)
{
	char *to = same_path(store, &s->key), *slash = strrchr(to, '/');
	int rc = flush(s, 0) | close(s->fd);

	s->fd = -1;
	if (!rc && rename(s->tmp, to)) {
		*slash = '\0';
		rc = make_dirs(to);
		*slash = '/';
		rc = rc || rename(s->tmp, to);
	}
	if (rc)
		unlink(s->tmp);
	free(to);
	return rc;
}

void same_keep(struct rt *rt, int rc)
{
	struct same *s = rt->same;
	struct strbuf b = { 0 };

	if (!s)
		return;
	if (rc || !rt->finished || rt->d->first || s->done != rt->count.done || s->done != rt->count.steps || !reuse_settled(rt)) {
		same_not(rt);
		return;
	}
	sb_add(&s->out, s->asked.s ? s->asked.s : "", s->asked.n);
	put_asked(rt, &b);
	put_objects(s, &b, &s->files, false);
	put_objects(s, &b, &s->trees, true);
	if (!put_end(rt, &b))
		finish(s, store_dir(rt->store));
	sb_free(&b);
	same_not(rt);
}
