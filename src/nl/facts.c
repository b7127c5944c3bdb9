/* Facts other than the schedule: numbers with units, names of images, secrets, places, limits and parameters. */
#include "facts.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void facts_note(struct ntext *t, struct facts *f, const char *fmt, ...)
{
	struct strbuf b = { 0 };
	va_list ap;

	va_start(ap, fmt);
	sb_vf(&b, fmt, ap);
	va_end(ap);
	for (size_t i = 0; i < b.n; i++)
		if ((unsigned char)b.s[i] < ' ')
			b.s[i] = ' ';
	for (uint32_t i = 0; i < f->notes.n; i++)
		if (!strcmp(f->notes.v[i], sb_cstr(&b))) {
			sb_free(&b);
			return;
		}
	vec_push(t->arena, &f->notes, arena_dup(t->arena, b.s, b.n));
	sb_free(&b);
}

struct fact *facts_add(struct ntext *t, struct facts *f, enum fact_type type, const struct rx_match *m)
{
	struct fact *x = vec_add(t->arena, &f->v);

	x->type = type;
	x->off = m->g[0].off;
	x->len = m->g[0].len;
	ntext_take(t, x->off, x->len);
	return x;
}

/* ---- places ---- */

static const char *trimmed(struct ntext *t, struct rx_match *m, int g)
{
	const char *s = t->s + m->g[g].off;

	while (m->g[g].len && strchr(".,;:)'\"`", s[m->g[g].len - 1]))
		m->g[g].len--;
	return ntext_group(t, m, g);
}

static void read_places(struct ntext *t, struct facts *f)
{
	static const char uri[] = "\\b((?:s3a?|gs|gcs|abfss?|wasbs?|az|hdfs|oss|r2|minio|https?|ftp|sftp|git\\+https|postgres(?:ql)?|mysql|mongodb|redis|jdbc:[a-z]+|kafka|bq|snowflake|file|hf|dvc|docker)://[^\\s,;<>\"'`|)\\]\\x01]+)";
	static const char mail[] = "\\b([a-z0-9._%+-]+@[a-z0-9-]+\\.[a-z0-9.-]+[a-z0-9])";
	static const char file[] = "(?<![\\w/.:-])((?:[\\w.-]+/)*[\\w*-][\\w.*-]*\\.(?:csv|tsv|json|jsonl|parquet|pq|avro|orc|xlsx?|txt|zip|gz|tar|tgz|bam|sam|cram|vcf|fastq|fq|fa|fasta|bed|gtf|db|duckdb|sqlite3?|html|pdf|png|svg|jpe?g|tiff?|mp4|wav|mp3|h5|hdf5|npy|npz|pkl|pickle|joblib|onnx|pt|pth|safetensors|nc|zarr|geojson|shp|gpkg|yaml|yml|toml|ini|xml|md|log|sql|ipynb|tfrecords?|proto))(?![\\w/])";
	static const char script[] = "(?<![\\w/.:-])((?:\\./)?(?:[\\w.-]+/)*[\\w-]+\\.(?:py|sh|r|jl|scala|jar|js|ts|pl|rb))(?![\\w/])";
	struct rx_match m;

	while (rx_work(t, uri, 0, &m)) {
		struct fact *x;
		const char *s = trimmed(t, &m, 1);

		m.g[0] = m.g[1];
		x = facts_add(t, f, F_URI, &m);
		x->str = s;
	}
	while (rx_work(t, mail, 0, &m)) {
		const char *s = ntext_group(t, &m, 1);

		facts_add(t, f, F_EMAIL, &m)->str = s;
	}
	while (rx_work(t, "[\"'`]((?:python3?|sh|bash|make|npm|java|Rscript|curl|wget|dbt|spark-submit|torchrun|psql|docker|kubectl|\\./)[^\"'`\\n]+)[\"'`]|`([^`\\n]{3,})`", 0, &m)) {
		const char *s = ntext_group(t, &m, m.g[1].set ? 1 : 2);

		facts_add(t, f, F_COMMAND, &m)->str = s;
	}
	while (rx_work(t, script, 0, &m)) {
		const char *s = ntext_group(t, &m, 1);

		facts_add(t, f, F_CODE, &m)->str = s;
	}
	while (rx_work(t, file, 0, &m)) {
		const char *s = ntext_group(t, &m, 1);

		facts_add(t, f, F_FILE, &m)->str = s;
	}
}

/* Absolute paths, once those that volumes and secrets are mounted at are taken. */
static void read_paths(struct ntext *t, struct facts *f)
{
	struct rx_match m;

	while (rx_work(t, "(?<![\\w/:.~$\\x01])(/(?:[\\w.*-]+/)+(?:[\\w*-][\\w.*-]*[\\w*])?)", 0, &m)) {
		const char *s = ntext_group(t, &m, 1);

		facts_add(t, f, F_FILE, &m)->str = s;
	}
}

/* ---- images ---- */

/* product and version in words -> image */
static const struct { const char *pattern, *image; } products[] = {
	{ "\\bpython\\s*-?v?(3(?:\\.\\d+){1,2})(-slim|-alpine)?\\b", "python:%s-slim" }, { "\\bbcftools\\s+v?(1\\.\\d+(?:\\.\\d+)?)\\b", "quay.io/biocontainers/bcftools:%s" },
	{ "\\bsamtools\\s+v?(1\\.\\d+(?:\\.\\d+)?)\\b", "quay.io/biocontainers/samtools:%s" }, { "\\bgatk\\s*v?(4(?:\\.\\d+)+)\\b", "broadinstitute/gatk:%s" }, { "\\bfastqc\\s+v?(\\d+(?:\\.\\d+)+)\\b", "quay.io/biocontainers/fastqc:%s" },
	{ "\\bsalmon\\s+v?(\\d+(?:\\.\\d+)+)\\b", "quay.io/biocontainers/salmon:%s" }, { "\\br\\s+v?(4(?:\\.\\d+)+)\\b", "rocker/r-ver:%s" }, { "\\b(?:apache )?spark\\s+v?(3(?:\\.\\d+)+)\\b", "apache/spark:%s" },
	{ "\\b(?:pytorch|torch)\\s+v?(\\d+\\.\\d+(?:\\.\\d+)?)\\b", "pytorch/pytorch:%s" }, { "\\b(?:tensorflow|tf)\\s+v?(2\\.\\d+(?:\\.\\d+)?)\\b", "tensorflow/tensorflow:%s" }, { "\\bnode(?:js)?\\s+v?(\\d\\d)\\b", "node:%s" },
	{ "\\bdbt\\s+v?(1\\.\\d+(?:\\.\\d+)?)\\b", "ghcr.io/dbt-labs/dbt-core:%s" }, { "\\bpostgres(?:ql)?\\s+v?(1\\d(?:\\.\\d+)?)\\b", "postgres:%s" }, { "\\bjulia\\s+v?(1(?:\\.\\d+)+)\\b", "julia:%s" },
};

