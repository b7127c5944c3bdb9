/*
 * One exchange with a language model: three dialects behind one request and one reply. Keys stand in headers alone and in
 * no message; what an endpoint says in an error is shown with control bytes visible and without the key.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <jansson.h>

#include "couler/front.h"
#include "couler/net.h"
#include "couler/nl.h"

enum { MAX_TRIES = 4, MAX_DEPTH = 64, MAX_BODY = 8 << 20 };

/* ---- configuration ---- */

static const char *env(const char *name)
{
	const char *s = getenv(name);

	return s && *s ? s : NULL;
}

static int key_file(struct nl_endpoint *e, struct arena *a, const char *path, char **why)
{
	struct stat st;
	char *text;
	size_t n;

	if (stat(path, &st) || !(text = read_file(a, path, &n))) {
		*why = xsprintf("%s, which COULER_LLM_KEY_FILE names, cannot be read: %s", path, strerror(errno));
		return -1;
	}
	if (st.st_mode & 077) {
		*why = xsprintf("%s holds a key and can be read by others: chmod 600 %s", path, path);
		return -1;
	}
	while (n && isspace((unsigned char)text[n - 1]))
		text[--n] = 0;
	e->key = text;
	return 0;
}

int nl_configure(struct nl_endpoint *e, struct arena *a, char **why)
{
	bool couler = e->url || env("COULER_LLM_URL");

	if (!e->url)
		e->url = env("COULER_LLM_URL");
	if (!e->url)
		e->url = env("OPENAI_BASE_URL");
	if (!e->url && env("OPENAI_API_KEY"))
		e->url = "https://api.openai.com/v1";
	if (!e->model)
		e->model = env("COULER_LLM_MODEL");
	if (!e->model)
		e->model = env("OPENAI_MODEL");
	if (!e->key)
		e->key = env("COULER_LLM_API_KEY");
	if (!e->key && env("COULER_LLM_KEY_FILE") && key_file(e, a, env("COULER_LLM_KEY_FILE"), why))
		return -1;
	/* a key for one place is not sent to another */
	if (!e->key && !couler)
		e->key = env("OPENAI_API_KEY");
	if (e->timeout <= 0 && env("COULER_LLM_TIMEOUT")) {
		const char *t = env("COULER_LLM_TIMEOUT");

		if (double_parse(t, strlen(t), &e->timeout) || !(e->timeout > 0)) {
			*why = xsprintf("COULER_LLM_TIMEOUT is a number of seconds above 0, not '%s'", t);
			return -1;
		}
	}
	if (e->key && strpbrk(e->key, "\r\n")) {
		*why = xsprintf("the key holds a line break");
		return -1;
	}
	if (e->url && !e->model) {
		*why = xsprintf("no model is named: give --llm-model, or set COULER_LLM_MODEL");
		return -1;
	}
	return 0;
}

/* ---- requests ---- */

static const char *const paths[] = { "/chat/completions", "/responses", "/messages" };

static json_t *messages_json(const struct nl_message *m, size_t n, bool skip_system)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		if (!skip_system || strcmp(m[i].role, "system") != 0)
			json_array_append_new(list, json_pack("{s:s, s:s}", "role", m[i].role, "content", m[i].text));
	return list;
}

static enum nl_constraint constraint(const struct nl_endpoint *e)
{
	bool openai = e->dialect == NL_RESPONSES || (e->url && !strncmp(e->url, "https://api.openai.com/", 23));

	if (e->constrain != NL_BY_AUTO)
		return e->constrain;
	if (e->dialect == NL_MESSAGES || (openai && e->stream))
		return NL_BY_OFF;
	return openai ? NL_BY_TOOL : NL_BY_GRAMMAR;
}

