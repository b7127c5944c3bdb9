/* Searches over hyperparameters, distributed jobs, elastic input pipelines and services. */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "plan.h"

/* SURE: nobody means anything else by these; HYPER: in a search; ANY: any word or two that a list or a range follows */
#define SURE "(learning[ _-]rates?|lernrate|taux d'apprentissage|tasa de aprendizaje|taxa de aprendizado|lr|eta|batch[ _-]?sizes?|dropout(?: rates?)?|max(?:imum|imal)?[ _-]?depths?|tree depth|profundidad|profondeur|profundidade|n[_ ]estimators|(?:number of )?(?:trees|estimators|baeume|arboles|arvores|arbres)|num[_ ]leaves|weight[ -_]decay|hidden[ _](?:units|size|dim)|(?:number of )?(?:layers|units|heads|filters|neighbou?rs|neurons)|optimi[sz]er|momentum|lora[ _]rank|min[_ ]child[_ ]weight|subsample|colsample(?:_bytree)?|(?:reg[_ ])?lambda|reg[_ ]alpha|warmup(?:[ _]steps)?|chunk[ _]size|top[ _-]k|min[_ ]samples[_ ]leaf|max[_ ]features|num[_ ]layers|embedding[ _](?:dim|size)|sequence length|changepoint[_ ]prior[_ ]scale|seasonality[_ ]prior[_ ]scale)"
#define HYPER "(learning[ _-]rates?|lernrate|taux d'apprentissage|tasa de aprendizaje|taxa de aprendizado|lr|eta|batch(?:[ _-]?sizes?)?|dropout(?: rates?)?|max(?:imum|imal)?[ _-]?depths?|tree depth|depths?|tiefe|profundidad|profondeur|profundidade|n[_ ]estimators|(?:number of )?(?:trees|estimators|baeume|arboles|arvores|arbres)|num[_ ]leaves|leaves|weight[ -_]decay|hidden[ _](?:units|size|dim)|(?:number of )?(?:layers|units|heads|filters|neighbou?rs|neurons)|alpha|beta|gamma|kernel|optimi[sz]er|momentum|temperature|lora[ _]rank|rank|min[_ ]child[_ ]weight|subsample|colsample(?:_bytree)?|(?:reg[_ ])?lambda|reg[_ ]alpha|l2|l1|window(?:[ _]size)?|horizon|warmup(?:[ _]steps)?|width|chunk[ _]size|top[ _-]k|min[_ ]samples[_ ]leaf|max[_ ]features|epsilon|num[_ ]layers|embedding[ _](?:dim|size)|sequence length|changepoint[_ ]prior[_ ]scale|seasonality[_ ]prior[_ ]scale|activation|patience|epochs|c|k|[a-z]+_[a-z_]+)"
#define ANY "\\b((?!(?:trials?|runs?|seeds?|random|gpus?|cpus?|at|in|with|most|least|max|min|and|or|top|parallel|factor|budget|from|to|between|days?|years?|folds?|values?|of|on|for|by|is|are|the|a|an|over|under|above|below|than|every|each|try|page|version|port|keep|about|metric|objective|score)\\b)[a-z][a-z]+(?:[ _-](?!(?:in|from|between|of|is|one|either|log|to|and|or|over|at)\\b)[a-z]+)?)"
#define N "(-?\\d+(?:[.,]\\d+)?(?:e[-+]?\\d+)?|10\\^-\\d+)"

static double value(struct ntext *t, const struct rx_match *m, int g)
{
	const char *s = t->s + m->g[g].off;

	if (m->g[g].len > 4 && !memcmp(s, "10^-", 4))
		return pow(10, -atoi(s + 4));
	return nl_number(s, m->g[g].len);
}

static const char *as_float(struct ntext *t, double v)
{
	const char *s = nl_num_text(t->arena, v);

	return strpbrk(s, ".e") ? s : nl_fmt(t->arena, "%s.0", s);
}

static const char *dim_name(struct ntext *t, uint32_t off, uint32_t len)
{
	static const struct { const char *pattern, *name; } same[] = {
		{ "^(?:learning[ -]rates?|lernrate|taux d'a\\w+|tasa de \\w+|taxa de \\w+|lr|eta)$", "learning_rate" }, { "^batch", "batch_size" }, { "dropout", "dropout" }, { "^(?:max[ _-]?depth)$", "max_depth" },
		{ "^(?:tree depth|depths?|tiefe|profundidad|profondeur|profundidade)$", "depth" }, { "trees|estimators|baeume|arboles|arvores|arbres", "trees" }, { "leaves", "num_leaves" }, { "neighbou?rs", "neighbors" },
	};
	const char *s = arena_dup(t->arena, t->s + off, len), *r;

	for (size_t i = 0; i < sizeof same / sizeof *same; i++)
		if (rx_has(t, same[i].pattern, s))
			return same[i].name;
	if (!strncmp(s, "number of ", 10))
		s += 10;
	r = nl_slug(t->arena, s, strlen(s), 4);
	return rx_has(t, "^(?:in|out|if|for|on|step|task)$", r) ? nl_fmt(t->arena, "p_%s", r) : r;
}

