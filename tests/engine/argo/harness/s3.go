package main

import (
	"bufio"
	"crypto/md5"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// s3 is as much of S3 as the engine's driver uses, over a folder: one folder a
// bucket, one file an object. It believes every signature. A key that ends in /
// cannot be told from a folder and is refused.
type s3 struct {
	root string

	mu      sync.Mutex
	uploads map[string]string // id -> folder with its parts
	next    int
}

func newS3(root string) *s3 { return &s3{root: root, uploads: map[string]string{}} }

type s3Error struct {
	code int
	name string
}

func (e *s3Error) Error() string { return e.name }

// file is where an object lies.
func (s *s3) file(bucket, key string) string {
	return filepath.Join(s.root, filepath.Base(filepath.Clean("/"+bucket)), filepath.Clean("/"+key))
}

func (s *s3) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	q := r.URL.Query()
	var err error
	switch {
	case q.Has("location"):
		writeXML(w, struct {
			XMLName xml.Name `xml:"LocationConstraint"`
		}{})
	case key == "" && r.Method == http.MethodGet:
		err = s.list(w, bucket, q.Get("prefix"))
	case key == "" && r.Method == http.MethodPut:
		err = os.MkdirAll(s.file(bucket, ""), 0o755)
	case key == "":
		// HEAD: every bucket is there
	case q.Has("uploads"):
		err = s.begin(w, bucket, key)
	case r.Method == http.MethodPost && q.Has("uploadId"):
		err = s.complete(w, bucket, key, q.Get("uploadId"))
	case r.Method == http.MethodPut:
		err = s.put(w, r, bucket, key)
	case r.Method == http.MethodDelete:
		if q.Has("uploadId") {
			err = s.abort(q.Get("uploadId"))
		} else {
			err = os.Remove(s.file(bucket, key))
		}
		if err == nil || errors.Is(err, fs.ErrNotExist) {
			w.WriteHeader(http.StatusNoContent)
			return
		}
	default:
		err = s.get(w, r, bucket, key)
	}
	if err != nil {
		refuse(w, key, err)
	}
}

func refuse(w http.ResponseWriter, key string, err error) {
	e := &s3Error{500, "InternalError"}
	if errors.Is(err, fs.ErrNotExist) {
		e = &s3Error{404, "NoSuchKey"}
	}
	errors.As(err, &e)
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(e.code)
	writeXML(w, struct {
		XMLName            xml.Name `xml:"Error"`
		Code, Message, Key string
	}{Code: e.name, Message: err.Error(), Key: key})
}

func writeXML(w io.Writer, v any) {
	_, _ = io.WriteString(w, xml.Header)
	_ = xml.NewEncoder(w).Encode(v)
}

func (s *s3) get(w http.ResponseWriter, r *http.Request, bucket, key string) error {
	f, err := os.Open(s.file(bucket, key))
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if info.IsDir() {
		return fs.ErrNotExist
	}
	h := md5.New()
	if _, err := io.Copy(h, f); err != nil {
		return err
	}
	w.Header().Set("ETag", `"`+hex.EncodeToString(h.Sum(nil))+`"`)
	w.Header().Set("Content-Type", "application/octet-stream")
	http.ServeContent(w, r, "", info.ModTime(), f)
	return nil
}

