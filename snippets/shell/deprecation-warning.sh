shimlab node exec shimlab-worker2 -- journalctl -u kubelet -o cat |
  grep -F 'Using dockershim is deprecated' | tail -n 1