/* Constrained decoding: the whole reply is one code block of a file, or the input of a tool is the file. */
static void add_grammar(json_t *b, const struct nl_endpoint *e)
{
	enum nl_constraint by = constraint(e);
	struct strbuf g = { 0 };
	const char *why = NULL, *s;

	if (by == NL_BY_OFF || nl_grammar_write(by == NL_BY_TOOL ? NL_LARK : NL_GBNF, by != NL_BY_TOOL, &g, &why)) {
		sb_free(&g);
		return;
	}
	s = sb_cstr(&g);
	if (by == NL_BY_STRUCTURED) {
		json_object_set_new(b, "structured_outputs", json_pack("{s:s}", "grammar", s));
	} else if (by != NL_BY_TOOL) {
		json_object_set_new(b, by == NL_BY_GUIDED ? "guided_grammar" : "grammar", json_string(s));
	} else if (e->dialect == NL_RESPONSES) {
		json_object_set_new(b, "tools", json_pack("[{s:s, s:s, s:s, s:{s:s, s:s, s:s}}]", "type", "custom", "name", "workflow", "description", "Takes the whole .cw file.",
			"format", "type", "grammar", "syntax", "lark", "definition", s));
		json_object_set_new(b, "tool_choice", json_pack("{s:s, s:s}", "type", "custom", "name", "workflow"));
	} else {
		json_object_set_new(b, "tools", json_pack("[{s:s, s:{s:s, s:s, s:{s:s, s:{s:s, s:s}}}}]", "type", "custom", "custom", "name", "workflow", "description", "Takes the whole .cw file.",
			"format", "type", "grammar", "grammar", "syntax", "lark", "definition", s));
		json_object_set_new(b, "tool_choice", json_pack("{s:s, s:{s:s}}", "type", "custom", "custom", "name", "workflow"));
	}
	sb_free(&g);
}

static json_t *body_json(const struct nl_endpoint *e, const struct nl_message *m, size_t n, unsigned max, unsigned refused)
{
	json_t *b = json_object();
	bool messages = e->dialect == NL_MESSAGES;

	json_object_set_new(b, "model", json_string(e->model ? e->model : ""));
	if (messages && n && !strcmp(m[0].role, "system"))
		json_object_set_new(b, "system", json_string(m[0].text));
	json_object_set_new(b, e->dialect == NL_RESPONSES ? "input" : "messages", messages_json(m, n, messages));
	if (!(refused & NL_REFUSED_TEMPERATURE))
		json_object_set_new(b, "temperature", json_real(0.2));
	if (!(refused & NL_REFUSED_MAX))
		json_object_set_new(b, e->dialect == NL_RESPONSES ? "max_output_tokens" : refused & NL_REFUSED_MAX_TOKENS ? "max_completion_tokens" : "max_tokens", json_integer(max));
	if (!(refused & NL_REFUSED_GRAMMAR))
		add_grammar(b, e);
	if (e->stream)
		json_object_set_new(b, "stream", json_true());
	return b;
}

static void dump(json_t *b, struct strbuf *out)
{
	char *s = json_dumps(b, JSON_COMPACT);

	sb_z(out, s ? s : "{}");
	free(s);
	json_decref(b);
}

void nl_request_body(const struct nl_endpoint *e, const struct nl_message *m, size_t n, unsigned max_tokens, struct strbuf *out)
{
	dump(body_json(e, m, n, max_tokens, 0), out);
}

/* ---- replies ---- */

static bool too_deep(const char *s, size_t n)
{
	int depth = 0;
	bool in = false;

	for (size_t i = 0; i < n; i++) {
		if (in) {
			if (s[i] == '\\')
				i++;
			else if (s[i] == '"')
				in = false;
		} else if (s[i] == '"') {
			in = true;
		} else if (s[i] == '{' || s[i] == '[') {
			if (++depth > MAX_DEPTH)
				return true;
		} else if (s[i] == '}' || s[i] == ']') {
			depth--;
		}
	}
	return false;
}

static const char *text_at(json_t *o, const char *key)
{
	json_t *v = json_object_get(o, key);

	return json_is_string(v) ? json_string_value(v) : NULL;
}

