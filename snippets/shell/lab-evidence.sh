python - <<'END'
from shimlab import evidence

for node in ("shimlab-worker", "shimlab-worker2"):
    found = [
        each
        for each in evidence.stored_containers(node)
        if each.pod.startswith("kube-proxy") and each.state == "running"
    ]
    print(evidence.listing(found, "store", "kind", "name", "state", "runtime"))
END
