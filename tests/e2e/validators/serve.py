"""Serves the example of Authlib: 200 for a good token, 401 for every other. Settings come from the environment."""
import os
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

sys.path.insert(0, sys.argv[1])
from authlib.oauth2 import ResourceProtector  # noqa: E402
from validator import Validator  # noqa: E402

protector = ResourceProtector()
protector.register_token_validator(Validator(os.environ["ISSUER"], os.environ["AUDIENCE"]))


class Service(BaseHTTPRequestHandler):
    def do_GET(self):
        try:
            validator, token = protector.parse_request_authorization(self)
            validator.validate_token(validator.authenticate_token(token), None, self)
            status = 200
        except Exception as error:  # whatever goes wrong, nobody comes in
            print(repr(error), file=sys.stderr)
            status = 401
        self.send_response(status)
        self.end_headers()

    def log_message(self, *_):
        pass


HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Service).serve_forever()
