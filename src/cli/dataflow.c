/* couler dataflow: the broker and the workers of an elastic input pipeline. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "couler/elastic.h"

struct settings { struct flow_opts flow; double wait; };

static int set(const char *name, const char *value, void *data)
{
	struct settings *s = data;
	struct flow_opts *o = &s->flow;

	if (!strcmp(name, "share"))
		o->share = value;
	else if (!strcmp(name, "status"))
		o->status = value;
	else if (!strcmp(name, "figures"))
		o->figures = value;
	else if (!strcmp(name, "listen"))
		o->listen = value;
	else if (!strcmp(name, "scale"))
		o->scale = value;
	else if (!strcmp(name, "slots"))
		o->slots = atoi(value);
	else if (!strcmp(name, "records"))
		o->most = strtoull(value, NULL, 10);
	else if (!strcmp(name, "job"))
		o->job = value;
	else if (!strcmp(name, "wait"))
		s->wait = strtod(value, NULL);
	return 0;
}

static void say(const char *line, void *data)
{
	(void)data;
	fprintf(stderr, "couler: dataflow: %s\n", line);
}

static int pack(const char *dir)
{
	char *err = NULL;

	if (*dir != '/')
		return cli_usage(command_find("dataflow"), "pack needs an absolute path, not '%s'", dir);
	if (flow_pack(dir, &err)) {
		say(err, NULL);
		free(err);
		return 3;
	}
	return 0;
}

static int dataflow(int argc, char **argv)
{
	struct settings s = { .flow = { .say = say } };
	const char *address = getenv("COULER_DATAFLOW_ADDRESS");
	int n, rc = cli_parse(command_find("dataflow"), argc, argv, &n, set, &s);

	if (rc)
		return rc;
	if (n == 1 && !strcmp(argv[0], "work") && address && *address)
		return flow_work(address, s.wait, say, NULL);
	if (n != 2)
		return cli_usage(command_find("dataflow"), n ? "`run`, `work` or `pack`, and one operand" : "`run SPEC`, `work ADDRESS` or `pack FOLDER`");
	if (!strcmp(argv[0], "pack"))
		return pack(argv[1]);
	if (!strcmp(argv[0], "work"))
		return flow_work(argv[1], s.wait, say, NULL);
	if (strcmp(argv[0], "run") != 0)
		return cli_usage(command_find("dataflow"), "`run SPEC`, `work ADDRESS` or `pack FOLDER`, not '%s'", argv[0]);
	s.flow.spec = argv[1];
	return flow_run(&s.flow);
}

static const struct cli_opt opts[] = {
	{ 0, "slots", "N", "workers that this machine has room for, all jobs together (default: its processors)", NULL },
	{ 0, "share", "FILE", "the file through which jobs of this machine share its slots", "file" },
	{ 0, "listen", "ADDRESS", "take workers from elsewhere at tcp:HOST:PORT instead of starting them here", NULL },
	{ 0, "job", "FILE", "let the workers be the pods of a Kubernetes Job: FILE has it as JSON; it is made, scaled and deleted", "file" },
	{ 0, "wait", "SECONDS", "of a worker: look for the broker so long (default 300), and end with exit code 0 where there is none", NULL },
	{ 0, "scale", "FILE", "write the number of workers that is wanted into FILE, for who starts them", "file" },
	{ 0, "status", "FILE", "write one line on how it goes into FILE, once a tick", "file" },
	{ 0, "figures", "FILE", "write what was measured into FILE as JSON, at the end", "file" },
	{ 0, "records", "N", "hand on N records, then end the input of the trainer", NULL },
	{ 0, NULL, NULL, NULL, NULL }
};

extern const struct command command_dataflow;
const struct command command_dataflow = {
	.name = "dataflow", .args = "run SPEC | work [ADDRESS] | pack FOLDER", .help = "run the input pipeline of a step, or be one of its workers", .opts = opts, .run = dataflow,
	.text = "`couler run` and the engines start this for a step with a `dataflow`; by hand it helps to look for a\n"
		"fault. SPEC is the JSON file that they write; the folder of splits is in the variable that it names.\n"
		"With COULER_DATAFLOW_TOKEN set, only workers with the same token are taken. Without ADDRESS a worker\n"
		"goes to that in COULER_DATAFLOW_ADDRESS. pack puts couler with its libraries into FOLDER, an absolute\n"
		"path: FOLDER/couler then runs in containers whose image does not hold it.\n"
		"--job needs a pod whose service account may create, patch and delete Jobs (docs/elastic.md).\n",
	.examples = "couler dataflow run train.json --slots 4\n"
		    "couler dataflow work tcp:broker:7070         # a worker elsewhere\n",
};
