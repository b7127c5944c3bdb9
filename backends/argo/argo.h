/*
 * The Argo backend: IR to Workflow, WorkflowTemplate and CronWorkflow documents (Argo Workflows v4).
 *
 * docs.c     which document holds which workflow
 * plan.c     which DAG template holds which node, names, modes of regions
 * usage.c    which outputs, statuses and files are read from where
 * ref.c      references: paths of values in a DAG template, captures from the ones around it
 * expr.c     expressions to expr-lang; expr_fn.c its functions
 * value.c    expressions as values in YAML
 * unlet.c    expressions without `let`
 * text.c     how text travels through Argo unchanged
 * name.c     names
 * file.c     files: artifacts, locations, gathers
 * shape.c    steps of one shape share a template
 * step.c     templates of steps; body.c their containers; attr.c placement, retry, locks
 * dag.c      DAG templates and their tasks
 * region.c   for and loop; sweep.c sweeps; gate.c wait, approve, service, fail
 * job.c      distributed jobs: files in, the job, outputs back; jobpod.c the objects that operators take;
 * flow.c     a dataflow whose workers are a Job
 * object.c   job kubernetes; manifest.c values in manifests
 * on.c       on blocks, failed steps
 * child.c    parts that are Workflows of their own
 * meta.c     the documents around the templates
 * hoist.c    what may fail is computed by the caller
 * merge.c    raw YAML of `argo = '''...'''`
 * caps.c     what Argo cannot carry, options, the row of the backend
 *
 * Facts of the engine that the shapes here rest on are in docs/argo.md.
 */
#ifndef ARGO_ARGO_H
#define ARGO_ARGO_H

#include "couler/backend.h"
#include "yaml.h"

/*
 * How the text of a value stands in an Argo parameter.
 * SAFE: as it is; nothing in it can be rewritten by Argo or Kubernetes.
 * RAW: as it is; given at submission, so it may hold anything that `couler submit` lets through.
 * T: \ $ { [ LF CR TAB as \0ooo, for what a step made (text.c).
 * AGG: a JSON list of the texts of the elements, each SAFE or T: what a `for` gathers.
 */
enum form { FORM_SAFE, FORM_RAW, FORM_T, FORM_AGG, FORM_ANY };   /* ANY: wanted by who does not care */

/* Stands for an absent value where an optional travels as a parameter; no SAFE or T text can be this. */
#define ABSENT "$null"

struct argo;
struct ctx;

/* The branches that must be taken for a node to run, innermost first. */
struct cond { const struct node *if_; uint32_t branch; const struct cond *up; };

enum for_mode {
	FOR_DIRECT,                       /* one step: its own task is expanded */
	FOR_BODY,                         /* a DAG template is expanded; it fails when one of its tasks fails */
	FOR_ROBUST                        /* the same, but it always succeeds and says how each task ended; a gate for each step judges */
};

struct stand { const struct ctx *c; const char *task; const struct stand *next; };

struct ninfo {
	struct ctx *ctx;                  /* holds its task; of an if or a group: the one that holds what is in it */
	struct ctx *inner;                /* for: its body, loop, sweep */
	struct ctx *each;                 /* for: the DAG template that limits how many run at a time; NULL */
	const char *task;                 /* its name in ctx; NULL for an if or a group */
	const struct cond *cond;
	const struct node *for_;          /* expanded directly by this for */
	const struct stand *stands;       /* in the body of a for: the tasks that stand for all its instances outside */
	bool judged;                      /* wrapped because its status is read: a gate fails where it failed */
	uint8_t mode;                     /* for: enum for_mode */
	bool items;                       /* for: expanded over the elements themselves, not their indices */
	bool wrapped;                     /* its template always succeeds and has outputs status and exit-code */
	bool read_status, read_code;      /* by expressions */
	bool awaited;                     /* a task depends on its end, whatever the result */
	uint8_t outside;                  /* how many `for`s around it have readers of it outside */
	bool index_read;                  /* for: its index is an input of something */
	bool keyed;                       /* its files have keys of their own, so that a gather finds them */
	uint64_t used;                    /* outputs that are read, by port (63: any beyond) */
	uint64_t on_used;                 /* outputs that `on` blocks read */
	bool on_status, on_code;
	struct shape *shape;              /* step, wait, service: its template */
	const char *template_, *template_try;                                   /* of the others; the one that always succeeds */
};

