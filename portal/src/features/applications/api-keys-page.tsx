// The API keys of an application: made (shown once), seen by how they begin, made anew, deleted.
import { Button, NumberInput, SegmentedControl, Textarea, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { apiKeysQuery, useCreateApiKey, useDeleteApiKey, useRenewApiKey } from "../../api/applications";
import { asProblem, fieldErrors } from "../../api/problem";
import { type ApiKey, type Application, ENVIRONMENTS, type Environment } from "../../api/types";
import { title } from "../../lib/format";
import { Confirm } from "../../ui/confirm";
import { Address } from "../../ui/copy";
import { Notice } from "../../ui/notice";
import { Card, Dim, Row, Stack, Table } from "../../ui/page";
import { RowAction } from "../../ui/row-action";
import { Empty, Loading, ProblemNotice } from "../../ui/states";
import { When } from "../../ui/when";
import { useApplication } from "./application-frame";

const DAYS_DEFAULT = 90;
const DAYS_MAX = 3_650;

export function Component() {
  const application = useApplication();
  return (
    <>
      <title>{`API keys · ${application.name}`}</title>
      <NewApiKeyCard application={application} />
      <Card title="API keys">
        <ApiKeyList application={application} />
      </Card>
    </>
  );
}

/** Lines and commas part entries; what is empty is none. */
const entries = (text: string): string[] =>
  text
    .split(/[\n,]/)
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");

function NewApiKeyCard({ application }: { application: Application }) {
  const create = useCreateApiKey(application.id);
  const form = useForm({
    initialValues: {
      name: "",
      type: "production" as Environment,
      days: DAYS_DEFAULT as number | "",
      addresses: "",
      referers: "",
    },
    validate: { name: (text) => (text.trim() === "" ? "Say what the key is for." : null) },
  });
  const submit = form.onSubmit(({ name, type, days, addresses, referers }) => {
    const lists = { addresses: entries(addresses), referers: entries(referers) };
    create.mutate(
      { name, type, ...lists, ...(days !== "" && { expires_in_days: days }) },
      {
        onSuccess: () => form.reset(),
        onError: (problem) => {
          const fields: Record<string, string> = { "/name": "name", "/expires_in_days": "days" };
          for (const list of ["addresses", "referers"] as const) {
            fields[`/${list}`] = list;
            lists[list].forEach((_, place) => {
              fields[`/${list}/${place}`] = list;
            });
          }
          form.setErrors(fieldErrors(problem, fields).fields);
        },
      },
    );
  });
  return (
    <Card title="New API key">
      <form onSubmit={submit} noValidate>
        <Stack>
          <Dim>
            A key is presented as it is, in the header ApiKey or the query parameter apikey unless an API says
            other names, to APIs that accept API keys and that this application is subscribed to.
          </Dim>
          {create.error && <ProblemNotice problem={create.error} />}
          <Row>
            <TextInput label="What it is for" {...form.getInputProps("name")} />
            <NumberInput
              label="Days until it expires"
              placeholder="never"
              min={1}
              max={DAYS_MAX}
              {...form.getInputProps("days")}
            />
            <SegmentedControl
              aria-label="Environment"
              data={ENVIRONMENTS.map((word) => ({ value: word, label: title(word) }))}
              {...form.getInputProps("type")}
            />
          </Row>
          <Textarea
            label="Addresses it may be used from"
            description="One address or network a line, like 192.0.2.0/24 or 2001:db8::/32. Default: from everywhere."
            autosize
            spellCheck={false}
            {...form.getInputProps("addresses")}
          />
          <Textarea
            label="Web pages it may be used from"
            description="One origin a line, like https://app.example.com or https://*.example.com. Then a client that names no page is refused. Default: from every page."
            autosize
            spellCheck={false}
            {...form.getInputProps("referers")}
          />
          <div>
            <Button type="submit" loading={create.isPending}>
              Create API key
            </Button>
          </div>
          {create.data && (
            <Notice tone="good" title="Copy it now: it is shown this once" live>
              <Address value={create.data.key} label="API key" long />
            </Notice>
          )}
        </Stack>
      </form>
    </Card>
  );
}

function places({ addresses, referers }: ApiKey): string {
  const all = [...addresses, ...referers];
  return all.length === 0 ? "everywhere" : all.join(", ");
}

function ApiKeyList({ application }: { application: Application }) {
  const keys = useQuery(apiKeysQuery(application.id));
  const renew = useRenewApiKey(application.id);
  const remove = useDeleteApiKey(application.id);
  const [asked, setAsked] = useState<{ act: "renew" | "delete"; key: ApiKey } | null>(null);
  if (keys.isPending) return <Loading lines={2} />;
  if (keys.isError) return <ProblemNotice problem={asProblem(keys.error)} onRetry={() => keys.refetch()} />;
  const close = () => setAsked(null);
  const confirmed = () => {
    if (asked?.act === "renew") renew.mutate({ id: asked.key.id }, { onSettled: close });
    if (asked?.act === "delete") remove.mutate({ id: asked.key.id }, { onSettled: close });
  };
  const problem = renew.error ?? remove.error;
  return (
    <Stack>
      {problem && <ProblemNotice problem={problem} />}
      {renew.data && (
        <Notice tone="good" title={`The new secret of “${renew.data.name}”: it is shown this once`} live>
          <Address value={renew.data.key} label="new API key" long />
        </Notice>
      )}
      {keys.data.length === 0 ? (
        <Empty title="No API keys yet">Make one above for a client that cannot get tokens.</Empty>
      ) : (
        <Table
          caption="API keys"
          head={["Name", "Begins with", "Environment", "From", "Made", "Expires", "Actions"]}
        >
          {keys.data.map((key) => (
            <tr key={key.id}>
              <td>{key.name}</td>
              <td>
                <code>{key.prefix}…</code>
              </td>
              <td>{title(key.type)}</td>
              <td>{places(key)}</td>
              <td>
                <When at={key.created_at} />
              </td>
              <td>{key.expires_at ? <When at={key.expires_at} /> : "never"}</td>
              <td>
                <Row>
                  <RowAction name={`Make ${key.name} anew`} onClick={() => setAsked({ act: "renew", key })}>
                    Make anew
                  </RowAction>
                  <RowAction name={`Delete ${key.name}`} onClick={() => setAsked({ act: "delete", key })}>
                    Delete
                  </RowAction>
                </Row>
              </td>
            </tr>
          ))}
        </Table>
      )}
      <Confirm
        opened={asked !== null}
        title={`${asked?.act === "renew" ? "Make anew" : "Delete"} “${asked?.key.name ?? ""}”?`}
        action={asked?.act === "renew" ? "Make anew" : "Delete API key"}
        destructive
        busy={renew.isPending || remove.isPending}
        onClose={close}
        onConfirm={confirmed}
      >
        <p>The present secret stops working and its live sessions close within a second.</p>
      </Confirm>
    </Stack>
  );
}
