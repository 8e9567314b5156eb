"""Files that configure API servers, shaped as their tools and owners write them: three of each kind."""

from __future__ import annotations

MANIFESTS = [
    # As kubeadm writes it.
    """\
apiVersion: v1
kind: Pod
metadata:
  annotations:
    kubeadm.kubernetes.io/kube-apiserver.advertise-address.endpoint: 192.0.2.10:6443
  creationTimestamp: null
  labels:
    component: kube-apiserver
    tier: control-plane
  name: kube-apiserver
  namespace: kube-system
spec:
  containers:
  - command:
    - kube-apiserver
    - --advertise-address=192.0.2.10
    - --allow-privileged=true
    - --authorization-mode=Node,RBAC
    - --etcd-servers=https://127.0.0.1:2379
    - --service-cluster-ip-range=10.96.0.0/12
    - --tls-private-key-file=/etc/kubernetes/pki/apiserver.key
    image: registry.k8s.io/kube-apiserver:v1.33.2
    imagePullPolicy: IfNotPresent
    livenessProbe:
      failureThreshold: 8
      httpGet:
        host: 192.0.2.10
        path: /livez
        port: 6443
        scheme: HTTPS
    name: kube-apiserver
    resources:
      requests:
        cpu: 250m
    volumeMounts:
    - mountPath: /etc/ssl/certs
      name: ca-certs
      readOnly: true
    - mountPath: /etc/kubernetes/pki
      name: k8s-certs
      readOnly: true
  hostNetwork: true
  priority: 2000001000
  securityContext:
    seccompProfile:
      type: RuntimeDefault
  volumes:
  - hostPath:
      path: /etc/ssl/certs
      type: DirectoryOrCreate
    name: ca-certs
  - hostPath:
      path: /etc/kubernetes/pki
      type: DirectoryOrCreate
    name: k8s-certs
status: {}
""",
    # By hand: comments, quotes, a list that is indented, a policy that is there, a second container.
    """\
# The API server of the test cluster.  Do not edit on a Friday.
kind: Pod
apiVersion: v1
metadata: {name: kube-apiserver, namespace: kube-system}
spec:
    hostNetwork: true
    volumes:
        - name: pki          # all keys
          hostPath: {path: /etc/kubernetes/pki}
        - name: k8s-audit
          emptyDir: {}
    containers:
        - name: proxy
          image: registry.example.com:5000/proxy@sha256:0123
          args: [--listen, ":8080"]
        - name: kube-apiserver
          image: "k8s.gcr.io/kube-apiserver:v1.30.0"
          command:
              # what it is called in the image
              - /usr/local/bin/kube-apiserver
          args:
              - '--audit-policy-file=/etc/kubernetes/pki/old-policy.yaml'   # from 2019
              - "--audit_webhook_config_file"
              - /etc/kubernetes/pki/old-webhook.yaml
              - --secure-port=6443

              # the end
          volumeMounts:
              - {name: pki, mountPath: /etc/kubernetes/pki, readOnly: true}
""",
    # One line of flags, as in the source, and no volumes at all.
    """\
apiVersion: v1
kind: Pod
metadata:
  name: kube-apiserver-node-1
spec:
  hostNetwork: true
  containers:
  - name: kube-apiserver
    image: k8s.gcr.io/hyperkube:v1.32.1
    command:
    - /bin/sh
    - -c
    - exec /usr/local/bin/kube-apiserver --allow-privileged=true --anonymous-auth=false
      --audit-webhook-batch-max-wait=9s
      --etcd-servers=http://127.0.0.1:2379 1>>/var/log/kube-apiserver.log 2>&1
    ports:
    - containerPort: 443
""",
]
KUBEADM = [
    """\
apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
nodeRegistration:
  name: node-1
---
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
kubernetesVersion: v1.33.2
apiServer:
  # own arguments
  extraArgs:
    - name: authorization-mode
      value: Node,RBAC
    - name: audit-policy-file
      value: /etc/kubernetes/pki/policy.yaml
  certSANs:
    - api.example.com
networking:
  podSubnet: 10.244.0.0/16
""",
    """\
apiServer:
  extraArgs:
    authorization-mode: Node,RBAC   # both
    audit-log-maxage: "30"
  extraVolumes:
  - name: k8s-audit
    hostPath: /elsewhere
    mountPath: /elsewhere
  timeoutForControlPlane: 4m0s
apiVersion: kubeadm.k8s.io/v1beta3
kind: ClusterConfiguration
kubernetesVersion: 1.32.0
""",
    "apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\nclusterName: kubernetes\n",
]
KOPS = [
    """\
apiVersion: kops.k8s.io/v1alpha2
kind: Cluster
metadata:
  creationTimestamp: "2019-12-01T10:00:00Z"
  name: k8s.example.com
spec:
  api:
    dns: {}
  kubernetesVersion: 1.15.6
  masterPublicName: api.k8s.example.com
  subnets:
  - cidr: 172.20.32.0/19
    name: eu-west-1a
    type: Public
""",
    """\
apiVersion: kops.k8s.io/v1alpha2
kind: Cluster
metadata: {name: k8s.example.com}
spec:
  # files of ours
  fileAssets:
  - name: motd
    path: /etc/motd
    content: |
      # this is no comment
      welcome
  - name: audit-policy
    path: /srv/kubernetes/kube-apiserver/audit-policy.yaml
    roles: [Master]
    content: |
      apiVersion: audit.k8s.io/v1
      kind: Policy
      # older
      rules: []
  kubeAPIServer:
    runtimeConfig:
      batch/v2alpha1: "true"
    auditLogMaxSize: 100   # much
    auditPolicyFile: /srv/kubernetes/kube-apiserver/audit-policy.yaml
  kubernetesVersion: v1.33.0
---
apiVersion: kops.k8s.io/v1alpha2
kind: InstanceGroup
metadata:
  name: nodes
spec:
  role: Node
""",
    """\
apiVersion: kops.k8s.io/v1alpha2
kind: Cluster
metadata:
  name: x
spec:
  kubernetesVersion: 1.29.1
  kubeAPIServer: {}
  fileAssets: []
  additionalPolicies:
    master: |
      [
        {"Effect": "Allow"}
      ]
""",
]
RKE = [
    """\
nodes:
- address: 192.0.2.1
  user: rke
  role: [controlplane, etcd, worker]
services:
  etcd: {snapshot: true}
  kube-api:
    service_cluster_ip_range: 10.43.0.0/16
    pod_security_policy: false
kubernetes_version: v1.16.3-rancher1-1
""",
    """\
# cluster of the lab
nodes:
    - address: 192.0.2.1
      user: rke
      role:
          - controlplane
services:
    kube-api:
        extra_args:
            audit-policy-file: /etc/old.yaml    # was
            v: "2"
        extra_binds:
            - "/opt/x:/opt/x"
ssh_key_path: ~/.ssh/id_rsa
""",
    "nodes:\n- {address: 192.0.2.1, user: a, role: [controlplane]}\nservices:\n  kube-api:\n",
]
K3S = [
    "write-kubeconfig-mode: '0644'\ntls-san:\n  - a.example.com\n",
    """\
# made by the installer
token: not-a-real-token
kube-apiserver-arg:
  - "anonymous-auth=false"   # CIS
  - audit-policy-file=/etc/rancher/old.yaml
node-label: ["a=b"]
""",
    "kube-apiserver-arg: feature-gates=A=true\n",
]
MASTER = [
    """\
apiVersion: v1
kind: MasterConfig
admissionConfig:
  pluginConfig: {}
auditConfig:
  enabled: false
  auditFilePath: ""   # none yet
dnsConfig:
  bindAddress: 0.0.0.0:8053
""",
    """\
kind: MasterConfig
apiVersion: v1
auditConfig: {}
kubernetesMasterConfig:
  apiServerArguments:
    storage-backend:
    - etcd3
""",
    "apiVersion: v1\nkind: MasterConfig\ncontrollers: '*'\n",
]
MINISHIFT = [
    MASTER[1],
    """\
apiVersion: v1
kind: MasterConfig
kubernetesMasterConfig:
  apiServerArguments:
    audit-policy-file: ["/etc/origin/master/other.yaml"]
    audit-log-maxsize:
    - "100"
  masterCount: 1
""",
    "apiVersion: v1\nkind: MasterConfig\nkubernetesMasterConfig:\n  apiServerArguments: null\n",
]
