import { readFile } from 'node:fs/promises'
import { isIPv4, isIPv6 } from 'node:net'
import type { ListenAddress } from '../../../core/shared/listen-address.ts'
import { socketsOf } from './processes.ts'

/** One TCP connection of a worker, as the kernel shows it. */
export type Connection = {
  /** `127.0.0.1:8080` */
  remote: string
  isOpen: boolean
  /** Only those of WebSockets are kept alive by the kernel (`live.ts`), so the timer tells them from requests. */
  isKeptAlive: boolean
}

/** The connections of each of these workers. All of them are read at about the same moment. */
export async function connectionsOf(pids: readonly number[]): Promise<Map<number, Connection[]>> {
  const sockets = await Promise.all(pids.map(socketsOf))
  const tables = await Promise.all(
    ['tcp', 'tcp6'].map((name) => readFile(`/proc/net/${name}`, 'utf8').catch(() => '')),
  )
  const byInode = new Map(tables.flatMap((table) => table.split('\n').slice(1).flatMap(lineOf)))
  return new Map(
    pids.map((pid, at) => [pid, [...(sockets[at] ?? [])].flatMap((inode) => byInode.get(inode) ?? [])]),
  )
}

/** As `Connection.remote` names it; `null` for a name instead of an address. */
export function endpointOf({ host, port }: ListenAddress): string | null {
  if (isIPv4(host)) return `${host}:${port}`
  return isIPv6(host) ? `${new URL(`http://[${host}]`).hostname}:${port}` : null
}

const LISTENING = '0A'
const ESTABLISHED = '01'
const KEEPALIVE_TIMER = '02'

/** proc(5): `sl local remote state queues timer:when retransmits uid timeout inode`. */
function lineOf(line: string): [string, Connection][] {
  const [, , remote, state, , timer, , , , inode] = line.trim().split(/\s+/)
  if (remote === undefined || state === undefined || inode === undefined || state === LISTENING) return []
  const connection: Connection = {
    remote: addressOf(remote),
    isOpen: state === ESTABLISHED,
    isKeptAlive: timer?.startsWith(`${KEEPALIVE_TIMER}:`) ?? false,
  }
  return [[inode, connection]]
}

/** Four bytes at a time, the lowest first: `0100007F:1F90` is 127.0.0.1:8080. */
function addressOf(text: string): string {
  const [address = '', port = '0'] = text.split(':')
  const bytes = (address.match(/.{8}/g) ?? []).flatMap((word) => (word.match(/../g) ?? []).toReversed())
  return `${hostOf(bytes)}:${Number.parseInt(port, 16)}`
}

function hostOf(bytes: readonly string[]): string {
  const isMapped =
    bytes.length === 16 && bytes.slice(0, 12).join('') === '00000000000000000000ffff'.toUpperCase()
  if (bytes.length === 4 || isMapped)
    return bytes
      .slice(-4)
      .map((byte) => Number.parseInt(byte, 16))
      .join('.')
  const groups = Array.from({ length: 8 }, (_, at) => `${bytes[at * 2]}${bytes[at * 2 + 1]}`)
  return new URL(`http://[${groups.join(':')}]`).hostname
}
