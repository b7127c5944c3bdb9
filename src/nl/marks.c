/* Conditions, alternatives, events, fan-outs and loops: found as marks in the text, applied to the modules around them. */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "parts.h"

static struct mark *add(struct plan *p, struct marks *ms, enum mark_kind k, uint32_t off, uint32_t len, int index)
{
	uint32_t at = ms->n;
	struct mark *v;

	vec_push(p->text->arena, ms, ((struct mark){ 0 }));
	v = ms->v;
	while (at && v[at - 1].off > off) {
		v[at] = v[at - 1];
		at--;
	}
	v[at] = (struct mark){ k, off, len, index };
	ntext_take(p->text, off, len);
	return &v[at];
}

/* ---- comparisons ---- */

#define CMP_GE ">=|at least|mindestens|no less than|not (?:below|less than|lower than|under)|au moins|al menos|pelo menos|reach(?:es|ed)?|erreicht|atteint|alcanza|alcanca|atinge|gets? to|hits|greater (?:than )?or equal(?: to)?"
#define CMP_LE "<=|at most|hoechstens|no more than|not (?:above|more than|higher than|over)|au plus|como maximo|no maximo|within|less (?:than )?or equal(?: to)?"
#define CMP_GT ">|(?:strictly )?above|over|exceed(?:s|ed)?|exceeding|(?:greater|more|higher|better|larger|bigger) than|beats?|(?:groesser|hoeher|mehr|besser) als|ueber|uebersteigt|ueberschreitet|super(?:a|e|ior(?:e)? [aà]?)|superieure? a|plus (?:grande? |elevee? )?(?:que|de)|(?:mayor|mejor|mas alto|mas) (?:que|a|de)|por encima de|acima de|(?:maior|melhor|mais alto) (?:que|do que)|mais (?:de|do que|que)|au-dessus de|depasse|passes|maggiore di|superiore a|sopra"
#define CMP_LT "<|below|under|beneath|(?:less|lower|smaller|fewer|worse) than|unter(?:schreitet)?|(?:kleiner|weniger|niedriger|geringer|schlechter) als|inferieure? a|moins (?:de|que|elevee? que)|(?:menor|menos|peor) (?:que|a|de|do que)|por debajo de|abaixo de|en dessous de|au-dessous de|sous|inferior a|baja de|(?:drops|falls|faellt|sinkt|goes) (?:below|under|unter)|sotto|minore di|inferiore a"
#define CMP_EQ "==|=|equals?|is exactly"
#define CMP "((?:(?:stops? being|no longer|nicht mehr|plus) )?(?:" CMP_GE "|" CMP_LE "|" CMP_LT "|" CMP_GT "|" CMP_EQ "))"
#define VALUE "[\"'`]?(?:a |an |the |the threshold of |einem wert von |den wert |valeur |)?(-?\\d+(?:[.,]\\d+)?(?:e-?\\d+)?)(?:\\s*(%|percent|prozent|pour ?cent|por ciento|por cento|pct|per cent)(?!\\w))?"
#define METRIC "((?:[a-z_][\\w@/-]*)(?: (?!(?:above|below|over|under|at|is|are|exceeds?|greater|less|more|unter|ueber)\\b)[a-z_(][\\w@/)-]*){0,7}?)"
#define VERB "(?:\\s+(?:score|value|wert))?(?:\\s+(?:is|are|was|ist|sind|liegt|bleibt|est|sont|es|son|e|esta|sea|seja|fica|queda|reste|for|sera|stays?|remains?|comes? out|ends? up|goes|rises?|falls?|drops?|steigt|faellt|gets?|war|wird))*"
#define IF_WORD "(?:but )?(?:only |nur )?(?:if|when|wenn|falls|sofern|si|se|quando|cuando|lorsque|provided(?: that)?|in case|whenever|once|ssi|solo si|so se|apenas se|seulement si|en cas de|as long as)"

static const char *op_of(struct ntext *t, const char *s, size_t n)
{
	static const struct { const char *pattern, *op; } rows[] = { { "^(?:" CMP_GE ")$", ">=" }, { "^(?:" CMP_LE ")$", "<=" }, { "^(?:" CMP_LT ")$", "<" }, { "^(?:" CMP_GT ")$", ">" }, { "^(?:" CMP_EQ ")$", "==" } };
	struct rx_match m;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (rx_find(t, rows[i].pattern, s, n, 0, &m))
			return rows[i].op;
	return ">";
}

static const char *negate(const char *op)
{
	return !strcmp(op, "<") ? ">=" : !strcmp(op, ">") ? "<=" : !strcmp(op, "<=") ? ">" : !strcmp(op, ">=") ? "<" : !strcmp(op, "==") ? "!=" : "==";
}

/* "the AUC on the test set" -> auc */
static const char *metric_name(struct ntext *t, const char *s, size_t n)
{
	static const char known[] = "\\b(auc|roc[_ -]?auc|pr[_ -]?auc|f1|macro f1|micro f1|f-score|accuracy|genauigkeit|precision(?: ?at ?\\d+|@\\d+)?|recall(?: ?at ?\\d+|@\\d+)?|rmse|mse|mae|mape|smape|wape|r2|r\\^2|log ?loss|loss|perplexity|wer|cer|bleu|rouge|iou|miou|dice|map|ndcg(?:@\\d+)?|mrr|psi|ks|drift|error rate|fehlerrate|p99|p95|latency|score|gini|lift|kappa|exactitude|precision|acuracia|precisao|exactitud|perdida|perte|verlust|silhouette|sharpe|null rate|share of nulls|rows?|row count)\\b";
	static const struct { const char *from, *to; } same[] = { { "genauigkeit", "accuracy" }, { "exactitude", "accuracy" }, { "acuracia", "accuracy" }, { "exactitud", "accuracy" }, { "precisao", "precision" }, { "fehlerrate", "error_rate" }, { "perdida", "loss" }, { "perte", "loss" }, { "verlust", "loss" }, { "rows", "rows" }, { "row", "rows" } };
	struct rx_match m;
	const char *r;

	if (rx_find(t, known, s, n, 0, &m)) {
		r = nl_slug(t->arena, s + m.g[1].off, m.g[1].len, 3);
		for (size_t i = 0; i < sizeof same / sizeof *same; i++)
			if (!strcmp(r, same[i].from))
				r = same[i].to;
		return r;
	}
	if (rx_find(t, "^(.*?)\\s+(?:on|of|in|for|from|auf|bei|von|sur|de|en|em|no|na|over|across)\\s", s, n, 0, &m) && m.g[1].len > 2)
		n = m.g[1].len;
	while (rx_find(t, "^(?:the|its|our|their|das|die|der|el|la|le|les|o|a|il|mean|new|number|anzahl|nombre|numero|any|of|final|best|average|avg|share|percentage|proportion|model'?s?|test|validation|val|dev|held-out|holdout)\\s+", s, n, 0, &m)) {
		s += m.g[0].len;
		n -= m.g[0].len;
	}
	r = nl_slug(t->arena, s, n, 3);
	return *r ? r : "value";
}