static void usage_of(json_t *root, struct nl_usage *u, bool *told)
{
	json_t *x = json_object_get(root, "usage"), *in, *out;

	if (!x)
		x = json_object_get(json_object_get(root, "response"), "usage");
	if (!x)
		x = json_object_get(json_object_get(root, "message"), "usage");
	in = json_object_get(x, "prompt_tokens") ? json_object_get(x, "prompt_tokens") : json_object_get(x, "input_tokens");
	out = json_object_get(x, "completion_tokens") ? json_object_get(x, "completion_tokens") : json_object_get(x, "output_tokens");
	if (json_is_integer(in) && json_integer_value(in) >= 0) {
		u->prompt += (uint64_t)json_integer_value(in);
		*told = true;
	}
	if (json_is_integer(out) && json_integer_value(out) >= 0) {
		u->reply += (uint64_t)json_integer_value(out);
		*told = true;
	}
}

struct parsed { struct strbuf text; bool truncated, tools, refused, done; char *error; };

static void stop_reason(struct parsed *p, const char *s)
{
	if (!s)
		return;
	p->done = true;
	if (!strcmp(s, "length") || !strcmp(s, "max_tokens") || !strcmp(s, "max_output_tokens"))
		p->truncated = true;
	if (!strcmp(s, "tool_calls") || !strcmp(s, "tool_use"))
		p->tools = true;
	if (!strcmp(s, "content_filter") || !strcmp(s, "refusal"))
		p->refused = true;
}

/* The file that was given to our tool, as the code block that is looked for. */
static void tool_input(struct parsed *p, json_t *call)
{
	const char *s = text_at(call, "input");

	p->tools = true;
	if (s)
		sb_f(&p->text, "```cw\n%s%s```\n", s, *s && s[strlen(s) - 1] == '\n' ? "" : "\n");
}

/* A whole reply, or one event of a stream: they have most members in common. */
static void take(struct parsed *p, json_t *root)
{
	json_t *choice = json_array_get(json_object_get(root, "choices"), 0), *msg, *item, *part, *delta, *err;
	const char *type = text_at(root, "type"), *s;
	size_t i, k;

	err = json_object_get(root, "error");
	if (json_is_object(err) && text_at(err, "message") && !p->error)
		p->error = xstrdup(text_at(err, "message"));
	msg = json_object_get(choice, "message") ? json_object_get(choice, "message") : json_object_get(choice, "delta");
	if ((s = text_at(msg, "content")))
		sb_z(&p->text, s);
	json_array_foreach(json_object_get(msg, "tool_calls"), i, item) {
		p->tools = true;
		tool_input(p, json_object_get(item, "custom"));
	}
	if (text_at(msg, "refusal"))
		p->refused = true;
	stop_reason(p, text_at(choice, "finish_reason"));
	/* responses and messages, whole */
	json_array_foreach(json_object_get(root, "output"), i, item) {
		if (text_at(item, "type") && !strcmp(text_at(item, "type"), "custom_tool_call"))
			tool_input(p, item);
		json_array_foreach(json_object_get(item, "content"), k, part) {
			if ((s = text_at(part, "text")))
				sb_z(&p->text, s);
		}
	}
	json_array_foreach(json_object_get(root, "content"), i, part) {
		if ((s = text_at(part, "text")))
			sb_z(&p->text, s);
		if (text_at(part, "type") && !strcmp(text_at(part, "type"), "tool_use"))
			p->tools = true;
	}
	stop_reason(p, text_at(root, "stop_reason"));
	if (text_at(root, "status") && !strcmp(text_at(root, "status"), "incomplete"))
		stop_reason(p, text_at(json_object_get(root, "incomplete_details"), "reason"));
	/* events */
	if (!type)
		return;
	delta = json_object_get(root, "delta");
	if (!strcmp(type, "response.output_text.delta") && json_is_string(delta))
		sb_z(&p->text, json_string_value(delta));
	if (!strcmp(type, "content_block_delta") && (s = text_at(delta, "text")))
		sb_z(&p->text, s);
	if (!strcmp(type, "message_delta"))
		stop_reason(p, text_at(delta, "stop_reason"));
	if (!strcmp(type, "message_stop") || !strcmp(type, "response.completed"))
		p->done = true;
	if (!strcmp(type, "response.incomplete")) {
		p->done = p->truncated = true;
	}
}

