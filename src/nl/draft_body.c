/* Steps: inputs wired by role, outputs by kind, facts as attributes, bodies from the lake or as a call of a program. */
#include "draft.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* What a kind reads and makes when no snippet of the lake is nearer. */
static const struct shape { enum kind kind; enum role in, in2, out, out2; const char *out_name, *out2_name; } shapes[] = {
	{ K_LOAD, R_COUNT, R_COUNT, R_DATA, R_COUNT, "data", NULL },
	{ K_LIST, R_COUNT, R_COUNT, R_ITEMS, R_COUNT, "items", NULL },
	{ K_VALIDATE, R_DATA, R_COUNT, R_COUNT, R_COUNT, NULL, NULL },
	{ K_CLEAN, R_DATA, R_COUNT, R_DATA, R_COUNT, "clean", NULL },
	{ K_FEATURES, R_DATA, R_COUNT, R_DATA, R_COUNT, "table", NULL },
	{ K_TRANSFORM, R_DATA, R_COUNT, R_DATA, R_COUNT, "result", NULL },
	{ K_SPLIT, R_DATA, R_COUNT, R_TRAIN, R_TEST, "train_set", "test_set" },
	{ K_TRAIN, R_TRAIN, R_MODEL, R_MODEL, R_COUNT, "model", NULL },
	{ K_TUNE, R_TRAIN, R_COUNT, R_MODEL, R_COUNT, "model", NULL },
	{ K_EVALUATE, R_MODEL, R_TEST, R_REPORT, R_COUNT, "report", NULL },
	{ K_PREDICT, R_MODEL, R_DATA, R_DATA, R_COUNT, "predictions", NULL },
	{ K_COMPARE, R_MODEL, R_COUNT, R_MODEL, R_COUNT, "model", NULL },
	{ K_REGISTER, R_MODEL, R_COUNT, R_COUNT, R_COUNT, NULL, NULL },
	{ K_DEPLOY, R_MODEL, R_COUNT, R_COUNT, R_COUNT, NULL, NULL },
	{ K_UPLOAD, R_DATA, R_COUNT, R_COUNT, R_COUNT, NULL, NULL },
	{ K_NOTIFY, R_COUNT, R_COUNT, R_COUNT, R_COUNT, NULL, NULL },
	{ K_REPORT, R_REPORT, R_DATA, R_REPORT, R_COUNT, "report", NULL },
	{ K_MERGE, R_DATA, R_COUNT, R_DATA, R_COUNT, "merged", NULL },
	{ K_CLEANUP, R_COUNT, R_COUNT, R_COUNT, R_COUNT, NULL, NULL },
	{ K_EXPORT, R_MODEL, R_COUNT, R_MODEL, R_COUNT, "exported", NULL },
	{ K_RUN, R_DATA, R_COUNT, R_COUNT, R_COUNT, NULL, NULL },
};

static const struct shape *shape_of(enum kind k)
{
	for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
		if (shapes[i].kind == k)
			return &shapes[i];
	return NULL;
}

/* The newest artifact that can stand for a role. */
const struct artifact *draft_wired(const struct draft *d, enum role role)
{
	static const enum role instead[R_COUNT][4] = {
		[R_DATA] = { R_DATA, R_RESULT, R_TRAIN, R_ITEMS }, [R_TRAIN] = { R_TRAIN, R_DATA, R_RESULT, R_COUNT }, [R_TEST] = { R_TEST, R_DATA, R_RESULT, R_COUNT },
		[R_MODEL] = { R_MODEL, R_COUNT, R_COUNT, R_COUNT }, [R_RESULT] = { R_RESULT, R_DATA, R_COUNT, R_COUNT }, [R_REPORT] = { R_REPORT, R_RESULT, R_DATA, R_MODEL }, [R_ITEMS] = { R_ITEMS, R_COUNT, R_COUNT, R_COUNT },
	};
	const struct artifact *a;

	if (role == R_COUNT || d->degrade >= DEGRADE_WIRING)
		return NULL;
	for (int i = 0; i < 4; i++) {
		if (instead[role][i] == R_COUNT)
			break;
		a = art_find(d, instead[role][i]);
		if (a && !(a->role == R_ITEMS && d->in_fan >= 0))
			return a;
	}
	return NULL;
}

