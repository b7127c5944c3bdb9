/*
 * The IR: what every pass and every engine sees of a program.
 *
 * A module holds workflows; a workflow holds a graph; a graph holds nodes; a node of
 * kind if, for, loop, sweep or group owns child graphs (regions). A workflow never
 * reads anything of its caller but its parameters; the expressions of a region may
 * read nodes of the graphs around it. What is read of a region from outside goes
 * through its ports, so an expression never names a node inside a region that it is
 * not in itself.
 *
 * Data edges are the references in expressions; order edges are node.after. Node ids
 * follow source order, and every list here is in source order: equal input gives
 * equal bytes. Strings are interned in ir.strs; everything lives in ir.arena.
 *
 * The JSON form is grammar/ir.schema.json (ir_json.c).
 */
#ifndef COULER_IR_H
#define COULER_IR_H

#include "couler/diag.h"
#include "couler/expr.h"
#include "couler/vec.h"

#define IR_VERSION 1

struct graph;
struct ir_workflow;

/* kind, spelling, is a region */
#define NODE_KINDS(X) \
	X(STEP, "step", 0) X(CALL, "call", 0) X(IF, "if", 1) X(FOR, "for", 1) X(LOOP, "loop", 1) X(SWEEP, "sweep", 1) \
	X(GROUP, "group", 1) X(WAIT, "wait", 0) X(APPROVE, "approve", 0) X(SERVICE, "service", 0) X(FAIL, "fail", 0)

enum node_kind {
#define X(k, s, r) N_##k,
	NODE_KINDS(X)
#undef X
	N_COUNT
};
const char *node_kind_name(enum node_kind k);

/* ---- tasks: the shape of a step ---- */

/* An input or an output as declared. */
struct ir_decl {
	const struct str *name;
	struct type type;
	const struct str *named;          /* last component of the path, "*" for the index in a list; NULL */
	bool from_stdout;                 /* out x: T = stdout */
	const struct str *at;             /* job kubernetes: JSONPath; NULL */
	struct span span;
};

enum body_kind { BODY_RUN, BODY_COMMAND, BODY_ARGS, BODY_JOB, BODY_DATAFLOW, BODY_ARGO };

/* A file that travels with a step: path relative to the .cw file, bytes as read at compile time. */
struct ir_code {
	const struct str *path;           /* as laid out under $CW_CODE */
	const struct str *source;         /* where it was read, relative to the entry file's folder or absolute */
	const char *data;                 /* NULL when larger than IR_CODE_INLINE or not text: read it from source */
	size_t len;
	bool exec, text;
	const struct str *sha256;         /* hex */
	const struct str *place;          /* location that it is fetched from instead of travelling inside (pass stage); NULL */
};
#define IR_CODE_INLINE (256 * 1024)   /* bytes of text in all that travel inside what is emitted (docs/engines.md) */

struct ir_job {                       /* job pytorch | tensorflow | mpi | ray | kubernetes */
	const struct str *kind;
	struct expr *workers, *ps, *slots;                     /* NULL: not given */
	const struct str *run;                                 /* script; NULL for kubernetes */
	const struct str *action, *manifest, *success, *failure;
	VEC(struct { const struct str *path; struct expr *value; }) set;
};

struct ir_operator {
	const struct str *name;           /* "trainer" for the trainer */
	uint32_t *from, nfrom;            /* indices of operators; UINT32_MAX is the source */
	const struct str *run;            /* NULL: happens inside the trainer */
	bool uses_model, ordered, singleton;
	double cpu, bytes;                /* seconds and bytes a record, -1: not given; the trainer's own cpu is measured only */
	struct span span;
};
struct ir_dataflow {
	const struct str *source;         /* name */
	double source_bytes;              /* of a record of it, as measured; -1: unknown */
	uint32_t split;                   /* input of the task whose files are the splits */
	struct ir_operator *ops;          /* the trainer is the last */
	uint32_t nops;
	int64_t workers_min, workers_max;
	const struct attrs *workers;      /* image, resources */
	const struct str *framing;        /* "lines", "length_prefixed", "tar" */
	const struct str *runtime;        /* NULL, "tfdata", "ray" */
	bool *on_worker;                  /* by operator: the cut, set by pass disaggregate; NULL before */
};

