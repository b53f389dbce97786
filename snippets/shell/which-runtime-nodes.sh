kubectl get nodes --sort-by=.metadata.name \
  -o custom-columns='NODE:.metadata.name,RUNTIME:.status.nodeInfo.containerRuntimeVersion'
