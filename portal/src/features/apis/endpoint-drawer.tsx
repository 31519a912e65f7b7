// The cogwheel: all settings of one endpoint in groups, each with unit, default, bounds and what a client will notice.
import { Button, Drawer } from "@mantine/core";
import type { ReactNode } from "react";
import type { Endpoint, EndpointBounds, Environment } from "../../api/types";
import { FoldedGroup } from "../../ui/folded-group";
import { Notice } from "../../ui/notice";
import { Stack } from "../../ui/page";
import { BoundedField } from "./bounded-field";
import { EndpointAddresses } from "./endpoint-addresses";
import { EndpointCredential } from "./endpoint-credential";
import { type EndpointRow, type Leaf, pathOf, unitOf } from "./endpoint-row";
import {
  saysAddresses,
  saysCredential,
  saysHealth,
  saysKeepAlive,
  saysSuspension,
  saysTimeouts,
  saysTls,
} from "./endpoint-summary";
import { EndpointTls } from "./endpoint-tls";

interface Field {
  leaf: Leaf;
  label: string;
  notices: string;
}

const TIMEOUTS: Field[] = [
  {
    leaf: "connect_timeout_ms",
    label: "Connect timeout",
    notices:
      "A client waits at most this long for the backend's name to be found and the connection to open, then gets 504 instead of a WebSocket.",
  },
  {
    leaf: "tls_timeout_ms",
    label: "TLS timeout",
    notices:
      "A client of a wss:// backend waits at most this long for the TLS handshake after that, then gets 504.",
  },
  {
    leaf: "handshake_timeout_ms",
    label: "Handshake timeout",
    notices:
      "A client waits at most this long for the backend to answer the WebSocket handshake after that, then gets 504.",
  },
  {
    leaf: "idle_timeout_ms",
    label: "Idle timeout",
    notices: "A client whose session carries no frame either way for this long is closed with code 1001.",
  },
];

const KEEP_ALIVE: Field[] = [
  {
    leaf: "ping_interval_ms",
    label: "Ping interval",
    notices: "A client, or backend, that said nothing for this long gets a Ping. 0 means never.",
  },
  {
    leaf: "pong_timeout_ms",
    label: "Pong timeout",
    notices:
      "The connection of a side that then stays silent for this long ends; the other side is closed with code 1001 or 1014.",
  },
  {
    leaf: "lifetime_max_ms",
    label: "Longest life of a session",
    notices: "A client is closed with code 1001 after this, busy or not. 0 means never.",
  },
];

const SUSPENSION: Field[] = [
  {
    leaf: "suspension_after_failures",
    label: "Suspended after",
    notices:
      "An address that failed so often in a row is left alone, so that clients do not wait for it. 0 means never.",
  },
  {
    leaf: "suspension_first_ms",
    label: "First suspension",
    notices:
      "No client is sent to the address for this long, the first time. It doubles with each further failure.",
  },
  {
    leaf: "suspension_max_ms",
    label: "Longest suspension",
    notices: "Clients reach an address that works again after this at the latest.",
  },
];

const HEALTH: Field[] = [
  {
    leaf: "health_interval_ms",
    label: "Time between checks",
    notices:
      "Each address gets a WebSocket handshake of the gateway's own so often, so that no client has to find out. 0 means never; else at least 100.",
  },
  {
    leaf: "health_timeout_ms",
    label: "Time for a check",
    notices: "A check that took longer, from the connection to the answer 101, has failed.",
  },
  {
    leaf: "health_unhealthy_after",
    label: "Unhealthy after",
    notices: "No client is sent to an address after so many checks that failed in a row.",
  },
  {
    leaf: "health_healthy_after",
    label: "Healthy after",
    notices: "Clients are sent to it again after so many that succeeded in a row.",
  },
];

export interface EndpointChange {
  /** A field under its name in the row: `tls.verify`. */
  set: (field: string, value: string | number | boolean) => void;
  checkOther: (place: number) => void;
  addOther: () => void;
  removeOther: (place: number) => void;
}

