/*
 * The local engine from the inside (docs/running.md).
 *
 * run.c        one run from its parameters to its exit code; open.c what it opens
 * same.c       what a whole run came to; again.c saying so again where nothing has changed
 * cell.c       things that settle and who waits for them
 * scope.c      activations of graphs, the instances in them, what each waits for
 * refs.c       values of references at run time
 * region.c     if, for, loop, group; wfrun.c calls and workflows; gate.c their max_parallel
 * sweep.c      sweeps; tpe.c the sampler; predict.c what a language model says of trials
 * control.c    wait, approve, fail; service.c services
 * step.c       one step from ready to ended: identity, reuse, attempts, retry
 * sched.c      who runs next: slots, resources, max_parallel, locks
 * stage.c      the files a step reads; collect.c the values and files it leaves
 * env.c        environment; argv.c argument vector; ranks.c the workers of a job; dataflow.c for an elastic input pipeline
 * gpus.c       who has which GPU
 * container.c  command lines of podman, docker, apptainer
 * jobserver.c  slots shared with GNU make, above and below
 * proc.c       processes, through the supervisor (supervisor.c)
 * timer.c      timers; pool.c threads for hashing
 * store.c      content-addressed files; actions.c what steps gave; memo.c hashes of files
 * journal.c    what a run has done, for resume; history.c the database
 * view.c       what the user sees; outjson.c, events.c, report.c the files about a run
 *
 * One thread runs all of this; pool threads touch only their own jobs. Memory of a run
 * is one arena; what belongs to an attempt is released when the attempt ends.
 */
#ifndef COULER_RT_H
#define COULER_RT_H

#include <stdio.h>
#include <sys/types.h>

#include "couler/run.h"

struct rt;
struct inst;
struct scope;
struct wfrun;
struct proc;
struct keys;
struct journal;

/* ---- results ---- */

enum status { ST_NONE, ST_SUCCEEDED, ST_FAILED, ST_SKIPPED };
const char *status_name(enum status s);                                /* "succeeded"; "" for none */

enum why {                                /* of a skipped instance */
	WHY_NONE,
	WHY_CONDITION,                    /* an `if` went the other way: what is after it may start */
	WHY_UPSTREAM,                     /* something it needs failed: what is after it may not */
	WHY_STOPPED                       /* the run stopped starting steps */
};

#define EXIT_TIMEOUT 124
#define EXIT_VALUE 121                    /* a broken value rule, or an input that could not be evaluated */
#define EXIT_NOTFOUND 127

/* ---- cells: what settles once (cell.c) ---- */

enum cell_kind { CELL_START, CELL_END, CELL_PORT, CELL_ORDER, CELL_CALL };
enum result { RES_OK, RES_ABSENT, RES_BLOCKED, RES_ERROR };

struct waiter { struct waiter *next; struct cell *cell; };
struct cell {
	uint8_t kind;                     /* enum cell_kind */
	uint8_t result;                   /* enum result, once done */
	bool done;
	uint32_t pending;                 /* cells it waits for that have not settled */
	struct waiter *waiters;
	struct cell *next;                /* in the agenda */
};

/* CELL_CALL: a function that is called when what it waits for has settled. */
struct callcell { struct cell cell; void (*fire)(struct rt *, void *); void *data; };

void cell_hold(struct cell *c);                                        /* keeps c from firing until the matching release */
void cell_release(struct rt *rt, struct cell *c);
void cell_wait(struct rt *rt, struct cell *who, struct cell *what);    /* who fires after what has settled */
void cell_settle(struct rt *rt, struct cell *c, enum result r);
void agenda_run(struct rt *rt);                                        /* fires what may fire until nothing is left */

/* ---- instances (scope.c) ---- */

enum inst_state { IS_WAITING, IS_GATED, IS_STARTED, IS_ENDED };

/* An instance of a node in one activation of its graph. */
struct inst {
	struct cell start, end;
	struct node *node;
	struct scope *scope;
	uint8_t state, status, why;
	bool cached;
	uint8_t gates;                    /* max_parallel limits that it counts in */
	uint16_t attempts;
	int exit_code;                    /* -1: none */
	float seconds;                    /* of its last attempt */
	struct value *ports;              /* of a leaf that succeeded; NULL before */
	const char *err;                  /* one line about a failure, NULL */
	const char *again;                /* script that runs it again by hand, NULL */
	union {
		struct region *region;    /* if, for, group, call, loop, sweep */
		struct step *step;        /* while it runs */
		void *any;
	} u;
};

