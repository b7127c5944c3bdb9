package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// What stands for the operators of a cluster: PyTorchJob, TFJob, MPIJob and RayJob become pods with the variables and
// labels that their operators give them, and a status that follows these pods.

// mpirun starts the ranks one after the other in the launcher's pod, each with a clean /cw and no variables
// but those that -x names, as ranks that ssh starts have.
const mpirun = `#!/bin/sh
rank_keep= rank_n=1
while :; do
  case $1 in
  -n) rank_n=$2; shift 2 ;;
  --map-by | --bind-to) shift 2 ;;
  -x) rank_keep="$rank_keep $2"; shift 2 ;;
  --allow-run-as-root) shift ;;
  *) break ;;
  esac
done
for rank_k in $rank_keep; do eval "rank_v=\$$rank_k"; set -- "$rank_k=$rank_v" "$@"; done
rank_i=0
while [ "$rank_i" -lt "$rank_n" ]; do
  env -i OMPI_COMM_WORLD_RANK="$rank_i" OMPI_COMM_WORLD_SIZE="$rank_n" "$@" || exit
  rm -rf /cw/*
  rank_i=$((rank_i + 1))
done
`

// replica is a pod of a job that is yet to be made.
type replica struct {
	role     string
	index    int
	template tree
	env      map[string]string
}

var operated = map[string]func(c *cluster, job tree) []replica{
	"PyTorchJob": (*cluster).pytorch, "TFJob": (*cluster).tensorflow, "MPIJob": (*cluster).mpi, "RayJob": (*cluster).ray,
}

// operate runs the jobs of a kind until the context ends.
func (c *cluster) operate(ctx context.Context, kind string) {
	resource := plural(kind)
	_ = c.api.watch(ctx.Done(), resource, everything(namespace), 0, func(event string, o *object) error {
		if event != "ADDED" {
			return nil
		}
		job, err := parse(o.text)
		if err == nil {
			go c.runJob(ctx, kind, job, operated[kind](c, job))
		}
		return err
	})
}

func at(t tree, path string) any {
	var v any = t
	for _, k := range strings.Split(path, ".") {
		m, _ := v.(tree)
		v = m[k]
	}
	return v
}

func number(t tree, path string) int {
	switch v := at(t, path).(type) {
	case float64:
		return int(v)
	case int64:
		return int(v)
	case json.Number:
		n, _ := v.Int64()
		return int(n)
	}
	return 0
}

// set of pods of one role of a Kubeflow job
func (c *cluster) set(job tree, specs, role string, env func(i int) map[string]string) (out []replica) {
	template, _ := at(job, specs+"."+role+".template").(tree)
	for i := range number(job, specs+"."+role+".replicas") {
		out = append(out, replica{role, i, template, env(i)})
	}
	return out
}

func (c *cluster) pytorch(job tree) []replica {
	world := 1 + number(job, "spec.pytorchReplicaSpecs.Worker.replicas")
	env := func(rank int) map[string]string {
		return map[string]string{"MASTER_ADDR": "localhost", "MASTER_PORT": "23456", "WORLD_SIZE": strconv.Itoa(world), "RANK": strconv.Itoa(rank), "PYTHONUNBUFFERED": "1"}
	}
	out := c.set(job, "spec.pytorchReplicaSpecs", "Master", env)
	return append(out, c.set(job, "spec.pytorchReplicaSpecs", "Worker", func(i int) map[string]string { return env(i + 1) })...)
}

func (c *cluster) tensorflow(job tree) []replica {
	hosts := func(role string, n int) (out []string) {
		for i := range n {
			out = append(out, fmt.Sprintf("%s-%d:2222", role, i))
		}
		return out
	}
	workers := hosts("worker", number(job, "spec.tfReplicaSpecs.Worker.replicas"))
	ps := hosts("ps", number(job, "spec.tfReplicaSpecs.PS.replicas"))
	env := func(role string) func(i int) map[string]string {
		return func(i int) map[string]string {
			text, _ := json.Marshal(tree{"cluster": tree{"worker": workers, "ps": ps}, "task": tree{"type": role, "index": i}})
			return map[string]string{"TF_CONFIG": string(text)}
		}
	}
	return append(c.set(job, "spec.tfReplicaSpecs", "Worker", env("worker")), c.set(job, "spec.tfReplicaSpecs", "PS", env("ps"))...)
}