static void read_images(struct ntext *t, struct facts *f)
{
	static const char named[] = "\\b(?:(?:docker|container|base|worker)[- ]?)?(?:images?|bild|imagen|imagem|abbild|container)\\s*(?:is|=|:|named|called|von|use|tag)?\\s*[\"'`(]?((?:[a-z0-9.-]+(?::\\d+)?/)*[a-z0-9][a-z0-9._-]*(?::[\\w][\\w.-]*)?(?:@sha256:[0-9a-f]+)?)[\"'`]?";
	static const char after[] = "((?:[a-z0-9.-]+(?::\\d+)?/)*[a-z0-9][a-z0-9._/-]*:[\\w][\\w.-]*)[\"'`]?\\s+(?:docker |container )?(?:image|container|bild)\\b";
	static const char path[] = "(?<![\\w/.:-])((?:(?:ghcr|quay|docker|gcr|public\\.ecr|registry|nvcr|mcr)[a-z0-9.-]*\\.[a-z]+(?::\\d+)?/)(?:[a-z0-9._-]+/)*[a-z0-9][a-z0-9._-]*(?::[\\w][\\w.-]*)?|(?:[a-z0-9][a-z0-9._-]*/)+[a-z0-9][a-z0-9._-]*:[\\w][\\w.-]*|(?:python|node|alpine|ubuntu|debian|postgres|redis|busybox|golang|rust|r-base|mysql):\\d[\\w.-]*)";
	struct rx_match m;
	struct fact *x;
	const char *s;

	while (rx_work(t, after, 0, &m) || rx_work(t, path, 0, &m)) {
		s = trimmed(t, &m, 1);
		facts_add(t, f, F_IMAGE, &m)->str = s;
	}
	for (size_t at = 0; rx_work(t, named, at, &m);) {
		s = trimmed(t, &m, 1);
		at = m.g[0].off + m.g[0].len;
		/* "image" is a word of other trades: a name must look like one */
		if (!strpbrk(s, ":/") && !rx_has(t, "^(?i)(?:alpine|ubuntu|debian|python|busybox)$", s))
			continue;
		facts_add(t, f, F_IMAGE, &m)->str = s;
	}
	for (size_t i = 0; i < sizeof products / sizeof *products; i++)
		while (rx_work(t, products[i].pattern, 0, &m)) {
			const char *v = ntext_group(t, &m, 1), *suffix = m.g[2].set ? ntext_group(t, &m, 2) : NULL, *hole = strstr(products[i].image, "%s");

			s = suffix && *suffix ? nl_fmt(t->arena, "python:%s%s", v, suffix) : nl_fmt(t->arena, "%.*s%s%s", (int)(hole - products[i].image), products[i].image, v, hole + 2);
			x = vec_add(t->arena, &f->v);
			x->type = F_IMAGE;
			x->off = m.g[0].off;
			x->len = m.g[0].len;
			x->str = s;
			ntext_take(t, m.g[1].off, m.g[1].len);
			if (rx_find(t, "^\\s*(?:docker )?(?:image|container|bild)\\b", t->w + m.g[0].off + m.g[0].len, t->n - m.g[0].off - m.g[0].len, 0, &m))
				ntext_take(t, x->off + x->len + m.g[0].off, m.g[0].len);
		}
}

/* ---- secrets ---- */

/* "secret partner, keys user and password": one for each key. */
static void read_key_lists(struct ntext *t, struct facts *f)
{
	static const char keys[] = "\\b(?:secrets?|geheimnis|secreto|segredo)\\s*(?:named|called|is|=|:)?\\s*[\"'`]?([a-z0-9][\\w.-]*)[\"'`]?\\s*[,(]?\\s*(?:with |under |mit |con |com |avec )?(?:the |den |las |les )?(?:keys|schluesseln?|claves|chaves|cles)\\s*[:=]?\\s*[\"'`]?([a-z][\\w.-]*)[\"'`]?(?:\\s*(?:,|and|und|y|e|et|/)\\s*[\"'`]?([a-z][\\w.-]*)[\"'`]?)(?:\\s*(?:,|and|und|y|e|et|/)+\\s*[\"'`]?([a-z][\\w.-]*)[\"'`]?(?=\\s*[).,;]))?\\)?";
	struct rx_match m;

	while (rx_work(t, keys, 0, &m)) {
		const char *name = ntext_group(t, &m, 1), *members[3] = { ntext_group(t, &m, 2), ntext_group(t, &m, 3), ntext_group(t, &m, 4) };

		for (int i = 0; i < 3 && members[i]; i++) {
			struct fact *x = facts_add(t, f, F_SECRET, &m);

			x->str = name;
			x->str2 = members[i];
		}
	}
}

static void read_secrets(struct ntext *t, struct facts *f)
{
	static const char slash[] = "\\b(?:secrets?|geheimnis|secreto|segredo|segreto)\\s*(?:named|called|is|=|:|names?)?\\s*[\"'`(]?([a-z0-9][\\w.-]*)\\s*[/:]\\s*([a-z][\\w.-]*)[\"'`)]?";
	static const char key[] = "\\b(?:secrets?|geheimnis|secreto|segredo|segreto)\\s*(?:named|called|is|=|:)?\\s*[\"'`]?([a-z0-9][\\w.-]*)[\"'`]?\\s*[,(]?\\s*(?:under (?:the )?|with (?:the )?|mit (?:dem )?|con (?:la )?|com (?:a )?|avec (?:la )?)?(?:keys?|schluessel|clave|chave|cle|chiave|field)\\s*[:=]?\\s*[\"'`]?([a-z][\\w.-]*)[\"'`]?\\)?";
	static const char of[] = "\\b(?:key|schluessel|clave|chave|cle)\\s+[\"'`]?((?!is\\b|are\\b|lives\\b|comes\\b|stored\\b|kept\\b|from\\b|in\\b|ist\\b|liegt\\b|esta\\b|est\\b|and\\b)[a-z][\\w.-]*)[\"'`]?\\s+(?:of|in|from|aus|im|des|dem|del|de|du|do)\\s+(?:the )?(?:k8s |kubernetes )?(?:secret|geheimnis|secreto|segredo)\\s+[\"'`]?([a-z0-9][\\w.-]*)[\"'`]?";
	static const char plain[] = "\\b(?:secrets?|geheimnis|secreto|segredo)\\s*(?:named|called|is|=|:|namens)?\\s*[\"'`]?([a-z0-9][\\w.-]*[a-z0-9])[\"'`]?";
	static const char before[] = "[\"'`]([a-z0-9][\\w.-]*)[\"'`] secret\\b|\\b([a-z0-9]+(?:-[a-z0-9]+)+) secret\\b";
	struct rx_match m, k;
	struct fact *x;

	read_key_lists(t, f);
	for (size_t at = 0;;) {
		const char *name, *member = NULL;
		uint32_t end;

		if (rx_work(t, of, at, &m)) {
			name = ntext_group(t, &m, 2);
			member = ntext_group(t, &m, 1);
		} else if (rx_work(t, key, at, &m) || rx_work(t, slash, at, &m)) {
			name = ntext_group(t, &m, 1);
			member = ntext_group(t, &m, 2);
		} else if (rx_work(t, plain, at, &m) || rx_work(t, before, at, &m)) {
			name = ntext_group(t, &m, m.g[1].set ? 1 : 2);
			if (rx_has(t, "^(?i)(?:key|keys|manager|store|in|and|for|the|is|as|of|to|from|a|named|with|which|mounted|access|needed|required|must|should)$", name)) {
				at = m.g[0].off + m.g[0].len;
				continue;
			}
		} else {
			break;
		}
		end = m.g[0].off + m.g[0].len;
		x = facts_add(t, f, F_SECRET, &m);
		x->str = name;
		x->str2 = member;
		if (rx_find(t, "^[^.;\\n]{0,14}\\b(?:mounted|mount|as (?:a )?file|als datei|comme fichier|como (?:un )?(?:archivo|arquivo|fichero)|montado|montiert|eingehaengt)(?: it)?(?: as (?:a )?file)?(?: (?:at|under|in|to) (/[\\w./-]+))?", t->w + end, t->n - end, 0, &k)) {
			x->num = 1;
			if (k.g[1].set)
				x->str2 = ntext_orig(t, end + k.g[1].off, k.g[1].len);
			ntext_take(t, end, k.g[0].off + k.g[0].len);
		}
	}
}

