// Thresholds as they are typed. The bounds are the model's.
const MOST = 5;

/** `80, 100` as numbers, or what is wrong with it. */
export function readThresholds(
  text: string,
): { numbers: number[]; problem: null } | { numbers: null; problem: string } {
  const words = text.split(/[\s,;%]+/).filter((word) => word !== "");
  const numbers = words.map(Number);
  if (numbers.some((number) => !Number.isInteger(number) || number < 1 || number > 100))
    return { numbers: null, problem: "A threshold is a whole number from 1 to 100." };
  if (numbers.length > MOST) return { numbers: null, problem: `Choose at most ${MOST} thresholds.` };
  return { numbers, problem: null };
}
