package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/yaml"

	wfv1 "github.com/argoproj/argo-workflows/v4/pkg/apis/workflow/v1alpha1"
	"github.com/argoproj/argo-workflows/v4/util/template"
)

// hostile is a value that makes another object of a manifest that does not quote it.
const hostile = "a\"b' : {c} [d] # \\ \n- e\n\u0085\u2028\u0001,"

// manifest checks the object of a resource template as an API server would, with samples for its tags, and that no
// value of an expression changes more of it than the scalar, or the JSON, that it stands for.
func (c *checker) manifest(ctx context.Context, path string, t *wfv1.Template, s *scope) {
	r := t.Resource
	for name, text := range map[string]string{"successCondition": r.SuccessCondition, "failureCondition": r.FailureCondition} {
		if _, err := labels.Parse(filled(ctx, text, s.samples(), nil)); err != nil {
			c.src.add(stageObject, c.doc.label+":"+path+".resource."+name, "%v", err)
		}
	}
	if r.Manifest == "" {
		return
	}
	at := c.doc.label + ":" + path + ".resource.manifest"
	samples, strange := s.samples(), map[string]any{}
	for n := range samples {
		strange[n] = hostile
	}
	plain, err := object(filled(ctx, r.Manifest, samples, nil))
	if err != nil {
		c.src.add(stageObject, at, "not YAML: %v", err)
		return
	}
	odd, err := object(filled(ctx, r.Manifest, strange, samples))
	if err != nil {
		c.src.add(stageObject, at, "a value can make it something else than YAML: %v", err)
		return
	}
	if where := differs("", plain, odd); where != "" {
		c.src.add(stageObject, at, "a value can make another object of it, at %s", where)
	}
	if r.Action == "patch" || r.Action == "get" || r.Action == "delete" {
		return
	}
	// without quotes one sample is a number, the other a string: one of them must do
	seen := len(c.src.found)
	c.objectSchema(ctx, at, plain)
	if len(c.src.found) == seen {
		return
	}
	for n := range strange {
		strange[n] = "a"
	}
	word, err := object(filled(ctx, r.Manifest, strange, samples))
	if err != nil {
		return
	}
	first := c.src.found[seen:]
	c.src.found = c.src.found[:seen:seen]
	c.objectSchema(ctx, at, word)
	if len(c.src.found) > seen {
		c.src.found = append(c.src.found[:seen], first...)
	}
}

// filled puts in the place of each tag what the engine would for these names; where that fails, what it
// would for the others.
func filled(ctx context.Context, text string, names, others map[string]any) string {
	return tagPattern.ReplaceAllStringFunc(text, func(tag string) string {
		from := names
		if others != nil && names["workflow.name"] == hostile && !strings.HasPrefix(tag, "{{=") {
			from = others // what people leave without quotes
		}
		for _, n := range []map[string]any{from, others} {
			if done, ok := replaced(ctx, tag, n); ok {
				return done
			}
		}
		return "x"
	})
}

func replaced(ctx context.Context, tag string, names map[string]any) (out string, ok bool) {
	defer func() {
		if recover() != nil { // the engine's own functions panic on bad JSON
			ok = false
		}
	}()
	quoted, err := json.Marshal(tag)
	if err != nil || names == nil {
		return "", false
	}
	done, err := template.Replace(ctx, string(quoted), names, false)
	if err != nil || json.Unmarshal([]byte(done), &out) != nil {
		return "", false
	}
	return out, true
}

func object(text string) (any, error) {
	var out any
	if err := yaml.UnmarshalStrict([]byte(text), &out); err != nil {
		return nil, err
	}
	if out == nil {
		return nil, fmt.Errorf("it is empty")
	}
	return out, nil
}

// differs returns a place where two trees have other keys, lengths or kinds.
func differs(path string, a, b any) string {
	if reflect.TypeOf(a) != reflect.TypeOf(b) {
		return path
	}
	switch a := a.(type) {
	case map[string]any:
		b := b.(map[string]any)
		if len(a) != len(b) {
			return path
		}
		for k := range a {
			if _, ok := b[k]; !ok {
				return path + "." + k
			}
			if d := differs(path+"."+k, a[k], b[k]); d != "" {
				return d
			}
		}
	case []any:
		b := b.([]any)
		if len(a) != len(b) {
			return path
		}
		for i := range a {
			if d := differs(fmt.Sprintf("%s[%d]", path, i), a[i], b[i]); d != "" {
				return d
			}
		}
	}
	return ""
}

// objectSchema holds the object against the definition of its kind, where there is one: those of operators that
// build.sh fetches, and the kinds of Kubernetes itself.
func (c *checker) objectSchema(ctx context.Context, at string, v any) {
	obj, _ := v.(map[string]any)
	version, _ := obj["apiVersion"].(string)
	kind, _ := obj["kind"].(string)
	gv, err := schema.ParseGroupVersion(version)
	if err != nil || kind == "" {
		c.src.add(stageObject, at, "no apiVersion and kind")
		return
	}
	if scheme.Scheme.Recognizes(gv.WithKind(kind)) {
		text, err := json.Marshal(obj)
		if err == nil {
			_, _, err = serializer.NewCodecFactory(scheme.Scheme, serializer.EnableStrict).UniversalDeserializer().Decode(text, nil, nil)
		}
		if err != nil {
			c.src.add(stageObject, at, "%v", err)
		}
		return
	}
	d, err := c.ops.get(gv, kind)
	if err != nil {
		c.src.add(stageObject, at, "%v", err)
	} else if d != nil {
		d.check(ctx, c.src, stageObject, at, runtime.DeepCopyJSON(normalize(obj)))
	}
}

// operators are the definitions of what operators of a cluster take; in the folder one file a kind, GROUP_KINDs.yaml.
type operators struct {
	folder string
	loaded map[string]*definition
}

// get returns nil for a kind of a group that is not known here.
func (o *operators) get(gv schema.GroupVersion, kind string) (*definition, error) {
	name := gv.Group + "_" + strings.ToLower(kind) + "s.yaml"
	if d, ok := o.loaded[name+gv.Version]; ok {
		return d, nil
	}
	if _, err := os.Stat(o.folder); err != nil {
		return nil, fmt.Errorf("no definitions of operators here: run build.sh")
	}
	others, _ := filepath.Glob(filepath.Join(o.folder, gv.Group+"_*.yaml"))
	if len(others) == 0 {
		return nil, nil
	}
	text, err := os.ReadFile(filepath.Join(o.folder, name))
	if err != nil {
		return nil, fmt.Errorf("group %s has no kind %s", gv.Group, kind)
	}
	d, err := loadDefinition(text, gv.Version)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	o.loaded[name+gv.Version] = d
	return d, nil
}
