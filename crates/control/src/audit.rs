//! The audit log, for administrators: `/audit`.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tidegate_model::{
    audit::{AuditQuery, Entry, Kind},
    time::Timestamp,
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::{
    body::{Answer, InPath, InQuery},
    list::{Limit, List, page},
    problem::{Problem, ProblemDocument},
    state::Control,
};

/// Which entries.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct AuditParameters {
    /// By whom: a whole user name, in any case.
    by: Option<String>,
    /// About what: `api`, `application`, `key`, `subscription`, `user`, `sign_in`, `token`, `authorization`, `client`,
    /// `revocation`, `signing_key`, `key_manager`, `deny_rule`, `custom_rule`, `policy`, `sign_in_provider`,
    /// `registration_token`, `role` or `alert`.
    kind: Option<String>,
    /// The identifier of what it is about, or part of the details.
    object: Option<String>,
    /// Not before, RFC 3339.
    from: Option<String>,
    /// Before, RFC 3339.
    until: Option<String>,
    /// Most entries, 1 to 200; 50 when not given.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200)]
    limit: Option<Limit>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// An entry of the audit log.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditEntry)]
pub(crate) struct EntryAnswer {
    /// Larger is later.
    number: u64,
    /// When, RFC 3339; of several counted together, the minute.
    at: String,
    /// Who, by name at that time; empty where nobody is known.
    by: String,
    /// The person; absent for Tidegate itself and for strangers.
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<Uuid>,
    /// From which address; absent for Tidegate itself, and for many addresses counted together.
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    /// About what; `other` in old entries.
    kind: &'static str,
    /// Identifier of what it is about.
    object: String,
    /// What, in past tense.
    action: String,
    /// More of it.
    detail: String,
    /// How often within the minute; 1 for a change.
    times: u64,
}

impl From<Entry> for EntryAnswer {
    fn from(entry: Entry) -> Self {
        Self {
            number: entry.number,
            at: entry.at.rfc3339(),
            by: entry.by,
            user_id: entry.user.map(|user| user.0),
            address: entry.address.map(|address| address.to_string()),
            kind: entry.kind.map_or("other", Kind::as_str),
            object: entry.object,
            action: entry.action,
            detail: entry.detail,
            times: entry.times,
        }
    }
}

/// An entry with what it is about as it was before and after, without secrets.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditEntryDetail)]
pub(crate) struct EntryDetailAnswer {
    #[serde(flatten)]
    entry: EntryAnswer,
    /// Before; null for what was new, and where nothing of the kind is kept.
    #[schema(required)]
    before: Option<Value>,
    /// After; null for what is gone, and where nothing of the kind is kept.
    #[schema(required)]
    after: Option<Value>,
}

fn time(name: &str, text: Option<String>) -> Result<Option<Timestamp>, Problem> {
    let read = |text: String| {
        let wrong = || Problem::Malformed(format!("{name} is a time such as 2026-01-31T09:00:00Z."));
        Timestamp::parse_rfc3339(&text).ok_or_else(wrong)
    };
    text.map(read).transpose()
}

/// The audit log, newest first
///
/// Every change with who, when and from where, and every sign-in. Sign-ins that fail are counted by minute and address.
/// Entries are kept for 400 days; of failed sign-ins at most 50,000 entries.
#[utoipa::path(get, path = "/audit", tag = "audit", operation_id = "listAudit", params(AuditParameters),
    responses((status = 200, body = List<EntryAnswer>), (status = "default", body = ProblemDocument)))]
pub(crate) async fn list(
    State(Control(inner)): State<Control>,
    InQuery(query): InQuery<AuditParameters>,
) -> Result<Answer<List<EntryAnswer>>, Problem> {
    let kind = query.kind.map(|word| Kind::parse(&word).ok_or(())).transpose().map_err(|()| {
        Problem::Malformed(format!("kind is one of {}.", Kind::ALL.map(Kind::as_str).join(", ")))
    })?;
    let asked = AuditQuery {
        by: query.by.filter(|by| !by.is_empty()),
        kind,
        object: query.object.filter(|object| !object.is_empty()),
        from: time("from", query.from)?,
        until: time("until", query.until)?,
    };
    inner.write_attempts().await?;
    let found = inner.ports.catalog.audit(&asked, &page(query.limit, query.cursor)).await?;
    Ok(Answer(List { items: found.items.into_iter().map(EntryAnswer::from).collect(), next: found.next }))
}

/// An entry of the audit log, with before and after
#[utoipa::path(get, path = "/audit/{number}", tag = "audit", operation_id = "getAuditEntry",
    params(("number" = u64, Path)),
    responses((status = 200, body = EntryDetailAnswer), (status = "default", body = ProblemDocument)))]
pub(crate) async fn get(
    State(Control(inner)): State<Control>,
    InPath(number): InPath<u64>,
) -> Result<Answer<EntryDetailAnswer>, Problem> {
    let found = inner.ports.catalog.audit_entry(number).await?.ok_or(Problem::NotFound("entry"))?;
    let read = |text: Option<String>| text.map(|text| serde_json::from_str(&text)).transpose();
    let unreadable = |_| Problem::Internal("an entry of the audit log cannot be read");
    Ok(Answer(EntryDetailAnswer {
        before: read(found.before).map_err(unreadable)?,
        after: read(found.after).map_err(unreadable)?,
        entry: found.entry.into(),
    }))
}