/* ---- numbers with units ---- */

static void read_retries(struct ntext *t, struct facts *f)
{
	static const char verb[] = "\\b(?:retr(?:y|ies|ied|ying)|try again|re-?run|wiederhol\\w*|erneut versuchen|reintent\\w*|reessay\\w*|repet\\w*|tent(?:ar|e)|nochmal(?: versuchen)?|riprova\\w*|intentar)(?:\\s*(?:it|that|this|each|them|every|all|the|steps?|up to|at most|bis zu|jusqu'a|hasta|ate|on failure|failed|failures|of|mais|mas|=|:|,|bei fehlern?|downloads?|uploads?|calls?|requests?|hoechstens|maximal)(?=[ ,:=(]))*\\s*\\(?" NL_NUM "(?:\\s*(?:more )?(?:x|times?|mal|fois|veces|vezes|volte|retries|attempts|more))?|\\b(?:retry|wiederhole\\w*|retries) (twice|once|zweimal|dreimal)\\b|\\b(?:wiederhol\\w*|versuch\\w*)[^.;\\n]{0,12}?(zweimal|dreimal|viermal|fuenfmal)\\b";
	static const char noun[] = "\\b" NL_NUM "\\s*-?(?:x|times|mal|fois|veces|vezes)?\\s*(?:more |further |weitere |extra |additional |automatic |mal |autres |otros |outras )?(?:retr(?:y|ies)|wiederholung(?:en|sversuche)?|reintentos|nouvelles tentatives|tentatives|tentativas|versuche)\\b|\\b" NL_NUM "(?:x| times| mal| fois| veces| vezes)\\s+(?:wiederhol\\w*|retry|retries|erneut|nochmal\\w*|reintent\\w*)|\\b(?:again )?(?:up to )?" NL_NUM " (?:more )?times (?:if|when|on) (?:it )?fail\\w*";
	static const char attempts[] = "\\b(?:up to |at most |maximum |max\\.? |hoechstens |maximal )?" NL_NUM " (?:attempts|tries|intentos)(?: in all| in total)?\\b";
	struct rx_match m, k;

	for (;;) {
		struct fact *x;
		double v, s;
		uint32_t end;
		bool total = false;

		if (rx_work(t, noun, 0, &m) || rx_work(t, verb, 0, &m)) {
			v = NAN;
			for (int g = 1; g <= 3; g++)
				if (m.g[g].set)
					v = nl_group_number(t, &m, g);
		} else if (rx_work(t, attempts, 0, &m)) {
			v = nl_group_number(t, &m, 1);
			total = true;
		} else {
			break;
		}
		if (isnan(v) || v < 0 || v > 1000)
			v = 3;
		x = facts_add(t, f, F_RETRY, &m);
		x->num = total && v > 1 ? v - 1 : v;
		if (rx_find(t, "^\\s*(?:each|per step|on each|every step)\\b", t->w + x->off + x->len, t->n - x->off - x->len, 0, &k))
			x->whole = false;
		end = x->off + x->len;
		/* what follows in the same sentence belongs to it */
		for (int i = 0; i < 6; i++) {
			size_t n = strcspn(t->w + end, ".\n") + 0;

			if (n > 140)
				n = 140;
			while (t->w[end + n] == '.' && isdigit((unsigned char)t->w[end + n + 1]))
				n += 1 + strcspn(t->w + end + n + 1, ".\n");
			if (rx_find(t, "\\b(?:never (?:wait )?(?:more|longer) than|(?:up to|at most|max(?:imum)?\\.?|capped at|cap|bis|hoechstens|maximal|no more than|jusqu'a|hasta)(?: (?:a|of|delay|backoff|wait|max))*) " NL_DUR "(?: (?:between|apart|backoff|delay|max))*", t->w + end, n, 0, &m)) {
				s = nl_seconds(t->w + end + m.g[1].off, m.g[1].len, t->w + end + m.g[2].off, m.g[2].len);
				x->num4 = s;
			} else if (rx_find(t, "\\b(?:(?:with |mit |avec |con |com )?(?:an? )?(?:exponenti?\\w+|doubling|growing|increasing|linear|wachsend\\w*)?[ -]?(?:back-?off|delay|wait|pause|abstand|wartezeit|attente|espera|warte\\w*)?s?,? ?(?:of|starting|start|beginning|from|with|at|ab|von|beginnend|initial|de|a partir de|empezando|comecando|en|em|every|after|first|waits?)*[ :=]*|wait(?:ing)? |every |alle |im abstand von |mit )\\(?" NL_DUR "(?: (?:backoff|apart|between|delay|pause|wait|in between|abstand|interval|initial|first))*", t->w + end, n, 0, &m) && (m.g[0].len > m.g[1].len + m.g[2].len + 2)) {
				s = nl_seconds(t->w + end + m.g[1].off, m.g[1].len, t->w + end + m.g[2].off, m.g[2].len);
				if (x->num2 > 0)
					break;
				x->num2 = s;
			} else if (rx_find(t, "\\b(?:factor|faktor|multiplier|times|facteur|fator) (?:of |von |=? ?)?" NL_NUM "|\\b(doubl\\w+|verdoppel\\w*|doblando|dobrando)\\b|\\b(tripl\\w+)\\b", t->w + end, n, 0, &m)) {
				x->num3 = m.g[2].set ? 2 : m.g[3].set ? 3 : nl_number(t->w + end + m.g[1].off, m.g[1].len);
			} else if (rx_find(t, "\\b(?:only )?(?:on|for|if|when|bei|nur bei) (?:exit )?(?:codes?|status(?:code)?|exit-?code)s? ?(\\d+(?:(?:,| and| or| und|/) ?\\d+)*)|\\bexit (?:code |status )?(\\d+(?:(?:,| and| or| und|/) ?\\d+)*)", t->w + end, n, 0, &m)) {
				int g = m.g[1].set ? 1 : 2;
				struct strbuf b = { 0 };
				bool in = false;

				for (uint32_t c = 0; c < m.g[g].len; c++) {
					char ch = t->w[end + m.g[g].off + c];

					if (isdigit((unsigned char)ch)) {
						if (!in && b.n)
							sb_z(&b, ", ");
						sb_ch(&b, ch);
						in = true;
					} else {
						in = false;
					}
				}
				x->str2 = nl_fmt(t->arena, "[%s]", sb_cstr(&b));
				sb_free(&b);
			} else if (rx_find(t, "\\b(?:only )?(?:on|for|bei) (?:infra\\w*|node|network|spot|preempt\\w*|evict\\w*|pod|machine)[ -]?(?:errors?|failures?|problems?|loss|fehlern?|preemptions?|evictions?|kills?)?", t->w + end, n, 0, &m)) {
				x->str2 = "error";
			} else if (rx_find(t, "^\\s*,? ?(?:with |mit |avec |con |com )?(?:an? )?(exponenti?\\w+(?: ?(?:back-?off|wartezeit|attente|espera))?|back-?off)\\b", t->w + end, n, 0, &m)) {
				if (x->num3 == 0)
					x->num3 = 2;
			} else {
				break;
			}
			ntext_take(t, end + m.g[0].off, m.g[0].len);
		}
		if (x->num3 > 0 && x->num2 <= 0) {
			x->num2 = 10;
			facts_note(t, f, "The backoff has no first delay in the description: 10s is assumed.");
		}
	}
	if (rx_work(t, "\\b(?:with |and )?(?:automatic )?retries\\b(?! (?:off|none))|\\bretry (?:on|each|it|them|if|when|transient|flaky|network|failures?)(?: (?:fails?|failures?|errors?|step|steps))*", 0, &m)) {
		facts_add(t, f, F_RETRY, &m)->num = 3;
		facts_note(t, f, "The description does not say how often to retry: 3 further attempts are assumed.");
	}
}