static void add_dim(struct plan *p, const char *name, const char *expr, const char *type)
{
	struct dim d = { name, expr, type };

	for (uint32_t i = 0; i < p->sweep.dims.n; i++)
		if (!strcmp(p->sweep.dims.v[i].name, name))
			return;
	vec_push(p->text->arena, &p->sweep.dims, d);
}

#define RANGE(what) "\\b" what "\\s*(?:\\(?log\\)?\\s*)?(?:log-uniform(?:ly)?\\s*)?(?:in|from|between|:|=|of|zwischen|von|entre|de|range|ranges? from|is|over|auf|dans|en|em|aus|varies|\\s)*\\s*[\\[(]?\\s*" N "\\s*(?:to|-|\\.\\.+|bis|and|und|a|et|y|e|through|until|,(?=\\s*" N "\\s*\\]\\s*(?:\\(?log|uniform)))\\s*" N "\\s*[\\])]?(?:\\s*,?\\s*\\(?((?:on (?:a )?|in |auf (?:einer )?|en |sur (?:une )?|em |with )?(?:the )?(?:log(?:arithmic|arithmisch\\w*|aritmica|arithmique)?(?:[ -]?(?:uniform(?:ly)?|scale|skala|space|distribut\\w+))?|escala log\\w*|echelle log\\w*)|(?:in )?(?:steps?|schritte?n?|pasos|pas) (?:of |von |de )?(\\d+(?:\\.\\d+)?))\\)?)?"
#define LIST(what) "\\b" what "\\s*(?:in|from|:|=|of|aus|one of|either|entre|parmi|de|is|values|,)*\\s*(?:[\\[{(]\\s*([^\\]})\\n]+?)\\s*[\\]})]|((?:-?\\d+(?:\\.\\d+)?(?:e-?\\d+)?)(?:\\s*(?:,|/|\\|)\\s*-?\\d+(?:\\.\\d+)?(?:e-?\\d+)?)*\\s*,?\\s*(?:or|and|oder|und|o|ou|y|e|et|/)\\s*-?\\d+(?:\\.\\d+)?(?:e-?\\d+)?)|((?:-?\\d+(?:\\.\\d+)?(?:e-?\\d+)?)(?:\\s*[,/|]\\s*-?\\d+(?:\\.\\d+)?(?:e-?\\d+)?)+)|((?:adam\\w*|sgd|rmsprop|lion|rbf|linear|poly|sigmoid|relu|gelu|tanh|gini|entropy|log2|sqrt)(?:\\s*(?:,|/|or|and|oder|und|o|ou|y|et)+\\s*(?:adam\\w*|sgd|rmsprop|lion|rbf|linear|poly|sigmoid|relu|gelu|tanh|gini|entropy|log2|sqrt))+))"

#define NUMBERS(what) what "\\s*(?:in|:|=|of|one of|either|values|,)*\\s*(?:[\\[{(]\\s*((?:-?\\d+(?:\\.\\d+)?(?:e-?\\d+)?)(?:\\s*[,/|]\\s*-?\\d+(?:\\.\\d+)?(?:e-?\\d+)?)+)\\s*[\\]})]|(-?\\d+(?:\\.\\d+)?(?:e-?\\d+)?(?:\\s*(?:,|/|\\|)\\s*-?\\d+(?:\\.\\d+)?(?:e-?\\d+)?)*\\s*,?\\s*(?:or|and|oder|und|o|ou|y|e|et)\\s*-?\\d+(?:\\.\\d+)?(?:e-?\\d+)?)|(-?\\d+(?:\\.\\d+)?(?:e-?\\d+)?(?:\\s*[,/|]\\s*-?\\d+(?:\\.\\d+)?(?:e-?\\d+)?)+))"

