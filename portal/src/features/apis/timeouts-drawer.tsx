// The cogwheel: the timeouts of one endpoint, each with unit, default, bounds and what a client will notice.
import { Button, Drawer, NumberInput } from "@mantine/core";
import type { ReactNode } from "react";
import type { EndpointBounds, Environment } from "../../api/types";
import { count, duration } from "../../lib/format";
import { Stack } from "../../ui/page";
import type { EndpointRow } from "./endpoints-page";

const FIELDS = [
  {
    leaf: "connect_timeout_ms",
    label: "Connect timeout",
    notices:
      "A client waits at most this long for the connection to the backend, then gets 504 instead of a WebSocket.",
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
] as const;

export function TimeoutsDrawer(props: {
  environment: Environment;
  bounds: EndpointBounds;
  row: EndpointRow;
  errors: Record<string, ReactNode>;
  readOnly: boolean;
  onChange: (leaf: (typeof FIELDS)[number]["leaf"], value: number | string) => void;
  onClose: () => void;
}) {
  return (
    <Drawer
      opened
      onClose={props.onClose}
      title={`Timeouts of the ${props.environment} endpoint`}
      closeButtonProps={{ "aria-label": "Close" }}
    >
      <Stack>
        {FIELDS.map(({ leaf, label, notices }) => {
          const bounds = props.bounds[leaf];
          const value = Number(props.row[leaf]);
          const outside = !Number.isInteger(value) || value < bounds.min || value > bounds.max;
          return (
            <NumberInput
              key={leaf}
              label={`${label} (milliseconds)`}
              description={`${notices} Default ${count(bounds.default)} ms (${duration(bounds.default)}), from ${count(bounds.min)} ms to ${count(bounds.max)} ms (${duration(bounds.max)}).`}
              value={props.row[leaf]}
              onChange={(next) => props.onChange(leaf, next)}
              readOnly={props.readOnly}
              allowDecimal={false}
              allowNegative={false}
              thousandSeparator=","
              step={1_000}
              error={
                props.errors[`${props.environment}.${leaf}`] ??
                (outside
                  ? `Choose between ${count(bounds.min)} and ${count(bounds.max)} milliseconds.`
                  : null)
              }
            />
          );
        })}
        <p>
          {props.readOnly ? "A creator can change these." : "Close this and press Save to keep what you set."}
        </p>
        <div>
          <Button onClick={props.onClose}>Done</Button>
        </div>
      </Stack>
    </Drawer>
  );
}
