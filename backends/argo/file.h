/*
 * Files: how one gets from the step that makes it to the one that reads it.
 *
 * A step's file goes to where the engine's artifact repository puts it. What is gathered from a `for` or picked from
 * a sweep has a key of its own, OUT/STEP/RUN/000003, so that all elements lie under one prefix:
 * RUN is the workflow's uid and the indices of what is around.
 */
#ifndef ARGO_FILE_H
#define ARGO_FILE_H

#include "shape.h"

enum art_kind {
	ART_FROM,                         /* s: {{tasks.a.outputs.artifacts.b}} */
	ART_EXPR,                         /* s: expr-lang for fromExpression */
	ART_KEY,                          /* s: a key of the artifact repository */
	ART_PLACE,                        /* place: a location as text */
	ART_NONE                          /* after an error, which is reported */
};
struct art {
	enum art_kind kind;
	const char *s, *sub;              /* sub: path below it; NULL */
	const struct expr *place;
	bool optional;                    /* may be absent */
};

struct art art_of(struct site *x, const struct expr *e);
/* Entries from, fromExpression or a location. */
void art_write(struct site *x, struct yaml *y, const struct art *a);
bool no_files(const struct expr *e);                                   /* a list of files with nothing in it: the input is optional, and the step sees an empty folder */
void list_param(struct argo *g, const struct ir_param *p);             /* refuses a list of files as a parameter of its own */
/* {{inputs.artifacts.NAME}} of a context: the file is passed in from the context around it. */
const char *capture_file(struct site *x, const struct expr *ref);
/* A location (s3, gcs, http, git) from text; false after an error. dir: a folder. */
void place_object(struct argo *g, struct yaml *y, const char *uri);      /* s3:// or gs:// with a key */
/* In the bucket of the s3:// or gs:// location e what the artifact that the expression `place` gives has as its key; false: no bucket is known. */
bool place_keyed(struct argo *g, struct yaml *y, const struct expr *e, const char *place);
bool place_write(struct site *x, struct yaml *y, const struct expr *e, struct span sp);
const char *art_input(struct site *x, const struct art *a, const char *name);
const char *place_inside(const struct expr *e);
/* on.c */
struct art on_file(struct site *x, const struct expr *ref);
/* key-only location */
void key_write(struct argo *g, struct yaml *y, const char *key);
/* A store as the place of a template's outputs. */
const struct ir_store *store_called(const struct ir *m, const struct str *name);        /* NULL */
const char *store_kind(const struct ir_store *s);
void store_write(struct argo *g, struct yaml *y, const struct ir_store *s, const char *key);
const char *node_key(struct argo *g, const struct node *n);
/* Marks the steps that make a file which is gathered; 0, or -1 after an error. */
void argo_keys(struct argo *g);
/* OUT/STEP/RUN of a gathered or picked file: the prefix below which the elements lie; at: of the context that gathers. */
const char *gather_prefix(struct argo *g, const struct expr *value, const char *at);

#endif
