"""The cluster: created, looked at, used and removed, without touching anybody else's."""
