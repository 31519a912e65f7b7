//! Certificates of applications, and changes to them.

use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, QueryFilter as _,
    QueryOrder as _,
};
use tidegate_model::{
    application::{CERTIFICATES_MAX, Certificate},
    command::{Command, Outcome, Refused},
    id::{ApplicationId, CertificateId},
    rule::{self, FieldProblem},
};

use crate::{
    entity::certificate::{ActiveModel, Column, Entity},
    execute::{At, Done},
    reads::{parsed, written},
    writer::Failed,
};

/// Certificates of an application, oldest first: ids are of version 7.
pub(crate) async fn of_application(
    connection: &impl ConnectionTrait,
    application: ApplicationId,
) -> Result<Vec<Certificate>, DbErr> {
    let rows = Entity::find()
        .filter(Column::ApplicationId.eq(application.to_string()))
        .order_by_asc(Column::Id)
        .all(connection)
        .await?;
    rows.iter().map(|row| parsed(&row.body)).collect()
}

impl At<'_> {
    pub(crate) async fn change_certificate(&self, command: Command) -> Done {
        match command {
            Command::AddCertificate(added) => {
                self.add_certificate(Certificate { created_at: self.now, ..*added }).await
            }
            Command::DeleteCertificate { application, id } => {
                let certificate = self.own_certificate(application, id).await?;
                Entity::delete_by_id(id.to_string()).exec(self.db).await?;
                let told = ("removed a certificate", certificate.name.as_str());
                self.differs(&application.to_string(), told, Some(&certificate), None).await?;
                self.bump().await?;
                Ok(Outcome::Done)
            }
            _ => Err(DbErr::Custom("not a change to a certificate".to_owned()).into()),
        }
    }

    async fn add_certificate(&self, certificate: Certificate) -> Done {
        let application = self.own_application(certificate.application).await?;
        let mut problems = Vec::new();
        rule::certificate(&certificate, self.now, &mut problems);
        if !problems.is_empty() {
            return Err(Refused::Invalid(problems).into());
        }
        if of_application(self.db, application.id).await?.len() >= CERTIFICATES_MAX {
            let detail =
                format!("An application has at most {CERTIFICATES_MAX} certificates. Remove one first.");
            return Err(Refused::conflict(detail).into());
        }
        let twin = Entity::find().filter(Column::Thumbprint.eq(&certificate.thumbprint)).one(self.db).await?;
        if let Some(twin) = twin {
            // Of whom, is not said to who does not own it.
            let detail = if twin.application_id == application.id.to_string() {
                "This application has this certificate already. Remove it first to name it anew."
            } else {
                "Another application has this certificate. A certificate is one application's: make another."
            };
            return Err(Refused::Duplicate(FieldProblem::new("/certificate", "duplicate", detail)).into());
        }
        let row = ActiveModel {
            id: Set(certificate.id.to_string()),
            application_id: Set(application.id.to_string()),
            thumbprint: Set(certificate.thumbprint.clone()),
            body: Set(written(&certificate)?),
        };
        Entity::insert(row).exec_without_returning(self.db).await?;
        let told = ("added a certificate", certificate.name.as_str());
        self.differs(&application.id.to_string(), told, None, Some(&certificate)).await?;
        self.bump().await?;
        Ok(Outcome::Certificate(Box::new(certificate)))
    }

    async fn own_certificate(
        &self,
        application: ApplicationId,
        id: CertificateId,
    ) -> Result<Certificate, Failed> {
        self.own_application(application).await?;
        let found = of_application(self.db, application).await?;
        found.into_iter().find(|one| one.id == id).ok_or_else(|| Refused::NotFound("certificate").into())
    }
}
