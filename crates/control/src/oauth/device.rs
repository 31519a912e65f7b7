//! `POST /oauth2/device_authorization` (RFC 8628, section 3.1): a device asks for the codes that it and its person go on
//! with.

use axum::{
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use tidegate_model::{
    command::{Command, Refused},
    device::{DEVICE_CODE_MILLIS, DeviceCode},
    port::CommandError,
    user::{Actor, Secret},
};
use tidegate_oauth::{
    device::{self, DeviceResponse},
    grant::{self, GrantType},
    secret::{self, Kind},
};

use super::{Failure, client_and_form, device_page, no_store, scope};
use crate::{
    problem::Problem,
    state::{Control, Inner},
};

/// Codes that are tried where another device shows the same: of ten thousand devices that wait, one in two million meets
/// another's.
const TRIES: u32 = 3;

pub(crate) async fn post(State(Control(inner)): State<Control>, request: Request) -> Response {
    match answer(&inner, request).await {
        Ok(response) => no_store(axum::Json(response).into_response()),
        Err(failure) => failure.into_response(),
    }
}

async fn answer(inner: &Inner, request: Request) -> Result<DeviceResponse, Failure> {
    let (key, mut parameters) = client_and_form(inner, request).await?;
    grant::is_allowed(GrantType::DeviceCode, &key.grants)?;
    let scope = scope::asked_of_person(inner, &key, &device::asked(&mut parameters)?)?;
    for _ in 0..TRIES {
        let now = inner.now();
        let device_code = secret::generate(Kind::DeviceCode, &mut inner.random());
        let user_code = device::user_code(&mut inner.random());
        let kept = DeviceCode {
            code_hash: Secret(secret::hash(&device_code)),
            user_code_hash: Secret(secret::hash(&user_code)),
            client_id: key.client_id.clone(),
            scope: scope.clone(),
            created_at: now,
            expires_at: now.plus_millis(DEVICE_CODE_MILLIS),
            denied_at: None,
        };
        match inner.try_execute(&Actor::product(), Command::KeepDeviceCode(kept)).await {
            Ok(_) => {
                let page = format!("{}{}", inner.issuer.url(), device_page::PATH);
                return Ok(DeviceResponse::new(device_code, &user_code, page, DEVICE_CODE_MILLIS / 1_000));
            }
            Err(CommandError::Refused(Refused::Duplicate(_))) => {}
            Err(error) => return Err(Problem::from(error).into()),
        }
    }
    Err(Problem::Internal("no code for a device was free").into())
}
