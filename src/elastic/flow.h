/*
 * The local runtime of a dataflow from the inside (docs/elastic.md).
 *
 * flow.c      what a dataflow is at run time, to and from JSON
 * record.c    records in a byte stream: lines, length_prefixed, tar
 * wire.c      messages between broker and workers, with checksums
 * pipeline.c  the operators of one side: processes and the pipes between them
 * worker.c    leases splits, runs its side of the operators over each, sends what comes out
 * carry.c     values, code and files for operators elsewhere
 * elsewhere.c workers as a Job of a cluster; kube.c its API
 * broker.c    leases, credits, queues; hands records to the trainer's side; share.c among several jobs
 */
#ifndef COULER_FLOW_H
#define COULER_FLOW_H

#include <poll.h>
#include <sys/types.h>

#include "couler/elastic.h"

#define SOURCE UINT32_MAX                 /* as a producer */

enum framing { FR_LINES, FR_LENGTH, FR_TAR };

struct flow_op {
	const char *name, *run;           /* the trainer is the last */
	uint32_t *from, nfrom;            /* producers that happen outside the trainer */
	bool on_worker, ordered;
};
struct flow {
	struct arena *arena;
	const char *task, *split;         /* split: variable of the input whose files are the splits */
	const char *shell;
	enum framing framing;
	struct flow_op *op;
	uint32_t n;
	int min, max;
	uint32_t epochs;
	uint64_t limit;                   /* bytes of a record */
	uint64_t window;                  /* credit of a worker: bytes, where a record counts COST_MIN at least */
	double stall, beat;               /* s: without progress; without a sign of life */
	double tick;                      /* s */
	bool ordered, measure;            /* measure: all records pass through couler, to be counted */
	const char **values, **files;     /* variables that operators see: values; paths, but for the split */
	uint32_t nvalues, nfiles;
};
struct flow *flow_read(struct arena *a, const char *text, size_t n, const char **err);   /* NULL with *err in the arena */

/* Is the producer read on the other side of the cut? */
bool flow_crosses(const struct flow *f, uint32_t producer);

/* ---- records (record.c) ---- */

struct records {                          /* a stream that is read record by record */
	enum framing framing;
	uint64_t limit;
	struct strbuf b;
	size_t at, seen;                  /* before at: handed out; before seen: looked at, without an end */
	uint64_t count, bytes;
};
/*
 * Whole records from at on, as many as lie in the buffer, at most `most`: their bytes, with how many in *n. 0: none is
 * complete. -1: *err says what is wrong. eof: nothing more comes, so what is left must be whole; a last line gets its end.
 */
int64_t records_take(struct records *r, bool eof, uint32_t most, const char **p, uint32_t *n, const char **err);
/* Length of n whole records at p. */
size_t records_length(enum framing f, const char *p, size_t len, uint32_t n);
const char *records_end(enum framing f, size_t *n);                    /* what closes a stream: two empty blocks for tar */

/* ---- messages (wire.c) ---- */

enum msg_type { MSG_HELLO = 1, MSG_SPEC, MSG_LEASE, MSG_RECORDS, MSG_CREDIT, MSG_BEAT, MSG_DONE, MSG_FAIL, MSG_STOP, MSG_READ, MSG_DATA, MSG_ENV, MSG_FILE };
struct msg {                              /* in the order of bytes of the machine: both ends run the same program on the same kind */
	uint32_t magic;
	uint16_t type, unused;
	uint32_t epoch, split, stream;    /* stream: the producer */
	uint32_t count;                   /* records */
	uint64_t seq;                     /* of the first record, in its split and stream; others: see the type */
	uint32_t len, crc;                /* of the bytes behind; crc is over both, as if it were 0 */
};
#define MSG_MAGIC 0x31465743u
#define MSG_MOST (1u << 30)
#define COST_MIN 1024
#define FRAME_RECORDS 256                 /* records of one message at most */

uint32_t crc32c(uint32_t crc, const void *p, size_t n);
uint64_t msg_cost(uint64_t bytes, uint32_t records);
int msg_send(int fd, struct msg *m, const void *p);                    /* blocks; 0 or -1 */
struct inbox { struct strbuf b; size_t at; };
/* 1: the next whole message (its bytes valid until the next call); 0: none yet; -1: *err. */
int inbox_next(struct inbox *in, struct msg *m, const char **p, const char **err);
ssize_t inbox_read(struct inbox *in, int fd);                          /* as read */
int wire_listen(const char *address);                                  /* fd, or -1 with errno */
int wire_connect(const char *address);

/* ---- operators (pipeline.c) ---- */

struct pipeline;
struct op_figures { uint64_t records, bytes; double cpu; };
struct op_done { uint64_t sent; struct op_figures figures; };          /* MSG_DONE: one an operator, the source last */
struct pipeline_hooks {
	void (*out)(void *data, uint32_t producer, const char *p, size_t n, uint32_t records);   /* read on the other side */
	bool (*room)(void *data);         /* may out be called? */
	void *data;
};
struct pipeline *pipeline_start(const struct flow *f, bool workers, const struct pipeline_hooks *h, const char **err);
bool pipeline_wants(const struct pipeline *p, uint32_t producer);      /* everyone here who reads it has room, or has ended */
void pipeline_feed(struct pipeline *p, uint32_t producer, const char *s, size_t n);
void pipeline_close(struct pipeline *p, uint32_t producer);            /* nothing more comes from it */
size_t pipeline_held(const struct pipeline *p);                        /* bytes on the way to operators, the pipes included */
bool pipeline_deaf(const struct pipeline *p);                          /* nobody reads what is fed any more */
uint32_t pipeline_polls(struct pipeline *p, struct pollfd *v);         /* at most 2 * n + 1 of them */
void pipeline_turn(struct pipeline *p, const struct pollfd *v, uint32_t n);
bool pipeline_reap(struct pipeline *p);                                /* looks for ends of processes; true: all have ended */
const char *pipeline_error(const struct pipeline *p);                  /* NULL: none so far */
int pipeline_status(const struct pipeline *p, uint32_t op);            /* as wait gives it; -1: it runs */
struct op_figures pipeline_figures(const struct pipeline *p, uint32_t op);
uint64_t pipeline_progress(const struct pipeline *p);                  /* grows with every byte that moves */
void pipeline_stop(struct pipeline *p, int sig);
void pipeline_free(struct pipeline *p);                                /* kills and reaps what is left */

/* ---- what workers elsewhere need beside records, their side (carry.c) ---- */

char *carry_folder(void);                                              /* malloc; NULL with errno */
void carry_remove(char *dir);                                          /* with all that is in it; frees dir */
int carry_take(const char *dir, const struct msg *m, const char *p);   /* MSG_FILE; 0, or -1 with errno */
int carry_variable(const char *dir, const struct msg *m, const char *p);       /* MSG_ENV; count: its value is a path in dir */

/* ---- slots among jobs (share.c) ---- */

struct share;
struct share *share_open(const char *path);                            /* NULL with errno */
int share_tick(struct share *s, double work, int min, int want, int slots);    /* slots this job may use */
void share_close(struct share *s);

double flow_now(void);                                                 /* s, monotonic */
int nonblocking(int fd);

#endif