static void read_timeouts(struct ntext *t, struct facts *f)
{
	static const char p[] = "\\b(?:(?:hard )?time-?outs?|time limit|deadline|zeitlimit|zeitbegrenzung|limite de temps|delai|limite de tiempo|tiempo limite|tempo limite|delai maximal|gets?|kill(?:ed)?(?: it)?(?: if it (?:takes|runs))?(?: after| (?:longer|more) than)?|abort(?:ed)?(?: it)? after|cancel(?: it)? after|stop(?: it)? after|abbrechen nach|nach)\\s*(?:is|of|=|:|after|at|in|von|nach|de|per step|each)?\\s*" NL_DUR "(?:\\s*(timeout|abbrechen|max))?";
	static const char most[] = "\\b(?:(?:must|may|should|can|shall|darf)(?:n't| not| never| nicht)?\\s+(?:take|run|last|need|exceed|be running|dauern|laufen)?\\s*(?:longer than|more than|over|at most|up to|no more than|laenger als|hoechstens)|(?:takes?|runs?|lasts?)\\s+(?:at most|no longer than|no more than|max(?:imum)?)|not longer than|no longer than|(?:at most|max\\.?|maximum|hoechstens|maximal|no mas de|maximo|pas plus de|no maximo|max) (?=\\d+\\s*(?:h|hours?|min|minutes?|stunden|minuten|horas|heures|minutos)))\\s*" NL_DUR "(?: dauern| laufen)?";
	static const char over[] = "\\b(?:if|when|should|sobald|wenn|falls|si|se)\\b[^.;,\\n]{0,40}?\\b(?:takes?|runs?|lasts?|needs?|is running|is still running|dauert|laeuft|dure|tarda|demora)\\s+(?:for )?(?:longer than|more than|over|laenger als|mehr als|plus de|mas de|mais de)?\\s*" NL_DUR "\\s*,?\\s*(?:then )?(?:kill|stop|abort|cancel|terminate|fail|give up|brich)\\w*(?: it| that| the (?:step|job|run))?";
	static const char within[] = "\\b(?:finish(?:es|ed)?|done|completes?d?|ends?|over|ready|run (?:it|everything|all of it|the whole (?:thing|run|pipeline))|everything|all of it)\\b(?: [a-z]+){0,3}? (?:within|in under|in less than|in at most|inside of) " NL_DUR "|\\b(?:may|can|must|should|darf) (?:only )?(?:take|run|last|need) " NL_DUR " (?:at most|at the most|max(?:imum)?|tops|hoechstens)\\b";
	static const char plain[] = "\\b" NL_DUR "\\s*(?:hard )?(?:time-?out|time limit|zeitlimit|max(?:imum)?)\\b|\\b(?:time-?out)\\s*[:=(]?\\s*" NL_DUR;
	struct rx_match m, k;

	for (size_t at = 0; rx_work(t, over, at, &m) || rx_work(t, within, at, &m) || rx_work(t, plain, at, &m) || rx_work(t, most, at, &m) || rx_work(t, p, at, &m);) {
		struct fact *x;
		int g = m.g[1].set ? 1 : 3;
		double s = nl_group_seconds(t, &m, g);
		uint32_t a = m.g[0].off > 60 ? m.g[0].off - 60 : 0;

		if (isnan(s) || s < 1) {
			at = m.g[0].off + m.g[0].len;
			continue;
		}
		/* verbs that mean a time only with a word of time beside it */
		if (rx_find(t, "^(?:gets?|nach)\\b", t->s + m.g[0].off, m.g[0].len, 0, &k) && !m.g[3].set) {
			at = m.g[0].off + m.g[0].len;
			continue;
		}
		x = facts_add(t, f, F_TIMEOUT, &m);
		x->num = ceil(s);
		while (a < m.g[0].off && t->s[a] != '.' && t->s[a] != '\n' && a + 60 > m.g[0].off + 60)
			a++;
		x->whole = rx_find(t, "\\b(?:whole|entire|complete|overall|total|everything|workflow|pipeline|run|gesamt\\w*|ganze\\w*|toute?|todo|job)\\b[^.;\\n]*$", t->s + a, m.g[0].off - a, 0, &k) ||
			rx_find(t, "\\b(?:everything|all of it|whole|entire)\\b", t->s + m.g[0].off, m.g[0].len, 0, &k) ||
			rx_find(t, "^[^.;,\\n]{0,6}\\b(?:in total|overall|altogether|for (?:the )?(?:whole|entire|everything|all|run|workflow|pipeline)|insgesamt|en tout|en total|no total)\\b", t->s + x->off + x->len, t->n - x->off - x->len, 0, &k);
	}
}

static const char *size_text(struct ntext *t, const struct rx_match *m, int g)
{
	double v = nl_group_number(t, m, g);
	const char *u = t->s + m->g[g + 1].off;
	char c = (char)toupper((unsigned char)u[0]);
	bool two = m->g[g + 1].len > 1 && u[1] == 'i';

	return nl_fmt(t->arena, "%s%s", nl_num_text(t->arena, v), two || m->g[g + 1].len == 1 ? nl_fmt(t->arena, "%ci", c) : nl_fmt(t->arena, "%cB", c));
}

#define NL_SIZE "(\\d+(?:\\.\\d+)?)\\s*([kmgt]i?b?)\\b"

