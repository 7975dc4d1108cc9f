"""A validator of access tokens with Authlib: Validator(issuer, audience), for its ResourceProtector."""
import base64
import zlib
import requests
from authlib.oauth2.rfc6750 import InvalidTokenError
from authlib.oauth2.rfc9068 import JWTBearerTokenValidator
from joserfc import jwk, jwt


class Validator(JWTBearerTokenValidator):
    def get_jwks(self):
        return requests.get(f"{self.issuer}/oauth2/jwks", timeout=5).json()  # keep it for its max-age, if you like

    def validate_token(self, token, *asked):
        super().validate_token(token, *asked)
        uri, at = token["status"]["status_list"]["uri"], token["status"]["status_list"]["idx"]
        listed = jwt.decode(requests.get(uri, timeout=5).text, jwk.KeySet.import_key_set(self.get_jwks()))
        bits = zlib.decompress(base64.urlsafe_b64decode(listed.claims["status_list"]["lst"] + "=="))
        if listed.header["typ"] != "statuslist+jwt" or listed.claims["sub"] != uri or bits[at // 8] >> at % 8 & 1:
            raise InvalidTokenError()
