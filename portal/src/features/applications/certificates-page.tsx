// The certificates of an application: added as PEM, seen by whom they name and until when, removed.
import { Button, SegmentedControl, Textarea, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { certificatesQuery, useAddCertificate, useDeleteCertificate } from "../../api/applications";
import { asProblem, fieldErrors } from "../../api/problem";
import { type Application, type Certificate, ENVIRONMENTS, type Environment } from "../../api/types";
import { title } from "../../lib/format";
import { Confirm } from "../../ui/confirm";
import { Badge, type Tone } from "../../ui/notice";
import { Card, Dim, Row, Stack, Table } from "../../ui/page";
import { RowAction } from "../../ui/row-action";
import { Empty, Loading, ProblemNotice } from "../../ui/states";
import { useNow, When } from "../../ui/when";
import { useApplication } from "./application-frame";

/** A certificate that ends so soon is told: its successor has to be made, added and rolled out. */
const SOON_DAYS = 30;
const DAY_MILLIS = 86_400_000;
const MINUTE_MILLIS = 60_000;

export function Component() {
  const application = useApplication();
  return (
    <>
      <title>{`Certificates · ${application.name}`}</title>
      <NewCertificateCard application={application} />
      <Card title="Certificates">
        <CertificateList application={application} />
      </Card>
    </>
  );
}

function NewCertificateCard({ application }: { application: Application }) {
  const add = useAddCertificate(application.id);
  const form = useForm({
    initialValues: { name: "", type: "production" as Environment, certificate: "" },
    validate: {
      name: (text) => (text.trim() === "" ? "Say whose certificate it is." : null),
      certificate: (text) => (text.trim() === "" ? "Paste the certificate." : null),
    },
  });
  const submit = form.onSubmit((values) =>
    add.mutate(values, {
      onSuccess: () => form.reset(),
      onError: (problem) => {
        const fields = { "/name": "name", "/certificate": "certificate" };
        form.setErrors(fieldErrors(problem, fields).fields);
      },
    }),
  );
  return (
    <Card title="Add a certificate">
      <form onSubmit={submit} noValidate>
        <Stack>
          <Dim>
            A client shows it when it connects over TLS, to APIs that take certificates and that this
            application is subscribed to. It may be self-signed. Add the next one before this one ends: both
            work.
          </Dim>
          {add.error && <ProblemNotice problem={add.error} />}
          <Row>
            <TextInput label="Whose it is" {...form.getInputProps("name")} />
            <SegmentedControl
              aria-label="Environment"
              data={ENVIRONMENTS.map((word) => ({ value: word, label: title(word) }))}
              {...form.getInputProps("type")}
            />
          </Row>
          <Textarea
            label="Certificate"
            description="As PEM, the client's own alone: no chain, and never its private key."
            placeholder="-----BEGIN CERTIFICATE-----"
            autosize
            minRows={4}
            maxRows={12}
            spellCheck={false}
            classNames={{ input: "mono" }}
            {...form.getInputProps("certificate")}
          />
          <div>
            <Button type="submit" loading={add.isPending}>
              Add certificate
            </Button>
          </div>
        </Stack>
      </form>
    </Card>
  );
}

function Standing({ certificate }: { certificate: Certificate }) {
  const now = useNow(MINUTE_MILLIS);
  const left = Date.parse(certificate.expires_at) - now;
  const [tone, mark, word]: [Tone, string, string] =
    left <= 0
      ? ["bad", "■", "Expired"]
      : Date.parse(certificate.begins_at) > now
        ? ["calm", "○", "Not valid yet"]
        : left < SOON_DAYS * DAY_MILLIS
          ? ["warn", "!", "Ends soon"]
          : ["good", "●", "Valid"];
  return (
    <Badge tone={tone} mark={mark}>
      {word}
    </Badge>
  );
}

function CertificateList({ application }: { application: Application }) {
  const certificates = useQuery(certificatesQuery(application.id));
  const remove = useDeleteCertificate(application.id);
  const [asked, setAsked] = useState<Certificate | null>(null);
  if (certificates.isPending) return <Loading lines={2} />;
  if (certificates.isError)
    return <ProblemNotice problem={asProblem(certificates.error)} onRetry={() => certificates.refetch()} />;
  const close = () => setAsked(null);
  return (
    <Stack>
      {remove.error && <ProblemNotice problem={remove.error} />}
      {certificates.data.length === 0 ? (
        <Empty title="No certificates yet">Add one above for a client that proves itself in TLS.</Empty>
      ) : (
        <Table
          caption="Certificates"
          head={["Name", "Names", "SHA-256 thumbprint", "Environment", "Expires", "State", "Actions"]}
        >
          {certificates.data.map((certificate) => (
            <tr key={certificate.id}>
              <td>{certificate.name}</td>
              <td>{certificate.subject || "nobody"}</td>
              <td className="mono">{certificate.thumbprint}</td>
              <td>{title(certificate.type)}</td>
              <td>
                <When at={certificate.expires_at} />
              </td>
              <td>
                <Standing certificate={certificate} />
              </td>
              <td>
                <RowAction name={`Remove ${certificate.name}`} onClick={() => setAsked(certificate)}>
                  Remove
                </RowAction>
              </td>
            </tr>
          ))}
        </Table>
      )}
      <Confirm
        opened={asked !== null}
        title={`Remove “${asked?.name ?? ""}”?`}
        action="Remove certificate"
        destructive
        busy={remove.isPending}
        onClose={close}
        onConfirm={() => asked && remove.mutate({ id: asked.id }, { onSettled: close })}
      >
        <p>It opens nothing any more, and its live sessions close within a second.</p>
      </Confirm>
    </Stack>
  );
}
