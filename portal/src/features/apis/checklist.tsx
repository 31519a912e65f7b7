// Ready to publish: what is there and what is missing, each a link to where it is mended. Gone once published.
import { Anchor, Button } from "@mantine/core";
import type { ReactNode } from "react";
import { Link } from "react-router";
import { useCan } from "../../api/session";
import type { Api } from "../../api/types";
import { paths } from "../../lib/paths";
import { Card, Dim } from "../../ui/page";
import styles from "../../ui/ui.module.css";

interface Item {
  done: boolean;
  label: string;
  hint: string;
  to?: string;
}

export function Checklist({ api }: { api: Api }) {
  const publisher = useCan("api_publish");
  const creator = useCan("api_create");
  if (api.state !== "created" && api.state !== "prototyped") return null;
  const lacks = (what: string) => api.missing.find((missing) => missing.what === what);
  const items: Item[] = [
    { done: true, label: "Name, context and version", hint: `${api.name} at ${api.context}, ${api.version}` },
    {
      done: !lacks("endpoint"),
      label: "Endpoint",
      hint: lacks("endpoint")?.detail ?? "There is a backend to connect to.",
      ...(creator && { to: paths.api(api.id, "endpoints") }),
    },
    {
      done: !lacks("plan"),
      label: "Business plans",
      hint: lacks("plan")?.detail ?? `${api.plans.length} chosen`,
      ...((creator || publisher) && { to: paths.api(api.id, "plans") }),
    },
  ];
  const ready = items.every((item) => item.done);
  return (
    <Card
      title="Ready to publish"
      aside={
        publisher && ready ? (
          <Button component={Link} to={paths.api(api.id, "lifecycle")}>
            Go to Lifecycle to publish
          </Button>
        ) : (
          <Dim>{ready ? "Everything is there. A publisher can release it." : "Mend what is open below."}</Dim>
        )
      }
    >
      <ul className={styles.steps}>
        {items.map((item) => (
          <Check key={item.label} item={item} />
        ))}
      </ul>
    </Card>
  );
}

function Check({ item }: { item: Item }): ReactNode {
  return (
    <li className={`${styles.step} ${item.done ? styles.good : styles.warn}`}>
      <span className={styles.stepSign} role="img" aria-label={item.done ? "Done" : "Open"}>
        {item.done ? "✓" : "○"}
      </span>
      <span>
        {item.to ? (
          <Anchor component={Link} to={item.to} inherit>
            {item.label}
          </Anchor>
        ) : (
          item.label
        )}{" "}
        <Dim>{item.hint}</Dim>
      </span>
    </li>
  );
}
