// argo-oracle tells whether Argo Workflows would take a manifest, and whether it
// would do what the manifest says, by the engine's own code and without a cluster.
//
//	argo-oracle [flags] FILE|FOLDER|-...
//	argo-oracle eval [-bool]
//
// A file is one or more YAML documents, or one JSON document. Each argument is one
// set: templateRef and workflowTemplateRef are looked up in the file itself, then in
// the other files of the argument. Exit status: 0 all accepted, 1 something refused,
// 2 wrong usage.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/argoproj/argo-workflows/v4/util/logging"
)

// stages in the order in which they run; a document that does not parse gets no later one.
const (
	stageRead     = "read"     // the file
	stageParse    = "parse"    // strict parse, with a count of the documents
	stageLint     = "lint"     // the engine's validator, as `argo lint`
	stageSubmit   = "submit"   // the engine's validator, as a submission
	stageSchema   = "schema"   // the custom resource definition with its CEL rules
	stageMetadata = "metadata" // names, labels, annotations
	stageLimits   = "limits"   // sizes and counts
	stageExpr     = "expr"     // every {{ }}, expression and duration
	stageObject   = "object"   // the manifest of a resource template
	stageAbsent   = "absent"   // outputs of what may not have succeeded
)

type finding struct {
	Stage   string `json:"stage"`
	Path    string `json:"path"`
	Message string `json:"message"`
}

type verdict struct {
	File      string    `json:"file"`
	OK        bool      `json:"ok"`
	Documents int       `json:"documents"`
	Errors    []finding `json:"errors"`
}

type names []string

func (n *names) String() string     { return strings.Join(*n, ",") }
func (n *names) Set(s string) error { *n = append(*n, s); return nil }

type options struct {
	crds     string // folder with the full definitions
	params   map[string]string
	supplied bool // arguments without a value are given at submission
}

func usage(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "argo-oracle: "+format+"\n", args...)
	fmt.Fprintln(os.Stderr, "usage: argo-oracle [-text] [-supplied] [-p NAME=VALUE] [-crds FOLDER] FILE|FOLDER|-...\n       argo-oracle eval [-bool] <JSONLINES")
	os.Exit(2)
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "eval" {
		os.Exit(evalMain(os.Args[2:], os.Stdin, os.Stdout))
	}
	var params names
	set := flag.NewFlagSet("argo-oracle", flag.ExitOnError)
	set.Usage = func() { usage("wrong usage") }
	text := set.Bool("text", false, "text for people instead of a JSON line a file")
	supplied := set.Bool("supplied", false, "take arguments without a value as given at submission")
	crds := set.String("crds", "", "folder with the engine's full custom resource definitions")
	set.Var(&params, "p", "NAME=VALUE: an argument given at submission")
	_ = set.Parse(os.Args[1:])
	if set.NArg() == 0 {
		usage("no file")
	}
	o := options{crds: *crds, supplied: *supplied, params: map[string]string{}}
	for _, p := range params {
		n, v, ok := strings.Cut(p, "=")
		if !ok {
			usage("-p %q is not NAME=VALUE", p)
		}
		o.params[n] = v
	}
	if o.crds == "" {
		o.crds = defaultCRDs()
	}
	defs := newDefinitions(o.crds, operatorCRDs())
	out := bufio.NewWriter(os.Stdout)
	refused := false
	for _, arg := range set.Args() {
		files, err := list(arg)
		if err != nil {
			usage("%v", err)
		}
		for _, v := range check(newContext(), o, defs, files) {
			refused = refused || !v.OK
			if *text {
				printText(out, v)
			} else {
				printJSON(out, v)
			}
			_ = out.Flush()
		}
	}
	if refused {
		os.Exit(1)
	}
}

// newContext returns a context with the logger that the engine's code insists on; it says nothing.
func newContext() context.Context {
	return logging.WithLogger(context.Background(), logging.NewSlogLoggerCustom(logging.Error, logging.Text, io.Discard))
}

// defaultCRDs is where build.sh puts the engine's files, beside the folder of this program.
func defaultCRDs() string {
	self, err := os.Executable()
	if err != nil {
		return ""
	}
	found, _ := filepath.Glob(filepath.Join(filepath.Dir(self), "..", "share", "argo-v*", "manifests", "base", "crds", "full"))
	if len(found) == 0 {
		return ""
	}
	return found[len(found)-1]
}

// operatorCRDs is where build.sh puts the definitions of what operators take.
func operatorCRDs() string {
	self, err := os.Executable()
	if err != nil {
		return ""
	}
	return filepath.Join(filepath.Dir(self), "..", "share", "argo-operators")
}

// list returns the file, or the YAML and JSON files under the folder, in order.
func list(arg string) ([]string, error) {
	if arg == "-" {
		return []string{arg}, nil
	}
	info, err := os.Stat(arg)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return []string{arg}, nil
	}
	var files []string
	err = filepath.WalkDir(arg, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		switch filepath.Ext(path) {
		case ".yaml", ".yml", ".json":
			if !d.IsDir() {
				files = append(files, path)
			}
		}
		return nil
	})
	sort.Strings(files)
	return files, err
}

func printJSON(w io.Writer, v verdict) {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v)
}

func printText(w io.Writer, v verdict) {
	if v.OK {
		fmt.Fprintf(w, "%s: accepted (%d documents)\n", v.File, v.Documents)
		return
	}
	for _, e := range v.Errors {
		fmt.Fprintf(w, "%s: %s: %s: %s\n", v.File, e.Stage, e.Path, e.Message)
	}
}
