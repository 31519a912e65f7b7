// Where a topic would lead by the mappings as they stand in the form, by the rules that gateways have.
import { TextInput } from "@mantine/core";
import { useState } from "react";
import { checkBackend, checkTopic, isCanonical, type Mapping, mapped } from "../../lib/topic-mapping";
import { Stack } from "../../ui/page";
import styles from "../../ui/ui.module.css";

/** In words; a topic that no client can ask for leads nowhere. */
function told(mappings: Mapping[], topic: string): string {
  if (!isCanonical(topic))
    return "A topic begins with “/” and has one reading: a client that asks for this is refused.";
  const wrong = mappings.findIndex((mapping) => checkTopic(mapping.topic) ?? checkBackend(mapping));
  if (wrong >= 0) return `Topic mapping ${wrong + 1} has to be put right first.`;
  const found = mapped(mappings, topic);
  return found === null
    ? `No mapping fits: the backend is asked for ${topic} behind the endpoint's path.`
    : `Topic mapping ${found.place + 1}: the backend is asked for ${found.path} behind the endpoint's path.`;
}

export function TopicTryOut({ mappings }: { mappings: Mapping[] }) {
  const [topic, setTopic] = useState("");
  return (
    <Stack>
      <TextInput
        label="Try a topic"
        description="What follows the API's address when a client connects. Nothing is sent."
        placeholder="/rooms/7"
        value={topic}
        onChange={(event) => setTopic(event.currentTarget.value.trim())}
        // It is no field of the form around it.
        onKeyDown={(event) => event.key === "Enter" && event.preventDefault()}
        spellCheck={false}
        autoComplete="off"
      />
      {topic !== "" && (
        <p className={styles.told} role="status">
          {told(mappings, topic)}
        </p>
      )}
    </Stack>
  );
}