static char *parse_json(const char *s, size_t n, struct parsed *p, struct nl_usage *u, bool *told)
{
	json_error_t err;
	json_t *root;

	if (too_deep(s, n))
		return xsprintf("the reply is JSON nested more than %d deep", MAX_DEPTH);
	root = json_loadb(s, n, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &err);
	if (!root)
		return xsprintf("the reply is not JSON (%s at byte %d)", err.text, err.position);
	if (json_is_object(root)) {
		take(p, root);
		usage_of(root, u, told);
	}
	json_decref(root);
	return NULL;
}

/* Server-sent events: lines "data: JSON", ended by "data: [DONE]" or the dialect's own last event. */
static char *parse_stream(const struct strbuf *b, struct parsed *p, struct nl_usage *u, bool *told)
{
	const char *s = b->s, *end = s + b->n;
	bool done = false;
	char *why = NULL;

	while (s < end && !why) {
		const char *e = memchr(s, '\n', (size_t)(end - s));
		size_t n = (size_t)((e ? e : end) - s);

		while (n && (s[n - 1] == '\r'))
			n--;
		if (n > 5 && !memcmp(s, "data:", 5)) {
			const char *d = s + 5;

			n -= 5;
			while (n && *d == ' ') {
				d++;
				n--;
			}
			if (n == 6 && !memcmp(d, "[DONE]", 6))
				done = true;
			else if (n)
				why = parse_json(d, n, p, u, told);
		}
		if (!e)
			break;
		s = e + 1;
	}
	if (!why && !done && !p->done)
		p->truncated = true;
	return why;
}

/* ---- trying ---- */

static double retry_after(const struct net_reply *r)
{
	char *ms = net_header(r, "retry-after-ms"), *s = net_header(r, "retry-after"), *end;
	double v = -1;
	struct tm tm = { 0 };

	if (ms)
		v = strtod(ms, NULL) / 1000;
	else if (s) {
		v = strtod(s, &end);
		if (end == s)
			v = strptime(s, "%a, %d %b %Y %H:%M:%S", &tm) ? difftime(timegm(&tm), time(NULL)) : -1;
	}
	free(ms);
	free(s);
	return v;
}

static void pause_for(double s)
{
	struct timespec t = { (time_t)s, (long)((s - (double)(time_t)s) * 1e9) };

	while (nanosleep(&t, &t) && errno == EINTR)
		;
}

static char *without_key(char *s, const char *key)
{
	size_t n = key ? strlen(key) : 0;

	for (char *at = s; n > 3 && (at = strstr(at, key)); at += n)
		memset(at, '*', n);
	return s;
}

/* What an endpoint says of an error: its message, else the start of its text. */
static char *error_text(const struct net_reply *r, const char *key, char **param)
{
	json_error_t err;
	json_t *root = r->body.n && !too_deep(r->body.s, r->body.n) ? json_loadb(r->body.s, r->body.n, 0, &err) : NULL, *e = json_object_get(root, "error");
	const char *s = text_at(e, "message") ? text_at(e, "message") : json_is_string(e) ? json_string_value(e) : text_at(root, "message");
	struct strbuf b = { 0 };
	char *out;

	if (s)
		sb_safe(&b, s, strlen(s) > 300 ? 300 : strlen(s));
	else if (r->body.n && r->body.s[0] == '<')
		sb_z(&b, "an HTML page");
	if (param)
		*param = text_at(e, "param") ? xstrdup(text_at(e, "param")) : NULL;
	out = without_key(xstrdup(sb_cstr(&b)), key);
	sb_free(&b);
	json_decref(root);
	return out;
}

static bool says(const char *s, const char *const *words)
{
	for (; *words; words++)
		if (strstr(s, *words))
			return true;
	return false;
}

