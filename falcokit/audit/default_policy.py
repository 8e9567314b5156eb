"""An audit policy of our own: enough for rules about pods, access and secrets, without what makes most of the noise."""

from __future__ import annotations

from typing import Final

__all__ = ["DEFAULT_POLICY"]

DEFAULT_POLICY: Final = """\
apiVersion: audit.k8s.io/v1
kind: Policy
# The first rule that fits a request decides.  What a stage adds for none of the usual rules is left out.
omitStages:
- RequestReceived
rules:
# The conversation of a cluster with itself: most of all requests, and none that rules ask for.
- level: None
  users: ["system:kube-proxy"]
  verbs: [get, list, watch]
- level: None
  userGroups: ["system:nodes"]
  verbs: [get, list, watch]
- level: None
  users:
  - system:apiserver
  - system:kube-controller-manager
  - system:kube-scheduler
  - system:serviceaccount:kube-system:endpoint-controller
  - system:serviceaccount:kube-system:endpointslice-controller
  verbs: [get, list, watch, update, patch]
  resources:
  - group: ""
    resources: [endpoints, events]
  - group: coordination.k8s.io
    resources: [leases]
  - group: discovery.k8s.io
    resources: [endpointslices]
- level: None
  nonResourceURLs: ["/healthz*", "/livez*", "/readyz*", "/version", "/openapi/*", "/metrics"]
- level: None
  resources:
  - group: ""
    resources: [events, nodes/status, pods/status]
  - group: events.k8s.io
    resources: [events]
  - group: coordination.k8s.io
    resources: [leases]
# Who touched a secret or asked for a token is told; what was in it is not.
- level: Metadata
  resources:
  - group: ""
    resources: [secrets, serviceaccounts/token]
  - group: authentication.k8s.io
    resources: [tokenreviews]
# Programs run in pods, connections to them: there is no body.
- level: Metadata
  resources:
  - group: ""
    resources: [pods/exec, pods/attach, pods/portforward, pods/proxy, pods/log]
# Rules look into these objects.
- level: RequestResponse
  verbs: [create, update, patch, delete, deletecollection]
  resources:
  - group: ""
    resources: [pods, pods/ephemeralcontainers, services, configmaps, namespaces, serviceaccounts]
  - group: apps
    resources: [deployments, daemonsets, statefulsets, replicasets]
  - group: batch
    resources: [jobs, cronjobs]
  - group: networking.k8s.io
    resources: [ingresses, networkpolicies]
  - group: rbac.authorization.k8s.io
    resources: [roles, rolebindings, clusterroles, clusterrolebindings]
# Of the rest, who did what.
- level: Metadata
"""
