/* couler init: a first workflow that runs as it is. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

static const char *const templates[][3] = {
	{ "pipeline", "load, transform, report: three steps and a parameter",
	  "# A first pipeline. Try:\n"
	  "#   couler run %s\n"
	  "#   couler compile %s -t argo\n"
	  "\n"
	  "workflow %s {\n"
	  "  doc = \"Count the words of a greeting.\"\n"
	  "\n"
	  "  param who: string = \"world\"\n"
	  "\n"
	  "  defaults { image = \"python:3.12-slim\" }\n"
	  "\n"
	  "  step load {\n"
	  "    in  who\n"
	  "    out text: file\n"
	  "    run = \"\"\"echo \"hello $who, and hello again\" > \"$text\" \"\"\"\n"
	  "  }\n"
	  "\n"
	  "  step count {\n"
	  "    in  text = load.text\n"
	  "    out words: int\n"
	  "    run = \"\"\"wc -w < \"$text\" | tr -d ' ' > \"$words\" \"\"\"\n"
	  "  }\n"
	  "\n"
	  "  step report {\n"
	  "    in  words = count.words\n"
	  "    out line: string = stdout\n"
	  "    run = \"\"\"echo \"$words words\" \"\"\"\n"
	  "  }\n"
	  "\n"
	  "  out line = report.line\n"
	  "}\n" },
	{ "sweep", "a task tried over a search space, the best result used",
	  "# A sweep: the same task over a search space. Try:\n"
	  "#   couler run %s\n"
	  "#   couler graph %s\n"
	  "\n"
	  "task score {\n"
	  "  in  x: float\n"
	  "  out loss: float\n"
	  "  shell = python3\n"
	  "  run = \"\"\"\n"
	  "    import os\n"
	  "    x = float(os.environ[\"x\"])\n"
	  "    open(os.environ[\"loss\"], \"w\").write(str((x - 0.3) ** 2))\n"
	  "  \"\"\"\n"
	  "}\n"
	  "\n"
	  "workflow %s {\n"
	  "  doc = \"Where is the valley?\"\n"
	  "\n"
	  "  defaults { image = \"python:3.12-slim\" }\n"
	  "\n"
	  "  sweep search = score(x = uniform(0.0, 1.0)) {\n"
	  "    search   = random(trials = 12, seed = 1)\n"
	  "    minimize = loss\n"
	  "  }\n"
	  "\n"
	  "  step report {\n"
	  "    in  x = search.best.x\n"
	  "    in  loss = search.best.loss\n"
	  "    out line: string = stdout\n"
	  "    run = \"\"\"echo \"x = $x, loss = $loss\" \"\"\"\n"
	  "  }\n"
	  "\n"
	  "  out line = report.line\n"
	  "}\n" },
	{ "schedule", "a nightly job with retries and a handler for failures",
	  "# A nightly job. Try:\n"
	  "#   couler run %s\n"
	  "#   couler compile %s -t argo    # a CronWorkflow\n"
	  "\n"
	  "workflow %s {\n"
	  "  doc      = \"Every night at two.\"\n"
	  "  schedule = { cron = \"0 2 * * *\"; timezone = \"Europe/Berlin\" }\n"
	  "\n"
	  "  defaults { image = \"python:3.12-slim\"; retry { limit = 2; backoff = 10s } }\n"
	  "\n"
	  "  step work {\n"
	  "    in  day = format_time(workflow.start_time, \"%%Y-%%m-%%d\")\n"
	  "    out note: string = stdout\n"
	  "    timeout = 1h\n"
	  "    run = \"\"\"echo \"done for $day\" \"\"\"\n"
	  "  }\n"
	  "\n"
	  "  on failure {\n"
	  "    step tell {\n"
	  "      in  failed = workflow.failed_steps\n"
	  "      run = \"\"\"echo \"failed: $failed\" >&2\"\"\"\n"
	  "    }\n"
	  "  }\n"
	  "\n"
	  "  out note = work.note\n"
	  "}\n" },
};
enum { TEMPLATES = sizeof templates / sizeof *templates };

static int set(const char *name, const char *value, void *data)
{
	if (!strcmp(name, "template"))
		*(const char **)data = value;
	return 0;
}

/* The file's name without folder and suffix, as a name of .cw. */
static void workflow_name(struct strbuf *b, const char *path)
{
	const char *base = strrchr(path, '/');

	for (base = base ? base + 1 : path; *base && *base != '.'; base++)
		sb_ch(b, (*base >= 'a' && *base <= 'z') || (*base >= 'A' && *base <= 'Z') || (b->n && *base >= '0' && *base <= '9') ? *base : '_');
	if (!b->n)
		sb_z(b, "main");
}

/* The template with its three %s filled in, and %% made one. */
static void fill(struct strbuf *b, const char *text, const char *path, const char *name)
{
	int slot = 0;

	for (; *text; text++) {
		if (*text != '%') {
			sb_ch(b, *text);
		} else if (*++text == '%') {
			sb_ch(b, '%');
		} else {
			sb_z(b, slot++ < 2 ? path : name);
		}
	}
}

static int init(int argc, char **argv)
{
	const char *want = "pipeline", *path;
	struct strbuf name = { 0 }, text = { 0 };
	int n, t, rc = cli_parse(command_find("init"), argc, argv, &n, set, &want);

	if (rc)
		return rc;
	if (n > 1)
		return cli_usage(command_find("init"), "one file at a time");
	path = n ? argv[0] : "workflow.cw";
	for (t = 0; t < TEMPLATES && strcmp(templates[t][0], want); t++)
		;
	if (t == TEMPLATES)
		return cli_usage(command_find("init"), "no template '%s'; there are pipeline, sweep and schedule", want);
	if (strcmp(path, "-") && !access(path, F_OK))
		return cli_fail(3, "%s exists already and was left as it is; give another name", path);
	workflow_name(&name, path);
	fill(&text, templates[t][2], path, sb_cstr(&name));
	rc = cli_write(path, text.s, text.n);
	if (!rc && strcmp(path, "-"))
		printf("wrote %s; try  couler run %s\n", path, path);
	sb_free(&name);
	sb_free(&text);
	return rc;
}

static const struct cli_opt opts[] = {
	{ 't', "template", "NAME", "pipeline, sweep or schedule", "pipeline|sweep|schedule" },
	{ 0, NULL, NULL, NULL, NULL }
};

extern const struct command command_init;
const struct command command_init = {
	.name = "init", .args = "[FILE]", .help = "write a first workflow that runs as it is", .opts = opts, .run = init,
	.text = "Writes workflow.cw, or FILE; a file that exists is left as it is.\n\ntemplates: pipeline (load, transform, report), sweep (a search over parameters),\nschedule (a nightly job with retries and a failure handler).\n",
	.examples = "couler init\ncouler init -t sweep search.cw\n",
};
