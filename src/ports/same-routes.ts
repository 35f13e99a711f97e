import { isDeepStrictEqual } from 'node:util'
import type { ServiceRoutes } from '../core/shared/routes.ts'

/**
 * Whether an order whose token was seen already asks for what is in force. Its token may name no rollout any more: that
 * of the first order can have ended before the answer came.
 */
export const sameRoutes = (inForce: ServiceRoutes | null, order: ServiceRoutes | null): boolean =>
  isDeepStrictEqual(inForce && order && { ...inForce, token: order.token }, order)
