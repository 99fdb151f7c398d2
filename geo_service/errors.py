"""The base of errors whose message is a sentence for whoever runs the service."""


class ServiceError(Exception):
    """It could not be done; the message says why and, where it can, what to do."""
