// A choice of roles, those that ship and own ones: in a row, or one under the other with what each allows.
import { Checkbox, type CheckboxGroupProps } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { rolesQuery } from "../../api/roles";
import { Row, Stack } from "../../ui/page";
import { aboutRole, roleLabel, SHIPPED } from "./words";

type Props = Omit<CheckboxGroupProps, "children"> & { value?: string[]; explained?: boolean };

export function RoleChoice({ explained = false, disabled, ...props }: Props) {
  const roles = useQuery(rolesQuery);
  const known =
    roles.data ?? SHIPPED.map(({ word }) => ({ name: word, description: "", means: [], ships: true }));
  // What is held is shown whatever is known by now, so that saving takes nothing away unseen.
  const others = (props.value ?? []).filter((name) => !known.some((role) => role.name === name));
  const all = [...known, ...others.map((name) => ({ name, description: "", means: [], ships: false }))];
  const boxes = all.map((role) => (
    <Checkbox
      key={role.name}
      value={role.name}
      label={roleLabel(role.name)}
      {...(explained && { description: aboutRole(role) })}
      {...(disabled !== undefined && { disabled })}
    />
  ));
  return (
    <Checkbox.Group {...props}>{explained ? <Stack>{boxes}</Stack> : <Row>{boxes}</Row>}</Checkbox.Group>
  );
}