/* ---- the text of a step ---- */

struct step_text { struct strbuf ins, outs, args; uint32_t nins; bool data; VEC(const char *) names; };

static bool has_name(struct step_text *s, const char *name)
{
	for (uint32_t i = 0; i < s->names.n; i++)
		if (!strcmp(s->names.v[i], name))
			return true;
	return false;
}

static const char *own_name(struct draft *d, struct step_text *s, const char *name)
{
	const char *r = name;

	for (int k = 2; has_name(s, r); k++)
		r = nl_fmt(d->arena, "%s_%d", name, k);
	vec_push(d->arena, &s->names, r);
	return r;
}

static void arg(struct step_text *s, const char *flag, const char *var)
{
	char c;

	sb_z(&s->args, " --");
	for (; (c = *flag); flag++)
		sb_ch(&s->args, c == '_' ? '-' : c);
	sb_f(&s->args, " \"$%s\"", var);
}

bool draft_reads_last(const struct draft *d, const char *ref)
{
	size_t n = strcspn(ref, ".");

	for (uint32_t i = 0; i < d->last.n; i++)
		if (strlen(d->last.v[i]) == n && !memcmp(d->last.v[i], ref, n))
			return true;
	return false;
}

static void add_input(struct draft *d, struct step_text *s, const char *name, const char *ref, bool *waits)
{
	const char *own = own_name(d, s, name);

	sb_f(&s->ins, "in %s = %s\n", own, ref);
	arg(s, own, own);
	s->data = true;
	if (draft_reads_last(d, ref) && d->last.n == 1)
		*waits = true;
}

/* Strings that the description gives: addresses, files, mail addresses. */
static void add_strings(struct draft *d, const struct module *m, struct step_text *s)
{
	bool sink = m->kind == K_UPLOAD || m->kind == K_REGISTER || m->kind == K_DEPLOY || m->kind == K_REPORT || m->kind == K_EXPORT || m->kind == K_MERGE;

	for (uint32_t i = 0; i < m->facts.n; i++) {
		const struct fact *f = &d->p->facts.v.v[m->facts.v[i]];
		const char *name;

		if (f->type != F_URI && f->type != F_FILE && f->type != F_EMAIL)
			continue;
		if (f->type == F_URI && m->kind == K_WAIT)
			continue;
		name = f->type == F_EMAIL ? "to" : f->type == F_FILE ? (sink ? "file" : "source_file") : sink || rx_has(d->p->text, "(?:to|into|in|nach|a|para|vers|su|en) *$", "") ? "destination" : "source";
		if (f->type == F_URI && !sink) {
			struct rx_match k;
			uint32_t a = f->off > 12 ? f->off - 12 : 0;

			if (rx_find(d->p->text, "\\b(?:to|into|nach|para|vers|at|under|unter)\\s+(?:table |folder |the )?$", d->p->text->s + a, f->off - a, 0, &k))
				name = "destination";
		}
		name = own_name(d, s, name);
		sb_f(&s->ins, "in %s = %s\n", name, nl_quote(d->arena, f->str));
		arg(s, name, name);
	}
	for (uint32_t i = 0; i < m->params.n; i++)
		if (!has_name(s, m->params.v[i])) {
			sb_f(&s->ins, "in %s\n", own_name(d, s, m->params.v[i]));
			arg(s, m->params.v[i], m->params.v[i]);
		}
}

static void all_models(struct draft *d, struct step_text *s, bool *waits)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < d->arts.n; i++) {
		const struct artifact *a = &d->arts.v[i];

		if (a->role != R_MODEL || a->module < 0)
			continue;
		for (uint32_t k = i + 1; k < d->arts.n; k++)
			if (!strcmp(d->arts.v[k].ref, a->ref))
				a = NULL, k = d->arts.n;
		if (!a)
			continue;
		add_input(d, s, a->list ? "models" : nl_fmt(d->arena, "model_%s", d->p->modules.v[a->module].name), a->ref, waits);
		n++;
	}
	if (n > 1 || d->last.n <= n)
		*waits = true;
}

