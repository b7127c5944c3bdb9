/* Spellings of other languages that the parser meets, each with what .cw writes instead. */
#include <string.h>

#include "parse.h"

/* Precedences, from the one table of operators. */
enum {
#define X(op, spelling, prec, n) PREC_##op = prec,
	EXPR_OPS(X)
#undef X
};

/* ---- operators ---- */

static const struct { const char *word; enum expr_op op; uint8_t prec; const char *ours; } operators[] = {
	{ "and", EX_AND, PREC_AND, "&&" }, { "or", EX_OR, PREC_OR, "||" }, { "is", EX_EQ, PREC_EQ, "==" }, { "eq", EX_EQ, PREC_EQ, "==" },
	{ "equals", EX_EQ, PREC_EQ, "==" }, { "ne", EX_NE, PREC_NE, "!=" }, { "lt", EX_LT, PREC_LT, "<" }, { "le", EX_LE, PREC_LE, "<=" },
	{ "gt", EX_GT, PREC_GT, ">" }, { "ge", EX_GE, PREC_GE, ">=" }, { "mod", EX_MOD, PREC_MOD, "%" }, { "div", EX_DIV, PREC_DIV, "/" },
};

static void not_ours(struct parser *p, struct span sp, const char *ours)
{
	int n = (int)(sp.len > 40 ? 40 : sp.len);
	struct diag_item *it = MISTAKE(p, CW0109, sp, "'%.*s' is written '%s'", n, p->lx.s + sp.off, ours);

	diag_mend(p->d, it, !strcmp(ours, "!") ? "write %sa" : "write a %s b", ours);
}

static enum expr_op wrong_word_operator(struct parser *p, unsigned prec)
{
	struct token t = p->t;

	for (size_t i = 0; i < sizeof operators / sizeof *operators; i++) {
		if (!tok_is(p, &t, operators[i].word))
			continue;
		if (operators[i].prec < prec)
			return EX_COUNT;
		next(p);
		if (operators[i].op == EX_EQ && here(p, TOK_NAME) && tok_is(p, &p->t, "not")) {
			next(p);
			not_ours(p, span_at(p, t.off, p->last), "!=");
			return EX_NE;
		}
		not_ours(p, span_tok(p, &t), operators[i].ours);
		return operators[i].op;
	}
	if (tok_is(p, &t, "not") && prec <= PREC_IN) {
		next(p);
		if (tok_is(p, &p->t, "in"))
			next(p);
		diag_mend(p->d, MISTAKE(p, CW0109, span_at(p, t.off, p->last), "there is no 'not in'"), "write !(x in list)");
		return EX_IN;
	}
	if (tok_is(p, &t, "if")) {
		diag_mend(p->d, MISTAKE(p, CW0109, span_tok(p, &t), "there is no 'if' inside an expression"), "write CONDITION ? VALUE : OTHER");
		skip_entry(p, t.off);
	}
	return EX_COUNT;
}

enum expr_op wrong_operator(struct parser *p, unsigned prec)
{
	struct token t = p->t;
	char c = p->lx.s[t.off];

	if (t.kind == TOK_NAME)
		return wrong_word_operator(p, prec);
	if (t.kind == TOK_BAD && t.len == 1 && (c == '&' || c == '|')) {
		if ((c == '&' ? (unsigned)PREC_AND : (unsigned)PREC_OR) < prec)
			return EX_COUNT;
		next(p);
		not_ours(p, span_tok(p, &t), c == '&' ? "&&" : "||");
		return c == '&' ? EX_AND : EX_OR;
	}
	if (t.kind == TOK_ASSIGN && p->condition && prec <= PREC_EQ) {
		next(p);
		diag_mend(p->d, MISTAKE(p, CW0109, span_tok(p, &t), "'=' gives a value; equality is '=='"), "write ==");
		return EX_EQ;
	}
	return EX_COUNT;
}

