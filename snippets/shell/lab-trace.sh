python - <<'END'
from shimlab.notebook import Namespace, evidence, trace

with Namespace("traced") as namespace, trace.of("shimlab-worker2") as traced:
    pods = namespace.run({"web": "shimlab-worker2"})

calls = traced.of_pod(pods["web"].metadata.uid)
print(evidence.listing([each for each in calls if each.by in ("kubelet", "dockerd")], "by", "call"))
END
