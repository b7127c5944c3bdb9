// argo-run-box starts one container of argo-run: it is the first process of new
// mount, pid and host name namespaces, makes the container's file system there and
// becomes the container's program. It is a program of its own because it starts in
// 2 ms; argo-run, with all of the engine in it, takes 80.
//
// The specification comes as JSON on descriptor 3. Descriptor 4 carries what went
// wrong back to argo-run; it is closed when the program takes over.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

type mount struct {
	From, To string
	ReadOnly bool
}

type spec struct {
	Dir      string // for the overlay: upper, work and root are made in it
	Mounts   []mount
	Argv     []string
	Env      []string
	Cwd      string
	Hostname string
	User     *int64
	Group    *int64
}

func main() {
	report := os.NewFile(4, "report")
	syscall.CloseOnExec(4)
	if err := run(); err != nil {
		fmt.Fprint(report, err)
		os.Exit(125)
	}
}

func run() error {
	in := os.NewFile(3, "specification")
	text, err := io.ReadAll(in)
	if err != nil {
		return err
	}
	_ = in.Close()
	var s spec
	if err := json.Unmarshal(text, &s); err != nil {
		return err
	}
	root, err := overlay(s.Dir)
	if err != nil {
		return err
	}
	if err := devices(root); err != nil {
		return err
	}
	for _, m := range s.Mounts {
		if err := bind(root, m); err != nil {
			return fmt.Errorf("mount %s at %s: %w", m.From, m.To, err)
		}
	}
	return become(root, &s)
}

// overlay puts a layer of its own over this machine's files: every image is this machine.
func overlay(dir string) (string, error) {
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return "", fmt.Errorf("make / private: %w", err)
	}
	layer := func(name string) string { return filepath.Join(dir, name) }
	for _, name := range []string{"upper", "work", "root"} {
		if err := os.MkdirAll(layer(name), 0o755); err != nil {
			return "", err
		}
	}
	data := fmt.Sprintf("lowerdir=/,upperdir=%s,workdir=%s", layer("upper"), layer("work"))
	if err := syscall.Mount("overlay", layer("root"), "overlay", 0, data); err != nil {
		return "", fmt.Errorf("mount an overlay over /: %w", err)
	}
	return layer("root"), nil
}

func devices(root string) error {
	for _, m := range []struct{ kind, to, data string }{
		{"tmpfs", "/tmp", "mode=1777"}, {"tmpfs", "/dev", "mode=755"}, {"proc", "/proc", ""},
	} {
		to := resolve(root, m.to)
		if err := os.MkdirAll(to, 0o755); err != nil {
			return err
		}
		if err := syscall.Mount(m.kind, to, m.kind, 0, m.data); err != nil {
			return fmt.Errorf("mount %s: %w", m.to, err)
		}
	}
	for _, d := range []string{"null", "zero", "full", "random", "urandom", "tty"} {
		if _, err := os.Stat("/dev/" + d); err != nil {
			continue
		}
		if err := bind(root, mount{From: "/dev/" + d, To: "/dev/" + d}); err != nil {
			return fmt.Errorf("mount /dev/%s: %w", d, err)
		}
	}
	for name, to := range map[string]string{"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2"} {
		if err := os.Symlink(to, filepath.Join(root, "dev", name)); err != nil {
			return err
		}
	}
	shm := filepath.Join(root, "dev", "shm")
	if err := os.Mkdir(shm, 0o777); err != nil {
		return err
	}
	return os.Chmod(shm, 0o1777)
}

func bind(root string, m mount) error {
	info, err := os.Stat(m.From)
	if err != nil {
		return err
	}
	to := resolve(root, m.To)
	if info.IsDir() {
		err = os.MkdirAll(to, 0o755)
	} else if err = os.MkdirAll(filepath.Dir(to), 0o755); err == nil {
		var f *os.File
		if f, err = os.OpenFile(to, os.O_CREATE, 0o644); err == nil {
			err = f.Close()
		}
	}
	if err != nil {
		return err
	}
	if err := syscall.Mount(m.From, to, "", syscall.MS_BIND|syscall.MS_REC, ""); err != nil {
		return err
	}
	if m.ReadOnly {
		return syscall.Mount("", to, "", syscall.MS_BIND|syscall.MS_REMOUNT|syscall.MS_RDONLY, "")
	}
	return nil
}

// resolve is path as a process with this root would find it: no link leads out of it.
func resolve(root, path string) string {
	done, rest := "/", strings.Split(path, "/")
	for links := 0; len(rest) > 0; {
		part := rest[0]
		rest = rest[1:]
		next := filepath.Join(done, part)
		to, err := os.Readlink(filepath.Join(root, next))
		if part == "" || err != nil || links > 40 {
			done = next
			continue
		}
		links++
		if filepath.IsAbs(to) {
			done = "/"
		}
		rest = append(strings.Split(to, "/"), rest...)
	}
	return filepath.Join(root, done)
}

const maxHostname = 63 // a kubelet cuts a pod's name there, too

func become(root string, s *spec) error {
	host := s.Hostname
	if len(host) > maxHostname {
		host = host[:maxHostname]
	}
	if err := syscall.Sethostname([]byte(host)); err != nil {
		return err
	}
	if err := syscall.Chroot(root); err != nil {
		return err
	}
	cwd := s.Cwd
	if cwd == "" {
		cwd = "/"
	}
	if err := os.MkdirAll(cwd, 0o755); err != nil {
		return err
	}
	if err := os.Chdir(cwd); err != nil {
		return err
	}
	for _, e := range s.Env {
		if path, ok := strings.CutPrefix(e, "PATH="); ok {
			if err := os.Setenv("PATH", path); err != nil {
				return err
			}
		}
	}
	program, err := exec.LookPath(s.Argv[0])
	if err != nil {
		return fmt.Errorf("exec: %q: executable file not found in $PATH", s.Argv[0])
	}
	if s.User != nil {
		group := 0
		if s.Group != nil {
			group = int(*s.Group)
		}
		if err := syscall.Setgroups(nil); err != nil {
			return err
		}
		if err := syscall.Setgid(group); err != nil {
			return err
		}
		if err := syscall.Setuid(int(*s.User)); err != nil {
			return err
		}
	}
	syscall.Umask(0o022)
	return fmt.Errorf("exec %s: %w", program, syscall.Exec(program, s.Argv, s.Env))
}
