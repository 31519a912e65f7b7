// One user: roles, whether they may sign in, a password for one time, and deletion with what becomes of their
// applications.
import { Anchor, Button, NativeSelect } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link, useNavigate, useParams } from "react-router";
import { portalSessionsQuery, useEndSessions } from "../../api/portal-sessions";
import { asProblem } from "../../api/problem";
import { useSession } from "../../api/session";
import type { UserDetail } from "../../api/types";
import { activeUsersQuery, useDeleteUser, useResetPassword, userQuery, useUpdateUser } from "../../api/users";
import { paths } from "../../lib/paths";
import { Confirm } from "../../ui/confirm";
import { Card, Facts, PageHead, Row, Stack } from "../../ui/page";
import { PortalSessionList } from "../../ui/portal-session-list";
import { Loading, ProblemNotice } from "../../ui/states";
import { When } from "../../ui/when";
import { RoleChoice } from "../roles/role-choice";
import { PasswordOnce } from "./password-once";
import { UserBadges } from "./user-badges";

type Tagged = UserDetail & { etag: string };

export function Component() {
  const { id = "" } = useParams();
  const user = useQuery(userQuery(id));
  const back = (
    <Anchor key="all" component={Link} to={paths.users()} inherit>
      Users
    </Anchor>
  );
  if (user.isPending) return <Loading />;
  if (user.isError) {
    const problem = asProblem(user.error);
    const retry = problem.isNotFound ? {} : { onRetry: () => user.refetch() };
    return <ProblemNotice problem={problem} action={back} {...retry} />;
  }
  return (
    <>
      <title>{`${user.data.username} · Tidegate admin`}</title>
      <PageHead crumbs={[back]} title={user.data.username} badge={<UserBadges user={user.data} />} />
      <Stack>
        <Card title="Account">
          <Facts
            of={[
              ["Created", <When key="c" at={user.data.created_at} />],
              ["Applications", String(user.data.applications)],
              ["Signs in with a password", user.data.has_password ? "yes" : "no"],
              ...user.data.identities.map(({ issuer, subject }): [string, string] => [
                `Known at ${issuer} as`,
                subject,
              ]),
            ]}
          />
        </Card>
        {/* What is typed here belongs to the state that was read. */}
        <Roles key={user.data.etag} user={user.data} />
        <Access user={user.data} />
        <Sessions id={user.data.id} />
      </Stack>
    </>
  );
}

function Roles({ user }: { user: Tagged }) {
  const update = useUpdateUser();
  const [roles, setRoles] = useState(user.roles);
  const waits = user.state === "waiting";
  const same = roles.length === user.roles.length && roles.every((role) => user.roles.includes(role));
  return (
    <Card title="Roles">
      <Stack>
        {update.error && <ProblemNotice problem={update.error} />}
        <RoleChoice label="Roles" explained value={roles} onChange={setRoles} />
        <div>
          <Button
            disabled={same && !waits}
            loading={update.isPending}
            onClick={() =>
              update.mutate({ id: user.id, etag: user.etag, roles, state: waits ? "active" : user.state })
            }
          >
            {waits ? "Approve" : "Save roles"}
          </Button>
        </div>
      </Stack>
    </Card>
  );
}

function Sessions({ id }: { id: string }) {
  const sessions = useQuery(portalSessionsQuery(id));
  const end = useEndSessions(id);
  return (
    <Card title="Portal sessions">
      {sessions.isPending ? (
        <Loading lines={2} />
      ) : sessions.isError ? (
        <ProblemNotice problem={asProblem(sessions.error)} onRetry={() => sessions.refetch()} />
      ) : sessions.data.length === 0 ? (
        <p>Not signed in anywhere.</p>
      ) : (
        <PortalSessionList
          sessions={sessions.data}
          onEnd={(session, done) => end.mutate(session, { onSettled: done })}
          busy={end.isPending}
          problem={end.error}
          endAll="Sign out everywhere"
        />
      )}
    </Card>
  );
}

type Asked = "disable" | "reset" | "delete" | null;