/* A port of a region, or all instances of a node inside one (order). */
struct portcell {
	struct cell cell;
	struct inst *inst;
	uint32_t port;
	const struct node *target;        /* CELL_ORDER */
	struct value value;
	struct evalerr err;               /* RES_ERROR */
	struct portcell *next;
};

struct region {
	struct scope **child;             /* by element; if, group, call, loop, sweep: as they come */
	uint32_t nchild, open;            /* open: child scopes that have not ended */
	int32_t taken;                    /* if: the branch, -1 none */
	bool expanded;
	bool failed;                      /* something in it failed that was not allowed to */
	struct portcell *cells;
	uint32_t limit;                   /* for: max_parallel, 0 for none */
	struct gate *gates;               /* for: by node id after its own (gate.c) */
	struct wfrun *wf;                 /* call */
	void *more;                       /* loop, sweep: their own state */
};

/* An activation of a graph. */
struct scope {
	struct graph *graph;
	struct scope *up;                 /* around it in the text; NULL for the body of a workflow */
	struct inst *owner;               /* the region; NULL for a body or an on block */
	struct wfrun *wf;
	struct inst *inst;                /* by position in graph.nodes */
	uint32_t open;                    /* instances that have not ended */
	uint32_t index;                   /* element, round, trial */
	bool on_block, failed;
	struct value item;                /* for */
	const struct value *vals;         /* loop: states; sweep: arguments */
};

/* An activation of a workflow. */
struct wfrun {
	struct ir_workflow *w;
	struct inst *caller;              /* NULL: the run itself */
	struct wfrun *up;
	const struct str *prefix;         /* "" or "CALL." */
	struct value *params;
	struct scope *body, *on[ON_COUNT];
	uint8_t status;                   /* of the body, for on blocks */
	bool failed;                      /* the body, or an on block */
	bool stopped;                     /* fail_fast */
	int phase;                        /* -1 the body, else enum on_event */
	VEC(const struct str *) failures; /* names, unsorted, with duplicates */
	uint32_t running, limit;          /* max_parallel; 0: none */
	struct step *wait_first, **wait_last; /* steps that wait for it */
	struct wfrun *all_next;
	struct locks *locks;
	struct value *outs;               /* once ended; T_NULL for absent */
	const char **out_err;             /* why an output could not be evaluated */
};

/* Facts about a node that hold for all its instances. */
enum dep_kind { DEP_VALUE, DEP_STATUS, DEP_HARD, DEP_SOFT };
struct dep { uint8_t kind; struct node *node; uint32_t port; };
struct nodeinfo {
	uint32_t pos;                     /* in graph.nodes */
	uint32_t ndeps;
	struct dep *deps;
	bool has_deps;                    /* deps computed */
	uint32_t made, ended;             /* instances */
	bool wanted, forced, tainted;     /* --until; --from, --force (select.c) */
};

