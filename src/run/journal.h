/*
 * The journal of a run: runs/ID/journal, a record for each instance that has ended, written before anyone is told.
 * Resume, history, reports and `couler runs` read it. A kill loses nothing that was written; a power cut loses at most
 * what the view has not shown (journal_synced).
 */
#ifndef COULER_JOURNAL_H
#define COULER_JOURNAL_H

#include "record.h"
#include "rt.h"

struct entry_ended {
	const char *name; size_t name_len;
	uint32_t kind, status, why, exit_code, attempts;               /* exit_code: UINT32_MAX none */
	uint32_t cached, line;
	struct sha key;
	uint32_t has_key;
	double t_ready, t_start, t_end;   /* s since the start of the run */
	double cpu; uint64_t rss;
	const char *err; size_t err_len;
	const char *outs; size_t outs_len;
	const char *deps; size_t deps_len;                             /* names of what it waited for, each with a newline */
};
struct entry_run {
	double started;                   /* wall, s */
	const char *file, *workflow, *args, *cwd, *resumed;             /* args: of the command, each with a NUL */
	size_t file_len, workflow_len, args_len, cwd_len, resumed_len;
	uint32_t pid, steps;
};
struct entry_merged { const char *name, *into; size_t name_len, into_len; };    /* a step that another one stands for */
struct entry_end { double ended; int32_t code; uint32_t steps, done, failed, skipped, cached; };

struct journal;
struct journal *journal_open(struct rt *rt);                           /* NULL with errno */
void journal_run(struct rt *rt, const char *file, const char *workflow);       /* the head */
void journal_merged(struct rt *rt, const char *name, size_t n, const char *into, size_t len);
void journal_again(struct rt *rt, const char *s, size_t n);            /* records that same_ended has kept */
void journal_step(struct rt *rt, const struct step *s, enum status st, int exit_code);
void journal_inst(struct rt *rt, const struct inst *i);                /* an instance without a process */
void journal_finish(struct rt *rt, int code);
int journal_flush(struct rt *rt);                                      /* writes; 0 or -1 with errno */
void journal_sync_soon(struct rt *rt);                                 /* starts a sync in a thread when there is something */
void journal_sync(struct rt *rt);                                      /* now, here */
uint64_t journal_epoch(const struct rt *rt);                           /* of what is noted now; shown once it has been synced */
uint64_t journal_synced(const struct rt *rt);
void journal_close(struct rt *rt);

/* Reading. Texts point into the file. */
struct journal_reader { struct mapped file; size_t at, bad; };
enum journal_kind { JOURNAL_END_OF_FILE, JOURNAL_RUN, JOURNAL_ENDED, JOURNAL_FINISH, JOURNAL_MERGED };
struct journal_entry { enum journal_kind kind; union { struct entry_run run; struct entry_ended ended; struct entry_end end; struct entry_merged merged; } u; };
int journal_read(struct journal_reader *r, const char *path);          /* 0, or -1 with errno */
bool journal_next(struct journal_reader *r, struct journal_entry *e);
void journal_read_end(struct journal_reader *r);

#endif
