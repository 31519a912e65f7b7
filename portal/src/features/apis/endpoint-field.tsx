// The address of a backend with *Test* beside it, and the echo backend's address at hand.
import { Button, TextInput } from "@mantine/core";
import type { ReactNode } from "react";
import { useProbe } from "../../api/apis";
import { checkEndpointUrl } from "../../lib/rules";
import { Row, Stack } from "../../ui/page";
import { ProbeReportView } from "../../ui/probe-report";
import { ProblemNotice } from "../../ui/states";

export function EndpointField(props: {
  label: string;
  value: string;
  onChange: (url: string) => void;
  onBlur?: () => void;
  error?: ReactNode;
  /** The built-in echo backend, offered while the field is empty. */
  echo: string | null;
  apiId?: string;
  readOnly?: boolean;
  timeouts?: { connect_timeout_ms: number; handshake_timeout_ms: number };
  aside?: ReactNode;
}) {
  const probe = useProbe(props.apiId);
  const broken = checkEndpointUrl(props.value) !== null;
  const stale = probe.data !== undefined && probe.variables?.url !== props.value;
  return (
    <Stack>
      <TextInput
        label={props.label}
        description="The backend that answers: ws:// or wss:// (secured)."
        placeholder="ws://localhost:8080"
        value={props.value}
        onChange={(event) => props.onChange(event.currentTarget.value.trim())}
        onBlur={() => props.onBlur?.()}
        error={props.error}
        readOnly={props.readOnly ?? false}
        inputMode="url"
        spellCheck={false}
      />
      <Row>
        <Button
          variant="default"
          disabled={broken}
          loading={probe.isPending}
          onClick={() => probe.mutate({ url: props.value, ...props.timeouts })}
          aria-label={`Test ${props.label.toLowerCase()}`}
        >
          Test
        </Button>
        {props.echo && props.value !== props.echo && !props.readOnly && (
          <Button variant="subtle" onClick={() => props.onChange(props.echo ?? "")}>
            Use the built-in echo backend
          </Button>
        )}
        {props.aside}
      </Row>
      {probe.error && <ProblemNotice problem={probe.error} />}
      {probe.data && !stale && <ProbeReportView report={probe.data} />}
    </Stack>
  );
}