static void read_ranges(struct plan *p, const char *range)
{
	struct ntext *t = p->text;
	struct rx_match m, k;

	for (size_t at = 0; rx_work(t, range, at, &m);) {
		double lo = value(t, &m, 2), hi = value(t, &m, m.g[4].set ? 4 : 3);
		bool log = (m.g[5].set && rx_find(t, "log", t->s, m.g[5].off + m.g[5].len, m.g[5].off, &k)) || rx_find(t, "\\blog", t->s, m.g[2].off, m.g[1].off + m.g[1].len, &k), ints;
		const char *name = dim_name(t, m.g[1].off, m.g[1].len), *expr, *type;

		at = m.g[0].off + 1;
		if (isnan(lo) || isnan(hi) || !(lo < hi) || (lo >= 1900 && hi <= 2100))
			continue;
		/* "16 and 32" of a batch size is a choice, "3 and 10" after "between" a range */
		if (!rx_find(t, "between|zwischen|entre|from|von|\\bto\\b|bis|-|\\.\\.", t->s, m.g[0].off + m.g[0].len, m.g[1].off + m.g[1].len, &k))
			continue;
		ints = lo == floor(lo) && hi == floor(hi) && !memchr(t->s + m.g[2].off, 'e', m.g[2].len) && !memchr(t->s + m.g[2].off, '.', m.g[2].len) && !rx_has(t, "dropout|rate|decay|alpha|gamma|subsample|colsample|momentum|temperature", name);
		if (!log && !m.g[6].set && !ints && lo > 0 && hi / lo >= 999) {
			log = true;
			facts_note(t, &p->facts, "The range of %s spans %.0f powers of ten: it is drawn on a log scale.", name, floor(log10(hi / lo) + 0.5));
		}
		if (m.g[6].set) {
			double by = nl_group_number(t, &m, 6);
			bool whole = ints && by == floor(by);

			expr = whole ? nl_fmt(t->arena, "steps(%.0f, %.0f, %.0f)", lo, hi, by) : nl_fmt(t->arena, "steps(%s, %s, %s)", as_float(t, lo), as_float(t, hi), as_float(t, by));
			type = whole ? "int" : "float";
		} else if (log && lo > 0) {
			expr = nl_fmt(t->arena, "log_uniform(%s, %s)", as_float(t, lo), as_float(t, hi));
			type = "float";
		} else if (ints) {
			expr = nl_fmt(t->arena, "int_uniform(%.0f, %.0f)", lo, hi);
			type = "int";
		} else {
			expr = nl_fmt(t->arena, "uniform(%s, %s)", as_float(t, lo), as_float(t, hi));
			type = "float";
		}
		add_dim(p, name, expr, type);
		ntext_take(t, m.g[0].off, m.g[0].len);
		at = m.g[0].off + m.g[0].len;
	}
}

static void read_lists(struct plan *p, const char *list)
{
	struct ntext *t = p->text;
	struct rx_match m, k;

	for (size_t at = 0; rx_work(t, list, at, &m);) {
		int g = m.g[2].set ? 2 : m.g[3].set ? 3 : m.g[4].set ? 4 : 5;
		struct strbuf b = { 0 };
		uint32_t n = 0, floats = 0, words = 0;
		const char *name = dim_name(t, m.g[1].off, m.g[1].len);
		size_t i;

		at = m.g[0].off + 1;
		for (int pass = 0; pass < 2; pass++) {
			n = 0;
			for (i = m.g[g].off; rx_find(t, "[\"'`]?([\\w.+^-]+)[\"'`]?", t->s, m.g[g].off + m.g[g].len, i, &k); i = k.g[0].off + k.g[0].len) {
				double v;
				const char *w = ntext_orig(t, k.g[1].off, k.g[1].len);

				if (rx_has(t, "^(?:or|and|oder|und|o|ou|y|e|et)$", w))
					continue;
				v = nl_number(t->s + k.g[1].off, k.g[1].len);
				if (isnan(v) || !(isdigit((unsigned char)w[0]) || w[0] == '-')) {
					words += !pass;
				} else {
					floats += !pass && (strpbrk(w, ".eE") != NULL);
				}
				if (pass)
					sb_f(&b, "%s%s", n ? ", " : "", words ? nl_quote(t->arena, w) : floats ? as_float(t, v) : nl_num_text(t->arena, v));
				n++;
			}
		}
		if (n > 1) {
			add_dim(p, name, nl_fmt(t->arena, "choice(%s)", sb_cstr(&b)), words ? "string" : floats ? "float" : "int");
			ntext_take(t, m.g[0].off, m.g[0].len);
			at = m.g[0].off + m.g[0].len;
		}
		sb_free(&b);
	}
}

