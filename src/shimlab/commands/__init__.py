"""The subcommands of `shimlab`: arguments, and how a result is printed."""
