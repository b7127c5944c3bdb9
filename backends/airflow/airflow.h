/*
 * The Airflow backend from the inside.
 *
 * airflow.c   the engine's row: options, what it cannot carry, the document
 * check.c     what no row of capabilities can say
 * place.c     the workflow flattened: activations of graphs, tasks, loops, groups
 * expr.c      expressions as JSON, and the tasks that they read
 * task.c      one task: its fields and its dependencies
 * step.c      shapes of steps, code, attributes
 * raw.c       `airflow = '''...'''` (YAML) as JSON
 *
 * Everything is made twice over: first all tasks are placed, then each is written,
 * because expressions name tasks that stand further down.
 */
#ifndef COULER_AIRFLOW_H
#define COULER_AIRFLOW_H

#include "couler/backend.h"

#define AF_FOR_MAX 1000                   /* elements of a for (rule 7) */
#define AF_ID_MAX 250                     /* bytes of a task's or a DAG's id */

extern const struct optdesc airflow_opts[];

enum task_kind { TK_BEGIN, TK_RUN, TK_BRANCH, TK_EACH, TK_ROUND, TK_CALL_BEGIN, TK_CALL_END, TK_TRIGGER, TK_TRIGGERED, TK_BEST, TK_WAIT, TK_POLL, TK_APPROVE, TK_FAIL, TK_END, TK_RESULT };

struct loop;
struct frame;
struct activation;

/* A task of the DAG. */
struct task {
	const struct str *id, *name;      /* name: as in the source */
	struct node *node;                /* NULL: the run's own */
	struct frame *frame;              /* where it stands */
	struct activation *act;           /* whose step it is; of call_begin and call_end the caller's */
	struct activation *call;          /* call_begin, call_end, trigger, triggered; end: the activation whose end it is */
	struct loop *loop;                /* innermost mapping around it, NULL */
	struct container *in;
	struct loop *makes;               /* each: the loop whose elements it finds */
	uint32_t round, first, last;      /* round: its number; tasks of the round before are first .. last-1 */
	uint32_t rung, nrungs;            /* best: the rung it ends */
	struct group *group;
	uint32_t index;                   /* in af.tasks */
	uint8_t kind;                     /* enum task_kind */
	int8_t handler;                   /* enum on_event, -1: no on block */
	bool allow_failure, trial;
	bool leaf;                        /* nothing in its container comes after it */
};

/* Tasks that something waits for as a whole: a workflow called, a round of a loop. */
struct container { struct container *up; };

/* A dimension over which tasks are mapped: a `for`, the trials of a sweep. */
struct loop {
	const struct str *id;
	struct loop *in;
	struct node *node;                /* for or sweep */
	struct task *each;                /* finds its elements; NULL: `length` of them */
	struct frame *frame;              /* in which its list is read */
	const struct value *items;        /* literal list */
	uint32_t length, depth, rung;
	int64_t limit;                    /* max_parallel, 0: none */
	struct task *from;                /* halving: the rung before */
};

struct group { const struct str *id; struct group *in; const struct str *doc; };

/* What keeps the tasks of a region from running: a task and what its record must say. */
struct guard { struct task *task; enum { GUARD_OK, GUARD_BRANCH, GUARD_ROUND, GUARD_ON } what; uint32_t value; };

/* A workflow at work: the run itself, or a call. */
struct activation {
	const struct ir_workflow *w;
	struct activation *up;
	struct frame *caller;             /* in which the call's arguments are read; NULL */
	struct node *node;                /* the call */
	const struct str *scope;          /* "" or the id of the call */
	struct loop *loop;                /* around the call */
	struct task *begin, *end;         /* end: before the on blocks; NULL where there are none */
	bool in_handler;                  /* called from an on block */
	struct frame *body, *on[ON_COUNT];
	uint32_t limit;                   /* max_parallel of a called workflow, 0: none */
};

/* What a node became in one activation of its graph. */
struct made {
	struct task *task;                /* of a leaf; branch of an if; end of a call; best of a sweep */
	struct frame **child;             /* if: by branch; for, group: one; loop: by round */
	struct task **rounds;             /* loop: max + 1 */
	uint32_t nchild;
	struct loop *loop;                /* for */
};

