//! Where a credential is looked for, what is left without it, and that none is overlooked.

use tidegate_model::security::Kind;

use super::*;

const KEY: &str = "tgk_abc";
/// `client:secret`.
const BASIC: &str = "Basic Y2xpZW50OnNlY3JldA==";

fn request(headers: &[(&str, &str)], query: Option<&str>, subprotocols: &[&str]) -> Request {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), value.as_bytes().to_vec());
    Request {
        certificate: None,
        authority: "localhost".to_owned(),
        path: "/echo/1.0".to_owned(),
        query: query.map(str::to_owned),
        subprotocols: subprotocols.iter().map(|&offer| offer.to_owned()).collect(),
        headers: headers.iter().map(owned).collect(),
        deflate: Vec::new(),
    }
}

/// Every way to present something.
fn every() -> Vec<Way> {
    Way::ALL.into_iter().filter(|way| *way != Way::None).collect()
}

/// What is found where every credential is accepted, and one is needed.
fn all(request: &Request) -> Result<Presented, Refusal> {
    find(request, &Security::default(), &every())
}

fn text(credential: &Credential) -> &str {
    match credential {
        Credential::Token { token: text, .. } | Credential::ApiKey(text) | Credential::Ticket(text) => text,
        Credential::Certificate(thumbprint) => thumbprint,
        Credential::Client(client) => match &client.proof {
            client::Proof::Secret(secret, _) => secret,
            client::Proof::Assertion(_) | client::Proof::None => "",
        },
        Credential::Nothing => "",
    }
}

