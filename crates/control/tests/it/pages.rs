//! The portal's shell, and addresses that lead nowhere.

use axum::{
    body::Body,
    http::{Method, header},
};

use crate::support::{House, Person};

#[tokio::test]
async fn an_address_that_leads_nowhere_is_a_page_for_people_and_a_problem_for_programs() {
    let house = House::new().await;
    for path in ["/nowhere", "/index.html", "/nowhere/at/all"] {
        assert_eq!(house.get(&Person::default(), path).await.is(404).kind(), "not-found");
        let browser = House::request(&Person::default(), &Method::GET, path);
        let browser = browser.header(header::ACCEPT, "text/html,application/xhtml+xml");
        let page = house.send(browser.body(Body::empty()).unwrap()).await.is(404);
        assert_eq!(page.text, "<!doctype html>");
        assert_eq!(page.headers[header::CACHE_CONTROL], "no-store");
    }
    assert_eq!(house.get(&Person::default(), "/devportal").await.is(200).text, "<!doctype html>");
}