function Access({ user }: { user: Tagged }) {
  const session = useSession();
  const update = useUpdateUser();
  const reset = useResetPassword();
  const [asked, setAsked] = useState<Asked>(null);
  const close = () => setAsked(null);
  if (session.data?.user.id === user.id) {
    return (
      <Card title="Access">
        <p>
          This is you. Another administrator can disable or delete you; your password is chosen in{" "}
          <Anchor component={Link} to={paths.password()} inherit>
            your account
          </Anchor>
          .
        </p>
      </Card>
    );
  }
  const { id, etag, roles } = user;
  const applications =
    user.applications === 1 ? "Their application" : `Their ${user.applications} applications`;
  return (
    <Card title="Access">
      <Stack>
        {(update.error ?? reset.error) && (
          <ProblemNotice problem={(update.error ?? reset.error) as NonNullable<typeof update.error>} />
        )}
        {reset.data && <PasswordOnce username={user.username} password={reset.data.one_time_password} />}
        <Row>
          {user.state === "disabled" ? (
            <Button
              variant="default"
              loading={update.isPending}
              onClick={() => update.mutate({ id, etag, roles, state: "active" })}
            >
              Enable
            </Button>
          ) : (
            user.state === "active" && (
              <Button variant="default" onClick={() => setAsked("disable")}>
                Disable
              </Button>
            )
          )}
          <Button variant="default" onClick={() => setAsked("reset")}>
            Reset password
          </Button>
          <Button variant="default" onClick={() => setAsked("delete")}>
            Delete
          </Button>
        </Row>
      </Stack>
      <Confirm
        opened={asked === "disable"}
        title={`Disable ${user.username}?`}
        action="Disable"
        destructive
        busy={update.isPending}
        onClose={close}
        onConfirm={() => update.mutate({ id, etag, roles, state: "disabled" }, { onSettled: close })}
      >
        <p>
          Portal sessions end now, and personal access tokens are refused. Access tokens that clients have for{" "}
          {user.username} end, and their live sessions close.
        </p>
        {user.applications > 0 && (
          <p>
            {applications} get no access tokens, and their live sessions close, until you enable them again.
          </p>
        )}
      </Confirm>
      <Confirm
        opened={asked === "reset"}
        title={`Reset the password of ${user.username}?`}
        action="Reset password"
        busy={reset.isPending}
        onClose={close}
        onConfirm={() => reset.mutate(id, { onSettled: close })}
      >
        <p>
          The present password and open portal sessions end. Personal access tokens are refused until another
          password is chosen.
        </p>
      </Confirm>
      <Delete user={user} opened={asked === "delete"} onClose={close} />
    </Card>
  );
}

function Delete({ user, opened, onClose }: { user: Tagged; opened: boolean; onClose: () => void }) {
  const remove = useDeleteUser();
  const navigate = useNavigate();
  const users = useQuery({ ...activeUsersQuery(), enabled: opened && user.applications > 0 });
  const [heir, setHeir] = useState("");
  const others = (users.data?.items ?? []).filter(({ id }) => id !== user.id);
  const { id, etag } = user;
  return (
    <Confirm
      opened={opened}
      title={`Delete ${user.username}?`}
      action="Delete user"
      destructive
      busy={remove.isPending}
      onClose={onClose}
      onConfirm={() =>
        remove.mutate({ id, etag, ...(heir && { heir }) }, { onSuccess: () => navigate(paths.users()) })
      }
    >
      {remove.error && <ProblemNotice problem={remove.error} />}
      <p>
        Portal sessions, personal access tokens and the access tokens that clients have for {user.username}{" "}
        end, and live sessions of those close. APIs and the audit log stay.
      </p>
      {user.applications > 0 && (
        <NativeSelect
          label={`Who takes over ${user.applications === 1 ? "the application" : `the ${user.applications} applications`}`}
          description="Keys, subscriptions and live sessions go on."
          value={heir}
          onChange={(event) => setHeir(event.currentTarget.value)}
          data={[
            { value: "", label: "Choose somebody" },
            ...others.map((other) => ({ value: other.id, label: other.username })),
          ]}
        />
      )}
    </Confirm>
  );
}