static void read_dims(struct plan *p)
{
	static const char range[] = RANGE(HYPER), list[] = LIST(HYPER), any_range[] = RANGE(ANY), any_list[] = NUMBERS(ANY);
	static const char words[] = "\\b([a-z]+_[a-z_]+)\\s*(?:in|:|=|of|is|one of|either)*\\s*([a-z]\\w*(?:\\s*[,/|]\\s*[a-z]\\w*)*\\s*,?\\s+(?:or|oder|ou)\\s+[a-z]\\w*)";

	read_ranges(p, range);
	read_lists(p, list);
	read_ranges(p, any_range);
	read_lists(p, any_list);
	read_lists(p, words);
}

static const char *metric_of(struct ntext *t, const struct rx_match *m, int g)
{
	const char *s = ntext_fold(t, m, g);
	static const char known[] = "(macro[ -]?f1|micro[ -]?f1|f1|roc[ -]?auc|pr[ -]?auc|auc|accuracy|rmse|mse|mae|mape|smape|r2|log ?loss|(?:val(?:idation)? )?loss|perplexity|recall(?:@\\d+)?|precision|ndcg|iou|miou|dice|wer|bleu|map|sharpe|silhouette|genauigkeit|exactitude|acuracia|exactitud)";
	struct rx_match k;

	if (rx_find(t, known, s, strlen(s), 0, &k))
		return nl_slug(t->arena, s + k.g[1].off, k.g[1].len, 3);
	return nl_slug(t->arena, s, strlen(s), 3);
}

static bool lower_better(struct ntext *t, const char *metric)
{
	return rx_has(t, "rmse|mse|mae|mape|loss|perplexity|error|wer|latency|cost|time", metric);
}

/* A search that no word names: "20 random learning rates", "a forest with max depth 3, 5 and 10 ... the best". */
static bool implied(struct plan *p)
{
	static const char drawn[] = "\\b" NL_NUM "\\s+(?:(random(?:ly (?:chosen|drawn|sampled|picked))?)|different|possible|candidate|log[- ]?uniform)\\s+(?:values? (?:of|for) (?:the )?)?" SURE "s?\\b";
	static const char several[] = LIST(SURE), between[] = RANGE(SURE);
	static const char choice[] = "\\b(?:best|better|highest|lowest|smallest|winner|winning|compare|pick|choose|select|keep|try|test|different|various|several|each|beste[nrs]?|mejor|meilleure?s?|melhor)\\b";
	struct ntext *t = p->text;
	struct rx_match m, k;

	if (!rx_work(t, "\\b(?:re-?)?(?:train|fit|fine-?tun|train(?:iere|ier)|entren|entrain|trein)\\w*|\\bmodel|\\b(?:forest|xgboost|lightgbm|classifier|regressor|network|svm)\\b", 0, &m))
		return false;
	if (rx_work(t, drawn, 0, &m)) {
		double v = nl_group_number(t, &m, 1);

		if (m.g[2].set && v >= 1 && v <= 100000)
			p->sweep.trials = (int)v;
		p->sweep.off = m.g[0].off;
		ntext_take(t, m.g[1].off, m.g[1].len);
		return true;
	}
	for (size_t at = 0; rx_work(t, several, at, &m); at = m.g[0].off + m.g[0].len)
		if (rx_find(t, ",|/|\\||\\b(?:or|and|oder|und|o|ou|y|e|et)\\b", t->s, m.g[0].off + m.g[0].len, m.g[1].off + m.g[1].len, &k) && rx_work(t, choice, 0, &k)) {
			p->sweep.off = m.g[0].off;
			return true;
		}
	if (rx_work(t, between, 0, &m) && rx_find(t, "between|zwischen|entre|from|von|\\bto\\b|bis", t->s, m.g[0].off + m.g[0].len, m.g[1].off + m.g[1].len, &k) && rx_work(t, choice, 0, &k)) {
		p->sweep.off = m.g[0].off;
		return true;
	}
	return false;
}