static const char *number_text(struct ntext *t, const struct rx_match *m, int g)
{
	double v = nl_group_number(t, m, g);
	const char *s;

	if (m->g[g + 1].set)
		v = v / 100;
	s = nl_num_text(t->arena, v);
	return strpbrk(s, ".e") ? s : nl_fmt(t->arena, "%s.0", s);
}

static int add_cond(struct plan *p, const struct cond *c)
{
	vec_push(p->text->arena, &p->conds, *c);
	return (int)p->conds.n - 1;
}

/* "between 0.9 and 0.95: ...", "below 0.9: ...": further ranges of the metric of the condition before. */
static void read_bands(struct plan *p, struct marks *ms)
{
	static const char band[] = "(?:(?<=[;.\\n,>*-])|\\b(?:and|or|if|when|und|wenn|falls|for))\\s*(?:it(?:'s| is)? |the \\w+ is |that is |a \\w+ )?(?:(between|zwischen|entre|from)\\s+" VALUE "\\s*(?:and|to|-|und|bis|et|y|e)\\s*" VALUE "|" CMP "\\s*" VALUE ")\\s*(?::|->|=>|,? then\\b)";
	struct ntext *t = p->text;
	struct rx_match m;

	if (!p->conds.n)
		return;
	for (size_t at = p->conds.v[0].off; rx_work(t, band, at, &m); at = m.g[0].off + m.g[0].len) {
		struct cond c = { .off = m.g[0].off, .len = m.g[0].len, .metric = p->conds.v[0].metric };
		const struct mark *open = NULL;

		for (uint32_t i = 0; i < ms->n && ms->v[i].off < c.off; i++)
			if (ms->v[i].kind == MARK_IF)
				open = &ms->v[i];
		if (!open || p->conds.v[open->index].flag)
			continue;
		c.metric = p->conds.v[open->index].metric;
		if (m.g[1].set) {
			c.op = ">=";
			c.number = number_text(t, &m, 2);
			c.below = number_text(t, &m, 4);
			c.text = nl_fmt(t->arena, "%s from %s to %s", c.metric, c.number, c.below);
		} else {
			c.op = op_of(t, t->s + m.g[6].off, m.g[6].len);
			c.number = number_text(t, &m, 7);
			c.text = nl_fmt(t->arena, "%s %s %s", c.metric, c.op, c.number);
		}
		add(p, ms, MARK_IF, c.off, c.len, add_cond(p, &c));
	}
}

static void read_conditions(struct plan *p, struct marks *ms)
{
	static const char unless[] = "\\b(?:unless|es sei denn|a menos que|a moins que|ausser si)\\s+(?:the |its |our |die |der |das |el |la |le |o |a )*" METRIC VERB "\\s*" CMP "\\s*" VALUE;
	static const char numeric[] = "\\b" IF_WORD "\\s+(?:the |its |our |their |das |die |der |el |la |le |les |l'|o |a |il |there (?:is|are) |we have |e' )*" METRIC VERB "\\s*" CMP "\\s*" VALUE "(?:\\s*(?:on (?:the )?[\\w -]{2,24}?set|ist|liegt|sind|war))?";
	static const char bare[] = "(?:(?<=[;.\\n,(:>?])|^|\\bgate(?: on)?:?|\\bwith(?: an?)?)\\s*([a-z][a-z0-9_@]*(?: [a-z]\\w+)?)\\s*(>=|<=|>|<)\\s*" VALUE "(?=\\s*(?:\\?|:|->|=>|,|then|\\)))";
	static const char german[] = "\\b(?:wenn|falls|sofern|nur wenn)\\s+(?:die |der |das |den )?([a-z][\\w-]*(?: [\\w-]+){0,5}?)\\s+((?:" CMP_GE "|" CMP_LE "|" CMP_LT "|" CMP_GT "))\\s+(?:von |bei |dem |den )?" VALUE "\\s*(?:ist|liegt|sind|bleibt|betraegt)?";
	static const char several[] = "\\b" IF_WORD "\\s+(?:there (?:are|is) |we (?:have|get|find) )?" CMP "\\s+" VALUE "(?:\\s+(?:of (?:the |them |all )*)?([a-z]+))?(?:[^,.;:\\n\\x01]|\\.\\d){0,60}(?=,|:|->)";
	const char *const forms[] = { numeric, german, bare };
	struct ntext *t = p->text;
	struct rx_match m;

	for (size_t at = 0; rx_work(t, unless, at, &m); at = m.g[0].off + m.g[0].len) {
		struct cond c = { .off = m.g[0].off, .len = m.g[0].len };

		c.metric = metric_name(t, t->s + m.g[1].off, m.g[1].len);
		c.op = negate(op_of(t, t->s + m.g[2].off, m.g[2].len));
		c.number = number_text(t, &m, 3);
		c.text = nl_fmt(t->arena, "%s %s %s", c.metric, c.op, c.number);
		add(p, ms, MARK_IF, c.off, c.len, add_cond(p, &c));
	}
	for (int i = 0; i < 3; i++)
		for (size_t at = 0; rx_work(t, forms[i], at, &m); at = m.g[0].off + m.g[0].len) {
			struct cond c = { .off = m.g[0].off, .len = m.g[0].len };

			c.metric = metric_name(t, t->s + m.g[1].off, m.g[1].len);
			c.op = op_of(t, t->s + m.g[2].off, m.g[2].len);
			c.number = number_text(t, &m, 3);
			c.text = nl_fmt(t->arena, "%s %s %s", c.metric, c.op, c.number);
			add(p, ms, MARK_IF, c.off, c.len, add_cond(p, &c));
		}
	for (size_t at = 0; rx_work(t, several, at, &m); at = m.g[0].off + m.g[0].len) {
		struct cond c = { .off = m.g[0].off, .len = m.g[0].len };

		c.metric = m.g[4].set ? nl_slug(t->arena, t->s + m.g[4].off, m.g[4].len, 1) : "count";
		c.metric = rx_has(t, "^(?:have|has|are|is|were|of|in|with|at|for|if|for|on|out|come|show|left|then)$", c.metric) || !*c.metric ? "count" : nl_fmt(t->arena, "%s_count", c.metric);
		c.op = op_of(t, t->s + m.g[1].off, m.g[1].len);
		c.number = number_text(t, &m, 2);
		c.text = nl_fmt(t->arena, "%s %s %s", c.metric, c.op, c.number);
		add(p, ms, MARK_IF, c.off, c.len, add_cond(p, &c));
	}
	read_bands(p, ms);
}

