/* What a local run cannot carry, as rows like those of any backend. */
#include "couler/run.h"


const struct cap run_caps[] = {
	{ FEAT_ARGO_BODY, "an argo body means something to Argo alone", "give the step a `run` or a `command`", NULL },
	{ FEAT_JOB_KUBERNETES, "there is no cluster in a local run", "compile for argo", NULL },
	{ FEAT_JOB_RAY, "a local run has no Ray cluster", "use `job pytorch`, or compile for argo", NULL },
	{ FEAT_ARGS, "`args` go to an image's own entrypoint", "run with --container=podman (or docker, apptainer)", NULL },
	{ FEAT_MOUNTS, "mounts need a container", "run with --container=podman (or docker, apptainer)", NULL },
	{ -1, NULL, NULL, NULL },
};