// mpi makes the launcher alone: its mpirun stands for what the workers would run.
func (c *cluster) mpi(job tree) []replica {
	dir := filepath.Join(c.work, "host", "mpi")
	if err := os.MkdirAll(dir, 0o755); err == nil {
		_ = os.WriteFile(filepath.Join(dir, "mpirun"), []byte(mpirun), 0o755)
	}
	out := c.set(job, "spec.mpiReplicaSpecs", "Launcher", func(int) map[string]string {
		return map[string]string{"PATH": "/opt/mpi:/usr/local/bin:/usr/bin:/bin"}
	})
	for _, r := range out {
		spec, _ := at(r.template, "spec").(tree)
		volumes, _ := spec["volumes"].([]any)
		spec["volumes"] = append(volumes, tree{"name": "mpi", "hostPath": tree{"path": "/mpi"}})
		for _, each := range spec["containers"].([]any) {
			k := each.(tree)
			mounts, _ := k["volumeMounts"].([]any)
			k["volumeMounts"] = append(mounts, tree{"name": "mpi", "mountPath": "/opt/mpi"})
		}
	}
	return out
}

// ray makes the head, which runs the entry point.
func (c *cluster) ray(job tree) []replica {
	template, _ := at(job, "spec.rayClusterSpec.headGroupSpec.template").(tree)
	entry, _ := at(job, "spec.entrypoint").(string)
	for _, each := range at(template, "spec.containers").([]any) {
		each.(tree)["command"] = []any{"sh", "-c", entry}
	}
	return []replica{{"Head", 0, template, nil}}
}

func (c *cluster) podFor(job tree, r *replica) tree {
	text, _ := json.Marshal(r.template)
	pod, _ := parse(text)
	head, _ := pod["metadata"].(tree)
	if head == nil {
		head = tree{}
	}
	labels, _ := head["labels"].(tree)
	if labels == nil {
		labels = tree{}
	}
	labels["training.kubeflow.org/replica-type"], labels["training.kubeflow.org/replica-index"] = strings.ToLower(r.role), strconv.Itoa(r.index)
	head["name"], head["labels"] = fmt.Sprintf("%s-%s-%d", str(meta(job), "name"), strings.ToLower(r.role), r.index), labels
	pod["apiVersion"], pod["kind"], pod["metadata"] = "v1", "Pod", head
	for _, each := range at(pod, "spec.containers").([]any) {
		k := each.(tree)
		env, _ := k["env"].([]any)
		for name, value := range r.env {
			env = append(env, tree{"name": name, "value": value})
		}
		k["env"] = env
	}
	return pod
}

type count struct {
	Active    int `json:"active"`
	Succeeded int `json:"succeeded"`
	Failed    int `json:"failed"`
}

// runJob starts the pods of a job, keeps its status and, at its end, ends those that still run.
func (c *cluster) runJob(ctx context.Context, kind string, job tree, list []replica) {
	names := make([]string, len(list))
	for i := range list {
		pod := c.podFor(job, &list[i])
		names[i] = str(meta(pod), "name")
		if _, err := c.api.put(pod, namespace); err != nil {
			fmt.Fprintf(os.Stderr, "argo-run: %s: %v\n", names[i], err)
		}
	}
	for ctx.Err() == nil {
		counts := map[string]*count{}
		for i, n := range names {
			role := list[i].role
			if counts[role] == nil {
				counts[role] = &count{}
			}
			counts[role].add(c.phase(n))
		}
		status, over := jobStatus(kind, counts)
		_, _ = c.api.update(plural(kind), namespace, str(meta(job), "name"), "", func(t tree) (tree, error) {
			text, err := json.Marshal(status)
			if err == nil {
				t["status"], err = parse(text)
			}
			return t, err
		})
		if over {
			for _, n := range names {
				if p := c.phase(n); p != corev1.PodSucceeded && p != corev1.PodFailed {
					_, _ = c.api.remove("pods", namespace, n)
				}
			}
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func (n *count) add(p corev1.PodPhase) {
	switch p {
	case corev1.PodSucceeded:
		n.Succeeded++
	case corev1.PodFailed:
		n.Failed++
	default:
		n.Active++
	}
}

func (c *cluster) phase(name string) corev1.PodPhase {
	o := c.api.get("pods", namespace, name)
	if o == nil {
		return corev1.PodFailed
	}
	t, _ := parse(o.text)
	phase, _ := at(t, "status.phase").(string)
	return corev1.PodPhase(phase)
}

// jobStatus is what the operator would say, and whether it leaves it at that.
func jobStatus(kind string, counts map[string]*count) (tree, bool) {
	failed := false
	for _, n := range counts {
		failed = failed || n.Failed > 0
	}
	if kind == "RayJob" {
		switch h := counts["Head"]; {
		case failed:
			return tree{"jobStatus": "FAILED", "jobDeploymentStatus": "Failed"}, true
		case h.Succeeded > 0:
			return tree{"jobStatus": "SUCCEEDED", "jobDeploymentStatus": "Complete"}, true
		}
		return tree{"jobStatus": "RUNNING", "jobDeploymentStatus": "Running"}, false
	}
	first := map[string]string{"PyTorchJob": "Master", "MPIJob": "Launcher", "TFJob": "Worker"}[kind]
	done := counts[first] != nil && counts[first].Active == 0
	return tree{"replicaStatuses": counts}, failed || done
}
