// The address of a backend with *Test* beside it, and the echo backend's address at hand.
import { Button, TextInput } from "@mantine/core";
import type { ReactNode } from "react";
import { useProbe } from "../../api/apis";
import type { ProbeRequest } from "../../api/types";
import { checkEndpointUrl } from "../../lib/rules";
import { Dim, Stack } from "../../ui/page";
import { ProbeReportView } from "../../ui/probe-report";
import { ProblemNotice } from "../../ui/states";
import styles from "../../ui/ui.module.css";

export function EndpointField(props: {
  label: string;
  description?: string;
  value: string;
  onChange: (url: string) => void;
  onBlur?: () => void;
  error?: ReactNode;
  /** The built-in echo backend, offered while the field is empty. */
  echo: string | null;
  apiId?: string;
  /** Its name in the form, by which the form finds it to focus it. */
  path?: string;
  readOnly?: boolean;
  timeouts?: Pick<ProbeRequest, "connect_timeout_ms" | "tls_timeout_ms" | "handshake_timeout_ms">;
  aside?: ReactNode;
  /** Credential or trust differ from what is saved, which a test goes by. */
  unsaved?: boolean;
}) {
  const probe = useProbe(props.apiId);
  const broken = checkEndpointUrl(props.value) !== null;
  const stale = probe.data !== undefined && probe.variables?.url !== props.value;
  return (
    <Stack>
      <TextInput
        label={props.label}
        description={props.description ?? "The backend that answers: ws:// or wss:// (secured)."}
        placeholder="ws://localhost:8080"
        value={props.value}
        onChange={(event) => props.onChange(event.currentTarget.value.trim())}
        onBlur={() => props.onBlur?.()}
        error={props.error}
        readOnly={props.readOnly ?? false}
        inputMode="url"
        spellCheck={false}
        data-path={props.path}
        inputContainer={(input) => (
          <div className={styles.fieldRow}>
            <div>{input}</div>
            <Button
              variant="default"
              disabled={broken}
              loading={probe.isPending}
              onClick={() => probe.mutate({ url: props.value, ...props.timeouts })}
              aria-label={`Test ${props.label.toLowerCase()}`}
            >
              Test
            </Button>
            {props.aside}
          </div>
        )}
      />
      {props.echo && props.value !== props.echo && !props.readOnly && (
        <div>
          <Button variant="subtle" size="compact-sm" onClick={() => props.onChange(props.echo ?? "")}>
            Use the built-in echo backend
          </Button>
        </div>
      )}
      {props.unsaved && (
        <Dim>A test uses the saved credential and TLS settings. Save first to try the changed ones.</Dim>
      )}
      {probe.error && <ProblemNotice problem={probe.error} />}
      {probe.data && !stale && <ProbeReportView report={probe.data} />}
    </Stack>
  );
}
