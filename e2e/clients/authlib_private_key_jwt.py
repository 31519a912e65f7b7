"""A client that signs with a key of its own, through Authlib with httpx as its documentation shows it: a token,
introspection, revocation. Its statements say one hour, as Authlib has it by itself."""

import json, ssl, sys

import httpx
from authlib.integrations.httpx_client import OAuth2Client
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from joserfc.jwk import ECKey

told = json.loads(sys.argv[1])
trust = ssl.create_default_context(cafile=told["certificate"])
key = ECKey.import_key(json.loads(told["secret"]))
metadata = httpx.get(told["issuer"] + "/.well-known/oauth-authorization-server", verify=trust).json()
endpoint = metadata["token_endpoint"]
client = OAuth2Client(told["id"], key, token_endpoint_auth_method="private_key_jwt",
    revocation_endpoint_auth_method="private_key_jwt", verify=trust)
client.register_client_auth_method(PrivateKeyJWT(endpoint, headers={"kid": key.kid}, alg="ES256"))
token = client.fetch_token(endpoint, grant_type="client_credentials")
print("client credentials", token["token_type"])
told_of = lambda: client.introspect_token(metadata["introspection_endpoint"], token=token["access_token"]).json()
print("introspection", told_of()["active"])
print("revocation", client.revoke_token(metadata["revocation_endpoint"], token=token["access_token"]).status_code)
print("introspection", told_of()["active"])