static void wire(struct draft *d, uint32_t i, struct step_text *s, bool *waits)
{
	const struct module *m = &d->p->modules.v[i];
	const struct shape *sh = shape_of(m->kind);
	const struct artifact *a, *b;

	if (d->in_fan >= 0 && m->fan == d->in_fan) {
		const char *item = d->p->fans.v[m->fan].item;

		sb_f(&s->ins, "in %s\n", own_name(d, s, item));
		arg(s, item, item);
		s->data = true;
	}
	if (!sh || d->in_on || d->degrade >= DEGRADE_WIRING)
		return;
	if (m->kind == K_COMPARE) {
		all_models(d, s, waits);
		if (s->data)
			return;
	}
	a = draft_wired(d, sh->in);
	if (!a && (m->kind == K_EVALUATE || m->kind == K_REGISTER || m->kind == K_DEPLOY || m->kind == K_EXPORT || m->kind == K_COMPARE))
		a = draft_wired(d, R_REPORT);
	if (m->kind == K_UPLOAD && art_find(d, R_REPORT) && art_find(d, R_REPORT) > a)
		a = art_find(d, R_REPORT);
	if ((m->kind == K_UPLOAD || m->kind == K_RUN || m->kind == K_MERGE) && art_find(d, R_MODEL) && rx_has(d->p->text, "\\b(?:model|modell|modelo|modele|weights|checkpoint)", m->doc))
		a = art_find(d, R_MODEL);
	b = sh->in2 == R_MODEL ? (d->in_loop || rx_has(d->p->text, "(?i)fine-?\\s?tun|retrain|re-train|continue|warm|from the (?:last|current)|weiter", m->doc) ? art_find(d, R_MODEL) : NULL) : draft_wired(d, sh->in2);
	if ((sh->in == R_DATA || sh->in == R_REPORT) && d->last.n > 1) {                       /* all branches that just ended */
		uint32_t n = 0;

		for (uint32_t k = 0; k < d->arts.n; k++)
			if (draft_reads_last(d, d->arts.v[k].ref)) {
				add_input(d, s, nl_fmt(d->arena, "%.*s", (int)strcspn(d->arts.v[k].ref, "."), d->arts.v[k].ref), d->arts.v[k].ref, waits);
				n++;
			}
		if (n >= d->last.n)
			*waits = true;
		if (n)
			return;
	}
	if (a)
		add_input(d, s, a->role == R_MODEL ? "model" : a->role == R_ITEMS ? "items" : a->list ? "parts" : "data", a->ref, waits);
	if (b && b != a)
		add_input(d, s, b->role == R_MODEL ? (has_name(s, "model") ? "base" : sh->in2 == R_MODEL ? "base" : "model") : b->role == R_TEST ? "test_set" : "data", b->ref, waits);
	for (uint32_t k = 0; k < d->p->services.n; k++)
		if (m->kind != K_NOTIFY && m->kind != K_LOAD) {
			sb_f(&s->ins, "in %s_url = \"http://${%s.address}\"\n", d->p->services.v[k].name, d->p->services.v[k].name);
			arg(s, nl_fmt(d->arena, "%s_url", d->p->services.v[k].name), nl_fmt(d->arena, "%s_url", d->p->services.v[k].name));
		}
}

