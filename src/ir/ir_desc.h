/*
 * The JSON form of the IR: one table a struct, which the writer, the reader and nothing else go by.
 *
 * ir_desc.c    the tables
 * ir_json.c    the writer
 * ir_read.c    the reader
 * ir_value.c   values written; ir_read_value.c and ir_read_expr.c: values and expressions read (ir_read.h)
 *
 * A member that has its default is left out. What is shared in memory is shared in JSON: tasks by their index in the
 * module, attributes by their index in the workflow, nodes by their id, called workflows by name. grammar/ir.schema.json
 * says the same in JSON Schema; tests/ir_schema.py holds them against each other.
 */
#ifndef COULER_IR_DESC_H
#define COULER_IR_DESC_H

#include "couler/ir.h"

enum jf_kind {
	JF_STR,                           /* const struct str *; NULL is left out */
	JF_BOOL, JF_INT64, JF_UINT32, JF_UINT64, JF_DOUBLE,
	JF_WORD,                          /* an enum; of: its words */
	JF_WORD8,                         /* the same in a byte */
	JF_TYPE, JF_SPAN,
	JF_EXPR,                          /* struct expr *; NULL is left out */
	JF_EXPRS,                         /* struct expr **, NULLs in it are null; count: where its length is */
	JF_EXPRS_OF,                      /* the same, its length that of another list before it: count; NULL as a whole is left out */
	JF_PORT_VALUES,                   /* struct expr ** of a port, its length by the node's kind */
	JF_STRS,                          /* const struct str **, count */
	JF_INTS,                          /* VEC(int) */
	JF_FROM,                          /* uint32_t *, count; UINT32_MAX is -1 */
	JF_BOOLS_OF,                      /* bool *, its length that of another list: count */
	JF_VALUES,                        /* struct value *, count */
	JF_TABLE,                         /* the table of a sweep: rows of values */
	JF_LIST,                          /* an array of structs and its count; of: their table */
	JF_VEC,                           /* VEC of structs; of: their table */
	JF_SUB,                           /* a struct in place; of: its table */
	JF_PTR,                           /* a pointer to a struct; of: its table; NULL is left out */
	JF_TASK,                          /* struct ir_task *, by index; NULL is left out */
	JF_CALLEE,                        /* struct ir_workflow *, by name */
	JF_NODE,                          /* struct node *, by id */
	JF_ATTRS,                         /* struct attrs *, by index in the workflow's; NULL is left out */
	JF_ATTRS_LIST,                    /* of a workflow: the attributes of its nodes */
	JF_GRAPH,                         /* struct graph *, an array of nodes; NULL is left out */
	JF_DATA                           /* char *, count: size_t; text of a file; NULL is left out */
};

enum jf_flag { JF_NEEDED = 1 };           /* always written, an error where it lacks */

struct jdesc;

struct jfield {
	const char *key;                  /* NULL ends a table */
	uint8_t kind, flags;
	uint16_t off, count;              /* in the struct, bytes */
	union { const char *const *words; const struct jdesc *desc; } of;
	double dflt;                      /* of numbers */
};

struct jdesc {
	const char *what;                 /* for messages: "a port" */
	size_t size;
	bool lines;                       /* written over several lines */
	const struct jfield *fields;
};

extern const struct jdesc desc_store, desc_task, desc_attrs, desc_workflow, desc_node;
extern const struct jdesc *const desc_node_kinds[N_COUNT];             /* what a kind of node has besides */
extern const char *const words_node_kind[], *const words_ref_kind[], *const words_prop[], *const words_field[];

void value_to_ir_json(struct strbuf *b, const struct value *v);       /* ir_value.c */

#endif
