package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// engine is the folder of the engine's module, or build.sh's copy of it.
func engine(t *testing.T) string {
	t.Helper()
	if dir := os.Getenv("ARGO_ENGINE"); dir != "" {
		return dir
	}
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/argoproj/argo-workflows/v4").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	return strings.TrimSpace(string(out))
}

var sharedDefinitions = newDefinitions("", os.Getenv("ARGO_OPERATORS"))

func checkFiles(t *testing.T, o options, files ...string) []verdict {
	t.Helper()
	sharedDefinitions.folder = filepath.Join(engine(t), "manifests", "base", "crds", "full")
	return check(newContext(), o, sharedDefinitions, files)
}

func checkText(t *testing.T, o options, text string) verdict {
	t.Helper()
	file := filepath.Join(t.TempDir(), "m.yaml")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return checkFiles(t, o, file)[0]
}

// TestBad: each file of testdata/bad holds one mistake; its first line says which
// stage must refuse it, and with which words.
func TestBad(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil || len(files) < 85 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			head, _, _ := strings.Cut(string(text), "\n")
			stage, words, ok := strings.Cut(strings.TrimPrefix(head, "# "), ":")
			words = strings.TrimSpace(words)
			if !ok || words == "" {
				t.Fatalf("first line is %q, not `# STAGE: WORDS`", head)
			}
			v := checkFiles(t, options{}, file)[0]
			if v.OK {
				t.Fatalf("accepted; wanted %s: %s", stage, words)
			}
			for _, e := range v.Errors {
				if e.Stage == stage && strings.Contains(e.Message+e.Path, words) {
					return
				}
			}
			t.Errorf("wanted %s: %s; got %v", stage, words, v.Errors)
		})
	}
}

func TestGood(t *testing.T) {
	for _, v := range checkFiles(t, options{}, mustList(t, "testdata/good")...) {
		if !v.OK {
			t.Errorf("%s: %v", v.File, v.Errors)
		}
	}
}

func mustList(t *testing.T, folder string) []string {
	t.Helper()
	files, err := list(folder)
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %d files, %v", folder, len(files), err)
	}
	return files
}

// The engine's own examples that are refused, and why that is right.
var refusedExamples = map[string]string{
	"fun-with-gifs.yaml":           "a name or a generateName is required",
	"grafana-dashboard.json":       "no kind", // not a manifest
	"k8s-jobs.yaml":                "a name or a generateName is required",
	"k8s-patch-json-workflow.yaml": "already set in map",
	"cluster-workflow-template/mixed-cluster-namespaced-wftmpl-steps.yaml": "no such input parameter",
	"synchronization-db-mutex-tmpl-level.yaml":                             "no such input parameter",
	"synchronization-db-tmpl-level.yaml":                                   "no such input parameter",
	"synchronization-mutex-tmpl-level.yaml":                                "no such input parameter",
	"synchronization-tmpl-level.yaml":                                      "no such input parameter",
	// the reader's condition says the same in other words
	"fibonacci-seq-conditional-param.yaml": "need not have succeeded",
	// a loop over a list that may be empty
	"parameter-aggregation-dag.yaml":                              "need not have succeeded",
	"parameter-aggregation.yaml":                                  "need not have succeeded",
	"workflow-template/steps.yaml":                                "no such input parameter",
	"workflow-event-binding/event-consumer-workflowtemplate.yaml": "workflow.parameters.appellation",
}

func TestExamplesOfTheEngine(t *testing.T) {
	folder := filepath.Join(engine(t), "examples")
	files := mustList(t, folder)
	if len(files) < 200 {
		t.Fatalf("only %d examples", len(files))
	}
	for _, v := range checkFiles(t, options{}, files...) {
		name, _ := filepath.Rel(folder, v.File)
		words, refused := refusedExamples[name]
		switch {
		case v.OK && refused:
			t.Errorf("%s: accepted, wanted %q", name, words)
		case !v.OK && !refused:
			t.Errorf("%s: %v", name, v.Errors)
		case refused && !strings.Contains(fmt.Sprint(v.Errors), words):
			t.Errorf("%s: wanted %q, got %v", name, words, v.Errors)
		}
	}
}

const head = `apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: big-}
spec:
  entrypoint: main
  templates:
`

