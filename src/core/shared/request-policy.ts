import * as z from 'zod'

/** An instance that fails so many requests in a row gets none for a while. Terms and idea: Envoy's outlier detection. */
export const OutlierPolicy = z.object({
  /** Requests in a row that end with 5xx, a reset, a time-out or without a connection. */
  failures: z.int().min(1).max(1000),
  /** The first ejection lasts so long, the second twice as long, and so on. */
  forMs: z.int().positive(),
  /** Of the active instances of a release; one may always go, the last never. */
  maxPercent: z.number().min(0).max(100),
})
export type OutlierPolicy = z.infer<typeof OutlierPolicy>

/** What the data plane takes for one service; what is over is turned away. Absent: the limit of the data plane itself. */
export const ServiceLimits = z.object({
  bodyBytes: z.int().positive().exactOptional(),
  /** At the same time. A WebSocket counts for as long as it is open. */
  requests: z.int().positive().exactOptional(),
  rate: z
    .object({
      perSecond: z.number().positive(),
      /** So many at once after a silence. */
      burst: z.int().positive(),
    })
    .exactOptional(),
})
export type ServiceLimits = z.infer<typeof ServiceLimits>

/**
 * A rate that is no multiple of 0.05 a second: who counts in whole requests a second or a minute, each as so many
 * thousandths, cannot say it.
 *
 * @example hasFineRate({ rate: { perSecond: 0.5, burst: 1 } }) // false, and true for 0.01
 */
export function hasFineRate({ rate }: ServiceLimits): boolean {
  if (rate === undefined) return false
  const twentieths = rate.perSecond * 20
  return Math.abs(twentieths - Math.round(twentieths)) > ROUNDING
}

/** Decimal fractions are not exact in binary ones. */
const ROUNDING = 1e-6

/** One line of JSON for each request, or for a share of them. */
export const AccessLogPolicy = z.object({
  sharePermille: z.int().min(1).max(1000),
  /** With the query of the path, which may hold what is private. */
  query: z.boolean(),
})
export type AccessLogPolicy = z.infer<typeof AccessLogPolicy>

/** What the data plane does with each request of a service, whatever its version. Absent: not done. */
export const RequestPolicy = z.object({
  outlier: OutlierPolicy.exactOptional(),
  limits: ServiceLimits.exactOptional(),
  accessLog: AccessLogPolicy.exactOptional(),
})
export type RequestPolicy = z.infer<typeof RequestPolicy>

/** These alone, out of whatever holds them. */
export const requestPolicyOf = ({ outlier, limits, accessLog }: RequestPolicy): RequestPolicy => ({
  ...(outlier === undefined ? {} : { outlier }),
  ...(limits === undefined ? {} : { limits }),
  ...(accessLog === undefined ? {} : { accessLog }),
})