/* A value of a context around that a context needs, as an input of its template. */
struct input {
	const struct expr *ref;           /* what it stands for, in the context around; NULL: `at` */
	const char *name;
	enum form form;
	struct type type;
	bool artifact, nullable;          /* nullable: may be ABSENT */
	const void *fixed;                /* artifact: struct art, where it lies; NULL: passed in */
	const char *value;                /* entry template: where it comes from; NULL otherwise */
};

enum ctx_kind { CTX_ENTRY, CTX_CALL, CTX_BODY, CTX_EACH, CTX_LOOP, CTX_SWEEP, CTX_ON };

/* A DAG template. */
struct ctx {
	enum ctx_kind kind;
	struct ctx *up;                   /* whose task runs it; NULL: entry, called workflow, on */
	const struct ir_workflow *w;
	const struct node *owner;         /* for, loop, sweep */
	struct graph *graph;              /* what it was made from; NULL for FOR_EACH */
	const char *name;                 /* of the template */
	uint32_t slot;                    /* its place among the templates */
	VEC(struct input) ins;
	VEC(const struct node *) nodes;   /* with a task here, in source order */
	struct strmap names;              /* task names taken */
	struct strmap in_names;           /* names of inputs taken */
	bool written, robust;             /* robust: it always succeeds, and says how its tasks ended */
};

struct winfo {
	struct ninfo *n;                  /* by node id */
	struct ctx *root;
	enum form *param;                 /* of a called workflow's parameters */
	const char **param_name;
	bool called, needed;
	bool many;                        /* a call of it stands in a `for`, a loop or a sweep, or in a workflow of which this holds */
	uint32_t doc;                     /* the workflow in whose document it stands */
	const char *object;               /* name of the WorkflowTemplate that is its document; NULL: it has none of its own */
	const char *run;                  /* the template that runs it as a Workflow of its own; NULL before, or if none does */
};

/* Sections of wrapper.sh: only what the document needs is written. */
#define WRAPPER_PARTS(X) \
	X(ABOUT, "about") \
	X(IN, "in") X(LISTS_IN, "lists-in") X(CODE_IN, "code-in") X(SCRIPT_IN, "script-in") X(NAMED_IN, "named-in") X(LISTS_FILES, "lists-files") \
	X(POLL, "poll") X(MPI, "mpi") X(WORKER, "worker") X(WORKER_CODE, "worker-code") X(SHARED, "shared") X(APART, "apart") X(OUT, "out") X(TIME, "time") X(JSON, "json") X(LISTS, "lists") X(SHA_IN, "sha-in") X(NAMED_OUT, "named-out") X(LISTS_FILES_OUT, "lists-files-out")
enum wrapper_part {
#define X(p, s) WRAP_##p,
	WRAPPER_PARTS(X)
#undef X
	WRAP_COUNT
};

struct template { const char *name; struct strbuf *text; uint32_t doc; };     /* doc: workflow id of the document that it stands in */