/* "if the new model is better than the current one", "if drift is detected": a bool that a step before it gives */
static void read_flags(struct plan *p, struct marks *ms)
{
	static const char flag[] = "\\b(unless|(?:but )?(?:only |nur )?(?:if|when|wenn|falls|sofern|si|se|quando|cuando|in case|solo si|apenas se|seulement si))\\s+(?!not\\b|you\\b|possible|needed|necessary|so\\b|any\\b)(?:the |there (?:is|are) |it |they |die |der |das |el |la |le |les |o |a |es )*([a-z][^,;:.\\n()\\x01>]{2,80}?)(?=\\s*(?:\\x01|,|:|;|\\.(?:\\s|$)|\\n|$|\\)|->|\\bthen\\b|\\bdann\\b|\\bund\\b|\\bor else\\b))";
	struct ntext *t = p->text;
	struct rx_match m, k;

	for (size_t at = 0; rx_work(t, flag, at, &m); at = m.g[0].off + m.g[0].len) {
		struct cond c = { .off = m.g[0].off, .len = m.g[0].len, .flag = true };
		const char *s = t->s + m.g[2].off;
		uint32_t n = m.g[2].len;
		bool when = t->s[m.g[1].off] == 'w' && t->s[m.g[1].off + 2] == 'e' && t->s[m.g[1].off + 1] == 'h';

		if (rx_find(t, "\\b(?:fail(?:s|ed|ing)?|breaks?|fehlschl\\w*|scheitert|schief\\w*|echou\\w*|plante|fall(?:a|e|o)\\b|falh\\w*|errors? out|crash\\w*)\\b", s, n, 0, &k)) {
			uint32_t z = c.off + c.len;

			/* of a named step: what follows is its own retry, or a handler */
			while (z < t->n && strchr(" ,:;", t->w[z]))
				z++;
			if (t->w[z] == TAKEN || rx_find(t, "\\x01", s > t->s ? t->w + (s - t->s) : t->w, n, 0, &k))
				ntext_take(t, c.off, c.len);
			else
				add(p, ms, MARK_BAD, c.off, c.len, 0);
			continue;
		}
		if (when && rx_find(t, "\\b(?:done|finished|complete\\w*|ready|over|all)\\b", s, n, 0, &k))
			continue;
		if (rx_find(t, "\\b(?:better|beats?|improve\\w*|besser|schlaegt|meilleure?|mejor|melhor|supera|outperform\\w*|wins)\\b", s, n, 0, &k))
			c.metric = "better";
		else if (rx_find(t, "\\b(?:worse|schlechter|pire|peor|pior)\\b", s, n, 0, &k))
			c.metric = "worse";
		else if (rx_find(t, "\\bdrift", s, n, 0, &k))
			c.metric = "drift";
		else if (rx_find(t, "\\b(?:pass\\w*|ok(?:ay)?|good|clean|valid|green|bestanden|gueltig|succe\\w+)\\b", s, n, 0, &k))
			c.metric = "passed";
		else {
			const char *w = nl_slug(t->arena, s, n, 3);

			c.metric = *w ? w : "wanted";
		}
		c.op = !strncmp(t->s + m.g[1].off, "unless", 6) || rx_find(t, "\\b(?:no|not|isn't|aren't|nicht|kein\\w*|pas|aucun\\w*|nao|nessun\\w*)\\b", s, n, 0, &k) ? "!=" : "==";
		if (rx_find(t, "\\b(?:no|not|isn't|aren't|nicht|kein\\w*|pas|aucun\\w*|nao) (?:longer )?", s, n, 0, &k) && c.metric[0] == 'n')
			c.metric = nl_slug(t->arena, s + k.g[0].off + k.g[0].len, n - k.g[0].off - k.g[0].len, 2);
		if (!*c.metric)
			c.metric = "wanted";
		c.text = ntext_orig(t, m.g[2].off, n);
		add(p, ms, MARK_IF, c.off, c.len, add_cond(p, &c));
	}
}

static void read_events(struct plan *p, struct marks *ms)
{
	static const char bad[] = "\\b(?:(?:if|when|whenever|in case|should|sobald|wenn|falls|si|se|quando|cuando|lorsque)\\s+(?:it|that|this|anything|any(?:thing)? (?:of (?:it|them|this|these|the steps) |step |of these )?(?:ever )?|something|some step|any step|one(?: of (?:them|the steps))?|a step|the (?:whole )?(?:run|pipeline|workflow|job|dag|thing|process)|the whole thing|everything|etwas|irgendwas|irgendetwas|ein schritt|es|der lauf|die pipeline|das|quelque chose|une etape|ca|cela|algo|alguna? (?:cosa|etapa|paso)|algum passo|o (?:pipeline|processo|job)|el (?:pipeline|proceso|flujo)|le pipeline|qualcosa)?\\s*(?:fails?|failed|failing|breaks?|goes wrong|crash(?:es)?|dies|errors?(?: out)?|fehlschlaegt|fehlschlagen|schief ?geht|scheitert|abbricht|fehler (?:gibt|auftritt)|echoue|plante|tourne mal|falla|fallase|sale mal|falhar|falha|der errado|fallisce)(?: hard| completely)?|(?:on|upon|in case of|at|bei|im fall(?:e)? eines|bei einem|en cas d'|en caso de|em caso de|in caso di) (?:an? |any |einem |un |una |um |uma )?(?:failures?|errors?|fehlern?|fehlschlag|fehlerfall|echec|erreur|fallos?|falla|error|falhas?|erro|errore|fallimento)(?: of (?:any|the|a) (?:step|run|pipeline|workflow))?|failure handler:?|im fehlerfall)\\b";
	static const char good[] = "\\b(?:(?:if|when|once|after|wenn|si|se)\\s+(?:it|that|everything|all(?: steps| of it| goes)?|the (?:run|pipeline|workflow|job)|alles|tout|todo|tudo)\\s*(?:succeeds?|succeeded|works?(?: out)?|worked|went (?:well|fine)|goes well|goes fine|is (?:done|fine|ok)|passed|geklappt hat|klappt|se passe bien|sale bien|der certo|gut geht|has (?:finished|succeeded))|on success|upon success|bei erfolg|en cas de succes|en caso de exito|em caso de sucesso)\\b";
	static const char always[] = "\\b(?:always|in any case|no matter (?:what(?: happens)?|how (?:it|the run) (?:ends?|went|goes))|whatever happens|regardless(?: of (?:the )?(?:outcome|result|success|how it ended|success or failure))?|either way|whether (?:it|the run) (?:fails?|succeeds?|worked)[^,;.\\n]*|success or (?:failure|not)|even (?:if|when|on) (?:it |the run |something |anything |a step |steps? )?fail\\w*|in jedem fall|auf jeden fall|egal (?:was passiert|wie)[^,;.\\n]*|immer|auch (?:im fehlerfall|bei fehlern?|wenn[^,;.\\n]*fehlschlaegt)|toujours|dans tous les cas|quoi qu'il arrive|siempre|en cualquier caso|pase lo que pase|en todo caso|sempre|em qualquer caso|de qualquer forma|aconteca o que acontecer|in ogni caso|on exit|at exit|unconditionally)\\b";
	struct ntext *t = p->text;
	struct rx_match m, k;

	for (size_t at = 0; rx_work(t, always, at, &m); at = m.g[0].off + m.g[0].len) {
		uint32_t a = m.g[0].off, z = a + m.g[0].len;

		/* "always" of a clean-up or a message, not "always use the latest" */
		while (a && t->s[a - 1] != '\n' && !(t->s[a - 1] == ' ' && a > 1 && t->s[a - 2] == '.'))
			a--;
		z += (uint32_t)strcspn(t->s + z, "\n");
		if (!rx_find(t, "\\b(?:clean|delet|remov|drop|tear|purg|wipe|loesch|aufraeum|raeum|entfern|borr|elimin|apag|limp|supprim|effac|nettoy|cancell|destroy|shut|stop the|free|release|terminat|notif|send|mail|post|messag|slack|report|tell|log|melde|benachrichtig|avis|envi|schick|write|upload|archiv|close|unlock|switch off|schliess|herunterfahr|eteindre|apaga)", t->s + a, z - a, 0, &k))
			continue;
		add(p, ms, MARK_ALWAYS, m.g[0].off, m.g[0].len, 0);
	}
	while (rx_work(t, bad, 0, &m))
		add(p, ms, MARK_BAD, m.g[0].off, m.g[0].len, 0);
	while (rx_work(t, good, 0, &m))
		add(p, ms, MARK_GOOD, m.g[0].off, m.g[0].len, 0);
	while (rx_work(t, "\\b(?:otherwise|or else|else|if not|if it (?:doesn't|does not|isn't|is not)|sonst|andernfalls|ansonsten|sinon|autrement|si no|de lo contrario|en caso contrario|caso contrario|senao|do contrario|altrimenti)\\b(?:\\s*(?:case|falls))?", 0, &m))
		add(p, ms, MARK_ELSE, m.g[0].off, m.g[0].len, 0);
}

