/*
 * A scanner of sh and bash scripts: quotes, here-documents, substitutions, and the commands that set variables.
 * Grammar: POSIX.1-2017, Shell Command Language, sections 2.2 to 2.10; bash's extensions where sc->bash.
 */
#include "script_scan.h"

/* What the arguments of a command mean. */
enum args {
	ARGS_PLAIN, ARGS_EXPORT, ARGS_LOCAL, ARGS_READ, ARGS_MAPFILE, ARGS_GETOPTS, ARGS_PRINTF, ARGS_LET, ARGS_CD, ARGS_MAKES, ARGS_MAKES_LAST, ARGS_WAIT, ARGS_NAME
};

struct command {
	bool started;                     /* its first word was read */
	enum args args;
	uint32_t nargs;                   /* words that are no options */
	bool take;                        /* the word before was an option whose argument this is */
	bool take_name;                   /* ... and names a variable */
	bool output;                      /* ... and names a file that is written (-o) */
	uint32_t assigns;                 /* plain assignments before its first word: length of sc->assigns then */
	bool last_kept;
	struct script_word last;
};

/* case ... in PATTERN ) commands ;; esac */
struct in_case { enum { CASE_SUBJECT, CASE_IN, CASE_PATTERN, CASE_BODY } state; uint32_t parens; };

static bool is_word(const struct scan *c, const struct word *w, const char *z)
{
	return w->literal && !w->quoted && w->n == strlen(z) && !memcmp(c->buf.s ? c->buf.s : "", z, w->n);
}

static bool one_of(const struct scan *c, const struct word *w, const char *const *v)
{
	for (; *v; v++)
		if (is_word(c, w, *v))
			return true;
	return false;
}

/* The word as a path, if it is worth keeping. */
static bool kept(struct scan *c, const struct word *w, struct script_word *out)
{
	if (c->moved || !w->literal || !w->n || !c->sc->keep || c->buf.s[0] == '-' || !c->sc->keep(c->sc->data, c->buf.s, w->n))
		return false;
	*out = (struct script_word){ w->off, w->len, arena_dup(c->sc->arena, c->buf.s, w->n), (uint32_t)w->n };
	return true;
}

/* ---- commands ---- */

/* End of NAME=, NAME+=, NAME[...]= at off; 0 if it is none. */
static uint32_t assignment(const struct scan *c, uint32_t off, uint32_t end, uint32_t *nname)
{
	uint32_t p = scan_name_end(c, off), deep = 0;

	*nname = p - off;
	if (p == off)
		return 0;
	if (p < end && c->s[p] == '[')
		for (; p < end; p++) {
			deep += c->s[p] == '[';
			deep -= c->s[p] == ']';
			if (!deep) {
				p++;
				break;
			}
		}
	if (p < end && c->s[p] == '+')
		p++;
	return p < end && c->s[p] == '=' ? p + 1 : 0;
}

static bool reads_name(const struct scan *c, uint32_t from, uint32_t name, uint32_t n)
{
	for (uint32_t k = from; k < c->sc->uses.n; k++)
		if (c->sc->uses.v[k].nname == n && !memcmp(c->s + c->sc->uses.v[k].name, c->s + name, n))
			return true;
	return false;
}

static void end_command(struct scan *c, struct command *cmd)
{
	if (cmd->args == ARGS_MAKES_LAST && cmd->nargs > 1 && cmd->last_kept)
		vec_push(c->sc->arena, &c->sc->made, cmd->last);
	*cmd = (struct command){ .assigns = c->sc->assigns.n };
}

/* x=(a "$b") */
static void array(struct scan *c, char end)
{
	struct word w;

	c->i++;
	while (c->i < c->n && cur(c) != ')') {
		if (cur(c) == '#')
			while (c->i < c->n && cur(c) != '\n')
				c->i++;
		else if (cur(c) == '\n')
			scan_newline(c);
		else if (!scan_word(c, end, &w))
			c->i++;
	}
	if (cur(c) != ')')
		scan_lost(c);
	else
		c->i++;
}

