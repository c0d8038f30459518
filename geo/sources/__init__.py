"""One outside format each: file or service in, contracted table and quarantine out."""
