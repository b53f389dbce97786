kubectl run on-crun --image=shimlab.local/busybox:1.35 --image-pull-policy=Never --restart=Never \
  --overrides='{"apiVersion": "v1", "spec": {"runtimeClassName": "crun"}}' --command -- sleep 600
kubectl wait pod/on-crun --for=condition=Ready --timeout=90s
node=$(kubectl get pod on-crun -o jsonpath='{.spec.nodeName}')
id=$(kubectl get pod on-crun -o jsonpath='{.status.containerStatuses[0].containerID}')
shimlab node exec "$node" -- \
  grep -o crun "/run/containerd/io.containerd.runtime.v2.task/k8s.io/${id#containerd://}/runtime"
kubectl delete pod on-crun --grace-period=1
