/* A description cut into modules: marks (conditions, fan-outs, loops, events), parts of sentences, words of work. */
#include "plan.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "parts.h"

const char *const kind_words[K_COUNT] = {
#define X(k, w) w,
	KINDS(X)
#undef X
};

static const struct { enum kind kind; const char *verb, *pattern; } lexicon[] = {
#define LEX(k, v, p) { K_##k, v, p },
#include "lexicon.h"
#undef LEX
};
enum { NLEX = sizeof lexicon / sizeof *lexicon };

static const char *lexicon_pattern(struct ntext *t)
{
	struct strbuf b = { 0 };

	if (t->lexicon)
		return t->lexicon;
	sb_z(&b, "\\G(?:");
	for (int i = 0; i < NLEX; i++)
		sb_f(&b, "%s(?:%s)(?:(?<= )|(?![\\w]))(*MARK:%d)", i ? "|" : "", lexicon[i].pattern + (lexicon[i].pattern[0] == '!'), i);
	sb_ch(&b, ')');
	t->lexicon = arena_dup(t->arena, b.s, b.n);
	sb_free(&b);
	return t->lexicon;
}

uint32_t lex_at(struct ntext *t, const char *s, uint32_t off, enum kind *kind, const char **verb, bool *noun)
{
	struct rx_match m;

	if (!rx_find(t, lexicon_pattern(t), s, t->n, off, &m) || m.mark < 0 || !m.g[0].len)
		return 0;
	*kind = lexicon[m.mark].kind;
	*verb = lexicon[m.mark].verb;
	*noun = lexicon[m.mark].pattern[0] == '!';
	return m.g[0].len;
}

bool lex_verb(struct ntext *t, const char *word)
{
	struct rx_match m;
	size_t n = strlen(word);

	return rx_find(t, lexicon_pattern(t), word, n, 0, &m) && m.mark >= 0 && m.g[0].len == n && lexicon[m.mark].pattern[0] != '!';
}

/* ---- parts ---- */

#define CONNECT "and then|then|and|und|dann|danach|anschliessend|et|puis|ensuite|y|e|luego|despues|depois|em seguida|entao|afterwards|after that|followed by|before|bevor|avant de|antes de|plus|sowie|poi|ed|while|waehrend|with a|using a"

static void add_part(struct parts *ps, struct ntext *t, uint32_t from, uint32_t to, uint32_t sentence, char cut)
{
	struct part *p;

	while (from < to && isspace((unsigned char)t->w[from]))
		from++;
	while (to > from && isspace((unsigned char)t->w[to - 1]))
		to--;
	if (from >= to)
		return;
	p = vec_add(t->arena, &ps->v);
	p->off = from;
	p->len = to - from;
	p->sentence = sentence;
	p->cut = cut;
	p->module = -1;
}

static bool bullet_at(struct ntext *t, uint32_t i)
{
	while (i < t->n && (t->w[i] == ' ' || t->w[i] == '\t'))
		i++;
	if (i + 1 < t->n && strchr("*-+", t->w[i]) && t->w[i + 1] == ' ')
		return true;
	if (isdigit((unsigned char)t->w[i])) {
		while (isdigit((unsigned char)t->w[i]))
			i++;
		return t->w[i] == '.' || t->w[i] == ')';
	}
	return false;
}

/* Whether the newline at i ends a sentence: a bullet, an empty line or a capital follows, or punctuation is before it. */
static bool ends_sentence(struct ntext *t, uint32_t i)
{
	uint32_t next = i + 1, k = i;

	while (k > 0 && t->s[k - 1] == ' ')
		k--;
	if (k && strchr(".:;!?", t->s[k - 1]))
		return true;
	if (next >= t->n || t->s[next] == '\n' || bullet_at(t, next))
		return true;
	while (next < t->n && t->s[next] == ' ')
		next++;
	return next < t->n && isupper((unsigned char)t->orig[t->map[next]]);
}

static bool abbreviation(struct ntext *t, uint32_t dot)
{
	struct rx_match m;
	uint32_t a = dot > 6 ? dot - 6 : 0;

	return rx_find(t, "(?:\\b(?:e\\.g|i\\.e|z\\.b|d\\.h|approx|max|min|no|vs|etc|ca|bzw|usw|mr|dr|st|p\\.ex|incl|resp)|\\d)$", t->s + a, dot - a, 0, &m) && !(isdigit((unsigned char)t->s[dot - 1]) && (dot + 1 >= t->n || isspace((unsigned char)t->s[dot + 1])));
}