/* Steps made by calls of one task share it. */
struct ir_task {
	const struct str *name;           /* of the task; of the step for an inline one */
	const struct str *doc;            /* NULL */
	bool inline_;
	struct ir_decl *ins, *outs;
	uint32_t nins, nouts;
	enum body_kind body;
	const struct str *shell;          /* "sh", "bash", "python3", or a program; BODY_RUN */
	const struct str *script;         /* BODY_RUN: dedented; BODY_ARGO: the template */
	struct expr **argv;               /* BODY_COMMAND, BODY_ARGS: refs are REF_INPUT, REF_OUTPATH, REF_ENV */
	uint32_t nargv;
	struct ir_job *job;
	struct ir_dataflow *dataflow;
	struct ir_code *code;             /* in byte order of path */
	uint32_t ncode;
	struct span span, body_span;
	uint32_t id;                      /* index in ir.tasks */
};

/* ---- attributes, resolved: call over task over defaults ---- */

enum env_kind { ENV_EXPR, ENV_SECRET, ENV_CONFIG };
struct ir_env { const struct str *name; enum env_kind kind; struct expr *value; const struct str *ref, *key; };
struct ir_pair { const struct str *key; struct expr *value; };
enum mount_kind { MOUNT_VOLUME, MOUNT_SECRET, MOUNT_CONFIG };
struct ir_mount { const struct str *path, *name; enum mount_kind kind; uint32_t volume; };
struct ir_lock { struct expr *name; int64_t size; bool pool; };        /* a lock is a pool of 1 */
struct ir_toleration { const struct str *key, *value, *effect; };      /* value, effect: NULL */

enum retry_on { RETRY_ANY, RETRY_ERROR, RETRY_FAILURE, RETRY_CODES, RETRY_TRANSIENT };   /* transient: as in transient.h */
struct ir_retry {
	struct expr *limit;               /* further attempts; NULL: no retry given */
	struct expr *backoff, *factor, *max_backoff, *within;              /* durations; NULL */
	enum retry_on on;
	VEC(int) codes;
};
void retry_exit_codes(const struct ir_retry *r, const char *quote, struct strbuf *b);       /* [75, 143]: exit codes of CODES or TRANSIENT, each in quote */
enum cache_mode { CACHE_AUTO, CACHE_ON, CACHE_OFF };
struct ir_cache { enum cache_mode mode; bool given; double ttl; struct expr **key; uint32_t nkey; const struct str *version; };  /* ttl: s, < 0: none */

struct attrs {                        /* shared between nodes; references are PARAM, ITEM, INDEX, STATE, ARG, INPUT, FIELD */
	struct expr *image;
	VEC(struct ir_env) env;
	VEC(struct ir_env) env_from;      /* kind and ref only */
	struct expr *cpu, *memory, *gpu, *gpu_type, *disk, *limit_cpu, *limit_memory;
	struct ir_retry retry;
	struct expr *timeout;             /* duration */
	struct ir_cache cache;
	VEC(struct ir_lock) locks;
	VEC(struct ir_pair) labels, annotations, selector;
	VEC(struct ir_toleration) tolerate;
	struct expr *service_account, *priority;
	VEC(struct ir_mount) mounts;
	const struct str *argo, *airflow; /* raw, NULL */
	struct span argo_span, airflow_span;
};

/* ---- nodes ---- */

struct order { struct node *node; bool soft; };           /* soft: waits for its end, whatever its result. The node may stand
                                                             inside a region that this one is not in: all its instances */

/*
 * An output port. value[i] is evaluated in the scope of child graph i (if: one a branch, NULL where the branch
 * lacks it; for: once an element, gathered in order; group: once). For a step, a wait, an approve, a service, a loop
 * and a sweep value is NULL: the node itself makes it; for a call, too: port i is output i of the callee.
 */
