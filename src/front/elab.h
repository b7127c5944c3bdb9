/*
 * Elaboration: syntax trees to IR in one walk that resolves names and types as it
 * goes. Order in the text means nothing, so a symbol is elaborated when it is first
 * needed; one that is needed while in progress is a cycle.
 *
 * elab.c    the entry of the front end: which workflows, in which order
 * scope.c   scopes, symbols, lookup with did-you-mean
 * types.c   assignability, conversions, messages about types
 * expr.c    expressions: names, members, what a definition needs
 * ops.c     expressions: literals, lists, maps, interpolation, operators
 * fn.c      functions: their arguments and results
 * ref.c     what is read of nodes: outputs, status, ports of regions
 * task.c    tasks: declarations, defaults
 * body.c    what a step does
 * stmt.c    steps, calls, if, for
 * gate.c    wait, approve, service, fail
 * loop.c    loops
 * sweep.c   sweeps and their search spaces; search.c how they search
 * call.c    calls, copies of workflows
 * job.c, dataflow.c  these bodies
 * workflow.c  workflows, params, on blocks, outputs
 * place.c   schedules, volumes, stores
 * order.c   after, cycles
 * attr.c    attributes: attr_table.h has a row for each; attr_check.c their values
 * alias.c   wrong spellings that people bring from elsewhere, each with its message
 * script.c  what a script reads: undeclared names, files that are not in `code`
 * code.c    files that travel with a step
 * path.c    paths of the project
 * import.c  files, imports, the project root
 */
#ifndef COULER_ELAB_H
#define COULER_ELAB_H

#include "couler/front.h"

struct elab;
struct scope;

/* A parsed file and its definitions. */
struct module {
	const char *path;                 /* as shown to the user */
	const char *dir;                  /* folder of the file, "." for the working directory; relative locations start here */
	struct ast_file *ast;
	struct strmap tasks, workflows;   /* name -> struct def */
	struct strmap imports;            /* alias -> struct module */
	const char **import_names;        /* for did-you-mean */
	uint32_t nimports;
	bool ok;                          /* parsed without errors */
};

struct def {                              /* a task or a workflow */
	struct module *module;
	const struct ast_stmt *ast;
	struct ir_task *task;             /* task: shape, once elaborated */
	struct ir_workflow *workflow;     /* workflow without overrides, once elaborated */
	enum { DEF_NEW, DEF_BUSY, DEF_DONE, DEF_BAD } state;
	struct task_def *parts;           /* task: what calls need beside the shape (scope.h) */
	struct wf_def *flow;              /* workflow: its calls and copies (scope.h) */
};

enum sym_kind { SYM_PARAM, SYM_LET, SYM_NODE, SYM_INPUT, SYM_OUTPUT, SYM_ENV, SYM_ITEM, SYM_INDEX, SYM_STATE, SYM_VOLUME };

struct sym {
	enum sym_kind kind;
	enum { SYM_NEW, SYM_BUSY, SYM_DONE, SYM_BAD } state;
	const struct str *name;
	struct span span;                 /* where it is defined */
	struct scope *scope;              /* that defines it */
	const struct ast_stmt *ast;
	struct type type;                 /* once done */
	struct node *node;                /* node; item, index, state: the region */
	uint32_t port;                    /* param, input, output, env, state, volume: its index */
	union {
		struct expr *value;       /* let: its expression */
		struct region *region;    /* node that holds bodies: these (scope.h) */
		struct sym *inner;        /* entry of a scope for what is defined in a body below it (scope.h) */
	} u;
	const struct record *record;      /* literal map of scalars: member types; NULL (types.c) */
};

