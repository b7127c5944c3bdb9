/* Statements: what stands after each keyword. */
#include "parse.h"

#include <stdlib.h>
#include <string.h>

typedef struct ast_stmt *parse_fn(struct parser *p, enum body in, struct ast_stmt *st, const struct token *head);

/* A statement whose mistake was reported and whose tokens were taken. */
static struct ast_stmt *taken(struct ast_stmt *st)
{
	st->kind = AS_ERROR;
	return st;
}

/* The name after the keyword, into the head. Without one a block that follows is still read. */
static bool parse_head(struct parser *p, struct ast_stmt *st, const char *what)
{
	if (!parse_name(p, what, &st->name, &st->name_span))
		return false;
	st->head.len = p->last - st->head.off;
	return true;
}

/* keyword NAME block; a block stands even where the name lacks. */
static struct ast_stmt *named_block(struct parser *p, struct ast_stmt *st, const char *what, const char *word, enum body in)
{
	bool named = parse_head(p, st, what);

	if (!named && !here(p, TOK_LBRACE))
		return NULL;
	st->body = parse_body(p, in, word);
	return named && st->body ? st : taken(st);
}

/*
 * import = "import" string "as" NAME
 */
static struct ast_stmt *parse_import(struct parser *p, enum body in, struct ast_stmt *st, const struct token *head)
{
	struct diag_item *it;

	(void)in;
	(void)head;
	if (!here(p, TOK_STRING)) {
		it = parse_unexpected(p, "the path of a .cw file in quotes");
		diag_mend(p->d, it, "write import \"lib/etl.cw\" as etl");
		return NULL;
	}
	st->value = parse_literal(p);
	if (st->value->kind == AX_INTERP) {
		diag_mend(p->d, MISTAKE(p, CW0101, st->value->span, "the path of an import is plain text, without ${ }"), "write import \"lib/etl.cw\" as etl");
		return NULL;
	}
	if (!tok_is(p, &p->t, "as") || p->t.nl_before) {
		it = MISTAKE(p, CW0120, st->value->span, "an import needs a name for what it brings");
		diag_mend(p->d, it, "write import \"%s\" as NAME, then call NAME.task(...)", st->value->u.str->s);
		return NULL;
	}
	next(p);
	return parse_head(p, st, "an import") ? st : NULL;
}

/*
 * store = "store" NAME block
 */
static struct ast_stmt *parse_store(struct parser *p, enum body in, struct ast_stmt *st, const struct token *head)
{
	(void)in;
	(void)head;
	return named_block(p, st, "a store", "store NAME", IN_STORE);
}

/*
 * task = "task" NAME block
 */
static struct ast_stmt *parse_task(struct parser *p, enum body in, struct ast_stmt *st, const struct token *head)
{
	(void)in;
	(void)head;
	return named_block(p, st, "a task", "task NAME", IN_TASK);
}

/*
 * workflow = "workflow" NAME block
 */
static struct ast_stmt *parse_workflow(struct parser *p, enum body in, struct ast_stmt *st, const struct token *head)
{
	(void)in;
	(void)head;
	return named_block(p, st, "a workflow", "workflow NAME", IN_WORKFLOW);
}

/*
 * volume = "volume" NAME block
 */
static struct ast_stmt *parse_volume(struct parser *p, enum body in, struct ast_stmt *st, const struct token *head)
{
	(void)in;
	(void)head;
	return named_block(p, st, "a volume", "volume NAME", IN_VOLUME);
}

/* param = "param" declaration; in, out, state, ask likewise */
static struct ast_stmt *declared(struct parser *p, enum body in, struct ast_stmt *st, const char *what)
{
	if (!parse_head(p, st, what))
		return NULL;
	st->decl = parse_declaration(p, (enum ast_stmt_kind)st->kind, in, st->name);
	return st->decl ? st : NULL;
}

/*
 * param = "param" declaration
 */
static struct ast_stmt *parse_param(struct parser *p, enum body in, struct ast_stmt *st, const struct token *head)
{
	(void)head;
	return declared(p, in, st, "a param");
}

/*
 * in = "in" declaration
 */
static struct ast_stmt *parse_in(struct parser *p, enum body in, struct ast_stmt *st, const struct token *head)
{
	(void)head;
	return declared(p, in, st, "an input");
}

