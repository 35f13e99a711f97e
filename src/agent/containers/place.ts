import { createSocket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import type { ContainerInspectInfo, NetworkInspectInfo } from 'dockerode'
import type { ContainerSpec } from '../../core/shared/container-spec.ts'
import { problem } from '../../core/shared/problem.ts'
import { failed, ok, type Result } from '../../core/shared/result.ts'
import type { Publication } from './new-container.ts'

/** How an instance will be reached: at the address of its container, at a port of the engine's machine, or not at all. */
export type Reach = 'address' | 'published' | 'not'

/** Set to `published` for a machine whose firewall keeps it from its own containers. */
export const REACH_VARIABLE = 'SLUICE_CONTAINER_REACH'

type ReachFacts = {
  isLocal: boolean
  /** This machine has the address of the network's gateway. */
  isGateway: boolean
  forced: string | undefined
}

/**
 * The container's own address wherever this machine is the gateway of its network: nothing lies between, so it survives a
 * restart of the engine. An engine in a virtual machine, or one without root, has its networks elsewhere.
 */
export function reachOf(
  { port }: Pick<ContainerSpec, 'port'>,
  network: Pick<NetworkInspectInfo, 'Name' | 'Driver'>,
  { isLocal, isGateway, forced }: ReachFacts,
): Result<Reach> {
  if (port === null) return ok('not')
  if (network.Driver === 'host' || network.Driver === 'null') return failed(unusable(network))
  return ok(isLocal && isGateway && forced !== 'published' ? 'address' : 'published')
}

export const gatewaysOf = ({ IPAM }: Pick<NetworkInspectInfo, 'IPAM'>): string[] =>
  (IPAM?.Config ?? []).flatMap(({ Gateway }) => Gateway?.replace(/\/\d+$/, '') ?? [])

/** Only an address of one's own can be bound to. The list of interfaces leaves out a bridge that has no container yet. */
export function isOwnAddress(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4')
    const end = (isOwn: boolean) => socket.close(() => resolve(isOwn))
    socket.once('error', () => end(false))
    socket.bind({ address, port: 0, exclusive: true }, () => end(true))
  })
}

/** Where a running container is, `null` while it has no address. */
export function placeOf(
  reach: Reach,
  { NetworkSettings }: Pick<ContainerInspectInfo, 'NetworkSettings'>,
  { port, network, published }: { port: number | null; network: string; published: Publication | null },
): { host: string; port: number } | null {
  if (reach === 'not') return { host: '127.0.0.1', port: 0 }
  if (reach === 'published') {
    const taken = NetworkSettings.Ports[`${port}/tcp`]?.[0]
    return published === null || taken === undefined
      ? null
      : { host: published.host, port: Number(taken.HostPort) }
  }
  const address = NetworkSettings.Networks[network]?.IPAddress ?? ''
  return address === '' || port === null ? null : { host: address, port }
}

const unusable = ({ Name, Driver }: Pick<NetworkInspectInfo, 'Name' | 'Driver'>) =>
  problem('DOCKER_NETWORK_UNUSABLE', {
    message: `in the network ${Name} (${Driver}) no two instances can listen on one port side by side`,
    remedy:
      'Name a bridge network under run.network, or none for the engine’s own, or leave out run.port for a worker.',
  })
