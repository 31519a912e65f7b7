// The groups of an API policy in its form: in order, since the first counts that a session is in.
import { Button, NativeSelect, Textarea, TextInput } from "@mantine/core";
import type { UseFormReturnType } from "@mantine/form";
import { Dim, FieldGroup, Row } from "../../ui/page";
import {
  CONDITIONS_MAX,
  type ConditionRow,
  GROUPS_MAX,
  type GroupRow,
  KINDS,
  NEW_CONDITION,
  NEW_GROUP,
  SENSES,
  valuesHint,
} from "./group-row";
import { forgetErrors, LimitList, removeRow } from "./limit-fields";
import { NEW_LIMIT } from "./limit-row";
import type { PolicyRow } from "./policy-row";

type Form = UseFormReturnType<PolicyRow>;

export function GroupList({ form }: { form: Form }) {
  const { groups } = form.values;
  return (
    <FieldGroup
      title="Groups"
      about="Sessions that other limits hold for than those above. The first group counts whose conditions all hold; all that are in it share its limits."
    >
      {groups.map((row, place) => (
        <GroupFields key={place} form={form} row={row} place={place} />
      ))}
      <div>
        <Button
          variant="default"
          disabled={groups.length >= GROUPS_MAX}
          onClick={() => form.insertListItem("groups", NEW_GROUP)}
        >
          Add a group
        </Button>
      </div>
      {form.errors.groups && <Dim>{form.errors.groups}</Dim>}
    </FieldGroup>
  );
}

function GroupFields({ form, row, place }: { form: Form; row: GroupRow; place: number }) {
  const [at, name] = [`groups.${place}`, `group ${place + 1}`];
  const raise = () => {
    forgetErrors(form, "groups");
    form.reorderListItem("groups", { from: place, to: place - 1 });
  };
  return (
    <FieldGroup title={`Group ${place + 1}`}>
      <TextInput
        label={`Name of ${name}`}
        description="What was used is known by it."
        autoComplete="off"
        withAsterisk
        {...form.getInputProps(`${at}.name`)}
      />
      <TextInput label={`Description of ${name}`} {...form.getInputProps(`${at}.description`)} />
      {row.conditions.map((condition, number) => (
        <ConditionFields
          key={number}
          form={form}
          row={condition}
          at={`${at}.conditions.${number}`}
          name={`condition ${number + 1} of ${name}`}
          onRemove={() => removeRow(form, `${at}.conditions`, number)}
        />
      ))}
      <div>
        <Button
          variant="default"
          disabled={row.conditions.length >= CONDITIONS_MAX}
          aria-label={`Add a condition of ${name}`}
          onClick={() => form.insertListItem(`${at}.conditions`, NEW_CONDITION)}
        >
          Add a condition
        </Button>
      </div>
      {form.errors[`${at}.conditions`] && <Dim>{form.errors[`${at}.conditions`]}</Dim>}
      <LimitList
        form={form}
        at={`${at}.limits`}
        limits={row.limits}
        of={` of ${name}`}
        none="Without a limit, everything of this group passes."
        onAdd={() => form.insertListItem(`${at}.limits`, NEW_LIMIT)}
      />
      <Row>
        {place > 0 && (
          <Button variant="default" size="compact-sm" aria-label={`Move ${name} up`} onClick={raise}>
            Move up
          </Button>
        )}
        <Button
          variant="default"
          size="compact-sm"
          aria-label={`Remove ${name}`}
          onClick={() => removeRow(form, "groups", place)}
        >
          Remove group
        </Button>
      </Row>
    </FieldGroup>
  );
}

function ConditionFields(props: {
  form: Form;
  row: ConditionRow;
  at: string;
  name: string;
  onRemove: () => void;
}) {
  const { row, name } = props;
  const of = (leaf: string) => props.form.getInputProps(`${props.at}.${leaf}`);
  return (
    <FieldGroup title={`C${name.slice(1)}`}>
      <Row>
        <NativeSelect label={`What ${name} looks at`} data={KINDS} {...of("kind")} />
        {row.kind !== "address" && (
          <TextInput
            label={`Name in ${name}`}
            autoCapitalize="none"
            autoComplete="off"
            spellCheck={false}
            {...of("name")}
          />
        )}
        <NativeSelect label={`How ${name} compares`} data={SENSES} {...of("sense")} />
      </Row>
      <Textarea
        label={`Values of ${name}`}
        description={valuesHint(row.kind)}
        autosize
        minRows={1}
        maxRows={8}
        autoCapitalize="none"
        spellCheck={false}
        {...of("values")}
      />
      {row.sense === "not" && row.kind !== "address" && <Dim>It also holds where there is none.</Dim>}
      <div>
        <Button variant="default" size="compact-sm" aria-label={`Remove ${name}`} onClick={props.onRemove}>
          Remove condition
        </Button>
      </div>
    </FieldGroup>
  );
}