static void outputs(struct draft *d, uint32_t i, struct step_text *s)
{
	const struct module *m = &d->p->modules.v[i];
	const struct shape *sh = shape_of(m->kind);

	for (uint32_t k = 0; k < m->metrics.n; k++) {
		const char *name = m->metrics.v[k];
		bool flag = false;

		for (uint32_t c = 0; c < d->p->conds.n; c++)
			flag = flag || (d->p->conds.v[c].flag && !strcmp(d->p->conds.v[c].metric, name));
		if (has_name(s, name))
			continue;
		vec_push(d->arena, &s->names, name);
		sb_f(&s->outs, "out %s: %s\n", name, flag ? "bool" : "float");
		arg(s, nl_fmt(d->arena, "%s_out", name), name);
	}
	if (!sh || sh->out == R_COUNT || d->in_on)
		return;
	if (sh->out == R_ITEMS) {
		sb_f(&s->outs, "out %s: list<string>\n", own_name(d, s, "items"));
		arg(s, "items_out", "items");
		art_add(d, R_ITEMS, nl_fmt(d->arena, "%s.items", m->name), (int)i, false);
		return;
	}
	{
		const char *name = has_name(s, sh->out_name) ? nl_fmt(d->arena, "%s_out", sh->out_name) : sh->out_name, *name2;

		name = own_name(d, s, name);
		sb_f(&s->outs, "out %s: file\n", name);
		arg(s, nl_fmt(d->arena, "%s_out", name), name);
		art_add(d, m->kind == K_TRANSFORM && d->in_fan >= 0 ? R_DATA : sh->out, nl_fmt(d->arena, "%s.%s", m->name, name), (int)i, false);
		if (sh->out2 != R_COUNT) {
			name2 = own_name(d, s, sh->out2_name);
			sb_f(&s->outs, "out %s: file\n", name2);
			arg(s, nl_fmt(d->arena, "%s_out", name2), name2);
			art_add(d, sh->out2, nl_fmt(d->arena, "%s.%s", m->name, name2), (int)i, false);
		}
	}
}

/* Numbers that no rule has understood, as inputs by the name of what they count: 3 epochs, batch size 128, 224x224. */
static void add_numbers(struct draft *d, const struct module *m, struct step_text *s)
{
	static const char named[] = "(?:\\b((?:batch|group|chunk|window|image|vocab|sample|hidden) size|max(?:imum)? depth|learning rate|sequence length|top|seed|port|threshold|confidence|version|limit|lr|dropout|alpha|epochs?|older than|newer than|last)\\s*(?:of|to|is|=|:|above|over|below|under)?\\s*|(?<![\\w.:/@#%\\x01-]))(\\d+x\\d+|\\d+(?:\\.\\d+)?(?:e-?\\d+)?)(?![\\w.:/@-]*[\\w/@-])(?:\\s*(%|percent\\b))?(?:[ -]+((?!of\\b|and\\b|or\\b|to\\b|in\\b|at\\b|on\\b|by\\b|with\\b|for\\b|from\\b|most\\b|more\\b|less\\b|least\\b|times\\b|the\\b|is\\b|are\\b|if\\b|then\\b|am\\b|pm\\b|und\\b|oder\\b|y\\b|et\\b)[a-z]{3,}))?";
	struct ntext *t = d->p->text;
	struct rx_match k;
	uint32_t end = m->off + m->len, n = 0;

	if (m->kind == K_NOTIFY || d->in_on)
		return;
	for (uint32_t at = m->off; n < 4 && at < end && rx_find(t, named, t->w, end, at, &k) && k.g[0].len; at = k.g[0].off + k.g[0].len) {
		const char *num = ntext_fold(t, &k, 2), *name = k.g[1].set && k.g[1].len ? ntext_fold(t, &k, 1) : k.g[4].set ? ntext_fold(t, &k, 4) : NULL;
		bool pair = strchr(num, 'x') != NULL;

		if (pair)
			name = "size";
		if (!name || (!pair && (nl_number(num, strlen(num)) > 1e15 || strlen(num) > 12)))
			continue;
		if (!strncmp(name, "older", 5) || !strncmp(name, "newer", 5) || !strcmp(name, "last"))
			name = nl_fmt(d->arena, "%s_%s", name, k.g[4].set ? ntext_fold(t, &k, 4) : "than");
		name = nl_slug(d->arena, name, strlen(name), 3);
		if (!*name || rx_has(t, "^(?:in|out|if|for|on|task|step|while|next|state|import|job|source|op|true|false|null|else|let|param|fail|wait|loop|sweep|service|approve|store|volume|defaults|workflow|trainer|ask|schedule)$", name) || rx_has(t, "^(?:gpus?|cpus?|cores?|gb|mb|minutes?|hours?|seconds?)$", name))
			continue;
		name = own_name(d, s, name);
		if (pair)
			num = nl_quote(d->arena, num);
		else if (k.g[3].set)
			num = nl_num_text(d->arena, nl_number(num, strlen(num)) / 100);
		else
			num = nl_num_text(d->arena, nl_number(num, strlen(num)));
		sb_f(&s->ins, "in %s = %s\n", name, num);
		arg(s, name, name);
		n++;
	}
}

