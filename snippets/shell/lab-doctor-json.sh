shimlab doctor --json | jq '.[] | select(.name == "lab")'
