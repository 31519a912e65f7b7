// How people are told of some alerts beside the pages: a webhook, whose secret is shown once, and mails. Each is tested,
// deleted, and shows what it was told last.
import { Button, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import {
  channelsQuery,
  deliveriesQuery,
  useCreateChannel,
  useDeleteChannel,
  useTestChannel,
} from "../../api/alert-channels";
import type { AlertFilter } from "../../api/alerts";
import type { AlertChannel, ChannelTest, Delivery } from "../../api/generated";
import { asProblem } from "../../api/problem";
import { Confirm } from "../../ui/confirm";
import { Address } from "../../ui/copy";
import { Badge, Notice } from "../../ui/notice";
import { Card, Dim, Facts, FormWidth, Row, Stack, Table } from "../../ui/page";
import { Loading, ProblemNotice } from "../../ui/states";
import { When } from "../../ui/when";

const KINDS = {
  webhook: {
    title: "Webhook",
    label: "Address",
    about:
      "https://, and http:// on the machine of Tidegate alone. It gets a POST for each alert, signed as Standard Webhooks has it.",
    example: "https://hooks.example.com/tidegate",
    create: "Create webhook",
    remove: "Delete webhook",
  },
  email: {
    title: "E-mail",
    label: "Mailboxes",
    about:
      "Up to five, with a comma between them. Each alert is one mail. An administrator sets the mail server.",
    example: "ada@example.com, ops@example.com",
    create: "Send mails",
    remove: "Send no mails",
  },
} as const;
type Kind = keyof typeof KINDS;

/** The cards of these alerts, one for each kind of channel. */
export function ChannelCards({ of }: { of: AlertFilter }) {
  return (
    <>
      <ChannelCard of={of} kind="webhook" />
      <ChannelCard of={of} kind="email" />
    </>
  );
}

function ChannelCard({ of, kind }: { of: AlertFilter; kind: Kind }) {
  const channels = useQuery(channelsQuery(of));
  const [secret, setSecret] = useState<string | null>(null);
  const channel = channels.data?.find((one) => one.kind === kind);
  return (
    <Card title={KINDS[kind].title}>
      <Stack>
        {secret && (
          <Notice tone="warn" title="The secret is shown this once. Copy it now." live>
            <Address value={secret} label="secret of the webhook" />
          </Notice>
        )}
        {channels.isPending ? (
          <Loading lines={2} />
        ) : channels.isError ? (
          <ProblemNotice problem={asProblem(channels.error)} onRetry={() => channels.refetch()} />
        ) : channel ? (
          <Made channel={channel} kind={kind} onDeleted={() => setSecret(null)} />
        ) : (
          <Make of={of} kind={kind} onMade={setSecret} />
        )}
      </Stack>
    </Card>
  );
}

function Make(props: { of: AlertFilter; kind: Kind; onMade: (secret: string | null) => void }) {
  const create = useCreateChannel();
  const [typed, setTyped] = useState("");
  const words = KINDS[props.kind];
  const target =
    props.kind === "webhook"
      ? { url: typed.trim() }
      : { addresses: typed.split(/[\s,;]+/).filter((word) => word !== "") };
  return (
    <form
      aria-label={words.title}
      onSubmit={(event) => {
        event.preventDefault();
        const body = { ...props.of, kind: props.kind, ...target };
        create.mutate(body, { onSuccess: (made) => props.onMade(made.secret) });
      }}
    >
      <FormWidth>
        <Stack>
          {create.error && <ProblemNotice problem={create.error} />}
          <TextInput
            label={words.label}
            description={words.about}
            placeholder={words.example}
            value={typed}
            error={create.error?.errors.map((one) => one.detail).join(" ") || null}
            onChange={(event) => setTyped(event.currentTarget.value)}
          />
          <div>
            <Button type="submit" loading={create.isPending} disabled={typed.trim() === ""}>
              {words.create}
            </Button>
          </div>
        </Stack>
      </FormWidth>
    </form>
  );
}

function Made(props: { channel: AlertChannel; kind: Kind; onDeleted: () => void }) {
  const { channel, kind } = props;
  const remove = useDeleteChannel();
  const test = useTestChannel();
  const [asked, setAsked] = useState(false);
  const where = channel.url ?? channel.addresses.join(", ");
  return (
    <Stack>
      <Facts
        of={[
          [KINDS[kind].label, <code key="a">{where}</code>],
          ["Made by", channel.created_by],
          ["Made", <When key="w" at={channel.created_at} />],
        ]}
      />
      {test.error && <ProblemNotice problem={test.error} />}
      {test.data && <TestOutcome test={test.data} />}
      <Row>
        <Button variant="default" loading={test.isPending} onClick={() => test.mutate(channel)}>
          {kind === "webhook" ? "Post a test" : "Mail a test"}
        </Button>
        <Button variant="default" onClick={() => setAsked(true)}>
          {KINDS[kind].remove}
        </Button>
      </Row>
      <Deliveries id={channel.id} of={KINDS[kind].title} />
      <Confirm
        opened={asked}
        title={`${KINDS[kind].remove}?`}
        action={KINDS[kind].remove}
        destructive
        busy={remove.isPending}
        onClose={() => setAsked(false)}
        onConfirm={() =>
          remove.mutate(channel, { onSuccess: props.onDeleted, onSettled: () => setAsked(false) })
        }
      >
        <p>What it was still to be told is not told any more. No session ends.</p>
      </Confirm>
      {remove.error && <ProblemNotice problem={remove.error} />}
    </Stack>
  );
}

/** How a test went. */
export function TestOutcome({ test }: { test: ChannelTest }) {
  return (
    <Notice
      tone={test.taken ? "good" : "bad"}
      title={test.taken ? "The test was taken" : "The test was not taken"}
      live
    >
      {test.problem}
    </Notice>
  );
}

function Deliveries({ id, of }: { id: string; of: string }) {
  const deliveries = useQuery(deliveriesQuery(id));
  if (deliveries.isPending) return <Loading lines={2} />;
  if (deliveries.isError)
    return <ProblemNotice problem={asProblem(deliveries.error)} onRetry={() => deliveries.refetch()} />;
  if (deliveries.data.length === 0) return <Dim>It was told nothing yet.</Dim>;
  return (
    <Table caption={`Told last by ${of}`} head={["State", "Alert", "Tries", "Last try", "Next try"]}>
      {deliveries.data.map((delivery) => (
        <tr key={delivery.alert.id}>
          <td>
            <StateOf delivery={delivery} />
            {delivery.problem && (
              <div>
                <Dim>{delivery.problem}</Dim>
              </div>
            )}
          </td>
          <td>
            {delivery.alert.threshold} % of {delivery.alert.policy}
          </td>
          <td>{delivery.tries}</td>
          <td>{delivery.tried_at ? <When at={delivery.tried_at} /> : "–"}</td>
          <td>{delivery.next_at ? <When at={delivery.next_at} /> : "–"}</td>
        </tr>
      ))}
    </Table>
  );
}

function StateOf({ delivery }: { delivery: Delivery }) {
  switch (delivery.state) {
    case "delivered":
      return <Badge tone="good">Delivered</Badge>;
    case "given_up":
      return <Badge tone="bad">Given up</Badge>;
    default:
      return <Badge tone={delivery.tries > 0 ? "warn" : "calm"}>Waiting</Badge>;
  }
}