void parts_cut(struct ntext *t, struct parts *ps, const struct marks *ms)
{
	static const char connect[] = "\\G(?:" CONNECT ")\\b";
	struct rx_match m;
	uint32_t from = 0, sentence = 0, mark = 0;
	int depth = 0;
	char cut = 0;

	for (uint32_t i = 0; i <= t->n; i++) {
		char c = i < t->n ? t->w[i] : '\n';
		uint32_t skip = 0;

		while (mark < ms->n && ms->v[mark].off < i)
			mark++;
		if (mark < ms->n && ms->v[mark].off == i && i > from) {
			add_part(ps, t, from, i, sentence, cut);
			from = i;
			cut = '|';
		}
		if (i < t->n && (t->s[i] == '(' || t->s[i] == '[' || t->s[i] == '{'))
			depth++;
		else if (i < t->n && (t->s[i] == ')' || t->s[i] == ']' || t->s[i] == '}') && depth)
			depth--;
		if (i == t->n) {
			add_part(ps, t, from, i, sentence, cut);
			break;
		}
		if (c == '\n' && ends_sentence(t, i)) {
			depth = 0;
			skip = 1;
		} else if (depth) {
			continue;
		} else if ((c == '.' || c == '!' || c == '?') && (i + 1 >= t->n || isspace((unsigned char)t->s[i + 1])) && !abbreviation(t, i)) {
			skip = 1;
			c = '\n';
		} else if (c == '-' && t->w[i + 1] == '>') {
			skip = 2;
			c = '>';
		} else if (c == '=' && t->w[i + 1] == '>') {
			skip = 2;
			c = '>';
		} else if ((c == ',' || c == ';' || c == ':') && (i + 1 >= t->n || isspace((unsigned char)t->s[i + 1]) || t->w[i + 1] == TAKEN)) {
			skip = 1;
		} else if ((c == '+' || c == '&' || c == '|' || c == '>') && i && isspace((unsigned char)t->w[i - 1]) && i + 1 < t->n && isspace((unsigned char)t->w[i + 1])) {
			skip = 1;
		} else if (c == '-' && i && t->w[i - 1] == ' ' && i + 1 < t->n && t->w[i + 1] == ' ' && from < i && strspn(t->w + from, " \t\n") < i - from) {
			skip = 1;
		} else if (isalpha((unsigned char)c) && (!i || !(isalnum((unsigned char)t->w[i - 1]) || t->w[i - 1] == '_' || t->w[i - 1] == '-')) && rx_work(t, connect, i, &m)) {
			skip = m.g[0].len;
			c = 'a';
		} else {
			continue;
		}
		add_part(ps, t, from, i, sentence, cut);
		cut = c;
		if (c == '\n')
			sentence++;
		i += skip - 1;
		from = i + 1;
	}
	ps->nsentences = sentence + 1;
}

/* ---- words of work in a part ---- */

#define FILLER "(?:[\\s*+#>.)(\\x01-]|\\d+[.)]|\\b(?:step|stage|schritt|etape|paso) ?\\d+\\b:?|\\b(?:then|finally|please|also|next|first|firstly|second|secondly|third|afterwards|after that|lastly|last|now|so|just|simply|we|i|you|it|they|them|should|must|will|would|shall|want|to|need|needs|lets|let's|let|us|me|can|could|hey|hi|hello|again|automatically|always|only|both|once|that|this|which|who|the pipeline|the workflow|the job|pipeline|workflow|step|job|task|a job that|a pipeline that|a workflow that|is|are|be|get|gets|in the end|at the end|at last|zuerst|bitte|dann|danach|zum schluss|am ende|schliesslich|soll|sollen|wir|ich|es|sie|wird|werden|muss|noch|immer|d'abord|ensuite|enfin|puis|il faut|nous|on|doit|je veux|primero|luego|finalmente|por fin|al final|quiero|hay que|debe|se|depois|no final|por fim|quero|deve|precisa|preciso|primeiro|infine|prima|poi|daily|nightly|weekly|hourly|do|does|a|an|one|every|each|in parallel|there|here|then|new|build me|give me|make me|write me|create me|set up|set-up|setup)\\b)*"
#define BEFORE_VERB "\\b(?:to|and|then|we|i|they|should|must|will|shall|is|are|be|being|was|were|gets?|get|wird|werden|wurde|soll|sollen|zu|que|se|it|them|that|which|who|please|also|not|don't|do|on|you|can|could|would|let|us|finally|it's|automatically|always|both|are then|is then|es|son|sont|est|sao|e|est ensuite|a|les|los|las|os|as|der|die|das|den)[\\s]+$"

