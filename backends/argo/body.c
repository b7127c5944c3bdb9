/* The container of a step: a script in the wrapper, or a command as it is. */
#include "shape.h"

#include <string.h>

/* ---- scripts ---- */

/* How a shell runs a script file. */
uint32_t shell_words(const struct str *shell, const char **v)
{
	uint32_t n = 0;

	v[n++] = "sh";
	v[n++] = "/cw/step";
	v[n++] = shell ? shell->s : "sh";
	if (!shell || str_eq(shell, "sh"))
		v[n++] = "-eu";
	else if (str_eq(shell, "bash")) {
		v[n++] = "-euo";
		v[n++] = "pipefail";
	}
	return n;
}

static void script(struct argo *g, struct yaml *y, struct shape *s, struct site *x)
{
	const struct ir_task *t = s->task;
	const struct str *text = t->script;
	bool encoded = !text_untouched(text->s, text->len);
	const char *words[8];

	g->uses_wrapper = true;
	y_open(y, "script");
	y_z(y, "image", plain_of(x, s->attrs->image));
	y_words(y, "command", words, shell_words(t->shell, words));
	step_environment(g, y, s, x, true, encoded);
	attr_container(g, y, x, s->attrs);
	step_mounts(g, y, s, x);
	if (encoded) {
		struct strbuf b = { 0 };

		text_encode_script(&b, text->s, text->len);
		y_text(y, "source", b.s, b.n);
		sb_free(&b);
	} else {
		y_text(y, "source", text->s, text->len);
	}
	y_end(y);
}

/* ---- commands ---- */

/* Kubernetes halves $$ and replaces $(NAME) in arguments. */
const char *command_word(struct site *x, const struct expr *e)
{
	struct strbuf b = { 0 };
	struct ex t;

	if (e->op == EX_LIT && type_is(e->u.lit->type, T_STRING)) {
		const struct str *s = e->u.lit->u.s;

		if (memmem(s->s, s->len, "{{", 2)) {
			diag_mend(x->g->d, diag_at(x->g->d, CW0801, e->span, "argo cannot carry a value of a command that holds '{{'"),
				"pass it as an input and use a `run` script, or take it from the environment");
			x->g->err = -1;
		}
		for (uint32_t i = 0; i < s->len; i++) {
			if (s->s[i] == '$')
				sb_ch(&b, '$');
			sb_ch(&b, s->s[i]);
		}
		return a_buf(x->g, &b);
	}
	x->lets = 0;
	if (xl_form(x, e) == FORM_SAFE)
		return plain_of(x, e);
	t = xl_text(x, e, FORM_RAW);
	if (xl_form(x, e) != FORM_RAW || may_fail(t.s))
		t = xl_decode(x, hoisted(x, e, true));
	return value_tag(x, ex_f(x, P_ATOM, "replace(%s, '$', '$$')", t.s));
}

static void command(struct argo *g, struct yaml *y, struct shape *s, struct site *x)
{
	const struct ir_task *t = s->task;

	g->uses_command = true;
	y_open(y, "container");
	y_z(y, "image", plain_of(x, s->attrs->image));
	if (t) {
		y_open(y, t->body == BODY_COMMAND ? "command" : "args");
		for (uint32_t i = 0; i < t->nargv; i++) {
			const char *a = command_word(x, t->argv[i]);

			y_item_str(y, a, strlen(a));
		}
		y_end(y);
	}
	step_environment(g, y, s, x, false, false);
	attr_container(g, y, x, s->attrs);
	if (t && t->ncode)
		y_z(y, "workingDir", "/cw/code");
	step_mounts(g, y, s, x);
	y_end(y);
}

/* ---- services ---- */

/* Ready when its port takes connections, or answers the path that is given. */
static void readiness(struct argo *g, struct yaml *y, const struct node *n)
{
	y_open(y, "readinessProbe");
	if (n->u.service.ready) {
		y_open(y, "httpGet");
		y_str(y, "path", n->u.service.ready->s, n->u.service.ready->len);
		y_plain(y, "port", "%lld", (long long)n->u.service.port);
		y_end(y);
	} else {
		y_open(y, "tcpSocket");
		y_plain(y, "port", "%lld", (long long)n->u.service.port);
		y_end(y);
	}
	y_plain(y, "periodSeconds", "2");
	y_plain(y, "failureThreshold", "150");
	y_end(y);
	(void)g;
}

void body_write(struct argo *g, struct yaml *y, struct shape *s, struct site *x)
{
	const struct ir_task *t = s->task;
	struct strbuf *b = y->b;

	if (s->first->kind == N_SERVICE)
		y_plain(y, "daemon", "true");
	switch (t ? t->body : BODY_ARGS) {
	case BODY_RUN:
		script(g, y, s, x);
		break;
	case BODY_COMMAND:
	case BODY_ARGS:
		command(g, y, s, x);
		break;
	case BODY_JOB:
		object_write(g, y, s, x);
		break;
	case BODY_DATAFLOW:
	case BODY_ARGO:
		break;
	}
	if (s->first->kind == N_SERVICE && s->first->u.service.port > 0) {
		struct yaml in = yaml_at(b, y->depth + 1);

		readiness(g, &in, s->first);
	}
}
