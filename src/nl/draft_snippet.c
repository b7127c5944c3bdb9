/* A step with the body of a snippet of the lake: which one is meant, and how its ports are filled. */
#include "draft.h"

#include <ctype.h>
#include <string.h>

static bool has_word(const struct ntext *t, const struct module *m, const char *word)
{
	size_t n = strlen(word);

	for (uint32_t i = m->off; i + n <= m->off + m->len; i++)
		if (!memcmp(t->s + i, word, n) && (i == m->off || !isalnum((unsigned char)t->s[i - 1])) && (n > 3 || !isalnum((unsigned char)t->s[i + n])))
			return true;
	return false;
}

/*
 * Whether the words of a module name what a snippet works with: for what reaches out of the run its tool itself, else one
 * of its tags that is neither a verb nor a word of any pipeline. "fetch the tweets" is no reason for SFTP.
 */
static bool meant(struct draft *d, const struct module *m, const struct snippet *sn)
{
	static const char common[] = "^(?:file|files|table|tables|data|model|models|query|key|test|set|rows|objects|find|local|code|text|texts|parts|up|in|partner|database|warehouse|web|api|hub|window|machine|message|alert|channel|values|missing|csv)$";
	bool outside = m->kind == K_LOAD || m->kind == K_LIST || m->kind == K_UPLOAD || m->kind == K_NOTIFY || m->kind == K_DEPLOY || m->kind == K_REGISTER || m->kind == K_CLEANUP || m->kind == K_RUN;
	struct ntext *t = d->p->text;
	const char *tail = strrchr(sn->name, '_');
	uint32_t k = 0;

	for (const char *s = sn->tags; *s; k++) {
		size_t n = strcspn(s, " ");
		const char *word = arena_dup(d->arena, s, n);

		s += n + (s[n] == ' ');
		if (outside && k && !(tail && !strcmp(tail + 1, word)))
			continue;
		if (has_word(t, m, word) && !rx_has(t, common, word) && (outside || !lex_verb(t, word)))
			return true;
	}
	return tail && !rx_has(t, common, tail + 1) && has_word(t, m, tail + 1);
}

/* The snippet whose task fits the words of a module so well that its body is taken. */
const struct snippet *draft_snippet(struct draft *d, const struct module *m)
{
	struct lake_hit h[4];
	uint32_t n;

	if (!d->lake || d->degrade >= DEGRADE_BODIES || m->job || m->on || draft_fact(d, m, F_COMMAND) || draft_fact(d, m, F_CODE))
		return NULL;
	n = lake_search(d->lake, d->p->text->s + m->off, m->len, kind_words[m->kind], h, 4);
	for (uint32_t i = 0; i < n && h[i].score >= 1.5; i++)
		if (h[i].s->task && meant(d, m, h[i].s))
			return h[i].s;
	return NULL;
}

static bool entry_is(const struct ast_stmt *s, const char *key)
{
	return s->kind == AS_ENTRY && str_eq(s->name, key);
}

/* Role of a port of a snippet's task by its name. */
static enum role port_role(const struct ast_stmt *s)
{
	const char *n = s->name->s;

	if (!s->decl || !type_is_path(s->decl->type))
		return R_COUNT;
	if (s->decl->type.list)
		return R_DATA;
	return strstr(n, "model") || !strcmp(n, "adapter") ? R_MODEL : !strcmp(n, "train_set") ? R_TRAIN : !strcmp(n, "test_set") ? R_TEST : strstr(n, "report") ? R_REPORT : R_DATA;
}

static bool snippet_gives(const struct snippet *sn, const char *metric)
{
	for (uint32_t i = 0; i < sn->task->body->n; i++)
		if (sn->task->body->v[i]->kind == AS_OUT && str_eq(sn->task->body->v[i]->name, metric))
			return true;
	return strstr(sn->tags, "metrics") != NULL;
}

static void slice(const struct snippet *sn, struct span sp, struct strbuf *b)
{
	sb_add(b, sn->text + sp.off, sp.len);
}

/* An input whose default in the lake is only an example: a place, a table, a receiver. */
static bool to_be_told(const struct snippet *sn, const struct ast_stmt *x)
{
	static const char *const names[] = { "source", "destination", "table", "topic", "dataset", "to", "deployment", "notebook", "baseline", "schema", "query", "script", "url" };
	struct span sp = x->decl->value ? x->decl->value->span : (struct span){ 0 };

	if (!x->decl->value || memmem(sn->text + sp.off, sp.len, "getenv", 6))
		return false;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (str_eq(x->name, names[i]))
			return true;
	return false;
}

/* One that the description gives to no step in particular. */
static bool image_for_all(const struct draft *d)
{
	for (uint32_t i = 0; i < d->p->facts.v.n; i++)
		if (d->p->facts.v.v[i].type == F_IMAGE && !d->p->facts.v.v[i].used)
			return true;
	return false;
}