struct port {
	const struct str *name;           /* step: the output; call, and the group in its place: the callee's output; if, for: "STEP.OUT",
	                                     "STEP.status", "STEP.exit_code"; loop: the state, "iterations"; sweep: "best.NAME", "trials"; approve: the ask; service: "address" */
	struct type type;                 /* as seen from outside: gathered, optional */
	struct expr **value;
	struct span span;
};

struct branch { struct expr *cond; struct graph *body; };              /* cond NULL: else */

struct state { const struct str *name; struct type type; struct expr *init, *next; struct span span; };   /* next NULL: keeps its value */

enum dist_kind { DIST_CHOICE, DIST_STEPS, DIST_UNIFORM, DIST_LOG_UNIFORM, DIST_INT_UNIFORM };
enum search_kind { SEARCH_GRID, SEARCH_RANDOM, SEARCH_HALVING, SEARCH_TPE, SEARCH_LLM };
struct dist {
	const struct str *name;           /* the argument */
	enum dist_kind kind;
	struct type type;
	struct value *choice; uint32_t nchoice;                             /* choice; steps after pass sweep, too */
	double lo, hi, by;
	struct span span;
};
struct sweep {
	struct graph *body;               /* one node: a step or a call; its inputs read REF_ARG */
	struct dist *space; uint32_t nspace;                                /* in the order written; REF_ARG ports. halving: the budget is last, port nspace */
	enum search_kind search;
	bool minimize;
	uint32_t objective;               /* port of the body's node */
	int64_t trials, batch, factor;
	uint64_t seed;
	const struct str *budget;         /* halving: the argument; NULL */
	struct type budget_type;
	double min, max;                  /* halving */
	int64_t max_failed;               /* -1: all but one */
	struct expr *max_parallel;        /* NULL */
	double goal; bool has_goal;
	const struct str *data_card, *model_card;
	/* Set by pass sweep; table NULL before. tpe: none. llm: what may be tried, of which the first `trials` are those of random. */
	struct value *table;              /* ntable x nspace, row by row */
	uint32_t ntable;
	struct { uint32_t n; double budget; } *rungs;                       /* halving; rung 0 first, its n is ntable */
	uint32_t nrungs;
};

struct approve_ask { const struct str *name; struct type type; struct expr *dflt; struct expr *in; };   /* in: list, NULL */

struct node {
	uint32_t id;                      /* unique in the workflow, in source order */
	uint8_t kind;                     /* enum node_kind */
	bool allow_failure;
	bool hidden;                      /* made by a pass: not shown as a step */
	uint32_t nins, nports, nafter;
	const struct str *name;           /* if, for: "if@LINE", "for@LINE"; fail: "fail@LINE"; else as in the source */
	const struct str *doc;            /* NULL */
	struct graph *graph;              /* holds this node */
	struct span span;
	struct attrs *attrs;              /* never NULL for step, wait, service, approve, sweep; else may be */
	struct order *after;
	struct port *ports;
	struct expr **ins;                /* step: by task.ins; call: by callee params. NULL: the callee's default */
	struct expr **to;                 /* step: where output i is published, by port; NULL, or NULL entries */
	union {
		struct ir_task *task;         /* step */
		struct ir_workflow *callee;   /* call */
		struct { struct branch *v; uint32_t n; } if_;
		struct { struct expr *list; const struct str *item, *index; struct type item_type; struct expr *max_parallel; struct graph *body; } for_;
		struct { int64_t max; struct state *v; uint32_t n; struct expr *cond; struct graph *body; } loop;   /* cond NULL: none; reads REF_STATE */
		struct sweep *sweep;
		struct graph *group;
		struct { double seconds; struct ir_task *poll; double every; } wait;   /* poll NULL: a plain delay; its inputs are ins */
		struct { struct expr *message; struct approve_ask *v; uint32_t n; } approve;   /* port i is ask i; attrs.timeout */
		struct { struct ir_task *task; int64_t port; const struct str *ready; } service;   /* task NULL: the image alone; its inputs are ins */
		struct { struct expr *message; } fail;
	} u;
};