static void read_resources(struct ntext *t, struct facts *f)
{
	static const char gpu_types[] = "(?:nvidia[ -]?)?(?:tesla[ -])?(a100|h100|h200|v100|t4|l4|l40s?|a10g?|p100|rtx ?\\d+|b200|mi300x?)(?:[ -]?(\\d+ ?gb))?";
	static const char gpus[] = "\\b(?:(an?|un|une|eine?r?|uma|una|single) |" NL_NUM "\\s*-?x?\\s*)(?:nvidia |cuda )?(?:(a100|h100|h200|v100|t4|l4|l40s?|a10g?|p100|rtx ?\\d+)s?[ -]*(?:80 ?gb )?)?-?(?:gpus?|graphics cards?|grafikkarten?)\\b|\\bgpus?\\s*[:=]\\s*(\\d+)|\\b(?:(an?|one) |" NL_NUM "\\s*x?\\s*)(?:nvidia |tesla )*(a100|h100|h200|v100|t4|l4|l40s?|a10g?)s?\\b|\\bgpus? (\\d+)\\b";
	static const char vague[] = "\\b(?:an? )?gpus?(?= for )|\\b(?:needs?|with|on|using|auf|mit|sur|con|com|requires?|gets?)(?: an?| the| einer| une?| una| uma)? gpus?\\b";
	static const char cpus[] = "\\b" NL_NUM "\\s*-?v?(?:cpus?|cores?|kerne?n?|coeurs?|nucleos|vcpus?)\\b|\\bcpus?\\s*[:=]?\\s*(\\d+(?:\\.\\d+)?)\\b";
	static const char mem[] = "\\b" NL_SIZE "\\s*(?:of )?(?:ram|memory|mem|arbeitsspeicher|speicher|de ram|de memoria|memoire|memoria)\\b|\\b(?:memory|ram|mem|speicher)\\s*(?:of|[:=])?\\s*" NL_SIZE "|\\b(\\d+)([mg]i)\\b|\\x01\\s*[/,]?\\s*(?:and |und )?" NL_SIZE "(?!\\s*(?:disk|volume|ssd|pvc|scratch|shared|storage))";
	static const char disk[] = "\\b" NL_SIZE "\\s*(?:of )?(?:local |scratch |ephemeral |free )?(?:disk|ssd|festplatte|storage)(?: space)?\\b|\\bdisk\\s*[:=]?\\s*" NL_SIZE;
	struct rx_match m, k;
	struct fact *x;

	while (rx_work(t, gpus, 0, &m)) {
		double v = 1;
		const char *type = NULL;

		if (m.g[2].set)
			v = nl_group_number(t, &m, 2);
		else if (m.g[4].set)
			v = nl_group_number(t, &m, 4);
		else if (m.g[6].set)
			v = nl_group_number(t, &m, 6);
		else if (m.g[8].set)
			v = nl_group_number(t, &m, 8);
		if (m.g[3].set)
			type = ntext_fold(t, &m, 3);
		else if (m.g[7].set)
			type = ntext_fold(t, &m, 7);
		x = facts_add(t, f, F_GPU, &m);
		x->num = v;
		x->str = type ? nl_fmt(t->arena, "nvidia-%s", nl_slug(t->arena, type, strlen(type), 3)) : NULL;
		if (!type && rx_find(t, "^\\s*\\(?(?:of type |type |typ |vom typ )?(?:nvidia[ -])?(a100|h100|h200|v100|t4|l4|l40s?|a10g?)\\b\\)?", t->w + x->off + x->len, t->n - x->off - x->len, 0, &k)) {
			x->str = nl_fmt(t->arena, "nvidia-%.*s", (int)k.g[1].len, t->w + x->off + x->len + k.g[1].off);
			ntext_take(t, x->off + x->len, k.g[0].len);
		}
	}
	if (rx_work(t, "\\b(?:on|auf|sur|em|en) (?:an? |the )?(?:nvidia )?(a100|h100|v100|t4|l4|a10g?)\\b", 0, &m)) {
		const char *type = ntext_fold(t, &m, 1);

		x = facts_add(t, f, F_GPU, &m);
		x->num = 1;
		x->str = nl_fmt(t->arena, "nvidia-%s", type);
	}
	while (rx_work(t, vague, 0, &m))
		facts_add(t, f, F_GPU, &m)->num = 1;
	while (rx_work(t, cpus, 0, &m)) {
		double v = nl_group_number(t, &m, m.g[1].set ? 1 : 2);

		if (isnan(v))
			v = 1;
		facts_add(t, f, F_CPU, &m)->num = v;
	}
	while (rx_work(t, disk, 0, &m)) {
		const char *s = size_text(t, &m, m.g[1].set ? 1 : 3);

		facts_add(t, f, F_DISK, &m)->str = s;
	}
	while (rx_work(t, mem, 0, &m)) {
		int g = m.g[1].set ? 1 : m.g[3].set ? 3 : m.g[5].set ? 5 : 7;
		const char *s = size_text(t, &m, g);

		facts_add(t, f, F_MEMORY, &m)->str = s;
	}
	(void)gpu_types;
}

static void read_parallel(struct ntext *t, struct facts *f)
{
	static const char p[] = "\\b(?:(?:but )?(?:not more than|no more than|never more than|at most|up to|max(?:imum|imal)?\\.?(?: of)?|limit(?:ed)?(?: to)?|only|hoechstens|maximal|au plus|au maximum|como maximo|a lo sumo|no maximo|max|nicht mehr als|pas plus de|no mas de) )?(?<!the )(?<!all )(?<!these )(?<!our )(?<!those )" NL_NUM "\\s*(?:\\w+ ){0,2}?(?:at (?:a|one|the same) time|at once|in parallel|simultaneous(?:ly)?|concurrent(?:ly)?|parallel|gleichzeitig|zugleich|en parallele|en meme temps|a la fois|simultanement|en paralelo|a la vez|simultaneamente|em paralelo|ao mesmo tempo|por vez|per time|auf einmal|in parallelo)(?: (?:max(?:imum)?|at most|hoechstens))?(?![\\w])";
	static const char q[] = "\\b(?:parallelism|max[_ ]parallel|concurrency|parallel(?:ism)? limit)\\s*(?:of|=|:|is)?\\s*(\\d+)";
	static const char after[] = "\\b(?:in parallel|parallel|gleichzeitig|en paralelo|em paralelo|en parallele|concurrently|simultaneously)[ ,(]*(?:but )?(?:with )?(?:not more than|no more than|never more than|at most|up to|max(?:imum|imal)?\\.?|limit(?:ed)?(?: to)?|hoechstens|maximal|au plus|au maximum|maximo|como maximo|a lo sumo|no maximo|aber hoechstens|pero maximo)\\s*" NL_NUM "(?: (?:at (?:a|one) time|at once))?";
	static const char bare[] = "\\b(?:but )?(?:not more than|no more than|never more than)\\s+" NL_NUM "\\b(?!\\s*(?:%|minutes?|hours?|h\\b|min|s\\b|seconds?|times|retries|gpus?|cpus?|gb|gi|mb|days?|attempts|rounds|iterations))";
	static const char one[] = "\\b(?:one (?:after (?:the other|another)|by one|at a time)|sequentially|nacheinander|l'un apres l'autre|uno por uno|um por um|un[oa] a la vez)\\b";
	struct rx_match m, k;

	while (rx_work(t, after, 0, &m) || rx_work(t, p, 0, &m) || rx_work(t, q, 0, &m) || rx_work(t, bare, 0, &m)) {
		double v = nl_group_number(t, &m, 1);
		struct fact *x;

		if (isnan(v) || v < 1)
			v = 1;
		x = facts_add(t, f, F_PARALLEL, &m);
		x->num = v;
		x->whole = rx_find(t, "^[^.;\\n]{0,24}\\b(?:overall|in total|in the whole|across (?:the|all)|insgesamt|steps)\\b", t->s + x->off, t->n - x->off, 0, &k) && k.g[0].len < x->len + 30;
	}
	if (rx_work(t, one, 0, &m))
		facts_add(t, f, F_PARALLEL, &m)->num = 1;
}

