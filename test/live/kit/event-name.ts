type Named = {
  kind: string
  index?: number
  weights?: Record<string, number>
  release?: string
  outcome?: string
  instances?: unknown[]
}

/** What an event says, without times and numbers: the same in every run of the same rollout. */
export function nameOf(event: Named): string {
  const { kind } = event
  switch (kind) {
    case 'step-started':
    case 'step-finished':
      return `${kind} ${event.index}`
    case 'weights-decided':
    case 'routes-confirmed':
      return `${kind} ${JSON.stringify(event.weights)}`
    case 'instances-observed':
      return `${kind} ${event.release} ${event.instances?.map(stateOf).sort().join('+') || 'none'}`
    case 'return-started':
    case 'outcome-reached':
      return `${kind} ${event.outcome}`
    default:
      return event.release === undefined ? kind : `${kind} ${event.release}`
  }
}

const stateOf = (instance: unknown): string =>
  typeof instance === 'object' && instance !== null && 'state' in instance ? String(instance.state) : ''
