/* The journal of a run, read. */
#include <string.h>

#include "journal.h"

int journal_read(struct journal_reader *r, const char *path)
{
	*r = (struct journal_reader){ { NULL, 0 }, 0, 0 };
	return map_file(path, &r->file);
}

void journal_read_end(struct journal_reader *r)
{
	unmap_file(&r->file);
}

static void get_run(struct reader *r, struct entry_run *e)
{
	e->started = get_double(r);
	e->file = get_text(r, &e->file_len);
	e->workflow = get_text(r, &e->workflow_len);
	e->args = get_text(r, &e->args_len);
	e->cwd = get_text(r, &e->cwd_len);
	e->resumed = get_text(r, &e->resumed_len);
	e->pid = get_u32(r);
	e->steps = get_u32(r);
}

static void get_ended(struct reader *r, struct entry_ended *e)
{
	const void *key;

	e->name = get_text(r, &e->name_len);
	e->kind = get_u32(r);
	e->status = get_u32(r);
	e->why = get_u32(r);
	e->exit_code = get_u32(r);
	e->attempts = get_u32(r);
	e->cached = get_u32(r);
	e->line = get_u32(r);
	e->has_key = get_u32(r);
	key = get_bytes(r, 32);
	if (key)
		memcpy(e->key.b, key, 32);
	e->t_ready = get_double(r);
	e->t_start = get_double(r);
	e->t_end = get_double(r);
	e->cpu = get_double(r);
	e->rss = get_u64(r);
	e->err = get_text(r, &e->err_len);
	e->outs = get_text(r, &e->outs_len);
	e->deps = get_text(r, &e->deps_len);
}

static void get_end(struct reader *r, struct entry_end *e)
{
	e->ended = get_double(r);
	e->code = (int32_t)get_u32(r);
	e->steps = get_u32(r);
	e->done = get_u32(r);
	e->failed = get_u32(r);
	e->skipped = get_u32(r);
	e->cached = get_u32(r);
}

bool journal_next(struct journal_reader *r, struct journal_entry *e)
{
	const char *p;
	size_t n;

	while ((p = record_next(r->file.s, r->file.n, &r->at, &n, &r->bad))) {
		struct reader f = { p, n, 0 };

		memset(e, 0, sizeof *e);
		e->kind = get_u32(&f);
		if (e->kind == JOURNAL_RUN)
			get_run(&f, &e->u.run);
		else if (e->kind == JOURNAL_ENDED)
			get_ended(&f, &e->u.ended);
		else if (e->kind == JOURNAL_FINISH)
			get_end(&f, &e->u.end);
		else if (e->kind == JOURNAL_MERGED) {
			e->u.merged.name = get_text(&f, &e->u.merged.name_len);
			e->u.merged.into = get_text(&f, &e->u.merged.into_len);
		} else
			continue;
		if (!f.bad)
			return true;
	}
	return false;
}
