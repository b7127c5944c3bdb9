/*
 * Interned strings and string buffers.
 *
 * Two interned strings of one table are equal exactly when their addresses are.
 * Lengths are carried; a NUL stands after the bytes for the C library's sake.
 */
#ifndef COULER_STR_H
#define COULER_STR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "couler/arena.h"

struct str {
	uint32_t len, hash;
	char s[];
};

struct strtab;

struct strtab *strtab_new(struct arena *a);
const struct str *str_intern(struct strtab *t, const char *s, size_t n);
const struct str *str_internz(struct strtab *t, const char *s);      /* NUL-terminated */
const struct str *str_internf(struct strtab *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Order by bytes, which for UTF-8 is the order by code point. */
int str_cmp(const struct str *a, const struct str *b);
bool str_eq(const struct str *a, const char *z);

/* Maps an interned string (by address) to a pointer. Empty when zeroed. */
struct strmap {
	struct strmap_slot { const struct str *key; void *val; } *slot;
	uint32_t n, cap;
};
void *strmap_get(const struct strmap *m, const struct str *key);      /* NULL if absent */
void strmap_put(struct arena *a, struct strmap *m, const struct str *key, void *val);

/* A byte buffer on the heap. Zeroed is empty. */
struct strbuf {
	char *s;
	size_t n, cap;
};
void sb_reserve(struct strbuf *b, size_t more);
void sb_add(struct strbuf *b, const char *s, size_t n);
void sb_str(struct strbuf *b, const struct str *s);
void sb_z(struct strbuf *b, const char *z);
void sb_ch(struct strbuf *b, char c);
void sb_fill(struct strbuf *b, char c, size_t n);
void sb_int(struct strbuf *b, int64_t i);                              /* in decimal, without what printf costs */
void sb_f(struct strbuf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void sb_vf(struct strbuf *b, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
void sb_free(struct strbuf *b);
char *xsprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));                           /* malloc */
const char *sb_cstr(struct strbuf *b);                                /* NUL-terminated view, valid until the next change */

/* JSON string literal with quotes; control bytes as \u00XX, the rest as it is (UTF-8). */
void sb_json(struct strbuf *b, const char *s, size_t n);

/* Length in bytes of the valid prefix of s as UTF-8 without surrogates; n if all of it is valid. */
size_t utf8_valid(const char *s, size_t n);
size_t utf8_count(const char *s, size_t n);                           /* code points */
size_t utf8_encode(char out[4], uint32_t cp);                         /* bytes written */

/* The candidate nearest to name by edit distance, or NULL when none is near enough to be what was meant. */
const char *nearest(const char *name, size_t n, const char *const *cand, size_t ncand);

#endif
