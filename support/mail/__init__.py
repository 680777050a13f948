"""Mail that comes in: by a provider's signed webhook or from a mailbox; read, threaded, tied to whom it is proved to be from."""
