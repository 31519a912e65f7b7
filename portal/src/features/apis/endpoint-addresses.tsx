// Further addresses of an endpoint, and how one of them is chosen.
import { Button, TextInput } from "@mantine/core";
import { counted } from "../../lib/format";
import { ChoiceField } from "../../ui/choice-field";
import { Notice } from "../../ui/notice";
import { Dim, Facts, Row } from "../../ui/page";
import { BALANCES } from "./choices";
import type { EndpointSettings } from "./endpoint-drawer";
import { EndpointField } from "./endpoint-field";
import { STICKY_HEADER } from "./endpoint-row";

export function EndpointAddresses(props: EndpointSettings & { apiId: string }) {
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
          onChange={(next) => change.set(`others.${place}`, next)}
          onBlur={() => change.checkOther(place)}
          error={props.errors[`${environment}.others.${place}`]}
          echo={null}
          apiId={props.apiId}
          readOnly={readOnly}
          timeouts={{
            connect_timeout_ms: Number(row.connect_timeout_ms),
            tls_timeout_ms: Number(row.tls_timeout_ms),
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
            ? "Which address is tried first. It matters from the second address on. Default Round robin."
            : "Which address is tried first. Default Round robin."
        }
        choices={BALANCES}
        value={row.balance}
        onChange={(word) => change.set("balance", word)}
        error={props.errors[`${environment}.balance`]}
        readOnly={readOnly}
      />
      {row.balance === STICKY_HEADER && (
        <TextInput
          label="Header that decides"
          description="A header of the client's handshake. Clients with the same value of it meet at the same address, as long as that works."
          placeholder="X-Device"
          value={row.sticky_header}
          onChange={(event) => change.set("sticky_header", event.currentTarget.value.trim())}
          error={props.errors[`${environment}.sticky_header`]}
          readOnly={readOnly}
          spellCheck={false}
          data-path={`${environment}.sticky_header`}
        />
      )}
    </>
  );
}
