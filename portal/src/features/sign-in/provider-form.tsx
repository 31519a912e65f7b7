// The form of a sign-in provider, new or there already. A secret goes out and never comes back.
import { Button, Select, Switch, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import type { SignInProvider } from "../../api/generated";
import { fieldErrors, type Problem } from "../../api/problem";
import { useCreateSignInProvider, useUpdateSignInProvider } from "../../api/sign-in-providers";
import { FieldGroup, Row, Stack } from "../../ui/page";
import { ProblemNotice } from "../../ui/states";
import { RoleChoice } from "../roles/role-choice";
import { changeOf, fieldOf, NEW, NEWCOMERS, type ProviderRow, rowErrors, rowOf, usualDiscovery } from "./row";

const fieldsFor = (problem: Problem) =>
  Object.fromEntries(problem.errors.map(({ pointer }) => [pointer, fieldOf(pointer)]));

export function ProviderForm({ provider, onDone }: { provider?: SignInProvider; onDone: () => void }) {
  const create = useCreateSignInProvider();
  const update = useUpdateSignInProvider();
  const form = useForm<ProviderRow>({
    initialValues: provider ? rowOf(provider) : NEW,
    validate: (row) => rowErrors(row, !provider),
  });
  const problem = create.error ?? update.error;
  const onError = (refused: Problem) => form.setErrors(fieldErrors(refused, fieldsFor(refused)).fields);
  const submit = form.onSubmit((row) => {
    const then = { onSuccess: onDone, onError };
    if (provider) update.mutate({ id: provider.id, etag: provider.etag, body: changeOf(row) }, then);
    else create.mutate(changeOf(row), then);
  });
  const { values } = form;
  return (
    <form onSubmit={submit} noValidate>
      <Stack>
        {problem && <ProblemNotice problem={problem} />}
        <TextInput
          label="Name"
          description="What the button on the sign-in page says after “Sign in with”."
          {...form.getInputProps("name")}
        />
        <TextInput
          label="Issuer"
          description="Exactly as its ID tokens say it in iss. People are known by it and by their subject there."
          placeholder="https://sso.example.com"
          {...form.getInputProps("issuer")}
        />
        <TextInput
          label="Discovery document"
          description="Empty: where the issuer has it by the standard."
          placeholder={usualDiscovery(values.issuer || "https://sso.example.com")}
          {...form.getInputProps("discovery_url")}
        />
        <Row>
          <TextInput label="Client id" {...form.getInputProps("client_id")} />
          <TextInput
            label="Client secret"
            type="password"
            autoComplete="new-password"
            description={provider ? "Kept and never shown. Empty: it stays." : ""}
            {...form.getInputProps("client_secret")}
          />
        </Row>
        <Row>
          <TextInput
            label="Scopes"
            description="Beside openid, with spaces between them."
            {...form.getInputProps("scopes")}
          />
          <TextInput
            label="Claim of the name"
            description="Under which somebody new is made."
            {...form.getInputProps("username_claim")}
          />
        </Row>
        <Select
          label="People who are not known here yet"
          data={NEWCOMERS.map(({ word, label }) => ({ value: word, label }))}
          allowDeselect={false}
          {...form.getInputProps("newcomers")}
        />
        <RoleChoice label="Roles of everybody who comes this way" {...form.getInputProps("roles")} />
        <Switch
          label="The provider decides roles"
          description="They are read anew at each sign-in, and what was changed here is gone. Else they are given once, and administrators change them."
          {...form.getInputProps("reads_roles", { type: "checkbox" })}
        />
        {values.reads_roles && (
          <FieldGroup
            title="Roles by claim"
            about="Whoever has a value has its roles; other values mean nothing."
          >
            <TextInput
              label="Claim of the roles"
              description="For example groups or realm_access.roles."
              {...form.getInputProps("role_claim")}
            />
            {values.role_values.map((_, place) => (
              <Stack key={place}>
                <Row>
                  <TextInput
                    label={`Value ${place + 1}`}
                    {...form.getInputProps(`role_values.${place}.value`)}
                  />
                  <Button
                    variant="default"
                    aria-label={`Remove value ${place + 1}`}
                    onClick={() => form.removeListItem("role_values", place)}
                  >
                    Remove
                  </Button>
                </Row>
                <RoleChoice
                  label={`Roles of value ${place + 1}`}
                  {...form.getInputProps(`role_values.${place}.roles`)}
                />
              </Stack>
            ))}
            <div>
              <Button
                variant="default"
                onClick={() => form.insertListItem("role_values", { value: "", roles: [] })}
              >
                Add a value
              </Button>
            </div>
          </FieldGroup>
        )}
        <Switch
          label="People can sign in this way"
          {...form.getInputProps("enabled", { type: "checkbox" })}
        />
        <Row>
          <Button type="submit" loading={create.isPending || update.isPending}>
            {provider ? "Save sign-in provider" : "Add sign-in provider"}
          </Button>
          <Button variant="default" onClick={onDone}>
            Cancel
          </Button>
        </Row>
      </Stack>
    </form>
  );
}
