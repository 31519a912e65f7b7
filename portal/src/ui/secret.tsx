// A client secret at the one moment it can be seen: it says so, can be copied, and offers a file.
import { Button } from "@mantine/core";
import { download } from "../lib/download";
import { Address } from "./copy";
import { Notice } from "./notice";
import styles from "./ui.module.css";

export function SecretOnce(props: {
  clientId: string;
  clientSecret: string;
  tokenUrl: string;
  type: string;
}) {
  const file = {
    client_id: props.clientId,
    client_secret: props.clientSecret,
    token_url: props.tokenUrl,
    type: props.type,
  };
  return (
    <Notice tone="warn" title="The secret is shown this once. Copy it or save the file now." live>
      <div className={styles.stack}>
        <Address value={props.clientSecret} label="client secret" />
        <div>
          <Button
            variant="default"
            size="xs"
            onClick={() => download(`tidegate-${props.type}-key.json`, `${JSON.stringify(file, null, 2)}\n`)}
          >
            Save as a file
          </Button>
        </div>
      </div>
    </Notice>
  );
}
