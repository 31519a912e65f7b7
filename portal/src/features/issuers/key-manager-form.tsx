// The form of a key manager, new or there already. A secret goes out and never comes back.
import { Button, Checkbox, Select, Switch, Textarea, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useCreateKeyManager, useUpdateKeyManager } from "../../api/issuers";
import { fieldErrors, type Problem } from "../../api/problem";
import type { KeyManager } from "../../api/types";
import { FieldGroup, Row, Stack } from "../../ui/page";
import { ProblemNotice } from "../../ui/states";
import { ALGORITHMS, changeOf, FIELDS, type KeyManagerRow, NEW, rowErrors, rowOf, SOURCES } from "./row";

/** Problems of one entry of a list stand beside the whole list. */
function fieldsFor(problem: Problem): Record<string, string> {
  const entries = problem.errors.map(({ pointer }): [string, string] => {
    const list = pointer.replace(/\/\d+$/, "");
    return [pointer, FIELDS[pointer] ?? FIELDS[list] ?? ""];
  });
  return Object.fromEntries(entries.filter(([, field]) => field !== ""));
}

export function KeyManagerForm({ manager, onDone }: { manager?: KeyManager; onDone: () => void }) {
  const create = useCreateKeyManager();
  const update = useUpdateKeyManager();
  const form = useForm<KeyManagerRow>({
    initialValues: manager ? rowOf(manager) : NEW,
    validate: (row) => rowErrors(row),
  });
  const problem = create.error ?? update.error;
  const onError = (refused: Problem) => form.setErrors(fieldErrors(refused, fieldsFor(refused)).fields);
  const submit = form.onSubmit((row) => {
    const then = { onSuccess: onDone, onError };
    if (manager) update.mutate({ id: manager.id, etag: manager.etag, body: changeOf(row) }, then);
    else create.mutate({ name: row.name.trim(), ...changeOf(row) }, then);
  });
  const source = SOURCES.find(({ word }) => word === form.values.source) ?? SOURCES[0];
  return (
    <form onSubmit={submit} noValidate>
      <Stack>
        {problem && <ProblemNotice problem={problem} />}
        {!manager && (
          <TextInput
            label="Name"
            description="APIs refer to it; it cannot be changed later."
            {...form.getInputProps("name")}
          />
        )}
        <TextInput
          label="Issuer"
          description="Exactly as its tokens say it in iss: one final slash more is another issuer."
          placeholder="https://issuer.example.com"
          {...form.getInputProps("issuer")}
        />
        <Select
          label="Its keys come from"
          data={SOURCES.map(({ word, label }) => ({ value: word, label }))}
          allowDeselect={false}
          {...form.getInputProps("source")}
        />
        {form.values.source === "jwks" ? (
          <Textarea
            label={source?.label}
            placeholder={source?.placeholder ?? ""}
            autosize
            minRows={4}
            maxRows={12}
            spellCheck={false}
            {...form.getInputProps("keys")}
          />
        ) : (
          <TextInput
            label={source?.label}
            placeholder={source?.placeholder ?? ""}
            {...form.getInputProps("keys")}
          />
        )}
        <Textarea
          label="Audiences"
          description="One in a line. A token must name one of them in aud; without that, a token for somebody else would open your APIs."
          autosize
          minRows={2}
          {...form.getInputProps("audiences")}
        />
        <FieldGroup title="Claims" about="Which claims of a token say what.">
          <Row>
            <TextInput label="Client" {...form.getInputProps("client_id")} />
            <TextInput label="Scopes" {...form.getInputProps("scope")} />
            <TextInput label="Subject" {...form.getInputProps("subject")} />
          </Row>
        </FieldGroup>
        <Checkbox.Group label="Algorithms" {...form.getInputProps("algorithms")}>
          <Row>
            {ALGORITHMS.map((name) => (
              <Checkbox key={name} value={name} label={name} />
            ))}
          </Row>
        </Checkbox.Group>
        <Switch
          label="Only tokens of the type at+jwt"
          description="Most issuers say JWT of every token they sign; one that follows RFC 9068 tells access tokens apart."
          {...form.getInputProps("requires_at_jwt", { type: "checkbox" })}
        />
        <Switch
          label="Ask about opaque tokens"
          description="A token that is no JWT is shown to the issuer, and what it says holds for a minute."
          {...form.getInputProps("introspects", { type: "checkbox" })}
        />
        {form.values.introspects && (
          <FieldGroup title="Introspection">
            <TextInput label="Introspection address" {...form.getInputProps("introspection_url")} />
            <TextInput label="Asks as the client" {...form.getInputProps("introspection_client")} />
            <TextInput
              label="Secret of this client"
              type="password"
              autoComplete="new-password"
              description={manager?.introspection ? "A secret is kept and never shown. Empty: it stays." : ""}
              {...form.getInputProps("introspection_secret")}
            />
          </FieldGroup>
        )}
        <Switch label="Accept its tokens" {...form.getInputProps("enabled", { type: "checkbox" })} />
        <Row>
          <Button type="submit" loading={create.isPending || update.isPending}>
            {manager ? "Save key manager" : "Add key manager"}
          </Button>
          <Button variant="default" onClick={onDone}>
            Cancel
          </Button>
        </Row>
      </Stack>
    </form>
  );
}
