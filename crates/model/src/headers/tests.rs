//! Values with placeholders, taken apart.

use super::*;

#[test]
fn a_value_is_text_and_placeholders_in_their_order() {
    assert_eq!(
        pieces("app={application};{plan}"),
        Ok(vec![
            Piece::Text("app="),
            Piece::Placeholder(Placeholder::Application),
            Piece::Text(";"),
            Piece::Placeholder(Placeholder::Plan),
        ])
    );
    assert_eq!(pieces(""), Ok(vec![]));
}

#[test]
fn every_placeholder_is_found_by_its_name() {
    for placeholder in Placeholder::ALL {
        let value = format!("{{{}}}", placeholder.as_str());
        assert_eq!(pieces(&value), Ok(vec![Piece::Placeholder(placeholder)]));
    }
}

#[test]
fn a_brace_alone_and_an_unknown_name_are_refused() {
    for value in ["{", "}", "a{plan", "plan}", "{plan}}"] {
        assert_eq!(pieces(value), Err(BadTemplate::Unbalanced), "{value}");
    }
    assert_eq!(pieces("{password}"), Err(BadTemplate::Unknown("password".to_owned())));
}

#[test]
fn what_is_the_gateways_own_is_so_in_every_spelling() {
    for name in
        ["Host", "x_jwt_assertion", "X-Forwarded_For", "SEC_WEBSOCKET_KEY", "TraceParent", "x-tidegate-"]
    {
        assert!(is_gateways_own(name), "{name}");
    }
    for name in ["Origin", "Cookie", "Authorization", "tracestate", "X-Forwarded", "Hosts"] {
        assert!(!is_gateways_own(name), "{name}");
    }
}