/*
 * out = "out" declaration
 */
static struct ast_stmt *parse_out(struct parser *p, enum body in, struct ast_stmt *st, const struct token *head)
{
	(void)head;
	return declared(p, in, st, "an output");
}

/*
 * state = "state" declaration
 */
static struct ast_stmt *parse_state(struct parser *p, enum body in, struct ast_stmt *st, const struct token *head)
{
	(void)head;
	return declared(p, in, st, "a state");
}

/*
 * ask = "ask" declaration
 */
static struct ast_stmt *parse_ask(struct parser *p, enum body in, struct ast_stmt *st, const struct token *head)
{
	(void)head;
	return declared(p, in, st, "a question");
}

/*
 * let = "let" NAME "=" expression
 */
static struct ast_stmt *parse_let(struct parser *p, enum body in, struct ast_stmt *st, const struct token *head)
{
	struct diag_item *it;
	struct type type;
	struct span sp;

	(void)in;
	(void)head;
	if (!parse_head(p, st, "a let"))
		return NULL;
	if (here(p, TOK_COLON)) {
		it = MISTAKE(p, CW0101, span_tok(p, &p->t), "a let takes its type from its value");
		diag_mend(p->d, it, "write let %s = VALUE", st->name->s);
		next(p);
		if (p->t.kind != TOK_ASSIGN)
			parse_type(p, &type, &sp);
	}
	if (!here(p, TOK_ASSIGN)) {
		it = parse_unexpected(p, "'=' and a value");
		diag_mend(p->d, it, "write let %s = VALUE", st->name->s);
		return NULL;
	}
	next(p);
	st->value = parse_value(p, st->name->s);
	return st->value ? st : NULL;
}

/*
 * defaults = "defaults" block
 */
static struct ast_stmt *parse_defaults(struct parser *p, enum body in, struct ast_stmt *st, const struct token *head)
{
	(void)in;
	(void)head;
	st->body = parse_body(p, IN_DEFAULTS, "defaults");
	return st->body ? st : taken(st);
}

/* The callee is NAME or NAME.NAME. */
static bool is_call(const struct ast_expr *e)
{
	const struct ast_expr *callee = e->kind == AX_CALL ? e->args[0] : NULL;

	return callee && !e->paren && (callee->kind == AX_NAME || (callee->kind == AX_MEMBER && callee->args[0]->kind == AX_NAME));
}

/*
 * call = NAME [ "." NAME ] arguments
 */
static struct ast_expr *parse_call(struct parser *p, const struct ast_stmt *st, const char *word)
{
	struct ast_expr *e = at_end_of_entry(p) ? parse_value(p, st->name->s) : parse_expression(p);
	struct diag_item *it;

	if (!e || is_call(e) || e->kind == AX_ERROR)
		return e;
	it = MISTAKE(p, CW0117, e->span, "the right side of '%s %s =' is a call of a task or a workflow", word, st->name->s);
	if (e->kind == AX_NAME || e->kind == AX_MEMBER)
		diag_mend(p->d, it, "write %.*s(...), with its arguments", (int)(e->span.len > 60 ? 60 : e->span.len), p->lx.s + e->span.off);
	else
		diag_mend(p->d, it, "write %s %s = NAME(input = value); a value of its own is a 'let'", word, st->name->s);
	e->kind = AX_ERROR;
	return e;
}

/*
 * step = "step" NAME ( block | "=" call [ block ] )
 */
static struct ast_stmt *parse_step(struct parser *p, enum body in, struct ast_stmt *st, const struct token *head)
{
	(void)in;
	(void)head;
	if (!parse_head(p, st, "a step")) {
		if (!here(p, TOK_LBRACE))
			return NULL;
		st->body = parse_body(p, IN_STEP, "step NAME");
		return taken(st);
	}
	if (!here(p, TOK_ASSIGN)) {
		st->body = parse_body(p, IN_STEP, "step NAME");
		return st->body ? st : taken(st);
	}
	next(p);
	if (here(p, TOK_LBRACE)) {
		struct diag_item *it = MISTAKE(p, CW0117, span_tok(p, &p->t), "a step with a block of its own has no '='");

		diag_mend(p->d, it, "write step %s { ... }", st->name->s);
		st->body = parse_block(p, IN_STEP);
		return st;
	}
	st->value = parse_call(p, st, "step");
	if (!st->value)
		return NULL;
	if (here(p, TOK_LBRACE))
		st->body = parse_block(p, IN_CALL);
	return st->value->kind == AX_ERROR ? taken(st) : st;
}

