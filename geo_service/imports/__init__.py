"""Files that people hand in on the web, from the upload to the undoing."""
