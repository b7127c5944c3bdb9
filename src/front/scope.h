/*
 * Inside elaboration: scopes, workflows in the making, and what its files share.
 * The half that attributes need stands in elab.h.
 *
 * A workflow has one namespace. A name defined in the body of an `if` or a `for` stands
 * in that body's scope and, marked as below, in each scope around it up to the workflow
 * or the loop: so a lookup walks up scopes with one hash probe each, and finds either
 * the symbol or the region through whose ports it is read.
 */
#ifndef COULER_SCOPE_H
#define COULER_SCOPE_H

#include "elab.h"

/* Words that elaboration compares names with, interned. */
#define WORDS(X) \
	X(status) X(exit_code) X(best) X(trials) X(iterations) X(address) X(workflow) X(skipped) \
	X(after) X(allow_failure) X(code) X(run) X(command) X(args) X(argo) X(dataflow) X(doc) X(shell)
struct words {
#define X(w) const struct str *w;
	WORDS(X)
#undef X
};

enum scope_kind { SC_FILE, SC_WORKFLOW, SC_BRANCH, SC_FOR, SC_LOOP, SC_ON, SC_STEP, SC_COPY };

struct scope {
	enum scope_kind kind;
	bool command;                     /* step: the words of its command, which name inputs, outputs and env only */
	uint32_t branch;                  /* branch: its index */
	struct scope *parent;             /* NULL: a file. copy: the scope of the call */
	struct module *module;
	struct flow *flow;                /* NULL outside of workflows */
	struct graph *graph;              /* of the nodes defined here */
	struct sym *owner;                /* branch, for, loop: its region */
	struct strmap names;              /* struct sym */
	const struct ast_block *defaults; /* NULL: none */
	struct ir_code *code;             /* of these defaults, once asked for */
	uint32_t ncode;
	bool code_read;
	const struct ir_task *task;       /* step: inputs and outputs */
	const struct attrs *attrs;        /* step with command: env */
	struct wf_copy *copy;             /* copy: what it reads of the caller becomes a parameter */
};

/* The bodies of an if or a for, and its ports. */
struct region {
	struct scope **body;
	uint32_t n;
	struct strmap ports;              /* "STEP.OUT" -> its index + 1, as a pointer */
	struct sym *item;                 /* for: the element; NULL */
	struct sym **states;              /* loop */
	uint32_t nstates;
};

/* A workflow being elaborated. */
struct flow {
	struct ir_workflow *w;
	struct def *def;
	struct scope *scope;
	struct wf_copy *copy;             /* NULL: the workflow as it stands */
	VEC(struct sym *) work;           /* nodes, lets, params, states in source order */
	VEC(struct sym *) inner;          /* names that must not hide one around them */
	struct strmap in_loops;           /* names private to loops: for messages */
	const struct ast_stmt *on[ON_COUNT];
	bool bad;                         /* a node without a shape, after an error here or in what it calls */
};

/* Calls of a workflow with overrides share a copy a block. */
struct wf_copy {
	const struct ast_block *block;
	struct scope *scope;              /* of kind SC_COPY */
	struct ir_workflow *w;            /* NULL: it has errors */
	VEC(struct { const struct ast_expr *x; const struct str *name; uint32_t param; }) reads;   /* of the caller */
	struct wf_copy *next;
};

struct wf_def {
	struct wf_copy *copies;
	struct scope *scope;              /* of the workflow without overrides */
	const struct ast_stmt **param;    /* by param: its declaration */
	uint32_t nparams;
	bool called, on_path;
	VEC(struct { struct def *def; struct span span; }) calls;
	uint32_t next;                    /* call to follow, in the walk over them */
};

/* What calls of a task need beside its shape. */
struct task_def {
	struct scope *file, *scope;       /* outside of the task; its inputs over that */
	const struct ast_stmt **in;       /* by input: its declaration */
	struct expr **dflt;               /* by input: constant default; NULL: none, or made at each call */
	struct expr **to;                 /* by output: where it is published; NULL, or NULL entries */
	bool checked, called;
	bool any_code, files_checked;     /* it has no `code`: its calls say which files its script may name; checked without any */
	bool env_words;                   /* its command names env, whose index is another for each call */
	struct task_copy *copies;         /* with another `code` or env */
};
struct task_copy { const struct ast_stmt *code; const struct attrs *attrs; struct ir_task *task; struct task_copy *next; };

struct layers { struct attr_layer *v; uint32_t n, cap; };             /* nearest first; on the heap */

/* ---- scope.c ---- */

