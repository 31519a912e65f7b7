// A password for one time, at the one moment it can be seen.
import { Address } from "../../ui/copy";
import { Notice } from "../../ui/notice";

export function PasswordOnce({ username, password }: { username: string; password: string }) {
  return (
    <Notice tone="warn" title={`Tell ${username} this password. It is shown this once.`} live>
      <Address value={password} label="password for one time" />
      <p>Whoever signs in with it has to choose another before anything else.</p>
    </Notice>
  );
}
