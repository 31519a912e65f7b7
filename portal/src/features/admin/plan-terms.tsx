// The terms of a business plan in its form: who may choose it, and what it costs.
import { Checkbox, NativeSelect, TextInput } from "@mantine/core";
import type { UseFormReturnType } from "@mantine/form";
import { FieldGroup, Row } from "../../ui/page";
import { RoleChoice } from "../roles/role-choice";
import { CYCLES, type PolicyRow } from "./policy-row";

export function PlanTerms({ form }: { form: UseFormReturnType<PolicyRow> }) {
  return (
    <>
      <FieldGroup title="Who may choose it">
        <RoleChoice
          label="Roles"
          description="Whoever subscribes under it holds one of these. None: everybody may. Who is subscribed stays."
          {...form.getInputProps("roles")}
        />
      </FieldGroup>
      <FieldGroup title="What it costs">
        <Checkbox
          label="Commercial"
          description="Its price is shown to whoever chooses. Tidegate moves no money: an invoice is written by the price and the counts of the plan."
          {...form.getInputProps("commercial", { type: "checkbox" })}
        />
        {form.values.commercial && (
          <>
            <Row>
              <TextInput
                label="Currency"
                description="Its code, such as EUR"
                maxLength={3}
                autoComplete="off"
                spellCheck={false}
                {...form.getInputProps("billing.currency")}
              />
              <NativeSelect label="Billed" data={CYCLES} {...form.getInputProps("billing.per")} />
            </Row>
            <Row>
              <TextInput
                label="Price"
                description="For each subscription, whatever passes"
                inputMode="decimal"
                placeholder="49.00"
                {...form.getInputProps("billing.price")}
              />
              <TextInput
                label="Price of 1,000 messages"
                description="Of those that passed, in both directions"
                inputMode="decimal"
                placeholder="0.05"
                {...form.getInputProps("billing.price_per_1000_messages")}
              />
            </Row>
          </>
        )}
      </FieldGroup>
    </>
  );
}
