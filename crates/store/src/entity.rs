//! The tables as SeaORM entities. Ids are text, times milliseconds since the epoch, documents JSON text, so that
//! SQLite and PostgreSQL hold the same.
//!
//! `*_key` columns hold names folded for comparison. What is only carried and never searched is in `body`.

#![allow(missing_docs, reason = "columns say what they are; the derive makes the rest")]
#![allow(unreachable_pub, reason = "the derive asks for public models in private modules")]

macro_rules! entity {
    ($(#[$doc:meta])* $module:ident, $table:literal { $($(#[$attr:meta])* $field:ident: $kind:ty),* $(,)? }) => {
        $(#[$doc])*
        pub mod $module {
            use sea_orm::entity::prelude::*;

            #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
            #[sea_orm(table_name = $table)]
            pub struct Model { $($(#[$attr])* pub $field: $kind),* }

            #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
            pub enum Relation {}

            impl ActiveModelBehavior for ActiveModel {}
        }
    };
}

entity! {
    /// Numbers of the whole database.
    meta, "meta" { #[sea_orm(primary_key, auto_increment = false)] name: String, value: i64 }
}
entity! {
    /// What says with which key secrets are sealed.
    seal, "seals" { #[sea_orm(primary_key, auto_increment = false)] name: String, value: String }
}
entity! {
    /// People.
    user, "users" {
        #[sea_orm(primary_key, auto_increment = false)] id: String,
        username: String, username_key: String, password_hash: String, roles: String, demo: bool, created_at: i64,
        state: String, must_change_password: bool, etag: i64,
    }
}
entity! {
    /// Roles of the installation's own; `body` is the whole record.
    own_role, "own_roles" {
        #[sea_orm(primary_key, auto_increment = false)] name: String, body: String,
    }
}
entity! {
    /// Whether people may sign up: one row.
    sign_up, "sign_up" {
        #[sea_orm(primary_key, auto_increment = false)] id: i32,
        is_open: bool, etag: i64,
    }
}
entity! {
    /// Other issuers by which people sign in.
    sign_in_provider, "sign_in_providers" {
        #[sea_orm(primary_key, auto_increment = false)] id: String,
        name_key: String, issuer: String, body: String,
    }
}
entity! {
    /// As whom issuers know people.
    identity, "identities" {
        #[sea_orm(primary_key, auto_increment = false)] issuer: String,
        #[sea_orm(primary_key, auto_increment = false)] subject: String,
        user_id: String, created_at: i64,
    }
}
entity! {
    /// Signed-in browsers.
    portal_session, "portal_sessions" {
        #[sea_orm(primary_key, auto_increment = false)] token_hash: String,
        user_id: String, csrf_token: String, created_at: i64, expires_at: i64, id: String,
        address: Option<String>, browser: String, seen_at: i64,
    }
}
entity! {
    /// Personal access tokens.
    token, "tokens" {
        #[sea_orm(primary_key, auto_increment = false)] id: String,
        token_hash: String, user_id: String, name: String, created_at: i64, expires_at: Option<i64>,
        seen_at: Option<i64>, scopes: Option<String>,
    }
}
entity! {
    /// Keys of the authorization server, and of gateways for backends.
    signing_key, "signing_keys" {
        #[sea_orm(primary_key, auto_increment = false)] kid: String, private_key: String, created_at: i64,
        purpose: String, algorithm: String, signs_from: i64,
    }
}
entity! {
    /// Business plans and application policies.
    plan, "plans" {
        #[sea_orm(primary_key, auto_increment = false)] kind: String,
        #[sea_orm(primary_key, auto_increment = false)] name: String,
        place: i32, body: String,
    }
}
entity! {
    /// APIs; `body` is the whole record.
    api, "apis" {
        #[sea_orm(primary_key, auto_increment = false)] id: String,
        name_key: String, context_key: String, path_key: String, state: String, created_at: i64, body: String,
    }
}
entity! {
    /// Frozen designs.
    revision, "revisions" {
        #[sea_orm(primary_key, auto_increment = false)] api_id: String,
        #[sea_orm(primary_key, auto_increment = false)] number: i32,
        created_at: i64, created_by: String, design: String,
    }
}
entity! {
    /// Moves of the lifecycle.
    lifecycle_move, "lifecycle_moves" {
        #[sea_orm(primary_key)] id: i64,
        api_id: String, at: i64, actor: String, event: Option<String>, from_state: Option<String>, to_state: String,
    }
}
entity! {
    /// The audit log.
    change, "changes" {
        #[sea_orm(primary_key)] id: i64,
        subject: String, at: i64, actor: String, action: String, detail: String,
        before_body: Option<String>, after_body: Option<String>,
        kind: String, actor_id: Option<String>, address: Option<String>, times: i64, attempt: Option<String>,
    }
}
entity! {
    /// Applications; `body` is the whole record, `owner` is empty for what the product made itself.
    application, "applications" {
        #[sea_orm(primary_key, auto_increment = false)] id: String,
        owner: String, name_key: String, body: String,
    }
}
entity! {
    /// OAuth clients.
    key, "application_keys" {
        #[sea_orm(primary_key, auto_increment = false)] client_id: String,
        application_id: String, secret_hash: String, environment: String, grants: String, created_at: i64,
        settings: String,
    }
}
entity! {
    /// Tokens by which clients register themselves; `body` is the whole record.
    registration_token, "registration_tokens" {
        #[sea_orm(primary_key, auto_increment = false)] id: String,
        hash: String, owner_id: String, body: String,
    }
}
entity! {
    /// Clients that registered themselves; `body` is the whole record.
    registration, "registrations" {
        #[sea_orm(primary_key, auto_increment = false)] client_id: String,
        application_id: String, body: String,
    }
}
entity! {
    /// API keys; `body` is the whole record.
    api_key, "api_keys" {
        #[sea_orm(primary_key, auto_increment = false)] id: String,
        application_id: String, hash: String, body: String,
    }
}
entity! {
    /// Certificates of applications; `body` is the whole record.
    certificate, "certificates" {
        #[sea_orm(primary_key, auto_increment = false)] id: String,
        application_id: String, thumbprint: String, body: String,
    }
}
entity! {
    /// Subscriptions.
    subscription, "subscriptions" {
        #[sea_orm(primary_key, auto_increment = false)] id: String,
        application_id: String, api_id: String, plan: String, created_at: i64,
    }
}
entity! {
    /// The last batch of each run of a gateway.
    boot, "boots" { #[sea_orm(primary_key, auto_increment = false)] boot: String, last_number: i64 }
}
entity! {
    /// Counts per minute; `application_id` is empty where it was not known.
    minute, "minutes" {
        #[sea_orm(primary_key, auto_increment = false)] minute: i64,
        #[sea_orm(primary_key, auto_increment = false)] api_id: String,
        #[sea_orm(primary_key, auto_increment = false)] application_id: String,
        #[sea_orm(primary_key, auto_increment = false)] plan: String,
        sessions: i64, messages_from_clients: i64, messages_from_backends: i64,
        bytes_from_clients: i64, bytes_from_backends: i64, refusals: i64, dropped: i64, delayed: i64,
        beyond: i64, notices: i64,
    }
}
entity! {
    /// What was used of budgets: the newest window of each, or the latest debt.
    budget, "budgets" {
        #[sea_orm(primary_key, auto_increment = false)] holder: String,
        #[sea_orm(primary_key, auto_increment = false)] shape: String,
        period: i64, units: i64, begins_at: i64, ends_at: i64, told_at: i64, alerted: i32,
    }
}
entity! {
    /// That parts of limits were used; `body` is the whole record.
    alert, "alerts" {
        #[sea_orm(primary_key, auto_increment = false)] id: String,
        holder: String, shape: String, period: i64, threshold: i32, at: i64, api_id: Option<String>,
        application_id: Option<String>, body: String,
    }
}
entity! {
    /// How people are told of alerts; `body` is the whole record.
    alert_channel, "alert_channels" {
        #[sea_orm(primary_key, auto_increment = false)] id: String,
        about: String, kind: String, application_id: Option<String>, api_id: Option<String>, body: String,
    }
}
entity! {
    /// What channels were told and are to be told.
    delivery, "deliveries" {
        #[sea_orm(primary_key, auto_increment = false)] channel_id: String,
        #[sea_orm(primary_key, auto_increment = false)] alert_id: String,
        state: String, tries: i32, due_at: i64, tried_at: Option<i64>, problem: String,
    }
}
entity! {
    /// The mail server: one row.
    mail, "mail" {
        #[sea_orm(primary_key, auto_increment = false)] id: i32, body: String,
    }
}
entity! {
    /// When alerts are made: one row.
    alert_settings, "alert_settings" {
        #[sea_orm(primary_key, auto_increment = false)] id: i32, body: String,
    }
}
entity! {
    /// Sessions that ended; `body` is the whole record.
    session, "sessions" {
        #[sea_orm(primary_key, auto_increment = false)] id: String,
        api_id: String, application_id: String, opened_at: i64, closed_at: i64, body: String,
    }
}
entity! {
    /// What people allowed clients; all that comes from one code.
    authorization, "authorizations" {
        #[sea_orm(primary_key, auto_increment = false)] id: String,
        client_id: String, user_id: String, scope: String, auth_time: i64, nonce: Option<String>, mark: String,
        created_at: i64, expires_at: i64, ended_at: Option<i64>,
    }
}
entity! {
    /// Codes, used ones too for a while.
    code, "authorization_codes" {
        #[sea_orm(primary_key, auto_increment = false)] code_hash: String,
        authorization_id: String, redirect_uri: String, challenge: String, expires_at: i64, used_at: Option<i64>,
    }
}
entity! {
    /// Refresh tokens, used ones too for a while.
    refresh_token, "refresh_tokens" {
        #[sea_orm(primary_key, auto_increment = false)] token_hash: String,
        authorization_id: String, expires_at: i64, used_at: Option<i64>, bound_to: Option<String>,
    }
}
entity! {
    /// Devices that wait for a person, denied and late ones too for a while.
    device_code, "device_codes" {
        #[sea_orm(primary_key, auto_increment = false)] code_hash: String,
        user_code_hash: String, client_id: String, scope: String,
        created_at: i64, expires_at: i64, denied_at: Option<i64>,
    }
}
entity! {
    /// Signed statements of clients that were used.
    used_assertion, "used_assertions" {
        #[sea_orm(primary_key, auto_increment = false)] replay_id: String, expires_at: i64,
    }
}
entity! {
    /// Access tokens that say nothing by themselves.
    opaque_token, "access_tokens" {
        #[sea_orm(primary_key, auto_increment = false)] token_hash: String,
        client_id: String, authorization_id: Option<String>, subject: String, scope: String,
        issued_at: i64, expires_at: i64, number: i64, source: Option<String>,
    }
}
entity! {
    /// One-time tickets, used ones too until they would have expired; `identity` is a record.
    ticket, "tickets" {
        #[sea_orm(primary_key, auto_increment = false)] hash: String,
        api_id: String, application_id: String, identity: String, expires_at: i64, used_at: Option<i64>,
    }
}
entity! {
    /// Consents that are remembered; `scopes` is a JSON list in order.
    consent, "consents" {
        #[sea_orm(primary_key, auto_increment = false)] user_id: String,
        #[sea_orm(primary_key, auto_increment = false)] client_id: String,
        scopes: String, at: i64,
    }
}
entity! {
    /// What was revoked before its time.
    revocation, "revocations" {
        #[sea_orm(primary_key)] number: i64,
        kind: String, name: String, at: i64, until: i64,
    }
}
entity! {
    /// Other issuers; `body` is what people decided, `jwks` what was fetched.
    key_manager, "key_managers" {
        #[sea_orm(primary_key, auto_increment = false)] id: String,
        name_key: String, issuer: String, body: String, jwks: Option<String>, fetched_at: Option<i64>,
    }
}
entity! {
    /// Clients of other issuers that applications have provided.
    provided_key, "provided_keys" {
        #[sea_orm(primary_key, auto_increment = false)] key_manager_id: String,
        #[sea_orm(primary_key, auto_increment = false)] client_id: String,
        application_id: String, environment: String, created_at: i64,
    }
}
entity! {
    /// Custom rules; `body` is the whole record.
    custom_rule, "custom_rules" {
        #[sea_orm(primary_key, auto_increment = false)] id: String,
        name_key: String, body: String,
    }
}
entity! {
    /// Deny rules; `body` is the whole record, `about` what it is about, in one way of writing.
    deny_rule, "deny_rules" {
        #[sea_orm(primary_key, auto_increment = false)] id: String,
        about: String, application_id: Option<String>, user_id: Option<String>, body: String,
    }
}