/* ---- fan-out ---- */

#define ITEM "[\"'`]?[\\w][\\w./+-]*[\"'`]?"
#define ITEM2 "[\"'`]?[\\w][\\w./+-]*(?: (?!and |or |und |y |e |et |train|load|fit|run)[\\w][\\w./+-]*)?[\"'`]?"
#define LISTING ITEM2 "(?:\\s*[,;/]\\s*" ITEM2 ")+(?:(?:\\s*,\\s*|\\s+)(?:and|or|und|oder|y|e|et|o|ou|&)\\s+" ITEM2 ")?|" ITEM "\\s+(?:and|und|y|e|et|&)\\s+" ITEM

static const char *list_of(struct ntext *t, uint32_t off, uint32_t len)
{
	struct strbuf b = { 0 };
	const char *s = ntext_orig(t, off, len), *r;
	struct rx_match m;
	size_t n = strlen(s), at = 0;
	int k = 0;

	sb_ch(&b, '[');
	while (rx_find(t, "([\\w][\\w./+-]*(?: (?!and\\b|or\\b|und\\b|oder\\b|y\\b|e\\b|et\\b)[\\w][\\w./+-]*)?)", s, n, at, &m)) {
		const char *w = arena_dup(t->arena, s + m.g[1].off, m.g[1].len);
		double v;

		at = m.g[0].off + m.g[0].len;
		while (rx_has(t, "^(?:and|or|und|oder|y|e|et) ", w))
			w = strchr(w, ' ') + 1;
		while (*w && w[strlen(w) - 1] == '.')
			w = arena_dup(t->arena, w, strlen(w) - 1);
		if (rx_has(t, "^(?:and|or|und|oder|y|e|et|o|ou|the|die)$", w) || !*w)
			continue;
		v = nl_number(w, strlen(w));
		sb_f(&b, "%s%s", k++ ? ", " : "", !isnan(v) && isdigit((unsigned char)*w) ? nl_num_text(t->arena, v) : nl_quote(t->arena, w));
	}
	sb_ch(&b, ']');
	r = k > 1 ? arena_dup(t->arena, b.s, b.n) : NULL;
	sb_free(&b);
	return r;
}

static const char *item_name(struct ntext *t, uint32_t off, uint32_t len)
{
	const char *s = nl_slug(t->arena, t->s + off, len, 2);
	size_t n = strlen(s);

	if (n > 4 && !strcmp(s + n - 3, "ies"))
		s = nl_fmt(t->arena, "%.*sy", (int)n - 3, s);
	else if (n > 3 && s[n - 1] == 's' && s[n - 2] != 's')
		s = arena_dup(t->arena, s, n - 1);
	if (!*s || rx_has(t, "^(?:for|in|out|if|on|step|task|file|dir|string|int|next|state|while|true|false|null|job|loop|let|param|wait|source|op|trainer|ask|fail|service|sweep|workflow|import|store|volume|defaults|approve)$", s))
		s = nl_fmt(t->arena, "one_%s", *s ? s : "item");
	return s;
}

static int add_fan(struct plan *p, const struct fan *f)
{
	vec_push(p->text->arena, &p->fans, *f);
	return (int)p->fans.n - 1;
}

/* The list after the noun, if it is written there: into f, and its end. */
static uint32_t read_listing(struct plan *p, struct fan *f, uint32_t at)
{
	static const char range[] = "^\\s*[:(=]?\\s*(?:from |von |de |da |desde |number(?:s)? |[a-z]+ )?(\\d+)\\s*(?:\\.\\.+|-|to|bis|through|hasta|a|ate)\\s*(\\d+)\\)?";
	static const char list[] = "^\\s*(?:\\(|:|in|of|from|=|namely|aus|dans|en|em|-|,? ?i\\.e\\.)\\s*(?:the |our |this )?(?:list (?:of )?|set (?:of )?|tables )?[\\[{(]?\\s*(" LISTING ")\\s*[\\])}]?";
	struct ntext *t = p->text;
	uint32_t n = (uint32_t)strcspn(t->w + at, ".\n\x01");
	struct rx_match m;

	while (t->w[at + n] == '.' && (isdigit((unsigned char)t->w[at + n + 1]) || t->w[at + n + 1] == '.'))
		n += 1 + (uint32_t)strcspn(t->w + at + n + 1, ".\n\x01");
	if (rx_find(t, range, t->w + at, n, 0, &m)) {
		f->list = nl_fmt(t->arena, "range(%d, %d)", atoi(t->w + at + m.g[1].off), atoi(t->w + at + m.g[2].off) + 1);
		f->literal = true;
		return at + m.g[0].len;
	}
	if (rx_find(t, list, t->w + at, n, 0, &m)) {
		f->list = list_of(t, at + m.g[1].off, m.g[1].len);
		f->literal = f->list != NULL;
		if (f->list)
			return at + m.g[0].len;
	}
	return at;
}

/* Whether a limit of how many run at once stands between two places. */
static bool at_once(const struct plan *p, uint32_t from, uint32_t to)
{
	for (uint32_t i = 0; i < p->facts.v.n; i++)
		if (p->facts.v.v[i].type == F_PARALLEL && p->facts.v.v[i].off >= from && p->facts.v.v[i].off < to)
			return true;
	return false;
}