/* Notes in *refused what the endpoint does not take, one thing a time; body: all that it said. */
static bool adapts(unsigned *refused, const char *param, const char *body)
{
	static const char *const grammar[] = { "grammar", "structured_outputs", "guided", "tools", "tool_choice", "custom", "lark", NULL };
	static const char *const max[] = { "max_tokens", "max_completion_tokens", "max_output_tokens", NULL };
	static const char *const temperature[] = { "temperature", NULL };
	const char *s = param ? param : body;
	unsigned before = *refused;

	if (says(s, temperature))
		*refused |= NL_REFUSED_TEMPERATURE;
	else if (says(s, max))
		*refused |= before & NL_REFUSED_MAX_TOKENS ? NL_REFUSED_MAX : NL_REFUSED_MAX_TOKENS;
	else if (says(s, grammar) || (!param && !(before & NL_REFUSED_GRAMMAR)))               /* what is least known, when nothing is named */
		*refused |= NL_REFUSED_GRAMMAR;
	return *refused != before;
}

struct gather { struct strbuf b; bool large; };

static int gather(const char *s, size_t n, void *ctx)
{
	struct gather *g = ctx;

	if (g->b.n + n > MAX_BODY) {
		g->large = true;
		return 1;
	}
	sb_add(&g->b, s, n);
	return 0;
}

static char *status_fault(const struct nl_endpoint *e, const struct net_request *q, const struct net_reply *r, const char *text)
{
	struct strbuf b = { 0 };
	char *s;

	net_status(q, r, &b);
	if (*text)
		sb_f(&b, ": %s", text);
	if (r->status == 401 || r->status == 403)
		sb_z(&b, "; look at the key (COULER_LLM_API_KEY or OPENAI_API_KEY)");
	else if (r->status == 404)
		sb_f(&b, "; look at the URL, which ends before %s, and at the model's name", paths[e->dialect]);
	else if (r->status >= 300 && r->status < 400)
		sb_z(&b, "; redirects are not followed: give the address itself");
	else if (r->status == 429)
		sb_z(&b, "; the limit of the account is reached");
	s = xstrdup(sb_cstr(&b));
	sb_free(&b);
	return s;
}

static char *net_fault(const struct net_reply *r, const struct gather *g)
{
	if (g->large || r->error == NET_TOO_LARGE)
		return xsprintf("the reply is larger than %d MiB", MAX_BODY >> 20);
	return xsprintf("%s", r->why ? r->why : "the request failed");
}

static char *content(const struct nl_endpoint *e, const struct gather *g, const struct net_reply *r, struct parsed *p, struct nl_usage *u, bool *told)
{
	const struct strbuf *b = &g->b;
	size_t i = 0;
	char *why, *type = net_header(r, "content-type");
	bool html = (type && strstr(type, "text/html")) || false, sse = type && strstr(type, "event-stream");

	free(type);
	while (i < b->n && isspace((unsigned char)b->s[i]))
		i++;
	if (i == b->n)
		return xsprintf("the reply is empty");
	if (utf8_valid(b->s, b->n) < b->n)
		return xsprintf("the reply is not valid UTF-8");
	if (html || b->s[i] == '<')
		return xsprintf("the reply is an HTML page, not JSON: the URL may be that of a web page or a proxy's login");
	why = sse || (e->stream && b->s[i] != '{') ? parse_stream(b, p, u, told) : parse_json(b->s, b->n, p, u, told);
	if (why)
		return why;
	if (p->error)
		return xsprintf("the endpoint reports: %.300s", p->error);
	if (p->refused && !p->text.n)
		return xsprintf("the model refused to answer");
	if (!p->text.n && p->tools)
		return xsprintf("the reply holds calls of tools only, no text");
	if (!p->text.n && !p->truncated)
		return xsprintf("the reply holds no text");
	if (!p->text.n)
		return xsprintf("the reply breaks off before any text: raise the model's limit of tokens, or choose one that thinks less");
	return NULL;
}

