// A developer's applications, and a form for a new one.
import { Anchor, Button, Modal, NativeSelect, Textarea, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link, useNavigate } from "react-router";
import { applicationsQuery, useCreateApplication } from "../../api/applications";
import { asProblem, fieldErrors } from "../../api/problem";
import { policiesQuery } from "../../api/settings";
import { planLimit, within } from "../../lib/format";
import { paths } from "../../lib/paths";
import { checkApplicationName } from "../../lib/rules";
import { DemoBadge } from "../../ui/notice";
import { Card, PageHead, Row, Stack, Table } from "../../ui/page";
import { Empty, Loading, ProblemNotice } from "../../ui/states";
import { When } from "../../ui/when";

/** A new application is limited by its subscriptions alone, unless somebody chooses otherwise. */
const NO_LIMIT = "Unlimited";

export function Component() {
  const applications = useQuery(applicationsQuery);
  const [adding, setAdding] = useState(false);
  const add = <Button onClick={() => setAdding(true)}>Create application</Button>;
  return (
    <>
      <title>Applications · Tidegate developer portal</title>
      <PageHead
        crumbs={[
          <Anchor key="c" component={Link} to={paths.catalogue()} inherit>
            Developer portal
          </Anchor>,
        ]}
        title="Applications"
        action={add}
      />
      <Card>
        {applications.isPending ? (
          <Loading />
        ) : applications.isError ? (
          <ProblemNotice problem={asProblem(applications.error)} onRetry={() => applications.refetch()} />
        ) : applications.data.length === 0 ? (
          <Empty title="No applications yet">
            An application is your program that connects. It holds keys, and subscriptions to APIs. Create the
            first one with the button above, or let “Get a key” on an API's page do it.
          </Empty>
        ) : (
          <Table caption="Applications" head={["Name", "Limit of its own", "Owner", "Created"]}>
            {applications.data.map((application) => (
              <tr key={application.id}>
                <td>
                  <Row>
                    <Anchor component={Link} to={paths.application(application.id)} inherit>
                      {application.name}
                    </Anchor>
                    {application.demo && <DemoBadge />}
                  </Row>
                </td>
                <td>{application.policy === NO_LIMIT ? "none" : application.policy}</td>
                <td>{application.owner}</td>
                <td>
                  <When at={application.created_at} />
                </td>
              </tr>
            ))}
          </Table>
        )}
      </Card>
      <Modal
        opened={adding}
        onClose={() => setAdding(false)}
        title="Create application"
        closeButtonProps={{ "aria-label": "Close" }}
      >
        <NewApplication />
      </Modal>
    </>
  );
}

function NewApplication() {
  const policies = useQuery(policiesQuery);
  const create = useCreateApplication();
  const navigate = useNavigate();
  const form = useForm({
    initialValues: { name: "", description: "", policy: NO_LIMIT },
    validate: { name: checkApplicationName },
  });
  const submit = form.onSubmit((values) =>
    create.mutate(values, {
      onSuccess: (made) => navigate(paths.application(made.id)),
      onError: (problem) =>
        form.setErrors(
          fieldErrors(problem, { "/name": "name", "/description": "description", "/policy": "policy" })
            .fields,
        ),
    }),
  );
  return (
    <form onSubmit={submit} noValidate>
      <Stack>
        {create.error && <ProblemNotice problem={create.error} />}
        <TextInput label="Name" withAsterisk data-autofocus {...form.getInputProps("name")} />
        <Textarea label="Description" rows={3} {...form.getInputProps("description")} />
        <NativeSelect
          label="Limit over all its subscriptions"
          data={(policies.data ?? []).map((policy) => ({
            value: policy.name,
            label: `${policy.display_name}: ${within(planLimit(policy))}`,
          }))}
          {...form.getInputProps("policy")}
        />
        <div>
          <Button type="submit" loading={create.isPending}>
            Create application
          </Button>
        </div>
      </Stack>
    </form>
  );
}