/* "for days 1 to 31", "the 12 monthly files ... in parallel", "two scrapers (hn and reddit)". */
static void read_counted_fans(struct plan *p, struct marks *ms)
{
	static const char numbered[] = "\\b(?:for|over|fuer|pour|para|per|auf)\\s+(?:the |all |die |alle |les |los |os )*([a-z]{3,}s|[a-z]+en)\\s+(?:from |von |de |number )?(\\d+)\\s*(?:to|-|\\.\\.+|through|bis|a|hasta|ate)\\s*(\\d+)\\b(?!\\s*(?:%|\\.\\d|gb|hours?|minutes?|days?|epochs?))";
	static const char listed[] = "\\b" NL_NUM "\\s+((?:[a-z]+ )?[a-z]{3,}s)\\s*(\\(|:)\\s*(" ITEM2 "(?:\\s*[,;/]\\s*" ITEM2 ")*(?:\\s*,\\s*(?:(?:and|und|et|y|e|&)\\s+)?|\\s+(?:and|und|et|y|e|&)\\s+)" ITEM2 ")\\s*\\)?";
	static const char folds[] = "\\b(\\d+)[- ]?folds?\\b(?=[^.;\\n]{0,40}\\b(?:cross|cv|valid|train|fit))";
	static const char counted[] = "\\b((?:(?:the|all|our|these|those|each of the|die|alle|les|los|os|as)\\s+)*)(?<![\\w.:/-])(\\d+)\\s+((?:(?!gpus?\\b|cpus?\\b|hours?\\b|days?\\b|minutes?\\b|best\\b|most\\b|trials?\\b|epochs?\\b)[a-z]+ ){0,2}?)((?!gpus\\b|cpus\\b|hours\\b|days\\b|minutes\\b|weeks\\b|months\\b|trials\\b|rounds\\b|epochs\\b|workers\\b|nodes\\b|rows\\b|times\\b|classes\\b|is\\b|was\\b)[a-z]{2,}s)\\b";
	static const char beside[] = "\\b(?:in parallel|parallel|at (?:a|the same) time|at once|concurrent\\w*|simultaneous\\w*|side by side|gleichzeitig|en parallele|en paralelo|em paralelo|each|one by one|separately)\\b";
	struct ntext *t = p->text;
	struct rx_match m, k;

	for (size_t at = 0; rx_work(t, numbered, at, &m); at = m.g[0].off + m.g[0].len) {
		int lo = atoi(t->s + m.g[2].off), hi = atoi(t->s + m.g[3].off);
		struct fan f = { .off = m.g[0].off, .len = m.g[0].len, .literal = true };

		if (lo >= hi || hi - lo > 5000)
			continue;
		f.item = item_name(t, m.g[1].off, m.g[1].len);
		f.words = ntext_fold(t, &m, 1);
		f.list = nl_fmt(t->arena, "range(%d, %d)", lo, hi + 1);
		add(p, ms, MARK_FOR, f.off, f.len, add_fan(p, &f));
	}
	if (rx_work(t, folds, 0, &m) && atoi(t->s + m.g[1].off) > 1 && atoi(t->s + m.g[1].off) <= 1000) {
		struct fan f = { .item = "fold", .words = "fold", .off = m.g[0].off, .len = m.g[0].len, .literal = true };

		f.list = nl_fmt(t->arena, "range(1, %d)", atoi(t->s + m.g[1].off) + 1);
		add(p, ms, MARK_FOR, f.off, f.len, add_fan(p, &f));
	}
	for (size_t at = 0; rx_work(t, listed, at, &m); at = m.g[0].off + m.g[0].len) {
		uint32_t line = m.g[0].off + (uint32_t)strcspn(t->s + m.g[0].off, "\n");
		struct fan f = { .off = m.g[3].off, .len = m.g[0].off + m.g[0].len - m.g[3].off, .literal = true };
		double n = nl_group_number(t, &m, 1);

		f.list = list_of(t, m.g[4].off, m.g[4].len);
		if (!f.list || n < 2 || (m.g[3].len && t->s[m.g[3].off] == ':') || !rx_find(t, beside, t->s, line, m.g[0].off, &k))
			continue;
		f.item = item_name(t, m.g[2].off, m.g[2].len);
		f.words = ntext_fold(t, &m, 2);
		if (rx_find(t, "\\G\\s*(?:(?:that |which )?(?:run|work|go|do it)s?(?:ning)? )?(?:in parallel|parallel|side by side|at the same time|concurrently|simultaneously|separately)\\b", t->w, t->n, f.off + f.len, &k))
			f.len += k.g[0].len;
		add(p, ms, MARK_FOR, f.off, f.len, add_fan(p, &f));
	}
	for (size_t at = 0; rx_work(t, counted, at, &m); at = m.g[0].off + m.g[0].len) {
		uint32_t stop = m.g[0].off + m.g[0].len, line = stop;
		int n = atoi(t->s + m.g[2].off);
		struct fan f = { .off = m.g[0].off, .len = m.g[0].len, .literal = true };

		while (line < t->n && t->s[line] != '\n' && !(t->s[line] == '.' && isspace((unsigned char)t->s[line + 1])))
			line++;
		if (!m.g[1].len && (!at_once(p, stop, line) || rx_has(t, "^(?:samples|points|tokens|words|pixels|layers|trees|topics|neighbou?rs|clusters|years|steps|retries|attempts|jobs|branches|sources|folds|machines|servers|executors|calls|requests|connections|lines|records|classes)$", ntext_fold(t, &m, 4))))
			continue;
		if (p->fans.n || n < 2 || n > 5000 || !rx_find(t, beside, t->s, line, stop, &k))
			continue;
		f.item = item_name(t, m.g[4].off, m.g[4].len);
		f.words = ntext_fold(t, &m, 4);
		f.list = nl_fmt(t->arena, "range(1, %d)", n + 1);
		facts_note(t, &p->facts, "The %d %s are told apart by their number, 1 to %d: put their names there if they have some.", n, f.words, n);
		add(p, ms, MARK_FOR, f.off, f.len, add_fan(p, &f));
	}
}