void words_init(struct elab *e);
struct scope *scope_new(struct elab *e, enum scope_kind k, struct scope *parent);
struct sym *sym_new(struct elab *e, enum sym_kind k, const struct str *name, struct span sp, struct scope *s, const struct ast_stmt *ast);
/* Enters sym under its name into its scope and those around; false after a diagnostic. */
bool scope_define(struct elab *e, struct sym *sym);
/* An error for each of flow.inner that hides a name around it. */
void scope_check_hiding(struct elab *e, struct flow *f);

struct found {
	struct sym *sym;                  /* region: the first that has the name */
	struct sym *region;               /* it is below: read through the ports of this one; NULL */
	bool closed;                      /* not readable from here: a let in another body, a step of an `on` block */
};
bool scope_lookup(struct elab *e, struct scope *s, const struct str *name, struct found *f);
/* Reports a name that s does not have; silent where the file did not parse. */
void scope_unknown(struct elab *e, struct scope *s, const struct str *name, struct span sp);
void scope_closed(struct elab *e, const struct found *f, const struct str *name, struct span sp);
/* Label or nothing: "did you mean 'x'?" */
void did_you_mean(struct elab *e, struct diag_item *it, const struct str *name, const char *const *cand, uint32_t n);
/* The scope is in an `on` block. */
bool scope_in_on(const struct scope *s);
/* Text of the source at sp, for messages; shortened. */
const char *source_text(struct elab *e, struct span sp);
const char *sym_words(const struct sym *s);                            /* "step", "let", ... */

/* ---- types.c ---- */

const char *type_words(struct elab *e, struct type t);                 /* "list<file>?" */
/*
 * The text of `what` for a message. Where it is of_subject itself, it is made of e->subject, "input 'lr' of 'train'":
 * most inputs never need it.
 */
extern const char of_subject[];
const char *what_text(struct elab *e, const char *what);
/* The type both fit (int and float: float; T and null: T?); false if there is none. */
bool type_join(struct type a, struct type b, struct type *out);
enum coerce { CO_JSON = 1 };              /* a json value is converted to a scalar with a check */
/* x as a value of type want, with EX_CONV where needed; NULL after a diagnostic (none for T_NONE). */
struct expr *coerce(struct elab *e, struct scope *s, struct expr *x, struct type want, unsigned flags, const char *what);
/* Folds an operation on constants; NULL after a diagnostic. */
struct expr *fold(struct elab *e, struct expr *x);
/* A location as written into one that starts at the entry file's folder; NULL after a diagnostic. */
const struct str *location(struct elab *e, struct scope *s, const struct str *text, struct span sp);
/* Reports an absent value where one is needed. */
void report_optional(struct elab *e, const struct expr *x, const char *what);

struct record { uint32_t n; struct { const struct str *name; struct type type; bool everywhere; } v[]; };   /* everywhere: in each element of the list */
const struct record *record_join(struct elab *e, const struct record *a, const struct record *b);

/* ---- expr.c ---- */

struct expr *elab_value(struct elab *e, struct scope *s, const struct ast_expr *x, struct type want, unsigned flags, const char *what,
	const struct record **rec);
/* The same, but hint is only what a literal is read as: a value of another type is not an error. */
struct expr *elab_hint(struct elab *e, struct scope *s, const struct ast_expr *x, struct type hint, const char *what);
/* Makes the type (and value, for a let) of a symbol known, and of those it needs; false after a diagnostic, now or earlier. */
bool sym_resolve(struct elab *e, struct sym *sym);
/* Condition: a bool. */
struct expr *elab_cond(struct elab *e, struct scope *s, const struct ast_expr *x, const char *what);
/* Reports the first reference of these kinds (bits of enum ref_kind) in x; true if there was none. */
bool refs_allowed(struct elab *e, struct expr *x, unsigned kinds, enum diag_code code, const char *what, const char *mend);
#define REFS_PARAMS (1u << REF_PARAM)
#define REFS_PLAIN (1u << REF_PARAM | 1u << REF_ITEM | 1u << REF_INDEX | 1u << REF_STATE | 1u << REF_ARG | 1u << REF_INPUT | 1u << REF_FIELD)
struct expr *literal_str(struct elab *e, const struct str *s, struct span sp);
struct expr *literal_int(struct elab *e, int64_t i, struct span sp);

/* A type (and value) of a lazy symbol whose needs are known: for sym_resolve. */
bool param_elab(struct elab *e, struct sym *sym);
bool state_elab(struct elab *e, struct sym *sym);
bool item_elab(struct elab *e, struct sym *sym);

/* ---- ops.c ---- */