struct same_step { struct node *node, *into; };              /* a step that pass cse took out, and the one in its place: its results are that one's */

struct graph {
	struct ir_workflow *workflow;
	struct node *owner;               /* NULL: the workflow's own, or an on block */
	VEC(struct node *) nodes;
	VEC(struct node *) skipped;       /* steps that pass fold took out, because their branch is never taken: they count as skipped */
	VEC(struct same_step) merged;
};

/* ---- workflows ---- */

struct ir_param {
	const struct str *name;
	struct type type;
	struct expr *dflt;                /* NULL: required; reads parameters before it */
	struct expr *in;                  /* list of allowed values, NULL */
	const struct str *named, *doc;
	struct span span;
};
struct ir_out { const struct str *name; struct type type; struct expr *value, *to; struct span span; };
struct ir_volume { const struct str *name, *claim, *class_, *mode; double size; struct span span; };      /* bytes, < 0 with a claim */
enum overlap { OVERLAP_FORBID, OVERLAP_ALLOW, OVERLAP_REPLACE };
struct ir_schedule {
	const struct str **cron; uint32_t ncron;
	const struct str *timezone;       /* NULL: UTC */
	enum overlap overlap; bool catchup;
	struct expr *only_if;             /* NULL */
	double deadline; int64_t keep_runs;                                 /* < 0: none */
	struct span span;
};
enum on_event { ON_SUCCESS, ON_FAILURE, ON_EXIT, ON_COUNT };          /* in the order in which they run */

/*
 * How calls reach a workflow: as part of what its caller becomes; as a document of its own within the same run; as a run of
 * its own. A local run, and an engine without documents, does the same for all.
 */
enum link { LINK_INLINE, LINK_REF, LINK_RUN };

struct ir_workflow {
	const struct str *name, *doc;     /* unique in the module; a specialised callee is NAME-2 ... */
	struct span span;
	struct ir_param *params; uint32_t nparams;
	struct ir_out *outs; uint32_t nouts;
	struct graph *body, *on[ON_COUNT];                                  /* on: NULL where there is none */
	struct ir_schedule *schedule;     /* NULL */
	struct ir_volume *volumes; uint32_t nvolumes;
	const struct str *artifacts;      /* store, NULL */
	struct expr *max_parallel, *timeout;                                /* NULL */
	bool fail_fast;
	double keep;                      /* s, < 0: not given */
	VEC(struct ir_lock) locks;
	VEC(struct ir_pair) labels, annotations;
	const struct str *argo, *airflow; /* raw, merged into what the engine gets; NULL */
	struct span argo_span, airflow_span;
	uint32_t nnodes;                  /* ids are below this */
	uint32_t id;
	enum link link;                   /* set by pass split */
};

struct ir_store { const struct str *name, *uri, *endpoint, *region, *secret; struct span span; };

/* A local file that `couler push` brings into the entry's store; what is emitted names uri. Made by pass stage. */
struct ir_staged { const struct str *uri, *key, *path, *sha256; uint64_t size; };   /* key: uri without the store's; path: absolute */

/* Facts about a module that passes need, give and break. */
enum ir_prop {
	IR_FOLDED = 1,                    /* constants folded, dead branches gone */
	IR_SWEPT = 2,                     /* grid, random, halving have their table */
	IR_REDUCED = 4,                   /* no transitive order edges */
	IR_INLINED = 8,                   /* no N_CALL */
	IR_CUT = 16                       /* dataflows have their cut */
};

struct ir {
	struct arena *arena;
	struct strtab *strs;
	struct diag *diag;                /* for sources; not owned */
	const struct str *file;           /* the entry file, as given; NULL from JSON without one */
	const struct str *dir;            /* its folder: relative locations and code start here */
	VEC(struct ir_task *) tasks;
	VEC(struct ir_workflow *) workflows;                                /* callees before callers; the entry is the last */
	struct ir_workflow *entry;
	VEC(struct ir_store) stores;
	VEC(struct ir_staged) staged;     /* without duplicates; not in the JSON form */
	unsigned props;                   /* enum ir_prop */
};

