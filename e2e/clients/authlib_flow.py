"""A full flow of Authlib with httpx, as its documentation shows it: metadata, authorization code with PKCE, the ID
token verified with the published keys, userinfo, refresh, introspection, revocation."""

import html, json, re, sys

import httpx
from authlib.common.security import generate_token
from authlib.integrations.httpx_client import OAuth2Client
from joserfc import jwt
from joserfc.jwk import KeySet

told = json.loads(sys.argv[1])
issuer, trust = told["issuer"], told["certificate"]
import ssl

trust = ssl.create_default_context(cafile=trust)
browser = httpx.Client(verify=trust, base_url=issuer)
browser.post("/api/v1/session", json={"username": told["username"], "password": told["password"]}).raise_for_status()
metadata = browser.get("/.well-known/openid-configuration").json()

client = OAuth2Client(
    told["id"], told["secret"], scope="openid profile", redirect_uri=told["redirect"],
    code_challenge_method="S256", token_endpoint_auth_method="client_secret_post", verify=trust,
)
verifier, nonce = generate_token(48), generate_token()
to, state = client.create_authorization_url(
    metadata["authorization_endpoint"], code_verifier=verifier, nonce=nonce)
page = browser.get(to)
if page.status_code == 200:
    field = lambda name: html.unescape(re.search(f'name="{name}" value="([^"]*)"', page.text)[1])
    page = browser.post("/oauth2/consent", data={
        "request": field("request"), "seal": field("seal"), "decision": "allow"})
token = client.fetch_token(
    metadata["token_endpoint"], authorization_response=page.headers["location"], state=state, code_verifier=verifier)
print("code", token["token_type"], token["scope"])
keys = KeySet.import_key_set(browser.get(metadata["jwks_uri"]).json())
claims = jwt.decode(token["id_token"], keys, algorithms=["ES256"]).claims
print("ID token", claims["iss"] == issuer, claims["aud"] == told["id"], claims["nonce"] == nonce)
print("userinfo", client.get(metadata["userinfo_endpoint"]).json()["preferred_username"])
first = token["refresh_token"]
token = client.refresh_token(metadata["token_endpoint"], refresh_token=first)
print("refresh", token["refresh_token"] != first)
told_of = lambda: client.introspect_token(metadata["introspection_endpoint"], token=token["access_token"]).json()
print("introspection", told_of()["active"])
print("revocation", client.revoke_token(metadata["revocation_endpoint"], token=token["refresh_token"]).status_code)
print("introspection", told_of()["active"])
