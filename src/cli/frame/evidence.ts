/** Facts shown of one piece of evidence. */
const EVIDENCE_SHOWN = 8

/** Evidence as `name: value` lines, numbers rounded; what is deeper than one level stays JSON. The weight of the evidence comes first. */
export function evidenceLines(evidence: Readonly<Record<string, unknown>>): string[] {
  const { logE, logThreshold, ...others } = evidence
  const isWeighed = typeof logE === 'number' && typeof logThreshold === 'number'
  const facts = [
    ...(isWeighed ? [`evidence ${logE.toFixed(1)} of ${logThreshold.toFixed(1)} needed`] : []),
    ...Object.entries(isWeighed ? others : evidence).map(
      ([name, value]) => `${words(name)}: ${valueWords(value)}`,
    ),
  ]
  const hidden = facts.length - EVIDENCE_SHOWN
  return hidden > 0 ? [...facts.slice(0, EVIDENCE_SHOWN), `and ${hidden} more facts`] : facts
}

/** `errorRatePercent` -> `error rate percent`. */
const words = (name: string): string =>
  name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replaceAll('_', ' ')
    .toLowerCase()

const valueWords = (value: unknown): string =>
  typeof value === 'string'
    ? value
    : (JSON.stringify(value, (_, inner: unknown) => rounded(inner)) ?? 'unknown')

/** Two decimals tell the size; small shares keep three digits. */
function rounded(value: unknown): unknown {
  if (typeof value !== 'number' || !Number.isFinite(value)) return value
  return Math.abs(value) >= 1 ? Math.round(value * 100) / 100 : Number(value.toPrecision(3))
}
