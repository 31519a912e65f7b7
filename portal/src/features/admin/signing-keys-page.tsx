// The keys that sign tokens: which there are and what they do now, another that takes over, and one that has leaked.
import { Button, Checkbox, NativeSelect } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { SigningKey } from "../../api/generated";
import { asProblem } from "../../api/problem";
import { signingKeysQuery, useRemoveSigningKey, useRotateSigningKey } from "../../api/signing-keys";
import { Confirm } from "../../ui/confirm";
import { Card, Dim, Measure, PageHead, Row, Stack, Table } from "../../ui/page";
import { RowAction } from "../../ui/row-action";
import { Loading, ProblemNotice } from "../../ui/states";
import { When } from "../../ui/when";
import { ADMIN_CRUMB } from "./crumb";

const ALGORITHMS = [
  { value: "", label: "As configured" },
  { value: "ES256", label: "ES256: read everywhere, short" },
  { value: "EdDSA", label: "EdDSA: shortest, newer libraries" },
  { value: "RS256", label: "RS256: the oldest libraries, long" },
];

const DOES: Record<string, string> = {
  next: "next: published, does not sign yet",
  current: "current: signs",
  retired: "retired: verifies what it signed",
};

export function Component() {
  return (
    <Measure>
      <title>Signing keys · Tidegate</title>
      <PageHead title="Signing keys" crumbs={[ADMIN_CRUMB]} />
      <Stack>
        <Card title="Keys">
          <KeyList />
        </Card>
        <NewKey />
      </Stack>
    </Measure>
  );
}

function KeyList() {
  const keys = useQuery(signingKeysQuery);
  const remove = useRemoveSigningKey();
  const [asked, setAsked] = useState<SigningKey | null>(null);
  if (keys.isPending) return <Loading lines={2} />;
  if (keys.isError) return <ProblemNotice problem={asProblem(keys.error)} onRetry={() => keys.refetch()} />;
  return (
    <Stack>
      <Table
        caption="Signing keys"
        head={["Name", "Algorithm", "State", "Signs from", "Gone by itself", "Actions"]}
      >
        {keys.data.map((key) => (
          <tr key={key.kid}>
            <td className="mono">{key.kid}</td>
            <td>{key.algorithm}</td>
            <td>{DOES[key.state] ?? key.state}</td>
            <td>
              <When at={key.signs_from} />
            </td>
            <td>{key.verifies_until ? <When at={key.verifies_until} /> : "after the next rotation"}</td>
            <td>
              <RowAction name={`Remove ${key.kid}`} onClick={() => setAsked(key)}>
                Remove
              </RowAction>
            </td>
          </tr>
        ))}
      </Table>
      <Confirm
        opened={asked !== null}
        title="Remove this key at once?"
        action="Remove key"
        destructive
        busy={remove.isPending}
        onClose={() => setAsked(null)}
        onConfirm={() => asked && remove.mutate({ kid: asked.kid }, { onSettled: () => setAsked(null) })}
      >
        <p>
          <code>{asked?.kid}</code>
        </p>
        <p>{asked ? effect(asked) : ""}</p>
      </Confirm>
      {remove.error && <ProblemNotice problem={remove.error} />}
    </Stack>
  );
}

/** What the removal does to those who are connected. */
function effect(key: SigningKey): string {
  const ends =
    "Every token that it signed is refused from now on, and every live session that was opened with one is closed within a second (code 3000).";
  switch (key.state) {
    case "next":
      return "It has signed nothing yet: no token and no session ends. The key that signs now goes on.";
    case "current":
      return `${ends} A new key signs from this moment on, so clients that ask for a new token can connect again.`;
    default:
      return `${ends} Tokens and sessions of the current key stay.`;
  }
}

function NewKey() {
  const rotate = useRotateSigningKey();
  const [algorithm, setAlgorithm] = useState("");
  const [atOnce, setAtOnce] = useState(false);
  return (
    <Card title="Rotate">
      <Stack>
        <p>
          A new key takes over. It is published now and signs in ten minutes, so that whoever keeps the
          published keys for a while knows it by then. What was signed before stays valid: no session ends.
        </p>
        {rotate.error && <ProblemNotice problem={rotate.error} />}
        <Row>
          <NativeSelect
            label="Algorithm"
            data={ALGORITHMS}
            value={algorithm}
            onChange={(event) => setAlgorithm(event.currentTarget.value)}
          />
          <Checkbox
            label="Sign with it at once"
            checked={atOnce}
            onChange={(event) => setAtOnce(event.currentTarget.checked)}
          />
        </Row>
        <div>
          <Button
            loading={rotate.isPending}
            onClick={() => rotate.mutate({ at_once: atOnce, ...(algorithm && { algorithm }) })}
          >
            Rotate
          </Button>
        </div>
        <Dim>
          By command: <code>tidegate keys rotate</code>. By the calendar:{" "}
          <code>tidegate serve --rotate-keys DAYS</code>.
        </Dim>
      </Stack>
    </Card>
  );
}
