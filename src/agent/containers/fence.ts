import type { ContainerInfo } from 'dockerode'
import { problem } from '../../core/shared/problem.ts'
import { failed, ok, type Result } from '../../core/shared/result.ts'
import type { FencingToken } from '../../core/shared/token.ts'
import type { SetRegistry } from '../set-registry.ts'
import type { Engine } from './engine.ts'
import { LABEL, newerThan } from './labels.ts'

type FenceParts = { engine: Engine; registry: SetRegistry; agentFolder: string }

/**
 * The engine cannot compare and set. So each change asks it first whether somebody with a newer command of the same
 * installation has made containers: an agent that was brought back with an older agent.json then changes nothing. What
 * happens between the question and the change is not seen; see README.md.
 */
export class Fence {
  readonly #parts: FenceParts

  constructor(parts: FenceParts) {
    this.#parts = parts
  }

  /** Answers with all containers of the service, stopped ones too. */
  async check(service: string): Promise<Result<ContainerInfo[]>> {
    const { engine, registry, agentFolder } = this.#parts
    const label = [`${LABEL.service}=${service}`, `${LABEL.folder}=${agentFolder}`]
    const found = await engine.ask({ what: `list the containers of ${service}` }, (docker) =>
      docker.listContainers({ all: true, filters: { label } }),
    )
    if (found.kind === 'failed') return found
    const own = registry.highestToken(service)
    const newer = newerThan(
      own,
      found.value.map(({ Labels }) => Labels),
    )
    return newer === null ? ok(found.value) : failed(stale(service, own, newer))
  }
}

const stale = (service: string, own: FencingToken | null, newer: FencingToken) =>
  problem('STALE_TOKEN', {
    message: `a container of ${service} was made by command ${show(newer)}, and the newest that this agent knows is ${show(own)}`,
    remedy:
      'Another agent with the same folder has taken over, or agent.json is an old copy. End the one that is too many.',
  })

const show = (token: FencingToken | null): string =>
  token === null ? 'none' : `${token.epoch}.${token.sequence}`
