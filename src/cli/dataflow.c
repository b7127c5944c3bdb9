/* couler dataflow: the broker and the workers of an elastic input pipeline. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "couler/elastic.h"

static int set(const char *name, const char *value, void *data)
{
	struct flow_opts *o = data;

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
	return 0;
}

static void say(const char *line, void *data)
{
	(void)data;
	fprintf(stderr, "couler: dataflow: %s\n", line);
}

static int dataflow(int argc, char **argv)
{
	struct flow_opts o = { .say = say };
	int n, rc = cli_parse(command_find("dataflow"), argc, argv, &n, set, &o);

	if (rc)
		return rc;
	if (n != 2)
		return cli_usage(command_find("dataflow"), n ? "`run` or `work`, and one operand" : "`run SPEC` or `work ADDRESS`");
	if (!strcmp(argv[0], "work"))
		return flow_work(argv[1], say, NULL);
	if (strcmp(argv[0], "run") != 0)
		return cli_usage(command_find("dataflow"), "`run SPEC` or `work ADDRESS`, not '%s'", argv[0]);
	o.spec = argv[1];
	return flow_run(&o);
}

static const struct cli_opt opts[] = {
	{ 0, "slots", "N", "workers that this machine has room for, all jobs together (default: its processors)", NULL },
	{ 0, "share", "FILE", "the file through which jobs of this machine share its slots", "file" },
	{ 0, "listen", "ADDRESS", "take workers from elsewhere at tcp:HOST:PORT instead of starting them here", NULL },
	{ 0, "scale", "FILE", "write the number of workers that is wanted into FILE, for who starts them", "file" },
	{ 0, "status", "FILE", "write one line on how it goes into FILE, once a tick", "file" },
	{ 0, "figures", "FILE", "write what was measured into FILE as JSON, at the end", "file" },
	{ 0, "records", "N", "hand on N records, then end the input of the trainer", NULL },
	{ 0, NULL, NULL, NULL, NULL }
};

extern const struct command command_dataflow;
const struct command command_dataflow = {
	.name = "dataflow", .args = "run SPEC | work ADDRESS", .help = "run the input pipeline of a step, or be one of its workers", .opts = opts, .run = dataflow,
	.text = "`couler run` and the engines start this for a step with a `dataflow`; by hand it helps to look for a\n"
		"fault. SPEC is the JSON file that they write; the folder of splits is in the variable that it names.\n"
		"With COULER_DATAFLOW_TOKEN set, only workers with the same token are taken.\n",
	.examples = "couler dataflow run train.json --slots 4\n"
		    "couler dataflow work tcp:broker:7070         # a worker elsewhere\n",
};
