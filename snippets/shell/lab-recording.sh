python - <<'END'
from shimlab import evidence, recording
from shimlab.lab.stage import Stage

with Stage("recorded") as stage, recording.of("shimlab-worker2") as tape:
    pods = stage.run({"web": "shimlab-worker2"})

calls = tape.of_pod(pods["web"].metadata.uid)
print(evidence.listing([each for each in calls if each.by in ("kubelet", "dockerd")], "by", "call"))
END
