/* --outputs-json: what a run gave, for programs. Written also after a failed run. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "record.h"
#include "rt.h"

struct writer { struct rt *rt; struct strbuf b; bool any; };

static void path_json(struct writer *w, const struct value *v)
{
	const struct str *hex = v->sha256;
	struct strbuf *b = &w->b;
	char known[65];

	if (!hex || v->u.s->s[0] != '/') {                                 /* a location that no step has read */
		const char *p = module_path(w->rt, w->rt->arena, v->u.s->s);
		struct sha sha;
		int rc = v->type.kind == T_DIR ? store_hash_tree(w->rt->store, w->rt->hasher, p, &sha) : store_hash(w->rt->store, w->rt->hasher, p, &sha);

		sb_z(b, "{\"path\":");
		sb_json(b, p, strlen(p));
		sha_hex(&sha, known);
		if (!rc)
			sb_f(b, ",\"sha256\":\"%s\"", known);
		sb_z(b, "}");
		return;
	}
	sb_z(b, "{\"path\":");
	sb_json(b, v->u.s->s, v->u.s->len);
	sb_f(b, ",\"sha256\":\"%s\"}", hex->s);
}

static void value_out(struct writer *w, const struct value *v)
{
	struct strbuf t = { 0 };

	if (v->type.kind == T_NULL && !v->type.list)
		sb_z(&w->b, "null");
	else if (type_is_path(v->type) && v->type.list) {
		sb_ch(&w->b, '[');
		for (uint32_t k = 0; k < v->n; k++) {
			if (k)
				sb_ch(&w->b, ',');
			path_json(w, &v->u.list[k]);
		}
		sb_ch(&w->b, ']');
	} else if (type_is_path(v->type))
		path_json(w, v);
	else if (v->type.list || v->type.kind == T_JSON)
		value_json(&w->b, v);
	else {
		value_text(&t, v);
		sb_json(&w->b, t.s ? t.s : "", t.n);
		sb_free(&t);
	}
}

static void begin(struct writer *w, const struct strbuf *name)
{
	sb_z(&w->b, w->any ? ",\n    " : "\n    ");
	w->any = true;
	sb_json(&w->b, name->s, name->n);
	sb_z(&w->b, ": ");
}

static void inst_out(struct writer *w, const struct inst *i)
{
	const struct node *n = i->node;
	struct strbuf name = { 0 };
	enum status st = i->state == IS_ENDED ? (enum status)i->status : ST_SKIPPED;
	bool first = true;

	inst_name(i, &name);
	begin(w, &name);
	sb_free(&name);
	sb_f(&w->b, "{\"status\":\"%s\",\"exit_code\":", status_name(st));
	if (i->exit_code < 0)
		sb_z(&w->b, "null");
	else
		sb_f(&w->b, "%d", i->exit_code);
	sb_f(&w->b, ",\"attempts\":%u,\"cached\":%s", i->attempts, i->cached ? "true" : "false");
	if (i->err) {
		sb_z(&w->b, ",\"message\":");
		sb_json(&w->b, i->err, strlen(i->err));
	}
	sb_z(&w->b, ",\"outputs\":{");
	for (uint32_t p = 0; st == ST_SUCCEEDED && i->ports && p < n->nports; p++) {
		if (!first)
			sb_ch(&w->b, ',');
		first = false;
		sb_json(&w->b, n->ports[p].name->s, n->ports[p].name->len);
		sb_ch(&w->b, ':');
		value_out(w, &i->ports[p]);
	}
	sb_z(&w->b, "}}");
}

static bool has_name(const struct graph *g, const struct str *name);

/* Steps that pass cse took out: what the one in their place gave. s is NULL where the graph was never activated. */
static void merged_out(struct writer *w, const struct scope *around, struct scope *s, const struct graph *g)
{
	for (uint32_t k = 0; k < g->merged.n; k++) {
		struct scope outer = *around;
		struct inst i = { .node = g->merged.v[k].node, .scope = &outer, .exit_code = -1, .state = IS_ENDED, .status = ST_SKIPPED };

		if (s) {
			i = *scope_inst(w->rt, s, g->merged.v[k].into);
			i.node = g->merged.v[k].node;
			i.scope = s;
			i.attempts = 0;
			i.cached = i.state == IS_ENDED && i.status == ST_SUCCEEDED;
		}
		inst_out(w, &i);
	}
}

/* Steps whose branch is never taken, which pass fold took out of the graph. */
static void folded_skipped(struct writer *w, const struct scope *around, const struct graph *g)
{
	for (uint32_t k = 0; k < g->skipped.n; k++) {
		struct scope s = *around;
		struct inst i = { .node = g->skipped.v[k], .scope = &s, .exit_code = -1, .state = IS_ENDED, .status = ST_SKIPPED };
		bool again = has_name(g, i.node->name);

		for (uint32_t c = 0; c < k && !again; c++)
			again = g->skipped.v[c]->name == i.node->name;
		if (!again && inst_is_step(&i))
			inst_out(w, &i);
	}
}