static void read_halving(struct plan *p)
{
	struct ntext *t = p->text;
	struct sweep_plan *s = &p->sweep;
	struct rx_match m, k;

	s->factor = 3;
	if (rx_work(t, "\\b(?:factor|faktor|eta|facteur)(?: of|=|:)? (\\d+)|\\bkeep(?:ing)? (?:the )?(?:best |top )?(?:(third|quarter|half)|1/(\\d))", 0, &m)) {
		s->factor = m.g[1].set ? atoi(t->s + m.g[1].off) : m.g[3].set ? atoi(t->s + m.g[3].off) : t->s[m.g[2].off] == 't' ? 3 : t->s[m.g[2].off] == 'q' ? 4 : 2;
		ntext_take(t, m.g[0].off, m.g[0].len);
	}
	s->budget = "epochs";
	s->lo = "1";
	s->hi = "27";
	if (rx_work(t, "\\b(epochs?|steps|trees|rounds|samples|iterations|budget)\\s*(?:budget )?(?:of |: ?|= ?)?(?:min(?:imum)?|from|between|von|de|entre)?[ :=]*(\\d+)\\s*(?:(?:up )?(?:and|to|,|-|bis|a|et)+)\\s*(?:max(?:imum)?[ :=]*)?(\\d+)\\s*(epochs?|epochen|epocas|steps|trees|rounds|samples|iterations)?|\\b(\\d+)\\s*(?:to|-|bis|\\.\\.|a)\\s*(\\d+)\\s*(epochs?|epochen|epocas|steps|trees|rounds|samples|iterations)", 0, &m)) {
		int a = m.g[2].set ? 2 : 5, b = m.g[2].set ? 3 : 6, w = m.g[1].set ? 1 : m.g[4].set ? 4 : 7;

		s->lo = ntext_fold(t, &m, a);
		s->hi = ntext_fold(t, &m, b);
		if (m.g[w].set && !rx_find(t, "budget", t->s, m.g[w].off + m.g[w].len, m.g[w].off, &k))
			s->budget = rx_find(t, "epo", t->s, m.g[w].off + m.g[w].len, m.g[w].off, &k) ? "epochs" : nl_slug(t->arena, t->s + m.g[w].off, m.g[w].len, 1);
		ntext_take(t, m.g[0].off, m.g[0].len);
	}
}