struct scope *scope_open(struct rt *rt, struct graph *g, struct scope *up, struct inst *owner, struct wfrun *wf, uint32_t index);
void scope_start(struct rt *rt, struct scope *s);                      /* registers what each instance waits for */
struct inst *scope_inst(struct rt *rt, struct scope *s, const struct node *n);   /* n is in s or in a scope around it */
bool node_reads(struct rt *rt, struct node *n, const struct node *what);   /* n, or something in it, reads an output of what */
struct nodeinfo *node_info(struct rt *rt, const struct node *n);
struct nodeinfo *node_deps(struct rt *rt, const struct node *n);       /* with its deps */
struct node *node_named(struct rt *rt, struct ir_workflow *w, const char *name);          /* the first, wherever it stands; NULL */
int select_nodes(struct rt *rt);                                       /* --until, --from, --force; 0, or 2 after a diagnostic */
void inst_end(struct rt *rt, struct inst *i, enum status st, int exit_code);
void inst_skip(struct rt *rt, struct inst *i, enum why why);
/* Ends i as failed before or without a process; the message is kept. */
void inst_fail(struct rt *rt, struct inst *i, int exit_code, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
void inst_name(const struct inst *i, struct strbuf *b);                /* "CALL.NAME[3][0]" */
bool inst_is_step(const struct inst *i);                               /* has a status of its own */
bool stopped(const struct rt *rt, const struct inst *i);               /* nothing new starts there */
struct portcell *port_cell(struct rt *rt, struct inst *region, uint32_t port);
struct portcell *order_cell(struct rt *rt, struct inst *region, const struct node *target);
void region_expanded(struct rt *rt, struct inst *i);                   /* child scopes are known: connects what waits for its ports */
void region_fire(struct rt *rt, struct portcell *p);                   /* all that p needs has settled (region.c) */
void inst_start(struct rt *rt, struct inst *i);                        /* by kind: the one dispatch (region.c) */
void scope_ended(struct rt *rt, struct scope *s);                      /* (region.c) */
bool port_is_status(const struct node *n, uint32_t port);

/* ---- values (value.c) ---- */

struct evalscope {
	struct evalctx x;                 /* first */
	struct rt *rt;
	struct scope *scope;
	struct step *step;                /* REF_INPUT, REF_OUTPATH, REF_ENV; NULL outside steps */
	bool identity;                    /* paths of this machine are replaced by names */
};
void evalscope_init(struct evalscope *e, struct rt *rt, struct scope *s);
/* What a reference would give: RES_OK, RES_ABSENT (absent, fine), RES_BLOCKED (its producer failed), RES_ERROR. */
enum result ref_result(struct rt *rt, struct scope *s, enum ref_kind k, struct node *n, uint32_t port);
/* 0, or -1 with err; everything e reads has settled. */
int rt_eval(struct rt *rt, struct scope *s, const struct expr *e, struct value *out, struct evalerr *err);
struct cell *ref_cell(struct rt *rt, struct scope *s, enum dep_kind k, struct node *n, uint32_t port);
double rt_seconds(const struct value *v);                              /* of a duration, int or float value */

/* ---- regions (region.c, sweep.c, control.c, service.c) ---- */

void call_start(struct rt *rt, struct inst *i);
void wfrun_start(struct rt *rt, struct wfrun *wf);
void wfrun_scope_ended(struct rt *rt, struct wfrun *wf, struct scope *s);
bool expr_blocked(struct rt *rt, struct scope *s, struct expr *e);       /* reads something that failed */
int wfrun_params(struct rt *rt, struct wfrun *wf, const char **name, const char **err);   /* 0; -1: what is wrong with which */
struct wfrun *wfrun_new(struct rt *rt, struct ir_workflow *w, struct inst *caller);
void sweep_start(struct rt *rt, struct inst *i);
void sweep_trial_ended(struct rt *rt, struct inst *i, struct scope *trial);
void wait_start(struct rt *rt, struct inst *i);
void approve_start(struct rt *rt, struct inst *i);
void fail_start(struct rt *rt, struct inst *i);
void service_start(struct rt *rt, struct inst *i);

/* ---- max_parallel of regions (gate.c) ---- */

bool gate_enter(struct rt *rt, struct inst *i);                        /* false: i was put in a queue and comes back through the agenda */
void gate_leave(struct rt *rt, struct inst *i);

/* ---- timers (timer.c) ---- */

struct timer { double at; uint32_t pos; void (*fire)(struct rt *, void *); void *data; };   /* pos 0: not set */
double now_mono(void);                                                 /* seconds, monotonic */
double now_wall(void);
void timer_set(struct rt *rt, struct timer *t, double at, void (*fire)(struct rt *, void *), void *data);
void timer_clear(struct rt *rt, struct timer *t);
double timer_next(const struct rt *rt);                                /* -1: none */
void timers_fire(struct rt *rt, double now);

/* ---- what is under way without a step of its own (active.c) ---- */

struct active { struct active *next, **prev; void (*stop)(struct rt *, struct active *); };   /* prev NULL: not listed */
void active_add(struct rt *rt, struct active *a, void (*stop)(struct rt *, struct active *));
void active_remove(struct active *a);
void actives_stop(struct rt *rt);

/* ---- processes (proc.c) ---- */

struct spawn {                            /* what to start; read once, copied */
	const char *path;                 /* of the program */
	char *const *argv, *const *envp;
	const char *cwd, *log;            /* both streams, appended */
	const char *out;                  /* standard output, created; NULL: the log */
	const char *in;                   /* standard input; NULL: /dev/null */
	const char *container;            /* to remove where the program is killed that started it, by that program; NULL */
};
struct proc_end {
	int status;                       /* as wait gives it; -1: could not be started */
	int err;                          /* errno of what failed; 0 */
	const char *what;                 /* "exec", "chdir", "log", "out"; with err */
	double cpu_user, cpu_sys;         /* s */
	uint64_t max_rss;                 /* bytes, of the largest process */
	bool strays;                      /* processes that left their group are still there */
};
typedef void proc_ended(struct rt *rt, struct proc *p, const struct proc_end *e);
struct proc {
	uint32_t id;
	bool killed;                      /* ended by us */
	int sig;                          /* last signal sent */
	proc_ended *ended;
	void *data;
	double t0;
	struct timer escalate;
};
int proc_start(struct rt *rt, struct proc *p, const struct spawn *s, proc_ended *ended, void *data);   /* 0, or -1 with errno */
/* Ends the group: TERM, then KILL after the grace time (0: KILL at once). */
void proc_end_group(struct rt *rt, struct proc *p, double grace);
void proc_signal(struct rt *rt, struct proc *p, int sig);
void procs_poll(struct rt *rt);                                        /* reads what the supervisor says */
int procs_flush(struct rt *rt);
int procs_fd(const struct rt *rt);                                     /* -1: nothing was started */
void kill_children(void);
void procs_close(struct rt *rt);                                       /* ends all that is left; waits for it */
struct procs;

/* ---- digests and the store (digest.c, store.c) ---- */

struct sha { unsigned char b[32]; };
struct hasher;
struct hasher *hasher_new(void);
void hasher_reset(struct hasher *h);
void hasher_add(struct hasher *h, const void *p, size_t n);
void hasher_end(struct hasher *h, struct sha *out);                    /* may be reset and used again */
void hasher_free(struct hasher *h);
int sha_fd(struct hasher *h, int fd, struct sha *out);                 /* of a file from its start; 0, or -1 with errno */
void sha_hex(const struct sha *s, char out[65]);
bool sha_parse(const char *hex, size_t n, struct sha *out);

/* A file or a tree that an attempt left, on its way into the store. */
struct artifact {
	bool dir;
	struct sha sha;                   /* of a directory: of the lines `SHA256  PATH` in byte order of PATH */
	uint64_t size, nfiles;
};
struct store;
struct store *store_open(const char *dir, char **err);                 /* NULL with a message (malloc) */
void store_close(struct store *st);
const char *store_dir(const struct store *st);
/*
 * Moves (or, with copy or where others may still write to it, copies) the file or tree at path into the store. Safe
 * in any thread with a hasher of its own. 0, or -1 with *err (malloc); *own_fault: it is the step's (a dangling link,
 * a socket), not the disk's.
 */
int store_put(struct store *st, struct hasher *h, const char *path, bool dir, bool copy, struct artifact *out, char **err, bool *own_fault);
/* Path of an object; malloc. */
char *store_path(const struct store *st, const struct sha *s, bool dir);
/* The object exists and is what its name says: 0; else -1, a damaged one is dropped. */
int store_check(struct store *st, struct hasher *h, const struct sha *s, bool dir);
/* Hash of any file, of any directory (its list), through the memo; 0 or -1 with errno. */
int store_hash(struct store *st, struct hasher *h, const char *path, struct sha *out);
int store_hash_tree(struct store *st, struct hasher *h, const char *path, struct sha *out);
/* Copies an object or any file to path (reflink where the file system can): a temporary beside it, renamed. 0 or -1 with errno. */
int copy_file(const char *from, const char *to, mode_t mode);
int copy_fd(int in, const char *to, mode_t mode);
int copy_tree(const char *from, const char *to);
char *file_join(const char *dir, const char *name);                    /* malloc */
int remove_tree(int at, const char *path);                             /* as rm -rf; 0 or -1 with errno */
int make_dirs(const char *path);                                       /* as mkdir -p */

/* ---- threads (pool.c) ---- */

struct job {
	void (*work)(struct job *, struct hasher *);                    /* in a thread */
	void (*done)(struct rt *, struct job *);                        /* in the runner's own, later */
	struct job *next;
};
void pool_add(struct rt *rt, struct job *j, void (*work)(struct job *, struct hasher *), void (*done)(struct rt *, struct job *));
void pool_poll(struct rt *rt);                                         /* calls done of what is */
void pool_close(struct rt *rt);                                        /* waits for what runs */
int pool_fd(const struct rt *rt);                                      /* -1: not started */
bool pool_busy(const struct rt *rt);

/* ---- the step (step.c and its helpers) ---- */


/* A directory tree that one attempt at a time uses: DIR/t is $CW_TMP, o the outputs, i linked inputs, c the code, log its log. */
struct slot {
	uint32_t id;
	char *dir;                        /* absolute */
	int tmp;                          /* t, open */
	bool has_o, has_i, has_c, has_ranks;
	struct slot *next;                /* free list */
};

enum step_phase { SP_PREPARE, SP_QUEUED, SP_RUNNING, SP_COLLECT };
enum fault { FAULT_VALUE, FAULT_EXIT, FAULT_TIMEOUT, FAULT_ERROR };    /* a value rule, the process, its time; infrastructure */

/* Facts about a task that hold for all its steps. */
struct taskinfo {
	bool tried;                       /* words was looked for */
	char **words;                     /* of a script that needs no shell; NULL */
	const char *script;               /* file that holds it; NULL before */
	const char *body;                 /* lines of the identity; NULL before */
	size_t body_len;
};

/* Between two attempts. */
struct retrying { struct active active; struct inst *inst; struct timer timer; double first; const char *err; int exit_code; };

struct step {
	struct inst *inst;
	struct ir_task *task;
	struct attrs *attrs;
	struct arena *arena;              /* of this step; freed when it has ended */
	struct valctx vc;                 /* in arena */
	struct value *ins;                /* by task.ins; artifacts with their digest */
	const char **in_text;             /* what the variable of input i holds in this attempt; NULL before */
	const char **env_text;            /* by attrs.env; NULL before */
	char **env;                       /* NULL before */
	struct sha key;                   /* identity */
	const char *key_text;             /* what it is made of: lines `component value` */
	size_t key_len;
	uint8_t phase, fault;             /* fault: of s->what */
	bool asked;                       /* the shared cache, for it */
	bool has_key, timed_out, stopping, strays;
	uint32_t wf_held;                 /* workflows up the chain whose max_parallel it counts in */
	double timeout;                   /* s, <= 0: none */
	double cpu, memory;               /* what it takes; bytes */
	int gpu;
	double t_ready, t_waits, t_start, t_end;
	double cpu_used;                  /* s */
	uint64_t rss, bytes;              /* largest process; of its artifacts */
	struct retrying *retrying;
	struct slot *slot;
	struct proc proc;
	struct ranks *ranks;              /* of a job that runs; NULL */
	const char *argv0;
	char **argv;
	struct timer timer;
	struct step *next;                /* in a queue */
	struct step *run_next, **run_prev;/* of those that run; run_prev NULL: takes no resources */
	struct value *outs;               /* collected, in the arena of the run */
	char *what;                       /* why it failed; malloc */
	struct locks *locks;
	const char *gpu_list;             /* the GPUs that it has, as CUDA_VISIBLE_DEVICES; NULL: none */
	void (*done)(struct rt *, struct step *, enum status, int exit_code);   /* NULL: the instance's own step */
	void *data;
};

struct step *step_new(struct rt *rt, struct inst *i, struct ir_task *task, struct attrs *attrs);
void step_free(struct rt *rt, struct step *s);
int step_eval(struct rt *rt, struct step *s, struct expr **ins);
int step_size(struct step *s, uint32_t in, size_t *total);             /* rule 1 of docs/values.md for a text input (env.c) */
void step_start(struct rt *rt, struct inst *i);
void step_prepare(struct rt *rt, struct inst *i);                      /* called by the scheduler when there is room */
void step_located(struct rt *rt, struct step *s);                      /* its files are here and hashed; s->what if not */
void step_launch(struct rt *rt, struct step *s);                       /* it has its resources */
void step_attempt_ended(struct rt *rt, struct proc *p, const struct proc_end *e);
void step_failed(struct rt *rt, struct step *s, enum fault f, int code);
void step_collected(struct rt *rt, struct step *s);                    /* s->what: what is wrong, NULL */
void step_end(struct rt *rt, struct step *s, enum status st, int exit_code);
void step_stop(struct rt *rt, struct step *s, int sig, double grace);  /* sig 0: TERM, then KILL after the grace time */
void step_why(struct step *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));   /* sets what */
int step_ref(struct evalscope *e, const struct expr *ref, struct value *out, struct evalerr *err);
int step_key(struct rt *rt, struct step *s, struct evalerr *err);      /* identity.c; 0 or -1 */
void locate_start(struct rt *rt, struct step *s);                      /* locate.c */
/* fetch.c: the file at a remote location into the store, in a pool thread, after fetch_soon. 0, or -1 with *err (malloc). */
int fetch(struct rt *rt, struct hasher *h, const char *url, const struct str *pinned, bool dir, struct sha *out, char **err);
void fetch_soon(struct rt *rt);
void fetches_free(struct rt *rt);
bool may_reuse(const struct step *s);                                  /* as its `cache` says, leaving options aside */
bool reuse(struct rt *rt, struct step *s);                             /* reuse.c: its outputs were taken from before */
bool reuse_settled(struct rt *rt);                                     /* nobody else has added to the file of what steps gave */
/* They were not: true if the shared cache is asked for them; asked is called when it has answered. */
bool reuse_ask(struct rt *rt, struct step *s, void (*asked)(struct rt *, struct step *));
void remember(struct rt *rt, struct step *s);
void dry_end(struct rt *rt, struct step *s);                           /* explain.c */
void explain_never(struct rt *rt, struct step *s, const char *why);    /* it runs each time */
void explain(struct rt *rt, struct step *s, struct keys *k);
int reuse_open(struct rt *rt, const char *resume);                     /* resume: a run id, NULL; 0, or -1 with errno */
void reuse_close(struct rt *rt);
int step_inputs(struct rt *rt, struct step *s);                        /* stage.c: links what the step reads; -1 after s->what */
/* The folder entry of an input or output: its name, a shorter one with its number where no file could have that. */
void step_entry(const struct str *name, uint32_t number, struct strbuf *b);
const char *step_out_path(struct rt *rt, struct step *s, uint32_t out);/* in s->arena */
const char *step_stdout(struct step *s);                               /* file for standard output; NULL: the log */
char **step_env(struct rt *rt, struct step *s, char *const *more, uint32_t nmore);        /* env.c; in s->arena; NULL after s->what */
const char *program_on(struct arena *a, const char *path, const char *name);     /* NULL: not there */
char **step_argv(struct rt *rt, struct step *s, const char **path);    /* argv.c; NULL after s->what */
int step_eval_in(struct rt *rt, struct step *s, const struct expr *e, bool identity, struct value *out, struct evalerr *err);
int step_limits(struct rt *rt, struct step *s, struct evalerr *err);   /* limits.c: timeout, resources */
uint32_t ranks_of(struct rt *rt, struct step *s);                      /* processes of a job; 1 of other steps; 0 after s->what */
int ranks_start(struct rt *rt, struct step *s, const struct spawn *sp);/* ranks.c; 0, or -1 with errno or s->what */
void ranks_end(struct rt *rt, struct step *s, int sig, double grace);  /* sig 0: TERM, then KILL after the grace time */
struct retry { int64_t limit; double backoff, factor, max_backoff, within; };     /* within < 0: no limit */
int step_retry(struct rt *rt, struct step *s, struct retry *r, struct evalerr *err);
/* s until the next attempt, after so many; random: in [0, 1). */
double backoff_delay(const struct retry *r, uint32_t attempts, double random);
char **dataflow_argv(struct rt *rt, struct step *s, const char **path);/* dataflow.c: the broker of its input pipeline */
void dataflow_measured(struct rt *rt, struct step *s);                 /* keeps the figures of a pipeline that has ended */
struct value artifact_value(struct rt *rt, const struct artifact *a);
void collect_start(struct rt *rt, struct step *s);                     /* collect.c; calls step_collected */
bool attempt_transient(struct rt *rt, const struct inst *i, int code); /* transient.c: a fault that passes by itself, by its code or its log */
void attempt_log(struct rt *rt, struct step *s, bool ok);              /* logs.c: puts what it wrote where it belongs */
void step_keep_log(struct rt *rt, struct step *s);
void log_name_of(const char *name, size_t n, int attempt, struct strbuf *b);
void log_name(const struct inst *i, int attempt, struct strbuf *b);
char *log_path(struct rt *rt, const struct inst *i, int attempt);      /* malloc */
void keep_failed(struct rt *rt, struct step *s);                       /* its folder, with the command to run it again */
struct slot *slot_take(struct rt *rt);                                 /* NULL with errno */
void slots_close(struct rt *rt);                                       /* all are given back, or their steps are gone */
void slot_give(struct rt *rt, struct slot *sl, bool strays);           /* made clean for the next */