void wrong_operator_tail(struct parser *p, const struct token *op)
{
	bool beside = p->t.off == op->off + op->len;
	struct span sp = span_at(p, op->off, p->t.off + 1);
	const char *mend = NULL;

	if (!beside)
		return;
	if ((op->kind == TOK_EQ || op->kind == TOK_NE) && p->t.kind == TOK_ASSIGN)
		not_ours(p, sp, op->kind == TOK_EQ ? "==" : "!=");
	else if (op->kind == TOK_LT && p->t.kind == TOK_GT)
		not_ours(p, sp, "!=");
	else if (op->kind == TOK_STAR && p->t.kind == TOK_STAR)
		mend = "multiply, or compute the power in a step";
	else if (op->kind == TOK_SLASH && p->t.kind == TOK_SLASH)
		mend = "write int(a / b)";
	else
		return;
	if (mend)
		diag_mend(p->d, MISTAKE(p, CW0109, sp, "there is no '%.*s'", 2, p->lx.s + op->off), "%s", mend);
	next(p);
}

bool wrong_prefix(struct parser *p)
{
	struct token t = p->t;
	bool found = false;
	uint32_t at;
	char c = p->lx.s[t.off];

	if (c != 'n' && p->lx.s[t.off + 1] != '"')
		return false;
	while (tok_is(p, &p->t, "not")) {
		struct token word = p->t;

		c = after_token(p, &word, &at);
		if (!lex_is_name((unsigned char)c) && !strchr("(\"![", c))
			break;
		if (!c)
			break;
		next(p);
		if (!found)
			not_ours(p, span_tok(p, &word), "!");
		found = true;
	}
	if (!found && t.len == 1 && strchr("fFrRbu", p->lx.s[t.off]) && p->lx.s[t.off + 1] == '"') {
		next(p);
		diag_mend(p->d, MISTAKE(p, CW0109, span_tok(p, &t), "strings have no prefix"), "write \"...${expr}...\", or \"\"\"...\"\"\" for text that is taken as it is");
		found = true;
	}
	return found;
}

bool compound_assignment(const struct parser *p)
{
	enum token_kind k = (enum token_kind)p->t.kind;

	return !p->t.nl_before && (k == TOK_PLUS || k == TOK_MINUS || k == TOK_STAR || k == TOK_SLASH || k == TOK_PERCENT) &&
		p->lx.s[p->t.off + 1] == '=' && p->lx.s[p->t.off + 2] != '=';
}

bool wrong_before_block(struct parser *p)
{
	struct token t = p->t;
	struct diag_item *it;

	if (t.nl_before || (t.kind != TOK_COLON && !tok_is(p, &t, "then") && !tok_is(p, &t, "do") && !tok_is(p, &t, "begin")))
		return false;
	next(p);
	it = MISTAKE(p, CW0109, span_tok(p, &t), "a block stands in '{ }', without %s before it", tok_words(p, &t));
	diag_mend(p->d, it, "write ... { ... }");
	return true;
}

/* ---- types ---- */

