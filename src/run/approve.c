/*
 * Gates. An answer is a file answers/GATE of the run: from the terminal, or from `couler approve` in another one. A
 * run that is resumed takes over the answers that were given before.
 */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rt.h"

#define POLL 1.0                          /* s between looks at the answers of others */

struct approval {
	struct active active;             /* first */
	struct inst *inst;
	struct approval *next;
	struct timer limit, poll;
	const char *message;
	struct value *dflt;               /* by ask; T_NULL: none */
	struct value *answers;
	uint32_t asked;                   /* asks answered on the terminal */
	bool shown;
};

static char *answer_path(struct rt *rt, const struct inst *i)
{
	struct strbuf b = { 0 };
	char *p;

	sb_f(&b, "%s/answers/", rt->dir);
	log_name(i, 0, &b);
	p = xstrdup(sb_cstr(&b));
	sb_free(&b);
	return p;
}

static void unlist(struct rt *rt, struct approval *a)
{
	timer_clear(rt, &a->limit);
	timer_clear(rt, &a->poll);
	active_remove(&a->active);
	for (struct approval **at = &rt->approvals; *at; at = &(*at)->next)
		if (*at == a) {
			*at = a->next;
			break;
		}
}

static void show(struct rt *rt);

static void approved(struct rt *rt, struct approval *a)
{
	struct inst *i = a->inst;

	unlist(rt, a);
	i->ports = a->answers;
	inst_end(rt, i, ST_SUCCEEDED, 0);
	show(rt);
}

static void rejected(struct rt *rt, struct approval *a, int code, const char *why)
{
	unlist(rt, a);
	inst_fail(rt, a->inst, code, "%s", why);
	show(rt);
}

/* Checks and sets the answer to ask k; NULL, or what is wrong with it. */
static const char *set_answer(struct rt *rt, struct approval *a, uint32_t k, const char *s, size_t n)
{
	const struct approve_ask *q = &a->inst->node->u.approve.v[k];
	struct valctx c = { rt->arena, rt->m->strs };
	struct evalerr e = { 0 };
	struct value in;
	const char *err = NULL;

	if (value_parse(&c, q->type, s, n, false, &a->answers[k], &err))
		return err ? err : "it does not fit the type";
	if (!q->in || rt_eval(rt, a->inst->scope, q->in, &in, &e))
		return NULL;
	for (uint32_t v = 0; v < in.n; v++)
		if (value_eq(&in.u.list[v], &a->answers[k]))
			return NULL;
	return "it is not one of the allowed values";
}

/* ---- answers in files ---- */

/* Every answer is to a question of the gate; false after a note. */
static bool known_names(struct rt *rt, const struct node *n, json_t *given)
{
	const char *key;
	json_t *v;

	json_object_foreach(given, key, v) {
		uint32_t k = 0;

		while (k < n->u.approve.n && strcmp(n->u.approve.v[k].name->s, key) != 0)
			k++;
		if (k < n->u.approve.n || (!*key && n->u.approve.n == 1))
			continue;
		if (*key)
			view_note(rt, "the answer is not taken: gate '%s' asks no '%s'", n->name->s, key);
		else
			view_note(rt, "the answer is not taken: gate '%s' asks %u questions; answer with --answer NAME=VALUE", n->name->s, n->u.approve.n);
		return false;
	}
	return true;
}

static bool from_json(struct rt *rt, struct approval *a, json_t *root)
{
	const struct node *n = a->inst->node;
	json_t *given = json_object_get(root, "answers");

	if (!json_is_true(json_object_get(root, "approved"))) {
		rejected(rt, a, 1, "rejected");
		return true;
	}
	if (!known_names(rt, n, given))
		return false;
	for (uint32_t k = 0; k < n->u.approve.n; k++) {
		const struct str *name = n->u.approve.v[k].name;
		json_t *v = json_object_get(given, name->s), *only = n->u.approve.n == 1 ? json_object_get(given, "") : NULL;
		const char *wrong = NULL;

		v = v ? v : only;                                           /* of the only question: given without its name */
		if (json_is_string(v))
			wrong = set_answer(rt, a, k, json_string_value(v), json_string_length(v));
		else if (a->dflt[k].type.kind != T_NULL)
			a->answers[k] = a->dflt[k];
		else
			wrong = "it has no answer and no default";
		if (!wrong)
			continue;
		view_note(rt, "the answer to '%s' of gate '%s' is not taken: %s", name->s, n->name->s, wrong);
		return false;
	}
	approved(rt, a);
	return true;
}