const char *draft_fact(const struct draft *d, const struct module *m, enum fact_type type)
{
	for (uint32_t i = 0; i < m->facts.n; i++)
		if (d->p->facts.v.v[m->facts.v[i]].type == type)
			return d->p->facts.v.v[m->facts.v[i]].str;
	return NULL;
}

static void body(struct draft *d, const struct module *m, struct step_text *s, struct strbuf *b)
{
	const char *command = draft_fact(d, m, F_COMMAND), *script = draft_fact(d, m, F_CODE), *uri = draft_fact(d, m, F_URI);
	bool web = uri && !strncmp(uri, "http", 4);

	sb_z(b, "run = \"\"\"\n");
	if (command && !strstr(command, "\"\"\"") && !strchr(command, '$')) {
		sb_f(b, "%s\n", command);
	} else if (script) {
		size_t n = strlen(script);
		const char *run = n > 3 && !strcmp(script + n - 3, ".py") ? "python" : n > 3 && !strcmp(script + n - 3, ".sh") ? "sh" : n > 2 && !strcmp(script + n - 2, ".R") ? "Rscript" : n > 2 && !strcmp(script + n - 2, ".r") ? "Rscript" : n > 3 && !strcmp(script + n - 3, ".jl") ? "julia" : n > 4 && !strcmp(script + n - 4, ".jar") ? "java -jar" : "sh";

		if (rx_has(d->p->text, "(?i)\\bspark-submit\\b", m->doc))
			run = "spark-submit";

		sb_f(b, "%s %s%s\n", run, script, sb_cstr(&s->args));
		vec_push(d->arena, &d->programs, script);
	} else if (m->kind == K_LOAD && web && s->outs.n) {
		sb_z(b, "curl -fsSL --retry 3 \"$source\" -o \"$data\"\n");
	} else if (rx_has(d->p->text, "(?i)\\brun (?:the )?pytest\\b|^pytest\\b", m->doc)) {
		sb_z(b, "python -m pytest\n");
	} else if (m->kind == K_RUN && rx_has(d->p->text, "(?i)\\bdbt\\b", m->doc)) {
		sb_z(b, "dbt deps\ndbt build --profiles-dir .\n");
	} else if (m->kind == K_NOTIFY && rx_has(d->p->text, "(?i)slack|webhook|teams|discord|mattermost", m->doc)) {
		const char *var = "WEBHOOK_URL";

		for (uint32_t i = 0; i < m->facts.n; i++) {
			const struct fact *f = &d->p->facts.v.v[m->facts.v[i]];

			if (f->type == F_SECRET)
				var = draft_env_name(d, f->str, draft_secret_key(d, f));
		}
		sb_f(b, "printf '%%s' \"$message\" |\n  python -c 'import json, sys; print(json.dumps({\"text\": sys.stdin.read()}))' |\n  curl -fsS -X POST -H 'Content-Type: application/json' --data @- \"$%s\"\n", var);
	} else {
		sb_f(b, "python %s.py%s\n", m->name, sb_cstr(&s->args));
		vec_push(d->arena, &d->programs, nl_fmt(d->arena, "%s.py", m->name));
	}
	sb_z(b, "\"\"\"\n");
}

void draft_after(struct draft *d, struct strbuf *b)
{
	if (!d->last.n)
		return;
	sb_z(b, "after = [");
	for (uint32_t i = 0; i < d->last.n; i++)
		sb_f(b, "%s%s", i ? ", " : "", d->last.v[i]);
	sb_z(b, "]\n");
}

static void now_last(struct draft *d, const char *name)
{
	d->last.n = 0;
	if (name)
		vec_push(d->arena, &d->last, name);
}

static void step_free(struct step_text *s)
{
	sb_free(&s->ins);
	sb_free(&s->outs);
	sb_free(&s->args);
}

