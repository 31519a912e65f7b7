// The roles of a person, each with what it allows.
import { Checkbox } from "@mantine/core";
import type { ReactNode } from "react";
import { Stack } from "../../ui/page";

const ROLES: [string, string, string][] = [
  ["admin", "Admin", "Everything, and everyone's data."],
  ["creator", "Creator", "Designs APIs: create, change, delete."],
  ["publisher", "Publisher", "Releases APIs: lifecycle, plans, deployments."],
  ["subscriber", "Subscriber", "Has applications, and subscribes them to APIs."],
  ["observer", "Observer", "Sees what creators and publishers see, and changes nothing."],
];

export function RolesField(props: {
  value: string[];
  onChange: (roles: string[]) => void;
  error?: ReactNode;
}) {
  return (
    <Checkbox.Group label="Roles" value={props.value} onChange={props.onChange} error={props.error}>
      <Stack>
        {ROLES.map(([word, label, about]) => (
          <Checkbox key={word} value={word} label={label} description={about} />
        ))}
      </Stack>
    </Checkbox.Group>
  );
}