struct expr *elab_literal(struct elab *e, const struct ast_expr *x, struct type want, const char *what);
struct expr *elab_list(struct elab *e, struct scope *s, const struct ast_expr *x, struct type want, const char *what, const struct record **rec);
struct expr *elab_map(struct elab *e, struct scope *s, const struct ast_expr *x, const char *what, const struct record **rec);
struct expr *elab_interp(struct elab *e, struct scope *s, const struct ast_expr *x, const char *what);
struct expr *elab_op(struct elab *e, struct scope *s, const struct ast_expr *x, struct type want, const char *what, const struct record **rec);
struct expr *to_json(struct elab *e, struct expr *x);                  /* x by json() */

/* ---- fn.c ---- */

struct expr *elab_fn(struct elab *e, struct scope *s, const struct ast_expr *x);   /* x: AX_CALL of a name */
extern const char *const dist_names[];   /* choice, steps, ...: by enum dist_kind */
enum { NDISTS = DIST_INT_UNIFORM + 1 };
int dist_find(const struct str *name);    /* enum dist_kind, -1 */

/* ---- ref.c ---- */

/* The value of a chain of members on a node: f as found from s, x the whole expression. */
struct expr *elab_member(struct elab *e, struct scope *s, const struct found *f, const struct ast_expr *x);
/* Every node that a name in `after` means. */
void found_nodes(struct elab *e, struct scope *s, const struct str *name, const struct found *f, void (*each)(struct node *n, void *data), void *data);
/* What was found holds the reader in s itself: reported, true. */
bool found_around(struct elab *e, struct scope *s, const struct found *f, struct span sp);
const char *node_where(struct elab *e, const struct node *n);          /* "the `if` at line 3" */

/* ---- task.c ---- */

/* Shape and default values of a task; false if it has errors. */
bool task_shape(struct elab *e, struct def *d);
/* All of a task, once: attributes, body, script. */
void task_check(struct elab *e, struct def *d);
/* The command of a task that nobody called, when its words name env. */
void task_check_uncalled(struct elab *e, struct def *d);
/* Declarations of a block into t: names, types where given. */
void task_decls(struct elab *e, struct module *m, const struct ast_block *b, struct ir_task *t, const char *of);
/* Body of a block into t, read in the scope of its inputs. none: what to say without one, NULL if that is fine. */
bool task_body(struct elab *e, struct scope *inner, const struct ast_block *b, struct ir_task *t, const struct attrs *attrs, const char *none);
/* Where its outputs are published: by output, NULL if nowhere. */
struct expr **task_to(struct elab *e, struct scope *inner, const struct ast_block *b, const struct ir_task *t);
/* The place of `to`: a string. */
struct expr *publish_to(struct elab *e, struct scope *s, const struct ast_expr *x);
struct scope *step_scope(struct elab *e, struct scope *parent, const struct ir_task *t);
/* An attribute stands in the block, whose values may need a scope. */
bool block_has_attrs(struct elab *e, const struct ast_block *b);
/* Words of a command: 0, or -1 after a diagnostic. */
int task_argv(struct elab *e, struct scope *inner, const struct ast_expr *list, const struct attrs *attrs, struct expr ***v, uint32_t *n);
bool words_name_env(const struct ir_task *t, const struct ast_expr *list);
/* The task of a call with what the layers say of `code`, and the command's env. */
struct ir_task *task_for_call(struct elab *e, struct def *d, const struct layers *l, struct attrs *attrs);
/* `code` of the nearest layer that has one, into t. */
void task_code(struct elab *e, const struct layers *l, struct ir_task *t);
/* An input as declared, inside a step: its value in the scope around, its type into in. */
struct expr *input_value(struct elab *e, struct scope *s, const struct ast_stmt *st, struct ir_decl *in, const struct str *of);
/* v is one of `in [...]`: checked now, or when it is evaluated. */
struct expr *allowed_value(struct elab *e, struct scope *s, struct expr *v, const struct ast_decl *decl, struct type t, const char *what);
void inputs_elab(struct elab *e, struct scope *s, const struct ast_block *b, struct ir_task *t, struct node *n);

/* ---- call.c ---- */

