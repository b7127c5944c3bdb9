/* Between the runner and its supervisor: frames over a stream socket. */
#ifndef COULER_SUPERVISOR_H
#define COULER_SUPERVISOR_H

#include <stdint.h>

enum sup_op { SUP_START, SUP_SIGNAL };
enum sup_stage { SUP_OK, SUP_FORK, SUP_CHDIR, SUP_IN, SUP_LOG, SUP_OUT, SUP_EXEC };

/* Followed by NUL-terminated strings: path, cwd, log, out, in, container (empty: none), argv, envp. */
struct sup_request {
	uint32_t len;                     /* of all of it */
	uint32_t op, id;                  /* SUP_SIGNAL: id and sig only */
	int32_t sig;
	uint32_t argc, envc, tag;         /* tag: index in envp of what marks its descendants */
	int32_t extra[2];                 /* descriptors that stay open, -1: none */
};

struct sup_reply {
	uint32_t id;
	int32_t status, err, stage;
	uint32_t strays;
	uint32_t pad;
	double cpu_user, cpu_sys;
	uint64_t max_rss;
};

/*
 * Runs in its own process until the socket closes, then ends every process that is left and exits.
 * name: where the command line lies in memory, for a name of its own in ps.
 */
_Noreturn void supervisor(int sock, char *name, unsigned long name_size);

#endif