static void read_placement(struct ntext *t, struct facts *f)
{
	struct rx_match m;
	struct fact *x;

	while (rx_work(t, "\\b(?:k8s |kubernetes )?(?:service[- ]?account|serviceaccount|dienstkonto|servicekonto|compte de service|cuenta de servicio|conta de servico)(?! key| json| schluessel)\\s*(?:is|=|:|named)?\\s*[\"'`]?([a-z0-9][\\w.-]*)[\"'`]?", 0, &m)) {
		const char *s = trimmed(t, &m, 1);

		facts_add(t, f, F_ACCOUNT, &m)->str = s;
	}
	while (rx_work(t, "\\b(?:node[- ]?(?:pool|group|selector)|nodepool|pool)\\s*(?:is|=|:|named|called)?\\s*[\"'`]?(?:([a-z][\\w./-]*)\\s*=\\s*)?([a-z0-9][\\w.-]*)[\"'`]?", 0, &m)) {
		const char *k = ntext_group(t, &m, 1), *s = trimmed(t, &m, 2);

		if (rx_has(t, "^(?i)(?:of|with|and|for|in|the)$", s)) {
			ntext_take(t, m.g[0].off, m.g[0].len);
			continue;
		}
		x = facts_add(t, f, F_SELECTOR, &m);
		x->str = k ? k : "pool";
		x->str2 = s;
	}
	while (rx_work(t, "\\b(?:on |auf )?(?:nodes?|machines?|knoten) (?:labell?ed|with (?:the )?label|mit (?:dem )?label|selector)\\s*[\"'`]?([a-z][\\w./-]*)\\s*[=:]\\s*([\\w.-]+)[\"'`]?", 0, &m)) {
		const char *k = ntext_group(t, &m, 1), *s = trimmed(t, &m, 2);

		x = facts_add(t, f, F_SELECTOR, &m);
		x->str = k;
		x->str2 = s;
	}
	while (rx_work(t, "\\b(?:tolerat\\w+|taints?)\\s*(?:the )?(?:taint )?[:=]?\\s*[\"'`]?([a-z][\\w./-]*(?:=[\\w.-]+)?(?::no\\w+)?)[\"'`]?", 0, &m)) {
		const char *s = trimmed(t, &m, 1);

		facts_add(t, f, F_TOLERATE, &m)->str = s;
	}
	while (rx_work(t, "\\bpriority(?: class)?\\s*(?:is|=|:)?\\s*[\"'`]?(high(?:[\\w-]*)|low(?:[\\w-]*)|[a-z][\\w]*-[\\w-]+|\\d+)[\"'`]?", 0, &m)) {
		const char *s = ntext_group(t, &m, 1);

		facts_add(t, f, F_PRIORITY, &m)->str = s;
	}
	while (rx_work(t, "\\blabel(?:led|s|ed)?(?: everything| all| it| the run| with)*\\s*[:=]?\\s*[\"'`]?([a-z][\\w./-]*)\\s*[=:]\\s*[\"'`]?([\\w.-]+)[\"'`]?", 0, &m)) {
		const char *k = ntext_group(t, &m, 1), *s = trimmed(t, &m, 2);

		x = facts_add(t, f, F_LABEL, &m);
		x->str = k;
		x->str2 = s;
	}
}

static void read_reuse(struct ntext *t, struct facts *f)
{
	struct rx_match m;
	struct fact *x;

	while (rx_work(t, "\\b(?:don't cache|do not cache|never cache|no cach\\w+|not cached|without cach\\w+|never reuse[^.;,\\n]*|always (?:fresh|re-?run|run again|recompute\\w*|from scratch)|cache off|nie cachen|nicht cachen|kein cache|sans cache|sin cache|sem cache|immer frisch|must be fresh)\\b", 0, &m))
		facts_add(t, f, F_CACHE, &m)->str = "off";
	while (rx_work(t, "\\b(?:cache(?:d)?(?: (?:the|its|it|this|result|results|output|embeddings|features|step|that))*(?: for)?|reuse (?:the )?(?:result|results|output|cached)[^.;,\\n]{0,20}(?:for|up to|newer than)|zwischenspeichern(?: fuer)?|cachen(?: fuer)?|mettre en cache(?: pendant)?|cachear(?: por| durante)?)\\s*(?:up to )?" NL_DUR, 0, &m)) {
		double s = nl_group_seconds(t, &m, 1);

		x = facts_add(t, f, F_CACHE, &m);
		x->str = "on";
		x->num = s;
	}
	while (rx_work(t, "\\b(?:cached?\\b|cachen|zwischenspeichern|en cache|cacheado|don't recompute|do not recompute|only recompute (?:if|when)[^.;\\n]*|skip (?:it )?if (?:nothing|the (?:data|input)s?)[^.;\\n]*(?:changed|same)|reuse (?:the )?(?:previous|earlier|old|cached)? ?(?:result|results|output)s?|not recomputed|unless the (?:input|data)s? chang\\w+)", 0, &m)) {
		struct rx_match k;
		const char *v = NULL;

		if (rx_find(t, "\\bversion [\"'`]?([\\w.-]+)", t->w + m.g[0].off, strcspn(t->w + m.g[0].off, ".\n"), 0, &k))
			v = ntext_orig(t, m.g[0].off + k.g[1].off, k.g[1].len);
		x = facts_add(t, f, F_CACHE, &m);
		x->str = "on";
		x->str2 = v;
	}
	while (rx_work(t, "\\b(?:(?:it |this |that |which |and )?(?:is |are )?(?:allowed to fail|may fail|can fail|might fail|best[- ]effort|not (?:critical|important|essential)|non-critical|optional step|darf (?:auch )?(?:fehlschlagen|schiefgehen)|peut echouer|puede fallar|pode falhar)|(?:if|when|wenn|falls|si|se) (?:it|that|this|one|es|das)? ?(?:step )?(?:fails?|fehlschlaegt|scheitert|schiefgeht|echoue|falla|falhar),? (?:it's fine|that's (?:fine|ok(?:ay)?)|just |simply |still |then |egal|trotzdem )*(?:ignore(?: it)?|continue(?: anyway)?|go on|carry on|move on|keep going|skip it|weiter(?:machen)?|on continue|continuer|seguir|continuar|no problem|fine|ok(?:ay)?)(?: without it| anyway)?|(?:if|when) (?:one|any|either|some|an?)(?: of (?:the|them|these))?(?: [a-z]+)? (?:fails?|breaks?|errors?),? (?:then )?(?:the )?(?:rest|others?|other (?:one|ones|[a-z]+s)|remaining [a-z]+|everything else|run|pipeline|workflow)(?: of (?:the|it|them) ?[a-z]*)? (?:should |must |can |may |shall |has to )?(?:still |just )?(?:go(?:es)? on|continues?|runs?|carry on|keeps? (?:going|running)|proceeds?|finish(?:es)?)|(?:ignor(?:e|ing)) (?:its |any )?failures?|(?:a )?failure (?:there |of it |here )?(?:is|must|should|may) (?:fine|ok(?:ay)?|ignored|not (?:stop|fail|break)[^.;\\n]*)|must not (?:fail|stop|break) the (?:run|pipeline|workflow|rest)|should not (?:fail|stop|break) the (?:run|pipeline|workflow|rest))", 0, &m))
		facts_add(t, f, F_OPTIONAL, &m);
}