const char *right_type(const char *s, uint32_t n)
{
	static const char *const types[][2] = {
		{ "integer", "int" }, { "Int", "int" }, { "Integer", "int" }, { "long", "int" }, { "int32", "int" }, { "int64", "int" }, { "i64", "int" }, { "uint", "int" },
		{ "number", "float" }, { "double", "float" }, { "real", "float" }, { "decimal", "float" }, { "Float", "float" }, { "float32", "float" }, { "float64", "float" },
		{ "str", "string" }, { "String", "string" }, { "text", "string" }, { "char", "string" }, { "varchar", "string" }, { "enum", "string" }, { "uri", "string" },
		{ "url", "string" }, { "boolean", "bool" }, { "Boolean", "bool" }, { "Bool", "bool" }, { "File", "file" }, { "path", "file" }, { "Path", "file" },
		{ "artifact", "file" }, { "Artifact", "file" }, { "blob", "file" }, { "dataset", "file" }, { "model", "file" }, { "Directory", "dir" }, { "directory", "dir" },
		{ "folder", "dir" }, { "Dir", "dir" }, { "datetime", "time" }, { "timestamp", "time" }, { "date", "time" }, { "Time", "time" }, { "timedelta", "duration" },
		{ "interval", "duration" }, { "bytes", "size" }, { "object", "json" }, { "Object", "json" }, { "map", "json" }, { "Map", "json" }, { "dict", "json" },
		{ "Dict", "json" }, { "any", "json" }, { "Any", "json" }, { "record", "json" }, { "struct", "json" }, { "JSON", "json" }, { "Json", "json" },
		{ "array", "list<json>" }, { "Array", "list<json>" }, { "vector", "list<json>" }, { "Sequence", "list<json>" }, { "Iterable", "list<json>" }, { "seq", "list<json>" },
		{ "set", "list<json>" }, { "Set", "list<json>" }, { "tuple", "list<json>" }, { "Tuple", "list<json>" }, { "List", "list<string>" }, { "strings", "list<string>" }, { "files", "list<file>" }, { "ints", "list<int>" },
		{ "floats", "list<float>" }, { "Optional", "T?, for example int?" }, { "optional", "T?, for example int?" },
	};

	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (!strncmp(types[i][0], s, n) && !types[i][0][n])
			return types[i][1];
	return NULL;
}

/* ---- statements ---- */

