/*
 * Values and their exact rules: what the constant folder, the runner and the
 * backends' tests agree on. Values are immutable and live in an arena.
 *
 * Numbers: int is within ±(2^53 - 1); floats are doubles written as RFC 8785;
 * -0 is 0. A value that came from outside keeps its text, and a bare reference
 * passes that text on unchanged.
 */
#ifndef COULER_VALUE_H
#define COULER_VALUE_H

#include "couler/diag.h"
#include "couler/type.h"

#define INT_LIMIT INT64_C(9007199254740991)            /* 2^53 - 1 */

struct json;

struct value {
	struct type type;                 /* opt is never set; T_NULL: absent */
	uint32_t n;                       /* list: elements */
	union {
		const struct str *s;          /* string; file, dir: a location or a path */
		int64_t i;                    /* int; size in bytes */
		double d;                     /* float; duration in seconds */
		bool b;
		struct { int64_t sec; uint32_t nsec; } t;   /* time, UTC since 1970 */
		const struct json *j;
		const struct value *list;     /* elements */
	} u;
	const struct str *text;           /* exact text from outside, or NULL */
	const struct str *sha256;         /* file: pinned digest in hex, or NULL */
};

enum json_kind { J_NULL, J_BOOL, J_NUM, J_STR, J_LIST, J_OBJ };
struct json {
	enum json_kind kind;
	uint32_t n;                       /* list, object: members */
	uint32_t depth;                   /* of nesting: scalars 0 */
	union {
		bool b;
		double d;
		const struct str *s;
		const struct json *list;                                        /* n of them */
		const struct json_member { const struct str *key; const struct json *val; } *obj;   /* source order, keys unique */
	} u;
};

struct valctx { struct arena *arena; struct strtab *strs; };           /* where new values go */

/* JSON text: depth at most 200. NULL with *err set to what is wrong and *at to the byte offset. */
const struct json *json_parse(struct valctx *c, const char *s, size_t n, const char **err, size_t *at);
void json_write(struct strbuf *b, const struct json *j);               /* compact, RFC 8785 numbers, members in order */
bool json_eq(const struct json *a, const struct json *b);
const struct json *json_get(const struct json *obj, const struct str *key);   /* NULL if absent */
#define JSON_DEPTH 200
/* New ones; the arrays are kept, not copied. A list or an object nested deeper than JSON_DEPTH is NULL. Of equal keys the last counts. */
const struct json *jv_null(void);
const struct json *jv_bool(struct valctx *c, bool b);
const struct json *jv_num(struct valctx *c, double d);               /* finite */
const struct json *jv_str(struct valctx *c, const struct str *s);
const struct json *jv_list(struct valctx *c, const struct json *v, uint32_t n);
const struct json *jv_obj(struct valctx *c, struct json_member *v, uint32_t n);

void sb_double(struct strbuf *b, double d);                            /* RFC 8785; "nan", "inf", "-inf" */
/* A JSON number, read without regard to the locale, correctly rounded. 0; 1: it is, but past the range of doubles (*d infinite); -1: it is none. */
int double_parse(const char *s, size_t n, double *d);

/*
 * Text as a step, -p or an engine hands it over, checked against type t (rule 4 of docs/values.md).
 * strict: the forms an output may have (durations in seconds, sizes in bytes, RFC 3339);
 * otherwise also the spellings of the source ("1h30m", "2Gi"), as -p takes them.
 * 0, or -1 with *err saying what was expected.
 */
int value_parse(struct valctx *c, struct type t, const char *s, size_t n, bool strict, struct value *out, const char **err);

/* The text a step's variable holds: the exact text if there is one, else the canonical one. */
void value_text(struct strbuf *b, const struct value *v);
void value_canon(struct strbuf *b, const struct value *v);             /* never the outside text */
void value_json(struct strbuf *b, const struct value *v);              /* as JSON: what stands in a list or in --outputs-json */
const struct json *value_to_json(struct valctx *c, const struct value *v);
bool value_eq(const struct value *a, const struct value *b);           /* as == does */
/* Rule 1: bytes allowed in a string, size limits. 0, or -1 with *err. */
int value_check_text(const char *s, size_t n, const char **err);

/* Times and units, shared with the lexer. */
int time_parse(const char *s, size_t n, int64_t *sec, uint32_t *nsec);          /* RFC 3339, any offset; 0 or -1 */
void time_write(struct strbuf *b, int64_t sec, uint32_t nsec);                  /* RFC 3339, UTC, Z */
int duration_parse(const char *s, size_t n, double *sec);                       /* "1h30m", "0.4ms" */
int size_parse(const char *s, size_t n, double *bytes);                         /* "1.5Gi", "12KB"; rounded to whole bytes */
/* The inverse, in the units that read best: "1h30m", "16Gi". */
void duration_write(struct strbuf *b, double sec);
void size_write(struct strbuf *b, int64_t bytes);
bool time_in_range(int64_t sec);                                                /* years 0000 to 9999 */
int64_t time_days(int64_t year, unsigned month, unsigned day);                  /* days since 1970-01-01 */
int64_t time_year(int64_t sec);                                                 /* of UTC */
/* Seconds east of UTC at sec in an IANA zone. 0; -1: no such zone; -2: this machine has no time zone database. */
int zone_offset(const char *zone, size_t n, int64_t sec, int32_t *east);
/* %Y %m %d %H %M %S %j %u %%. 0, or -1 with *at the offset of what is none of these. */
int time_format(struct strbuf *b, int64_t sec, int32_t east, const char *fmt, size_t n, size_t *at);

#endif
