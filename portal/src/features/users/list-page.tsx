// Users of the product: search kept in the address, and a form for a new one.
import { Anchor, Button, Modal, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "react-router";
import { fieldErrors } from "../../api/problem";
import type { User } from "../../api/types";
import { useCreateUser, usersQuery } from "../../api/users";
import { paths } from "../../lib/paths";
import { useSearchText } from "../../lib/use-search-text";
import { PagedList, SearchField } from "../../ui/list";
import { Card, PageHead, Row, Stack, Table } from "../../ui/page";
import { Empty, ProblemNotice } from "../../ui/states";
import { When } from "../../ui/when";
import { RoleChoice } from "../roles/role-choice";
import { PasswordOnce } from "./password-once";
import { SignUpCard } from "./sign-up-card";
import { UserBadges } from "./user-badges";

export function Component() {
  const { typed, asked, type } = useSearchText();
  const users = useInfiniteQuery(usersQuery(asked));
  const [adding, setAdding] = useState(false);
  return (
    <>
      <title>Users · Tidegate admin</title>
      <PageHead title="Users" action={<Button onClick={() => setAdding(true)}>Create user</Button>} />
      <Stack>
        <SignUpCard />
        <SearchField label="Search users" placeholder="Part of a name" value={typed} onType={type} />
        <Card>
          <PagedList of={users} empty={<Empty title="Nobody has such a name">Try fewer letters.</Empty>}>
            {(items) => <UserTable users={items} />}
          </PagedList>
        </Card>
      </Stack>
      <Modal
        opened={adding}
        onClose={() => setAdding(false)}
        title="Create user"
        closeButtonProps={{ "aria-label": "Close" }}
      >
        <NewUser />
      </Modal>
    </>
  );
}

function UserTable({ users }: { users: User[] }) {
  return (
    <Table caption="Users" head={["Name", "Roles", "State", "Created"]}>
      {users.map((user) => (
        <tr key={user.id}>
          <td>
            <Anchor component={Link} to={paths.user(user.id)} inherit>
              {user.username}
            </Anchor>
          </td>
          <td>{user.roles.join(", ") || "none"}</td>
          <td>
            <UserBadges user={user} />
          </td>
          <td>
            <When at={user.created_at} />
          </td>
        </tr>
      ))}
    </Table>
  );
}

function NewUser() {
  const create = useCreateUser();
  const form = useForm({
    initialValues: { username: "", roles: ["subscriber"] },
    validate: { username: (text) => (text === "" ? "Enter a user name." : null) },
  });
  const submit = form.onSubmit((values) =>
    create.mutate(values, {
      onError: (problem) =>
        form.setErrors(fieldErrors(problem, { "/username": "username", "/roles": "roles" }).fields),
    }),
  );
  if (create.data) {
    return (
      <Stack>
        <PasswordOnce username={create.data.username} password={create.data.one_time_password} />
        <Row>
          <Button component={Link} to={paths.user(create.data.id)} variant="default">
            Open {create.data.username}
          </Button>
        </Row>
      </Stack>
    );
  }
  return (
    <form onSubmit={submit} noValidate>
      <Stack>
        {create.error && <ProblemNotice problem={create.error} />}
        <TextInput
          label="User name"
          description="Letters, digits and . _ - @ +"
          autoCapitalize="none"
          autoComplete="off"
          spellCheck={false}
          withAsterisk
          data-autofocus
          {...form.getInputProps("username")}
        />
        <RoleChoice
          label="Roles"
          explained
          value={form.values.roles}
          onChange={(roles) => form.setFieldValue("roles", roles)}
          error={form.errors.roles}
        />
        <div>
          <Button type="submit" loading={create.isPending}>
            Create user
          </Button>
        </div>
      </Stack>
    </form>
  );
}
