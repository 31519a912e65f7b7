//! Pages that the authorization server shows to a person: plain documents without scripts, so that nothing on them can
//! be made to run. Every text that is not ours is escaped here, and nowhere else.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use tidegate_oauth::redirect;

/// Frames are refused by the listener's policy as well; this one also says where its forms may lead.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'";

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:10vh auto;padding:0 1.25rem;\
color:#1c2430;background:#fff}h1{font-size:1.5rem;line-height:1.25}li{margin:.35rem 0}code{overflow-wrap:anywhere}\
.dim{color:#556070;font-size:.9rem}.row{display:flex;gap:.75rem;margin:1.75rem 0}button{font:inherit;padding:.55rem \
1.1rem;border-radius:.4rem;border:1px solid #8a94a3;background:#fff;color:inherit;cursor:pointer}button.main\
{background:#0b5cad;border-color:#0b5cad;color:#fff}input{font:inherit;\
font-size:1.25rem;letter-spacing:.12em;padding:.5rem .75rem;width:100%;box-sizing:border-box;border-radius:.4rem;\
border:1px solid #8a94a3;background:#fff;color:inherit}label{display:block;margin-bottom:.35rem;font-weight:600}\
.wrong{color:#b3261e}button:focus-visible,input:focus-visible{outline:3px solid #f2a900;outline-offset:2px}\
@media(prefers-color-scheme:dark){body{color:#e6ebf2;background:#12171e}.dim{color:#a4afbd}button,input{background:#1d2530}\
.wrong{color:#ff9a91}}";

/// The text, where it stands in an element or a quoted attribute.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // What turns the direction of writing could make one address look like another.
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                out.push('\u{fffd}');
            }
            other => out.push(other),
        }
    }
    out
}

/// A page with a heading and a body that is markup already. `forms_lead_to` are further places that its forms may lead
/// to (as sources of a Content-Security-Policy).
pub(crate) fn page(status: StatusCode, title: &str, body: &str, forms_lead_to: &str) -> Response {
    let title = escaped(title);
    let document = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>{title} · Tidegate</title><style>{STYLE}</style></head><body><main>\
         <h1>{title}</h1>{body}</main></body></html>"
    );
    let policy = format!("{POLICY}; form-action 'self' {forms_lead_to}");
    let mut response = (status, Html(document)).into_response();
    let headers = response.headers_mut();
    let policy = HeaderValue::from_str(policy.trim_end());
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        policy.unwrap_or(HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'")),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // With none at all, browsers send forms from `null`, which cannot be told from elsewhere.
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    response
}

/// A request that nobody can be sent back with: the person is told.
pub(super) fn told(title: &str, detail: &str) -> Response {
    let body = format!(
        "<p>{}</p><p class=\"dim\">You were not sent on, since it is not certain where to. Tell whoever runs the \
         application that brought you here.</p>",
        escaped(detail)
    );
    page(StatusCode::BAD_REQUEST, title, &body, "")
}

/// Sends the browser on.
pub(crate) fn go(address: &str) -> Response {
    match HeaderValue::from_str(address) {
        Ok(address) => {
            let fields =
                [(header::LOCATION, address), (header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
            (StatusCode::SEE_OTHER, fields).into_response()
        }
        Err(_) => told("This cannot be answered", "The address to go back to cannot be written."),
    }
}

/// To the portal's sign-in page, and from there to this page of ours.
pub(super) fn sign_in(to: &str) -> Response {
    go(&redirect::with_query("/sign-in", &[("to", to)]))
}

/// Where a form may lead that ends at this address: its origin, or its scheme where an origin cannot be said.
pub(super) fn source_of(uri: &str) -> String {
    let Some((scheme, rest)) = uri.split_once(':') else { return String::new() };
    let authority = rest.strip_prefix("//").and_then(|rest| rest.split(['/', '?']).next());
    match authority {
        // A source cannot name an IPv6 address (Content Security Policy Level 3, section 2.3.1).
        Some(authority) if !authority.starts_with('[') => format!("{scheme}://{authority}"),
        _ => format!("{scheme}:"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_others_is_text() {
        assert_eq!(
            escaped("<script>\"a\" & 'b'</script>\u{202e}"),
            "&lt;script&gt;&quot;a&quot; &amp; &#39;b&#39;&lt;/script&gt;\u{fffd}"
        );
    }

    #[test]
    fn a_form_may_lead_to_the_origin_of_its_end() {
        for (uri, source) in [
            ("https://client.test:8443/cb?x=;y", "https://client.test:8443"),
            ("http://127.0.0.1:5000", "http://127.0.0.1:5000"),
            ("http://[::1]:5000/cb", "http:"),
            ("com.example.app:/cb", "com.example.app:"),
        ] {
            assert_eq!(source_of(uri), source);
        }
    }
}
