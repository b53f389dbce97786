"""Break a node of the lab on purpose, see how that shows, and repair it: each way is a fault, declared once."""