static bool verb_place(struct ntext *t, const struct part *p, uint32_t off, uint32_t len)
{
	static const char filler[] = "\\G" FILLER;
	struct rx_match m;
	uint32_t end = p->off + p->len, back = off > p->off + 24 ? off - 24 : p->off, words = 0;

	if (rx_within(t, filler, p->off, p->len, &m) && m.g[0].off == p->off && m.g[0].off + m.g[0].len >= off)
		return true;
	if (rx_find(t, "\\b(?:to|and|then|we|i|they|should|must|will|shall|is|are|be|being|was|were|gets?|wird|werden|soll|sollen|zu|please|also|you|can|could|would|let|finally|automatically|always|sont|est|sao|son|doit|deve|debe|have|has)\\s+(?:\\w+ly )?$", t->w + back, off - back, 0, &m))
		return true;
	/* "die Daten laden", "data ingestion": the word ends the part */
	for (uint32_t i = off + len; i < end; i++)
		if (isalnum((unsigned char)t->w[i]))
			return false;
	for (uint32_t i = p->off; i < off; i++)
		words += t->w[i] == ' ';
	return words < 9;
}

struct hit { enum kind kind; const char *verb; uint32_t off, len; };

static bool find_hit(struct ntext *t, const struct part *p, struct hit *h)
{
	uint32_t end = p->off + p->len;
	int depth = 0;

	for (uint32_t i = p->off; i < end; i++) {
		enum kind k;
		const char *verb;
		bool noun;
		uint32_t n;

		if (t->s[i] == '(')
			depth++;
		else if (t->s[i] == ')' && depth)
			depth--;
		if (depth || !isalpha((unsigned char)t->w[i]) || (i > 0 && (isalnum((unsigned char)t->w[i - 1]) || strchr("_-/.'", t->w[i - 1]))))
			continue;
		n = lex_at(t, t->w, i, &k, &verb, &noun);
		if (n && i + n <= end && (noun || verb_place(t, p, i, n))) {
			*h = (struct hit){ k, verb, i, n };
			return true;
		}
		if (n)
			i += n - 1;
	}
	return false;
}

/* Words after the verb that name what is worked on, at most two, as part of a name. */
static const char *object_words(struct ntext *t, uint32_t from, uint32_t end)
{
	static const char stop[] = "\\G(?:(?:step|stage) ?\\d+|the|a|an|all|our|my|its|their|these|those|this|that|some|new|of|both|each|every|it|them|any|and|lower|higher|then|der|die|das|den|dem|des|ein|eine|einen|alle|el|la|los|las|un|una|os|as|um|uma|o|les|le|des|du|une|de|do|da|dos|del|il|lo|gli|raw|final|only|just|also|daily|latest|last|best|two|three|up|out|so|again|if|more|such|same|into|que|en)\\b";
	static const char prep[] = "\\G(?:from|to|into|in|on|with|for|by|at|as|via|using|per|under|over|through|when|if|von|aus|mit|nach|auf|fuer|zu|zum|zur|in|als|bei|desde|con|para|por|como|sobre|hacia|com|em|no|na|ao|depuis|avec|dans|pour|sur|vers|par|chez|is|are|was|which|that|must|should|until|so|must|needs?|uses?|than|not|y|et|und|or|oder|e|comme|da|su|usando|between|within|after|before|against)\\b";
	struct strbuf b = { 0 };
	const char *r;
	struct rx_match m;
	int words = 0;

	for (uint32_t i = from; i < end && words < 2;) {
		if (t->w[i] == ' ' || t->w[i] == '\'' || t->w[i] == '"' || t->w[i] == '-' || t->w[i] == '`') {
			i++;
		} else if (!isalpha((unsigned char)t->w[i])) {
			break;
		} else if (rx_work(t, prep, i, &m)) {
			break;
		} else if (rx_work(t, stop, i, &m)) {
			i += m.g[0].len;
		} else {
			uint32_t n = 0;

			while (i + n < end && (isalnum((unsigned char)t->w[i + n]) || t->w[i + n] == '_'))
				n++;
			if (b.n)
				sb_ch(&b, '_');
			sb_add(&b, t->s + i, n);
			words++;
			i += n;
		}
	}
	r = arena_dup(t->arena, b.s ? b.s : "", b.n);
	sb_free(&b);
	return r;
}

