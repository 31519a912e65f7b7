// Where somebody is signed in, as a table with a question before somebody is signed out. It knows no query library.
import { Button } from "@mantine/core";
import { useState } from "react";
import type { PortalSession } from "../api/generated";
import type { Problem } from "../api/problem";
import { browserName } from "../lib/browser";
import { Confirm } from "./confirm";
import { Badge } from "./notice";
import { Stack, Table } from "./page";
import { RowAction } from "./row-action";
import { ProblemNotice } from "./states";
import { When } from "./when";

export function PortalSessionList(props: {
  sessions: PortalSession[];
  /** Signs out in one browser, or, without an id, in all (others); `done` is called however it went. */
  onEnd: (id: string | null, done: () => void) => void;
  busy: boolean;
  problem: Problem | null;
  /** What the button that ends them all says. */
  endAll: string;
}) {
  const [asked, setAsked] = useState<PortalSession | "all" | null>(null);
  const others = props.sessions.filter((session) => !session.current);
  const close = () => setAsked(null);
  return (
    <Stack>
      {props.problem && <ProblemNotice problem={props.problem} />}
      <Table caption="Portal sessions" head={["Browser", "Address", "Since", "Last used", "Ends", "Actions"]}>
        {props.sessions.map((session) => (
          <tr key={session.id}>
            <td title={session.browser}>
              {browserName(session.browser)} {session.current && <Badge tone="accent">This one</Badge>}
            </td>
            <td className="mono">{session.address ?? "–"}</td>
            <td>
              <When at={session.created_at} />
            </td>
            <td>
              <When at={session.seen_at} />
            </td>
            <td>
              <When at={session.expires_at} />
            </td>
            <td>
              {!session.current && (
                <RowAction
                  name={`Sign out ${browserName(session.browser)} from ${session.address ?? "nowhere"}`}
                  onClick={() => setAsked(session)}
                >
                  Sign out
                </RowAction>
              )}
            </td>
          </tr>
        ))}
      </Table>
      {others.length > 0 && (
        <div>
          <Button variant="default" onClick={() => setAsked("all")}>
            {props.endAll}
          </Button>
        </div>
      )}
      <Confirm
        opened={asked !== null}
        title={asked === "all" ? `${props.endAll}?` : "Sign out there?"}
        action="Sign out"
        destructive
        busy={props.busy}
        onClose={close}
        onConfirm={() => asked && props.onEnd(asked === "all" ? null : asked.id, close)}
      >
        <p>
          {asked === "all"
            ? `${others.length} ${others.length === 1 ? "portal session ends" : "portal sessions end"} at once.`
            : "That portal session ends at once: the next click there asks for the password."}{" "}
          Personal access tokens and live sessions of applications go on.
        </p>
      </Confirm>
    </Stack>
  );
}
