// The first page: which doors there are, and which this person may enter.
import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import { useSession } from "../api/session";
import { settingsQuery } from "../api/settings";
import { paths } from "../lib/paths";
import { Dim } from "../ui/page";
import styles from "./frame.module.css";

const DOORS = [
  {
    to: paths.apis(),
    title: "Publisher",
    text: "Turn a WebSocket backend into an API: describe it, release it under plans, watch its traffic.",
    permission: "api_view",
  },
  {
    to: paths.catalogue(),
    title: "Developer portal",
    text: "Find an API, subscribe, get a key, and exchange the first message from this page.",
    permission: null,
  },
  {
    to: paths.admin(),
    title: "Admin",
    text: "What this installation is and where it listens.",
    permission: "administer",
  },
];

export function Component() {
  const session = useSession();
  const settings = useQuery(settingsQuery);
  const open = DOORS.filter(
    (door) =>
      !session.data ||
      door.permission === null ||
      session.data.permissions.some((held) => held === door.permission),
  );
  return (
    <>
      <title>Tidegate</title>
      <div className={styles.lead}>
        <h1>WebSocket APIs, managed</h1>
        <p>
          <Dim>
            {session.data
              ? `Signed in as ${session.data.user.username}. These doors are open to you.`
              : "Choose a door. The catalogue needs no sign-in; the others ask for one."}
            {settings.data?.demo && " This installation carries demo data, marked as such."}
          </Dim>
        </p>
      </div>
      <nav aria-label="Doors of the product" className={styles.doorGrid}>
        {open.map((door) => (
          <Link key={door.to} to={door.to} className={styles.door}>
            <h2>{door.title}</h2>
            <p>{door.text}</p>
          </Link>
        ))}
      </nav>
    </>
  );
}
