package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/objectmeta"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"sigs.k8s.io/yaml"
)

// definition is one custom resource definition, ready to check objects as an API server does.
type definition struct {
	structural *schema.Structural
	validator  validation.SchemaValidator
	rules      *cel.Validator
}

// definitions loads them when they are needed: one takes about 0.4 s.
type definitions struct {
	folder    string
	loaded    map[string]*definition
	operators operators
}

func newDefinitions(folder, ops string) *definitions {
	return &definitions{folder: folder, loaded: map[string]*definition{}, operators: operators{folder: ops, loaded: map[string]*definition{}}}
}

func (ds *definitions) get(kind string) (*definition, error) {
	if d, ok := ds.loaded[kind]; ok {
		return d, nil
	}
	if ds.folder == "" {
		return nil, fmt.Errorf("no custom resource definitions here: run build.sh, or give -crds FOLDER")
	}
	file := filepath.Join(ds.folder, "argoproj.io_"+strings.ToLower(kind)+"s.yaml")
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	d, err := loadDefinition(text, "v1alpha1")
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	ds.loaded[kind] = d
	return d, nil
}

func loadDefinition(text []byte, version string) (*definition, error) {
	crd := &apiextensionsv1.CustomResourceDefinition{}
	if err := yaml.Unmarshal(text, crd); err != nil {
		return nil, err
	}
	for _, v := range crd.Spec.Versions {
		if v.Name != version || v.Schema == nil {
			continue
		}
		props := &apiextensions.JSONSchemaProps{}
		if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(v.Schema.OpenAPIV3Schema, props, nil); err != nil {
			return nil, err
		}
		structural, err := schema.NewStructural(props)
		if err != nil {
			return nil, err
		}
		validator, _, err := validation.NewSchemaValidator(props)
		if err != nil {
			return nil, err
		}
		return &definition{structural, validator, cel.NewValidator(structural, true, celconfig.PerCallLimit)}, nil
	}
	return nil, fmt.Errorf("no schema for %s", version)
}

// check does what a create request meets: pruning, defaults, the schema, list types, CEL.
func (d *definition) check(ctx context.Context, s *source, stage, label string, obj map[string]any) {
	add := func(errs field.ErrorList) {
		for _, e := range errs {
			s.add(stage, label+":"+e.Field, "%s", e.ErrorBody())
		}
	}
	pruned := pruning.PruneWithOptions(obj, d.structural, true, schema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true})
	for _, path := range pruned {
		s.add(stage, label+":"+path, "unknown field: the API server drops it")
	}
	defaulting.PruneNonNullableNullsWithoutDefaults(obj, d.structural)
	defaulting.Default(obj, d.structural)
	add(objectmeta.Validate(nil, obj, d.structural, true))
	errs := validation.ValidateCustomResource(nil, obj, d.validator)
	errs = append(errs, listtype.ValidateListSetsAndMaps(nil, d.structural, obj)...)
	add(errs)
	if len(errs) == 0 {
		more, _ := d.rules.Validate(ctx, nil, d.structural, obj, nil, celconfig.RuntimeCELCostBudget)
		add(more)
	}
}

// normalize turns whole float64 numbers into int64, as the API server's decoder does.
func normalize(v map[string]any) map[string]any {
	out, _ := normalizeValue(v).(map[string]any)
	return out
}

func normalizeValue(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			out[k] = normalizeValue(e)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = normalizeValue(e)
		}
		return out
	case float64:
		if v == float64(int64(v)) {
			return int64(v)
		}
	}
	return v
}
