// What a gateway shows a backend to prove who it is: the backend's own credential, never the client's.
import { TextInput } from "@mantine/core";
import { ChoiceField } from "../../ui/choice-field";
import { Notice } from "../../ui/notice";
import { CREDENTIALS } from "./choices";
import type { EndpointSettings } from "./endpoint-drawer";
import { SecretField } from "./secret-field";
import { type CredentialRow, keepsSecret } from "./secret-row";

interface Field {
  leaf: keyof CredentialRow;
  label: string;
  description: string;
  placeholder?: string;
}

interface Kind {
  fields: Field[];
  secret: { label: string; noun: string; about: string };
}

const KINDS: Record<string, Kind> = {
  basic: {
    fields: [
      {
        leaf: "username",
        label: "User name",
        description: "As the backend knows it, up to 4,096 bytes; no “:”.",
      },
    ],
    secret: {
      label: "Password",
      noun: "password",
      about: "A new address (scheme, host or port) or user name needs the password again.",
    },
  },
  header: {
    fields: [
      {
        leaf: "name",
        label: "Header",
        description: "Its name, up to 128 bytes. A header of this name from a client does not pass.",
        placeholder: "X-Api-Key",
      },
    ],
    secret: {
      label: "Value",
      noun: "value",
      about:
        "Up to 4,096 bytes. A new address (scheme, host or port) or name of the header needs the value again.",
    },
  },
  oauth: {
    fields: [
      {
        leaf: "token_url",
        label: "Address for tokens",
        description: "Where the authorization server answers the client credentials grant.",
        placeholder: "https://issuer.example.com/oauth2/token",
      },
      {
        leaf: "client_id",
        label: "Client id",
        description: "As the authorization server knows the gateway, up to 4,096 bytes.",
      },
      { leaf: "scope", label: "Scopes", description: "With spaces between them. Default: none." },
    ],
    secret: {
      label: "Client secret",
      noun: "secret",
      about:
        "Up to 4,096 bytes. A new address (scheme, host or port), client id or address for tokens needs the secret again.",
    },
  },
};

export function EndpointCredential({ environment, row, base, errors, readOnly, change }: EndpointSettings) {
  const { credential } = row;
  const kind = KINDS[credential.kind];
  const at = (leaf: string) => `${environment}.credential.${leaf}`;
  const inClear = [row.url, ...row.others].some((url) => url.startsWith("ws://"));
  return (
    <>
      <ChoiceField
        label="Credential"
        description="What the gateway shows the backend in every handshake. Clients do not see it. Default None."
        choices={CREDENTIALS}
        value={credential.kind}
        onChange={(word) => change.set("credential.kind", word)}
        error={errors[at("kind")]}
        readOnly={readOnly}
      />
      {kind && inClear && (
        <Notice tone="warn">
          On its way to a ws:// address anybody in between can read it. Use wss:// outside of your own
          machine.
        </Notice>
      )}
      {kind?.fields.map(({ leaf, label, description, placeholder }) => (
        <TextInput
          key={leaf}
          label={label}
          description={description}
          placeholder={placeholder ?? ""}
          value={credential[leaf]}
          onChange={(event) => change.set(`credential.${leaf}`, event.currentTarget.value)}
          error={errors[at(leaf)]}
          readOnly={readOnly}
          autoComplete="off"
          spellCheck={false}
          data-path={at(leaf)}
        />
      ))}
      {kind && (
        <SecretField
          key={credential.kind}
          label={kind.secret.label}
          noun={kind.secret.noun}
          description={kind.secret.about}
          kept={keepsSecret(row, base)}
          value={credential.secret}
          onChange={(value) => change.set("credential.secret", value)}
          error={errors[at("secret")]}
          readOnly={readOnly}
          path={at("secret")}
        />
      )}
    </>
  );
}
