// Roles in words for people. Pure.
import type { Role } from "../../api/generated";

/** The roles that ship, in the order of REST: what each is called, and what it is for. */
export const SHIPPED: { word: string; label: string; about: string }[] = [
  { word: "admin", label: "Admin", about: "Everything, and everyone's data." },
  { word: "creator", label: "Creator", about: "Designs APIs: create, change, delete." },
  { word: "publisher", label: "Publisher", about: "Releases APIs: lifecycle, plans, deployments." },
  { word: "subscriber", label: "Subscriber", about: "Has applications, and subscribes them to APIs." },
  {
    word: "observer",
    label: "Observer",
    about: "Sees what creators and publishers see, and changes nothing.",
  },
];

const shipped = (word: string) => SHIPPED.find((role) => role.word === word);

export const roleLabel = (word: string): string => shipped(word)?.label ?? word;

/** What an own role means. */
export function meaning(means: string[]): string {
  return means.length === 0 ? "Its name alone, for scopes" : means.map(roleLabel).join(", ");
}

/** What is said of a role beside its name. */
export function aboutRole({
  name,
  description,
  means,
}: Pick<Role, "name" | "description" | "means">): string {
  const known = shipped(name)?.about;
  if (known !== undefined) return known;
  return description === "" ? `${meaning(means)}.` : `${description} (${meaning(means)})`;
}