static struct module *add_module(struct plan *p, enum kind kind, const char *verb, uint32_t off, uint32_t len, uint32_t sentence)
{
	struct module *m = vec_add(p->text->arena, &p->modules);

	m->kind = kind;
	m->verb = verb;
	m->off = off;
	m->len = len;
	m->sentence = sentence;
	m->cond = m->fan = m->loop = m->par = -1;
	return m;
}

/* What is not a step though it stands alone: words about the whole, greetings, settings. */
static bool heading(struct ntext *t, const struct part *p)
{
	struct rx_match m;
	uint32_t letters = 0;

	for (uint32_t i = p->off; i < p->off + p->len; i++)
		letters += isalpha((unsigned char)t->w[i]) != 0;
	if (letters < 3)
		return true;
	return rx_within(t, "\\b(?:pipelines?|workflows?|please|hey|hello|hi|thanks|thank you|project|params?|parameters?|classifier|use case|we have|i have|there (?:is|are)|our|requirements?|notes?|todo|schedule|hardware|steps?|ablauf|inputs?|outputs?|settings?|config|image|docker|container|resources?|everything|all steps|timezone|time|json|csv|parquet)\\b", p->off, p->len, &m) || (p->off + p->len < t->n && t->w[p->off + p->len] == ':');
}

/* A new module of the same verb for the second half of "extract X from A and Y from B", "train A and B variants in parallel". */
static bool shares_verb(struct plan *p, const struct parts *ps, uint32_t i, const struct module *last)
{
	struct ntext *t = p->text;
	const struct part *q = &ps->v.v[i];
	struct rx_match m;
	uint32_t end = q->off + q->len, line = end;

	if ((q->cut != 'a' && q->cut != ',' && q->cut != '&' && q->cut != '+') || last->sentence != q->sentence)
		return false;
	while (line < t->n && t->s[line] != '\n' && !(t->s[line] == '.' && isspace((unsigned char)t->s[line + 1])))
		line++;
	if (last->kind == K_NOTIFY || last->kind == K_APPROVE || last->kind == K_WAIT)
		return false;
	if (rx_within(t, "\\b(?:wants?|needs?|gets?|requires?|takes?|has|have|uses?|braucht|brauchen|bekommt|necesitan?|precisam?|besoin|on|runs?)\\b[^a-z]*(?:\\x01|$)|\\b(?:wants?|needs?|gets?|braucht|necesita|precisa)\\b", q->off, q->len, &m))
		return false;
	if (rx_find(t, "^[^;]{0,60}?\\b(?:both |all )?(?:in parallel|parallel|at the same time|concurrently|simultaneously|gleichzeitig|en parallele|en paralelo|em paralelo|side by side|independently)\\b|\\bparallel\\w*", t->s + q->off, line - q->off, 0, &m) || p->modules.v[p->modules.n - 1].par >= 0)
		return !rx_within(t, "^\\s*(?:both|all)?\\s*(?:in parallel|parallel|retry|\\x01)", q->off, q->len, &m) && object_words(t, q->off, end)[0];
	return (last->kind == K_LOAD || last->kind == K_UPLOAD) && rx_within(t, "\\w+ (?:from|aus|desde|de|depuis|to|into) ", q->off, q->len, &m) && rx_find(t, "\\b(?:from|aus|desde|depuis|to|into)\\b", t->s + last->off, last->len, 0, &m);
}

