// Clients of other issuers that are the application's own: provide one, take it back. Absent where there is no issuer.
import { Button, Select, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { issuersQuery, providedKeysQuery, useProvideKey, useWithdrawKey } from "../../api/issuers";
import { asProblem, fieldErrors } from "../../api/problem";
import { type Application, ENVIRONMENTS, type Environment, type ProvidedKey } from "../../api/types";
import { title } from "../../lib/format";
import { Confirm } from "../../ui/confirm";
import { Card, Row, Stack, Table } from "../../ui/page";
import { RowAction } from "../../ui/row-action";
import { Loading, ProblemNotice } from "../../ui/states";
import { When } from "../../ui/when";

export function ProvidedKeys({ application }: { application: Application }) {
  const issuers = useQuery(issuersQuery);
  const keys = useQuery(providedKeysQuery(application.id));
  if (issuers.isPending || keys.isPending) return <Loading lines={1} />;
  if (issuers.isError) return <ProblemNotice problem={asProblem(issuers.error)} />;
  if (keys.isError) return <ProblemNotice problem={asProblem(keys.error)} />;
  if (issuers.data.length === 0 && keys.data.length === 0) return null;
  return (
    <Card title="Keys of other issuers">
      <Stack>
        <p>
          A client that you have at another issuer can be this application’s own: tokens of the issuer that
          name it open what the application is subscribed to. Its secret stays with you.
        </p>
        {keys.data.length > 0 && (
          <Table caption="Provided keys" head={["Issuer", "Client id", "Type", "Provided", "Actions"]}>
            {keys.data.map((key) => (
              <ProvidedRow
                key={`${key.key_manager} ${key.client_id}`}
                application={application}
                held={key}
                issuer={issuers.data.find(({ id }) => id === key.key_manager)?.name ?? "switched off"}
              />
            ))}
          </Table>
        )}
        {issuers.data.length > 0 && <Provide application={application} issuers={issuers.data} />}
      </Stack>
    </Card>
  );
}

function Provide(props: { application: Application; issuers: { id: string; name: string }[] }) {
  const provide = useProvideKey(props.application.id);
  const form = useForm({
    initialValues: {
      key_manager: props.issuers[0]?.id ?? "",
      client_id: "",
      type: "production" as Environment,
    },
    validate: { client_id: (text) => (text === "" ? "Enter the client id." : null) },
  });
  const submit = form.onSubmit((values) =>
    provide.mutate(values, {
      onSuccess: () => form.setFieldValue("client_id", ""),
      onError: (problem) =>
        form.setErrors(fieldErrors(problem, { "/client_id": "client_id", "/type": "type" }).fields),
    }),
  );
  return (
    <form onSubmit={submit} noValidate>
      <Stack>
        {provide.error && <ProblemNotice problem={provide.error} />}
        <Row>
          <Select
            label="Issuer"
            data={props.issuers.map(({ id, name }) => ({ value: id, label: name }))}
            allowDeselect={false}
            {...form.getInputProps("key_manager")}
          />
          <TextInput label="Client id at the issuer" {...form.getInputProps("client_id")} />
          <Select
            label="Type"
            data={ENVIRONMENTS.map((word) => ({ value: word, label: title(word) }))}
            allowDeselect={false}
            {...form.getInputProps("type")}
          />
        </Row>
        <div>
          <Button type="submit" variant="default" loading={provide.isPending}>
            Provide key
          </Button>
        </div>
      </Stack>
    </form>
  );
}

function ProvidedRow(props: { application: Application; held: ProvidedKey; issuer: string }) {
  const { application, held, issuer } = props;
  const withdraw = useWithdrawKey(application.id);
  const [asked, setAsked] = useState(false);
  return (
    <tr>
      <td>{issuer}</td>
      <td className="mono">{held.client_id}</td>
      <td>{held.type}</td>
      <td>
        <When at={held.created_at} />
      </td>
      <td>
        <RowAction name={`Withdraw ${held.client_id}`} onClick={() => setAsked(true)}>
          Withdraw
        </RowAction>
        <Confirm
          opened={asked}
          title={`Withdraw “${held.client_id}” of ${issuer}?`}
          action="Withdraw key"
          destructive
          busy={withdraw.isPending}
          onClose={() => setAsked(false)}
          onConfirm={() =>
            withdraw.mutate(
              { key_manager: held.key_manager, client_id: held.client_id },
              { onSuccess: () => setAsked(false) },
            )
          }
        >
          <p>Its tokens open nothing any more, and its live sessions close within a second.</p>
          {withdraw.error && <ProblemNotice problem={withdraw.error} />}
        </Confirm>
      </td>
    </tr>
  );
}
