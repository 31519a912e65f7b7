//! Every address of the portal's listener, and the OpenAPI document made from the same list.

use std::{collections::HashMap, sync::Arc};

use axum::{
    Extension, Router,
    http::Method,
    middleware,
    routing::{any, get, post},
};
use tidegate_model::operation;
use utoipa::{
    Modify, OpenApi,
    openapi::{
        Content, Object, RefOr, Schema,
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
    },
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    account, alert_channels, alerts, apis, applications, arrival, audit,
    authenticate::{self, Rule},
    authorizations, catalogue, console, custom_rules, deny_rules, gateways, health, key_managers, mail,
    metrics, oauth, pages, policies, portal_sessions, registration_tokens, revocations, roles, session,
    settings, sign_in_providers, sign_up, signing_keys,
    state::Control,
    subscriptions, tickets, tokens, users,
};

/// Where REST begins.
const PREFIX: &str = "/api/v1";

#[derive(OpenApi)]
#[openapi(
    info(title = "Tidegate", description = "The REST API of Tidegate, an API manager for WebSockets.", license(name = "Apache-2.0")),
    servers((url = "/api/v1")),
    modifiers(&Security)
)]
struct Document;

/// Every call takes the portal session's cookie or a personal access token, unless it says that it takes none.
struct Security;

impl Modify for Security {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        let cookie = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(crate::authenticate::COOKIE)));
        components.add_security_scheme("portal_session", cookie);
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        components.add_security_scheme("personal_token", SecurityScheme::Http(bearer));
        let none: [&str; 0] = [];
        document.security = Some(vec![
            SecurityRequirement::new("portal_session", none),
            SecurityRequirement::new("personal_token", none),
        ]);
    }
}

/// The ids of the operations by method and path, as the document names them.
fn operations(document: &utoipa::openapi::OpenApi) -> HashMap<(Method, String), Rule> {
    let ids: HashMap<&str, &'static str> = operation::TABLE.iter().map(|(id, _)| (*id, *id)).collect();
    let mut found = HashMap::new();
    for (path, item) in &document.paths.paths {
        let methods = [
            (Method::GET, &item.get),
            (Method::POST, &item.post),
            (Method::PUT, &item.put),
            (Method::PATCH, &item.patch),
            (Method::DELETE, &item.delete),
        ];
        for (method, operation) in methods {
            let id = operation.as_ref().and_then(|operation| operation.operation_id.as_deref());
            if let Some(id) = id.and_then(|id| ids.get(id)) {
                let scope = operation::scope(path, method == Method::GET);
                found.insert((method, format!("{PREFIX}{path}")), Rule { id, scope });
            }
        }
    }
    found
}

fn rest() -> OpenApiRouter<Control> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(session::sign_in, session::get, session::sign_out))
        .routes(routes!(sign_in_providers::choices))
        .routes(routes!(sign_in_providers::create, sign_in_providers::list))
        .routes(routes!(sign_in_providers::get, sign_in_providers::update, sign_in_providers::delete))
        .routes(routes!(sign_in_providers::check))
        .routes(routes!(sign_up::get, sign_up::update, sign_up::sign_up))
        .routes(routes!(account::choose_password))
        .routes(routes!(portal_sessions::list_own, portal_sessions::end_others))
        .routes(routes!(portal_sessions::end_own))
        .routes(routes!(authorizations::list))
        .routes(routes!(authorizations::withdraw))
        .routes(routes!(portal_sessions::list_of_user, portal_sessions::end_all_of_user))
        .routes(routes!(portal_sessions::end_one_of_user))
        .routes(routes!(roles::create, roles::list))
        .routes(routes!(roles::get, roles::update, roles::delete))
        .routes(routes!(users::create, users::list))
        .routes(routes!(users::get, users::update, users::delete))
        .routes(routes!(users::reset_password))
        .routes(routes!(tokens::create, tokens::list))
        .routes(routes!(tokens::delete))
        .routes(routes!(tokens::scopes))
        .routes(routes!(settings::get))
        .routes(routes!(catalogue::list))
        .routes(routes!(catalogue::get))
        .routes(routes!(apis::change::create, apis::read::list))
        .routes(routes!(apis::read::get, apis::change::update, apis::change::delete))
        .routes(routes!(apis::read::changes))
        .routes(routes!(apis::read::traffic))
        .routes(routes!(apis::read::subscriptions))
        .routes(routes!(apis::lifecycle::get, apis::lifecycle::change))
        .routes(routes!(apis::deploy::create))
        .routes(routes!(apis::deploy::list))
        .routes(routes!(apis::change::new_version))
        .routes(routes!(apis::endpoint_health::get))
        .routes(routes!(apis::test_endpoint::of_api))
        .routes(routes!(apis::test_endpoint::url))
        .routes(routes!(applications::create, applications::list))
        .routes(routes!(applications::get, applications::update, applications::delete))
        .routes(routes!(applications::traffic))
        .routes(routes!(applications::usage))
        .routes(routes!(applications::keys::create, applications::keys::list))
        .routes(routes!(applications::keys::update, applications::keys::delete))
        .routes(routes!(applications::keys::replace_secret))
        .routes(routes!(applications::keys::token))
        .routes(routes!(revocations::of_key))
        .routes(routes!(revocations::create))
        .routes(routes!(applications::api_keys::create, applications::api_keys::list))
        .routes(routes!(applications::api_keys::delete))
        .routes(routes!(applications::api_keys::replace))
        .routes(routes!(applications::certificates::create, applications::certificates::list))
        .routes(routes!(applications::certificates::delete))
        .routes(routes!(applications::provided_keys::create, applications::provided_keys::list))
        .routes(routes!(applications::provided_keys::delete))
        .routes(routes!(subscriptions::create, subscriptions::list))
        .routes(routes!(subscriptions::delete))
        .routes(routes!(tickets::create))
        .routes(routes!(alerts::list))
        .routes(routes!(alert_channels::create, alert_channels::list))
        .routes(routes!(alert_channels::delete))
        .routes(routes!(alert_channels::deliveries))
        .routes(routes!(alert_channels::test))
        .merge(administration())
}