/* An attribute that decides about a message's place: a webhook without a secret gets the usual one. */
static void notify_extras(struct draft *d, const struct module *m, struct step_text *s, struct strbuf *b)
{
	bool secret = draft_fact(d, m, F_SECRET) != NULL, hook = rx_has(d->p->text, "(?i)slack|webhook|teams|discord|mattermost", m->doc);

	if (d->in_on && m->on != ON_GOOD)
		sb_z(&s->ins, "in message = \"${workflow.name} ${workflow.status} ${join(workflow.failed_steps, \", \")}\"\n");
	else
		sb_f(&s->ins, "in message = %s\n", nl_quote(d->arena, m->doc));
	arg(s, "message", "message");
	if (hook && !secret)
		sb_z(b, "env { WEBHOOK_URL = secret(\"webhook\", \"url\") }\n");
}

static void gate(struct draft *d, const struct module *m)
{
	const struct fact *t = NULL;
	struct rx_match k;
	double s = 0;

	for (uint32_t i = 0; i < m->facts.n; i++)
		if (d->p->facts.v.v[m->facts.v[i]].type == F_TIMEOUT)
			t = &d->p->facts.v.v[m->facts.v[i]];
	if (t)
		s = t->num;
	else if (rx_find(d->p->text, "\\b(?:within|in(?:nerhalb)?(?: von)?|after|timeout|max\\.?|binnen|dans les|en|dentro de|em ate|em|en menos de|has|for|up to)\\s+" NL_DUR "|\\b" NL_DUR, d->p->text->s, m->off + m->len, m->off, &k))
		s = nl_group_seconds(d->p->text, &k, k.g[1].set ? 1 : 3);
	sb_f(&d->out, "approve %s {\nmessage = %s\n", m->name, nl_quote(d->arena, m->doc));
	if (s >= 1)
		sb_f(&d->out, "timeout = %s\n", nl_duration(d->arena, s));
	draft_after(d, &d->out);
	sb_z(&d->out, "}\n");
	now_last(d, m->name);
}

static void pause_step(struct draft *d, const struct module *m)
{
	struct ntext *t = d->p->text;
	const char *uri = draft_fact(d, m, F_URI), *file = draft_fact(d, m, F_FILE);
	struct rx_match k;
	double every = 0, timeout = 0, s = 0;

	if (rx_find(t, "\\b(?:every|each|alle|toutes les|cada|poll\\w* every)\\s+" NL_DUR, t->s, m->off + m->len, m->off, &k))
		every = nl_group_seconds(t, &k, 1);
	for (uint32_t i = 0; i < m->facts.n; i++)
		if (d->p->facts.v.v[m->facts.v[i]].type == F_TIMEOUT)
			timeout = d->p->facts.v.v[m->facts.v[i]].num;
	if (rx_find(t, "\\b(?:at most|up to|no longer than|max\\.?|give up after|hoechstens|maximal|timeout(?: of)?|fail after|within)\\s+" NL_DUR, t->s, m->off + m->len, m->off, &k))
		timeout = nl_group_seconds(t, &k, 1);
	if (rx_find(t, NL_DUR, t->s, m->off + m->len, m->off, &k))
		s = nl_group_seconds(t, &k, 1);
	sb_f(&d->out, "wait %s {\n", m->name);
	if (!uri && !file && !every && s > 0 && !rx_has(t, "(?i)\\buntil\\b|\\bbis\\b|jusqu|hasta|ate que|finche", m->doc)) {
		sb_f(&d->out, "for = %s\n", nl_duration(d->arena, s));
	} else {
		const char *what = uri ? uri : file ? file : "";

		if (*what)
			sb_f(&d->out, "in source = %s\n", nl_quote(d->arena, what));
		if (uri && (!strncmp(uri, "s3://", 5)))
			sb_z(&d->out, "image = \"amazon/aws-cli:2.17.0\"\nrun = \"\"\"aws s3 ls \"$source\" \"\"\"\n");
		else if (uri && !strncmp(uri, "http", 4))
			sb_z(&d->out, "run = \"\"\"curl -fsSI \"$source\" \"\"\"\n");
		else if (uri && !strncmp(uri, "gs://", 5))
			sb_z(&d->out, "image = \"google/cloud-sdk:496.0.0-slim\"\nrun = \"\"\"gsutil -q stat \"$source\" \"\"\"\n");
		else if (*what)
			sb_z(&d->out, "run = \"\"\"test -e \"$source\" \"\"\"\n");
		else {
			sb_f(&d->out, "run = \"\"\"python %s.py\"\"\"\n", m->name);
			vec_push(d->arena, &d->programs, nl_fmt(d->arena, "%s.py", m->name));
		}
		if (every >= 1)
			sb_f(&d->out, "every = %s\n", nl_duration(d->arena, every));
		if (timeout >= 1)
			sb_f(&d->out, "timeout = %s\n", nl_duration(d->arena, timeout));
	}
	draft_after(d, &d->out);
	sb_z(&d->out, "}\n");
	now_last(d, m->name);
}

