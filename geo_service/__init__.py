"""The service over the layers: HTTP, live changes, access and the command line."""
