/*
 * YAML writer: block style, literal blocks for text of several lines, quotes exactly where
 * YAML 1.1 or 1.2 would read something else than the text.
 */
#ifndef ARGO_YAML_H
#define ARGO_YAML_H

#include <stdbool.h>

#include "couler/str.h"

struct yaml {
	struct strbuf *b;
	int depth;                        /* in steps of two blanks */
	bool dash;                        /* the next entry stands on the line of its list item */
	/* YAML in which an engine puts in values: how text s stands in it; NULL: s holds none. NULL: there is no such engine. */
	const char *(*tags)(void *data, const char *s, size_t n);
	void *data;
};

static inline struct yaml yaml_at(struct strbuf *b, int depth)
{
	return (struct yaml){ .b = b, .depth = depth };
}

/* key: TEXT, quoted as needed. */
void y_str(struct yaml *y, const char *key, const char *s, size_t n);
void y_z(struct yaml *y, const char *key, const char *z);
void y_f(struct yaml *y, const char *key, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* key: TEXT as it is: numbers, true, false. */
void y_plain(struct yaml *y, const char *key, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* key: | and the text as it is, of one line, too: scripts. */
void y_text(struct yaml *y, const char *key, const char *s, size_t n);
/* key: and a block below it, closed with y_end. For lists, items begin with y_item. */
void y_open(struct yaml *y, const char *key);
void y_end(struct yaml *y);
/* The next entry begins a list item; entries until y_item_end belong to it. */
void y_item(struct yaml *y);
void y_item_end(struct yaml *y);
/* A list item that is a text. */
void y_item_str(struct yaml *y, const char *s, size_t n);
/* key: [a, b, c] on one line. */
void y_words(struct yaml *y, const char *key, const char *const *v, size_t n);
/* key: &NAME and a block below it, and its repetition elsewhere. */
void y_open_anchor(struct yaml *y, const char *key, const char *name);
void y_alias(struct yaml *y, const char *key, const char *name);
/* key: {} */
void y_empty(struct yaml *y, const char *key);
void y_comment(struct yaml *y, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The same before a list item. */
void y_comment_item(struct yaml *y, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A comment of several lines, wrapped where the text is. */
void y_comment_text(struct yaml *y, const char *s, size_t n);

/* Reads back as the string s, standing in block context (flow: in a flow list, too). */
void yaml_double_quoted(struct strbuf *b, const char *s, size_t n);
bool yaml_plain_ok(const char *s, size_t n, bool flow);

#endif
