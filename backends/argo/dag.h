/* DAG templates and their tasks. */
#ifndef ARGO_DAG_H
#define ARGO_DAG_H

#include "file.h"

struct task { const char *name; bool depended, soft; };                 /* soft: something runs whatever its result */

struct dep { const char *task; bool soft; };
struct deps { VEC(struct dep) v; struct strmap seen; struct argo *g; struct ctx *c; const struct node *for_; };

/* A DAG template while it is written: its tasks' text, then what stands around them. */
struct dag {
	struct argo *g;
	struct ctx *c;
	struct yaml tasks;
	struct strbuf text;
	VEC(struct task *) list;
	struct strmap by_name;
	uint32_t rung;                    /* sweep: being written */
	const char *guard;                /* bool expression that every task needs (a loop's condition); NULL */
	const char *first;                /* task that all others need (the check of parameters); NULL */
};

void ctx_write(struct argo *g, struct ctx *c);                          /* its template and those inside of it, once */
struct site dag_site(struct dag *d, const struct node *n);

/* ---- deps.c ---- */
void deps_expr(struct deps *d, const struct expr *e);
void deps_node(struct deps *d, const struct node *n);
void deps_inputs(struct deps *d, const struct ctx *inner);
void deps_add(struct deps *d, const char *task, bool soft);
void deps_write(struct dag *d, struct deps *v);

/* ---- task.c ---- */
void task_write(struct dag *d, const struct node *n);
struct task *task_begin(struct dag *d, const char *name, const char *template);        /* its entries follow, then task_end */
void task_end(struct dag *d);
/* when: the branches around it, and the guard */
void when_write(struct dag *d, struct site *x, const struct cond *cond);
void argument_value(struct yaml *y, const char *name, const char *value);    /* an item: name and value */
void arguments_of(struct dag *d, struct site *x, const struct ctx *inner, const struct node *n);       /* the inputs that inner captured */
void end_task(struct dag *d);                                           /* waits for all others, whatever their results */

/* ---- region.c ---- */
void for_write(struct dag *d, const struct node *n);
void for_outputs(struct argo *g, struct ctx *c, struct yaml *y);
void each_write(struct dag *d);
void loop_tasks(struct dag *d);
void loop_outputs(struct dag *d, struct yaml *y);
void loop_inputs(struct argo *g, struct ctx *c, struct yaml *y, bool artifacts);
void loop_arguments(struct dag *d, struct site *x, const struct node *n, bool artifacts);

/* ---- sweep.c ---- */
void sweep_tasks(struct dag *d);
void sweep_outputs(struct dag *d, struct yaml *y);
const char *trial_number(struct site *x, const struct node *n);
const char *trial_at(struct dag *d, const struct node *body);           /* where a trial keeps its files */

void loop_next(struct dag *d);

/* ---- dag.c ---- */
const char *place_comment(struct argo *g, struct span sp);
enum form leaving(struct type t);
void output_value(struct site *x, struct yaml *y, const char *name, const struct expr *e, enum form want);
void output_file_write(struct site *x, struct yaml *y, const char *name, const struct expr *e);
void node_arguments(struct dag *d, struct site *x, const struct node *n, bool item);

/* ---- gate.c ---- */
void pure_steps(struct argo *g, struct yaml *y);
const char *type_check(struct argo *g, struct type t, const char *v);  /* condition on the text v; NULL: any */
void gate_templates(struct argo *g);  /* what the documents need of them */
const char *wait_template(struct argo *g, const struct node *n);
const char *approve_template(struct argo *g, const struct node *n, struct site *x);
void pure_begin(struct yaml *y, const char *name);                      /* a template without a pod, whose outputs are expressions */
const char *try_template(struct argo *g, const struct node *n);         /* around the node's template: always succeeds, has status and exit-code */
void checked_template(struct argo *g, struct yaml *y, struct shape *s);  /* runs the command and checks what it leaves */
const char *template_of(struct argo *g, const struct node *n);

/* ---- child.c ---- */
const char *child_template(struct argo *g, const struct node *n);       /* runs the workflow that n calls as a Workflow of its own */
bool has_children(const struct argo *g);                                /* some workflow is one */
void child_raw(struct argo *g, struct strbuf *text, int depth);         /* what the `argo` block of the workflow means for these, merged into their spec */

/* ---- on.c ---- */
void on_mark(struct argo *g);
const struct expr *call_argument(struct argo *g, const struct node *n, uint32_t i);
void on_exports(struct dag *d);
void check_params(struct dag *d);

struct yaml template_yaml(struct argo *g, struct strbuf *b);            /* at the depth of templates */
struct strbuf *template_slot(struct argo *g, const char *name);         /* a further template */
void template_head(struct argo *g, struct yaml *y, const char *name, struct span sp, const char *what, const struct str *doc);

#endif
