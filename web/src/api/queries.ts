import { type QueryClient, useQuery } from '@tanstack/react-query'
import type { Plan } from '../../../src/core/plan/plan.ts'
import type { RolloutEvidence } from '../../../src/core/rollout/replay/rollout-evidence.ts'
import type {
  RolloutSeries,
  RolloutSummary,
  RolloutView,
  ServiceView,
  TimelineEntry,
} from '../../../src/core/rollout/view/view.ts'
import { call } from './call.ts'

const SERVICES = ['services']
const SERIES_POLL_MS = 2000
const ROLLOUT_POLL_MS = 5000
/** All batches are judged again for it. */
const EVIDENCE_POLL_MS = 15_000

/** All services. Kept fresh by the event stream; asked again only when that is silent. */
export const useServices = () =>
  useQuery({
    queryKey: SERVICES,
    queryFn: ({ signal, client }) => fetchServices(client, signal),
    staleTime: Number.POSITIVE_INFINITY,
  })

async function fetchServices(client: QueryClient, signal: AbortSignal): Promise<ServiceView[]> {
  const { services } = await call<{ services: ServiceView[] }>('list_services', {}, signal)
  const known = client.getQueryData<ServiceView[]>(SERVICES) ?? []
  return services.map((view) =>
    newer(
      view,
      known.find((one) => one.stream === view.stream),
    ),
  )
}

/** An event may overtake an answer; the higher revision wins. */
export function mergeView(client: QueryClient, view: ServiceView): void {
  client.setQueryData<ServiceView[]>(SERVICES, (known) => {
    if (known === undefined) return known
    const others = known.filter((one) => one.stream !== view.stream)
    const merged = newer(
      view,
      known.find((one) => one.stream === view.stream),
    )
    return [...others, merged].sort((a, b) => a.stream.localeCompare(b.stream))
  })
}

const newer = (view: ServiceView, known: ServiceView | undefined): ServiceView =>
  known !== undefined && known.revision > view.revision ? known : view

export const refreshServices = (client: QueryClient): Promise<void> =>
  client.refetchQueries({ queryKey: SERVICES }, { throwOnError: true })

/** Chart data; polled while the rollout runs. */
export const useSeries = (rollout: RolloutView) =>
  useQuery({
    queryKey: ['series', rollout.id, rollout.endedAt],
    queryFn: ({ signal }) => call<RolloutSeries>('get_series', { id: rollout.id }, signal),
    placeholderData: (previous) => previous,
    refetchInterval: rollout.endedAt === null ? SERIES_POLL_MS : false,
  })

/** Why it was judged as it was; asked for when somebody wants to see it. */
export const useEvidence = (rollout: RolloutView, isAsked: boolean) =>
  useQuery({
    queryKey: ['evidence', rollout.id, rollout.endedAt],
    queryFn: ({ signal }) =>
      call<{ evidence: RolloutEvidence | null }>('explain_rollout', { id: rollout.id }, signal),
    enabled: isAsked,
    placeholderData: (previous) => previous,
    refetchInterval: rollout.endedAt === null ? EVIDENCE_POLL_MS : false,
  })

/** The plan that a rollout carries out; it never changes. */
export const usePlan = (id: string, isAsked: boolean) =>
  useQuery({
    queryKey: ['plan', id],
    queryFn: ({ signal }) => call<Plan>('get_plan', { id }, signal),
    enabled: isAsked,
    staleTime: Number.POSITIVE_INFINITY,
  })

/** The rollouts of one service, newest first; asked again when `revisionOf` changes. */
export const useHistory = (view: ServiceView) =>
  useQuery({
    queryKey: ['rollouts', view.stream, view.rollout?.id, view.rollout?.outcome],
    queryFn: ({ signal }) =>
      call<{ rollouts: RolloutSummary[] }>(
        'list_rollouts',
        { service: view.service, environment: view.environment, limit: 10 },
        signal,
      ),
    placeholderData: (previous) => previous,
  })

export type RolloutRecord = { rollout: RolloutView; timeline: TimelineEntry[] }

export const useRollout = (id: string) =>
  useQuery({
    queryKey: ['rollout', id],
    queryFn: ({ signal }) => call<RolloutRecord>('get_rollout', { id }, signal),
    refetchInterval: (query) => (query.state.data?.rollout.endedAt === null ? ROLLOUT_POLL_MS : false),
  })