/* ---- publishing (publish.c) ---- */

struct publish;
struct publish *publish_new(struct rt *rt, struct arena *a);
void publish_add(struct rt *rt, struct arena *a, struct publish *p, const char *name, const struct value *v, const char *to);
/* done gets NULL, or what went wrong (malloc, its own to free); it may be called at once. */
void publish_start(struct rt *rt, struct publish *p, void (*done)(struct rt *, void *, char *err), void *data);

/* ---- locks and pools across runs (locks.c) ---- */

bool locks_take(struct rt *rt, struct step *s);                        /* false: it waits, and comes back by sched_locked */
void locks_give(struct rt *rt, struct step *s);
void locks_stop(struct rt *rt);
bool wf_locks(struct rt *rt, struct wfrun *wf, void (*got)(struct rt *, void *));   /* false: got is called when they are held */
void wf_unlock(struct rt *rt, struct wfrun *wf);

/* ---- sched.c ---- */

struct queue { struct step *first, **last; };
void sched_init(struct rt *rt);
void sched_add(struct rt *rt, struct inst *i);                         /* wants to run, not prepared */
void sched_ready(struct rt *rt, struct step *s);                       /* prepared; wants its resources */
void sched_locked(struct rt *rt, struct step *s);                      /* has its locks, wants its resources */
void sched_done(struct rt *rt, struct step *s);                        /* gives back what it took */
void sched_run(struct rt *rt);                                         /* prepares and launches what fits */
void sched_stop(struct rt *rt);                                        /* what waits and may not start is skipped */