func TestLimits(t *testing.T) {
	leaf := "  - {name: main, container: {image: busybox, command: [\"true\"]}}\n"
	var templates, tasks, params strings.Builder
	for i := range 201 {
		fmt.Fprintf(&templates, "  - {name: t%d, container: {image: busybox, command: [\"true\"]}}\n", i)
		fmt.Fprintf(&tasks, "      - {name: t%d, template: leaf}\n", i)
	}
	for i := range 501 {
		fmt.Fprintf(&params, "    - {name: p%d, value: \"1\"}\n", i)
	}
	for name, c := range map[string]struct{ text, words string }{
		"templates":  {head + leaf + templates.String(), "202 templates, at most 200"},
		"tasks":      {head + "  - name: main\n    dag:\n      tasks:\n" + tasks.String() + strings.Replace(leaf, "main", "leaf", 1), "201 tasks, at most 200"},
		"parameters": {head + leaf + "  arguments:\n    parameters:\n" + params.String(), "501 parameters, at most 500"},
		"spec":       {head + "  - name: main\n    script: {image: busybox, command: [sh], source: \"" + strings.Repeat("x", 1<<20) + "\"}\n", "at most 1048576"},
		"argument":   {head + "  - name: main\n    container: {image: busybox, command: [echo], args: [\"" + strings.Repeat("x", 131072) + "\"]}\n", "one argument takes at most 131071"},
	} {
		v := checkText(t, options{}, c.text)
		if !strings.Contains(fmt.Sprint(v.Errors), c.words) {
			t.Errorf("%s: wanted %q, got %.300v", name, c.words, v.Errors)
		}
	}
}

func TestSuppliedArguments(t *testing.T) {
	text := head + "  - {name: main, container: {image: busybox, command: [\"true\"]}}\n  arguments: {parameters: [{name: size}]}\n"
	if v := checkText(t, options{}, text); v.OK {
		t.Error("an argument without a value was accepted")
	}
	for _, o := range []options{{supplied: true}, {params: map[string]string{"size": "3"}}} {
		if v := checkText(t, o, text); !v.OK {
			t.Error(v.Errors)
		}
	}
}

// A templateRef is found in another file of the same set, not in one of another set.
func TestSets(t *testing.T) {
	folder := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(folder, name)
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return file
	}
	user := write("a.yaml", head+"  - name: main\n    dag: {tasks: [{name: a, templateRef: {name: lib, template: x}}]}\n")
	lib := write("b.yaml", strings.NewReplacer("kind: Workflow", "kind: WorkflowTemplate", "generateName: big-", "name: lib", "  entrypoint: main\n", "").Replace(head)+
		"  - {name: x, container: {image: busybox, command: [\"true\"]}}\n")
	for _, v := range checkFiles(t, options{}, user, lib) {
		if !v.OK {
			t.Error(v)
		}
	}
	if v := checkFiles(t, options{}, user)[0]; v.OK {
		t.Error("a templateRef to nowhere was accepted")
	}
}

func TestOtherKinds(t *testing.T) {
	good := "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a: b}\n"
	if v := checkText(t, options{}, good); !v.OK || v.Documents != 1 {
		t.Error(v)
	}
	if v := checkText(t, options{}, strings.Replace(good, "data", "dato", 1)); v.OK {
		t.Error("a ConfigMap with an unknown field was accepted")
	}
}

func TestEval(t *testing.T) {
	for _, c := range []struct{ request, want string }{
		{`{"expr":"a.b + 1","env":{"a":{"b":2}}}`, `"value":3`},
		{`{"expr":"asInt(inputs.parameters.n) + 1","env":{"inputs":{"parameters":{"n":"41"}}}}`, `"text":"42"`},
		{`{"expr":"nope(1)"}`, `"error":"unknown name nope`},
		{`{"expr":"tasks['a-b'].outputs?.result ?? 'none'","env":{"tasks":{"a-b":{"status":"Failed"}}}}`, `"text":"none"`},
		{`{"expr":"7 / 2"}`, `"type":"float"`},
		{`{"expr":"len(fromJSON(x))","env":{"x":"[1,2,3]"}}`, `"type":"int"`},
		{`{"expr":"jsonpath('x', '$')"}`, `"error"`},
		{`{"expr":"nil ?? nil"}`, `nil`},
		{`{"expr":"sprig.sha256sum('a')"}`, `ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb`},
		{`{"expr":"1","kind":"bool"}`, `is not a bool`},
		{`{"expr":"a == a && 2 > 1","kind":"when"}`, `"value":true`},
		{`{"expr":"x {{=a.b}} {{c}}","env":{"a":{"b":"1"},"c":"d"},"kind":"tag"}`, `"text":"x 1 d"`},
		{`{"expr":"{{gone}}","kind":"tag"}`, `failed to resolve {{gone}}`},
		{`nonsense`, `not a request`},
	} {
		var out bytes.Buffer
		evalMain(nil, strings.NewReader(c.request+"\n"), &out)
		if !strings.Contains(out.String(), c.want) || !json.Valid(out.Bytes()) {
			t.Errorf("%s: wanted %s, got %s", c.request, c.want, out.String())
		}
	}
}
