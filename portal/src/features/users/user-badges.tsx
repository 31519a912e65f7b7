// How a user stands, by word, sign and colour.
import type { User } from "../../api/types";
import { Badge, DemoBadge } from "../../ui/notice";
import { Badges } from "../../ui/page";

export function UserBadges({ user }: { user: User }) {
  return (
    <Badges>
      {user.state === "waiting" ? (
        <Badge tone="warn" mark="?">
          Waits for approval
        </Badge>
      ) : user.state === "disabled" ? (
        <Badge tone="bad" mark="■">
          Disabled
        </Badge>
      ) : (
        <Badge tone="good" mark="●">
          Active
        </Badge>
      )}
      {user.must_change_password && (
        <Badge tone="warn" mark="!">
          Password for one time
        </Badge>
      )}
      {user.demo && <DemoBadge />}
    </Badges>
  );
}
