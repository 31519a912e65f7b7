//! What is told to an address of somebody's own, by one exchange: whether it was taken, and nothing of the answer.

use std::time::Duration;

use http_body_util::Full;
use hyper::{Method, body::Bytes, header};
use tidegate_model::port::{NoDocument, Post};
use url::Url;

use super::{
    Dialler,
    exchange::{Wanted, question},
};

/// From the look-up of the name to the head of the answer. Whoever is told puts it away and answers; what takes longer is done
/// by them afterwards.
const POST_WITHIN: Duration = Duration::from_secs(5);

impl Dialler {
    /// Tells this.
    pub(crate) async fn post(&self, post: &Post<'_>) -> Result<(), NoDocument> {
        let url = Url::parse(post.url).map_err(|_| NoDocument::BadUrl)?;
        let mut request = question(&url, Method::POST).header(header::CONNECTION, "close");
        for (name, value) in post.headers {
            request = request.header(*name, *value);
        }
        let body = Full::new(Bytes::from(post.body.to_owned()));
        let request = request.body(body).map_err(|_| NoDocument::BadUrl)?;
        self.exchange(&url, request, Wanted::Acceptance, POST_WITHIN).await.map(drop)
    }
}

#[cfg(test)]
mod tests;
