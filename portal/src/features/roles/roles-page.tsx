// Roles: what those that ship allow, and the installation's own, made, changed and deleted.
import { Button, Checkbox, Modal, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { Role } from "../../api/generated";
import { asProblem, fieldErrors, type Problem } from "../../api/problem";
import { rolesQuery, useCreateRole, useDeleteRole, useUpdateRole } from "../../api/roles";
import { Confirm } from "../../ui/confirm";
import { Card, Dim, Measure, PageHead, Row, Stack, Table } from "../../ui/page";
import { RowAction } from "../../ui/row-action";
import { Empty, Loading, ProblemNotice } from "../../ui/states";
import { ADMIN_CRUMB } from "../admin/crumb";
import { aboutRole, meaning, roleLabel, SHIPPED } from "./words";

export function Component() {
  const roles = useQuery(rolesQuery);
  const [adding, setAdding] = useState(false);
  if (roles.isPending) return <Loading />;
  if (roles.isError) {
    return <ProblemNotice problem={asProblem(roles.error)} onRetry={() => roles.refetch()} />;
  }
  const shipped = roles.data.filter(({ ships }) => ships);
  return (
    <Measure>
      <title>Roles · Tidegate admin</title>
      <PageHead
        title="Roles"
        crumbs={[ADMIN_CRUMB]}
        action={<Button onClick={() => setAdding(true)}>Create role</Button>}
      />
      <Stack>
        <Card title="Own roles">
          <OwnRoles roles={roles.data.filter(({ ships }) => !ships)} />
        </Card>
        <Card title="Roles that ship">
          <Table caption="Roles that ship" head={["Role", "What it allows"]}>
            {shipped.map((role) => (
              <tr key={role.name}>
                <td>{roleLabel(role.name)}</td>
                <td>{aboutRole(role)}</td>
              </tr>
            ))}
          </Table>
        </Card>
        <Dim>
          Roles are given on the page of a user, or by a sign-in provider. A change of what one means acts at
          once for everybody who holds it; access tokens keep their scopes until they end.
        </Dim>
      </Stack>
      <Modal
        opened={adding}
        onClose={() => setAdding(false)}
        title="Create role"
        closeButtonProps={{ "aria-label": "Close" }}
      >
        <NewRole onDone={() => setAdding(false)} />
      </Modal>
    </Measure>
  );
}

function OwnRoles({ roles }: { roles: Role[] }) {
  const remove = useDeleteRole();
  const [changing, setChanging] = useState<Role | null>(null);
  const [asked, setAsked] = useState<Role | null>(null);
  if (roles.length === 0) {
    return (
      <Empty title="No roles of your own">
        One stands for roles that ship, under a name that your people know, or for nothing but its name, which
        scopes of APIs can ask for.
      </Empty>
    );
  }
  return (
    <Stack>
      {remove.error && <ProblemNotice problem={remove.error} />}
      <Table caption="Own roles" head={["Role", "Description", "Means", "Actions"]}>
        {roles.map((role) => (
          <tr key={role.name}>
            <td>{role.name}</td>
            <td>{role.description || "–"}</td>
            <td>{meaning(role.means)}</td>
            <td>
              <Row>
                <RowAction name={`Change ${role.name}`} onClick={() => setChanging(role)}>
                  Change
                </RowAction>
                <RowAction name={`Delete ${role.name}`} onClick={() => setAsked(role)}>
                  Delete
                </RowAction>
              </Row>
            </td>
          </tr>
        ))}
      </Table>
      <Confirm
        opened={asked !== null}
        title="Delete this role?"
        action="Delete role"
        destructive
        busy={remove.isPending}
        onClose={() => setAsked(null)}
        onConfirm={() => asked && remove.mutate(asked, { onSettled: () => setAsked(null) })}
      >
        <p>{asked?.name}</p>
        <p>Nobody may hold it, and no scope or sign-in provider may name it.</p>
      </Confirm>
      <Modal
        opened={changing !== null}
        onClose={() => setChanging(null)}
        title={`Change ${changing?.name ?? ""}`}
        closeButtonProps={{ "aria-label": "Close" }}
      >
        {changing && <ChangedRole role={changing} onDone={() => setChanging(null)} />}
      </Modal>
    </Stack>
  );
}

function NewRole({ onDone }: { onDone: () => void }) {
  const create = useCreateRole();
  return (
    <RoleForm
      initial={{ name: "", description: "", means: [] }}
      isNew
      action="Create role"
      mutation={create}
      onSubmit={(role, onError) => create.mutate(role, { onSuccess: onDone, onError })}
    />
  );
}

function ChangedRole({ role, onDone }: { role: Role; onDone: () => void }) {
  const update = useUpdateRole();
  const { name, description, means } = role;
  return (
    <RoleForm
      initial={{ name, description, means }}
      isNew={false}
      action="Save role"
      mutation={update}
      onSubmit={(to, onError) =>
        update.mutate({ role, description: to.description, means: to.means }, { onSuccess: onDone, onError })
      }
    />
  );
}

interface RoleValues {
  name: string;
  description: string;
  means: string[];
}

const FIELDS = { "/name": "name", "/description": "description", "/means": "means" };

function RoleForm(props: {
  initial: RoleValues;
  isNew: boolean;
  action: string;
  mutation: { error: Problem | null; isPending: boolean };
  onSubmit: (role: RoleValues, onError: (problem: Problem) => void) => void;
}) {
  const form = useForm<RoleValues>({
    initialValues: props.initial,
    validate: { name: (text) => (text.trim() === "" ? "Enter a name." : null) },
  });
  const submit = form.onSubmit((values) =>
    props.onSubmit(values, (problem) => form.setErrors(fieldErrors(problem, FIELDS).fields)),
  );
  return (
    <form onSubmit={submit} noValidate>
      <Stack>
        {props.mutation.error && <ProblemNotice problem={props.mutation.error} />}
        {props.isNew && (
          <TextInput
            label="Name"
            description="Small letters, digits and - _ . It never changes."
            autoCapitalize="none"
            autoComplete="off"
            spellCheck={false}
            withAsterisk
            data-autofocus
            {...form.getInputProps("name")}
          />
        )}
        <TextInput
          label="Description"
          description="Who is meant by it"
          {...form.getInputProps("description")}
        />
        <Checkbox.Group
          label="Means"
          description="Whoever holds it holds these as well. None: its name alone counts, where a scope asks for it. Admin is given by its own name only."
          {...form.getInputProps("means")}
        >
          <Stack>
            {SHIPPED.filter(({ word }) => word !== "admin").map(({ word, label, about }) => (
              <Checkbox key={word} value={word} label={label} description={about} />
            ))}
          </Stack>
        </Checkbox.Group>
        <div>
          <Button type="submit" loading={props.mutation.isPending}>
            {props.action}
          </Button>
        </div>
      </Stack>
    </form>
  );
}
