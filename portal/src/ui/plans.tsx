// Business plans side by side, and as a choice that shows each plan's numbers.
import { Checkbox } from "@mantine/core";
import type { ReactNode } from "react";
import type { Plan } from "../api/types";
import { countsEchoTwice, planLimit, planPrice, planRoles, planWords } from "../lib/format";
import styles from "./ui.module.css";

export function PlanCards({
  plans,
  chosen,
  foot,
}: {
  plans: Plan[];
  chosen?: string;
  foot?: (plan: Plan) => ReactNode;
}) {
  return (
    <div className={styles.tiles}>
      {plans.map((plan) => (
        <div key={plan.name} className={styles.plan} data-chosen={plan.name === chosen}>
          <h3>{plan.display_name}</h3>
          {plan.description && <p>{plan.description}</p>}
          <p>{planLimit(plan)}</p>
          {plan.billing && <p>{planPrice(plan)}</p>}
          {plan.roles.length > 0 && <p className={styles.dim}>{planRoles(plan)}</p>}
          {countsEchoTwice(plan) && (
            <p className={styles.dim}>Both directions together: an echo costs two.</p>
          )}
          {foot?.(plan)}
        </div>
      ))}
    </div>
  );
}

/** A multi-select whose every option says what it allows. */
export function PlanChoice(props: {
  plans: Plan[];
  value: string[];
  onChange: (value: string[]) => void;
  error?: ReactNode;
  disabled?: boolean;
}) {
  return (
    <Checkbox.Group
      label="Business plans"
      description="What subscribers may choose from."
      error={props.error}
      value={props.value}
      onChange={props.onChange}
    >
      <div className={styles.options}>
        {props.plans.map((plan) => (
          <Checkbox
            key={plan.name}
            value={plan.name}
            label={plan.display_name}
            description={planWords(plan)}
            disabled={props.disabled ?? false}
          />
        ))}
      </div>
    </Checkbox.Group>
  );
}
