/*
 * Steps of one shape share a template: the same task and attributes, whatever their inputs. An input that is the same
 * constant, or the same parameter of the workflow, in all of them stands in the template itself.
 */
#ifndef ARGO_SHAPE_H
#define ARGO_SHAPE_H

#include "xl.h"

enum in_how {
	IN_HERE,                          /* e stands in the template */
	IN_PARAM,                         /* an input parameter */
	IN_FILE,                          /* an input artifact, or a location */
	IN_FILES                          /* a list that is written out: one artifact an element */
};

struct shape_in { enum in_how how; enum form form; const struct expr *e; const char *name; uint32_t n; };

/* A value that attributes or arguments read and that is no input of the task. */
struct shape_extra {
	const struct expr *ref;
	const char *name;
	bool whole;                       /* ref is over the step's inputs; it may fail, which must happen before the template */
	bool word;                        /* the same, and fails where it holds two opening braces */
};

/* What a container is: the step; the files alone that a job reads; a worker of a job. */
enum part { PART_STEP, PART_FILES, PART_WORKER };

struct shape {
	const struct ir_task *task;       /* NULL: a service that is only an image */
	const struct attrs *attrs;
	const struct node *first;
	uint32_t hash, users;
	bool keyed, counted;              /* files have keys of their own; lists of files say how long they are */
	bool many;                        /* a user of it runs many times: in a `for`, a loop, a sweep, or a call there */
	const char *name, *try_;          /* templates: the step; the one around it that always succeeds (NULL: not used) */
	const char *inner;                /* the container, where `name` only checks what it leaves; NULL */
	struct shape_in *ins;
	VEC(struct shape_extra) extra;
	struct strmap names;              /* of its inputs */
	bool at;                          /* has the hidden input `at` */
	enum part part;                   /* being written */
	const char *shared;               /* job: folder on a volume that its workers share, with a tag; NULL */
	uint8_t *on;                      /* per output: an `on` block reads it from here (globalName) */
};

void argo_shapes(struct argo *g);          /* groups the nodes of all contexts */
void shape_write(struct argo *g, struct shape *s);                     /* its templates */
bool attrs_same(const struct attrs *a, const struct attrs *b);
bool expr_same(const struct expr *a, const struct expr *b);
uint32_t hash_bytes(uint32_t h, const void *p, size_t n);
const struct ir_task *task_of(const struct node *n);                   /* NULL: none, or only an image */
bool has_pod(const struct node *n);
const struct str *pinned(const struct expr *e);

bool shape_checked(const struct shape *s); /* a command leaves values: nobody in the container checks and encodes them */