struct argo {
	const struct ir *m;
	const struct optset *o;
	struct diag *d;
	struct arena *a;
	struct strtab *strs;              /* of this emission */
	struct winfo *w;                  /* by workflow id */
	VEC(struct template) templates; /* in the order in which they are written */
	struct strmap names;              /* template names taken */
	VEC(struct shape *) shapes;
	struct shape **shape_table;
	uint32_t shape_cap;
	int err;
	bool strict, limits, memoize;
	const char *repository;           /* kind of the cluster's artifact repository: s3, gcs, ... */
	/* what the documents need because a template uses it */
	bool uses_none, uses_gate, uses_wrapper, uses_command, uses_fail, uses_hand;
	uint64_t wrapper;                 /* parts of the wrapper that are used */
	VEC(const struct ir_lock *) pools;
	const char *none_name, *gate_name, *fail_name, *hand_name;                          /* shared templates */
	int depth, entry_depth;           /* of templates, for yaml; in the entry's document */
	uint32_t doc;                     /* the document that is written to */
	struct strmap objects, elsewhere; /* names of documents taken; by name of a template: the workflow that others call by reference */
	size_t *measured;                 /* bytes by workflow id, when only that is wanted; NULL */
	struct ctx *on;                   /* the DAG template of the on blocks; NULL */
};

static inline struct ninfo *info(const struct argo *g, const struct node *n) { return &g->w[n->graph->workflow->id].n[n->id]; }

extern const struct optdesc argo_opts[];
int argo_emit(const struct ir *m, const struct optset *o, struct strbuf *out, struct diag *d);
size_t argo_size(const struct ir *m, const struct node *n, const struct optset *o);
int argo_measure(const struct ir *m, const struct optset *o, size_t *bytes);
void argo_limits(const struct optset *o, struct limits *l);

/* ---- docs.c ---- */
void docs_plan(struct argo *g);                                        /* which workflow stands in which document */
uint32_t docs_enter(struct argo *g, uint32_t doc);                     /* what is written from now on stands there; the one before */
void template_ref(struct argo *g, struct yaml *y, const char *name);   /* template: NAME, or templateRef where it stands elsewhere */

/* ---- meta.c ---- */
void wrapper_text(uint64_t parts, struct strbuf *b);

/* ---- usage.c ---- */
void argo_usage(struct argo *g);
bool used_port(const struct ninfo *ni, uint32_t port, bool on);

/* ---- plan.c ---- */
void argo_plan(struct argo *g);
void place_inner(struct argo *g, struct ctx *c, struct node *n);
/* Where a task stands for node n as seen from context c: its name in c, NULL if none does. */
const char *task_in(struct argo *g, const struct node *n, const struct ctx *c);

/* ---- ref.c ---- */
/* A parameter of the entry workflow is given encoded: asked for, or its own default would be rewritten. */
bool param_encoded(const struct argo *g, uint32_t i);

/* ---- file.c ---- */
bool gathers_files(struct argo *g, const struct node *f);              /* an element of this for leaves files that are read from outside */

/* ---- text.c ---- */
bool text_safe(const char *s, size_t n);                               /* T(s) is s */
void text_encode(struct strbuf *b, const char *s, size_t n);           /* T */
bool text_untouched(const char *s, size_t n);                          /* as a script or file: neither Argo nor Kubernetes rewrites it */
void text_encode_script(struct strbuf *b, const char *s, size_t n);    /* as little as it takes; read by printf %b */
void xl_string(struct strbuf *b, const char *s, size_t n);             /* expr-lang literal */

char *a_f(struct argo *g, const char *fmt, ...) __attribute__((format(printf, 2, 3)));    /* in the arena */
char *a_buf(struct argo *g, struct strbuf *b);                         /* moves b into the arena */
const char *source_place(struct argo *g, struct span sp);                     /* "churn.cw:31:23" */
uint32_t line_of(struct argo *g, struct span sp);

/* ---- name.c ---- */
/* NAME with - for _, unique in taken; max: bytes. */
const char *name_task(struct argo *g, struct strmap *taken, const char *s, size_t n);
const char *name_template(struct argo *g, const char *s, size_t n);
const char *name_param(struct argo *g, struct strmap *taken, const char *s, size_t n);
const char *name_object(struct argo *g, const struct str *s, size_t max);                  /* DNS-1123 of at most max bytes */
const char *dashed(struct argo *g, const struct str *s);               /* foo_bar: foo-bar */
const char *xl_member(struct argo *g, const char *base, const char *name);                 /* base.name or base['a-b'] */

#endif