/* word, what is wrong, what to write */
static const struct { const char *word, *what, *mend; } words[] = {
	{ "cancel", "'cancel': a step that runs is not cancelled from inside a workflow", "bound it with 'timeout', or skip what comes later with 'if'; `couler cancel` ends a whole run" },
	{ "kill", "'kill': a step that runs is not stopped from inside a workflow", "bound it with 'timeout', or skip what comes later with 'if'" },
	{ "trigger", "'trigger': a workflow does not start itself on an event", "let the event system call `couler submit`; for times write schedule = \"0 2 * * *\"" },
	{ "triggers", "'triggers': a workflow does not start itself on an event", "let the event system call `couler submit`; for times write schedule = \"0 2 * * *\"" },
	{ "event", "'event': a workflow does not start itself on an event", "let the event system call `couler submit`" },
	{ "else", "this 'else' has no 'if' before it", "write if CONDITION { ... } else { ... }" },
	{ "elif", "there is no 'elif'", "write if CONDITION { ... } else if CONDITION { ... }" },
	{ "elsif", "there is no 'elsif'", "write if CONDITION { ... } else if CONDITION { ... }" },
	{ "elseif", "there is no 'elseif'", "write if CONDITION { ... } else if CONDITION { ... }" },
	{ "then", "there is no 'then'", "a block stands in '{ }'" },
	{ "end", "there is no 'end'", "a block ends with '}'" },
	{ "endif", "there is no 'endif'", "a block ends with '}'" },
	{ "fi", "there is no 'fi'", "a block ends with '}'" },
	{ "done", "there is no 'done'", "a block ends with '}'" },
	{ "unless", "there is no 'unless'", "write if !CONDITION { ... }" },
	{ "switch", "there is no 'switch'", "write if CONDITION { ... } else if CONDITION { ... } else { ... }" },
	{ "match", "there is no 'match'", "write if CONDITION { ... } else if CONDITION { ... } else { ... }" },
	{ "case", "there is no 'case'", "write if CONDITION { ... } else if CONDITION { ... } else { ... }" },
	{ "when", "there is no 'when'", "write if CONDITION { step ... }" },
	{ "foreach", "there is no 'foreach'", "write for x in LIST { ... }" },
	{ "each", "there is no 'each'", "write for x in LIST { ... }" },
	{ "matrix", "there is no 'matrix'", "write for x in LIST { ... }; a search over parameters is a 'sweep'" },
	{ "repeat", "there is no 'repeat'", "write loop NAME { max = 10; state x = ...; while CONDITION; ...; next { x = ... } }" },
	{ "until", "there is no 'until'", "write loop NAME { max = 10; state x = ...; while !CONDITION; ...; next { x = ... } }" },
	{ "break", "there is no 'break'", "a loop ends when its 'while' is false" },
	{ "continue", "there is no 'continue'", "put what may be skipped into an 'if'" },
	{ "return", "there is no 'return'", "what a workflow gives is written out NAME = VALUE" },
	{ "def", "there are no functions of your own", "what is used more than once is a 'task' or a 'workflow'; what is computed stands in the body of a step" },
	{ "fn", "there are no functions of your own", "what is used more than once is a 'task' or a 'workflow'" },
	{ "func", "there are no functions of your own", "what is used more than once is a 'task' or a 'workflow'" },
	{ "function", "there are no functions of your own", "what is used more than once is a 'task' or a 'workflow'" },
	{ "class", "there are no classes", "what is used more than once is a 'task' or a 'workflow'" },
	{ "template", "there is no 'template'", "what is used more than once is a 'task' or a 'workflow'" },
	{ "component", "there is no 'component'", "what is used more than once is a 'task' or a 'workflow'" },
	{ "module", "there is no 'module'", "definitions of another file come with import \"FILE.cw\" as NAME" },
	{ "var", "there is no 'var'", "write let NAME = VALUE" },
	{ "const", "there is no 'const'", "write let NAME = VALUE" },
	{ "val", "there is no 'val'", "write let NAME = VALUE" },
	{ "local", "there is no 'local'", "write let NAME = VALUE" },
	{ "locals", "there is no 'locals'", "write let NAME = VALUE" },
	{ "variable", "there is no 'variable'", "what is given when a run starts is a 'param', a name for a value is a 'let'" },
	{ "try", "there is no 'try'", "a step whose failure is dealt with has allow_failure = true; read its status" },
	{ "catch", "there is no 'catch'", "a step whose failure is dealt with has allow_failure = true; read its status" },
	{ "except", "there is no 'except'", "a step whose failure is dealt with has allow_failure = true; read its status" },
	{ "finally", "there is no 'finally'", "write on exit { ... }" },
	{ "on_failure", "there is no 'on_failure'", "write on failure { ... } in the workflow" },
	{ "on_success", "there is no 'on_success'", "write on success { ... } in the workflow" },
	{ "on_exit", "there is no 'on_exit'", "write on exit { ... } in the workflow" },
	{ "throw", "there is no 'throw'", "write fail \"message\"" },
	{ "raise", "there is no 'raise'", "write fail \"message\"" },
	{ "error", "there is no 'error'", "write fail \"message\"" },
	{ "assert", "there is no 'assert'", "write if !CONDITION { fail \"message\" }" },
	{ "include", "there is no 'include'", "write import \"FILE.cw\" as NAME" },
	{ "require", "there is no 'require'", "write import \"FILE.cw\" as NAME" },
	{ "use", "there is no 'use'", "write import \"FILE.cw\" as NAME" },
	{ "from", "there is no 'from'", "write import \"FILE.cw\" as NAME" },
	{ "input", "there is no 'input'", "a task or step has in NAME: TYPE, a workflow param NAME: TYPE" },
	{ "inputs", "inputs have no block", "each has its line: in NAME: TYPE in a task or step, param NAME: TYPE in a workflow" },
	{ "output", "there is no 'output'", "write out NAME: TYPE" },
	{ "outputs", "outputs have no block", "each has its line: out NAME: TYPE" },
	{ "parameter", "there is no 'parameter'", "write param NAME: TYPE" },
	{ "parameters", "params have no block", "each has its line: param NAME: TYPE" },
	{ "params", "params have no block", "each has its line: param NAME: TYPE" },
	{ "arguments", "arguments have no block", "they stand in the call: step NAME = TASK(x = ...)" },
	{ "steps", "steps have no block", "they stand in the workflow itself: step NAME { ... }" },
	{ "tasks", "tasks have no block", "each stands in the file itself: task NAME { ... }" },
	{ "jobs", "steps have no block", "they stand in the workflow itself: step NAME { ... }" },
	{ "stages", "there are no stages", "a step runs as soon as its inputs exist; order without data is written after = [a]" },
	{ "stage", "there are no stages", "write step NAME { ... }; it runs as soon as its inputs exist" },
	{ "parallel", "there is no 'parallel'", "steps run as soon as their inputs exist, side by side: write them in the workflow itself" },
	{ "sequence", "there is no 'sequence'", "steps run as soon as their inputs exist; order without data is written after = [a]" },
	{ "sequential", "there is no 'sequential'", "steps run as soon as their inputs exist; order without data is written after = [a]" },
	{ "pipeline", "there is no 'pipeline'", "write workflow NAME { ... }" },
	{ "dag", "there is no 'dag'", "write workflow NAME { ... }" },
	{ "flow", "there is no 'flow'", "write workflow NAME { ... }" },
	{ "node", "there is no 'node'", "write step NAME { ... }" },
	{ "depends_on", "there is no 'depends_on'", "write after = [a, b]; what takes a value with 'in' waits by itself" },
	{ "needs", "there is no 'needs'", "write after = [a, b]; what takes a value with 'in' waits by itself" },
	{ "print", "there is no 'print'", "commands stand in the body of a step: run = \"\"\"...\"\"\"" },
	{ "echo", "there is no 'echo'", "commands stand in the body of a step: run = \"\"\"...\"\"\"" },
	{ "sleep", "there is no 'sleep'", "write wait NAME { for = 20s }" },
	{ "approval", "there is no 'approval'", "write approve NAME { message = \"...\" }" },
};

