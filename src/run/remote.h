/* The shared cache: remote.c who asks and who waits, remote_io.c what goes over the wire. */
#ifndef COULER_REMOTE_H
#define COULER_REMOTE_H

#include "actions.h"
#include "couler/objects.h"

void remember_from(struct rt *rt, const struct action *a);              /* reuse.c: what another store gave is kept here, too */

#define REMOTE_OUTS (16u << 20)           /* bytes of a record */

/*
 * What is there, below v1/:
 *	actions/AB/REST   "CWA1", then the fields of struct action, then the SHA-256 of all of it
 *	blobs/AB/REST     the bytes of a file, by their SHA-256
 *	trees/AB/REST     a directory by the SHA-256 of its list: "couler-tree 1\n", then for each file in byte
 *	                  order of PATH a line "SIZE PATH" and its bytes
 * A record is put after all that it names.
 */

/* Outcome of one exchange. */
struct exchange {
	enum objects_rc rc;               /* OBJECTS_ABSENT: a miss */
	char *why;                        /* malloc; NULL */
	bool damaged;                     /* something was there that is not what its name says */
};

/* The record of key and its artifacts into st. record holds what a points into. Records older than oldest (wall, s) are misses. */
void remote_take(struct objects *o, struct store *st, struct hasher *h, const struct sha *key, double oldest, struct strbuf *record, struct action *a, struct exchange *x);
/* The artifacts of record (as remote_record wrote it) and then the record; over: also those that are there. */
void remote_give(struct objects *o, struct store *st, const struct strbuf *record, bool over, struct exchange *x);
void remote_record(struct strbuf *b, const struct action *a);
/* 0 and a, which points into s; -1: not a record of key (NULL: of any). */
int remote_record_read(const char *s, size_t n, const struct sha *key, struct action *a);

/* A directory as one file, and back. 0, or -1 with *err (malloc). */
int tree_pack(const char *dir, int fd, char **err);
int tree_unpack(int fd, const char *dir, char **err);

/* The declared store with the longest uri that holds a location; NULL. */
const struct ir_store *store_holding(const struct ir *m, const char *uri);

/* ---- what the engine calls (remote.c); all but open do nothing without --cache-remote ---- */

struct remote;
int remote_open(struct rt *rt);                                        /* 0, or 2 after a diagnostic */
void remote_watch(struct rt *rt);                                      /* the loop is there */
bool remote_open_to(const struct rt *rt, const struct step *s);        /* it can be asked, and has not been */
/* True: the place is asked for s, and asked is called later. False: it is not to be asked, or has been. */
bool remote_ask(struct rt *rt, struct step *s, double oldest, void (*asked)(struct rt *, struct step *));
void remote_keep(struct rt *rt, const struct action *a);               /* sends it sometime */
int remote_fd(const struct rt *rt);                                    /* -1: none */
void remote_poll(struct rt *rt);
void remote_stop(struct rt *rt);                                       /* a signal: what is under way ends soon */
void remote_close(struct rt *rt);                                      /* waits for what is to be sent, for a while */

#endif
