"""The authorities whose certificates clients of HTTP accept."""

import os
import ssl


def trusted() -> ssl.SSLContext:
    """Return a context that verifies a server by ``SSL_CERT_FILE`` or ``SSL_CERT_DIR``, else by certifi's list.

    Clients that must ignore proxies of the environment (``trust_env=False``) would ignore these variables too.
    """
    import certifi

    file, folder = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    if not file and not folder:
        file = certifi.where()
    return ssl.create_default_context(cafile=file or None, capath=folder or None)