/* An activation of a graph. */
struct frame {
	struct frame *up;                 /* around it in the text */
	struct activation *act;
	struct graph *graph;
	struct made *made;                /* by position in the graph */
	struct loop *loop;                /* innermost mapping */
	struct loop *own;                 /* the loop that this frame is the body of (for, sweep) */
	struct task *round;               /* loop: the control task of this round */
	struct guard guard;
	struct group *group;
	struct container *in;
	const struct str *prefix;         /* of task ids */
	int8_t handler;
	bool trial;                       /* the body of a sweep */
};

struct af {
	const struct ir *m;
	const struct ir_workflow *w;      /* of the document at work: the entry, or a part, which is a DAG of its own */
	const struct optset *o;
	struct diag *d;
	struct arena *a;                  /* of this emission */
	struct strtab *strs;
	struct strmap used;               /* ids of tasks and groups */
	struct strmap used_loops, used_steps, used_code;
	VEC(struct task *) tasks;
	VEC(struct loop *) loops;
	VEC(struct group *) groups;
	VEC(struct activation *) acts;
	struct activation *top;
	struct task *end, *result;        /* end: NULL without on blocks */
	uint32_t **pos;                   /* by workflow id: position of a node in its graph, by node id */
	/* what the task at work depends on */
	struct task *at;
	VEC(struct task *) deps;
	uint32_t *seen, stamp;            /* by index of the task: stamp where it is a dependency already */
	struct task *begin;               /* begin of its activation: an edge only where there is no other */
	bool soft;                        /* one of them may fail without blocking it */
	/* parts of the document that are written as they are met */
	struct strbuf steps, code, tables;
	const struct str **step_key;      /* by task id of the IR */
	struct strmap code_key;           /* sha256 and path -> key */
	bool failed;
};

/* airflow.c */
bool af_is_dag(const struct ir *m, const struct ir_workflow *w);       /* the entry, or a part: not written into its caller's */
const struct str *af_dag_id(struct af *af, const struct ir_workflow *w);

/* place.c */
void af_place(struct af *af);
struct frame *af_frame_of(struct frame *f, const struct graph *g);     /* f or the frame around it that activates g */
struct made *af_made(struct af *af, struct frame *f, const struct node *n);
const struct str *af_unique(struct af *af, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
const struct str *af_unique_in(struct af *af, struct strmap *used, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* expr.c */
void af_expr(struct af *af, struct strbuf *b, struct frame *f, const struct expr *e);
void af_value(struct af *af, struct strbuf *b, const struct value *v);
/* As af_expr, with the place in the source where its evaluation can fail. */
void af_root(struct af *af, struct strbuf *b, struct frame *f, const struct expr *e);
bool af_const(struct af *af, const struct expr *e, struct value *v);   /* known now? */
bool af_number(struct af *af, const struct expr *e, double *d);        /* a known number, duration or size */
bool af_is_status(const struct node *n, uint32_t port);
void af_str(struct strbuf *b, const struct str *s);                    /* a JSON string */
void af_type(struct strbuf *b, struct type t);                         /* "list<int>?" in quotes */

/* task.c */
void af_depend(struct af *af, struct task *t, bool soft);              /* the task at work waits for t */
void af_tasks(struct af *af, struct strbuf *b);
void af_loops(struct af *af, struct strbuf *b);
void af_scopes(struct af *af, struct strbuf *b);
void af_field(struct strbuf *b, const char *name);                     /* ,\n and the indented name of a task's field */

/* step.c */
const struct str *af_step(struct af *af, struct ir_task *t);           /* key of its shape, written at first use */
void af_attrs(struct af *af, struct strbuf *b, struct task *t);
void af_resources(struct af *af, struct strbuf *b, struct task *t);
bool af_containers(const struct af *af);                               /* steps run in images */

/* raw.c */
void af_raw(struct af *af, struct strbuf *b, const struct str *yaml);

/* check.c */
int airflow_validate(const struct ir *m, const struct optset *o, struct diag *d);
extern const struct cap airflow_caps[];

#endif
