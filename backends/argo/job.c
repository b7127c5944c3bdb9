/* Jobs: Kubernetes objects that a controller of the cluster runs. */
#include "shape.h"

void job_write(struct argo *g, struct yaml *y, struct shape *s, struct site *x)
{
	(void)y;
	(void)x;
	diag_at(g->d, CW0801, s->first->span, "argo cannot carry this job yet");
	g->err = -1;
}