static void read_locks(struct ntext *t, struct facts *f)
{
	struct rx_match m;
	struct fact *x;

	if (rx_work(t, "\\b(?:only one (?:such )?(?:run|instance)(?: of it)?(?: (?:at a time|at once|may run|can run))+|never two (?:runs )?(?:of (?:these|them) )?(?:at (?:once|the same time)|in parallel)|(?:must|may|should)(?:n't| not| never) run (?:twice|two times|in parallel)(?: at (?:once|the same time)| with itself)?|nie zwei (?:laeufe )?gleichzeitig|no two runs (?:at (?:once|the same time)|in parallel|overlap)|single run at a time)", 0, &m)) {
		f->run_lock = "one-run";
		facts_add(t, f, F_LOCK, &m)->whole = true;
	}
	while (rx_work(t, "\\b(?:(?:only|at most|max(?:imum)?|up to|hoechstens|nur) " NL_NUM " (?:(?:concurrent|parallel|simultaneous) )?(?:connections?|licen[cs]es?|sessions?|users?|verbindungen|lizenzen|slots?)(?: to (?:the )?([\\w-]+))?|" NL_NUM " (?:licen[cs]es?|lizenzen|licencias|licences)(?: (?:for|of) (?:the )?([\\w-]+))?)(?: (?:across|for|over) (?:all )?(?:runs|workflows))?", 0, &m)) {
		double v = nl_group_number(t, &m, m.g[1].set ? 1 : 3);
		const char *n = m.g[2].set ? ntext_fold(t, &m, 2) : m.g[4].set ? ntext_fold(t, &m, 4) : rx_has(t, "lic|liz", ntext_fold(t, &m, 0)) ? "license" : "connections";

		x = facts_add(t, f, F_LOCK, &m);
		x->str = n;
		x->num = v;
	}
	while (rx_work(t, "\\b(?:(?:named |global |shared |exclusive |under (?:the |a )?|with (?:the |a )?|hold(?:ing|s)? (?:the |a )?|take (?:the |a )?|behind (?:the |a )?)*(?:lock|mutex|semaphore|sperre)|verrou|bloqueo)\\s*(?:named|called|=|:|namens|on (?:the )?)?\\s*[\"'`]?([a-z][\\w-]+)[\"'`]?(?:\\s*\\(?(?:of|with|size|pool of|limit)? ?" NL_NUM "(?: slots| at once| at a time)?\\)?)?", 0, &m)) {
		const char *n = ntext_fold(t, &m, 1);
		double v = m.g[2].set ? nl_group_number(t, &m, 2) : 1;

		if (rx_has(t, "^(?:so|that|and|while|for|when|the|to|across|is|on)$", n))
			n = "exclusive";
		x = facts_add(t, f, F_LOCK, &m);
		x->str = n;
		x->num = v;
	}
	while (rx_work(t, "\\b(?:exclusive(?:ly)? (?:access|use)(?: (?:to|of) (?:the )?([\\w-]+))?|never (?:at the same time as|while) (?:another|other) (?:run|workflow|pipeline)[^.;,\\n]*|(?:no other|nobody else|no one else)[^.;,\\n]{0,40}(?:at the same time|meanwhile))", 0, &m)) {
		const char *n = m.g[1].set ? ntext_fold(t, &m, 1) : "exclusive";

		x = facts_add(t, f, F_LOCK, &m);
		x->str = n;
		x->num = 1;
	}
}

static void read_volumes(struct ntext *t, struct facts *f)
{
	static const char vol[] = "\\b(?:(shared|rwx|read-write-many|scratch|common|gemeinsam\\w*|compartid\\w*|partage\\w*)\\s+)?(?:(rwx|rwo|fast|ssd)\\s+)?(?:" NL_SIZE "\\s+(?:of )?)?(?:(shared|rwx|rwo|scratch|fast|ssd|gp3)\\s+)*(?:volume|pvc|volumen|persistent volume|persistent disk|scratch (?:disk|space)|shared (?:disk|storage|filesystem|file system))\\b\\s*(?:claim\\s+)?(?:named |called |claim )?[\"'`]?((?!of |at |with |mounted |on |for |to |and |that |is |in )[a-z][\\w-]*)?[\"'`]?\\s*(?:\\(?(?:of |with |size |= ?|,)*\\s*" NL_SIZE ")?\\)?";
	static const char claim[] = "\\b(?:existing |the )*(?:persistent volume claim|pvc|volume claim)\\s+[\"'`]?([a-z][\\w-]+)[\"'`]?(?:\\s*(?:is )?(?:mounted )?(?:at|on|under) (/[\\w./-]+))?";
	struct rx_match m, k;
	struct nl_volume *v;

	if (rx_work(t, claim, 0, &m) && !rx_has(t, "^(?:of|with|and|for|mounted|at)$", ntext_fold(t, &m, 1)) && !rx_find(t, NL_SIZE, t->s, m.g[0].off + m.g[0].len, m.g[0].off, &k)) {
		v = vec_add(t->arena, &f->volumes);
		v->claim = ntext_group(t, &m, 1);
		v->name = nl_slug(t->arena, v->claim, strlen(v->claim), 3);
		v->path = m.g[2].set ? ntext_group(t, &m, 2) : "/data";
		ntext_take(t, m.g[0].off, m.g[0].len);
		return;
	}
	if (!rx_work(t, vol, 0, &m) || (!m.g[1].set && !m.g[3].set && !m.g[5].set && !m.g[7].set))
		return;
	v = vec_add(t->arena, &f->volumes);
	v->size = m.g[3].set ? size_text(t, &m, 3) : m.g[7].set ? size_text(t, &m, 7) : "100Gi";
	v->name = m.g[6].set ? nl_slug(t->arena, t->s + m.g[6].off, m.g[6].len, 3) : rx_find(t, "scratch", t->s, m.g[0].off + m.g[0].len, m.g[0].off, &k) ? "scratch" : "shared";
	v->mode = rx_find(t, "shared|rwx|read-write-many|many|gemeinsam|compartid|partage", t->s, m.g[0].off + m.g[0].len, m.g[0].off, &k) ? "rwx" : NULL;
	if (rx_find(t, "^[^.;\\n]{0,60}?\\b(?:mounted )?(?:at|on|under|unter) (/[\\w./-]+)", t->w + m.g[0].off + m.g[0].len, t->n - m.g[0].off - m.g[0].len, 0, &k)) {
		v->path = ntext_orig(t, m.g[0].off + m.g[0].len + k.g[1].off, k.g[1].len);
		ntext_take(t, m.g[0].off + m.g[0].len + k.g[0].off, k.g[0].len);
	} else {
		v->path = nl_fmt(t->arena, "/%s", v->name);
	}
	if (rx_find(t, "^[^.;\\n]{0,60}?\\b(?:storage[- ]?class|class|klasse)\\s*[=:]?\\s*[\"'`]?([a-z][\\w-]+)", t->w + m.g[0].off + m.g[0].len, t->n - m.g[0].off - m.g[0].len, 0, &k))
		v->class_ = ntext_orig(t, m.g[0].off + m.g[0].len + k.g[1].off, k.g[1].len);
	if (rx_find(t, "^[^.;\\n]{0,60}?\\b(rwx|rwo|rox)\\b", t->s + m.g[0].off, t->n - m.g[0].off, 0, &k))
		v->mode = ntext_orig(t, m.g[0].off + k.g[1].off, k.g[1].len);
	ntext_take(t, m.g[0].off, m.g[0].len);
}

