/* The API of the cluster that this pod runs in, as far as its data workers need it (kube.c, elsewhere.c). */
#ifndef COULER_KUBE_H
#define COULER_KUBE_H

#include <jansson.h>

#include "couler/str.h"

struct kube;

/*
 * Address, namespace, token and authority as a pod finds them: KUBERNETES_SERVICE_HOST and _PORT, and the files of its
 * service account. COULER_KUBERNETES=URL takes their place (`kubectl proxy`), COULER_KUBERNETES_ACCOUNT=DIR that of the
 * folder. NULL with *err (malloc).
 */
struct kube *kube_open(char **err);
void kube_close(struct kube *k);
const char *kube_namespace(const struct kube *k);
void kube_patience(struct kube *k, double seconds);                    /* for one try of a request; at first 10 */
void kube_until(struct kube *k, double end);                           /* flow_now() at which a request under way, of any thread, is given up; 0: none is */

enum kube_rc {
	KUBE_OK,
	KUBE_GONE,                        /* 404 of an object that was there */
	KUBE_EXISTS,                      /* 409 of a POST */
	KUBE_REFUSED,                     /* 401, 403, 422 and the like: asking again changes nothing */
	KUBE_AWAY                         /* no answer, 5xx, or 409 of a change that met another: later, perhaps */
};

/*
 * One request for Jobs of this namespace. name NULL: of the collection. body NULL: none. *out is the answer (json_decref;
 * NULL unless KUBE_OK), *err (malloc, NULL: not wanted) what went wrong and what mends it.
 */
enum kube_rc kube_jobs(struct kube *k, const char *method, const char *name, json_t *body, json_t **out, char **err);

#endif
