//! Lists: pages with an opaque cursor.

use serde::{Deserialize, Serialize};
use tidegate_model::port::PageRequest;
use utoipa::{IntoParams, ToSchema};

use crate::body::UpTo;

/// Which page of a list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageQuery {
    /// Most entries, 1 to 200; 50 when not given.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200)]
    pub(crate) limit: Option<Limit>,
    /// `next` of the page before.
    pub(crate) cursor: Option<String>,
}

/// The most entries of a page: 1 to 200.
pub(crate) type Limit = UpTo<200>;

/// What the port is asked for.
pub(crate) fn page(limit: Option<Limit>, cursor: Option<String>) -> PageRequest {
    let limit = limit.map_or(PageRequest::default().limit, |limit| limit.0);
    PageRequest { limit, cursor }
}

impl From<PageQuery> for PageRequest {
    fn from(query: PageQuery) -> Self {
        page(query.limit, query.cursor)
    }
}

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct List<T> {
    /// The entries.
    pub(crate) items: Vec<T>,
    /// Where the next page begins; null at the end.
    #[schema(required)]
    pub(crate) next: Option<String>,
}

impl<T> List<T> {
    /// A list that has only one page.
    pub(crate) fn whole(items: Vec<T>) -> Self {
        Self { items, next: None }
    }
}
