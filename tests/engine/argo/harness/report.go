package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"

	wfv1 "github.com/argoproj/argo-workflows/v4/pkg/apis/workflow/v1alpha1"
)

// report is what is printed of one workflow.
type report struct {
	File      string           `json:"file"`
	Name      string           `json:"name"`
	Phase     string           `json:"phase"`
	Message   string           `json:"message,omitempty"`
	TimedOut  bool             `json:"timedOut,omitempty"`
	Seconds   float64          `json:"seconds"`
	Outputs   *wfv1.Outputs    `json:"outputs,omitempty"`
	Nodes     []nodeReport     `json:"nodes"`
	Condition []wfv1.Condition `json:"conditions,omitempty"`
}

// nodeReport is one node; its name is the path from the workflow, "" for the first template.
type nodeReport struct {
	Name     string                  `json:"name"`
	Type     wfv1.NodeType           `json:"type"`
	Phase    wfv1.NodePhase          `json:"phase"`
	Template string                  `json:"template,omitempty"`
	Message  string                  `json:"message,omitempty"`
	Inputs   *wfv1.Inputs            `json:"inputs,omitempty"`
	Outputs  *wfv1.Outputs           `json:"outputs,omitempty"`
	Memo     *wfv1.MemoizationStatus `json:"memoization,omitempty"`
	Started  time.Time               `json:"startedAt"`
	Finished time.Time               `json:"finishedAt"`
	Log      string                  `json:"log,omitempty"`
}

func reportOf(wf *wfv1.Workflow, k *kubelet, withLogs bool) report {
	r := report{Name: wf.Name, Phase: string(wf.Status.Phase), Message: wf.Status.Message, Outputs: wf.Status.Outputs, Condition: wf.Status.Conditions, Nodes: []nodeReport{}}
	for _, n := range wf.Status.Nodes {
		nr := nodeReport{
			Name: nodePath(wf, n), Type: n.Type, Phase: n.Phase, Template: n.TemplateName, Message: n.Message,
			Inputs: n.Inputs, Outputs: n.Outputs, Memo: n.MemoizationStatus, Started: n.StartedAt.Time, Finished: n.FinishedAt.Time,
		}
		if nr.Template == "" && n.TemplateRef != nil {
			nr.Template = n.TemplateRef.Name + "/" + n.TemplateRef.Template
		}
		if withLogs && n.Type == wfv1.NodeTypePod {
			nr.Log = string(k.logs(k.podOf(wf.Name, n.ID), "main"))
		}
		r.Nodes = append(r.Nodes, nr)
	}
	sort.Slice(r.Nodes, func(i, j int) bool { return r.Nodes[i].Name < r.Nodes[j].Name })
	return r
}

func nodePath(wf *wfv1.Workflow, n wfv1.NodeStatus) string {
	return strings.TrimPrefix(strings.TrimPrefix(n.Name, wf.Name), ".")
}

// saveArtifacts unpacks the artifacts of a workflow: DIR/WORKFLOW/NODE/NAME for
// those of its nodes, .root for the first, DIR/WORKFLOW/outputs/NAME for its own.
func saveArtifacts(wf *wfv1.Workflow, s *s3, dir string) error {
	save := func(folder string, o *wfv1.Outputs) error {
		if o == nil {
			return nil
		}
		for i := range o.Artifacts {
			a := &o.Artifacts[i]
			if a.S3 == nil || a.Deleted {
				continue
			}
			to := filepath.Join(dir, wf.Name, folder, a.Name)
			if err := s.unpack(a, to); err != nil && !(a.Optional && errors.Is(err, fs.ErrNotExist)) {
				return fmt.Errorf("%s: artifact %s: %w", folder, a.Name, err)
			}
		}
		return nil
	}
	for _, n := range wf.Status.Nodes {
		name := strings.ReplaceAll(nodePath(wf, n), "/", "_")
		if name == "" {
			name = ".root"
		}
		if err := save(name, n.Outputs); err != nil {
			return err
		}
	}
	return save("outputs", wf.Status.Outputs)
}

// unpack writes an artifact as the file or the folder that it was.
func (s *s3) unpack(a *wfv1.Artifact, to string) error {
	bucket := a.S3.Bucket
	if bucket == "" {
		bucket = bucketName
	}
	from := s.file(bucket, a.S3.Key)
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	if info.IsDir() {
		return os.CopyFS(to, os.DirFS(from))
	}
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	switch {
	case strings.HasPrefix(string(text), "\x1f\x8b") && (a.Archive == nil || a.Archive.None == nil):
		return untar(text, to)
	case a.Archive != nil && a.Archive.Zip != nil:
		return unzip(text, to)
	}
	return os.WriteFile(to, text, 0o644)
}

// place is where an entry of an archive goes: the archive's one top name becomes the artifact's.
func place(to, entry string) string {
	_, rest, inside := strings.Cut(strings.TrimPrefix(filepath.ToSlash(filepath.Clean("/"+entry)), "/"), "/")
	if !inside {
		return to
	}
	return filepath.Join(to, rest)
}

func untar(text []byte, to string) error {
	z, err := gzip.NewReader(bytes.NewReader(text))
	if err != nil {
		return err
	}
	in := tar.NewReader(z)
	for {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		at := place(to, h.Name)
		switch h.Typeflag {
		case tar.TypeDir:
			err = os.MkdirAll(at, 0o755)
		case tar.TypeSymlink:
			err = os.Symlink(h.Linkname, at)
		case tar.TypeReg:
			err = writeFile(at, in)
		}
		if err != nil {
			return err
		}
	}
}

func unzip(text []byte, to string) error {
	z, err := zip.NewReader(bytes.NewReader(text), int64(len(text)))
	if err != nil {
		return err
	}
	for _, f := range z.File {
		if f.FileInfo().IsDir() {
			continue
		}
		in, err := f.Open()
		if err != nil {
			return err
		}
		err = writeFile(place(to, f.Name), in)
		_ = in.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

func writeFile(path string, in io.Reader) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, in)
	if e := f.Close(); err == nil {
		err = e
	}
	return err
}
