// The cogwheel: all settings of one endpoint in groups, each with unit, default, bounds and what a client will notice.
import { Button, Drawer } from "@mantine/core";
import type { ReactNode } from "react";
import type { EndpointBounds, Environment } from "../../api/types";
import { counted } from "../../lib/format";
import { Notice } from "../../ui/notice";
import { Dim, Facts, FieldGroup, Row, Stack } from "../../ui/page";
import { BoundedField } from "./bounded-field";
import { ChoiceField } from "./choice-field";
import { BALANCES } from "./choices";
import { EndpointField } from "./endpoint-field";
import { type EndpointRow, type Leaf, unitOf } from "./endpoint-row";

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
      "A client waits at most this long for the connection to the backend, TLS included, then gets 504 instead of a WebSocket.",
  },
  {
    leaf: "handshake_timeout_ms",
    label: "Handshake timeout",
    notices:
      "A client waits at most this long for the backend's handshake once it is connected, then gets 504.",
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

export interface EndpointChange {
  number: (leaf: Leaf, value: number | string) => void;
  balance: (word: string) => void;
  other: (place: number, url: string) => void;
  checkOther: (place: number) => void;
  addOther: () => void;
  removeOther: (place: number) => void;
}

interface Settings {
  environment: Environment;
  bounds: EndpointBounds;
  row: EndpointRow;
  errors: Record<string, ReactNode>;
  readOnly: boolean;
  change: EndpointChange;
}

export function EndpointDrawer(props: Settings & { apiId: string; onClose: () => void }) {
  const { environment, readOnly } = props;
  return (
    <Drawer
      opened
      onClose={props.onClose}
      size="lg"
      title={`Settings of the ${environment} endpoint`}
      closeButtonProps={{ "aria-label": "Close" }}
    >
      <Stack>
        {props.row.url === "" && !readOnly && (
          <Notice tone="calm">
            This endpoint has no address yet. Settings are kept from when the page has its address.
          </Notice>
        )}
        <FieldGroup title="Timeouts">
          <Numbers {...props} fields={TIMEOUTS} />
        </FieldGroup>
        <FieldGroup
          title="Keep-alive"
          about="The gateway's own Pings do not reach the other side, are not counted, and keep no session from being idle."
        >
          <Numbers {...props} fields={KEEP_ALIVE} />
        </FieldGroup>
        <FieldGroup
          title="Addresses and balancing"
          about="Where one address fails, the next is tried at once: the client notices nothing but the time."
        >
          <Addresses {...props} />
        </FieldGroup>
        <FieldGroup
          title="Suspension"
          about="Where all addresses are suspended, all are tried: asking is better than refusing."
        >
          <Numbers {...props} fields={SUSPENSION} />
        </FieldGroup>
        <p>{readOnly ? "A creator can change these." : "Close this and press Save to keep what you set."}</p>
        <div>
          <Button onClick={props.onClose}>Done</Button>
        </div>
      </Stack>
    </Drawer>
  );
}

function Numbers({ fields, ...props }: Settings & { fields: Field[] }) {
  return fields.map(({ leaf, label, notices }) => (
    <BoundedField
      key={leaf}
      label={label}
      leaf={leaf.replace("suspension_", "suspension.")}
      unit={unitOf(leaf)}
      notices={notices}
      bounds={props.bounds[leaf]}
      value={props.row[leaf]}
      onChange={(value) => props.change.number(leaf, value)}
      error={props.errors[`${props.environment}.${leaf}`]}
      readOnly={props.readOnly}
      path={`${props.environment}.${leaf}`}
    />
  ));
}

function Addresses(props: Settings & { apiId: string }) {
  const { environment, row, readOnly, change, bounds } = props;
  const all = row.others.length + 1;
  return (
    <>
      <Facts of={[["First address", <code key="url">{row.url || "none yet"}</code>]]} />
      {row.others.map((url, place) => (
        <EndpointField
          key={place}
          label={`Further address ${place + 1}`}
          description="The same backend at another place: ws:// or wss:// (secured)."
          path={`${environment}.others.${place}`}
          value={url}
          onChange={(next) => change.other(place, next)}
          onBlur={() => change.checkOther(place)}
          error={props.errors[`${environment}.others.${place}`]}
          echo={null}
          apiId={props.apiId}
          readOnly={readOnly}
          timeouts={{
            connect_timeout_ms: Number(row.connect_timeout_ms),
            handshake_timeout_ms: Number(row.handshake_timeout_ms),
          }}
          aside={
            !readOnly && (
              <Button
                variant="default"
                aria-label={`Remove further address ${place + 1}`}
                onClick={() => change.removeOther(place)}
              >
                Remove
              </Button>
            )
          }
        />
      ))}
      {props.errors[`${environment}.others`] && (
        <Notice tone="bad" live>
          {props.errors[`${environment}.others`]}
        </Notice>
      )}
      <Row>
        {!readOnly && (
          <Button variant="default" size="xs" disabled={all >= bounds.targets_max} onClick={change.addOther}>
            Add an address
          </Button>
        )}
        <Dim>
          {counted(all, "address", "addresses")} of at most {bounds.targets_max}
        </Dim>
      </Row>
      <ChoiceField
        label="Choice of address"
        description={
          all === 1
            ? "Which address is tried first. It matters from the second address on."
            : "Which address is tried first."
        }
        choices={BALANCES}
        value={row.balance}
        onChange={change.balance}
        error={props.errors[`${environment}.balance`]}
        readOnly={readOnly}
      />
    </>
  );
}