/// One request for each way, with what it presents.
fn ways() -> [(Way, Request, &'static str); 8] {
    [
        (Way::OAuthHeader, request(&[("authorization", "bEARER abc")], None, &[]), "abc"),
        (Way::OAuthQuery, request(&[], Some("access_token=abc"), &[]), "abc"),
        (Way::OAuthSubprotocol, request(&[], None, &["bearer", "abc"]), "abc"),
        (Way::ApiKeyHeader, request(&[("apikey", KEY)], None, &[]), KEY),
        (Way::ApiKeyQuery, request(&[], Some("apikey=tgk%5Fabc"), &[]), KEY),
        (Way::Basic, request(&[("authorization", BASIC)], None, &[]), "secret"),
        (Way::Ticket, request(&[], Some("ticket=tgt%5Fabc"), &[]), "tgt_abc"),
        (Way::MutualTls, Request { certificate: Some("x".into()), ..request(&[], None, &[]) }, "x"),
    ]
}

#[test]
fn each_is_found_where_it_is_and_taken_where_it_is_accepted() {
    for (way, request, expected) in ways() {
        let found = find(&request, &Security::default(), &[way]).unwrap();
        assert_eq!((found.way, text(&found.credential)), (way, expected));
        assert_eq!((found.query, found.subprotocols), (None, Vec::new()), "{way:?} leaves nothing");
        let others: Vec<Way> = every().into_iter().filter(|other| *other != way).collect();
        let refused = find(&request, &Security::default(), &others).unwrap_err();
        // A certificate belongs to a connection, on which other APIs are asked for as well.
        let presented = Some(way).filter(|way| *way != Way::MutualTls);
        assert_eq!(refused, Refusal::NotAccepted { presented, accepted: others.into() });
    }
}

#[test]
fn nothing_is_taken_where_it_is_enough_and_leaves_what_is_the_backends() {
    let plain = request(&[], Some("room=7"), &["chat.v2"]);
    let found = find(&plain, &Security::default(), &[Way::Basic, Way::None]).unwrap();
    assert_eq!((found.way, text(&found.credential)), (Way::None, ""));
    assert_eq!((found.query.as_deref(), &*found.subprotocols), (Some("room=7"), &["chat.v2".to_owned()][..]));
    assert!(find(&plain, &Security::default(), &[Way::Basic]).is_err());
}

/// No credential hides another, whichever two they are: that one of them is good helps nobody.
#[test]
fn no_two_are_taken_together() {
    let all_ways = ways();
    for (one, first, _) in &all_ways {
        for (other, second, _) in &all_ways {
            let query = [&first.query, &second.query].into_iter().flatten().cloned().collect::<Vec<_>>();
            let certificates = [&first.certificate, &second.certificate];
            if one == other && certificates[0].is_some() {
                // A connection has one.
                continue;
            }
            let both = Request {
                certificate: certificates.into_iter().flatten().next().cloned(),
                authority: first.authority.clone(),
                path: first.path.clone(),
                query: (!query.is_empty()).then(|| query.join("&")),
                subprotocols: [first.subprotocols.clone(), second.subprotocols.clone()].concat(),
                headers: [first.headers.clone(), second.headers.clone()].concat(),
                deflate: Vec::new(),
            };
            // What a token or a ticket may be bound to waits until that is known: nobody is let in by it here.
            let is_bindable = |way: &Way| matches!(way.kind(), Kind::OAuth | Kind::Ticket);
            let is_proof =
                is_bindable(one) && *other == Way::MutualTls || is_bindable(other) && *one == Way::MutualTls;
            let found = all(&both);
            if is_proof {
                let found = found.unwrap();
                assert!(found.is_beside_certificate && is_bindable(&found.way), "{one:?} and {other:?}");
                continue;
            }
            assert_eq!(found.unwrap_err(), BadCredential::Several.into(), "{one:?} and {other:?}");
        }
    }
}

#[test]
fn what_is_left_is_as_it_was() {
    let found = all(&request(&[("authorization", "Bearer abc")], Some("a=1&&b"), &["chat"])).unwrap();
    assert_eq!((found.query.as_deref(), found.subprotocols), (Some("a=1&&b"), vec!["chat".to_owned()]));
    for query in ["a=1&access_token=abc&b=%20", "a=1&apikey=tgk_abc&b=%20", "a=1&%61pikey=x&b=%20"] {
        assert_eq!(all(&request(&[], Some(query), &[])).unwrap().query.as_deref(), Some("a=1&b=%20"));
    }
    let found = all(&request(&[], None, &["chat", "bearer", "abc"])).unwrap();
    assert_eq!(found.subprotocols, ["chat"]);
}

#[test]
fn none_and_malformed_are_told_apart() {
    let missing = Refusal::NotAccepted { presented: None, accepted: every().into() };
    let table: [(Request, Refusal); 6] = [
        (request(&[("cookie", "token=abc")], Some("token=abc"), &["chat"]), missing),
        (request(&[("authorization", "Digest YTpi")], None, &[]), BadCredential::NotBearer.into()),
        (request(&[("authorization", "Basic")], None, &[]), BadCredential::Malformed.into()),
        (request(&[("authorization", "Basic ????")], None, &[]), BadCredential::Malformed.into()),
        (request(&[], Some("apikey=%zz"), &[]), BadCredential::Malformed.into()),
        (request(&[], None, &["bearer"]), BadCredential::Malformed.into()),
    ];
    for (request, expected) in table {
        assert_eq!(all(&request).unwrap_err(), expected, "{request:?}");
    }
}

#[test]
fn an_api_says_how_its_keys_are_called() {
    let security = Security {
        api_key_header: "X-Api-Key".to_owned(),
        api_key_query: "key".to_owned(),
        ..Security::default()
    };
    for request in [
        request(&[("x-api-key", KEY)], None, &[]),
        request(&[("x_api_key", KEY)], None, &[]),
        request(&[], Some("key=tgk_abc"), &[]),
    ] {
        assert_eq!(text(&find(&request, &security, &every()).unwrap().credential), KEY);
    }
    let usual = request(&[("apikey", KEY)], Some("apikey=x"), &[]);
    let missing = Refusal::NotAccepted { presented: None, accepted: every().into() };
    assert_eq!(find(&usual, &security, &every()).unwrap_err(), missing, "these are other names");
}

/// Where no API key is accepted, the name is the backend's to use, but a key of ours never reaches a backend.
#[test]
fn a_key_of_ours_is_not_passed_on_by_an_api_that_takes_none() {
    let accepted = [Way::OAuthHeader];
    let ask = |query: &str, header: &str| {
        let headers = [("authorization", "Bearer abc"), ("apikey", header)];
        find(&request(&headers, Some(query), &[]), &Security::default(), &accepted)
    };
    assert_eq!(ask("apikey=theirs", "theirs").unwrap().query.as_deref(), Some("apikey=theirs"));
    assert_eq!(ask("apikey=tgk_ours", "theirs").unwrap_err(), BadCredential::Several.into());
    assert_eq!(ask("a=1", " tgk_ours").unwrap_err(), BadCredential::Several.into());
    let alone = find(&request(&[("apikey", KEY)], None, &[]), &Security::default(), &accepted);
    assert!(matches!(alone, Err(Refusal::NotAccepted { presented: Some(Way::ApiKeyHeader), .. })));
}

#[test]
fn a_ticket_as_a_subprotocol_leaves_with_the_word_that_announces_it() {
    let offered = |offers: &[&str]| all(&request(&[], None, offers)).unwrap();
    let found = offered(&["a", "Ticket", "tgt_abc", "b"]);
    assert_eq!(
        (text(&found.credential), &*found.subprotocols),
        ("tgt_abc", &["a", "b"].map(str::to_owned)[..])
    );
    assert_eq!(found.announced.as_deref(), Some("Ticket"));
    // One that nothing announces is taken out all the same, and there is nothing that could be chosen for it.
    let found = offered(&["ticket", "a", "tgt_abc"]);
    assert_eq!((&*found.subprotocols, found.announced), (&["ticket", "a"].map(str::to_owned)[..], None));
    let both = request(&[], Some("ticket=tgt_abc"), &["ticket", "tgt_abc"]);
    assert_eq!(all(&both).unwrap_err(), BadCredential::Several.into());
}

#[test]
fn what_is_called_ticket_and_is_none_of_ours_is_the_backends() {
    let bearer = [("authorization", "Bearer abc")];
    let found = all(&request(&bearer, Some("ticket=42&a=1&ticket="), &["ticket", "chat"])).unwrap();
    assert_eq!(found.query.as_deref(), Some("ticket=42&a=1&ticket="));
    assert_eq!((found.subprotocols.len(), found.announced), (2, None));
}