/* Steps of a graph that was never activated: as if each had one instance. */
static void graph_skipped(struct writer *w, const struct scope *around, struct graph *g)
{
	folded_skipped(w, around, g);
	merged_out(w, around, NULL, g);
	for (uint32_t k = 0; k < g->nodes.n; k++) {
		struct node *n = g->nodes.v[k];
		struct scope s = *around;
		struct inst i = { .node = n, .scope = &s, .exit_code = -1, .state = IS_ENDED, .status = ST_SKIPPED };
		uint32_t count = n->kind == N_IF || n->kind == N_FOR || n->kind == N_GROUP ? node_nchildren(n) : 0;

		if (inst_is_step(&i))
			inst_out(w, &i);
		for (uint32_t c = 0; c < count; c++)
			graph_skipped(w, around, node_child(n, c));
	}
}

static void wfrun_out(struct writer *w, const struct wfrun *wf);

/* Branches that were not taken may hold steps of the same names as the one that was. */
static bool has_name(const struct graph *g, const struct str *name)
{
	for (uint32_t k = 0; g && k < g->nodes.n; k++)
		if (g->nodes.v[k]->name == name)
			return true;
	return false;
}

static void branches_skipped(struct writer *w, const struct inst *i, int32_t taken)
{
	const struct node *n = i->node;

	for (uint32_t b = 0; b < n->u.if_.n; b++) {
		struct graph *g = n->u.if_.v[b].body;

		if ((int32_t)b == taken)
			continue;
		for (uint32_t k = 0; k < g->nodes.n; k++) {
			bool other = taken >= 0 && has_name(n->u.if_.v[taken].body, g->nodes.v[k]->name);
			struct graph one = *g;

			for (uint32_t c = 0; c < b && !other; c++)
				other = (int32_t)c != taken && has_name(n->u.if_.v[c].body, g->nodes.v[k]->name);
			one.nodes.v = &g->nodes.v[k];
			one.nodes.n = 1;
			if (!other)
				graph_skipped(w, i->scope, &one);
		}
	}
}

static void scope_out(struct writer *w, struct scope *s)
{
	folded_skipped(w, s, s->graph);
	merged_out(w, s, s, s->graph);
	for (uint32_t k = 0; k < s->graph->nodes.n; k++) {
		const struct inst *i = &s->inst[k];
		struct node *n = i->node;
		const struct region *r = i->u.region;
		bool region = n->kind == N_IF || n->kind == N_FOR || n->kind == N_GROUP || n->kind == N_LOOP;

		if (inst_is_step(i))
			inst_out(w, i);
		if (n->kind == N_CALL && r && r->wf)
			wfrun_out(w, r->wf);
		if (!region)
			continue;
		for (uint32_t c = 0; r && c < r->nchild; c++)
			scope_out(w, r->child[c]);
		if (n->kind == N_IF)
			branches_skipped(w, i, r ? r->taken : -1);
		else if ((!r || !r->expanded) && n->kind != N_LOOP) {
			for (uint32_t c = 0; c < node_nchildren(n); c++)
				graph_skipped(w, s, node_child(n, c));
		}
	}
}

static void wfrun_out(struct writer *w, const struct wfrun *wf)
{
	if (wf->body)
		scope_out(w, wf->body);
	for (int e = 0; e < ON_COUNT; e++) {
		if (wf->on[e])
			scope_out(w, wf->on[e]);
		else if (wf->w->on[e] && wf->body)
			graph_skipped(w, wf->body, wf->w->on[e]);
	}
}

void outputs_json(struct rt *rt, struct strbuf *out)
{
	struct writer w = { rt, { 0 }, false };
	const struct wfrun *wf = rt->top;

	sb_f(&w.b, "{\n  \"run\": \"%s\",\n  \"status\": \"%s\",\n  \"outputs\": {", rt->run_id, wf->failed || rt->signal || rt->rc ? "failed" : "succeeded");
	for (uint32_t k = 0; k < wf->w->nouts; k++) {
		struct strbuf name = { 0 };

		sb_str(&name, wf->w->outs[k].name);
		begin(&w, &name);
		value_out(&w, &wf->outs[k]);
		sb_free(&name);
	}
	sb_z(&w.b, w.any ? "\n  },\n  \"steps\": {" : "},\n  \"steps\": {");
	w.any = false;
	wfrun_out(&w, wf);
	sb_z(&w.b, w.any ? "\n  }\n}\n" : "}\n}\n");
	*out = w.b;
}

int write_file(const char *path, const struct strbuf *b)
{
	struct stat st;
	bool device = !stat(path, &st) && !S_ISREG(st.st_mode);            /* /dev/stdout, a pipe: written into */
	char *tmp = xmalloc(strlen(path) + 32);
	int fd, rc, e;

	sprintf(tmp, "%s.tmp-%d", path, (int)getpid());
	fd = open(device ? path : tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	rc = fd < 0 ? -1 : record_write(fd, b);
	if (fd >= 0 && close(fd))
		rc = -1;
	if (!rc && !device)
		rc = rename(tmp, path);
	e = errno;
	if (rc && fd >= 0 && !device)
		unlink(tmp);
	free(tmp);
	errno = e;
	return rc;
}

int outputs_write(struct rt *rt, const char *path)
{
	struct strbuf b;
	int rc;

	outputs_json(rt, &b);
	rc = write_file(path, &b);
	sb_free(&b);
	return rc;
}