/* "gpu for training": a fact and the name of a step that is there, no step of its own. */
static bool setting_only(const struct plan *p, const struct part *q, const struct hit *h)
{
	const struct ntext *t = p->text;
	bool fact = false, there = false;
	struct rx_match m;

	for (uint32_t i = q->off; i < q->off + q->len; i++) {
		fact = fact || t->w[i] == TAKEN;
		if ((i < h->off || i >= h->off + h->len) && isalnum((unsigned char)t->w[i])) {
			if (!rx_find(p->text, "\\G(?:for|the|of|each|and|steps?|jobs?|it|fuer|die|das|der|para|el|la|o|pour|le)\\b", t->w, q->off + q->len, i, &m))
				return false;
			i += m.g[0].len - 1;
		}
	}
	for (uint32_t i = 0; i < p->modules.n; i++)
		there = there || p->modules.v[i].kind == h->kind;
	return fact && there;
}

/* What a message goes through: "on failure a Slack message" has no verb. */
static const char channel[] = "\\b(?:slack|e-?mails?|mail|messages?|nachricht(?:en)?|alerts?|alarm|teams|discord|webhook|pager\\w*|pagerduty|sms|tickets?|mensaje|mensagem|aviso|courriel|notification|benachrichtigung|notificacion)\\b";

static bool module_in(const struct plan *p, uint32_t from, uint32_t to)
{
	for (uint32_t i = 0; i < p->modules.n; i++)
		if (p->modules.v[i].off < to && p->modules.v[i].off + p->modules.v[i].len > from && p->modules.v[i].verb_len && p->modules.v[i].verb_off >= from)
			return true;
	return false;
}

/* Marks and sentences that no word of work was found in. */
static void missed_modules(struct plan *p, struct parts *ps, const struct marks *ms)
{
	struct ntext *t = p->text;
	struct rx_match k;
	bool none = !p->modules.n && !p->sweep.on && !p->job.kind && !p->dataflow.on;

	for (uint32_t i = 0; i < ps->v.n; i++) {
		struct part *q = &ps->v.v[i];
		bool there = false, event = false, fan = false;
		uint32_t at = 0;

		struct part whole = *q;

		for (uint32_t j = 0; j < p->modules.n; j++)
			there = there || p->modules.v[j].sentence == q->sentence;
		for (uint32_t j = 0; j < ms->n; j++) {
			bool inside = ms->v[j].off + ms->v[j].len >= q->off && ms->v[j].off <= q->off + q->len + 1;

			event = event || (inside && (ms->v[j].kind == MARK_BAD || ms->v[j].kind == MARK_GOOD || ms->v[j].kind == MARK_ALWAYS));
			fan = fan || (inside && ms->v[j].kind == MARK_FOR);
		}
		/* "two scrapers (a and b) side by side, join ...": the words before the list name the work */
		if (fan && there && i && q->cut == '|' && ps->v.v[i - 1].sentence == q->sentence && !rx_within(t, "[a-z]", q->off, q->len, &k) && !module_in(p, ps->v.v[i - 1].off, q->off + q->len)) {
			whole.off = ps->v.v[i - 1].off;
			whole.len = q->off + q->len - whole.off;
			there = heading(t, &whole);
		}
		event = event && !there && rx_within(t, channel, q->off, q->len, &k);
		if (there || (!event && !fan && !none) || (!event && !rx_within(t, "[a-z]{3}", whole.off, whole.len, &k)) || (!event && heading(t, q) && !fan && ps->v.n > 1))
			continue;
		while (at < p->modules.n && p->modules.v[at].off < whole.off)
			at++;
		add_module(p, event ? K_NOTIFY : K_TRANSFORM, event ? "notify" : "", whole.off, whole.len, q->sentence);
		for (uint32_t j = p->modules.n - 1; j > at; j--) {
			struct module m = p->modules.v[j];

			p->modules.v[j] = p->modules.v[j - 1];
			p->modules.v[j - 1] = m;
		}
		p->modules.v[at].verb_off = whole.off;
	}
}

static bool beside(const struct plan *p, const struct parts *ps, uint32_t i)
{
	char cut = 0;

	for (uint32_t q = 0; q < ps->v.n; q++)
		if (ps->v.v[q].off == p->modules.v[i].off)
			cut = ps->v.v[q].cut;
	return cut == 'a' || cut == ',' || cut == '&' || cut == '+';
}