/*
 * sweep = "sweep" NAME "=" call block
 */
static struct ast_stmt *parse_sweep(struct parser *p, enum body in, struct ast_stmt *st, const struct token *head)
{
	struct diag_item *it;

	(void)in;
	(void)head;
	if (!parse_head(p, st, "a sweep"))
		return NULL;
	if (!here(p, TOK_ASSIGN)) {
		it = parse_unexpected(p, "'=' and a call");
		diag_mend(p->d, it, "write sweep %s = TASK(arg = choice(1, 2)) { search = grid(); maximize = OUTPUT }", st->name->s);
		return NULL;
	}
	next(p);
	st->value = parse_call(p, st, "sweep");
	if (!st->value)
		return NULL;
	st->body = parse_body(p, IN_SWEEP, "sweep NAME = TASK(...)");
	return st->body && st->value->kind != AX_ERROR ? st : taken(st);
}

/*
 * loop = "loop" NAME block
 */
static struct ast_stmt *parse_loop(struct parser *p, enum body in, struct ast_stmt *st, const struct token *head)
{
	(void)in;
	(void)head;
	return named_block(p, st, "a loop", "loop NAME", IN_LOOP);
}

/* The bodies inside of an on block know that they are. */
static enum body inner(enum body in, bool is_for)
{
	if (in == IN_ON || in == IN_ON_IF || in == IN_ON_FOR)
		return is_for ? IN_ON_FOR : IN_ON_IF;
	return is_for ? IN_FOR : IN_IF;
}

static struct ast_expr *parse_condition(struct parser *p, const struct token *head, const char *word)
{
	struct diag_item *it;
	struct ast_expr *e;

	if (!p->t.nl_before && p->t.kind != TOK_LBRACE) {
		p->condition = true;
		e = parse_expression(p);
		p->condition = false;
		return e;
	}
	it = MISTAKE(p, CW0120, span_tok(p, head), "'%s' needs a condition", word);
	diag_mend(p->d, it, "write %s CONDITION%s", word, !strcmp(word, "while") ? "" : " { ... }");
	return expr_make(p, AX_ERROR, head->off);
}

/* After a head that was not understood: to its block, if it has one on the line. */
static bool find_block(struct parser *p)
{
	while (!p->t.nl_before && p->t.kind != TOK_LBRACE && p->t.kind != TOK_RBRACE && p->t.kind != TOK_SEMI && p->t.kind != TOK_EOF)
		next(p);
	return here(p, TOK_LBRACE);
}

static struct ast_stmt *parse_branch(struct parser *p, enum body in, struct ast_stmt *st, const struct token *head)
{
	bool ok = true;

	if (st->value == NULL) {
		st->value = parse_condition(p, head, "if");
		ok = st->value;
		if (!ok && !find_block(p))
			return NULL;
	}
	st->body = parse_body(p, inner(in, false), "if CONDITION");
	return ok && st->body ? st : taken(st);
}

/* elif and the like, where an else may stand: reported; the current token is then as if it were else's if. */
static bool at_else(struct parser *p, bool *is_if)
{
	static const char *const words[] = { "elif", "elsif", "elseif", "elsei" };
	struct diag_item *it;

	*is_if = false;
	if (p->t.kind != TOK_NAME)
		return false;
	if (tok_is(p, &p->t, "else")) {
		next(p);
		*is_if = !p->t.nl_before && tok_is(p, &p->t, "if");
		return true;
	}
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		uint32_t at;
		char c;

		if (!tok_is(p, &p->t, words[i]))
			continue;
		c = after_token(p, &p->t, &at);
		if (c == '=' || c == ':')
			return false;
		it = MISTAKE(p, CW0109, span_tok(p, &p->t), "there is no '%s'", words[i]);
		diag_mend(p->d, it, "write else if CONDITION { ... }");
		*is_if = true;
		return true;
	}
	return false;
}