struct sched {
	struct cell *fresh, **fresh_last; /* start cells of instances that are not prepared */
	struct queue ready;               /* prepared */
	uint32_t nready, nprep, nrunning, jobs, cpus;
	double cpu, memory, cpu_total, memory_total;
	int gpu, gpu_total;
};

/* ---- gpus.c ---- */

struct gpus;
int gpus_open(struct rt *rt);                                          /* how many: CUDA_VISIBLE_DEVICES, else what the driver shows */
void gpus_take(struct rt *rt, struct step *s);
void gpus_give(struct rt *rt, const struct step *s);
const char *gpus_of(const struct rt *rt, const struct step *s);        /* CUDA_VISIBLE_DEVICES of the step; NULL: not set */
const char *gpus_of_rank(const struct rt *rt, const struct step *s, uint32_t index, uint32_t ranks);      /* in s->arena; NULL: as the step's */

/* ---- --container (container.c) ---- */

int containers_open(struct rt *rt);                                    /* 0, or an exit code after a diagnostic */
void containers_close(struct rt *rt);                                  /* its volumes go */
bool in_container(const struct rt *rt, const struct step *s);
int container_wrap(struct rt *rt, struct step *s, struct spawn *sp);   /* what starts the container that runs sp; -1 after s->what */
bool container_broken(const struct rt *rt, const struct step *s, int code);     /* the exit code says that there was no container */
void container_remark(struct rt *rt, const struct step *s, int code);  /* once, where a step without network failed */
void container_host(struct rt *rt, const struct step *s);              /* once, where a step has no image */