export interface EndpointSettings {
  environment: Environment;
  bounds: EndpointBounds;
  row: EndpointRow;
  /** What the row was filled from. */
  base: Endpoint | null | undefined;
  errors: Record<string, ReactNode>;
  readOnly: boolean;
  change: EndpointChange;
}

interface Group {
  title: string;
  about?: string;
  says: (row: EndpointRow) => string;
  /** Its fields, by their names in the row: whole ones, or how they begin. */
  holds: string[];
  fields: Field[] | ((props: EndpointSettings & { apiId: string }) => ReactNode);
}

const leaves = (fields: Field[]) => fields.map(({ leaf }) => leaf);

const GROUPS: Group[] = [
  { title: "Timeouts", says: saysTimeouts, holds: leaves(TIMEOUTS), fields: TIMEOUTS },
  {
    title: "Keep-alive",
    about:
      "The gateway's own Pings do not reach the other side, are not counted, and keep no session from being idle.",
    says: saysKeepAlive,
    holds: leaves(KEEP_ALIVE),
    fields: KEEP_ALIVE,
  },
  {
    title: "Addresses and balancing",
    about: "Where one address fails, the next is tried at once: the client notices nothing but the time.",
    says: saysAddresses,
    holds: ["others", "balance", "sticky_header"],
    fields: EndpointAddresses,
  },
  {
    title: "Suspension",
    about: "Where all addresses are suspended, all are tried: asking is better than refusing.",
    says: saysSuspension,
    holds: leaves(SUSPENSION),
    fields: SUSPENSION,
  },
  {
    title: "Health checks",
    about: "A check is a handshake that the backend sees. Where all addresses are unhealthy, all are tried.",
    says: saysHealth,
    holds: leaves(HEALTH),
    fields: HEALTH,
  },
  {
    title: "TLS with the backend",
    about: "For wss:// addresses.",
    says: saysTls,
    holds: ["tls"],
    fields: EndpointTls,
  },
  {
    title: "Credential for the backend",
    about: "What a client showed the gateway is never passed on: the backend gets a credential of its own.",
    says: saysCredential,
    holds: ["credential"],
    fields: EndpointCredential,
  },
];

export function EndpointDrawer(props: EndpointSettings & { apiId: string; onClose: () => void }) {
  const { environment, readOnly, row } = props;
  const wrong = Object.keys(props.errors).filter(
    (at) => props.errors[at] && at.startsWith(`${environment}.`),
  );
  const isIn = (group: Group, at: string) =>
    group.holds.some(
      (field) => at === `${environment}.${field}` || at.startsWith(`${environment}.${field}.`),
    );
  return (
    <Drawer
      opened
      onClose={props.onClose}
      size="lg"
      title={`Settings of the ${environment} endpoint`}
      closeButtonProps={{ "aria-label": "Close" }}
    >
      <Stack>
        {row.url === "" && !readOnly && (
          <Notice tone="calm">
            This endpoint has no address yet. Settings are kept from when the page has its address.
          </Notice>
        )}
        {GROUPS.map((group) => (
          <FoldedGroup
            key={group.title}
            title={group.title}
            says={group.says(row)}
            wanted={wrong.some((at) => isIn(group, at))}
            {...(group.about && { about: group.about })}
          >
            {Array.isArray(group.fields) ? (
              <Numbers {...props} fields={group.fields} />
            ) : (
              <group.fields {...props} />
            )}
          </FoldedGroup>
        ))}
        <p>{readOnly ? "A creator can change these." : "Close this and press Save to keep what you set."}</p>
        <div>
          <Button onClick={props.onClose}>Done</Button>
        </div>
      </Stack>
    </Drawer>
  );
}

function Numbers({ fields, ...props }: EndpointSettings & { fields: Field[] }) {
  return fields.map(({ leaf, label, notices }) => (
    <BoundedField
      key={leaf}
      label={label}
      leaf={pathOf(leaf)}
      unit={unitOf(leaf)}
      notices={notices}
      bounds={props.bounds[leaf]}
      value={props.row[leaf]}
      onChange={(value) => props.change.set(leaf, value)}
      error={props.errors[`${props.environment}.${leaf}`]}
      readOnly={props.readOnly}
      path={`${props.environment}.${leaf}`}
    />
  ));
}