static void read_sweep(struct plan *p)
{
	static const char on[] = "\\b(?:random[ -]?(?:ized )?search|grid[ -]?search|hyper-?\\s?param\\w*|bayesian (?:search|optimi[sz]ation)|successive halving|halving|hyperband|tpe\\b|optuna|sweep\\w*|tun(?:e|ing) (?!in)|hpo\\b|zufallssuche|rastersuche|busqueda (?:aleatoria|de hiper\\w+|en grilla)|recherche (?:aleatoire|d'hyper\\w+|par grille)|busca (?:aleatoria|de hiper\\w+|em grade)|hiperparam\\w+|search (?:over|for the best)|try (?:all|every|out|different|\\d+)[^.\\n]{0,20}(?:combinations?|configs?|configurations|values|learning rates|settings)|\\d+ (?:trials|configs|configurations)|all combinations)";
	static const char goal[] = "\\b(maximi[sz]\\w*|minimi[sz]\\w*|maximier\\w*|minimier\\w*|optimi[sz](?:e|ing)(?: for)?|best (?:by|on|according to)|by (?:best |highest |lowest )|highest|lowest|best|hoechste[rn]?|niedrigste[rn]?|mejor|meilleure?|melhor|according to|objective:?|metric:?)\\s+(?:the |validation |val |mean |cv |cross-validated |on |el |la |le |o |a |den |die |das )*((?:macro |micro |roc |pr |log |val(?:idation)? )?[a-z][\\w@]*)";
	struct ntext *t = p->text;
	struct sweep_plan *s = &p->sweep;
	struct rx_match m, k;

	if (rx_work(t, on, 0, &m))
		s->off = m.g[0].off;
	else if (!implied(p))
		return;
	s->on = true;
	s->search = rx_work(t, "\\bhalving|hyperband|asha\\b", 0, &m) ? "halving" : rx_work(t, "\\bgrid|rastersuche|grilla|grille|em grade|all combinations|every combination", 0, &m) ? "grid" : rx_work(t, "\\btpe\\b|bayes\\w*|optuna", 0, &m) ? "tpe" : rx_work(t, "\\brandom(?! forest)|zufall(?!swald)|aleatori|aleatoire", 0, &m) ? "random" : NULL;
	if (!s->trials && (rx_work(t, "\\b" NL_NUM "\\s*(?:random |different |total )?(?:trials?|configs?|configurations?|konfigurationen|runs?|experiments?|samples?|versuche|durchlaeufe|pruebas|ensayos|essais|tentativas|ensaios|iterations?|combinations|points|draws|evaluations|starts?)\\b(?! (?:at|in parallel|parallel))", 0, &m) || rx_work(t, "\\btrials?\\s*[:=]\\s*(\\d+)", 0, &m))) {
		s->trials = (int)nl_group_number(t, &m, 1);
		ntext_take(t, m.g[1].off, m.g[0].off + m.g[0].len - m.g[1].off);
	}
	if (rx_work(t, "\\bseed(?:ed)?(?: is| with| of|:|=)?\\s*(\\d+)", 0, &m)) {
		s->seed = atoi(t->s + m.g[1].off);
		s->has_seed = true;
		ntext_take(t, m.g[0].off, m.g[0].len);
	}
	if (rx_work(t, "\\b(?:stop|end|finish|aufhoeren|arreter|parar)(?:s|ping)?(?: early| the search)?(?: as soon as| once| when| if| at| sobald)(?: (?:the|an?|one|trial|reaches|it|hits))* ?(?:[a-z]\\w+ )?(?:reaches|hits|exceeds|above|over|is|>=?|at least|of| )*\\s*(\\d+\\.\\d+)", 0, &m)) {
		s->goal = nl_group_number(t, &m, 1);
		s->has_goal = true;
		ntext_take(t, m.g[0].off, m.g[0].len);
	}
	if (rx_work(t, "\\b(?:up to |at most |allow |tolerate |max(?:imum)? |hoechstens )?" NL_NUM " (?:trials? )?(?:may fail|failed trials|failures? (?:allowed|are ok|tolerated)|failed)\\b", 0, &m)) {
		s->max_failed = (int)nl_group_number(t, &m, 1);
		ntext_take(t, m.g[0].off, m.g[0].len);
	}
	if (s->search && !strcmp(s->search, "halving"))
		read_halving(p);
	read_dims(p);
	for (size_t at = 0; rx_work(t, goal, at, &m); at = m.g[0].off + m.g[0].len) {
		bool strong = rx_find(t, "^(?:max|min)", t->s, m.g[1].off + m.g[1].len, m.g[1].off, &k);
		const char *name = metric_of(t, &m, 2);

		if (!strong && !rx_has(t, "f1|auc|accuracy|mse|mae|mape|r2|loss|perplexity|recall|precision|ndcg|iou|dice|wer|bleu|sharpe|score|error|genauigkeit|exactitud|acuracia", name))
			continue;
		s->metric = name;
		s->minimize = strong ? t->s[m.g[1].off + 1] == 'i' : rx_find(t, "low|niedrig", t->s, m.g[1].off + m.g[1].len, m.g[1].off, &k) || lower_better(t, name);
		if (strong)
			break;
	}
	if (!s->metric && rx_work(t, "\\b(macro f1|f1|roc auc|auc|accuracy|rmse|mse|mae|mape|r2|log ?loss|validation loss|val loss|perplexity|ndcg)\\b", 0, &m)) {
		s->metric = metric_of(t, &m, 1);
		s->minimize = lower_better(t, s->metric);
	}
	if (!s->metric)
		s->metric = "score";
	if (rx_work(t, "\\b(?:lower|smaller|less) (?:is|=|means) better\\b", 0, &m))
		s->minimize = true;
	if (!s->search)
		s->search = s->trials ? "random" : "grid";
	for (uint32_t i = 0; i < s->dims.n; i++)
		if (!strcmp(s->search, "grid") && strncmp(s->dims.v[i].expr, "choice", 6) != 0 && strncmp(s->dims.v[i].expr, "steps", 5) != 0)
			s->search = "random";
	if (!strcmp(s->search, "tpe"))
		facts_note(t, &p->facts, "Search by TPE needs an engine that can feed results back: Argo and Airflow cannot do it, so `couler run` does, or search = random(...) instead.");
	if (!s->trials && strcmp(s->search, "grid") != 0) {
		s->trials = 20;
		facts_note(t, &p->facts, "The description does not say how many trials: 20 are assumed.");
	}
	if (!s->dims.n) {
		add_dim(p, "learning_rate", "log_uniform(1e-4, 1e-1)", "float");
		if (!strcmp(s->search, "grid"))
			s->dims.v[0] = (struct dim){ "learning_rate", "choice(0.001, 0.01, 0.1)", "float" };
		facts_note(t, &p->facts, "The description names no search space: a learning rate is assumed; put your own arguments there.");
	}
}

