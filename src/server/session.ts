import { createHash, createHmac, timingSafeEqual } from 'node:crypto'

/** Long enough for a working week, short enough that a forgotten browser loses its way in. */
export const SESSION_MS = 7 * 24 * 3_600_000

/** Compares in the same time whatever differs and whatever the lengths. */
export const sameSecret = (a: string, b: string): boolean => timingSafeEqual(digest(a), digest(b))

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

/**
 * The value of the page's cookie: when it ends and an HMAC of that, keyed by the token. The cookie does not reveal
 * the token, and a new token ends all sessions. The port is part of it, since browsers share cookies between ports.
 */
export function sealSession(token: string, port: number, now: number): string {
  const endsAt = String(now + SESSION_MS)
  return `${endsAt}.${seal(token, port, endsAt)}`
}

export function isSession(value: string | undefined, token: string, port: number, now: number): boolean {
  const [endsAt, mark] = value?.split('.') ?? []
  if (endsAt === undefined || mark === undefined || !/^\d{1,15}$/.test(endsAt)) return false
  return sameSecret(mark, seal(token, port, endsAt)) && Number(endsAt) > now
}

const seal = (token: string, port: number, endsAt: string): string =>
  createHmac('sha256', token).update(`sluice page session:${port}:${endsAt}`).digest('base64url')

export const sessionCookieName = (port: number): string => `sluice_${port}`
