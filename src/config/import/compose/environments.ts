import { takePort } from './doors.ts'
import type { ProposedContainer } from './proposed-container.ts'
import type { Resources } from './resources.ts'

/** What differs in one environment, by service. */
export type EnvironmentProposal = {
  name: 'staging' | 'production'
  /** Of its Compose project, where something stays with compose. */
  project: string
  services: Override[]
}
export type Override = {
  service: string
  listen: string | null
  replicas: number
  resources: Resources
  network: string | null
  /** `null`: as they are. */
  volumes: string[] | null
}

type Kind = {
  name: EnvironmentProposal['name']
  portsAfter: number
  replicas(of: number): number
  share: number
}

/** Staging carries less, so it has one instance with half the processors; memory is needed whatever the load. */
const KINDS: readonly Kind[] = [
  { name: 'staging', portsAfter: 10_000, replicas: () => 1, share: 0.5 },
  { name: 'production', portsAfter: 20_000, replicas: (of) => Math.max(2, of), share: 1 },
]
const LEAST_CPUS = 0.01

/** Overrides for staging and production, so that all of them may be on one machine without sharing a port, a network or a volume. */
export function environmentsFor(
  services: readonly ProposedContainer[],
  { project, taken }: { project: string; taken: Set<number> },
): EnvironmentProposal[] {
  return KINDS.map((kind) => {
    const own = `${project}-${kind.name}`
    const renamed = (text: string): string =>
      text.startsWith(`${project}_`) ? `${own}_${text.slice(project.length + 1)}` : text
    return {
      name: kind.name,
      project: own,
      services: services.map((service) => {
        const volumes = service.volumes.map(renamed)
        return {
          service: service.name,
          listen: listenIn(service, kind, taken),
          replicas: kind.replicas(service.replicas),
          resources: shareOf(service.resources, kind.share),
          network: service.network === null ? null : renamed(service.network),
          volumes: volumes.join() === service.volumes.join() ? null : volumes,
        }
      }),
    }
  })
}

function listenIn({ listen }: ProposedContainer, { portsAfter }: Kind, taken: Set<number>): string | null {
  if (listen === null) return null
  const colon = listen.lastIndexOf(':')
  return `${listen.slice(0, colon)}:${takePort(Number(listen.slice(colon + 1)) + portsAfter, taken)}`
}

const shareOf = ({ cpus, memory }: Resources, share: number): Resources => ({
  ...(cpus === undefined ? {} : { cpus: Math.max(LEAST_CPUS, Math.round(cpus * share * 100) / 100) }),
  ...(memory === undefined ? {} : { memory }),
})
