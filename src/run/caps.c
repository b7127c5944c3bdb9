/* What a local run cannot carry, as rows like those of any backend. */
#include "couler/run.h"

static bool image_only(const struct ir *m, const struct ir_workflow *w, const struct node *n, const struct optset *o)
{
	(void)m;
	(void)w;
	(void)o;
	return n && n->kind == N_SERVICE && !n->u.service.task;
}

static bool no_image(const struct ir *m, const struct ir_workflow *w, const struct node *n, const struct optset *o)
{
	(void)m;
	(void)w;
	(void)o;
	return !n || !n->attrs || !n->attrs->image;
}

const struct cap run_caps[] = {
	{ FEAT_ARGO_BODY, "an argo body means something to Argo alone", "give the step a `run` or a `command`", NULL },
	{ FEAT_JOB_KUBERNETES, "there is no cluster in a local run", "compile it with -t argo", NULL },
	{ FEAT_JOB_RAY, "a local run has no Ray cluster", "use `job pytorch`, or compile it with -t argo", NULL },
	{ FEAT_ARGS, "`args` go to an image's own entrypoint", "run with --container=podman (or docker, apptainer)", NULL },
	{ FEAT_SERVICE, "without a program it is its image's own entrypoint", "give it a `run` or a `command`, or run with --container=podman (or docker, apptainer)", image_only },
	{ FEAT_MOUNTS, "mounts need a container", "run with --container=podman (or docker, apptainer)", NULL },
	{ -1, NULL, NULL, NULL },
};

const struct cap run_container_caps[] = {
	{ FEAT_ARGO_BODY, "an argo body means something to Argo alone", "give the step a `run` or a `command`", NULL },
	{ FEAT_JOB_KUBERNETES, "there is no cluster in a local run", "compile for argo", NULL },
	{ FEAT_JOB_RAY, "a local run has no Ray cluster", "use `job pytorch`, or compile for argo", NULL },
	{ FEAT_ARGS, "`args` go to an image's own entrypoint, and it has no image", "add image = \"...\"", no_image },
	{ FEAT_MOUNTS, "mounts need a container, and it has no image", "add image = \"...\"", no_image },
	{ -1, NULL, NULL, NULL },
};
