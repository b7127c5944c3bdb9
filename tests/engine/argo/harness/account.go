package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// What a pod finds of its cluster: the API by https, and a service account's token, authority and namespace.

const (
	accountPath  = "/var/run/secrets/kubernetes.io/serviceaccount"
	accountToken = "local"
)

// account serves the API by https and returns the folder that pods get mounted.
func (c *cluster) account(dir string) (addr string, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", err
	}
	mine := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "kubernetes"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, mine, mine, &key.PublicKey, key)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	for name, text := range map[string][]byte{
		"token": []byte(accountToken), "namespace": []byte(namespace), "ca.crt": pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			return "", err
		}
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}})
	if err != nil {
		return "", err
	}
	go func() {
		_ = http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != "Bearer "+accountToken {
				fail(w, &statusError{401, "Unauthorized", "Unauthorized"})
				return
			}
			c.api.ServeHTTP(w, r)
		}))
	}()
	return l.Addr().String(), nil
}

// hasAccount says whether a pod sees its service account.
func hasAccount(p *corev1.Pod) bool {
	auto := p.Spec.AutomountServiceAccountToken
	return auto == nil || *auto
}