/* "train a forest and fit a network in parallel" */
static void pair_parallel(struct plan *p, const struct parts *ps, int *par)
{
	static const char words[] = "\\b(?:in parallel|parallel|side by side|concurrently|simultaneously|at the same time|gleichzeitig|parallel zueinander|en parallele|en paralelo|em paralelo)\\b";
	struct rx_match k;

	for (uint32_t i = 1; i < p->modules.n; i++) {
		struct module *m = &p->modules.v[i];
		uint32_t first = i;

		if (m->par >= 0 || !rx_find(p->text, words, p->text->s, m->off + m->len, m->off, &k) || k.g[0].off < m->verb_off)
			continue;
		while (first && p->modules.v[first - 1].kind == m->kind && p->modules.v[first - 1].sentence == m->sentence && p->modules.v[first - 1].par < 0 && beside(p, ps, first))
			first--;
		if (first == i)
			continue;
		for (; first <= i; first++)
			p->modules.v[first].par = *par;
		++*par;
	}
}

/* "... after file s3://in/done shows up": waited for before the rest of the part. */
static void split_wait(struct plan *p, struct part *q)
{
	static const char words[] = "\\b(?:after|once|when|as soon as|sobald|wenn|nachdem)(?: the| an?| file| flag| object| marker| table| die| der| das| datei)* ?\\x01+ ?(?:file |flag |object )?(?:shows? up|appears?|exists?|is (?:there|present|available|written|ready)|lands?|arrives?|has (?:arrived|landed)|da ist|vorhanden ist|erscheint)\\b";
	struct rx_match k;

	if (!rx_within(p->text, words, q->off, q->len, &k))
		return;
	add_module(p, K_WAIT, "wait_for", k.g[0].off, q->off + q->len - k.g[0].off, q->sentence);
	p->modules.v[p->modules.n - 1].verb_off = k.g[0].off;
	p->modules.v[p->modules.n - 1].verb_len = k.g[0].len;
	q->len = k.g[0].off - q->off;
}

/* "..., then order spare parts": a step, whatever its verb. */
static bool said_then(struct plan *p, const struct part *q)
{
	uint32_t a = q->off > 16 ? q->off - 16 : 0;
	struct rx_match k;

	return rx_find(p->text, "\\b(?:then|afterwards|after that|followed by|dann|danach|anschliessend|puis|ensuite|luego|despues|depois|em seguida|poi)[ ,]*(?:the |a |an |also )?$", p->text->s, q->off, a, &k) && !rx_within(p->text, "^(?:the |a |an )?(?:on|in|at|by|with|to|from|for|of|its?|their)\\b", q->off, q->len, &k);
}

/* "run ingest.sh, then aggregate.sh": a program by itself is a step. */
static bool script_only(struct plan *p, const struct part *q)
{
	struct rx_match k;
	uint32_t scripts = 0;

	if (!rx_within(p->text, "^(?:(?:python3?|bash|sh|rscript|julia|then|and)\\s+)*\\x01+\\s*$", q->off, q->len, &k))
		return false;
	for (uint32_t i = 0; i < p->facts.v.n; i++)
		if (p->facts.v.v[i].off >= q->off && p->facts.v.v[i].off < q->off + q->len)
			scripts += p->facts.v.v[i].type == F_CODE || p->facts.v.v[i].type == F_COMMAND ? 1 : 2;
	return scripts == 1;
}