/* The lake's images of a registry of one's own exist nowhere. */
static bool example_image(const struct snippet *sn, const struct ast_stmt *x)
{
	return memmem(sn->text + x->span.off, x->span.len, "/acme/", 6) != NULL;
}

/* A parameter of the workflow for what the description does not say. */
static void ask_for(struct draft *d, const struct module *m, const char *input)
{
	const char *name = nl_fmt(d->arena, "%s_%s", m->name, input);
	struct facts *f = &d->p->facts;
	struct nl_param *q;

	for (uint32_t i = 0; i < f->params.n; i++)
		if (!strcmp(f->params.v[i].name, name))
			return;
	q = vec_add(d->arena, &f->params);
	*q = (struct nl_param){ .name = name, .type = "string", .required = true };
	facts_note(d->p->text, f, "The description does not say the %s of %s: give it as -p %s=...", input, m->name, name);
}

/* "10 epochs", "batch size 128" for the input of that name; NULL if not said. */
static const char *said_number(const struct draft *d, const struct module *m, const char *name)
{
	char *words = arena_dup(d->arena, name, strlen(name));
	struct ntext *t = d->p->text;
	struct rx_match k;

	for (char *c = words; *c; c++)
		if (*c == '_')
			*c = ' ';
	if (!rx_find(t, nl_fmt(d->arena, "\\b%s\\s*(?:of|to|is|=|:)?\\s*(\\d+(?:\\.\\d+)?(?:e-?\\d+)?)(?![\\w.%%])|(?<![\\w.])(\\d+(?:\\.\\d+)?(?:e-?\\d+)?)\\s*%s\\b", words, words), t->s, m->off + m->len, m->off, &k))
		return NULL;
	return nl_num_text(d->arena, nl_group_number(t, &k, k.g[1].set ? 1 : 2));
}

/* A snippet's body on its way into a step. */
struct borrowed {
	struct draft *d;
	const struct module *m;
	uint32_t i;                       /* of the module */
	const struct snippet *sn;
	struct strbuf in;                 /* lines of the step */
	VEC(const char *) names;          /* of ports */
	bool image;                       /* the description names one */
	bool waits, uri_used, mail_used, lacks, access;
	VEC(const char *) asked;
	VEC(struct artifact) made;
	int data;                         /* inputs that are files */
};

static bool named(const struct borrowed *w, const char *name)
{
	for (uint32_t i = 0; i < w->names.n; i++)
		if (!strcmp(w->names.v[i], name))
			return true;
	return false;
}

static bool borrow_file(struct borrowed *w, const struct ast_stmt *x, enum role r)
{
	struct draft *d = w->d;
	const struct artifact *a = draft_wired(d, r == R_DATA && w->m->kind == K_TRAIN ? R_TRAIN : r);
	bool ok = !(d->in_fan >= 0 && w->m->fan == d->in_fan && !w->data) && a && a->list == x->decl->type.list && a->role != R_ITEMS;

	if (ok) {
		sb_f(&w->in, "in %s = %s\n", x->name->s, a->ref);
		if (draft_reads_last(d, a->ref) && d->last.n == 1)
			w->waits = true;
	}
	w->data++;
	vec_push(d->arena, &w->names, x->name->s);
	return ok;
}

static bool borrow_scalar(struct borrowed *w, const struct ast_stmt *x)
{
	struct draft *d = w->d;
	const char *uri = draft_fact(d, w->m, F_URI), *name = x->name->s;

	if (!uri)
		uri = draft_fact(d, w->m, F_FILE);
	vec_push(d->arena, &w->names, name);
	if (uri && !w->uri_used && (str_eq(x->name, "source") || str_eq(x->name, "destination") || str_eq(x->name, "url"))) {
		sb_f(&w->in, "in %s = %s\n", name, nl_quote(d->arena, uri));
		w->uri_used = true;
	} else if (str_eq(x->name, "message")) {
		sb_f(&w->in, "in message = %s\n", nl_quote(d->arena, w->m->doc));
	} else if (str_eq(x->name, "to") && draft_fact(d, w->m, F_EMAIL)) {
		sb_f(&w->in, "in to = %s\n", nl_quote(d->arena, draft_fact(d, w->m, F_EMAIL)));
		w->mail_used = true;
	} else if (to_be_told(w->sn, x)) {
		sb_f(&w->in, "in %s = %s_%s\n", name, w->m->name, name);
		vec_push(d->arena, &w->asked, name);
		return !d->p->facts.schedule.given;                     /* nobody can give it a parameter then */
	} else if (said_number(d, w->m, name)) {
		sb_f(&w->in, "in %s = %s\n", name, said_number(d, w->m, name));
	} else if (x->decl->value) {
		sb_f(&w->in, "in %s = ", name);
		slice(w->sn, x->decl->value->span, &w->in);
		sb_ch(&w->in, '\n');
	} else {
		return false;
	}
	return true;
}

