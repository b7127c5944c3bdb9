/* The floor of a runner: posix_spawn and waitpid of the same commands, J at a time: spawn_floor N J PROGRAM [ARG...]; %ld in an argument is the number. */
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

extern char **environ;

int main(int argc, char **argv)
{
	long n, j, running = 0;
	int status, failed = 0;

	if (argc < 4) {
		fputs("usage: spawn_floor N J PROGRAM [ARG...]\n", stderr);
		return 2;
	}
	n = atol(argv[1]);
	j = atol(argv[2]);
	for (long k = 0; k < n || running; ) {
		if (k < n && running < j) {
			char text[4096], *args[64];
			size_t at = 0;
			int a;
			pid_t pid;

			for (a = 3; a < argc && a < 66; a++) {
				args[a - 3] = text + at;
				at += (size_t)snprintf(text + at, sizeof text - at, argv[a], k) + 1;
			}
			args[a - 3] = NULL;
			if (posix_spawnp(&pid, argv[3], NULL, NULL, args, environ)) {
				perror(argv[3]);
				return 1;
			}
			running++;
			k++;
			continue;
		}
		if (wait(&status) > 0) {
			running--;
			failed |= status != 0;
		}
	}
	if (getenv("SPAWN_RSS")) {                                         /* the largest process that it started, KiB */
		FILE *f = fopen(getenv("SPAWN_RSS"), "w");
		struct rusage ru;

		getrusage(RUSAGE_CHILDREN, &ru);
		if (!f || fprintf(f, "%ld\n", ru.ru_maxrss) < 0 || fclose(f))
			return 1;
	}
	return failed;
}