static void make_modules(struct plan *p, struct parts *ps, const struct marks *ms)
{
	struct ntext *t = p->text;
	int par = 0;

	for (uint32_t i = 0; i < ps->v.n; i++) {
		struct part *q = &ps->v.v[i];
		struct module *last = p->modules.n ? &p->modules.v[p->modules.n - 1] : NULL, *m;
		struct hit h;
		struct rx_match k;
		bool chain = q->cut == '>' || (i + 1 < ps->v.n && ps->v.v[i + 1].cut == '>' && ps->v.v[i + 1].sentence == q->sentence) || bullet_at(t, q->off) || (q->off && bullet_at(t, q->off > 2 ? q->off - 2 : 0));

		split_wait(p, q);
		if (find_hit(t, q, &h) && setting_only(p, q, &h))
			continue;
		if (find_hit(t, q, &h)) {
			m = add_module(p, h.kind, h.verb, q->off, q->len, q->sentence);
			m->verb_off = h.off;
			m->verb_len = h.len;
		} else if (q->cut == 'a' && !heading(t, q) && said_then(p, q) && object_words(t, q->off, q->off + q->len)[0]) {
			add_module(p, K_TRANSFORM, "", q->off, q->len, q->sentence);
		} else if (script_only(p, q)) {
			add_module(p, K_RUN, "run", q->off, q->len, q->sentence);
		} else if (last && shares_verb(p, ps, i, last)) {
			enum kind kind = last->kind;
			const char *verb = last->verb;
			uint32_t vo = last->verb_off, vl = last->verb_len;

			if (last->par < 0)
				last->par = par++;
			m = add_module(p, kind, verb, q->off, q->len, q->sentence);
			m->par = p->modules.v[p->modules.n - 2].par;
			m->verb_off = vo;
			m->verb_len = vl;
		} else if (chain && !heading(t, q) && (q->cut == '>' || q->cut == 0 || q->cut == '\n') && object_words(t, q->off, q->off + q->len)[0]) {
			add_module(p, K_TRANSFORM, "", q->off, q->len, q->sentence);
		} else if (last && last->sentence == q->sentence) {
			last->len = q->off + q->len - last->off;
			q->module = (int)p->modules.n - 1;
			if (rx_within(t, "^\\s*(?:both |all )?in parallel\\b", q->off, q->len, &k) && p->modules.n > 1 && p->modules.v[p->modules.n - 2].sentence == q->sentence && last->par < 0)
				last->par = p->modules.v[p->modules.n - 2].par = par++;
			continue;
		} else {
			continue;
		}
		q->module = (int)p->modules.n - 1;
	}
	missed_modules(p, ps, ms);
	pair_parallel(p, ps, &par);
}

static bool same_name(const struct plan *p, const char *name, uint32_t before)
{
	for (uint32_t i = 0; i < before; i++)
		if (!strcmp(p->modules.v[i].name, name))
			return true;
	for (uint32_t i = 0; i < p->facts.params.n; i++)
		if (!strcmp(p->facts.params.v[i].name, name))
			return true;
	return false;
}

static bool english(struct ntext *t)
{
	struct rx_match m;
	int n = 0;

	for (size_t at = 0; rx_find(t, "\\b(?:the|and|to|with|of|from|for|it|on|in parallel|each|every|then|if|run|using)\\b", t->s, t->n, at, &m); at = m.g[0].off + m.g[0].len)
		n++;
	for (size_t at = 0; rx_find(t, "\\b(?:der|die|das|und|mit|el|los|las|y|con|para|le|les|et|avec|pour|os|do|da|com|em|il|della|per)\\b", t->s, t->n, at, &m); at = m.g[0].off + m.g[0].len)
		n--;
	return n >= 0;
}

/* The user's own verb where it is a plain English word, else the one of the lexicon. */
static const char *verb_of(struct ntext *t, const struct module *m, bool own)
{
	struct rx_match k;

	if (!own || !*m->verb || !rx_find(t, "^[a-z]{3,11}(?= |$)", t->s + m->verb_off, m->verb_len, 0, &k) || k.g[0].len != m->verb_len)
		return m->verb;
	return rx_has(t, "^(?:make|get|let|create|run|does?|use|keep|add)$|ing$|(?:[^e]ed)$", arena_dup(t->arena, t->s + m->verb_off, m->verb_len)) ? m->verb : arena_dup(t->arena, t->s + m->verb_off, m->verb_len);
}

