import type { MetricSubject, MetricWindow } from './metric-subject.ts'

/** What a query may name. Moments are of the window, which begins at `from` and ends just before `to`. */
export const METRIC_PLACEHOLDERS = [
  'version',
  'release',
  'service',
  'environment',
  'window',
  'from',
  'to',
  'fromMs',
  'toMs',
] as const
export type MetricPlaceholder = (typeof METRIC_PLACEHOLDERS)[number]

/** `{{from}}` and `{{to}}` are seconds since the Unix epoch, with a fraction only where there is one. */
export function placeholderValues(
  { version, release, service, environment }: MetricSubject,
  { fromMs, toMs }: MetricWindow,
): Record<MetricPlaceholder, string> {
  return {
    version,
    release: release ?? '',
    service,
    environment,
    window: windowText(toMs - fromMs),
    from: `${fromMs / 1000}`,
    to: `${toMs / 1000}`,
    fromMs: `${fromMs}`,
    toMs: `${toMs}`,
  }
}

/** As PromQL writes a duration: `30s`, `1500ms`. */
const windowText = (ms: number): string => (ms % 1000 === 0 ? `${ms / 1000}s` : `${Math.round(ms)}ms`)

/** Fills `{{name}}`; each value goes through `quote`, so that no value can end the text it stands in. */
export const fillTemplate = (
  text: string,
  values: Readonly<Record<MetricPlaceholder, string>>,
  quote: (value: string) => string,
): string =>
  METRIC_PLACEHOLDERS.reduce(
    (filled, name) => filled.replaceAll(`{{${name}}}`, () => quote(values[name])),
    text,
  )