static void first_word(struct scan *c, struct command *cmd, const struct word *w)
{
	static const struct { const char *word; enum args args; } known[] = {
		{ "export", ARGS_EXPORT }, { "readonly", ARGS_EXPORT }, { "local", ARGS_LOCAL }, { "declare", ARGS_LOCAL }, { "typeset", ARGS_LOCAL },
		{ "read", ARGS_READ }, { "mapfile", ARGS_MAPFILE }, { "readarray", ARGS_MAPFILE }, { "getopts", ARGS_GETOPTS }, { "printf", ARGS_PRINTF },
		{ "let", ARGS_LET }, { "cd", ARGS_CD }, { "pushd", ARGS_CD }, { "touch", ARGS_MAKES }, { "tee", ARGS_MAKES }, { "rm", ARGS_MAKES },
		{ "mkdir", ARGS_MAKES }, { "truncate", ARGS_MAKES }, { "cp", ARGS_MAKES_LAST }, { "mv", ARGS_MAKES_LAST }, { "ln", ARGS_MAKES_LAST },
		{ "install", ARGS_MAKES_LAST }, { "wait", ARGS_WAIT }, { "coproc", ARGS_NAME },
	};
	static const char *const dynamic[] = { "eval", "source", ".", NULL };
	static const char *const before[] = { "command", "builtin", "exec", "nohup", "nice", "time", "sudo", "!", NULL };
	struct script_word kw;

	if (one_of(c, w, before))
		return;
	cmd->started = true;
	c->sc->assigns.n = cmd->assigns;         /* x=1 cmd sets x for cmd alone */
	if (one_of(c, w, dynamic))
		c->sc->dynamic = true;
	for (size_t k = 0; k < sizeof known / sizeof *known; k++)
		if (is_word(c, w, known[k].word))
			cmd->args = known[k].args;
	/* a command without '/' is found by PATH, never in the folder */
	if (w->literal && memchr(c->buf.s ? c->buf.s : "", '/', w->n) && kept(c, w, &kw))
		vec_push(c->sc->arena, &c->sc->words, kw);
}

/* An argument that names a variable, or NAME=value. */
static void name_arg(struct scan *c, const struct word *w, bool needs_value)
{
	uint32_t n, end = assignment(c, w->off, w->off + w->len, &n);

	if (end || (w->literal && !w->quoted && n == w->len && !needs_value))
		scan_set(c, w->off, n);
	else if (w->quoted && !needs_value && w->literal && w->len == w->n + 2)
		scan_set(c, w->off + 1, (uint32_t)w->n);
	else if (w->quoted && !n && w->off + 1 < c->n && assignment(c, w->off + 1, w->off + w->len, &n))
		scan_set(c, w->off + 1, n);
	else if (!n && !w->literal)
		c->sc->dynamic = true;
}

/* An option of read or mapfile: takes: letters with an argument; names: of these the ones that name a variable. */
static void option(struct scan *c, struct command *cmd, const struct word *w, const char *takes, const char *names)
{
	for (size_t k = 1; k < w->n; k++) {
		char ch = c->buf.s[k];

		if (!strchr(takes, ch))
			continue;
		cmd->take = k + 1 == w->n;
		cmd->take_name = cmd->take && strchr(names, ch);
		break;
	}
}

static bool is_output_option(const struct scan *c, const struct word *w)
{
	static const char *const options[] = { "-o", "--output", "--out", "-out", "--output-file", "--output-document", "-O", NULL };

	return one_of(c, w, options);
}

static void let_arg(struct scan *c, const struct word *w)
{
	uint32_t i = c->i, from = w->off;

	if (char_at(c, from) == '"' || char_at(c, from) == '\'')
		from++;
	c->i = from;
	while (c->i < w->off + w->len)
		if (is_start(cur(c)))
			scan_arith_name(c, false);
		else
			c->i++;
	c->i = i;
}

