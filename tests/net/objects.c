/* Objects of a place from the command line, for tests: objects [-e ENDPOINT] [-r REGION] URI head|get|put KEY [FILE [SHA256]] */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "couler/objects.h"

static const char *const names[] = { "ok", "absent", "refused", "unreachable", "stopped", "bad" };

static enum objects_rc do_it(struct objects *o, const char *what, const char *key, const char *file, const char *sha, char **err)
{
	struct stat st;
	uint64_t size;
	enum objects_rc rc;

	if (!strcmp(what, "head")) {
		rc = objects_head(o, key, &size, err);
		if (!rc)
			printf("%llu\n", (unsigned long long)size);
		return rc;
	}
	if (!strcmp(what, "put")) {
		struct object_body b = { .fd = open(file, O_RDONLY), .sha256 = sha };

		if (b.fd < 0 || fstat(b.fd, &st))
			exit(2);
		b.size = (uint64_t)st.st_size;
		rc = objects_put(o, key, &b, err);
		close(b.fd);
		return rc;
	}
	if (strcmp(file, "-") != 0) {
		int fd = open(file, O_RDWR | O_CREAT, 0666);

		rc = objects_get_file(o, key, UINT64_C(1) << 40, fd, sha, err);
		close(fd);
	} else {
		struct strbuf b = { 0 };

		rc = objects_get(o, key, 1000, &b, err);
		fwrite(b.s ? b.s : "", 1, b.n, stdout);
		sb_free(&b);
	}
	return rc;
}

static int said_at(uint64_t done, void *ctx)
{
	unsigned long long *last = ctx;
	const char *stop = getenv("STOP_AT");

	*last = done > *last ? done : *last;
	return stop && done >= strtoull(stop, NULL, 10);
}

int main(int argc, char **argv)
{
	struct objects_at at = { 0 };
	struct objects *o;
	unsigned long long last = 0;
	char *err = NULL;
	enum objects_rc rc;
	int c;

	while ((c = getopt(argc, argv, "e:r:")) != -1)
		*(c == 'e' ? &at.endpoint : &at.region) = optarg;
	if (argc - optind < 3)
		return 2;
	argv += optind;
	at.uri = argv[0];
	o = objects_open(&at, &err);
	if (!o) {
		fprintf(stderr, "open: %s\n", err);
		free(err);
		return 1;
	}
	objects_patience(o, 3, 5);
	objects_tick(o, said_at, &last);
	rc = do_it(o, argv[1], argv[2], argv[3] ? argv[3] : "-", argv[3] ? argv[4] : NULL, &err);
	fprintf(stderr, "%s%s%s\n", names[rc], err ? ": " : "", err ? err : "");
	free(err);
	objects_close(o);
	return rc != OBJECTS_OK;
}
