import { execFileSync } from 'node:child_process'

/** Where an engine has its network: the bridge of its containers, and how programs are run there. */
export type DockerNetwork = {
  bridge: string
  /** Stands before the words of a program that shall run there. */
  before: readonly string[]
  /** Of the machine that it stands for, as seen from here. */
  addresses: readonly string[]
  remove(): void
}

const ip = (...words: string[]): unknown => execFileSync('ip', words, { stdio: 'pipe' })
/** A byte of an address that is neither a network nor everybody. */
const byte = (): number => 1 + Math.floor(Math.random() * 253)
/** A network of 254 addresses out of 10.128.0.0/9, chosen by chance: nobody has to be asked. */
const someNetwork = (): string => `10.${128 + Math.floor(byte() / 2)}.${byte()}`

/** A bridge on this machine. */
export function bridgeHere(suffix: string): DockerNetwork {
  const bridge = `slu${suffix}`
  ip('link', 'add', bridge, 'type', 'bridge')
  ip('addr', 'add', `${someNetwork()}.1/24`, 'dev', bridge)
  ip('link', 'set', bridge, 'up')
  return {
    bridge,
    before: [],
    addresses: [],
    remove: () => void ip('link', 'delete', bridge),
  }
}

/**
 * A machine of its own, as far as a network goes: its loopback, ports and bridge are not ours, and one cable leads there.
 * It has two addresses.
 */
export function anotherMachine(suffix: string): DockerNetwork {
  const [space, cable, plug] = [`slu${suffix}`, `slu${suffix}a`, `slu${suffix}b`]
  const network = someNetwork()
  const addresses = [`${network}.2`, `${network}.3`]
  ip('netns', 'add', space)
  const there = (...words: string[]): unknown => ip('-n', space, ...words)
  ip('link', 'add', cable, 'type', 'veth', 'peer', 'name', plug, 'netns', space)
  ip('addr', 'add', `${network}.1/24`, 'dev', cable)
  ip('link', 'set', cable, 'up')
  for (const address of addresses) there('addr', 'add', `${address}/24`, 'dev', plug)
  for (const link of [plug, 'lo']) there('link', 'set', link, 'up')
  there('link', 'add', 'inner', 'type', 'bridge')
  there('addr', 'add', `${someNetwork()}.1/24`, 'dev', 'inner')
  there('link', 'set', 'inner', 'up')
  return {
    bridge: 'inner',
    // Its network alone: files and processes are shared, so that all of it is seen and gone at the end.
    before: ['nsenter', `--net=/var/run/netns/${space}`],
    addresses,
    remove: () => void ip('netns', 'delete', space),
  }
}
