//! What an expression may look at, and how the library finds it.
//!
//! Values are made when they are asked for. Texts are cut to a bound, so that no client makes evaluating expensive by what
//! it calls itself or its topic; whoever differs only beyond it has the same key.

use std::{collections::HashMap, net::IpAddr};

use cel::{
    common::{
        types::{CelBool, CelDouble, CelInt, CelList, CelMap, CelMapKey, CelString},
        value::{CowVal, Val},
    },
    context::VariableResolver,
};

use crate::{
    attribute::{Claim, Claims},
    topic::Direction,
};

/// What of a text is seen, in bytes.
pub const TEXT_BYTES_MAX: usize = 1_024;

/// What is known of a session and, where there is one, of a message.
#[derive(Debug, Clone, Copy, Default)]
pub struct Facts<'f> {
    /// Whom the credential speaks for; empty: for nobody but the application.
    pub user: &'f str,
    /// Id and name of the application.
    pub application: (&'f str, &'f str),
    /// Name, version and context of the API.
    pub api: (&'f str, &'f str, &'f str),
    /// What follows the API's path; empty or beginning with `/`.
    pub topic: &'f str,
    /// From where the client connected.
    pub address: Option<IpAddr>,
    /// Claims of the credential that are known.
    pub claims: Option<&'f Claims>,
    /// Payload bytes of the message's first frame; `None`: no message is asked for.
    pub size: Option<u64>,
    /// Who sends: *publish* is the client, *subscribe* the backend; `None`: nobody is asked for.
    pub direction: Option<Direction>,
}

/// As much of a text as is seen.
fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(TEXT_BYTES_MAX)]
}

fn text(text: &str) -> CowVal<'_, '_> {
    CowVal::owned(CelString::from(cut(text)))
}

fn value(claim: &Claim) -> Box<dyn Val + '_> {
    match claim {
        Claim::Text(text) => Box::new(CelString::from(cut(text))),
        Claim::Boolean(truth) => Box::new(CelBool::from(*truth)),
        Claim::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Box::new(CelInt::from(whole)),
            (None, number) => Box::new(CelDouble::from(number.unwrap_or(f64::NAN))),
        },
        Claim::List(members) => {
            let members =
                members.iter().map(|text| Box::new(CelString::from(cut(text))) as Box<dyn Val + '_>);
            Box::new(CelList::from(members.collect::<Vec<_>>()))
        }
    }
}

fn map<'b>(entries: impl Iterator<Item = (&'b str, Box<dyn Val + 'b>)>) -> CowVal<'b, 'b> {
    let entries = entries.map(|(name, value)| (CelMapKey::from(name), value));
    CowVal::owned(CelMap::from(entries.collect::<HashMap<_, _>>()))
}

fn texts<'b>(entries: &[(&'b str, &'b str)]) -> CowVal<'b, 'b> {
    let value = |text: &'b str| Box::new(CelString::from(cut(text))) as Box<dyn Val + 'b>;
    map(entries.iter().map(|(name, text)| (*name, value(text))))
}

impl VariableResolver for Facts<'_> {
    /// A name, or one and its field: the library asks for `api.name` before it asks for `api`.
    fn resolve<'b>(&'b self, name: &str) -> Option<CowVal<'b, 'b>> {
        let ((id, application), (api, version, context)) = (self.application, self.api);
        Some(match name {
            "user" => text(self.user),
            "topic" => text(self.topic),
            "address" => CowVal::owned(CelString::from(self.address?.to_canonical().to_string())),
            "application.id" => text(id),
            "application.name" => text(application),
            "api.name" => text(api),
            "api.version" => text(version),
            "api.context" => text(context),
            "size" => CowVal::owned(CelInt::from(i64::try_from(self.size?).unwrap_or(i64::MAX))),
            "direction" => CowVal::owned(CelString::from(self.direction?.as_str())),
            "application" => texts(&[("id", id), ("name", application)]),
            "api" => texts(&[("name", api), ("version", version), ("context", context)]),
            "claims" => map(self
                .claims
                .iter()
                .flat_map(|claims| claims.iter())
                .map(|(name, claim)| (&**name, value(claim)))),
            _ => {
                let name = name.strip_prefix("claims.").filter(|name| !name.contains('.'))?;
                CowVal::Owned(value(self.claims?.get(name)?))
            }
        })
    }
}
