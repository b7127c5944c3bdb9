package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/kubernetes/scheme"
	sigsyaml "sigs.k8s.io/yaml"

	wfv1 "github.com/argoproj/argo-workflows/v4/pkg/apis/workflow/v1alpha1"
	jsonutil "github.com/argoproj/argo-workflows/v4/util/json"
	"github.com/argoproj/argo-workflows/v4/workflow/common"
)

// document is one document of a file that parsed.
type document struct {
	label  string         // Kind/name, the start of every path
	kind   string         //
	tree   map[string]any // as JSON
	object metav1.Object  // typed; nil for kinds that are not the engine's
}

type source struct {
	file  string
	docs  []*document
	count int
	found []finding
}

func (s *source) add(stage, path, format string, args ...any) {
	s.found = append(s.found, finding{stage, path, fmt.Sprintf(format, args...)})
}

// The engine splits a file here, before any YAML is read (workflow/common/parse.go).
var separator = regexp.MustCompile(`\n---`)

func readSource(ctx context.Context, file string) *source {
	s := &source{file: file}
	var data []byte
	var err error
	if file == "-" {
		data, err = io.ReadAll(os.Stdin)
	} else {
		data, err = os.ReadFile(file)
	}
	if err != nil {
		s.add(stageRead, "", "%v", err)
		return s
	}
	s.parse(ctx, data)
	return s
}

func (s *source) parse(ctx context.Context, data []byte) {
	if jsonutil.IsJSON(data) {
		s.count = 1
		s.parseDocument(ctx, data, "document 1")
		return
	}
	count, err := countDocuments(data)
	if err != nil {
		s.add(stageParse, fmt.Sprintf("document %d", count+1), "not YAML: %v", err)
		return
	}
	s.count = count
	line, seen := 1, 0
	for _, piece := range separator.Split(string(data), -1) {
		at := line
		line += strings.Count(piece, "\n") + 1
		var content any
		if strings.TrimSpace(piece) == "" {
			continue
		}
		if err := sigsyaml.Unmarshal([]byte(piece), &content); err == nil && content == nil {
			continue
		}
		seen++
		s.parseDocument(ctx, []byte(piece), fmt.Sprintf("document %d (from line %d)", seen, at))
	}
	if seen != count {
		s.add(stageParse, "", "YAML has %d documents here, the engine sees %d: it splits at every line that starts with ---", count, seen)
	}
	if count == 0 {
		s.add(stageParse, "", "no document in this file")
	}
}

// countDocuments counts the documents that are not empty, as YAML defines them.
func countDocuments(data []byte) (count int, err error) {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	for {
		var n yaml.Node
		err := dec.Decode(&n)
		if errors.Is(err, io.EOF) {
			return count, nil
		}
		if err != nil {
			return count, err
		}
		if len(n.Content) > 0 && n.Content[0].Tag != "!!null" {
			count++
		}
	}
}

func (s *source) parseDocument(ctx context.Context, text []byte, where string) {
	var tree map[string]any
	if err := sigsyaml.Unmarshal(text, &tree); err != nil {
		s.add(stageParse, where, "%v", oneLine(err))
		return
	}
	d := &document{tree: tree, kind: text_(tree, "kind")}
	d.label = d.kind + "/" + objectName(tree)
	if d.kind == "" {
		s.add(stageParse, where, "no kind: the engine drops this document")
		return
	}
	results := common.ParseObjects(ctx, text, true)
	if len(results) != 1 {
		_, err := sigsyaml.YAMLToJSONStrict(text)
		s.add(stageParse, d.label, "the engine drops this document without a word: %v", oneLine(err))
		return
	}
	if _, other := results[0].Object.(*metav1.ObjectMeta); other {
		s.parseOther(text, d)
		return
	}
	if err := results[0].Err; err != nil {
		s.add(stageParse, d.label, "%v", oneLine(err))
		return
	}
	if v := text_(tree, "apiVersion"); v != "argoproj.io/v1alpha1" {
		s.add(stageParse, d.label, "apiVersion is %q, must be argoproj.io/v1alpha1", v)
		return
	}
	d.object = results[0].Object
	s.docs = append(s.docs, d)
}

var strictDecoder = serializer.NewCodecFactory(scheme.Scheme, serializer.EnableStrict).UniversalDeserializer()

// parseOther takes what is Kubernetes' own (ConfigMap, Secret, claims, roles ...).
func (s *source) parseOther(text []byte, d *document) {
	group, _, _ := strings.Cut(text_(d.tree, "apiVersion"), "/")
	if group == "argoproj.io" {
		s.add(stageParse, d.label, "unknown kind %q: the engine drops this document without a word", d.kind)
		return
	}
	if _, _, err := strictDecoder.Decode(text, nil, nil); err != nil {
		s.add(stageParse, d.label, "%v", oneLine(err))
		return
	}
	s.docs = append(s.docs, d)
}

func oneLine(err error) string {
	if err == nil {
		return ""
	}
	return strings.Join(strings.Fields(err.Error()), " ")
}

func text_(tree map[string]any, key string) string {
	v, _ := tree[key].(string)
	return v
}

func objectName(tree map[string]any) string {
	meta, _ := tree["metadata"].(map[string]any)
	if n := text_(meta, "name"); n != "" {
		return n
	}
	return text_(meta, "generateName") + "*"
}

// spec returns the workflow specification of a document, nil for kinds without one.
func (d *document) spec() *wfv1.WorkflowSpec {
	switch o := d.object.(type) {
	case *wfv1.Workflow:
		return &o.Spec
	case *wfv1.WorkflowTemplate:
		return &o.Spec
	case *wfv1.ClusterWorkflowTemplate:
		return &o.Spec
	case *wfv1.CronWorkflow:
		return &o.Spec.WorkflowSpec
	}
	return nil
}

// isNil says whether an interface holds a nil pointer.
func isNil(v any) bool {
	return v == nil || (reflect.ValueOf(v).Kind() == reflect.Pointer && reflect.ValueOf(v).IsNil())
}
