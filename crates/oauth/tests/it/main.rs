//! The whole way through public doors: a key is stored, a client registered, a token asked for, issued, presented
//! in each of the three places, and verified by someone who has seen nothing but the published key set.

use tidegate_oauth::{
    bearer::{self, BadCredential, Place},
    client,
    grant::{self, TokenError, TokenResponse},
    jwk::{Algorithm, SigningKey, SystemRandom, key_set},
    secret,
    token::{self, AccessTokenVerifier, BadToken},
};

const ISSUER: &str = "https://localhost:9443";
const AUDIENCE: &str = "https://localhost:9443/gateway";
const NOW: i64 = 1_800_000_000;

/// What the authorization server keeps between requests.
struct Issuer {
    key: SigningKey,
    client_id: String,
    secret_hash: String,
}

impl Issuer {
    /// The issuer and the secret that its client was shown once.
    fn with_client() -> (Self, String) {
        let mut random = |bytes: &mut [u8]| bytes.fill(7);
        let client_secret = secret::generate(secret::Kind::ClientSecret, &mut random);
        let issuer = Self {
            key: SigningKey::generate(Algorithm::Es256, &SystemRandom::new())
                .expect("the system has randomness"),
            client_id: client::new_client_id(&mut random),
            secret_hash: secret::hash(&client_secret),
        };
        (issuer, client_secret)
    }

    fn token(&self, authorization: Option<&str>, form: &str) -> Result<TokenResponse, TokenError> {
        let request = grant::read(authorization, form)?;
        let stored = (request.client.client_id == self.client_id).then_some(self.secret_hash.as_str());
        if !request.client.proves(stored) {
            return Err(TokenError::InvalidClient);
        }
        grant::is_allowed(request.asked.grant_type(), &["client_credentials".to_owned()])?;
        let grant::Asked::ClientCredentials(asked) = request.asked else {
            return Err(TokenError::UnsupportedGrantType);
        };
        let scope = grant::granted(&asked.scopes, &["chat".to_owned()])?;
        let (client_id, lifetime) = (&*self.client_id, 3_600);
        let claims = token::Grant {
            issuer: ISSUER,
            audience: AUDIENCE,
            client_id,
            scope: &scope,
            now: NOW,
            lifetime,
            ..token::Grant::default()
        };
        let token =
            token::issue(&self.key, &claims, &mut |bytes: &mut [u8]| bytes.fill(9)).expect("a new key signs");
        Ok(TokenResponse::bearer(token, lifetime, scope))
    }
}

#[test]
fn a_token_that_was_asked_for_opens_the_gateway_from_all_three_places() {
    let (issuer, client_secret) = Issuer::with_client();
    let form =
        format!("grant_type=client_credentials&client_id={}&client_secret={client_secret}", issuer.client_id);
    let answer = issuer.token(None, &form).unwrap();
    assert_eq!((answer.token_type, answer.scope.as_str()), ("Bearer", "chat"));

    let verifier = AccessTokenVerifier::new(ISSUER, AUDIENCE, &key_set([&issuer.key])).unwrap();
    let token = answer.access_token;
    let (header, query) = (format!("Bearer {token}"), format!("room=1&access_token={token}"));
    let offers = ["bearer".to_owned(), token.clone(), "chat.v1".to_owned()];
    for (place, found) in [
        (Place::Header, bearer::find([header.as_bytes()], Some("room=1"), &[])),
        (Place::Query, bearer::find([], Some(&query), &[])),
        (Place::Subprotocol, bearer::find([], Some("room=1"), &offers)),
    ] {
        let found = found.unwrap();
        assert_eq!((found.place, found.query.as_deref()), (place, Some("room=1")));
        let claims = verifier.verify(&found.token, NOW).unwrap();
        assert_eq!((&claims.client_id, &*claims.scope), (&issuer.client_id, "chat"));
    }
    assert_eq!(bearer::find([header.as_bytes()], Some(&query), &[]), Err(BadCredential::Several));
}

#[test]
fn a_wrong_secret_and_an_unknown_client_get_the_same_answer() {
    let (issuer, client_secret) = Issuer::with_client();
    let ask = |id: &str, secret: &str| {
        let form = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
        issuer.token(None, &form).map(|_| ()).unwrap_err()
    };
    assert_eq!(ask(&issuer.client_id, "tgs_wrong"), TokenError::InvalidClient);
    assert_eq!(ask("nobody", &client_secret), TokenError::InvalidClient);
}

#[test]
fn a_token_for_one_audience_is_nothing_at_another() {
    let (issuer, client_secret) = Issuer::with_client();
    let form =
        format!("grant_type=client_credentials&client_id={}&client_secret={client_secret}", issuer.client_id);
    let token = issuer.token(None, &form).unwrap().access_token;
    let set = key_set([&issuer.key]);
    for (name, audience, expected) in [
        (ISSUER, ISSUER, BadToken::WrongAudience),
        ("https://other.example", AUDIENCE, BadToken::WrongIssuer),
    ] {
        let verifier = AccessTokenVerifier::new(name, audience, &set).unwrap();
        assert_eq!(verifier.verify(&token, NOW), Err(expected));
    }
}