static void read_fans(struct plan *p, struct marks *ms)
{
	static const char each[] = "\\b(for (?:each|every|all|any)(?: (?:one )?of(?: the)?)?(?: the)?|fuer (?:jede[nrsm]?|alle)(?: der)?|pro|je(?:de[nrs]?)?|pour (?:chaque|tou(?:te)?s les)|(?:para|por|de|em|a) (?:cada|tod[oa]s (?:os|as|los|las))|de chaque|per ogni|per|each|every|cada|chaque|jede[nrs]?)(?:\\s+|(?<=per)-)(?!\\d+ ?(?:s|secs?|seconds?|m|mins?|minutes?|minuten|h|hours?|stunden|days?|tage|weeks?|wochen|months?|ms)\\b|other\\b|step|run\\b|worker|trial|gpu|node|machine|time|with\\b|as\\b|second|day|night|week|month|hour|minute|of them|one\\b|cent\\b|replica|process|rank|in parallel|on\\b|by\\b|using|using|se\\b|e-?mail|slack|default|hand\\b|pod|branch|model\\b(?! )|epoch|million|thousand|gb\\b|user request|mail\\b|sms\\b|teams\\b|webhook|api\\b|ssh\\b|cron|post\\b|has\\b|gets?\\b|needs?\\b|must\\b|takes?\\b|runs?\\b|try\\b|attempt|retry)(?:single |one of |of |the |incoming |new |these |those |different |individual |separate )*(?:(\\d+) )?([a-z][\\w-]*)((?: (?!in\\b|from\\b|of\\b|under\\b|to\\b|and\\b|with\\b|train|fit\\b|load|run\\b|compute|fetch|build|score|evaluat|then\\b|do\\b|at\\b|for\\b|on\\b|by\\b|from\\b|der\\b|aus\\b|de\\b|call\\b|calcul|make\\b|predict|forecast|generat|extract|download|using\\b|via\\b|that\\b|which\\b|is\\b|are\\b|into\\b|we\\b|en\\b|dans\\b|em\\b|do\\b|da\\b|has\\b|gets?\\b|needs?\\b|takes?\\b|separately|individually|a\\b|the\\b|one\\b|using\\b|through\\b|transform|clean|convert|resize|write|send|upload|process|run|an\\b|create|render|simulate|align|parse|check|import|export|summari[sz]e)[a-z][\\w-]*)?)";
	static const char pronoun[] = "\\b(?:each(?: one| of them)?|every one|them individually|jede[nrs]?(?: einzeln)?|cada un[oa]|chacune?|cada uma?)\\b(?=\\s*(?:with|by|using|separately|individually|through|in parallel|on its|on their|,|\\.|$|\\n|\\)|->|mit|con|com|avec|einzeln|into|to\\b|\\x01))";
	static const char upper[] = "\\b(?:for|fuer|pour|para|per|in)\\s+(?:the (?:\\w+ )?)?((?:" ITEM "\\s*,\\s*)+" ITEM "?(?:\\s*,\\s*|\\s+)(?:and|und|et|y|e|&)\\s+" ITEM "|" ITEM "\\s+(?:and|und|et|y|e|&)\\s+" ITEM ")";
	struct ntext *t = p->text;
	struct rx_match m, k;

	for (size_t at = 0; rx_work(t, each, at, &m);) {
		struct fan f = { .off = m.g[0].off, .len = m.g[0].len };
		uint32_t end = m.g[0].off + m.g[0].len, short_end = m.g[3].off + m.g[3].len;

		f.item = item_name(t, m.g[3].off, (m.g[4].set && m.g[4].len ? end : short_end) - m.g[3].off);
		f.words = ntext_fold(t, &m, 3);
		end = read_listing(p, &f, end);
		if (!f.list && m.g[4].len) {
			uint32_t e2 = read_listing(p, &f, short_end);

			if (f.list)
				end = e2;
		}
		if (!f.list && !m.g[2].set && rx_find(t, "^(?:per|pro|each|every|je|a)$", t->s, m.g[1].off + m.g[1].len, m.g[1].off, &k) && rx_has(t, "^(?:se|default|file|type)$", f.item) && !rx_has(t, "file", f.item)) {
			at = end;
			continue;
		}
		at = end;
		f.len = end - f.off;
		add(p, ms, MARK_FOR, f.off, f.len, add_fan(p, &f));
	}
	for (size_t at = 0; rx_work(t, upper, at, &m); at = m.g[0].off + m.g[0].len) {
		struct fan f = { .off = m.g[0].off, .len = m.g[0].len };
		char first = t->orig[t->map[m.g[1].off]];
		uint32_t line = m.g[0].off + (uint32_t)strcspn(t->s + m.g[0].off, "\n");
		uint32_t a = m.g[0].off;

		while (a && t->s[a - 1] != '\n' && t->s[a - 1] != '.')
			a--;
		if (!(isupper((unsigned char)first) || isdigit((unsigned char)first)) && !rx_find(t, "\\b(?:each|separate\\w*|in parallel|parallel|einzeln|gleichzeitig|paralel\\w*|individually)\\b", t->s + a, line - a, 0, &k))
			continue;
		f.list = list_of(t, m.g[1].off, m.g[1].len);
		if (!f.list)
			continue;
		f.literal = true;
		f.item = "item";
		f.words = "item";
		add(p, ms, MARK_FOR, f.off, f.len, add_fan(p, &f));
	}
	read_counted_fans(p, ms);
	if (!p->fans.n)
		for (size_t at = 0; rx_work(t, pronoun, at, &m); at = m.g[0].off + m.g[0].len) {
			struct fan f = { .off = m.g[0].off, .len = m.g[0].len, .item = "item", .words = "item" };

			if (rx_find(t, "(?:gpu|cpu|retry|retries|gi|gb|core|kern|\\x01)s?[ ,]*$", t->w + (f.off > 12 ? f.off - 12 : 0), f.off > 12 ? 12 : f.off, 0, &k))
				continue;
			add(p, ms, MARK_EACH, f.off, f.len, add_fan(p, &f));
			break;
		}
}

/* ---- loops ---- */

