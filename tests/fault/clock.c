/* LD_PRELOAD: the wall clock of the process runs CLOCK_OFFSET seconds off, and jumps by CLOCK_JUMP more at every reading. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

static long long offset(void)
{
	static long long jumped;
	const char *off = getenv("CLOCK_OFFSET"), *jump = getenv("CLOCK_JUMP");

	jumped += jump ? atoll(jump) : 0;
	return (off ? atoll(off) : 0) + jumped;
}

int clock_gettime(clockid_t id, struct timespec *t)
{
	int (*real)(clockid_t, struct timespec *) = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
	int rc = real(id, t);

	if (!rc && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
		t->tv_sec += offset();
	return rc;
}

int gettimeofday(struct timeval *restrict t, void *restrict zone)
{
	struct timespec s;

	(void)zone;
	if (clock_gettime(CLOCK_REALTIME, &s))
		return -1;
	t->tv_sec = s.tv_sec;
	t->tv_usec = s.tv_nsec / 1000;
	return 0;
}

time_t time(time_t *out)
{
	struct timespec s;

	if (clock_gettime(CLOCK_REALTIME, &s))
		return -1;
	if (out)
		*out = s.tv_sec;
	return s.tv_sec;
}
