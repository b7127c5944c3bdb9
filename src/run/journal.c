/* The journal of a run, written. */
#include "journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "actions.h"
#include "same.h"

#define SYNC_EVERY 0.2                    /* s: syncs are grouped */
#define ONE_BY_ONE 200                    /* files of one sync; more, and the whole file system is synced */

struct journal {
	struct job job;                   /* of the sync that runs; first */
	int fd, store_fd;
	struct strbuf out, scratch;
	uint64_t epoch, written, syncing, synced;
	bool busy, failed;
	int err;                          /* errno of what failed */
	char **fresh, **going;            /* files of the store that were not synced; those of the sync that runs; ends at NULL */
	uint32_t nfresh, cap;
	bool going_all, dirty;            /* dirty: something was run, not only reused */
	struct timer timer;
	bool all;                         /* too many, or directories: the file system is synced */
	double last;
};

struct journal *journal_open(struct rt *rt)
{
	struct journal *j = xcalloc(1, sizeof *j);
	char *p = file_join(rt->dir, "journal");

	j->fd = open(p, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
	j->store_fd = open(store_dir(rt->store), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(p);
	if (j->fd >= 0 && j->store_fd >= 0)
		return j;
	if (j->fd >= 0)
		close(j->fd);
	free(j);
	return NULL;
}

static struct strbuf *begin(struct rt *rt, uint32_t kind)
{
	struct strbuf *b = &rt->journal->scratch;

	b->n = 0;
	put_u32(b, kind);
	return b;
}

static void end(struct rt *rt)
{
	struct journal *j = rt->journal;

	record_add(&j->out, j->scratch.s, j->scratch.n);
	j->epoch++;
}

void journal_run(struct rt *rt, const char *file, const char *workflow)
{
	struct strbuf *b = begin(rt, JOURNAL_RUN), args = { 0 };
	const char *resumed = rt->resumed ? rt->resumed : "";

	for (char *const *a = rt->o->argv; a && *a; a++)
		sb_add(&args, *a, strlen(*a) + 1);
	put_double(b, rt->started);
	put_text(b, file, strlen(file));
	put_text(b, workflow, strlen(workflow));
	put_text(b, args.s ? args.s : "", args.n);
	put_text(b, rt->cwd, strlen(rt->cwd));
	put_text(b, resumed, strlen(resumed));
	put_u32(b, (uint32_t)getpid());
	put_u32(b, rt->count.steps);
	sb_free(&args);
	end(rt);
}

/* Names of what it waited for: steps, also where a region stands between. */
static void deps_of_node(struct rt *rt, const struct node *n, struct strbuf *out)
{
	const struct nodeinfo *info = node_info(rt, n);

	for (uint32_t k = 0; k < info->ndeps && k < 64; k++) {
		const struct node *on = info->deps[k].node;
		const struct str *name = on->name;
		size_t len = name->len;

		if ((on->kind == N_IF || on->kind == N_FOR || on->kind == N_GROUP) && info->deps[k].port < on->nports && info->deps[k].kind == DEP_VALUE) {
			name = on->ports[info->deps[k].port].name;          /* "STEP.OUT" */
			len = strcspn(name->s, ".");
		}
		sb_add(out, name->s, len);
		sb_ch(out, '\n');
	}
}

static void deps(struct rt *rt, const struct inst *i, struct strbuf *out)
{
	for (const struct node *n = i->node; n; n = n->graph->owner)
		deps_of_node(rt, n, out);
}

static void put_entry(struct strbuf *b, const struct entry_ended *e)
{
	put_u32(b, JOURNAL_ENDED);
	put_text(b, e->name, e->name_len);
	put_u32(b, e->kind);
	put_u32(b, e->status);
	put_u32(b, e->why);
	put_u32(b, e->exit_code);
	put_u32(b, e->attempts);
	put_u32(b, e->cached);
	put_u32(b, e->line);
	put_u32(b, e->has_key);
	sb_add(b, (const char *)e->key.b, sizeof e->key.b);
	put_double(b, e->t_ready);
	put_double(b, e->t_start);
	put_double(b, e->t_end);
	put_double(b, e->cpu);
	put_u64(b, e->rss);
	put_text(b, e->err, e->err_len);
	put_text(b, e->outs, e->outs_len);
	put_text(b, e->deps, e->deps_len);
}

/* What a run would note in which this one was taken from before. */
static void put_again(struct rt *rt, struct entry_ended *e, const struct inst *i, const struct step *s)
{
	struct strbuf *b = &rt->journal->scratch;

	if (!rt->same)
		return;
	e->attempts = 0;
	e->cached = i->node->kind == N_STEP && e->status == ST_SUCCEEDED;
	e->t_ready = e->t_start = e->t_end = e->cpu = 0;
	e->rss = 0;
	b->n = 0;
	put_entry(b, e);
	same_ended(rt, i, s, e, b);
}

static void put_ended(struct rt *rt, const struct inst *i, const struct step *s, enum status st, int exit_code)
{
	struct journal *j = rt->journal;
	struct strbuf name = { 0 }, outs = { 0 }, on = { 0 };
	double now = now_mono() - rt->t0;
	const char *err = s && s->what ? s->what : i->err ? i->err : "";
	struct entry_ended e = {
		.kind = i->node->kind, .status = st, .why = i->why, .exit_code = (uint32_t)exit_code, .attempts = i->attempts, .cached = i->cached,
		.line = diag_place(rt->d, i->node->span).line, .has_key = s && s->has_key, .t_ready = s ? s->t_ready - rt->t0 : now,
		.t_start = s && s->t_start > 0 ? s->t_start - rt->t0 : now, .t_end = s && s->t_end > 0 ? s->t_end - rt->t0 : now,
		.cpu = s ? s->cpu_used : 0, .rss = s ? s->rss : 0, .err = err, .err_len = strlen(err),
	};

	if (s)
		e.key = s->key;
	inst_name(i, &name);
	if (s && st == ST_SUCCEEDED)
		outs_put(&outs, s->task, s->outs, NULL);
	deps(rt, i, &on);
	e.name = name.s ? name.s : "";
	e.name_len = name.n;
	e.outs = outs.s ? outs.s : "";
	e.outs_len = outs.n;
	e.deps = on.s ? on.s : "";
	e.deps_len = on.n;
	j->scratch.n = 0;
	put_entry(&j->scratch, &e);
	end(rt);
	put_again(rt, &e, i, s);
	sb_free(&name);
	sb_free(&outs);
	sb_free(&on);
}

void journal_merged(struct rt *rt, const char *name, size_t n, const char *into, size_t len)
{
	struct strbuf *b = begin(rt, JOURNAL_MERGED);

	put_text(b, name, n);
	put_text(b, into, len);
	end(rt);
	same_also(rt, b);
}

void journal_again(struct rt *rt, const char *s, size_t n)
{
	struct journal *j = rt->journal;

	sb_add(&j->out, s, n);
	j->epoch++;
}

static void add_fresh(struct journal *j, const struct value *v)
{
	if (v->type.list) {
		for (uint32_t k = 0; k < v->n && !j->all; k++)
			add_fresh(j, &v->u.list[k]);
		return;
	}
	if (j->nfresh >= ONE_BY_ONE || v->type.kind != T_FILE) {
		j->all = true;
		return;
	}
	if (j->nfresh + 1 >= j->cap) {
		j->cap = j->cap ? 2 * j->cap : 16;
		j->fresh = xrealloc(j->fresh, j->cap * sizeof *j->fresh);
	}
	j->fresh[j->nfresh++] = xstrdup(v->u.s->s);
	j->fresh[j->nfresh] = NULL;
}

void journal_step(struct rt *rt, const struct step *s, enum status st, int exit_code)
{
	for (uint32_t k = 0; st == ST_SUCCEEDED && !s->inst->cached && k < s->task->nouts; k++)
		if (type_is_path(s->task->outs[k].type))
			add_fresh(rt->journal, &s->outs[k]);
	rt->journal->dirty |= !s->inst->cached;
	put_ended(rt, s->inst, s, st, exit_code);
}

void journal_inst(struct rt *rt, const struct inst *i)
{
	put_ended(rt, i, NULL, i->status, i->exit_code);
}

void journal_finish(struct rt *rt, int code)
{
	struct strbuf *b = begin(rt, JOURNAL_FINISH);

	put_double(b, now_wall());
	put_u32(b, (uint32_t)code);
	put_u32(b, rt->count.steps);
	put_u32(b, rt->count.done);
	put_u32(b, rt->count.failed);
	put_u32(b, rt->count.skipped);
	put_u32(b, rt->count.cached);
	end(rt);
}

int journal_flush(struct rt *rt)
{
	struct journal *j = rt->journal;

	if (!j || !j->out.n)
		return 0;
	if (record_write(j->fd, &j->out))
		return -1;
	j->out.n = 0;
	j->written = j->epoch;
	store_release(rt);
	return 0;
}

/* ---- durability: the files first, then what refers to them ---- */

static void sync_later(struct rt *rt, void *data)
{
	(void)data;
	journal_sync_soon(rt);
}

/* A file's own fsync after its rename makes the name durable, too (ext4, XFS, Btrfs). */
static int sync_files(char **files)
{
	int rc = 0;

	for (char **p = files; p && *p; p++) {
		int fd = open(*p, O_RDONLY | O_CLOEXEC);

		if (fd < 0 || fsync(fd))
			rc = -1;
		if (fd >= 0)
			close(fd);
		free(*p);
	}
	free(files);
	return rc;
}

static void sync_work(struct job *job, struct hasher *h)
{
	struct journal *j = (struct journal *)job;
	int rc = j->going_all ? syncfs(j->store_fd) : 0;

	(void)h;
	if (sync_files(j->going) || rc || fdatasync(j->fd)) {
		j->failed = true;
		j->err = errno;
	}
	j->going = NULL;
}

static void begin_sync(struct journal *j)
{
	j->busy = true;
	j->syncing = j->written;
	j->going = j->fresh;
	j->going_all = j->all;
	j->fresh = NULL;
	j->nfresh = j->cap = 0;
	j->all = j->dirty = false;
}

static void sync_done(struct rt *rt, struct job *job)
{
	struct journal *j = (struct journal *)job;

	j->busy = false;
	j->synced = j->syncing;
	if (j->failed && !rt->told_sync)
		view_note(rt, "%s: what was written could not be made durable: %s", store_dir(rt->store), strerror(j->err));
	rt->told_sync |= j->failed;
}

void journal_sync_soon(struct rt *rt)
{
	struct journal *j = rt->journal;
	double now;

	if (!j || j->busy || j->synced == j->written)
		return;
	if (!j->dirty) {                                                   /* only reuse: nothing that a power cut could take */
		j->synced = j->written;
		return;
	}
	now = now_mono();
	if (now - j->last < SYNC_EVERY) {
		if (!j->timer.pos)
			timer_set(rt, &j->timer, j->last + SYNC_EVERY, sync_later, NULL);
		return;
	}
	j->last = now;
	begin_sync(j);
	pool_add(rt, &j->job, sync_work, sync_done);
}

void journal_sync(struct rt *rt)
{
	struct journal *j = rt->journal;

	if (!j || (j->synced == j->written && !j->dirty))
		return;
	if (j->dirty) {
		begin_sync(j);
		sync_work(&j->job, NULL);
	}
	j->syncing = j->written;
	sync_done(rt, &j->job);
}

uint64_t journal_epoch(const struct rt *rt)
{
	return rt->journal ? rt->journal->epoch : 0;
}

uint64_t journal_synced(const struct rt *rt)
{
	return rt->journal ? rt->journal->synced : UINT64_MAX;
}

void journal_close(struct rt *rt)
{
	struct journal *j = rt->journal;

	if (!j)
		return;
	for (uint32_t k = 0; k < j->nfresh; k++)
		free(j->fresh[k]);
	free(j->fresh);
	close(j->fd);
	close(j->store_fd);
	sb_free(&j->out);
	sb_free(&j->scratch);
	free(j);
	rt->journal = NULL;
}
