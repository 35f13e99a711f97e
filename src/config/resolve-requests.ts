import type { ServiceSettings } from '../core/release/settings.ts'
import type {
  AccessLogPolicy,
  OutlierPolicy,
  RequestPolicy,
  ServiceLimits,
} from '../core/shared/request-policy.ts'
import { DEFAULT_ACCESS_LOG } from './defaults.ts'
import type { LayeredReader } from './layers.ts'
import { sizeText } from './size.ts'
import { durationText, percentText } from './units.ts'
import type { Value } from './value-text.ts'

type Serving = Pick<ServiceSettings, 'listen' | 'router'> & {
  /** No other router serves besides. */
  isAlone: boolean
}

/** What is done with each request of the service, as far as the file says so, or it is done without being asked for. */
export function requestPolicyIn(reader: LayeredReader, serving: Serving): RequestPolicy {
  const outlier = outlierOf(reader, serving)
  const limits = limitsOf(reader)
  const accessLog = accessLogOf(reader)
  return {
    ...(outlier === null ? {} : { outlier }),
    ...(limits === null ? {} : { limits }),
    ...(accessLog === null ? {} : { accessLog }),
  }
}

/** Left out by itself only where the built-in proxy alone serves; of another router it is asked when the file names it. */
function outlierOf(reader: LayeredReader, { listen, router, isAlone }: Serving): OutlierPolicy | null {
  const path = 'health.outlier'
  const chosen = reader.pick(path, ({ health }) => health?.outlier)
  if (chosen === 'off') return null
  if (reader.originOf(path).kind === 'default' && (router !== 'builtin' || listen === null || !isAlone)) {
    const who = isAlone ? 'the built-in proxy' : 'the built-in proxy, where it serves alone,'
    reader.note(path, { kind: 'default', note: `off: only ${who} does it unasked` })
    return null
  }
  reader.origins.delete(path)
  const part = (key: 'failures' | 'for' | 'max'): number =>
    reader.pick(`${path}.${key}`, ({ health }) =>
      health?.outlier === 'off' ? undefined : health?.outlier?.[key],
    )
  return { failures: part('failures'), forMs: part('for'), maxPercent: part('max') }
}

function limitsOf(reader: LayeredReader): ServiceLimits | null {
  const chosen = reader.pick('limits', ({ limits }) => limits)
  if (chosen === 'off') return null
  reader.origins.delete('limits')
  const part = (key: 'body' | 'requests' | 'perSecond' | 'burst') =>
    reader.find(`limits.${key}`, ({ limits }) => (limits === 'off' ? undefined : limits?.[key]))
  const [bodyBytes, requests, perSecond] = [part('body'), part('requests'), part('perSecond')]
  const limits: ServiceLimits = {
    ...(bodyBytes === undefined ? {} : { bodyBytes }),
    ...(requests === undefined ? {} : { requests }),
    ...(perSecond === undefined
      ? {}
      : { rate: { perSecond, burst: part('burst') ?? Math.max(1, Math.ceil(perSecond)) } }),
  }
  return Object.keys(limits).length === 0 ? null : limits
}

function accessLogOf(reader: LayeredReader): AccessLogPolicy | null {
  const chosen = reader.pick('accessLog', ({ accessLog }) => accessLog)
  if (chosen === 'off') return null
  const { sample, query } = chosen === 'on' ? {} : chosen
  const percent = sample ?? Number.parseFloat(DEFAULT_ACCESS_LOG.sample)
  return { sharePermille: Math.max(1, Math.round(percent * 10)), query: query ?? DEFAULT_ACCESS_LOG.query }
}

/** As in the file, for `sluice validate --explain`. */
export function requestPolicyValues({ outlier, limits, accessLog }: RequestPolicy): Value[] {
  return [
    ...(outlier === undefined ? [['health.outlier', 'off'] as const] : outlierValues(outlier)),
    ...(limits === undefined ? [['limits', 'off'] as const] : limitValues(limits)),
    [
      'accessLog',
      accessLog === undefined
        ? 'off'
        : `${percentText(accessLog.sharePermille / 10)} of the requests${accessLog.query ? ', with the query' : ''}`,
    ],
  ]
}

const outlierValues = ({ failures, forMs, maxPercent }: OutlierPolicy): Value[] => [
  ['health.outlier.failures', String(failures)],
  ['health.outlier.for', durationText(forMs)],
  ['health.outlier.max', percentText(maxPercent)],
]

const limitValues = ({ bodyBytes, requests, rate }: ServiceLimits): Value[] => [
  ...(bodyBytes === undefined ? [] : [['limits.body', sizeText(bodyBytes)] as const]),
  ...(requests === undefined ? [] : [['limits.requests', String(requests)] as const]),
  ...(rate === undefined
    ? []
    : [['limits.perSecond', String(rate.perSecond)] as const, ['limits.burst', String(rate.burst)] as const]),
]