/* Branches behind the last else: reported once, read and left out. */
static bool more_branches(struct parser *p, enum body in)
{
	struct span sp = span_tok(p, &p->t);
	bool is_if, any = false;

	while (tok_is(p, &p->t, "else") && at_else(p, &is_if)) {
		struct token word = p->t;
		struct ast_stmt *branch = stmt_new(p, AS_IF, &word);

		if (!any)
			diag_mend(p->d, MISTAKE(p, CW0109, sp, "this 'if' has had its 'else'"), "else { ... } is the last branch; those before it are else if CONDITION { ... }");
		any = true;
		if (is_if)
			next(p);
		if (is_if ? !parse_branch(p, in, branch, &word) : !parse_body(p, inner(in, false), "else"))
			break;
	}
	return any;
}

/*
 * if = "if" expression block { "else" "if" expression block } [ "else" block ]
 */
static struct ast_stmt *parse_if(struct parser *p, enum body in, struct ast_stmt *st, const struct token *head)
{
	struct ast_stmt *first = st, *branch = parse_branch(p, in, st, head);
	bool is_if = true, bad = !branch || branch->kind == AS_ERROR;
	unsigned n = 0;

	if (!branch)
		return NULL;
	while (is_if && at_else(p, &is_if)) {
		struct token word = p->t;

		if (++n >= PARSE_DEPTH) {
			parse_too_deep(p, span_tok(p, &word));
			break;
		}
		branch->span.len = p->last - branch->span.off;
		branch = branch->else_ = stmt_new(p, AS_IF, &word);
		if (is_if) {
			next(p);
			if (!parse_branch(p, in, branch, &word))
				return NULL;
		} else {
			branch->body = parse_body(p, inner(in, false), "else");
			branch->kind = branch->body ? AS_IF : AS_ERROR;
		}
		bad |= branch->kind == AS_ERROR;
		branch->span.len = p->last - branch->span.off;
	}
	if (n && !is_if)
		bad |= more_branches(p, in);
	return bad ? taken(first) : first;
}

/* The current token, taken if it is of this line and opens no block. */
static struct token next_here(struct parser *p)
{
	struct token t = p->t;

	if (!t.nl_before && t.kind != TOK_LBRACE && t.kind != TOK_EOF)
		next(p);
	return t;
}

/* "= 1 to 3", "= 0; i < 3; i++" up to the block: what a for counts by elsewhere. */
static void counting_for(struct parser *p, const struct str *item)
{
	struct token eq = p->t, from, word, to;
	struct diag_item *it;

	next(p);
	from = next_here(p);
	word = next_here(p);
	to = p->t;
	it = MISTAKE(p, CW0109, span_tok(p, &eq), "'for' takes 'in', not '='");
	if (from.kind == TOK_INT && to.kind == TOK_INT && to.len < 10 && (tok_is(p, &word, "to") || word.kind == TOK_COLON || tok_is(p, &word, "until")))
		diag_mend(p->d, it, "write for %s in range(%.*s, %lld) { ... }", item->s, (int)from.len, p->lx.s + from.off,
			strtoll(p->lx.s + to.off, NULL, 10) + !tok_is(p, &word, "until"));
	else
		diag_mend(p->d, it, "write for %s in LIST { ... }; numbers are counted by range(FROM, BEFORE)", item->s);
	while (!p->t.nl_before && p->t.kind != TOK_LBRACE && p->t.kind != TOK_RBRACE && p->t.kind != TOK_EOF)
		next(p);
}

/* "in" of a for; words of other languages in its place. */
static bool take_in(struct parser *p, const struct str *item)
{
	struct diag_item *it;

	if (tok_is(p, &p->t, "in") && !p->t.nl_before) {
		next(p);
		return true;
	}
	if (here(p, TOK_ASSIGN)) {
		counting_for(p, item);
		return false;
	}
	if (!p->t.nl_before && (tok_is(p, &p->t, "of") || p->t.kind == TOK_COLON)) {
		it = MISTAKE(p, CW0109, span_tok(p, &p->t), "'for' takes 'in', not %s", tok_words(p, &p->t));
		diag_mend(p->d, it, "write for %s in LIST { ... }", item->s);
		next(p);
		return true;
	}
	it = parse_unexpected(p, "'in'");
	diag_mend(p->d, it, "write for %s in LIST { ... }", item->s);
	return false;
}