static size_t find_word(const struct parser *p, const struct token *head)
{
	size_t i = 0;

	while (i < sizeof words / sizeof *words && !tok_is(p, head, words[i].word))
		i++;
	return i;
}

bool wrong_word(const struct parser *p, const struct token *head)
{
	return find_word(p, head) < sizeof words / sizeof *words;
}

/* The nearest keyword that may stand here. */
static const char *near_keyword(const struct parser *p, enum body in, const struct token *head)
{
	static const char *const all[AS_COUNT] = {
#define X(kind, word) [AS_##kind] = word,
		AST_STMTS(X)
#undef X
	};
	const char *cand[AS_COUNT];
	size_t n = 0;

	for (unsigned k = 0; k < AS_COUNT; k++)
		if (all[k] && stands_in((enum ast_stmt_kind)k, in))
			cand[n++] = all[k];
	return nearest(p->lx.s + head->off, head->len, cand, n);
}

void wrong_statement(struct parser *p, enum body in, const struct token *head)
{
	size_t i = find_word(p, head);
	const char *near, *s = p->lx.s + head->off;
	int n = (int)(head->len > 60 ? 60 : head->len);
	struct diag_item *it;

	if (i < sizeof words / sizeof *words) {
		it = MISTAKE(p, CW0119, span_tok(p, head), "%s", words[i].what);
		diag_mend(p->d, it, "%s", words[i].mend);
		return;
	}
	near = head->kind == TOK_NAME ? near_keyword(p, in, head) : NULL;
	if (at_end_of_entry(p)) {
		it = MISTAKE(p, CW0101, span_tok(p, head), "%s stands alone", tok_words(p, head));
		diag_mend(p->d, it, "write %.*s = VALUE, or a statement such as in %.*s", n, s, n, s);
	} else if (here(p, TOK_LPAREN)) {
		it = MISTAKE(p, CW0107, span_tok(p, head), "a call does not stand alone");
		diag_mend(p->d, it, "write step NAME = %.*s(...)", n, s);
	} else if (near) {
		it = MISTAKE(p, CW0107, span_tok(p, head), "there is no statement %s", tok_words(p, head));
		diag_mend(p->d, it, "did you mean '%s'?", near);
	} else {
		it = MISTAKE(p, CW0107, span_tok(p, head), "expected '=' or '{' after %s, found %s", tok_words(p, head), tok_words(p, &p->t));
		diag_mend(p->d, it, "a line starts with a statement's word, or with NAME = VALUE");
	}
}