static bool from_file(struct rt *rt, struct approval *a)
{
	char *p = answer_path(rt, a->inst);
	json_t *root = json_load_file(p, JSON_REJECT_DUPLICATES, NULL);
	bool done = root && from_json(rt, a, root);

	json_decref(root);
	free(p);
	return done;
}

/* Keeps what was said on the terminal, for a run that resumes this one. */
static void to_file(struct rt *rt, const struct approval *a, bool yes)
{
	const struct node *n = a->inst->node;
	json_t *root = json_object(), *answers = json_object();
	char *p = answer_path(rt, a->inst), *slash = strrchr(p, '/');

	for (uint32_t k = 0; k < n->u.approve.n && yes; k++) {
		struct strbuf b = { 0 };

		value_text(&b, &a->answers[k]);
		json_object_set_new(answers, n->u.approve.v[k].name->s, json_stringn(b.s ? b.s : "", b.n));
		sb_free(&b);
	}
	json_object_set_new(root, "approved", json_boolean(yes));
	json_object_set_new(root, "answers", answers);
	*slash = '\0';
	mkdir(p, 0777);
	*slash = '/';
	if (json_dump_file(root, p, JSON_COMPACT))
		view_note(rt, "%s: %s", p, strerror(errno));
	json_decref(root);
	free(p);
}

int approvals_copy(struct rt *rt, const char *from)
{
	struct strbuf a = { 0 }, b = { 0 };
	struct stat st;
	int rc = 0;

	sb_f(&a, "%s/runs/%s/answers", store_dir(rt->store), from);
	sb_f(&b, "%s/answers", rt->dir);
	if (!stat(sb_cstr(&a), &st))
		rc = copy_tree(a.s, sb_cstr(&b));
	sb_free(&a);
	sb_free(&b);
	return rc;
}

/* ---- the terminal ---- */

static void prompt(struct rt *rt, struct approval *a)
{
	const struct node *n = a->inst->node;
	struct strbuf b = { 0 };

	if (a->asked < n->u.approve.n) {
		const struct approve_ask *q = &n->u.approve.v[a->asked];
		struct evalerr e = { 0 };
		struct value in;

		sb_f(&b, "  %s", q->name->s);
		if (q->in && !rt_eval(rt, a->inst->scope, q->in, &in, &e)) {
			sb_z(&b, " of ");
			value_json(&b, &in);
		}
		if (a->dflt[a->asked].type.kind != T_NULL) {
			sb_z(&b, " (return for ");
			value_text(&b, &a->dflt[a->asked]);
			sb_ch(&b, ')');
		}
		sb_z(&b, ": ");
	} else
		sb_z(&b, "  approve? [y/n] ");
	view_prompt(rt, sb_cstr(&b));
	sb_free(&b);
}

static void show(struct rt *rt)
{
	struct approval *a = rt->approvals;
	struct strbuf name = { 0 };

	if (!a || a->shown || rt->stopping)
		return;
	a->shown = true;
	inst_name(a->inst, &name);
	view_note(rt, "gate %s: %s", sb_cstr(&name), a->message);
	sb_free(&name);
	prompt(rt, a);
}

static void answer_line(struct rt *rt, struct approval *a, const char *s, size_t n)
{
	const struct node *node = a->inst->node;
	const char *wrong = NULL;

	if (a->asked < node->u.approve.n) {
		if (!n && a->dflt[a->asked].type.kind != T_NULL)
			a->answers[a->asked] = a->dflt[a->asked];
		else
			wrong = set_answer(rt, a, a->asked, s, n);
		if (wrong)
			view_note(rt, "%s", wrong);
		else
			a->asked++;
		prompt(rt, a);
	} else if (n && (s[0] == 'y' || s[0] == 'Y')) {
		to_file(rt, a, true);
		approved(rt, a);
	} else if (n && (s[0] == 'n' || s[0] == 'N'))
		rejected(rt, a, 1, "rejected");                             /* not kept: a resumed run asks again */
	else
		prompt(rt, a);
}