func (s *s3) put(w http.ResponseWriter, r *http.Request, bucket, key string) error {
	if strings.HasSuffix(key, "/") {
		return &s3Error{400, "InvalidArgument"}
	}
	file := s.file(bucket, key)
	if id := r.URL.Query().Get("uploadId"); id != "" {
		n, err := strconv.Atoi(r.URL.Query().Get("partNumber"))
		s.mu.Lock()
		dir := s.uploads[id]
		s.mu.Unlock()
		if dir == "" || err != nil {
			return &s3Error{404, "NoSuchUpload"}
		}
		file = filepath.Join(dir, fmt.Sprintf("%06d", n))
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	body := io.Reader(r.Body)
	if strings.HasPrefix(r.Header.Get("X-Amz-Content-Sha256"), "STREAMING-") {
		body = &chunked{in: bufio.NewReader(r.Body)}
	}
	tag, err := save(file, body)
	w.Header().Set("ETag", tag)
	return err
}

// save writes a file as a whole or not at all, and returns its tag.
func save(file string, body io.Reader) (string, error) {
	f, err := os.CreateTemp(filepath.Dir(file), ".put-*")
	if err != nil {
		return "", err
	}
	h := md5.New()
	_, err = io.Copy(io.MultiWriter(f, h), body)
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(f.Name(), file)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return `"` + hex.EncodeToString(h.Sum(nil)) + `"`, err
}

// chunked reads a body in aws-chunked form: length in hexadecimal;chunk-signature=..., the bytes, and so on to a chunk of 0.
type chunked struct {
	in   *bufio.Reader
	left int64
	done bool
}

func (c *chunked) Read(p []byte) (int, error) {
	if c.done {
		return 0, io.EOF
	}
	if c.left == 0 {
		line, err := c.in.ReadString('\n')
		if err != nil {
			return 0, io.ErrUnexpectedEOF
		}
		size, _, _ := strings.Cut(strings.TrimSpace(line), ";")
		if c.left, err = strconv.ParseInt(size, 16, 64); err != nil {
			return 0, err
		}
		if c.left == 0 {
			c.done = true
			return 0, io.EOF
		}
	}
	n, err := c.in.Read(p[:min(int64(len(p)), c.left)])
	if c.left -= int64(n); c.left == 0 && err == nil {
		_, err = c.in.Discard(2) // the line end after the bytes
	}
	return n, err
}

func (s *s3) begin(w io.Writer, bucket, key string) error {
	dir, err := os.MkdirTemp(s.root, ".upload-*")
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.next++
	id := strconv.Itoa(s.next)
	s.uploads[id] = dir
	s.mu.Unlock()
	writeXML(w, struct {
		XMLName               xml.Name `xml:"InitiateMultipartUploadResult"`
		Bucket, Key, UploadId string
	}{Bucket: bucket, Key: key, UploadId: id})
	return nil
}

func (s *s3) abort(id string) error {
	s.mu.Lock()
	dir := s.uploads[id]
	delete(s.uploads, id)
	s.mu.Unlock()
	if dir == "" {
		return nil
	}
	return os.RemoveAll(dir)
}

func (s *s3) complete(w io.Writer, bucket, key, id string) error {
	s.mu.Lock()
	dir := s.uploads[id]
	s.mu.Unlock()
	parts, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || dir == "" {
		return &s3Error{404, "NoSuchUpload"}
	}
	slices.Sort(parts)
	var readers []io.Reader
	for _, p := range parts {
		f, err := os.Open(p)
		if err != nil {
			return err
		}
		defer f.Close()
		readers = append(readers, f)
	}
	file := s.file(bucket, key)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	tag, err := save(file, io.MultiReader(readers...))
	if err != nil {
		return err
	}
	writeXML(w, struct {
		XMLName           xml.Name `xml:"CompleteMultipartUploadResult"`
		Bucket, Key, ETag string
	}{Bucket: bucket, Key: key, ETag: tag})
	return s.abort(id)
}

type s3Object struct {
	Key          string
	Size         int64
	LastModified string
	ETag         string
}

type s3Listing struct {
	XMLName     xml.Name `xml:"ListBucketResult"`
	Name        string
	Prefix      string
	KeyCount    int
	MaxKeys     int
	IsTruncated bool
	Contents    []s3Object
}

// list answers ListObjectsV2 with everything at once.
func (s *s3) list(w io.Writer, bucket, prefix string) error {
	out := s3Listing{Name: bucket, Prefix: prefix, MaxKeys: 1000000}
	root := s.file(bucket, "")
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			return err
		}
		key, _ := filepath.Rel(root, path)
		if d.IsDir() || !strings.HasPrefix(key, prefix) || strings.HasPrefix(d.Name(), ".put-") {
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return nil // deleted meanwhile
		}
		out.Contents = append(out.Contents, s3Object{key, info.Size(), info.ModTime().UTC().Format("2006-01-02T15:04:05.000Z"), `"-"`})
		return nil
	})
	out.KeyCount = len(out.Contents)
	writeXML(w, out)
	return err
}
