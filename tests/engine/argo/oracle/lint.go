package main

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	wfv1 "github.com/argoproj/argo-workflows/v4/pkg/apis/workflow/v1alpha1"
	"github.com/argoproj/argo-workflows/v4/workflow/validate"
)

// library finds templates by name: those of the file first, then those of its set.
type library struct {
	own       *source
	templates map[string]*wfv1.WorkflowTemplate
	cluster   map[string]*wfv1.ClusterWorkflowTemplate
}

func newLibrary(sources []*source) *library {
	l := &library{templates: map[string]*wfv1.WorkflowTemplate{}, cluster: map[string]*wfv1.ClusterWorkflowTemplate{}}
	for _, s := range sources {
		l.take(s)
	}
	return l
}

func (l *library) take(s *source) {
	for _, d := range s.docs {
		switch o := d.object.(type) {
		case *wfv1.WorkflowTemplate:
			if l.templates[o.Name] == nil {
				l.templates[o.Name] = o
			}
		case *wfv1.ClusterWorkflowTemplate:
			if l.cluster[o.Name] == nil {
				l.cluster[o.Name] = o
			}
		}
	}
}

// forFile returns the library as one file sees it.
func (l *library) forFile(s *source) *library {
	own := newLibrary([]*source{s})
	for n, t := range l.templates {
		if own.templates[n] == nil {
			own.templates[n] = t
		}
	}
	for n, t := range l.cluster {
		if own.cluster[n] == nil {
			own.cluster[n] = t
		}
	}
	return own
}

type namespaced struct{ *library }

func (l namespaced) Get(_ context.Context, name string) (*wfv1.WorkflowTemplate, error) {
	if t := l.templates[name]; t != nil {
		return t.DeepCopy(), nil
	}
	return nil, apierrors.NewNotFound(schema.GroupResource{Group: "argoproj.io", Resource: "workflowtemplates"}, name)
}

type clusterwide struct{ *library }

func (l clusterwide) Get(_ context.Context, name string) (*wfv1.ClusterWorkflowTemplate, error) {
	if t := l.cluster[name]; t != nil {
		return t.DeepCopy(), nil
	}
	return nil, apierrors.NewNotFound(schema.GroupResource{Group: "argoproj.io", Resource: "clusterworkflowtemplates"}, name)
}

// supply gives the arguments of a workflow the values that come with a submission.
func (o *options) supply(spec *wfv1.WorkflowSpec) {
	list := spec.Arguments.Parameters
	for i := range list {
		if v, ok := o.params[list[i].Name]; ok {
			list[i].Value, list[i].ValueFrom = wfv1.AnyStringPtr(v), nil
		} else if o.supplied && list[i].Value == nil && list[i].ValueFrom == nil {
			v := "given"
			if len(list[i].Enum) > 0 {
				v = list[i].Enum[0].String()
			}
			list[i].Value = wfv1.AnyStringPtr(v)
		}
	}
}

// lint runs the engine's validator in its modes. The validator sorts tasks in place: it gets copies.
func (l *library) lint(ctx context.Context, o *options, s *source, d *document) {
	ns, cl := namespaced{l}, clusterwide{l}
	report := func(stage string, err error) bool {
		if err != nil {
			s.add(stage, d.label, "%s", oneLine(err))
		}
		return err == nil
	}
	switch obj := d.object.(type) {
	case *wfv1.Workflow:
		if report(stageLint, validate.ValidateWorkflow(ctx, ns, cl, obj.DeepCopy(), nil, validate.ValidateOpts{Lint: true})) {
			given := obj.DeepCopy()
			o.supply(&given.Spec)
			report(stageSubmit, validate.ValidateWorkflow(ctx, ns, cl, given, nil, validate.ValidateOpts{Submit: true}))
		}
	case *wfv1.WorkflowTemplate:
		if report(stageLint, validate.ValidateWorkflowTemplate(ctx, ns, cl, obj.DeepCopy(), nil, validate.ValidateOpts{Lint: true})) {
			report(stageSubmit, validate.ValidateWorkflowTemplate(ctx, ns, cl, obj.DeepCopy(), nil, validate.ValidateOpts{}))
		}
	case *wfv1.ClusterWorkflowTemplate:
		if report(stageLint, validate.ValidateClusterWorkflowTemplate(ctx, ns, cl, obj.DeepCopy(), nil, validate.ValidateOpts{Lint: true})) {
			report(stageSubmit, validate.ValidateClusterWorkflowTemplate(ctx, ns, cl, obj.DeepCopy(), nil, validate.ValidateOpts{}))
		}
	case *wfv1.CronWorkflow:
		given := obj.DeepCopy()
		o.supply(&given.Spec.WorkflowSpec)
		report(stageLint, validate.ValidateCronWorkflow(ctx, ns, cl, given, nil))
	}
}
