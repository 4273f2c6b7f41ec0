"""The key that signs the vendor's web hooks."""

import base64

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

KEY_BITS = 2048


class SigningKey:
    """An RSA key, made when it is first needed."""

    def __init__(self) -> None:
        """Begin without a key."""
        self._key: rsa.RSAPrivateKey | None = None
        self.made_at = 0.0

    def get(self, now: float) -> rsa.RSAPrivateKey:
        """Return the key."""
        if self._key is None:
            self._key, self.made_at = rsa.generate_private_key(65537, KEY_BITS), now
        return self._key

    def rotate(self) -> None:
        """Let the next use make another key."""
        self._key = None

    def sign(self, body: bytes, now: float) -> str:
        """Return the value of the header `Signature`."""
        return base64.b64encode(self.get(now).sign(body, padding.PKCS1v15(), hashes.SHA256())).decode()

    def to_pem(self, now: float) -> str:
        """Return the public key."""
        public = self.get(now).public_key()
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return public.public_bytes(serialization.Encoding.PEM, form).decode()
