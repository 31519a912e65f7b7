// What the client of a key is told to be: where it runs, its grants, where browsers come back to, and its tokens.
import { Button, Checkbox, NativeSelect, NumberInput, Textarea } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useUpdateKey } from "../../api/applications";
import { fieldErrors } from "../../api/problem";
import type { Key, KeyChange } from "../../api/types";
import { addresses } from "../../lib/rules";
import { Details, Dim, Row, Stack } from "../../ui/page";
import { ProblemNotice } from "../../ui/states";

const GRANTS = [
  { value: "client_credentials", label: "Client credentials", hint: "The program connects for itself." },
  { value: "authorization_code", label: "Authorization code", hint: "A person allows it in a browser." },
  {
    value: "urn:ietf:params:oauth:grant-type:device_code",
    label: "Device",
    hint: "A person types its code on another screen, and allows it there.",
  },
  {
    value: "urn:ietf:params:oauth:grant-type:token-exchange",
    label: "Token exchange",
    hint: "A service gets a token of its own for the person of another application of yours.",
  },
  { value: "refresh_token", label: "Refresh token", hint: "It goes on without asking the person again." },
];

/** The grants of a client, as they are called here. */
export function grantNames(grants: string[]): string {
  return grants.map((grant) => GRANTS.find(({ value }) => value === grant)?.label ?? grant).join(", ");
}

const KINDS = [
  { value: "confidential", label: "A program that can keep a secret" },
  { value: "browser", label: "A page in a browser, without a secret" },
  { value: "native", label: "A program on somebody's device, without a secret" },
];

const PROOFS = [
  { value: "secret", label: "Its secret" },
  { value: "private_key_jwt", label: "A key of its own (private_key_jwt)" },
];

const FORMATS = [
  { value: "jwt", label: "Readable (JWT)" },
  { value: "opaque", label: "Opaque" },
];

/** Whether a client that is told this signs statements instead of showing a secret. */
function signs(values: { client_type: string; authentication: string }): boolean {
  return values.client_type === "confidential" && values.authentication === "private_key_jwt";
}

/** The key set that a text is; whether its keys can be used, the product says. */
function keySet(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && "keys" in value ? { ...value } : null;
  } catch {
    return null;
  }
}

export function ClientSettings({ application, held }: { application: string; held: Key }) {
  const update = useUpdateKey();
  const form = useForm({
    initialValues: {
      client_type: held.client_type,
      authentication: held.authentication,
      jwks: held.jwks ? JSON.stringify(held.jwks, null, 2) : "",
      grants: held.grants,
      redirect_uris: held.redirect_uris.join("\n"),
      post_logout_redirect_uris: held.post_logout_redirect_uris.join("\n"),
      access_token_seconds: held.access_token_seconds as number | string,
      refresh_token_seconds: held.refresh_token_seconds as number | string,
      token_format: held.token_format,
      certificate_bound_tokens: held.certificate_bound_tokens,
    },
    validate: {
      jwks: (text, values) =>
        signs(values) && keySet(text) === null ? "This is not a JSON Web Key Set." : null,
    },
  });
  const submit = form.onSubmit((values) => {
    const body: KeyChange = {
      client_type: values.client_type,
      authentication: signs(values) ? "private_key_jwt" : "secret",
      ...(signs(values) && { jwks: keySet(values.jwks) ?? {} }),
      grants: values.grants,
      redirect_uris: addresses(values.redirect_uris),
      post_logout_redirect_uris: addresses(values.post_logout_redirect_uris),
      access_token_seconds: Number(values.access_token_seconds),
      refresh_token_seconds: Number(values.refresh_token_seconds),
      token_format: values.token_format,
      certificate_bound_tokens: values.certificate_bound_tokens,
    };
    update.mutate(
      { application, client: held.client_id, body },
      {
        onSuccess: () => form.resetDirty(),
        onError: (problem) => {
          const names = Object.keys(body).map((name) => [`/${name}`, name]);
          form.setErrors(fieldErrors(problem, Object.fromEntries(names)).fields);
        },
      },
    );
  });
  return (
    <Details summary="Client and tokens">
      <form onSubmit={submit} noValidate aria-label={`Client of the ${held.type} key`}>
        <Stack>
          {update.error && <ProblemNotice problem={update.error} />}
          <NativeSelect label="What connects" data={KINDS} {...form.getInputProps("client_type")} />
          {form.values.client_type === "confidential" && (
            <NativeSelect
              label="It proves itself with"
              data={PROOFS}
              {...form.getInputProps("authentication")}
            />
          )}
          {signs(form.values) && (
            <Textarea
              label="Public keys (JWKS)"
              description="The client signs with the private halves, which never leave it. Saving takes its secret away."
              autosize
              minRows={4}
              maxRows={12}
              spellCheck={false}
              {...form.getInputProps("jwks")}
            />
          )}
          <Checkbox.Group label="Grants" {...form.getInputProps("grants")}>
            <Stack>
              {GRANTS.map((grant) => (
                <Checkbox
                  key={grant.value}
                  value={grant.value}
                  label={grant.label}
                  description={grant.hint}
                />
              ))}
            </Stack>
          </Checkbox.Group>
          <Textarea
            label="Redirect addresses"
            description="One in each line. A browser comes back to exactly these."
            autosize
            minRows={2}
            spellCheck={false}
            {...form.getInputProps("redirect_uris")}
          />
          <Textarea
            label="Addresses after signing out"
            description="One in each line."
            autosize
            minRows={1}
            spellCheck={false}
            {...form.getInputProps("post_logout_redirect_uris")}
          />
          <Row>
            <NumberInput
              label="Access tokens live (seconds)"
              min={60}
              max={86_400}
              {...form.getInputProps("access_token_seconds")}
            />
            <NumberInput
              label="Refresh tokens live (seconds)"
              min={300}
              max={7_776_000}
              {...form.getInputProps("refresh_token_seconds")}
            />
            <NativeSelect label="Access tokens are" data={FORMATS} {...form.getInputProps("token_format")} />
          </Row>
          <Checkbox
            label="Bind access tokens to the client's certificate"
            description="It shows one in TLS where it asks for them, and they open nothing without it (RFC 8705)."
            {...form.getInputProps("certificate_bound_tokens", { type: "checkbox" })}
          />
          <Row>
            <Button type="submit" variant="default" loading={update.isPending} disabled={!form.isDirty()}>
              Save client
            </Button>
            {update.isSuccess && !form.isDirty() && (
              <Dim>
                <span role="status">Saved.</span>
              </Dim>
            )}
          </Row>
        </Stack>
      </form>
    </Details>
  );
}
