/*
 * Faults that pass by themselves: what a step's log, or its exit code, says when trying again is likely to help. One row a
 * pattern: class, words of the log in lower case (found anywhere in its last 64 KiB; "": none), exit code (0: none), the
 * delay that it asks for (s), and where it comes from.
 */
#ifndef COULER_TRANSIENT_H
#define COULER_TRANSIENT_H

#define TRANSIENT_CLASSES(X) X(NETWORK, "network") X(QUOTA, "quota") X(SERVER, "server") X(NODE, "node") X(IMAGE, "image") X(STORAGE, "storage")

#define TRANSIENTS(X) \
	X(QUOTA, "quota exceeded", 0, 30, "Kubernetes, resource quotas: requests above a quota are refused with 403 'exceeded quota'; Couler (ICDE 2024), section IV.C") \
	X(QUOTA, "exceeded quota", 0, 30, "Kubernetes, pkg/quota: the message of the admission plug-in") \
	X(QUOTA, "too many requests", 0, 30, "RFC 6585, section 4: status 429") \
	X(QUOTA, "rate limit", 0, 30, "GitHub and Docker Hub, answers to clients over their rate") \
	X(QUOTA, "slowdown", 0, 30, "Amazon S3, error codes: SlowDown, reduce your request rate") \
	X(QUOTA, "requestlimitexceeded", 0, 30, "Amazon EC2, error codes: RequestLimitExceeded") \
	X(NETWORK, "connection reset", 0, 5, "POSIX errno ECONNRESET") \
	X(NETWORK, "connection refused", 0, 5, "POSIX errno ECONNREFUSED") \
	X(NETWORK, "connection timed out", 0, 5, "POSIX errno ETIMEDOUT") \
	X(NETWORK, "network is unreachable", 0, 5, "POSIX errno ENETUNREACH") \
	X(NETWORK, "no route to host", 0, 5, "POSIX errno EHOSTUNREACH") \
	X(NETWORK, "temporary failure in name resolution", 0, 5, "getaddrinfo: EAI_AGAIN (glibc)") \
	X(NETWORK, "tls handshake timeout", 0, 5, "Go net/http: handshakes of image pulls and clients of the API server") \
	X(NETWORK, "i/o timeout", 0, 5, "Go net: deadlines of connections") \
	X(NETWORK, "unexpected eof", 0, 5, "Go io.ErrUnexpectedEOF: a transfer that was cut off") \
	X(NETWORK, "remote end closed connection", 0, 5, "Python http.client.RemoteDisconnected") \
	X(SERVER, "internal server error", 0, 10, "RFC 9110, section 15.6.1: status 500") \
	X(SERVER, "bad gateway", 0, 10, "RFC 9110, section 15.6.3: status 502") \
	X(SERVER, "service unavailable", 0, 10, "RFC 9110, section 15.6.4: status 503") \
	X(SERVER, "gateway timeout", 0, 10, "RFC 9110, section 15.6.5: status 504") \
	X(SERVER, "etcdserver: request timed out", 0, 10, "etcd, server errors: ErrTimeout") \
	X(SERVER, "leader changed", 0, 10, "etcd, server errors: ErrLeaderChanged") \
	X(SERVER, "the object has been modified", 0, 5, "Kubernetes API conventions: conflicts of optimistic locking are tried again") \
	X(IMAGE, "imagepullbackoff", 0, 30, "Kubernetes, states of a waiting container") \
	X(IMAGE, "errimagepull", 0, 30, "Kubernetes, states of a waiting container") \
	X(NODE, "node lost", 0, 30, "Kubernetes, node controller: NodeLost") \
	X(NODE, "preempted", 0, 30, "Kubernetes, pod disruption conditions: PreemptionByScheduler") \
	X(NODE, "evicted", 0, 30, "Kubernetes, node-pressure eviction: reason Evicted") \
	X(NODE, "pod deleted", 0, 30, "Argo Workflows, workflow/controller: a pod that vanished") \
	X(NODE, "spot instance", 0, 60, "Amazon EC2, interruption notices of spot instances") \
	X(STORAGE, "stale file handle", 0, 10, "POSIX errno ESTALE: NFS") \
	X(STORAGE, "transport endpoint is not connected", 0, 10, "POSIX errno ENOTCONN: a FUSE mount that restarts") \
	X(NODE, "", 75, 10, "sysexits.h: EX_TEMPFAIL") \
	X(NODE, "", 143, 10, "128 + SIGTERM: ended from outside, as at a drain of a node") \
	X(NETWORK, "", 255, 5, "ssh(1): an error of the connection")

#endif
