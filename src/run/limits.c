/* What a step asks for: time, resources, retries. */
#include "rt.h"

/* A number from an attribute: seconds, bytes or plain; dflt where it is not given. */
static int number(struct rt *rt, struct step *s, const struct expr *e, double dflt, double *out, struct evalerr *err)
{
	struct value v;

	*out = dflt;
	if (!e)
		return 0;
	if (step_eval_in(rt, s, e, false, &v, err))
		return -1;
	if (v.type.kind != T_NULL)
		*out = rt_seconds(&v);
	return 0;
}

int step_limits(struct rt *rt, struct step *s, struct evalerr *err)
{
	const struct attrs *a = s->attrs;
	uint32_t ranks;
	double gpu;

	if (number(rt, s, a->timeout, 0, &s->timeout, err) || number(rt, s, a->cpu, 1, &s->cpu, err) || number(rt, s, a->memory, 0, &s->memory, err) ||
			number(rt, s, a->gpu, 0, &gpu, err))
		return -1;
	ranks = ranks_of(rt, s);
	if (!ranks)
		return -1;
	s->cpu *= ranks;                                                   /* resources are per worker */
	s->memory *= ranks;
	s->gpu = (int)gpu * (int)ranks;
	if (s->cpu > rt->sched.cpu_total && a->cpu && s->cpu > rt->sched.cpus)
		view_note(rt, "%s asks for %g cpus, this machine has %u: it runs alone", s->inst->node->name->s, s->cpu, rt->sched.cpus);
	if (s->memory > rt->sched.memory_total)
		view_note(rt, "%s asks for %.1f GiB of memory, this machine has %.1f: it runs alone", s->inst->node->name->s, s->memory / 1073741824, rt->sched.memory_total / 1073741824);
	if (s->gpu > rt->sched.gpu_total)
		view_note(rt, "%s asks for %d gpus, this machine has %d: it runs alone", s->inst->node->name->s, s->gpu, rt->sched.gpu_total);
	return 0;
}

double backoff_delay(const struct retry *r, uint32_t attempts, double random)
{
	double delay = r->backoff;

	for (uint32_t k = 1; k < attempts && delay > 0 && delay < r->max_backoff; k++)
		delay *= r->factor;
	if (delay > r->max_backoff)
		delay = r->max_backoff;
	return delay * (0.9 + 0.2 * random);                                /* jitter: steps that failed together do not return together */
}

int step_retry(struct rt *rt, struct step *s, struct retry *r, struct evalerr *err)
{
	const struct ir_retry *a = &s->attrs->retry;
	double limit;

	if (number(rt, s, a->limit, 0, &limit, err) || number(rt, s, a->backoff, 0, &r->backoff, err) || number(rt, s, a->factor, 2, &r->factor, err) ||
			number(rt, s, a->max_backoff, 600, &r->max_backoff, err) || number(rt, s, a->within, -1, &r->within, err))
		return -1;
	r->limit = (int64_t)limit;
	return 0;
}