/* ---- step.c: parts of the template of a step ---- */
void step_template(struct argo *g, struct yaml *y, struct shape *s, const struct str *doc, const char *what);
/* wrapper: the step runs in it, values may come encoded; encoded: its script, too */
void step_environment(struct argo *g, struct yaml *y, struct shape *s, struct site *x, bool wrapper, bool encoded);
void step_values(struct argo *g, struct yaml *y, struct shape *s);
void step_artifacts(struct argo *g, struct yaml *y, struct shape *s, bool code);
void step_outputs(struct argo *g, struct yaml *y, struct shape *s, struct site *x);
void env_value(struct yaml *y, const char *name, const char *value);
bool is_artifact(const struct shape_in *in);
void step_volumes(struct argo *g, struct yaml *y, struct shape *s, struct site *x);
void step_mounts(struct argo *g, struct yaml *y, struct shape *s, struct site *x);
/* ---- attr.c ---- */
void attr_template(struct argo *g, struct yaml *y, struct site *x, const struct attrs *a);             /* entries of a template */
void attr_container(struct argo *g, struct yaml *y, struct site *x, const struct attrs *a);            /* entries of a container */
bool attr_volumes(struct argo *g, struct yaml *y, struct site *x, const struct attrs *a);              /* items of `volumes` */
void attr_mounts(struct argo *g, struct yaml *y, struct site *x, const struct attrs *a);               /* items of `volumeMounts` */
void attr_metadata(struct yaml *y, struct site *x, const struct attrs *a);
void attr_pod(struct yaml *y, struct site *x, const struct attrs *a);                                  /* placement: entries of a pod, or of a template */
void attr_deadline(struct yaml *y, struct site *x, const struct attrs *a);
void attr_retry(struct argo *g, struct yaml *y, struct site *x, const struct attrs *a);
bool has_retries(const struct attrs *a);
void pools_write(struct argo *g, struct strbuf *out);                  /* ConfigMaps */
const char *plain_of(struct site *x, const struct expr *e);            /* not encoded */
/* e, which reads the inputs of the template, computed by who calls it: an error in a template is passed on as text */
struct ex hoisted(struct site *x, const struct expr *e, bool word);
bool may_fail(const char *s);                                          /* the expression s raises an error */
/* what the task of node n passes for it */
const char *hoisted_value(struct site *x, const struct node *n, const struct shape_extra *v);
void attr_synchronization(struct argo *g, struct yaml *y, struct site *x, const struct ir_lock *v, uint32_t n);
/* ---- body.c ---- */
const char *command_word(struct site *x, const struct expr *e);          /* for a container without the wrapper: as Kubernetes wants it */
void body_write(struct argo *g, struct yaml *y, struct shape *s, struct site *x);
/* How a shell runs a script file: at most 5 words, without the file. */
uint32_t shell_words(const struct str *shell, const char **v);
/* ---- memo.c ---- */
bool graph_repeated(const struct graph *gr);                           /* what is in it runs many times for one activation of the workflow */
void memo_write(struct argo *g, struct yaml *y, struct shape *s, struct site *x);       /* `memoize`; y holds what the template has said */
/* ---- job.c ---- */
bool is_job(const struct ir_task *t);                                  /* processes that an operator of the cluster starts */
bool is_object(const struct ir_task *t);                               /* job kubernetes */
void job_check(struct argo *g, const struct node *n);                  /* what of n a job cannot have */
void job_template(struct argo *g, struct yaml *y, struct shape *s, const struct str *doc, const char *what);
const char *job_file(struct argo *g, const struct shape *s, uint32_t in);              /* where a worker finds input `in`, with a tag */
struct ex job_path(struct site *x, const char *path);                  /* the same as an expression */
/* A row of caps: it has to hand files or values over, and its workers share no volume. */
bool job_unshared(const struct ir *m, const struct ir_workflow *w, const struct node *n, const struct optset *o);
bool job_code_shared(const struct shape *s);                           /* code comes over the shared volume */
/* ---- jobpod.c: the objects that the operators take ---- */
void job_manifest(struct argo *g, struct yaml *y, struct shape *s, struct site *x);
void job_conditions(struct yaml *y, struct site *x, const struct ir_job *j);
void job_environment(struct argo *g, struct yaml *y, const struct shape *s, struct site *x);
/* ---- flow.c: a dataflow whose workers are a Job ---- */
bool flow_apart(const struct shape *s);
void flow_environment(struct argo *g, struct yaml *y, const struct shape *s);          /* items of `env` */
void flow_containers(struct argo *g, struct yaml *y, const struct shape *s);           /* entry of the template */
void flow_artifact(struct argo *g, struct yaml *y, struct shape *s);                   /* item of `artifacts`: the Job's manifest */
/* ---- manifest.c ---- */
struct yaml manifest_yaml(struct argo *g, struct strbuf *b);           /* text of a resource template: values in it are YAML whatever they hold */
extern const struct owner_entry { const char *key, *value; bool plain; } owner_entries[];   /* ends at NULL */
void owner_reference(struct yaml *y);                                  /* in `metadata`: the object goes with the run */
const char *number_tag(struct site *x, const struct expr *e, int64_t add);            /* an int in a manifest: digits, or a tag; at least 0 */
/* ---- object.c ---- */
void object_write(struct argo *g, struct yaml *y, struct shape *s, struct site *x);

#endif