static void argument(struct scan *c, struct command *cmd, const struct word *w)
{
	bool opt = w->literal && w->n > 1 && c->buf.s[0] == '-' && cmd->args != ARGS_CD;
	bool take = cmd->take, take_name = cmd->take_name, output = cmd->output;
	struct script_word kw;

	cmd->take = cmd->take_name = cmd->output = false;
	if (take) {
		if (take_name)
			name_arg(c, w, false);
		return;
	}
	if (kept(c, w, &kw)) {
		cmd->last = kw;
		if (output || cmd->args == ARGS_MAKES)
			vec_push(c->sc->arena, &c->sc->made, kw);
		else
			vec_push(c->sc->arena, &c->sc->words, kw);
		cmd->last_kept = true;
	} else {
		cmd->last_kept = false;
	}
	if (opt) {
		cmd->output = is_output_option(c, w);
		if (cmd->args == ARGS_READ)
			option(c, cmd, w, "pdnNtuia", "a");
		else if (cmd->args == ARGS_MAPFILE)
			option(c, cmd, w, "dnOsuCc", "");
		else if ((cmd->args == ARGS_PRINTF && is_word(c, w, "-v")) || (cmd->args == ARGS_WAIT && is_word(c, w, "-p")))
			cmd->take = cmd->take_name = true;
		return;
	}
	cmd->nargs++;
	switch (cmd->args) {
	case ARGS_EXPORT: name_arg(c, w, true); break;
	case ARGS_LOCAL: case ARGS_READ: case ARGS_MAPFILE: name_arg(c, w, false); break;
	case ARGS_NAME: if (cmd->nargs == 1) name_arg(c, w, false); break;
	case ARGS_GETOPTS: if (cmd->nargs == 2) name_arg(c, w, false); break;
	case ARGS_LET: let_arg(c, w); break;
	case ARGS_CD: {
		static const char code[] = "CW_CODE";
		bool home = is_word(c, w, ".") || is_word(c, w, "./");

		for (uint32_t k = w->off; k + sizeof code - 1 <= w->off + w->len; k++)
			home |= !memcmp(c->s + k, code, sizeof code - 1);
		c->moved = !home;
		break;
	}
	default: break;
	}
	if ((cmd->args == ARGS_LOCAL || cmd->args == ARGS_EXPORT) && cur(c) == '(' && c->i && c->s[c->i - 1] == '=')
		array(c, '\0');
}

/* [n]>file, <file, <<EOF, <<<word, >&2, <(list): at '<', '>' or "&>". */
static void redirection(struct scan *c, char end)
{
	bool out = false, same = false, moved = c->moved;
	struct script_word kw;
	struct word w;

	if (cur(c) == '<' && char_at(c, c->i + 1) == '<' && char_at(c, c->i + 2) != '<') {
		scan_heredoc(c);
		return;
	}
	if (char_at(c, c->i + 1) == '(' && cur(c) != '&') {
		c->i += 2;
		if (!scan_enter(c))
			return;
		scan_list(c, ')');
		c->depth--;
		if (cur(c) != ')')
			scan_lost(c);
		else
			c->i++;
		c->moved = moved;
		return;
	}
	while (c->i < c->n && strchr("<>&|", cur(c))) {
		out |= cur(c) == '>';
		same |= cur(c) == '<' && char_at(c, c->i + 1) == '<';
		c->i++;
	}
	while (cur(c) == ' ' || cur(c) == '\t')
		c->i++;
	if (char_at(c, c->i) == '<' || char_at(c, c->i) == '>' || !scan_word(c, end, &w))
		return;
	if (!same && kept(c, &w, &kw)) {
		if (out)
			vec_push(c->sc->arena, &c->sc->made, kw);
		else
			vec_push(c->sc->arena, &c->sc->words, kw);
	}
}