/* Tries one request until it is answered; NULL with the pieces in g, or the fault. */
static char *attempt(struct net *net, const struct nl_endpoint *e, const struct nl_message *m, size_t n, unsigned max, unsigned *refused, struct gather *g, struct net_reply *r)
{
	struct strbuf url = { 0 }, auth = { 0 };
	const char *headers[5] = { "Content-Type: application/json", NULL };
	char *why = NULL;
	size_t len = strlen(e->url);

	while (len && e->url[len - 1] == '/')
		len--;
	sb_add(&url, e->url, len);
	sb_z(&url, paths[e->dialect]);
	if (e->key) {
		sb_f(&auth, e->dialect == NL_MESSAGES ? "x-api-key: %s" : "Authorization: Bearer %s", e->key);
		headers[1] = sb_cstr(&auth);
	}
	if (e->dialect == NL_MESSAGES)
		headers[e->key ? 2 : 1] = "anthropic-version: 2023-06-01";
	for (int k = 0;; k++) {
		struct strbuf body = { 0 };
		struct net_request q = { .method = "POST", .url = sb_cstr(&url), .headers = headers, .plain_http = e->insecure_http, .tries = 1, .timeout = e->timeout, .max_body = MAX_BODY, .data = gather, .ctx = g };
		char *text = NULL, *param = NULL;
		double wait;
		bool again = false;

		dump(body_json(e, m, n, max, *refused), &body);
		q.body = body.s;
		q.body_len = body.n;
		g->b.n = 0;
		g->large = false;
		if (net_request(net, &q, r)) {
			again = (r->error == NET_BROKEN && !g->b.n) && k + 1 < MAX_TRIES;
			wait = 0.5 * (double)(1 << k);
			if (!again)
				why = net_fault(r, g);
		} else if (r->status >= 200 && r->status < 300) {
			sb_free(&body);
			break;
		} else {
			text = error_text(r, e->key, &param);
			wait = retry_after(r);
			if ((r->status == 400 || r->status == 422) && adapts(refused, param, r->body.n ? sb_cstr(&r->body) : "")) {
				again = true;
				wait = 0;
			} else if ((r->status == 408 || r->status == 409 || r->status == 429 || r->status >= 500) && k + 1 < MAX_TRIES && !(r->body.n && memmem(r->body.s, r->body.n, "insufficient_quota", 18)) && wait <= 60) {
				again = true;
				if (wait < 0)
					wait = 0.5 * (double)(1 << k) * (0.75 + (double)(rand() % 512) / 1024);
			}
			if (!again)
				why = status_fault(e, &q, r, text);
		}
		sb_free(&body);
		free(text);
		free(param);
		if (!again)
			break;
		net_reply_free(r);
		pause_for(wait);
	}
	sb_free(&url);
	sb_free(&auth);
	return why;
}

int nl_ask(const struct nl_endpoint *e, const struct nl_message *m, size_t n, unsigned max_tokens, struct strbuf *reply, bool *truncated, struct nl_usage *u, char **why)
{
	struct net *net = net_open(why);
	struct gather g = { 0 };
	struct net_reply r = { 0 };
	struct parsed p = { 0 };
	bool told = false;
	size_t sent = 0;

	if (!net)
		return -1;
	*why = attempt(net, e, m, n, max_tokens, &u->refused, &g, &r);
	u->calls++;
	if (!*why) {
		if (!g.b.n && r.body.n)
			sb_add(&g.b, r.body.s, r.body.n);
		*why = content(e, &g, &r, &p, u, &told);
	}
	if (*why)
		without_key(*why, e->key);
	if (!*why && !told) {
		for (size_t i = 0; i < n; i++)
			sent += strlen(m[i].text);
		u->prompt += sent / 4;
		u->reply += p.text.n / 4;
		u->estimated = true;
	}
	reply->n = 0;
	if (!*why)
		sb_add(reply, p.text.s, p.text.n);
	*truncated = p.truncated;
	sb_free(&p.text);
	free(p.error);
	sb_free(&g.b);
	net_reply_free(&r);
	net_close(net);
	return *why ? -1 : 0;
}
