/* The journal of a run, written. */
#include "journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "actions.h"

#define SYNC_EVERY 0.2                    /* s: syncs are grouped */

struct journal {
	struct job job;                   /* of the sync that runs; first */
	int fd, store_fd;
	struct strbuf out, scratch;
	uint64_t epoch, written, syncing, synced;
	bool busy, failed, blobs, sync_blobs;   /* blobs: files came into the store since the last sync began */
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

void journal_run(struct rt *rt)
{
	struct strbuf *b = begin(rt, JOURNAL_RUN), args = { 0 };
	const char *file = rt->m->file ? rt->m->file->s : "", *resumed = rt->resumed ? rt->resumed : "";

	for (char *const *a = rt->o->argv; a && *a; a++)
		sb_add(&args, *a, strlen(*a) + 1);
	put_double(b, rt->started);
	put_text(b, file, strlen(file));
	put_text(b, rt->m->entry->name->s, rt->m->entry->name->len);
	put_text(b, args.s ? args.s : "", args.n);
	put_text(b, rt->root, strlen(rt->root));
	put_text(b, resumed, strlen(resumed));
	put_u32(b, (uint32_t)getpid());
	put_u32(b, rt->count.steps);
	sb_free(&args);
	end(rt);
}

static void deps(struct rt *rt, const struct inst *i, struct strbuf *out)
{
	const struct nodeinfo *info = node_info(rt, i->node);

	for (uint32_t k = 0; k < info->ndeps && k < 64; k++) {
		sb_str(out, info->deps[k].node->name);
		sb_ch(out, '\n');
	}
}

static void put_ended(struct rt *rt, const struct inst *i, const struct step *s, enum status st, int exit_code)
{
	struct strbuf *b = begin(rt, JOURNAL_ENDED), t = { 0 };
	struct place p = diag_place(rt->d, i->node->span);
	double now = now_mono() - rt->t0;
	const char *err = s && s->what ? s->what : i->err ? i->err : "";

	inst_name(i, &t);
	put_text(b, t.s, t.n);
	put_u32(b, i->node->kind);
	put_u32(b, st);
	put_u32(b, i->why);
	put_u32(b, (uint32_t)exit_code);
	put_u32(b, i->attempts);
	put_u32(b, i->cached);
	put_u32(b, p.line);
	put_u32(b, s && s->has_key);
	sb_add(b, s ? (const char *)s->key.b : (const char *)(struct sha){ { 0 } }.b, 32);
	put_double(b, s ? s->t_ready - rt->t0 : now);
	put_double(b, s && s->t_start > 0 ? s->t_start - rt->t0 : now);
	put_double(b, s && s->t_end > 0 ? s->t_end - rt->t0 : now);
	put_double(b, s ? s->cpu_used : 0);
	put_u64(b, s ? s->rss : 0);
	put_text(b, err, strlen(err));
	t.n = 0;
	if (s && st == ST_SUCCEEDED)
		outs_put(&t, s->task, s->outs, NULL);
	put_text(b, t.s ? t.s : "", t.n);
	t.n = 0;
	deps(rt, i, &t);
	put_text(b, t.s ? t.s : "", t.n);
	sb_free(&t);
	end(rt);
}

void journal_step(struct rt *rt, const struct step *s, enum status st, int exit_code)
{
	for (uint32_t k = 0; st == ST_SUCCEEDED && !s->inst->cached && k < s->task->nouts; k++)
		rt->journal->blobs |= type_is_path(s->task->outs[k].type);
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
	return 0;
}

/* ---- durability: the files first, then what refers to them ---- */

static void sync_work(struct job *job, struct hasher *h)
{
	struct journal *j = (struct journal *)job;

	(void)h;
	if (j->sync_blobs && syncfs(j->store_fd))
		j->failed = true;
	if (fdatasync(j->fd))
		j->failed = true;
}

static void sync_done(struct rt *rt, struct job *job)
{
	struct journal *j = (struct journal *)job;

	(void)rt;
	j->busy = false;
	j->synced = j->syncing;
}

void journal_sync_soon(struct rt *rt)
{
	struct journal *j = rt->journal;
	double now;

	if (!j || j->busy || j->synced == j->written)
		return;
	now = now_mono();
	if (now - j->last < SYNC_EVERY)
		return;
	j->last = now;
	j->busy = true;
	j->syncing = j->written;
	j->sync_blobs = j->blobs;
	j->blobs = false;
	pool_add(rt, &j->job, sync_work, sync_done);
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
	close(j->fd);
	close(j->store_fd);
	sb_free(&j->out);
	sb_free(&j->scratch);
	free(j);
	rt->journal = NULL;
}
