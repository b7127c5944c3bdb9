package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	wfv1 "github.com/argoproj/argo-workflows/v4/pkg/apis/workflow/v1alpha1"
)

// Each file of testdata says in comments what must come of it:
//
//	# args: FLAGS                 run on its own with these; else all files run together
//	# workflow | FIELD | VALUE    phase, timedOut, param NAME
//	# NODE | FIELD | VALUE        phase, message, log, exitCode, result, memo, input NAME, param NAME, artifact PATH, log-of SUFFIX
//
// message and log need only contain the value.
type expectation struct{ node, field, want string }

type testFile struct {
	path string
	args []string
	want []expectation
}

func readTests(t *testing.T) (out []testFile) {
	t.Helper()
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(files) < 18 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		tf := testFile{path: f}
		for _, line := range strings.Split(string(text), "\n") {
			line, comment := strings.CutPrefix(line, "# ")
			if !comment {
				break
			}
			if args, ok := strings.CutPrefix(line, "args: "); ok {
				tf.args = strings.Fields(args)
				continue
			}
			parts := strings.SplitN(line, " | ", 3)
			if len(parts) != 3 {
				t.Fatalf("%s: %q", f, line)
			}
			tf.want = append(tf.want, expectation{strings.TrimSpace(parts[0]), parts[1], parts[2]})
		}
		if len(tf.want) == 0 {
			t.Fatalf("%s says nothing", f)
		}
		out = append(out, tf)
	}
	return out
}

func argoRun(t *testing.T, args ...string) map[string]report {
	t.Helper()
	cache := os.Getenv("XDG_CACHE_HOME")
	if cache == "" {
		cache = filepath.Join(os.Getenv("HOME"), ".cache")
	}
	cmd := exec.Command(filepath.Join(cache, "couler-dev", "bin", "argo-run"), args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if stderr.Len() > 0 {
		t.Logf("%s", stderr.String())
	}
	if len(out) == 0 {
		t.Fatalf("argo-run %v: %v", args, err)
	}
	reports := map[string]report{}
	dec := json.NewDecoder(bytes.NewReader(out))
	for dec.More() {
		var r report
		if err := dec.Decode(&r); err != nil {
			t.Fatal(err)
		}
		reports[r.File] = r
	}
	return reports
}

func TestRun(t *testing.T) {
	tests := readTests(t)
	outputs := t.TempDir()
	together := []string{"-together", "-logs", "-outputs", outputs}
	for _, tf := range tests {
		if tf.args == nil {
			together = append(together, tf.path)
		}
	}
	reports := argoRun(t, together...)
	for _, tf := range tests {
		t.Run(strings.TrimSuffix(filepath.Base(tf.path), ".yaml"), func(t *testing.T) {
			r, ok := reports[tf.path]
			if tf.args != nil {
				r, ok = argoRun(t, append(tf.args, "-logs", "-outputs", outputs, tf.path)...)[tf.path]
			}
			if !ok {
				t.Fatal("no report")
			}
			for _, e := range tf.want {
				if got := lookUp(t, &r, outputs, e); got != e.want && !(contains(e.field) && strings.Contains(got, e.want)) {
					t.Errorf("%s | %s: wanted %q, got %q", e.node, e.field, e.want, got)
				}
			}
			if t.Failed() {
				text, _ := json.MarshalIndent(r, "", " ")
				t.Logf("%s", text)
			}
		})
	}
}

func contains(field string) bool {
	return field == "message" || field == "log" || strings.HasPrefix(field, "log-of ")
}

func lookUp(t *testing.T, r *report, outputs string, e expectation) string {
	t.Helper()
	if e.node == "workflow" {
		switch name, isParam := strings.CutPrefix(e.field, "param "); {
		case e.field == "phase":
			return r.Phase
		case e.field == "timedOut":
			return strconv.FormatBool(r.TimedOut)
		case isParam:
			return parameter(r.Outputs, name)
		}
		t.Fatalf("workflow has no %q", e.field)
	}
	field, name, _ := strings.Cut(e.field, " ")
	node := e.node
	if field == "log-of" {
		node += name
	}
	for i := range r.Nodes {
		n := &r.Nodes[i]
		if n.Name != node {
			continue
		}
		switch field {
		case "phase":
			return string(n.Phase)
		case "message":
			return n.Message
		case "log", "log-of":
			return n.Log
		case "exitCode":
			return *n.Outputs.ExitCode
		case "memo":
			return strconv.FormatBool(n.Memo != nil && n.Memo.Hit)
		case "input":
			return n.Inputs.GetParameterByName(name).Value.String()
		case "param":
			return parameter(n.Outputs, name)
		case "artifact":
			text, err := os.ReadFile(filepath.Join(outputs, r.Name, n.Name, name))
			if err != nil {
				return err.Error()
			}
			return string(text)
		}
		t.Fatalf("a node has no %q", e.field)
	}
	return "no node " + node
}

func parameter(o *wfv1.Outputs, name string) string {
	if o == nil {
		return "no outputs"
	}
	for _, p := range o.Parameters {
		if p.Name == name && p.Value != nil {
			return p.Value.String()
		}
	}
	return "no parameter " + name
}

// TestHTTP runs an http template: the engine's agent, in a pod of its own.
func TestHTTP(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("served")) }))
	defer server.Close()
	file := filepath.Join(t.TempDir(), "http.yaml")
	text := `apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: http-}
spec:
  entrypoint: main
  templates:
  - name: main
    dag: {tasks: [{name: get, template: get}]}
  - name: get
    http: {url: "` + server.URL + `", successCondition: "response.statusCode == 200"}
`
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	r := argoRun(t, "-timeout", "60s", file)[file]
	for _, n := range r.Nodes {
		if n.Name == "get" && n.Phase == wfv1.NodeSucceeded && n.Outputs != nil && n.Outputs.Result != nil && *n.Outputs.Result == "served" {
			return
		}
	}
	t.Errorf("%+v", r)
}

func TestExpand(t *testing.T) {
	env := map[string]string{"A": "x", "B": "$(A)"}
	for in, want := range map[string]string{
		"$(A)": "x", "$$(A)": "$(A)", "$(C)": "$(C)", "$": "$", "$$": "$", "$x": "$x", "$(A": "$(A", "a$(A)b$(B)": "axb$(A)", "$()": "$()", "$$$(A)": "$x",
	} {
		if got := expand(in, env); got != want {
			t.Errorf("%q: wanted %q, got %q", in, want, got)
		}
	}
}
