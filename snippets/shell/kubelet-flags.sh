for node in shimlab-worker shimlab-worker2; do
  echo "$node"
  shimlab node exec "$node" -- cat /var/lib/kubelet/kubeadm-flags.env |
    grep -oE -e '--(container-runtime|container-runtime-endpoint|network-plugin)=[^ "]*'
done
