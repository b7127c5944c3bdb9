// argo-run runs Argo workflows on this machine, without a cluster, by the engine's
// own code: its controller in this process against a small API server, its executor
// in every pod, a folder that speaks S3 for artifacts, and pods whose containers are
// local processes. Every image is this machine.
//
//	argo-run [flags] FILE|-...
//
// The Workflows of the files run one after the other, or at once with -together;
// what else the files hold is put in first. A file without a Workflow runs its
// CronWorkflow once, else a workflow from its WorkflowTemplate. One line of JSON is
// printed for each. Exit status: 0 all succeeded, 1 one did not, 2 wrong usage,
// 3 this machine does not let us mount.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

type words []string

func (w *words) String() string     { return strings.Join(*w, " ") }
func (w *words) Set(s string) error { *w = append(*w, s); return nil }

type options struct {
	files       []string
	params      words
	resume      words
	reject      words
	status      words
	timeout     time.Duration
	together    bool
	logs        bool
	verbose     bool
	keep        bool
	outputs     string
	work        string
	jobs        string
	parallelism int
}

func main() {
	o := parseOptions()
	if os.Getenv("ARGO_RUN_STARTED") == "" {
		restart()
	}
	code, err := run(o)
	if err != nil {
		fmt.Fprintln(os.Stderr, "argo-run:", err)
	}
	os.Exit(code)
}

// restart starts this program again with what the engine's packages read from the
// environment while they are initialized.
func restart() {
	for name, value := range map[string]string{
		"ARGO_RUN_STARTED":                  "1",
		"DEFAULT_REQUEUE_TIME":              "50ms",
		"LEADER_ELECTION_DISABLE":           "true",
		"RECENTLY_STARTED_POD_DURATION":     "10s",
		"ARGO_PROGRESS_PATCH_TICK_DURATION": "0",
		"WORKFLOW_GC_PERIOD":                "24h",
		"INFORMER_WRITE_BACK":               "true", // else the controller sleeps a second after each update
	} {
		_ = os.Setenv(name, value)
	}
	self, err := os.Executable()
	if err == nil {
		err = syscall.Exec(self, os.Args, os.Environ())
	}
	fmt.Fprintln(os.Stderr, "argo-run:", err)
	os.Exit(2)
}

func parseOptions() *options {
	o := &options{}
	set := flag.NewFlagSet("argo-run", flag.ExitOnError)
	set.Var(&o.params, "p", "NAME=VALUE: an argument of the workflows that have one of this name")
	set.Var(&o.resume, "resume", "NODE[:PARAM=VALUE]...: resume suspended nodes of this display name (* is any), with these outputs")
	set.Var(&o.reject, "reject", "NODE[:MESSAGE]: let suspended nodes of this display name fail")
	set.Var(&o.status, "status", "KIND=JSON: what becomes the status of resources of this kind once they are created")
	set.DurationVar(&o.timeout, "timeout", 2*time.Minute, "for each workflow, from its start")
	set.BoolVar(&o.together, "together", false, "start all workflows at once")
	set.IntVar(&o.parallelism, "parallelism", 0, "workflows that run at the same time with -together (0: all)")
	set.BoolVar(&o.logs, "logs", false, "put what each node wrote into the report")
	set.BoolVar(&o.verbose, "v", false, "the controller's log on standard error")
	set.BoolVar(&o.keep, "keep", false, "keep the working folder")
	set.StringVar(&o.outputs, "outputs", "", "folder for the output artifacts: WORKFLOW/NODE/NAME")
	set.StringVar(&o.jobs, "jobs", "", "file for what became of the Jobs (batch/v1), a line of JSON each")
	set.StringVar(&o.work, "work", "", "working folder (default: a new one, removed at the end)")
	set.Usage = func() {
		fmt.Fprintln(os.Stderr, "usage: argo-run [flags] FILE|-...")
		set.PrintDefaults()
	}
	_ = set.Parse(os.Args[1:])
	o.files = set.Args()
	if len(o.files) == 0 {
		set.Usage()
		os.Exit(2)
	}
	return o
}

const (
	exitFailed  = 1
	exitUsage   = 2
	exitMachine = 3
)

func run(o *options) (int, error) {
	in, err := readFiles(o)
	if err != nil {
		return exitUsage, err
	}
	work, cleanup, err := workFolder(o)
	if err != nil {
		return exitMachine, err
	}
	defer cleanup()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	c, err := newCluster(work, o)
	if err != nil {
		return exitMachine, err
	}
	if err := c.probe(); err != nil {
		return exitMachine, fmt.Errorf("containers cannot be started here: %w\nthis needs Linux and root with the right to mount (an overlay, proc, tmpfs) and to make namespaces", err)
	}
	if err := c.load(in); err != nil {
		return exitUsage, err
	}
	if err := c.start(ctx); err != nil {
		return exitMachine, err
	}
	ok, err := c.runAll(ctx, in.workflows)
	if o.jobs != "" && err == nil {
		err = c.batch.write(o.jobs)
	}
	stop()
	c.kubelet.stop()
	c.batch.done.Wait()
	if err != nil {
		return exitFailed, err
	}
	if !ok {
		return exitFailed, nil
	}
	return 0, nil
}

// overlayMagic is the type of an overlay file system, which cannot hold the upper layer of another.
const overlayMagic = 0x794c7630

func workFolder(o *options) (string, func(), error) {
	if o.work != "" {
		dir, err := filepath.Abs(o.work)
		if err == nil {
			err = os.MkdirAll(dir, 0o755)
		}
		return dir, func() {}, err
	}
	base := os.TempDir()
	var st syscall.Statfs_t
	if err := syscall.Statfs(base, &st); err == nil && st.Type == overlayMagic {
		base = "/dev/shm"
	}
	dir, err := os.MkdirTemp(base, "argo-run-")
	if err != nil {
		return "", nil, err
	}
	// processes of other users pass through it
	if err := os.Chmod(dir, 0o755); err != nil {
		return "", nil, err
	}
	return dir, func() {
		if o.keep {
			fmt.Fprintln(os.Stderr, "argo-run: kept", dir)
			return
		}
		_ = os.RemoveAll(dir)
	}, nil
}

func printReport(r report) {
	enc := json.NewEncoder(os.Stdout)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(r); err != nil {
		fmt.Fprintln(os.Stderr, "argo-run:", err)
	}
}