/* NAME [ "," NAME ] "in" expression */
static bool parse_for_head(struct parser *p, struct ast_stmt *st)
{
	if (here(p, TOK_LPAREN)) {
		diag_mend(p->d, MISTAKE(p, CW0109, span_tok(p, &p->t), "'for' takes no parentheses"), "write for x in LIST { ... }");
		return false;
	}
	if (!parse_head(p, st, "the element of a 'for'"))
		return false;
	if (here(p, TOK_COMMA)) {
		next(p);
		if (!parse_name(p, "the element of a 'for'", &st->name2, &st->name2_span))
			return false;
		st->head.len = p->last - st->head.off;
	}
	if (!take_in(p, st->name2 ? st->name2 : st->name))
		return false;
	if (p->t.nl_before || p->t.kind == TOK_LBRACE) {
		diag_mend(p->d, MISTAKE(p, CW0120, st->head, "this 'for' has no list"), "write for %s in LIST { ... }", st->name->s);
		return false;
	}
	st->value = parse_expression(p);
	return st->value;
}

/*
 * for = "for" NAME [ "," NAME ] "in" expression block
 */
static struct ast_stmt *parse_for(struct parser *p, enum body in, struct ast_stmt *st, const struct token *head)
{
	bool ok = parse_for_head(p, st);

	(void)head;
	if (!ok && !find_block(p))
		return NULL;
	st->body = parse_body(p, inner(in, true), "for NAME in LIST");
	return ok && st->body ? st : taken(st);
}

/*
 * wait = "wait" NAME block
 */
static struct ast_stmt *parse_wait(struct parser *p, enum body in, struct ast_stmt *st, const struct token *head)
{
	(void)in;
	(void)head;
	return named_block(p, st, "a wait", "wait NAME", IN_WAIT);
}

/*
 * approve = "approve" NAME block
 */
static struct ast_stmt *parse_approve(struct parser *p, enum body in, struct ast_stmt *st, const struct token *head)
{
	(void)in;
	(void)head;
	return named_block(p, st, "an approve", "approve NAME", IN_APPROVE);
}

/*
 * service = "service" NAME block
 */
static struct ast_stmt *parse_service(struct parser *p, enum body in, struct ast_stmt *st, const struct token *head)
{
	(void)in;
	(void)head;
	return named_block(p, st, "a service", "service NAME", IN_SERVICE);
}

/*
 * fail = "fail" expression [ block ]
 */
static struct ast_stmt *parse_fail(struct parser *p, enum body in, struct ast_stmt *st, const struct token *head)
{
	(void)in;
	if (at_end_of_entry(p) || p->t.kind == TOK_LBRACE) {
		diag_mend(p->d, MISTAKE(p, CW0120, span_tok(p, head), "'fail' needs a message"), "write fail \"what went wrong\"");
		return NULL;
	}
	st->value = parse_expression(p);
	if (!st->value)
		return NULL;
	if (here(p, TOK_LBRACE))
		st->body = parse_block(p, IN_FAIL);
	return st;
}

/* What is no event of an on block. */
static void wrong_event(struct parser *p, const struct ast_stmt *st)
{
	static const char *const words[][2] = {
		{ "error", "failure" }, { "fail", "failure" }, { "failed", "failure" }, { "failures", "failure" }, { "succeeded", "success" }, { "complete", "exit" },
		{ "completion", "exit" }, { "always", "exit" }, { "finish", "exit" }, { "finally", "exit" }, { "end", "exit" }, { "done", "exit" },
	};
	struct diag_item *it;

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (str_eq(st->name, words[i][0])) {
			it = MISTAKE(p, CW0109, st->name_span, "there is no 'on %s'", st->name->s);
			diag_mend(p->d, it, "write on %s { ... }", words[i][1]);
			return;
		}
	it = MISTAKE(p, CW0119, st->name_span, "there is no 'on %s': 'on' blocks run when a workflow ends", st->name->s);
	diag_mend(p->d, it, "write on exit, on success or on failure; an event from outside starts a run by calling `couler submit`");
}

/*
 * on = "on" ( "exit" | "success" | "failure" ) block
 */
