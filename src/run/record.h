/*
 * Append-only files of checked records: magic, length, checksum, payload. Many processes append at once, each
 * record with one write; a record that was cut short by a kill or a full disk is skipped by its readers.
 */
#ifndef COULER_RECORD_H
#define COULER_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "couler/str.h"

#define RECORD_HEAD 12

/* Adds a record to b; payloads are at most 16 MiB. */
void record_add(struct strbuf *b, const void *payload, size_t n);
/* Next record at or after *at: its payload and *n, with *at behind it; NULL at the end. *bad counts bytes that belong to none. */
const char *record_next(const char *s, size_t size, size_t *at, size_t *n, size_t *bad);
/* Appends b in one write; 0, or -1 with errno. */
int record_write(int fd, const struct strbuf *b);

/* A file mapped or read whole; empty where there is none. */
struct mapped { const char *s; size_t n; };
int map_file(const char *path, struct mapped *m);                      /* 0, or -1 with errno */
void unmap_file(struct mapped *m);

/* Little-endian fields of payloads. */
void put_u32(struct strbuf *b, uint32_t v);
void put_u64(struct strbuf *b, uint64_t v);
void put_double(struct strbuf *b, double v);
void put_text(struct strbuf *b, const char *s, size_t n);              /* length, bytes */
struct reader { const char *s; size_t n; int bad; };                   /* bad: read past the end; everything is 0 from there on */
uint32_t get_u32(struct reader *r);
uint64_t get_u64(struct reader *r);
double get_double(struct reader *r);
const char *get_text(struct reader *r, size_t *n);                     /* not NUL-terminated */
const void *get_bytes(struct reader *r, size_t n);                     /* NULL past the end */

#endif
