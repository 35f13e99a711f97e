/** Facts shown of one piece of evidence. */
const EVIDENCE_SHOWN = 8

/** Evidence as `name: value` lines; what is deeper than one level stays JSON. */
export function evidenceLines(evidence: Readonly<Record<string, unknown>>): string[] {
  const entries = Object.entries(evidence)
  const lines = entries
    .slice(0, EVIDENCE_SHOWN)
    .map(([name, value]) => `${words(name)}: ${valueWords(value)}`)
  return entries.length > EVIDENCE_SHOWN
    ? [...lines, `and ${entries.length - EVIDENCE_SHOWN} more facts`]
    : lines
}

/** `errorRatePercent` -> `error rate percent`. */
const words = (name: string): string =>
  name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replaceAll('_', ' ')
    .toLowerCase()

const valueWords = (value: unknown): string =>
  typeof value === 'string' ? value : (JSON.stringify(value) ?? 'unknown')
