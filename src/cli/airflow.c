/* couler airflow: the loader into a DAGs folder; the schema of what it reads. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "couler/front.h"

extern const unsigned char embed_backends_airflow_couler_airflow_py[], embed_backends_airflow_couler_airflow_schema_json[];
extern const size_t embed_backends_airflow_couler_airflow_py_len, embed_backends_airflow_couler_airflow_schema_json_len;

#define LOADER "couler_airflow.py"

static const char first_line[] = "\"\"\"Builds an Airflow DAG from every NAME.couler.json";

struct airflow { bool force; };

/* What stands at path already: 0 nothing or an older loader of ours, 1 the same, -1 after a message. */
static int present(const struct airflow *a, struct arena *arena, const char *path)
{
	size_t n;
	char *old = read_file(arena, path, &n);

	if (!old && errno == ENOENT)
		return 0;
	if (!old)
		return cli_fail(3, "%s: %s", path, strerror(errno)), -1;
	if (n == embed_backends_airflow_couler_airflow_py_len && !memcmp(old, embed_backends_airflow_couler_airflow_py, n))
		return 1;
	if (!a->force && (n < sizeof first_line || memcmp(old, first_line, sizeof first_line - 1)))
		return cli_fail(3, "%s is not the loader of couler and was left alone; --force replaces it", path), -1;
	return 0;
}

static int install(const struct airflow *a, const char *folder)
{
	struct arena *arena = arena_new();
	struct strbuf path = { 0 };
	struct stat st;
	int rc = 0;

	sb_f(&path, "%s/%s", folder, LOADER);
	if (stat(folder, &st))
		rc = cli_fail(3, "%s: %s; give the folder that Airflow reads: `airflow config get-value core dags_folder`", folder, strerror(errno));
	else if (!S_ISDIR(st.st_mode))
		rc = cli_fail(3, "%s is no folder; give the one that Airflow reads: `airflow config get-value core dags_folder`", folder);
	else
		rc = present(a, arena, sb_cstr(&path));
	if (rc == 1) {
		printf("%s is up to date\n", path.s);
		rc = 0;
	} else if (rc < 0) {
		rc = 3;
	} else if (!rc && access(folder, W_OK)) {
		rc = cli_fail(3, "%s: %s; run this as a user who may write there, or put the output of `couler airflow loader` there by other means", folder, strerror(errno));
	} else if (!rc) {
		rc = cli_write(sb_cstr(&path), (const char *)embed_backends_airflow_couler_airflow_py, embed_backends_airflow_couler_airflow_py_len);
		if (!rc)
			printf("wrote %s\nnext: couler compile FILE.cw -t airflow -o %s/NAME.couler.json\n", path.s, folder);
	}
	sb_free(&path);
	arena_free(arena);
	return rc;
}

static int set(const char *name, const char *value, void *data)
{
	struct airflow *a = data;

	(void)name;
	(void)value;
	a->force = true;
	return 0;
}

static int airflow(int argc, char **argv)
{
	struct airflow a = { false };
	int n, rc = cli_parse(command_find("airflow"), argc, argv, &n, set, &a);

	if (rc)
		return rc;
	if (n == 2 && !strcmp(argv[0], "install"))
		return install(&a, argv[1]);
	if (n == 1 && !strcmp(argv[0], "loader"))
		return cli_write("-", (const char *)embed_backends_airflow_couler_airflow_py, embed_backends_airflow_couler_airflow_py_len);
	if (n == 1 && !strcmp(argv[0], "schema"))
		return cli_write("-", (const char *)embed_backends_airflow_couler_airflow_schema_json, embed_backends_airflow_couler_airflow_schema_json_len);
	if (n && !strcmp(argv[0], "install"))
		return cli_usage(command_find("airflow"), n > 2 ? "install takes one folder" : "install takes the DAGs folder: `airflow config get-value core dags_folder`");
	return cli_usage(command_find("airflow"), n ? "'%s' is none of install, loader, schema" : "give one of install, loader, schema", n ? argv[0] : "");
}

static const struct cli_opt opts[] = {
	{ 0, "force", NULL, "replace a couler_airflow.py that is not couler's", NULL },
	{ 0, NULL, NULL, NULL, NULL }
};

extern const struct command command_airflow;
const struct command command_airflow = {
	.name = "airflow", .args = "install DAGS_FOLDER | loader | schema", .help = "put the loader into Airflow's DAGs folder", .opts = opts, .run = airflow,
	.text = "install writes couler_airflow.py, the one file that builds a DAG from every NAME.couler.json\n"
		"in the folder and below it; `couler compile -t airflow` writes those. It runs on Airflow 2.10,\n"
		"2.11 and 3. loader and schema print the file, and the JSON Schema of the documents.\n"
		"\nexit codes: 0 done, 2 wrong usage, 3 a folder that cannot be written.\n",
	.examples = "couler airflow install ~/airflow/dags\ncouler compile churn.cw -t airflow -o ~/airflow/dags/churn.couler.json\ncouler airflow schema > couler-airflow.schema.json\n",
};
