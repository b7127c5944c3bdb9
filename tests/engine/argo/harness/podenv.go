package main

import (
	"encoding/base64"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// Volumes and variables of a pod, as a kubelet makes them.

// data returns the content of a config map or a secret; false when there is none.
func (k *kubelet) data(resource, name string) (map[string]string, bool) {
	o := k.api.get(resource, k.namespace, name)
	if o == nil {
		return nil, false
	}
	t, err := parse(o.text)
	if err != nil {
		return nil, false
	}
	out := map[string]string{}
	for _, field := range []string{"data", "binaryData", "stringData"} {
		m, _ := t[field].(tree)
		for key := range m {
			v := str(m, key)
			if (resource == "secrets" && field == "data") || field == "binaryData" {
				b, err := base64.StdEncoding.DecodeString(v)
				if err != nil {
					continue
				}
				v = string(b)
			}
			out[key] = v
		}
	}
	return out, true
}

// content is where a file of a volume, or a variable, comes from.
type content struct {
	resource, name string
	items          []corev1.KeyToPath
	optional       *bool
}

func (c content) missingIsFine() bool { return c.optional != nil && *c.optional }

func sources(v *corev1.VolumeSource) (out []content) {
	if m := v.ConfigMap; m != nil {
		out = append(out, content{"configmaps", m.Name, m.Items, m.Optional})
	}
	if s := v.Secret; s != nil {
		out = append(out, content{"secrets", s.SecretName, s.Items, s.Optional})
	}
	if p := v.Projected; p != nil {
		for i := range p.Sources {
			if m := p.Sources[i].ConfigMap; m != nil {
				out = append(out, content{"configmaps", m.Name, m.Items, m.Optional})
			}
			if s := p.Sources[i].Secret; s != nil {
				out = append(out, content{"secrets", s.Name, s.Items, s.Optional})
			}
		}
	}
	return out
}

// volumes makes a pod's volumes and returns the folder of each.
func (k *kubelet) volumes(p *pod) (map[string]string, error) {
	out := map[string]string{}
	for i := range p.spec.Spec.Volumes {
		v := &p.spec.Spec.Volumes[i]
		dir := filepath.Join(p.dir, "volumes", v.Name)
		if c := v.PersistentVolumeClaim; c != nil {
			if k.api.get("persistentvolumeclaims", k.namespace, c.ClaimName) == nil {
				return nil, fmt.Errorf("persistentvolumeclaim %q not found", c.ClaimName)
			}
			dir = filepath.Join(k.work, "claims", c.ClaimName)
		}
		if v.HostPath != nil {
			dir = filepath.Join(k.work, "host", filepath.Clean("/"+v.HostPath.Path))
		}
		if err := os.MkdirAll(dir, 0o777); err != nil {
			return nil, err
		}
		if err := os.Chmod(dir, 0o777); err != nil {
			return nil, err
		}
		if err := tokens(dir, &v.VolumeSource); err != nil {
			return nil, err
		}
		for _, c := range sources(&v.VolumeSource) {
			if err := k.fill(dir, c); err != nil {
				return nil, fmt.Errorf("volume %s: %w", v.Name, err)
			}
		}
		out[v.Name] = dir
	}
	return out, nil
}

// tokens writes what stands for a service account's token: the API server believes everybody.
func tokens(dir string, v *corev1.VolumeSource) error {
	if v.Projected == nil {
		return nil
	}
	for _, s := range v.Projected.Sources {
		if s.ServiceAccountToken != nil {
			if err := os.WriteFile(filepath.Join(dir, filepath.Clean("/"+s.ServiceAccountToken.Path)), []byte("local"), 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}

func (k *kubelet) fill(dir string, c content) error {
	data, ok := k.data(c.resource, c.name)
	if !ok {
		if c.missingIsFine() {
			return nil
		}
		return fmt.Errorf("%s %q not found", c.resource, c.name)
	}
	items := c.items
	if len(items) == 0 {
		for key := range data {
			items = append(items, corev1.KeyToPath{Key: key, Path: key})
		}
	}
	for _, it := range items {
		text, ok := data[it.Key]
		if !ok {
			if c.missingIsFine() {
				continue
			}
			return fmt.Errorf("%s %q has no key %q", c.resource, c.name, it.Key)
		}
		file := filepath.Join(dir, filepath.Clean("/"+it.Path))
		mode := os.FileMode(0o644)
		if it.Mode != nil {
			mode = os.FileMode(*it.Mode)
		}
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(file, []byte(text), mode); err != nil {
			return err
		}
	}
	return nil
}

// defaultPath is an image's; every image is this machine, so what is found here is found there.
var defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:" + os.Getenv("PATH")

// environment returns a container's variables, and those of them that $(NAME)
// may name: what the pod declares, not what the image and the runtime set.
func (k *kubelet) environment(p *pod, c *corev1.Container) (env, declared map[string]string, err error) {
	env = map[string]string{"PATH": defaultPath, "HOME": "/root", "HOSTNAME": p.spec.Name}
	if host, port, err := net.SplitHostPort(k.secure); err == nil {
		env["KUBERNETES_SERVICE_HOST"], env["KUBERNETES_SERVICE_PORT"] = host, port
	}
	if c.Image == executorImage {
		env["KUBECONFIG"] = kubeconfigPath
		env["GOGC"] = "400" // short-lived: nothing to collect
	}
	if copiesExecutor(c) {
		env["PATH"] = filepath.Dir(placeholderPath) + ":" + defaultPath
	}
	declared = map[string]string{}
	set := func(name, value string) { env[name], declared[name] = value, value }
	for _, f := range c.EnvFrom {
		from := content{}
		if r := f.ConfigMapRef; r != nil {
			from = content{"configmaps", r.Name, nil, r.Optional}
		} else if r := f.SecretRef; r != nil {
			from = content{"secrets", r.Name, nil, r.Optional}
		}
		data, ok := k.data(from.resource, from.name)
		if !ok && !from.missingIsFine() {
			return nil, nil, fmt.Errorf("%s %q not found", from.resource, from.name)
		}
		for n, v := range data {
			set(f.Prefix+n, v)
		}
	}
	for _, e := range c.Env {
		if e.ValueFrom == nil {
			set(e.Name, expand(e.Value, declared))
			continue
		}
		v, ok, err := k.valueFrom(p, e.ValueFrom)
		if err != nil {
			return nil, nil, err
		}
		if ok {
			set(e.Name, v)
		}
	}
	return env, declared, nil
}

func (k *kubelet) valueFrom(p *pod, from *corev1.EnvVarSource) (value string, ok bool, err error) {
	var c content
	var key string
	switch {
	case from.FieldRef != nil:
		return fieldOf(p.spec, from.FieldRef.FieldPath), true, nil
	case from.ConfigMapKeyRef != nil:
		r := from.ConfigMapKeyRef
		c, key = content{"configmaps", r.Name, nil, r.Optional}, r.Key
	case from.SecretKeyRef != nil:
		r := from.SecretKeyRef
		c, key = content{"secrets", r.Name, nil, r.Optional}, r.Key
	default:
		return "", false, nil
	}
	data, _ := k.data(c.resource, c.name)
	v, ok := data[key]
	if !ok && !c.missingIsFine() {
		return "", false, fmt.Errorf("%s %q has no key %q", c.resource, c.name, key)
	}
	return v, ok, nil
}

func fieldOf(p *corev1.Pod, path string) string {
	switch path {
	case "metadata.name":
		return p.Name
	case "metadata.namespace":
		return p.Namespace
	case "metadata.uid":
		return string(p.UID)
	case "spec.nodeName":
		return nodeName
	case "spec.serviceAccountName":
		return p.Spec.ServiceAccountName
	case "status.podIP", "status.hostIP":
		return "127.0.0.1"
	}
	name, quoted := strings.CutSuffix(path, "']")
	if n, ok := strings.CutPrefix(name, "metadata.labels['"); ok && quoted {
		return p.Labels[n]
	}
	if n, ok := strings.CutPrefix(name, "metadata.annotations['"); ok && quoted {
		return p.Annotations[n]
	}
	return ""
}

// expand is Kubernetes' $(NAME): $$ is one dollar, an unknown name stays as it is.
func expand(s string, env map[string]string) string {
	var out strings.Builder
	for {
		i := strings.IndexByte(s, '$')
		if i < 0 || i+1 == len(s) {
			out.WriteString(s)
			return out.String()
		}
		out.WriteString(s[:i])
		rest := s[i+1:]
		end := strings.IndexByte(rest, ')')
		switch {
		case rest[0] == '$':
			out.WriteByte('$')
			s = rest[1:]
		case rest[0] == '(' && end > 0:
			if v, ok := env[rest[1:end]]; ok {
				out.WriteString(v)
			} else {
				out.WriteString(s[i : i+end+2])
			}
			s = rest[end+1:]
		default:
			out.WriteByte('$')
			s = rest
		}
	}
}
