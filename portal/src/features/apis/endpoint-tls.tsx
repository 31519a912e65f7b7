// How a gateway trusts a wss:// backend, and the certificate that it shows itself.
import { Switch, Textarea, TextInput } from "@mantine/core";
import { Notice } from "../../ui/notice";
import type { EndpointSettings } from "./endpoint-drawer";
import { SecretField } from "./secret-field";
import { keepsKey } from "./secret-row";

/** Grows with what is pasted, up to what fits a drawer. */
const PEM_ROWS = { autosize: true, minRows: 3, maxRows: 8 };

export function EndpointTls({ environment, row, base, errors, readOnly, change }: EndpointSettings) {
  const { tls } = row;
  const error = (leaf: string) => errors[`${environment}.tls.${leaf}`];
  const pem = (leaf: "authorities" | "client_certificate", label: string, description: string) => (
    <Textarea
      {...PEM_ROWS}
      label={label}
      description={description}
      placeholder={readOnly ? "none" : "-----BEGIN CERTIFICATE-----"}
      value={tls[leaf]}
      onChange={(event) => change.set(`tls.${leaf}`, event.currentTarget.value)}
      error={error(leaf)}
      readOnly={readOnly}
      spellCheck={false}
      data-path={`${environment}.tls.${leaf}`}
      classNames={{ input: "mono" }}
    />
  );
  return (
    <>
      <Switch
        label="Check the backend's certificate"
        description="Its chain, its name and its time. A client of a backend that fails the check gets 502 instead of a WebSocket. Default on."
        checked={tls.verify}
        onChange={(event) => change.set("tls.verify", event.currentTarget.checked)}
        disabled={readOnly}
        error={error("verify")}
      />
      {!tls.verify && (
        <Notice tone="warn" title="Anybody between gateway and backend can read and change everything" live>
          A certificate that nobody checks proves nothing. For a backend with a certificate of your own, paste
          its authority below and leave the check on.
        </Notice>
      )}
      {pem(
        "authorities",
        "Own authorities",
        "Certificates (PEM) of those who may have signed the backend's, in place of the usual ones; up to 64 KiB. Default: those of the gateway's machine.",
      )}
      <TextInput
        label="Name in the certificate"
        description="The name that is asked for and must be certified, up to 253 characters. Default: the address's host."
        placeholder={readOnly ? "the address's host" : "backend.example.com"}
        value={tls.server_name}
        onChange={(event) => change.set("tls.server_name", event.currentTarget.value.trim())}
        error={error("server_name")}
        readOnly={readOnly}
        spellCheck={false}
        data-path={`${environment}.tls.server_name`}
      />
      {pem(
        "client_certificate",
        "Client certificate",
        "What the gateway shows a backend that asks for one (PEM, with its chain); up to 64 KiB. Default: none.",
      )}
      <SecretField
        label="Key of the client certificate"
        noun="key"
        description="PEM, not encrypted; up to 64 KiB. Another certificate needs its own key."
        kept={keepsKey(tls, base)}
        value={tls.client_key}
        onChange={(value) => change.set("tls.client_key", value)}
        error={error("client_key")}
        readOnly={readOnly}
        path={`${environment}.tls.client_key`}
        lines
      />
    </>
  );
}