struct elab {
	struct arena *arena;
	struct arena *trees;              /* of the syntax trees, which nobody needs once the module is made */
	struct strtab *strs;
	struct diag *diag;
	struct ir *ir;
	struct module *main;
	struct module **modules;
	uint32_t nmodules;
	const char *root;                 /* project root, absolute, symbolic links resolved */
	struct seen *seen;                /* what was asked of the file system; NULL: nobody wants to know */
	struct attr_state *attrs;         /* attr.c: keys by name, layers merged before; made at first use */
	struct code_state *code;          /* code.c: files read before, names in the folders of .cw files; made at first use */
	struct script *script;            /* script.c: what was found in the script before, whose room the next one uses */
	struct words *words;              /* names that elaboration compares with (scope.h) */
	unsigned depth;                   /* of expressions that need each other */
	uint32_t ops;                     /* operations made so far: what a let costs each user of it */
	struct subject { const char *kind; const struct str *name, *of; } subject;   /* what the text of_subject stands for (scope.h) */
	struct strmap plain_names;        /* of inputs and outputs: looked at before, not reserved */
	struct strmap workflow_names;     /* taken names of ir.workflows */
	VEC(struct { const struct module *module; const struct ast_stmt *ast; uint32_t store; }) stores;   /* store: index in ir.stores */
};

/* ---- expr.c, by the owner of names and types ---- */

/*
 * Elaborates x in scope s. want: the type the place needs (kind T_NONE: any); literals and paths adapt to it,
 * conversions are made explicit (EX_CONV), constants are folded. NULL after a diagnostic.
 * what: for messages, e.g. "input 'lr' of 'train'".
 */
struct expr *elab_expr(struct elab *e, struct scope *s, const struct ast_expr *x, struct type want, const char *what);
/* A compile-time constant of that type; NULL after a diagnostic. */
const struct value *elab_const(struct elab *e, struct scope *s, const struct ast_expr *x, struct type want, const char *what);
/* The symbol a name means in s, elaborated no further; NULL if there is none (no diagnostic). */
struct sym *scope_find(struct scope *s, const struct str *name);
/* Names visible in s, sorted, for did-you-mean; in e->arena. NULL when no more errors are kept. */
const char **scope_names(struct elab *e, struct scope *s, uint32_t *n);
struct module *scope_module(struct scope *s);

/* ---- attr.c, by the owner of attributes ---- */

/* Who takes a key: bits of attr_table.h rows. */
enum attr_owner {
	OWN_TASK = 1, OWN_STEP = 2, OWN_CALL = 4 /* of a task */, OWN_WFCALL = 8 /* of a workflow */, OWN_DEFAULTS = 16, OWN_SWEEP = 32, OWN_WAIT = 64,
	OWN_APPROVE = 128, OWN_SERVICE = 256, OWN_FAIL = 512, OWN_WORKFLOW = 1024, OWN_WORKERS = 2048, OWN_FOR = 4096, OWN_LOOP = 8192, OWN_DEFAULTS_OF_CALL = 16384,
	OWN_IF = 1 << 15, OWN_ON = 1 << 16, OWN_FILE = 1 << 17 /* top level */, OWN_STORE = 1 << 18, OWN_VOLUME = 1 << 19,
	OWN_JOB_PYTORCH = 1 << 20, OWN_JOB_TENSORFLOW = 1 << 21, OWN_JOB_MPI = 1 << 22, OWN_JOB_RAY = 1 << 23, OWN_JOB_KUBERNETES = 1 << 24,
	OWN_DATAFLOW = 1 << 25, OWN_OP = 1 << 26, OWN_TRAINER = 1 << 27
};
/* The owner of `job KIND { ... }`, 0 for an unknown kind. */
enum attr_owner job_owner(const struct str *kind);

/* Blocks whose attributes hold for a node, nearest first: the call's, the task's, then `defaults` from the inside out. */
struct attr_layer { const struct ast_block *block; struct scope *scope; enum attr_owner owner; };

/*
 * The attributes in effect, merged key by key. Values that do not fold keep their references. Layers that were merged
 * before (same blocks in the same scopes, no input read) give the same pointer; a layer whose block holds no attribute
 * counts as absent, so that all plain steps of a workflow share one. Never NULL; errors in the diagnostics.
 */
struct attrs *attrs_resolve(struct elab *e, const struct attr_layer *layers, uint32_t n);

/*
 * Checks every entry (AS_ENTRY) of a block once: known for this owner (else the alias's own message or did-you-mean),
 * not given twice (blocks named twice are an error at the second), right form. Keys that attrs_resolve does not use
 * (doc, run, command, after, search, max, ...) are rows too; the owner of the statement reads them with block_entry.
 */