/* [[ ... ]]: only substitutions count; parentheses and < > are operators. */
static void conditional(struct scan *c)
{
	struct word w;

	while (c->i < c->n) {
		while (c->i < c->n && strchr(" \t\n;&|()<>", cur(c)))
			c->i++;
		if (c->i >= c->n || !scan_word(c, '\0', &w) || is_word(c, &w, "]]"))
			return;
	}
	scan_lost(c);
}

static void next_blank(struct scan *c)
{
	while (c->i < c->n && (cur(c) == ' ' || cur(c) == '\t' || (cur(c) == '\\' && char_at(c, c->i + 1) == '\n')))
		c->i += cur(c) == '\\' ? 2 : 1;
}

/* for NAME, select NAME, for (( ; ; )): after the keyword. */
static void loop_head(struct scan *c, char end)
{
	struct word w;

	next_blank(c);
	if (cur(c) == '(' && char_at(c, c->i + 1) == '(') {
		c->i += 2;
		if (!scan_arithmetic(c))
			scan_lost(c);
		return;
	}
	if (!scan_word(c, end, &w))
		return;
	if (scan_name_end(c, w.off) == w.off + w.len)
		scan_set(c, w.off, w.len);
}

struct frame {
	char end;
	uint32_t parens;
	struct command cmd;
	VEC(struct in_case) cases;
};

static struct in_case *top_case(struct frame *f)
{
	return f->cases.n ? &f->cases.v[f->cases.n - 1] : NULL;
}

/* Words of `case` outside of its commands; true if w was one. */
static bool case_word(struct scan *c, struct frame *f, const struct word *w)
{
	struct in_case *k = top_case(f);

	if (!k || k->state == CASE_BODY)
		return false;
	if (k->state == CASE_SUBJECT)
		k->state = CASE_IN;
	else if (k->state == CASE_IN)
		k->state = is_word(c, w, "in") ? CASE_PATTERN : CASE_IN;
	else if (is_word(c, w, "esac"))
		f->cases.n--;
	return true;
}

/* Reserved words where a command may start; true if w was one. */
static bool reserved(struct scan *c, struct frame *f, const struct word *w)
{
	static const char *const keep[] = { "if", "then", "else", "elif", "fi", "do", "done", "while", "until", "{", "}", "in", NULL };

	if (one_of(c, w, keep)) {
		end_command(c, &f->cmd);
	} else if (is_word(c, w, "for") || is_word(c, w, "select")) {
		loop_head(c, f->end);
		f->cmd.started = true;
	} else if (is_word(c, w, "case")) {
		struct in_case k = { CASE_SUBJECT, f->parens };

		vec_push(c->sc->arena, &f->cases, k);
	} else if (is_word(c, w, "esac") && top_case(f)) {
		f->cases.n--;
		end_command(c, &f->cmd);
	} else if (is_word(c, w, "[[") && c->sc->bash) {
		conditional(c);
		f->cmd.started = true;
	} else if (is_word(c, w, "function") && c->sc->bash) {
		next_blank(c);
		(void)scan_word(c, f->end, (struct word *)w);
	} else {
		return false;
	}
	return true;
}

static void word(struct scan *c, struct frame *f)
{
	uint32_t uses = c->sc->uses.n, n, end;
	struct word w;

	if (!scan_word(c, f->end, &w)) {
		c->i++;
		return;
	}
	if (case_word(c, f, &w))
		return;
	if ((cur(c) == '<' || cur(c) == '>') && w.literal && !w.quoted) {
		if (strspn(c->s + w.off, "0123456789") >= w.len)
			return;                   /* 2>file */
		if (c->s[w.off] == '{' && scan_name_end(c, w.off + 1) == w.off + w.len - 1 && c->s[w.off + w.len - 1] == '}') {
			scan_set(c, w.off + 1, w.len - 2);
			return;                   /* {fd}>file */
		}
	}
	if (f->cmd.started) {
		argument(c, &f->cmd, &w);
		return;
	}
	end = assignment(c, w.off, w.off + w.len, &n);
	if (end) {
		scan_set(c, w.off, n);
		if (end == w.off + w.len && cur(c) == '(')
			array(c, f->end);
		if (!reads_name(c, uses, w.off, n) && c->s[end - 2] != '+' && c->s[end - 2] != ']')
			vec_push(c->sc->arena, &c->sc->assigns, ((struct script_part){ w.off, w.len }));
		return;
	}
	if (!reserved(c, f, &w))
		first_word(c, &f->cmd, &w);
}

