/** Spellings seen so far: browsers send the same few again and again. Bounded against invented names. */
const known = new Map<string, string>()
const KNOWN = 2_000

/**
 * The name in a Host header: lower case, without port and trailing dot. IPv6 addresses keep their brackets.
 *
 * @example hostName('Shop.Example.org.:8443') // 'shop.example.org'
 */
export function hostName(header: string): string {
  const before = known.get(header)
  if (before !== undefined) return before
  const name = header
    .toLowerCase()
    .replace(/:\d{1,5}$/, '')
    .replace(/\.$/, '')
  if (known.size < KNOWN) known.set(header, name)
  return name
}
