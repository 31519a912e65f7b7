//! Executing self sign-up: the switch, and who asks for an account.

use sea_orm::{
    ActiveValue::{Set, Unchanged},
    ColumnTrait as _, Condition, ConnectionTrait, DbErr, EntityTrait as _, PaginatorTrait as _,
    QueryFilter as _,
};
use tidegate_model::{
    command::{AskForAccount, ChangeSignUp, Outcome},
    decide::people,
    sign_up::{SignUp, WAITING_MILLIS},
    user::{Account, UserState},
};

use super::{At, Done};
use crate::{entity, users, writer::Failed};

/// The row that there is one of.
const ROW: i32 = 1;

pub(crate) async fn find(connection: &impl ConnectionTrait) -> Result<SignUp, DbErr> {
    let row = entity::sign_up::Entity::find_by_id(ROW).one(connection).await?;
    let row = row.ok_or_else(|| DbErr::Custom("the row of self sign-up is missing".to_owned()))?;
    Ok(SignUp { is_open: row.is_open, etag: u64::try_from(row.etag).unwrap_or_default() })
}

fn waits() -> Condition {
    Condition::all().add(entity::user::Column::State.eq(UserState::Waiting.as_str()))
}

impl At<'_> {
    pub(super) async fn change_sign_up(&self, change: ChangeSignUp) -> Done {
        let was = find(self.db).await?;
        let is = people::change_sign_up(was, change, self.actor)?;
        let row = entity::sign_up::ActiveModel {
            id: Unchanged(ROW),
            is_open: Set(is.is_open),
            etag: Set(i64::try_from(is.etag).unwrap_or(i64::MAX)),
        };
        entity::sign_up::Entity::update(row).exec(self.db).await?;
        let told = if is.is_open { "opened sign-up" } else { "closed sign-up" };
        self.differs("sign-up", (told, ""), Some(&was), Some(&is)).await?;
        Ok(Outcome::SignUp(is))
    }

    pub(super) async fn ask_for_account(&self, asked: AskForAccount) -> Done {
        self.let_requests_lapse().await?;
        let waiting = entity::user::Entity::find().filter(waits()).count(self.db).await?;
        let user = people::ask_for_account(&asked, find(self.db).await?, waiting, self.now)?;
        let id = user.id.to_string();
        // Whether a name is somebody's is not told, neither by the answer nor by the time that it takes: both write.
        if users::by_name(self.db, &user.username).await?.is_some() {
            self.note("", "signed up under a name that is taken", &user.username).await?;
            return Ok(Outcome::Done);
        }
        let account = Account { user, password_hash: asked.password_hash };
        entity::user::Entity::insert(users::user_row(&account)?).exec_without_returning(self.db).await?;
        let told = ("signed up", account.user.username.as_str());
        self.differs(&id, told, None, Some(&account.user)).await?;
        Ok(Outcome::Done)
    }

    /// Who waited for too long waits no more.
    pub(crate) async fn let_requests_lapse(&self) -> Result<(), Failed> {
        let since = self.now.plus_millis(-WAITING_MILLIS).millis();
        let over = waits().add(entity::user::Column::CreatedAt.lte(since));
        let lapsed = entity::user::Entity::delete_many().filter(over).exec(self.db).await?.rows_affected;
        if lapsed > 0 {
            self.note("sign-up", "let requests lapse", &format!("{lapsed} that waited for 30 days")).await?;
        }
        Ok(())
    }
}