/* ---- GNU make's jobserver (jobserver.c) ---- */

struct jobserver;
void jobserver_join(struct rt *rt);                                    /* that of the make which started couler, if there is one */
void jobserver_offer(struct rt *rt);                                   /* else one of its own for the steps, before the first */
bool jobserver_take(struct rt *rt);                                    /* for one more step; false: jobserver_fd says when to try again */
void jobserver_give(struct rt *rt);                                    /* what sched.nrunning steps do not need */
void jobserver_close(struct rt *rt);
const int *jobserver_fds(const struct rt *rt);                         /* two that steps inherit, -1: none */
int jobserver_fd(const struct rt *rt);                                 /* to watch; -1: none */
void jobserver_poll(struct rt *rt);

/* ---- one run ---- */

struct rt {
	struct ir *m;
	const struct run_opts *o;
	struct diag *d;
	struct arena *arena;
	const char *run_id, *root, *cwd, *dir;  /* root: folder of the entry file; dir: of this run; all absolute */
	double started;                   /* wall, s */
	double t0;                        /* monotonic */
	struct nodeinfo **info;           /* by workflow id, node id */
	struct cell *agenda, **agenda_last;
	struct waiter *free_waiters;
	struct wfrun *top;
	bool until;                       /* only what is wanted takes part */
	bool finished, ending, stopping, hurry;   /* stopping: nothing new starts; hurry: a second signal */
	int signal;                       /* that ends the run; 0 */
	int rc;
	struct sched sched;
	struct step *running;
	struct slot *free_slots;
	uint32_t nslots;
	VEC(struct timer *) timers;
	struct procs *procs;
	struct store *store;
	struct hasher *hasher;
	struct view *view;
	struct events *events;            /* NULL: none are wanted */
	struct pool *pool;
	struct predictions *predictions;  /* NULL before the first */
	struct { uint32_t steps, done, failed, skipped, cached, would; } count;
	char **base_env;                  /* PATH HOME USER LANG TZ as they are, ends at NULL */
	const char *path_env;             /* the steps' PATH */
	struct strmap programs;           /* name -> path, for the steps' PATH */
	int epoll, sigfd, lock_fd, gc_fd;
	bool held;                        /* gc_fd is locked */
	uint32_t holds;                   /* outputs on their way into the store */
	struct wfrun *wfruns;             /* all of them */
	uint64_t random;
	struct strbuf key_buf;            /* reused by step_key */
	struct active *actives;
	struct locks *lock_waits;
	struct approval *approvals;       /* questions that are open; the first is on the terminal */
	uint32_t services;                /* processes of services */
	struct timer lock_timer, signal_timer;
	struct taskinfo *tasks;           /* by task id */
	struct reuse *reuse;
	struct remote *remote;            /* NULL: none */
	struct fetches *fetches;          /* NULL before the first */
	struct journal *journal;
	struct jobserver *jobserver;      /* NULL: none */
	struct gpus *gpus;
	struct containers *containers;    /* NULL: none are wanted */
	const char *makeflags;            /* MAKEFLAGS of the steps that share it; NULL */
	const char *resumed;              /* run id, NULL */
	bool told_store, told_sync;
	struct same *same;                /* NULL: this run is not kept as a whole */
};

