"""The node images: what they are made of, built once for each content."""
