package main

import (
	"encoding/json"
	"fmt"
	"strings"

	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	wfv1 "github.com/argoproj/argo-workflows/v4/pkg/apis/workflow/v1alpha1"
)

const (
	maxSpec       = 1 << 20 // bytes: the engine stores no larger object
	maxTemplates  = 200     // in one document
	maxTasks      = 200     // in one DAG template
	maxParameters = 500     // in one list
	maxName       = 63      // workflow and template: it becomes a label
	maxCronName   = 52      // the run's time is appended
	maxArgument   = 131071  // bytes: MAX_ARG_STRLEN of Linux less the final NUL
	suffixLength  = 5       // what generateName appends
)

// checkMetadata checks the metadata as an API server does, and the engine's own limits on names.
func checkMetadata(s *source, d *document) {
	meta, _ := d.tree["metadata"].(map[string]any)
	if meta == nil {
		s.add(stageMetadata, d.label, "no metadata: a name or a generateName is required")
		return
	}
	if d.object == nil {
		return
	}
	cluster := d.kind == "ClusterWorkflowTemplate"
	object := asCreated(d.object, cluster)
	if object == nil {
		s.add(stageMetadata, d.label+":metadata.name", "a name or a generateName is required")
		return
	}
	for _, e := range apivalidation.ValidateObjectMetaAccessor(object, !cluster, apivalidation.NameIsDNSSubdomain, field.NewPath("metadata")) {
		s.add(stageMetadata, d.label+":"+e.Field, "%s", e.ErrorBody())
	}
	limit := maxName
	if d.kind == "CronWorkflow" {
		limit = maxCronName
	}
	name, path := object.GetName(), "metadata.name"
	if d.object.GetName() == "" {
		path = "metadata.generateName"
		if d.kind != "Workflow" {
			s.add(stageMetadata, d.label+":"+path, "a %s needs a fixed name", d.kind)
		}
	}
	if len(name) > limit {
		s.add(stageMetadata, d.label+":"+path, "%d characters, at most %d", len(name), limit)
	}
}

// asCreated returns the metadata as an API server completes it before it checks; nil without a name.
func asCreated(o metav1.Object, cluster bool) metav1.Object {
	m := &metav1.ObjectMeta{
		Name: o.GetName(), GenerateName: o.GetGenerateName(), Namespace: o.GetNamespace(), Labels: o.GetLabels(),
		Annotations: o.GetAnnotations(), Finalizers: o.GetFinalizers(), OwnerReferences: o.GetOwnerReferences(),
	}
	if m.Name == "" && m.GenerateName == "" {
		return nil
	}
	if m.Name == "" {
		base := m.GenerateName
		if len(base) > maxName-suffixLength {
			base = base[:maxName-suffixLength]
		}
		m.Name = base + strings.Repeat("x", suffixLength)
	}
	if m.Namespace == "" && !cluster {
		m.Namespace = "default" // it comes with the submission
	}
	return m
}

func checkLimits(s *source, d *document) {
	spec := d.spec()
	if spec == nil {
		return
	}
	if text, err := json.Marshal(d.object); err == nil && len(text) > maxSpec {
		s.add(stageLimits, d.label+":spec", "%d bytes as JSON, at most %d", len(text), maxSpec)
	}
	if n := len(spec.Templates); n > maxTemplates {
		s.add(stageLimits, d.label+":spec.templates", "%d templates, at most %d", n, maxTemplates)
	}
	count := func(path string, list []wfv1.Parameter) {
		if n := len(list); n > maxParameters {
			s.add(stageLimits, path, "%d parameters, at most %d", n, maxParameters)
		}
	}
	count(d.label+":spec.arguments.parameters", spec.Arguments.Parameters)
	for i := range spec.Templates {
		t := &spec.Templates[i]
		path := fmt.Sprintf("%s:spec.templates[%s]", d.label, t.Name)
		count(path+".inputs.parameters", t.Inputs.Parameters)
		count(path+".outputs.parameters", t.Outputs.Parameters)
		if t.DAG != nil && len(t.DAG.Tasks) > maxTasks {
			s.add(stageLimits, path+".dag.tasks", "%d tasks, at most %d", len(t.DAG.Tasks), maxTasks)
		}
		checkContainers(s, path, t)
	}
}

// checkContainers looks for what a node or the engine's pods cannot take.
func checkContainers(s *source, path string, t *wfv1.Template) {
	argument := func(path string, list []string) {
		for i, a := range list {
			if len(a) > maxArgument {
				s.add(stageLimits, fmt.Sprintf("%s[%d]", path, i), "%d bytes, one argument takes at most %d", len(a), maxArgument)
			}
		}
	}
	if t.Container != nil {
		argument(path+".container.command", t.Container.Command)
		argument(path+".container.args", t.Container.Args)
		for _, e := range t.Container.Env {
			argument(path+".container.env["+e.Name+"]", []string{e.Name + "=" + e.Value})
		}
	}
	if t.Script != nil {
		for _, e := range t.Script.Env {
			argument(path+".script.env["+e.Name+"]", []string{e.Name + "=" + e.Value})
		}
	}
	reserved := func(path, name string) {
		if name == "init" || name == "wait" || name == "supervisor" || strings.HasPrefix(name, "artifact-plugin-") {
			s.add(stageLimits, path, "the engine keeps the container name %q for itself", name)
		}
	}
	for _, c := range t.InitContainers {
		reserved(path+".initContainers", c.Name)
	}
	for _, c := range t.Sidecars {
		reserved(path+".sidecars", c.Name)
		if c.Name == "main" {
			s.add(stageLimits, path+".sidecars", "the container name \"main\" is the template's own")
		}
	}
	if t.ContainerSet != nil {
		for _, c := range t.ContainerSet.Containers {
			reserved(path+".containerSet.containers", c.Name)
		}
	}
}
