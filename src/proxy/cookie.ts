/**
 * The value of a cookie in a `Cookie` header (RFC 6265, 4.2.1), as it was sent; `null` when there is none of that name.
 *
 * @example cookieIn('a=1; b=2', 'b') // '2'
 */
export function cookieIn(header: string | undefined, name: string): string | null {
  if (header === undefined) return null
  let at = 0
  while (at < header.length) {
    const end = header.indexOf(';', at)
    const stop = end < 0 ? header.length : end
    const equals = header.indexOf('=', at)
    if (equals >= 0 && equals < stop && header.slice(at, equals).trim() === name)
      return header.slice(equals + 1, stop).trim()
    at = stop + 1
  }
  return null
}

export type CookieToSet = { name: string; value: string; maxAgeMs: number; secure: boolean }

/** A `Set-Cookie` value: for the whole site, out of reach of scripts, and not sent along by other sites' requests. */
export function setCookie({ name, value, maxAgeMs, secure }: CookieToSet): string {
  const lasting = `${name}=${value}; Path=/; Max-Age=${Math.ceil(maxAgeMs / 1000)}; HttpOnly; SameSite=Lax`
  return secure ? `${lasting}; Secure` : lasting
}
