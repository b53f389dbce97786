"""What a lab leaves to be read when something went wrong: for a report, and for a test or a cell that failed."""
