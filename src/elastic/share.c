/*
 * Jobs of one machine share its slots through a file: a row a job, which it keeps locked as long as it lives, so a row
 * without a lock is nobody's. Each job reads all rows every tick and takes what fill_slots gives to it; as all compute the
 * same, nobody has to be asked.
 */
#include "flow.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROWS 4096

struct row { double work; int32_t min, want; };
struct share { int fd; off_t mine; };

static int lock(int fd, off_t at, short type, int cmd, struct flock *l)
{
	*l = (struct flock){ .l_type = type, .l_whence = SEEK_SET, .l_start = at, .l_len = (off_t)sizeof(struct row) };
	return fcntl(fd, cmd, l);
}

struct share *share_open(const char *path)
{
	struct share *s = xcalloc(1, sizeof *s);
	struct flock l;

	s->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	s->mine = -1;
	for (off_t i = 0; s->fd >= 0 && s->mine < 0 && i < ROWS; i++)
		if (!lock(s->fd, i * (off_t)sizeof(struct row), F_WRLCK, F_OFD_SETLK, &l))
			s->mine = i * (off_t)sizeof(struct row);
	if (s->mine >= 0)
		return s;
	if (s->fd >= 0)
		close(s->fd);
	free(s);
	return NULL;
}

int share_tick(struct share *s, double work, int min, int want, int slots)
{
	struct row r = { work, min, want };
	struct fill_job *v = NULL;
	uint32_t n = 0, cap = 0, me = 0;
	int got = want;
	off_t end;

	if (pwrite(s->fd, &r, sizeof r, s->mine) != sizeof r)
		return want;
	end = lseek(s->fd, 0, SEEK_END);
	for (off_t at = 0; at + (off_t)sizeof r <= end; at += (off_t)sizeof r) {
		struct flock l;

		if (at != s->mine && (lock(s->fd, at, F_WRLCK, F_OFD_GETLK, &l) || l.l_type == F_UNLCK))
			continue;
		if (pread(s->fd, &r, sizeof r, at) != sizeof r)
			continue;
		if (n == cap)
			v = xrealloc(v, (cap = cap ? 2 * cap : 16) * sizeof *v);
		if (at == s->mine)
			me = n;
		v[n++] = (struct fill_job){ r.work, r.min, r.want, 0 };
	}
	if (n) {
		fill_slots(v, n, slots);
		got = v[me].got;
	}
	free(v);
	return got;
}

void share_close(struct share *s)
{
	if (!s)
		return;
	close(s->fd);                     /* the lock goes with it */
	free(s);
}