static void read_job(struct plan *p)
{
	static const char words[] = "\\b(?:torch(?:run)?[ -]?distributed|distributed (?:torch|pytorch|training|data[- ]parallel|tensorflow|train\\w*)|pytorch ?(?:ddp|job|distributed)|ddp|fsdp|deepspeed|mpi(?:job)?|horovod|ray (?:cluster|job|train)|parameter servers?|tf ?job|" NL_NUM "[ -]nodes? (?:[a-z]+ ){0,2}(?:cluster|job|setup|training)|multi-?node|multi-?worker|verteilte[sn]? training|data[- ]parallel|entrainement distribue|entrenamiento distribuido|treinamento distribuido)\\b";
	struct ntext *t = p->text;
	struct job_plan *j = &p->job;
	struct rx_match m, k;
	bool strong = rx_work(t, words, 0, &m);

	if (!strong && !rx_work(t, "\\b(?:on|across|over|auf|sur|en|em|with)\\s+" NL_NUM " (?:machines|nodes|hosts|servers|maschinen|knoten|machines|maquinas|nos)\\b", 0, &m) && !rx_work(t, "\\b" NL_NUM "\\s*(?:machines|nodes|hosts)\\s*(?:x|with|\\*|mit)\\s*" NL_NUM "\\s*gpus?", 0, &m))
		return;
	j->kind = rx_work(t, "\\b(?:mpi|horovod)", 0, &k) ? "mpi" : rx_work(t, "\\bray\\b", 0, &k) ? "ray" : rx_work(t, "\\b(?:tensorflow|tf ?job|parameter servers?|\\d+ ps\\b)", 0, &k) ? "tensorflow" : "pytorch";
	j->workers = 2;
	if (rx_work(t, "\\b" NL_NUM "\\s*(?:x\\s*)?(?:workers?|machines?|nodes?|hosts?|servers|processes|ranks|pods|maschinen|knoten|maquinas|nos|nodos|noeuds)\\b", 0, &k)) {
		j->workers = (int)nl_group_number(t, &k, 1);
		ntext_take(t, k.g[0].off, k.g[0].len);
	} else {
		facts_note(t, &p->facts, "The description does not say on how many workers the training runs: 2 are assumed.");
	}
	if (rx_work(t, "\\b" NL_NUM "\\s*(?:ps|parameter servers?)\\b", 0, &k))
		j->ps = (int)nl_group_number(t, &k, 1);
	if (rx_work(t, "\\b" NL_NUM "\\s*(?:slots?|processes) (?:each|per (?:worker|node|machine))", 0, &k))
		j->slots = (int)nl_group_number(t, &k, 1);
}

static void read_dataflow(struct plan *p)
{
	static const char on[] = "\\b(?:pre-?processing (?:workers?|pool)|(?:input|data)[- ]?(?:pre-?processing |loading )?(?:is the )?bottleneck|decod\\w+ is the bottleneck|elastic (?:pre-?processing|input|data|workers?)|(?:scale|elastic)\\w* (?:the )?(?:pre-?processing|input)|input pipeline|vorverarbeitungs-?worker|(?:cpu )?workers? for (?:the )?pre-?processing|disaggregat\\w+)\\b";
	static const char ops[] = "\\b(?:op(?:erator)?s|operations|stages|operatoren|pipeline)\\s*(?:are|:|=)\\s*([^.;\\n]+(?:\\.\\d[^.;\\n]*)*)";
	struct ntext *t = p->text;
	struct dataflow_plan *d = &p->dataflow;
	struct rx_match m, k, o;

	if (!rx_work(t, on, 0, &m))
		return;
	d->on = true;
	d->min = 1;
	d->max = 8;
	if (rx_work(t, "\\b(\\d+)\\s*(?:to|-|bis|\\.\\.|a)\\s*(\\d+)\\s*(?:elastic |cpu |pre-?processing |input )*(?:workers?|machines|pods)\\b|\\bworkers?\\s*[:=]?\\s*(?:from |between )?(\\d+)\\s*(?:to|-|bis|\\.\\.|and)\\s*(\\d+)", 0, &k)) {
		d->min = (int)nl_group_number(t, &k, k.g[1].set ? 1 : 3);
		d->max = (int)nl_group_number(t, &k, k.g[1].set ? 2 : 4);
	} else if (rx_work(t, "\\b(?:up to|at most|max\\.?|bis zu) (\\d+) (?:elastic |cpu |pre-?processing )*workers?", 0, &k)) {
		d->max = (int)nl_group_number(t, &k, 1);
	}
	if (rx_work(t, ops, 0, &k)) {
		uint32_t at = k.g[1].off, end = at + k.g[1].len;

		while (at < end && rx_find(t, "\\G[\\s,>-]*(?:then |and )*(?:the )?([a-z][\\w +/-]*?)\\s*(?:\\(([^)]*)\\)|(\\d[\\d.]*) ?(ms|us|s)\\b)?\\s*(?:,|->|;|$|(?=\\bthen\\b))", t->s, end, at, &o)) {
			struct op_plan *q;
			bool model = rx_find(t, "\\b(?:inside|in) the trainer|\\bmodel\\b|forward|embedding lookup|backbone|needs the model|on the trainer", t->s, o.g[0].off + o.g[0].len, o.g[0].off, &m);

			if (o.g[0].len == 0)
				break;
			q = vec_add(t->arena, &d->ops);
			q->name = nl_slug(t->arena, t->s + o.g[1].off, o.g[1].len, 3);
			q->stateful = model;
			if (o.g[2].set && rx_find(t, "(\\d+(?:\\.\\d+)?)\\s*(ms|us|s)\\b", t->s, o.g[2].off + o.g[2].len, o.g[2].off, &m))
				q->cpu = nl_fmt(t->arena, "%.*s%.*s", (int)m.g[1].len, t->s + m.g[1].off, (int)m.g[2].len, t->s + m.g[2].off);
			else if (o.g[3].set)
				q->cpu = nl_fmt(t->arena, "%.*s%.*s", (int)o.g[3].len, t->s + o.g[3].off, (int)o.g[4].len, t->s + o.g[4].off);
			at = o.g[0].off + o.g[0].len;
		}
		ntext_take(t, k.g[0].off, k.g[0].len);
	}
	facts_note(t, &p->facts, "The elastic input pipeline is expressed as a dataflow; an engine that does not carry it (Airflow, the shell plan) says so when it compiles, and `couler run` carries it.");
}

