/*
 * Taking a step's outputs from before, and keeping them for later. From the run that is resumed: what it finished,
 * under the same name with the same identity. From the cache: what the step's `cache` allows.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "actions.h"
#include "journal.h"
#include "keys.h"
#include "remote.h"

#define LONGEST_CHAIN 1000
#define SKEW 60.0                         /* s by which the clocks of machines that share a cache may differ */

struct finished { struct sha key; const char *outs; size_t len; bool ok; };

struct reuse {
	struct actions *actions;
	struct journal_reader *old;       /* of the run that is resumed, of the one that it resumed, ... */
	uint32_t nold;
	struct strmap finished;           /* name -> struct finished */
	struct keys *keys;
};

static void note_finished(struct rt *rt, const struct entry_ended *x)
{
	struct strmap *map = &rt->reuse->finished;
	const struct str *name = str_intern(rt->m->strs, x->name, x->name_len);
	struct finished *f;

	if (x->status == ST_SKIPPED || !x->has_key || strmap_get(map, name))
		return;
	f = arena_new_of(rt->arena, struct finished);
	*f = (struct finished){ x->key, x->outs, x->outs_len, x->status == ST_SUCCEEDED };
	strmap_put(rt->arena, map, name, f);
}

/* What one run finished; *resumed: the run that it resumed, NULL. Of two entries of a step the newer counts. */
static int read_finished(struct rt *rt, const char *id, const char **resumed)
{
	struct reuse *u = rt->reuse;
	struct journal_reader *r;
	struct journal_entry e;
	struct strbuf b = { 0 };
	int rc;

	u->old = xrealloc(u->old, (u->nold + 1) * sizeof *u->old);
	r = &u->old[u->nold];
	sb_f(&b, "%s/runs/%s/journal", store_dir(rt->store), id);
	rc = journal_read(r, sb_cstr(&b));
	sb_free(&b);
	*resumed = NULL;
	if (rc)
		return rc;
	u->nold++;
	while (journal_next(r, &e))
		if (e.kind == JOURNAL_ENDED)
			note_finished(rt, &e.u.ended);
		else if (e.kind == JOURNAL_RUN && e.u.run.resumed_len)
			*resumed = arena_dup(rt->arena, e.u.run.resumed, e.u.run.resumed_len);
	return 0;
}

int reuse_open(struct rt *rt, const char *resume)
{
	struct reuse *u = rt->reuse = xcalloc(1, sizeof *u);
	const char *next;
	int rc;

	u->actions = actions_open(store_dir(rt->store));
	u->keys = keys_open(store_dir(rt->store));
	if (!resume)
		return 0;
	rc = read_finished(rt, resume, &next);
	/* A resumed run that was ended early has noted only a part of what it was to take over. Damaged journals may go in a circle. */
	for (int k = 0; !rc && next && k < LONGEST_CHAIN; k++) {
		resume = next;
		read_finished(rt, resume, &next);
	}
	return rc;
}

void reuse_close(struct rt *rt)
{
	struct reuse *u = rt->reuse;

	if (!u)
		return;
	for (uint32_t k = 0; k < u->nold; k++)
		journal_read_end(&u->old[k]);
	free(u->old);
	actions_close(u->actions);
	keys_close(u->keys);
	free(u);
	rt->reuse = NULL;
}

/* ---- may it be reused? ---- */

static bool has_artifact_input(const struct ir_task *t)
{
	for (uint32_t k = 0; k < t->nins; k++)
		if (type_is_path(t->ins[k].type))
			return true;
	return false;
}

/* The rules of docs/running.md, "Caching". */
bool may_reuse(const struct step *s)
{
	const struct ir_cache *c = &s->attrs->cache;

	if (c->mode == CACHE_OFF || (s->attrs->mounts.n && !c->given))
		return false;
	if (c->mode == CACHE_ON)
		return true;
	return has_artifact_input(s->task) && (s->task->nouts || c->given);
}

/* Why nothing of s is ever reused. */
static const char *never(const struct step *s)
{
	const struct ir_cache *c = &s->attrs->cache;

	if (c->mode == CACHE_OFF)
		return "cache = off";
	if (s->attrs->mounts.n && !c->given)
		return "it has mounts, which nobody watches; cache = on keeps it all the same";
	if (!has_artifact_input(s->task))
		return "it reads no file, so nothing shows when its result is out of date; cache = on keeps it";
	return "it has no output; cache = on keeps it all the same";
}