/// What administrators decide for everybody, with what everybody may read of it.
fn administration() -> OpenApiRouter<Control> {
    OpenApiRouter::new()
        .routes(routes!(policies::plans, policies::create_plan))
        .routes(routes!(policies::plan, policies::update_plan, policies::delete_plan))
        .routes(routes!(policies::application_policies, policies::create_application_policy))
        .routes(routes!(
            policies::application_policy,
            policies::update_application_policy,
            policies::delete_application_policy
        ))
        .routes(routes!(policies::of_apis::list, policies::of_apis::create))
        .routes(routes!(policies::of_apis::one, policies::of_apis::update, policies::of_apis::delete))
        .routes(routes!(policies::export, policies::import))
        .routes(routes!(key_managers::create, key_managers::list))
        .routes(routes!(key_managers::get, key_managers::update, key_managers::delete))
        .routes(routes!(key_managers::refresh))
        .routes(routes!(key_managers::issuers))
        .routes(routes!(registration_tokens::create, registration_tokens::list))
        .routes(routes!(registration_tokens::delete))
        .routes(routes!(alerts::settings, alerts::update_settings))
        .routes(routes!(mail::get, mail::update))
        .routes(routes!(mail::test))
        .routes(routes!(audit::list))
        .routes(routes!(audit::get))
        .routes(routes!(signing_keys::list, signing_keys::rotate))
        .routes(routes!(signing_keys::remove))
        .routes(routes!(gateways::list))
        .routes(routes!(metrics::get))
        .routes(routes!(deny_rules::create, deny_rules::list))
        .routes(routes!(deny_rules::get, deny_rules::update, deny_rules::delete))
        .routes(routes!(custom_rules::create, custom_rules::list))
        .routes(routes!(custom_rules::get, custom_rules::update, custom_rules::delete))
        .routes(routes!(custom_rules::test))
}

/// The type that problem documents are sent with (RFC 9457, section 3).
const PROBLEM_TYPE: &str = "application/problem+json";

/// The handlers, and the document made of them. Attributes of handlers know JSON as the only type of a body; what is
/// a problem document is told by its schema, and put under its own type here.
fn rest_and_document() -> (Router<Control>, utoipa::openapi::OpenApi) {
    let (rest, mut document) = rest().split_for_parts();
    let items = document.paths.paths.values_mut();
    let operations = items
        .flat_map(|item| [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete]);
    for answer in operations.flatten().flat_map(|operation| operation.responses.responses.values_mut()) {
        let RefOr::T(answer) = answer else { continue };
        let is_problem = |content: &RefOr<Content>| {
            let RefOr::T(Content { schema: Some(RefOr::Ref(schema)), .. }) = content else { return false };
            schema.ref_location.ends_with("/Problem")
        };
        if answer.content.get("application/json").is_some_and(is_problem)
            && let Some(content) = answer.content.swap_remove("application/json")
        {
            answer.content.insert(PROBLEM_TYPE.to_owned(), content);
        }
    }
    close_in_one_piece(&mut document);
    (rest, document)
}