void approve_input(struct rt *rt)
{
	char buf[1024];
	ssize_t n = read(STDIN_FILENO, buf, sizeof buf);

	if (n <= 0) {
		epoll_ctl(rt->epoll, EPOLL_CTL_DEL, STDIN_FILENO, NULL);
		while (rt->approvals)
			rejected(rt, rt->approvals, 1, "the terminal was closed before it was answered");
		return;
	}
	view_answered(rt);
	if (rt->approvals)
		answer_line(rt, rt->approvals, buf, (size_t)(n - (buf[n - 1] == '\n')));
}

/* ---- the gate ---- */

static void expired(struct rt *rt, void *data)
{
	rejected(rt, data, EXIT_TIMEOUT, "nobody answered within its timeout");
}

static void stop(struct rt *rt, struct active *a)
{
	rejected(rt, (struct approval *)a, 130, "stopped before it was answered");
}

static void look(struct rt *rt, void *data)
{
	struct approval *a = data;

	if (!from_file(rt, a))
		timer_set(rt, &a->poll, now_mono() + POLL, look, a);
}

static int defaults(struct rt *rt, struct approval *a)
{
	const struct node *n = a->inst->node;
	struct strbuf b = { 0 };
	struct evalerr err = { 0 };
	struct value v;

	a->dflt = arena_array(rt->arena, struct value, n->u.approve.n + 1);
	a->answers = arena_array(rt->arena, struct value, n->nports + n->u.approve.n + 1);
	for (uint32_t k = 0; k < n->u.approve.n; k++) {
		a->dflt[k].type = type_of(T_NULL);
		if (n->u.approve.v[k].dflt && rt_eval(rt, a->inst->scope, n->u.approve.v[k].dflt, &a->dflt[k], &err))
			goto bad;
	}
	a->message = "approve?";
	if (n->u.approve.message) {
		if (rt_eval(rt, a->inst->scope, n->u.approve.message, &v, &err))
			goto bad;
		value_text(&b, &v);
		a->message = arena_dup(rt->arena, b.s ? b.s : "", b.n);
		sb_free(&b);
	}
	return 0;
bad:
	inst_fail(rt, a->inst, EXIT_VALUE, "its message or a default could not be evaluated: %s", rt_evalerr(rt, &err));
	return -1;
}

static void watch_terminal(struct rt *rt)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.fd = STDIN_FILENO };

	if (epoll_ctl(rt->epoll, EPOLL_CTL_ADD, STDIN_FILENO, &ev) && errno != EEXIST)
		view_note(rt, "the terminal cannot be read: %s", strerror(errno));
}

void approve_start(struct rt *rt, struct inst *i)
{
	struct approval *a = arena_new_of(rt->arena, struct approval), **last = &rt->approvals;
	struct strbuf name = { 0 };
	struct evalerr err = { 0 };
	struct value v;

	a->inst = i;
	if (defaults(rt, a) || from_file(rt, a))
		return;
	inst_name(i, &name);
	if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO)) {
		inst_fail(rt, i, 1, "%s: nobody can be asked without a terminal; answer with  couler approve %s %s%s  and go on with  couler resume %s", a->message,
			rt->run_id, sb_cstr(&name), i->node->u.approve.n ? " --answer VALUE" : "", rt->run_id);
		sb_free(&name);
		return;
	}
	sb_free(&name);
	active_add(rt, &a->active, stop);
	if (i->node->attrs && i->node->attrs->timeout && !rt_eval(rt, i->scope, i->node->attrs->timeout, &v, &err))
		timer_set(rt, &a->limit, now_mono() + rt_seconds(&v), expired, a);
	timer_set(rt, &a->poll, now_mono() + POLL, look, a);
	watch_terminal(rt);
	while (*last)
		last = &(*last)->next;
	*last = a;
	show(rt);
}