static void name_modules(struct plan *p)
{
	static const char keyword[] = "^(?:import|store|task|workflow|param|let|volume|defaults|step|sweep|loop|if|for|wait|approve|service|fail|on|in|out|state|while|next|ask|job|source|op|trainer|true|false|null|else|schedule|features_features)$";
	struct ntext *t = p->text;
	bool own = english(t);

	for (uint32_t i = 0; i < p->modules.n; i++) {
		struct module *m = &p->modules.v[i];
		const char *verb = verb_of(t, m, own);
		bool inside = m->verb_off >= m->off && m->verb_off < m->off + m->len;
		const char *words = object_words(t, inside ? m->verb_off + m->verb_len : m->off, m->off + m->len), *base;

		/* verb-final: the object stands before the verb */
		if (!*words && inside && m->verb_off > m->off + 2)
			words = object_words(t, m->off, m->verb_off);
		if (*verb && !strncmp(words, verb, strlen(verb)))
			base = words;
		else
			base = *words && *verb ? nl_fmt(t->arena, "%s_%s", verb, words) : *verb ? verb : words;
		base = nl_slug(t->arena, base, strlen(base), 4);
		if (!*base)
			base = nl_fmt(t->arena, "step_%u", i + 1);
		if (strlen(base) > 40)
			base = arena_dup(t->arena, base, 40);
		if (rx_has(t, keyword, base))
			base = nl_fmt(t->arena, "%s_it", base);
		m->name = base;
		for (int k = 2; same_name(p, m->name, i); k++)
			m->name = nl_fmt(t->arena, "%s_%d", base, k);
		m->doc = ntext_orig(t, m->off, m->len);
		m->doc += strspn(m->doc, " *-#>");
	}
}

static void name_plan(struct plan *p)
{
	struct ntext *t = p->text;
	uint32_t end = (uint32_t)strcspn(t->s, ".:\n"), at = 0;
	struct strbuf b = { 0 };
	struct rx_match m;
	int words = 0;

	for (; at < end && words < 3; ) {
		if (!rx_find(t, "\\G[^a-z]*(?:\\b(?:the|a|an|please|hey|hi|hello|can|you|i|we|want|need|to|do|make|build|create|write|me|pipeline|workflow|that|which|for|with|from|of|our|my|and|then|every|each|run|runs|run|us|in|on|at|it|is|one|as|set|up|w|let|all|find|get|so|und|der|die|das|den|ein|eine|jeden|jede|de|la|el|los|las|o|os|um|uma|les|le|des|une|un|todo|todos|dia|cada|chaque|tous|jours|bitte|once|day|night|hourly|daily|nightly|weekly|monthly)\\b[^a-z]*)*([a-z][a-z0-9]+)", t->w, end, at, &m))
			break;
		if (m.g[1].off + m.g[1].len > end)
			break;
		sb_f(&b, "%s%.*s", b.n ? "_" : "", (int)m.g[1].len, t->s + m.g[1].off);
		at = m.g[1].off + m.g[1].len;
		words++;
	}
	p->name = b.n ? nl_slug(t->arena, b.s, b.n, 3) : "";
	if (!*p->name || rx_has(t, "^(?:workflow|task|step|in|out|if|for|on|fail|wait|sweep|loop|service|job|let|param)$", p->name))
		p->name = "pipeline";
	sb_free(&b);
}

struct plan *plan_make(struct arena *a, const char *description, size_t n)
{
	struct plan *p = arena_new_of(a, struct plan);
	struct marks ms = { 0 };
	struct parts ps = { 0 };

	p->text = ntext_new(a, description, n);
	facts_read(p->text, &p->facts);
	plan_special(p);
	marks_read(p, &ms);
	parts_cut(p->text, &ps, &ms);
	p->nsentences = ps.nsentences;
	make_modules(p, &ps, &ms);
	marks_apply(p, &ps, &ms);
	name_modules(p);
	name_plan(p);
	parts_facts(p, &ps);
	return p;
}

void plan_free(struct plan *p)
{
	ntext_free(p->text);
}

void plan_write(const struct plan *p, struct strbuf *out)
{
	for (uint32_t i = 0; i < p->modules.n; i++) {
		const struct module *m = &p->modules.v[i];

		sb_f(out, "%u. %s: %s", i + 1, kind_words[m->kind], m->name);
		if (m->on)
			sb_f(out, " [on %s]", m->on == ON_BAD ? "failure" : m->on == ON_GOOD ? "success" : "exit");
		if (m->loop >= 0)
			sb_f(out, " [loop, at most %d]", p->loops.v[m->loop].max);
		if (m->fan >= 0)
			sb_f(out, " [for each %s]", p->fans.v[m->fan].item);
		if (m->cond >= 0)
			sb_f(out, " [%s %s]", m->branch ? "unless" : "if", p->conds.v[m->cond].text);
		if (m->par >= 0)
			sb_z(out, " [parallel]");
		sb_ch(out, '\n');
	}
}
