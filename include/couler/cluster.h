/*
 * A cluster that runs Argo Workflows, reached over the Argo Server's API or by kubectl (src/net/cluster.c, documents.c).
 * Objects are what the engine takes: kinds Workflow, WorkflowTemplate and CronWorkflow.
 */
#ifndef COULER_CLUSTER_H
#define COULER_CLUSTER_H

#include <jansson.h>

#include "couler/str.h"

struct cluster {
	const char *server;               /* "https://host:2746[/base]"; NULL: by kubectl */
	const char *token;                /* what stands behind "Authorization:"; NULL: none. Never shown */
	const char *namespace;            /* NULL by kubectl: that of its context */
	const char *kubectl, *context;    /* path; of kubectl's configuration, NULL: the current one */
	bool any_certificate;             /* of the server, or of what kubectl reaches: not checked */
	bool plain_http;                  /* the server was given as http:// by the user */
};

/* The documents of a YAML stream as JSON; NULL with *why (malloc). Plain scalars as YAML 1.2's core schema. */
json_t *yaml_documents(const char *s, size_t n, char **why);

enum cluster_rc { CLUSTER_OK, CLUSTER_ABSENT, CLUSTER_FAULT };

/*
 * Creates what has a generateName or is a Workflow; any other object takes the place of its namesake. dry: the cluster
 * looks at it and keeps nothing. *made: the object as the cluster has it. CLUSTER_FAULT with *why (malloc).
 */
enum cluster_rc cluster_put(const struct cluster *c, const json_t *object, bool dry, json_t **made, char **why);
enum cluster_rc cluster_get(const struct cluster *c, const char *kind, const char *name, json_t **object, char **why);

#endif
