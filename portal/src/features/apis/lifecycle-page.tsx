// Lifecycle: the states as a drawing, only the possible moves as buttons, each with its effect; history beneath.
import { Button, Checkbox } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { type Event, lifecycleQuery, useMoveApi } from "../../api/apis";
import { asProblem } from "../../api/problem";
import { useCan } from "../../api/session";
import type { Api, Lifecycle, Move } from "../../api/types";
import { counted, title } from "../../lib/format";
import { Confirm } from "../../ui/confirm";
import { Notice, StateBadge } from "../../ui/notice";
import { Card, Columns, Dim, Stack, Table } from "../../ui/page";
import { Loading, ProblemNotice } from "../../ui/states";
import { When } from "../../ui/when";
import { useApi } from "./api-frame";
import { StatesDrawing } from "./states-drawing";

const VERBS: Record<string, string> = {
  publish: "Publish",
  demote: "Demote to Created",
  prototype: "Deploy as a prototype",
  block: "Block",
  republish: "Re-publish",
  deprecate: "Deprecate",
  retire: "Retire",
};

/** How often live sessions are counted while a move is being thought over. */
const COUNT_MILLIS = 1_000;

/** Moves that live sessions notice, or that cannot be taken back. */
const HARD = new Set(["block", "retire"]);

export function Component() {
  const api = useApi();
  const [asked, setAsked] = useState<string | null>(null);
  // While a move is being thought over, the sessions that it would close are counted anew.
  const lifecycle = useQuery({
    ...lifecycleQuery(api.id),
    ...(asked !== null && { refetchInterval: COUNT_MILLIS, staleTime: 0 }),
  });
  return (
    <>
      <title>{`Lifecycle · ${api.name}`}</title>
      {lifecycle.isPending ? (
        <Loading />
      ) : lifecycle.isError ? (
        <ProblemNotice problem={asProblem(lifecycle.error)} onRetry={() => lifecycle.refetch()} />
      ) : (
        <LifecycleView
          api={api}
          lifecycle={lifecycle.data}
          asked={asked}
          onAsk={(event) => {
            setAsked(event);
            if (event !== null) void lifecycle.refetch();
          }}
        />
      )}
    </>
  );
}

function LifecycleView(props: {
  api: Api;
  lifecycle: Lifecycle;
  asked: string | null;
  onAsk: (event: string | null) => void;
}) {
  const { api, lifecycle } = props;
  const publisher = useCan("api_publish");
  const asked = lifecycle.moves.find((move) => move.event === props.asked);
  return (
    <>
      <Card title="Lifecycle">
        <StatesDrawing present={lifecycle.state} />
      </Card>
      {publisher && lifecycle.moves.length > 0 && (
        <Card title="Possible moves">
          <Columns>
            {lifecycle.moves.map((move) => (
              <MoveButton
                key={move.event}
                move={move}
                from={lifecycle.state}
                onAsk={() => props.onAsk(move.event)}
              />
            ))}
          </Columns>
        </Card>
      )}
      {lifecycle.moves.length === 0 && (
        <Notice tone="calm">{title(lifecycle.state)} is the end of its life.</Notice>
      )}
      {!publisher && (
        <Notice tone="calm">A person with the role publisher can move the API to another state.</Notice>
      )}
      <Card title="History">
        <Table caption="Moves that happened, newest first" head={["When", "Who", "Move"]}>
          {lifecycle.history.map((entry) => (
            <tr key={`${entry.at}-${entry.to}`}>
              <td>
                <When at={entry.at} />
              </td>
              <td>{entry.by}</td>
              <td>
                {entry.from ? `${title(entry.from)} → ${title(entry.to)}` : `Made as ${title(entry.to)}`}
                {entry.event && <Dim> ({VERBS[entry.event] ?? entry.event})</Dim>}
              </td>
            </tr>
          ))}
        </Table>
      </Card>
      {asked && <ConfirmMove api={api} move={asked} onClose={() => props.onAsk(null)} />}
    </>
  );
}

function MoveButton({ move, from, onAsk }: { move: Move; from: string; onAsk: () => void }) {
  const verb =
    move.event === "publish" && from === "published" ? "Publish again" : (VERBS[move.event] ?? move.event);
  return (
    <Stack>
      <div>
        <Button
          variant={move.to === "published" && from !== "published" ? "filled" : "default"}
          disabled={!move.allowed}
          onClick={onAsk}
          aria-describedby={`effect-${move.event}`}
        >
          {verb}
        </Button>
      </div>
      <div id={`effect-${move.event}`}>
        <p>
          <StateBadge state={move.to} /> <Dim>{move.effect}</Dim>
        </p>
        {move.needs.map((missing) => (
          <p key={missing.what}>{missing.detail}</p>
        ))}
      </div>
    </Stack>
  );
}

function ConfirmMove({ api, move, onClose }: { api: Api; move: Move; onClose: () => void }) {
  const change = useMoveApi(api.id);
  const [deprecate, setDeprecate] = useState(false);
  const [resubscribe, setResubscribe] = useState(false);
  const publishing = move.event === "publish";
  const confirm = () =>
    change.mutate(
      {
        event: move.event as Event,
        ...(publishing && deprecate && { deprecate_old_versions: true }),
        ...(publishing && resubscribe && { require_resubscription: true }),
      },
      { onSuccess: onClose },
    );
  return (
    <Confirm
      opened
      title={`${VERBS[move.event] ?? move.event}: ${api.name} ${api.version}`}
      action={VERBS[move.event] ?? move.event}
      destructive={HARD.has(move.event)}
      busy={change.isPending}
      onConfirm={confirm}
      onClose={onClose}
    >
      <p>{move.effect}</p>
      <p>
        <strong>
          {move.sessions_affected === 0
            ? "No live session is affected."
            : HARD.has(move.event)
              ? `${counted(move.sessions_affected, "live session")} will be closed.`
              : `${counted(move.sessions_affected, "session")} live now.`}
        </strong>
      </p>
      {publishing && (
        <>
          <Checkbox
            label="Deprecate older published versions"
            checked={deprecate}
            onChange={(event) => setDeprecate(event.currentTarget.checked)}
          />
          <Checkbox
            label="Require a new subscription"
            description="Otherwise subscriptions of the former version also hold for this one."
            checked={resubscribe}
            onChange={(event) => setResubscribe(event.currentTarget.checked)}
          />
        </>
      )}
      {change.error && <ProblemNotice problem={change.error} />}
    </Confirm>
  );
}