static struct ast_stmt *parse_on(struct parser *p, enum body in, struct ast_stmt *st, const struct token *head)
{
	(void)in;
	(void)head;
	if (!parse_head(p, st, "an 'on' block"))
		return find_block(p) ? (parse_block(p, IN_ON), taken(st)) : NULL;
	if (!str_eq(st->name, "exit") && !str_eq(st->name, "success") && !str_eq(st->name, "failure")) {
		wrong_event(p, st);
		if (find_block(p))
			parse_block(p, IN_ON);
		return taken(st);
	}
	st->body = parse_body(p, IN_ON, "on EVENT");
	return st->body ? st : taken(st);
}

/*
 * while = "while" expression
 */
static struct ast_stmt *parse_while(struct parser *p, enum body in, struct ast_stmt *st, const struct token *head)
{
	st->value = parse_condition(p, head, "while");
	if (!st->value)
		return NULL;
	if (here(p, TOK_LBRACE)) {
		if (stands_in(AS_WHILE, in))
			diag_mend(p->d, MISTAKE(p, CW0101, span_tok(p, &p->t), "'while' has no block: it is a line of its 'loop'"), "write the steps beside it");
		parse_block(p, IN_LOOP);
		return taken(st);
	}
	return st->value->kind == AX_ERROR ? taken(st) : st;
}

/*
 * next = "next" block
 */
static struct ast_stmt *parse_next(struct parser *p, enum body in, struct ast_stmt *st, const struct token *head)
{
	(void)in;
	(void)head;
	st->body = parse_body(p, IN_NEXT, "next");
	return st->body ? st : taken(st);
}

/*
 * job = "job" NAME block
 */
static struct ast_stmt *parse_job(struct parser *p, enum body in, struct ast_stmt *st, const struct token *head)
{
	(void)in;
	(void)head;
	return named_block(p, st, "a job", "job KIND", IN_JOB);
}

/*
 * source = "source" NAME "=" expression
 */
static struct ast_stmt *parse_source(struct parser *p, enum body in, struct ast_stmt *st, const struct token *head)
{
	struct diag_item *it;

	(void)in;
	(void)head;
	if (!parse_head(p, st, "a source"))
		return NULL;
	if (!here(p, TOK_ASSIGN)) {
		it = parse_unexpected(p, "'='");
		diag_mend(p->d, it, "write source %s = split(INPUT)", st->name->s);
		return NULL;
	}
	next(p);
	st->value = parse_value(p, st->name->s);
	return st->value ? st : NULL;
}

/*
 * op = "op" NAME block
 */
static struct ast_stmt *parse_op(struct parser *p, enum body in, struct ast_stmt *st, const struct token *head)
{
	(void)in;
	(void)head;
	return named_block(p, st, "an op", "op NAME", IN_OP);
}

/*
 * trainer = "trainer" block
 */
static struct ast_stmt *parse_trainer(struct parser *p, enum body in, struct ast_stmt *st, const struct token *head)
{
	(void)in;
	(void)head;
	st->body = parse_body(p, IN_TRAINER, "trainer");
	return st->body ? st : taken(st);
}

struct ast_stmt *parse_statement_of(struct parser *p, enum ast_stmt_kind kind, enum body in, const struct token *head)
{
	static parse_fn *const parsers[AS_COUNT] = {
		[AS_IMPORT] = parse_import, [AS_STORE] = parse_store, [AS_TASK] = parse_task, [AS_WORKFLOW] = parse_workflow, [AS_PARAM] = parse_param,
		[AS_LET] = parse_let, [AS_VOLUME] = parse_volume, [AS_DEFAULTS] = parse_defaults, [AS_STEP] = parse_step, [AS_SWEEP] = parse_sweep,
		[AS_LOOP] = parse_loop, [AS_IF] = parse_if, [AS_FOR] = parse_for, [AS_WAIT] = parse_wait, [AS_APPROVE] = parse_approve,
		[AS_SERVICE] = parse_service, [AS_FAIL] = parse_fail, [AS_ON] = parse_on, [AS_IN] = parse_in, [AS_OUT] = parse_out,
		[AS_STATE] = parse_state, [AS_WHILE] = parse_while, [AS_NEXT] = parse_next, [AS_ASK] = parse_ask, [AS_JOB] = parse_job,
		[AS_SOURCE] = parse_source, [AS_OP] = parse_op, [AS_TRAINER] = parse_trainer,
	};
	struct ast_stmt *st = parsers[kind](p, in, stmt_new(p, kind, head), head);

	if (st)
		st->span.len = p->last - st->span.off;
	return st;
}