/// A body that is made of two structs is `allOf` in the document, where each part refuses the fields of the other. It
/// is one object with the fields of both.
fn close_in_one_piece(document: &mut utoipa::openapi::OpenApi) {
    let Some(components) = &mut document.components else { return };
    let known = components.schemas.clone();
    let object = |part: &RefOr<Schema>| match part {
        RefOr::T(Schema::Object(object)) => Some(object.clone()),
        RefOr::Ref(part) => match known.get(part.ref_location.rsplit('/').next()?)? {
            RefOr::T(Schema::Object(object)) => Some(object.clone()),
            _ => None,
        },
        RefOr::T(_) => None,
    };
    for schema in components.schemas.values_mut() {
        let RefOr::T(Schema::AllOf(all)) = schema else { continue };
        let Some(parts) = all.items.iter().map(object).collect::<Option<Vec<_>>>() else { continue };
        if !parts.iter().any(|part| part.additional_properties.is_some()) {
            continue;
        }
        let mut whole = Object::new();
        whole.description.clone_from(&all.description);
        for part in parts {
            whole.properties.extend(part.properties);
            whole.required.extend(part.required);
            whole.additional_properties = part.additional_properties.or(whole.additional_properties);
        }
        *schema = RefOr::T(Schema::Object(whole));
    }
}

/// The OpenAPI document, as committed in `openapi/control.json`.
pub fn openapi_json() -> String {
    let (_, document) = rest_and_document();
    // A document of plain values always serialises.
    let mut text = document.to_pretty_json().unwrap_or_default();
    text.push('\n');
    text
}

/// All of the portal's listener.
pub(crate) fn build(control: Control) -> Router {
    let (rest, document) = rest_and_document();
    let operations = Arc::new(operations(&document));
    let gate = (control.clone(), Arc::clone(&operations));
    let rest = rest
        .route_layer(middleware::from_fn_with_state(gate, authenticate::gate))
        .layer(Extension(operations))
        .route("/openapi.json", get(|| async { ([("content-type", "application/json")], openapi_json()) }))
        .method_not_allowed_fallback(pages::no_method);
    let open = oauth::cross_origin::open;
    let shell = || get(pages::shell);
    Router::new()
        .nest(PREFIX, rest)
        .route("/oauth2/authorize", get(oauth::authorize::get).post(oauth::authorize::post))
        .route("/oauth2/consent", post(oauth::consent::post))
        .route("/oauth2/token", open(post(oauth::token::token), "POST"))
        .route("/oauth2/device_authorization", post(oauth::device::post))
        .route("/device", get(oauth::device_page::get).post(oauth::device_page::post))
        .route("/oauth2/revoke", open(post(oauth::revoke::revoke), "POST"))
        .route("/oauth2/register", post(oauth::register::post))
        .route(
            "/oauth2/register/{client_id}",
            get(oauth::register::get).put(oauth::register::put).delete(oauth::register::delete),
        )
        .route("/oauth2/introspect", post(oauth::introspect::introspect))
        .route("/oauth2/userinfo", open(get(oauth::userinfo::get).post(oauth::userinfo::get), "GET, POST"))
        .route("/oauth2/logout", get(oauth::logout::get).post(oauth::logout::post))
        .route("/oauth2/jwks", open(get(oauth::keys), "GET"))
        .route("/oauth2/backend-jwks", open(get(oauth::backend_keys), "GET"))
        .route("/.well-known/openid-configuration", open(get(oauth::discovery), "GET"))
        .route("/.well-known/oauth-authorization-server", open(get(oauth::discovery), "GET"))
        .route("/console/{*path}", any(console::open))
        .route("/healthz", get(health::live))
        .route("/readyz", get(health::ready))
        .route("/problems/{kind}", get(pages::problem_kind))
        .route("/", shell())
        .route("/sign-in", shell())
        .route("/sign-in/with/{id}", get(arrival::begin))
        .route("/sign-in/callback/{id}", get(arrival::finish))
        .route("/sign-up", shell())
        .route("/publisher", shell())
        .route("/publisher/{*path}", shell())
        .route("/devportal", shell())
        .route("/devportal/{*path}", shell())
        .route("/admin", shell())
        .route("/admin/{*path}", shell())
        .route("/account", shell())
        .route("/account/{*path}", shell())
        .route("/assets/{*path}", get(pages::asset))
        .fallback(pages::other)
        .method_not_allowed_fallback(pages::no_method)
        .layer(tower_http::compression::CompressionLayer::new())
        .layer(middleware::from_fn_with_state(control.clone(), pages::envelope))
        .with_state(control)
}