static void read_services(struct plan *p)
{
	static const char s[] = "\\b(?:start|spin up|bring up|run|launch|starte|with|against|use|lance|levanta|suba|needs)\\s+(?:an? |the |ein(?:e|en)? |un[ae]? |um[a]? |temporary |throw-?away |local |ephemeral |temporaere\\w* )*([a-z][\\w-]*)\\s*(?:(?:v?(\\d[\\w.]*)|\\x01+)\\s*)?(?:as (?:an? )?)?(?:vector )?(?:database|db|server|service|sidecar|instance|container|datenbank|dienst|servidor|serveur|servicio|servico)\\b";
	struct ntext *t = p->text;
	struct rx_match m, k;
	static const struct { const char *name, *image; int port; } known[] = { { "qdrant", "qdrant/qdrant:v1.9.0", 6333 }, { "redis", "redis:7.4", 6379 }, { "postgres", "postgres:16", 5432 }, { "mlflow", "ghcr.io/mlflow/mlflow:v2.17.0", 5000 }, { "elasticsearch", "elasticsearch:8.15.0", 9200 }, { "mongo", "mongo:7", 27017 }, { "mysql", "mysql:8.4", 3306 }, { "milvus", "milvusdb/milvus:v2.4.9", 19530 }, { "weaviate", "semitechnologies/weaviate:1.26.1", 8080 }, { "vllm", "vllm/vllm-openai:v0.6.3", 8000 }, { "ollama", "ollama/ollama:0.3.12", 11434 }, { "triton", "nvcr.io/nvidia/tritonserver:24.09-py3", 8000 }, { "minio", "minio/minio:latest", 9000 } };

	for (size_t at = 0; rx_work(t, s, at, &m); at = m.g[0].off + m.g[0].len) {
		struct service_plan v = { 0 };
		uint32_t line = (uint32_t)strcspn(t->s + m.g[0].off, "\n");

		v.name = nl_slug(t->arena, t->s + m.g[1].off, m.g[1].len, 2);
		for (size_t i = 0; i < sizeof known / sizeof *known; i++)
			if (strstr(v.name, known[i].name)) {
				v.image = m.g[2].set ? nl_fmt(t->arena, "%.*s:%s", (int)strcspn(known[i].image, ":"), known[i].image, ntext_fold(t, &m, 2)) : known[i].image;
				v.port = known[i].port;
			}
		for (uint32_t i = 0; i < p->facts.v.n; i++) {
			struct fact *f = &p->facts.v.v[i];

			if (f->type == F_IMAGE && !f->used && f->off > m.g[0].off && f->off < m.g[0].off + 90) {
				v.image = f->str;
				f->used = true;
				break;
			}
		}
		if (rx_find(t, "\\bport\\s*[:=]?\\s*(\\d{2,5})", t->s, m.g[0].off + line, m.g[0].off, &k))
			v.port = atoi(t->s + k.g[1].off);
		if (!v.image || !v.port || !rx_find(t, "\\b(?:start|spin|bring|launch|temporary|throw-?away|ephemeral|sidecar|lance|levanta|suba|starte|against)", t->s, m.g[0].off + m.g[0].len, m.g[0].off, &k))
			continue;
		v.name = nl_fmt(t->arena, "%s_service", v.name);
		vec_push(t->arena, &p->services, v);
		ntext_take(t, m.g[0].off, m.g[0].len);
		facts_note(t, &p->facts, "A service lives beside the steps that read its address; Airflow and the shell plan do not carry that and say so when they compile.");
	}
}

void plan_special(struct plan *p)
{
	read_dataflow(p);
	read_sweep(p);
	if (!p->dataflow.on)
		read_job(p);
	read_services(p);
}