struct ir *ir_new(struct arena *a, struct strtab *strs, struct diag *d);

/* 0, or -1 after a diagnostic CW1101 for each broken rule (first 20). */
int ir_verify(const struct ir *m, struct diag *d);

/* JSON form: stable bytes; ir_read_json gives an equal module, or NULL after diagnostics. */
void ir_write_json(const struct ir *m, struct strbuf *b);
struct ir *ir_read_json(struct arena *a, struct strtab *strs, const char *path, const char *text, size_t n, struct diag *d);

/* A parameter of the entry from text ("1h30m" as in the source) into its default; 0, or -1 after a diagnostic CW0402. */
int param_set(struct ir *m, const char *name, const char *value, size_t n, struct diag *d);

/* ---- walking ---- */

uint32_t node_nchildren(const struct node *n);                         /* child graphs, in source order */
struct graph *node_child(const struct node *n, uint32_t i);
/*
 * Every expression slot of a node (inputs, attributes, conditions, ports, ...), not of its children: f may replace *e.
 * Slots of a task or of attributes that several nodes share are met once for each of these nodes.
 */
void node_exprs(struct ir *m, struct node *n, void (*f)(struct expr **e, struct node *n, void *data), void *data);
/* The same for a workflow's own expressions (parameters, outputs, schedule, ...); f's node is NULL. */
void workflow_exprs(struct ir_workflow *w, void (*f)(struct expr **e, struct node *n, void *data), void *data);
/* All nodes of a workflow, regions and on blocks included, parents first, source order; iterative. */
void workflow_nodes(struct ir_workflow *w, void (*f)(struct node *n, void *data), void *data);
void node_within(struct node *region, void (*f)(struct node *n, void *data), void *data);      /* the same for what a region holds */
/* The ancestor of n that is a node of graph g (n itself if it is in g); NULL if none. */
struct node *node_in(struct node *n, const struct graph *g);

/* ---- graph algorithms (ir_graph.c): over one graph, edges of nested nodes lifted to their ancestor in it ---- */

struct edges {                        /* adjacency by position in graph.nodes; predecessors of i are pred[start[i] .. start[i+1]) */
	uint32_t n, *start, *pred;
	uint8_t *flags;                   /* beside pred: EDGE_DATA, EDGE_ORDER, EDGE_STATUS (status or exit_code read), EDGE_SOFT */
};
enum edge_flag { EDGE_DATA = 1, EDGE_ORDER = 2, EDGE_STATUS = 4, EDGE_SOFT = 8 };   /* soft alone: waits whatever the result */
struct edges *graph_edges(struct arena *a, struct graph *g);           /* pred sorted, without duplicates */
uint32_t *graph_topo(struct arena *a, const struct edges *e);          /* positions in a stable topological order; NULL: a cycle */
/* A cycle as node positions, its length in *n; NULL if acyclic. */
uint32_t *graph_cycle(struct arena *a, const struct edges *e, uint32_t *n);
/* Longest path with weights w by position (NULL: 1 each): positions from first to last, their number in *n, length in *len. */
uint32_t *graph_critical_path(struct arena *a, const struct edges *e, const double *w, uint32_t *n, double *len);
uint32_t graph_width(struct arena *a, const struct edges *e);          /* most nodes of one depth */
uint8_t *graph_redundant(struct arena *a, const struct edges *e);      /* by edge: implied by a longer path */

/*
 * Values that what is in a region reads from outside of it, without duplicates, in order of first use: parameters,
 * fields of the workflow, outputs and status of nodes, items, states and arguments of regions further out. What is
 * evaluated inside counts: its nodes, its port values, a loop's while and next; a list, a condition, an initial state not.
 */
struct capture { enum ref_kind kind; struct node *node; uint32_t port; struct type type; struct span span; };
uint32_t node_captures(struct ir *m, struct node *region, struct capture **out);

#endif
