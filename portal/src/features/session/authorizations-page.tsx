// What one has allowed applications, in a browser or for a device, and withdrawing it.
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { authorizationsQuery, useWithdraw } from "../../api/authorizations";
import type { AllowedClient } from "../../api/generated";
import { asProblem } from "../../api/problem";
import { Confirm } from "../../ui/confirm";
import { Card, Measure, PageHead, Stack, Table } from "../../ui/page";
import { RowAction } from "../../ui/row-action";
import { Empty, Loading, ProblemNotice } from "../../ui/states";
import { When } from "../../ui/when";

export function Component() {
  const allowed = useQuery(authorizationsQuery());
  return (
    <Measure>
      <title>Allowed applications · Tidegate</title>
      <PageHead title="Allowed applications" crumbs={["Account"]} />
      <Card title="Who may connect in your name">
        {allowed.isPending ? (
          <Loading lines={2} />
        ) : allowed.isError ? (
          <ProblemNotice problem={asProblem(allowed.error)} onRetry={() => allowed.refetch()} />
        ) : allowed.data.length === 0 ? (
          <Empty title="You have allowed nobody">
            An application that wants to connect in your name asks you first. It is listed here from then on.
          </Empty>
        ) : (
          <Clients clients={allowed.data} />
        )}
      </Card>
    </Measure>
  );
}

function Clients({ clients }: { clients: AllowedClient[] }) {
  const withdraw = useWithdraw();
  const [asked, setAsked] = useState<AllowedClient | null>(null);
  const close = () => setAsked(null);
  return (
    <Stack>
      {withdraw.error && <ProblemNotice problem={withdraw.error} />}
      <Table
        caption="Allowed applications"
        head={["Application", "Of", "May also", "Since", "Last allowed", "Actions"]}
      >
        {clients.map((client) => (
          <tr key={client.client_id}>
            <td title={client.client_id}>{client.application}</td>
            <td>{client.owner || "–"}</td>
            <td>{client.scopes.join(", ") || "–"}</td>
            <td>
              <When at={client.since} />
            </td>
            <td>
              <When at={client.last} />
            </td>
            <td>
              <RowAction name={`Withdraw from ${client.application}`} onClick={() => setAsked(client)}>
                Withdraw
              </RowAction>
            </td>
          </tr>
        ))}
      </Table>
      <Confirm
        opened={asked !== null}
        title={`Withdraw from ${asked?.application ?? ""}?`}
        action="Withdraw"
        destructive
        busy={withdraw.isPending}
        onClose={close}
        onConfirm={() => asked && withdraw.mutate(asked.client_id, { onSettled: close })}
      >
        <p>
          It cannot connect in your name any more, on no device, and what it has open closes within a second.
          It may ask you again.
        </p>
      </Confirm>
    </Stack>
  );
}
