//! Certificates of an application: by them its programs say in TLS who they are. Nothing of them is secret.

use axum::{extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use tidegate_model::{
    application::Certificate,
    command::{Command, Outcome},
    id::CertificateId,
    rule::FieldProblem,
    time::Timestamp,
};
use tidegate_oauth::certificate::{self, BadCertificate, CERTIFICATE_BYTES_MAX};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{keys::environment, own};
use crate::{
    authenticate::Caller,
    body::{Answer, Created, InPath, Json},
    list::List,
    problem::{Problem, ProblemDocument},
    state::Control,
};

/// A certificate to be added.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewCertificate {
    /// What you call it.
    #[schema(example = "Weather station")]
    name: String,
    /// `production` or `sandbox`.
    #[serde(rename = "type")]
    #[schema(example = "production")]
    environment: String,
    /// The client's own certificate as PEM, without its chain and without its key. It may be self-signed: it is believed
    /// since you name it.
    #[schema(example = "-----BEGIN CERTIFICATE-----\n…\n-----END CERTIFICATE-----")]
    certificate: String,
}

/// A certificate as it is listed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Certificate)]
pub(crate) struct CertificateAnswer {
    id: Uuid,
    name: String,
    #[serde(rename = "type")]
    environment: &'static str,
    /// SHA-256 of the certificate as DER, in base64url (`x5t#S256` of RFC 8705).
    #[schema(example = "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2")]
    thumbprint: String,
    /// Whom the certificate names.
    #[schema(example = "CN=station-7")]
    subject: String,
    /// From when it is valid.
    begins_at: String,
    /// From when it is not valid any more; its sessions end then.
    expires_at: String,
    created_at: String,
}

impl From<Certificate> for CertificateAnswer {
    fn from(certificate: Certificate) -> Self {
        Self {
            id: certificate.id.0,
            name: certificate.name,
            environment: certificate.environment.as_str(),
            thumbprint: certificate.thumbprint,
            subject: certificate.subject,
            begins_at: certificate.begins_at.rfc3339(),
            expires_at: certificate.expires_at.rfc3339(),
            created_at: certificate.created_at.rfc3339(),
        }
    }
}

/// The last second that is written with a year of four digits: what a certificate without an end says (RFC 5280, section
/// 4.1.2.5).
const LAST_SECOND: i64 = 253_402_300_799;

/// What of a text cannot be used, beside its field.
fn unusable(error: BadCertificate) -> Problem {
    let (code, detail) = match error {
        BadCertificate::NotPem => {
            ("malformed", "Paste a certificate as PEM: -----BEGIN CERTIFICATE----- and so on.".to_owned())
        }
        BadCertificate::PrivateKey => {
            let detail =
                "A private key is in this text. Keep it to yourself, and paste the certificate alone.";
            ("private_key", detail.to_owned())
        }
        BadCertificate::Several => {
            let detail =
                "More than one certificate is in this text. Paste the client's own, without its chain.";
            ("several", detail.to_owned())
        }
        BadCertificate::TooLong => {
            ("too_long", format!("A certificate has at most {CERTIFICATE_BYTES_MAX} bytes."))
        }
        BadCertificate::Malformed => {
            ("malformed", "This certificate cannot be read. Paste it as it was issued.".to_owned())
        }
        BadCertificate::Version => {
            let detail = "This certificate is older than version 3 of X.509, and no TLS library takes it. Make another.";
            ("version", detail.to_owned())
        }
        BadCertificate::Key => {
            let detail = "The certificate's key must be RSA of 2,048 to 8,192 bits, ECDSA on P-256, P-384 or P-521, or \
                          Ed25519. Make another.";
            ("unsupported_key", detail.to_owned())
        }
    };
    Problem::Validation(vec![FieldProblem::new("/certificate", code, detail)])
}

/// Add a certificate by which programs of the application say in TLS who they are
#[utoipa::path(post, path = "/applications/{id}/certificates", tag = "keys", operation_id = "addCertificate",
    request_body = NewCertificate, params(("id" = Uuid, Path)),
    responses((status = 201, body = CertificateAnswer), (status = "default", body = ProblemDocument)))]
pub(crate) async fn create(
    State(Control(inner)): State<Control>,
    caller: Caller,
    InPath(id): InPath<Uuid>,
    Json(input): Json<NewCertificate>,
) -> Result<Created<Answer<CertificateAnswer>>, Problem> {
    let application = own(&inner, &caller, id).await?.id;
    let environment = environment(&input.environment)?;
    let read = certificate::from_pem(&input.certificate).map_err(unusable)?;
    let command = Command::AddCertificate(Box::new(Certificate {
        id: CertificateId::new(inner.now(), inner.ports.entropy.id_bytes()),
        application,
        environment,
        name: input.name,
        thumbprint: read.thumbprint,
        subject: read.subject,
        begins_at: Timestamp::from_seconds(read.begins_at),
        // It is valid for all of its last second.
        expires_at: Timestamp::from_seconds(read.ends_at.saturating_add(1).min(LAST_SECOND)),
        created_at: inner.now(),
    }));
    match inner.execute(&caller.actor(), command).await? {
        Outcome::Certificate(added) => {
            Ok(Created(format!("/api/v1/applications/{id}/certificates"), Answer((*added).into())))
        }
        _ => Err(Problem::Internal("a command answered something else")),
    }
}

/// Certificates of an application
#[utoipa::path(get, path = "/applications/{id}/certificates", tag = "keys", operation_id = "listCertificates",
    params(("id" = Uuid, Path)),
    responses((status = 200, body = List<CertificateAnswer>), (status = "default", body = ProblemDocument)))]
pub(crate) async fn list(
    State(Control(inner)): State<Control>,
    caller: Caller,
    InPath(id): InPath<Uuid>,
) -> Result<Answer<List<CertificateAnswer>>, Problem> {
    let application = own(&inner, &caller, id).await?;
    let found = inner.ports.catalog.certificates(application.id).await?;
    Ok(Answer(List::whole(found.into_iter().map(CertificateAnswer::from).collect())))
}

/// Remove a certificate; its live sessions are closed
#[utoipa::path(delete, path = "/applications/{id}/certificates/{certificate_id}", tag = "keys",
    operation_id = "deleteCertificate", params(("id" = Uuid, Path), ("certificate_id" = Uuid, Path)),
    responses((status = 204, description = "Removed"), (status = "default", body = ProblemDocument)))]
pub(crate) async fn delete(
    State(Control(inner)): State<Control>,
    caller: Caller,
    InPath((id, certificate_id)): InPath<(Uuid, Uuid)>,
) -> Result<StatusCode, Problem> {
    let application = own(&inner, &caller, id).await?.id;
    let command = Command::DeleteCertificate { application, id: CertificateId(certificate_id) };
    inner.execute(&caller.actor(), command).await?;
    Ok(StatusCode::NO_CONTENT)
}
