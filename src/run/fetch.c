/* Locations that are reached over the network. */
#include "rt.h"

const char *fetched(struct rt *rt, struct step *s, const struct str *loc, uint32_t in)
{
	(void)rt;
	step_why(s, "input '%s': %s cannot be reached from a local run", s->task->ins[in].name->s, loc->s);
	return NULL;
}