static bool forced(struct rt *rt, const struct step *s)
{
	for (const char *const *f = rt->o->force; f && *f; f++)
		if (!strcmp(*f, "*"))
			return true;
	for (const struct inst *i = s->inst; i; i = i->scope->wf->caller)
		if (node_info(rt, i->node)->forced)
			return true;
	return false;
}

/* ---- taking ---- */

struct check { struct rt *rt; };

static int check_one(const struct sha *sha, bool dir, uint64_t size, void *data)
{
	struct check *c = data;

	(void)size;
	return store_check(c->rt->store, c->rt->hasher, sha, dir);
}

static bool take(struct rt *rt, struct step *s, const char *outs, size_t n)
{
	struct check c = { rt };

	store_hold(rt);
	return !outs_artifacts(outs, n, check_one, &c) && !outs_get(rt, s->task, outs, n, &s->outs);
}

static bool from_resumed(struct rt *rt, struct step *s)
{
	struct strbuf b = { 0 };
	struct finished *f;

	if (!rt->reuse->finished.n)
		return false;
	inst_name(s->inst, &b);
	f = strmap_get(&rt->reuse->finished, str_intern(rt->m->strs, b.s, b.n));
	sb_free(&b);
	return f && f->ok && !memcmp(&f->key, &s->key, sizeof s->key) && take(rt, s, f->outs, f->len);
}

/* age: s; a result from the future was made under another clock, so its age is not known. */
static bool expired(const struct ir_cache *c, double age)
{
	return c->given && c->ttl > 0 && (age > c->ttl || age < -SKEW);
}

bool reuse(struct rt *rt, struct step *s)
{
	struct reuse *u = rt->reuse;
	struct action a;

	if (!u || !s->has_key)
		return false;
	if (forced(rt, s)) {
		explain_never(rt, s, "--from or --force says so");
		return false;
	}
	if (from_resumed(rt, s))
		return true;
	if (!may_reuse(s) || rt->o->no_cache) {
		explain_never(rt, s, rt->o->no_cache ? "--no-cache" : never(s));
		return false;
	}
	if (!actions_get(u->actions, &s->key, &a)) {
		if (!remote_open_to(rt, s))
			explain(rt, s, u->keys);
		return false;
	}
	if (expired(&s->attrs->cache, now_wall() - a.time))
		return false;
	actions_touch(u->actions, &s->key, now_wall());
	if (take(rt, s, a.outs, a.outs_len))
		return true;
	view_note(rt, "%s: what was kept of it is damaged or gone; it runs again", s->inst->node->name->s);
	actions_drop(u->actions, &s->key);
	return false;
}

bool reuse_settled(struct rt *rt)
{
	struct stat st;

	return rt->reuse && !actions_stat(rt->reuse->actions, &st);
}

bool reuse_ask(struct rt *rt, struct step *s, void (*asked)(struct rt *, struct step *))
{
	double ttl = s->attrs->cache.given && s->attrs->cache.ttl > 0 ? s->attrs->cache.ttl : 0;

	if (!rt->reuse || !s->has_key || forced(rt, s) || !may_reuse(s) || rt->o->no_cache)
		return false;
	return remote_ask(rt, s, ttl > 0 ? now_wall() - ttl : 0, asked);
}

/* ---- keeping ---- */

void remember_from(struct rt *rt, const struct action *a)
{
	if (rt->reuse)
		actions_put(rt->reuse->actions, a);                         /* not kept, the step runs */
}

void remember(struct rt *rt, struct step *s)
{
	struct action a = { .key = s->key, .time = now_wall(), .seconds = s->t_end - s->t_start };
	struct strbuf name = { 0 }, outs = { 0 };

	if (!rt->reuse || !s->has_key || !may_reuse(s))
		return;
	inst_name(s->inst, &name);
	outs_put(&outs, s->task, s->outs, NULL);
	a.used = a.time;
	a.run = rt->run_id;
	a.run_len = strlen(rt->run_id);
	a.step = name.s;
	a.step_len = name.n;
	a.outs = outs.s;
	a.outs_len = outs.n;
	a.bytes = s->bytes;
	if (actions_put(rt->reuse->actions, &a) && !rt->told_store) {
		rt->told_store = true;
		view_note(rt, "results cannot be kept for later: %s: %s", store_dir(rt->store), strerror(errno));
	}
	remote_keep(rt, &a);
	keys_put(rt->reuse->keys, &s->key, name.s, name.n, s->key_text, s->key_len);
	sb_free(&name);
	sb_free(&outs);
}
