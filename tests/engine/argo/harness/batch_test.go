package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
)

func newBatch() *batch {
	c := &cluster{api: &apiServer{store: newStore(), kinds: standardKinds()}, kubelet: &kubelet{pods: map[string]*pod{}}}
	c.batch = &batch{c: c}
	return c.batch
}

func wait(t *testing.T, what string, is func() bool) {
	t.Helper()
	for until := time.Now().Add(2 * time.Minute); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("%s: not within two minutes", what)
		}
	}
}

func written(t *testing.T, b *batch) batchRecord {
	t.Helper()
	file := filepath.Join(t.TempDir(), "jobs")
	if err := b.write(file); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var r batchRecord
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return r
}

func put(t *testing.T, b *batch, doc tree) {
	t.Helper()
	if _, err := b.c.api.put(doc, namespace); err != nil {
		t.Fatal(err)
	}
}

// A Job that is complete is deleted afterwards: that must be seen, too.
func TestCompleteJobIsDeleted(t *testing.T) {
	b := newBatch()
	ctx, stop := context.WithCancel(context.Background())
	go b.run(ctx)
	defer b.done.Wait()
	defer stop()
	put(t, b, tree{"apiVersion": "batch/v1", "kind": "Job", "metadata": tree{"name": "j"}, "spec": tree{"parallelism": 1, "template": tree{"spec": tree{}}}})
	var pods []*object
	wait(t, "a pod", func() bool { pods, _ = b.c.api.list("pods", everything(namespace)); return len(pods) == 1 })
	_, err := b.c.api.update("pods", namespace, pods[0].head.Metadata.Name, "status", func(o tree) (tree, error) {
		o["status"] = tree{"phase": string(corev1.PodSucceeded)}
		return o, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	wait(t, "the Job is complete", func() bool {
		job, err := parse(b.c.api.get("jobs", namespace, "j").text)
		list, _ := at(job, "status.conditions").([]any)
		return err == nil && len(list) == 1
	})
	if _, err := b.c.api.remove("jobs", namespace, "j"); err != nil {
		t.Fatal(err)
	}
	if r := written(t, b); !r.Deleted || r.Left != 0 || r.Pods != 1 || r.Failed != 0 {
		t.Errorf("%+v", r)
	}
}

// A Job that was made and deleted before anybody looked is in the list, with its owner.
func TestJobThatNobodySaw(t *testing.T) {
	b := newBatch()
	put(t, b, tree{"apiVersion": "batch/v1", "kind": "Job", "metadata": tree{"name": "j", "ownerReferences": []any{tree{"kind": "Pod", "name": "p", "uid": "u"}}},
		"spec": tree{"parallelism": 1}})
	if _, err := b.c.api.remove("jobs", namespace, "j"); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	go b.run(ctx)
	defer b.done.Wait()
	defer stop()
	if r := written(t, b); !r.Deleted || r.Owner != "Pod" || r.Pods != 0 {
		t.Errorf("%+v", r)
	}
}
