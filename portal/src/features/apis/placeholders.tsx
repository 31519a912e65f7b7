// What a value can say of the session, to be put at its end.
import { Button } from "@mantine/core";
import { Details, Row } from "../../ui/page";

export function Placeholders(props: {
  /** Where they are put, in a sentence. */
  of: string;
  names: string[];
  onChoose: (placeholder: string) => void;
}) {
  return (
    <Details summary="Put in something of the session">
      <Row>
        {props.names.map((name) => (
          <Button
            key={name}
            variant="default"
            size="compact-xs"
            aria-label={`Put {${name}} into ${props.of}`}
            onClick={() => props.onChoose(`{${name}}`)}
          >
            {`{${name}}`}
          </Button>
        ))}
      </Row>
    </Details>
  );
}
