import { hasFineRate, type ServiceLimits } from '../../../core/shared/request-policy.ts'
import type { ServiceRoutes } from '../../../core/shared/routes.ts'
import { answerLines, busy, type OwnAnswer, tooLarge, tooOften } from './answers.ts'
import type { Names } from './names.ts'

/** A status of nobody else, so that only our own limit leads to the answer. */
const BUSY_STATUS = 590
/** One key at a time; the smallest zone that nginx takes is half of that. */
const ZONE = '64k'

/** The largest body that is taken at all, as with the built-in proxy. */
const MOST_BODY_BYTES = 10 * 1024 ** 3

export const FINE_RATE =
  'nginx counts a rate in whole requests a second or a minute, each as so many thousandths: only multiples of 0.05 a second are exact.'
export const LIMITED_COPIES =
  'nginx holds the place of a copied request until its copy is over: a shadow that hangs would turn users away.'

/** Why nginx cannot limit so, or `null`. */
export function whyNotLimits({ limits, mirror }: Pick<ServiceRoutes, 'limits' | 'mirror'>): string | null {
  if (limits === undefined) return null
  if (hasFineRate(limits)) return FINE_RATE
  return limits.requests !== undefined && mirror !== null ? LIMITED_COPIES : null
}

type Part = { names: Names; limits: ServiceLimits }

/**
 * The counts behind the limits. Probes have no key, so they are not counted. `round` is in the key of those that are
 * inside: a worker that was ended never gives back the places of its requests, and with another key nobody has them.
 */
export function limitZones({ names, limits }: Part, round: number): string[] {
  const { requests, rate } = limits
  const keyed = (name: string, key: string) =>
    `map ${names.variable('probe')} ${names.variable(name)} { default ${key}; 1 ""; }`
  return [
    ...(requests === undefined
      ? []
      : [
          keyed('inside', `${round}`),
          `limit_conn_zone ${names.variable('inside')} zone=${names.zone('inside')}:${ZONE};`,
        ]),
    ...(rate === undefined
      ? []
      : [
          keyed('often', '1'),
          `limit_req_zone ${names.variable('often')} zone=${names.zone('often')}:${ZONE} rate=${rateText(rate.perSecond)};`,
        ]),
  ]
}

/** Multiples of 0.05 a second are whole thousandths of requests, and so are those of whole requests a minute (`hasFineRate`). */
const rateText = (perSecond: number): string =>
  Number.isInteger(perSecond) ? `${perSecond}r/s` : `${Math.round(perSecond * 60)}r/m`

/**
 * In the first location of a request: its body, and then its place, before it takes a token as with the built-in proxy.
 * nginx looks at rates before places, so the rate is a location further on.
 */
export const bodyLines = (bytes: number, names: Names): string[] => [
  `        client_max_body_size ${Math.min(bytes, MOST_BODY_BYTES)};`,
  `        error_page 413 ${names.location('large')};`,
]

export const placeLines = (requests: number, names: Names): string[] => [
  `        limit_conn ${names.zone('inside')} ${requests};`,
  `        limit_conn_status ${BUSY_STATUS};`,
  '        limit_conn_log_level info;',
  `        error_page ${BUSY_STATUS} =503 ${names.location('busy')};`,
]

/** The bucket: nginx lets in the request that fills it and `burst` more, so that one less is the same bucket. */
export const rateLines = ({ burst }: NonNullable<ServiceLimits['rate']>, names: Names): string[] => [
  `        limit_req zone=${names.zone('often')}${burst > 1 ? ` burst=${burst - 1} nodelay` : ''};`,
  '        limit_req_status 429;',
  '        limit_req_log_level info;',
  `        error_page 429 ${names.location('often')};`,
]

/** Where those go that are turned away. */
export function limitAnswers(service: string, { names, limits }: Part, log: string): string[] {
  const { bodyBytes, requests, rate } = limits
  return [
    ...(bodyBytes === undefined ? [] : answerAt(names.location('large'), tooLarge(bodyBytes), log)),
    ...(requests === undefined ? [] : answerAt(names.location('busy'), busy(service, requests), log)),
    ...(rate === undefined ? [] : answerAt(names.location('often'), tooOften(service, rate.perSecond), log)),
  ]
}

const answerAt = (location: string, answer: OwnAnswer, log: string): string[] => [
  `    location ${location} {`,
  log,
  ...answerLines(answer),
  '    }',
]
