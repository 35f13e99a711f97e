import { lookup as systemLookup } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'
import { problem } from '../../../core/shared/problem.ts'
import { failed, ok, type Result } from '../../../core/shared/result.ts'

const PRIVATE_V4 = [
  ['0.0.0.0', 8], // "this host"; Linux connects it to itself
  ['10.0.0.0', 8],
  ['100.64.0.0', 10], // carrier-grade NAT
  ['169.254.0.0', 16], // link-local, and the metadata services of clouds
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15], // benchmarking
  ['224.0.0.0', 4], // multicast
  ['240.0.0.0', 4], // reserved, broadcast
] as const
const PRIVATE_V6 = [
  ['::', 128],
  ['64:ff9b::', 96], // NAT64: an IPv4 address in disguise
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
] as const

const privateAddresses = new BlockList()
for (const [net, bits] of PRIVATE_V4) privateAddresses.addSubnet(net, bits, 'ipv4')
for (const [net, bits] of PRIVATE_V6) privateAddresses.addSubnet(net, bits, 'ipv6')

/** Loopback is not private here: Sluice is a local tool, and a receiver on the same machine is a normal thing to have. */
export function isPrivateAddress(address: string): boolean {
  return privateAddresses.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
}

/** Only http and https, no credentials, and no private address written as a number. Names are checked when resolved. */
export function readUrl(text: string, allowPrivate: boolean): Result<URL> {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null) return refused('The webhook URL is not a URL')
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    return refused(`The webhook URL uses "${url.protocol}"`)
  if (url.username !== '' || url.password !== '')
    return refused(`The webhook URL for ${url.host} holds a user name or password`)
  const host = url.hostname.replace(/^\[|\]$/g, '')
  if (!allowPrivate && isIP(host) !== 0 && isPrivateAddress(host))
    return failed(privateAddress(url.host, host))
  return ok(url)
}

/** Resolves like the system and refuses private answers at the moment of connecting, so that a name cannot change in between. */
export function guardedLookup(allowPrivate: boolean): LookupFunction {
  return (hostname, options, callback) => {
    systemLookup(hostname, { ...options, all: true }, (error, found) => {
      if (error !== null) return callback(error, '')
      const allowed = allowPrivate ? found : found.filter(({ address }) => !isPrivateAddress(address))
      const [first] = allowed
      if (first === undefined)
        return callback(new PrivateAddressError(hostname, found[0]?.address ?? 'no address'), '')
      if (options.all === true) return callback(null, allowed)
      return callback(null, first.address, first.family)
    })
  }
}

export class PrivateAddressError extends Error {
  readonly address: string
  constructor(hostname: string, address: string) {
    super(`${hostname} is the private address ${address}`)
    this.address = address
  }
}

export function privateAddress(host: string, address: string) {
  return problem('NOTIFY_ADDRESS_PRIVATE', {
    message: `The webhook host ${host} is the private address ${address}.`,
    remedy: 'Use a public address, or set allowPrivate: true for this channel if the receiver is yours.',
  })
}

function refused(what: string): Result<never> {
  const remedy =
    'Use an http or https URL without a user name and password, such as https://example.com/hooks/sluice.'
  return failed(problem('NOTIFY_URL_INVALID', { message: `${what}.`, remedy }))
}
