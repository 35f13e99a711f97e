import { readdirSync, readlinkSync } from 'node:fs'
import { allProcesses, type ProcessRow, readProc } from './process-table.ts'

/** Where a process accepts TCP connections. */
export type Listener = { address: string; port: number; inode: string }

/** All TCP listeners of the host (Linux; elsewhere none are known). */
const allListeners = (): Listener[] => [
  ...parseSockets(readProc('net/tcp') ?? ''),
  ...parseSockets(readProc('net/tcp6') ?? ''),
]

/** Listeners held by any of these processes. */
export function listenersOf(pids: readonly number[]): Listener[] {
  const inodes = new Set(pids.flatMap(socketsOf))
  return allListeners().filter((listener) => inodes.has(listener.inode))
}

/**
 * The process that listens on a port. Workers inherit the listener of their parent: the one whose parent does not
 * hold it too is the one to signal. `null` when nobody listens or the owner is hidden from this user.
 */
export function findListeningProcess(port: number): ProcessRow | null {
  const inodes = new Set(allListeners().flatMap((found) => (found.port === port ? found.inode : [])))
  if (inodes.size === 0) return null
  const holders = allProcesses().filter((row) => socketsOf(row.pid).some((inode) => inodes.has(inode)))
  return holders.find((row) => !holders.some((other) => other.pid === row.parent)) ?? null
}

function socketsOf(pid: number): string[] {
  return descriptorsOf(pid).flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? [])
}

function descriptorsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).map((fd) => readLink(`/proc/${pid}/fd/${fd}`))
  } catch {
    return [] // gone, or of another user
  }
}

function readLink(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}

const LISTEN = '0A'

/** proc_net_tcp(5): `sl local_address rem_address st ... inode`, addresses in hexadecimal, one word at a time in host order. */
export function parseSockets(text: string): Listener[] {
  return text.split('\n').flatMap((line) => {
    const fields = line.trim().split(/\s+/)
    const [, local, , state] = fields
    if (state !== LISTEN || local === undefined) return []
    const [address = '', port = '0'] = local.split(':')
    return [{ address: readAddress(address), port: Number.parseInt(port, 16), inode: fields[9] ?? '' }]
  })
}

function readAddress(hex: string): string {
  if (hex.length === 8) return bytesOf(hex).join('.')
  if (/^0+$/.test(hex)) return '[::]'
  const groups = bytesOf(hex).map((byte) => byte.toString(16).padStart(2, '0'))
  const words = Array.from({ length: 8 }, (_, index) => `${groups[2 * index]}${groups[2 * index + 1]}`)
  return words.join(':') === `${'0000:'.repeat(7)}0001` ? '[::1]' : `[${words.join(':')}]`
}

/** Bytes in the order of the network; each 32-bit word is printed little-endian on the machines that we run on. */
function bytesOf(hex: string): number[] {
  const words = hex.match(/.{8}/g) ?? []
  return words.flatMap((word) => (word.match(/../g) ?? []).reverse().map((byte) => Number.parseInt(byte, 16)))
}