static void read_loops(struct plan *p, struct marks *ms)
{
	static const char verb[] = "\\b(?:(?:and )?(?:repeat|loop|iterat(?:e|ing|ively)|wiederhol\\w*|repet\\w*|repite|repita|repetir|recommenc\\w+|ripeti\\w*|do this|keep (?:on )?(?=\\w+ing)|rounds? of|in rounds|in a loop|in einer schleife|en boucle|en bucle|self-training|active learning loop))\\b";
	static const char until[] = "\\b(until|bis|till|jusqu'a ce que|jusqu'a|hasta que|hasta|ate que|ate|while|solange|as long as|tant que|mientras|enquanto|finche)\\s+(?:the |its |our |their |die |der |das |el |la |le |l'|o |a )*" METRIC VERB "\\s*" CMP "\\s*" VALUE;
	static const char rounds[] = "(?:\\(?,?\\s*(?:but |or |and |oder |ou |o |aber )?(?:for |after |until |bis |nach )?(?:at most |up to |max(?:imum|imal)?\\.? (?:of )?|not more than |no more than |never more than |hoechstens |au plus |como maximo |no maximo |a maximum of |limit(?:ed)? to |within )?)" NL_NUM "\\s*(?:rounds?|iterations?|times|runden?|durchlaeufe|mal|tours?|iteraciones|rondas?|vueltas|veces|rodadas?|iteracoes|vezes|cycles?|passes|loops|fois|giri)\\b(?: (?:at most|max(?:imum)?|in total|are done|hoechstens|maximum|have passed|is reached))?\\)?";
	struct ntext *t = p->text;
	struct rx_match m, k, r;
	struct loop_plan l = { .max = 10 };
	uint32_t from, to, a;
	bool found = rx_work(t, verb, 0, &m), cond, count;

	cond = rx_work(t, until, 0, &k);
	count = rx_work(t, rounds, 0, &r);
	if (!found && !(cond && count) && !(cond && rx_find(t, "^(?:until|hasta|jusqu|bis|ate)", t->s, k.g[0].off + 8 < t->n ? k.g[0].off + 8 : t->n, k.g[0].off, &m) && rx_work(t, "\\b(?:re-?train\\w*|fine-?tun\\w*|improve|refine|again|verbesser\\w*)\\b", 0, &m)))
		return;
	if (found && !cond && !count)
		return;
	if (cond) {
		const char *c = t->s + k.g[3].off;
		uint32_t n = k.g[3].len;
		bool on_while = rx_find(t, "^(?:while|solange|as long|tant|mientras|enquanto|finche)", t->s, t->n, k.g[1].off, &m) && m.g[0].off == k.g[1].off, stops;

		stops = rx_find(t, "^(?:stops? being|no longer|nicht mehr|plus) ", c, n, 0, &m);
		if (stops) {
			c += m.g[0].len;
			n -= m.g[0].len;
		}
		l.metric = metric_name(t, t->s + k.g[2].off, k.g[2].len);
		l.op = op_of(t, c, n);
		if (!on_while && !stops)
			l.op = negate(l.op);
		l.number = number_text(t, &k, 4);
	}
	if (count) {
		double v = nl_group_number(t, &r, 1);

		if (v >= 1 && v <= 1000)
			l.max = (int)v;
	} else {
		facts_note(t, &p->facts, "The description gives no limit for the rounds of the loop: at most %d are assumed.", l.max);
	}
	found = rx_work(t, verb, 0, &m);
	from = found ? m.g[0].off : cond ? k.g[0].off : r.g[0].off;
	to = from;
	if (found)
		to = m.g[0].off + m.g[0].len;
	if (cond && k.g[0].off + k.g[0].len > to)
		to = k.g[0].off + k.g[0].len;
	if (count && r.g[0].off + r.g[0].len > to)
		to = r.g[0].off + r.g[0].len;
	if (cond && k.g[0].off < from)
		from = k.g[0].off;
	l.off = from;
	a = from;
	/* words between them may be steps ("Loop: train, evaluate, until ..."): only the marks themselves are taken */
	l.len = to - from;
	vec_push(t->arena, &p->loops, l);
	if (found)
		add(p, ms, MARK_LOOP, m.g[0].off, m.g[0].len, 0);
	if (cond)
		add(p, ms, MARK_LOOP, k.g[0].off, k.g[0].len, 0);
	if (count)
		add(p, ms, MARK_LOOP, r.g[0].off, r.g[0].len, 0);
	(void)a;
}

void marks_read(struct plan *p, struct marks *ms)
{
	read_loops(p, ms);
	read_events(p, ms);
	read_conditions(p, ms);
	read_flags(p, ms);
	read_fans(p, ms);
}

/* ---- marks on modules ---- */

static uint32_t sentence_of(const struct parts *ps, const struct plan *p, uint32_t off)
{
	uint32_t s = 0;

	for (uint32_t i = 0; i < ps->v.n; i++)
		if (ps->v.v[i].off <= off)
			s = ps->v.v[i].sentence;
	(void)p;
	return s;
}

/* First module that begins at or after off in the sentence; n if none. */
static uint32_t module_after(const struct plan *p, uint32_t off, uint32_t sentence)
{
	uint32_t i = 0;

	while (i < p->modules.n && (p->modules.v[i].off < off || p->modules.v[i].sentence < sentence))
		i++;
	return i < p->modules.n && p->modules.v[i].sentence == sentence ? i : p->modules.n;
}

/* What one does about a failure, rather than the work itself. */
static bool reacts(const struct module *m)
{
	return m->kind == K_NOTIFY || m->kind == K_CLEANUP || m->kind == K_FAIL || (m->kind == K_DEPLOY && !strcmp(m->verb, "rollback"));
}

static uint32_t mark_end(const struct plan *p, const struct marks *ms, uint32_t i, uint32_t sentence, const struct parts *ps)
{
	for (uint32_t k = i + 1; k < ms->n; k++)
		if (ms->v[k].kind != MARK_FOR && ms->v[k].kind != MARK_EACH && ms->v[k].kind != MARK_LOOP)
			return sentence_of(ps, p, ms->v[k].off) == sentence ? ms->v[k].off : UINT32_MAX;
	return UINT32_MAX;
}

/* "deploy if a > 1; roll back otherwise": the last module before an `otherwise` that nothing follows is the other branch. */
static int trailing_target(const struct plan *p, const struct mark *k, uint32_t sentence, uint32_t first)
{
	struct rx_match m;

	if ((first < p->modules.n && p->modules.v[first].sentence == sentence) || !rx_find(p->text, "\\G[^a-z\\x01]*(?:$|\\n|\\. )", p->text->w, p->text->n, k->off + k->len, &m))
		return -1;
	for (uint32_t j = p->modules.n; j-- > 0;)
		if (p->modules.v[j].sentence == sentence && p->modules.v[j].off < k->off)
			return (int)j;
	return -1;
}

static uint32_t before_trailing_else(const struct plan *p, const struct marks *ms, uint32_t i, uint32_t sentence, uint32_t first, uint32_t end)
{
	const struct mark *next = NULL;
	int j;

	for (uint32_t k = i + 1; k < ms->n && !next; k++)
		if (ms->v[k].kind == MARK_ELSE)
			next = &ms->v[k];
		else if (ms->v[k].kind != MARK_FOR && ms->v[k].kind != MARK_EACH && ms->v[k].kind != MARK_LOOP)
			return end;
	if (!next || first == p->modules.n)
		return end;
	j = trailing_target(p, next, sentence, module_after(p, next->off, sentence));
	if (j < 0 || p->modules.v[j].off < ms->v[i].off)
		return end;
	return p->modules.v[j].off < end ? p->modules.v[j].off : end;
}

static void trailing_else(struct plan *p, const struct mark *k, uint32_t sentence, int open, uint32_t first)
{
	int j = trailing_target(p, k, sentence, first);

	if (j < 0 || p->modules.v[j].off < p->conds.v[open].off || p->modules.v[j].cond >= 0)
		return;
	p->modules.v[j].cond = open;
	p->modules.v[j].branch = 1;
}

static bool gathers(const struct plan *p, const struct module *m)
{
	struct rx_match k;

	if (m->kind == K_MERGE || m->kind == K_COMPARE)
		return true;
	return rx_find(p->text, "\\b(?:one|single|all (?:the|of|their|[a-z]+s)|together|overall|finally|final|combined?|unico|unica|gesamt\\w*|zusammen|un seul|tous les|todos los|todos os|at the end|zum schluss|am ende|al final|no final|afterwards|then one|summary of all|global)\\b", p->text->s + m->off, m->len, 0, &k);
}

