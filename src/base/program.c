/* Runs a program: one text in, one text out, within a time. */
#include "couler/program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ANSWER_MAX (512u << 20)           /* bytes: more is a program gone wild */

extern char **environ;

static bool executable(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISREG(st.st_mode) && !access(path, X_OK);
}

const char *program_path(struct arena *a, const char *file)
{
	const char *p = getenv("PATH");

	for (; p && *p; p += strcspn(p, ":"), p += *p == ':') {
		struct strbuf b = { 0 };
		const char *found;

		sb_add(&b, p, strcspn(p, ":"));
		sb_f(&b, "/%s", file);
		found = executable(sb_cstr(&b)) ? arena_dup(a, b.s, b.n) : NULL;
		sb_free(&b);
		if (found)
			return found;
	}
	return NULL;
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Both ends at once, so that neither side waits for the other. 0, or -1 with why. */
static int exchange(int to, int from, const char *in, size_t n, int seconds, struct strbuf *out, struct strbuf *why)
{
	int64_t end = now_ms() + (int64_t)seconds * 1000;

	for (;;) {
		struct pollfd fds[2] = { { from, POLLIN, 0 }, { n ? to : -1, POLLOUT, 0 } };
		int64_t left = end - now_ms();
		ssize_t k;

		if (left <= 0)
			return sb_f(why, "gave no answer within %d s", seconds), -1;
		if (poll(fds, 2, (int)left) < 0 && errno != EINTR)
			return sb_f(why, "cannot be waited for: %s", strerror(errno)), -1;
		if (fds[1].revents) {
			k = send(to, in, n, MSG_NOSIGNAL | MSG_DONTWAIT);
			if (k > 0)
				in += k, n -= (size_t)k;
			else if (k < 0 && errno != EAGAIN && errno != EINTR)
				n = 0;          /* it reads no more: its answer says why */
			if (!n)
				shutdown(to, SHUT_WR);
		}
		if (!fds[0].revents)
			continue;
		sb_reserve(out, 1 << 16);
		k = read(from, out->s + out->n, 1 << 16);
		if (k < 0 && errno != EINTR)
			return sb_f(why, "cannot be read: %s", strerror(errno)), -1;
		if (!k)
			return 0;
		out->n += k > 0 ? (size_t)k : 0;
		if (out->n > ANSWER_MAX)
			return sb_f(why, "answers with over %u MiB", ANSWER_MAX >> 20), -1;
	}
}

static int spawn(const char *const argv[], int in, int out, pid_t *pid)
{
	posix_spawn_file_actions_t fa;
	int rc = posix_spawn_file_actions_init(&fa);

	if (rc)
		return rc;
	posix_spawn_file_actions_adddup2(&fa, in, 0);
	posix_spawn_file_actions_adddup2(&fa, out, 1);
	rc = posix_spawn(pid, argv[0], &fa, NULL, (char *const *)argv, environ);
	posix_spawn_file_actions_destroy(&fa);
	return rc;
}

/* How it ended, once it has; what closed its output but goes on is given the rest of its time. */
static int reap(pid_t pid, bool kill_it, int64_t end, struct strbuf *why)
{
	int status = 0;
	pid_t got;

	if (kill_it)
		kill(pid, SIGKILL);
	while ((got = waitpid(pid, &status, kill_it ? 0 : WNOHANG)) <= 0) {
		if (got < 0 && errno != EINTR)
			return sb_f(why, "cannot be waited for: %s", strerror(errno)), -1;
		if (!kill_it && now_ms() > end) {
			kill(pid, SIGKILL);
			sb_z(why, "did not end after its answer");
			kill_it = true;
		} else if (!kill_it) {
			nanosleep(&(struct timespec){ 0, 1000000 }, NULL);
		}
	}
	if (why->n)
		return -1;
	if (WIFSIGNALED(status))
		return sb_f(why, "was ended by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status))), -1;
	if (WEXITSTATUS(status))
		return sb_f(why, "ended with exit code %d; what it said stands above", WEXITSTATUS(status)), -1;
	return 0;
}

int program_run(const char *const argv[], const char *in, size_t n, int seconds, struct strbuf *out, struct strbuf *why)
{
	int to[2], from[2], rc;
	int64_t end;
	pid_t pid;

	end = now_ms() + (int64_t)seconds * 1000;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, to))     /* no pipe: a write to a program that has ended is no signal */
		return sb_f(why, "cannot be started: %s", strerror(errno)), -1;
	if (pipe2(from, O_CLOEXEC)) {
		sb_f(why, "cannot be started: %s", strerror(errno));
		close(to[0]);
		close(to[1]);
		return -1;
	}
	rc = spawn(argv, to[1], from[1], &pid);
	close(to[1]);
	close(from[1]);
	if (rc) {
		sb_f(why, "cannot be started: %s", strerror(rc));
		rc = -1;
	} else {
		if (!n)
			shutdown(to[0], SHUT_WR);
		rc = exchange(to[0], from[0], in, n, seconds, out, why);
		rc = reap(pid, rc != 0, end, why);
	}
	close(to[0]);
	close(from[0]);
	return rc;
}
