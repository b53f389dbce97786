#!/bin/bash
# A worker is drained by hand and let in again; in between its kubelet is away for a moment.
#
# labs: deprecated
# nodes: NODE=dockershim
# changes: cordons the worker, evicts a workload of its own in the namespace by-hand, stops and starts the kubelet
set -euo pipefail

# --8<-- [start:node]
node=${NODE:-shimlab-worker2}
# --8<-- [end:node]

clean_up() {
  # --8<-- [start:clean-up]
  docker exec "$node" systemctl start kubelet
  kubectl uncordon "$node"
  kubectl delete namespace by-hand --ignore-not-found
  # --8<-- [end:clean-up]
}
trap clean_up EXIT

# --8<-- [start:set-up]
kubectl create namespace by-hand
kubectl apply --filename - <<END
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: by-hand}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      affinity:
        nodeAffinity:
          preferredDuringSchedulingIgnoredDuringExecution:
            - weight: 100
              preference:
                matchExpressions: [{key: kubernetes.io/hostname, operator: In, values: ["$node"]}]
      containers:
        - name: web
          image: shimlab.local/busybox:1.35
          imagePullPolicy: Never
          command: [sleep, "3600"]
END
kubectl --namespace by-hand rollout status deployment/web --timeout=50s | tail -n 1
# --8<-- [end:set-up]

# --8<-- [start:before]
kubectl get pods --all-namespaces --field-selector "spec.nodeName=$node" \
  -o custom-columns='NAMESPACE:.metadata.namespace,MADE-BY:.metadata.ownerReferences[0].kind'
# --8<-- [end:before]

# --8<-- [start:drain]
kubectl drain "$node" --ignore-daemonsets 2>&1
# --8<-- [end:drain]

# --8<-- [start:stays]
docker exec "$node" docker ps --format '{{.Label "io.kubernetes.container.name"}}' | sort
kubectl get node "$node" --no-headers | awk '{ print $2 }'
# --8<-- [end:stays]

# --8<-- [start:kubelet-away]
docker exec "$node" systemctl stop kubelet
docker exec "$node" docker ps --format '{{.Label "io.kubernetes.container.name"}}' | sort
kubectl get node "$node" --no-headers | awk '{ print $2 }'
# --8<-- [end:kubelet-away]

# --8<-- [start:kubelet-back]
docker exec "$node" systemctl start kubelet
until kubectl get --raw "/api/v1/nodes/$node/proxy/healthz" 2>/dev/null; do sleep 1; done; echo
# --8<-- [end:kubelet-back]

# --8<-- [start:uncordon]
kubectl uncordon "$node"
kubectl --namespace by-hand rollout status deployment/web
kubectl --namespace by-hand get pods -o custom-columns='NODE:.spec.nodeName'
# --8<-- [end:uncordon]
