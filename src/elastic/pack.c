/*
 * couler in a folder, for containers whose image does not hold it: the program, the libraries that it has loaded, the loader
 * that loads them, and a script that starts one with the others. The libraries of the image play no part, whatever its libc.
 */
#include "couler/elastic.h"
#include "couler/net.h"
#include "couler/vec.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct packing { struct arena *a; const char *dir, *failed; VEC(const char *) files; };

static const char *at(struct packing *p, const char *folder, const char *path)
{
	const char *name = strrchr(path, '/');
	struct strbuf b = { 0 };
	const char *s;

	sb_f(&b, "%s%s%s", p->dir, folder, name ? name : path);
	s = arena_dup(p->a, b.s, b.n);
	sb_free(&b);
	return s;
}

static int copy(struct packing *p, const char *from, const char *to)
{
	int in = open(from, O_RDONLY | O_CLOEXEC), out = in < 0 ? -1 : open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	char buf[65536];
	ssize_t n = -1, k = 0;

	p->failed = in < 0 ? from : to;
	while (out >= 0 && (n = read(in, buf, sizeof buf)) > 0)
		for (ssize_t done = 0; done < n; done += k > 0 ? k : 0) {
			k = write(out, buf + done, (size_t)(n - done));
			if (k < 0 && errno != EINTR) {
				close(in);
				close(out);
				return -1;
			}
		}
	if (in >= 0)
		close(in);
	if (out < 0 || n < 0) {
		if (out >= 0)
			close(out);
		return -1;
	}
	if (fchmod(out, 0755)) {
		close(out);
		return -1;
	}
	return close(out);
}

/* Libraries of this process and the loader, under the names by which they are looked for. */
static int note(struct dl_phdr_info *info, size_t size, void *data)
{
	struct packing *p = data;

	(void)size;
	if (info->dlpi_name && *info->dlpi_name == '/')
		vec_push(p->a, &p->files, arena_dup(p->a, info->dlpi_name, strlen(info->dlpi_name)));
	return 0;
}

static bool is_loader(const char *path)
{
	const char *name = strrchr(path, '/') + 1;

	return !strncmp(name, "ld-", 3) || !strncmp(name, "ld.so", 5) || !strncmp(name, "ld64", 4);
}

static int starter(struct packing *p, const char *loader)
{
	const char *to = at(p, "", "/couler");
	struct strbuf b = { 0 };
	int fd = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755), rc = -1;

	p->failed = to;
	sb_z(&b, "#!/bin/sh\n");
	if (loader)
		sb_f(&b, "exec \"%s\" --library-path \"%s/lib\" \"%s/bin/couler\" \"$@\"\n", loader, p->dir, p->dir);
	else
		sb_f(&b, "exec \"%s/bin/couler\" \"$@\"\n", p->dir);
	if (fd >= 0 && write(fd, b.s, b.n) == (ssize_t)b.n && !fchmod(fd, 0755))
		rc = 0;
	if (fd >= 0 && close(fd))
		rc = -1;
	sb_free(&b);
	return rc;
}

static int folder(struct packing *p, const char *name)
{
	const char *d = at(p, name, "");

	p->failed = d;
	return mkdir(d, 0777) && errno != EEXIST ? -1 : chmod(d, 0755);
}

static int pack(struct packing *p)
{
	const char *loader = NULL;

	if (folder(p, "") || folder(p, "/lib") || folder(p, "/bin"))
		return -1;
	dl_iterate_phdr(note, p);
	for (uint32_t i = 0; i < p->files.n; i++) {
		const char *from = p->files.v[i], *to = at(p, "/lib", from);

		if (copy(p, from, to))
			return -1;
		if (is_loader(from))
			loader = to;
	}
	if (copy(p, "/proc/self/exe", at(p, "/bin", "/couler")))
		return -1;
	return starter(p, loader);
}

int flow_pack(const char *dir, char **err)
{
	struct packing p = { .a = arena_new(), .dir = dir };
	struct net *net = net_open(err);                                   /* loads libcurl and what it needs */
	int rc = net ? pack(&p) : -1;

	if (net && rc) {
		struct strbuf b = { 0 };

		sb_f(&b, "%s: %s", p.failed, strerror(errno));
		*err = strdup(sb_cstr(&b));
		sb_free(&b);
	}
	net_close(net);
	arena_free(p.a);
	return rc;
}