/* What .cw does not say: each gets its sentence. */
static void read_impossible(struct ntext *t, struct facts *f)
{
	static const struct { const char *pattern, *note; } rows[] = {
		{ "\\b(?:whenever|every time|each time|as soon as|sobald|immer wenn|des que|chaque fois qu\\w*|cada vez que|sempre que|on every|triggered by|trigger\\w* (?:on|when|by|it)|when(?:ever)? a new|upon|in response to|on (?:push|commit|merge|upload|arrival)|on (?:a |each |every )?(?:new )?(?:event|message|webhook|upload|pull request))\\b(?=[^.;\\n]{0,70}\\b(?:arriv\\w+|land\\w*|uploaded?|push\\w*|commit\\w*|event\\w*|message\\w*|webhook\\w*|new (?:file|object|data|row|record|document|image|model|order|ticket|version)s?|file|appear\\w*|created|eintrifft|ankommt|eingeht|erscheint|arrive\\w*|llega\\w*|chega\\w*|posted|merged?|opened|kafka|topic|queue|pubsub|sns|sqs)\\b)",
		  "Starting a run on an event (\"%s\") cannot be expressed: a workflow does not wait for events; let the event system call `couler submit` instead, or use a schedule." },
		{ "\\b(?:run(?:s|ning)? forever|never[- ]ending|endless(?:ly)?|without end|24/7|round the clock|keep(?:s)? running (?:forever|all the time|permanently)|long-running (?:consumer|listener|daemon)|(?:consume|listen|subscribe)\\w*(?: to)?[^.;\\n]{0,40}(?:continuously|forever|permanently|stream\\w*|topic|kafka)|(?:stream|continuously)[^.;\\n]{0,30}(?:kafka|kinesis|pulsar|topic|events)|real[- ]?time stream\\w*|ununterbrochen|dauerhaft laufen\\w*|en continu|continuamente)\\b",
		  "A step without end (\"%s\") cannot be expressed: a run begins and ends, and a service lives only as long as its readers. Instead the workflow below does it once per run; run the endless part as a deployment of its own." },
		{ "\\b(?:cancel|abort|kill|interrupt|stop)(?:s|ling)? (?:the |a |any |all )?(?:other |remaining |slower |running |still running |losing |rest of the |whichever )+(?:\\w+ ){0,3}(?:when|once|as soon as|if|after)\\b|\\bfirst (?:one )?to finish wins\\b|\\bcancel (?:the )?(?:other|slower|remaining|rest)\\w*",
		  "Cancelling a step that runs (\"%s\") cannot be expressed: steps that have started end by themselves or by their timeout; all of them run here, and the first or best result would have to be chosen afterwards instead." },
		{ "\\b(?:across|over|on|in) (?:two|three|several|multiple|both|different|2|3) (?:kubernetes |k8s )?(?:clusters|clouds|data ?cent(?:er|re)s)\\b",
		  "One run over several clusters (\"%s\") cannot be expressed: a run lives in one cluster; submit the workflow to each of them instead." },
		{ "\\b(?:edit|change|reply|modify) [^.;\\n]{0,40}while (?:it|the (?:run|step)) (?:is )?run\\w*|\\bpause (?:the|a) (?:running )?(?:step|run)\\b|\\bresume (?:it )?later by hand\\b",
		  "Changing or pausing what runs (\"%s\") cannot be expressed: use an approve step instead, before which a run waits." },
		{ "\\b(?:hot[- ]?swap|migrate) (?:a |the )?running \\w+|\\blive[- ]migrat\\w+", "Moving a running step (\"%s\") cannot be expressed; it can only be tried again (retry)." },
	};
	struct rx_match m;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (rx_work(t, rows[i].pattern, 0, &m)) {
			uint32_t n = m.g[0].len, max = (uint32_t)strcspn(t->s + m.g[0].off, ".;\n");
			const char *hole = strstr(rows[i].note, "%s");

			if (n < max)
				n = max > 90 ? 90 : max;
			facts_note(t, f, "%.*s%s%s", (int)(hole - rows[i].note), rows[i].note, ntext_orig(t, m.g[0].off, n), hole + 2);
			ntext_take(t, m.g[0].off, m.g[0].len);
		}
}

static void read_run(struct ntext *t, struct facts *f)
{
	struct rx_match m;

	if (rx_work(t, "\\b(?:stop everything|fail fast|fail-fast|abort (?:everything|the (?:whole )?run)|nothing (?:new|else) (?:may |should )?starts?)(?: (?:when|if|as soon as|once|after) (?:one|any|a|something)[^.;,\\n]*fail\\w*)?", 0, &m)) {
		f->fail_fast = true;
		ntext_take(t, m.g[0].off, m.g[0].len);
	}
	if (rx_work(t, "\\bkeep (?:the )?(?:runs?|results?|artifacts?|outputs?|everything|finished runs?|it)(?: for)? " NL_DUR, 0, &m)) {
		f->keep = nl_group_seconds(t, &m, 1);
		ntext_take(t, m.g[0].off, m.g[0].len);
	}
}

void facts_read(struct ntext *t, struct facts *f)
{
	read_places(t, f);
	read_secrets(t, f);
	read_images(t, f);
	facts_params(t, f);
	read_volumes(t, f);
	read_retries(t, f);
	read_impossible(t, f);
	facts_schedule(t, f);
	read_locks(t, f);
	read_parallel(t, f);
	read_timeouts(t, f);
	read_resources(t, f);
	read_placement(t, f);
	read_reuse(t, f);
	read_run(t, f);
	read_paths(t, f);
}