static void job_block(struct draft *d, const struct module *m, struct step_text *s, struct strbuf *b)
{
	const struct job_plan *j = &d->p->job;
	const char *script = draft_fact(d, m, F_CODE);
	double gpus = 0;

	for (uint32_t i = 0; i < m->facts.n; i++)
		if (d->p->facts.v.v[m->facts.v[i]].type == F_GPU)
			gpus = d->p->facts.v.v[m->facts.v[i]].num;
	if (!script) {
		script = nl_fmt(d->arena, "%s.py", m->name);
		vec_push(d->arena, &d->programs, script);
	} else {
		vec_push(d->arena, &d->programs, script);
	}
	sb_f(b, "job %s {\nworkers = %d\n", j->kind, j->workers);
	if (!strcmp(j->kind, "tensorflow") && j->ps)
		sb_f(b, "ps = %d\n", j->ps);
	if (!strcmp(j->kind, "mpi") && j->slots)
		sb_f(b, "slots = %d\n", j->slots);
	if (!strcmp(j->kind, "pytorch"))
		sb_f(b, "run = \"\"\"\ntorchrun --nnodes \"$WORLD_SIZE\" --node_rank \"$RANK\" --master_addr \"$MASTER_ADDR\" --master_port \"$MASTER_PORT\" \\\n  --nproc_per_node %.0f %s%s\n\"\"\"\n", gpus > 0 ? gpus : 1, script, sb_cstr(&s->args));
	else
		sb_f(b, "run = \"\"\"\npython %s%s\n\"\"\"\n", script, sb_cstr(&s->args));
	sb_z(b, "}\n");
}

void draft_step(struct draft *d, uint32_t i)
{
	struct module *m = &d->p->modules.v[i];
	struct step_text s = { 0 };
	struct strbuf extra = { 0 };
	const struct snippet *sn;
	bool waits = false;

	if (m->kind == K_APPROVE && !d->in_on) {
		gate(d, m);
		return;
	}
	if (m->kind == K_WAIT) {
		pause_step(d, m);
		return;
	}
	if (m->kind == K_FAIL) {
		sb_f(&d->out, "fail %s", nl_quote(d->arena, m->doc));
		if (d->last.n) {
			sb_z(&d->out, " { ");
			draft_after(d, &d->out);
			sb_z(&d->out, "}");
		}
		sb_ch(&d->out, '\n');
		now_last(d, NULL);
		return;
	}
	if (m->sweep) {
		draft_sweep(d, i);
		return;
	}
	if (m->dataflow) {
		draft_dataflow(d, i);
		return;
	}
	sn = draft_snippet(d, m);
	if (sn && draft_from_snippet(d, i, sn, &d->out)) {
		now_last(d, m->name);
		return;
	}
	wire(d, i, &s, &waits);
	add_strings(d, m, &s);
	if (m->kind == K_NOTIFY)
		notify_extras(d, m, &s, &extra);
	outputs(d, i, &s);
	add_numbers(d, m, &s);
	sb_f(&d->out, "step %s {\ndoc = %s\n", m->name, nl_quote(d->arena, m->doc));
	sb_add(&d->out, s.ins.s ? s.ins.s : "", s.ins.n);
	sb_add(&d->out, s.outs.s ? s.outs.s : "", s.outs.n);
	sb_add(&d->out, extra.s ? extra.s : "", extra.n);
	draft_attrs(d, m, &d->out);
	if (!waits)
		draft_after(d, &d->out);
	if (m->job)
		job_block(d, m, &s, &d->out);
	else
		body(d, m, &s, &d->out);
	sb_z(&d->out, "}\n");
	step_free(&s);
	sb_free(&extra);
	now_last(d, m->name);
}