static void borrow_line(struct borrowed *w, const struct ast_stmt *x)
{
	slice(w->sn, x->span, &w->in);
	sb_ch(&w->in, '\n');
}

static void borrow_entry(struct borrowed *w, const struct ast_stmt *x)
{
	if (!entry_is(x, "doc") && !(entry_is(x, "image") && (w->image || example_image(w->sn, x))) && !entry_is(x, "resources") && !entry_is(x, "env") && !entry_is(x, "retry") && !entry_is(x, "timeout")) {
		borrow_line(w, x);
	} else if (entry_is(x, "image")) {
		w->lacks = !w->image;
	} else if (entry_is(x, "env") && !draft_fact(w->d, w->m, F_SECRET)) {
		w->access = true;
		borrow_line(w, x);
	}
}

/* False where the snippet asks for what nobody gives. */
static bool borrow(struct borrowed *w, const struct ast_stmt *x)
{
	enum role r = x->kind == AS_IN || x->kind == AS_OUT ? port_role(x) : R_COUNT;

	if (x->kind == AS_IN)
		return r != R_COUNT ? borrow_file(w, x, r) : borrow_scalar(w, x);
	if (x->kind == AS_OUT) {
		borrow_line(w, x);
		vec_push(w->d->arena, &w->names, x->name->s);
		if (r != R_COUNT)
			vec_push(w->d->arena, &w->made, ((struct artifact){ r, nl_fmt(w->d->arena, "%s.%s", w->m->name, x->name->s), (int)w->i, false }));
	} else if (x->kind == AS_ENTRY) {
		borrow_entry(w, x);
	}
	return true;
}

/* What the description names beside the snippet's own; false for an address that the snippet has no input for. */
static bool borrow_rest(struct borrowed *w)
{
	const struct module *m = w->m;

	for (uint32_t k = 0; k < m->metrics.n; k++)
		if (!named(w, m->metrics.v[k])) {
			sb_f(&w->in, "out %s: float\n", m->metrics.v[k]);
			vec_push(w->d->arena, &w->names, m->metrics.v[k]);
		}
	for (uint32_t k = 0; k < m->params.n; k++)
		if (!named(w, m->params.v[k]))
			sb_f(&w->in, "in %s\n", m->params.v[k]);
	for (uint32_t k = 0; k < m->facts.n; k++) {
		enum fact_type ty = w->d->p->facts.v.v[m->facts.v[k]].type;

		if (((ty == F_URI || ty == F_FILE) && !w->uri_used) || (ty == F_EMAIL && !w->mail_used))
			return false;
	}
	return true;
}

static void write_borrowed(struct borrowed *w, struct strbuf *b)
{
	struct draft *d = w->d;
	const struct module *m = w->m;

	sb_f(b, "step %s {\ndoc = %s\n", m->name, nl_quote(d->arena, m->doc));
	sb_add(b, w->in.s ? w->in.s : "", w->in.n);
	draft_attrs(d, m, b);
	if (!w->waits)
		draft_after(d, b);
	sb_z(b, "}\n");
	for (uint32_t k = 0; k < w->made.n; k++)
		vec_push(d->arena, &d->arts, w->made.v[k]);
	for (uint32_t k = 0; k < w->asked.n; k++)
		ask_for(d, m, w->asked.v[k]);
	if (w->lacks)
		facts_note(d->p->text, &d->p->facts, "The script of %s imports packages that python:3.12-slim lacks: name an image of yours that holds them.", m->name);
	if (w->access)
		facts_note(d->p->text, &d->p->facts, "The secrets and settings in env of %s are assumed: put the names of your own there.", m->name);
	vec_push(d->arena, &d->used, nl_fmt(d->arena, "%s: %s", m->name, w->sn->name));
}

/* A step with the body of a snippet: its ports wired by role, its scalars from facts or its own defaults. */
bool draft_from_snippet(struct draft *d, uint32_t i, const struct snippet *sn, struct strbuf *b)
{
	const struct module *m = &d->p->modules.v[i];
	struct borrowed w = { .d = d, .m = m, .i = i, .sn = sn, .image = draft_fact(d, m, F_IMAGE) != NULL || image_for_all(d) };
	bool ok = true;

	for (uint32_t k = 0; k < m->metrics.n; k++)
		if (!snippet_gives(sn, m->metrics.v[k]))
			return false;
	for (uint32_t k = 0; k < sn->task->body->n && ok; k++)
		ok = borrow(&w, sn->task->body->v[k]);
	ok = ok && borrow_rest(&w);
	if (ok)
		write_borrowed(&w, b);
	sb_free(&w.in);
	return ok;
}