void attrs_check_keys(struct elab *e, const struct ast_block *b, enum attr_owner owner);
/* The entry named key of a block, NULL if absent. */
const struct ast_stmt *block_entry(const struct ast_block *b, const char *key);
/* The nearest layer's entry named key (allow_failure, code, ...: what attrs does not hold); *which: its layer. NULL if absent. */
const struct ast_stmt *layers_entry(const struct attr_layer *layers, uint32_t n, const char *key, uint32_t *which);
/* The block of an entry `key { ... }`, NULL when its value is no block. */
const struct ast_block *entry_block(const struct ast_stmt *entry);

/* Values of one form; 0, or -1 after a diagnostic. Words may be bare or quoted. */
int entry_bool(struct elab *e, struct scope *s, const struct ast_stmt *entry, bool *out);
int entry_int(struct elab *e, struct scope *s, const struct ast_stmt *entry, int64_t lo, int64_t hi, int64_t *out);
int entry_duration(struct elab *e, struct scope *s, const struct ast_stmt *entry, double *sec);
int entry_size(struct elab *e, struct scope *s, const struct ast_stmt *entry, double *bytes);
int entry_string(struct elab *e, struct scope *s, const struct ast_stmt *entry, const struct str **out);
int entry_word(struct elab *e, struct scope *s, const struct ast_stmt *entry, const char *const *words, uint32_t n, uint32_t *out);

/* lock = "name" | pool("name", n), a list of them; labels and other maps of strings. Used for workflows, too. */
int attr_locks(struct elab *e, struct scope *s, const struct ast_expr *x, struct ir_lock **v, uint32_t *n);
int attr_pairs(struct elab *e, struct scope *s, const struct ast_expr *x, bool labels, struct ir_pair **v, uint32_t *n);
/* Cron of five numeric fields; 0, or -1 after a diagnostic at sp. */
int check_cron(struct elab *e, const struct str *cron, struct span sp);
int check_timezone(struct elab *e, const struct str *zone, struct span sp);

/* ---- alias.c ---- */

/* Reports a key that is a known wrong spelling (depends_on, retries, trigger ...); false if it is none. */
bool alias_report(struct diag *d, const struct str *word, struct span sp, enum attr_owner owner);   /* owner 0: anywhere */

/* x.name with a name from elsewhere (outputs, params, succeeded ...), x being what `of` says; false if it is none. */
enum alias_of { OF_NODE, OF_SWEEP, OF_BEST, OF_LOOP, OF_WORKFLOW };
bool alias_member(struct diag *d, const struct ast_expr *x, enum alias_of of);
/* A function from elsewhere (length, getenv ...); false if it is none. */
bool alias_function(struct diag *d, const struct str *name, struct span sp);
/* The place of n bytes at off in the text of a string literal: inside a verbatim block its exact place, else the literal's. */
struct span text_span(const struct diag *d, const struct ast_expr *x, size_t off, size_t n);

/* ---- script.c ---- */

/*
 * Checks a run script or command words of a step: `$name` of something around that is not an input (scope s is the one
 * around the step), `./file` or `dir/file` beside the .cw file that is not in code, `name=value` for an output (warning).
 * task has ins, outs, shell, script, argv, code set; block is the step's, task's body for positions.
 */
void script_check(struct elab *e, struct scope *s, const struct ir_task *task, const struct ast_expr *body, const struct attrs *attrs);
/* The two halves: names, and files; what a task's script may name is known only with the `code` of its calls. */
void script_check_names(struct elab *e, struct scope *s, const struct ir_task *task, const struct ast_expr *body, const struct attrs *attrs);
void script_check_files(struct elab *e, struct module *m, const struct ir_task *task, const struct ast_expr *body);

/* ---- code.c ---- */

/* code = [...]: reads the files under the module's folder, in byte order of path. 0 or -1 after diagnostics. */
int code_collect(struct elab *e, struct module *m, const struct ast_expr *list, struct ir_code **v, uint32_t *n);

/* ---- import.c ---- */

/* path_real, noted. */
const char *seen_real(struct elab *e, const char *path);
/* Reads and parses path and, recursively, what it imports; definitions registered. NULL after diagnostics, *status set as front() does. */
struct module *module_load(struct elab *e, const char *path, int *status);
struct module *module_load_text(struct elab *e, const char *path, const char *text, size_t len, int *status);

#endif
