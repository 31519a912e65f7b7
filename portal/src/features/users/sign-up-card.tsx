// Self sign-up as administrators have it: the switch, and who waits for an answer.
import { Button, Modal, Switch } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { asProblem } from "../../api/problem";
import { signUpQuery, useUpdateSignUp } from "../../api/sign-up";
import type { User } from "../../api/types";
import { useApproveUser, useRefuseUser, waitingUsersQuery } from "../../api/users";
import { Confirm } from "../../ui/confirm";
import { Card, Row, Stack, Table } from "../../ui/page";
import { RowAction } from "../../ui/row-action";
import { Loading, ProblemNotice } from "../../ui/states";
import { When } from "../../ui/when";
import { RoleChoice } from "../roles/role-choice";

export function SignUpCard() {
  const state = useQuery(signUpQuery);
  const waiting = useQuery(waitingUsersQuery);
  const update = useUpdateSignUp();
  return (
    <Card title="Sign-up">
      <Stack>
        {update.error && <ProblemNotice problem={update.error} />}
        {state.isPending ? (
          <Loading lines={1} />
        ) : state.isError ? (
          <ProblemNotice problem={asProblem(state.error)} onRetry={() => state.refetch()} />
        ) : (
          <Switch
            label="People may sign up by themselves"
            description="Whoever does waits here, without any role, until you approve."
            checked={state.data.open}
            disabled={update.isPending}
            onChange={() => update.mutate({ open: !state.data.open, etag: state.data.etag })}
          />
        )}
        {waiting.isError ? (
          <ProblemNotice problem={asProblem(waiting.error)} onRetry={() => waiting.refetch()} />
        ) : (
          waiting.data && waiting.data.length > 0 && <Waiting users={waiting.data} />
        )}
      </Stack>
    </Card>
  );
}

function Waiting({ users }: { users: User[] }) {
  const [approving, setApproving] = useState<User | null>(null);
  const [refusing, setRefusing] = useState<User | null>(null);
  const refuse = useRefuseUser();
  const stop = () => setRefusing(null);
  return (
    <>
      {refuse.error && <ProblemNotice problem={refuse.error} />}
      <Table caption="Waiting for approval" head={["Name", "Since", "Actions"]}>
        {users.map((user) => (
          <tr key={user.id}>
            <td>{user.username}</td>
            <td>
              <When at={user.created_at} />
            </td>
            <td>
              <Row>
                <Button
                  size="compact-sm"
                  aria-label={`Approve ${user.username}`}
                  onClick={() => setApproving(user)}
                >
                  Approve
                </Button>
                <RowAction name={`Refuse ${user.username}`} onClick={() => setRefusing(user)}>
                  Refuse
                </RowAction>
              </Row>
            </td>
          </tr>
        ))}
      </Table>
      <Modal
        opened={approving !== null}
        onClose={() => setApproving(null)}
        title={`Approve ${approving?.username ?? ""}`}
        closeButtonProps={{ "aria-label": "Close" }}
      >
        {approving && <Approve user={approving} onDone={() => setApproving(null)} />}
      </Modal>
      <Confirm
        opened={refusing !== null}
        title={`Refuse ${refusing?.username ?? ""}?`}
        action="Refuse"
        destructive
        busy={refuse.isPending}
        onClose={stop}
        onConfirm={() => refusing && refuse.mutate(refusing.id, { onSettled: stop })}
      >
        <p>The request is deleted, and the name is free again.</p>
      </Confirm>
    </>
  );
}

function Approve({ user, onDone }: { user: User; onDone: () => void }) {
  const approve = useApproveUser();
  const [roles, setRoles] = useState(user.roles.length > 0 ? user.roles : ["subscriber"]);
  return (
    <Stack>
      {approve.error && <ProblemNotice problem={approve.error} />}
      <RoleChoice label="Roles" explained value={roles} onChange={setRoles} />
      <div>
        <Button
          loading={approve.isPending}
          onClick={() => approve.mutate({ id: user.id, roles }, { onSuccess: onDone })}
        >
          Approve
        </Button>
      </div>
    </Stack>
  );
}
