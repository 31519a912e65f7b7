// Registration tokens: make one (shown once), see how often each was used and whether it still works, take it back.
import { Button, NativeSelect, NumberInput, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { RegistrationToken } from "../../api/generated";
import { asProblem, fieldErrors } from "../../api/problem";
import {
  registrationTokensQuery,
  useCreateRegistrationToken,
  useDeleteRegistrationToken,
} from "../../api/registration-tokens";
import { useSession } from "../../api/session";
import { count } from "../../lib/format";
import { Confirm } from "../../ui/confirm";
import { Address } from "../../ui/copy";
import { Notice } from "../../ui/notice";
import { Card, Dim, Measure, PageHead, Row, Stack, Table } from "../../ui/page";
import { RowAction } from "../../ui/row-action";
import { Empty, Loading, ProblemNotice } from "../../ui/states";
import { When } from "../../ui/when";
import { ADMIN_CRUMB } from "./crumb";

/** What REST takes. */
const USES_MAX = 10_000;
const DAYS_MAX = 366;
const DAYS_DEFAULT = 30;

const STATES: Record<string, string> = {
  active: "Works",
  expired: "Expired",
  used_up: "Used up",
  owner_may_not: "Its owner is disabled or may not have applications",
};

export function Component() {
  return (
    <Measure>
      <title>Registration tokens · Tidegate</title>
      <PageHead title="Registration tokens" crumbs={[ADMIN_CRUMB]} />
      <Stack>
        <NewToken />
        <Card title="Tokens">
          <TokenList />
        </Card>
      </Stack>
    </Measure>
  );
}

function NewToken() {
  const create = useCreateRegistrationToken();
  const session = useSession();
  const form = useForm({
    initialValues: {
      name: "",
      owner: "",
      type: "production",
      uses: 1 as number | "",
      days: DAYS_DEFAULT as number | "",
    },
    validate: {
      name: (text) => (text.trim() === "" ? "Say what registers with it." : null),
      uses: (uses) => (uses === "" ? "Say how many clients it registers." : null),
      days: (days) => (days === "" ? "Say how many days it is good." : null),
    },
  });
  const names = {
    "/name": "name",
    "/owner": "owner",
    "/type": "type",
    "/uses_max": "uses",
    "/expires_in_days": "days",
  };
  const submit = form.onSubmit(({ name, owner, type, uses, days }) =>
    create.mutate(
      {
        name,
        type,
        ...(owner.trim() !== "" && { owner: owner.trim() }),
        uses_max: Number(uses),
        expires_in_days: Number(days),
      },
      {
        onSuccess: () => form.reset(),
        onError: (problem) => form.setErrors(fieldErrors(problem, names).fields),
      },
    ),
  );
  return (
    <Card title="New token">
      <form onSubmit={submit} noValidate>
        <Stack>
          <p>
            A program presents it at <code>/oauth2/register</code> and becomes an application of the owner,
            with a key. It opens nothing before somebody subscribes it.
          </p>
          {create.error && <ProblemNotice problem={create.error} />}
          <Row>
            <TextInput
              label="What registers with it"
              description="New applications say that they came by it"
              withAsterisk
              {...form.getInputProps("name")}
            />
            <TextInput
              label="Owner of the applications"
              description="A user name"
              placeholder={session.data?.user.username}
              autoCapitalize="none"
              autoComplete="off"
              spellCheck={false}
              {...form.getInputProps("owner")}
            />
          </Row>
          <Row>
            <NativeSelect
              label="Keys for"
              data={[
                { value: "production", label: "Production" },
                { value: "sandbox", label: "Sandbox" },
              ]}
              {...form.getInputProps("type")}
            />
            <NumberInput
              label="Clients that it registers"
              min={1}
              max={USES_MAX}
              {...form.getInputProps("uses")}
            />
            <NumberInput
              label="Days until it expires"
              min={1}
              max={DAYS_MAX}
              {...form.getInputProps("days")}
            />
          </Row>
          <div>
            <Button type="submit" loading={create.isPending}>
              Create token
            </Button>
          </div>
          {create.data && (
            <Notice tone="good" title="Copy it now: it is shown this once" live>
              <Address value={create.data.token} label="token" />
            </Notice>
          )}
        </Stack>
      </form>
    </Card>
  );
}

function TokenList() {
  const tokens = useQuery(registrationTokensQuery);
  const remove = useDeleteRegistrationToken();
  const [asked, setAsked] = useState<RegistrationToken | null>(null);
  if (tokens.isPending) return <Loading lines={2} />;
  if (tokens.isError) {
    return <ProblemNotice problem={asProblem(tokens.error)} onRetry={() => tokens.refetch()} />;
  }
  if (tokens.data.length === 0) {
    return (
      <Empty title="No program registers itself">
        Make a token above for an installer or a fleet that should make its own clients.
      </Empty>
    );
  }
  return (
    <>
      {remove.error && <ProblemNotice problem={remove.error} />}
      <Table
        caption="Registration tokens"
        head={["Token", "Applications of", "Registered", "Last used", "Expires", "State", "Actions"]}
      >
        {tokens.data.map((token) => (
          <tr key={token.id}>
            <td>
              {token.name}
              <div>
                <Dim>
                  <code>{token.prefix}…</code>, made <When at={token.created_at} /> by {token.created_by}
                </Dim>
              </div>
            </td>
            <td>
              {token.owner}, {token.type}
            </td>
            <td>
              {count(token.used)} of {count(token.uses_max)}
            </td>
            <td>{token.last_used_at ? <When at={token.last_used_at} /> : "never"}</td>
            <td>
              <When at={token.expires_at} />
            </td>
            <td>{STATES[token.state] ?? token.state}</td>
            <td>
              <RowAction name={`Delete ${token.name}`} onClick={() => setAsked(token)}>
                Delete
              </RowAction>
            </td>
          </tr>
        ))}
      </Table>
      <Confirm
        opened={asked !== null}
        title={`Delete “${asked?.name ?? ""}”?`}
        action="Delete token"
        destructive
        busy={remove.isPending}
        onClose={() => setAsked(null)}
        onConfirm={() => asked && remove.mutate(asked, { onSettled: () => setAsked(null) })}
      >
        <p>Nothing registers with it from now on. Clients that did stay as they are.</p>
      </Confirm>
    </>
  );
}