static void apply_loop(struct plan *p, const struct parts *ps, const struct mark *k)
{
	uint32_t s = sentence_of(ps, p, k->off), first = p->modules.n, last = 0, n = 0, trains = 0;
	bool before = false;

	for (uint32_t i = 0; i < p->modules.n; i++)
		if (p->modules.v[i].loop >= 0)
			return;
	for (uint32_t i = 0; i < p->modules.n; i++)
		if (p->modules.v[i].sentence == s && p->modules.v[i].off < k->off)
			before = true;
	if (!before && module_after(p, k->off, s) == p->modules.n && s > 0)
		s--;
	for (uint32_t i = 0; i < p->modules.n; i++) {
		const struct module *m = &p->modules.v[i];

		if (m->sentence != s || m->on || (before && m->off > k->off))
			continue;
		if (first == p->modules.n)
			first = i;
		last = i;
		n++;
		trains += m->kind == K_TRAIN;
	}
	if (!n)
		return;
	for (uint32_t i = first; i <= last; i++) {
		struct module *m = &p->modules.v[i];

		if (trains > 1 && m->kind == K_TRAIN && n > 1) {
			trains = 0;               /* the first training is the start of the loop */
			continue;
		}
		if (n > 2 && (m->kind == K_LOAD || m->kind == K_SPLIT || m->kind == K_CLEAN || m->kind == K_FEATURES) && i == first) {
			first++;
			continue;
		}
		m->loop = 0;
	}
}

static void apply_fan(struct plan *p, const struct parts *ps, const struct mark *k)
{
	uint32_t s = sentence_of(ps, p, k->off), i, start = p->modules.n;
	struct fan *f = &p->fans.v[k->index];
	struct module *m;

	/* inside a module's words: of that module and what follows it in the sentence without gathering */
	for (i = 0; i < p->modules.n; i++)
		if (p->modules.v[i].sentence == s && p->modules.v[i].off < k->off + k->len && p->modules.v[i].off + p->modules.v[i].len + 2 >= k->off)
			start = i;
	if (start == p->modules.n || p->modules.v[start].off + p->modules.v[start].len <= k->off)
		i = module_after(p, k->off, s);
	else
		i = start;
	if (i < p->modules.n && start < p->modules.n && i != start) {
		/* the mark stands right after a module's words: does it follow or lead? a comma or a colon after it says it leads */
		const char *w = p->text->w + k->off + k->len;
		bool leads = k->kind == MARK_FOR && !(p->modules.v[start].off + p->modules.v[start].len + 1 >= k->off);

		while (*w == TAKEN || *w == ' ' || *w == ')')
			w++;
		if (!leads && *w != ':')
			i = start;
	}
	if (i == p->modules.n)
		i = start;
	if (i == p->modules.n && p->modules.n)
		i = p->modules.n - 1;
	if (i == p->modules.n)
		return;
	m = &p->modules.v[i];
	if (m->fan >= 0)
		return;
	/* a lister before it is the source of the list, not its first step */
	if ((m->kind == K_LIST) && !f->literal && i + 1 < p->modules.n)
		m = &p->modules.v[++i];
	m->fan = k->index;
	for (uint32_t j = i + 1; j < p->modules.n; j++) {
		struct module *q = &p->modules.v[j];

		if (q->sentence != m->sentence || q->fan >= 0 || gathers(p, q) || q->on || q->kind == K_APPROVE || q->kind == K_NOTIFY || q->kind == K_REGISTER || (q->kind == K_REPORT && !rx_has(p->text, "each|every|per ", q->doc ? q->doc : "")))
			break;
		if (k->off >= m->off && k->kind == MARK_FOR && k->off > m->verb_off && q->kind != K_EVALUATE && q->kind != K_TRAIN && q->kind != K_PREDICT && q->kind != K_TRANSFORM && q->kind != K_UPLOAD && q->kind != K_CLEAN)
			break;
		if (k->off > m->verb_off && (q->kind == K_UPLOAD || q->kind == K_DEPLOY))
			break;
		q->fan = k->index;
	}
}

void marks_apply(struct plan *p, struct parts *ps, const struct marks *ms)
{
	int open = -1;
	uint32_t open_sentence = 0;

	for (uint32_t i = 0; i < ms->n; i++) {
		const struct mark *k = &ms->v[i];
		uint32_t s = sentence_of(ps, p, k->off), end = mark_end(p, ms, i, s, ps), first = module_after(p, k->off, s), n = 0;

		if (k->kind == MARK_FOR || k->kind == MARK_EACH || k->kind == MARK_LOOP)
			continue;
		if (k->kind == MARK_ELSE && open < 0)
			continue;
		if (k->kind == MARK_IF)
			end = before_trailing_else(p, ms, i, s, first, end);
		for (uint32_t j = first; j < p->modules.n && p->modules.v[j].sentence == s && p->modules.v[j].off < end; j++, n++) {
			struct module *m = &p->modules.v[j];

			/* "delete the staging files no matter what: extract, load": it is about what stands before */
			if (k->kind != MARK_IF && k->kind != MARK_ELSE && !n && !reacts(m) && j && p->modules.v[j - 1].sentence == s && reacts(&p->modules.v[j - 1]) && p->modules.v[j - 1].off < k->off && !p->modules.v[j - 1].on)
				break;
			if (k->kind == MARK_BAD && n && !reacts(m) && m->kind != K_UPLOAD && m->kind != K_RUN)
				break;
			if (k->kind == MARK_IF || k->kind == MARK_ELSE) {
				m->cond = k->kind == MARK_IF ? k->index : open;
				m->branch = k->kind == MARK_ELSE;
			} else {
				m->on = k->kind == MARK_BAD ? ON_BAD : k->kind == MARK_GOOD ? ON_GOOD : ON_ALWAYS;
			}
		}
		if (!n && k->kind == MARK_ELSE)
			trailing_else(p, k, s, open, first);
		/* "deploy only if ...": nothing follows, so it is about what stands before it in the same breath */
		if (!n && k->kind != MARK_ELSE)
			for (uint32_t j = p->modules.n; j-- > 0;) {
				struct module *m = &p->modules.v[j];

				if (m->sentence != s || m->off >= k->off)
					continue;
				if (n && ps->v.n && !(m->par >= 0)) {
					char cut = ',';

					for (uint32_t q = 0; q < ps->v.n; q++)
						if (ps->v.v[q].module == (int)j + 1 && ps->v.v[q].off == p->modules.v[j + 1].off)
							cut = ps->v.v[q].cut;
					if (cut != 'a' && cut != '&' && cut != '+')
						break;
				}
				if (n && k->kind != MARK_IF && !reacts(m))
					break;
				if (k->kind == MARK_IF) {
					if (m->kind != K_DEPLOY && m->kind != K_NOTIFY && m->kind != K_REGISTER && m->kind != K_UPLOAD && m->kind != K_FAIL && m->kind != K_APPROVE && n)
						break;
					m->cond = k->index;
				} else {
					m->on = k->kind == MARK_BAD ? ON_BAD : k->kind == MARK_GOOD ? ON_GOOD : ON_ALWAYS;
				}
				n++;
			}
		if (k->kind == MARK_IF) {
			open = k->index;
			open_sentence = s;
		}
	}
	(void)open_sentence;
	for (uint32_t i = 0; i < ms->n; i++) {
		if (ms->v[i].kind == MARK_LOOP)
			apply_loop(p, ps, &ms->v[i]);
		if (ms->v[i].kind == MARK_FOR || ms->v[i].kind == MARK_EACH)
			apply_fan(p, ps, &ms->v[i]);
	}
}
