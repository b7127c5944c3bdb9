package main

import (
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// discovery answers what kubectl asks before it does anything.
func (a *apiServer) discovery(w http.ResponseWriter, r *http.Request) bool {
	path := strings.Trim(r.URL.Path, "/")
	parts := strings.Split(path, "/")
	switch {
	case path == "version":
		reply(w, 200, tree{"major": "1", "minor": "33", "gitVersion": "v1.33.0"})
	case path == "api":
		reply(w, 200, tree{"kind": "APIVersions", "versions": []string{"v1"}})
	case path == "apis":
		reply(w, 200, tree{"kind": "APIGroupList", "apiVersion": "v1", "groups": a.groups()})
	case path == "openapi/v3":
		reply(w, 200, tree{"paths": a.openAPIPaths()})
	case strings.HasPrefix(path, "openapi/v3/"):
		reply(w, 200, a.openAPI(strings.TrimPrefix(path, "openapi/v3/")))
	case parts[0] == "api" && len(parts) == 2:
		reply(w, 200, a.resources("", parts[1]))
	case parts[0] == "apis" && len(parts) == 3:
		reply(w, 200, a.resources(parts[1], parts[2]))
	default:
		return false
	}
	return true
}

func (a *apiServer) groups() []tree {
	var out []tree
	versions := map[string][]tree{}
	for _, k := range a.known() {
		v := tree{"groupVersion": k.apiVersion(), "version": k.version}
		if !slices.ContainsFunc(versions[k.group], func(old tree) bool { return old["version"] == k.version }) {
			versions[k.group] = append(versions[k.group], v)
		}
	}
	delete(versions, "")
	for _, group := range slices.Sorted(maps.Keys(versions)) {
		out = append(out, tree{"name": group, "versions": versions[group], "preferredVersion": versions[group][0]})
	}
	return out
}

func (a *apiServer) resources(group, version string) tree {
	list := []tree{}
	for _, k := range a.known() {
		if k.group == group && k.version == version {
			list = append(list, tree{"name": k.resource, "singularName": strings.ToLower(k.name), "kind": k.name, "namespaced": !k.cluster,
				"verbs": []string{"create", "delete", "get", "list", "patch", "update", "watch"}})
		}
	}
	name := version
	if group != "" {
		name = group + "/" + version
	}
	return tree{"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": name, "resources": list}
}

// prefix is the path under which a kind's group is served.
func (k kind) prefix() string {
	if k.group == "" {
		return "api/" + k.version
	}
	return "apis/" + k.apiVersion()
}

func (a *apiServer) openAPIPaths() tree {
	out := tree{}
	for _, k := range a.known() {
		out[k.prefix()] = tree{"serverRelativeURL": "/openapi/v3/" + k.prefix()}
	}
	return out
}

// openAPI says of every kind that the server itself validates its fields, which is
// all that kubectl wants to know; nothing is validated.
func (a *apiServer) openAPI(prefix string) tree {
	paths := tree{}
	for _, k := range a.known() {
		if k.prefix() == prefix {
			paths["/"+prefix+"/namespaces/{namespace}/"+k.resource+"/{name}"] = tree{"patch": tree{
				"x-kubernetes-group-version-kind": tree{"group": k.group, "version": k.version, "kind": k.name},
				"parameters":                      []tree{{"name": "fieldValidation", "in": "query", "schema": tree{"type": "string"}}},
				"responses":                       tree{"200": tree{"description": "OK"}},
			}}
		}
	}
	return tree{"openapi": "3.0.0", "info": tree{"title": "local", "version": "v1"}, "paths": paths}
}

var (
	manifestVersion = regexp.MustCompile(`(?m)^apiVersion:[ \t]*["']?([^\s"']+)`)
	manifestKind    = regexp.MustCompile(`(?m)^kind:[ \t]*["']?([^\s"']+)`)
)

// learnManifests makes the kinds of resource templates known, whoever would define them on a cluster.
func (a *apiServer) learnManifests(v any) {
	switch v := v.(type) {
	case tree:
		if text := str(v, "manifest"); text != "" {
			version, kind := manifestVersion.FindStringSubmatch(text), manifestKind.FindStringSubmatch(text)
			if version != nil && kind != nil {
				a.learn(version[1], kind[1])
			}
		}
		for _, each := range v {
			a.learnManifests(each)
		}
	case []any:
		for _, each := range v {
			a.learnManifests(each)
		}
	}
}