const char *module_path(struct rt *rt, struct arena *a, const char *path);     /* relative to the entry file's folder, made absolute */
struct value rt_string(struct rt *rt, const char *z);
struct value rt_int(int64_t i);
const char *rt_evalerr(struct rt *rt, const struct evalerr *err);      /* "FILE:LINE:COL: message" */

/* open.c: exit codes, 0 or after a diagnostic */
int rt_file_trouble(struct rt *rt, const char *path);                  /* says errno */
int rt_output_trouble(struct rt *rt, const char *path);                /* the same of a file that the user asked for */
int rt_open_store(struct rt *rt);
int rt_open_run(struct rt *rt);                                        /* its id, its folder, its lock */
int rt_open_gc_lock(struct rt *rt);                                    /* 0, or -1 with errno */
void store_hold(struct rt *rt);
void store_release(struct rt *rt);
void rt_keep_history(struct rt *rt);

void rt_count(struct rt *rt, struct inst *i);                          /* a step came into being */
double rt_random(struct rt *rt);                                       /* [0, 1) */
void rt_ended(struct rt *rt, struct inst *i);                          /* an instance has ended */

/* view.c */
struct view *view_new(struct rt *rt);
void view_started(struct rt *rt, struct step *s);
void view_ended(struct rt *rt, struct inst *i);
/* As of an instance that was reused or skipped; shown by view_end. */
void view_again(struct rt *rt, const char *name, size_t n, bool skipped);
void view_outputs(struct rt *rt, struct strbuf *b);                    /* of the run: a line NAME = VALUE each */
void view_retry(struct rt *rt, struct step *s, int code, double delay, int64_t limit);
/* A line of progress, as a step has when it ends; with the end of the log of `left`, which failed (NULL: none). */
void view_line(struct rt *rt, const struct strbuf *b, const struct inst *left);
void view_prompt(struct rt *rt, const char *text);                      /* a question; the line stays open */
void view_answered(struct rt *rt);
void view_note(struct rt *rt, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void view_flush(struct rt *rt);
void view_end(struct rt *rt);
void view_free(struct rt *rt);

/* approve.c */
void approve_input(struct rt *rt);                                     /* the terminal has a line */
int approvals_copy(struct rt *rt, const char *from);                   /* answers of the run that is resumed */

/* events.c; each does nothing without --events */
int events_open(struct rt *rt, const char *path);                      /* 0, or -1 with errno */
void event_run(struct rt *rt, bool end);
void event_started(struct rt *rt, const struct step *s);
void event_retry(struct rt *rt, const struct step *s, int code, double delay);
void event_ended(struct rt *rt, const struct inst *i, const struct step *s);   /* s NULL: no process */
void events_flush(struct rt *rt);
int events_close(struct rt *rt);

/* outjson.c */
int outputs_write(struct rt *rt, const char *path);                    /* 0, or -1 with errno */
void outputs_json(struct rt *rt, struct strbuf *out);
/* Whole or not at all, by a temporary beside it; what is not a regular file is written into. 0, or -1 with errno. */
int write_file(const char *path, const struct strbuf *b);

#endif
