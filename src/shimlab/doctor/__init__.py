"""What can stop the lab on this machine, found without changing anything."""