static void open_paren(struct scan *c, struct frame *f)
{
	struct in_case *k = top_case(f);

	if (k && k->state == CASE_PATTERN) {
		c->i++;
	} else if (f->cmd.started) {
		c->i++;                           /* name ( ) { ... } */
		next_blank(c);
		if (cur(c) == ')')
			c->i++;
		end_command(c, &f->cmd);
	} else if (c->sc->bash && char_at(c, c->i + 1) == '(') {
		uint32_t from = c->i;

		c->i += 2;
		if (scan_arithmetic(c)) {
			f->cmd.started = true;
			return;
		}
		c->i = from + 1;
		f->parens++;
	} else {
		c->i++;
		f->parens++;
		end_command(c, &f->cmd);
	}
}

/* False: the list ends here. */
static bool close_paren(struct scan *c, struct frame *f, bool *moved)
{
	struct in_case *k = top_case(f);

	if (k && k->state == CASE_PATTERN && f->parens == k->parens) {
		k->state = CASE_BODY;
	} else if (f->parens) {
		f->parens--;
		if (!f->parens)
			c->moved = *moved;
	} else {
		if (f->end != ')')
			scan_lost(c);
		return false;
	}
	c->i++;
	end_command(c, &f->cmd);
	return true;
}

/* Commands up to `end` (')' or '`', which is left to the caller), or all of the text. */
void scan_list(struct scan *c, char end)
{
	struct frame f = { .end = end, .cmd = { .assigns = c->sc->assigns.n } };
	struct strbuf keep = c->buf;
	bool moved = c->moved;

	if (!scan_enter(c))
		return;
	c->buf = (struct strbuf){ 0 };
	while (c->i < c->n) {
		char ch = cur(c);

		if (ch == '\n') {
			scan_newline(c);
			end_command(c, &f.cmd);
		} else if (ch == ' ' || ch == '\t' || ch == '\r' || (ch == '\\' && char_at(c, c->i + 1) == '\n')) {
			c->i += ch == '\\' ? 2 : 1;
		} else if (ch == '#') {
			while (c->i < c->n && cur(c) != '\n' && !(end == '`' && cur(c) == '`'))
				c->i++;
		} else if (ch == '`' && end == '`') {
			break;
		} else if (ch == '&' && char_at(c, c->i + 1) == '>') {
			redirection(c, end);
		} else if (ch == ';' || ch == '&' || ch == '|') {
			if (ch == ';' && (char_at(c, c->i + 1) == ';' || char_at(c, c->i + 1) == '&') && top_case(&f))
				top_case(&f)->state = CASE_PATTERN;
			c->i++;
			end_command(c, &f.cmd);
		} else if (ch == '(') {
			if (!f.parens)
				moved = c->moved;
			open_paren(c, &f);
		} else if (ch == ')') {
			if (!close_paren(c, &f, &moved))
				break;
		} else if (ch == '<' || ch == '>') {
			redirection(c, end);
		} else {
			word(c, &f);
		}
	}
	end_command(c, &f.cmd);
	sb_free(&c->buf);
	c->buf = keep;
	c->depth--;
	if (!end && (f.parens || f.cases.n))
		c->sc->lost = true;
}

void script_scan(struct script *sc, const char *s, size_t n)
{
	struct scan c = { .sc = sc, .s = s, .n = (uint32_t)n };

	sc->uses.n = sc->sets.n = sc->assigns.n = sc->words.n = sc->made.n = 0;
	sc->dynamic = sc->lost = false;
	scan_list(&c, '\0');
	sb_free(&c.buf);
}
