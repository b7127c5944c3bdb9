/*
 * The way of the data in one place: a file in, a checked and optimized module, the bytes of an engine.
 * Used by the subcommands that compile (driver.c).
 */
#ifndef COULER_DRIVER_H
#define COULER_DRIVER_H

#include "couler/backend.h"
#include "couler/front.h"
#include "couler/pass.h"

struct job {
	struct arena *arena;
	struct strtab *strs;
	struct diag *diag;
	struct optset *opts;
	const char *path;                 /* .cw, .json (IR), "-" */
	const char *workflow, *passes;    /* NULL: the rule, the default */
	int level;
	bool entry_optional, remarks;
	struct seen *seen;                /* notes what was asked of the file system; NULL */
	bool local;                       /* level 0 is that of a local run */
	const char *dump;                 /* "tokens,ast,ir,PASS"; to standard error; NULL */
	enum diag_format format;
	int color;                        /* -1: as the terminal says */
	const char *cache;                /* folder of results with figures of earlier runs; NULL: the project's */
	VEC(const char *) params;         /* "name=value" */
	VEC(const char *) param_files;    /* JSON or YAML: name: value */
	VEC(const char *) sets;           /* "owner.option=value" */
	struct outfiles more;             /* of a backend outside of the tree: files beside the document */
};

struct job *job_new(void);
/* What a command about one FILE begins with: its options, by set; then j->path. 0, or what to end with, after a message. */
int job_args(struct job *j, const char *command, int argc, char **argv, int (*set)(const char *name, const char *value, void *data), void *data);
/* The engine of that name, in the tree or a program couler-backend-NAME of PATH; NULL with *rc after a message. */
const struct backend *job_target(struct job *j, const char *name, int *rc);
void job_free(struct job *j);

/* Options that every compiling command takes: rows for its table, and the callback for cli_parse (1: not one of them). */
#define JOB_OPTS \
	{ 'p', "param", "NAME=VALUE", "set a parameter; JSON text for json and lists", NULL }, \
	{ 0, "param-file", "FILE", "set parameters from a JSON or YAML file", "file" }, \
	{ 0, "workflow", "NAME", "the workflow to take, where a file has several", NULL }, \
	{ 0, "set", "OWNER.OPTION=VALUE", "an option of a backend or a pass", NULL }, \
	{ 0, "passes", "LIST", "run these passes; -NAME takes one out of the default", NULL }, \
	{ 0, "split", "acyclic|dfs|off", "how a workflow that is too large for the engine is split", "acyclic|dfs|off" }, \
	{ 0, "split-bytes", "SIZE", "a document has at most this many bytes (default: what the engine takes)", NULL }, \
	{ 0, "split-steps", "N", "a graph has at most this many steps", NULL }, \
	{ 0, "split-pods", "N", "a run has at most this many pods; more become runs of their own", NULL }, \
	{ 'O', "optimize", "0|1", "0: only the passes that an engine cannot live without", "0|1" }, \
	{ 0, "dump", "LIST", "show stages: tokens, ast, ir, or the name of a pass", NULL }, \
	{ 0, "remarks", NULL, "say what each pass did and why", NULL }, \
	{ 0, "color", "auto|always|never", "color in messages", "auto|always|never" }
#define JOB_FORMAT { 0, "format", "text|json|sarif", "format of diagnostics", "text|json|sarif" }
/* Where what is compiled takes couler from; `compile` and `submit` have a row and this for it. */
#define JOB_RUNNER { 0, "runner-image", "IMAGE", "image that holds couler: data workers run as pods of their own (--set argo.dataflow=job)", NULL }
void job_runner_image(struct job *j, const char *image);
int job_set(struct job *j, const char *name, const char *value);       /* 0; 1: no such option; 2 after a message */

/*
 * Reads, parses, elaborates (or reads IR JSON), sets parameters and runs the passes for the target.
 * backend NULL: no engine. The module, or NULL with *rc the exit code; diagnostics are in j->diag.
 */
struct ir *job_module(struct job *j, const struct backend *b, int *rc);
/* Capability check, validation and emission; exit code. Files beside the document are in j->more. */
int job_emit(struct job *j, const struct backend *b, const struct ir *m, struct strbuf *out);
/* 0 if writing to path (NULL, "-": none) leaves the files that were read as they are; 2 after a message. */
int job_spares_sources(const struct job *j, const char *path);
/* Prints the diagnostics and gives the exit code to end with. */
int job_end(struct job *j, int rc);

#endif
