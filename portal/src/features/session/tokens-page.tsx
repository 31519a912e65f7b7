// Personal access tokens: make one (shown once), see them, delete them.
import { Button, MultiSelect, NumberInput, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { asProblem, fieldErrors } from "../../api/problem";
import { tokenScopesQuery, tokensQuery, useCreateToken, useDeleteToken } from "../../api/tokens";
import { type Choice, ChoiceField } from "../../ui/choice-field";
import { Confirm } from "../../ui/confirm";
import { Address } from "../../ui/copy";
import { Notice } from "../../ui/notice";
import { Card, Measure, PageHead, Row, Stack, Table } from "../../ui/page";
import { RowAction } from "../../ui/row-action";
import { Empty, Loading, ProblemNotice } from "../../ui/states";
import { When } from "../../ui/when";

const DAYS_DEFAULT = 90;
/** What REST takes. */
const DAYS_MAX = 366;

const EXTENTS: Choice[] = [
  {
    word: "some",
    label: "Only what I choose",
    notices: "A script that loses it loses no more than that. What your roles do not allow is never in it.",
  },
  { word: "all", label: "Everything that my roles allow", notices: "Now and when your roles change." },
];

export function Component() {
  return (
    <Measure>
      <title>Personal access tokens · Tidegate</title>
      <PageHead title="Personal access tokens" crumbs={["Account"]} />
      <Stack>
        <NewToken />
        <Card title="Your tokens">
          <TokenList />
        </Card>
      </Stack>
    </Measure>
  );
}

function NewToken() {
  const create = useCreateToken();
  const form = useForm({
    initialValues: { name: "", days: DAYS_DEFAULT as number | "", may: "some", scopes: [] as string[] },
    validate: {
      name: (text) => (text.trim() === "" ? "Say what the token is for." : null),
      scopes: (chosen, { may }) =>
        may === "some" && chosen.length === 0 ? "Choose what the token may read or change." : null,
    },
  });
  const submit = form.onSubmit(({ name, days, may, scopes }) =>
    create.mutate(
      { name, ...(days !== "" && { expires_in_days: days }), ...(may === "some" && { scopes }) },
      {
        onSuccess: () => form.reset(),
        onError: (problem) =>
          form.setErrors(
            fieldErrors(problem, { "/name": "name", "/expires_in_days": "days", "/scopes": "scopes" }).fields,
          ),
      },
    ),
  );
  return (
    <Card title="New token">
      <form onSubmit={submit} noValidate>
        <Stack>
          <p>A script presents it as “Authorization: Bearer …”.</p>
          {create.error && <ProblemNotice problem={create.error} />}
          <Row>
            <TextInput label="What it is for" {...form.getInputProps("name")} />
            <NumberInput
              label="Days until it expires"
              min={1}
              max={DAYS_MAX}
              {...form.getInputProps("days")}
            />
          </Row>
          <ChoiceField
            label="What it may do"
            choices={EXTENTS}
            value={form.values.may}
            onChange={(may) => form.setFieldValue("may", may)}
          />
          {form.values.may === "some" && (
            <ScopesField
              value={form.values.scopes}
              onChange={(scopes) => form.setFieldValue("scopes", scopes)}
              error={form.errors.scopes}
            />
          )}
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

function ScopesField(props: { value: string[]; onChange: (scopes: string[]) => void; error?: ReactNode }) {
  const scopes = useQuery(tokenScopesQuery);
  if (scopes.isPending) return <Loading lines={1} />;
  if (scopes.isError) {
    return <ProblemNotice problem={asProblem(scopes.error)} onRetry={() => scopes.refetch()} />;
  }
  return (
    <MultiSelect
      label="Resources"
      description="The first part of an address of REST, and whether it is read or changed."
      data={scopes.data}
      searchable
      {...props}
    />
  );
}

function TokenList() {
  const tokens = useQuery(tokensQuery);
  const remove = useDeleteToken();
  const [asked, setAsked] = useState<{ id: string; name: string } | null>(null);
  if (tokens.isPending) return <Loading lines={2} />;
  if (tokens.isError)
    return <ProblemNotice problem={asProblem(tokens.error)} onRetry={() => tokens.refetch()} />;
  if (tokens.data.length === 0) {
    return <Empty title="No tokens yet">Make one above when a script should speak to the REST API.</Empty>;
  }
  return (
    <>
      <Table
        caption="Personal access tokens"
        head={["Name", "For", "Created", "Last used", "Expires", "Actions"]}
      >
        {tokens.data.map((token) => (
          <tr key={token.id}>
            <td>{token.name}</td>
            <td>{token.scopes?.join(", ") ?? "everything"}</td>
            <td>
              <When at={token.created_at} />
            </td>
            <td>{token.seen_at ? <When at={token.seen_at} /> : "never"}</td>
            <td>{token.expires_at ? <When at={token.expires_at} /> : "never"}</td>
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
        onConfirm={() => asked && remove.mutate({ id: asked.id }, { onSettled: () => setAsked(null) })}
      >
        <p>Scripts that present it are refused from now on.</p>
      </Confirm>
      {remove.error && <ProblemNotice problem={remove.error} />}
    </>
  );
}