/* A task or workflow by name; reports its lack. NULL after a diagnostic. */
struct def *def_find(struct elab *e, struct scope *s, const struct ast_expr *callee, bool *is_task);
/* Arguments of a call by input of the task or param of the workflow. */
struct args { const struct ast_arg **v; uint32_t n; };
bool args_match(struct elab *e, const struct ast_expr *call, const struct def *d, bool is_task, struct args *a);
struct expr *arg_value(struct elab *e, struct scope *s, const struct def *d, bool is_task, uint32_t i, const struct ast_expr *x);
/* The value of an argument that is not given: a default, or NULL after a diagnostic. */
struct expr *arg_default(struct elab *e, const struct def *d, uint32_t i);
/* The workflow that a call with this block means; NULL if it has errors. */
struct ir_workflow *callee_of(struct elab *e, struct scope *s, struct def *d, const struct ast_block *block, struct wf_copy **copy);
/* Values of all inputs of a call into n.ins; those of `given` that are not NULL stand for the argument. */
bool call_inputs(struct elab *e, struct scope *s, struct node *n, const struct ast_expr *call, struct def *d, bool is_task, struct wf_copy *copy, struct expr **given);
bool call_shape(struct elab *e, struct sym *sym);
void call_elab(struct elab *e, struct sym *sym);
struct span decl_span(const struct ir_decl *v, uint32_t n, const struct str *name);
struct attrs *without_argo(struct elab *e, struct attrs *a);
void env_clash(struct elab *e, const struct ir_task *t, const struct attrs *a, struct span sp);
/* attrs of a call of a task. */
struct attrs *call_attrs(struct elab *e, struct scope *s, struct def *d, const struct ast_block *block, enum attr_owner owner, struct ir_task **task);

/* ---- stmt.c ---- */

/* The statements of a body into its scope and graph. */
void declare_block(struct elab *e, struct scope *s, const struct ast_block *b);
void declare_stmt(struct elab *e, struct scope *s, const struct ast_stmt *st);
struct sym *declare_node(struct elab *e, struct scope *s, const struct ast_stmt *st, enum node_kind kind);
struct graph *graph_new(struct elab *e, struct ir_workflow *w, struct node *owner);
/* Outputs of a node: ports, so that others can read them; false after a diagnostic. */
bool node_shape(struct elab *e, struct sym *sym);
/* Everything else of a node, a let, a param. */
void sym_elab(struct elab *e, struct sym *sym);
struct port *port_add(struct elab *e, struct node *n, const struct str *name, struct type t, struct span sp);
void layers_add(struct layers *l, const struct ast_block *b, struct scope *s, enum attr_owner owner);
void layers_around(struct layers *l, struct scope *s);                 /* defaults, from the inside out */
void layers_free(struct layers *l);
bool layers_allow_failure(struct elab *e, const struct layers *l);
struct attrs *layers_attrs(struct elab *e, const struct layers *l);
const struct str *block_doc(struct elab *e, struct scope *s, const struct ast_block *b);
/* An int of at least 1 known when the run starts, as of max_parallel; NULL if the block has none. */
struct expr *block_count(struct elab *e, struct scope *s, const struct ast_block *b, const char *key);

/* ---- gate.c, loop.c, sweep.c, job.c, dataflow.c, order.c ---- */

bool gate_shape(struct elab *e, struct sym *sym);
void gate_elab(struct elab *e, struct sym *sym);
void loop_declare(struct elab *e, struct scope *s, struct sym *sym);
bool loop_shape(struct elab *e, struct sym *sym);
void loop_elab(struct elab *e, struct sym *sym);
bool sweep_shape(struct elab *e, struct sym *sym);
void sweep_elab(struct elab *e, struct sym *sym);
/* best.NAME or trials of a sweep: NULL after a diagnostic, or with *none set where there is no such result. */
struct expr *sweep_field(struct elab *e, struct sym *sym, const struct str *field, struct span sp, bool *none);
const char **sweep_names(struct elab *e, struct sym *sym, uint32_t *n);        /* what may stand after best. */
/* search, objective and limits; given gets the budget. clean: no errors so far, so what lacks is reported. */
void search_elab(struct elab *e, struct sym *sym, const struct def *d, bool is_task, struct expr **given, bool clean);
struct ir_job *job_elab(struct elab *e, struct scope *inner, const struct ast_stmt *job, struct ir_task *t);
struct ir_dataflow *dataflow_elab(struct elab *e, struct scope *inner, const struct ast_stmt *entry, struct ir_task *t);
void after_elab(struct elab *e, struct scope *s, struct node *n, const struct ast_block *b);
/* Reports cycles of data and order among the nodes of w. */
void order_check(struct elab *e, struct ir_workflow *w);

/* ---- workflow.c, place.c ---- */

/* Elaborates a workflow, or a copy of it; NULL if it has errors. */
struct ir_workflow *workflow_elab(struct elab *e, struct def *d, struct wf_copy *copy);
void schedule_elab(struct elab *e, struct scope *s, struct ir_workflow *w, const struct ast_stmt *entry);
void volumes_elab(struct elab *e, struct flow *f, const struct ast_block *b);
/* The stores of all modules, into ir.stores; the one that x names in m, NULL after a diagnostic. */
void stores_elab(struct elab *e);
const struct str *store_find(struct elab *e, struct module *m, const struct ast_expr *x);

#endif
